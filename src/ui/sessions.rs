//! How the app deals with sessions: opening them, the keys that go to them, and their questions.

use std::task::{Context, Poll};
use std::time::Instant;

use super::app::App;
use super::chrome;
use super::commands;
use super::overlays::Overlay;
use super::panes::{self, PaneKind, ScreenId};
use super::run::Exit;
use super::session::{KeyEffect, PasteEffect, SessionPane};
use crate::bus::{Command, MessageWeight, SessionPipe};
use crate::config::key::Key;
use crate::model::{AssetId, Prompt, PromptId, Session};

/// Bytes taken from all sessions in one turn of the loop, so that a flood does not starve the keys.
const BUDGET: usize = 64 * 1024;

impl App {
    /// Whether keys go to a remote side.
    pub(super) fn is_typing(&self) -> bool {
        self.typing && self.screen == ScreenId::Sessions && self.overlays.is_empty() && self.asking.is_none()
    }

    /// Asks the engine for a shell on a host.
    pub(super) fn open_session(&mut self, asset: AssetId) {
        let (columns, rows) = self.session_size();
        if self.send(Command::OpenSession { asset, columns, rows }) {
            self.say(MessageWeight::Note, "opening a session");
        }
    }

    /// The cells of a session's terminal: without the rule above and the line below it.
    fn session_size(&self) -> (u16, u16) {
        let body = chrome::body(self, self.size());
        (body.width.max(2), body.height.saturating_sub(2).max(1))
    }

    pub(super) fn session_opened(&mut self, session: Session, pipe: SessionPipe) {
        let (columns, rows) = self.session_size();
        self.sessions.push(SessionPane::new(session, pipe, columns, rows));
        self.go(ScreenId::Sessions);
        let last = self.sessions.len() - 1;
        self.refresh_sessions();
        self.list_mut(PaneKind::Sessions).select_row(last);
        self.typing = true;
    }

    pub(super) fn refresh_sessions(&mut self) {
        let order = panes::order(self, PaneKind::Sessions);
        self.list_mut(PaneKind::Sessions).order = order;
        let last = self.sessions.len().saturating_sub(1);
        let list = self.list_mut(PaneKind::Sessions);
        list.selected = list.selected.min(last);
    }

    /// Gives every session the size of its pane.
    pub(super) fn resize_sessions(&mut self) {
        let (columns, rows) = self.session_size();
        for pane in &mut self.sessions {
            pane.resize(columns, rows);
        }
    }

    /// Takes the sessions' states from the snapshot.
    pub(super) fn update_sessions(&mut self) {
        let snapshot = self.snapshot.clone();
        for pane in &mut self.sessions {
            if let Some(session) = snapshot.sessions.iter().find(|s| s.id == pane.id()) {
                pane.update(session);
            }
        }
    }

    pub(super) fn session_key(&mut self, key: Key) {
        let Some(row) = self.list(PaneKind::Sessions).row() else {
            self.typing = false;
            return;
        };
        let Some(pane) = self.sessions.get_mut(row) else { return };
        match pane.key(key) {
            KeyEffect::Taken => {}
            KeyEffect::Leave => {
                self.typing = false;
                self.say(MessageWeight::Note, "the session goes on: Enter types into it, Esc goes back");
            }
            KeyEffect::Close => self.close_session(row),
            KeyEffect::SystemSsh => {
                let asset = pane.asset().clone();
                self.close_session(row);
                let host = self.snapshot.host(&asset).map(|h| h.host.clone());
                let name = host.and_then(|h| h.ssh_alias.clone().or_else(|| h.address.clone()));
                if let Some(name) = name {
                    self.set_exit(Exit::Foreground(commands::system_ssh(&name)));
                }
            }
        }
    }

    fn close_session(&mut self, row: usize) {
        let pane = self.sessions.remove(row);
        self.send(Command::CloseSession(pane.id()));
        self.typing = false;
        self.refresh_sessions();
        if self.sessions.is_empty() {
            self.go(ScreenId::Overview);
        }
    }

    pub(super) fn session_paste(&mut self, text: &str) {
        let row = self.list(PaneKind::Sessions).row();
        if let Some(pane) = row.and_then(|row| self.sessions.get_mut(row))
            && let PasteEffect::Asks { lines } = pane.paste(text)
        {
            self.say(MessageWeight::Warning, format!("{lines} lines: Enter pastes them, any other key does not"));
        }
    }

    pub(super) fn asked(&mut self, id: PromptId, prompt: Prompt) {
        self.overlays.push(Overlay::question(id, prompt));
    }

    pub(super) fn withdrawn(&mut self, id: PromptId) {
        self.overlays.retain(|overlay| !matches!(overlay, Overlay::Question(question) if question.id == id));
    }

    pub(super) fn poll_panes(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let each = BUDGET / self.sessions.len().max(1);
        let mut changed = false;
        for pane in &mut self.sessions {
            changed |= pane.settle(now);
            changed |= pane.poll_output(cx, each).is_ready();
        }
        if changed { Poll::Ready(()) } else { Poll::Pending }
    }
}
