//! [`Event`] and [`AutoResetEvent`] between processes and threads.

mod support;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use rawipc::Deadline;
use rawipc::process::Signal;
use rawipc::sync::{AutoResetEvent, Event};
use support::crowd::{SIZES, all, all_threads, asleep};
use support::shared::shared;
use support::{SOON, child, isolated, join, kill};

/// By each of the forms in turn.
fn wait(event: &Event, round: u32) {
    match round % 2 {
        0 => event.wait(),
        _ => event.wait_until(Deadline::after(SOON)).expect("in time"),
    }
}

fn wait_alone(event: &AutoResetEvent, round: u32) {
    match round % 3 {
        0 => event.wait(),
        1 => event.wait_until(Deadline::after(SOON)).expect("in time"),
        _ => {
            if !event.try_wait() {
                event.wait();
            }
        }
    }
}

#[test]
fn all_who_wait_see_each_round_and_what_was_done_before() {
    isolated(|| {
        for size in SIZES {
            // One for even rounds, one for odd ones; and an answer from each.
            let starts = shared([const { Event::new() }; 2]);
            let (round, answers) = (shared(AtomicU32::new(0)), shared(AtomicU32::new(0)));
            let answered = shared(AutoResetEvent::new());
            let rounds = u32::try_from(2000 / size).unwrap();
            let players: Vec<_> = (0..size)
                .map(|_| {
                    child(|| {
                        for mine in 0..rounds {
                            wait(&starts[mine as usize % 2], mine);
                            assert_eq!(round.load(Relaxed), mine);
                            if answers.fetch_add(1, Relaxed) + 1 == u32::try_from(size).unwrap() {
                                answered.set();
                            }
                        }
                    })
                })
                .collect();
            for now in 0..rounds {
                round.store(now, Relaxed);
                answers.store(0, Relaxed);
                starts[(now as usize + 1) % 2].reset();
                starts[now as usize % 2].set();
                wait_alone(&answered, now);
            }
            players.into_iter().for_each(join);
        }
    });
}

#[test]
fn who_waited_when_it_was_set_gets_on_although_it_was_reset() {
    isolated(|| {
        let event = shared(Event::new());
        let sleepers = [(); 3].map(|()| asleep(|| event.wait()));
        for sleeper in &sleepers {
            sleeper.kill(Signal::STOP).expect("stop");
        }
        event.set();
        event.reset();
        for sleeper in &sleepers {
            sleeper.kill(Signal::CONT).expect("go on");
        }
        sleepers.into_iter().for_each(join);
        assert!(!event.is_set());
        assert!(event.wait_until(Deadline::now()).is_err());
    });
}

#[test]
fn it_stays_set_for_those_who_come_later() {
    isolated(|| {
        let event = shared(Event::new());
        event.set();
        event.set();
        all(3, |_| {
            event.wait();
            assert!(event.is_set());
        });
        event.reset();
        event.reset();
        all(1, |_| assert!(!event.is_set()));
    });
}

#[test]
fn all_sleepers_get_on_when_one_of_them_is_killed() {
    isolated(|| {
        let event = shared(Event::new());
        let [first, second, third] = [(); 3].map(|()| asleep(|| event.wait()));
        kill(second);
        event.set();
        join(first);
        join(third);
    });
}

#[test]
fn each_set_is_noticed_once() {
    isolated(|| {
        for size in SIZES {
            let (bell, heard) =
                (shared([const { AutoResetEvent::new() }; 2]), shared(AtomicU64::new(0)));
            let [call, answer] = &*bell;
            let rounds = u32::try_from(3000 / size * size).unwrap();
            let listeners: Vec<_> = (0..size)
                .map(|_| {
                    child(|| {
                        for round in 0..rounds / u32::try_from(size).unwrap() {
                            wait_alone(call, round);
                            // Right only if no other has noticed the same.
                            heard.store(heard.load(Relaxed) + 1, Relaxed);
                            answer.set();
                        }
                    })
                })
                .collect();
            for round in 0..rounds {
                assert_eq!(heard.load(Relaxed), u64::from(round));
                call.set();
                wait_alone(answer, round);
            }
            assert!(!call.is_set() && !answer.is_set());
            listeners.into_iter().for_each(join);
        }
    });
}

#[test]
fn threads_notice_each_set_once() {
    isolated(|| {
        let [call, answer] = [const { AutoResetEvent::new() }; 2];
        let heard = AtomicU32::new(0);
        all_threads(5, |number| {
            for round in 0..500 {
                if number == 0 {
                    for _ in 0..4 {
                        call.set();
                        wait_alone(&answer, round);
                    }
                } else {
                    wait_alone(&call, round);
                    heard.fetch_add(1, Relaxed);
                    answer.set();
                }
            }
        });
        assert_eq!(heard.into_inner(), 2000);
    });
}

#[test]
fn set_twice_is_set_once() {
    isolated(|| {
        let event = shared(AutoResetEvent::new());
        event.set();
        event.set();
        assert!(event.is_set());
        all(1, |_| assert!(event.try_wait() && !event.try_wait()));
        event.set();
        event.reset();
        assert!(!event.try_wait());
        event.reset();
        assert!(event.wait_until(Deadline::now()).is_err());
    });
}

#[test]
fn a_set_wakes_one_and_leaves_the_others_asleep() {
    isolated(|| {
        let (event, woken) = (shared(AutoResetEvent::new()), shared(AtomicU32::new(0)));
        let answered = shared(AutoResetEvent::new());
        let sleepers = [(); 3].map(|()| {
            asleep(|| {
                event.wait();
                woken.fetch_add(1, Relaxed);
                answered.set();
            })
        });
        for expected in 1..=3 {
            event.set();
            answered.wait();
            assert_eq!(woken.load(Relaxed), expected);
            assert!(!event.is_set());
        }
        sleepers.into_iter().for_each(join);
    });
}
