//! Marked rows: they stay what they are, and a deed is done to all of them.

use super::*;
use crate::bus::{Notice, Ticket};
use crate::model::Target;
use crate::ui::run::Screen as _;

fn sent(console: &mut Console) -> Vec<Command> {
    std::iter::from_fn(|| console.commands.try_recv().ok())
        .filter(|command| !matches!(command, Command::Focus(_)))
        .collect()
}

fn rechecked(commands: &[Command]) -> Vec<&str> {
    commands.iter().map(|c| if let Command::Recheck(asset) = c { asset.as_str() } else { panic!("{c:?}") }).collect()
}

#[test]
fn marks_are_seen_counted_and_taken_away_and_stay_with_what_was_marked() {
    let mut console = outage((80, 24));
    console.press("2 Space Space");
    insta::assert_snapshot!("marked_80x24", console.screen());
    let mut plain = Console::new((60, 20), fixture::outage(), false);
    assert!(
        plain.press("2 Space").screen().contains("1 marked") && plain.screen().contains("\n*"),
        "{}",
        plain.screen()
    );
    // Another order, another snapshot: the same two are marked.
    console.press(">").app.snapshot(fixture::outage());
    console.press("g g R");
    let commands = sent(&mut console);
    let mut names = rechecked(&commands);
    names.sort_unstable();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"core-sw1"), "{names:?}");
    assert!(!console.screen().contains("marked"), "a deed ends the marks");
    console.press("Space Esc R");
    assert_eq!(sent(&mut console).len(), 1, "without marks the selected row counts");
}

#[test]
fn a_range_and_a_filtered_list_are_marked_at_once() {
    let mut console = outage((120, 40));
    let all = console.app.snapshot.hosts.len();
    console.press("2 v");
    assert!(console.screen().contains("mark one end first"), "{}", console.screen());
    console.press("Space j j v R");
    assert_eq!(sent(&mut console).len(), 4);
    console.press("*");
    assert!(console.screen().contains(&format!("{all} marked")), "{}", console.screen());
    console.press("*");
    assert!(!console.screen().contains(" marked"), "{}", console.screen());
    console.press("/ c o r e Enter * Esc");
    let marked = console.app.marks.count(console.app.focus);
    assert_eq!(marked, 0, "Esc takes marks away before it clears the filter");
    console.press("* R");
    let commands = sent(&mut console);
    assert_eq!(
        rechecked(&commands),
        ["core-sw1", "acc-17"],
        "what the filter shows: a name, and a reason that names it"
    );
}

#[test]
fn many_are_claimed_by_one_dialog_and_what_was_refused_is_tried_again_alone() {
    let mut console = outage((120, 40));
    console.press("2 *");
    console.press("a");
    insta::assert_snapshot!("claim_of_many_120x40", console.screen());
    console.press("o n Space i t Enter");
    let commands = sent(&mut console);
    let tickets: Vec<(Ticket, Target)> = commands
        .iter()
        .map(|command| match command {
            Command::Claim { ticket, target, note, .. } if note == "on it" => (*ticket, target.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(tickets.len() >= 2, "{tickets:?}");
    assert!(console.screen().contains(&format!("{} to go", tickets.len())), "{}", console.screen());
    let (refused, saved) = tickets.split_first().expect("several");
    console.app.notice(Notice::NotSaved { ticket: refused.0, reason: "the disk is full".into() });
    for (ticket, _) in saved {
        console.app.notice(Notice::Saved { ticket: *ticket, entry: fixture::deed("one") });
    }
    let text = console.screen();
    assert!(text.contains(&format!("NOT SAVED for 1 of {}: the disk is full", tickets.len())), "{text}");
    console.press("Enter");
    let commands = sent(&mut console);
    let [Command::Claim { ticket, target, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(*target, refused.1);
    let ticket = *ticket;
    console.app.notice(Notice::Saved { ticket, entry: fixture::deed("one") });
    let text = console.screen();
    assert!(!text.contains("on it") && !text.contains(" marked"), "{text}");
}

#[test]
fn windows_are_ordered_and_names_copied_for_all_that_is_marked() {
    let mut console = outage((120, 40));
    console.press("2 Space Space y");
    let clip = console.app.take_clip().expect("copied").bytes();
    let names = data_encoding::BASE64.decode(&clip[7..clip.len() - 2]).expect("base64");
    assert_eq!(String::from_utf8(names).expect("text").lines().count(), 2);
    console.press("m");
    let text = console.screen();
    assert!(text.contains("Maintenance of 2: ") && text.contains("each alone"), "{text}");
    console.press("Enter");
    let commands = sent(&mut console);
    assert!(commands.iter().all(|command| matches!(command, Command::Maintain { .. })) && commands.len() == 2);
}

#[test]
fn more_than_the_engine_takes_at_once_is_given_as_it_has_room() {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.hosts =
        (0..200).map(|n| Arc::new(fixture::host(&format!("web{n:03}"), crate::model::Condition::Ok, "", 5))).collect();
    let snapshot = Arc::new(snapshot);
    let mut console = Console::new((120, 40), snapshot.clone(), true);
    console.press("2 * R");
    let mut asked = sent(&mut console).len();
    assert!(asked <= 64, "{asked}");
    for _ in 0..4 {
        console.app.snapshot(snapshot.clone());
        asked += sent(&mut console).len();
    }
    assert_eq!(asked, 200);
}
