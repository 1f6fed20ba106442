//! The form of what an operator talks about. A field that is added to the model is added here, or this does not compile.
//!
//! Some facts stay with the engine, because no pane reads them where they are left out: the walk and the report within
//! a result (they come with the device and the job), and what holds nothing but the engine's own reckoning.

use std::sync::Arc;

use super::wire::{Malformed, Reader, Wall, Wire, copied_list, wire};
use crate::model::device::{
    ArpEntry, BgpPeer, BgpState, EngineClock, Entity, EntityClass, ErrDisabled, Firewall, ForwardingEntry, HaState,
    LagMember, Limits, Neighbor, NeighborId, NeighborProtocol, Optics, OspfNeighbor, OspfState, Poe, PoeBudget,
    PoeStatus, Pool, PoolLimits, PortAddress, PortPatch, PowerSource, Processor, ProfilePart, ProfileParts,
    ProfileRows, Sensor, SensorClass, SensorPlace, SensorStatus, Setback, SpanningTree, StpState, StrayNeighbor,
    TablesWalked, TreeScope, Tunnel, Ups, Vlan,
};
use crate::model::port_rules::{self, Pattern, Piece, RuleSet};
use crate::model::{
    BackupFailure, BackupReport, CheckKey, CheckSpec, Condition, Counter, Counters, Device, Duplex, Entry, EntryKind,
    Equipment, Facts, Flaps, Host, IfAdmin, IfOper, Incident, IncidentId, IncidentStatus, Job, LockState, Metric,
    Notification, NotificationKind, Observation, Origin, Outcome, Port, PortChange, PortEvent, PortFacts, PortKey,
    PortMemory, PortPackets, PortRole, PortRules, PortState, PortTable, Reading, RestorePoint, Schedule, Subject, Ties,
    ToldApart, TrapStatus, Unit, Urgency, Vitals, Wire as CheckWire,
};

type PortLimits = port_rules::Limits;

