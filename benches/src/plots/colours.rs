//! Colours that can be told from a white page and from a dark one, and from each other also by
//! those who see fewer: of Okabe and Ito's, those in the middle of the scale, and others darkened
//! or lightened until they are there.

use plotters::style::RGBColor;

/// Of text and axes.
pub(super) const INK: RGBColor = RGBColor(0x74, 0x7b, 0x83);

/// Of lines and marks. Neighbours differ in lightness too, as far as there is room.
pub(super) const LINES: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xc2, 0x69, 0x9b),
    RGBColor(0xa8, 0x78, 0x00),
    RGBColor(0x2e, 0x93, 0xc9),
];

#[cfg(test)]
mod tests {
    use plotters::style::RGBColor;

    use super::{INK, LINES};

    const PAGES: [RGBColor; 2] = [RGBColor(0xff, 0xff, 0xff), RGBColor(0x0d, 0x11, 0x17)];

    /// As the Web Content Accessibility Guidelines have it.
    fn contrast(one: RGBColor, other: RGBColor) -> f64 {
        let luminance = |RGBColor(red, green, blue)| {
            let [red, green, blue] = [red, green, blue].map(|part| {
                let part = f64::from(part) / 255.0;
                if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let [one, other] = [luminance(one) + 0.05, luminance(other) + 0.05];
        if one > other { one / other } else { other / one }
    }

    #[test]
    fn contrast_is_as_the_guidelines_say() {
        let black = RGBColor(0, 0, 0);
        assert!((contrast(black, PAGES[0]) - 21.0).abs() < 1e-9);
        assert!((contrast(black, black) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn text_can_be_read_on_light_and_dark_pages() {
        for page in PAGES {
            assert!(contrast(INK, page) >= 4.0, "{page:?}");
        }
    }

    #[test]
    fn lines_can_be_seen_on_light_and_dark_pages() {
        for (page, line) in PAGES.into_iter().flat_map(|page| LINES.map(|line| (page, line))) {
            assert!(contrast(line, page) >= 3.0, "{line:?} on {page:?}");
        }
    }
}
