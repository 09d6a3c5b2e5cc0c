//! Socket pairs: bytes and messages between processes, as their documentation promises them.
//! (What goes along with them, descriptors and credentials, is in `ancillary.rs`.)

mod support;

use core::fmt::Debug;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use rawipc::pipe::Pipe;
use rawipc::process::{self, Child, ExitStatus, Signal};
use rawipc::socket::kind::{self, Packet};
use rawipc::socket::{
    Ancillary, Credentials, Datagram, Descriptors, Received, SeqPacket, Shutdown, Socket,
    SocketFlags, Stream,
};
use rawipc::{Deadline, Errno, IoSlice, Result};
use rustix::io::FdFlags;
use rustix::net::sockopt;
use support::signals::{Interruptions, handle};
use support::{
    FewDescriptors, SOON, apart, child, descriptors, eventually, is_open_after_exec, isolated,
    join, kill, naps, sleeps_in_one_of, wait,
};

/// How long a call may wait that is to give up.
const SHORT: Duration = Duration::from_millis(20);

// What is common to all kinds is tested once, for each kind and for each form of each call.

/// How a form of a call waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    Ever,
    Never,
    Until,
}

/// One of the forms of a call.
struct Form<F> {
    name: &'static str,
    waits: Waits,
    call: F,
}

/// The deadline is for the forms that take one.
type Sending<K> = Form<fn(&Socket<K>, &[u8], Deadline) -> Result<()>>;
type Receiving<K> = Form<fn(&Socket<K>, Deadline) -> Result<Vec<u8>>>;
type Measuring<K> = Form<fn(&Socket<K>, Deadline) -> Result<usize>>;

trait Talk: kind::Kind + Debug + Sized + 'static {
    /// Every call that sends once.
    const SENDS: &'static [Sending<Self>];
    /// Every call that receives once.
    const RECEIVES: &'static [Receiving<Self>];

    /// Sends what there is room for; says how many bytes that were.
    fn try_some(end: &Socket<Self>, bytes: &[u8]) -> Result<usize>;

    fn send(end: &Socket<Self>, bytes: &[u8]) -> Result<()> {
        Self::SENDS[0].now(end, bytes)
    }

    fn receive(end: &Socket<Self>) -> Result<Vec<u8>> {
        Self::RECEIVES[0].now(end)
    }

    fn try_receive(end: &Socket<Self>) -> Result<Vec<u8>> {
        Self::RECEIVES[1].now(end)
    }

    /// Sends until no more fits; says how many bytes that were.
    fn fill(end: &Socket<Self>) -> usize {
        let mut sent = 0;
        loop {
            match Self::try_some(end, &[7; 100]) {
                Ok(more) => sent += more,
                Err(errno) => {
                    assert_eq!(errno, Errno::AGAIN);
                    return sent;
                }
            }
        }
    }

    /// Takes all that is there; says how many bytes that were.
    fn drain(end: &Socket<Self>) -> usize {
        let mut received = 0;
        loop {
            match Self::try_receive(end) {
                Ok(bytes) if bytes.is_empty() => return received,
                Ok(bytes) => received += bytes.len(),
                Err(errno) => {
                    assert_eq!(errno, Errno::AGAIN);
                    return received;
                }
            }
        }
    }
}

impl<K: kind::Kind> Form<fn(&Socket<K>, &[u8], Deadline) -> Result<()>> {
    /// The call, which is not expected to have to wait long.
    fn now(&self, end: &Socket<K>, bytes: &[u8]) -> Result<()> {
        (self.call)(end, bytes, Deadline::after(SOON))
    }
}

impl<K: kind::Kind> Form<fn(&Socket<K>, Deadline) -> Result<Vec<u8>>> {
    /// The call, which is not expected to have to wait long.
    fn now(&self, end: &Socket<K>) -> Result<Vec<u8>> {
        (self.call)(end, Deadline::after(SOON))
    }
}

impl<F> Form<F> {
    /// Waits until a child sleeps in this form of one of these calls.
    #[track_caller]
    fn sleeps(&self, child: &Child, calls: &[libc::c_long]) {
        match self.waits {
            Waits::Ever => sleeps_in_one_of(child.id(), calls),
            Waits::Until => sleeps_in_one_of(child.id(), &POLL),
            Waits::Never => panic!("{} never sleeps", self.name),
        }
    }
}

const SEND: [libc::c_long; 2] = [libc::SYS_sendto, libc::SYS_sendmsg];
const RECEIVE: [libc::c_long; 2] = [libc::SYS_recvfrom, libc::SYS_recvmsg];
#[cfg(target_pointer_width = "64")]
const POLL: [libc::c_long; 1] = [libc::SYS_ppoll];
#[cfg(target_pointer_width = "32")]
const POLL: [libc::c_long; 2] = [libc::SYS_ppoll, libc::SYS_ppoll_time64];

macro_rules! forms {
    ($($waits:ident $name:ident = $call:expr;)*) => {
        &[$(Form { name: stringify!($name), waits: Waits::$waits, call: $call }),*]
    };
}

/// What was received, if it is whole.
fn whole(received: Received<'_>) -> Vec<u8> {
    received.whole().expect("a whole message").to_vec()
}

impl Talk for kind::Stream {
    const SENDS: &'static [Sending<Self>] = forms! {
        Ever write = |end, bytes, _| end.write(bytes).map(drop);
        Never try_write = |end, bytes, _| end.try_write(bytes).map(drop);
        Until write_until = |end, bytes, by| end.write_until(bytes, by).map(drop);
        Ever send_with =
            |end, bytes, _| end.send_with(&[IoSlice::new(bytes)], Ancillary::new()).map(drop);
        Never try_send_with =
            |end, bytes, _| end.try_send_with(&[IoSlice::new(bytes)], Ancillary::new()).map(drop);
        Until send_with_until = |end, bytes, by| {
            end.send_with_until(&[IoSlice::new(bytes)], Ancillary::new(), by).map(drop)
        };
    };

    const RECEIVES: &'static [Receiving<Self>] = forms! {
        Ever read = |end, _| Ok(end.read(&mut [0; 4096])?.to_vec());
        Never try_read = |end, _| Ok(end.try_read(&mut [0; 4096])?.to_vec());
        Until read_until = |end, by| Ok(end.read_until(&mut [0; 4096], by)?.to_vec());
        Ever receive_with = |end, _| {
            end.receive_with(&mut [0; 4096], &mut Descriptors::<1>::new()).map(whole)
        };
        Never try_receive_with = |end, _| {
            end.try_receive_with(&mut [0; 4096], &mut Descriptors::<1>::new()).map(whole)
        };
        Until receive_with_until = |end, by| {
            end.receive_with_until(&mut [0; 4096], &mut Descriptors::<1>::new(), by).map(whole)
        };
    };

    fn try_some(end: &Stream, bytes: &[u8]) -> Result<usize> {
        end.try_write(bytes)
    }
}

/// The forms of sending and writing that go on until all is sent.
const WRITE_ALLS: &[Sending<kind::Stream>] = forms! {
    Ever write_all = |end, bytes, _| end.write_all(bytes).map_err(Errno::from);
    Until write_all_until = |end, bytes, by| end.write_all_until(bytes, by).map_err(Errno::from);
};

macro_rules! packets_talk {
    ($Kind:ty) => {
        impl Talk for $Kind {
            const SENDS: &'static [Sending<Self>] = forms! {
                Ever send = |end, bytes, _| end.send(bytes);
                Never try_send = |end, bytes, _| end.try_send(bytes);
                Until send_until = |end, bytes, by| end.send_until(bytes, by);
                Ever send_with =
                    |end, bytes, _| end.send_with(&[IoSlice::new(bytes)], Ancillary::new());
                Never try_send_with =
                    |end, bytes, _| end.try_send_with(&[IoSlice::new(bytes)], Ancillary::new());
                Until send_with_until = |end, bytes, by| {
                    end.send_with_until(&[IoSlice::new(bytes)], Ancillary::new(), by)
                };
            };

            const RECEIVES: &'static [Receiving<Self>] = forms! {
                Ever receive = |end, _| end.receive(&mut [0; 4096]).map(whole);
                Never try_receive = |end, _| end.try_receive(&mut [0; 4096]).map(whole);
                Until receive_until = |end, by| end.receive_until(&mut [0; 4096], by).map(whole);
                Ever receive_with = |end, _| {
                    end.receive_with(&mut [0; 4096], &mut Descriptors::<1>::new()).map(whole)
                };
                Never try_receive_with = |end, _| {
                    end.try_receive_with(&mut [0; 4096], &mut Descriptors::<1>::new()).map(whole)
                };
                Until receive_with_until = |end, by| {
                    end.receive_with_until(&mut [0; 4096], &mut Descriptors::<1>::new(), by)
                        .map(whole)
                };
            };

            fn try_some(end: &Socket<Self>, bytes: &[u8]) -> Result<usize> {
                end.try_send(bytes).map(|()| bytes.len())
            }
        }

        impl TalkPackets for $Kind {
            const NEXT_LENS: &'static [Measuring<Self>] = forms! {
                Ever next_len = |end, _| end.next_len();
                Never try_next_len = |end, _| end.try_next_len();
                Until next_len_until = |end, by| end.next_len_until(by);
            };
        }
    };
}

trait TalkPackets: Talk + Packet {
    const NEXT_LENS: &'static [Measuring<Self>];
}

packets_talk!(kind::SeqPacket);
packets_talk!(kind::Datagram);

/// Runs a generic test for each of these kinds, and says at which one it is.
macro_rules! each {
    ($test:ident: $($Kind:ident),*) => {{
        $(
            eprintln!("{}:", stringify!($Kind));
            $test::<kind::$Kind>();
        )*
    }};
}

/// Bytes that tell where they belong: what is lost, doubled or swapped does not go unseen.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|place| (place.wrapping_mul(0x9e37_79b1) >> 13).to_le_bytes()[0]).collect()
}

/// A message that tells its number, of a length that varies with it.
fn message(number: usize) -> Vec<u8> {
    let mut message = number.to_le_bytes().to_vec();
    message.extend(pattern(number.wrapping_mul(37) % 1500));
    message
}

/// Waits until a child that nobody wakes but signals has slept several times more in these calls.
#[track_caller]
fn interrupted_in(child: &Child, calls: &[libc::c_long]) {
    sleeps_in_one_of(child.id(), calls);
    let before = naps(child.id());
    eventually("signals interrupt its sleep", || naps(child.id()) > before + 3);
}

// Carrying.

