//! Numbers as they are written beside an axis.

/// Nanoseconds, in the unit that suits them.
pub(super) fn time(nanoseconds: f64) -> String {
    scaled(nanoseconds, &[(1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1.0, " ns")])
}

/// Millions a second.
pub(super) fn rate(millions: f64) -> String {
    scaled(millions * 1e6, &[(1e9, " G/s"), (1e6, " M/s"), (1e3, " k/s"), (1.0, " /s")])
}

/// How many times as much: as tables have it.
pub(super) fn times(ratio: f64) -> String {
    if ratio < 9.995 { format!("× {ratio:.2}") } else { format!("× {}", digits(ratio)) }
}

pub(super) fn bytes(bytes: f64) -> String {
    scaled(bytes, &[(1_048_576.0, " MiB"), (1024.0, " KiB"), (1.0, " B")])
}

pub(super) fn count(count: f64) -> String {
    digits(count)
}

fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let unit = units.iter().find(|(unit, _)| value >= unit * 0.9995).or(units.last());
    unit.map_or_else(String::new, |(unit, name)| digits(value / unit) + name)
}

/// Three digits that count, and no zeros behind the point.
fn digits(value: f64) -> String {
    let text = match value {
        ..1.0 => format!("{value:.3}"),
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => return format!("{value:.0}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{bytes, rate, time, times};

    #[test]
    fn numbers_are_short_and_in_the_unit_that_suits_them() {
        assert_eq!(time(82.0), "82 ns");
        assert_eq!(time(1234.0), "1.23 µs");
        assert_eq!(time(1e6), "1 ms");
        assert_eq!(rate(0.0105), "10.5 k/s");
        assert_eq!(rate(120.0), "120 M/s");
        assert_eq!(bytes(65536.0), "64 KiB");
        assert_eq!(times(1.003), "× 1.00");
        assert_eq!(times(501.2), "× 501");
    }
}
