//! The emulator's grid into the frame's cells. Every character goes through the same care as foreign text
//! elsewhere: what is hidden, moves the cursor or is of another width than the grid thinks becomes `?`.

use alacritty_terminal::index::Point;
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Color as Ansi, NamedColor};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use super::emulator::Emulator;
use crate::base::text;
use crate::ui::frame::Colours;

/// Draws the visible part; gives the place of the cursor where the remote side shows one.
pub fn draw(emulator: &Emulator, buffer: &mut Buffer, area: Rect, colours: Colours, unicode: bool) -> Option<Position> {
    let area = area.intersection(buffer.area);
    let term = emulator.term();
    let offset = term.grid().display_offset();
    for indexed in term.grid().display_iter() {
        let Some(position) = place(indexed.point, offset, area) else { continue };
        let flags = indexed.cell.flags;
        if flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
            continue;
        }
        let columns = if flags.contains(Flags::WIDE_CHAR) { 2 } else { 1 };
        let symbol = symbol(indexed.cell, columns, area.right() - position.x, unicode);
        let style = style(indexed.cell, colours);
        buffer[position].set_symbol(&symbol).set_style(style);
        if columns == 2 && position.x + 1 < area.right() {
            buffer[Position::new(position.x + 1, position.y)].set_symbol("").set_style(style);
            if text::width(&symbol) < 2 {
                buffer[Position::new(position.x + 1, position.y)].set_symbol(" ");
            }
        }
    }
    let cursor = term.renderable_content().cursor.point;
    let is_shown = term.mode().contains(TermMode::SHOW_CURSOR) && offset == 0;
    if is_shown { place(cursor, offset, area) } else { None }
}

fn place(point: Point, offset: usize, area: Rect) -> Option<Position> {
    let row = usize::try_from(point.line.0 + i32::try_from(offset).ok()?).ok()?;
    let inside = row < usize::from(area.height) && point.column.0 < usize::from(area.width);
    inside.then(|| Position::new(area.x + point.column.0 as u16, area.y + row as u16))
}

fn symbol(cell: &Cell, columns: usize, room: u16, unicode: bool) -> String {
    if cell.flags.contains(Flags::HIDDEN) || cell.c == ' ' || cell.c == '\0' || cell.c == '\t' {
        return " ".repeat(columns.min(usize::from(room)));
    }
    if cell.c.is_ascii_graphic() && cell.zerowidth().is_none() {
        return cell.c.to_string();
    }
    let mut out = String::from(cell.c);
    out.extend(cell.zerowidth().unwrap_or_default());
    let honest = text::is_clean(&out) && text::width(&out) == columns && columns <= usize::from(room);
    if honest && (unicode || out.is_ascii()) {
        return out;
    }
    let plain = match cell.c {
        '─' | '━' | '═' | '╌' | '┄' => '-',
        '│' | '┃' | '║' => '|',
        '\u{2500}'..='\u{257f}' => '+',
        '\u{2580}'..='\u{259f}' => '#',
        c if unicode && text::is_clean(&c.to_string()) && text::width(&c.to_string()) == columns => c,
        _ => '?',
    };
    plain.to_string()
}

fn style(cell: &Cell, colours: Colours) -> Style {
    let mut style = Style::new();
    if colours != Colours::Mono {
        style = style.fg(colour(cell.fg, colours)).bg(colour(cell.bg, colours));
    }
    for (flag, modifier) in [
        (Flags::BOLD, Modifier::BOLD),
        (Flags::DIM, Modifier::DIM),
        (Flags::ITALIC, Modifier::ITALIC),
        (Flags::INVERSE, Modifier::REVERSED),
        (Flags::STRIKEOUT, Modifier::CROSSED_OUT),
    ] {
        if cell.flags.contains(flag) {
            style = style.add_modifier(modifier);
        }
    }
    if cell.flags.intersects(Flags::ALL_UNDERLINES) {
        style = style.add_modifier(Modifier::UNDERLINED);
    }
    style
}

