//! [`Tasks`] between processes: joining what others do, who may be killed, or write nonsense.

mod support;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use rawipc::Deadline;
use rawipc::error::{Overflow, TimedOut};
use rawipc::process::{Child, Signal};
use rawipc::queue::{Mpmc, NoneUnfinished, Tasks};
use rawipc::shm::{Shared, ShmSafe};
use rawipc::zerocopy::FromBytes;
use support::crowd::{SIZES, all, all_threads, asleep, times_out};
use support::shared::{shared, words};
use support::signals::Interruptions;
use support::{SOON, child, eventually, isolated, join, kill};

/// A queue of numbers, beside the account of what has come of them.
#[derive(FromBytes)]
#[zerocopy(crate = "rawipc::zerocopy")]
#[repr(C)]
struct Pool {
    queue: Mpmc<u64, 8>,
    tasks: Tasks,
    sum: AtomicU64,
}

// SAFETY: `repr(C)`, and each field is `ShmSafe`.
unsafe impl ShmSafe for Pool {}

impl Pool {
    fn new() -> Shared<Self> {
        shared(Self { queue: Mpmc::new(), tasks: Tasks::new(), sum: AtomicU64::new(0) })
    }

    fn push(&self, number: u64) {
        self.tasks.add(1).unwrap();
        self.queue.push(number).unwrap();
    }

    /// Does with each number what `task` says, until there will be none.
    fn worker(&self, task: impl Fn(u64)) -> Child {
        child(|| {
            while let Ok(number) = self.queue.pop() {
                task(number);
                self.tasks.task_done().unwrap();
            }
        })
    }

    /// Right only if no two do it at the same time, or one after the other without a join between.
    fn add_to_sum(&self, number: u64) {
        self.sum.store(self.sum.load(Relaxed) + number, Relaxed);
    }
}

/// So many unfinished ones.
fn unfinished(count: u32) -> Shared<Tasks> {
    let tasks = shared(Tasks::new());
    tasks.add(count).unwrap();
    tasks
}

fn ended(tasks: &Tasks) -> Result<(), TimedOut> {
    tasks.join_until(Deadline::after(SOON))
}

/// By each of the forms in turn.
fn join_somehow(tasks: &Tasks, round: u64) {
    match round % 3 {
        0 => tasks.join(),
        1 => ended(tasks).expect("in time"),
        _ => {
            while !tasks.is_done() {
                std::thread::yield_now();
            }
        }
    }
}

#[test]
fn join_waits_for_the_tasks_of_several_processes_and_sees_what_they_did() {
    isolated(|| {
        for size in SIZES {
            let pool = Pool::new();
            let workers: Vec<_> = (0..size)
                .map(|_| {
                    pool.worker(|number| {
                        pool.sum.fetch_add(number, Relaxed);
                    })
                })
                .collect();
            for round in 0..300 {
                pool.sum.store(0, Relaxed);
                let most = round % 20;
                (1..=most).for_each(|number| pool.push(number));
                join_somehow(&pool.tasks, round);
                assert_eq!(pool.sum.load(Relaxed), most * (most + 1) / 2);
                assert!(pool.tasks.is_done());
            }
            pool.queue.close();
            workers.into_iter().for_each(join);
        }
    });
}

#[test]
fn what_one_does_after_a_join_no_task_disturbs() {
    isolated(|| {
        let pool = Pool::new();
        // One at a time: all may change the same number.
        let workers = [(); 3].map(|()| pool.worker(|number| pool.add_to_sum(number)));
        for round in 0..3000 {
            pool.push(1);
            join_somehow(&pool.tasks, round);
            pool.add_to_sum(1);
        }
        assert_eq!(pool.sum.load(Relaxed), 6000);
        pool.queue.close();
        workers.into_iter().for_each(join);
    });
}

