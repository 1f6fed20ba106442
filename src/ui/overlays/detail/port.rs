//! One port: what it is and does, its rates since somebody looks, who is at its other end and who is heard there.

use std::fmt::Write as _;

use super::{Line, ago, before, care, heading, hidden, meaning, pair, walked};
use crate::base::{Timestamp, text, units};
use crate::config::theme::Meaning;
use crate::model::device::{Neighbor, PoeStatus, PortFacts, StpState};
use crate::model::{Duplex, PortKey, Target};
use crate::state::DeviceView;
use crate::state::lookup::{Beyond, needle};
use crate::state::rules::equipment;
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::columns;
use crate::ui::port::Seen;
use crate::ui::trail::{Share, Trail};
use crate::ui::watch;

/// Stations that are listed.
const LISTED: usize = 20;
/// Values of a sparkline.
const SPARK: usize = 40;

pub fn lines(app: &App, now: Timestamp, device: &DeviceView, port: &PortKey, out: &mut Vec<Line>) {
    let Some(seen) = device.row(port).and_then(|row| Seen::at(device, row)) else {
        out.push((Meaning::Warning, format!("{} lists no such port now", device.host.name)));
        return;
    };
    state(now, seen, app.parts.is_old(device), out);
    let target = Target::Port(device.host.id.clone(), port.clone());
    if let Some(problem) = app.snapshot.problem_of(&target) {
        care(app, now, &target, &problem.care, out);
        before::lines(app, std::slice::from_ref(&target), out);
        out.extend(hidden(app, std::slice::from_ref(&target)));
    }
    rates(app, now, seen, port, out);
    beyond(app, now, seen, out);
    if let Some(facts) = seen.facts {
        layer_two(now, seen, facts, out);
    }
    if let Some(optics) = seen.optics() {
        let about = &device.table.equipment;
        heading(out, format!("OPTICS   {}", walked(now, about, &["optics"])));
        let condition = equipment::sensor(optics.status);
        out.push((condition.map_or(Meaning::Dim, meaning), equipment::light(optics)));
    }
    counters(seen, out);
    identity(seen, out);
}

fn state(now: Timestamp, seen: Seen<'_>, old: bool, out: &mut Vec<Line>) {
    let reason = seen.view.reason.as_deref().map(text::clean).unwrap_or_default();
    let stale = if old { ", STALE" } else { "" };
    let look = if old && !seen.view.condition.is_problem() { Meaning::Stale } else { meaning(seen.view.condition) };
    out.push((look, format!("{}{stale}   {reason}", seen.view.state.as_str())));
    if !seen.port.alias.is_empty() {
        out.push((Meaning::Text, seen.port.alias.line()));
    }
    if let Some(off) = seen.facts.and_then(|f| f.err_disabled.as_ref()) {
        let again = off.recovers_in.map(|d| format!(", tries again in {}", units::age(d))).unwrap_or_default();
        out.push((Meaning::Critical, format!("switched off by the device: {}{again}", text::clean(&off.cause))));
    }
    let speed = seen.port.speed_bps.map(units::speed);
    let capable = seen.facts.and_then(|f| f.capable_bps).filter(|c| Some(*c) != seen.port.speed_bps);
    let capable = capable.map(|c| format!(" of {}", units::speed(c))).unwrap_or_default();
    let duplex = match seen.port.duplex {
        Some(Duplex::Half) => ", half duplex",
        Some(Duplex::Full) => ", full duplex",
        None => "",
    };
    out.push(pair("speed", speed.map(|s| format!("{s}{capable}{duplex}"))));
    let addresses = seen.facts.map(|f| &f.addresses[..]).unwrap_or_default();
    if !addresses.is_empty() {
        let shown: Vec<String> = addresses.iter().take(LISTED).map(ToString::to_string).collect();
        let more = addresses.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.push(pair("addresses", Some(format!("{}{more}", shown.join(", ")))));
    }
    let says = |what: Option<&'static str>| what.unwrap_or("unknown");
    let admin = says(seen.port.admin.map(crate::model::IfAdmin::as_str));
    let oper = says(seen.port.oper.map(crate::model::IfOper::as_str));
    out.push(pair(
        "says",
        Some(format!("admin {admin}, oper {oper}, walked {}", ago(now, Some(seen.device.table.collected_at)))),
    ));
    history(now, seen, out);
}

