//! The turn, by hand on `libc`.

use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;

use crate::by_hand::{Condvar, Flag, Kind, Mutex, Semaphore};
use crate::meeting::Ends;
use crate::shared::share;

pub(super) fn asleep_at_once(work: fn()) -> Ends {
    flags(|flag| flag.wait_asleep().unwrap(), work)
}

pub(super) fn spinning_first(work: fn()) -> Ends {
    flags(|flag| flag.wait_spinning(Duration::from_micros(10)).unwrap(), work)
}

fn flags(wait: fn(&Flag), work: fn()) -> Ends {
    let (there, back) = (share(Flag::default()), share(Flag::default()));
    let ask = move || {
        there.set().unwrap();
        wait(back);
    };
    let answer = move || {
        wait(there);
        work();
        back.set().unwrap();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}

pub(super) fn semaphores(work: fn()) -> Ends {
    let (there, back) = (Semaphore::shared(0).unwrap(), Semaphore::shared(0).unwrap());
    let ask = move || {
        there.post().unwrap();
        back.wait().unwrap();
    };
    let answer = move || {
        there.wait().unwrap();
        work();
        back.post().unwrap();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}

pub(super) fn condvar(work: fn()) -> Ends {
    let mutex = Mutex::shared(Kind::Plain).unwrap();
    let changed = Condvar::shared().unwrap();
    // Whether it is the partner's.
    let turn = &mutex.value;
    let ask = move || {
        mutex.lock().unwrap();
        turn.store(1, Relaxed);
        changed.signal().unwrap();
        while turn.load(Relaxed) == 1 {
            changed.wait(mutex).unwrap();
        }
        mutex.unlock().unwrap();
    };
    let answer = move || {
        mutex.lock().unwrap();
        while turn.load(Relaxed) == 0 {
            changed.wait(mutex).unwrap();
        }
        work();
        turn.store(0, Relaxed);
        changed.signal().unwrap();
        mutex.unlock().unwrap();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}
