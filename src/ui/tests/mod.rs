//! Keys in, screen out: whole screens as text, at the sizes that people have.

mod again;
mod backups;
mod before;
mod beside;
pub mod campus;
pub mod care;
mod commands;
mod copy;
pub mod fixture;
pub mod foreign;
mod freeze;
mod grouping;
mod help;
mod hidden;
mod layouts;
mod link;
mod log;
mod looks;
mod machines;
mod marks;
mod mouse;
mod notifications;
mod ports;
mod sorting;
mod themes;
mod tour;
mod views;
mod watch;

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use tokio::sync::mpsc;

use super::action::Action;
use super::app::{App, Setup};
use super::clipboard::Clipboard;
use super::frame::{Capabilities, Colours, Frame, Link};
use super::panes::Selected;
use super::run::Screen;
use super::screen::{Mouse, MouseDeed};
use super::themes::Themes;
use crate::bus::{self, Command, Notice, SessionInput};
use crate::config::key::Key;
use crate::config::keymap::{self, Keymap};
use crate::model::{AssetId, Session, SessionId, SessionStatus};
use crate::state::{Mode, Snapshot, Storage};
use fixture::NOW;

struct Console {
    app: App,
    commands: mpsc::Receiver<Command>,
    size: (u16, u16),
}

impl Console {
    fn new(size: (u16, u16), snapshot: Arc<Snapshot>, unicode: bool) -> Self {
        let (sender, commands) = mpsc::channel(64);
        let mut keys = Keymap::default();
        let problems = keys.merge("shipped", keymap::SHIPPED, &Action::names());
        assert!(problems.is_empty(), "the shipped keymap has problems");
        let theme = if unicode { "dark" } else { "mono" };
        let capabilities = Capabilities { colours: if unicode { Colours::True } else { Colours::Mono }, unicode };
        let mut app = App::new(Setup {
            commands: sender,
            keymap: keys,
            themes: Themes::only(theme, capabilities),
            capabilities,
            target: None,
            system_ssh: vec!["ssh".into()],
            messages: Vec::new(),
            trouble: Arc::default(),
            clipboard: Clipboard::default(),
            now: NOW,
        });
        app.tick(NOW);
        app.resized(size.0, size.1);
        app.snapshot(snapshot);
        Self { app, commands, size }
    }

    /// Keys as the keymap writes them, with blanks between.
    fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ').filter(|k| !k.is_empty()) {
            self.app.key(Key::parse(key).unwrap_or_else(|| panic!("{key} is no key")));
        }
        self
    }

    fn buffer(&self) -> Buffer {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let mut buffer = Buffer::empty(area);
        let mut frame =
            Frame { buffer: &mut buffer, area, now: NOW, wall: NOW, link: Link::default(), cursor: None, answer: None };
        self.app.draw(&mut frame);
        buffer
    }

    fn screen(&self) -> String {
        lines(&self.buffer()).join("\n")
    }
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let mut out = Vec::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut hidden = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            hidden = crate::base::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push(line.trim_end().to_owned());
    }
    out
}

fn outage(size: (u16, u16)) -> Console {
    Console::new(size, fixture::outage(), true)
}

#[test]
fn words_that_name_a_key_name_the_one_that_is_bound_now() {
    let mut console = Console::new((120, 40), fixture::nothing(), true);
    let mine = "[screen]\n\"P\" = \"\"\n\"p\" = \"\"\n\"Q\" = \"pause\"\n\"n\" = \"\"\n\"t\" = \"\"\n";
    let problems = console.app.keymap.merge("mine", mine, &Action::names());
    assert!(problems.is_empty(), "{problems:?}");
    let incident = console.press("5").screen();
    assert!(incident.contains("I opens one; :note writes a note"), "{incident}");
    let mut healthy = (*fixture::outage()).clone();
    healthy.hosts.retain(|host| host.condition == crate::model::Condition::Ok && !host.stale);
    healthy.problems = Vec::new().into();
    healthy.engine.mode = Mode::Paused;
    console.app.snapshot(Arc::new(healthy));
    let screen = console.press("2 : p r o b l e m s _ o n l y Enter").screen();
    assert!(screen.contains("no host has a problem: :problems_only shows all"), "{screen}");
    assert!(screen.contains("nothing is polled, Q resumes"), "{screen}");
}

