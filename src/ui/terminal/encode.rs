//! Cells to bytes, as few as possible: only cells that differ, the shortest way between them, attributes only where
//! they change, erasing instead of blanks. Whatever a cell holds, no control byte leaves here.
//!
//! After a glyph whose width terminals disagree about the cursor is placed anew, so that one odd character cannot
//! shift its neighbors.

use std::io::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::ui::frame::Colours;

const SHOWN: Modifier =
    Modifier::BOLD.union(Modifier::DIM).union(Modifier::ITALIC).union(Modifier::UNDERLINED).union(Modifier::REVERSED);

/// From so many blanks on, erasing them (`CSI n X`) and going on behind takes no more bytes than writing them.
const ERASED: usize = 10;
/// A move within a line takes three bytes or more.
const BRIDGED: usize = 4;
/// So many backspaces take as many bytes as naming a column.
const BACKSPACES: u16 = 4;

/// Attributes that are seen where nothing is written.
const ON_BLANKS: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

/// The attributes that the terminal has at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell, colours: Colours) -> Self {
        Self { fg: reduce(cell.fg, colours), bg: reduce(cell.bg, colours), modifier: cell.modifier & SHOWN }
    }

    /// This pen as far as need be that of the cell: where nothing is written only the background shows.
    fn changed_for(self, cell: &Cell, colours: Colours) -> Self {
        let of = Self::of(cell, colours);
        if is_unwritten(cell) { Self { bg: of.bg, modifier: self.modifier - ON_BLANKS, ..self } } else { of }
    }
}

/// Writes sequences and remembers where the cursor and the pen are. Every chunk begins and ends with a plain pen and
/// an unknown cursor, so chunks may be cut anywhere between rows.
#[derive(Debug)]
pub struct Encoder {
    pub out: Vec<u8>,
    colours: Colours,
    pen: Pen,
    cursor: Option<(u16, u16)>,
}

impl Encoder {
    pub fn new(colours: Colours) -> Self {
        Self { out: Vec::new(), colours, pen: Pen::PLAIN, cursor: None }
    }

    /// Brings one row from `old` to `new`; `old` is `None` where nothing is known of what the terminal shows.
    pub fn row(&mut self, y: u16, new: &Buffer, old: Option<&Buffer>) {
        let width = new.area.width;
        let cells = row_cells(new, y);
        let before = old.map(|old| row_cells(old, y));
        // Blanks up to the end of the line are erased at once.
        let content = cells.iter().rposition(|c| !is_blank(c)).map_or(0, |i| i + 1);
        let mut x = 0;
        // Beside a glyph that was drawn or overdrawn the next cell may have been touched: it is drawn as well.
        let mut touched = false;
        while x < content {
            let cell = &cells[x];
            let step = cell_width(cell).max(1);
            let same = before.is_some_and(|b| {
                (x..(x + step).min(b.len())).all(|i| look(&b[i], self.colours) == look(&cells[i], self.colours))
            });
            if !same || touched {
                let blanks = cells[x..content].iter().take_while(|cell| is_blank(cell)).count();
                if blanks >= ERASED && !touched {
                    self.erase(x as u16, y, blanks);
                    touched = before.is_some_and(|b| b.get(x + blanks - 1).is_some_and(is_doubtful));
                    x += blanks;
                    continue;
                }
                self.bridge(x, y, cells);
                self.draw(x as u16, y, cell, step as u16, width);
                touched = is_doubtful(cell) || before.is_some_and(|b| b.get(x).is_some_and(is_doubtful));
            } else {
                touched = false;
            }
            x += step;
        }
        let dirty_tail = touched || before.is_none_or(|b| b[content.min(b.len())..].iter().any(|c| !is_blank(c)));
        if content < width as usize && dirty_tail {
            self.move_to(content as u16, y);
            self.set_pen(Pen::PLAIN);
            self.out.extend_from_slice(b"\x1b[K");
        }
    }

    /// Back to plain attributes.
    pub fn finish(&mut self) {
        self.set_pen(Pen::PLAIN);
    }

