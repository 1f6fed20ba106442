//! What the operator may ask of the engine, one arm a command.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::Engine;
use crate::base::Untrusted;
use crate::bus::{Asker, Command, MessageWeight, Notice, Ticket};
use crate::engine::asker::{author, say};
use crate::engine::discover;
use crate::journal::Draft;
use crate::model::care::LONGEST_CLAIM;
use crate::model::{AssetId, Claim, Deed, Release, Span};
use crate::state::Mode;

/// The most bytes of one note.
const NOTE_LIMIT: usize = 64 * 1024;

impl Engine {
    /// Carries a command out; `Break` where the engine should end.
    pub(super) fn command(&mut self, command: Command, end: &Asker) -> ControlFlow<()> {
        match command {
            Command::Shutdown if end.id != 0 => {}
            Command::Shutdown => return ControlFlow::Break(()),
            Command::Pause { ticket, note } => {
                self.pause(ticket, Untrusted::bounded(note.as_bytes(), NOTE_LIMIT), end);
            }
            Command::Resume { ticket } => self.resume(ticket, end),
            Command::Recheck(asset) => self.recheck(&asset, end),
            Command::Confirm(asset) => self.confirm(&asset),
            // Whoever looks away ends nobody else's look.
            Command::Focus(None) if self.focuser != end.id => {}
            Command::Focus(asset) => {
                self.focuser = end.id;
                self.schedule.focus(asset, self.clock.now());
            }
            Command::Watch(asset) => self.watch(asset, end),
            Command::WatchHost { asset, watch } => self.watch_host(&asset, watch, end),
            Command::ComparePackages { ticket, pair } => self.compare_packages(ticket, pair, end),
            Command::OneOff { address } => self.one_off(&address, end),
            Command::ConfirmDiscovery => self.confirm_discovery(end),
            Command::OpenIncident { ticket, title, urgency } => {
                let title = Untrusted::new(title);
                self.append(end, ticket, Draft::Open { title, urgency, author: author(end), about: None });
            }
            Command::AddEntry { ticket, incident, kind, text, about } => {
                let (text, about) = (Untrusted::bounded(text.as_bytes(), NOTE_LIMIT), about.map(Untrusted::from));
                self.append(end, ticket, Draft::Add { incident, kind, text, author: author(end), about });
            }
            // Sessions live in the process of whoever looks at them; its own keys and agent open them.
            Command::OpenSession { .. } | Command::Answer { .. } | Command::CloseSession(_) if end.id != 0 => {
                say(end, MessageWeight::Warning, "sessions are opened by the console itself");
            }
            Command::Claim { ticket, target, owner, note, lasts, stickiness, over } => {
                let owner = owner.map_or_else(|| author(end), Untrusted::from);
                let note = Untrusted::bounded(note.as_bytes(), NOTE_LIMIT);
                // Written by the clock on the wall, as every entry is.
                let until = self.clock.wall().plus(lasts.min(LONGEST_CLAIM));
                let condition = self.state.condition_of(&target);
                let claim = Claim { target, owner, note, until, stickiness, condition };
                self.append(end, ticket, Draft::Claim { claim, over, author: author(end) });
            }
            Command::Release { ticket, target } => {
                let deed = Deed::Released { target, claim: None, why: Release::ByHand };
                self.append(end, ticket, Draft::Deed { deed, author: author(end) });
            }
            Command::Maintain { ticket, mut order } => {
                if let Span::Once { from, until } = &mut order.span {
                    (*from, *until) = (self.clock.as_wall(*from), self.clock.as_wall(*until));
                }
                self.append(end, ticket, Draft::Deed { deed: Deed::Ordered(order), author: author(end) });
            }
            Command::CancelMaintenance { ticket, maintenance } => {
                self.append(end, ticket, Draft::Deed { deed: Deed::Cancelled { maintenance }, author: author(end) });
            }
            Command::OpenSession { .. } if self.mode == Mode::Passive => {
                say(end, MessageWeight::Warning, "PASSIVE: no session is opened, nothing is ever sent");
            }
            Command::OpenSession { asset, columns, rows } => match self.plan.inventory.host(&asset).cloned() {
                Some(host) => {
                    self.sessions.open(&host, columns, rows);
                }
                None => say(end, MessageWeight::Warning, "the host left the inventory"),
            },
            Command::Answer { prompt, answer } => self.sessions.answer(prompt, answer),
            Command::CloseSession(id) => self.sessions.close(id),
        }
        ControlFlow::Continue(())
    }

    fn recheck(&mut self, asset: &AssetId, end: &Asker) {
        let name = asset.as_str();
        if self.mode != Mode::Polling {
            say(end, MessageWeight::Warning, "polling is off: nothing is asked");
            return;
        }
        for bound in self.plan.checks.iter().filter(|bound| bound.spec.key.subject.id() == asset) {
            bound.run.told();
        }
        if !self.schedule.hurry(asset, self.clock.now()) {
            say(end, MessageWeight::Note, &format!("{name} keeps its own pace and is not asked sooner"));
        }
    }

    fn one_off(&mut self, address: &str, end: &Asker) {
        match discover::one_off(address) {
            Ok(extra) => {
                let id = extra.inventory.hosts.first().map(|h| h.id.clone());
                self.extras.push(extra);
                let plan = std::mem::take(&mut self.plan);
                self.take_plan(plan);
                if let Some(id) = id {
                    // The screen shows it with the next snapshot; a full lane only costs the jump there.
                    let _ = end.notices.try_send(Notice::Reveal(id));
                }
            }
            Err(why) => say(end, MessageWeight::Warning, &why),
        }
    }

    fn confirm_discovery(&mut self, end: &Asker) {
        let told = self.discover_all.take().is_some_and(|sender| sender.send(()).is_ok());
        let words = if told { "watching every host of ~/.ssh/config" } else { "nothing was held back" };
        say(end, MessageWeight::Note, words);
    }

    /// Hands a draft to the journal; its answer goes to the screen when it is on disk, or cannot be.
    pub(super) fn append(&self, asker: &Asker, ticket: Ticket, draft: Draft) {
        let (saved, asker) = (self.saved.clone(), asker.clone());
        let answer = self.records.as_ref().map(|records| records.append(draft));
        tokio::spawn(async move {
            let result = match answer {
                Some(answer) => answer.await.unwrap_or_else(|_| Err("the journal has ended".into())),
                None => Err("this console keeps nothing".into()),
            };
            // A closed channel means that the engine has ended.
            let _ = saved.send((asker, ticket, result)).await;
        });
    }

    fn confirm(&mut self, asset: &AssetId) {
        let mut plan = self.plan.clone();
        for bound in &mut plan.checks {
            if bound.spec.key.subject.id() == asset && bound.spec.waits_for.is_some() {
                Arc::make_mut(&mut bound.spec).waits_for = None;
            }
        }
        let mut inventory = (*plan.inventory).clone();
        inventory.checks = plan.checks.iter().map(|bound| bound.spec.clone()).collect();
        plan.inventory = Arc::new(inventory);
        self.take_plan(plan);
        self.schedule.confirm(asset, self.clock.now());
    }
}
