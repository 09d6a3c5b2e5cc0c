use loom::model;
use loom::sync::Arc;
use rawipc::sync::{Event, RwLock, RwLockWriteGuard};

use crate::{beside, join, later, model_interrupted, soon};

/// A writer is alone, and the next sees what it has written.
#[test]
fn writer_is_unique() {
    model(|| {
        let count = Arc::new(RwLock::new(0));
        let other = beside(&count, |count| *count.write() += 1);
        *count.write() += 1;
        other.join().unwrap();
        assert_eq!(*count.read(), 2);
    });
}

/// A reader sees all that a writer has written, or nothing of it.
#[test]
fn readers_keep_writers_out() {
    model(|| {
        let pair = Arc::new(RwLock::new((0, 0)));
        let reader = beside(&pair, |pair| {
            let pair = pair.read();
            assert_eq!(pair.0, pair.1);
        });
        *pair.write() = (1, 1);
        reader.join().unwrap();
    });
}

/// Both where nobody ever waits.
#[test]
fn who_tries_is_kept_out_as_well() {
    fn attempt(count: &RwLock<u32>) -> u32 {
        let seen = count.try_read().map_or(0, |count| *count);
        assert!(seen <= 2);
        count.try_write().map_or(0, |mut count| {
            *count += 1;
            1
        })
    }
    model(|| {
        let count = Arc::new(RwLock::new(0));
        let other = beside(&count, attempt);
        let mine = attempt(&count);
        let written = mine + other.join().unwrap();
        assert_eq!(count.try_read().as_deref(), Some(&written));
    });
}

/// A writer comes after all of several readers.
#[test]
fn writer_comes_after_all_readers() {
    model(|| {
        let count = Arc::new(RwLock::new(0));
        let readers = [(); 2].map(|()| {
            beside(&count, |count| {
                if let Some(count) = count.try_read() {
                    assert!(*count <= 1);
                }
            })
        });
        if let Some(mut count) = count.try_write() {
            *count += 1;
        }
        join(readers);
    });
}

/// Two writers and a reader: whoever sleeps is woken.
#[test]
fn no_sleeper_is_forgotten() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(RwLock::new(0));
        let writer = beside(&count, |count| *count.write() += 1);
        let reader = beside(&count, |count| assert!(*count.read() <= 2));
        *count.write() += 1;
        writer.join().unwrap();
        reader.join().unwrap();
        assert_eq!(*count.read(), 2);
    });
}

/// Readers come in together: none waits for the other to leave.
#[test]
fn readers_are_together() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(RwLock::new(0));
        let writing = count.write();
        let reader = beside(&count, |count| *count.read());
        let other = beside(&count, |count| *count.read());
        drop(writing);
        let reading = count.read();
        assert_eq!(reader.join().unwrap() + other.join().unwrap() + *reading, 0);
    });
}

/// A reader that comes while a writer waits lets it go first.
#[test]
fn waiting_writer_goes_first() {
    // Nobody is interrupted, so that the writer sleeps when the reader comes.
    model_interrupted(0, || {
        let shared = Arc::new((RwLock::new(0), Event::new()));
        let (count, ready) = &*shared;
        let reading = count.read();
        let writer = beside(&shared, |(count, ready)| {
            ready.set();
            *count.write() += 1;
        });
        ready.wait();
        assert!(count.try_read().is_none());
        drop(reading);
        writer.join().unwrap();
        assert_eq!(*count.read(), 1);
    });
}

/// A sleeping writer and a sleeping reader get on, though another writer barges in.
#[test]
fn who_barges_in_forgets_nobody() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(RwLock::new(0));
        let held = count.write();
        let writer = beside(&count, |count| *count.write() += 1);
        let reader = beside(&count, |count| assert!(*count.read() <= 2));
        drop(held);
        if let Some(mut count) = count.try_write() {
            *count += 1;
        }
        writer.join().unwrap();
        reader.join().unwrap();
    });
}

/// A writer that was woken in place of the readers, and gives up then, leaves them to be woken.
#[test]
fn writer_that_gives_up_forgets_no_reader() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(RwLock::new(0));
        let held = count.write();
        let hasty = beside(&count, |count| drop(count.write_until(soon())));
        let reader = beside(&count, |count| *count.read());
        drop(held);
        if let Some(mut count) = count.try_write() {
            *count += 1;
        }
        hasty.join().unwrap();
        assert!(reader.join().unwrap() <= 1);
    });
}

