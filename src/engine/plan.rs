//! What is to be run: the inventory as a fact for the reducer, and for each of its checks something that can
//! be asked.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::backup;
use crate::base::{Clock, text};
use crate::model::{CheckSpec, FlapFormula, Host, Inventory, PackageList, Reading, Threshold};
use crate::net::Net;
use crate::notify::Channel;
use crate::probe;
use crate::probe::traps::TrapSettings;
use crate::proto::icmp::Family;

/// A probe or a backup source, bound to its target.
#[derive(Clone, Debug)]
pub enum Runner {
    /// With the family of addresses that it asks, where it is one only.
    Probe(Arc<dyn probe::Probe>, Option<Family>),
    Backup(Arc<dyn backup::Source>),
}

impl Runner {
    /// The operator asks for the next run.
    pub fn told(&self) {
        match self {
            Self::Probe(probe, _) => probe.told(),
            Self::Backup(_) => {}
        }
    }

    /// Asks what is installed on its host, in words why it does not tell; `None` where its kind never does.
    pub async fn packages(&self, net: &Arc<Net>, timeout: Duration) -> Option<Result<PackageList, String>> {
        match self {
            Self::Probe(probe, family) => {
                let cx = probe::Cx { net: net.clone(), family: *family, timeout };
                Some(probe.packages(&cx)?.await)
            }
            Self::Backup(_) => None,
        }
    }

    /// Asks once; the caller bounds the time.
    pub async fn run(&self, net: &Arc<Net>, clock: Clock, timeout: Duration) -> Reading {
        match self {
            Self::Probe(probe, family) => probe.run(&probe::Cx { net: net.clone(), family: *family, timeout }).await,
            Self::Backup(source) => source.look(&backup::Cx { clock, timeout }).await,
        }
    }
}

/// A check with what runs it.
#[derive(Clone, Debug)]
pub struct Bound {
    pub spec: Arc<CheckSpec>,
    pub run: Runner,
    /// Limits of the operator's own.
    pub thresholds: Arc<[Threshold]>,
    /// How flapping of it is told; `None` where it is not.
    pub flapping: Option<FlapFormula>,
}

/// An inventory and the runners of all its checks.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub inventory: Arc<Inventory>,
    pub checks: Vec<Bound>,
    /// Where devices may tell something by themselves.
    pub traps: Option<Arc<TrapSettings>>,
    /// Whom to tell, and how.
    pub channels: Arc<[Channel]>,
}

impl Plan {
    /// Descriptors that its checks may want at once: a connection that is kept and one that is made, each, and what the rest of us has.
    pub fn descriptors(&self) -> u64 {
        2 * self.checks.len() as u64 + 512
    }

    /// What waits for something and is not asked, in words.
    pub fn not_read(&self) -> impl Iterator<Item = String> {
        self.checks.iter().filter_map(|bound| {
            let why = bound.spec.waits_for.as_deref()?;
            Some(format!("{} was not read: {why}", text::clean(bound.spec.key.subject.id().as_str())))
        })
    }

    /// Hosts that ssh_config knows by their name are gone to by that name, as by `ssh NAME`: its user, port and jump
    /// hosts hold for them. What the configuration says of a host itself comes first. `None` where nothing changes.
    #[must_use]
    pub fn with_ssh_names(mut self, names: &HashSet<String>) -> Option<Self> {
        let is_named = |host: &Host| host.ssh_alias.is_none() && host.address.is_some() && names.contains(&*host.name);
        let mut inventory = (*self.inventory).clone();
        let mut changed = false;
        for host in inventory.hosts.iter_mut().filter(|host| is_named(host)) {
            let name = host.name.clone();
            Arc::make_mut(host).ssh_alias = Some(name);
            changed = true;
        }
        self.inventory = Arc::new(inventory);
        changed.then_some(self)
    }

    /// This plan and what another adds to it; what both have stays as it is here.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        let mut inventory = (*self.inventory).clone();
        let mut checks = self.checks;
        for host in &other.inventory.hosts {
            if inventory.host(&host.id).is_none() {
                inventory.hosts.push(host.clone());
                checks.extend(other.checks.iter().filter(|b| *b.spec.key.subject.id() == host.id).cloned());
            }
        }
        inventory.checks = checks.iter().map(|bound| bound.spec.clone()).collect();
        Self { inventory: Arc::new(inventory), checks, traps: self.traps, channels: self.channels }
    }
}
