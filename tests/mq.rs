//! POSIX message queues, as their documentation promises them.

mod support;

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::thread::yield_now;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rawipc::pipe::{Pipe, Writer};
use rawipc::posix::mq::{Limits, Message, Mode, Mq, Options, PRIORITIES};
use rawipc::process::{self, Child, Pid, Signal};
use rawipc::socket::{Ancillary, Descriptors, SeqPacket};
use rawipc::{Deadline, Errno, IoSlice, Name, Result};
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::process::{Resource, Rlimit, WaitOptions, getrlimit, setrlimit, waitpid};
use support::gate::{open, pass};
use support::limits::in_own_namespace;
use support::own::OWNER;
use support::signals::{Blocked, Interruptions, handle, news};
use support::users::{STRANGER, as_another_user, become_user, is_root, unprivileged};
use support::{
    FewDescriptors, SOON, child, eventually, isolated, join, kill, naps, own, sleeps_in,
};

// Every form of sending and receiving, so that each promise is checked of all that make it.

type Send = (&'static str, fn(&Mq, &[u8], u32) -> Result<()>);
type Receive = (&'static str, for<'b> fn(&Mq, &'b mut [u8]) -> Result<Message<'b>>);

const SENDS: [Send; 3] = [SLEEPING_SENDS[0].0, SLEEPING_SENDS[1].0, ("try_send", Mq::try_send)];

const RECEIVES: [Receive; 3] = [
    SLEEPING_RECEIVES[0].0,
    SLEEPING_RECEIVES[1].0,
    ("try_receive", |queue, buffer| queue.try_receive(buffer)),
];

/// Those that wait, with the call in which they sleep.
const SLEEPING_SENDS: [(Send, libc::c_long); 2] = [
    (("send", Mq::send), SENDING),
    (
        ("send_until", |queue, message, priority| {
            queue.send_until(message, priority, Deadline::after(SOON))
        }),
        libc::SYS_ppoll,
    ),
];

const SLEEPING_RECEIVES: [(Receive, libc::c_long); 2] = [
    (("receive", |queue, buffer| queue.receive(buffer)), RECEIVING),
    (
        ("receive_until", |queue, buffer| queue.receive_until(buffer, Deadline::after(SOON))),
        libc::SYS_ppoll,
    ),
];

#[cfg(target_pointer_width = "64")]
const SENDING: libc::c_long = libc::SYS_mq_timedsend;
#[cfg(target_pointer_width = "64")]
const RECEIVING: libc::c_long = libc::SYS_mq_timedreceive;
#[cfg(target_pointer_width = "32")]
const SENDING: libc::c_long = 418;
#[cfg(target_pointer_width = "32")]
const RECEIVING: libc::c_long = 419;

// Queues to try them on.

/// The size of a message where it does not matter.
const SIZE: usize = 16;

type Own = own::Own<Mq>;

fn of_sizes(max_messages: usize, message_size: usize) -> Options {
    Mq::options().max_messages(max_messages).message_size(message_size)
}

/// A queue that has no name any more.
fn unnamed(options: Options) -> Mq {
    let name = Own::new();
    options.create_new(&name.0, OWNER).unwrap()
}

fn queue_of(max_messages: usize) -> Mq {
    unnamed(of_sizes(max_messages, SIZE))
}

/// A queue that has no room left: its only message is "there".
fn full_queue() -> Mq {
    let queue = queue_of(1);
    queue.try_send(b"there", 5).unwrap();
    queue
}

/// What is received next, without waiting.
fn next(queue: &Mq) -> Result<(Vec<u8>, u32)> {
    let mut buffer = [0; SIZE];
    queue.try_receive(&mut buffer).map(|message| (message.bytes.to_vec(), message.priority))
}

#[track_caller]
fn assert_next(queue: &Mq, bytes: &[u8], priority: u32) {
    assert_eq!(next(queue), Ok((bytes.to_vec(), priority)));
}

#[track_caller]
fn assert_empty(queue: &Mq) {
    assert_eq!(queue.attributes().unwrap().messages, 0);
    assert_eq!(next(queue), Err(Errno::AGAIN));
}

fn permissions(queue: &Mq) -> u32 {
    rustix::fs::fstat(queue).unwrap().st_mode & 0o7777
}

// Processes.

/// Whether the limits of queues are not for this process: root may or may not have
/// `CAP_SYS_RESOURCE`.
fn is_privileged() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(effective.trim(), 16).unwrap() & (1 << 24) != 0
}

fn limit_path(name: &str) -> String {
    format!("/proc/sys/fs/mqueue/{name}")
}

fn limit(name: &str) -> usize {
    fs::read_to_string(limit_path(name)).unwrap().trim().parse().unwrap()
}

fn set_limit(name: &str, limit: usize) {
    fs::write(limit_path(name), limit.to_string()).unwrap();
}

// Opening, creating, unlinking.

#[test]
fn queue_is_found_by_its_name_with_and_without_the_slash() {
    isolated(|| {
        let name = Own::new();
        let queue = of_sizes(1, SIZE).create_new(&name.0, OWNER).unwrap();
        queue.send(b"found", 0).unwrap();
        let bare = name.0.as_bytes();
        for spelt in [bare, &[b"/", bare].concat()] {
            let same = Mq::options().open(&Name::new(spelt).unwrap()).unwrap();
            assert_next(&same, b"found", 0);
            same.send(b"found", 0).unwrap();
        }
        Mq::unlink(&Name::new(bare).unwrap()).unwrap();
    });
}

#[test]
fn name_of_255_bytes_names_a_queue_and_one_of_256_is_none() {
    isolated(|| {
        let pid = process::id().as_raw_nonzero();
        let name = Name::format(format_args!("{pid:x>255}")).unwrap();
        assert_eq!(name.as_bytes().len(), 255);
        let queue = of_sizes(1, SIZE).create_new(&name, OWNER).unwrap();
        let same = Mq::options().open(&name);
        Mq::unlink(&name).unwrap();
        queue.send(b"by a long name", 0).unwrap();
        assert_next(&same.unwrap(), b"by a long name", 0);
        assert_eq!(Name::format(format_args!("{pid:x>256}")), Err(Errno::NAMETOOLONG));
    });
}

#[test]
fn what_cannot_name_a_queue_is_no_name() {
    for bad in ["", "/", "//queue", "/a/queue", "queue/", ".", "/.."] {
        assert_eq!(bad.parse::<Name>(), Err(Errno::INVAL), "{bad:?}");
    }
}

#[test]
fn new_queue_takes_no_name_that_is_taken() {
    isolated(|| {
        let name = Own::new();
        let queue = of_sizes(2, SIZE).create_new(&name.0, OWNER).unwrap();
        queue.send(b"still here", 1).unwrap();
        join(child(|| {
            let refused = of_sizes(1, 1).create_new(&name.0, OWNER);
            assert_eq!(refused.unwrap_err(), Errno::EXIST);
        }));
        assert_next(&Mq::options().open(&name.0).unwrap(), b"still here", 1);
    });
}

#[test]
fn queue_that_does_not_exist_is_neither_opened_nor_unlinked() {
    isolated(|| {
        let name = Own::new();
        for options in [Mq::options(), Mq::options().read_only(), Mq::options().write_only()] {
            assert_eq!(options.open(&name.0).unwrap_err(), Errno::NOENT);
        }
        assert_eq!(Mq::unlink(&name.0), Err(Errno::NOENT));
    });
}

#[test]
fn create_opens_the_queue_that_is_there_and_makes_the_one_that_is_not() {
    isolated(|| {
        let name = Own::new();
        let made = of_sizes(1, SIZE).create(&name.0, OWNER).unwrap();
        join(child(|| {
            let opened = of_sizes(1, SIZE).create(&name.0, OWNER).unwrap();
            opened.send(b"the same queue", 0).unwrap();
        }));
        assert_next(&made, b"the same queue", 0);
    });
}

#[test]
fn existing_queue_keeps_its_sizes_and_permissions() {
    isolated(|| {
        let name = Own::new();
        let _first = of_sizes(3, SIZE).create_new(&name.0, OWNER).unwrap();
        for other in [of_sizes(5, 32), Mq::options().max_messages(5), Mq::options()] {
            let same = other.create(&name.0, Mode::RUSR).unwrap();
            let attributes = same.attributes().unwrap();
            assert_eq!((attributes.max_messages, attributes.message_size), (3, SIZE));
            assert_eq!(permissions(&same), 0o600);
        }
    });
}

#[test]
fn existing_queue_is_opened_whatever_sizes_are_asked_for() {
    isolated(|| {
        let name = Own::new();
        let _first = of_sizes(1, SIZE).create_new(&name.0, OWNER).unwrap();
        for (messages, size) in [(0, 0), (1, 1 << 30), (1 << 30, 1), (usize::MAX, usize::MAX)] {
            let same = of_sizes(messages, size).create(&name.0, OWNER);
            let attributes = same.and_then(|same| same.attributes());
            let sizes = attributes.map(|now| (now.max_messages, now.message_size));
            assert_eq!(sizes, Ok((1, SIZE)), "asked for {messages} of {size}");
        }
    });
}

#[test]
fn of_many_who_create_a_queue_at_once_one_does() {
    isolated(|| {
        let (start, won) = (Pipe::new().unwrap(), Pipe::new().unwrap());
        for _ in 0..20 {
            let name = Own::new();
            let children: Vec<_> = (0..4)
                .map(|_| {
                    child(|| {
                        pass(&start.reader);
                        match of_sizes(1, SIZE).create_new(&name.0, OWNER) {
                            Ok(_) => open(&won.writer),
                            Err(errno) => assert_eq!(errno, Errno::EXIST),
                        }
                    })
                })
                .collect();
            start.writer.write_all(b"....").unwrap();
            children.into_iter().for_each(join);
            assert_eq!(won.reader.bytes_waiting(), Ok(1));
            pass(&won.reader);
        }
    });
}

#[test]
fn new_queue_has_the_permissions_asked_for_less_the_umask() {
    isolated(|| {
        for umask in [0o000, 0o022, 0o077, 0o777] {
            rustix::process::umask(Mode::from_raw_mode(umask));
            for mode in [0o000, 0o200, 0o400, 0o600, 0o640, 0o666] {
                let (new, either) = (Own::new(), Own::new());
                let mode_wanted = Mode::from_raw_mode(mode);
                let queue = of_sizes(1, SIZE).create_new(&new.0, mode_wanted).unwrap();
                assert_eq!(permissions(&queue), mode & !umask);
                let queue = of_sizes(1, SIZE).create(&either.0, mode_wanted).unwrap();
                assert_eq!(permissions(&queue), mode & !umask);
            }
        }
    });
}

#[test]
fn new_queue_is_empty_and_as_its_options_say() {
    isolated(|| {
        for nonblocking in [false, true] {
            let queue = unnamed(of_sizes(3, 40).nonblocking(nonblocking));
            let attributes = queue.attributes().unwrap();
            assert_eq!((attributes.max_messages, attributes.message_size), (3, 40));
            assert_eq!((attributes.messages, attributes.nonblocking), (0, nonblocking));
        }
    });
}

#[test]
fn attributes_count_the_messages() {
    isolated(|| {
        let queue = queue_of(3);
        for count in 1..=3 {
            join(child(|| queue.send(b"one more", 0).unwrap()));
            assert_eq!(queue.attributes().unwrap().messages, count);
        }
        next(&queue).unwrap();
        assert_eq!(queue.attributes().unwrap().messages, 2);
    });
}

/// Checks that sizes are the system's where they are not given.
fn assert_default_sizes() {
    let limits = Limits::get().unwrap();
    let (messages, size) = (limits.default_messages, limits.default_message_size);
    let of = |options: Options| {
        let attributes = unnamed(options).attributes().unwrap();
        (attributes.max_messages, attributes.message_size)
    };
    assert_eq!(of(Mq::options()), (messages, size));
    assert_eq!(of(Mq::options().max_messages(2)), (2, size));
    assert_eq!(of(Mq::options().message_size(24)), (messages, 24));
    assert_eq!(of(of_sizes(2, 24)), (2, 24));
}

#[test]
fn size_that_is_not_given_is_the_systems() {
    isolated(|| {
        assert_default_sizes();
        unprivileged(assert_default_sizes);
    });
}

#[test]
fn default_sizes_never_exceed_the_largest() {
    isolated(|| {
        in_own_namespace(|| {
            set_limit("msg_default", 9);
            set_limit("msgsize_default", 900);
            assert_default_sizes();
            // The kernel allows limits below its defaults, and then goes by them.
            set_limit("msg_max", 3);
            set_limit("msgsize_max", 300);
            let limits = Limits::get().unwrap();
            assert_eq!((limits.default_messages, limits.default_message_size), (3, 300));
            assert_default_sizes();
        });
    });
}

#[test]
fn limits_are_what_proc_says() {
    isolated(|| {
        assert_limits_are_those_of_proc();
        in_own_namespace(|| {
            set_limit("queues_max", 11);
            set_limit("msg_max", 12);
            set_limit("msgsize_max", 1300);
            set_limit("msg_default", 4);
            set_limit("msgsize_default", 500);
            let limits = Limits::get().unwrap();
            assert_eq!(limits.max_queues, 11);
            assert_eq!((limits.max_messages, limits.max_message_size), (12, 1300));
            assert_eq!((limits.default_messages, limits.default_message_size), (4, 500));
            assert_limits_are_those_of_proc();
        });
    });
}

fn assert_limits_are_those_of_proc() {
    let limits = Limits::get().unwrap();
    assert_eq!(limits.max_queues, limit("queues_max"));
    assert_eq!(limits.max_messages, limit("msg_max"));
    assert_eq!(limits.max_message_size, limit("msgsize_max"));
    assert_eq!(limits.default_messages, limit("msg_default").min(limit("msg_max")));
    assert_eq!(limits.default_message_size, limit("msgsize_default").min(limit("msgsize_max")));
}

#[test]
fn without_proc_there_are_no_limits_to_be_read() {
    isolated(|| {
        if !is_root("for a root directory without /proc") {
            return;
        }
        join(child(|| {
            let empty = std::env::temp_dir();
            std::os::unix::fs::chroot(&empty).unwrap();
            assert_eq!(Limits::get(), Err(Errno::NOENT));
            let name = Own::new();
            for half in [Mq::options().max_messages(2), Mq::options().message_size(SIZE)] {
                let refused = half.create_new(&name.0, OWNER).unwrap_err();
                assert_eq!(refused, Errno::NOENT, "the other half is not known");
                assert_eq!(half.create(&name.0, OWNER).unwrap_err(), Errno::NOENT);
            }
            // Who says both or nothing does without.
            of_sizes(2, SIZE).create_new(&name.0, OWNER).unwrap();
            Mq::unlink(&name.0).unwrap();
            Mq::options().create_new(&name.0, OWNER).unwrap();
        }));
    });
}

#[test]
fn size_of_zero_is_invalid() {
    isolated(|| {
        let name = Own::new();
        let half = Mq::options();
        let zeros = [of_sizes(0, SIZE), of_sizes(1, 0), of_sizes(0, 0)];
        for zero in zeros.into_iter().chain([half.max_messages(0), half.message_size(0)]) {
            assert_eq!(zero.create_new(&name.0, OWNER).unwrap_err(), Errno::INVAL);
            assert_eq!(zero.create(&name.0, OWNER).unwrap_err(), Errno::INVAL);
        }
        assert_eq!(Mq::unlink(&name.0), Err(Errno::NOENT), "none was made");
    });
}

#[test]
fn sizes_beyond_the_limits_are_invalid_without_privilege() {
    isolated(|| {
        unprivileged(|| {
            let limits = Limits::get().unwrap();
            let (messages, size) = (limits.max_messages, limits.max_message_size);
            for at_most in [of_sizes(messages, SIZE), of_sizes(1, size)] {
                drop(unnamed(at_most));
            }
            let name = Own::new();
            for beyond in [of_sizes(messages + 1, SIZE), of_sizes(1, size + 1)] {
                assert_eq!(beyond.create_new(&name.0, OWNER).unwrap_err(), Errno::INVAL);
            }
            assert_eq!(Mq::unlink(&name.0), Err(Errno::NOENT), "none was made");
        });
    });
}

#[test]
fn privilege_goes_beyond_the_limits() {
    isolated(|| {
        if !is_privileged() {
            eprintln!("skipped: takes CAP_SYS_RESOURCE");
            return;
        }
        in_own_namespace(|| {
            set_limit("queues_max", 0);
            set_limit("msg_max", 2);
            set_limit("msgsize_max", 200);
            let attributes = unnamed(of_sizes(3, 201)).attributes().unwrap();
            assert_eq!((attributes.max_messages, attributes.message_size), (3, 201));
        });
    });
}

#[test]
fn sizes_that_the_kernel_cannot_manage_are_invalid_whatever_the_privilege() {
    isolated(|| {
        let name = Own::new();
        // What the kernel calls HARD_MSGMAX and HARD_MSGSIZEMAX.
        for beyond in [65_537, 1 << 30, usize::MAX / 2, usize::MAX] {
            let refused = of_sizes(beyond, 1).create_new(&name.0, OWNER);
            assert_eq!(refused.unwrap_err(), Errno::INVAL, "{beyond} messages");
        }
        for beyond in [(16 << 20) + 1, 1 << 30, usize::MAX / 2, usize::MAX] {
            let refused = of_sizes(1, beyond).create_new(&name.0, OWNER);
            assert_eq!(refused.unwrap_err(), Errno::INVAL, "{beyond} bytes");
            assert_eq!(of_sizes(1, beyond).create(&name.0, OWNER).unwrap_err(), Errno::INVAL);
        }
    });
}

#[test]
fn queue_of_another_user_is_opened_only_as_its_permissions_allow() {
    isolated(|| {
        rustix::process::umask(Mode::empty());
        for (mode, may_receive, may_send) in
            [(0o660, false, false), (0o664, true, false), (0o662, false, true), (0o606, true, true)]
        {
            let name = Own::new();
            let options = of_sizes(1, SIZE);
            let _queue = options.create_new(&name.0, Mode::from_raw_mode(mode)).unwrap();
            as_another_user(|| {
                let expected = |may| if may { Ok(()) } else { Err(Errno::ACCESS) };
                for (options, may) in [
                    (options.read_only(), may_receive),
                    (options.write_only(), may_send),
                    (options, may_receive && may_send),
                ] {
                    assert_eq!(options.open(&name.0).map(drop), expected(may), "{mode:o}");
                    let created = options.create(&name.0, OWNER).map(drop);
                    assert_eq!(created, expected(may), "{mode:o}");
                }
                let taken = options.create_new(&name.0, OWNER);
                assert_eq!(taken.unwrap_err(), Errno::EXIST);
            });
        }
    });
}

#[test]
fn queue_of_another_user_is_not_unlinked() {
    isolated(|| {
        rustix::process::umask(Mode::empty());
        let name = Own::new();
        let _queue = of_sizes(1, SIZE).create_new(&name.0, Mode::from_raw_mode(0o666)).unwrap();
        as_another_user(|| {
            assert_eq!(Mq::unlink(&name.0), Err(Errno::PERM));
        });
        assert_eq!(Mq::unlink(&name.0), Ok(()));
    });
}

#[test]
fn no_more_queues_than_the_system_allows_are_made_without_privilege() {
    isolated(|| {
        in_own_namespace(|| {
            set_limit("queues_max", 3);
            become_user(STRANGER);
            let names = [(); 4].map(|()| Own::new());
            let [one, two, three, four] = &names;
            let make = |name: &Own| of_sizes(1, SIZE).create_new(&name.0, OWNER);
            let queues = [one, two, three].map(|name| make(name).unwrap());
            assert_eq!(make(four).unwrap_err(), Errno::NOSPC);
            let either = of_sizes(1, SIZE).create(&four.0, OWNER);
            assert_eq!(either.unwrap_err(), Errno::NOSPC);
            // What is there can be opened, and a queue that goes makes room.
            of_sizes(1, SIZE).create(&two.0, OWNER).unwrap();
            Mq::unlink(&one.0).unwrap();
            assert_eq!(make(four).unwrap_err(), Errno::NOSPC, "it is unlinked but open");
            drop(queues);
            make(four).unwrap();
        });
    });
}

#[test]
fn queue_that_takes_more_bytes_than_its_user_may_is_not_made() {
    isolated(|| {
        let (there, new) = (Own::new(), Own::new());
        let _queue = of_sizes(1, SIZE).create_new(&there.0, OWNER).unwrap();
        let before = getrlimit(Resource::Msgqueue);
        setrlimit(Resource::Msgqueue, Rlimit { current: Some(0), ..before }).unwrap();
        assert_eq!(of_sizes(1, 1).create_new(&new.0, OWNER).unwrap_err(), Errno::MFILE);
        assert_eq!(of_sizes(1, 1).create(&new.0, OWNER).unwrap_err(), Errno::MFILE);
        assert_eq!(Mq::options().open(&new.0).unwrap_err(), Errno::NOENT, "none was made");
        // One that is there takes nothing more.
        Mq::options().open(&there.0).unwrap();
        of_sizes(1, 1).create(&there.0, OWNER).unwrap();
        setrlimit(Resource::Msgqueue, before).unwrap();
        of_sizes(1, 1).create_new(&new.0, OWNER).unwrap();
    });
}

#[test]
fn at_the_limit_of_descriptors_nothing_is_opened_or_made() {
    isolated(|| {
        let (there, new) = (Own::new(), Own::new());
        let queue = of_sizes(1, SIZE).create_new(&there.0, OWNER).unwrap();
        let few = FewDescriptors::no_more();
        assert_eq!(Mq::options().open(&there.0).unwrap_err(), Errno::MFILE);
        assert_eq!(of_sizes(1, SIZE).create(&there.0, OWNER).unwrap_err(), Errno::MFILE);
        assert_eq!(of_sizes(1, SIZE).create_new(&new.0, OWNER).unwrap_err(), Errno::MFILE);
        let half = Mq::options().max_messages(1).create_new(&new.0, OWNER);
        assert_eq!(half.unwrap_err(), Errno::MFILE);
        assert_eq!(queue.try_clone().unwrap_err(), Errno::MFILE);
        assert_eq!(Limits::get(), Err(Errno::MFILE));
        drop(few);
        assert_eq!(Mq::options().open(&new.0).unwrap_err(), Errno::NOENT, "none was made");
    });
}

#[test]
fn unlinked_queue_goes_on_until_its_last_descriptor_is_closed() {
    isolated(|| {
        let name = Own::new();
        let queue = of_sizes(1, SIZE).create_new(&name.0, OWNER).unwrap();
        let same = Mq::options().open(&name.0).unwrap();
        queue.send(b"survives", 3).unwrap();
        Mq::unlink(&name.0).unwrap();
        assert_eq!(Mq::unlink(&name.0), Err(Errno::NOENT));
        assert_eq!(Mq::options().open(&name.0).unwrap_err(), Errno::NOENT);
        drop(queue);
        join(child(|| assert_next(&same, b"survives", 3)));
        same.send(b"and works", 0).unwrap();

        let another = of_sizes(1, SIZE).create_new(&name.0, OWNER).unwrap();
        assert_empty(&another);
        assert_next(&same, b"and works", 0);
    });
}

#[test]
fn queue_and_its_messages_outlive_who_made_it() {
    isolated(|| {
        let name = Own::new();
        join(child(|| {
            let queue = of_sizes(2, SIZE).create_new(&name.0, OWNER).unwrap();
            queue.send(b"from the dead", 7).unwrap();
        }));
        assert_next(&Mq::options().open(&name.0).unwrap(), b"from the dead", 7);
    });
}

#[test]
fn descriptors_are_close_on_exec() {
    isolated(|| {
        let name = Own::new();
        let queue = of_sizes(1, SIZE).create_new(&name.0, OWNER).unwrap();
        let created = of_sizes(1, SIZE).create(&name.0, OWNER).unwrap();
        let opened = Mq::options().open(&name.0).unwrap();
        for queue in [queue.try_clone().unwrap(), queue, created, opened] {
            let flags = rustix::io::fcntl_getfd(&queue).unwrap();
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
        }
    });
}

// Messages.

#[test]
fn oldest_message_of_the_highest_priority_comes_first() {
    isolated(|| {
        for ((sending, send), (receiving, receive)) in SENDS.into_iter().zip(RECEIVES) {
            let queue = queue_of(6);
            let messages: [(&[u8], u32); 6] = [
                (b"low", 0),
                (b"high", 9),
                (b"middle", 5),
                (b"high too", 9),
                (b"low too", 0),
                (b"highest", PRIORITIES - 1),
            ];
            join(child(|| {
                for (message, priority) in messages {
                    assert_eq!(send(&queue, message, priority), Ok(()), "{sending}");
                }
            }));
            let order = [5, 1, 3, 2, 0, 4].map(|nth| messages[nth]);
            for (bytes, priority) in order {
                let mut buffer = [0; SIZE];
                let message = receive(&queue, &mut buffer).unwrap();
                assert_eq!((&*message.bytes, message.priority), (bytes, priority), "{receiving}");
            }
            assert_empty(&queue);
        }
    });
}

#[test]
fn any_messages_come_out_sorted_by_priority_and_whole() {
    isolated(|| {
        let message = (proptest::collection::vec(any::<u8>(), 0..=SIZE), 0..4_u32);
        let messages = proptest::collection::vec(message, 0..=8);
        let queue = queue_of(8);
        let config = Config { failure_persistence: None, ..Config::default() };
        let checked = TestRunner::new(config).run(&messages, |mut messages| {
            for (bytes, priority) in &messages {
                queue.try_send(bytes, *priority).unwrap();
            }
            prop_assert_eq!(queue.attributes().unwrap().messages, messages.len());
            // A sort that keeps the order of equals.
            messages.sort_by_key(|(_, priority)| core::cmp::Reverse(*priority));
            let received: Vec<_> = core::iter::from_fn(|| next(&queue).ok()).collect();
            prop_assert_eq!(received, messages);
            Ok(())
        });
        checked.unwrap();
    });
}

#[test]
fn priorities_end_at_32767() {
    isolated(|| {
        assert_eq!(PRIORITIES, 32_768);
        for (form, send) in SENDS {
            let queue = queue_of(1);
            for beyond in [PRIORITIES, PRIORITIES + 1, 1 << 31, u32::MAX] {
                assert_eq!(send(&queue, b"x", beyond), Err(Errno::INVAL), "{form}");
            }
            assert_empty(&queue);
            assert_eq!(send(&queue, b"x", PRIORITIES - 1), Ok(()), "{form}");
            // Also where there is no room, and nothing is waited for.
            assert_eq!(send(&queue, b"x", PRIORITIES), Err(Errno::INVAL), "{form}");
            assert_next(&queue, b"x", PRIORITIES - 1);
        }
    });
}

#[test]
fn message_that_is_too_long_is_refused_and_nothing_is_lost() {
    isolated(|| {
        for (form, send) in SENDS {
            let queue = queue_of(2);
            send(&queue, &[b'm'; SIZE], 1).unwrap();
            for too_long in [SIZE + 1, 1 << 20] {
                let message = vec![b'x'; too_long];
                assert_eq!(send(&queue, &message, 9), Err(Errno::MSGSIZE), "{form}");
            }
            send(&queue, b"fills it", 0).unwrap();
            // Also where there is no room, and nothing is waited for.
            assert_eq!(send(&queue, &[b'x'; SIZE + 1], 9), Err(Errno::MSGSIZE), "{form}");
            assert_next(&queue, &[b'm'; SIZE], 1);
            assert_next(&queue, b"fills it", 0);
            assert_empty(&queue);
        }
    });
}

#[test]
fn empty_message_is_a_message() {
    isolated(|| {
        for ((sending, send), (receiving, receive)) in SENDS.into_iter().zip(RECEIVES) {
            let queue = queue_of(1);
            join(child(|| assert_eq!(send(&queue, b"", 2), Ok(()), "{sending}")));
            assert_eq!(queue.attributes().unwrap().messages, 1);
            let mut buffer = [7; SIZE];
            let message = receive(&queue, &mut buffer).unwrap();
            assert_eq!((&*message.bytes, message.priority), (&b""[..], 2), "{receiving}");
        }
    });
}

#[test]
fn buffer_a_byte_too_short_is_refused_and_the_message_stays() {
    isolated(|| {
        for (form, receive) in RECEIVES {
            let queue = queue_of(1);
            // Refused with nothing there too, instead of waiting.
            for _ in ["empty", "full"] {
                for short in [0, 1, SIZE - 1] {
                    let refused = receive(&queue, &mut [0; SIZE][..short]).map(drop);
                    assert_eq!(refused, Err(Errno::MSGSIZE), "{form} into {short} bytes");
                }
                // However short the message is.
                let _ = queue.try_send(b"m", 4);
            }
            assert_eq!(queue.attributes().unwrap().messages, 1);
            let mut buffer = [0; SIZE];
            let message = receive(&queue, &mut buffer).unwrap();
            assert_eq!((&*message.bytes, message.priority), (&b"m"[..], 4), "{form}");
        }
    });
}

#[test]
fn longer_buffer_is_touched_only_as_far_as_the_message_goes() {
    isolated(|| {
        for (form, receive) in RECEIVES {
            let queue = queue_of(1);
            queue.send(b"short", 0).unwrap();
            let mut buffer = [0xA5; 4 * SIZE];
            assert_eq!(receive(&queue, &mut buffer).unwrap().bytes, b"short", "{form}");
            assert_eq!(buffer[..5], *b"short");
            assert!(buffer[5..].iter().all(|&byte| byte == 0xA5), "{form}");
        }
    });
}

#[test]
fn buffer_need_not_be_initialised() {
    isolated(|| {
        let queue = queue_of(3);
        for priority in [3, 2, 1] {
            queue.send(b"into the unknown", priority).unwrap();
        }
        let mut buffer = [MaybeUninit::uninit(); SIZE];
        let message = queue.receive(&mut buffer).unwrap();
        assert_eq!((&*message.bytes, message.priority), (&b"into the unknown"[..], 3));
        let message = queue.try_receive(buffer.as_mut_slice()).unwrap();
        assert_eq!((&*message.bytes, message.priority), (&b"into the unknown"[..], 2));
        let message = queue.receive_until(&mut buffer, Deadline::now()).unwrap();
        assert_eq!((&*message.bytes, message.priority), (&b"into the unknown"[..], 1));
        let refused = queue.try_receive(&mut buffer[1..]).map(drop);
        assert_eq!(refused, Err(Errno::MSGSIZE));
    });
}

#[test]
fn queue_that_is_open_one_way_refuses_the_other() {
    isolated(|| {
        let name = Own::new();
        let receiver = of_sizes(1, SIZE).read_only().create_new(&name.0, OWNER).unwrap();
        let sender = Mq::options().write_only().open(&name.0).unwrap();
        for (form, send) in SENDS {
            assert_eq!(send(&receiver, b"x", 0), Err(Errno::BADF), "{form}");
        }
        sender.send(b"one way", 0).unwrap();
        for (form, receive) in RECEIVES {
            let refused = receive(&sender, &mut [0; SIZE]).map(drop);
            assert_eq!(refused, Err(Errno::BADF), "{form}");
        }
        assert_next(&receiver, b"one way", 0);
    });
}

#[test]
fn descriptor_of_something_else_is_refused_by_every_call() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let (socket, _peer) = SeqPacket::pair().unwrap();
        let null = File::options().read(true).write(true).open("/dev/null").unwrap();
        let others: [OwnedFd; 4] = [reader.into(), writer.into(), socket.into(), null.into()];
        for other in others {
            let other = Mq::from(other);
            for (form, send) in SENDS {
                assert_eq!(send(&other, b"x", 0), Err(Errno::BADF), "{form}");
            }
            for (form, receive) in RECEIVES {
                let refused = receive(&other, &mut [0; SIZE]).map(drop);
                assert_eq!(refused, Err(Errno::BADF), "{form}");
            }
            assert_eq!(other.attributes(), Err(Errno::BADF));
            assert_eq!(other.set_nonblocking(true), Err(Errno::BADF));
            assert_eq!(other.notify_by_signal(Signal::USR1, 0), Err(Errno::BADF));
            assert_eq!(other.cancel_notification(), Err(Errno::BADF));
        }
    });
}