    fn draw(&mut self, x: u16, y: u16, cell: &Cell, step: u16, width: u16) {
        self.move_to(x, y);
        self.set_pen(self.pen.changed_for(cell, self.colours));
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            push_ascii(symbol, &mut self.out);
        } else {
            push_glyph(symbol, &mut self.out);
        }
        let next = x + step;
        // In the last column the cursor waits before wrapping: terminals differ in where that is.
        let certain = symbol.is_ascii() || is_sure(cell);
        self.cursor = (certain && next < width).then_some((next, y));
    }

    /// Blanks within a line. Terminals that erase with the background of the pen are given a plain one.
    fn erase(&mut self, x: u16, y: u16, count: usize) {
        self.move_to(x, y);
        self.set_pen(Pen::PLAIN);
        let _ = write!(self.out, "\x1b[{count}X");
    }

    /// Over a few cells that need no drawing and take less than a move: they are written again.
    fn bridge(&mut self, x: usize, y: u16, cells: &[Cell]) {
        let Some((from, _)) = self.cursor.filter(|(_, at)| *at == y) else { return };
        let Some(between) = cells.get(usize::from(from)..x).filter(|between| between.len() < BRIDGED) else { return };
        if between.iter().all(|cell| cell.symbol().is_ascii() && self.pen.changed_for(cell, self.colours) == self.pen) {
            for cell in between {
                push_ascii(cell.symbol(), &mut self.out);
            }
            self.cursor = Some((x as u16, y));
        }
    }

    /// The shortest way. Line feeds, backspaces and carriage returns move the cursor and nothing else: the line is raw, there
    /// is no scroll region while rows are drawn, and the row below is on the screen.
    fn move_to(&mut self, x: u16, y: u16) {
        match self.cursor {
            Some(at) if at == (x, y) => return,
            Some((from, row)) if row == y => self.move_within(from, x),
            Some((from, row)) if row + 1 == y => {
                self.out.push(b'\n');
                self.move_within(from, x);
            }
            _ if x == 0 => {
                let _ = write!(self.out, "\x1b[{}H", y + 1);
            }
            _ => {
                let _ = write!(self.out, "\x1b[{};{}H", y + 1, x + 1);
            }
        }
        self.cursor = Some((x, y));
    }

    fn move_within(&mut self, from: u16, to: u16) {
        let _ = match (to > from, to.abs_diff(from)) {
            (_, 0) => Ok(()),
            (true, 1) => self.out.write_all(b"\x1b[C"),
            (true, n) => write!(self.out, "\x1b[{n}C"),
            (false, _) if to == 0 => self.out.write_all(b"\r"),
            (false, n @ 1..BACKSPACES) => self.out.write_all(&[8; BACKSPACES as usize][..usize::from(n)]),
            (false, _) => write!(self.out, "\x1b[{}G", to + 1),
        };
    }

    fn set_pen(&mut self, pen: Pen) {
        if self.pen == pen {
            return;
        }
        let anew = Self::codes(Pen::PLAIN, pen);
        let anew = if anew.is_empty() { anew } else { format!("0;{anew}") };
        let removed = self.pen.modifier - pen.modifier;
        // What is taken away can be named, or all be said anew: the shorter.
        let mut named: Vec<&str> = Vec::new();
        if removed.intersects(Modifier::BOLD | Modifier::DIM) {
            named.push("22");
        }
        for (flag, code) in [(Modifier::ITALIC, "23"), (Modifier::UNDERLINED, "24"), (Modifier::REVERSED, "27")] {
            if removed.contains(flag) {
                named.push(code);
            }
        }
        // 22 takes both: the one that stays is said again.
        let kept = if named.first() == Some(&"22") {
            self.pen.modifier - Modifier::BOLD - Modifier::DIM
        } else {
            self.pen.modifier
        };
        let added = Self::codes(Pen { modifier: kept - removed, ..self.pen }, pen);
        if !added.is_empty() {
            named.push(&added);
        }
        let changed = named.join(";");
        let codes = if pen == Pen::PLAIN || anew.len() < changed.len() { &anew } else { &changed };
        let _ = write!(self.out, "\x1b[{codes}m");
        self.pen = pen;
    }

    /// What `to` has and `from` has not.
    fn codes(from: Pen, to: Pen) -> String {
        let mut codes: Vec<String> = Vec::new();
        for (flag, code) in [
            (Modifier::BOLD, 1),
            (Modifier::DIM, 2),
            (Modifier::ITALIC, 3),
            (Modifier::UNDERLINED, 4),
            (Modifier::REVERSED, 7),
        ] {
            if (to.modifier - from.modifier).contains(flag) {
                codes.push(code.to_string());
            }
        }
        if to.fg != from.fg {
            codes.push(colour_code(to.fg, 30));
        }
        if to.bg != from.bg {
            codes.push(colour_code(to.bg, 40));
        }
        codes.join(";")
    }
}

fn row_cells(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = buffer.area.width as usize;
    let start = y as usize * width;
    buffer.content.get(start..start + width).unwrap_or_default()
}

