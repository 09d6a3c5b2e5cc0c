//! What it takes to know when to give up, where there is no need to.
//!
//! `rawipc` reads the clock by a system call, as it may be called where the vDSO may not be looked
//! for. The attempt comes first: what can be done at once needs neither the time nor poll.

use core::time::Duration;
use std::time::Instant;

use rawipc::Deadline;
use rawipc::pipe::Pipe;

use crate::by_hand;
use crate::harness::{Contender, Group};

pub(super) const GROUPS: &[Group] = &[
    Group { name: "clock: the time now", contenders: now },
    Group { name: "pipe: write 8 B and read by a deadline", contenders: write_and_read },
];

fn now() -> Vec<Contender> {
    vec![
        Contender::new("libc", || by_hand::now().unwrap()),
        Contender::new("libc, by the system call", || by_hand::now_by_system_call().unwrap()),
        Contender::new("rawipc, Deadline::now", Deadline::now),
        Contender::new("std, Instant::now", Instant::now),
    ]
}

fn write_and_read() -> Vec<Contender> {
    const SECOND: Duration = Duration::from_secs(1);
    let bytes = [7; 8];
    let mut buffer = [0; 8];

    let (reader, writer) = by_hand::pipe(0).unwrap();
    let poll = move || {
        by_hand::write(&writer, &bytes).unwrap();
        assert!(by_hand::poll(&reader, libc::POLLIN, 1000).unwrap());
        by_hand::read(&reader, &mut buffer).unwrap()
    };

    let Pipe { reader, writer } = Pipe::new().unwrap();
    let a_second = move || {
        writer.write(&bytes).unwrap();
        reader.read_until(&mut buffer, Deadline::after(SECOND)).unwrap().len()
    };

    let Pipe { reader, writer } = Pipe::new().unwrap();
    let far = Deadline::after(Duration::from_secs(3600));
    let one_deadline = move || {
        writer.write(&bytes).unwrap();
        reader.read_until(&mut buffer, far).unwrap().len()
    };

    vec![
        Contender::new("libc, poll for a second and read", poll),
        Contender::new("rawipc, read_until in a second", a_second),
        Contender::new("rawipc, read_until, one deadline for all", one_deadline),
    ]
}
