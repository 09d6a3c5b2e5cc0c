use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use std::io::Result;

use super::{Mutex, agreed};
use crate::shared::share;

/// `pthread_cond_t`, between processes.
pub(crate) struct Condvar(UnsafeCell<MaybeUninit<libc::pthread_cond_t>>);

// SAFETY: POSIX's functions, which alone reach it, may be called by all threads at once.
unsafe impl Sync for Condvar {}

impl Condvar {
    /// On a page that helpers share.
    pub(crate) fn shared() -> Result<&'static Self> {
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: room for the attributes, exclusively borrowed.
        agreed(unsafe { libc::pthread_condattr_init(attributes) })?;
        // SAFETY: initialised above.
        agreed(unsafe {
            libc::pthread_condattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED)
        })?;
        let condvar = share(Self(UnsafeCell::new(MaybeUninit::zeroed())));
        // SAFETY: room where it stays for good, which nobody uses yet, and attributes from above.
        agreed(unsafe { libc::pthread_cond_init(condvar.0.get().cast(), attributes) })?;
        Ok(condvar)
    }

    /// With a mutex that this thread holds.
    pub(crate) fn wait(&self, mutex: &Mutex) -> Result<()> {
        // SAFETY: both are initialised where they are.
        agreed(unsafe { libc::pthread_cond_wait(self.0.get().cast(), mutex.as_ptr()) })
    }

    #[inline]
    pub(crate) fn signal(&self) -> Result<()> {
        // SAFETY: initialised where it is.
        agreed(unsafe { libc::pthread_cond_signal(self.0.get().cast()) })
    }
}
