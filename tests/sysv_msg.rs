//! System V message queues, as their documentation promises them.

mod support;

use core::ffi::c_long;
use core::mem::MaybeUninit;
use std::collections::HashMap;
use std::fs;

use rawipc::pipe::Pipe;
use rawipc::process::{self, Pid, Signal};
use rawipc::sysv::msg::{COPIED, HEADER, Which};
use rawipc::sysv::{Key, Mode, MsgQueue};
use rawipc::{Buffer, Errno};
use rustix::process::{Gid, Uid, getegid, geteuid};
use support::limits::{in_own_namespace, with_limits};
use support::numbers::{MSGRCV, MSGSND};
use support::signals::Interruptions;
use support::sysv::{Queue, RW, seconds};
use support::users::{OTHER, STRANGER, as_stranger, become_user, is_root};
use support::{child, eventually, isolated, join, kill, sleeps_in};

/// Longer than any text that these tests send, but for those that say so.
const ROOM: usize = HEADER + COPIED;

impl Queue {
    fn permitting(mode: u32) -> Self {
        Self(MsgQueue::create_new(Key::PRIVATE, Mode::from_raw_mode(mode)).unwrap())
    }

    /// One that has room for so many bytes.
    fn holding(bytes: usize) -> Self {
        let queue = Self::new();
        queue.set_max_bytes(bytes).unwrap();
        queue
    }
}

/// What there is of those wanted, without waiting.
fn next(queue: MsgQueue, which: Which) -> Result<(c_long, Vec<u8>), Errno> {
    let mut buffer = [0; ROOM];
    queue.try_receive(&mut buffer, which).map(|message| (message.kind, message.text.to_vec()))
}

/// All that is in it, from the oldest.
fn all(queue: MsgQueue) -> Vec<(c_long, Vec<u8>)> {
    core::iter::from_fn(|| next(queue, Which::any()).ok()).collect()
}

fn messages(queue: MsgQueue) -> usize {
    queue.status().unwrap().messages
}

/// Text whose every byte tells where it belongs.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// Text in a buffer, behind the room for its type.
fn in_place(text: &[u8]) -> Vec<u8> {
    [&[0xEE; HEADER], text].concat()
}

/// Where the message stands, for the system call that a process sleeps in.
fn address(sleeper: Pid, number: c_long) -> usize {
    sleeps_in(sleeper, number);
    let shown = fs::read_to_string(format!("/proc/{}/syscall", sleeper.as_raw_nonzero())).unwrap();
    let address = shown.split(' ').nth(2).and_then(|shown| shown.strip_prefix("0x"));
    usize::from_str_radix(address.unwrap(), 16).unwrap()
}

// Finding and creating.

#[test]
fn create_makes_a_queue_and_then_finds_it() {
    isolated(|| {
        let (queue, key) = Queue::keyed();
        queue.remove().unwrap();
        let queue = Queue(MsgQueue::create(key, RW).unwrap());
        queue.send(1, b"kept").unwrap();
        assert_eq!(MsgQueue::create(key, RW), Ok(*queue));
        assert_eq!(all(*queue), [(1, b"kept".to_vec())]);
    });
}

#[test]
fn create_leaves_the_permissions_of_one_that_is_there() {
    isolated(|| {
        let (queue, key) = Queue::keyed();
        assert_eq!(MsgQueue::create(key, Mode::RUSR), Ok(*queue));
        assert_eq!(queue.status().unwrap().permissions.mode, RW);
    });
}

#[test]
fn create_new_refuses_a_key_that_is_taken() {
    isolated(|| {
        let (queue, key) = Queue::keyed();
        assert_eq!(MsgQueue::create_new(key, RW), Err(Errno::EXIST));
        queue.remove().unwrap();
        drop(Queue(MsgQueue::create_new(key, RW).unwrap()));
    });
}

#[test]
fn another_process_finds_the_queue_by_its_key() {
    isolated(|| {
        let (queue, key) = Queue::keyed();
        join(child(|| {
            let found = MsgQueue::open(key).unwrap();
            assert_eq!(found.id(), queue.id());
            found.send(3, b"from the child").unwrap();
        }));
        assert_eq!(next(*queue, Which::any()), Ok((3, b"from the child".to_vec())));
    });
}

#[test]
fn another_process_uses_the_queue_by_its_identifier() {
    isolated(|| {
        let queue = Queue::new();
        let id = queue.id();
        join(child(|| MsgQueue::from_id(id).send(3, b"by number").unwrap()));
        assert_eq!(next(*queue, Which::any()), Ok((3, b"by number".to_vec())));
    });
}

#[test]
fn open_finds_nothing_where_nothing_is() {
    isolated(|| {
        let (queue, key) = Queue::keyed();
        queue.remove().unwrap();
        assert_eq!(MsgQueue::open(key), Err(Errno::NOENT));
    });
}

#[test]
fn open_of_the_private_key_finds_nothing_and_makes_nothing() {
    isolated(|| {
        in_own_namespace(|| {
            assert_eq!(MsgQueue::open(Key::PRIVATE), Err(Errno::NOENT));
            let table = fs::read_to_string("/proc/sysvipc/msg").unwrap();
            assert_eq!(table.lines().count(), 1, "only the heading: {table}");
            drop(Queue::new());
        });
        assert_eq!(MsgQueue::open(Key::PRIVATE), Err(Errno::NOENT));
    });
}

#[test]
fn private_queues_are_new_each_time() {
    isolated(|| {
        let queues = [
            Queue(MsgQueue::create_new(Key::PRIVATE, RW).unwrap()),
            Queue(MsgQueue::create_new(Key::PRIVATE, RW).unwrap()),
            Queue(MsgQueue::create(Key::PRIVATE, RW).unwrap()),
            Queue(MsgQueue::create(Key::PRIVATE, RW).unwrap()),
        ];
        for (number, queue) in (1..).zip(&queues) {
            queue.send(number, b"").unwrap();
        }
        for (number, queue) in (1..).zip(&queues) {
            assert_eq!(all(**queue), [(number, vec![])]);
            assert_eq!(queue.status().unwrap().permissions.key, Key::PRIVATE);
        }
    });
}

#[test]
fn umask_does_not_count() {
    isolated(|| {
        rustix::process::umask(Mode::from_raw_mode(0o777));
        for mode in [0o666, 0o600, 0o777, 0o000] {
            let queue = MsgQueue::create_new(Key::PRIVATE, Mode::from_raw_mode(mode)).unwrap();
            let queue = Queue(queue);
            if mode & 0o400 != 0 || geteuid().is_root() {
                assert_eq!(queue.status().unwrap().permissions.mode.as_raw_mode(), mode);
            }
        }
    });
}

#[test]
fn bits_of_the_mode_that_are_no_permissions_are_not_taken_for_flags() {
    isolated(|| {
        let (queue, key) = Queue::keyed();
        // Among msgget's flags they would mean IPC_CREAT, IPC_EXCL and IPC_NOWAIT.
        let odd = Mode::from_raw_mode(0o7600);
        assert_eq!(MsgQueue::create(key, odd), Ok(*queue));
        queue.set_mode(odd).unwrap();
        assert_eq!(queue.status().unwrap().permissions.mode, RW);
        queue.remove().unwrap();
        let queue = Queue(MsgQueue::create_new(key, odd).unwrap());
        assert_eq!(queue.status().unwrap().permissions.mode, RW);
    });
}

