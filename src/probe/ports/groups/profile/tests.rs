//! What the interpreter makes of single cells, and that no cell of any kind makes it stumble.

use proptest::prelude::*;

use super::super::Group;
use super::super::testing::Fed;
use crate::base::options::Problem;
use crate::model::Equipment;
use crate::model::device::{BgpState, PoeStatus, PowerSource, SensorStatus};
use crate::probe::ports::cells::Cells;
use crate::probe::ports::groups::Walk;
use crate::probe::ports::parts;
use crate::profile::{Profiles, Text};
use crate::proto::snmp::{Oid, Sink, Value};

/// What a table of that text makes of the cells; columns and scalars are numbered as they are named in the text.
fn read(table: &str, feed: impl FnOnce(Fed) -> Fed) -> Equipment {
    let text =
        Text { name: "x".to_owned(), shown: "x.toml".to_owned(), text: format!("[[table]]\nname = \"t\"\n{table}") };
    let (profiles, problems) = Profiles::with_own(vec![text]);
    assert!(problems.is_empty(), "{:?}", problems.iter().map(Problem::render).collect::<Vec<_>>());
    let table = profiles.get("x").expect("sound").tables[0].clone();
    let mut equipment = feed(Fed::default()).fold(&*table);
    parts::put(&mut equipment);
    equipment
}

#[test]
fn a_sensor_is_what_the_device_says_else_what_its_limits_say() {
    let table = r#"
[[table.sensor]]
class = "temperature"
name = ["1.3.6.1.9.1.1", "probe {index}"]
value = { oid = "1.3.6.1.9.1.2", scale = 0.1, ignore = [-1] }
status = { oid = "1.3.6.1.9.1.3", ok = [1], critical = ["failed"], absent = [9] }
limits = { high_warning = 40, high_critical = { oid = "1.3.6.1.9.1.4", scale = 0.1 } }
"#;
    // Numbers: value 0, state 1, limit 2, name 3.
    let equipment = read(table, |fed| {
        fed.cell(0, &[1], Value::Integer(383))
            .cell(0, &[2], Value::Octets(b"412 tenths"))
            .cell(0, &[3], Value::Gauge32(900))
            .cell(0, &[4], Value::Integer(-1))
            .cell(0, &[5], Value::Integer(200))
            .cell(0, &[6], Value::Integer(200))
            .cell(1, &[1], Value::Integer(1))
            .cell(1, &[5], Value::Integer(9))
            .cell(1, &[6], Value::Octets(b" FAILED\0"))
            .cell(2, &[2], Value::Integer(410))
            .cell(3, &[1], Value::Octets(b"inlet\0\0"))
            .cell(3, &[2], Value::Octets(b"  "))
    });
    let rows: Vec<_> = equipment.sensors.iter().map(|s| (s.name.line(), s.value, s.status)).collect();
    assert_eq!(
        rows,
        [
            ("inlet".to_owned(), Some(38.3), SensorStatus::Ok),
            ("probe 2".to_owned(), Some(41.2), SensorStatus::Critical),
            ("probe 3".to_owned(), Some(90.0), SensorStatus::Warning),
            ("probe 6".to_owned(), Some(20.0), SensorStatus::Critical),
        ]
    );
}

#[test]
fn pools_are_reckoned_from_what_there_is() {
    let table = r#"
[[table.memory]]
name = "pool {index}"
used = { oid = "1.3.6.1.9.1.1", scale = 1024 }
free = { oid = "1.3.6.1.9.1.2", scale = 1024 }

[[table.storage]]
name = "disk"
total = "1.3.6.1.9.3.0"
used_percent = "1.3.6.1.9.4.0"
"#;
    let equipment = read(table, |fed| {
        fed.cell(0, &[1], Value::Gauge32(10))
            .cell(1, &[1], Value::Gauge32(30))
            .cell(0, &[2], Value::Gauge32(10))
            .scalar(0, Value::Counter64(1000))
            .scalar(1, Value::Integer(25))
    });
    let size = |p: &crate::model::device::Pool| (p.name.line(), p.used_bytes, p.total_bytes);
    assert_eq!(
        equipment.memory.iter().map(size).collect::<Vec<_>>(),
        [("pool 1".to_owned(), Some(10_240), Some(40_960))]
    );
    assert_eq!(equipment.storage.iter().map(size).collect::<Vec<_>>(), [("disk".to_owned(), Some(250), Some(1000))]);
}

