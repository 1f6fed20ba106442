//! `noctty backups`: what every repository holds, as a table for people and as `noctty.backups/1` for programs
//! (`docs/json.md`). Unknown values are `null`; foreign text is the decoded text.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::base::{Timestamp, Untrusted, text, units};
use crate::model::{BackupReport, Condition};
use crate::state::{JobState, JobView, Snapshot};

/// Restore points printed for each job, newest first.
const POINTS: usize = 32;

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    collected_at: String,
    /// False where a repository was not read in this run.
    complete: bool,
    state: &'static str,
    summary: Summary,
    jobs: Vec<JobRow>,
    warnings: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    jobs: usize,
    ok: usize,
    warning: usize,
    critical: usize,
    unknown: usize,
    not_read: usize,
}

#[derive(Debug, Serialize)]
struct JobRow {
    id: String,
    name: String,
    kind: String,
    repository: String,
    origin: &'static str,
    protects: Vec<String>,
    state: &'static str,
    status: &'static str,
    reason: String,
    findings: Vec<String>,
    rpo: Objective,
    rto: Objective,
    schedule: Option<ScheduleRow>,
    /// The newest restore point that lies not in the future.
    newest_restore_point: Option<String>,
    restore_point_count: Option<usize>,
    restore_points: Option<Vec<PointRow>>,
    locks: Option<Vec<LockRow>>,
    tool_version: Option<String>,
    /// When the repository was last read with success.
    read_at: Option<String>,
    stale: bool,
    look: Option<LookRow>,
    warnings: Vec<String>,
}

/// A target and what holds now, in seconds.
#[derive(Debug, Serialize)]
struct Objective {
    target_s: Option<u64>,
    actual_s: Option<u64>,
}

#[derive(Debug, Serialize)]
struct ScheduleRow {
    cron: String,
    timezone: String,
    grace_s: Option<u64>,
    last_expected: Option<String>,
    next_expected: Option<String>,
}

