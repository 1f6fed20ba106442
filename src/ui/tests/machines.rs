//! Machines that tell how they are.

use std::sync::Arc;

use super::fixture::{self, NOW};
use super::*;
use crate::bus::Ticket;
use crate::model::{Condition, PackageComparison, PackageList};

fn console(size: (u16, u16), unicode: bool) -> Console {
    let snapshot = Snapshot { revision: 3, at: NOW, hosts: vec![Arc::new(fixture::machine())], ..Snapshot::default() };
    let mut console = Console::new(size, Arc::new(snapshot), unicode);
    console.press("2 Enter");
    console
}

#[test]
fn a_machine_is_told_in_full() {
    insta::assert_snapshot!("machine_120x50", console((120, 50), true).screen());
    insta::assert_snapshot!("machine_80x24", console((80, 24), true).screen());
}

#[test]
fn two_machines_are_put_side_by_side_by_the_same_key_on_both() {
    let mut other = fixture::machine_like(|vitals| {
        vitals.kernel = "6.1.0-21-amd64".into();
        vitals.mounts.push("/srv ext4 rw".into());
        vitals.failed_units = Some(Vec::new());
    });
    other.host = Arc::new(crate::model::Host::new("web02", Some("192.0.2.8"), crate::model::Origin::Config));
    let hosts = vec![Arc::new(fixture::machine()), Arc::new(other)];
    let snapshot = Snapshot { revision: 3, at: NOW, hosts, ..Snapshot::default() };
    let mut console = Console::new((120, 40), Arc::new(snapshot), true);
    let first = console.press("2 c").screen();
    assert!(first.contains("puts the two side by side"), "{first}");
    insta::assert_snapshot!("compared_120x40", console.press("j c").screen());
    let closed = console.press("Esc c c").screen();
    assert!(closed.contains("nothing is compared any more"), "{closed}");
    // Without room for two columns the values stand one below the other, each with its machine.
    let mut narrow = Console::new((60, 20), console.app.snapshot.clone(), true);
    let text = narrow.press("2 c j c").screen();
    assert!(text.contains("web02  6.1.0-21-amd64"), "{text}");
    insta::assert_snapshot!("compared_60x20", text);
}

fn two_machines(size: (u16, u16)) -> Console {
    let mut other = fixture::machine();
    other.host = Arc::new(crate::model::Host::new("web02", Some("192.0.2.8"), crate::model::Origin::Config));
    let hosts = vec![Arc::new(fixture::machine()), Arc::new(other)];
    let snapshot = Snapshot { revision: 3, at: NOW, hosts, ..Snapshot::default() };
    Console::new(size, Arc::new(snapshot), true)
}

/// What the console has asked the engine to compare.
fn asked(console: &mut Console) -> Option<(Ticket, [AssetId; 2])> {
    std::iter::from_fn(|| console.commands.try_recv().ok()).find_map(|command| match command {
        Command::ComparePackages { ticket, pair } => Some((ticket, pair)),
        _ => None,
    })
}

fn listed(by: &'static str, packages: &[(&str, &str)]) -> PackageList {
    let mut list = PackageList { by, ..PackageList::default() };
    for (name, version) in packages {
        list.versions.entry((*name).into()).or_default().insert((*version).into());
    }
    list
}

fn compared(left: Result<&PackageList, &str>, right: Result<&PackageList, &str>) -> Arc<PackageComparison> {
    let at = NOW.minus(Duration::from_secs(12));
    Arc::new(PackageComparison::of([left, right].map(|told| told.map(|list| (at, list)))))
}

#[test]
fn packages_of_two_machines_are_asked_for_when_they_are_put_side_by_side() {
    let mut console = two_machines((110, 44));
    assert!(asked(&mut console).is_none());
    let waiting = console.press("2 c j c").screen();
    assert!(waiting.contains("web01 and web02 are being asked"), "{waiting}");
    let (ticket, pair) = asked(&mut console).expect("it asks");
    assert_eq!(pair, ["web01", "web02"].map(AssetId::new));
    let left =
        listed("dpkg", &[("bash", "5.2"), ("nginx", "1.22.1-9"), ("openssl", "3.0.13-1"), ("evil\x1b[31m", "1")]);
    let mut right =
        vec![("bash", "5.2"), ("openssl", "3.0.14-1"), ("linux-image-amd64", "6.1.1"), ("linux-image-amd64", "6.1.2")];
    let many: Vec<String> = (0..30).map(|n| format!("golang-github-something-{n:02}-dev")).collect();
    right.extend(many.iter().map(|name| (name.as_str(), "0.1+git20240101")));
    let told = compared(Ok(&left), Ok(&listed("dpkg", &right)));
    // An answer to what somebody asked before changes nothing.
    console.app.notice(Notice::Packages { ticket: Ticket(ticket.0 + 7), comparison: told.clone() });
    assert!(console.screen().contains("are being asked"));
    console.app.notice(Notice::Packages { ticket, comparison: told });
    insta::assert_snapshot!("packages_110x44", console.screen());
    insta::assert_snapshot!("packages_110x44_end", console.press("G").screen());
    console.app.resized(80, 24);
    console.size = (80, 24);
    insta::assert_snapshot!("packages_80x24", console.press("g Space").screen());
    assert!(!console.screen().contains('\u{1b}'));
}

