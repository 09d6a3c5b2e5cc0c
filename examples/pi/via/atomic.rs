//! `atomic`: one sum in shared memory, to which everybody adds without any lock.
//!
//! Each child adds the sum of each of its blocks, by compare-and-swap: if another was faster, it
//! adds to what that one has left. Nobody ever waits, so none that dies can be in the way of
//! others.

use core::sync::atomic::Ordering::Relaxed;
use std::rc::Rc;

use anyhow::Result;
use rawipc::shm::Shared;
use rawipc::sum::AtomicF64;

use super::board::Board;
use super::{Collect, Deliver, Ends};
use crate::part::{Parts, Total};
use crate::sum::{Job, Work};

pub(super) fn open(_: Job) -> Result<Ends> {
    let board = Rc::new(Shared::anonymous(Board::new(AtomicF64::new(0.0)))?);
    Ok((Box::new(ToAtomic(Rc::clone(&board))), Box::new(FromAtomic(board))))
}

struct ToAtomic(Rc<Shared<Board<AtomicF64>>>);

impl Deliver for ToAtomic {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        // Relaxed: the parent looks when this process has ended, and so has done all of it.
        let add = |block| {
            self.0.sum.fetch_add(block, Relaxed);
        };
        self.0.took(work.each_block(add));
        Ok(())
    }
}

struct FromAtomic(Rc<Shared<Board<AtomicF64>>>);

impl Collect for FromAtomic {
    fn finish(&mut self, parts: &mut Parts) -> Result<()> {
        let (sum, nanoseconds) = (self.0.sum.load(Relaxed), self.0.slowest());
        parts.set_total(Total { sum, nanoseconds });
        Ok(())
    }
}
