//! `noctty ports`: one walk of one device, as a table for people and as `noctty.ports/1` for programs. Fields that the device
//! says nothing of are there all the same, null or empty.

mod equipment;
mod topology;

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::base::{Timestamp, Untrusted, text, units};
use crate::model::device::{TablesWalked, VLAN_BRIDGES};
use crate::model::{Condition, Device, Duplex, IfAdmin, IfOper, Port};
use crate::state::{DeviceView, PortView};

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    collected_at: String,
    complete: bool,
    device: DeviceRow,
    ports: Vec<PortRow>,
    sensors: Vec<equipment::SensorRow>,
    processors: Vec<equipment::ProcessorRow>,
    memory: Vec<equipment::PoolRow>,
    storage: Vec<equipment::PoolRow>,
    bgp: Vec<equipment::BgpRow>,
    ospf: Vec<equipment::OspfRow>,
    optics: Vec<equipment::OpticsRow>,
    ups: Option<equipment::UpsRow>,
    firewall: Option<equipment::FirewallRow>,
    vlans: Vec<topology::VlanRow>,
    spanning_tree: Option<topology::SpanningTreeRow>,
    spanning_trees: Vec<topology::ScopedTreeRow>,
    /// Those whose port could not be told.
    neighbors: Vec<topology::StrayRow>,
    mac_addresses: Vec<topology::StationRow>,
    arp: Vec<topology::ArpRow>,
    poe_budgets: Vec<topology::PoeBudgetRow>,
    entities: Vec<topology::EntityRow>,
    load: Option<[f64; 3]>,
    tables: Vec<topology::TablesRow>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct DeviceRow {
    target: String,
    name: Option<String>,
    description: Option<String>,
    object_id: Option<String>,
    uptime_s: Option<f64>,
    vendor: Option<String>,
    os: Option<String>,
    model: Option<String>,
    version: Option<String>,
    serial: Option<String>,
    location: Option<String>,
    contact: Option<String>,
    /// The device profile that it was read with.
    profile: Option<String>,
}

#[derive(Debug, Serialize)]
struct PortRow {
    index: u32,
    name: Option<String>,
    description: Option<String>,
    alias: Option<String>,
    r#type: Option<u32>,
    admin: Option<&'static str>,
    oper: Option<&'static str>,
    state: &'static str,
    reason: Option<String>,
    speed_bps: Option<u64>,
    capable_bps: Option<u64>,
    mtu: Option<u32>,
    mac: Option<String>,
    duplex: Option<&'static str>,
    last_change: Option<String>,
    idle_since: Option<String>,
    vlan: Option<u16>,
    in_octets: Option<u64>,
    out_octets: Option<u64>,
    in_errors: Option<u64>,
    out_errors: Option<u64>,
    in_discards: Option<u64>,
    out_discards: Option<u64>,
    fcs_errors: Option<u64>,
    late_collisions: Option<u64>,
    addresses: Vec<topology::AddressRow>,
    tagged_vlans: Vec<u16>,
    stp: Option<&'static str>,
    stp_vlans: Vec<topology::VlanStateRow>,
    lag: Option<topology::LagRow>,
    err_disabled: Option<topology::ErrDisabledRow>,
    connector: Option<bool>,
    unit: Option<u16>,
    slot: Option<u16>,
    poe: Option<equipment::PoeRow>,
    neighbors: Vec<equipment::NeighborRow>,
}

/// A text, where there is one.
fn said(text: &Untrusted) -> Option<String> {
    (!text.is_empty()).then(|| text.json_text())
}

