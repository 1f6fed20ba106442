//! Which interface a local port number of LLDP-MIB is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{LOCAL, LOCAL_V2, values};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::probe::ports::cells::Tables;
use crate::probe::ports::groups::Walk;
use crate::probe::ports::groups::names::{PortNames, place};
use crate::probe::ports::groups::numbering::{Numbering, is_wire};
use crate::probe::ports::interfaces::meaningful;

/// `LldpPortIdSubtype`.
const INTERFACE_ALIAS: u64 = 1;
const MAC_ADDRESS: u64 = 3;
const NETWORK_ADDRESS: u64 = 4;

/// Local port numbers, resolved.
pub struct Places {
    ports: HashMap<u32, Option<u32>>,
    words: HashMap<u32, Untrusted>,
}

impl Places {
    /// Resolves the numbers that neighbors were heard on.
    pub fn new(tables: &Tables<'_>, numbers: BTreeSet<u32>, walk: &Walk<'_>, equipment: &Equipment) -> Self {
        let locals: HashMap<u32, Local<'_>> = locals(tables, LOCAL);
        let names = PortNames::new(walk);
        let local = |number: &u32| locals.get(number).copied().unwrap_or_default();
        let by_words: BTreeMap<u32, u32> =
            numbers.iter().filter_map(|n| Some((*n, local(n).port(*n, walk, &names)?))).collect();
        let numbering = Numbering::of_either(&numbers, &by_words, walk, equipment);
        let mut ports = HashMap::new();
        let mut words = HashMap::new();
        for number in numbers {
            let local = local(&number);
            let fits = |index: &u32| {
                let is_socket = walk.port(*index).is_some_and(|p| p.if_type.is_none_or(is_wire));
                is_socket && !local.contradicts(*index, walk)
            };
            let by_number = || numbering.port(number, walk, equipment).filter(fits);
            let port = by_words.get(&number).copied().or_else(by_number);
            ports.insert(number, port);
            if port.is_none() {
                words.insert(number, local.words(number));
            }
        }
        Self { ports, words }
    }

    /// Resolves numbers that should be ifIndexes: LLDP-V2-MIB has no others. Where the agent calls the port otherwise
    /// than that interface is called, its words count.
    pub fn of_interfaces(tables: &Tables<'_>, numbers: BTreeSet<u32>, walk: &Walk<'_>) -> Self {
        let locals: HashMap<u32, Local<'_>> = locals(tables, LOCAL_V2);
        let names = PortNames::new(walk);
        let mut places = Self { ports: HashMap::new(), words: HashMap::new() };
        for number in numbers {
            let local = locals.get(&number).copied().unwrap_or_default();
            let by_number = walk.known(number).filter(|index| !local.contradicts(*index, walk));
            let port = by_number.or_else(|| local.port(number, walk, &names));
            places.ports.insert(number, port);
            if port.is_none() {
                places.words.insert(number, local.words(number));
            }
        }
        places
    }

    pub fn port(&self, number: u32) -> Option<u32> {
        self.ports.get(&number).copied().flatten()
    }

    /// What the agent calls a port that could not be told.
    pub fn words(&self, number: u32) -> Untrusted {
        self.words.get(&number).cloned().unwrap_or_default()
    }
}

/// A row of `lldpLocPortTable`.
#[derive(Clone, Copy, Debug, Default)]
struct Local<'a> {
    subtype: Option<u64>,
    /// As it came: an address may end in zeros.
    id: Option<&'a [u8]>,
    description: Option<&'a [u8]>,
}

fn locals<'a>(tables: &Tables<'a>, first: usize) -> HashMap<u32, Local<'a>> {
    let rows = tables.rows_of(&[first, first + 1, first + 2]);
    let row_of = |row| Local {
        subtype: tables.get(first, row).and_then(values::number),
        id: tables.get(first + 1, row).and_then(values::octets_raw),
        description: tables.get(first + 2, row).and_then(values::octets),
    };
    rows.into_iter().filter_map(|row| Some((row.single()?, row_of(row)))).collect()
}

impl Local<'_> {
    /// By what the agent says of the port, surest first.
    fn port(&self, number: u32, walk: &Walk<'_>, names: &PortNames<'_>) -> Option<u32> {
        let by_text = self.text().and_then(|text| match self.subtype {
            Some(INTERFACE_ALIAS) => names.by_alias(text).or_else(|| names.by_name(text)),
            Some(NETWORK_ADDRESS) => None,
            _ => names.by_name(text),
        });
        let by_id = by_text.or_else(|| names.by_mac(self.id?));
        // "Local" often is the ifIndex in digits; where the number itself is the same, both are.
        let in_digits = || {
            let digits: u32 = std::str::from_utf8(self.text()?).ok()?.parse().ok()?;
            walk.known(digits).filter(|_| digits == number)
        };
        by_id
            .or_else(|| self.description.and_then(|d| names.by_name(d)))
            .or_else(in_digits)
            .or_else(|| self.description.and_then(|d| names.by_alias(d)))
    }

    /// Its identifier, where that is text without padding.
    fn text(&self) -> Option<&[u8]> {
        let text = meaningful(self.id?);
        (self.subtype != Some(MAC_ADDRESS) && !text.is_empty()).then_some(text)
    }

    /// The agent's name for the port ends in other numbers than those of that interface.
    fn contradicts(&self, index: u32, walk: &Walk<'_>) -> bool {
        let Some((_, said)) = self.text().and_then(place) else { return false };
        let Some(port) = walk.port(index) else { return true };
        // "Port 1" and "0/1" may be the same.
        let ends_alike = |other: &[u32]| said.iter().rev().zip(other.iter().rev()).all(|(a, b)| a == b);
        let texts = [&port.name, &port.description].into_iter();
        let places: Vec<Vec<u32>> = texts.filter_map(|text| Some(place(text.as_bytes())?.1)).collect();
        !places.is_empty() && !places.iter().any(|other| ends_alike(other))
    }

    fn words(&self, number: u32) -> Untrusted {
        match self.text().or(self.description) {
            Some(octets) => Untrusted::bounded(octets, 255),
            None => Untrusted::from(number.to_string()),
        }
    }
}
