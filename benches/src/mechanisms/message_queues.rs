//! The kernel's message queues.

use rawipc::Errno;
use rawipc::posix::{Mode, Mq};
use rawipc::sysv::msg::{HEADER, Which};
use rawipc::sysv::{Key, MsgQueue};

use super::contender::{Opened, Task};
use super::guarded::unused_name;
use super::heir::{Heir, Outlived};
use super::pair::{End, Pair};

const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);

struct MqEnds {
    from: Mq,
    to: Mq,
}

impl End for MqEnds {
    fn send(&mut self, message: &[u8]) {
        self.to.send(message, 0).expect("a queue");
    }

    fn receive(&mut self, into: &mut [u8]) {
        let whole = into.len();
        assert_eq!(self.from.receive(into).expect("a queue").bytes.len(), whole, "all of it");
    }
}

/// Of 10 messages, which is what the system gives anybody; of 4 where they are too long for that.
pub(super) fn posix(task: Task) -> Opened {
    let create = |messages: usize| {
        let name = unused_name()?;
        let options = Mq::options().max_messages(messages).message_size(task.bytes);
        let queue = options.create_new(&name, OWNER)?;
        Mq::unlink(&name)?;
        Ok::<_, Errno>(queue)
    };
    let both = |messages| Ok::<_, Errno>((create(messages)?, create(messages)?));
    let made = both(10).or_else(|_| both(4));
    let (there, back) = made.map_err(|why| format!("no queue of such messages: {why}"))?;
    let home = MqEnds { from: back.try_clone()?, to: there.try_clone()? };
    let away = MqEnds { from: there, to: back };
    Pair::open(task, || home, || away)
}

struct MsgEnds {
    from: MsgQueue,
    to: MsgQueue,
    /// Where a message comes behind its type.
    room: Vec<u8>,
}

impl End for MsgEnds {
    fn send(&mut self, message: &[u8]) {
        self.to.send(1, message).expect("a queue");
    }

    fn receive(&mut self, into: &mut [u8]) {
        let received = self.from.receive(&mut self.room[..], Which::any()).expect("a queue");
        into.copy_from_slice(received.text);
    }
}

pub(super) fn sysv(task: Task) -> Opened {
    let create = || {
        let queue = MsgQueue::create_new(Key::PRIVATE, OWNER)?;
        Ok::<_, Errno>(Heir::of(queue, MsgQueue::remove))
    };
    let queues = [create()?, create()?];
    let [there, back] = queues.each_ref().map(|queue| queue.what);
    let room = || vec![0; HEADER + task.bytes];
    there
        .try_send(1, &room()[HEADER..])
        .map_err(|why| format!("no message of that length (see msgmax): {why}"))?;
    there.try_receive(&mut room()[..], Which::any())?;
    let home = MsgEnds { from: back, to: there, room: room() };
    let away = MsgEnds { from: there, to: back, room: room() };
    let pair = Pair::open(task, || home, || away)?;
    Ok(Box::new(Outlived::new(pair, queues)))
}
