//! `mpmc`: one queue in shared memory, into which every child pushes.
//!
//! A child first takes the next slot, by compare-and-swap, and then writes its part there. So the
//! children come in some order, and the parent puts them in that of their ranks.
//!
//! A futex is no descriptor, and cannot be watched beside the others. So the parent looks when a
//! child has ended, and takes all that is there. The part of that child need not be among it:
//! another may have taken a slot before, and not have written yet. Then both parts come when that
//! one has ended, at the latest. If that one is killed instead, the queue stands still at its slot;
//! but the driver hears of the death from the child, and ends the others, who may wait for room.
//!
//! Whoever finds the queue full waits until the parent has taken something, which it does as soon
//! as one of those ends whose parts are in it.

use std::rc::Rc;

use anyhow::Result;
use rawipc::queue::Mpmc;
use rawipc::shm::Shared;
use zerocopy::IntoBytes as _;

use super::{Collect, Deliver, Ends, Occasion};
use crate::part::{Part, Parts};
use crate::sum::{Job, Work};

type Queue = Shared<Mpmc<Part, 16>>;

pub(super) fn open(_: Job) -> Result<Ends> {
    let queue: Rc<Queue> = Rc::new(Shared::anonymous(Mpmc::new())?);
    Ok((Box::new(ToQueue(Rc::clone(&queue))), Box::new(FromQueue(queue))))
}

struct ToQueue(Rc<Queue>);

impl Deliver for ToQueue {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        Ok(self.0.push(work.part())?)
    }
}

struct FromQueue(Rc<Queue>);

impl Collect for FromQueue {
    fn collect(&mut self, _: Occasion, parts: &mut Parts) -> Result<()> {
        self.0.drain().try_for_each(|part| parts.add(part.as_bytes()))
    }
}