#[test]
fn dropping_changes_nothing() {
    isolated(|| {
        let (queue, key) = Queue::keyed();
        join(child(|| {
            let same = MsgQueue::open(key).unwrap();
            same.send(1, b"stays").unwrap();
        }));
        assert_eq!(MsgQueue::open(key), Ok(*queue));
        assert_eq!(messages(*queue), 1);
    });
}

#[test]
fn there_are_only_as_many_queues_as_the_system_allows() {
    isolated(|| {
        with_limits(&[("msgmni", 2)], || {
            let (_first, second) = (Queue::keyed(), Queue::keyed());
            assert_eq!(MsgQueue::create_new(Key::PRIVATE, RW), Err(Errno::NOSPC));
            assert_eq!(MsgQueue::create_unique(RW), Err(Errno::NOSPC));
            assert_eq!(MsgQueue::create(Key::from_raw(1), RW), Err(Errno::NOSPC));
            assert_eq!(MsgQueue::create(second.1, RW), Ok(*second.0), "it is there");
            second.0.remove().unwrap();
            drop(Queue::new());
        });
    });
}

// Which message.

#[test]
fn messages_come_in_the_order_in_which_they_were_sent() {
    isolated(|| {
        let queue = Queue::new();
        let sent: Vec<_> = (1..=20).map(|n: u8| (c_long::from(n % 4 + 1), vec![n])).collect();
        for (kind, text) in &sent {
            queue.send(*kind, text).unwrap();
        }
        assert_eq!(all(*queue), sent);
    });
}

#[test]
fn exactly_takes_the_oldest_of_that_type() {
    isolated(|| {
        let queue = Queue::new();
        for (kind, text) in [(1, b"a"), (2, b"b"), (1, b"c"), (2, b"d")] {
            queue.send(kind, text).unwrap();
        }
        assert_eq!(next(*queue, Which::exactly(2)), Ok((2, b"b".to_vec())));
        assert_eq!(next(*queue, Which::exactly(2)), Ok((2, b"d".to_vec())));
        assert_eq!(next(*queue, Which::exactly(2)), Err(Errno::NOMSG));
        assert_eq!(next(*queue, Which::exactly(3)), Err(Errno::NOMSG));
        assert_eq!(all(*queue), [(1, b"a".to_vec()), (1, b"c".to_vec())]);
    });
}

#[test]
fn lowest_up_to_takes_the_oldest_of_the_lowest_type() {
    isolated(|| {
        let queue = Queue::new();
        for (kind, text) in [(5, b"a"), (3, b"b"), (4, b"c"), (3, b"d"), (9, b"e")] {
            queue.send(kind, text).unwrap();
        }
        assert_eq!(next(*queue, Which::lowest_up_to(2)), Err(Errno::NOMSG));
        let expected = [(3, b"b"), (3, b"d"), (4, b"c"), (5, b"a")];
        for (kind, text) in expected {
            assert_eq!(next(*queue, Which::lowest_up_to(5)), Ok((kind, text.to_vec())));
        }
        assert_eq!(next(*queue, Which::lowest_up_to(8)), Err(Errno::NOMSG));
        assert_eq!(next(*queue, Which::lowest_up_to(9)), Ok((9, b"e".to_vec())));
    });
}

#[test]
fn any_but_takes_the_oldest_of_another_type() {
    isolated(|| {
        let queue = Queue::new();
        for (kind, text) in [(1, b"a"), (2, b"b"), (1, b"c"), (3, b"d")] {
            queue.send(kind, text).unwrap();
        }
        assert_eq!(next(*queue, Which::any_but(1)), Ok((2, b"b".to_vec())));
        assert_eq!(next(*queue, Which::any_but(1)), Ok((3, b"d".to_vec())));
        assert_eq!(next(*queue, Which::any_but(1)), Err(Errno::NOMSG));
        assert_eq!(next(*queue, Which::any_but(2)), Ok((1, b"a".to_vec())));
    });
}

#[test]
fn types_reach_from_one_to_the_longest_word() {
    isolated(|| {
        let queue = Queue::new();
        for kind in [1, 2, 0x1_0000, 0x7fff_ffff, c_long::MAX - 1, c_long::MAX] {
            queue.send(kind, b"x").unwrap();
            assert_eq!(next(*queue, Which::exactly(kind)), Ok((kind, b"x".to_vec())));
            queue.send_in_place(kind, &mut in_place(b"y")).unwrap();
            assert_eq!(next(*queue, Which::lowest_up_to(kind)), Ok((kind, b"y".to_vec())));
        }
        queue.send(c_long::MAX, b"x").unwrap();
        assert_eq!(next(*queue, Which::lowest_up_to(c_long::MAX - 1)), Err(Errno::NOMSG));
        assert_eq!(next(*queue, Which::any_but(c_long::MAX)), Err(Errno::NOMSG));
        assert_eq!(next(*queue, Which::any_but(1)), Ok((c_long::MAX, b"x".to_vec())));
    });
}

#[test]
fn type_that_is_not_positive_is_not_sent() {
    isolated(|| {
        let queue = Queue::new();
        for kind in [0, -1, -2, c_long::MIN, c_long::MIN + 1] {
            assert_eq!(queue.send(kind, b"x"), Err(Errno::INVAL), "{kind}");
            assert_eq!(queue.try_send(kind, b"x"), Err(Errno::INVAL), "{kind}");
            let mut buffer = in_place(b"x");
            assert_eq!(queue.send_in_place(kind, &mut buffer), Err(Errno::INVAL), "{kind}");
            assert_eq!(queue.try_send_in_place(kind, &mut buffer), Err(Errno::INVAL), "{kind}");
        }
        assert_eq!(messages(*queue), 0);
    });
}

#[test]
fn type_that_is_not_positive_is_not_received() {
    isolated(|| {
        let queue = Queue::new();
        queue.send(1, b"x").unwrap();
        let mut buffer = [0; ROOM];
        for kind in [0, -1, c_long::MIN, c_long::MIN + 1] {
            for which in [Which::exactly(kind), Which::lowest_up_to(kind), Which::any_but(kind)] {
                for which in [which, which.truncating()] {
                    assert_eq!(queue.receive(&mut buffer, which), Err(Errno::INVAL), "{which:?}");
                    assert_eq!(next(*queue, which), Err(Errno::INVAL), "{which:?}");
                }
            }
        }
        assert_eq!(messages(*queue), 1);
    });
}

#[test]
fn receiver_sleeps_while_there_are_only_others() {
    isolated(|| {
        let queue = Queue::new();
        queue.send(1, b"another").unwrap();
        let receiver = child(|| {
            let mut buffer = [0; ROOM];
            let message = queue.receive(&mut buffer, Which::exactly(2)).unwrap();
            assert_eq!((message.kind, &*message.text), (2, &b"wanted"[..]));
        });
        sleeps_in(receiver.id(), MSGRCV);
        queue.send(3, b"another").unwrap();
        queue.send(2, b"wanted").unwrap();
        join(receiver);
        assert_eq!(messages(*queue), 2);
    });
}

