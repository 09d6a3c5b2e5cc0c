//! System V semaphore sets, as their documentation promises them.

mod support;

use core::time::Duration;
use std::fs;
use std::os::unix::fs::FileExt as _;

use rawipc::pipe::Pipe;
use rawipc::process::{self, Pid};
use rawipc::sysv::sem::{MAX_VALUE, Operation};
use rawipc::sysv::{Key, Mode, SemSet};
use rawipc::{Deadline, Errno};
use rustix::process::{Gid, Uid, getegid, geteuid};
use support::seccomp::{ANY, Condition, failing_with, intercept};
use support::signals::Interruptions;
use support::sysv::{RW, Set, SetOf, seconds};
use support::users::{OTHER, STRANGER, as_stranger, become_user, is_root};
use support::{
    SOON, child, eventually, isolated, join, kill, naps, numbers, sleep_for_ever, sleeps_in_one_of,
    wait,
};

impl Set {
    fn permitting(mode: u32, values: &[u16]) -> Self {
        let set = Self::new(values);
        set.set_mode(Mode::from_raw_mode(mode)).unwrap();
        set
    }

    /// One that its creator has not initialised yet.
    fn bare(semaphores: i32) -> (Self, Key) {
        let key = unused();
        let flags = libc::IPC_CREAT | libc::IPC_EXCL | 0o600;
        // SAFETY: takes integers only.
        let id = unsafe { libc::semget(key.as_raw(), semaphores, flags) };
        assert!(id >= 0);
        (Self(SemSet::from_id(id)), key)
    }
}

/// A key under which there is no set.
fn unused() -> Key {
    Set::keyed(&[0]).1
}

fn values<const N: usize>(set: SemSet) -> Result<[u16; N], Errno> {
    let mut values = [u16::MAX; N];
    set.values(&mut values).map(|()| values)
}

#[track_caller]
fn eventually_waiting(set: SemSet, index: u16, sleepers: usize) {
    eventually("they wait", || set.waiting(index) == Ok(sleepers));
}

#[track_caller]
fn eventually_waiting_for_zero(set: SemSet, index: u16, sleepers: usize) {
    eventually("they wait for zero", || set.waiting_for_zero(index) == Ok(sleepers));
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_millis(20))
}

/// Runs `task` where there are no other sets, and with limits of its own: semaphores in a set, and
/// in all sets; operations in a call; sets.
fn with_limits([in_a_set, in_all, in_a_call, sets]: [usize; 4], task: impl FnOnce()) {
    let limits = format!("{in_a_set} {in_all} {in_a_call} {sets}");
    support::limits::with_limits(&[("sem", limits)], task);
}

/// The limits that are set: in the order of [`with_limits`].
fn limits() -> [usize; 4] {
    let shown = fs::read_to_string("/proc/sys/kernel/sem").unwrap();
    let limits: Vec<_> = shown.split_whitespace().map(|limit| limit.parse().unwrap()).collect();
    limits.try_into().unwrap()
}

/// `semctl` with `SETALL`.
const SETTING_ALL: Condition = (2, 0xff, 17);
const _: () = assert!(libc::SETALL == 17);

// Creating, and finding what is ready.

#[test]
fn created_set_has_its_values_and_is_found_ready() {
    isolated(|| {
        for initial in [[0, 0, 0], [1, 2, 3], [0, MAX_VALUE, 7], [MAX_VALUE, 0, 0]] {
            let (set, key) = Set::keyed(&initial);
            join(child(|| {
                assert_eq!(SemSet::try_open(key), Ok(*set));
                assert_eq!(SemSet::open(key), Ok(*set));
                assert_eq!(SemSet::open_until(key, Deadline::now()), Ok(*set));
                assert_eq!(values(*set), Ok(initial));
            }));
        }
    });
}

#[test]
fn create_new_refuses_a_key_that_is_taken() {
    isolated(|| {
        let (set, key) = Set::keyed(&[4]);
        assert_eq!(SemSet::create_new(key, RW, &[5]), Err(Errno::EXIST));
        assert_eq!(set.value(0), Ok(4));
    });
}

#[test]
fn create_finds_the_set_that_is_there_and_leaves_its_values() {
    isolated(|| {
        let key = unused();
        let made = Set(SemSet::create(key, RW, &[4, 5]).unwrap());
        assert_eq!(values(*made), Ok([4, 5]));
        made.wait(0).unwrap();
        assert_eq!(SemSet::create(key, Mode::RUSR, &[9, 9]), Ok(*made));
        assert_eq!(SemSet::create(key, RW, &[9]), Ok(*made), "it has more, which does not matter");
        assert_eq!(SemSet::create(key, RW, &[9, 9, 9]), Err(Errno::INVAL), "it has fewer");
        assert_eq!(values(*made), Ok([3, 5]));
        assert_eq!(made.status().unwrap().permissions.mode, RW);
    });
}

#[test]
fn private_sets_are_new_each_time_and_found_by_no_key() {
    isolated(|| {
        let sets = [
            Set(SemSet::create_new(Key::PRIVATE, RW, &[1]).unwrap()),
            Set(SemSet::create_new(Key::PRIVATE, RW, &[2]).unwrap()),
            Set(SemSet::create(Key::PRIVATE, RW, &[3]).unwrap()),
            Set(SemSet::create(Key::PRIVATE, RW, &[4]).unwrap()),
        ];
        for (value, set) in (1..).zip(&sets) {
            assert_eq!(set.value(0), Ok(value));
            assert_eq!(set.status().unwrap().permissions.key, Key::PRIVATE);
        }
        with_limits(limits(), || {
            assert_eq!(SemSet::open(Key::PRIVATE), Err(Errno::NOENT));
            assert_eq!(SemSet::try_open(Key::PRIVATE), Err(Errno::NOENT));
            let table = fs::read_to_string("/proc/sysvipc/sem").unwrap();
            assert_eq!(table.lines().count(), 1, "only the heading: {table}");
        });
    });
}

#[test]
fn open_finds_nothing_where_nothing_is() {
    isolated(|| {
        let key = unused();
        assert_eq!(SemSet::open(key), Err(Errno::NOENT));
        assert_eq!(SemSet::try_open(key), Err(Errno::NOENT));
        assert_eq!(SemSet::open_until(key, Deadline::NEVER), Err(Errno::NOENT));
    });
}

#[test]
fn another_process_uses_the_set_by_its_identifier() {
    isolated(|| {
        let set = Set::new(&[0]);
        let id = set.id();
        join(child(|| SemSet::from_id(id).post(0).unwrap()));
        assert_eq!(set.value(0), Ok(1));
    });
}

#[test]
fn umask_does_not_count() {
    isolated(|| {
        rustix::process::umask(Mode::from_raw_mode(0o777));
        for mode in [0o666, 0o600, 0o777] {
            let set = SemSet::create_new(Key::PRIVATE, Mode::from_raw_mode(mode), &[1]).unwrap();
            let set = Set(set);
            assert_eq!(set.status().unwrap().permissions.mode.as_raw_mode(), mode);
        }
    });
}

