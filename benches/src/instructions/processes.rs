//! Processes, and the clock.

use rawipc::Deadline;
use rawipc::process::{self, Signal};

use super::{Call, Wrapper};
use crate::by_hand;
use crate::helper::Helper;

pub(super) const WRAPPERS: &[Wrapper] = &[
    Wrapper { name: "process::id", calls: id },
    Wrapper { name: "process::spawn and wait", calls: spawn_and_wait },
    Wrapper { name: "Child::try_wait, still running", calls: try_wait },
    Wrapper { name: "Child::kill", calls: kill },
    Wrapper { name: "Deadline::now, by the system call", calls: now },
];

fn id() -> [Call; 2] {
    [Call::new(by_hand::id), Call::new(process::id)]
}

/// The same steps: a pidfd before the fork, so that there is room, and one of the child.
fn spawn_and_wait() -> [Call; 2] {
    [
        Call::new(|| {
            let place = by_hand::pidfd_open(by_hand::id()).unwrap();
            // SAFETY: the child only exits.
            let child = unsafe { by_hand::fork() }.unwrap();
            drop(place);
            if child == 0 {
                by_hand::exit(0);
            }
            let pidfd = by_hand::pidfd_open(child).unwrap();
            by_hand::reap(&pidfd, 0).unwrap()
        }),
        // SAFETY: the child only exits.
        Call::new(|| unsafe { process::spawn(|| 0) }.unwrap().wait().unwrap()),
    ]
}

fn sleeper() -> Helper {
    Helper::start(|| {
        loop {
            std::thread::park();
        }
    })
}

fn try_wait() -> [Call; 2] {
    let (by_hand, mut ours) = (sleeper(), sleeper());
    [
        Call::new(move || by_hand::reap(&*by_hand, libc::WNOHANG).unwrap()),
        Call::new(move || ours.try_wait().unwrap()),
    ]
}

/// With a signal that does nothing to a process that runs.
fn kill() -> [Call; 2] {
    let (by_hand, ours) = (sleeper(), sleeper());
    [
        Call::new(move || by_hand::kill(&*by_hand, libc::SIGCONT).unwrap()),
        Call::new(move || ours.kill(Signal::CONT).unwrap()),
    ]
}

/// Not by the vDSO, which the crate does not look for: see the `calls`.
fn now() -> [Call; 2] {
    [Call::new(|| by_hand::now_by_system_call().unwrap()), Call::new(Deadline::now)]
}
