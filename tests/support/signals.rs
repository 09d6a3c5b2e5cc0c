//! Signals: that interrupt calls, and that are kept until the test asks for them.

use core::mem::{MaybeUninit, zeroed};
use core::ptr::null_mut;

use rawipc::process::{Pid, Signal};

use super::{child, join, sleeps_in};

/// Installs a handler, or one of the kernel's actions. A handler may only do what is
/// async-signal-safe, such as touch atomics.
pub(crate) fn handle(signal: Signal, handler: usize, flags: libc::c_int) {
    // SAFETY: an all-zero sigaction is a valid one: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: `action` is initialised, and its handler as the caller promises.
    let set = unsafe { libc::sigaction(signal.as_raw(), &raw const action, null_mut()) };
    assert_eq!(set, 0);
}

/// While it lives, a signal handler runs every few milliseconds: each call that sleeps is
/// interrupted.
pub(crate) struct Interruptions(());

impl Interruptions {
    /// Installed without `SA_RESTART`.
    pub(crate) fn start() -> Self {
        Self::with(0)
    }

    /// The kernel goes on with what it can.
    pub(crate) fn restarting() -> Self {
        Self::with(libc::SA_RESTART)
    }

    fn with(flags: libc::c_int) -> Self {
        extern "C" fn do_nothing(_signal: libc::c_int) {}
        handle(Signal::ALARM, do_nothing as extern "C" fn(libc::c_int) as usize, flags);
        Self::every(5000);
        Self(())
    }

    fn every(microseconds: libc::suseconds_t) {
        let interval = libc::timeval { tv_sec: 0, tv_usec: microseconds };
        let timer = libc::itimerval { it_interval: interval, it_value: interval };
        // SAFETY: `timer` is initialised; the old one is not asked for.
        let set = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, null_mut()) };
        assert_eq!(set, 0);
    }
}

impl Drop for Interruptions {
    fn drop(&mut self) {
        Self::every(0);
    }
}

/// Runs `task` in a child, sends it one signal, for which it has a handler, when it sleeps in
/// `call`, and waits for its end.
#[track_caller]
pub(crate) fn with_one_signal(call: libc::c_long, task: impl FnOnce()) {
    let child = child(|| {
        // The timer goes, the handler stays.
        drop(Interruptions::start());
        task();
    });
    sleeps_in(child.id(), call);
    child.kill(Signal::ALARM).expect("kill");
    join(child);
}

/// A signal that is kept from this process, and waits until it is asked for.
pub(crate) struct Blocked {
    signal: Signal,
    set: libc::sigset_t,
}

/// What came with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) value: usize,
    pub(crate) sender: i32,
}

impl Blocked {
    pub(crate) fn new(signal: Signal) -> Self {
        let mut set = MaybeUninit::uninit();
        // SAFETY: makes of `set` an empty set.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: `set` has just been initialised.
        let mut set = unsafe { set.assume_init() };
        // SAFETY: `set` is initialised.
        unsafe { libc::sigaddset(&raw mut set, signal.as_raw()) };
        // SAFETY: `set` is initialised; the old one is not asked for.
        unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, null_mut()) };
        Self { signal, set }
    }

    /// What came with the signal, if it has come.
    pub(crate) fn take(&self) -> Option<Told> {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: an all-zero siginfo is a valid one.
        let mut info: libc::siginfo_t = unsafe { zeroed() };
        // SAFETY: set and time are initialised, and `info` lives.
        let signal =
            unsafe { libc::sigtimedwait(&raw const self.set, &raw mut info, &raw const now) };
        if signal == -1 {
            return None;
        }
        assert_eq!(signal, self.signal.as_raw());
        // SAFETY: a signal of a message queue has a value; one that a process sends for nothing,
        // zeros.
        let value = unsafe { info.si_value() }.sival_ptr.addr();
        // SAFETY: likewise the sender.
        let sender = unsafe { info.si_pid() };
        Some(Told { code: info.si_code, value, sender })
    }
}

/// What a message from `sender` tells who has registered with `value`.
pub(crate) fn news(sender: Pid, value: usize) -> Told {
    Told { code: libc::SI_MESGQ, value, sender: sender.as_raw_nonzero().get() }
}
