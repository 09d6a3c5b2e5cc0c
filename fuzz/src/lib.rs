//! The fuzz targets of `rawipc`, as plain functions of some bytes: each tries what its name says
//! and panics if anything is not as it must be.
//!
//! `fuzz_targets/` makes a libFuzzer program of each. The crate's own `cargo test` (`tests/fuzz`)
//! takes the same files in by their paths and runs them on the corpus and on random bytes; for its
//! sake nothing here says `crate::`.

mod ancillary;
mod apart;
mod atomic_f64;
mod descriptors;
mod exact_sum;
mod fifo;
mod form;
mod hostile_peer;
mod message_ring;
mod message_ring_records;
mod mpmc;
mod named_semaphore;
mod names;
mod pages;
mod pipe;
mod posix_mq;
mod queues;
mod shared_open;
mod shm_bytes;
mod sigpipe;
mod socket;
mod spsc;
mod sync;
mod sysv_msg;
mod sysv_sem;
mod sysv_shm;
mod tasks;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What its program in `fuzz_targets/` and its folder in `corpus/` are called.
    pub name: &'static str,
    /// What it does with some bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "ancillary", run: ancillary::run },
    Target { name: "atomic_f64", run: atomic_f64::run },
    Target { name: "exact_sum", run: exact_sum::run },
    Target { name: "fifo", run: fifo::run },
    Target { name: "hostile_peer", run: hostile_peer::run },
    Target { name: "message_ring", run: message_ring::run },
    Target { name: "message_ring_records", run: message_ring_records::run },
    Target { name: "mpmc", run: mpmc::run },
    Target { name: "named_semaphore", run: named_semaphore::run },
    Target { name: "names", run: names::run },
    Target { name: "pipe", run: pipe::run },
    Target { name: "posix_mq", run: posix_mq::run },
    Target { name: "shared_open", run: shared_open::run },
    Target { name: "shm_bytes", run: shm_bytes::run },
    Target { name: "socket", run: socket::run },
    Target { name: "spsc", run: spsc::run },
    Target { name: "sync", run: sync::run },
    Target { name: "sysv_msg", run: sysv_msg::run },
    Target { name: "sysv_sem", run: sysv_sem::run },
    Target { name: "sysv_shm", run: sysv_shm::run },
    Target { name: "tasks", run: tasks::run },
];

/// Runs the target of this name.
///
/// # Panics
///
/// If there is none; and if something is not as it must be, which is what the target is for.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of this name").run)(data);
}
