//! `sysv-mq`: a System V message queue, into which every child sends its part under a type of its
//! own.
//!
//! The queue is an identifier, which the children know as they know any number; no descriptor is
//! inherited, and none can be watched. So the parent looks when a child has ended: what it has sent
//! is there by then. Whoever finds the queue full waits until the parent has taken something, which
//! it does as soon as one of those ends whose parts are in it.
//!
//! # What is left behind
//!
//! Nothing but removing ends a queue, and removing it ends it for all at once: it cannot be done
//! while children send. So the parent removes it at the end, also after an error or a signal; but a
//! `SIGKILL` of the driver leaves it. The next run heals that: the key tells who made the queue,
//! and those whose maker has gone are removed first.

use core::ffi::c_long;
use std::fs;

use anyhow::{Context as _, Result};
use rawipc::Errno;
use rawipc::process::{self, Pid};
use rawipc::sysv::msg::{HEADER, Which};
use rawipc::sysv::{Key, Mode, MsgQueue};
use zerocopy::IntoBytes as _;

use super::{Collect, Deliver, Ends, Occasion};
use crate::part::{Part, Parts};
use crate::sum::{Job, Work};

pub(super) fn open(_: Job) -> Result<Ends> {
    remove_what_is_left();
    let queue = MsgQueue::create_new(key_of(process::id()), Mode::RUSR | Mode::WUSR)?;
    Ok((Box::new(ToQueue(queue)), Box::new(FromQueue(queue))))
}

/// A pid has at most 22 bits. Those above say that the queue is one of ours.
const PID: i32 = (1 << 22) - 1;
const OURS: i32 = 0x0c5 << 22;

fn key_of(maker: Pid) -> Key {
    Key::from_raw(OURS | maker.as_raw_nonzero().get())
}

/// Removes the queues of drivers that are no more, as far as they may be removed.
fn remove_what_is_left() {
    // One line for each queue, its key first. Without /proc, nothing is found.
    let queues = fs::read_to_string("/proc/sysvipc/msg").unwrap_or_default();
    let keys = queues.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
    for key in keys.filter(|key: &i32| key & !PID == OURS) {
        let maker = Pid::from_raw(key & PID);
        // A driver has one queue at a time: one of our own pid is a namesake's.
        let is_left = |maker| {
            maker == process::id() || rustix::process::test_kill_process(maker) == Err(Errno::SRCH)
        };
        if maker.is_none_or(is_left) {
            let _anothers_or_gone = MsgQueue::open(Key::from_raw(key)).and_then(MsgQueue::remove);
        }
    }
}

struct ToQueue(MsgQueue);

impl Deliver for ToQueue {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        // Types start at one.
        let kind = c_long::from(work.rank) + 1;
        Ok(self.0.send(kind, work.part().as_bytes())?)
    }
}

struct FromQueue(MsgQueue);

impl Collect for FromQueue {
    fn collect(&mut self, _: Occasion, parts: &mut Parts) -> Result<()> {
        loop {
            match self.0.try_receive(&mut [0; HEADER + Part::SIZE], Which::any()) {
                Ok(message) => parts.add(message.text)?,
                Err(Errno::NOMSG) => return Ok(()),
                Err(errno) => return Err(errno).context("the queue"),
            }
        }
    }
}

impl Drop for FromQueue {
    fn drop(&mut self) {
        let _removed_by_others = self.0.remove();
    }
}
