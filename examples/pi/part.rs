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

/// What the children add up themselves, in memory that all of them share.
///
/// The order is that in which they come, and so the last bits of the sum are left to chance.
#[derive(Clone, Copy, Debug, Default, FromBytes, Immutable, IntoBytes)]
#[repr(C)]
pub(crate) struct Total {
    pub(crate) sum: f64,
    /// The longest that anybody took.
    pub(crate) nanoseconds: u64,
}

impl Total {
    pub(crate) fn with(self, part: Part) -> Self {
        let nanoseconds = self.nanoseconds.max(part.nanoseconds);
        Self { sum: self.sum + part.sum, nanoseconds }
    }
}

/// The parts that the parent has, by rank; and what it has in one sum.
#[derive(Debug)]
pub(crate) struct Parts {
    by_rank: Vec<Option<Part>>,
    total: Total,
}

impl Parts {
    pub(crate) fn none_of(processes: u32) -> Self {
        Self { by_rank: (0..processes).map(|_| None).collect(), total: Total::default() }
    }

    /// Takes the bytes of one part. It is an error if they are not that, or if it is here already.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let part = Part::read_from_bytes(bytes).ok();
        let part = part.with_context(|| format!("{} bytes came that are no part", bytes.len()))?;
        let place = usize::try_from(part.rank).ok().and_then(|rank| self.by_rank.get_mut(rank));
        let place = place.with_context(|| format!("a part came from nobody: {part:?}"))?;
        ensure!(place.replace(part).is_none(), "a part came twice: {part:?}");
        Ok(())
    }

    /// Takes it that the child of this rank has added its part to the total.
    pub(crate) fn expect_in_total(&mut self, rank: usize) -> Result<()> {
        self.add(Part { rank: rank as u64, sum: 0.0, nanoseconds: 0 }.as_bytes())
    }

    /// Takes what the children have added up.
    pub(crate) fn set_total(&mut self, total: Total) {
        self.total = total;
    }

    /// The first rank whose part is not here.
    pub(crate) fn missing(&self) -> Option<usize> {
        self.by_rank.iter().position(Option::is_none)
    }

    /// Added up by rank, in whatever order they came.
    pub(crate) fn sum(&self) -> f64 {
        self.by_rank.iter().flatten().map(|part| part.sum).sum::<f64>() + self.total.sum
    }

    /// How long the slowest child computed.
    pub(crate) fn slowest(&self) -> Duration {
        let times = self.by_rank.iter().flatten().map(|part| part.nanoseconds);
        Duration::from_nanos(times.chain([self.total.nanoseconds]).max().unwrap_or_default())
    }
}
