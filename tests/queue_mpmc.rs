//! `Mpmc` within one process: whatever is called in whatever order, it is a queue of so many.

mod support;

use core::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use rawipc::Deadline;
use rawipc::queue::{Closed, Mpmc, PopError, PushError};
use rawipc::shm::{Plain, Shared};
use support::queues::{Model, gives_up, nth, room_for};

#[derive(Clone, Copy, Debug)]
enum Call {
    Push,
    PushUntil,
    PushSlice(usize),
    PushSliceUntil(usize),
    Pop,
    PopUntil,
    PopSlice(usize),
    PopSliceUntil(usize),
    Drain,
    Close,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    use Call::*;
    let some = || 0..11_usize;
    let call = prop_oneof![
        Just(Push),
        Just(PushUntil),
        some().prop_map(PushSlice),
        some().prop_map(PushSliceUntil),
        Just(Pop),
        Just(PopUntil),
        some().prop_map(PopSlice),
        some().prop_map(PopSliceUntil),
        Just(Drain),
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
    let (queue, mut model) = (Mpmc::<T, N>::new(), Model::<T>::new(N));
    let now = Deadline::now();
    for &call in calls {
        match call {
            Call::Push | Call::PushUntil => {
                let value = model.fresh(1)[0];
                let pushed = match call {
                    Call::Push => queue.try_push(value),
                    _ => queue.push_until(value, now),
                };
                assert_eq!(pushed, model.push(value));
            }
            Call::PushSlice(count) | Call::PushSliceUntil(count) => {
                let values = model.fresh(count);
                let pushed = match call {
                    Call::PushSlice(_) => queue.try_push_slice(&values),
                    _ => queue.push_slice_until(&values, now),
                };
                assert_eq!(pushed, model.push_slice(&values));
            }
            Call::Pop => assert_eq!(queue.try_pop(), model.pop()),
            Call::PopUntil => assert_eq!(queue.pop_until(now), model.pop()),
            Call::PopSlice(most) | Call::PopSliceUntil(most) => {
                let mut room = room_for::<T>(most);
                let popped = match call {
                    Call::PopSlice(_) => queue.try_pop_slice(&mut room),
                    _ => queue.pop_slice_until(&mut room, now),
                };
                assert_eq!(popped.map(|popped| popped.to_vec()), model.pop_slice(most));
            }
            Call::Drain => {
                let drained: Vec<_> = queue.drain().collect();
                assert_eq!(drained, model.pop_slice(model.len()).unwrap());
            }
            Call::Close => {
                queue.close();
                model.is_closed = true;
            }
        }
        assert_eq!((queue.len(), queue.is_empty()), (model.len(), model.len() == 0));
        assert_eq!(queue.is_closed(), model.is_closed);
    }
}

support::queues::of_each_type!(calls, is_a_queue);

#[test]
fn what_is_refused_comes_back() {
    let queue = Mpmc::<[u8; 9], 1>::new();
    queue.push([1; 9]).unwrap();
    assert_eq!(queue.try_push([2; 9]), Err(PushError::Full([2; 9])));
    assert_eq!(queue.push_until([3; 9], Deadline::now()), Err(PushError::Full([3; 9])));
    queue.close();
    assert_eq!(queue.try_push([4; 9]), Err(PushError::Closed([4; 9])));
    assert_eq!(queue.push_until([5; 9], Deadline::now()), Err(PushError::Closed([5; 9])));
    assert_eq!(queue.push([6; 9]), Err(Closed([6; 9])));
}

#[test]
fn closed_it_takes_nothing_and_gives_what_it_has() {
    let queue = Mpmc::<u32, 4>::new();
    queue.push_slice(&[1, 2, 3]).unwrap();
    queue.close();
    queue.close();
    assert_eq!(queue.push(4), Err(Closed(4)));
    assert_eq!(queue.push_slice(&[4, 5]), Err(Closed(())));
    assert_eq!(queue.pop(), Ok(1));
    assert_eq!(queue.pop_slice(&mut [0; 4]), Ok([2, 3].as_mut_slice()));
    for _ in 0..2 {
        assert_eq!(queue.pop(), Err(Closed(())));
        assert_eq!(queue.try_pop(), Err(PopError::Closed));
        assert_eq!(queue.pop_slice(&mut [0; 4]), Err(Closed(())));
    }
}

#[test]
fn deadlines_pass_in_time_and_nothing_is_lost() {
    let queue = Mpmc::<u32, 2>::new();
    assert_eq!(gives_up(|by| queue.pop_until(by).map(drop)), PopError::Empty);
    let popped = gives_up(|by| queue.pop_slice_until(&mut [0; 2], by).map(drop));
    assert_eq!(popped, PopError::Empty);

    queue.push_slice(&[1, 2]).unwrap();
    assert_eq!(gives_up(|by| queue.push_until(3, by)), PushError::Full(3));
    let pushed = gives_up(|by| queue.push_slice_until(&[4, 5], by).map(drop));
    assert_eq!(pushed, PushError::Full(()));

    assert!(queue.drain().eq([1, 2]));
    queue.push(3).unwrap();
    assert!(queue.drain().eq([3]));
}

#[test]
fn zero_is_empty_however_large() {
    let queue = Shared::<Mpmc<[u64; 512], 1024>>::anonymous_zeroed().unwrap();
    assert!(queue.is_empty() && !queue.is_closed());
    assert!((0..1024).all(|number| queue.try_push(nth(number)).is_ok()));
    assert!(queue.try_push([0; 512]).is_err());
    assert!(queue.drain().eq((0..1024).map(nth::<[u64; 512]>)));
}

#[test]
fn it_is_shown_without_its_values() {
    let queue = Mpmc::<u32, 4>::default();
    queue.push(77).unwrap();
    assert_eq!(format!("{queue:?}"), "Mpmc { len: 1, is_closed: false, .. }");
    queue.close();
    assert_eq!(format!("{queue:?}"), "Mpmc { len: 1, is_closed: true, .. }");
}