#[test]
fn message_goes_to_the_sleeper_who_wants_it() {
    isolated(|| {
        let queue = Queue::new();
        let receivers = [1, 2, 3].map(|kind| {
            let receiver = child(|| {
                let mut buffer = [0; ROOM];
                assert_eq!(queue.receive(&mut buffer, Which::exactly(kind)).unwrap().kind, kind);
            });
            sleeps_in(receiver.id(), MSGRCV);
            receiver
        });
        for (kind, receiver) in (1..).zip(receivers).collect::<Vec<_>>().into_iter().rev() {
            queue.send(kind, b"yours").unwrap();
            join(receiver);
        }
        assert_eq!(messages(*queue), 0);
    });
}

// Looking without taking.

/// Whether the kernel can copy without taking; says so if not.
fn can_copy() -> bool {
    let queue = Queue::new();
    let can = queue.copy_at(&mut [0; ROOM], 0) != Err(Errno::NOSYS);
    if !can {
        eprintln!("skipped: this kernel has no MSG_COPY (CONFIG_CHECKPOINT_RESTORE)");
    }
    can
}

#[test]
fn copy_at_shows_each_place_and_takes_nothing() {
    isolated(|| {
        if !can_copy() {
            return;
        }
        let queue = Queue::new();
        let sent = [(3, b"a".to_vec()), (1, b"".to_vec()), (2, pattern(300))];
        for (kind, text) in &sent {
            queue.send(*kind, text).unwrap();
        }
        let before = queue.status().unwrap();
        let mut buffer = [0; ROOM];
        for _ in 0..2 {
            for (index, (kind, text)) in sent.iter().enumerate() {
                let message = queue.copy_at(&mut buffer, index).unwrap();
                assert_eq!((message.kind, &*message.text), (*kind, &text[..]));
            }
        }
        let mut uninitialised = [MaybeUninit::uninit(); ROOM];
        assert_eq!(queue.copy_at(&mut uninitialised, 0).unwrap().text, b"a");
        assert_eq!(queue.status().unwrap(), before, "not even who last received");
        assert_eq!(all(*queue), sent);
    });
}

#[test]
fn copy_at_finds_nothing_beyond_the_last() {
    isolated(|| {
        if !can_copy() {
            return;
        }
        let queue = Queue::new();
        let mut buffer = [0; ROOM];
        assert_eq!(queue.copy_at(&mut buffer, 0), Err(Errno::NOMSG));
        queue.send(1, b"x").unwrap();
        for index in [1, 2, 1 << 20, usize::MAX >> 1, (usize::MAX >> 1) + 1, usize::MAX] {
            assert_eq!(queue.copy_at(&mut buffer, index), Err(Errno::NOMSG), "{index}");
        }
        assert_eq!(queue.copy_at(&mut buffer, 0).unwrap().text, b"x");
    });
}

#[test]
fn copy_at_needs_room_for_the_whole_text() {
    isolated(|| {
        if !can_copy() {
            return;
        }
        let queue = Queue::new();
        queue.send(1, b"four").unwrap();
        assert_eq!(queue.copy_at(&mut [0; HEADER + 3], 0), Err(Errno::TOOBIG));
        assert_eq!(queue.copy_at(&mut [0; HEADER + 4], 0).unwrap().text, b"four");
        assert_eq!(queue.copy_at(&mut [0; HEADER - 1], 0), Err(Errno::INVAL));
        assert_eq!(messages(*queue), 1);
    });
}

// How long.

#[test]
fn text_one_byte_too_long_for_the_buffer_stays() {
    isolated(|| {
        let queue = Queue::new();
        for len in [1, 2, 255, 256, 257, COPIED] {
            queue.send(4, &pattern(len)).unwrap();
            let mut short = vec![0; HEADER + len - 1];
            for which in [Which::any(), Which::exactly(4), Which::lowest_up_to(4)] {
                assert_eq!(queue.receive(&mut short[..], which), Err(Errno::TOOBIG));
                assert_eq!(queue.try_receive(&mut short[..], which), Err(Errno::TOOBIG));
            }
            assert_eq!(messages(*queue), 1);
            let mut enough = vec![0; HEADER + len];
            let message = queue.receive(&mut enough[..], Which::any()).unwrap();
            assert_eq!((message.kind, &*message.text), (4, &pattern(len)[..]));
        }
    });
}

#[test]
fn truncating_cuts_off_what_has_no_room_and_loses_it() {
    isolated(|| {
        let queue = Queue::new();
        for which in [Which::any(), Which::exactly(4), Which::lowest_up_to(4), Which::any_but(5)] {
            for room in [0, 1, 5] {
                queue.send(4, b"sixsix").unwrap();
                let mut short = vec![0; HEADER + room];
                let message = queue.receive(&mut short[..], which.truncating()).unwrap();
                assert_eq!((message.kind, &*message.text), (4, &b"sixsix"[..room]));
                assert_eq!(messages(*queue), 0);
            }
            queue.send(4, b"sixsix").unwrap();
            let mut enough = [0; HEADER + 6];
            assert_eq!(queue.receive(&mut enough, which.truncating()).unwrap().text, b"sixsix");
        }
    });
}

#[test]
fn sleeping_receiver_is_told_of_what_has_no_room() {
    isolated(|| {
        let queue = Queue::new();
        let receiver = child(|| {
            let received = queue.receive(&mut [0; HEADER + 3], Which::any()).map(|_| ());
            assert_eq!(received, Err(Errno::TOOBIG));
        });
        sleeps_in(receiver.id(), MSGRCV);
        queue.send(1, b"four").unwrap();
        join(receiver);
        assert_eq!(next(*queue, Which::any()), Ok((1, b"four".to_vec())));
    });
}

#[test]
fn empty_texts_are_messages_too() {
    isolated(|| {
        let queue = Queue::new();
        queue.send(1, b"").unwrap();
        queue.try_send(2, b"").unwrap();
        queue.send_in_place(3, &mut [0; HEADER]).unwrap();
        queue.try_send_in_place(4, &mut [0; HEADER]).unwrap();
        let status = queue.status().unwrap();
        assert_eq!((status.messages, status.bytes), (4, 0));
        assert_eq!(all(*queue), [(1, vec![]), (2, vec![]), (3, vec![]), (4, vec![])]);
    });
}

#[test]
fn buffer_of_a_header_takes_empty_texts_only() {
    isolated(|| {
        let queue = Queue::new();
        let mut buffer = [0; HEADER];
        queue.send(7, b"").unwrap();
        let message = queue.receive(&mut buffer, Which::any()).unwrap();
        assert_eq!((message.kind, &*message.text), (7, &b""[..]));
        queue.send(8, b"x").unwrap();
        assert_eq!(queue.receive(&mut buffer, Which::any()), Err(Errno::TOOBIG));
        let message = queue.receive(&mut buffer, Which::any().truncating()).unwrap();
        assert_eq!((message.kind, &*message.text), (8, &b""[..]));
    });
}

