//! What goes along with messages, descriptors and credentials, as its documentation promises it.

mod support;

use core::cell::Cell;
use core::fmt::Debug;
use core::time::Duration;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rawipc::pipe::{Pipe, Reader, Writer};
use rawipc::process::{self, ExitStatus};
use rawipc::socket::{
    Ancillary, Credentials, Datagram, Descriptors, Gid, MAX_DESCRIPTORS, Received, SeqPacket,
    Socket, Stream, Truncated, Uid, kind,
};
use rawipc::{Deadline, Errno, IoSlice, Result};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::Pid;
use support::signals::Interruptions;
use support::users::is_root;
use support::{
    FewDescriptors, SOON, apart, child, descriptors, eventually, is_open_after_exec, isolated,
    join, soon, wait,
};

/// How long a call may wait that is to give up.
const SHORT: Duration = Duration::from_millis(20);

/// The deadline is for the form that takes one.
type Sending<S> = fn(&S, &[IoSlice<'_>], Ancillary<'_>, Deadline) -> Result<()>;
type Receiving<S, const N: usize> =
    for<'b> fn(&S, &'b mut [u8], &mut Descriptors<N>, Deadline) -> Result<Received<'b>>;

/// What all kinds have in common: the calls that take something along.
trait Carry: AsFd + Debug + TryFrom<OwnedFd, Error = Errno> {
    fn make() -> (Self, Self);
    fn ask_for_credentials(&self, ask: bool);

    /// The form that waits, the one that never does, the one that waits until a deadline.
    fn sends() -> [Sending<Self>; 3];
    /// The form that waits, the one that never does, the one that waits until a deadline.
    fn receives<const N: usize>() -> [Receiving<Self, N>; 3];

    /// Sends one message, at once.
    fn put(&self, bytes: &[u8], along: Ancillary<'_>) -> Result<()> {
        let [_, try_send_with, _] = Self::sends();
        try_send_with(self, &[IoSlice::new(bytes)], along, Deadline::NEVER)
    }

    /// Receives one message.
    fn take<'b, const N: usize>(
        &self,
        buffer: &'b mut [u8],
        list: &mut Descriptors<N>,
    ) -> Result<Received<'b>> {
        let [receive_with, ..] = Self::receives();
        receive_with(self, buffer, list, Deadline::NEVER)
    }

    /// Receives what is there already.
    fn try_take<const N: usize>(&self, list: &mut Descriptors<N>) -> Result<()> {
        let [_, try_receive_with, _] = Self::receives();
        try_receive_with(self, &mut [0; 64], list, Deadline::NEVER).map(drop)
    }

    /// The next one's bytes, descriptors and sender; fails if it is not whole.
    #[track_caller]
    fn next<const N: usize>(&self) -> (Vec<u8>, Descriptors<N>, Option<Credentials>) {
        let mut list = Descriptors::new();
        let mut buffer = [0; 4096];
        let received = self.take(&mut buffer, &mut list).unwrap();
        let credentials = received.credentials();
        (received.whole().unwrap().to_vec(), list, credentials)
    }
}

macro_rules! carry {
    ($($Socket:ty),*) => {$(
        impl Carry for $Socket {
            fn make() -> (Self, Self) {
                Self::pair().unwrap()
            }

            fn ask_for_credentials(&self, ask: bool) {
                self.pass_credentials(ask).unwrap();
            }

            fn sends() -> [Sending<Self>; 3] {
                [
                    |end, data, along, _| end.send_with(data, along).map(drop),
                    |end, data, along, _| end.try_send_with(data, along).map(drop),
                    |end, data, along, by| end.send_with_until(data, along, by).map(drop),
                ]
            }

            fn receives<const N: usize>() -> [Receiving<Self, N>; 3] {
                [
                    |end, buffer, list, _| end.receive_with(buffer, list),
                    |end, buffer, list, _| end.try_receive_with(buffer, list),
                    |end, buffer, list, by| end.receive_with_until(buffer, list, by),
                ]
            }
        }
    )*};
}
carry!(Stream, SeqPacket, Datagram);

/// Runs a generic test for each of these kinds, and says at which one it is.
macro_rules! each {
    ($test:ident: $($Socket:ident),*) => {{
        $(
            eprintln!("{}:", stringify!($Socket));
            $test::<$Socket>();
        )*
    }};
}

/// Files that each contain their number.
fn numbered(count: u64) -> Vec<OwnedFd> {
    let file = |number: u64| {
        let file = memfd_create("numbered", MemfdFlags::CLOEXEC).unwrap();
        assert_eq!(rustix::io::pwrite(&file, &number.to_ne_bytes(), 0), Ok(8));
        file
    };
    (0..count).map(file).collect()
}

/// Which of the [`numbered`] each of these is.
fn numbers(files: impl IntoIterator<Item = OwnedFd>) -> Vec<u64> {
    let number = |file| {
        let mut number = [0; 8];
        assert_eq!(rustix::io::pread(&file, &mut number, 0), Ok(8));
        u64::from_ne_bytes(number)
    };
    files.into_iter().map(number).collect()
}

fn borrowed(files: &[OwnedFd]) -> Vec<BorrowedFd<'_>> {
    files.iter().map(AsFd::as_fd).collect()
}

/// Fails unless the writer of this pipe is closed everywhere.
#[track_caller]
fn assert_closed(reader: &Reader) {
    assert_eq!(reader.try_read(&mut [0; 8]).as_deref(), Ok(&[][..]), "a writer is still open");
}

/// Sends a pipe's writer along, and keeps only its reader.
fn send_a_writer<S: Carry>(end: &S, bytes: &[u8]) -> Reader {
    let Pipe { reader, writer } = Pipe::new().unwrap();
    end.put(bytes, Ancillary::new().descriptors(&[writer.as_fd()])).unwrap();
    reader
}

/// Becomes a user without privilege, whom nobody else is likely to be.
fn become_somebody() -> Uid {
    let uid = 60_000 + process::id().as_raw_nonzero().get().unsigned_abs() % 5_000;
    // SAFETY: sets this process's user, as the test wants it.
    assert_eq!(unsafe { libc::setuid(uid) }, 0);
    Uid::from_raw(uid)
}

// Descriptors.

#[test]
fn descriptors_arrive_in_order_up_to_253() {
    fn arrive<S: Carry>() {
        assert_eq!(MAX_DESCRIPTORS, 253);
        let before = descriptors();
        for count in [0, 1, 2, 3, 253] {
            let (here, there) = S::make();
            let (here, sender) = apart(here, there, |there| {
                let files = numbered(count);
                there.put(b"files", Ancillary::new().descriptors(&borrowed(&files))).unwrap();
            });
            // Its own are closed by then.
            join(sender);
            let (bytes, list, credentials) = here.next::<253>();
            assert_eq!(bytes, b"files");
            assert_eq!(list.len() as u64, count);
            assert_eq!(credentials, None);
            assert!(numbers(list).into_iter().eq(0..count));
            drop(here);
            assert_eq!(descriptors(), before);
        }
    }
    isolated(|| each!(arrive: Stream, SeqPacket, Datagram));
}

