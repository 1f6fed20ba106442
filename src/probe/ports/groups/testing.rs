//! Feeds a group as a walk would, for tests of its fold.

use super::{Group, Walk};
use crate::base::Untrusted;
use crate::model::{Equipment, Port};
use crate::probe::ports::cells::Cells;
use crate::proto::snmp::{Oid, Sink, Value};

#[derive(Debug, Default)]
pub struct Fed {
    cells: Cells,
    ports: Vec<Port>,
    before: Equipment,
}

impl Fed {
    pub fn cell(mut self, column: usize, row: &[u32], value: Value<'_>) -> Self {
        let root = Oid::from_arcs(&[1, 3]);
        let mut name = root.clone();
        for arc in row {
            name.push(*arc);
        }
        let index = name.as_raw().below(&root).expect("a row below its root");
        assert!(self.cells.cell(column, index, value), "the row is fed twice");
        self
    }

    /// The device has ports with these ifIndexes, in ascending order, named `port1` and so on.
    pub fn ports(mut self, indexes: &[u32]) -> Self {
        self.ports = indexes.iter().map(|index| port(*index)).collect();
        self
    }

    /// What the group makes of it.
    pub fn fold(self, group: &dyn Group) -> Equipment {
        let cells = self.cells.sorted();
        let mut equipment = self.before;
        let walk = Walk { ports: &self.ports };
        group.fold(&cells.view(0, 0), &walk, &mut equipment);
        equipment
    }
}

fn port(index: u32) -> Port {
    Port { index, name: Untrusted::from(format!("port{index}")), if_type: Some(6), ..Port::default() }
}