#[test]
fn stream_carries_bytes_both_ways_at_once() {
    const LEN: usize = 4 << 20;
    fn converse(end: &Stream) {
        let writer = child(|| {
            end.write_all(&pattern(LEN)).unwrap();
            end.shutdown(Shutdown::Write).unwrap();
        });
        let mut received = vec![0; LEN + 1];
        let received = end.read_all(&mut received[..]).unwrap();
        assert_eq!(received.len(), LEN);
        assert!(received == pattern(LEN));
        join(writer);
    }
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        let (here, other) = apart(here, there, |there| converse(&there));
        converse(&here);
        join(other);
    });
}

#[test]
fn messages_go_both_ways_at_once() {
    const COUNT: usize = 2000;
    fn converse<K: Talk>(end: &Socket<K>) {
        let sender = child(|| (0..COUNT).for_each(|n| K::send(end, &message(n)).unwrap()));
        for n in 0..COUNT {
            assert!(K::receive(end).unwrap() == message(n), "message {n}");
        }
        join(sender);
    }
    fn both_ways<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let (here, other) = apart(here, there, |there| converse(&there));
        converse(&here);
        join(other);
    }
    isolated(|| each!(both_ways: SeqPacket, Datagram));
}

#[test]
fn stream_keeps_no_boundaries() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        let (here, writer) = apart(here, there, |there| {
            for bytes in [&b"one"[..], b"two", b"", b"three"] {
                assert_eq!(there.write(bytes).unwrap(), bytes.len());
            }
        });
        join(writer);
        assert_eq!(here.read(&mut [0; 5]).unwrap(), b"onetw");
        assert_eq!(here.read(&mut [0; 64]).unwrap(), b"othree");
        assert_eq!(here.read(&mut [0; 64]).unwrap(), b"");
    });
}

#[test]
fn messages_keep_their_boundaries() {
    fn keep<K: Talk>() {
        let messages = [&b"one"[..], b"", b"three", b"33", b""];
        let (here, there) = Socket::<K>::pair().unwrap();
        let (here, sender) = apart(here, there, |there| {
            for message in messages {
                K::send(&there, message).unwrap();
            }
        });
        join(sender);
        for message in messages {
            assert_eq!(K::receive(&here).unwrap(), message);
        }
    }
    isolated(|| each!(keep: SeqPacket, Datagram));
}

#[test]
fn every_form_sends_what_every_form_receives() {
    fn every<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        for send in K::SENDS {
            for receive in K::RECEIVES {
                let text = format!("{} to {}", send.name, receive.name);
                send.now(&here, text.as_bytes()).unwrap();
                assert_eq!(receive.now(&there).unwrap(), text.as_bytes());
            }
        }
    }
    isolated(|| each!(every: Stream, SeqPacket, Datagram));
}

#[test]
fn several_buffers_go_as_one() {
    fn as_one<K: Talk>(send: impl Fn(&Socket<K>, &[IoSlice<'_>])) {
        let (here, there) = Socket::<K>::pair().unwrap();
        let buffers = [b"head, ".as_slice(), b"", b"body, ", b"tail"].map(IoSlice::new);
        send(&here, &buffers);
        assert_eq!(K::receive(&there).unwrap(), b"head, body, tail");
        assert_eq!(K::try_receive(&there), Err(Errno::AGAIN));
    }
    isolated(|| {
        let soon = Deadline::after(SOON);
        as_one(|end: &Stream, data| {
            assert_eq!(end.send_with(data, Ancillary::new()), Ok(16));
        });
        as_one(|end: &Stream, data| {
            assert_eq!(end.try_send_with(data, Ancillary::new()), Ok(16));
        });
        as_one(|end: &Stream, data| {
            assert_eq!(end.send_with_until(data, Ancillary::new(), soon), Ok(16));
        });
        as_one(|end: &SeqPacket, data| end.send_with(data, Ancillary::new()).unwrap());
        as_one(|end: &Datagram, data| end.try_send_with(data, Ancillary::new()).unwrap());
        as_one(|end: &SeqPacket, data| {
            end.send_with_until(data, Ancillary::new(), soon).unwrap();
        });
    });
}

#[test]
fn messages_of_several_senders_all_arrive_each_senders_in_order() {
    const EACH: usize = 300;
    fn arrive<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let senders = [0, 1, 2].map(|sender| {
            child(|| (0..EACH).for_each(|n| K::send(&there, &message(3 * n + sender)).unwrap()))
        });
        drop(there);
        let mut next = [0; 3];
        for _ in 0..3 * EACH {
            let received = K::receive(&here).unwrap();
            let number = usize::from_le_bytes(*received.first_chunk().unwrap());
            assert!(received == message(number), "message {number} is not mixed with others");
            assert_eq!(number / 3, next[number % 3], "of sender {}", number % 3);
            next[number % 3] += 1;
        }
        senders.into_iter().for_each(join);
        assert_eq!(K::drain(&here), 0, "and nothing else");
    }
    isolated(|| each!(arrive: SeqPacket, Datagram));
}

#[test]
fn each_message_goes_to_one_of_several_receivers() {
    const COUNT: u32 = 1000;
    fn to_one<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let receivers = [(); 3].map(|()| {
            child(|| {
                loop {
                    let message = K::receive(&there).unwrap();
                    if message.is_empty() {
                        break;
                    }
                    writer.write_all(&message).unwrap();
                }
            })
        });
        for n in 0..COUNT {
            K::send(&here, &n.to_le_bytes()).unwrap();
        }
        for _ in &receivers {
            K::send(&here, b"").unwrap();
        }
        drop(writer);
        let mut told = vec![0; 8 * COUNT as usize];
        let told = reader.read_all(&mut told[..]).unwrap();
        let mut told: Vec<_> =
            told.chunks(4).map(|n| u32::from_le_bytes(n.try_into().unwrap())).collect();
        told.sort_unstable();
        assert!(told.into_iter().eq(0..COUNT));
        receivers.into_iter().for_each(join);
    }
    isolated(|| each!(to_one: SeqPacket, Datagram));
}

#[test]
fn buffer_behind_what_was_received_stays_as_it_was() {
    fn stays<K: Talk>(receive: impl Fn(&Socket<K>, &mut [u8]) -> usize) {
        let (here, there) = Socket::<K>::pair().unwrap();
        K::send(&here, b"four").unwrap();
        let mut buffer = [0xaa; 64];
        assert_eq!(receive(&there, &mut buffer), 4);
        assert_eq!(&buffer[..4], b"four");
        assert_eq!(buffer[4..], [0xaa; 60]);
    }
    isolated(|| {
        stays(|end: &Stream, buffer| end.read(buffer).unwrap().len());
        stays(|end: &Stream, buffer| end.read_until(buffer, Deadline::NEVER).unwrap().len());
        stays(|end: &SeqPacket, buffer| whole(end.receive(buffer).unwrap()).len());
        stays(|end: &Datagram, buffer| whole(end.try_receive(buffer).unwrap()).len());
    });
}

#[test]
fn uninitialised_memory_can_be_received_into() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        let mut on_the_stack = [MaybeUninit::uninit(); 4];
        let mut on_the_heap = Box::<[u8]>::new_uninit_slice(64);
        here.write_all(b"abcdefgh").unwrap();
        assert_eq!(there.read(&mut on_the_stack).unwrap(), b"abcd");
        assert_eq!(there.try_read(&mut on_the_stack[..2]).unwrap(), b"ef");
        assert_eq!(there.read_until(&mut on_the_heap[..], Deadline::now()).unwrap(), b"gh");
        here.write_all(b"ijklmnop").unwrap();
        assert_eq!(there.read_all(&mut on_the_stack).unwrap(), b"ijkl");
        let rest = there.read_all_until(&mut on_the_heap[60..], Deadline::now()).unwrap();
        assert_eq!(rest, b"mnop");

        let (here, there) = SeqPacket::pair().unwrap();
        for _ in 0..2 {
            here.send(b"message").unwrap();
        }
        assert_eq!(whole(there.receive(&mut on_the_heap[..]).unwrap()), b"message");
        let mut no_descriptors = Descriptors::<0>::new();
        let received = there.try_receive_with(&mut on_the_stack, &mut no_descriptors).unwrap();
        assert_eq!(received.in_part(), b"mess");
    });
}

// The end.

#[test]
fn sleeping_receiver_wakes_to_the_end_when_the_other_side_closes() {
    fn wakes<K: Talk>() {
        for form in K::RECEIVES.iter().filter(|form| form.waits != Waits::Never) {
            let (here, there) = Socket::<K>::pair().unwrap();
            let (here, receiver) = apart(here, there, |there| {
                assert_eq!((form.call)(&there, Deadline::NEVER).unwrap(), b"", "{}", form.name);
            });
            form.sleeps(&receiver, &RECEIVE);
            drop(here);
            join(receiver);
        }
    }
    isolated(|| each!(wakes: Stream, SeqPacket));
}

#[test]
fn what_was_sent_before_the_close_arrives_before_the_end() {
    fn arrives<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let (here, sender) = apart(here, there, |there| K::send(&there, b"last words").unwrap());
        join(sender);
        assert_eq!(K::receive(&here).unwrap(), b"last words");
        for form in K::RECEIVES.iter().chain(K::RECEIVES) {
            assert_eq!(form.now(&here).unwrap(), b"", "{}", form.name);
        }
    }
    isolated(|| each!(arrives: Stream, SeqPacket));
}

#[test]
fn end_comes_when_the_process_on_the_other_side_is_killed() {
    fn comes<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let (there, receiver) = apart(there, here, |here| {
            assert_eq!(K::receive(&here).unwrap(), b"");
            assert_eq!(K::send(&here, b"too late"), Err(Errno::PIPE));
        });
        let ((), other) = apart((), there, |there| drop(K::receive(&there)));
        sleeps_in_one_of(receiver.id(), &RECEIVE);
        sleeps_in_one_of(other.id(), &RECEIVE);
        kill(other);
        join(receiver);
    }
    isolated(|| each!(comes: Stream, SeqPacket));
}

#[test]
fn end_does_not_come_before_every_copy_of_the_other_side_is_closed() {
    fn waits<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let [one, another] = [(); 2].map(|()| child(|| drop(K::receive(&there))));
        drop(there);
        kill(one);
        assert_eq!(K::try_receive(&here), Err(Errno::AGAIN));
        K::send(&here, b"anybody?").unwrap();
        join(another);
        // It has read what was sent, so that there is nothing to complain about.
        assert_eq!(K::try_receive(&here).unwrap(), b"");
    }
    isolated(|| each!(waits: Stream, SeqPacket));
}

#[test]
fn end_of_seqpackets_is_an_empty_message_again_and_again() {
    isolated(|| {
        let (here, there) = SeqPacket::pair().unwrap();
        drop(there);
        for _ in 0..3 {
            assert_eq!(whole(here.receive(&mut [0; 8]).unwrap()), b"");
            for form in kind::SeqPacket::NEXT_LENS {
                assert_eq!((form.call)(&here, Deadline::NEVER), Ok(0), "{}", form.name);
            }
        }
    });
}

