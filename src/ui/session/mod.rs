//! One SSH session as a pane: the remote side's terminal, keys to it, and a line that always says how to get out.
//! All keys go to the remote side but `Ctrl+\` and `F12`, which leave; twice in a row they are sent. A flood is
//! taken in portions, so that the rest of the screen never waits for it.

mod draw;
mod emulator;
mod filter;
mod keys;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use alacritty_terminal::grid::Scroll;
use alacritty_terminal::term::TermMode;
use ratatui::layout::{Position, Rect};

use super::canvas::Row;
use super::frame::{Colours, Frame};
use super::look::Look;
use crate::base::text;
use crate::bus::{SessionInput, SessionPipe};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::{AssetId, Session, SessionId, SessionStatus};

use emulator::Emulator;
pub use emulator::{PaneSize, panic_is_contained};

/// A second key that leaves, within this time after the first, is meant for the remote side.
const TWICE: Duration = Duration::from_millis(600);
/// More than one paste of this size is a mistake.
const PASTE_LIMIT: usize = 1 << 20;
/// Bytes to the remote side in one message.
const INPUT_CHUNK: usize = 16 * 1024;

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
    pipe: SessionPipe,
    emulator: Emulator,
    title: String,
    output_ended: bool,
    left_at: Option<Instant>,
    held_paste: Option<String>,
    /// Bytes that found no room in the lane; nothing is lost or reordered, and a full lane stops typing.
    refused: bool,
}

impl SessionPane {
    pub fn new(session: Session, pipe: SessionPipe, columns: u16, rows: u16) -> Self {
        let emulator = Emulator::new(PaneSize::new(columns, rows));
        let title = session.title.to_string();
        Self { session, pipe, emulator, title, output_ended: false, left_at: None, held_paste: None, refused: false }
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

    /// The remote side's own title where it set one, else the host's name; clean.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Takes a newer state of the same session.
    pub fn update(&mut self, session: &Session) {
        if session.id == self.session.id {
            self.session.status = session.status.clone();
        }
    }

    /// Takes what the remote side wrote, at most `budget` bytes and a chunk. `Ready` where something changed;
    /// `Pending` with the waker left where nothing did.
    pub fn poll_output(&mut self, cx: &mut Context<'_>, budget: usize) -> Poll<()> {
        let mut taken = 0;
        while taken < budget && !self.output_ended {
            match self.pipe.output.poll_recv(cx) {
                Poll::Ready(Some(chunk)) => {
                    taken += chunk.len().max(1);
                    self.emulator.feed(&chunk);
                }
                Poll::Ready(None) => {
                    self.output_ended = true;
                    taken += 1;
                }
                Poll::Pending => break,
            }
        }
        if taken == 0 {
            return Poll::Pending;
        }
        let said = self.emulator.take_said();
        if let Some(title) = said.title {
            self.title = if title.is_empty() { self.session.title.to_string() } else { title };
        }
        if !said.replies.is_empty() {
            // A lane that is full loses an answer to a flood of questions, not what was typed.
            let _ = self.pipe.input.try_send(SessionInput::Bytes(said.replies));
        }
        Poll::Ready(())
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
            let resized = SessionInput::Resize { columns: size.columns, rows: size.rows };
            self.refused |= self.pipe.input.try_send(resized).is_err() && !self.is_over();
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
            let again = self.left_at.take().is_some_and(|at| at.elapsed() < TWICE);
            if !again || self.is_over() {
                self.left_at = Some(Instant::now());
                return if self.is_over() { KeyEffect::Close } else { KeyEffect::Leave };
            }
        }
        self.left_at = None;
        if self.is_over() {
            return self.key_after_the_end(key);
        }
        if key.shift && matches!(key.code, KeyCode::PageUp | KeyCode::PageDown) {
            self.emulator.scroll(if key.code == KeyCode::PageUp { Scroll::PageUp } else { Scroll::PageDown });
            return KeyEffect::Taken;
        }
        let bytes = keys::encode(key, self.emulator.has_mode(TermMode::APP_CURSOR));
        if self.emulator.scrolled() > 0 {
            self.emulator.scroll(Scroll::Bottom);
        }
        self.send(&bytes);
        KeyEffect::Taken
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

    /// All of it, or, where the lane has no room for all, nothing: half a command must not be run.
    fn send(&mut self, bytes: &[u8]) {
        let chunks = bytes.len().div_ceil(INPUT_CHUNK);
        if chunks == 0 {
            return;
        }
        self.refused = self.pipe.input.capacity() < chunks;
        if !self.refused {
            for chunk in bytes.chunks(INPUT_CHUNK) {
                self.refused |= self.pipe.input.try_send(SessionInput::Bytes(chunk.to_vec())).is_err();
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.session.status, SessionStatus::Closed { .. })
    }

    /// Draws the terminal and, in the last row, how the session stands and how to get out.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: &Look, colours: Colours, is_focused: bool) {
        if area.height == 0 || area.width == 0 {
            return;
        }
        let grid = Rect { height: area.height.saturating_sub(1), ..area };
        let cursor = draw::draw(&self.emulator, frame.buffer, grid, colours, look.unicode);
        if is_focused && self.held_paste.is_none() {
            frame.cursor = cursor.filter(|at: &Position| grid.contains(*at));
        }
        let (words, meaning) = self.status_line();
        let mut row = Row::new(frame.buffer, look, area, area.bottom() - 1);
        row.put(&look.text(&words), look.style(meaning));
    }

    fn status_line(&self) -> (String, Meaning) {
        const WAYS_OUT: &str = "Ctrl+\\ or F12 leaves";
        if let Some(text) = &self.held_paste {
            let lines = text.matches(['\n', '\r']).count() + 1;
            return (
                format!(" Paste {lines} lines? Each may run at once. Enter pastes, any other key does not"),
                Meaning::Warning,
            );
        }
        if self.refused && !self.is_over() {
            return (format!(" the remote side takes no input at the moment · {WAYS_OUT}"), Meaning::Warning);
        }
        match &self.session.status {
            SessionStatus::Opening(step) => (format!(" {step} · {WAYS_OUT}"), Meaning::Dim),
            SessionStatus::Open => {
                let scrolled = self.emulator.scrolled();
                let view = if scrolled > 0 { format!(" · {scrolled} lines back") } else { String::new() };
                (format!(" {}{view} · {WAYS_OUT} · Shift+PageUp scrolls", self.title), Meaning::Dim)
            }
            SessionStatus::Closed { reason, exit_status, offer_system_ssh } => {
                let hint = if *offer_system_ssh { "! runs the system's ssh · " } else { "" };
                let ok = *exit_status == Some(0);
                let meaning = if ok { Meaning::Dim } else { Meaning::Warning };
                (format!(" {hint}Enter closes · {}", text::clean(reason)), meaning)
            }
        }
    }

    /// The reason in full, for a box: it may be longer than a line.
    pub fn closing_reason(&self) -> Option<Arc<str>> {
        match &self.session.status {
            SessionStatus::Closed { reason, .. } => Some(reason.clone()),
            SessionStatus::Opening(_) | SessionStatus::Open => None,
        }
    }
}

/// `Ctrl+\`, and a key that every keyboard has without AltGr.
fn is_leave(key: Key) -> bool {
    key == Key::ctrl('\\') || key == Key::plain(KeyCode::Function(12))
}

#[cfg(test)]
mod tests;
