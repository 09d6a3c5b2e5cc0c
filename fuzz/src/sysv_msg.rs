//! A System V message queue, filled and emptied in every way that does not sleep: all as the model
//! has it, message by message and errno by errno, and after it was removed too.

use core::ffi::c_long;
use std::fs;
use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::sysv::msg::{COPIED, HEADER, Which};
use rawipc::sysv::{Key, Mode, MsgQueue};
use rawipc::{Errno, Result};
use rustix::process::{Pid, getegid, geteuid, getpid};

use super::apart::{OWNER, apart};

/// What stands in a buffer before anything is received into it.
const UNTOUCHED: u8 = 0xA5;

#[derive(Arbitrary, Debug)]
struct Setup {
    keyed: bool,
    max_bytes: Option<u8>,
    /// Before which operation it is removed, if not at the end.
    removed_before: Option<u8>,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Send { in_place: bool, blocking: bool, kind: u8, length: u8 },
    Receive { blocking: bool, wanted: Wanted, kind: u8, truncating: bool, room: u8 },
    CopyAt { index: u8, room: u8 },
    SetMaxBytes(u8),
    SetMode(u8),
    SetOwner,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Wanted {
    Any,
    Exactly,
    LowestUpTo,
    AnyBut,
}

/// What the queue should be like.
#[derive(Debug)]
struct Model {
    key: Key,
    mode: Mode,
    messages: Vec<(c_long, Vec<u8>)>,
    max_bytes: usize,
    last_sender: Option<Pid>,
    last_receiver: Option<Pid>,
    /// Whether the kernel lets messages be copied.
    copies: bool,
    removed: bool,
}

pub(super) fn run(data: &[u8]) {
    apart();
    let mut input = Unstructured::new(data);
    let Ok(setup) = input.arbitrary::<Setup>() else { return };
    let (queue, key) = create(setup.keyed);
    let mut model = Model {
        key,
        mode: OWNER,
        messages: Vec::new(),
        max_bytes: queue.status().expect("its status").max_bytes,
        last_sender: None,
        last_receiver: None,
        copies: queue.copy_at(&mut [0; HEADER], 0) != Err(Errno::NOSYS),
        removed: false,
    };
    if let Some(bytes) = setup.max_bytes {
        model.set_max_bytes(queue, bytes);
    }
    let mut count = 0_u8;
    while !input.is_empty() {
        if setup.removed_before == Some(count) && !model.removed {
            model.remove(queue);
        }
        let Ok(op) = input.arbitrary::<Op>() else { break };
        model.try_one(queue, &op, count);
        model.check(queue);
        count = count.saturating_add(1);
    }
    if !model.removed {
        model.remove(queue);
    }
    model.check(queue);
    assert_eq!(queue.remove(), Err(Errno::INVAL));
}

fn create(keyed: bool) -> (MsgQueue, Key) {
    if !keyed {
        return (MsgQueue::create_new(Key::PRIVATE, OWNER).expect("a queue"), Key::PRIVATE);
    }
    let (queue, key) = MsgQueue::create_unique(OWNER).expect("a queue");
    assert_eq!(MsgQueue::open(key), Ok(queue));
    assert_eq!(MsgQueue::create(key, OWNER), Ok(queue));
    assert_eq!(MsgQueue::create_new(key, OWNER), Err(Errno::EXIST));
    (queue, key)
}

/// How long a text the system allows.
fn longest() -> usize {
    static LONGEST: OnceLock<usize> = OnceLock::new();
    *LONGEST.get_or_init(|| {
        let told = fs::read_to_string("/proc/sys/kernel/msgmax").expect("a limit");
        told.trim().parse().expect("a number")
    })
}

fn kind(of: u8) -> c_long {
    match of {
        255 => c_long::MAX,
        254 => c_long::MIN,
        253 => -1,
        252 => 0,
        _ => c_long::from(of % 6) + 1,
    }
}

/// A text, of which no two in a row are the same.
fn text(length: u8, stamp: u8) -> Vec<u8> {
    let length = match length {
        255 => COPIED + 1,
        254 => COPIED,
        // Where `send` takes a larger frame.
        253 => 257,
        252 => 256,
        _ => usize::from(length % 24),
    };
    (stamp..=u8::MAX).cycle().take(length).collect()
}

/// A buffer that has so much room, with its header.
fn buffer(room: u8) -> Vec<u8> {
    let length = match room {
        255 => HEADER + COPIED + 1,
        0..8 => usize::from(room),
        _ => HEADER + usize::from(room % 32),
    };
    vec![UNTOUCHED; length]
}

impl Model {
    fn try_one(&mut self, queue: MsgQueue, op: &Op, stamp: u8) {
        match *op {
            Op::Send { in_place: false, blocking, kind: of, length } => {
                self.send(queue, blocking, kind(of), &text(length, stamp));
            }
            Op::Send { in_place: true, blocking, kind: of, length } => {
                let mut frame = match length {
                    252 => Vec::new(),
                    251 => vec![UNTOUCHED; HEADER - 1],
                    _ => [&[UNTOUCHED; HEADER], &text(length, stamp)[..]].concat(),
                };
                self.send_in_place(queue, blocking, kind(of), &mut frame);
            }
            Op::Receive { blocking, wanted, kind: of, truncating, room } => {
                self.receive(queue, blocking, wanted, kind(of), truncating, &mut buffer(room));
            }
            Op::CopyAt { index, room } => self.copy_at(queue, index, &mut buffer(room)),
            Op::SetMaxBytes(bytes) => self.set_max_bytes(queue, bytes),
            Op::SetMode(bits) => {
                let mode = OWNER | Mode::from_raw_mode(u32::from(bits) & 0o77);
                assert_eq!(queue.set_mode(mode), self.unless_removed());
                self.mode = mode;
            }
            Op::SetOwner => {
                assert_eq!(queue.set_owner(geteuid(), getegid()), self.unless_removed());
            }
        }
    }

