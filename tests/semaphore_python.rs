//! Named semaphores side by side with Python's `posix_ipc`: the same semaphores, the same tokens.
//!
//! Skipped, and says so, where there is no Python that has it: `ci/python.sh` makes one.

#![cfg(all(target_env = "gnu", target_pointer_width = "64"))]

mod support;

use rawipc::Errno;
use rawipc::error::Overflow;
use rawipc::posix::Semaphore;
use support::own::OWNER;
use support::python::{Program, Python};
use support::{child, isolated, join, own, sleeps_in, soon};

/// Starts a program, which finds the semaphore's name in `name`, and that for the way back in
/// `back`.
fn start(python: &Python, name: &Own, program: &str) -> Program {
    python.start(&format!("name = '{}'\nback = name + '-back'\n{program}", name.0))
}

/// Runs a program to its end.
#[track_caller]
fn run(python: &Python, name: &Own, program: &str) {
    start(python, name, program).join();
}

type Own = own::Own<Semaphore>;

impl Own {
    fn create(&self, value: u32) -> Semaphore {
        Semaphore::create_new(&self.0, OWNER, value).unwrap()
    }

    fn open(&self) -> Semaphore {
        Semaphore::open(&self.0).unwrap()
    }
}

#[test]
fn we_find_a_semaphore_as_python_made_it() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        run(
            &python,
            &name,
            "semaphore = Semaphore(name, posix_ipc.O_CREX, 0o640, 3)\n\
             semaphore.acquire()",
        );
        let semaphore = name.open();
        assert_eq!(semaphore.value(), 2);
        let again = Semaphore::create_new(&name.0, OWNER, 0);
        assert_eq!(again.unwrap_err(), Errno::EXIST);
        semaphore.post().unwrap();
        run(&python, &name, "assert Semaphore(name).value == 3");
    });
}

#[test]
fn python_finds_a_semaphore_as_we_made_it() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(2);
        run(
            &python,
            &name,
            "refuses(posix_ipc.ExistentialError, Semaphore, name, posix_ipc.O_CREX)\n\
             semaphore = Semaphore(name)\n\
             assert semaphore.value == 2\n\
             semaphore.acquire()\n\
             semaphore.acquire(0)\n\
             refuses(posix_ipc.BusyError, semaphore.acquire, 0)\n\
             refuses(posix_ipc.BusyError, semaphore.acquire, 0.01)\n\
             semaphore.release()\n\
             semaphore.close()",
        );
        assert_eq!(semaphore.value(), 1);
        assert!(semaphore.try_wait());
    });
}

#[test]
fn name_that_one_removes_is_gone_for_both() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(0);
        run(&python, &name, "Semaphore(name).unlink()");
        assert_eq!(Semaphore::open(&name.0).unwrap_err(), Errno::NOENT.into());
        semaphore.post().unwrap();

        let _new = name.create(0);
        Semaphore::unlink(&name.0).unwrap();
        run(&python, &name, "refuses(posix_ipc.ExistentialError, Semaphore, name)");
    });
}

#[test]
fn post_of_ours_wakes_python_in_each_of_its_ways_to_wait() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(0);
        for acquire in ["acquire()", "acquire(10)"] {
            let waiter = start(&python, &name, &format!("Semaphore(name).{acquire}"));
            sleeps_in(waiter.pid(), libc::SYS_futex);
            semaphore.post().unwrap();
            waiter.join();
            assert_eq!(semaphore.value(), 0);
        }
    });
}

#[test]
fn release_of_pythons_wakes_us_in_each_of_our_ways_to_wait() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(0);
        let ways: [fn(&Semaphore); 2] =
            [|semaphore| semaphore.wait(), |semaphore| semaphore.wait_until(soon()).unwrap()];
        for way in ways {
            let waiter = child(|| way(&semaphore));
            sleeps_in(waiter.id(), libc::SYS_futex);
            run(&python, &name, "Semaphore(name).release()");
            join(waiter);
            assert_eq!(semaphore.value(), 0);
        }
    });
}

#[test]
fn maximum_is_the_same() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let semaphore = name.create(Semaphore::MAX);
        run(
            &python,
            &name,
            &format!(
                "assert posix_ipc.SEMAPHORE_VALUE_MAX == {}\n\
                 assert Semaphore(name).value == posix_ipc.SEMAPHORE_VALUE_MAX\n\
                 refuses(OSError, Semaphore(name).release)",
                Semaphore::MAX,
            ),
        );
        assert_eq!(semaphore.post(), Err(Overflow));
    });
}

#[test]
fn turns_are_handed_over_between_python_and_us() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let back = name.with("-back");
        let (theirs, ours) = (name.create(0), back.create(0));
        let program = start(
            &python,
            &name,
            "theirs, ours = Semaphore(name), Semaphore(back)\n\
             for turn in range(1000):\n\
             \x20   theirs.acquire(10)\n\
             \x20   assert theirs.value == 0\n\
             \x20   ours.release()",
        );
        for _ in 0..1000 {
            theirs.post().unwrap();
            ours.wait_until(soon()).unwrap();
            assert_eq!(ours.value(), 0);
        }
        program.join();
        assert_eq!(theirs.value(), 0);
    });
}

#[test]
fn none_is_lost_between_python_and_us_who_all_post_and_wait() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        // Fewer than there are who want one.
        let semaphore = name.create(2);
        let program = "semaphore = Semaphore(name)\n\
             for turn in range(2000):\n\
             \x20   semaphore.acquire(10)\n\
             \x20   semaphore.release()";
        let pythons = [(); 2].map(|()| start(&python, &name, program));
        let children = [(); 2].map(|()| {
            child(|| {
                for _ in 0..2000 {
                    semaphore.wait_until(soon()).unwrap();
                    semaphore.post().unwrap();
                }
            })
        });
        children.into_iter().for_each(join);
        for python in pythons {
            python.join();
        }
        assert_eq!(semaphore.value(), 2);
    });
}
