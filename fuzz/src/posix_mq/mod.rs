//! A few POSIX message queues, opened, cloned, filled and emptied in every way that does not
//! sleep: all as the model has it, message by message and errno by errno.

mod model;
mod naming;

use std::rc::Rc;

use arbitrary::{Arbitrary, Unstructured};
use model::{Answer, Description, Form};
use naming::Naming;
use rawipc::posix::mq::{Mq, PRIORITIES};
use rawipc::process::Signal;
use rawipc::{Deadline, Errno};
use rustix::fd::{AsRawFd as _, OwnedFd};

use super::apart::apart;

/// No more descriptors than that at once.
const MOST: usize = 6;

/// What stands in a buffer before anything is received into it.
const UNTOUCHED: u8 = 0xA5;

#[derive(Arbitrary, Debug)]
enum Op {
    Open([Naming; 3]),
    Clone { of: u8 },
    Close { of: u8 },
    Send { by: u8, form: Form, length: u8, priority: u8 },
    Receive { by: u8, form: Form, room: u8 },
    SetNonblocking { of: u8, nonblocking: bool },
    Notify { by: u8 },
    CancelNotification { by: u8 },
    PassOn { of: u8 },
}

/// A descriptor, and what is known of it.
#[derive(Debug)]
struct Open {
    queue: Mq,
    description: Rc<Description>,
}

impl Drop for Open {
    /// Whoever closes any descriptor of a queue is no longer registered with it.
    fn drop(&mut self) {
        self.description.queue.registered.set(false);
    }
}

pub(super) fn run(data: &[u8]) {
    apart();
    let mut input = Unstructured::new(data);
    let Ok(first) = input.arbitrary::<[Naming; 3]>() else { return };
    let mut open = naming::try_all(&first);
    let mut stamp = 0_u8;
    while !input.is_empty() {
        let Ok(op) = input.arbitrary::<Op>() else { return };
        stamp = stamp.wrapping_add(1);
        try_one(&op, stamp, &mut open);
        open.truncate(MOST);
    }
}

fn try_one(op: &Op, stamp: u8, open: &mut Vec<Open>) {
    match *op {
        Op::Open(ref names) => open.extend(naming::try_all(names)),
        Op::Clone { of } => {
            let Some(at) = pick(open, of) else { return };
            let description = Rc::clone(&open[at].description);
            let queue = open[at].queue.try_clone().expect("a descriptor");
            assert_ne!(queue.as_raw_fd(), open[at].queue.as_raw_fd());
            open.push(Open { queue, description });
        }
        Op::Close { of } => {
            let Some(at) = pick(open, of) else { return };
            drop(open.remove(at));
        }
        Op::PassOn { of } => {
            let Some(at) = pick(open, of) else { return };
            let Open { queue, .. } = &mut open[at];
            let copy = queue.try_clone().expect("a descriptor");
            let before = core::mem::replace(queue, copy);
            // Back to what it was, but for the clone that is closed.
            drop(core::mem::replace(queue, Mq::from(OwnedFd::from(before))));
            open[at].description.queue.registered.set(false);
            open[at].check();
        }
        Op::Send { by, form, length, priority } => {
            let Some(at) = pick(open, by) else { return };
            open[at].send(form, length, priority, stamp);
            open[at].check();
        }
        Op::Receive { by, form, room } => {
            let Some(at) = pick(open, by) else { return };
            open[at].receive(form, room);
            open[at].check();
        }
        Op::SetNonblocking { of, nonblocking } => {
            let Some(at) = pick(open, of) else { return };
            assert_eq!(open[at].queue.set_nonblocking(nonblocking), Ok(()));
            open[at].description.nonblocking.set(nonblocking);
            open[at].check();
        }
        Op::Notify { by } => {
            let Some(at) = pick(open, by) else { return };
            let registered = &open[at].description.queue.registered;
            let expected = if registered.replace(true) { Err(Errno::BUSY) } else { Ok(()) };
            // A signal that nobody minds who has no handler for it.
            assert_eq!(open[at].queue.notify_by_signal(Signal::URG, stamp.into()), expected);
        }
        Op::CancelNotification { by } => {
            let Some(at) = pick(open, by) else { return };
            assert_eq!(open[at].queue.cancel_notification(), Ok(()));
            open[at].description.queue.registered.set(false);
        }
    }
}

/// One of them, if there is any.
fn pick(open: &[Open], which: u8) -> Option<usize> {
    usize::from(which).checked_rem(open.len())
}

impl Open {
    fn send(&self, form: Form, length: u8, priority: u8, stamp: u8) {
        let size = self.description.queue.message_size;
        let length = match length {
            255 => size + 1,
            254 => size,
            _ => usize::from(length) % (size + 1),
        };
        let priority = match priority {
            255 => u32::MAX,
            254 => PRIORITIES,
            253 => PRIORITIES - 1,
            _ => u32::from(priority % 8),
        };
        let bytes: Vec<u8> = (stamp..=u8::MAX).cycle().take(length).collect();
        let Answer::Now(expected) = self.description.send(form, &bytes, priority) else { return };
        let got = match form {
            Form::Blocking => self.queue.send(&bytes, priority),
            Form::Try => self.queue.try_send(&bytes, priority),
            Form::Until => self.queue.send_until(&bytes, priority, Deadline::now()),
        };
        assert_eq!(got, expected, "{form:?} of {length} bytes with {priority}: {self:?}");
    }

    fn receive(&self, form: Form, room: u8) {
        let size = self.description.queue.message_size;
        let room = match room {
            255 => 0,
            254 => size - 1,
            _ => size + usize::from(room % 4),
        };
        let Answer::Now(expected) = self.description.receive(form, room) else { return };
        let mut buffer = vec![UNTOUCHED; room];
        let got = match form {
            Form::Blocking => self.queue.receive(&mut buffer[..]),
            Form::Try => self.queue.try_receive(&mut buffer[..]),
            Form::Until => self.queue.receive_until(&mut buffer[..], Deadline::now()),
        };
        let got = got.map(|message| (message.priority, message.bytes.to_vec()));
        assert_eq!(got, expected, "{form:?} into {room} bytes: {self:?}");
        let length = got.map_or(0, |(_, bytes)| bytes.len());
        assert!(buffer[length..].iter().all(|&byte| byte == UNTOUCHED), "{self:?}");
    }

    fn check(&self) {
        let Description { queue, nonblocking, .. } = &*self.description;
        let is = self.queue.attributes().expect("a queue");
        assert_eq!(is.max_messages, queue.max_messages);
        assert_eq!(is.message_size, queue.message_size);
        assert_eq!(is.messages, queue.messages.borrow().len(), "{self:?}");
        assert_eq!(is.nonblocking, nonblocking.get(), "{self:?}");
    }
}