// Waiting.

#[test]
fn send_sleeps_until_there_is_room() {
    isolated(|| {
        for ((form, send), call) in SLEEPING_SENDS {
            let queue = full_queue();
            let sender = child(|| assert_eq!(send(&queue, b"after", 7), Ok(()), "{form}"));
            sleeps_in(sender.id(), call);
            assert_next(&queue, b"there", 5);
            join(sender);
            assert_next(&queue, b"after", 7);
        }
    });
}

#[test]
fn receive_sleeps_until_a_message_comes() {
    isolated(|| {
        for ((form, receive), call) in SLEEPING_RECEIVES {
            let queue = queue_of(1);
            let receiver = child(|| {
                let mut buffer = [0; SIZE];
                let message = receive(&queue, &mut buffer).unwrap();
                assert_eq!((&*message.bytes, message.priority), (&b"awaited"[..], 6), "{form}");
            });
            sleeps_in(receiver.id(), call);
            queue.send(b"awaited", 6).unwrap();
            join(receiver);
            assert_empty(&queue);
        }
    });
}

#[test]
fn deadline_that_never_passes_is_waited_out() {
    isolated(|| {
        for by in [Deadline::NEVER, Deadline::after(Duration::MAX)] {
            let queue = full_queue();
            let sender = child(|| queue.send_until(b"after", 0, by).unwrap());
            sleeps_in(sender.id(), libc::SYS_ppoll);
            assert_next(&queue, b"there", 5);
            join(sender);

            assert_next(&queue, b"after", 0);
            let receiver = child(|| {
                let mut buffer = [0; SIZE];
                assert_eq!(queue.receive_until(&mut buffer, by).unwrap().bytes, b"awaited");
            });
            sleeps_in(receiver.id(), libc::SYS_ppoll);
            queue.send(b"awaited", 0).unwrap();
            join(receiver);
        }
    });
}

