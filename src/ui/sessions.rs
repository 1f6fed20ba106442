//! How the app deals with sessions: opening them, the keys that go to them, and their questions.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::app::App;
use super::chrome;
use super::commands;
use super::overlays::Overlay;
use super::panes::{self, PaneKind, ScreenId};
use super::session::{KeyEffect, PasteEffect, SessionPane};
use crate::bus::{Command, MessageWeight, SessionPipe};
use crate::config::key::Key;
use crate::model::{AssetId, Prompt, PromptId, Session, SessionId};
use crate::ui::action::Action;

/// Time for what all sessions write in one turn of the loop, so that a flood does not starve the keys.
const TURN: Duration = Duration::from_millis(4);

impl App {
    /// Whether keys go to a remote side.
    pub(super) fn is_typing(&self) -> bool {
        self.typing && self.screen == ScreenId::Sessions && self.overlays.is_empty() && self.asking.is_none()
    }

    /// Asks the engine for a shell on a host.
    pub(super) fn open_session(&mut self, asset: AssetId) {
        let (columns, rows) = self.session_size();
        // The pane itself says what is being done.
        self.send(Command::OpenSession { asset, columns, rows });
    }

    /// The cells of a session's terminal: all below the rule.
    fn session_size(&self) -> (u16, u16) {
        let body = chrome::body(self, self.size());
        (body.width.max(2), body.height.saturating_sub(1).max(1))
    }

    /// The session that keys go to.
    pub(super) fn typed_into(&self) -> Option<&SessionPane> {
        self.list(PaneKind::Sessions).row().filter(|_| self.is_typing()).and_then(|row| self.sessions.get(row))
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

    /// The screen of sessions with that one selected.
    pub(super) fn show_session(&mut self, id: SessionId) {
        self.leave_place();
        self.go(ScreenId::Sessions);
        self.refresh_sessions();
        if let Some(row) = self.sessions.iter().position(|session| session.id() == id) {
            self.list_mut(PaneKind::Sessions).select_row(row);
        }
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
        let snapshot = self.live().clone();
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
                let (id, host) = (pane.id(), pane.host().to_owned());
                self.typing = false;
                self.left = Some((id, key));
                let [types, ends, back] =
                    [Action::Open, Action::EndSession, Action::Back].map(|deed| self.key_of(deed));
                let words =
                    format!("{key} again sends it to {host}, {types} types into it, {ends} ends it, {back} goes back");
                self.say(MessageWeight::Note, words);
            }
            KeyEffect::Close => self.close_session(row),
            KeyEffect::SystemSsh => {
                let asset = pane.asset().clone();
                self.close_session(row);
                let host = self.snapshot.host(&asset).map(|h| h.host.clone());
                let name = host.and_then(|h| h.ssh_alias.clone().or_else(|| h.address.clone()));
                if let Some(name) = name {
                    commands::run_system_ssh(self, &name);
                }
            }
        }
    }

    /// The key that left a session, pressed once more before any other: it was meant for the remote side, as with a
    /// prefix key of a terminal multiplexer. There is no time limit: on a slow line two presses come in together or
    /// far apart, and what the second one does stands in the footer for as long as it does it.
    pub(super) fn send_again(&mut self, id: SessionId, key: Key) -> bool {
        let at_hand = self.screen == ScreenId::Sessions && self.overlays.is_empty() && self.asking.is_none();
        let row = self.sessions.iter().position(|pane| pane.id() == id && !pane.is_over());
        let (true, Some(row)) = (at_hand, row) else { return false };
        self.sessions[row].send_key(key);
        self.list_mut(PaneKind::Sessions).select_row(row);
        self.typing = true;
        self.message = None;
        true
    }

    /// Ends the selected session; asks where the remote side has not ended it.
    pub(super) fn end_session(&mut self) {
        let row = self.list(PaneKind::Sessions).row().filter(|_| self.screen == ScreenId::Sessions);
        let Some((row, pane)) = row.and_then(|row| Some((row, self.sessions.get(row)?))) else {
            self.say(MessageWeight::Note, "no session is selected: 6 shows them");
            return;
        };
        if pane.is_over() {
            self.close_session(row);
        } else {
            let (id, host) = (pane.id(), pane.host().to_owned());
            self.overlays.push(Overlay::EndSession { id, host });
        }
    }

    pub(super) fn close_session_of(&mut self, id: SessionId) {
        if let Some(row) = self.sessions.iter().position(|pane| pane.id() == id) {
            self.close_session(row);
        }
    }

    /// When an update that a remote side does not end has to be shown.
    pub(super) fn sessions_wake(&self) -> Option<Instant> {
        self.sessions.iter().filter_map(SessionPane::next_wake).min()
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
        let each = TURN / u32::try_from(self.sessions.len()).unwrap_or(u32::MAX).max(1);
        let mut changed = false;
        for pane in &mut self.sessions {
            changed |= pane.settle(now);
            changed |= pane.poll_output(cx, Instant::now() + each).is_ready();
        }
        if changed { Poll::Ready(()) } else { Poll::Pending }
    }
}
