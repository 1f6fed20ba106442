//! What a device says beside its ports: rows of any table, made once and answered in the order of their names. For networks of
//! the size of a demo; devices without any cost nothing.

use std::sync::atomic::Ordering;

use super::Device;
use crate::proto::snmp::{Oid, Value};

/// A value, fixed or made of the moment.
#[derive(Clone, Debug)]
pub enum Cell {
    Integer(i64),
    Gauge(u32),
    Counter(u32),
    Text(Box<[u8]>),
    Oid(Oid),
    Address([u8; 4]),
    Ticks(u32),
    /// Round `middle`, up and down by `by` within `period` seconds.
    Wave {
        middle: i64,
        by: i64,
        period: u32,
    },
    /// Seconds since the agent started.
    Uptime,
    /// `inside` from second `from` to `to` of every `round`, else `outside`.
    Within {
        from: u32,
        to: u32,
        round: u32,
        inside: i64,
        outside: i64,
    },
    /// Seconds since such a value changed last.
    Since {
        from: u32,
        to: u32,
        round: u32,
    },
    /// By the link of a port of the device, counted from 0.
    Link {
        port: u32,
        up: i64,
        down: i64,
    },
    /// Octets of several ports together: 0 received, 1 sent.
    Octets {
        ports: Box<[u32]>,
        direction: u64,
        wide: bool,
    },
    /// 1 while any of the ports has a link, else 2.
    AnyUp(Box<[u32]>),
}

impl Cell {
    pub fn text(words: impl Into<String>) -> Self {
        Self::Text(words.into().into_bytes().into())
    }

    pub fn mac(mac: [u8; 6]) -> Self {
        Self::Text(Box::from(mac))
    }

    pub(super) fn value<'a>(&'a self, device: &Device, now: i64) -> Value<'a> {
        let second = now.div_euclid(1000);
        let is_up = |port: u32| device.ports.get(port as usize).is_some_and(super::Port::is_up);
        match self {
            Self::Integer(n) => Value::Integer(*n),
            Self::Gauge(n) => Value::Gauge32(*n),
            Self::Counter(n) => Value::Counter32(*n),
            Self::Text(text) => Value::Octets(text),
            Self::Oid(oid) => Value::Oid(oid.as_raw()),
            Self::Address(octets) => Value::IpAddress(*octets),
            Self::Ticks(n) => Value::TimeTicks(*n),
            Self::Wave { middle, by, period } => {
                let turn = second.rem_euclid(i64::from(*period)) as f64 / f64::from(*period);
                Value::Integer(middle + (*by as f64 * (turn * std::f64::consts::TAU).sin()).round() as i64)
            }
            Self::Uptime => Value::Gauge32(u32::try_from(device.uptime(now) / 1000).unwrap_or(u32::MAX)),
            Self::Within { from, to, round, inside, outside } => {
                let at = second.rem_euclid(i64::from(*round));
                let is_inside = (i64::from(*from)..i64::from(*to)).contains(&at);
                Value::Integer(if is_inside { *inside } else { *outside })
            }
            Self::Since { from, to, round } => {
                let at = second.rem_euclid(i64::from(*round));
                let edges = [i64::from(*to), i64::from(*from), i64::from(*to) - i64::from(*round)];
                let last = edges.into_iter().find(|edge| *edge <= at).unwrap_or(at);
                Value::Gauge32(u32::try_from(at - last).unwrap_or(0))
            }
            Self::Link { port, up, down } => Value::Integer(if is_up(*port) { *up } else { *down }),
            Self::Octets { ports, direction, wide } => {
                let sum = ports.iter().map(|port| device.octets(*port, *direction, now)).fold(0u64, u64::wrapping_add);
                if *wide { Value::Counter64(sum) } else { Value::Counter32(sum as u32) }
            }
            Self::AnyUp(ports) => Value::Integer(if ports.iter().any(|port| is_up(*port)) { 1 } else { 2 }),
        }
    }
}

/// Everything that one device says beside its ports, and which of its ports something hangs on.
#[derive(Clone, Debug, Default)]
pub struct More {
    rows: Vec<(Oid, Cell)>,
    occupied: Vec<u32>,
}

impl More {
    /// Adds the instance of a column, or a scalar with the index 0.
    pub fn add(&mut self, column: &[u32], index: &[u32], cell: Cell) {
        let mut oid = Oid::from_arcs(column);
        for arc in index {
            oid.push(*arc);
        }
        self.rows.push((oid, cell));
    }

    /// Several columns of one row: the entry, then column numbers with their cells.
    pub fn row(&mut self, entry: &[u32], index: &[u32], cells: impl IntoIterator<Item = (u32, Cell)>) {
        for (column, cell) in cells {
            let mut oid = Oid::from_arcs(entry);
            oid.push(column);
            for arc in index {
                oid.push(*arc);
            }
            self.rows.push((oid, cell));
        }
    }

    /// A port, counted from 0, that something is plugged into.
    pub fn occupy(&mut self, port: u32) {
        self.occupied.push(port);
    }

    /// In the order of names; of two of one name the first stays.
    pub(super) fn sorted(mut self) -> (Box<[(Oid, Cell)]>, Vec<u32>) {
        self.rows.sort_by(|a, b| a.0.as_raw().cmp(&b.0.as_raw()));
        self.rows.dedup_by(|later, earlier| later.0.as_bytes() == earlier.0.as_bytes());
        (self.rows.into(), self.occupied)
    }
}

impl Device {
    /// Octets that a port has carried: 0 received, 1 sent.
    pub(super) fn octets(&self, port: u32, direction: u64, now: i64) -> u64 {
        let Some(state) = self.ports.get(port as usize) else { return 0 };
        let share = 1 + super::mib::mix(self.spec.seed ^ u64::from(port) << 8 ^ direction) % 400;
        let own = if super::mib::is_uplink(port, self.spec.ports) { 10_000 } else { 1000 };
        // Mbit/s x ‰ / 8 = 125 octets a second.
        (state.lit(now, self.uptime(now)) as u64).saturating_mul(own * share) / 8
    }

    /// Plugs something in before anybody has asked.
    pub(super) fn occupy(&self, port: u32) {
        if let Some(port) = self.ports.get(port as usize) {
            port.link_down.store(false, Ordering::Relaxed);
            port.admin_down.store(false, Ordering::Relaxed);
        }
    }
}
