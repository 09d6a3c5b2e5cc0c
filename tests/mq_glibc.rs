//! POSIX message queues side by side with glibc's functions: the same queues, the same messages,
//! the same answers.
//!
//! Where the two differ, they do so by design, and a test says how: glibc wants the slash in front
//! of a name, leaves what else is wrong with one to the kernel, and calls it `EACCES` that the
//! kernel does not let a user unlink another's queue.

#![cfg(target_env = "gnu")]

mod support;

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::thread::yield_now;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rawipc::pipe::{Pipe, Writer};
use rawipc::posix::mq::{Limits, Mode, Mq, Options, PRIORITIES};
use rawipc::process::{self, Signal};
use rawipc::{Deadline, Errno, Name, Result};
use support::gate::{open, pass};
use support::glibc::answer;
use support::own::OWNER;
use support::signals::{Blocked, news};
use support::users::{STRANGER, become_user, is_root};
use support::{SOON, child, eventually, isolated, join, own, sleeps_in};

/// A message and its priority.
type Message = (Vec<u8>, u32);

// Their side: what a C program calls.

/// A queue that glibc opened.
struct Theirs(libc::mqd_t);

impl Theirs {
    fn open(
        name: &CStr,
        flags: i32,
        mode: u32,
        sizes: Option<(libc::c_long, libc::c_long)>,
    ) -> Result<Self> {
        // SAFETY: an all-zero mq_attr is a valid one.
        let mut attributes: libc::mq_attr = unsafe { core::mem::zeroed() };
        (attributes.mq_maxmsg, attributes.mq_msgsize) = sizes.unwrap_or_default();
        let attributes = sizes.map_or(core::ptr::null(), |_| &raw const attributes);
        // SAFETY: name and attributes live.
        answer(unsafe { libc::mq_open(name.as_ptr(), flags, mode, attributes) }).map(Self)
    }

    fn unlink(name: &CStr) -> Result<()> {
        // SAFETY: the name lives.
        answer(unsafe { libc::mq_unlink(name.as_ptr()) }).map(drop)
    }

    fn send(&self, message: &[u8], priority: u32) -> Result<()> {
        let start = message.as_ptr().cast();
        // SAFETY: the message lives.
        answer(unsafe { libc::mq_send(self.0, start, message.len(), priority) }).map(drop)
    }

    fn timed_send(&self, message: &[u8], priority: u32, by: libc::timespec) -> Result<()> {
        let (start, len) = (message.as_ptr().cast(), message.len());
        // SAFETY: message and time live.
        answer(unsafe { libc::mq_timedsend(self.0, start, len, priority, &raw const by) }).map(drop)
    }

    fn receive(&self, room: usize) -> Result<Message> {
        let (mut buffer, mut priority) = (vec![0; room], 0);
        let start = buffer.as_mut_ptr().cast();
        // SAFETY: buffer and priority live, and nobody else looks at them.
        let len = answer(unsafe { libc::mq_receive(self.0, start, room, &raw mut priority) })?;
        buffer.truncate(len.unsigned_abs());
        Ok((buffer, priority))
    }

    fn timed_receive(&self, room: usize, by: libc::timespec) -> Result<Message> {
        let (mut buffer, mut priority) = (vec![0; room], 0);
        let (start, priority_at) = (buffer.as_mut_ptr().cast(), &raw mut priority);
        let by = &raw const by;
        // SAFETY: buffer and priority live, and nobody else looks at them; the time lives.
        let len = answer(unsafe { libc::mq_timedreceive(self.0, start, room, priority_at, by) })?;
        buffer.truncate(len.unsigned_abs());
        Ok((buffer, priority))
    }

    fn attributes(&self) -> Result<Attributes> {
        // SAFETY: an all-zero mq_attr is a valid one.
        let mut attributes: libc::mq_attr = unsafe { core::mem::zeroed() };
        // SAFETY: `attributes` lives, and nobody else looks at it.
        answer(unsafe { libc::mq_getattr(self.0, &raw mut attributes) })?;
        Ok(Attributes::of(&attributes))
    }

    /// Returns what the attributes were before.
    fn set_nonblocking(&self, nonblocking: bool) -> Result<Attributes> {
        // SAFETY: an all-zero mq_attr is a valid one.
        let mut new: libc::mq_attr = unsafe { core::mem::zeroed() };
        new.mq_flags = if nonblocking { libc::O_NONBLOCK.into() } else { 0 };
        let mut old = new;
        // SAFETY: both live, and nobody else looks at them.
        answer(unsafe { libc::mq_setattr(self.0, &raw const new, &raw mut old) })?;
        Ok(Attributes::of(&old))
    }

    fn notify(&self, how: libc::c_int, signal: Signal, value: usize) -> Result<()> {
        // SAFETY: an all-zero sigevent is a valid one.
        let mut event: libc::sigevent = unsafe { core::mem::zeroed() };
        event.sigev_notify = how;
        event.sigev_signo = signal.as_raw();
        event.sigev_value.sival_ptr = core::ptr::without_provenance_mut(value);
        // SAFETY: `event` lives.
        answer(unsafe { libc::mq_notify(self.0, &raw const event) }).map(drop)
    }

    fn notify_by_signal(&self, signal: Signal, value: usize) -> Result<()> {
        self.notify(libc::SIGEV_SIGNAL, signal, value)
    }

    fn cancel_notification(&self) -> Result<()> {
        // SAFETY: nothing is read through the null pointer.
        answer(unsafe { libc::mq_notify(self.0, core::ptr::null()) }).map(drop)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        // SAFETY: open until this is dropped.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        // SAFETY: it is open, and this one's.
        assert_eq!(unsafe { libc::mq_close(self.0) }, 0);
    }
}

impl From<OwnedFd> for Theirs {
    fn from(fd: OwnedFd) -> Self {
        Self(fd.into_raw_fd())
    }
}

impl From<Theirs> for OwnedFd {
    fn from(queue: Theirs) -> Self {
        let queue = core::mem::ManuallyDrop::new(queue);
        // SAFETY: open, and given up here.
        unsafe { Self::from_raw_fd(queue.0) }
    }
}