/// One JSON object. `shift` turns steady times into what the system's clock calls them.
pub fn json(view: &DeviceView, target: &str, as_wall: impl Fn(Timestamp) -> Timestamp) -> String {
    let device = &view.table.device;
    let more = &view.table.equipment;
    let document = Document {
        schema: "noctty.ports/1",
        collected_at: as_wall(view.table.collected_at).rfc3339(),
        complete: is_complete(view),
        device: DeviceRow {
            target: target.to_owned(),
            name: said(&device.name),
            description: said(&device.description),
            object_id: device.object_id.clone(),
            uptime_s: device.up().map(|u| u.as_secs_f64()),
            vendor: device.vendor.as_deref().map(str::to_owned),
            os: device.os.as_deref().map(str::to_owned),
            model: said(&device.model).or_else(|| said(&more.chassis()?.model)),
            version: said(&device.version).or_else(|| said(&more.chassis()?.version)),
            serial: said(&device.serial).or_else(|| said(&more.chassis()?.serial)),
            location: said(&device.location),
            contact: said(&device.contact),
            profile: device.profile.as_deref().map(str::to_owned),
        },
        ports: rows(view).map(|(port, seen)| port_row(view, port, seen, &as_wall)).collect(),
        sensors: more.sensors.iter().map(equipment::sensor).collect(),
        processors: more.processors.iter().map(equipment::processor).collect(),
        memory: more.memory.iter().map(equipment::pool).collect(),
        storage: more.storage.iter().map(equipment::pool).collect(),
        bgp: more.bgp.iter().map(equipment::bgp).collect(),
        ospf: more.ospf.iter().map(|neighbor| equipment::ospf(neighbor, &view.table)).collect(),
        optics: more.optics.iter().map(|optics| equipment::optics(optics, &view.table)).collect(),
        ups: more.ups.as_ref().map(equipment::ups),
        firewall: more.firewall.as_ref().map(equipment::firewall),
        vlans: more.vlans.iter().map(topology::vlan).collect(),
        spanning_tree: more.spanning_tree.as_ref().map(|tree| topology::spanning_tree(tree, &view.table)),
        spanning_trees: more.trees.iter().map(|tree| topology::scoped_tree(tree, &view.table)).collect(),
        neighbors: more.strays.iter().map(topology::stray).collect(),
        mac_addresses: more.forwarding.iter().map(|entry| topology::station(entry, &view.table)).collect(),
        arp: more.arp.iter().map(|entry| topology::arp(entry, &view.table)).collect(),
        poe_budgets: more.poe.iter().map(topology::poe_budget).collect(),
        entities: more.entities.iter().map(topology::entity).collect(),
        load: more.load,
        tables: more.walked.iter().map(|walked| topology::tables(walked, &as_wall)).collect(),
        warnings: warnings(view),
    };
    super::json::pretty(&document)
}

fn is_complete(view: &DeviceView) -> bool {
    view.table.complete && view.table.equipment.walked.iter().all(|group| group.incomplete.is_none())
}

/// Something is missing that casts doubt on the whole, which one silent VLAN of many does not.
fn is_lacking(walked: &TablesWalked) -> bool {
    walked.incomplete.is_some() && !(*walked.group == *VLAN_BRIDGES && walked.rows > 0)
}

/// What is missing, of the ports and of the slower tables, each reason once.
fn warnings(view: &DeviceView) -> Vec<String> {
    let mut warnings: Vec<String> = view.table.warnings.iter().map(|w| text::clean(w)).collect();
    for reason in view.table.equipment.walked.iter().filter_map(|group| group.incomplete.as_deref()) {
        let reason = text::clean(reason);
        if !warnings.contains(&reason) {
            warnings.push(reason);
        }
    }
    warnings
}

fn rows(view: &DeviceView) -> impl Iterator<Item = (&Port, &PortView)> {
    view.ports.iter().filter_map(|seen| Some((view.table.ports.get(seen.row)?, seen)))
}

fn port_row(view: &DeviceView, port: &Port, seen: &PortView, as_wall: &impl Fn(Timestamp) -> Timestamp) -> PortRow {
    let facts = view.table.facts(port);
    PortRow {
        index: port.index,
        name: said(&port.name),
        description: said(&port.description),
        alias: said(&port.alias),
        r#type: port.if_type,
        admin: port.admin.map(IfAdmin::as_str),
        oper: port.oper.map(IfOper::as_str),
        state: seen.state.as_str(),
        reason: seen.reason.as_deref().map(str::to_owned),
        speed_bps: port.speed_bps,
        capable_bps: facts.and_then(|f| f.capable_bps),
        mtu: port.mtu,
        mac: port.mac.map(mac),
        duplex: port.duplex.map(|d| match d {
            Duplex::Half => "half",
            Duplex::Full => "full",
        }),
        last_change: port.last_change.map(|t| as_wall(t).rfc3339()),
        idle_since: view.idle_since(seen.row).map(|t| as_wall(t).rfc3339()),
        vlan: facts.and_then(|f| f.vlan),
        in_octets: port.counters.in_octets(),
        out_octets: port.counters.out_octets(),
        in_errors: port.counters.in_errors(),
        out_errors: port.counters.out_errors(),
        in_discards: port.counters.in_discards(),
        out_discards: port.counters.out_discards(),
        fcs_errors: facts.and_then(|f| f.fcs_errors),
        late_collisions: facts.and_then(|f| f.late_collisions),
        addresses: facts.map(|f| f.addresses.iter().map(topology::address).collect()).unwrap_or_default(),
        tagged_vlans: facts.map(|f| f.tagged.clone()).unwrap_or_default(),
        stp: facts.and_then(|f| f.stp).map(crate::model::device::StpState::as_str),
        stp_vlans: facts.map(|f| f.stp_vlans.iter().copied().map(topology::vlan_state).collect()).unwrap_or_default(),
        lag: facts.and_then(|f| f.lag).map(|member| topology::lag(member, &view.table)),
        err_disabled: facts.and_then(|f| f.err_disabled.as_ref()).map(topology::err_disabled),
        connector: facts.and_then(|f| f.connector),
        unit: facts.and_then(|f| f.unit),
        slot: facts.and_then(|f| f.slot),
        poe: facts.and_then(|f| f.poe).map(equipment::poe),
        neighbors: facts.map(|f| f.neighbors.iter().map(equipment::neighbor).collect()).unwrap_or_default(),
    }
}

