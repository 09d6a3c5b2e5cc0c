//! Named semaphores between processes: what they promise, and what they refuse to open.

#![cfg(target_pointer_width = "64")]

mod support;

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::thread;

use rawipc::error::{Overflow, TimedOut};
use rawipc::posix::{Mode, Semaphore};
use rawipc::process::{self, ExitStatus, Signal};
use rawipc::shm::{LayoutError, OpenError, Shared};
use rawipc::{Deadline, Errno, Name, sync};
use rustix::fs::{CWD, FileType, mknodat};
use support::own::OWNER;
use support::users::{become_user, is_root};
use support::{child, descriptors, eventually, isolated, join, own, sleeps_in, soon, wait};

type Own = own::Own<Semaphore>;

impl Own {
    fn create(&self, value: u32) -> Semaphore {
        Semaphore::create_new(&self.0, OWNER, value).unwrap()
    }

    fn open(&self) -> Semaphore {
        Semaphore::open(&self.0).unwrap()
    }

    #[track_caller]
    fn refuses_to_open(&self) -> OpenError {
        Semaphore::open(&self.0).unwrap_err()
    }
}

/// One that has no name any more.
fn unnamed(value: u32) -> Semaphore {
    Own::new().create(value)
}

// Names and files.

#[test]
fn strangers_meet_at_the_name() {
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(2);
        join(child(|| {
            let theirs = name.open();
            assert_eq!(theirs.value(), 2);
            assert_ne!(theirs.as_ptr(), semaphore.as_ptr(), "mapped again");
            theirs.wait();
        }));
        assert_eq!(semaphore.value(), 1);
    });
}

#[test]
fn file_is_as_the_c_library_has_it() {
    isolated(|| {
        let name = Own::new();
        name.create(0x0102_0304);
        let mut image = [0; 32];
        image[..8].copy_from_slice(&0x0102_0304_u64.to_ne_bytes());
        image[8..12].copy_from_slice(&0x80_u32.to_ne_bytes());
        assert_eq!(fs::read(name.path()).unwrap(), image);
    });
}

#[test]
fn those_who_wait_are_counted_in_the_high_half() {
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(0);
        let waiters = [(); 3].map(|()| child(|| semaphore.wait()));
        for waiter in &waiters {
            sleeps_in(waiter.id(), libc::SYS_futex);
        }
        let word = || u64::from_ne_bytes(fs::read(name.path()).unwrap()[..8].try_into().unwrap());
        assert_eq!(word(), 3 << 32);
        assert_eq!(semaphore.value(), 0);
        for _ in &waiters {
            semaphore.post().unwrap();
        }
        waiters.into_iter().for_each(join);
        assert_eq!(word(), 0);
    });
}

#[test]
fn taken_name_is_not_taken_again() {
    isolated(|| {
        let name = Own::new();
        let _first = name.create(1);
        assert_eq!(Semaphore::create_new(&name.0, OWNER, 2).unwrap_err(), Errno::EXIST);
        assert_eq!(name.open().value(), 1);

        let garbage = Own::new();
        fs::write(garbage.path(), "garbage").unwrap();
        assert_eq!(Semaphore::create_new(&garbage.0, OWNER, 2).unwrap_err(), Errno::EXIST);
        assert_eq!(fs::read(garbage.path()).unwrap(), b"garbage");
    });
}

#[test]
fn what_is_not_there_is_not_opened_nor_made_by_that() {
    isolated(|| {
        let name = Own::new();
        assert_eq!(name.refuses_to_open(), OpenError::Os(Errno::NOENT));
        assert!(!name.path().exists());
        assert_eq!(Semaphore::unlink(&name.0), Err(Errno::NOENT));
    });
}

#[test]
fn name_has_room_for_what_the_c_library_puts_in_front() {
    isolated(|| {
        let padding = |to: usize| "n".repeat(to - Own::new().0.as_bytes().len());
        let longest = Own::new().with(padding(251));
        assert_eq!(longest.0.as_bytes().len(), 251);
        longest.create(5).post().unwrap();
        assert_eq!(longest.open().value(), 6);
        assert_eq!(Semaphore::unlink(&longest.0), Ok(()));

        for length in [252, 253, 254, 255] {
            let name = Own::new().with(padding(length)).0;
            assert_eq!(Semaphore::create_new(&name, OWNER, 0).unwrap_err(), Errno::INVAL);
            assert_eq!(Semaphore::open(&name).unwrap_err(), OpenError::Os(Errno::INVAL));
            let created = Semaphore::create(&name, OWNER, 0);
            assert_eq!(created.unwrap_err(), OpenError::Os(Errno::INVAL));
            assert_eq!(Semaphore::unlink(&name).unwrap_err(), Errno::INVAL);
        }
    });
}

