//! What whoever comes next has to know of the whole network, as CommonMark: the open incidents, what is wrong and whose it is, which
//! silences end when, what changed, and what is watched. Nothing that somebody wrote is a link, HTML or a heading in it. For programs
//! the same is `noctty.handover/1`, with the note itself in it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::care::{AckRow, MaintenanceRow, ack_row, maintenance_row};
use super::check::{ProblemRow, problem_row};
use super::incident::{IncidentRow, escape_markdown, handover_text, incident_row};
use super::json;
use crate::base::units::counted;
use crate::base::{Timestamp, Untrusted, units};
use crate::model::{
    Acknowledgement, AssetId, Condition, Incident, IncidentStatus, Maintenance, Scope, Span, Stickiness, Transition,
};
use crate::state::{Awaited, Link, Mode, Problem, ProblemKind, Snapshot};

/// Problems of one part that are told: the worst. More are counted.
const PROBLEMS: usize = 60;
/// Changes that are told: the newest.
const CHANGES: usize = 20;
/// So old are changes that whoever comes next has to know.
const RECENT: Duration = Duration::from_secs(24 * 3_600);
/// A window that begins later is nobody's business yet.
const AHEAD: Duration = Duration::from_secs(48 * 3_600);

pub const SCHEMA: &str = "noctty.handover/1";

/// Who hands over, and when.
#[derive(Clone, Copy, Debug)]
pub struct Hand<'a> {
    pub by: &'a str,
    pub now: Timestamp,
    /// Why what follows may not be all, beside what the picture itself says.
    pub doubts: &'a [String],
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    collected_at: String,
    /// False where `doubts` says why what follows may not be so, or not all.
    complete: bool,
    from: &'a str,
    /// The engine that says so; null where there was one round of checks.
    seen_by: Option<&'a str>,
    doubts: Vec<String>,
    totals: TotalsRow,
    incidents: Vec<IncidentRow>,
    problems: Vec<ProblemRow>,
    acks: Vec<AckRow>,
    maintenance: Vec<MaintenanceRow>,
    changes: Vec<ChangeRow>,
    watched: Vec<WatchRow>,
    /// The note, as CommonMark.
    text: String,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct TotalsRow {
    critical: usize,
    warning: usize,
    unknown: usize,
    unreachable: usize,
    unowned: usize,
    hosts: usize,
    hosts_ok: usize,
    backups: usize,
    backups_ok: usize,
}

#[derive(Debug, Serialize)]
struct ChangeRow {
    at: String,
    name: String,
    from: &'static str,
    to: &'static str,
    reason: String,
}

#[derive(Debug, Serialize)]
struct WatchRow {
    asset: String,
    every_s: f64,
    until: String,
}

/// The same for programs; nothing is left out that the note only counts.
pub fn json(snapshot: &Snapshot, hand: Hand<'_>, seen_by: Option<&str>, warnings: &[String]) -> String {
    let t = &snapshot.totals;
    let mut acks: Vec<_> = snapshot.acks.values().filter(|ack| ack.claim.until > hand.now).collect();
    acks.sort_by(|a, b| (a.claim.until, &a.id).cmp(&(b.claim.until, &b.id)));
    let doubts = doubts(snapshot, hand);
    json::pretty(&Document {
        schema: SCHEMA,
        collected_at: hand.now.rfc3339(),
        complete: doubts.is_empty() && warnings.is_empty(),
        from: hand.by,
        seen_by,
        totals: TotalsRow {
            critical: t.critical,
            warning: t.warning,
            unknown: t.unknown,
            unreachable: t.unreachable,
            unowned: t.unowned,
            hosts: t.hosts,
            hosts_ok: t.hosts_ok,
            backups: t.jobs,
            backups_ok: t.jobs_ok,
        },
        incidents: open(snapshot).map(|incident| incident_row(incident, true)).collect(),
        problems: snapshot.problems.iter().map(problem_row).collect(),
        acks: acks.into_iter().map(|ack| ack_row(ack)).collect(),
        maintenance: pressing(snapshot, hand.now).map(|(_, one)| maintenance_row(one)).collect(),
        changes: recent(snapshot, hand.now).map(change_row).collect(),
        watched: closely(snapshot)
            .map(|(asset, every, until)| WatchRow {
                asset: asset.as_str().to_owned(),
                every_s: every.as_secs_f64(),
                until: until.rfc3339(),
            })
            .collect(),
        text: markdown(snapshot, hand),
        doubts,
        warnings: warnings.to_vec(),
    })
}

