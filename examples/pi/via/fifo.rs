//! `fifo`: a pipe with a path, at which every child opens it.
//!
//! Of all that they inherit, the children use only the knowledge of a path: processes that have
//! nothing else in common could do the same. Opened, it is a pipe, and all that `pipe` says holds.
//!
//! To open a FIFO waits until the other side is open too. The parent comes first, and so opens it
//! for reading without waiting; the children, who come later, never have to.
//!
//! The FIFO would be at its end each time when nobody happens to have it open for writing. As
//! servers do, the parent therefore holds a writer of its own, and counts.
//!
//! # What is left behind
//!
//! The path is needed only until the last child is in. Each child opens it before it computes and
//! says so with a first record; when all have, the parent removes the path. If the parent ends in
//! between, by an error or a signal, it removes the path as well. What remains is a `SIGKILL` in
//! these first milliseconds: then an empty FIFO, `rawipc-pi-…`, stays in the directory for
//! temporary files. The kernel has no FIFO without a name that can still be opened by path, as
//! `O_TMPFILE` is for files.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rawipc::Errno;
use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::{Reader, Writer};
use tempfile::TempPath;
use zerocopy::IntoBytes as _;

use super::{Collect, Deliver, Ends, Occasion};
use crate::part::{Part, Parts};
use crate::sum::{Job, Work};

/// "I have opened it": as long as a part, and none.
const HERE: [u8; Part::SIZE] = [0xff; Part::SIZE];

pub(super) fn open(job: Job) -> Result<Ends> {
    let create = |path: &Path| Ok(at(path).create(Mode::RUSR | Mode::WUSR)?);
    // Tries names until one is free, and unlinks it when dropped.
    let fifo = tempfile::Builder::new().prefix("rawipc-pi-").make(create);
    let path = fifo.context("cannot create a FIFO")?.into_temp_path();
    let reader = at(&path).try_open_reader()?;
    reader.set_nonblocking(true)?;
    let writer = at(&path).open_writer()?;

    let children = ToFifo { path: path.to_path_buf() };
    let parent = FromFifo { reader, _writer: writer, path: Some(path), outside: job.processes };
    Ok((Box::new(children), Box::new(parent)))
}

fn at(path: &Path) -> Fifo<'static, &[u8]> {
    Fifo::new(path.as_os_str().as_bytes())
}

struct ToFifo {
    path: PathBuf,
}

impl Deliver for ToFifo {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        let writer = at(&self.path).open_writer()?;
        writer.write_all(&HERE)?;
        Ok(writer.write_all(work.part().as_bytes())?)
    }
}

struct FromFifo {
    reader: Reader,
    _writer: Writer,
    path: Option<TempPath>,
    /// How many children have not opened it yet.
    outside: u32,
}

impl FromFifo {
    fn one_is_in(&mut self) -> io::Result<()> {
        self.outside = self.outside.saturating_sub(1);
        match self.path.take_if(|_| self.outside == 0) {
            Some(path) => path.close(),
            None => Ok(()),
        }
    }
}

impl Collect for FromFifo {
    fn readable(&self) -> Option<BorrowedFd<'_>> {
        Some(self.reader.as_fd())
    }

    fn collect(&mut self, _: Occasion, parts: &mut Parts) -> Result<()> {
        loop {
            match self.reader.read(&mut [0; Part::SIZE]) {
                Err(Errno::AGAIN) => return Ok(()),
                Ok(record) if record == HERE => self.one_is_in()?,
                Ok(part) => parts.add(part)?,
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}
