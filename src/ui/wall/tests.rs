//! The wall as text, at the sizes of walls; what holds its pages, what makes it look dead, and that it does not grow.

use std::fmt::Write as _;
use std::task::Waker;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pulse::Life;
use super::*;
use crate::bus::Call;
use crate::config::theme::{Shelf, ThemeChoice};
use crate::model::{Acknowledgement, Claim, Desktop, Policy, Stickiness};
use crate::state::{self, Mode};
use crate::ui::frame::{Capabilities, Colours, Link};
use crate::ui::terminal::encode::Encoder;
use crate::ui::tests::fixture::{self, NOW, ago};

const SIZES: [(u16, u16); 4] = [(60, 20), (80, 24), (120, 40), (200, 60)];

fn wall_at(options: WallOptions, unicode: bool, now: Timestamp) -> Wall {
    let colours = if unicode { Colours::True } else { Colours::Mono };
    let themes = Themes::only(if unicode { "wall" } else { "mono" }, Capabilities { colours, unicode });
    let options = WallOptions { timezone: Some("Europe/Berlin".into()), ..options };
    Wall::new(options, themes, None, now)
}

/// A wall of one page that has hung for an hour.
fn page(form: Form, snapshot: Arc<Snapshot>, unicode: bool) -> Wall {
    let mut wall = wall_at(WallOptions { pages: vec![Page::of(form)], ..patient() }, unicode, ago(3_600));
    wall.tick(NOW);
    wall.snapshot(snapshot);
    wall
}

/// Nothing escalates to other pages.
fn patient() -> WallOptions {
    WallOptions { escalate: [Duration::from_secs(300), Duration::MAX, Duration::MAX], ..WallOptions::default() }
}

fn draw(wall: &Wall, size: (u16, u16), now: Timestamp) -> Buffer {
    let area = Rect::new(0, 0, size.0, size.1);
    let mut buffer = Buffer::empty(area);
    let mut frame =
        Frame { buffer: &mut buffer, area, now, wall: now, link: Link::default(), cursor: None, answer: None };
    wall.draw(&mut frame);
    assert!(frame.cursor.is_none());
    buffer
}

fn text(wall: &Wall, size: (u16, u16), now: Timestamp) -> String {
    let buffer = draw(wall, size, now);
    let mut out = String::new();
    for y in 0..size.1 {
        let line: String = (0..size.0).map(|x| buffer[(x, y)].symbol()).collect();
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// Each is looked at before it is accepted.
#[test]
fn every_form_at_the_sizes_of_walls() {
    for (form, name) in Form::ALL {
        for size in SIZES {
            let wall = page(form, fixture::outage(), true);
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), text(&wall, size, NOW));
        }
    }
}

#[test]
fn without_colour_and_without_unicode_every_form_says_the_same() {
    for (form, name) in Form::ALL {
        let wall = page(form, fixture::outage(), false);
        let text = text(&wall, (80, 24), NOW);
        assert!(text.is_ascii(), "{name}:\n{text}");
        if form == Form::Digits {
            insta::assert_snapshot!("digits_ascii", text);
        }
    }
}

/// A few hosts use the room of a large wall: their names can be read from the other end of it.
#[test]
fn a_dozen_hosts_fill_an_ultra_wide_wall() {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.hosts.truncate(12);
    let snapshot = Arc::new(snapshot);
    let text = text(&page(Form::Grid, snapshot.clone(), true), (300, 80), NOW);
    insta::assert_snapshot!("posters_300x80", text);
    let small = self::text(&page(Form::Grid, snapshot.clone(), true), (80, 24), NOW);
    assert!(small.contains("core-sw1"), "a card as ever: {small}");
    let ascii = self::text(&page(Form::Grid, snapshot, false), (200, 60), NOW);
    assert!(ascii.is_ascii(), "{ascii}");
    insta::assert_snapshot!("posters_ascii", ascii);
    // A name that has other letters is written as it is.
    let mut other = (*fixture::outage()).clone();
    other.hosts.truncate(2);
    Arc::make_mut(&mut Arc::make_mut(&mut other.hosts[0]).host).name = "größe".into();
    let text = self::text(&page(Form::Grid, Arc::new(other), true), (200, 60), NOW);
    assert!(text.contains("● größe"), "{text}");
}

/// So many hosts of so many sites, of which some are bad.
fn sites(sites: usize, each: usize) -> Arc<Snapshot> {
    let mut snapshot = (*fixture::outage()).clone();
    let host = |n: usize| {
        let condition = if n.is_multiple_of(97) { Condition::Critical } else { Condition::Ok };
        let mut view = fixture::host(&format!("h{n:04}"), condition, "load 0.1", 90_000);
        let host = Arc::make_mut(&mut view.host);
        (host.group, host.site) = (None, Some(format!("site-{:02}", n % sites).into()));
        Arc::new(view)
    };
    snapshot.hosts = (0..sites * each).map(host).collect();
    Arc::new(snapshot)
}

