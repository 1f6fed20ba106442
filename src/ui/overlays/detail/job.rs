//! A backup job: the headline and all findings, the schedule, the newest restore points.

use super::{Line, care, check, meaning};
use crate::base::{Timestamp, units};
use crate::config::theme::Meaning;
use crate::model::Target;
use crate::state::JobView;
use crate::ui::app::App;

pub fn lines(app: &App, now: Timestamp, job: &JobView, out: &mut Vec<Line>) {
    out.push((meaning(job.condition), format!("{} for {}", job.state.as_str(), units::age(now.since(job.since)))));
    out.extend(job.findings.iter().map(|f| (Meaning::Text, f.line())));
    care(app, now, &Target::Job(job.job.id.clone()), &job.care, out);
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
        check::lines(now, check, out);
    }
}
