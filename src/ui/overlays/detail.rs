//! Everything about one object: each check with its last good and last bad result and its own log.

use super::Line;
use crate::base::{Timestamp, units};
use crate::config::theme::Meaning;
use crate::model::{AssetId, Condition, Metric, Unit};
use crate::state::{CheckView, DeviceView, HostView, JobView};
use crate::ui::app::App;
use crate::ui::panes::{Selected, log};

/// Notifications of one host that are shown.
const TOLD: usize = 20;

pub fn title(app: &App, selected: &Selected) -> String {
    match selected {
        Selected::Host(id) => app.snapshot.host(id).map_or_else(|| id.as_str().to_owned(), |h| h.host.name.to_string()),
        Selected::Job(id) => app.snapshot.job(id).map_or_else(|| id.as_str().to_owned(), |j| j.job.name.to_string()),
        Selected::Port(id, row) => {
            let port = app.snapshot.device(id).and_then(|d| d.table.ports.get(*row)).map(|p| p.label().line());
            format!("{} {}", id.as_str(), port.unwrap_or_default())
        }
        Selected::Entry(_) => app.incident().map(|i| i.id.to_string()).unwrap_or_default(),
    }
}

pub fn lines(app: &App, now: Timestamp, selected: &Selected) -> Vec<Line> {
    let mut out = Vec::new();
    match selected {
        Selected::Host(id) => match app.snapshot.host(id) {
            Some(host) => {
                host_lines(now, host, app.snapshot.device(id).map(|d| &**d), &mut out);
                notification_lines(app, now, id, &mut out);
            }
            None => out.push((Meaning::Warning, "it left the inventory".to_owned())),
        },
        Selected::Job(id) => match app.snapshot.job(id) {
            Some(job) => job_lines(now, job, &mut out),
            None => out.push((Meaning::Warning, "it left the inventory".to_owned())),
        },
        Selected::Port(id, row) => match app.snapshot.device(id) {
            Some(device) => port_lines(now, device, *row, &mut out),
            None => out.push((Meaning::Warning, "the device was not walked".to_owned())),
        },
        Selected::Entry(row) => {
            if let Some(entry) = app.incident().and_then(|i| i.entries.get(*row)) {
                out.push((
                    Meaning::Dim,
                    format!("{}  {}  {}  {}", entry.at.rfc3339(), entry.kind.as_str(), entry.author.line(), entry.id),
                ));
                out.extend(entry.text.lines().into_iter().map(|l| (Meaning::Text, l)));
            }
        }
    }
    out
}

fn ago(now: Timestamp, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| format!("{} ago", units::age(units::age_bucket(now.since(at)))))
}

fn meaning(condition: Condition) -> Meaning {
    match condition {
        Condition::Critical => Meaning::Critical,
        Condition::Warning => Meaning::Warning,
        Condition::Unknown => Meaning::Unknown,
        Condition::Unreachable => Meaning::Unreachable,
        Condition::Ok => Meaning::Text,
        Condition::Pending | Condition::NotProbed => Meaning::Dim,
    }
}

fn word(condition: Condition) -> &'static str {
    match condition {
        Condition::Critical => "CRITICAL",
        Condition::Warning => "WARNING",
        Condition::Unknown => "UNKNOWN",
        Condition::Unreachable => "UNREACHABLE",
        Condition::Ok => "OK",
        Condition::Pending => "PENDING",
        Condition::NotProbed => "NOT PROBED",
    }
}

fn host_lines(now: Timestamp, host: &HostView, device: Option<&DeviceView>, out: &mut Vec<Line>) {
    let address = host.host.address.as_deref().unwrap_or("this machine");
    let stale = if host.stale { ", STALE" } else { "" };
    out.push((
        meaning(host.condition),
        format!("{}{stale} for {}   {}", word(host.condition), units::age(now.since(host.since)), host.reason.line()),
    ));
    out.push((
        Meaning::Dim,
        format!("{address}   from {}   last seen {}", host.host.origin.label(), ago(now, host.last_seen)),
    ));
    let tags: Vec<&str> = host.host.tags.iter().map(|t| &**t).collect();
    if !tags.is_empty() {
        out.push((Meaning::Dim, format!("tags {}", tags.join(", "))));
    }
    if !host.host.parents.is_empty() {
        let parents: Vec<&str> = host.host.parents.iter().map(AssetId::as_str).collect();
        out.push((Meaning::Dim, format!("behind {}", parents.join(" or "))));
    }
    if let Some(device) = device {
        device_lines(device, out);
    }
    for check in &host.checks {
        out.push((Meaning::Text, String::new()));
        check_lines(now, check, out);
    }
    if host.checks.is_empty() {
        out.push((Meaning::Dim, host.reason.line()));
    }
}