/// A glyph has no name: what it belongs to has one.
#[test]
fn glyphs_stand_behind_the_name_of_their_group_or_site() {
    let text = |snapshot: &Arc<Snapshot>, size| text(&page(Form::Grid, snapshot.clone(), true), size, NOW);
    let many = sites(8, 75);
    insta::assert_snapshot!("sites_120x40", text(&many, (120, 40)));
    insta::assert_snapshot!("sites_200x60", text(&sites(40, 50), (200, 60)));
    let folded = text(&sites(12, 400), (80, 24));
    assert!(folded.contains("site-11") && folded.contains("the worst of them counts"), "{folded}");
    // Groups come before sites.
    let mut grouped = (*many).clone();
    for (view, group) in grouped.hosts.iter_mut().zip(["web", "db"].into_iter().cycle()) {
        Arc::make_mut(&mut Arc::make_mut(view).host).group = Some(group.into());
    }
    let text = text(&Arc::new(grouped), (120, 40));
    assert!(text.contains(" db    ●") && text.contains(" web   ") && !text.contains("site-0"), "{text}");
}

#[test]
fn what_is_worked_on_stands_on_every_page() {
    for (form, name) in Form::ALL {
        let wall = page(form, crate::ui::tests::care::cared_for(), true);
        let text = text(&wall, (80, 24), NOW);
        assert!(text.contains("~ MAINTENANCE  1 host, 2h more · ops2: new disks"), "{name}:\n{text}");
    }
    let wall = page(Form::Problems, fixture::outage(), true);
    assert!(!text(&wall, (80, 24), NOW).contains("MAINTENANCE"));
}

#[test]
fn a_wall_that_cannot_see_says_so_on_every_page() {
    let mut snapshot = (*fixture::outage()).clone();
    let mut problem = snapshot.problems[0].clone();
    problem.kind = state::ProblemKind::Console;
    (problem.title, problem.word, problem.reason) =
        ("this console".into(), "CAN'T SEE".into(), "no default route".into());
    snapshot.problems = Arc::from([problem]);
    for (form, name) in Form::ALL {
        let text = text(&page(form, Arc::new(snapshot.clone()), true), (80, 24), NOW);
        assert!(text.contains("CAN'T SEE since 14:01:36Z: no default route"), "{name}:\n{text}");
    }
}

/// What somebody sees to is quiet as a card, a name and a glyph too.
#[test]
fn what_somebody_sees_to_is_quiet_on_the_grid_and_among_the_backups() {
    let cared_for = crate::ui::tests::care::backups_cared_for();
    let wall = page(Form::Grid, cared_for.clone(), true);
    let text = text(&wall, (120, 40), NOW);
    assert!(text.contains("~ db02"), "{text}");
    let critical = wall.look.words(Condition::Critical, false);
    let is_red = |wall: &Wall, name: &str| {
        let shown = self::text(wall, (120, 40), NOW);
        let (y, row) = shown.lines().enumerate().find(|(_, row)| row.contains(name)).expect("it is there");
        let x = row.split(name).next().expect("a begin").chars().count();
        let style = draw(wall, (120, 40), NOW)[(x as u16, y as u16)].style();
        (style.fg, style.bg) == (critical.fg, critical.bg)
    };
    assert!(!is_red(&wall, "core-sw1"), "somebody has it");
    assert!(is_red(&page(Form::Grid, fixture::outage(), true), "core-sw1"));
    assert!(!is_red(&page(Form::Backups, cared_for, true), "db01 nightly"));
    assert!(is_red(&page(Form::Backups, fixture::outage(), true), "db01 nightly"));
}

#[test]
fn a_wall_without_data_looks_dead_from_edge_to_edge() {
    for size in SIZES {
        let wall = page(Form::Problems, fixture::outage(), true);
        let later = NOW.plus(Duration::from_secs(431));
        let text = text(&wall, size, later);
        insta::assert_snapshot!(format!("dead_{}x{}", size.0, size.1), text);
        assert!(!text.contains("core-sw1"), "nothing old is shown as if it were known:\n{text}");
    }
    // It is noticed within two cycles and half a minute, and over as soon as something comes.
    let mut wall = page(Form::Problems, fixture::outage(), true);
    assert!(matches!(wall.pulse.life(NOW.plus(Duration::from_secs(28))), Life::Live(_)));
    let late = NOW.plus(Duration::from_secs(31));
    assert!(matches!(wall.pulse.life(late), Life::Silent(age) if age.as_secs() == 34));
    assert!(text(&wall, (80, 24), late).contains("the poller is silent"));
    wall.tick(late);
    wall.engine_gone();
    assert!(text(&wall, (80, 24), late).contains("this wall comes back with it"));
    wall.snapshot(fresh(&fixture::outage(), late));
    assert!(text(&wall, (80, 24), late).contains("core-sw1"));
}