/// What either side says a queue is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attributes {
    max_messages: usize,
    message_size: usize,
    messages: usize,
    nonblocking: bool,
}

impl Attributes {
    fn of(theirs: &libc::mq_attr) -> Self {
        Self {
            max_messages: theirs.mq_maxmsg.try_into().unwrap(),
            message_size: theirs.mq_msgsize.try_into().unwrap(),
            messages: theirs.mq_curmsgs.try_into().unwrap(),
            nonblocking: theirs.mq_flags == libc::O_NONBLOCK.into(),
        }
    }

    fn ours(queue: &Mq) -> Result<Self> {
        queue.attributes().map(|ours| Self {
            max_messages: ours.max_messages,
            message_size: ours.message_size,
            messages: ours.messages,
            nonblocking: ours.nonblocking,
        })
    }
}

/// The beginning of all time.
const PAST: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

/// A time on the wall clock, which theirs goes by.
fn soon() -> libc::timespec {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let soon = now.tv_sec + i64::try_from(SOON.as_secs()).unwrap();
    libc::timespec { tv_sec: soon, tv_nsec: now.tv_nsec }
}

// Both sides, so that each promise is checked of all forms.

type Send<Q> = (&'static str, libc::c_long, fn(&Q, &[u8], u32) -> Result<()>);
type Receive<Q> = (&'static str, libc::c_long, fn(&Q) -> Result<Message>);

/// How many bytes a message has at most.
const SIZE: usize = 16;

/// With the call in which they sleep.
const OUR_SENDS: [Send<Mq>; 2] = [
    ("send", libc::SYS_mq_timedsend, Mq::send),
    ("send_until", libc::SYS_ppoll, |queue, message, priority| {
        queue.send_until(message, priority, Deadline::after(SOON))
    }),
];
const THEIR_SENDS: [Send<Theirs>; 2] = [
    ("mq_send", libc::SYS_mq_timedsend, Theirs::send),
    ("mq_timedsend", libc::SYS_mq_timedsend, |queue, message, priority| {
        queue.timed_send(message, priority, soon())
    }),
];
const OUR_RECEIVES: [Receive<Mq>; 2] = [
    ("receive", libc::SYS_mq_timedreceive, |queue| receive(queue, SIZE)),
    ("receive_until", libc::SYS_ppoll, |queue| receive_until(queue, SIZE, Deadline::after(SOON))),
];
const THEIR_RECEIVES: [Receive<Theirs>; 2] = [
    ("mq_receive", libc::SYS_mq_timedreceive, |queue| queue.receive(SIZE)),
    ("mq_timedreceive", libc::SYS_mq_timedreceive, |queue| queue.timed_receive(SIZE, soon())),
];

fn receive(queue: &Mq, room: usize) -> Result<Message> {
    let mut buffer = vec![0; room];
    queue.receive(buffer.as_mut_slice()).map(|message| (message.bytes.to_vec(), message.priority))
}

fn try_receive(queue: &Mq, room: usize) -> Result<Message> {
    let mut buffer = vec![0; room];
    let received = queue.try_receive(buffer.as_mut_slice());
    received.map(|message| (message.bytes.to_vec(), message.priority))
}

fn receive_until(queue: &Mq, room: usize, by: Deadline) -> Result<Message> {
    let mut buffer = vec![0; room];
    let received = queue.receive_until(buffer.as_mut_slice(), by);
    received.map(|message| (message.bytes.to_vec(), message.priority))
}

fn message(bytes: &[u8], priority: u32) -> Message {
    (bytes.to_vec(), priority)
}

// Names and queues.

type Own = own::Own<Mq>;

impl Own {
    fn create_ours(&self, max_messages: usize) -> Mq {
        of_sizes(max_messages, SIZE).create_new(&self.0, OWNER).unwrap()
    }

    fn create_theirs(&self, max_messages: libc::c_long) -> Theirs {
        let sizes = Some((max_messages, SIZE.try_into().unwrap()));
        Theirs::open(&self.c_string(), CREATE_NEW | libc::O_RDWR, 0o600, sizes).unwrap()
    }

    fn open_ours(&self) -> Result<Mq> {
        Mq::options().open(&self.0)
    }

    fn open_theirs(&self) -> Result<Theirs> {
        Theirs::open(&self.c_string(), libc::O_RDWR, 0, None)
    }
}

const CREATE_NEW: i32 = libc::O_CREAT | libc::O_EXCL;

fn of_sizes(max_messages: usize, message_size: usize) -> Options {
    Mq::options().max_messages(max_messages).message_size(message_size)
}

/// One queue, as both sides have opened it.
fn both(max_messages: usize) -> (Mq, Theirs) {
    let name = Own::new();
    let ours = name.create_ours(max_messages);
    let theirs = name.open_theirs().unwrap();
    (ours, theirs)
}

// Opening and unlinking.

#[test]
fn what_glibc_creates_we_open_and_what_we_create_it_opens() {
    isolated(|| {
        let (ours, theirs) = (Own::new(), Own::new());
        join(child(|| {
            rustix::process::umask(Mode::from_raw_mode(0o022));
            let sizes = Some((3, 40));
            Theirs::open(&theirs.c_string(), CREATE_NEW | libc::O_RDWR, 0o666, sizes).unwrap();
            of_sizes(3, 40).create_new(&ours.0, Mode::from_raw_mode(0o666)).unwrap();
        }));
        let expected =
            Attributes { max_messages: 3, message_size: 40, messages: 0, nonblocking: false };
        let opened = theirs.open_ours().unwrap();
        assert_eq!(Attributes::ours(&opened), Ok(expected));
        assert_eq!(rustix::fs::fstat(&opened).unwrap().st_mode & 0o7777, 0o644);
        let opened = ours.open_theirs().unwrap();
        assert_eq!(opened.attributes(), Ok(expected));
        assert_eq!(rustix::fs::fstat(opened.descriptor()).unwrap().st_mode & 0o7777, 0o644);
    });
}

#[test]
fn queue_of_one_side_is_in_the_way_of_the_others_new_one() {
    isolated(|| {
        let (ours, theirs) = (Own::new(), Own::new());
        let queues = (ours.create_ours(1), theirs.create_theirs(1));
        join(child(|| {
            let refused = of_sizes(1, SIZE).create_new(&theirs.0, OWNER);
            assert_eq!(refused.unwrap_err(), Errno::EXIST);
            let refused = Theirs::open(&ours.c_string(), CREATE_NEW | libc::O_RDWR, 0o600, None);
            assert_eq!(refused.map(drop), Err(Errno::EXIST));
            // Who only wants one gets the one that is there.
            let same = of_sizes(9, 9).create(&theirs.0, OWNER).unwrap();
            assert_eq!(Attributes::ours(&same), queues.1.attributes());
            let flags = libc::O_CREAT | libc::O_RDWR;
            let same = Theirs::open(&ours.c_string(), flags, 0o600, Some((9, 9))).unwrap();
            assert_eq!(same.attributes(), Attributes::ours(&queues.0));
        }));
    });
}

#[test]
fn unlinking_on_one_side_is_seen_on_the_other() {
    isolated(|| {
        let name = Own::new();
        for we_unlink in [true, false] {
            let queue = name.create_ours(1);
            join(child(|| {
                if we_unlink {
                    Mq::unlink(&name.0).unwrap();
                } else {
                    Theirs::unlink(&name.c_string()).unwrap();
                }
            }));
            assert_eq!(name.open_theirs().map(drop), Err(Errno::NOENT));
            assert_eq!(name.open_ours().map(drop), Err(Errno::NOENT));
            assert_eq!(Theirs::unlink(&name.c_string()), Err(Errno::NOENT));
            assert_eq!(Mq::unlink(&name.0), Err(Errno::NOENT));
            // Whoever has it open still has it.
            let same = Theirs::from(OwnedFd::from(queue.try_clone().unwrap()));
            same.send(b"goes on", 0).unwrap();
            assert_eq!(receive(&queue, SIZE), Ok(message(b"goes on", 0)));
        }
    });
}

#[test]
fn queue_changes_hands_by_its_descriptor() {
    isolated(|| {
        let name = Own::new();
        let theirs = name.create_theirs(1);
        theirs.send(b"one of theirs", 1).unwrap();
        let ours = Mq::from(OwnedFd::from(theirs));
        assert_eq!(receive(&ours, SIZE), Ok(message(b"one of theirs", 1)));
        ours.send(b"one of ours", 2).unwrap();
        let theirs = Theirs::from(OwnedFd::from(ours));
        assert_eq!(theirs.receive(SIZE), Ok(message(b"one of ours", 2)));
    });
}

/// What each side answers to a name, and why: ours is checked before the kernel sees it, and has a
/// slash or not; glibc wants a slash, takes it away, and leaves the rest to the kernel.
#[test]
fn odd_names_are_refused_by_both_but_not_always_alike() {
    isolated(|| {
        let long = |len: usize| format!("/{}", "n".repeat(len));
        for (name, ours, theirs) in [
            ("", Errno::INVAL, Errno::INVAL),
            ("/", Errno::INVAL, Errno::NOENT),
            ("//", Errno::INVAL, Errno::ACCESS),
            ("//double", Errno::INVAL, Errno::ACCESS),
            ("/in/side", Errno::INVAL, Errno::ACCESS),
            ("/after/", Errno::INVAL, Errno::ACCESS),
            ("/.", Errno::INVAL, Errno::ACCESS),
            ("/..", Errno::INVAL, Errno::ACCESS),
            (&long(256), Errno::NAMETOOLONG, Errno::NAMETOOLONG),
            (&long(5000), Errno::NAMETOOLONG, Errno::NAMETOOLONG),
        ] {
            assert_eq!(name.parse::<Name>(), Err(ours), "{name:?}");
            let name = CString::new(name).unwrap();
            for flags in [0, libc::O_CREAT, CREATE_NEW] {
                let opened = Theirs::open(&name, flags | libc::O_RDWR, 0o600, Some((1, 1)));
                assert_eq!(opened.map(drop), Err(theirs), "{name:?}, {flags:o}");
            }
            assert_eq!(Theirs::unlink(&name), Err(theirs), "{name:?}");
        }
    });
}

#[test]
fn name_without_the_slash_is_ours_alone() {
    isolated(|| {
        let name = Own::new();
        let bare = Name::new(name.0.as_bytes()).unwrap();
        let _queue = of_sizes(1, SIZE).create_new(&bare, OWNER).unwrap();
        let theirs = Theirs::open(bare.as_c_str(), libc::O_RDWR, 0, None);
        assert_eq!(theirs.map(drop), Err(Errno::INVAL));
        assert_eq!(Theirs::unlink(bare.as_c_str()), Err(Errno::INVAL));
        // With it, it is the same name.
        assert!(name.open_theirs().is_ok());
    });
}

#[test]
fn longest_name_is_the_same_for_both() {
    isolated(|| {
        let pid = process::id().as_raw_nonzero();
        let ours = Name::format(format_args!("{pid:x>255}")).unwrap();
        let name = Own::of(ours);
        let queue = name.create_theirs(1);
        queue.send(b"by a long name", 0).unwrap();
        let opened = name.open_ours().unwrap();
        Theirs::unlink(&name.c_string()).unwrap();
        assert_eq!(receive(&opened, SIZE), Ok(message(b"by a long name", 0)));
    });
}

#[test]
fn refusal_to_unlink_anothers_queue_is_the_kernels_here_and_posixs_there() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let name = Own::new();
        let _queue = name.create_ours(1);
        join(child(|| {
            become_user(STRANGER);
            assert_eq!(Mq::unlink(&name.0), Err(Errno::PERM));
            assert_eq!(Theirs::unlink(&name.c_string()), Err(Errno::ACCESS));
        }));
    });
}

