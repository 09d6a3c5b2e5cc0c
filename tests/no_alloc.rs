//! Nothing in the crate allocates: neither on the heap of Rust nor, since the child of a process
//! with threads may do this, on anyone's.

mod support;

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::alloc::System;
use std::os::fd::AsFd as _;

use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::{Pipe, PipeFlags};
use rawipc::posix::Mq;
#[cfg(target_pointer_width = "64")]
use rawipc::posix::Semaphore as Named;
use rawipc::process::{self, Signal};
use rawipc::queue::{MessageRing, Mpmc, Spsc, Tasks};
use rawipc::shm::{Access, Bytes, Memfd, Mode as Permissions, Object, Shared};
use rawipc::socket::{Ancillary, Credentials, Datagram, Descriptors, SeqPacket, Shutdown, Stream};
use rawipc::sum::{AtomicF64, ExactSum, ShardedSum};
use rawipc::sync::{
    AutoResetEvent, Barrier, BoundedSemaphore, Condvar, Event, Mutex, Once, ReentrantMutex, RwLock,
    RwLockWriteGuard, Semaphore,
};
use rawipc::sysv::msg::{COPIED, HEADER, Which};
use rawipc::sysv::sem::Operation;
use rawipc::sysv::{Key, MsgQueue, SemSet, Shm};
use rawipc::{Deadline, Errno, IoSlice, IoSliceMut, Name};
use support::isolated;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands each call on to the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` allocates.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.load(Relaxed);
    work();
    ALLOCATIONS.load(Relaxed) - before
}

#[track_caller]
fn allocates_nothing(work: impl FnOnce()) {
    assert_eq!(allocations(work), 0, "allocations");
}

#[test]
fn the_count_would_show_an_allocation() {
    isolated(|| {
        assert_eq!(allocations(|| drop(core::hint::black_box(Box::new(1)))), 1);
    });
}

#[test]
fn pipes_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let other = Pipe::with(PipeFlags::NONBLOCK).unwrap();
            let mut space = [MaybeUninit::<u8>::uninit(); 64];
            let mut bytes = [0; 64];
            let soon = || Deadline::after(Duration::from_millis(1));

            writer.write_all(&[7; 48]).unwrap();
            writer.write_all_until(&[7; 16], soon()).unwrap();
            writer.try_write(&[7; 16]).unwrap();
            writer.write_until(&[7; 16], soon()).unwrap();
            writer.write_vectored(&[IoSlice::new(&[7; 16])]).unwrap();
            assert_eq!(reader.bytes_waiting(), Ok(112));
            reader.read(&mut space[..16]).unwrap();
            reader.try_read(&mut bytes[..16]).unwrap();
            reader.read_until(&mut bytes[..16], soon()).unwrap();
            reader.read_vectored(&mut [IoSliceMut::new(&mut bytes[..16])]).unwrap();
            reader.read_all(&mut bytes[..16]).unwrap();
            reader.read_all_until(&mut bytes[..16], soon()).unwrap();
            assert_eq!(reader.tee_to(&other.writer, 64), Ok(16));
            assert_eq!(reader.splice_to_until(&other.writer, 64, soon()), Ok(16));
            assert_eq!(reader.read_until(&mut bytes, soon()), Err(Errno::TIMEDOUT));
            assert_eq!(reader.try_read(&mut bytes), Err(Errno::AGAIN));

            reader.set_capacity(1 << 17).unwrap();
            reader.set_nonblocking(true).unwrap();
            assert!(reader.is_nonblocking().unwrap());
            let failed = reader.read_all(&mut bytes).unwrap_err();
            assert_eq!(failed.errno(), Errno::AGAIN);
        });
    });
}

#[test]
fn fifos_allocate_nothing_even_for_long_paths() {
    isolated(|| {
        let directory = support::path("long");
        let mut deep = directory.clone();
        for _ in 0..10 {
            deep.push("a-name-that-is-rather-long-so-that-ten-of-them-do-not-fit");
        }
        std::fs::create_dir_all(&deep).unwrap();
        deep.push("fifo");
        assert!(deep.as_os_str().len() > 256);
        let text = deep.to_str().unwrap();

        allocates_nothing(|| {
            let fifo = Fifo::new(text);
            fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
            let soon = Deadline::after(Duration::from_millis(1));
            assert_eq!(fifo.open_writer_until(soon).unwrap_err(), Errno::TIMEDOUT);
            assert_eq!(fifo.open_reader_until(soon).unwrap_err(), Errno::TIMEDOUT);
            let reader = fifo.try_open_reader().unwrap();
            let writer = fifo.open_writer().unwrap();
            writer.try_write(b"through /proc").unwrap();
            reader.try_read(&mut [0; 64]).unwrap();
            fifo.unlink().unwrap();
        });
        std::fs::remove_dir_all(&directory).unwrap();
    });
}

#[test]
fn socket_pairs_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let mut buffer = [0; 64];
            let (here, there) = SeqPacket::pair().unwrap();
            there.pass_credentials(true).unwrap();
            let fds = [here.as_fd(); 253];
            let ancillary = Ancillary::new().descriptors(&fds).credentials(Credentials::own());
            here.send_with(&[IoSlice::new(b"many")], ancillary).unwrap();
            let mut descriptors = Descriptors::<253>::new();
            let received = there.receive_with(&mut buffer, &mut descriptors).unwrap();
            assert_eq!(received.credentials(), Some(Credentials::own()));
            assert_eq!(received.whole().unwrap(), b"many");
            assert_eq!(descriptors.len(), 253);
            drop(descriptors);

            let (here, there) = Datagram::pair().unwrap();
            here.send(b"too long").unwrap();
            assert_eq!(there.receive(&mut buffer[..4]).unwrap().whole().unwrap_err().bytes(), 4);

            let (here, there) = Stream::pair().unwrap();
            here.write_all(b"bytes").unwrap();
            here.shutdown(Shutdown::Write).unwrap();
            assert_eq!(there.read_all(&mut buffer).unwrap(), b"bytes");
            assert_eq!(there.peer_credentials(), Ok(Credentials::own()));
        });
    });
}

#[test]
fn posix_message_queues_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let name = Name::format(format_args!("/rawipc-no-alloc-{}", process::id())).unwrap();
            let options = Mq::options().max_messages(1);
            let queue = options.create_new(&name, Mode::RUSR | Mode::WUSR).unwrap();
            Mq::unlink(&name).unwrap();
            let size = queue.attributes().unwrap().message_size;
            let mut buffer = [MaybeUninit::<u8>::uninit(); 1 << 14];
            let soon = Deadline::after(Duration::from_millis(1));
            queue.send(b"one", 1).unwrap();
            assert_eq!(queue.try_send(b"more", 1), Err(Errno::AGAIN));
            assert_eq!(queue.send_until(b"more", 1, soon), Err(Errno::TIMEDOUT));
            assert_eq!(queue.receive(&mut buffer[..size]).unwrap().bytes, b"one");
            assert!(queue.receive_until(&mut buffer[..size], soon).is_err());
            queue.notify_by_signal(Signal::USR1, 1).unwrap();
            queue.cancel_notification().unwrap();
        });
    });
}

#[cfg(target_pointer_width = "64")]
#[test]
fn posix_semaphores_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let name = Name::format(format_args!("/rawipc-no-alloc-{}", process::id())).unwrap();
            let mode = Mode::RUSR | Mode::WUSR;
            let ours = Named::create_new(&name, mode, 1).unwrap();
            let theirs = Named::open(&name).unwrap();
            assert!(Named::create_new(&name, mode, 1).is_err());
            assert!(Named::create(&name, mode, 7).unwrap().try_wait());
            Named::unlink(&name).unwrap();
            let soon = Deadline::after(Duration::from_millis(1));
            assert!(ours.wait_until(soon).is_err());
            ours.post().unwrap();
            theirs.wait();
            assert_eq!(theirs.value(), 0);
        });
    });
}

#[test]
fn system_v_objects_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let mode = Mode::RUSR | Mode::WUSR;
            let (queue, _) = MsgQueue::create_unique(mode).unwrap();
            let mut buffer = [0; HEADER + COPIED];
            queue.send(1, &[7; COPIED]).unwrap();
            queue.send_in_place(2, &mut buffer[..HEADER + 5]).unwrap();
            let got = queue.receive(&mut buffer, Which::exactly(2)).map(|got| got.text.len());
            let status = queue.status();
            queue.remove().unwrap();
            assert_eq!((got, status.unwrap().messages), (Ok(5), 1));

            let set = SemSet::create_new(Key::PRIVATE, mode, &[1, 2]).unwrap();
            let done = set.operate(&[Operation::wait(0), Operation::post(1)]);
            let mut values = [0; 2];
            let read = set.values(&mut values);
            let waited = set.wait_until(0, Deadline::now());
            set.remove().unwrap();
            assert_eq!((done, read, values), (Ok(()), Ok(()), [0, 3]));
            assert_eq!(waited, Err(Errno::TIMEDOUT));

            let (segment, _) = Shm::create_unique(mode, 100).unwrap();
            let mapping = segment.attach();
            let status = segment.status();
            segment.remove().unwrap();
            assert_eq!((mapping.unwrap().len(), status.unwrap().attached), (100, 1));
            Key::ftok(".", 1).unwrap();
        });
    });
}

#[test]
fn processes_allocate_nothing_on_either_side() {
    isolated(|| {
        allocates_nothing(|| {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let task = move || {
                let inside = allocations(|| {
                    writer.write_all(b"x").unwrap();
                    let _ = process::id();
                });
                u8::try_from(inside).unwrap_or(u8::MAX)
            };
            // SAFETY: one thread; nothing is owned twice.
            let mut child = unsafe { process::spawn(task) }.unwrap();
            reader.read_all(&mut [0; 2]).unwrap();
            assert!(child.wait().unwrap().success());

            let Pipe { reader, writer: _open } = Pipe::new().unwrap();
            // SAFETY: one thread; nothing is owned twice.
            let mut child =
                unsafe { process::spawn(|| reader.read(&mut [0]).is_err().into()) }.unwrap();
            child.kill(Signal::KILL).unwrap();
            let by = Deadline::after(support::SOON);
            assert_eq!(child.wait_until(by).unwrap().code().unwrap_or(9), 9);
        });
    });
}

#[test]
fn locks_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let soon = || Deadline::after(Duration::from_millis(1));
            let mutex = Mutex::new(1);
            let held = mutex.lock();
            assert!(mutex.try_lock().is_none() && mutex.lock_until(soon()).is_err());
            drop(held);
            let mutex = ReentrantMutex::new(1);
            drop([mutex.lock(), mutex.lock()]);
            let lock = RwLock::new(1);
            let held = lock.read();
            assert!(lock.try_write().is_none() && lock.write_until(soon()).is_err());
            drop(held);
            let held = RwLockWriteGuard::downgrade(lock.write());
            assert!(lock.read_until(soon()).is_ok());
            drop(held);
            Once::new().call_once(|| assert!(Once::new().wait_until(soon()).is_err()));
        });
    });
}

#[test]
fn signals_in_memory_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let soon = || Deadline::after(Duration::from_millis(1));
            let (mutex, condvar) = (Mutex::new(1), Condvar::new());
            assert!(condvar.wait_until(&mut mutex.lock(), soon()).is_err());
            condvar.notify_all();
            let (event, bell) = (Event::new(), AutoResetEvent::new());
            assert!(event.wait_until(soon()).is_err() && bell.wait_until(soon()).is_err());
            event.set();
            event.wait();
            bell.set();
            bell.wait();
            let barrier = Barrier::new(2);
            assert!(barrier.wait_until(soon()).is_err() && barrier.is_broken());
            barrier.reset();
            let (semaphore, seats) = (Semaphore::new(1), BoundedSemaphore::new(1));
            semaphore.wait();
            seats.wait();
            assert!(semaphore.wait_until(soon()).is_err() && seats.wait_until(soon()).is_err());
            assert_eq!((semaphore.post(), seats.post()), (Ok(()), Ok(())));
        });
    });
}

#[test]
fn waking_a_child_allocates_nothing_on_either_side() {
    isolated(|| {
        allocates_nothing(|| {
            let [there, back] = [Semaphore::new(0), Semaphore::new(0)].map(Shared::anonymous);
            let (there, back) = (there.unwrap(), back.unwrap());
            let task = || {
                let inside = allocations(|| {
                    there.wait();
                    back.post().unwrap();
                });
                u8::try_from(inside).unwrap_or(u8::MAX)
            };
            // SAFETY: one thread; nothing is owned twice.
            let mut child = unsafe { process::spawn(task) }.unwrap();
            there.post().unwrap();
            back.wait();
            assert!(child.wait().unwrap().success());
        });
    });
}

#[test]
fn sums_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let number = AtomicF64::new(1.0);
            number.fetch_add(1.0, Relaxed);
            let sharded = ShardedSum::<2>::new();
            sharded.adder().unwrap().add(number.into_inner());
            let exact = ExactSum::<2>::new();
            let mut adder = exact.adder().unwrap();
            adder.add(1e300);
            adder.add_slice(&[-1e300; 2000]);
            adder.extend([1e300; 1999]);
            drop(adder);
            exact.reclaim(0).unwrap().add(sharded.sum());
            assert_eq!(exact.sum().to_bits(), 2.0_f64.to_bits());
        });
    });
}

#[test]
fn queues_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let soon = || Deadline::after(Duration::from_millis(1));
            let queue = Shared::anonymous(Spsc::<u64, 4>::new()).unwrap();
            let mut producer = queue.producer().unwrap();
            let mut consumer = queue.consumer().unwrap();
            producer.push(1).unwrap();
            assert_eq!(producer.push_slice(&[2, 3]), Ok(2));
            assert_eq!(producer.try_reserve(4).unwrap().commit(1), Ok(1));
            assert!(producer.push_until(4, soon()).is_err());
            consumer.read(1).unwrap().release(1);
            assert_eq!(consumer.drain().sum::<u64>(), 5);
            assert!(consumer.pop_until(soon()).is_err());
            queue.close();
            assert!(consumer.pop().is_err());

            let queue = Shared::<Mpmc<[u64; 99], 4>>::anonymous_zeroed().unwrap();
            queue.push([1; 99]).unwrap();
            assert_eq!(queue.pop(), Ok([1; 99]));
            assert!(queue.pop_until(soon()).is_err());

            let ring = Shared::anonymous(MessageRing::<256>::new()).unwrap();
            let mut producer = ring.producer().unwrap();
            let mut consumer = ring.consumer().unwrap();
            producer.push(b"message").unwrap();
            producer.reserve(100).unwrap().commit(3).unwrap();
            assert!(producer.push_until(&[0; 99], soon()).is_ok());
            assert!(producer.push_until(&[0; 99], soon()).is_err());
            assert_eq!(consumer.pop(&mut [0; 16]).unwrap(), b"message");
            consumer.read().unwrap().release();

            let tasks = Shared::anonymous(Tasks::new()).unwrap();
            tasks.add(1).unwrap();
            assert!(tasks.join_until(soon()).is_err());
            tasks.task_done().unwrap();
            tasks.join();
        });
    });
}

#[test]
fn names_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let name = Name::format(format_args!("/pi-{}-{}", process::id(), 3.5)).unwrap();
            assert!(name.as_bytes().starts_with(b"pi-"));
            assert_eq!(name.as_c_str().to_bytes(), name.as_bytes());
        });
    });
}

#[test]
fn shared_memory_allocates_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            // The longest name there is.
            let pid = process::id().as_raw_nonzero();
            let name = Name::format(format_args!("/rawipc-no-alloc-{pid:x>238}")).unwrap();
            let owner = Permissions::RUSR | Permissions::WUSR;

            let object = Object::create_new(&name, owner, 100).unwrap();
            assert_eq!(Object::create_new(&name, owner, 1).unwrap_err(), Errno::EXIST);
            let bytes = Bytes::map(&object, Access::ReadWrite).unwrap();
            bytes.copy_in(3, b"unaligned").unwrap();
            assert_eq!(bytes.copy_out(3, &mut [0; 9]).unwrap(), b"unaligned");
            bytes.write(50, 1_u64).unwrap();
            assert_eq!(bytes.read(50), Ok(1_u64));
            let read_only = Object::open_read_only(&name).unwrap();
            assert_eq!(read_only.len(), Ok(100));
            // SAFETY: refused, as there is something else.
            assert!(unsafe { Shared::<AtomicU64>::open(&name) }.is_err());
            Object::unlink(&name).unwrap();

            let value = Shared::create_new(&name, owner, AtomicU64::new(1)).unwrap();
            // SAFETY: nobody else knows the name.
            let same = unsafe { Shared::<AtomicU64>::open(&name) }.unwrap();
            assert_eq!(same.load(Relaxed), value.load(Relaxed));
            Object::unlink(&name).unwrap();

            let memfd = Memfd::options().name(c"here").create(4096).unwrap();
            // SAFETY: nobody else has it.
            let lanes = unsafe { Shared::<[AtomicU64]>::create_slice_in(&memfd, 9) }.unwrap();
            assert_eq!(lanes.len(), 9);
            assert_eq!(Shared::<[AtomicU64]>::anonymous_slice(9).unwrap().len(), 9);
            assert_eq!(Shared::<AtomicU64>::anonymous_zeroed().unwrap().load(Relaxed), 0);
        });
    });
}
