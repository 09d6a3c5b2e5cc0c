//! Pictures of the numbers. Each is a function of the records, and left out where there are none
//! for it.

mod axis;
mod canvas;
mod colours;
mod dots;
mod latency;
mod lines;
mod ratios;
mod trends;
mod units;

use canvas::{Canvas, Point, Side};

use crate::harness::Record;

/// A picture, and what is said of it.
#[derive(Debug)]
pub(crate) struct Plot {
    pub(crate) file: String,
    pub(crate) title: String,
    pub(crate) about: &'static str,
    pub(crate) svg: String,
}

/// All that these records are enough for.
pub(crate) fn all(records: &[Record]) -> Vec<Plot> {
    let pictures = [latency::plots, trends::plots, ratios::plots];
    pictures.into_iter().flat_map(|plots| plots(records)).collect()
}

/// Whether it is the crate's, which is what one looks for.
fn is_ours(name: &str) -> bool {
    name.contains("rawipc")
}

/// Writes a name: the crate's stand out.
fn name(canvas: &Canvas<'_>, name: &str, at: Point, side: Side) {
    if is_ours(name) { canvas.strong(name, at, side) } else { canvas.text(name, at, side) }
}

/// How much room the longest of these texts takes: a little more than most fonts want.
fn width<'a>(texts: impl Iterator<Item = &'a str>) -> i32 {
    let longest = texts.map(|text| text.chars().count()).max().unwrap_or(0);
    i32::try_from(longest).expect("short") * 17 / 2
}

/// The different ones, in the order in which they come.
fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

/// As a part of a file's name.
fn file(title: &str) -> String {
    let letters = title.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '-',
    });
    let words: String = letters.collect();
    words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests;
