//! Cells of a profile's table as values. Agents send numbers as texts, floats inside Opaque, placeholders and nonsense; what
//! cannot be read is `None`.

use std::collections::HashMap;

use crate::base::Untrusted;
use crate::model::{Equipment, Port};
use crate::probe::ports::cells::Tables;
use crate::profile::table::{At, By, Cell, Convert, Name, Number, Only, Piece, PortBy, Rows, Said, Words};
use crate::proto::snmp::Value;
use crate::proto::snmp::oid::Index;

/// No value has more digits behind its point.
const MOST_DECIMALS: i32 = 12;
/// Names longer than this are no names.
const LONGEST_NAME: usize = 255;

/// One table's answers, read by its profile.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'t, 'a> {
    pub tables: &'t Tables<'a>,
    /// What was walked before, for the names of physical entities.
    pub equipment: &'t Equipment,
}

/// The row at hand; none where a reading is of scalars only.
pub type Row<'a> = Option<Index<'a>>;

impl<'a> Answers<'_, 'a> {
    /// The rows of a reading that count, or the one row of its scalars.
    pub fn rows(self, rows: &Rows) -> Vec<Row<'a>> {
        let all: Vec<Row<'a>> = if rows.leads.is_empty() {
            vec![None]
        } else {
            let lead = rows.leads.iter().copied().find(|column| self.tables.rows(*column) > 0);
            lead.into_iter().flat_map(|column| self.tables.column(column)).map(|(row, _)| Some(row)).collect()
        };
        if rows.only.is_empty() {
            return all;
        }
        all.into_iter().filter(|row| rows.only.iter().all(|only| self.counts(only, *row))).collect()
    }

    fn counts(self, only: &Only, row: Row<'_>) -> bool {
        let Some(cell) = only.cell else {
            let Some(row) = row else { return false };
            return only.pattern.as_ref().is_some_and(|pattern| pattern.matches(dotted(row).as_bytes()));
        };
        let Some(value) = self.value(cell, row) else { return false };
        if let Some(pattern) = &only.pattern {
            return value.octets().is_some_and(|octets| pattern.matches(octets)) == only.wanted;
        }
        only.values.iter().any(|said| is(value, said)) == only.wanted
    }

    pub fn value(self, cell: Cell, row: Row<'_>) -> Option<Value<'a>> {
        match cell.at {
            At::Scalar(scalar) => self.tables.scalar(scalar),
            At::Column(column) => self.tables.get(column, Index::new(self.row_of(cell.by, row?)?.as_slice())),
        }
    }

    /// The octets of the row that is meant, from the row at hand.
    fn row_of(self, by: By, row: Index<'_>) -> Option<RowName<'_>> {
        Some(match by {
            By::Same => RowName::Part(row.as_bytes()),
            By::Arcs(first, last) => RowName::Part(arcs(row.as_bytes(), first, last)?),
            By::ArcsThen(first, last, arc) => {
                RowName::Made([arcs(row.as_bytes(), first, last)?, encoded(arc).as_slice()].concat())
            }
            By::Value(at) => {
                let named = integer(self.value(Cell { at, by: By::Same }, Some(row))?)?;
                RowName::Number(encoded(u32::try_from(named).ok()?))
            }
        })
    }

    pub fn number(self, number: &Number, row: Row<'_>) -> Option<f64> {
        number.all().find_map(|number| self.converted(number, row, self.value(number.cell, row)?))
    }

    /// What a value of that row comes to; `None` where the place of its point, or the whole that it is a part of, is to be read and did
    /// not come.
    fn converted(self, number: &Number, row: Row<'_>, value: Value<'_>) -> Option<f64> {
        if let Some(whole) = number.of {
            let part = converted(number, 0, value)?;
            let whole = float(self.value(whole, row)?).filter(|whole| *whole > 0.0)?;
            return Some((part / whole * 1e4).round() / 100.0).filter(|percent| (0.0..=100.0).contains(percent));
        }
        let Some(cell) = number.decimals else { return converted(number, 0, value) };
        let decimals = i32::try_from(integer(self.value(cell, row)?)?).ok()?;
        (0..=MOST_DECIMALS).contains(&decimals).then(|| converted(number, decimals, value))?
    }

    /// Every value of a column, or the one of a scalar.
    pub fn numbers(self, number: &Number) -> Vec<f64> {
        let of = |number: &Number| -> Vec<f64> {
            match number.cell.at {
                At::Scalar(scalar) => {
                    self.tables.scalar(scalar).and_then(|v| self.converted(number, None, v)).into_iter().collect()
                }
                At::Column(column) => {
                    let rows = self.tables.column(column);
                    rows.filter_map(|(row, v)| self.converted(number, Some(row), v)).collect()
                }
            }
        };
        number.all().map(of).find(|values| !values.is_empty()).unwrap_or_default()
    }

    /// The values in the rows below a row, or in the row itself.
    pub fn numbers_below(self, number: &Number, row: Row<'_>) -> Option<f64> {
        if let Some(own) = self.number(number, row) {
            return Some(own);
        }
        let At::Column(column) = number.cell.at else { return None };
        let row = self.row_of(number.cell.by, row?)?;
        let below = self.tables.column(column).filter(|(at, _)| at.as_bytes().starts_with(row.as_slice()));
        below.filter_map(|(row, value)| self.converted(number, Some(row), value)).reduce(|a, b| a + b)
    }

    pub fn word<'w, T>(self, words: &'w Words<T>, row: Row<'_>) -> Option<&'w T> {
        let value = if row.is_some() { self.value(words.cell, row)? } else { self.once(words.cell)? };
        let found = words.rows.iter().find(|(said, _)| is(value, said)).map(|(_, meaning)| meaning);
        found.or(words.otherwise.as_ref())
    }

    /// What each value of a column means, or the one of a scalar.
    pub fn words<T>(self, words: &Words<T>) -> Vec<&T> {
        match words.cell.at {
            At::Scalar(_) => self.word(words, None).into_iter().collect(),
            At::Column(column) => {
                self.tables.column(column).filter_map(|(row, _)| self.word(words, Some(row))).collect()
            }
        }
    }

    /// What is asked once: of a column, its first row.
    pub fn once(self, cell: Cell) -> Option<Value<'a>> {
        match cell.at {
            At::Scalar(scalar) => self.tables.scalar(scalar),
            At::Column(column) => self.tables.column(column).next().map(|(_, value)| value),
        }
    }

    /// The first way to name it that gives something; else its index.
    pub fn name(self, names: &[Name], row: Row<'_>) -> Untrusted {
        let found = names.iter().find_map(|name| match name {
            Name::Cell(cell) => readable(self.value(*cell, row)?),
            Name::Entity(by) => self.entity(*by, row),
            Name::Template(pieces) => self.filled(pieces, row),
            Name::ByIndex(rows) => {
                let index = dotted(row?);
                rows.iter().find(|(at, _)| **at == *index).map(|(_, name)| name.as_bytes().to_vec())
            }
        });
        match found {
            Some(name) => Untrusted::bounded(&name, LONGEST_NAME),
            None => row.map(|row| Untrusted::from(dotted(row))).unwrap_or_default(),
        }
    }

    fn entity(self, by: By, row: Row<'_>) -> Option<Vec<u8>> {
        let entity = match by {
            By::Same => row?.single()?,
            By::Arcs(first, _) | By::ArcsThen(first, ..) => row?.arcs().nth(first)?,
            By::Value(at) => u32::try_from(integer(self.value(Cell { at, by: By::Same }, row)?)?).ok()?,
        };
        let (entities, places) = (&self.equipment.entities, &self.equipment.sensor_places);
        let name = match entities.binary_search_by_key(&entity, |e| e.index) {
            Ok(at) if entities[at].name.is_empty() => &entities[at].description,
            Ok(at) => &entities[at].name,
            Err(_) => &places[places.binary_search_by_key(&entity, |p| p.entity).ok()?].name,
        };
        readable(Value::Octets(name.as_bytes()))
    }

    /// `None` where a piece of it is not there.
    fn filled(self, pieces: &[Piece], row: Row<'_>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Cell(cell) => out.extend(readable(self.value(*cell, row)?)?),
                Piece::Index => out.extend(dotted(row?).into_bytes()),
                Piece::Arc(arc) => out.extend(row?.arcs().nth(*arc)?.to_string().into_bytes()),
                Piece::IndexText => out.extend(index_text(row?)?),
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

/// Ports by what they are called, made once a fold.
#[derive(Debug)]
pub struct Ports<'a> {
    ports: &'a [Port],
    named: HashMap<&'a [u8], u32>,
}

impl<'a> Ports<'a> {
    pub fn new(ports: &'a [Port]) -> Self {
        Self { ports, named: HashMap::new() }
    }

    pub fn has(&self, index: u32) -> bool {
        self.ports.binary_search_by_key(&index, |p| p.index).is_ok()
    }

    /// ifName before ifDescr before ifAlias.
    pub fn named(&mut self, name: &[u8]) -> Option<u32> {
        if self.named.is_empty() {
            for port in self.ports {
                for text in [&port.alias, &port.description] {
                    self.named.insert(text.as_bytes(), port.index);
                }
            }
            for text in [|p: &'a Port| &p.description, |p: &'a Port| &p.name] {
                self.named.extend(self.ports.iter().map(|port| (text(port).as_bytes(), port.index)));
            }
            self.named.remove(&b""[..]);
        }
        self.named.get(name).copied()
    }

    /// The ifIndex of a row, where the device has such a port.
    pub fn of(&mut self, answers: Answers<'_, '_>, by: PortBy, row: Row<'_>) -> Option<u32> {
        let equipment = answers.equipment;
        let arc = |arc: usize| row.and_then(|row| row.arcs().nth(arc));
        let index = match by {
            PortBy::Arc(at) => arc(at),
            PortBy::Value(cell) => u32::try_from(integer(answers.value(cell, row)?)?).ok(),
            PortBy::Name(cell) => self.named(&readable(answers.value(cell, row)?)?),
            PortBy::BridgeArc(at) => equipment.bridge_port(arc(at)?),
            PortBy::EntityArc(at) => equipment.entity_port(arc(at)?),
        };
        index.filter(|index| self.has(*index))
    }
}

fn converted(number: &Number, decimals: i32, value: Value<'_>) -> Option<f64> {
    let raw = match (&number.pattern, value) {
        (Some(pattern), Value::Octets(octets)) => decimal(pattern.first(octets)?)?,
        (None, value) => float(value)?,
        (Some(_), _) => return None,
    };
    if number.ignore.iter().any(|placeholder| placeholder.total_cmp(&raw).is_eq()) {
        return None;
    }
    let scaled = (raw / 10f64.powi(decimals)).mul_add(number.scale, number.offset);
    let converted = match number.convert {
        Convert::Linear => scaled,
        Convert::MilliwattsToDbm if scaled > 0.0 => 10.0 * scaled.log10(),
        Convert::MilliwattsToDbm => return None,
        Convert::MicrowattsOrDbm if scaled > 0.0 => 10.0 * (scaled / 1000.0).log10(),
        Convert::MicrowattsOrDbm => scaled / 100.0,
    };
    // Six digits behind the point are more than any device measures, and hide what binary makes of 0.1.
    let rounded = (converted * 1e6).round() / 1e6;
    if rounded.is_finite() { Some(rounded) } else { Some(converted).filter(|c| c.is_finite()) }
}

/// Any number: of any type, as text, or as a float that net-snmp wraps into Opaque.
pub fn float(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(number as f64),
        Value::Counter32(number) | Value::Gauge32(number) | Value::TimeTicks(number) => Some(f64::from(number)),
        Value::Counter64(number) => Some(number as f64),
        Value::Octets([0x9f, 0x78, 4, rest @ ..]) | Value::Opaque([0x9f, 0x78, 4, rest @ ..]) => {
            Some(f64::from(f32::from_be_bytes(rest.try_into().ok()?))).filter(|f| f.is_finite())
        }
        Value::Octets(octets) | Value::Opaque(octets) => decimal(octets),
        _ => None,
    }
}

