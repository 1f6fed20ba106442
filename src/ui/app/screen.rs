//! The app as the loop sees it: see [`Screen`].

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{App, marks};
use crate::base::{Timestamp, Untrusted, units};
use crate::bus::{Command, Message, MessageWeight, Notice};
use crate::config::key::{Key, KeyCode};
use crate::config::keymap::Lookup;
use crate::config::theme::Background;
use crate::model::{EntryKind, IncidentStatus};
use crate::state::{Link, Snapshot};
use crate::ui::action::Action;
use crate::ui::chrome;
use crate::ui::clipboard::Clip;
use crate::ui::frame::Frame;
use crate::ui::overlays::{self, Packages, Reaction};
use crate::ui::panes;
use crate::ui::run::{Exit, Screen};
use crate::ui::screen::{Mouse, Ring};
use crate::ui::session::SessionPane;

impl Screen for App {
    fn key(&mut self, key: Key) {
        self.answering = true;
        if self.lower_wall() {
            return;
        }
        let left = self.left.take();
        if self.is_typing() {
            self.session_key(key);
            self.settle();
            return;
        }
        if let Some((id, by)) = left
            && by == key
            && self.send_again(id, key)
        {
            self.settle();
            return;
        }
        // Esc and a key that came together on a slow line look like Alt and that key.
        if key.alt && self.keymap.look_up(&[key]) == Lookup::Nothing {
            self.key(Key::plain(KeyCode::Escape));
            self.key(Key { alt: false, ..key });
            return;
        }
        // Whatever is open stays open: the shell, and a whole picture, are needed at any moment.
        if let Lookup::Action(name) = self.keymap.look_up(&[key])
            && let Some(action @ (Action::Suspend | Action::Redraw)) = Action::named(name)
        {
            self.act(action);
            return;
        }
        // A command is typed over what is read, too.
        if self.asking.is_some() {
            self.ask_key(key);
        } else if self.overlays.is_empty() {
            self.map_key(key);
        } else if !self.detail_key(key) {
            match overlays::key(self, key) {
                Reaction::Close => {
                    self.overlays.pop();
                }
                Reaction::Keep => {}
            }
        }
        self.settle();
    }

    fn mouse(&mut self, mouse: Mouse) {
        if self.wall.is_none() {
            self.pointed(mouse);
        }
    }

    /// Not in a session: what stands there is marked as in any terminal.
    fn wants_mouse(&self) -> bool {
        self.pointer.on && !self.is_typing()
    }

    fn paste(&mut self, text: String) {
        if self.wall.is_some() {
            return;
        }
        if self.is_typing() {
            self.session_paste(&text);
        } else if let Some((_, line)) = &mut self.asking {
            line.insert(&crate::base::text::clean(&text.replace(['\r', '\n'], " ")));
        } else {
            overlays::paste(self, &text);
        }
        self.settle();
    }

    fn resized(&mut self, columns: u16, rows: u16) {
        self.size = (columns, rows);
        self.settle();
        self.resize_sessions();
    }

