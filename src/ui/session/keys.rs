//! Keys as xterm sends them (ctlseqs, "PC-Style Function Keys"): with the cursor keys' application mode, and
//! modifiers as the second parameter.

use crate::config::key::{Key, KeyCode};

/// The bytes for a key; empty for one that no terminal sends.
pub fn encode(key: Key, application_cursor: bool) -> Vec<u8> {
    let modifier = 1 + u8::from(key.shift) + 2 * u8::from(key.alt) + 4 * u8::from(key.ctrl);
    match key.code {
        KeyCode::Char(c) => character(c, key),
        KeyCode::Enter => with_alt(key, b"\r"),
        KeyCode::Escape => with_alt(key, b"\x1b"),
        KeyCode::Tab if key.shift => b"\x1b[Z".to_vec(),
        KeyCode::Tab => with_alt(key, b"\t"),
        KeyCode::Backspace if key.ctrl => with_alt(key, b"\x08"),
        KeyCode::Backspace => with_alt(key, b"\x7f"),
        KeyCode::Up => cursor(b'A', modifier, application_cursor),
        KeyCode::Down => cursor(b'B', modifier, application_cursor),
        KeyCode::Right => cursor(b'C', modifier, application_cursor),
        KeyCode::Left => cursor(b'D', modifier, application_cursor),
        KeyCode::Home => cursor(b'H', modifier, application_cursor),
        KeyCode::End => cursor(b'F', modifier, application_cursor),
        KeyCode::Insert => tilde(2, modifier),
        KeyCode::Delete => tilde(3, modifier),
        KeyCode::PageUp => tilde(5, modifier),
        KeyCode::PageDown => tilde(6, modifier),
        KeyCode::Function(n) => function(n, modifier),
    }
}

fn character(c: char, key: Key) -> Vec<u8> {
    let mut buffer = [0; 4];
    if !key.ctrl {
        return with_alt(key, c.encode_utf8(&mut buffer).as_bytes());
    }
    let control = match c.to_ascii_lowercase() {
        letter @ 'a'..='z' => letter as u8 - b'a' + 1,
        ' ' | '@' | '2' => 0,
        '[' | '3' => 0x1b,
        '\\' | '4' => 0x1c,
        ']' | '5' => 0x1d,
        '^' | '6' => 0x1e,
        '_' | '/' | '7' | '-' => 0x1f,
        '?' | '8' => 0x7f,
        _ => return with_alt(key, c.encode_utf8(&mut buffer).as_bytes()),
    };
    with_alt(key, &[control])
}

fn with_alt(key: Key, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1);
    if key.alt {
        out.push(0x1b);
    }
    out.extend_from_slice(bytes);
    out
}

fn cursor(letter: u8, modifier: u8, application: bool) -> Vec<u8> {
    match (modifier, application) {
        (1, true) => vec![0x1b, b'O', letter],
        (1, false) => vec![0x1b, b'[', letter],
        _ => format!("\x1b[1;{modifier}{}", char::from(letter)).into_bytes(),
    }
}

fn tilde(number: u8, modifier: u8) -> Vec<u8> {
    if modifier == 1 { format!("\x1b[{number}~") } else { format!("\x1b[{number};{modifier}~") }.into_bytes()
}

fn function(n: u8, modifier: u8) -> Vec<u8> {
    match n {
        1..=4 if modifier == 1 => vec![0x1b, b'O', b'P' + n - 1],
        1..=4 => format!("\x1b[1;{modifier}{}", char::from(b'P' + n - 1)).into_bytes(),
        5 => tilde(15, modifier),
        6..=10 => tilde(n + 11, modifier),
        11..=14 => tilde(n + 12, modifier),
        15 | 16 => tilde(n + 13, modifier),
        17..=20 => tilde(n + 14, modifier),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_xterm_sends() {
        for (name, plain, application) in [
            ("a", "a", "a"),
            ("G", "G", "G"),
            ("Ctrl+C", "\x03", "\x03"),
            ("Ctrl+\\", "\x1c", "\x1c"),
            ("Ctrl+Space", "\0", "\0"),
            ("Alt+x", "\x1bx", "\x1bx"),
            ("Ctrl+Alt+c", "\x1b\x03", "\x1b\x03"),
            ("Enter", "\r", "\r"),
            ("Backspace", "\x7f", "\x7f"),
            ("Shift+Tab", "\x1b[Z", "\x1b[Z"),
            ("Up", "\x1b[A", "\x1bOA"),
            ("Ctrl+Left", "\x1b[1;5D", "\x1b[1;5D"),
            ("Home", "\x1b[H", "\x1bOH"),
            ("Delete", "\x1b[3~", "\x1b[3~"),
            ("Shift+PageUp", "\x1b[5;2~", "\x1b[5;2~"),
            ("F1", "\x1bOP", "\x1bOP"),
            ("F5", "\x1b[15~", "\x1b[15~"),
            ("F10", "\x1b[21~", "\x1b[21~"),
            ("F11", "\x1b[23~", "\x1b[23~"),
            ("F12", "\x1b[24~", "\x1b[24~"),
            ("Alt+F4", "\x1b[1;3S", "\x1b[1;3S"),
        ] {
            let key = Key::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
            assert_eq!(String::from_utf8(encode(key, false)).unwrap(), plain, "{name}");
            assert_eq!(String::from_utf8(encode(key, true)).unwrap(), application, "{name}");
        }
        assert_eq!(encode(Key::char('ü'), false), "ü".as_bytes());
    }
}
