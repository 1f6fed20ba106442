//! One SSH session as a pane: the remote side's terminal, keys to it, and a line that always says how to get out.
//! All keys go to the remote side but `Ctrl+\` and `F12`, which leave; the same key once more is sent (see
//! `ui/sessions.rs`). A flood is taken in portions of bounded time, whatever work its bytes make, so that the rest
//! of the screen never waits for it.

mod draw;
mod emulator;
mod filter;
mod keys;
mod outgoing;

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use alacritty_terminal::grid::Scroll;
use alacritty_terminal::term::TermMode;
use ratatui::layout::{Position, Rect};
use tokio::sync::mpsc;

use super::frame::{Colours, Frame};
use super::look::Look;
use crate::base::text;
use crate::bus::SessionPipe;
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::{AssetId, Session, SessionId, SessionStatus};

use emulator::Emulator;
pub use emulator::{PaneSize, panic_is_contained};
use outgoing::Outgoing;

/// What the emulator is given at once: as much as it takes in so long, within these bounds. Three bytes can be made to
/// cost a screen's worth of work, and a time limit is only looked at between slices.
const SLICE_TIME: Duration = Duration::from_millis(1);
const SMALLEST_SLICE: usize = 64;
const LARGEST_SLICE: usize = 1024;
/// More than one paste of this size is a mistake.
const PASTE_LIMIT: usize = 1 << 20;

/// What a key did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEffect {
    /// It went to the remote side, or scrolled the view.
    Taken,
    /// The operator wants out of the pane; the session goes on.
    Leave,
    /// The session has ended and the pane may be closed.
    Close,
    /// The session could not be made here: run the system's own ssh.
    SystemSsh,
}

/// What a paste needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasteEffect {
    Sent,
    /// Several lines and a remote side that would run each: `Enter` sends it, any other key drops it.
    Asks {
        lines: usize,
    },
}

#[derive(Debug)]
pub struct SessionPane {
    session: Session,
    output: mpsc::Receiver<Vec<u8>>,
    input: Outgoing,
    emulator: Emulator,
    /// What the remote side calls itself; clean, and shown as its own words.
    title: String,
    output_ended: bool,
    /// What has come and is not taken in yet, and how far it is.
    chunk: Vec<u8>,
    taken: usize,
    slice: usize,
    held_paste: Option<String>,
    /// What was typed or pasted last found no room at all and was dropped whole.
    refused: bool,
}

impl SessionPane {
    pub fn new(session: Session, pipe: SessionPipe, columns: u16, rows: u16) -> Self {
        let emulator = Emulator::new(PaneSize::new(columns, rows));
        Self {
            session,
            output: pipe.output,
            input: Outgoing::new(pipe.input),
            emulator,
            title: String::new(),
            output_ended: false,
            chunk: Vec::new(),
            taken: 0,
            slice: LARGEST_SLICE,
            held_paste: None,
            refused: false,
        }
    }

    pub fn id(&self) -> SessionId {
        self.session.id
    }

    pub fn asset(&self) -> &AssetId {
        &self.session.asset
    }

    pub fn status(&self) -> &SessionStatus {
        &self.session.status
    }

    /// The host's name, as the inventory has it.
    pub fn host(&self) -> &str {
        &self.session.title
    }

    /// Takes a newer state of the same session.
    pub fn update(&mut self, session: &Session) {
        if session.id == self.session.id {
            self.session.status = session.status.clone();
        }
    }

