//! Those who meet at a queue: each on its CPU, asleep until told how often to do its part.

use core::hint::spin_loop;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicI64, AtomicU64};
use core::time::Duration;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use rawipc::pipe::{Pipe, Reader, Writer};

use crate::harness::preemptions;
use crate::helper::Helper;
use crate::meeting::Kin;
use crate::place::Cpu;
use crate::shared::share;

/// What one of them does, so many times.
pub(crate) type Part = Box<dyn FnMut(u64) + Send>;

pub(crate) struct Team {
    desk: &'static Desk,
    /// One for each, who takes from it how often to do its part.
    starts: Vec<Writer>,
    /// Where the last one says that all are done.
    done: Reader,
    _helpers: Vec<Helper>,
}

/// Where they report. The first two only grow.
#[derive(Default)]
struct Desk {
    ready: AtomicU64,
    done: AtomicU64,
    /// How long the slowest took, in nanoseconds.
    time: AtomicU64,
    /// How often somebody else was given the CPU of one of them.
    preemptions: AtomicI64,
}

impl Team {
    pub(crate) fn new(kin: Kin, parts: impl IntoIterator<Item = (Cpu, Part)>) -> Self {
        let parts: Vec<_> = parts.into_iter().collect();
        let all = parts.len() as u64;
        let desk = share(Desk::default());
        let Pipe { reader: done, writer } = Pipe::new().expect("a pipe");
        let all_done = Arc::new(writer);
        let mut starts = Vec::new();
        let workers: Vec<_> = parts
            .into_iter()
            .map(|(cpu, part)| {
                let Pipe { reader: start, writer } = Pipe::new().expect("a pipe");
                starts.push(writer);
                let all_done = Arc::clone(&all_done);
                move || desk.work(all, cpu, part, &start, &all_done)
            })
            .collect();
        let helpers = match kin {
            Kin::Processes => workers.into_iter().map(Helper::start).collect(),
            Kin::Threads => vec![Helper::start(|| {
                thread::scope(|scope| workers.into_iter().for_each(|one| drop(scope.spawn(one))));
            })],
        };
        Self { desk, starts, done, _helpers: helpers }
    }

    /// Has all do their parts at once, each so many times; how long the slowest took.
    pub(crate) fn run(&mut self, times: u64) -> Duration {
        self.desk.time.store(0, Relaxed);
        self.desk.preemptions.store(0, Relaxed);
        for start in &self.starts {
            start.write(&times.to_ne_bytes()).expect("a helper");
        }
        let done = self.done.read(&mut [0; 1]).expect("a pipe").len();
        assert_eq!(done, 1, "all are alive");
        Duration::from_nanos(self.desk.time.load(Relaxed))
    }

    /// The same, again if one of them had to give up its CPU; but not for ever.
    pub(crate) fn run_undisturbed(&mut self, times: u64) -> Duration {
        let mut left = 8;
        loop {
            let time = self.run(times);
            left -= 1;
            if self.desk.preemptions.load(Relaxed) == 0 || left == 0 {
                return time;
            }
        }
    }
}

impl Desk {
    /// One of `all`, to the end of this process.
    fn work(&self, all: u64, cpu: Cpu, mut part: Part, start: &Reader, all_done: &Writer) {
        cpu.pin();
        let mut expected = 0;
        while let Some(times) = told(start) {
            expected += all;
            self.ready.fetch_add(1, AcqRel);
            self.wait_until_ready(expected);
            let before = preemptions();
            let clock = Instant::now();
            part(times);
            let time = u64::try_from(clock.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.time.fetch_max(time, Relaxed);
            self.preemptions.fetch_add(preemptions() - before, Relaxed);
            if self.done.fetch_add(1, AcqRel) + 1 == expected {
                all_done.write(&[0]).expect("the harness");
            }
        }
    }

    /// Who has a CPU for itself keeps it: what others do with it would be in the time.
    fn wait_until_ready(&self, expected: u64) {
        let is_ready = || self.ready.load(Acquire) >= expected;
        let mut looks = 0;
        while !is_ready() {
            looks += 1;
            if looks < 10_000 { spin_loop() } else { thread::yield_now() }
        }
    }
}

/// How often; nothing when the harness is gone.
fn told(start: &Reader) -> Option<u64> {
    let mut times = [0; 8];
    let len = start.read(&mut times).ok()?.len();
    (len == times.len()).then(|| u64::from_ne_bytes(times))
}
