//! Port states, rates and problems from two walks of one device. Pure: the same two walks always give the same view.
//!
//! Rates use the agent's clock and are left out, with the reason, where the counters do not span the time in between.
//! Link loss is a problem only on ports that somebody called an uplink; elsewhere it is something that happened.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, units};
use crate::model::{Condition, Counters, Duplex, Host, IfAdmin, IfOper, Port, PortTable};
use crate::state::view::{DeviceView, PortState, PortView, Rates};

/// sysUpTime counts hundredths of a second in 32 bits.
const WRAP_MILLIS: u64 = (1 << 32) * 10;
/// A second walk too soon after the first says nothing: agents refresh their counters every few seconds.
const SHORTEST: Duration = Duration::from_secs(1);
/// How long a link change counts as a flap.
const FLAP_MEMORY: Duration = Duration::from_secs(3600);
/// So many changes in that time are a problem.
const FLAPPING: usize = 4;
/// From here on half duplex is a fault.
const FAST: u64 = 100_000_000;
/// A rate above the port's speed by more than that is no rate.
const PLAUSIBLE: f64 = 1.2;

/// Judges a walk by itself and by what the walk before it showed.
pub fn judge(previous: Option<&DeviceView>, table: &Arc<PortTable>, host: &Arc<Host>) -> DeviceView {
    let span = previous.map(|p| span(&p.table, table));
    let earlier = previous.map(|view| Earlier { view, by_label: OnceCell::new() });
    let ports: Vec<PortView> = table
        .ports
        .iter()
        .enumerate()
        .map(|(row, port)| {
            let before = earlier.as_ref().and_then(|e| e.find(row, port));
            judge_port(row, port, before, span, table.collected_at, is_uplink(host, port))
        })
        .collect();
    let worst = ports.iter().map(|p| p.condition).filter(|c| c.is_problem()).max();
    DeviceView {
        host: host.clone(),
        table: table.clone(),
        up: ports.iter().filter(|p| p.state == PortState::Up).count(),
        condition: worst.unwrap_or(Condition::Ok),
        stale: false,
        rebooted: span == Some(Span::Reboot),
        ports,
    }
}

/// The time between two walks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Span {
    Seconds(f64),
    TooShort,
    Reboot,
    NoClock,
}

impl Span {
    fn gap(self) -> Option<&'static str> {
        match self {
            Self::Seconds(_) => None,
            Self::TooShort => Some("walked again too soon"),
            Self::Reboot => Some("the device was restarted"),
            Self::NoClock => Some("the agent has no clock"),
        }
    }
}

fn span(before: &PortTable, now: &PortTable) -> Span {
    let (Some(old), Some(new)) = (before.device.uptime, now.device.uptime) else { return Span::NoClock };
    let ours = now.collected_at.since(before.collected_at);
    match uptime_passed(old, new, ours) {
        None => Span::Reboot,
        Some(passed) if passed < SHORTEST => Span::TooShort,
        Some(passed) => Span::Seconds(passed.as_secs_f64()),
    }
}

/// What passed on the agent's clock; `None` where it began anew. After 497 days it wraps, which is no restart: then
/// it stood short of the wrap by no more than has passed since.
fn uptime_passed(old: Duration, new: Duration, ours: Duration) -> Option<Duration> {
    if let Some(passed) = new.checked_sub(old) {
        return Some(passed);
    }
    let wrapped = Duration::from_millis(WRAP_MILLIS).checked_sub(old)? + new;
    (wrapped <= ours * 2 + Duration::from_secs(5)).then_some(wrapped)
}

/// The walk before, looked up by port.
struct Earlier<'a> {
    view: &'a DeviceView,
    /// Rows by label; made only when something has moved.
    by_label: OnceCell<HashMap<&'a [u8], Vec<usize>>>,
}

impl<'a> Earlier<'a> {
    /// The same port: by name where it has one, else by ifIndex. A name that occurs twice needs the index too.
    fn find(&self, row: usize, port: &Port) -> Option<(&'a Port, &'a PortView)> {
        let ports = &self.view.table.ports;
        let label = port.label().as_bytes();
        let is_same = |old: &Port| old.index == port.index && old.label().as_bytes() == label;
        let found = if ports.get(row).is_some_and(is_same) {
            row
        } else {
            let by_label = self.by_label.get_or_init(|| {
                let mut map: HashMap<&[u8], Vec<usize>> = HashMap::new();
                for (i, old) in ports.iter().enumerate() {
                    map.entry(old.label().as_bytes()).or_default().push(i);
                }
                map
            });
            let rows = by_label.get(label)?;
            match rows.as_slice() {
                [only] if !label.is_empty() => *only,
                several => several.iter().copied().find(|i| ports[*i].index == port.index)?,
            }
        };
        Some((&ports[found], self.view.ports.get(found)?))
    }
}

