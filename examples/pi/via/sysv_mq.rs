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

use anyhow::{Context as _, Result};
use rawipc::Errno;
use rawipc::sysv::msg::{HEADER, Which};
use rawipc::sysv::{Mode, MsgQueue};
use zerocopy::IntoBytes as _;

use super::{Collect, Deliver, Ends, Occasion, sysv_keys};
use crate::part::{Part, Parts};
use crate::sum::{Job, Work};

pub(super) fn open(_: Job) -> Result<Ends> {
    for key in sysv_keys::orphaned("msg") {
        let _anothers_or_gone = MsgQueue::open(key).and_then(MsgQueue::remove);
    }
    let queue = MsgQueue::create_new(sysv_keys::own(), Mode::RUSR | Mode::WUSR)?;
    Ok((Box::new(ToQueue(queue)), Box::new(FromQueue(queue))))
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