/// The screen at the sizes that people have; each is looked at before it is accepted.
#[test]
fn an_outage_at_the_sizes_that_people_have() {
    for size in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("outage_{}x{}", size.0, size.1), outage(size).screen());
    }
}

#[test]
fn without_colour_and_without_unicode_the_screen_says_the_same() {
    let console = Console::new((80, 24), fixture::outage(), false);
    let buffer = console.buffer();
    let text = console.screen();
    assert!(text.is_ascii(), "{text}");
    assert!(buffer.content.iter().all(|cell| !matches!(cell.fg, Color::Rgb(..) | Color::Indexed(_))));
    insta::assert_snapshot!("outage_ascii", text);
}

#[test]
fn a_quiet_network_teaches_what_could_be_watched() {
    insta::assert_snapshot!("quiet", Console::new((80, 24), fixture::quiet(), true).screen());
    insta::assert_snapshot!("nothing", Console::new((80, 24), fixture::nothing(), true).screen());
}

/// The first frame of a large network on a busy machine: nobody is told to configure what is configured.
#[test]
fn before_anything_is_known_nothing_is_said_of_it() {
    let mut console = Console::new((120, 40), Arc::default(), true);
    let text = console.screen();
    assert!(text.contains("starting: nothing is known yet"), "{text}");
    for words in ["FIRST STEPS", "no hosts", "no switches", "no backups", "no incident", "none"] {
        assert!(!text.contains(words), "{words}: {text}");
    }
    console.app.snapshot(fixture::nothing());
    let text = console.screen();
    assert!(text.contains("FIRST STEPS") && text.contains("no hosts") && !text.contains("starting"), "{text}");
}

#[test]
fn every_digit_opens_its_screen() {
    let mut console = outage((80, 24));
    for (key, pane) in
        [("2", "HOSTS"), ("3", "acc-17"), ("4", "BACKUPS"), ("5", "INC-7"), ("9", "LOG"), ("1", "PROBLEMS")]
    {
        let text = console.press(key).screen();
        assert!(text.contains(pane) && text.contains(&format!("[{key} ")), "{key}:\n{text}");
    }
}

#[test]
fn enter_shows_everything_and_escape_comes_back() {
    let mut console = outage((120, 40));
    let before = console.screen();
    let detail = console.press("Enter").screen();
    for want in ["icmp   CRITICAL", "ICMP echo to 192.0.2.7, every 10s", "last good"] {
        assert!(detail.contains(want), "{want} is missing in\n{detail}");
    }
    console.press("Esc");
    assert_eq!(console.screen(), before);
}

#[test]
fn a_filter_narrows_the_lists_and_escape_clears_it() {
    let mut console = outage((80, 24));
    console.press("2 / s t a t e : s t a l e Enter");
    let text = console.screen();
    assert!(text.contains("mon3") && !text.contains("db01 "), "{text}");
    console.press("Esc");
    assert!(console.screen().contains("db01"));
}

#[test]
fn the_selection_stays_on_its_host_when_the_inventory_shrinks() {
    let mut console = outage((80, 24));
    console.press("2 j j j");
    let on = console.app.selected();
    assert!(matches!(&on, Some(Selected::Host(id)) if id.as_str() == "mon3"), "{on:?}");
    let mut fewer = (*fixture::outage()).clone();
    fewer.hosts.retain(|h| &*h.host.name != "db02" && &*h.host.name != "web2");
    fewer.revision += 1;
    console.app.snapshot(Arc::new(fewer));
    assert_eq!(console.app.selected(), on);
}

