//! `spsc`: a queue for each child in shared memory, into which only that child pushes, and from
//! which only the parent pops.
//!
//! With one at each end, nobody has to agree with anybody on who is next: the child writes its part
//! and then, beside it, one word that says so. Who is killed has written that word or has not, and
//! leaves nothing half-made.
//!
//! Each end is a role, which is taken before it is used and free again after that. There cannot be
//! a second producer by mistake: the role is taken.
//!
//! A lane holds the one part that comes, so that no child ever waits; nor does the parent, who
//! looks into a lane when its child has ended.

use std::rc::Rc;

use anyhow::{Context as _, Result};
use rawipc::queue::Spsc;
use rawipc::shm::Shared;
use zerocopy::IntoBytes as _;

use super::{Collect, Deliver, Ends, Occasion};
use crate::part::{Part, Parts};
use crate::sum::{Job, Work};

type Lanes = Shared<[Spsc<Part, 1>]>;

pub(super) fn open(job: Job) -> Result<Ends> {
    // All zeros, and so is an empty queue.
    let lanes = Rc::new(Lanes::anonymous_slice(usize::try_from(job.processes)?)?);
    Ok((Box::new(ToLanes(Rc::clone(&lanes))), Box::new(FromLanes(lanes))))
}

struct ToLanes(Rc<Lanes>);

impl Deliver for ToLanes {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        let lane = self.0.get(usize::try_from(work.rank)?).context("no such child")?;
        let mut producer = lane.producer().context("taken by another")?;
        Ok(producer.push(work.part())?)
    }
}

struct FromLanes(Rc<Lanes>);

impl Collect for FromLanes {
    fn collect(&mut self, occasion: Occasion, parts: &mut Parts) -> Result<()> {
        if let Occasion::Ended(rank) = occasion {
            let lane = self.0.get(rank).context("no such child")?;
            let part = lane.consumer().context("taken by another")?.try_pop()?;
            parts.add(part.as_bytes())?;
        }
        Ok(())
    }
}
