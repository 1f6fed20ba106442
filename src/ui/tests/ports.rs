//! The screen of ports: faceplate, table, details, search, cables, watching.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::campus::{campus, only, saying};
use super::{Console, NOW};
use crate::bus::Command;
use crate::model::{AssetId, Condition, Counter, IfOper};
use crate::state::rules::refresh::Pace;
use crate::state::{PortState, Rates, Snapshot, WatchView};
use crate::ui::panes::{PaneKind, Selected};
use crate::ui::port::Seen;
use crate::ui::run::Screen;
use crate::ui::tests::fixture;

fn console(size: (u16, u16)) -> Console {
    let mut console = Console::new(size, campus(), true);
    console.press("3");
    console
}

/// Everything that was sent to the engine.
fn sent(console: &mut Console) -> Vec<Command> {
    std::iter::from_fn(|| console.commands.try_recv().ok()).collect()
}

fn selected_label(console: &Console) -> Option<String> {
    console.app.selected_port().map(|seen| seen.label().into_owned())
}

#[test]
fn the_ports_of_a_stack_at_the_sizes_that_people_have() {
    for size in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let mut console = console(size);
        console.press("Tab j j j j j j");
        insta::assert_snapshot!(format!("ports_{}x{}", size.0, size.1), console.screen());
    }
}

#[test]
fn without_colour_and_unicode_ports_are_told_apart_by_their_letters() {
    let mut console = Console::new((80, 24), campus(), false);
    console.press("3 Tab j j");
    let text = console.screen();
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("ports_ascii", text);
}

#[test]
fn front_panels_of_8_and_48_ports_a_stack_of_8_line_cards_and_1829_ports() {
    let up = |name: String| (name, PortState::Up, Condition::Ok);
    let small: Vec<_> = (1..=8).map(|n| up(format!("Gi0/{n}"))).collect();
    let large: Vec<_> = (1..=52).map(|n| up(n.to_string())).collect();
    let stack: Vec<_> = (1..=8).flat_map(|m| (1..=48).map(move |n| up(format!("Gi{m}/0/{n}")))).collect();
    let cards: Vec<_> = (1..=4).flat_map(|m| (1..=48).map(move |n| up(format!("Eth{m}/{n}")))).collect();
    let router: Vec<_> = (0..1829).map(|n| up(format!("Gi0/{}/{}", n / 50, n % 50))).collect();
    let words: Vec<_> = ["wan", "lan", "dmz", "guest"].into_iter().map(|n| up(n.to_owned())).collect();
    for (name, ports) in
        [("8", small), ("52", large), ("stack", stack), ("cards", cards), ("1829", router), ("words", words)]
    {
        let mut console = Console::new((80, 24), only(fixture::device("sw", &ports)), true);
        console.press("3 Tab j j");
        insta::assert_snapshot!(format!("plate_{name}"), console.screen());
    }
}

#[test]
fn a_port_in_full_with_who_hangs_there() {
    let mut console = console((120, 60));
    console.press("Tab j j j j j j Enter");
    insta::assert_snapshot!("port_detail", console.screen());
    console.press("Esc G k k k k Enter");
    insta::assert_snapshot!("uplink_detail", console.screen());
}

#[test]
fn a_router_in_full_with_what_is_wrong_first() {
    let mut console = console((120, 70));
    console.press("j Enter");
    insta::assert_snapshot!("device_detail", console.screen());
}

#[test]
fn a_ups_says_what_it_runs_on() {
    let mut console = console((80, 40));
    console.press("j j Enter");
    let text = console.screen();
    for want in ["UPS on battery for 1m", "minutes left  18", "charge        83 %", "walked 20s ago"] {
        assert!(text.contains(want), "{want} is missing in\n{text}");
    }
}

#[test]
fn columns_are_chosen_and_sorted_by_and_the_selection_stays_on_its_port() {
    let mut console = console((120, 40));
    console.press("Tab j j");
    let on = selected_label(&console);
    console.press("S");
    insta::assert_snapshot!("columns", console.screen());
    // Down to "in": sort by it; then hide "speed" above it.
    console.press("j j j Enter k Space Esc");
    let text = console.screen();
    assert!(text.contains("by in") && !text.contains(" speed "), "{text}");
    assert_eq!(selected_label(&console), on);
    console.press("g g");
    assert_ne!(selected_label(&console), on, "the busiest comes first");
    console.press(">");
    assert!(console.screen().contains("by out"), "{}", console.screen());
    console.press("< <");
    assert!(console.screen().contains("by state"), "{}", console.screen());
    console.press("S r Esc");
    assert!(!console.screen().contains(" by "), "as shipped");
}

