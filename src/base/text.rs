//! Text that came from elsewhere. [`Untrusted`] keeps the original bytes, bounded, and has no
//! `Display`: whoever wants to show it picks an encoder, and every encoder shows control bytes,
//! escapes, bidi overrides and zero-width characters visibly instead of passing them on, and names letters that
//! pass for others.
//!
//! Identity and equality use the original bytes, so that look-alikes stay different.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation;

use super::characters::{is_hidden, is_mark};
use super::lookalike;

/// The most bytes of one foreign text that are kept. More is cut, and the cut is remembered.
pub const LIMIT: usize = 4096;

/// At most this many combining marks follow one base character on the way out.
const MARKS_PER_BASE: usize = 8;

/// How many texts are kept to be shared, and how long they may be. Of two that claim one place the later has it.
const COMMON_TEXTS: usize = 4096;
const LONGEST_COMMON: usize = 64;

thread_local! {
    static COMMON: RefCell<Vec<Untrusted>> = const { RefCell::new(Vec::new()) };
}

/// Bytes from a device, a banner, a job name or another person, not yet fit to be shown. Two words: there are millions of them.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Untrusted {
    /// The bytes, and after them whether something was cut off; nothing at all for a text that is empty.
    kept: Arc<[u8]>,
}

impl Untrusted {
    /// Keeps the first [`LIMIT`] bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self::bounded(bytes.as_ref(), LIMIT)
    }

    /// Keeps the first `limit` bytes, or a little less: no character is cut in two.
    pub fn bounded(bytes: &[u8], limit: usize) -> Self {
        let is_inside = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
        let mut end = bytes.len().min(limit);
        let begin = (end.saturating_sub(3)..end).rev().find(|at| !is_inside(*at));
        if let Some(begin) = begin.filter(|_| is_inside(end)) {
            end = begin;
        }
        Self::as_kept(&bytes[..end], bytes.len() > limit)
    }

    /// For texts that thousands of devices have in common, as the names of their ports: those that came lately are shared.
    pub fn common(bytes: &[u8]) -> Self {
        if bytes.is_empty() || bytes.len() > LONGEST_COMMON {
            return Self::new(bytes);
        }
        COMMON.with_borrow_mut(|common| {
            if common.is_empty() {
                common.resize(COMMON_TEXTS, Self::default());
            }
            let place = &mut common[fnv1a(bytes) as usize % COMMON_TEXTS];
            if place.as_bytes() != bytes || place.is_cut() {
                *place = Self::new(bytes);
            }
            place.clone()
        })
    }

    /// What another process has kept, where it may have cut something off already.
    pub fn as_kept(bytes: &[u8], cut: bool) -> Self {
        if bytes.is_empty() && !cut {
            return Self::default();
        }
        Self { kept: bytes.iter().copied().chain([u8::from(cut)]).collect() }
    }

    /// The original bytes, for identity, hashing and storage; never for output.
    pub fn as_bytes(&self) -> &[u8] {
        self.kept.split_last().map_or(&[], |(_, bytes)| bytes)
    }

    /// With something else behind it, foreign or not, and a dot between the two.
    #[must_use]
    pub fn beside(&self, more: impl AsRef<[u8]>) -> Self {
        let dot: &[u8] = if self.is_empty() { b"" } else { " · ".as_bytes() };
        Self::new([self.as_bytes(), dot, more.as_ref()].concat())
    }

    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Whether something was cut off at the limit.
    pub fn is_cut(&self) -> bool {
        self.kept.last() == Some(&1)
    }

    /// One line that is safe in a terminal cell, a log or a title: everything that would move the
    /// cursor, hide or reorder is written out (`\x1b`, `<U+202E>`, `␊`).
    pub fn line(&self) -> String {
        let mut out = String::with_capacity(self.kept.len());
        encode_line(self.as_bytes(), &mut out);
        if self.is_cut() {
            out.push('…');
        }
        out
    }

    /// Like [`Untrusted::line`], but keeps line breaks: one safe string per line.
    pub fn lines(&self) -> Vec<String> {
        self.as_bytes()
            .split(|b| *b == b'\n')
            .map(|line| {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let mut out = String::with_capacity(line.len());
                encode_line(line, &mut out);
                out
            })
            .collect()
    }

    /// The decoded text for JSON, where the encoder of JSON escapes what needs it. Bytes that are
    /// not UTF-8 come as `hex:` and two digits each, so that nothing is silently replaced.
    pub fn json_text(&self) -> String {
        std::str::from_utf8(self.as_bytes()).map_or_else(|_| hex(self.as_bytes()), str::to_owned)
    }

    /// A file name component made of it: letters, digits, `-`, `_`, `.`; never empty, never hidden,
    /// never longer than 64, and followed by a hash of the original so that two never collide.
    pub fn file_name(&self) -> String {
        let mut slug: String = String::from_utf8_lossy(self.as_bytes())
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c.to_ascii_lowercase() } else { '-' })
            .take(48)
            .collect();
        while slug.contains("--") {
            slug = slug.replace("--", "-");
        }
        let slug = slug.trim_matches('-');
        let slug = if slug.is_empty() { "unnamed" } else { slug };
        format!("{slug}-{:08x}", fnv1a(self.as_bytes()))
    }
}

