//! What devices tell by themselves: SNMP traps and informs, and the state of the listener that takes them.

use std::sync::Arc;

use super::host::AssetId;
use crate::base::{Timestamp, Untrusted};

/// What happened, by the device's own account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotificationKind {
    ColdStart,
    WarmStart,
    LinkDown,
    LinkUp,
    /// Somebody asked the device with a wrong community or password.
    AuthenticationFailure,
    /// One of those that the configuration names, by its dotted object identifier.
    Other(Arc<str>),
}

impl NotificationKind {
    /// The name in its MIB; the object identifier where we know none.
    pub fn as_str(&self) -> &str {
        match self {
            Self::ColdStart => "coldStart",
            Self::WarmStart => "warmStart",
            Self::LinkDown => "linkDown",
            Self::LinkUp => "linkUp",
            Self::AuthenticationFailure => "authenticationFailure",
            Self::Other(oid) => oid,
        }
    }
}

/// Something that a device told, once or several times in a short while.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// When it was last told.
    pub at: Timestamp,
    pub host: AssetId,
    pub kind: NotificationKind,
    /// The interface that it is about.
    pub if_index: Option<u32>,
    /// What was sent along, in the device's own words.
    pub detail: Untrusted,
    /// `v1`, `v2c`, `v3`.
    pub version: &'static str,
    /// How often it was told; a storm is one line.
    pub count: u32,
}

/// What a device told by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct NotificationView {
    pub told: Notification,
    /// The port that it is about, where the device was walked.
    pub port: Option<Untrusted>,
}

/// How the listener stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrapStatus {
    /// The sockets that are open, as `address:port`.
    pub listening: Vec<Arc<str>>,
    /// Why one is not, in words and with what to do.
    pub problem: Option<Arc<str>>,
    /// Notifications that were taken, those told again included.
    pub taken: u64,
    /// Of a kind that nobody configured.
    pub other_kinds: u64,
    /// From addresses that no host has.
    pub unknown_source: u64,
    /// With a wrong community, user, level or digest, or too old.
    pub refused: u64,
    pub malformed: u64,
    /// Told so often that only their number is known.
    pub suppressed: u64,
    /// The last that was not taken: from where, and why.
    pub last_refusal: Option<Arc<str>>,
}
