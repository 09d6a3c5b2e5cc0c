//! What holds of every wait in `sync`: deadlines, signals, and others that are killed.

mod support;

use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;

use rawipc::Deadline;
use rawipc::error::TimedOut;
use rawipc::process::Signal;
use rawipc::sync::{
    AutoResetEvent, BoundedSemaphore, Condvar, Event, Mutex, Once, ReentrantMutex, RwLock,
    Semaphore,
};
use support::crowd::{asleep, swallower, times_out};
use support::shared::{shared, words};
use support::signals::Interruptions;
use support::{SOON, child, eventually, isolated, join, kill};

/// One way to wait, where now everybody has to.
struct Way<'a> {
    wait: &'a dyn Fn(),
    wait_until: &'a dyn Fn(Deadline) -> Result<(), TimedOut>,
    /// Lets one get on who waits, at least.
    open: &'a dyn Fn(),
    /// The word by which one sleeper at a time is woken, and what it is while nobody sleeps.
    wakes_one_by: Option<(&'a AtomicU32, u32)>,
}

/// Each primitive, one after the other, in a state where it has to be waited for.
fn each_way(test: impl Fn(&Way<'_>)) {
    each_way_without_a_lock(&test);
    condvar(&test);
}

/// Those where who waits holds nothing at any moment.
fn each_way_without_a_lock(test: impl Fn(&Way<'_>)) {
    mutex(&test);
    reentrant_mutex(&test);
    reader(&test);
    writer(&test);
    event(&test);
    auto_reset_event(&test);
    semaphore(&test);
    bounded_semaphore(&test);
    once(&test);
}

fn mutex(test: impl Fn(&Way<'_>)) {
    let mutex = shared(Mutex::new(0_u32));
    let held = Cell::new(Some(mutex.lock()));
    test(&Way {
        wait: &|| *mutex.lock() += 1,
        wait_until: &|by| mutex.lock_until(by).map(|mut value| *value += 1),
        open: &|| drop(held.take()),
        wakes_one_by: Some((&words(&mutex)[0], 1)),
    });
}

fn reentrant_mutex(test: impl Fn(&Way<'_>)) {
    let mutex = shared(ReentrantMutex::new(Cell::new(0_u32)));
    // Of another thread, as this one may take it again.
    let (taken, over) = (shared(Event::new()), shared(Event::new()));
    let holder = child(|| {
        let _guards = [mutex.lock(), mutex.lock()];
        taken.set();
        over.wait();
    });
    taken.wait();
    let number = holder.id().as_raw_nonzero().get().unsigned_abs();
    let holder = Cell::new(Some(holder));
    let open = || {
        over.set();
        holder.take().into_iter().for_each(join);
    };
    test(&Way {
        wait: &|| drop(mutex.lock()),
        wait_until: &|by| mutex.lock_until(by).map(drop),
        open: &open,
        wakes_one_by: Some((&words(&mutex)[0], number)),
    });
    open();
}

fn reader(test: impl Fn(&Way<'_>)) {
    let lock = shared(RwLock::new(0_u32));
    let held = Cell::new(Some(lock.write()));
    test(&Way {
        wait: &|| drop(lock.read()),
        wait_until: &|by| lock.read_until(by).map(drop),
        open: &|| drop(held.take()),
        wakes_one_by: None,
    });
}

fn writer(test: impl Fn(&Way<'_>)) {
    let lock = shared(RwLock::new(0_u32));
    let held = Cell::new(Some(lock.read()));
    test(&Way {
        wait: &|| drop(lock.write()),
        wait_until: &|by| lock.write_until(by).map(drop),
        open: &|| drop(held.take()),
        wakes_one_by: Some((&words(&lock)[1], 0)),
    });
}

fn condvar(test: impl Fn(&Way<'_>)) {
    let (mutex, condvar) = (shared(Mutex::new(0_u32)), shared(Condvar::new()));
    let not_yet = |value: &mut u32| *value == 0;
    test(&Way {
        wait: &|| condvar.wait_while(&mut mutex.lock(), not_yet),
        wait_until: &|by| condvar.wait_while_until(&mut mutex.lock(), not_yet, by),
        open: &|| {
            *mutex.lock() = 1;
            condvar.notify_one();
        },
        wakes_one_by: Some((&words(&condvar)[0], 0)),
    });
}

fn event(test: impl Fn(&Way<'_>)) {
    let event = shared(Event::new());
    test(&Way {
        wait: &|| event.wait(),
        wait_until: &|by| event.wait_until(by),
        open: &|| event.set(),
        wakes_one_by: None,
    });
}

fn auto_reset_event(test: impl Fn(&Way<'_>)) {
    let event = shared(AutoResetEvent::new());
    test(&Way {
        wait: &|| event.wait(),
        wait_until: &|by| event.wait_until(by),
        open: &|| event.set(),
        wakes_one_by: Some((&words(&event)[0], 0)),
    });
}

/// The low half of the word that a semaphore begins with.
const LOW_HALF: usize = cfg!(target_endian = "big") as usize;

fn semaphore(test: impl Fn(&Way<'_>)) {
    let semaphore = shared(Semaphore::new(0));
    test(&Way {
        wait: &|| semaphore.wait(),
        wait_until: &|by| semaphore.wait_until(by),
        open: &|| semaphore.post().unwrap(),
        wakes_one_by: Some((&words(&semaphore)[LOW_HALF], 0)),
    });
    assert_eq!(semaphore.value(), 0, "one came, and one was taken");
}

fn bounded_semaphore(test: impl Fn(&Way<'_>)) {
    let semaphore = shared(BoundedSemaphore::new(1));
    semaphore.wait();
    test(&Way {
        wait: &|| semaphore.wait(),
        wait_until: &|by| semaphore.wait_until(by),
        open: &|| semaphore.post().unwrap(),
        wakes_one_by: Some((&words(&semaphore)[LOW_HALF], 0)),
    });
    assert_eq!(semaphore.value(), 0, "one came, and one was taken");
}

fn once(test: impl Fn(&Way<'_>)) {
    let once = shared(Once::new());
    test(&Way {
        wait: &|| once.wait(),
        wait_until: &|by| once.wait_until(by),
        open: &|| once.call_once(|| {}),
        wakes_one_by: None,
    });
}

#[test]
fn a_wait_gives_up_at_its_deadline_and_not_before() {
    isolated(|| {
        each_way(|way| {
            assert_eq!(times_out(way.wait_until), TimedOut);
            assert_eq!((way.wait_until)(Deadline::now()), Err(TimedOut));
            (way.open)();
            assert_eq!((way.wait_until)(Deadline::after(SOON)), Ok(()));
        });
    });
}

#[test]
fn a_passed_deadline_takes_what_is_there() {
    isolated(|| {
        each_way(|way| {
            let passed = Deadline::now();
            (way.open)();
            assert_eq!((way.wait_until)(passed), Ok(()));
        });
    });
}

#[test]
fn a_wait_without_a_deadline_lasts_until_its_end() {
    isolated(|| {
        each_way(|way| {
            let child = asleep(way.wait);
            (way.open)();
            join(child);
        });
        for by in [Deadline::NEVER, Deadline::after(Duration::MAX)] {
            each_way(|way| {
                let child = asleep(|| assert_eq!((way.wait_until)(by), Ok(())));
                (way.open)();
                join(child);
            });
        }
    });
}

#[test]
fn a_deadline_beyond_a_slice_is_kept() {
    isolated(|| {
        let mutex = Mutex::new(());
        let _held = mutex.lock();
        let by = Deadline::after(Duration::from_millis(1100));
        assert_eq!(mutex.lock_until(by).err(), Some(TimedOut));
        assert!(by.has_passed());
    });
}

#[test]
fn signals_do_not_end_a_wait() {
    isolated(|| {
        let returned = shared(AtomicU32::new(0));
        each_way(|way| {
            returned.store(0, Relaxed);
            let child = asleep(|| {
                let _interruptions = Interruptions::start();
                (way.wait)();
                returned.store(1, Relaxed);
            });
            {
                // Long enough for several of the child's signals, too.
                let _interruptions = Interruptions::start();
                assert_eq!(times_out(way.wait_until), TimedOut);
            }
            assert_eq!(returned.load(Relaxed), 0, "ended by a signal");
            (way.open)();
            join(child);
        });
    });
}

#[test]
fn one_that_is_killed_while_it_waits_leaves_it_to_others() {
    isolated(|| {
        each_way(|way| {
            kill(asleep(way.wait));
            assert_eq!(times_out(way.wait_until), TimedOut);
            (way.open)();
            assert_eq!((way.wait_until)(Deadline::after(SOON)), Ok(()));
        });
    });
}

#[test]
fn of_two_that_wait_one_that_is_killed_does_not_hold_up_the_other() {
    isolated(|| {
        for first_is_killed in [true, false] {
            each_way(|way| {
                let (first, second) = (asleep(way.wait), asleep(way.wait));
                let (killed, other) =
                    if first_is_killed { (first, second) } else { (second, first) };
                kill(killed);
                (way.open)();
                join(other);
            });
        }
    });
}

#[test]
fn one_that_is_stopped_while_it_waits_and_killed_after_its_wake_does_not_hold_up_another() {
    isolated(|| {
        each_way(|way| {
            let (stopped, other) = (asleep(way.wait), asleep(way.wait));
            stopped.kill(Signal::STOP).expect("stop");
            (way.open)();
            kill(stopped);
            join(other);
        });
    });
}

#[test]
fn some_that_are_killed_at_any_moment_of_waiting_leave_it_to_others() {
    isolated(|| {
        let waits = shared(AtomicU32::new(0));
        each_way_without_a_lock(|way| {
            for moment in 0..30 {
                waits.store(0, Relaxed);
                let child = child(|| {
                    loop {
                        let soon = Deadline::after(Duration::from_micros(20 * (moment % 3)));
                        assert_eq!((way.wait_until)(soon), Err(TimedOut));
                        waits.fetch_add(1, Relaxed);
                    }
                });
                eventually("it waits", || waits.load(Relaxed) > 0);
                (0..moment * 40).for_each(|_| core::hint::spin_loop());
                kill(child);
            }
            (way.open)();
            assert_eq!((way.wait_until)(Deadline::after(SOON)), Ok(()));
        });
    });
}

/// That of one who is killed between its wake and its run.
fn loses_a_wake(way: &Way<'_>) {
    let (word, expected) = way.wakes_one_by.expect("wakes one at a time");
    let first = swallower(word, expected);
    let second = asleep(way.wait);
    (way.open)();
    join(first);
    join(second);
}

#[test]
fn a_wake_of_a_lock_that_died_with_another_is_made_up_for() {
    isolated(|| {
        mutex(loses_a_wake);
        reentrant_mutex(loses_a_wake);
        writer(loses_a_wake);
    });
}

#[test]
fn a_wake_of_a_signal_that_died_with_another_is_made_up_for() {
    isolated(|| {
        condvar(loses_a_wake);
        auto_reset_event(loses_a_wake);
        semaphore(loses_a_wake);
        bounded_semaphore(loses_a_wake);
    });
}
