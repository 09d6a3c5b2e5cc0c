//! What the tests between processes stand on.
//!
//! [`isolated`] runs a test's body in a process of its own, with one thread, so that the body may
//! fork, install signal handlers and count descriptors as it likes. (Its own: the test's executable
//! is started again for this test only, where no other test's thread can hold a lock, and then
//! forked, which leaves the harness's thread behind.) A watchdog ends it, and all that
//! it has forked, when it hangs; and whatever it leaves behind is a failure: a child, a zombie, a
//! descriptor, a thread.

#![allow(dead_code, reason = "each test file uses its own part")]

use core::cell::Cell;
use core::time::Duration;
use std::env;
use std::fs;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use rawipc::Deadline;
use rawipc::process::{Child, ExitStatus, spawn};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

/// Set in the process that runs the body.
const INSIDE: &str = "RAWIPC_TEST_INSIDE";

/// How long a test may take before it counts as hanging.
const LIMIT: Duration = Duration::from_secs(20);

/// How long a test waits for what should happen at once.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Runs `body` in a process of its own, and fails if it fails, hangs, or leaves anything behind.
///
/// To be called with a closure in the function that bears `#[test]`: it finds the test by its name.
#[track_caller]
pub(crate) fn isolated<F: FnOnce()>(body: F) {
    if env::var_os(INSIDE).is_some() {
        inside(body);
    } else {
        supervise(core::any::type_name::<F>());
    }
}

fn inside(body: impl FnOnce()) {
    let mut alone = child(|| {
        assert_eq!(count("/proc/self/task"), 1, "the body must be alone in its process");
        let before = descriptors();
        body();
        assert_eq!(descriptors(), before, "descriptors leaked, or closed that are not the test's");
        assert_eq!(count("/proc/self/task"), 1, "a thread was left behind");
        let any_child = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        assert!(any_child.is_err(), "a child or a zombie was left behind");
    });
    assert!(alone.wait().expect("the body's end").success(), "the body failed");
}

fn supervise(closure: &str) {
    let path = closure.trim_end_matches("::{{closure}}");
    let (_crate, test) = path.split_once("::").expect("a path within a crate");
    let scratch = tempfile::tempdir().expect("a directory for the test's files");
    let mut output = tempfile::tempfile().expect("a file for the test's output");
    let mut child = Command::new(env::current_exe().expect("the test's own executable"))
        .args([test, "--exact", "--nocapture", "--test-threads=1", "--include-ignored"])
        .env(INSIDE, "1")
        .env("TMPDIR", scratch.path())
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a descriptor"))
        .stderr(output.try_clone().expect("a descriptor"))
        .process_group(0)
        .spawn()
        .expect("the test's own process");

    let group = Pid::from_child(&child);
    let pidfd = pidfd_open(group, PidfdFlags::empty()).expect("a pidfd");
    let limit = LIMIT.try_into().expect("a timeout in the kernel's form");
    let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit)).expect("poll");
    let hung = (ended == 0).then_some("it hung, and was killed");
    if hung.is_some() {
        let _gone_already = kill_process_group(group, Signal::KILL);
    }
    let status = child.wait().expect("the test's exit status");
    // The leader is gone: whoever answers now was left behind.
    let orphans = kill_process_group(group, Signal::KILL).is_ok() && hung.is_none();

    let mut printed = String::new();
    output.rewind().expect("the start of the output");
    output.read_to_string(&mut printed).expect("the test's output");
    let failed = (!status.success()).then_some("it failed");
    let orphaned = orphans.then_some("it left processes behind, which were killed");
    let empty = (!printed.contains("1 passed") && status.success()).then_some("it did not run");
    if let Some(why) = hung.or(failed).or(orphaned).or(empty) {
        panic!("{test}: {why} ({status})\n--- its output:\n{printed}");
    }
    let left = fs::read_dir(&scratch).expect("the test's directory");
    let left: Vec<_> = left.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(left.is_empty(), "{test}: files left behind: {left:?}");
}

fn count(directory: &str) -> usize {
    fs::read_dir(directory).expect(directory).count()
}

/// The open descriptors of this process, by number.
pub(crate) fn descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").expect("/proc/self/fd");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    // The descriptor that lists them is among them and is closed by the time this returns.
    let mut open: Vec<_> = names
        .map(|name| name.into_string().expect("a number"))
        .filter(|name| fs::read_link(format!("/proc/self/fd/{name}")).is_ok())
        .collect();
    open.sort();
    open
}

/// Forks a child that runs `task` and succeeds unless it panics.
pub(crate) fn child(task: impl FnOnce()) -> Child {
    let task = || {
        task();
        0
    };
    // SAFETY: but for `inside`, the caller is the only thread; and there, the other one waits for
    // this one and holds no lock. What the tests share between parent and child are
    // descriptors.
    unsafe { spawn(task) }.expect("fork")
}

/// Forks a child that runs `task` with `theirs`, and keeps `ours`: each process has only its own.
///
/// (A child inherits what its parent holds. Where it held the other end of its own channel, it
/// would never see the end.)
pub(crate) fn apart<O, T>(ours: O, theirs: T, task: impl FnOnce(T)) -> (O, Child) {
    let ours = Cell::new(Some(ours));
    let child = child(|| {
        drop(ours.take());
        task(theirs);
    });
    (ours.take().expect("taken away in the child only"), child)
}

/// Waits for a child that has to succeed soon.
#[track_caller]
pub(crate) fn join(mut child: Child) {
    assert_eq!(wait(&mut child), ExitStatus::Exited(0), "the child failed");
}

/// Waits for a child that has to end soon.
#[track_caller]
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    child.wait_until(Deadline::after(SOON)).expect("the child's end")
}

