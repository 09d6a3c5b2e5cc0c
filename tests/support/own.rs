//! Names that nobody else has, of queues, shared memory and semaphores.

use core::fmt::Display;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use rawipc::Name;
use rawipc::posix::Mq;
use rawipc::process;
use rawipc::shm::{Mode, Object};

/// For its owner, to read and to write.
pub(crate) const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);

/// What is found by its name.
pub(crate) trait Named: Sized {
    /// What comes before the name in the file system.
    const PREFIX: &str;

    /// Removes what is there, whatever it is.
    fn remove(own: &Own<Self>) {
        let _ = fs::remove_file(own.path());
        let _ = fs::remove_dir(own.path());
    }
}

impl Named for Mq {
    const PREFIX: &str = "/dev/mqueue/";

    /// (Where the file system of queues is not mounted, too.)
    fn remove(own: &Own<Self>) {
        let _ = Self::unlink(&own.0);
    }
}

impl Named for Object {
    const PREFIX: &str = "/dev/shm/";
}

#[cfg(target_pointer_width = "64")]
impl Named for rawipc::posix::Semaphore {
    const PREFIX: &str = "/dev/shm/sem.";
}

/// A name that no other test uses. What bears it in the end is removed, also when the test fails.
pub(crate) struct Own<T: Named>(pub(crate) Name, PhantomData<T>);

impl<T: Named> Own<T> {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (test, pid) = (env!("CARGO_CRATE_NAME"), process::id());
        let nth = NEXT.fetch_add(1, Relaxed);
        // As long as any other.
        Self::of(Name::format(format_args!("/rawipc-{test}-{pid}-{nth:05}")).expect("a name"))
    }

    /// Another one, which begins as this one does.
    pub(crate) fn with(&self, suffix: impl Display) -> Self {
        Self::of(Name::format(format_args!("{}{suffix}", self.0)).expect("a name"))
    }

    pub(crate) fn of(name: Name) -> Self {
        let own = Self(name, PhantomData);
        // Left behind by a test that was killed when it had the same pid.
        own.remove();
        own
    }

    pub(crate) fn path(&self) -> PathBuf {
        let path = [T::PREFIX.as_bytes(), self.0.as_bytes()].concat();
        OsStr::from_bytes(&path).into()
    }

    /// As C wants it.
    pub(crate) fn c_string(&self) -> CString {
        CString::new(self.0.to_string()).expect("no zero in a name")
    }

    pub(crate) fn remove(&self) {
        T::remove(self);
    }
}

impl<T: Named> Drop for Own<T> {
    fn drop(&mut self) {
        self.remove();
    }
}
