//! Whoever locks a [`ReentrantMutex`] does so by the kernel's number of the thread, whatever became
//! of the process that it remembers the number from.

mod support;

use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;

use rawipc::process::{self, Fork, Signal};
use rawipc::shm::Shared;
use rawipc::sync::ReentrantMutex;
use rawipc::{Deadline, Errno};
use support::crowd::all_threads;
use support::seccomp::{ANY, failing_with, intercept, refuse_calls};
use support::shared::{shared, words};
use support::signals::handle;
use support::users::is_root;
use support::{child, isolated, join};

type Lock = Shared<ReentrantMutex<u32>>;

/// The number by which this thread has locked it.
fn locked_by(lock: &Lock) -> u32 {
    let _held = lock.lock();
    words(lock)[0].load(Relaxed) & !(1 << 31)
}

fn thread_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

/// When the thread remembers nothing of this process yet, and when it does.
#[track_caller]
fn is_itself(lock: &Lock) {
    for _ in 0..3 {
        assert_eq!(locked_by(lock), thread_id());
        assert!(!lock.is_owned());
    }
}

fn new() -> Lock {
    shared(ReentrantMutex::new(0))
}

/// All the ways there are, those that the C library does not hear of too.
const FORKS: [unsafe fn() -> libc::c_long; 4] = [by_crate, by_libc, by_clone, by_clone3];

unsafe fn by_crate() -> libc::c_long {
    // SAFETY: the caller's promise, passed on.
    match unsafe { process::fork() } {
        Ok(Fork::Child) => 0,
        Ok(Fork::Parent(child)) => child.id().as_raw_nonzero().get().into(),
        Err(_) => -1,
    }
}

unsafe fn by_libc() -> libc::c_long {
    // SAFETY: the caller's promise, passed on.
    unsafe { libc::fork() }.into()
}

unsafe fn by_clone() -> libc::c_long {
    const FLAGS: libc::c_long = libc::SIGCHLD as libc::c_long;
    const ARGUMENTS: [libc::c_long; 2] =
        if cfg!(target_arch = "s390x") { [0, FLAGS] } else { [FLAGS, 0] };
    // SAFETY: the caller's promise, passed on. A copy, on a copy of the same stack.
    unsafe { libc::syscall(libc::SYS_clone, ARGUMENTS[0], ARGUMENTS[1], 0, 0, 0) }
}

unsafe fn by_clone3() -> libc::c_long {
    let mut arguments = [0_u64; 8];
    arguments[4] = libc::SIGCHLD.unsigned_abs().into();
    // SAFETY: as above; the arguments live, and are as long as it says.
    let forked = unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), 64_usize) };
    if forked >= 0 {
        return forked;
    }
    // Refused, as by some sandboxes.
    // SAFETY: the caller's promise, passed on.
    unsafe { by_clone() }
}

/// Has a child do it that was forked so, and waits for it.
#[track_caller]
fn in_child(fork: unsafe fn() -> libc::c_long, task: impl FnOnce()) {
    // SAFETY: there is one thread, and the child ends below.
    let forked = unsafe { fork() };
    assert!(forked >= 0, "fork");
    if forked == 0 {
        let _ends_here = ExitOnUnwind;
        task();
        process::exit(0);
    }
    assert!(succeeds(forked), "the child failed");
}

/// Waits for a child, and says whether it has exited with 0.
fn succeeds(child: libc::c_long) -> bool {
    let Ok(child) = child.try_into() else { return false };
    let mut status = -1;
    // SAFETY: `status` is writable for the length of the call.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    status == 0
}

/// In a child of each sort, the thread is itself.
#[track_caller]
fn in_children(lock: &Lock) {
    for fork in FORKS {
        in_child(fork, || is_itself(lock));
    }
}

/// What panics in the child has been printed, and goes no further.
struct ExitOnUnwind;

impl Drop for ExitOnUnwind {
    fn drop(&mut self) {
        process::exit(101);
    }
}

#[test]
fn many_threads_that_are_the_first_to_ask_are_each_itself() {
    isolated(|| {
        for _ in 0..20 {
            join(child(|| {
                let lock = new();
                all_threads(8, |_| is_itself(&lock));
                is_itself(&lock);
            }));
        }
    });
}

