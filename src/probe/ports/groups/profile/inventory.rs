//! Parts with their serial numbers, of devices that tell of them in tables of their own. Where ENTITY-MIB tells of parts, it counts,
//! unless the profile's rows replace it.

use super::values::readable;
use super::{Fold, List};
use crate::base::Untrusted;
use crate::model::device::Entity;
use crate::probe::ports::identity;
use crate::profile::table::{Cell, PartReading};

/// No word of a part is longer.
const LONGEST: usize = 255;

impl Fold<'_, '_> {
    pub(super) fn part(&mut self, reading: &PartReading) {
        let answers = self.answers;
        if !reading.rows.replaces && !answers.equipment.entities.is_empty() {
            return;
        }
        self.replaces(List::Entities, reading.rows.replaces);
        for row in answers.rows(&reading.rows) {
            let said = |cell: Option<Cell>| {
                let text = answers.value(cell?, row).and_then(readable)?;
                (!identity::is_placeholder(&text)).then(|| Untrusted::bounded(&text, LONGEST))
            };
            let (model, serial) = (said(reading.model), said(reading.serial));
            if model.is_none() && serial.is_none() {
                continue;
            }
            let name = answers.name(&reading.rows.names, row);
            let by_name = reading.classes.iter().find(|(pattern, _)| pattern.matches(name.as_bytes()));
            self.rows.entities.push(Entity {
                // Numbered when all of them are together.
                index: 0,
                class: by_name.map_or(reading.class, |(_, class)| *class),
                name,
                description: Untrusted::default(),
                model: model.unwrap_or_default(),
                serial: serial.unwrap_or_default(),
                version: said(reading.version).unwrap_or_default(),
                contained_in: 0,
                position: None,
            });
        }
    }
}
