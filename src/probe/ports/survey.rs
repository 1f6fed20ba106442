//! Walks the groups of tables that are due on one device and folds what came into its equipment. A group that the device does
//! not have is asked for again only once in a while; one that it falls silent on is asked for alone and ever less often, so
//! that it costs neither the port table nor the other groups.
//!
//! ```text
//! due ─▶ the light ones together, each heavy one alone, each suspect alone ─▶ fold, in the order of the groups
//!           │ where several requests may be under way: as many conversations side by side, the light ones in as many parts
//!           │ silence: each of what is unfinished once more, alone
//!           └ still silent: a setback
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::cells::Cells;
use super::groups::{Group, Walk, Weight};
use super::{Cost, Depth, parts};
use crate::base::Timestamp;
use crate::model::device::{PortFacts, Setback, TablesWalked};
use crate::model::{Equipment, PortTable};
use crate::net::snmp::{Answers, Snmp, SnmpError, Target};
use crate::proto::snmp::Plan;

/// How long until a device is asked again for tables that it did not have.
const ABSENT: Duration = Duration::from_secs(3600);
/// The first walks of the heavy groups of many devices are spread over this time.
const SPREAD: Duration = Duration::from_secs(300);
/// After a setback, until the next try; doubled by each further one.
const SETBACK: Duration = Duration::from_secs(60);
/// Conversations without any answer, one after the other, after which a device is left alone for this run.
const MOST_SILENT: u32 = 2;

/// The groups whose values are too old on this device, or were never asked for. `before` is when it was walked last.
pub fn due<'a>(
    groups: &[&'a dyn Group],
    table: &PortTable,
    depth: Depth,
    address: SocketAddr,
    before: Option<Timestamp>,
) -> Vec<&'a dyn Group> {
    let is_due = |group: &&dyn Group| {
        let share = share(address, group.name());
        let now = table.collected_at;
        let passed = |since: Timestamp, wait: Duration| passed(now, since, wait);
        if depth == Depth::Everything {
            return true;
        }
        let equipment = &table.equipment;
        if let Some(is_over) = is_over(equipment, group.name(), now) {
            return is_over;
        }
        match equipment.walked.iter().find(|w| *w.group == *group.name()) {
            Some(walked) if walked.rows == 0 && walked.incomplete.is_none() => {
                passed(walked.at, ABSENT + ABSENT.mul_f64(share / 4.0))
            }
            Some(walked) if group.weight() == Weight::Heavy => {
                passed(walked.at, group.pace() + group.pace().mul_f64(share / 3.0))
            }
            Some(walked) => passed(walked.at, group.pace()),
            None if group.weight() == Weight::Heavy => before.is_some_and(|before| is_turn(before, now, share)),
            None => true,
        }
    };
    groups.iter().copied().filter(|group| group.applies(&table.device)).filter(is_due).collect()
}

/// A walk is due in whole runs of the check: a little early is better than a whole run late.
fn passed(now: Timestamp, since: Timestamp, wait: Duration) -> bool {
    now.since(since) + wait / 20 >= wait
}

/// Whether the wait after a setback with these tables is over; `None` where there was none.
pub fn is_over(equipment: &Equipment, group: &str, now: Timestamp) -> Option<bool> {
    let setback = equipment.setbacks.iter().find(|s| *s.group == *group)?;
    let wait = SETBACK.saturating_mul(1 << setback.failures.min(16));
    Some(passed(now, setback.tried, wait.clamp(SETBACK, ABSENT)))
}

/// A number from 0 to 1 that is the same for a device and a group for ever, and another for each.
fn share(address: SocketAddr, group: &str) -> f64 {
    let mut hasher = DefaultHasher::new();
    (address, group).hash(&mut hasher);
    (hasher.finish() >> 32) as f64 / f64::from(u32::MAX)
}

/// Whether this device's moment in every [`SPREAD`] lies between two times.
fn is_turn(before: Timestamp, now: Timestamp, share: f64) -> bool {
    let spread = SPREAD.as_millis() as i64;
    let round = |at: Timestamp| (at.millis() - (share * spread as f64) as i64).div_euclid(spread);
    round(before) != round(now)
}

