//! Several that do the same to the same thing, all the time: how often all of them together have
//! done it, and what part of that the unluckiest has.
//!
//! From one to two for each CPU, who are spread over all CPUs.

mod contest;
mod crowd;

pub(crate) use contest::{Contest, Crowd};
pub(crate) use crowd::{MOST, Rival};

use crate::place::Cpu;

/// From one to two for each CPU: each number up to four, and then each half as large again.
pub(crate) fn sizes() -> Vec<usize> {
    let most = (2 * Cpu::all().len()).clamp(2, MOST);
    let mut sizes = vec![1];
    while let Some(&last) = sizes.last().filter(|&&last| last < most) {
        sizes.push(if last < 4 { last + 1 } else { last * 3 / 2 }.min(most));
    }
    sizes
}
