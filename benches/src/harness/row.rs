use super::{Ratio, Record, Spread};

/// A row of a table. Each of its numbers is shown in a cell and kept as a [`Record`].
#[derive(Debug)]
pub(crate) struct Row {
    pub(super) title: String,
    /// What comes first in the table, where that is not the title and `by`.
    pub(super) names: Option<[String; 2]>,
    pub(super) cells: Vec<String>,
    pub(super) ratio: Option<Ratio>,
    suite: &'static str,
    group: String,
    by: String,
    bytes: Option<usize>,
    processes: Option<usize>,
    place: &'static str,
    numbers: Vec<Number>,
}

#[derive(Clone, Copy, Debug)]
struct Number {
    unit: &'static str,
    statistic: &'static str,
    value: f64,
}

impl Row {
    /// One of what `by` did, in this group of this suite.
    pub(crate) fn new(suite: &'static str, group: &str, by: &str) -> Self {
        Self {
            title: group.to_owned(),
            names: None,
            cells: Vec::new(),
            ratio: None,
            suite,
            group: group.to_owned(),
            by: by.to_owned(),
            bytes: None,
            processes: None,
            place: "",
            numbers: Vec::new(),
        }
    }

    /// Shown under this title, where the group's name does not say all.
    pub(crate) fn titled(self, title: &str) -> Self {
        Self { title: title.to_owned(), ..self }
    }

    /// Shown under these two names.
    pub(crate) fn named(self, first: &str, second: &str) -> Self {
        Self { names: Some([first, second].map(str::to_owned)), ..self }
    }

    pub(crate) fn bytes(self, bytes: usize) -> Self {
        Self { bytes: Some(bytes), ..self }
    }

    pub(crate) fn processes(self, processes: usize) -> Self {
        Self { processes: Some(processes), ..self }
    }

    pub(crate) fn place(self, place: &'static str) -> Self {
        Self { place, ..self }
    }

    /// A cell with the median and one with the quartiles, with so many decimals.
    pub(crate) fn spread(self, unit: &'static str, spread: Spread, decimals: usize) -> Self {
        let median = format!("{:.decimals$}", spread.median);
        self.kept_spread(unit, spread).cell(median).cell(spread.quartiles(decimals))
    }

    /// A number, and how to show it.
    pub(crate) fn number(
        self,
        unit: &'static str,
        statistic: &'static str,
        value: f64,
        shown: String,
    ) -> Self {
        self.kept(unit, statistic, value).cell(shown)
    }

    /// A cell with something that is not kept.
    pub(crate) fn cell(mut self, cell: String) -> Self {
        self.cells.push(cell);
        self
    }

    /// The ratio to the first of the group, with its quartiles: the last two cells.
    pub(crate) fn compared(self, ratio: Ratio) -> Self {
        let kept = match ratio {
            Ratio::Baseline => self.kept("ratio", "median", 1.0),
            // Also an unsteady one: the quartiles beside it tell.
            Ratio::To(spread) => self.kept_spread("ratio", spread),
        };
        Self { ratio: Some(ratio), ..kept }
    }

    /// A cell: how often the bare cache line goes there and back meanwhile, if that is known.
    pub(crate) fn in_lines(self, lines: Option<f64>, decimals: usize) -> Self {
        match lines {
            Some(lines) => self.number("lines", "median", lines, format!("{lines:.decimals$}")),
            None => self.cell(String::new()),
        }
    }

    /// Numbers that there is no cell for.
    pub(crate) fn kept_spread(self, unit: &'static str, spread: Spread) -> Self {
        let Spread { lower, median, upper } = spread;
        self.kept(unit, "median", median).kept(unit, "q1", lower).kept(unit, "q3", upper)
    }

    fn kept(mut self, unit: &'static str, statistic: &'static str, value: f64) -> Self {
        self.numbers.push(Number { unit, statistic, value });
        self
    }

    /// All that is kept.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        self.numbers.iter().map(|&Number { unit, statistic, value }| Record {
            suite: self.suite,
            group: self.group.clone(),
            by: self.by.clone(),
            bytes: self.bytes,
            processes: self.processes,
            place: self.place,
            unit,
            statistic,
            value,
        })
    }

    pub(super) fn by(&self) -> &str {
        &self.by
    }
}

#[cfg(test)]
mod tests {
    use super::{Ratio, Row, Spread};

    #[test]
    fn what_is_shown_is_kept_too() {
        let spread = Spread::of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let row = Row::new("suite", "group", "us")
            .bytes(8)
            .place("one CPU")
            .spread("ns", spread, 1)
            .number("ns", "p99", 1234.0, "1.23".to_owned())
            .compared(Ratio::To(spread));
        assert_eq!(row.cells, ["3.0", "2.0 – 4.0", "1.23"]);
        let kept: Vec<_> = row.records().map(|one| (one.unit, one.statistic, one.value)).collect();
        assert_eq!(
            kept,
            [
                ("ns", "median", 3.0),
                ("ns", "q1", 2.0),
                ("ns", "q3", 4.0),
                ("ns", "p99", 1234.0),
                ("ratio", "median", 3.0),
                ("ratio", "q1", 2.0),
                ("ratio", "q3", 4.0),
            ]
        );
        assert!(row.records().all(|one| (one.bytes, one.place) == (Some(8), "one CPU")));
    }
}
