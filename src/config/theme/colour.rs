//! Colours as themes write them, and how light they are. What a terminal makes of its sixteen is its own affair.

/// A colour as written: the terminal's own, one of its sixteen, or red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Terminal,
    Ansi(u8),
    Rgb(u8, u8, u8),
}

impl Colour {
    /// The sixteen by name, in their order.
    pub const NAMES: [&'static str; 16] = [
        "black",
        "red",
        "green",
        "yellow",
        "blue",
        "magenta",
        "cyan",
        "gray",
        "dark-gray",
        "light-red",
        "light-green",
        "light-yellow",
        "light-blue",
        "light-magenta",
        "light-cyan",
        "white",
    ];

    /// `terminal`, a name, or `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "terminal" {
            return Some(Self::Terminal);
        }
        if let Some(n) = Self::NAMES.iter().position(|name| *name == text) {
            return u8::try_from(n).ok().map(Self::Ansi);
        }
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Self::Rgb(channel(0)?, channel(2)?, channel(4)?))
    }
}

/// What a terminal writes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Background {
    #[default]
    Dark,
    Light,
}

impl Background {
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "dark" => Some(Self::Dark),
            "light" => Some(Self::Light),
            _ => None,
        }
    }

    /// Light is what black is read better on than white.
    pub fn of(red: u8, green: u8, blue: u8) -> Self {
        if luminance(red, green, blue) > 0.179 { Self::Light } else { Self::Dark }
    }

    /// What `COLORFGBG` says: `foreground;background`, or with something between them, as numbers of the sixteen.
    pub fn of_environment(value: &str) -> Option<Self> {
        match value.rsplit(';').next()?.parse().ok()? {
            0..=6 | 8u8 => Some(Self::Dark),
            7 | 9..=15 => Some(Self::Light),
            _ => None,
        }
    }
}

/// Relative luminance of sRGB, 0 to 1 (WCAG 2.2).
pub fn luminance(red: u8, green: u8, blue: u8) -> f64 {
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

/// A channel of sRGB as light, 0 to 1.
pub fn linear(channel: u8) -> f64 {
    let value = f64::from(channel) / 255.0;
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_they_are_written() {
        assert_eq!(Colour::parse("terminal"), Some(Colour::Terminal));
        assert_eq!(Colour::parse("light-blue"), Some(Colour::Ansi(12)));
        assert_eq!(Colour::parse("#0a80FF"), Some(Colour::Rgb(10, 128, 255)));
        for bad in ["", "#12", "#12345g", "#1234567", "pink", "#é1234"] {
            assert_eq!(Colour::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_background_is_what_it_looks_like() {
        for (rgb, want) in [
            ((0, 0, 0), Background::Dark),
            ((40, 44, 52), Background::Dark),
            ((0, 43, 54), Background::Dark),
            ((88, 88, 88), Background::Dark),
            ((253, 246, 227), Background::Light),
            ((200, 200, 200), Background::Light),
            ((255, 255, 255), Background::Light),
        ] {
            assert_eq!(Background::of(rgb.0, rgb.1, rgb.2), want, "{rgb:?}");
        }
        for (text, want) in [
            ("15;0", Some(Background::Dark)),
            ("0;15", Some(Background::Light)),
            ("0;default;15", Some(Background::Light)),
            ("7;8", Some(Background::Dark)),
            ("15;default", None),
            ("", None),
        ] {
            assert_eq!(Background::of_environment(text), want, "{text:?}");
        }
    }
}
