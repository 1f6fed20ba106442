//! `ports`: one walk over the chosen columns of ifTable, ifXTable and dot3StatsTable, then the groups of slower tables that
//! are due. The verdict on each port is not made here: the reading carries the table, `state::rules::ports` judges it.

mod cells;
mod groups;
mod interfaces;
mod packets;
mod survey;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use self::interfaces::Interfaces;
use super::snmp::{Access, OPTIONS};
use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::Reader;
use crate::model::{Facts, Host, PortTable, Reading, Unit, Wire};
use crate::net::snmp::{SnmpError, Target};

/// A large router takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

pub static KIND: Kind = Kind {
    name: "ports",
    help: "the port table: ifTable, ifXTable, duplex; neighbours, sensors and the like at slower paces",
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
    /// The table before, whose texts the next one shares where they are the same.
    before: Mutex<Option<Arc<PortTable>>>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    Some(Box::new(PortsProbe { access: Access::read(host, options)?, before: Mutex::default() }))
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
}

impl PortsProbe {
    async fn ask(&self, cx: &Cx) -> Reading {
        let target = match self.access.target(cx).await {
            Ok(target) => target,
            Err(why) => return Reading::unknown(why),
        };
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match walk(cx, &target, self.access.max_repetitions, before.as_deref(), Depth::Due).await {
            Ok((table, cost)) => {
                *self.before.lock().unwrap_or_else(PoisonError::into_inner) = Some(table.clone());
                reading(table, cost)
            }
            Err(error) => Reading::unknown(error.to_string()),
        }
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

/// Walks one device: the port table, then what of the slower tables is due. `before` is the walk before, which lends its texts
/// and its equipment.
///
/// # Errors
/// The agent never answered, or nothing could be sent. A walk that broke off is a table that is not complete.
pub async fn walk(
    cx: &Cx,
    target: &Target,
    max_repetitions: u16,
    before: Option<&PortTable>,
    depth: Depth,
) -> Result<(Arc<PortTable>, Cost), SnmpError> {
    let begun = Instant::now();
    // What has come by then is kept, rather than lost with the run.
    let left = || cx.timeout.saturating_sub(begun.elapsed() + target.timeout);
    let mut plan = Interfaces::plan(max_repetitions);
    plan.max_time = left().max(target.timeout);
    let answers = cx.net.snmp.ask(target, plan, Interfaces::default()).await?;
    let mut cost = Cost { requests: answers.requests, varbinds: answers.varbinds, lost: answers.lost };
    let mut table = answers.sink.table(cx.net.clock.now(), answers.incomplete, before);
    if let Some(before) = before.filter(|_| table.complete && left() > target.timeout) {
        match packets::ask(&cx.net.snmp, target, left(), before, &mut table).await {
            Ok(more) => cost.add(more),
            Err(error) => table.warnings.push(format!("the packet counters: {error}")),
        }
    }
    let last = before.map(|before| before.collected_at);
    let due = survey::due(groups::GROUPS, &table, depth, target.address, last);
    if !due.is_empty() && table.complete && left() > target.timeout {
        match survey::walk(&cx.net.snmp, target, max_repetitions, left(), &due, &mut table).await {
            Ok(more) => cost.add(more),
            Err(error) => table.warnings.push(format!("the slower tables: {error}")),
        }
    }
    Ok((Arc::new(table), cost))
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
