//! The mechanisms by which parts go from the children to their parent: one file each.
//!
//! To add one, write its file, with an `open` that makes both ends, and add a line to [`ALL`].

mod atomic;
mod board;
mod exact;
mod fifo;
mod file;
mod mpmc;
mod mutex;
mod pipe;
mod posix_mq;
mod sharded;
#[cfg(target_pointer_width = "64")]
mod shm_sem;
mod socketpair;
mod spsc;
mod sysv_keys;
mod sysv_mq;
mod sysv_shm;

use std::os::fd::BorrowedFd;

use anyhow::Result;

use crate::part::Parts;
use crate::sum::{Job, Work};

/// Every mechanism, in the order in which they are run.
pub(crate) static ALL: &[Mechanism] = &[
    Mechanism { name: "file", open: file::open },
    Mechanism { name: "pipe", open: pipe::open },
    Mechanism { name: "fifo", open: fifo::open },
    Mechanism { name: "socketpair", open: socketpair::open },
    Mechanism { name: "posix-mq", open: posix_mq::open },
    Mechanism { name: "sysv-mq", open: sysv_mq::open },
    #[cfg(target_pointer_width = "64")]
    Mechanism { name: "shm-sem", open: shm_sem::open },
    Mechanism { name: "sysv-shm", open: sysv_shm::open },
    Mechanism { name: "mutex", open: mutex::open },
    Mechanism { name: "atomic", open: atomic::open },
    Mechanism { name: "sharded", open: sharded::open },
    Mechanism { name: "exact", open: exact::open },
    Mechanism { name: "spsc", open: spsc::open },
    Mechanism { name: "mpmc", open: mpmc::open },
];

/// A way for parts to go from many children to one parent.
#[derive(Clone, Copy)]
pub(crate) struct Mechanism {
    pub(crate) name: &'static str,
    /// Makes both ends, before anybody is forked.
    pub(crate) open: fn(Job) -> Result<Ends>,
}

/// The two sides: every child inherits the first, the parent keeps the second.
pub(crate) type Ends = (Box<dyn Deliver>, Box<dyn Collect>);

/// The children's side: forking gives a copy to each, and the parent drops its own.
///
/// Where it reaches into memory that the processes share, it does so in no way that has to be
/// exclusive: no `&mut`, no guard of a lock.
pub(crate) trait Deliver {
    /// In a child: computes its part and hands it over. May wait for the parent to make room.
    fn deliver(&self, work: &Work<'_>) -> Result<()>;
}

/// The parent's side. Dropping it removes all that the mechanism has put anywhere.
pub(crate) trait Collect {
    /// What becomes readable when a part has come, if the mechanism has such a thing.
    fn readable(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Takes what has come so far, without waiting for more. Where the children add their parts up
    /// themselves, there is nothing to take but that one has done so.
    fn collect(&mut self, occasion: Occasion, parts: &mut Parts) -> Result<()> {
        match occasion {
            Occasion::Ended(rank) => parts.expect_in_total(rank),
            Occasion::Readable => Ok(()),
        }
    }

    /// Takes what is complete only now that all children have ended well.
    fn finish(&mut self, _: &mut Parts) -> Result<()> {
        Ok(())
    }
}

/// Why the parent looks for parts just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// [`Collect::readable`] is so.
    Readable,
    /// The child of this rank has ended well: it has delivered its part.
    Ended(usize),
}
