//! What stands in room that is left, what a line says while nothing is typed, and one word for one thing.

use std::sync::Arc;

use ratatui::style::Modifier;

use super::{Console, fixture, outage};
use crate::config::theme::Meaning;
use crate::model::{AssetId, Condition, Entry, EntryKind, Reading, Target, Transition};
use crate::state::{HostView, JobState, Snapshot};
use crate::ui::frame::{Capabilities, Colours};
use crate::ui::panes::PaneKind;
use crate::ui::screen::Screen;
use crate::ui::themes::Themes;

fn changed(host: &str, ago: u64, from: Condition, to: Condition, why: &str) -> Arc<Transition> {
    Arc::new(Transition {
        at: fixture::ago(ago),
        target: Target::Host(AssetId::new(host)),
        name: host.into(),
        from,
        to,
        down: to == Condition::Critical,
        reason: why.into(),
    })
}

fn with_changes() -> Snapshot {
    let mut snapshot = (*fixture::outage()).clone();
    let behind = |host: &str| changed(host, 58, Condition::Ok, Condition::Unreachable, "behind core-sw1");
    snapshot.transitions = Arc::from([
        behind("app01"),
        behind("app02"),
        behind("app03"),
        changed("core-sw1", 60, Condition::Ok, Condition::Critical, "no answer to ICMP"),
        changed("app04", 9_000, Condition::Unreachable, Condition::Ok, ""),
        changed("app05", 20_000, Condition::Unreachable, Condition::Ok, ""),
    ]);
    snapshot
}

/// Many that are behind one failure are one line.
#[test]
fn the_overview_and_the_incident_tell_what_changed_last_where_there_is_room() {
    for keys in ["1", "5"] {
        let text = Console::new((120, 40), Arc::new(with_changes()), true).press(keys).screen();
        let lines: Vec<&str> = text.lines().skip_while(|line| !line.contains("LAST CHANGES")).collect();
        assert!(lines[1].contains("◆ 3 hosts") && lines[1].contains("ok → unreachable · behind core-sw1"), "{text}");
        assert!(lines[2].contains("■ core-sw1") && lines[2].contains("ok → down"), "{text}");
        assert!(lines[3].contains("● app04") && lines[4].contains("● app05"), "hours apart: {text}");
    }
    let mut triage = Console::new((120, 40), Arc::new(with_changes()), true);
    let text = triage.press(": l a y o u t Space t r i a g e Enter").screen();
    let line = text.lines().find(|line| line.contains("LAST CHANGES")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.starts_with("── LAST CHANGES"), "below the problems, and nowhere else: {text}");
    assert_eq!(text.matches("LAST CHANGES").count(), 1, "{text}");
    // Without a single switch too.
    let mut bare = with_changes();
    bare.devices.clear();
    let text = Console::new((120, 40), Arc::new(bare), true).screen();
    assert!(text.contains("LAST CHANGES") && text.contains("◆ 3 hosts"), "{text}");
}

/// Where a screen has room below the switches and what changed: which links are the fullest, by their speed.
#[test]
fn the_busiest_links_stand_below_what_changed_and_none_of_a_device_that_is_old() {
    let mut snapshot = with_changes();
    for (device, share) in snapshot.devices.iter_mut().zip([0.5, 0.9]) {
        let view = Arc::make_mut(device);
        let port = view.ports[3].row;
        let speed = view.table.ports[port].speed_bps.expect("it has a speed") as f64;
        view.ports[3].rates = crate::state::Rates::new([Some(speed * share), Some(1e3), None, None, None, None]);
        view.ports[3].gap = None;
    }
    let mut many = snapshot.clone();
    let other = snapshot.devices.iter().find(|device| &*device.host.name != "dist-sw4").expect("there are two");
    many.devices.extend((0..64).map(|_| other.clone()));
    let mut console = Console::new((120, 50), Arc::new(snapshot), true);
    let text = console.screen();
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.contains("BUSIEST PORTS")).skip(1).collect();
    assert!(rows.first().is_some_and(|row| row.contains("dist-sw4") && row.contains("50 %")), "{text}");
    assert!(!text.contains("90 %"), "the other one cannot be reached: {text}");
    assert!(text.find("LAST CHANGES") < text.find("BUSIEST PORTS"), "{text}");
    assert!(!console.press("3").screen().contains("BUSIEST"), "{}", console.screen());
    // However few of many a filter leaves, the ports of all of them are not gone through for a picture.
    let text = Console::new((120, 50), Arc::new(many), true).press("/ d i s t Enter").screen();
    assert!(text.contains("LAST CHANGES") && !text.contains("BUSIEST"), "{text}");
}