#[test]
fn create_new_takes_at_least_one_value_and_none_too_high_and_leaves_nothing_behind() {
    isolated(|| {
        let key = unused();
        let left = SetOf(key);
        assert_eq!(SemSet::create_new(key, RW, &[]), Err(Errno::INVAL));
        assert_eq!(SemSet::create(key, RW, &[]), Err(Errno::INVAL));
        for bad in [[MAX_VALUE + 1, 0], [0, MAX_VALUE + 1], [1, u16::MAX]] {
            assert_eq!(SemSet::create_new(key, RW, &bad), Err(Errno::RANGE));
            assert_eq!(SemSet::create(key, RW, &bad), Err(Errno::RANGE));
            assert!(left.found().is_none());
        }
        let highest = Set(SemSet::create_new(key, RW, &[MAX_VALUE]).unwrap());
        assert_eq!(highest.value(0), Ok(MAX_VALUE));
        assert_eq!(SemSet::create_new(key, RW, &[]), Err(Errno::INVAL), "nor where one is");
        assert_eq!(SemSet::create(key, RW, &[]), Err(Errno::INVAL), "nor where one is");
    });
}

#[test]
fn creator_must_be_let_read_and_write_and_leaves_nothing_behind() {
    isolated(|| {
        let key = unused();
        let left = SetOf(key);
        join(child(|| {
            if geteuid().is_root() {
                become_user(STRANGER);
            }
            for mode in [0o000, 0o200, 0o400, 0o066] {
                let mode = Mode::from_raw_mode(mode);
                assert_eq!(SemSet::create_new(key, mode, &[1]), Err(Errno::ACCESS), "{mode:?}");
                assert!(left.found().is_none());
            }
        }));
    });
}

#[test]
fn set_that_cannot_be_initialised_is_removed() {
    isolated(|| {
        for (call, argument) in [(numbers::SEMCTL, SETTING_ALL), (numbers::SEMTIMEDOP, ANY)] {
            let key = unused();
            let left = SetOf(key);
            join(child(|| {
                intercept(call, argument, failing_with(Errno::NOMEM));
                assert_eq!(SemSet::create_new(key, RW, &[1]), Err(Errno::NOMEM));
            }));
            assert!(left.found().is_none());
        }
    });
}

#[test]
fn create_unique_tries_again_where_a_key_is_taken() {
    isolated(|| {
        join(child(|| {
            // As if all odd keys were in use.
            intercept(numbers::SEMGET, (0, 1, 1), failing_with(Errno::EXIST));
            for _ in 0..32 {
                let (_set, key) = Set::keyed(&[1]);
                assert_eq!(key.as_raw() % 2, 0);
            }
        }));
        join(child(|| {
            intercept(numbers::SEMGET, ANY, failing_with(Errno::NOSPC));
            assert_eq!(SemSet::create_unique(RW, &[1]), Err(Errno::NOSPC), "no reason to");
        }));
    });
}

#[test]
fn set_without_values_is_not_opened() {
    isolated(|| {
        let (bare, key) = Set::bare(2);
        assert_eq!(SemSet::try_open(key), Err(Errno::AGAIN));
        let by = soon();
        assert_eq!(SemSet::open_until(key, by), Err(Errno::TIMEDOUT));
        assert!(by.has_passed(), "not before the deadline");
        assert_eq!(SemSet::open_until(key, Deadline::now()), Err(Errno::TIMEDOUT));

        bare.set_values(&[3, 4]).unwrap();
        assert_eq!(SemSet::try_open(key), Err(Errno::AGAIN), "values alone do not say so");
        bare.try_operate(&[Operation::wait_for_zero(0)]).unwrap_err();
        assert_eq!(SemSet::try_open(key), Err(Errno::AGAIN), "nor an operation that failed");
        bare.operate(&[Operation::wait(0), Operation::post(0)]).unwrap();
        assert_eq!(SemSet::try_open(key), Ok(*bare));
        assert_eq!(values(*bare), Ok([3, 4]));
    });
}

#[test]
fn open_and_create_wait_until_another_process_has_initialised() {
    isolated(|| {
        let (bare, key) = Set::bare(2);
        let finders = [
            child(|| assert_eq!(values(SemSet::open(key).unwrap()), Ok([3, 4]))),
            child(|| {
                let found = SemSet::open_until(key, Deadline::after(SOON)).unwrap();
                assert_eq!(values(found), Ok([3, 4]));
            }),
            child(|| {
                let found = SemSet::create(key, RW, &[9, 9]).unwrap();
                assert_eq!((found, values(found)), (*bare, Ok([3, 4])));
            }),
        ];
        for finder in &finders {
            sleeps_in_one_of(finder.id(), numbers::POLL);
        }
        let creator = child(|| {
            bare.set_values(&[3, 4]).unwrap();
            bare.operate(&[Operation::wait(0), Operation::post(0)]).unwrap();
        });
        join(creator);
        finders.into_iter().for_each(join);
    });
}

#[test]
fn wait_for_a_set_to_be_ready_ends_when_it_is_removed() {
    isolated(|| {
        let (bare, key) = Set::bare(1);
        let finder = child(|| assert_eq!(SemSet::open(key), Err(Errno::IDRM)));
        sleeps_in_one_of(finder.id(), numbers::POLL);
        bare.remove().unwrap();
        join(finder);
    });
}

#[test]
fn create_makes_its_own_where_the_one_it_waits_for_is_removed() {
    isolated(|| {
        let (bare, key) = Set::bare(1);
        let left = SetOf(key);
        let finder = child(|| {
            let made = SemSet::create(key, RW, &[6]).unwrap();
            assert_ne!(made, *bare);
        });
        sleeps_in_one_of(finder.id(), numbers::POLL);
        bare.remove().unwrap();
        join(finder);
        assert_eq!(SemSet::try_open(key), Ok(left.found().unwrap()));
        assert_eq!(left.found().unwrap().value(0), Ok(6));
    });
}

#[test]
fn wait_for_a_set_to_be_ready_goes_on_after_signals() {
    isolated(|| {
        let (bare, key) = Set::bare(1);
        let finder = child(|| {
            let _interruptions = Interruptions::start();
            assert_eq!(SemSet::open(key), Ok(*bare));
            assert_eq!(bare.value(0), Ok(1));
        });
        // It sleeps each millisecond anyway; by then, a few signals have come.
        eventually("it has been interrupted", || naps(finder.id()) > 50);
        bare.set_values(&[0]).unwrap();
        bare.post(0).unwrap();
        join(finder);

        let (_bare, key) = Set::bare(1);
        let _interruptions = Interruptions::start();
        let by = soon();
        assert_eq!(SemSet::open_until(key, by), Err(Errno::TIMEDOUT));
        assert!(by.has_passed());
    });
}

#[test]
fn creator_killed_before_it_has_initialised_leaves_a_set_that_is_never_ready() {
    isolated(|| {
        for (call, argument) in [(numbers::SEMCTL, SETTING_ALL), (numbers::SEMTIMEDOP, ANY)] {
            let key = unused();
            let left = SetOf(key);
            let mut creator = child(|| {
                // No core: it dies as the test wants it.
                // SAFETY: takes integers only.
                assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) }, 0);
                intercept(call, argument, libc::SECCOMP_RET_KILL_PROCESS);
                let _ = SemSet::create_new(key, RW, &[3]);
            });
            assert_eq!(wait(&mut creator).signal(), Some(libc::SIGSYS));
            assert!(left.found().is_some());
            assert_eq!(SemSet::try_open(key), Err(Errno::AGAIN));
            assert_eq!(SemSet::open_until(key, soon()), Err(Errno::TIMEDOUT));
        }
    });
}