fn mac(octets: [u8; 6]) -> String {
    octets.map(|octet| format!("{octet:02x}")).join(":")
}

/// The device in a line, then a row per port, then what is missing.
pub fn table(view: &DeviceView, target: &str) -> String {
    let device = &view.table.device;
    let mut out = String::new();
    let uptime = device.up().map(|u| format!(" · up {}", units::age(u))).unwrap_or_default();
    let name = if device.name.is_empty() { text::clean(target) } else { device.name.line() };
    let _ = writeln!(out, "{name} · {} of {} up{uptime}", view.up, units::counted(view.ports.len(), "port"));
    if !device.description.is_empty() {
        let _ = writeln!(out, "{}", text::fit(&device.description.line(), 100));
    }
    if let Some(what) = what_it_is(device) {
        let _ = writeln!(out, "{what}");
    }
    let labels: Vec<String> = rows(view).map(|(port, _)| text::fit_middle(&label(port), 32)).collect();
    let width = labels.iter().map(|l| text::width(l)).max().unwrap_or(0).max(4);
    let head = format!(
        "{:width$}  {:<16} {:>6}  {:<6} {:>8} {:>8}  {}",
        "PORT", "STATE", "SPEED", "DUPLEX", "ERR IN", "ERR OUT", "ALIAS"
    );
    let _ = writeln!(out, "{}", head.trim_end());
    for ((port, seen), label) in rows(view).zip(&labels) {
        let pad = width.saturating_sub(text::width(label));
        let duplex = port.duplex.map_or("–", |d| if d == Duplex::Half { "half" } else { "full" });
        let count = |n: Option<u64>| n.map_or_else(|| "–".to_owned(), |n| n.to_string());
        let reason = seen.reason.as_deref().map(text::clean).or_else(|| idle(view, seen));
        let alias = match reason {
            Some(reason) if port.alias.is_empty() => format!("[{reason}]"),
            Some(reason) => format!("{} [{reason}]", port.alias.line()),
            None => port.alias.line(),
        };
        let line = format!(
            "{label}{:pad$}  {:<16} {:>6}  {duplex:<6} {:>8} {:>8}  {}",
            "",
            seen.state.as_str(),
            port.speed_bps.map_or_else(|| "–".to_owned(), units::speed),
            count(port.counters.in_errors()),
            count(port.counters.out_errors()),
            text::fit(&alias, 60),
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    for warning in warnings(view) {
        let _ = writeln!(out, "warning: {}", text::clean(&warning));
    }
    out
}

/// Vendor and model, system and version, serial number, and the profile that says so.
fn what_it_is(device: &Device) -> Option<String> {
    let words = |vendor: Option<&str>, text: &Untrusted| {
        let both: Vec<String> = vendor.map(text::clean).into_iter().chain(said_line(text)).collect();
        (!both.is_empty()).then(|| both.join(" "))
    };
    let parts = [
        words(device.vendor.as_deref(), &device.model),
        words(device.os.as_deref(), &device.version),
        said_line(&device.serial).map(|serial| format!("serial {serial}")),
        device.profile.as_deref().map(|profile| format!("profile {}", text::clean(profile))),
    ];
    let all: Vec<String> = parts.into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(" · "))
}

fn said_line(text: &Untrusted) -> Option<String> {
    (!text.is_empty()).then(|| text::fit(&text.line(), 60))
}

/// How long a port has been without a link at least, where that says that it is free.
fn idle(view: &DeviceView, seen: &PortView) -> Option<String> {
    let idle = view.table.collected_at.since(view.idle_since(seen.row)?);
    (idle >= LONG).then(|| format!("no link for {}", units::age(idle)))
}

/// From here on it is worth a word.
const LONG: Duration = Duration::from_secs(86_400);

fn label(port: &Port) -> String {
    if port.label().is_empty() { format!("#{}", port.index) } else { port.label().line() }
}

/// 0 ok, 1 warning, 2 critical, 3 unknown; a table that is not complete is a warning at least, save that some VLANs of many did
/// not tell their bridges.
pub fn exit_status(view: &DeviceView) -> u8 {
    // What the device says of itself beside its ports counts as well: in one walk nothing can last any longer.
    let findings = view.findings.iter().map(|finding| finding.condition).max();
    match findings.map_or(view.condition, |worst| worst.max(view.condition)) {
        Condition::Critical => 2,
        Condition::Unknown => 3,
        Condition::Warning => 1,
        Condition::Ok | Condition::Pending | Condition::NotProbed | Condition::Unreachable => {
            u8::from(!view.table.complete || view.table.equipment.walked.iter().any(is_lacking))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::device::PortFacts;
    use crate::model::{Device, Equipment, Host, Origin, PortTable};
    use crate::state::rules::ports::judge;

    #[test]
    fn a_port_without_a_link_since_the_device_started_is_told_as_free() {
        let port = |index, as_started| Port {
            index,
            name: Untrusted::from(format!("Gi{index}")),
            admin: Some(IfAdmin::Up),
            oper: Some(IfOper::Down),
            as_started,
            ..Port::default()
        };
        let walk = PortTable {
            collected_at: Timestamp::from_secs(1_800_000_000),
            device: Device { uptime: Some(Duration::from_secs(312 * 86_400)), ..Device::default() },
            ports: vec![port(1, true), port(2, false)],
            complete: true,
            ..PortTable::default()
        };
        let view = judge(None, &Arc::new(walk), &Arc::new(Host::new("sw1", None, Origin::OneOff)));
        let text = table(&view, "sw1");
        let lines: Vec<&str> = text.lines().filter(|l| l.starts_with("Gi")).collect();
        assert!(lines[0].ends_with("[no link for 44w]"), "{text}");
        assert!(!lines[1].contains("no link for"), "{text}");
    }

    #[test]
    fn what_a_port_can_do_and_what_is_missing_of_a_vlan_are_told() {
        let walked = |group: &str, rows| TablesWalked {
            group: Arc::from(group),
            at: Timestamp::from_secs(1_800_000_000),
            rows,
            incomplete: Some(Arc::from("no answer")),
        };
        let look = |walked| {
            let port = |index| Port { index, oper: Some(IfOper::Up), admin: Some(IfAdmin::Up), ..Port::default() };
            let facts = PortFacts { index: 1, capable_bps: Some(10_000_000_000), ..PortFacts::default() };
            let equipment = Equipment { ports: vec![facts], walked: vec![walked], ..Equipment::default() };
            let walk = PortTable {
                ports: vec![port(1), port(2)],
                complete: true,
                equipment: Arc::new(equipment),
                ..PortTable::default()
            };
            judge(None, &Arc::new(walk), &Arc::new(Host::new("sw1", None, Origin::OneOff)))
        };
        let view = look(walked("vlan-bridges", 12));
        let document: serde_json::Value = serde_json::from_str(&json(&view, "sw1", |at| at)).expect("JSON");
        assert_eq!(document["ports"][0]["capable_bps"], 10_000_000_000_u64);
        assert_eq!(document["ports"][1]["capable_bps"], serde_json::Value::Null);
        assert_eq!(document["tables"][0]["incomplete"], "no answer");
        assert_eq!((document["complete"].as_bool(), exit_status(&view)), (Some(false), 0));
        // Where no VLAN answered, and where anything else is missing, it is not fine.
        assert_eq!(exit_status(&look(walked("vlan-bridges", 0))), 1);
        assert_eq!(exit_status(&look(walked("lldp", 12))), 1);
    }
}
