//! Taking problems on and working on things, from the screen.

use super::*;
use crate::bus::Ticket;
use crate::model::{Acknowledgement, Claim, Maintenance, Order, Pause, Scope, Span, Stickiness, Target};
use crate::state::view::Maintained;
use crate::ui::panes::PaneKind;

fn claim(owner: &str, note: &str) -> Arc<Acknowledgement> {
    Arc::new(Acknowledgement {
        id: "01ARZ3NDEKTSV4RRFFQ69G5F99".into(),
        since: NOW.minus(Duration::from_secs(600)),
        claim: Claim {
            target: Target::Host(AssetId::new("core-sw1")),
            owner: owner.into(),
            note: note.into(),
            until: NOW.plus(Duration::from_secs(3 * 3600)),
            stickiness: Stickiness::EndsOnWorsening,
            condition: None,
        },
    })
}

/// The outage with its first problem owned, and a host in maintenance.
pub fn cared_for() -> Arc<Snapshot> {
    let mut snapshot = (*fixture::outage()).clone();
    let ack = claim("ops1\u{1b}[31m", "power\u{202e} cycling it");
    let mut problems = snapshot.problems.to_vec();
    problems[0].care.ack = Some(ack.clone());
    problems[1].care.unowned_since = Some(NOW.minus(Duration::from_secs(900)));
    problems[1].rank = "critical".into();
    snapshot.problems = problems.into();
    snapshot.acks = Arc::new([(ack.claim.target.clone(), ack.clone())].into());
    snapshot.totals.owned = 1;
    let order = Order {
        scope: Scope::Asset(AssetId::new("db02")),
        span: Span::Once { from: NOW, until: NOW.plus(Duration::from_secs(7200)) },
        flexible: None,
        note: "new disks".into(),
    };
    let maintenance = Arc::new(Maintenance { id: "01ARZ3NDEKTSV4RRFFQ69G5F98".into(), author: "ops2".into(), order });
    for host in &mut snapshot.hosts {
        let id = host.host.id.as_str().to_owned();
        let host = Arc::make_mut(host);
        match &*id {
            "core-sw1" => host.care.ack = Some(ack.clone()),
            "db02" => {
                let until = NOW.plus(Duration::from_secs(7200));
                let maintained = Maintained { maintenance: maintenance.clone(), from: NOW, until };
                host.care.maintenance = Some(Arc::new(maintained));
            }
            _ => {}
        }
    }
    Arc::new(snapshot)
}

/// The same with the two backups that have problems seen to.
pub fn backups_cared_for() -> Arc<Snapshot> {
    let mut snapshot = (*cared_for()).clone();
    let maintained = snapshot.hosts.iter().find_map(|host| host.care.maintenance.clone());
    for job in &mut snapshot.jobs {
        let job = Arc::make_mut(job);
        match &*job.job.name {
            "db01 nightly" => job.care.maintenance.clone_from(&maintained),
            "mail weekly" => job.care.ack = Some(claim("anna", "")),
            _ => {}
        }
    }
    Arc::new(snapshot)
}

fn sent(console: &mut Console) -> Vec<Command> {
    std::iter::from_fn(|| console.commands.try_recv().ok())
        .filter(|command| !matches!(command, Command::Focus(_)))
        .collect()
}

#[test]
fn what_is_worked_on_stands_below_what_is_owned_and_above_what_is_hidden() {
    let mut snapshot = (*cared_for()).clone();
    let of = |snapshot: &Snapshot, name: &str| snapshot.host(&AssetId::new(name)).expect("it is there").care.clone();
    let (owned, maintained) = (of(&snapshot, "core-sw1"), of(&snapshot, "db02"));
    for host in &mut snapshot.hosts {
        match host.host.id.as_str() {
            "core-sw1" => Arc::make_mut(host).care = maintained.clone(),
            "web2" => Arc::make_mut(host).care = owned.clone(),
            _ => {}
        }
    }
    let mut console = Console::new((120, 40), Arc::new(snapshot), true);
    console.press("2");
    let hosts = console.app.list(PaneKind::Hosts).order.clone();
    let names = hosts.iter().take(3).map(|row| console.app.snapshot.hosts[*row].host.name.to_string());
    assert_eq!(names.collect::<Vec<_>>(), ["web2", "core-sw1", "acc-17"]);
}

#[test]
fn owners_and_maintenance_are_seen_and_nothing_foreign_gets_out() {
    for size in [(80, 24), (120, 40)] {
        let mut console = Console::new(size, cared_for(), true);
        insta::assert_snapshot!(format!("care_{}x{}", size.0, size.1), console.screen());
        insta::assert_snapshot!(format!("care_hosts_{}x{}", size.0, size.1), console.press("2").screen());
    }
    let mut console = Console::new((120, 40), cared_for(), true);
    let detail = console.press("Enter").screen();
    assert!(detail.contains("has it for 10m, 3h more: power"), "{detail}");
    assert!(detail.contains("no pager is silenced"), "{detail}");
    assert!(!detail.contains('\u{1b}') && !detail.contains('\u{202e}'));
    let detail = Console::new((120, 40), cared_for(), true).press("2 G k k k k k Enter").screen();
    assert!(!detail.contains('\u{1b}'), "{detail}");
}