#[test]
fn nothing_times_out_before_its_deadline() {
    isolated(|| {
        let (full, empty) = (full_queue(), queue_of(1));
        for microseconds in [0, 1, 999, 5_000, 20_000] {
            let wait = Duration::from_micros(microseconds);
            let by = Deadline::after(wait);
            assert_eq!(full.send_until(b"x", 9, by), Err(Errno::TIMEDOUT));
            assert!(by.has_passed(), "not before the deadline");
            let by = Deadline::after(wait);
            let mut buffer = [0; SIZE];
            assert_eq!(empty.receive_until(&mut buffer, by), Err(Errno::TIMEDOUT));
            assert!(by.has_passed(), "not before the deadline");
        }
        assert_next(&full, b"there", 5);
        assert_empty(&full);
    });
}

#[test]
fn deadline_in_the_past_leaves_what_can_be_done_at_once() {
    isolated(|| {
        let queue = queue_of(1);
        let past = Deadline::now();
        let mut buffer = [0; SIZE];
        assert_eq!(queue.receive_until(&mut buffer, past), Err(Errno::TIMEDOUT));
        assert_eq!(queue.send_until(b"at once", 1, past), Ok(()));
        assert_eq!(queue.send_until(b"no room", 1, past), Err(Errno::TIMEDOUT));
        assert_eq!(queue.receive_until(&mut buffer, past).unwrap().bytes, b"at once");
        assert_empty(&queue);
    });
}