#[test]
fn buffer_shorter_than_a_header_is_refused_and_nothing_is_moved() {
    isolated(|| {
        let queue = Queue::new();
        queue.send(1, b"").unwrap();
        for len in 0..HEADER {
            let mut buffer = vec![0; len];
            for which in [Which::any(), Which::any().truncating()] {
                assert_eq!(queue.receive(&mut buffer[..], which), Err(Errno::INVAL));
                assert_eq!(queue.try_receive(&mut buffer[..], which), Err(Errno::INVAL));
            }
            assert_eq!(queue.send_in_place(1, &mut buffer), Err(Errno::INVAL));
            assert_eq!(queue.try_send_in_place(1, &mut buffer), Err(Errno::INVAL));
            assert_eq!(buffer, vec![0; len]);
        }
        assert_eq!(messages(*queue), 1);
    });
}

#[test]
fn send_copies_texts_of_every_length_up_to_its_limit() {
    isolated(|| {
        assert_eq!(COPIED, 8192, "as long as by default the system allows");
        let queue = Queue::new();
        for len in (0..20).chain(250..262).chain(1000..1003).chain(COPIED - 3..=COPIED) {
            queue.send(1, &pattern(len)).unwrap();
            assert_eq!(next(*queue, Which::any()), Ok((1, pattern(len))), "{len}");
            queue.try_send(2, &pattern(len)).unwrap();
            assert_eq!(next(*queue, Which::any()), Ok((2, pattern(len))), "{len}");
        }
    });
}

#[test]
fn send_refuses_what_it_cannot_copy_even_where_the_system_would_take_it() {
    isolated(|| {
        with_limits(&[("msgmax", 1 << 16), ("msgmnb", 1 << 16)], || {
            let queue = Queue::new();
            for len in [COPIED + 1, COPIED + HEADER, 1 << 16, (1 << 16) + 1] {
                assert_eq!(queue.send(1, &pattern(len)), Err(Errno::INVAL), "{len}");
                assert_eq!(queue.try_send(1, &pattern(len)), Err(Errno::INVAL), "{len}");
            }
            assert_eq!(messages(*queue), 0);
            queue.send(1, &pattern(COPIED)).unwrap();
        });
    });
}

#[test]
fn send_in_place_takes_all_that_the_system_does() {
    // More than there is of the stack, so that no copy can stand there.
    const LONGEST: usize = 1 << 24;

    isolated(|| {
        with_limits(&[("msgmax", LONGEST), ("msgmnb", LONGEST)], || {
            let queue = Queue::new();
            let mut received = vec![MaybeUninit::uninit(); HEADER + LONGEST];
            for len in [0, 1, 256, COPIED, COPIED + 1, 1 << 16, LONGEST - 1, LONGEST] {
                let mut buffer = in_place(&pattern(len));
                queue.send_in_place(1, &mut buffer).unwrap();
                let message = queue.receive(&mut received[..], Which::any()).unwrap();
                assert!(message.kind == 1 && message.text == &buffer[HEADER..], "{len}");
                queue.try_send_in_place(2, &mut buffer).unwrap();
                let message = queue.receive(&mut received[..], Which::any()).unwrap();
                assert!(message.kind == 2 && message.text == &buffer[HEADER..], "{len}");
            }
            let mut too_long = vec![0; HEADER + LONGEST + 1];
            assert_eq!(queue.send_in_place(1, &mut too_long), Err(Errno::INVAL));
            assert_eq!(queue.try_send_in_place(1, &mut too_long), Err(Errno::INVAL));
        });
    });
}

#[test]
fn text_longer_than_the_system_allows_is_refused() {
    isolated(|| {
        with_limits(&[("msgmax", 100)], || {
            let queue = Queue::new();
            assert_eq!(queue.send(1, &[0; 101]), Err(Errno::INVAL));
            assert_eq!(queue.try_send(1, &[0; 101]), Err(Errno::INVAL));
            assert_eq!(queue.send_in_place(1, &mut [0; HEADER + 101]), Err(Errno::INVAL));
            assert_eq!(messages(*queue), 0);
            queue.send(1, &[0; 100]).unwrap();
        });
    });
}

// Where the bytes stand.

#[test]
fn send_in_place_overwrites_the_header_and_nothing_else() {
    isolated(|| {
        let queue = Queue::new();
        let mut buffer = in_place(b"text");
        queue.send_in_place(0x1234_5678, &mut buffer).unwrap();
        let expected = [&c_long::to_ne_bytes(0x1234_5678)[..], b"text"].concat();
        assert_eq!(buffer, expected);
    });
}

#[test]
fn send_in_place_hands_the_kernel_the_buffer_itself() {
    isolated(|| {
        let queue = Queue::holding(4);
        queue.send(1, b"full").unwrap();
        let mut buffer = in_place(b"next");
        let stands_at = buffer.as_ptr().addr();
        let sender = child(|| queue.send_in_place(1, &mut buffer).unwrap());
        assert_eq!(address(sender.id(), MSGSND), stands_at);
        next(*queue, Which::any()).unwrap();
        join(sender);
    });
}

#[test]
fn receive_hands_the_kernel_the_buffer_itself() {
    isolated(|| {
        let queue = Queue::new();
        let mut buffer = [0; HEADER + 8];
        let stands_at = buffer.as_ptr().addr();
        let receiver = child(|| {
            let message = queue.receive(&mut buffer, Which::any()).unwrap();
            assert_eq!(message.text.as_ptr().addr(), stands_at + HEADER);
        });
        assert_eq!(address(receiver.id(), MSGRCV), stands_at);
        queue.send(1, b"there").unwrap();
        join(receiver);
    });
}

#[test]
fn message_is_passed_on_from_where_it_was_received() {
    isolated(|| {
        let (inbox, outbox) = (Queue::new(), Queue::new());
        let relay = child(|| {
            let mut buffer = [0; ROOM];
            for _ in 0..3 {
                let message = inbox.receive(&mut buffer, Which::any()).unwrap();
                let (kind, len) = (message.kind, message.text.len());
                outbox.send_in_place(kind + 10, &mut buffer[..HEADER + len]).unwrap();
            }
        });
        for (kind, len) in [(1, 5), (2, 0), (3, COPIED)] {
            inbox.send(kind, &pattern(len)).unwrap();
        }
        join(relay);
        assert_eq!(all(*outbox), [(11, pattern(5)), (12, pattern(0)), (13, pattern(COPIED))]);
    });
}

#[test]
fn buffers_need_not_be_aligned() {
    isolated(|| {
        let queue = Queue::new();
        let mut sent = [0_u64; 8].map(u64::to_ne_bytes).concat();
        let mut received = sent.clone();
        for offset in 0..2 * HEADER {
            sent[offset + HEADER..][..7].copy_from_slice(b"crooked");
            queue.send_in_place(9, &mut sent[offset..][..HEADER + 7]).unwrap();
            let message = queue.receive(&mut received[offset..], Which::any()).unwrap();
            assert_eq!((message.kind, &*message.text), (9, &b"crooked"[..]), "{offset}");
        }
    });
}

#[test]
fn buffer_need_not_be_initialised() {
    fn receives<'b>(queue: &Queue, buffer: impl Buffer<'b>) {
        queue.send(6, b"tea").unwrap();
        let message = queue.receive(buffer, Which::any()).unwrap();
        assert_eq!((message.kind, &*message.text), (6, &b"tea"[..]));
        message.text.make_ascii_uppercase();
        assert_eq!(message.text, b"TEA");
    }
    isolated(|| {
        let queue = Queue::new();
        receives(&queue, &mut [0; HEADER + 3]);
        receives(&queue, &mut vec![0; HEADER + 64][..]);
        receives(&queue, &mut [MaybeUninit::uninit(); HEADER + 3]);
        receives(&queue, &mut vec![MaybeUninit::uninit(); HEADER + 64][..]);
    });
}

