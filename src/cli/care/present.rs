//! What is a problem at this moment, for claims of a whole site or group: what the engine that polls for the state directory
//! says, or, where none does, what one round of checks finds.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use color_eyre::eyre::Result;

use super::super::way::{self, Way};
use crate::base::{Clock, Timestamp};
use crate::engine::Plan;
use crate::model::{Acknowledgement, AssetId, CareBook, Host, Job, Target};
use crate::state::Snapshot;
use crate::state::snapshot::{Problem, ProblemKind};

/// Hosts that are named together, and the backups that protect them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kin {
    Site(String),
    Group(String),
}

impl Kin {
    pub fn words(&self) -> String {
        let (what, name) = match self {
            Self::Site(name) => ("site", name),
            Self::Group(name) => ("group", name),
        };
        format!("{what} {}", crate::base::text::clean(name))
    }

    pub fn named(&self) -> super::Named<'_> {
        match self {
            Self::Site(name) => super::Named::Site(name),
            Self::Group(name) => super::Named::Group(name),
        }
    }

    fn has(&self, host: &Host) -> bool {
        match self {
            Self::Site(name) => host.site.as_deref() == Some(name),
            Self::Group(name) => host.group.as_deref() == Some(name),
        }
    }

    /// The hosts, and the backups that protect one of them.
    fn assets<'a>(
        &self,
        hosts: impl Iterator<Item = &'a Host>,
        jobs: impl Iterator<Item = &'a Job>,
    ) -> HashSet<AssetId> {
        let mut all: HashSet<AssetId> = hosts.filter(|host| self.has(host)).map(|host| host.id.clone()).collect();
        let protecting = jobs.filter(|job| job.protects.iter().any(|asset| all.contains(asset)));
        let protecting: Vec<AssetId> = protecting.map(|job| job.id.clone()).collect();
        all.extend(protecting);
        all
    }

    /// Their problems, as the console lists them.
    pub fn problems<'a>(&self, shot: &'a Snapshot) -> Vec<&'a Problem> {
        let assets = self.assets(shot.hosts.iter().map(|view| &*view.host), shot.jobs.iter().map(|view| &*view.job));
        let theirs = |problem: &&Problem| problem.kind != ProblemKind::Console && assets.contains(&problem.asset);
        shot.problems.iter().filter(theirs).collect()
    }
}

/// What is known now.
pub struct Present {
    pub snapshot: Snapshot,
    /// Who said so, for a line; `None` where everything was asked just now.
    pub engine: Option<String>,
}

/// Asks the engine of the state directory, else all that is to be claimed, once.
///
/// # Errors
/// An engine is there and does not say what it knows, or nothing may be asked.
pub fn look(kin: &Kin, plan: &Plan, directory: &Path, care: CareBook, passive: bool, clock: Clock) -> Result<Present> {
    let runtime = super::super::runtime()?;
    let found = runtime.block_on(async {
        if let Some((snapshot, who)) = Way::Here(directory.to_owned()).look(clock).await? {
            return Ok(Present { snapshot, engine: Some(who) });
        }
        if passive {
            return Err(way::nobody_to_ask(directory));
        }
        let part = super::super::check::part(plan, &wanted(kin, plan));
        let part = super::super::with_inferred_parents(part);
        let snapshot = super::super::check::round(&part, clock, care).await;
        Ok(Present { snapshot, engine: None })
    });
    runtime.shutdown_background();
    found
}

/// What has to be asked: those, and what they hang on, since what only cannot be reached is nobody's to claim.
fn wanted(kin: &Kin, plan: &Plan) -> Vec<AssetId> {
    let inventory = &plan.inventory;
    let own = kin.assets(inventory.hosts.iter().map(|host| &**host), inventory.jobs.iter().map(|job| &**job));
    let mut all: Vec<AssetId> = own.into_iter().collect();
    let mut at = 0;
    while let Some(id) = all.get(at).cloned() {
        at += 1;
        let host = inventory.hosts.iter().find(|host| host.id == id);
        for parent in host.iter().flat_map(|host| &host.parents) {
            if !all.contains(parent) {
                all.push(parent.clone());
            }
        }
    }
    all
}

/// Those that nobody has taken on, once each, and the claims of those that somebody has. An engine may not have read the newest of
/// the claims in `book` yet.
pub fn unowned<'a>(
    problems: Vec<&'a Problem>,
    book: &CareBook,
    now: Timestamp,
) -> (Vec<&'a Problem>, Vec<Arc<Acknowledgement>>) {
    let mut seen: HashSet<&Target> = HashSet::new();
    let (mut free, mut owned) = (Vec::new(), Vec::new());
    for problem in problems.into_iter().filter(|problem| seen.insert(&problem.target)) {
        let stands = |ack: &&Arc<Acknowledgement>| ack.claim.target == problem.target && ack.claim.until > now;
        match book.acks.iter().find(stands).or(problem.care.ack.as_ref()) {
            Some(ack) => owned.push(ack.clone()),
            None => free.push(problem),
        }
    }
    (free, owned)
}
