//! The user's terminal: raw mode that is always given back, questions without echo, and `~.` to get away from a
//! remote side that does not answer.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use crate::base::Secret;
use crate::model::Prompt;
use crate::ssh::{Answer, Size};

/// Longer answers than this are none.
const ANSWER_LIMIT: u64 = 4 * 1024;

fn tty() -> Option<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty").ok()
}

/// Whether somebody can be asked.
pub fn is_there() -> bool {
    tty().is_some()
}

pub fn size() -> Size {
    match termios::tcgetwinsize(std::io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size { columns: size.ws_col, rows: size.ws_row },
        _ => Size { columns: 80, rows: 24 },
    }
}

/// Raw mode of standard input, for as long as it lives.
#[derive(Debug)]
pub struct Raw(Termios);

impl Raw {
    pub fn enter() -> Option<Self> {
        let before = termios::tcgetattr(std::io::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(std::io::stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = termios::tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Asks on the terminal itself, so that redirected input is never taken for an answer.
pub fn ask(prompt: &Prompt) -> Answer {
    let Some(tty) = tty() else { return Answer::Cancel };
    match prompt {
        Prompt::HostKey { hop, algorithm, fingerprint, file, .. } => {
            let words = format!(
                "The host key of {hop} is not known.\n  {algorithm} {fingerprint}\nIf it is the right one, it is kept in \
                 {file}.\nConnect? Type yes in full: "
            );
            match line(&tty, &words, true) {
                Some(answer) if answer.expose().trim() == "yes" => Answer::Yes,
                _ => Answer::Cancel,
            }
        }
        Prompt::Passphrase { hop, file } => typed(&tty, &format!("Passphrase of {file} (for {hop}): "), false),
        Prompt::Password { hop, user } => typed(&tty, &format!("Password of {user} at {hop}: "), false),
        Prompt::Interactive { hop, user, instruction, question, echo } => {
            let mut words = format!("{hop} asks {user}:\n");
            for line in instruction.lines().iter().filter(|l| !l.is_empty()).take(20) {
                words.push_str(&format!("  {line}\n"));
            }
            words.push_str(&format!("  {} ", question.line()));
            typed(&tty, &words, *echo)
        }
    }
}

fn typed(tty: &File, words: &str, echo: bool) -> Answer {
    line(tty, words, echo).map_or(Answer::Cancel, Answer::Text)
}

/// One line from the terminal; `None` where it ends without one. Without echo, keys are read one by one, so that
/// Ctrl+C ends the question and never leaves a terminal behind that shows nothing.
fn line(mut tty: &File, words: &str, echo: bool) -> Option<Secret<String>> {
    tty.write_all(words.as_bytes()).ok()?;
    if echo {
        let mut answer = String::new();
        let read = BufReader::new(std::io::Read::take(tty, ANSWER_LIMIT)).read_line(&mut answer);
        return read.is_ok_and(|n| n > 0).then(|| Secret::new(answer.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let before = termios::tcgetattr(tty).ok()?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    termios::tcsetattr(tty, OptionalActions::Flush, &quiet).ok()?;
    let answer = keys_to_line(std::io::Read::bytes(tty).map_while(Result::ok));
    let restored = termios::tcsetattr(tty, OptionalActions::Now, &before);
    tty.write_all(b"\n").ok()?;
    restored.ok()?;
    answer
}

/// Line editing as far as a password needs it.
fn keys_to_line(keys: impl Iterator<Item = u8>) -> Option<Secret<String>> {
    let mut typed: Vec<u8> = Vec::with_capacity(ANSWER_LIMIT as usize);
    for key in keys {
        match key {
            b'\r' | b'\n' => return String::from_utf8(typed).ok().map(Secret::new),
            // Ctrl+C, and Ctrl+D where nothing was typed.
            0x03 => return None,
            0x04 if typed.is_empty() => return None,
            0x08 | 0x7f => while typed.pop().is_some_and(|byte| (0x80..0xc0).contains(&byte)) {},
            0x15 => typed.clear(),
            _ if typed.len() < ANSWER_LIMIT as usize => typed.push(key),
            _ => return None,
        }
    }
    None
}

/// `~.` at the beginning of a line leaves, `~~` is one `~`, as in OpenSSH.
#[derive(Debug)]
pub struct Escape {
    at_line_start: bool,
    tilde: bool,
}

impl Default for Escape {
    fn default() -> Self {
        Self { at_line_start: true, tilde: false }
    }
}

impl Escape {
    /// What goes to the remote side of these bytes, and whether the user wants out.
    pub fn pass(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::with_capacity(bytes.len() + 1);
        for &byte in bytes {
            if std::mem::take(&mut self.tilde) {
                if byte == b'.' {
                    return (out, true);
                }
                out.push(b'~');
                if byte == b'~' {
                    self.at_line_start = false;
                    continue;
                }
            } else if byte == b'~' && self.at_line_start {
                self.tilde = true;
                continue;
            }
            self.at_line_start = matches!(byte, b'\r' | b'\n');
            out.push(byte);
        }
        (out, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_can_be_corrected_and_given_up() {
        let line = |keys: &[u8]| keys_to_line(keys.iter().copied()).map(|l| l.expose().clone());
        assert_eq!(line(b"secret\r").as_deref(), Some("secret"));
        assert_eq!(line("pa\u{fc}\u{7f}ss\n".as_bytes()).as_deref(), Some("pass"));
        assert_eq!(line(b"wrong\x15right\r").as_deref(), Some("right"));
        assert_eq!(line(b"abc\x03"), None);
        assert_eq!(line(b"\x04"), None);
        assert_eq!(line(b"no end"), None);
    }

    #[test]
    fn a_tilde_and_a_dot_at_the_beginning_of_a_line_leave() {
        let passed = |parts: &[&[u8]]| {
            let mut escape = Escape::default();
            let mut all = Vec::new();
            for part in parts {
                let (bytes, ends) = escape.pass(part);
                all.extend(bytes);
                if ends {
                    return (String::from_utf8(all).unwrap(), true);
                }
            }
            (String::from_utf8(all).unwrap(), false)
        };
        assert_eq!(passed(&[b"~", b"."]), (String::new(), true));
        assert_eq!(passed(&[b"ls\r~.x"]), ("ls\r".into(), true));
        assert_eq!(passed(&[b"a~.b"]), ("a~.b".into(), false));
        assert_eq!(passed(&[b"~~.\r~x"]), ("~.\r~x".into(), false));
    }
}
