//! Deadlines, as their documentation promises them.

use core::time::Duration;

use proptest::prelude::*;
use rawipc::Deadline;

#[test]
fn now_has_passed_and_never_does_not() {
    assert!(Deadline::now().has_passed());
    assert!(!Deadline::NEVER.has_passed());
    assert_eq!(Deadline::NEVER.remaining(), None);
    assert!(Deadline::now() < Deadline::NEVER);
}

#[test]
fn it_is_the_monotonic_clock() {
    let clock = || {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.try_into().unwrap())
    };
    let before = clock();
    let (one, other) = (Deadline::now(), Deadline::now());
    let after = clock();
    assert!(one <= other);
    // The distance of two deadlines is seen only through what remains of each.
    let far = Duration::from_secs(1_000_000);
    let remaining = Deadline::after(far).remaining().unwrap();
    assert!(remaining <= far && remaining + clock() >= far + before);
    assert!(before <= after);
}

#[test]
fn what_remains_runs_down_to_zero_and_stays_there() {
    let by = Deadline::after(Duration::from_millis(2));
    let first = by.remaining().unwrap();
    assert!(first <= Duration::from_millis(2));
    while !by.has_passed() {
        assert!(by.remaining().unwrap() <= first);
    }
    assert_eq!(by.remaining(), Some(Duration::ZERO));
}

#[cfg(feature = "std")]
#[test]
fn instant_converts_to_the_same_moment() {
    use std::time::Instant;
    let wait = Duration::from_secs(100);
    let earliest = Deadline::after(wait);
    let converted = Deadline::from(Instant::now() + wait);
    let latest = Deadline::after(wait);
    assert!(earliest <= converted && converted <= latest);
    let past = Deadline::from(Instant::now());
    assert!(past.has_passed());
}

proptest! {
    #[test]
    fn no_duration_overflows(secs in any::<u64>(), nanos in 0..1_000_000_000_u32) {
        let wait = Duration::new(secs, nanos);
        let by = Deadline::after(wait);
        if let Some(remaining) = by.remaining() {
            prop_assert!(remaining <= wait);
        } else {
            prop_assert_eq!(by, Deadline::NEVER);
        }
        prop_assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
    }

    #[test]
    fn longer_waits_end_later(one in any::<u32>(), more in 1..u32::MAX) {
        let short = Deadline::after(Duration::from_millis(one.into()));
        let long = Deadline::after(Duration::from_millis(u64::from(one) + u64::from(more)));
        prop_assert!(short < long);
    }
}
