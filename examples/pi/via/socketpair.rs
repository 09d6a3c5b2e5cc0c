//! `socketpair`: one pair of connected sockets, of which all children share one end.
//!
//! `SOCK_SEQPACKET` keeps messages apart: one receive takes one message, however many have been
//! sent meanwhile and however long they are. What a pipe gives to those who know the size of what
//! they read, this gives to all.
//!
//! The other direction is there too, and stays unused here: nobody answers.

use std::os::fd::{AsFd as _, BorrowedFd};

use anyhow::Result;
use rawipc::Errno;
use rawipc::socket::SeqPacket;
use zerocopy::IntoBytes as _;

use super::{Collect, Deliver, Ends, Occasion};
use crate::part::{Part, Parts};
use crate::sum::{Job, Work};

pub(super) fn open(_: Job) -> Result<Ends> {
    let (parents, childrens) = SeqPacket::pair()?;
    Ok((Box::new(ToParent(childrens)), Box::new(FromChildren(parents))))
}

struct ToParent(SeqPacket);

impl Deliver for ToParent {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        Ok(self.0.send(work.part().as_bytes())?)
    }
}

struct FromChildren(SeqPacket);

impl Collect for FromChildren {
    fn readable(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }

    fn collect(&mut self, _: Occasion, parts: &mut Parts) -> Result<()> {
        let mut buffer = [0; Part::SIZE];
        loop {
            match self.0.try_receive(&mut buffer) {
                Err(Errno::AGAIN) => return Ok(()),
                // Whoever sends something longer finds out here, not by a part that is cut short.
                received => match received?.whole()? {
                    // Every child has closed its end.
                    [] => return Ok(()),
                    part => parts.add(part)?,
                },
            }
        }
    }
}