#[test]
fn an_engine_that_broke_is_told_with_when_the_next_one_begins_and_since_when_nothing_is_known() {
    let mut broken = (*fixture::outage()).aged(&Policy::default(), NOW.plus(Duration::MAX)).expect("it grows old");
    let what = "the next engine begins at 14:30:02Z: internal error of the engine: a list that is too short";
    broken.engine.link = state::Link::Lost { since: NOW, what: what.into() };
    let broken = Arc::new(broken);
    let mut wall = page(Form::Problems, fixture::outage(), true);
    wall.snapshot(broken.clone());
    let later = NOW.plus(Duration::from_secs(431));
    for size in SIZES {
        insta::assert_snapshot!(format!("broken_{}x{}", size.0, size.1), text(&wall, size, later));
    }
    // The next one has seen nothing yet and breaks too: nothing is known since the same moment.
    wall.tick(later);
    wall.snapshot(Arc::default());
    assert!(!text(&wall, (80, 24), later).contains("NO DATA for"));
    wall.snapshot(broken);
    let text = text(&wall, (80, 24), later);
    assert!(text.contains("the newest answer is from 14:22:04Z") && text.contains("NO DATA for 00:07:14"), "{text}");
}

#[test]
fn the_heart_and_the_clock_move_each_second_for_few_bytes() {
    let wall = page(Form::Grid, fixture::outage(), true);
    let mut before = draw(&wall, (120, 40), NOW);
    let mut most = 0;
    let mut all = 0;
    for second in 1..=20 {
        let now = draw(&wall, (120, 40), NOW.plus(Duration::from_secs(second)));
        let mut encoder = Encoder::new(Colours::True);
        for y in 0..40 {
            encoder.row(y, &now, Some(&before));
        }
        encoder.finish();
        assert!(!encoder.out.is_empty(), "nothing moved in second {second}");
        most = most.max(encoder.out.len());
        all += encoder.out.len();
        before = now;
    }
    assert!(most < 600 && all / 20 < 200, "{most} bytes at most, {} on average", all / 20);
    assert_eq!(wall.next_wake(NOW.plus(Duration::from_millis(300))), Some(NOW.plus(Duration::from_secs(1))));
}

/// The same, with results of this moment.
fn fresh(snapshot: &Snapshot, now: Timestamp) -> Arc<Snapshot> {
    let mut snapshot = snapshot.clone();
    for host in &mut snapshot.hosts {
        for check in &mut Arc::make_mut(host).checks {
            if let Some(last) = &mut check.last {
                Arc::make_mut(last).at = now;
            }
        }
    }
    Arc::new(snapshot)
}

/// The outage with a problem that began `seconds` before `now`.
fn with_new(now: Timestamp, seconds: u64) -> Arc<Snapshot> {
    let mut snapshot = (*fixture::outage()).clone();
    let mut problems = snapshot.problems.to_vec();
    let mut new = problems[0].clone();
    new.asset = crate::model::AssetId::new("pdu-7");
    new.target = crate::model::Target::Host(new.asset.clone());
    new.title = crate::base::Untrusted::from("pdu-7");
    new.since = now.minus(Duration::from_secs(seconds));
    problems.push(new);
    snapshot.problems = problems.into();
    fresh(&snapshot, now)
}

