//! A producer and a consumer, two processes with a place between them that holds three things.
//!
//! ```sh
//! cargo run --example producer_consumer [THINGS]
//! ```
//!
//! The producer waits while the place is full, the consumer while it is empty: each for what the
//! other does. A mutex keeps the place in order, and two condition variables say when to look
//! again.

use std::env;

use anyhow::{Context as _, Result, ensure};
use rawipc::process;
use rawipc::shm::{Shared, ShmSafe};
use rawipc::sync::{Condvar, Mutex};
use rawipc::zerocopy::FromBytes;

const ROOM: usize = 3;

/// What both share.
#[derive(FromBytes)]
#[zerocopy(crate = "rawipc::zerocopy")]
#[repr(C)]
struct Place {
    things: Mutex<Things>,
    filled: Condvar,
    emptied: Condvar,
}

/// A ring: the oldest stands at `taken`, the next comes to `put`; both only count up.
#[derive(FromBytes, Default)]
#[zerocopy(crate = "rawipc::zerocopy")]
#[repr(C)]
struct Things {
    ring: [u64; ROOM],
    put: usize,
    taken: usize,
}

// SAFETY: `repr(C)`, and each field is `ShmSafe`.
unsafe impl ShmSafe for Place {}

impl Place {
    fn put(&self, thing: u64) {
        let mut things = self.things.lock();
        self.emptied.wait_while(&mut things, |things| things.put - things.taken == ROOM);
        let end = things.put % ROOM;
        things.ring[end] = thing;
        things.put += 1;
        self.filled.notify_one();
    }

    fn take(&self) -> u64 {
        let mut things = self.things.lock();
        self.filled.wait_while(&mut things, |things| things.put == things.taken);
        let thing = things.ring[things.taken % ROOM];
        things.taken += 1;
        self.emptied.notify_one();
        thing
    }
}

fn main() -> Result<()> {
    let things = env::args().nth(1).map_or(Ok(10), |things| things.parse());
    let things: u64 = things.context("how many things? a number")?;
    let place = Shared::anonymous(Place {
        things: Mutex::new(Things::default()),
        filled: Condvar::new(),
        emptied: Condvar::new(),
    })?;

    let produce = || {
        (1..=things).for_each(|thing| place.put(thing));
        0
    };
    // SAFETY: this process has one thread. The child uses the place by its lock only; nothing is
    // owned twice.
    let mut producer = unsafe { process::spawn(produce)? };
    for _ in 0..things {
        println!("I pid {} have taken {}", process::id(), place.take());
    }
    ensure!(producer.wait()?.success(), "the producer has failed");
    Ok(())
}
