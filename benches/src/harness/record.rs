//! The numbers themselves, for whoever wants to draw or compare them: one line of `data.csv` each.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// One number, and what it is of.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) suite: &'static str,
    /// What is done: the same for all contenders that are compared.
    pub(crate) group: String,
    /// Who does it.
    pub(crate) by: String,
    /// The size of a message, where there are messages.
    pub(crate) bytes: Option<usize>,
    /// How many do it at a time, where that varies.
    pub(crate) processes: Option<usize>,
    /// On which CPUs, where that varies: "one CPU", "two CPUs".
    pub(crate) place: &'static str,
    /// "ns", "M/s", "G/s", "instructions", "part", "ratio", "lines".
    pub(crate) unit: &'static str,
    /// "median", "q1", "q3", "p50", "p99", "p99.9", "max", "least".
    pub(crate) statistic: &'static str,
    pub(crate) value: f64,
}

static RECORDS: Mutex<Vec<Record>> = Mutex::new(Vec::new());

/// Keeps a number for the end of the run.
pub(crate) fn record(record: Record) {
    RECORDS.lock().unwrap_or_else(PoisonError::into_inner).push(record);
}

/// All that have been kept so far.
pub(crate) fn records() -> Vec<Record> {
    RECORDS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