wire! {
    record Host {
        id, name, address, tags, group, site, parents, redundancy, origin, ssh_alias, not_probed, runbook,
        ports,
    }
    choice Origin { Config, Local, Gateway, Resolver, SshConfig, Environment, OneOff }
    record PortRules { sets, limits }
    record PortLimits { errors_warning, errors_critical, discards_warning, discards_critical }
    record RuleSet { must_be_up, uplink, ignore }
    choice Piece { Octet { 0: octet }, Any, Rest, Set { inverted: inverted, ranges: ranges } }
    choice PortRole { Plain, Uplink, MustBeUp, Ignored }

    record CheckSpec {
        key, kind, interval, timeout, retry_interval, attempts, decides_reachability, speaks_for_host, fixed_pace,
        eases, volatile, runbook, waits_for, wire,
    }
    record CheckKey { subject, name }
    choice Subject { Host { 0: id }, Job { 0: id } }
    record CheckWire { protocol, destination }

    record Observation { check, at, took, reading }
    record Reading { outcome, summary, metrics, facts, log }
    choice Outcome { Ok, Warning, Critical, Unknown }
    record Metric { name, value, unit }
    choice Unit { Count, Percent, Seconds, UnixSeconds, Bytes, BitsPerSecond, PerSecond }
    choice Condition { NotProbed, Ok, Pending, Unreachable, Unknown, Warning, Critical }
    choice BackupFailure {
        Tool, Missing, Credentials, Permission, Locked, Unreachable, TimedOut, Damaged, Refused, Unreadable, Failed,
    }

    record Job {
        id, name, kind, repository, protects, schedule, grace, rpo, rto, origin, not_probed, runbook,
    }
    record Schedule { cron, timezone }
    record BackupReport { collected_at, points, total_points, locks, tool_version, damage, warnings }
    record RestorePoint { id, at, host, paths, tags, bytes }
    record LockState { exclusive, holder, since, stale }

    choice IncidentStatus { Open, Closed }
    choice Urgency { Sev1, Sev2, Sev3, Sev4, Sev5 }
    choice EntryKind {
        Opened, Note, Decision, Action, Hypothesis, Acknowledged, Role, State, Closed, Claimed, Released, MaintenanceOrdered,
        MaintenanceCancelled, Paused, Resumed,
    }

    record Notification { at, host, kind, if_index, detail, version, count }
    choice NotificationKind { ColdStart, WarmStart, LinkDown, LinkUp, AuthenticationFailure, Other { 0: oid } }
    record TrapStatus {
        listening, problem, taken, other_kinds, unknown_source, refused, malformed, suppressed, last_refusal,
    }

    record PortTable { collected_at, device, ports, packets, complete, warnings, equipment }
    record PortPackets { index, received, sent, quiet }
    record Port {
        index, name, description, alias, if_type, admin, oper, speed_bps, mtu, mac, duplex, last_change, as_started,
        counters,
    }
    choice IfAdmin { Up, Down, Testing }
    choice IfOper { Up, Down, Testing, Unknown, Dormant, NotPresent, LowerLayerDown }
    choice Duplex { Half, Full }
    choice PortState {
        Up, AdminDown, LinkLost, NoLink, ErrDisabled, LowerLayerDown, Dormant, MissingModule, Testing, Unknown,
    }
    record PortKey { label, told_apart }
    choice ToldApart { ByLabel, ByPlace { unit: unit, slot: slot }, ByIndex { 0: index } }
    record Ties { neighbor, aggregate }
    record NeighborId { name, addresses, chassis_mac }
    record PortMemory {
        state, index, first_seen, changed, seen_up, forwarded, fastest_bps, slower_since, flaps, ties, absent, missed,
    }
    record PortEvent { at, port, change }
    choice PortChange {
        State { from: was, to: is }, Appeared, Gone, Restarted, AgentRestarted, ManyChanged { 0: ports },
        ManyAppeared { 0: ports }, ManyGone { 0: ports },
    }

    record Device {
        name, description, object_id, uptime, host_uptime, location, contact, engine, table_last_change, vendor, os,
        model, version, serial, profile,
    }
    record EngineClock { boots, time }
    record Equipment {
        ports, bridge_ports, chassis_mac, bridge_mac, vlans, spanning_tree, trees, forwarding, arp, strays, entities, entity_ports, sensor_places,
        sensors, processors, memory, storage, limits, ucd_pools, load, bgp, ospf, optics, poe, ups, firewall, walked, setbacks,
        profile,
    }
    record Setback { group, tried, failures }
    record SensorPlace { entity, name, port }
    record ProfileParts { tables, generic_ups, generic_firewall, identity }
    record ProfilePart { table, counts, rows }
    record ProfileRows {
        sensors, processors, memory, storage, bgp, optics, poe, entities, replaces, ports, ups, firewall,
    }
    record PortPatch { poe_status, poe_watts, err_disabled }
    record TablesWalked { group, at, rows, incomplete }
    record PortFacts {
        index, vlan, tagged, poe, neighbors, lag, stp, stp_vlans, err_disabled, capable_bps, lower, connector, unit, slot,
        fcs_errors, late_collisions, duplex, addresses,
    }
    record PortAddress { address, prefix }
    choice PoeStatus { Disabled, Searching, Delivering, Fault, Test, OtherFault, Denied }
    record Poe { status, watts, class }
    choice NeighborProtocol { Lldp, Cdp }
    record Neighbor {
        protocol, name, port, port_description, platform, chassis_mac, addresses, forwards, half_duplex,
    }
    record StrayNeighbor { local, neighbor }
    record LagMember { aggregate, bundled }
    choice StpState { Disabled, Blocking, Listening, Learning, Forwarding, Broken }
    record ErrDisabled { cause, recovers_in }
    record Vlan { id, name }
    record SpanningTree { root, is_root, root_port, topology_changes, since_topology_change }
    choice TreeScope { Vlan { 0: id }, Instance { 0: id } }
    record ForwardingEntry { mac, vlan, port }
    record ArpEntry { address, mac, port }
    choice EntityClass { Chassis, Stack, Module, PowerSupply, Fan, Port, Other }
    record Entity { index, class, name, description, model, serial, version, contained_in, position }
    choice SensorClass { Temperature, Fan, Voltage, Current, Power, Humidity, State, Other }
    choice SensorStatus { Ok, Warning, Critical, Unavailable, Unknown }
    record Limits { low_critical, low_warning, high_warning, high_critical }
    record Sensor { class, name, value, unit, status, limits }
    record Processor { name, percent }
    record PoolLimits { memory, disk, ignore }
    record Pool { name, used_bytes, total_bytes }
    choice BgpState { Idle, Connect, Active, OpenSent, OpenConfirm, Established }
    record BgpPeer {
        peer, remote_as, state, started, in_state_for, transitions, last_error, prefixes, prefix_limit,
    }
    choice OspfState { Down, Attempt, Init, TwoWay, ExchangeStart, Exchange, Loading, Full }
    record OspfNeighbor { neighbor, interface, router_id, state, events }
    record Optics { port, name, rx_dbm, tx_dbm, temperature_c, bias_ma, status }
    record PoeBudget { group, watts, used_watts, faulty }
    choice PowerSource { None, Mains, Bypass, Battery, Booster, Reducer, Other }
    record Ups { source, on_battery_for, minutes_left, charge_percent, load_percent, battery, alarms }
    record Firewall { ha, sessions, session_limit, tunnels }
    record HaState { role, healthy }
    record Tunnel { name, up }
}

