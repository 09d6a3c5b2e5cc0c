//! Signals that ask the driver to end: first it cleans up, then it ends by that very signal.
//!
//! There is no handler. During a run the signals are blocked, and a signalfd becomes readable when
//! one is pending, in the same loop as everything else. Nobody reads it: the signal stays pending,
//! and takes its usual effect when it is unblocked, after all that the run has made is gone. (A
//! handler would be inherited by the children, and would report the signals *they* get.)

use core::mem::MaybeUninit;
use core::ptr;
use std::os::fd::{AsFd, BorrowedFd};

use anyhow::Result;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// What asks for an end.
const REQUESTS: [Signal; 3] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];

/// While it lives, requests to end are held back, and can be seen.
#[derive(Debug)]
pub(crate) struct HeldSignals {
    pending: SignalFd,
    before: SigSet,
}

impl HeldSignals {
    pub(crate) fn new() -> Result<Self> {
        let before = SigSet::thread_get_mask()?;
        // Who was told to ignore some (`nohup`) goes on to do so.
        let heeded = |signal: &Signal| !before.contains(*signal) && !is_ignored(*signal);
        let held: SigSet = REQUESTS.into_iter().filter(heeded).collect();
        let pending = SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC)?;
        held.thread_block()?;
        Ok(Self { pending, before })
    }

    /// In a child: lets signals be as they were.
    pub(crate) fn release(&self) -> Result<()> {
        Ok(self.before.thread_set_mask()?)
    }
}

/// Readable when a request to end has come.
impl AsFd for HeldSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pending.as_fd()
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        // If one is pending, this does not return.
        let _cannot_fail = self.before.thread_set_mask();
    }
}

/// Whether this process was started to ignore a signal.
fn is_ignored(signal: Signal) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: no new action is given, and there is room for the present one.
    let told = unsafe { libc::sigaction(signal as i32, ptr::null(), action.as_mut_ptr()) };
    // SAFETY: told, it is filled in.
    told == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}

/// Has the kernel keep what becomes of children until they are waited for.
///
/// It does not if `SIGCHLD` is ignored, which a process can inherit from who started it.
pub(crate) fn have_children_reported() -> Result<()> {
    // SAFETY: the default action runs no code of this process; no handler is replaced that another
    // part of the program relies on, as it has just been started.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    Ok(())
}
