//! The line shell of a simulated machine: bytes of a terminal in, bytes and an exit status out. No socket and no
//! process; what it prints is made up, and its greeting says so. Lines are edited here, as a shell with a terminal
//! does it; without a terminal it echoes nothing and has no prompt.

mod commands;
mod keys;
mod line;

use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::base::{Clock, Timestamp, text};
use keys::{Key, Keys};
use line::Line;

/// No line without a terminal is longer.
const LINE_LIMIT: usize = 4_096;
/// What a shell says of a command that Ctrl+C ended (128 + SIGINT).
const INTERRUPTED: u32 = 130;

/// What a machine is. Made up, but the same for as long as the demo runs.
#[derive(Debug)]
pub struct Machine {
    pub name: Arc<str>,
    pub address: Ipv4Addr,
    pub role: Role,
    pub booted: Timestamp,
    /// Decides what nobody looks at twice: process ids, load.
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Server,
    Switch { ports: u32 },
}

/// The size of the caller's terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub columns: u16,
    pub rows: u16,
}

impl Window {
    /// A size that makes no sense is taken for the smallest that does.
    pub fn new(columns: u32, rows: u32) -> Self {
        let side = |n: u32, least: u16| u16::try_from(n).unwrap_or(1_000).clamp(least, 1_000);
        Self { columns: side(columns, 8), rows: side(rows, 1) }
    }
}

/// What goes back to the caller.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reply {
    pub output: Vec<u8>,
    /// For standard error, where there is no terminal.
    pub errors: Vec<u8>,
    /// The exit status, where the shell has ended.
    pub ended: Option<u32>,
}

#[derive(Debug)]
pub struct Shell {
    machine: Arc<Machine>,
    clock: Clock,
    window: Option<Window>,
    keys: Keys,
    line: Line,
    /// Of the last command.
    status: u32,
    reply: Reply,
}

impl Shell {
    pub fn new(machine: Arc<Machine>, clock: Clock, window: Option<Window>) -> Self {
        Self {
            machine,
            clock,
            window,
            keys: Keys::default(),
            line: Line::default(),
            status: 0,
            reply: Reply::default(),
        }
    }

    /// The greeting and the first prompt.
    pub fn begin(&mut self) -> Reply {
        if self.window.is_some() {
            self.print(&commands::motd(&self.machine));
            self.show_line();
        }
        self.take_reply()
    }

    /// One command, and the end.
    pub fn run_once(&mut self, command: &str) -> Reply {
        self.run(command);
        self.reply.ended.get_or_insert(self.status);
        self.take_reply()
    }

    /// Keys of the terminal, or lines where there is none.
    pub fn input(&mut self, bytes: &[u8]) -> Reply {
        let mut untouched = true;
        for &byte in bytes {
            if self.reply.ended.is_some() {
                break;
            }
            if self.window.is_none() {
                self.plain(byte);
            } else if let Some(key) = self.keys.feed(byte) {
                self.key(key);
                untouched = false;
            }
        }
        // Once for all keys of a packet: a paste is not drawn letter by letter.
        if !untouched && self.reply.ended.is_none() {
            self.show_line();
        }
        self.take_reply()
    }

    pub fn resize(&mut self, window: Window) -> Reply {
        if self.window.is_some_and(|before| before != window) {
            self.window = Some(window);
            self.show_line();
        }
        self.take_reply()
    }

    /// The caller will send nothing more.
    pub fn end_of_input(&mut self) -> Reply {
        if self.window.is_none() && !self.line.is_empty() {
            let command = self.line.take();
            self.run(&command);
        }
        self.reply.ended.get_or_insert(self.status);
        self.take_reply()
    }

    fn take_reply(&mut self) -> Reply {
        std::mem::take(&mut self.reply)
    }

    fn plain(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                let command = self.line.take();
                self.run(&command);
            }
            _ if self.line.len() < LINE_LIMIT => self.line.insert(char::from(byte)),
            _ => {}
        }
    }

    fn key(&mut self, key: Key) {
        match key {
            Key::Enter => {
                self.show_line();
                self.print("\n");
                let command = self.line.take();
                self.run(&command);
            }
            Key::Interrupt => {
                self.line.edit(Key::End);
                self.show_line();
                self.print("^C\n");
                self.line.take();
                self.status = INTERRUPTED;
            }
            Key::EndOfFile if self.line.is_empty() => {
                self.print("exit\n");
                self.reply.ended = Some(self.status);
            }
            Key::EndOfFile => self.line.edit(Key::Delete),
            Key::Redraw => self.reply.output.extend_from_slice(b"\x1b[H\x1b[2J"),
            Key::Char(c) if self.line.len() < LINE_LIMIT => self.line.insert(c),
            other => self.line.edit(other),
        }
    }

    fn run(&mut self, command: &str) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let Some((name, arguments)) = words.split_first() else { return };
        self.line.remember(command.trim());
        let done = commands::run(
            name,
            arguments,
            &commands::Cx {
                machine: &self.machine,
                wall: self.clock.wall(),
                uptime: self.clock.now().since(self.machine.booted),
                window: self.window,
                status: self.status,
            },
        );
        self.status = done.status;
        self.print(&done.output);
        if self.window.is_some() {
            self.print(&done.errors);
        } else {
            self.reply.errors.extend_from_slice(done.errors.as_bytes());
        }
        if done.ends {
            self.reply.ended = Some(done.status);
        }
    }

    /// Lines end as the caller's terminal wants them.
    fn print(&mut self, words: &str) {
        let words = if self.window.is_some() { words.replace('\n', "\r\n") } else { words.to_owned() };
        self.reply.output.extend_from_slice(words.as_bytes());
    }

    /// The prompt and as much of the line around the cursor as the window has room for.
    fn show_line(&mut self) {
        let Some(window) = self.window else { return };
        let prompt = match self.machine.role {
            Role::Server => format!("{}@{}:~$ ", super::USER, self.machine.name),
            Role::Switch { .. } => format!("{}#", self.machine.name),
        };
        let columns = usize::from(window.columns);
        let prompt = if text::width(&prompt) + 8 > columns { "$ " } else { &prompt };
        let room = columns - text::width(prompt) - 1;
        let (shown, back) = self.line.view(room);
        let mut out = format!("\r{prompt}{shown}\x1b[K");
        if back > 0 {
            out.push_str(&format!("\x1b[{back}D"));
        }
        self.reply.output.extend_from_slice(out.as_bytes());
    }
}

#[cfg(test)]
mod tests;