#[test]
fn the_selection_follows_its_port_when_a_walk_brings_another_table() {
    let mut console = console((80, 24));
    console.press("Tab j j j j j j");
    let on = console.app.selected();
    assert!(matches!(&on, Some(Selected::Port(_, port)) if port.label.line() == "Gi1/0/7"), "{on:?}");
    // A module was put in: rows and indexes of everything after it move.
    let mut changed = (*campus()).clone();
    let device = changed.devices.iter_mut().find(|d| &*d.host.name == "acc-17").expect("there");
    let device = Arc::make_mut(device);
    let table = Arc::make_mut(&mut device.table);
    let mut fresh = table.ports[0].clone();
    fresh.name = "Gi0/0".into();
    fresh.index = 1;
    table.ports.insert(0, fresh);
    device.ports.insert(0, device.ports[0].clone());
    for (row, port) in device.ports.iter_mut().enumerate() {
        port.row = row;
    }
    changed.revision += 1;
    console.app.snapshot(Arc::new(changed));
    assert_eq!(console.app.selected(), on);
    assert_eq!(selected_label(&console).as_deref(), Some("Gi1/0/7"));
    // Gone altogether: the neighborhood stays, and no other port takes its name.
    let mut gone = (*campus()).clone();
    let device = Arc::make_mut(gone.devices.iter_mut().find(|d| &*d.host.name == "acc-17").expect("there"));
    Arc::make_mut(&mut device.table).ports.remove(6);
    device.ports.pop();
    gone.revision += 2;
    console.app.snapshot(Arc::new(gone));
    assert!(selected_label(&console).is_some_and(|label| label != "Gi1/0/7"));
}

#[test]
fn rows_do_not_move_under_the_cursor_when_rates_change() {
    let mut console = console((120, 40));
    console.press("Tab S j j j Enter Esc g g j j");
    let (on, order) = (selected_label(&console), console.app.list(PaneKind::Ports).order.clone());
    let mut changed = (*campus()).clone();
    let device = Arc::make_mut(changed.devices.iter_mut().find(|d| &*d.host.name == "acc-17").expect("there"));
    for port in &mut device.ports {
        port.rates = Rates::new([port.rates.in_bps().map(|bps| 1e9 - bps), None, None, None, None, None]);
    }
    changed.revision += 1;
    console.app.snapshot(Arc::new(changed));
    assert_eq!(selected_label(&console), on);
    assert_eq!(console.app.list(PaneKind::Ports).order, order);
    assert!(console.screen().contains("order changed"), "{}", console.screen());
}

#[test]
fn left_and_right_walk_along_the_front() {
    let mut console = console((120, 40));
    console.press("Tab l l Right h");
    assert_eq!(selected_label(&console).as_deref(), Some("Gi1/0/5"));
}

#[test]
fn a_station_is_found_by_any_of_its_names_and_its_access_port_comes_first() {
    for search in ["mac:0200.0000.0007", "ip:10.0.0.7", "02-00-00-00-00-07", "10.0.0.7"] {
        let mut console = console((120, 40));
        let keys: Vec<String> = search.chars().map(String::from).collect();
        console.press(&format!("/ {} Enter", keys.join(" ")));
        let text = console.screen();
        assert_eq!(
            console.app.device().map(|d| d.host.name.to_string()).as_deref(),
            Some("acc-17"),
            "{search}\n{text}"
        );
        assert_eq!(selected_label(&console).as_deref(), Some("Gi1/0/7"), "{search}\n{text}");
        assert!(text.contains("access port") && text.contains("heard through its neighbor"), "{text}");
    }
    let mut console = console((120, 40));
    console.press("/ i p : 1 0 . 0 . 0 . 7 Enter");
    insta::assert_snapshot!("search_ip", console.screen());
    console.press("/ Backspace Backspace x y Enter");
    assert!(console.screen().contains("ip:10.0.0xy is no address"), "{}", console.screen());
}

#[test]
fn ports_of_all_devices_are_found_by_vlan_and_neighbor() {
    let mut console = console((120, 40));
    console.press("/ n e i g h b o r : c o r e Enter");
    let text = console.screen();
    assert!(text.contains("2 match") && text.contains("Te1/1/1") && !text.contains("ups-b"), "{text}");
    console.press("Esc / v l a n : v o i c e Enter Tab");
    assert!(console.screen().contains("match"), "{}", console.screen());
}

