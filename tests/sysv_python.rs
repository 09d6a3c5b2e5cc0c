//! System V queues and sets, side by side with Python's `sysv_ipc`.

mod support;

use core::ffi::c_long;

use rawipc::Errno;
use rawipc::sysv::msg::{HEADER, Which};
use rawipc::sysv::sem::Operation;
use rawipc::sysv::{Key, MsgQueue, SemSet};
use support::numbers::{MSGRCV, POLL};
use support::python::{Program, Python};
use support::sysv::{Queue, QueueOf, RW, Set, SetOf};
use support::{child, eventually, isolated, join, sleeps_in, sleeps_in_one_of};

/// Starts a script, for which `key` is the key.
fn start(python: &Python, key: Key, script: &str) -> Program {
    python.start(&format!("key = {}\n{script}", key.as_raw()))
}

/// What a script prints.
#[track_caller]
fn run(python: &Python, key: Key, script: &str) -> String {
    start(python, key, script).join()
}

impl Queue {
    fn next(&self, which: Which) -> Result<(c_long, Vec<u8>), Errno> {
        let mut buffer = [0; HEADER + 4096];
        let message = self.receive(&mut buffer, which)?;
        Ok((message.kind, message.text.to_vec()))
    }
}

/// A key under which there is nothing. What Python makes there goes when the test ends.
fn unused() -> ((QueueOf, SetOf), Key) {
    let key = Queue::keyed().1;
    ((QueueOf(key), SetOf(key)), key)
}

#[test]
fn ftok_is_pythons() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let script = "\
for path in ['/', '/proc', '/dev/null', '/usr', '/etc/passwd']:
    for project in [0, 1, 77, 255]:
        print(path, project, ftok(path, project, silence_warning=True))";
        let printed = run(&python, Key::PRIVATE, script);
        assert_eq!(printed.lines().count(), 20);
        for line in printed.lines() {
            let mut words = line.split(' ');
            let (path, project) = (words.next().unwrap(), words.next().unwrap());
            let key = Key::from_raw(words.next().unwrap().parse().unwrap());
            assert_eq!(Key::ftok(path, project.parse().unwrap()), Ok(key), "{line}");
        }
    });
}

// Queues.

#[test]
fn python_receives_what_we_send() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (queue, key) = Queue::keyed();
        for (kind, text) in [(5, &b"e"[..]), (2, b"a"), (3, b""), (2, b"b"), (4, b"d")] {
            queue.send(kind, text).unwrap();
        }
        queue.send_in_place(9, &mut [0xFF; HEADER + 2]).unwrap();
        let script = "\
queue = MessageQueue(key)
assert queue.current_messages == 6 and queue.last_send_pid == os.getppid()
assert queue.receive(type=2) == (b'a', 2)
assert queue.receive(type=-3) == (b'b', 2)
assert queue.receive(type=-3) == (b'', 3)
assert queue.receive() == (b'e', 5)
assert queue.receive(block=False) == (b'd', 4)
assert queue.receive(type=9) == (b'\\xff\\xff', 9)
refuses(BusyError, queue.receive, block=False)
refuses(BusyError, queue.receive, block=False, type=2)";
        run(&python, key, script);
        assert_eq!(queue.status().unwrap().messages, 0);
    });
}

#[test]
fn we_receive_what_python_sends() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (_left, key) = unused();
        let script = "\
queue = MessageQueue(key, IPC_CREX, max_message_size=4096)
queue.send(b'e', type=5)
queue.send(b'a' * 2048, type=2)
queue.send(b'', type=3)
queue.send('text', block=False)
print(os.getpid(), queue.id)";
        let printed = run(&python, key, script);
        let queue = Queue(MsgQueue::open(key).unwrap());
        let status = queue.status().unwrap();
        let sender = status.last_sender.unwrap().as_raw_nonzero();
        assert_eq!(printed, format!("{sender} {}\n", queue.id()));
        assert_eq!((status.messages, status.permissions.mode), (4, RW));
        assert_eq!(queue.next(Which::lowest_up_to(4)), Ok((1, b"text".to_vec())));
        assert_eq!(queue.next(Which::exactly(2)), Ok((2, vec![b'a'; 2048])));
        assert_eq!(queue.next(Which::any_but(5)), Ok((3, vec![])));
        assert_eq!(queue.next(Which::any()), Ok((5, b"e".to_vec())));
    });
}

