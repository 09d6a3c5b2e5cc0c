//! POSIX message queues side by side with Python's `posix_ipc`: the same queues, the same messages.
//!
//! Skipped, and says so, where there is no Python that has it: `ci/python.sh` makes one.

mod support;

use rawipc::posix::mq::{Message, Mq, PRIORITIES};
use rawipc::process::Signal;
use rawipc::{Deadline, Errno, Result};
use support::own::OWNER;
use support::python::{Program, Python};
use support::signals::Blocked;
use support::{SOON, child, isolated, join, own, sleeps_in};

/// Starts a program, which finds the queue's name in `name`, and can `wait`.
fn start(python: &Python, name: &Own, program: &str) -> Program {
    python.start(&format!(
        "name = '{}'\n\
         def wait(): assert sys.stdin.readline() == 'go\\n'\n\
         {program}",
        name.0
    ))
}

/// Runs a program to its end.
#[track_caller]
fn run(python: &Python, name: &Own, program: &str) {
    start(python, name, program).join();
}

type Own = own::Own<Mq>;

impl Own {
    fn create(&self, max_messages: usize) -> Mq {
        let options = Mq::options().max_messages(max_messages).message_size(SIZE);
        options.create_new(&self.0, OWNER).unwrap()
    }

    fn open(&self) -> Mq {
        Mq::options().open(&self.0).unwrap()
    }
}

const SIZE: usize = 16;

type Send = (&'static str, libc::c_long, fn(&Mq, &[u8], u32) -> Result<()>);
type Receive = (&'static str, libc::c_long, for<'b> fn(&Mq, &'b mut [u8]) -> Result<Message<'b>>);

/// With the call in which they sleep.
const SENDS: [Send; 2] = [
    ("send", libc::SYS_mq_timedsend, Mq::send),
    ("send_until", libc::SYS_ppoll, |queue, message, priority| {
        queue.send_until(message, priority, Deadline::after(SOON))
    }),
];
const RECEIVES: [Receive; 2] = [
    ("receive", libc::SYS_mq_timedreceive, |queue, buffer| queue.receive(buffer)),
    ("receive_until", libc::SYS_ppoll, |queue, buffer| {
        queue.receive_until(buffer, Deadline::after(SOON))
    }),
];

#[track_caller]
fn assert_next(queue: &Mq, bytes: &[u8], priority: u32) {
    let mut buffer = [0; SIZE];
    let message = queue.try_receive(&mut buffer).unwrap();
    assert_eq!((&*message.bytes, message.priority), (bytes, priority));
}

#[test]
fn we_find_a_queue_as_python_made_it() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        run(
            &python,
            &name,
            "queue = MessageQueue(name, posix_ipc.O_CREX, 0o640, 3, 16)\n\
             queue.send(b'one')\n\
             queue.send(b'two')",
        );
        let attributes = name.open().attributes().unwrap();
        assert_eq!((attributes.max_messages, attributes.message_size), (3, 16));
        assert_eq!((attributes.messages, attributes.nonblocking), (2, false));
        let refused = Mq::options().create_new(&name.0, OWNER);
        assert_eq!(refused.unwrap_err(), Errno::EXIST);
        assert_eq!(rustix::fs::fstat(name.open()).unwrap().st_mode & 0o7777, 0o640);
    });
}

#[test]
fn python_finds_a_queue_as_we_made_it() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(3);
        queue.send(b"one", 0).unwrap();
        queue.send(b"two", 0).unwrap();
        run(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             assert (queue.max_messages, queue.max_message_size) == (3, 16)\n\
             assert (queue.current_messages, queue.block) == (2, True)\n\
             refuses(posix_ipc.ExistentialError, MessageQueue, name, posix_ipc.O_CREX)\n\
             queue.block = False",
        );
        assert!(!queue.attributes().unwrap().nonblocking, "that was its own description's");
        queue.set_nonblocking(true).unwrap();
        run(&python, &name, "assert MessageQueue(name).block, 'that was ours'");
    });
}

#[test]
fn what_python_sends_we_receive_by_priority_and_whole() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(6);
        run(
            &python,
            &name,
            "assert posix_ipc.QUEUE_PRIORITY_MAX == 32767\n\
             queue = MessageQueue(name, read=False)\n\
             queue.send(b'low')\n\
             queue.send(b'high', priority=9)\n\
             queue.send(b'', priority=5)\n\
             queue.send('h\u{f6}her', priority=9)\n\
             queue.send(b'sixteen bytes in')\n\
             queue.send(b'\\0\\xff', priority=posix_ipc.QUEUE_PRIORITY_MAX)",
        );
        assert_next(&queue, b"\0\xff", PRIORITIES - 1);
        assert_next(&queue, b"high", 9);
        assert_next(&queue, "h\u{f6}her".as_bytes(), 9);
        assert_next(&queue, b"", 5);
        assert_next(&queue, b"low", 0);
        assert_next(&queue, b"sixteen bytes in", 0);
    });
}

