//! `pipe`: one pipe, into which all children write.
//!
//! A child inherits the pipe over fork, and needs nothing but its own `write`. That the parts of
//! many writers do not mix is a promise of the kernel's: a write of at most `PIPE_BUF` (4096) bytes
//! goes in as a whole, or waits until there is room for the whole.
//!
//! A pipe knows no boundaries between writes. But the parts are all of one size, so that what
//! begins where one ended is the next: a read of that size takes exactly one.
//!
//! The pipe ends when the last copy of its writer is closed. Therefore the parent closes its own
//! once it has forked the children; who keeps one waits for himself.

use std::os::fd::{AsFd as _, BorrowedFd};

use anyhow::Result;
use rawipc::Errno;
use rawipc::pipe::{PIPE_BUF, Pipe, Reader, Writer};
use zerocopy::IntoBytes as _;

use super::{Collect, Deliver, Ends, Occasion};
use crate::part::{Part, Parts};
use crate::sum::{Job, Work};

const _A_PART_IS_WRITTEN_AS_A_WHOLE: () = assert!(Part::SIZE <= PIPE_BUF);

pub(super) fn open(_: Job) -> Result<Ends> {
    let Pipe { reader, writer } = Pipe::new()?;
    // The parent has other things to watch, so its reads do not wait; the children's writes do.
    reader.set_nonblocking(true)?;
    Ok((Box::new(ToPipe(writer)), Box::new(FromPipe(reader))))
}

struct ToPipe(Writer);

impl Deliver for ToPipe {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        Ok(self.0.write_all(work.part().as_bytes())?)
    }
}

struct FromPipe(Reader);

impl Collect for FromPipe {
    fn readable(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }

    fn collect(&mut self, _: Occasion, parts: &mut Parts) -> Result<()> {
        loop {
            match self.0.read(&mut [0; Part::SIZE]) {
                Ok([]) | Err(Errno::AGAIN) => return Ok(()),
                Ok(part) => parts.add(part)?,
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}