/// Walks `groups` and puts what they brought into the table's equipment.
///
/// # Errors
/// Nothing could be sent. An agent that is silent on a group is no error: the group's own entry says so.
pub async fn walk(
    snmp: &Snmp,
    target: &Target,
    max_repetitions: u16,
    max_time: Duration,
    groups: &[&dyn Group],
    table: &mut PortTable,
) -> Result<Cost, SnmpError> {
    let mut survey = Survey {
        plan: Plan { max_repetitions, touch_first: true, ..Plan::default() },
        begun: Instant::now(),
        max_time,
        patience: target.timeout,
        queue: batches(groups, &table.equipment, usize::from(target.in_flight.max(1))),
        brought: BTreeMap::new(),
        silent: 0,
        cost: Cost::default(),
    };
    loop {
        let side_by_side = (0..target.in_flight.max(1)).map_while(|_| survey.next());
        let parts: Vec<Part<'_>> = side_by_side.collect::<Vec<_>>().into_iter().map(|b| Part::of(b, groups)).collect();
        if parts.is_empty() {
            break;
        }
        let plans: Vec<Plan> = parts.iter().map(|part| survey.plan(part)).collect();
        let asked = plans.into_iter().map(|plan| snmp.ask(target, plan, Cells::default()));
        for (part, answers) in parts.iter().zip(join_all(asked).await) {
            survey.take(target, part, answers)?;
        }
    }
    let mut equipment = Equipment::clone(&table.equipment);
    parts::take(&mut equipment);
    for (at, group) in groups.iter().enumerate() {
        let brought = survey.brought.remove(&at).unwrap_or_else(|| Brought::silent(survey.why_not_asked()));
        fold(*group, &brought, table, &mut equipment);
    }
    parts::put(&mut equipment);
    equipment.ports.retain(|facts| {
        let is_port = table.ports.binary_search_by_key(&facts.index, |p| p.index).is_ok();
        is_port && *facts != PortFacts { index: facts.index, ..PortFacts::default() }
    });
    equipment.ports.shrink_to_fit();
    table.equipment = Arc::new(equipment);
    Ok(survey.cost)
}

/// Which groups are asked for together, by their places in the list; the light ones in so many parts.
fn batches(groups: &[&dyn Group], equipment: &Equipment, parts: usize) -> VecDeque<Vec<usize>> {
    let is_suspect = |at: &usize| equipment.setbacks.iter().any(|s| *s.group == *groups[*at].name());
    let (suspects, trusted): (Vec<usize>, Vec<usize>) = (0..groups.len()).partition(is_suspect);
    let (heavy, light): (Vec<usize>, Vec<usize>) =
        trusted.into_iter().partition(|at| groups[*at].weight() == Weight::Heavy);
    let alone = heavy.into_iter().chain(suspects).map(|at| vec![at]);
    let size = light.len().div_ceil(parts).max(1);
    light.chunks(size).map(<[usize]>::to_vec).chain(alone).collect()
}

/// Groups that are asked for in one conversation.
struct Part<'g> {
    /// Their places in the list.
    batch: Vec<usize>,
    groups: Vec<&'g dyn Group>,
}

impl<'g> Part<'g> {
    fn of(batch: Vec<usize>, all: &[&'g dyn Group]) -> Self {
        let groups = batch.iter().map(|at| all[*at]).collect();
        Self { batch, groups }
    }

    /// Which scalars of the plan are each group's, and how many columns.
    fn places(&self) -> Vec<(Range<usize>, usize)> {
        let mut first = 0;
        let place = |group: &&dyn Group| {
            let scalars = first..first + group.scalars().len();
            first = scalars.end;
            (scalars, group.columns().len())
        };
        self.groups.iter().map(place).collect()
    }
}

/// The conversations of one run.
struct Survey {
    plan: Plan,
    begun: Instant,
    max_time: Duration,
    patience: Duration,
    queue: VecDeque<Vec<usize>>,
    brought: BTreeMap<usize, Brought>,
    silent: u32,
    cost: Cost,
}

/// What came for one group.
struct Brought {
    /// Shared with the groups of the same conversation; `None` where nothing came.
    cells: Option<Arc<Cells>>,
    first_scalar: usize,
    first_column: usize,
    rows: usize,
    incomplete: Option<String>,
    is_silent: bool,
}

impl Brought {
    fn silent(reason: &str) -> Self {
        let incomplete = Some(reason.to_owned());
        Self { cells: None, first_scalar: 0, first_column: 0, rows: 0, incomplete, is_silent: true }
    }
}

impl Survey {
    /// The groups to ask for next; `None` when it is over.
    fn next(&mut self) -> Option<Vec<usize>> {
        let is_late = self.begun.elapsed() + self.patience >= self.max_time;
        if is_late || self.silent >= MOST_SILENT { None } else { self.queue.pop_front() }
    }

    fn why_not_asked(&self) -> &'static str {
        if self.silent >= MOST_SILENT { "not asked: the agent is silent" } else { "not asked: no time was left" }
    }

    fn plan(&self, part: &Part<'_>) -> Plan {
        let mut plan = self.plan.clone();
        plan.max_time = self.max_time.saturating_sub(self.begun.elapsed());
        for group in &part.groups {
            let columns = group.columns();
            plan.rows_of.extend(columns.iter().map(|_| group.max_rows()));
            plan.scalars.extend(group.scalars());
            plan.columns.extend(columns);
        }
        plan
    }

