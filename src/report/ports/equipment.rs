//! The rows of `noctty.ports/1` beside the ports themselves.

use serde::Serialize;

use super::{mac, said};
use crate::base::Untrusted;
use crate::model::device::{
    BgpPeer, Firewall, Limits, Neighbor, Optics, OspfNeighbor, Poe, Pool, Processor, Sensor, Ups,
};
use crate::model::{Port, PortTable};

#[derive(Debug, Serialize)]
pub struct PoeRow {
    status: &'static str,
    watts: Option<f64>,
    class: Option<u8>,
}

#[derive(Debug, Serialize)]
pub struct NeighborRow {
    protocol: &'static str,
    name: Option<String>,
    port: Option<String>,
    port_description: Option<String>,
    platform: Option<String>,
    chassis_mac: Option<String>,
    address: Option<String>,
    forwards: Option<bool>,
}

#[derive(Debug, Serialize)]
pub struct SensorRow {
    class: &'static str,
    name: Option<String>,
    value: Option<f64>,
    unit: Option<&'static str>,
    status: &'static str,
    limits: Option<LimitsRow>,
}

#[derive(Debug, Serialize)]
pub struct LimitsRow {
    low_critical: Option<f64>,
    low_warning: Option<f64>,
    high_warning: Option<f64>,
    high_critical: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct ProcessorRow {
    name: Option<String>,
    percent: f64,
}

#[derive(Debug, Serialize)]
pub struct PoolRow {
    name: Option<String>,
    used_bytes: Option<u64>,
    total_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct BgpRow {
    peer: String,
    remote_as: Option<u32>,
    state: Option<&'static str>,
    admin: Option<&'static str>,
    in_state_s: Option<f64>,
    last_error: Option<String>,
    established_transitions: Option<u64>,
    prefixes: Option<u64>,
    prefix_limit: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct OspfRow {
    neighbor: String,
    router_id: Option<String>,
    state: Option<&'static str>,
    /// Where the interface has no address of its own.
    interface: Option<String>,
    events: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct OpticsRow {
    port: Option<String>,
    rx_dbm: Option<f64>,
    tx_dbm: Option<f64>,
    temperature_c: Option<f64>,
    bias_ma: Option<f64>,
    status: &'static str,
}

#[derive(Debug, Serialize)]
pub struct UpsRow {
    source: Option<&'static str>,
    on_battery_s: Option<f64>,
    minutes_left: Option<f64>,
    charge_percent: Option<f64>,
    load_percent: Option<f64>,
    battery: Option<&'static str>,
    alarms: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct FirewallRow {
    ha: Option<HaRow>,
    sessions: Option<u64>,
    session_limit: Option<u64>,
    tunnels: Vec<TunnelRow>,
}

#[derive(Debug, Serialize)]
pub struct HaRow {
    role: String,
    healthy: Option<bool>,
}

#[derive(Debug, Serialize)]
pub struct TunnelRow {
    name: Option<String>,
    up: Option<bool>,
}

pub fn poe(poe: Poe) -> PoeRow {
    PoeRow { status: poe.status.as_str(), watts: poe.watts.map(rounded), class: poe.class }
}

/// As many digits as a 32-bit number has.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1000.0).round() / 1000.0
}

pub fn neighbor(neighbor: &Neighbor) -> NeighborRow {
    NeighborRow {
        protocol: neighbor.protocol.as_str(),
        name: said(&neighbor.name),
        port: said(&neighbor.port),
        port_description: said(&neighbor.port_description),
        platform: said(&neighbor.platform),
        chassis_mac: neighbor.chassis_mac.map(mac),
        address: neighbor.addresses.first().map(ToString::to_string),
        forwards: neighbor.forwards,
    }
}

pub fn sensor(sensor: &Sensor) -> SensorRow {
    SensorRow {
        class: sensor.class.as_str(),
        name: said(&sensor.name),
        value: sensor.value,
        unit: sensor.unit.or_else(|| sensor.class.unit()),
        status: sensor.status.as_str(),
        limits: (sensor.limits != Limits::default()).then_some(LimitsRow {
            low_critical: sensor.limits.low_critical,
            low_warning: sensor.limits.low_warning,
            high_warning: sensor.limits.high_warning,
            high_critical: sensor.limits.high_critical,
        }),
    }
}

pub fn processor(processor: &Processor) -> ProcessorRow {
    ProcessorRow { name: said(&processor.name), percent: processor.percent }
}

pub fn pool(pool: &Pool) -> PoolRow {
    PoolRow { name: said(&pool.name), used_bytes: pool.used_bytes, total_bytes: pool.total_bytes }
}

pub fn bgp(peer: &BgpPeer) -> BgpRow {
    BgpRow {
        peer: peer.peer.to_string(),
        remote_as: peer.remote_as,
        state: peer.state.map(crate::model::device::BgpState::as_str),
        admin: peer.started.map(|started| if started { "start" } else { "stop" }),
        in_state_s: peer.in_state_for.map(|d| d.as_secs_f64()),
        last_error: peer.last_error.map(|[code, subcode]| format!("{code}/{subcode}")),
        established_transitions: peer.transitions,
        prefixes: peer.prefixes,
        prefix_limit: peer.prefix_limit,
    }
}

pub fn ospf(neighbor: &OspfNeighbor, table: &PortTable) -> OspfRow {
    OspfRow {
        neighbor: neighbor.neighbor.to_string(),
        router_id: neighbor.router_id.map(|id| id.to_string()),
        state: neighbor.state.map(crate::model::device::OspfState::as_str),
        interface: neighbor.interface.map(|index| port_name(table, index)),
        events: neighbor.events,
    }
}

pub fn optics(optics: &Optics, table: &PortTable) -> OpticsRow {
    let port = optics.port.and_then(|index| table.by_index(index));
    OpticsRow {
        port: port.map(Port::label).and_then(said).or_else(|| said(&optics.name)),
        rx_dbm: optics.rx_dbm,
        tx_dbm: optics.tx_dbm,
        temperature_c: optics.temperature_c,
        bias_ma: optics.bias_ma,
        status: optics.status.as_str(),
    }
}

/// What a port is called; where it has no name or is not in the table, its ifIndex.
pub fn port_name(table: &PortTable, index: u32) -> String {
    table.by_index(index).map(Port::label).and_then(said).unwrap_or_else(|| format!("#{index}"))
}

pub fn ups(ups: &Ups) -> UpsRow {
    UpsRow {
        source: ups.source.map(crate::model::device::PowerSource::as_str),
        on_battery_s: ups.on_battery_for.map(|d| d.as_secs_f64()),
        minutes_left: ups.minutes_left,
        charge_percent: ups.charge_percent,
        load_percent: ups.load_percent,
        battery: ups.battery.map(crate::model::device::SensorStatus::as_str),
        alarms: ups.alarms,
    }
}

pub fn firewall(firewall: &Firewall) -> FirewallRow {
    let tunnel = |name: &Untrusted, up| TunnelRow { name: said(name), up };
    FirewallRow {
        ha: firewall.ha.as_ref().map(|ha| HaRow { role: ha.role.to_string(), healthy: ha.healthy }),
        sessions: firewall.sessions,
        session_limit: firewall.session_limit,
        tunnels: firewall.tunnels.iter().map(|t| tunnel(&t.name, t.up)).collect(),
    }
}
