//! Whose engine it is, and that there is none.

use std::sync::Arc;

use super::{Console, Screen as _, fixture, lines};
use crate::bus::MessageWeight;
use crate::state::{Awaited, Link, Snapshot};

fn with(link: Link) -> Arc<Snapshot> {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.engine.link = link;
    Arc::new(snapshot)
}

#[test]
fn the_header_says_whose_engine_it_is_where_there_is_room() {
    let link = Link::Attached { to: "pid 4242 of anna".into() };
    let wide = Console::new((120, 40), with(link.clone()), true);
    assert!(lines(&wide.buffer())[0].contains("attached to pid 4242 of anna"), "{}", wide.screen());
    // The name that one writes in is the last to go.
    let link_as = |to: &str| with(Link::Attached { to: to.into() });
    for (columns, wanted) in [
        (140, " attached to far pid 4242 of nocsvc (you may operate) as anna (noc) "),
        (120, " attached to far nocsvc (you may operate) as anna (noc) "),
        (100, " as anna (noc) "),
    ] {
        let to = "far pid 4242 of nocsvc (you may operate) as anna (noc)";
        let shown = Console::new((columns, 40), link_as(to), true);
        assert!(lines(&shown.buffer())[0].contains(wanted), "{columns}: {}", shown.screen());
    }
    let narrow = Console::new((80, 24), with(link), true);
    assert!(lines(&narrow.buffer())[0].contains("1 Overview") && !narrow.screen().contains("attached"));
    assert!(!Console::new((120, 40), with(Link::Own), true).screen().contains("attached"));
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
        let mut console = Console::new((120, 40), with(Link::Attached { to: "pid 7 of anna".into() }), true);
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
    part.engine.link = Link::Attached { to: "far".into() };
    part.problems = Arc::from([]);
    part.hosts.truncate(2);
    part.devices.clear();
    part.jobs.clear();
    part.awaited = Awaited {
        problems: all.problems.len(),
        hosts: all.hosts.len() - 2,
        devices: all.devices.len(),
        jobs: all.jobs.len(),
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
    for lie in ["none known", "none:", "no backups", "no switches"] {
        assert!(!shown.contains(lie), "{lie}: {shown}");
    }
    let whole = Console::new((140, 50), with(Link::Own), true).screen();
    assert!(!whole.contains("so far") && !whole.contains("got "), "{whole}");
}