impl Ord for Untrusted {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.as_bytes(), self.is_cut()).cmp(&(other.as_bytes(), other.is_cut()))
    }
}

impl PartialOrd for Untrusted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::new(text.as_bytes())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({:?})", self.line())
    }
}

/// Foreign text in one safe line; see [`Untrusted::line`].
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode_line(text.as_bytes(), &mut out);
    out
}

/// Whether [`clean`] would leave the text as it is, cheaply decided for plain ASCII.
pub fn is_clean(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b)) || clean(text) == text
}

/// A JSON document with everything in it that a terminal would obey, hide or reorder written as an escape of JSON: the same
/// document for whoever reads it. Line breaks between its values stay.
pub fn escape_json(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        if (c.is_control() && c != '\n') || is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(4 + bytes.len() * 2);
    out.push_str("hex:");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn encode_line(bytes: &[u8], out: &mut String) {
    if bytes.iter().all(|b| (0x20..0x7f).contains(b)) {
        // Plain ASCII is the common case and is its own encoding.
        out.push_str(std::str::from_utf8(bytes).unwrap_or_default());
        return;
    }
    let begin = out.len();
    let mut marks = 0;
    let mut has_base = false;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_mark(c) {
                marks += 1;
                if has_base && marks <= MARKS_PER_BASE {
                    out.push(c);
                } else if !has_base || marks == MARKS_PER_BASE + 1 {
                    let _ = write!(out, "<U+{:04X}>", u32::from(c));
                }
                continue;
            }
            marks = 0;
            if !has_base && joins(c) {
                let _ = write!(out, "<U+{:04X}>", u32::from(c));
                continue;
            }
            has_base = push_visible(c, out);
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
            has_base = false;
        }
    }
    // Last, in the words as they are shown: what is named once stays so.
    for at in lookalike::impostors(&out[begin..]).into_iter().rev() {
        let at = begin + at;
        if let Some(c) = out[at..].chars().next() {
            out.replace_range(at..at + c.len_utf8(), &format!("<U+{:04X}>", u32::from(c)));
        }
    }
}

/// Whether a character that has columns of its own is shown as a part of what stands before it, as vowel signs of Indian scripts are: where
/// nothing does, some terminals put it on what another text ended with.
fn joins(c: char) -> bool {
    !c.is_ascii() && [' ', c].iter().collect::<String>().graphemes(true).count() == 1
}

/// Pushes the character or its visible form; true where it went through and can carry marks.
fn push_visible(c: char, out: &mut String) -> bool {
    match c {
        '\n' => out.push('␊'),
        '\r' => out.push('␍'),
        '\t' => out.push('␉'),
        '\0' => out.push('␀'),
        '\u{1}'..='\u{1f}' | '\u{7f}' => {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        }
        '\u{80}'..='\u{9f}' => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        c if is_hidden(c) => {
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        }
        c => {
            out.push(c);
            return true;
        }
    }
    false
}

/// Columns that a clean string takes in the terminal.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { unicode_width::UnicodeWidthStr::width(text) }
}

/// Cuts a clean string to `columns`, with `…` where something was cut.
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let w = width(grapheme);
        if used + w > columns - 1 {
            break;
        }
        out.push_str(grapheme);
        used += w;
    }
    // A separator with nothing behind it tells nothing.
    out.truncate(out.trim_end_matches([' ', '·']).len());
    out.push('…');
    out
}

/// Breaks a clean string into lines of at most `columns`, at blanks where there are any.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut out = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let room = columns.saturating_sub(width(&line) + usize::from(!line.is_empty()));
        if width(word) > room && !line.is_empty() {
            out.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        if width(word) <= columns {
            line.push_str(word);
            continue;
        }
        for grapheme in word.graphemes(true) {
            if width(&line) + width(grapheme) > columns && !line.is_empty() {
                out.push(std::mem::take(&mut line));
            }
            line.push_str(grapheme);
        }
    }
    out.push(line);
    out
}

