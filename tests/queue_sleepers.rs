//! Nobody who sleeps at a queue is forgotten: whoever could get on is woken, and not only finds out
//! when it looks again by itself, a second later.
//!
//! What seldom happens by chance is brought about here: one process is stopped between two
//! instructions, while others do all that they can.

#![cfg(target_arch = "x86_64")]

mod support;

use rawipc::Deadline;
use rawipc::process::Child;
use rawipc::queue::{Mpmc, PopError, Spsc};
use rawipc::shm::ShmSafe;
use support::crowd::{FUTEX, asleep, at_once};
use support::queues::image;
use support::shared::shared;
use support::step::Stepped;
use support::{eventually, isolated, join, kill, sleeps_in};

type One = Spsc<u64, 2>;
type Many = Mpmc<u64, 2>;

/// Which word of a queue says where the next one is pushed, and popped.
const TAIL: usize = 128 / 8;
const HEAD: usize = 256 / 8;
/// Which words belong to those who wait for a message, and for room. In their upper halves is who
/// sleeps, which changes whenever one goes to.
const NOT_EMPTY: usize = 0;
const NOT_FULL: usize = 1;

fn sleepers(queue: &Many, bell: usize) -> u64 {
    image(queue)[bell] >> 32
}

/// Stops it as soon as it has changed that word.
fn until_it_changes<Q: ShmSafe>(queue: &Q, word: usize, stepped: &Stepped) {
    let before = image(queue)[word];
    while image(queue)[word] == before {
        assert!(stepped.step(), "it has not changed");
    }
}

/// In the middle of a wait, everywhere, `act` happens: the wait is over without delay, and says so.
fn at_any_step_before_it_sleeps<Q: ShmSafe>(
    new: impl Fn() -> Q,
    wait: impl Fn(&Q, Deadline) -> bool,
    act: impl Fn(&Q),
) {
    let stride = if cfg!(debug_assertions) { 173 } else { 1 };
    for steps in (0..).step_by(stride) {
        let queue = shared(new());
        // Until it does not believe in spinning any more.
        let despair = || (0..5).for_each(|_| assert!(!wait(&new(), Deadline::now())));
        let sleep = |(): &mut ()| assert!(wait(&queue, Deadline::NEVER));
        let Some(stepped) = Stepped::start(despair, sleep) else { return };
        let can_step = |_: &usize| !stepped.is_about_to_call(FUTEX) && stepped.step();
        let done = (0..steps).take_while(can_step).count();
        act(&queue);
        at_once(|| stepped.finish());
        if done < steps {
            return;
        }
    }
}

#[test]
fn who_is_about_to_sleep_at_an_spsc_gets_what_is_pushed_meanwhile() {
    isolated(|| {
        let pop = |queue: &One, by| queue.consumer().unwrap().pop_until(by) == Ok(7);
        let push = |queue: &One| queue.producer().unwrap().push(7).unwrap();
        at_any_step_before_it_sleeps(One::new, pop, push);
    });
}

#[test]
fn who_is_about_to_sleep_at_an_spsc_hears_of_its_end() {
    isolated(|| {
        let end = Err(PopError::Closed);
        let pop = |queue: &One, by| queue.consumer().unwrap().pop_until(by) == end;
        at_any_step_before_it_sleeps(One::new, pop, One::close);
    });
}

#[test]
fn who_is_about_to_sleep_at_a_full_spsc_gets_the_room_that_comes_meanwhile() {
    isolated(|| {
        let full = || {
            let queue = One::new();
            queue.producer().unwrap().push_slice(&[1, 2]).unwrap();
            queue
        };
        let push = |queue: &One, by| queue.producer().unwrap().push_until(3, by).is_ok();
        let pop = |queue: &One| assert_eq!(queue.consumer().unwrap().pop(), Ok(1));
        at_any_step_before_it_sleeps(full, push, pop);
    });
}

