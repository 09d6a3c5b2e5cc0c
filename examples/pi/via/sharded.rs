//! `sharded`: a sum for each child in shared memory, on a cache line of its own.
//!
//! Adding to it is a load and a store, as nobody else does. All that is left to share is the
//! memory; the parent adds up the sums by rank, so that the same processes give the same bits.

use std::rc::Rc;

use anyhow::{Context as _, Result};
use rawipc::shm::Shared;
use rawipc::sum::ShardedSum;

use super::board::Board;
use super::{Collect, Deliver, Ends};
use crate::part::{Parts, Total};
use crate::sum::{Job, Work};

type Boards = Shared<[Board<ShardedSum<1>>]>;

pub(super) fn open(job: Job) -> Result<Ends> {
    let boards = Rc::new(Boards::anonymous_slice(usize::try_from(job.processes)?)?);
    Ok((Box::new(ToShards(Rc::clone(&boards))), Box::new(FromShards(boards))))
}

struct ToShards(Rc<Boards>);

impl Deliver for ToShards {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        let board = self.0.get(usize::try_from(work.rank)?).context("no such child")?;
        let mut adder = board.sum.adder().context("taken by another")?;
        board.took(work.each_block(|block| adder.add(block)));
        Ok(())
    }
}

struct FromShards(Rc<Boards>);

impl Collect for FromShards {
    fn finish(&mut self, parts: &mut Parts) -> Result<()> {
        let sum = self.0.iter().map(|board| board.sum.sum()).sum();
        let nanoseconds = self.0.iter().map(Board::slowest).max().unwrap_or_default();
        parts.set_total(Total { sum, nanoseconds });
        Ok(())
    }
}