#[test]
fn empty_message_brings_credentials_where_the_end_brings_none() {
    isolated(|| {
        let (here, there) = SeqPacket::pair().unwrap();
        here.pass_credentials(true).unwrap();
        let (here, sender) = apart(here, there, |there| there.send(b"").unwrap());
        let pid = sender.id();
        join(sender);
        let mut buffer = [0; 8];
        let empty = here.receive(&mut buffer).unwrap();
        assert_eq!(empty.credentials().and_then(|sender| sender.pid), Some(pid));
        assert_eq!(empty.whole().unwrap(), b"");
        let end = here.receive(&mut buffer).unwrap();
        assert_eq!(end.credentials(), None);
        assert_eq!(end.whole().unwrap(), b"");
    });
}

#[test]
fn datagram_receiver_sleeps_on_when_the_other_side_closes() {
    isolated(|| {
        for form in kind::Datagram::RECEIVES.iter().filter(|form| form.waits != Waits::Never) {
            let (here, there) = Datagram::pair().unwrap();
            let (here, mut receiver) =
                apart(here, there, |there| drop((form.call)(&there, Deadline::NEVER)));
            form.sleeps(&receiver, &RECEIVE);
            drop(here);
            assert_eq!(receiver.wait_until(Deadline::after(SHORT)), Err(Errno::TIMEDOUT));
            form.sleeps(&receiver, &RECEIVE);
            kill(receiver);
        }
    });
}

#[test]
fn datagram_receiver_falls_asleep_though_the_other_side_has_closed() {
    isolated(|| {
        let (here, there) = Datagram::pair().unwrap();
        drop(there);
        assert_eq!(here.try_receive(&mut [0; 8]).unwrap_err(), Errno::AGAIN);
        assert_eq!(here.try_next_len(), Err(Errno::AGAIN));
        let receiver = child(|| drop(here.receive(&mut [0; 8])));
        let measurer = child(|| {
            let _ = here.next_len();
        });
        sleeps_in_one_of(receiver.id(), &RECEIVE);
        sleeps_in_one_of(measurer.id(), &RECEIVE);
        kill(receiver);
        kill(measurer);
    });
}

#[test]
fn datagrams_sent_before_the_close_arrive() {
    isolated(|| {
        let (here, there) = Datagram::pair().unwrap();
        let (here, sender) = apart(here, there, |there| {
            there.send(b"one").unwrap();
            there.send(b"two").unwrap();
        });
        join(sender);
        assert_eq!(whole(here.receive(&mut [0; 8]).unwrap()), b"one");
        assert_eq!(whole(here.receive(&mut [0; 8]).unwrap()), b"two");
        assert_eq!(here.try_receive(&mut [0; 8]).unwrap_err(), Errno::AGAIN);
    });
}

#[test]
fn sending_to_a_closed_side_is_refused() {
    fn is_refused<K: Talk>(refusals: [Errno; 3]) {
        for form in K::SENDS {
            let (here, there) = Socket::<K>::pair().unwrap();
            drop(there);
            for refusal in refusals {
                assert_eq!(form.now(&here, b"to nobody"), Err(refusal), "{}", form.name);
            }
        }
    }
    isolated(|| {
        is_refused::<kind::Stream>([Errno::PIPE; 3]);
        is_refused::<kind::SeqPacket>([Errno::PIPE; 3]);
        is_refused::<kind::Datagram>([Errno::CONNREFUSED, Errno::NOTCONN, Errno::NOTCONN]);

        for form in WRITE_ALLS {
            let (here, there) = Stream::pair().unwrap();
            drop(there);
            assert_eq!(form.now(&here, b"to nobody"), Err(Errno::PIPE), "{}", form.name);
        }
    });
}

#[test]
fn stream_reader_is_told_once_that_the_other_side_left_bytes_unread() {
    isolated(|| {
        for form in kind::Stream::RECEIVES {
            let (here, there) = Stream::pair().unwrap();
            here.write_all(b"never read").unwrap();
            there.write_all(b"last words").unwrap();
            drop(there);
            assert_eq!(form.now(&here).unwrap(), b"last words", "{}", form.name);
            assert_eq!(form.now(&here), Err(Errno::CONNRESET), "{}", form.name);
            assert_eq!(form.now(&here).unwrap(), b"", "{}", form.name);
        }
    });
}

#[test]
fn stream_writer_finds_a_broken_pipe_where_bytes_were_left_unread() {
    isolated(|| {
        for form in kind::Stream::SENDS.iter().chain(WRITE_ALLS) {
            let (here, there) = Stream::pair().unwrap();
            here.write_all(b"never read").unwrap();
            drop(there);
            assert_eq!(form.now(&here, b"x"), Err(Errno::PIPE), "{}", form.name);
            assert_eq!(form.now(&here, b"x"), Err(Errno::PIPE), "{}", form.name);
            // It was not told, so the reader is.
            assert_eq!(here.read(&mut [0; 8]), Err(Errno::CONNRESET), "{}", form.name);
            assert_eq!(here.read(&mut [0; 8]).unwrap(), b"", "{}", form.name);
        }
    });
}

#[test]
fn stream_writer_that_sleeps_is_told_that_the_other_side_left_bytes_unread() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        kind::Stream::fill(&here);
        let (there, writer) = apart(there, here, |here| {
            assert_eq!(here.write(b"x"), Err(Errno::CONNRESET));
            assert_eq!(here.write(b"x"), Err(Errno::PIPE));
            assert_eq!(here.read(&mut [0; 8]).unwrap(), b"");
        });
        sleeps_in_one_of(writer.id(), &SEND);
        drop(there);
        join(writer);
    });
}

#[test]
fn seqpacket_receiver_is_told_once_that_the_other_side_left_messages_unread() {
    isolated(|| {
        for form in kind::SeqPacket::RECEIVES {
            let (here, there) = SeqPacket::pair().unwrap();
            here.send(b"never read").unwrap();
            there.send(b"last words").unwrap();
            drop(there);
            assert_eq!(form.now(&here), Err(Errno::CONNRESET), "{}", form.name);
            // It is told before, and not instead.
            assert_eq!(form.now(&here).unwrap(), b"last words", "{}", form.name);
            assert_eq!(form.now(&here).unwrap(), b"", "{}", form.name);
        }
    });
}

#[test]
fn who_only_measures_is_told_too_that_messages_were_left_unread() {
    isolated(|| {
        for form in kind::SeqPacket::NEXT_LENS {
            let (here, there) = SeqPacket::pair().unwrap();
            here.send(b"never read").unwrap();
            there.send(b"last words").unwrap();
            drop(there);
            let soon = Deadline::after(SOON);
            assert_eq!((form.call)(&here, soon), Err(Errno::CONNRESET), "{}", form.name);
            assert_eq!((form.call)(&here, soon), Ok(10), "{}", form.name);
        }
    });
}

#[test]
fn seqpacket_sender_is_told_once_that_the_other_side_left_messages_unread() {
    isolated(|| {
        for form in kind::SeqPacket::SENDS {
            let (here, there) = SeqPacket::pair().unwrap();
            here.send(b"never read").unwrap();
            drop(there);
            assert_eq!(form.now(&here, b"x"), Err(Errno::CONNRESET), "{}", form.name);
            assert_eq!(form.now(&here, b"x"), Err(Errno::PIPE), "{}", form.name);
            assert_eq!(whole(here.receive(&mut [0; 8]).unwrap()), b"", "{}", form.name);
        }
    });
}

#[test]
fn datagram_is_not_told_that_the_other_side_left_messages_unread() {
    isolated(|| {
        for form in kind::Datagram::RECEIVES {
            let (here, there) = Datagram::pair().unwrap();
            here.send(b"never read").unwrap();
            there.send(b"last words").unwrap();
            drop(there);
            assert_eq!(form.now(&here).unwrap(), b"last words", "{}", form.name);
            assert_eq!(here.try_receive(&mut [0; 8]).unwrap_err(), Errno::AGAIN, "{}", form.name);
        }
        for form in kind::Datagram::SENDS {
            let (here, there) = Datagram::pair().unwrap();
            here.send(b"never read").unwrap();
            drop(there);
            assert_eq!(form.now(&here, b"x"), Err(Errno::CONNREFUSED), "{}", form.name);
            assert_eq!(form.now(&here, b"x"), Err(Errno::NOTCONN), "{}", form.name);
        }
    });
}

#[test]
fn refused_datagram_sender_loses_what_it_has_not_received_yet() {
    isolated(|| {
        let (here, there) = Datagram::pair().unwrap();
        there.send(b"one").unwrap();
        there.send(b"two").unwrap();
        drop(there);
        assert_eq!(whole(here.receive(&mut [0; 8]).unwrap()), b"one");
        assert_eq!(here.send(b"anybody?"), Err(Errno::CONNREFUSED));
        // The kernel empties the queue where it takes the connection back.
        assert_eq!(here.try_receive(&mut [0; 8]).unwrap_err(), Errno::AGAIN);
    });
}

#[test]
fn sleeping_sender_wakes_when_the_other_side_closes() {
    fn wakes<K: Talk>(refusals: &'static [Errno]) {
        for form in K::SENDS.iter().filter(|form| form.waits != Waits::Never) {
            let (here, there) = Socket::<K>::pair().unwrap();
            K::fill(&here);
            let (there, sender) = apart(there, here, |here| {
                let errno = (form.call)(&here, b"x", Deadline::NEVER).unwrap_err();
                assert!(refusals.contains(&errno), "{}: {errno}", form.name);
            });
            form.sleeps(&sender, &SEND);
            drop(there);
            join(sender);
        }
    }
    isolated(|| {
        // Which of the two depends on where it sleeps.
        wakes::<kind::Stream>(&[Errno::CONNRESET, Errno::PIPE]);
        wakes::<kind::SeqPacket>(&[Errno::CONNRESET]);
        wakes::<kind::Datagram>(&[Errno::CONNREFUSED]);
    });
}

// Shutdown.

#[test]
fn shutdown_of_writing_ends_one_direction_only() {
    fn ends<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let (here, other) = apart(here, there, |there| {
            assert_eq!(K::receive(&there).unwrap(), b"that was all");
            assert_eq!(K::receive(&there).unwrap(), b"");
            K::send(&there, b"but I can answer").unwrap();
        });
        K::send(&here, b"that was all").unwrap();
        here.shutdown(Shutdown::Write).unwrap();
        for form in K::SENDS {
            assert_eq!(form.now(&here, b"one more"), Err(Errno::PIPE), "{}", form.name);
        }
        assert_eq!(K::receive(&here).unwrap(), b"but I can answer");
        join(other);
    }
    isolated(|| each!(ends: Stream, SeqPacket));
}

