//! The state of a port in the operator's words, and whether it is a problem and why. The words are made here, so that every
//! screen and every export says the same; foreign names in them are fit for the screen.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use super::rates::{Excess, MEDIA};
use super::ties::blamed;
use super::{SETTLING, Scene};
use crate::base::{Untrusted, text, units};
use crate::model::device::{Neighbor, StpState};
use crate::model::{Condition, Duplex, IfAdmin, IfOper, Port, PortFacts, PortRole, PortState};
use crate::state::view::PortView;

/// So many link changes in an hour are a problem on ports of the network, where each is a loss of traffic.
const FLAPPING: usize = 4;
/// And so many elsewhere: a laptop that goes to sleep and wakes makes up to five.
const FLAPPING_EDGE: usize = 6;
/// From here on half duplex is a fault; bits per second.
const FAST: u64 = 100_000_000;
/// Columns of a foreign name within a reason.
const NAME: usize = 40;

pub fn state(port: &Port, facts: Option<&PortFacts>, seen_up: bool) -> PortState {
    let err_disabled = facts.is_some_and(|f| f.err_disabled.is_some());
    match (port.admin, port.oper) {
        (Some(IfAdmin::Down), _) => PortState::AdminDown,
        (Some(IfAdmin::Testing), _) | (_, Some(IfOper::Testing)) => PortState::Testing,
        (_, Some(IfOper::Up)) => PortState::Up,
        (_, Some(_)) if err_disabled => PortState::ErrDisabled,
        (_, Some(IfOper::Down)) if seen_up => PortState::LinkLost,
        (_, Some(IfOper::Down)) => PortState::NoLink,
        (_, Some(IfOper::LowerLayerDown)) => PortState::LowerLayerDown,
        (_, Some(IfOper::Dormant)) => PortState::Dormant,
        (_, Some(IfOper::NotPresent)) => PortState::MissingModule,
        (_, Some(IfOper::Unknown) | None) => PortState::Unknown,
    }
}

/// Gives every port its condition and its reason. First those that stand for themselves, then those that stand on others: what
/// stands on something that is lost is no problem of its own. Which problems belong together is said apart (`bundle`).
pub fn all(scene: &Scene<'_>, ports: &mut [PortView]) {
    let mut words = Words::default();
    let mut derived = false;
    let mut all_facts = scene.table.equipment.ports.iter().peekable();
    for row in 0..ports.len() {
        let index = scene.table.ports[row].index;
        while all_facts.next_if(|f| f.index < index).is_some() {}
        let facts = all_facts.peek().filter(|f| f.index == index).copied();
        words.0.clear();
        let mut condition = Condition::Ok;
        if stands_on_others(scene, &ports[row]) {
            derived = true;
        } else {
            condition = Case { scene, ports, row, facts }.judge(&mut words);
        }
        settle(&mut ports[row], condition, &words);
    }
    if !derived {
        return;
    }
    // What stands on an aggregate is behind that.
    for aggregates in [true, false] {
        for row in 0..ports.len() {
            if stands_on_others(scene, &ports[row]) && scene.bundles.is_aggregate(row) == aggregates {
                words.0.clear();
                let facts = scene.table.facts(&scene.table.ports[row]);
                let condition = Case { scene, ports, row, facts }.judge_derived(&mut words);
                settle(&mut ports[row], condition, &words);
            }
        }
    }
}

fn stands_on_others(scene: &Scene<'_>, seen: &PortView) -> bool {
    let without = matches!(seen.state, PortState::LowerLayerDown | PortState::LinkLost | PortState::NoLink);
    without
        && (scene.bundles.is_aggregate(seen.row)
            || scene.table.facts(&scene.table.ports[seen.row]).is_some_and(|f| !f.lower.is_empty()))
}

fn settle(seen: &mut PortView, condition: Condition, words: &Words) {
    seen.condition = if seen.role == PortRole::Ignored { Condition::Ok } else { condition };
    if words.0.is_empty() {
        seen.reason = None;
    } else if seen.reason.as_deref() != Some(&words.0) {
        seen.reason = Some(Arc::from(words.0.as_str()));
    }
}

/// A reason in the making; one buffer for all ports.
#[derive(Debug, Default)]
struct Words(String);

impl Words {
    fn add(&mut self, words: fmt::Arguments<'_>) {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        // Writing to a string does not fail.
        let _ = self.0.write_fmt(words);
    }
}

/// Why somebody would miss the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    MustBeUp,
    Uplink,
    Aggregate,
    Neighbor,
}

/// One port among the others of its device.
#[derive(Clone, Copy)]
struct Case<'a> {
    scene: &'a Scene<'a>,
    ports: &'a [PortView],
    row: usize,
    facts: Option<&'a PortFacts>,
}

