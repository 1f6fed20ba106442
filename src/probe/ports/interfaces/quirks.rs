//! What agents in the field send in place of what they should, one test each.

use super::*;
use crate::model::device::{PortFacts, TablesWalked};
use crate::probe::ports::parts;

const AT: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A device that is fed cell by cell.
#[derive(Default)]
struct Agent(Interfaces);

impl Agent {
    fn cell(mut self, column: C, index: u32, value: Value<'_>) -> Self {
        let root = column.oid();
        let mut name = root.clone();
        name.push(index);
        let fresh = self.0.cell(column as usize, name.as_raw().below(&root).expect("a cell"), value);
        assert!(fresh, "{column:?}.{index} is fed twice");
        self
    }

    fn up(self, index: u32) -> Self {
        self.cell(C::OperStatus, index, Value::Integer(1))
    }

    fn name(self, index: u32, name: &str) -> Self {
        self.cell(C::Name, index, Value::Octets(name.as_bytes()))
    }

    fn scalar(mut self, scalar: usize, value: Value<'_>) -> Self {
        self.0.scalar(scalar, value);
        self
    }

    fn table(self) -> PortTable {
        self.0.table(AT, Vec::new(), None)
    }

    /// The only port.
    fn port(self) -> Port {
        let table = self.table();
        assert_eq!(table.ports.len(), 1);
        table.ports[0].clone()
    }

    fn after(self, before: &PortTable, seconds: u64) -> PortTable {
        self.0.table(AT.plus(Duration::from_secs(seconds)), Vec::new(), Some(before))
    }
}

#[test]
fn without_if_x_table_the_rest_is_there_and_the_narrow_counters_are_asked_for() {
    let mut agent = Agent::default().up(1).cell(C::Descr, 1, Value::Octets(b"Ethernet1"));
    agent = agent.cell(C::Speed, 1, Value::Gauge32(100_000_000));
    assert_eq!(agent.0.more().len(), 2);
    agent = agent.cell(C::InOctets, 1, Value::Counter32(7)).cell(C::OutOctets, 1, Value::Counter32(8));
    let table = agent.table();
    let port = &table.ports[0];
    assert!(port.name.is_empty() && port.alias.is_empty());
    assert_eq!(port.label().line(), "Ethernet1");
    assert_eq!(port.speed_bps, Some(100_000_000));
    assert_eq!((port.counters.in_octets(), port.counters.out_octets(), port.counters.wide), (Some(7), Some(8), false));
    assert!(table.complete);
}

#[test]
fn an_agent_without_any_interfaces_says_so() {
    let table = Agent::default().scalar(4, Value::Octets(b"ups")).table();
    assert!(table.ports.is_empty() && table.complete);
    assert_eq!(table.warnings, ["the agent has no ifTable"]);
    assert_eq!(table.device.name.line(), "ups");
}

#[test]
fn one_wide_counter_is_better_than_none() {
    let port = Agent::default().up(1).cell(C::HcInOctets, 1, Value::Counter64(9)).port();
    assert_eq!((port.counters.in_octets(), port.counters.out_octets(), port.counters.wide), (Some(9), None, true));
    let agent = Agent::default().up(1).cell(C::HcInOctets, 1, Value::Counter64(9));
    let both = agent.cell(C::InOctets, 1, Value::Counter32(7)).cell(C::OutOctets, 1, Value::Counter32(8)).port();
    assert_eq!((both.counters.in_octets(), both.counters.out_octets(), both.counters.wide), (Some(7), Some(8), false));
}

#[test]
fn rows_that_one_of_the_tables_has_not_are_ports_with_holes() {
    let table = Agent::default().up(1).name(2, "Gi2").cell(C::Duplex, 3, Value::Integer(3)).table();
    let indexes: Vec<u32> = table.ports.iter().map(|p| p.index).collect();
    assert_eq!(indexes, [1, 2], "duplex alone makes no interface");
    assert_eq!((table.ports[1].admin, table.ports[1].oper, table.ports[1].speed_bps), (None, None, None));
}

#[test]
fn if_index_is_any_number_of_32_bits() {
    let table = Agent::default().up(u32::MAX).up(0).up(1 << 31).table();
    let indexes: Vec<u32> = table.ports.iter().map(|p| p.index).collect();
    assert_eq!(indexes, [0, 1 << 31, u32::MAX]);
    assert_eq!(table.by_index(1 << 31).and_then(|p| p.oper), Some(IfOper::Up));
}

