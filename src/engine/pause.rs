//! Whether polling is stopped. The journal says it, and so it lasts over a restart; what was ordered here holds at once, and
//! holds on where the disk cannot take it. Nothing is asked before the journal was read.

use std::sync::Arc;

use super::commands::say;
use super::run::Engine;
use crate::base::Untrusted;
use crate::bus::{Asker, MessageWeight, Notice, Ticket};
use crate::journal::Draft;
use crate::model::{Deed, Pause};
use crate::state::{Event, Mode, Storage};

#[derive(Debug, Default)]
pub(super) struct Halt {
    /// What the journal says.
    saved: Option<Arc<Pause>>,
    /// What was ordered here and the journal does not say yet.
    ordered: Option<Ordered>,
    /// The journal was not read yet.
    awaited: bool,
}

#[derive(Debug)]
enum Ordered {
    Pause(Arc<Pause>),
    Resume,
}

impl Halt {
    /// Of an engine that has a journal, or none.
    pub fn new(has_journal: bool) -> Self {
        Self { awaited: has_journal, ..Self::default() }
    }

    /// Nothing may be asked yet.
    pub fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// What stands.
    pub fn pause(&self) -> Option<&Arc<Pause>> {
        match &self.ordered {
            Some(Ordered::Pause(pause)) => Some(pause),
            Some(Ordered::Resume) => None,
            None => self.saved.as_ref(),
        }
    }

    /// It stands, and is on disk.
    fn is_saved(&self) -> bool {
        self.ordered.is_none() && self.saved.is_some()
    }

    fn order(&mut self, pause: Option<Pause>) {
        self.ordered = Some(pause.map_or(Ordered::Resume, |pause| Ordered::Pause(Arc::new(pause))));
    }

    /// What the journal says now. Where that is news, it is newer than what was ordered here.
    fn read(&mut self, saved: Option<Arc<Pause>>) {
        let id = |pause: &Option<Arc<Pause>>| pause.as_ref().map(|pause| pause.id.clone());
        if id(&saved) != id(&self.saved) {
            self.ordered = None;
        }
        self.saved = saved;
        self.awaited = false;
    }
}

impl Engine {
    /// Before an event is taken in: what it says of pauses.
    pub(super) fn hear_of_pause(&mut self, event: &Event) {
        match event {
            Event::Care(book) => {
                self.halt.read(book.paused.clone());
                self.obey_pause();
            }
            // What cannot be read says nothing.
            Event::Storage(Storage::NotSaved { .. }) => self.halt.awaited = false,
            _ => {}
        }
    }

    /// Rounds were asked for by somebody who is there: they are run.
    fn obey_pause(&mut self) {
        if self.mode == Mode::Passive || self.schedule.is_in_rounds() {
            return;
        }
        let pause = self.halt.pause().cloned();
        self.mode = if pause.is_some() { Mode::Paused } else { Mode::Polling };
        self.take(Event::Paused(pause));
    }

    pub(super) fn pause(&mut self, ticket: Ticket, note: Untrusted, asker: &Asker) {
        if self.is_passive(ticket, asker) {
            return;
        }
        if let Some(pause) = self.halt.pause().filter(|_| self.halt.is_saved()) {
            refuse(ticket, asker, &format!("polling is paused already, by {}", pause.by.line()));
            return;
        }
        let by = super::commands::author(asker);
        self.halt.order(Some(Pause { id: "".into(), by: by.clone(), since: self.clock.now(), note: note.clone() }));
        self.obey_pause();
        self.append(asker, ticket, Draft::Deed { deed: Deed::Paused { note }, author: by });
    }

    pub(super) fn resume(&mut self, ticket: Ticket, asker: &Asker) {
        if self.is_passive(ticket, asker) {
            return;
        }
        if self.halt.pause().is_none() {
            refuse(ticket, asker, "polling is not paused");
            return;
        }
        let was_saved = self.halt.saved.is_some();
        self.halt.order(None);
        self.obey_pause();
        if was_saved {
            self.append(asker, ticket, Draft::Deed { deed: Deed::Resumed, author: super::commands::author(asker) });
        } else {
            // The pause itself is on no disk: there is nothing to take back.
            self.halt.ordered = None;
            refuse(ticket, asker, "polling goes on; its pause was not saved either");
        }
    }

    fn is_passive(&self, ticket: Ticket, asker: &Asker) -> bool {
        if self.mode == Mode::Passive {
            refuse(ticket, asker, "started with --passive: nothing is ever sent");
        }
        self.mode == Mode::Passive
    }
}

fn refuse(ticket: Ticket, asker: &Asker, why: &str) {
    if asker.notices.try_send(Notice::NotSaved { ticket, reason: why.into() }).is_err() {
        say(asker, MessageWeight::Warning, why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    fn pause(id: &str) -> Pause {
        Pause { id: id.into(), by: "ops1".into(), since: Timestamp(0), note: Untrusted::default() }
    }

    #[test]
    fn what_is_ordered_holds_until_the_journal_says_something_new() {
        let mut halt = Halt::new(true);
        assert!(halt.is_awaited());
        halt.read(None);
        assert!(!halt.is_awaited() && halt.pause().is_none());
        halt.order(Some(pause("")));
        // Something else was written meanwhile: the order is on its way.
        halt.read(None);
        assert!(halt.pause().is_some() && !halt.is_saved());
        halt.read(Some(Arc::new(pause("01A"))));
        assert!(halt.is_saved());
        halt.order(None);
        halt.read(Some(Arc::new(pause("01A"))));
        assert!(halt.pause().is_none(), "the disk takes nothing: what was ordered holds");
        // Somebody else paused it again since.
        halt.read(Some(Arc::new(pause("01B"))));
        assert_eq!(halt.pause().map(|pause| pause.id.to_string()).as_deref(), Some("01B"));
        halt.read(None);
        assert!(halt.pause().is_none());
    }
}