#[test]
fn threads_that_follow_each_other_in_the_same_place_are_each_itself() {
    isolated(|| {
        let lock = new();
        (0..50).for_each(|_| all_threads(1, |_| is_itself(&lock)));
    });
}

#[test]
fn a_thread_that_ends_is_still_itself() {
    struct Last(Arc<Lock>);
    impl Drop for Last {
        fn drop(&mut self) {
            is_itself(&self.0);
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    isolated(|| {
        let lock = Arc::new(new());
        for asks_before in [false, true] {
            let last = Last(Arc::clone(&lock));
            all_threads(1, move |_| {
                LAST.set(Some(Last(Arc::clone(&last.0))));
                if asks_before {
                    is_itself(&last.0);
                }
            });
        }
        is_itself(&lock);
    });
}

#[test]
fn children_and_grandchildren_are_themselves_however_forked() {
    isolated(|| {
        let lock = new();
        for asks_before in [false, true] {
            for first in FORKS {
                for second in FORKS {
                    join(child(|| {
                        if asks_before {
                            is_itself(&lock);
                        }
                        in_child(first, || {
                            in_child(second, || is_itself(&lock));
                            is_itself(&lock);
                            in_child(second, || is_itself(&lock));
                            is_itself(&lock);
                        });
                        is_itself(&lock);
                    }));
                }
            }
        }
    });
}

#[test]
fn threads_of_children_are_themselves_however_forked() {
    isolated(|| {
        let lock = new();
        for fork in FORKS {
            is_itself(&lock);
            in_child(fork, || {
                // Before the first thread of that process has asked.
                all_threads(3, |_| is_itself(&lock));
                is_itself(&lock);
                all_threads(3, |_| is_itself(&lock));
            });
        }
    });
}

#[test]
fn a_child_forked_by_another_thread_is_itself() {
    isolated(|| {
        let lock = new();
        is_itself(&lock);
        for fork in FORKS {
            all_threads(1, |_| {
                is_itself(&lock);
                in_child(fork, || is_itself(&lock));
            });
        }
    });
}

#[test]
fn a_child_does_not_take_its_parents_lock_for_its_own() {
    isolated(|| {
        let lock = new();
        let held = lock.lock();
        for fork in FORKS {
            in_child(fork, || {
                assert!(!lock.is_owned() && lock.try_lock().is_none());
                assert!(lock.lock_until(Deadline::now()).is_err());
            });
        }
        drop(held);
    });
}

#[test]
fn processes_of_one_number_after_the_other_are_themselves() {
    isolated(|| {
        if !is_root("to make a pid namespace") {
            return;
        }
        let lock = new();
        is_itself(&lock);
        for fork in FORKS {
            // Each the first of its namespace; the second's threads have numbers that the first of
            // all had before.
            in_child(fork, || {
                in_namespace(fork, || {
                    is_itself(&lock);
                    all_threads(1, |_| {
                        in_namespace(fork, || {
                            all_threads(3, |_| is_itself(&lock));
                            is_itself(&lock);
                        });
                    });
                    is_itself(&lock);
                });
            });
        }
    });
}

/// In a child that is the first of a new pid namespace, if one can be made.
fn in_namespace(fork: unsafe fn() -> libc::c_long, task: impl FnOnce()) {
    // SAFETY: concerns the children that this process will have, and not its memory.
    if unsafe { libc::unshare(libc::CLONE_NEWPID) } == 0 {
        in_child(fork, || {
            assert_eq!(thread_id(), 1);
            task();
        });
    } else {
        eprintln!("skipped: no pid namespace can be made here");
    }
}

#[test]
fn without_a_page_that_is_wiped_each_is_itself() {
    const ANY_ADVICE: libc::c_long = libc::SYS_madvise;
    let says_yes_and_does_nothing = || intercept(ANY_ADVICE, ANY, libc::SECCOMP_RET_ERRNO);
    let knows_none = || intercept(ANY_ADVICE, ANY, failing_with(Errno::INVAL));
    #[cfg(not(target_pointer_width = "32"))]
    let (map, length) = (libc::SYS_mmap, u32::try_from(size_of::<usize>()).unwrap());
    #[cfg(target_pointer_width = "32")]
    let (map, length) = (libc::SYS_mmap2, u32::try_from(size_of::<usize>()).unwrap());
    let has_no_memory = || intercept(map, (1, u32::MAX, length), failing_with(Errno::NOMEM));
    isolated(|| {
        if !refuse_calls(&[], Errno::NOSYS) {
            return;
        }
        let kernels: [&dyn Fn(); 3] = [&says_yes_and_does_nothing, &knows_none, &has_no_memory];
        for kernel in kernels {
            join(child(|| {
                kernel();
                let lock = new();
                is_itself(&lock);
                in_children(&lock);
                all_threads(2, |_| is_itself(&lock));
            }));
        }
    });
}

#[test]
fn where_the_c_library_would_allocate_each_is_itself() {
    isolated(|| {
        let mut key = 0;
        while key < 40 {
            // SAFETY: `key` is writable; there is no destructor.
            assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, None) }, 0);
        }
        let lock = new();
        is_itself(&lock);
        in_children(&lock);
    });
}

