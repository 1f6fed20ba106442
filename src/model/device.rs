//! Devices that answer SNMP: what they call themselves, and what they say of themselves beside their ports. A value that the
//! agent did not give, or gave in a form that means nothing, is `None` or absent, never a guess.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Duplex;
pub use super::pool::{Pool, PoolLimits};
pub use super::routing::{BgpPeer, BgpState, OspfNeighbor, OspfState};
use crate::base::{Timestamp, Untrusted};

/// An address of a station (IEEE 802).
pub type Mac = [u8; 6];

/// Management addresses that are kept of a neighbor.
pub const MOST_ADDRESSES: usize = 8;

/// The `system` group of a device (RFC 3418), its engine's clock, and who made it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    /// `sysName`.
    pub name: Untrusted,
    /// `sysDescr`.
    pub description: Untrusted,
    /// `sysObjectID` in dotted form.
    pub object_id: Option<String>,
    /// `sysUpTime`; of the agent, not of the machine. Wraps after 497 days.
    pub uptime: Option<Duration>,
    /// `hrSystemUptime` (RFC 2790): of the machine, where the agent is a program on one.
    pub host_uptime: Option<Duration>,
    pub location: Untrusted,
    pub contact: Untrusted,
    /// `snmpEngineBoots` and `snmpEngineTime` (RFC 3411); does not wrap while anybody lives.
    pub engine: Option<EngineClock>,
    /// `ifTableLastChange` in hundredths of a second of `uptime`.
    pub table_last_change: Option<u32>,
    /// As the device's profile names them: `Cisco`, `ios`.
    pub vendor: Option<Arc<str>>,
    pub os: Option<Arc<str>>,
    pub model: Untrusted,
    pub version: Untrusted,
    pub serial: Untrusted,
    /// The name of the device profile that it was read with.
    pub profile: Option<Arc<str>>,
}

/// `sysUpTime` counts hundredths of a second in 32 bits.
const UPTIME_WRAP: Duration = Duration::from_millis((1 << 32) * 10);
/// The engine's clock counts whole seconds.
const UPTIME_SLACK: Duration = Duration::from_secs(300);
/// Nothing is up for so long: twenty years. Some agents put the time of day there.
const LONGEST_UPTIME: Duration = Duration::from_secs(20 * 365 * 86_400);

