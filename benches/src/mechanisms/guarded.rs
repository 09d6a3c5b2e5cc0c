//! Messages that lie in shared memory, each copied in and out, while something else says whose turn
//! it is.
//!
//! Of a ping-pong each message says that the one before it has been read. In a stream who sends has
//! to be told so.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

use rawipc::posix;
use rawipc::shm::{Access, Mapping, Memfd, Mode, Object};
use rawipc::sync::{AutoResetEvent, Condvar, Event, Mutex, Semaphore};
use rawipc::sysv::{Key, SemSet, Shm};
use rawipc::{Errno, Name};

use super::contender::{Kind, Opened, Task};
use super::heir::{Heir, Outlived};
use super::pair::{End, Pair};
use super::rings::leak;
use super::slots::{Many, Slots, memory};
use crate::shared::share;

const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);

/// What nobody has had, for a moment.
pub(super) fn unused_name() -> Result<Name, Errno> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Relaxed);
    Name::format(format_args!("/rawipc-benches-{}-{number}", std::process::id()))
}

/// Counts what there is, and has others wait while there is none.
trait Count: Clone + Send + 'static {
    fn post(&self);
    fn wait(&self);
}

impl Count for &'static Semaphore {
    fn post(&self) {
        Semaphore::post(self).expect("fewer than it can count");
    }

    fn wait(&self) {
        Semaphore::wait(self);
    }
}

/// Counts to one.
impl Count for &'static AutoResetEvent {
    fn post(&self) {
        self.set();
    }

    fn wait(&self) {
        AutoResetEvent::wait(self);
    }
}

/// Counts to one, too: the only one who waits takes it back before it says that it may be set
/// again.
impl Count for &'static Event {
    fn post(&self) {
        self.set();
    }

    fn wait(&self) {
        Event::wait(self);
        self.reset();
    }
}

impl Count for &'static posix::Semaphore {
    fn post(&self) {
        Semaphore::post(self).expect("fewer than it can count");
    }

    fn wait(&self) {
        Semaphore::wait(self);
    }
}

/// One of a set.
#[derive(Clone)]
struct OneOf {
    set: SemSet,
    index: u16,
}

impl Count for OneOf {
    fn post(&self) {
        self.set.post(self.index).expect("a set");
    }

    fn wait(&self) {
        self.set.wait(self.index).expect("a set");
    }
}

/// One way.
#[derive(Clone)]
struct Lane<C> {
    slots: Slots,
    full: C,
    /// In a stream.
    free: Option<C>,
}

impl<C: Count> Lane<C> {
    fn new(kind: Kind, slots: Slots, mut zero: impl FnMut() -> C) -> Self {
        let full = zero();
        let free = (kind == Kind::Stream).then(|| {
            let free = zero();
            (0..slots.count()).for_each(|_| free.post());
            free
        });
        Self { slots, full, free }
    }
}

/// The lane there and the lane back, and where one is in each.
struct Lanes<C> {
    to: Lane<C>,
    sent: usize,
    from: Lane<C>,
    received: usize,
}

impl<C: Count> End for Lanes<C> {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let Lane { slots, full, free } = &self.to;
        free.iter().for_each(C::wait);
        // SAFETY: it is free: nobody has been told of what is there now, or all have read it.
        unsafe { slots.put(self.sent, message) };
        self.sent = slots.after(self.sent);
        full.post();
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        let Lane { slots, full, free } = &self.from;
        full.wait();
        // SAFETY: it is full, and nobody writes there before being told that it is free.
        unsafe { slots.get(self.received, into) };
        self.received = slots.after(self.received);
        free.iter().for_each(C::post);
    }
}

fn pair<C: Count>(task: Task, there: Slots, back: Slots, mut zero: impl FnMut() -> C) -> Opened {
    let there = Lane::new(task.kind, there, &mut zero);
    let back = Lane::new(task.kind, back, &mut zero);
    let home = Lanes { to: there.clone(), sent: 0, from: back.clone(), received: 0 };
    let away = Lanes { to: back, sent: 0, from: there, received: 0 };
    Pair::open(task, || home, || away)
}

/// Memory without a name.
fn memfd(task: Task, many: Many) -> Result<Slots, Errno> {
    let length = memory(task.bytes, many);
    let mapping = Mapping::new(Memfd::new(length)?, length, Access::ReadWrite)?;
    Ok(Slots::new(mapping, task.bytes))
}

