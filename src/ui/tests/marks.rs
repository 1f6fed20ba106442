//! Marks, and what is done to all that is marked at once.

use super::care::cared_for;
use super::*;
use crate::bus::Ticket;
use crate::model::{Scope, Target};
use crate::ui::panes::PaneKind;

fn sent(console: &mut Console) -> Vec<Command> {
    std::iter::from_fn(|| console.commands.try_recv().ok())
        .filter(|command| !matches!(command, Command::Focus(_)))
        .collect()
}

#[test]
fn a_mark_stays_on_its_host_through_sorting_filter_and_other_screens() {
    let mut console = outage((80, 24));
    let plain = console.press("2 j j").screen();
    console.press("k k Space Space");
    let text = console.screen();
    assert!(text.contains("2 marked") && text.matches("\n*").count() == 2, "{text}");
    insta::assert_snapshot!("marks_80x24", text);
    let unmarked =
        |text: &str| text.lines().filter(|l| l.contains("load 0.7")).map(|l| l[1..].to_owned()).collect::<Vec<_>>();
    assert_eq!(unmarked(&text).last(), unmarked(&plain).last(), "no row moves");
    let first = console.app.snapshot.hosts[console.app.list(PaneKind::Hosts).order[0]].host.name.to_string();
    // By name, the other way round: the mark has gone with its row.
    console.press("S j Enter Enter Esc g g");
    let marked = |text: &str| text.lines().filter(|l| l.starts_with('*')).map(str::to_owned).collect::<Vec<_>>();
    assert!(marked(&console.screen()).iter().any(|line| line.contains(&first)), "{}", console.screen());
    console.press("/ n o t h i n g Enter");
    assert!(console.screen().contains("2 marked, 2 out of sight"), "{}", console.screen());
    // Marks go before the filter does.
    console.press("Esc");
    assert!(!console.screen().contains("marked") && console.screen().contains("nothing matches"));
    console.press("Esc S r Esc g g j j");
    assert_eq!(console.screen(), plain);
}

#[test]
fn a_range_and_all_that_is_shown_are_marked_and_letters_say_it_without_unicode() {
    let mut console = Console::new((60, 20), fixture::outage(), false);
    console.press("2 v");
    assert!(console.screen().contains("mark a row of this list first"), "{}", console.screen());
    console.press("Space j j v");
    assert!(console.screen().contains("4 marked"), "{}", console.screen());
    console.press("V");
    let count = console.app.snapshot.hosts.len();
    let text = console.screen();
    assert!(text.contains(&format!("{count} marked")) && text.is_ascii(), "{text}");
    console.press("V");
    assert!(!console.screen().contains("marked"));
    console.press("9 Space");
    assert!(console.screen().contains("can be marked"), "{}", console.screen());
}

#[test]
fn a_claim_is_of_all_that_is_marked_and_what_it_could_not_do_is_said_by_name() {
    let mut console = outage((120, 40));
    console.press("Space Space 2 G Space a");
    let text = console.screen();
    assert!(text.contains("Claim 2 of 3 marked") && text.contains("(no problem)"), "{text}");
    insta::assert_snapshot!("marks_claim_120x40", text);
    console.press("o n Space i t Enter");
    let commands = sent(&mut console);
    let [Command::Claim { ticket: one, note, .. }, Command::Claim { ticket: two, target, .. }] = &commands[..] else {
        panic!("{commands:?}");
    };
    assert_eq!(&**note, "on it");
    let (one, two, name) = (*one, *two, target.label().line());
    assert!(console.screen().contains("of 3 claimed") && !console.screen().contains("marked"));
    console.app.notice(Notice::Saved { ticket: one, entry: fixture::deed("core-sw1") });
    console.app.notice(Notice::NotSaved { ticket: two, reason: "the disk is full".into() });
    let (_, said) = console.app.message.clone().expect("a message");
    assert!(said.contains("1 of 3 claimed, a tries again with the note; not "), "{said}");
    assert!(said.contains(&format!("{name} (the disk is full)")), "{said}");
    let text = console.screen();
    // What is not on disk is not lost either.
    assert!(text.contains("1 marked"), "{text}");
    assert!(console.press("a").screen().contains("on it"), "{}", console.screen());
}

#[test]
fn the_rows_that_are_marked_are_copied_and_marks_of_other_lists_stay() {
    let mut console = outage((120, 40));
    console.press("4 Space 2 Space Y");
    assert!(console.screen().contains("1 marked"), "{}", console.screen());
    console.press("Y");
    assert!(console.screen().contains("this list shows nothing that is marked"), "{}", console.screen());
}

#[test]
fn work_on_all_that_is_marked_is_a_window_for_each() {
    let mut console = outage((120, 40));
    console.press("2 Space Space m");
    assert!(console.screen().contains("Maintenance of 2 marked"), "{}", console.screen());
    console.press("Ctrl+U 9 0 x Enter");
    assert!(console.screen().contains("\"90x\" is no duration") && sent(&mut console).is_empty());
    console.press("Ctrl+U 1 h Enter");
    let commands = sent(&mut console);
    let windows = commands
        .iter()
        .filter(|command| matches!(command, Command::Maintain { order, .. } if matches!(order.scope, Scope::Asset(_))));
    assert_eq!((windows.count(), commands.len()), (2, 2));
}