#[test]
fn buffer_behind_the_text_is_left_as_it_was() {
    isolated(|| {
        let queue = Queue::new();
        queue.send(1, b"text").unwrap();
        let mut buffer = [0xAA; HEADER + 16];
        queue.receive(&mut buffer, Which::any()).unwrap();
        assert_eq!(&buffer[HEADER..], b"text\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA");
    });
}

// Waiting.

#[test]
fn try_receive_finds_nothing_in_an_empty_queue() {
    isolated(|| {
        let queue = Queue::new();
        for which in [Which::any(), Which::exactly(1), Which::lowest_up_to(9), Which::any_but(1)] {
            assert_eq!(next(*queue, which), Err(Errno::NOMSG));
        }
    });
}

#[test]
fn receive_sleeps_until_a_message_comes() {
    isolated(|| {
        let queue = Queue::new();
        let receiver = child(|| {
            let mut buffer = [0; ROOM];
            assert_eq!(queue.receive(&mut buffer, Which::any()).unwrap().text, b"at last");
        });
        sleeps_in(receiver.id(), MSGRCV);
        queue.send(1, b"at last").unwrap();
        join(receiver);
    });
}

#[test]
fn try_send_is_refused_by_a_full_queue() {
    isolated(|| {
        let queue = Queue::holding(8);
        queue.try_send(1, b"seven77").unwrap();
        assert_eq!(queue.try_send(1, b"22"), Err(Errno::AGAIN));
        assert_eq!(queue.try_send_in_place(1, &mut in_place(b"22")), Err(Errno::AGAIN));
        queue.try_send(1, b"1").unwrap();
        assert_eq!(queue.try_send(1, b"1"), Err(Errno::AGAIN));
        assert_eq!(all(*queue), [(1, b"seven77".to_vec()), (1, b"1".to_vec())]);
    });
}

#[test]
fn send_sleeps_until_there_is_room() {
    isolated(|| {
        let queue = Queue::holding(8);
        queue.send(1, b"all of 8").unwrap();
        let senders = [
            child(|| queue.send(2, b"late").unwrap()),
            child(|| queue.send_in_place(3, &mut in_place(b"late")).unwrap()),
        ];
        for sender in &senders {
            sleeps_in(sender.id(), MSGSND);
        }
        assert_eq!(messages(*queue), 1);
        assert_eq!(next(*queue, Which::any()), Ok((1, b"all of 8".to_vec())));
        senders.into_iter().for_each(join);
        let mut late = all(*queue);
        late.sort();
        assert_eq!(late, [(2, b"late".to_vec()), (3, b"late".to_vec())]);
    });
}

#[test]
fn queue_holds_no_more_empty_messages_than_bytes() {
    isolated(|| {
        let queue = Queue::holding(3);
        for _ in 0..3 {
            queue.try_send(1, b"").unwrap();
        }
        assert_eq!(queue.try_send(1, b""), Err(Errno::AGAIN));
    });
}

#[test]
fn removal_wakes_who_sleeps() {
    isolated(|| {
        let queue = Queue::holding(4);
        queue.send(1, b"full").unwrap();
        let sleepers = [
            (child(|| assert_eq!(queue.send(1, b"x"), Err(Errno::IDRM))), MSGSND),
            (
                child(|| {
                    let mut buffer = in_place(b"x");
                    assert_eq!(queue.send_in_place(1, &mut buffer), Err(Errno::IDRM));
                }),
                MSGSND,
            ),
            (
                child(|| {
                    let received = queue.receive(&mut [0; ROOM], Which::exactly(2)).map(|_| ());
                    assert_eq!(received, Err(Errno::IDRM));
                }),
                MSGRCV,
            ),
        ];
        for (sleeper, call) in &sleepers {
            sleeps_in(sleeper.id(), *call);
        }
        join(child(|| queue.remove().unwrap()));
        for (sleeper, _) in sleepers {
            join(sleeper);
        }
    });
}

#[test]
fn queue_that_was_removed_is_no_argument() {
    isolated(|| {
        let queue = Queue::new();
        queue.send(1, b"lost").unwrap();
        join(child(|| queue.remove().unwrap()));
        let (uid, gid) = (geteuid(), getegid());
        assert_eq!(queue.send(1, b"x"), Err(Errno::INVAL));
        assert_eq!(queue.try_send(1, b"x"), Err(Errno::INVAL));
        assert_eq!(queue.send_in_place(1, &mut in_place(b"x")), Err(Errno::INVAL));
        assert_eq!(queue.try_send_in_place(1, &mut in_place(b"x")), Err(Errno::INVAL));
        assert_eq!(queue.receive(&mut [0; ROOM], Which::any()), Err(Errno::INVAL));
        assert_eq!(queue.try_receive(&mut [0; ROOM], Which::any()), Err(Errno::INVAL));
        let copied = queue.copy_at(&mut [0; ROOM], 0).unwrap_err();
        assert!(matches!(copied, Errno::INVAL | Errno::NOSYS), "{copied:?}");
        assert_eq!(queue.status(), Err(Errno::INVAL));
        assert_eq!(queue.set_owner(uid, gid), Err(Errno::INVAL));
        assert_eq!(queue.set_mode(RW), Err(Errno::INVAL));
        assert_eq!(queue.set_max_bytes(1), Err(Errno::INVAL));
        assert_eq!(queue.remove(), Err(Errno::INVAL));
    });
}

#[test]
fn identifier_that_never_was_one_is_no_argument() {
    isolated(|| {
        for id in [-1, i32::MIN, i32::MAX] {
            let queue = MsgQueue::from_id(id);
            assert_eq!(queue.id(), id);
            assert_eq!(queue.send(1, b"x"), Err(Errno::INVAL));
            assert_eq!(queue.receive(&mut [0; ROOM], Which::any()), Err(Errno::INVAL));
            assert_eq!(queue.status(), Err(Errno::INVAL));
            assert_eq!(queue.remove(), Err(Errno::INVAL));
        }
    });
}

/// The call that does not wait looks the queue up and then locks it; where the removal comes in
/// between, the kernel says `IDRM`, although nobody slept.
#[test]
fn removal_at_the_moment_of_a_try_is_told_by_either_errno() {
    isolated(|| {
        for _ in 0..300 {
            let queue = Queue::new();
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let remover = child(|| {
                reader.read(&mut [0]).unwrap();
                queue.remove().unwrap();
            });
            writer.write(b"x").unwrap();
            let told = loop {
                match queue.try_send(1, b"x") {
                    Ok(()) | Err(Errno::AGAIN) => {}
                    Err(errno) => break errno,
                }
                match next(*queue, Which::any()) {
                    Ok(_) | Err(Errno::NOMSG) => {}
                    Err(errno) => break errno,
                }
            };
            assert!(matches!(told, Errno::INVAL | Errno::IDRM), "{told:?}");
            join(remover);
        }
    });
}

// Signals.

