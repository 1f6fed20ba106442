use std::sync::Arc;

use super::super::testing::Fed;
use super::*;
use crate::base::Timestamp;
use crate::model::device::{Limits, SensorClass, TablesWalked};
use crate::proto::snmp::Value;

fn place(entity: u32, name: &str, port: Option<u32>) -> SensorPlace {
    SensorPlace { entity, name: name.into(), port }
}

fn device(places: Vec<SensorPlace>) -> Fed {
    let walked = TablesWalked { group: "entity".into(), at: Timestamp::from_secs(0), rows: 9, incomplete: None };
    Fed::default().before(|e| {
        e.walked = vec![walked];
        e.sensor_places = Arc::from(places);
    })
}

fn sensor(fed: Fed, first: usize, index: u32, [kind, scale, precision, value, status]: [i64; 5]) -> Fed {
    let row = &[index];
    fed.cell(first + TYPE, row, Value::Integer(kind))
        .cell(first + SCALE, row, Value::Integer(scale))
        .cell(first + PRECISION, row, Value::Integer(precision))
        .cell(first + VALUE, row, Value::Integer(value))
        .cell(first + STATUS, row, Value::Integer(status))
}

fn threshold(fed: Fed, sensor: u32, number: u32, [severity, relation, value, evaluation]: [i64; 4]) -> Fed {
    let row = &[sensor, number];
    fed.cell(THRESHOLD, row, Value::Integer(severity))
        .cell(THRESHOLD + 1, row, Value::Integer(relation))
        .cell(THRESHOLD + 2, row, Value::Integer(value))
        .cell(THRESHOLD + 3, row, Value::Integer(evaluation))
}

#[test]
fn values_have_their_scale_and_precision() {
    let mut fed = device(vec![place(1, "Cpu temp sensor", None)]);
    for (index, row, want) in [
        (1, [8, 9, 1, 282, 1], 28.2),
        (2, [3, 8, 0, 3243, 1], 3.243),
        (3, [14, 9, 1, -32, 1], -3.2),
        (4, [10, 9, 0, 4618, 1], 4618.0),
        (5, [7, 11, 0, 2, 1], 2e6),
        (6, [5, 8, 2, 509, 1], 0.00509),
    ] {
        fed = sensor(fed, STANDARD, index, row);
        let _ = want;
    }
    let sensors = fed.fold(&GROUP).sensors;
    let read: Vec<_> = sensors.iter().map(|s| (s.class, s.value, s.unit)).collect();
    assert_eq!(
        read,
        [
            (SensorClass::Temperature, Some(28.2), None),
            (SensorClass::Voltage, Some(3.243), None),
            (SensorClass::Other, Some(-3.2), Some("dbm")),
            (SensorClass::Fan, Some(4618.0), None),
            (SensorClass::Other, Some(2e6), Some("hertz")),
            (SensorClass::Current, Some(0.00509), None),
        ]
    );
    assert_eq!((sensors[0].name.line(), sensors[1].name.line()), ("Cpu temp sensor".into(), "sensor 2".into()));
    assert!(sensors.iter().all(|s| s.status == SensorStatus::Ok));
}

#[test]
fn what_a_sensor_cannot_say_is_no_value() {
    let mut fed = device(Vec::new());
    for (index, row) in (1..).zip([
        [8, 9, 0, 37, 3],
        [8, 9, 0, -127, 1],
        [8, 9, 0, 1_000_000_000, 1],
        [9, 9, 0, 300, 1],
        [10, 9, 0, -1, 1],
        [8, 0, 0, 30, 1],
        [8, 9, 99, 30, 1],
        [8, 9, 0, 30, 7],
    ]) {
        fed = sensor(fed, STANDARD, index, row);
    }
    fed = fed.cell(STANDARD + TYPE, &[9], Value::Integer(8)).cell(STANDARD + VALUE, &[9], Value::Octets(b"hot"));
    let sensors = fed.fold(&GROUP).sensors;
    let values: Vec<_> = sensors.iter().map(|s| s.value).collect();
    assert_eq!(values, [None, None, None, None, None, None, None, Some(30.0), None]);
    let statuses: Vec<_> = sensors.iter().map(|s| s.status).collect();
    assert_eq!(statuses[0], SensorStatus::Unavailable);
    assert!(statuses[1..].iter().all(|s| *s == SensorStatus::Unknown), "{statuses:?}");
}

