//! What the kernel keeps by name or by key: queues, semaphores and memory, of POSIX and System V.

use core::ffi::CStr;
use std::ffi::CString;

use rawipc::Name;
use rawipc::posix::{Mode, Mq, Semaphore};
use rawipc::shm::{Access, Mapping, Memfd, Object};
use rawipc::sysv::msg::Which;
use rawipc::sysv::{Key, MsgQueue, SemSet, Shm};

use super::{Call, Wrapper};
use crate::by_hand;

pub(super) const WRAPPERS: &[Wrapper] = &[
    Wrapper { name: "Mq: create, unlink and close", calls: mq_create },
    Wrapper { name: "Mq::send", calls: mq_send },
    Wrapper { name: "Mq::receive", calls: mq_receive },
    Wrapper { name: "Mq::attributes", calls: mq_attributes },
    Wrapper { name: "MsgQueue: create and remove", calls: msg_create },
    Wrapper { name: "MsgQueue::send", calls: msg_send },
    Wrapper { name: "MsgQueue::receive", calls: msg_receive },
    Wrapper { name: "SemSet: create and remove", calls: sem_create },
    Wrapper { name: "SemSet::post and wait", calls: sem_post_and_wait },
    Wrapper { name: "SemSet::value", calls: sem_value },
    Wrapper { name: "SemSet::set_value", calls: set_sem_value },
    Wrapper { name: "Shm: create and remove", calls: shm_create },
    Wrapper { name: "Shm::attach, and detach", calls: attach },
    Wrapper { name: "posix::Semaphore: post and wait", calls: named_semaphore },
    Wrapper { name: "Memfd::new, and close", calls: memfd },
    Wrapper { name: "Memfd::seals", calls: seals },
    Wrapper { name: "Mapping::new, and unmap", calls: map },
    Wrapper { name: "Object::unlink, nothing there", calls: unlink },
];

const MODE: Mode = Mode::from_raw_mode(0o600);
const BYTES: [u8; 8] = [7; 8];
const LEN: usize = 4096;

/// A name of this process's own.
fn name(what: &str) -> Name {
    Name::format(format_args!("/rawipc-instructions-{what}-{}", std::process::id())).unwrap()
}

/// With its slash, as the C library wants it.
fn as_c(name: &Name) -> &'static CStr {
    Box::leak(CString::new(name.to_string()).unwrap().into_boxed_c_str())
}

/// A queue to the end of the process, which has no name any more.
fn mq() -> &'static Mq {
    let name = name("mq");
    let queue = Mq::options().max_messages(8).message_size(8).create_new(&name, MODE).unwrap();
    Mq::unlink(&name).unwrap();
    Box::leak(Box::new(queue))
}

fn mq_create() -> [Call; 2] {
    let name = name("new");
    let by_hand = as_c(&name);
    [
        Call::new(move || {
            let queue = by_hand::mq_create(by_hand, 8, 8).unwrap();
            by_hand::mq_unlink(by_hand).unwrap();
            queue
        }),
        Call::new(move || {
            let options = Mq::options().max_messages(8).message_size(8);
            let queue = options.create_new(&name, MODE).unwrap();
            Mq::unlink(&name).unwrap();
            queue
        }),
    ]
}

fn mq_send() -> [Call; 2] {
    let queue = mq();
    let empty = || while queue.try_receive(&mut [0; 8]).is_ok() {};
    [
        Call::after(empty, || by_hand::mq_send(queue, &BYTES, 1).unwrap()),
        Call::after(empty, || queue.send(&BYTES, 1).unwrap()),
    ]
}

fn mq_receive() -> [Call; 2] {
    let queue = mq();
    let fill = || queue.send(&BYTES, 1).unwrap();
    [
        Call::after(fill, || by_hand::mq_receive(queue, &mut [0; 8]).unwrap()),
        Call::after(fill, || {
            let mut buffer = [0; 8];
            let message = queue.receive(&mut buffer).unwrap();
            (message.bytes.len(), message.priority)
        }),
    ]
}

fn mq_attributes() -> [Call; 2] {
    let queue = mq();
    [
        Call::new(|| by_hand::mq_attributes(queue).unwrap()),
        Call::new(|| queue.attributes().unwrap()),
    ]
}

fn msg_create() -> [Call; 2] {
    [
        Call::new(|| by_hand::msg_remove(by_hand::msgget().unwrap()).unwrap()),
        Call::new(|| MsgQueue::create_new(Key::PRIVATE, MODE).unwrap().remove().unwrap()),
    ]
}

/// What is gone with the process, or as soon as nobody needs it: not so those of System V.
struct Removed<T: Copy>(T, fn(T));

impl<T: Copy> Removed<T> {
    /// Not by the field: a closure would keep that only, and this would be gone.
    fn get(&self) -> T {
        self.0
    }
}

impl<T: Copy> Drop for Removed<T> {
    fn drop(&mut self) {
        self.1(self.0);
    }
}

fn msg() -> Removed<MsgQueue> {
    let queue = MsgQueue::create_new(Key::PRIVATE, MODE).unwrap();
    Removed(queue, |queue| queue.remove().unwrap())
}