#[test]
fn tasks_that_tasks_make_are_waited_for() {
    isolated(|| {
        let pool = Pool::new();
        let grow = |depth| {
            pool.sum.fetch_add(1, Relaxed);
            // Never more at the same time than the queue holds: otherwise all would wait to push.
            if depth > 0 {
                pool.push(depth - 1);
            }
            if depth > 1 {
                pool.push(0);
            }
        };
        let workers = [(); 2].map(|()| pool.worker(grow));
        for round in 1..=50 {
            pool.push(20);
            join_somehow(&pool.tasks, round);
            // A chain of 21, of which 19 have another one beside them.
            assert_eq!(pool.sum.load(Relaxed), round * 40);
        }
        pool.queue.close();
        workers.into_iter().for_each(join);
    });
}

#[test]
fn threads_and_children_may_join_what_they_have_not_added() {
    isolated(|| {
        for size in SIZES {
            let (tasks, done) =
                (unfinished(u32::try_from(size).unwrap()), shared(AtomicU32::new(0)));
            let task = |number| {
                done.fetch_add(1, Relaxed);
                tasks.task_done().unwrap();
                join_somehow(&tasks, number as u64);
                assert_eq!(done.load(Relaxed) as usize % size, 0);
            };
            all(size, task);
            tasks.add(u32::try_from(size).unwrap()).unwrap();
            all_threads(size, task);
            assert_eq!(done.load(Relaxed) as usize, 2 * size);
        }
    });
}

#[test]
fn a_child_of_a_child_can_do_what_was_added_before_both() {
    isolated(|| {
        let tasks = unfinished(2);
        let outer = child(|| {
            let inner = child(|| tasks.task_done().unwrap());
            tasks.task_done().unwrap();
            join(inner);
            assert!(tasks.is_done());
        });
        tasks.join();
        join(outer);
    });
}

#[test]
fn with_none_unfinished_nobody_waits() {
    isolated(|| {
        let tasks = shared(Tasks::new());
        assert!(tasks.is_done());
        tasks.join();
        assert_eq!(tasks.join_until(Deadline::now()), Ok(()));
        tasks.add(0).unwrap();
        tasks.join();
        tasks.add(1).unwrap();
        tasks.task_done().unwrap();
        tasks.join();
        assert_eq!(tasks.join_until(Deadline::now()), Ok(()));
    });
}

#[test]
fn what_was_not_added_cannot_be_done() {
    isolated(|| {
        let (tasks, refused) = (unfinished(3), shared(AtomicU32::new(0)));
        all(5, |_| {
            if tasks.task_done() == Err(NoneUnfinished) {
                refused.fetch_add(1, Relaxed);
            }
        });
        assert_eq!((refused.load(Relaxed), tasks.unfinished()), (2, 0));
        tasks.add(1).unwrap();
        assert_eq!(tasks.unfinished(), 1, "what was refused is not owed");
        assert_eq!(format!("{NoneUnfinished}"), "no task is unfinished");
    });
}

#[test]
fn more_than_can_be_counted_are_refused() {
    isolated(|| {
        let tasks = unfinished(u32::MAX - 1);
        assert_eq!(tasks.add(2), Err(Overflow));
        assert_eq!(tasks.add(u32::MAX), Err(Overflow));
        assert_eq!(tasks.unfinished(), u32::MAX - 1);
        tasks.add(1).unwrap();
        assert_eq!((tasks.add(1), tasks.add(0)), (Err(Overflow), Ok(())));
        tasks.task_done().unwrap();
        assert_eq!(format!("{:?}", *tasks), "Tasks { unfinished: 4294967294, .. }");
    });
}

#[test]
fn who_slept_when_the_last_was_done_gets_on_although_more_were_added() {
    isolated(|| {
        let tasks = unfinished(1);
        let sleepers = [(); 3].map(|()| asleep(|| tasks.join()));
        for sleeper in &sleepers {
            sleeper.kill(Signal::STOP).expect("stop");
        }
        tasks.task_done().unwrap();
        tasks.add(1).unwrap();
        for sleeper in &sleepers {
            sleeper.kill(Signal::CONT).expect("go on");
        }
        sleepers.into_iter().for_each(join);
        assert_eq!(times_out(|by| tasks.join_until(by)), TimedOut);
    });
}