#[test]
fn from_a_host_to_its_port_with_one_key_and_back() {
    let mut console = Console::new((120, 40), campus(), true);
    console.press("2 j j j");
    assert!(matches!(console.app.selected(), Some(Selected::Host(id)) if id.as_str() == "db07"));
    console.press("o");
    let text = console.screen();
    assert_eq!(selected_label(&console).as_deref(), Some("Gi1/0/7"), "{text}");
    assert!(text.contains("db07 hangs on acc-17 Gi1/0/7: its address is heard there, 4m ago"), "{text}");
    console.press("o");
    assert!(matches!(console.app.selected(), Some(Selected::Host(id)) if id.as_str() == "db07"));
    console.press("- -");
    assert!(matches!(console.app.selected(), Some(Selected::Host(id)) if id.as_str() == "db07"));
    // Heard only through the aggregate to the core, which is walked, and by the core through the access switch.
    console.press("j o");
    assert!(console.screen().contains("web08 is somewhere beyond"), "{}", console.screen());
    console.press("2 G o");
    assert!(console.screen().contains("no ARP table has 10.0.0.99"), "{}", console.screen());
}

#[test]
fn from_an_uplink_to_the_far_end_of_the_cable() {
    let mut console = console((120, 40));
    console.press("Tab G o");
    let text = console.screen();
    assert_eq!(console.app.device().map(|d| d.host.name.to_string()).as_deref(), Some("core-sw1"), "{text}");
    assert_eq!(selected_label(&console).as_deref(), Some("Te1/1/1"));
}

#[test]
fn several_stations_on_a_port_are_listed_to_choose_from() {
    let mut console = console((120, 40));
    console.press("Tab j j o");
    let text = console.screen();
    assert!(text.contains("what hangs there") && text.contains("10.0.0.30") && text.contains("10.0.0.31"), "{text}");
    console.press("Enter");
    assert!(console.screen().contains("not in the inventory"), "{}", console.screen());
    console.press("Esc j o");
    assert!(console.screen().contains("nobody was heard 4m ago"), "{}", console.screen());
}

#[test]
fn the_detail_of_a_host_says_where_it_hangs() {
    let mut console = Console::new((120, 40), campus(), true);
    console.press("2 j j j Enter");
    assert!(console.screen().contains("hangs on acc-17 Gi1/0/7, VLAN 10"), "{}", console.screen());
}

fn watching(every: u64, refresh: Pace) -> Arc<Snapshot> {
    let mut snapshot = (*campus()).clone();
    snapshot.revision += 1;
    snapshot.engine.watch = Some(WatchView {
        asset: AssetId::new("acc-17"),
        since: NOW,
        until: NOW.plus(Duration::from_secs(181)),
        every: Duration::from_secs(every),
        refresh,
        took: Some(Duration::from_millis(80)),
    });
    Arc::new(snapshot)
}

#[test]
fn a_watch_is_asked_for_said_and_ended_when_nobody_looks() {
    let mut console = console((120, 40));
    console.press("Tab w");
    let asked = sent(&mut console);
    assert!(matches!(&asked[..], [Command::Watch(Some(id))] if id.as_str() == "acc-17"), "{asked:?}");
    console.app.snapshot(watching(1, Pace::Measuring));
    assert!(console.screen().contains("WATCHED every 1s, measuring"), "{}", console.screen());
    console.app.snapshot(watching(10, Pace::Every(Duration::from_secs(10))));
    let text = console.screen();
    assert!(text.contains("WATCHED every 10s, its agent counts every 10s") && text.contains("3m left"), "{text}");
    // Its detail is looking at it too.
    console.press("Enter Esc");
    assert!(!sent(&mut console).iter().any(|c| matches!(c, Command::Watch(_))));
    console.press("2");
    let ended = sent(&mut console);
    assert!(ended.iter().any(|c| matches!(c, Command::Watch(None))), "{ended:?}");
    console.press("3 Tab w");
    assert!(sent(&mut console).iter().any(|c| matches!(c, Command::Watch(None))), "the key ends it too");
}

#[test]
fn the_rates_of_a_watched_port_are_drawn_since_it_is_looked_at() {
    let mut console = console((120, 60));
    console.press("Tab j j j j j j Enter");
    for walk in 1..=8u64 {
        let mut next = (*watching(10, Pace::Every(Duration::from_secs(10)))).clone();
        next.revision += walk;
        let device = Arc::make_mut(next.devices.iter_mut().find(|d| &*d.host.name == "acc-17").expect("there"));
        let table = Arc::make_mut(&mut device.table);
        table.device.uptime = Some(Duration::from_secs(1_000 + 10 * walk));
        table.collected_at = NOW.minus(Duration::from_secs(80 - 10 * walk));
        for port in &mut table.ports {
            port.counters.wide = true;
            port.counters.set(Counter::InOctets, Some(9_000_000 + walk * walk * 1_250_000));
            port.counters.set(Counter::OutOctets, Some(walk * 1_250));
        }
        console.app.snapshot(Arc::new(next));
    }
    let text = console.screen();
    // The first walk has no clock to compare with; the others are as far apart as the agent says.
    assert!(text.contains(" ▂▃▄▅▆▇█  most 15.0M") && text.contains("8 walks since"), "{text}");
    insta::assert_snapshot!("watched_port", text);
}

