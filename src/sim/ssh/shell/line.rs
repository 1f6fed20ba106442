//! One line while it is edited, and the lines before it.

use super::keys::Key;
use crate::base::text;

/// Lines that can be had again.
const HISTORY: usize = 100;

#[derive(Debug, Default)]
pub struct Line {
    text: Vec<char>,
    /// Characters before the cursor.
    cursor: usize,
    history: Vec<String>,
    /// Which line of the history is shown, and what was typed before.
    recalled: Option<(usize, Vec<char>)>,
}

impl Line {
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// The whole line; a new one begins.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        self.recalled = None;
        std::mem::take(&mut self.text).into_iter().collect()
    }

    pub fn insert(&mut self, c: char) {
        self.text.insert(self.cursor, c);
        self.cursor += 1;
    }

    /// Keeps a line that was run; the same line twice in a row is kept once.
    pub fn remember(&mut self, line: &str) {
        if self.history.last().is_none_or(|last| last != line) {
            self.history.push(line.to_owned());
        }
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
    }

    /// Carries out an editing key; the others change nothing.
    pub fn edit(&mut self, key: Key) {
        match key {
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            Key::Delete if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Right => self.cursor = (self.cursor + 1).min(self.text.len()),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.text.len(),
            Key::EraseBefore => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            Key::EraseAfter => self.text.truncate(self.cursor),
            Key::EraseWord => {
                let blanks = self.text[..self.cursor].iter().rev().take_while(|c| **c == ' ').count();
                let word = self.text[..self.cursor - blanks].iter().rev().take_while(|c| **c != ' ').count();
                let from = self.cursor - blanks - word;
                self.text.drain(from..self.cursor);
                self.cursor = from;
            }
            Key::Up => self.recall(-1),
            Key::Down => self.recall(1),
            _ => {}
        }
    }

    fn recall(&mut self, step: isize) {
        let now = self.recalled.as_ref().map_or(self.history.len(), |(at, _)| *at);
        let Some(next) = now.checked_add_signed(step).filter(|at| *at <= self.history.len()) else { return };
        if next == now {
            return;
        }
        let (_, typed) = self.recalled.take().unwrap_or_else(|| (now, self.text.clone()));
        if let Some(line) = self.history.get(next) {
            self.text = line.chars().collect();
            self.recalled = Some((next, typed));
        } else {
            self.text = typed;
        }
        self.cursor = self.text.len();
    }

    /// What of the line fits into so many columns with the cursor in it, and how far the cursor stands before its
    /// end, in columns.
    pub fn view(&self, room: usize) -> (String, usize) {
        let width = |part: &[char]| text::width(&part.iter().collect::<String>());
        // From the cursor on: measured from the other end, a long line would be measured once for each of its letters.
        let mut from = self.cursor;
        while from > 0 && width(&self.text[from - 1..self.cursor]) <= room {
            from -= 1;
        }
        let mut to = self.cursor;
        while to < self.text.len() && width(&self.text[from..=to]) <= room {
            to += 1;
        }
        (self.text[from..to].iter().collect(), width(&self.text[self.cursor..to]))
    }
}
