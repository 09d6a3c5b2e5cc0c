//! The example of named semaphores, run as its documentation says: twice, and with the one in
//! Python beside it.

#![cfg(target_pointer_width = "64")]

mod support;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rawipc::Name;
use rawipc::pipe::{Pipe, Writer};
use rawipc::posix::Semaphore;
use rawipc::process::{self, Pid};
use support::examples::{complaint, example};
use support::python::Python;
use support::{isolated, sleeps_in};

/// The name that two players meet at. What they leave there is removed.
struct Meeting(String);

impl Meeting {
    fn new() -> Self {
        let meeting = Self(format!("/rawipc-turn-{}", process::id()));
        // Left behind by a test that was killed when it had the same pid.
        meeting.remove();
        meeting
    }

    fn names(&self) -> [Name; 2] {
        ["ping", "pong"].map(|role| format!("{}-{role}", self.0).parse().unwrap())
    }

    fn remove(&self) {
        for name in self.names() {
            let _ = Semaphore::unlink(&name);
        }
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        self.remove();
    }
}

fn rust() -> Command {
    example("named_semaphore")
}

fn start(mut program: Command, role: &str, meeting: &Meeting, terminal: &Writer) -> Child {
    program.args([role, &meeting.0]).stdin(Stdio::null());
    program.stdout(OwnedFd::from(terminal.try_clone().unwrap())).spawn().unwrap()
}

/// Has the two play on one terminal, the one that is named first being there first.
#[track_caller]
fn assert_turns_alternate(first: (Command, &str), second: (Command, &str)) {
    let meeting = Meeting::new();
    let Pipe { reader, writer: terminal } = Pipe::new().unwrap();
    let first = start(first.0, first.1, &meeting, &terminal);
    sleeps_in(Pid::from_child(&first), libc::SYS_futex);
    let second = start(second.0, second.1, &meeting, &terminal);
    for mut player in [first, second] {
        assert!(player.wait().unwrap().success());
    }
    drop(terminal);
    let printed = io::read_to_string(File::from(OwnedFd::from(reader))).unwrap();
    let turns = (1..=5).flat_map(|round| [format!("ping {round}"), format!("pong {round}")]);
    assert!(printed.lines().eq(turns), "{printed}");
    for name in meeting.names() {
        assert!(Semaphore::open(&name).is_err(), "{name} is left behind");
    }
}

#[test]
fn two_take_turns_whoever_comes_first() {
    isolated(|| {
        assert_turns_alternate((rust(), "ping"), (rust(), "pong"));
        assert_turns_alternate((rust(), "pong"), (rust(), "ping"));
    });
}

#[test]
fn one_takes_turns_with_python_whoever_comes_first() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let python = || {
            let mut command = python.command();
            command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/named_semaphore.py"));
            command
        };
        for [one, other] in [["ping", "pong"], ["pong", "ping"]] {
            assert_turns_alternate((rust(), one), (python(), other));
            assert_turns_alternate((python(), one), (rust(), other));
        }
    });
}

#[test]
fn what_is_wrong_is_said() {
    isolated(|| {
        for wrong in [&[][..], &["pung"]] {
            let output = rust().args(wrong).output().unwrap();
            assert!(complaint(output).contains("usage: named_semaphore ping|pong [NAME]"));
        }
        let output = rust().args(["ping", "/in/side"]).output().unwrap();
        let said = complaint(output);
        assert!(said.contains("/in/side") && said.contains("Invalid argument"), "{said}");
    });
}
