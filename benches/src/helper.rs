//! Processes that help with a measurement, and do not outlive it.
//!
//! A [`Helper`] is killed and reaped when it is dropped, also by a panic, and killed by the kernel
//! when its parent ends in any other way. Helpers of helpers fall to the [`Household`].

use core::ops::{Deref, DerefMut};

use rawipc::Errno;
use rawipc::process::{self, Child, Signal};
use rustix::process::{
    WaitId, WaitIdOptions, getpid, getppid, set_child_subreaper, set_parent_process_death_signal,
    waitid,
};

/// A child that runs until this is dropped, which kills and reaps it.
///
/// It dies with its parent too, however that ends.
#[derive(Debug)]
pub(crate) struct Helper(Child);

impl Helper {
    /// Starts a process that does nothing but `task`, which gets all that it has captured for
    /// itself.
    pub(crate) fn start(task: impl FnOnce()) -> Self {
        let parent = getpid();
        let task = move || {
            set_parent_process_death_signal(Some(Signal::KILL)).expect("SIGKILL is a signal");
            // The parent may have died before it was asked.
            if getppid() == Some(parent) {
                task();
            }
            0
        };
        // SAFETY: the benchmarks have one thread, so that the child may do as it likes (the test
        // below has more, and makes system calls only). What is owned twice now, other helpers say,
        // the child never drops: it exits.
        Self(unsafe { process::spawn(task) }.expect("fork"))
    }
}

impl Deref for Helper {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Helper {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Either fails only if the child has been reaped, which is what they are for.
        let _gone = self.0.kill(Signal::KILL);
        while self.0.wait() == Err(Errno::INTR) {}
    }
}

/// While it lives, this process inherits the children of its children; what is left of them when it
/// is dropped, it reaps.
#[derive(Debug)]
pub(crate) struct Household(());

impl Household {
    pub(crate) fn keep() -> Self {
        set_child_subreaper(Some(getpid())).expect("one may always reap");
        Self(())
    }
}

impl Drop for Household {
    fn drop(&mut self) {
        // Whoever is still there has lost its parent, and dies of it.
        while !matches!(waitid(WaitId::All, WaitIdOptions::EXITED), Err(Errno::CHILD)) {}
    }
}

/// Ends this process, loudly, unless it is called again within a minute: a partner that died may
/// leave this one waiting for ever.
pub(crate) fn watch() {
    // SAFETY: takes an integer. No handler is installed: the kernel ends the process.
    unsafe { libc::alarm(60) };
}

/// Held by tests that start processes, which have all files that are open meanwhile, such as the
/// end of a pipe that another test waits for to be closed.
#[cfg(test)]
pub(crate) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use core::panic::AssertUnwindSafe;
    use std::panic::catch_unwind;

    use rawipc::pipe::Pipe;

    use super::{Helper, alone};

    #[test]
    fn a_panic_leaves_no_helper_behind() {
        let _alone = alone();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let fails = AssertUnwindSafe(|| {
            let _helper = Helper::start(move || {
                writer.write(b"here").unwrap();
                loop {
                    std::thread::park();
                }
            });
            assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"here");
            panic!("something is wrong");
        });
        assert!(catch_unwind(fails).is_err());
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"", "its writer is closed");
    }
}
