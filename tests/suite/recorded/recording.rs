//! A recorded device: the lines of a `.snmprec` file, object identifier, type and value. Read here a second time and
//! differently from how the program reads the wire, so that what is expected of it does not come from itself.

use std::collections::BTreeMap;
use std::path::Path;

/// An object identifier in arcs.
pub type Name = Vec<u32>;

#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    Integer(i64),
    Octets(Vec<u8>),
    Null,
    Oid(Name),
    IpAddress([u8; 4]),
    Counter32(u32),
    Gauge32(u32),
    TimeTicks(u32),
    Opaque(Vec<u8>),
    Counter64(u64),
}

impl Recorded {
    /// Any number that is not negative.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Integer(n) => u64::try_from(*n).ok(),
            Self::Counter32(n) | Self::Gauge32(n) | Self::TimeTicks(n) => Some(u64::from(*n)),
            Self::Counter64(n) => Some(*n),
            _ => None,
        }
    }

    pub fn octets(&self) -> Option<&[u8]> {
        if let Self::Octets(octets) = self { Some(octets) } else { None }
    }
}

#[derive(Debug)]
pub struct Recording {
    pub name: String,
    /// In the order of the file, which is that of the walk.
    pub lines: Vec<(Name, Recorded)>,
    /// Places in `lines` in the order of the names; of two lines of one name the first.
    sorted: Vec<usize>,
}

/// What the program may ask of a device that no profile knows.
pub const TREES: &[&str] = &[
    "1.0.",
    "1.2.",
    "1.3.111.",
    "1.3.6.1.2.1.1.",
    "1.3.6.1.2.1.2.",
    "1.3.6.1.2.1.4.22.",
    "1.3.6.1.2.1.4.35.",
    "1.3.6.1.2.1.10.7.",
    "1.3.6.1.2.1.14.10.",
    "1.3.6.1.2.1.15.",
    "1.3.6.1.2.1.17.",
    "1.3.6.1.2.1.25.2.3.",
    "1.3.6.1.2.1.25.3.3.",
    "1.3.6.1.2.1.31.",
    "1.3.6.1.2.1.33.",
    "1.3.6.1.2.1.47.1.",
    "1.3.6.1.2.1.99.",
    "1.3.6.1.2.1.105.",
    "1.3.6.1.4.1.9.9.23.",
    "1.3.6.1.4.1.9.9.46.1.3.1.1.4.",
    "1.3.6.1.4.1.9.9.46.1.6.",
    "1.3.6.1.4.1.9.9.68.1.2.2.",
    "1.3.6.1.4.1.9.9.91.",
    "1.3.6.1.4.1.9.9.276.1.1.2.",
    "1.3.6.1.4.1.9.9.402.",
    "1.3.6.1.4.1.9.9.548.",
    "1.3.6.1.4.1.2021.",
];

impl Recording {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}; tests/setup unpacks it", path.display()));
        let lines: Vec<(Name, Recorded)> = relevant(&text).filter_map(record).collect();
        let mut sorted: Vec<usize> = (0..lines.len()).collect();
        sorted.sort_by(|a, b| lines[*a].0.cmp(&lines[*b].0));
        sorted.dedup_by(|a, b| lines[*a].0 == lines[*b].0);
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Self { name, lines, sorted }
    }

    /// Where in `lines` a name is.
    pub fn place(&self, name: &[u32]) -> Option<usize> {
        let at = self.sorted.binary_search_by(|place| self.lines[*place].0[..].cmp(name)).ok()?;
        Some(self.sorted[at])
    }

    /// Places of the names from this one on, in their order.
    pub fn from(&self, name: &[u32]) -> impl Iterator<Item = usize> {
        let at = self.sorted.partition_point(|place| self.lines[*place].0[..] < *name);
        self.sorted[at..].iter().copied()
    }

    pub fn get(&self, name: &[u32]) -> Option<&Recorded> {
        self.place(name).map(|place| &self.lines[place].1)
    }

    /// A column by what stands behind its name.
    pub fn column(&self, root: &str) -> BTreeMap<Name, &Recorded> {
        let root = name(root).expect("a valid name");
        let below = self.from(&root).map(|place| &self.lines[place]).take_while(|line| line.0.starts_with(&root));
        below
            .filter(|(name, _)| name.len() > root.len())
            .map(|(name, value)| (name[root.len()..].to_vec(), value))
            .collect()
    }

    /// A column that is indexed by one number.
    pub fn by_number(&self, root: &str) -> BTreeMap<u32, &Recorded> {
        self.column(root)
            .into_iter()
            .filter_map(|(row, v)| if let [n] = row[..] { Some((n, v)) } else { None })
            .collect()
    }

    pub fn scalar(&self, object: &str) -> Option<&Recorded> {
        let mut name = name(object)?;
        name.push(0);
        self.get(&name)
    }
}

/// The lines of a file that are of those trees, without what surrounds them.
pub fn relevant(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = file.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| TREES.iter().any(|tree| line.starts_with(tree.as_bytes())))
}

pub fn name(text: &str) -> Option<Name> {
    text.split('.').map(|arc| arc.parse().ok()).collect()
}

/// `oid|tag|value`; values that the simulator's modules would make up are left out.
fn record(line: &[u8]) -> Option<(Name, Recorded)> {
    let mut parts = line.splitn(3, |b| *b == b'|');
    let (oid, tag, value) = (parts.next()?, parts.next()?, parts.next()?);
    let oid = name(std::str::from_utf8(oid).ok()?)?;
    let tag = std::str::from_utf8(tag).ok()?;
    if tag.contains(':') {
        return None;
    }
    let (number, is_hex) = tag.strip_suffix('x').map_or((tag, false), |number| (number, true));
    let octets = if is_hex { unhex(value)? } else { value.to_vec() };
    let text = || std::str::from_utf8(value).ok().map(str::trim);
    let unsigned = || text()?.parse::<u32>().ok();
    let recorded = match number.parse::<u32>().ok()? {
        2 => Recorded::Integer(text()?.parse().ok()?),
        4 => Recorded::Octets(octets),
        5 => Recorded::Null,
        6 => Recorded::Oid(name(text()?.trim_start_matches('.'))?),
        64 if is_hex => Recorded::IpAddress(octets.try_into().ok()?),
        64 => Recorded::IpAddress(text()?.parse::<std::net::Ipv4Addr>().ok()?.octets()),
        65 => Recorded::Counter32(unsigned()?),
        66 => Recorded::Gauge32(unsigned()?),
        67 => Recorded::TimeTicks(unsigned()?),
        68 => Recorded::Opaque(octets),
        70 => Recorded::Counter64(text()?.parse().ok()?),
        _ => return None,
    };
    Some((oid, recorded))
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