#[test]
fn a_note_is_saved_only_when_the_journal_says_so() {
    let mut console = outage((120, 40));
    console.press("n P S U Space d e a d Enter");
    assert!(console.screen().contains("saving"), "{}", console.screen());
    let sent = std::iter::from_fn(|| console.commands.try_recv().ok()).find_map(|command| match command {
        Command::AddEntry { ticket, text, about, .. } => Some((ticket, text, about)),
        _ => None,
    });
    let (ticket, text, about) = sent.expect("the entry was sent");
    assert_eq!((text.as_str(), about.as_deref()), ("PSU dead", Some("core-sw1")));
    console.app.notice(Notice::NotSaved { ticket, reason: "disk full".into() });
    let text = console.screen();
    assert!(text.contains("PSU dead") && text.contains("disk full"), "{text}");
    console.press("Enter");
    assert!(matches!(console.commands.try_recv(), Ok(Command::AddEntry { .. })), "it can be tried again");
}

/// A console with a session open, and what its remote side is sent.
fn in_session(size: (u16, u16)) -> (Console, mpsc::Sender<Vec<u8>>, mpsc::Receiver<SessionInput>) {
    let mut console = outage(size);
    let (pipe, output, input) = bus::session_pipe(SessionId(7));
    let session =
        Session { id: SessionId(7), asset: AssetId::new("db01"), title: "db01".into(), status: SessionStatus::Open };
    console.app.notice(Notice::SessionOpened { session, pipe });
    (console, output, input)
}

fn sent(input: &mut mpsc::Receiver<SessionInput>) -> String {
    let mut out = Vec::new();
    while let Ok(item) = input.try_recv() {
        if let SessionInput::Bytes(bytes) = item {
            out.extend(bytes);
        }
    }
    String::from_utf8(out).expect("text")
}

#[test]
fn the_key_that_left_a_session_is_sent_to_it_when_it_comes_next() {
    let (mut console, _output, mut input) = in_session((80, 24));
    for (key, bytes) in [("Ctrl+\\", "\x1c"), ("F12", "\x1b[24~")] {
        console.press("a").press(key);
        assert!(console.screen().contains(&format!("{key} again sends it to db01")), "{}", console.screen());
        assert_eq!(sent(&mut input), "a");
        console.press(key).press("b");
        assert_eq!(sent(&mut input), format!("{bytes}b"));
    }
    // Any other key in between, also the other way out, and it is the console's own.
    for other in ["6", "j", "F12", "? Esc"] {
        console.press("Ctrl+\\").press(other).press("Ctrl+\\");
        assert_eq!(sent(&mut input), "", "{other}");
        assert!(!console.app.typing);
        console.press("6 Enter");
    }
}

#[test]
fn a_session_has_the_name_of_its_host_whatever_title_it_gives_itself() {
    let (mut console, output, _input) = in_session((80, 24));
    output.try_send(b"\x1b]0;core-sw1\x07".to_vec()).expect("room");
    assert!(console.app.poll_sessions(&mut Context::from_waker(Waker::noop())).is_ready());
    let text = console.screen();
    assert!(text.contains("[db01]") && text.contains("scrolls · \"core-sw1\""), "{text}");
    console.press("F12 1");
    assert!(console.screen().contains(" 6(1) "), "{}", console.screen());
}

#[test]
fn a_session_that_runs_is_ended_only_after_a_question() {
    let (mut console, _output, mut input) = in_session((80, 24));
    console.press("x");
    assert_eq!(sent(&mut input), "x", "a letter like any other while it is typed into");
    console.press("F12 x");
    assert!(console.screen().contains("End the session with db01?"), "{}", console.screen());
    console.press("n F12 q");
    assert!(console.screen().contains("A session ends with it"), "{}", console.screen());
    console.press("n x y");
    let sent = std::iter::from_fn(|| console.commands.try_recv().ok());
    assert!(sent.into_iter().any(|command| matches!(command, Command::CloseSession(SessionId(7)))));
    assert!(console.app.sessions.is_empty());
}

