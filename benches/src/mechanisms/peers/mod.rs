//! What others have made for the same.

#[cfg(feature = "peers")]
mod iceoryx;
#[cfg(feature = "peers")]
mod interprocess;
#[cfg(feature = "peers")]
mod ipc_channel;
mod python;
mod threads;

use super::contender::Mechanism;

pub(super) const ALL: &[Mechanism] = &[
    #[cfg(feature = "peers")]
    Mechanism { by: "iceoryx2", through: "publish-subscribe, polled", open: iceoryx::polled },
    #[cfg(feature = "peers")]
    Mechanism { by: "iceoryx2", through: "publish-subscribe, Listener", open: iceoryx::notified },
    #[cfg(feature = "peers")]
    Mechanism { by: "ipc-channel", through: "bytes_channel", open: ipc_channel::bytes },
    #[cfg(feature = "peers")]
    Mechanism { by: "interprocess", through: "unnamed_pipe", open: interprocess::pipe },
    #[cfg(feature = "peers")]
    Mechanism { by: "interprocess", through: "local_socket", open: interprocess::socket },
    Mechanism { by: "std", through: "sync_channel, threads", open: threads::sync_channel },
    Mechanism { by: "rtrb", through: "RingBuffer, threads, polled", open: threads::rtrb },
    Mechanism {
        by: "crossbeam",
        through: "ArrayQueue, threads, polled",
        open: threads::array_queue,
    },
    Mechanism { by: "Python, posix_ipc", through: "MessageQueue", open: python::message_queue },
    Mechanism {
        by: "Python, posix_ipc",
        through: "SharedMemory, Semaphore",
        open: python::semaphores,
    },
    Mechanism { by: "Python, multiprocessing", through: "Pipe", open: python::pipe },
    Mechanism { by: "Python, multiprocessing", through: "Queue", open: python::queue },
];
