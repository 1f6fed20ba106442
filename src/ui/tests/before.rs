//! What changed just before a problem began stands below it, where something did.

use std::sync::Arc;

use super::{Console, fixture};
use crate::model::{AssetId, Change, EntryKind, NotificationKind, Target};
use crate::state::Snapshot;

/// `core-sw1` has been down for 1231 seconds, and hangs on a host of which something is known too.
fn outage() -> Snapshot {
    let mut snapshot = (*fixture::outage()).clone();
    let core = snapshot.hosts.iter_mut().find(|host| &*host.host.name == "core-sw1").expect("it is there");
    Arc::make_mut(&mut Arc::make_mut(core).host).parents = vec![AssetId::new("db01")];
    let change = |host: &str, before: u64, words: &str| {
        let target = Target::Host(AssetId::new(host));
        Arc::new(Change { at: fixture::ago(1231 + before), target, words: words.into() })
    };
    snapshot.changes = Arc::from([
        change("core-sw1", 95, "configuration: address 10.0.0.1 → 10.0.0.2, new check http"),
        change("db01", 260, "kernel: 6.1.0-18-amd64 → 6.1.0-21-amd64"),
        change("web2", 60, "packages changed (500 are installed)"),
        change("core-sw1", 840, "maintenance ended: new power supply for the left half of the chassis (ops1)"),
        change("core-sw1", 2000, "certificate: 3 days left → 90"),
    ]);
    let kind = NotificationKind::Other("1.3.6.1.4.1.9.9.43.2.0.1".into());
    let mut told = fixture::told("core-sw1", kind, 1, "commandSource=\u{1b}[2J1");
    told.told.at = fixture::ago(1231 + 180);
    snapshot.notifications = Arc::from([Arc::new(told)]);
    let incident = Arc::make_mut(&mut Arc::make_mut(&mut snapshot.incidents)[0]);
    let mut entry = (*incident.entries[1]).clone();
    (entry.kind, entry.at, entry.text) =
        (EntryKind::Action, fixture::ago(1231 + 420), "pulled the second supervisor".into());
    incident.entries.push(Arc::new(entry));
    snapshot
}

#[test]
fn what_changed_just_before_stands_below_the_problem_newest_first() {
    for size in [(80, 24), (120, 40)] {
        let mut console = Console::new(size, Arc::new(outage()), true);
        let screen = console.press("Enter").screen();
        let lines = ["1m before", "3m before", "4m before", "7m before", "14m before"];
        let places: Vec<_> = lines.iter().map(|line| screen.find(line)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{screen}");
        for other in ["packages changed", "3 days left"] {
            assert!(!screen.contains(other), "{screen}");
        }
        insta::assert_snapshot!(format!("before_{}x{}", size.0, size.1), screen);
    }
}

#[test]
fn what_changed_is_in_the_log_too() {
    let mut console = Console::new((120, 40), Arc::new(outage()), true);
    let screen = console.press("9 / k i n d : c h a n g e Enter").screen();
    assert!(screen.contains("change  db01") && screen.contains("kernel: 6.1.0-18-amd64 → 6.1.0-21-amd64"), "{screen}");
    assert!(!screen.contains("supervisor"), "{screen}");
}

#[test]
fn where_nothing_changed_nothing_is_said() {
    let mut console = super::outage((120, 40));
    let screen = console.press("Enter").screen();
    assert!(screen.contains("core-sw1") && !screen.contains("just before"), "{screen}");
}
