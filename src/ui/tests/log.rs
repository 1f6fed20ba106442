//! The log: its rows, an entry opened whole, and the way from it to what it is about.

use super::*;
use crate::bus::MessageWeight;
use crate::model::{AssetId, Condition, Entry, EntryKind, Fault, PortChange, PortEvent, Target, Transition};
use crate::ui::logbook::{KeptMessage, Source};
use crate::ui::panes::PaneKind;

/// A line that no screen has room for.
const LONG: &str = "the check of web2 was run by the shell, which said: /usr/lib/nagios/plugins/check_disk: cannot open /var/lib/\
                    containers/storage/overlay: permission denied; run it as a user who may, or leave the path out";

/// An outage with something of every kind in its log, at half past three where the operator is.
fn logged(size: (u16, u16)) -> Console {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.remarks = Arc::from([Arc::from(LONG)]);
    snapshot.engine.faults = vec!["a task panicked: icmp of db02".into()];
    snapshot.deeds = Arc::from([Arc::new(Entry {
        at: fixture::ago(60),
        text: "for ops2, until 2026-03-14 18:22 UTC: power".into(),
        kind: EntryKind::Claimed,
        ..(*fixture::deed("core-sw1")).clone()
    })]);
    let device = Arc::make_mut(&mut snapshot.devices[1]);
    let change = PortChange::State { from: crate::state::PortState::Up, to: crate::state::PortState::ErrDisabled };
    device.events = Arc::from([PortEvent { at: fixture::ago(240), port: device.key(20), change }]);
    snapshot.transitions = Arc::from([became_critical("db01", 30, "no answer to SSH")]);
    let mut console = Console::new(size, Arc::new(snapshot), true);
    console.app.zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
    console
}

/// A host that became critical.
fn became_critical(host: &str, ago: u64, why: &str) -> Arc<Transition> {
    Arc::new(Transition {
        at: fixture::ago(ago),
        target: Target::Host(AssetId::new(host)),
        name: host.into(),
        from: Condition::Ok,
        to: Condition::Critical,
        down: true,
        reason: why.into(),
    })
}