/// Three processes create and remove the same set over and over; three others open it meanwhile.
/// None of them ever gets one that has not its values.
#[test]
fn nobody_gets_a_set_before_it_has_its_values() {
    const VALUES: [u16; 3] = [5, 0, 7];
    const EACH: u32 = 5_000;

    fn check(set: SemSet) {
        match values(set) {
            Ok(seen) => assert_eq!(seen, VALUES),
            Err(errno) => assert!(matches!(errno, Errno::INVAL | Errno::IDRM), "{errno:?}"),
        }
    }

    isolated(|| {
        let key = unused();
        let _left = SetOf(key);
        let enough = Set::new(&[0]);
        let creators = [(); 3].map(|()| {
            child(|| {
                while enough.value(0) == Ok(0) {
                    let set = SemSet::create(key, RW, &VALUES).unwrap();
                    check(set);
                    let _by_another = set.remove();
                }
            })
        });
        let until: fn(Key) -> _ = |key| SemSet::open_until(key, Deadline::after(SOON));
        let finders = [SemSet::open, SemSet::try_open, until];
        let finders = finders.map(|open| {
            child(move || {
                let mut found = 0;
                while found < EACH {
                    match open(key) {
                        Ok(set) => {
                            check(set);
                            found += 1;
                        }
                        Err(Errno::NOENT | Errno::IDRM | Errno::AGAIN) => {}
                        Err(errno) => panic!("{errno:?}"),
                    }
                }
            })
        });
        finders.into_iter().for_each(join);
        enough.post(0).unwrap();
        creators.into_iter().for_each(join);
    });
}

/// Another may find a set before it is ready, and use it at once: that must not hold up who creates
/// it.
#[test]
fn creating_waits_for_nobody() {
    isolated(|| {
        let key = unused();
        let left = SetOf(key);
        let grabber = child(|| {
            loop {
                // What there is to take, and then until it is removed.
                let _ = left.found().map(|set| set.wait(0));
            }
        });
        let creator = child(|| {
            for _ in 0..3_000 {
                let set = SemSet::create_new(key, RW, &[1]).unwrap();
                set.remove().unwrap();
            }
        });
        join(creator);
        kill(grabber);
    });
}

#[test]
fn all_who_create_at_once_get_the_same_set() {
    isolated(|| {
        for _ in 0..200 {
            let key = unused();
            let left = SetOf(key);
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let gate = Set::new(&[1]);
            let creators = [(); 4].map(|()| {
                child(|| {
                    gate.operate(&[Operation::wait_for_zero(0)]).unwrap();
                    let set = SemSet::create(key, RW, &[5, 7]).unwrap();
                    assert_eq!(values(set), Ok([5, 7]));
                    writer.write_all(&set.id().to_ne_bytes()).unwrap();
                })
            });
            eventually_waiting_for_zero(*gate, 0, 4);
            gate.wait(0).unwrap();
            creators.into_iter().for_each(join);
            let mut ids = [0; 16];
            reader.read_all(&mut ids).unwrap();
            let expected = left.found().unwrap().id().to_ne_bytes();
            assert_eq!(ids, *expected.repeat(4));
        }
    });
}

// Waiting.

#[test]
fn wait_takes_one_and_post_gives_one() {
    isolated(|| {
        let set = Set::new(&[2, 5]);
        set.wait(0).unwrap();
        assert_eq!(values(*set), Ok([1, 5]));
        set.try_wait(0).unwrap();
        assert_eq!(values(*set), Ok([0, 5]));
        set.post(0).unwrap();
        set.wait_until(0, Deadline::now()).unwrap();
        set.post(1).unwrap();
        assert_eq!(values(*set), Ok([0, 6]));
    });
}

#[test]
fn wait_sleeps_until_another_posts() {
    isolated(|| {
        let set = Set::new(&[0]);
        let waiters = [
            child(|| set.wait(0).unwrap()),
            child(|| set.wait_until(0, Deadline::after(SOON)).unwrap()),
            child(|| set.wait_until(0, Deadline::NEVER).unwrap()),
            child(|| set.wait_until(0, Deadline::after(Duration::MAX)).unwrap()),
            child(|| set.wait_until(0, Deadline::after(Duration::MAX / 2)).unwrap()),
        ];
        for posted in 0..waiters.len() {
            eventually_waiting(*set, 0, waiters.len() - posted);
            set.post(0).unwrap();
        }
        waiters.into_iter().for_each(join);
        assert_eq!(set.value(0), Ok(0));
    });
}

#[test]
fn try_takes_what_is_there_or_says_that_it_would_wait() {
    isolated(|| {
        let set = Set::new(&[1]);
        set.try_wait(0).unwrap();
        assert_eq!(set.try_wait(0), Err(Errno::AGAIN));
        assert_eq!(set.try_operate(&[Operation::change(0, -2)]), Err(Errno::AGAIN));
        set.try_operate(&[Operation::wait_for_zero(0)]).unwrap();
        set.try_operate(&[Operation::change(0, 2)]).unwrap();
        assert_eq!(set.try_operate(&[Operation::wait_for_zero(0)]), Err(Errno::AGAIN));
        assert_eq!(set.value(0), Ok(2));
    });
}

#[test]
fn try_never_sleeps() {
    const TRIES: u64 = 1000;

    isolated(|| {
        let set = Set::new(&[0, 1]);
        let before = naps(process::id());
        for _ in 0..TRIES {
            assert_eq!(set.try_wait(0), Err(Errno::AGAIN));
            let many = [Operation::post(0), Operation::wait_for_zero(1)];
            assert_eq!(set.try_operate(&many), Err(Errno::AGAIN));
        }
        let slept = naps(process::id()) - before;
        assert!(slept < TRIES / 10, "slept {slept} times in {TRIES} tries of two kinds");
    });
}

#[test]
fn deadline_is_kept_and_never_early() {
    isolated(|| {
        let set = Set::new(&[0, 1]);
        for millis in [0, 1, 5, 30] {
            let by = Deadline::after(Duration::from_millis(millis));
            assert_eq!(set.wait_until(0, by), Err(Errno::TIMEDOUT));
            assert!(by.has_passed(), "not before the deadline");
            let by = Deadline::after(Duration::from_millis(millis));
            assert_eq!(set.operate_until(&[Operation::wait_for_zero(1)], by), Err(Errno::TIMEDOUT));
            assert!(by.has_passed(), "not before the deadline");
        }
        assert_eq!((set.waiting(0), set.waiting_for_zero(1)), (Ok(0), Ok(0)));
        assert_eq!(values(*set), Ok([0, 1]));
    });
}

#[test]
fn what_can_be_done_at_once_is_done_after_the_deadline() {
    isolated(|| {
        let set = Set::new(&[1]);
        let past = Deadline::now();
        eventually("it has passed", || past.has_passed());
        set.wait_until(0, past).unwrap();
        assert_eq!(set.wait_until(0, past), Err(Errno::TIMEDOUT));
        set.operate_until(&[Operation::wait_for_zero(0), Operation::post(0)], past).unwrap();
        assert_eq!(set.value(0), Ok(1));
    });
}

#[test]
fn wait_for_zero_sleeps_until_the_value_is_zero() {
    isolated(|| {
        let set = Set::new(&[2]);
        let waiters = [(); 3].map(|()| {
            child(|| {
                set.operate(&[Operation::wait_for_zero(0)]).unwrap();
            })
        });
        eventually_waiting_for_zero(*set, 0, 3);
        set.wait(0).unwrap();
        assert_eq!(set.waiting_for_zero(0), Ok(3), "it is one");
        set.wait(0).unwrap();
        waiters.into_iter().for_each(join);
        assert_eq!(set.value(0), Ok(0), "nothing is taken");
    });
}