impl Device {
    /// How long the agent has been up, over the wraps of `sysUpTime` where the engine's clock tells of them.
    pub fn up(&self) -> Option<Duration> {
        let up = self.uptime?;
        let plausible = |time: &Duration| (UPTIME_WRAP..LONGEST_UPTIME).contains(time) && *time > up;
        let Some(engine) = self.engine.map(|engine| engine.time).filter(plausible) else { return Some(up) };
        let wraps = (engine.saturating_sub(up) + UPTIME_WRAP / 2).as_millis() / UPTIME_WRAP.as_millis();
        let unwrapped = up + UPTIME_WRAP * wraps as u32;
        // Over so long a time the two drift apart; further than that they have nothing to do with each other.
        Some(match unwrapped.abs_diff(engine) {
            apart if apart <= UPTIME_SLACK => unwrapped,
            apart if apart <= engine / 50 => engine,
            _ => up,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineClock {
    pub boots: u32,
    /// Since the last boot.
    pub time: Duration,
}

/// Everything that is walked beside the port table, at slower paces. Each table keeps the time of its own walk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Equipment {
    /// Sorted by ifIndex; a port that has nothing to say is not in it.
    pub ports: Vec<PortFacts>,
    /// `dot1dBasePortIfIndex`: bridge port number to ifIndex, sorted by bridge port.
    pub bridge_ports: Vec<(u32, u32)>,
    /// What neighbors hear as its chassis (`lldpLocChassisId`, where that is a MAC address), and its address as a bridge
    /// (`dot1dBaseBridgeAddress`).
    pub chassis_mac: Option<Mac>,
    pub bridge_mac: Option<Mac>,
    pub vlans: Vec<Vlan>,
    pub spanning_tree: Option<SpanningTree>,
    /// The trees beside that one, where there is one for each VLAN or instance; sorted.
    pub trees: Vec<(TreeScope, SpanningTree)>,
    /// Sorted by address. Shared, because it is long and seldom walked.
    pub forwarding: Arc<[ForwardingEntry]>,
    /// Sorted by address.
    pub arp: Arc<[ArpEntry]>,
    /// Neighbors whose port could not be told.
    pub strays: Vec<StrayNeighbor>,
    /// Chassis, stack members, modules, power supplies: the rows of `entPhysicalTable` that have a serial number or a model, or hold
    /// others that do; behind them those of a profile. Sorted by index.
    pub entities: Arc<[Entity]>,
    /// `entAliasMappingIdentifier`: entPhysicalIndex to ifIndex, sorted by entPhysicalIndex.
    pub entity_ports: Arc<[(u32, u32)]>,
    /// What ENTITY-MIB says of the rows that are sensors, sorted by entPhysicalIndex.
    pub sensor_places: Arc<[SensorPlace]>,
    pub sensors: Vec<Sensor>,
    pub processors: Vec<Processor>,
    pub memory: Vec<Pool>,
    pub storage: Vec<Pool>,
    /// From where on these are a problem.
    pub limits: PoolLimits,
    /// How many rows at the end of `memory` and of `storage` are UCD-SNMP's.
    pub ucd_pools: [usize; 2],
    /// Load averages of 1, 5 and 15 minutes (`laLoad`).
    pub load: Option<[f64; 3]>,
    pub bgp: Vec<BgpPeer>,
    pub ospf: Vec<OspfNeighbor>,
    pub optics: Vec<Optics>,
    pub poe: Vec<PoeBudget>,
    pub ups: Option<Ups>,
    pub firewall: Option<Firewall>,
    /// What was walked when, by the name of the group of tables.
    pub walked: Vec<TablesWalked>,
    /// The groups of tables that the agent fell silent on.
    pub setbacks: Vec<Setback>,
    /// Which of the rows above came by the device's profile.
    pub profile: ProfileParts,
}

impl Equipment {
    pub fn port(&self, index: u32) -> Option<&PortFacts> {
        self.ports.binary_search_by_key(&index, |p| p.index).ok().map(|at| &self.ports[at])
    }

    /// The MAC addresses by which the device as a whole may be known.
    pub fn chassis_macs(&self) -> [Option<Mac>; 2] {
        [self.chassis_mac, self.bridge_mac]
    }

    /// The facts of a port, made where there are none yet.
    pub fn port_mut(&mut self, index: u32) -> &mut PortFacts {
        let at = match self.ports.binary_search_by_key(&index, |p| p.index) {
            Ok(at) => at,
            Err(at) => {
                self.ports.insert(at, PortFacts { index, ..PortFacts::default() });
                at
            }
        };
        &mut self.ports[at]
    }

    /// The ifIndex of a bridge port.
    pub fn bridge_port(&self, number: u32) -> Option<u32> {
        self.bridge_ports.binary_search_by_key(&number, |p| p.0).ok().map(|at| self.bridge_ports[at].1)
    }

    /// The ifIndex of the port that is this physical entity.
    pub fn entity_port(&self, entity: u32) -> Option<u32> {
        self.entity_ports.binary_search_by_key(&entity, |p| p.0).ok().map(|at| self.entity_ports[at].1)
    }

    /// The box itself: of a stack the first member, else the first chassis, else what holds the rest.
    pub fn chassis(&self) -> Option<&Entity> {
        let named = |e: &&Entity| !e.serial.is_empty() || !e.model.is_empty();
        let chassis = self.entities.iter().filter(|e| e.is_chassis());
        chassis.clone().find(named).or_else(|| self.entities.iter().find(|e| e.is_outermost() && named(e)))
    }
}

/// A group of tables that the agent fell silent on, and when it is worth another try.
#[derive(Clone, Debug, PartialEq)]
pub struct Setback {
    pub group: Arc<str>,
    /// The last try.
    pub tried: Timestamp,
    /// Tries in vain in a row.
    pub failures: u8,
}

/// Where a sensor is.
#[derive(Clone, Debug, PartialEq)]
pub struct SensorPlace {
    /// `entPhysicalIndex`.
    pub entity: u32,
    /// `entPhysicalName`, else `entPhysicalDescr`.
    pub name: Untrusted,
    /// The ifIndex of the port that it belongs to.
    pub port: Option<u32>,
}

/// What a profile's tables brought, table by table, so that each can be replaced by its next walk. The rows themselves
/// stand in the lists of [`Equipment`], behind those of the generic tables and in the order of `tables`; `rows` holds
/// them only while a walk is being folded in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileParts {
    pub tables: Vec<ProfilePart>,
    /// `ups` and `firewall` as the generic tables left them.
    pub generic_ups: Option<Ups>,
    pub generic_firewall: Option<Firewall>,
    /// The profile's scalars that name model, version and serial number, in its order; empty where nothing came.
    pub identity: Vec<Untrusted>,
}

/// One table of a profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfilePart {
    pub table: Arc<str>,
    /// How many rows of each list are this table's, in the order of [`ProfileRows`]' fields.
    pub counts: [usize; 8],
    pub rows: ProfileRows,
}

/// What one walk of one profile table came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileRows {
    pub sensors: Vec<Sensor>,
    pub processors: Vec<Processor>,
    pub memory: Vec<Pool>,
    pub storage: Vec<Pool>,
    pub bgp: Vec<BgpPeer>,
    pub optics: Vec<Optics>,
    pub poe: Vec<PoeBudget>,
    pub entities: Vec<Entity>,
    /// Which lists lose the generic tables' rows where this table has some, in the same order.
    pub replaces: [bool; 8],
    pub ports: Vec<(u32, PortPatch)>,
    pub ups: Option<Ups>,
    pub firewall: Option<Firewall>,
}

