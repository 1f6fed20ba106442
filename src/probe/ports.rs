//! `ports`: one walk over the chosen columns of ifTable, ifXTable and dot3StatsTable, then the groups of slower tables that
//! are due. The verdict on each port is not made here: the reading carries the table, `state::rules::ports` judges it.

mod cells;
mod groups;
mod identity;
mod interfaces;
mod packets;
mod parts;
mod per_vlan;
#[cfg(test)]
mod recorded;
mod survey;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::groups::Group;
pub use self::interfaces::Interfaces;
use super::snmp::{Access, NoTarget, OPTIONS};
use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::Reader;
use crate::model::{Facts, Host, PortTable, Reading, Unit, Wire};
use crate::net::snmp::{SnmpError, Target};
use crate::process::secret::Secrets;
use crate::profile::{Bridge, Profile, Profiles};

/// A large router takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

pub static KIND: Kind = Kind {
    name: "ports",
    help: "the port table: ifTable, ifXTable, duplex; neighbors, sensors and the like at slower paces",
    options: OPTIONS,
    pace: Pace {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(2),
        retry_interval: Duration::from_secs(15),
        attempts: 2,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct PortsProbe {
    access: Access,
    /// None: the shipped ones, which are compiled when the first device is walked.
    profiles: Option<Arc<Profiles>>,
    /// The table before, whose texts the next one shares where they are the same.
    before: Mutex<Option<Arc<PortTable>>>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let access = Access::read(host, options)?;
    Some(Box::new(PortsProbe { access, profiles: None, before: Mutex::default() }))
}

impl Probe for PortsProbe {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        self.access.wire(if self.access.max_repetitions > 1 { "GETBULK" } else { "GETNEXT" })
    }

    fn told(&self) {
        self.access.told();
    }

    fn budget(&self, _: Duration) -> Duration {
        self.access.patience().max(PATIENCE)
    }

    fn equip(&mut self, profiles: &Arc<Profiles>) {
        self.profiles = Some(profiles.clone());
    }

    fn share(&mut self, secrets: &Arc<Secrets>) {
        self.access.secrets = secrets.clone();
    }
}

impl PortsProbe {
    async fn ask(&self, cx: &Cx) -> Reading {
        let begun = Instant::now();
        let (target, told) = match self.access.target(cx).await {
            Ok(found) => found,
            Err(NoTarget::Ours(why)) => return Reading::unknown(why),
            Err(NoTarget::Theirs(error)) => return self.failed(&error),
        };
        // Finding the address took of the time.
        let cx = &Cx { timeout: cx.timeout.saturating_sub(begun.elapsed()), ..cx.clone() };
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let profiles = self.profiles.clone().unwrap_or_else(Profiles::shipped);
        match walk_with(cx, &target, self.access.max_repetitions, &profiles, before.as_deref(), Depth::Due).await {
            Ok((mut table, cost)) => {
                if table.equipment.limits != self.access.pools {
                    let equipment = &mut Arc::make_mut(&mut table).equipment;
                    Arc::make_mut(equipment).limits = self.access.pools.clone();
                }
                *self.before.lock().unwrap_or_else(PoisonError::into_inner) = Some(table.clone());
                told.on(reading(table, cost))
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &SnmpError) -> Reading {
        self.access.doubt(error);
        Reading::unknown(error.to_string())
    }
}

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The slower tables that are due; long ones at a moment that is each device's own.
    Due,
    /// Every table: one look at one device.
    Everything,
}

/// What a walk cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub requests: u32,
    pub varbinds: u64,
    pub lost: u32,
}

impl Cost {
    fn add(&mut self, more: Self) {
        self.requests += more.requests;
        self.varbinds += more.varbinds;
        self.lost += more.lost;
    }
}

/// The names of the groups that every agent may have, for who checks a profile.
pub fn generic_groups() -> Vec<&'static str> {
    groups::GROUPS.iter().map(|group| group.name()).collect()
}

/// [`walk_with`] the shipped profiles.
///
/// # Errors
/// As there.
pub async fn walk(
    cx: &Cx,
    target: &Target,
    max_repetitions: u16,
    before: Option<&PortTable>,
    depth: Depth,
) -> Result<(Arc<PortTable>, Cost), SnmpError> {
    walk_with(cx, target, max_repetitions, &Profiles::shipped(), before, depth).await
}

