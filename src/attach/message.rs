//! What is said after the greeting. The engine sends a snapshot only when the last one was acknowledged, so nothing queues
//! on a slow line: what comes next is the newest. What concerns a session's bytes, questions and answers is no message at
//! all: those live in the console's own process.

use std::sync::Arc;
use std::time::Duration;

use super::wire::{Malformed, Reader, Wire, wire};
use crate::bus::{Call, Command, InView, Message, MessageWeight, Notice, Ticket};
use crate::model::{
    AssetId, Desktop, Entry, EntryKind, IncidentId, Order as Upkeep, PackageAnswer, PackageComparison,
    PackageDifference, PackageDifferences, Stickiness, Target, Urgency,
};

/// A command that goes to an engine elsewhere; the rest are the console's own.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    Pause {
        ticket: Ticket,
        note: String,
    },
    Resume {
        ticket: Ticket,
    },
    Recheck(AssetId),
    Confirm(AssetId),
    ConfirmDiscovery,
    Focus(Option<AssetId>),
    Watch(Option<AssetId>),
    WatchHost {
        asset: AssetId,
        watch: bool,
    },
    ComparePackages {
        ticket: Ticket,
        pair: [AssetId; 2],
    },
    OneOff {
        address: String,
    },
    OpenIncident {
        ticket: Ticket,
        title: String,
        urgency: Urgency,
    },
    AddEntry {
        ticket: Ticket,
        incident: IncidentId,
        kind: EntryKind,
        text: String,
        about: Option<String>,
    },
    Claim {
        ticket: Ticket,
        target: Target,
        owner: Option<String>,
        note: String,
        lasts: Duration,
        stickiness: Stickiness,
        over: Option<Arc<str>>,
    },
    Release {
        ticket: Ticket,
        target: Target,
    },
    Maintain {
        ticket: Ticket,
        order: Upkeep,
    },
    CancelMaintenance {
        ticket: Ticket,
        maintenance: Arc<str>,
    },
}

/// From a console.
#[derive(Clone, Debug, PartialEq)]
pub enum FromConsole {
    /// The last snapshot was taken in.
    Taken,
    /// What its screen shows now: of what is still to come that comes first.
    InView(InView),
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
    Packages {
        ticket: Ticket,
        comparison: Arc<PackageComparison>,
    },
    Say(Message),
    Reveal(AssetId),
    Ring(Call),
}

