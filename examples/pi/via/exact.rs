//! `exact`: a sum in shared memory that is not rounded before it is read.
//!
//! Rounding after each addition is what makes a sum depend on the order, and on who has added what.
//! Here each child adds the sums of its blocks to a lane of its own in full precision, and the
//! parent rounds the sum of all lanes, once. The blocks are the same for any number of processes:
//! so are the bits of the result.

use std::rc::Rc;

use anyhow::{Context as _, Result};
use rawipc::shm::Shared;
use rawipc::sum::ExactSum;

use super::board::Board;
use super::{Collect, Deliver, Ends};
use crate::part::{Parts, Total};
use crate::sum::{Job, Work};

type Boards = Shared<[Board<ExactSum<1>>]>;

pub(super) fn open(job: Job) -> Result<Ends> {
    let boards = Rc::new(Boards::anonymous_slice(usize::try_from(job.processes)?)?);
    Ok((Box::new(ToLanes(Rc::clone(&boards))), Box::new(FromLanes(boards))))
}

struct ToLanes(Rc<Boards>);

impl Deliver for ToLanes {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        let board = self.0.get(usize::try_from(work.rank)?).context("no such child")?;
        let mut adder = board.sum.adder().context("taken by another")?;
        board.took(work.each_block(|block| adder.add(block)));
        Ok(())
    }
}

struct FromLanes(Rc<Boards>);

impl Collect for FromLanes {
    fn finish(&mut self, parts: &mut Parts) -> Result<()> {
        let sum = ExactSum::total(self.0.iter().map(|board| &board.sum));
        let nanoseconds = self.0.iter().map(Board::slowest).max().unwrap_or_default();
        parts.set_total(Total { sum, nanoseconds });
        Ok(())
    }
}
