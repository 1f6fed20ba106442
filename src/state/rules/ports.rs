//! Port states, rates and problems from two walks of one device. Pure: the same two walks always give the same view.
//!
//! The first walk is the baseline: what it finds without a link is no problem. Later a lost link is one only where the port is
//! part of the network (a neighbor that forwards, an aggregate, a rule of the operator); elsewhere it is an event.
//!
//! ```text
//! span      the device's clock between the walks, restarts
//! identity  which port is which
//! rates     what the counters say, errors and discards
//! ties      what makes a port part of the network, and aggregates
//! verdict   state, condition and reason
//! changes   events, and ports that the device lists no more
//! bundle    which problems belong together
//! ```
//!
//! Runs for every port at every walk: nothing is allocated for a port that stays as it is.

pub mod bundle;
mod changes;
mod identity;
mod rates;
mod span;
mod ties;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use self::changes::Moved;
use self::identity::{Before, Past};
use self::rates::Excess;
use self::span::{Clocks, Span, span};
use self::ties::Bundles;
use crate::base::Timestamp;
use crate::model::device::{Neighbor, StpState};
use crate::model::{
    Condition, Flaps, Host, IfOper, Port, PortChange, PortEvent, PortFacts, PortKey, PortMemory, PortRole, PortState,
    PortTable, RememberedDevice, ToldApart,
};
use crate::state::rules::equipment;
use crate::state::view::{DeviceView, Finding, Gap, PortView, Rates};

/// A device that was restarted has not yet all its links; a lost one is not told before.
const SETTLING: Duration = Duration::from_secs(120);
/// A port that has been slower than it once was for so long, whenever it was up, has another station at its other end.
const SLOWER: Duration = Duration::from_secs(7 * 86_400);
/// A port that nobody needs and that has been without a link for so long is free.
const FREE: Duration = Duration::from_secs(7 * 86_400);

/// Whether a neighbor is a device that is watched too, so that it counts where it does not say that it forwards for others.
pub type IsDevice<'a> = &'a dyn Fn(&Neighbor) -> bool;

/// Judges a walk by itself and by what the walk before it showed.
pub fn judge(previous: Option<&DeviceView>, table: &Arc<PortTable>, host: &Arc<Host>) -> DeviceView {
    judge_among(&|_| false, previous, table, host)
}

/// [`judge`] among other devices.
pub fn judge_among(
    is_device: IsDevice<'_>,
    previous: Option<&DeviceView>,
    table: &Arc<PortTable>,
    host: &Arc<Host>,
) -> DeviceView {
    let Some(view) = previous else { return Scene::new(table, host, None, is_device).judge(None) };
    let span = span(Clocks::from(&*view.table), Clocks::from(&**table));
    let moved = match (view.table.device.table_last_change, table.device.table_last_change) {
        (Some(old), Some(new)) => old != new,
        _ => false,
    };
    let past = Past::of_view(view, moved || !span.keeps_indexes());
    let mut scene = Scene::new(table, host, Some(span), is_device);
    if let Some(earlier) = view.counted_from.as_ref().filter(|t| span.keeps_indexes() && identity::same_rows(t, table))
    {
        scene.counters = Some((earlier, span::span(Clocks::from(&**earlier), Clocks::from(&**table))));
    }
    scene.judge(Some(&past))
}

/// Judges the first walk after a restart of noctty, by what the store remembers.
pub fn recall(
    is_device: IsDevice<'_>,
    device: &RememberedDevice,
    table: &Arc<PortTable>,
    host: &Arc<Host>,
) -> DeviceView {
    let span = span(Clocks::from(device), Clocks::from(&**table));
    // The last change of the table on the device's clock is later than our last look.
    let moved = match (table.device.table_last_change, device.uptime) {
        (Some(ticks), Some(then)) => Duration::from_millis(u64::from(ticks) * 10) > then,
        _ => false,
    };
    let past = Past::of_store(device, moved || !span.keeps_indexes());
    let mut scene = Scene::new(table, host, Some(span), is_device);
    scene.events = device.events.as_slice().into();
    scene.last_walk = Some(device.at);
    scene.judge(Some(&past))
}

