//! Python beside this process: `ci/python.sh` makes one that has the modules.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rawipc::process::Pid;

/// A Python that has a module.
pub(crate) struct Python {
    interpreter: PathBuf,
    module: &'static str,
}

impl Python {
    /// The one to run, if there is one; says so if not.
    pub(crate) fn with(module: &'static str) -> Option<Self> {
        let made = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
        let interpreter = env::var_os("RAWIPC_PYTHON").map_or_else(made, PathBuf::from);
        let mut import = Command::new(&interpreter);
        import.args(["-c", &format!("import {module}")]).stderr(Stdio::null());
        if import.status().is_ok_and(|status| status.success()) {
            return Some(Self { interpreter, module });
        }
        let missing = format!("no Python with {module} (run ci/python.sh)");
        assert!(env::var_os("CI").is_none(), "{missing}");
        // Not through `eprintln`: the harness keeps to itself what a test prints that passes.
        writeln!(io::stderr(), "skipped: {missing}").expect("somewhere to say it");
        None
    }

    pub(crate) fn command(&self) -> Command {
        Command::new(&self.interpreter)
    }

    /// Starts a program, which knows what is in the module, and can check what `refuses`.
    pub(crate) fn start(&self, program: &str) -> Program {
        let module = self.module;
        let before = format!(
            "\
import mmap, os, signal, sys, {module}
from {module} import *
def refuses(error, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error:
        return
    raise AssertionError(error)
"
        );
        let mut command = self.command();
        command.args(["-c", &[&before, program].concat()]);
        Program(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python"))
    }
}

/// A Python program that runs on its own.
pub(crate) struct Program(Child);

impl Program {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Lets it go on from where it reads a line, or all that is to come.
    pub(crate) fn go(&mut self) {
        let mut input = self.0.stdin.take().expect("a program that waits");
        input.write_all(b"go\n").expect("a program that waits");
    }

    /// Waits until it has printed a line. It prints no other.
    #[track_caller]
    pub(crate) fn has_printed(&mut self) {
        let mut line = String::new();
        let mut output = BufReader::new(self.0.stdout.as_mut().expect("its output"));
        output.read_line(&mut line).expect("a line");
        assert!(!line.is_empty(), "Python failed");
    }

    /// Waits for it to do well, and tells what it has printed.
    #[track_caller]
    pub(crate) fn join(self) -> String {
        let output = self.0.wait_with_output().expect("its end");
        assert!(output.status.success(), "Python failed");
        String::from_utf8(output.stdout).expect("text")
    }
}
