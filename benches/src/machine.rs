//! What the numbers were taken on, and what else it was doing.

use core::fmt;
use core::time::Duration;
use std::fs::read_to_string;

use rustix::system::uname;

/// What a reader has to know of the machine before comparing numbers.
#[derive(Debug)]
pub(crate) struct Machine {
    processor: String,
    cpus: usize,
    kernel: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        Self {
            processor: processor(),
            cpus: std::thread::available_parallelism().map_or(1, Into::into),
            kernel: uname().release().to_string_lossy().into_owned(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cpus, kernel } = self;
        write!(f, "{processor}, {cpus} CPUs to run on, Linux {kernel}")
    }
}

/// What others do on the machine while this process only looks.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// The load average over 1, 5 and 15 minutes. It comes late: what has just been compiled is in
    /// it, and what has just been started is not.
    load: String,
    /// The part of the CPUs' time that is spent, or taken away by a hypervisor, just now.
    busy: f64,
}

impl Traffic {
    pub(crate) fn now() -> Self {
        let load = read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        let before = CpuTime::so_far();
        std::thread::sleep(Duration::from_millis(500));
        let after = CpuTime::so_far();
        Self { load, busy: 1.0 - (after.idle - before.idle) / (after.all - before.all) }
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { load, busy } = self;
        write!(f, "load average {load}; CPUs {:.0} % busy with other things", busy * 100.0)?;
        if *busy > 0.05 {
            f.write_str(".\n\n**The machine is not quiet: do not quote these numbers**")?;
        }
        Ok(())
    }
}

/// Time of all CPUs together since the machine started, in the kernel's ticks.
struct CpuTime {
    idle: f64,
    all: f64,
}

impl CpuTime {
    fn so_far() -> Self {
        let text = read_to_string("/proc/stat").unwrap_or_default();
        let all_cpus = text.lines().next().unwrap_or_default();
        // user, nice, system, idle, waiting for a disk, interrupts, soft ones, taken away
        let ticks: Vec<f64> =
            all_cpus.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
        Self { idle: ticks.iter().skip(3).take(2).sum(), all: ticks.iter().sum() }
    }
}

/// The CPU's model; its architecture where the kernel names no model.
fn processor() -> String {
    let text = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(
        || uname().machine().to_string_lossy().into_owned(),
        |(_, model)| model.to_owned(),
    )
}
