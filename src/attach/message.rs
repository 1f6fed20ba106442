//! What is said after the greeting. The engine sends a snapshot only when the last one was acknowledged, so nothing queues
//! on a slow line: what comes next is the newest. What concerns a session's bytes, questions and answers is no message at
//! all: those live in the console's own process.

use std::sync::Arc;

use super::wire::{Malformed, Reader, Wire, wire};
use crate::bus::{Command, Message, MessageWeight, Notice, Ticket};
use crate::model::{AssetId, Entry, EntryKind, IncidentId, Urgency};

/// A command that goes to an engine elsewhere; the rest are the console's own.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    Pause(bool),
    Recheck(AssetId),
    Confirm(AssetId),
    ConfirmDiscovery,
    Focus(Option<AssetId>),
    Watch(Option<AssetId>),
    OneOff { address: String },
    OpenIncident { ticket: Ticket, title: String, urgency: Urgency },
    AddEntry { ticket: Ticket, incident: IncidentId, kind: EntryKind, text: String, about: Option<String> },
}

/// From a console.
#[derive(Clone, Debug, PartialEq)]
pub enum FromConsole {
    /// The last snapshot was taken in.
    Taken,
    Order(Order),
}

/// From an engine. A snapshot follows its tag as a difference; see [`super::delta`].
#[derive(Clone, Debug, PartialEq)]
pub enum FromEngine {
    Snapshot,
    /// Still there, with nothing to say.
    Alive,
    Saved {
        ticket: Ticket,
        entry: Arc<Entry>,
    },
    NotSaved {
        ticket: Ticket,
        reason: Arc<str>,
    },
    Say(Message),
    Reveal(AssetId),
}

wire! {
    choice Order {
        Pause { 0: pause }, Recheck { 0: asset }, Confirm { 0: asset }, ConfirmDiscovery, Focus { 0: asset },
        Watch { 0: asset }, OneOff { address: address },
        OpenIncident { ticket: ticket, title: title, urgency: urgency },
        AddEntry { ticket: ticket, incident: incident, kind: kind, text: text, about: about },
    }
    choice FromConsole { Taken, Order { 0: order } }
    choice FromEngine {
        Snapshot, Alive, Saved { ticket: ticket, entry: entry }, NotSaved { ticket: ticket, reason: reason },
        Say { 0: message }, Reveal { 0: asset },
    }
    record Message { weight, text }
    choice MessageWeight { Note, Warning, Error }
}

impl Wire for Ticket {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        self.0.put(None, out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        u64::take(None, from).map(Self)
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

impl Order {
    /// The command as it goes elsewhere; back as it came where it is the console's own.
    ///
    /// # Errors
    /// The command.
    pub fn of(command: Command) -> Result<Self, Command> {
        Ok(match command {
            Command::Pause(pause) => Self::Pause(pause),
            Command::Recheck(asset) => Self::Recheck(asset),
            Command::Confirm(asset) => Self::Confirm(asset),
            Command::ConfirmDiscovery => Self::ConfirmDiscovery,
            Command::Focus(asset) => Self::Focus(asset),
            Command::Watch(asset) => Self::Watch(asset),
            Command::OneOff { address } => Self::OneOff { address },
            Command::OpenIncident { ticket, title, urgency } => Self::OpenIncident { ticket, title, urgency },
            Command::AddEntry { ticket, incident, kind, text, about } => {
                Self::AddEntry { ticket, incident, kind, text, about }
            }
            Command::OpenSession { .. } | Command::Answer { .. } | Command::CloseSession(_) | Command::Shutdown => {
                return Err(command);
            }
        })
    }

    /// Whoever waits for an answer.
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::OpenIncident { ticket, .. } | Self::AddEntry { ticket, .. } => Some(*ticket),
            Self::Pause(_)
            | Self::Recheck(_)
            | Self::Confirm(_)
            | Self::ConfirmDiscovery
            | Self::Focus(_)
            | Self::Watch(_)
            | Self::OneOff { .. } => None,
        }
    }
}

impl From<Order> for Command {
    fn from(order: Order) -> Self {
        match order {
            Order::Pause(pause) => Self::Pause(pause),
            Order::Recheck(asset) => Self::Recheck(asset),
            Order::Confirm(asset) => Self::Confirm(asset),
            Order::ConfirmDiscovery => Self::ConfirmDiscovery,
            Order::Focus(asset) => Self::Focus(asset),
            Order::Watch(asset) => Self::Watch(asset),
            Order::OneOff { address } => Self::OneOff { address },
            Order::OpenIncident { ticket, title, urgency } => Self::OpenIncident { ticket, title, urgency },
            Order::AddEntry { ticket, incident, kind, text, about } => {
                Self::AddEntry { ticket, incident, kind, text, about }
            }
        }
    }
}

impl FromEngine {
    /// A notice as it goes elsewhere; nothing where it is a session's.
    pub fn of(notice: Notice) -> Option<Self> {
        Some(match notice {
            Notice::Saved { ticket, entry } => Self::Saved { ticket, entry },
            Notice::NotSaved { ticket, reason } => Self::NotSaved { ticket, reason },
            Notice::Message(message) => Self::Say(message),
            Notice::Reveal(asset) => Self::Reveal(asset),
            Notice::SessionOpened { .. } | Notice::Prompt { .. } | Notice::PromptWithdrawn(_) => return None,
        })
    }
}
