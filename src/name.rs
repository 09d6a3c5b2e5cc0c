//! [`Name`]: what POSIX names its objects by ("/pi").

use core::ffi::{CStr, c_char};
use core::fmt::{self, Write as _};
use core::str::FromStr;

use crate::text::Text;
use crate::{Errno, Result};

/// The name of a POSIX object: one slash, then 1 to 255 bytes without another.
///
/// Made once, checked once, kept on the stack (256 bytes), and ready for the kernel. The leading
/// slash may be left out when a name is made and always stands when it is shown.
///
/// # Examples
///
/// ```
/// use rawipc::{Errno, Name};
///
/// const PI: Name = match Name::new(b"/pi") {
///     Ok(name) => name,
///     Err(_) => panic!("checked at compile time"),
/// };
/// assert_eq!(PI, "pi".parse()?);
/// assert_eq!(PI.to_string(), "/pi");
///
/// // A name of this process's own, without allocating:
/// let own = Name::format(format_args!("/pi-{}", std::process::id()))?;
/// assert_ne!(own, PI);
/// # Ok::<(), Errno>(())
/// ```
///
/// # References
///
/// - [shm_overview(7)](https://man7.org/linux/man-pages/man7/shm_overview.7.html)
/// - [mq_overview(7)](https://man7.org/linux/man-pages/man7/mq_overview.7.html)
/// - [sem_overview(7)](https://man7.org/linux/man-pages/man7/sem_overview.7.html)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Without the slash; zeros up to the end, of which there is at least one.
    bytes: [u8; Self::MAX_LEN + 1],
}

impl Name {
    /// The longest name, in bytes, not counting the slash (`NAME_MAX`).
    pub const MAX_LEN: usize = 255;

    /// Checks `name`, with or without its leading slash.
    ///
    /// # Errors
    ///
    /// [`Errno::INVAL`] if it is empty, `.` or `..`, or has a NUL or a second slash;
    /// [`Errno::NAMETOOLONG`] if it is longer than [`MAX_LEN`](Self::MAX_LEN).
    ///
    /// ```
    /// use rawipc::{Errno, Name};
    ///
    /// assert_eq!(Name::new(b"/").unwrap_err(), Errno::INVAL);
    /// assert_eq!(Name::new(b"//pi").unwrap_err(), Errno::INVAL);
    /// assert_eq!(Name::new(b"/a/b").unwrap_err(), Errno::INVAL);
    /// assert_eq!(Name::new(&[b'x'; 256]).unwrap_err(), Errno::NAMETOOLONG);
    /// ```
    pub const fn new(name: &[u8]) -> Result<Self> {
        let name = match name {
            [b'/', rest @ ..] => rest,
            all => all,
        };
        if matches!(name, [] | [b'.'] | [b'.', b'.']) {
            return Err(Errno::INVAL);
        }
        let mut bytes = [0; Self::MAX_LEN + 1];
        let (mut room, _nul) = bytes.split_at_mut(Self::MAX_LEN);
        let mut rest = name;
        while let [byte, after @ ..] = rest {
            if matches!(*byte, b'/' | 0) {
                return Err(Errno::INVAL);
            }
            let [slot, behind @ ..] = room else {
                return Err(Errno::NAMETOOLONG);
            };
            *slot = *byte;
            (rest, room) = (after, behind);
        }
        Ok(Self { bytes })
    }

    /// A name put together in place, as `format!` would, without allocating.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); [`Errno::INVAL`] too if an argument's own `Display` fails.
    ///
    /// ```
    /// use rawipc::Name;
    ///
    /// let lane = Name::format(format_args!("/pi.{}", 7))?;
    /// assert_eq!(lane.as_bytes(), b"pi.7");
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    pub fn format(arguments: fmt::Arguments<'_>) -> Result<Self> {
        // Room for the slash and the longest name.
        let mut text = Text::<{ Self::MAX_LEN + 1 }>::new();
        match text.write_fmt(arguments) {
            // An argument's own `Display` may have kept it to itself.
            _ if text.has_overflown() => Err(Errno::NAMETOOLONG),
            Ok(()) => Self::new(text.as_bytes()),
            Err(fmt::Error) => Err(Errno::INVAL),
        }
    }

    /// The name without its slash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.as_c_str().to_bytes()
    }

    /// Where the name without its slash begins, which ends with a zero byte, for calls that look no
    /// further.
    #[inline]
    pub(crate) const fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }

    /// The name without its slash, and zeros behind it: one at least.
    #[inline]
    pub(crate) const fn padded(&self) -> &[u8; Self::MAX_LEN + 1] {
        &self.bytes
    }

    /// The name without its slash, as C wants it.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        // Never the default: the last byte is always zero.
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

/// Shown as it is known: with its slash, and with what is not UTF-8 replaced.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('/')?;
        for chunk in self.as_bytes().utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name(\"/{}\")", self.as_bytes().escape_ascii())
    }
}

impl FromStr for Name {
    type Err = Errno;

    fn from_str(name: &str) -> Result<Self> {
        Self::new(name.as_bytes())
    }
}

impl TryFrom<&str> for Name {
    type Error = Errno;

    fn try_from(name: &str) -> Result<Self> {
        Self::new(name.as_bytes())
    }
}

impl TryFrom<&[u8]> for Name {
    type Error = Errno;

    fn try_from(name: &[u8]) -> Result<Self> {
        Self::new(name)
    }
}

impl TryFrom<&CStr> for Name {
    type Error = Errno;

    fn try_from(name: &CStr) -> Result<Self> {
        Self::new(name.to_bytes())
    }
}
