//! `noctty check`: one cycle of every check, as a table for people and as `noctty.check/1` for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::vitals::{self, VitalsRow};
use crate::base::{Timestamp, text, units};
use crate::model::{Condition, Facts, Inference, Target, Unit};
use crate::state::before::{self, Around};
use crate::state::lookup::Lookup;
use crate::state::{Care, CheckView, HostView, JobView, Problem, ProblemKind, Snapshot};

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    collected_at: String,
    /// False where a check could not be run or gave no result.
    complete: bool,
    state: &'static str,
    summary: Summary,
    hosts: Vec<HostRow>,
    backups: Vec<BackupRow>,
    problems: Vec<FirstRow>,
    /// What is hidden behind the problems.
    consequences: Vec<ConsequenceRow>,
    warnings: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    ok: usize,
    warning: usize,
    critical: usize,
    unknown: usize,
    unreachable: usize,
    pending: usize,
    not_probed: usize,
}

#[derive(Debug, Serialize)]
struct HostRow {
    id: String,
    name: String,
    address: Option<String>,
    tags: Vec<String>,
    group: Option<String>,
    site: Option<String>,
    /// Ids of what it hangs on, as configured.
    parents: Vec<String>,
    inferred_parent: Option<InferredRow>,
    origin: &'static str,
    state: &'static str,
    reason: String,
    behind: Option<String>,
    last_seen: Option<String>,
    checks: Vec<CheckRow>,
}

#[derive(Debug, Serialize)]
struct InferredRow {
    name: String,
    by: &'static str,
}

#[derive(Debug, Serialize)]
struct CheckRow {
    name: String,
    kind: String,
    state: &'static str,
    outcome: Option<&'static str>,
    attempts: u8,
    /// Each result that is not good counts at once.
    volatile: bool,
    at: Option<String>,
    took_ms: Option<u64>,
    summary: Option<String>,
    metrics: Vec<MetricRow>,
    /// Of checks that look at a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    vitals: Option<VitalsRow>,
}

#[derive(Debug, Serialize)]
struct MetricRow {
    name: String,
    value: Option<f64>,
    unit: &'static str,
}

#[derive(Debug, Serialize)]
struct BackupRow {
    id: String,
    name: String,
    kind: String,
    state: &'static str,
    status: &'static str,
    reason: String,
    newest_restore_point: Option<String>,
}

/// One problem of a host, a port, a device beside its ports, or a backup.
#[derive(Debug, Serialize)]
pub(super) struct ProblemRow {
    kind: &'static str,
    /// As `noctty ack` takes it: `asa/Gi0/1`.
    target: String,
    /// Id of the host or backup that it belongs to.
    asset: String,
    state: &'static str,
    word: String,
    reason: String,
    /// How many of the consequences are behind it.
    hides: usize,
    /// Who has claimed it.
    owner: Option<String>,
    owned_until: Option<String>,
    maintenance_until: Option<String>,
}

/// A problem that is hidden behind nothing.
#[derive(Debug, Serialize)]
struct FirstRow {
    #[serde(flatten)]
    problem: ProblemRow,
    /// What changed near it in the quarter of an hour before it began, newest first.
    before: Vec<BeforeRow>,
}

#[derive(Debug, Serialize)]
struct BeforeRow {
    at: String,
    seconds: u64,
    /// The host or port that changed.
    target: String,
    what: String,
}

/// Something that is a consequence of a problem.
#[derive(Debug, Serialize)]
struct ConsequenceRow {
    #[serde(flatten)]
    problem: ProblemRow,
    /// The `target` of that problem.
    behind: String,
    /// Nobody says so: it fell at the same time.
    inferred: bool,
}

/// What an inventory without any check says.
pub const NOTHING: &str = "nothing was asked: no host has a check, and there is no backup";

