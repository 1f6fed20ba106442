//! What people do about problems: who has taken one on, and what is being worked on. Acknowledging is claiming: it has an owner and an end, and
//! reaches no further than this console's state directory.

use std::sync::Arc;
use std::time::Duration;

use super::check_key::CheckKey;
use super::host::AssetId;
use super::incident::Entry;
use super::maintenance::{Maintenance, Order};
use super::policy::Condition;
use super::port_key::PortKey;
use crate::base::{Timestamp, Untrusted, units};

/// How long a claim holds where nobody says otherwise.
pub const CLAIM_LASTS: Duration = Duration::from_secs(4 * 3600);
/// The longest that one may be claimed for: what nobody has to look at again is forgotten.
pub const LONGEST_CLAIM: Duration = Duration::from_secs(30 * 86_400);

/// What may be a problem, and so be claimed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A host with all its checks; not what hangs on it, nor its ports.
    Host(AssetId),
    /// One check of a host.
    Check(CheckKey),
    Port(AssetId, PortKey),
    /// Ports that a device lists no more, and should.
    GonePorts(AssetId),
    /// What a device says of itself beside its ports: peers, sensors, power.
    Device(AssetId),
    Job(AssetId),
}

impl Target {
    /// The host or job that it belongs to.
    pub fn asset(&self) -> &AssetId {
        match self {
            Self::Host(id) | Self::Job(id) | Self::Port(id, _) | Self::GonePorts(id) | Self::Device(id) => id,
            Self::Check(key) => key.subject.id(),
        }
    }

    /// As an operator writes it: `db01`, `db01/disk`, `sw1/Gi1/0/7`. A device named the port.
    pub fn label(&self) -> Untrusted {
        let mut out = self.asset().as_str().as_bytes().to_vec();
        match self {
            Self::Host(_) | Self::Job(_) => {}
            Self::Device(_) => out.extend_from_slice(b" (device)"),
            Self::GonePorts(_) => out.extend_from_slice(b" (ports gone)"),
            Self::Check(key) => {
                out.push(b'/');
                out.extend_from_slice(key.name.as_bytes());
            }
            Self::Port(_, key) => {
                out.push(b'/');
                out.extend_from_slice(key.label.as_bytes());
            }
        }
        Untrusted::new(out)
    }
}

/// Whether a claim outlives its problem getting worse. Recovery and expiry end it either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stickiness {
    /// What gets worse is somebody's business again.
    #[default]
    EndsOnWorsening,
    Sticky,
}

/// What somebody says when they take a problem on, or hand it over: then the owner is somebody else.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub target: Target,
    pub owner: Untrusted,
    pub note: Untrusted,
    pub until: Timestamp,
    pub stickiness: Stickiness,
    /// How bad it was; `None` where whoever claims it cannot know.
    pub condition: Option<Condition>,
}

/// A claim that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Acknowledgement {
    /// The journal's entry, a ULID.
    pub id: Arc<str>,
    /// Since when this owner has it.
    pub since: Timestamp,
    pub claim: Claim,
}

/// Why a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Release {
    /// Somebody gave it back.
    ByHand,
    Recovered,
    Worsened,
    Expired,
}

impl Release {
    pub const ALL: [Self; 4] = [Self::ByHand, Self::Recovered, Self::Worsened, Self::Expired];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "released",
            Self::Recovered => "recovered",
            Self::Worsened => "worsened",
            Self::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// All polling is stopped, until somebody has it go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Pause {
    /// The journal's entry, a ULID; empty where it is not on disk.
    pub id: Arc<str>,
    pub by: Untrusted,
    pub since: Timestamp,
    pub note: Untrusted,
}

impl Pause {
    /// `PAUSED 2h by ops1: new firewall`; with what it means where it is not on disk.
    pub fn words(&self, now: Timestamp) -> String {
        let age = units::age(units::age_bucket(now.since(self.since)));
        let note = if self.note.is_empty() { String::new() } else { format!(": {}", self.note.line()) };
        let unsaved = if self.id.is_empty() { " (not on disk: it ends with the engine)" } else { "" };
        format!("PAUSED {age} by {}{unsaved}{note}", self.by.line())
    }
}

/// What is written down of it, once it is on disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    Claimed(Claim),
    Released {
        target: Target,
        /// Only this claim; `None` for whatever stands.
        claim: Option<Arc<str>>,
        why: Release,
    },
    /// A maintenance window was ordered.
    Ordered(Order),
    /// It was taken back, or ended early.
    Cancelled {
        maintenance: Arc<str>,
    },
    /// All polling was stopped.
    Paused {
        note: Untrusted,
    },
    /// It goes on.
    Resumed,
}

/// All of it that stands, and the last entries that it was made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CareBook {
    /// Times are steady ones.
    pub acks: Vec<Arc<Acknowledgement>>,
    pub maintenance: Vec<Arc<Maintenance>>,
    pub paused: Option<Arc<Pause>>,
    /// When what nobody has now was given back, or its time was over.
    pub released: Vec<(Target, Timestamp)>,
    /// Newest first, by the wall clock; their text says in words what was done.
    pub entries: Arc<[Arc<Entry>]>,
}
