//! Named semaphores side by side with glibc's functions: the same semaphores, the same tokens, and
//! sleepers on both sides at once.
//!
//! Where the two differ, they do so by design, and a test says how: glibc opens whatever has the
//! name, and has what it makes under a name that nobody knows if it is killed meanwhile; a sleeper
//! of its own whose wake went to another who was killed sleeps on.

#![cfg(all(target_env = "gnu", target_pointer_width = "64"))]

mod support;

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use rawipc::error::{Overflow, TimedOut};
use rawipc::posix::{Mode, Semaphore};
use rawipc::process::{Child, ExitStatus, Signal};
use rawipc::shm::{OpenError, Shared};
use rawipc::{Deadline, Errno, Result, sync};
use support::glibc::{done, errno};
use support::own::OWNER;
use support::users::as_another_user;
use support::{SOON, child, eventually, isolated, join, own, sleeps_in, wait};

// Their side: what a C program calls.

/// A semaphore that glibc opened.
struct Theirs(*mut libc::sem_t);

impl Theirs {
    fn open(name: &Own, flags: libc::c_int, mode: libc::mode_t, value: u32) -> Result<Self> {
        // SAFETY: the name lives.
        let semaphore = unsafe { libc::sem_open(name.c_string().as_ptr(), flags, mode, value) };
        if semaphore == libc::SEM_FAILED { Err(errno()) } else { Ok(Self(semaphore)) }
    }

    fn unlink(name: &Own) -> Result<()> {
        // SAFETY: the name lives.
        done(unsafe { libc::sem_unlink(name.c_string().as_ptr()) })
    }

    fn post(&self) -> Result<()> {
        // SAFETY: open until this is dropped.
        done(unsafe { libc::sem_post(self.0) })
    }

    fn wait(&self) -> Result<()> {
        // SAFETY: open until this is dropped.
        done(unsafe { libc::sem_wait(self.0) })
    }

    fn try_wait(&self) -> Result<()> {
        // SAFETY: open until this is dropped.
        done(unsafe { libc::sem_trywait(self.0) })
    }

    fn timed_wait(&self, timeout: Duration) -> Result<()> {
        // The wall's clock, which theirs goes by.
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        let by = Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.try_into().unwrap());
        let by = by + timeout;
        let by = libc::timespec {
            tv_sec: by.as_secs().try_into().unwrap(),
            tv_nsec: by.subsec_nanos().into(),
        };
        // SAFETY: open until this is dropped; the time lives.
        done(unsafe { libc::sem_timedwait(self.0, &raw const by) })
    }

    fn value(&self) -> u32 {
        let mut value = -1;
        // SAFETY: open until this is dropped; the value lives, and nobody else looks at it.
        done(unsafe { libc::sem_getvalue(self.0, &raw mut value) }).unwrap();
        value.try_into().unwrap()
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        // SAFETY: it is open, and this one's.
        assert_eq!(unsafe { libc::sem_close(self.0) }, 0);
    }
}

type Own = own::Own<Semaphore>;

impl Own {
    fn create_ours(&self, value: u32) -> Semaphore {
        Semaphore::create_new(&self.0, OWNER, value).unwrap()
    }

    fn create_theirs(&self, value: u32) -> Theirs {
        Theirs::open(self, libc::O_CREAT | libc::O_EXCL, 0o600, value).unwrap()
    }

    fn open_ours(&self) -> Semaphore {
        Semaphore::open(&self.0).unwrap()
    }

    fn open_theirs(&self) -> Theirs {
        Theirs::open(self, 0, 0, 0).unwrap()
    }
}

/// One semaphore, as both sides have opened it; made by either of them.
fn both(value: u32) -> [(Semaphore, Theirs); 2] {
    let name = Own::new();
    let made_by_us = (name.create_ours(value), name.open_theirs());
    drop(name);
    let name = Own::new();
    let theirs = name.create_theirs(value);
    [made_by_us, (name.open_ours(), theirs)]
}

// Opening.

