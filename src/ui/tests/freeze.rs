//! The picture held still: nothing in it moves, it is marked, and what must not be missed comes through.

use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fixture::{self, NOW};
use super::{Console, lines, outage};
use crate::bus::{Call, Notice};
use crate::config::theme::Meaning;
use crate::model::{Condition, Desktop};
use crate::state::{Snapshot, Storage};
use crate::ui::frame::{Frame, Link};
use crate::ui::run::Screen as _;

/// The screen so much later.
fn later(console: &Console, seconds: u64) -> Buffer {
    let area = Rect::new(0, 0, console.size.0, console.size.1);
    let mut buffer = Buffer::empty(area);
    let now = NOW.plus(Duration::from_secs(seconds));
    let mut frame =
        Frame { buffer: &mut buffer, area, now, wall: now, link: Link::default(), cursor: None, answer: None };
    console.app.draw(&mut frame);
    buffer
}

fn later_text(console: &Console, seconds: u64) -> String {
    lines(&later(console, seconds)).join("\n")
}

/// The outage after a while: db01 is critical too, and nothing is saved any more.
fn worse() -> Arc<Snapshot> {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.revision += 1;
    snapshot.at = NOW.plus(Duration::from_secs(12));
    snapshot.totals.critical += 1;
    snapshot.engine.storage = Storage::NotSaved { reason: "disk full".into() };
    for host in &mut snapshot.hosts {
        if &*host.host.name == "db01" {
            *host = Arc::new(fixture::host("db01", Condition::Critical, "no answer since the freeze", 5));
        }
    }
    Arc::new(snapshot)
}

#[test]
fn a_frozen_picture_stands_still_is_marked_and_goes_on_by_the_same_key() {
    for size in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let mut console = outage(size);
        console.press("2");
        let before = console.screen();
        console.press("F");
        console.app.snapshot(worse());
        let text = later_text(&console, 12);
        assert!(text.lines().next().is_some_and(|line| line.ends_with(" FROZEN 00:12")), "{text}");
        assert!(text.contains("NOT SAVED: disk full"), "{text}");
        assert!(!text.contains("no answer since the freeze"), "{text}");
        // Each row is as it was, its age too, however late it is.
        let rows = |text: &str| text.lines().filter(|line| line.contains("db0")).map(str::to_owned).collect::<Vec<_>>();
        assert!(!rows(&before).is_empty());
        assert_eq!(rows(&later_text(&console, 3_000)), rows(&before), "{size:?}");
        insta::assert_snapshot!(format!("frozen_{}x{}", size.0, size.1), text);
        console.press("F");
        let text = later_text(&console, 12);
        assert!(!text.contains("FROZEN") && text.contains("no answer since the freeze"), "{text}");
    }
}

#[test]
fn keys_move_in_it_and_the_selection_is_kept_when_it_goes_on() {
    let mut console = outage((80, 24));
    console.press("2 j j j F");
    let on = console.app.selected();
    console.app.snapshot(worse());
    assert_eq!(console.app.selected(), on);
    console.press("j");
    assert_ne!(console.app.selected(), on);
    console.press("k F");
    assert_eq!(console.app.selected(), on);
    for (key, pane) in [("1", "PROBLEMS"), ("3", "PORTS"), ("4", "BACKUPS"), ("9", "LOG")] {
        let text = later_text(console.press("F").press(key), 5);
        assert!(text.contains(pane) && text.contains("FROZEN"), "{text}");
        console.press("F");
    }
}

#[test]
fn the_mark_is_there_at_every_size_that_has_room_for_it_and_under_every_box() {
    for width in [14, 20, 40, 60, 80, 120] {
        for height in 1..30 {
            for keys in ["F", "F ?", "F Enter", "Enter F"] {
                let mut console = outage((width, height));
                let text = later_text(console.press(keys), 72);
                assert!(text.contains("FROZEN 01:12"), "{width}x{height} {keys}:\n{text}");
            }
        }
    }
}

#[test]
fn what_rings_is_said_and_the_counts_are_of_now() {
    let mut console = outage((120, 40));
    console.press("F");
    console.app.snapshot(worse());
    console.app.notice(Notice::Ring(Call { words: "core-sw9 is down".into(), desktop: Desktop::Osc9 }));
    let text = later_text(&console, 12);
    assert!(text.contains("core-sw9 is down"), "{text}");
    let critical = worse().totals.critical;
    let head = text.lines().next().expect("a header");
    assert!(head.contains(&format!("■ {critical}")), "{head}");
    assert!(text.contains(&format!("critical {}, now {critical}", critical - 1)), "{text}");
    assert!(console.app.take_ring().is_some());
    // It counts on by itself.
    let now = NOW.plus(Duration::from_millis(12_300));
    assert_eq!(console.app.next_wake(now), Some(NOW.plus(Duration::from_secs(13))));
    let mark = console.app.look.style(Meaning::Banner);
    let buffer = later(&console, 12);
    assert_eq!(buffer[(117, 0)].bg, mark.bg.unwrap_or_default());
}