/// What a profile's table says of a port; it wins over the generic tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortPatch {
    pub poe_status: Option<PoeStatus>,
    pub poe_watts: Option<f32>,
    pub err_disabled: Option<ErrDisabled>,
}

/// The last walk of a group of tables.
#[derive(Clone, Debug, PartialEq)]
pub struct TablesWalked {
    pub group: Arc<str>,
    pub at: Timestamp,
    pub rows: u32,
    /// Why something is missing, in words; `None` where nothing is.
    pub incomplete: Option<Arc<str>>,
}

/// The group of the bridges that a switch has one by one for each VLAN; its `rows` are the VLANs that answered.
pub const VLAN_BRIDGES: &str = "vlan-bridges";

/// What the other tables say of one port.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortFacts {
    pub index: u32,
    /// The VLAN of untagged frames: `dot1qPvid`, `vmVlan`.
    pub vlan: Option<u16>,
    /// The VLANs that the port carries tagged, sorted.
    pub tagged: Vec<u16>,
    pub poe: Option<Poe>,
    pub neighbors: Vec<Neighbor>,
    pub lag: Option<LagMember>,
    /// Of a switch with a spanning tree for each VLAN: the state of the VLAN in which it does most.
    pub stp: Option<StpState>,
    /// The states by VLAN, sorted, where there is a spanning tree for each.
    pub stp_vlans: Vec<(u16, StpState)>,
    /// Why the device itself switched the port off.
    pub err_disabled: Option<ErrDisabled>,
    /// The fastest that the port can do, where the device says so; bits per second.
    pub capable_bps: Option<u64>,
    /// The ifIndexes that this interface stands on (`ifStackTable`).
    pub lower: Vec<u32>,
    /// `ifConnectorPresent`, or ENTITY-MIB's word for it.
    pub connector: Option<bool>,
    /// Stack member and slot, where ENTITY-MIB or the name says so.
    pub unit: Option<u16>,
    pub slot: Option<u16>,
    /// `dot3StatsFCSErrors` and `dot3StatsLateCollisions`.
    pub fcs_errors: Option<u64>,
    pub late_collisions: Option<u64>,
    /// By the type of medium (`ifMauType`); of a port that EtherLike-MIB says nothing of.
    pub duplex: Option<Duplex>,
    /// The device's own addresses on this interface, sorted.
    pub addresses: Vec<PortAddress>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortAddress {
    pub address: IpAddr,
    /// The bits of its network, where the device says so.
    pub prefix: Option<u8>,
}

impl std::fmt::Display for PortAddress {
    /// `10.0.0.1/24`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.prefix {
            Some(prefix) => write!(f, "{}/{prefix}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

/// POWER-ETHERNET-MIB (RFC 3621): `pethPsePortDetectionStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoeStatus {
    Disabled,
    Searching,
    Delivering,
    Fault,
    Test,
    OtherFault,
    /// Refused for want of budget.
    Denied,
}

impl PoeStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Searching => "searching",
            Self::Delivering => "delivering",
            Self::Fault => "fault",
            Self::Test => "test",
            Self::OtherFault => "other-fault",
            Self::Denied => "denied",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poe {
    pub status: PoeStatus,
    pub watts: Option<f32>,
    /// IEEE class 0 to 8.
    pub class: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NeighborProtocol {
    Lldp,
    Cdp,
}

impl NeighborProtocol {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lldp => "lldp",
            Self::Cdp => "cdp",
        }
    }
}