#[test]
fn try_forms_never_wait_and_change_no_flag() {
    isolated(|| {
        let (full, empty) = (full_queue(), queue_of(1));
        for _ in 0..1000 {
            assert_eq!(full.try_send(b"x", 9), Err(Errno::AGAIN));
            assert_eq!(empty.try_receive(&mut [0; SIZE]), Err(Errno::AGAIN));
        }
        for queue in [&full, &empty] {
            assert!(!queue.attributes().unwrap().nonblocking);
            let flags = rustix::fs::fcntl_getfl(queue).unwrap();
            assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
        }
        assert_next(&full, b"there", 5);
        assert_empty(&full);
    });
}

#[test]
fn who_waits_sleeps_all_the_time() {
    isolated(|| {
        let (full, empty) = (full_queue(), queue_of(1));
        let mut waiting = Vec::new();
        for ((_, send), call) in SLEEPING_SENDS {
            waiting.push((child(|| assert!(send(&full, b"x", 0).is_ok())), call));
        }
        for ((_, receive), call) in SLEEPING_RECEIVES {
            waiting.push((child(|| assert!(receive(&empty, &mut [0; SIZE]).is_ok())), call));
        }
        let naps = || waiting.iter().map(|(child, _)| naps(child.id())).collect::<Vec<_>>();
        for (child, call) in &waiting {
            sleeps_in(child.id(), *call);
        }
        let nobodys = queue_of(1);
        eventually("nobody wakes to look", || {
            let before = naps();
            let by = Deadline::after(Duration::from_millis(50));
            assert_eq!(nobodys.receive_until(&mut [0; SIZE], by), Err(Errno::TIMEDOUT));
            naps() == before
        });
        for (child, _) in waiting {
            kill(child);
        }
    });
}

