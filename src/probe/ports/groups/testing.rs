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
        self.ports = ports(indexes);
        self
    }

    pub fn scalar(mut self, scalar: usize, value: Value<'_>) -> Self {
        self.cells.scalar(scalar, value);
        self
    }

    /// Changes the port with this ifIndex.
    pub fn port(mut self, index: u32, change: impl FnOnce(&mut Port)) -> Self {
        change(self.ports.iter_mut().find(|p| p.index == index).expect("one of the ports"));
        self
    }

    /// Ports with these names.
    pub fn named(mut self, names: &[(u32, &str)]) -> Self {
        self.ports = names.iter().map(|(index, name)| Port { name: Untrusted::from(*name), ..port(*index) }).collect();
        self
    }

    /// What other groups brought before.
    pub fn before(mut self, change: impl FnOnce(&mut Equipment)) -> Self {
        change(&mut self.before);
        self
    }

    pub fn into_cells(self) -> std::sync::Arc<Cells> {
        std::sync::Arc::new(self.cells.sorted())
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

pub fn ports(indexes: &[u32]) -> Vec<Port> {
    indexes.iter().map(|index| port(*index)).collect()
}

fn port(index: u32) -> Port {
    Port { index, name: Untrusted::from(format!("port{index}")), if_type: Some(6), ..Port::default() }
}
