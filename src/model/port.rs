//! The ports of a device (IF-MIB, RFC 2863). Values that the agent did not give, or gave in a form that means nothing,
//! are `None`, never a guess.

use std::sync::Arc;

use super::device::{Device, Equipment, PortFacts};
use crate::base::{Timestamp, Untrusted};

/// `ifAdminStatus` (1.3.6.1.2.1.2.2.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IfAdmin {
    Up,
    Down,
    Testing,
}

impl IfAdmin {
    pub fn from_mib(value: i64) -> Option<Self> {
        Some(match value {
            1 => Self::Up,
            2 => Self::Down,
            3 => Self::Testing,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Testing => "testing",
        }
    }
}

/// `ifOperStatus` (1.3.6.1.2.1.2.2.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IfOper {
    Up,
    Down,
    Testing,
    Unknown,
    Dormant,
    NotPresent,
    LowerLayerDown,
}

impl IfOper {
    pub fn from_mib(value: i64) -> Option<Self> {
        Some(match value {
            1 => Self::Up,
            2 => Self::Down,
            3 => Self::Testing,
            4 => Self::Unknown,
            5 => Self::Dormant,
            6 => Self::NotPresent,
            7 => Self::LowerLayerDown,
            _ => return None,
        })
    }

    /// The MIB's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Testing => "testing",
            Self::Unknown => "unknown",
            Self::Dormant => "dormant",
            Self::NotPresent => "notPresent",
            Self::LowerLayerDown => "lowerLayerDown",
        }
    }
}

/// `dot3StatsDuplexStatus` (1.3.6.1.2.1.10.7.2.1.19) where it says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Duplex {
    Half,
    Full,
}

/// The counters that a port is asked for at each walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// `ifHCInOctets`, else `ifInOctets`.
    InOctets,
    /// `ifHCOutOctets`, else `ifOutOctets`.
    OutOctets,
    InErrors,
    OutErrors,
    InDiscards,
    OutDiscards,
}

impl Counter {
    pub const ALL: [Self; 6] =
        [Self::InOctets, Self::OutOctets, Self::InErrors, Self::OutErrors, Self::InDiscards, Self::OutDiscards];
}

/// Counters as the agent gave them at one moment. Which of them it gave is one octet, because there are many ports.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// 0 where there is none.
    values: [u64; Counter::ALL.len()],
    discontinuity: u32,
    /// A bit for each of `values`, and [`DISCONTINUITY`].
    known: u8,
    /// Whether the octets are 64 bits wide (`ifHCInOctets`); 32-bit ones wrap.
    pub wide: bool,
}

const DISCONTINUITY: u8 = 1 << Counter::ALL.len();

impl Counters {
    /// In the order of [`Counter::ALL`].
    pub fn new(values: [Option<u64>; Counter::ALL.len()], wide: bool, discontinuity: Option<u32>) -> Self {
        let mut counters = Self { wide, ..Self::default() };
        counters.set_discontinuity(discontinuity);
        for (counter, value) in Counter::ALL.into_iter().zip(values) {
            counters.set(counter, value);
        }
        counters
    }

    /// Octets in and out, and nothing else.
    pub fn of_octets(received: Option<u64>, sent: Option<u64>, wide: bool) -> Self {
        Self::new([received, sent, None, None, None, None], wide, None)
    }

    pub fn get(&self, counter: Counter) -> Option<u64> {
        (self.known & (1 << counter as u8) != 0).then_some(self.values[counter as usize])
    }

    pub fn set(&mut self, counter: Counter, value: Option<u64>) {
        let bit = 1 << counter as u8;
        self.known = if value.is_some() { self.known | bit } else { self.known & !bit };
        self.values[counter as usize] = value.unwrap_or_default();
    }

    pub fn in_octets(&self) -> Option<u64> {
        self.get(Counter::InOctets)
    }

    pub fn out_octets(&self) -> Option<u64> {
        self.get(Counter::OutOctets)
    }

    pub fn in_errors(&self) -> Option<u64> {
        self.get(Counter::InErrors)
    }

    pub fn out_errors(&self) -> Option<u64> {
        self.get(Counter::OutErrors)
    }