#[test]
fn files_are_the_same_to_the_last_byte() {
    isolated(|| {
        for value in [0, 1, 0x0102_0304, Semaphore::MAX] {
            let (ours, theirs) = (Own::new(), Own::new());
            for (umask, mode) in [(0o022, 0o666), (0o077, 0o640), (0, 0o600)] {
                rustix::process::umask(Mode::from_raw_mode(umask));
                let mode_of_ours = Mode::from_raw_mode(mode);
                drop(Semaphore::create_new(&ours.0, mode_of_ours, value).unwrap());
                let create = libc::O_CREAT | libc::O_EXCL;
                drop(Theirs::open(&theirs, create, mode, value).unwrap());
                let file = |name: &Own| {
                    let permissions = fs::metadata(name.path()).unwrap().permissions();
                    (fs::read(name.path()).unwrap(), permissions.mode())
                };
                assert_eq!(file(&ours), file(&theirs));
                Semaphore::unlink(&theirs.0).unwrap();
                Theirs::unlink(&ours).unwrap();
            }
        }
    });
}

#[test]
fn what_one_creates_the_other_opens() {
    isolated(|| {
        for (ours, theirs) in both(7) {
            assert_eq!((ours.value(), theirs.value()), (7, 7));
        }
        let name = Own::new();
        let made = name.create_ours(3);
        let create = libc::O_CREAT;
        assert_eq!(Theirs::open(&name, create, 0o600, 5).unwrap().value(), 3);
        let refused = Theirs::open(&name, create | libc::O_EXCL, 0o600, 5);
        assert_eq!(refused.err(), Some(Errno::EXIST));
        drop(made);
        Theirs::unlink(&name).unwrap();
        let _made = name.create_theirs(4);
        assert_eq!(Semaphore::create(&name.0, OWNER, 6).unwrap().value(), 4);
        assert_eq!(Semaphore::create_new(&name.0, OWNER, 6).unwrap_err(), Errno::EXIST);
    });
}

#[test]
fn both_sides_know_the_same_names_and_values() {
    isolated(|| {
        let padding = |to: usize| "n".repeat(to - Own::new().0.as_bytes().len());
        let longest = Own::new().with(padding(251));
        drop(longest.create_ours(1));
        assert_eq!(longest.open_theirs().value(), 1);
        Theirs::unlink(&longest).unwrap();
        drop(longest.create_theirs(1));
        assert_eq!(longest.open_ours().value(), 1);

        let longer = Own::new().with(padding(252));
        assert_eq!(Semaphore::create_new(&longer.0, OWNER, 0).unwrap_err(), Errno::INVAL);
        let refused = Theirs::open(&longer, libc::O_CREAT, 0o600, 0).err().unwrap();
        // It depends on the version.
        assert!(matches!(refused, Errno::INVAL | Errno::NAMETOOLONG), "{refused}");

        let name = Own::new();
        let high = Semaphore::MAX + 1;
        assert_eq!(Semaphore::create_new(&name.0, OWNER, high).unwrap_err(), Errno::INVAL);
        assert_eq!(Theirs::open(&name, libc::O_CREAT, 0o600, high).err(), Some(Errno::INVAL));
    });
}

#[test]
fn name_that_one_removes_is_gone_for_both() {
    isolated(|| {
        let name = Own::new();
        let (ours, theirs) = (name.create_ours(0), name.open_theirs());
        Theirs::unlink(&name).unwrap();
        assert_eq!(Semaphore::open(&name.0).unwrap_err(), Errno::NOENT.into());
        theirs.post().unwrap();
        assert!(ours.try_wait(), "those who have it open go on");

        let (_ours, theirs) = (name.create_ours(0), theirs);
        Semaphore::unlink(&name.0).unwrap();
        assert_eq!(Theirs::open(&name, 0, 0, 0).err(), Some(Errno::NOENT));
        assert_eq!(theirs.value(), 0);
    });
}

#[test]
fn what_they_open_and_die_of_we_refuse() {
    isolated(|| {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let before = getrlimit(Resource::Core);
        setrlimit(Resource::Core, Rlimit { current: Some(0), ..before }).unwrap();
        let name = Own::new();
        fs::write(name.path(), "").unwrap();
        let mut c_program = child(|| name.open_theirs().post().unwrap());
        assert_eq!(wait(&mut c_program).signal(), Some(libc::SIGBUS));
        assert!(Semaphore::open(&name.0).is_err());
    });
}

// Tokens.

