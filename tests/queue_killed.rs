//! One who is killed at the end of a queue, after any instruction: the next one goes on where that
//! one has stopped.
//!
//! What a killed process leaves is what is in the memory. So it is enough to look after each
//! instruction that changes the memory: after any other, it leaves the same.

mod support;

use core::fmt::Debug;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use rawipc::Deadline;
use rawipc::queue::{Closed, Consumer, Mpmc, PopError, Producer, PushError, Spsc};
use rawipc::shm::{Plain, Shared, ShmSafe};
use support::crowd::{asleep, at_once};
use support::queues::{image, nth, restored};
use support::shared::shared;
use support::step::Stepped;
use support::{isolated, join, kill, soon, wait};

const N: usize = 4;
type Queue<T> = Spsc<T, N>;

/// At how many places somebody is really killed; everywhere else it is what would be left.
const KILLS: usize = if cfg!(debug_assertions) { 4 } else { 100 };

/// All that is in the memory while a process takes its steps, and after how many of them.
fn changes<Q: ShmSafe>(queue: &Q, stepped: &Stepped) -> Vec<(usize, Vec<u64>)> {
    let mut all = vec![(0, image(queue))];
    let mut steps = 0;
    while stepped.step() {
        steps += 1;
        let now = image(queue);
        if all.last().is_some_and(|(_, last)| *last != now) {
            all.push((steps, now));
        }
    }
    all
}