#[test]
fn a_load_stands_in_its_column_and_not_once_more_before_what_else_is_said() {
    let mut snapshot = (*fixture::outage()).clone();
    let view = fixture::host("zz09", Condition::Ok, "load 0.70 · mem 48 % · up 12d", 90_000);
    snapshot.hosts.push(Arc::new(view));
    let load = Console::new((120, 60), Arc::new(snapshot), true).press("2").screen();
    let row = load.lines().find(|line| line.contains("zz09")).unwrap_or_else(|| panic!("{load}"));
    assert_eq!(row.matches("load").count(), 1, "{row}");
    assert!(row.contains("mem 48 %"), "{row}");
}

#[test]
fn a_load_that_is_a_problem_is_said_beside_the_one_of_now() {
    let mut snapshot = (*fixture::outage()).clone();
    let why = "load 3.4 over 15 minutes on 2 cores · 82 security updates";
    snapshot.hosts.push(Arc::new(fixture::host("zz09", Condition::Warning, why, 90_000)));
    let text = Console::new((160, 60), Arc::new(snapshot), true).press("2").screen();
    let row = text.lines().find(|line| line.contains("zz09")).unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains("load 0.7") && row.contains(why), "{row}");
}

/// A list is sorted by what stands above its columns.
#[test]
fn a_sort_picker_has_the_words_of_the_heads() {
    for (keys, kind) in
        [("2", PaneKind::Hosts), ("4", PaneKind::Backups), ("9", PaneKind::Log), ("5", PaneKind::Incident)]
    {
        let mut console = outage((200, 60));
        let heads = console.press(keys).screen().lines().take(6).collect::<Vec<_>>().join(" ");
        for by in crate::ui::sorting::By::of(kind) {
            let word = by.head(kind);
            // Some heads have two, and of some nothing here has any.
            let known =
                ["loss", "owner", "hangs on", "group", "site", "from", "kind", "rtt", "load", "age"].contains(&word);
            assert!(known || heads.contains(word), "{word}: {heads}");
        }
    }
}

/// What is behind one failure is one line, whatever happened between.
#[test]
fn what_happened_between_does_not_part_what_one_failure_took_along() {
    let mut snapshot = (*fixture::outage()).clone();
    let behind = |host: &str, ago| changed(host, ago, Condition::Ok, Condition::Unreachable, "behind core-sw1");
    snapshot.transitions = Arc::from([
        behind("app01", 58),
        changed("core-sw1", 59, Condition::Ok, Condition::Critical, "no answer to ICMP"),
        behind("app02", 60),
        changed("db01", 60, Condition::Ok, Condition::Unreachable, "behind core-sw2"),
        behind("app03", 61),
    ]);
    let text = Console::new((120, 40), Arc::new(snapshot), true).screen();
    assert!(text.contains("◆ 3 hosts") && text.contains("◆ db01 "), "{text}");
    assert_eq!(text.matches("ok → unreachable").count(), 2, "{text}");
}