#[test]
fn every_form_sends_descriptors_that_every_form_receives() {
    fn every<S: Carry>() {
        let files = numbered(2);
        let (here, there) = S::make();
        let before = descriptors();
        for send in S::sends() {
            for receive in S::receives::<2>() {
                let along = borrowed(&files);
                let along = Ancillary::new().descriptors(&along);
                send(&here, &[IoSlice::new(b"two"), IoSlice::new(b"!")], along, Deadline::now())
                    .unwrap();
                let mut list = Descriptors::new();
                let mut buffer = [0; 8];
                let received = receive(&there, &mut buffer, &mut list, Deadline::now()).unwrap();
                assert_eq!(received.whole().unwrap(), b"two!");
                assert_eq!(numbers(list), [0, 1]);
            }
        }
        assert_eq!(descriptors(), before);
    }
    isolated(|| each!(every: Stream, SeqPacket, Datagram));
}

#[test]
fn more_than_253_descriptors_are_refused_and_nothing_is_sent() {
    fn are_refused<S: Carry>() {
        let (here, there) = S::make();
        for count in [254, 255, 1000] {
            let too_many = vec![here.as_fd(); count];
            for send in S::sends() {
                let along = Ancillary::new().descriptors(&too_many);
                let answer = send(&here, &[IoSlice::new(b"x")], along, Deadline::now());
                assert_eq!(answer, Err(Errno::INVAL), "{count}");
                let along = along.credentials(Credentials::own());
                let answer = send(&here, &[IoSlice::new(b"x")], along, Deadline::now());
                assert_eq!(answer, Err(Errno::INVAL), "{count} and credentials");
            }
        }
        assert_eq!(there.try_take(&mut Descriptors::<1>::new()), Err(Errno::AGAIN));
    }
    isolated(|| each!(are_refused: Stream, SeqPacket, Datagram));
}

#[test]
fn received_descriptor_is_a_new_one_of_the_same_open_file() {
    fn is_new<S: Carry>() {
        use rustix::fs::{SeekFrom, seek, tell};
        let (here, there) = S::make();
        let (here, owner) = apart(here, there, |there| {
            let file = memfd_create("shared", MemfdFlags::CLOEXEC).unwrap();
            there.put(b"x", Ancillary::new().descriptors(&[file.as_fd()])).unwrap();
            let (_, none, _) = there.next::<1>();
            assert_eq!(none.len(), 0);
            assert_eq!(tell(&file), Ok(3), "the offset is common");
            assert_eq!(rustix::io::write(&file, b"def"), Ok(3));
            there.put(b"x", Ancillary::new()).unwrap();
        });
        let (_, mut list, _) = here.next::<1>();
        let file = list.next().unwrap();
        assert_eq!(rustix::io::write(&file, b"abc"), Ok(3));
        here.put(b"x", Ancillary::new()).unwrap();
        let (_, _, _) = here.next::<0>();
        assert_eq!(tell(&file), Ok(6));
        seek(&file, SeekFrom::Start(0)).unwrap();
        let mut content = [0; 8];
        assert_eq!(rustix::io::read(&file, &mut content), Ok(6));
        assert_eq!(&content[..6], b"abcdef");
        join(owner);
    }
    isolated(|| each!(is_new: Stream, SeqPacket, Datagram));
}

#[test]
fn received_pipe_carries_bytes_between_the_two_processes() {
    fn carries<S: Carry>() {
        let (here, there) = S::make();
        let (here, maker) = apart(here, there, |there| {
            let [one, other] = [(); 2].map(|()| Pipe::new().unwrap());
            let theirs = [one.writer.as_fd(), other.reader.as_fd()];
            there.put(b"x", Ancillary::new().descriptors(&theirs)).unwrap();
            drop((one.writer, other.reader));
            other.writer.write_all(b"to the receiver").unwrap();
            drop(other.writer);
            assert_eq!(one.reader.read_all(&mut [0; 32]).unwrap(), b"to the sender");
        });
        let (_, mut list, _) = here.next::<2>();
        let writer = Writer::from(list.next().unwrap());
        let reader = Reader::from(list.next().unwrap());
        assert_eq!(reader.read_all(&mut [0; 32]).unwrap(), b"to the receiver");
        writer.write_all(b"to the sender").unwrap();
        drop(writer);
        join(maker);
    }
    isolated(|| each!(carries: Stream, SeqPacket, Datagram));
}

#[test]
fn socket_can_be_handed_over_by_a_socket() {
    fn can_be<S: Carry>() {
        let (here, there) = S::make();
        let (here, worker) = apart(here, there, |there| {
            let (_, mut list, _) = there.next::<1>();
            let handed = SeqPacket::try_from(list.next().unwrap()).unwrap();
            assert_eq!(handed.receive(&mut [0; 8]).unwrap().whole().unwrap(), b"ping");
            handed.send(b"pong").unwrap();
        });
        let (client, server) = SeqPacket::pair().unwrap();
        client.send(b"ping").unwrap();
        here.put(b"x", Ancillary::new().descriptors(&[server.as_fd()])).unwrap();
        drop(server);
        assert_eq!(client.receive(&mut [0; 8]).unwrap().whole().unwrap(), b"pong");
        join(worker);
        assert_eq!(client.receive(&mut [0; 8]).unwrap().whole().unwrap(), b"", "the end");
    }
    isolated(|| each!(can_be: Stream, SeqPacket, Datagram));
}

#[test]
fn same_descriptor_can_go_many_times() {
    isolated(|| {
        let (here, there) = SeqPacket::make();
        let files = numbered(1);
        let many = [files[0].as_fd(); 5];
        here.put(b"x", Ancillary::new().descriptors(&many)).unwrap();
        let (_, list, _) = there.next::<5>();
        assert_eq!(numbers(list), [0; 5]);
    });
}

#[test]
fn received_descriptors_are_close_on_exec() {
    fn are<S: Carry>() {
        let (here, there) = S::make();
        // Which the sender's is not.
        let file = rustix::io::dup(&numbered(1)[0]).unwrap();
        assert!(is_open_after_exec(file.as_raw_fd()));
        for receive in S::receives::<2>() {
            here.put(b"x", Ancillary::new().descriptors(&[file.as_fd(); 2])).unwrap();
            let mut list = Descriptors::new();
            drop(receive(&there, &mut [0; 8], &mut list, Deadline::now()).unwrap());
            assert_eq!(list.len(), 2);
            for received in list {
                let flags = rustix::io::fcntl_getfd(&received).unwrap();
                assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
                assert!(!is_open_after_exec(received.as_raw_fd()));
            }
        }
    }
    isolated(|| each!(are: Stream, SeqPacket, Datagram));
}