// Messages.

/// Messages in the order in which they are sent, and in which they come.
const SENT: [(&[u8], u32); 6] = [
    (b"low", 0),
    (b"high", 9),
    (b"", 5),
    (b"high too", 9),
    (b"sixteen bytes in", 0),
    (b"\0\xff", PRIORITIES - 1),
];
const COMES: [usize; 6] = [5, 1, 3, 2, 0, 4];

#[test]
fn what_glibc_sends_we_receive_in_order() {
    isolated(|| {
        for ((theirs, _, send), (ours, _, receive)) in THEIR_SENDS.into_iter().zip(OUR_RECEIVES) {
            let (here, there) = both(6);
            join(child(|| {
                for (bytes, priority) in SENT {
                    assert_eq!(send(&there, bytes, priority), Ok(()), "{theirs}");
                }
            }));
            for (bytes, priority) in COMES.map(|nth| SENT[nth]) {
                assert_eq!(receive(&here), Ok(message(bytes, priority)), "{ours}");
            }
            assert_eq!(try_receive(&here, SIZE), Err(Errno::AGAIN));
        }
    });
}

#[test]
fn what_we_send_glibc_receives_in_order() {
    isolated(|| {
        for ((ours, _, send), (theirs, _, receive)) in OUR_SENDS.into_iter().zip(THEIR_RECEIVES) {
            let (here, there) = both(6);
            join(child(|| {
                for (bytes, priority) in SENT {
                    assert_eq!(send(&here, bytes, priority), Ok(()), "{ours}");
                }
            }));
            for (bytes, priority) in COMES.map(|nth| SENT[nth]) {
                assert_eq!(receive(&there), Ok(message(bytes, priority)), "{theirs}");
            }
            assert_eq!(there.timed_receive(SIZE, PAST), Err(Errno::TIMEDOUT));
        }
    });
}

