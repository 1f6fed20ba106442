//! Backups: the list in its columns, one of them whole with its restore points, and a detail at the side of a wide screen.

use super::*;
use crate::base::Untrusted;
use crate::model::RestorePoint;

/// The outage, with restore points of which not everything is known.
fn kept(size: (u16, u16), unicode: bool) -> Console {
    let mut snapshot = (*fixture::outage()).clone();
    let job = Arc::make_mut(&mut snapshot.jobs[1]);
    let mut spec = (*job.job).clone();
    spec.schedule = Some(crate::model::Schedule { cron: "0 2 * * *".into(), timezone: "Europe/Berlin".into() });
    job.job = Arc::new(spec);
    job.next_expected = Some(NOW.plus(Duration::from_secs(40_000)));
    job.last_expected = Some(fixture::ago(46_400));
    let report = Arc::make_mut(job.report.as_mut().expect("there is one"));
    let day = |days: u64, bytes, paths: &[&str], tags: &[&str]| RestorePoint {
        id: Untrusted::from(format!("{days}f2a9c01{days}f2a9c01")),
        at: fixture::ago(31 * 3600 + days * 86_400),
        host: if days == 3 { Untrusted::default() } else { Untrusted::from("db01") },
        paths: paths.iter().copied().map(Untrusted::from).collect(),
        tags: tags.iter().copied().map(Untrusted::from).collect(),
        bytes,
    };
    report.points = vec![
        day(0, Some(12 << 30), &["/var/lib/postgres"], &[]),
        day(
            1,
            Some(11 << 30),
            &["/var/lib/postgres", "/etc/postgresql", "/srv/files/of/the/shared/folder/which/is/long"],
            &["daily", "before-upgrade"],
        ),
        day(2, None, &[], &[]),
        day(3, Some(900), &["/etc"], &[fixture::EVIL]),
    ];
    Console::new(size, Arc::new(snapshot), unicode)
}

#[test]
fn the_list_has_heads_and_the_restore_points_are_a_table() {
    for size in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let mut console = kept(size, true);
        let name = |what: &str| format!("{what}_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name("backups"), console.press("4").screen());
        let text = console.press("Enter").screen();
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        insta::assert_snapshot!(name("backup"), text);
    }
    assert!(kept((80, 24), false).press("4 Enter PageDown").screen().is_ascii());
}

/// On a wide screen the detail is there already: to open it gives it the keys.
#[test]
fn a_detail_at_the_side_is_turned_when_it_is_opened_and_the_list_stays_in_sight() {
    let mut console = kept((180, 16), true);
    let before = console.press("4").screen();
    assert!(before.contains('↓') && before.contains("db01 nightly ─"), "{before}");
    console.press("Enter G");
    let turned = console.screen();
    assert!(turned.contains("BACKUPS") && turned.contains("mail weekly"), "{turned}");
    assert!(turned.contains(" of ") && turned.contains("27 older, which are counted only"), "{turned}");
    assert!(!turned.contains('╭'), "it has no box: {turned}");
    // Its keys act on what it is about, and leave it as any other detail.
    assert!(console.press("m").screen().contains("Maintenance of db01 nightly"), "{}", console.screen());
    console.press("Esc Tab");
    assert_eq!(console.screen(), before);
    // The whole width, and back; the choice stays.
    let wide = console.press("Enter z").screen();
    assert!(wide.contains("╭─ db01 nightly"), "{wide}");
    assert!(!console.press("z").screen().contains('╭'));
    // The mouse turns it where it stands; a press on the list goes back there.
    console.press("Esc").point_at(MouseDeed::WheelDown, 150, 8);
    assert!(console.screen().contains("4-"), "{}", console.screen());
    console.point(MouseDeed::Press, "mail weekly");
    assert!(console.app.overlays.is_empty());
    assert!(matches!(console.app.selected(), Some(Selected::Job(id)) if id.as_str() == "mail weekly"));
}
