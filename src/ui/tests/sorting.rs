//! Orders of the lists: chosen, turned round, marked, and calm under the cursor.

use std::sync::Arc;

use super::campus::campus;
use super::fixture;
use super::{Console, outage};
use crate::model::{AssetId, Condition, Observation, Outcome, Reading, Target, Unit};
use crate::state::{HostView, Snapshot};
use crate::ui::panes::PaneKind;
use crate::ui::run::Screen as _;
use crate::ui::screen::MouseDeed;

fn names(console: &Console) -> Vec<String> {
    let list = console.app.list(PaneKind::Hosts);
    list.order.iter().map(|row| console.app.snapshot.hosts[*row].host.name.to_string()).collect()
}

/// The host with that round trip.
fn with_rtt(host: &HostView, seconds: f64) -> Arc<HostView> {
    let mut host = host.clone();
    if host.checks.is_empty() {
        return Arc::new(host);
    }
    let last = host.checks[0].last.clone().expect("it was asked");
    let reading = Reading::new(Outcome::Ok, "fine").metric("rtt", seconds, Unit::Seconds);
    host.checks[0].last = Some(Arc::new(Observation { reading, ..(*last).clone() }));
    Arc::new(host)
}

/// The outage with a round trip for each host that is up, the first one the fastest, or the slowest.
fn with_rtts(revision: u64, slowest_first: bool) -> Arc<Snapshot> {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.revision += revision;
    let count = snapshot.hosts.len();
    for (at, host) in snapshot.hosts.iter_mut().enumerate() {
        let step = if slowest_first { count - at } else { at + 1 };
        *host = with_rtt(host, step as f64 / 1_000.0);
    }
    Arc::new(snapshot)
}

#[test]
fn hosts_are_sorted_by_what_is_picked_and_the_second_choice_turns_it_round() {
    let mut console = outage((120, 40));
    console.press("2");
    let worst_first = names(&console);
    assert!(console.screen().contains("state▼"), "{}", console.screen());
    console.press("S j Enter");
    insta::assert_snapshot!("sort_picker", console.screen());
    console.press("Esc");
    let mut by_name = worst_first.clone();
    by_name.sort();
    assert_eq!(names(&console), by_name);
    let text = console.screen();
    assert!(text.contains("host▲") && text.contains("by name ") && !text.contains("state▼"), "{text}");
    console.press("S Enter Esc");
    by_name.reverse();
    assert_eq!(names(&console), by_name);
    let text = console.screen();
    assert!(text.contains("host▼") && text.contains("by name, reversed"), "{text}");
    console.press("S r Esc");
    assert_eq!(names(&console), worst_first);
    assert!(!console.screen().contains("by name"));
    // Worst last keeps the order of equal ones.
    console.press("S Enter Esc");
    let reversed = names(&console);
    assert_ne!(reversed, worst_first);
    let ok = |names: &[String]| names.iter().filter(|name| name.starts_with("app")).cloned().collect::<Vec<_>>();
    assert_eq!(ok(&reversed), ok(&worst_first));
}

#[test]
fn the_slowest_comes_first_unknown_last_either_way_and_what_is_old_is_unknown() {
    let mut console = Console::new((120, 40), with_rtts(1, false), true);
    console.press("2 > > >");
    let text = console.screen();
    assert!(text.contains("by rtt") && text.contains("▼rtt/load"), "{text}");
    let unknown = |host: &HostView| host.stale || host.checks.is_empty() || host.condition == Condition::Unreachable;
    let snapshot = console.app.snapshot.clone();
    let hosts = &snapshot.hosts;
    let slowest = hosts.iter().rfind(|host| !unknown(host)).expect("there is one").host.name.to_string();
    let count = hosts.iter().filter(|host| unknown(host)).count();
    let order = names(&console);
    let last = order[order.len() - count..].to_vec();
    assert_eq!(order[0], slowest);
    let named = |name: &String| hosts.iter().find(|host| *host.host.name == **name).expect("it is there");
    assert!(count > 1 && last.iter().all(|name| unknown(named(name))), "{order:?}");
    console.press("S Enter Esc");
    let order = names(&console);
    assert!(order.ends_with(&last) && order.iter().rev().nth(count) == Some(&slowest), "{order:?}");
}