/// Whether something changed that must survive a restart of noctty. Times that only move on do not count.
pub fn worth_remembering(old: &DeviceView, new: &DeviceView) -> bool {
    let same = |(old, new): (&PortView, &PortView)| {
        old.state == new.state
            && old.changed == new.changed
            && old.seen_up == new.seen_up
            && old.forwarded == new.forwarded
            && old.fastest == new.fastest
            && old.slower_since == new.slower_since
            && old.told_apart == new.told_apart
            && old.flaps.len() == new.flaps.len()
            && old.ties == new.ties
    };
    let boots = |view: &DeviceView| view.table.device.engine.map(|engine| engine.boots);
    let nothing = identity::same_rows(&old.table, &new.table)
        && old.ports.iter().zip(&new.ports).all(same)
        && Arc::ptr_eq(&old.events, &new.events)
        && Arc::ptr_eq(&old.absent, &new.absent)
        && boots(old) == boots(new)
        && old.table.device.name == new.table.device.name
        && old.table.equipment.chassis_macs() == new.table.equipment.chassis_macs();
    !nothing
}

/// One walk and what surrounds it.
struct Scene<'a> {
    table: &'a Arc<PortTable>,
    host: &'a Arc<Host>,
    at: Timestamp,
    last_walk: Option<Timestamp>,
    span: Option<Span>,
    /// An earlier walk with the same rows that rates are counted from, because the one before came too soon after it.
    counters: Option<(&'a Arc<PortTable>, Span)>,
    all_uplinks: bool,
    is_device: IsDevice<'a>,
    old: Option<&'a DeviceView>,
    /// Where that is not as in `old`.
    told_apart: Option<Vec<ToldApart>>,
    bundles: Bundles,
    /// In the order of their rows.
    troubles: Vec<Trouble>,
    events: Arc<[PortEvent]>,
}

impl<'a> Scene<'a> {
    fn new(table: &'a Arc<PortTable>, host: &'a Arc<Host>, span: Option<Span>, is_device: IsDevice<'a>) -> Self {
        Self {
            table,
            host,
            at: table.collected_at,
            last_walk: None,
            span,
            counters: None,
            all_uplinks: host.has_tag("uplink"),
            is_device,
            old: None,
            told_apart: None,
            bundles: Bundles::of(table),
            troubles: Vec::new(),
            events: Arc::default(),
        }
    }

    fn judge(mut self, past: Option<&Past<'a>>) -> DeviceView {
        self.old = past.and_then(|p| p.view);
        if let Some(old) = self.old {
            self.events = old.events.clone();
            self.last_walk = Some(old.table.collected_at);
        }
        self.told_apart = identity::told_apart(self.table, self.old);
        let mut moved = Moved::new(self.old, self.table);
        let mut ports: Vec<PortView> = Vec::with_capacity(self.table.ports.len());
        let mut facts = self.table.equipment.ports.iter().peekable();
        for (row, port) in self.table.ports.iter().enumerate() {
            let found = past.and_then(|p| p.find(row, port, self.told_apart(row)));
            let (before, old_row) = found.map_or((None, None), |(before, row)| (Some(before), row));
            while facts.next_if(|f| f.index < port.index).is_some() {}
            let facts = facts.peek().filter(|f| f.index == port.index).copied();
            let mut seen = self.look(row, port, facts, before.as_ref());
            let trouble = self.count(port, before.as_ref(), &mut seen);
            self.troubles.extend(trouble);
            moved.note(&seen, port, before.as_ref().map(|b| &b.memory), old_row);
            ports.push(seen);
        }
        self.bundles.recall(self.table, &ports);
        verdict::all(&self, &mut ports);
        let absent = changes::absent(&self, past, &moved);
        let missing = changes::missing(&absent, self.old, self.at);
        let events = changes::events(&self, past.is_some(), &ports, &moved, &absent);
        let worst = ports.iter().map(|p| p.condition).filter(|c| c.is_problem()).max().unwrap_or(Condition::Ok);
        DeviceView {
            host: self.host.clone(),
            table: self.table.clone(),
            up: ports.iter().filter(|p| p.state == PortState::Up).count(),
            condition: if missing.is_some() { worst.max(Condition::Critical) } else { worst },
            stale: false,
            rebooted: self.span == Some(Span::DeviceRestarted),
            ports,
            events,
            absent,
            missing,
            findings: self.findings(),
            counted_from: self.still_counted_from(),
        }
    }