#[test]
fn signal_ends_the_wait_for_a_message() {
    isolated(|| {
        let queue = Queue::new();
        for start in [Interruptions::start, Interruptions::restarting] {
            let _interruptions = start();
            for which in [Which::any(), Which::exactly(2)] {
                assert_eq!(queue.receive(&mut [0; ROOM], which), Err(Errno::INTR));
            }
        }
    });
}

#[test]
fn signal_ends_the_wait_for_room_and_nothing_is_sent() {
    isolated(|| {
        let queue = Queue::holding(4);
        queue.send(1, b"full").unwrap();
        for start in [Interruptions::start, Interruptions::restarting] {
            let _interruptions = start();
            assert_eq!(queue.send(1, b"x"), Err(Errno::INTR));
            assert_eq!(queue.send_in_place(1, &mut in_place(b"x")), Err(Errno::INTR));
        }
        assert_eq!(all(*queue), [(1, b"full".to_vec())]);
    });
}

#[test]
fn signal_without_a_handler_ends_no_wait() {
    isolated(|| {
        let (empty, full) = (Queue::new(), Queue::holding(4));
        full.send(1, b"full").unwrap();
        let receiver = child(|| {
            let mut buffer = [0; ROOM];
            assert_eq!(empty.receive(&mut buffer, Which::any()).unwrap().text, b"come");
        });
        let sender = child(|| full.send(1, b"gone").unwrap());
        for (sleeper, call) in [(&receiver, MSGRCV), (&sender, MSGSND)] {
            sleeps_in(sleeper.id(), call);
            sleeper.kill(Signal::STOP).unwrap();
            let stat = format!("/proc/{}/stat", sleeper.id().as_raw_nonzero());
            eventually("it is stopped", || fs::read_to_string(&stat).unwrap().contains(") T "));
            sleeper.kill(Signal::CONT).unwrap();
            sleeps_in(sleeper.id(), call);
        }
        empty.send(1, b"come").unwrap();
        next(*full, Which::any()).unwrap();
        join(receiver);
        join(sender);
    });
}

#[test]
fn killed_receiver_takes_no_message_with_it() {
    isolated(|| {
        let queue = Queue::new();
        let victim = child(|| {
            let _ = queue.receive(&mut [0; ROOM], Which::any());
        });
        sleeps_in(victim.id(), MSGRCV);
        kill(victim);
        queue.send(1, b"for others").unwrap();
        assert_eq!(all(*queue), [(1, b"for others".to_vec())]);
    });
}

#[test]
fn killed_sender_leaves_the_queue_usable_and_no_message() {
    isolated(|| {
        let queue = Queue::holding(4);
        queue.send(1, b"full").unwrap();
        let victim = child(|| queue.send(2, b"x").unwrap());
        sleeps_in(victim.id(), MSGSND);
        kill(victim);
        assert_eq!(all(*queue), [(1, b"full".to_vec())]);
        queue.try_send(3, b"next").unwrap();
        assert_eq!(all(*queue), [(3, b"next".to_vec())]);
    });
}

#[test]
fn messages_outlive_their_sender() {
    isolated(|| {
        let queue = Queue::new();
        let victim = child(|| {
            queue.send(1, b"last words").unwrap();
            let _ = queue.receive(&mut [0; ROOM], Which::exactly(2));
        });
        sleeps_in(victim.id(), MSGRCV);
        kill(victim);
        assert_eq!(all(*queue), [(1, b"last words".to_vec())]);
    });
}

// Who may.

#[test]
fn sending_takes_permission_to_write() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let queue = Queue::permitting(0o604);
        queue.send(1, b"for all to read").unwrap();
        as_stranger(|| {
            assert_eq!(queue.send(1, b"x"), Err(Errno::ACCESS));
            assert_eq!(queue.try_send(1, b"x"), Err(Errno::ACCESS));
            assert_eq!(queue.send_in_place(1, &mut in_place(b"x")), Err(Errno::ACCESS));
            assert_eq!(queue.try_send_in_place(1, &mut in_place(b"x")), Err(Errno::ACCESS));
            assert_eq!(queue.status().unwrap().messages, 1);
            assert_eq!(all(*queue), [(1, b"for all to read".to_vec())]);
        });
    });
}

#[test]
fn receiving_and_looking_take_permission_to_read() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let queue = Queue::permitting(0o602);
        let copies = can_copy();
        as_stranger(|| {
            queue.send(1, b"a letterbox").unwrap();
            queue.send_in_place(1, &mut in_place(b"x")).unwrap();
            assert_eq!(queue.receive(&mut [0; ROOM], Which::any()), Err(Errno::ACCESS));
            assert_eq!(queue.try_receive(&mut [0; ROOM], Which::any()), Err(Errno::ACCESS));
            assert_eq!(queue.status(), Err(Errno::ACCESS));
            if copies {
                assert_eq!(queue.copy_at(&mut [0; ROOM], 0), Err(Errno::ACCESS));
            }
        });
        assert_eq!(messages(*queue), 2);
    });
}

#[test]
fn create_takes_all_the_permissions_that_its_mode_names() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let (queue, key) = Queue::keyed();
        queue.set_mode(Mode::from_raw_mode(0o604)).unwrap();
        as_stranger(|| {
            assert_eq!(MsgQueue::create(key, Mode::RUSR), Ok(*queue));
            assert_eq!(MsgQueue::create(key, Mode::ROTH), Ok(*queue));
            assert_eq!(MsgQueue::create(key, Mode::WUSR), Err(Errno::ACCESS));
            assert_eq!(MsgQueue::create(key, RW), Err(Errno::ACCESS));
            assert_eq!(MsgQueue::create_new(key, RW), Err(Errno::EXIST));
        });
    });
}

/// `msgget` without flags asks for nothing, so that nothing can be refused.
#[test]
fn open_takes_no_permission_but_every_use_does() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let (queue, key) = Queue::keyed();
        queue.set_mode(Mode::empty()).unwrap();
        as_stranger(|| {
            assert_eq!(MsgQueue::open(key), Ok(*queue));
            assert_eq!(queue.try_send(1, b"x"), Err(Errno::ACCESS));
            assert_eq!(queue.try_receive(&mut [0; ROOM], Which::any()), Err(Errno::ACCESS));
            assert_eq!(queue.status(), Err(Errno::ACCESS));
        });
    });
}

#[test]
fn only_owner_and_creator_set_and_remove() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let queue = Queue::permitting(0o666);
        let before = queue.status().unwrap();
        as_stranger(|| {
            let (uid, gid) = (Uid::from_raw(STRANGER), Gid::from_raw(STRANGER));
            assert_eq!(queue.set_owner(uid, gid), Err(Errno::PERM));
            assert_eq!(queue.set_mode(RW), Err(Errno::PERM));
            assert_eq!(queue.set_max_bytes(1), Err(Errno::PERM));
            assert_eq!(queue.remove(), Err(Errno::PERM));
        });
        assert_eq!(queue.status(), Ok(before));
    });
}

/// The kernel sets all at once, so that what is to stay has to be read before.
#[test]
fn setting_takes_permission_to_read_and_removing_does_not() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        as_stranger(|| {
            let queue = Queue::permitting(0o200);
            let (uid, gid) = (geteuid(), getegid());
            assert_eq!(queue.set_mode(RW), Err(Errno::ACCESS));
            assert_eq!(queue.set_owner(uid, gid), Err(Errno::ACCESS));
            assert_eq!(queue.set_max_bytes(1), Err(Errno::ACCESS));
            assert_eq!(queue.remove(), Ok(()));
        });
    });
}