/// Counters that moved before its link was lost are no rate of now.
#[test]
fn a_port_that_lost_its_link_has_no_rates() {
    let mut snapshot = (*campus()).clone();
    let device = Arc::make_mut(snapshot.devices.iter_mut().find(|d| &*d.host.name == "acc-17").expect("there"));
    let row = device.ports.iter().position(|port| port.state == PortState::Up).expect("one is up");
    device.ports[row].rates = Rates::of_bits(954e6, 3e6);
    device.ports[row].state = PortState::LinkLost;
    let port = device.ports[row].row;
    Arc::make_mut(&mut device.table).ports[port].oper = Some(IfOper::Down);
    let (asset, key) = (device.host.id.clone(), Seen::at(device, row).expect("a port").key());
    let mut console = Console::new((120, 60), Arc::new(snapshot.clone()), true);
    console.app.overlays.push(crate::ui::overlays::Overlay::detail(Selected::Port(asset, key)));
    console.app.settle();
    // The next walk counts nothing more.
    snapshot.revision += 1;
    let device = Arc::make_mut(snapshot.devices.iter_mut().find(|d| &*d.host.name == "acc-17").expect("there"));
    Arc::make_mut(&mut device.table).device.uptime = Some(Duration::from_secs(9_000));
    console.app.snapshot(Arc::new(snapshot));
    let text = console.screen();
    assert!(text.contains("no link: nothing goes through it"), "{text}");
    assert!(!text.contains("954M") && !text.contains("most 0"), "{text}");
}

#[test]
fn the_palette_finds_an_address_from_anywhere() {
    let mut console = Console::new((120, 40), campus(), true);
    console.press("Ctrl+P 1 0 . 0 . 0 . 7");
    assert!(console.screen().contains("the ports where 10.0.0.7 is heard"), "{}", console.screen());
    console.press("Enter");
    assert_eq!(selected_label(&console).as_deref(), Some("Gi1/0/7"), "{}", console.screen());
}

#[test]
fn who_works_on_a_device_keeps_it_when_another_one_becomes_worse() {
    let mut console = console((120, 40));
    console.press("Tab j j j");
    let on = console.app.selected();
    let mut changed = (*campus()).clone();
    let worse = Arc::make_mut(&mut changed.devices[0]);
    worse.condition = Condition::Critical;
    let better = Arc::make_mut(&mut changed.devices[1]);
    better.condition = Condition::Ok;
    changed.revision += 1;
    console.app.snapshot(Arc::new(changed));
    assert_eq!(console.app.selected(), on);
    // In the list of devices the cursor is on it too.
    console.press("Shift+Tab");
    assert!(matches!(console.app.selected(), Some(Selected::Host(id)) if id.as_str() == "acc-17"));
}

#[test]
fn a_station_that_is_not_found_says_where_it_was_looked_for() {
    let mut console = console((120, 40));
    console.press("/ 1 0 . 9 . 9 . 9 Enter");
    let text = console.screen();
    assert!(text.contains("looked into 2 forwarding tables, the oldest 5m old and 1 arp tables"), "{text}");
}

proptest! {
    /// Whatever devices say of themselves: no key and no size makes the screen panic, or pass on what a terminal obeys.
    #[test]
    fn nothing_that_a_device_says_of_itself_reaches_the_terminal_as_it_is(
        columns in 1u16..210,
        rows in 1u16..62,
        unicode: bool,
        keys in proptest::collection::vec(
            prop::sample::select(vec![
                "3", "2", "Tab", "j", "j", "k", "G", "l", "h", "o", "-", "w", "S", "Space", ">", "<", "Enter", "Esc", "z", "P", "/", "m",
            ]),
            0..16,
        ),
    ) {
        let evil = "a\x1b]0;own\x07\x1b[2J\u{202e}\u{200b}\r\n\t\u{9b}31m日本語e\u{301}\u{301}";
        let mut console = Console::new((columns, rows), saying(evil), unicode);
        console.press("3");
        console.press(&keys.join(" "));
        for cell in &console.buffer().content {
            let symbol = cell.symbol();
            prop_assert!(unicode || symbol.is_ascii(), "{symbol:?}");
            prop_assert!(crate::base::text::is_clean(symbol), "{symbol:?}");
        }
    }
}

