//! `noctty check`: one cycle of every check, as a table for people and as `noctty.check/1` for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::vitals::{self, VitalsRow};
use crate::base::{Timestamp, text, units};
use crate::model::{Condition, Facts, Inference, Unit};
use crate::state::{CheckView, HostView, JobView, Snapshot};

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

/// The exit status of the snapshot: 0 ok, 1 warning, 2 critical, 3 unknown; critical outranks unknown. What hangs
/// on something critical adds nothing of its own.
pub fn exit_status(snapshot: &Snapshot) -> u8 {
    let mut worst = 0;
    let conditions = snapshot.hosts.iter().map(|h| h.condition).chain(snapshot.jobs.iter().map(|j| j.condition));
    for condition in conditions.chain(snapshot.devices.iter().map(|d| d.condition)) {
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
    let document = document(snapshot, collected_at, warnings);
    serde_json::to_string_pretty(&document).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
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

/// A table with the worst first, then one line that counts.
pub fn table(snapshot: &Snapshot, now: Timestamp) -> String {
    let mut rows: Vec<(Condition, String, String, String)> = Vec::new();
    for host in &snapshot.hosts {
        let seen = host.last_result().map_or_else(|| "–".to_owned(), |at| units::age(now.since(at)));
        rows.push((host.condition, host.host.name.to_string(), seen, host.reason.line()));
        for check in host.checks.iter().filter(|c| c.condition != Condition::Ok || host.condition != Condition::Ok) {
            let summary = check.last.as_ref().map(|o| o.reading.summary.line()).unwrap_or_default();
            rows.push((
                host.condition,
                format!("  {}", text::clean(&check.spec.key.name)),
                String::new(),
                format!("{} {summary}", check.condition.as_str()),
            ));
        }
    }
    for job in &snapshot.jobs {
        let newest = job.newest.map_or_else(|| "–".to_owned(), |at| units::age(now.since(at)));
        rows.push((job.condition, job.job.name.to_string(), newest, job.reason.line()));
    }
    let width = rows.iter().map(|(_, name, _, _)| text::width(name)).max().unwrap_or(0).min(40);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(rows[*i].0));
    let mut out = String::new();
    for i in order {
        let (condition, name, age, reason) = &rows[i];
        let name = text::fit_middle(&text::clean(name), width);
        let pad = width.saturating_sub(text::width(&name));
        let word = if name.starts_with("  ") { "" } else { condition.as_str() };
        let line = format!("{word:<11} {name}{:pad$}  {age:>4}  {reason}", "");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let t = &snapshot.totals;
    let _ = writeln!(
        out,
        "{} hosts, {} backups: {} critical, {} warning, {} unknown, {} unreachable",
        t.hosts, t.jobs, t.critical, t.warning, t.unknown, t.unreachable
    );
    out
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
                key: CheckKey { subject: Subject::Host(AssetId::new(name)), name: "icmp".into() },
                kind: "icmp".into(),
                interval: Duration::from_secs(30),
                timeout: Duration::from_secs(1),
                retry_interval: Duration::from_secs(1),
                attempts: 1,
                decides_reachability: true,
                fixed_pace: false,
                eases: false,
                waits_for: None,
                wire: Wire { protocol: "ICMP echo".into(), destination: "192.0.2.1".into() },
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
    fn the_exit_status_is_the_worst_and_critical_outranks_unknown() {
        assert_eq!(exit_status(&snapshot(&[])), 0);
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
