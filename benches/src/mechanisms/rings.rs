//! The crate's queues, whose users wait in the crate's own way. All have 256 KiB, or 512 for the
//! longest messages.

use core::error::Error;

use rawipc::queue::{
    Consumer, MessageConsumer, MessageProducer, MessageRing, Mpmc, Producer, Spsc,
};
use rawipc::shm::{Shared, ShmSafe};
use rawipc::zerocopy::{FromBytes as _, IntoBytes as _};

use super::contender::{Opened, Task};
use super::pair::{End, Pair};

/// Memory that those share who are started from now on, to the end of all.
pub(super) fn room<T: ShmSafe>() -> Result<&'static T, Box<dyn Error>> {
    Ok(leak(Shared::<T>::anonymous_zeroed()?))
}

/// Not dropped by this process when another one has it, which never drops anything.
pub(super) fn leak<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

/// A message of so many words, as the value that it is in a queue.
type Words<const W: usize> = [u64; W];

/// Up to so many words are best pushed and popped as values, and more from where they lie.
const FEW: usize = 8;

struct SpscEnds<const W: usize, const N: usize> {
    to: &'static mut Producer<'static, Words<W>, N>,
    from: &'static mut Consumer<'static, Words<W>, N>,
}

impl<const W: usize, const N: usize> End for SpscEnds<W, N> {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        if W <= FEW {
            self.to.push(Words::read_from_bytes(message).expect("words")).expect("open");
        } else {
            let message = Words::ref_from_bytes(message).expect("words");
            self.to.push_slice(core::slice::from_ref(message)).expect("open");
        }
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        if W <= FEW {
            self.from.pop().expect("open").write_to(into).expect("words");
        } else {
            let into = Words::mut_from_bytes(into).expect("words");
            let popped = self.from.pop_slice(core::slice::from_mut(into)).expect("open");
            assert_eq!(popped.len(), 1, "it waits for one");
        }
    }
}

pub(super) fn spsc(task: Task) -> Opened {
    fn of<const W: usize, const N: usize>(task: Task) -> Opened {
        let (there, back) = (room::<Spsc<Words<W>, N>>()?, room::<Spsc<Words<W>, N>>()?);
        let producer = |queue: &'static Spsc<_, _>| leak(queue.producer().expect("its first"));
        let consumer = |queue: &'static Spsc<_, _>| leak(queue.consumer().expect("its first"));
        let home = SpscEnds { to: producer(there), from: consumer(back) };
        let away = SpscEnds { to: producer(back), from: consumer(there) };
        Pair::open(task, || home, || away)
    }
    match task.bytes {
        8 => of::<1, 16384>(task),
        64 => of::<8, 4096>(task),
        4096 => of::<512, 64>(task),
        65536 => of::<8192, 8>(task),
        _ => Err(NO_SUCH.into()),
    }
}

const NO_SUCH: &str = "no queue of such messages";

struct MpmcEnds<const W: usize, const N: usize> {
    to: &'static Mpmc<Words<W>, N>,
    from: &'static Mpmc<Words<W>, N>,
}

impl<const W: usize, const N: usize> End for MpmcEnds<W, N> {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        if W <= FEW {
            self.to.push(Words::read_from_bytes(message).expect("words")).expect("open");
        } else {
            let message = Words::ref_from_bytes(message).expect("words");
            self.to.push_slice(core::slice::from_ref(message)).expect("open");
        }
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        if W <= FEW {
            self.from.pop().expect("open").write_to(into).expect("words");
        } else {
            let into = Words::mut_from_bytes(into).expect("words");
            let popped = self.from.pop_slice(core::slice::from_mut(into)).expect("open");
            assert_eq!(popped.len(), 1, "it waits for one");
        }
    }
}

pub(super) fn mpmc(task: Task) -> Opened {
    fn of<const W: usize, const N: usize>(task: Task) -> Opened {
        let (there, back) = (room::<Mpmc<Words<W>, N>>()?, room::<Mpmc<Words<W>, N>>()?);
        let home = MpmcEnds { to: there, from: back };
        let away = MpmcEnds { to: back, from: there };
        Pair::open(task, || home, || away)
    }
    match task.bytes {
        8 => of::<1, 16384>(task),
        64 => of::<8, 4096>(task),
        4096 => of::<512, 64>(task),
        65536 => of::<8192, 8>(task),
        _ => Err(NO_SUCH.into()),
    }
}

struct RingEnds<const BYTES: usize> {
    to: &'static mut MessageProducer<'static, BYTES>,
    from: &'static mut MessageConsumer<'static, BYTES>,
}

impl<const BYTES: usize> End for RingEnds<BYTES> {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        self.to.push(message).expect("open");
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        let whole = into.len();
        assert_eq!(self.from.pop(into).expect("open").len(), whole, "all of it");
    }
}

pub(super) fn message_ring(task: Task) -> Opened {
    fn of<const BYTES: usize>(task: Task) -> Opened {
        let (there, back) = (room::<MessageRing<BYTES>>()?, room::<MessageRing<BYTES>>()?);
        let producer = |ring: &'static MessageRing<_>| leak(ring.producer().expect("its first"));
        let consumer = |ring: &'static MessageRing<_>| leak(ring.consumer().expect("its first"));
        let home = RingEnds { to: producer(there), from: consumer(back) };
        let away = RingEnds { to: producer(back), from: consumer(there) };
        Pair::open(task, || home, || away)
    }
    if task.bytes <= 4096 { of::<{ 256 << 10 }>(task) } else { of::<{ 512 << 10 }>(task) }
}
