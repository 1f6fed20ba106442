//! Device profiles: what a vendor's devices say beside the standard tables, as data. One TOML file each, shipped or the
//! user's own, read by the same code and chosen by sysObjectID and sysDescr. Here they are read, checked, put together
//! and chosen; `probe` walks what they ask for. No I/O: whoever has the files brings their texts.
//!
//! ```text
//! texts ─read→ File ─set: extends, overrides→ Profile ─choose(sysObjectID, sysDescr)→ tables, identity, quirks
//! ```

pub mod enterprise;
mod pattern;
mod read;
mod set;
mod shipped;
pub mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub use self::pattern::Pattern;
pub use self::set::{Profiles, Text};
pub use self::table::Table;
use crate::proto::snmp::Oid;

/// A profile with all that it extends.
#[derive(Debug)]
pub struct Profile {
    /// Its path below the profiles' folder, without `.toml`: `cisco/ios`.
    pub name: Arc<str>,
    pub vendor: Option<Arc<str>>,
    pub os: Option<Arc<str>>,
    pub identity: Identity,
    pub tables: Vec<Arc<Table>>,
    /// Generic groups of tables that the device is not asked for.
    pub without: Vec<Arc<str>>,
    pub quirks: Quirks,
}

/// How model, version and serial number are found.
#[derive(Debug, Default)]
pub struct Identity {
    /// What is walked for it: instances and columns.
    pub scalars: Vec<Oid>,
    /// A column's first cell with something in it counts, or the first in a row that begins so (dotted).
    pub columns: Vec<(Oid, Option<Box<str>>)>,
    pub model: Vec<Clue>,
    pub version: Vec<Clue>,
    pub serial: Vec<Clue>,
}

/// A source, its identifier replaced by its number in the lists of [`Identity`].
#[derive(Debug)]
pub enum Clue {
    /// A part of sysDescr.
    Description(Pattern),
    /// What came for one of the lists of [`Identity`].
    Answer { answer: Answer, pattern: Option<Pattern>, words: Vec<(Box<str>, Box<str>)> },
    /// Of the chassis in ENTITY-MIB.
    Entity(EntityField, Option<Pattern>),
    /// By the end of sysObjectID.
    ObjectId(Vec<(Box<str>, Box<str>)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Scalar(usize),
    Column(usize),
}

/// A source as its file has it.
#[derive(Clone, Debug)]
pub enum Source {
    Description(Pattern),
    Oid {
        oid: Oid,
        scalar: bool,
        /// Of a column: only rows that begin so, in dotted form.
        row: Option<Box<str>>,
        pattern: Option<Pattern>,
        words: Vec<(Box<str>, Box<str>)>,
    },
    Entity(EntityField, Option<Pattern>),
    ObjectId(Vec<(Box<str>, Box<str>)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityField {
    Model,
    Version,
    Serial,
}

/// What a device has to be spared, or does not do right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// At most so many rows at once.
    pub max_repetitions: Option<u16>,
    /// False: GETNEXT only.
    pub getbulk: Option<bool>,
    /// The longest wait of one try, at least.
    pub timeout: Option<Duration>,
    /// False: its 64-bit counters are wrong, the 32-bit ones count.
    pub counters64: Option<bool>,
    /// Columns of the port walk that it is not asked for.
    pub skip: Vec<Arc<str>>,
    /// Where it shows its bridges.
    pub bridge: Option<Bridge>,
}

/// How a switch shows what it bridges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bridge {
    /// One bridge, as the standards have it.
    Plain,
    /// One for each VLAN, shown to who names the VLAN with the community or as the context.
    PerVlan,
}

impl Bridge {
    pub const ALL: [Self; 2] = [Self::Plain, Self::PerVlan];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::PerVlan => "per-vlan",
        }
    }
}

/// The columns that [`Quirks::skip`] may name.
pub const SKIPPABLE: &[&str] =
    &["dot3StatsDuplexStatus", "ifAlias", "ifCounterDiscontinuityTime", "ifLastChange", "ifXTable"];
