//! What the tests between processes stand on.
//!
//! [`isolated`] runs a test's body in a process of its own, with one thread, so that the body may
//! fork, install signal handlers and count descriptors as it likes. (Its own: the test's executable
//! is started again for this test only, where no other test's thread can hold a lock, and then
//! forked, which leaves the harness's thread behind.) A watchdog ends it, and all that
//! it has forked, when it hangs; and whatever it leaves behind is a failure: a child, a zombie, a
//! descriptor, a thread.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod crowd;
pub(crate) mod examples;
pub(crate) mod gate;
pub(crate) mod glibc;
pub(crate) mod limits;
pub(crate) mod numbers;
pub(crate) mod own;
pub(crate) mod python;
pub(crate) mod queues;
pub(crate) mod seccomp;
pub(crate) mod shared;
pub(crate) mod signals;
pub(crate) mod step;
pub(crate) mod sysv;
pub(crate) mod users;

use core::cell::Cell;
use core::time::Duration;
use std::env;
use std::fs;
use std::io::{Read as _, Seek as _};
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use rawipc::Deadline;
use rawipc::pipe::Pipe;
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

pub(crate) fn soon() -> Deadline {
    Deadline::after(SOON)
}

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
    // Whoever has started the tests may ignore some, and that is inherited: `nohup` does, and a
    // script's shell for what it runs in the background.
    for signal in [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM] {
        signals::handle(signal, libc::SIG_DFL, 0);
    }
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
    child.wait_until(soon()).expect("the child's end")
}

/// Sleeps until it is killed.
pub(crate) fn sleep_for_ever() {
    let Pipe { reader, writer: _writer } = Pipe::new().expect("a pipe");
    reader.read(&mut [0]).expect("no end");
}

/// Ends a child that would not by itself.
#[track_caller]
pub(crate) fn kill(mut child: Child) {
    child.kill(Signal::KILL).expect("kill");
    assert!(wait(&mut child).is_killed_by(Signal::KILL));
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

/// Limits how many descriptors this process may have open; put back when dropped.
pub(crate) struct FewDescriptors(rustix::process::Rlimit);

impl FewDescriptors {
    /// No more than are open now.
    pub(crate) fn no_more() -> Self {
        Self::more(0)
    }

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

/// How often a process has gone to sleep so far.
pub(crate) fn naps(pid: Pid) -> u64 {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let status = fs::read_to_string(path).expect("its status");
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).expect("a number")
}

/// Whether a program that this process becomes has this descriptor.
pub(crate) fn is_open_after_exec(number: RawFd) -> bool {
    let test = format!("test -e /proc/self/fd/{number}");
    let mut shell = child(|| {
        let error = Command::new("/bin/sh").args(["-c", &test]).exec();
        panic!("{error}");
    });
    match wait(&mut shell) {
        ExitStatus::Exited(0) => true,
        ExitStatus::Exited(1) => false,
        other => panic!("the shell: {other}"),
    }
}

/// From here on, this process and those that it forks run on the same CPU only.
pub(crate) fn stay_on_one_cpu() {
    use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};
    let mut this = CpuSet::new();
    this.set(sched_getcpu());
    sched_setaffinity(None, &this).expect("a CPU of those that this process may use");
}

/// From here on, that process runs only while nobody else wants to, on its CPU: woken, it does not
/// get on before its waker gives way.
pub(crate) fn run_last(pid: Pid) {
    let priority = libc::sched_param { sched_priority: 0 };
    // SAFETY: the parameters are initialised and live.
    let set = unsafe {
        libc::sched_setscheduler(pid.as_raw_pid(), libc::SCHED_IDLE, &raw const priority)
    };
    assert_eq!(set, 0);
}
