//! Figures and letters of blocks, as large as there is room: five dots high, a dot half a cell or many cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::ui::look::Look;

/// Dots of a character, top to bottom.
type Dots = [&'static str; 5];

const GLYPHS: &[(char, Dots)] = &[
    ('0', ["###", "#.#", "#.#", "#.#", "###"]),
    ('1', [".#.", "##.", ".#.", ".#.", "###"]),
    ('2', ["###", "..#", "###", "#..", "###"]),
    ('3', ["###", "..#", "###", "..#", "###"]),
    ('4', ["#.#", "#.#", "###", "..#", "..#"]),
    ('5', ["###", "#..", "###", "..#", "###"]),
    ('6', ["###", "#..", "###", "#.#", "###"]),
    ('7', ["###", "..#", "..#", "..#", "..#"]),
    ('8', ["###", "#.#", "###", "#.#", "###"]),
    ('9', ["###", "#.#", "###", "..#", "###"]),
    (':', [".", "#", ".", "#", "."]),
    ('/', ["..#", "..#", ".#.", "#..", "#.."]),
    ('-', ["...", "...", "###", "...", "..."]),
    ('_', ["...", "...", "...", "...", "###"]),
    ('.', [".", ".", ".", ".", "#"]),
    (' ', ["..", "..", "..", "..", ".."]),
    ('A', [".#.", "#.#", "###", "#.#", "#.#"]),
    ('B', ["##.", "#.#", "##.", "#.#", "##."]),
    ('C', [".##", "#..", "#..", "#..", ".##"]),
    ('D', ["##.", "#.#", "#.#", "#.#", "##."]),
    ('E', ["###", "#..", "##.", "#..", "###"]),
    ('F', ["###", "#..", "##.", "#..", "#.."]),
    ('G', ["###", "#..", "#.#", "#.#", "###"]),
    ('H', ["#.#", "#.#", "###", "#.#", "#.#"]),
    ('I', ["#", "#", "#", "#", "#"]),
    ('J', ["..#", "..#", "..#", "#.#", "###"]),
    ('K', ["#.#", "#.#", "##.", "#.#", "#.#"]),
    ('L', ["#..", "#..", "#..", "#..", "###"]),
    ('M', ["#...#", "##.##", "#.#.#", "#...#", "#...#"]),
    ('N', ["#..#", "##.#", "#.##", "#..#", "#..#"]),
    ('O', [".#.", "#.#", "#.#", "#.#", ".#."]),
    ('P', ["###", "#.#", "###", "#..", "#.."]),
    ('Q', [".##.", "#..#", "#..#", "#.##", ".###"]),
    ('R', ["##.", "#.#", "##.", "#.#", "#.#"]),
    ('S', [".##", "#..", ".#.", "..#", "##."]),
    ('T', ["###", ".#.", ".#.", ".#.", ".#."]),
    ('U', ["#.#", "#.#", "#.#", "#.#", "###"]),
    ('V', ["#.#", "#.#", "#.#", "#.#", ".#."]),
    ('W', ["#...#", "#...#", "#.#.#", "##.##", "#...#"]),
    ('X', ["#.#", "#.#", ".#.", "#.#", "#.#"]),
    ('Y', ["#.#", "#.#", ".#.", ".#.", ".#."]),
    ('Z', ["###", "..#", ".#.", "#..", "###"]),
];

/// How large a dot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dot {
    /// Two in a cell, one above the other.
    Half,
    Cells {
        columns: u16,
        rows: u16,
    },
}

/// Small letters are written as capitals.
fn dots(c: char) -> Dots {
    let found = GLYPHS.iter().find(|(known, _)| *known == c.to_ascii_uppercase());
    found.map_or(["..", "..", "..", "..", ".."], |(_, dots)| *dots)
}

/// Whether each of its letters is one of them.
pub fn can_write(text: &str) -> bool {
    text.chars().all(|c| GLYPHS.iter().any(|(known, _)| *known == c.to_ascii_uppercase()))
}

/// Dots that a text is wide, with one between characters.
pub fn width(text: &str) -> u16 {
    text.chars().fold(0u16, |sum, c| sum.saturating_add(dots(c)[0].len() as u16 + 1)).saturating_sub(1)
}

