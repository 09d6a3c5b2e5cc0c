//! The crate's ways.

use rawipc::Name;
use rawipc::pipe::Pipe;
use rawipc::posix;
use rawipc::queue::Spsc;
use rawipc::shm::Mode;
use rawipc::socket::Stream;
use rawipc::sync::{AutoResetEvent, Barrier, Condvar, Event, Mutex, MutexGuard, Semaphore};
use rawipc::sysv::SemSet;
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::Ends;
use crate::shared::share;

pub(super) fn event() -> Ends {
    let event = share(Event::new());
    // Nobody sets it again before the sleeper has gone to sleep again.
    Ends::changing(
        || {},
        || event.set(),
        |is_awake| {
            event.wait();
            is_awake();
            event.reset();
        },
    )
}

pub(super) fn auto_reset_event() -> Ends {
    let event = share(AutoResetEvent::new());
    Ends::of(|| event.set(), || event.wait())
}

pub(super) fn semaphore() -> Ends {
    let semaphore = share(Semaphore::new(0));
    Ends::of(|| semaphore.post().unwrap(), || semaphore.wait())
}

pub(super) fn posix_semaphore() -> Ends {
    let name = Name::format(format_args!("/rawipc-bench-{}", std::process::id())).unwrap();
    let semaphore = posix::Semaphore::create_new(&name, Mode::RUSR | Mode::WUSR, 0).unwrap();
    // The sleeper has the same mapping, and needs no name.
    posix::Semaphore::unlink(&name).unwrap();
    let semaphore: &posix::Semaphore = Box::leak(Box::new(semaphore));
    Ends::of(|| semaphore.post().unwrap(), || semaphore.wait())
}

/// From now on, in a namespace of our own for System V's objects and POSIX's queues: what is in it
/// is gone when we are, however we end. Takes privilege.
pub(super) fn enter_own_namespace() -> rustix::io::Result<()> {
    // SAFETY: no descriptors and no memory become another's: only keys and names mean something
    // else from now on, and we have none in use.
    unsafe { unshare_unsafe(UnshareFlags::NEWIPC) }
}

/// In the namespace.
pub(super) fn sysv_semaphore() -> Ends {
    let (set, _) = SemSet::create_unique(Mode::RUSR | Mode::WUSR, &[0]).unwrap();
    Ends::of(move || set.post(0).unwrap(), move || set.wait(0).unwrap())
}

pub(super) fn mutex() -> Ends {
    let locks = [share(Mutex::new(())), share(Mutex::new(()))];
    let lock: fn(&'static Mutex<()>) -> MutexGuard<'static, ()> = Mutex::lock;
    Ends::of_locks(locks, lock)
}

pub(super) fn condvar() -> Ends {
    let is_morning = share(Mutex::new(0_u8));
    let changed = share(Condvar::new());
    Ends::changing(
        || *is_morning.lock() = 1,
        || changed.notify_one(),
        |is_awake| {
            let mut morning = is_morning.lock();
            changed.wait_while(&mut morning, |morning| *morning == 0);
            is_awake();
            *morning = 0;
        },
    )
}

/// The last to come wakes the other.
pub(super) fn barrier() -> Ends {
    let barrier = share(Barrier::new(2));
    let come = || _ = barrier.wait().unwrap();
    Ends::of(come, come)
}

pub(super) fn spsc() -> Ends {
    let queue = share(Spsc::<u64, 16>::new());
    let mut producer = queue.producer().expect("its first");
    let mut consumer = queue.consumer().expect("its first");
    Ends::of(move || producer.push(7).unwrap(), move || _ = consumer.pop().unwrap())
}

pub(super) fn pipe() -> Ends {
    let Pipe { reader, writer } = Pipe::new().unwrap();
    Ends::of(
        move || assert_eq!(writer.write(&[7]), Ok(1)),
        move || assert_eq!(reader.read(&mut [0; 1]).unwrap().len(), 1),
    )
}

pub(super) fn stream() -> Ends {
    let (one, other) = Stream::pair().unwrap();
    Ends::of(
        move || assert_eq!(one.write(&[7]), Ok(1)),
        move || assert_eq!(other.read(&mut [0; 1]).unwrap().len(), 1),
    )
}