#[test]
fn packets_carry_descriptors_without_bytes() {
    fn carry<S: Carry>() {
        let (here, there) = S::make();
        let files = numbered(2);
        for send in S::sends() {
            let along = borrowed(&files);
            send(&here, &[], Ancillary::new().descriptors(&along), Deadline::now()).unwrap();
            let (bytes, list, _) = there.next::<2>();
            assert_eq!(bytes, b"");
            assert_eq!(numbers(list), [0, 1]);
        }
    }
    isolated(|| each!(carry: SeqPacket, Datagram));
}

// What does not fit.

#[test]
fn descriptors_beyond_the_list_are_closed_and_it_is_said() {
    fn are_closed<S: Carry>() {
        let (here, there) = S::make();
        let before = descriptors();
        for receive in S::receives::<2>() {
            for count in 2..=20 {
                let files = numbered(count);
                let along = borrowed(&files);
                here.put(b"files", Ancillary::new().descriptors(&along)).unwrap();
                drop(files);
                let mut list = Descriptors::new();
                let mut buffer = [0; 8];
                let received = receive(&there, &mut buffer, &mut list, Deadline::now()).unwrap();
                assert_eq!(received.is_whole(), count == 2);
                let whole = received.whole().map_err(|lost| (lost.bytes(), lost.descriptors()));
                assert_eq!(whole.is_ok(), count == 2);
                assert!(count == 2 || whole == Err((0, true)));
                assert_eq!(&buffer[..5], b"files");
                assert_eq!(descriptors().len(), before.len() + 2, "{count}");
                assert_eq!(numbers(list), [0, 1], "the first, of {count}");
            }
        }
        here.put(b"whole", Ancillary::new()).unwrap();
        assert_eq!(there.next::<0>().0, b"whole", "the next is not concerned");
        assert_eq!(descriptors(), before);
    }
    isolated(|| each!(are_closed: Stream, SeqPacket, Datagram));
}

#[test]
fn descriptors_without_a_list_are_closed_and_it_is_said() {
    fn are_closed<S: Carry>(receive: impl Fn(&S) -> Result<(), Truncated>) {
        for count in [1, 2, 5, 253] {
            let (here, there) = S::make();
            let Pipe { reader, writer } = Pipe::new().unwrap();
            here.put(b"x", Ancillary::new().descriptors(&vec![writer.as_fd(); count])).unwrap();
            drop(writer);
            let before = descriptors();
            let lost = receive(&there).unwrap_err();
            assert_eq!((lost.bytes(), lost.descriptors()), (0, true), "{count}");
            assert_eq!(descriptors(), before);
            assert_closed(&reader);
        }
    }
    fn into_no_list<S: Carry>() {
        for receive in S::receives::<0>() {
            are_closed(|end: &S| {
                let mut none = Descriptors::new();
                receive(end, &mut [0; 8], &mut none, Deadline::now()).unwrap().whole().map(drop)
            });
        }
    }
    fn by_plain_calls<K: kind::Packet>()
    where
        Socket<K>: Carry,
    {
        are_closed(|end: &Socket<K>| end.receive(&mut [0; 8]).unwrap().whole().map(drop));
        are_closed(|end: &Socket<K>| end.try_receive(&mut [0; 8]).unwrap().whole().map(drop));
        are_closed(|end: &Socket<K>| {
            end.receive_until(&mut [0; 8], Deadline::now()).unwrap().whole().map(drop)
        });
    }
    isolated(|| {
        each!(into_no_list: Stream, SeqPacket, Datagram);
        by_plain_calls::<kind::SeqPacket>();
        by_plain_calls::<kind::Datagram>();
    });
}

#[test]
fn plain_reads_of_a_stream_close_what_comes_along() {
    fn close(read: impl FnOnce(&Stream) -> Vec<u8>) {
        let (here, there) = Stream::pair().unwrap();
        let reader = send_a_writer(&here, b"x");
        drop(here);
        let before = descriptors();
        assert_eq!(read(&there), b"x");
        assert_eq!(descriptors(), before);
        assert_closed(&reader);
    }
    isolated(|| {
        let past = Deadline::now();
        close(|end| end.read(&mut [0; 8]).unwrap().to_vec());
        close(|end| end.try_read(&mut [0; 8]).unwrap().to_vec());
        close(|end| end.read_until(&mut [0; 8], past).unwrap().to_vec());
        close(|end| end.read_all(&mut [0; 8]).unwrap().to_vec());
        close(|end| end.read_all_until(&mut [0; 8], past).unwrap().to_vec());
    });
}

#[cfg(feature = "std")]
#[test]
fn standard_reads_of_a_stream_close_what_comes_along() {
    isolated(|| {
        use rawipc::IoSliceMut;
        use std::io::Read as _;
        for vectored in [false, true] {
            let (here, mut there) = Stream::pair().unwrap();
            let reader = send_a_writer(&here, b"x");
            let before = descriptors();
            let mut buffer = [0; 8];
            let read = if vectored {
                there.read_vectored(&mut [IoSliceMut::new(&mut buffer)])
            } else {
                std::io::Read::read(&mut there, &mut buffer)
            };
            assert_eq!(read.unwrap(), 1);
            assert_eq!(descriptors(), before);
            assert_closed(&reader);
        }
    });
}

#[test]
fn descriptors_that_find_no_place_in_the_table_are_closed_and_it_is_said() {
    fn are_closed<S: Carry>() {
        let (here, there) = S::make();
        for ask in [false, true] {
            there.ask_for_credentials(ask);
            for (room, receive) in (0..=4).flat_map(|n| S::receives::<8>().map(|form| (n, form))) {
                let files = numbered(4);
                here.put(b"files", Ancillary::new().descriptors(&borrowed(&files))).unwrap();
                drop(files);
                let before = descriptors().len();
                let mut list = Descriptors::new();
                let mut buffer = [0; 8];
                let few = FewDescriptors::more(room);
                let received = receive(&there, &mut buffer, &mut list, Deadline::now());
                drop(few);
                let received = received.unwrap();
                assert_eq!(received.credentials().is_some(), ask);
                let whole = received.whole().map_err(|lost| (lost.bytes(), lost.descriptors()));
                match room {
                    4 => assert_eq!(whole.as_deref(), Ok(&b"files"[..])),
                    _ => assert_eq!(whole, Err((0, true)), "{room}"),
                }
                assert_eq!(&buffer[..5], b"files");
                assert_eq!(descriptors().len(), before + room);
                assert!(numbers(list).into_iter().eq(0..room as u64), "the first, {room}");
                assert_eq!(descriptors().len(), before);
            }
        }
    }
    isolated(|| each!(are_closed: Stream, SeqPacket, Datagram));
}