#[test]
fn name_may_be_of_any_bytes() {
    isolated(|| {
        let pid = process::id().as_raw_nonzero();
        let odd = [b"/rawipc \xff\n;$(", pid.to_string().as_bytes()].concat();
        let name = Own::of(Name::new(&odd).unwrap());
        name.create(4);
        assert!(name.path().exists());
        assert_eq!(name.open().value(), 4);
    });
}

#[test]
fn value_above_the_maximum_is_refused_and_nothing_is_made() {
    isolated(|| {
        let name = Own::new();
        for value in [Semaphore::MAX + 1, u32::MAX] {
            assert_eq!(Semaphore::create_new(&name.0, OWNER, value).unwrap_err(), Errno::INVAL);
            let created = Semaphore::create(&name.0, OWNER, value);
            assert_eq!(created.unwrap_err(), OpenError::Os(Errno::INVAL));
            assert!(!name.path().exists());
        }
        assert_eq!(Semaphore::MAX, 0x7fff_ffff);
        assert_eq!(name.create(Semaphore::MAX).value(), Semaphore::MAX);
    });
}

#[test]
fn permissions_are_those_asked_for_less_the_umask() {
    isolated(|| {
        let name = Own::new();
        for umask in [0o000, 0o022, 0o077, 0o777] {
            rustix::process::umask(Mode::from_raw_mode(umask));
            for mode in [0o600, 0o640, 0o666, 0o400, 0o000, 0o777] {
                let made = Semaphore::create_new(&name.0, Mode::from_raw_mode(mode), 1).unwrap();
                assert!(made.try_wait(), "whoever makes it may use it");
                let permissions = name.path().metadata().unwrap().permissions().mode();
                assert_eq!(permissions & 0o7777, mode & !umask);
                Semaphore::unlink(&name.0).unwrap();
            }
        }
    });
}

/// Runs `task` in a child of that user; false, and says so, without the right to.
fn as_user(user: u32, task: impl FnOnce()) -> bool {
    if !is_root("to become another user") {
        return false;
    }
    join(child(|| {
        become_user(user);
        task();
    }));
    true
}

#[test]
fn other_user_opens_it_with_permission_to_read_and_to_write_only() {
    isolated(|| {
        rustix::process::umask(Mode::empty());
        let name = Own::new();
        for (mode, allowed) in [(0o600, false), (0o604, false), (0o602, false), (0o606, true)] {
            Semaphore::create_new(&name.0, Mode::from_raw_mode(mode), 1).unwrap();
            as_user(65534, || {
                let opened = Semaphore::open(&name.0);
                let created = Semaphore::create(&name.0, OWNER, 1);
                assert_eq!(opened.is_ok(), allowed);
                assert_eq!(created.is_ok(), allowed);
                for refused in [opened.err(), created.err()].into_iter().flatten() {
                    assert_eq!(refused, OpenError::Os(Errno::ACCESS));
                }
                let unlinked = Semaphore::unlink(&name.0).unwrap_err();
                assert!(matches!(unlinked, Errno::PERM | Errno::ACCESS), "{unlinked}");
            });
            Semaphore::unlink(&name.0).unwrap();
        }
    });
}

