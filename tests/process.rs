//! Processes, as their documentation promises them.

mod support;

use core::time::Duration;
use std::os::fd::AsFd as _;

use rawipc::pipe::Pipe;
use rawipc::process::{self, ExitStatus, Fork, Signal};
use rawipc::{Deadline, Errno};
use support::signals::Interruptions;
use support::users::is_root;
use support::{FewDescriptors, SOON, child, isolated, join, wait};

/// A child that sleeps until it is killed, or its parent is gone.
fn sleeper() -> process::Child {
    let Pipe { reader, writer } = Pipe::new().unwrap();
    child(move || {
        let _keeps_it_open = writer;
        let _ = reader.read(&mut [0]);
    })
}

#[test]
fn exit_code_arrives_whole() {
    isolated(|| {
        for code in [0, 1, 2, 100, 127, 128, 254, 255] {
            // SAFETY: the child only exits.
            let mut child = unsafe { process::spawn(|| code) }.unwrap();
            let status = wait(&mut child);
            assert_eq!(status, ExitStatus::Exited(code));
            assert_eq!(status.success(), code == 0);
            assert_eq!((status.code(), status.signal()), (Some(code), None));
        }
    });
}

#[test]
fn fork_goes_on_on_both_sides() {
    isolated(|| {
        let parent = process::id();
        // SAFETY: the child only compares and exits.
        match unsafe { process::fork() }.unwrap() {
            Fork::Child => process::exit(u8::from(process::id() == parent)),
            Fork::Parent(mut child) => {
                assert_ne!(child.id(), parent);
                assert!(wait(&mut child).success());
            }
        }
    });
}

#[test]
fn child_knows_its_parent_and_its_own_pid() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let parent = process::id();
        let child = child(|| {
            assert_eq!(rustix::process::getppid(), Some(parent));
            let pid = process::id().as_raw_nonzero().get();
            assert_eq!(pid.unsigned_abs(), std::process::id());
            writer.write_all(&pid.to_ne_bytes()).unwrap();
        });
        let mut pid = [0; 4];
        reader.read_all(&mut pid).unwrap();
        assert_eq!(i32::from_ne_bytes(pid), child.id().as_raw_nonzero().get());
        join(child);
    });
}

#[test]
fn task_is_dropped_in_the_parent_and_run_in_the_child() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let child = child(move || writer.write_all(b"ran").unwrap());
        // The end of file comes only because the parent's copy of the writer is closed.
        assert_eq!(reader.read_all(&mut [0; 16]).unwrap(), b"ran");
        join(child);
    });
}

#[test]
fn panic_ends_the_child_with_101_and_runs_nothing_of_the_parents() {
    struct Tattle(rawipc::pipe::Writer);
    impl Drop for Tattle {
        fn drop(&mut self) {
            self.0.write_all(b"x").unwrap();
        }
    }

    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let parents = Tattle(writer);
        // SAFETY: one thread; the child only panics.
        let mut child = unsafe { process::spawn(|| panic!("as the test wants it")) }.unwrap();
        assert_eq!(wait(&mut child), ExitStatus::Exited(101));
        drop(parents);
        assert_eq!(reader.read_all(&mut [0; 16]).unwrap(), b"x", "only the parent dropped it");
    });
}

#[test]
fn spawn_runs_no_exit_handler_of_the_parent() {
    extern "C" fn fail() {
        process::exit(99);
    }
    isolated(|| {
        let mut inner = child(|| {
            // SAFETY: registers a function that takes no argument and only exits.
            assert_eq!(unsafe { libc::atexit(fail) }, 0);
            let mut grandchild = child(|| {});
            assert_eq!(wait(&mut grandchild), ExitStatus::Exited(0));
        });
        assert_eq!(wait(&mut inner), ExitStatus::Exited(0));
    });
}

#[test]
fn wait_until_gives_up_on_a_child_that_never_ends() {
    isolated(|| {
        let mut child = sleeper();
        assert_eq!(child.try_wait(), Ok(None));
        let by = Deadline::after(Duration::from_millis(20));
        assert_eq!(child.wait_until(by), Err(Errno::TIMEDOUT));
        assert!(by.has_passed(), "not before the deadline");
        assert_eq!(child.wait_until(Deadline::now()), Err(Errno::TIMEDOUT));

        child.kill(Signal::KILL).unwrap();
        assert_eq!(wait(&mut child).signal(), Some(libc::SIGKILL));
    });
}