fn colour(colour: Ansi, colours: Colours) -> Color {
    let indexed = match colour {
        Ansi::Named(named) => match named as usize {
            index @ 0..=15 => index as u8,
            _ => match named {
                NamedColor::DimBlack => 0,
                NamedColor::DimRed => 1,
                NamedColor::DimGreen => 2,
                NamedColor::DimYellow => 3,
                NamedColor::DimBlue => 4,
                NamedColor::DimMagenta => 5,
                NamedColor::DimCyan => 6,
                NamedColor::DimWhite => 7,
                _ => return Color::Reset,
            },
        },
        Ansi::Indexed(index) => index,
        Ansi::Spec(rgb) if colours == Colours::True => return Color::Rgb(rgb.r, rgb.g, rgb.b),
        Ansi::Spec(rgb) => nearest(rgb.r, rgb.g, rgb.b),
    };
    if colours == Colours::Ansi16 && indexed > 15 {
        Color::Indexed(to_sixteen(indexed))
    } else {
        Color::Indexed(indexed)
    }
}

/// The nearest entry of the 6x6x6 cube.
fn nearest(r: u8, g: u8, b: u8) -> u8 {
    let step = |v: u8| {
        if v < 48 {
            0
        } else if v < 115 {
            1
        } else {
            (v - 35) / 40
        }
    };
    16 + 36 * step(r) + 6 * step(g) + step(b)
}

fn to_sixteen(index: u8) -> u8 {
    let (r, g, b) = if index >= 232 {
        let level = (index - 232) / 5;
        (level, level, level)
    } else {
        let cube = index - 16;
        (cube / 36, cube / 6 % 6, cube % 6)
    };
    let bright = if r.max(g).max(b) >= 4 { 8 } else { 0 };
    let bit = |v: u8| u8::from(v >= 2);
    bright + bit(r) + 2 * bit(g) + 4 * bit(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::session::emulator::PaneSize;

    fn drawn(text: &str, unicode: bool) -> (Vec<String>, Option<Position>) {
        let mut emulator = Emulator::new(PaneSize::new(12, 2));
        emulator.feed(text.as_bytes());
        let area = Rect::new(0, 0, 12, 2);
        let mut buffer = Buffer::empty(area);
        let cursor = draw(&emulator, &mut buffer, area, Colours::Ansi256, unicode);
        let row = |y| (0..12).map(|x| buffer[Position::new(x, y)].symbol().to_owned()).collect::<String>();
        (vec![row(0), row(1)], cursor)
    }

    #[test]
    fn text_stands_where_the_remote_side_put_it() {
        let (rows, cursor) = drawn("ab\x1b[2;5Hüx日", true);
        assert_eq!(rows[0], "ab          ");
        assert_eq!(rows[1].trim_end(), "    üx日");
        assert_eq!(cursor, Some(Position::new(8, 1)));
        assert_eq!(drawn("\x1b[?25l", true).1, None);
    }

    #[test]
    fn what_would_hide_or_drift_is_shown_as_a_question_mark_or_without_its_mark() {
        let (rows, _) = drawn("a\u{e000}b⚠\u{fe0f}c", true);
        assert!(rows[0].starts_with("a?b⚠c"), "{rows:?}");
    }

    #[test]
    fn a_terminal_without_unicode_gets_lines_it_can_draw() {
        let (rows, _) = drawn("┌─│日ü", false);
        assert_eq!(rows[0].trim_end(), "+-|? ?");
    }

    #[test]
    fn colours_are_reduced_to_what_the_terminal_has() {
        use alacritty_terminal::vte::ansi::Rgb;
        let red = Ansi::Spec(Rgb { r: 255, g: 0, b: 0 });
        assert_eq!(colour(red, Colours::True), Color::Rgb(255, 0, 0));
        assert_eq!(colour(red, Colours::Ansi256), Color::Indexed(196));
        assert_eq!(colour(red, Colours::Ansi16), Color::Indexed(9));
        assert_eq!(colour(Ansi::Named(NamedColor::Foreground), Colours::Ansi16), Color::Reset);
    }
}