#[test]
fn bytes_and_descriptors_can_be_lost_at_once() {
    fn can_be<S: Carry, const N: usize>() {
        let (here, there) = S::make();
        let before = descriptors();
        for receive in S::receives::<N>() {
            here.put(b"ten bytes!", Ancillary::new().descriptors(&borrowed(&numbered(3)))).unwrap();
            let mut list = Descriptors::new();
            let mut buffer = [0; 4];
            let received = receive(&there, &mut buffer, &mut list, Deadline::now()).unwrap();
            let cut = received.whole().unwrap_err();
            assert_eq!((cut.bytes(), cut.descriptors()), (6, N < 3));
            let said = if N < 3 { "6 bytes and descriptors lost" } else { "6 bytes lost" };
            assert_eq!(cut.to_string(), format!("message truncated: {said}"));
            assert_eq!(&buffer, b"ten ");
            assert!(numbers(list).into_iter().eq(0..N.min(3) as u64));
            assert_eq!(descriptors(), before);
        }
    }
    fn can_be_for<S: Carry>() {
        can_be::<S, 0>();
        can_be::<S, 1>();
        can_be::<S, 2>();
        can_be::<S, 3>();
        can_be::<S, 4>();
    }
    isolated(|| each!(can_be_for: SeqPacket, Datagram));
}

// The list.

#[test]
fn list_gives_what_it_holds_once() {
    isolated(|| {
        let (here, there) = SeqPacket::make();
        assert_eq!(Descriptors::<3>::default().len(), 0);
        let mut list = Descriptors::<3>::new();
        assert!(list.next().is_none());
        here.put(b"x", Ancillary::new().descriptors(&borrowed(&numbered(2)))).unwrap();
        there.try_take(&mut list).unwrap();
        assert_eq!((list.len(), list.size_hint()), (2, (2, Some(2))));
        assert_eq!(numbers(list.next()), [0]);
        assert_eq!((list.len(), list.size_hint()), (1, (1, Some(1))));
        assert_eq!(numbers(list.next()), [1]);
        assert_eq!((list.len(), list.size_hint()), (0, (0, Some(0))));
        assert!(list.next().is_none() && list.next().is_none());
    });
}

#[test]
fn list_closes_what_was_not_taken_when_it_is_dropped_cleared_or_reused() {
    fn closes<const N: usize>(close: impl Fn(Descriptors<N>, &SeqPacket)) {
        for taken in 0..=3 {
            let (here, there) = SeqPacket::make();
            here.put(b"x", Ancillary::new().descriptors(&borrowed(&numbered(3)))).unwrap();
            let before = descriptors().len();
            let (_, mut list, _) = there.next::<N>();
            let kept: Vec<_> = list.by_ref().take(taken).collect();
            assert_eq!(list.len(), 3 - taken);
            assert_eq!(descriptors().len(), before + 3);
            here.put(b"next", Ancillary::new()).unwrap();
            close(list, &there);
            assert_eq!(descriptors().len(), before + taken);
            assert!(numbers(kept).into_iter().eq(0..taken as u64), "what was taken stays open");
        }
    }
    isolated(|| {
        closes::<3>(|list, _| drop(list));
        closes::<5>(|list, _| drop(list));
        closes::<4>(|mut list, _| {
            list.clear();
            assert_eq!(list.len(), 0);
            assert!(list.next().is_none());
            list.clear();
        });
        closes::<3>(|mut list, there| {
            there.try_take(&mut list).unwrap();
            assert_eq!(list.len(), 0);
        });
    });
}

#[test]
fn reused_list_holds_what_came_last_and_that_only() {
    fn holds<S: Carry>() {
        let (here, there) = S::make();
        let before = descriptors().len();
        let mut list = Descriptors::<4>::new();
        let files = numbered(8);
        for (taken, along) in [(0, &files[..4]), (1, &files[4..5]), (2, &files[1..4])] {
            for receive in S::receives() {
                here.put(b"x", Ancillary::new().descriptors(&borrowed(along))).unwrap();
                drop(receive(&there, &mut [0; 8], &mut list, Deadline::now()).unwrap());
                assert_eq!(list.len(), along.len());
                assert_eq!(descriptors().len(), before + files.len() + along.len());
            }
            drop(list.by_ref().take(taken).collect::<Vec<_>>());
        }
        assert_eq!(numbers(list), [3]);
    }
    isolated(|| each!(holds: Stream, SeqPacket, Datagram));
}

#[test]
fn failed_call_leaves_the_list_empty() {
    fn leaves<S: Carry>(errno: Errno, end: &S, receive: Receiving<S, 2>, by: Deadline) {
        let (here, there) = S::make();
        here.put(b"x", Ancillary::new().descriptors(&borrowed(&numbered(2)))).unwrap();
        let (_, mut list, _) = there.next::<2>();
        drop(list.next());
        let before = descriptors().len();
        let interruptions = (errno == Errno::INTR).then(Interruptions::start);
        let answer = receive(end, &mut [0; 8], &mut list, by).map(drop);
        drop(interruptions);
        assert_eq!(answer, Err(errno));
        assert_eq!(list.len(), 0);
        assert!(list.next().is_none());
        assert_eq!(descriptors().len(), before - 1);
    }
    fn leaves_each<S: Carry>() {
        let (_here, there) = S::make();
        let [receive_with, try_receive_with, receive_with_until] = S::receives();
        let soon = Deadline::after(SOON);
        leaves(Errno::AGAIN, &there, try_receive_with, soon);
        leaves(Errno::TIMEDOUT, &there, receive_with_until, Deadline::after(SHORT));
        leaves(Errno::INTR, &there, receive_with, soon);
        leaves(Errno::INTR, &there, receive_with_until, soon);
    }
    fn leaves_after_reset<S: Carry>() {
        for receive in S::receives() {
            let (here, there) = S::make();
            here.put(b"never read", Ancillary::new()).unwrap();
            drop(there);
            leaves(Errno::CONNRESET, &here, receive, Deadline::after(SOON));
        }
    }
    isolated(|| {
        each!(leaves_each: Stream, SeqPacket, Datagram);
        each!(leaves_after_reset: Stream, SeqPacket);
    });
}

#[test]
fn list_may_be_longer_than_a_message_can_be() {
    isolated(|| {
        let (here, there) = SeqPacket::make();
        there.ask_for_credentials(true);
        here.put(b"x", Ancillary::new().descriptors(&borrowed(&numbered(253)))).unwrap();
        let (_, list, credentials) = there.next::<300>();
        assert!(numbers(list).into_iter().eq(0..253));
        assert!(credentials.is_some());
    });
}