fn change_row(one: &Arc<Transition>) -> ChangeRow {
    ChangeRow {
        at: one.at.rfc3339(),
        name: one.name.json_text(),
        from: one.from.as_str(),
        to: one.became(),
        reason: one.reason.json_text(),
    }
}

/// The whole note.
pub fn markdown(snapshot: &Snapshot, hand: Hand<'_>) -> String {
    let mut out = format!("# Handover {} UTC\n\n", hand.now.utc_minute());
    let by = if hand.by.is_empty() { String::new() } else { format!("From {}. ", escape_markdown(hand.by)) };
    let _ = writeln!(out, "{by}{}", standing(snapshot));
    for doubt in doubts(snapshot, hand) {
        let _ = writeln!(out, "\n**{}**", escape_markdown(&doubt));
    }
    incidents(&mut out, snapshot, hand.now);
    problems(&mut out, snapshot, hand);
    silences(&mut out, snapshot, hand);
    changes(&mut out, snapshot, hand.now);
    watched(&mut out, snapshot, hand.now);
    out
}

/// How it stands in one sentence.
fn standing(snapshot: &Snapshot) -> String {
    let t = &snapshot.totals;
    let mut parts: Vec<String> =
        [(t.critical, "critical"), (t.warning, "warning"), (t.unknown, "unknown"), (t.unreachable, "unreachable")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
    if parts.is_empty() {
        parts.push("Nothing is wrong that is known".to_owned());
    }
    if t.unowned > 0 {
        parts.push(format!("{} of them nobody's", t.unowned));
    }
    let backups =
        if t.jobs > 0 { format!(", {} of {} ok", t.jobs_ok, counted(t.jobs, "backup")) } else { String::new() };
    format!("{}. {} of {} up{backups}.", parts.join(", "), t.hosts_ok, counted(t.hosts, "host"))
}

/// Why what follows may not be so.
fn doubts(snapshot: &Snapshot, hand: Hand<'_>) -> Vec<String> {
    let (engine, now) = (&snapshot.engine, hand.now);
    let mut out = hand.doubts.to_vec();
    if let Link::Lost { since, what } = &engine.link {
        out.push(format!("Not polled for {}: {what}", units::age(now.since(*since))));
    }
    let Awaited { problems, hosts, devices, jobs, incidents, .. } = snapshot.awaited;
    if !snapshot.awaited.is_nothing() {
        out.push(format!(
            "Written before all had come from the engine: {problems} problems, {hosts} hosts, {devices} devices, {jobs} \
             backups and {incidents} incidents are missing"
        ));
    }
    match engine.mode {
        Mode::Polling => {}
        Mode::Paused => out.push(engine.pause.as_ref().map_or_else(|| "PAUSED".to_owned(), |pause| pause.words(now))),
        Mode::Passive => out.push("Passive: nothing is ever sent".to_owned()),
    }
    if let Some(problem) = snapshot.problems.iter().find(|problem| problem.kind == ProblemKind::Console) {
        out.push(format!("{} for {}: {}", problem.word, units::age(now.since(problem.since)), problem.reason.line()));
    }
    for channel in engine.channels.iter() {
        if let Some((since, why)) = &channel.failing {
            out.push(format!("Nobody is told by {} for {}: {why}", channel.name, units::age(now.since(*since))));
        }
    }
    out
}

fn open(snapshot: &Snapshot) -> impl Iterator<Item = &Arc<Incident>> {
    snapshot.incidents.iter().filter(|incident| incident.status == IncidentStatus::Open)
}

/// The note of each incident that is open, as the command line prints it: indented, so that all of it is text.
fn incidents(out: &mut String, snapshot: &Snapshot, now: Timestamp) {
    for incident in open(snapshot) {
        let _ = writeln!(out, "\n## Incident {} {}\n", incident.id, incident.urgency.as_str());
        for line in handover_text(incident, now).lines() {
            let _ = writeln!(out, "    {line}");
        }
    }
}

fn problems(out: &mut String, snapshot: &Snapshot, hand: Hand<'_>) {
    let all = || snapshot.problems.iter().filter(|problem| problem.kind != ProblemKind::Console);
    let in_hand = |problem: &&Problem| problem.care.maintenance.is_none();
    let owner = |problem: &Problem| problem.care.ack.as_ref().map(|ack| ack.claim.owner.line());
    let nobodys: Vec<&Problem> = all().filter(in_hand).filter(|problem| owner(problem).is_none()).collect();
    let mine: Vec<&Problem> =
        all().filter(in_hand).filter(|problem| owner(problem).as_deref() == Some(hand.by)).collect();
    let others: Vec<&Problem> =
        all().filter(in_hand).filter(|problem| owner(problem).is_some_and(|owner| owner != hand.by)).collect();
    let maintained: Vec<&Problem> = all().filter(|problem| problem.care.maintenance.is_some()).collect();
    let mine_title =
        if hand.by.is_empty() { "Mine".to_owned() } else { format!("Mine ({})", escape_markdown(hand.by)) };
    for (title, of) in [
        ("Open, and nobody's".to_owned(), nobodys),
        (mine_title, mine),
        ("Others have".to_owned(), others),
        ("In maintenance".to_owned(), maintained),
    ] {
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n## {title}: {}\n", of.len());
        for problem in of.iter().take(PROBLEMS) {
            let _ = writeln!(out, "{}", line(problem, hand.now));
        }
        if of.len() > PROBLEMS {
            let _ = writeln!(out, "- and {} more", of.len() - PROBLEMS);
        }
    }
}

fn line(problem: &Problem, now: Timestamp) -> String {
    let mut out = format!("- **{}** {}", escape_markdown(&problem.word), escape_markdown(&problem.title.line()));
    let _ = write!(out, ", for {}", units::age(now.since(problem.since)));
    if problem.stale {
        out.push_str(", found longer ago than it should be");
    }
    if let Some(behind) = problem.behind_it() {
        let _ = write!(out, ", {behind}");
    }
    if !problem.reason.is_empty() {
        let _ = write!(out, ": {}", escape_markdown(&problem.reason.line()));
    }
    if let Some(ack) = &problem.care.ack {
        let _ = write!(out, " ({}{})", escape_markdown(&ack.claim.owner.line()), note(&ack.claim.note));
    }
    out
}

fn note(words: &Untrusted) -> String {
    if words.is_empty() { String::new() } else { format!(": {}", escape_markdown(&words.line())) }
}

/// Claims and maintenance windows, the first that ends before the others.
fn silences(out: &mut String, snapshot: &Snapshot, hand: Hand<'_>) {
    let now = hand.now;
    let mut rows: Vec<(Timestamp, String)> = Vec::new();
    rows.extend(snapshot.acks.values().filter(|ack| ack.claim.until > now).map(|ack| claim(ack, now)));
    rows.extend(pressing(snapshot, now).map(|((from, until), one)| window(one, from, until, now)));
    if rows.is_empty() {
        return;
    }
    rows.sort();
    out.push_str("\n## Silences and claims, the next to end first\n\n");
    for (_, row) in rows {
        let _ = writeln!(out, "- {row}");
    }
}

fn claim(ack: &Arc<Acknowledgement>, now: Timestamp) -> (Timestamp, String) {
    let claim = &ack.claim;
    let sooner = match claim.stickiness {
        Stickiness::Sticky => "",
        Stickiness::EndsOnWorsening => ", or when it gets worse",
    };
    let words = format!(
        "{}, claimed by {}, ends in {} at {}{sooner}{}",
        escape_markdown(&claim.target.label().line()),
        escape_markdown(&claim.owner.line()),
        units::age(claim.until.since(now)),
        claim.until.utc_minute(),
        note(&claim.note),
    );
    (claim.until, words)
}

/// Windows that are open or will be soon; those that come again are in the configuration.
fn pressing(snapshot: &Snapshot, now: Timestamp) -> impl Iterator<Item = ((Timestamp, Timestamp), &Arc<Maintenance>)> {
    snapshot.maintenance.iter().filter_map(move |one| {
        let Span::Once { from, until } = one.order.span else { return None };
        (one.order.over_since(now).is_none() && from <= now.plus(AHEAD)).then_some(((from, until), one))
    })
}

fn window(one: &Maintenance, from: Timestamp, until: Timestamp, now: Timestamp) -> (Timestamp, String) {
    let what = match &one.order.scope {
        Scope::Asset(id) => id.as_str().to_owned(),
        Scope::Tag(tag) => format!("tag {tag}"),
        Scope::Group(group) => format!("group {group}"),
        Scope::Site(site) => format!("site {site}"),
        Scope::Behind(id) => format!("{} and what hangs on it", id.as_str()),
    };
    let when = if from > now {
        format!("begins in {}, ends at {}", units::age(from.since(now)), until.utc_minute())
    } else {
        format!("ends in {} at {}", units::left(until.since(now)), until.utc_minute())
    };
    let (what, by) = (escape_markdown(&Untrusted::from(what).line()), escape_markdown(&one.author.line()));
    (until, format!("{what}, maintenance by {by}, {when}{}", note(&one.order.note)))
}

/// What changed within a day, newest first. What a failure took along is told by the failure.
fn recent(snapshot: &Snapshot, now: Timestamp) -> impl Iterator<Item = &Arc<Transition>> {
    let behind = |one: &Transition| one.from == Condition::Unreachable || one.to == Condition::Unreachable;
    snapshot.transitions.iter().filter(move |one| now.since(one.at) <= RECENT && !behind(one))
}

fn changes(out: &mut String, snapshot: &Snapshot, now: Timestamp) {
    let count = recent(snapshot, now).count();
    if count == 0 {
        return;
    }
    out.push_str("\n## What changed within a day, newest first\n\n");
    for one in recent(snapshot, now).take(CHANGES) {
        let reason = if one.reason.is_empty() { String::new() } else { format!(": {}", one.reason.line()) };
        let _ = writeln!(
            out,
            "- {} {}: {} → {}{}",
            one.at.utc_minute(),
            escape_markdown(&one.name.line()),
            one.from.as_str(),
            one.became(),
            escape_markdown(&reason),
        );
    }
    if count > CHANGES {
        let _ = writeln!(out, "- and {} more", count - CHANGES);
    }
}

/// What is watched closely: how often it is asked, and until when.
fn closely(snapshot: &Snapshot) -> impl Iterator<Item = (&AssetId, Duration, Timestamp)> {
    let engine = &snapshot.engine;
    let hosts = engine.hosts_watched.iter().map(|watch| (&watch.asset, watch.every, watch.until));
    let ports = engine.watch.iter().map(|watch| (&watch.asset, watch.every, watch.until));
    hosts.chain(ports)
}

fn watched(out: &mut String, snapshot: &Snapshot, now: Timestamp) {
    let mut rows = closely(snapshot).peekable();
    if rows.peek().is_none() {
        return;
    }
    out.push_str("\n## Watched closely\n\n");
    for (asset, every, until) in rows {
        let name = escape_markdown(&Untrusted::from(asset.as_str()).line());
        let left = units::left(until.since(now));
        let _ = writeln!(out, "- {name}, asked every {}, for {left} more", units::config_duration(every));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Claim, Order, Target};
    use crate::state::Care;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn hand() -> Hand<'static> {
        Hand { by: "ops1", now: NOW, doubts: &[] }
    }

    fn problem(name: &str, owner: Option<&str>) -> Problem {
        let claim = |owner: &str| Claim {
            target: Target::Host(AssetId::new(name)),
            owner: owner.into(),
            note: "on it".into(),
            until: NOW.plus(Duration::from_secs(3_600)),
            stickiness: Stickiness::EndsOnWorsening,
            condition: None,
        };
        let ack = owner.map(|owner| Arc::new(Acknowledgement { id: "1".into(), since: NOW, claim: claim(owner) }));
        Problem {
            kind: ProblemKind::Host,
            asset: AssetId::new(name),
            target: Target::Host(AssetId::new(name)),
            port: None,
            title: name.into(),
            condition: Condition::Critical,
            stale: false,
            word: "DOWN".into(),
            reason: "no answer".into(),
            since: NOW.minus(Duration::from_secs(1_200)),
            hides: 0,
            behind: None,
            care: Care { ack, ..Care::default() },
            rank: "critical".into(),
        }
    }

    #[test]
    fn what_is_open_is_told_by_whose_it_is() {
        let mut bad = problem("core-sw1", None);
        bad.hides = 34;
        let problems = vec![bad, problem("db01", Some("ops1")), problem("web1", Some("ops2"))];
        let acks = problems[1..].iter().map(|p| (p.target.clone(), p.care.ack.clone().expect("claimed"))).collect();
        let snapshot = Snapshot { problems: problems.into(), acks: Arc::new(acks), ..Snapshot::default() };
        let text = markdown(&snapshot, hand());
        for want in [
            "# Handover 2027-01-15 08:00 UTC",
            "From ops1. ",
            "## Open, and nobody's: 1\n\n- **DOWN** core-sw1, for 20m, 34 behind it: no answer\n",
            "## Mine (ops1): 1\n\n- **DOWN** db01, for 20m: no answer (ops1: on it)\n",
            "## Others have: 1\n\n- **DOWN** web1",
            "db01, claimed by ops1, ends in 1h at 2027-01-15 09:00, or when it gets worse: on it\n",
        ] {
            assert!(text.contains(want), "{want}: {text}");
        }
        let positions = ["nobody's: 1", "Mine", "Others", "Silences"].map(|title| text.find(title));
        assert!(positions.is_sorted() && positions[0].is_some(), "{text}");
    }

    #[test]
    fn of_many_the_worst_are_told_and_the_others_counted() {
        let problems: Vec<Problem> = (0..PROBLEMS + 5).map(|n| problem(&format!("h{n:03}"), None)).collect();
        let snapshot = Snapshot { problems: problems.into(), ..Snapshot::default() };
        let text = markdown(&snapshot, hand());
        assert!(text.contains("nobody's: 65") && text.contains("h059") && !text.contains("h060"), "{text}");
        assert!(text.contains("- and 5 more\n"), "{text}");
    }

    #[test]
    fn what_is_in_doubt_is_said_before_all_and_nothing_is_called_fine_that_is_not_known() {
        let mut snapshot = Snapshot::default();
        snapshot.engine.mode = Mode::Passive;
        let since = NOW.minus(Duration::from_secs(300));
        snapshot.engine.link = Link::Lost { since, what: "the engine is gone".into() };
        let text = markdown(&snapshot, hand());
        assert!(text.contains("Nothing is wrong that is known. 0 of 0 hosts up."), "{text}");
        assert!(text.contains("**Not polled for 5m: the engine is gone**"), "{text}");
        assert!(text.contains("**Passive: nothing is ever sent**"), "{text}");
        assert!(!text.contains("##"), "no part without anything in it: {text}");
    }

    #[test]
    fn windows_are_told_while_somebody_needs_them() {
        let window = |from: i64, until: i64, note: &str| {
            let at = |secs: i64| Timestamp::from_millis(NOW.millis() + secs * 1000);
            Arc::new(Maintenance {
                id: note.into(),
                author: "ops2".into(),
                order: Order {
                    scope: Scope::Tag("core".into()),
                    span: Span::Once { from: at(from), until: at(until) },
                    flexible: None,
                    note: note.into(),
                },
            })
        };
        let all = [
            window(-60, 7_200, "fans"),
            window(3_600, 4_000, "soon"),
            window(-60, -1, "over"),
            window(400_000, 500_000, "far"),
        ];
        let snapshot = Snapshot { maintenance: Arc::from(all), ..Snapshot::default() };
        let text = markdown(&snapshot, hand());
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
        assert_eq!(
            rows,
            [
                "- tag core, maintenance by ops2, begins in 1h, ends at 2027-01-15 09:06: soon",
                "- tag core, maintenance by ops2, ends in 2h at 2027-01-15 10:00: fans",
            ]
        );
    }

    #[test]
    fn nothing_that_somebody_wrote_is_markup() {
        let mut hostile = problem("# evil](http://x) <b>", None);
        hostile.reason = "a\n# b\u{1b}[2J".into();
        let snapshot = Snapshot { problems: vec![hostile].into(), ..Snapshot::default() };
        let text = markdown(&snapshot, Hand { by: "<i>\n# me", now: NOW, doubts: &[] });
        assert!(!text.contains('\u{1b}') && !text.contains("](http://") && !text.contains(" <b>"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 2, "{text}");
    }

    #[test]
    fn a_program_gets_all_that_the_note_counts_and_the_note() {
        let problems: Vec<Problem> = (0..PROBLEMS + 5).map(|n| problem(&format!("h{n:03}"), Some("ops1"))).collect();
        let acks = problems.iter().map(|p| (p.target.clone(), p.care.ack.clone().expect("claimed"))).collect();
        let snapshot = Snapshot { problems: problems.into(), acks: Arc::new(acks), ..Snapshot::default() };
        let doubts = ["of one round of checks".to_owned()];
        let value = |hand, seen_by| -> serde_json::Value {
            serde_json::from_str(&json(&snapshot, hand, seen_by, &[])).expect("JSON")
        };
        let sure = value(hand(), Some("pid 7"));
        assert_eq!(
            (&sure["schema"], &sure["complete"], &sure["seen_by"]),
            (&SCHEMA.into(), &true.into(), &"pid 7".into())
        );
        let count = |key: &str| sure[key].as_array().map(Vec::len);
        assert_eq!((count("problems"), count("acks"), count("doubts")), (Some(65), Some(65), Some(0)));
        assert_eq!(sure["text"].as_str(), Some(&*markdown(&snapshot, hand())));
        let unsure = value(Hand { doubts: &doubts, ..hand() }, None);
        assert_eq!((&unsure["complete"], &unsure["doubts"][0]), (&false.into(), &doubts[0].as_str().into()));
        assert!(unsure["text"].as_str().is_some_and(|text| text.contains("**of one round of checks**")), "{unsure}");
    }
}
