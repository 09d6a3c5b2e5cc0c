//! `Spsc` within one process: whatever is called in whatever order, it is a queue of so many values
//! with a role at each end.

mod support;

use core::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use rawipc::Deadline;
use rawipc::queue::{Closed, Consumer, PopError, Producer, PushError, Spsc, WriteChunk};
use rawipc::shm::{Plain, Shared};
use support::queues::{Model, gives_up, nth, room_for};

#[derive(Clone, Copy, Debug)]
enum Call {
    Push,
    PushUntil,
    PushSlice(usize),
    PushSliceUntil(usize),
    /// Of so many reserved, so many are committed.
    Commit(usize, usize),
    CommitUntil(usize, usize),
    AbandonWrite(usize),
    Pop,
    PopUntil,
    PopSlice(usize),
    PopSliceUntil(usize),
    /// Of so many read, so many are released.
    Release(usize, usize),
    ReleaseUntil(usize, usize),
    AbandonRead(usize),
    Drain,
    /// The roles are given back and taken again.
    ProducerAgain,
    ConsumerAgain,
    /// The roles are lost and taken all the same.
    ReclaimProducer,
    ReclaimConsumer,
    Close,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    use Call::*;
    let some = || 0..11_usize;
    let call = prop_oneof![
        6 => prop_oneof![
            Just(Push),
            Just(PushUntil),
            some().prop_map(PushSlice),
            some().prop_map(PushSliceUntil),
            (some(), some()).prop_map(|(most, count)| Commit(most, count)),
            (some(), some()).prop_map(|(most, count)| CommitUntil(most, count)),
            some().prop_map(AbandonWrite),
        ],
        6 => prop_oneof![
            Just(Pop),
            Just(PopUntil),
            some().prop_map(PopSlice),
            some().prop_map(PopSliceUntil),
            (some(), some()).prop_map(|(most, count)| Release(most, count)),
            (some(), some()).prop_map(|(most, count)| ReleaseUntil(most, count)),
            some().prop_map(AbandonRead),
            Just(Drain),
        ],
        2 => prop_oneof![
            Just(ProducerAgain),
            Just(ConsumerAgain),
            Just(ReclaimProducer),
            Just(ReclaimConsumer),
        ],
    ];
    // Closed in the midst of them, if at all.
    (vec(call.clone(), 0..80), any::<bool>(), vec(call, 0..20)).prop_map(
        |(before, closes, after)| {
            let close = closes.then_some(Close);
            before.into_iter().chain(close).chain(after).collect()
        },
    )
}

fn is_a_queue<T: Plain + Send + Debug + PartialEq, const N: usize>(calls: &[Call]) {
    let (queue, mut model) = (Spsc::<T, N>::new(), Model::<T>::new(N));
    let mut producer = queue.producer().unwrap();
    let mut consumer = queue.consumer().unwrap();
    for &call in calls {
        match call {
            Call::ProducerAgain => {
                assert!(queue.producer().is_none());
                drop(producer);
                producer = queue.producer().unwrap();
            }
            Call::ConsumerAgain => {
                assert!(queue.consumer().is_none());
                drop(consumer);
                consumer = queue.consumer().unwrap();
            }
            Call::ReclaimProducer => {
                core::mem::forget(producer);
                producer = queue.reclaim_producer();
            }
            Call::ReclaimConsumer => {
                core::mem::forget(consumer);
                consumer = queue.reclaim_consumer();
            }
            Call::Close => {
                queue.close();
                model.is_closed = true;
            }
            call => {
                push(call, &mut producer, &mut model);
                pop(call, &mut consumer, &mut model);
            }
        }
        assert_eq!((queue.len(), queue.is_empty()), (model.len(), model.len() == 0));
        assert_eq!(queue.is_closed(), model.is_closed);
    }
}

/// If that is the producer's.
fn push<T: Plain + Send + Debug + PartialEq, const N: usize>(
    call: Call,
    producer: &mut Producer<'_, T, N>,
    model: &mut Model<T>,
) {
    let now = Deadline::now();
    match call {
        Call::Push | Call::PushUntil => {
            let value = model.fresh(1)[0];
            let pushed = match call {
                Call::Push => producer.try_push(value),
                _ => producer.push_until(value, now),
            };
            assert_eq!(pushed, model.push(value));
        }
        Call::PushSlice(count) | Call::PushSliceUntil(count) => {
            let values = model.fresh(count);
            let pushed = match call {
                Call::PushSlice(_) => producer.try_push_slice(&values),
                _ => producer.push_slice_until(&values, now),
            };
            assert_eq!(pushed, model.push_slice(&values));
        }
        Call::Commit(most, count) | Call::CommitUntil(most, count) => {
            let chunk = match call {
                Call::Commit(..) => producer.try_reserve(most),
                _ => producer.reserve_until(most, now),
            };
            let len = chunk.as_ref().map(WriteChunk::len).map_err(|&error| error);
            assert_eq!(len, model.room(most));
            let Ok(mut chunk) = chunk else { return };
            let values = model.fresh(chunk.len());
            assert_eq!(
                (chunk.slots().count(), chunk.is_empty()),
                (values.len(), values.is_empty())
            );
            chunk.slots().zip(&values).for_each(|(mut slot, &value)| slot.write(value));
            let pushed = count.min(values.len());
            // More than there are is all.
            assert_eq!(chunk.commit(count), Ok(pushed));
            assert_eq!(model.push_slice(&values[..pushed]), Ok(pushed));
        }
        Call::AbandonWrite(most) => {
            if let Ok(mut chunk) = producer.try_reserve(most) {
                chunk.slots().for_each(|mut slot| slot.write(nth(u64::MAX)));
            }
        }
        _ => {}
    }
}