#[test]
fn a_port_is_found_by_index_by_value_and_by_name() {
    let table = r#"
[[table.optics]]
port = "index.2"
rx_dbm = { oid = "1.3.6.1.9.1.1", scale = 0.01 }

[[table.optics]]
port = "1.3.6.1.9.2.1"
rx_dbm = { oid = "1.3.6.1.9.2.2", convert = "mw-to-dbm", scale = 0.001 }

[[table.optics]]
port = { name = "1.3.6.1.9.3.1" }
name = "1.3.6.1.9.3.1"
rx_dbm = { oid = "1.3.6.1.9.3.2", convert = "uw-or-dbm" }
"#;
    // Columns: 0 rx; 1 ifIndex, 2 microwatts; 3 name, 4 either.
    let equipment = read(table, |fed| {
        fed.ports(&[7, 300])
            .cell(0, &[1, 300], Value::Integer(-731))
            .cell(0, &[1, 301], Value::Integer(-500))
            .cell(1, &[1], Value::Integer(7))
            .cell(2, &[1], Value::Integer(500))
            .cell(3, &[1], Value::Octets(b"port300"))
            .cell(3, &[2], Value::Octets(b"other"))
            .cell(4, &[1], Value::Integer(-250))
            .cell(4, &[2], Value::Integer(500))
    });
    let rows: Vec<_> = equipment.optics.iter().map(|o| (o.port, o.name.line(), o.rx_dbm)).collect();
    let half = 10.0 * 0.5f64.log10();
    assert_eq!(rows.len(), 5);
    assert_eq!(
        rows[..4],
        [
            (Some(300), String::new(), Some(-7.31)),
            (None, String::new(), Some(-5.0)),
            (Some(7), String::new(), Some(-3.0103)),
            (Some(300), "port300".to_owned(), Some(-2.5)),
        ]
    );
    assert!(rows[4].0.is_none() && rows[4].2.is_some_and(|rx| (rx - half).abs() < 1e-5), "{:?}", rows[4]);
}

#[test]
fn bgp_peers_of_both_families_come_with_the_prefixes_below_them() {
    let table = r#"
[[table.bgp]]
peer = "inet:index.1"
state = "1.3.6.1.9.1.1"
started = { oid = "1.3.6.1.9.1.2", yes = [2], no = [1] }
remote_as = "1.3.6.1.9.1.3"
prefixes = "1.3.6.1.9.2.1"
"#;
    let v4 = [1, 4, 192, 0, 2, 1];
    let mut v6 = vec![2, 16, 0x20, 1, 0x0d, 0xb8];
    v6.extend([0; 11]);
    v6.push(1);
    let below = |peer: &[u32], tail: [u32; 2]| [peer, &tail].concat();
    // Columns: 0 state, 1 remote AS, 2 prefixes, 3 started.
    let equipment = read(table, |fed| {
        fed.cell(0, &v4, Value::Integer(6))
            .cell(0, &v6, Value::Integer(3))
            .cell(0, &[1, 4, 192, 0, 2], Value::Integer(6))
            .cell(0, &[7, 4, 192, 0, 2, 1], Value::Integer(6))
    });
    let rows: Vec<_> = equipment.bgp.iter().map(|p| (p.peer.to_string(), p.state, p.remote_as, p.prefixes)).collect();
    assert_eq!(
        rows,
        [
            ("192.0.2.1".to_owned(), Some(BgpState::Established), None, None),
            ("2001:db8::1".to_owned(), Some(BgpState::Active), None, None),
        ]
    );
    let equipment = read(table, |fed| {
        (0..4).fold(fed.cell(0, &v4, Value::Integer(6)), |fed, column| match column {
            0 => fed,
            _ => fed.cell(column, &below(&v4, [1, 1]), Value::Gauge32(5)).cell(
                column,
                &below(&v4, [1, 128]),
                Value::Gauge32(7),
            ),
        })
    });
    assert_eq!(equipment.bgp[0].prefixes, Some(12));
}

#[test]
fn a_ups_the_power_of_ports_and_their_causes_are_read() {
    let table = r#"
[table.ups]
source = { oid = "1.3.6.1.9.1.0", mains = [2], battery = [3] }
minutes = { oid = "1.3.6.1.9.2.0", scale = 0.1, ignore = [65535] }
load = "1.3.6.1.9.3.1"

[[table.poe_port]]
port = "index.1"
watts = { oid = "1.3.6.1.9.4.1", scale = 0.001 }
status = { oid = "1.3.6.1.9.4.2", delivering = [3], searching = [2] }

[[table.err_disabled]]
port = "index.1"
cause = { oid = "1.3.6.1.9.5.1", words = { 3 = "bpduGuard" } }
none = [0]
"#;
    let equipment = read(table, |fed| {
        fed.ports(&[1, 2, 3])
            .scalar(0, Value::Integer(3))
            .scalar(1, Value::Gauge32(65_535))
            .cell(0, &[1], Value::Integer(20))
            .cell(0, &[2], Value::Integer(45))
            .cell(1, &[1], Value::Integer(4200))
            .cell(2, &[1], Value::Integer(3))
            .cell(2, &[9], Value::Integer(3))
            .cell(3, &[1], Value::Integer(0))
            .cell(3, &[2], Value::Integer(3))
            .cell(3, &[3], Value::Octets(b"loop\x1b"))
    });
    let ups = equipment.ups.as_ref().expect("a UPS");
    assert_eq!((ups.source, ups.minutes_left, ups.load_percent), (Some(PowerSource::Battery), None, Some(45.0)));
    let poe = equipment.port(1).and_then(|p| p.poe).expect("power");
    assert_eq!((poe.status, poe.watts), (PoeStatus::Delivering, Some(4.2)));
    let cause = |port| equipment.port(port).and_then(|p| p.err_disabled.as_ref()).map(|e| e.cause.to_string());
    assert_eq!((cause(1), cause(2).as_deref(), cause(3).as_deref()), (None, Some("bpduGuard"), Some("loop\\x1b")));
    assert!(equipment.port(9).is_none());
}