#[test]
fn change_by_more_waits_for_all_of_it() {
    isolated(|| {
        let set = Set::new(&[0]);
        let waiter = child(|| set.operate(&[Operation::change(0, -5)]).unwrap());
        eventually_waiting(*set, 0, 1);
        set.operate(&[Operation::change(0, 4)]).unwrap();
        assert_eq!((set.value(0), set.waiting(0)), (Ok(4), Ok(1)));
        set.operate(&[Operation::change(0, 3)]).unwrap();
        join(waiter);
        assert_eq!(set.value(0), Ok(2));
        set.operate(&[Operation::change(0, i16::MAX - 2)]).unwrap();
        assert_eq!(set.value(0), Ok(MAX_VALUE));
        assert_eq!(set.try_operate(&[Operation::change(0, i16::MIN)]), Err(Errno::AGAIN));
        set.operate(&[Operation::change(0, -i16::MAX)]).unwrap();
        assert_eq!(set.value(0), Ok(0));
    });
}

#[test]
fn operations_of_one_call_are_tried_in_order() {
    isolated(|| {
        let set = Set::new(&[0]);
        let (post, wait, zero) =
            (Operation::post(0), Operation::wait(0), Operation::wait_for_zero(0));
        assert_eq!(set.try_operate(&[wait, post]), Err(Errno::AGAIN));
        set.try_operate(&[post, wait]).unwrap();
        set.try_operate(&[zero, post]).unwrap();
        assert_eq!(set.value(0), Ok(1));
        assert_eq!(set.try_operate(&[zero, post]), Err(Errno::AGAIN));
        set.try_operate(&[wait, zero, post, wait, zero, post]).unwrap();
        assert_eq!(set.try_operate(&[post, zero, wait]), Err(Errno::AGAIN));
        set.try_operate(&[Operation::change(0, 2), Operation::change(0, -3)]).unwrap();
        assert_eq!(set.value(0), Ok(0));
    });
}

#[test]
fn one_of_several_that_has_to_wait_holds_back_all() {
    isolated(|| {
        let set = Set::new(&[1, 0, 0]);
        let all = [Operation::wait(0), Operation::post(2), Operation::wait(1)];
        assert_eq!(set.try_operate(&all), Err(Errno::AGAIN));
        assert_eq!(set.operate_until(&all, soon()), Err(Errno::TIMEDOUT));
        assert_eq!(values(*set), Ok([1, 0, 0]));
        let waiter = child(|| set.operate(&all).unwrap());
        eventually_waiting(*set, 1, 1);
        assert_eq!(values(*set), Ok([1, 0, 0]), "not even while it waits");
        assert_eq!(set.waiting(0), Ok(0), "it waits for the other");
        set.post(1).unwrap();
        join(waiter);
        assert_eq!(values(*set), Ok([0, 0, 1]));
    });
}

#[test]
fn others_never_see_operations_of_one_call_half_done() {
    const TOTAL: u16 = 3;
    const LOOKS: u32 = 20_000;

    isolated(|| {
        let set = Set::new(&[TOTAL, 0]);
        let done = Set::new(&[0]);
        let movers = [(0, 1), (1, 0)].map(|(from, to)| {
            let (set, done) = (*set, *done);
            child(move || {
                while done.value(0) == Ok(0) {
                    match set.try_operate(&[Operation::wait(from), Operation::post(to)]) {
                        Ok(()) | Err(Errno::AGAIN) => {}
                        Err(errno) => panic!("{errno}"),
                    }
                }
            })
        });
        // As long as it takes to see something move, however seldom the movers are let run.
        let mut seen = [0_u32; TOTAL as usize + 1];
        let mut looks = 0;
        while looks < LOOKS || seen.iter().filter(|&&times| times > 0).count() < 2 {
            let [a, b] = values(*set).unwrap();
            assert_eq!(a + b, TOTAL);
            seen[usize::from(a)] += 1;
            looks += 1;
        }
        done.post(0).unwrap();
        movers.into_iter().for_each(join);
        let [a, b] = values(*set).unwrap();
        assert_eq!(a + b, TOTAL);
    });
}

#[test]
fn signals_end_no_wait() {
    isolated(|| {
        let set = Set::new(&[0, 1]);
        let waiters = [
            child(|| {
                let _interruptions = Interruptions::start();
                set.wait(0).unwrap();
            }),
            child(|| {
                let _interruptions = Interruptions::start();
                set.wait_until(0, Deadline::after(SOON)).unwrap();
            }),
            child(|| {
                let _interruptions = Interruptions::start();
                set.operate(&[Operation::wait_for_zero(1)]).unwrap();
            }),
        ];
        for waiter in &waiters {
            // Each time that it goes to sleep again, a signal has waked it.
            eventually("it has been interrupted", || naps(waiter.id()) > 5);
        }
        set.operate(&[Operation::change(0, 2), Operation::wait(1)]).unwrap();
        waiters.into_iter().for_each(join);
        assert_eq!(values(*set), Ok([0, 0]));
    });
}

#[test]
fn signals_do_not_move_a_deadline() {
    isolated(|| {
        let set = Set::new(&[0]);
        let _interruptions = Interruptions::start();
        for millis in [1, 12, 40] {
            let by = Deadline::after(Duration::from_millis(millis));
            assert_eq!(set.wait_until(0, by), Err(Errno::TIMEDOUT));
            assert!(by.has_passed(), "not before the deadline");
        }
        assert_eq!(set.try_wait(0), Err(Errno::AGAIN));
    });
}

#[test]
fn killed_waiter_leaves_the_set_usable() {
    isolated(|| {
        let set = Set::new(&[0, 1]);
        let victims = [
            child(|| set.wait(0).unwrap()),
            child(|| set.operate(&[Operation::wait(1), Operation::wait(0)]).unwrap()),
        ];
        eventually_waiting(*set, 0, 2);
        victims.into_iter().for_each(kill);
        assert_eq!(set.waiting(0), Ok(0));
        set.post(0).unwrap();
        assert_eq!(values(*set), Ok([1, 1]), "nothing is taken by the dead");
        set.try_wait(0).unwrap();
    });
}

#[test]
fn removal_wakes_who_sleeps() {
    isolated(|| {
        let set = Set::new(&[0, 1]);
        let sleepers = [
            child(|| assert_eq!(set.wait(0), Err(Errno::IDRM))),
            child(|| assert_eq!(set.wait_until(0, Deadline::after(SOON)), Err(Errno::IDRM))),
            child(|| {
                let both = [Operation::post(1), Operation::wait(0)];
                assert_eq!(set.operate(&both), Err(Errno::IDRM));
            }),
            child(|| {
                assert_eq!(set.operate(&[Operation::wait_for_zero(1)]), Err(Errno::IDRM));
            }),
        ];
        eventually_waiting(*set, 0, 3);
        eventually_waiting_for_zero(*set, 1, 1);
        join(child(|| set.remove().unwrap()));
        sleepers.into_iter().for_each(join);
    });
}