#[test]
fn creating_opens_what_is_there_as_it_is() {
    isolated(|| {
        let name = Own::new();
        let first = Semaphore::create(&name.0, OWNER, 5).unwrap();
        let second = Semaphore::create(&name.0, Mode::from_raw_mode(0o666), 9).unwrap();
        assert_eq!(second.value(), 5);
        assert!(second.try_wait());
        assert_eq!(first.value(), 4);
        assert_eq!(name.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    });
}

#[test]
fn of_many_who_create_it_at_once_all_have_the_same() {
    isolated(|| {
        let name = Own::new();
        for round in 0..50 {
            let start = unnamed(0);
            let children = [1, 2, 3, 4].map(|value| {
                let (start, name) = (&start, &name.0);
                child(move || {
                    start.wait();
                    Semaphore::create(name, OWNER, value * 1000).unwrap().post().unwrap();
                })
            });
            for _ in &children {
                start.post().unwrap();
            }
            children.into_iter().for_each(join);
            let value = name.open().value();
            let first = value - 4;
            assert!(first % 1000 == 0 && (1..=4).contains(&(first / 1000)), "{round}: {value}");
            Semaphore::unlink(&name.0).unwrap();
        }
    });
}

#[test]
fn those_who_have_it_open_go_on_when_the_name_is_gone() {
    isolated(|| {
        let name = Own::new();
        let (old, too) = (name.create(0), name.open());
        Semaphore::unlink(&name.0).unwrap();
        assert_eq!(name.refuses_to_open(), OpenError::Os(Errno::NOENT));
        let new = name.create(7);
        old.post().unwrap();
        assert_eq!((too.value(), new.value()), (1, 7), "another one");
        too.wait();
        assert_eq!(old.value(), 0);
    });
}

#[test]
fn open_semaphore_keeps_no_descriptor() {
    isolated(|| {
        let before = descriptors();
        let name = Own::new();
        let _made = name.create(0);
        let _opened = name.open();
        let bad = Own::new();
        fs::write(bad.path(), "bad").unwrap();
        bad.refuses_to_open();
        assert_eq!(descriptors(), before);
    });
}

#[test]
fn without_a_free_descriptor_nothing_is_made_or_opened() {
    isolated(|| {
        let (name, new) = (Own::new(), Own::new());
        name.create(1);
        {
            let _limit = support::FewDescriptors::no_more();
            assert_eq!(Semaphore::create_new(&new.0, OWNER, 0).unwrap_err(), Errno::MFILE);
            assert_eq!(name.refuses_to_open(), OpenError::Os(Errno::MFILE));
        }
        assert!(!new.path().exists());
        assert_eq!(name.open().value(), 1);
    });
}

// What is no semaphore.

#[test]
fn file_of_another_length_is_refused_and_left_alone() {
    isolated(|| {
        let name = Own::new();
        // The first is what a 32-bit program makes, of value 3.
        let mut narrow = [0; 16];
        narrow[..4].copy_from_slice(&6_u32.to_ne_bytes());
        narrow[4..8].copy_from_slice(&0x80_u32.to_ne_bytes());
        let semaphore = {
            let whole = Own::new();
            whole.create(1);
            fs::read(whole.path()).unwrap()
        };
        let longer = [&semaphore[..], &[0]].concat();
        let page = [&semaphore[..], &[0; 4064]].concat();
        for bytes in [&narrow[..], b"x", &semaphore[..31], &longer, &page] {
            fs::write(name.path(), bytes).unwrap();
            let wrong = LayoutError::Size { expected: 32, found: bytes.len() as u64 };
            assert_eq!(name.refuses_to_open(), OpenError::Layout(wrong));
            let created = Semaphore::create(&name.0, OWNER, 1).unwrap_err();
            assert_eq!(created, OpenError::Layout(wrong));
            assert_eq!(fs::read(name.path()).unwrap(), bytes);
        }
        assert_eq!(
            OpenError::Layout(LayoutError::Size { expected: 32, found: 16 }).to_string(),
            "values of 16 bytes instead of 32",
        );

        // Longer than memory reaches, and without any.
        fs::File::create(name.path()).unwrap().set_len(1 << 62).unwrap();
        let wrong = LayoutError::Size { expected: 32, found: 1 << 62 };
        assert_eq!(name.refuses_to_open(), OpenError::Layout(wrong));
    });
}

#[test]
fn file_without_a_semaphore_in_it_is_refused_and_left_alone() {
    isolated(|| {
        let name = Own::new();
        let semaphore = {
            let whole = Own::new();
            whole.create(1);
            fs::read(whole.path()).unwrap()
        };
        let private = [&semaphore[..8], &[0; 24]].concat();
        let mut other = semaphore.clone();
        other[8..12].copy_from_slice(&0x81_u32.to_ne_bytes());
        for (bytes, wrong) in [
            (&[][..], LayoutError::Empty),
            (&[0; 32], LayoutError::Unfinished),
            (&[0xff; 32], LayoutError::Foreign),
            (b"thirty-two bytes of something...", LayoutError::Foreign),
            // As `sem_init` makes it for the threads of one process.
            (&private, LayoutError::Foreign),
            (&other, LayoutError::Foreign),
        ] {
            fs::write(name.path(), bytes).unwrap();
            assert_eq!(name.refuses_to_open(), OpenError::Layout(wrong));
            let created = Semaphore::create(&name.0, OWNER, 1).unwrap_err();
            assert_eq!(created, OpenError::Layout(wrong));
            assert_eq!(fs::read(name.path()).unwrap(), bytes);
        }
        fs::write(name.path(), semaphore).unwrap();
        assert_eq!(name.open().value(), 1);
    });
}

#[test]
fn what_is_no_file_is_refused() {
    isolated(|| {
        let (name, real) = (Own::new(), Own::new());
        let _real = real.create(1);
        let refused = || {
            let errors = (name.refuses_to_open(), Semaphore::create(&name.0, OWNER, 1));
            assert_eq!(errors.1.unwrap_err(), errors.0);
            assert_eq!(Semaphore::create_new(&name.0, OWNER, 1).unwrap_err(), Errno::EXIST);
            name.remove();
            errors.0
        };
        symlink(real.path(), name.path()).unwrap();
        assert_eq!(refused(), OpenError::Os(Errno::LOOP));
        symlink("/nonexistent", name.path()).unwrap();
        assert_eq!(refused(), OpenError::Os(Errno::LOOP));
        fs::create_dir(name.path()).unwrap();
        assert_eq!(Semaphore::unlink(&name.0), Err(Errno::ISDIR));
        assert_eq!(refused(), OpenError::Os(Errno::ISDIR));
        mknodat(CWD, name.path(), FileType::Fifo, OWNER, 0).unwrap();
        assert_eq!(refused(), OpenError::Os(Errno::INVAL));
        let listener = UnixListener::bind(name.path()).unwrap();
        assert_eq!(refused(), OpenError::Os(Errno::NXIO));
        drop(listener);
        assert_eq!(real.open().value(), 1);
    });
}

#[test]
fn whatever_bytes_a_peer_writes_do_no_harm() {
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(0);
        let now = Deadline::now();
        for byte in 0..=255 {
            fs::write(name.path(), [byte; 32]).unwrap();
            let before = semaphore.value();
            let posted = semaphore.post();
            assert_eq!(posted.is_err(), before >= Semaphore::MAX);
            if before == 0 {
                assert!(semaphore.try_wait());
                assert_eq!(semaphore.wait_until(now), Err(TimedOut));
            } else {
                assert_eq!(semaphore.wait_until(now), Ok(()));
            }
            let _shown = format!("{semaphore:?}");
        }
    });
}

