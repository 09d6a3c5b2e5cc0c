//! Killing a process after so many instructions.

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use rawipc::process::Child;

use super::child;

/// A process that has come to the first instruction of what is of interest, and stands there.
pub(crate) struct Stepped {
    pid: Pid,
    /// Only to have it: it is reaped by its number, as whoever traces it has to.
    _child: Child,
}

impl Stepped {
    /// None, and says so, where processes may not be traced.
    pub(crate) fn start<T>(prepare: impl FnOnce() -> T, act: impl FnOnce(&mut T)) -> Option<Self> {
        let child = child(|| {
            if ptrace::traceme() == Err(Errno::EPERM) {
                return;
            }
            let mut prepared = prepare();
            raise(Signal::SIGSTOP).expect("a signal to oneself");
            act(&mut prepared);
            raise(Signal::SIGSTOP).expect("a signal to oneself");
            // Only those that are killed come here.
            core::mem::forget(prepared);
        });
        let pid = Pid::from_raw(child.id().as_raw_nonzero().get());
        match waitpid(pid, None).expect("its start") {
            WaitStatus::Stopped(_, Signal::SIGSTOP) => Some(Self { pid, _child: child }),
            other => {
                eprintln!("skipped: takes ptrace ({other:?})");
                None
            }
        }
    }

    /// As many instructions; false if it has done what is of interest before.
    pub(crate) fn steps(&self, count: usize) -> bool {
        (0..count).all(|_| self.step())
    }

    /// All that is left to do.
    pub(crate) fn finish(&self) {
        ptrace::cont(self.pid, None).expect("to go on");
        match waitpid(self.pid, None).expect("a stop") {
            WaitStatus::Stopped(_, Signal::SIGSTOP) => {}
            other => panic!("not stopped: {other:?}"),
        }
    }

    /// Whether its next instruction is that system call.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn is_about_to_call(&self, number: libc::c_long) -> bool {
        const SYSCALL: libc::c_long = 0x050f;
        let registers = ptrace::getregs(self.pid).expect("its registers");
        let next = core::ptr::without_provenance_mut(registers.rip.try_into().expect("an address"));
        let code = ptrace::read(self.pid, next).expect("its next instruction");
        code & 0xffff == SYSCALL && libc::c_long::try_from(registers.rax) == Ok(number)
    }

    /// One instruction; false if it has done what is of interest.
    pub(crate) fn step(&self) -> bool {
        ptrace::step(self.pid, None).expect("a step");
        match waitpid(self.pid, None).expect("a stop") {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => true,
            WaitStatus::Stopped(_, Signal::SIGSTOP) => false,
            other => panic!("neither stepped nor stopped: {other:?}"),
        }
    }
}

impl Drop for Stepped {
    /// `SIGKILL`, where it stands.
    fn drop(&mut self) {
        ptrace::kill(self.pid).expect("it is there");
        let end = waitpid(self.pid, None).expect("its end");
        assert!(matches!(end, WaitStatus::Signaled(_, Signal::SIGKILL, _)), "{end:?}");
    }
}