#[test]
fn tokens_are_the_same() {
    isolated(|| {
        for (ours, theirs) in both(0) {
            ours.post().unwrap();
            assert_eq!(theirs.value(), 1);
            theirs.try_wait().unwrap();
            assert!(!ours.try_wait());
            assert_eq!(theirs.try_wait(), Err(Errno::AGAIN));

            theirs.post().unwrap();
            assert_eq!(ours.value(), 1);
            ours.wait();
            assert_eq!(ours.wait_until(Deadline::now()), Err(TimedOut));
            assert_eq!(theirs.timed_wait(Duration::ZERO), Err(Errno::TIMEDOUT));

            for _ in 0..3 {
                ours.post().unwrap();
                theirs.post().unwrap();
            }
            theirs.wait().unwrap();
            theirs.timed_wait(SOON).unwrap();
            ours.wait_until(Deadline::after(SOON)).unwrap();
            assert_eq!((ours.value(), theirs.value()), (3, 3));
        }
    });
}

#[test]
fn neither_posts_above_the_maximum() {
    isolated(|| {
        for (ours, theirs) in both(Semaphore::MAX) {
            assert_eq!(ours.post(), Err(Overflow));
            assert_eq!(theirs.post(), Err(Errno::OVERFLOW));
            assert_eq!((ours.value(), theirs.value()), (Semaphore::MAX, Semaphore::MAX));
            theirs.wait().unwrap();
            ours.post().unwrap();
            assert_eq!(theirs.post(), Err(Errno::OVERFLOW));
            ours.wait();
            theirs.post().unwrap();
            assert_eq!(ours.post(), Err(Overflow));
        }
    });
}

#[test]
fn pointer_of_ours_is_a_semaphore_of_theirs() {
    isolated(|| {
        let ours = Own::new().create_ours(0);
        let theirs = core::mem::ManuallyDrop::new(Theirs(ours.as_ptr().cast()));
        theirs.post().unwrap();
        assert!(ours.try_wait());
    });
}

// Sleepers. In a process of their own, and with the name only: as strangers are.

fn our_waiter(name: &Own) -> Child {
    sleeping(child(|| name.open_ours().wait()))
}

fn our_waiter_until(name: &Own) -> Child {
    sleeping(child(|| name.open_ours().wait_until(Deadline::after(SOON)).unwrap()))
}

fn their_waiter(name: &Own) -> Child {
    sleeping(child(|| name.open_theirs().wait().unwrap()))
}

fn their_waiter_until(name: &Own) -> Child {
    sleeping(child(|| name.open_theirs().timed_wait(SOON).unwrap()))
}

fn sleeping(waiter: Child) -> Child {
    sleeps_in(waiter.id(), libc::SYS_futex);
    waiter
}

const WAITERS: [fn(&Own) -> Child; 4] =
    [our_waiter, their_waiter, our_waiter_until, their_waiter_until];

#[test]
fn post_of_either_wakes_a_sleeper_of_either() {
    isolated(|| {
        let name = Own::new();
        let (ours, theirs) = (name.create_ours(0), name.open_theirs());
        for waiter in WAITERS {
            let waiting = waiter(&name);
            ours.post().unwrap();
            join(waiting);
            let waiting = waiter(&name);
            theirs.post().unwrap();
            join(waiting);
            assert_eq!((ours.value(), theirs.value()), (0, 0));
        }
    });
}

#[test]
fn sleepers_of_both_sides_are_all_served() {
    isolated(|| {
        let name = Own::new();
        let (theirs, ours) = (name.create_theirs(0), name.open_ours());
        for round in 0..4 {
            let mut waiting: Vec<_> =
                WAITERS.iter().chain(&WAITERS).map(|waiter| waiter(&name)).collect();
            let word = fs::read(name.path()).unwrap();
            assert_eq!(word[..8], (8_u64 << 32).to_ne_bytes(), "all are counted");
            for left in (0..waiting.len()).rev() {
                if (left + round) % 2 == 0 {
                    ours.post().unwrap();
                } else {
                    theirs.post().unwrap();
                }
                eventually("one goes", || {
                    waiting.retain_mut(|waiter| match waiter.try_wait().unwrap() {
                        None => true,
                        Some(status) => {
                            assert!(status.success());
                            false
                        }
                    });
                    waiting.len() == left
                });
            }
            assert_eq!(fs::read(name.path()).unwrap()[..8], [0; 8], "nobody is counted any more");
        }
    });
}

