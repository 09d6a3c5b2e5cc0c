use loom::model;
use loom::sync::Arc;
use rawipc::error::Overflow;
use rawipc::sync::{BoundedSemaphore, Semaphore};

use crate::{Tally, beside, join, model_interrupted, soon};

/// With one to take, it is a lock: what is done between is done alone, and seen by the next.
#[test]
fn last_one_is_taken_alone() {
    fn work((semaphore, done): &(Semaphore, Tally)) {
        semaphore.wait();
        done.add_one();
        semaphore.post().unwrap();
    }
    model(|| {
        let shared = Arc::new((Semaphore::new(1), Tally::default()));
        let other = beside(&shared, work);
        work(&shared);
        other.join().unwrap();
        assert_eq!((shared.0.value(), shared.1.get()), (1, 2));
    });
}

/// The same where nobody ever waits.
#[test]
fn last_one_is_taken_alone_among_those_who_try() {
    fn attempt((semaphore, done): &(Semaphore, Tally)) -> usize {
        if !semaphore.try_wait() {
            return 0;
        }
        done.add_one();
        semaphore.post().unwrap();
        1
    }
    model(|| {
        let shared = Arc::new((Semaphore::new(1), Tally::default()));
        let others = [beside(&shared, attempt), beside(&shared, attempt)];
        let taken = attempt(&shared) + join(others).iter().sum::<usize>();
        assert!(taken > 0, "the first finds it there");
        assert!(shared.0.try_wait());
        assert_eq!(shared.1.get(), taken);
    });
}

/// As many get on as are posted, no fewer and no more.
#[test]
fn count_is_conserved() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let semaphore = Arc::new(Semaphore::new(0));
        let waiters = [beside(&semaphore, Semaphore::wait), beside(&semaphore, Semaphore::wait)];
        semaphore.post().unwrap();
        semaphore.post().unwrap();
        join(waiters);
        assert_eq!(semaphore.value(), 0);
    });
}

/// Who barges in, and gives back, leaves the one that sleeps its turn.
#[test]
fn who_barges_in_forgets_nobody() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let sleeper = beside(&semaphore, Semaphore::wait);
        semaphore.post().unwrap();
        if semaphore.try_wait() {
            semaphore.post().unwrap();
        }
        sleeper.join().unwrap();
        assert_eq!(semaphore.value(), 0);
    });
}

/// Who gives up has taken none, and no wake that another sleeps for.
#[test]
fn who_gives_up_takes_nothing() {
    model_interrupted(3, || {
        // Three threads: too many schedules to go through them all.
        let semaphore = Arc::new(Semaphore::new(0));
        let hasty = beside(&semaphore, |semaphore| {
            if semaphore.wait_until(soon()).is_ok() {
                semaphore.post().unwrap();
            }
        });
        let patient = beside(&semaphore, Semaphore::wait);
        semaphore.post().unwrap();
        hasty.join().unwrap();
        patient.join().unwrap();
        assert_eq!(semaphore.value(), 0);
    });
}

/// What was done before the post is seen by who takes it, also with a deadline.
#[test]
fn what_went_before_is_seen() {
    model(|| {
        let shared = Arc::new((Semaphore::new(0), Tally::default()));
        let waiter = beside(&shared, |(semaphore, done)| {
            if semaphore.wait_until(soon()).is_ok() {
                assert_eq!(done.get(), 1);
            }
        });
        shared.1.add_one();
        shared.0.post().unwrap();
        waiter.join().unwrap();
    });
}

/// However posts and waits meet, there are never more than the bound, and none gets lost.
#[test]
fn bound_is_never_passed() {
    model(|| {
        let seats = Arc::new(BoundedSemaphore::new(1));
        let guest = beside(&seats, |seats| {
            seats.wait();
            assert_eq!(seats.value(), 0);
            seats.post()
        });
        let stray = beside(&seats, |seats| assert!(seats.value() <= seats.bound()));
        guest.join().unwrap().unwrap();
        stray.join().unwrap();
        assert_eq!((seats.post(), seats.value()), (Err(Overflow), 1));
    });
}

/// Of two posts for one seat that is missing, one fails.
#[test]
fn one_of_two_posts_overflows() {
    model(|| {
        let seats = Arc::new(BoundedSemaphore::new(1));
        seats.wait();
        let other = beside(&seats, |seats| seats.post().is_ok());
        let mine = seats.post().is_ok();
        assert!(mine != other.join().unwrap());
        assert_eq!(seats.value(), 1);
    });
}

/// Who gives up waiting for a seat loses none.
#[test]
fn seats_are_conserved() {
    fn sit(seats: &BoundedSemaphore) {
        if seats.wait_until(soon()).is_ok() {
            assert_eq!(seats.value(), 0);
            seats.post().unwrap();
        }
    }
    model(|| {
        let seats = Arc::new(BoundedSemaphore::new(1));
        let other = beside(&seats, sit);
        sit(&seats);
        other.join().unwrap();
        assert_eq!(seats.value(), 1);
    });
}
