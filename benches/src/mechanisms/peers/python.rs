//! Two processes of Python's, who measure themselves: `python/mechanisms.py`.

use core::error::Error;
use core::time::Duration;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use crate::helper;
use crate::mechanisms::contender::{Contender, Kind, Measured, Opened, Task, no_times};
use crate::place::Cpu;

/// One process, which has started the other one.
struct Python {
    kind: Kind,
    child: Child,
    told: ChildStdin,
    said: BufReader<ChildStdout>,
}

impl Python {
    fn open(mechanism: &str, task: Task) -> Opened {
        let Task { kind, bytes, away } = task;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/mechanisms.py");
        let mut command = Command::new(interpreter()?);
        command.arg(script).arg(mechanism);
        command.arg(match kind {
            Kind::PingPong => "ping-pong",
            Kind::Stream => "stream",
        });
        command.args([bytes, Cpu::home().number(), away.number()].map(|number| number.to_string()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (told, said) = (child.stdin.take(), child.stdout.take());
        let told = told.expect("its input is a pipe");
        let said = BufReader::new(said.expect("its output is a pipe"));
        let mut python = Self { kind, child, told, said };
        let mut ready = String::new();
        python.said.read_line(&mut ready)?;
        match ready.trim_end() {
            "ready" => Ok(Box::new(python)),
            "" => Err("it did not start".into()),
            why => Err(why.into()),
        }
    }

    /// The next number that it says.
    fn number(&mut self) -> u64 {
        let mut number = [0; 8];
        self.said.read_exact(&mut number).expect("it lives");
        u64::from_ne_bytes(number)
    }
}

impl Contender for Python {
    fn run(&mut self, times: u64) -> Measured {
        writeln!(self.told, "{times}").expect("it lives");
        let time = Duration::from_nanos(self.number());
        let each = (self.kind == Kind::PingPong).then(|| {
            let mut each = no_times();
            (0..times).for_each(|_| each.saturating_record(self.number()));
            each
        });
        Measured { time, each }
    }
}

impl Drop for Python {
    /// Its partner goes with it.
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The one that the tests have, too, with the packages that it takes: made when it is asked for the
/// first time.
fn interpreter() -> Result<&'static str, Box<dyn Error>> {
    static INTERPRETER: OnceLock<Result<String, String>> = OnceLock::new();

    let make = || -> Result<String, String> {
        // It may have to be downloaded.
        helper::watch();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci/python.sh");
        let mut command = Command::new(script);
        let made = command.stderr(Stdio::null()).output();
        let made = made.map_err(|why| format!("ci/python.sh does not run: {why}"))?;
        helper::watch();
        if !made.status.success() {
            return Err("ci/python.sh makes no Python here".into());
        }
        let path = String::from_utf8(made.stdout).map_err(|_| "its path is no text")?;
        Ok(path.trim_end().to_owned())
    };
    match INTERPRETER.get_or_init(make) {
        Ok(path) => Ok(path),
        Err(why) => Err(why.as_str().into()),
    }
}

pub(in crate::mechanisms) fn message_queue(task: Task) -> Opened {
    Python::open("message-queue", task)
}

pub(in crate::mechanisms) fn semaphores(task: Task) -> Opened {
    Python::open("semaphores", task)
}

pub(in crate::mechanisms) fn pipe(task: Task) -> Opened {
    Python::open("pipe", task)
}

pub(in crate::mechanisms) fn queue(task: Task) -> Opened {
    Python::open("queue", task)
}