#[test]
fn child_and_parent_each_have_their_copies_of_a_received_list() {
    isolated(|| {
        let (here, there) = SeqPacket::make();
        let reader = send_a_writer(&here, b"x");
        let (_, list, _) = there.next::<1>();
        let list = Cell::new(Some(list));
        join(child(|| {
            let before = descriptors().len();
            drop(list.take());
            assert_eq!(descriptors().len(), before - 1);
        }));
        join(child(|| {
            let mut list = list.take().unwrap();
            Writer::from(list.next().unwrap()).write_all(b"child").unwrap();
        }));
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"child");
        let mut list = list.take().unwrap();
        assert_eq!(list.len(), 1, "the parent's is untouched");
        let writer = Writer::from(list.next().unwrap());
        writer.write_all(b"parent").unwrap();
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"parent");
        drop(writer);
        assert_closed(&reader);
    });
}

// What is never received.

#[test]
fn descriptors_under_way_are_closed_with_the_receiving_end() {
    fn are_closed<S: Carry>() {
        let (here, there) = S::make();
        let reader = send_a_writer(&here, b"x");
        assert_eq!(reader.try_read(&mut [0; 8]), Err(Errno::AGAIN), "it is open under way");
        drop(there);
        assert_closed(&reader);
        drop(here);
    }
    isolated(|| each!(are_closed: Stream, SeqPacket, Datagram));
}

#[test]
fn refused_message_closes_nothing_and_keeps_nothing_open() {
    fn is_refused<S: Carry>() {
        for send in S::sends() {
            let (here, there) = S::make();
            drop(there);
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let along = [writer.as_fd()];
            let along = Ancillary::new().descriptors(&along);
            send(&here, &[IoSlice::new(b"x")], along, Deadline::now()).unwrap_err();
            writer.write_all(b"still open").unwrap();
            assert_eq!(reader.read(&mut [0; 16]).unwrap(), b"still open");
            drop(writer);
            assert_closed(&reader);
        }
    }
    isolated(|| each!(is_refused: Stream, SeqPacket, Datagram));
}

#[test]
fn socket_sent_over_itself_is_gone_when_both_ends_are_closed() {
    fn is_gone<S: Carry>() {
        for reverse in [false, true] {
            let (here, there) = S::make();
            let Pipe { reader, writer } = Pipe::new().unwrap();
            for (end, other) in [(&here, &there), (&there, &here)] {
                let along = [other.as_fd(), end.as_fd(), writer.as_fd()];
                end.put(b"x", Ancillary::new().descriptors(&along)).unwrap();
            }
            drop(writer);
            assert_eq!(reader.try_read(&mut [0; 8]), Err(Errno::AGAIN));
            if reverse {
                drop(there);
                drop(here);
            } else {
                drop(here);
                drop(there);
            }
            eventually("the kernel collects its garbage", || {
                // It looks for some whenever a socket is closed.
                drop(SeqPacket::pair().unwrap());
                reader.try_read(&mut [0; 8]).as_deref() == Ok(&[])
            });
        }
    }
    isolated(|| each!(is_gone: Stream, SeqPacket, Datagram));
}

#[test]
fn measuring_opens_no_descriptor_and_takes_none_away() {
    fn opens_none<K: kind::Packet>()
    where
        Socket<K>: Carry,
    {
        for asked in [false, true] {
            let (here, there) = Socket::<K>::make();
            there.ask_for_credentials(asked);
            if asked {
                pass_pidfds(&there);
            }
            here.put(b"files", Ancillary::new().descriptors(&borrowed(&numbered(3)))).unwrap();
            let before = descriptors();
            let few = FewDescriptors::no_more();
            let lens = [there.next_len(), there.try_next_len(), there.next_len_until(soon())];
            drop(few);
            assert_eq!(lens, [Ok(5); 3]);
            for _ in 0..10 {
                assert_eq!(there.next_len(), Ok(5));
            }
            assert_eq!(descriptors(), before);
            let mut list = Descriptors::<3>::new();
            there.try_take(&mut list).unwrap();
            assert_eq!(numbers(list), [0, 1, 2]);
        }
    }
    isolated(|| {
        opens_none::<kind::SeqPacket>();
        opens_none::<kind::Datagram>();
    });
}

// Streams.

#[test]
fn descriptors_stick_to_their_byte_in_a_stream() {
    isolated(|| {
        for room in [1, 2, 3, 6, 7, 8, 64] {
            let (here, there) = Stream::pair().unwrap();
            here.write_all(b"before").unwrap();
            here.put(b"1", Ancillary::new().descriptors(&borrowed(&numbered(1)))).unwrap();
            here.write_all(b"after").unwrap();
            here.put(b"2", Ancillary::new().descriptors(&borrowed(&numbered(2)))).unwrap();
            here.put(b"3", Ancillary::new().descriptors(&borrowed(&numbered(3)))).unwrap();
            drop(here);
            let mut all = Vec::new();
            loop {
                let mut list = Descriptors::<4>::new();
                let mut buffer = [0; 64];
                let received = there.receive_with(&mut buffer[..room], &mut list).unwrap();
                let bytes = received.whole().unwrap();
                if bytes.is_empty() {
                    break;
                }
                // At the end of the piece, so that none that came later is with it.
                let number = bytes.last().filter(|byte| byte.is_ascii_digit());
                let count = number.map_or(0, |number| usize::from(number - b'0'));
                assert_eq!(list.len(), count, "with {bytes:?}");
                assert!(!bytes[..bytes.len() - 1].iter().any(u8::is_ascii_digit), "{bytes:?}");
                all.extend_from_slice(bytes);
            }
            assert_eq!(all, b"before1after23");
        }
    });
}

#[test]
fn descriptors_come_with_the_first_of_their_bytes_and_only_then() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        here.put(b"many bytes", Ancillary::new().descriptors(&borrowed(&numbered(2)))).unwrap();
        let mut list = Descriptors::<2>::new();
        let mut buffer = [0; 4];
        let received = there.receive_with(&mut buffer, &mut list).unwrap();
        assert_eq!(received.whole().unwrap(), b"many", "a short buffer cuts nothing off");
        assert_eq!(numbers(list.by_ref()), [0, 1]);
        let received = there.receive_with(&mut buffer, &mut list).unwrap();
        assert_eq!(received.whole().unwrap(), b" byt");
        assert_eq!(list.len(), 0);
    });
}

#[test]
fn stream_carries_nothing_along_without_bytes() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        there.pass_credentials(true).unwrap();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let descriptors = [writer.as_fd()];
        let descriptors = Ancillary::new().descriptors(&descriptors);
        let credentials = Ancillary::new().credentials(Credentials::own());
        for along in [descriptors, credentials, descriptors.credentials(Credentials::own())] {
            for send in Stream::sends() {
                let nothing = [&[][..], &[IoSlice::new(b"")], &[IoSlice::new(b""); 2]];
                for data in nothing {
                    assert_eq!(send(&here, data, along, Deadline::now()), Err(Errno::INVAL));
                }
            }
        }
        assert_eq!(there.try_take(&mut Descriptors::<1>::new()), Err(Errno::AGAIN));
        drop(writer);
        assert_closed(&reader);
        assert_eq!(here.send_with(&[], Ancillary::new()), Ok(0), "nothing with nothing is nothing");
    });
}

