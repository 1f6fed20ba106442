//! Machines that tell how they are.

use std::sync::Arc;

use super::fixture::{self, NOW};
use super::*;
use crate::model::Condition;

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
    let hosts = [("new1", ""), ("new2", "refused, 2 of 4 tries")]
        .map(|(name, reason)| Arc::new(fixture::host(name, Condition::Pending, reason, 1)));
    let snapshot = Snapshot { revision: 3, at: NOW, hosts: hosts.to_vec(), ..Snapshot::default() };
    let mut console = Console::new((120, 20), Arc::new(snapshot), true);
    let screen = console.press("2").screen();
    let line = |name: &str| screen.lines().find(|line| line.contains(name)).expect("its line").to_owned();
    assert!(line("new1").contains("PENDING") && line("new1").contains("no answer yet"), "{screen}");
    assert!(line("new2").contains("PENDING") && line("new2").contains("refused, 2 of 4 tries"), "{screen}");
}
