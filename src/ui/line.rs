//! One line of text while it is typed.

use unicode_segmentation::UnicodeSegmentation;

use crate::base::text;
use crate::config::key::{Key, KeyCode};

/// The most bytes one line takes.
const LIMIT: usize = 64 * 1024;

#[derive(Clone, Debug, Default)]
pub struct Line {
    text: String,
    /// Bytes before the cursor.
    cursor: usize,
}

impl Line {
    pub fn with(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor, for its column.
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// What of it stands in so many columns, and the column of the cursor there. What is left out at an end has the mark.
    pub fn window(&self, columns: usize, mark: &str) -> (String, usize) {
        let safe = text::clean(&self.text);
        let at = text::width(&text::clean(self.before()));
        // The cursor has a column of its own behind the last letter.
        if text::width(&safe) < columns || columns < 4 {
            return (safe, at.min(columns.saturating_sub(1)));
        }
        let left = (at + 1 + text::width(mark)).saturating_sub(columns);
        let mut shown = String::new();
        let mut column = 0;
        for letter in safe.graphemes(true) {
            if column >= left {
                shown.push_str(letter);
            }
            column += text::width(letter);
        }
        let skipped = text::width(&safe) - text::width(&shown);
        let (begin, at) = if left > 0 { (mark, at - skipped + text::width(mark)) } else { ("", at) };
        let room = columns - text::width(begin);
        let shown = if text::width(&shown) < room { shown } else { text::fit(&shown, room) };
        (format!("{begin}{shown}"), at.min(columns - 1))
    }

    /// The text in rows of so many columns, broken behind blanks, nothing left out; and where the cursor is: row and column.
    pub fn folded(&self, columns: usize) -> (Vec<String>, (usize, usize)) {
        let (safe, before) = (text::clean(&self.text), text::clean(self.before()));
        let mut rows = vec![String::new()];
        let mut used = 0;
        for piece in safe.split_inclusive(' ') {
            if used > 0 && used + text::width(piece.trim_end()) > columns {
                rows.push(String::new());
                used = 0;
            }
            for letter in piece.graphemes(true) {
                let width = text::width(letter);
                // A blank may hang over the edge.
                if used > 0 && used + width > columns && letter != " " {
                    rows.push(String::new());
                    used = 0;
                }
                if let Some(row) = rows.last_mut() {
                    row.push_str(letter);
                }
                used += width;
            }
        }
        let mut left = before.len();
        let last = rows.len() - 1;
        for (at, row) in rows.iter().enumerate() {
            // At a break it stands where the next letter will be.
            if left < row.len() || at == last {
                let column = text::width(row.get(..left.min(row.len())).unwrap_or(row));
                return (rows, (at, column.min(columns)));
            }
            left -= row.len();
        }
        (rows, (last, 0))
    }

    pub fn insert(&mut self, text: &str) {
        if self.text.len() + text.len() <= LIMIT {
            self.text.insert_str(self.cursor, text);
            self.cursor += text.len();
        }
    }

    /// Takes a key that edits; false where it is none.
    pub fn key(&mut self, key: Key) -> bool {
        match key {
            Key { code: KeyCode::Char('u'), ctrl: true, .. } => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            Key { code: KeyCode::Char('w'), ctrl: true, .. } => {
                let trimmed = self.text[..self.cursor].trim_end();
                let start = trimmed.trim_end_matches(|c: char| !c.is_whitespace()).len();
                self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            Key { code: KeyCode::Char('a'), ctrl: true, .. } | Key { code: KeyCode::Home, .. } => self.cursor = 0,
            Key { code: KeyCode::Char('e'), ctrl: true, .. } | Key { code: KeyCode::End, .. } => {
                self.cursor = self.text.len();
            }
            Key { code: KeyCode::Backspace, .. } => {
                let start = self.previous();
                self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            Key { code: KeyCode::Delete, .. } => {
                let end = self.next();
                self.text.drain(self.cursor..end);
            }
            Key { code: KeyCode::Left, .. } => self.cursor = self.previous(),
            Key { code: KeyCode::Right, .. } => self.cursor = self.next(),
            Key { code: KeyCode::Char(c), ctrl: false, alt: false, .. } => self.insert(c.encode_utf8(&mut [0; 4])),
            _ => return false,
        }
        true
    }

    fn previous(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(i, _)| i)
    }

    fn next(&self) -> usize {
        self.text[self.cursor..].graphemes(true).next().map_or(self.text.len(), |g| self.cursor + g.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_shown_where_the_cursor_is_with_marks_where_it_goes_on() {
        let mut line = Line::with("0123456789abcdef");
        assert_eq!(line.window(40, "…"), ("0123456789abcdef".to_owned(), 16));
        let (shown, at) = line.window(10, "…");
        assert_eq!((text::width(&shown), at), (9, 9), "{shown}");
        assert!(shown.starts_with('…') && shown.ends_with("def"), "{shown}");
        for _ in 0..16 {
            line.key(Key::plain(KeyCode::Left));
        }
        assert_eq!(line.window(10, "…"), ("012345678…".to_owned(), 0));
    }

    #[test]
    fn a_text_is_folded_behind_blanks_and_nothing_of_it_is_left_out() {
        let mut line = Line::with("one two three fourfivesix");
        let (rows, at) = line.folded(8);
        assert_eq!(rows, ["one two ", "three ", "fourfive", "six"]);
        assert_eq!(at, (3, 3));
        for _ in 0..12 {
            line.key(Key::plain(KeyCode::Left));
        }
        assert_eq!(line.folded(8).1, (1, 5));
        for columns in 1..30 {
            assert_eq!(line.folded(columns).0.concat(), line.text(), "{columns}");
        }
        assert_eq!(Line::default().folded(8), (vec![String::new()], (0, 0)));
    }

    #[test]
    fn keys_edit_at_the_cursor_by_whole_characters() {
        let mut line = Line::default();
        for c in "naïve e\u{301}".chars() {
            line.key(Key::char(c));
        }
        line.key(Key::plain(KeyCode::Backspace));
        assert_eq!(line.text(), "naïve ");
        line.key(Key::ctrl('w'));
        assert_eq!(line.text(), "");
        let mut wide = Line::with("one\u{a0}two");
        wide.key(Key::ctrl('w'));
        assert_eq!(wide.text(), "one\u{a0}", "a blank may be more than a byte");
        line.insert("ab");
        line.key(Key::plain(KeyCode::Left));
        line.key(Key::char('x'));
        assert_eq!((line.text(), line.before()), ("axb", "ax"));
        assert!(!line.key(Key::plain(KeyCode::Enter)));
    }
}
