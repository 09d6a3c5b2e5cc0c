//! What everything else is made of: to enter the kernel and come back.

use crate::harness::{Contender, Group};

pub(super) const GROUPS: &[Group] = &[Group { name: "system call: getppid", contenders: getppid }];

fn getppid() -> Vec<Contender> {
    vec![
        // SAFETY: takes nothing and cannot fail.
        Contender::new("libc", || unsafe { libc::getppid() }),
        Contender::new("rustix", rustix::process::getppid),
        Contender::new("nix", nix::unistd::getppid),
        Contender::new("std", std::os::unix::process::parent_id),
    ]
}
