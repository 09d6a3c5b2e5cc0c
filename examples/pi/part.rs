//! What a child delivers, as bytes that mean the same to both processes; and all the parts, in
//! order.

use core::time::Duration;

use anyhow::{Context as _, Result, ensure};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// What one child has computed. Its bytes are what travels.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
pub(crate) struct Part {
    /// Which child: 0 is the one that was forked first.
    pub(crate) rank: u64,
    /// The sum of its terms.
    pub(crate) sum: f64,
    /// What it took to compute that, on the monotonic clock.
    pub(crate) nanoseconds: u64,
}

impl Part {
    /// How many bytes each takes.
    pub(crate) const SIZE: usize = size_of::<Self>();
}

/// The parts that the parent has, by rank.
#[derive(Debug)]
pub(crate) struct Parts(Vec<Option<Part>>);

impl Parts {
    pub(crate) fn none_of(processes: u32) -> Self {
        Self((0..processes).map(|_| None).collect())
    }

    /// Takes the bytes of one part. It is an error if they are not that, or if it is here already.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let part = Part::read_from_bytes(bytes).ok();
        let part = part.with_context(|| format!("{} bytes came that are no part", bytes.len()))?;
        let place = usize::try_from(part.rank).ok().and_then(|rank| self.0.get_mut(rank));
        let place = place.with_context(|| format!("a part came from nobody: {part:?}"))?;
        ensure!(place.replace(part).is_none(), "a part came twice: {part:?}");
        Ok(())
    }

    pub(crate) fn has(&self, rank: usize) -> bool {
        self.0.get(rank).is_some_and(Option::is_some)
    }

    /// Added up by rank, in whatever order they came.
    pub(crate) fn sum(&self) -> f64 {
        self.0.iter().flatten().map(|part| part.sum).sum()
    }

    /// How long the slowest child computed.
    pub(crate) fn slowest(&self) -> Duration {
        let times = self.0.iter().flatten().map(|part| part.nanoseconds);
        Duration::from_nanos(times.max().unwrap_or_default())
    }
}