/// A value of any type; agents send what they like.
#[derive(Clone, Debug)]
enum Any {
    Integer(i64),
    Unsigned(u32),
    Counter64(u64),
    Octets(Vec<u8>),
    Address([u8; 4]),
    Oid(Vec<u32>),
    Null,
}

fn any_value() -> impl Strategy<Value = Any> {
    let edges = prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(-1), 0i64..20, any::<i64>()];
    prop_oneof![
        edges.prop_map(Any::Integer),
        any::<u32>().prop_map(Any::Unsigned),
        any::<u64>().prop_map(Any::Counter64),
        proptest::collection::vec(any::<u8>(), 0..24).prop_map(Any::Octets),
        "[-+]?[0-9]{0,30}\\.?[0-9]{0,3} ?[A-Z]?".prop_map(|text| Any::Octets(text.into_bytes())),
        any::<[u8; 4]>().prop_map(Any::Address),
        proptest::collection::vec(any::<u32>(), 0..6).prop_map(Any::Oid),
        Just(Any::Null),
    ]
}

fn row() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(prop_oneof![0u32..6, any::<u32>()], 1..20)
}

fn give(value: &Any, take: impl FnOnce(Value<'_>)) {
    match value {
        Any::Integer(number) => take(Value::Integer(*number)),
        Any::Unsigned(number) => take(Value::Gauge32(*number)),
        Any::Counter64(number) => take(Value::Counter64(*number)),
        Any::Octets(octets) => take(Value::Octets(octets)),
        Any::Address(octets) => take(Value::IpAddress(*octets)),
        Any::Oid(arcs) => {
            let arcs: Vec<u32> = [1, 3].iter().chain(arcs).copied().collect();
            take(Value::Oid(Oid::from_arcs(&arcs).as_raw()));
        }
        Any::Null => take(Value::Null),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_an_agent_sends_every_shipped_table_takes_it(
        values in proptest::collection::vec(any_value(), 1..12),
        names in proptest::collection::vec(row(), 1..6),
    ) {
        let ports = super::super::testing::ports(&[1, 2, 3, 5]);
        let walk = Walk { ports: &ports };
        let root = Oid::from_arcs(&[1, 3]);
        for profile in Profiles::shipped().all() {
            let mut equipment = Equipment::default();
            let groups = profile.tables.iter().map(|table| &**table as &dyn Group);
            for group in groups.chain([&profile.identity as &dyn Group]) {
                let mut cells = Cells::default();
                let mut next = values.iter().cycle();
                for scalar in 0..group.scalars().len() {
                    give(next.next().expect("endless"), |value| cells.scalar(scalar, value));
                }
                for column in 0..group.columns().len() {
                    for arcs in &names {
                        let mut name = root.clone();
                        for arc in arcs {
 name.push(*arc);
 }
                        let index = name.as_raw().below(&root).expect("below");
                        give(next.next().expect("endless"), |value| {
                            cells.cell(column, index, value);
                        });
                    }
                }
                let cells = cells.sorted();
                parts::take(&mut equipment);
                group.fold(&cells.view(0, 0), &walk, &mut equipment);
                parts::put(&mut equipment);
            }
            for sensor in &equipment.sensors {
                prop_assert!(sensor.value.is_none_or(f64::is_finite), "{}: {sensor:?}", profile.name);
            }
            for optics in &equipment.optics {
                prop_assert!(optics.port.is_none_or(|port| walk.known(port).is_some()), "{}: {optics:?}", profile.name);
            }
            prop_assert!(equipment.processors.iter().all(|p| (0.0..=100.0).contains(&p.percent)));
            prop_assert!(equipment.memory.iter().all(|p| p.used_bytes <= p.total_bytes));
        }
    }
}
