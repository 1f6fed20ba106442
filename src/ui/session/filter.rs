//! What stands between a remote side and the emulator: bounds on everything that a byte stream could grow without
//! end. Control strings that a pane has no use for (DCS, APC, PM, SOS, most OSC) never reach the emulator; an OSC
//! that is passed on is whole and short; a base character carries at most eight marks, and only those that follow
//! it directly.
//!
//! ```text
//!            ESC               ] ──► Osc (kept, ≤ 4 KiB) ──► BEL, ST: passed on, if its number is on the list
//!  Ground ───────► Escape ──► P X ^ _ ──► Swallow ─────────► ST, CAN, SUB: gone
//!     ▲               │ other
//!     └───────────────┘
//! ```

use unicode_width::UnicodeWidthChar;

/// An OSC longer than this is dropped whole.
const OSC_LIMIT: usize = 4 * 1024;
const MARKS: u8 = 8;
/// OSC numbers that reach the emulator: title, palette and the default colours.
const PASSED: [&[u8]; 11] = [b"0", b"2", b"4", b"10", b"11", b"12", b"104", b"110", b"111", b"112", b"1"];

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// After `ESC [`.
    Control,
    /// After `ESC (` and its like.
    Designation,
    Osc,
    OscEscape,
    Swallow,
    SwallowEscape,
}

#[derive(Debug, Default)]
pub struct Filter {
    state: State,
    osc: Vec<u8>,
    osc_is_too_long: bool,
    /// An unfinished UTF-8 character.
    partial: Vec<u8>,
    /// Marks on the last base character; `None` where no mark may follow.
    marks: Option<u8>,
}

