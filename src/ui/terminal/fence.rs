//! Queries that mark in the output how far the terminal has come, and their replies. Terminals differ in which
//! they answer; replies come in the order of the queries.
//!
//! | fence | query | reply |
//! |---|---|---|
//! | status | `CSI 5 n` (DSR, ECMA-48 8.3.35) | `CSI 0 n` or `CSI 3 n` |
//! | cursor | `CSI 6 n` (CPR, ECMA-48 8.3.14) | `CSI row ; column R` |
//! | mode | `CSI ? 2026 $ p` (DECRQM, VT510) | `CSI ? 2026 ; n $ y` |
//!
//! The background is asked for once, ahead of the first of them (`OSC 11 ; ? ST`, xterm): `OSC 11 ; rgb:r/g/b ST` comes
//! before the answer to that fence, or not at all.
//!
//! `CSI 1 ; n R` is F3 with a modifier on many terminals, so the cursor is asked for in another row, and a reply
//! that names the first row is no reply. Some old terminals print the end of the third query.

/// The longest numbers in a reply.
const DIGITS: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    Status,
    Cursor,
    Mode,
}

impl Fence {
    pub const KINDS: usize = 3;

    pub const fn query(self) -> &'static [u8] {
        match self {
            Self::Status => b"\x1b[5n",
            Self::Cursor => b"\x1b[6n",
            Self::Mode => b"\x1b[?2026$p",
        }
    }
}

/// What asks for the colour of the background.
pub const BACKGROUND: &[u8] = b"\x1b]11;?\x1b\\";
const BACKGROUND_REPLY: &[u8] = b"\x1b]11;";
/// The longest answer: four digits a channel, an alpha channel, the end.
const BACKGROUND_LONGEST: usize = 40;

/// What bytes are, as the beginning of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Whole(Fence),
    /// The background, or nothing where its colour cannot be understood.
    Background(Option<(u8, u8, u8)>),
    /// More may make a reply of it.
    Begun,
    Not,
}

/// Reads the beginning of input that ends with the last of `bytes`.
pub fn reply(bytes: &[u8]) -> Reply {
    match bytes {
        [] | [0x1b] | [0x1b, b'['] => Reply::Begun,
        [0x1b, b'[', b'?', rest @ ..] => mode(rest),
        [0x1b, b'[', rest @ ..] => numbers(rest),
        [0x1b, b']', ..] => background(bytes),
        _ => Reply::Not,
    }
}

/// Whether this can only be the beginning of an answer, however long the rest of it takes: nobody types it.
pub fn is_certain(bytes: &[u8]) -> bool {
    bytes.starts_with(BACKGROUND_REPLY)
}

fn background(bytes: &[u8]) -> Reply {
    let Some(rest) = bytes.strip_prefix(BACKGROUND_REPLY) else {
        return if BACKGROUND_REPLY.starts_with(bytes) { Reply::Begun } else { Reply::Not };
    };
    match rest.iter().position(|b| matches!(b, 0x07 | 0x1b)) {
        None if rest.len() <= BACKGROUND_LONGEST => Reply::Begun,
        Some(end) if rest[end] == 0x07 || rest[end..] == *b"\x1b\\" => Reply::Background(colour(&rest[..end])),
        Some(end) if end + 1 == rest.len() => Reply::Begun,
        _ => Reply::Not,
    }
}

/// `rgb:rrrr/gggg/bbbb`, one to four digits each (XParseColor); an alpha channel is not looked at.
fn colour(text: &[u8]) -> Option<(u8, u8, u8)> {
    let text = std::str::from_utf8(text).ok()?;
    let channels = text.strip_prefix("rgba:").or_else(|| text.strip_prefix("rgb:"))?;
    let mut channels = channels.split('/').map(|digits| {
        let most = (1u32 << (4 * digits.len().clamp(1, 4))) - 1;
        let value = u32::from_str_radix(digits, 16).ok().filter(|value| *value <= most)?;
        u8::try_from(value * 255 / most).ok()
    });
    Some((channels.next()??, channels.next()??, channels.next()??))
}

