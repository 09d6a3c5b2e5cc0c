use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::AtomicU64;
use std::io::Result;

use super::agreed;
use crate::shared::share;

/// `pthread_rwlock_t`, between processes.
#[repr(C)]
pub(crate) struct RwLock {
    raw: UnsafeCell<MaybeUninit<libc::pthread_rwlock_t>>,
    /// What is done under it, in the same cache line.
    pub(crate) value: AtomicU64,
}

// SAFETY: POSIX's functions, which alone reach it, may be called by all threads at once.
unsafe impl Sync for RwLock {}

impl RwLock {
    /// On a page that helpers share.
    pub(crate) fn shared() -> Result<&'static Self> {
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: room for the attributes, exclusively borrowed.
        agreed(unsafe { libc::pthread_rwlockattr_init(attributes) })?;
        // SAFETY: initialised above.
        agreed(unsafe {
            libc::pthread_rwlockattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED)
        })?;
        let lock =
            share(Self { raw: UnsafeCell::new(MaybeUninit::zeroed()), value: AtomicU64::new(0) });
        // SAFETY: room where it stays for good, which nobody uses yet, and attributes from above.
        agreed(unsafe { libc::pthread_rwlock_init(lock.raw.get().cast(), attributes) })?;
        Ok(lock)
    }

    #[inline]
    pub(crate) fn read(&self) -> Result<()> {
        // SAFETY: initialised where it is.
        agreed(unsafe { libc::pthread_rwlock_rdlock(self.raw.get().cast()) })
    }

    #[inline]
    pub(crate) fn write(&self) -> Result<()> {
        // SAFETY: initialised where it is.
        agreed(unsafe { libc::pthread_rwlock_wrlock(self.raw.get().cast()) })
    }

    /// By who holds it, in either way.
    #[inline]
    pub(crate) fn unlock(&self) -> Result<()> {
        // SAFETY: initialised where it is.
        agreed(unsafe { libc::pthread_rwlock_unlock(self.raw.get().cast()) })
    }
}
