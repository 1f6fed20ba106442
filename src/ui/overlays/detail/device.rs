//! What a device says of itself beside its ports: who made it, its routing sessions, sensors, power, memory, and how old each
//! of these is.

use std::collections::HashMap;

use super::{Line, ago, heading, meaning, padded, pair, walked};
use crate::base::units::counted;
use crate::base::{Timestamp, text, units};
use crate::config::theme::Meaning;
use crate::model::device::{Entity, EntityClass, Equipment, SensorClass, SensorStatus, SpanningTree, TreeScope};
use crate::model::{Condition, Device};
use crate::state::rules::equipment;
use crate::state::{DeviceView, PortState};

/// Rows of one table that are listed.
const LISTED: usize = 24;

pub fn lines(now: Timestamp, device: &DeviceView, old: bool, out: &mut Vec<Line>) {
    let facts = &device.table.device;
    let about = &device.table.equipment;
    let name = if facts.name.is_empty() { device.host.name.to_string() } else { facts.name.line() };
    heading(out, format!("{name}   {}", ports_up(now, device, old)));
    identity(now, device, facts, out);
    out.extend(device.table.warnings.iter().map(|w| (Meaning::Warning, text::clean(w))));
    events(now, device, out);
    routing(now, about, out);
    power(now, about, out);
    sensors(now, about, out);
    load(now, about, out);
    firewall(now, about, out);
    layer_two(now, device, about, out);
    strays(about, out);
    entities(now, about, out);
}

/// Of a device that is not heard, how many were up when it was.
fn ports_up(now: Timestamp, device: &DeviceView, old: bool) -> String {
    let ports = counted(device.ports.len(), "port");
    if old {
        return format!("{} of {ports} up, {}", device.up, ago(now, Some(device.table.collected_at)));
    }
    format!("{} of {ports} up", device.up)
}

/// What is wrong, whatever table it comes from; of a device that is not heard, what was wrong when it was.
pub fn problems(now: Timestamp, device: &DeviceView, old: bool, out: &mut Vec<Line>) {
    let findings = &device.findings;
    let bad: Vec<_> = device.ports.iter().filter(|p| p.condition.is_problem()).collect();
    if findings.is_empty() && bad.is_empty() && device.missing.is_none() {
        return;
    }
    let walked = ago(now, Some(device.table.collected_at));
    heading(out, if old { format!("PROBLEMS   as of {walked}") } else { "PROBLEMS".to_owned() });
    let meaning = |condition| if old { Meaning::Stale } else { meaning(condition) };
    if let Some(missing) = &device.missing {
        out.push((
            meaning(Condition::Critical),
            format!("{}, for {}", missing.reason, units::age(now.since(missing.since))),
        ));
    }
    out.extend(findings.iter().map(|finding| {
        let since = units::age(now.since(finding.since));
        (meaning(finding.condition), format!("{}, for {since}", finding.words))
    }));
    let most = 8;
    for port in bad.iter().take(most) {
        let label = device.table.ports.get(port.row).map(|p| p.label().line()).unwrap_or_default();
        let reason = port.reason.as_deref().unwrap_or_default();
        // `lost its link to core-sw2` says what state that is.
        let says = match port.state {
            PortState::LinkLost if !reason.is_empty() => text::clean(reason),
            state => format!("{} {}", state.as_str(), text::clean(reason)),
        };
        out.push((meaning(port.condition), format!("port {label} {says}")));
    }
    if bad.len() > most {
        out.push((Meaning::Warning, format!("and {} more", counted(bad.len() - most, "port"))));
    }
}