/// Whether two cells look alike on this terminal.
fn look(cell: &Cell, colours: Colours) -> (&str, Pen) {
    (cell.symbol(), Pen::PLAIN.changed_for(cell, colours))
}

/// A blank of whose pen only the background shows.
fn is_unwritten(cell: &Cell) -> bool {
    cell.symbol() == " " && !cell.modifier.intersects(ON_BLANKS)
}

fn is_blank(cell: &Cell) -> bool {
    is_unwritten(cell) && cell.bg == Color::Reset
}

/// Whether terminals may disagree about its width.
fn is_doubtful(cell: &Cell) -> bool {
    !cell.symbol().is_ascii() && !is_sure(cell)
}

fn cell_width(cell: &Cell) -> usize {
    if cell.symbol().is_ascii() { 1 } else { unicode_width::UnicodeWidthStr::width(cell.symbol()) }
}

fn push_ascii(symbol: &str, out: &mut Vec<u8>) {
    match symbol.as_bytes() {
        [byte @ 0x20..=0x7e] => out.push(*byte),
        _ => out.push(b' '),
    }
}

/// Whether all terminals agree that a glyph is one column wide.
fn is_sure(cell: &Cell) -> bool {
    let mut chars = cell.symbol().chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => {
            matches!(u32::from(c), 0x20..=0x7e | 0xa1..=0xac | 0xae..=0x24f | 0x370..=0x3ff | 0x400..=0x45f | 0x2013..=0x2026 | 0x2190..=0x2193 | 0x2500..=0x25ff)
        }
        _ => false,
    }
}

/// Writes a glyph without control characters.
fn push_glyph(symbol: &str, out: &mut Vec<u8>) {
    for c in symbol.chars().filter(|c| !c.is_control()) {
        let mut bytes = [0; 4];
        out.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
    }
}

fn colour_code(colour: Color, base: u8) -> String {
    match colour {
        Color::Reset => (base + 9).to_string(),
        Color::Indexed(n) if n < 8 => (base + n).to_string(),
        Color::Indexed(n) if n < 16 => (base + 60 + n - 8).to_string(),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
        named => (base + ansi_index(named)).to_string(),
    }
}

fn ansi_index(colour: Color) -> u8 {
    match colour {
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
        _ => 0,
    }
}

/// The nearest colour that the terminal has.
fn reduce(colour: Color, colours: Colours) -> Color {
    match (colours, colour) {
        (_, Color::Reset) | (Colours::Mono, _) => Color::Reset,
        (Colours::Ansi256, Color::Rgb(r, g, b)) => Color::Indexed(cube(r, g, b)),
        (Colours::Ansi16, Color::Rgb(r, g, b)) => nearest_ansi(r, g, b),
        (Colours::Ansi16, Color::Indexed(n)) if n >= 16 => {
            let (r, g, b) = cube_colour(n);
            nearest_ansi(r, g, b)
        }
        (_, any) => any,
    }
}

fn cube(r: u8, g: u8, b: u8) -> u8 {
    let level = |v: u8| if v < 48 { 0 } else { ((u16::from(v) - 35) / 40).min(5) as u8 };
    let (cr, cg, cb) = (level(r), level(g), level(b));
    let spread = r.max(g).max(b) - r.min(g).min(b);
    if spread < 12 {
        let grey = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
        return match grey {
            0..4 => 16,
            246..=255 => 231,
            _ => 232 + ((grey.max(8) - 8) / 10).min(23) as u8,
        };
    }
    16 + 36 * cr + 6 * cg + cb
}

fn cube_colour(n: u8) -> (u8, u8, u8) {
    if n >= 232 {
        let grey = 8 + 10 * (n - 232);
        return (grey, grey, grey);
    }
    let level = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
    let n = n.saturating_sub(16);
    (level(n / 36), level(n / 6 % 6), level(n % 6))
}

