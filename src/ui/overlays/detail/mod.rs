//! Everything about one object: each check with its last good and last bad result and its own log; of devices what they say
//! of themselves, of ports everything that is known of them. What is wrong comes first, and what is not known is said.

mod before;
mod check;
pub mod compare;
mod device;
mod host;
mod job;
pub mod packages;
mod port;
mod tables;
mod told;
mod vitals;

use super::Line;
use crate::base::{Timestamp, text, units};
use crate::config::runbooks::is_link;
use crate::config::theme::Meaning;
use crate::model::{AssetId, Condition, Equipment, Target};
use crate::state::snapshot::ProblemKind;
use crate::state::{Blindness, Care, Cause, Problem};
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::look::meaning;
use crate::ui::panes::Selected;

/// By columns of the screen, not letters.
fn padded(words: &str, width: usize) -> String {
    format!("{words}{}", " ".repeat(width.saturating_sub(text::width(words))))
}

pub fn title(app: &App, selected: &Selected) -> String {
    match selected {
        Selected::Host(id) => app.snapshot.host(id).map_or_else(|| id.as_str().to_owned(), |h| h.host.name.to_string()),
        Selected::Job(id) => app.snapshot.job(id).map_or_else(|| id.as_str().to_owned(), |j| j.job.name.to_string()),
        Selected::Port(id, port) => format!("{} {}", id.as_str(), port.label.line()),
        Selected::Entry(_) => app.incident().map(|i| i.id.to_string()).unwrap_or_default(),
        Selected::Told(entry) => told::title(entry),
    }
}

/// Fit for so many columns where it has tables; longer lines are broken by whoever shows them.
pub fn lines(app: &App, now: Timestamp, selected: &Selected, columns: usize) -> Vec<Line> {
    let mut out = Vec::new();
    match selected {
        Selected::Host(id) => match app.snapshot.host(id) {
            Some(host) => host::lines(app, now, host, &mut out),
            None => match own_problem(app, id) {
                Some(problem) => console(now, problem, app.snapshot.engine.blind.as_ref(), &mut out),
                None => out.push((Meaning::Warning, "it left the inventory".to_owned())),
            },
        },
        Selected::Job(id) => match app.snapshot.job(id) {
            Some(job) => job::lines(app, now, job, columns, &mut out),
            None => out.push((Meaning::Warning, "it left the inventory".to_owned())),
        },
        Selected::Port(id, port) => match app.snapshot.device(id) {
            Some(device) => port::lines(app, now, device, port, &mut out),
            None => out.push((Meaning::Warning, "the device was not walked".to_owned())),
        },
        Selected::Entry(row) => {
            if let Some(entry) = app.incident().and_then(|i| i.entries.get(*row)) {
                told::journal_lines(app, entry, columns, &mut out);
            }
        }
        Selected::Told(entry) => told::lines(app, now, entry, columns, &mut out),
    }
    out
}

/// Where it is written what to do.
fn runbook(app: &App, asset: &AssetId) -> Option<Line> {
    let place = app.runbook_of(asset)?.place;
    let verb = if is_link(&place) { "copies it" } else { "opens it" };
    Some((Meaning::Accent, format!("runbook {place}   {} {verb}", app.key_of(Action::Runbook))))
}

/// The problem that is the console's own: there is no such host.
fn own_problem<'a>(app: &'a App, id: &AssetId) -> Option<&'a Problem> {
    app.snapshot.problems.iter().find(|problem| problem.kind == ProblemKind::Console && problem.asset == *id)
}

