//! `ExactSum`: against exact arithmetic, between processes, and killed at every instruction.

#![allow(clippy::float_cmp, reason = "these sums are exact")]
#![allow(clippy::large_stack_arrays, reason = "some thousands of numbers")]

#[path = "../support/mod.rs"]
mod support;

mod claims;
mod fsum;
mod hostile;
mod killed;
mod oracle;
mod readers;
mod values;
