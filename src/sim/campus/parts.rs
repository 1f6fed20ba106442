//! ENTITY-MIB (RFC 6933), ENTITY-SENSOR-MIB (RFC 3433), HOST-RESOURCES-MIB (RFC 2790), and a UPS (RFC 1628).

use super::Campus;
use crate::proto::snmp::Oid;
use crate::sim::snmp::{Cell, More};

const ENTITY: [u32; 11] = [1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1];
const SENSOR: [u32; 10] = [1, 3, 6, 1, 2, 1, 99, 1, 1, 1];
const HOST: [u32; 7] = [1, 3, 6, 1, 2, 1, 25];
const UPS: [u32; 8] = [1, 3, 6, 1, 2, 1, 33, 1];

/// `entPhysicalClass`.
const CHASSIS: i64 = 3;
const POWER_SUPPLY: i64 = 6;
const FAN: i64 = 7;
const SENSOR_CLASS: i64 = 8;

impl Campus<'_> {
    pub(super) fn parts(&self, switch: usize, more: &mut More) {
        let serial = |part: usize| format!("SIM{:04}{part:02}", switch + 1);
        let model = format!("SIM-{}P", self.ports());
        for (index, inside, class, name, model) in [
            (1, 0, CHASSIS, "chassis", model.as_str()),
            (2, 1, POWER_SUPPLY, "power supply A", "SIM-PSU350"),
            (3, 1, POWER_SUPPLY, "power supply B", "SIM-PSU350"),
            (4, 1, FAN, "fan tray", "SIM-FAN"),
            (10, 1, SENSOR_CLASS, "inlet", ""),
            (11, 1, SENSOR_CLASS, "switching chip", ""),
            (12, 4, SENSOR_CLASS, "fan 1", ""),
        ] {
            let (serial, version) =
                if model.is_empty() { (String::new(), "") } else { (serial(index as usize), "2.4.1") };
            more.row(
                &ENTITY,
                &[index],
                [
                    (2, Cell::text(name)),
                    (4, Cell::Integer(inside)),
                    (5, Cell::Integer(class)),
                    (6, Cell::Integer(i64::from(index))),
                    (7, Cell::text(name)),
                    (9, Cell::text("")),
                    (10, Cell::text(version)),
                    (11, Cell::text(serial)),
                    (13, Cell::text(model)),
                ],
            );
        }
        let warm = i64::try_from(switch).unwrap_or(0) % 5;
        sensor(more, 10, 8, Cell::Wave { middle: 24 + warm, by: 2, period: 600 });
        sensor(more, 11, 8, Cell::Wave { middle: 52 + warm, by: 4, period: 300 });
        sensor(more, 12, 10, Cell::Wave { middle: 4_200, by: 150, period: 60 });
        load(more, Cell::Wave { middle: 18 + 3 * warm, by: 9, period: 90 });
    }

    /// Rides through the night on mains; loads and unloads a little.
    pub(super) fn ups() -> More {
        const NORMAL: i64 = 2;
        const MAINS: i64 = 3;
        let mut more = More::default();
        for (below, cell) in [
            (&[1, 1, 0][..], Cell::text("Simulated")),
            (&[1, 2, 0], Cell::text("SIM-UPS3000")),
            (&[1, 3, 0], Cell::text("1.0.7")),
            (&[2, 1, 0], Cell::Integer(NORMAL)),
            (&[2, 2, 0], Cell::Integer(0)),
            (&[2, 3, 0], Cell::Wave { middle: 42, by: 3, period: 300 }),
            (&[2, 4, 0], Cell::Integer(100)),
            (&[4, 1, 0], Cell::Integer(MAINS)),
            (&[4, 3, 0], Cell::Integer(1)),
            (&[4, 4, 1, 5, 1], Cell::Wave { middle: 38, by: 4, period: 120 }),
            (&[6, 1, 0], Cell::Gauge(0)),
        ] {
            more.add(&UPS, below, cell);
        }
        more
    }
}

/// `entPhySensorTable`: type, scale (units), precision, value, and that it works.
fn sensor(more: &mut More, entity: u32, kind: i64, value: Cell) {
    more.row(
        &SENSOR,
        &[entity],
        [(1, Cell::Integer(kind)), (2, Cell::Integer(9)), (3, Cell::Integer(0)), (4, value), (5, Cell::Integer(1))],
    );
}

/// One processor and its memory.
fn load(more: &mut More, busy: Cell) {
    let ram = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 25, 2, 1, 2]);
    more.row(
        &[&HOST[..], &[2, 3, 1]].concat(),
        &[1],
        [
            (2, Cell::Oid(ram)),
            (3, Cell::text("memory")),
            (4, Cell::Integer(1024)),
            (5, Cell::Integer(2_097_152)),
            (6, Cell::Wave { middle: 900_000, by: 40_000, period: 240 }),
        ],
    );
    more.row(&[&HOST[..], &[3, 3, 1]].concat(), &[1], [(2, busy)]);
}