/// Why this console sees nothing, and what that means for everything else.
fn console(now: Timestamp, problem: &Problem, blind: Option<&Blindness>, out: &mut Vec<Line>) {
    let since = units::age(now.since(problem.since));
    out.push((meaning(problem.condition), format!("{} for {since}   {}", problem.word, problem.reason.line())));
    out.push((Meaning::Text, String::new()));
    let words = match blind.map(|blind| &blind.cause) {
        Some(Cause::NoNames(_)) => [
            "No name can be resolved, so nothing that is known by its name only can be asked. What is silent keeps its last known \
                 state, is shown as stale or was never seen, and nothing is announced about it. What has an address is asked as ever.",
            "It ends by itself when names resolve.",
        ],
        cause => {
            if matches!(cause, Some(Cause::Silence)) {
                out.push(pair("this machine", Some("has a way out".to_owned())));
            }
            [
                "Most of what answered fell silent at once, so the likely cause is here: the uplink, the jump host or the firewall of this \
                 machine. What is silent keeps its last known state, is shown as stale, and nothing is announced about it.",
                "It ends by itself when more answers than is silent.",
            ]
        }
    };
    out.extend(words.map(|words| (Meaning::Text, words.to_owned())));
}

/// Who has taken a problem on, or for how long nobody has; whether it flaps.
fn care(app: &App, now: Timestamp, target: &Target, care: &Care, out: &mut Vec<Line>) {
    if let Some(flapping) = &care.flapping {
        let since = units::age(now.since(flapping.since));
        out.push((Meaning::Warning, format!("flapping for {since}: {} % of its results change", flapping.percent)));
    }
    if let Some(maintained) = &care.maintenance {
        let order = &maintained.maintenance.order;
        let left = units::left(maintained.until.since(now));
        let note = if order.note.is_empty() { String::new() } else { format!(": {}", order.note.line()) };
        let by = maintained.maintenance.author.line();
        out.push((Meaning::Bar, format!("in maintenance, {left} more, by {by}{note}")));
    }
    if let Some(ack) = &care.ack {
        let claim = &ack.claim;
        let left = units::left(claim.until.since(now));
        let note = if claim.note.is_empty() { String::new() } else { format!(": {}", claim.note.line()) };
        let owner =
            format!("@{} has it for {}, {left} more{note}", claim.owner.line(), units::age(now.since(ack.since)));
        out.push((Meaning::Accent, owner));
        out.push((Meaning::Dim, "known to the consoles of this state directory; no pager is silenced".to_owned()));
    } else if let Some(since) = care.unowned_since {
        let keys = app.keymap.keys_of("claim");
        let key = keys.first().filter(|_| app.permits(Action::Claim.needs()).is_ok());
        let key = key.map(|key| format!("; {key} claims it")).unwrap_or_default();
        out.push((Meaning::Text, format!("nobody has it, for {}{key}", units::age(now.since(since)))));
    }
    let problems = &app.snapshot.problems;
    if let Some(at) = problems.iter().position(|problem| problem.target == *target) {
        let problem = &problems[at];
        // How much is hidden behind it stands below, with the names of all of it.
        let told_below = format!("{} hidden behind it", problem.hides);
        let why = if problem.rank == told_below { String::new() } else { format!(": {}", problem.rank) };
        out.push((Meaning::Dim, format!("problem {} of {}{why}", at + 1, problems.len())));
    }
}

/// What is hidden behind any of these, which are one thing to who reads it: all of it, by name; or what they are hidden behind.
fn hidden(app: &App, targets: &[Target]) -> Option<Line> {
    let behind = |target| app.snapshot.problem_of(target).and_then(|problem| problem.behind.as_ref());
    if let Some(behind) = targets.iter().find_map(behind) {
        let how = if behind.inferred { ": inferred, both fell within 90 s" } else { "" };
        return Some((Meaning::Unreachable, format!("hidden behind {}{how}", behind.target.label().line())));
    }
    let mine = |problem: &&Problem| problem.behind.as_ref().is_some_and(|behind| targets.contains(&behind.target));
    let names: Vec<String> = app.snapshot.consequences.iter().filter(mine).map(|p| p.title.line()).collect();
    (!names.is_empty())
        .then(|| (Meaning::Unreachable, format!("{} hidden behind it: {}", names.len(), names.join(", "))))
}

fn ago(now: Timestamp, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| format!("{} ago", units::age(units::age_bucket(now.since(at)))))
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
    let partly = walk.incomplete.as_ref().map(|why| format!(", incomplete: {}", text::clean(why)));
    format!("walked {}{}", ago(now, Some(walk.at)), partly.unwrap_or_default())
}
