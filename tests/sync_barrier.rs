//! [`Barrier`] between processes and threads.

mod support;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use rawipc::Deadline;
use rawipc::process::Signal;
use rawipc::sync::{Barrier, BarrierError, Broken};
use support::crowd::{all, all_threads, asleep, times_out};
use support::shared::shared;
use support::signals::Interruptions;
use support::{SOON, child, eventually, isolated, join, kill};

/// What the parties do between one turn and the next.
struct Board<'a> {
    barrier: &'a Barrier,
    /// In which turn each of the parties is.
    turns: &'a [AtomicU32],
    leaders: &'a AtomicU64,
}

impl Board<'_> {
    fn play(&self, number: usize, rounds: u32) {
        for round in 1..=rounds {
            self.turns[number].store(round, Relaxed);
            let result = match round % 2 {
                0 => self.barrier.wait().expect("not broken"),
                _ => self.barrier.wait_until(Deadline::after(SOON)).expect("in time"),
            };
            if result.is_leader() {
                self.leaders.fetch_add(1, Relaxed);
            }
            for other in self.turns {
                let other = other.load(Relaxed);
                assert!(other == round || other == round + 1, "in {other}, not in {round}");
            }
        }
    }
}

#[test]
fn nobody_is_ahead_by_more_than_a_turn_and_each_turn_has_one_leader() {
    isolated(|| {
        for (size, rounds) in [(1, 2000), (2, 2000), (3, 1000), (16, 100)] {
            let barrier = shared(Barrier::new(size));
            let turns = shared([const { AtomicU32::new(0) }; 16]);
            let leaders = shared(AtomicU64::new(0));
            let size = usize::from(size);
            let board = Board { barrier: &barrier, turns: &turns[..size], leaders: &leaders };
            all(size, |number| board.play(number, rounds));
            assert_eq!(leaders.load(Relaxed), u64::from(rounds));
            assert_eq!(barrier.waiting(), 0);
        }
    });
}

#[test]
fn threads_wait_for_each_other() {
    isolated(|| {
        let turns = [const { AtomicU32::new(0) }; 5];
        let (barrier, leaders) = (Barrier::new(5), AtomicU64::new(0));
        let board = Board { barrier: &barrier, turns: &turns, leaders: &leaders };
        all_threads(5, |number| board.play(number, 300));
        assert_eq!(leaders.into_inner(), 300);
    });
}

#[test]
fn more_who_come_than_there_are_parties_go_in_turns() {
    isolated(|| {
        let barrier = shared(Barrier::new(2));
        let (comers, leaders) = (shared(AtomicU32::new(0)), shared(AtomicU32::new(0)));
        all(6, |_| {
            while comers.fetch_add(1, Relaxed) < 3000 {
                leaders.fetch_add(barrier.wait().expect("not broken").is_leader().into(), Relaxed);
            }
        });
        assert_eq!(leaders.load(Relaxed), 3000 / 2);
    });
}

#[test]
fn who_sleeps_through_many_turns_learns_how_its_own_ended() {
    isolated(|| {
        let barrier = shared(Barrier::new(2));
        let slow = asleep(|| assert!(!barrier.wait().expect("its turn was good").is_leader()));
        slow.kill(Signal::STOP).expect("stop");
        assert!(barrier.wait().expect("all have come").is_leader());
        all(2, |_| {
            for _ in 0..100 {
                barrier.wait().expect("not broken");
            }
        });
        slow.kill(Signal::CONT).expect("go on");
        join(slow);
    });
}

#[test]
fn who_sleeps_while_others_break_and_mend_it_learns_how_its_turn_ended() {
    isolated(|| {
        let barrier = shared(Barrier::new(2));
        for (all_came, later_turns) in [(true, 1), (false, 1), (false, 20)] {
            let slow = asleep(|| assert_eq!(barrier.wait().is_ok(), all_came));
            slow.kill(Signal::STOP).expect("stop");
            if all_came {
                barrier.wait().expect("all have come");
            }
            barrier.abort();
            barrier.reset();
            all(2, |_| {
                for _ in 0..later_turns {
                    barrier.wait().expect("mended");
                }
            });
            slow.kill(Signal::CONT).expect("go on");
            join(slow);
        }
    });
}

