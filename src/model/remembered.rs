//! What is kept over a restart: of each check how it stood, of each host and backup job what people were told of it.

use std::sync::Arc;

use super::care::Target;
use super::check_key::{CheckKey, Subject};
use super::flap::Flap;
use super::observation::Observation;
use super::policy::Condition;
use crate::base::Timestamp;

/// A check's last known state.
#[derive(Clone, Debug, PartialEq)]
pub struct Remembered {
    pub check: CheckKey,
    pub condition: Condition,
    pub since: Timestamp,
    pub last_good: Option<Timestamp>,
    pub observation: Observation,
    pub flap: Flap,
}

/// What is kept of a host or a backup job as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct RememberedAsset {
    pub subject: Subject,
    pub told: Told,
    /// Of a device's parts; `None` where none of its walks said how they stand.
    pub parts: Option<Vec<ToldPart>>,
    /// The device that named the host as its neighbor, where it hangs on that.
    pub neighbor: Option<Arc<str>>,
}

/// What people were told of a host or a backup job, or what it was found like at first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The condition that was announced last, or found at first; `None` until there is one.
    pub condition: Option<Condition>,
    /// That condition is a problem that was found and never told: nobody waits to hear that it is over.
    pub untold: bool,
    /// That it flaps.
    pub flapping: bool,
    /// That nothing of it answers.
    pub down: bool,
    /// Which of its checks were bad, and how bad.
    pub checks: Vec<(Arc<str>, Condition)>,
}

/// The same of a port, or of what a device says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldPart {
    pub target: Target,
    pub condition: Condition,
    pub untold: bool,
}