    /// Takes what the remote side wrote, until `until` at the latest, and a slice at least. `Ready` where something
    /// is to be shown or more is at hand; `Pending` with the waker left where not.
    pub fn poll_output(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let was_stuck = self.input.is_waiting();
        let sent = self.input.poll(cx).is_ready();
        let freed = sent && was_stuck && !self.input.is_waiting();
        let mut changed = false;
        let mut is_drained = false;
        loop {
            if self.taken == self.chunk.len() {
                if self.output_ended {
                    is_drained = true;
                    break;
                }
                match self.output.poll_recv(cx) {
                    Poll::Ready(Some(chunk)) => (self.chunk, self.taken) = (chunk, 0),
                    Poll::Ready(None) => self.output_ended = true,
                    Poll::Pending => {
                        is_drained = true;
                        break;
                    }
                }
            }
            let now = self.take_slice();
            changed = true;
            if now >= until {
                break;
            }
        }
        if changed {
            self.hear();
        }
        // An update that its sender has not ended is not shown in halves, unless it takes too long.
        let is_whole = self.emulator.sync_deadline().is_none();
        if (changed && is_whole) || !is_drained || freed { Poll::Ready(()) } else { Poll::Pending }
    }

    /// More of what the remote side wrote is at hand than there was time for.
    pub fn is_behind(&self) -> bool {
        self.taken < self.chunk.len() || !self.output.is_empty()
    }

    /// Gives the emulator the next slice; the time after it.
    fn take_slice(&mut self) -> Instant {
        let began = Instant::now();
        let end = self.chunk.len().min(self.taken + self.slice);
        self.emulator.feed(&self.chunk[self.taken..end]);
        let full = end - self.taken == self.slice;
        self.taken = end;
        let now = Instant::now();
        let took = now.saturating_duration_since(began);
        if took > SLICE_TIME {
            self.slice = (self.slice / 2).max(SMALLEST_SLICE);
        } else if full && took < SLICE_TIME / 4 {
            self.slice = (self.slice * 2).min(LARGEST_SLICE);
        }
        now
    }

    /// What the emulation has to say: a title, and answers to the remote side's questions.
    fn hear(&mut self) {
        let said = self.emulator.take_said();
        if let Some(title) = said.title {
            self.title = title;
        }
        if !said.replies.is_empty() {
            self.input.answer(&said.replies);
        }
    }

    /// When an unfinished update must be shown.
    pub fn next_wake(&self) -> Option<Instant> {
        self.emulator.sync_deadline()
    }

    /// Shows an update that is overdue; true where something changed.
    pub fn settle(&mut self, now: Instant) -> bool {
        self.emulator.settle(now)
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let size = PaneSize::new(columns, rows);
        if size != self.emulator.size() {
            self.emulator.resize(size);
            self.input.resize(size.columns, size.rows);
        }
    }

    pub fn key(&mut self, key: Key) -> KeyEffect {
        if let Some(text) = self.held_paste.take() {
            if key == Key::plain(KeyCode::Enter) {
                self.send_paste(&text);
            }
            return KeyEffect::Taken;
        }
        if is_leave(key) {
            return if self.is_over() { KeyEffect::Close } else { KeyEffect::Leave };
        }
        if self.is_over() {
            return self.key_after_the_end(key);
        }
        if key.shift && matches!(key.code, KeyCode::PageUp | KeyCode::PageDown) {
            self.emulator.scroll(if key.code == KeyCode::PageUp { Scroll::PageUp } else { Scroll::PageDown });
            return KeyEffect::Taken;
        }
        self.send_key(key);
        KeyEffect::Taken
    }

    /// Sends a key to the remote side, whichever it is.
    pub fn send_key(&mut self, key: Key) {
        let bytes = keys::encode(key, self.emulator.has_mode(TermMode::APP_CURSOR));
        if self.emulator.scrolled() > 0 {
            self.emulator.scroll(Scroll::Bottom);
        }
        self.send(&bytes);
    }

    fn key_after_the_end(&mut self, key: Key) -> KeyEffect {
        let offered = matches!(self.session.status, SessionStatus::Closed { offer_system_ssh: true, .. });
        match key.code {
            KeyCode::PageUp => self.emulator.scroll(Scroll::PageUp),
            KeyCode::PageDown => self.emulator.scroll(Scroll::PageDown),
            KeyCode::Char('!') if offered => return KeyEffect::SystemSsh,
            KeyCode::Enter | KeyCode::Escape | KeyCode::Char('q') => return KeyEffect::Close,
            _ => {}
        }
        KeyEffect::Taken
    }