/// A switch answers, and one of its ports is bad: the list of hosts says so, and its filter and its heads know it.
#[test]
fn a_host_whose_port_has_a_problem_shows_it() {
    let mut snapshot = (*fixture::outage()).clone();
    let mut switch = fixture::host("dist-sw4", Condition::Ok, "load 0.3", 90_000);
    Arc::make_mut(&mut switch.host).group = Some("network".into());
    snapshot.hosts.push(Arc::new(switch));
    let snapshot = Arc::new(snapshot);
    let mut console = Console::new((120, 40), snapshot.clone(), true);
    let text = console.press("2").screen();
    let row = text.lines().find(|line| line.contains("dist-sw4")).unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains("▲ dist-sw4") && row.contains("UP ▲1") && row.contains("1 part: Te1/1/1 up"), "{row}");
    let found = console.press("/ s t a t e : w a r n i n g Enter").screen();
    assert!(found.contains("dist-sw4") && found.contains("web2") && !found.contains("app01"), "{found}");
    let good = console.press("Esc / s t a t e : u p Enter").screen();
    assert!(!good.contains("dist-sw4") && good.contains("app01"), "{good}");
    let heads = Console::new((120, 40), snapshot, true).press("2 : g r o u p Space g r o u p Enter").screen();
    let head = heads.lines().find(|line| line.contains("network")).unwrap_or_else(|| panic!("{heads}"));
    assert!(head.contains("▲") && head.contains("1 host · 1 with a bad part"), "{head}");
}

#[test]
fn room_below_the_devices_has_the_last_changes_of_all_ports() {
    use crate::model::{PortChange, PortEvent};
    let mut snapshot = (*fixture::outage()).clone();
    let event = |seconds, from, to, device: &crate::state::DeviceView| PortEvent {
        at: fixture::ago(seconds),
        port: Seen::at(device, 0).map(|seen| seen.key()),
        change: PortChange::State { from, to },
    };
    for (at, seconds) in [(0, [40, 600]), (1, [90, 20_000])] {
        let device = Arc::make_mut(&mut snapshot.devices[at]);
        let events = seconds.map(|seconds| event(seconds, PortState::Up, PortState::LinkLost, device));
        device.events = events.to_vec().into();
    }
    let text = Console::new((120, 40), Arc::new(snapshot.clone()), true).screen();
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.contains("LAST CHANGES")).collect();
    let times = ["14:21:27", "14:20:37", "14:12:07", "08:48:47"];
    for (line, time) in lines.iter().skip(1).zip(times) {
        assert!(line.contains(time) && line.contains("up → link-lost"), "{time}: {text}");
    }
    assert!(lines[1].contains("dist-sw4 Gi1/0/1") && lines[2].contains("acc-17"), "{text}");
    // Where the ports of the selected device are shown below they have the room.
    let text = Console::new((120, 40), Arc::new(snapshot), true).press("3").screen();
    assert!(!text.contains("LAST CHANGES"), "{text}");
}

/// Red would say that it is so now.
#[test]
fn what_was_wrong_with_a_device_that_is_not_heard_is_said_to_be_old() {
    let mut console = Console::new((120, 40), fixture::outage(), true);
    let text = console.press("3 j Enter").screen();
    assert!(text.contains("╭─ acc-17 ") && text.contains("42 of 52 were up"), "{text}");
    assert!(text.contains("PROBLEMS   as of 30s ago") && text.contains("of 52 ports up, 30s ago"), "{text}");
}

#[test]
fn rates_of_a_device_that_is_not_heard_are_not_shown_as_if_they_were_of_now() {
    let mut console = Console::new((200, 60), fixture::outage(), true);
    let text = console.press("3").screen();
    assert!(text.contains("1G  3.1M 88.0k   0/  0"), "of the one that is heard they are: {text}");
    let text = console.press("j").screen();
    assert!(text.contains("── acc-17 Gi1/0/1") && !text.contains("3.1M"), "{text}");
}

/// What is behind a failure is not as bad as it was when it was last seen.
#[test]
fn a_device_that_cannot_be_reached_is_not_red_and_its_ports_are_old() {
    let mut console = Console::new((120, 40), fixture::outage(), true);
    let text = console.press("3").screen();
    let row = text.lines().find(|line| line.contains("acc-17")).unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains("◆ acc-17") && row.contains("?????") && !row.contains('■'), "{row}");
    assert!(text.contains("1 old · 43 of 104 ports up"), "{text}");
}
