//! POSIX message queues side by side with Python's `posix_ipc`: the same queues, the same messages.
//!
//! Skipped, and says so, where there is no Python that has it: `ci/python.sh` makes one.

mod support;

use core::mem::MaybeUninit;
use std::env;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rawipc::posix::mq::{Message, Mode, Mq, PRIORITIES};
use rawipc::process::{self, Pid, Signal};
use rawipc::{Deadline, Errno, Name, Result};
use support::{SOON, child, isolated, join, sleeps_in};

/// The Python to run, if there is one.
fn interpreter() -> Option<PathBuf> {
    let made = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    let python = env::var_os("RAWIPC_PYTHON").map_or_else(made, PathBuf::from);
    let mut import = Command::new(&python);
    import.args(["-c", "import posix_ipc"]).stderr(Stdio::null());
    if import.status().is_ok_and(|status| status.success()) {
        return Some(python);
    }
    let missing = "no Python with posix_ipc (run ci/python.sh)";
    assert!(env::var_os("CI").is_none(), "{missing}");
    // Not through `eprintln`: the harness keeps to itself what a test prints that passes.
    let mut visibly = io::stderr();
    writeln!(visibly, "skipped: {missing}").unwrap();
    None
}

/// A Python program that runs on its own.
struct Python(Child);

impl Python {
    /// Runs `program`, which finds the queue's name in `name`, and can `wait` for [`go`](Self::go).
    fn start(python: &Path, name: &Own, program: &str) -> Self {
        let prelude = "import posix_ipc, signal, sys\n\
            from posix_ipc import MessageQueue\n\
            name = sys.argv[1]\n\
            def wait(): assert sys.stdin.readline() == 'go\\n'\n\
            def refuses(error, call, *arguments):\n\
            \x20   try: call(*arguments)\n\
            \x20   except error: return True\n";
        let mut command = Command::new(python);
        command.args(["-c", &format!("{prelude}{program}"), &name.0.to_string()]);
        Self(command.stdin(Stdio::piped()).spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Lets it go on from where it waits.
    fn go(&mut self) {
        self.0.stdin.as_ref().unwrap().write_all(b"go\n").unwrap();
    }

    /// Waits for it to do well.
    #[track_caller]
    fn join(mut self) {
        assert!(self.0.wait().unwrap().success(), "Python failed");
    }
}

/// Runs a Python program to its end.
#[track_caller]
fn run(python: &Path, name: &Own, program: &str) {
    Python::start(python, name, program).join();
}

/// A name that no other process's queue has. What bears it in the end is unlinked, also when the
/// test fails.
struct Own(Name);

impl Own {
    fn new() -> Self {
        Self::with("")
    }

    /// A second one, for the way back: `name + '-back'` in Python.
    fn new_back() -> Self {
        Self::with("-back")
    }

    fn with(suffix: &str) -> Self {
        let pid = process::id().as_raw_nonzero();
        let name = Name::format(format_args!("/rawipc-mq-python-{pid}{suffix}")).unwrap();
        // Left behind by a test that was killed when it had the same pid.
        let _ = Mq::unlink(&name);
        Self(name)
    }

    fn create(&self, max_messages: usize) -> Mq {
        let options = Mq::options().max_messages(max_messages).message_size(SIZE);
        options.create_new(&self.0, OWNER).unwrap()
    }

    fn open(&self) -> Mq {
        Mq::options().open(&self.0).unwrap()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = Mq::unlink(&self.0);
    }
}

const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);
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
    let Some(python) = interpreter() else { return };
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
    let Some(python) = interpreter() else { return };
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
             assert refuses(posix_ipc.ExistentialError, MessageQueue, name, posix_ipc.O_CREX)\n\
             queue.block = False",
        );
        assert!(!queue.attributes().unwrap().nonblocking, "that was its own description's");
        queue.set_nonblocking(true).unwrap();
        run(&python, &name, "assert MessageQueue(name).block, 'that was ours'");
    });
}

#[test]
fn what_python_sends_we_receive_by_priority_and_whole() {
    let Some(python) = interpreter() else { return };
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
    let Some(python) = interpreter() else { return };
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
    let Some(python) = interpreter() else { return };
    isolated(|| {
        for timeout in ["", "10"] {
            for (form, _, send) in SENDS.into_iter().chain([("try_send", 0, Mq::try_send as _)]) {
                let name = Own::new();
                let queue = name.create(1);
                let program =
                    format!("assert MessageQueue(name).receive({timeout}) == (b'awaited', 3)");
                let receiver = Python::start(&python, &name, &program);
                sleeps_in(receiver.pid(), libc::SYS_mq_timedreceive);
                assert_eq!(send(&queue, b"awaited", 3), Ok(()), "{form}");
                receiver.join();
            }
        }
    });
}

