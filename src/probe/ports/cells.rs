//! The sink of the slower tables: keeps what an agent said of each column as it came, for whoever makes sense of it
//! afterwards. Values lie in one arena; a row is named by the octets behind its column's identifier.

use std::collections::HashSet;

use crate::proto::snmp::oid::Index;
use crate::proto::snmp::{RawOid, Sink, Value};

/// A piece of the arena.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    length: u32,
}

#[derive(Clone, Copy, Debug)]
enum Stored {
    Integer(i64),
    Counter64(u64),
    /// Any other unsigned number; agents mix their types up.
    Unsigned(u32),
    Octets(Span),
    Oid(Span),
    IpAddress([u8; 4]),
    Nothing,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    index: Span,
    value: Stored,
}

#[derive(Debug, Default)]
struct Column {
    cells: Vec<Cell>,
    /// The rows so far, kept only once one came out of order: then a loop cannot be told by the last row alone.
    seen: Option<HashSet<Box<[u8]>>>,
}

/// What came, by the number that a scalar or column has in the plan.
#[derive(Debug, Default)]
pub struct Cells {
    arena: Vec<u8>,
    scalars: Vec<Option<Stored>>,
    columns: Vec<Column>,
}

impl Sink for Cells {
    fn scalar(&mut self, scalar: usize, value: Value<'_>) {
        let stored = self.store(value);
        if self.scalars.len() <= scalar {
            self.scalars.resize(scalar + 1, None);
        }
        self.scalars[scalar] = Some(stored);
    }

    fn cell(&mut self, column: usize, row: Index<'_>, value: Value<'_>) -> bool {
        if self.columns.len() <= column {
            self.columns.resize_with(column + 1, Column::default);
        }
        if !self.is_new(column, row.as_bytes()) {
            return false;
        }
        let index = self.keep(row.as_bytes());
        let value = self.store(value);
        self.columns[column].cells.push(Cell { index, value });
        true
    }
}

impl Cells {
    /// Puts the rows of each column in order, so that they can be looked up.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let arena = std::mem::take(&mut self.arena);
        for column in &mut self.columns {
            if column.seen.take().is_some() {
                column.cells.sort_by(|a, b| piece(&arena, a.index).cmp(piece(&arena, b.index)));
            }
        }
        self.arena = arena;
        self
    }

    /// The scalars from `first_scalar` and the columns from `first_column` on, numbered from 0.
    pub fn view(&self, first_scalar: usize, first_column: usize) -> Tables<'_> {
        Tables { cells: self, first_scalar, first_column }
    }

    fn is_new(&mut self, column: usize, row: &[u8]) -> bool {
        let Column { cells, seen } = &mut self.columns[column];
        if let Some(seen) = seen {
            return seen.insert(Box::from(row));
        }
        let Some(last) = cells.last() else { return true };
        if piece(&self.arena, last.index) < row {
            return true;
        }
        let mut rows: HashSet<Box<[u8]>> = cells.iter().map(|cell| Box::from(piece(&self.arena, cell.index))).collect();
        let fresh = rows.insert(Box::from(row));
        *seen = Some(rows);
        fresh
    }

    fn keep(&mut self, octets: &[u8]) -> Span {
        let span = Span { start: self.arena.len() as u32, length: octets.len() as u32 };
        self.arena.extend_from_slice(octets);
        span
    }

    fn store(&mut self, value: Value<'_>) -> Stored {
        match value {
            Value::Integer(number) => Stored::Integer(number),
            Value::Counter64(number) => Stored::Counter64(number),
            Value::Counter32(number) | Value::Gauge32(number) | Value::TimeTicks(number) => Stored::Unsigned(number),
            Value::Octets(octets) | Value::Opaque(octets) => Stored::Octets(self.keep(octets)),
            Value::Oid(oid) => Stored::Oid(self.keep(oid.as_bytes())),
            Value::IpAddress(address) => Stored::IpAddress(address),
            Value::Null | Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView | Value::Other(_) => {
                Stored::Nothing
            }
        }
    }

    fn load(&self, stored: Stored) -> Value<'_> {
        match stored {
            Stored::Integer(number) => Value::Integer(number),
            Stored::Counter64(number) => Value::Counter64(number),
            Stored::Unsigned(number) => Value::Gauge32(number),
            Stored::Octets(span) => Value::Octets(piece(&self.arena, span)),
            // It was valid when it came.
            Stored::Oid(span) => RawOid::new(piece(&self.arena, span)).map_or(Value::Null, Value::Oid),
            Stored::IpAddress(address) => Value::IpAddress(address),
            Stored::Nothing => Value::Null,
        }
    }
}

fn piece(arena: &[u8], span: Span) -> &[u8] {
    arena.get(span.start as usize..span.start as usize + span.length as usize).unwrap_or_default()
}

