//! What keeps those from sleeping for ever at a queue who come just when something is pushed: the
//! kernel's help, where there is any, and what does without.

mod support;

use std::time::Instant;

use rawipc::Errno;
use rawipc::queue::{Mpmc, Spsc};
use support::crowd::at_once;
use support::seccomp::refuse_calls;
use support::shared::shared;
use support::{SOON, child, isolated, join, stay_on_one_cpu, wait};

/// `MEMBARRIER_CMD_GET_REGISTRATIONS`, since Linux 6.3.
const GET_REGISTRATIONS: libc::c_int = 1 << 9;
/// `MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED`.
const GLOBAL_EXPEDITED: libc::c_long = 1 << 2;

/// Whether the kernel interrupts this process where another one asks for it. None, and says so,
/// where it does not tell.
fn is_interrupted() -> Option<bool> {
    // SAFETY: takes plain numbers.
    let registrations = unsafe { libc::syscall(libc::SYS_membarrier, GET_REGISTRATIONS, 0, 0) };
    if registrations < 0 {
        eprintln!("skipped: takes a kernel that tells who is registered");
        return None;
    }
    Some(registrations & GLOBAL_EXPEDITED != 0)
}

fn is_inherited(push: impl FnOnce()) {
    let Some(before) = is_interrupted() else { return };
    assert!(!before, "nothing has been pushed yet");
    push();
    assert_eq!(is_interrupted(), Some(true));
    join(child(|| {
        assert_eq!(is_interrupted(), Some(true));
        join(child(|| assert_eq!(is_interrupted(), Some(true))));
    }));
}

#[test]
fn who_has_pushed_into_an_spsc_is_interrupted_and_so_are_its_children() {
    isolated(|| {
        let queue = shared(Spsc::<u64, 2>::new());
        is_inherited(|| queue.producer().unwrap().push(1).unwrap());
    });
}

#[test]
fn who_has_pushed_into_an_mpmc_is_interrupted_and_so_are_its_children() {
    isolated(|| {
        let queue = shared(Mpmc::<u64, 2>::new());
        is_inherited(|| queue.push(1).unwrap());
    });
}

#[test]
fn who_has_popped_is_interrupted() {
    isolated(|| {
        let queue = shared(Mpmc::<u64, 2>::new());
        join(child(|| queue.push(1).unwrap()));
        is_inherited(|| assert_eq!(queue.pop(), Ok(1)));
    });
}

/// From here on the kernel helps neither this process nor those that it forks.
fn refuse() -> bool {
    refuse_calls(&[libc::SYS_membarrier], Errno::PERM)
}

/// Where the kernel has such filters.
fn can_refuse() -> bool {
    wait(&mut child(|| assert!(refuse()))).success()
}

/// A message goes to and fro, each time without delay.
fn to_and_fro(mut once: impl FnMut(u64)) {
    let start = Instant::now();
    for round in 0..400 {
        assert!(start.elapsed() < SOON, "only {round} rounds");
        at_once(|| once(round));
    }
}

/// Between two processes, of which one or both do without help, beginning with what they then do.
fn nobody_hangs(
    prepare: impl Fn(&Spsc<u64, 2>),
    here: impl Fn(&Spsc<u64, 2>),
    there: impl Fn(&Spsc<u64, 2>),
) {
    if !can_refuse() {
        return;
    }
    let (to, fro) = (shared(Spsc::new()), shared(Spsc::new()));
    prepare(&to);
    let other = child(|| {
        there(&fro);
        let (mut producer, mut consumer) = (fro.producer().unwrap(), to.consumer().unwrap());
        to_and_fro(|round| {
            assert_eq!(consumer.pop(), Ok(round));
            producer.push(round).unwrap();
        });
    });
    here(&to);
    let (mut producer, mut consumer) = (to.producer().unwrap(), fro.consumer().unwrap());
    to_and_fro(|round| {
        producer.push(round).unwrap();
        assert_eq!(consumer.pop(), Ok(round));
    });
    join(other);
}

fn nothing(_: &Spsc<u64, 2>) {}

fn without_help(_: &Spsc<u64, 2>) {
    assert!(refuse());
}

/// By then it knows that the kernel helps.
fn without_help_any_more(queue: &Spsc<u64, 2>) {
    queue.producer().unwrap().push(7).unwrap();
    assert_eq!(queue.consumer().unwrap().pop(), Ok(7));
    assert!(refuse());
}

/// Where nobody can spin until the other one is there.
fn on_one_cpu(_: &Spsc<u64, 2>) {
    stay_on_one_cpu();
}

#[test]
fn nobody_hangs_where_the_one_who_begins_does_without_help() {
    isolated(|| nobody_hangs(nothing, without_help, nothing));
}

#[test]
fn nobody_hangs_where_the_one_who_answers_does_without_help() {
    isolated(|| nobody_hangs(nothing, nothing, without_help));
}

#[test]
fn nobody_hangs_where_both_do_without_help() {
    isolated(|| nobody_hangs(without_help, nothing, nothing));
}

#[test]
fn nobody_hangs_where_help_comes_to_an_end() {
    isolated(|| nobody_hangs(nothing, without_help_any_more, nothing));
}

#[test]
fn nobody_hangs_where_help_comes_to_an_end_for_both() {
    isolated(|| nobody_hangs(without_help_any_more, nothing, nothing));
}

#[test]
fn nobody_hangs_on_one_cpu_with_help() {
    isolated(|| nobody_hangs(on_one_cpu, nothing, nothing));
}

#[test]
fn nobody_hangs_on_one_cpu_where_one_does_without_help() {
    isolated(|| nobody_hangs(on_one_cpu, without_help, nothing));
    // (The other way round it is the same.)
}

#[test]
fn nobody_hangs_on_one_cpu_where_both_do_without_help() {
    isolated(|| nobody_hangs(on_one_cpu, without_help, without_help));
}

#[test]
fn many_get_on_at_an_mpmc_without_help() {
    isolated(|| {
        if !can_refuse() {
            return;
        }
        let queue = shared(Mpmc::<u64, 4>::new());
        let receivers = [true, false].map(|with_help| {
            child(|| {
                assert!(with_help || refuse());
                while queue.pop().is_ok() {}
            })
        });
        let senders = [true, false].map(|with_help| {
            child(|| {
                assert!(with_help || refuse());
                to_and_fro(|round| queue.push(round).unwrap());
            })
        });
        senders.into_iter().for_each(join);
        at_once(|| {
            queue.close();
            receivers.into_iter().for_each(join);
        });
        assert!(queue.is_empty());
    });
}
