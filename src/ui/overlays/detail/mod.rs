//! Everything about one object: each check with its last good and last bad result and its own log; of devices what they say
//! of themselves, of ports everything that is known of them. What is wrong comes first, and what is not known is said.

mod check;
pub mod compare;
mod device;
mod host;
mod job;
mod port;
mod tables;
mod vitals;

use super::Line;
use crate::base::{Timestamp, units};
use crate::config::theme::Meaning;
use crate::model::{Condition, Equipment, Target};
use crate::state::Care;
use crate::ui::app::App;
use crate::ui::panes::Selected;

pub fn title(app: &App, selected: &Selected) -> String {
    match selected {
        Selected::Host(id) => app.snapshot.host(id).map_or_else(|| id.as_str().to_owned(), |h| h.host.name.to_string()),
        Selected::Job(id) => app.snapshot.job(id).map_or_else(|| id.as_str().to_owned(), |j| j.job.name.to_string()),
        Selected::Port(id, port) => format!("{} {}", id.as_str(), port.label.line()),
        Selected::Entry(_) => app.incident().map(|i| i.id.to_string()).unwrap_or_default(),
    }
}

pub fn lines(app: &App, now: Timestamp, selected: &Selected) -> Vec<Line> {
    let mut out = Vec::new();
    match selected {
        Selected::Host(id) => match app.snapshot.host(id) {
            Some(host) => host::lines(app, now, host, &mut out),
            None => out.push((Meaning::Warning, "it left the inventory".to_owned())),
        },
        Selected::Job(id) => match app.snapshot.job(id) {
            Some(job) => job::lines(app, now, job, &mut out),
            None => out.push((Meaning::Warning, "it left the inventory".to_owned())),
        },
        Selected::Port(id, port) => match app.snapshot.device(id) {
            Some(device) => port::lines(app, now, device, port, &mut out),
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

/// Who has taken a problem on, or for how long nobody has; whether it flaps.
fn care(app: &App, now: Timestamp, target: &Target, care: &Care, out: &mut Vec<Line>) {
    if let Some(flapping) = &care.flapping {
        let since = units::age(now.since(flapping.since));
        out.push((Meaning::Warning, format!("flapping for {since}: {} % of its results change", flapping.percent)));
    }
    if let Some(maintained) = &care.maintenance {
        let order = &maintained.maintenance.order;
        let left = units::age(maintained.until.since(now));
        let note = if order.note.is_empty() { String::new() } else { format!(": {}", order.note.line()) };
        let by = maintained.maintenance.author.line();
        out.push((Meaning::Bar, format!("in maintenance, {left} more, by {by}{note}")));
    }
    if let Some(ack) = &care.ack {
        let claim = &ack.claim;
        let left = units::age(claim.until.since(now));
        let note = if claim.note.is_empty() { String::new() } else { format!(": {}", claim.note.line()) };
        let owner =
            format!("@{} has it for {}, {left} more{note}", claim.owner.line(), units::age(now.since(ack.since)));
        out.push((Meaning::Accent, owner));
        out.push((Meaning::Dim, "known to the consoles of this state directory; no pager is silenced".to_owned()));
    } else if let Some(since) = care.unowned_since {
        let keys = app.keymap.keys_of("claim");
        let key = keys.first().map(|key| format!("; {key} claims it")).unwrap_or_default();
        out.push((Meaning::Text, format!("nobody has it, for {}{key}", units::age(now.since(since)))));
    }
    let problems = &app.snapshot.problems;
    if let Some(at) = problems.iter().position(|problem| problem.target == *target) {
        out.push((Meaning::Dim, format!("problem {} of {}: {}", at + 1, problems.len(), problems[at].rank)));
    }
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

/// A heading, with a line free above it.
fn heading(out: &mut Vec<Line>, words: impl Into<String>) {
    out.push((Meaning::Text, String::new()));
    out.push((Meaning::Title, words.into()));
}

/// `name   value`, and a dash for what is not known.
fn pair(name: &str, value: Option<String>) -> Line {
    let value = value.filter(|v| !v.is_empty()).unwrap_or_else(|| "–".to_owned());
    (Meaning::Text, format!("{name:<14}{value}"))
}

/// How old what the first of these groups brought is, in words for a heading.
fn walked(now: Timestamp, equipment: &Equipment, groups: &[&str]) -> String {
    let of = |group: &&str| equipment.walked.iter().find(|w| *w.group == **group);
    let Some(walk) = groups.iter().find_map(of) else { return "not walked yet".to_owned() };
    let partly = walk.incomplete.as_ref().map(|why| format!(", incomplete: {}", crate::base::text::clean(why)));
    format!("walked {}{}", ago(now, Some(walk.at)), partly.unwrap_or_default())
}