#[test]
fn looking_giving_back_and_watching_ask_once_and_then_do_it_to_all() {
    let mut console = Console::new((80, 24), cared_for(), true);
    console.press("2 V u");
    let text = console.screen();
    assert!(text.contains("2 to be given back?") && text.contains("core-sw1"), "{text}");
    assert!(sent(&mut console).is_empty());
    console.press("n");
    assert!(console.screen().contains("marked") && sent(&mut console).is_empty(), "nothing was done");
    console.press("u y");
    let commands = sent(&mut console);
    assert!(
        matches!(
            &commands[..],
            [Command::Release { target: Target::Host(_), .. }, Command::CancelMaintenance { .. }]
                | [Command::CancelMaintenance { .. }, Command::Release { target: Target::Host(_), .. }]
        ),
        "{commands:?}"
    );

    let mut console = outage((80, 24));
    console.press("2 Space Space R");
    assert!(console.screen().contains("2 to be asked?"), "{}", console.screen());
    console.press("Enter");
    let commands = sent(&mut console);
    assert!(matches!(&commands[..], [Command::Recheck(_), Command::Recheck(_)]), "{commands:?}");
    assert!(console.screen().contains("2 asked"), "{}", console.screen());
    console.press("g g Space Space w y");
    let commands = sent(&mut console);
    assert!(
        matches!(&commands[..], [Command::WatchHost { watch: true, .. }, Command::WatchHost { watch: true, .. }]),
        "{commands:?}"
    );
}

#[test]
fn the_lane_of_commands_is_never_filled_by_a_deed_on_many() {
    let mut snapshot = (*fixture::outage()).clone();
    let like = snapshot.hosts[0].clone();
    for n in 0..200 {
        let mut host = (*like).clone();
        let mut named = (*host.host).clone();
        named.id = AssetId::new(format!("many{n}"));
        host.host = Arc::new(named);
        snapshot.hosts.push(Arc::new(host));
    }
    let all = snapshot.hosts.len();
    let mut console = Console::new((80, 24), Arc::new(snapshot), true);
    console.press("2 V R y");
    let mut asked = 0;
    for _ in 0..20 {
        let batch = sent(&mut console).len();
        assert!(batch <= 64 - 16, "{batch}");
        asked += batch;
        assert!(
            console.app.next_wake(NOW).expect("a time").since(NOW) <= Duration::from_secs(1)
                || batch == 0
                || asked == all
        );
        console.app.tick(NOW);
    }
    assert_eq!(asked, all);
    assert!(console.screen().contains(&format!("{all} asked")), "{}", console.screen());
}

#[test]
fn names_of_what_is_marked_are_copied_in_lines() {
    let mut console = outage((80, 24));
    console.press("2 Space Space y");
    assert!(console.app.take_clip().is_some());
    assert!(console.screen().contains("copied 2 names"), "{}", console.screen());
}

#[test]
fn two_marked_hosts_are_compared_at_once_and_any_other_number_is_told() {
    let mut console = outage((120, 40));
    let marked = |console: &Console| -> Vec<String> {
        let order = &console.app.list(PaneKind::Hosts).order;
        order.iter().map(|row| console.app.snapshot.hosts[*row].host.id.as_str().to_owned()).collect()
    };
    console.press("2 Space");
    let names = marked(&console);
    // One, and where the cursor is.
    let text = console.press("c").screen();
    assert!(text.contains(&format!("{} and {}", names[0], names[1])), "{text}");
    console.press("Esc k c");
    assert!(console.screen().contains("one host is marked: mark another"), "{}", console.screen());
    // Two, wherever the cursor is, in the order they were marked; they stay marked.
    console.press("Esc G Space g g j j Space G");
    assert!(console.screen().contains("2 marked"), "{}", console.screen());
    let text = console.press("c").screen();
    assert!(text.contains(&format!("{} and {}", names[names.len() - 1], names[2])), "{text}");
    assert!(console.press("Esc").screen().contains("2 marked"));
    console.press("g g Space c");
    assert!(console.screen().contains("3 hosts are marked: two are compared"), "{}", console.screen());
    console.press("Esc 4 Space c");
    assert!(console.screen().contains("is no host: two hosts are compared"), "{}", console.screen());
}

/// Nobody answers the first: the second stays where it is asked for, with its note, and is done when the first is.
#[test]
fn a_deed_on_many_waits_for_the_one_before_and_loses_nothing_that_was_typed() {
    let mut console = outage((120, 40));
    console.press("2 Space G Space a o n e Enter");
    if !console.app.overlays.is_empty() {
        console.press("Enter");
    }
    let first: Vec<Ticket> = claims(&mut console).into_iter().map(|(ticket, _)| ticket).collect();
    assert!(!first.is_empty() && console.app.work.is_some(), "{}", console.screen());
    console.press("1 g g Space a t w o Enter");
    let text = console.screen();
    assert!(text.contains("one after the other") && text.contains("two"), "{text}");
    assert!(claims(&mut console).is_empty());
    for ticket in first {
        console.app.notice(Notice::NotSaved { ticket, reason: "the disk is full".into() });
    }
    assert!(console.app.work.is_none());
    console.press("Enter");
    let second = claims(&mut console);
    assert!(second.iter().any(|(_, note)| note == "two"), "{second:?} {}", console.screen());
}

fn claims(console: &mut Console) -> Vec<(Ticket, String)> {
    let claims = sent(console).into_iter().filter_map(|command| match command {
        Command::Claim { ticket, note, .. } => Some((ticket, note)),
        _ => None,
    });
    claims.collect()
}
