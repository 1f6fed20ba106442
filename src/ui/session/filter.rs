//! What stands between a remote side and the emulator: bounds on everything that a byte stream could grow without
//! end, or make the emulator work for without end. Control strings that a pane has no use for (DCS, APC, PM, SOS, most
//! OSC) never reach the emulator; an OSC that is passed on is whole and short; a base character carries at most eight
//! marks, and only those that follow it directly; a character is repeated for a line at most; what asks for the window
//! of the operator's terminal is dropped. Synchronised updates are noticed here and not held back in the emulator,
//! which would take two megabytes of them in at once.
//!
//! ```text
//!            ESC               ] ──► Osc (kept, ≤ 4 KiB) ──► BEL, ST: passed on, if its number is on the list
//!  Ground ───────► Escape ──► [ ──► Control (kept, ≤ 256) ─► its last byte: passed on, bounded or dropped
//!     ▲               │        P X ^ _ ──► Swallow ────────► ST, CAN, SUB: gone
//!     └───────────────┘ other
//! ```

use unicode_width::UnicodeWidthChar;

/// An OSC longer than this is dropped whole.
const OSC_LIMIT: usize = 4 * 1024;
/// A control sequence longer than this is dropped whole; the emulator itself reads 32 parameters.
const CONTROL_LIMIT: usize = 256;
const MARKS: u8 = 8;
/// OSC numbers that reach the emulator: the title. Colours of the palette are the operator's own.
const PASSED: [&[u8]; 2] = [b"0", b"2"];
/// The private mode of a synchronised update.
const SYNCHRONISED: &[u8] = b"2026";

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

#[derive(Debug)]
pub struct Filter {
    state: State,
    /// The control string or sequence that is being kept.
    kept: Vec<u8>,
    is_too_long: bool,
    /// An unfinished UTF-8 character.
    partial: Vec<u8>,
    /// Marks on the last base character; `None` where no mark may follow.
    marks: Option<u8>,
    /// The most times that a character is repeated.
    columns: u16,
    /// The remote side is in the middle of an update that it wants shown as a whole.
    pub is_synchronised: bool,
}

impl Filter {
    pub fn new(columns: u16) -> Self {
        Self {
            state: State::Ground,
            kept: Vec::new(),
            is_too_long: false,
            partial: Vec::new(),
            marks: None,
            columns,
            is_synchronised: false,
        }
    }

    pub fn resize(&mut self, columns: u16) {
        self.columns = columns;
    }

