//! Queues over bytes that nobody who keeps to the protocol has written: no call panics, none waits
//! beyond its deadline.

mod support;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use rawipc::Deadline;
use rawipc::process::Child;
use rawipc::queue::{Mpmc, Spsc};
use rawipc::shm::{Plain, Shared, ShmSafe};
use rawipc::zerocopy::FromZeros;
use support::crowd::at_once;
use support::queues::restored;
use support::shared::{shared, words};
use support::{child, isolated, join};

const N: usize = 4;

fn soon() -> Deadline {
    Deadline::after(Duration::from_micros(50))
}

/// Every call that may be made of whatever bytes are there.
trait Callable: ShmSafe {
    fn call_all(&self);
    fn close_and_call_all(&self);
}

impl<T: Plain + Send> Callable for Spsc<T, N> {
    fn call_all(&self) {
        let mut producer = self.producer().unwrap_or_else(|| self.reclaim_producer());
        let mut consumer = self.consumer().unwrap_or_else(|| self.reclaim_consumer());
        let (value, mut room) = (T::new_zeroed(), [T::new_zeroed(); 6]);
        for _ in 0..2 {
            let _ = at_once(|| producer.try_push(value));
            let _ = at_once(|| producer.push_until(value, soon()));
            let _ = at_once(|| producer.try_push_slice(&room));
            let _ = at_once(|| producer.push_slice_until(&room, soon()));
            if let Ok(mut chunk) = at_once(|| producer.reserve_until(3, soon())) {
                assert!(chunk.len() <= 3);
                chunk.slots().for_each(|mut slot| slot.write(value));
                let _ = at_once(|| chunk.commit(2));
            }
            assert!(self.len() <= N);
            let _ = (self.is_empty(), self.is_closed(), format!("{self:?} {producer:?}"));
        }
        for _ in 0..2 {
            let _ = at_once(|| consumer.try_pop().ok());
            let _ = at_once(|| consumer.pop_until(soon()).ok());
            let popped = at_once(|| consumer.try_pop_slice(&mut room).map(|all| all.len()));
            assert!(popped.is_err() || popped.is_ok_and(|count| count <= N));
            let _ = at_once(|| consumer.pop_slice_until(&mut room, soon()).map(drop));
            if let Ok(chunk) = at_once(|| consumer.read_until(3, soon())) {
                assert!(chunk.len() <= 3 && chunk.slots().count() == chunk.len());
                chunk.slots().for_each(|slot| _ = slot.read());
                chunk.release(2);
            }
            // (Endless, if somebody goes on writing that there is something.)
            let _ = at_once(|| consumer.drain().take(100).count());
            let _ = format!("{consumer:?}");
        }
    }

    fn close_and_call_all(&self) {
        self.close();
        self.call_all();
    }
}

impl<T: Plain + Send> Callable for Mpmc<T, N> {
    fn call_all(&self) {
        let (value, mut room) = (T::new_zeroed(), [T::new_zeroed(); 6]);
        for _ in 0..2 {
            let _ = at_once(|| self.try_push(value));
            let _ = at_once(|| self.push_until(value, soon()));
            let _ = at_once(|| self.try_push_slice(&room));
            let _ = at_once(|| self.push_slice_until(&room, soon()));
            assert!(self.len() <= N);
            let _ = (self.is_empty(), self.is_closed(), format!("{self:?}"));
            let _ = at_once(|| self.try_pop().ok());
            let _ = at_once(|| self.pop_until(soon()).ok());
            let popped = at_once(|| self.try_pop_slice(&mut room).map(|all| all.len()));
            assert!(popped.is_err() || popped.is_ok_and(|count| count <= N));
            let _ = at_once(|| self.pop_slice_until(&mut room, soon()).map(drop));
            let _ = at_once(|| self.drain().take(100).count());
        }
    }

    fn close_and_call_all(&self) {
        self.close();
        self.call_all();
    }
}