fn identity(now: Timestamp, device: &DeviceView, facts: &Device, out: &mut Vec<Line>) {
    let vendor = [facts.vendor.as_deref(), facts.os.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let told = [
        ("vendor", text::clean(&vendor)),
        ("model", facts.model.line()),
        ("version", facts.version.line()),
        ("serial", facts.serial.line()),
        ("description", facts.description.line()),
        ("location", facts.location.line()),
        ("contact", facts.contact.line()),
    ];
    let (told, not_told): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, value)| !value.is_empty());
    out.extend(told.into_iter().map(|(name, value)| pair(name, Some(value))));
    if !not_told.is_empty() {
        let names: Vec<&str> = not_told.iter().map(|(name, _)| *name).collect();
        out.push((Meaning::Dim, format!("not told: {}", names.join(", "))));
    }
    let up = facts.up().map_or_else(
        || "agent does not say since when".to_owned(),
        |up| format!("agent up {}", units::clock_duration(up)),
    );
    let boots = facts.engine.map(|e| format!(", booted {}", counted(e.boots as usize, "time"))).unwrap_or_default();
    let object = facts.object_id.as_deref().map(|o| format!("   {}", text::clean(o))).unwrap_or_default();
    let stale = if device.stale { ", stale" } else { "" };
    let walked = ago(now, Some(device.table.collected_at));
    out.push((Meaning::Dim, format!("{up}{boots}{object}   ports walked {walked}{stale}")));
}

/// What happened to its ports, newest first.
fn events(now: Timestamp, device: &DeviceView, out: &mut Vec<Line>) {
    if device.events.is_empty() {
        return;
    }
    heading(out, "CHANGES");
    for event in device.events.iter().take(8) {
        let port = event.port.as_ref().map(|key| key.label.line()).unwrap_or_default();
        out.push((Meaning::Text, format!("{:>8}  {port:<14} {}", ago(now, Some(event.at)), event.change.words())));
    }
    if device.events.len() > 8 {
        out.push((Meaning::Dim, format!("and {} before", device.events.len() - 8)));
    }
}

fn routing(now: Timestamp, about: &Equipment, out: &mut Vec<Line>) {
    if !about.bgp.is_empty() {
        heading(out, format!("BGP   {}   {}", counted(about.bgp.len(), "peer"), walked(now, about, &["bgp"])));
        for peer in about.bgp.iter().take(LISTED) {
            let state = match (peer.started, peer.state) {
                (Some(false), _) => "stopped",
                (_, Some(state)) => state.as_str(),
                (_, None) => "unknown",
            };
            let number = |n: Option<u64>| n.map_or_else(|| "–".to_owned(), |n| n.to_string());
            let time = peer.in_state_for.map(|d| format!("for {:>3}", units::age(d))).unwrap_or_default();
            let limit = peer.prefix_limit.map(|l| format!(" of {l}")).unwrap_or_default();
            let prefixes = peer.prefixes.map(|n| format!("{n} prefixes{limit}, ")).unwrap_or_default();
            let up = peer.transitions.map_or_else(String::new, |n| format!("up {}", counted(n as usize, "time")));
            let condition = equipment::bgp(peer).unwrap_or(Condition::Pending);
            out.push((
                meaning(condition),
                format!(
                    "{:<16} AS {:<7} {state:<12} {time:<8} {prefixes}{up}",
                    peer.peer.to_string(),
                    number(peer.remote_as.map(u64::from)),
                ),
            ));
            if let (Some(words), Some([code, sub])) = (peer.error_words(), peer.last_error) {
                let look = if condition.is_problem() { Meaning::Text } else { Meaning::Dim };
                out.push((look, format!("{:17}last error: {words} ({code}/{sub})", "")));
            }
        }
        more(about.bgp.len(), out);
    }
    if !about.ospf.is_empty() {
        heading(out, format!("OSPF   {}   {}", counted(about.ospf.len(), "neighbor"), walked(now, about, &["ospf"])));
        for neighbor in about.ospf.iter().take(LISTED) {
            let id = neighbor.router_id.map_or_else(|| "–".to_owned(), |id| id.to_string());
            let state = neighbor.state.map_or("unknown", |s| s.as_str());
            let events = neighbor.events.map(|n| format!("   {}", counted(n as usize, "event"))).unwrap_or_default();
            let condition = equipment::ospf(neighbor).unwrap_or(Condition::Pending);
            out.push((
                meaning(condition),
                format!("{:<18} id {id:<16} {state}{events}", neighbor.neighbor.to_string()),
            ));
        }
        more(about.ospf.len(), out);
    }
}