#[test]
fn descriptors_are_under_way_though_not_all_bytes_were_taken() {
    isolated(|| {
        let bytes = vec![7; 1 << 20];
        let data = [IoSlice::new(&bytes[..10]), IoSlice::new(&bytes[10..])];
        for form in 0..2 {
            let (here, there) = Stream::pair().unwrap();
            let along = numbered(1);
            let along = borrowed(&along);
            let along = Ancillary::new().descriptors(&along);
            let taken = match form {
                0 => here.try_send_with(&data, along).unwrap(),
                _ => here.send_with_until(&data, along, Deadline::NEVER).unwrap(),
            };
            assert!(0 < taken && taken < bytes.len(), "{taken}");
            drop(here);
            let (first, list, _) = there.next::<1>();
            assert_eq!(numbers(list), [0]);
            let mut len = first.len();
            loop {
                let (more, none, _) = there.next::<1>();
                assert_eq!(none.len(), 0, "it comes once");
                if more.is_empty() {
                    break;
                }
                len += more.len();
            }
            assert_eq!(len, taken);
        }
    });
}

// Credentials.

/// What the kernel says of a process that runs as this user.
fn of(pid: Pid) -> Credentials {
    use rustix::process::{getgid, getuid};
    Credentials { pid: Some(pid), uid: getuid(), gid: getgid() }
}

/// Sends a message, and gives back the credentials that it arrived with.
fn arrives_with<S: Carry>(here: &S, there: &S, along: Ancillary<'_>) -> Option<Credentials> {
    here.put(b"x", along).unwrap();
    there.next::<0>().2
}

#[test]
fn receiver_who_asks_learns_who_sent() {
    fn learns<S: Carry>() {
        let (here, there) = S::make();
        there.ask_for_credentials(true);
        let (there, sender) = apart(there, here, |here| {
            for send in S::sends() {
                let data = [IoSlice::new(b"x")];
                send(&here, &data, Ancillary::new(), Deadline::now()).unwrap();
            }
        });
        let pid = sender.id();
        join(sender);
        for receive in S::receives::<0>() {
            let mut buffer = [0];
            let mut none = Descriptors::new();
            let received = receive(&there, &mut buffer, &mut none, Deadline::now()).unwrap();
            assert_eq!(received.credentials(), Some(of(pid)));
            assert_eq!(received.whole().unwrap(), b"x");
        }
    }
    fn by_plain_calls_too<K: kind::Packet>()
    where
        Socket<K>: Carry,
    {
        let (here, there) = Socket::<K>::make();
        there.pass_credentials(true).unwrap();
        for _ in 0..3 {
            here.send(b"x").unwrap();
        }
        let mut buffer = [0; 8];
        let own = Some(of(process::id()));
        assert_eq!(there.receive(&mut buffer).unwrap().credentials(), own);
        assert_eq!(there.try_receive(&mut buffer).unwrap().credentials(), own);
        assert_eq!(there.receive_until(&mut buffer, Deadline::now()).unwrap().credentials(), own);
    }
    isolated(|| {
        each!(learns: Stream, SeqPacket, Datagram);
        by_plain_calls_too::<kind::SeqPacket>();
        by_plain_calls_too::<kind::Datagram>();
    });
}

#[test]
fn receiver_who_does_not_ask_is_not_told() {
    fn is_not<S: Carry>() {
        let (here, there) = S::make();
        // The other end's asking is the other end's.
        here.ask_for_credentials(true);
        let own = Ancillary::new().credentials(Credentials::own());
        assert_eq!(arrives_with(&here, &there, Ancillary::new()), None);
        assert_eq!(arrives_with(&here, &there, own), None);
        there.ask_for_credentials(true);
        assert_eq!(arrives_with(&here, &there, Ancillary::new()), Some(of(process::id())));
        there.ask_for_credentials(false);
        assert_eq!(arrives_with(&here, &there, Ancillary::new()), None);
        assert_eq!(arrives_with(&here, &there, own), None);
    }
    isolated(|| each!(is_not: Stream, SeqPacket, Datagram));
}

#[test]
fn end_of_file_was_sent_by_nobody() {
    fn was_sent<S: Carry>() {
        for receive in S::receives::<1>() {
            let (here, there) = S::make();
            here.ask_for_credentials(true);
            drop(there);
            let mut none = Descriptors::new();
            let mut buffer = [0; 8];
            let end = receive(&here, &mut buffer, &mut none, Deadline::now()).unwrap();
            assert_eq!(end.credentials(), None);
            assert_eq!(end.whole().unwrap(), b"");
        }
    }
    isolated(|| each!(was_sent: Stream, SeqPacket));
}

#[test]
fn message_from_before_the_receiver_asked_has_a_sender_without_pid() {
    fn has<S: Carry>() {
        let (here, there) = S::make();
        here.put(b"before", Ancillary::new()).unwrap();
        there.ask_for_credentials(true);
        let (bytes, _, credentials) = there.next::<0>();
        assert_eq!(bytes, b"before");
        assert_eq!(credentials.map(|sender| sender.pid), Some(None));
    }
    isolated(|| each!(has: Stream, SeqPacket, Datagram));
}

#[test]
fn bytes_of_two_senders_do_not_mix_where_the_receiver_asks() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        there.pass_credentials(true).unwrap();
        let sender = child(|| here.write_all(b"child").unwrap());
        let pid = sender.id();
        join(sender);
        here.write_all(b"parent").unwrap();
        let (bytes, _, credentials) = there.next::<0>();
        assert_eq!((&bytes[..], credentials), (&b"child"[..], Some(of(pid))));
        let (bytes, _, credentials) = there.next::<0>();
        assert_eq!((&bytes[..], credentials), (&b"parent"[..], Some(of(process::id()))));
    });
}

