//! The engine's part of a pause: it is ordered, written down, heard of in the journal, and obeyed.

use super::Engine;
use crate::base::Untrusted;
use crate::bus::{Asker, Ticket};
use crate::engine::asker::{author, refuse};
use crate::journal::Draft;
use crate::model::{Deed, Pause};
use crate::state::{Event, Mode, Storage};

impl Engine {
    /// Before an event is taken in: what it says of pauses.
    pub(super) fn hear_of_pause(&mut self, event: &Event) {
        match event {
            Event::Care(book) => {
                self.halt.read(book.paused.clone());
                self.obey_pause();
            }
            Event::Storage(Storage::NotSaved { .. }) => self.halt.wait_no_more(),
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
        let by = author(asker);
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
        let was_saved = self.halt.is_on_disk();
        self.halt.order(None);
        self.obey_pause();
        if was_saved {
            self.append(asker, ticket, Draft::Deed { deed: Deed::Resumed, author: author(asker) });
        } else {
            // The pause itself is on no disk: there is nothing to take back.
            self.halt.forget_order();
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