fn nearest_ansi(r: u8, g: u8, b: u8) -> Color {
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    if max - min < 40 {
        return match max {
            0..60 => Color::Black,
            60..150 => Color::DarkGray,
            150..220 => Color::Gray,
            _ => Color::White,
        };
    }
    let high = |v: u8| u16::from(v) * 2 > u16::from(max) + u16::from(min);
    match (high(r), high(g), high(b)) {
        (true, false, false) => Color::Red,
        (false, true, false) => Color::Green,
        (true, true, false) => Color::Yellow,
        (false, false, true) => Color::Blue,
        (true, false, true) => Color::Magenta,
        (false, true, true) => Color::Cyan,
        _ => Color::Reset,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn buffer(lines: &[&str]) -> Buffer {
        Buffer::with_lines(lines.iter().copied())
    }

    fn bytes(new: &Buffer, old: Option<&Buffer>) -> String {
        let mut encoder = Encoder::new(Colours::True);
        for y in 0..new.area.height {
            encoder.row(y, new, old);
        }
        encoder.finish();
        String::from_utf8(encoder.out).expect("UTF-8")
    }

    #[test]
    fn what_is_the_same_costs_nothing() {
        let a = buffer(&["hello", "world"]);
        assert_eq!(bytes(&a, Some(&a)), "");
    }

    #[test]
    fn one_changed_cell_costs_a_move_and_a_letter() {
        let (a, b) = (buffer(&["hello", "world"]), buffer(&["hello", "wOrld"]));
        assert_eq!(bytes(&b, Some(&a)), "\x1b[2;2HO");
    }

    #[test]
    fn the_row_below_is_reached_without_being_named() {
        let (old, new) = (
            buffer(&["up 10s  ", "up 10s  ", "up 10s  ", "a       "]),
            buffer(&["up 15s  ", "up 15s  ", "UP 10s  ", "b       "]),
        );
        assert_eq!(bytes(&new, Some(&old)), "\x1b[1;5H5\n\x085\n\rUP\n\rb");
        // Nothing is known of where the cursor is behind the last column.
        let (old, new) = (buffer(&["ab", "ab"]), buffer(&["ac", "ac"]));
        assert_eq!(bytes(&new, Some(&old)), "\x1b[1;2Hc\x1b[2;2Hc");
        let (old, new) = (buffer(&["a      1 ", "a      1 "]), buffer(&["a      2 ", "b      1 "]));
        assert_eq!(bytes(&new, Some(&old)), "\x1b[1;8H2\n\rb");
        let (old, new) = (buffer(&["abcdefgh.", "abcdefgh."]), buffer(&["abcdefgH.", "abCdefgh."]));
        assert_eq!(bytes(&new, Some(&old)), "\x1b[1;8HH\n\x1b[3GC");
    }

    #[test]
    fn blanks_at_the_end_are_erased_at_once() {
        let (a, b) = (buffer(&["hello     "]), buffer(&["h         "]));
        assert_eq!(bytes(&b, Some(&a)), "\x1b[1;2H\x1b[K");
        assert_eq!(bytes(&buffer(&["          "]), None), "\x1b[1H\x1b[K");
    }

    #[test]
    fn attributes_are_sent_where_they_change_and_end_plain() {
        let mut b = buffer(&["ab c"]);
        b.set_style(Rect::new(0, 0, 2, 1), Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        assert_eq!(bytes(&b, None), "\x1b[1H\x1b[1;31mab \x1b[mc");
    }

    #[test]
    fn of_a_blank_only_what_shows_is_sent() {
        let styled = |style: Style| {
            let mut b = buffer(&["a   b"]);
            b.set_style(Rect::new(1, 0, 3, 1), style);
            b
        };
        let plain = styled(Style::new());
        assert_eq!(bytes(&styled(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD)), Some(&plain)), "");
        assert_eq!(bytes(&styled(Style::new().bg(Color::Red)), Some(&plain)), "\x1b[1;2H\x1b[41m   \x1b[m");
        let lined = Style::new().fg(Color::Red).add_modifier(Modifier::UNDERLINED);
        assert_eq!(bytes(&styled(lined), Some(&plain)), "\x1b[1;2H\x1b[4;31m   \x1b[m");
        // What was seen goes away, what was not is left.
        assert_eq!(bytes(&plain, Some(&styled(lined))), "\x1b[1;2H   ");
        // A pen that would show is put down.
        let mut b = styled(Style::new());
        b.set_style(Rect::new(0, 0, 1, 1), lined);
        assert_eq!(bytes(&b, None), "\x1b[1H\x1b[4;31ma\x1b[24m   \x1b[mb");
    }

    #[test]
    fn blanks_within_a_line_are_erased_and_a_short_gap_is_written_again() {
        let (old, new) = (buffer(&["name of a host  up"]), buffer(&["db              up"]));
        assert_eq!(bytes(&new, Some(&old)), "\x1b[1Hdb\x1b[14X");
        // They are erased with a plain pen, whatever was written before.
        let mut red = new.clone();
        red.set_style(Rect::new(0, 0, 2, 1), Style::new().bg(Color::Red));
        assert_eq!(bytes(&red, Some(&old)), "\x1b[1H\x1b[41mdb\x1b[m\x1b[14X");
        // A glyph whose second half may lie beside what is erased: the next cell is drawn too.
        let mut wide = old.clone();
        wide[(15, 0)].set_symbol("⚠\u{fe0f}");
        assert_eq!(bytes(&new, Some(&wide)), "\x1b[1Hdb\x1b[14X\x1b[14Cu");
        let (old, new) = (buffer(&["a1b2    c"]), buffer(&["a3b4    d"]));
        assert_eq!(bytes(&new, Some(&old)), "\x1b[1;2H3b4\x1b[4Cd");
    }

    #[test]
    fn what_is_taken_away_is_named_where_that_is_shorter() {
        let mut b = buffer(&["ab"]);
        let back = Color::Rgb(42, 51, 66);
        b.set_style(Rect::new(0, 0, 1, 1), Style::new().fg(Color::Red).bg(back).add_modifier(Modifier::BOLD));
        b.set_style(Rect::new(1, 0, 1, 1), Style::new().fg(Color::Green).bg(back));
        assert_eq!(bytes(&b, None), "\x1b[1H\x1b[1;31;48;2;42;51;66ma\x1b[22;32mb\x1b[m");
        // Dim stays where bold goes.
        b.set_style(Rect::new(0, 0, 1, 1), Style::new().add_modifier(Modifier::DIM));
        b.set_style(Rect::new(1, 0, 1, 1), Style::new().add_modifier(Modifier::DIM));
        assert_eq!(bytes(&b, None), "\x1b[1H\x1b[1;2;31;48;2;42;51;66ma\x1b[22;2;32mb\x1b[m");
        let mut plain = buffer(&["ab"]);
        plain.set_style(Rect::new(0, 0, 1, 1), Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED));
        plain.set_style(Rect::new(1, 0, 1, 1), Style::new().fg(Color::Red));
        assert_eq!(bytes(&plain, None), "\x1b[1H\x1b[1;4ma\x1b[0;31mb\x1b[m");
    }

    #[test]
    fn after_a_glyph_of_doubtful_width_the_cursor_is_placed_anew() {
        let mut b = Buffer::empty(Rect::new(0, 0, 4, 1));
        b[(0, 0)].set_symbol("日");
        b[(2, 0)].set_symbol("x");
        assert_eq!(bytes(&b, None), "\x1b[1H日\x1b[1;3Hx\x1b[K");
        let certain = buffer(&["●x"]);
        assert_eq!(bytes(&certain, None), "\x1b[1H●x");
    }

    #[test]
    fn what_stands_beside_a_glyph_of_doubtful_width_is_drawn_with_it() {
        let mut old = Buffer::empty(Rect::new(0, 0, 4, 1));
        old[(0, 0)].set_symbol("⚠\u{fe0f}");
        old[(2, 0)].set_symbol("x");
        let mut new = old.clone();
        new[(0, 0)].set_symbol("a");
        new[(1, 0)].set_symbol("b");
        assert_eq!(bytes(&new, Some(&old)), "\x1b[1Hab");
        // And the other way round: the letter behind it may be under its second half.
        let mut plain = buffer(&["a yz"]);
        let before = plain.clone();
        plain[(0, 0)].set_symbol("⚠\u{fe0f}");
        assert_eq!(bytes(&plain, Some(&before)), "\x1b[1H⚠\u{fe0f}\x1b[1;3Hy");
    }

    #[test]
    fn no_control_byte_leaves_whatever_a_cell_holds() {
        let mut b = Buffer::empty(Rect::new(0, 0, 3, 1));
        b[(0, 0)].set_symbol("\x1b]0;x\x07");
        b[(1, 0)].set_symbol("é\x1b[2J");
        let out = bytes(&b, None);
        let stripped =
            out.replace("\x1b[1H", "").replace("\x1b[K", "").replace("\x1b[1;3H", "").replace("\x1b[1;2H", "");
        assert!(!stripped.contains('\x1b') && !stripped.contains('\x07'), "{out:?}");
    }

    #[test]
    fn colours_come_down_to_what_there_is() {
        assert_eq!(reduce(Color::Rgb(230, 60, 60), Colours::Ansi16), Color::Red);
        assert_eq!(reduce(Color::Rgb(230, 60, 60), Colours::Mono), Color::Reset);
        assert_eq!(reduce(Color::Rgb(255, 255, 255), Colours::Ansi256), Color::Indexed(231));
        assert_eq!(reduce(Color::Rgb(120, 120, 120), Colours::Ansi16), Color::DarkGray);
    }
}
