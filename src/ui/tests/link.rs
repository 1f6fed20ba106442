//! Whose engine it is, and that there is none.

use std::sync::Arc;

use super::{Console, Screen as _, fixture, lines};
use crate::bus::{Command, InView, MessageWeight, Notice, Ticket};
use crate::model::{Holders, Role};
use crate::state::{Attached, Awaited, EngineView, Link, Snapshot};

fn with(link: Link) -> Arc<Snapshot> {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.engine.link = link;
    Arc::new(snapshot)
}

/// The engine of another process is told what is looked at, and one of this process nothing.
#[test]
fn what_is_on_the_screen_is_told_to_an_engine_elsewhere() {
    let own = Console::new((120, 40), fixture::outage(), true);
    assert_eq!(*own.app.in_view.borrow(), InView::default());
    let mut console = Console::new((80, 24), to(attached()), true);
    let rows = |console: &Console| console.app.in_view.borrow().rows.len();
    assert!((5..60).contains(&rows(&console)), "{}", rows(&console));
    let opened = |console: &Console| {
        let in_view = console.app.in_view.borrow();
        in_view.opened.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>()
    };
    let first = opened(console.press("2"));
    assert_eq!(first.len(), 1);
    let next = opened(console.press("j"));
    assert!(next.len() == 1 && next != first, "{next:?}");
    // The device whose ports are shown, and only its rows: no more than the screen has.
    let device = opened(console.press("3"));
    assert_eq!(device, [console.app.device().expect("one is shown").host.id.as_str()]);
    let seen = console.app.in_view.borrow().clone();
    assert!(seen.rows.len() < 24 && !seen.rows.contains(&seen.opened[0]), "{seen:?}");
}

fn attached() -> Attached {
    Attached { process: 4242, user: "anna".into(), role: Role::Admin, ..Attached::default() }
}

fn to(attached: Attached) -> Arc<Snapshot> {
    with(Link::Attached(Arc::new(attached)))
}

#[test]
fn the_header_says_whose_engine_it_is_where_there_is_room() {
    let wide = Console::new((120, 40), to(attached()), true);
    assert!(lines(&wide.buffer())[0].contains("attached to pid 4242 of anna "), "{}", wide.screen());
    // The name that one writes in is the last to go; and words of others that look like ours change nothing.
    let far = |machine: &str, user: &str| Attached {
        machine: Some(machine.into()),
        user: user.into(),
        role: Role::Operate,
        author: Some("anna (noc)".into()),
        ..attached()
    };
    for (columns, wanted) in [
        (140, " attached to far pid 4242 of nocsvc (you may operate) as anna (noc) "),
        (120, " attached to far nocsvc (you may operate) as anna (noc) "),
        (100, " as anna (noc) "),
    ] {
        let shown = Console::new((columns, 40), to(far("far", "nocsvc")), true);
        assert!(lines(&shown.buffer())[0].contains(wanted), "{columns}: {}", shown.screen());
    }
    let shown = Console::new((140, 40), to(far("pid 7 of", "x as y")), true);
    assert!(
        lines(&shown.buffer())[0].contains(" attached to pid 7 of pid 4242 of x as y (you may operate) as anna"),
        "{}",
        shown.screen()
    );
    let narrow = Console::new((80, 24), to(attached()), true);
    assert!(lines(&narrow.buffer())[0].contains("1 Overview") && !narrow.screen().contains("attached"));
    assert!(!Console::new((120, 40), with(Link::Own), true).screen().contains("attached"));
}

#[test]
fn who_may_only_look_is_told_so_at_the_key_and_fills_in_no_form() {
    let holders = Holders { operate: "root, group noc".into(), admin: "root".into() };
    let viewer = Attached { role: Role::View, holders: Some(Arc::new(holders)), ..attached() };
    let typed = [": o p e n Enter", ": p a u s e Enter", ": l o o k Space x Enter", ": n o t e Space x Enter"];
    for keys in ["I", "n", "a", "u", "m", "R", "w", "p"].into_iter().chain(typed) {
        let mut console = Console::new((120, 40), to(viewer.clone()), true);
        console.press(keys);
        assert!(console.app.overlays.is_empty(), "{keys}: {}", console.screen());
        let said = console.screen();
        assert!(said.contains("your role here is view: that needs"), "{keys}: {said}");
        let asked = std::iter::from_fn(|| console.commands.try_recv().ok());
        let asked: Vec<Command> = asked.filter(|command| command.needs() > Role::View).collect();
        assert!(asked.is_empty(), "{keys}: {asked:?}");
    }
    let operator = Attached { role: Role::Operate, ..viewer };
    let mut console = Console::new((120, 40), to(operator), true);
    console.press("p");
    assert!(console.screen().contains("that needs admin (root)"), "{}", console.screen());
    console.press("I");
    assert!(console.screen().contains("Open an incident"));
}

fn ticket_of(command: &Command) -> Option<Ticket> {
    match command {
        Command::OpenIncident { ticket, .. } | Command::AddEntry { ticket, .. } | Command::Claim { ticket, .. } => {
            Some(*ticket)
        }
        _ => None,
    }
}