#[test]
fn what_we_send_python_receives_by_priority_and_whole() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(6);
        queue.send(b"low", 0).unwrap();
        queue.try_send(b"high", 9).unwrap();
        queue.send_until(b"", 5, Deadline::NEVER).unwrap();
        queue.send(b"high too", 9).unwrap();
        queue.send(b"sixteen bytes in", 0).unwrap();
        queue.send(b"\0\xff", PRIORITIES - 1).unwrap();
        run(
            &python,
            &name,
            "queue = MessageQueue(name, write=False)\n\
             assert queue.receive() == (b'\\0\\xff', 32767)\n\
             assert queue.receive() == (b'high', 9)\n\
             assert queue.receive() == (b'high too', 9)\n\
             assert queue.receive(1) == (b'', 5)\n\
             assert queue.receive(0) == (b'low', 0)\n\
             assert queue.receive() == (b'sixteen bytes in', 0)\n\
             assert queue.current_messages == 0",
        );
        assert_eq!(queue.attributes().unwrap().messages, 0);
    });
}

#[test]
fn python_that_waits_for_a_message_is_woken_by_ours() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        for timeout in ["", "10"] {
            for (form, _, send) in SENDS.into_iter().chain([("try_send", 0, Mq::try_send as _)]) {
                let name = Own::new();
                let queue = name.create(1);
                let program =
                    format!("assert MessageQueue(name).receive({timeout}) == (b'awaited', 3)");
                let receiver = start(&python, &name, &program);
                sleeps_in(receiver.pid(), libc::SYS_mq_timedreceive);
                assert_eq!(send(&queue, b"awaited", 3), Ok(()), "{form}");
                receiver.join();
            }
        }
    });
}

#[test]
fn we_that_wait_for_a_message_are_woken_by_pythons() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        for (form, call, receive) in RECEIVES {
            let name = Own::new();
            let queue = name.create(1);
            let receiver = child(|| {
                let mut buffer = [0; SIZE];
                let message = receive(&queue, &mut buffer).expect(form);
                assert_eq!((&*message.bytes, message.priority), (&b"awaited"[..], 3));
            });
            sleeps_in(receiver.id(), call);
            run(&python, &name, "MessageQueue(name).send(b'awaited', priority=3)");
            join(receiver);
        }
    });
}

#[test]
fn python_that_waits_for_room_is_woken_by_our_receiving() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        for timeout in ["None", "10"] {
            let name = Own::new();
            let queue = name.create(1);
            queue.send(b"in the way", 0).unwrap();
            let program = format!("MessageQueue(name).send(b'after', {timeout}, 3)");
            let sender = start(&python, &name, &program);
            sleeps_in(sender.pid(), libc::SYS_mq_timedsend);
            assert_next(&queue, b"in the way", 0);
            sender.join();
            assert_next(&queue, b"after", 3);
        }
    });
}

#[test]
fn we_that_wait_for_room_are_woken_by_pythons_receiving() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        for (form, call, send) in SENDS {
            let name = Own::new();
            let queue = name.create(1);
            queue.send(b"in the way", 0).unwrap();
            let sender = child(|| assert_eq!(send(&queue, b"after", 3), Ok(()), "{form}"));
            sleeps_in(sender.id(), call);
            run(
                &python,
                &name,
                "queue = MessageQueue(name)\n\
                 assert queue.receive() == (b'in the way', 0)\n\
                 assert queue.receive() == (b'after', 3)",
            );
            join(sender);
        }
    });
}

#[test]
fn both_give_up_on_the_same_queues() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        // Both find it empty, and then both find it full.
        assert_eq!(queue.try_receive(&mut [0; SIZE]), Err(Errno::AGAIN));
        run(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             refuses(posix_ipc.BusyError, queue.receive, 0)\n\
             refuses(posix_ipc.BusyError, queue.receive, 0.01)\n\
             queue.send(b'in the way')\n\
             refuses(posix_ipc.BusyError, queue.send, b'x', 0)\n\
             refuses(posix_ipc.BusyError, queue.send, b'x', 0.01)\n\
             queue.block = False\n\
             refuses(posix_ipc.BusyError, queue.send, b'x')",
        );
        assert_eq!(queue.try_send(b"x", 0), Err(Errno::AGAIN));
        assert_eq!(queue.send_until(b"x", 0, Deadline::now()), Err(Errno::TIMEDOUT));
        assert_next(&queue, b"in the way", 0);
        assert_eq!(queue.receive_until(&mut [0; SIZE], Deadline::now()), Err(Errno::TIMEDOUT));
    });
}