#[test]
fn messages_of_both_sides_make_one_queue() {
    isolated(|| {
        let (ours, theirs) = both(4);
        ours.send(b"first", 1).unwrap();
        join(child(|| theirs.send(b"second", 1).unwrap()));
        ours.try_send(b"third", 1).unwrap();
        join(child(|| theirs.send(b"ahead", 2).unwrap()));
        assert_eq!(ours.try_send(b"x", 0), Err(Errno::AGAIN));
        assert_eq!(theirs.timed_send(b"x", 0, PAST), Err(Errno::TIMEDOUT));
        assert_eq!(receive(&ours, SIZE), Ok(message(b"ahead", 2)));
        assert_eq!(theirs.receive(SIZE), Ok(message(b"first", 1)));
        assert_eq!(receive(&ours, SIZE), Ok(message(b"second", 1)));
        assert_eq!(theirs.receive(SIZE), Ok(message(b"third", 1)));
    });
}

#[test]
fn each_side_sees_the_others_messages_counted() {
    isolated(|| {
        let (ours, theirs) = both(3);
        for messages in 0..=3 {
            let attributes = Attributes::ours(&ours);
            assert_eq!(attributes, theirs.attributes());
            assert_eq!(attributes.unwrap().messages, messages);
            join(child(|| {
                let _full_in_the_end = if messages % 2 == 0 {
                    ours.try_send(b"m", 0)
                } else {
                    theirs.timed_send(b"m", 0, PAST)
                };
            }));
        }
    });
}

#[test]
fn nonblocking_flag_is_the_same_on_a_shared_description_and_apart_on_others() {
    isolated(|| {
        let (ours, apart) = both(1);
        let shared = Theirs::from(OwnedFd::from(ours.try_clone().unwrap()));
        let flags = || {
            let flag = |attributes: Result<Attributes>| attributes.unwrap().nonblocking;
            (flag(Attributes::ours(&ours)), flag(shared.attributes()), flag(apart.attributes()))
        };
        join(child(|| assert!(!shared.set_nonblocking(true).unwrap().nonblocking)));
        assert_eq!(flags(), (true, true, false));
        assert_eq!(receive(&ours, SIZE), Err(Errno::AGAIN));
        join(child(|| ours.set_nonblocking(false).unwrap()));
        assert_eq!(flags(), (false, false, false));
        assert!(!apart.set_nonblocking(true).unwrap().nonblocking, "as it was before");
        assert_eq!(flags(), (false, false, true));
    });
}

// Waiting.

#[test]
fn glibc_that_waits_for_a_message_is_woken_by_ours() {
    isolated(|| {
        for (theirs, call, receive) in THEIR_RECEIVES {
            for (ours, _, send) in OUR_SENDS.into_iter().chain([("try_send", 0, Mq::try_send as _)])
            {
                let (here, there) = both(1);
                let receiver =
                    child(|| assert_eq!(receive(&there), Ok(message(b"awaited", 3)), "{theirs}"));
                sleeps_in(receiver.id(), call);
                assert_eq!(send(&here, b"awaited", 3), Ok(()), "{ours}");
                join(receiver);
            }
        }
    });
}

#[test]
fn we_that_wait_for_a_message_are_woken_by_glibcs() {
    isolated(|| {
        for (ours, call, receive) in OUR_RECEIVES {
            for (theirs, _, send) in THEIR_SENDS {
                let (here, there) = both(1);
                let receiver =
                    child(|| assert_eq!(receive(&here), Ok(message(b"awaited", 3)), "{ours}"));
                sleeps_in(receiver.id(), call);
                assert_eq!(send(&there, b"awaited", 3), Ok(()), "{theirs}");
                join(receiver);
            }
        }
    });
}

#[test]
fn glibc_that_waits_for_room_is_woken_by_our_receiving() {
    isolated(|| {
        let try_receive: Receive<Mq> = ("try_receive", 0, |queue| try_receive(queue, SIZE));
        for (theirs, call, send) in THEIR_SENDS {
            for (ours, _, receive) in OUR_RECEIVES.into_iter().chain([try_receive]) {
                let (here, there) = both(1);
                here.send(b"in the way", 0).unwrap();
                let sender = child(|| assert_eq!(send(&there, b"after", 3), Ok(()), "{theirs}"));
                sleeps_in(sender.id(), call);
                assert_eq!(receive(&here), Ok(message(b"in the way", 0)), "{ours}");
                join(sender);
                assert_eq!(receive(&here), Ok(message(b"after", 3)), "{ours}");
            }
        }
    });
}

