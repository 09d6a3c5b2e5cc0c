//! What POSIX names: message queues.

pub mod mq;

pub use mq::Mq;