#[test]
fn try_forms_do_not_disturb_who_sleeps_on_the_same_description() {
    isolated(|| {
        for ((form, receive), call) in SLEEPING_RECEIVES {
            let queue = queue_of(1);
            let sleeper = child(|| {
                let mut buffer = [0; SIZE];
                assert_eq!(receive(&queue, &mut buffer).unwrap().bytes, b"at last", "{form}");
            });
            sleeps_in(sleeper.id(), call);
            eventually("it sleeps on", || {
                let before = naps(sleeper.id());
                (0..1000).for_each(|_| assert_eq!(next(&queue), Err(Errno::AGAIN)));
                naps(sleeper.id()) == before
            });
            queue.try_send(b"at last", 0).unwrap();
            join(sleeper);
        }
        for ((form, send), call) in SLEEPING_SENDS {
            let queue = full_queue();
            let sleeper = child(|| assert_eq!(send(&queue, b"at last", 0), Ok(()), "{form}"));
            sleeps_in(sleeper.id(), call);
            eventually("it sleeps on", || {
                let before = naps(sleeper.id());
                (0..1000).for_each(|_| assert_eq!(queue.try_send(b"x", 9), Err(Errno::AGAIN)));
                naps(sleeper.id()) == before
            });
            assert_next(&queue, b"there", 5);
            join(sleeper);
            assert_next(&queue, b"at last", 0);
        }
    });
}

#[test]
fn nonblocking_description_answers_again_where_others_wait() {
    isolated(|| {
        let name = Own::new();
        let options = of_sizes(1, SIZE).nonblocking(true);
        let queue = options.create_new(&name.0, OWNER).unwrap();
        let mut buffer = [0; SIZE];
        for _ in ["as opened", "as set"] {
            assert!(queue.attributes().unwrap().nonblocking);
            assert_eq!(queue.receive(&mut buffer), Err(Errno::AGAIN));
            assert_eq!(queue.try_receive(&mut buffer), Err(Errno::AGAIN));
            queue.send(b"only", 0).unwrap();
            assert_eq!(queue.send(b"x", 0), Err(Errno::AGAIN));
            assert_eq!(queue.try_send(b"x", 0), Err(Errno::AGAIN));
            assert_eq!(queue.receive(&mut buffer).unwrap().bytes, b"only");

            queue.set_nonblocking(false).unwrap();
            assert!(!queue.attributes().unwrap().nonblocking);
            let sleeper = child(|| assert!(queue.receive(&mut [0; SIZE]).is_ok()));
            sleeps_in(sleeper.id(), RECEIVING);
            queue.send(b"for it", 0).unwrap();
            join(sleeper);
            queue.set_nonblocking(true).unwrap();
        }
    });
}

#[test]
fn until_forms_wait_on_a_nonblocking_description_too() {
    isolated(|| {
        let queue = unnamed(of_sizes(1, SIZE).nonblocking(true));
        let by = Deadline::after(Duration::from_millis(5));
        assert_eq!(queue.receive_until(&mut [0; SIZE], by), Err(Errno::TIMEDOUT));
        assert!(by.has_passed());
        let receiver = child(|| {
            assert!(queue.receive_until(&mut [0; SIZE], Deadline::after(SOON)).is_ok());
        });
        sleeps_in(receiver.id(), libc::SYS_ppoll);
        queue.send(b"for it", 0).unwrap();
        join(receiver);

        queue.send(b"fills it", 0).unwrap();
        let by = Deadline::after(Duration::from_millis(5));
        assert_eq!(queue.send_until(b"x", 0, by), Err(Errno::TIMEDOUT));
        assert!(by.has_passed());
        let sender = child(|| assert_eq!(queue.send_until(b"x", 0, Deadline::after(SOON)), Ok(())));
        sleeps_in(sender.id(), libc::SYS_ppoll);
        assert_next(&queue, b"fills it", 0);
        join(sender);
    });
}

#[test]
fn nonblocking_flag_is_the_descriptions_and_of_no_other() {
    isolated(|| {
        let name = Own::new();
        let queue = of_sizes(1, SIZE).create_new(&name.0, OWNER).unwrap();
        let (clone, other) = (queue.try_clone().unwrap(), Mq::options().open(&name.0).unwrap());
        join(child(|| queue.set_nonblocking(true).unwrap()));
        assert!(queue.attributes().unwrap().nonblocking, "the child inherited the description");
        assert!(clone.attributes().unwrap().nonblocking);
        assert!(!other.attributes().unwrap().nonblocking);
        // All that a flag may change is the flag.
        queue.send(b"kept", 8).unwrap();
        queue.set_nonblocking(false).unwrap();
        let attributes = other.attributes().unwrap();
        assert_eq!((attributes.max_messages, attributes.message_size), (1, SIZE));
        assert_next(&other, b"kept", 8);
    });
}

#[test]
fn who_comes_too_late_to_a_message_waits_for_the_next() {
    isolated(|| {
        let queue = queue_of(2);
        let receive = || {
            child(|| {
                let mut buffer = [0; SIZE];
                let message = queue.receive_until(&mut buffer, Deadline::after(SOON)).unwrap();
                assert_eq!(message.bytes, b"for one");
            })
        };
        let mut receivers = vec![receive(), receive()];
        for receiver in &receivers {
            sleeps_in(receiver.id(), libc::SYS_ppoll);
        }
        queue.send(b"for one", 0).unwrap();
        eventually("one of them ends", || {
            receivers.retain_mut(|receiver| receiver.try_wait().unwrap().is_none());
            receivers.len() == 1
        });
        sleeps_in(receivers[0].id(), libc::SYS_ppoll);
        queue.send(b"for one", 0).unwrap();
        receivers.into_iter().for_each(join);
        assert_empty(&queue);
    });
}

#[test]
fn who_waits_in_the_kernels_own_call_is_served_first() {
    isolated(|| {
        let by = Deadline::after(SOON);
        let queue = queue_of(1);
        let polling = child(|| {
            let mut buffer = [0; SIZE];
            assert_eq!(queue.receive_until(&mut buffer, by).unwrap().bytes, b"second");
        });
        sleeps_in(polling.id(), libc::SYS_ppoll);
        let calling = child(|| {
            let mut buffer = [0; SIZE];
            assert_eq!(queue.receive(&mut buffer).unwrap().bytes, b"first");
        });
        sleeps_in(calling.id(), RECEIVING);
        queue.send(b"first", 0).unwrap();
        join(calling);
        queue.send(b"second", 0).unwrap();
        join(polling);

        let queue = full_queue();
        let polling = child(|| queue.send_until(b"polling", 1, by).unwrap());
        sleeps_in(polling.id(), libc::SYS_ppoll);
        let calling = child(|| queue.send(b"calling", 1).unwrap());
        sleeps_in(calling.id(), SENDING);
        assert_next(&queue, b"there", 5);
        join(calling);
        assert_next(&queue, b"calling", 1);
        join(polling);
        assert_next(&queue, b"polling", 1);
    });
}

/// A system call that a traced process was about to make, or had made.
struct Traced {
    number: libc::c_long,
    arguments: [u64; 6],
    /// The time that its argument of that index points to, if it is no null pointer.
    time: Option<[i64; 2]>,
}

/// Runs `task` in a child, and collects its calls of those numbers: of each, the index of the
/// argument that points to a time is given.
fn trace(calls: &[(libc::c_long, usize)], task: impl FnOnce()) -> Option<Vec<Traced>> {
    const REFUSED: i32 = 77;
    let pid = child(|| {
        let null = core::ptr::null_mut::<libc::c_void>();
        // SAFETY: asks for the parent to trace this process; no pointer is read.
        if unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, null, null) } != 0 {
            process::exit(REFUSED.try_into().unwrap());
        }
        rustix::process::kill_process(process::id(), Signal::STOP).unwrap();
        task();
    })
    .id();
    let mut seen = Vec::new();
    loop {
        let (_, status) = waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
        if status.exit_status() == Some(REFUSED) {
            eprintln!("skipped: takes a kernel that lets a process trace its child");
            return None;
        }
        if status.exit_status() == Some(0) {
            return Some(seen);
        }
        assert!(status.stopped(), "the child failed");
        seen.extend(stopped_in(pid, calls));
        let null = core::ptr::null_mut::<libc::c_void>();
        let pid = pid.as_raw_nonzero().get();
        // SAFETY: lets the child, which is stopped, run to its next system call.
        assert_eq!(unsafe { libc::ptrace(libc::PTRACE_SYSCALL, pid, null, null) }, 0);
    }
}