/// The exit status of the snapshot: 0 ok, 1 warning, 2 critical, 3 unknown; critical outranks unknown. What hangs
/// on something critical adds nothing of its own. A check that could not decide counts, whatever else its host has; and where
/// nothing was asked, nothing is known. Claims and maintenance change nothing here.
pub fn exit_status(snapshot: &Snapshot) -> u8 {
    if snapshot.hosts.iter().all(|host| host.checks.is_empty()) && snapshot.jobs.is_empty() {
        return 3;
    }
    let mut worst = 0;
    let reached = snapshot.hosts.iter().filter(|host| host.condition != Condition::Unreachable);
    let undecided = reached.flat_map(|host| host.checks.iter()).map(|check| check.condition);
    let undecided = undecided.filter(|condition| *condition == Condition::Unknown);
    let conditions = snapshot.hosts.iter().map(|h| h.condition).chain(snapshot.jobs.iter().map(|j| j.condition));
    let devices = snapshot.devices.iter().map(|d| d.condition);
    // A console that cannot see knows nothing: that is not worse than what it would see.
    let problems = snapshot.problems.iter();
    let problems = problems.map(|p| if p.kind == ProblemKind::Console { Condition::Unknown } else { p.condition });
    for condition in conditions.chain(devices).chain(undecided).chain(problems) {
        worst = match (condition, worst) {
            (Condition::Critical, _) | (_, 2) => 2,
            (Condition::Unknown | Condition::Unreachable | Condition::Pending, _) | (_, 3) => 3,
            (Condition::Warning, _) => 1,
            (Condition::Ok | Condition::NotProbed, worst) => worst,
        };
    }
    worst
}

/// `noctty.check/1`, one object.
pub fn json(snapshot: &Snapshot, collected_at: Timestamp, warnings: &[String]) -> String {
    super::json::pretty(&document(snapshot, collected_at, warnings))
}

fn document(snapshot: &Snapshot, collected_at: Timestamp, warnings: &[String]) -> Document {
    let mut summary = Summary::default();
    let conditions = snapshot.hosts.iter().map(|h| h.condition).chain(snapshot.jobs.iter().map(|j| j.condition));
    for condition in conditions {
        *match condition {
            Condition::Ok => &mut summary.ok,
            Condition::Warning => &mut summary.warning,
            Condition::Critical => &mut summary.critical,
            Condition::Unknown => &mut summary.unknown,
            Condition::Unreachable => &mut summary.unreachable,
            Condition::Pending => &mut summary.pending,
            Condition::NotProbed => &mut summary.not_probed,
        } += 1;
    }
    let mut warnings = warnings.to_vec();
    if snapshot.hosts.iter().all(|host| host.checks.is_empty()) && snapshot.jobs.is_empty() {
        warnings.push(NOTHING.to_owned());
    }
    warnings.extend(snapshot.engine.faults.iter().map(ToString::to_string));
    for device in &snapshot.devices {
        warnings.extend(device.table.warnings.iter().map(|w| format!("{}: {w}", device.host.name)));
    }
    Document {
        schema: "noctty.check/1",
        collected_at: collected_at.rfc3339(),
        complete: summary.pending == 0 && snapshot.devices.iter().all(|d| d.table.complete) && warnings.is_empty(),
        state: match exit_status(snapshot) {
            0 => "ok",
            1 => "warning",
            2 => "critical",
            _ => "unknown",
        },
        summary,
        hosts: snapshot.hosts.iter().map(|h| host_row(h)).collect(),
        backups: snapshot.jobs.iter().map(|j| backup_row(j)).collect(),
        problems: first_rows(snapshot),
        consequences: snapshot.consequences.iter().filter_map(consequence_row).collect(),
        warnings,
    }
}

fn host_row(view: &HostView) -> HostRow {
    let host = &view.host;
    HostRow {
        id: host.id.as_str().to_owned(),
        name: host.name.to_string(),
        address: host.address.as_deref().map(str::to_owned),
        tags: host.tags.iter().map(ToString::to_string).collect(),
        group: host.group.as_deref().map(str::to_owned),
        site: host.site.as_deref().map(str::to_owned),
        parents: host.parents.iter().map(|id| id.as_str().to_owned()).collect(),
        inferred_parent: view.care.inferred_parent.as_ref().map(|parent| InferredRow {
            name: parent.name.to_string(),
            by: match parent.by {
                Inference::Gateway => "gateway",
                Inference::Neighbor => "neighbor",
                Inference::ProxyJump => "proxy-jump",
            },
        }),
        origin: host.origin.label(),
        state: view.condition.as_str(),
        reason: view.reason.json_text(),
        behind: view.behind.as_deref().map(str::to_owned),
        last_seen: view.last_seen.map(Timestamp::rfc3339),
        checks: view.checks.iter().map(check_row).collect(),
    }
}

