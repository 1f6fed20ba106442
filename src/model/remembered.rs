//! What is kept over a restart: of each check how it stood, of each host and backup job what people were told of it.

use std::sync::Arc;

use super::care::Target;
use super::check_key::{CheckKey, Subject};
use super::flap::Flap;
use super::observation::Observation;
use super::policy::Condition;
use super::vitals::Vitals;
use crate::base::{Timestamp, Untrusted};

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
    /// What it is, as each of its checks told that does, by their names.
    pub machines: Vec<(Arc<str>, Machine)>,
}

/// What a machine is: of what it tells of itself that which stays as it is until somebody changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub system: Untrusted,
    pub kernel: Untrusted,
    /// How many packages are installed, and the digest of their list.
    pub packages: Option<(u32, Untrusted)>,
}

impl Machine {
    /// The same as it was last told: what is not told this time stands.
    #[must_use]
    pub fn renewed(&self, told: &Vitals) -> Self {
        let known = |new: &Untrusted, old: &Untrusted| if new.is_empty() { old.clone() } else { new.clone() };
        let packages = told.packages.as_ref().map(|packages| (packages.count, packages.digest.clone()));
        Self {
            system: known(&told.system, &self.system),
            kernel: known(&told.kernel, &self.kernel),
            packages: packages.or_else(|| self.packages.clone()),
        }
    }
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
