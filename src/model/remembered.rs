//! What is kept of a check over a restart.

use super::check::CheckKey;
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
