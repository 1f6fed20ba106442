//! The contract between the loop ([`super::run`]) and what it shows. The loop owns the terminal, time and
//! waiting; the screen owns what the operator sees and writes its state only in the calls that take
//! `&mut self`. A screen never blocks and never touches the terminal.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::base::Timestamp;
use crate::bus::Notice;
use crate::config::key::Key;
use crate::state::Snapshot;

use super::frame::Frame;

pub trait Screen {
    fn key(&mut self, key: Key);

    /// Text from a bracketed paste, as the terminal sent it: line breaks and all.
    fn paste(&mut self, text: String);

    fn mouse(&mut self, mouse: Mouse);

    /// Called before the first draw and after each change; never with a side of 0.
    fn resized(&mut self, columns: u16, rows: u16);

    fn snapshot(&mut self, snapshot: Arc<Snapshot>);

    fn notice(&mut self, notice: Notice);

    /// Takes what the sessions have written, within a budget (some 64 KiB a call). `Ready` where something
    /// came; `Pending` with the waker registered at every session's pipe where nothing did.
    fn poll_sessions(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    fn draw(&self, frame: &mut Frame<'_>);

    /// When the picture changes without any event (an age enters its next bucket); `None` for never.
    /// Called right after a draw.
    fn next_wake(&self, now: Timestamp) -> Option<Timestamp>;

    /// Asked after every event.
    fn take_exit(&mut self) -> Option<Exit>;

    /// Bytes for the terminal beside the picture (a clipboard write, a bell), whole sequences only. The
    /// screen answers for their content.
    fn take_terminal_output(&mut self) -> Vec<u8>;

    /// The program of [`Exit::Foreground`] has ended, or could not be started.
    fn foreground_ended(&mut self, status: io::Result<ExitStatus>);
}

/// What ends or interrupts the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    Quit,
    /// Give the terminal to this program (argv, found on the PATH), then come back.
    Foreground(Vec<String>),
}

/// A mouse report; cells count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    pub kind: MouseKind,
    pub column: u16,
    pub row: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseKind {
    Press,
    Release,
    Drag,
    ScrollUp,
    ScrollDown,
}
