//! Waiting for whichever of many descriptors is the first to have something to say.

use anyhow::Result;
use rawipc::Errno;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};

/// Descriptors, each with what it stands for.
///
/// An `epoll` has each registered once, and then costs nothing for those that are quiet, where
/// `poll` looks at all of them each time.
#[derive(Debug)]
pub(crate) struct Watch<T> {
    epoll: OwnedFd,
    what: Vec<T>,
}

impl<T: Copy> Watch<T> {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, what: Vec::new() })
    }

    /// Reports `what` each time when something new can be read from `fd`.
    ///
    /// What is there is to be taken all at once. That `fd` has come to its end is news too, but not
    /// over and over.
    pub(crate) fn add(&mut self, fd: impl AsFd, what: T) -> Result<()> {
        self.register(fd, EventFlags::ET, what)
    }

    /// Reports `what` when something can be read from `fd` for the first time, and then never
    /// again.
    pub(crate) fn add_once(&mut self, fd: impl AsFd, what: T) -> Result<()> {
        self.register(fd, EventFlags::ONESHOT, what)
    }

    fn register(&mut self, fd: impl AsFd, how_often: EventFlags, what: T) -> Result<()> {
        let data = EventData::new_u64(self.what.len().try_into()?);
        epoll::add(&self.epoll, fd, data, EventFlags::IN | how_often)?;
        self.what.push(what);
        Ok(())
    }

    /// Sleeps until something is readable, and says what.
    pub(crate) fn wait(&self) -> Result<Vec<T>> {
        let mut events: Vec<Event> = Vec::with_capacity(64);
        // A process that was stopped and goes on is interrupted, even without a signal handler.
        while let Err(error) = epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
            if error != Errno::INTR {
                return Err(error.into());
            }
        }
        let index = |event: Event| usize::try_from(event.data.u64()).ok();
        Ok(events.into_iter().filter_map(index).map(|index| self.what[index]).collect())
    }
}
