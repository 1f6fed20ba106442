//! What devices told by themselves, where people look for it.

use super::*;
use crate::model::{NotificationKind, TrapStatus};
use crate::state::NotificationView;

fn snapshot(told: Vec<NotificationView>) -> Arc<Snapshot> {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.notifications = told.into_iter().map(Arc::new).collect();
    snapshot.engine.traps = Some(Arc::new(TrapStatus {
        listening: vec!["0.0.0.0:162".into()],
        taken: 14,
        unknown_source: 3,
        last_refusal: Some("10.0.0.9: no host has this address".into()),
        ..TrapStatus::default()
    }));
    Arc::new(snapshot)
}

#[test]
fn the_log_has_them_newest_first_and_leads_to_their_host() {
    let mut late = fixture::told("core-sw1", NotificationKind::ColdStart, 1, "");
    (late.told.at, late.port, late.told.if_index) = (NOW, None, None);
    let early = fixture::told("core-sw1", NotificationKind::LinkDown, 12, "ifOperStatus down");
    let mut console = Console::new((120, 24), snapshot(vec![late, early]), true);
    let text = console.press("9").screen();
    let line = |parts: &[&str]| {
        let has_all = |line: &str| parts.iter().all(|part| line.contains(part));
        text.lines().position(has_all).unwrap_or_else(|| panic!("no {parts:?} in\n{text}"))
    };
    let start = line(&["core-sw1", "coldStart  (v2c)"]);
    let down = line(&["core-sw1", "linkDown Gi1/0/3  ifOperStatus down  (12 times, v2c)"]);
    assert!(start < down, "{text}");
    assert!(line(&["on 0.0.0.0:162: 14 taken, 3 from addresses that no host has (last: 10.0.0.9"]) > down, "{text}");
    assert!(text.contains("2 traps"), "{text}");
    let entry = console.press("j Enter").screen();
    assert!(
        entry.contains("12 times; the time is that of the last") && entry.contains("Gi1/0/3, ifIndex 3"),
        "{entry}"
    );
    let detail = console.press("o").screen();
    assert!(detail.contains("told by itself") && detail.contains("5m ago  linkDown Gi1/0/3"), "{detail}");
}

#[test]
fn a_listener_that_does_not_listen_says_why() {
    let mut with = (*snapshot(Vec::new())).clone();
    let problem = "cannot listen for traps on 0.0.0.0:162: Permission denied";
    with.engine.traps = Some(Arc::new(TrapStatus { problem: Some(problem.into()), ..TrapStatus::default() }));
    let text = Console::new((120, 24), Arc::new(with), true).press("9").screen();
    assert!(text.contains(problem), "{text}");
}
