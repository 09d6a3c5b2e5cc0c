//! A process on another CPU that does the same at the same time.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

use rawipc::shm::Shared;

use crate::helper::Helper;
use crate::place::Cpu;

const RESTS: u32 = 0;
const WANTED: u32 = 1;
const AT_IT: u32 = 2;

pub(super) struct Rival {
    state: &'static AtomicU32,
    /// None where there is but one CPU.
    helper: Option<Helper>,
}

impl Rival {
    /// One that repeats that while it is wanted.
    pub(super) fn start(mut repeat: impl FnMut(u64)) -> Self {
        let state: &'static AtomicU32 =
            Box::leak(Box::new(Shared::anonymous(AtomicU32::new(RESTS)).expect("memory")));
        let helper = Cpu::away().map(|away| {
            Helper::start(move || {
                away.pin();
                loop {
                    // Not spinning, as there are others like it on that CPU. What it wakes late
                    // is a few parts in a hundred of a slice.
                    if state.load(Relaxed) == RESTS {
                        std::thread::sleep(Duration::from_micros(50));
                        continue;
                    }
                    state.store(AT_IT, Relaxed);
                    while state.load(Relaxed) == AT_IT {
                        repeat(64);
                    }
                }
            })
        });
        Self { state, helper }
    }

    pub(super) fn during(&self, work: impl FnOnce()) {
        if self.helper.is_some() {
            self.state.store(WANTED, Relaxed);
            while self.state.load(Relaxed) != AT_IT {
                spin_loop();
            }
        }
        work();
        self.state.store(RESTS, Relaxed);
    }
}