/// A writer that gives up leaves the other writer to be woken.
#[test]
fn writer_that_gives_up_forgets_no_writer() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(RwLock::new(0));
        let held = count.read();
        let hasty = beside(&count, |count| drop(count.write_until(soon())));
        let patient = beside(&count, |count| *count.write() += 1);
        drop(held);
        hasty.join().unwrap();
        patient.join().unwrap();
        assert_eq!(*count.read(), 1);
    });
}

/// Of three that sleep, a writer that gives up forgets neither the other writer nor the reader.
#[test]
fn writer_that_gives_up_forgets_nobody() {
    model_interrupted(1, || {
        // Four threads: too many schedules to go through them all.
        let count = Arc::new(RwLock::new(0));
        let held = count.write();
        let hasty = beside(&count, |count| drop(count.write_until(soon())));
        let patient = beside(&count, |count| *count.write() += 1);
        let reader = beside(&count, |count| *count.read());
        drop(held);
        hasty.join().unwrap();
        patient.join().unwrap();
        assert!(reader.join().unwrap() <= 1);
    });
}

/// A writer that gives up keeps no reader out: it comes in beside the one that is there still.
#[test]
fn writer_that_gives_up_keeps_no_reader_out() {
    model(|| {
        let count = Arc::new(RwLock::new(0));
        let reading = count.read();
        let hasty = beside(&count, |count| count.write_until(soon()).is_ok());
        let reader = beside(&count, |count| *count.read());
        assert!(!hasty.join().unwrap());
        assert_eq!(reader.join().unwrap(), *reading);
    });
}

/// A reader that gives up takes no wake from others.
#[test]
fn reader_that_gives_up_takes_no_wake() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(RwLock::new(0));
        let held = count.write();
        let hasty = beside(&count, |count| drop(count.read_until(soon())));
        let writer = beside(&count, |count| *count.write() += 1);
        drop(held);
        assert!(*count.read() <= 1);
        hasty.join().unwrap();
        writer.join().unwrap();
    });
}

/// Who goes on as a reader lets the others in that sleep, and shows what it has written.
#[test]
fn downgrade_lets_readers_in() {
    model(|| {
        let count = Arc::new(RwLock::new(0));
        let mut writing = count.write();
        let reader = beside(&count, |count| *count.read());
        *writing += 1;
        let reading = RwLockWriteGuard::downgrade(writing);
        assert_eq!((reader.join().unwrap(), *reading), (1, 1));
    });
}

/// The same where nobody ever waits.
#[test]
fn downgrade_shows_what_was_written() {
    model(|| {
        let count = Arc::new(RwLock::new(0));
        let other = beside(&count, |count| {
            if let Some(count) = count.try_read() {
                assert!(*count <= 1);
            }
        });
        if let Some(mut writing) = count.try_write() {
            *writing += 1;
            let reading = RwLockWriteGuard::downgrade(writing);
            assert_eq!(*reading, 1);
        }
        other.join().unwrap();
    });
}

/// No other writer comes in between, and those who wait for one get on in the end.
#[test]
fn downgrade_lets_no_writer_in() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(RwLock::new(0));
        let mut writing = count.write();
        let writer = beside(&count, |count| *count.write() += 1);
        let reader = beside(&count, |count| *count.read());
        *writing += 1;
        let reading = RwLockWriteGuard::downgrade(writing);
        assert_eq!(*reading, 1);
        drop(reading);
        writer.join().unwrap();
        assert!([1, 2].contains(&reader.join().unwrap()));
    });
}

/// A writer that waits for so long that a reader doubts whether it lives comes to its turn.
#[test]
fn doubted_writer_is_not_forgotten() {
    model_interrupted(2, || {
        // Three threads: too many schedules to go through them all.
        let count = Arc::new(RwLock::new(0));
        let first = count.read();
        let writer = beside(&count, |count| *count.write() += 1);
        let second = beside(&count, |count| count.read_until(later()).map(drop));
        drop(first);
        writer.join().unwrap();
        assert_eq!(second.join().unwrap(), Ok(()));
        assert_eq!(*count.read(), 1);
    });
}
