//! The three forms in which most calls come, of which no target may use one that sleeps.

use arbitrary::Arbitrary;
use rawipc::{Deadline, Errno, Result};

/// How a call is made that may have to wait.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As long as it takes: only where the model says that it takes no time.
    Plain,
    /// Not at all.
    Try,
    /// Until a deadline that has passed.
    Until,
}

impl Form {
    /// This form, or one that does not wait if this one `sleeps`.
    pub(super) fn unless(self, sleeps: bool) -> Self {
        if self == Self::Plain && sleeps { Self::Until } else { self }
    }

    /// What it says where the model says `AGAIN`.
    pub(super) fn says<T>(self, model: Result<T>) -> Result<T> {
        model.map_err(|errno| self.says_of(errno))
    }

    /// What it says where the model says `errno`.
    pub(super) fn says_of(self, errno: Errno) -> Errno {
        match (self, errno) {
            (Self::Until, Errno::AGAIN) => Errno::TIMEDOUT,
            _ => errno,
        }
    }
}

/// A deadline that has passed.
pub(super) fn past() -> Deadline {
    Deadline::now()
}
