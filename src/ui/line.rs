//! One line of text while it is typed.

use unicode_segmentation::UnicodeSegmentation;

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
                let start = trimmed.rfind(char::is_whitespace).map_or(0, |i| i + 1);
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
    fn keys_edit_at_the_cursor_by_whole_characters() {
        let mut line = Line::default();
        for c in "naïve e\u{301}".chars() {
            line.key(Key::char(c));
        }
        line.key(Key::plain(KeyCode::Backspace));
        assert_eq!(line.text(), "naïve ");
        line.key(Key::ctrl('w'));
        assert_eq!(line.text(), "");
        line.insert("ab");
        line.key(Key::plain(KeyCode::Left));
        line.key(Key::char('x'));
        assert_eq!((line.text(), line.before()), ("axb", "ax"));
        assert!(!line.key(Key::plain(KeyCode::Enter)));
    }
}
