use core::hint::spin_loop;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::time::Duration;
use std::io::{Error, Result};
use std::time::Instant;

/// A flag on a plain futex: who sets it wakes one who sleeps until it is, and who finds it set
/// takes it away.
#[derive(Debug, Default)]
pub(crate) struct Flag(AtomicU32);

const UNSET: u32 = 0;
const SET: u32 = 1;
const AWAITED: u32 = 2;

impl Flag {
    pub(crate) fn set(&self) -> Result<()> {
        if self.0.swap(SET, AcqRel) == AWAITED {
            futex(&self.0, libc::FUTEX_WAKE, 1)?;
        }
        Ok(())
    }

    /// Goes to sleep at once if it is not set.
    pub(crate) fn wait_asleep(&self) -> Result<()> {
        if self.take() {
            return Ok(());
        }
        while self.0.swap(AWAITED, Acquire) != SET {
            match futex(&self.0, libc::FUTEX_WAIT, AWAITED) {
                // It was set meanwhile, or there was a signal.
                Err(error) if !matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Looks for so long before it goes to sleep, whatever came of that before.
    pub(crate) fn wait_spinning(&self, longest: Duration) -> Result<()> {
        let start = Instant::now();
        loop {
            for _ in 0..16 {
                if self.0.load(Relaxed) == SET && self.take() {
                    return Ok(());
                }
                spin_loop();
            }
            if start.elapsed() > longest {
                return self.wait_asleep();
            }
        }
    }

    fn take(&self) -> bool {
        self.0.compare_exchange(SET, UNSET, Acquire, Relaxed).is_ok()
    }
}

fn futex(word: &AtomicU32, operation: i32, value: u32) -> Result<()> {
    let no_timeout = core::ptr::null::<libc::timespec>();
    // SAFETY: a word that lives, and no other pointer.
    let returned =
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, no_timeout) };
    if returned < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}