    fn take(
        &mut self,
        target: &Target,
        part: &Part<'_>,
        answers: Result<Answers<Cells>, SnmpError>,
    ) -> Result<(), SnmpError> {
        let batch = &part.batch;
        let answers = match answers {
            Ok(answers) => answers,
            Err(error @ SnmpError::NoAnswer { .. }) => {
                self.silent += 1;
                self.cost.lost += target.retries + 1;
                self.put_off(batch, &error.to_string());
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        self.silent = 0;
        self.cost.requests += answers.requests;
        self.cost.varbinds += answers.varbinds;
        self.cost.lost += answers.lost;
        let cells = Arc::new(answers.sink.sorted());
        let mut unfinished = Vec::new();
        let mut first_column = 0;
        for (own_place, (at, (scalars, columns))) in batch.iter().zip(part.places()).enumerate() {
            let own = first_column..first_column + columns;
            let cut: Vec<_> = answers.unfinished.iter().filter(|cut| own.contains(&cut.column)).collect();
            let is_silent = cut.iter().any(|cut| cut.silent);
            if is_silent && batch.len() > 1 {
                unfinished.push(*at);
            }
            let tables = cells.view(scalars.start, own.start);
            let said = (0..scalars.len()).filter(|scalar| tables.scalar(*scalar).is_some()).count();
            let rows = (0..columns).map(|column| tables.rows(column)).max().unwrap_or(0).max(said);
            // What it said of single scalars begins with their names.
            let asked = part.groups[own_place].scalars();
            let of_scalars = answers.incomplete.iter().filter(|reason| {
                let name = reason.split(':').next().unwrap_or_default();
                asked.iter().any(|scalar| scalar.to_string() == name) || (name == "the scalars" && !asked.is_empty())
            });
            let brought = Brought {
                cells: Some(cells.clone()),
                first_scalar: scalars.start,
                first_column: own.start,
                rows,
                incomplete: reasons(cut.iter().map(|cut| cut.reason.as_str()).chain(of_scalars.map(String::as_str))),
                is_silent,
            };
            self.brought.insert(*at, brought);
            first_column = own.end;
        }
        self.queue.extend(unfinished.into_iter().map(|at| vec![at]));
        Ok(())
    }

    /// No answer at all: perhaps it is only one of these that the agent has trouble with.
    fn put_off(&mut self, batch: &[usize], reason: &str) {
        for at in batch {
            self.brought.entry(*at).or_insert_with(|| Brought::silent(reason));
        }
        if batch.len() > 1 {
            self.queue.extend(batch.iter().map(|at| vec![*at]));
        }
    }
}

/// Each reason once, and not all of them.
fn reasons<'a>(all: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut reasons: Vec<&str> = Vec::new();
    for reason in all {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.truncate(3);
    (!reasons.is_empty()).then(|| reasons.join(", "))
}

/// Makes of what came the group's part of the equipment. Where nothing came because of silence, what is known stays
/// while it is not much older than it may be.
fn fold(group: &dyn Group, brought: &Brought, table: &PortTable, equipment: &mut Equipment) {
    let at = table.collected_at;
    note_setback(equipment, group.name(), at, brought.is_silent);
    let nothing = brought.rows == 0 && brought.incomplete.is_some();
    let known = equipment.walked.iter_mut().find(|w| *w.group == *group.name());
    let incomplete = brought.incomplete.as_deref().map(Arc::from);
    if nothing
        && let Some(known) = known
        && at.since(known.at) < group.pace() * 2 + SETBACK
    {
        known.incomplete = incomplete;
        return;
    }
    let empty = Cells::default();
    let cells = brought.cells.as_deref().unwrap_or(&empty);
    group.fold(&cells.view(brought.first_scalar, brought.first_column), &Walk { ports: &table.ports }, equipment);
    note(equipment, group.name(), at, brought.rows, incomplete);
}

/// The agent fell silent on these tables, or did not.
pub fn note_setback(equipment: &mut Equipment, group: &str, at: Timestamp, is_silent: bool) {
    let known = equipment.setbacks.iter().position(|s| *s.group == *group);
    match (known, is_silent) {
        (Some(known), true) => {
            let setback = &mut equipment.setbacks[known];
            (setback.tried, setback.failures) = (at, setback.failures.saturating_add(1));
        }
        (Some(known), false) => {
            equipment.setbacks.remove(known);
        }
        (None, true) => equipment.setbacks.push(Setback { group: Arc::from(group), tried: at, failures: 1 }),
        (None, false) => {}
    }
}

/// What a walk of these tables came to.
pub fn note(equipment: &mut Equipment, group: &str, at: Timestamp, rows: usize, incomplete: Option<Arc<str>>) {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    match equipment.walked.iter_mut().find(|w| *w.group == *group) {
        Some(walked) => {
            walked.at = at;
            walked.rows = rows;
            walked.incomplete = incomplete;
        }
        None => {
            equipment.walked.push(TablesWalked { group: Arc::from(group), at, rows, incomplete });
        }
    }
}

#[cfg(test)]
mod tests;
