//! What is copied: names, rows and whole lists, without anything that a terminal or a table would take for its own.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::fixture::{self, NOW};
use super::{Console, outage};
use crate::ui::clipboard::{Clip, Clipboard};
use crate::ui::run::Screen as _;

/// What was copied since, as text.
pub fn copied(console: &mut Console) -> String {
    let bytes = console.app.take_clip().expect("something was copied").bytes();
    let encoded = bytes.strip_prefix(b"\x1b]52;c;").and_then(|rest| rest.strip_suffix(b"\x1b\\"));
    let text = data_encoding::BASE64.decode(encoded.expect("one sequence")).expect("base64");
    String::from_utf8(text).expect("text")
}

#[test]
fn a_name_a_row_and_a_list_are_copied() {
    let mut console = outage((120, 40));
    console.press("2 y");
    assert_eq!(copied(&mut console), "core-sw1");
    assert!(console.screen().contains("copied core-sw1"), "{}", console.screen());
    console.press("Y");
    let row = copied(&mut console);
    let cells: Vec<&str> = row.split('\t').collect();
    assert_eq!((cells.len(), cells[0], cells[1]), (10, "core-sw1", "DOWN"), "{row:?}");
    assert!(console.screen().contains("copied the row of core-sw1"));
    console.press(": c o p y Space t a Tab Enter");
    let table = copied(&mut console);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("host\tstate\t") && lines[1] == row, "{table}");
    let rows = console.app.snapshot.hosts.len();
    assert_eq!(lines.len(), rows + 1);
    assert!(lines.iter().all(|line| line.split('\t').count() == 10), "{table}");
    assert!(console.screen().contains(&format!("copied {rows} rows")), "{}", console.screen());
    assert_eq!(console.app.take_clip(), None, "each copy goes once");
}

/// As it is seen, without blanks at the ends, and clean whatever names hold.
#[test]
fn the_screen_is_copied_as_text() {
    let mut console = outage((80, 24));
    let shown = console.press("2").screen();
    console.press(": c o p y Space s c Tab Enter");
    assert_eq!(copied(&mut console), shown + "\n");
    assert!(console.screen().contains("copied the screen"), "{}", console.screen());
    let mut hostile = Console::new((80, 24), fixture::hostile(), true);
    hostile.press(": c o p y Space s c r e e n Enter");
    assert!(copied(&mut hostile).lines().all(crate::base::text::is_clean));
}

/// Every list there is, with names that mean harm.
#[test]
fn each_list_has_as_many_cells_as_titles_and_nothing_foreign_breaks_out() {
    for snapshot in [fixture::outage(), fixture::hostile()] {
        let mut console = Console::new((120, 40), snapshot, true);
        for keys in ["1", "2", "3", "3 Tab", "4", "5", "9"] {
            console.press(keys).press(": c o p y Space t a b l e Enter");
            let Some(clip) = console.app.take_clip() else {
                assert!(console.screen().contains("no row to copy"), "{keys}:\n{}", console.screen());
                continue;
            };
            let again = clip.bytes();
            let text = data_encoding::BASE64.decode(&again[7..again.len() - 2]).expect("base64");
            let text = String::from_utf8(text).expect("text");
            let wide = text.lines().next().expect("titles").split('\t').count();
            for line in text.lines() {
                assert_eq!(line.split('\t').count(), wide, "{keys}: {line:?}");
                assert!(line.split('\t').all(crate::base::text::is_clean), "{keys}: {line:?}");
            }
            assert_eq!(Clip::new(&text).expect("as before").bytes(), again);
        }
    }
}

#[test]
fn what_is_old_is_copied_as_old() {
    let mut console = outage((120, 40));
    console.press("2 : c o p y Space t a b l e Enter");
    let table = copied(&mut console);
    let stale = table.lines().find(|line| line.starts_with("mon3\t")).expect("the host is there");
    assert!(stale.contains("STALE"), "{stale}");
}

#[test]
fn what_is_too_much_for_a_terminal_goes_to_a_file_and_the_notice_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut console = outage((200, 40));
    console.app.clipboard = Clipboard::new(true, vec![folder.path().to_owned()]);
    console.press("2 y");
    assert_eq!(console.app.take_clip(), None);
    let began = Instant::now();
    // The thread that writes has no waker that a test could wait for.
    while console.app.poll_sessions(&mut Context::from_waker(Waker::noop())) == Poll::Pending {
        assert!(began.elapsed() < Duration::from_secs(20), "it is never written");
        std::thread::yield_now();
    }
    let path = folder.path().join("copied.tsv");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "core-sw1");
    let text = console.screen();
    assert!(text.contains(&format!("copied core-sw1 to {}", path.display())), "{text}");
    // Nowhere to write: it is not called copied.
    console.app.clipboard = Clipboard::new(true, Vec::new());
    console.app.tick(NOW);
    console.press("y");
    while console.app.poll_sessions(&mut Context::from_waker(Waker::noop())) == Poll::Pending {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing is said");
        std::thread::yield_now();
    }
    assert!(console.screen().contains("NOT COPIED"), "{}", console.screen());
}

/// To send it on as it was read.
#[test]
fn what_is_read_is_copied_as_a_whole() {
    let mut console = outage((80, 24));
    console.press("2 Enter y");
    assert_eq!(copied(&mut console), "core-sw1");
    let shown = console.press("Y").screen();
    let text = copied(&mut console);
    assert!(text.starts_with("core-sw1\n\nDOWN for "), "{text}");
    assert!(text.lines().count() > 8 && text.lines().all(crate::base::text::is_clean), "{text}");
    assert!(shown.contains("copied core-sw1 ("), "{shown}");
}