#[test]
fn file_made_shorter_by_a_peer_ends_who_touches_it() {
    isolated(|| {
        let name = Own::new();
        no_core_dump();
        let semaphore = name.create(1);
        fs::File::options().write(true).open(name.path()).unwrap().set_len(0).unwrap();
        let mut toucher = child(|| assert_eq!(semaphore.value(), 1));
        assert_eq!(wait(&mut toucher).signal(), Some(libc::SIGBUS));
        // Who comes now is told.
        assert_eq!(name.refuses_to_open(), OpenError::Layout(LayoutError::Empty));
    });
}

fn no_core_dump() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let before = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: Some(0), ..before }).unwrap();
}

// Never half-made.

#[test]
fn nobody_opens_one_that_is_half_made() {
    isolated(|| {
        let name = Own::new();
        let mut maker = child(|| {
            loop {
                Semaphore::create_new(&name.0, OWNER, 77).unwrap();
                Semaphore::unlink(&name.0).unwrap();
            }
        });
        let mut opened = 0;
        eventually("it was there often enough", || {
            match Semaphore::open(&name.0) {
                Ok(semaphore) => {
                    assert_eq!(semaphore.value(), 77);
                    opened += 1;
                }
                Err(error) => assert_eq!(error, OpenError::Os(Errno::NOENT)),
            }
            opened > 1000
        });
        maker.kill(Signal::KILL).unwrap();
        assert!(wait(&mut maker).is_killed_by(Signal::KILL));
    });
}