fn msg_send() -> [Call; 2] {
    let (one, other) = (msg(), msg());
    [
        Call::new(move || {
            by_hand::msgsnd(one.get().id(), 1, &BYTES).unwrap();
        }),
        Call::new(move || other.get().send(1, &BYTES).unwrap()),
    ]
}

fn msg_receive() -> [Call; 2] {
    let (one, other) = (msg(), msg());
    let (one_queue, other_queue) = (one.get(), other.get());
    [
        Call::after(
            move || one_queue.send(1, &BYTES).unwrap(),
            move || by_hand::msgrcv(one.get().id(), &mut [0; 8]).unwrap(),
        ),
        Call::after(
            move || other_queue.send(1, &BYTES).unwrap(),
            move || {
                let mut buffer = [0; 16];
                let message = other.get().receive(&mut buffer, Which::any()).unwrap();
                (message.kind, message.text.len())
            },
        ),
    ]
}

fn sem_create() -> [Call; 2] {
    [
        Call::new(|| {
            let set = by_hand::sem_create(&[1]).unwrap();
            by_hand::sem_remove(set).unwrap();
        }),
        Call::new(|| SemSet::create_new(Key::PRIVATE, MODE, &[1]).unwrap().remove().unwrap()),
    ]
}

fn sem() -> Removed<SemSet> {
    let set = SemSet::create_new(Key::PRIVATE, MODE, &[1]).unwrap();
    Removed(set, |set| set.remove().unwrap())
}

fn sem_post_and_wait() -> [Call; 2] {
    let (one, other) = (sem(), sem());
    [
        Call::new(move || {
            by_hand::semop(one.get().id(), 0, 1).unwrap();
            by_hand::semop(one.get().id(), 0, -1).unwrap();
        }),
        Call::new(move || {
            other.get().post(0).unwrap();
            other.get().wait(0).unwrap();
        }),
    ]
}

fn sem_value() -> [Call; 2] {
    let (one, other) = (sem(), sem());
    [
        Call::new(move || by_hand::sem_value(one.get().id(), 0).unwrap()),
        Call::new(move || other.get().value(0).unwrap()),
    ]
}

fn set_sem_value() -> [Call; 2] {
    let (one, other) = (sem(), sem());
    [
        Call::new(move || by_hand::set_sem_value(one.get().id(), 0, 2).unwrap()),
        Call::new(move || other.get().set_value(0, 2).unwrap()),
    ]
}

fn shm_create() -> [Call; 2] {
    [
        Call::new(|| by_hand::shm_remove(by_hand::shmget(LEN).unwrap()).unwrap()),
        Call::new(|| Shm::create_new(Key::PRIVATE, MODE, LEN).unwrap().remove().unwrap()),
    ]
}

fn attach() -> [Call; 2] {
    let segment = || {
        let segment = Shm::create_new(Key::PRIVATE, MODE, LEN).unwrap();
        Removed(segment, |segment| segment.remove().unwrap())
    };
    let (one, other) = (segment(), segment());
    [
        Call::new(move || {
            let (place, _len) = by_hand::shmat(one.get().id()).unwrap();
            // SAFETY: just attached, and used by nobody.
            unsafe { by_hand::shmdt(place) }.unwrap();
        }),
        Call::new(move || drop(other.get().attach().unwrap())),
    ]
}

/// Those of the C library have the same form, so both work on one.
fn named_semaphore() -> [Call; 2] {
    let name = name("sem");
    let ours = Semaphore::create_new(&name, MODE, 0).unwrap();
    Semaphore::unlink(&name).unwrap();
    let libc = by_hand::Semaphore::shared(0).unwrap();
    [
        Call::new(|| {
            libc.post().unwrap();
            libc.wait().unwrap();
        }),
        Call::new(move || {
            ours.post().unwrap();
            ours.wait();
        }),
    ]
}

fn memfd() -> [Call; 2] {
    [Call::new(|| by_hand::memfd(c"rawipc", 4096).unwrap()), Call::new(|| Memfd::new(LEN).unwrap())]
}

fn seals() -> [Call; 2] {
    let memfd: &'static Memfd = Box::leak(Box::new(Memfd::new(LEN).unwrap()));
    [Call::new(|| by_hand::seals(memfd).unwrap()), Call::new(|| memfd.seals().unwrap())]
}

fn map() -> [Call; 2] {
    let memfd: &'static Memfd = Box::leak(Box::new(Memfd::new(LEN).unwrap()));
    [
        Call::new(|| {
            let place = by_hand::map(memfd, LEN).unwrap();
            // SAFETY: just mapped, and used by nobody.
            unsafe { by_hand::unmap(place, LEN) }.unwrap();
        }),
        Call::new(move || drop(Mapping::new(memfd, LEN, Access::ReadWrite).unwrap())),
    ]
}

fn unlink() -> [Call; 2] {
    let name = name("none");
    let by_hand = as_c(&name);
    [
        Call::new(move || by_hand::shm_unlink(by_hand).is_err()),
        Call::new(move || Object::unlink(&name).is_err()),
    ]
}