/// A whole number, of any type.
pub fn integer(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(number),
        Value::Octets(octets) => std::str::from_utf8(octets).ok()?.trim_matches(['\0', ' ']).parse().ok(),
        other => i64::try_from(other.number()?).ok(),
    }
}

/// The number that a text begins with: `45.3 C`, `+12`, `-3.1dBm`.
fn decimal(octets: &[u8]) -> Option<f64> {
    let start = octets.iter().position(|o| !o.is_ascii_whitespace())?;
    let text = &octets[start..];
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let digits = text[sign..].iter().take_while(|o| o.is_ascii_digit()).count();
    let mut end = sign + digits;
    if text.get(end) == Some(&b'.') {
        end += 1 + text[end + 1..].iter().take_while(|o| o.is_ascii_digit()).count();
    }
    let number = std::str::from_utf8(&text[..end]).ok()?;
    // A bare sign or point does not parse.
    number.trim_start_matches('+').trim_end_matches('.').parse().ok()
}

/// Whether an agent's value is the one that a profile names.
pub fn is(value: Value<'_>, said: &Said) -> bool {
    match said {
        Said::Number(number) => integer(value) == Some(*number),
        Said::Text(text) => value.octets().is_some_and(|octets| trimmed(octets).eq_ignore_ascii_case(text.as_bytes())),
    }
}

