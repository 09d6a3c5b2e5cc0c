//! Queues between the threads of one process, which is all that they can do. As many messages fit
//! as into the crate's.

use core::hint::spin_loop;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};

use crossbeam_queue::ArrayQueue;
use rawipc::zerocopy::{FromBytes as _, IntoBytes as _};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::mechanisms::contender::{Opened, Task};
use crate::mechanisms::pair::{End, Pair};
use crate::meeting::Kin;

/// A message of so many words.
type Words<const W: usize> = [u64; W];

/// Where messages go into a queue.
trait Puts<const W: usize>: Send + 'static {
    fn put(&mut self, message: Words<W>);
}

/// Where they come out.
trait Takes<const W: usize>: Send + 'static {
    fn take(&mut self) -> Words<W>;
}

struct Ends<const W: usize, P, T> {
    to: P,
    from: T,
}

impl<const W: usize, P: Puts<W>, T: Takes<W>> End for Ends<W, P, T> {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        self.to.put(Words::read_from_bytes(message).expect("words"));
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        self.from.take().write_to(into).expect("words");
    }
}

fn pair<const W: usize, P: Puts<W>, T: Takes<W>>(task: Task, make: fn() -> (P, T)) -> Opened {
    let (there, back) = (make(), make());
    let home = Ends::<W, _, _> { to: there.0, from: back.1 };
    let away = Ends::<W, _, _> { to: back.0, from: there.1 };
    Pair::among(Kin::Threads, task, || home, || away)
}

/// Calls one for messages of that length, with as many slots as the crate's queues have.
macro_rules! by_length {
    ($task:expr, $make:ident) => {
        match $task.bytes {
            8 => pair::<1, _, _>($task, $make::<1, 16384>),
            64 => pair::<8, _, _>($task, $make::<8, 4096>),
            4096 => pair::<512, _, _>($task, $make::<512, 64>),
            65536 => pair::<8192, _, _>($task, $make::<8192, 8>),
            _ => Err("no queue of such messages".into()),
        }
    };
}

impl<const W: usize> Puts<W> for SyncSender<Words<W>> {
    #[inline]
    fn put(&mut self, message: Words<W>) {
        self.send(message).expect("a receiver");
    }
}

impl<const W: usize> Takes<W> for Receiver<Words<W>> {
    #[inline]
    fn take(&mut self) -> Words<W> {
        self.recv().expect("a sender")
    }
}

pub(in crate::mechanisms) fn sync_channel(task: Task) -> Opened {
    fn make<const W: usize, const N: usize>() -> (SyncSender<Words<W>>, Receiver<Words<W>>) {
        mpsc::sync_channel(N)
    }
    by_length!(task, make)
}

impl<const W: usize> Puts<W> for Producer<Words<W>> {
    #[inline]
    fn put(&mut self, message: Words<W>) {
        while self.is_full() {
            spin_loop();
        }
        self.push(message).expect("room");
    }
}

impl<const W: usize> Takes<W> for Consumer<Words<W>> {
    #[inline]
    fn take(&mut self) -> Words<W> {
        loop {
            if let Ok(message) = self.pop() {
                return message;
            }
            spin_loop();
        }
    }
}

pub(in crate::mechanisms) fn rtrb(task: Task) -> Opened {
    fn make<const W: usize, const N: usize>() -> (Producer<Words<W>>, Consumer<Words<W>>) {
        RingBuffer::new(N)
    }
    by_length!(task, make)
}

impl<const W: usize> Puts<W> for Arc<ArrayQueue<Words<W>>> {
    #[inline]
    fn put(&mut self, mut message: Words<W>) {
        while let Err(refused) = self.push(message) {
            message = refused;
            spin_loop();
        }
    }
}

impl<const W: usize> Takes<W> for Arc<ArrayQueue<Words<W>>> {
    #[inline]
    fn take(&mut self) -> Words<W> {
        loop {
            if let Some(message) = self.pop() {
                return message;
            }
            spin_loop();
        }
    }
}

pub(in crate::mechanisms) fn array_queue(task: Task) -> Opened {
    type Queue<const W: usize> = Arc<ArrayQueue<Words<W>>>;

    fn make<const W: usize, const N: usize>() -> (Queue<W>, Queue<W>) {
        let queue = Arc::new(ArrayQueue::new(N));
        (Arc::clone(&queue), queue)
    }
    by_length!(task, make)
}