    /// What may reach the emulator of these bytes.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if self.state == State::Ground && self.partial.is_empty() {
                let plain = rest.iter().position(|b| *b == ESC || *b >= 0x80).unwrap_or(rest.len());
                if plain > 0 {
                    out.extend_from_slice(&rest[..plain]);
                    self.marks = is_base(rest[plain - 1]).then_some(0);
                    rest = &rest[plain..];
                    continue;
                }
            }
            self.take(byte, out);
            rest = after;
        }
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.state {
            State::Ground => self.ground(byte, out),
            State::Escape => self.escape(byte, out),
            State::Control => self.control(byte, out),
            State::Designation => self.designation(byte, out),
            State::Osc => self.osc(byte, out),
            State::OscEscape => {
                self.finish_osc(out);
                self.state = State::Ground;
                // Another escape in the middle ends the string and begins anew.
                if byte != b'\\' {
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

    fn ground(&mut self, byte: u8, out: &mut Vec<u8>) {
        if byte < 0x80 {
            out.append(&mut self.partial);
            if byte == ESC {
                self.state = State::Escape;
                self.marks = None;
                return;
            }
            self.marks = is_base(byte).then_some(0);
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
        self.kept.clear();
        self.is_too_long = false;
        self.state = match byte {
            b']' => State::Osc,
            b'[' => State::Control,
            b'P' | b'X' | b'^' | b'_' => State::Swallow,
            ESC => State::Escape,
            _ => {
                out.extend_from_slice(&[ESC, byte]);
                if byte == b'c' {
                    self.is_synchronised = false;
                }
                if (0x20..0x30).contains(&byte) { State::Designation } else { State::Ground }
            }
        };
    }

    fn designation(&mut self, byte: u8, out: &mut Vec<u8>) {
        if byte == ESC {
            self.state = State::Escape;
            return;
        }
        out.push(byte);
        if (0x30..0x7f).contains(&byte) || matches!(byte, CAN | SUB) {
            self.state = State::Ground;
        }
    }

    /// Keeps a control sequence up to its last byte (ECMA-48 §5.4).
    fn control(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            ESC => self.state = State::Escape,
            CAN | SUB => self.state = State::Ground,
            // Other control characters within are carried out at once, as by any terminal.
            0..0x20 => out.push(byte),
            0x40..0x7f => {
                self.state = State::Ground;
                if !self.is_too_long {
                    self.finish_control(byte, out);
                }
            }
            0x20..0x40 if self.kept.len() < CONTROL_LIMIT => self.kept.push(byte),
            0x20..0x40 => self.is_too_long = true,
            0x7f.. => {}
        }
    }

    fn finish_control(&mut self, last: u8, out: &mut Vec<u8>) {
        match (last, self.kept.first()) {
            // Repeats the last character: eight bytes would be 65,535 of them.
            (b'b', _) => {
                let count = number(&self.kept).map_or(1, |n| n.clamp(1, self.columns));
                out.extend_from_slice(format!("\x1b[{count}b").as_bytes());
                return;
            }
            // Asks about, moves or names the operator's own window.
            (b't', _) => return,
            (b'h' | b'l', Some(b'?')) if self.kept.windows(4).any(|part| part == SYNCHRONISED) => {
                self.take_synchronised(last == b'h');
                if self.kept.len() < 2 {
                    return;
                }
            }
            _ => {}
        }
        out.extend_from_slice(b"\x1b[");
        out.append(&mut self.kept);
        out.push(last);
    }

    /// Takes the mode out of a list of modes.
    fn take_synchronised(&mut self, set: bool) {
        let modes: Vec<&[u8]> = self.kept[1..].split(|b| *b == b';').collect();
        let is_one = |mode: &&[u8]| *mode == SYNCHRONISED;
        if modes.iter().any(is_one) {
            self.is_synchronised = set;
            let rest: Vec<&[u8]> = modes.into_iter().filter(|mode| !is_one(mode)).collect();
            self.kept = [b"?".as_slice(), &rest.join(&b';')].concat();
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
            _ if self.kept.len() >= OSC_LIMIT => self.is_too_long = true,
            _ => self.kept.push(byte),
        }
    }

    fn finish_osc(&mut self, out: &mut Vec<u8>) {
        let number = self.kept.split(|b| *b == b';').next().unwrap_or_default();
        if !self.is_too_long && PASSED.contains(&number) {
            out.extend_from_slice(&[ESC, b']']);
            out.append(&mut self.kept);
            out.push(BEL);
        }
        self.kept.clear();
    }
}

fn is_base(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

/// The first parameter of a sequence; `None` where it is not a number alone or too large for one.
fn number(parameters: &[u8]) -> Option<u16> {
    let first = parameters.split(|b| *b == b';').next().unwrap_or_default();
    let text = std::str::from_utf8(first).ok()?;
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        Some(text.parse().unwrap_or(u16::MAX))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passed(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Filter::new(80).pass(text, &mut out);
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
        let mut filter = Filter::new(80);
        let mut out = Vec::new();
        for start in [&b"\x1b]0;"[..], b"\x1b\\\x1bP"] {
            filter.pass(start, &mut out);
            for _ in 0..1024 {
                filter.pass(&[b'x'; 1024], &mut out);
            }
        }
        assert!(out.len() < 16 && filter.kept.capacity() <= 2 * OSC_LIMIT, "{}", out.len());
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

    #[test]
    fn palettes_windows_and_title_stacks_are_left_alone() {
        for dropped in [
            &b"\x1b]4;1;rgb:ff/00/00\x07"[..],
            b"\x1b]10;?\x07",
            b"\x1b]11;?\x1b\\",
            b"\x1b]12;red\x07",
            b"\x1b]104\x07",
            b"\x1b]50;?\x07",
            b"\x1b[22;0t",
            b"\x1b[23t",
            b"\x1b[21t",
            b"\x1b[14t",
            b"\x1b[8;10;10t",
            b"\x1bP+q544e\x1b\\",
            b"\x1bP0;1|17/ab\x1b\\",
        ] {
            assert_eq!(passed(&[b"a", dropped, b"b"].concat()), b"ab", "{dropped:?}");
        }
    }

    #[test]
    fn a_character_is_repeated_for_one_line_at_most() {
        assert_eq!(passed(b"x\x1b[3b"), b"x\x1b[3b");
        assert_eq!(passed(b"x\x1b[b"), b"x\x1b[1b");
        for flood in ["\x1b[65535b", "\x1b[99999999999b", "\x1b[65535;2b"] {
            assert_eq!(passed(flood.as_bytes()), b"\x1b[80b", "{flood:?}");
        }
    }

    #[test]
    fn a_control_sequence_without_end_is_dropped_whole() {
        let flood = format!("a\x1b[{}mb", "1;".repeat(10_000));
        assert_eq!(passed(flood.as_bytes()), b"ab");
        // A control character within is carried out, and the sequence goes on.
        assert_eq!(passed(b"a\x1b[3\n1mb"), b"a\n\x1b[31mb");
        assert_eq!(passed(b"a\x1b[3\x18b\x1b[3\x1b[1mc"), b"ab\x1b[1mc");
    }

    #[test]
    fn synchronised_updates_are_noticed_and_taken_out() {
        let mut filter = Filter::new(80);
        let mut out = Vec::new();
        filter.pass(b"\x1b[?2026h\x1b[?25;2026lx", &mut out);
        assert!(!filter.is_synchronised);
        filter.pass(b"\x1b[?2026;1049h\x1b[?12026l", &mut out);
        assert!(filter.is_synchronised);
        assert_eq!(out, b"\x1b[?25lx\x1b[?1049h\x1b[?12026l");
        // A reset of the terminal ends it too.
        filter.pass(b"\x1bc", &mut out);
        assert!(!filter.is_synchronised);
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_into_chunks_does_not_matter(
            bytes in proptest::collection::vec(prop_oneof![Just(0x1bu8), Just(b']'), Just(b'\\'), Just(7u8), any::<u8>()], 0..200),
            cut in 0usize..200,
        ) {
            let (mut filter, mut out) = (Filter::new(80), Vec::new());
            let cut = cut.min(bytes.len());
            filter.pass(&bytes[..cut], &mut out);
            filter.pass(&bytes[cut..], &mut out);
            prop_assert_eq!(out, passed(&bytes));
        }
    }
}
