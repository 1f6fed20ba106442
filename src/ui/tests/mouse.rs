//! The mouse does what keys do, and nothing that they would not.

use super::{Console, outage};
use crate::ui::overlays::Overlay;
use crate::ui::panes::{PaneKind, ScreenId};
use crate::ui::run::Screen as _;
use crate::ui::screen::{Mouse, MouseDeed};
use crate::ui::sorting::By;

impl Console {
    /// On the first cell that shows this.
    pub(super) fn point(&mut self, deed: MouseDeed, words: &str) -> &mut Self {
        let text = self.screen();
        let (row, line) = text
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(words))
            .unwrap_or_else(|| panic!("{words}: {text}"));
        let column = line[..line.find(words).unwrap_or(0)].chars().count();
        self.point_at(deed, column, row)
    }

    pub(super) fn point_at(&mut self, deed: MouseDeed, column: usize, row: usize) -> &mut Self {
        self.app.mouse(Mouse { deed, column: column as u16, row: row as u16 });
        self
    }
}

#[test]
fn a_press_selects_and_a_second_on_the_same_row_opens() {
    let mut console = outage((120, 40));
    console.press("2");
    let names = |console: &Console| -> Vec<String> {
        let list = console.app.list(PaneKind::Hosts);
        list.order.iter().map(|row| console.app.snapshot.hosts[*row].host.name.to_string()).collect()
    };
    let third = names(&console)[2].clone();
    console.point(MouseDeed::Press, &third);
    assert_eq!(console.app.list(PaneKind::Hosts).selected, 2);
    assert!(console.app.overlays.is_empty(), "one press opens nothing");
    console.point(MouseDeed::Press, &third);
    assert!(matches!(console.app.overlays.last(), Some(Overlay::Detail { .. })));
    // Into the text nothing happens, beside it it is closed.
    console.point_at(MouseDeed::Press, 60, 20);
    assert_eq!(console.app.overlays.len(), 1);
    console.point_at(MouseDeed::Press, 0, 5);
    assert!(console.app.overlays.is_empty());
    // Long after the first, a press is a first one again.
    console.point(MouseDeed::Press, &third);
    console.app.tick(super::NOW.plus(std::time::Duration::from_secs(5)));
    console.point(MouseDeed::Press, &third);
    assert!(console.app.overlays.is_empty());
}

#[test]
fn the_wheel_turns_what_is_below_it() {
    let mut console = outage((120, 40));
    console.press("2");
    console.point_at(MouseDeed::WheelDown, 20, 10);
    assert_eq!(console.app.list(PaneKind::Hosts).selected, 3);
    console.point_at(MouseDeed::WheelUp, 20, 10).point_at(MouseDeed::WheelUp, 20, 10);
    assert_eq!(console.app.list(PaneKind::Hosts).selected, 0);
    console.press("?");
    let top = console.screen();
    console.point_at(MouseDeed::WheelDown, 60, 20);
    assert_ne!(console.screen(), top, "the help is turned");
    console.point_at(MouseDeed::WheelUp, 60, 20);
    assert_eq!(console.screen(), top);
    assert_eq!(console.app.list(PaneKind::Hosts).selected, 0, "and not the list under it");
}

#[test]
fn screens_in_the_header_and_keys_in_the_footer_are_pressed() {
    let mut console = outage((120, 40));
    console.point(MouseDeed::Press, "3 Ports");
    assert_eq!(console.app.screen, ScreenId::Ports);
    console.point(MouseDeed::Press, "1 Overview");
    console.point(MouseDeed::Press, "? help");
    assert!(matches!(console.app.overlays.last(), Some(Overlay::Help(_))));
    console.point_at(MouseDeed::PressRight, 5, 5);
    assert!(console.app.overlays.is_empty());
}