#[test]
fn backups_that_somebody_sees_to_are_quiet_and_come_behind_those_that_nobody_does() {
    let mut snapshot = (*backups_cared_for()).clone();
    snapshot.jobs.push(Arc::new(fixture::job(
        "web weekly",
        crate::state::JobState::AtRisk,
        crate::model::Condition::Warning,
        25,
        "25 h of 26 h",
    )));
    let snapshot = Arc::new(snapshot);
    for size in [(80, 24), (120, 40)] {
        let mut console = Console::new(size, snapshot.clone(), true);
        insta::assert_snapshot!(format!("care_backups_{}x{}", size.0, size.1), console.press("4").screen());
    }
    let mut console = Console::new((120, 40), snapshot, true);
    let text = console.press("4").screen();
    let row = |name: &str| {
        let found = text.lines().position(|line| line.contains(name)).expect("it is listed");
        (found as u16, text.lines().nth(found).unwrap_or_default().to_owned())
    };
    let (maintained, words) = row("db01 nightly");
    assert!(words.contains("~ db01") && words.contains("maintenance, 2h more · newest"), "{words}");
    assert!(row("mail weekly").1.contains("@anna · locked"), "{text}");
    assert!(row("web weekly").0 < maintained, "{text}");
    let buffer = console.buffer();
    let critical = console.app.look.style(crate::config::theme::Meaning::Critical).fg;
    let red = (0..120).filter(|x| buffer[(*x, maintained)].style().fg == critical).count();
    assert_eq!(red, 0, "nothing of it is red");
    console.press(": c o p y Space t a b l e Enter");
    let copied = copy::copied(&mut console);
    assert!(
        copied.contains("db01 nightly\trpo-breach\t\t") && copied.contains("maintenance, 2h more; newest"),
        "{copied}"
    );
    assert!(copied.contains("mail weekly\tlocked\tanna\t"), "{copied}");
}

#[test]
fn a_claim_is_asked_for_and_kept_until_it_is_on_disk() {
    let mut console = outage((120, 40));
    let text = console.press("a").screen();
    assert!(text.contains("Claim core-sw1") && text.contains("it silences no pager"), "{text}");
    console.press("o n Space i t Tab b o b Tab Ctrl+U 9 0 x Enter");
    let text = console.screen();
    assert!(text.contains("\"90x\" is no duration"), "{text}");
    assert_eq!(sent(&mut console).len(), 0);
    console.press("Ctrl+U 9 0 m Tab Space Enter");
    let commands = sent(&mut console);
    let [Command::Claim { ticket, target, owner, note, lasts, stickiness, over: None }] = &commands[..] else {
        panic!("{commands:?}");
    };
    assert_eq!((target, owner.as_deref(), &**note), (&Target::Host(AssetId::new("core-sw1")), Some("bob"), "on it"));
    assert_eq!((*lasts, *stickiness), (Duration::from_secs(5400), Stickiness::Sticky));
    let ticket = *ticket;
    assert!(console.screen().contains("saving"));
    console.app.notice(Notice::NotSaved { ticket, reason: "the disk is full".into() });
    let text = console.screen();
    assert!(text.contains("NOT SAVED: the disk is full") && text.contains("on it"), "{text}");
    console.press("Enter");
    let commands = sent(&mut console);
    let [Command::Claim { ticket: again, .. }] = &commands[..] else { panic!("{commands:?}") };
    let again = *again;
    assert_ne!(again, Ticket(0));
    let entry = fixture::deed("core-sw1");
    console.app.notice(Notice::Saved { ticket: again, entry });
    let text = console.screen();
    assert!(!text.contains("on it") && text.contains("claimed core-sw1"), "{text}");
}

#[test]
fn what_is_no_problem_is_not_claimed_and_what_is_claimed_can_be_given_back() {
    let mut console = Console::new((120, 40), cared_for(), true);
    let text = console.press("2 G a").screen();
    assert!(text.contains("has no problem to claim"), "{text}");
    assert_eq!(sent(&mut console).len(), 0);
    let mut console = Console::new((120, 40), cared_for(), true);
    assert!(console.press("a").screen().contains("ops1"), "it says who has it");
    console.press("Esc u");
    let commands = sent(&mut console);
    assert!(
        matches!(&commands[..], [Command::Release { target: Target::Host(id), .. }] if id.as_str() == "core-sw1"),
        "{commands:?}"
    );
}

