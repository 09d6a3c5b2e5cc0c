//! The examples, run as their documentation says: each in a process of its own.

use std::env;
use std::process::{Child, Command, Output, Stdio};

/// An example's executable, which `cargo test` builds next to the tests'.
pub(crate) fn example(name: &str) -> Command {
    let tests = env::current_exe().expect("the test's own executable");
    let directory = tests.parent().expect("a directory").with_file_name("examples");
    let executable = directory.join(name);
    let built = executable.exists();
    assert!(built, "{} is missing: cargo build --examples", executable.display());
    let mut command = Command::new(executable);
    command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command
}

pub(crate) fn start(name: &str, arguments: &[&str]) -> Child {
    let mut command = example(name);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the example")
}

pub(crate) fn run(name: &str, arguments: &[&str]) -> Output {
    start(name, arguments).wait_with_output().expect("its end")
}

/// What it printed, if it did well and without complaint.
#[track_caller]
pub(crate) fn printed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// That it failed, and what it said.
#[track_caller]
pub(crate) fn complaint(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}
