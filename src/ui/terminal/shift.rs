//! Rows that moved up or down as a block: a list that scrolls. The terminal moves them itself, within a scroll region
//! (DECSTBM) by deleting or inserting lines (DL, IL: ECMA-48 §8.3.32, §8.3.67), which every terminal can, and only what is new is
//! drawn.
//!
//! ```text
//! before   after         rows 1..5 moved up by 1:  CSI 2;5 r  CSI 2 H  CSI M  CSI r
//!  0 title  0 title       then row 4 is drawn
//!  1 a      1 b
//!  2 b      2 c
//!  3 c      3 d
//!  4 d      4 e
//! ```

use std::io::Write as _;
use std::ops::Range;

use ratatui::buffer::{Buffer, Cell};

/// Fewer rows are drawn as fast as moved.
const LEAST: usize = 3;

/// A block of rows, and how far what is in them goes up (or down, where it is negative).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    rows: Range<u16>,
    up: i16,
}

impl Shift {
    /// How the terminal best moves what it shows, if that is worth it: more rows come to where they are wanted than are
    /// there now. Rows are alike here where they read alike; whoever draws afterwards looks at every cell.
    pub fn between(shown: &Buffer, next: &Buffer) -> Option<Self> {
        let rows = Rows { shown: texts(shown), next: texts(next) };
        let changed: Vec<u16> = (0..next.area.height).filter(|y| !rows.stays(*y)).collect();
        let (first, last) = (*changed.first()?, *changed.last()?);
        if changed.len() <= LEAST {
            return None;
        }
        let farthest = usize::from(last - first).saturating_sub(LEAST);
        let farthest = i16::try_from(farthest).unwrap_or(i16::MAX);
        let candidates = (1..=farthest).flat_map(|by| [by, -by]);
        let best = candidates.filter_map(|up| rows.moved(&changed, up)).max_by_key(|(_, gain)| *gain);
        best.map(|(shift, _)| shift)
    }

    /// What makes the terminal do it. The pen is plain; the cursor is anywhere afterwards.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (top, bottom) = (self.rows.start + 1, self.rows.end);
        let _ = write!(out, "\x1b[{top};{bottom}r\x1b[{top}H");
        let verb = if self.up > 0 { 'M' } else { 'L' };
        let _ = match self.up.unsigned_abs() {
            1 => write!(out, "\x1b[{verb}"),
            by => write!(out, "\x1b[{by}{verb}"),
        };
        out.extend_from_slice(b"\x1b[r");
    }

    /// Does the same to what the terminal is known to show.
    pub fn apply(&self, shown: &mut Buffer) {
        let width = usize::from(shown.area.width);
        let block = usize::from(self.rows.start) * width..usize::from(self.rows.end) * width;
        let Some(cells) = shown.content.get_mut(block) else { return };
        let by = usize::from(self.up.unsigned_abs()) * width;
        let by = by.min(cells.len());
        if self.up > 0 {
            cells.rotate_left(by);
            let kept = cells.len() - by;
            cells[kept..].fill(Cell::EMPTY);
        } else {
            cells.rotate_right(by);
            cells[..by].fill(Cell::EMPTY);
        }
    }
}

/// What each row reads, as a number; blank rows as 0.
struct Rows {
    shown: Vec<u64>,
    next: Vec<u64>,
}

impl Rows {
    fn stays(&self, y: u16) -> bool {
        self.shown.get(usize::from(y)) == self.next.get(usize::from(y))
    }

    /// The block that moved by so much, and how many rows that saves.
    fn moved(&self, changed: &[u16], up: i16) -> Option<(Shift, usize)> {
        let source = |y: u16| y.checked_add_signed(up).filter(|from| usize::from(*from) < self.shown.len());
        let came = |y: u16| source(y).is_some_and(|from| self.shown[usize::from(from)] == self.next[usize::from(y)]);
        let mut moved = changed.iter().copied().filter(|y| self.next[usize::from(*y)] != 0 && came(*y));
        let first = moved.next()?;
        let last = moved.next_back()?;
        let rows = first.min(source(first)?)..last.max(source(last)?) + 1;
        let as_it_is = rows.clone().filter(|y| !self.stays(*y)).count();
        let inside = |y: u16| source(y).is_some_and(|from| rows.contains(&from));
        let shifted = rows.clone().filter(|y| !(inside(*y) && came(*y))).count();
        let gain = as_it_is.checked_sub(shifted).filter(|gain| *gain >= LEAST)?;
        Some((Shift { rows, up }, gain))
    }
}

fn texts(buffer: &Buffer) -> Vec<u64> {
    let text = |cells: &[Cell]| {
        let blank = cells.iter().rposition(|cell| cell.symbol() != " ").map_or(0, |last| last + 1);
        let bytes = cells[..blank].iter().flat_map(|cell| cell.symbol().bytes());
        bytes.fold(0u64, |sum, byte| (sum.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x517c_c1b7_2722_0a95))
    };
    buffer.content.chunks(usize::from(buffer.area.width).max(1)).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(lines: &[&str]) -> Buffer {
        Buffer::with_lines(lines.iter().copied())
    }

    fn bytes(shift: &Shift) -> String {
        let mut out = Vec::new();
        shift.write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn a_list_that_scrolls_is_moved_by_the_terminal() {
        let before = screen(&["title 1", "a", "b", "c", "d", "keys"]);
        let after = screen(&["title 2", "b", "c", "d", "e", "keys"]);
        let shift = Shift::between(&before, &after).expect("it moved");
        assert_eq!(bytes(&shift), "\x1b[2;5r\x1b[2H\x1b[M\x1b[r");
        let mut shown = before.clone();
        shift.apply(&mut shown);
        assert_eq!(shown, screen(&["title 1", "b", "c", "d", "       ", "keys"]));
        let back = Shift::between(&after, &before).expect("it moved");
        assert_eq!(bytes(&back), "\x1b[2;5r\x1b[2H\x1b[L\x1b[r");
    }

    #[test]
    fn the_line_of_the_cursor_may_differ_and_a_page_may_move_by_many() {
        let line = |n: usize| format!("row {n}");
        let lines: Vec<String> = (0..30).map(line).collect();
        let before = Buffer::with_lines(lines[..20].iter().map(String::as_str));
        let mut after = Buffer::with_lines(lines[7..27].iter().map(String::as_str));
        after.set_string(0, 9, "row 16 *", ratatui::style::Style::new());
        let after =
            Buffer { area: before.area, content: after.content.into_iter().take(before.content.len()).collect() };
        let shift = Shift::between(&before, &after).map(|shift| (shift.rows, shift.up));
        assert_eq!(shift, Some((0..20, 7)));
    }

    #[test]
    fn what_only_changed_is_not_moved() {
        let before = screen(&["a", "b", "c", "d", "e", "f"]);
        for after in [
            screen(&["a", "b", "c", "d", "e", "f"]),
            screen(&["z", "y", "x", "w", "v", "u"]),
            screen(&["a", "c", "b", "d", "e", "f"]),
            screen(&[" ", " ", " ", " ", " ", " "]),
        ] {
            assert_eq!(Shift::between(&before, &after), None, "{after:?}");
        }
    }
}