/// Who starts without a configuration reads what to do next; who has one does not.
#[test]
fn a_first_start_says_what_to_do_next() {
    let mut snapshot = (*fixture::quiet()).clone();
    let text = Console::new((120, 40), Arc::new(snapshot.clone()), true).screen();
    assert!(!text.contains("FIRST STEPS"), "configured: {text}");
    for view in &mut snapshot.hosts {
        Arc::make_mut(&mut Arc::make_mut(view).host).origin = crate::model::Origin::Local;
    }
    let first = Arc::new(snapshot);
    let text = Console::new((120, 40), first.clone(), true).screen();
    for words in ["FIRST STEPS", "nothing is configured yet", "noctty config init", "noctty import", ":tour", "Ctrl+P"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    insta::assert_snapshot!("first_start_120x40", text);
    // What the footer has too gives way first.
    let mut few = (*first).clone();
    few.remarks = Arc::default();
    let low = Console::new((80, 24), Arc::new(few), true).screen();
    for words in ["noctty config init  ", "noctty import  ", ":look ADDRESS  ", ":tour  "] {
        assert!(low.contains(words), "{words}: {low}");
    }
    let lower = Console::new((60, 20), first, true).screen();
    assert!(!lower.contains("FIRST STEPS"), "{lower}");
}

#[test]
fn what_failed_and_is_not_believed_yet_is_named_where_there_is_no_problem() {
    let mut snapshot = (*fixture::quiet()).clone();
    assert!(!Console::new((120, 40), Arc::new(snapshot.clone()), true).screen().contains("tried again"));
    for view in &mut snapshot.hosts[..2] {
        let check = &mut Arc::make_mut(view).checks[0];
        Arc::make_mut(&mut check.spec).attempts = 3;
        check.attempt = 1;
    }
    let text = Console::new((120, 40), Arc::new(snapshot), true).screen();
    assert!(text.contains("none: 3 of 3 hosts ok"), "{text}");
    assert!(text.contains("a check failed and is tried again: this machine, gateway"), "{text}");
}

#[test]
fn what_stands_above_all_panes_is_not_said_below_the_hosts_once_more() {
    let why = "noctty.toml:3:1: unknown key `adress` in [[host]]";
    let mut snapshot = (*fixture::quiet()).clone();
    snapshot.remarks = Arc::from([Arc::from(why), Arc::from("no SSH hosts")]);
    let mut console = Console::new((120, 40), Arc::new(snapshot), true);
    assert!(console.screen().contains(why) && console.screen().contains("no SSH hosts"), "{}", console.screen());
    console.app.trouble.set(format!("CONFIGURATION: 1 error: {why}")).expect("nothing yet");
    assert_eq!(console.screen().matches(why).count(), 1, "{}", console.screen());
    assert!(console.press("9").screen().matches(why).count() == 2, "the log has it: {}", console.screen());
}

#[test]
fn below_the_backups_stand_the_hosts_that_none_protects() {
    let text = outage((80, 24)).press("4").screen();
    assert!(text.contains("NOT PROTECTED BY A BACKUP ") && text.contains(" 25 of 26 hosts "), "{text}");
    let names = text.lines().skip_while(|line| !line.contains("NOT PROTECTED")).skip(1).collect::<Vec<_>>().join(" ");
    assert!(names.contains(" db02 ") && !names.contains(" db01 "), "{text}");
    // Where they do not all have room, how many more there are.
    let text = outage((60, 13)).press("4").screen();
    let last = text.lines().rev().nth(1).unwrap_or_default();
    assert!(last.contains(" and 14 more"), "{text}");
    // They are not what a filter asks for.
    let text = outage((80, 24)).press("4 / f i l e s Enter").screen();
    assert!(text.contains("1 matches") && !text.contains("NOT PROTECTED"), "{text}");
    let mut covered = (*fixture::outage()).clone();
    let all: Vec<AssetId> = covered.hosts.iter().map(|host| host.host.id.clone()).collect();
    let mut console = Console::new((80, 24), Arc::new(covered.clone()), true);
    assert!(console.press("4").screen().contains("NOT PROTECTED"));
    // The same jobs, which now protect everything.
    let job = Arc::make_mut(&mut covered.jobs[0]);
    Arc::make_mut(&mut job.job).protects = all;
    console.app.snapshot(Arc::new(covered));
    assert!(!console.screen().contains("NOT PROTECTED"), "{}", console.screen());
}

#[test]
fn a_backup_has_one_word_for_its_state_on_every_list() {
    let mut snapshot = (*fixture::outage()).clone();
    let job = Arc::make_mut(&mut snapshot.jobs[0]);
    (job.state, job.condition) = (JobState::AtRisk, Condition::Warning);
    let text = Console::new((120, 40), Arc::new(snapshot), true).press("4").screen();
    assert!(text.contains("RPO AT RISK"), "{text}");
}

#[test]
fn a_filter_says_what_it_may_be_until_it_is_typed_and_how_much_it_lets_through() {
    let mut console = outage((120, 40));
    let last = |console: &Console| console.screen().lines().last().unwrap_or_default().to_owned();
    console.press("2 /");
    assert!(last(&console).contains("text · !not this · ~fuzzy · state:down"), "{}", console.screen());
    console.press("d b 0");
    assert!(!last(&console).contains("fuzzy"), "{}", console.screen());
    assert!(console.screen().contains("2 match · 25 of 26 polled"), "{}", console.screen());
    // On a narrow line whole parts, and a mark.
    assert!(last(outage((30, 20)).press("/")).contains("…"));
}

#[test]
fn the_roles_of_an_incident_stand_beside_its_title() {
    let mut snapshot = (*fixture::outage()).clone();
    let mut incidents = snapshot.incidents.to_vec();
    let first = (*incidents[0].entries[0]).clone();
    let role = |text: &str| Arc::new(Entry { kind: EntryKind::Role, text: text.into(), ..first.clone() });
    let roles = [role("IC: ops1"), role("scribe: ops2"), role("IC: ops3")];
    Arc::make_mut(&mut incidents[0]).entries.extend(roles);
    snapshot.incidents = incidents.into();
    let text = Console::new((120, 40), Arc::new(snapshot), true).screen();
    let line = text.lines().nth(1).unwrap_or_default();
    assert!(line.contains("Ams core down   IC: ops3 · scribe: ops2"), "{line}");
}

#[test]
fn what_is_found_says_what_it_is_and_names_come_before_sentences() {
    let text = outage((80, 24)).press("Ctrl+P s w").screen();
    let found: Vec<&str> = text.lines().skip_while(|line| !line.contains("> sw")).skip(1).collect();
    assert!(found[0].contains("core-sw1") && found[0].contains("host"), "{text}");
    assert!(found[0].contains("■ "), "{text}");
}

/// A line below a word is not seen from five metres away.
#[test]
fn on_a_wall_without_colours_what_is_critical_is_a_block() {
    let capabilities = Capabilities { colours: Colours::Mono, unicode: true };
    let look = Themes::only("wall", capabilities).look();
    assert!(!look.style(Meaning::Critical).add_modifier.contains(Modifier::REVERSED));
    let wall = look.on_a_wall().style(Meaning::Critical);
    assert!(wall.add_modifier.contains(Modifier::REVERSED) && !wall.add_modifier.contains(Modifier::UNDERLINED));
    let coloured = Capabilities { colours: Colours::True, unicode: true };
    let look = Themes::only("wall", coloured).look();
    assert_eq!(look.clone().on_a_wall().style(Meaning::Critical), look.style(Meaning::Critical));
}

/// Who cannot be asked now is not told to get a check that it has.
#[test]
fn a_machine_that_is_silent_is_compared_as_one_that_is_not_heard_now() {
    let mut snapshot = (*fixture::outage()).clone();
    for view in &mut snapshot.hosts {
        for check in &mut Arc::make_mut(view).checks {
            let spec = Arc::make_mut(&mut check.spec);
            (spec.kind, spec.key.name) = ("linux".into(), "linux".into());
        }
    }
    let mut console = Console::new((120, 40), Arc::new(snapshot), true);
    let text = console.press("2 G k c k c").screen();
    assert!(text.contains("does not tell how it is now: its check linux has no answer"), "{text}");
    assert!(!text.contains("has not told"), "{text}");
}

/// Two that told nothing of how they are still differ in what is known of them.
#[test]
fn two_hosts_are_compared_by_what_is_known_of_them() {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.hosts.push(Arc::new(fixture::host("dist-sw4", Condition::Ok, "load 0.3", 90_000)));
    for (device, version) in snapshot.devices.iter_mut().zip(["7.1", "7.2"]) {
        Arc::make_mut(&mut Arc::make_mut(device).table).device.version = version.into();
    }
    let ids: Vec<String> = snapshot.devices.iter().map(|device| device.host.name.to_string()).collect();
    let find = |name: &str| name.chars().map(String::from).collect::<Vec<_>>().join(" ");
    let mut console = Console::new((120, 40), Arc::new(snapshot), true);
    console.press("2");
    console.press(&format!("/ {} Enter c Esc", find(&ids[0])));
    let text = console.press(&format!("/ {} Enter c", find(&ids[1]))).screen();
    assert!(text.contains("version ") && text.contains("7.1") && text.contains("7.2"), "{text}");
}

/// A small network has its backups below its hosts, and not at the other end of the screen.
#[test]
fn two_hosts_or_none_leave_no_hole_in_the_middle_of_the_overview() {
    for count in 0..3 {
        let mut snapshot = (*fixture::quiet()).clone();
        snapshot.hosts.truncate(count);
        for size in [(120, 40), (200, 60)] {
            let text = Console::new(size, Arc::new(snapshot.clone()), true).screen();
            let lines: Vec<&str> = text.lines().collect();
            let backups =
                lines.iter().position(|line| line.starts_with("── BACKUPS")).unwrap_or_else(|| panic!("{text}"));
            let bare = lines[..backups].windows(3).any(|lines| lines.iter().all(|line| line.is_empty()));
            // A high screen has the courses of their values between.
            assert!(!bare && (backups < 20 || text.contains("COURSES")), "{count} hosts: {text}");
        }
    }
    // What changed has more room than words that say that nothing is there.
    let mut changed = with_changes();
    (changed.devices, changed.problems) = (Vec::new(), Vec::new().into());
    changed.hosts.truncate(2);
    let text = Console::new((120, 40), Arc::new(changed), true).screen();
    assert!(text.contains("■ core-sw1 ok → down · no answer"), "{text}");
    // They stay where they are while a filter is typed.
    let mut console = outage((120, 50));
    let place = |console: &Console| console.screen().lines().position(|line| line.starts_with("── BACKUPS"));
    let before = place(&console);
    assert_eq!(place(console.press("/ d b 0 1")), before);
}

/// What to do is at the end of most of what is said.
#[test]
fn what_is_said_is_not_cut_for_the_sake_of_the_link() {
    let mut console = outage((80, 24));
    let last = |console: &Console| console.screen().lines().last().unwrap_or_default().to_owned();
    console.app.say(crate::bus::MessageWeight::Note, "x".repeat(60));
    assert!(last(&console).ends_with("link silent"), "{}", console.screen());
    console.app.say(crate::bus::MessageWeight::Note, "x".repeat(78));
    assert_eq!(last(&console).trim(), "x".repeat(78), "{}", console.screen());
    let chord = last(outage((80, 24)).press("g"));
    assert!(chord.contains("h gather the hosts by site  l the next layout"), "{chord}");
}

#[test]
fn the_checks_of_a_small_network_stand_below_its_hosts_and_those_of_a_large_one_do_not() {
    let more = |snapshot: &mut Snapshot| {
        for view in &mut snapshot.hosts {
            let view = Arc::make_mut(view);
            let Some(mut other) = view.checks.first().cloned() else { continue };
            Arc::make_mut(&mut other.spec).key.name = "banner".into();
            view.checks.push(other);
        }
    };
    let mut small = (*fixture::quiet()).clone();
    assert!(!Console::new((120, 40), Arc::new(small.clone()), true).screen().contains("CHECKS"), "one each");
    more(&mut small);
    let text = Console::new((120, 40), Arc::new(small.clone()), true).screen();
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.contains("── CHECKS ")).collect();
    assert!(rows[0].contains("6 of 6 ok") && rows[2].contains("this machine         banner  load 0.1"), "{text}");
    assert!(rows[6].contains("resolver 192.0.2.53  banner") && rows[6].contains("every 10s"), "{text}");
    let mut console = Console::new((120, 40), Arc::new(small), true);
    let text = console.press("/ g a t e").screen();
    assert!(text.contains("CHECKS ") && text.contains("gateway  banner") && !text.contains("resolver"), "{text}");
    let mut large = (*fixture::outage()).clone();
    more(&mut large);
    assert!(!Console::new((120, 90), Arc::new(large), true).screen().contains("CHECKS"));
}

