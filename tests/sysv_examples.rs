//! The examples of System V objects, run as their documentation says.

mod support;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rawipc::process::Pid;
use rawipc::sysv::{Key, MsgQueue};
use support::examples::{example, printed};
use support::numbers::MSGRCV;
use support::{isolated, sleeps_in};

/// `sysv_msg`, in a directory of its own, and so with a queue of its own: which goes with this.
struct Terminal(PathBuf);

impl Terminal {
    fn new() -> Self {
        let directory = support::path("directory");
        std::fs::create_dir(&directory).unwrap();
        let terminal = Self(directory);
        assert!(terminal.queue().is_none(), "another directory has the same key");
        terminal
    }

    fn queue(&self) -> Option<MsgQueue> {
        MsgQueue::open(Key::ftok(self.0.to_str().unwrap(), b'm').unwrap()).ok()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = example("sysv_msg");
        command.args(arguments).current_dir(&self.0);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Starts one that receives, and waits until it sleeps.
    fn receiver(&self, arguments: &[&str]) -> Child {
        let child = self.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        sleeps_in(Pid::from_child(&child), MSGRCV);
        child
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(left) = self.queue() {
            let _gone_already = left.remove();
        }
        let _kept_for_the_test_to_fail = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn receiver_that_waits_in_one_terminal_gets_what_is_sent_in_the_other() {
    isolated(|| {
        let terminal = Terminal::new();
        let receiver = terminal.receiver(&["receive"]);
        assert_eq!(terminal.succeeds(&["send", "3", "good morning"]), "");
        assert_eq!(printed(receiver.wait_with_output().unwrap()), "3: good morning\n");
        assert_eq!(terminal.succeeds(&["remove"]), "");
        assert!(terminal.queue().is_none());
    });
}

#[test]
fn receiver_of_a_type_leaves_the_others() {
    isolated(|| {
        let terminal = Terminal::new();
        terminal.succeeds(&["send", "1", "first"]);
        let receiver = terminal.receiver(&["receive", "7"]);
        terminal.succeeds(&["send", "6", ""]);
        terminal.succeeds(&["send", "7", "wanted"]);
        assert_eq!(printed(receiver.wait_with_output().unwrap()), "7: wanted\n");
        assert_eq!(terminal.succeeds(&["receive"]), "1: first\n");
        assert_eq!(terminal.succeeds(&["receive", "6"]), "6: \n");
        terminal.succeeds(&["remove"]);
    });
}

#[test]
fn text_of_whatever_bytes_arrives_as_it_was() {
    use std::os::unix::ffi::OsStrExt as _;
    isolated(|| {
        let terminal = Terminal::new();
        let odd = OsStr::from_bytes(b"\xff \xc3\xa4");
        let mut command = terminal.command(&["send", "1"]);
        assert!(command.arg(odd).status().unwrap().success());
        assert_eq!(terminal.run(&["receive"]).stdout, b"1: \xff \xc3\xa4\n");
    });
}

#[test]
fn what_cannot_be_done_is_said_and_is_a_failure() {
    isolated(|| {
        let terminal = Terminal::new();
        let usage = "send TYPE TEXT | receive [TYPE] | remove";
        for wrong in [&[][..], &["send"], &["send", "1"], &["receive", "1", "2"], &["what"]] {
            assert!(terminal.fails(wrong).contains(usage), "{wrong:?}");
        }
        assert!(terminal.queue().is_none(), "nothing is made by a mistake");
        assert!(terminal.fails(&["remove"]).contains("No such file or directory"));
        terminal.fails(&["send", "one", "x"]);
        assert!(terminal.fails(&["send", "0", "x"]).contains("Invalid argument"));
        assert!(terminal.fails(&["receive", "-1"]).contains("Invalid argument"));
    });
}
