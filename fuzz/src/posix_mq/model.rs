//! What a queue should do.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use arbitrary::Arbitrary;
use rawipc::posix::mq::PRIORITIES;
use rawipc::{Errno, Result};

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Both,
    Receiving,
    Sending,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Form {
    Blocking,
    Try,
    /// With a deadline that is over.
    Until,
}

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) max_messages: usize,
    pub(super) message_size: usize,
    /// In the order in which they are to come out.
    pub(super) messages: RefCell<Vec<(u32, Vec<u8>)>>,
    /// Whether this process is to be told of the next message.
    pub(super) registered: Cell<bool>,
}

impl Queue {
    pub(super) fn new(max_messages: usize, message_size: usize) -> Rc<Self> {
        let messages = RefCell::default();
        Rc::new(Self { max_messages, message_size, messages, registered: Cell::new(false) })
    }
}

/// An open description, which the clones of a descriptor share.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) queue: Rc<Queue>,
    pub(super) access: Access,
    pub(super) nonblocking: Cell<bool>,
}

/// When there is an answer.
pub(super) enum Answer<T> {
    Now(Result<T>),
    /// It would sleep, for ever.
    Never,
}

impl Description {
    pub(super) fn send(&self, form: Form, bytes: &[u8], priority: u32) -> Answer<()> {
        let mut messages = self.queue.messages.borrow_mut();
        if priority >= PRIORITIES {
            return Answer::Now(Err(Errno::INVAL));
        }
        if self.access == Access::Receiving {
            return Answer::Now(Err(Errno::BADF));
        }
        if bytes.len() > self.queue.message_size {
            return Answer::Now(Err(Errno::MSGSIZE));
        }
        if messages.len() == self.queue.max_messages {
            return self.no_way(form);
        }
        if messages.is_empty() {
            self.queue.registered.set(false);
        }
        let place = messages.iter().position(|&(other, _)| other < priority);
        let place = place.unwrap_or(messages.len());
        messages.insert(place, (priority, bytes.to_vec()));
        Answer::Now(Ok(()))
    }

    pub(super) fn receive(&self, form: Form, room: usize) -> Answer<(u32, Vec<u8>)> {
        let mut messages = self.queue.messages.borrow_mut();
        if self.access == Access::Sending {
            return Answer::Now(Err(Errno::BADF));
        }
        if room < self.queue.message_size {
            return Answer::Now(Err(Errno::MSGSIZE));
        }
        if messages.is_empty() {
            return self.no_way(form);
        }
        Answer::Now(Ok(messages.remove(0)))
    }

    /// What is said where it would have to sleep.
    fn no_way<T>(&self, form: Form) -> Answer<T> {
        match form {
            Form::Blocking if !self.nonblocking.get() => Answer::Never,
            Form::Blocking | Form::Try => Answer::Now(Err(Errno::AGAIN)),
            Form::Until => Answer::Now(Err(Errno::TIMEDOUT)),
        }
    }
}