#[test]
fn the_devices_own_verdict_counts_before_the_limits() {
    let mut fed = device(Vec::new());
    for index in 1..=4 {
        fed = sensor(fed, CISCO, index, [8, 9, 0, 70, if index == 4 { 3 } else { 1 }]);
        fed = threshold(fed, index, 1, [10, 4, 58, i64::from(index % 2) + 1]);
        fed = threshold(fed, index, 2, [20, 4, 67, if index == 2 { 1 } else { 2 }]);
    }
    // Rows that nobody filled in.
    fed = threshold(fed, 1, 3, [1, 1, 3630, 0]);
    fed = threshold(fed, 1, 4, [20, 2, 5, 2]);
    let sensors = fed.fold(&GROUP).sensors;
    let statuses: Vec<_> = sensors.iter().map(|s| s.status).collect();
    assert_eq!(statuses, [SensorStatus::Ok, SensorStatus::Critical, SensorStatus::Ok, SensorStatus::Unavailable]);
    let limits =
        Limits { low_critical: Some(5.0), high_warning: Some(58.0), high_critical: Some(67.0), low_warning: None };
    assert_eq!(sensors[0].limits, limits);
}

#[test]
fn states_have_no_number_and_ciscos_table_counts_before_the_standard_one() {
    let mut fed = device(vec![place(15, "Fan-tray 1", None)]);
    fed = sensor(fed, CISCO, 15, [12, 9, 0, 1, 1]);
    fed = threshold(fed, 15, 1, [10, 5, 2, 2]);
    fed = sensor(fed, CISCO, 16, [14, 9, 1, -60, 1]);
    fed = sensor(fed, STANDARD, 16, [1, 9, 1, -60, 1]);
    let sensors = fed.fold(&GROUP).sensors;
    assert_eq!((sensors[0].class, sensors[0].value, sensors[0].status), (SensorClass::State, None, SensorStatus::Ok));
    assert_eq!((sensors[1].value, sensors[1].unit), (Some(-6.0), Some("dbm")));
}

#[test]
fn sensors_of_a_port_make_up_its_optics() {
    let mut fed = device(vec![
        place(1, "DOM RX Power Sensor for Ethernet5", Some(5)),
        place(2, "DOM TX Power Sensor for Ethernet5", Some(5)),
        place(3, "DOM TX Bias Sensor for Ethernet5", Some(5)),
        place(4, "DOM Temperature Sensor for Ethernet5", Some(5)),
        place(5, "Gi0/1 Module Temperature Sensor", Some(6)),
        place(6, "Te3/1 Receive Power Sensor", Some(7)),
        place(7, "Te3/1 Lane 2 Receive Power Sensor", Some(7)),
        place(8, "Inlet", None),
    ]);
    for (index, row) in (1..).zip([
        [6, 8, 4, 4025, 1],
        [6, 8, 4, 0, 1],
        [5, 8, 2, 509, 1],
        [8, 9, 1, 310, 1],
        [8, 9, 0, 40, 1],
        [14, 9, 1, -26, 1],
        [14, 9, 1, -310, 1],
        [8, 9, 0, 20, 1],
    ]) {
        fed = sensor(fed, STANDARD, index, row);
    }
    fed = threshold(fed, 7, 1, [20, 2, -200, 1]);
    let equipment = fed.fold(&GROUP);
    let [first, second] = &equipment.optics[..] else { panic!("two: {:?}", equipment.optics) };
    assert_eq!((first.port, first.rx_dbm, first.tx_dbm), (Some(5), Some(-3.95), None));
    assert_eq!((first.bias_ma, first.temperature_c, first.status), (Some(5.09), Some(31.0), SensorStatus::Ok));
    assert_eq!((second.port, second.rx_dbm, second.status), (Some(7), Some(-31.0), SensorStatus::Critical));
    assert_eq!(equipment.sensors.len(), 8);
}

#[test]
fn before_the_names_are_known_nothing_is_told() {
    let fed = sensor(Fed::default(), STANDARD, 1, [8, 9, 0, 30, 1]);
    assert_eq!(fed.fold(&GROUP).sensors, []);
}