#[test]
fn set_that_was_removed_is_no_argument() {
    isolated(|| {
        let set = Set::new(&[1]);
        join(child(|| set.remove().unwrap()));
        let mut one = [0];
        assert_eq!(set.wait(0), Err(Errno::INVAL));
        assert_eq!(set.try_wait(0), Err(Errno::INVAL));
        assert_eq!(set.wait_until(0, soon()), Err(Errno::INVAL));
        assert_eq!(set.post(0), Err(Errno::INVAL));
        assert_eq!(set.operate(&[Operation::wait_for_zero(0)]), Err(Errno::INVAL));
        assert_eq!(set.value(0), Err(Errno::INVAL));
        assert_eq!(set.set_value(0, 1), Err(Errno::INVAL));
        assert_eq!(set.values(&mut one), Err(Errno::INVAL));
        assert_eq!(set.set_values(&[1]), Err(Errno::INVAL));
        assert_eq!(set.waiting(0), Err(Errno::INVAL));
        assert_eq!(set.waiting_for_zero(0), Err(Errno::INVAL));
        assert_eq!(set.last_operator(0), Err(Errno::INVAL));
        assert_eq!(set.status(), Err(Errno::INVAL));
        assert_eq!(set.set_owner(geteuid(), getegid()), Err(Errno::INVAL));
        assert_eq!(set.set_mode(RW), Err(Errno::INVAL));
        assert_eq!(set.remove(), Err(Errno::INVAL));
    });
}

/// Each call looks the set up and then locks it; where the removal comes in between, the kernel
/// says `IDRM`, although nobody slept.
#[test]
fn removal_at_the_moment_of_a_call_is_told_by_either_errno() {
    isolated(|| {
        for _ in 0..300 {
            let set = Set::new(&[1]);
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let remover = child(|| {
                reader.read(&mut [0]).unwrap();
                set.remove().unwrap();
            });
            writer.write(b"x").unwrap();
            let told = loop {
                let calls = [
                    set.try_wait(0).err(),
                    set.post(0).err(),
                    set.value(0).err(),
                    set.set_value(0, 1).err(),
                    values::<1>(*set).err(),
                    set.status().err(),
                ];
                if let Some(errno) = calls.into_iter().flatten().next() {
                    break errno;
                }
            };
            assert!(matches!(told, Errno::INVAL | Errno::IDRM), "{told:?}");
            join(remover);
        }
    });
}

// Undoing.

#[test]
fn what_is_to_be_undone_is_when_the_process_exits() {
    isolated(|| {
        let set = Set::new(&[3, 0]);
        join(child(|| {
            set.operate(&[Operation::change(0, -2).undo(), Operation::post(1).undo()]).unwrap();
            set.operate(&[Operation::wait(0), Operation::post(1)]).unwrap();
            assert_eq!(values(*set), Ok([0, 2]));
        }));
        assert_eq!(values(*set), Ok([2, 1]), "and what is not, is not");
    });
}

#[test]
fn what_is_to_be_undone_is_when_the_process_is_killed() {
    isolated(|| {
        let set = Set::new(&[1]);
        let holder = child(|| {
            set.operate(&[Operation::wait(0).undo()]).unwrap();
            sleep_for_ever();
        });
        eventually("it holds", || set.value(0) == Ok(0));
        let waiter = child(|| set.wait(0).unwrap());
        eventually_waiting(*set, 0, 1);
        kill(holder);
        join(waiter);
        assert_eq!(set.value(0), Ok(0), "the waiter has it");
    });
}

#[test]
fn what_was_given_back_is_not_undone() {
    isolated(|| {
        let set = Set::new(&[1]);
        join(child(|| {
            for _ in 0..100 {
                set.operate(&[Operation::wait(0).undo()]).unwrap();
                set.operate(&[Operation::post(0).undo()]).unwrap();
            }
        }));
        assert_eq!(set.value(0), Ok(1));
    });
}

#[test]
fn what_failed_is_not_undone() {
    isolated(|| {
        let set = Set::new(&[1, 0]);
        join(child(|| {
            let both = [Operation::wait(0).undo(), Operation::wait(1).undo()];
            assert_eq!(set.try_operate(&both), Err(Errno::AGAIN));
            assert_eq!(set.operate_until(&both, soon()), Err(Errno::TIMEDOUT));
        }));
        assert_eq!(values(*set), Ok([1, 0]));
    });
}

#[test]
fn child_does_not_inherit_what_is_to_be_undone() {
    isolated(|| {
        let set = Set::new(&[1]);
        join(child(|| {
            set.operate(&[Operation::wait(0).undo()]).unwrap();
            join(child(|| {}));
            assert_eq!(set.value(0), Ok(0), "the child's end undid nothing");
        }));
        assert_eq!(set.value(0), Ok(1));
    });
}

#[test]
fn setting_a_value_forgets_what_was_to_be_undone_to_it() {
    isolated(|| {
        let set = Set::new(&[5, 5]);
        let (parents, childs) = (Pipe::new().unwrap(), Pipe::new().unwrap());
        let holder = child(|| {
            set.operate(&[Operation::wait(0).undo(), Operation::wait(1).undo()]).unwrap();
            childs.writer.write(b"x").unwrap();
            parents.reader.read(&mut [0]).unwrap();
        });
        childs.reader.read(&mut [0]).unwrap();
        set.set_value(0, 2).unwrap();
        assert_eq!(values(*set), Ok([2, 4]));
        parents.writer.write(b"x").unwrap();
        join(holder);
        assert_eq!(values(*set), Ok([2, 5]), "to the other it was done");
    });
}

#[test]
fn setting_all_values_forgets_all_that_was_to_be_undone() {
    isolated(|| {
        let set = Set::new(&[5, 5]);
        let holders = [0, 1].map(|index| {
            child(move || {
                set.0.operate(&[Operation::wait(index).undo()]).unwrap();
                sleep_for_ever();
            })
        });
        eventually("both hold", || values(*set) == Ok([4, 4]));
        set.set_values(&[1, 2]).unwrap();
        holders.into_iter().for_each(kill);
        assert_eq!(values(*set), Ok([1, 2]));
    });
}

#[test]
fn no_more_can_be_undone_than_a_value_can_be() {
    isolated(|| {
        let set = Set::new(&[MAX_VALUE]);
        join(child(|| {
            set.operate(&[Operation::change(0, -i16::MAX).undo()]).unwrap();
            set.operate(&[Operation::post(0)]).unwrap();
            assert_eq!(set.operate(&[Operation::wait(0).undo()]), Err(Errno::RANGE));
            assert_eq!(set.value(0), Ok(1));
            set.operate(&[Operation::wait(0)]).unwrap();
        }));
        assert_eq!(set.value(0), Ok(MAX_VALUE));
    });
}

// Values, limits and errors.

#[test]
fn values_are_set_and_told() {
    isolated(|| {
        let set = Set::new(&[0, 0, 0]);
        set.set_values(&[1, MAX_VALUE, 3]).unwrap();
        assert_eq!(values(*set), Ok([1, MAX_VALUE, 3]));
        set.set_value(1, 2).unwrap();
        set.set_value(2, MAX_VALUE).unwrap();
        let each = [0, 1, 2].map(|index| set.value(index).unwrap());
        assert_eq!(each, [1, 2, MAX_VALUE]);
    });
}