    fn send(&mut self, queue: MsgQueue, blocking: bool, kind: c_long, text: &[u8]) {
        let expected = match self.room_for(kind, text) {
            _ if text.len() > COPIED => Err(Errno::INVAL),
            Err(Errno::AGAIN) if blocking => return,
            answer => answer,
        };
        let got = if blocking { queue.send(kind, text) } else { queue.try_send(kind, text) };
        assert_eq!(got, expected, "{} bytes, {kind}: {self:?}", text.len());
        if expected.is_ok() {
            self.add(kind, text);
        }
    }

    fn send_in_place(&mut self, queue: MsgQueue, blocking: bool, kind: c_long, frame: &mut [u8]) {
        let text = frame.get(HEADER..).map(<[u8]>::to_vec);
        let expected = match &text {
            None => Err(Errno::INVAL),
            Some(text) => self.room_for(kind, text),
        };
        if blocking && expected == Err(Errno::AGAIN) {
            return;
        }
        let got = if blocking {
            queue.send_in_place(kind, frame)
        } else {
            queue.try_send_in_place(kind, frame)
        };
        assert_eq!(got, expected, "{} bytes, {kind}: {self:?}", frame.len());
        let Some(text) = text else { return };
        assert_eq!(*frame, [&kind.to_ne_bytes(), &text[..]].concat());
        if expected.is_ok() {
            self.add(kind, &text);
        }
    }

    fn room_for(&self, kind: c_long, text: &[u8]) -> Result<()> {
        if self.removed || kind < 1 || text.len() > longest() {
            return Err(Errno::INVAL);
        }
        let fits = self.bytes() + text.len() <= self.max_bytes;
        // Empty ones are counted as if they were not.
        let is_one_more = self.messages.len() < self.max_bytes;
        if fits && is_one_more { Ok(()) } else { Err(Errno::AGAIN) }
    }

    fn add(&mut self, kind: c_long, text: &[u8]) {
        self.messages.push((kind, text.to_vec()));
        self.last_sender = Some(getpid());
    }

    fn receive(
        &mut self,
        queue: MsgQueue,
        blocking: bool,
        wanted: Wanted,
        kind: c_long,
        truncating: bool,
        buffer: &mut [u8],
    ) {
        let which = match wanted {
            Wanted::Any => Which::any(),
            Wanted::Exactly => Which::exactly(kind),
            Wanted::LowestUpTo => Which::lowest_up_to(kind),
            Wanted::AnyBut => Which::any_but(kind),
        };
        let which = if truncating { which.truncating() } else { which };
        let invalid = self.removed || (kind < 1 && !matches!(wanted, Wanted::Any));
        let found = match self.find(wanted, kind) {
            _ if invalid => Err(Errno::INVAL),
            Some(at) => Ok(at),
            None => Err(Errno::NOMSG),
        };
        let expected = self.fit(found, truncating, buffer.len());
        if blocking && expected == Err(Errno::NOMSG) {
            return;
        }
        let got = if blocking {
            queue.receive(&mut *buffer, which)
        } else {
            queue.try_receive(&mut *buffer, which)
        };
        let got = got.map(|message| (message.kind, message.text.to_vec()));
        assert_eq!(got, expected, "{which:?} into {} bytes: {self:?}", buffer.len());
        let filled = got.as_ref().map_or(0, |(_, text)| HEADER + text.len());
        assert!(buffer[filled..].iter().all(|&byte| byte == UNTOUCHED), "{self:?}");
        if let (Ok(_), Ok(at)) = (got, found) {
            self.messages.remove(at);
            self.last_receiver = Some(getpid());
        }
    }