/// Who is at the other end of the cable, in its own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbor {
    pub protocol: NeighborProtocol,
    /// `lldpRemSysName`, `cdpCacheDeviceId`; else the chassis id as text.
    pub name: Untrusted,
    /// The remote port: `lldpRemPortId` (its description where that is empty), `cdpCacheDevicePort`.
    pub port: Untrusted,
    /// `lldpRemPortDesc`.
    pub port_description: Untrusted,
    /// `lldpRemSysDesc`, `cdpCachePlatform`.
    pub platform: Untrusted,
    pub chassis_mac: Option<Mac>,
    /// Where it can be managed (`lldpRemManAddrTable`, `cdpCacheAddress`): IPv4 first, [`MOST_ADDRESSES`] at most.
    pub addresses: Vec<IpAddr>,
    /// It says that it forwards for others: bridge, router, access point. `None` where it says nothing.
    pub forwards: Option<bool>,
    /// `cdpCacheDuplex`.
    pub half_duplex: Option<bool>,
}

impl Neighbor {
    /// One of which nothing but its name and its port is known.
    pub fn new(protocol: NeighborProtocol, name: impl Into<Untrusted>, port: impl Into<Untrusted>) -> Self {
        Self {
            protocol,
            name: name.into(),
            port: port.into(),
            port_description: Untrusted::default(),
            platform: Untrusted::default(),
            chassis_mac: None,
            addresses: Vec::new(),
            forwards: None,
            half_duplex: None,
        }
    }

    /// By what it is known again.
    pub fn id(&self) -> NeighborId {
        let Self { name, addresses, chassis_mac, .. } = self;
        NeighborId { name: name.clone(), addresses: addresses.clone(), chassis_mac: *chassis_mac }
    }
}

/// By what a neighbor is known again when nothing is heard of it any more; see [`Neighbor`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeighborId {
    pub name: Untrusted,
    pub addresses: Vec<IpAddr>,
    pub chassis_mac: Option<Mac>,
}

/// What a neighbor of that name may be called in an inventory, in small letters, surest first. Cisco's newer systems write the
/// serial number in brackets behind the name (`core-1(SSI183706KP)`), older ones the name behind the serial number: in CDP, which
/// may be what it was heard by.
pub fn called(name: &Untrusted) -> Vec<String> {
    let whole = name.line().to_lowercase();
    let parts = whole.strip_suffix(')').and_then(|text| text.split_once('('));
    let parts = parts.into_iter().flat_map(|(a, b)| [a.to_owned(), b.to_owned()]);
    let parts: Vec<String> = parts.filter(|name| !name.is_empty()).collect();
    std::iter::once(whole).filter(|name| !name.is_empty()).chain(parts).collect()
}

/// A neighbor, and what the agent calls the port that it is on.
#[derive(Clone, Debug, PartialEq)]
pub struct StrayNeighbor {
    pub local: Untrusted,
    pub neighbor: Neighbor,
}

/// Membership in an aggregate (IEEE8023-LAG-MIB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LagMember {
    /// The aggregate's ifIndex (`dot3adAggPortAttachedAggID`, else the selected one).
    pub aggregate: u32,
    /// Synchronised, collecting and distributing, and not defaulted or expired. `None` where the agent says nothing.
    pub bundled: Option<bool>,
}

/// `dot1dStpPortState` (RFC 4188).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StpState {
    Disabled,
    Blocking,
    Listening,
    Learning,
    Forwarding,
    Broken,
}

impl StpState {
    pub fn from_mib(value: u64) -> Option<Self> {
        Some(match value {
            1 => Self::Disabled,
            2 => Self::Blocking,
            3 => Self::Listening,
            4 => Self::Learning,
            5 => Self::Forwarding,
            6 => Self::Broken,
            _ => return None,
        })
    }