#[test]
fn each_wakes_the_others_sleeping_receiver() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (queue, key) = Queue::keyed();
        let script = "\
queue = MessageQueue(key)
assert queue.receive(type=1) == (b'to Python', 1)
queue.send(b'to Rust', type=2)";
        let theirs = start(&python, key, script);
        sleeps_in(theirs.pid(), MSGRCV);
        let ours = child(|| {
            assert_eq!(queue.next(Which::exactly(2)), Ok((2, b"to Rust".to_vec())));
        });
        sleeps_in(ours.id(), MSGRCV);
        queue.send(1, b"to Python").unwrap();
        theirs.join();
        join(ours);
    });
}

#[test]
fn python_sees_that_we_removed_a_queue() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (queue, key) = Queue::keyed();
        let script = "\
queue = MessageQueue(key)
refuses(ExistentialError, queue.receive)
refuses((ExistentialError, OSError), queue.send, b'x')
refuses(ExistentialError, MessageQueue, key)";
        let theirs = start(&python, key, script);
        sleeps_in(theirs.pid(), MSGRCV);
        queue.remove().unwrap();
        theirs.join();
    });
}

#[test]
fn we_see_that_python_removed_a_queue() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (queue, key) = Queue::keyed();
        let ours = child(|| assert_eq!(queue.next(Which::any()), Err(Errno::IDRM)));
        sleeps_in(ours.id(), MSGRCV);
        run(&python, key, "MessageQueue(key).remove()");
        join(ours);
        assert_eq!(queue.try_send(1, b"x"), Err(Errno::INVAL));
        assert_eq!(MsgQueue::open(key), Err(Errno::NOENT));
    });
}

#[test]
fn queue_that_one_has_filled_is_full_for_the_other() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (queue, key) = Queue::keyed();
        let script = "\
queue = MessageQueue(key)
queue.max_size = 8
queue.mode = 0o640
queue.send(b'1234567')
refuses(BusyError, queue.send, b'89', block=False)
queue.send(b'8', block=False)";
        run(&python, key, script);
        let status = queue.status().unwrap();
        assert_eq!((status.max_bytes, status.bytes), (8, 8));
        assert_eq!(status.permissions.mode.as_raw_mode(), 0o640);
        assert_eq!(queue.try_send(1, b"x"), Err(Errno::AGAIN));
    });
}

#[test]
fn key_that_one_has_taken_is_taken_for_the_other() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (_queue, key) = Queue::keyed();
        let _set = Set(SemSet::create_new(key, RW, &[1]).unwrap());
        let script = "\
refuses(ExistentialError, MessageQueue, key, IPC_CREX)
refuses(ExistentialError, Semaphore, key, IPC_CREX)";
        run(&python, key, script);

        let (_left, key) = unused();
        run(&python, key, "MessageQueue(key, IPC_CREX); Semaphore(key, IPC_CREX)");
        assert_eq!(MsgQueue::create_new(key, RW), Err(Errno::EXIST));
        assert_eq!(SemSet::create_new(key, RW, &[1]), Err(Errno::EXIST));
    });
}

// Sets.

#[test]
fn python_operates_on_our_set_and_finds_it_initialised() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (set, key) = Set::keyed(&[3]);
        let script = "\
semaphore = Semaphore(key)
assert semaphore.o_time != 0 and semaphore.value == 3
semaphore.P()
semaphore.P(delta=2)
assert semaphore.value == 0 and semaphore.last_pid == os.getpid()
semaphore.Z()
if SEMAPHORE_TIMEOUT_SUPPORTED:  # which depends on how the module was built
    refuses(BusyError, semaphore.P, timeout=0)
    refuses(BusyError, semaphore.P, timeout=0.01)
semaphore.block = False
refuses(BusyError, semaphore.P)
semaphore.V(delta=5)
refuses(BusyError, semaphore.Z)";
        run(&python, key, script);
        assert_eq!(set.value(0), Ok(5));
    });
}

/// `sysv_ipc` sets the value and leaves the first operation to its user, whom its manual tells to
/// make one ("Semaphore Initialization"): only then can others know.
#[test]
fn pythons_semaphore_is_ready_after_its_first_operation() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (_left, key) = unused();
        let script = "\
semaphore = Semaphore(key, IPC_CREX, initial_value=7)
assert semaphore.o_time == 0 and semaphore.value == 7";
        run(&python, key, script);
        assert_eq!(SemSet::try_open(key), Err(Errno::AGAIN));

        run(&python, key, "Semaphore(key).release()");
        let set = SemSet::try_open(key).unwrap();
        assert_eq!((set.value(0), set.status().unwrap().semaphores), (Ok(8), 1));
        set.wait(0).unwrap();
        run(&python, key, "assert Semaphore(key).value == 7");
    });
}

