//! A row for each of several, and what is known of it on one axis.

use super::axis::Axis;
use super::canvas::{Canvas, Side};
use super::colours::{INK, LINES};

/// Rows that are compared.
pub(super) struct Dots {
    pub(super) title: String,
    /// What the axis measures.
    pub(super) measures: &'static str,
    /// How its numbers are written.
    pub(super) write: fn(f64) -> String,
    /// What the marks of each row are; the first is what rows are sorted by, and written beside.
    pub(super) marks: Vec<&'static str>,
    /// Whether each row has an end to each side of its first mark, and what they are.
    pub(super) ends: Option<&'static str>,
    /// Where the others would be if they were alike.
    pub(super) reference: Option<f64>,
    pub(super) rows: Vec<Row>,
}

/// One of them.
pub(super) struct Row {
    /// What all that follow it do; empty if they need no heading.
    pub(super) heading: String,
    pub(super) name: String,
    /// One for each mark.
    pub(super) values: Vec<f64>,
    /// From where to where it reaches.
    pub(super) ends: [f64; 2],
}

const WIDTH: i32 = 860;
const ROW: i32 = 22;
const TOP: i32 = 66;
/// Of the numbers to the right.
const NUMBERS: i32 = 84;

impl Dots {
    /// As an SVG; none if there is nothing to show.
    pub(super) fn draw(mut self) -> Option<String> {
        let first = |row: &Row| row.values.first().copied().unwrap_or(f64::NAN);
        let headings = super::distinct(self.rows.iter().map(|row| row.heading.clone()));
        self.rows.sort_by(|one, other| {
            let heading = |row: &Row| headings.iter().position(|heading| *heading == row.heading);
            heading(one).cmp(&heading(other)).then(first(one).total_cmp(&first(other)))
        });
        let shown = headings.iter().filter(|heading| !heading.is_empty()).count();
        let rows = i32::try_from(self.rows.len() + shown).expect("a few");
        let bottom = TOP + rows * ROW;
        let left = super::width(self.rows.iter().map(|row| row.name.as_str())) + 16;
        let right = WIDTH - NUMBERS;
        let values = self.rows.iter().flat_map(|row| row.values.iter().chain(&row.ends));
        let axis = Axis::of(values.copied().chain(self.reference), (left, right))?;

        let mut svg = String::new();
        let canvas = Canvas::new(&mut svg, WIDTH, bottom + 52);
        self.head(&canvas);
        let ticks = axis.ticks();
        for tick in &ticks {
            canvas.text(&(self.write)(*tick), (axis.at(*tick), bottom + 6), Side::Below);
        }
        canvas.text(self.measures, (i32::midpoint(left, right), bottom + 28), Side::Below);
        canvas.axis((left, bottom), (right, bottom));
        let mut y = TOP + ROW / 2;
        let mut heading = "";
        for row in &self.rows {
            if row.heading != heading {
                heading = &row.heading;
                canvas.text(heading, (12, y + 2), Side::Right);
                y += ROW;
            }
            canvas.guide((left, y), (right, y));
            // Row by row: a heading may reach over here.
            let upright = |value| {
                let x = axis.at(value);
                [(x, y - ROW / 2), (x, y + ROW / 2)]
            };
            ticks.iter().map(|tick| upright(*tick)).for_each(|[top, end]| canvas.guide(top, end));
            if let Some([top, end]) = self.reference.map(upright) {
                canvas.axis(top, end);
            }
            super::name(&canvas, &row.name, (left - 8, y), Side::Left);
            canvas.text(&(self.write)(first(row)), (right + 10, y), Side::Right);
            let [from, to] = row.ends.map(|end| axis.at(end));
            canvas.line(&[(from, y), (to, y)], if self.ends.is_some() { LINES[0] } else { INK });
            // The first on top.
            for (kind, value) in row.values.iter().enumerate().rev() {
                if axis.has(*value) {
                    canvas.mark((axis.at(*value), y), kind, LINES[kind]);
                }
            }
            y += ROW;
        }
        drop(canvas);
        Some(svg)
    }

    /// The title, and what the marks are.
    fn head(&self, canvas: &Canvas<'_>) {
        canvas.strong(&self.title, (12, 16), Side::Right);
        let mut x = 12;
        for (kind, mark) in self.marks.iter().enumerate() {
            canvas.mark((x + 6, 42), kind, LINES[kind]);
            canvas.text(mark, (x + 16, 42), Side::Right);
            x += super::width([*mark].into_iter()) + 40;
        }
        if let Some(ends) = self.ends {
            canvas.line(&[(x, 42), (x + 24, 42)], LINES[0]);
            canvas.text(ends, (x + 32, 42), Side::Right);
        }
    }
}