#[test]
fn rows_stay_under_the_cursor_when_values_change_and_the_selection_stays_on_its_host() {
    let mut console = Console::new((120, 40), with_rtts(1, false), true);
    console.press("2 j j j");
    let on = console.app.selected();
    console.press("> > >");
    assert_eq!(console.app.selected(), on, "sorting keeps it");
    let order = names(&console);
    console.app.snapshot(with_rtts(2, true));
    assert_eq!((names(&console), console.app.selected()), (order.clone(), on));
    assert!(console.screen().contains("order changed, r sorts"), "{}", console.screen());
    console.press("r");
    assert_ne!(names(&console), order);
}

#[test]
fn problems_keep_their_places_under_the_cursor_and_new_ones_are_counted() {
    let mut console = outage((120, 40));
    let targets = |console: &Console| {
        let order = &console.app.list(PaneKind::Problems).order;
        order.iter().map(|row| console.app.snapshot.problems[*row].target.clone()).collect::<Vec<_>>()
    };
    let before = targets(&console);
    console.press("j");
    let on = before[1].clone();
    // The list is turned round, the first is over, and a new one is worst.
    let mut snapshot = (*fixture::outage()).clone();
    let mut problems = snapshot.problems.to_vec();
    let gone = problems.iter().position(|p| p.target == before[0]).expect("it is there");
    let mut new = problems.remove(gone);
    new.target = Target::Host(AssetId::new("web2"));
    new.title = "web2".into();
    problems.reverse();
    problems.insert(0, new.clone());
    snapshot.problems = problems.into();
    snapshot.revision += 1;
    let next = Arc::new(snapshot);
    console.app.snapshot(next.clone());
    let mut held = before[1..].to_vec();
    held.push(new.target.clone());
    let list = console.app.list(PaneKind::Problems);
    let selected = console.app.snapshot.problems[list.row().expect("a row")].target.clone();
    assert_eq!((targets(&console), selected), (held, on), "the order is held");
    assert!(console.screen().contains("1 new, r sorts"), "{}", console.screen());
    for size in [(60, 20), (80, 24)] {
        let mut narrow = outage(size);
        narrow.press("j");
        narrow.app.snapshot(next.clone());
        assert!(narrow.screen().contains("1 new, r sorts"), "{}", narrow.screen());
    }
    console.press("r");
    assert_eq!(targets(&console)[0], new.target);
    assert!(!console.screen().contains("r sorts"));
}

#[test]
fn problems_are_sorted_too_and_their_title_says_how() {
    let mut console = outage((120, 40));
    let titles = |console: &Console| {
        let order = &console.app.list(PaneKind::Problems).order;
        order.iter().map(|row| console.app.snapshot.problems[*row].title.line()).collect::<Vec<_>>()
    };
    let worst_first = titles(&console);
    console.press("S j Enter Esc");
    let mut by_name = worst_first.clone();
    by_name.sort_by_key(|title| title.to_lowercase());
    assert_eq!(titles(&console), by_name);
    assert!(console.screen().contains("by name ▲"), "{}", console.screen());
    console.press("> >");
    let since: Vec<_> = {
        let order = &console.app.list(PaneKind::Problems).order;
        order.iter().map(|row| console.app.snapshot.problems[*row].since).collect()
    };
    assert!(since.is_sorted_by(|a, b| a >= b), "newest first");
    console.press("< < <");
    assert_eq!(titles(&console), worst_first);
    let ascii = Console::new((80, 24), fixture::outage(), false).press("S j Enter Esc").screen();
    assert!(ascii.is_ascii() && ascii.contains("by name ^"), "{ascii}");
}