#[test]
fn who_gives_up_on_either_side_is_counted_no_more() {
    isolated(|| {
        let name = Own::new();
        let (ours, theirs) = (name.create_ours(0), name.open_theirs());
        let short = Duration::from_millis(20);
        assert_eq!(ours.wait_until(Deadline::after(short)), Err(TimedOut));
        assert_eq!(theirs.timed_wait(short), Err(Errno::TIMEDOUT));
        assert_eq!(fs::read(name.path()).unwrap()[..8], [0; 8]);
    });
}

#[test]
fn turns_are_handed_over_between_both_sides() {
    const TURNS: u64 = 2_000;
    isolated(|| {
        let (there, back) = (Own::new(), Own::new());
        let (to_us, to_them) = (there.create_ours(0), back.create_theirs(0));
        // Which only whose turn it is may change.
        let turn = Shared::anonymous(AtomicU64::new(0)).unwrap();
        let c_program = child(|| {
            let (to_us, to_them) = (there.open_theirs(), back.open_theirs());
            for nth in 0..TURNS {
                to_them.wait().unwrap();
                assert_eq!(turn.load(Relaxed), 2 * nth + 1);
                turn.store(2 * nth + 2, Relaxed);
                to_us.post().unwrap();
            }
        });
        for nth in 0..TURNS {
            assert_eq!(turn.load(Relaxed), 2 * nth);
            turn.store(2 * nth + 1, Relaxed);
            to_them.post().unwrap();
            to_us.wait_until(Deadline::after(SOON)).unwrap();
        }
        join(c_program);
        assert_eq!((to_us.value(), to_them.value()), (0, 0));
    });
}

/// Two of us and two of them hand tokens to two of us and two of them.
#[test]
fn none_of_400_000_handovers_is_lost_between_many_of_both_sides() {
    /// Each is handed over twice: when it is put in, and when its room is given back.
    const EACH: u64 = 50_000;
    isolated(|| {
        let (room, items) = (Own::new(), Own::new());
        let (free, there) = (room.create_ours(256), items.create_theirs(0));
        let taken = Shared::anonymous(AtomicU64::new(0)).unwrap();
        let mut children = Vec::new();
        for _ in 0..2 {
            children.push(child(|| {
                let (room, items) = (room.open_ours(), items.open_ours());
                for _ in 0..EACH {
                    room.wait();
                    items.post().unwrap();
                }
            }));
            children.push(child(|| {
                let (room, items) = (room.open_theirs(), items.open_theirs());
                for _ in 0..EACH {
                    room.wait().unwrap();
                    items.post().unwrap();
                }
            }));
            children.push(child(|| {
                let (room, items) = (room.open_ours(), items.open_ours());
                for _ in 0..EACH {
                    items.wait();
                    taken.fetch_add(1, Relaxed);
                    room.post().unwrap();
                }
            }));
            children.push(child(|| {
                let (room, items) = (room.open_theirs(), items.open_theirs());
                for _ in 0..EACH {
                    items.wait().unwrap();
                    taken.fetch_add(1, Relaxed);
                    room.post().unwrap();
                }
            }));
        }
        children.into_iter().for_each(join);
        assert_eq!(taken.load(Relaxed), 4 * EACH);
        assert_eq!((free.value(), there.value()), (256, 0));
        for name in [room, items] {
            let word = fs::read(name.path()).unwrap();
            assert_eq!(word[4..8], [0; 4], "nobody is counted any more");
        }
    });
}

// Those who are killed.

/// Two sleepers, of whom the first has been woken, and killed before it did anything with that: the
/// second, and a token.
fn second_of_two(name: &Own, first: fn(&Own) -> Child, second: fn(&Own) -> Child) -> Child {
    support::stay_on_one_cpu();
    let semaphore = name.open_ours();
    for _ in 0..30 {
        let (mut victim, other) = (first(name), second(name));
        support::run_last(victim.id());
        semaphore.post().unwrap();
        victim.kill(Signal::KILL).unwrap();
        let died_with_it = semaphore.value() == 1;
        let _killed_or_served = wait(&mut victim);
        if died_with_it {
            return other;
        }
        // It was too fast.
        semaphore.post().unwrap();
        join(other);
        while semaphore.try_wait() {}
    }
    panic!("nobody was ever killed in time");
}

#[test]
fn sleeper_of_ours_gets_the_token_when_one_of_theirs_is_killed_when_woken() {
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create_ours(0);
        join(second_of_two(&name, their_waiter, our_waiter));
        assert_eq!(semaphore.value(), 0);
    });
}