/// What the host told by itself, newest first.
fn notification_lines(app: &App, now: Timestamp, host: &AssetId, out: &mut Vec<Line>) {
    let mut told = app.snapshot.notifications.iter().filter(|n| n.told.host == *host).take(TOLD).peekable();
    if told.peek().is_some() {
        out.push((Meaning::Text, String::new()));
        out.push((Meaning::Title, "told by itself".to_owned()));
    }
    out.extend(
        told.map(|n| (log::meaning(&n.told.kind), format!("  {}  {}", ago(now, Some(n.told.at)), log::words(n)))),
    );
}

fn device_lines(device: &DeviceView, out: &mut Vec<Line>) {
    let facts = &device.table.device;
    out.push((Meaning::Text, String::new()));
    out.push((Meaning::Title, format!("{}   {} of {} ports up", facts.name.line(), device.up, device.ports.len())));
    for text in [&facts.description, &facts.location, &facts.contact] {
        if !text.is_empty() {
            out.push((Meaning::Dim, text.line()));
        }
    }
    if let Some(uptime) = facts.uptime {
        out.push((Meaning::Dim, format!("agent up {}", units::clock_duration(uptime))));
    }
    out.extend(device.table.warnings.iter().map(|w| (Meaning::Warning, crate::base::text::clean(w))));
}

fn check_lines(now: Timestamp, check: &CheckView, out: &mut Vec<Line>) {
    let spec = &check.spec;
    let pace = units::config_duration(spec.interval);
    let soft =
        if check.is_soft() { format!("   {} of {} tries bad", check.attempt, spec.attempts) } else { String::new() };
    let old = match (check.stale, check.restored) {
        (true, _) => "   stale",
        (_, true) => "   from the last run",
        _ => "",
    };
    out.push((meaning(check.condition), format!("{}   {}{soft}{old}", spec.key.name, word(check.condition))));
    out.push((Meaning::Dim, format!("  {} to {}, every {pace}", spec.wire.protocol, spec.wire.destination)));
    if let Some(why) = &spec.waits_for {
        out.push((Meaning::Warning, format!("  waits for your word (R): {why}")));
    }
    if let Some(last) = &check.last {
        out.push((
            Meaning::Text,
            format!(
                "  {}   {}, took {}",
                last.reading.summary.line(),
                ago(now, Some(last.at)),
                units::round_trip(last.took)
            ),
        ));
        let metrics: Vec<String> = last.reading.metrics.iter().map(metric).collect();
        for part in metrics.chunks(5) {
            out.push((Meaning::Dim, format!("  {}", part.join("   "))));
        }
        out.extend(last.reading.log.iter().map(|l| (Meaning::Dim, format!("  {}", l.line()))));
    }
    let bad = check.last_bad.as_ref().map(|o| format!("{}: {}", ago(now, Some(o.at)), o.reading.summary.line()));
    out.push((
        Meaning::Dim,
        format!("  last good {}   last bad {}", ago(now, check.last_good), bad.unwrap_or_else(|| "never".to_owned())),
    ));
}

fn metric(metric: &Metric) -> String {
    let value = match metric.unit {
        Unit::Percent => format!("{:.0} %", metric.value),
        Unit::Seconds if metric.value >= 60.0 => {
            units::clock_duration(std::time::Duration::from_secs_f64(metric.value.max(0.0)))
        }
        Unit::Seconds => units::round_trip(std::time::Duration::from_secs_f64(metric.value.max(0.0))),
        Unit::Bytes => units::bytes(metric.value as u64),
        Unit::BitsPerSecond => format!("{}bit/s", units::bit_rate(metric.value)),
        Unit::Count | Unit::PerSecond => format!("{:.2}", metric.value),
    };
    format!("{} {value}", metric.name)
}

