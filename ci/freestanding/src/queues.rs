//! POSIX and System V message queues, semaphores, semaphore sets and segments.

#[cfg(target_pointer_width = "64")]
use rawipc::posix::Semaphore;
use rawipc::posix::mq::{Limits, Mq};
use rawipc::process::Signal;
use rawipc::shm::Access;
use rawipc::sysv::msg::{HEADER, Which};
use rawipc::sysv::sem::Operation;
use rawipc::sysv::{Key, Mode, MsgQueue, SemSet, Shm};
use rawipc::{Deadline, Errno, Name, process};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::process::{getegid, geteuid};

type Result = core::result::Result<(), Errno>;

const OWN: Mode = Mode::RUSR.union(Mode::WUSR);

pub fn run() -> Result {
    posix()?;
    #[cfg(target_pointer_width = "64")]
    named_semaphores()?;
    let queue = MsgQueue::create_new(Key::PRIVATE, OWN)?;
    let done = messages(queue);
    queue.remove()?;
    done?;
    let set = SemSet::create_new(Key::PRIVATE, OWN, &[1, 0])?;
    let done = semaphores(set);
    set.remove()?;
    done?;
    let segment = Shm::create_new(Key::PRIVATE, OWN, 100)?;
    let done = segments(segment);
    segment.remove()?;
    done?;
    keys()
}

fn posix() -> Result {
    let name = Name::format(format_args!("/rawipc-freestanding-{}", process::id()))?;
    let options = Mq::options().max_messages(1).message_size(8);
    let queue = options.create_new(&name, OWN)?;
    let (reader, writer) =
        (options.read_only().open(&name), options.write_only().create(&name, OWN));
    Mq::unlink(&name)?;
    let (reader, writer) = (reader?, writer?.try_clone()?);

    let now = Deadline::now();
    let buffer = &mut [0; 8];
    queue.notify_by_signal(Signal::CONT, 7)?;
    queue.cancel_notification()?;
    writer.send(b"one", 3)?;
    assert_eq!(writer.try_send(b"two", 3), Err(Errno::AGAIN));
    assert_eq!(writer.send_until(b"two", 3, now), Err(Errno::TIMEDOUT));
    let message = reader.receive(&mut *buffer)?;
    assert_eq!((&*message.bytes, message.priority), (&b"one"[..], 3));
    assert_eq!(reader.try_receive(&mut *buffer), Err(Errno::AGAIN));
    assert_eq!(reader.receive_until(&mut *buffer, now), Err(Errno::TIMEDOUT));
    reader.set_nonblocking(true)?;
    let attributes = reader.attributes()?;
    assert_eq!((attributes.max_messages, attributes.message_size), (1, 8));
    assert!(attributes.nonblocking && attributes.messages == 0);
    let again = Mq::from(OwnedFd::from(queue));
    let _ = (again.as_fd(), options.nonblocking(true), Limits::get()?.max_queues);
    Ok(())
}

#[cfg(target_pointer_width = "64")]
fn named_semaphores() -> Result {
    let name = Name::format(format_args!("/rawipc-freestanding-{}", process::id()))?;
    let semaphore = Semaphore::create_new(&name, OWN, 1)?;
    let (opened, created) = (Semaphore::open(&name), Semaphore::create(&name, OWN, 9));
    Semaphore::unlink(&name)?;
    let (opened, created) = (opened.expect("is there"), created.expect("is there"));
    opened.wait();
    assert!(!created.try_wait() && created.wait_until(Deadline::now()).is_err());
    assert_eq!((semaphore.post(), opened.value()), (Ok(()), 1));
    assert!(!semaphore.as_ptr().is_null());
    Ok(())
}