impl Filter {
    /// What may reach the emulator of these bytes.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            match self.state {
                State::Ground => self.ground(byte, out),
                State::Escape => self.escape(byte, out),
                State::Control => self.sequence(byte, 0x40, out),
                State::Designation => self.sequence(byte, 0x30, out),
                State::Osc => self.osc(byte, out),
                State::OscEscape => {
                    if byte == b'\\' {
                        self.finish_osc(out);
                        self.state = State::Ground;
                    } else {
                        // An escape in the middle ends the string and begins anew.
                        self.finish_osc(out);
                        self.escape(byte, out);
                    }
                }
                State::Swallow => match byte {
                    ESC => self.state = State::SwallowEscape,
                    CAN | SUB => self.state = State::Ground,
                    _ => {}
                },
                State::SwallowEscape => {
                    if byte == b'\\' {
                        self.state = State::Ground;
                    } else {
                        self.escape(byte, out);
                    }
                }
            }
        }
    }

    fn ground(&mut self, byte: u8, out: &mut Vec<u8>) {
        if byte < 0x80 {
            out.append(&mut self.partial);
            if byte == ESC {
                self.state = State::Escape;
                self.marks = None;
                return;
            }
            self.marks = (byte >= 0x20 && byte != 0x7f).then_some(0);
            out.push(byte);
            return;
        }
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                let c = text.chars().next().unwrap_or('\u{fffd}');
                if self.may_print(c) {
                    out.extend_from_slice(&self.partial);
                }
                self.partial.clear();
            }
            Err(error) if error.error_len().is_none() && self.partial.len() < 4 => {}
            Err(_) => {
                self.marks = Some(0);
                // The last byte may begin a new character; what is before it is shown as broken.
                let last = self.partial.pop().unwrap_or_default();
                if self.partial.is_empty() {
                    out.push(last);
                } else {
                    out.append(&mut self.partial);
                    self.ground(last, out);
                }
            }
        }
    }

    fn may_print(&mut self, c: char) -> bool {
        if c.width() != Some(0) {
            self.marks = (!c.is_control()).then_some(0);
            return true;
        }
        match &mut self.marks {
            Some(marks) if *marks < MARKS => {
                *marks += 1;
                true
            }
            _ => false,
        }
    }

    fn escape(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.state = match byte {
            b']' => {
                self.osc.clear();
                self.osc_is_too_long = false;
                State::Osc
            }
            b'P' | b'X' | b'^' | b'_' => State::Swallow,
            ESC => State::Escape,
            _ => {
                out.extend_from_slice(&[ESC, byte]);
                match byte {
                    b'[' => State::Control,
                    0x20..0x30 => State::Designation,
                    _ => State::Ground,
                }
            }
        };
    }

    /// Passes a sequence on up to its last byte, which is any from `first_last` on.
    fn sequence(&mut self, byte: u8, first_last: u8, out: &mut Vec<u8>) {
        if byte == ESC {
            self.state = State::Escape;
            return;
        }
        out.push(byte);
        if (first_last..0x7f).contains(&byte) || matches!(byte, CAN | SUB) {
            self.state = State::Ground;
        }
    }

    fn osc(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            BEL => {
                self.finish_osc(out);
                self.state = State::Ground;
            }
            ESC => self.state = State::OscEscape,
            CAN | SUB => self.state = State::Ground,
            _ if self.osc.len() >= OSC_LIMIT => self.osc_is_too_long = true,
            _ => self.osc.push(byte),
        }
    }

    fn finish_osc(&mut self, out: &mut Vec<u8>) {
        let number = self.osc.split(|b| *b == b';').next().unwrap_or_default();
        if !self.osc_is_too_long && PASSED.contains(&number) {
            out.extend_from_slice(&[ESC, b']']);
            out.append(&mut self.osc);
            out.push(BEL);
        }
        self.osc.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passed(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Filter::default().pass(text, &mut out);
        out
    }

    #[test]
    fn text_colours_and_cursor_moves_pass_unchanged() {
        let text = "plain \x1b[1;31mred\x1b[0m\r\n\x1b[2J\x1b(0lqk\x1b(B über 日本 e\u{301}".as_bytes();
        assert_eq!(passed(text), text);
    }

    #[test]
    fn a_title_passes_and_the_clipboard_links_and_unknown_strings_do_not() {
        assert_eq!(passed(b"a\x1b]0;title\x07b"), b"a\x1b]0;title\x07b");
        assert_eq!(passed(b"a\x1b]2;title\x1b\\b"), b"a\x1b]2;title\x07b");
        for dropped in [
            &b"\x1b]52;c;AAAA\x07"[..],
            b"\x1b]8;;http://x\x1b\\",
            b"\x1bP$qm\x1b\\",
            b"\x1b_Gf=100;AAAA\x1b\\",
            b"\x1b^x\x1b\\",
            b"\x1bXx\x18",
            b"\x1b]777;notify;a;b\x07",
        ] {
            assert_eq!(passed(&[b"a", dropped, b"b"].concat()), b"ab", "{dropped:?}");
        }
    }

    #[test]
    fn a_string_that_never_ends_takes_no_memory_and_an_endless_title_is_dropped() {
        let mut filter = Filter::default();
        let mut out = Vec::new();
        for start in [&b"\x1b]0;"[..], b"\x1b\\\x1bP"] {
            filter.pass(start, &mut out);
            for _ in 0..1024 {
                filter.pass(&[b'x'; 1024], &mut out);
            }
        }
        assert!(out.len() < 16 && filter.osc.capacity() <= 2 * OSC_LIMIT, "{}", out.len());
        filter.pass(b"\x1b\\on", &mut out);
        assert!(out.ends_with(b"on"));
    }

    #[test]
    fn eight_marks_stay_and_none_that_comes_after_a_move() {
        let flood = format!("e{}", "\u{301}".repeat(1000));
        assert_eq!(String::from_utf8(passed(flood.as_bytes())).unwrap().chars().count(), 9);
        let moved = format!("e\x1b[D\x1b[C{}", "\u{301}".repeat(5));
        assert_eq!(passed(moved.as_bytes()), b"e\x1b[D\x1b[C");
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_into_chunks_does_not_matter(
            bytes in proptest::collection::vec(prop_oneof![Just(0x1bu8), Just(b']'), Just(b'\\'), Just(7u8), any::<u8>()], 0..200),
            cut in 0usize..200,
        ) {
            let (mut filter, mut out) = (Filter::default(), Vec::new());
            let cut = cut.min(bytes.len());
            filter.pass(&bytes[..cut], &mut out);
            filter.pass(&bytes[cut..], &mut out);
            prop_assert_eq!(out, passed(&bytes));
        }
    }
}
