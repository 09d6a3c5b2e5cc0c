//! A child that does nothing, from fork to its end.

use nix::sys::wait::waitpid;
use nix::unistd::ForkResult;

use crate::by_hand;
use crate::harness::{Contender, Group};

pub(super) const GROUPS: &[Group] =
    &[Group { name: "process: start a child that exits, and wait", contenders }];

fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("libc", libc),
        Contender::new("libc, with a pidfd", libc_with_pidfd),
        Contender::new("rawipc", rawipc),
        Contender::new("nix", nix),
    ]
}

fn libc() -> i32 {
    // SAFETY: the child only exits.
    let child = unsafe { by_hand::fork() }.unwrap();
    if child == 0 {
        by_hand::exit(0);
    }
    by_hand::wait(child).unwrap()
}

fn libc_with_pidfd() -> i32 {
    // SAFETY: the child only exits.
    let child = unsafe { by_hand::fork() }.unwrap();
    if child == 0 {
        by_hand::exit(0);
    }
    let _pidfd = by_hand::pidfd_open(child).unwrap();
    by_hand::wait(child).unwrap()
}

fn rawipc() -> rawipc::process::ExitStatus {
    // SAFETY: the child only exits.
    unsafe { rawipc::process::spawn(|| 0) }.unwrap().wait().unwrap()
}

fn nix() -> nix::sys::wait::WaitStatus {
    // SAFETY: the child only exits.
    match unsafe { nix::unistd::fork() }.unwrap() {
        ForkResult::Child => by_hand::exit(0),
        ForkResult::Parent { child } => waitpid(child, None).unwrap(),
    }
}
