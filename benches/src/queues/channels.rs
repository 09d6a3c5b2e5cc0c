//! One way from one to another, each as its documentation has it: a closure that sends, and one
//! that receives.
//!
//! Who has to wait looks again and again, with the same instruction between two looks, unless it
//! says that it waits in the crate's own way.

use core::hint::spin_loop;
use std::io::ErrorKind;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use rawipc::queue::{Mpmc, Spsc};
use rawipc::shm::{Shared, ShmSafe};

use crate::by_hand;

/// Sends a copy.
pub(super) trait Sends<T>: FnMut(&T) + Send + 'static {}
impl<T, F: FnMut(&T) + Send + 'static> Sends<T> for F {}

/// Waits for one and returns it.
pub(super) trait Receives<T>: FnMut() -> T + Send + 'static {}
impl<T, F: FnMut() -> T + Send + 'static> Receives<T> for F {}

/// A message of so many words.
pub(super) type Message<const WORDS: usize> = [u64; WORDS];

/// Memory that those share who are started from now on, to the end of all.
pub(super) fn room<T: ShmSafe>() -> &'static T {
    leak(Shared::<T>::anonymous_zeroed().expect("memory"))
}

/// Not dropped by this process when another one has it, which never drops anything.
pub(super) fn leak<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

/// Looks again and again.
#[inline]
pub(super) fn until<T, E>(mut attempt: impl FnMut() -> Result<T, E>) -> T {
    loop {
        if let Ok(done) = attempt() {
            return done;
        }
        spin_loop();
    }
}

pub(super) fn spsc<const W: usize, const N: usize>()
-> (impl Sends<Message<W>>, impl Receives<Message<W>>) {
    let queue: &Spsc<Message<W>, N> = room();
    let producer = leak(queue.producer().expect("its first"));
    let consumer = leak(queue.consumer().expect("its first"));
    (
        move |value: &Message<W>| until(|| producer.try_push(*value)),
        move || until(|| consumer.try_pop()),
    )
}

pub(super) fn spsc_waiting<const W: usize, const N: usize>()
-> (impl Sends<Message<W>>, impl Receives<Message<W>>) {
    let queue: &Spsc<Message<W>, N> = room();
    let producer = leak(queue.producer().expect("its first"));
    let consumer = leak(queue.consumer().expect("its first"));
    (
        move |value: &Message<W>| producer.push(*value).expect("open"),
        move || consumer.pop().expect("open"),
    )
}

pub(super) fn mpmc<const W: usize, const N: usize>()
-> (impl Sends<Message<W>>, impl Receives<Message<W>>) {
    let queue: &Mpmc<Message<W>, N> = room();
    (move |value: &Message<W>| until(|| queue.try_push(*value)), move || until(|| queue.try_pop()))
}

pub(super) fn mpmc_waiting<const W: usize, const N: usize>()
-> (impl Sends<Message<W>>, impl Receives<Message<W>>) {
    let queue: &Mpmc<Message<W>, N> = room();
    (
        move |value: &Message<W>| queue.push(*value).expect("open"),
        move || queue.pop().expect("open"),
    )
}

pub(super) fn rtrb<const W: usize, const N: usize>()
-> (impl Sends<Message<W>>, impl Receives<Message<W>>) {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<Message<W>>::new(N);
    (move |value: &Message<W>| until(|| producer.push(*value)), move || until(|| consumer.pop()))
}

pub(super) fn array_queue<const W: usize, const N: usize>()
-> (impl Sends<Message<W>>, impl Receives<Message<W>>) {
    let queue = Arc::new(ArrayQueue::<Message<W>>::new(N));
    let same = Arc::clone(&queue);
    (move |value: &Message<W>| until(|| queue.push(*value)), move || until(|| same.pop().ok_or(())))
}

/// A pipe that does not block, polled as the others are.
pub(super) fn pipe() -> (impl Sends<Message<1>>, impl Receives<Message<1>>) {
    let (reader, writer) = by_hand::pipe(libc::O_NONBLOCK).expect("a pipe");
    let send = move |value: &Message<1>| {
        by_hand::write(&writer, &value[0].to_ne_bytes()).expect("room");
    };
    let receive = move || {
        let mut bytes = [0; 8];
        until(|| match by_hand::read(&reader, &mut bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(()),
            other => Ok(other.expect("a pipe")),
        });
        [u64::from_ne_bytes(bytes)]
    };
    (send, receive)
}

#[cfg(test)]
mod tests {
    use super::{
        Message, Receives, Sends, array_queue, mpmc, mpmc_waiting, pipe, rtrb, spsc, spsc_waiting,
    };

    fn delivers((mut send, mut receive): (impl Sends<Message<1>>, impl Receives<Message<1>>)) {
        (1..=3).for_each(|value| send(&[value]));
        (1..=3).for_each(|value| assert_eq!(receive(), [value]));
    }

    #[test]
    fn what_is_sent_comes_in_order() {
        delivers(spsc::<1, 4>());
        delivers(spsc_waiting::<1, 4>());
        delivers(mpmc::<1, 4>());
        delivers(mpmc_waiting::<1, 4>());
        delivers(rtrb::<1, 4>());
        delivers(array_queue::<1, 4>());
        delivers(pipe());
    }
}