/// Since when, what happened, and what of it is kept.
fn history(now: Timestamp, seen: Seen<'_>, out: &mut Vec<Line>) {
    let seen_change = seen.view.changed.map(|at| format!("seen {}", ago(now, Some(at))));
    let said_change = seen.port.last_change.map(|at| format!("by the device {}", ago(now, Some(at))));
    let changes = [seen_change, said_change].into_iter().flatten().collect::<Vec<_>>().join(", ");
    out.push(pair("last change", Some(changes)));
    if let Some(since) = seen.idle_since() {
        out.push(pair("no link for", Some(format!("{} at least", units::age(now.since(since))))));
    }
    for event in seen.events().take(6) {
        out.push((Meaning::Text, format!("{:<14}{}", ago(now, Some(event.at)), event.change.words())));
    }
    let flaps = seen.view.flaps.times();
    if !flaps.is_empty() {
        let when: Vec<String> = flaps.iter().rev().take(6).map(|at| ago(now, Some(*at))).collect();
        let words = format!("{} in the last hour: {}", flaps.len(), when.join(", "));
        out.push((Meaning::Warning, format!("{:<14}{words}", "link changes")));
    }
    if let Some(ties) = &seen.view.ties {
        let neighbor =
            ties.neighbor.as_ref().map(|(id, at)| format!("neighbor {} heard {}", id.name.line(), ago(now, Some(*at))));
        let aggregate =
            ties.aggregate.as_ref().map(|(key, at)| format!("member of {} {}", key.label.line(), ago(now, Some(*at))));
        out.push(pair("network", Some([neighbor, aggregate].into_iter().flatten().collect::<Vec<_>>().join(", "))));
    }
    if seen.view.is_weak() {
        let words = "its name does not tell it from others: its history does not survive a renumbering";
        out.push((Meaning::Dim, words.to_owned()));
    }
}

fn rates(app: &App, now: Timestamp, seen: Seen<'_>, port: &PortKey, out: &mut Vec<Line>) {
    let watch = watch::words(app, seen.device);
    // What went through it when it was last heard does not go through it now.
    let old = app.parts.is_old(seen.device);
    heading(
        out,
        match &watch {
            _ if old => format!("RATES   when it was last heard, {}", ago(now, Some(seen.device.table.collected_at))),
            Some(watch) => format!("RATES   {watch}"),
            None => "RATES".to_owned(),
        },
    );
    let plain = if old { Meaning::Stale } else { Meaning::Text };
    if watch.is_none() && !old {
        let key = app.key_of(Action::Watch);
        out.push((Meaning::Dim, format!("{key} watches it as fast as the device counts; many count every 5 to 15 s")));
    }
    // Counters that moved before the link was lost tell of no link that there is.
    let carries = seen.may_carry() || old;
    let trail = app.trails.of(&seen.device.host.id, port);
    if !carries {
        out.push((Meaning::Dim, "no link: nothing goes through it".to_owned()));
        if !trail.is_some_and(Trail::has_course) {
            return;
        }
    }
    let known = |v: Option<f64>| v.filter(|_| carries);
    let rate = |v| known(v).map_or_else(|| "–".to_owned(), |v| format!("{}bit/s", units::bit_rate(v)));
    let share = |v| known(v).map(|v| format!("{v:.0} %")).unwrap_or_default();
    let (received, sent) = seen.utilisation();
    for (name, bps, percent, direction) in [("in", seen.in_bps(), received, 0), ("out", seen.out_bps(), sent, 1)] {
        let line = trail.map(|t| spark(app, t, direction)).unwrap_or_default();
        out.push((plain, format!("{name:<5}{:>12} {:>6}  {line}", rate(bps), share(percent))));
    }
    if let Some(trail) = trail.filter(|t| t.values.is_empty() && !old) {
        let words =
            format!("rates are kept from walk to walk while it is looked at, since {}", ago(now, Some(trail.since)));
        out.push((Meaning::Dim, words));
    } else if let Some(trail) = trail.filter(|t| !t.values.is_empty()) {
        let gaps = trail.values.iter().filter(|v| v.is_none()).count();
        let gaps = if gaps > 0 { format!(", {gaps} without a rate") } else { String::new() };
        let count = trail.values.len();
        let walks = if count == 1 { "walk" } else { "walks" };
        let since = ago(now, Some(trail.since));
        let words = format!("{count} {walks} since {since}{gaps}; kept while it is looked at");
        out.push((Meaning::Dim, words));
    }
    if let Some(gap) = seen.gap().filter(|_| carries) {
        out.push((Meaning::Dim, format!("no rates: {}", gap.as_str())));
    }
    let each = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:.2}/s"));
    for (name, total, received, sent) in [
        ("errors", seen.errors(), seen.view.rates.in_errors(), seen.view.rates.out_errors()),
        ("discards", seen.discards(), seen.view.rates.in_discards(), seen.view.rates.out_discards()),
    ] {
        let meaning = if total.is_some_and(|n| n > 0.0) && !old { Meaning::Warning } else { plain };
        let share = trail.and_then(|t| if name == "errors" { t.errors } else { t.discards }).map(per_million);
        let share = share.map(|words| format!("   {words}")).unwrap_or_default();
        out.push((meaning, format!("{name:<14}in {:>9}   out {:>9}{share}", each(received), each(sent))));
    }
}

