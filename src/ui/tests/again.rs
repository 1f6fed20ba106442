//! A console that goes on where another ended.

use super::*;
use crate::ui::remembered::Remembered;

fn second(remembered: Remembered, place: bool) -> Console {
    let mut console = Console::new((120, 40), Arc::default(), true);
    console.app.recall(remembered, place);
    console.app.snapshot(fixture::outage());
    console
}

#[test]
fn the_screen_its_order_its_filter_and_the_selection_are_as_they_were_left() {
    let mut first = outage((120, 40));
    first.press("2 > / a p p Enter j j j");
    let asset = first.app.selected_asset().expect("a row");
    let remembered = first.app.remember();
    let mut again = second(remembered.clone(), true);
    assert_eq!(again.app.selected_asset(), Some(asset));
    assert_eq!(again.screen(), first.screen());
    // Up reaches what was typed.
    first.press(": s h e l l Enter");
    again = second(first.app.remember(), true);
    assert!(again.press(": Up").screen().contains(":shell"), "{}", again.screen());
    first.press("9 S j Enter Esc 5 S Enter Esc");
    first.press("3 > Tab S j s Esc");
    let kept = first.app.remember();
    assert_eq!((kept.devices_by.as_str(), kept.ports_by.as_str()), ("name", "state"));
    assert_eq!((kept.log_by.as_str(), kept.incident_by.as_str()), ("severity", "-time"));
    assert_eq!(second(kept.clone(), true).app.remember(), kept);
    // Who said where to go goes there; how lists are sorted stays.
    let elsewhere = second(remembered, false);
    let text = elsewhere.screen();
    assert!(text.contains("[1 Overview]") && !text.contains("/app"), "{text}");
    assert_eq!(elsewhere.app.remember().hosts_by, first.app.remember().hosts_by);
}

#[test]
fn what_is_not_there_any_more_and_words_of_another_version_change_nothing() {
    let plain = outage((120, 40)).screen();
    let odd = Remembered {
        screen: "constellation".into(),
        hosts_by: "-colour".into(),
        ports_by: "smell".into(),
        hidden: vec!["port".into(), "soul".into()],
        group_by: "mood".into(),
        selected: "gone".into(),
        ..Remembered::default()
    };
    assert_eq!(second(odd.clone(), true).screen(), plain);
    let sessions = Remembered { screen: "sessions".into(), ..Remembered::default() };
    assert_eq!(second(sessions, true).screen(), plain, "they ended with their console");
    let gone = Remembered { screen: "hosts".into(), ..odd };
    assert_eq!(second(gone, true).screen(), outage((120, 40)).press("2").screen());
}

#[test]
fn open_groups_problems_and_ports_are_as_they_were_left_too() {
    // The problem under the cursor, not the first again.
    let mut first = outage((120, 40));
    first.press("j j");
    assert_eq!(second(first.app.remember(), true).screen(), first.screen());
    // The port of its device.
    first.press("3 j Tab j j");
    let port = first.app.selected();
    assert!(matches!(port, Some(Selected::Port(..))), "{port:?}");
    assert_eq!(second(first.app.remember(), true).app.selected(), port);
    first.press("g h g h");
    let head = first.press("Enter").screen();
    assert!(head.contains("by group") && head.contains('▾'), "{head}");
    let again = second(first.app.remember(), true).screen();
    assert_eq!(again.lines().filter(|line| line.contains('▾')).count(), 1, "{again}");
}