#[test]
fn owner_can_be_another_and_may_then_set_and_remove() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let queue = Queue::new();
        queue.set_owner(Uid::from_raw(STRANGER), Gid::from_raw(OTHER)).unwrap();
        let permissions = queue.status().unwrap().permissions;
        assert_eq!((permissions.uid.as_raw(), permissions.gid.as_raw()), (STRANGER, OTHER));
        assert_eq!((permissions.creator_uid, permissions.creator_gid), (geteuid(), getegid()));
        assert_eq!(permissions.mode, RW, "that stays");
        join(child(|| {
            become_user(OTHER);
            assert_eq!(queue.try_send(1, b"x"), Err(Errno::ACCESS), "of the group, which may not");
        }));
        as_stranger(|| {
            queue.send(1, b"x").unwrap();
            queue.set_mode(Mode::RUSR).unwrap();
            assert_eq!(queue.try_send(1, b"x"), Err(Errno::ACCESS));
            queue.remove().unwrap();
        });
        assert_eq!(queue.status(), Err(Errno::INVAL));
    });
}

#[test]
fn group_has_its_own_permissions() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let queue = Queue::permitting(0o640);
        queue.set_owner(Uid::ROOT, Gid::from_raw(STRANGER)).unwrap();
        queue.send(1, b"x").unwrap();
        as_stranger(|| {
            assert_eq!(queue.try_send(1, b"x"), Err(Errno::ACCESS));
            assert_eq!(next(*queue, Which::any()), Ok((1, b"x".to_vec())));
        });
    });
}

#[test]
fn set_mode_ends_the_sleep_of_those_whom_it_shuts_out() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let queue = Queue::permitting(0o666);
        let receiver = child(|| {
            become_user(STRANGER);
            let received = queue.receive(&mut [0; ROOM], Which::any()).map(|_| ());
            assert_eq!(received, Err(Errno::ACCESS));
        });
        sleeps_in(receiver.id(), MSGRCV);
        queue.set_mode(RW).unwrap();
        join(receiver);
    });
}

// What it is like.

#[test]
fn new_queue_is_empty_and_says_whose_it_is() {
    isolated(|| {
        let before = seconds();
        let (queue, key) = Queue::keyed();
        let after = seconds();
        let status = queue.status().unwrap();
        let permissions = status.permissions;
        assert_eq!(permissions.key, key);
        assert_eq!((permissions.uid, permissions.gid), (geteuid(), getegid()));
        assert_eq!((permissions.creator_uid, permissions.creator_gid), (geteuid(), getegid()));
        assert_eq!(permissions.mode, RW);
        assert_eq!((status.messages, status.bytes), (0, 0));
        assert_eq!((status.last_sender, status.last_receiver), (None, None));
        assert_eq!((status.send_time, status.receive_time), (0, 0));
        assert!((before..=after).contains(&status.change_time), "{status:?}");
        let limit = fs::read_to_string("/proc/sys/kernel/msgmnb").unwrap();
        assert_eq!(status.max_bytes, limit.trim().parse().unwrap());
    });
}

#[test]
fn status_tells_who_sent_last_and_when_and_how_much_is_there() {
    isolated(|| {
        let queue = Queue::new();
        let created = queue.status().unwrap();
        let before = seconds();
        let senders = [5, 3].map(|len| {
            let sender = child(|| queue.send(1, &pattern(len)).unwrap());
            let pid = sender.id();
            join(sender);
            assert_eq!(queue.status().unwrap().last_sender, Some(pid));
            pid
        });
        let status = queue.status().unwrap();
        assert_eq!((status.messages, status.bytes), (2, 8));
        assert_eq!(status.last_sender, Some(senders[1]));
        assert!((before..=seconds()).contains(&status.send_time), "{status:?}");
        assert_eq!((status.last_receiver, status.receive_time), (None, 0));
        assert_eq!(status.change_time, created.change_time);
    });
}

#[test]
fn status_tells_who_received_last_and_when() {
    isolated(|| {
        let queue = Queue::new();
        queue.send(1, b"five5").unwrap();
        queue.send(2, b"tri").unwrap();
        let before = seconds();
        let receiver = child(|| assert_eq!(next(*queue, Which::exactly(1)).unwrap().0, 1));
        let pid = receiver.id();
        join(receiver);
        let status = queue.status().unwrap();
        assert_eq!((status.messages, status.bytes), (1, 3));
        assert_eq!((status.last_sender, status.last_receiver), (Some(process::id()), Some(pid)));
        assert!((before..=seconds()).contains(&status.receive_time), "{status:?}");
    });
}

#[test]
fn sleeping_receiver_is_the_one_who_received_last() {
    isolated(|| {
        let queue = Queue::new();
        let receiver = child(|| {
            queue.receive(&mut [0; ROOM], Which::any()).unwrap();
        });
        let pid = receiver.id();
        sleeps_in(pid, MSGRCV);
        queue.send(1, b"x").unwrap();
        join(receiver);
        let status = queue.status().unwrap();
        assert_eq!((status.last_sender, status.last_receiver), (Some(process::id()), Some(pid)));
        assert_eq!((status.messages, status.bytes), (0, 0));
    });
}

#[test]
fn processes_out_of_sight_are_nobody() {
    isolated(|| {
        let queue = Queue::permitting(0o666);
        queue.send(1, b"x").unwrap();
        next(*queue, Which::any()).unwrap();
        join(child(|| {
            // SAFETY: takes integers only; this process has one thread.
            if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
                eprintln!("skipped: takes root, to have process numbers of its own");
                return;
            }
            join(child(|| {
                assert_eq!(process::id(), Pid::INIT);
                let status = queue.status().unwrap();
                assert_eq!((status.last_sender, status.last_receiver), (None, None));
                queue.send(1, b"x").unwrap();
                assert_eq!(queue.status().unwrap().last_sender, Some(Pid::INIT));
            }));
        }));
    });
}

#[test]
fn what_is_refused_leaves_the_status_as_it_was() {
    isolated(|| {
        let queue = Queue::holding(4);
        queue.send(1, b"full").unwrap();
        let before = queue.status().unwrap();
        join(child(|| {
            assert_eq!(queue.try_send(1, b"x"), Err(Errno::AGAIN));
            assert_eq!(queue.try_send(0, b"x"), Err(Errno::INVAL));
            assert_eq!(next(*queue, Which::exactly(2)), Err(Errno::NOMSG));
            assert_eq!(queue.try_receive(&mut [0; HEADER], Which::any()), Err(Errno::TOOBIG));
        }));
        assert_eq!(queue.status(), Ok(before));
    });
}

#[test]
fn setting_moves_the_time_of_change_and_nothing_else() {
    isolated(|| {
        let queue = Queue::new();
        queue.send(1, b"stays").unwrap();
        let created = queue.status().unwrap();
        // It is told in whole seconds: so one of them has to pass.
        eventually("the time of change moves", || {
            queue.set_mode(RW).unwrap();
            queue.status().unwrap().change_time > created.change_time
        });
        let mut status = queue.status().unwrap();
        assert!(status.change_time <= seconds());
        status.change_time = created.change_time;
        assert_eq!(status, created);
    });
}

