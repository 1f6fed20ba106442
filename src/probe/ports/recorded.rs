//! Recordings of real devices, walked without a network: what a walk of the ports and of every group would bring. The
//! recordings are those of snmpsim-data (see `tests/setup`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cells::Cells;
use super::groups::{Group, Walk};
use super::interfaces::Interfaces;
use super::{identity, parts};
use crate::base::Timestamp;
use crate::model::device::TablesWalked;
use crate::model::{Equipment, PortTable};
use crate::profile::Profiles;
use crate::proto::snmp::{Oid, Sink, Value};

/// The system group of every recording, by the recording's name.
pub fn systems() -> BTreeMap<String, Recording> {
    let files = std::fs::read_dir(folder()).expect("tests/setup unpacks the recordings");
    let mut all = BTreeMap::new();
    for file in files.map(|entry| entry.expect("an entry").path()) {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let recording = Recording { rows: rows(&file, &[b"1.3.6.1.2.1.1."]) };
        if !recording.rows.is_empty() {
            all.insert(name, recording);
        }
    }
    all
}

/// The lines of a file below some identifiers: `name|tag|value`, in hexadecimal where the tag ends in x.
fn rows(file: &Path, roots: &[&[u8]]) -> Vec<(Oid, Owned)> {
    let octets = std::fs::read(file).unwrap_or_else(|e| panic!("{}: {e} (tests/setup)", file.display()));
    let lines = octets.split(|octet| *octet == b'\n');
    lines.filter(|line| roots.iter().any(|root| line.starts_with(root))).filter_map(row).collect()
}

fn row(line: &[u8]) -> Option<(Oid, Owned)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut parts = line.splitn(3, |octet| *octet == b'|');
    let (name, tag, value) = (parts.next()?, parts.next()?, parts.next()?);
    let tag = std::str::from_utf8(tag).ok()?;
    let value = if tag.ends_with('x') { hexadecimal(value) } else { value.to_vec() };
    Some((oid(std::str::from_utf8(name).ok()?), Owned::read(tag.trim_end_matches('x'), &value)))
}

/// A value that owns its octets.
#[derive(Clone, Debug, PartialEq)]
pub enum Owned {
    Integer(i64),
    Octets(Vec<u8>),
    Oid(Oid),
    IpAddress([u8; 4]),
    Unsigned(u32),
    Counter64(u64),
    Null,
}

impl Owned {
    fn read(tag: &str, octets: &[u8]) -> Self {
        let text = String::from_utf8_lossy(octets);
        match tag {
            "2" => Self::Integer(text.parse().unwrap_or_default()),
            "4" | "68" => Self::Octets(octets.to_vec()),
            "6" => Self::Oid(oid(&text)),
            "64" => Self::IpAddress(octets.try_into().unwrap_or_else(|_| {
                let four: Vec<u8> = text.split('.').filter_map(|n| n.parse().ok()).collect();
                four.try_into().unwrap_or_default()
            })),
            "65" | "66" | "67" => Self::Unsigned(text.parse().unwrap_or_default()),
            "70" => Self::Counter64(text.parse().unwrap_or_default()),
            _ => Self::Null,
        }
    }

    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Integer(number) => Value::Integer(*number),
            Self::Octets(octets) => Value::Octets(octets),
            Self::Oid(oid) => Value::Oid(oid.as_raw()),
            Self::IpAddress(octets) => Value::IpAddress(*octets),
            Self::Unsigned(number) => Value::Gauge32(*number),
            Self::Counter64(number) => Value::Counter64(*number),
            Self::Null => Value::Null,
        }
    }
}

pub fn oid(dotted: &str) -> Oid {
    let arcs: Vec<u32> = dotted.trim_start_matches('.').split('.').filter_map(|arc| arc.parse().ok()).collect();
    Oid::from_arcs(&arcs)
}

/// The part of a recording that matters to a test, in the order of the recording.
#[derive(Debug)]
pub struct Recording {
    rows: Vec<(Oid, Owned)>,
}

impl Recording {
    /// A recording by its name, as `tests/setup` unpacks it.
    pub fn load(name: &str, roots: &[&str]) -> Self {
        let below: Vec<String> = roots.iter().map(|root| format!("{root}.")).collect();
        let roots: Vec<&[u8]> = below.iter().map(String::as_bytes).collect();
        let rows = rows(&folder().join(format!("{name}.snmprec")), &roots);
        assert!(!rows.is_empty(), "{name} has nothing below {below:?}");
        Self { rows }
    }