    pub fn in_discards(&self) -> Option<u64> {
        self.get(Counter::InDiscards)
    }

    pub fn out_discards(&self) -> Option<u64> {
        self.get(Counter::OutDiscards)
    }

    /// `ifCounterDiscontinuityTime` in hundredths of a second of the agent's uptime: when it moves, the counters
    /// began anew.
    pub fn discontinuity(&self) -> Option<u32> {
        (self.known & DISCONTINUITY != 0).then_some(self.discontinuity)
    }

    pub fn set_discontinuity(&mut self, value: Option<u32>) {
        let bit = DISCONTINUITY;
        self.known = if value.is_some() { self.known | bit } else { self.known & !bit };
        self.discontinuity = value.unwrap_or_default();
    }
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let values = Counter::ALL.map(|counter| (counter, self.get(counter)));
        f.debug_map().entries(values).entry(&"wide", &self.wide).entry(&"discontinuity", &self.discontinuity()).finish()
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Port {
    /// `ifIndex`; a cache, not an identity.
    pub index: u32,
    /// `ifName`.
    pub name: Untrusted,
    /// `ifDescr`.
    pub description: Untrusted,
    /// `ifAlias`.
    pub alias: Untrusted,
    /// `ifType` (IANAifType).
    pub if_type: Option<u32>,
    pub admin: Option<IfAdmin>,
    pub oper: Option<IfOper>,
    /// From `ifHighSpeed`, else `ifSpeed`; bits per second.
    pub speed_bps: Option<u64>,
    pub mtu: Option<u32>,
    /// `ifPhysAddress`, six octets only.
    pub mac: Option<[u8; 6]>,
    pub duplex: Option<Duplex>,
    /// Now minus (sysUpTime − ifLastChange); `None` where that makes no sense.
    pub last_change: Option<Timestamp>,
    /// `ifLastChange` is 0: its state is as old as the agent, at least.
    pub as_started: bool,
    pub counters: Counters,
}

impl Port {
    /// `ifName`, else `ifDescr`; may be empty.
    pub fn label(&self) -> &Untrusted {
        if self.name.is_empty() { &self.description } else { &self.name }
    }
}

/// Packets of one port, of all kinds. Asked for only where errors or discards grow, for their share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortPackets {
    /// `ifIndex`.
    pub index: u32,
    /// `None` where the agent does not count them.
    pub received: Option<u64>,
    pub sent: Option<u64>,
    /// Walks since its errors last grew.
    pub quiet: u8,
}

/// One walk of one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortTable {
    pub collected_at: Timestamp,
    pub device: Device,
    /// In the order of `ifIndex`.
    pub ports: Vec<Port>,
    /// Of the ports whose errors grow; in the order of `ifIndex`.
    pub packets: Vec<PortPackets>,
    /// False where something is missing; `warnings` say what.
    pub complete: bool,
    pub warnings: Vec<String>,
    /// What the slower tables say; shared by all walks until one of them is walked again.
    pub equipment: Arc<Equipment>,
}

impl PortTable {
    /// The duplex by the type of medium, where EtherLike-MIB tells none of any port. A port without link has the medium that it had last.
    pub fn lend_duplex(&mut self) {
        if self.ports.iter().any(|port| port.duplex.is_some()) {
            return;
        }
        for port in self.ports.iter_mut().filter(|port| port.oper == Some(IfOper::Up)) {
            port.duplex = self.equipment.port(port.index).and_then(|facts| facts.duplex);
        }
    }

    /// What the slower tables say of a port.
    pub fn facts(&self, port: &Port) -> Option<&PortFacts> {
        self.equipment.port(port.index)
    }

    /// The packets of a port, where they were asked for.
    pub fn packets(&self, index: u32) -> Option<&PortPackets> {
        self.packets.binary_search_by_key(&index, |p| p.index).ok().map(|at| &self.packets[at])
    }

    /// The port with that ifIndex.
    pub fn by_index(&self, index: u32) -> Option<&Port> {
        self.row(index).map(|at| &self.ports[at])
    }

    /// Where the port with that ifIndex stands.
    pub fn row(&self, index: u32) -> Option<usize> {
        self.ports.binary_search_by_key(&index, |p| p.index).ok()
    }
}