fn power(now: Timestamp, about: &Equipment, out: &mut Vec<Line>) {
    if let Some(ups) = &about.ups {
        heading(out, format!("UPS   {}", walked(now, about, &["ups"])));
        let percent = |v: Option<f64>| v.map(|v| format!("{v:.0} %"));
        out.push(pair("source", ups.source.map(|s| s.as_str().to_owned())));
        out.push(pair("on battery", ups.on_battery_for.map(units::clock_duration)));
        out.push(pair("minutes left", ups.minutes_left.map(|m| format!("{m:.0}"))));
        out.push(pair("charge", percent(ups.charge_percent)));
        out.push(pair("load", percent(ups.load_percent)));
        out.push(pair("battery", ups.battery.map(|b| b.as_str().to_owned())));
    }
    if !about.poe.is_empty() {
        heading(out, format!("POWER OVER ETHERNET   {}", walked(now, about, &["poe"])));
        for budget in &about.poe {
            let condition = equipment::poe(budget).unwrap_or(Condition::Pending);
            out.push((meaning(condition), format!("group {:<8}{}", budget.group, equipment::watts(budget))));
        }
    }
}

fn sensors(now: Timestamp, about: &Equipment, out: &mut Vec<Line>) {
    if !about.sensors.is_empty() {
        let silent = about.sensors.iter().filter(|s| s.status == SensorStatus::Unavailable).count();
        let note = if silent > 0 { format!("   {silent} say nothing") } else { String::new() };
        heading(out, format!("SENSORS   {}{note}   {}", about.sensors.len(), walked(now, about, &["sensors"])));
        let mut shown: Vec<_> = about.sensors.iter().filter(|s| s.status != SensorStatus::Unavailable).collect();
        shown.sort_by_key(|s| (std::cmp::Reverse(equipment::sensor(s.status)), class_rank(s.class)));
        for sensor in shown.iter().take(LISTED) {
            let condition = equipment::sensor(sensor.status).unwrap_or(Condition::Pending);
            let name = text::fit(&sensor.name.line(), 28);
            out.push((
                meaning(condition),
                format!("{:<12} {name:<28} {}", sensor.class.as_str(), equipment::reading(sensor)),
            ));
        }
        more(shown.len(), out);
    }
    if !about.optics.is_empty() {
        heading(out, format!("OPTICS   {}", walked(now, about, &["optics"])));
        for optics in about.optics.iter().take(LISTED) {
            let condition = equipment::sensor(optics.status).unwrap_or(Condition::Pending);
            let name = text::fit(&equipment::optics_name(optics), 28);
            out.push((meaning(condition), format!("{name:<28} {}", equipment::light(optics))));
        }
        more(about.optics.len(), out);
    }
}

fn class_rank(class: SensorClass) -> u8 {
    match class {
        SensorClass::Temperature => 0,
        SensorClass::Fan => 1,
        SensorClass::Power => 2,
        SensorClass::State => 3,
        SensorClass::Voltage | SensorClass::Current => 4,
        SensorClass::Humidity => 5,
        SensorClass::Other => 6,
    }
}

fn load(now: Timestamp, about: &Equipment, out: &mut Vec<Line>) {
    if about.processors.is_empty() && about.memory.is_empty() && about.storage.is_empty() && about.load.is_none() {
        return;
    }
    heading(out, format!("PROCESSORS, MEMORY, STORAGE   {}", walked(now, about, &["host-resources", "ucd"])));
    let most = about.processors.iter().map(|p| p.percent).fold(0.0, f64::max);
    match about.processors.len() {
        0 => {}
        n if n > 4 => {
            let mean = about.processors.iter().map(|p| p.percent).sum::<f64>() / n as f64;
            out.push(pair("processors", Some(format!("{n}, {mean:.0} % busy, the busiest {most:.0} %"))));
        }
        _ => {
            for one in &about.processors {
                let condition = equipment::processor(one).unwrap_or(Condition::Pending);
                out.push((meaning(condition), format!("{:<28} {:.0} %", text::fit(&one.name.line(), 28), one.percent)));
            }
        }
    }
    if let Some([one, five, fifteen]) = about.load {
        out.push(pair("load", Some(format!("{one:.2} {five:.2} {fifteen:.2}"))));
    }
    for (pool, fill) in equipment::pools(about).take(LISTED) {
        let condition = fill.map_or(Condition::Pending, equipment::Fill::condition);
        out.push((meaning(condition), format!("{:<28} {}", text::fit(&pool.name.line(), 28), equipment::used(pool))));
    }
    more(about.memory.len() + about.storage.len(), out);
}