/// The part of a walk that belongs to one group of tables.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    cells: &'a Cells,
    first_scalar: usize,
    first_column: usize,
}

impl<'a> Tables<'a> {
    pub fn scalar(&self, scalar: usize) -> Option<Value<'a>> {
        let stored = (*self.cells.scalars.get(self.first_scalar + scalar)?)?;
        Some(self.cells.load(stored))
    }

    /// The cells of a column in the order of their rows.
    pub fn column(&self, column: usize) -> impl Iterator<Item = (Index<'a>, Value<'a>)> + use<'a> {
        let cells = self.cells;
        let rows = cells.columns.get(self.first_column + column).map_or(&[][..], |c| &c.cells[..]);
        rows.iter().map(move |cell| (Index::new(piece(&cells.arena, cell.index)), cells.load(cell.value)))
    }

    /// The cell of a column in that row.
    pub fn get(&self, column: usize, row: Index<'_>) -> Option<Value<'a>> {
        let column = self.cells.columns.get(self.first_column + column)?;
        let found = column.cells.binary_search_by(|cell| piece(&self.cells.arena, cell.index).cmp(row.as_bytes()));
        Some(self.cells.load(column.cells[found.ok()?].value))
    }

    /// The rows that any of these columns has, in order, each once: agents leave single cells out.
    pub fn rows_of(&self, columns: &[usize]) -> Vec<Index<'a>> {
        let mut rows: Vec<Index<'a>> = columns.iter().flat_map(|c| self.column(*c)).map(|(row, _)| row).collect();
        rows.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        rows.dedup();
        rows
    }

    pub fn rows(&self, column: usize) -> usize {
        self.cells.columns.get(self.first_column + column).map_or(0, |c| c.cells.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::snmp::Oid;

    fn feed(cells: &mut Cells, column: usize, rows: &[&[u32]]) -> Vec<bool> {
        let root = Oid::from_arcs(&[1, 3, 6, 1]);
        rows.iter()
            .enumerate()
            .map(|(i, arcs)| {
                let mut name = root.clone();
                for arc in *arcs {
                    name.push(*arc);
                }
                let index = name.as_raw().below(&root).expect("below its root");
                cells.cell(column, index, Value::Integer(i64::try_from(i).expect("small")))
            })
            .collect()
    }

    fn number(tables: &Tables<'_>, column: usize, arcs: &[u32]) -> Option<u64> {
        let mut name = Oid::from_arcs(&[1, 3, 6, 1]);
        for arc in arcs {
            name.push(*arc);
        }
        let index = name.as_raw().below(&Oid::from_arcs(&[1, 3, 6, 1]))?;
        tables.get(column, index)?.number()
    }

    #[test]
    fn rows_are_found_whatever_the_order_they_came_in() {
        let mut cells = Cells::default();
        assert!(feed(&mut cells, 2, &[&[5], &[300, 7], &[1], &[70_000]]).iter().all(|new| *new));
        let cells = cells.sorted();
        let tables = cells.view(0, 1);
        assert_eq!(number(&tables, 1, &[5]), Some(0));
        assert_eq!(number(&tables, 1, &[300, 7]), Some(1));
        assert_eq!(number(&tables, 1, &[1]), Some(2));
        assert_eq!(number(&tables, 1, &[70_000]), Some(3));
        assert_eq!(number(&tables, 1, &[300]), None);
        assert_eq!(tables.rows(1), 4);
        assert_eq!(tables.rows(7), 0);
    }

    #[test]
    fn a_row_that_comes_twice_is_told() {
        let mut cells = Cells::default();
        assert_eq!(feed(&mut cells, 0, &[&[1], &[2], &[2]]), [true, true, false]);
        assert_eq!(feed(&mut cells, 1, &[&[9], &[2], &[9], &[3], &[2]]), [true, true, false, true, false]);
    }

    #[test]
    fn values_come_back_as_they_went_in() {
        let oid = Oid::from_arcs(&[1, 3, 6, 1, 4, 1, 9]);
        let values = [
            Value::Integer(-5),
            Value::Counter64(u64::MAX),
            Value::Gauge32(7),
            Value::Octets(b"text"),
            Value::Oid(oid.as_raw()),
            Value::IpAddress([192, 0, 2, 1]),
        ];
        let mut cells = Cells::default();
        for (i, value) in values.iter().enumerate() {
            cells.scalar(i, *value);
        }
        let cells = cells.sorted();
        for (i, value) in values.iter().enumerate() {
            assert_eq!(cells.view(0, 0).scalar(i), Some(*value));
        }
        assert_eq!(cells.view(0, 0).scalar(99), None);
    }
}