/// A value as text: octets without padding, numbers in digits, addresses with dots.
pub fn readable(value: Value<'_>) -> Option<Vec<u8>> {
    let text = match value {
        Value::Octets(octets) => trimmed(octets).to_vec(),
        Value::IpAddress([a, b, c, d]) => format!("{a}.{b}.{c}.{d}").into_bytes(),
        Value::Oid(oid) => oid.to_string().into_bytes(),
        Value::Integer(number) => number.to_string().into_bytes(),
        other => other.number()?.to_string().into_bytes(),
    };
    (!text.is_empty()).then_some(text)
}

/// Without blanks and NULs around it.
pub fn trimmed(octets: &[u8]) -> &[u8] {
    let padding = |o: &u8| o.is_ascii_whitespace() || *o == 0;
    let Some(start) = octets.iter().position(|o| !padding(o)) else { return &[] };
    let end = octets.iter().rposition(|o| !padding(o)).map_or(start, |at| at + 1);
    &octets[start..end]
}

/// An index in dotted form.
pub fn dotted(row: Index<'_>) -> String {
    let arcs: Vec<String> = row.arcs().map(|arc| arc.to_string()).collect();
    arcs.join(".")
}

/// An index that is a text, with or without its length in front.
fn index_text(row: Index<'_>) -> Option<Vec<u8>> {
    let octets: Vec<u8> = row.arcs().map(|arc| u8::try_from(arc).ok()).collect::<Option<_>>()?;
    let text = match octets.split_first() {
        Some((length, rest)) if usize::from(*length) == rest.len() => rest,
        _ => &octets,
    };
    (!text.is_empty()).then(|| text.to_vec())
}

