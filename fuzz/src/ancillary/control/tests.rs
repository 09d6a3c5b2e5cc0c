//! The crate runs its own.