impl Case<'_> {
    fn seen(&self) -> &PortView {
        &self.ports[self.row]
    }

    fn port(&self) -> &Port {
        &self.scene.table.ports[self.row]
    }

    fn need(&self) -> Option<Need> {
        let seen = self.seen();
        match seen.role {
            PortRole::Ignored => None,
            PortRole::MustBeUp => Some(Need::MustBeUp),
            PortRole::Uplink => Some(Need::Uplink),
            PortRole::Plain => {
                let ties = seen.ties.as_deref();
                if ties.is_some_and(|t| t.aggregate.is_some()) || self.scene.bundles.is_aggregate(self.row) {
                    Some(Need::Aggregate)
                } else {
                    ties.and_then(|t| t.neighbor.as_ref()).map(|_| Need::Neighbor)
                }
            }
        }
    }

    fn judge(&self, words: &mut Words) -> Condition {
        if self.seen().state == PortState::Up {
            return self.up(words);
        }
        let need = self.need();
        let must = need == Some(Need::MustBeUp);
        // What was up once and is needed; before that the port is as the first walk found it.
        let missed = self.seen().seen_up && need.is_some();
        match self.seen().state {
            PortState::AdminDown => {
                if self.port().oper == Some(IfOper::Up) {
                    words.add(format_args!("and yet the link is up"));
                }
                if must {
                    words.add(format_args!("must be up, and is shut down"));
                }
                if must { Condition::Critical } else { Condition::Ok }
            }
            PortState::LinkLost => self.link_lost(words),
            PortState::NoLink if must => {
                words.add(format_args!("must be up, and has no link"));
                if self.just_started(words) { Condition::Ok } else { Condition::Critical }
            }
            PortState::ErrDisabled => {
                self.err_disabled(words);
                Condition::Critical
            }
            PortState::LowerLayerDown if missed || must => {
                if self.just_started(words) {
                    Condition::Ok
                } else {
                    Condition::Critical
                }
            }
            PortState::Dormant if must => Condition::Critical,
            PortState::Dormant if missed => Condition::Warning,
            PortState::MissingModule => {
                if self.seen().seen_up {
                    words.add(format_args!("the module is gone"));
                }
                match (self.seen().seen_up, must || missed) {
                    (_, true) => Condition::Critical,
                    // Somebody has pulled it.
                    (true, false) => Condition::Warning,
                    (false, false) => Condition::Ok,
                }
            }
            PortState::Testing | PortState::Unknown if missed || must => {
                if self.seen().state == PortState::Unknown {
                    words.add(format_args!("the device does not say"));
                }
                Condition::Unknown
            }
            PortState::Up
            | PortState::NoLink
            | PortState::LowerLayerDown
            | PortState::Dormant
            | PortState::Testing
            | PortState::Unknown => Condition::Ok,
        }
    }

    /// A port that stands on others and has no link.
    fn judge_derived(&self, words: &mut Words) -> Condition {
        let Scene { table, bundles, .. } = self.scene;
        let Some(below) = blamed(table, bundles, self.ports, self.row) else { return self.judge(words) };
        let cause = &self.ports[below];
        // What an aggregate has lost is told of it: its members are behind it.
        let below_tells = !bundles.is_aggregate(self.row) && self.excused(self.row, 4);
        let excused = below_tells || cause.state == PortState::AdminDown;
        let must = self.need() == Some(Need::MustBeUp) && cause.state == PortState::AdminDown;
        let condition = if excused && !must { Condition::Ok } else { self.judge(words) };
        words.add(format_args!("because of {} ({})", Name(table.ports[below].label()), cause.state.as_str()));
        condition
    }

    /// Something below has a problem of its own, which is where the loss is told.
    fn excused(&self, row: usize, depth: u8) -> bool {
        let Scene { table, bundles, .. } = self.scene;
        blamed(table, bundles, self.ports, row).is_some_and(|below| {
            let seen = &self.ports[below];
            (seen.condition.is_problem() && seen.state != PortState::Up)
                || (depth > 0 && stands_on_others(self.scene, seen) && self.excused(below, depth - 1))
        })
    }

    fn link_lost(&self, words: &mut Words) -> Condition {
        let seen = self.seen();
        let ties = seen.ties.as_deref();
        let neighbor = ties.and_then(|t| t.neighbor.as_ref()).map(|(id, _)| &id.name).filter(|name| !name.is_empty());
        let to = neighbor.map(|name| format!(" to {}", Name(name))).unwrap_or_default();
        let condition = match self.need() {
            None => return self.flapping(FLAPPING_EDGE, words),
            Some(Need::MustBeUp) => {
                words.add(format_args!("must be up, and lost its link{to}"));
                Condition::Critical
            }
            Some(Need::Uplink) => {
                words.add(format_args!("uplink lost its link{to}"));
                Condition::Critical
            }
            Some(Need::Neighbor) => {
                words.add(format_args!("lost its link{to}"));
                Condition::Critical
            }
            Some(Need::Aggregate) => {
                let aggregate = self.scene.bundles.aggregate_of(self.row);
                let goes_on = aggregate.is_some_and(|row| self.ports[row].state == PortState::Up);
                match ties.and_then(|t| t.aggregate.as_ref()) {
                    Some((key, _)) if goes_on => {
                        words.add(format_args!("lost its link{to}; {} goes on without it", Name(&key.label)));
                    }
                    Some((key, _)) => words.add(format_args!("lost its link{to}, and {} with it", Name(&key.label))),
                    None => words.add(format_args!("lost its link{to}")),
                }
                if goes_on { Condition::Warning } else { Condition::Critical }
            }
        };
        if self.just_started(words) { Condition::Ok } else { condition.max(self.flapping(FLAPPING, words)) }
    }

    /// The device was restarted a moment ago, and the link has been gone since.
    fn just_started(&self, words: &mut Words) -> bool {
        let scene = self.scene;
        let device = &scene.table.device;
        let Some(up) = device.uptime.filter(|up| *up < SETTLING) else { return false };
        let started = scene.at.minus(up + Duration::from_secs(60));
        if !scene.restarted_since(started) {
            // Who watched it would have seen it start: its clock has wrapped, or only its agent is new.
            let watched = self.seen().first_seen < started;
            let older = device.up().max(device.host_uptime).is_some_and(|up| up >= SETTLING);
            if watched || older {
                return false;
            }
        }
        let since = self.seen().changed.is_none_or(|changed| changed >= started);
        if since {
            words.add(format_args!("the device has just started"));
        }
        since
    }

    fn flapping(&self, limit: usize, words: &mut Words) -> Condition {
        let changes = self.seen().flaps.len();
        if changes < limit {
            return Condition::Ok;
        }
        words.add(format_args!("{changes} link changes in the last hour"));
        Condition::Warning
    }

    fn err_disabled(&self, words: &mut Words) {
        let Some(found) = self.facts.and_then(|f| f.err_disabled.as_ref()) else { return };
        let cause = text::fit(&text::clean(&found.cause), NAME);
        match found.recovers_in {
            Some(left) => words.add(format_args!("{cause}, recovers within {}", units::age(left))),
            None => words.add(format_args!("{cause}")),
        }
    }

    fn up(&self, words: &mut Words) -> Condition {
        let seen = self.seen();
        let mut worst = self.duplex(words);
        if let Some(could) = self.capable() {
            let now = self.port().speed_bps.unwrap_or(0);
            words.add(format_args!("{} of {}", units::speed(now), units::speed(could)));
            worst = worst.max(Condition::Warning);
        }
        worst = worst.max(self.bundled(words)).max(self.spanning_tree(words)).max(self.members(words));
        if seen.flaps.len() >= FLAPPING {
            let limit = if self.need().is_none() { FLAPPING_EDGE } else { FLAPPING };
            worst = worst.max(self.flapping(limit, words));
        }
        if seen.errors.is_problem() || seen.discards.is_problem() {
            let trouble = self.scene.trouble(self.row);
            if seen.errors.is_problem() {
                worst = worst.max(excess("errors", trouble.and_then(|t| t.errors), words));
            }
            if seen.discards.is_problem() {
                worst = worst.max(excess("discards", trouble.and_then(|t| t.discards), words));
            }
        }
        worst
    }

    fn duplex(&self, words: &mut Words) -> Condition {
        let port = self.port();
        let Some(ours) = port.duplex else { return Condition::Ok };
        let differs = |n: &&Neighbor| n.half_duplex.is_some_and(|half| half != (ours == Duplex::Half));
        let mismatch = self.facts.and_then(|f| f.neighbors.iter().find(differs));
        if let Some(neighbor) = mismatch {
            let (here, there) = if ours == Duplex::Half { ("half", "full") } else { ("full", "half") };
            words.add(format_args!("duplex mismatch: {here} here, {there} at {}", Name(&neighbor.name)));
            return Condition::Warning;
        }
        if ours == Duplex::Full {
            return Condition::Ok;
        }
        words.add(format_args!("half duplex"));
        if port.speed_bps.is_some_and(|s| s >= FAST) { Condition::Warning } else { Condition::Ok }
    }

    /// The speed that the port can do, where it is faster than what it does: as the device says, or as it was seen.
    fn capable(&self) -> Option<u64> {
        let port = self.port();
        let could = self.facts.and_then(|f| f.capable_bps).max(self.seen().fastest)?;
        let slower = port.speed_bps.is_some_and(|now| now < could);
        let medium = port.if_type.is_none_or(|kind| MEDIA.contains(&kind));
        (slower && medium && !self.scene.bundles.is_aggregate(self.row)).then_some(could)
    }

    /// A member that the aggregate does without.
    fn bundled(&self, words: &mut Words) -> Condition {
        let lag = self.facts.and_then(|f| f.lag).filter(|lag| lag.bundled == Some(false));
        let Some(lag) = lag else { return Condition::Ok };
        match self.scene.table.by_index(lag.aggregate).filter(|_| lag.aggregate != self.port().index) {
            Some(aggregate) => words.add(format_args!("not bundled in {}", Name(aggregate.label()))),
            None => words.add(format_args!("not bundled")),
        }
        Condition::Warning
    }

    /// Blocking is what spanning tree does to a second path; on a port where nobody forwards it is a loop.
    fn spanning_tree(&self, words: &mut Words) -> Condition {
        match self.facts.and_then(|f| f.stp) {
            Some(StpState::Blocking) => {
                words.add(format_args!("blocked by spanning tree"));
                let unexpected = self.seen().forwarded && self.need().is_none();
                if unexpected { Condition::Warning } else { Condition::Ok }
            }
            Some(StpState::Broken) => {
                words.add(format_args!("broken, says spanning tree"));
                Condition::Warning
            }
            Some(StpState::Disabled | StpState::Listening | StpState::Learning | StpState::Forwarding) | None => {
                Condition::Ok
            }
        }
    }

    /// An aggregate that has lost some of its members. One that was shut, or never had a link, is not lost.
    fn members(&self, words: &mut Words) -> Condition {
        let (mut all, mut lost) = (0u32, None);
        for member in self.scene.bundles.members_of(self.row) {
            let seen = &self.ports[member];
            match seen.state {
                PortState::AdminDown => {}
                PortState::Up => all += 1,
                _ if seen.seen_up => {
                    all += 1;
                    let (count, _) = lost.unwrap_or((0, member));
                    lost = Some((count + 1, lost.map_or(member, |(_, first)| first)));
                }
                _ => {}
            }
        }
        let Some((count, first)) = lost else { return Condition::Ok };
        let label = self.scene.table.ports[first].label();
        words.add(format_args!(
            "{} of {all} members: {} is {}",
            all - count,
            Name(label),
            self.ports[first].state.as_str()
        ));
        Condition::Warning
    }
}