    /// Text from the clipboard. Escapes and controls are taken out, so that nothing in it can end the bracket or
    /// press a key; several lines without bracketed paste are asked about first.
    pub fn paste(&mut self, text: &str) -> PasteEffect {
        let clean: String = text
            .chars()
            .take(PASTE_LIMIT)
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
            .collect::<String>()
            .replace("\r\n", "\n");
        let lines = clean.matches(['\n', '\r']).count();
        if lines > 0 && !self.emulator.has_mode(TermMode::BRACKETED_PASTE) {
            self.held_paste = Some(clean);
            return PasteEffect::Asks { lines: lines + 1 };
        }
        self.send_paste(&clean);
        PasteEffect::Sent
    }

    fn send_paste(&mut self, text: &str) {
        let text = text.replace('\n', "\r");
        if self.emulator.has_mode(TermMode::BRACKETED_PASTE) {
            self.send(format!("\x1b[200~{text}\x1b[201~").as_bytes());
        } else {
            self.send(text.as_bytes());
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.refused = !self.input.send(bytes);
    }

    pub fn is_over(&self) -> bool {
        matches!(self.session.status, SessionStatus::Closed { .. })
    }

    /// Draws the terminal.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: &Look, colours: Colours, is_focused: bool) {
        if area.height == 0 || area.width == 0 {
            return;
        }
        let cursor = draw::draw(&self.emulator, frame.buffer, area, colours, look.unicode);
        if is_focused && self.held_paste.is_none() && !self.is_over() {
            frame.cursor = cursor.filter(|at: &Position| area.contains(*at));
        }
    }

    /// How the session stands and how to get out, for the last row of the screen while keys go to it.
    pub fn status_line(&self) -> (String, Meaning) {
        // First in the line: a title from afar must not push them off it.
        const WAYS_OUT: &str = "Ctrl+\\ or F12 leaves";
        if let Some(text) = &self.held_paste {
            let lines = text.matches(['\n', '\r']).count() + 1;
            return (
                format!(" Paste {lines} lines? Each may run at once. Enter pastes, any other key does not"),
                Meaning::Warning,
            );
        }
        if self.input.is_waiting() && self.session.status == SessionStatus::Open {
            let lost = if self.refused { "; the last was not sent" } else { "" };
            return (format!(" {WAYS_OUT} · the remote side takes no input at the moment{lost}"), Meaning::Warning);
        }
        match &self.session.status {
            SessionStatus::Opening(step) => (format!(" {WAYS_OUT} · {step}"), Meaning::Dim),
            SessionStatus::Open => match self.emulator.scrolled() {
                0 => {
                    let title = if self.title.is_empty() { String::new() } else { format!(" · \"{}\"", self.title) };
                    (format!(" {WAYS_OUT}, twice sends it · Shift+PageUp scrolls{title}"), Meaning::Dim)
                }
                back => (format!(" {WAYS_OUT} · {back} lines back, any key returns"), Meaning::Accent),
            },
            SessionStatus::Closed { reason, exit_status, offer_system_ssh } => {
                let hint = if *offer_system_ssh { " · ! runs the system's ssh" } else { "" };
                let ok = *exit_status == Some(0);
                let meaning = if ok { Meaning::Dim } else { Meaning::Warning };
                // The pane has the rest.
                let reason = text::clean(reason);
                let first = reason.split_once(". ").map_or(reason.as_str(), |(first, _)| first);
                (format!(" Enter closes{hint} · {first}"), meaning)
            }
        }
    }
}

/// `Ctrl+\`, and a key that every keyboard has without AltGr.
fn is_leave(key: Key) -> bool {
    key == Key::ctrl('\\') || key == Key::plain(KeyCode::Function(12))
}

#[cfg(test)]
mod tests;