    /// What a device of which there is no recording would say: names, tags and values as a recording has them.
    pub fn of(cells: &[(&str, &str, &str)]) -> Self {
        let row = |(name, tag, value): &(&str, &str, &str)| (oid(name), Owned::read(tag, value.as_bytes()));
        Self { rows: cells.iter().map(row).collect() }
    }

    pub fn get(&self, dotted: &str) -> Option<&Owned> {
        let wanted = oid(dotted);
        self.rows.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }

    /// A cell or scalar as text.
    pub fn text(&self, dotted: &str) -> String {
        match self.get(dotted) {
            Some(Owned::Octets(octets)) => String::from_utf8_lossy(octets).trim_matches(['\0', ' ']).to_owned(),
            Some(other) => panic!("{dotted} is no text but {other:?}"),
            None => String::new(),
        }
    }

    pub fn number(&self, dotted: &str) -> Option<f64> {
        match self.get(dotted)? {
            Owned::Integer(number) => Some(*number as f64),
            Owned::Unsigned(number) => Some(f64::from(*number)),
            Owned::Counter64(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// The rows of a column in dotted form, with their values.
    pub fn column(&self, dotted: &str) -> Vec<(String, &Owned)> {
        let column = oid(dotted);
        let row = |(name, value)| -> Option<(String, &Owned)> {
            let name: &Oid = name;
            let below = name.as_raw().below(&column)?;
            let arcs: Vec<String> = below.arcs().map(|arc| arc.to_string()).collect();
            Some((arcs.join("."), value))
        };
        self.rows.iter().filter_map(|(name, value)| row((name, value))).collect()
    }

    fn feed(&self, sink: &mut dyn Sink, scalars: &[Oid], columns: &[Oid]) {
        for (at, scalar) in scalars.iter().enumerate() {
            if let Some((_, value)) = self.rows.iter().find(|(name, _)| name == scalar) {
                sink.scalar(at, value.value());
            }
        }
        for (at, column) in columns.iter().enumerate() {
            for (name, value) in &self.rows {
                if let Some(row) = name.as_raw().below(column)
                    && !sink.cell(at, row, value.value())
                {
                    break;
                }
            }
        }
    }

    /// The whole of a first look: ports, profile, every group once, and what the device is.
    pub fn look(&self, profiles: &Profiles) -> PortTable {
        let (mut sink, plan) = Interfaces::spared(25, None);
        self.feed(&mut sink, &plan.scalars, &plan.columns);
        let more = sink.more();
        self.feed_more(&mut sink, plan.columns.len(), &more);
        let mut table = sink.table(Timestamp::from_secs(1_800_000_000), Vec::new(), None);
        let object_id = table.device.object_id.clone();
        let description = table.device.description.clone();
        let has = |scalar: &Oid| self.rows.iter().any(|(name, _)| name == scalar);
        let chosen = profiles.choose(object_id.as_deref(), description.as_bytes(), has);
        table.device.profile = chosen.map(|profile| profile.name.clone());
        let mut equipment = Equipment::default();
        for group in super::groups(chosen, &table) {
            self.fold(group, &table, &mut equipment);
        }
        table.equipment = Arc::new(equipment);
        identity::name(chosen, None, &mut table);
        table.lend_duplex();
        table
    }

    fn feed_more(&self, sink: &mut dyn Sink, first: usize, columns: &[Oid]) {
        for (at, column) in columns.iter().enumerate() {
            for (name, value) in &self.rows {
                if let Some(row) = name.as_raw().below(column) {
                    sink.cell(first + at, row, value.value());
                }
            }
        }
    }

    fn fold(&self, group: &dyn Group, table: &PortTable, equipment: &mut Equipment) {
        let mut cells = Cells::default();
        self.feed(&mut cells, &group.scalars(), &group.columns());
        let cells = cells.sorted();
        parts::take(equipment);
        group.fold(&cells.view(0, 0), &Walk { ports: &table.ports }, equipment);
        parts::put(equipment);
        equipment.walked.push(TablesWalked {
            group: Arc::from(group.name()),
            at: table.collected_at,
            rows: 1,
            incomplete: None,
        });
    }
}

fn hexadecimal(digits: &[u8]) -> Vec<u8> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or_default(), 16).unwrap_or_default();
    digits.chunks(2).map(pair).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/recordings")
}
