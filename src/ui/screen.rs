//! The contract between the loop ([`super::run`]) and what it shows. The loop owns the terminal, time and
//! waiting; the screen owns what the operator sees, and writes its state only in the calls that take
//! `&mut self`. A screen never blocks and never touches the terminal.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::clipboard::Clip;
use super::frame::Frame;
use crate::base::{Timestamp, text};
use crate::bus::{Call, Notice};
use crate::config::key::Key;
use crate::config::theme::Background;
use crate::model::Desktop;
use crate::state::Snapshot;

/// What is shown and how it answers.
pub trait Screen {
    fn key(&mut self, key: Key);

    /// What the mouse did. Comes only while [`Screen::wants_mouse`] says so, or shortly after.
    fn mouse(&mut self, _mouse: Mouse) {}

    /// Whether the terminal is to report the mouse, and leave no text to be selected with it alone.
    fn wants_mouse(&self) -> bool {
        false
    }

    /// Text from a bracketed paste, as the terminal sent it: line breaks and all.
    fn paste(&mut self, text: String);

    /// Called before the first draw and after each change; never with a side of 0.
    fn resized(&mut self, columns: u16, rows: u16);

    fn snapshot(&mut self, snapshot: Arc<Snapshot>);

    fn notice(&mut self, notice: Notice);

    /// What the terminal says it writes on.
    fn background(&mut self, _background: Background) {}

    /// Takes what the sessions have written, within a budget (some 64 KiB a call). `Ready` where something
    /// came; `Pending`, with the waker left at every session's pipe, where nothing did.
    fn poll_sessions(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    /// More of what the sessions have written is at hand: a picture now would be an old one in a moment.
    fn is_behind(&self) -> bool {
        false
    }

    /// Time passes; called before anything else in a turn of the loop, and before keys are given.
    fn tick(&mut self, _now: Timestamp) {}

    /// The engine is gone; a snapshot comes when there is one again.
    fn engine_gone(&mut self) {}

    /// What is to go to the terminal's clipboard.
    fn take_clip(&mut self) -> Option<Clip> {
        None
    }

    /// A sound that is to be made now.
    fn take_ring(&mut self) -> Option<Ring> {
        None
    }

    fn draw(&self, frame: &mut Frame<'_>);

    /// When something visible changes by the passing of time alone.
    fn next_wake(&self, now: Timestamp) -> Option<Timestamp>;

    /// Set when the loop should end or step aside. Asked after every event.
    fn take_exit(&mut self) -> Option<Exit>;

    /// The program of [`Exit::Foreground`] has ended, or could not be started.
    fn foreground_ended(&mut self, argv: &[String], outcome: io::Result<ExitStatus>);
}

/// What a mouse did, and over which cell: column and row from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    pub deed: MouseDeed,
    pub column: u16,
    pub row: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseDeed {
    /// The left button went down.
    Press,
    /// The right one did.
    PressRight,
    WheelUp,
    WheelDown,
}

/// A sound that a terminal can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ring {
    Bell,
    /// A notification of the desktop that the terminal stands on.
    Notification(Call),
    /// Both.
    Alert(Call),
}

impl Ring {
    /// As it is written. Whatever the words hold, nothing but them is in it.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bell => vec![0x07],
            Self::Notification(call) => notification(call).into_bytes(),
            Self::Alert(call) => [Self::Bell.bytes(), notification(call).into_bytes()].concat(),
        }
    }
}

/// Columns of a notification's words.
const WORDS: usize = 120;

/// What asks for a notification. The words cannot end it, nor begin another sequence; they begin with our name, so that no
/// terminal takes a number at their head for a command of its own (`OSC 9 ; 4 ; …` is a progress bar to some).
fn notification(Call { words, desktop }: &Call) -> String {
    let words = text::fit(&text::clean(words), WORDS);
    let first = || format!("\x1b]9;noctty: {words}\x1b\\");
    // A semicolon would part the words from each other.
    let other = || format!("\x1b]777;notify;noctty;{}\x1b\\", words.replace(';', ","));
    match desktop {
        Desktop::None => String::new(),
        Desktop::Osc9 => first(),
        Desktop::Osc777 => other(),
        Desktop::Both => first() + &other(),
    }
}

/// Why the loop ends or steps aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    Quit,
    /// Run this program on the terminal, then come back: the loop does it itself.
    Foreground(Vec<String>),
    /// Stop as a job of the shell, and come back when it is let go on.
    Suspend,
    /// Draw everything anew, whatever the terminal was left with.
    Redraw,
    /// By a signal of this number.
    Signal(i32),
    /// The terminal is gone.
    HungUp,
}