    fn copy_at(&self, queue: MsgQueue, index: u8, buffer: &mut [u8]) {
        let index = if index == 255 { usize::MAX } else { usize::from(index % 8) };
        let found = match index {
            usize::MAX => Err(Errno::NOMSG),
            _ if buffer.len() < HEADER => Err(Errno::INVAL),
            _ if !self.copies => Err(Errno::NOSYS),
            _ if self.removed => Err(Errno::INVAL),
            _ if index < self.messages.len() => Ok(index),
            _ => Err(Errno::NOMSG),
        };
        let expected = found.and_then(|at| self.fit(Ok(at), false, buffer.len()));
        let got = queue.copy_at(&mut *buffer, index);
        let got = got.map(|message| (message.kind, message.text.to_vec()));
        assert_eq!(got, expected, "{index} into {} bytes: {self:?}", buffer.len());
    }

    /// Which comes first of those wanted.
    fn find(&self, wanted: Wanted, kind: c_long) -> Option<usize> {
        let mut kinds = self.messages.iter().map(|&(kind, _)| kind);
        match wanted {
            Wanted::Any => kinds.next().map(|_| 0),
            Wanted::Exactly => kinds.position(|other| other == kind),
            Wanted::AnyBut => kinds.position(|other| other != kind),
            Wanted::LowestUpTo => {
                let lowest = kinds.filter(|&other| other <= kind).min()?;
                self.messages.iter().position(|&(other, _)| other == lowest)
            }
        }
    }

    /// What of that message comes into so long a buffer.
    fn fit(&self, found: Result<usize>, cut: bool, buffer: usize) -> Result<(c_long, Vec<u8>)> {
        let room = buffer.checked_sub(HEADER).ok_or(Errno::INVAL)?;
        let (kind, mut text) = self.messages[found?].clone();
        if text.len() > room && !cut {
            return Err(Errno::TOOBIG);
        }
        text.truncate(room);
        Ok((kind, text))
    }

    fn set_max_bytes(&mut self, queue: MsgQueue, bytes: u8) {
        let bytes = usize::from(bytes % 64);
        assert_eq!(queue.set_max_bytes(bytes), self.unless_removed());
        self.max_bytes = bytes;
    }

    fn remove(&mut self, queue: MsgQueue) {
        assert_eq!(MsgQueue::from_id(queue.id()).remove(), Ok(()));
        assert_eq!(MsgQueue::open(self.key), Err(Errno::NOENT));
        self.removed = true;
    }

    fn check(&self, queue: MsgQueue) {
        let is = match queue.status() {
            Ok(is) if !self.removed => is,
            other => return assert_eq!(other.map(drop), self.unless_removed()),
        };
        assert_eq!(is.permissions.key, self.key);
        assert_eq!(is.permissions.mode, self.mode);
        assert_eq!((is.permissions.uid, is.permissions.gid), (geteuid(), getegid()));
        assert_eq!(is.messages, self.messages.len(), "{self:?}");
        assert_eq!(is.bytes, self.bytes(), "{self:?}");
        assert_eq!(is.max_bytes, self.max_bytes);
        assert_eq!(is.last_sender, self.last_sender);
        assert_eq!(is.last_receiver, self.last_receiver);
        assert_eq!(is.send_time != 0, self.last_sender.is_some());
        assert_eq!(is.receive_time != 0, self.last_receiver.is_some());
    }

    fn bytes(&self) -> usize {
        self.messages.iter().map(|(_, text)| text.len()).sum()
    }

    fn unless_removed(&self) -> Result<()> {
        if self.removed { Err(Errno::INVAL) } else { Ok(()) }
    }
}