#[test]
fn deadline_that_never_passes_waits_for_the_end() {
    isolated(|| {
        let mut child = child(|| {});
        assert_eq!(child.wait_until(Deadline::after(Duration::MAX)), Ok(ExitStatus::Exited(0)));
    });
}

#[test]
fn status_is_told_again_after_the_child_is_reaped() {
    isolated(|| {
        let mut child = child(|| {});
        for _ in 0..3 {
            assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)));
            assert_eq!(child.try_wait(), Ok(Some(ExitStatus::Exited(0))));
            assert_eq!(child.wait_until(Deadline::now()), Ok(ExitStatus::Exited(0)));
        }
    });
}

#[test]
fn killed_child_says_by_which_signal() {
    isolated(|| {
        for signal in [Signal::TERM, Signal::KILL, Signal::USR1, Signal::PIPE] {
            let mut child = sleeper();
            // A signal that the runtime ignores is not ignored by default in a program of others;
            // here SIGPIPE is, and ends nobody.
            if signal == Signal::PIPE {
                child.kill(signal).unwrap();
                assert_eq!(
                    child.wait_until(Deadline::after(Duration::from_millis(20))),
                    Err(Errno::TIMEDOUT)
                );
                child.kill(Signal::KILL).unwrap();
                wait(&mut child);
                continue;
            }
            child.kill(signal).unwrap();
            let status = wait(&mut child);
            assert_eq!(status, ExitStatus::Killed { signal: signal.as_raw(), core_dumped: false });
            assert_eq!((status.code(), status.signal()), (None, Some(signal.as_raw())));
            assert_eq!(status.to_string(), format!("killed by signal {}", signal.as_raw()));
            assert!(!status.success() && !status.core_dumped());
        }
    });
}

#[test]
fn core_dump_is_told() {
    isolated(|| {
        let core = support::path("core");
        let mut child = child(|| {
            use rustix::process::{Resource, Rlimit, setrlimit};
            // Where the kernel is set to write cores into the working directory, let it.
            std::env::set_current_dir(core.parent().unwrap()).unwrap();
            setrlimit(Resource::Core, Rlimit { current: Some(1 << 26), maximum: Some(1 << 26) })
                .unwrap();
            rustix::process::kill_process(process::id(), Signal::QUIT).unwrap();
            unreachable!("SIGQUIT ends it");
        });
        let status = wait(&mut child);
        assert_eq!(status.signal(), Some(libc::SIGQUIT));
        let dumped = core_files(core.parent().unwrap());
        if !dumped.is_empty() {
            assert!(status.core_dumped(), "{dumped:?} was written");
        }
        let shown = status.to_string();
        assert_eq!(shown.ends_with("(core dumped)"), status.core_dumped(), "{shown}");
        for file in dumped {
            std::fs::remove_file(file).unwrap();
        }
    });
}

