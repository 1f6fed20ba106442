//! What is hidden behind a problem: counted, and one key away.

use super::{Console, fixture, outage};
use crate::model::{AssetId, Target};
use crate::state::snapshot::problems::Behind;
use crate::ui::panes::PaneKind;
use crate::ui::run::Screen as _;

/// The titles of the problems' rows, as they stand.
fn rows(console: &Console) -> Vec<String> {
    let order = &console.app.list(PaneKind::Problems).order;
    order.iter().filter_map(|row| console.app.snapshot.problem(*row)).map(|p| p.title.line()).collect()
}

#[test]
fn what_is_hidden_is_counted_and_a_key_shows_it_below_its_cause_and_hides_it_again() {
    let mut console = outage((120, 40));
    let before = rows(&console);
    assert!(console.screen().contains("34 hidden behind them"), "{}", console.screen());
    console.press("z e");
    let shown = rows(&console);
    assert_eq!((shown.len(), &*shown[0], &*shown[1], &*shown[35]), (38, "core-sw1", "acc-01", &*before[1]));
    assert!(console.screen().contains("  acc-01"), "{}", console.screen());
    // From any row of it the same key hides it again, and the cause is selected.
    console.press("j j e");
    assert_eq!(rows(&console), before);
    assert_eq!(console.app.list(PaneKind::Problems).selected, 0);
    console.press("j e");
    assert!(console.screen().contains("nothing is hidden behind db01 nightly"), "{}", console.screen());
}

#[test]
fn the_detail_names_what_is_hidden_and_a_row_of_it_opens_as_any_other() {
    let mut console = outage((120, 40));
    console.press("Enter");
    assert!(console.screen().contains("34 hidden behind it: acc-01, acc-02"), "{}", console.screen());
    console.press("Esc e j y");
    assert!(console.screen().contains("acc-01"), "{}", console.screen());
}

/// A device and its ports that are gone are one thing to whoever reads what is hidden behind it.
#[test]
fn the_detail_says_once_how_much_is_hidden_behind_a_host_and_its_gone_ports() {
    let mut snapshot = (*fixture::outage()).clone();
    let mut hidden = snapshot.consequences[..6].to_vec();
    for problem in &mut hidden[3..] {
        let target = Target::GonePorts(AssetId::new("core-sw1"));
        problem.behind = Some(Behind { target, inferred: false });
    }
    snapshot.consequences = hidden.into();
    let text = Console::new((120, 40), snapshot.into(), true).press("Enter").screen();
    assert_eq!(text.matches("hidden behind it").count(), 1, "{text}");
    assert!(text.contains("6 hidden behind it: acc-01, acc-02, acc-03, acc-04, acc-05, acc-06"), "{text}");
}

#[test]
fn a_filter_finds_what_is_hidden_where_its_cause_is_not_found_itself() {
    let mut console = outage((120, 40));
    console.press("/ a c c - 0 7 Enter");
    assert_eq!(rows(&console), ["acc-07"]);
    console.press("Esc / c o r e - s w 1 Enter");
    assert_eq!(rows(&console), ["core-sw1"]);
}

#[test]
fn a_new_picture_keeps_the_cursor_on_a_row_that_is_hidden_otherwise() {
    let mut console = outage((120, 40));
    console.press("e j j j");
    let on = console.app.selected();
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.revision += 1;
    snapshot.problems = snapshot.problems[..3].into();
    console.app.snapshot(snapshot.into());
    assert_eq!(console.app.selected(), on);
    assert_eq!(rows(&console)[3], "acc-03");
}

#[test]
fn the_names_of_what_is_hidden_are_shown_as_a_whole_where_there_is_room() {
    let mut snapshot = (*fixture::outage()).clone();
    let mut hidden = snapshot.consequences.to_vec();
    // After all hosts, as the ports of a device are.
    hidden.last_mut().expect("there are some").title = "access-switch-17 TenGigE1/1/4".into();
    snapshot.consequences = hidden.into();
    let mut console = Console::new((120, 60), snapshot.into(), true);
    let says = |console: &Console| {
        let screen = console.screen();
        let row = screen.lines().find(|line| line.contains("db01 nightly")).map(str::to_owned);
        row.and_then(|row| row.find("backup")).unwrap_or_else(|| panic!("{screen}"))
    };
    let before = says(&console);
    console.press("z e");
    assert!(console.screen().contains("  access-switch-17 TenGigE1/1/4 "), "{}", console.screen());
    console.press("e");
    assert_eq!(says(&console), before, "they take no room while they are hidden");
    console.press("Esc / T e n G i g E Enter");
    assert!(console.screen().contains("  access-switch-17 TenGigE1/1/4 "), "{}", console.screen());
}
