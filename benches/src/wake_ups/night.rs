//! One who sleeps in a process of its own, and is woken up again and again.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::time::Duration;
use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt as _;
use std::thread;

use hdrhistogram::Histogram;

use super::ends::{Clock, Ends};
use crate::helper::Helper;
use crate::meeting;
use crate::place::Cpu;
use crate::shared::share;

/// For how long the sleeper is left alone: longer than anybody spins.
pub(super) const PAUSE: Duration = Duration::from_micros(200);

/// What the sleeper says.
#[derive(Default)]
struct Diary {
    /// How often it has gone to sleep, the last time included, which it is about to.
    nights: AtomicU64,
    /// When the last but one was over.
    woke_at: AtomicU64,
}

/// Who wakes it up.
pub(super) struct Waker {
    clock: Clock,
    diary: &'static Diary,
    /// How often it has been woken up.
    days: u64,
    /// The kernel's word on what it does.
    stat: File,
    /// Dies before what `wake` owns is gone.
    _sleeper: Helper,
    wake: Box<dyn FnMut(Clock) -> u64>,
}

impl Waker {
    pub(super) fn new(ends: Ends, away: Cpu) -> Result<Self> {
        let Ends { wake, mut sleep } = ends;
        let (clock, diary) = (Clock::start(), share(Diary::default()));
        let sleeper = Helper::start(move || {
            away.pin();
            loop {
                // Release pairs with the Acquire in is_asleep: it sees when the last was over.
                diary.nights.fetch_add(1, Release);
                diary.woke_at.store(sleep(clock), Relaxed);
            }
        });
        let stat = File::open(format!("/proc/{}/stat", sleeper.id()))?;
        Ok(Self { clock, diary, days: 0, stat, _sleeper: sleeper, wake })
    }

    /// So many times; how long each took.
    pub(super) fn wake(&mut self, times: u64) -> Histogram<u32> {
        let mut took = meeting::no_times();
        self.leave_alone();
        // The first ones find nothing in the caches.
        for time in 0..times + 2 {
            let before = (self.wake)(self.clock);
            self.days += 1;
            self.leave_alone();
            let after = self.diary.woke_at.load(Relaxed);
            if time >= 2 {
                took.saturating_record(after.saturating_sub(before));
            }
        }
        took
    }

    /// Until it has gone to sleep again.
    fn leave_alone(&self) {
        loop {
            thread::sleep(PAUSE);
            if self.is_asleep() {
                return;
            }
        }
    }

    fn is_asleep(&self) -> bool {
        self.diary.nights.load(Acquire) > self.days && self.state() == Some(b'S')
    }

    /// What comes behind the name, which is in parentheses and may have some of its own.
    fn state(&self) -> Option<u8> {
        let mut text = [0; 64];
        let len = self.stat.read_at(&mut text, 0).expect("a process that lives");
        let name_ends = text[..len].iter().rposition(|&byte| byte == b')')?;
        text.get(name_ends + 2).copied()
    }
}