fn firewall(now: Timestamp, about: &Equipment, out: &mut Vec<Line>) {
    let Some(firewall) = &about.firewall else { return };
    heading(out, format!("FIREWALL   {}", walked(now, about, &["firewall"])));
    let ha = firewall.ha.as_ref().map(|ha| {
        let peer = match ha.healthy {
            Some(true) => ", in step with its peer",
            Some(false) => ", its peer is not in step",
            None => "",
        };
        format!("{}{peer}", text::clean(&ha.role))
    });
    out.push(pair("HA", ha));
    let limit = firewall.session_limit.map(|l| format!(" of {l}")).unwrap_or_default();
    out.push(pair("sessions", firewall.sessions.map(|n| format!("{n}{limit}"))));
    for tunnel in firewall.tunnels.iter().take(LISTED) {
        let (meaning, state) = match tunnel.up {
            Some(true) => (Meaning::Text, "up"),
            Some(false) => (Meaning::Warning, "down"),
            None => (Meaning::Dim, "unknown"),
        };
        out.push((meaning, format!("tunnel        {:<28} {state}", text::fit(&tunnel.name.line(), 28))));
    }
    more(firewall.tunnels.len(), out);
}

fn way_to_root(device: &DeviceView, tree: &SpanningTree) -> String {
    match (tree.is_root, tree.root_port.and_then(|port| device.table.by_index(port))) {
        (Some(true), _) => "is the root".to_owned(),
        (_, Some(port)) => format!("towards its root by {}", port.label().line()),
        (_, None) => "which port leads to the root is not known".to_owned(),
    }
}

/// Trees with the same root and the same way to it.
struct Way {
    /// Without the lower bits of the priority, which are the number of the VLAN.
    root: [u8; 8],
    port: Option<u32>,
    is_vlan: bool,
    words: String,
    numbers: Vec<u16>,
}

/// The trees of VLANs and instances, those that go the same way together.
fn ways(device: &DeviceView, trees: &[(TreeScope, SpanningTree)]) -> Vec<(String, String)> {
    let mut ways: Vec<Way> = Vec::new();
    for (scope, tree) in trees {
        let (is_vlan, number) = match *scope {
            TreeScope::Vlan(vlan) => (true, vlan),
            TreeScope::Instance(instance) => (false, instance),
        };
        let mut root = tree.root;
        (root[0], root[1]) = (root[0] & 0xf0, 0);
        let same = |way: &&mut Way| (way.root, way.port, way.is_vlan) == (root, tree.root_port, is_vlan);
        match ways.iter_mut().find(same) {
            Some(way) => way.numbers.push(number),
            None => ways.push(Way {
                root,
                port: tree.root_port,
                is_vlan,
                words: way_to_root(device, tree),
                numbers: vec![number],
            }),
        }
    }
    let said = |way: Way| {
        let listed: Vec<String> = way.numbers.iter().take(LISTED).map(ToString::to_string).collect();
        let rest = if way.numbers.len() > LISTED { ", …" } else { "" };
        (format!("{} {}{rest}", if way.is_vlan { "VLAN" } else { "instance" }, listed.join(", ")), way.words)
    };
    ways.into_iter().map(said).collect()
}