#[test]
fn something_new_that_is_critical_holds_the_pages_until_it_is_handled_or_the_time_is_over() {
    let sound = WallOptions { sound: Sound::Bell, ..patient() };
    let mut wall = wall_at(sound, true, NOW);
    wall.snapshot(fixture::outage());
    assert_eq!(wall.take_ring(), None, "what was there before is no news");
    let at = |seconds: u64| NOW.plus(Duration::from_secs(seconds));
    wall.tick(at(40));
    let page = wall.rotation.at(at(40)).page;
    assert_ne!(page, Some(0), "the pages turn");
    wall.snapshot(with_new(at(40), 2));
    assert_eq!(wall.take_ring(), Some(Ring::Bell));
    assert_eq!(wall.take_ring(), None, "once");
    let shown = text(&wall, (120, 40), at(41));
    let new = shown.lines().position(|line| line.contains("NEW pdu-7")).unwrap_or_else(|| panic!("{shown}"));
    let above = shown.lines().nth(new - 1).unwrap_or_default();
    assert!(shown.contains("the pages stand still") && above.contains("PROBLEMS"), "{shown}");
    // Somebody takes it on.
    let mut owned = (*with_new(at(40), 2)).clone();
    let mut problems = owned.problems.to_vec();
    let last = problems.last_mut().expect("it is the last");
    last.care.ack = Some(Arc::new(Acknowledgement {
        id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
        since: at(60),
        claim: Claim {
            target: last.target.clone(),
            owner: "ops1".into(),
            note: "".into(),
            until: at(9_000),
            stickiness: Stickiness::EndsOnWorsening,
            condition: None,
        },
    }));
    owned.problems = problems.into();
    wall.tick(at(60));
    wall.snapshot(Arc::new(owned));
    assert_eq!(wall.rotation.at(at(60)).page, page, "they go on where they were");
    // It comes and goes: not each time.
    wall.tick(at(90));
    wall.snapshot(fixture::outage());
    wall.tick(at(120));
    wall.snapshot(with_new(at(120), 1));
    assert!(!wall.rotation.at(at(120)).is_held);
    // A day later it is news, and nobody handles it.
    let day = 86_400;
    wall.tick(at(day));
    wall.snapshot(fixture::outage());
    wall.tick(at(day + 5));
    wall.snapshot(with_new(at(day + 5), 1));
    assert!(wall.rotation.at(at(day + 64)).is_held && !wall.rotation.at(at(day + 65)).is_held);
}

#[test]
fn what_nobody_takes_on_grows_until_it_stands_on_every_page() {
    let mut wall = wall_at(WallOptions { pages: vec![Page::of(Form::Ports)], ..WallOptions::default() }, true, ago(60));
    wall.tick(NOW);
    wall.snapshot(fixture::outage());
    // It broke 20 min 31 s ago.
    insta::assert_snapshot!("unowned_20", text(&wall, (120, 40), NOW));
    let later = NOW.plus(Duration::from_secs(20));
    let minutes = text(&wall, (120, 40), later);
    assert!(minutes.contains("UNOWNED 20 min  core-sw1 DOWN and 1 more"), "{minutes}");
    let mut old = (*fixture::outage()).clone();
    let mut problems = old.problems.to_vec();
    problems[0].since = ago(45 * 60 + 5);
    old.problems = problems.into();
    wall.snapshot(Arc::new(old));
    insta::assert_snapshot!("unowned_45", text(&wall, (120, 40), NOW));
    let row = text(&wall, (120, 40), NOW).lines().position(|line| line.contains("UNOWNED")).expect("a band") as u16;
    let style = |now| draw(&wall, (120, 40), now)[(8, row)].modifier;
    assert_ne!(style(NOW), style(NOW.plus(Duration::from_secs(1))), "it changes its look each second");
}

#[test]
fn minutes_without_an_owner_stand_once_on_a_page() {
    let all = Page::of(Form::Digits);
    let others = Page { filter: "db01".into(), ..all.clone() };
    for (page, minutes, figures, line) in [
        (all.clone(), 15, 0, "UNOWNED 20 min  core-sw1"),
        (all, 1, 1, "UNOWNED  core-sw1"),
        (others, 15, 1, "UNOWNED 20 min"),
    ] {
        let escalate = [5, 15, 15 + minutes].map(|minutes| Duration::from_secs(minutes * 60));
        let mut wall = wall_at(WallOptions { pages: vec![page], escalate, ..WallOptions::default() }, true, ago(60));
        wall.tick(NOW);
        wall.snapshot(fixture::outage());
        let shown = text(&wall, (120, 40), NOW);
        let told = shown.matches("without an owner").count() + shown.matches("minutes unowned").count();
        assert_eq!((told, shown.contains(line)), (figures, true), "{shown}");
        assert_eq!(shown.contains("unknown"), !shown.contains("minutes unowned"), "its place is taken: {shown}");
    }
}

#[test]
fn without_a_problem_the_hosts_stand_on_the_page_of_the_problems() {
    let shown = text(&page(Form::Problems, fixture::quiet(), true), (80, 24), NOW);
    let none = shown.lines().position(|line| line.contains("no problem is known")).unwrap_or_else(|| panic!("{shown}"));
    let hosts = shown.lines().position(|line| line.contains("── HOSTS ")).unwrap_or_else(|| panic!("{shown}"));
    assert!(none < hosts && shown.contains("● gateway"), "{shown}");
}