#[test]
fn rows_of_another_shape_are_no_interfaces_whatever_their_length() {
    let mut sink = Interfaces::default();
    let root = C::Name.oid();
    let mut long = root.clone();
    for arc in 0..114 {
        long.push(arc);
    }
    let index = long.as_raw().below(&root).expect("a cell");
    assert!(sink.cell(C::Name as usize, index, Value::Octets(b"x")));
    assert!(sink.table(AT, Vec::new(), None).ports.is_empty());
}

#[test]
fn thousands_of_ports_in_any_order_come_out_sorted() {
    let mut agent = Agent::default();
    for n in 0..1_829u32 {
        // 7919 is prime to 1829: every row once.
        let index = n * 7_919 % 1_829 * 1_000;
        agent = agent.up(index).name(index, &format!("p{index}"));
    }
    let table = agent.table();
    assert_eq!(table.ports.len(), 1_829);
    assert!(table.ports.is_sorted_by_key(|p| p.index));
    assert!(table.ports.iter().all(|p| p.name.line() == format!("p{}", p.index)));
}

#[test]
fn speeds_that_contradict_each_other_or_mean_nothing() {
    let max = u64::from(u32::MAX);
    for (exact, coarse, want) in [
        (Some(100_000_000), Some(100_000_000), Some(100_000_000)),
        (Some(max), Some(max), None),
        (Some(max), Some(0), None),
        (Some(max), None, None),
        (Some(max - 1), Some(8_000), Some(8_000_000_000)),
        (Some(1_000_000_000), Some(0), Some(1_000_000_000)),
        (Some(2_820_130_816), Some(20_000), Some(20_000_000_000)),
        (Some(0), Some(100), Some(100_000_000)),
        (Some(10_000_000), Some(4_294_901_759), Some(10_000_000)),
        (Some(max), Some(4_294_901_759), None),
        (Some(1_000_000_000), Some(10_000), Some(10_000_000_000)),
        (None, Some(u64::MAX), None),
        (Some(64_000), Some(0), Some(64_000)),
        (Some(0), None, None),
    ] {
        assert_eq!(speed(exact, coarse, true), want, "{exact:?} and {coarse:?}");
    }
    let port = Agent::default().up(1).cell(C::HighSpeed, 1, Value::Integer(-1)).port();
    assert_eq!(port.speed_bps, None);
}

#[test]
fn numbers_of_a_wrong_type_are_read_where_they_are_numbers() {
    let port = Agent::default()
        .cell(C::OperStatus, 1, Value::Gauge32(1))
        .cell(C::AdminStatus, 1, Value::Octets(b"2\r\n"))
        .cell(C::Speed, 1, Value::Octets(b" 1000000000\0"))
        .cell(C::HighSpeed, 1, Value::Octets(b"1 Gbps"))
        .cell(C::InErrors, 1, Value::Counter64(1 << 40))
        .cell(C::OutErrors, 1, Value::Null)
        .cell(C::HcInOctets, 1, Value::Counter32(5))
        .cell(C::HcOutOctets, 1, Value::Counter64(u64::MAX))
        .cell(C::Mtu, 1, Value::Octets(b""))
        .cell(C::Duplex, 1, Value::Counter32(3))
        .cell(C::Type, 1, Value::Null)
        .port();
    assert_eq!((port.admin, port.oper), (Some(IfAdmin::Down), Some(IfOper::Up)));
    assert_eq!(port.speed_bps, Some(1_000_000_000));
    assert_eq!((port.counters.in_errors(), port.counters.out_errors()), (Some(1 << 40), None));
    assert_eq!((port.counters.in_octets(), port.counters.out_octets()), (Some(5), Some(u64::MAX)));
    assert_eq!((port.mtu, port.duplex, port.if_type), (None, Some(Duplex::Full), None));
}

#[test]
fn states_that_the_mib_has_not_are_none() {
    for value in [Value::Integer(0), Value::Integer(8), Value::Integer(-1), Value::Octets(b"up"), Value::Null] {
        let port = Agent::default().cell(C::OperStatus, 1, value).cell(C::AdminStatus, 1, value).port();
        assert_eq!((port.oper, port.admin), (None, None), "{value:?}");
    }
    let all = [1, 2, 3, 4, 5, 6, 7].map(|n| Agent::default().cell(C::OperStatus, 1, Value::Integer(n)).port().oper);
    assert!(all.iter().all(Option::is_some));
}

