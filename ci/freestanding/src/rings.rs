//! Queues in memory.

use core::time::Duration;

use rawipc::Deadline;
use rawipc::queue::{
    Closed, MessagePopError, MessagePushError, MessageRing, Mpmc, NoneUnfinished, PopError,
    PushError, Spsc, Tasks,
};

pub fn run() {
    for_two();
    in_place();
    for_many();
    messages();
    tasks();
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_millis(1))
}

fn for_two() {
    let queue = Spsc::<u64, 4>::new();
    let mut producer = queue.producer().expect("the role");
    let mut consumer = queue.consumer().expect("the role");
    assert_eq!(consumer.try_pop(), Err(PopError::Empty));
    assert_eq!(consumer.pop_until(soon()), Err(PopError::Empty));
    assert_eq!(producer.push(1), Ok(()));
    assert_eq!(producer.try_push(2), Ok(()));
    assert_eq!(producer.push_until(3, soon()), Ok(()));
    assert_eq!(producer.push_slice(&[4, 5]), Ok(1));
    assert_eq!(producer.try_push_slice(&[5]), Err(PushError::Full(())));
    assert_eq!(producer.push_slice_until(&[5], soon()), Err(PushError::Full(())));
    assert_eq!(queue.len(), 4);
    assert_eq!(consumer.pop(), Ok(1));
    assert_eq!(consumer.pop_slice(&mut [0]).as_deref(), Ok(&[2][..]));
    assert_eq!(consumer.try_pop_slice(&mut [0]).as_deref(), Ok(&[3][..]));
    assert_eq!(consumer.pop_slice_until(&mut [0], soon()).as_deref(), Ok(&[4][..]));
    queue.close();
    assert_eq!(producer.try_push(6).map_err(PushError::into_inner), Err(6));
    assert_eq!(
        (consumer.pop(), queue.is_empty(), queue.is_closed()),
        (Err(Closed(())), true, true)
    );
    assert_eq!(queue.reclaim_producer().push(7), Err(Closed(7)));
    assert_eq!(queue.reclaim_consumer().drain().count(), 0);
}

fn in_place() {
    let queue = Spsc::<[u64; 100], 4>::new();
    let mut producer = queue.producer().expect("the role");
    let mut chunk = producer.reserve(3).expect("room");
    assert_eq!((chunk.len(), chunk.is_empty()), (3, false));
    for mut slot in chunk.slots() {
        slot.write([7; 100]);
        assert!(!slot.as_mut_ptr().is_null());
    }
    assert_eq!(chunk.commit(3), Ok(3));
    assert_eq!(producer.try_reserve(3).expect("room").len(), 1);
    assert_eq!(producer.reserve_until(3, soon()).expect("room").len(), 1);

    let mut consumer = queue.consumer().expect("the role");
    assert_eq!(consumer.try_read(1).expect("a value").len(), 1);
    assert_eq!(consumer.read_until(1, soon()).expect("a value").len(), 1);
    let chunk = consumer.read(4).expect("values");
    assert!(chunk.slots().all(|slot| slot.read() == [7; 100] && !slot.as_ptr().is_null()));
    chunk.release(3);
    assert!(queue.is_empty());
}

fn for_many() {
    let queue = Mpmc::<u64, 4>::new();
    assert_eq!(queue.push(1), Ok(()));
    assert_eq!(queue.try_push(2), Ok(()));
    assert_eq!(queue.push_until(3, soon()), Ok(()));
    assert_eq!(queue.push_slice(&[4, 5]), Ok(1));
    assert_eq!(queue.try_push_slice(&[5]), Err(PushError::Full(())));
    assert_eq!(queue.push_slice_until(&[5], soon()), Err(PushError::Full(())));
    assert_eq!(queue.len(), 4);
    assert_eq!((queue.pop(), queue.try_pop()), (Ok(1), Ok(2)));
    assert_eq!(queue.pop_slice(&mut [0]).as_deref(), Ok(&[3][..]));
    assert_eq!(queue.try_pop_slice(&mut [0]).as_deref(), Ok(&[4][..]));
    assert_eq!(queue.pop_until(soon()), Err(PopError::Empty));
    assert_eq!(queue.pop_slice_until(&mut [0], soon()).err(), Some(PopError::Empty));
    assert_eq!(queue.push(6), Ok(()));
    queue.close();
    assert_eq!((queue.drain().sum(), queue.is_empty(), queue.is_closed()), (6_u64, true, true));
}

fn messages() {
    let ring = MessageRing::<256>::new();
    let mut producer = ring.producer().expect("the role");
    let mut consumer = ring.consumer().expect("the role");
    assert_eq!(producer.push(b"one"), Ok(()));
    assert_eq!(producer.try_push(b"two"), Ok(()));
    assert_eq!(producer.push_until(b"three", soon()), Ok(()));
    assert_eq!(producer.try_push(&[0; 200]), Err(MessagePushError::TooLong));
    let mut reservation = producer.reserve(8).expect("room");
    assert_eq!(reservation.len(), 8);
    assert_eq!(reservation.copy_in(1, b"our"), Ok(()));
    assert!(!reservation.as_mut_ptr().is_null());
    assert_eq!(reservation.commit(4), Ok(()));
    assert_eq!(producer.try_reserve(8).map(|place| place.len()).ok(), Some(8));
    assert_eq!(producer.reserve_until(8, soon()).map(|place| place.len()).ok(), Some(8));
    assert_eq!(ring.used_bytes(), 4 * 16);

    let mut buffer = [0; 8];
    assert_eq!(consumer.pop(&mut buffer).as_deref(), Ok(&b"one"[..]));
    assert_eq!(consumer.try_pop(&mut buffer).as_deref(), Ok(&b"two"[..]));
    assert_eq!(consumer.pop_until(&mut buffer, soon()).as_deref(), Ok(&b"three"[..]));
    assert_eq!(consumer.try_read().expect("a message").len(), 4);
    assert_eq!(consumer.read_until(soon()).expect("a message").len(), 4);
    let message = consumer.read().expect("a message");
    assert!(!message.is_empty() && !message.as_ptr().is_null());
    assert_eq!(message.copy_out(1, &mut buffer), b"our");
    message.release();
    assert!(ring.is_empty());
    ring.close();
    assert_eq!(ring.is_closed(), producer.push(b"").is_err());
    assert_eq!(consumer.pop(&mut buffer), Err(MessagePopError::Closed));
    assert!(ring.reclaim_producer().push(b"").is_err());
    assert!(ring.reclaim_consumer().try_pop(&mut buffer).is_err());
}

fn tasks() {
    let tasks = Tasks::new();
    tasks.add(1).expect("there are few");
    assert_eq!((tasks.unfinished(), tasks.is_done()), (1, false));
    assert!(tasks.join_until(soon()).is_err());
    assert_eq!(tasks.task_done(), Ok(()));
    tasks.join();
    assert_eq!(tasks.task_done(), Err(NoneUnfinished));
}