fn check_row(check: &CheckView) -> CheckRow {
    let last = check.last.as_deref();
    CheckRow {
        name: check.spec.key.name.to_string(),
        kind: check.spec.kind.to_string(),
        state: check.condition.as_str(),
        outcome: last.map(|o| o.reading.outcome.as_str()),
        attempts: check.attempt,
        volatile: check.spec.volatile,
        at: last.map(|o| o.at.rfc3339()),
        took_ms: last.map(|o| u64::try_from(o.took.as_millis()).unwrap_or(u64::MAX)),
        summary: last.map(|o| o.reading.summary.json_text()),
        metrics: last.map_or_else(Vec::new, |o| {
            let rows = o.reading.metrics.iter();
            rows.map(|m| MetricRow {
                name: m.name.to_string(),
                value: m.value.is_finite().then_some(m.value),
                unit: unit_word(m.unit),
            })
            .collect()
        }),
        vitals: last.and_then(|o| match &o.reading.facts {
            Facts::Vitals(told) => Some(vitals::row(told)),
            Facts::None | Facts::Ports(_) | Facts::Backup(_) | Facts::NoBackup(_) => None,
        }),
    }
}

fn backup_row(view: &JobView) -> BackupRow {
    BackupRow {
        id: view.job.id.as_str().to_owned(),
        name: view.job.name.to_string(),
        kind: view.job.kind.to_string(),
        state: view.condition.as_str(),
        status: view.state.as_str(),
        reason: view.reason.json_text(),
        newest_restore_point: view.newest.map(Timestamp::rfc3339),
    }
}

pub(super) fn problem_row(problem: &Problem) -> ProblemRow {
    ProblemRow {
        kind: match problem.kind {
            ProblemKind::Console => "console",
            ProblemKind::Host => "host",
            ProblemKind::Port => "port",
            ProblemKind::Device => "device",
            ProblemKind::Backup => "backup",
        },
        target: problem.target.label().json_text(),
        asset: problem.asset.as_str().to_owned(),
        state: problem.condition.as_str(),
        word: problem.word.to_string(),
        reason: problem.reason.json_text(),
        hides: problem.hides,
        owner: problem.care.ack.as_ref().map(|ack| ack.claim.owner.json_text()),
        owned_until: problem.care.ack.as_ref().map(|ack| ack.claim.until.rfc3339()),
        maintenance_until: problem.care.maintenance.as_ref().map(|maintained| maintained.until.rfc3339()),
    }
}

fn first_rows(snapshot: &Snapshot) -> Vec<FirstRow> {
    let mut lookup = Lookup::default();
    if !snapshot.problems.is_empty() {
        lookup.refresh(snapshot);
    }
    let row = |problem: &Problem| {
        let around = Around::of(snapshot, &lookup, &problem.target);
        let before = before::of(snapshot, &around, problem).into_iter().map(|one| BeforeRow {
            at: one.at.rfc3339(),
            seconds: problem.since.since(one.at).as_secs(),
            target: one.target.label().json_text(),
            what: one.words.json_text(),
        });
        FirstRow { problem: problem_row(problem), before: before.collect() }
    };
    snapshot.problems.iter().map(row).collect()
}

fn consequence_row(problem: &Problem) -> Option<ConsequenceRow> {
    let behind = problem.behind.as_ref()?;
    let inferred = behind.inferred;
    Some(ConsequenceRow { behind: behind.target.label().json_text(), inferred, problem: problem_row(problem) })
}

/// One line of the table.
struct Line {
    /// Of the host that it belongs to: what decides its place.
    worst: Condition,
    word: &'static str,
    name: String,
    seen: String,
    reason: String,
}

/// Who has taken it on, and whether it is being worked on: ` · @anna, 3h more`.
fn care_words(care: &Care, now: Timestamp) -> String {
    let mut words = String::new();
    if let Some(ack) = &care.ack {
        let left = units::left(ack.claim.until.since(now));
        let _ = write!(words, " · @{}, {left} more", ack.claim.owner.line());
    }
    if let Some(maintained) = &care.maintenance {
        let _ = write!(words, " · in maintenance, {} more", units::left(maintained.until.since(now)));
    }
    words
}

