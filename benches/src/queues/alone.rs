//! What it costs to push a value and to pop it, where nobody else does.

use core::hint::black_box;

use crossbeam_queue::ArrayQueue;
use rawipc::queue::{Mpmc, Spsc};

use super::channels::{leak, room};
use crate::harness::{Contender, Group, Report};

pub(super) const GROUPS: &[Group] =
    &[Group { name: "one thread: push and pop 8 B", contenders: each }];

pub(super) const REPORT: Report = Report {
    suite: super::NAME,
    title: "Queues at which nobody else is",
    header: ["calls", "by", "ns", "quartiles", "× Spsc", "quartiles"],
    decimals: 1,
};

const ROOM: usize = 64;

fn each() -> Vec<Contender> {
    let spsc: &Spsc<u64, ROOM> = room();
    let producer = leak(spsc.producer().expect("its first"));
    let consumer = leak(spsc.consumer().expect("its first"));
    let mpmc: &Mpmc<u64, ROOM> = room();
    let (mut rtrb_producer, mut rtrb_consumer) = rtrb::RingBuffer::<u64>::new(ROOM);
    let array_queue = ArrayQueue::<u64>::new(ROOM);
    vec![
        Contender::new("rawipc, Spsc", || {
            producer.try_push(black_box(7)).unwrap();
            consumer.try_pop().unwrap()
        }),
        Contender::new("rawipc, Mpmc", || {
            mpmc.try_push(black_box(7)).unwrap();
            mpmc.try_pop().unwrap()
        }),
        Contender::new("rtrb", move || {
            rtrb_producer.push(black_box(7)).unwrap();
            rtrb_consumer.pop().unwrap()
        }),
        Contender::new("crossbeam, ArrayQueue", move || {
            array_queue.push(black_box(7)).unwrap();
            array_queue.pop().unwrap()
        }),
    ]
}