/// If that is the consumer's.
fn pop<T: Plain + Send + Debug + PartialEq, const N: usize>(
    call: Call,
    consumer: &mut Consumer<'_, T, N>,
    model: &mut Model<T>,
) {
    let now = Deadline::now();
    // Who wants none gets none, or hears of the end.
    let some = |most: usize| if model.is_closed { most.max(1) } else { most };
    match call {
        Call::Pop => assert_eq!(consumer.try_pop(), model.pop()),
        Call::PopUntil => assert_eq!(consumer.pop_until(now), model.pop()),
        Call::PopSlice(most) | Call::PopSliceUntil(most) => {
            let most = some(most);
            let mut room = room_for::<T>(most);
            let popped = match call {
                Call::PopSlice(_) => consumer.try_pop_slice(&mut room),
                _ => consumer.pop_slice_until(&mut room, now),
            };
            assert_eq!(popped.map(|popped| popped.to_vec()), model.pop_slice(most));
        }
        Call::Release(most, count) | Call::ReleaseUntil(most, count) => {
            let most = some(most);
            let chunk = match call {
                Call::Release(..) => consumer.try_read(most),
                _ => consumer.read_until(most, now),
            };
            let values = chunk.as_ref().map_err(|&error| error);
            let values = values.map(|chunk| chunk.slots().map(|slot| slot.read()).collect());
            assert_eq!(values, model.first(most));
            let Ok(chunk) = chunk else { return };
            let popped = count.min(chunk.len());
            // More than there are is all.
            chunk.release(count);
            assert_eq!(model.pop_slice(popped).map(|popped| popped.len()), Ok(popped));
        }
        Call::AbandonRead(most) => {
            if let Ok(chunk) = consumer.try_read(most) {
                assert!(chunk.len() <= most && chunk.is_empty() == (most == 0));
            }
        }
        Call::Drain => {
            let drained: Vec<_> = consumer.drain().collect();
            assert_eq!(drained, model.pop_slice(model.len()).unwrap());
        }
        _ => {}
    }
}

support::queues::of_each_type!(calls, is_a_queue);

#[test]
fn each_role_is_had_by_one_at_a_time() {
    let queue = Spsc::<u32, 4>::new();
    let roles = (queue.producer(), queue.consumer());
    assert!(roles.0.is_some() && roles.1.is_some());
    assert!(queue.producer().is_none() && queue.consumer().is_none());
    drop(roles.0);
    assert!(queue.producer().is_some() && queue.consumer().is_none());
    drop(roles.1);
    assert!(queue.producer().is_some() && queue.consumer().is_some());
}

#[test]
fn a_role_that_is_given_back_is_the_next_ones_even_if_it_had_been_reclaimed() {
    let queue = Spsc::<u32, 4>::new();
    core::mem::forget((queue.producer(), queue.consumer()));
    drop((queue.reclaim_producer(), queue.reclaim_consumer()));
    queue.producer().unwrap().push(7).unwrap();
    assert_eq!(queue.consumer().unwrap().pop(), Ok(7));
}

#[test]
fn what_is_refused_comes_back() {
    let queue = Spsc::<[u8; 9], 1>::new();
    let mut producer = queue.producer().unwrap();
    producer.push([1; 9]).unwrap();
    assert_eq!(producer.try_push([2; 9]), Err(PushError::Full([2; 9])));
    assert_eq!(producer.push_until([3; 9], Deadline::now()), Err(PushError::Full([3; 9])));
    queue.close();
    assert_eq!(producer.try_push([4; 9]), Err(PushError::Closed([4; 9])));
    assert_eq!(producer.push_until([5; 9], Deadline::now()), Err(PushError::Closed([5; 9])));
    assert_eq!(producer.push([6; 9]), Err(Closed([6; 9])));
}

