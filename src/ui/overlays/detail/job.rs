//! A backup job: the headline and all findings, what was agreed, what the repository says, and its restore points.

use super::{Line, ago, care, check, heading, meaning, padded, pair, runbook};
use crate::base::{Timestamp, Untrusted, text, units};
use crate::config::theme::Meaning;
use crate::model::{AssetId, BackupReport, RestorePoint, Target};
use crate::state::JobView;
use crate::ui::app::App;
use crate::ui::panes;

/// Columns of a table of restore points: time, age, size, the tool's name for it, and the host.
const TIME: usize = 16;
const AGE: usize = 4;
const SIZE: usize = 6;
const ID: usize = 12;
/// The widest that the host's column gets.
const HOST: usize = 20;
/// The least room for paths beside all that; where there is less they stand in a line of their own.
const PATHS: usize = 20;

pub fn lines(app: &App, now: Timestamp, job: &JobView, columns: usize, out: &mut Vec<Line>) {
    out.push((meaning(job.condition), format!("{} for {}", panes::job_word(job), units::age(now.since(job.since)))));
    out.extend(job.findings.iter().map(|f| (Meaning::Text, f.line())));
    care(app, now, &Target::Job(job.job.id.clone()), &job.care, out);
    out.extend(runbook(app, &job.job.id));
    out.push((Meaning::Text, String::new()));
    out.push(pair("repository", Some(format!("{} {}", job.job.kind, job.job.repository))));
    out.push(pair("from", Some(job.job.origin.label().to_owned())));
    let protects: Vec<&str> = job.job.protects.iter().map(AssetId::as_str).collect();
    out.push(pair("protects", Some(protects.join(", "))));
    let schedule = job.job.schedule.as_ref();
    out.push(pair("schedule", schedule.map(|schedule| format!("{} in {}", schedule.cron, schedule.timezone))));
    if schedule.is_some() {
        out.push(pair("last due", job.last_expected.map(|at| format!("{}, {}", at.utc_minute(), ago(now, Some(at))))));
        let next = job.next_expected.map(|at| {
            let when = if at > now { format!("in {}", units::age(at.since(now))) } else { "due".to_owned() };
            format!("{}, {when}", at.utc_minute())
        });
        out.push(pair("next due", next));
    }
    let rpo = job.job.rpo.map(|rpo| {
        let actual = job.newest.map_or_else(|| "unknown".to_owned(), |at| units::age(now.since(at)));
        format!("actual {actual}, target {}", units::config_duration(rpo))
    });
    out.push(pair("RPO", rpo));
    out.push(pair("RTO target", job.job.rto.map(units::config_duration)));
    if let Some(report) = &job.report {
        read(now, job, report, out);
        points(now, report, columns, out);
    }
    if let Some(check) = &job.check {
        out.push((Meaning::Text, String::new()));
        check::lines(now, check, out);
    }
}

/// When the repository was read, and what stood there beside the restore points.
fn read(now: Timestamp, job: &JobView, report: &BackupReport, out: &mut Vec<Line>) {
    let version = report.tool_version.as_ref();
    let by = version.map(|version| format!(" by {} {}", job.job.kind, version.line())).unwrap_or_default();
    out.push(pair("read", Some(format!("{}{by}", ago(now, Some(report.collected_at))))));
    for lock in &report.locks {
        let kind = if lock.exclusive { "exclusive" } else { "shared" };
        let since = lock.since.map(|at| format!(" for {}", units::age(now.since(at)))).unwrap_or_default();
        let stale = if lock.stale { ", stale" } else { "" };
        out.push((Meaning::Warning, format!("{:<14}{kind}, of {}{since}{stale}", "lock", lock.holder.line())));
    }
    out.extend(report.damage.iter().map(|one| (Meaning::Critical, format!("{:<14}{}", "damage", one.line()))));
    out.extend(report.warnings.iter().map(|one| (Meaning::Warning, format!("{:<14}{one}", "warning"))));
}