impl Dot {
    /// Columns and rows of a text.
    pub fn size(self, text: &str) -> (u16, u16) {
        match self {
            Self::Half => (width(text), 3),
            Self::Cells { columns, rows } => (width(text).saturating_mul(columns), 5 * rows),
        }
    }

    /// The largest with which a text fits.
    pub fn fitting(text: &str, columns: u16, rows: u16, look: &Look) -> Option<Self> {
        let large = (1..=12).rev().map(|n| Self::Cells { columns: 2 * n, rows: n });
        let small = [Self::Cells { columns: 1, rows: 1 }].into_iter().chain(look.unicode.then_some(Self::Half));
        large.chain(small).find(|dot| {
            let (width, height) = dot.size(text);
            width <= columns && height <= rows
        })
    }
}

/// Writes a text with its upper left corner at `(x, y)`; nothing outside of `area`.
pub fn draw(buffer: &mut Buffer, look: &Look, area: Rect, at: (u16, u16), text: &str, dot: Dot, style: Style) {
    let area = area.intersection(buffer.area);
    let mut set = |x: u16, y: u16, symbol: &str| {
        if x >= area.x && x < area.right() && y >= area.y && y < area.bottom() {
            buffer[(x, y)].set_symbol(symbol).set_style(style);
        }
    };
    let full = if look.unicode { "█" } else { "#" };
    let mut left = at.0;
    for c in text.chars() {
        let dots = dots(c).map(str::as_bytes);
        let is_on = |row: usize, column: usize| dots.get(row).is_some_and(|row| row[column] == b'#');
        for column in 0..dots[0].len() {
            match dot {
                Dot::Half => {
                    for row in 0..3 {
                        let symbol = match (is_on(2 * row, column), is_on(2 * row + 1, column)) {
                            (true, true) => "█",
                            (true, false) => "▀",
                            (false, true) => "▄",
                            (false, false) => continue,
                        };
                        set(left + column as u16, at.1 + row as u16, symbol);
                    }
                }
                Dot::Cells { columns, rows } => {
                    for row in (0..5).filter(|row| is_on(*row, column)) {
                        for (dx, dy) in (0..columns).flat_map(|dx| (0..rows).map(move |dy| (dx, dy))) {
                            set(left + column as u16 * columns + dx, at.1 + row as u16 * rows + dy, full);
                        }
                    }
                }
            }
        }
        let columns = if let Dot::Cells { columns, .. } = dot { columns } else { 1 };
        left += (dots[0].len() as u16 + 1) * columns;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::frame::{Capabilities, Colours};
    use crate::ui::themes::Themes;

    fn look(unicode: bool) -> Look {
        Themes::only("mono", Capabilities { colours: Colours::Mono, unicode }).look()
    }

    fn drawn(text: &str, columns: u16, rows: u16, unicode: bool) -> String {
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        let dot = Dot::fitting(text, columns, rows, &look(unicode)).expect("it fits");
        draw(&mut buffer, &look(unicode), area, (0, 0), text, dot, Style::new());
        let line = |y| (0..columns).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..rows).map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_glyph_has_rows_of_one_length() {
        for (c, dots) in GLYPHS {
            assert!(dots.iter().all(|row| row.len() == dots[0].len()), "{c}");
        }
        assert!(can_write("0123456789:/NO DATA ENGINE PAUSED core-sw1.fra_2 jklmqvwxyzb gh"));
        assert!(!can_write("größe") && !can_write("a\u{202e}b"));
        for (at, (c, dots)) in GLYPHS.iter().enumerate() {
            assert!(GLYPHS[at + 1..].iter().all(|(_, others)| others != dots), "{c} looks like another");
        }
    }

    #[test]
    fn figures_are_as_large_as_there_is_room() {
        assert_eq!(drawn("10", 7, 3, true), "▄█  █▀█\n █  █ █\n▀▀▀ ▀▀▀");
        assert_eq!(drawn("1", 3, 5, false), " #\n##\n #\n #\n###");
        assert_eq!(Dot::fitting("12", 14, 5, &look(true)), Some(Dot::Cells { columns: 2, rows: 1 }));
        assert_eq!(Dot::fitting("12", 28, 10, &look(false)), Some(Dot::Cells { columns: 4, rows: 2 }));
        assert_eq!(Dot::fitting("12", 6, 5, &look(true)), None);
        assert_eq!(Dot::fitting("12", 7, 4, &look(false)), None);
    }
}
