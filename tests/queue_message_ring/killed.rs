//! Who is killed, at any moment, has pushed a message or not, and popped it or not.
//!
//! What a killed process leaves is what is in the memory: so it is enough to look after each
//! instruction that changes it.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rawipc::Deadline;
use rawipc::queue::MessageProducer;
use rawipc::shm::Shared;
use rawipc::zerocopy::FromBytes;

use crate::support::shared::shared;
use crate::support::step::Stepped;
use crate::support::{child, isolated, kill, soon};
use crate::{HEAD, Numbers, STORAGE, Small, TAIL, drained, ring_at, ring_of};

type Bytes = [u64; size_of::<Small>() / 8];

fn bytes(ring: &Small) -> Bytes {
    // SAFETY: of that size and aligned to more; any bytes are words; and whoever else could write
    // there is stopped.
    unsafe { core::ptr::from_ref(ring).cast::<Bytes>().read_volatile() }
}

fn restored(bytes: &Bytes) -> Shared<Small> {
    let bytes: Vec<u8> = bytes.iter().flat_map(|word| word.to_ne_bytes()).collect();
    shared(Small::read_from_bytes(&bytes).expect("as many"))
}

/// All that is in the memory while another process does that; nothing where processes may not be
/// traced.
fn states<T>(
    ring: &Small,
    prepare: impl Fn(&'static Small) -> T,
    act: impl Fn(&mut T),
) -> Vec<Bytes> {
    // SAFETY: the memory is mapped until the process is killed.
    let ring: &'static Small = unsafe { &*core::ptr::from_ref(ring) };
    let mut all = vec![];
    let Some(stepped) = Stepped::start(|| prepare(ring), |prepared| act(prepared)) else {
        return all;
    };
    all.push(bytes(ring));
    while stepped.step() {
        let now = bytes(ring);
        if all.last() != Some(&now) {
            all.push(now);
        }
    }
    assert!(all.len() > 2, "it takes some stores: {}", all.len());
    all
}

/// Pushes one behind the others with a ring that has come to that position: it is there or not.
fn producer_is(at: u64, push: fn(&mut MessageProducer<'static, 256>, &[u8])) {
    // Of bytes that could be headers, but for the one that says that there is none.
    let nothing = STORAGE + usize::try_from(at % 256).expect("small");
    let bytes = (STORAGE..STORAGE + 256).step_by(8).map(|offset| (offset, 5));
    let words: Vec<_> = bytes.chain([(TAIL, at), (HEAD, at), (nothing, 0)]).collect();
    let ring = shared(ring_of::<256>(&words));
    ring.producer().unwrap().push(b"the one before").unwrap();
    let prepare = |ring: &'static Small| ring.producer().expect("the role");
    let message = [0x5a; 77];
    let mut is_there = vec![];
    let states = states(&ring, prepare, |producer| push(producer, &message));
    for state in &states {
        let found = drained(&restored(state));
        is_there.push(found.len() == 2);
        let ring = restored(state);
        let mut producer = ring.reclaim_producer();
        producer.push(b"the one behind").expect("room");
        drop(producer);
        ring.reclaim_producer().push(&[9; 60]).expect("room");
        let all = drained(&ring);
        let expected = [b"the one before", &message[..], b"the one behind", &[9; 60]];
        let expected =
            expected.iter().filter(|one| is_there[is_there.len() - 1] || **one != message);
        assert!(all.iter().eq(expected), "{all:?}");
        assert!(ring.is_empty());
    }
    assert!(is_there.is_sorted(), "once it is there, it stays: {is_there:?}");
    if !states.is_empty() {
        assert_eq!((is_there.first(), is_there.last()), (Some(&false), Some(&true)));
    }
}

fn push(producer: &mut MessageProducer<'static, 256>, message: &[u8]) {
    producer.push(message).expect("room");
}

fn commit(producer: &mut MessageProducer<'static, 256>, message: &[u8]) {
    let mut reservation = producer.reserve(message.len() + 9).expect("room");
    reservation.copy_in(0, message).expect("within");
    reservation.commit(message.len()).expect("not closed");
}

#[test]
fn a_push_is_all_or_nothing() {
    isolated(|| producer_is(0, push));
}

#[test]
fn a_push_that_passes_over_the_end_is_all_or_nothing() {
    isolated(|| producer_is(u64::MAX - 255 + 192, push));
}

#[test]
fn a_commit_is_all_or_nothing() {
    isolated(|| {
        producer_is(0, commit);
        producer_is(192, commit);
    });
}

#[test]
fn a_producer_that_was_killed_while_it_was_put_in_order_is_none() {
    isolated(|| {
        // Pushed, and not said so.
        let ring = shared(ring_of::<256>(&[(STORAGE, 4), (STORAGE + 8, 0x10203)]));
        for state in states(&ring, |ring| ring, |ring| core::mem::forget(ring.reclaim_producer())) {
            let ring = restored(&state);
            ring.reclaim_producer().push(b"next").expect("room");
            let all = drained(&ring);
            assert_eq!((all.len(), &all[0][..], &all[1][..]), (2, &[3, 2, 1][..], &b"next"[..]));
        }
    });
}

#[test]
fn what_is_popped_is_there_until_it_is_released() {
    isolated(|| {
        let ring = shared(ring_at::<256>(160));
        for message in [&[1; 40][..], &[2; 77], &[3; 5]] {
            ring.reclaim_producer().push(message).unwrap();
        }
        let prepare = |ring: &'static Small| ring.consumer().expect("the role");
        let mut left = vec![];
        for state in states(&ring, prepare, |consumer| {
            assert_eq!(consumer.pop(&mut [0; 100]).unwrap(), [1; 40]);
            assert_eq!(consumer.pop(&mut [0; 100]).unwrap(), [2; 77]);
        }) {
            let ring = restored(&state);
            let all = drained(&ring);
            let expected = [vec![1; 40], vec![2; 77], vec![3; 5]];
            assert_eq!(all, expected[3 - all.len()..]);
            left.push(all.len());
        }
        assert!(left.is_sorted_by(|before, after| before >= after), "{left:?}");
        assert!(left.is_empty() || left.contains(&3) && left.last() == Some(&1), "{left:?}");
    });
}

/// The first eight bytes of a message are its number; what follows is of that number too.
fn numbered(number: u64) -> Vec<u8> {
    let [more, ..] = Numbers(number).next().to_le_bytes();
    [&number.to_ne_bytes()[..], &vec![number.to_le_bytes()[0]; usize::from(more % 100)]].concat()
}

fn number_of(message: &[u8]) -> u64 {
    let number = u64::from_ne_bytes(message[..8].try_into().expect("eight bytes"));
    assert_eq!(message, numbered(number));
    number
}

const ROUNDS: u64 = 60;

#[test]
fn a_stream_goes_on_behind_a_producer_that_was_killed() {
    isolated(|| {
        // How many it says it has pushed.
        let (ring, pushed) = (shared(Small::new()), shared(AtomicU64::new(0)));
        let mut consumer = ring.consumer().expect("the role");
        let mut popped = 0;
        let mut pop = |by: Deadline| {
            let mut buffer = [0; 120];
            let number = number_of(consumer.pop_until(&mut buffer, by).ok()?);
            assert_eq!(number, popped);
            popped = number + 1;
            Some(popped)
        };
        for round in 0..ROUNDS {
            let producer = child(|| {
                let mut producer = ring.reclaim_producer();
                for number in pushed.load(Relaxed).. {
                    producer.push(&numbered(number)).unwrap();
                    pushed.store(number + 1, Relaxed);
                }
            });
            let mut last = None;
            for _ in 0..Numbers(round).next() % 500 {
                last = pop(soon());
                assert!(last.is_some());
            }
            kill(producer);
            while let Some(number) = pop(Deadline::now()) {
                last = Some(number);
            }
            // Of the last one, the child may not have said it any more.
            let said = pushed.load(Relaxed);
            let last = last.unwrap_or(said);
            assert!(last == said || last == said + 1, "{last} instead of {said}");
            pushed.store(last, Relaxed);
        }
    });
}

#[test]
fn a_stream_goes_on_behind_a_consumer_that_was_killed() {
    isolated(|| {
        let (ring, popped) = (shared(Small::new()), shared(AtomicU64::new(0)));
        let mut producer = ring.producer().expect("the role");
        let mut number = 0;
        for round in 0..ROUNDS {
            let consumer = child(|| {
                let mut consumer = ring.reclaim_consumer();
                loop {
                    let message = consumer.pop(&mut [0; 120]).map(|message| number_of(message));
                    let (found, expected) = (message.unwrap(), popped.load(Relaxed));
                    // The first one may have been popped by who was killed before it said so.
                    assert!(found == expected || found == expected + 1, "{found}, not {expected}");
                    popped.store(found + 1, Relaxed);
                }
            });
            for _ in 0..Numbers(round).next() % 500 {
                producer.push_until(&numbered(number), soon()).expect("room");
                number += 1;
            }
            kill(consumer);
        }
        let left = drained(&ring);
        assert_eq!(left.last().map_or(number, |last| number_of(last) + 1), number);
    });
}
