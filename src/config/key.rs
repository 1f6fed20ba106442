//! Keys as the keymap writes them: `j`, `G`, `Ctrl+P`, `Alt+x`, `Shift+Tab`, `F1`, `PageDown`, `Space`.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyCode {
    Char(char),
    Enter,
    Escape,
    Tab,
    Backspace,
    Insert,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Function(u8),
}

/// A key with its modifiers. `Shift` is part of a character itself (`G`), and a flag elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub code: KeyCode,
    pub ctrl: bool,
    pub alt: bool,
    pub shift: bool,
}

impl Key {
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// Why terminals do not send it as a key of its own, where they do not.
    pub fn never_sent(&self) -> Option<&'static str> {
        match self.code {
            KeyCode::Char('i') | KeyCode::Tab if self.ctrl => Some("it is Tab there"),
            KeyCode::Char('m') if self.ctrl => Some("it is Enter there"),
            KeyCode::Char('[') if self.ctrl => Some("it is Esc there"),
            KeyCode::Char('A'..='Z') if self.ctrl => Some("Shift is lost beside Ctrl"),
            KeyCode::Char('0' | '1' | '9' | '.' | ',' | ';' | ':' | '!' | '=' | '+') if self.ctrl => {
                Some("there is no such control character")
            }
            KeyCode::Char(_) if self.shift => Some("write the character that Shift makes"),
            KeyCode::Enter | KeyCode::Escape | KeyCode::Backspace if self.ctrl || self.shift => {
                Some("it is the same as without Ctrl or Shift")
            }
            _ => None,
        }
    }

    /// Parses the notation of the keymap; `None` where it is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let mut key = Self::plain(KeyCode::Enter);
        let mut rest = text;
        loop {
            let (flag, after) = if let Some(after) = rest.strip_prefix("Ctrl+") {
                (&mut key.ctrl, after)
            } else if let Some(after) = rest.strip_prefix("Alt+") {
                (&mut key.alt, after)
            } else if let Some(after) = rest.strip_prefix("Shift+") {
                (&mut key.shift, after)
            } else {
                break;
            };
            *flag = true;
            rest = after;
        }
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() && c != ' ' => KeyCode::Char(c),
            _ => {
                NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest)).map(|(_, code)| *code).or_else(|| {
                    let digits = rest.strip_prefix(['F', 'f'])?;
                    let n: u8 = digits.chars().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok())??;
                    (1..=24).contains(&n).then_some(KeyCode::Function(n))
                })?
            }
        };
        if let KeyCode::Char(c) = key.code {
            if key.ctrl {
                // Terminals cannot tell Ctrl+P from Ctrl+p.
                key.code = KeyCode::Char(c.to_ascii_lowercase());
            }
            if key.shift && c.is_ascii_alphabetic() {
                key.code = KeyCode::Char(c.to_ascii_uppercase());
                key.shift = false;
            }
        }
        Some(key)
    }
}

const NAMED: [(&str, KeyCode); 15] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Escape),
    ("Tab", KeyCode::Tab),
    ("Backspace", KeyCode::Backspace),
    ("Insert", KeyCode::Insert),
    ("Delete", KeyCode::Delete),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Space", KeyCode::Char(' ')),
];

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl+")?;
        }
        if self.alt {
            f.write_str("Alt+")?;
        }
        if self.shift {
            f.write_str("Shift+")?;
        }
        match self.code {
            KeyCode::Function(n) => write!(f, "F{n}"),
            KeyCode::Char(c) if c != ' ' => {
                if self.ctrl {
                    // A capital beside Ctrl is one with Shift.
                    let shift = if c.is_ascii_uppercase() { "Shift+" } else { "" };
                    write!(f, "{shift}{}", c.to_ascii_uppercase())
                } else {
                    write!(f, "{c}")
                }
            }
            code => f.write_str(NAMED.iter().find(|(_, c)| *c == code).map_or("?", |(name, _)| name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_key_reads_back_as_it_is_written() {
        for text in ["j", "G", "Ctrl+P", "Alt+x", "Shift+Tab", "F1", "PageDown", "Space", "?", "Ctrl+\\", "+"] {
            let key = Key::parse(text).unwrap_or_else(|| panic!("{text} is no key"));
            assert_eq!(key.to_string(), text);
        }
        for bad in ["", "Ctrl+", "Foo", "F0", "F25", "F+5", "ab", "Ctrl", "Shift+Shift"] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
        assert_eq!(Key::parse("Shift+g"), Some(Key::char('G')));
        assert_eq!(Key::parse("f5").map(|key| key.to_string()).as_deref(), Some("F5"));
    }

    proptest! {
        #[test]
        fn what_is_a_key_reads_back_as_it_is_written(
            modifiers in prop::collection::vec(prop::sample::select(vec!["Ctrl+", "Alt+", "Shift+"]), 0..4),
            name in prop_oneof!["\\PC{1,3}", "[fF][0-9+]{1,3}", prop::sample::select(NAMED.map(|(name, _)| name.to_owned()).to_vec())],
            any in any::<String>(),
        ) {
            for text in [format!("{}{name}", modifiers.concat()), any] {
                if let Some(key) = Key::parse(&text) {
                    prop_assert_eq!(Key::parse(&key.to_string()), Some(key), "{:?} is written as {}", text, key);
                }
            }
        }
    }
}