#[test]
fn shutdown_of_reading_breaks_the_pipe_for_the_other_side() {
    fn breaks<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        K::send(&there, b"came in time").unwrap();
        here.shutdown(Shutdown::Read).unwrap();
        let (here, other) = apart(here, there, |there| {
            for form in K::SENDS {
                assert_eq!(form.now(&there, b"too late"), Err(Errno::PIPE), "{}", form.name);
            }
            assert_eq!(K::receive(&there).unwrap(), b"but I can speak");
        });
        assert_eq!(K::receive(&here).unwrap(), b"came in time");
        for form in K::RECEIVES {
            assert_eq!(form.now(&here).unwrap(), b"", "{}", form.name);
        }
        K::send(&here, b"but I can speak").unwrap();
        join(other);
    }
    isolated(|| each!(breaks: Stream, SeqPacket));
}

#[test]
fn shutdown_of_both_ends_both_directions() {
    fn ends<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        here.shutdown(Shutdown::Both).unwrap();
        let (here, other) = apart(here, there, |there| {
            assert_eq!(K::receive(&there).unwrap(), b"");
            assert_eq!(K::send(&there, b"x"), Err(Errno::PIPE));
        });
        assert_eq!(K::receive(&here).unwrap(), b"");
        assert_eq!(K::send(&here, b"x"), Err(Errno::PIPE));
        join(other);
    }
    isolated(|| each!(ends: Stream, SeqPacket));
}

#[test]
fn shutdown_wakes_a_receiver_that_sleeps_in_another_process() {
    fn wakes<K: Talk>(how: Shutdown, of_own_end: bool) {
        for form in K::RECEIVES.iter().filter(|form| form.waits != Waits::Never) {
            let (here, there) = Socket::<K>::pair().unwrap();
            let receiver = child(|| {
                assert_eq!((form.call)(&there, Deadline::NEVER).unwrap(), b"", "{}", form.name);
            });
            form.sleeps(&receiver, &RECEIVE);
            let end = if of_own_end { &there } else { &here };
            end.shutdown(how).unwrap();
            join(receiver);
        }
    }
    fn wakes_each<K: Talk>() {
        wakes::<K>(Shutdown::Write, false);
        wakes::<K>(Shutdown::Both, false);
        wakes::<K>(Shutdown::Read, true);
    }
    isolated(|| each!(wakes_each: Stream, SeqPacket));
}

#[test]
fn shutdown_wakes_a_sender_that_sleeps_in_another_process() {
    fn wakes<K: Talk>(how: Shutdown, waits: Waits) {
        for form in K::SENDS.iter().filter(|form| form.waits == waits) {
            let (here, there) = Socket::<K>::pair().unwrap();
            K::fill(&here);
            let sender = child(|| {
                let answer = (form.call)(&here, b"x", Deadline::NEVER);
                assert_eq!(answer, Err(Errno::PIPE), "{}", form.name);
            });
            form.sleeps(&sender, &SEND);
            there.shutdown(how).unwrap();
            join(sender);
        }
    }
    fn wakes_each<K: Talk>() {
        wakes::<K>(Shutdown::Read, Waits::Ever);
        wakes::<K>(Shutdown::Both, Waits::Ever);
        wakes::<K>(Shutdown::Both, Waits::Until);
    }
    isolated(|| each!(wakes_each: Stream, SeqPacket));
}

#[test]
fn sender_with_a_deadline_learns_by_then_that_the_other_side_shut_down_reading() {
    fn learns<K: Talk>() {
        for form in K::SENDS.iter().filter(|form| form.waits == Waits::Until) {
            let (here, there) = Socket::<K>::pair().unwrap();
            K::fill(&here);
            let sender = child(|| {
                // The kernel does not wake who polls a full queue for this.
                let answer = (form.call)(&here, b"x", Deadline::after(Duration::from_millis(300)));
                assert_eq!(answer, Err(Errno::PIPE), "{}", form.name);
            });
            form.sleeps(&sender, &SEND);
            there.shutdown(Shutdown::Read).unwrap();
            join(sender);
        }
    }
    isolated(|| each!(learns: Stream, SeqPacket));
}

#[test]
fn shutdown_is_for_every_copy_of_the_end_in_every_process() {
    fn for_every_copy<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let (go, gone) = Stream::pair().unwrap();
        let (go, holder) = apart(go, gone, |gone| {
            assert_eq!(gone.read(&mut [0]).unwrap(), b"");
            assert_eq!(K::send(&here, b"x"), Err(Errno::PIPE));
        });
        here.shutdown(Shutdown::Write).unwrap();
        drop(go);
        join(holder);
        drop(there);
    }
    isolated(|| each!(for_every_copy: Stream, SeqPacket, Datagram));
}

#[test]
fn shutdown_of_writing_is_no_end_for_a_datagrams_receiver() {
    isolated(|| {
        let (here, there) = Datagram::pair().unwrap();
        here.send(b"sent before").unwrap();
        here.shutdown(Shutdown::Write).unwrap();
        for form in kind::Datagram::SENDS {
            assert_eq!(form.now(&here, b"x"), Err(Errno::PIPE), "{}", form.name);
        }
        let (here, receiver) = apart(here, there, |there| {
            assert_eq!(whole(there.receive(&mut [0; 16]).unwrap()), b"sent before");
            assert_eq!(there.try_receive(&mut [0; 16]).unwrap_err(), Errno::AGAIN);
            there.send(b"the other direction").unwrap();
            drop(there.receive(&mut [0; 16]));
        });
        assert_eq!(whole(here.receive(&mut [0; 32]).unwrap()), b"the other direction");
        sleeps_in_one_of(receiver.id(), &RECEIVE);
        kill(receiver);
    });
}

#[test]
fn shutdown_of_reading_breaks_the_pipe_for_a_datagrams_sender() {
    isolated(|| {
        let (here, there) = Datagram::pair().unwrap();
        there.send(b"came in time").unwrap();
        here.shutdown(Shutdown::Read).unwrap();
        for form in kind::Datagram::SENDS {
            assert_eq!(form.now(&there, b"too late"), Err(Errno::PIPE), "{}", form.name);
        }
        assert_eq!(whole(here.receive(&mut [0; 16]).unwrap()), b"came in time");
        here.send(b"the other direction").unwrap();
        assert_eq!(whole(there.receive(&mut [0; 32]).unwrap()), b"the other direction");
    });
}

#[test]
fn deadline_holds_for_a_datagram_whose_own_reading_is_shut_down() {
    isolated(|| {
        for how in [Shutdown::Read, Shutdown::Both] {
            let (here, _there) = Datagram::pair().unwrap();
            here.shutdown(how).unwrap();
            let by = Deadline::after(SHORT);
            // Nothing can come any more. Either answer says so; no answer does not.
            let receivers = [
                child(|| {
                    let answer = here.receive_until(&mut [0; 8], by).map(whole);
                    assert!(matches!(answer.as_deref(), Ok(b"") | Err(&Errno::TIMEDOUT)));
                }),
                child(|| {
                    let mut none = Descriptors::<1>::new();
                    let answer = here.receive_with_until(&mut [0; 8], &mut none, by).map(whole);
                    assert!(matches!(answer.as_deref(), Ok(b"") | Err(&Errno::TIMEDOUT)));
                }),
                child(|| {
                    let answer = here.next_len_until(by);
                    assert!(matches!(answer, Ok(0) | Err(Errno::TIMEDOUT)));
                }),
            ];
            let ended = receivers.map(|mut receiver| {
                let ended = receiver.wait_until(Deadline::after(Duration::from_secs(2)));
                if ended.is_err() {
                    kill(receiver);
                }
                ended
            });
            assert_eq!(ended, [Ok(ExitStatus::Exited(0)); 3], "after {how:?}");
        }
    });
}

#[test]
fn shutdown_succeeds_though_the_other_side_has_closed() {
    fn succeeds<K: Talk>() {
        for how in [Shutdown::Read, Shutdown::Write, Shutdown::Both] {
            let (here, there) = Socket::<K>::pair().unwrap();
            drop(there);
            assert_eq!(here.shutdown(how), Ok(()));
        }
    }
    isolated(|| each!(succeeds: Stream, SeqPacket, Datagram));
}

// Signals.

/// What a process has for `SIGPIPE` before a runtime comes and ignores it.
fn sigpipe_at_default() {
    // SAFETY: the default installs no handler.
    let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    assert_ne!(before, libc::SIG_ERR);
}

#[test]
fn no_call_raises_sigpipe() {
    fn raises_none<K: Talk>() {
        for form in K::SENDS {
            join(child(|| {
                sigpipe_at_default();
                let (here, there) = Socket::<K>::pair().unwrap();
                drop(there);
                for _ in 0..3 {
                    form.now(&here, b"to nobody").unwrap_err();
                }
                let (here, _there) = Socket::<K>::pair().unwrap();
                here.shutdown(Shutdown::Write).unwrap();
                assert_eq!(form.now(&here, b"to nobody"), Err(Errno::PIPE));
            }));
        }
    }
    isolated(|| {
        each!(raises_none: Stream, SeqPacket, Datagram);
        for form in WRITE_ALLS {
            join(child(|| {
                sigpipe_at_default();
                let (here, there) = Stream::pair().unwrap();
                drop(there);
                assert_eq!(form.now(&here, b"to nobody"), Err(Errno::PIPE));
            }));
        }

        // That it would have ended the process: a pipe's writer has no way to do without.
        let mut other = child(|| {
            sigpipe_at_default();
            let Pipe { reader, writer } = Pipe::new().unwrap();
            drop(reader);
            writer.write(b"to nobody").unwrap();
        });
        assert_eq!(wait(&mut other).signal(), Some(libc::SIGPIPE));
    });
}

#[test]
fn receiving_is_interrupted_by_a_signal_handler_and_loses_nothing() {
    fn is_interrupted<K: Talk>() {
        for form in K::RECEIVES.iter().filter(|form| form.waits != Waits::Never) {
            let (here, there) = Socket::<K>::pair().unwrap();
            let interruptions = Interruptions::start();
            let answer = (form.call)(&here, Deadline::NEVER);
            assert_eq!(answer, Err(Errno::INTR), "{}", form.name);
            let answer = (form.call)(&here, Deadline::after(SOON));
            assert_eq!(answer, Err(Errno::INTR), "{}", form.name);
            drop(interruptions);
            K::send(&there, b"kept").unwrap();
            assert_eq!(form.now(&here).unwrap(), b"kept", "{}", form.name);
            assert_eq!(K::try_receive(&here), Err(Errno::AGAIN), "{}", form.name);
        }
    }
    isolated(|| each!(is_interrupted: Stream, SeqPacket, Datagram));
}