#[test]
fn setting_values_wakes_who_waits_for_such() {
    isolated(|| {
        let set = Set::new(&[0, 1]);
        let waiters = [
            child(|| set.operate(&[Operation::change(0, -3)]).unwrap()),
            child(|| set.operate(&[Operation::wait_for_zero(1)]).unwrap()),
        ];
        eventually_waiting(*set, 0, 1);
        eventually_waiting_for_zero(*set, 1, 1);
        set.set_value(0, 4).unwrap();
        eventually("it took them", || set.value(0) == Ok(1));
        set.set_values(&[1, 0]).unwrap();
        waiters.into_iter().for_each(join);
    });
}

#[test]
fn values_take_as_many_places_as_there_are_semaphores() {
    isolated(|| {
        let set = Set::new(&[1, 2, 3]);
        for len in [0, 1, 2, 4, 5, 1000] {
            let mut places = vec![9; len];
            assert_eq!(set.values(&mut places), Err(Errno::INVAL), "{len}");
            assert_eq!(places, vec![9; len]);
            assert_eq!(set.set_values(&places), Err(Errno::INVAL), "{len}");
        }
        assert_eq!(values(*set), Ok([1, 2, 3]));
    });
}

#[test]
fn value_above_the_highest_is_refused() {
    isolated(|| {
        let set = Set::new(&[1, MAX_VALUE]);
        assert_eq!(set.post(1), Err(Errno::RANGE));
        assert_eq!(set.operate(&[Operation::post(0), Operation::post(1)]), Err(Errno::RANGE));
        let over_and_back = [Operation::post(1), Operation::wait(1)];
        assert_eq!(set.operate(&over_and_back), Err(Errno::RANGE), "on the way there");
        set.operate(&[Operation::wait(1), Operation::post(1)]).unwrap();
        assert_eq!(set.operate(&[Operation::change(0, i16::MAX)]), Err(Errno::RANGE));
        for value in [MAX_VALUE + 1, u16::MAX] {
            assert_eq!(set.set_value(0, value), Err(Errno::RANGE));
            assert_eq!(set.set_values(&[2, value]), Err(Errno::RANGE));
            assert_eq!(set.set_values(&[value, 2]), Err(Errno::RANGE));
        }
        assert_eq!(values(*set), Ok([1, MAX_VALUE]), "nothing was set");
    });
}

#[test]
fn index_beyond_the_last_is_refused() {
    isolated(|| {
        let set = Set::new(&[1, 1]);
        for index in [2, 3, 0x7fff, u16::MAX] {
            assert_eq!(set.wait(index), Err(Errno::FBIG));
            assert_eq!(set.try_wait(index), Err(Errno::FBIG));
            assert_eq!(set.wait_until(index, soon()), Err(Errno::FBIG));
            assert_eq!(set.post(index), Err(Errno::FBIG));
            let both = [Operation::wait(0), Operation::post(index)];
            assert_eq!(set.operate(&both), Err(Errno::FBIG));
            assert_eq!(set.value(index), Err(Errno::INVAL));
            assert_eq!(set.set_value(index, 1), Err(Errno::INVAL));
            assert_eq!(set.waiting(index), Err(Errno::INVAL));
            assert_eq!(set.waiting_for_zero(index), Err(Errno::INVAL));
            assert_eq!(set.last_operator(index), Err(Errno::INVAL));
        }
        assert_eq!(values(*set), Ok([1, 1]));
    });
}

#[test]
fn no_operations_are_an_error() {
    isolated(|| {
        let set = Set::new(&[1]);
        assert_eq!(set.operate(&[]), Err(Errno::INVAL));
        assert_eq!(set.try_operate(&[]), Err(Errno::INVAL));
        assert_eq!(set.operate_until(&[], soon()), Err(Errno::INVAL));
    });
}

#[test]
fn operations_are_limited_by_the_system() {
    isolated(|| {
        let [_, _, in_a_call, _] = limits();
        let set = Set::new(&[0]);
        let many = vec![Operation::post(0); in_a_call + 1];
        assert_eq!(set.operate(&many), Err(Errno::TOOBIG));
        assert_eq!(set.try_operate(&many), Err(Errno::TOOBIG));
        assert_eq!(set.value(0), Ok(0));
        set.operate(&many[1..]).unwrap();
        assert_eq!(usize::from(set.value(0).unwrap()), in_a_call);
        let back = vec![Operation::wait(0); in_a_call];
        set.try_operate(&back).unwrap();
        assert_eq!(set.try_operate(&back), Err(Errno::AGAIN));

        with_limits([4, 6, 3, 2], || {
            let set = Set::new(&[0]);
            set.operate(&many[..3]).unwrap();
            assert_eq!(set.operate(&many[..4]), Err(Errno::TOOBIG));
            assert_eq!(set.try_operate(&back[..4]), Err(Errno::TOOBIG));
            assert_eq!(set.value(0), Ok(3));
        });
    });
}

/// Runs `task` with four billion zeros, and one: a number whose low half is one.
#[cfg(target_pointer_width = "64")]
fn with_four_billion<T>(task: impl FnOnce(&[T])) {
    let count = (1_usize << 32) + 1;
    let bytes = count * size_of::<T>();
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let anywhere = core::ptr::null_mut();
    // SAFETY: a new mapping, in the way of no other memory.
    let zeros = unsafe { libc::mmap(anywhere, bytes, libc::PROT_READ, flags, -1, 0) };
    assert_ne!(zeros, libc::MAP_FAILED);
    // SAFETY: mapped for reading, page-aligned, never written to, and long enough; the callers' `T`
    // may be all zeros.
    task(unsafe { core::slice::from_raw_parts(zeros.cast::<T>(), count) });
    // SAFETY: mapped above; nothing borrows from it any more.
    assert_eq!(unsafe { libc::munmap(zeros, bytes) }, 0);
}

/// Their number must not be cut to the 32 bits that the kernel takes it in.
#[test]
#[cfg(target_pointer_width = "64")]
fn four_billion_operations_are_too_many() {
    isolated(|| {
        let set = Set::new(&[0]);
        with_four_billion(|operations: &[Operation]| {
            assert_eq!(operations[0], Operation::wait_for_zero(0));
            assert_eq!(set.operate(operations), Err(Errno::TOOBIG));
            assert_eq!(set.try_operate(operations), Err(Errno::TOOBIG));
        });
    });
}

#[test]
#[cfg(target_pointer_width = "64")]
fn four_billion_values_are_too_many() {
    isolated(|| {
        let (set, key) = Set::keyed(&[3]);
        with_four_billion(|values: &[u16]| {
            assert_eq!(SemSet::create_new(Key::PRIVATE, RW, values), Err(Errno::INVAL));
            assert_eq!(SemSet::create(key, RW, values), Err(Errno::INVAL), "it has fewer");
            assert_eq!(set.set_values(values), Err(Errno::INVAL));
        });
        assert_eq!(set.value(0), Ok(3));
    });
}

#[test]
fn sets_and_semaphores_are_limited_by_the_system() {
    isolated(|| {
        with_limits([4, 6, 3, 2], || {
            assert_eq!(SemSet::create_new(Key::PRIVATE, RW, &[0; 5]), Err(Errno::INVAL));
            let (first, key) = Set::keyed(&[0; 4]);
            assert_eq!(SemSet::create_new(Key::PRIVATE, RW, &[0; 3]), Err(Errno::NOSPC));
            let second = Set::new(&[0; 2]);
            assert_eq!(SemSet::create_new(Key::PRIVATE, RW, &[0]), Err(Errno::NOSPC));
            second.remove().unwrap();
            let _second = Set::new(&[0]);
            assert_eq!(SemSet::create_new(Key::PRIVATE, RW, &[0]), Err(Errno::NOSPC), "two sets");
            assert_eq!(SemSet::create_unique(RW, &[0]), Err(Errno::NOSPC));
            assert_eq!(SemSet::create(Key::from_raw(1), RW, &[0]), Err(Errno::NOSPC));
            assert_eq!(SemSet::create(key, RW, &[0]), Ok(*first), "it is there");
        });
    });
}

