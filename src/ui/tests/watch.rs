//! Watching a host from a list, from its problem and from its detail.

use super::*;
use crate::state::HostWatch;

fn asked(console: &mut Console) -> Vec<(String, bool)> {
    let mut out = Vec::new();
    while let Ok(command) = console.commands.try_recv() {
        match command {
            Command::WatchHost { asset, watch } => out.push((asset.as_str().to_owned(), watch)),
            Command::Focus(_) => {}
            other => panic!("{other:?}"),
        }
    }
    out
}

fn watching(names: &[&str]) -> Arc<Snapshot> {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.revision += 1;
    let watch = |name: &&str| HostWatch {
        asset: AssetId::new(*name),
        check: "icmp".into(),
        every: Duration::from_secs(1),
        since: NOW.minus(Duration::from_secs(40)),
        until: NOW.plus(Duration::from_secs(860)),
    };
    snapshot.engine.hosts_watched = names.iter().map(watch).collect();
    Arc::new(snapshot)
}

#[test]
fn a_host_is_watched_from_its_row_its_problem_and_its_detail_and_the_key_ends_it() {
    let mut console = outage((120, 40));
    console.press("w");
    assert_eq!(asked(&mut console), [("core-sw1".to_owned(), true)], "the problem's host");
    console.press("2 w");
    let [(name, true)] = &asked(&mut console)[..] else { panic!("the row's host") };
    console.app.snapshot(watching(&[name]));
    assert!(console.screen().contains("1 watched"), "{}", console.screen());
    console.press("Enter");
    insta::assert_snapshot!("watched_host", console.screen());
    console.press("w");
    assert_eq!(asked(&mut console), [(name.clone(), false)]);
    assert!(console.screen().contains("is watched no more"), "{}", console.screen());
    // One may look elsewhere meanwhile.
    console.press("Esc 1 2 j");
    assert_eq!(asked(&mut console), []);
    console.app.snapshot(watching(&["core-sw1", name]));
    assert!(console.screen().contains("2 watched"), "{}", console.screen());
    console.app.snapshot(watching(&[]));
    assert!(!console.screen().contains(" watched"), "{}", console.screen());
}

#[test]
fn what_is_no_host_is_not_watched_as_one() {
    let mut console = outage((120, 40));
    console.press("4 w");
    assert_eq!(asked(&mut console), []);
    assert!(console.screen().contains("select a port or a host"), "{}", console.screen());
}