#[test]
fn measuring_is_interrupted_by_a_signal_handler() {
    fn is_interrupted<K: TalkPackets>() {
        for form in K::NEXT_LENS.iter().filter(|form| form.waits != Waits::Never) {
            let (here, there) = Socket::<K>::pair().unwrap();
            let interruptions = Interruptions::start();
            let answer = (form.call)(&here, Deadline::NEVER);
            assert_eq!(answer, Err(Errno::INTR), "{}", form.name);
            drop(interruptions);
            there.send(b"kept").unwrap();
            assert_eq!((form.call)(&here, Deadline::NEVER), Ok(4), "{}", form.name);
        }
    }
    isolated(|| each!(is_interrupted: SeqPacket, Datagram));
}

#[test]
fn sending_is_interrupted_by_a_signal_handler_and_sends_nothing_then() {
    fn is_interrupted<K: Talk>() {
        for form in K::SENDS.iter().filter(|form| form.waits != Waits::Never) {
            let (here, there) = Socket::<K>::pair().unwrap();
            let sent = K::fill(&here);
            let interruptions = Interruptions::start();
            let answer = (form.call)(&here, b"not sent", Deadline::NEVER);
            assert_eq!(answer, Err(Errno::INTR), "{}", form.name);
            let answer = (form.call)(&here, b"not sent", Deadline::after(SOON));
            assert_eq!(answer, Err(Errno::INTR), "{}", form.name);
            drop(interruptions);
            assert_eq!(K::drain(&there), sent, "{}", form.name);
            form.now(&here, b"sent").unwrap();
            assert_eq!(K::receive(&there).unwrap(), b"sent", "{}", form.name);
        }
    }
    isolated(|| each!(is_interrupted: Stream, SeqPacket, Datagram));
}

#[test]
fn interrupted_write_says_how_much_it_took() {
    const LEN: usize = 1 << 20;
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        let returned = Pipe::new().unwrap();
        let (here, writer) = apart(here, there, |there| {
            let interruptions = Interruptions::start();
            let taken = there.write(&pattern(LEN)).unwrap();
            drop(interruptions);
            assert!(0 < taken && taken < LEN, "{taken}");
            returned.writer.write(b"x").unwrap();
            there.write_all(&pattern(LEN)[taken..]).unwrap();
        });
        // Nothing is read before: it is a signal that made it return.
        returned.reader.read(&mut [0]).unwrap();
        let mut received = vec![0; LEN + 1];
        let received = here.read_all(&mut received[..]).unwrap();
        assert!(received == pattern(LEN));
        join(writer);
    });
}

#[test]
fn read_all_goes_on_after_signals_and_keeps_every_byte() {
    const LEN: usize = 16 << 20;
    type Reading = Form<fn(&Stream, &mut [u8]) -> usize>;
    fn goes_on(form: &Reading, calls: &[libc::c_long]) {
        let (here, there) = Stream::pair().unwrap();
        let (here, reader) = apart(here, there, |there| {
            let mut received = vec![0; LEN + 1];
            let interruptions = Interruptions::start();
            let len = (form.call)(&there, &mut received);
            drop(interruptions);
            assert_eq!(len, LEN);
            assert!(received[..LEN] == pattern(LEN));
        });
        let bytes = pattern(LEN);
        let (first, rest) = bytes.split_at(1_000_003);
        interrupted_in(&reader, calls);
        here.write_all(first).unwrap();
        interrupted_in(&reader, calls);
        here.write_all(rest).unwrap();
        drop(here);
        join(reader);
    }
    isolated(|| {
        let forms: &[Reading] = forms! {
            Ever read_all = |end, buffer| end.read_all(buffer).unwrap().len();
            Until read_all_until =
                |end, buffer| end.read_all_until(buffer, Deadline::NEVER).unwrap().len();
        };
        goes_on(&forms[0], &RECEIVE);
        goes_on(&forms[1], &POLL);
    });
}

#[test]
fn write_all_goes_on_after_signals_and_keeps_every_byte() {
    const LEN: usize = 16 << 20;
    fn goes_on(form: &Sending<kind::Stream>, calls: &[libc::c_long]) {
        let (here, there) = Stream::pair().unwrap();
        let (here, writer) = apart(here, there, |there| {
            let bytes = pattern(LEN);
            let interruptions = Interruptions::start();
            (form.call)(&there, &bytes, Deadline::NEVER).unwrap();
            drop(interruptions);
        });
        let mut received = vec![0; LEN + 1];
        let (first, rest) = received.split_at_mut(1_000_003);
        interrupted_in(&writer, calls);
        here.read_all(first).unwrap();
        interrupted_in(&writer, calls);
        assert_eq!(here.read_all(rest).unwrap().len(), LEN - 1_000_003);
        assert!(received[..LEN] == pattern(LEN));
        join(writer);
    }
    isolated(|| {
        goes_on(&WRITE_ALLS[0], &SEND);
        goes_on(&WRITE_ALLS[1], &POLL);
    });
}

/// How often [`count_signal`] has run in this process.
static SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_signal(_signal: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn restarting_handler_interrupts_only_the_forms_with_a_deadline() {
    fn restarts<K: Talk>() {
        for form in K::RECEIVES.iter().filter(|form| form.waits != Waits::Never) {
            let (here, there) = Socket::<K>::pair().unwrap();
            let (here, receiver) = apart(here, there, |there| {
                let count = count_signal as extern "C" fn(libc::c_int) as usize;
                handle(Signal::USR1, count, libc::SA_RESTART);
                let answer = (form.call)(&there, Deadline::NEVER);
                assert_eq!(SIGNALS.load(Ordering::Relaxed), 1, "{}", form.name);
                match form.waits {
                    Waits::Ever => assert_eq!(answer.unwrap(), b"after it", "{}", form.name),
                    _ => assert_eq!(answer, Err(Errno::INTR), "{}", form.name),
                }
            });
            form.sleeps(&receiver, &RECEIVE);
            let before = naps(receiver.id());
            receiver.kill(Signal::USR1).unwrap();
            if form.waits == Waits::Ever {
                eventually("it sleeps again", || naps(receiver.id()) > before);
                K::send(&here, b"after it").unwrap();
            }
            join(receiver);
        }
    }
    isolated(|| each!(restarts: Stream, SeqPacket, Datagram));
}

// Not waiting, and waiting until.

#[test]
fn nonblocking_description_answers_again() {
    fn answers<K: Talk>() {
        let (here, there) = Socket::<K>::pair_with(SocketFlags::NONBLOCK).unwrap();
        assert_eq!([here.is_nonblocking(), there.is_nonblocking()], [Ok(true); 2]);
        for form in K::RECEIVES.iter().filter(|form| form.waits != Waits::Until) {
            assert_eq!(form.now(&there), Err(Errno::AGAIN), "{}", form.name);
        }
        let sent = K::fill(&here);
        for form in K::SENDS.iter().filter(|form| form.waits != Waits::Until) {
            assert_eq!(form.now(&here, b"x"), Err(Errno::AGAIN), "{}", form.name);
        }
        assert_eq!(K::drain(&there), sent);
    }
    fn measuring_too<K: TalkPackets>() {
        let (here, _there) = Socket::<K>::pair_with(SocketFlags::NONBLOCK).unwrap();
        assert_eq!(here.next_len(), Err(Errno::AGAIN));
    }
    isolated(|| {
        each!(answers: Stream, SeqPacket, Datagram);
        each!(measuring_too: SeqPacket, Datagram);
    });
}

#[test]
fn forms_with_a_deadline_wait_on_a_nonblocking_description_too() {
    fn wait_too<K: Talk>() {
        for form in K::RECEIVES.iter().filter(|form| form.waits == Waits::Until) {
            let (here, there) = Socket::<K>::pair_with(SocketFlags::NONBLOCK).unwrap();
            let (here, receiver) = apart(here, there, |there| {
                assert_eq!((form.call)(&there, Deadline::NEVER).unwrap(), b"x", "{}", form.name);
            });
            form.sleeps(&receiver, &RECEIVE);
            K::send(&here, b"x").unwrap();
            join(receiver);
        }
    }
    isolated(|| each!(wait_too: Stream, SeqPacket, Datagram));
}

#[test]
fn nonblocking_is_set_for_all_who_share_the_description_and_for_no_other_end() {
    fn shared<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        assert_eq!([here.is_nonblocking(), there.is_nonblocking()], [Ok(false); 2]);
        join(child(|| here.set_nonblocking(true).unwrap()));
        assert_eq!([here.is_nonblocking(), there.is_nonblocking()], [Ok(true), Ok(false)]);
        assert_eq!(K::receive(&here), Err(Errno::AGAIN));
        here.set_nonblocking(false).unwrap();
        assert_eq!(here.is_nonblocking(), Ok(false));
        let (there, receiver) = apart(there, here, |here| {
            assert_eq!(K::receive(&here).unwrap(), b"waited for");
        });
        sleeps_in_one_of(receiver.id(), &RECEIVE);
        K::send(&there, b"waited for").unwrap();
        join(receiver);
    }
    isolated(|| each!(shared: Stream, SeqPacket, Datagram));
}

#[test]
fn try_forms_do_not_wait_on_a_blocking_description() {
    fn do_not_wait<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        for form in K::RECEIVES.iter().filter(|form| form.waits == Waits::Never) {
            assert_eq!(form.now(&there), Err(Errno::AGAIN), "{}", form.name);
        }
        K::fill(&here);
        for form in K::SENDS.iter().filter(|form| form.waits == Waits::Never) {
            assert_eq!(form.now(&here, b"x"), Err(Errno::AGAIN), "{}", form.name);
        }
        assert_eq!([here.is_nonblocking(), there.is_nonblocking()], [Ok(false); 2]);
    }
    fn measuring_neither<K: TalkPackets>() {
        let (here, _there) = Socket::<K>::pair().unwrap();
        assert_eq!(here.try_next_len(), Err(Errno::AGAIN));
    }
    isolated(|| {
        each!(do_not_wait: Stream, SeqPacket, Datagram);
        each!(measuring_neither: SeqPacket, Datagram);
    });
}

#[test]
fn try_forms_are_not_interrupted() {
    fn are_not<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        K::fill(&here);
        let _interruptions = Interruptions::start();
        let until = Deadline::after(Duration::from_millis(30));
        while !until.has_passed() {
            for form in K::RECEIVES.iter().filter(|form| form.waits == Waits::Never) {
                assert_eq!(form.now(&here), Err(Errno::AGAIN), "{}", form.name);
            }
            for form in K::SENDS.iter().filter(|form| form.waits == Waits::Never) {
                assert_eq!(form.now(&here, b"x"), Err(Errno::AGAIN), "{}", form.name);
            }
        }
        drop(there);
    }
    isolated(|| each!(are_not: Stream, SeqPacket, Datagram));
}