/// Numbers that look random, and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Something, and more often than by chance something that means something there.
    fn instead_of(&mut self, word: u32) -> u32 {
        let next = self.next();
        let random = u32::try_from(next & u64::from(u32::MAX)).expect("32 bits");
        match next >> 61 {
            0 => random,
            1 => 0,
            2 => word.wrapping_add(1),
            3 => word.wrapping_sub(1),
            4 => word ^ 1 << (random % 32),
            5 => u32::MAX,
            _ => random % 8,
        }
    }
}

/// Writes here and there without a pause, until it is told to stop.
fn vandal(words: &[AtomicU32], stop: &AtomicU32) -> Child {
    child(|| {
        let mut numbers = Numbers(8);
        while stop.load(Relaxed) == 0 {
            let at = usize::try_from(numbers.next() % words.len() as u64).expect("an index");
            words[at].store(numbers.instead_of(words[at].load(Relaxed)), Relaxed);
        }
    })
}

/// Behind this are positions and slots.
const GATE: usize = 128 / 4;

fn over_changing_bytes<Q: Callable + FromZeros>(first_word: usize) {
    let (queue, stop) = (shared(Q::new_zeroed()), shared(AtomicU32::new(0)));
    let calls = if cfg!(debug_assertions) { 200 } else { 1000 };
    let vandal = vandal(&words(&queue)[first_word..], &stop);
    (0..calls).for_each(|_| queue.call_all());
    (0..calls / 4).for_each(|_| queue.close_and_call_all());
    stop.store(1, Relaxed);
    join(vandal);
    queue.call_all();
    works_when_put_back(&queue);
}

fn works_when_put_back<Q: Callable + FromZeros>(queue: &Shared<Q>) {
    for word in words(queue) {
        word.store(0, Relaxed);
    }
    queue.call_all();
    queue.close_and_call_all();
}

macro_rules! hostile_peer {
    ($($name:ident: $type:ty),*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn a_peer_that_writes_anything_anywhere_does_no_harm() {
                isolated(|| over_changing_bytes::<$type>(0));
            }

            #[test]
            fn a_peer_that_writes_anything_into_positions_and_slots_does_no_harm() {
                isolated(|| over_changing_bytes::<$type>(GATE));
            }
        }
    )*};
}
hostile_peer! {
    spsc_of_words: Spsc<u64, N>, spsc_of_long_ones: Spsc<[u64; 80], N>,
    mpmc_of_words: Mpmc<u64, N>, mpmc_of_long_ones: Mpmc<[u64; 80], N>
}

/// Words of any value, but positions that are not far from each other, and slots that say what they
/// may say at such a position.
fn images<Q>() -> impl Strategy<Value = Vec<u64>> {
    let (tail, head, slots, slot) = (128 / 8, 256 / 8, 384 / 8, 2);
    let number = || prop_oneof![Just(0), Just(u64::MAX), Just(1 << 63), any::<u64>(), 0..20_u64];
    let little = || prop_oneof![4 => 0..12_u64, 1 => any::<u64>()];
    let gate = vec(prop_oneof![3 => 0..3_u64, 1 => any::<u64>()], tail);
    let len = size_of::<Q>() / 8;
    (gate, number(), vec(little(), len - tail)).prop_map(move |(mut image, base, rest)| {
        image.extend(rest);
        for position in [tail, head] {
            image[position] = image[position].wrapping_add(base);
        }
        for turn in (slots..len).step_by(slot) {
            // Of four slots, numbered from the position or from twice as much: near enough.
            image[turn] = (base >> 2).wrapping_add(image[turn]).wrapping_sub(2);
        }
        image
    })
}

fn any_bytes_can_be_called<Q: Callable>(image: &[u64]) {
    // Each once, and once closed.
    restored::<Q>(image).call_all();
    let queue = restored::<Q>(image);
    queue.close_and_call_all();
    queue.call_all();
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: if cfg!(debug_assertions) { 100 } else { 500 },
        // What is late takes long, again and again.
        max_shrink_iters: 10,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_are_an_spsc(image in images::<Spsc<u64, N>>()) {
        any_bytes_can_be_called::<Spsc<u64, N>>(&image);
    }

    #[test]
    fn any_bytes_are_an_mpmc(image in images::<Mpmc<u64, N>>()) {
        any_bytes_can_be_called::<Mpmc<u64, N>>(&image);
    }
}
