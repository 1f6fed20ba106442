use super::*;
use crate::base::Untrusted;
use crate::model::{Device, Origin};

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn at(seconds: u64) -> Timestamp {
    T0.plus(Duration::from_secs(seconds))
}

fn port(name: &str, oper: IfOper) -> Port {
    Port {
        index: 1,
        name: Untrusted::from(name),
        description: Untrusted::default(),
        alias: Untrusted::default(),
        if_type: Some(6),
        admin: Some(IfAdmin::Up),
        oper: Some(oper),
        speed_bps: Some(1_000_000_000),
        mtu: Some(1500),
        mac: None,
        duplex: Some(Duplex::Full),
        last_change: None,
        counters: Counters { in_octets: Some(1_000), out_octets: Some(0), wide: true, ..Counters::default() },
    }
}

fn table(seconds: u64, uptime: u64, ports: Vec<Port>) -> Arc<PortTable> {
    let device = Device { uptime: Some(Duration::from_secs(uptime)), ..Device::default() };
    Arc::new(PortTable {
        collected_at: at(seconds),
        device,
        ports,
        complete: true,
        warnings: Vec::new(),
        equipment: Arc::default(),
    })
}

fn host() -> Arc<Host> {
    Arc::new(Host::new("sw1", Some("192.0.2.1"), Origin::Config))
}

/// Walks of one port in a row, a minute apart.
fn walks(ports: Vec<Port>) -> DeviceView {
    let mut view: Option<DeviceView> = None;
    for (i, port) in ports.into_iter().enumerate() {
        let seconds = i as u64 * 60;
        view = Some(judge(view.as_ref(), &table(seconds, 5_000 + seconds, vec![port]), &host()));
    }
    view.expect("at least one walk")
}

#[test]
fn the_first_walk_is_the_baseline() {
    let view = walks(vec![port("Gi1", IfOper::Down)]);
    assert_eq!((view.ports[0].state, view.condition), (PortState::NoLink, Condition::Ok));
    assert_eq!(view.ports[0].gap, Some("first walk"));
    assert!(view.ports[0].changed.is_none());
}

#[test]
fn link_loss_is_a_problem_on_uplinks_only() {
    let view = walks(vec![port("Gi1", IfOper::Up), port("Gi1", IfOper::Down)]);
    assert_eq!((view.ports[0].state, view.condition), (PortState::LinkLost, Condition::Ok));
    assert_eq!(view.ports[0].changed, Some(at(60)));
    assert_eq!(view.ports[0].flaps, [at(60)]);
    let uplink = |oper| Port { alias: Untrusted::from("UPLINK core"), ..port("Te1", oper) };
    let view = walks(vec![uplink(IfOper::Up), uplink(IfOper::Down)]);
    assert_eq!(view.condition, Condition::Critical);
    assert_eq!(view.ports[0].reason.as_deref(), Some("uplink lost its link"));
}

#[test]
fn a_port_that_was_shut_is_no_problem_even_on_an_uplink() {
    let uplink = |oper| Port { alias: Untrusted::from("uplink"), ..port("Te1", oper) };
    let shut = Port { admin: Some(IfAdmin::Down), ..uplink(IfOper::Down) };
    let view = walks(vec![uplink(IfOper::Up), shut]);
    assert_eq!((view.ports[0].state, view.condition), (PortState::AdminDown, Condition::Ok));
    assert!(view.ports[0].flaps.is_empty());
}

#[test]
fn half_duplex_and_lost_speed_are_warnings() {
    let half = Port { duplex: Some(Duplex::Half), ..port("Gi1", IfOper::Up) };
    let view = walks(vec![half]);
    assert_eq!(view.ports[0].reason.as_deref(), Some("half duplex"));
    let slow = || Port { speed_bps: Some(100_000_000), ..port("Gi1", IfOper::Up) };
    let view = walks(vec![port("Gi1", IfOper::Up), slow(), slow()]);
    assert_eq!(view.condition, Condition::Warning, "it stays one while it lasts");
    assert_eq!(view.ports[0].reason.as_deref(), Some("100M of 1G"));
    assert_eq!(walks(vec![slow(), slow()]).condition, Condition::Ok);
}

#[test]
fn four_link_changes_in_an_hour_are_flapping() {
    let up = || port("Gi1", IfOper::Up);
    let down = || port("Gi1", IfOper::Down);
    let view = walks(vec![up(), down(), up(), down(), up()]);
    assert_eq!(view.ports[0].flaps.len(), 4);
    assert_eq!(view.condition, Condition::Warning);
}

