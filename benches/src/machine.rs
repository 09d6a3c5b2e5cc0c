//! What the numbers were taken on, and what they were taken of.

use core::fmt;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

use rustix::system::uname;

/// What a reader has to know of the machine before comparing numbers.
#[derive(Debug)]
pub(crate) struct Machine {
    processor: String,
    cpus: usize,
    /// Whether this is a virtual machine, as far as the CPU tells.
    is_guest: bool,
    /// How the kernel picks the clock's speed, where it may.
    governor: Option<String>,
    kernel: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let governor = read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
        let flags = of_processor("flags").unwrap_or_default();
        Self {
            // The kernel names no model on every architecture.
            processor: of_processor("model name")
                .unwrap_or_else(|| uname().machine().to_string_lossy().into_owned()),
            cpus: std::thread::available_parallelism().map_or(1, Into::into),
            is_guest: flags.split(' ').any(|flag| flag == "hypervisor"),
            governor: governor.ok().map(|name| name.trim().to_owned()),
            kernel: uname().release().to_string_lossy().into_owned(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cpus, is_guest, governor, kernel } = self;
        write!(f, "- CPU: {processor}, {cpus} to run on")?;
        if *is_guest {
            f.write_str(", under a hypervisor")?;
        }
        match governor {
            Some(governor) => writeln!(f, ", governor {governor}")?,
            None => writeln!(f, ", no governor to be seen")?,
        }
        writeln!(f, "- kernel: Linux {kernel}")
    }
}

/// What was measured, and when.
#[derive(Debug)]
pub(crate) struct Build {
    commit: Option<String>,
    date: Option<String>,
}

impl Build {
    pub(crate) fn this() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let commit = ["describe", "--always", "--dirty", "--abbrev=12"];
        Self {
            commit: said(Command::new("git").arg("-C").arg(here).args(commit)),
            date: said(Command::new("date").args(["-u", "+%F %H:%M UTC"])),
        }
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = || "unknown".to_owned();
        let commit = self.commit.clone().unwrap_or_else(unknown);
        writeln!(f, "- crate: rawipc {}, commit {commit}", env!("RAWIPC"))?;
        writeln!(f, "- compiler: {}", env!("COMPILER"))?;
        writeln!(f, "- date: {}", self.date.clone().unwrap_or_else(unknown))
    }
}

/// What a command prints, if it succeeds.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What the kernel says of the first CPU under this name.
fn of_processor(name: &str) -> Option<String> {
    let text = read_to_string("/proc/cpuinfo").ok()?;
    let value = |line: &str| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    };
    text.lines().find_map(value)
}