/// A table with the worst first, then one line that counts.
pub fn table(snapshot: &Snapshot, now: Timestamp) -> String {
    let mut rows: Vec<Line> = Vec::new();
    for host in &snapshot.hosts {
        let seen = host.last_result().map_or_else(|| "–".to_owned(), |at| units::age(now.since(at)));
        let of_device =
            |p: &&Problem| p.asset == host.host.id && matches!(p.kind, ProblemKind::Port | ProblemKind::Device);
        let told: Vec<&Problem> = snapshot.problems.iter().filter(of_device).collect();
        // A host stands where the worst of it belongs.
        let worst = told.iter().map(|p| p.condition).max().map_or(host.condition, |worst| worst.max(host.condition));
        let reason = [host.reason.line(), care_words(&host.care, now)].concat();
        rows.push(Line { worst, word: host.condition.as_str(), name: host.host.name.to_string(), seen, reason });
        let mut below = |name: &str, reason: String| {
            let name = format!("  {}", text::clean(name));
            rows.push(Line { worst, word: "", name, seen: String::new(), reason });
        };
        for problem in told {
            let name = match &problem.target {
                Target::Port(_, port) => port.label.line(),
                _ => "device".to_owned(),
            };
            let care = care_words(&problem.care, now);
            let behind = problem.behind_it().map(|behind| format!("{behind} · ")).unwrap_or_default();
            let (condition, word, reason) =
                (problem.condition.as_str(), text::clean(&problem.word), problem.reason.line());
            below(&name, format!("{condition} {word} {behind}{reason}{care}"));
        }
        for check in host.checks.iter().filter(|c| c.condition != Condition::Ok || host.condition != Condition::Ok) {
            let summary = check.last.as_ref().map(|o| o.reading.summary.line()).unwrap_or_default();
            below(&check.spec.key.name, format!("{} {summary}", check.condition.as_str()));
        }
    }
    for job in &snapshot.jobs {
        let newest = job.newest.map_or_else(|| "–".to_owned(), |at| units::age(now.since(at)));
        let reason = [job.reason.line(), care_words(&job.care, now)].concat();
        let (worst, word) = (job.condition, job.condition.as_str());
        rows.push(Line { worst, word, name: job.job.name.to_string(), seen: newest, reason });
    }
    let width = rows.iter().map(|row| text::width(&row.name)).max().unwrap_or(0).min(40);
    rows.sort_by_key(|row| std::cmp::Reverse(row.worst));
    let mut out = String::new();
    for Line { worst: _, word, name, seen, reason } in &rows {
        let name = text::fit_middle(&text::clean(name), width);
        let pad = width.saturating_sub(text::width(&name));
        let line = format!("{word:<11} {name}{:pad$}  {seen:>4}  {reason}", "");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let t = &snapshot.totals;
    if snapshot.hosts.iter().all(|host| host.checks.is_empty()) && snapshot.jobs.is_empty() {
        let _ = writeln!(out, "{NOTHING}");
    }
    let _ = writeln!(
        out,
        "{}, {}: {} critical, {} warning, {} unknown, {} unreachable{}",
        units::counted(t.hosts, "host"),
        units::counted(t.jobs, "backup"),
        t.critical,
        t.warning,
        t.unknown,
        t.unreachable,
        hidden_words(snapshot)
    );
    out
}

/// Ports and devices that are behind a problem: they have no line of their own.
fn hidden_words(snapshot: &Snapshot) -> String {
    match snapshot.consequences.iter().filter(|problem| problem.kind != ProblemKind::Host).count() {
        0 => String::new(),
        hidden => {
            format!(", {} of ports and devices behind them (--json lists them)", units::counted(hidden, "problem"))
        }
    }
}

fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Percent => "percent",
        Unit::Seconds => "seconds",
        Unit::UnixSeconds => "unix_seconds",
        Unit::Bytes => "bytes",
        Unit::BitsPerSecond => "bits_per_second",
        Unit::PerSecond => "per_second",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::model::{
        AssetId, CheckKey, CheckSpec, Host, Inventory, Observation, Origin, Policy, Reading, Subject, Wire,
    };
    use crate::state::{Event, InferredParent, State};

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn snapshot(results: &[(&str, Reading)]) -> Snapshot {
        let mut inventory = Inventory::default();
        for (name, _) in results {
            inventory.hosts.push(Arc::new(Host::new(name, Some("192.0.2.1"), Origin::Config)));
            inventory.checks.push(Arc::new(CheckSpec {
                wire: Wire { protocol: "ICMP echo".into(), destination: "192.0.2.1".into() },
                timeout: Duration::from_secs(1),
                attempts: 1,
                decides_reachability: true,
                ..CheckSpec::sample(Subject::Host(AssetId::new(name)), "icmp")
            }));
        }
        let mut state = State::new(Policy { never_seen_is_down: true, ..Policy::default() });
        state.reduce(T0, Event::Inventory(Arc::new(inventory)));
        for (name, reading) in results {
            let check = CheckKey { subject: Subject::Host(AssetId::new(name)), name: "icmp".into() };
            let observation = Observation { check, at: T0, took: Duration::from_millis(3), reading: reading.clone() };
            state.reduce(T0, Event::Observed(observation));
        }
        state.publish(T0)
    }

    #[test]
    fn a_check_that_could_not_decide_counts_beside_a_warning_and_nothing_asked_is_not_ok() {
        assert_eq!(exit_status(&Snapshot::default()), 3);
        assert!(table(&Snapshot::default(), T0).starts_with("nothing was asked"));
        let value: serde_json::Value = serde_json::from_str(&json(&Snapshot::default(), T0, &[])).expect("valid JSON");
        assert_eq!((&value["complete"], &value["state"]), (&false.into(), &"unknown".into()));
        let mut shot = snapshot(&[("a", Reading::warning("slow"))]);
        let view = Arc::make_mut(&mut shot.hosts[0]);
        let mut other = view.checks[0].clone();
        other.condition = Condition::Unknown;
        view.checks.push(other);
        assert_eq!(exit_status(&shot), 3);
    }

    #[test]
    fn what_is_wrong_with_a_port_stands_below_its_host_with_who_has_it() {
        let mut shot = snapshot(&[("sw1", Reading::ok("up")), ("a", Reading::ok("up"))]);
        let asset = AssetId::new("sw1");
        let port = crate::model::PortKey { label: "Gi0/7".into(), told_apart: crate::model::ToldApart::ByLabel };
        let claim = crate::model::Claim {
            target: Target::Port(asset.clone(), port.clone()),
            owner: "anna".into(),
            note: "".into(),
            until: T0.plus(Duration::from_secs(3600)),
            stickiness: crate::model::Stickiness::default(),
            condition: None,
        };
        let ack = crate::model::Acknowledgement { id: "1".into(), since: T0, claim };
        let problem = Problem {
            kind: ProblemKind::Port,
            asset: asset.clone(),
            target: Target::Port(asset, port),
            port: Some(0),
            title: "sw1 Gi0/7".into(),
            condition: Condition::Critical,
            stale: false,
            word: "err-disabled".into(),
            reason: "bpduGuard".into(),
            since: T0,
            hides: 0,
            behind: None,
            care: Care { ack: Some(Arc::new(ack)), ..Care::default() },
            rank: "".into(),
        };
        shot.problems = vec![problem].into();
        assert_eq!(exit_status(&shot), 2);
        let text = table(&shot, T0);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("ok") && lines[0].contains("sw1"), "{text}");
        assert!(
            lines[1].contains("Gi0/7") && lines[1].ends_with("critical err-disabled bpduGuard · @anna, 1h more"),
            "{text}"
        );
        let value: serde_json::Value = serde_json::from_str(&json(&shot, T0, &[])).expect("valid JSON");
        let row = &value["problems"][0];
        assert_eq!((&row["kind"], &row["target"]), (&"port".into(), &"sw1/Gi0/7".into()));
        assert_eq!((&row["owner"], &row["owned_until"]), (&"anna".into(), &"2027-01-15T09:00:00.000Z".into()));
        // What is behind it is counted in the table, and listed for programs.
        let behind = crate::state::Behind { target: shot.problems[0].target.clone(), inferred: true };
        let hidden = Problem { behind: Some(behind), word: "link-lost".into(), ..shot.problems[0].clone() };
        shot.problems = vec![Problem { hides: 1, ..shot.problems[0].clone() }].into();
        shot.consequences = vec![hidden].into();
        let text = table(&shot, T0);
        assert!(
            text.contains("critical err-disabled 1 behind it · bpduGuard") && !text.contains("link-lost"),
            "{text}"
        );
        assert!(text.contains(", 1 problem of ports and devices behind them (--json lists them)"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&json(&shot, T0, &[])).expect("valid JSON");
        assert_eq!(value["problems"][0]["hides"], 1);
        let row = &value["consequences"][0];
        assert_eq!(row["kind"], "port");
        assert_eq!(
            (&row["behind"], &row["inferred"], &row["word"]),
            (&"sw1/Gi0/7".into(), &true.into(), &"link-lost".into())
        );
    }

    #[test]
    fn what_changed_just_before_stands_with_the_problem_and_not_what_is_behind_it() {
        let mut shot = snapshot(&[("a", Reading::critical("gone")), ("b", Reading::ok("up"))]);
        let onset = shot.problems[0].since;
        let change = |host: &str, before: u64| {
            let (at, target) = (onset.minus(Duration::from_secs(before)), Target::Host(AssetId::new(host)));
            Arc::new(crate::model::Change { at, target, words: format!("{host} \u{1b}[2J").into() })
        };
        shot.changes = Arc::from([change("a", 60), change("b", 60), change("a", 3600)]);
        let problems = |shot: &Snapshot| -> serde_json::Value {
            serde_json::from_str::<serde_json::Value>(&json(shot, T0, &[])).expect("valid JSON")["problems"].take()
        };
        let at = onset.minus(Duration::from_secs(60)).rfc3339();
        let one = serde_json::json!({ "at": at, "seconds": 60, "target": "a", "what": "a \u{1b}[2J" });
        assert_eq!(problems(&shot)[0]["before"], serde_json::json!([one]));
        // The same as a consequence of it.
        let target = Target::Host(AssetId::new("a"));
        let behind = Some(crate::state::Behind { target: shot.problems[0].target.clone(), inferred: true });
        shot.consequences =
            vec![Problem { behind, target, since: onset.minus(Duration::from_secs(60)), ..shot.problems[0].clone() }]
                .into();
        assert_eq!(problems(&shot)[0]["before"], serde_json::json!([]));
    }

    #[test]
    fn the_exit_status_is_the_worst_and_critical_outranks_unknown() {
        assert_eq!(exit_status(&snapshot(&[("a", Reading::ok("up"))])), 0);
        assert_eq!(exit_status(&snapshot(&[("a", Reading::ok("up")), ("b", Reading::warning("slow"))])), 1);
        assert_eq!(exit_status(&snapshot(&[("a", Reading::unknown("?")), ("b", Reading::warning("slow"))])), 3);
        assert_eq!(exit_status(&snapshot(&[("a", Reading::critical("gone")), ("b", Reading::unknown("?"))])), 2);
        assert_eq!(exit_status(&snapshot(&[("b", Reading::unknown("?")), ("a", Reading::critical("gone"))])), 2);
    }

    #[test]
    fn the_document_names_every_check_and_leaves_unknown_values_null() {
        let reading = Reading::ok("up").metric("rtt", 0.001, Unit::Seconds).metric("odd", f64::NAN, Unit::Count);
        let value: serde_json::Value =
            serde_json::from_str(&json(&snapshot(&[("a", reading)]), T0, &[])).expect("valid JSON");
        assert_eq!(value["schema"], "noctty.check/1");
        assert_eq!(value["collected_at"], "2027-01-15T08:00:00.000Z");
        assert_eq!(value["complete"], true);
        let check = &value["hosts"][0]["checks"][0];
        assert_eq!(check["took_ms"], 3);
        assert_eq!(check["metrics"][0]["value"], 0.001);
        assert!(check["metrics"][1]["value"].is_null());
        assert!(value["hosts"][0]["behind"].is_null());
        assert!(value["hosts"][0]["site"].is_null() && value["hosts"][0]["inferred_parent"].is_null());
    }

    #[test]
    fn a_host_says_where_it_stands_and_what_it_hangs_on() {
        let mut shot = snapshot(&[("a", Reading::ok("up"))]);
        let view = Arc::make_mut(&mut shot.hosts[0]);
        let host = Arc::make_mut(&mut view.host);
        (host.group, host.site) = (Some("web".into()), Some("fra1".into()));
        host.parents = vec![AssetId::new("sw1")];
        view.care.inferred_parent = Some(InferredParent { name: "gw".into(), by: Inference::Gateway });
        let value: serde_json::Value = serde_json::from_str(&json(&shot, T0, &[])).expect("valid JSON");
        let host = &value["hosts"][0];
        assert_eq!((&host["group"], &host["site"]), (&"web".into(), &"fra1".into()));
        assert_eq!(host["parents"], serde_json::json!(["sw1"]));
        assert_eq!(host["inferred_parent"], serde_json::json!({ "name": "gw", "by": "gateway" }));
    }

    #[test]
    fn the_table_shows_the_worst_first_and_no_control_bytes() {
        let shot = snapshot(&[("good", Reading::ok("up")), ("bad", Reading::critical("gone \x1b[2J\nforged"))]);
        let text = table(&shot, T0);
        assert!(text.starts_with("critical"), "{text}");
        assert!(!text.contains('\x1b'));
        assert!(text.ends_with("2 hosts, 0 backups: 1 critical, 0 warning, 0 unknown, 0 unreachable\n"), "{text}");
    }
}