#[test]
fn sleeper_of_theirs_sleeps_on_until_the_next_post_when_another_is_killed_when_woken() {
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create_ours(0);
        let mut other = second_of_two(&name, their_waiter, their_waiter);
        // Nothing is on its way to it: that it sleeps now is that it sleeps on.
        sleeps_in(other.id(), libc::SYS_futex);
        assert_eq!((semaphore.value(), other.try_wait()), (1, Ok(None)));
        semaphore.post().unwrap();
        assert_eq!(wait(&mut other), ExitStatus::Exited(0));
        assert_eq!(semaphore.value(), 1);
    });
}

// In memory of one's own, without a name.

#[test]
fn semaphore_without_a_name_is_the_same_too() {
    assert_eq!(size_of::<sync::Semaphore>(), size_of::<libc::sem_t>());
    assert!(align_of::<sync::Semaphore>() <= align_of::<u64>());
    isolated(|| {
        // Ours, handed to C.
        let ours = Shared::anonymous(sync::Semaphore::new(0)).unwrap();
        let pointer = (&raw const *ours).cast_mut().cast();
        let theirs = core::mem::ManuallyDrop::new(Theirs(pointer));
        let c_program = child(|| theirs.wait().unwrap());
        sleeps_in(c_program.id(), libc::SYS_futex);
        ours.post().unwrap();
        join(c_program);

        // Theirs, made by `sem_init` over it, and used as ours.
        // SAFETY: room for a `sem_t`, which nobody else uses now.
        assert_eq!(unsafe { libc::sem_init(pointer, 1, 3) }, 0);
        assert_eq!(ours.value(), 3);
        let waiter = child(|| (0..4).for_each(|_| ours.wait()));
        sleeps_in(waiter.id(), libc::SYS_futex);
        theirs.post().unwrap();
        join(waiter);
    });
}

// The same operations on two sets of semaphores, ours and theirs.

/// How many semaphores each side can have open, and how many names each has.
const SLOTS: usize = 3;
const NAMES: usize = 2;

#[derive(Clone, Debug)]
enum Operation {
    Open {
        slot: usize,
        name: usize,
        how: libc::c_int,
        mode: libc::mode_t,
        value: u32,
    },
    Close(usize),
    Unlink(usize),
    Umask(u32),
    Post(usize),
    /// Where there is none, theirs would wait for ever: then it is the one that does not wait.
    Wait(usize),
    TryWait(usize),
    WaitUntilNow(usize),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let (slot, name) = (|| 0..SLOTS, || 0..NAMES);
    let how = select(vec![0, libc::O_CREAT, libc::O_CREAT, libc::O_CREAT | libc::O_EXCL]);
    let mode = select(vec![0o600, 0o600, 0o640, 0o400, 0o200, 0o000, 0o777]);
    let value = prop_oneof![
        8 => 0..3_u32,
        2 => Semaphore::MAX - 1..Semaphore::MAX + 2,
        1 => Just(u32::MAX),
    ];
    let operation = prop_oneof![
        4 => (slot(), name(), how, mode, value).prop_map(|(slot, name, how, mode, value)| {
            Operation::Open { slot, name, how, mode, value }
        }),
        1 => slot().prop_map(Operation::Close),
        1 => name().prop_map(Operation::Unlink),
        1 => select(vec![0, 0o022, 0o077, 0o777]).prop_map(Operation::Umask),
        4 => slot().prop_map(Operation::Post),
        2 => slot().prop_map(Operation::Wait),
        2 => slot().prop_map(Operation::TryWait),
        1 => slot().prop_map(Operation::WaitUntilNow),
    ];
    proptest::collection::vec(operation, 1..80)
}

/// Both sides: each has semaphores of its own, and is to be in the same state as the other.
struct Sides {
    names: [(Own, Own); NAMES],
    ours: [Option<Semaphore>; SLOTS],
    theirs: [Option<Theirs>; SLOTS],
}

impl Sides {
    fn new() -> Self {
        rustix::process::umask(Mode::from_raw_mode(0o022));
        Self {
            names: [(); NAMES].map(|()| (Own::new(), Own::new())),
            ours: [const { None }; SLOTS],
            theirs: [const { None }; SLOTS],
        }
    }