/// What is left by those who are killed while they `act`, one after each change that they make, in
/// that order. None where processes may not be traced.
fn left_behind<Q: ShmSafe, R>(
    before: &[u64],
    prepare: impl Fn(&'static Q) -> R,
    act: impl Fn(&mut R),
) -> Option<Vec<Vec<u64>>> {
    let start = |memory: &Shared<Q>| {
        // SAFETY: the memory is mapped until the process is killed.
        let queue: &'static Q = unsafe { &*core::ptr::from_ref::<Q>(memory) };
        Stepped::start(|| prepare(queue), |role| act(role))
    };
    let memory = restored::<Q>(before);
    let stepped = start(&memory)?;
    let all = changes(&*memory, &stepped);
    drop(stepped);
    for (steps, left) in all.iter().step_by(all.len().div_ceil(KILLS)) {
        let memory = restored::<Q>(before);
        let stepped = start(&memory).expect("as before");
        assert!(stepped.steps(*steps));
        drop(stepped);
        assert_eq!(image(&*memory), *left, "what one leaves that is killed here");
    }
    Some(all.into_iter().map(|(_, left)| left).collect())
}

/// A queue from whose beginning some have gone already, with so many in it.
fn with<T: Plain + Send>(count: usize) -> Vec<u64> {
    let queue = shared(Queue::<T>::new());
    let mut producer = queue.producer().expect("the role");
    producer.push_slice(&[T::new_zeroed(); 3]).expect("room");
    queue.consumer().expect("the role").drain().for_each(drop);
    for number in 0..count {
        producer.push(nth(number as u64)).expect("room");
    }
    drop(producer);
    image(&*queue)
}

fn values<T: Plain>(numbers: core::ops::Range<u64>) -> Vec<T> {
    numbers.map(nth).collect()
}

/// One is killed who pushes `count` values in some way, behind two others: what is there of them is
/// a part from the beginning, and whole, and the next one goes on behind that.
fn killed_while_pushing<T: Plain + Send + Debug + PartialEq>(
    count: usize,
    push: fn(&mut Producer<'static, T, N>, &[T]),
) {
    let new = values::<T>(2..2 + count as u64);
    let prepare = |queue: &'static Queue<T>| queue.producer().expect("the role");
    let Some(all) = left_behind(&with::<T>(2), prepare, |role| push(role, &new)) else { return };
    let mut pushed = Vec::new();
    for left in &all {
        let queue = restored::<Queue<T>>(left);
        assert!(queue.producer().is_none());
        let mut consumer = queue.consumer().expect("the role");
        // First who only pops: all that is there, at once, as ever.
        let found: Vec<_> = consumer.drain().collect();
        assert_eq!(found, values(0..found.len() as u64));
        assert!((2..=2 + count).contains(&found.len()));
        pushed.push(found.len() - 2);
        let next = found.len() as u64;
        goes_on(&queue, &mut queue.reclaim_producer(), &mut consumer, next);

        // And then who pushes before anybody pops.
        let queue = restored::<Queue<T>>(left);
        let mut producer = queue.reclaim_producer();
        assert_eq!(queue.len(), found.len());
        if found.len() == N {
            assert_eq!(producer.try_push(nth(9)), Err(PushError::Full(nth(9))));
        } else {
            assert_eq!(producer.try_push(nth(next)), Ok(()));
        }
        let expected = values(0..(next + 1).min(N as u64));
        let mut consumer = queue.consumer().expect("the role");
        assert_eq!(consumer.drain().collect::<Vec<T>>(), expected);
        goes_on(&queue, &mut producer, &mut consumer, expected.len() as u64);
        drop(producer);
        assert!(queue.producer().is_some());
    }
    assert!(pushed.is_sorted(), "once it is there, it stays: {pushed:?}");
    assert_eq!((pushed[0], *pushed.last().expect("some")), (0, count));
    assert!((0..=count).all(|part| pushed.contains(&part)), "{pushed:?}");
}

/// A stream through an empty queue.
#[track_caller]
fn goes_on<T: Plain + Send + Debug + PartialEq>(
    queue: &Queue<T>,
    producer: &mut Producer<'_, T, N>,
    consumer: &mut Consumer<'_, T, N>,
    first: u64,
) {
    assert_eq!((consumer.try_pop(), queue.len()), (Err(PopError::Empty), 0));
    for number in first..first + 3 * N as u64 {
        assert_eq!(producer.try_push(nth(number)), Ok(()));
        assert_eq!(consumer.try_pop(), Ok(nth(number)));
    }
    let slice = values(0..N as u64 + 1);
    assert_eq!(producer.try_push_slice(&slice), Ok(N));
    assert_eq!(queue.len(), N);
    assert_eq!(consumer.drain().collect::<Vec<T>>(), slice[..N]);
}

fn push_one<T: Plain + Send>(producer: &mut Producer<'static, T, N>, values: &[T]) {
    assert!(producer.try_push(values[0]).is_ok());
}

fn push_slice<T: Plain + Send>(producer: &mut Producer<'static, T, N>, values: &[T]) {
    assert_eq!(producer.push_slice(values), Ok(values.len()));
}

fn commit<T: Plain + Send>(producer: &mut Producer<'static, T, N>, values: &[T]) {
    let mut chunk = producer.reserve(N).expect("room");
    chunk.slots().zip(values).for_each(|(mut slot, &value)| slot.write(value));
    assert_eq!(chunk.commit(values.len()), Ok(values.len()));
}

#[test]
fn who_is_killed_while_it_pushes_one_has_pushed_it_or_not() {
    isolated(|| {
        killed_while_pushing::<u64>(1, push_one);
        killed_while_pushing::<[u8; 9]>(1, push_one);
        killed_while_pushing::<[u64; 7]>(1, push_one);
        killed_while_pushing::<[u8; 600]>(1, push_one);
    });
}

#[test]
fn who_is_killed_while_it_pushes_a_slice_has_pushed_a_part_from_its_beginning() {
    isolated(|| {
        killed_while_pushing::<u64>(2, push_slice);
        killed_while_pushing::<[u8; 9]>(2, push_slice);
    });
}

#[test]
fn who_is_killed_while_it_commits_has_pushed_a_part_from_the_beginning() {
    isolated(|| {
        killed_while_pushing::<u64>(2, commit);
        killed_while_pushing::<[u128; 3]>(2, commit);
    });
}

/// Killed before it begins, and before it has had the role for a moment.
#[test]
fn who_is_killed_while_it_takes_the_role_leaves_it_to_be_reclaimed() {
    isolated(|| {
        let prepare = |queue: &'static Queue<u64>| (queue, None);
        let take = |(queue, role): &mut (&'static Queue<u64>, Option<_>)| *role = queue.producer();
        let Some(all) = left_behind(&with::<u64>(2), prepare, take) else { return };
        let take = |(queue, role): &mut (&'static Queue<u64>, Option<_>)| *role = queue.consumer();
        let prepare = |queue: &'static Queue<u64>| (queue, None);
        let consumers = left_behind(&with::<u64>(2), prepare, take).expect("as before");
        assert!(all.len() > 1 && consumers.len() > 1);
        for left in all.iter().chain(&consumers) {
            let queue = restored::<Queue<u64>>(left);
            let mut producer = queue.reclaim_producer();
            let mut consumer = queue.reclaim_consumer();
            assert!(consumer.drain().eq([nth(0), nth(1)]));
            goes_on(&queue, &mut producer, &mut consumer, 2);
        }
    });
}

/// One is killed who pops some of four: either they are all there again, or none is.
fn killed_while_popping<T: Plain + Send + Debug + PartialEq>(
    count: usize,
    pop: fn(&mut Consumer<'static, T, N>),
) {
    let prepare = |queue: &'static Queue<T>| queue.consumer().expect("the role");
    let Some(all) = left_behind(&with::<T>(N), prepare, pop) else { return };
    let mut popped = Vec::new();
    for left in &all {
        let queue = restored::<Queue<T>>(left);
        assert!(queue.consumer().is_none());
        // First who only pushes: as many as have been popped.
        let mut producer = queue.producer().expect("the role");
        let mut values_after = values::<T>(0..2 * N as u64);
        values_after.drain(..N);
        let room = producer.try_push_slice(&values_after).unwrap_or_default();
        assert!(room == 0 || room == count, "{room}");
        popped.push(room);
        let mut consumer = queue.reclaim_consumer();
        let found: Vec<_> = consumer.drain().collect();
        assert_eq!(found, values((room as u64)..(N + room) as u64));
        goes_on(&queue, &mut producer, &mut consumer, 0);

        // And then who pops before anybody pushes.
        let queue = restored::<Queue<T>>(left);
        let mut consumer = queue.reclaim_consumer();
        let found: Vec<_> = consumer.drain().collect();
        assert_eq!(found, values((room as u64)..N as u64));
        goes_on(&queue, &mut queue.producer().expect("the role"), &mut consumer, 0);
        drop(consumer);
        assert!(queue.consumer().is_some());
    }
    assert!(popped.is_sorted(), "once they are gone, they stay: {popped:?}");
    assert_eq!((popped[0], *popped.last().expect("some")), (0, count));
}

fn pop_one<T: Plain + Send + Debug + PartialEq>(consumer: &mut Consumer<'static, T, N>) {
    assert_eq!(consumer.try_pop(), Ok(nth(0)));
}

fn pop_slice<T: Plain + Send + Debug + PartialEq>(consumer: &mut Consumer<'static, T, N>) {
    let mut room = [T::new_zeroed(); 3];
    assert_eq!(consumer.pop_slice(&mut room), Ok([nth(0), nth(1), nth(2)].as_mut_slice()));
}

fn release<T: Plain + Send + Debug + PartialEq>(consumer: &mut Consumer<'static, T, N>) {
    let chunk = consumer.read(N).expect("some");
    assert!(chunk.slots().map(|slot| slot.read()).eq((0..N as u64).map(nth::<T>)));
    chunk.release(2);
}

#[test]
fn who_is_killed_while_it_pops_one_has_popped_it_or_leaves_it_to_the_next() {
    isolated(|| {
        killed_while_popping::<u64>(1, pop_one);
        killed_while_popping::<[u8; 9]>(1, pop_one);
        killed_while_popping::<[u64; 7]>(1, pop_one);
        killed_while_popping::<[u8; 600]>(1, pop_one);
    });
}

#[test]
fn who_is_killed_while_it_pops_a_slice_has_popped_all_or_none() {
    isolated(|| {
        killed_while_popping::<u64>(3, pop_slice);
        killed_while_popping::<[u8; 9]>(3, pop_slice);
    });
}

#[test]
fn who_is_killed_while_it_releases_has_popped_all_or_none() {
    isolated(|| {
        killed_while_popping::<u64>(2, release);
        killed_while_popping::<[u128; 3]>(2, release);
    });
}

/// In the middle of a push, everywhere, the queue is closed and popped to its end: what the push
/// then says has been popped, and nothing else.
#[test]
fn what_a_push_says_comes_out_wherever_it_meets_a_close() {
    isolated(|| {
        let outcomes = meets_a_close(|producer| producer.try_push(7).is_ok().into());
        assert!(outcomes.is_none_or(|outcomes| outcomes == [true, true]));
    });
}

#[test]
fn what_a_push_of_a_slice_says_comes_out_wherever_it_meets_a_close() {
    isolated(|| {
        let push = |producer: &mut Producer<'_, u64, N>| match producer.push_slice(&[7; 3]) {
            Ok(count) => count as u64,
            Err(Closed(())) => 0,
        };
        let outcomes = meets_a_close(push);
        assert!(outcomes.is_none_or(|outcomes| outcomes[0] && outcomes[1]));
    });
}

/// Whether it was refused somewhere, and whether something was pushed somewhere.
fn meets_a_close(push: impl Fn(&mut Producer<'_, u64, N>) -> u64) -> Option<[bool; 2]> {
    let stride = if cfg!(debug_assertions) { 499 } else { 1 };
    let mut outcomes = [false; 2];
    for steps in (0..).step_by(stride) {
        let (queue, said) = (shared(Queue::<u64>::new()), shared(AtomicU64::new(u64::MAX)));
        let prepare = || {
            let mut producer = queue.producer().expect("the role");
            // Once before: the first one is another.
            producer.push(1).expect("room");
            producer
        };
        let act = |producer: &mut Producer<'_, u64, N>| said.store(push(producer), Relaxed);
        let stepped = Stepped::start(prepare, act)?;
        let is_within = stepped.steps(steps);
        let mut consumer = queue.consumer().expect("the role");
        assert_eq!(consumer.pop(), Ok(1));
        queue.close();
        let mut found = core::iter::from_fn(|| consumer.pop().ok()).count();
        if is_within {
            stepped.finish();
        }
        found += core::iter::from_fn(|| consumer.pop().ok()).count();
        let said = said.load(Relaxed);
        assert_eq!(said, found as u64, "after {steps} steps");
        assert_eq!(queue.len(), 0, "after {steps} steps");
        outcomes[usize::from(said > 0)] = true;
        drop(stepped);
        // Nor does anybody who comes later find something there.
        drop(queue.reclaim_producer());
        assert_eq!((queue.len(), consumer.try_pop()), (0, Err(PopError::Closed)));
        drop(consumer);
        assert_eq!(queue.consumer().expect("the role").try_pop(), Err(PopError::Closed));
        if !is_within {
            break;
        }
    }
    Some(outcomes)
}

#[test]
fn who_is_killed_asleep_for_a_message_is_succeeded_by_another() {
    isolated(|| {
        let queue = shared(Queue::<u64>::new());
        let pop_one = |expected| {
            move |consumer: &mut Consumer<'_, u64, N>| assert_eq!(consumer.pop(), Ok(expected))
        };
        kill(asleep(|| pop_one(0)(&mut queue.consumer().expect("the role"))));
        let mut producer = queue.producer().expect("the role");
        at_once(|| producer.push(1)).expect("room");
        at_once(|| pop_one(1)(&mut queue.reclaim_consumer()));
        for number in 2..5 {
            let successor = asleep(|| pop_one(number)(&mut queue.reclaim_consumer()));
            at_once(|| {
                producer.push(number).expect("room");
                join(successor);
            });
        }
    });
}

#[test]
fn who_is_killed_asleep_for_room_is_succeeded_by_another() {
    isolated(|| {
        let queue = shared(Queue::<u64>::new());
        let mut consumer = queue.consumer().expect("the role");
        queue.producer().expect("the role").push_slice(&[0, 1, 2, 3]).expect("room");
        kill(asleep(|| queue.producer().expect("the role").push(9).expect("room")));
        assert_eq!(at_once(|| consumer.pop()), Ok(0));
        at_once(|| queue.reclaim_producer().push(4)).expect("room");
        for number in 5..8 {
            let successor = asleep(|| queue.reclaim_producer().push(number).expect("room"));
            at_once(|| {
                assert_eq!(consumer.pop(), Ok(number - 4));
                join(successor);
            });
        }
        assert!(consumer.drain().eq(4..8));
    });
}

#[test]
fn those_who_sleep_at_an_mpmc_get_on_where_others_are_killed_beside_them() {
    isolated(|| {
        let queue = shared(Mpmc::<u64, 1>::new());
        for round in 0..3 {
            let killed = asleep(|| assert_eq!(queue.pop(), Ok(u64::MAX)));
            let other = asleep(|| assert_eq!(queue.pop(), Ok(round)));
            kill(killed);
            at_once(|| {
                queue.push(round).expect("room");
                join(other);
            });
            queue.push(7).expect("room");
            let killed = asleep(|| queue.push(u64::MAX).expect("room"));
            let other = asleep(|| queue.push(8).expect("room"));
            kill(killed);
            at_once(|| {
                assert_eq!(queue.pop(), Ok(7));
                join(other);
            });
            assert_eq!(queue.pop(), Ok(8));
        }
    });
}

type Many = Mpmc<u64, 2>;
/// Which word of it says where the next one is pushed, and whether it is closed.
const TAIL: usize = 128 / 8;

/// The queue may stand still where one is killed; whoever has a deadline does not.
#[test]
fn deadlines_hold_wherever_one_is_killed_at_an_mpmc() {
    isolated(|| {
        let before = shared(Many::new());
        before.push(1).expect("room");
        let prepare = |queue: &'static Many| {
            // Once before: the first one is another.
            queue.push(2).expect("room");
            assert_eq!(queue.pop(), Ok(1));
            queue
        };
        let before = image(&*before);
        let pushed = left_behind(&before, prepare, |queue| queue.push(3).expect("room"));
        let popped = left_behind(&before, prepare, |queue| assert_eq!(queue.pop(), Ok(2)));
        let (Some(pushed), Some(popped)) = (pushed, popped) else { return };
        assert!(pushed.len() > 3 && popped.len() > 2);
        let soon = || Deadline::after(Duration::from_millis(1));
        for left in pushed.iter().chain(&popped) {
            let queue = restored::<Many>(left);
            let mut child = support::child(|| {
                for number in 4..8 {
                    let _ = at_once(|| queue.push_until(number, soon()));
                    let _ = at_once(|| queue.push_slice_until(&[number; 3], soon()).ok());
                    let _ = at_once(|| queue.try_push(number));
                }
                for _ in 0..4 {
                    let _ = at_once(|| queue.pop_until(soon()));
                    let _ = at_once(|| queue.pop_slice_until(&mut [0; 3], soon()).map(drop));
                    let _ = at_once(|| queue.try_pop());
                }
                queue.close();
                assert!(at_once(|| queue.push_until(9, soon())).is_err());
                let _ = at_once(|| queue.drain().count());
                assert!(queue.len() <= 2);
            });
            assert!(wait(&mut child).success());
        }
    });
}

/// Or it has not closed it at all.
#[test]
fn who_is_killed_while_it_closes_an_mpmc_has_closed_it_as_soon_as_one_hears_of_it() {
    isolated(|| {
        let queue = shared(Many::new());
        queue.push(1).expect("room");
        let Some(all) = left_behind(&image(&*queue), |queue: &Many| queue, |queue| queue.close())
        else {
            return;
        };
        let is_closed = all.iter().map(|left| {
            // By who pops, too, if that one waits.
            let queue = restored::<Many>(left);
            assert!(queue.drain().eq([1]));
            if image(&*queue)[TAIL] & 1 == 1 {
                assert_eq!(queue.pop_until(soon()), Err(PopError::Closed));
            }

            let queue = restored::<Many>(left);
            match queue.try_push(2) {
                Ok(()) => {
                    assert!(queue.drain().eq([1, 2]));
                    assert_eq!(queue.try_pop(), Err(PopError::Empty));
                }
                refused => {
                    assert_eq!(refused, Err(PushError::Closed(2)));
                    assert!(queue.is_closed());
                    assert_eq!((queue.pop(), queue.pop()), (Ok(1), Err(Closed(()))));
                }
            }
            queue.is_closed()
        });
        let is_closed: Vec<_> = is_closed.collect();
        assert!(is_closed.is_sorted() && is_closed.ends_with(&[true]) && !is_closed[0]);
    });
}
