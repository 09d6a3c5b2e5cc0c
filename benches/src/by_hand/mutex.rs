use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::AtomicU64;
use std::io::Result;

use super::agreed;
use crate::shared::share;

/// `pthread_mutex_t`, between processes.
#[repr(C)]
pub(crate) struct Mutex {
    raw: UnsafeCell<MaybeUninit<libc::pthread_mutex_t>>,
    /// What is done under it, in the same cache line.
    pub(crate) value: AtomicU64,
}

// SAFETY: POSIX's functions, which alone reach it, may be called by all threads at once.
unsafe impl Sync for Mutex {}

/// What it does beyond locking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    /// Survives who holds it.
    Robust,
    /// Lets who holds it lock it again.
    Recursive,
}

impl Mutex {
    /// On a page that helpers share.
    pub(crate) fn shared(kind: Kind) -> Result<&'static Self> {
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: room for the attributes, exclusively borrowed.
        agreed(unsafe { libc::pthread_mutexattr_init(attributes) })?;
        // SAFETY: initialised above.
        agreed(unsafe {
            libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED)
        })?;
        match kind {
            Kind::Plain => {}
            Kind::Robust => {
                // SAFETY: as above.
                agreed(unsafe {
                    libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST)
                })?;
            }
            Kind::Recursive => {
                // SAFETY: as above.
                agreed(unsafe {
                    libc::pthread_mutexattr_settype(attributes, libc::PTHREAD_MUTEX_RECURSIVE)
                })?;
            }
        }
        let mutex =
            share(Self { raw: UnsafeCell::new(MaybeUninit::zeroed()), value: AtomicU64::new(0) });
        // SAFETY: room where it stays for good, which nobody uses yet, and attributes from above.
        agreed(unsafe { libc::pthread_mutex_init(mutex.as_ptr(), attributes) })?;
        Ok(mutex)
    }

    #[inline]
    pub(crate) fn lock(&self) -> Result<()> {
        // SAFETY: initialised where it is.
        agreed(unsafe { libc::pthread_mutex_lock(self.as_ptr()) })
    }

    #[inline]
    pub(crate) fn unlock(&self) -> Result<()> {
        // SAFETY: as above; if we do not hold it, we read nothing that it protects.
        agreed(unsafe { libc::pthread_mutex_unlock(self.as_ptr()) })
    }

    pub(super) fn as_ptr(&self) -> *mut libc::pthread_mutex_t {
        self.raw.get().cast()
    }
}