pub(super) fn semaphores(task: Task) -> Opened {
    let (there, back) = (memfd(task, Many::Some)?, memfd(task, Many::Some)?);
    pair(task, there, back, || share(Semaphore::new(0)))
}

pub(super) fn auto_reset_events(task: Task) -> Opened {
    let (there, back) = (memfd(task, Many::One)?, memfd(task, Many::One)?);
    pair(task, there, back, || share(AutoResetEvent::new()))
}

pub(super) fn events(task: Task) -> Opened {
    let (there, back) = (memfd(task, Many::One)?, memfd(task, Many::One)?);
    pair(task, there, back, || share(Event::new()))
}

/// Everything has a name, for a moment.
pub(super) fn posix_semaphores(task: Task) -> Opened {
    let slots = || {
        let name = unused_name()?;
        let length = memory(task.bytes, Many::Some);
        let object = Object::create_new(&name, OWNER, length)?;
        Object::unlink(&name)?;
        let mapping = Mapping::new(object, length, Access::ReadWrite)?;
        Ok::<_, Errno>(Slots::new(mapping, task.bytes))
    };
    let (there, back) = (slots()?, slots()?);
    pair(task, there, back, || {
        let name = unused_name().expect("short enough");
        let semaphore = posix::Semaphore::create_new(&name, OWNER, 0).expect("a new one");
        posix::Semaphore::unlink(&name).expect("just created");
        &*leak(semaphore)
    })
}

pub(super) fn sem_set(task: Task) -> Opened {
    let slots = || {
        let length = memory(task.bytes, Many::Some);
        let segment = Shm::create_new(Key::PRIVATE, OWNER, length)?;
        let mapping = segment.attach();
        // Goes with its last user.
        segment.remove()?;
        Ok::<_, Errno>(Slots::new(mapping?, task.bytes))
    };
    let (there, back) = (slots()?, slots()?);
    let set = SemSet::create_new(Key::PRIVATE, OWNER, &[0; 4])?;
    let set = Heir::of(set, SemSet::remove);
    let of_four = set.what;
    let mut indices = 0..;
    let pair = pair(task, there, back, || {
        let index = indices.next().expect("one of four");
        OneOf { set: of_four, index }
    })?;
    Ok(Box::new(Outlived::new(pair, [set])))
}

/// One way: how many messages there are, and which is the first.
struct Monitor {
    slots: Slots,
    full: &'static Mutex<usize>,
    changed: &'static Condvar,
}

impl Clone for Monitor {
    fn clone(&self) -> Self {
        Self { slots: self.slots.clone(), ..*self }
    }
}

impl Monitor {
    fn new(task: Task) -> Result<Self, Errno> {
        let slots = memfd(task, Many::Some)?;
        Ok(Self { slots, full: share(Mutex::new(0)), changed: share(Condvar::new()) })
    }
}

/// As a monitor has it: everything is done under its lock.
struct Monitors {
    to: Monitor,
    sent: usize,
    from: Monitor,
    received: usize,
}

impl End for Monitors {
    fn send(&mut self, message: &[u8]) {
        let Monitor { slots, full, changed } = &self.to;
        let mut full = full.lock();
        changed.wait_while(&mut full, |full| *full == slots.count());
        // SAFETY: it is free, and who reads or writes has the lock.
        unsafe { slots.put(self.sent, message) };
        self.sent = slots.after(self.sent);
        *full += 1;
        changed.notify_one();
    }

    fn receive(&mut self, into: &mut [u8]) {
        let Monitor { slots, full, changed } = &self.from;
        let mut full = full.lock();
        changed.wait_while(&mut full, |full| *full == 0);
        // SAFETY: it is full, and who reads or writes has the lock.
        unsafe { slots.get(self.received, into) };
        self.received = slots.after(self.received);
        *full -= 1;
        changed.notify_one();
    }
}

pub(super) fn monitor(task: Task) -> Opened {
    let (there, back) = (Monitor::new(task)?, Monitor::new(task)?);
    let home = Monitors { to: there.clone(), sent: 0, from: back.clone(), received: 0 };
    let away = Monitors { to: back, sent: 0, from: there, received: 0 };
    Pair::open(task, || home, || away)
}