#[test]
fn addresses_have_six_octets_or_are_written_out() {
    let mac = |octets: &[u8]| Agent::default().up(1).cell(C::PhysAddress, 1, Value::Octets(octets)).port().mac;
    let want = Some([0, 0x1b, 0x2c, 0xaa, 0xbb, 0xcc]);
    for octets in [
        &b"\0\x1b\x2c\xaa\xbb\xcc"[..],
        b"00:1b:2c:aa:bb:cc",
        b"0:1B:2c:aa:bb:cc\0",
        b"00-1b-2c-aa-bb-cc",
        b"001b.2caa.bbcc",
    ] {
        assert_eq!(mac(octets), want, "{octets:?}");
    }
    for octets in [
        &b""[..],
        b"\x20\x1f\0\x2a\x6a\xfc\x5b\x80",
        b"\0\0\0\0",
        b"69376",
        b"00:1b:2c:aa:bb",
        b"00:1b:2c:aa:bb:cc:dd",
        b"+0:1b:2c:aa:bb:cc",
        b"001b.2caa.bb\xc3\xa9",
        b"gg:1b:2c:aa:bb:cc",
        b"\xff\xff\xff",
    ] {
        assert_eq!(mac(octets), None, "{octets:?}");
    }
}

#[test]
fn an_mtu_that_no_interface_has_is_none() {
    let mtu = |value| Agent::default().up(1).cell(C::Mtu, 1, value).port().mtu;
    assert_eq!(mtu(Value::Integer(9_216)), Some(9_216));
    assert_eq!(mtu(Value::Integer(65_536)), Some(65_536));
    for value in [Value::Integer(-1), Value::Integer(0), Value::Integer(2_147_483_647), Value::Gauge32(u32::MAX)] {
        assert_eq!(mtu(value), None, "{value:?}");
    }
}

#[test]
fn duplex_says_half_or_full_or_nothing() {
    let duplex = |n| Agent::default().up(1).cell(C::Duplex, 1, Value::Integer(n)).port().duplex;
    assert_eq!([0, 1, 2, 3, 4].map(duplex), [None, None, Some(Duplex::Half), Some(Duplex::Full), None]);
}

#[test]
fn texts_of_blanks_quotes_or_nuls_are_none_and_others_stay_as_they_are() {
    let alias = |octets: &[u8]| Agent::default().up(1).cell(C::Alias, 1, Value::Octets(octets)).port().alias;
    for octets in [&b""[..], b"\0", b"\0\0\0\0", b"\"\"", b"   ", b"\r", b" \t\0"] {
        assert!(alias(octets).is_empty(), "{octets:?}");
    }
    assert_eq!(alias(b"line one\nline two\0\0").as_bytes(), b"line one\nline two");
    assert_eq!(alias(b"\xfc\xdfe").as_bytes(), b"\xfc\xdfe", "not UTF-8");
    assert_eq!(alias(b"a\0b").as_bytes(), b"a\0b");
    let long = vec![b'x'; 11_000];
    assert_eq!(alias(&long).as_bytes().len(), text::LIMIT);
}

#[test]
fn the_system_group_takes_what_agents_send() {
    let device = |scalar, value: Value<'_>| Agent::default().scalar(scalar, value).table().device;
    assert_eq!(device(0, Value::Octets(b"caf\xe9\r\nrelease 5")).description.as_bytes(), b"caf\xe9\r\nrelease 5");
    assert_eq!(device(0, Value::Octets(&[b'd'; 256])).description.as_bytes().len(), 256);
    assert!(device(0, Value::Null).description.is_empty());
    assert_eq!(
        device(1, Value::Octets(b"1.3.6.1.4.1.2636.1.1.1.2.21")).object_id.as_deref(),
        Some("1.3.6.1.4.1.2636.1.1.1.2.21")
    );
    assert_eq!(device(1, Value::Integer(3)).object_id, None);
    assert_eq!(device(2, Value::Null).uptime, None);
    assert_eq!(device(2, Value::Integer(-5)).uptime, None);
    assert_eq!(device(6, Value::TimeTicks(77)).table_last_change, Some(77));
}