impl Wire for IncidentId {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        self.0.put(None, out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        u32::take(None, from).map(Self)
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

impl Wire for Counters {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        for counter in Counter::ALL {
            self.get(counter).put(before.map(|b| b.get(counter)).as_ref(), out);
        }
        self.wide.put(before.map(|b| &b.wide), out);
        self.discontinuity().put(before.map(Self::discontinuity).as_ref(), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut values = [None; Counter::ALL.len()];
        for (value, counter) in values.iter_mut().zip(Counter::ALL) {
            *value = <Option<u64> as Wire>::take(before.map(|b| b.get(counter)).as_ref(), from)?;
        }
        let wide = bool::take(before.map(|b| &b.wide), from)?;
        let discontinuity = <Option<u32> as Wire>::take(before.map(Self::discontinuity).as_ref(), from)?;
        Ok(Self::new(values, wide, discontinuity))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

impl Wire for Flaps {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        self.times().to_vec().put(None, out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Vec::take(None, from).map(Self::from)
    }

    fn same(&self, before: &Self) -> bool {
        std::ptr::eq(self.times(), before.times()) || self == before
    }
}

impl Wire for Pattern {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        self.pieces().to_vec().put(None, out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Vec::take(None, from).map(Self::from_pieces)
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

impl<T: Wire + Clone> Wire for Box<[T]> {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        self.to_vec().put(before.map(|b| b.to_vec()).as_ref(), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Vec::take(before.map(|b| b.to_vec()).as_ref(), from).map(Self::from)
    }

    fn same(&self, before: &Self) -> bool {
        self.len() == before.len() && self.iter().zip(before).all(|(now, before)| now.same(before))
    }

    fn copied(&self) -> usize {
        copied_list(self)
    }
}

fn vitals_of(facts: Option<&Facts>) -> Option<&Arc<Vitals>> {
    match facts {
        Some(Facts::Vitals(vitals)) => Some(vitals),
        _ => None,
    }
}

/// The walk and the report come with the device and the job.
impl Wire for Facts {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        match self {
            Self::Vitals(vitals) => {
                out.push(2);
                vitals.put(vitals_of(before), out);
            }
            Self::None | Self::Ports(_) | Self::Backup(_) => out.push(0),
            Self::NoBackup(failure) => {
                out.push(1);
                failure.put(None, out);
            }
        }
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.byte()? {
            0 => Ok(Self::None),
            2 => Wire::take(vitals_of(before), from).map(Self::Vitals),
            1 => BackupFailure::take(None, from).map(Self::NoBackup),
            _ => Err(Malformed("facts are of no known kind")),
        }
    }

    fn same(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::NoBackup(failure), Self::NoBackup(before)) => failure == before,
            (Self::Vitals(vitals), Self::Vitals(before)) => vitals.same(before) || vitals == before,
            (Self::NoBackup(_) | Self::Vitals(_), _) | (_, Self::NoBackup(_) | Self::Vitals(_)) => false,
            (Self::None | Self::Ports(_) | Self::Backup(_), _) => true,
        }
    }
}

/// Written down by the system's clock, which is the same for everybody.
impl Wire for Entry {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        let Self { id, incident, writer, sequence, at, kind, author, text, about } = self;
        id.put(None, out);
        incident.put(None, out);
        writer.put(None, out);
        sequence.put(None, out);
        Wall(*at).put(None, out);
        kind.put(None, out);
        author.put(None, out);
        text.put(None, out);
        about.put(None, out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            id: Wire::take(None, from)?,
            incident: Wire::take(None, from)?,
            writer: Wire::take(None, from)?,
            sequence: Wire::take(None, from)?,
            at: Wall::take(None, from)?.0,
            kind: Wire::take(None, from)?,
            author: Wire::take(None, from)?,
            text: Wire::take(None, from)?,
            about: Wire::take(None, from)?,
        })
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

/// As [`Entry`].
impl Wire for Incident {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        let Self { id, title, urgency, status, opened_at, closed_at, entries, damage } = self;
        id.put(None, out);
        title.put(None, out);
        urgency.put(None, out);
        status.put(None, out);
        Wall(*opened_at).put(None, out);
        closed_at.map(Wall).put(None, out);
        // Entries are added, never changed.
        entries.put(before.map(|b| &b.entries), out);
        damage.put(None, out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            id: Wire::take(None, from)?,
            title: Wire::take(None, from)?,
            urgency: Wire::take(None, from)?,
            status: Wire::take(None, from)?,
            opened_at: Wall::take(None, from)?.0,
            closed_at: <Option<Wall> as Wire>::take(None, from)?.map(|at| at.0),
            entries: Wire::take(before.map(|b| &b.entries), from)?,
            damage: Wire::take(None, from)?,
        })
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}