#[test]
fn an_update_that_a_remote_side_never_ends_wakes_the_screen() {
    let (mut console, output, _input) = in_session((80, 24));
    let calm = console.app.next_wake(NOW).expect("some time");
    output.try_send(b"\x1b[?2026hhalf".to_vec()).expect("room");
    let polled = console.app.poll_sessions(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "it is not shown in halves");
    let wake = console.app.next_wake(NOW).expect("some time");
    assert!(wake < calm && wake.since(NOW) <= Duration::from_millis(150), "{wake}");
}

#[test]
fn a_note_from_the_command_line_comes_back_as_a_text_if_it_cannot_be_saved() {
    let mut console = outage((80, 24));
    console.press(": n o t e Space P S U Space d e a d Enter");
    let sent = std::iter::from_fn(|| console.commands.try_recv().ok()).find_map(|command| match command {
        Command::AddEntry { ticket, text, .. } => Some((ticket, text)),
        _ => None,
    });
    let (ticket, text) = sent.expect("the entry was sent");
    assert_eq!((text.as_str(), console.app.unsaved()), ("PSU dead", vec!["PSU dead".to_owned()]));
    let reason = "the disk is full (/home/ops1/.local/state/noctty/journal.db); free some space";
    console.app.notice(Notice::NotSaved { ticket, reason: reason.into() });
    let text = console.screen();
    for want in ["PSU dead", "the disk is full", "free some space", "Enter tries again"] {
        assert!(text.contains(want), "{want} is missing in\n{text}");
    }
    console.press("Enter");
    let again = std::iter::from_fn(|| console.commands.try_recv().ok());
    let tried = again.filter(|c| matches!(c, Command::AddEntry { text, .. } if text == "PSU dead"));
    assert_eq!(tried.count(), 1, "it can be tried again");
}

#[test]
fn what_must_not_be_missed_stands_in_the_header() {
    let mut snapshot = (*fixture::quiet()).clone();
    snapshot.engine.mode = Mode::Paused;
    snapshot.engine.storage = Storage::NotSaved { reason: "read-only file system".into() };
    let text = Console::new((80, 24), Arc::new(snapshot.clone()), true).screen();
    assert!(text.contains("PAUSED") && text.contains("NOT SAVED"), "{text}");
    // Whole, and with what to do, however long the path is.
    let path = "/home/operator/.local/state/noctty/journal.db";
    snapshot.engine.mode = Mode::Polling;
    let reason = format!(
        "{path} cannot be written (attempt to write a readonly database); use --state with a directory that can"
    );
    snapshot.engine.storage = Storage::NotSaved { reason: reason.into() };
    for size in [(60, 20), (80, 24), (120, 40)] {
        let text = Console::new(size, Arc::new(snapshot.clone()), true).screen();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("cannot be written (attempt to write a readonly database)"), "{text}");
        assert!(words.contains("use --state with a directory that can") && text.contains(path), "{text}");
    }
}

#[test]
fn control_c_never_leaves() {
    let mut console = outage((80, 24));
    console.press("Ctrl+C q Ctrl+C Ctrl+C");
    assert_eq!(console.app.take_exit(), None);
    console.press("q y");
    assert!(console.app.take_exit().is_some());
}