#[test]
fn set_can_be_as_large_as_the_system_allows() {
    isolated(|| {
        let [in_a_set, ..] = limits();
        let last = u16::try_from(in_a_set - 1).unwrap();
        let initial: Vec<u16> = (0..=last).map(|at| at % MAX_VALUE).collect();
        let (set, key) = Set::keyed(&initial);
        assert_eq!(set.status().unwrap().semaphores, in_a_set);
        let mut seen = vec![u16::MAX; in_a_set];
        set.values(&mut seen).unwrap();
        assert!(seen == initial);
        assert_eq!(set.value(last), Ok(last % MAX_VALUE));
        join(child(|| {
            let set = SemSet::open(key).unwrap();
            set.operate(&[Operation::post(last), Operation::post(0)]).unwrap();
            assert_eq!(set.post(last + 1), Err(Errno::FBIG));
        }));
        assert_eq!((set.value(0), set.value(last)), (Ok(1), Ok(last % MAX_VALUE + 1)));
        let reversed: Vec<u16> = initial.iter().rev().copied().collect();
        set.set_values(&reversed).unwrap();
        set.values(&mut seen).unwrap();
        assert!(seen == reversed);
        let one_more = vec![0; in_a_set + 1];
        assert_eq!(SemSet::create_new(Key::PRIVATE, RW, &one_more), Err(Errno::INVAL));
    });
}

// What it is like.

#[test]
fn sleepers_are_counted_by_what_they_sleep_for() {
    isolated(|| {
        let set = Set::new(&[0, 1]);
        let waiters = [(); 3].map(|()| child(|| set.wait(0).unwrap()));
        let for_zero = [(); 2].map(|()| {
            child(|| {
                set.operate(&[Operation::wait_for_zero(1)]).unwrap();
            })
        });
        eventually_waiting(*set, 0, 3);
        eventually_waiting_for_zero(*set, 1, 2);
        assert_eq!((set.waiting(1), set.waiting_for_zero(0)), (Ok(0), Ok(0)));
        set.set_values(&[3, 0]).unwrap();
        waiters.into_iter().chain(for_zero).for_each(join);
        assert_eq!((set.waiting(0), set.waiting_for_zero(1)), (Ok(0), Ok(0)));
    });
}

#[test]
fn last_operator_is_told_for_each_semaphore() {
    isolated(|| {
        let set = Set::new(&[1, 1]);
        let this = Ok(Some(process::id()));
        assert_eq!((set.last_operator(0), set.last_operator(1)), (this, this));
        let poster = child(|| set.post(1).unwrap());
        let pid = poster.id();
        join(poster);
        assert_eq!((set.last_operator(0), set.last_operator(1)), (this, Ok(Some(pid))));
        let failing = child(|| {
            assert_eq!(set.try_operate(&[Operation::change(0, -9)]), Err(Errno::AGAIN));
        });
        join(failing);
        assert_eq!(set.last_operator(0), this);
    });
}

#[test]
fn nobody_has_operated_on_a_set_that_is_only_made() {
    isolated(|| {
        let (bare, _key) = Set::bare(1);
        assert_eq!(bare.last_operator(0), Ok(None));
        assert_eq!(bare.status().unwrap().operation_time, 0);
    });
}

#[test]
fn operator_out_of_sight_is_nobody() {
    isolated(|| {
        let set = Set::new(&[0]);
        join(child(|| {
            // SAFETY: takes integers only; this process has one thread.
            if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
                eprintln!("skipped: takes root, to have process numbers of its own");
                return;
            }
            join(child(|| {
                assert_eq!(process::id(), Pid::INIT);
                assert_eq!(set.last_operator(0), Ok(None));
                set.post(0).unwrap();
                assert_eq!(set.last_operator(0), Ok(Some(Pid::INIT)));
            }));
        }));
    });
}

#[test]
fn new_set_says_whose_it_is() {
    isolated(|| {
        let before = seconds();
        let (set, key) = Set::keyed(&[1, 2, 3]);
        let after = seconds();
        let status = set.status().unwrap();
        let permissions = status.permissions;
        assert_eq!(permissions.key, key);
        assert_eq!((permissions.uid, permissions.gid), (geteuid(), getegid()));
        assert_eq!((permissions.creator_uid, permissions.creator_gid), (geteuid(), getegid()));
        assert_eq!((permissions.mode, status.semaphores), (RW, 3));
        assert!((before..=after).contains(&status.change_time), "{status:?}");
        assert!((before..=after).contains(&status.operation_time), "{status:?}");
    });
}

#[test]
fn operations_move_the_time_of_operation_only() {
    isolated(|| {
        let set = Set::new(&[0, 0]);
        let created = set.status().unwrap();
        for operations in [&[Operation::post(1)][..], &[Operation::wait_for_zero(0)]] {
            let before = set.status().unwrap().operation_time;
            // It is told in whole seconds: so one of them has to pass.
            eventually("the time of operation moves", || {
                assert_eq!(set.try_wait(0), Err(Errno::AGAIN), "which moves nothing");
                assert_eq!(set.status().unwrap().operation_time, before);
                seconds() > before
            });
            set.operate(operations).unwrap();
            let now = set.status().unwrap().operation_time;
            assert!(now > before && now <= seconds());
        }
        assert_eq!(set.status().unwrap().change_time, created.change_time);
    });
}

#[test]
fn settings_move_the_time_of_change_only() {
    isolated(|| {
        type Setting = fn(SemSet) -> Result<(), Errno>;

        const SETTINGS: [Setting; 4] = [
            |set| set.set_mode(RW),
            |set| set.set_owner(geteuid(), getegid()),
            |set| set.set_value(0, 1),
            |set| set.set_values(&[1]),
        ];
        let set = Set::new(&[0]);
        let created = set.status().unwrap();
        for setting in SETTINGS {
            let before = set.status().unwrap().change_time;
            eventually("the time of change moves", || {
                setting(*set).unwrap();
                set.status().unwrap().change_time > before
            });
        }
        let status = set.status().unwrap();
        assert_eq!(status.operation_time, created.operation_time);
        assert_eq!(status.permissions, created.permissions);
    });
}

// Who may.

#[test]
fn set_mode_sets_the_mode_only() {
    isolated(|| {
        let set = Set::new(&[1]);
        let created = set.status().unwrap().permissions;
        // Root may read without permission; others could not go on from what takes it from them.
        let unreadable = if geteuid().is_root() { &[0o266, 0o000][..] } else { &[] };
        for &mode in [0o666, 0o777, 0o640, 0o421, 0o400].iter().chain(unreadable) {
            set.set_mode(Mode::from_raw_mode(mode)).unwrap();
            let mut permissions = set.status().unwrap().permissions;
            assert_eq!(permissions.mode.as_raw_mode(), mode);
            permissions.mode = created.mode;
            assert_eq!(permissions, created);
        }
    });
}