#[test]
fn set_mode_sets_the_mode_only() {
    isolated(|| {
        let queue = Queue::holding(77);
        let created = queue.status().unwrap();
        // Root may read without permission; others could not go on from what takes it from them.
        let unreadable = if geteuid().is_root() { &[0o266, 0o000][..] } else { &[] };
        for &mode in [0o666, 0o777, 0o640, 0o421, 0o400].iter().chain(unreadable) {
            queue.set_mode(Mode::from_raw_mode(mode)).unwrap();
            let status = queue.status().unwrap();
            assert_eq!(status.permissions.mode.as_raw_mode(), mode);
            assert_eq!(status.max_bytes, created.max_bytes);
            assert_eq!(status.permissions.uid, created.permissions.uid);
            assert_eq!(status.permissions.gid, created.permissions.gid);
        }
    });
}

#[test]
fn set_max_bytes_lets_who_sleeps_for_room_go_on() {
    isolated(|| {
        let queue = Queue::holding(4);
        queue.send(1, b"full").unwrap();
        let sender = child(|| queue.send(2, b"more").unwrap());
        sleeps_in(sender.id(), MSGSND);
        queue.set_max_bytes(8).unwrap();
        join(sender);
        let status = queue.status().unwrap();
        assert_eq!((status.messages, status.bytes, status.max_bytes), (2, 8, 8));
    });
}

#[test]
fn set_max_bytes_below_what_is_there_loses_nothing() {
    isolated(|| {
        let queue = Queue::new();
        queue.send(1, b"eight888").unwrap();
        queue.set_max_bytes(0).unwrap();
        assert_eq!(queue.status().unwrap().max_bytes, 0);
        assert_eq!(queue.try_send(1, b""), Err(Errno::AGAIN));
        assert_eq!(all(*queue), [(1, b"eight888".to_vec())]);
        assert_eq!(queue.try_send(1, b""), Err(Errno::AGAIN), "for there is room for nothing");
    });
}

#[test]
fn more_bytes_than_the_system_allows_take_privilege() {
    isolated(|| {
        let limit = fs::read_to_string("/proc/sys/kernel/msgmnb").unwrap();
        let limit: usize = limit.trim().parse().unwrap();
        join(child(|| {
            if geteuid().is_root() {
                become_user(STRANGER);
            }
            let queue = Queue::holding(1);
            for bytes in [limit + 1, usize::MAX] {
                assert_eq!(queue.set_max_bytes(bytes), Err(Errno::PERM));
            }
            assert_eq!(queue.status().unwrap().max_bytes, 1);
            queue.set_max_bytes(limit).unwrap();
            assert_eq!(queue.status().unwrap().max_bytes, limit);
        }));
    });
}

#[test]
fn more_bytes_than_the_system_allows_are_set_by_who_is_privileged() {
    isolated(|| {
        const CAP_SYS_RESOURCE: u32 = 24;
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:\t")).unwrap();
        if u64::from_str_radix(effective, 16).unwrap() & (1 << CAP_SYS_RESOURCE) == 0 {
            eprintln!("skipped: takes CAP_SYS_RESOURCE");
            return;
        }
        let queue = Queue::holding(1 << 24);
        assert_eq!(queue.status().unwrap().max_bytes, 1 << 24);
    });
}

// Many at once.

const PROCESSES: u16 = 8;
const EACH: u32 = 10_000;

/// Numbers the messages of a sender.
fn numbered(sender: u16, number: u32) -> [u8; 6] {
    let both = u64::from(number) << 16 | u64::from(sender);
    *both.to_le_bytes().first_chunk().unwrap()
}

/// Who sent it, and as what number.
fn number_of(text: &[u8]) -> (u16, u32) {
    let (sender, number) = text.split_first_chunk().unwrap();
    (u16::from_le_bytes(*sender), u32::from_le_bytes(number.try_into().unwrap()))
}

#[test]
fn eight_senders_lose_and_double_nothing_and_each_keeps_its_order() {
    isolated(|| {
        let queue = Queue::new();
        let senders: Vec<_> = (0..PROCESSES)
            .map(|sender| {
                child(|| {
                    for number in 0..EACH {
                        queue.send(1, &numbered(sender, number)).unwrap();
                    }
                })
            })
            .collect();
        let mut expected = vec![0; PROCESSES.into()];
        let mut buffer = [MaybeUninit::uninit(); HEADER + 6];
        for _ in 0..u32::from(PROCESSES) * EACH {
            let message = queue.receive(&mut buffer, Which::any()).unwrap();
            let (sender, number) = number_of(message.text);
            assert_eq!(number, expected[usize::from(sender)], "of sender {sender}");
            expected[usize::from(sender)] += 1;
        }
        senders.into_iter().for_each(join);
        assert_eq!(expected, vec![EACH; PROCESSES.into()]);
        assert_eq!(messages(*queue), 0);
    });
}

#[test]
fn four_receivers_share_what_four_senders_send() {
    isolated(|| {
        const STOP: c_long = 2;
        let queue = Queue::new();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let receivers = [(); 4].map(|()| {
            child(|| {
                let mut buffer = [MaybeUninit::uninit(); HEADER + 6];
                let mut last = HashMap::new();
                loop {
                    let message = queue.receive(&mut buffer, Which::any()).unwrap();
                    if message.kind == STOP {
                        break;
                    }
                    let (sender, number) = number_of(message.text);
                    let before = last.insert(sender, number);
                    assert!(before < Some(number), "{number} of {sender} after {before:?}");
                    writer.write_all(message.text).unwrap();
                }
            })
        });
        let senders = [0, 1, 2, 3].map(|sender| {
            child(|| {
                for number in 0..EACH {
                    queue.send(1, &numbered(sender, number)).unwrap();
                }
            })
        });
        drop(writer);
        let mut seen = vec![false; 4 * EACH as usize];
        let mut text = [0; 6];
        for _ in 0..4 * EACH {
            assert_eq!(reader.read_all(&mut text).unwrap().len(), 6, "a receiver failed");
            let (sender, number) = number_of(&text);
            let seen = &mut seen[(u32::from(sender) * EACH + number) as usize];
            assert!(!*seen, "{number} of {sender} twice");
            *seen = true;
        }
        for _ in 0..4 {
            queue.send(STOP, b"").unwrap();
        }
        senders.into_iter().chain(receivers).for_each(join);
        assert_eq!(messages(*queue), 0);
    });
}

#[test]
fn each_type_comes_to_its_own_receiver() {
    isolated(|| {
        let guard = Queue::new();
        let queue = *guard;
        let receivers: Vec<_> = (1..=c_long::from(PROCESSES))
            .map(|own| {
                child(move || {
                    let mut buffer = [0; HEADER + 6];
                    for number in 0..EACH {
                        let message = queue.receive(&mut buffer, Which::exactly(own)).unwrap();
                        assert_eq!(message.kind, own);
                        assert_eq!(number_of(message.text), (0, number));
                    }
                })
            })
            .collect();
        for number in 0..EACH {
            for kind in 1..=c_long::from(PROCESSES) {
                queue.send(kind, &numbered(0, number)).unwrap();
            }
        }
        receivers.into_iter().for_each(join);
        assert_eq!(messages(queue), 0);
    });
}