#[test]
fn what_is_being_written_is_not_lost_by_a_press() {
    let mut console = outage((120, 40));
    console.press(": n o t e");
    console.point_at(MouseDeed::Press, 20, 10).point_at(MouseDeed::PressRight, 20, 10);
    assert!(console.screen().contains(":note"), "{}", console.screen());
    console.press("Esc I");
    console.app.paste("the core is down".to_owned());
    for deed in [MouseDeed::Press, MouseDeed::PressRight, MouseDeed::WheelDown] {
        console.point_at(deed, 0, 0);
    }
    assert!(console.screen().contains("the core is down"), "{}", console.screen());
}

/// Whatever a terminal reports, even of a screen that is not there.
#[test]
fn no_report_of_a_mouse_harms() {
    for size in [(1, 1), (3, 2), (60, 20), (200, 60)] {
        let mut console = outage(size);
        for screen in ["1", "2", "3", "4", "5", "6", "9"] {
            console.press(screen);
            for at in [(0, 0), (size.0, size.1), (u16::MAX, u16::MAX), (size.0 / 2, size.1 / 2), (size.0 / 2, 1)] {
                for deed in [MouseDeed::WheelDown, MouseDeed::WheelUp, MouseDeed::Press, MouseDeed::PressRight] {
                    console.point_at(deed, usize::from(at.0), usize::from(at.1));
                    console.screen();
                }
            }
        }
    }
}

#[test]
fn a_head_sorts_by_its_column_and_again_the_other_way_round() {
    let mut console = outage((120, 40));
    let order = |console: &Console, kind| console.app.order_of(kind);
    let chosen = |by, reversed| crate::ui::sorting::Order { by, reversed };
    console.press("2").point(MouseDeed::Press, "host  ");
    assert_eq!(order(&console, PaneKind::Hosts), chosen(By::Name, false));
    assert!(console.screen().contains("host▲"), "{}", console.screen());
    console.point(MouseDeed::Press, "host▲");
    assert_eq!(order(&console, PaneKind::Hosts), chosen(By::Name, true));
    // The picker stands where the head does.
    let picker = console.press("S").screen();
    assert!(picker.contains("▼ host         from A to Z, reversed"), "{picker}");
    console.press("Esc").point(MouseDeed::Press, " age");
    assert_eq!(order(&console, PaneKind::Hosts), chosen(By::Age, false));
    console.point(MouseDeed::Press, "rtt/load").point(MouseDeed::Press, "rtt/load");
    assert_eq!(order(&console, PaneKind::Hosts), chosen(By::RoundTrip, true));
    // What is said has no order.
    console.point(MouseDeed::Press, "says");
    assert_eq!(order(&console, PaneKind::Hosts), chosen(By::RoundTrip, true));
}

#[test]
fn heads_of_backups_and_ports_are_pressed_too() {
    let mut console = outage((120, 40));
    let jobs = |console: &Console| -> Vec<String> {
        let list = console.app.list(PaneKind::Backups);
        list.order.iter().map(|row| console.app.snapshot.jobs[*row].job.name.to_string()).collect()
    };
    console.press("4");
    assert_eq!(jobs(&console), ["db01 nightly", "mail weekly", "files"], "worst first");
    console.point(MouseDeed::Press, "newest");
    assert_eq!(jobs(&console), ["files", "mail weekly", "db01 nightly"]);
    assert!(console.screen().contains("▲newes"), "{}", console.screen());
    console.point(MouseDeed::Press, "▲newes");
    assert_eq!(jobs(&console), ["db01 nightly", "mail weekly", "files"]);
    console.press("S");
    assert!(console.screen().contains("Sort the backups by"), "{}", console.screen());
    console.press("Esc 3").point(MouseDeed::Press, "speed");
    assert_eq!(console.app.columns.sort.column.name(), "speed");
    assert_eq!(console.app.focus, PaneKind::Ports);
    console.point(MouseDeed::Press, "▼spee");
    assert!(console.app.columns.sort.reversed);
}
