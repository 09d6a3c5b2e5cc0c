//! A line for each of several, with its name where it ends.

use super::axis::Axis;
use super::canvas::{Canvas, Point, Side};
use super::colours::LINES;

/// Lines that are compared, on two axes.
pub(super) struct Lines {
    pub(super) title: String,
    pub(super) across: Scale,
    pub(super) up: Scale,
    pub(super) series: Vec<Series>,
}

/// What an axis measures, and how its numbers are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) measures: &'static str,
    pub(super) write: fn(f64) -> String,
}

/// One of them.
pub(super) struct Series {
    pub(super) name: String,
    /// From left to right.
    pub(super) points: Vec<(f64, f64)>,
}

const WIDTH: i32 = 860;
const TOP: i32 = 44;
const LEFT: i32 = 72;
/// Between two names.
const LINE: i32 = 18;
/// How long the lines are that lead to the names.
const LEAD: i32 = 34;

impl Lines {
    /// As an SVG; none if there is nothing to show.
    pub(super) fn draw(mut self) -> Option<String> {
        let last = |series: &Series| series.points.last().map_or(f64::NAN, |(_, y)| *y);
        // As the names are, from top to bottom, so that neighbours look different.
        self.series.sort_by(|one, other| last(other).total_cmp(&last(one)));
        let names = i32::try_from(self.series.len()).expect("a few") * LINE;
        let bottom = TOP + names.max(440);
        let room = super::width(self.series.iter().map(|series| series.name.as_str()));
        let right = WIDTH - room - LEAD - 24;
        let all = || self.series.iter().flat_map(|series| &series.points);
        let across = Axis::of(all().map(|(x, _)| *x), (LEFT, right))?;
        let up = Axis::of(all().map(|(_, y)| *y), (bottom, TOP))?;

        let mut svg = String::new();
        let canvas = Canvas::new(&mut svg, WIDTH, bottom + 52);
        canvas.strong(&self.title, (12, 16), Side::Right);
        let mut columns: Vec<f64> = all().map(|(x, _)| *x).collect();
        columns.sort_by(f64::total_cmp);
        columns.dedup();
        let mut free = i32::MIN;
        for column in columns {
            let x = across.at(column);
            canvas.guide((x, TOP), (x, bottom));
            // Not onto the one before.
            if x >= free {
                let text = (self.across.write)(column);
                free = x + super::width([text.as_str()].into_iter()) + 8;
                canvas.text(&text, (x, bottom + 6), Side::Below);
            }
        }
        let middle = i32::midpoint(LEFT, right);
        let caption = format!("{}  (up: {})", self.across.measures, self.up.measures);
        canvas.text(&caption, (middle, bottom + 28), Side::Below);
        for tick in up.ticks() {
            let y = up.at(tick);
            canvas.guide((LEFT, y), (right, y));
            canvas.text(&(self.up.write)(tick), (LEFT - 8, y), Side::Left);
        }
        canvas.axis((LEFT, bottom), (right, bottom));
        canvas.axis((LEFT, TOP), (LEFT, bottom));

        let places: Vec<Vec<Point>> = self
            .series
            .iter()
            .map(|series| {
                let points = series.points.iter().filter(|(x, y)| across.has(*x) && up.has(*y));
                points.map(|(x, y)| (across.at(*x), up.at(*y))).collect()
            })
            .collect();
        let ends = places.iter().map(|points| points.last().map_or(bottom, |(_, y)| *y));
        let names = apart(&ends.collect::<Vec<_>>(), TOP, bottom);
        for (index, ((series, points), y)) in self.series.iter().zip(&places).zip(names).enumerate()
        {
            let (colour, kind) = (LINES[index % LINES.len()], index / LINES.len());
            if super::is_ours(&series.name) {
                canvas.line(points, colour);
            } else {
                canvas.dashes(points, colour);
            }
            for point in points {
                canvas.mark(*point, kind, colour);
            }
            if let Some(end) = points.last() {
                let start = (right + LEAD, y);
                canvas.guide((end.0 + 6, end.1), (right + 8, end.1));
                canvas.guide((right + 8, end.1), (start.0 - 8, start.1));
                canvas.mark(start, kind, colour);
            }
            super::name(&canvas, &series.name, (right + LEAD + 10, y), Side::Right);
        }
        drop(canvas);
        Some(svg)
    }
}

/// Near these places, from top to bottom, but not onto each other.
fn apart(wanted: &[i32], top: i32, bottom: i32) -> Vec<i32> {
    let mut places = wanted.to_vec();
    let mut least = top;
    for place in &mut places {
        *place = (*place).max(least);
        least = *place + LINE;
    }
    let mut most = bottom;
    for place in places.iter_mut().rev() {
        *place = (*place).min(most);
        most = *place - LINE;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::{LINE, apart};

    #[test]
    fn names_are_not_written_onto_each_other() {
        let places = apart(&[10, 12, 13, 95, 99, 100], 0, 120);
        assert!(places.is_sorted_by(|one, other| other - one >= LINE), "{places:?}");
        assert!(places.iter().all(|place| (0..=120).contains(place)), "{places:?}");
    }
}