#[cfg(all(feature = "std", target_env = "gnu"))]
#[test]
fn only_the_first_lock_of_a_thread_asks_the_kernel() {
    isolated(|| {
        if !refuse_calls(&[], Errno::NOSYS) {
            return;
        }
        let lock = new();
        // The first finds out how; the second asks.
        drop((lock.lock(), lock.lock()));
        join(child(|| {
            drop((lock.lock(), lock.lock()));
            intercept(libc::SYS_gettid, ANY, libc::SECCOMP_RET_KILL_PROCESS);
            assert!(lock.lock_until(Deadline::now()).is_ok());
            drop((lock.lock(), lock.try_lock()));
        }));
    });
}

/// As glibc leaves it if a signal handler has locked when the thread was about to end.
#[cfg(all(feature = "std", target_env = "gnu"))]
#[test]
fn a_thread_is_not_who_was_in_its_place_before() {
    const NUMBER: usize = (1 << 22) - 1;
    // SAFETY: glibc says null for keys that nobody has.
    let get = |key| unsafe { libc::pthread_getspecific(key) }.addr();
    isolated(|| {
        let lock = new();
        is_itself(&lock);
        let me = usize::try_from(thread_id()).unwrap();
        let key = (0..32).find(|&key| get(key) & NUMBER == me).expect("it is remembered");
        let left_behind = core::sync::atomic::AtomicUsize::new(0);
        all_threads(1, |_| {
            is_itself(&lock);
            left_behind.store(get(key), Relaxed);
        });
        all_threads(1, |_| {
            let left_behind = core::ptr::without_provenance(left_behind.load(Relaxed));
            // SAFETY: the key is there; its words are numbers.
            assert_eq!(unsafe { libc::pthread_setspecific(key, left_behind) }, 0);
            is_itself(&lock);
        });
    });
}

/// Whether the handler locks, before it forks and after.
static HANDLER_LOCKS: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The child goes on where the parent has been interrupted; and then the parent does.
extern "C" fn lock_and_fork(_signal: libc::c_int) {
    static MUTEX: ReentrantMutex<u32> = ReentrantMutex::new(0);
    let lock = || drop(HANDLER_LOCKS.load(Relaxed).then(|| MUTEX.lock()));

    lock();
    INTERRUPTED.store(true, Relaxed);
    // SAFETY: only what is async-signal-safe is done on either side, but for the assertions.
    let forked = unsafe { by_clone() };
    lock();
    if forked != 0 && !succeeds(forked) {
        process::exit(9);
    }
}

#[test]
fn a_signal_handler_may_lock_and_fork_at_any_time() {
    isolated(|| {
        let lock = new();
        for round in 0..200 {
            join(child(|| {
                HANDLER_LOCKS.store(round % 2 == 0, Relaxed);
                handle(Signal::ALARM, lock_and_fork as extern "C" fn(libc::c_int) as usize, 0);
                let never = libc::timeval { tv_sec: 0, tv_usec: 0 };
                let soon = libc::timeval { tv_sec: 0, tv_usec: 1 + round / 2 };
                let timer = libc::itimerval { it_interval: never, it_value: soon };
                let old = core::ptr::null_mut();
                // SAFETY: `timer` is initialised; the old one is not asked for.
                let set = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, old) };
                assert_eq!(set, 0);
                while !INTERRUPTED.load(Relaxed) {
                    // By whichever thread it was at that moment.
                    let _number = locked_by(&lock);
                }
                is_itself(&lock);
            }));
        }
    });
}