    /// What is wrong beside the ports; looked at anew only where a table brought something new.
    fn findings(&self) -> Arc<[Finding]> {
        let before = self.old.map(|view| (&view.findings, &view.table.equipment));
        match before {
            Some((known, equipment)) if Arc::ptr_eq(equipment, &self.table.equipment) => known.clone(),
            Some((known, _)) => equipment::findings(&self.table.equipment, self.at, known).into(),
            None => equipment::findings(&self.table.equipment, self.at, &[]).into(),
        }
    }

    /// Where this walk came too soon after another, the next one counts from that.
    fn still_counted_from(&self) -> Option<Arc<PortTable>> {
        match (self.counters, self.span) {
            (Some((earlier, Span::TooShort)), _) => Some(earlier.clone()),
            (None, Some(Span::TooShort)) => self.old.map(|view| view.table.clone()),
            _ => None,
        }
    }

    fn told_apart(&self, row: usize) -> ToldApart {
        match (&self.told_apart, self.old) {
            (Some(told), _) => told[row],
            (None, Some(old)) => old.ports[row].told_apart,
            (None, None) => ToldApart::ByLabel,
        }
    }

    fn key(&self, row: usize) -> Option<PortKey> {
        Some(PortKey { label: self.table.ports.get(row)?.label().clone(), told_apart: self.told_apart(row) })
    }

    /// A restart of the device was seen in this walk or since that time.
    fn restarted_since(&self, since: Timestamp) -> bool {
        let is_restart = |event: &PortEvent| event.port.is_none() && event.change == PortChange::Restarted;
        self.span == Some(Span::DeviceRestarted) || self.events.iter().any(|e| e.at >= since && is_restart(e))
    }

    fn trouble(&self, row: usize) -> Option<&Trouble> {
        self.troubles.binary_search_by_key(&row, |t| t.row).ok().map(|at| &self.troubles[at])
    }

    /// A port as this walk shows it, without the verdict, which looks at its neighbors on the device too.
    fn look(&self, row: usize, port: &Port, facts: Option<&PortFacts>, before: Option<&Before<'_>>) -> PortView {
        let fresh = PortMemory { first_seen: self.at, ..PortMemory::default() };
        let memory = before.map_or(&fresh, |b| &b.memory);
        let seen_up = port.oper == Some(IfOper::Up) || memory.seen_up;
        let role = self.role(port, before);
        let ties = ties::ties(self, row, port, facts, memory);
        let mut state = verdict::state(port, facts, seen_up);
        if state == PortState::LinkLost && role == PortRole::Plain && ties.is_none() {
            let lost = memory.changed.filter(|_| memory.state != PortState::Up);
            if lost.is_some_and(|lost| self.at.since(lost) > FREE) {
                state = PortState::NoLink;
            }
        }
        let is_news = before.is_some() && changes::is_news(memory, state);
        let changed = if is_news { Some(self.when(port)) } else { memory.changed };
        let (fastest, slower_since) = self.fastest(port, state, memory);
        PortView {
            reason: before.and_then(|b| b.seen).and_then(|s| s.reason.clone()),
            changed,
            flaps: self.flaps(port, before, memory),
            seen_up,
            forwarded: memory.forwarded || facts.and_then(|f| f.stp) == Some(StpState::Forwarding),
            role,
            told_apart: self.told_apart(row),
            fastest,
            slower_since,
            ties,
            ..PortView::new(row, state, memory.first_seen)
        }
    }

    /// The fastest that it was seen up with, and since when it is slower. Forgotten with the module that could do it, and
    /// once it has been slower for [`SLOWER`].
    fn fastest(&self, port: &Port, state: PortState, memory: &PortMemory) -> (Option<u64>, Option<Timestamp>) {
        if state == PortState::MissingModule {
            return (None, None);
        }
        let known = (memory.fastest_bps, memory.slower_since);
        let Some(now) = port.speed_bps.filter(|_| state == PortState::Up) else { return known };
        if memory.fastest_bps.is_none_or(|fastest| now >= fastest) {
            return (Some(now), None);
        }
        let since = memory.slower_since.unwrap_or(self.at);
        if self.at.since(since) >= SLOWER { (Some(now), None) } else { (memory.fastest_bps, Some(since)) }
    }

