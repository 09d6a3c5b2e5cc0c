//! Two who send each other a message, there and back, and how long each such trip takes.

use core::hint::{black_box, spin_loop};
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::time::Instant;

use super::channels::{Message, Receives, Sends, room};
use super::team::Team;
use crate::harness::Spread;
use crate::meeting::Kin;
use crate::place::Cpu;
use crate::shared::share;

/// So many trips are timed in one slice at most.
const MOST: usize = 1 << 16;

/// Trips that come before those: who has slept needs some to get going.
const WARM_UP: u64 = 10;

/// What goes there and back, and between whom.
pub(super) struct Exchange {
    pub(super) name: &'static str,
    pub(super) kin: Kin,
    team: Team,
    times: &'static Times,
    /// How many trips are timed together.
    batch: u64,
}

/// In nanoseconds.
type Times = [[AtomicU32; MOST]; 2];

/// How long trips took in one slice, in nanoseconds, the clock included.
pub(super) struct Trips {
    pub(super) each: Vec<f64>,
    batches: Vec<f64>,
    batch: u64,
}

/// What each of the two does before it sends; of that the asker's part does not count.
pub(super) trait Work: Copy + Send + 'static {
    /// How many trips are timed together.
    const BATCH: u64;

    fn work(self);
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Nothing;

impl Work for Nothing {
    const BATCH: u64 = 64;

    fn work(self) {}
}

impl Exchange {
    /// `ask` sends and receives; `answer` receives, works, and sends back.
    pub(super) fn new<W: Work>(
        name: &'static str,
        kin: Kin,
        away: Cpu,
        work: W,
        mut ask: impl FnMut() + Send + 'static,
        mut answer: impl FnMut() + Send + 'static,
    ) -> Self {
        let times: &Times = room();
        let mut by_clock = move |trips: u64| {
            work.work();
            let start = Instant::now();
            (0..trips).for_each(|_| ask());
            u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX)
        };
        let ask = move |trips: u64| {
            by_clock(WARM_UP);
            for (time, _) in times[0].iter().zip(0..trips) {
                time.store(by_clock(1), Relaxed);
            }
            for (time, _) in times[1].iter().zip(0..trips / W::BATCH) {
                time.store(by_clock(W::BATCH), Relaxed);
            }
        };
        let answer = move |trips: u64| {
            (0..WARM_UP + trips + trips / W::BATCH * W::BATCH).for_each(|_| answer());
        };
        let parts = [(Cpu::home(), Box::new(ask) as _), (away, Box::new(answer) as _)];
        Self { name, kin, team: Team::new(kin, parts), times, batch: W::BATCH }
    }

    /// Through a channel there and another one back.
    pub(super) fn through<const W: usize, S, R>(
        name: &'static str,
        kin: Kin,
        away: Cpu,
        work: impl Work,
        channel: fn() -> (S, R),
    ) -> Self
    where
        S: Sends<Message<W>>,
        R: Receives<Message<W>>,
    {
        let ((mut send, mut receive), (mut send_back, mut receive_back)) = (channel(), channel());
        let ask = move || {
            send(black_box(&[7; W]));
            black_box(&receive_back());
        };
        let answer = move || {
            let value = receive();
            work.work();
            send_back(black_box(&value));
        };
        Self::new(name, kin, away, work, ask, answer)
    }

    /// A cache line that the two write to in turns.
    pub(super) fn line(away: Cpu) -> Self {
        let line = share(AtomicU32::new(0));
        let wait_for = |odd: u32| loop {
            let now = line.load(Relaxed);
            if now % 2 == odd {
                return now;
            }
            spin_loop();
        };
        let pass = move |now: u32| line.store(now.wrapping_add(1), Relaxed);
        let ask = move || {
            pass(line.load(Relaxed));
            wait_for(0);
        };
        let answer = move || pass(wait_for(1));
        Self::new("floor: a cache line", Kin::Processes, away, Nothing, ask, answer)
    }

    /// So many trips by themselves, and as many in batches.
    pub(super) fn play(&mut self, trips: u64) -> Trips {
        self.team.run(trips);
        let times = |kind: usize, count: u64| {
            let times = self.times[kind].iter().zip(0..count);
            times.map(|(time, _)| f64::from(time.load(Relaxed))).collect()
        };
        Trips { each: times(0, trips), batches: times(1, trips / self.batch), batch: self.batch }
    }

    /// How many trips fill half a slice.
    pub(super) fn calibrate(&mut self, slice: Duration) -> u64 {
        let trip = Spread::of(&self.play(64).each).median.max(1.0);
        let trips = slice.div_duration_f64(Duration::from_nanos(2)) / trip;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and cut to size"
        )]
        let trips = trips as u64;
        trips.clamp(self.batch.max(8), MOST as u64)
    }
}

impl Trips {
    /// How long one took, without the clock, and without so much besides.
    pub(super) fn median(&self, clock: f64, besides: f64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a few")]
        let batch = self.batch as f64;
        (Spread::of(&self.batches).median - clock) / batch - besides
    }
}

/// How long it takes to ask for the time, which each trip contains once.
pub(crate) fn clock() -> f64 {
    let once = |_| {
        let start = Instant::now();
        start.elapsed().as_secs_f64() * 1e9
    };
    Spread::of(&(0..1000).map(once).collect::<Vec<f64>>()).median
}