/// The call at which a process has stopped, if it is one of those.
fn stopped_in(pid: Pid, calls: &[(libc::c_long, usize)]) -> Option<Traced> {
    let of_process = |file| format!("/proc/{}/{file}", pid.as_raw_nonzero());
    let shown = fs::read_to_string(of_process("syscall")).unwrap();
    let mut words = shown.split_whitespace();
    let number = words.next()?.parse().ok()?;
    let &(_, index) = calls.iter().find(|(call, _)| *call == number)?;
    let mut arguments = [0; 6];
    for (argument, word) in arguments.iter_mut().zip(words) {
        *argument = u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap();
    }
    let time = (arguments[index] != 0).then(|| {
        let mut time = [0; 16];
        let memory = File::open(of_process("mem")).unwrap();
        memory.read_exact_at(&mut time, arguments[index]).unwrap();
        let (seconds, nanoseconds) = time.split_at(8);
        [seconds, nanoseconds].map(|half| i64::from_ne_bytes(half.try_into().unwrap()))
    });
    Some(Traced { number, arguments, time })
}

/// The wall clock cannot be set here without harm; but whoever tells the kernel no time of that
/// clock cannot be misled by it.
#[test]
#[cfg_attr(not(target_pointer_width = "64"), ignore = "reads the times of 64-bit calls")]
fn no_time_of_the_wall_clock_is_handed_to_the_kernel() {
    isolated(|| {
        let (full, empty) = (full_queue(), queue_of(1));
        let calls = [(SENDING, 4), (RECEIVING, 4), (libc::SYS_ppoll, 2)];
        let traced = trace(&calls, || {
            let by = Deadline::after(Duration::from_millis(20));
            assert_eq!(full.send_until(b"x", 0, by), Err(Errno::TIMEDOUT));
            let by = Deadline::after(Duration::from_millis(20));
            assert_eq!(empty.receive_until(&mut [0; SIZE], by), Err(Errno::TIMEDOUT));
            empty.send_until(b"y", 0, by).unwrap();
            empty.receive_until(&mut [0; SIZE], by).unwrap();
            empty.try_send(b"z", 0).unwrap();
            empty.try_receive(&mut [0; SIZE]).unwrap();
            empty.send(b"z", 0).unwrap();
            empty.receive(&mut [0; SIZE]).unwrap();
        });
        let Some(traced) = traced else { return };
        for (wanted, _) in calls {
            assert!(traced.iter().any(|call| call.number == wanted), "call {wanted} is traced");
        }
        for Traced { number, arguments, time } in traced {
            match time {
                // Waits for ever: that is `send` or `receive`, or polls without a deadline.
                None => assert_ne!(number, libc::SYS_ppoll, "{arguments:x?}"),
                // How long, not until when.
                Some(time) if number == libc::SYS_ppoll => {
                    assert!(time[0] == 0 && time[1] <= 20_000_000, "{time:?}");
                }
                // The beginning of all time: does not wait.
                Some(time) => assert_eq!(time, [0, 0], "{arguments:x?}"),
            }
        }
    });
}

#[test]
fn signal_interrupts_a_send_that_waits() {
    isolated(|| {
        let queue = full_queue();
        let interruptions = Interruptions::start();
        assert_eq!(queue.send(b"x", 9), Err(Errno::INTR));
        assert_eq!(queue.send_until(b"x", 9, Deadline::after(SOON)), Err(Errno::INTR));
        assert_eq!(queue.send_until(b"x", 9, Deadline::NEVER), Err(Errno::INTR));
        drop(interruptions);
        assert_next(&queue, b"there", 5);
        assert_empty(&queue);
    });
}

#[test]
fn signal_interrupts_a_receive_that_waits() {
    isolated(|| {
        let queue = queue_of(1);
        let mut buffer = [0; SIZE];
        let interruptions = Interruptions::start();
        assert_eq!(queue.receive(&mut buffer), Err(Errno::INTR));
        let by = Deadline::after(SOON);
        assert_eq!(queue.receive_until(&mut buffer, by), Err(Errno::INTR));
        assert_eq!(queue.receive_until(&mut buffer, Deadline::NEVER), Err(Errno::INTR));
        drop(interruptions);
        queue.send(b"not lost", 0).unwrap();
        assert_next(&queue, b"not lost", 0);
    });
}

#[test]
fn one_signal_is_enough_to_interrupt_who_waits() {
    extern "C" fn do_nothing(_signal: libc::c_int) {}
    isolated(|| {
        handle(Signal::USR1, do_nothing as extern "C" fn(libc::c_int) as usize, 0);
        let interrupt = |waiting: Child, call| {
            sleeps_in(waiting.id(), call);
            waiting.kill(Signal::USR1).unwrap();
            join(waiting);
        };
        let (full, empty) = (full_queue(), queue_of(1));
        for ((form, send), call) in SLEEPING_SENDS {
            let waits = || assert_eq!(send(&full, b"x", 9), Err(Errno::INTR), "{form}");
            interrupt(child(waits), call);
        }
        for ((form, receive), call) in SLEEPING_RECEIVES {
            let waits = || assert_eq!(receive(&empty, &mut [0; SIZE]), Err(Errno::INTR), "{form}");
            interrupt(child(waits), call);
        }
        assert_next(&full, b"there", 5);
    });
}

#[test]
fn signal_that_restarts_calls_interrupts_only_the_until_forms() {
    isolated(|| {
        let (there, back) = (queue_of(1), full_queue());
        let child = child(|| {
            let interruptions = Interruptions::restarting();
            let mut buffer = [0; SIZE];
            let by = Deadline::after(SOON);
            assert_eq!(there.receive_until(&mut buffer, by), Err(Errno::INTR));
            assert_eq!(back.send_until(b"x", 0, by), Err(Errno::INTR));
            assert_eq!(there.receive(&mut buffer).unwrap().bytes, b"awaited");
            back.send(b"after", 0).unwrap();
            drop(interruptions);
        });
        let was_interrupted = |call| {
            sleeps_in(child.id(), call);
            let before = naps(child.id());
            eventually("it was interrupted", || naps(child.id()) >= before + 3);
        };
        was_interrupted(RECEIVING);
        there.send(b"awaited", 0).unwrap();
        was_interrupted(SENDING);
        assert_next(&back, b"there", 5);
        join(child);
        assert_next(&back, b"after", 0);
    });
}

#[test]
fn signals_never_interrupt_the_try_forms() {
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    extern "C" fn count(_signal: libc::c_int) {
        HANDLED.fetch_add(1, Relaxed);
    }
    isolated(|| {
        handle(Signal::USR1, count as extern "C" fn(libc::c_int) as usize, 0);
        let (full, empty) = (full_queue(), queue_of(1));
        let parent = process::id();
        // As many as it can: so that some come in the middle of a call.
        let pestering =
            child(|| while rustix::process::kill_process(parent, Signal::USR1).is_ok() {});
        while HANDLED.load(Relaxed) < 500 {
            assert_eq!(full.try_send(b"x", 9), Err(Errno::AGAIN));
            assert_eq!(empty.try_receive(&mut [0; SIZE]), Err(Errno::AGAIN));
        }
        // Those would interrupt the wait for its end.
        handle(Signal::USR1, libc::SIG_IGN, 0);
        kill(pestering);
    });
}

#[test]
fn killed_receiver_takes_nothing_with_it() {
    isolated(|| {
        for ((form, receive), call) in SLEEPING_RECEIVES {
            let queue = queue_of(1);
            let receiver = child(|| assert!(receive(&queue, &mut [0; SIZE]).is_ok()));
            sleeps_in(receiver.id(), call);
            kill(receiver);
            queue.try_send(b"not for the dead", 3).unwrap();
            assert_eq!(queue.try_send(b"x", 0), Err(Errno::AGAIN), "{form}");
            assert_next(&queue, b"not for the dead", 3);
            assert_empty(&queue);
        }
    });
}

#[test]
fn killed_sender_leaves_nothing_behind() {
    isolated(|| {
        for ((form, send), call) in SLEEPING_SENDS {
            let queue = full_queue();
            let sender = child(|| assert!(send(&queue, b"from the dead", 9).is_ok()));
            sleeps_in(sender.id(), call);
            kill(sender);
            assert_next(&queue, b"there", 5);
            assert_eq!(next(&queue), Err(Errno::AGAIN), "{form}");
            queue.try_send(b"next", 0).unwrap();
            assert_next(&queue, b"next", 0);
        }
    });
}

// Notification.

/// Sends a message from another process, and returns that process's former id.
fn message_from_another(queue: &Mq) -> Pid {
    let sender = child(|| queue.try_send(b"news", 0).unwrap());
    let pid = sender.id();
    join(sender);
    pid
}

#[test]
fn message_into_the_empty_queue_is_announced_once_with_the_value() {
    isolated(|| {
        for (signal, value) in [(Signal::USR1, 0), (Signal::USR2, 42), (Signal::IO, usize::MAX)] {
            let blocked = Blocked::new(signal);
            let queue = queue_of(4);
            queue.notify_by_signal(signal, value).unwrap();
            assert_eq!(blocked.take(), None);
            let sender = message_from_another(&queue);
            assert_eq!(blocked.take(), Some(news(sender, value)));
            // Once: neither the next one nor the next into the empty queue.
            message_from_another(&queue);
            assert!(next(&queue).and(next(&queue)).is_ok());
            message_from_another(&queue);
            assert_eq!(blocked.take(), None);
        }
    });
}

