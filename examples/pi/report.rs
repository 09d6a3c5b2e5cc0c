//! What comes out: a table for people, or lines of JSON for programs.

use core::f64::consts::PI;
use std::io::{self, Write as _};

use anyhow::{Context as _, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::run::Computed;

/// What was computed by one mechanism.
#[derive(Debug, Serialize)]
struct Line {
    via: &'static str,
    pi: f64,
    /// Those of `pi`, in hexadecimal.
    bits: String,
    terms: u64,
    processes: u32,
    /// With which instructions.
    cpu: &'static str,
    seconds: f64,
    terms_per_second: f64,
    /// The time that is not computing.
    overhead_seconds: f64,
}

impl From<Computed> for Line {
    #[allow(clippy::cast_precision_loss, reason = "at most 2^52 terms, which an f64 holds exactly")]
    fn from(computed: Computed) -> Self {
        let Computed { via, job, pi, wall, slowest } = computed;
        Self {
            via,
            pi,
            bits: format!("{:016x}", pi.to_bits()),
            terms: job.terms,
            processes: job.processes,
            cpu: job.kernel.name(),
            seconds: wall.as_secs_f64(),
            terms_per_second: job.terms as f64 / wall.as_secs_f64(),
            overhead_seconds: wall.saturating_sub(slowest).as_secs_f64(),
        }
    }
}

/// Where results go, one after another.
pub(crate) enum Report {
    /// Each at once.
    Json,
    /// All together, when the width of each column is known.
    Table(Table),
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        if json {
            return Self::Json;
        }
        let mut table = Table::new();
        table.load_preset(presets::UTF8_FULL_CONDENSED);
        table.set_header(["mechanism", "π", "error", "seconds", "terms/s", "overhead"]);
        for numbers in table.column_iter_mut().skip(1) {
            numbers.set_cell_alignment(CellAlignment::Right);
        }
        Self::Table(table)
    }

    pub(crate) fn add(&mut self, computed: Computed) -> Result<()> {
        let line = Line::from(computed);
        match self {
            Self::Json => return show(&serde_json::to_string(&line)?),
            Self::Table(table) => {
                table.add_row([
                    line.via.to_owned(),
                    format!("{:.11}", line.pi),
                    format!("{:+.2e}", line.pi - PI),
                    format!("{:.4}", line.seconds),
                    format!("{:.2e}", line.terms_per_second),
                    format!("{:.2} ms", line.overhead_seconds * 1e3),
                ]);
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Table(table) if !table.is_empty() => show(&table.to_string()),
            _ => Ok(()),
        }
    }
}

/// Prints a text and ends the line.
pub(crate) fn show(text: &str) -> Result<()> {
    writeln!(io::stdout(), "{text}").context("standard output")
}
