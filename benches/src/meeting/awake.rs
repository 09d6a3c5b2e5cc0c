//! Keeping idle CPUs from going to sleep.

use std::fs::File;
use std::io::{Result, Write as _};

/// The kernel lets idle CPUs poll, and not halt, as long as this is open.
#[derive(Debug)]
pub(super) struct Awake {
    _request: File,
}

impl Awake {
    /// Asks that no CPU takes time to wake up; takes privilege.
    ///
    /// (To spin in a process of the lowest priority does not do it: to interrupt that one takes an
    /// interrupt, which a virtual machine must leave for; an idle CPU that polls sees a flag.)
    pub(super) fn keep() -> Result<Self> {
        let mut request = File::options().write(true).open("/dev/cpu_dma_latency")?;
        request.write_all(&0_i32.to_ne_bytes())?;
        Ok(Self { _request: request })
    }
}
