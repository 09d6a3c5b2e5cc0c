//! Nothing in the crate allocates: neither on the heap of Rust nor, since the child of a process
//! with threads may do this, on anyone's.

mod support;

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::alloc::System;
use std::os::fd::AsFd as _;

use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::{Pipe, PipeFlags};
use rawipc::posix::Mq;
use rawipc::process::{self, Signal};
use rawipc::socket::{Ancillary, Credentials, Datagram, Descriptors, SeqPacket, Shutdown, Stream};
use rawipc::sysv::msg::{COPIED, HEADER, Which};
use rawipc::sysv::sem::Operation;
use rawipc::sysv::{Key, MsgQueue, SemSet};
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
fn names_allocate_nothing() {
    isolated(|| {
        allocates_nothing(|| {
            let name = Name::format(format_args!("/pi-{}-{}", process::id(), 3.5)).unwrap();
            assert!(name.as_bytes().starts_with(b"pi-"));
            assert_eq!(name.as_c_str().to_bytes(), name.as_bytes());
        });
    });
}