wire! {
    choice Order {
        Pause { ticket: ticket, note: note }, Resume { ticket: ticket }, Recheck { 0: asset }, Confirm { 0: asset }, ConfirmDiscovery, Focus { 0: asset },
        Watch { 0: asset }, WatchHost { asset: asset, watch: watch },
        ComparePackages { ticket: ticket, pair: pair }, OneOff { address: address },
        OpenIncident { ticket: ticket, title: title, urgency: urgency },
        AddEntry { ticket: ticket, incident: incident, kind: kind, text: text, about: about },
        Claim {
            ticket: ticket, target: target, owner: owner, note: note, lasts: lasts, stickiness: stickiness,
            over: over
        },
        Release { ticket: ticket, target: target }, Maintain { ticket: ticket, order: order },
        CancelMaintenance { ticket: ticket, maintenance: maintenance },
    }
    choice FromConsole { Taken, InView { 0: in_view }, Order { 0: order } }
    record InView { opened, rows }
    choice FromEngine {
        Snapshot, Alive, Saved { ticket: ticket, entry: entry }, NotSaved { ticket: ticket, reason: reason },
        Packages { ticket: ticket, comparison: comparison }, Say { 0: message }, Reveal { 0: asset }, Ring { 0: call },
    }
    record PackageComparison { answers, differences }
    choice PackageAnswer { Told { at: at, by: by, count: count }, Not { why: why } }
    record PackageDifferences { only, differing, same, named }
    record PackageDifference { name, versions }
    record Message { weight, text }
    record Call { words, desktop }
    choice Desktop { None, Osc9, Osc777, Both }
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
    pub fn of(command: Command) -> Result<Self, Box<Command>> {
        Ok(match command {
            Command::Pause { ticket, note } => Self::Pause { ticket, note },
            Command::Resume { ticket } => Self::Resume { ticket },
            Command::Recheck(asset) => Self::Recheck(asset),
            Command::Confirm(asset) => Self::Confirm(asset),
            Command::ConfirmDiscovery => Self::ConfirmDiscovery,
            Command::Focus(asset) => Self::Focus(asset),
            Command::Watch(asset) => Self::Watch(asset),
            Command::WatchHost { asset, watch } => Self::WatchHost { asset, watch },
            Command::ComparePackages { ticket, pair } => Self::ComparePackages { ticket, pair },
            Command::OneOff { address } => Self::OneOff { address },
            Command::OpenIncident { ticket, title, urgency } => Self::OpenIncident { ticket, title, urgency },
            Command::AddEntry { ticket, incident, kind, text, about } => {
                Self::AddEntry { ticket, incident, kind, text, about }
            }
            Command::Claim { ticket, target, owner, note, lasts, stickiness, over } => {
                Self::Claim { ticket, target, owner, note, lasts, stickiness, over }
            }
            Command::Release { ticket, target } => Self::Release { ticket, target },
            Command::Maintain { ticket, order } => Self::Maintain { ticket, order },
            Command::CancelMaintenance { ticket, maintenance } => Self::CancelMaintenance { ticket, maintenance },
            Command::OpenSession { .. } | Command::Answer { .. } | Command::CloseSession(_) | Command::Shutdown => {
                return Err(Box::new(command));
            }
        })
    }

    /// Whoever waits for an answer.
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::OpenIncident { ticket, .. }
            | Self::AddEntry { ticket, .. }
            | Self::Claim { ticket, .. }
            | Self::Release { ticket, .. }
            | Self::Maintain { ticket, .. }
            | Self::CancelMaintenance { ticket, .. }
            | Self::ComparePackages { ticket, .. }
            | Self::Pause { ticket, .. }
            | Self::Resume { ticket } => Some(*ticket),
            Self::Recheck(_)
            | Self::Confirm(_)
            | Self::ConfirmDiscovery
            | Self::Focus(_)
            | Self::Watch(_)
            | Self::WatchHost { .. }
            | Self::OneOff { .. } => None,
        }
    }
}

impl From<Order> for Command {
    fn from(order: Order) -> Self {
        match order {
            Order::Pause { ticket, note } => Self::Pause { ticket, note },
            Order::Resume { ticket } => Self::Resume { ticket },
            Order::Recheck(asset) => Self::Recheck(asset),
            Order::Confirm(asset) => Self::Confirm(asset),
            Order::ConfirmDiscovery => Self::ConfirmDiscovery,
            Order::Focus(asset) => Self::Focus(asset),
            Order::Watch(asset) => Self::Watch(asset),
            Order::WatchHost { asset, watch } => Self::WatchHost { asset, watch },
            Order::ComparePackages { ticket, pair } => Self::ComparePackages { ticket, pair },
            Order::OneOff { address } => Self::OneOff { address },
            Order::OpenIncident { ticket, title, urgency } => Self::OpenIncident { ticket, title, urgency },
            Order::AddEntry { ticket, incident, kind, text, about } => {
                Self::AddEntry { ticket, incident, kind, text, about }
            }
            Order::Claim { ticket, target, owner, note, lasts, stickiness, over } => {
                Self::Claim { ticket, target, owner, note, lasts, stickiness, over }
            }
            Order::Release { ticket, target } => Self::Release { ticket, target },
            Order::Maintain { ticket, order } => Self::Maintain { ticket, order },
            Order::CancelMaintenance { ticket, maintenance } => Self::CancelMaintenance { ticket, maintenance },
        }
    }
}

impl FromEngine {
    /// A notice as it goes elsewhere; nothing where it is a session's.
    pub fn of(notice: Notice) -> Option<Self> {
        Some(match notice {
            Notice::Saved { ticket, entry } => Self::Saved { ticket, entry },
            Notice::NotSaved { ticket, reason } => Self::NotSaved { ticket, reason },
            Notice::Packages { ticket, comparison } => Self::Packages { ticket, comparison },
            Notice::Message(message) => Self::Say(message),
            Notice::Reveal(asset) => Self::Reveal(asset),
            Notice::Ring(call) => Self::Ring(call),
            Notice::SessionOpened { .. } | Notice::Prompt { .. } | Notice::PromptWithdrawn(_) => return None,
        })
    }
}