#[test]
fn descriptors_and_credentials_come_together_whatever_their_number() {
    fn come<S: Carry, const N: usize>() {
        let (here, there) = S::make();
        let files = numbered(6);
        let before = descriptors();
        for (ask, explicit) in [(false, false), (false, true), (true, false), (true, true)] {
            there.ask_for_credentials(ask);
            for (count, receive) in (0..=6).flat_map(|n| S::receives::<N>().map(|form| (n, form))) {
                let along = borrowed(&files[..count]);
                let mut along = Ancillary::new().descriptors(&along);
                if explicit {
                    along = along.credentials(Credentials::own());
                }
                here.put(b"x", along).unwrap();
                let mut list = Descriptors::new();
                let mut buffer = [0; 8];
                let received = receive(&there, &mut buffer, &mut list, Deadline::now()).unwrap();
                let case = format!("{count} into {N}, asked: {ask}, explicit: {explicit}");
                assert_eq!(received.credentials(), ask.then(|| of(process::id())), "{case}");
                let cut = received.whole().err().map(|cut| (cut.bytes(), cut.descriptors()));
                assert_eq!(cut, (count > N).then_some((0, true)), "{case}");
                let arrived = count.min(N);
                assert_eq!(list.len(), arrived, "{case}");
                assert_eq!(descriptors().len(), before.len() + arrived, "{case}");
                assert!(numbers(list).into_iter().eq(0..arrived as u64), "{case}");
            }
        }
        assert_eq!(descriptors(), before);
    }
    fn come_into_each<S: Carry>() {
        come::<S, 0>();
        come::<S, 1>();
        come::<S, 2>();
        come::<S, 3>();
        come::<S, 4>();
        come::<S, 5>();
    }
    isolated(|| each!(come_into_each: Stream, SeqPacket, Datagram));
}

#[test]
fn own_credentials_are_accepted() {
    fn are_accepted<S: Carry>() {
        let (here, there) = S::make();
        there.ask_for_credentials(true);
        let own = Credentials::own();
        for send in S::sends() {
            let along = Ancillary::new().credentials(own);
            send(&here, &[IoSlice::new(b"x")], along, Deadline::now()).unwrap();
            assert_eq!(there.next::<0>().2, Some(own));
        }
    }
    isolated(|| {
        each!(are_accepted: Stream, SeqPacket, Datagram);
        if is_root("to give it up") {
            join(child(|| {
                let uid = become_somebody();
                assert_eq!(Credentials::own().uid, uid);
                each!(are_accepted: Stream, SeqPacket, Datagram);
            }));
        }
    });
}

#[test]
fn credentials_of_others_take_privilege() {
    fn take<S: Carry>() {
        let (here, there) = S::make();
        there.ask_for_credentials(true);
        let own = Credentials::own();
        let parent = rustix::process::getppid();
        let others = [
            Credentials { pid: parent, ..own },
            Credentials { uid: Uid::ROOT, ..own },
            // Its own group is still root's: only the user was changed.
            Credentials { gid: Gid::from_raw(12_345), ..own },
        ];
        for other in others {
            for send in S::sends() {
                let along = Ancillary::new().credentials(other);
                let answer = send(&here, &[IoSlice::new(b"x")], along, Deadline::now());
                assert_eq!(answer, Err(Errno::PERM), "{other:?}");
            }
        }
        assert_eq!(there.try_take(&mut Descriptors::<0>::new()), Err(Errno::AGAIN));
    }
    isolated(|| {
        if !is_root("to give it up") {
            return;
        }
        join(child(|| {
            become_somebody();
            each!(take: Stream, SeqPacket, Datagram);
        }));
    });
}

#[test]
fn privileged_sender_may_speak_for_another_process_that_exists() {
    fn may<S: Carry>() {
        let (here, there) = S::make();
        there.ask_for_credentials(true);
        let parent = rustix::process::getppid();
        let other = Credentials { pid: parent, uid: Uid::from_raw(7), gid: Gid::from_raw(8) };
        let along = Ancillary::new().credentials(other);
        assert_eq!(arrives_with(&here, &there, along), Some(other));

        // Beyond the highest pid that there can be; and none.
        for nobody in [Pid::from_raw(i32::MAX), None] {
            let along = Ancillary::new().credentials(Credentials { pid: nobody, ..other });
            for send in S::sends() {
                let answer = send(&here, &[IoSlice::new(b"x")], along, Deadline::now());
                assert_eq!(answer, Err(Errno::SRCH), "{nobody:?}");
            }
        }
        assert_eq!(there.try_take(&mut Descriptors::<0>::new()), Err(Errno::AGAIN));
    }
    isolated(|| {
        if is_root("to have the privilege") {
            each!(may: Stream, SeqPacket, Datagram);
        }
    });
}

#[test]
fn sender_that_says_nothing_is_known_by_its_real_user_and_the_pairs_maker_by_its_effective() {
    isolated(|| {
        if !is_root("to have two users") {
            return;
        }
        join(child(|| {
            // SAFETY: sets this process's groups and users, as the test wants it.
            assert_eq!(unsafe { libc::setresgid(1001, 1002, 1002) }, 0);
            // SAFETY: as above.
            assert_eq!(unsafe { libc::setresuid(2001, 2002, 2002) }, 0);
            let (here, there) = SeqPacket::make();
            there.ask_for_credentials(true);
            let pid = Some(process::id());
            let real = Credentials { pid, uid: Uid::from_raw(2001), gid: Gid::from_raw(1001) };
            let effective = Credentials { pid, uid: Uid::from_raw(2002), gid: Gid::from_raw(1002) };
            assert_eq!(Credentials::own(), effective);
            assert_eq!(here.peer_credentials(), Ok(effective));
            assert_eq!(arrives_with(&here, &there, Ancillary::new()), Some(real));
            for own in [real, effective] {
                let along = Ancillary::new().credentials(own);
                assert_eq!(arrives_with(&here, &there, along), Some(own));
            }
        }));
    });
}

#[test]
fn credentials_of_a_process_out_of_sight_have_no_pid() {
    fn have_none<S: Carry>(peer_credentials: fn(&S) -> Result<Credentials>) {
        let (here, there) = S::make();
        there.ask_for_credentials(true);
        let (here, between) = apart(here, there, |there| {
            new_pid_namespace().unwrap();
            join(child(|| {
                assert_eq!(process::id(), Pid::INIT, "the first of its namespace");
                for receive in S::receives::<0>() {
                    let mut buffer = [0];
                    let mut none = Descriptors::new();
                    let received = receive(&there, &mut buffer, &mut none, soon()).unwrap();
                    let sender = received.credentials().unwrap();
                    assert_eq!((sender.pid, sender.uid), (None, Uid::ROOT));
                    assert_eq!(received.whole().unwrap(), b"x");
                }
                let maker = peer_credentials(&there).unwrap();
                assert_eq!((maker.pid, maker.uid), (None, Uid::ROOT));
            }));
        });
        // All before the first is received: one of the forms does not wait.
        for along in [Ancillary::new(), Ancillary::new().credentials(Credentials::own())] {
            here.put(b"x", along).unwrap();
        }
        here.put(b"x", Ancillary::new()).unwrap();
        join(between);
    }
    isolated(|| {
        if !is_root("to make a pid namespace") {
            return;
        }
        let mut probe = child(|| {
            if let Err(errno) = new_pid_namespace() {
                eprintln!("skipped: no pid namespace can be made here: {errno}");
                process::exit(77);
            }
        });
        if wait(&mut probe) == ExitStatus::Exited(77) {
            return;
        }
        have_none(Stream::peer_credentials);
        have_none(SeqPacket::peer_credentials);
        have_none(Datagram::peer_credentials);
    });
}