    /// When a change that this walk shows happened: as the device says, where that fits what was seen.
    fn when(&self, port: &Port) -> Timestamp {
        let after = self.last_walk.map_or(Timestamp(i64::MIN), |t| t.minus(Duration::from_secs(5)));
        port.last_change.filter(|t| *t <= self.at && *t >= after).unwrap_or(self.at)
    }

    /// The operator's rules are asked again only where a name or the rules have changed.
    fn role(&self, port: &Port, before: Option<&Before<'_>>) -> PortRole {
        if let Some(Before { port: Some(old), seen: Some(seen), .. }) = before
            && self.old.is_some_and(|view| Arc::ptr_eq(&view.host, self.host))
            && old.name == port.name
            && old.description == port.description
            && old.alias == port.alias
        {
            return seen.role;
        }
        self.host.ports.role(port, self.all_uplinks)
    }

    /// Link changes of the last hour: what was known, and what this walk shows. A changed ifLastChange with the link as it
    /// was is a link that went and came in between. A restart of the device is no flap.
    fn flaps(&self, port: &Port, before: Option<&Before<'_>>, memory: &PortMemory) -> Flaps {
        let at = self.at;
        let is_up = port.oper == Some(IfOper::Up);
        let Some(Before { port: Some(old), .. }) = before else { return memory.flaps.with(&[], at) };
        if self.span == Some(Span::DeviceRestarted) || old.admin != port.admin {
            return memory.flaps.with(&[], at);
        }
        if (old.oper == Some(IfOper::Up)) != is_up {
            return memory.flaps.with(&[self.when(port)], at);
        }
        // Both times are computed from rounded clocks; a second or two of difference is none.
        let touched = match (old.last_change, port.last_change) {
            (Some(was), Some(is)) => is.since(was) > Duration::from_secs(2) && self.when(port) == is,
            _ => false,
        };
        match port.last_change.filter(|_| touched && is_up && self.span.is_some_and(Span::keeps_indexes)) {
            Some(when) => memory.flaps.with(&[when, when], at),
            None => memory.flaps.with(&[], at),
        }
    }

    /// Rates, or why there are none, and whether errors and discards are too many.
    fn count(&self, port: &Port, before: Option<&Before<'_>>, seen: &mut PortView) -> Option<Trouble> {
        let Some(before) = before else {
            seen.gap = Some(if self.span.is_some() { Gap::FirstSeen } else { Gap::FirstWalk });
            return None;
        };
        let (Some(old), Some(was), Some(span)) = (before.port, before.seen, self.span) else {
            seen.gap = Some(Gap::FirstWalk);
            return None;
        };
        let (then, old, span) = match self.counters {
            Some((earlier, span)) => (Some(earlier), &earlier.ports[seen.row], span),
            None => (self.old.map(|view| &view.table), old, span),
        };
        (seen.errors, seen.discards) = (was.errors, was.discards);
        let Span::Seconds(seconds) = span else {
            // What was right a moment ago still is.
            (seen.rates, seen.gap) =
                if span == Span::TooShort { (was.rates, was.gap) } else { (Rates::default(), span.gap()) };
            return None;
        };
        (seen.rates, seen.gap) = rates::rates(old, port, seconds);
        let packets = || then.and_then(|t| t.packets(old.index)).zip(self.table.packets(port.index));
        let limits = &self.host.ports.limits;
        let errors = rates::errors(&seen.rates, packets, seconds, limits, was.errors.is_problem());
        let discards = rates::discards(&seen.rates, packets, seconds, limits, was.discards.is_problem());
        seen.errors = errors.after(was.errors);
        seen.discards = discards.after(was.discards);
        let trouble = Trouble { row: seen.row, errors: errors.excess(), discards: discards.excess() };
        (trouble.errors.is_some() || trouble.discards.is_some()).then_some(trouble)
    }
}

/// Errors and discards of a port that are too many in this walk.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    row: usize,
    errors: Option<Excess>,
    discards: Option<Excess>,
}

#[cfg(test)]
mod tests;
