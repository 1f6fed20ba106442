//! What a profile asks of a device and what it makes of it, compiled: identifiers are numbers in the table's own lists of
//! scalars and columns, patterns are ready, words are in their order. `probe` walks it and interprets it.

use std::sync::Arc;
use std::time::Duration;

use super::pattern::Pattern;
use crate::model::device::{EntityClass, PoeStatus, PowerSource, SensorClass, SensorStatus};
use crate::proto::snmp::Oid;

/// Scalars and columns that are walked together, at one pace.
#[derive(Debug)]
pub struct Table {
    /// As its file names it.
    pub short: Arc<str>,
    /// With the profile that it stands in: `cisco/common:fans`.
    pub name: Arc<str>,
    pub pace: Duration,
    /// Instances, with their `.0`.
    pub scalars: Vec<Oid>,
    /// Columns, without an index.
    pub columns: Vec<Oid>,
    pub readings: Vec<Reading>,
}

/// What a table's cells are read as.
#[derive(Debug)]
pub enum Reading {
    Sensor(Box<SensorReading>),
    Processor(ProcessorReading),
    Memory(PoolReading),
    Storage(PoolReading),
    Optics(Box<OpticsReading>),
    Ups(Box<UpsReading>),
    Firewall(Box<FirewallReading>),
    Tunnel(TunnelReading),
    Bgp(Box<BgpReading>),
    PoePort(PoePortReading),
    PoeBudget(PoeBudgetReading),
    ErrDisabled(ErrDisabledReading),
    Part(Box<PartReading>),
}

/// A scalar or a column, by its number in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Scalar(usize),
    Column(usize),
}

/// In which row of its column a cell is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// In the row at hand.
    Same,
    /// In the row that these arcs of the row at hand name, from 0, the last one excluded.
    Arcs(usize, usize),
    /// The same with one more arc behind them.
    ArcsThen(usize, usize, u32),
    /// In the row that the number in that cell of the row at hand names.
    Value(At),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub at: At,
    pub by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convert {
    /// Times scale, plus offset.
    Linear,
    /// The scaled value is milliwatts, the result dBm.
    MilliwattsToDbm,
    /// Above zero microwatts, below it hundredths of dBm: what Huawei's releases send under one name.
    MicrowattsOrDbm,
}

/// A number and what it has to go through.
#[derive(Clone, Debug)]
pub struct Number {
    pub cell: Cell,
    pub scale: f64,
    pub offset: f64,
    pub convert: Convert,
    /// Raw values that stand for nothing.
    pub ignore: Vec<f64>,
    /// Where the value is a text: the part of it that is the number.
    pub pattern: Option<Pattern>,
    /// The cell that says how many of the value's digits stand behind the point.
    pub decimals: Option<Cell>,
    /// The cell with the whole that the number is a part of: the result is percent.
    pub of: Option<Cell>,
    /// What is taken where this one gives nothing.
    pub or: Option<Box<Number>>,
}

impl Number {
    /// This one and its stand-ins.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |number| number.or.as_deref())
    }
}

/// A value as an agent says it.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Number(i64),
    /// Compared without regard to case and to blanks around it.
    Text(Box<str>),
}

/// A value and what it means.
#[derive(Clone, Debug)]
pub struct Words<T> {
    pub cell: Cell,
    pub rows: Vec<(Said, T)>,
    /// For what is not in `rows`.
    pub otherwise: Option<T>,
}

/// Rows that count: those in which the cell has, or has not, one of these values.
#[derive(Clone, Debug)]
pub struct Only {
    /// None: the row's index in dotted form.
    pub cell: Option<Cell>,
    pub values: Vec<Said>,
    /// Instead of values: a part of the text.
    pub pattern: Option<Pattern>,
    pub wanted: bool,
}

/// One way to name a row; the first that gives something counts.
#[derive(Debug)]
pub enum Name {
    Cell(Cell),
    /// What ENTITY-MIB calls the entity with the number that stands there.
    Entity(By),
    Template(Vec<Piece>),
    /// By the row's index in dotted form.
    ByIndex(Vec<(Box<str>, Box<str>)>),
}

#[derive(Debug)]
pub enum Piece {
    Text(Box<str>),
    Cell(Cell),
    /// The whole index in dotted form.
    Index,
    /// One arc of it, from 0.
    Arc(usize),
    /// The index as text: every arc an octet, without a length in front.
    IndexText,
}

/// What every reading of rows has.
#[derive(Debug)]
pub struct Rows {
    /// The columns whose rows are gone through: the first that has some. None: one row of scalars.
    pub leads: Vec<usize>,
    pub names: Vec<Name>,
    pub only: Vec<Only>,
    /// Where it brings rows, those of the generic tables are left out.
    pub replaces: bool,
}

