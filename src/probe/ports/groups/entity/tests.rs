use super::super::testing::Fed;
use super::*;

struct Row {
    index: u32,
    class: i64,
    parent: i64,
    position: i64,
    name: &'static str,
    serial: &'static str,
}

fn entities(mut fed: Fed, rows: &[Row]) -> Fed {
    for row in rows {
        let at = &[row.index];
        fed = fed
            .cell(CLASS, at, Value::Integer(row.class))
            .cell(PARENT, at, Value::Integer(row.parent))
            .cell(POSITION, at, Value::Integer(row.position))
            .cell(NAME, at, Value::Octets(row.name.as_bytes()))
            .cell(SERIAL, at, Value::Octets(row.serial.as_bytes()));
    }
    fed
}

fn row(index: u32, class: u64, parent: i64, position: i64, name: &'static str, serial: &'static str) -> Row {
    Row { index, class: i64::try_from(class).expect("small"), parent, position, name, serial }
}

fn alias(fed: Fed, entity: u32, port: u32) -> Fed {
    let identifier = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 1, port]);
    fed.cell(ALIAS, &[entity, 0], Value::Oid(identifier.as_raw()))
}

fn stack() -> Fed {
    let fed = entities(
        Fed::default().named(&[(10101, "Gi1/0/1"), (10601, "Gi2/0/1")]),
        &[
            row(1, STACK, 0, -1, "Cat37xx Stacking", ""),
            row(1001, CHASSIS, 1, 0, "1", "FDO1622Y10H"),
            row(1002, MODULE, 1001, 0, "Switch 1 - Fixed Module 0", ""),
            row(1006, CONTAINER, 1002, 1, "Gi1/0/1 Container", ""),
            row(1018, 10, 1006, 1, "Gi1/0/1", "AGM1234"),
            row(1019, SENSOR, 1018, 1, "Gi1/0/1 Module Temperature Sensor", ""),
            row(1020, SENSOR, 1001, 1, "Inlet", ""),
            row(1021, SENSOR, 1001, 1, "RX power of Gi2/0/1", ""),
            row(1030, 7, 1001, 1, "Fan 1", ""),
            row(2001, CHASSIS, 1, 1, "Switch 2", "FDO0000000B"),
            row(2018, 10, 2001, 1, "Gi2/0/1", ""),
        ],
    );
    alias(alias(fed, 1018, 10101), 2018, 10601)
}

#[test]
fn stack_members_and_slots_come_from_what_contains_the_port() {
    let equipment = stack().fold(&GROUP);
    let of = |index| equipment.port(index).map(|p| (p.unit, p.slot));
    assert_eq!(of(10101), Some((Some(1), Some(0))));
    assert_eq!(of(10601), Some((Some(2), Some(0))));
    assert_eq!((equipment.entity_port(1018), equipment.entity_port(1019)), (Some(10101), None));
}

#[test]
fn what_has_a_serial_number_is_kept_with_what_holds_it() {
    let equipment = stack().fold(&GROUP);
    let kept: Vec<u32> = equipment.entities.iter().map(|e| e.index).collect();
    assert_eq!(kept, [1, 1001, 1002, 1006, 1018, 2001]);
    assert_eq!(equipment.chassis().map(|c| c.serial.line()).as_deref(), Some("FDO1622Y10H"));
    assert_eq!(equipment.entities[0].position, None);
}

#[test]
fn what_has_a_model_and_no_serial_number_is_kept_too() {
    let fed = entities(
        Fed::default().named(&[]),
        &[row(1, CHASSIS, 0, 0, "", "S"), row(2, 7, 1, 0, "Fan 1", ""), row(3, 7, 1, 1, "Fan 2", "")],
    );
    let equipment = fed.cell(MODEL, &[2], Value::Octets(b"FAN-T1")).fold(&GROUP);
    assert_eq!(
        equipment.entities.iter().map(|e| (e.index, e.model.line())).collect::<Vec<_>>(),
        [(1, String::new()), (2, "FAN-T1".into())]
    );
}

#[test]
fn sensors_know_their_port_by_containment_or_by_name() {
    let equipment = stack().fold(&GROUP);
    let places: Vec<_> = equipment.sensor_places.iter().map(|p| (p.entity, p.port)).collect();
    assert_eq!(places, [(1019, Some(10101)), (1020, None), (1021, Some(10601))]);
}

#[test]
fn a_name_that_begins_with_the_slot_of_its_module_names_no_stack_member() {
    let fed = entities(
        Fed::default().named(&[(7, "Gi4/0/1"), (8, "Gi4/0/2"), (9, "Te1/1")]),
        &[
            row(1, CHASSIS, 0, 0, "", "S"),
            row(4, CONTAINER, 1, 4, "", ""),
            row(40, MODULE, 4, 0, "", ""),
            row(41, 10, 40, 0, "", ""),
        ],
    );
    let equipment = alias(fed, 41, 7).fold(&GROUP);
    let of = |index| equipment.port(index).map(|p| (p.unit, p.slot));
    assert_eq!((of(7), of(9)), (Some((None, Some(4))), Some((None, Some(1)))));
}

#[test]
fn the_slot_is_the_outermost_one() {
    let fed = entities(
        Fed::default().ports(&[7]),
        &[
            row(3, CHASSIS, 0, 1, "", "S1"),
            row(100, CONTAINER, 3, 4, "Slot 4", ""),
            row(1432, MODULE, 100, 1, "Board", ""),
            row(3745, CONTAINER, 1432, 0, "SubSlot 0", ""),
            row(19693, MODULE, 3745, 1, "Virtual Board", ""),
            row(60013, 10, 19693, 1, "", ""),
        ],
    );
    let equipment = alias(fed, 60013, 7).fold(&GROUP);
    assert_eq!(equipment.port(7).map(|p| (p.unit, p.slot)), Some((None, Some(4))));
}

#[test]
fn a_circle_of_containment_ends() {
    let fed = entities(
        Fed::default().ports(&[7]),
        &[row(1, MODULE, 2, 0, "", "A"), row(2, MODULE, 1, 0, "", "B"), row(5, 10, 5, 0, "", "C")],
    );
    let equipment = alias(fed, 1, 7).fold(&GROUP);
    assert_eq!(equipment.entities.len(), 3);
}

#[test]
fn without_entities_the_names_of_ports_tell_where_they_are() {
    let names =
        [(1, "GigabitEthernet2/0/1"), (2, "GigabitEthernet2/0/2"), (3, "ge-1/0/5"), (4, "Ethernet1/1/1"), (5, "24")];
    let equipment = Fed::default().named(&names).fold(&GROUP);
    let of = |index| equipment.port(index).map(|p| (p.unit, p.slot));
    assert_eq!(of(1), Some((Some(2), Some(0))));
    assert_eq!(of(3), Some((None, Some(1))));
    assert_eq!((of(4), of(5)), (None, None));
}