/// The octets of the arcs from `first` to `last`, the last excluded.
fn arcs(octets: &[u8], first: usize, last: usize) -> Option<&[u8]> {
    let mut ends = octets.iter().enumerate().filter(|(_, octet)| **octet & 0x80 == 0).map(|(at, _)| at + 1);
    let start = if first == 0 { 0 } else { ends.nth(first - 1)? };
    let end = ends.nth(last - first - 1)?;
    octets.get(start..end)
}

/// A row's name, of another row or made of numbers.
enum RowName<'r> {
    Part(&'r [u8]),
    Number(Encoded),
    Made(Vec<u8>),
}

impl RowName<'_> {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Part(octets) => octets,
            Self::Number(number) => number.as_slice(),
            Self::Made(octets) => octets,
        }
    }
}

/// One arc in its encoding.
struct Encoded {
    octets: [u8; 5],
    start: usize,
}

impl Encoded {
    fn as_slice(&self) -> &[u8] {
        &self.octets[self.start..]
    }
}

fn encoded(arc: u32) -> Encoded {
    let mut out = Encoded { octets: [0; 5], start: 4 };
    out.octets[4] = (arc & 0x7f) as u8;
    let mut rest = arc >> 7;
    while rest > 0 {
        out.start -= 1;
        out.octets[out.start] = (rest & 0x7f) as u8 | 0x80;
        rest >>= 7;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::snmp::Oid;

    #[test]
    fn texts_begin_with_their_number() {
        for (text, want) in [
            (&b"45"[..], Some(45.0)),
            (b" 45.25 C", Some(45.25)),
            (b"-3.1dBm", Some(-3.1)),
            (b"+12.", Some(12.0)),
            (b"12 (normal)", Some(12.0)),
            (b"N/A", None),
            (b"-", None),
            (b".", None),
            (b"", None),
            (b"\xff\x00", None),
        ] {
            assert_eq!(decimal(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_float_in_an_opaque_is_read() {
        let mut octets = vec![0x9f, 0x78, 4];
        octets.extend(21.5f32.to_be_bytes());
        assert_eq!(float(Value::Octets(&octets)), Some(21.5));
        assert_eq!(float(Value::Octets(&octets[..5])), None);
    }

    #[test]
    fn arcs_are_cut_on_their_borders() {
        let root = Oid::from_arcs(&[1, 3]);
        let mut name = root.clone();
        for arc in [7, 300, 70_000, 1] {
            name.push(arc);
        }
        let index = name.as_raw().below(&root).expect("below");
        let cut = |first, last| arcs(index.as_bytes(), first, last).map(|o| Index::new(o).arcs().collect::<Vec<_>>());
        assert_eq!(cut(0, 1), Some(vec![7]));
        assert_eq!(cut(1, 3), Some(vec![300, 70_000]));
        assert_eq!(cut(3, 4), Some(vec![1]));
        assert_eq!(cut(3, 5), None);
        for arc in [0, 127, 128, 16_384, u32::MAX] {
            assert_eq!(Index::new(encoded(arc).as_slice()).single(), Some(arc));
        }
    }

    #[test]
    fn padding_is_no_text() {
        assert_eq!(trimmed(b" \0fan 1\0\0 "), b"fan 1");
        assert_eq!(trimmed(b"\0 \0"), b"");
        assert_eq!(readable(Value::Octets(b"\0")), None);
    }
}
