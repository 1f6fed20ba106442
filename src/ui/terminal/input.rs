//! Bytes from the terminal to keys. Status replies are taken off the stream before the key parser sees it, since it
//! would drop them. A lone ESC is a key once nothing has followed it for a moment.

use termina::Event as Raw;
use termina::event::{KeyCode as RawCode, KeyEventKind, Modifiers, MouseButton, MouseEventKind};

use super::fence::{Fence, Reply, is_certain, reply};
use crate::config::key::{Key, KeyCode};
use crate::ui::screen::{Mouse, MouseDeed};

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Key(Key),
    Paste(String),
    Mouse(Mouse),
    /// The terminal answered a query that marks the output.
    Acknowledged(Fence),
    /// What the terminal writes on: red, green, blue.
    Background(u8, u8, u8),
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
    deaf: bool,
}

impl Reader {
    /// Takes nothing but the answers to our own queries: what is typed is dropped, and no key is ever made of it.
    pub fn deaf() -> Self {
        Self { deaf: true, ..Self::default() }
    }

    /// Takes bytes in; what they mean comes out in order.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Input> {
        let mut out = Vec::new();
        let mut plain = Vec::with_capacity(bytes.len());
        for byte in bytes {
            self.held.push(*byte);
            let answer = match reply(&self.held) {
                Reply::Begun => continue,
                Reply::Whole(fence) => Some(Input::Acknowledged(fence)),
                Reply::Background(colour) => colour.map(|(red, green, blue)| Input::Background(red, green, blue)),
                Reply::Not => {
                    // What was an answer and was broken off is not typed; what broke it off may be a key.
                    if is_certain(&self.held) {
                        let end = self.held.iter().rposition(|b| *b == 0x1b).filter(|at| *at > 0);
                        self.held.drain(..end.unwrap_or(self.held.len()));
                    }
                    while reply(&self.held) == Reply::Not {
                        plain.push(self.held.remove(0));
                    }
                    continue;
                }
            };
            self.held.clear();
            self.parse(&plain, &mut out);
            plain.clear();
            out.extend(answer);
        }
        self.parse(&plain, &mut out);
        out
    }

    /// Whether something waits for more bytes: after a moment of silence [`Reader::settle`] should be called.
    pub fn is_waiting(&self) -> bool {
        !self.held.is_empty() && !is_certain(&self.held) || self.pending
    }

    /// Nothing followed: what is held is what it is.
    pub fn settle(&mut self) -> Vec<Input> {
        let mut out = Vec::new();
        if self.deaf {
            self.held.clear();
            return out;
        }
        let held = if is_certain(&self.held) { Vec::new() } else { std::mem::take(&mut self.held) };
        self.parser.parse(&held, false);
        self.pending = false;
        self.drain(&mut out);
        out
    }

    fn parse(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        if bytes.is_empty() || self.deaf {
            return;
        }
        self.parser.parse(bytes, true);
        // Without an event the parser holds the beginning of one.
        self.pending = !self.drain(out);
    }

    /// True where there was an event, heeded or not.
    fn drain(&mut self, out: &mut Vec<Input>) -> bool {
        let mut any = false;
        while let Some(event) = self.parser.pop() {
            any = true;
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
                Raw::Mouse(mouse) => {
                    let deed = match mouse.kind {
                        MouseEventKind::Down(MouseButton::Left) => Some(MouseDeed::Press),
                        MouseEventKind::Down(MouseButton::Right) => Some(MouseDeed::PressRight),
                        MouseEventKind::ScrollUp => Some(MouseDeed::WheelUp),
                        MouseEventKind::ScrollDown => Some(MouseDeed::WheelDown),
                        _ => None,
                    };
                    out.extend(deed.map(|deed| Input::Mouse(Mouse { deed, column: mouse.column, row: mouse.row })));
                }
                _ => {}
            }
        }
        any
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
                Input::Background(red, green, blue) => format!("{red:02x}{green:02x}{blue:02x}"),
                Input::Mouse(Mouse { deed, column, row }) => format!("{deed:?} {column},{row}"),
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
    fn the_background_is_taken_off_and_never_typed_however_it_is_torn() {
        assert_eq!(keys(&[b"a\x1b]11;rgb:ffff/eeee/dddd\x1b\\b"]), ["a", "ffeedd", "b"]);
        let mut reader = Reader::default();
        assert!(reader.feed(b"\x1b]11;rgb:ff").is_empty());
        assert!(!reader.is_waiting(), "no key is waited for");
        assert!(reader.settle().is_empty());
        assert_eq!(reader.feed(b"ff/0000/0000\x07"), [Input::Background(255, 0, 0)]);
        assert_eq!(keys(&[b"\x1b]11;?\x1b[A"]), ["Up"], "broken off");
        assert_eq!(keys(&[b"\x1b]11;purple\x07j"]), ["j"]);
    }

    #[test]
    fn a_deaf_reader_hears_answers_and_nothing_else() {
        let mut reader = Reader::deaf();
        let typed: &[u8] = b"q:\x03\x1b[A\x1b[200~:q!\r\x1b[201~\x1b[0nq\x1b]11;rgb:0/0/0\x07\x1b";
        let heard = reader.feed(typed);
        assert_eq!(heard, [Input::Acknowledged(Fence::Status), Input::Background(0, 0, 0)]);
        assert!(reader.settle().is_empty() && !reader.is_waiting());
    }

    #[test]
    fn the_mouse_presses_and_turns_its_wheel_and_never_types() {
        let bytes: &[u8] = b"\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<64;1;2M\x1b[<65;1;2M\x1b[<2;3;4Mx\x1b[<35;7;7M";
        assert_eq!(keys(&[bytes]), ["Press 9,4", "WheelUp 0,1", "WheelDown 0,1", "PressRight 2,3", "x"]);
        for cut in 1..10 {
            assert_eq!(keys(&[&bytes[..cut], &bytes[cut..10]]), ["Press 9,4"], "torn after {cut}");
        }
        assert_eq!(keys(&[b"\x1b[<0;65535;65535M"]), ["Press 65534,65534"]);
    }

    #[test]
    fn a_paste_is_one_text() {
        assert_eq!(keys(&[b"\x1b[200~two\nlines\x1b[201~x"]), ["paste:two\nlines", "x"]);
    }
}
