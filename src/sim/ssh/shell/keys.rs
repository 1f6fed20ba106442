//! Bytes of a terminal to editing keys: control characters, UTF-8, and the xterm sequences for cursor keys. What is
//! unknown is dropped whole.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Enter,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    /// Ctrl+U: everything before the cursor.
    EraseBefore,
    /// Ctrl+K: everything after it.
    EraseAfter,
    /// Ctrl+W
    EraseWord,
    /// Ctrl+C
    Interrupt,
    /// Ctrl+D
    EndOfFile,
    /// Ctrl+L
    Redraw,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// After `ESC [`, with its first parameter.
    Control(u16),
    /// After `ESC O`.
    Single,
}

#[derive(Debug, Default)]
pub struct Keys {
    state: State,
    /// An unfinished UTF-8 character.
    partial: Vec<u8>,
}

impl Keys {
    pub fn feed(&mut self, byte: u8) -> Option<Key> {
        match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte),
            State::Escape => {
                match byte {
                    b'[' => self.state = State::Control(0),
                    b'O' => self.state = State::Single,
                    0x1b => self.state = State::Escape,
                    _ => {}
                }
                None
            }
            State::Control(first) => match byte {
                b'0'..=b'9' => {
                    self.state = State::Control(first.saturating_mul(10).saturating_add(u16::from(byte - b'0')));
                    None
                }
                b'~' => match first {
                    1 | 7 => Some(Key::Home),
                    3 => Some(Key::Delete),
                    4 | 8 => Some(Key::End),
                    _ => None,
                },
                0x40..=0x7e => named(byte),
                // Modifiers and whatever else: the key counts, not how it is held.
                0x20..=0x3f => {
                    self.state = State::Control(first);
                    None
                }
                _ => None,
            },
            State::Single => named(byte),
        }
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        if byte >= 0x80 || !self.partial.is_empty() {
            return self.character(byte);
        }
        Some(match byte {
            b'\r' | b'\n' => Key::Enter,
            0x7f | 0x08 => Key::Backspace,
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x03 => Key::Interrupt,
            0x04 => Key::EndOfFile,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x0b => Key::EraseAfter,
            0x0c => Key::Redraw,
            0x0e => Key::Down,
            0x10 => Key::Up,
            0x15 => Key::EraseBefore,
            0x17 => Key::EraseWord,
            b'\t' => Key::Char(' '),
            0x1b => {
                self.state = State::Escape;
                return None;
            }
            0x20..=0x7e => Key::Char(char::from(byte)),
            _ => return None,
        })
    }

    fn character(&mut self, byte: u8) -> Option<Key> {
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                let c = text.chars().next().filter(|c| !c.is_control());
                self.partial.clear();
                c.map(Key::Char)
            }
            Err(error) if error.error_len().is_none() => None,
            Err(_) => {
                self.partial.clear();
                (byte < 0x80).then(|| self.ground(byte)).flatten()
            }
        }
    }
}

fn named(last: u8) -> Option<Key> {
    match last {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        b'H' => Some(Key::Home),
        b'F' => Some(Key::End),
        _ => None,
    }
}