fn job_lines(now: Timestamp, job: &JobView, out: &mut Vec<Line>) {
    out.push((meaning(job.condition), format!("{} for {}", job.state.as_str(), units::age(now.since(job.since)))));
    out.extend(job.findings.iter().map(|f| (Meaning::Text, f.line())));
    out.push((
        Meaning::Dim,
        format!("{} {}   from {}", job.job.kind, crate::base::text::clean(&job.job.repository), job.job.origin.label()),
    ));
    if let Some(schedule) = &job.job.schedule {
        out.push((Meaning::Dim, format!("schedule {} in {}", schedule.cron, schedule.timezone)));
    }
    if let Some(next) = job.next_expected {
        out.push((Meaning::Dim, format!("next expected {}", next.rfc3339())));
    }
    if let Some(rpo) = job.job.rpo {
        let actual = job.newest.map_or_else(|| "unknown".to_owned(), |at| units::age(now.since(at)));
        out.push((Meaning::Dim, format!("RPO actual {actual}, target {}", units::config_duration(rpo))));
    }
    if let Some(report) = &job.report {
        out.push((Meaning::Text, String::new()));
        out.push((Meaning::Title, format!("{} restore points, newest first", report.total_points)));
        for point in report.points.iter().take(20) {
            let paths: Vec<String> = point.paths.iter().map(crate::base::Untrusted::line).collect();
            out.push((
                Meaning::Text,
                format!(
                    "  {}  {}  {}  {}",
                    point.at.rfc3339(),
                    point.id.line().chars().take(12).collect::<String>(),
                    point.host.line(),
                    paths.join(" ")
                ),
            ));
        }
        for lock in &report.locks {
            let kind = if lock.exclusive { "exclusive" } else { "shared" };
            let stale = if lock.stale { ", stale" } else { "" };
            out.push((Meaning::Warning, format!("  {kind} lock of {}{stale}", lock.holder.line())));
        }
    }
    if let Some(check) = &job.check {
        out.push((Meaning::Text, String::new()));
        check_lines(now, check, out);
    }
}

fn port_lines(now: Timestamp, device: &DeviceView, row: usize, out: &mut Vec<Line>) {
    let (Some(port), Some(facts)) = (device.ports.get(row), device.table.ports.get(row)) else { return };
    let reason = port.reason.as_deref().unwrap_or_default();
    out.push((meaning(port.condition), format!("{}   {reason}", port.state.as_str())));
    let pairs = [
        ("name", facts.name.line()),
        ("description", facts.description.line()),
        ("alias", facts.alias.line()),
        ("index", facts.index.to_string()),
        ("type", facts.if_type.map(|t| t.to_string()).unwrap_or_default()),
        ("admin", facts.admin.map(|a| a.as_str().to_owned()).unwrap_or_default()),
        ("oper", facts.oper.map(|o| o.as_str().to_owned()).unwrap_or_default()),
        ("speed", facts.speed_bps.map(units::speed).unwrap_or_default()),
        ("mtu", facts.mtu.map(|m| m.to_string()).unwrap_or_default()),
        ("mac", facts.mac.map(|m| m.map(|b| format!("{b:02x}")).join(":")).unwrap_or_default()),
        ("duplex", facts.duplex.map(|d| format!("{d:?}").to_lowercase()).unwrap_or_default()),
        ("last change", ago(now, port.changed.or(facts.last_change))),
    ];
    for (name, value) in pairs {
        let value = if value.is_empty() { "–".to_owned() } else { value };
        out.push((Meaning::Text, format!("{name:<12} {value}")));
    }
    let count = |v: Option<u64>| v.map_or_else(|| "–".to_owned(), |v| v.to_string());
    let rate = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), units::bit_rate);
    let c = &facts.counters;
    out.push((Meaning::Text, String::new()));
    out.push((
        Meaning::Text,
        format!("{:<12} in {:>12}   out {:>12}   bit/s", "rate", rate(port.rates.in_bps()), rate(port.rates.out_bps())),
    ));
    out.push((
        Meaning::Text,
        format!("{:<12} in {:>12}   out {:>12}", "octets", count(c.in_octets), count(c.out_octets)),
    ));
    out.push((
        Meaning::Text,
        format!("{:<12} in {:>12}   out {:>12}", "errors", count(c.in_errors), count(c.out_errors)),
    ));
    out.push((
        Meaning::Text,
        format!("{:<12} in {:>12}   out {:>12}", "discards", count(c.in_discards), count(c.out_discards)),
    ));
    if let Some(gap) = port.gap {
        out.push((Meaning::Dim, format!("no rates: {gap}")));
    }
    out.push((Meaning::Dim, format!("link changes in the last hour: {}", port.flaps.len())));
    out.push((Meaning::Dim, format!("walked {}", ago(now, Some(device.table.collected_at)))));
}