#[test]
fn we_that_wait_for_a_message_are_woken_by_pythons() {
    let Some(python) = interpreter() else { return };
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
    let Some(python) = interpreter() else { return };
    isolated(|| {
        for timeout in ["None", "10"] {
            let name = Own::new();
            let queue = name.create(1);
            queue.send(b"in the way", 0).unwrap();
            let program = format!("MessageQueue(name).send(b'after', {timeout}, 3)");
            let sender = Python::start(&python, &name, &program);
            sleeps_in(sender.pid(), libc::SYS_mq_timedsend);
            assert_next(&queue, b"in the way", 0);
            sender.join();
            assert_next(&queue, b"after", 3);
        }
    });
}

#[test]
fn we_that_wait_for_room_are_woken_by_pythons_receiving() {
    let Some(python) = interpreter() else { return };
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
    let Some(python) = interpreter() else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        // Both find it empty, and then both find it full.
        assert_eq!(queue.try_receive(&mut [0; SIZE]), Err(Errno::AGAIN));
        run(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             assert refuses(posix_ipc.BusyError, queue.receive, 0)\n\
             assert refuses(posix_ipc.BusyError, queue.receive, 0.01)\n\
             queue.send(b'in the way')\n\
             assert refuses(posix_ipc.BusyError, queue.send, b'x', 0)\n\
             assert refuses(posix_ipc.BusyError, queue.send, b'x', 0.01)\n\
             queue.block = False\n\
             assert refuses(posix_ipc.BusyError, queue.send, b'x')",
        );
        assert_eq!(queue.try_send(b"x", 0), Err(Errno::AGAIN));
        assert_eq!(queue.send_until(b"x", 0, Deadline::now()), Err(Errno::TIMEDOUT));
        assert_next(&queue, b"in the way", 0);
        assert_eq!(queue.receive_until(&mut [0; SIZE], Deadline::now()), Err(Errno::TIMEDOUT));
    });
}

#[test]
fn message_too_long_for_the_queue_is_sent_by_neither() {
    let Some(python) = interpreter() else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        assert_eq!(queue.send(&[b'x'; SIZE + 1], 0), Err(Errno::MSGSIZE));
        run(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             assert refuses(ValueError, queue.send, b'x' * 17)\n\
             queue.send(b'x' * 16)",
        );
        assert_next(&queue, &[b'x'; SIZE], 0);
    });
}

#[test]
fn what_python_unlinks_is_gone_for_us_and_stays_open() {
    let Some(python) = interpreter() else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        let mut other = Python::start(
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
    let Some(python) = interpreter() else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        let mut other = Python::start(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             queue.send(b'opened')\n\
             wait()\n\
             assert refuses(posix_ipc.ExistentialError, MessageQueue, name)\n\
             assert refuses(posix_ipc.ExistentialError, queue.unlink)\n\
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
    let Some(python) = interpreter() else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        let back = Own::new_back();
        let ready = back.create(1);
        let other = Python::start(
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
    let Some(python) = interpreter() else { return };
    isolated(|| {
        let name = Own::new();
        let queue = name.create(1);
        let blocked = block(Signal::USR1);
        queue.notify_by_signal(Signal::USR1, 42).unwrap();
        run(
            &python,
            &name,
            "queue = MessageQueue(name)\n\
             assert refuses(posix_ipc.BusyError, queue.request_notification, signal.SIGUSR1)\n\
             queue.send(b'news')",
        );
        assert_eq!(told(&blocked), Some((libc::SI_MESGQ, 42)));
        assert_next(&queue, b"news", 0);
    });
}

/// Keeps a signal from this process, until it is asked for.
fn block(signal: Signal) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: makes of `set` an empty set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: `set` has just been initialised.
    let mut set = unsafe { set.assume_init() };
    // SAFETY: `set` is initialised.
    unsafe { libc::sigaddset(&raw mut set, signal.as_raw()) };
    // SAFETY: `set` is initialised; the old one is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, core::ptr::null_mut()) };
    set
}

/// The code and the value that came with the signal, if it has come.
fn told(blocked: &libc::sigset_t) -> Option<(i32, usize)> {
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: an all-zero siginfo is a valid one.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    // SAFETY: set and time are initialised, and `info` lives.
    let signal = unsafe { libc::sigtimedwait(blocked, &raw mut info, &raw const now) };
    // SAFETY: a signal of a message queue has a value; one that a process sends for nothing, zeros.
    (signal != -1).then(|| (info.si_code, unsafe { info.si_value() }.sival_ptr.addr()))
}

#[test]
fn thousands_of_messages_go_to_python_and_come_back() {
    const ECHOES: u32 = 5000;

    let Some(python) = interpreter() else { return };
    isolated(|| {
        let (there, back) = (Own::new(), Own::new_back());
        let (to, from) = (there.create(3), back.create(2));
        let other = Python::start(
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
