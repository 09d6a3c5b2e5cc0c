//! Stepping through a call in another process, instruction by instruction.
//!
//! Performance counters would be faster, but virtual machines often have none. This needs nothing
//! but ptrace.

use std::env::set_current_dir;

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::Call;
use crate::helper::Helper;

/// How often each call is made. The least counts: the first time sets up what is set up once, and
/// reading a clock starts over when the kernel has moved it meanwhile.
const TIMES: usize = 4;

/// How many instructions each of the calls takes.
pub(super) fn through(calls: fn() -> [Call; 2]) -> Result<[u64; 2], Errno> {
    let scratch = tempfile::tempdir().expect("a directory for what the calls create");
    let stepped = Helper::start(|| {
        set_current_dir(&scratch).expect("the directory");
        be_stepped_through(calls);
    });
    let pid = Pid::from_raw(stepped.id().as_raw_nonzero().get());
    let mut counts = [u64::MAX; 3];
    for count in &mut counts {
        for _ in 0..TIMES {
            wait_for_stop(pid)?;
            *count = step_to_stop(pid)?.min(*count);
            ptrace::cont(pid, None)?;
        }
    }
    // It ends by itself, so that it drops what it has.
    while let Some(signal) = stopped_by(pid)? {
        ptrace::cont(pid, signal)?;
    }
    let [nothing, by_hand, ours] = counts;
    Ok([by_hand - nothing, ours - nothing])
}

/// In the other process: stops before and after each call. The first of three does nothing, to see
/// what the stops themselves take.
fn be_stepped_through(calls: fn() -> [Call; 2]) {
    ptrace::traceme().expect("a parent that wants to trace");
    let [by_hand, ours] = calls();
    for mut call in [Call::new(|| {}), by_hand, ours] {
        for _ in 0..TIMES {
            (call.before)();
            stop();
            (call.call)();
            stop();
        }
    }
}

#[inline(never)]
fn stop() {
    raise(Signal::SIGSTOP).expect("a signal to oneself");
}

/// Waits for it to stop itself.
fn wait_for_stop(pid: Pid) -> Result<(), Errno> {
    loop {
        match stopped_by(pid)? {
            Some(Signal::SIGSTOP) => return Ok(()),
            // Any other is meant for it.
            Some(signal) => ptrace::cont(pid, signal)?,
            None => return Err(Errno::ECHILD),
        }
    }
}

/// Steps until it stops itself; how many instructions that took.
fn step_to_stop(pid: Pid) -> Result<u64, Errno> {
    let mut count = 0;
    let mut before = core::ptr::null_mut();
    let mut signal = None;
    loop {
        ptrace::step(pid, signal)?;
        signal = match stopped_by(pid)? {
            Some(Signal::SIGSTOP) => return Ok(count),
            Some(Signal::SIGTRAP) => {
                let told = ptrace::getsiginfo(pid)?;
                // SAFETY: a trap tells where, which is what the kernel fills this part with.
                let at = unsafe { told.si_addr() };
                // An instruction that repeats itself (rep movs) traps each time.
                count += u64::from(at != before);
                before = at;
                None
            }
            Some(signal) => Some(signal),
            None => return Err(Errno::ECHILD),
        };
    }
}

/// Which signal has stopped it; none if it has ended.
fn stopped_by(pid: Pid) -> Result<Option<Signal>, Errno> {
    match waitpid(pid, None)? {
        WaitStatus::Stopped(_, signal) => Ok(Some(signal)),
        _ => Ok(None),
    }
}
