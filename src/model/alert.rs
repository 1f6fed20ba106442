//! What is told to people who do not look at the screen: one change of one thing.

use std::sync::Arc;

use super::care::Target;
use super::maintenance::Span;
use super::policy::Condition;
use crate::base::{Timestamp, Untrusted};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// It became a problem, or a worse or lesser one.
    Problem,
    Recovery,
    /// It changes so often that its changes are told no more.
    FlappingBegins,
    FlappingEnds,
    /// A problem that was told still stands, and nobody has it.
    Reminder,
    /// Somebody tries whether the channel works.
    Test,
}

impl AlertKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Recovery => "recovery",
            Self::FlappingBegins => "flapping-begins",
            Self::FlappingEnds => "flapping-ends",
            Self::Reminder => "reminder",
            Self::Test => "test",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    pub kind: AlertKind,
    pub target: Target,
    /// As the screen calls it; a device's own word is told apart from its host.
    pub title: Untrusted,
    pub from: Condition,
    pub to: Condition,
    /// The state in a word or two, as in the list of problems.
    pub word: Arc<str>,
    pub reason: Untrusted,
    /// Things that are hidden behind it.
    pub hides: usize,
    pub tags: Vec<Arc<str>>,
    pub group: Option<Arc<str>>,
    /// By the wall clock.
    pub at: Timestamp,
}

/// By which escape sequence a terminal is asked for a notification of the desktop that it stands on. Terminals know one of
/// them, both or none; what they do not know they leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Desktop {
    None,
    /// `OSC 9 ; text`, as iTerm2 has it.
    #[default]
    Osc9,
    /// `OSC 777 ; notify ; title ; text`, as rxvt-unicode has it.
    Osc777,
    Both,
}

impl Desktop {
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::None, "none"), (Self::Osc9, "osc9"), (Self::Osc777, "osc777"), (Self::Both, "both")];
}

/// When a channel speaks, by the wall clock: only in `active` where that has any, and never in `mute`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hours {
    pub active: Vec<Span>,
    pub mute: Vec<Span>,
}

/// How one channel to people stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelStatus {
    pub name: Arc<str>,
    pub kind: Arc<str>,
    /// Messages that were taken by the other side.
    pub delivered: u64,
    pub last_delivered: Option<Timestamp>,
    /// Since when nothing gets through, and why.
    pub failing: Option<(Timestamp, Arc<str>)>,
    /// Changes that were given up.
    pub lost: u64,
    /// Changes that wait: for others to go with, or for the flood to pass.
    pub waiting: usize,
    /// It tells nobody before, by its hours. The wall clock's, as all times here.
    pub quiet_until: Option<Timestamp>,
}
