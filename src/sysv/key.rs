use rustix::fs::{AtFlags, CWD, statat};

#[cfg(doc)]
use crate::Errno;
use crate::{PathArg, Result};

/// The number by which unrelated processes find the same System V object.
///
/// Queues, sets and segments each have their own keys: the same number may name one of each.
///
/// # Examples
///
/// ```
/// use rawipc::sysv::Key;
///
/// let agreed = Key::from_raw(0x0050_4901);
/// let derived = Key::ftok(".", b'p')?;
/// assert_ne!(agreed, Key::PRIVATE);
/// assert_eq!(derived, Key::ftok(".", b'p')?);
/// # Ok::<(), rawipc::Errno>(())
/// ```
///
/// # References
///
/// - [sysvipc(7)](https://man7.org/linux/man-pages/man7/sysvipc.7.html)
#[doc(alias = "key_t")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(i32);

impl Key {
    /// `IPC_PRIVATE`: no key at all. Whoever creates under it gets a new object each time, which no
    /// key finds.
    #[doc(alias = "IPC_PRIVATE")]
    pub const PRIVATE: Self = Self(0);

    /// The key with that number; zero is [`PRIVATE`](Self::PRIVATE).
    #[must_use]
    #[inline]
    pub const fn from_raw(raw: i32) -> Self {
        Self(raw)
    }

    /// The key's number.
    #[must_use]
    #[inline]
    pub const fn as_raw(self) -> i32 {
        self.0
    }

    /// `ftok`: the key that C's programs derive from a file and a project's number.
    ///
    /// It is made of `project`, the low byte of the device's number and the low 16 bits of the
    /// inode's: different files can give the same key, and a file that is replaced gives
    /// another.
    ///
    /// # Errors
    ///
    /// What `stat` gives: [`Errno::NOENT`], [`Errno::NOTDIR`], [`Errno::ACCESS`]; and as
    /// [`PathArg`].
    ///
    /// # References
    ///
    /// - [ftok(3)](https://man7.org/linux/man-pages/man3/ftok.3.html)
    #[inline]
    pub fn ftok(path: impl PathArg, project: u8) -> Result<Self> {
        let file = path.with_c_str(|path| statat(CWD, path, AtFlags::empty()))?;
        let [low, high, ..] = file.st_ino.to_le_bytes();
        let [device, ..] = file.st_dev.to_le_bytes();
        Ok(Self(i32::from_le_bytes([low, high, device, project])))
    }

    /// A key that nobody is likely to use yet, other than [`PRIVATE`](Self::PRIVATE).
    pub(super) fn random() -> Result<Self> {
        let mut bytes = [0; 4];
        loop {
            rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
            let key = Self(i32::from_le_bytes(bytes));
            if key != Self::PRIVATE {
                return Ok(key);
            }
        }
    }

    /// Repeats `create` under one random key after the other, until one is not taken.
    pub(super) fn unused<T>(create: impl Fn(Self) -> Result<T>) -> Result<(T, Self)> {
        loop {
            let key = Self::random()?;
            match create(key) {
                Err(crate::Errno::EXIST) => {}
                created => return Ok((created?, key)),
            }
        }
    }
}
