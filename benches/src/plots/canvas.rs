//! What pictures are drawn on: text, lines and marks, on no background.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea as _};
use plotters::element::{
    Circle, DashedPathElement, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text,
};
use plotters::prelude::SVGBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontStyle, IntoFont as _, RGBColor, ShapeStyle};

use super::colours::INK;

/// A pixel.
pub(super) type Point = (i32, i32);

pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Where a text is, seen from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
    Below,
}

/// How many kinds of marks there are.
pub(super) const MARKS: usize = 4;

impl<'a> Canvas<'a> {
    pub(super) fn new(svg: &'a mut String, width: i32, height: i32) -> Self {
        let size = (width.unsigned_abs(), height.unsigned_abs());
        Self { area: SVGBackend::with_string(svg, size).into_drawing_area() }
    }

    pub(super) fn text(&self, text: &str, at: Point, side: Side) {
        self.styled(text, at, side, FontStyle::Normal);
    }

    pub(super) fn strong(&self, text: &str, at: Point, side: Side) {
        self.styled(text, at, side, FontStyle::Bold);
    }

    fn styled(&self, text: &str, at: Point, side: Side, style: FontStyle) {
        // No font is asked how large it is: the points are chosen such that nobody has to know.
        let (across, down) = match side {
            Side::Left => (HPos::Right, VPos::Center),
            Side::Right => (HPos::Left, VPos::Center),
            Side::Below => (HPos::Center, VPos::Top),
        };
        let font = ("sans-serif", 16, style).into_font();
        let style = font.color(&INK).pos(Pos::new(across, down));
        // Most fonts sit a little high.
        self.put(&Text::new(text.to_owned(), (at.0, at.1 + 1), style));
    }

    /// Barely seen, for the eye to follow.
    pub(super) fn guide(&self, from: Point, to: Point) {
        self.put(&PathElement::new([from, to], INK.mix(0.25).stroke_width(1)));
    }

    pub(super) fn axis(&self, from: Point, to: Point) {
        self.put(&PathElement::new([from, to], INK.stroke_width(1)));
    }

    pub(super) fn line(&self, points: &[Point], colour: RGBColor) {
        self.put(&PathElement::new(points.to_vec(), colour.stroke_width(2)));
    }

    pub(super) fn dashes(&self, points: &[Point], colour: RGBColor) {
        self.put(&DashedPathElement::new(points.to_vec(), 5, 4, colour.stroke_width(2)));
    }

    /// One of [`MARKS`] kinds.
    pub(super) fn mark(&self, (x, y): Point, kind: usize, colour: RGBColor) {
        let filled = ShapeStyle::from(colour).filled();
        match kind % MARKS {
            0 => self.put(&Circle::new((x, y), 4, filled)),
            1 => self.put(&Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], filled)),
            2 => self.put(&Polygon::new([(x - 5, y + 4), (x + 5, y + 4), (x, y - 5)], filled)),
            _ => {
                self.put(&Polygon::new([(x - 5, y), (x, y - 5), (x + 5, y), (x, y + 5)], filled));
            }
        }
    }

    fn put<E>(&self, element: &E)
    where
        for<'b> &'b E: PointCollection<'b, Point>,
        E: Drawable<SVGBackend<'a>>,
    {
        self.area.draw(element).expect("memory takes all");
    }
}