#[test]
fn deadline_is_kept_and_not_before_its_time() {
    fn is_kept<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let sent = K::fill(&here);
        for form in K::RECEIVES.iter().filter(|form| form.waits == Waits::Until) {
            let by = Deadline::after(SHORT);
            assert_eq!((form.call)(&here, by), Err(Errno::TIMEDOUT), "{}", form.name);
            assert!(by.has_passed(), "{}", form.name);
        }
        for form in K::SENDS.iter().filter(|form| form.waits == Waits::Until) {
            let by = Deadline::after(SHORT);
            assert_eq!((form.call)(&here, b"x", by), Err(Errno::TIMEDOUT), "{}", form.name);
            assert!(by.has_passed(), "{}", form.name);
        }
        assert_eq!(K::drain(&there), sent, "what timed out was not sent");
    }
    fn by_measuring_too<K: TalkPackets>() {
        let (here, _there) = Socket::<K>::pair().unwrap();
        let by = Deadline::after(SHORT);
        assert_eq!(here.next_len_until(by), Err(Errno::TIMEDOUT));
        assert!(by.has_passed());
    }
    isolated(|| {
        each!(is_kept: Stream, SeqPacket, Datagram);
        each!(by_measuring_too: SeqPacket, Datagram);
    });
}

#[test]
fn deadline_in_the_past_is_enough_for_what_can_be_done_at_once() {
    fn is_enough<K: Talk>() {
        let past = Deadline::now();
        let (here, there) = Socket::<K>::pair().unwrap();
        for send in K::SENDS.iter().filter(|form| form.waits == Waits::Until) {
            for receive in K::RECEIVES.iter().filter(|form| form.waits == Waits::Until) {
                assert_eq!((receive.call)(&there, past), Err(Errno::TIMEDOUT));
                (send.call)(&here, b"at once", past).unwrap();
                assert_eq!((receive.call)(&there, past).unwrap(), b"at once", "{}", receive.name);
            }
        }
        K::fill(&here);
        for send in K::SENDS.iter().filter(|form| form.waits == Waits::Until) {
            assert_eq!((send.call)(&here, b"x", past), Err(Errno::TIMEDOUT), "{}", send.name);
        }
    }
    isolated(|| {
        each!(is_enough: Stream, SeqPacket, Datagram);

        let past = Deadline::now();
        let (here, there) = Stream::pair().unwrap();
        here.write_all_until(b"at once", past).unwrap();
        assert_eq!(there.read_all_until(&mut [0; 7], past).unwrap(), b"at once");
        let (here, there) = SeqPacket::pair().unwrap();
        here.send(b"at once").unwrap();
        assert_eq!(there.next_len_until(past), Ok(7));
    });
}

#[test]
fn deadline_ahead_is_enough_for_what_the_other_side_does_meanwhile() {
    fn is_enough<K: Talk>() {
        for wait in [SOON, Duration::MAX] {
            for form in K::RECEIVES.iter().filter(|form| form.waits == Waits::Until) {
                let (here, there) = Socket::<K>::pair().unwrap();
                let (here, receiver) = apart(here, there, |there| {
                    let answer = (form.call)(&there, Deadline::after(wait));
                    assert_eq!(answer.unwrap(), b"meanwhile", "{}", form.name);
                });
                form.sleeps(&receiver, &RECEIVE);
                K::send(&here, b"meanwhile").unwrap();
                join(receiver);
            }
            for form in K::SENDS.iter().filter(|form| form.waits == Waits::Until) {
                let (here, there) = Socket::<K>::pair().unwrap();
                K::fill(&here);
                let (there, sender) = apart(there, here, |here| {
                    (form.call)(&here, b"meanwhile", Deadline::after(wait)).unwrap();
                });
                form.sleeps(&sender, &SEND);
                assert_ne!(K::drain(&there), 0);
                join(sender);
            }
        }
    }
    isolated(|| each!(is_enough: Stream, SeqPacket, Datagram));
}

#[test]
fn room_that_comes_before_the_deadline_is_used() {
    fn is_used<K: Talk>() {
        for form in K::SENDS.iter().filter(|form| form.waits == Waits::Until) {
            let (here, there) = Socket::<K>::pair().unwrap();
            // Long messages, so that one is room enough for a short one many times over, and less
            // than the kernel waits for before it wakes a sender.
            while K::try_some(&here, &[7; 4096]).is_ok() {}
            let (there, sender) = apart(there, here, |here| {
                let answer = (form.call)(&here, b"x", Deadline::after(Duration::from_millis(300)));
                assert_eq!(answer, Ok(()), "{}", form.name);
            });
            form.sleeps(&sender, &SEND);
            assert_eq!(K::receive(&there).unwrap().len(), 4096);
            join(sender);
        }
    }
    isolated(|| each!(is_used: Stream, SeqPacket, Datagram));
}

// A full queue.

#[test]
fn sender_sleeps_while_the_queue_is_full_and_wakes_when_it_is_read() {
    fn sleeps<K: Talk>() {
        for form in K::SENDS.iter().filter(|form| form.waits == Waits::Ever) {
            let (here, there) = Socket::<K>::pair().unwrap();
            let sent = K::fill(&here);
            let (there, sender) = apart(there, here, |here| {
                (form.call)(&here, b"the last one", Deadline::NEVER).unwrap();
            });
            form.sleeps(&sender, &SEND);
            let mut received = 0;
            while received < sent {
                received += K::receive(&there).unwrap().len().min(sent - received);
            }
            join(sender);
            drop(there);
        }
    }
    isolated(|| each!(sleeps: Stream, SeqPacket, Datagram));
}

#[test]
fn what_filled_the_queue_arrives_in_order() {
    fn arrives<K: TalkPackets>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let mut sent = 0;
        while here.try_send(&message(sent)).is_ok() {
            sent += 1;
        }
        assert_eq!(here.try_send(&message(sent)), Err(Errno::AGAIN));
        assert!(sent > 10, "{sent}");
        let (here, sender) = apart(here, there, |there| {
            for number in 0..=sent {
                assert!(K::receive(&there).unwrap() == message(number), "message {number}");
            }
        });
        here.send(&message(sent)).unwrap();
        join(sender);
    }
    isolated(|| each!(arrives: SeqPacket, Datagram));
}

#[test]
fn try_write_takes_what_there_is_room_for() {
    isolated(|| {
        let bytes = pattern(1 << 20);
        let (here, there) = Stream::pair().unwrap();
        let taken = here.try_write(&bytes).unwrap();
        assert!(0 < taken && taken < bytes.len(), "{taken}");
        assert_eq!(here.try_write(&bytes[taken..]), Err(Errno::AGAIN));
        drop(here);
        let mut received = vec![0; bytes.len()];
        assert!(there.read_all(&mut received[..]).unwrap() == &bytes[..taken]);
    });
}

#[test]
fn write_until_returns_as_soon_as_something_was_taken() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        let taken = here.write_until(&pattern(1 << 20), Deadline::NEVER).unwrap();
        assert!(0 < taken && taken < 1 << 20, "{taken}");
        drop(here);
        let mut received = vec![0; 1 << 20];
        assert!(there.read_all(&mut received[..]).unwrap() == pattern(taken));
    });
}

// Lengths.

/// The longest message that fits the socket's buffer: the kernel keeps 32 bytes for itself.
fn longest<K: Talk>(end: &Socket<K>) -> usize {
    sockopt::socket_send_buffer_size(end).unwrap() - 32
}

#[test]
fn longest_message_arrives_whole() {
    fn arrives<K: TalkPackets>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let message = pattern(longest(&here));
        for form in K::SENDS {
            form.now(&here, &message).unwrap();
            let mut buffer = vec![0; message.len()];
            assert!(whole(there.receive(&mut buffer[..]).unwrap()) == message, "{}", form.name);
        }
    }
    isolated(|| each!(arrives: SeqPacket, Datagram));
}

#[test]
fn too_long_a_message_is_refused_and_nothing_of_it_arrives() {
    fn is_refused<K: TalkPackets>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let message = pattern(longest(&here) + 1);
        for form in K::SENDS {
            assert_eq!(form.now(&here, &message), Err(Errno::MSGSIZE), "{}", form.name);
        }
        here.send(b"short").unwrap();
        assert_eq!(K::receive(&there).unwrap(), b"short");
    }
    isolated(|| each!(is_refused: SeqPacket, Datagram));
}