#[test]
fn handler_finds_the_value() {
    static CODE: AtomicI32 = AtomicI32::new(0);
    static VALUE: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn note(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the kernel hands the handler a valid siginfo.
        let info = unsafe { &*info };
        // SAFETY: only a queue's signals come here, and those have a value.
        VALUE.store(unsafe { info.si_value() }.sival_ptr.addr(), Relaxed);
        CODE.store(info.si_code, Relaxed);
    }
    type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

    isolated(|| {
        handle(Signal::USR1, note as Handler as usize, libc::SA_SIGINFO);
        let queue = queue_of(1);
        queue.notify_by_signal(Signal::USR1, 0x00C0_FFEE).unwrap();
        let sender = child(|| queue.send(b"news", 0).unwrap());
        eventually("the handler has run", || CODE.load(Relaxed) == libc::SI_MESGQ);
        assert_eq!(VALUE.load(Relaxed), 0x00C0_FFEE);
        join(sender);
    });
}

#[test]
fn message_into_a_queue_that_is_not_empty_is_not_announced() {
    isolated(|| {
        let blocked = Blocked::new(Signal::USR1);
        let queue = queue_of(4);
        queue.send(b"there", 0).unwrap();
        queue.notify_by_signal(Signal::USR1, 1).unwrap();
        message_from_another(&queue);
        assert_eq!(blocked.take(), None);
        // The registration holds until the queue has been empty.
        assert!(next(&queue).and(next(&queue)).is_ok());
        let sender = message_from_another(&queue);
        assert_eq!(blocked.take(), Some(news(sender, 1)));
    });
}

#[test]
fn message_that_somebody_waits_for_in_receive_is_not_announced() {
    isolated(|| {
        let blocked = Blocked::new(Signal::USR1);
        let queue = queue_of(1);
        queue.notify_by_signal(Signal::USR1, 1).unwrap();
        let receiver = child(|| assert!(queue.receive(&mut [0; SIZE]).is_ok()));
        sleeps_in(receiver.id(), RECEIVING);
        message_from_another(&queue);
        join(receiver);
        assert_eq!(blocked.take(), None);
        // It holds for the next that nobody waits for.
        let sender = message_from_another(&queue);
        assert_eq!(blocked.take(), Some(news(sender, 1)));
    });
}

#[test]
fn message_that_somebody_waits_for_in_receive_until_is_announced() {
    isolated(|| {
        let blocked = Blocked::new(Signal::USR1);
        let queue = queue_of(1);
        queue.notify_by_signal(Signal::USR1, 1).unwrap();
        let by = Deadline::after(SOON);
        let receiver = child(|| assert!(queue.receive_until(&mut [0; SIZE], by).is_ok()));
        sleeps_in(receiver.id(), libc::SYS_ppoll);
        let sender = message_from_another(&queue);
        join(receiver);
        assert_eq!(blocked.take(), Some(news(sender, 1)));
    });
}

#[test]
fn only_one_process_is_registered_at_a_time() {
    isolated(|| {
        let blocked = Blocked::new(Signal::USR1);
        let queue = queue_of(1);
        queue.notify_by_signal(Signal::USR1, 1).unwrap();
        assert_eq!(queue.notify_by_signal(Signal::USR1, 2), Err(Errno::BUSY), "not even itself");
        join(child(|| {
            assert_eq!(queue.notify_by_signal(Signal::USR1, 3), Err(Errno::BUSY));
            // What is another's cannot be taken back.
            queue.cancel_notification().unwrap();
            assert_eq!(queue.notify_by_signal(Signal::USR1, 3), Err(Errno::BUSY));
        }));
        let sender = message_from_another(&queue);
        assert_eq!(blocked.take(), Some(news(sender, 1)));
    });
}

#[test]
fn registration_can_be_taken_back() {
    isolated(|| {
        let blocked = Blocked::new(Signal::USR1);
        let queue = queue_of(1);
        queue.cancel_notification().unwrap();
        queue.notify_by_signal(Signal::USR1, 1).unwrap();
        queue.cancel_notification().unwrap();
        message_from_another(&queue);
        assert_eq!(blocked.take(), None);
        next(&queue).unwrap();

        let gate = Pipe::new().unwrap();
        let blocked = Blocked::new(Signal::USR1);
        let other = child(|| {
            queue.notify_by_signal(Signal::USR1, 2).unwrap();
            open(&gate.writer);
            eventually("it is announced to this one", || {
                blocked.take().is_some_and(|told| told.value == 2)
            });
        });
        pass(&gate.reader);
        message_from_another(&queue);
        join(other);
        assert_eq!(blocked.take(), None);
    });
}

#[test]
fn registration_can_be_made_again_once_it_is_used_up() {
    isolated(|| {
        let blocked = Blocked::new(Signal::USR1);
        let queue = queue_of(1);
        for value in 1..=100 {
            queue.notify_by_signal(Signal::USR1, value).unwrap();
            queue.try_send(b"news", 0).unwrap();
            assert_eq!(blocked.take(), Some(news(process::id(), value)));
            next(&queue).unwrap();
        }
    });
}

#[test]
fn registration_ends_when_its_process_closes_the_queue() {
    isolated(|| {
        let blocked = Blocked::new(Signal::USR1);
        let name = Own::new();
        let queue = of_sizes(1, SIZE).create_new(&name.0, OWNER).unwrap();
        let gate = (Pipe::new().unwrap(), Pipe::new().unwrap());
        let other = child(|| {
            let opened = Mq::options().open(&name.0).unwrap();
            opened.notify_by_signal(Signal::USR1, 1).unwrap();
            open(&gate.0.writer);
            pass(&gate.1.reader);
            drop(opened);
            open(&gate.0.writer);
            pass(&gate.1.reader);
            assert_eq!(blocked.take(), None);
        });
        pass(&gate.0.reader);
        assert_eq!(queue.notify_by_signal(Signal::USR1, 2), Err(Errno::BUSY));
        open(&gate.1.writer);
        pass(&gate.0.reader);
        assert_eq!(queue.notify_by_signal(Signal::USR1, 2), Ok(()));
        queue.send(b"news", 0).unwrap();
        assert_eq!(blocked.take(), Some(news(process::id(), 2)));
        open(&gate.1.writer);
        join(other);
    });
}

/// POSIX ties the registration to the descriptor; Linux, to the process and any of its
/// descriptors.
#[test]
fn registration_ends_when_its_process_closes_any_descriptor_of_the_queue() {
    isolated(|| {
        let name = Own::new();
        let queue = of_sizes(1, SIZE).create_new(&name.0, OWNER).unwrap();
        for other in [queue.try_clone().unwrap(), Mq::options().open(&name.0).unwrap()] {
            queue.notify_by_signal(Signal::USR1, 1).unwrap();
            drop(other);
            let gone = queue.notify_by_signal(Signal::USR1, 2);
            assert_eq!(gone, Ok(()));
            queue.cancel_notification().unwrap();
        }
    });
}

#[test]
fn registration_ends_with_its_process() {
    isolated(|| {
        let blocked = Blocked::new(Signal::USR1);
        let queue = queue_of(1);
        let gate = Pipe::new().unwrap();
        let other = child(|| {
            queue.notify_by_signal(Signal::USR1, 1).unwrap();
            open(&gate.writer);
            let _ = Pipe::new().unwrap().reader.read(&mut [0]);
        });
        pass(&gate.reader);
        assert_eq!(queue.notify_by_signal(Signal::USR1, 2), Err(Errno::BUSY));
        kill(other);
        assert_eq!(queue.notify_by_signal(Signal::USR1, 2), Ok(()));
        queue.send(b"news", 0).unwrap();
        assert_eq!(blocked.take(), Some(news(process::id(), 2)));
    });
}

#[test]
fn child_neither_inherits_nor_ends_its_parents_registration() {
    isolated(|| {
        let blocked = Blocked::new(Signal::USR1);
        let queue = queue_of(1);
        queue.notify_by_signal(Signal::USR1, 1).unwrap();
        // It closes its descriptor by ending.
        let sender = child(|| {
            queue.send(b"news", 0).unwrap();
            assert_eq!(blocked.take(), None);
        });
        let pid = sender.id();
        join(sender);
        assert_eq!(blocked.take(), Some(news(pid, 1)));
    });
}

// The descriptor.

/// What a queue is ready for now.
fn readiness(queue: impl AsFd) -> PollFlags {
    let mut fds = [PollFd::new(&queue, PollFlags::IN | PollFlags::OUT)];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
    fds[0].revents()
}

#[test]
fn poll_finds_it_readable_with_a_message_and_writable_with_room() {
    isolated(|| {
        let queue = queue_of(2);
        assert_eq!(readiness(&queue), PollFlags::OUT);
        queue.send(b"one", 0).unwrap();
        assert_eq!(readiness(&queue), PollFlags::IN | PollFlags::OUT);
        queue.send(b"two", 0).unwrap();
        assert_eq!(readiness(&queue), PollFlags::IN);
        next(&queue).unwrap();
        assert_eq!(readiness(&queue), PollFlags::IN | PollFlags::OUT);
        next(&queue).unwrap();
        assert_eq!(readiness(&queue), PollFlags::OUT);
    });
}

