//! The first message each way. It has the same form in every version, so that two that do not fit can say so:
//!
//! ```text
//! "noctty\0" | version u16 | shape u64 | kind u8 | rest      (big endian)
//! kind 0  hello, from the console    rest: its build, who writes
//! kind 1  welcome, from the engine   rest: its build, its process, its user, its steady clock, its configuration, role
//! kind 2  refusal, from either       rest: why, in words
//! ```
//!
//! Only the rest of a refusal is read across versions: it is UTF-8 text and nothing else.

use std::cmp::Ordering;
use std::sync::Arc;

use super::wire::{Malformed, Names, Reader, Wire, fnv, wire};
use crate::base::{Timestamp, text};
use crate::model::{Holders, Role};
use crate::state::Attached;

/// Changes whenever the same names stand for something else; new names are seen by [`SHAPE`].
pub const VERSION: u16 = 3;
/// Which fields everything that is sent has.
pub const SHAPE: u64 = fnv(&{
    let shapes = [
        super::model::SHAPE,
        super::care::SHAPE,
        super::vitals::SHAPE,
        super::view::SHAPE,
        super::message::SHAPE,
        form::SHAPE,
    ];
    let mut bytes = [0u8; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = shapes[at / 8].to_be_bytes()[at % 8];
        at += 1;
    }
    bytes
});
const MAGIC: &[u8; 7] = b"noctty\0";
/// No first message is longer.
pub const LIMIT: usize = 16 * 1024;

/// What a console says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// `noctty 0.1.0`.
    pub build: String,
    /// Who its notes are from, by its own account.
    pub author: String,
    /// Its steady clock at this moment.
    pub now: i64,
    /// The most that it wants to be allowed.
    pub most: Role,
    pub line: Line,
}

/// What carries a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A socket of one machine.
    Near,
    /// It may be slow: what the engine says after its welcome is packed.
    Far,
}

/// What an engine says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Welcome {
    pub build: String,
    pub process: u32,
    pub user: String,
    /// Its steady clock at this moment, so that the console can reckon in its own.
    pub now: i64,
    /// The configuration that is in force there.
    pub configuration: Option<String>,
    pub role: Role,
    /// Who has which role, where roles are by lists.
    pub holders: Option<Arc<Holders>>,
    /// In whose name the console writes there.
    pub author: String,
    /// Who sits at it is wanted: several people use its account.
    pub asks: bool,
}

mod form {
    use super::{Hello, Holders, Line, Role, Welcome, wire};

    wire! {
        record Hello { build, author, now, most, line }
        record Welcome { build, process, user, now, configuration, role, holders, author, asks }
        record Holders { operate, admin }
        choice Role { View, Operate, Admin }
        choice Line { Near, Far }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum First {
    Hello(Hello),
    Welcome(Welcome),
    /// Not in these words: fit for the screen.
    Refused(String),
}

/// As `noctty --version` says it.
pub fn build() -> String {
    format!("noctty {}", env!("CARGO_PKG_VERSION"))
}

impl Welcome {
    /// Which engine it is, in words.
    pub fn who(&self) -> String {
        self.attached().who()
    }

    /// What it is to the console that was let in.
    pub fn attached(&self) -> Attached {
        // The name that was given stands before the account.
        let author = self.author.ends_with(')').then(|| self.author.as_str().into());
        Attached {
            machine: None,
            process: self.process,
            user: self.user.as_str().into(),
            role: self.role,
            holders: self.holders.clone(),
            author,
        }
    }
}

impl First {
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend(MAGIC);
        out.extend(VERSION.to_be_bytes());
        out.extend(SHAPE.to_be_bytes());
        match self {
            Self::Hello(hello) => {
                out.push(0);
                hello.put(None, out);
            }
            Self::Welcome(welcome) => {
                out.push(1);
                welcome.put(None, out);
            }
            Self::Refused(words) => {
                out.push(2);
                out.extend(words.as_bytes());
            }
        }
    }

    /// # Errors
    /// In words: what stands at the other end, and that it does not fit.
    pub fn take(bytes: &[u8]) -> Result<Self, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("what answers there is no noctty")?;
        let (version, rest) = rest.split_first_chunk().ok_or("what answers there is no noctty")?;
        let (shape, rest) = rest.split_first_chunk().ok_or("what answers there is no noctty")?;
        let (kind, rest) = rest.split_first().ok_or("what answers there is no noctty")?;
        if *kind == 2 {
            return Ok(Self::Refused(text::clean(&String::from_utf8_lossy(rest))));
        }
        let (version, shape) = (u16::from_be_bytes(*version), u64::from_be_bytes(*shape));
        if (version, shape) != (VERSION, SHAPE) {
            return Err(misfit(*kind, rest, (version, shape)));
        }
        let mut names = Names::default();
        let mut reader = Reader::new(rest, 0, &mut names);
        let first = match kind {
            0 => Hello::take(None, &mut reader).map(Self::Hello),
            1 => Welcome::take(None, &mut reader).map(Self::Welcome),
            _ => Err(Malformed("a first message is of no kind")),
        };
        first.map_err(|error| error.to_string())
    }
}

/// What is wrong with the other side's first message, and what to do. Its build comes first in every version; whatever stands
/// there instead is not believed to be one.
fn misfit(kind: u8, rest: &[u8], (version, shape): (u16, u64)) -> String {
    let mut names = Names::default();
    let said = String::take(None, &mut Reader::new(rest, 0, &mut names)).unwrap_or_default();
    let numbered = |said: &String| said.starts_with("noctty ") && said.len() < 40;
    let theirs = Some(text::clean(&said)).filter(numbered).unwrap_or_else(|| "another noctty".to_owned());
    let (theirs, ours) =
        (format!("{theirs} (form {version}.{shape:08x})"), format!("{} (form {VERSION}.{SHAPE:08x})", build()));
    // By the form first: it never goes back.
    let order = version.cmp(&VERSION).then(match (numbers(&said), numbers(&build())) {
        (Some(theirs), Some(ours)) => theirs.cmp(&ours),
        _ => Ordering::Equal,
    });
    let (engine, console, order) = if kind == 0 { (ours, theirs, order.reverse()) } else { (theirs, ours, order) };
    let then = "then end the engine and start it anew (noctty collect, or the console that polls)";
    let what = match order {
        Ordering::Less => format!("the engine is the older one: install the console's build where it runs, {then}"),
        Ordering::Greater => "the console is the older one: install the engine's build where it runs".to_owned(),
        Ordering::Equal => format!("which is older cannot be told: install one and the same on both sides, {then}"),
    };
    format!("the two are of different builds: the engine is {engine}, the console {console}; {what}")
}

/// The version in the name of a build; nothing where there is none.
fn numbers(build: &str) -> Option<Vec<u64>> {
    let numbers = build.strip_prefix("noctty ")?.split('.').map_while(|one| one.parse().ok());
    Some(numbers.collect()).filter(|numbers: &Vec<u64>| !numbers.is_empty())
}

impl Wire for i64 {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        self.cast_unsigned().put(None, out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        u64::take(None, from).map(u64::cast_signed)
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

/// What is to be added to the engine's times: both clocks at the moment in the middle of the exchange.
pub fn shift(asked: Timestamp, answered: Timestamp, theirs: i64) -> i64 {
    (asked.0 + (answered.0 - asked.0) / 2).saturating_sub(theirs)
}