#[test]
fn message_too_long_for_the_queue_is_sent_by_neither() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        assert_eq!(queue.send(&[b'x'; SIZE + 1], 0), Err(Errno::MSGSIZE));
        run(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             refuses(ValueError, queue.send, b'x' * 17)\n\
             queue.send(b'x' * 16)",
        );
        assert_next(&queue, &[b'x'; SIZE], 0);
    });
}

#[test]
fn what_python_unlinks_is_gone_for_us_and_stays_open() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        let mut other = start(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             queue.unlink()\n\
             queue.send(b'unlinked')\n\
             wait()\n\
             queue.send(b'still open')",
        );
        let mut buffer = [0; SIZE];
        let by = Deadline::after(SOON);
        assert_eq!(queue.receive_until(&mut buffer, by).unwrap().bytes, b"unlinked");
        assert_eq!(Mq::options().open(&name.0).unwrap_err(), Errno::NOENT);
        assert_eq!(Mq::unlink(&name.0), Err(Errno::NOENT));
        other.go();
        assert_eq!(queue.receive_until(&mut buffer, by).unwrap().bytes, b"still open");
        other.join();
    });
}

#[test]
fn what_we_unlink_is_gone_for_python_and_stays_open() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        let mut other = start(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             queue.send(b'opened')\n\
             wait()\n\
             refuses(posix_ipc.ExistentialError, MessageQueue, name)\n\
             refuses(posix_ipc.ExistentialError, queue.unlink)\n\
             queue.send(b'still open')",
        );
        let mut buffer = [0; SIZE];
        let by = Deadline::after(SOON);
        assert_eq!(queue.receive_until(&mut buffer, by).unwrap().bytes, b"opened");
        Mq::unlink(&name.0).unwrap();
        other.go();
        assert_eq!(queue.receive_until(&mut buffer, by).unwrap().bytes, b"still open");
        other.join();
    });
}

#[test]
fn python_that_registered_is_told_of_our_message() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        let back = name.with("-back");
        let ready = back.create(1);
        let other = start(
            &python,
            &name,
            "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n\
             queue = MessageQueue(name)\n\
             queue.request_notification(signal.SIGUSR1)\n\
             MessageQueue(name + '-back').send(b'registered')\n\
             told = signal.sigtimedwait([signal.SIGUSR1], 10)\n\
             assert told.si_code == -3, told  # SI_MESGQ\n\
             assert queue.receive(0) == (b'news', 0)",
        );
        let mut buffer = [0; SIZE];
        ready.receive_until(&mut buffer, Deadline::after(SOON)).unwrap();
        assert_eq!(queue.notify_by_signal(Signal::USR1, 0), Err(Errno::BUSY));
        queue.send(b"news", 0).unwrap();
        other.join();
        assert_eq!(queue.notify_by_signal(Signal::USR1, 0), Ok(()), "it was told once");
    });
}

#[test]
fn we_that_registered_are_told_of_pythons_message() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        let blocked = Blocked::new(Signal::USR1);
        queue.notify_by_signal(Signal::USR1, 42).unwrap();
        run(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             refuses(posix_ipc.BusyError, queue.request_notification, signal.SIGUSR1)\n\
             queue.send(b'news')",
        );
        let told = blocked.take().unwrap();
        assert_eq!((told.code, told.value), (libc::SI_MESGQ, 42));
        assert_next(&queue, b"news", 0);
    });
}

#[test]
fn thousands_of_messages_go_to_python_and_come_back() {
    const ECHOES: u32 = 5000;

    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let there = Own::new();
        let back = there.with("-back");
        let (to, from) = (there.create(3), back.create(2));
        let other = start(
            &python,
            &there,
            "there, back = MessageQueue(name), MessageQueue(name + '-back')\n\
             while True:\n\
             \x20   message, priority = there.receive()\n\
             \x20   if not message: break\n\
             \x20   back.send(message, priority=priority + 1)",
        );
        let sender = child(|| {
            for number in 0..ECHOES {
                to.send(&number.to_ne_bytes(), 5).unwrap();
            }
            to.send(b"", 0).unwrap();
        });
        for number in 0..ECHOES {
            let mut buffer = [0; SIZE];
            let message = from.receive_until(&mut buffer, Deadline::after(SOON)).unwrap();
            assert_eq!((&*message.bytes, message.priority), (&number.to_ne_bytes()[..], 6));
        }
        join(sender);
        other.join();
    });
}
