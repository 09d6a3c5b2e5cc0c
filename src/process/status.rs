use core::fmt;

use rustix::process::{Signal, WaitIdStatus};

/// How a process ended.
///
/// # Examples
///
/// ```
/// use rawipc::process::{self, ExitStatus};
///
/// // SAFETY: the child only exits.
/// let status = unsafe { process::spawn(|| 4)? }.wait()?;
/// match status {
///     ExitStatus::Exited(code) => assert_eq!(code, 4),
///     ExitStatus::Killed { signal, core_dumped } => panic!("by {signal}, {core_dumped}"),
/// }
/// assert_eq!(status.to_string(), "exited with code 4");
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It exited, with this code; zero is success.
    Exited(u8),
    /// A signal ended it.
    Killed {
        /// The signal's number.
        signal: i32,
        /// Whether it left a core dump.
        core_dumped: bool,
    },
}

impl ExitStatus {
    /// What waitid with only `WEXITED` tells of a child.
    #[inline]
    pub(super) fn from_waitid(told: &WaitIdStatus) -> Self {
        match told.terminating_signal() {
            Some(signal) => Self::Killed { signal, core_dumped: told.dumped() },
            // The kernel keeps the low byte of what was given to exit.
            None => Self::Exited(told.exit_status().unwrap_or_default().to_le_bytes()[0]),
        }
    }

    /// Whether it exited with code zero.
    #[must_use]
    #[inline]
    pub const fn success(self) -> bool {
        matches!(self, Self::Exited(0))
    }

    /// The exit code, if it exited.
    #[must_use]
    #[inline]
    pub const fn code(self) -> Option<u8> {
        match self {
            Self::Exited(code) => Some(code),
            Self::Killed { .. } => None,
        }
    }

    /// The number of the signal that ended it, if one did.
    #[must_use]
    #[inline]
    pub const fn signal(self) -> Option<i32> {
        match self {
            Self::Exited(_) => None,
            Self::Killed { signal, .. } => Some(signal),
        }
    }

    /// Whether that signal ended it.
    #[must_use]
    #[inline]
    pub const fn is_killed_by(self, by: Signal) -> bool {
        matches!(self, Self::Killed { signal, .. } if signal == by.as_raw())
    }

    /// Whether it left a core dump.
    #[must_use]
    #[inline]
    pub const fn core_dumped(self) -> bool {
        matches!(self, Self::Killed { core_dumped: true, .. })
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Killed { signal, core_dumped: false } => write!(f, "killed by signal {signal}"),
            Self::Killed { signal, core_dumped: true } => {
                write!(f, "killed by signal {signal} (core dumped)")
            }
        }
    }
}

/// The same, as the standard library has it.
#[cfg(feature = "std")]
impl From<ExitStatus> for std::process::ExitStatus {
    fn from(status: ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt as _;

        /// In wait's encoding, the bit beside the signal that says "core dumped".
        const CORE: i32 = 0x80;

        Self::from_raw(match status {
            ExitStatus::Exited(code) => i32::from(code) << 8,
            ExitStatus::Killed { signal, core_dumped } => {
                signal | if core_dumped { CORE } else { 0 }
            }
        })
    }
}