/// Walks one device: the port table, then what of the slower tables is due. `before` is the walk before, which lends its texts
/// and its equipment, and says by which profile the device is to be spared.
///
/// # Errors
/// The agent never answered, or nothing could be sent. A walk that broke off is a table that is not complete.
pub async fn walk_with(
    cx: &Cx,
    target: &Target,
    max_repetitions: u16,
    profiles: &Profiles,
    before: Option<&PortTable>,
    depth: Depth,
) -> Result<(Arc<PortTable>, Cost), SnmpError> {
    let begun = Instant::now();
    let known = before.and_then(|table| profiles.get(table.device.profile.as_deref()?));
    let (mut target, mut max_repetitions) = (target.clone(), max_repetitions);
    spare(known, &mut target, &mut max_repetitions);
    // What has come by then is kept, rather than lost with the run.
    let left = |target: &Target| cx.timeout.saturating_sub(begun.elapsed() + target.timeout);
    let (sink, mut plan) = Interfaces::spared(max_repetitions, known.map(|profile| &profile.quirks));
    let sink = sink.like(before);
    plan.max_time = left(&target).max(target.timeout);
    let answers = cx.net.snmp.ask(&target, plan, sink).await?;
    let mut cost = Cost { requests: answers.requests, varbinds: answers.varbinds, lost: answers.lost };
    let mut table = answers.sink.table(cx.net.clock.now(), answers.incomplete, before);
    if let Some(before) = before.filter(|_| table.complete && left(&target) > target.timeout) {
        match packets::ask(&cx.net.snmp, &target, left(&target), before, &mut table).await {
            Ok(more) => cost.add(more),
            Err(error) => table.warnings.push(format!("the packet counters: {error}")),
        }
    }
    if table.complete && left(&target) > target.timeout {
        let chosen = identity::profile(&cx.net.snmp, &target, profiles, known, before, &mut table, &mut cost).await;
        spare(chosen, &mut target, &mut max_repetitions);
        let groups = groups(chosen, &table);
        let last = before.map(|before| before.collected_at);
        let due = survey::due(&groups, &table, depth, target.address, last);
        if !due.is_empty() {
            match survey::walk(&cx.net.snmp, &target, max_repetitions, left(&target), &due, &mut table).await {
                Ok(more) => cost.add(more),
                Err(error) => table.warnings.push(format!("the slower tables: {error}")),
            }
        }
        let mut bridges = per_vlan::Bridges {
            snmp: &cx.net.snmp,
            target: &target,
            max_repetitions,
            max_time: left(&target),
            is_asked: chosen.is_some_and(|profile| profile.quirks.bridge == Some(Bridge::PerVlan)),
        };
        if let Err(error) = bridges.look(&mut table, &mut cost).await {
            table.warnings.push(format!("the bridges of the VLANs: {error}"));
        }
        identity::name(chosen, before, &mut table);
    } else {
        identity::keep(before, &mut table);
    }
    table.lend_duplex();
    Ok((Arc::new(table), cost))
}

/// Asks more gently where the profile says so.
fn spare(profile: Option<&Arc<Profile>>, target: &mut Target, max_repetitions: &mut u16) {
    let Some(quirks) = profile.map(|profile| &profile.quirks) else { return };
    target.timeout = target.timeout.max(quirks.timeout.unwrap_or_default());
    *max_repetitions = (*max_repetitions).min(quirks.max_repetitions.unwrap_or(u16::MAX));
    if quirks.getbulk == Some(false) {
        *max_repetitions = 1;
    }
}

/// The generic groups that the profile does not leave out, then its own tables.
fn groups<'a>(profile: Option<&'a Arc<Profile>>, table: &PortTable) -> Vec<&'a dyn Group> {
    let wanted = |name: &str| profile.is_none_or(|profile| !profile.without.iter().any(|left_out| **left_out == *name));
    let mut all: Vec<&dyn Group> = groups::GROUPS.iter().copied().filter(|group| wanted(group.name())).collect();
    if let Some(profile) = profile {
        all.push(&profile.identity);
        all.extend(profile.tables.iter().map(|table| &**table as &dyn Group));
    }
    all.retain(|group| group.applies(&table.device));
    all
}

fn reading(table: Arc<PortTable>, cost: Cost) -> Reading {
    let ports = table.ports.len();
    let words = if table.complete {
        format!("{ports} ports")
    } else {
        format!("{ports} ports, incomplete: {}", table.warnings.join(", "))
    };
    let mut reading = if table.complete { Reading::ok(words) } else { Reading::warning(words) };
    reading = reading.metric("requests", f64::from(cost.requests), Unit::Count).metric(
        "varbinds",
        cost.varbinds as f64,
        Unit::Count,
    );
    for warning in &table.warnings {
        reading = reading.log(warning.clone());
    }
    reading.facts(Facts::Ports(table))
}

#[cfg(test)]
mod tests;
