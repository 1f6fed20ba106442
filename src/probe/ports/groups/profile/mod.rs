//! A profile's tables as groups: walked as they say, and their cells made into sensors, pools, optics and the rest by one
//! interpreter. Whatever an agent sends, a reading brings a row, or none.
//!
//! What a table brings stands behind the generic tables' rows (see [`super::super::parts`]); where a reading `replaces`, those
//! go as soon as it has rows of its own.

mod inventory;
mod optics;
mod routing;
mod sensors;
mod supply;
#[cfg(test)]
mod tests;
mod values;

use std::time::Duration;

use self::values::{Answers, Ports, readable};
use super::{Group, Walk};
use crate::base::Untrusted;
use crate::model::device::{PortPatch, ProfileRows};
use crate::model::{Device, Equipment};
use crate::probe::ports::cells::Tables;
use crate::probe::ports::parts;
use crate::profile::table::Reading;
use crate::profile::{Identity, Table};
use crate::proto::snmp::Oid;

/// The place of each list in [`ProfileRows::replaces`].
pub use crate::probe::ports::parts::List;

impl Group for Table {
    fn name(&self) -> &str {
        &self.name
    }

    fn pace(&self) -> Duration {
        self.pace
    }

    fn applies(&self, _: &Device) -> bool {
        true
    }

    fn scalars(&self) -> Vec<Oid> {
        self.scalars.clone()
    }

    fn columns(&self) -> Vec<Oid> {
        self.columns.clone()
    }

    fn fold(&self, tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
        let mut fold = Fold {
            answers: Answers { tables, equipment },
            ports: Ports::new(walk.ports),
            rows: ProfileRows::default(),
        };
        for reading in &self.readings {
            fold.read(reading);
        }
        let rows = fold.rows;
        parts::set(equipment, &self.name, rows);
    }
}

/// A fold under way.
struct Fold<'t, 'a> {
    answers: Answers<'t, 'a>,
    ports: Ports<'t>,
    rows: ProfileRows,
}

impl Fold<'_, '_> {
    fn read(&mut self, reading: &Reading) {
        match reading {
            Reading::Sensor(reading) => self.sensor(reading),
            Reading::Processor(reading) => self.processor(reading),
            Reading::Memory(reading) => {
                let pools = self.pool(reading);
                self.replaces(List::Memory, reading.rows.replaces);
                self.rows.memory.extend(pools);
            }
            Reading::Storage(reading) => {
                let pools = self.pool(reading);
                self.replaces(List::Storage, reading.rows.replaces);
                self.rows.storage.extend(pools);
            }
            Reading::Optics(reading) => self.optics(reading),
            Reading::Ups(reading) => self.ups(reading),
            Reading::Firewall(reading) => self.firewall(reading),
            Reading::Tunnel(reading) => self.tunnel(reading),
            Reading::Bgp(reading) => self.bgp(reading),
            Reading::PoePort(reading) => self.poe_port(reading),
            Reading::PoeBudget(reading) => self.poe_budget(reading),
            Reading::ErrDisabled(reading) => self.err_disabled(reading),
            Reading::Part(reading) => self.part(reading),
        }
    }

    fn replaces(&mut self, list: List, replaces: bool) {
        self.rows.replaces[list as usize] |= replaces;
    }

    fn patch(&mut self, port: u32, change: impl FnOnce(&mut PortPatch)) {
        let at = match self.rows.ports.binary_search_by_key(&port, |(index, _)| *index) {
            Ok(at) => at,
            Err(at) => {
                self.rows.ports.insert(at, (port, PortPatch::default()));
                at
            }
        };
        change(&mut self.rows.ports[at].1);
    }
}

/// How long model, version and serial number are good for.
const IDENTITY_PACE: Duration = Duration::from_secs(900);

impl Group for Identity {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn pace(&self) -> Duration {
        IDENTITY_PACE
    }

    fn applies(&self, _: &Device) -> bool {
        !self.scalars.is_empty() || !self.columns.is_empty()
    }

    fn scalars(&self) -> Vec<Oid> {
        self.scalars.clone()
    }

    fn columns(&self) -> Vec<Oid> {
        self.columns.iter().map(|(oid, _)| oid.clone()).collect()
    }

    /// What did not come this time stays as it was.
    fn fold(&self, tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
        let known = &mut equipment.profile.identity;
        known.resize(self.scalars.len() + self.columns.len(), Untrusted::default());
        let scalars = (0..self.scalars.len()).map(|scalar| tables.scalar(scalar).and_then(readable));
        let columns = self.columns.iter().enumerate().map(|(column, (_, row))| {
            let starts = |index: &str| {
                row.as_ref().is_none_or(|row| {
                    index.strip_prefix(&**row).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                })
            };
            let mut cells = tables.column(column).filter(|(index, _)| starts(&values::dotted(*index)));
            cells.find_map(|(_, value)| readable(value))
        });
        for (place, found) in known.iter_mut().zip(scalars.chain(columns)) {
            if let Some(text) = found {
                *place = Untrusted::new(text);
            }
        }
    }
}
