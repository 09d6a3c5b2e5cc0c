//! The turn, as `rustix-futex-sync` has it, in shared memory.

use rustix_futex_sync::shm::{Condvar, Mutex};

use crate::meeting::Ends;
use crate::shared::share;

pub(super) fn condvar(work: fn()) -> Ends {
    let is_partners_turn = share(Mutex::new(false));
    let changed = share(Condvar::new());
    let ask = move || {
        let mut turn = is_partners_turn.lock();
        *turn = true;
        changed.notify_one();
        drop(changed.wait_while(turn, |is_partners| *is_partners));
    };
    let answer = move || {
        let turn = is_partners_turn.lock();
        let mut turn = changed.wait_while(turn, |is_partners| !*is_partners);
        work();
        *turn = false;
        changed.notify_one();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}