fn judge_port(
    row: usize,
    port: &Port,
    before: Option<(&Port, &PortView)>,
    span: Option<Span>,
    at: Timestamp,
    uplink: bool,
) -> PortView {
    let seen_up = port.oper == Some(IfOper::Up) || before.is_some_and(|(_, view)| view.seen_up);
    let state = state(port, seen_up);
    let moved = before.filter(|(_, view)| view.state != state);
    let changed = if moved.is_some() {
        Some(port.last_change.filter(|t| *t <= at).unwrap_or(at))
    } else {
        before.and_then(|(_, view)| view.changed)
    };
    let flaps = flaps(port, before, at);
    let (rates, gap) = match (before, span) {
        (Some((old, _)), Some(Span::Seconds(seconds))) => rates(&old.counters, &port.counters, seconds, port.speed_bps),
        (Some(_), Some(other)) => (Rates::default(), other.gap()),
        (None, Some(_)) => (Rates::default(), Some("first seen")),
        (_, None) => (Rates::default(), Some("first walk")),
    };
    let (condition, reason) = verdict(port, state, before, &flaps, uplink);
    let fastest = if state == PortState::Up { port.speed_bps } else { None };
    let fastest = fastest.max(before.and_then(|(_, view)| view.fastest));
    PortView { row, state, reason: reason.map(Arc::from), condition, changed, rates, gap, flaps, seen_up, fastest }
}

fn state(port: &Port, seen_up: bool) -> PortState {
    // What is up carries traffic, whatever the configuration says.
    match (port.admin, port.oper) {
        (_, Some(IfOper::Up)) => PortState::Up,
        (Some(IfAdmin::Down), _) => PortState::AdminDown,
        (Some(IfAdmin::Testing), _) | (_, Some(IfOper::Testing)) => PortState::Testing,
        (_, Some(IfOper::Down)) if seen_up => PortState::LinkLost,
        (_, Some(IfOper::Down)) => PortState::NoLink,
        (_, Some(IfOper::LowerLayerDown)) => PortState::LowerLayerDown,
        (_, Some(IfOper::Dormant)) => PortState::Dormant,
        (_, Some(IfOper::NotPresent)) => PortState::MissingModule,
        (_, Some(IfOper::Unknown) | None) => PortState::Unknown,
    }
}

/// Tagged so, or called so where people write such things.
fn is_uplink(host: &Host, port: &Port) -> bool {
    let says = |text: &[u8]| text.windows(6).any(|w| w.eq_ignore_ascii_case(b"uplink"));
    host.has_tag("uplink") || says(port.alias.as_bytes())
}

/// Link changes of the last hour: what was known, and what this walk shows. A changed ifLastChange with the link as it was
/// is a link that went and came in between.
fn flaps(port: &Port, before: Option<(&Port, &PortView)>, at: Timestamp) -> Vec<Timestamp> {
    let Some((old, view)) = before else { return Vec::new() };
    let mut flaps: Vec<Timestamp> = view.flaps.iter().copied().filter(|t| at.since(*t) < FLAP_MEMORY).collect();
    let is_up = |p: &Port| p.oper == Some(IfOper::Up);
    // Both times are computed from rounded clocks; a second of difference is none.
    let touched = match (old.last_change, port.last_change) {
        (Some(was), Some(is)) => is.since(was) > Duration::from_secs(2) && is <= at,
        _ => false,
    };
    let admin_same = old.admin == port.admin;
    if is_up(old) != is_up(port) && admin_same {
        flaps.push(port.last_change.filter(|t| *t <= at && at.since(*t) < FLAP_MEMORY).unwrap_or(at));
    } else if touched && admin_same && is_up(port) {
        let when = port.last_change.unwrap_or(at);
        flaps.extend([when, when]);
    }
    let surplus = flaps.len().saturating_sub(100);
    flaps.drain(..surplus);
    flaps
}