    fn snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.answering = false;
        if let Some(wall) = &mut self.wall {
            wall.snapshot(snapshot.clone());
        }
        let is_lost = |snapshot: &Snapshot| matches!(snapshot.engine.link, Link::Lost { .. });
        if is_lost(&snapshot)
            && !is_lost(self.live())
            && self.message.as_ref().is_some_and(|m| m.0 == MessageWeight::Note)
        {
            // "attached to" is not so any more.
            self.message = None;
        }
        let Some(snapshot) = self.keep_for_thaw(snapshot) else { return };
        self.replace(snapshot);
        self.update_sessions();
        self.select_recalled();
        if let Some(target) = self.reveal.take() {
            match self.find(&target) {
                Some(asset) => self.reveal(&asset),
                // An inventory is there and complete, and the target is not in it.
                None if !self.asked_for_target
                    && !self.snapshot.hosts.is_empty()
                    && !self.snapshot.engine.discovering
                    && self.snapshot.awaited.is_nothing() =>
                {
                    self.asked_for_target = true;
                    self.send(Command::OneOff { address: target });
                }
                None => self.reveal = Some(target),
            }
        }
        self.settle();
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Saved { ticket, .. } if self.step_answered(ticket, None) => {}
            Notice::NotSaved { ticket, ref reason } if self.step_answered(ticket, Some(reason)) => {}
            Notice::NotSaved { ticket, ref reason }
                if overlays::compared(self, ticket, || Packages::Refused(reason.to_string())) => {}
            Notice::Packages { ticket, comparison } => {
                // Nobody waits any more: the two were put away.
                let _ = overlays::compared(self, ticket, || Packages::Told(comparison));
            }
            Notice::Saved { ticket, entry } => {
                overlays::saved(self, ticket);
                let words = if matches!(entry.kind, EntryKind::Paused | EntryKind::Resumed) {
                    format!("polling {}: it is in the journal", entry.kind.as_str())
                } else if entry.kind.is_deed() {
                    format!("{} {}", entry.kind.as_str(), entry.about.as_ref().map(Untrusted::line).unwrap_or_default())
                } else {
                    format!("saved in {}", entry.incident)
                };
                self.say(MessageWeight::Note, words);
            }
            Notice::NotSaved { ticket, reason } => {
                self.say(MessageWeight::Error, format!("NOT SAVED: {reason}"));
                overlays::not_saved(self, ticket, &reason);
            }
            Notice::Ring(call) => {
                self.say(MessageWeight::Warning, call.words.clone());
                self.ring = Some(Ring::Alert(call));
            }
            Notice::Message(Message { weight, text }) => self.say(weight, text.line()),
            Notice::Reveal(asset) => {
                if self.frozen.is_some() {
                    self.say(MessageWeight::Note, format!("{} is shown when the picture goes on", asset.as_str()));
                }
                self.asked_for_target = true;
                self.reveal = Some(asset.as_str().to_owned());
            }
            Notice::Prompt { id, prompt, .. } => {
                // Somebody is asked something.
                self.lower_wall();
                self.asked(id, prompt);
            }
            Notice::PromptWithdrawn(id) => self.withdrawn(id),
            Notice::SessionOpened { session, pipe } => self.session_opened(session, pipe),
        }
        self.settle();
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        if let Some(wall) = &self.wall {
            wall.draw(frame);
            return;
        }
        chrome::draw(self, frame);
        let now = frame.now;
        // What is below the header is of then, its ages too.
        frame.now = self.frozen.as_ref().map_or(now, |frozen| frozen.since);
        let areas = panes::layout(self, chrome::body(self, (frame.area.width, frame.area.height)));
        for (kind, area) in &areas {
            panes::draw(self, frame, *kind, *area);
        }
        if let Some(side) = chrome::side(self, (frame.area.width, frame.area.height)) {
            overlays::draw_side(self, frame, side);
        }
        let answer = areas.iter().find(|(kind, _)| *kind == self.focus).map(|(_, area)| area.y..area.bottom());
        let covered = overlays::draw(self, frame);
        frame.now = now;
        chrome::draw_frozen(self, frame);
        if self.answering {
            frame.answer = covered.or(if self.asking.is_some() {
                Some(frame.area.height.saturating_sub(1)..frame.area.height)
            } else {
                answer
            });
        }
    }

    fn background(&mut self, background: Background) {
        if self.themes.set_background(background) {
            self.look = self.themes.look();
        }
        if let Some(wall) = &mut self.wall {
            wall.background(background);
        }
    }

    fn poll_sessions(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.wall.as_mut().is_some_and(|wall| wall.poll_sessions(cx).is_ready()) {
            return Poll::Ready(());
        }
        if self.poll_copy(cx).is_ready() || self.poll_runbook(cx).is_ready() || self.poll_wall(cx).is_ready() {
            return Poll::Ready(());
        }
        let Poll::Ready(problems) = self.themes.poll(cx) else { return self.poll_panes(cx) };
        self.look = self.themes.look();
        for problem in problems {
            self.say(MessageWeight::Warning, problem);
        }
        Poll::Ready(())
    }

    fn is_behind(&self) -> bool {
        self.sessions.iter().any(SessionPane::is_behind)
    }

    fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        if let Some(wall) = &self.wall {
            return wall.next_wake(now);
        }
        let mut soonest = now.plus(std::time::Duration::from_secs(60));
        if let Some(frozen) = &self.frozen {
            soonest = soonest.min(frozen.next_second(now));
        }
        if self.work.as_ref().is_some_and(marks::Work::is_waiting_for_room) {
            soonest = soonest.min(now.plus(std::time::Duration::from_millis(50)));
        }
        // Ages that change within one second change together: a picture costs more than the moment they are late.
        let mut consider = |at: Timestamp| {
            let until = units::until_next_bucket(now.since(at));
            soonest = soonest.min(now.plus(until).next_whole_second());
        };
        for (kind, area) in panes::layout(self, chrome::body(self, self.size)) {
            let list = self.list(kind);
            for row in list.order.iter().skip(list.top).take(usize::from(area.height)) {
                if let Some(at) = panes::time(self, kind, *row) {
                    consider(at);
                }
            }
        }
        // The detail of what is selected shows the ages of its checks.
        if (chrome::side(self, self.size).is_some() || !self.overlays.is_empty())
            && let Some(host) = self.asset_looked_at().and_then(|id| self.snapshot.host(&id))
        {
            host.checks.iter().filter_map(|c| c.last.as_ref()).for_each(|last| consider(last.at));
        }
        if let Some(pause) = &self.live().engine.pause {
            soonest = soonest.min(now.plus(units::until_next_bucket(now.since(pause.since))));
        }
        if self.live().open_incident().is_some_and(|i| i.status == IncidentStatus::Open) {
            soonest = soonest.min(now.plus(std::time::Duration::from_secs(1)));
        }
        if let Some(at) = self.sessions_wake() {
            soonest = soonest.min(now.plus(at.saturating_duration_since(std::time::Instant::now())));
        }
        Some(soonest)
    }

    fn tick(&mut self, now: Timestamp) {
        self.now = now;
        if let Some(wall) = &mut self.wall {
            wall.tick(now);
        }
        self.go_on();
    }

    fn engine_gone(&mut self) {
        if let Some(wall) = &mut self.wall {
            wall.engine_gone();
        }
    }

    fn take_clip(&mut self) -> Option<Clip> {
        self.clipboard.take()
    }

    fn take_ring(&mut self) -> Option<Ring> {
        self.ring.take().or_else(|| self.wall.as_mut()?.take_ring())
    }

    fn take_exit(&mut self) -> Option<Exit> {
        self.exit.take()
    }

    fn foreground_ended(&mut self, argv: &[String], outcome: io::Result<ExitStatus>) {
        match outcome {
            Ok(status) if status.success() => self.say(MessageWeight::Note, format!("{} ended", argv.join(" "))),
            Ok(status) => self.say(MessageWeight::Warning, format!("{} ended: {status}", argv.join(" "))),
            Err(error) => self.say(MessageWeight::Error, format!("cannot run {}: {error}", argv.join(" "))),
        }
    }
}