    /// One state for a port that has several: broken is broken; else the farthest on its way to forwarding.
    pub fn of_all(states: impl Iterator<Item = Self>) -> Option<Self> {
        let rank = |state: &Self| match state {
            Self::Disabled => 0,
            Self::Blocking => 1,
            Self::Listening => 2,
            Self::Learning => 3,
            Self::Forwarding => 4,
            Self::Broken => 5,
        };
        states.max_by_key(rank)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Blocking => "blocking",
            Self::Listening => "listening",
            Self::Learning => "learning",
            Self::Forwarding => "forwarding",
            Self::Broken => "broken",
        }
    }
}

/// The device switched the port off by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrDisabled {
    /// The vendor's own word: `bpduGuard`, `psecureViolation`.
    pub cause: Arc<str>,
    /// Until the device tries again by itself.
    pub recovers_in: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vlan {
    pub id: u16,
    pub name: Untrusted,
}

/// `dot1dStp` scalars (RFC 4188).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanningTree {
    /// Priority and address of the root bridge.
    pub root: [u8; 8],
    /// `dot1dStpRootPort` is 0.
    pub is_root: Option<bool>,
    /// ifIndex of the port towards the root.
    pub root_port: Option<u32>,
    pub topology_changes: Option<u64>,
    pub since_topology_change: Option<Duration>,
}

/// What a spanning tree is for, where a bridge has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TreeScope {
    Vlan(u16),
    /// Of MSTP.
    Instance(u16),
}

/// A station and the port that it was heard on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForwardingEntry {
    pub mac: [u8; 6],
    pub vlan: Option<u16>,
    /// ifIndex.
    pub port: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArpEntry {
    pub address: IpAddr,
    pub mac: [u8; 6],
    /// ifIndex; some agents name none.
    pub port: Option<u32>,
}

/// `entPhysicalClass` (RFC 6933) as far as a console tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntityClass {
    Chassis,
    Stack,
    Module,
    PowerSupply,
    Fan,
    Port,
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// `entPhysicalIndex`.
    pub index: u32,
    pub class: EntityClass,
    pub name: Untrusted,
    pub description: Untrusted,
    pub model: Untrusted,
    pub serial: Untrusted,
    /// `entPhysicalSoftwareRev`, else the firmware's.
    pub version: Untrusted,
    pub contained_in: u32,
    /// `entPhysicalParentRelPos`: slot or stack member; `None` where the agent does not know.
    pub position: Option<u32>,
}

impl Entity {
    /// Parts that a profile tells of are numbered from here on: no entPhysicalIndex is as large (RFC 6933).
    pub const FIRST_OF_PROFILE: u32 = 1 << 31;

    /// A chassis by its class; what a profile lists is none.
    pub fn is_chassis(&self) -> bool {
        self.class == EntityClass::Chassis && self.index < Self::FIRST_OF_PROFILE
    }

    /// It holds all the rest: the device itself. What a profile lists stands in nothing that is known, and is not the device for that.
    pub fn is_outermost(&self) -> bool {
        self.contained_in == 0 && self.index < Self::FIRST_OF_PROFILE
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SensorClass {
    Temperature,
    Fan,
    Voltage,
    Current,
    Power,
    Humidity,
    /// A state without a number: a power supply, a door.
    State,
    Other,
}

impl SensorClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::Fan => "fan",
            Self::Voltage => "voltage",
            Self::Current => "current",
            Self::Power => "power",
            Self::Humidity => "humidity",
            Self::State => "state",
            Self::Other => "other",
        }
    }

    /// The unit of its values in `noctty.ports/1`.
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Self::Temperature => Some("celsius"),
            Self::Fan => Some("rpm"),
            Self::Voltage => Some("volts"),
            Self::Current => Some("amperes"),
            Self::Power => Some("watts"),
            Self::Humidity => Some("percent"),
            Self::State | Self::Other => None,
        }
    }
}

/// What the device itself thinks of a sensor, else what its limits say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SensorStatus {
    Ok,
    Warning,
    Critical,
    /// There, but says nothing (`entPhySensorOperStatus` unavailable or nonoperational, an empty bay).
    Unavailable,
    Unknown,
}

impl SensorStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }
}

/// Limits in the unit of the value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    pub low_critical: Option<f64>,
    pub low_warning: Option<f64>,
    pub high_warning: Option<f64>,
    pub high_critical: Option<f64>,
}

