//! On which CPU a process runs. Left to the scheduler, that would be the largest difference between
//! two rounds.

use std::fs::read_to_string;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A CPU that this process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cpu(usize);

impl Cpu {
    /// The one that everything that needs only one runs on: the last, as interrupts prefer the
    /// first.
    pub(crate) fn home() -> Self {
        *allowed().last().expect("a process has a CPU to run on")
    }

    /// Another CPU than [`home`](Self::home): of another core, if there is one.
    pub(crate) fn away() -> Option<Self> {
        let home = Self::home();
        let others: Vec<_> = allowed().into_iter().filter(|cpu| *cpu != home).collect();
        let another_core = others.iter().find(|cpu| cpu.core() != home.core());
        another_core.or(others.first()).copied()
    }

    /// All that this process may use: [`home`](Self::home) first, and then [`away`](Self::away).
    pub(crate) fn all() -> Vec<Self> {
        let first = [Some(Self::home()), Self::away()];
        let rest = allowed().into_iter().map(Some).filter(|cpu| !first.contains(cpu));
        first.into_iter().chain(rest).flatten().collect()
    }

    /// As the kernel counts them.
    pub(crate) fn number(self) -> usize {
        self.0
    }

    /// Keeps the calling thread on this CPU from now on.
    pub(crate) fn pin(self) {
        let mut only = CpuSet::new();
        only.set(self.0);
        sched_setaffinity(None, &only).expect("a CPU from our own affinity mask");
    }

    /// Lets the calling thread run on every CPU that this process was started with.
    pub(crate) fn unpin() {
        let mut all = CpuSet::new();
        for cpu in allowed() {
            all.set(cpu.0);
        }
        sched_setaffinity(None, &all).expect("our own affinity mask");
    }

    /// The CPUs of its core, as the kernel lists them.
    fn core(self) -> Option<String> {
        let path = format!("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", self.0);
        read_to_string(path).ok()
    }
}

/// The CPUs that this process was started with: [`Cpu::pin`] does not make them fewer.
fn allowed() -> Vec<Cpu> {
    use std::sync::OnceLock;
    static ALLOWED: OnceLock<Vec<Cpu>> = OnceLock::new();

    let ask = || {
        let mask = sched_getaffinity(None).expect("our own affinity mask");
        (0..CpuSet::MAX_CPU).filter(|cpu| mask.is_set(*cpu)).map(Cpu).collect()
    };
    ALLOWED.get_or_init(ask).clone()
}