#[test]
fn rates_come_from_the_agents_clock() {
    let later = Port {
        counters: Counters { in_octets: Some(1_000 + 60 * 125), ..port("", IfOper::Up).counters },
        ..port("Gi1", IfOper::Up)
    };
    let view = walks(vec![port("Gi1", IfOper::Up), later]);
    assert_eq!(view.ports[0].rates.in_bps, Some(1000.0));
    assert_eq!(view.ports[0].gap, None);
}

#[test]
fn a_reset_a_jump_or_a_discontinuity_is_a_gap_not_a_spike() {
    let with = |octets, discontinuity| Port {
        counters: Counters { in_octets: Some(octets), discontinuity, ..port("", IfOper::Up).counters },
        ..port("Gi1", IfOper::Up)
    };
    for (octets, discontinuity, gap) in [
        (5, None, "the counters were reset"),
        (u64::MAX / 2, None, "the counters jumped"),
        (1_000, Some(7), "the counters began anew"),
    ] {
        let view = walks(vec![with(1_000, None), with(octets, discontinuity)]);
        assert_eq!(view.ports[0].rates.in_bps, None, "{gap}");
        assert_eq!(view.ports[0].gap, Some(gap));
    }
}

#[test]
fn a_32_bit_counter_wraps_where_it_can_have_wrapped_only_once() {
    let near = u64::from(u32::MAX) - 99;
    assert_eq!(bit_rate(Some(near), Some(900), false, 10.0, Some(100_000_000)), Ok(Some(800.0)));
    assert!(bit_rate(Some(near), Some(900), false, 10.0, None).is_err());
    assert!(bit_rate(Some(0), Some(900), false, 60.0, Some(10_000_000_000)).is_err());
    assert_eq!(bit_rate(None, Some(900), true, 10.0, None), Ok(None));
}

#[test]
fn the_wrap_of_sys_up_time_is_no_restart() {
    let ticks = |t: u64| Duration::from_millis(t * 10);
    let wrap = 1u64 << 32;
    assert_eq!(
        uptime_passed(ticks(wrap - 3_000), ticks(3_000), Duration::from_secs(60)),
        Some(Duration::from_secs(60))
    );
    assert_eq!(uptime_passed(ticks(wrap / 2), ticks(3_000), Duration::from_secs(60)), None);
}

#[test]
fn a_restart_gives_no_rates_and_is_said() {
    let first = judge(None, &table(0, 90_000, vec![port("Gi1", IfOper::Up)]), &host());
    let view = judge(Some(&first), &table(60, 20, vec![port("Gi1", IfOper::Up)]), &host());
    assert!(view.rebooted);
    assert_eq!(view.ports[0].gap, Some("the device was restarted"));
    assert_eq!(view.ports[0].rates, Rates::default());
}

#[test]
fn a_renumbered_port_is_found_by_its_name_and_a_double_name_is_not_guessed() {
    let numbered = |index, name| Port { index, ..port(name, IfOper::Up) };
    let first = judge(None, &table(0, 100, vec![numbered(1, "a"), numbered(2, "b")]), &host());
    let view = judge(Some(&first), &table(60, 160, vec![numbered(7, "b"), numbered(8, "c")]), &host());
    assert_eq!(view.ports[0].gap, None);
    assert_eq!(view.ports[1].gap, Some("first seen"));
    let twins = judge(None, &table(0, 100, vec![numbered(1, "x"), numbered(2, "x")]), &host());
    let view = judge(Some(&twins), &table(60, 160, vec![numbered(9, "x")]), &host());
    assert_eq!(view.ports[0].gap, Some("first seen"));
}

#[test]
fn every_state_of_the_mib_has_its_word() {
    let state_of = |admin, oper| state(&Port { admin, oper, ..port("", IfOper::Up) }, false);
    let up = Some(IfAdmin::Up);
    assert_eq!(state_of(up, Some(IfOper::LowerLayerDown)), PortState::LowerLayerDown);
    assert_eq!(state_of(up, Some(IfOper::Dormant)), PortState::Dormant);
    assert_eq!(state_of(up, Some(IfOper::NotPresent)), PortState::MissingModule);
    assert_eq!(state_of(up, Some(IfOper::Testing)), PortState::Testing);
    assert_eq!(state_of(Some(IfAdmin::Down), Some(IfOper::Up)), PortState::Up);
    assert_eq!(state_of(None, None), PortState::Unknown);
}