#[test]
fn what_is_not_believed_yet_is_shown_with_its_tries_and_calls_nothing_critical() {
    let mut snapshot = (*fixture::quiet()).clone();
    let check = |view: &HostView, name: &str, condition, attempt, good: bool| {
        let mut check = view.checks.first().cloned().expect("it has one");
        let spec = Arc::make_mut(&mut check.spec);
        (spec.key.name, spec.attempts, spec.decides_reachability) = (name.into(), 3, false);
        (check.condition, check.attempt) = (condition, attempt);
        check.last_good = good.then_some(fixture::NOW);
        let last = Arc::make_mut(check.last.as_mut().expect("it was asked"));
        last.reading = Reading::critical(format!("{name} refused"));
        check
    };
    for (row, (name, condition, attempt)) in
        [("soft", Condition::Ok, 1), ("open", Condition::Critical, 3), ("never", Condition::Critical, 3)]
            .into_iter()
            .enumerate()
    {
        let view = Arc::make_mut(&mut snapshot.hosts[row]);
        let one = check(view, name, condition, attempt, name != "never");
        view.checks.push(one);
    }
    let console = Console::new((140, 40), Arc::new(snapshot.clone()), true);
    let text = console.screen();
    let line = |text: &str, part: &str| text.lines().find(|line| line.contains(part)).unwrap_or_default().to_owned();
    for (name, tries) in [("soft", "1/3"), ("open", "3/3"), ("never", "3/3")] {
        let found = text.lines().filter(|line| line.contains(&format!("{tries}: {name} refused"))).count();
        // What never answered so is no news of a host that is up.
        assert_eq!(found, if name == "never" { 1 } else { 2 }, "{name}: {text}");
    }
    assert!(line(&text, "── CHECKS ").contains("4 of 6 ok"), "{text}");
    let listed = |text: &str| -> Vec<String> {
        let below = text.lines().skip_while(|line| !line.contains("── CHECKS "));
        below.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let rows = listed(&text);
    let row = rows.iter().find(|row| row.contains("open 3/3: open refused")).expect("it is listed");
    assert!(!row.contains(console.app.look.condition(Condition::Critical, false).0), "{text}");
    // As bad as it says, once its host is.
    let view = Arc::make_mut(&mut snapshot.hosts[1]);
    view.condition = Condition::Critical;
    let text = Console::new((140, 60), Arc::new(snapshot), true).screen();
    assert!(listed(&text).iter().any(|row| row.contains("gateway open open refused")), "{text}");
    assert!(!text.contains("3/3: open"), "{text}");
}

#[test]
fn letters_in_reverse_video_are_not_dim() {
    let buffer = Console::new((120, 40), fixture::outage(), false).press("2 S").buffer();
    let reversed = || buffer.content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED));
    assert!(reversed().count() > 40, "a whole row is selected");
    let dim = reversed().filter(|cell| cell.modifier.contains(Modifier::DIM) && cell.symbol() != " ");
    assert_eq!(dim.map(ratatui::buffer::Cell::symbol).collect::<String>(), "");
}