/// What a sensor's state says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Is(SensorStatus),
    /// There is nothing in that place: no row.
    Absent,
}

#[derive(Debug)]
pub struct SensorReading {
    pub rows: Rows,
    pub class: SensorClass,
    /// By the name; the first that matches.
    pub classes: Vec<(Pattern, SensorClass)>,
    pub value: Option<Number>,
    pub unit: Option<&'static str>,
    pub status: Option<Words<Standing>>,
    pub limits: LimitCells,
}

#[derive(Clone, Debug)]
pub enum Limit {
    Fixed(f64),
    Read(Number),
}

#[derive(Debug, Default)]
pub struct LimitCells {
    pub low_critical: Option<Limit>,
    pub low_warning: Option<Limit>,
    pub high_warning: Option<Limit>,
    pub high_critical: Option<Limit>,
}

#[derive(Debug)]
pub struct ProcessorReading {
    pub rows: Rows,
    pub percent: Number,
    /// The number is the share that is idle.
    pub idle: bool,
}

#[derive(Debug)]
pub struct PoolReading {
    pub rows: Rows,
    pub used: Option<Number>,
    pub free: Option<Number>,
    pub total: Option<Number>,
    /// Of the total, where the device counts so.
    pub used_percent: Option<Number>,
}

/// How a row names its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortBy {
    /// This arc of the index, from 0, is the ifIndex.
    Arc(usize),
    /// The cell holds the ifIndex.
    Value(Cell),
    /// The cell holds ifName, ifDescr or ifAlias.
    Name(Cell),
    /// This arc is a bridge port.
    BridgeArc(usize),
    /// This arc is an entPhysicalIndex.
    EntityArc(usize),
}

#[derive(Debug)]
pub struct OpticsReading {
    pub rows: Rows,
    pub port: Option<PortBy>,
    pub rx: Option<Number>,
    pub tx: Option<Number>,
    pub temperature: Option<Number>,
    pub bias: Option<Number>,
    pub status: Option<Words<Standing>>,
}

#[derive(Debug)]
pub struct UpsReading {
    pub source: Option<Words<PowerSource>>,
    /// In seconds.
    pub on_battery: Option<Number>,
    pub minutes: Option<Number>,
    pub charge: Option<Number>,
    /// The heaviest where it is a column.
    pub load: Option<Number>,
    pub battery: Option<Words<SensorStatus>>,
    pub alarms: Option<Number>,
}

#[derive(Debug)]
pub struct FirewallReading {
    /// Where `ha` is a column: which row counts, the first.
    pub rows: Rows,
    /// The device's word where nothing is listed for it.
    pub ha: Option<Words<Box<str>>>,
    pub healthy: Option<Words<bool>>,
    /// Summed up where they are columns.
    pub sessions: Option<Number>,
    pub session_limit: Option<Number>,
}

#[derive(Debug)]
pub struct TunnelReading {
    pub rows: Rows,
    pub up: Words<bool>,
}

/// Where the address of a BGP peer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerBy {
    /// From this arc of the index on: type, length and octets (InetAddressType, InetAddress).
    Arcs(usize),
    /// From this arc of the index on, four arcs.
    ArcsV4(usize),
    /// An IpAddress, or 4 or 16 octets.
    Value(Cell),
}

#[derive(Debug)]
pub struct BgpReading {
    pub rows: Rows,
    pub peer: PeerBy,
    pub remote_as: Option<Number>,
    /// As in `bgpPeerState`.
    pub state: Option<Cell>,
    pub started: Option<Words<bool>>,
    /// In seconds.
    pub in_state_for: Option<Number>,
    pub transitions: Option<Number>,
    pub last_error: Option<Cell>,
    /// Summed up over the rows below the peer's.
    pub prefixes: Option<Number>,
    pub prefix_limit: Option<Number>,
}

#[derive(Debug)]
pub struct PoePortReading {
    pub rows: Rows,
    pub port: PortBy,
    pub watts: Option<Number>,
    pub status: Option<Words<PoeStatus>>,
}

#[derive(Debug)]
pub struct PoeBudgetReading {
    pub rows: Rows,
    pub watts: Option<Number>,
    pub used: Option<Number>,
    pub faulty: Option<Words<bool>>,
}

#[derive(Debug)]
pub struct ErrDisabledReading {
    pub rows: Rows,
    pub port: PortBy,
    pub cause: Words<Option<Box<str>>>,
    /// In seconds.
    pub recovers: Option<Number>,
}

/// A part with its serial number, of a device that has no ENTITY-MIB.
#[derive(Debug)]
pub struct PartReading {
    pub rows: Rows,
    pub class: EntityClass,
    /// By the name; the first that matches.
    pub classes: Vec<(Pattern, EntityClass)>,
    pub model: Option<Cell>,
    pub serial: Option<Cell>,
    pub version: Option<Cell>,
}