/// Of a million packets, in and out.
fn per_million((received, sent): Share) -> String {
    let part = |v: Option<f32>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:.1}"));
    format!("of a million packets in {}, out {}", part(received), part(sent))
}

/// One direction of a trail, and what its full height is; a gap is left free.
fn spark(app: &App, trail: &Trail, direction: usize) -> String {
    let skip = trail.values.len().saturating_sub(SPARK);
    let one = |value: &Option<(f32, f32)>| value.map(|(received, sent)| if direction == 0 { received } else { sent });
    let values: Vec<Option<f32>> = trail.values.iter().skip(skip).map(one).collect();
    let most = values.iter().flatten().copied().fold(0.0f32, f32::max);
    // A line that is flat at nothing has no height that could be told.
    if most <= 0.0 {
        return String::new();
    }
    let step = |value: f32| (value / most * 7.0).round() as usize;
    let line: String = values.iter().map(|value| value.map_or(" ", |value| app.look.spark(step(value)))).collect();
    format!("{line}  most {}", units::bit_rate(f64::from(most)))
}

/// The other end, and who is heard.
fn beyond(app: &App, now: Timestamp, seen: Seen<'_>, out: &mut Vec<Line>) {
    let asset = &seen.device.host.id;
    let about = &seen.device.table.equipment;
    let all = app.lookup.beyond(asset, seen.port.index);
    let (told, heard): (Vec<&Beyond>, Vec<&Beyond>) = all.iter().partition(|b| b.protocol.is_some());
    heading(out, format!("NEIGHBORS   {}", walked(now, about, &["lldp", "cdp"])));
    if told.is_empty() {
        out.push((Meaning::Dim, "none told of itself".to_owned()));
    }
    let facts = seen.facts.map(|f| &f.neighbors[..]).unwrap_or_default();
    for one in told {
        let full = facts.iter().find(|n| n.name == one.name && n.port == one.port);
        neighbor(one, full, out);
    }
    let (forwarding, arp) = app.lookup.walked_at(asset);
    let age = forwarding
        .map_or_else(|| "forwarding table not walked".to_owned(), |at| format!("heard {}", ago(now, Some(at))));
    let arp = arp.map(|at| format!(", ARP {}", ago(now, Some(at)))).unwrap_or_default();
    // None heard is not the same as not listened.
    let count = if heard.is_empty() && forwarding.is_none() { "–".to_owned() } else { heard.len().to_string() };
    heading(out, format!("STATIONS   {count}   {age}{arp}"));
    for station in heard.iter().take(LISTED) {
        let mac = station.mac.map(needle::show_mac).unwrap_or_default();
        let vlan = station.vlan.map(|v| format!("VLAN {v}")).unwrap_or_default();
        let addresses: Vec<String> = station.addresses.iter().take(3).map(ToString::to_string).collect();
        let host = station.host.as_ref().map(|id| text::clean(id.as_str())).unwrap_or_default();
        out.push((Meaning::Text, format!("{mac}  {vlan:<10} {:<18} {host}", addresses.join(" "))));
    }
    if heard.len() > LISTED {
        out.push((Meaning::Dim, format!("and {} more", heard.len() - LISTED)));
    }
}

fn neighbor(one: &Beyond, full: Option<&Neighbor>, out: &mut Vec<Line>) {
    let protocol = one.protocol.map(|p| p.as_str().to_uppercase()).unwrap_or_default();
    let address = one.addresses.first().map(|a| format!("   {a}")).unwrap_or_default();
    let known = one.host.as_ref().map(|id| format!("   is {} here", text::clean(id.as_str()))).unwrap_or_default();
    out.push((Meaning::Text, format!("{protocol:<5}{}  {}{address}{known}", one.name.line(), one.port.line())));
    let Some(full) = full else { return };
    if !full.platform.is_empty() {
        out.push((Meaning::Dim, format!("     {}", full.platform.line())));
    }
    if full.half_duplex == Some(true) {
        out.push((Meaning::Warning, "     it says that it runs half duplex".to_owned()));
    }
}