/// How many are too many, to two digits: a reason that changes with every walk would be a new one each time.
fn excess(what: &str, found: Option<Excess>, words: &mut Words) -> Condition {
    let Some(found) = found else {
        words.add(format_args!("{what} until a moment ago"));
        return Condition::Warning;
    };
    let direction = if found.outwards { "out" } else { "in" };
    match found.share {
        Some(share) => words.add(format_args!("{what} {direction}: {} % of packets", two_digits(share / 1e4))),
        None => words.add(format_args!("{what} {direction}: {} a second", two_digits(found.per_second))),
    }
    found.condition
}

fn two_digits(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let scale = 10f64.powi(1 - value.log10().floor() as i32);
    (value * scale).round() / scale
}

/// A foreign name within a reason.
struct Name<'a>(&'a Untrusted);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            f.write_str("a port without a name")
        } else {
            f.write_str(&text::fit(&self.0.line(), NAME))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_reasons_have_two_digits() {
        assert_eq!(two_digits(0.031_415).to_string(), "0.031");
        assert_eq!(two_digits(312.7).to_string(), "310");
        assert_eq!(two_digits(9.96).to_string(), "10");
        assert_eq!(two_digits(0.0).to_string(), "0");
    }

    #[test]
    fn every_state_of_the_mib_has_its_word() {
        let state_of = |admin, oper| state(&Port { admin, oper, ..Port::default() }, None, false);
        let up = Some(IfAdmin::Up);
        assert_eq!(state_of(up, Some(IfOper::Up)), PortState::Up);
        assert_eq!(state_of(up, Some(IfOper::Down)), PortState::NoLink);
        assert_eq!(state_of(up, Some(IfOper::LowerLayerDown)), PortState::LowerLayerDown);
        assert_eq!(state_of(up, Some(IfOper::Dormant)), PortState::Dormant);
        assert_eq!(state_of(up, Some(IfOper::NotPresent)), PortState::MissingModule);
        assert_eq!(state_of(up, Some(IfOper::Testing)), PortState::Testing);
        assert_eq!(state_of(up, Some(IfOper::Unknown)), PortState::Unknown);
        assert_eq!(state_of(Some(IfAdmin::Down), Some(IfOper::Up)), PortState::AdminDown);
        assert_eq!(state_of(Some(IfAdmin::Testing), Some(IfOper::Up)), PortState::Testing);
        assert_eq!(state_of(None, Some(IfOper::Up)), PortState::Up);
        assert_eq!(state_of(None, None), PortState::Unknown);
    }
}