/// A small network uses the room of a large screen.
#[test]
fn the_values_of_a_few_hosts_have_a_course_that_is_high_on_a_high_screen() {
    let text = Console::new((200, 60), fixture::quiet(), true).screen();
    insta::assert_snapshot!("few_hosts_200x60", text);
    assert!(!Console::new((120, 40), fixture::quiet(), true).screen().contains("COURSES"));
    assert!(!outage((200, 60)).screen().contains("COURSES"), "they are many");
}

/// On which days there is something to go back to.
#[test]
fn the_screen_of_backups_has_the_days_of_their_restore_points() {
    let mut console = outage((120, 40));
    insta::assert_snapshot!("restore_days_120x40", console.press("4").screen());
    let mut ascii = Console::new((80, 24), fixture::outage(), false);
    let text = ascii.press("4").screen();
    assert!(text.is_ascii() && text.contains("RESTORE POINTS"), "{text}");
    assert!(!console.press("1").screen().contains("RESTORE POINTS"));
}

#[test]
fn without_a_session_its_screen_says_how_one_is_opened() {
    insta::assert_snapshot!("no_session_80x24", outage((80, 24)).press("6").screen());
}

/// The foot of a box is broken between its parts.
#[test]
fn what_a_narrow_dialog_says_is_broken_between_its_parts() {
    for (keys, last) in [("a", "Space changes"), ("n", "Alt+Enter new line")] {
        let text = outage((60, 20)).press(keys).screen();
        let line = text.lines().find(|line| line.contains(last)).unwrap_or_else(|| panic!("{text}"));
        let behind = line.split(last).nth(1).unwrap_or_default();
        assert!(behind.trim_start().starts_with('│'), "{text}");
        assert!(text.lines().any(|line| line.contains("│ Esc leaves")), "{text}");
    }
}

/// What stands below with all its names is not counted above as well.
#[test]
fn the_place_of_a_problem_is_told_without_what_is_told_below() {
    let mut snapshot = (*fixture::outage()).clone();
    let mut problems = snapshot.problems.to_vec();
    (problems[0].rank, problems[0].hides) = ("34 hidden behind it".into(), 34);
    snapshot.problems = problems.into();
    let text = Console::new((120, 40), Arc::new(snapshot), true).press("Enter").screen();
    assert!(text.contains("problem 1 of 4") && text.matches("34 hidden behind it").count() == 1, "{text}");
}