#[test]
fn we_that_wait_for_room_are_woken_by_glibcs_receiving() {
    isolated(|| {
        for (ours, call, send) in OUR_SENDS {
            for (theirs, _, receive) in THEIR_RECEIVES {
                let (here, there) = both(1);
                there.send(b"in the way", 0).unwrap();
                let sender = child(|| assert_eq!(send(&here, b"after", 3), Ok(()), "{ours}"));
                sleeps_in(sender.id(), call);
                assert_eq!(receive(&there), Ok(message(b"in the way", 0)), "{theirs}");
                join(sender);
                assert_eq!(receive(&there), Ok(message(b"after", 3)), "{theirs}");
            }
        }
    });
}

#[test]
fn receivers_of_both_sides_that_wait_at_once_get_a_message_each() {
    isolated(|| {
        let (ours, theirs) = both(4);
        let mut receivers = Vec::new();
        for (_, call, receive) in OUR_RECEIVES {
            receivers.push((child(|| assert!(receive(&ours).is_ok())), call));
        }
        for (_, call, receive) in THEIR_RECEIVES {
            receivers.push((child(|| assert!(receive(&theirs).is_ok())), call));
        }
        for (receiver, call) in &receivers {
            sleeps_in(receiver.id(), *call);
        }
        for nth in 0..receivers.len() {
            let sent = if nth % 2 == 0 {
                ours.try_send(b"m", 0)
            } else {
                theirs.timed_send(b"m", 0, PAST)
            };
            assert_eq!(sent, Ok(()));
        }
        for (receiver, _) in receivers {
            join(receiver);
        }
        assert_eq!(theirs.attributes().unwrap().messages, 0);
    });
}

#[test]
fn senders_of_both_sides_that_wait_at_once_all_get_room() {
    isolated(|| {
        let (ours, theirs) = both(1);
        ours.send(b"in the way", 0).unwrap();
        let mut senders = Vec::new();
        for (form, call, send) in OUR_SENDS {
            senders.push((child(|| send(&ours, form.as_bytes(), 0).unwrap()), call));
        }
        for (form, call, send) in THEIR_SENDS {
            senders.push((child(|| send(&theirs, form.as_bytes(), 0).unwrap()), call));
        }
        for (sender, call) in &senders {
            sleeps_in(sender.id(), *call);
        }
        assert_eq!(receive(&ours, SIZE), Ok(message(b"in the way", 0)));
        let mut came: Vec<_> = (0..senders.len())
            .map(|nth| {
                let by = Deadline::after(SOON);
                let received = if nth % 2 == 0 {
                    receive_until(&ours, SIZE, by)
                } else {
                    theirs.timed_receive(SIZE, soon())
                };
                String::from_utf8(received.unwrap().0).unwrap()
            })
            .collect();
        for (sender, _) in senders {
            join(sender);
        }
        came.sort();
        assert_eq!(came, ["mq_send", "mq_timedsend", "send", "send_until"]);
    });
}

const MESSAGES: usize = 4000;
const SENDERS: usize = 4;

/// Sends the numbers that are this sender's.
fn send_numbers<Q>(queue: &Q, nth: usize, send: fn(&Q, &[u8], u32) -> Result<()>) {
    for number in nth * (MESSAGES / SENDERS)..(nth + 1) * (MESSAGES / SENDERS) {
        send(queue, &number.to_ne_bytes(), 1).unwrap();
    }
}

/// Receives numbers until there is a message of priority zero, and reports how often each came.
fn receive_numbers<Q>(queue: &Q, receive: fn(&Q) -> Result<Message>, report: &Writer) {
    let mut times = vec![0_u8; MESSAGES];
    loop {
        let (bytes, priority) = receive(queue).unwrap();
        if priority == 0 {
            break;
        }
        times[usize::from_ne_bytes(bytes.try_into().unwrap())] += 1;
        yield_now();
    }
    report.write_all(&times).unwrap();
}

#[test]
fn senders_and_receivers_of_both_sides_lose_and_double_nothing() {
    isolated(|| {
        let (ours, theirs) = both(3);
        let mut receivers = Vec::new();
        for ((_, _, our_receive), (_, _, their_receive)) in
            OUR_RECEIVES.into_iter().zip(THEIR_RECEIVES)
        {
            let report = Pipe::new().unwrap();
            let receiver = child(|| receive_numbers(&ours, our_receive, &report.writer));
            receivers.push((receiver, report.reader));
            let report = Pipe::new().unwrap();
            let receiver = child(|| receive_numbers(&theirs, their_receive, &report.writer));
            receivers.push((receiver, report.reader));
        }
        let mut senders = Vec::new();
        for nth in 0..SENDERS / 2 {
            senders.push(child(|| send_numbers(&ours, 2 * nth, OUR_SENDS[nth].2)));
            senders.push(child(|| send_numbers(&theirs, 2 * nth + 1, THEIR_SENDS[nth].2)));
        }
        senders.into_iter().for_each(join);
        (0..receivers.len()).for_each(|_| theirs.send(b"enough", 0).unwrap());
        let mut times = vec![0; MESSAGES];
        for (receiver, report) in receivers {
            let mut reported = vec![0; MESSAGES];
            assert_eq!(report.read_all(reported.as_mut_slice()).unwrap().len(), MESSAGES);
            times.iter_mut().zip(&reported).for_each(|(sum, times)| *sum += times);
            join(receiver);
        }
        assert!(times.iter().all(|&times| times == 1), "lost or received twice: {times:?}");
    });
}

// Notification.

#[test]
fn glibc_that_registered_is_told_of_our_message() {
    isolated(|| {
        let (ours, theirs) = both(1);
        let blocked = Blocked::new(Signal::USR1);
        theirs.notify_by_signal(Signal::USR1, 42).unwrap();
        let sender = child(|| ours.send(b"news", 0).unwrap());
        let pid = sender.id();
        join(sender);
        assert_eq!(blocked.take(), Some(news(pid, 42)));
    });
}

/// `struct sigevent` as C has it, with the part that the `libc` crate leaves out.
#[repr(C)]
struct ThreadEvent {
    value: usize,
    signal: libc::c_int,
    notify: libc::c_int,
    function: extern "C" fn(usize),
    attributes: usize,
    rest: [u8; Self::REST],
}
const _: () = assert!(size_of::<ThreadEvent>() == size_of::<libc::sigevent>());