#[test]
fn a_window_is_ordered_and_taken_back() {
    let mut console = Console::new((120, 40), cared_for(), true);
    let text = console.press("m").screen();
    assert!(text.contains("Maintenance of core-sw1") && text.contains("core-sw1 alone"), "{text}");
    console.press("Shift+Tab Space Tab Ctrl+U 1 h Tab 3 0 m Tab p s u Enter");
    let commands = sent(&mut console);
    let [Command::Maintain { order, .. }] = &commands[..] else { panic!("{commands:?}") };
    let from = console.app.snapshot.at.plus(Duration::from_secs(1800));
    assert_eq!(order.scope, Scope::Behind(AssetId::new("core-sw1")));
    assert_eq!(order.span, Span::Once { from, until: from.plus(Duration::from_secs(3600)) });
    assert_eq!(order.note.line(), "psu");

    let mut console = Console::new((120, 40), cared_for(), true);
    console.press("2");
    let at = console.app.snapshot.hosts.iter().position(|h| h.host.id.as_str() == "db02").expect("there");
    console.app.list_mut(PaneKind::Hosts).select_row(at);
    console.press("u");
    let commands = sent(&mut console);
    assert!(
        matches!(&commands[..], [Command::CancelMaintenance { maintenance, .. }] if maintenance.ends_with("F98")),
        "{commands:?}"
    );
}

#[test]
fn polling_is_stopped_with_a_reason_and_says_who_stopped_it() {
    let mut console = outage((120, 40));
    let form = console.press("p").screen();
    assert!(form.contains("Stop all polling?") && form.contains("over a restart too"), "{form}");
    console.press("n e w Space f i r e w a l l Enter");
    let commands = sent(&mut console);
    let [Command::Pause { ticket, note }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(note, "new firewall");
    let mut entry = (*fixture::deed("")).clone();
    entry.kind = crate::model::EntryKind::Paused;
    console.app.notice(Notice::Saved { ticket: *ticket, entry: Arc::new(entry) });
    let mut paused = (*console.app.snapshot).clone();
    paused.engine.mode = Mode::Paused;
    let pause =
        Pause { id: "01".into(), by: fixture::EVIL.into(), since: fixture::ago(7_300), note: "new firewall".into() };
    paused.engine.pause = Some(Arc::new(pause.clone()));
    paused.revision += 1;
    console.app.snapshot(Arc::new(paused.clone()));
    let text = console.screen();
    assert!(text.contains("PAUSED 2h by a\\x1b") && !text.contains('\u{1b}'), "{text}");
    assert!(text.contains("new firewall; nothing is polled, p resumes"), "{text}");
    assert!(text.contains("polling paused: it is in the journal"), "{text}");
    // Again is back; nothing is asked.
    console.press("p");
    assert!(matches!(&sent(&mut console)[..], [Command::Resume { .. }]));
    console.press(": p a u s e Enter");
    assert!(console.screen().contains("polling is paused already"), "{}", console.screen());
    // What the disk did not take is said.
    paused.engine.pause = Some(Arc::new(Pause { id: "".into(), by: "ops1".into(), ..pause }));
    paused.revision += 1;
    console.app.snapshot(Arc::new(paused));
    let text = console.screen();
    assert!(text.contains("by ops1 (not on disk: it ends with the engine): new firewall"), "{text}");
}

#[test]
fn a_claim_says_whose_it_takes_over_and_after_a_refusal_that_is_what_is_known_by_then() {
    let over = |console: &mut Console| {
        let commands = sent(console);
        let [Command::Claim { ticket, over, .. }] = &commands[..] else { panic!("{commands:?}") };
        (*ticket, over.as_deref().map(str::to_owned))
    };
    let mut console = outage((120, 40));
    console.press("a");
    // Somebody else is faster than the form.
    let mut snapshot = (*cared_for()).clone();
    snapshot.revision += 1;
    let theirs = snapshot.acks.values().next().expect("a claim").id.to_string();
    console.app.snapshot(snapshot.into());
    console.press("Enter");
    let (ticket, first) = over(&mut console);
    assert_eq!(first, None, "the form did not show that anybody has it");
    console.app.notice(Notice::NotSaved { ticket, reason: "ops1 has it".into() });
    let text = console.screen();
    assert!(text.contains("NOT SAVED: ops1 has it. Enter once more takes it over from ops1"), "{text}");
    console.press("Enter");
    assert_eq!(over(&mut console).1, Some(theirs.clone()));
    // A form that shows who has it takes it over at once.
    let mut console = outage((120, 40));
    let mut snapshot = (*cared_for()).clone();
    snapshot.revision += 1;
    console.app.snapshot(snapshot.into());
    console.press("a Enter");
    assert_eq!(over(&mut console).1, Some(theirs));
}
