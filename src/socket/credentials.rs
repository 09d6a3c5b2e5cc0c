use rustix::process::{Gid, Pid, Uid};

/// Who a process is: pid, user and group (`struct ucred`).
///
/// # References
///
/// - [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
#[doc(alias = "ucred")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The process; `None` if it lives in a pid namespace that cannot be seen from here.
    pub pid: Option<Pid>,
    /// Its user.
    pub uid: Uid,
    /// Its group.
    pub gid: Gid,
}

impl Credentials {
    /// This process's own, with the effective user and group.
    ///
    /// ```
    /// use rawipc::{process, socket::Credentials};
    ///
    /// assert_eq!(Credentials::own().pid, Some(process::id()));
    /// ```
    #[must_use]
    pub fn own() -> Self {
        Self {
            pid: Some(rustix::process::getpid()),
            uid: rustix::process::geteuid(),
            gid: rustix::process::getegid(),
        }
    }

    /// As the kernel writes them.
    #[inline]
    pub(super) fn from_bytes(bytes: [u8; 12]) -> Self {
        let [p0, p1, p2, p3, u0, u1, u2, u3, g0, g1, g2, g3] = bytes;
        Self {
            pid: Pid::from_raw(i32::from_ne_bytes([p0, p1, p2, p3]).max(0)),
            uid: Uid::from_raw_unchecked(u32::from_ne_bytes([u0, u1, u2, u3])),
            gid: Gid::from_raw_unchecked(u32::from_ne_bytes([g0, g1, g2, g3])),
        }
    }

    /// As the kernel reads them.
    #[inline]
    pub(super) fn words(self) -> [[u8; 4]; 3] {
        [
            Pid::as_raw(self.pid).to_ne_bytes(),
            self.uid.as_raw().to_ne_bytes(),
            self.gid.as_raw().to_ne_bytes(),
        ]
    }
}

static_assertions::assert_eq_size!(libc::ucred, [u8; 12]);
