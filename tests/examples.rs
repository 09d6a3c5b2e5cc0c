//! The examples, run as their documentation says: each in a process of its own.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Output};

use rawipc::process::Pid;
use support::examples::{self, complaint, printed};
use support::{eventually, isolated, path, sleeps_in};

fn start(name: &str, argument: &Path) -> Child {
    examples::start(name, &[argument.to_str().unwrap()])
}

fn run(name: &str, argument: &Path) -> Output {
    start(name, argument).wait_with_output().unwrap()
}

/// What the two sides of the FIFO print, if all goes well.
#[track_caller]
fn assert_message_arrived(reader: Child, writer: Child, fifo: &Path) {
    let (from, to) = (writer.id(), reader.id());
    assert_eq!(printed(writer.wait_with_output().unwrap()), "");
    let received = printed(reader.wait_with_output().unwrap());
    assert_eq!(received, format!("I pid {to} received a message => Hello from pid {from}\n"));
    assert!(!fifo.exists(), "the FIFO is removed");
}

#[test]
fn fifo_reader_that_comes_first_waits_for_the_writer() {
    isolated(|| {
        let fifo = path("fifo");
        let reader = start("fifo_read", &fifo);
        sleeps_in(Pid::from_child(&reader), libc::SYS_openat);
        let writer = start("fifo_write", &fifo);
        assert_message_arrived(reader, writer, &fifo);
    });
}

#[test]
fn fifo_writer_that_comes_first_waits_for_the_reader() {
    isolated(|| {
        let fifo = path("fifo");
        let writer = start("fifo_write", &fifo);
        sleeps_in(Pid::from_child(&writer), libc::SYS_openat);
        let reader = start("fifo_read", &fifo);
        assert_message_arrived(reader, writer, &fifo);
    });
}

#[test]
fn fifo_reader_and_writer_that_start_together_meet() {
    isolated(|| {
        let fifo = path("fifo");
        for round in 0..100 {
            let names = ["fifo_read", "fifo_write"];
            let first = start(names[round % 2], &fifo);
            let second = start(names[1 - round % 2], &fifo);
            let (reader, writer) = if round % 2 == 0 { (first, second) } else { (second, first) };
            assert_message_arrived(reader, writer, &fifo);
        }
    });
}

#[test]
fn fifo_pair_meets_at_a_path_in_the_temporary_directory_by_default() {
    isolated(|| {
        let reader = examples::start("fifo_read", &[]);
        let default = path("rawipc-example.fifo");
        eventually("the reader has created the FIFO", || default.exists());
        assert_message_arrived(reader, examples::start("fifo_write", &[]), &default);
    });
}

#[test]
fn fifo_ends_say_what_is_wrong_with_a_path_and_leave_it_alone() {
    isolated(|| {
        let file = path("file");
        fs::write(&file, "mine").unwrap();
        let missing = path("missing/fifo");
        for name in ["fifo_read", "fifo_write"] {
            let said = complaint(run(name, &file));
            assert!(said.contains(file.to_str().unwrap()), "{said}");
            assert!(said.contains("Invalid argument"), "{said}");
            let said = complaint(run(name, &missing));
            assert!(said.contains("No such file or directory"), "{said}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        fs::remove_file(&file).unwrap();
    });
}

#[test]
fn child_reads_through_a_descriptor_that_it_never_opened() {
    isolated(|| {
        let file = path("file");
        fs::write(&file, "the first line\nthe second\n").unwrap();
        let parent = start("pass_fd", &file);
        let pid = parent.id();
        let said = printed(parent.wait_with_output().unwrap());
        fs::remove_file(&file).unwrap();

        let said = said.strip_prefix("I pid ").unwrap();
        let (child, said) = said.split_once(' ').unwrap();
        assert_ne!(child.parse(), Ok(pid), "it is the child that reads");
        assert_eq!(said, "read through a descriptor that I never opened => the first line\n");
    });
}

#[test]
fn file_that_cannot_be_opened_is_not_waited_for() {
    isolated(|| {
        let said = complaint(run("pass_fd", &path("missing")));
        assert!(said.contains("No such file or directory"), "{said}");
    });
}