impl ThreadEvent {
    const REST: usize = 64 - 3 * size_of::<usize>() - 2 * size_of::<libc::c_int>();
}

#[test]
fn thread_that_glibc_starts_for_a_message_is_started_for_ours() {
    static VALUE: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn note(value: usize) {
        VALUE.store(value, Relaxed);
    }
    isolated(|| {
        let (ours, theirs) = both(1);
        let gate = Pipe::new().unwrap();
        // The threads end with the child.
        let registered = child(|| {
            let event = ThreadEvent {
                value: 42,
                signal: 0,
                notify: libc::SIGEV_THREAD,
                function: note,
                attributes: 0,
                rest: [0; ThreadEvent::REST],
            };
            // SAFETY: `event` is laid out as C's, lives, and its function only touches an atomic.
            answer(unsafe { libc::mq_notify(theirs.0, (&raw const event).cast()) }).unwrap();
            open(&gate.writer);
            eventually("the thread has run", || VALUE.load(Relaxed) == 42);
        });
        pass(&gate.reader);
        assert_eq!(ours.notify_by_signal(Signal::USR1, 0), Err(Errno::BUSY));
        ours.send(b"news", 0).unwrap();
        join(registered);
    });
}

#[test]
fn we_that_registered_are_told_of_glibcs_message() {
    isolated(|| {
        let (ours, theirs) = both(1);
        let blocked = Blocked::new(Signal::USR1);
        ours.notify_by_signal(Signal::USR1, 42).unwrap();
        let sender = child(|| theirs.send(b"news", 0).unwrap());
        let pid = sender.id();
        join(sender);
        assert_eq!(blocked.take(), Some(news(pid, 42)));
    });
}

#[test]
fn message_that_the_other_side_waits_for_is_announced_to_neither() {
    isolated(|| {
        let (ours, theirs) = both(1);
        let blocked = Blocked::new(Signal::USR1);
        ours.notify_by_signal(Signal::USR1, 1).unwrap();
        let receiver = child(|| assert_eq!(theirs.receive(SIZE), Ok(message(b"awaited", 0))));
        sleeps_in(receiver.id(), libc::SYS_mq_timedreceive);
        ours.send(b"awaited", 0).unwrap();
        join(receiver);
        assert_eq!(blocked.take(), None);
        ours.cancel_notification().unwrap();

        theirs.notify_by_signal(Signal::USR1, 1).unwrap();
        let receiver = child(|| assert_eq!(receive(&ours, SIZE), Ok(message(b"awaited", 0))));
        sleeps_in(receiver.id(), libc::SYS_mq_timedreceive);
        theirs.send(b"awaited", 0).unwrap();
        join(receiver);
        assert_eq!(blocked.take(), None);
    });
}

#[test]
fn registration_of_one_side_is_in_the_way_of_the_others() {
    isolated(|| {
        let name = Own::new();
        let queue = name.create_ours(1);
        let (there, back) = (Pipe::new().unwrap(), Pipe::new().unwrap());
        let glibc = child(|| {
            let theirs = name.open_theirs().unwrap();
            // By signal, by nothing at all, and given up in each way there is.
            for give_up in [true, false] {
                theirs.notify_by_signal(Signal::USR1, 0).unwrap();
                open(&back.writer);
                pass(&there.reader);
                if give_up {
                    theirs.cancel_notification().unwrap();
                    theirs.notify(libc::SIGEV_NONE, Signal::USR1, 0).unwrap();
                    open(&back.writer);
                    pass(&there.reader);
                    theirs.cancel_notification().unwrap();
                }
            }
            drop(theirs);
            open(&back.writer);
            pass(&there.reader);
            let theirs = name.open_theirs().unwrap();
            assert_eq!(theirs.notify_by_signal(Signal::USR1, 0), Err(Errno::BUSY));
            theirs.cancel_notification().unwrap();
            assert_eq!(theirs.notify_by_signal(Signal::USR1, 0), Err(Errno::BUSY));
        });
        for _ in ["by signal", "by nothing", "by signal again"] {
            pass(&back.reader);
            assert_eq!(queue.notify_by_signal(Signal::USR1, 0), Err(Errno::BUSY));
            open(&there.writer);
        }
        pass(&back.reader);
        assert_eq!(queue.notify_by_signal(Signal::USR1, 0), Ok(()));
        open(&there.writer);
        join(glibc);
    });
}

// The same operations on two queues, ours and theirs.

/// How many descriptors each side has.
const SLOTS: usize = 3;
/// How many names each side has; the last is as long as names can be.
const NAMES: usize = 2;

#[derive(Clone, Debug)]
enum Operation {
    Open(Opening),
    /// Something that is no queue.
    OpenOther(usize),
    Clone {
        from: usize,
        to: usize,
    },
    Close(usize),
    Unlink(usize),
    Umask(u32),
    Send {
        slot: usize,
        len: usize,
        priority: u32,
        form: Form,
    },
    Receive {
        slot: usize,
        room: usize,
        form: Form,
    },
    SetNonblocking(usize, bool),
    Notify(usize, usize),
    CancelNotification(usize),
}