fn layer_two(now: Timestamp, device: &DeviceView, about: &Equipment, out: &mut Vec<Line>) {
    if about.vlans.is_empty() && about.spanning_tree.is_none() && about.forwarding.is_empty() && about.arp.is_empty() {
        return;
    }
    heading(out, format!("SWITCHING   {}", walked(now, about, &["forwarding", "vlans", "arp"])));
    if let Some(tree) = &about.spanning_tree {
        let root = way_to_root(device, tree);
        let last = tree.since_topology_change.map(|d| format!(", the last {} ago", units::age(d))).unwrap_or_default();
        let changes = tree
            .topology_changes
            .map(|n| format!("   {}{last}", counted(n as usize, "topology change")))
            .unwrap_or_default();
        out.push(pair("spanning tree", Some(format!("{root}{changes}"))));
    }
    for (scopes, way) in ways(device, &about.trees).into_iter().take(LISTED) {
        out.push(pair("", Some(format!("{scopes}: {way}"))));
    }
    let addresses = |n: usize, of: &str| {
        let word = if n == 1 { "address" } else { "addresses" };
        (n > 0).then(|| format!("{n} {of} {word}"))
    };
    let heard = [("heard", addresses(about.forwarding.len(), "MAC")), ("ARP", addresses(about.arp.len(), "IP"))];
    out.extend(heard.into_iter().filter(|(_, count)| count.is_some()).map(|(name, count)| pair(name, count)));
    let vlans: Vec<String> = about
        .vlans
        .iter()
        .take(LISTED)
        .map(|v| format!("{} {}", v.id, v.name.line()))
        .map(|v| v.trim().to_owned())
        .collect();
    if !vlans.is_empty() {
        out.push(pair("VLANs", Some(vlans.join(", "))));
    }
    more(about.vlans.len(), out);
}

/// Neighbors whose port could not be told.
fn strays(about: &Equipment, out: &mut Vec<Line>) {
    if about.strays.is_empty() {
        return;
    }
    heading(out, "NEIGHBORS ON PORTS THAT ARE NOT TOLD");
    for stray in about.strays.iter().take(LISTED) {
        let neighbor = &stray.neighbor;
        let protocol = neighbor.protocol.as_str().to_uppercase();
        let (name, port, local) = (neighbor.name.line(), neighbor.port.line(), stray.local.line());
        out.push((Meaning::Text, format!("{protocol:<5}{name}  {port}   on what the device calls {local}")));
    }
    more(about.strays.len(), out);
}

/// Parts in each other, as deep as they stand.
fn entities(now: Timestamp, about: &Equipment, out: &mut Vec<Line>) {
    let shown: Vec<&Entity> = about.entities.iter().filter(|e| e.class != EntityClass::Port).collect();
    if shown.is_empty() {
        return;
    }
    heading(out, format!("PARTS   {}", walked(now, about, &["entity"])));
    let parents: HashMap<u32, u32> = about.entities.iter().map(|e| (e.index, e.contained_in)).collect();
    let mut rows = Vec::new();
    for entity in shown.iter().take(LISTED) {
        let mut depth = 0;
        let mut at = entity.contained_in;
        while let Some(parent) = parents.get(&at).filter(|_| depth < 6) {
            at = *parent;
            depth += 1;
        }
        let name = if entity.name.is_empty() { &entity.description } else { &entity.name };
        let serial = if entity.serial.is_empty() { "–".to_owned() } else { entity.serial.line() };
        let name = text::fit(&format!("{}{}", "  ".repeat(depth), name.line()), 34);
        rows.push([name, text::fit(&entity.model.line(), 20), serial, entity.version.line()]);
    }
    // As wide as they need to be: a version in a line of its own would look like that of something else.
    let widest = |words: fn(&[String; 4]) -> &String| rows.iter().map(|row| text::width(words(row))).max().unwrap_or(0);
    let widths = (widest(|row| &row[0]), widest(|row| &row[1]), widest(|row| &row[2]));
    for [name, model, serial, version] in &rows {
        let (name, model, serial) = (padded(name, widths.0), padded(model, widths.1), padded(serial, widths.2));
        out.push((Meaning::Text, format!("{name}  {model}  serial {serial}  {version}").trim_end().to_owned()));
    }
    more(shown.len(), out);
}

fn more(count: usize, out: &mut Vec<Line>) {
    if count > LISTED {
        out.push((Meaning::Dim, format!("and {} more", count - LISTED)));
    }
}