#[test]
fn we_wait_until_python_has_initialised() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (_left, key) = unused();
        // Forked first, so that it does not hold the other end of Python's input.
        let ours = child(|| {
            let set = loop {
                match SemSet::open(key) {
                    Err(Errno::NOENT) => std::thread::yield_now(),
                    answer => break answer.unwrap(),
                }
            };
            assert_eq!(set.value(0), Ok(6));
        });
        let script = "\
semaphore = Semaphore(key, IPC_CREX)
sys.stdin.read()
semaphore.value = 5
semaphore.release()";
        let theirs = start(&python, key, script);
        eventually("it is made", || SemSet::try_open(key) == Err(Errno::AGAIN));
        sleeps_in_one_of(ours.id(), POLL);
        theirs.join();
        join(ours);
    });
}

#[test]
fn each_wakes_the_others_waiter() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (set, key) = Set::keyed(&[0]);
        let theirs = start(&python, key, "Semaphore(key).P(delta=2)");
        eventually("Python waits", || set.waiting(0) == Ok(1));
        set.operate(&[Operation::change(0, 3)]).unwrap();
        theirs.join();
        assert_eq!(set.value(0), Ok(1));

        let theirs = start(&python, key, "Semaphore(key).Z()");
        eventually("Python waits for zero", || set.waiting_for_zero(0) == Ok(1));
        set.wait(0).unwrap();
        theirs.join();

        let ours = child(|| set.wait(0).unwrap());
        eventually("we wait", || set.waiting(0) == Ok(1));
        let script = "\
semaphore = Semaphore(key)
assert semaphore.waiting_for_nonzero == 1 and semaphore.waiting_for_zero == 0
semaphore.V()";
        run(&python, key, script);
        join(ours);
    });
}

#[test]
fn what_python_is_to_undo_is_undone_when_it_ends() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (set, key) = Set::keyed(&[3]);
        let script = "\
semaphore = Semaphore(key)
semaphore.undo = True
semaphore.P(delta=2)
semaphore.undo = False
semaphore.P()
semaphore.Z()
semaphore.undo = True
semaphore.P()";
        let theirs = start(&python, key, script);
        eventually("it waits", || set.waiting(0) == Ok(1));
        assert_eq!(set.value(0), Ok(0));
        set.post(0).unwrap();
        theirs.join();
        assert_eq!(set.value(0), Ok(3), "2 and 1 came back, 1 did not, 1 was posted");
    });
}

#[test]
fn each_sees_the_value_that_the_other_sets() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (set, key) = Set::keyed(&[3]);
        run(&python, key, "Semaphore(key).value = 32767");
        assert_eq!(set.value(0), Ok(rawipc::sysv::sem::MAX_VALUE));
        set.set_value(0, 9).unwrap();
        let script = "\
semaphore = Semaphore(key)
assert semaphore.value == 9
semaphore.mode = 0o640
assert semaphore.uid == os.getuid() and semaphore.cgid == os.getgid()";
        run(&python, key, script);
        assert_eq!(set.status().unwrap().permissions.mode.as_raw_mode(), 0o640);
    });
}

#[test]
fn each_sees_that_the_other_removed_a_set() {
    let Some(python) = Python::with("sysv_ipc") else { return };
    isolated(|| {
        let (set, key) = Set::keyed(&[0]);
        let script = "\
semaphore = Semaphore(key)
refuses(ExistentialError, semaphore.P)
refuses(ExistentialError, semaphore.V)
refuses(ExistentialError, Semaphore, key)";
        let theirs = start(&python, key, script);
        eventually("it waits", || set.waiting(0) == Ok(1));
        set.remove().unwrap();
        theirs.join();

        let (set, key) = Set::keyed(&[0]);
        let ours = child(|| assert_eq!(set.wait(0), Err(Errno::IDRM)));
        eventually("we wait", || set.waiting(0) == Ok(1));
        run(&python, key, "Semaphore(key).remove()");
        join(ours);
        assert_eq!(set.post(0), Err(Errno::INVAL));
    });
}
