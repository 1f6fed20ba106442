//! Bytes from the terminal to keys. Status replies are taken off the stream before the key parser sees it, since it
//! would drop them. A lone ESC is a key once nothing has followed it for a moment.

use termina::Event as Raw;
use termina::event::{KeyCode as RawCode, KeyEventKind, Modifiers};

use super::fence::{Fence, Reply, reply};
use crate::config::key::{Key, KeyCode};

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Key(Key),
    Paste(String),
    /// The terminal answered a query that marks the output.
    Acknowledged(Fence),
}

/// A paste beyond this is cut.
const PASTE_LIMIT: usize = 1024 * 1024;

#[derive(Debug, Default)]
pub struct Reader {
    parser: termina::Parser,
    /// The beginning of what may become a reply.
    held: Vec<u8>,
    /// The parser may be in the middle of a sequence.
    pending: bool,
}

impl Reader {
    /// Takes bytes in; what they mean comes out in order.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Input> {
        let mut out = Vec::new();
        let mut plain = Vec::with_capacity(bytes.len());
        for byte in bytes {
            self.held.push(*byte);
            if let Reply::Whole(fence) = reply(&self.held) {
                self.held.clear();
                self.parse(&plain, &mut out);
                plain.clear();
                out.push(Input::Acknowledged(fence));
                continue;
            }
            while reply(&self.held) == Reply::Not {
                plain.push(self.held.remove(0));
            }
        }
        self.parse(&plain, &mut out);
        out
    }

    /// Whether something waits for more bytes: after a moment of silence [`Reader::settle`] should be called.
    pub fn is_waiting(&self) -> bool {
        !self.held.is_empty() || self.pending
    }

    /// Nothing followed: what is held is what it is.
    pub fn settle(&mut self) -> Vec<Input> {
        let mut out = Vec::new();
        let held = std::mem::take(&mut self.held);
        self.parser.parse(&held, false);
        self.pending = false;
        self.drain(&mut out);
        out
    }

    fn parse(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        if bytes.is_empty() {
            return;
        }
        self.parser.parse(bytes, true);
        let before = out.len();
        self.drain(out);
        // Without an event the parser holds the beginning of one.
        self.pending = out.len() == before;
    }

    fn drain(&mut self, out: &mut Vec<Input>) {
        while let Some(event) = self.parser.pop() {
            match event {
                Raw::Key(key) if key.kind != KeyEventKind::Release => {
                    out.extend(convert(key.code, key.modifiers).map(Input::Key));
                }
                Raw::Paste(text) => {
                    let mut text = text;
                    let mut end = PASTE_LIMIT.min(text.len());
                    while !text.is_char_boundary(end) {
                        end -= 1;
                    }
                    text.truncate(end);
                    out.push(Input::Paste(text));
                }
                _ => {}
            }
        }
    }
}

fn convert(code: RawCode, modifiers: Modifiers) -> Option<Key> {
    let mut shift = modifiers.contains(Modifiers::SHIFT);
    let code = match code {
        RawCode::Char(c) => {
            shift = false;
            // The parser names the bytes 1c to 1f by the digits of old terminals.
            let legacy = if modifiers.contains(Modifiers::CONTROL) { c } else { ' ' };
            KeyCode::Char(match legacy {
                '4' => '\\',
                '5' => ']',
                '6' => '^',
                '7' => '_',
                _ => c,
            })
        }
        RawCode::Enter => KeyCode::Enter,
        RawCode::Backspace => KeyCode::Backspace,
        RawCode::Tab => KeyCode::Tab,
        RawCode::BackTab => {
            shift = true;
            KeyCode::Tab
        }
        RawCode::Escape => KeyCode::Escape,
        RawCode::Left => KeyCode::Left,
        RawCode::Right => KeyCode::Right,
        RawCode::Up => KeyCode::Up,
        RawCode::Down => KeyCode::Down,
        RawCode::Home => KeyCode::Home,
        RawCode::End => KeyCode::End,
        RawCode::PageUp => KeyCode::PageUp,
        RawCode::PageDown => KeyCode::PageDown,
        RawCode::Delete => KeyCode::Delete,
        RawCode::Insert => KeyCode::Insert,
        RawCode::Function(n) => KeyCode::Function(n),
        _ => return None,
    };
    Some(Key { code, ctrl: modifiers.contains(Modifiers::CONTROL), alt: modifiers.contains(Modifiers::ALT), shift })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(chunks: &[&[u8]]) -> Vec<String> {
        let mut reader = Reader::default();
        let mut out: Vec<Input> = chunks.iter().flat_map(|c| reader.feed(c)).collect();
        if reader.is_waiting() {
            out.extend(reader.settle());
        }
        out.iter()
            .map(|i| match i {
                Input::Key(key) => key.to_string(),
                Input::Paste(text) => format!("paste:{text}"),
                Input::Acknowledged(fence) => format!("{fence:?}"),
            })
            .collect()
    }

    #[test]
    fn keys_come_out_as_the_keymap_names_them() {
        let bytes: &[u8] = b"jG\x10\x1b[A\x1b[Z\r\x1bOP\x1b[5~\x1bx\x7f\x1c";
        assert_eq!(
            keys(&[bytes]),
            ["j", "G", "Ctrl+P", "Up", "Shift+Tab", "Enter", "F1", "PageUp", "Alt+x", "Backspace", "Ctrl+\\"]
        );
    }

    #[test]
    fn replies_are_taken_off_even_in_pieces_and_between_keys() {
        assert_eq!(keys(&[b"a\x1b[0nb"]), ["a", "Status", "b"]);
        assert_eq!(keys(&[b"\x1b", b"[0", b"n\x1b[B"]), ["Status", "Down"]);
        assert_eq!(keys(&[b"\x1b[0n\x1b[40;1Rx\x1b[?2026;2$y"]), ["Status", "Cursor", "x", "Mode"]);
        // Shift+F3, which the parser takes for a report, is no reply either.
        assert_eq!(keys(&[b"\x1b[1;5C\x1b[1;2R\x1b[24;", b"1R\x1b[5~"]), ["Ctrl+Right", "Cursor", "PageUp"]);
    }

    #[test]
    fn a_lone_escape_is_a_key() {
        assert_eq!(keys(&[b"\x1b"]), ["Esc"]);
        assert_eq!(keys(&[b"\x1b", b"[A"]), ["Up"]);
    }

    #[test]
    fn a_paste_is_one_text() {
        assert_eq!(keys(&[b"\x1b[200~two\nlines\x1b[201~x"]), ["paste:two\nlines", "x"]);
    }
}