#[derive(Debug, Serialize)]
struct PointRow {
    id: String,
    at: String,
    host: Option<String>,
    paths: Vec<String>,
    tags: Vec<String>,
    bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct LockRow {
    exclusive: bool,
    holder: String,
    since: Option<String>,
    stale: bool,
}

#[derive(Debug, Serialize)]
struct LookRow {
    at: String,
    took_ms: u64,
    outcome: &'static str,
    summary: String,
    log: Vec<String>,
}

/// 0 ok, 1 warning, 2 critical, 3 unknown; critical outranks unknown. A job that is deliberately not read counts
/// for nothing.
pub fn exit_status(snapshot: &Snapshot) -> u8 {
    let worst = snapshot.jobs.iter().map(|job| job.condition).max().unwrap_or(Condition::Ok);
    match worst {
        Condition::NotProbed | Condition::Ok => 0,
        Condition::Critical => 2,
        // Unknown outranks a warning, which the order of concern has the other way round.
        _ if snapshot.jobs.iter().any(|j| is_unknown(j.condition)) => 3,
        _ => 1,
    }
}

fn is_unknown(condition: Condition) -> bool {
    matches!(condition, Condition::Unknown | Condition::Unreachable | Condition::Pending)
}

/// `noctty.backups/1`, one object.
pub fn json(snapshot: &Snapshot, now: Timestamp, warnings: &[String]) -> String {
    let mut summary = Summary { jobs: snapshot.jobs.len(), ..Summary::default() };
    for job in &snapshot.jobs {
        *match job.condition {
            Condition::Ok => &mut summary.ok,
            Condition::Warning => &mut summary.warning,
            Condition::Critical => &mut summary.critical,
            Condition::Unknown | Condition::Unreachable | Condition::Pending => &mut summary.unknown,
            Condition::NotProbed => &mut summary.not_read,
        } += 1;
    }
    let mut warnings = warnings.to_vec();
    warnings.extend(snapshot.engine.faults.iter().map(ToString::to_string));
    let read = |job: &JobView| {
        let look = job.check.as_ref().and_then(|c| c.last.as_ref());
        let report = job.report.as_ref();
        look.is_some_and(|l| matches!(l.reading.facts, crate::model::Facts::Backup(_)))
            && report.is_some_and(|r| r.warnings.is_empty())
    };
    let document = Document {
        schema: "noctty.backups/1",
        collected_at: now.rfc3339(),
        complete: snapshot.jobs.iter().all(|job| read(job)) && warnings.is_empty(),
        state: match exit_status(snapshot) {
            0 => "ok",
            1 => "warning",
            2 => "critical",
            _ => "unknown",
        },
        summary,
        jobs: snapshot.jobs.iter().map(|job| job_row(job, now)).collect(),
        warnings,
    };
    super::json::pretty(&document)
}

fn job_row(view: &JobView, now: Timestamp) -> JobRow {
    let job = &view.job;
    let report = view.report.as_deref();
    let secs = |duration: Duration| duration.as_secs();
    JobRow {
        id: job.id.as_str().to_owned(),
        name: job.name.to_string(),
        kind: job.kind.to_string(),
        repository: job.repository.to_string(),
        origin: job.origin.label(),
        protects: job.protects.iter().map(|id| id.as_str().to_owned()).collect(),
        state: state_word(view.condition),
        status: view.state.as_str(),
        reason: view.reason.json_text(),
        findings: view.findings.iter().map(Untrusted::json_text).collect(),
        rpo: Objective { target_s: job.rpo.map(secs), actual_s: view.newest.map(|at| now.since(at).as_secs()) },
        rto: Objective { target_s: job.rto.map(secs), actual_s: None },
        schedule: job.schedule.as_ref().map(|schedule| ScheduleRow {
            cron: schedule.cron.to_string(),
            timezone: schedule.timezone.to_string(),
            grace_s: job.grace.map(secs),
            last_expected: view.last_expected.map(Timestamp::rfc3339),
            next_expected: view.next_expected.map(Timestamp::rfc3339),
        }),
        newest_restore_point: view.newest.map(Timestamp::rfc3339),
        restore_point_count: report.map(|r| r.total_points),
        restore_points: report.map(points),
        locks: report.map(locks),
        tool_version: report.and_then(|r| r.tool_version.as_ref()).map(Untrusted::json_text),
        read_at: report.map(|r| r.collected_at.rfc3339()),
        stale: view.stale,
        look: look(view),
        warnings: report.map_or_else(Vec::new, |r| r.warnings.clone()),
    }
}

fn points(report: &BackupReport) -> Vec<PointRow> {
    let rows = report.points.iter().take(POINTS);
    let texts = |list: &[Untrusted]| list.iter().map(Untrusted::json_text).collect();
    rows.map(|p| PointRow {
        id: p.id.json_text(),
        at: p.at.rfc3339(),
        host: (!p.host.is_empty()).then(|| p.host.json_text()),
        paths: texts(&p.paths),
        tags: texts(&p.tags),
        bytes: p.bytes,
    })
    .collect()
}

fn locks(report: &BackupReport) -> Vec<LockRow> {
    let rows = report.locks.iter();
    rows.map(|l| LockRow {
        exclusive: l.exclusive,
        holder: l.holder.json_text(),
        since: l.since.map(Timestamp::rfc3339),
        stale: l.stale,
    })
    .collect()
}

fn look(view: &JobView) -> Option<LookRow> {
    let last = view.check.as_ref()?.last.as_ref()?;
    Some(LookRow {
        at: last.at.rfc3339(),
        took_ms: u64::try_from(last.took.as_millis()).unwrap_or(u64::MAX),
        outcome: last.reading.outcome.as_str(),
        summary: last.reading.summary.json_text(),
        log: last.reading.log.iter().map(Untrusted::json_text).collect(),
    })
}

fn state_word(condition: Condition) -> &'static str {
    match condition {
        Condition::Ok => "ok",
        Condition::Warning => "warning",
        Condition::Critical => "critical",
        Condition::Unknown | Condition::Unreachable => "unknown",
        Condition::Pending => "pending",
        Condition::NotProbed => "not-read",
    }
}

/// A table with the worst first: state, name, tool, age against target, reason; further findings below their job.
pub fn table(snapshot: &Snapshot, now: Timestamp) -> String {
    let mut jobs: Vec<&JobView> = snapshot.jobs.iter().map(|job| &**job).collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.condition));
    let ages: Vec<String> = jobs.iter().map(|job| against_target(job, now)).collect();
    let wide = |texts: &mut dyn Iterator<Item = usize>, most: usize| texts.max().unwrap_or(0).min(most);
    let name_width = wide(&mut jobs.iter().map(|j| text::width(&text::clean(&j.job.name))), 40);
    let age_width = wide(&mut ages.iter().map(String::len), 16);
    let mut out = String::new();
    for (job, age) in jobs.iter().zip(&ages) {
        let name = text::fit_middle(&text::clean(&job.job.name), name_width);
        let pad = name_width.saturating_sub(text::width(&name));
        let word = if job.state == JobState::Waiting { "waiting" } else { job.state.as_str() };
        let line = format!(
            "{word:<10} {name}{:pad$}  {:<6} {age:>age_width$}  {}",
            "",
            text::clean(&job.job.kind),
            job.reason.line()
        );
        let _ = writeln!(out, "{}", line.trim_end());
        for finding in job.findings.iter().skip(1) {
            let indent = 10 + 1 + name_width + 2 + 6 + 1 + age_width + 2;
            let _ = writeln!(out, "{:indent$}{}", "", finding.line());
        }
    }
    let count = |wanted: Condition| snapshot.jobs.iter().filter(|j| j.condition == wanted).count();
    let _ = writeln!(
        out,
        "{}: {} ok, {} critical, {} warning, {} unknown, {} not read",
        units::counted(jobs.len(), "backup"),
        count(Condition::Ok),
        count(Condition::Critical),
        count(Condition::Warning),
        snapshot.jobs.iter().filter(|j| is_unknown(j.condition)).count(),
        count(Condition::NotProbed)
    );
    out
}

