//! What can be wrong with an object that one opens: what the kernel says, and what lies there.

use core::fmt;

use crate::Errno;

/// Why an object could not be opened as what it was thought to be.
///
/// # Examples
///
/// ```
/// use core::sync::atomic::{AtomicU32, AtomicU64};
/// use rawipc::{Errno, Name};
/// use rawipc::shm::{LayoutError, Mode, OpenError, Shared};
///
/// let name = Name::format(format_args!("/rawipc-doc-error-{}", std::process::id()))?;
/// // SAFETY: there is nothing of that name.
/// let missing = unsafe { Shared::<AtomicU32>::open(&name) };
/// assert_eq!(missing.unwrap_err(), OpenError::Os(Errno::NOENT));
///
/// let narrow = Shared::create_new(&name, Mode::RUSR | Mode::WUSR, AtomicU32::new(1))?;
/// // SAFETY: refused, as it is something else.
/// let wide = unsafe { Shared::<AtomicU64>::open(&name) };
/// # rawipc::shm::Object::unlink(&name)?;
/// let wrong = LayoutError::Size { expected: 8, found: 4 };
/// assert_eq!(wide.unwrap_err(), OpenError::Layout(wrong));
/// # Ok::<(), Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenError {
    /// What the kernel says.
    Os(Errno),
    /// Something else lies there.
    Layout(LayoutError),
}

impl From<Errno> for OpenError {
    fn from(errno: Errno) -> Self {
        Self::Os(errno)
    }
}

impl From<LayoutError> for OpenError {
    fn from(error: LayoutError) -> Self {
        Self::Layout(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Os(errno) => errno.fmt(f),
            Self::Layout(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for OpenError {}

/// What the kernel says stays that; something else that lies there is of the kind
/// [`InvalidData`](std::io::ErrorKind::InvalidData), with the [`LayoutError`] inside, which
/// allocates, as such errors of `std` do.
///
/// # Examples
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use rawipc::Errno;
/// use rawipc::shm::{LayoutError, OpenError};
///
/// let missing = Error::from(OpenError::Os(Errno::NOENT));
/// assert_eq!(missing.kind(), ErrorKind::NotFound);
/// let foreign = Error::from(OpenError::Layout(LayoutError::Foreign));
/// assert_eq!(foreign.kind(), ErrorKind::InvalidData);
/// ```
#[cfg(feature = "std")]
impl From<OpenError> for std::io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Os(errno) => errno.into(),
            OpenError::Layout(error) => error.into(),
        }
    }
}

/// What lies there instead of what was asked for.
///
/// # Examples
///
/// See [`OpenError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LayoutError {
    /// Nothing: it has no length. Another way of creating objects gives them one after their name.
    Empty,
    /// It is shorter than what it says lies there, or than what every such object begins with.
    Truncated {
        /// How long it would have to be; `u64::MAX` if no number says it.
        needed: u64,
        /// How long it is.
        found: u64,
    },
    /// Only zeros so far: it has not been initialised, or somebody is about to.
    Unfinished,
    /// Something else, which nobody has put there who makes such objects.
    Foreign,
    /// It comes from a machine whose numbers have their bytes in the other order.
    ByteOrder,
    /// It is laid out as another version of this crate does it.
    Version {
        /// Which.
        found: u32,
    },
    /// A value there has another size.
    Size {
        /// What a value has here.
        expected: u64,
        /// What one has there.
        found: u64,
    },
    /// A value there has another alignment.
    Alignment {
        /// What a value has here.
        expected: u32,
        /// What one has there.
        found: u32,
    },
    /// Another type, though of the same size and alignment; a slice instead of one value, say.
    Type,
    /// There is not one value, but so many.
    Count {
        /// How many.
        found: u64,
    },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the object is empty"),
            Self::Truncated { needed, found } => {
                write!(f, "the object is {found} bytes long where it needs {needed}")
            }
            Self::Unfinished => f.write_str("the object has not been initialised"),
            Self::Foreign => f.write_str("the object is of another kind"),
            Self::ByteOrder => f.write_str("the object is of the other byte order"),
            Self::Version { found } => write!(f, "the object's format is version {found}"),
            Self::Size { expected, found } => {
                write!(f, "values of {found} bytes instead of {expected}")
            }
            Self::Alignment { expected, found } => {
                write!(f, "values aligned to {found} bytes instead of {expected}")
            }
            Self::Type => f.write_str("values of another type"),
            Self::Count { found } => write!(f, "{found} values instead of one"),
        }
    }
}

impl core::error::Error for LayoutError {}

/// Of the kind [`InvalidData`](std::io::ErrorKind::InvalidData), with the error inside, which
/// allocates, as such errors of `std` do.
#[cfg(feature = "std")]
impl From<LayoutError> for std::io::Error {
    fn from(error: LayoutError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}