#[test]
fn who_is_killed_while_making_one_leaves_all_or_nothing() {
    isolated(|| {
        // A user of its own, so that all that is left can be told by its owner.
        let user = 1_000_000 + process::id().as_raw_nonzero().get().unsigned_abs();
        let name = Own::new();
        let left = || {
            let files = fs::read_dir("/dev/shm").unwrap().map(|entry| entry.unwrap());
            let of_user =
                |file: &fs::DirEntry| file.metadata().is_ok_and(|metadata| metadata.uid() == user);
            files.filter(of_user).map(|file| file.path()).collect::<Vec<_>>()
        };
        let mut whole = 0;
        for round in 0..40_u32 {
            let begun = unnamed(0);
            let could = as_user(user, || {
                let mut maker = child(|| {
                    loop {
                        begun.post().unwrap();
                        Semaphore::create_new(&name.0, OWNER, 77).unwrap();
                        Semaphore::unlink(&name.0).unwrap();
                    }
                });
                for _ in 0..=round {
                    begun.wait();
                }
                maker.kill(Signal::KILL).unwrap();
                assert!(wait(&mut maker).is_killed_by(Signal::KILL));
            });
            if !could {
                return;
            }
            match &left()[..] {
                [] => {}
                [one] => {
                    assert_eq!(*one, name.path());
                    assert_eq!(name.open().value(), 77);
                    Semaphore::unlink(&name.0).unwrap();
                    whole += 1;
                }
                many => panic!("left behind: {many:?}"),
            }
        }
        eprintln!("{whole} were left as a whole");
    });
}

// Posting and waiting.

#[test]
fn waiter_sleeps_until_a_post() {
    type Wait = fn(&Semaphore);

    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(0);
        let waits: [Wait; 2] =
            [|semaphore| semaphore.wait(), |semaphore| semaphore.wait_until(soon()).unwrap()];
        for waits in waits {
            let waiter = child(|| waits(&name.open()));
            sleeps_in(waiter.id(), libc::SYS_futex);
            semaphore.post().unwrap();
            join(waiter);
            assert_eq!(semaphore.value(), 0);
        }
    });
}

#[test]
fn each_post_lets_one_waiter_go() {
    isolated(|| {
        let semaphore = unnamed(0);
        let mut waiters = [(); 4].map(|()| Some(child(|| semaphore.wait())));
        let sleeping = waiters.iter().flatten();
        sleeping.for_each(|waiter| sleeps_in(waiter.id(), libc::SYS_futex));
        for left in (0..4).rev() {
            semaphore.post().unwrap();
            eventually("one goes", || {
                let gone = waiters.iter_mut().find_map(|waiter| {
                    let ended = waiter.as_mut()?.try_wait().unwrap()?;
                    *waiter = None;
                    Some(ended)
                });
                gone.is_some_and(|ended| ended == ExitStatus::Exited(0))
            });
            let sleeping = waiters.iter().flatten();
            assert_eq!(
                sleeping.map(|waiter| sleeps_in(waiter.id(), libc::SYS_futex)).count(),
                left
            );
        }
    });
}

#[test]
fn waiter_gives_up_at_its_deadline_and_takes_nothing() {
    isolated(|| {
        let semaphore = unnamed(0);
        let by = Deadline::after(Duration::from_millis(30));
        assert_eq!(semaphore.wait_until(by), Err(TimedOut));
        assert!(by.has_passed());
        assert_eq!(semaphore.wait_until(Deadline::now()), Err(TimedOut));
        semaphore.post().unwrap();
        assert_eq!(semaphore.value(), 1);
        assert_eq!(semaphore.wait_until(Deadline::now()), Ok(()), "there is one, however late");
    });
}

#[test]
fn value_never_exceeds_the_maximum() {
    isolated(|| {
        let semaphore = unnamed(Semaphore::MAX - 1);
        assert_eq!(semaphore.post(), Ok(()));
        assert_eq!(semaphore.post(), Err(Overflow));
        assert_eq!(semaphore.value(), Semaphore::MAX);
        assert!(semaphore.try_wait());
        assert_eq!(semaphore.post(), Ok(()));
    });
}

