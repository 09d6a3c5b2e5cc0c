//! `file`: a file without a name, in which every child has a place of its own.
//!
//! Each child writes its part at an offset that follows from its rank. `pwrite` takes the offset as
//! an argument; `lseek` and `write` would not do, since all who inherited the file share one
//! current offset.
//!
//! A file says nothing about when it is ready. What is certain is that a child that has ended well
//! has written: so its place is read then and not before.
//!
//! The file never had a name (`O_TMPFILE`), and goes with the last descriptor, however the
//! processes end. (Where the file system has not got that, the name is gone before the first fork.)

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use anyhow::Result;
use zerocopy::IntoBytes as _;

use super::{Collect, Deliver, Ends, Occasion};
use crate::part::{Part, Parts};
use crate::sum::{Job, Work};

pub(super) fn open(_: Job) -> Result<Ends> {
    let file = tempfile::tempfile()?;
    Ok((Box::new(ToFile(file.try_clone()?)), Box::new(FromFile(file))))
}

fn place_of(rank: u64) -> u64 {
    rank * Part::SIZE as u64
}

struct ToFile(File);

impl Deliver for ToFile {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        let part = work.part();
        Ok(self.0.write_all_at(part.as_bytes(), place_of(part.rank))?)
    }
}

struct FromFile(File);

impl Collect for FromFile {
    fn collect(&mut self, occasion: Occasion, parts: &mut Parts) -> Result<()> {
        if let Occasion::Ended(rank) = occasion {
            let mut part = [0; Part::SIZE];
            self.0.read_exact_at(&mut part, place_of(rank as u64))?;
            parts.add(&part)?;
        }
        Ok(())
    }
}