/// Alone, the problems have heads that are pressed like any.
#[test]
fn problems_alone_have_heads_and_a_letter_that_marks_one_stands_apart() {
    let mut console = outage((120, 40));
    assert!(!console.screen().contains("owner"), "{}", console.screen());
    let text = console.press("z").screen();
    for head in ["problem ", "kind ", "state▼", "says ", " age"] {
        assert!(text.contains(head), "{head}: {text}");
    }
    assert!(console.press("S j Enter Esc").screen().contains("problem▲"), "{}", console.screen());
    let mut ascii = Console::new((120, 40), fixture::outage(), false);
    let text = ascii.press("2").screen();
    assert!(text.contains("STATE v") && !text.contains("statev"), "{text}");
    let text = ascii.press("S j Enter Esc").screen();
    assert!(text.contains("HOST ^"), "{text}");
    let text = ascii.press("> ").screen();
    assert!(text.contains("^AGE"), "{text}");
}

/// The devices have orders of their own, the ports of the selected one theirs.
#[test]
fn devices_are_sorted_by_picker_keys_and_heads_and_the_ports_beside_them_stay() {
    let mut console = Console::new((120, 40), campus(), true);
    console.press("3");
    let names = |console: &Console| -> Vec<String> {
        let order = &console.app.list(PaneKind::Devices).order;
        order.iter().map(|row| console.app.snapshot.devices[*row].host.name.to_string()).collect()
    };
    let worst_first = names(&console);
    let selected = console.app.selected_asset();
    insta::assert_snapshot!("sort_picker_of_devices", console.press("S j").screen());
    console.press("Enter Enter Esc");
    let mut by_name = worst_first.clone();
    by_name.sort_by_key(|name| std::cmp::Reverse(name.to_lowercase()));
    assert_ne!(by_name, worst_first, "it shows");
    assert_eq!((names(&console), console.app.selected_asset()), (by_name.clone(), selected));
    let text = console.screen();
    assert!(text.contains("device▼") && text.contains("by name, reversed") && text.contains("port▲"), "{text}");
    // The next ones, and round the corner back.
    console.press("> >");
    let up: Vec<usize> = {
        let list = console.app.list(PaneKind::Devices);
        let fresh = list.order.iter().map(|row| &console.app.snapshot.devices[*row]);
        fresh.filter(|device| !console.app.parts.is_old(device)).map(|device| device.up).collect()
    };
    assert!(up.len() > 1 && up.is_sorted_by(|a, b| a >= b) && console.screen().contains("▼up"), "{up:?}");
    let old = |name: &String| {
        let device = console.app.snapshot.devices.iter().find(|device| *device.host.name == **name);
        device.is_some_and(|device| console.app.parts.is_old(device))
    };
    let order = names(&console);
    assert!(order.iter().skip(up.len()).all(old), "what was up when it was last heard stands last: {order:?}");
    console.press("< < <");
    assert_eq!(names(&console), worst_first);
    // The ports have columns still.
    assert!(console.press("Tab S").screen().contains("Columns"), "{}", console.screen());
    console.press("Esc Tab");
    // A press on a head, and again.
    console.point(MouseDeed::Press, "device  ").point(MouseDeed::Press, "device▲");
    assert_eq!(names(&console), by_name);
    // On a small screen each row is worth more than heads, and the keys are the same.
    let mut small = Console::new((80, 24), campus(), true);
    let text = small.press("3 >").screen();
    assert!(text.contains("by name") && !text.contains(" device "), "{text}");
}

/// A station that is looked for leads to its port, however the devices are sorted.
#[test]
fn a_search_for_a_station_goes_before_the_order_of_devices() {
    let mut console = Console::new((120, 40), campus(), true);
    console.press("3 / m a c : 0 2 0 0 . 0 0 0 0 . 0 0 0 7 Enter");
    let first = console.app.list(PaneKind::Devices).order.clone();
    console.press("g g > S Enter Esc");
    let order = console.app.list(PaneKind::Devices).order.clone();
    assert_eq!(order.first(), first.first(), "{}", console.screen());
}