#[derive(Clone, Copy, Debug)]
struct Opening {
    slot: usize,
    name: usize,
    how: i32,
    access: i32,
    nonblocking: bool,
    mode: u32,
    max_messages: Option<usize>,
    message_size: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Waiting,
    /// Theirs has none: it is the timed form with a time in the past, and `TIMEDOUT` is `AGAIN`.
    Try,
    /// With a deadline in the past. Ours does not mind the flag that makes theirs say `AGAIN`.
    Until,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let slot = || 0..SLOTS;
    let form = || prop_oneof![Just(Form::Waiting), Just(Form::Try), Just(Form::Until)];
    let priority = prop_oneof![
        9 => 0..4_u32,
        2 => PRIORITIES - 1..PRIORITIES + 1,
        1 => Just(u32::MAX),
    ];
    let operation = prop_oneof![
        6 => openings().prop_map(Operation::Open),
        1 => slot().prop_map(Operation::OpenOther),
        2 => (slot(), slot()).prop_map(|(from, to)| Operation::Clone { from, to }),
        2 => slot().prop_map(Operation::Close),
        1 => (0..NAMES).prop_map(Operation::Unlink),
        1 => select(vec![0, 0o022, 0o077, 0o777]).prop_map(Operation::Umask),
        14 => (slot(), 0..11_usize, priority, form()).prop_map(|(slot, len, priority, form)| {
            Operation::Send { slot, len, priority, form }
        }),
        6 => (slot(), 5..11_usize, form()).prop_map(|(slot, room, form)| {
            Operation::Receive { slot, room, form }
        }),
        // Room for a message of any queue.
        6 => (slot(), form()).prop_map(|(slot, form)| {
            Operation::Receive { slot, room: 1 << 16, form }
        }),
        3 => (slot(), any::<bool>()).prop_map(|(slot, set)| Operation::SetNonblocking(slot, set)),
        3 => (slot(), any::<usize>()).prop_map(|(slot, value)| Operation::Notify(slot, value)),
        1 => slot().prop_map(Operation::CancelNotification),
    ];
    proptest::collection::vec(operation, 1..120)
}

fn openings() -> impl Strategy<Value = Opening> {
    let limits = Limits::get().unwrap();
    let how = select(vec![0, libc::O_CREAT, libc::O_CREAT, CREATE_NEW]);
    let access = select(vec![libc::O_RDONLY, libc::O_WRONLY, libc::O_RDWR, libc::O_RDWR]);
    let mode = select(vec![0o600, 0o600, 0o640, 0o444, 0o222, 0o000, 0o777]);
    let small = |sizes: core::ops::Range<usize>| sizes.prop_map(Some);
    let odd = |limit| select(vec![None, Some(0), Some(limit), Some(limit + 1), Some(1 << 30)]);
    let max_messages = prop_oneof![4 => small(1..4), 1 => odd(limits.max_messages)];
    let message_size = prop_oneof![4 => small(7..10), 1 => odd(limits.max_message_size)];
    let rest = (any::<bool>(), mode, max_messages, message_size);
    (0..SLOTS, 0..NAMES, how, access, rest).prop_map(
        |(slot, name, how, access, (nonblocking, mode, max_messages, message_size))| Opening {
            slot,
            name,
            how,
            access,
            nonblocking,
            mode,
            max_messages,
            message_size,
        },
    )
}

/// What an operation does where it works.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Permissions(u32),
    Received(Message),
}

/// Both sides: each has queues of its own, and is to be in the same state as the other.
struct Sides {
    names: [(Own, Own); NAMES],
    ours: [Option<Mq>; SLOTS],
    theirs: [Option<Theirs>; SLOTS],
    /// Our queues tell by one signal, theirs by another.
    signals: (Blocked, Blocked),
}

impl Sides {
    fn new() -> Self {
        let short_and_long = || {
            let short = Own::new();
            let long = short.with("l".repeat(255 - short.0.as_bytes().len()));
            [short, long]
        };
        let ([a, b], [c, d]) = (short_and_long(), short_and_long());
        rustix::process::umask(Mode::from_raw_mode(0o022));
        assert_eq!(b.0.as_bytes().len(), 255);
        Self {
            names: [(a, c), (b, d)],
            ours: [const { None }; SLOTS],
            theirs: [const { None }; SLOTS],
            signals: (Blocked::new(Signal::USR1), Blocked::new(Signal::USR2)),
        }
    }

    /// Does the same on both sides and returns both answers; none where there is nothing to do it
    /// with.
    fn apply(
        &mut self,
        nth: usize,
        operation: &Operation,
    ) -> Option<(Result<Outcome>, Result<Outcome>)> {
        match *operation {
            Operation::Open(opening) => return Some(self.open(&opening)),
            Operation::OpenOther(slot) => {
                let other = || File::options().read(true).write(true).open("/dev/null").unwrap();
                self.ours[slot] = Some(Mq::from(OwnedFd::from(other())));
                self.theirs[slot] = Some(Theirs::from(OwnedFd::from(other())));
            }
            Operation::Clone { from, to } => {
                let ours = self.ours[from].as_ref()?.try_clone().unwrap();
                let theirs = self.theirs[from].as_ref()?.descriptor().try_clone_to_owned();
                self.ours[to] = Some(ours);
                self.theirs[to] = Some(theirs.unwrap().into());
            }
            Operation::Close(slot) => (self.ours[slot], self.theirs[slot]) = (None, None),
            Operation::Umask(mask) => {
                rustix::process::umask(Mode::from_raw_mode(mask));
            }
            Operation::Unlink(name) => {
                let (ours, theirs) = &self.names[name];
                let done = |answer: Result<()>| answer.map(|()| Outcome::Done);
                return Some((done(Mq::unlink(&ours.0)), done(Theirs::unlink(&theirs.c_string()))));
            }
            Operation::Send { slot, .. }
            | Operation::Receive { slot, .. }
            | Operation::SetNonblocking(slot, _)
            | Operation::Notify(slot, _)
            | Operation::CancelNotification(slot) => {
                let (ours, theirs) = (self.ours[slot].as_ref()?, self.theirs[slot].as_ref()?);
                return Some(on_open(ours, theirs, nth, operation));
            }
        }
        Some((Ok(Outcome::Done), Ok(Outcome::Done)))
    }

