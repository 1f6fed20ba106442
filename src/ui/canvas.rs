//! Writing into a row: left to right, right-aligned from the end, never beyond, everything cleaned and cut with a mark.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::look::Look;
use crate::base::text;
use crate::config::theme::Meaning;

/// One row of the screen while it is written.
#[derive(Debug)]
pub struct Row<'a> {
    buffer: &'a mut Buffer,
    look: &'a Look,
    y: u16,
    x: u16,
    end: u16,
}

impl<'a> Row<'a> {
    /// The row `y` of an area, from its left edge.
    pub fn new(buffer: &'a mut Buffer, look: &'a Look, area: Rect, y: u16) -> Self {
        let visible = area.intersection(buffer.area);
        let (x, end) = (visible.x, visible.right());
        let end = if y < visible.bottom() && y >= visible.y { end } else { x };
        Self { buffer, look, y, x, end }
    }

    /// Columns that are left.
    pub fn room(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }

    /// The column that is written next.
    pub fn column(&self) -> u16 {
        self.x
    }

    /// The column behind the last that can be written.
    pub fn end_column(&self) -> u16 {
        self.end
    }

    /// Writes a text, cut to what is left.
    pub fn put(&mut self, words: &str, style: Style) -> &mut Self {
        let room = self.room();
        self.put_fitted(words, room, style)
    }

    /// Writes a text into exactly `width` columns, or what is left of them.
    pub fn cell(&mut self, words: &str, width: usize, style: Style) -> &mut Self {
        let width = width.min(self.room());
        let x = self.x;
        self.put_fitted(words, width, style);
        self.x = x + width as u16;
        self
    }

    /// As [`Row::cell`], cut in the middle: for names whose end tells them apart.
    pub fn name(&mut self, words: &str, width: usize, style: Style) -> &mut Self {
        let width = width.min(self.room());
        let safe = text::clean(words);
        let fitted = text::fit_middle(&safe, width);
        self.cell(&fitted, width, style)
    }

    /// Right-aligned in `width` columns.
    pub fn right(&mut self, words: &str, width: usize, style: Style) -> &mut Self {
        let width = width.min(self.room());
        let safe = self.fitted(words, width);
        self.gap(width - text::width(&safe).min(width));
        self.put_fitted(&safe, width, style)
    }

    /// Right-aligned at the end of the row; what is written later cannot reach it.
    pub fn end(&mut self, words: &str, style: Style) -> &mut Self {
        let safe = self.fitted(words, self.room());
        let width = text::width(&safe) as u16;
        let x = self.end - width;
        // In themes without colours a style is a line or a reverse, in others it may be a block: a gap has none of them.
        let blanks = safe.len() - safe.trim_start_matches(' ').len();
        let mut quiet = style.remove_modifier(Modifier::UNDERLINED);
        if blanks == safe.len() {
            quiet = quiet.remove_modifier(Modifier::REVERSED);
            quiet.bg = None;
        }
        self.set(x, &safe[..blanks], quiet);
        self.set(x + blanks as u16, &safe[blanks..], style);
        self.end = x;
        self
    }

    pub fn gap(&mut self, columns: usize) -> &mut Self {
        self.x = (self.x + columns.min(self.room()) as u16).min(self.end);
        self
    }

    /// Fills what is left with one character.
    pub fn fill(&mut self, symbol: &str, style: Style) {
        while self.x < self.end {
            self.set(self.x, symbol, style);
            self.x += 1;
        }
    }

    fn put_fitted(&mut self, words: &str, width: usize, style: Style) -> &mut Self {
        let plain = words.bytes().all(|b| (0x20..0x7f).contains(&b)) && words.len() <= width;
        let fitted = if plain { words.to_owned() } else { self.fitted(words, width) };
        let x = self.x;
        self.set(x, &fitted, style);
        self.x = (x + text::width(&fitted) as u16).min(self.end);
        self
    }

    /// Made safe first, then fit for the terminal's letters, then cut: each of these may add letters of its own.
    fn fitted(&self, words: &str, width: usize) -> String {
        let cut = text::fit(&self.look.text(&text::clean(words)), width);
        if self.look.unicode { cut } else { cut.replace('…', self.look.ellipsis()) }
    }

    fn set(&mut self, x: u16, words: &str, style: Style) {
        if x < self.end && self.y < self.buffer.area.bottom() {
            let room = usize::from(self.end - x);
            self.buffer.set_stringn(x, self.y, words, room, style);
        }
    }
}

/// A titled rule: `── TITLE ───── honesty ──`.
pub fn rule(buffer: &mut Buffer, look: &Look, area: Rect, title: &str, honesty: &str, styles: (Style, Style, Style)) {
    let (line, head, note) = styles;
    let mut row = Row::new(buffer, look, area, area.y);
    let dash = look.rule();
    row.put(dash, line).put(dash, line).gap(1).put(title, head).gap(1);
    // The honesty gives way before the title does.
    if !honesty.is_empty() && row.room() > 8 {
        let shown = fit_parts(look, honesty, row.room() - 6);
        row.end(dash, line).end(dash, line).end(" ", line).end(&shown, note).end(" ", line);
    }
    row.fill(dash, line);
}

/// As many whole parts of a note as fit, and the mark where there are more: `2 critical · 1 warning…`. Half a part says less.
pub fn fit_parts(look: &Look, words: &str, columns: usize) -> String {
    if text::width(words) <= columns {
        return words.to_owned();
    }
    let ends = words.match_indices(look.separator()).map(|(at, _)| &words[..at]);
    match ends.take_while(|part| text::width(part) < columns).last() {
        Some(whole) => format!("{whole}{}", look.ellipsis()),
        None => text::fit(words, columns),
    }
}

/// Marks a row as selected: a bar at its left edge, which is kept free for it, and a style under what stands there.
pub fn mark(buffer: &mut Buffer, look: &Look, area: Rect, y: u16, style: Style) {
    paint(buffer, area, y, style);
    Row::new(buffer, look, area, y).put(look.marker(), look.style(Meaning::Accent).patch(style));
}

/// Lays a style over a whole row, under what stands there. Reverse video takes the colours of its letters for blocks: it is laid
/// in one piece.
pub fn paint(buffer: &mut Buffer, area: Rect, y: u16, style: Style) {
    let is_reversed = style.add_modifier.contains(Modifier::REVERSED);
    let style = if is_reversed && style.fg.is_none() { style.fg(Color::Reset) } else { style };
    // Dim letters on a bright block are hardly read.
    let style = if is_reversed { style.remove_modifier(Modifier::DIM) } else { style };
    let row = Rect::new(area.x, y, area.width, 1).intersection(buffer.area);
    buffer.set_style(row, style);
}