/// A table of them, newest first. What the tool does not say is a dash.
fn points(now: Timestamp, report: &BackupReport, columns: usize, out: &mut Vec<Line>) {
    heading(out, format!("{}, newest first", units::counted(report.total_points, "restore point")));
    if report.points.is_empty() {
        return;
    }
    // What is the same of all of them is said once.
    let shared = shared(&report.points);
    if let Some((host, words)) = &shared {
        let parts = text::wrap(&format!("all of {host}: {words}"), columns.max(8));
        out.extend(parts.into_iter().map(|part| (Meaning::Dim, part)));
    }
    let longest = report.points.iter().map(|point| text::width(&point.host.line())).max().unwrap_or(0);
    let host = longest.clamp("host".len(), HOST);
    let before = TIME + AGE + SIZE + ID + 4;
    let one_line = columns > before + host + PATHS;
    let head = format!("{:<TIME$} {:>AGE$} {:>SIZE$} {:<ID$}", "time UTC", "age", "size", "id");
    out.push((
        Meaning::Dim,
        match shared {
            Some(_) => head,
            None if one_line => format!("{head} {:<host$} paths", "host"),
            None => two_lines(&head, columns),
        },
    ));
    for point in &report.points {
        let (time, age) = (point.at.utc_minute(), units::age(now.since(point.at)));
        let size = point.bytes.map_or_else(|| "–".to_owned(), units::bytes);
        let id = point.id.line();
        let first = format!("{time:<TIME$} {age:>AGE$} {size:>SIZE$}");
        if shared.is_some() {
            // Nothing stands behind it: it has all the room there is.
            let id = text::fit(&id, columns.saturating_sub(TIME + AGE + SIZE + 3).max(ID));
            out.push((Meaning::Text, format!("{first} {id}")));
            continue;
        }
        let first = format!("{first} {}", padded(&text::fit(&id, ID), ID));
        let (name, words) = contents(point);
        if one_line {
            let indent = before + host + 1;
            let name = text::fit(&name, host);
            let mut parts = text::wrap(&words, columns.saturating_sub(indent).max(8)).into_iter();
            let rest = parts.next().unwrap_or_default();
            out.push((Meaning::Text, format!("{first} {} {rest}", padded(&name, host))));
            out.extend(parts.map(|part| (Meaning::Text, format!("{:indent$}{part}", ""))));
        } else {
            out.push((Meaning::Text, first));
            let parts = text::wrap(&format!("{name}, {words}"), columns.saturating_sub(2).max(8));
            out.extend(parts.into_iter().map(|part| (Meaning::Dim, format!("  {part}"))));
        }
    }
    let more = report.total_points.saturating_sub(report.points.len());
    if more > 0 {
        out.push((Meaning::Dim, format!("and {more} older, which are counted only")));
    }
}

/// The host of a point; its paths and tags.
fn contents(point: &RestorePoint) -> (String, String) {
    let mut words: Vec<String> = point.paths.iter().map(Untrusted::line).collect();
    if !point.tags.is_empty() {
        let tags: Vec<String> = point.tags.iter().map(Untrusted::line).collect();
        words.push(format!("tags {}", tags.join(", ")));
    }
    (or_dash(point.host.line()), or_dash(words.join(" ")))
}

/// The same of them, where several have the same and say anything at all.
fn shared(points: &[RestorePoint]) -> Option<(String, String)> {
    let [first, others @ ..] = points else { return None };
    let alike = |one: &RestorePoint| (&one.host, &one.paths, &one.tags) == (&first.host, &first.paths, &first.tags);
    (!others.is_empty() && !first.host.is_empty() && others.iter().all(alike)).then(|| contents(first))
}

/// The head of two lines a point: where there is no room, the second says by itself what it is.
fn two_lines(head: &str, columns: usize) -> String {
    let whole = format!("{head} host, paths");
    if text::width(&whole) <= columns { whole } else { head.to_owned() }
}

fn or_dash(words: String) -> String {
    if words.is_empty() { "–".to_owned() } else { words }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: i64, path: &str) -> RestorePoint {
        RestorePoint {
            id: "64980d21".into(),
            at: Timestamp::from_secs(at),
            host: "db01".into(),
            paths: vec![path.into()],
            tags: vec!["nightly".into()],
            bytes: None,
        }
    }

    fn table(points_of: &[RestorePoint]) -> String {
        let report = BackupReport {
            collected_at: Timestamp::from_secs(300),
            points: points_of.to_vec(),
            total_points: points_of.len(),
            locks: Vec::new(),
            tool_version: None,
            damage: Vec::new(),
            warnings: Vec::new(),
        };
        let mut out = Vec::new();
        points(Timestamp::from_secs(300), &report, 100, &mut out);
        out.into_iter().map(|(_, line)| line + "\n").collect()
    }

    #[test]
    fn what_all_points_share_is_said_once() {
        let alike = table(&[point(200, "/srv/pg"), point(100, "/srv/pg")]);
        assert!(alike.contains("all of db01: /srv/pg tags nightly"), "{alike}");
        assert_eq!(alike.matches("/srv/pg").count(), 1, "{alike}");
        let others = table(&[point(200, "/srv/pg"), point(100, "/etc")]);
        assert!(!others.contains("all of") && others.contains("/srv/pg") && others.contains("/etc"), "{others}");
        assert!(!table(&[point(200, "/srv/pg")]).contains("all of"));
    }
}