proptest! {
    /// Whatever the size and whatever foreign names hold: no panic, and nothing that a terminal obeys.
    #[test]
    fn no_size_and_no_name_breaks_the_screen(
        columns in 1u16..410,
        rows in 1u16..102,
        unicode: bool,
        deeds in proptest::collection::vec(
            prop::sample::select(vec![
                "1", "2", "3", "4", "5", "6", "9", "Tab", "j", "G", "z", "Enter", "Esc", "?", "n", "Ctrl+P", "/", "P", "g h", "g l", "S",
                "Space", "V", "a", "m", "c", "j c", "I", ": v i e w Enter", "paste", "press", "wheel", "right", "L", "b", "-", "o", "y",
            ]),
            0..12,
        ),
    ) {
        let mut console = Console::new((columns, rows), fixture::hostile(), unicode);
        for deed in deeds {
            let at = |deed| Mouse { deed, column: columns / 3, row: rows / 2 };
            match deed {
                "paste" => console.app.paste(fixture::EVIL.to_owned()),
                "press" => console.app.mouse(at(MouseDeed::Press)),
                "wheel" => console.app.mouse(at(MouseDeed::WheelDown)),
                "right" => console.app.mouse(at(MouseDeed::PressRight)),
                keys => {
                    console.press(keys);
                }
            }
        }
        let buffer = console.buffer();
        for cell in &buffer.content {
            let symbol = cell.symbol();
            prop_assert!(unicode || symbol.is_ascii(), "{symbol:?}");
            prop_assert!(crate::base::text::is_clean(symbol), "{symbol:?}");
        }
        console.app.next_wake(NOW);
    }
}

/// Whatever a name holds, what stands right of it stands where its column is.
#[test]
fn columns_stay_straight_whatever_the_names_hold() {
    for size in [(60, 20), (80, 24), (120, 40), (170, 40)] {
        let straight = outage(size).press("2").buffer();
        let hostile = Console::new(size, fixture::hostile(), true).press("2").buffer();
        let ages = |buffer: &Buffer| -> Vec<u16> {
            // Right-aligned: where the last letter of each row stands.
            let rows = 10..16;
            let ends = rows.filter_map(|y| (0..size.0).rev().find(|x| buffer[(*x, y)].symbol() != " "));
            ends.collect::<std::collections::BTreeSet<u16>>().into_iter().collect()
        };
        assert_eq!(ages(&hostile), ages(&straight), "{size:?}");
    }
}

#[test]
fn the_keys_of_a_row_act_from_its_detail_too() {
    let mut console = outage((120, 40));
    console.press("Enter");
    assert!(console.screen().lines().last().expect("a footer").contains("a claim"), "{}", console.screen());
    assert!(console.press("a").screen().contains("Claim core-sw1"), "{}", console.screen());
    console.press("Esc R");
    let sent: Vec<Command> = std::iter::from_fn(|| console.commands.try_recv().ok()).collect();
    let asked = |command: &Command| matches!(command, Command::Recheck(asset) if asset.as_str() == "core-sw1");
    assert!(sent.iter().any(asked), "{sent:?}");
    assert!(console.press("m").screen().contains("Maintenance of core-sw1"), "{}", console.screen());
    // What the palette finds is shown in the detail's stead.
    console.press("Esc Ctrl+P w e b 2 Enter");
    assert_eq!(console.app.overlays.len(), 1);
    assert!(console.screen().contains("web2"), "{}", console.screen());
}

/// Nobody has to find out how to leave a text before going on.
#[test]
fn from_what_is_read_a_screen_a_command_and_the_keys_are_one_key_away() {
    let mut console = outage((120, 40));
    for (reading, title) in [("2 Enter", "last seen"), ("2 g g c j c", "core-sw1 and "), ("1 ?", "SCREENS AND PANES")] {
        let text = console.press(reading).screen();
        assert!(text.contains(title), "{reading}: {text}");
        let text = console.press("4").screen();
        assert!(text.contains("[4 Backups]") && !text.contains(title), "{reading}: {text}");
    }
    // A command is typed over it, and given up without leaving it.
    console.press("2 g g Enter : h e l");
    let text = console.screen();
    assert!(text.contains(":hel") && text.contains("last seen"), "{text}");
    let text = console.press("Esc").screen();
    assert!(text.contains("last seen") && !text.contains(":hel"), "{text}");
    let text = console.press(": b a c k u p s Enter").screen();
    assert!(text.contains("[4 Backups]") && !text.contains("last seen"), "{text}");
    // The help comes over it, and goes again.
    console.press("2 Enter ?");
    assert!(console.screen().contains("SCREENS AND PANES"));
    let text = console.press("?").screen();
    assert!(text.contains("last seen") && !text.contains("SCREENS AND PANES"), "{text}");
}