/// Cuts a clean string in the middle, for names whose end tells them apart (`Gigabi…0/1`).
pub fn fit_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns < 4 {
        return fit(text, columns);
    }
    let head = (columns - 1) / 2;
    let mut out = fit(text, head + 1);
    let want = columns - width(&out);
    let mut tail: Vec<&str> = Vec::new();
    let mut used = 0;
    for grapheme in text.graphemes(true).rev() {
        let w = width(grapheme);
        if used + w > want {
            break;
        }
        tail.push(grapheme);
        used += w;
    }
    out.extend(tail.into_iter().rev());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_is_not_cut_within_a_character() {
        let text = "a€€".as_bytes();
        for (limit, wanted) in [(0, 0), (1, 1), (2, 1), (3, 1), (4, 4), (6, 4), (7, 7), (9, 7)] {
            assert_eq!(Untrusted::bounded(text, limit).as_bytes(), &text[..wanted], "{limit}");
        }
        let no_text = [0x80; 9];
        assert_eq!(Untrusted::bounded(&no_text, 5).as_bytes(), &no_text[..5]);
    }

    #[test]
    fn common_texts_are_shared_and_never_confused() {
        let (first, second) = (Untrusted::common(b"Gi1/0/1"), Untrusted::common(b"Gi1/0/1"));
        assert!(std::ptr::eq(first.as_bytes(), second.as_bytes()));
        for n in 0..3 * COMMON_TEXTS {
            let text = format!("port {n}");
            assert_eq!(Untrusted::common(text.as_bytes()), Untrusted::from(text));
        }
        assert!(Untrusted::common(b"") == Untrusted::default() && Untrusted::common(&[b'x'; LIMIT + 1]).is_cut());
    }

    #[test]
    fn escapes_are_shown_not_passed_on() {
        let text = Untrusted::new(b"sw\x1b]0;own\x07ed\xff\xc2\x9b");
        assert_eq!(text.line(), "sw\\x1b]0;own\\x07ed\\xff\\u{9b}");
    }

    #[test]
    fn bidi_and_zero_width_are_named() {
        assert_eq!(clean("sw-\u{202e}10-EROC"), "sw-<U+202E>10-EROC");
        assert_eq!(clean("core\u{200b}-sw1"), "core<U+200B>-sw1");
        assert_eq!(clean("a\u{fe0f}"), "a<U+FE0F>");
    }

    #[test]
    fn one_field_is_one_line() {
        assert_eq!(clean("a\nb\rc\td\u{2028}e\u{85}"), "a␊b␍c␉d<U+2028>e\\u{85}");
    }

    /// A vowel sign without its letter would stand on the last letter of the column before.
    #[test]
    fn what_joins_what_stands_before_it_needs_something_there() {
        assert_eq!(clean("\u{116ac}x"), "<U+116AC>x");
        assert_eq!(clean("\u{1b}\u{93e}"), "\\x1b<U+093E>");
        assert_eq!(clean("\u{915}\u{93e}"), "\u{915}\u{93e}");
    }

    #[test]
    fn documents_are_the_same_and_no_terminal_obeys_them() {
        let text = "a\u{9b}2J\u{202e}\u{7f}\u{e0041}ü\n";
        let document = serde_json::to_string_pretty(&[text]).expect("JSON");
        let safe = escape_json(&document);
        assert_eq!(safe, "[\n  \"a\\u009b2J\\u202e\\u007f\\udb40\\udc41ü\\n\"\n]");
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).expect("JSON"), [text]);
    }

    #[test]
    fn a_flood_of_marks_is_cut_to_eight() {
        let flood = format!("e{}", "\u{301}".repeat(20_000));
        assert!(clean(&flood).chars().filter(|c| *c == '\u{301}').count() <= MARKS_PER_BASE);
    }

    #[test]
    fn file_names_stay_in_their_directory_and_apart() {
        for name in ["../../etc/passwd", "..", "", "a/b", "CON", ".hidden", "\u{202e}x"] {
            let file = Untrusted::from(name).file_name();
            assert!(!file.contains('/') && !file.starts_with('.') && file.len() <= 64, "{file}");
        }
        assert_ne!(Untrusted::from("a/b").file_name(), Untrusted::from("a-b").file_name());
    }

    #[test]
    fn json_keeps_the_text_and_shows_other_bytes_as_hex() {
        assert_eq!(Untrusted::from("über\u{1b}").json_text(), "über\u{1b}");
        assert_eq!(Untrusted::new(b"\xff\x01").json_text(), "hex:ff01");
    }

    #[test]
    fn cut_text_never_exceeds_its_columns() {
        assert_eq!(fit("GigabitEthernet1/0/1", 8), "Gigabit…");
        assert_eq!(fit("cpu 17 % · mem 63 % · / 35 %", 23), "cpu 17 % · mem 63 %…");
        assert_eq!(fit_middle("GigabitEthernet1/0/1", 11), "Gigab…1/0/1");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_what_goes_out_is_safe(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let line = Untrusted::new(&bytes).line();
            prop_assert!(line.chars().all(|c| !c.is_control() && !is_hidden(c)));
            prop_assert_eq!(clean(&line), line.clone());
        }

        #[test]
        fn fitting_keeps_to_the_width(text in "\\PC{0,40}", columns in 0usize..30) {
            let safe = clean(&text);
            prop_assert!(width(&fit(&safe, columns)) <= columns);
            prop_assert!(width(&fit_middle(&safe, columns)) <= columns);
        }
    }
}