#[test]
fn who_may_only_read_can_look_and_wait_for_zero() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let (set, key) = Set::keyed(&[0, 1]);
        set.set_mode(Mode::from_raw_mode(0o604)).unwrap();
        as_stranger(|| {
            assert_eq!(SemSet::open(key), Ok(*set));
            assert_eq!(SemSet::create(key, RW, &[9]), Ok(*set));
            assert_eq!(values(*set), Ok([0, 1]));
            assert_eq!(set.value(1), Ok(1));
            assert_eq!((set.waiting(0), set.waiting_for_zero(0)), (Ok(0), Ok(0)));
            assert!(set.last_operator(0).is_ok());
            assert_eq!(set.status().unwrap().semaphores, 2);
            set.operate(&[Operation::wait_for_zero(0)]).unwrap();
            let and_post = [Operation::wait_for_zero(0), Operation::post(0)];
            assert_eq!(set.operate(&and_post), Err(Errno::ACCESS));
            assert_eq!(set.post(0), Err(Errno::ACCESS));
            assert_eq!(set.wait(1), Err(Errno::ACCESS));
            assert_eq!(set.try_wait(1), Err(Errno::ACCESS));
            assert_eq!(set.wait_until(1, soon()), Err(Errno::ACCESS));
            assert_eq!(set.set_value(0, 1), Err(Errno::ACCESS));
            assert_eq!(set.set_values(&[1, 1]), Err(Errno::ACCESS));
        });
        assert_eq!(values(*set), Ok([0, 1]));
    });
}

#[test]
fn who_may_only_write_can_operate_and_not_look() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let (set, key) = Set::keyed(&[0, 1]);
        set.set_mode(Mode::from_raw_mode(0o602)).unwrap();
        as_stranger(|| {
            assert_eq!(SemSet::open(key), Err(Errno::ACCESS));
            assert_eq!(SemSet::try_open(key), Err(Errno::ACCESS));
            assert_eq!(SemSet::create(key, RW, &[9]), Err(Errno::ACCESS));
            assert_eq!(values::<2>(*set), Err(Errno::ACCESS));
            assert_eq!(set.value(1), Err(Errno::ACCESS));
            assert_eq!(set.waiting(0), Err(Errno::ACCESS));
            assert_eq!(set.waiting_for_zero(0), Err(Errno::ACCESS));
            assert_eq!(set.last_operator(0), Err(Errno::ACCESS));
            assert_eq!(set.status(), Err(Errno::ACCESS));
            assert_eq!(set.operate(&[Operation::wait_for_zero(0)]), Err(Errno::ACCESS));
            set.operate(&[Operation::wait_for_zero(0), Operation::post(0)]).unwrap();
            set.wait(1).unwrap();
            set.set_value(1, 8).unwrap();
            assert_eq!(set.set_values(&[2, 2]), Err(Errno::ACCESS), "how many it has is asked");
        });
        assert_eq!(values(*set), Ok([1, 8]));
    });
}

#[test]
fn only_owner_and_creator_set_and_remove() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let set = Set::permitting(0o666, &[1]);
        let before = set.status().unwrap();
        as_stranger(|| {
            let (uid, gid) = (Uid::from_raw(STRANGER), Gid::from_raw(STRANGER));
            assert_eq!(set.set_owner(uid, gid), Err(Errno::PERM));
            assert_eq!(set.set_mode(RW), Err(Errno::PERM));
            assert_eq!(set.remove(), Err(Errno::PERM));
        });
        assert_eq!(set.status(), Ok(before));
    });
}

/// The kernel sets all at once, so that what is to stay has to be read before.
#[test]
fn setting_takes_permission_to_read_and_removing_does_not() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        as_stranger(|| {
            let set = Set::permitting(0o200, &[1]);
            assert_eq!(set.set_mode(RW), Err(Errno::ACCESS));
            assert_eq!(set.set_owner(geteuid(), getegid()), Err(Errno::ACCESS));
            assert_eq!(set.remove(), Ok(()));
        });
    });
}

#[test]
fn owner_can_be_another_and_may_then_set_and_remove() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let set = Set::new(&[1]);
        set.set_owner(Uid::from_raw(STRANGER), Gid::from_raw(OTHER)).unwrap();
        let permissions = set.status().unwrap().permissions;
        assert_eq!((permissions.uid.as_raw(), permissions.gid.as_raw()), (STRANGER, OTHER));
        assert_eq!((permissions.creator_uid, permissions.creator_gid), (geteuid(), getegid()));
        assert_eq!(permissions.mode, RW, "that stays");
        join(child(|| {
            become_user(OTHER);
            assert_eq!(set.post(0), Err(Errno::ACCESS), "of the group, which may not");
        }));
        as_stranger(|| {
            set.post(0).unwrap();
            set.set_mode(Mode::RUSR).unwrap();
            assert_eq!(set.status().unwrap().permissions.mode, Mode::RUSR);
            assert_eq!(set.post(0), Err(Errno::ACCESS));
            set.remove().unwrap();
        });
        assert_eq!(set.status(), Err(Errno::INVAL));
    });
}

#[test]
fn group_has_its_own_permissions() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let set = Set::permitting(0o640, &[1]);
        set.set_owner(Uid::ROOT, Gid::from_raw(STRANGER)).unwrap();
        as_stranger(|| {
            assert_eq!(set.value(0), Ok(1));
            assert_eq!(set.wait(0), Err(Errno::ACCESS));
        });
    });
}

// Many at once.

#[test]
fn eight_processes_never_stand_in_a_critical_section_together() {
    const PROCESSES: u32 = 8;
    const EACH: u32 = 10_000;

    isolated(|| {
        let set = Set::new(&[1]);
        let counter = tempfile::tempfile().unwrap();
        counter.write_all_at(&[0; 4], 0).unwrap();
        let workers = [(); PROCESSES as usize].map(|()| {
            child(|| {
                let mut bytes = [0; 4];
                for _ in 0..EACH {
                    set.wait(0).unwrap();
                    counter.read_exact_at(&mut bytes, 0).unwrap();
                    let next = u32::from_ne_bytes(bytes) + 1;
                    counter.write_all_at(&next.to_ne_bytes(), 0).unwrap();
                    set.post(0).unwrap();
                }
            })
        });
        workers.into_iter().for_each(join);
        let mut bytes = [0; 4];
        counter.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(u32::from_ne_bytes(bytes), PROCESSES * EACH);
        assert_eq!((set.value(0), set.waiting(0)), (Ok(1), Ok(0)));
    });
}

#[test]
fn holders_that_are_killed_leave_the_lock_to_others() {
    isolated(|| {
        let set = Set::new(&[1, 0]);
        let holder = || {
            child(|| {
                loop {
                    set.operate(&[Operation::wait(0).undo()]).unwrap();
                    assert!(matches!(set.post(1), Ok(()) | Err(Errno::RANGE)), "it counts so far");
                    set.operate(&[Operation::post(0).undo()]).unwrap();
                }
            })
        };
        let mut holders = [holder(), holder(), holder()];
        for round in 0..60 {
            // Wherever the last was killed, the others go on.
            set.set_value(1, 0).unwrap();
            set.operate(&[Operation::change(1, -20)]).unwrap();
            let killed = core::mem::replace(&mut holders[round % 3], holder());
            kill(killed);
        }
        holders.into_iter().for_each(kill);
        assert_eq!(set.value(0), Ok(1));
    });
}
