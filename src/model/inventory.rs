//! Everything that is known to exist and how it is watched: what a configuration or a discovery yields,
//! and what the reducer takes as a fact.

use std::collections::HashMap;
use std::sync::Arc;

use super::backup::Job;
use super::check::CheckSpec;
use super::check_key::CheckKey;
use super::flap::FlapFormula;
use super::host::{AssetId, Host, Inference};
use super::maintenance::Maintenance;
use super::threshold::Threshold;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    pub hosts: Vec<Arc<Host>>,
    pub jobs: Vec<Arc<Job>>,
    pub checks: Vec<Arc<CheckSpec>>,
    /// Limits of the operator's own, by the check whose numbers they hold.
    pub thresholds: HashMap<CheckKey, Arc<[Threshold]>>,
    /// How flapping is told of a check, where that is not as usual; `None` where it is not told.
    pub flapping: HashMap<CheckKey, Option<FlapFormula>>,
    /// What a host hangs on by what this machine knows, where nobody has configured it.
    pub inferred: HashMap<AssetId, (AssetId, Inference)>,
    /// Windows that the configuration orders.
    pub maintenance: Vec<Arc<Maintenance>>,
    /// What could not be watched at all, and why ("units unavailable: no systemctl").
    pub remarks: Vec<Arc<str>>,
}

impl Inventory {
    pub fn host(&self, id: &AssetId) -> Option<&Arc<Host>> {
        self.hosts.iter().find(|h| h.id == *id)
    }

    pub fn job(&self, id: &AssetId) -> Option<&Arc<Job>> {
        self.jobs.iter().find(|j| j.id == *id)
    }
}
