//! Who asks the engine for something, and what he is told: a line, or what became of an entry.

use super::records::Saved;
use crate::base::Untrusted;
use crate::bus::{Asker, Message, MessageWeight, Notice, Ticket};

/// Who writes: whoever asks from elsewhere; as said in the environment, else the user of this process.
pub(super) fn author(asker: &Asker) -> Untrusted {
    asker.author.clone().unwrap_or_else(own_author)
}

/// Who writes from here.
pub fn own_author() -> Untrusted {
    crate::journal::author()
}

/// Tells the screen what became of an entry.
pub(super) fn answer(ticket: Ticket, saved: Saved, end: &Asker) {
    let notice = match saved {
        Ok(entry) => Notice::Saved { ticket, entry },
        Err(reason) => Notice::NotSaved { ticket, reason },
    };
    if end.notices.try_send(notice).is_err() {
        tracing::error!("the screen takes no notices: it was not told whether a note is saved");
    }
}

/// An order that is not carried out, and why.
pub(super) fn refuse(ticket: Ticket, asker: &Asker, why: &str) {
    if asker.notices.try_send(Notice::NotSaved { ticket, reason: why.into() }).is_err() {
        say(asker, MessageWeight::Warning, why);
    }
}

/// One line for the status bar; dropped when the screen is far behind, since it is only a line.
pub(super) fn say(end: &Asker, weight: MessageWeight, text: &str) {
    let message = Message { weight, text: Untrusted::from(text) };
    if end.notices.try_send(Notice::Message(message)).is_err() {
        tracing::warn!(text, "the screen takes no notices");
    }
}