#[test]
fn signals_do_not_end_a_wait() {
    isolated(|| {
        let semaphore = unnamed(0);
        let waiter = child(|| {
            let _interruptions = support::signals::Interruptions::start();
            semaphore.wait();
        });
        sleeps_in(waiter.id(), libc::SYS_futex);
        let interruptions = || {
            let status = fs::read_to_string(format!("/proc/{}/status", waiter.id())).unwrap();
            let line = status.lines().find(|line| line.starts_with("voluntary")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
        };
        let before = interruptions();
        eventually("it was interrupted and sleeps again", || interruptions() > before + 5);
        semaphore.post().unwrap();
        join(waiter);
    });
}

#[test]
fn what_was_written_before_a_post_is_seen_after_the_wait() {
    isolated(|| {
        let name = Own::new();
        let lock = name.create(1);
        // A counter that two adders would spoil.
        let counter = Shared::anonymous(AtomicU64::new(0)).unwrap();
        let adders = [(); 4].map(|()| {
            child(|| {
                let lock = name.open();
                for _ in 0..5_000 {
                    lock.wait();
                    counter.store(counter.load(Relaxed) + 1, Relaxed);
                    lock.post().unwrap();
                }
            })
        });
        adders.into_iter().for_each(join);
        assert_eq!(counter.load(Relaxed), 20_000);
        assert_eq!(lock.value(), 1);
    });
}

#[test]
fn none_is_lost_between_many_who_post_and_many_who_wait() {
    const EACH: u64 = 25_000;
    isolated(|| {
        let (room, items) = (unnamed(64), unnamed(0));
        let taken = Shared::anonymous(AtomicU64::new(0)).unwrap();
        let posters = [(); 3].map(|()| {
            child(|| {
                for _ in 0..EACH {
                    room.wait();
                    items.post().unwrap();
                }
            })
        });
        let takers = [(); 3].map(|()| {
            child(|| {
                for _ in 0..EACH {
                    items.wait_until(soon()).unwrap();
                    taken.fetch_add(1, Relaxed);
                    room.post().unwrap();
                }
            })
        });
        posters.into_iter().chain(takers).for_each(join);
        assert_eq!(taken.load(Relaxed), 3 * EACH);
        assert_eq!((room.value(), items.value()), (64, 0));
    });
}

#[test]
fn child_has_what_its_parent_has_and_drops_its_own() {
    isolated(|| {
        let semaphore = unnamed(0);
        let poster = child(|| semaphore.post().unwrap());
        semaphore.wait_until(soon()).unwrap();
        join(poster);
        let semaphore = Cell::new(Some(semaphore));
        join(child(|| drop(semaphore.take())));
        semaphore.take().unwrap().post().unwrap();
    });
}

#[test]
fn threads_share_one() {
    let semaphore = unnamed(0);
    thread::scope(|scope| {
        scope.spawn(|| semaphore.wait_until(soon()).unwrap());
        scope.spawn(|| semaphore.post().unwrap());
    });
    assert_eq!(semaphore.value(), 0);
}

// Those who are killed.

#[test]
fn who_was_killed_while_waiting_takes_nothing_and_stays_counted() {
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(0);
        let mut waiter = child(|| semaphore.wait());
        sleeps_in(waiter.id(), libc::SYS_futex);
        waiter.kill(Signal::KILL).unwrap();
        assert!(wait(&mut waiter).is_killed_by(Signal::KILL));
        semaphore.post().unwrap();
        assert_eq!(semaphore.value(), 1);
        semaphore.wait();
        assert_eq!(fs::read(name.path()).unwrap()[..8], (1_u64 << 32).to_ne_bytes());
    });
}

#[test]
fn who_is_killed_when_woken_leaves_the_token_to_another_who_sleeps() {
    isolated(|| {
        support::stay_on_one_cpu();
        let semaphore = unnamed(0);
        // Now and then the victim is too fast, or has looked again and so lost its place.
        for attempt in 0.. {
            // The first one to sleep is the first to be woken.
            let mut victim = child(|| semaphore.wait());
            sleeps_in(victim.id(), libc::SYS_futex);
            let mut other = child(|| semaphore.wait());
            sleeps_in(other.id(), libc::SYS_futex);
            support::run_last(victim.id());
            semaphore.post().unwrap();
            victim.kill(Signal::KILL).unwrap();
            let died_with_it = semaphore.value() == 1;
            let _killed_or_served = wait(&mut victim);
            if died_with_it {
                assert_eq!(wait(&mut other), ExitStatus::Exited(0), "it sleeps on");
                break;
            }
            assert!(attempt < 30, "nobody was ever killed in time");
            semaphore.post().unwrap();
            join(other);
            while semaphore.try_wait() {}
        }
    });
}

#[test]
fn shown_with_its_value() {
    assert_eq!(format!("{:?}", unnamed(3)), "Semaphore { value: 3, .. }");
    let plain: &sync::Semaphore = &unnamed(3);
    assert_eq!(plain.value(), 3);
}
