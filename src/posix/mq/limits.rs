use core::ffi::CStr;

use rustix::fs::{Mode, OFlags};

use crate::{Errno, Result};

/// What the system allows of message queues to those without `CAP_SYS_RESOURCE`, in this IPC
/// namespace.
///
/// # Examples
///
/// ```
/// use rawipc::posix::mq::Limits;
///
/// let limits = Limits::get()?;
/// assert!(limits.default_messages <= limits.max_messages);
/// assert!(limits.default_message_size <= limits.max_message_size);
/// # Ok::<(), rawipc::Errno>(())
/// ```
///
/// # References
///
/// - [mq_overview(7)](https://man7.org/linux/man-pages/man7/mq_overview.7.html)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many queues there can be (`queues_max`).
    pub max_queues: usize,
    /// How many messages a queue can be created for (`msg_max`).
    pub max_messages: usize,
    /// How many bytes per message a queue can be created for (`msgsize_max`).
    pub max_message_size: usize,
    /// How many messages a queue is created for if nobody says (`msg_default`, at most `msg_max`).
    pub default_messages: usize,
    /// How many bytes per message a queue is created for if nobody says (`msgsize_default`, at
    /// most `msgsize_max`).
    pub default_message_size: usize,
}

impl Limits {
    /// Reads them from `/proc/sys/fs/mqueue`. They can be changed there at any time.
    ///
    /// # Errors
    ///
    /// [`Errno::NOENT`] without `/proc`, or in a kernel without message queues;
    /// [`Errno::MFILE`] at the limit of descriptors.
    #[doc(alias = "queues_max")]
    #[doc(alias = "msg_max")]
    #[doc(alias = "msgsize_max")]
    pub fn get() -> Result<Self> {
        let max_messages = read(c"/proc/sys/fs/mqueue/msg_max")?;
        let max_message_size = read(c"/proc/sys/fs/mqueue/msgsize_max")?;
        Ok(Self {
            max_queues: read(c"/proc/sys/fs/mqueue/queues_max")?,
            max_messages,
            max_message_size,
            default_messages: read(c"/proc/sys/fs/mqueue/msg_default")?.min(max_messages),
            default_message_size: read(c"/proc/sys/fs/mqueue/msgsize_default")?
                .min(max_message_size),
        })
    }
}

/// The decimal number in a file of `/proc/sys`.
fn read(path: &CStr) -> Result<usize> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut digits = [0; 24];
    let len = rustix::io::read(&file, &mut digits)?;
    let digits = digits.get(..len).unwrap_or_default();
    let digits = core::str::from_utf8(digits).map_err(|_| Errno::PROTO)?;
    digits.trim_ascii().parse().map_err(|_| Errno::PROTO)
}
