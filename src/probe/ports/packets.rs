//! Packet counters of the ports whose errors or discards grow: their share of the packets is what counts. Asking for these
//! few costs nothing on a healthy device, where two more columns at every walk would cost a tenth of it.

use std::time::Duration;

use super::Cost;
use crate::model::{Port, PortPackets, PortTable};
use crate::net::snmp::{Snmp, SnmpError, Target};
use crate::proto::snmp::oid::Index;
use crate::proto::snmp::{Oid, Plan, Sink, Value};

/// Ports at most in one walk; the ones with the most errors.
const MOST: usize = 40;
/// Ports in one request, of six values each.
const A_REQUEST: usize = 10;
/// Walks without another error after which a port is left alone.
const QUIET: u8 = 10;

/// Unicast, multicast and broadcast packets, received and sent: ifXTable's 64-bit columns, else ifTable's, which count
/// unicast and the rest.
const WIDE: [&[u32]; 6] = [
    &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 7],
    &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 8],
    &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 9],
    &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 11],
    &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 12],
    &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 13],
];
const NARROW: [&[u32]; 4] = [
    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 11],
    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 12],
    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 17],
    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 18],
];

/// The ports whose packets are wanted, in the order of ifIndex, and for how many walks they have been quiet.
fn wanted(before: &PortTable, table: &PortTable) -> Vec<(usize, u8)> {
    let mut grown: Vec<(u64, usize)> = Vec::new();
    let mut quiet: Vec<(usize, u8)> = Vec::new();
    for (row, port) in table.ports.iter().enumerate() {
        let same = before.ports.get(row).filter(|old| old.index == port.index);
        let Some(old) = same.or_else(|| before.by_index(port.index)) else { continue };
        let growth = growth(old, port);
        if growth > 0 {
            grown.push((growth, row));
        } else if !before.packets.is_empty()
            && let Some(asked) = before.packets(port.index).filter(|p| p.quiet < QUIET)
        {
            quiet.push((row, asked.quiet + 1));
        }
    }
    grown.sort_unstable_by(|a, b| b.cmp(a));
    let mut rows: Vec<(usize, u8)> = grown.into_iter().map(|(_, row)| (row, 0)).chain(quiet).collect();
    rows.truncate(MOST);
    rows.sort_unstable();
    rows
}

fn growth(old: &Port, new: &Port) -> u64 {
    let grown = |old: Option<u64>, new: Option<u64>| new.zip(old).map_or(0, |(new, old)| new.saturating_sub(old));
    let (old, new) = (&old.counters, &new.counters);
    grown(old.in_errors(), new.in_errors())
        + grown(old.out_errors(), new.out_errors())
        + grown(old.out_discards(), new.out_discards())
}

/// Asks for the packets of the ports that have more errors than before, and puts them into the table.
///
/// # Errors
/// The agent gave no answer; the table is as it was.
pub async fn ask(
    snmp: &Snmp,
    target: &Target,
    max_time: Duration,
    before: &PortTable,
    table: &mut PortTable,
) -> Result<Cost, SnmpError> {
    let mut cost = Cost { requests: 0, varbinds: 0, lost: 0 };
    for rows in wanted(before, table).chunks(A_REQUEST) {
        let names: Vec<Vec<Oid>> = rows.iter().map(|(row, _)| names(&table.ports[*row])).collect();
        let plan = Plan { scalars: names.concat(), max_time, ..Plan::default() };
        let answers = snmp.ask(target, plan, Values::default()).await?;
        cost.requests += answers.requests;
        cost.varbinds += answers.varbinds;
        cost.lost += answers.lost;
        let mut values = answers.sink.0.into_iter().chain(std::iter::repeat(None));
        for ((row, quiet), names) in rows.iter().zip(&names) {
            let values: Vec<Option<u64>> = values.by_ref().take(names.len()).collect();
            table.packets.push(packets(table.ports[*row].index, *quiet, &values));
        }
    }
    Ok(cost)
}

fn names(port: &Port) -> Vec<Oid> {
    let columns: &[&[u32]] = if port.counters.wide { &WIDE } else { &NARROW };
    let instance = |column: &&[u32]| {
        let mut name = Oid::from_arcs(column);
        name.push(port.index);
        name
    };
    columns.iter().map(instance).collect()
}

/// Half of the values were received, half sent; the first of each half are the unicasts, without which nothing is known.
fn packets(index: u32, quiet: u8, values: &[Option<u64>]) -> PortPackets {
    let sum = |values: &[Option<u64>]| {
        let (unicasts, others) = values.split_first()?;
        let others = others.iter().flatten().fold(0, |sum: u64, n| sum.saturating_add(*n));
        Some((*unicasts)?.saturating_add(others))
    };
    let (received, sent) = values.split_at(values.len() / 2);
    PortPackets { index, received: sum(received), sent: sum(sent), quiet }
}

/// What came, by the number of its name.
#[derive(Debug, Default)]
struct Values(Vec<Option<u64>>);

impl Sink for Values {
    fn scalar(&mut self, scalar: usize, value: Value<'_>) {
        if self.0.len() <= scalar {
            self.0.resize(scalar + 1, None);
        }
        self.0[scalar] = value.number();
    }

    fn cell(&mut self, _: usize, _: Index<'_>, _: Value<'_>) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Counters;

    fn table(errors: &[(u32, u64)], packets: Vec<PortPackets>) -> PortTable {
        let port = |(index, errors): &(u32, u64)| Port {
            index: *index,
            counters: Counters::new([None, None, Some(*errors), None, None, None], true, None),
            ..Port::default()
        };
        PortTable { ports: errors.iter().map(port).collect(), packets, ..PortTable::default() }
    }

    #[test]
    fn only_ports_with_new_errors_are_asked_and_for_a_while_after() {
        let before = table(&[(1, 5), (2, 5), (3, 5)], Vec::new());
        assert_eq!(wanted(&before, &table(&[(1, 5), (2, 5), (3, 5)], Vec::new())), []);
        assert_eq!(wanted(&before, &table(&[(1, 5), (2, 4), (3, 9), (7, 80)], Vec::new())), [(2, 0)]);
        let asked = |quiet| vec![PortPackets { index: 3, quiet, ..PortPackets::default() }];
        let same = table(&[(1, 5), (2, 5), (3, 5)], Vec::new());
        assert_eq!(wanted(&table(&[(1, 5), (2, 5), (3, 5)], asked(4)), &same), [(2, 5)]);
        assert_eq!(wanted(&table(&[(1, 5), (2, 5), (3, 5)], asked(QUIET)), &same), []);
    }

    #[test]
    fn of_many_the_worst_are_asked() {
        let rows = |errors: fn(u32) -> u64| (0..200).map(|i| (i, errors(i))).collect::<Vec<_>>();
        let found = wanted(&table(&rows(|_| 0), Vec::new()), &table(&rows(u64::from), Vec::new()));
        assert_eq!(found.len(), MOST);
        assert_eq!((found[0], found[39]), ((160, 0), (199, 0)));
    }

    #[test]
    fn packets_are_the_sum_of_their_kinds_and_none_without_unicasts() {
        let some = packets(3, 0, &[Some(10), Some(2), None, Some(7), None, None]);
        assert_eq!((some.received, some.sent), (Some(12), Some(7)));
        let none = packets(3, 0, &[None, Some(2), None, None, None, None]);
        assert_eq!((none.received, none.sent), (None, None));
        let high = packets(3, 0, &[Some(u64::MAX), Some(u64::MAX), Some(1), Some(1)]);
        assert_eq!((high.received, high.sent), (Some(u64::MAX), Some(2)));
    }
}