impl Limits {
    /// What a value is worth by these limits; `None` where there are none.
    pub fn judge(&self, value: f64) -> Option<SensorStatus> {
        let above = |limit: Option<f64>| limit.is_some_and(|l| value >= l);
        let below = |limit: Option<f64>| limit.is_some_and(|l| value <= l);
        if above(self.high_critical) || below(self.low_critical) {
            Some(SensorStatus::Critical)
        } else if above(self.high_warning) || below(self.low_warning) {
            Some(SensorStatus::Warning)
        } else if *self == Self::default() {
            None
        } else {
            Some(SensorStatus::Ok)
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sensor {
    pub class: SensorClass,
    pub name: Untrusted,
    /// In the unit of the class; for `Other` in `unit`.
    pub value: Option<f64>,
    /// Where it differs from the class's own: `percent` of a fan, `dbm`.
    pub unit: Option<&'static str>,
    pub status: SensorStatus,
    pub limits: Limits,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Processor {
    pub name: Untrusted,
    pub percent: f64,
}

/// Light levels and health of a transceiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Optics {
    /// ifIndex of the port, where it is known.
    pub port: Option<u32>,
    /// What the device calls it, for where no port is known.
    pub name: Untrusted,
    pub rx_dbm: Option<f64>,
    pub tx_dbm: Option<f64>,
    pub temperature_c: Option<f64>,
    pub bias_ma: Option<f64>,
    pub status: SensorStatus,
}

/// `pethMainPseTable` (RFC 3621).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoeBudget {
    pub group: u32,
    pub watts: Option<f64>,
    pub used_watts: Option<f64>,
    /// `pethMainPseOperStatus`: on, off, faulty.
    pub faulty: Option<bool>,
}

/// `upsOutputSource` (RFC 1628) and the vendors' like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PowerSource {
    None,
    Mains,
    Bypass,
    Battery,
    Booster,
    Reducer,
    Other,
}

impl PowerSource {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mains => "mains",
            Self::Bypass => "bypass",
            Self::Battery => "battery",
            Self::Booster => "booster",
            Self::Reducer => "reducer",
            Self::Other => "other",
        }
    }
}

/// An uninterruptible power supply, or the inlet of a distribution unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ups {
    pub source: Option<PowerSource>,
    pub on_battery_for: Option<Duration>,
    pub minutes_left: Option<f64>,
    pub charge_percent: Option<f64>,
    /// The heaviest output line's.
    pub load_percent: Option<f64>,
    /// `upsBatteryStatus`: 2 normal, 3 low, 4 depleted; or the vendor's word that it must be replaced.
    pub battery: Option<SensorStatus>,
    pub alarms: Option<u64>,
}

/// What only firewalls have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Firewall {
    /// The device's own word: `active`, `standby`, `primary`.
    pub ha: Option<HaState>,
    pub sessions: Option<u64>,
    pub session_limit: Option<u64>,
    pub tunnels: Vec<Tunnel>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct HaState {
    pub role: Arc<str>,
    /// The peer is there and in step; `None` where the device does not say.
    pub healthy: Option<bool>,
}

/// A VPN tunnel.
#[derive(Clone, Debug, PartialEq)]
pub struct Tunnel {
    pub name: Untrusted,
    pub up: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uptime_goes_on_over_its_wraps_where_the_engine_tells_of_them() {
        let up = |uptime: u64, engine: Option<u64>| {
            let engine = engine.map(|time| EngineClock { boots: 3, time: Duration::from_secs(time) });
            let device = Device { uptime: Some(Duration::from_secs(uptime)), engine, ..Device::default() };
            device.up().map(|up| up.as_secs())
        };
        assert_eq!(up(50, None), Some(50));
        assert_eq!(up(50, Some(52)), Some(50));
        assert_eq!(up(50, Some(42_949_722)), Some(42_949_722));
        assert_eq!(up(50, Some(2 * 42_949_672)), Some(2 * 42_949_672 + 51));
        assert_eq!(up(50, Some(43_000_050)), Some(43_000_050), "they have drifted apart");
        assert_eq!(up(50, Some(1_900_000_000)), Some(50), "the time of day");
        assert_eq!(up(50, Some(60_000_000)), Some(50), "nothing to do with each other");
        assert_eq!(Device::default().up(), None);
    }
}