/// One whose role was taken away while a form was open.
#[test]
fn what_a_role_does_not_permit_is_not_offered_again() {
    for (keys, words) in [("I x Enter", "Open an incident"), ("n x Enter", "note for"), ("a x Enter", "Claim")] {
        let mut console = Console::new((120, 40), to(attached()), true);
        console.press(keys);
        let mut asked = std::iter::from_fn(|| console.commands.try_recv().ok());
        let ticket = asked.find_map(|command| ticket_of(&command)).expect("it was sent");
        console.app.snapshot(to(Attached { role: Role::View, ..attached() }));
        console.app.notice(Notice::NotSaved { ticket, reason: "your role here is view".into() });
        let screen = console.screen();
        assert!(screen.contains(words) && screen.contains("your role here is view"), "{screen}");
        assert!(screen.contains("Esc leaves") && !screen.contains("tries again"), "{screen}");
    }
}

#[test]
fn nothing_is_polled_is_said_above_everything_with_since_when() {
    let what = "pid 7 of anna is gone (the engine has ended)";
    for size in [(60, 20), (80, 24), (120, 40)] {
        let link = Link::Lost { since: fixture::ago(30), what: what.into() };
        let screen = Console::new(size, with(link), true).screen();
        let joined = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        let since = fixture::ago(30).utc_time_of_day();
        assert!(joined.contains(&format!("NOT POLLED since {since}Z: {what}")), "{screen}");
    }
}

#[test]
fn what_was_said_of_an_engine_ends_with_it_and_a_warning_stays() {
    for (weight, stays) in [(MessageWeight::Note, false), (MessageWeight::Warning, true)] {
        let mut console = Console::new((120, 40), to(attached()), true);
        console.app.say(weight, "joined the others");
        console.app.snapshot(with(Link::Lost { since: fixture::ago(1), what: "it is gone".into() }));
        assert_eq!(console.screen().contains("joined the others"), stays, "{}", console.screen());
    }
}

/// Half of a picture from a slow line: what is there is no more than it is, and nothing that has not come is well.
#[test]
fn while_a_picture_comes_in_parts_every_list_says_how_much_of_it_is_there() {
    let all = fixture::outage();
    let mut part = (*all).clone();
    part.engine.link = Link::Attached(Arc::new(attached()));
    part.problems = Arc::from([]);
    part.hosts.truncate(2);
    part.devices.clear();
    part.jobs.clear();
    part.incidents = Arc::from([]);
    part.awaited = Awaited {
        problems: all.problems.len(),
        hosts: all.hosts.len() - 2,
        devices: all.devices.len(),
        jobs: all.jobs.len(),
        incidents: all.incidents.len(),
        others: 3,
    };
    let hosts = all.hosts.len();
    let shown = Console::new((140, 50), Arc::new(part), true).screen();
    for words in [
        format!("got 2 of {hosts} hosts"),
        format!("2 of {hosts} so far"),
        format!("0 of {} so far", all.problems.len()),
        "on the way from the engine".to_owned(),
    ] {
        assert!(shown.contains(&words), "{words}: {shown}");
    }
    for lie in ["none known", "none:", "no backups", "no switches", "none open", "no incident"] {
        assert!(!shown.contains(lie), "{lie}: {shown}");
    }
    let whole = Console::new((140, 50), with(Link::Own), true).screen();
    assert!(!whole.contains("so far") && !whole.contains("got "), "{whole}");
}

/// The engine ended while it told everything anew: what was here before is still here, and nothing is on the way.
#[test]
fn from_an_engine_that_is_gone_nothing_is_awaited() {
    let mut snapshot = (*with(Link::Lost { since: fixture::ago(20), what: "the engine has ended".into() })).clone();
    snapshot.awaited =
        Awaited { hosts: snapshot.hosts.len() - 4, devices: 2, jobs: 2, others: 3, ..Awaited::default() };
    let text = Console::new((120, 40), Arc::new(snapshot.clone()), true).screen();
    assert!(text.contains("NOT POLLED") && !text.contains("so far") && !text.contains("got "), "{text}");
    snapshot.hosts.truncate(4);
    let text = Console::new((120, 40), Arc::new(snapshot), true).screen();
    assert!(text.contains("4 of 26 came"), "nothing that has not come is well: {text}");
}

/// Before the first of it has come nothing is known, and nothing is said of what there is.
#[test]
fn a_console_that_was_told_nothing_yet_says_so_and_not_that_nothing_is_there() {
    let engine = EngineView { discovering: true, ..EngineView::default() };
    let nothing = Arc::new(Snapshot { at: fixture::NOW, engine, ..Snapshot::default() });
    for screen in ["1", "2", "3", "4", "5"] {
        let text = Console::new((120, 40), nothing.clone(), true).press(screen).screen();
        assert!(text.contains("nothing came yet") && text.contains("on the way from the engine"), "{text}");
        for lie in ["nothing is watched", "none", "no backups", "no switches", "no incident", "looking"] {
            assert!(!text.contains(lie), "{screen}: {lie}: {text}");
        }
    }
}

/// The first hosts of a large network are no small one.
#[test]
fn half_of_a_picture_has_no_list_of_the_checks_of_a_small_network() {
    let mut part = (*fixture::quiet()).clone();
    for view in &mut part.hosts {
        let view = Arc::make_mut(view);
        view.checks.push(view.checks[0].clone());
    }
    let shown = |snapshot: &Snapshot| Console::new((200, 60), Arc::new(snapshot.clone()), true).screen();
    let whole = shown(&part);
    assert!(whole.contains("CHECKS") && whole.contains("COURSES"), "{whole}");
    part.awaited.hosts = 40;
    let half = shown(&part);
    assert!(!half.contains("CHECKS") && !half.contains("COURSES"), "{half}");
}