/// Has this process's next child be the first of a new pid namespace.
fn new_pid_namespace() -> Result<()> {
    // SAFETY: concerns the children that this process will have, and not its memory.
    match unsafe { libc::unshare(libc::CLONE_NEWPID) } {
        0 => Ok(()),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap()),
    }
}

#[test]
fn too_many_descriptors_under_way_are_refused_until_some_have_arrived() {
    const LIMIT: u64 = 20;
    fn are_refused<S: Carry>() {
        use rustix::process::{Resource, Rlimit, setrlimit};
        join(child(|| {
            let (here, there) = S::make();
            let along = [there.as_fd()];
            let along = Ancillary::new().descriptors(&along);
            setrlimit(Resource::Nofile, Rlimit { current: Some(LIMIT), maximum: Some(LIMIT) })
                .unwrap();
            become_somebody();
            // The kernel refuses who has more under way than the limit.
            for sent in 0..=LIMIT {
                assert_eq!(here.put(b"x", along), Ok(()), "{sent}");
            }
            for send in S::sends() {
                let answer = send(&here, &[IoSlice::new(b"x")], along, Deadline::now());
                assert_eq!(answer, Err(Errno::TOOMANYREFS));
            }
            assert_eq!(here.put(b"x", Ancillary::new()), Ok(()), "which this has none of");
            assert_eq!(there.next::<1>().1.len(), 1);
            assert_eq!(here.put(b"x", along), Ok(()));
            assert_eq!(here.put(b"x", along), Err(Errno::TOOMANYREFS));
        }));
    }
    isolated(|| {
        if is_root("to become a user who has none under way") {
            each!(are_refused: Stream, SeqPacket, Datagram);
        }
    });
}

// A descriptor of the sender itself, which comes where somebody has asked for it behind our back.

/// `SO_PASSPIDFD`; says so, visibly, where the kernel has none.
fn pass_pidfds(end: &impl AsFd) -> bool {
    const SO_PASSPIDFD: libc::c_int = 76;
    let on: libc::c_int = 1;
    // SAFETY: the value is an int, of that length, and only read.
    let set = unsafe {
        libc::setsockopt(
            end.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PASSPIDFD,
            (&raw const on).cast(),
            4,
        )
    };
    if set != 0 {
        let error = std::io::Error::last_os_error();
        assert_eq!(error.raw_os_error(), Some(libc::ENOPROTOOPT));
        eprintln!("skipped: takes Linux 6.5, for pidfds along with messages");
    }
    set == 0
}

#[test]
fn pidfd_that_nobody_here_asked_for_is_closed() {
    fn is_closed<S: Carry, const N: usize>() {
        let (here, there) = S::make();
        let files = numbered(4);
        let before = descriptors();
        if !pass_pidfds(&there) {
            return;
        }
        for (count, receive) in (0..=4).flat_map(|n| S::receives::<N>().map(|form| (n, form))) {
            here.put(b"x", Ancillary::new().descriptors(&borrowed(&files[..count]))).unwrap();
            let mut list = Descriptors::new();
            let mut buffer = [0; 8];
            let received = receive(&there, &mut buffer, &mut list, Deadline::now()).unwrap();
            assert_eq!(received.is_whole(), count <= N, "{count} into {N}");
            let arrived = count.min(N);
            assert_eq!(descriptors().len(), before.len() + arrived, "{count} into {N}");
            assert!(numbers(list).into_iter().eq(0..arrived as u64), "{count} into {N}");
        }
        assert_eq!(descriptors(), before);
    }
    fn is_closed_for_each<S: Carry>() {
        is_closed::<S, 0>();
        is_closed::<S, 1>();
        is_closed::<S, 2>();
        is_closed::<S, 3>();
    }
    isolated(|| each!(is_closed_for_each: Stream, SeqPacket, Datagram));
}

#[test]
fn message_is_whole_though_there_was_no_room_for_a_pidfd() {
    fn is_whole<S: Carry, const N: usize>() {
        let (here, there) = S::make();
        let files = numbered(4);
        let before = descriptors();
        there.ask_for_credentials(true);
        if !pass_pidfds(&there) {
            return;
        }
        for (count, receive) in (0..=4).flat_map(|n| S::receives::<N>().map(|form| (n, form))) {
            here.put(b"x", Ancillary::new().descriptors(&borrowed(&files[..count]))).unwrap();
            let mut list = Descriptors::new();
            let mut buffer = [0; 8];
            let received = receive(&there, &mut buffer, &mut list, Deadline::now()).unwrap();
            assert_eq!(received.credentials(), Some(of(process::id())));
            assert_eq!(received.is_whole(), count <= N, "{count} into {N}");
            assert_eq!(list.len(), count.min(N));
            drop(list);
            assert_eq!(descriptors(), before);
        }
    }
    fn is_whole_for_each<S: Carry>() {
        is_whole::<S, 0>();
        is_whole::<S, 1>();
        is_whole::<S, 2>();
        is_whole::<S, 3>();
    }
    isolated(|| each!(is_whole_for_each: Stream, SeqPacket, Datagram));
}

#[test]
fn pidfd_that_could_not_be_opened_is_not_taken_for_a_descriptor() {
    fn is_not<S: Carry>() {
        let (here, there) = S::make();
        if !pass_pidfds(&there) {
            return;
        }
        for receive in S::receives::<2>() {
            here.put(b"x", Ancillary::new()).unwrap();
            let mut list = Descriptors::new();
            let mut buffer = [0; 8];
            // The kernel then puts a negative errno where the descriptor would be.
            let few = FewDescriptors::no_more();
            let received = receive(&there, &mut buffer, &mut list, Deadline::now());
            drop(few);
            assert_eq!(received.unwrap().whole().unwrap(), b"x");
            assert_eq!(list.len(), 0);
        }
    }
    isolated(|| each!(is_not: Stream, SeqPacket, Datagram));
}

#[test]
fn pidfd_of_a_sender_that_is_gone_does_no_harm() {
    fn does_none<S: Carry>() {
        let (here, there) = S::make();
        if !pass_pidfds(&there) {
            return;
        }
        let (there, sender) = apart(there, here, |here| {
            here.put(b"x", Ancillary::new().descriptors(&borrowed(&numbered(1)))).unwrap();
        });
        join(sender);
        let before = descriptors();
        let (bytes, list, _) = there.next::<2>();
        assert_eq!(bytes, b"x");
        assert_eq!(numbers(list), [0]);
        assert_eq!(descriptors(), before);
    }
    isolated(|| each!(does_none: Stream, SeqPacket, Datagram));
}
