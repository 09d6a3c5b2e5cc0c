//! What POSIX names: message queues and semaphores. (Its shared memory is [`shm`](crate::shm).)

pub mod mq;
#[cfg(target_pointer_width = "64")]
mod semaphore;

pub use mq::Mq;
pub use rustix::fs::Mode;
#[cfg(target_pointer_width = "64")]
pub use semaphore::Semaphore;