#[test]
fn a_switch_that_is_not_heard_has_no_ports_that_are_up() {
    let mut snapshot = (*fixture::outage()).clone();
    let old = snapshot.devices.iter().find(|device| &*device.host.name == "acc-17").expect("it is there").clone();
    snapshot.devices.extend((0..60).map(|_| old.clone()));
    let shown = text(&page(Form::Ports, snapshot.into(), true), (200, 40), NOW);
    assert!(shown.contains("  43 up ") && shown.contains("  unreachable  "), "{shown}");
    assert!(!shown.contains("up, unreachable"), "{shown}");
}

/// On a line with little room what stands behind a number is a reason of its own, or not there.
#[test]
fn what_is_behind_a_problem_does_not_run_into_its_reason() {
    let mut snapshot = (*fixture::outage()).clone();
    let mut problems = snapshot.problems.to_vec();
    let other = problems[1].clone();
    problems.extend((0..20).map(|_| other.clone()));
    snapshot.problems = problems.into();
    let wall = page(Form::Problems, snapshot.into(), true);
    let mut seen = 0;
    for width in 50..120 {
        let shown = text(&wall, (width, 14), NOW);
        if let Some((_, behind)) = shown.split_once("34 behind it") {
            assert!(behind.starts_with(' '), "{width}: {shown}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

/// A wall of a network in which something new breaks all the time, as in a rehearsal.
#[test]
fn a_wall_on_which_something_breaks_every_minute_still_shows_every_page() {
    let mut wall = wall_at(WallOptions::default(), true, NOW);
    wall.snapshot(fixture::outage());
    let mut shown: Vec<(usize, u64)> = Vec::new();
    for second in 0..1_200 {
        let now = NOW.plus(Duration::from_secs(second));
        wall.tick(now);
        if second % 40 == 10 {
            let mut snapshot = (*with_new(now, 1)).clone();
            let mut problems = snapshot.problems.to_vec();
            let new = problems.last_mut().expect("it is the last");
            new.target = crate::model::Target::Host(crate::model::AssetId::new(format!("pdu-{second}").as_str()));
            snapshot.problems = problems.into();
            wall.snapshot(Arc::new(snapshot));
        }
        if let Some(page) = wall.rotation.at(now).page {
            match shown.last_mut() {
                Some((last, seconds)) if *last == page => *seconds += 1,
                _ => shown.push((page, 1)),
            }
        }
    }
    for page in 0..wall.scopes.len() {
        let turns = shown.iter().filter(|(shown, seconds)| *shown == page && *seconds >= 15).count();
        assert!(turns >= 3, "page {page}: {shown:?}");
    }
    // Those that something critical is on come first: the backups before the switches, of which none is.
    let first = |page: usize| shown.iter().position(|(shown, _)| *shown == page);
    assert!(first(4) < first(3), "{shown:?}");
}

/// Two problems that nobody has: the old one decides how loud it is, the worse one is named.
#[test]
fn large_figures_are_those_of_the_worst_problem_and_not_of_the_one_that_waits_longest() {
    let mut snapshot = (*fixture::outage()).clone();
    let mut problems = snapshot.problems.to_vec();
    problems[0].since = ago(12 * 60 + 5);
    problems[1].since = ago(95 * 60 + 5);
    snapshot.problems = problems.into();
    let mut wall = wall_at(WallOptions { pages: vec![Page::of(Form::Ports)], ..WallOptions::default() }, true, ago(60));
    wall.tick(NOW);
    wall.snapshot(Arc::new(snapshot.clone()));
    let shown = text(&wall, (120, 40), NOW);
    assert!(shown.contains("UNOWNED  core-sw1 DOWN and 1 more, the longest for 95 min"), "{shown}");
    assert!(shown.contains("minutes without an owner\n") && shown.contains("█   no answer to ICMP"), "{shown}");
    let mut unheard = snapshot.clone();
    unheard.problems = Arc::from([]);
    for host in &mut unheard.hosts {
        Arc::make_mut(host).condition = Condition::Pending;
    }
    for job in &mut unheard.jobs {
        Arc::make_mut(job).condition = Condition::Pending;
    }
    let nothing = text(&page(Form::Digits, Arc::new(unheard), true), (120, 40), NOW);
    assert!(nothing.contains("hosts ok") && nothing.contains("critical"), "{nothing}");
    // The figures alone: a stroke is one row high, a nought five.
    assert!(
        nothing.lines().filter(|line| line.contains('█')).count() < 20,
        "no nought before anything is known: {nothing}"
    );
    let digits = text(&page(Form::Digits, Arc::new(snapshot.clone()), true), (120, 40), NOW);
    // Three beside each other: a label has a third of the row, and the figures fill both halves of the screen.
    let labels = |line: &&str| line.contains("hosts ok") || line.contains("minutes unowned");
    assert_eq!(digits.lines().filter(labels).count(), 2, "{digits}");
    assert!(digits.contains("minutes unowned: core-sw1 DOWN and 1 more"), "{digits}");
    // Less than a minute would be a large nought.
    let mut problems = snapshot.problems.to_vec();
    problems[0].since = ago(43);
    snapshot.problems = problems.into();
    wall.snapshot(Arc::new(snapshot.clone()));
    let shown = text(&wall, (120, 40), NOW);
    assert!(shown.contains("█   no answer") && shown.contains("seconds without an owner\n"), "{shown}");
    // Of no backup at all, nothing is well; and what is unknown is no nought.
    let mut bare = snapshot.clone();
    bare.jobs.clear();
    bare.problems = bare.problems.iter().cloned().map(|one| Problem { condition: Condition::Unknown, ..one }).collect();
    let count = bare.problems.len();
    let bare = text(&page(Form::Digits, Arc::new(bare), true), (120, 40), NOW);
    assert!(bare.contains("backups: none are watched") && !bare.contains("backups ok"), "{bare}");
    assert!(bare.contains(&format!("unreachable · {count} unknown")), "{bare}");
    // Below the grid as on the page of problems: what is left out is counted.
    let mut many = snapshot.clone();
    many.problems = (0..40).map(|_| Problem { since: ago(3_600), ..snapshot.problems[0].clone() }).collect();
    let many = text(&page(Form::Grid, Arc::new(many), true), (120, 40), NOW);
    let shown = many.lines().filter(|line| line.contains("34 behind it")).count();
    assert!(shown > 3 && many.contains(&format!("and {} more", 40 - shown)), "{many}");
    let options = WallOptions { pages: vec![Page::of(Form::Digits)], hold: Duration::from_secs(1), ..patient() };
    let mut digits = wall_at(options, true, ago(60));
    digits.tick(ago(3));
    digits.snapshot(Arc::new(snapshot));
    digits.tick(NOW);
    let digits = text(&digits, (120, 40), NOW);
    assert!(digits.contains("seconds unowned: core-sw1"), "{digits}");
}

#[test]
fn the_picture_moves_by_a_cell_only_when_a_page_turns() {
    let mut wall = wall_at(patient(), true, NOW);
    let mut at = Vec::new();
    for second in 0..3_600 {
        let now = NOW.plus(Duration::from_secs(second));
        wall.tick(now);
        let place = wall.rotation.at(now);
        let buffer = draw(&wall, (80, 24), now);
        let x = (0..80).find(|x| buffer[(*x, 0)].symbol() == "n" || buffer[(*x, 1)].symbol() == "n").unwrap_or(0);
        if at.last().is_some_and(|(_, last)| *last != x) {
            assert_eq!(place.since, now, "in second {second}");
        }
        at.push((second, x));
    }
    let mut seen: Vec<u16> = at.iter().map(|(_, x)| *x).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn a_page_is_about_what_its_filter_lets_through() {
    let shown = |page: Page| {
        let mut wall = wall_at(WallOptions { pages: vec![page], ..patient() }, true, ago(3_600));
        wall.tick(NOW);
        wall.snapshot(fixture::outage());
        text(&wall, (120, 40), NOW)
    };
    let grid = shown(Page { filter: "state:problem".into(), ..Page::of(Form::Grid) });
    assert!(grid.contains("core-sw1") && grid.contains("web2") && !grid.contains("app01"), "{grid}");
    let none = shown(Page { tag: Some("dc2".into()), ..Page::of(Form::Grid) });
    assert!(none.contains("no host is here"), "{none}");
    let group = shown(Page { group: Some("servers".into()), ..Page::of(Form::Grid) });
    assert!(group.contains("db01"), "{group}");
    let nowhere = shown(Page { site: Some("fra9".into()), ..Page::of(Form::Grid) });
    assert!(nowhere.contains("no host is here"), "{nowhere}");
    let switches = |filter: &str| shown(Page { filter: filter.into(), ..Page::of(Form::Ports) });
    let port = switches("dist-sw4 Te1/1/1");
    assert!(port.contains("1 switch ·") && port.contains("dist-sw4 Te1/1/1"), "{port}");
    let devices = switches("kind:device name:acc");
    assert!(devices.contains("acc-17") && !devices.contains("dist-sw4"), "{devices}");
    // What was known of a port that cannot be reached is not its state now.
    assert!(switches("kind:port state:err-disabled").contains("no switch is here"));
    assert!(switches("kind:host").contains("no switch is here"));
    let problems = shown(Page { tag: Some("core".into()), ..Page::of(Form::Problems) });
    assert!(problems.contains("core-sw1") && !problems.contains("nightly"), "{problems}");
}

/// `ok` above what its card is red for would be read as the state of the host.
#[test]
fn the_card_of_a_host_that_answers_says_that_a_part_of_it_is_bad() {
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.hosts.push(Arc::new(fixture::host("dist-sw4", Condition::Ok, "load 0.3", 90_000)));
    let text = text(&page(Form::Grid, Arc::new(snapshot), true), (200, 60), NOW);
    let at = text.lines().position(|line| line.contains("▲ dist-sw4")).unwrap_or_else(|| panic!("{text}"));
    let below: Vec<&str> = text.lines().skip(at + 1).take(2).collect();
    assert!(below[0].contains("warning 20m in part") && below[1].contains("1 part: Te1/1/1 up"), "{text}");
    assert!(text.contains("DOWN 20m"), "{text}");
}

#[test]
fn a_wall_that_watches_nothing_says_so() {
    let mut wall = wall_at(WallOptions::default(), true, NOW);
    wall.snapshot(Arc::default());
    assert!(text(&wall, (80, 24), NOW).contains("nothing is watched yet"));
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.engine.mode = Mode::Paused;
    snapshot.engine.storage = state::Storage::NotSaved { reason: "the disk is full".into() };
    wall.snapshot(Arc::new(snapshot));
    let text = text(&wall, (80, 24), NOW);
    assert!(text.contains("PAUSED: nothing is polled") && text.contains("NOT SAVED: the disk is full"), "{text}");
}

#[test]
fn no_key_does_anything() {
    let mut wall = page(Form::Problems, fixture::outage(), true);
    let before = text(&wall, (80, 24), NOW);
    for key in ["q", ":", "Ctrl+C", "Ctrl+Z", "Esc", "Enter", "p", "R"] {
        wall.key(Key::parse(key).expect("a key"));
    }
    wall.paste(":q!\r".to_owned());
    assert_eq!(wall.take_exit(), None);
    assert_eq!(text(&wall, (80, 24), NOW), before);
}

#[test]
fn a_ring_holds_nothing_that_a_terminal_obeys_beside_itself() {
    assert_eq!(Ring::Bell.bytes(), b"\x07");
    let foreign = "4;1;\x1b]0;own\x07\u{9b}2J\x1b\\\u{9c}b\u{202e}";
    let bytes = |ring: Ring| String::from_utf8(ring.bytes()).expect("UTF-8");
    let call = |desktop| Call { words: foreign.to_owned(), desktop };
    let nine = concat!("\x1b]9;noctty: 4;1;", r"\x1b]0;own\x07\u{9b}2J\x1b\\u{9c}b<U+202E>", "\x1b\\");
    let seven = concat!("\x1b]777;notify;noctty;4,1,", r"\x1b]0,own\x07\u{9b}2J\x1b\\u{9c}b<U+202E>", "\x1b\\");
    for (desktop, want) in [
        (Desktop::None, String::new()),
        (Desktop::Osc9, nine.to_owned()),
        (Desktop::Osc777, seven.to_owned()),
        (Desktop::Both, [nine, seven].concat()),
    ] {
        assert_eq!(bytes(Ring::Notification(call(desktop))), want);
        assert_eq!(bytes(Ring::Alert(call(desktop))), format!("\x07{want}"));
    }
    let long = bytes(Ring::Notification(Call { words: "\x1b".repeat(5_000), desktop: Desktop::Both }));
    assert!(long.len() < 300 && long.matches('\x1b').count() == 4 && long.ends_with("\x1b\\"), "{long:?}");
    let options = WallOptions { sound: Sound::Notification, notification: Desktop::Osc777, ..patient() };
    let mut wall = wall_at(options, true, NOW);
    wall.snapshot(fixture::quiet());
    let mut snapshot = (*fixture::hostile()).clone();
    let mut problems = snapshot.problems.to_vec();
    for problem in &mut problems {
        problem.since = NOW;
    }
    snapshot.problems = problems.into();
    wall.snapshot(Arc::new(snapshot));
    let Some(Ring::Notification(Call { words, desktop: Desktop::Osc777 })) = wall.take_ring() else {
        panic!("no sound")
    };
    assert!(crate::base::text::is_clean(&words) && words.contains("DOWN"), "{words}");
}

/// A theme that is written while a wall hangs there for months.
#[test]
fn a_theme_that_changes_is_shown_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = |text: &str| {
        std::fs::write(folder.path().join("mine.toml"), text).expect("it can be written");
        Shelf::read(folder.path())
    };
    let (nudge, _nudged) = std::sync::mpsc::sync_channel(1);
    let (sender, news) = tokio::sync::mpsc::channel(1);
    let capabilities = Capabilities { colours: Colours::True, unicode: true };
    let (first, problems) = shelf("inherits = \"wall\"\n");
    assert!(problems.is_empty(), "{problems:?}");
    let themes = Themes::new(first, ThemeChoice::named("mine"), Background::Dark, capabilities);
    let mut wall = Wall::new(patient(), themes.with_news(nudge, news), None, NOW);
    wall.snapshot(fixture::outage());
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(wall.poll_sessions(cx).is_pending());
    let before = draw(&wall, (80, 24), NOW);
    sender.try_send(shelf("inherits = \"wall\"\ntext = { fg = \"red\" }\n")).expect("room");
    assert!(wall.poll_sessions(cx).is_ready());
    let after = draw(&wall, (80, 24), NOW);
    let letters = |buffer: &Buffer| buffer.content.iter().map(|cell| cell.symbol().to_owned()).collect::<Vec<_>>();
    assert!(after != before && letters(&after) == letters(&before), "other colours, the same words");
    // It is gone: there is still something to be seen.
    sender.try_send((Shelf::default(), Vec::new())).expect("room");
    assert!(wall.poll_sessions(cx).is_ready() && letters(&draw(&wall, (80, 24), NOW)) == letters(&before));
}

proptest::proptest! {
    /// Whatever the size and whatever foreign names hold: no panic, and nothing that a terminal obeys.
    #[test]
    fn no_size_and_no_name_breaks_the_wall(
        columns in 1u16..210,
        rows in 1u16..70,
        unicode: bool,
        form in 0usize..6,
        seconds in 0u64..5_000,
    ) {
        let mut wall = page(Form::ALL[form].0, fixture::hostile(), unicode);
        wall.options.escalate = WallOptions::default().escalate;
        let buffer = draw(&wall, (columns, rows), NOW.plus(Duration::from_secs(seconds % 60)));
        let dead = draw(&wall, (columns, rows), NOW.plus(Duration::from_secs(seconds)));
        for cell in buffer.content.iter().chain(&dead.content) {
            let symbol = cell.symbol();
            proptest::prop_assert!(unicode || symbol.is_ascii(), "{symbol:?}");
            proptest::prop_assert!(crate::base::text::is_clean(symbol), "{symbol:?}");
        }
    }
}

/// Pages of memory that this process has.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number")
}

/// Months in simulated time: problems come and go under ever new names, engines end and begin, pages turn. The number of
/// frames can be raised by `NOCTTY_SOAK_FRAMES`.
#[test]
fn a_wall_does_not_grow_with_the_days() {
    let frames: u64 = std::env::var("NOCTTY_SOAK_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let mut wall = wall_at(WallOptions { sound: Sound::Bell, ..WallOptions::default() }, true, NOW);
    let outage = fixture::outage();
    let mut warm = 0;
    let mut before = None;
    for turn in 0..frames {
        // A frame stands for 22 minutes: 2,000 of them are a month.
        let now = NOW.plus(Duration::from_secs(turn * 1_293));
        wall.tick(now);
        let mut snapshot = (*outage).clone();
        let mut problems = snapshot.problems.to_vec();
        for problem in &mut problems {
            problem.asset = crate::model::AssetId::new(format!("host-{turn}").as_str());
            problem.target = crate::model::Target::Host(problem.asset.clone());
            problem.since = now;
        }
        snapshot.problems = problems.into();
        wall.snapshot(Arc::new(snapshot));
        if turn % 97 == 0 {
            wall.engine_gone();
        }
        let _ = wall.take_ring();
        let buffer = draw(&wall, (80, 24), now);
        let mut encoder = Encoder::new(Colours::True);
        (0..24).for_each(|y| encoder.row(y, &buffer, before.as_ref()));
        before = Some(buffer);
        if turn == frames / 5 {
            warm = resident();
        }
    }
    let grown = resident().saturating_sub(warm) * 4;
    assert!(grown < 2 * 1024, "{grown} KiB more after {frames} frames");
}

/// A front is narrow: on a wide wall two stand beside each other, and what is old counts nothing as up.
#[test]
fn fronts_stand_beside_each_other_on_a_wide_wall_and_old_ones_count_nothing() {
    let shown = text(&page(Form::Ports, fixture::outage(), true), (200, 60), NOW);
    let heads = shown.lines().find(|line| line.contains("dist-sw4")).unwrap_or_else(|| panic!("{shown}"));
    assert!(heads.contains("acc-17") && heads.contains("43/52 up") && heads.contains("?/52 up"), "{shown}");
    assert_eq!(heads.matches(" in ").count(), 1, "{shown}");
    let narrow = text(&page(Form::Ports, fixture::outage(), true), (120, 40), NOW);
    assert!(!narrow.lines().any(|line| line.contains("dist-sw4  ") && line.contains("acc-17")), "{narrow}");
}
