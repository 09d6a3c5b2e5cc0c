//! `posix-mq`: a POSIX message queue, into which every child sends its part as one message.
//!
//! A queue is opened by a name that any process may know. But on Linux it is a descriptor too,
//! which children inherit and `epoll` watches: the parent need not ask whether a message has come.
//!
//! The queue holds few messages (ten, as the system allows anybody), and more children than that:
//! who finds it full waits until the parent has made room.
//!
//! # What is left behind
//!
//! The name is removed as soon as the queue is open; the queue goes with its last descriptor,
//! however the processes end. A `SIGKILL` of the driver just between those two calls leaves the
//! name. As it is always the same, the next run finds it taken, and removes it: nobody else needs
//! it for longer.

use std::os::fd::{AsFd as _, BorrowedFd};

use anyhow::Result;
use rawipc::posix::mq::{Mode, Mq};
use rawipc::{Errno, Name};
use zerocopy::IntoBytes as _;

use super::{Collect, Deliver, Ends, Occasion};
use crate::part::{Part, Parts};
use crate::sum::{Job, Work};

/// How many messages anybody's queue may hold, unless the system is set otherwise.
const MESSAGES: usize = 10;

pub(super) fn open(_: Job) -> Result<Ends> {
    let queue = without_name(&Name::new(b"/rawipc-pi")?)?;
    Ok((Box::new(ToQueue(queue.try_clone()?)), Box::new(FromQueue(queue))))
}

/// A queue that nobody can open any more.
fn without_name(name: &Name) -> Result<Mq, Errno> {
    let options = Mq::options().max_messages(MESSAGES).message_size(Part::SIZE);
    loop {
        let created = options.create_new(name, Mode::RUSR | Mode::WUSR);
        match Mq::unlink(name) {
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

struct ToQueue(Mq);

impl Deliver for ToQueue {
    fn deliver(&self, work: &Work<'_>) -> Result<()> {
        Ok(self.0.send(work.part().as_bytes(), 0)?)
    }
}

struct FromQueue(Mq);

impl Collect for FromQueue {
    fn readable(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }

    fn collect(&mut self, _: Occasion, parts: &mut Parts) -> Result<()> {
        loop {
            match self.0.try_receive(&mut [0; Part::SIZE]) {
                Ok(message) => parts.add(message.bytes)?,
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}