#[test]
fn poll_is_woken_by_a_message_and_by_room() {
    isolated(|| {
        let queue = queue_of(1);
        let poller = |events| {
            let poller = child(|| {
                assert_eq!(poll(&mut [PollFd::new(&queue, events)], None), Ok(1));
            });
            sleeps_in(poller.id(), libc::SYS_ppoll);
            poller
        };
        let waits_for_message = poller(PollFlags::IN);
        queue.send(b"message", 0).unwrap();
        join(waits_for_message);
        let waits_for_room = poller(PollFlags::OUT);
        next(&queue).unwrap();
        join(waits_for_room);
    });
}

#[test]
fn epoll_tells_of_a_message_and_of_room() {
    isolated(|| {
        let queue = queue_of(1);
        let events = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let data = epoll::EventData::new_u64(7);
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        epoll::add(&events, &queue, data, flags).unwrap();
        let told = |timeout: Option<&Timespec>| {
            let mut list = Vec::with_capacity(4);
            epoll::wait(&events, rustix::buffer::spare_capacity(&mut list), timeout).unwrap();
            let told = list.iter().map(|event| {
                assert_eq!({ event.data }.u64(), 7);
                event.flags
            });
            told.collect::<Vec<_>>()
        };
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        assert_eq!(told(Some(&at_once)), [epoll::EventFlags::OUT]);
        assert_eq!(told(Some(&at_once)), [], "each change once");
        // It sleeps until the other process acts, or finds that it has.
        let sender = child(|| queue.send(b"message", 0).unwrap());
        assert_eq!(told(None), [epoll::EventFlags::IN]);
        join(sender);
        let receiver = child(|| assert!(next(&queue).is_ok()));
        assert_eq!(told(None), [epoll::EventFlags::OUT]);
        join(receiver);
    });
}

#[test]
fn clone_is_another_descriptor_of_the_same_description() {
    isolated(|| {
        let queue = queue_of(1);
        let clone = queue.try_clone().unwrap();
        assert_ne!(queue.as_raw_fd(), clone.as_raw_fd());
        queue.set_nonblocking(true).unwrap();
        assert!(clone.attributes().unwrap().nonblocking);
        queue.send(b"through either", 0).unwrap();
        drop(queue);
        assert_next(&clone, b"through either", 0);
    });
}

#[test]
fn queue_becomes_a_descriptor_and_a_descriptor_a_queue() {
    isolated(|| {
        let queue = queue_of(1);
        queue.send(b"the same", 4).unwrap();
        let number = queue.as_raw_fd();
        assert_eq!(queue.as_fd().as_raw_fd(), number);
        let fd = OwnedFd::from(queue);
        assert_eq!(fd.as_raw_fd(), number);
        let queue = Mq::from(fd);
        assert_eq!(queue.as_raw_fd(), number);
        assert_next(&queue, b"the same", 4);
    });
}

#[test]
fn queue_that_is_inherited_works_in_both_directions() {
    isolated(|| {
        let (there, back) = (queue_of(1), queue_of(1));
        let child = child(|| {
            let mut buffer = [0; SIZE];
            let message = there.receive(&mut buffer).unwrap();
            back.send(message.bytes, message.priority + 1).unwrap();
        });
        there.send(b"echo", 1).unwrap();
        let mut buffer = [0; SIZE];
        let message = back.receive_until(&mut buffer, Deadline::after(SOON)).unwrap();
        assert_eq!((&*message.bytes, message.priority), (&b"echo"[..], 2));
        join(child);
    });
}

#[test]
fn queue_that_is_handed_over_a_socket_works() {
    isolated(|| {
        let (here, there) = SeqPacket::pair().unwrap();
        let receiver = child(|| {
            let mut descriptors = Descriptors::<1>::new();
            let mut text = [0; SIZE];
            let received = there.receive_with(&mut text, &mut descriptors).unwrap();
            assert_eq!(received.whole().unwrap(), b"a queue");
            let queue = Mq::from(descriptors.next().unwrap());
            assert_next(&queue, b"for whom it is", 2);
            queue.send(b"thanks", 0).unwrap();
        });
        // Not before the child is there: it is to have it from the socket alone.
        let queue = queue_of(1);
        queue.send(b"for whom it is", 2).unwrap();
        let fds = [queue.as_fd()];
        let along = Ancillary::new().descriptors(&fds);
        here.send_with(&[IoSlice::new(b"a queue")], along).unwrap();
        join(receiver);
        assert_next(&queue, b"thanks", 0);
    });
}

// Many.

const SENDERS: usize = 8;
const RECEIVERS: usize = 4;
/// How many messages there are in all.
const MESSAGES: usize = 10_000;

/// Sends the numbers that are this sender's, in order.
fn send_numbers(queue: &Mq, nth: usize, (form, send): Send) {
    for number in nth * (MESSAGES / SENDERS)..(nth + 1) * (MESSAGES / SENDERS) {
        let mut answer = send(queue, &number.to_ne_bytes(), 1);
        while answer == Err(Errno::AGAIN) {
            yield_now();
            answer = send(queue, &number.to_ne_bytes(), 1);
        }
        assert_eq!(answer, Ok(()), "{form}");
    }
}

/// Receives numbers until there is a message of priority zero, and reports how often each came.
fn receive_numbers(queue: &Mq, (form, receive): Receive, report: &Writer) {
    let mut times = vec![0_u8; MESSAGES];
    let mut last = [None; SENDERS];
    loop {
        let mut buffer = [0; SIZE];
        let message = match receive(queue, &mut buffer) {
            Err(Errno::AGAIN) => {
                yield_now();
                continue;
            }
            answer => answer.expect(form),
        };
        if message.priority == 0 {
            break;
        }
        let number = usize::from_ne_bytes(message.bytes.try_into().unwrap());
        let last = &mut last[number / (MESSAGES / SENDERS)];
        assert!(*last < Some(number), "{form}: what one sender sends comes in order");
        *last = Some(number);
        times[number] += 1;
    }
    report.write_all(&times).unwrap();
}

/// Has many senders and receivers, of those forms in turn, move all messages through `queue`.
fn assert_each_arrives_once(queue: &Mq, sending: &[Send], receiving: &[Receive]) {
    let receivers: Vec<_> = (0..RECEIVERS)
        .map(|nth| {
            let (receive, report) = (receiving[nth % receiving.len()], Pipe::new().unwrap());
            (child(|| receive_numbers(queue, receive, &report.writer)), report.reader)
        })
        .collect();
    let senders: Vec<_> = (0..SENDERS)
        .map(|nth| child(|| send_numbers(queue, nth, sending[nth % sending.len()])))
        .collect();
    senders.into_iter().for_each(join);
    (0..RECEIVERS).for_each(|_| queue.send(b"enough", 0).unwrap());

    let mut times = vec![0; MESSAGES];
    for (receiver, report) in receivers {
        let mut reported = vec![0; MESSAGES];
        assert_eq!(report.read_all(reported.as_mut_slice()).unwrap().len(), MESSAGES);
        times.iter_mut().zip(&reported).for_each(|(sum, times)| *sum += times);
        join(receiver);
    }
    assert!(times.iter().all(|&times| times == 1), "lost or received twice: {times:?}");
    assert_empty(queue);
}

#[test]
fn ten_thousand_messages_of_many_senders_reach_many_receivers_once_each() {
    isolated(|| assert_each_arrives_once(&queue_of(4), &SENDS, &RECEIVES));
}

/// Each message, and each room for one, wakes all who poll for it, and all but one in vain.
#[test]
fn ten_thousand_messages_that_all_wait_for_at_once_arrive_once_each() {
    isolated(|| {
        let (polling_send, polling_receive) = (SLEEPING_SENDS[1].0, SLEEPING_RECEIVES[1].0);
        assert_each_arrives_once(&queue_of(1), &[polling_send], &[polling_receive]);
    });
}

#[test]
fn a_hundred_thousand_messages_leave_nothing() {
    isolated(|| {
        let queue = queue_of(2);
        for round in 0..100_000_u32 {
            let (_, send) = SENDS[round as usize % 3];
            let (_, receive) = RECEIVES[round as usize / 3 % 3];
            send(&queue, &round.to_ne_bytes(), round % PRIORITIES).unwrap();
            let mut buffer = [0; SIZE];
            let message = receive(&queue, &mut buffer).unwrap();
            let received = (&*message.bytes, message.priority);
            assert_eq!(received, (&round.to_ne_bytes()[..], round % PRIORITIES));
        }
        assert_empty(&queue);
        // That no descriptor is left is checked by `isolated`.
    });
}

#[test]
fn ten_thousand_queues_leave_nothing() {
    isolated(|| {
        // All together would take far more bytes than a user's queues may (819200, usually).
        for _ in 0..10_000 {
            let queue = queue_of(2);
            queue.send(b"goes with it", 0).unwrap();
            drop(queue.try_clone().unwrap());
        }
    });
}