/// A path that no other test uses, in a directory that goes when the test ends.
pub(crate) fn path(name: &str) -> PathBuf {
    env::temp_dir().join(name)
}

/// Waits, without sleeping blindly, until `holds`; fails if it does not soon.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < limit, "not in {SOON:?}: {what}");
        std::thread::yield_now();
    }
}

/// Waits until a process sleeps in the system call of that name, as `/proc/PID/syscall` tells.
#[track_caller]
pub(crate) fn sleeps_in(pid: Pid, number: libc::c_long) {
    let path = format!("/proc/{}/syscall", pid.as_raw_nonzero());
    let start = format!("{number} ");
    eventually("the process sleeps in the call", || {
        fs::read_to_string(&path).is_ok_and(|shown| shown.starts_with(&start))
    });
}

/// As [`sleeps_in`], where it does not matter which of several calls it is.
#[track_caller]
pub(crate) fn sleeps_in_one_of(pid: Pid, numbers: &[libc::c_long]) {
    let path = format!("/proc/{}/syscall", pid.as_raw_nonzero());
    eventually("the process sleeps in one of the calls", || {
        fs::read_to_string(&path).is_ok_and(|shown| {
            let number = shown.split(' ').next().and_then(|number| number.parse().ok());
            number.is_some_and(|number| numbers.contains(&number))
        })
    });
}

/// While it lives, a signal handler runs every few milliseconds, installed without `SA_RESTART`:
/// each call that sleeps is interrupted.
pub(crate) struct Interruptions(());

impl Interruptions {
    pub(crate) fn start() -> Self {
        extern "C" fn do_nothing(_signal: libc::c_int) {}
        // SAFETY: an all-zero sigaction is a valid one: no flags, an empty mask.
        let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
        action.sa_sigaction = do_nothing as extern "C" fn(libc::c_int) as usize;
        // SAFETY: `action` is initialised; its handler does nothing, which is async-signal-safe.
        let installed =
            unsafe { libc::sigaction(libc::SIGALRM, &raw const action, core::ptr::null_mut()) };
        assert_eq!(installed, 0);
        Self::every(5000);
        Self(())
    }

    fn every(microseconds: libc::suseconds_t) {
        let interval = libc::timeval { tv_sec: 0, tv_usec: microseconds };
        let timer = libc::itimerval { it_interval: interval, it_value: interval };
        // SAFETY: `timer` is initialised; the old one is not asked for.
        let set =
            unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, core::ptr::null_mut()) };
        assert_eq!(set, 0);
    }
}

impl Drop for Interruptions {
    fn drop(&mut self) {
        Self::every(0);
    }
}

/// Limits how many descriptors this process may have open; put back when dropped.
pub(crate) struct FewDescriptors(rustix::process::Rlimit);

impl FewDescriptors {
    /// No more than are open now.
    pub(crate) fn no_more() -> Self {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let before = getrlimit(Resource::Nofile);
        // The lowest that is free, so that the next one fails.
        let free = rustix::io::dup(rustix::stdio::stderr()).expect("a descriptor");
        let free = u64::try_from(rustix::fd::AsRawFd::as_raw_fd(&free)).expect("not negative");
        setrlimit(Resource::Nofile, Rlimit { current: Some(free), ..before }).expect("setrlimit");
        Self(before)
    }
}

impl FewDescriptors {
    /// As many more as that.
    pub(crate) fn more(more: usize) -> Self {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let before = getrlimit(Resource::Nofile);
        // The lowest that are free. The last of them is the first that must not be taken.
        let free: Vec<_> = (0..=more)
            .map(|_| rustix::io::dup(rustix::stdio::stderr()).expect("a descriptor"))
            .collect();
        let limit = free.last().map(rustix::fd::AsRawFd::as_raw_fd).expect("at least one");
        let limit = u64::try_from(limit).expect("not negative");
        setrlimit(Resource::Nofile, Rlimit { current: Some(limit), ..before }).expect("setrlimit");
        Self(before)
    }
}

impl Drop for FewDescriptors {
    fn drop(&mut self) {
        use rustix::process::{Resource, setrlimit};
        setrlimit(Resource::Nofile, self.0).expect("setrlimit");
    }
}

/// From here on, these system calls of this process, and of those it forks, fail with `errno`: the
/// way to meet an older kernel. False, and says so, where the kernel has no seccomp filters.
pub(crate) fn refuse_calls(numbers: &[libc::c_long], errno: rawipc::Errno) -> bool {
    fn step(code: u32, constant: u32, otherwise: u8) -> libc::sock_filter {
        let code = code.try_into().expect("a BPF instruction");
        libc::sock_filter { code, jt: 0, jf: otherwise, k: constant }
    }

    let answer = libc::SECCOMP_RET_ERRNO | errno.raw_os_error().unsigned_abs();
    // The call's number is the first word that a filter sees.
    let mut filter = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0)];
    for &number in numbers {
        let number = number.try_into().expect("a system call's number");
        filter.push(step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number, 1));
        filter.push(step(libc::BPF_RET | libc::BPF_K, answer, 0));
    }
    filter.push(step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0));
    let len = filter.len().try_into().expect("a short filter");
    let program = libc::sock_fprog { len, filter: filter.as_mut_ptr() };

    // SAFETY: takes plain numbers, and only takes from this process what exec could give it.
    let unprivileged = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: `program` points to `filter`, which lives until the kernel has copied it.
    let installed =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    if (unprivileged, installed) != (0, 0) {
        eprintln!("skipped: takes seccomp filters, to refuse system calls");
    }
    (unprivileged, installed) == (0, 0)
}