#[test]
fn the_command_line_offers_what_tab_chooses_from_and_goes_through_its_history_both_ways() {
    let mut console = outage((120, 40));
    let offered = |console: &mut Console, keys: &str| {
        console.press(keys).screen().lines().last().expect("a footer").trim_end().to_owned()
    };
    assert_eq!(offered(&mut console, ": l a y"), ":lay  layout");
    assert_eq!(offered(&mut console, "Tab Space"), ":layout   standard  triage  network  lead  wide");
    assert_eq!(offered(&mut console, "t"), ":layout t  triage");
    assert_eq!(offered(&mut console, "Enter : h o s t Space d b"), ":host db  db01  db02  db01 nightly");
    // A note is free text: no host is offered for it.
    assert_eq!(offered(&mut console, "Esc : n o t e Space d b"), ":note db");
    console.press("Esc : p r o b l e m s _ o n l y Enter");
    assert_eq!(offered(&mut console, ": Up"), ":problems_only");
    assert!(offered(&mut console, "Up").starts_with(":layout t"));
    assert!(offered(&mut console, "Down").starts_with(":problems_only"));
    assert!(offered(&mut console, "Down").starts_with(":  "));
}

#[test]
fn the_screen_is_drawn_anew_from_wherever_one_is() {
    let mut console = outage((120, 40));
    for keys in ["2", "Enter", "n", "?"] {
        console.press(keys).press("Ctrl+L");
        assert_eq!(console.app.take_exit(), Some(super::run::Exit::Redraw), "{keys}");
    }
}

#[test]
fn the_ports_of_a_device_are_called_by_its_name_and_a_host_without_any_is_opened() {
    let mut console = outage((120, 40));
    let text = console.press(": p o r t s Space a c c - 1 7 Enter").screen();
    assert!(text.contains("[3 Ports]"), "{text}");
    assert_eq!(console.app.device().map(|device| device.host.id.as_str().to_owned()).as_deref(), Some("acc-17"));
    assert!(console.press("-").screen().contains("[1 Overview]"));
    let text = console.press(": p o r t s Space d b 0 1 Enter").screen();
    assert!(text.contains("[2 Hosts]") && console.app.overlays.len() == 1, "{text}");
}

/// The round trip and the bytes stand in the footer, coarse; where there is little room, only what one feels.
#[test]
fn the_footer_has_the_link_and_what_goes_over_it() {
    let said = |columns: u16, ms: u64, bytes_per_second: u32| {
        let console = outage((columns, 24));
        let area = Rect::new(0, 0, columns, 24);
        let mut buffer = Buffer::empty(area);
        let link = Link { round_trip: Some(Duration::from_millis(ms)), bytes_per_second };
        let frame = &mut Frame { buffer: &mut buffer, area, now: NOW, wall: NOW, link, cursor: None, answer: None };
        console.app.draw(frame);
        lines(&buffer).pop().unwrap_or_default()
    };
    assert!(said(120, 3, 1_250).ends_with("link <20 ms  1.2 kB/s"), "{}", said(120, 3, 1_250));
    assert!(said(120, 3, 99).ends_with("link <20 ms  0 B/s"), "{}", said(120, 3, 99));
    assert!(said(80, 217, 640).ends_with("link 210 ms  600 B/s"), "{}", said(80, 217, 640));
    assert!(said(120, 3, 20_480).ends_with("20.4 kB/s"), "{}", said(120, 3, 20_480));
    assert!(!said(80, 3, 640).contains("link"), "{}", said(80, 3, 640));
}

