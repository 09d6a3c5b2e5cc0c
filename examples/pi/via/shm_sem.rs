//! `shm-sem`: one sum in shared memory, and a named semaphore of POSIX that says whose turn it is.
//!
//! To add is to read, to compute and to write: who is interrupted in between by another loses what
//! that one has added. A semaphore with one token makes a turn of it. It is nobody's: a child that
//! is killed in its turn keeps the token, and the others wait. So the driver, who hears of the
//! death, ends them too.
//!
//! Strangers would open the memory by a name as well (`shm::Object`). These children inherit it
//! where it is mapped, as they do the semaphore.
//!
//! # What is left behind
//!
//! The memory never had a name. That of the semaphore is removed as soon as it is there; what is
//! mapped goes with the last process that has it mapped, however they end. A `SIGKILL` of the
//! driver just between those two calls leaves the name. As it is always the same, the next run
//! finds it taken, and removes it: nobody else needs it for longer.

use std::rc::Rc;

use anyhow::Result;
use rawipc::posix::{Mode, Semaphore};
use rawipc::shm::{Access, Bytes, Memfd};
use rawipc::{Errno, Name};

use super::{Collect, Deliver, Ends};
use crate::part::{Parts, Total};
use crate::sum::{Job, Work};

pub(super) fn open(_: Job) -> Result<Ends> {
    // All zeros, and so is the sum.
    let total = Bytes::map(Memfd::new(size_of::<Total>())?, Access::ReadWrite)?;
    let total = Rc::new(total);
    let turn = without_name(&Name::new(b"/rawipc-pi")?)?;
    Ok((Box::new(ToMemory { total: Rc::clone(&total), turn }), Box::new(FromMemory(total))))
}

/// A semaphore of one token that nobody can open any more.
fn without_name(name: &Name) -> Result<Semaphore, Errno> {
    loop {
        let created = Semaphore::create_new(name, Mode::RUSR | Mode::WUSR, 1);
        match Semaphore::unlink(name) {
            // Another run was faster to remove it, taking it for one that was left behind.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
        match created {
            Err(Errno::EXIST) => {}
            created => return created,
        }
    }
}

struct ToMemory {
    total: Rc<Bytes>,
    turn: Semaphore,
}

impl Deliver for ToMemory {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        let part = work.part();
        self.turn.wait();
        let total: Total = self.total.read(0)?;
        self.total.write(0, total.with(part))?;
        Ok(self.turn.post()?)
    }
}

struct FromMemory(Rc<Bytes>);

impl Collect for FromMemory {
    fn finish(&mut self, parts: &mut Parts) -> Result<()> {
        parts.set_total(self.0.read(0)?);
        Ok(())
    }
}