#[test]
fn an_entry_is_opened_whole_and_leads_to_what_it_is_about() {
    for size in [(60, 20), (120, 40)] {
        let mut console = logged(size);
        let name = |what: &str| format!("{what}_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name("log"), console.press("9").screen());
        let remark = console.press("G Enter").screen();
        let inside = |line: &str| Some(line.split_once('│')?.1.rsplit_once('│')?.0.trim().to_owned());
        let words = remark.lines().filter_map(inside).collect::<Vec<_>>().join(" ");
        assert!(words.contains("permission denied; run it as a user who may, or leave the path out"), "{remark}");
        insta::assert_snapshot!(name("log_remark"), remark);
        insta::assert_snapshot!(name("log_change"), console.press("Enter g g j Enter").screen());
        let host = console.press("o").screen();
        assert!(host.contains("icmp") && host.contains("╭─ db01"), "{host}");
        // And back to the log.
        assert!(console.press("-").screen().contains("LOG"));
        assert!(matches!(console.press("9").app.selected(), Some(Selected::Told(entry)) if entry.object == "db01"));
    }
}

#[test]
fn deeds_and_ports_are_in_the_log_with_who_and_what_changed() {
    let mut console = logged((120, 40));
    let record = console.press("9 / k i n d : r e c o r d Enter Enter").screen();
    for want in
        ["for ops2, until 2026-03-14 18:22 UTC: power", "by            ops1", "15:21:07", "object        core-sw1"]
    {
        assert!(record.contains(want), "{want}: {record}");
    }
    let port = console.press("Esc Esc / k i n d : p o r t Enter Enter").screen();
    for want in ["change        up → err-disabled", "port          Gi1/0/21", "object        acc-17   o goes there"] {
        assert!(port.contains(want), "{want}: {port}");
    }
    let ports = console.press("o").screen();
    assert!(ports.contains("[3 Ports]"), "{ports}");
    assert!(console.app.selected_port().is_some_and(|seen| seen.label() == "Gi1/0/21"), "{ports}");
}

/// What happened last night, before this console began, and to a host that is there no more.
#[test]
fn the_log_goes_back_before_its_console_and_its_inventory() {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.transitions =
        Arc::from([became_critical("web2", 40_000, "no answer to ICMP"), became_critical("old-db", 90_000, "")]);
    let mut console = Console::new((120, 40), Arc::new(snapshot), true);
    let text = console.press("9").screen();
    assert!(text.contains("03-14 03:15:27  11h state   web2               ok → down  no answer to ICMP"), "{text}");
    assert!(text.contains("03-13 13:22:07  25h state   old-db             ok → down"), "{text}");
    let text = console.press("/ o l d - d b Enter Enter").screen();
    assert!(text.contains("old-db   not in the inventory now"), "{text}");
}

#[test]
fn the_log_and_the_entries_of_an_incident_are_sorted_and_their_heads_say_how() {
    let mut console = logged((120, 40));
    let rows = |console: &Console| {
        let order = &console.app.list(PaneKind::Log).order;
        order.iter().map(|row| console.app.logbook.entries[*row].clone()).collect::<Vec<_>>()
    };
    assert!(console.press("9").screen().contains(" UTC▼ "), "{}", console.screen());
    let newest_first = rows(&console);
    console.press("S Enter Esc");
    let oldest_first = rows(&console);
    assert!(oldest_first.iter().eq(newest_first.iter().rev()) && console.screen().contains("by time, reversed"));
    console.press("S r j Enter Esc");
    let worst_first = rows(&console);
    assert!(worst_first.is_sorted_by(|a, b| a.condition >= b.condition), "{worst_first:?}");
    assert!(console.screen().contains("says▼") && console.screen().contains("by severity"), "{}", console.screen());
    console.press("> >");
    let by_object = rows(&console);
    let named = by_object.iter().take_while(|entry| !entry.object.is_empty()).count();
    assert!(by_object[..named].is_sorted_by(|a, b| a.object <= b.object), "{by_object:?}");
    assert!(
        named > 1 && by_object[named..].iter().all(|entry| entry.object.is_empty()),
        "what is not known comes last"
    );
    console.press("5");
    let authors = |console: &Console| {
        let order = &console.app.list(PaneKind::Incident).order;
        let entries = &console.app.snapshot.incidents[0].entries;
        order.iter().map(|row| entries[*row].author.line()).collect::<Vec<_>>()
    };
    assert_eq!(authors(&console), ["ops3", "ops1", "ops2", "ops1", "ops1"], "newest first");
    console.press("S j j Enter Esc");
    assert_eq!(authors(&console), ["ops1", "ops1", "ops1", "ops2", "ops3"]);
    assert!(console.screen().contains("by▲") && console.screen().contains("by author"), "{}", console.screen());
}

#[test]
fn a_long_name_leaves_room_for_what_happened_and_touches_nothing() {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.transitions =
        Arc::from([became_critical("app-server-with-a-long-name-09.example.net", 30, "no answer to SSH")]);
    let mut console = Console::new((60, 20), Arc::new(snapshot), true);
    let log = console.press("9").screen();
    assert!(log.contains("e.net ok → down") && !log.contains("app-server-with-a-long-name"), "{log}");
    let mut console = Console::new((60, 20), console.app.snapshot.clone(), true);
    let changes = console.press("5").screen();
    assert!(changes.contains(".net ok → down"), "{changes}");
    // Beside hosts that have most of the room there is enough for that, and the rule is whole.
    let mut snapshot = (*console.app.snapshot).clone();
    snapshot.devices.clear();
    let overview = Console::new((120, 40), Arc::new(snapshot), true).screen();
    assert!(overview.contains("LAST CHANGES ─") && overview.contains("─ UTC, newest first ─"), "{overview}");
}

#[test]
fn what_is_opened_stays_while_the_log_goes_on() {
    let mut console = logged((120, 40));
    console.press("9 j j Enter");
    let opened = console.app.selected();
    let shown = console.screen();
    assert!(shown.contains("ok → down"), "{shown}");
    for revision in 10..14 {
        let mut next = (*console.app.snapshot).clone();
        next.revision = revision;
        console.app.say(MessageWeight::Note, format!("asking web2 {revision}"));
        console.app.snapshot(Arc::new(next));
    }
    assert_eq!(console.app.selected(), opened, "nothing moves under the cursor");
    assert!(console.screen().contains("ok → down"), "{}", console.screen());
    // A message names its object.
    console.press("Esc G k / k i n d : m e s s a g e Enter Enter");
    assert!(console.screen().contains("object        web2"), "{}", console.screen());
}

#[test]
fn an_entry_of_the_journal_says_when_by_whom_and_about_what() {
    let mut console = logged((80, 24));
    let text = console.press("5 G k Enter").screen();
    for want in [
        "console shows no power on PSU A",
        "time UTC      2026-03-14 14:03:02",
        "time here     2026-03-14 15:03:02",
        "by            ops1",
        "o goes there",
    ] {
        assert!(text.contains(want), "{want}: {text}");
    }
    assert!(console.press("o").screen().contains("╭─ core-sw1"), "{}", console.screen());
}

/// What happened on another day says which.
#[test]
fn times_of_another_day_have_their_day() {
    let mut snapshot = (*fixture::outage()).clone();
    let mut incident = (*snapshot.incidents[0]).clone();
    Arc::make_mut(&mut incident.entries[0]).at = fixture::ago(3 * 86_400);
    snapshot.incidents = Arc::from([Arc::new(incident)]);
    snapshot.deeds = Arc::from([Arc::new(Entry { at: fixture::ago(86_400), ..(*fixture::deed("core-sw1")).clone() })]);
    let mut console = Console::new((80, 24), Arc::new(snapshot), true);
    let text = console.press("5").screen();
    assert!(text.contains("03-11 14:22:07 opened") && text.contains("03-14 14:18:07 action"), "{text}");
    let text = console.press("9").screen();
    assert!(text.contains("03-13 14:22:07 record"), "{text}");
}

#[test]
fn a_long_note_is_seen_whole_while_it_is_written_and_the_footer_has_no_keys_that_do_not_reach_the_list() {
    let mut console = outage((60, 20));
    console.press("n");
    console.app.paste("the first words stay in sight however long the note is, until the last words of it".to_owned());
    let text = console.screen();
    assert!(text.contains("the first words stay in sight") && text.contains("the last words of it"), "{text}");
    assert!(!text.lines().last().is_some_and(|footer| footer.contains("Enter open")), "{text}");
    // A title has one line: its end is where one types, and the mark says that it began before.
    let mut console = outage((60, 20));
    console.press("I");
    console.app.paste("core switch of the first hall is down and takes the access layer with it".to_owned());
    let text = console.screen();
    assert!(text.contains("title     …") && text.contains("the access layer with it"), "{text}");
}

#[test]
fn the_problem_of_the_console_itself_says_what_it_means() {
    let mut snapshot = (*fixture::outage()).clone();
    let blind = crate::state::Blindness {
        since: fixture::ago(120),
        silent: 18,
        targets: 20,
        cause: crate::state::Cause::NoWayOut("no default route".into()),
    };
    snapshot.problems = Arc::from([crate::state::snapshot::problems::of_console(&blind)]);
    snapshot.engine.blind = Some(blind);
    let snapshot = Arc::new(snapshot);
    let text = Console::new((120, 40), snapshot.clone(), true).press("Enter").screen();
    for want in ["CAN'T SEE for 2m", "no default route", "the likely cause is here"] {
        assert!(text.contains(want), "{want}: {text}");
    }
    let list = Console::new((160, 40), snapshot.clone(), true).screen();
    let told = |text: &str, part: char| text.lines().filter(|l| l.contains(part) && l.contains("18 of 20")).count();
    assert_eq!((told(&text, '│'), told(&list, '■')), (1, 1), "how much is silent is said once: {text}");
    assert!(!list.contains("18 behind it"), "{list}");
    // Kind and state stand apart, where the kind has a column.
    let text = Console::new((110, 30), snapshot.clone(), true).screen();
    assert!(text.contains(" console CAN'T SEE "), "{text}");
    // On every other screen it stands above what is old because of it.
    let said =
        |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").contains("CAN'T SEE since 14:20:07Z: ");
    for size in [(60, 20), (80, 24), (120, 40)] {
        let mut console = Console::new(size, snapshot.clone(), true);
        assert!(!said(&console.screen()), "{}", console.screen());
        for screen in ["2", "3", "4", "5", "9"] {
            assert!(said(&console.press(screen).screen()), "{}", console.screen());
        }
    }
}

#[test]
fn the_journal_of_an_incident_has_its_columns_where_there_is_room() {
    for size in [(60, 20), (120, 24)] {
        let mut console = logged(size);
        insta::assert_snapshot!(format!("incident_{}x{}", size.0, size.1), console.press("5").screen());
    }
}

/// A fault of this run stands first; one of an earlier run, and what an earlier console told, stand at their times.
#[test]
fn faults_of_earlier_runs_and_messages_of_earlier_consoles_are_there_at_their_times() {
    let mut snapshot = (*fixture::outage()).clone();
    let fault = |seconds, words: &str| Arc::new(Fault { at: fixture::ago(seconds), words: words.into() });
    snapshot.engine.faults = vec!["a task panicked: icmp of db02".into()];
    snapshot.faults = Arc::from([
        fault(30, "a task panicked: icmp of db02"),
        fault(7_200, "a task panicked: \u{1b}[2Jtls of web1"),
        fault(9_000, "a task panicked: icmp of db02"),
    ]);
    let mut console = Console::new((120, 40), Arc::new(snapshot), true);
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let keeper = told.clone();
    let earlier =
        KeptMessage { at: fixture::ago(7_000), weight: MessageWeight::Error, words: "db02: not saved".to_owned() };
    let keep = Box::new(move |message: KeptMessage| keeper.lock().expect("whole").push(message.words));
    console.app.logbook.go_on_from(vec![earlier], keep);
    console.press(": h o s t Space n o b o d y Enter 9");
    assert_eq!(told.lock().expect("whole").len(), 1, "what is told now is kept, what was told is not kept twice");
    let entries: Vec<(Source, bool, String)> = console
        .app
        .logbook
        .entries
        .iter()
        .map(|entry| (entry.source, entry.at.is_some(), entry.says.clone()))
        .collect();
    let faults: Vec<bool> = entries.iter().filter(|one| one.0 == Source::Fault).map(|one| one.1).collect();
    assert_eq!(faults, [false, true, true], "{entries:?}");
    let messages: Vec<&str> = entries.iter().filter(|one| one.0 == Source::Message).map(|one| &*one.2).collect();
    assert!(messages.len() == 2 && messages[1] == "db02: not saved", "{messages:?}");
    let text = console.press("/ k i n d : f a u l t Enter").screen();
    assert!(text.contains("tls of web1") && !text.contains('\u{1b}') && !text.contains("not saved"), "{text}");
}
