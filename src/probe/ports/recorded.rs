//! Recordings of real devices, walked without a network: what a walk of the ports and of every group would bring. The
//! recordings are those of snmpsim-data (see `tests/setup`).

use std::path::PathBuf;
use std::process::Command;
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

/// Unpacks a recording and prints the lines below the given identifiers: name, tag, value in hexadecimal.
const SCRIPT: &str = r"
import bz2, sys
path, roots = sys.argv[1], tuple(r.encode() for r in sys.argv[2:])
opened = bz2.open(path) if path.endswith('.bz2') else open(path, 'rb')
for line in opened:
    parts = line.rstrip(b'\r\n').split(b'|', 2)
    if len(parts) == 3 and (parts[0] + b'.').startswith(roots):
        name, tag, value = parts
        if tag.endswith(b'x'):
            tag = tag[:-1]
        else:
            value = value.hex().encode()
        sys.stdout.buffer.write(name + b'|' + tag + b'|' + value + b'\n')
";

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
    /// A recording by its path below the data, without the endings: `network/switch/cisco-c3750`.
    pub fn load(name: &str, roots: &[&str]) -> Self {
        let file = file(name);
        let output = Command::new("python3")
            .args(["-c", SCRIPT])
            .arg(&file)
            .args(roots.iter().map(|root| format!("{root}.")))
            .output()
            .expect("python3 is installed (tests/setup)");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("hexadecimal");
        let rows = text.lines().map(|line| {
            let mut parts = line.splitn(3, '|');
            let (name, tag, hex) = (parts.next(), parts.next(), parts.next());
            let octets = octets(hex.unwrap_or_default());
            (oid(name.unwrap_or_default()), Owned::read(tag.unwrap_or_default(), &octets))
        });
        let rows: Vec<_> = rows.collect();
        assert!(!rows.is_empty(), "{name} has nothing below {roots:?}");
        Self { rows }
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

fn octets(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or_default(), 16).unwrap_or_default();
    digits.chunks(2).map(pair).collect()
}

/// Where `tests/setup` puts them.
pub fn folder() -> PathBuf {
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/peers/snmpsim/lib");
    let versions = std::fs::read_dir(&home).into_iter().flatten().filter_map(Result::ok);
    let found = versions.map(|entry| entry.path().join("site-packages/snmpsim_data/data")).find(|path| path.is_dir());
    found.unwrap_or_else(|| panic!("no recordings below {}: run tests/setup", home.display()))
}

fn file(name: &str) -> PathBuf {
    let plain = folder().join(format!("{name}.snmprec"));
    if plain.is_file() { plain } else { folder().join(format!("{name}.snmprec.bz2")) }
}