#[test]
fn who_gives_up_breaks_it_for_all() {
    isolated(|| {
        let barrier = shared(Barrier::new(3));
        let other = asleep(|| assert_eq!(barrier.wait(), Err(Broken)));
        let error = times_out(|by| barrier.wait_until(by).map(drop));
        assert_eq!(error, BarrierError::TimedOut);
        join(other);
        assert!(barrier.is_broken());
        assert_eq!(barrier.wait_until(Deadline::NEVER), Err(BarrierError::Broken));
        assert_eq!(barrier.try_wait(), Err(Broken));
        barrier.reset();
        all(3, |_| assert!(barrier.wait().is_ok(), "as new"));
    });
}

#[test]
fn a_deadline_of_the_last_to_come_does_not_matter() {
    isolated(|| {
        for by in [Deadline::now(), Deadline::NEVER, Deadline::after(Duration::MAX)] {
            let barrier = shared(Barrier::new(2));
            let never = Deadline::after(Duration::MAX);
            let first = asleep(|| assert!(!barrier.wait_until(never).unwrap().is_leader()));
            assert!(barrier.wait_until(by).unwrap().is_leader());
            join(first);
        }
    });
}

#[test]
fn who_only_tries_comes_last_or_not_at_all() {
    isolated(|| {
        let barrier = shared(Barrier::new(2));
        assert_eq!((barrier.try_wait(), barrier.waiting()), (Ok(None), 0));
        let first = asleep(|| assert!(barrier.wait().is_ok()));
        assert_eq!((barrier.parties(), barrier.waiting()), (2, 1));
        assert!(barrier.try_wait().unwrap().unwrap().is_leader());
        join(first);
    });
}

#[test]
fn signals_do_not_end_a_turn() {
    isolated(|| {
        let barrier = shared(Barrier::new(2));
        let first = asleep(|| {
            let _interruptions = Interruptions::start();
            assert!(!barrier.wait().unwrap().is_leader());
        });
        {
            let never = Barrier::new(2);
            let _interruptions = Interruptions::start();
            let error = times_out(|by| never.wait_until(by).map(drop));
            assert_eq!(error, BarrierError::TimedOut);
        }
        assert_eq!(barrier.waiting(), 1);
        assert!(barrier.wait().unwrap().is_leader());
        join(first);
    });
}

#[test]
fn abort_and_reset_tell_all_who_wait() {
    isolated(|| {
        let barrier = shared(Barrier::new(4));
        for end in [Barrier::abort, Barrier::reset] {
            let wait = || assert_eq!(barrier.wait(), Err(Broken));
            let sleepers = [asleep(wait), asleep(wait), asleep(wait)];
            end(&barrier);
            sleepers.into_iter().for_each(join);
            barrier.reset();
        }
        all(4, |_| assert!(barrier.wait().is_ok(), "as new"));
    });
}

#[test]
fn one_that_was_killed_while_it_waited_counts_as_come() {
    isolated(|| {
        let barrier = shared(Barrier::new(3));
        let killed = asleep(|| assert!(barrier.wait().is_err(), "killed before"));
        let other = asleep(|| assert!(barrier.wait().is_ok(), "three have come"));
        kill(killed);
        assert!(barrier.wait().expect("three have come").is_leader());
        join(other);

        // For the next turn one is missing, until somebody says so.
        let others = [(); 2].map(|()| asleep(|| assert_eq!(barrier.wait(), Err(Broken))));
        barrier.abort();
        others.into_iter().for_each(join);
        barrier.reset();
        kill(asleep(|| assert!(barrier.wait().is_err(), "killed before")));
        assert_eq!(barrier.waiting(), 1);
        barrier.reset();
        all(3, |_| assert!(barrier.wait().is_ok(), "as new"));
    });
}

#[test]
fn turns_end_well_or_not_while_others_break_and_mend_it() {
    isolated(|| {
        let barrier = shared(Barrier::new(3));
        let good = shared(AtomicU32::new(0));
        let wait = || {
            while good.load(Relaxed) < 600 {
                good.fetch_add(barrier.wait().is_ok().into(), Relaxed);
            }
            // Who has stopped is not waited for.
            barrier.abort();
        };
        let parties = [child(wait), child(wait), child(wait)];
        for broken in 1..=100 {
            eventually("turns go on", || good.load(Relaxed) >= broken * 3);
            barrier.abort();
            barrier.reset();
        }
        eventually("the others stop", || good.load(Relaxed) >= 600);
        barrier.abort();
        parties.into_iter().for_each(join);
    });
}