#[test]
fn tasks_that_come_and_go_do_not_end_a_wait() {
    isolated(|| {
        let (tasks, over) = (unfinished(1), shared(AtomicU32::new(0)));
        let joiner = asleep(|| {
            tasks.join();
            assert_eq!(over.load(Relaxed), 1);
        });
        for _ in 0..1000 {
            tasks.add(2).unwrap();
            tasks.task_done().unwrap();
            tasks.task_done().unwrap();
        }
        over.store(1, Relaxed);
        tasks.task_done().unwrap();
        join(joiner);
    });
}

#[test]
fn a_joiner_gives_up_at_its_deadline_and_not_before() {
    isolated(|| {
        let tasks = unfinished(1);
        assert_eq!(times_out(|by| tasks.join_until(by)), TimedOut);
        assert_eq!(tasks.join_until(Deadline::now()), Err(TimedOut));
        // Longer than the slice after which who sleeps looks again.
        let by = Deadline::after(Duration::from_millis(1100));
        assert_eq!(tasks.join_until(by), Err(TimedOut));
        assert!(by.has_passed());
        tasks.task_done().unwrap();
        assert_eq!(tasks.join_until(by), Ok(()));
    });
}

#[test]
fn signals_do_not_end_a_join() {
    isolated(|| {
        let (tasks, over) = (unfinished(1), shared(AtomicU32::new(0)));
        let joiner = asleep(|| {
            let _interruptions = Interruptions::start();
            tasks.join();
            assert_eq!(over.load(Relaxed), 1);
        });
        {
            // Long enough for several of the child's signals, too.
            let _interruptions = Interruptions::start();
            assert_eq!(times_out(|by| tasks.join_until(by)), TimedOut);
        }
        over.store(1, Relaxed);
        tasks.task_done().unwrap();
        join(joiner);
    });
}

#[test]
fn a_joiner_that_is_killed_while_it_waits_harms_nobody() {
    isolated(|| {
        let tasks = unfinished(2);
        kill(asleep(|| tasks.join()));
        let [first, second, third] = [(); 3].map(|()| asleep(|| tasks.join()));
        kill(second);
        // Stopped, it takes its wake with it.
        third.kill(Signal::STOP).expect("stop");
        tasks.task_done().unwrap();
        tasks.task_done().unwrap();
        kill(third);
        join(first);
        assert_eq!(tasks.join_until(Deadline::now()), Ok(()));
        tasks.add(1).unwrap();
        let next = asleep(|| tasks.join());
        tasks.task_done().unwrap();
        join(next);
    });
}

#[test]
fn joiners_that_are_killed_at_any_moment_harm_nobody() {
    isolated(|| {
        let (tasks, waits) = (unfinished(1), shared(AtomicU32::new(0)));
        for moment in 0..30 {
            waits.store(0, Relaxed);
            let joiner = child(|| {
                loop {
                    let soon = Deadline::after(Duration::from_micros(20 * (moment % 3)));
                    assert_eq!(tasks.join_until(soon), Err(TimedOut));
                    waits.fetch_add(1, Relaxed);
                }
            });
            eventually("it waits", || waits.load(Relaxed) > 0);
            (0..moment * 40).for_each(|_| core::hint::spin_loop());
            kill(joiner);
        }
        assert_eq!(tasks.unfinished(), 1);
        let joiner = asleep(|| tasks.join());
        tasks.task_done().unwrap();
        join(joiner);
    });
}

#[test]
fn a_worker_that_is_killed_leaves_its_task_to_who_knows_of_it() {
    isolated(|| {
        let pool = Pool::new();
        pool.push(1);
        let worker = asleep(|| {
            pool.queue.pop().unwrap();
            // Waits for itself: for ever.
            pool.tasks.join();
        });
        kill(worker);
        assert_eq!((pool.queue.len(), pool.tasks.unfinished()), (0, 1));
        assert_eq!(times_out(|by| pool.tasks.join_until(by)), TimedOut);
        let joiner = asleep(|| pool.tasks.join());
        pool.tasks.task_done().unwrap();
        join(joiner);
    });
}

