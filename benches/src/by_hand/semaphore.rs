use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::AtomicU64;
use std::io::Result;

use super::done;
use crate::shared::share;

/// `sem_t`, between processes.
#[repr(C)]
pub(crate) struct Semaphore {
    raw: UnsafeCell<MaybeUninit<libc::sem_t>>,
    /// What is done under it, in the same cache line.
    pub(crate) value: AtomicU64,
}

// SAFETY: POSIX's functions, which alone reach it, may be called by all threads at once.
unsafe impl Sync for Semaphore {}

impl Semaphore {
    /// On a page that helpers share.
    pub(crate) fn shared(value: u32) -> Result<&'static Self> {
        let semaphore =
            share(Self { raw: UnsafeCell::new(MaybeUninit::zeroed()), value: AtomicU64::new(0) });
        // SAFETY: room where it stays for good, and which nobody uses yet.
        done(unsafe { libc::sem_init(semaphore.raw.get().cast(), 1, value) })?;
        Ok(semaphore)
    }

    #[inline]
    pub(crate) fn post(&self) -> Result<()> {
        // SAFETY: initialised where it is.
        done(unsafe { libc::sem_post(self.raw.get().cast()) })
    }

    #[inline]
    pub(crate) fn wait(&self) -> Result<()> {
        // SAFETY: initialised where it is.
        done(unsafe { libc::sem_wait(self.raw.get().cast()) })
    }
}