#[test]
fn who_is_about_to_sleep_at_an_mpmc_gets_what_is_pushed_meanwhile() {
    isolated(|| {
        let pop = |queue: &Many, by| queue.pop_until(by) == Ok(7);
        at_any_step_before_it_sleeps(Many::new, pop, |queue| queue.push(7).unwrap());
    });
}

#[test]
fn who_is_about_to_sleep_at_a_full_mpmc_gets_the_room_that_comes_meanwhile() {
    isolated(|| {
        let full = || {
            let queue = Many::new();
            queue.push_slice(&[1, 2]).unwrap();
            queue
        };
        let push = |queue: &Many, by| queue.push_until(3, by).is_ok();
        at_any_step_before_it_sleeps(full, push, |queue| assert_eq!(queue.pop(), Ok(1)));
    });
}

#[test]
fn who_is_about_to_sleep_at_an_mpmc_hears_of_its_end() {
    isolated(|| {
        let pop = |queue: &Many, by| queue.pop_until(by) == Err(PopError::Closed);
        at_any_step_before_it_sleeps(Many::new, pop, Many::close);
    });
}

/// A child that sleeps until it gets one.
fn popper(queue: &Many) -> Child {
    asleep(|| assert!(queue.pop().is_ok()))
}

/// A child that sleeps until there is room.
fn pusher(queue: &Many) -> Child {
    asleep(|| queue.push(7).unwrap())
}

/// Waits until one of them, who has been woken, sleeps again.
fn sleep_again(queue: &Many, bell: usize, before: u64, children: &[Child; 2]) {
    eventually("one was woken in vain", || sleepers(queue, bell) != before);
    for child in children {
        sleeps_in(child.id(), FUTEX);
    }
}

#[test]
fn who_is_woken_behind_a_push_that_is_not_done_yet_is_not_the_last_to_be_woken() {
    isolated(|| {
        let queue = shared(Many::new());
        let push = |(): &mut ()| queue.push(1).unwrap();
        let Some(stopped) = Stepped::start(|| (), push) else { return };
        let poppers = [popper(&queue), popper(&queue)];
        until_it_changes(&*queue, TAIL, &stopped);
        let before = sleepers(&queue, NOT_EMPTY);
        queue.push(2).unwrap();
        sleep_again(&queue, NOT_EMPTY, before, &poppers);
        at_once(|| {
            stopped.finish();
            poppers.into_iter().for_each(join);
        });
    });
}

#[test]
fn who_is_woken_behind_a_pop_that_is_not_done_yet_is_not_the_last_to_be_woken() {
    isolated(|| {
        let queue = shared(Many::new());
        queue.push_slice(&[1, 2]).unwrap();
        let pop = |(): &mut ()| assert_eq!(queue.pop(), Ok(1));
        let Some(stopped) = Stepped::start(|| (), pop) else { return };
        let pushers = [pusher(&queue), pusher(&queue)];
        until_it_changes(&*queue, HEAD, &stopped);
        let before = sleepers(&queue, NOT_FULL);
        assert_eq!(queue.pop(), Ok(2));
        sleep_again(&queue, NOT_FULL, before, &pushers);
        at_once(|| {
            stopped.finish();
            pushers.into_iter().for_each(join);
        });
    });
}

#[test]
fn who_goes_to_sleep_while_others_find_nobody_to_wake_is_counted() {
    isolated(|| {
        let queue = shared(Many::new());
        kill(popper(&queue));
        let push = |(): &mut ()| queue.push(1).unwrap();
        let Some(stopped) = Stepped::start(|| (), push) else { return };
        while !stopped.is_about_to_call(FUTEX) {
            assert!(stopped.step(), "it has woken nobody");
        }
        assert!(stopped.step());
        // It has woken nobody, and is about to say so. Another one says so first.
        queue.push(2).unwrap();
        assert!(queue.drain().eq([1, 2]));
        let popper = popper(&queue);
        stopped.finish();
        at_once(|| {
            queue.push(3).unwrap();
            join(popper);
        });
    });
}