/// `31h / 26h`; the target is left out where there is none.
fn against_target(view: &JobView, now: Timestamp) -> String {
    let age = view.newest.map_or_else(|| "-".to_owned(), |at| units::age(now.since(at)));
    match view.job.rpo {
        Some(target) => format!("{age} / {}", units::config_duration(target)),
        None => age,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{AssetId, Job, Origin};

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn view(condition: Condition, state: JobState) -> Arc<JobView> {
        Arc::new(JobView {
            job: Arc::new(Job {
                id: AssetId::new("j"),
                name: "nightly \x1b[2J".into(),
                kind: "restic".into(),
                repository: "/srv/r".into(),
                protects: vec![AssetId::new("db01")],
                schedule: None,
                grace: None,
                rpo: Some(Duration::from_hours(26)),
                rto: None,
                origin: Origin::Config,
                not_probed: None,
                runbook: None,
            }),
            state,
            condition,
            since: T0,
            reason: "why \x1b[31m".into(),
            findings: vec!["why \x1b[31m".into(), "also".into()],
            report: None,
            newest: Some(T0.minus(Duration::from_hours(31))),
            next_expected: None,
            last_expected: None,
            check: None,
            stale: false,
            review_at: None,
            care: crate::state::Care::default(),
        })
    }

    fn snapshot(conditions: &[(Condition, JobState)]) -> Snapshot {
        Snapshot { jobs: conditions.iter().map(|(c, s)| view(*c, *s)).collect(), ..Snapshot::default() }
    }

    #[test]
    fn critical_outranks_unknown_which_outranks_a_warning() {
        let status = |list: &[(Condition, JobState)]| exit_status(&snapshot(list));
        let (ok, warning) = ((Condition::Ok, JobState::Ok), (Condition::Warning, JobState::Missed));
        let (critical, unknown) = ((Condition::Critical, JobState::Breach), (Condition::Unknown, JobState::Unknown));
        assert_eq!(status(&[]), 0);
        assert_eq!(status(&[ok, (Condition::NotProbed, JobState::Waiting)]), 0);
        assert_eq!(status(&[ok, warning]), 1);
        assert_eq!(status(&[warning, (Condition::Pending, JobState::Pending)]), 3);
        assert_eq!(status(&[unknown, warning, critical]), 2);
    }

    #[test]
    fn what_is_not_known_is_null() {
        let shot = snapshot(&[(Condition::Critical, JobState::Breach)]);
        let value: serde_json::Value = serde_json::from_str(&json(&shot, T0, &[])).expect("valid JSON");
        assert_eq!((&value["schema"], &value["state"]), (&"noctty.backups/1".into(), &"critical".into()));
        assert_eq!(value["complete"], false);
        let job = &value["jobs"][0];
        assert_eq!((&job["status"], &job["rpo"]["target_s"]), (&"rpo-breach".into(), &93_600.into()));
        assert_eq!(job["rpo"]["actual_s"], 111_600);
        for key in ["restore_points", "locks", "read_at", "look", "schedule", "tool_version"] {
            assert!(job.get(key).is_some_and(serde_json::Value::is_null), "{key}");
        }
    }

    #[test]
    fn the_table_has_the_worst_first_and_no_escape() {
        let shot = snapshot(&[(Condition::Ok, JobState::Ok), (Condition::Critical, JobState::Breach)]);
        let text = table(&shot, T0);
        assert!(text.starts_with("rpo-breach"), "{text}");
        assert!(text.contains("31h / 26h") && text.contains("also") && !text.contains('\x1b'), "{text}");
        assert!(text.ends_with("2 backups: 1 ok, 1 critical, 0 warning, 0 unknown, 0 not read\n"), "{text}");
    }
}
