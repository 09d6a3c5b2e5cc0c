//! The tables that come out.

use core::fmt;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{Cell, CellAlignment};

use super::{Ratio, Row, record};
use crate::paper;

/// A Markdown table, with a note below it if some of it cannot be compared.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    body: comfy_table::Table,
    unsteady: usize,
    notes: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: &str, header: &[&str]) -> Self {
        let mut body = comfy_table::Table::new();
        body.load_style(ASCII_MARKDOWN).set_header(header.iter().copied());
        Self { title: title.to_owned(), body, unsteady: 0, notes: Vec::new() }
    }

    /// Whether nothing has been added.
    pub(crate) fn is_empty(&self) -> bool {
        self.body.is_empty() && self.notes.is_empty()
    }

    /// Adds a row, and keeps its numbers.
    pub(crate) fn add(&mut self, row: Row) {
        row.records().for_each(record);
        let by = row.by().to_owned();
        // Once for all that are compared.
        let title =
            if row.ratio.is_none_or(Ratio::is_baseline) { row.title } else { String::new() };
        let cells = row.names.unwrap_or([title, by]).into_iter().chain(row.cells);
        let ratio = row.ratio.map(|ratio| [ratio.to_string(), ratio.quartiles()]);
        self.unsteady += usize::from(row.ratio.is_some_and(|ratio| !ratio.is_steady()));
        self.row(cells.chain(ratio.into_iter().flatten()));
    }

    /// Adds a row of which nothing is kept: two cells of text, then numbers.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let align = |(index, cell): (usize, String)| {
            let side = if index < 2 { CellAlignment::Left } else { CellAlignment::Right };
            Cell::new(cell).set_alignment(side)
        };
        self.body.add_row(cells.into_iter().enumerate().map(align));
    }

    /// Adds lines below the table.
    pub(crate) fn notes(&mut self, notes: impl IntoIterator<Item = String>) {
        self.notes.extend(notes);
    }

    /// Onto standard output, and into the report.
    pub(crate) fn print(&self) {
        paper::print(self);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}", self.title)?;
        // Else there are notes only, which say why.
        if !self.body.is_empty() {
            writeln!(f, "\n{}", self.body.trim_fmt())?;
        }
        if self.unsteady > 0 {
            let rows = match self.unsteady {
                1 => "1 row is".to_owned(),
                several => format!("{several} rows are"),
            };
            writeln!(f, "\n**{rows} UNSTEADY**: the rounds lie too far apart to compare.")?;
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "- {note}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn where_nothing_could_be_measured_there_is_no_table() {
        let mut table = Table::new("Title", &["calls", "by"]);
        table.notes(["group: not measured: there is only one CPU.".to_owned()]);
        assert_eq!(
            table.to_string(),
            "## Title\n\n- group: not measured: there is only one CPU.\n"
        );
    }
}