#[test]
fn anything_is_found_from_the_help_and_from_a_comparison_too() {
    for over in ["?", "2 G c k c"] {
        let mut console = outage((120, 40));
        console.press(over).press("Ctrl+P w e b 2 Enter");
        assert_eq!(console.app.overlays.len(), 1, "{over}: {}", console.screen());
        assert!(matches!(console.app.selected(), Some(Selected::Host(id)) if id.as_str() == "web2"));
    }
    // What is looked for in the help is text.
    let text = outage((120, 40)).press("? / c Ctrl+P").screen();
    assert!(text.contains("Keys and commands  /c"), "{text}");
}

/// Up brings back what was looked for, and it is seen at once.
#[test]
fn filters_have_a_history_of_their_own() {
    let mut console = outage((120, 40));
    console.press("2 / w e b Enter Esc / d b 0 Enter Esc : l a y o u t Enter");
    let text = console.press("/ Up").screen();
    assert!(text.contains("/db0") && text.contains("db02") && !text.contains("web2"), "{text}");
    let text = console.press("Up").screen();
    assert!(text.contains("/web") && text.contains("web2") && !text.contains("db02"), "{text}");
    assert!(console.press("Down Down").screen().contains("db02"), "an empty one lets everything through");
    console.press("Esc");
    assert_eq!(console.app.remember().filters, ["web", "db0"]);
    assert_eq!(console.app.remember().history, ["layout"]);
}

#[test]
fn back_and_on_again_lead_through_screens_views_and_jumps() {
    let mut console = outage((120, 40));
    let on = |console: &Console, screen: &str| {
        let text = console.screen();
        assert!(text.contains(&format!("[{screen}]")), "{screen}: {text}");
    };
    console.press("2 j j 4");
    on(&console, "4 Backups");
    on(console.press("-"), "2 Hosts");
    assert_eq!(console.app.list(super::panes::PaneKind::Hosts).selected, 2, "the list is as it was left");
    on(console.press("["), "1 Overview");
    assert!(console.press("-").screen().contains("nowhere to go back to"));
    on(console.press("]"), "2 Hosts");
    on(console.press("]"), "4 Backups");
    assert!(console.press("]").screen().contains("nowhere to go on to"));
    // The same screen again is no other place, and whoever goes elsewhere has no way on.
    console.press("- 2 2 : h o s t Space d b 0 1 Enter Esc");
    assert!(console.press("]").screen().contains("nowhere to go on to"));
    on(console.press("- -"), "1 Overview");
}

#[test]
fn the_footer_says_where_one_came_from_and_the_palette_finds_ports() {
    let mut console = Console::new((120, 40), campus::campus(), true);
    assert!(!console.press("2").screen().contains(" › "), "{}", console.screen());
    console.press("Ctrl+P a c c Space 0 / 7");
    let screen = console.screen();
    assert!(screen.contains("acc-17 Gi1/0/7"), "{screen}");
    let first = screen.find("acc-17 Gi1/0/7").expect("the port that ends with it");
    assert!(screen.find("acc-17 Gi1/0/17").is_none_or(|longer| longer > first), "{screen}");
    console.press("Enter");
    console.press("Ctrl+P c o r e / 0 / 5 Enter");
    let footer = console.screen().lines().last().expect("a footer").to_owned();
    assert!(footer.contains(" › acc-17 Gi1/0/7"), "{footer}");
    assert_eq!(console.app.selected_port().expect("a port").label(), "Gi1/0/5");
    console.press("-");
    assert_eq!(console.app.selected_port().expect("a port").label(), "Gi1/0/7");
}

#[test]
fn a_long_text_is_scrolled_to_its_end_and_not_beyond() {
    let mut console = outage((60, 20));
    let first = console.press("?").screen();
    let last = console.press("End").screen();
    assert_ne!(first, last);
    // Whoever presses on at the end comes back by one key.
    let before = console.press("k").screen();
    console.press("j j j j j j j j j j j j j j j j");
    assert_eq!(console.screen(), last);
    assert_eq!(console.press("k").screen(), before);
    assert_eq!(console.press("Home").screen(), first);
    assert_eq!(console.press("Ctrl+D Ctrl+U PageDown PageUp").screen(), first);
}