    /// Does the same on both sides and returns both answers; none where there is nothing to do it
    /// with.
    fn apply(&mut self, operation: &Operation) -> Option<(Result<()>, Result<()>)> {
        match *operation {
            Operation::Open { slot, name, how, mode, value } => {
                let (ours, theirs) = &self.names[name];
                let mode_of_ours = Mode::from_raw_mode(mode);
                let ours = match how {
                    0 => Semaphore::open(&ours.0),
                    libc::O_CREAT => Semaphore::create(&ours.0, mode_of_ours, value),
                    _ => Semaphore::create_new(&ours.0, mode_of_ours, value).map_err(Into::into),
                };
                let ours = ours.map_err(|error| match error {
                    OpenError::Os(errno) => errno,
                    OpenError::Layout(wrong) => panic!("{wrong}"),
                });
                let theirs = Theirs::open(theirs, how, mode, value);
                let answers = (ours.as_ref().map(drop), theirs.as_ref().map(drop));
                let answers =
                    (answers.0.map_err(|&errno| errno), answers.1.map_err(|&errno| errno));
                if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                    (self.ours[slot], self.theirs[slot]) = (Some(ours), Some(theirs));
                }
                return Some(answers);
            }
            Operation::Unlink(name) => {
                let (ours, theirs) = &self.names[name];
                return Some((Semaphore::unlink(&ours.0), Theirs::unlink(theirs)));
            }
            Operation::Close(slot) => (self.ours[slot], self.theirs[slot]) = (None, None),
            Operation::Umask(mask) => {
                rustix::process::umask(Mode::from_raw_mode(mask));
            }
            Operation::Post(slot) => {
                let (ours, theirs) = self.both(slot)?;
                return Some((ours.post().map_err(Errno::from), theirs.post()));
            }
            Operation::Wait(slot) if self.both(slot)?.1.value() > 0 => {
                let (ours, theirs) = self.both(slot)?;
                ours.wait();
                return Some((Ok(()), theirs.wait()));
            }
            Operation::Wait(slot) | Operation::TryWait(slot) => {
                let (ours, theirs) = self.both(slot)?;
                let ours = if ours.try_wait() { Ok(()) } else { Err(Errno::AGAIN) };
                return Some((ours, theirs.try_wait()));
            }
            Operation::WaitUntilNow(slot) => {
                let (ours, theirs) = self.both(slot)?;
                let ours = ours.wait_until(Deadline::now()).map_err(Errno::from);
                return Some((ours, theirs.timed_wait(Duration::ZERO)));
            }
        }
        None
    }

    fn both(&self, slot: usize) -> Option<(&Semaphore, &Theirs)> {
        Some((self.ours[slot].as_ref()?, self.theirs[slot].as_ref()?))
    }

    /// What each side is like: its values, and its files with their permissions.
    fn states(&self) -> [impl PartialEq + core::fmt::Debug; 2] {
        let files = |names: [&Own; NAMES]| {
            names.map(|name| {
                let metadata = fs::metadata(name.path()).ok()?;
                // Without permission to read, there is no content.
                Some((metadata.permissions().mode(), fs::read(name.path()).ok()))
            })
        };
        let [a, b] = &self.names;
        let ours = self.ours.each_ref().map(|ours| ours.as_ref().map(|ours| ours.value()));
        let theirs = self.theirs.each_ref().map(|theirs| theirs.as_ref().map(Theirs::value));
        [(ours, files([&a.0, &b.0])), (theirs, files([&a.1, &b.1]))]
    }
}

/// Runs random operations on both sides.
fn assert_same_answers() {
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&operations(), |operations| {
        let mut sides = Sides::new();
        for (nth, operation) in operations.iter().enumerate() {
            if let Some((ours, theirs)) = sides.apply(operation) {
                prop_assert_eq!(ours, theirs, "operation {}: {:?}", nth, operation);
            }
            let [ours, theirs] = sides.states();
            prop_assert_eq!(ours, theirs, "after operation {}: {:?}", nth, operation);
        }
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn same_operations_have_the_same_answers() {
    isolated(|| {
        assert_same_answers();
    });
}

/// Root may open what its permissions would not let it, and so never hears of `ACCESS`.
#[test]
fn same_operations_have_the_same_answers_for_another_user() {
    isolated(|| {
        as_another_user(assert_same_answers);
    });
}