#[test]
fn closed_it_takes_nothing_and_gives_what_it_has() {
    let queue = Spsc::<u32, 4>::new();
    let mut producer = queue.producer().unwrap();
    let mut consumer = queue.consumer().unwrap();
    producer.push_slice(&[1, 2, 3]).unwrap();
    queue.close();
    queue.close();
    assert_eq!(producer.push(4), Err(Closed(4)));
    assert_eq!(producer.push_slice(&[4, 5]), Err(Closed(())));
    assert_eq!(producer.reserve(1).map(|chunk| chunk.len()), Err(Closed(())));
    assert_eq!(consumer.pop(), Ok(1));
    assert_eq!(consumer.pop_slice(&mut [0; 4]), Ok([2, 3].as_mut_slice()));
    for _ in 0..2 {
        assert_eq!(consumer.pop(), Err(Closed(())));
        assert_eq!(consumer.try_pop(), Err(PopError::Closed));
        assert_eq!(consumer.pop_slice(&mut [0; 4]), Err(Closed(())));
        assert_eq!(consumer.read(1).map(|chunk| chunk.len()), Err(Closed(())));
        drop(consumer);
        consumer = queue.consumer().unwrap();
    }
    drop(producer);
    assert_eq!(queue.producer().unwrap().push(4), Err(Closed(4)));
    assert_eq!(queue.len(), 0);
}

#[test]
fn what_was_reserved_before_it_was_closed_is_not_pushed_after() {
    let queue = Spsc::<u32, 4>::new();
    let mut producer = queue.producer().unwrap();
    let mut consumer = queue.consumer().unwrap();
    let mut chunk = producer.reserve(2).unwrap();
    chunk.slots().for_each(|mut slot| slot.write(7));
    queue.close();
    assert_eq!(consumer.try_pop(), Err(PopError::Closed));
    assert_eq!(chunk.commit(2), Err(Closed(())));
    assert_eq!(consumer.try_pop(), Err(PopError::Closed));
    assert_eq!(queue.len(), 0);
    // Nor does anybody find it who comes later.
    drop((producer, consumer));
    drop(queue.producer());
    assert_eq!(queue.len(), 0);
    assert_eq!(queue.consumer().unwrap().try_pop(), Err(PopError::Closed));
}

#[test]
fn what_was_reserved_before_it_was_closed_is_pushed_if_nobody_has_found_the_end() {
    let queue = Spsc::<u32, 4>::new();
    let mut producer = queue.producer().unwrap();
    let chunk = producer.reserve(2).unwrap();
    queue.close();
    assert_eq!(chunk.commit(2), Ok(2));
    assert_eq!(queue.consumer().unwrap().drain().count(), 2);
}

#[test]
fn deadlines_pass_in_time_and_nothing_is_lost() {
    let queue = Spsc::<u32, 2>::new();
    let mut producer = queue.producer().unwrap();
    let mut consumer = queue.consumer().unwrap();
    assert_eq!(gives_up(|by| consumer.pop_until(by).map(drop)), PopError::Empty);
    let popped = gives_up(|by| consumer.pop_slice_until(&mut [0; 2], by).map(drop));
    assert_eq!(popped, PopError::Empty);
    assert_eq!(gives_up(|by| consumer.read_until(2, by).map(drop)), PopError::Empty);

    producer.push_slice(&[1, 2]).unwrap();
    assert_eq!(gives_up(|by| producer.push_until(3, by)), PushError::Full(3));
    let pushed = gives_up(|by| producer.push_slice_until(&[4, 5], by).map(drop));
    assert_eq!(pushed, PushError::Full(()));
    assert_eq!(gives_up(|by| producer.reserve_until(2, by).map(drop)), PushError::Full(()));

    assert!(consumer.drain().eq([1, 2]));
    producer.push(3).unwrap();
    assert!(consumer.drain().eq([3]));
}

#[test]
fn zero_is_empty_however_large() {
    let queue = Shared::<Spsc<[u64; 512], 1024>>::anonymous_zeroed().unwrap();
    assert!(queue.is_empty() && !queue.is_closed());
    let mut producer = queue.producer().unwrap();
    assert!((0..1024).all(|number| producer.try_push(nth(number)).is_ok()));
    assert!(producer.try_push([0; 512]).is_err());
    assert!(queue.consumer().unwrap().drain().eq((0..1024).map(nth::<[u64; 512]>)));
}

#[test]
fn it_is_shown_without_its_values() {
    let queue = Spsc::<u32, 4>::default();
    queue.producer().unwrap().push(77).unwrap();
    assert_eq!(format!("{queue:?}"), "Spsc { len: 1, is_closed: false, .. }");
    let shown = format!("{:?}", queue.producer().unwrap());
    assert_eq!(shown, "Producer(Spsc { len: 1, is_closed: false, .. })");
    queue.close();
    let shown = format!("{:?}", queue.consumer().unwrap());
    assert_eq!(shown, "Consumer(Spsc { len: 1, is_closed: true, .. })");
    let mut consumer = queue.consumer().unwrap();
    let chunk = consumer.read(1).unwrap();
    assert!(format!("{chunk:?}").starts_with("ReadChunk { consumer: Consumer("));
    assert_eq!(format!("{:?}", chunk.slots().next().unwrap()), "ReadSlot { .. }");
}
