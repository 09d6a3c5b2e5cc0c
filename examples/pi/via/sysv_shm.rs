//! `sysv-shm`: one sum in a System V segment, and a System V semaphore that says whose turn it is.
//!
//! Both are private, so that nobody finds them by a key. But unlike a descriptor, neither goes by
//! itself. The segment is removed as soon as it is attached: it stays for whoever has it, and for
//! the children, who inherit it. The set has to stay until the end; if the driver is killed, it
//! outlives it, and the next driver removes it.
//!
//! `SEM_UNDO` has the kernel give the turn back when a child dies in its turn: whoever waits gets
//! on, and the driver hears of the child's death from the child.

use std::rc::Rc;

use anyhow::Result;
use rawipc::shm::Bytes;
use rawipc::sysv::sem::Operation;
use rawipc::sysv::{Key, Mode, SemSet, Shm};

use super::{Collect, Deliver, Ends, sysv_keys};
use crate::part::{Parts, Total};
use crate::sum::{Job, Work};

/// The only semaphore of the set: one while it is nobody's turn.
const TURN: u16 = 0;

pub(super) fn open(_: Job) -> Result<Ends> {
    for key in sysv_keys::orphaned("sem") {
        let _anothers_or_gone = SemSet::open(key).and_then(SemSet::remove);
    }
    let mode = Mode::RUSR | Mode::WUSR;
    let segment = Shm::create_new(Key::PRIVATE, mode, size_of::<Total>())?;
    let total = segment.attach();
    segment.remove()?;
    let total = Rc::new(Bytes::new(total?));
    let turn = SemSet::create_new(sysv_keys::own(), mode, &[1])?;
    Ok((
        Box::new(ToSegment { total: Rc::clone(&total), turn }),
        Box::new(FromSegment { total, turn }),
    ))
}

struct ToSegment {
    total: Rc<Bytes>,
    turn: SemSet,
}

impl Deliver for ToSegment {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        let part = work.part();
        self.turn.operate(&[Operation::wait(TURN).undo()])?;
        let total: Total = self.total.read(0)?;
        self.total.write(0, total.with(part))?;
        Ok(self.turn.operate(&[Operation::post(TURN).undo()])?)
    }
}

struct FromSegment {
    total: Rc<Bytes>,
    turn: SemSet,
}

impl Collect for FromSegment {
    fn finish(&mut self, parts: &mut Parts) -> Result<()> {
        parts.set_total(self.total.read(0)?);
        Ok(())
    }
}

impl Drop for FromSegment {
    fn drop(&mut self) {
        let _removed_by_others = self.turn.remove();
    }
}