fn core_files(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn stopped_child_has_not_ended() {
    isolated(|| {
        let mut child = sleeper();
        child.kill(Signal::STOP).unwrap();
        assert_eq!(
            child.wait_until(Deadline::after(Duration::from_millis(20))),
            Err(Errno::TIMEDOUT)
        );
        child.kill(Signal::CONT).unwrap();
        child.kill(Signal::KILL).unwrap();
        assert_eq!(wait(&mut child).signal(), Some(libc::SIGKILL));
    });
}

#[test]
fn kill_finds_nobody_once_the_child_is_reaped() {
    isolated(|| {
        let mut child = child(|| {});
        wait(&mut child);
        assert_eq!(child.kill(Signal::KILL), Err(Errno::SRCH));
    });
}

#[test]
fn kill_is_refused_where_the_child_is_anothers() {
    isolated(|| {
        if !is_root("to have a child of another user") {
            return;
        }
        let mut victim = sleeper();
        // Privilege is given up where it does not have to be got back.
        let unprivileged = child(|| {
            // SAFETY: sets this process's user, as the test wants it.
            assert_eq!(unsafe { libc::setuid(65534) }, 0);
            assert_eq!(victim.kill(Signal::KILL), Err(Errno::PERM));
        });
        join(unprivileged);
        victim.kill(Signal::KILL).unwrap();
        wait(&mut victim);
    });
}

#[test]
fn child_reaped_by_others_is_no_child() {
    isolated(|| {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let mut child = child(|| {});
        waitid(WaitId::Pid(child.id()), WaitIdOptions::EXITED).unwrap().unwrap();
        assert_eq!(child.wait(), Err(Errno::CHILD));
        assert_eq!(child.try_wait(), Err(Errno::CHILD));
        assert_eq!(child.wait_until(Deadline::after(SOON)), Err(Errno::CHILD));
    });
}

#[test]
fn child_of_who_ignores_sigchld_is_reaped_by_the_kernel() {
    isolated(|| {
        // SAFETY: ignoring a signal installs no handler.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        let mut child = sleeper();
        child.kill(Signal::KILL).unwrap();
        assert_eq!(child.wait(), Err(Errno::CHILD));
    });
}

#[test]
fn wait_is_interrupted_by_a_signal_handler() {
    isolated(|| {
        let mut child = sleeper();
        let interruptions = Interruptions::start();
        assert_eq!(child.wait(), Err(Errno::INTR));
        assert_eq!(child.wait_until(Deadline::after(SOON)), Err(Errno::INTR));
        assert_eq!(child.wait_until(Deadline::NEVER), Err(Errno::INTR));
        drop(interruptions);
        child.kill(Signal::KILL).unwrap();
        wait(&mut child);
    });
}

#[test]
fn pidfd_becomes_readable_at_the_end() {
    isolated(|| {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut child = sleeper();
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let poll_now = |timeout| poll(&mut [PollFd::new(&child, PollFlags::IN)], timeout).unwrap();
        assert_eq!(poll_now(Some(&zero)), 0);
        child.kill(Signal::KILL).unwrap();
        assert_eq!(poll_now(None), 1);
        wait(&mut child);
    });
}

#[test]
fn pidfd_is_close_on_exec() {
    isolated(|| {
        let child = child(|| {});
        let flags = rustix::io::fcntl_getfd(child.as_fd()).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
        join(child);
    });
}

#[test]
fn dropped_child_goes_on_and_stays_a_zombie() {
    isolated(|| {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let child = child(move || writer.write_all(b"still here").unwrap());
        let pid = child.id();
        drop(child);
        assert_eq!(reader.read_all(&mut [0; 16]).unwrap(), b"still here");
        let status = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED).unwrap().unwrap();
        assert_eq!(status.exit_status(), Some(0));
    });
}

#[test]
fn no_child_is_left_where_there_is_no_descriptor_for_it() {
    isolated(|| {
        let few = FewDescriptors::no_more();
        // SAFETY: the child only exits.
        let refused = unsafe { process::spawn(|| 0) };
        drop(few);
        assert_eq!(refused.unwrap_err(), Errno::MFILE);
        // That no zombie stays either is checked by `isolated`.
    });
}

#[test]
fn fork_fails_at_the_limit_of_processes() {
    isolated(|| {
        if !is_root("to become a user without processes") {
            return;
        }
        join(child(|| {
            use rustix::process::{Resource, Rlimit, setrlimit};
            setrlimit(Resource::Nproc, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
            // Root is exempt from the limit.
            // SAFETY: sets this process's user, as the test wants it.
            assert_eq!(unsafe { libc::setuid(65534) }, 0);
            // SAFETY: the child would only exit.
            assert_eq!(unsafe { process::spawn(|| 0) }.unwrap_err(), Errno::AGAIN);
        }));
    });
}

#[test]
fn a_thousand_children_leave_nothing() {
    isolated(|| {
        for _ in 0..1000 {
            join(child(|| {}));
        }
    });
}

#[cfg(feature = "std")]
#[test]
fn status_converts_to_the_standard_librarys() {
    isolated(|| {
        use std::os::unix::process::ExitStatusExt as _;
        let std_status = std::process::ExitStatus::from(ExitStatus::Exited(3));
        assert_eq!((std_status.code(), std_status.signal()), (Some(3), None));
        let killed = ExitStatus::Killed { signal: 9, core_dumped: true };
        let std_status = std::process::ExitStatus::from(killed);
        assert_eq!((std_status.code(), std_status.signal()), (None, Some(9)));
        assert!(std_status.core_dumped());
    });
}
