//! What is not what it was: between two results of one check, two walks of one device, two configurations of one host. Only
//! what is the same as long as nobody changes it is compared; numbers that move by themselves are not.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{text, units};
use crate::model::device::Neighbor;
use crate::model::{CheckSpec, IfOper, Machine, Observation, Outcome, PortTable, Reading, Vitals};
use crate::state::view::{CheckView, HostView};

/// More ports of one walk than that are told as one.
const ONE_BY_ONE: usize = 8;
/// Columns of a foreign text within a line.
const WIDEST: usize = 40;
/// A certificate's days count down by themselves; this far from where they should be it is another certificate.
const DAYS: f64 = 1.0;

/// What a result says that the last one to speak of it did not.
pub fn of_results(check: &CheckView, now: &Observation, out: &mut Vec<String>) {
    if let Some(left) = number(&now.reading, "days_left")
        && let Some(before) = last(check, |reading| number(reading, "days_left").is_some())
        && let Some(was) = number(&before.reading, "days_left")
    {
        let passed = now.at.since(before.at).as_secs_f64() / 86_400.0;
        if (left - (was - passed)).abs() > DAYS {
            out.push(format!("certificate: {was:.0} days left → {left:.0}"));
        }
    }
    if let Some(serial) = number(&now.reading, "serial")
        && let Some(before) = last(check, |reading| number(reading, "serial").is_some())
        && let Some(was) = number(&before.reading, "serial").filter(|was| (was - serial).abs() >= 1.0)
    {
        out.push(format!("zone: serial {was:.0} → {serial:.0}"));
    }
    if now.reading.outcome == Outcome::Critical
        && &*check.spec.kind == "ssh-key"
        && last(check, |_| true).is_some_and(|before| before.reading.outcome == Outcome::Ok)
    {
        out.push(format!("SSH host key: {}", now.reading.summary.line()));
    }
}

/// The newest result of those that are kept which says something.
fn last(check: &CheckView, says: impl Fn(&Reading) -> bool) -> Option<&Arc<Observation>> {
    let kept = [&check.last, &check.last_bad, &check.good_before];
    kept.into_iter().flatten().filter(|one| says(&one.reading)).max_by_key(|one| one.at)
}

fn number(reading: &Reading, name: &str) -> Option<f64> {
    reading.metrics.iter().find(|metric| &*metric.name == name).map(|metric| metric.value)
}

/// What a machine is that it was not.
pub fn of_machines(was: &Machine, now: &Vitals, out: &mut Vec<String>) {
    for (what, was, now) in [("system", &was.system, &now.system), ("kernel", &was.kernel, &now.kernel)] {
        if !was.is_empty() && !now.is_empty() && was != now {
            out.push(format!("{what}: {}", from_to(&was.line(), &now.line())));
        }
    }
    if let (Some((count, digest)), Some(now)) = (&was.packages, &now.packages)
        && *digest != now.digest
    {
        out.push(if *count == now.count {
            format!("packages changed ({count} are installed)")
        } else {
            format!("packages: {count} → {} installed", now.count)
        });
    }
}

/// What a walk found otherwise: by the port's row in it, where it is one port's.
pub fn of_walks(was: &PortTable, now: &PortTable) -> Vec<(Option<usize>, String)> {
    let mut found = Vec::new();
    for (row, port) in now.ports.iter().enumerate() {
        let Some(before) = was.row(port.index).map(|row| &was.ports[row]) else { continue };
        if before.label() != port.label() {
            continue;
        }
        let both_up = before.oper == Some(IfOper::Up) && port.oper == Some(IfOper::Up);
        if let (Some(from), Some(to), true) = (before.speed_bps, port.speed_bps, both_up)
            && from != to
        {
            let [from, to] = [from, to].map(units::speed);
            found.push((Some(row), format!("speed {}", from_to(&from, &to))));
        }
        if let (Some(from), Some(to)) = (only_neighbor(was, before.index), only_neighbor(now, port.index))
            && (&from.name, from.chassis_mac) != (&to.name, to.chassis_mac)
            && from.protocol == to.protocol
        {
            found.push((Some(row), format!("neighbor {}", from_to(&called(from), &called(to)))));
        }
    }
    if found.len() > ONE_BY_ONE {
        return vec![(None, format!("{} ports have another speed or neighbor", found.len()))];
    }
    found
}

/// Of several it is not known which became which.
fn only_neighbor(table: &PortTable, index: u32) -> Option<&Neighbor> {
    match table.equipment.port(index).map(|facts| &facts.neighbors[..]) {
        Some([one]) => Some(one),
        _ => None,
    }
}

fn called(neighbor: &Neighbor) -> String {
    if neighbor.name.is_empty() { "?".to_owned() } else { neighbor.name.line() }
}

/// What a configuration that was read again changed about a host: `configuration: address 10.0.0.5 → 10.0.0.6, new check http`.
pub fn of_configurations(was: &HostView, now: &HostView) -> Option<String> {
    let by_name = |view: &HostView| -> BTreeMap<Arc<str>, Arc<CheckSpec>> {
        view.checks.iter().map(|check| (check.spec.key.name.clone(), check.spec.clone())).collect()
    };
    let (old, new) = (by_name(was), by_name(now));
    let (was, now) = (&*was.host, &*now.host);
    if (was, &old) == (now, &new) {
        return None;
    }
    let mut words = Vec::new();
    let said = |text: Option<&str>| text.unwrap_or("none").to_owned();
    if was.address != now.address {
        words.push(format!("address {}", from_to(&said(was.address.as_deref()), &said(now.address.as_deref()))));
    }
    if (&was.parents, &was.redundancy) != (&now.parents, &now.redundancy) {
        words.push("parents".to_owned());
    }
    words.extend(new.keys().filter(|name| !old.contains_key(*name)).map(|name| format!("new check {name}")));
    words.extend(old.keys().filter(|name| !new.contains_key(*name)).map(|name| format!("no check {name}")));
    let other = new.iter().filter(|(name, spec)| old.get(*name).is_some_and(|old| old != *spec));
    words.extend(other.map(|(name, _)| format!("check {name}")));
    if words.is_empty() {
        words.push("tags, place or port rules".to_owned());
    }
    Some(format!("configuration: {}", words.join(", ")))
}

fn from_to(was: &str, now: &str) -> String {
    format!("{} → {}", text::fit(was, WIDEST), text::fit(now, WIDEST))
}

#[cfg(test)]
mod tests;