fn mode(rest: &[u8]) -> Reply {
    const NAME: &[u8] = b"2026;";
    let Some(after) = rest.strip_prefix(NAME) else {
        return if NAME.starts_with(rest) { Reply::Begun } else { Reply::Not };
    };
    match after {
        [] | [b'0'..=b'4'] | [b'0'..=b'4', b'$'] => Reply::Begun,
        [b'0'..=b'4', b'$', b'y'] => Reply::Whole(Fence::Mode),
        _ => Reply::Not,
    }
}

fn numbers(rest: &[u8]) -> Reply {
    let (row, after) = digits(rest);
    match (row.len(), after) {
        (1..=DIGITS, []) => Reply::Begun,
        (1..=DIGITS, b"n") if matches!(row, b"0" | b"3") => Reply::Whole(Fence::Status),
        (1..=DIGITS, [b';', after @ ..]) => {
            let (column, after) = digits(after);
            match (column.len(), after) {
                (0..=DIGITS, []) => Reply::Begun,
                (1..=DIGITS, b"R") if row != b"1" => Reply::Whole(Fence::Cursor),
                _ => Reply::Not,
            }
        }
        _ => Reply::Not,
    }
}

/// The digits at the beginning, and what is behind them.
fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().take_while(|b| b.is_ascii_digit()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_known_when_they_are_whole_and_not_before() {
        for (text, fence) in [
            ("\x1b[0n", Fence::Status),
            ("\x1b[3n", Fence::Status),
            ("\x1b[24;1R", Fence::Cursor),
            ("\x1b[2;80R", Fence::Cursor),
            ("\x1b[?2026;2$y", Fence::Mode),
            ("\x1b[?2026;0$y", Fence::Mode),
        ] {
            for end in 0..text.len() {
                assert_eq!(reply(&text.as_bytes()[..end]), Reply::Begun, "{text:?} up to {end}");
            }
            assert_eq!(reply(text.as_bytes()), Reply::Whole(fence), "{text:?}");
        }
    }

    #[test]
    fn keys_are_no_replies() {
        // Up, Ctrl+Right, PageUp, F5, Shift+F3, F1 of the Linux console, a paste, focus, Alt+[.
        for text in [
            "\x1b[A",
            "\x1b[1;5C",
            "\x1b[5~",
            "\x1b[15~",
            "\x1b[1;2R",
            "\x1b[[A",
            "\x1b[200~",
            "\x1b[I",
            "\x1b[R",
            "x",
            "\x1bO",
        ] {
            assert_eq!(reply(text.as_bytes()), Reply::Not, "{text:?}");
        }
        assert_eq!(reply(b"\x1b[?1;2c"), Reply::Not, "another report");
        assert_eq!(reply(b"\x1b[123456"), Reply::Not, "nothing is held for ever");
        assert_eq!(reply(b"\x1b]x"), Reply::Not, "Alt+] and a letter");
        assert_eq!(reply(b"\x1b]12"), Reply::Not);
        let endless = [b"\x1b]11;rgb:".as_slice(), &[b'f'; 60]].concat();
        assert_eq!(reply(&endless), Reply::Not, "nothing is held for ever");
    }

    #[test]
    fn the_background_is_understood_in_all_its_forms() {
        for (text, want) in [
            ("\x1b]11;rgb:ffff/ffff/ffff\x1b\\", Some((255, 255, 255))),
            ("\x1b]11;rgb:0000/2b2b/3636\x07", Some((0, 43, 54))),
            ("\x1b]11;rgb:1e/1e/1e\x07", Some((30, 30, 30))),
            ("\x1b]11;rgb:f/8/0\x07", Some((255, 136, 0))),
            ("\x1b]11;rgba:ffff/0000/0000/8000\x1b\\", Some((255, 0, 0))),
            ("\x1b]11;white\x07", None),
            ("\x1b]11;rgb:fffff/0/0\x07", None),
            ("\x1b]11;rgb://\x07", None),
            ("\x1b]11;\x07", None),
        ] {
            for end in 0..text.len() {
                assert_eq!(reply(&text.as_bytes()[..end]), Reply::Begun, "{text:?} up to {end}");
            }
            assert_eq!(reply(text.as_bytes()), Reply::Background(want), "{text:?}");
        }
    }
}
