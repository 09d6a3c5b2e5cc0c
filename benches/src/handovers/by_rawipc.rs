//! The turn, as `rawipc` has it.

use rawipc::sync::{AutoResetEvent, Condvar, Mutex, Semaphore};

use crate::meeting::Ends;
use crate::shared::share;

pub(super) fn events(work: fn()) -> Ends {
    let (there, back) = (share(AutoResetEvent::new()), share(AutoResetEvent::new()));
    let ask = move || {
        there.set();
        back.wait();
    };
    let answer = move || {
        there.wait();
        work();
        back.set();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}

pub(super) fn semaphores(work: fn()) -> Ends {
    let (there, back) = (share(Semaphore::new(0)), share(Semaphore::new(0)));
    let ask = move || {
        there.post().unwrap();
        back.wait();
    };
    let answer = move || {
        there.wait();
        work();
        back.post().unwrap();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}

pub(super) fn condvar(work: fn()) -> Ends {
    let is_partners_turn = share(Mutex::new(false));
    let changed = share(Condvar::new());
    let ask = move || {
        let mut turn = is_partners_turn.lock();
        *turn = true;
        changed.notify_one();
        changed.wait_while(&mut turn, |is_partners| *is_partners);
    };
    let answer = move || {
        let mut turn = is_partners_turn.lock();
        changed.wait_while(&mut turn, |is_partners| !*is_partners);
        work();
        *turn = false;
        changed.notify_one();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}