fn messages(queue: MsgQueue) -> Result {
    let buffer = &mut [0; HEADER + 16];
    queue.send(2, b"two")?;
    queue.try_send(1, b"one")?;
    let (_, text) = buffer.split_at_mut(HEADER);
    text[..5].copy_from_slice(b"three");
    queue.send_in_place(3, &mut buffer[..HEADER + 5])?;
    assert_eq!(queue.receive(&mut *buffer, Which::any_but(2).truncating())?.kind, 1);
    assert_eq!(queue.copy_at(&mut *buffer, 0).map(|message| message.kind), Ok(2));
    assert_eq!(queue.receive(&mut *buffer, Which::exactly(2))?.text, b"two");
    queue.try_send_in_place(4, &mut buffer[..HEADER])?;
    assert_eq!(queue.try_receive(&mut *buffer, Which::lowest_up_to(9))?.text, b"three");
    assert_eq!(queue.try_receive(&mut *buffer, Which::any())?.kind, 4);
    assert_eq!(queue.try_receive(&mut *buffer, Which::any()), Err(Errno::NOMSG));
    queue.set_owner(geteuid(), getegid())?;
    queue.set_mode(OWN)?;
    queue.set_max_bytes(100)?;
    let status = MsgQueue::from_id(queue.id()).status()?;
    assert_eq!((status.max_bytes, status.messages), (100, 0));
    assert_eq!(status.last_sender, Some(process::id()));
    Ok(())
}

fn semaphores(set: SemSet) -> Result {
    let now = Deadline::now();
    set.wait(0)?;
    assert_eq!(set.try_wait(0), Err(Errno::AGAIN));
    assert_eq!(set.wait_until(0, now), Err(Errno::TIMEDOUT));
    set.operate(&[Operation::post(0).undo(), Operation::change(1, 5)])?;
    set.try_operate(&[Operation::wait(0), Operation::change(1, -2)])?;
    set.operate_until(&[Operation::wait_for_zero(0)], now)?;
    set.post(0)?;
    assert_eq!((set.value(0)?, set.value(1)?), (1, 3));
    let values = &mut [0; 2];
    set.values(values)?;
    assert_eq!(*values, [1, 3]);
    set.set_values(&[7, 8])?;
    set.set_value(0, 9)?;
    assert_eq!((set.waiting(0)?, set.waiting_for_zero(0)?), (0, 0));
    assert_eq!(set.last_operator(0)?, Some(process::id()));
    set.set_owner(geteuid(), getegid())?;
    set.set_mode(OWN)?;
    let status = SemSet::from_id(set.id()).status()?;
    assert!(status.semaphores == 2 && status.operation_time != 0);
    Ok(())
}

fn segments(segment: Shm) -> Result {
    let mapping = segment.attach()?;
    let same = Shm::from_id(segment.id()).attach_read_only()?;
    assert_eq!((mapping.len(), same.len()), (100, 100));
    assert_eq!((mapping.access(), same.access()), (Access::ReadWrite, Access::ReadOnly));
    // SAFETY: a byte of the mapping, which lives.
    unsafe { mapping.as_ptr().write_volatile(7) };
    // SAFETY: as above.
    assert_eq!(unsafe { same.as_ptr().read_volatile() }, 7);
    segment.lock()?;
    assert!(segment.status()?.locked);
    segment.unlock()?;
    segment.set_owner(geteuid(), getegid())?;
    segment.set_mode(OWN)?;
    drop(mapping);
    let status = segment.status()?;
    assert_eq!((status.size, status.attached, status.creator), (100, 1, Some(process::id())));
    Ok(())
}

fn keys() -> Result {
    assert_eq!(Key::ftok(".", 1)?.as_raw() >> 24, 1);
    let (queue, key) = MsgQueue::create_unique(OWN)?;
    let same = (MsgQueue::open(key), MsgQueue::create(key, OWN));
    queue.remove()?;
    assert_eq!(same, (Ok(queue), Ok(queue)));
    let (set, key) = SemSet::create_unique(OWN, &[0])?;
    let same = [
        SemSet::open(key),
        SemSet::try_open(key),
        SemSet::open_until(key, Deadline::NEVER),
        SemSet::create(key, OWN, &[1]),
    ];
    set.remove()?;
    assert_eq!(same, [Ok(set); 4]);
    assert_eq!(SemSet::open(Key::from_raw(key.as_raw())), Err(Errno::NOENT));
    let (segment, key) = Shm::create_unique(OWN, 1)?;
    let same = (Shm::open(key), Shm::create(key, OWN, 1));
    segment.remove()?;
    assert_eq!(same, (Ok(segment), Ok(segment)));
    Ok(())
}