fn layer_two(now: Timestamp, seen: Seen<'_>, facts: &PortFacts, out: &mut Vec<Line>) {
    let about = &seen.device.table.equipment;
    heading(out, format!("SWITCHING   {}", walked(now, about, &["vlans", "forwarding"])));
    let name = |id: u16| {
        let vlan = about.vlans.iter().find(|v| v.id == id).map(|v| v.name.line()).unwrap_or_default();
        format!("{id} {vlan}").trim().to_owned()
    };
    out.push(pair("untagged", facts.vlan.map(name)));
    out.push(pair("tagged", Some(ranges(&facts.tagged)).filter(|r| !r.is_empty())));
    out.push(pair("spanning tree", facts.stp.map(|stp| tree(stp, facts))));
    if let Some(lag) = facts.lag {
        let aggregate = seen.device.table.by_index(lag.aggregate);
        let aggregate = aggregate.map_or_else(|| format!("ifIndex {}", lag.aggregate), |p| p.label().line());
        let (meaning, words) = match lag.bundled {
            Some(true) => (Meaning::Text, "bundled"),
            Some(false) => (Meaning::Warning, "NOT bundled"),
            None => (Meaning::Dim, "whether it is bundled is not known"),
        };
        out.push((meaning, format!("{:<14}{aggregate}, {words}", "member of")));
    }
    let lower: Vec<String> = facts
        .lower
        .iter()
        .map(|index| seen.device.table.by_index(*index).map_or_else(|| index.to_string(), |p| p.label().line()))
        .collect();
    if !lower.is_empty() {
        out.push(pair("stands on", Some(lower.join(", "))));
    }
    if let Some(poe) = facts.poe {
        let class = poe.class.map(|c| format!(", class {c}")).unwrap_or_default();
        // The column has no room for the whole word.
        let words = if poe.status == PoeStatus::Searching { "searching".to_owned() } else { columns::poe(poe) };
        out.push(pair("PoE", Some(format!("{}{class}", words.trim_start()))));
    }
}

/// `forwarding; blocking in VLAN 20-24, 30`.
fn tree(stp: StpState, facts: &PortFacts) -> String {
    let mut out = stp.as_str().to_owned();
    let mut others: Vec<StpState> = facts.stp_vlans.iter().map(|vlan| vlan.1).filter(|other| *other != stp).collect();
    others.sort_by_key(|state| state.as_str());
    others.dedup();
    for other in others {
        let vlans: Vec<u16> = facts.stp_vlans.iter().filter(|vlan| vlan.1 == other).map(|vlan| vlan.0).collect();
        let _ = write!(out, "; {} in VLAN {}", other.as_str(), ranges(&vlans));
    }
    out
}

/// `10, 20-24, 30`.
fn ranges(sorted: &[u16]) -> String {
    let mut out: Vec<(u16, u16)> = Vec::new();
    for id in sorted {
        match out.last_mut() {
            Some((_, to)) if to.checked_add(1) == Some(*id) => *to = *id,
            _ => out.push((*id, *id)),
        }
    }
    let shown = |(from, to): &(u16, u16)| if from == to { from.to_string() } else { format!("{from}-{to}") };
    out.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn counters(seen: Seen<'_>, out: &mut Vec<Line>) {
    let c = &seen.port.counters;
    let width = if c.wide { "64 bits" } else { "32 bits, may wrap" };
    heading(out, format!("COUNTERS   {width}"));
    let count = |v: Option<u64>| v.map_or_else(|| "–".to_owned(), |v| v.to_string());
    for (name, received, sent) in [
        ("octets", c.in_octets(), c.out_octets()),
        ("errors", c.in_errors(), c.out_errors()),
        ("discards", c.in_discards(), c.out_discards()),
    ] {
        out.push((Meaning::Text, format!("{name:<14}in {:>20}   out {:>20}", count(received), count(sent))));
    }
}

fn identity(seen: Seen<'_>, out: &mut Vec<Line>) {
    heading(out, "IDENTITY");
    out.push(pair("name", Some(seen.port.name.line())));
    out.push(pair("description", Some(seen.port.description.line())));
    let facts = format!(
        "ifIndex {}, type {}, MTU {}, MAC {}",
        seen.port.index,
        seen.port.if_type.map_or_else(|| "–".to_owned(), |t| t.to_string()),
        seen.port.mtu.map_or_else(|| "–".to_owned(), |m| m.to_string()),
        seen.port.mac.map_or_else(|| "–".to_owned(), needle::show_mac)
    );
    out.push((Meaning::Dim, facts));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_single_vlans_are_told_where_they_are_others() {
        let (on, off) = (StpState::Forwarding, StpState::Blocking);
        let facts = PortFacts { stp_vlans: vec![(1, on), (10, off), (11, off), (30, off)], ..PortFacts::default() };
        assert_eq!(tree(on, &facts), "forwarding; blocking in VLAN 10-11, 30");
        assert_eq!(tree(on, &PortFacts::default()), "forwarding");
    }

    #[test]
    fn vlans_in_a_row_are_a_range() {
        assert_eq!(ranges(&[1, 10, 11, 12, 30, 4094]), "1, 10-12, 30, 4094");
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[u16::MAX]), "65535");
    }
}