#[test]
fn what_cannot_be_compared_says_why() {
    let (dpkg, rpm) = (listed("dpkg", &[("bash", "5.2")]), listed("rpm", &[("bash", "5.2"), ("glibc", "2.34")]));
    let told = |left, right| {
        let mut console = two_machines((110, 50));
        console.press("2 c j c");
        let (ticket, _) = asked(&mut console).expect("it asks");
        console.app.notice(Notice::Packages { ticket, comparison: compared(left, right) });
        let screen = console.screen();
        let section = screen.split("PACKAGES").nth(1).expect("a section").split("THE SAME").next().expect("a part");
        section.lines().map(|line| line.trim_matches(['│', ' '])).collect::<Vec<_>>().join("\n").trim().to_owned()
    };
    let packagers = told(Ok(&dpkg), Ok(&rpm));
    assert_eq!(
        packagers,
        "web01: 1 package (dpkg)\nweb02: 2 packages (rpm)\n\
         not compared: they have different packagers, whose names and versions do not match"
    );
    let silent = told(Err("its packager gives no answer within 15 s"), Ok(&rpm));
    assert_eq!(silent, "web01: its packager gives no answer within 15 s\nweb02: 2 packages (rpm)");
    assert_eq!(told(Ok(&dpkg), Ok(&dpkg)), "the same 1 in the same versions\ndpkg, as of 12s ago");
}

#[test]
fn an_engine_that_asks_nobody_is_told_in_the_view_and_not_as_a_note_that_is_lost() {
    let mut console = two_machines((110, 50));
    console.press("2 c j c");
    let (ticket, _) = asked(&mut console).expect("it asks");
    console.app.notice(Notice::NotSaved { ticket, reason: "there is no engine at the moment".into() });
    let screen = console.screen();
    assert!(
        screen.contains("not compared: there is no engine at the moment") && !screen.contains("NOT SAVED"),
        "{screen}"
    );
}

#[test]
fn hosts_without_a_check_that_could_ask_are_not_asked() {
    let hosts = ["a", "b"].map(|name| Arc::new(fixture::host(name, Condition::Ok, "", 1)));
    let snapshot = Snapshot { revision: 3, at: NOW, hosts: hosts.to_vec(), ..Snapshot::default() };
    let mut console = Console::new((110, 30), Arc::new(snapshot), true);
    let screen = console.press("2 c j c").screen();
    assert!(screen.contains("a and b") && !screen.contains("PACKAGES"), "{screen}");
    assert!(asked(&mut console).is_none());
}

#[test]
fn a_mount_that_hangs_stands_with_what_is_damaged() {
    let machine = fixture::machine_like(|vitals| vitals.silent_mounts = vec!["/mnt/nas".into()]);
    let snapshot = Snapshot { revision: 3, at: NOW, hosts: vec![Arc::new(machine)], ..Snapshot::default() };
    let mut console = Console::new((120, 50), Arc::new(snapshot), true);
    let screen = console.press("2 Enter").screen();
    assert!(screen.contains("mount         /mnt/nas gives no answer"), "{screen}");
}

#[test]
fn names_that_mean_harm_move_nothing() {
    for unicode in [true, false] {
        let text = console((120, 50), unicode).screen();
        assert!(text.contains(r"evil\x1b[31m.service") && !text.contains('\x1b'), "{text}");
    }
}

#[test]
fn what_is_known_of_a_host_that_is_only_pinged_is_said_once() {
    let snapshot = Snapshot {
        revision: 3,
        at: NOW,
        hosts: vec![Arc::new(fixture::host("pinged", Condition::Ok, "load 0.7", 300))],
        ..Snapshot::default()
    };
    for size in [(120, 40), (60, 20)] {
        let mut console = Console::new(size, Arc::new(snapshot.clone()), true);
        let screen = console.press("2").screen();
        assert_eq!(screen.matches("load 0.7").count(), 1, "{screen}");
    }
}

#[test]
fn what_a_machine_hangs_on_is_told_by_redundancy_group() {
    use crate::model::{AssetId, Condition};
    let mut machine = fixture::machine();
    let host = Arc::make_mut(&mut machine.host);
    host.parents = ["edge", "core-a", "core-b"].map(AssetId::new).to_vec();
    let core = Arc::new(fixture::host("core-b", Condition::Critical, "no answer", 60));
    let path = |machine: &crate::state::HostView| {
        let hosts = vec![Arc::new(machine.clone()), core.clone()];
        let snapshot = Snapshot { revision: 3, at: NOW, hosts, ..Snapshot::default() };
        let mut console = Console::new((120, 50), Arc::new(snapshot), true);
        console.press("2 Enter").screen()
    };
    let text = path(&machine);
    assert!(text.contains("hangs on edge or core-a or core-b (DOWN)"), "{text}");
    Arc::make_mut(&mut machine.host).redundancy = vec![1, 2];
    let text = path(&machine);
    assert!(text.contains("hangs on edge and (core-a or core-b (DOWN))"), "{text}");
}

#[test]
fn a_host_that_nothing_is_known_of_says_what_came_of_it() {
    let hosts = [("new1", ""), ("new2", "2/4: refused")]
        .map(|(name, reason)| Arc::new(fixture::host(name, Condition::Pending, reason, 1)));
    let snapshot = Snapshot { revision: 3, at: NOW, hosts: hosts.to_vec(), ..Snapshot::default() };
    let mut console = Console::new((120, 20), Arc::new(snapshot), true);
    let screen = console.press("2").screen();
    let line = |name: &str| screen.lines().find(|line| line.contains(name)).expect("its line").to_owned();
    assert!(line("new1").contains("PENDING") && line("new1").contains("no answer yet"), "{screen}");
    assert!(line("new2").contains("PENDING") && line("new2").contains("2/4: refused"), "{screen}");
}
