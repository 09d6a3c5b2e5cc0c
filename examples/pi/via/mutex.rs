//! `mutex`: one sum in shared memory, inside a lock.
//!
//! The memory is made before the first fork and has no name: the children inherit it where it is,
//! and it goes with the last of them. Each adds its part to the sum that it finds. The guard is
//! what lets it: there is no way to the sum without the lock, and none to forget to unlock.
//!
//! The parent looks only when all have ended well. Then the lock is free: a child that died while
//! it held it has not ended well.

use std::rc::Rc;

use anyhow::Result;
use rawipc::shm::Shared;
use rawipc::sync::Mutex;

use super::{Collect, Deliver, Ends};
use crate::part::{Parts, Total};
use crate::sum::{Job, Work};

pub(super) fn open(_: Job) -> Result<Ends> {
    let total = Rc::new(Shared::anonymous(Mutex::new(Total::default()))?);
    Ok((Box::new(ToMutex(Rc::clone(&total))), Box::new(FromMutex(total))))
}

struct ToMutex(Rc<Shared<Mutex<Total>>>);

impl Deliver for ToMutex {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        let part = work.part();
        let mut total = self.0.lock();
        *total = total.with(part);
        Ok(())
    }
}

struct FromMutex(Rc<Shared<Mutex<Total>>>);

impl Collect for FromMutex {
    fn finish(&mut self, parts: &mut Parts) -> Result<()> {
        parts.set_total(*self.0.lock());
        Ok(())
    }
}