/// The low half, in which the turn is counted by twos; and the high half.
const LOW: usize = cfg!(target_endian = "big") as usize;
const HIGH: usize = 1 - LOW;

#[test]
fn the_high_half_is_the_count_and_the_low_half_changes_when_all_are_done() {
    isolated(|| {
        let tasks = shared(Tasks::new());
        let halves = || [HIGH, LOW].map(|half| words(&tasks)[half].load(Relaxed));
        assert_eq!(halves(), [0, 0]);
        tasks.add(2).unwrap();
        assert_eq!(halves(), [2, 0]);
        let joiner = asleep(|| tasks.join());
        assert_eq!(halves(), [2, 1]);
        tasks.task_done().unwrap();
        assert_eq!(halves(), [1, 1]);
        tasks.task_done().unwrap();
        assert_eq!(halves(), [0, 2]);
        join(joiner);
        // The last turn of all is followed by the first.
        words(&tasks)[LOW].store(u32::MAX - 1, Relaxed);
        tasks.add(1).unwrap();
        let joiner = asleep(|| tasks.join());
        tasks.task_done().unwrap();
        join(joiner);
        assert_eq!(halves(), [0, 0]);
    });
}

#[test]
fn a_wake_that_died_with_the_last_worker_is_made_up_for() {
    isolated(|| {
        let tasks = unfinished(1);
        let joiners = [(); 2].map(|()| asleep(|| tasks.join()));
        // As task_done leaves it for who is killed right then.
        words(&tasks)[HIGH].store(0, Relaxed);
        words(&tasks)[LOW].store(2, Relaxed);
        joiners.into_iter().for_each(join);
    });
}

/// Numbers of which most mean something; the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        const TELLING: [u32; 11] = [
            0,
            1,
            2,
            3,
            4,
            5,
            i32::MAX.unsigned_abs(),
            1 << 31,
            u32::MAX - 2,
            u32::MAX - 1,
            u32::MAX,
        ];
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [kind, choice, _, _, random @ ..] = (mixed ^ mixed >> 31).to_le_bytes();
        match kind % 4 {
            0 => u32::from_le_bytes(random),
            _ => TELLING[usize::from(choice) % TELLING.len()],
        }
    }
}

fn scribble(words: &[AtomicU32], numbers: &mut Numbers) {
    for word in words {
        word.store(numbers.next(), Relaxed);
    }
}

/// Every call that may be made of whatever bytes are there.
fn call_all(tasks: &Tasks) {
    for count in [0, 1, u32::MAX] {
        let by = Deadline::after(Duration::from_micros(50));
        assert!(tasks.join_until(by).is_ok() || by.has_passed());
        let _ = (tasks.task_done(), tasks.add(count), tasks.join_until(Deadline::now()));
        let _ = (tasks.unfinished(), tasks.is_done(), format!("{tasks:?}"));
    }
}

fn works_when_put_back(tasks: &Tasks, words: &[AtomicU32]) {
    for word in words {
        word.store(0, Relaxed);
    }
    tasks.add(1).unwrap();
    let joiner = asleep(|| tasks.join());
    tasks.task_done().unwrap();
    join(joiner);
}

#[test]
fn any_bytes_can_be_called() {
    isolated(|| {
        let (tasks, mut numbers) = (shared(Tasks::new()), Numbers(7));
        for _ in 0..500 {
            scribble(words(&tasks), &mut numbers);
            call_all(&tasks);
        }
        works_when_put_back(&tasks, words(&tasks));
    });
}

#[test]
fn bytes_that_change_all_the_time_can_be_called() {
    isolated(|| {
        let (tasks, stop) = (shared(Tasks::new()), shared(AtomicU32::new(0)));
        let vandal = child(|| {
            let mut numbers = Numbers(8);
            while stop.load(Relaxed) == 0 {
                scribble(words(&tasks), &mut numbers);
            }
        });
        for _ in 0..300 {
            call_all(&tasks);
        }
        stop.store(1, Relaxed);
        join(vandal);
        works_when_put_back(&tasks, words(&tasks));
    });
}