#[test]
fn at_most_1024_buffers_make_a_message() {
    fn send<K: Talk>(end: &Socket<K>, buffers: &[IoSlice<'_>]) -> [Result<()>; 3]
    where
        Socket<K>: SendBuffers,
    {
        end.send_buffers(buffers)
    }
    fn make<K: Talk>()
    where
        Socket<K>: SendBuffers,
    {
        let (here, there) = Socket::<K>::pair().unwrap();
        let bytes = pattern(1025);
        let buffers: Vec<_> = bytes.chunks(1).map(IoSlice::new).collect();
        assert_eq!(send(&here, &buffers), [Err(Errno::MSGSIZE); 3]);
        assert_eq!(K::try_receive(&there), Err(Errno::AGAIN));
        assert_eq!(send(&here, &buffers[..1024]), [Ok(()); 3]);
        assert_eq!(K::receive(&there).unwrap()[..1024], bytes[..1024]);
    }
    isolated(|| each!(make: Stream, SeqPacket, Datagram));
}

/// The three forms that take several buffers.
trait SendBuffers {
    fn send_buffers(&self, buffers: &[IoSlice<'_>]) -> [Result<()>; 3];
}

macro_rules! send_buffers {
    ($($Socket:ty),*) => {$(
        impl SendBuffers for $Socket {
            fn send_buffers(&self, buffers: &[IoSlice<'_>]) -> [Result<()>; 3] {
                [
                    self.send_with(buffers, Ancillary::new()).map(drop),
                    self.try_send_with(buffers, Ancillary::new()).map(drop),
                    self.send_with_until(buffers, Ancillary::new(), Deadline::now()).map(drop),
                ]
            }
        }
    )*};
}
send_buffers!(Stream, SeqPacket, Datagram);

#[test]
fn message_that_does_not_fit_is_never_whole() {
    fn is_never<K: TalkPackets>() {
        const MESSAGE: [u8; 9] = *b"ninebytes";
        for room in 0..9 {
            let (here, there) = Socket::<K>::pair().unwrap();
            let past = Deadline::now();
            let mut buffer = [0xaa; 16];
            let mut none = Descriptors::<0>::new();
            let lost = MESSAGE.len() - room;
            for form in 0..6 {
                here.send(&MESSAGE).unwrap();
                let space = &mut buffer[..room];
                let received = match form {
                    0 => there.receive(space),
                    1 => there.try_receive(space),
                    2 => there.receive_until(space, past),
                    3 => there.receive_with(space, &mut none),
                    4 => there.try_receive_with(space, &mut none),
                    _ => there.receive_with_until(space, &mut none, past),
                };
                let received = received.unwrap();
                assert!(!received.is_whole());
                let truncated = received.whole().unwrap_err();
                assert_eq!((truncated.bytes(), truncated.descriptors()), (lost, false));
                assert_eq!(&buffer[..room], &MESSAGE[..room], "what fitted is there");
                assert_eq!(buffer[room..], [0xaa; 16][room..], "and not a byte more");
                assert_eq!(there.try_next_len(), Err(Errno::AGAIN), "the rest is gone");
            }
        }
    }
    isolated(|| each!(is_never: SeqPacket, Datagram));
}

#[test]
fn message_that_just_fits_is_whole() {
    fn is_whole<K: TalkPackets>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        for message in [&b""[..], b"x", b"just fits"] {
            here.send(message).unwrap();
            let mut buffer = vec![0; message.len()];
            let received = there.receive(&mut buffer[..]).unwrap();
            assert!(received.is_whole());
            assert_eq!(received.whole().unwrap(), message);
        }
    }
    isolated(|| each!(is_whole: SeqPacket, Datagram));
}

#[test]
fn in_part_gives_the_head_of_what_does_not_fit() {
    fn gives<K: TalkPackets>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        here.send(b"head and tail").unwrap();
        here.send(b"next").unwrap();
        assert_eq!(there.receive(&mut [0; 4]).unwrap().in_part(), b"head");
        assert_eq!(there.receive(&mut [0; 4]).unwrap().in_part(), b"next");
    }
    isolated(|| each!(gives: SeqPacket, Datagram));
}

#[test]
fn stream_loses_nothing_to_a_short_buffer() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        here.write_all(b"head and tail").unwrap();
        let mut none = Descriptors::<0>::new();
        let mut buffer = [0; 5];
        assert_eq!(there.receive_with(&mut buffer, &mut none).unwrap().whole().unwrap(), b"head ");
        assert_eq!(there.read(&mut buffer).unwrap(), b"and t");
        assert_eq!(there.receive_with(&mut buffer, &mut none).unwrap().whole().unwrap(), b"ail");
    });
}

#[test]
fn truncation_says_how_much_was_lost() {
    isolated(|| {
        let (here, there) = SeqPacket::pair().unwrap();
        here.send(b"message").unwrap();
        let truncated = there.receive(&mut [0; 4]).unwrap().whole().unwrap_err();
        assert_eq!(truncated.to_string(), "message truncated: 3 bytes lost");
        assert_eq!(Errno::from(truncated), Errno::MSGSIZE);
        #[cfg(feature = "std")]
        assert_eq!(
            std::io::Error::from(truncated).raw_os_error(),
            Some(Errno::MSGSIZE.raw_os_error())
        );
    });
}

// Measuring.

#[test]
fn next_len_tells_the_length_and_leaves_the_message() {
    fn tells<K: TalkPackets>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        for message in [&b"five!"[..], b"", b"message"] {
            here.send(message).unwrap();
        }
        for message in [&b"five!"[..], b"", b"message"] {
            for form in K::NEXT_LENS.iter().chain(K::NEXT_LENS) {
                let len = (form.call)(&there, Deadline::after(SOON));
                assert_eq!(len, Ok(message.len()), "{}", form.name);
            }
            assert_eq!(K::receive(&there).unwrap(), message);
        }
    }
    isolated(|| each!(tells: SeqPacket, Datagram));
}

#[test]
fn next_len_waits_for_a_message() {
    fn waits<K: TalkPackets>() {
        for form in K::NEXT_LENS.iter().filter(|form| form.waits != Waits::Never) {
            let (here, there) = Socket::<K>::pair().unwrap();
            let (here, receiver) = apart(here, there, |there| {
                assert_eq!((form.call)(&there, Deadline::NEVER), Ok(9), "{}", form.name);
                assert_eq!(K::try_receive(&there).unwrap(), b"ninebytes");
            });
            form.sleeps(&receiver, &RECEIVE);
            here.send(b"ninebytes").unwrap();
            join(receiver);
        }
    }
    isolated(|| each!(waits: SeqPacket, Datagram));
}

// Half way.

#[test]
fn read_all_returns_what_there_is_at_the_end() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        let (here, writer) = apart(here, there, |there| there.write_all(b"half").unwrap());
        let mut record = [0; 8];
        assert_eq!(here.read_all(&mut record).unwrap(), b"half");
        assert_eq!(here.read_all(&mut record).unwrap(), b"");
        assert_eq!(here.read_all_until(&mut record, Deadline::NEVER).unwrap(), b"");
        join(writer);
    });
}

#[test]
fn read_all_waits_for_the_rest() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        let (here, reader) = apart(here, there, |there| {
            assert_eq!(there.read_all(&mut [0; 8]).unwrap(), b"two half");
            assert_eq!(there.read_all_until(&mut [0; 2], Deadline::NEVER).unwrap(), b"es");
        });
        here.write_all(b"two ").unwrap();
        sleeps_in_one_of(reader.id(), &RECEIVE);
        here.write_all(b"halfe").unwrap();
        sleeps_in_one_of(reader.id(), &POLL);
        here.write_all(b"s").unwrap();
        join(reader);
    });
}

#[test]
fn read_all_says_how_far_it_came_where_it_must_not_wait() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        let mut record = [0; 8];
        here.write_all(b"half").unwrap();
        there.set_nonblocking(true).unwrap();
        let short = there.read_all(&mut record).unwrap_err();
        assert_eq!((short.transferred(), short.errno()), (4, Errno::AGAIN));
        assert_eq!(&record, b"half\0\0\0\0");

        here.write_all(b"again").unwrap();
        let by = Deadline::after(SHORT);
        let short = there.read_all_until(&mut record, by).unwrap_err();
        assert_eq!((short.transferred(), short.errno()), (5, Errno::TIMEDOUT));
        assert!(by.has_passed());
        assert_eq!(&record, b"again\0\0\0");
    });
}

#[test]
fn read_all_says_how_far_it_came_when_the_other_side_left_bytes_unread() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        here.write_all(b"never read").unwrap();
        there.write_all(b"half").unwrap();
        drop(there);
        let mut record = [0; 8];
        let short = here.read_all(&mut record).unwrap_err();
        assert_eq!((short.transferred(), short.errno()), (4, Errno::CONNRESET));
        assert_eq!(&record, b"half\0\0\0\0");
    });
}

#[test]
fn write_all_says_how_far_it_came_where_it_must_not_wait() {
    isolated(|| {
        let bytes = pattern(1 << 20);
        for until in [false, true] {
            let (here, there) = Stream::pair().unwrap();
            here.set_nonblocking(!until).unwrap();
            let by = Deadline::after(SHORT);
            let (short, errno) = if until {
                (here.write_all_until(&bytes, by).unwrap_err(), Errno::TIMEDOUT)
            } else {
                (here.write_all(&bytes).unwrap_err(), Errno::AGAIN)
            };
            assert_eq!(short.errno(), errno);
            assert!(!until || by.has_passed());
            drop(here);
            let mut received = vec![0; bytes.len()];
            let received = there.read_all(&mut received[..]).unwrap();
            assert_eq!(received.len(), short.transferred());
            assert!(received == &bytes[..short.transferred()]);
        }
    });
}

#[test]
fn write_all_says_how_far_it_came_when_the_other_side_stops_reading() {
    isolated(|| {
        for form in 0..2 {
            let (here, there) = Stream::pair().unwrap();
            let (there, writer) = apart(there, here, |here| {
                let bytes = pattern(4 << 20);
                let short = match form {
                    0 => here.write_all(&bytes).unwrap_err(),
                    _ => here.write_all_until(&bytes, Deadline::NEVER).unwrap_err(),
                };
                assert_eq!(short.errno(), Errno::PIPE);
                // How much the other side has had.
                let mut len = [0; 8];
                here.read_all(&mut len).unwrap();
                assert_eq!(u64::from_le_bytes(len), short.transferred() as u64);
            });
            let mut received = vec![0; 4 << 20];
            let (first, rest) = received.split_at_mut(1_000_003);
            there.read_all(first).unwrap();
            sleeps_in_one_of(writer.id(), if form == 0 { &SEND } else { &POLL });
            // What it has sent can still be read; nothing is added to it.
            there.shutdown(Shutdown::Read).unwrap();
            let len = 1_000_003 + there.read_all(rest).unwrap().len();
            assert!(received[..len] == pattern(len));
            there.write_all(&(len as u64).to_le_bytes()).unwrap();
            join(writer);
        }
    });
}

#[test]
fn write_all_says_how_far_it_came_when_the_other_side_closes() {
    isolated(|| {
        let (here, there) = Stream::pair().unwrap();
        let (there, writer) = apart(there, here, |here| {
            let short = here.write_all(&pattern(4 << 20)).unwrap_err();
            // A write that had taken something and then slept has nobody to tell the reset to.
            assert!(matches!(short.errno(), Errno::PIPE | Errno::CONNRESET));
            assert!(short.transferred() >= 1000, "{short}");
        });
        there.read_all(&mut [0; 1000]).unwrap();
        sleeps_in_one_of(writer.id(), &SEND);
        drop(there);
        join(writer);
    });
}

// The descriptors.

fn is_close_on_exec(fd: BorrowedFd<'_>) -> bool {
    rustix::io::fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC)
}

#[test]
fn both_ends_are_close_on_exec() {
    fn are<K: Talk>() {
        for flags in [SocketFlags::empty(), SocketFlags::NONBLOCK, SocketFlags::CLOEXEC] {
            let (here, there) = Socket::<K>::pair_with(flags).unwrap();
            assert!(is_close_on_exec(here.as_fd()) && is_close_on_exec(there.as_fd()));
        }
        let (here, there) = Socket::<K>::pair().unwrap();
        let clone = here.try_clone().unwrap();
        for end in [&here, &there, &clone] {
            assert!(is_close_on_exec(end.as_fd()));
            assert!(!is_open_after_exec(end.as_fd().as_raw_fd()));
        }
        // That the shell would have seen it.
        let inherited = rustix::io::dup(&here).unwrap();
        assert!(is_open_after_exec(inherited.as_raw_fd()));
    }
    isolated(|| each!(are: Stream, SeqPacket, Datagram));
}