#[test]
fn a_last_change_of_zero_is_as_old_as_the_agent() {
    let with = |ticks| Agent::default().scalar(2, Value::TimeTicks(10_000)).up(1).cell(C::LastChange, 1, ticks).port();
    let zero = with(Value::TimeTicks(0));
    assert_eq!((zero.last_change, zero.as_started), (None, true));
    let some = with(Value::TimeTicks(4_000));
    assert_eq!((some.last_change, some.as_started), (Some(AT.minus(Duration::from_secs(60))), false));
    let later_than_now = with(Value::TimeTicks(20_000));
    assert_eq!((later_than_now.last_change, later_than_now.as_started), (None, false));
}

fn equipped(table: PortTable) -> PortTable {
    let walked = |group: &str, at| TablesWalked { group: Arc::from(group), at, rows: 5, incomplete: None };
    let equipment = Equipment {
        ports: vec![PortFacts { index: 1, vlan: Some(10), ..PortFacts::default() }],
        bridge_ports: vec![(1, 1)],
        walked: vec![walked("lldp", AT), walked("entity", AT.minus(Duration::from_secs(900)))],
        ..Equipment::default()
    };
    PortTable { equipment: Arc::new(equipment), ..table }
}

fn groups(table: &PortTable) -> Vec<&str> {
    table.equipment.walked.iter().map(|w| &*w.group).collect()
}

#[test]
fn the_slower_tables_are_kept_while_the_interfaces_are_the_same() {
    let walk = || Agent::default().scalar(6, Value::TimeTicks(50)).name(1, "a").name(2, "b");
    let before = equipped(walk().table());
    let after = walk().after(&before, 60);
    assert!(Arc::ptr_eq(&before.equipment, &after.equipment));
}

#[test]
fn interfaces_that_came_or_went_have_all_tables_walked_again() {
    let before = equipped(Agent::default().name(1, "a").name(2, "b").table());
    let more = Agent::default().name(1, "a").name(2, "b").name(3, "c").after(&before, 60);
    assert!(groups(&more).is_empty());
    assert_eq!(more.equipment.port(1).and_then(|p| p.vlan), Some(10), "what is known stays");
    let fewer = Agent::default().name(1, "a").after(&before, 60);
    assert!(groups(&fewer).is_empty());
}

#[test]
fn what_was_told_by_if_index_is_forgotten_when_it_means_other_ports() {
    let before = equipped(Agent::default().name(1, "a").name(2, "b").table());
    let renumbered = Agent::default().name(1, "b").name(2, "a").after(&before, 60);
    assert!(groups(&renumbered).is_empty());
    assert!(renumbered.equipment.ports.is_empty() && renumbered.equipment.bridge_ports.is_empty());
}

#[test]
fn a_profile_has_its_rows_once_on_a_device_that_was_renumbered() {
    use crate::model::device::{Limits, ProfileRows, Sensor, SensorClass, SensorStatus};
    let sensor = |name: &str| Sensor {
        class: SensorClass::Temperature,
        name: Untrusted::from(name),
        value: Some(40.0),
        unit: None,
        status: SensorStatus::Ok,
        limits: Limits::default(),
    };
    let rows = || ProfileRows { sensors: vec![sensor("profile")], ..ProfileRows::default() };
    let table: Arc<str> = "sensors".into();
    let mut before = equipped(Agent::default().name(1, "a").name(2, "b").table());
    let mut equipment = Equipment { sensors: vec![sensor("generic")], ..Equipment::clone(&before.equipment) };
    parts::take(&mut equipment);
    parts::set(&mut equipment, &table, rows());
    parts::put(&mut equipment);
    before.equipment = Arc::new(equipment);
    let after = Agent::default().name(1, "b").name(2, "a").after(&before, 60);
    let mut equipment = Equipment::clone(&after.equipment);
    parts::take(&mut equipment);
    parts::set(&mut equipment, &table, rows());
    parts::put(&mut equipment);
    let names: Vec<String> = equipment.sensors.iter().map(|s| s.name.line()).collect();
    assert_eq!(names, ["generic", "profile"]);
}

#[test]
fn a_last_change_of_the_table_that_moves_at_every_walk_does_not_have_everything_walked_every_time() {
    let walk = |ticks| Agent::default().scalar(6, Value::TimeTicks(ticks)).name(1, "a");
    let before = equipped(walk(50).table());
    let after = walk(6_050).after(&before, 60);
    assert_eq!(groups(&after), ["lldp"], "that was a minute ago");
    assert_eq!(after.equipment.port(1).and_then(|p| p.vlan), Some(10));
    assert!(groups(&walk(6_050).after(&before, 600)).is_empty());
}
