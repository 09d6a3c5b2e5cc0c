//! Adding `f64`s from many processes.
//!
//! | type | an add is | the sum |
//! |---|---|---|
//! | [`AtomicF64`] | one compare-and-swap, contended if there are several adders | depends on the order, in the last bits |
//! | [`ShardedSum`] | a load and a store, in a lane of one's own | depends on who has added what |
//! | [`ExactSum`] | a few stores, in a lane of one's own | is exact, rounded once: the same whatever the order, the number of adders and the machine |
//!
//! All are plain bytes that can lie in shared memory ([`ShmSafe`](crate::shm::ShmSafe)), and empty
//! when all zero. None sleeps, and none waits for a process that rests or was killed.

mod atomic_f64;
mod exact;
mod sharded;

pub use atomic_f64::AtomicF64;
pub use exact::{ExactAdder, ExactSum};
pub use sharded::{ShardedAdder, ShardedSum};