#[test]
fn no_end_is_left_open_where_there_is_no_descriptor_for_both() {
    fn is_left<K: Talk>() {
        let before = descriptors();
        for room in 0..2 {
            let few = FewDescriptors::more(room);
            let refused = Socket::<K>::pair();
            drop(few);
            assert_eq!(refused.unwrap_err(), Errno::MFILE);
            assert_eq!(descriptors(), before);
        }
        let few = FewDescriptors::more(2);
        let pair = Socket::<K>::pair();
        drop(few);
        pair.unwrap();
    }
    isolated(|| each!(is_left: Stream, SeqPacket, Datagram));
}

#[test]
fn clone_is_another_descriptor_of_the_same_end() {
    fn is_another<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let clone = here.try_clone().unwrap();
        assert_ne!(clone.as_fd().as_raw_fd(), here.as_fd().as_raw_fd());
        here.set_nonblocking(true).unwrap();
        assert_eq!(clone.is_nonblocking(), Ok(true));
        drop(here);
        K::send(&clone, b"still open").unwrap();
        assert_eq!(K::receive(&there).unwrap(), b"still open");

        let few = FewDescriptors::no_more();
        let refused = clone.try_clone();
        drop(few);
        assert_eq!(refused.unwrap_err(), Errno::MFILE);
    }
    isolated(|| each!(is_another: Stream, SeqPacket, Datagram));
}

#[test]
fn what_is_no_socket_is_not_taken_for_one() {
    fn is_not<K: Talk>() {
        let file = fs::File::open("/dev/null").unwrap();
        assert_eq!(Socket::<K>::try_from(OwnedFd::from(file)).unwrap_err(), Errno::NOTSOCK);
        let (here, _there) = Pipe::new().map(|Pipe { reader, writer }| (reader, writer)).unwrap();
        assert_eq!(Socket::<K>::try_from(OwnedFd::from(here)).unwrap_err(), Errno::NOTSOCK);
    }
    isolated(|| each!(is_not: Stream, SeqPacket, Datagram));
}

#[test]
fn socket_of_another_family_is_not_taken() {
    // TCP would say that it received bytes which it threw away, for a packet's flags.
    fn is_not<K: Talk>() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(Socket::<K>::try_from(OwnedFd::from(client)).unwrap_err(), Errno::PROTOTYPE);
    }
    isolated(|| each!(is_not: Stream, SeqPacket, Datagram));
}

#[test]
fn socket_of_another_kind_is_not_taken() {
    fn is_not<From: Talk, To: Talk>() {
        let (here, _there) = Socket::<From>::pair().unwrap();
        let taken = Socket::<To>::try_from(OwnedFd::from(here));
        assert_eq!(taken.unwrap_err(), Errno::PROTOTYPE);
    }
    isolated(|| {
        is_not::<kind::Stream, kind::SeqPacket>();
        is_not::<kind::SeqPacket, kind::Datagram>();
        is_not::<kind::Datagram, kind::Stream>();
    });
}

#[test]
fn descriptor_is_taken_and_given_as_it_is() {
    fn is_taken<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let number = here.as_fd().as_raw_fd();
        let fd = OwnedFd::from(here);
        assert_eq!(fd.as_raw_fd(), number);
        assert!(rustix::io::fcntl_getfd(&fd).is_ok(), "still open");
        let here = Socket::<K>::try_from(fd).unwrap();
        assert_eq!(here.as_fd().as_raw_fd(), number);
        K::send(&here, b"as before").unwrap();
        assert_eq!(K::receive(&there).unwrap(), b"as before");
    }
    isolated(|| each!(is_taken: Stream, SeqPacket, Datagram));
}

#[test]
fn standard_librarys_sockets_convert_both_ways() {
    isolated(|| {
        use std::io::{Read as _, Write as _};
        use std::os::unix::net::{UnixDatagram, UnixStream};
        let (here, there) = UnixStream::pair().unwrap();
        let here = Stream::try_from(OwnedFd::from(here)).unwrap();
        let there = Stream::try_from(OwnedFd::from(there)).unwrap();
        let mut there = UnixStream::from(OwnedFd::from(there));
        here.write_all(b"to std").unwrap();
        let mut buffer = [0; 6];
        there.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"to std");
        there.write_all(b"from std").unwrap();
        assert_eq!(here.read(&mut [0; 16]).unwrap(), b"from std");

        let (here, there) = UnixDatagram::pair().unwrap();
        there.send(b"from std").unwrap();
        let here = Datagram::try_from(OwnedFd::from(here)).unwrap();
        assert_eq!(whole(here.receive(&mut [0; 16]).unwrap()), b"from std");
    });
}

#[test]
fn peer_credentials_are_of_who_made_the_pair_wherever_it_is() {
    fn are<K: Talk>() {
        let (here, there) = Socket::<K>::pair().unwrap();
        let maker = Credentials::own();
        assert_eq!(maker.pid, Some(process::id()));
        assert_eq!([here.peer_credentials(), there.peer_credentials()], [Ok(maker); 2]);
        let (here, other) = apart(here, there, |there| {
            assert_ne!(Credentials::own(), maker);
            assert_eq!(there.peer_credentials(), Ok(maker));
        });
        join(other);
        assert_eq!(here.peer_credentials(), Ok(maker));
    }
    isolated(|| each!(are: Stream, SeqPacket, Datagram));
}

#[test]
fn end_is_readable_for_poll_when_something_is_there() {
    fn is_readable<K: Talk>() {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let (here, there) = Socket::<K>::pair().unwrap();
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let readable = || poll(&mut [PollFd::new(&there, PollFlags::IN)], Some(&now)).unwrap();
        assert_eq!(readable(), 0);
        K::send(&here, b"x").unwrap();
        assert_eq!(readable(), 1);
    }
    isolated(|| each!(is_readable: Stream, SeqPacket, Datagram));
}

// The standard library's traits.

#[cfg(feature = "std")]
#[test]
fn standard_read_and_write_are_there_for_streams() {
    isolated(|| {
        use std::io::{BufRead as _, BufReader, IoSliceMut, Read, Write};
        let (mut here, mut there) = Stream::pair().unwrap();
        assert_eq!(Write::write(&mut here, b"value").unwrap(), 5);
        assert_eq!(Write::write(&mut &here, b" and reference").unwrap(), 14);
        here.flush().unwrap();
        let mut buffer = [0; 32];
        assert_eq!(Read::read(&mut there, &mut buffer[..5]).unwrap(), 5);
        assert_eq!(Read::read(&mut &there, &mut buffer[5..]).unwrap(), 14);
        assert_eq!(&buffer[..19], b"value and reference");

        let buffers = [IoSlice::new(b"head"), IoSlice::new(b"body")];
        assert_eq!(here.write_vectored(&buffers).unwrap(), 8);
        let (mut head, mut body) = ([0; 4], [0; 16]);
        let mut buffers = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut body)];
        assert_eq!(there.read_vectored(&mut buffers).unwrap(), 8);
        assert_eq!((&head, &body[..4]), (b"head", &b"body"[..]));

        writeln!(here, "a line\nand another").unwrap();
        drop(here);
        let lines: Vec<_> = BufReader::new(there).lines().map(Result::unwrap).collect();
        assert_eq!(lines, ["a line", "and another"]);
    });
}

#[cfg(feature = "std")]
#[test]
fn standard_write_raises_no_sigpipe() {
    isolated(|| {
        use std::io::{ErrorKind, Write as _};
        join(child(|| {
            sigpipe_at_default();
            let (here, there) = Stream::pair().unwrap();
            drop(there);
            let mut here = here;
            let write = std::io::Write::write(&mut here, b"x");
            assert_eq!(write.unwrap_err().kind(), ErrorKind::BrokenPipe);
            let write = here.write_vectored(&[IoSlice::new(b"x")]);
            assert_eq!(write.unwrap_err().kind(), ErrorKind::BrokenPipe);
            let write = here.write_fmt(format_args!("{}", 1));
            assert_eq!(write.unwrap_err().kind(), ErrorKind::BrokenPipe);
        }));
    });
}

#[cfg(feature = "std")]
#[test]
fn standard_vectored_write_takes_some_of_more_than_1024_buffers() {
    isolated(|| {
        use std::io::Write as _;
        let (mut here, there) = Stream::pair().unwrap();
        let buffers = vec![IoSlice::new(b"x"); 1025];
        let taken = here.write_vectored(&buffers).unwrap();
        assert!(0 < taken && taken <= 1025, "{taken}");
        drop(here);
        assert_eq!(there.read_all(&mut [0; 2000]).unwrap().len(), taken);
    });
}

#[cfg(feature = "std")]
#[test]
fn standard_loops_go_on_after_signals() {
    const LEN: usize = 4 << 20;
    isolated(|| {
        use std::io::{Read as _, Write as _};
        let (here, there) = Stream::pair().unwrap();
        let (mut here, writer) = apart(here, there, |mut there| {
            let _interruptions = Interruptions::start();
            std::io::Write::write_all(&mut there, &pattern(LEN)).unwrap();
            there.flush().unwrap();
        });
        interrupted_in(&writer, &SEND);
        let _interruptions = Interruptions::start();
        let mut received = vec![0; LEN];
        here.read_exact(&mut received).unwrap();
        assert!(received == pattern(LEN));
        assert_eq!(here.read_to_end(&mut received).unwrap(), 0);
        join_interrupted(writer);
    });
}

/// As [`join`], where a signal may come in between.
#[cfg(feature = "std")]
fn join_interrupted(mut child: Child) {
    let status = loop {
        match child.wait_until(Deadline::after(SOON)) {
            Err(Errno::INTR) => {}
            answer => break answer,
        }
    };
    assert_eq!(status, Ok(ExitStatus::Exited(0)));
}

#[cfg(feature = "std")]
#[test]
fn standard_errors_say_which_kind() {
    isolated(|| {
        use std::io::{ErrorKind, Read as _, Write as _};
        let (mut here, there) = Stream::pair_with(SocketFlags::NONBLOCK).unwrap();
        let empty = here.read_exact(&mut [0; 4]).unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::WouldBlock);
        kind::Stream::fill(&here);
        let full = std::io::Write::write(&mut here, b"x").unwrap_err();
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        there.set_nonblocking(false).unwrap();
        here.set_nonblocking(false).unwrap();
        let _interruptions = Interruptions::start();
        let interrupted = std::io::Read::read(&mut here, &mut [0]).unwrap_err();
        assert_eq!(interrupted.kind(), ErrorKind::Interrupted);
        let interrupted = here.write_vectored(&[IoSlice::new(b"x")]).unwrap_err();
        assert_eq!(interrupted.kind(), ErrorKind::Interrupted);
    });
}
