//! What is done with the name of a queue. At the end the name is gone, before anything is compared.

use core::cell::Cell;
use std::process;
use std::rc::Rc;
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use rawipc::posix::mq::{Limits, Mq, Options};
use rawipc::{Errno, Name, Result};

use super::super::apart::OWNER;
use super::Open;
use super::model::{Access, Description, Queue};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum How {
    CreateNew,
    Create,
    Open,
    Unlink,
}

/// One step.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Naming {
    how: How,
    access: Access,
    nonblocking: bool,
    max_messages: u8,
    message_size: u8,
}

/// More messages than a queue can have, whatever the privilege.
const TOO_MANY: usize = 65_537;

/// More bytes than a message can have, whatever the privilege.
const TOO_LONG: usize = (16 << 20) + 1;

/// Takes these steps with one name, and returns what they have opened.
pub(super) fn try_all(steps: &[Naming]) -> Vec<Open> {
    let name = Name::format(format_args!("/rawipc-fuzz-{}", process::id())).expect("a name");
    let mut there = None;
    let answers: Vec<_> = steps.iter().map(|step| step.make(&name)).collect();
    let unlinked = Mq::unlink(&name);
    // All queues of a user share one limit, and others may be the same user.
    if answers.iter().any(|answer| matches!(answer, Err(Errno::MFILE))) {
        return Vec::new();
    }
    let opened = steps.iter().zip(answers).filter_map(|(step, got)| {
        let expected = step.expect(&mut there);
        let (is, should) = (got.as_ref().map(Option::is_some), expected.as_ref());
        assert_eq!(is, should.map(Option::is_some), "{step:?} of {steps:?}");
        let open = Open { queue: got.ok()??, description: Rc::new(expected.ok()??) };
        open.check();
        Some(open)
    });
    let opened = opened.collect();
    assert_eq!(unlinked, there.map(drop).ok_or(Errno::NOENT), "{steps:?}");
    assert_eq!(Mq::unlink(&name), Err(Errno::NOENT));
    opened
}

impl Naming {
    fn make(self, name: &Name) -> Result<Option<Mq>> {
        match self.how {
            How::CreateNew => self.options().create_new(name, OWNER).map(Some),
            How::Create => self.options().create(name, OWNER).map(Some),
            How::Open => self.options().open(name).map(Some),
            How::Unlink => Mq::unlink(name).map(|()| None),
        }
    }

    fn options(self) -> Options {
        let mut options = Mq::options().nonblocking(self.nonblocking);
        match self.access {
            Access::Both => {}
            Access::Receiving => options = options.read_only(),
            Access::Sending => options = options.write_only(),
        }
        if let Some(messages) = self.max_messages() {
            options = options.max_messages(messages);
        }
        if let Some(bytes) = self.message_size() {
            options = options.message_size(bytes);
        }
        options
    }

    fn max_messages(self) -> Option<usize> {
        match self.max_messages {
            0 => None,
            255 => Some(0),
            254 => Some(usize::MAX),
            253 => Some(TOO_MANY),
            some => Some(usize::from(some % 5) + 1),
        }
    }

    fn message_size(self) -> Option<usize> {
        match self.message_size {
            0 => None,
            255 => Some(0),
            254 => Some(usize::MAX),
            253 => Some(TOO_LONG),
            some => Some(usize::from(some % 32) + 1),
        }
    }

    fn expect(self, there: &mut Option<Rc<Queue>>) -> Result<Option<Description>> {
        let queue = match (self.how, &*there) {
            (How::Unlink, _) => return there.take().map(|_| None).ok_or(Errno::NOENT),
            (How::Open, None) => return Err(Errno::NOENT),
            (How::CreateNew, Some(_)) => return Err(Errno::EXIST),
            (How::Open | How::Create, Some(queue)) => Rc::clone(queue),
            (How::Create | How::CreateNew, None) => self.expect_new()?,
        };
        *there = Some(Rc::clone(&queue));
        let nonblocking = Cell::new(self.nonblocking);
        Ok(Some(Description { queue, access: self.access, nonblocking }))
    }

    fn expect_new(self) -> Result<Rc<Queue>> {
        static LIMITS: OnceLock<Limits> = OnceLock::new();
        let limits = LIMITS.get_or_init(|| Limits::get().expect("limits"));
        let messages = self.max_messages().unwrap_or(limits.default_messages);
        let bytes = self.message_size().unwrap_or(limits.default_message_size);
        if messages == 0 || messages >= TOO_MANY || bytes == 0 || bytes >= TOO_LONG {
            return Err(Errno::INVAL);
        }
        Ok(Queue::new(messages, bytes))
    }
}