fn verdict(
    port: &Port,
    state: PortState,
    before: Option<(&Port, &PortView)>,
    flaps: &[Timestamp],
    uplink: bool,
) -> (Condition, Option<String>) {
    match state {
        PortState::Up => {
            let mut reasons = Vec::new();
            if port.duplex == Some(Duplex::Half) && port.speed_bps.is_some_and(|s| s >= FAST) {
                reasons.push("half duplex".to_owned());
            }
            if let Some(was) = slower_than(port, before) {
                let now = port.speed_bps.unwrap_or(0);
                reasons.push(format!("{} of {}", units::speed(now), units::speed(was)));
            }
            if flaps.len() >= FLAPPING {
                reasons.push(format!("{} link changes in the last hour", flaps.len()));
            }
            if reasons.is_empty() { (Condition::Ok, None) } else { (Condition::Warning, Some(reasons.join(", "))) }
        }
        PortState::LinkLost if uplink => (Condition::Critical, Some("uplink lost its link".to_owned())),
        PortState::MissingModule if uplink && before.is_some_and(|(_, view)| view.seen_up) => {
            (Condition::Critical, Some("the uplink's module is gone".to_owned()))
        }
        PortState::LinkLost if flaps.len() >= FLAPPING => {
            (Condition::Warning, Some(format!("{} link changes in the last hour", flaps.len())))
        }
        PortState::ErrDisabled => (Condition::Critical, None),
        PortState::LinkLost
        | PortState::AdminDown
        | PortState::NoLink
        | PortState::LowerLayerDown
        | PortState::Dormant
        | PortState::MissingModule
        | PortState::Testing
        | PortState::Unknown => (Condition::Ok, None),
    }
}

/// The faster speed that this port was seen with while it was up.
fn slower_than(port: &Port, before: Option<(&Port, &PortView)>) -> Option<u64> {
    let now = port.speed_bps?;
    before.and_then(|(_, view)| view.fastest).filter(|fastest| *fastest > now)
}

/// Rates over `seconds` of the agent's clock, or why there are none.
fn rates(old: &Counters, new: &Counters, seconds: f64, speed: Option<u64>) -> (Rates, Option<&'static str>) {
    if old.discontinuity != new.discontinuity {
        return (Rates::default(), Some("the counters began anew"));
    }
    if old.wide != new.wide {
        return (Rates::default(), Some("the counters changed their width"));
    }
    let octets = |old, new_value| bit_rate(old, new_value, new.wide, seconds, speed);
    let (in_bps, out_bps) = (octets(old.in_octets, new.in_octets), octets(old.out_octets, new.out_octets));
    let gap = in_bps.err().or(out_bps.err());
    let events = |old: Option<u64>, new: Option<u64>| Some(new?.checked_sub(old?)? as f64 / seconds);
    let rates = Rates {
        in_bps: in_bps.ok().flatten(),
        out_bps: out_bps.ok().flatten(),
        in_errors: events(old.in_errors, new.in_errors),
        out_errors: events(old.out_errors, new.out_errors),
        in_discards: events(old.in_discards, new.in_discards),
        out_discards: events(old.out_discards, new.out_discards),
    };
    (rates, gap)
}

/// Bits per second between two readings of an octet counter; `Ok(None)` where the agent has none.
fn bit_rate(
    old: Option<u64>,
    new: Option<u64>,
    wide: bool,
    seconds: f64,
    speed: Option<u64>,
) -> Result<Option<f64>, &'static str> {
    let (Some(old), Some(new)) = (old, new) else { return Ok(None) };
    let range = u64::from(u32::MAX) + 1;
    if !wide && speed.is_some_and(|s| s as f64 / 8.0 * seconds >= range as f64) {
        return Err("32-bit counters wrap faster than they are read");
    }
    let passed = match new.checked_sub(old) {
        Some(passed) => passed,
        // Only a 32-bit counter wraps in a lifetime.
        None if !wide && speed.is_some() && old < range => new + range - old,
        None => return Err("the counters were reset"),
    };
    let rate = passed as f64 * 8.0 / seconds;
    if speed.is_some_and(|s| rate > s as f64 * PLAUSIBLE) { Err("the counters jumped") } else { Ok(Some(rate)) }
}

#[cfg(test)]
mod tests;