    fn open(&mut self, opening: &Opening) -> (Result<Outcome>, Result<Outcome>) {
        let &Opening { slot, name, how, access, nonblocking, mode, .. } = opening;
        let mut options = Mq::options().nonblocking(nonblocking);
        match access {
            libc::O_RDONLY => options = options.read_only(),
            libc::O_WRONLY => options = options.write_only(),
            _ => {}
        }
        if let Some(messages) = opening.max_messages {
            options = options.max_messages(messages);
        }
        if let Some(size) = opening.message_size {
            options = options.message_size(size);
        }
        let (ours, theirs) = &self.names[name];
        let mode_of_ours = Mode::from_raw_mode(mode);
        let ours = match how {
            0 => options.open(&ours.0),
            libc::O_CREAT => options.create(&ours.0, mode_of_ours),
            _ => options.create_new(&ours.0, mode_of_ours),
        };

        // Theirs takes both sizes or none.
        let limits = Limits::get().unwrap();
        let sizes = (opening.max_messages.or(opening.message_size)).map(|_| {
            let messages = opening.max_messages.unwrap_or(limits.default_messages);
            let size = opening.message_size.unwrap_or(limits.default_message_size);
            (messages.try_into().unwrap(), size.try_into().unwrap())
        });
        let flags = how | access | if nonblocking { libc::O_NONBLOCK } else { 0 };
        let theirs = Theirs::open(&theirs.c_string(), flags, mode, sizes);

        let permissions = |fd: BorrowedFd<'_>| {
            Outcome::Permissions(rustix::fs::fstat(fd).unwrap().st_mode & 0o7777)
        };
        let opened = (
            ours.as_ref().map(|ours| permissions(ours.as_fd())).map_err(|&errno| errno),
            theirs.as_ref().map(|theirs| permissions(theirs.descriptor())).map_err(|&errno| errno),
        );
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            (self.ours[slot], self.theirs[slot]) = (Some(ours), Some(theirs));
        }
        opened
    }

    /// Checks that both sides are in the same state.
    fn compare(&self) -> Result<(), TestCaseError> {
        for (ours, theirs) in self.ours.iter().zip(&self.theirs) {
            prop_assert_eq!(ours.is_some(), theirs.is_some());
            let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
            prop_assert_eq!(Attributes::ours(ours), theirs.attributes());
            let flags = |fd: BorrowedFd<'_>| {
                // Asked for or not, this flag is the descriptor's, where it is always set.
                let status = rustix::fs::fcntl_getfl(fd).unwrap() - rustix::fs::OFlags::CLOEXEC;
                (status, rustix::io::fcntl_getfd(fd).unwrap())
            };
            prop_assert_eq!(flags(ours.as_fd()), flags(theirs.descriptor()));
        }
        prop_assert_eq!(self.signals.0.take(), self.signals.1.take());
        Ok(())
    }
}

/// Those operations that are done on an open queue.
fn on_open(
    ours: &Mq,
    theirs: &Theirs,
    nth: usize,
    operation: &Operation,
) -> (Result<Outcome>, Result<Outcome>) {
    let done = |answer: Result<()>| answer.map(|()| Outcome::Done);
    let both = |ours, theirs| (done(ours), done(theirs));
    match *operation {
        Operation::Send { len, priority, form, .. } => {
            let message = vec![nth.to_le_bytes()[0]; len];
            let form = if form == Form::Waiting && would_wait(theirs, |now| now.max_messages) {
                Form::Try
            } else {
                form
            };
            match form {
                Form::Waiting => {
                    both(ours.send(&message, priority), theirs.send(&message, priority))
                }
                Form::Try => both(
                    ours.try_send(&message, priority),
                    theirs.timed_send(&message, priority, PAST).map_err(never_waits),
                ),
                Form::Until => both(
                    ours.send_until(&message, priority, Deadline::now()),
                    theirs.timed_send(&message, priority, PAST).map_err(minds_no_flag),
                ),
            }
        }
        Operation::Receive { room, form, .. } => {
            let form =
                if form == Form::Waiting && would_wait(theirs, |_| 0) { Form::Try } else { form };
            let (ours, theirs) = match form {
                Form::Waiting => (receive(ours, room), theirs.receive(room)),
                Form::Try => {
                    (try_receive(ours, room), theirs.timed_receive(room, PAST).map_err(never_waits))
                }
                Form::Until => (
                    receive_until(ours, room, Deadline::now()),
                    theirs.timed_receive(room, PAST).map_err(minds_no_flag),
                ),
            };
            (ours.map(Outcome::Received), theirs.map(Outcome::Received))
        }
        Operation::SetNonblocking(_, set) => {
            both(ours.set_nonblocking(set), theirs.set_nonblocking(set).map(drop))
        }
        Operation::Notify(_, value) => both(
            ours.notify_by_signal(Signal::USR1, value),
            theirs.notify_by_signal(Signal::USR2, value),
        ),
        _ => both(ours.cancel_notification(), theirs.cancel_notification()),
    }
}

/// Whether a waiting form might wait: with that many messages, it would.
fn would_wait(theirs: &Theirs, at: fn(Attributes) -> usize) -> bool {
    theirs.attributes().is_ok_and(|now| !now.nonblocking && now.messages == at(now))
}

fn never_waits(errno: Errno) -> Errno {
    if errno == Errno::TIMEDOUT { Errno::AGAIN } else { errno }
}

fn minds_no_flag(errno: Errno) -> Errno {
    if errno == Errno::AGAIN { Errno::TIMEDOUT } else { errno }
}

/// Runs random operations on both sides.
fn assert_same_answers() {
    let config = Config {
        cases: 200,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..Config::default()
    };
    // So that there is something to begin with.
    let start = Operation::Open(Opening {
        slot: 0,
        name: 0,
        how: CREATE_NEW,
        access: libc::O_RDWR,
        nonblocking: false,
        mode: 0o600,
        max_messages: Some(2),
        message_size: Some(8),
    });
    let checked = TestRunner::new(config).run(&operations(), |operations| {
        let mut sides = Sides::new();
        for (nth, operation) in [&start].into_iter().chain(&operations).enumerate() {
            let Some((ours, theirs)) = sides.apply(nth, operation) else { continue };
            // Both sides' bytes count for the same user, whose last ones only one can have.
            if ours == Err(Errno::MFILE) || theirs == Err(Errno::MFILE) {
                break;
            }
            prop_assert_eq!(ours, theirs, "operation {}: {:?}", nth, operation);
            sides.compare()?;
        }
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn same_operations_have_the_same_answers() {
    isolated(|| {
        assert_same_answers();
    });
}

/// Root may open what its permissions would not let it, and so never hears of `ACCESS`.
#[test]
fn same_operations_have_the_same_answers_for_another_user() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let mut other = child(|| {
            become_user(STRANGER);
            assert_same_answers();
        });
        assert!(other.wait().unwrap().success(), "however long it takes");
    });
}
