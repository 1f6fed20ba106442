//! Claims and maintenance windows for people and for programs: lines, and `noctty.care/1`. What an operator wrote goes
//! through the encoder of its output format.

use std::fmt::Write as _;

use serde::Serialize;

use crate::base::{Timestamp, Untrusted, units};
use crate::model::{Acknowledgement, CareBook, Entry, Maintenance, Scope, Span, Stickiness, Target};

pub const SCHEMA: &str = "noctty.care/1";

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    collected_at: String,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    acks: Option<Vec<AckRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maintenance: Option<Vec<MaintenanceRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<SavedRow>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct AckRow {
    id: String,
    kind: &'static str,
    asset: String,
    /// The check or port of the host.
    part: Option<String>,
    owner: String,
    note: String,
    since: String,
    until: String,
    sticky: bool,
    /// How far it reaches.
    reach: &'static str,
}

#[derive(Debug, Serialize)]
struct MaintenanceRow {
    id: String,
    scope: &'static str,
    name: String,
    author: String,
    note: String,
    from: Option<String>,
    until: Option<String>,
    schedule: Option<String>,
    timezone: Option<String>,
    lasts_s: Option<u64>,
    flexible_s: Option<u64>,
}

#[derive(Debug, Serialize)]
struct SavedRow {
    id: String,
    at: String,
    kind: &'static str,
    author: String,
    about: Option<String>,
}

/// All claims and windows that are given.
pub fn list_json(book: &CareBook, now: Timestamp) -> String {
    let acks = book.acks.iter().filter(|ack| ack.claim.until > now).map(|ack| ack_row(ack)).collect();
    let maintenance = book.maintenance.iter().map(|one| maintenance_row(one)).collect();
    json(&Document { acks: Some(acks), maintenance: Some(maintenance), ..document(now) })
}

/// The entry that was just saved.
pub fn saved_json(entry: &Entry, now: Timestamp) -> String {
    let saved = SavedRow {
        id: entry.id.to_string(),
        at: entry.at.rfc3339(),
        kind: entry.kind.as_str(),
        author: entry.author.json_text(),
        about: entry.about.as_ref().map(Untrusted::json_text),
    };
    json(&Document { saved: Some(saved), ..document(now) })
}

pub fn saved_text(entry: &Entry) -> String {
    let about = entry.about.as_ref().map(|about| format!(" {}", about.line())).unwrap_or_default();
    format!("saved {}{about} {}\n", entry.kind.as_str(), entry.id)
}

pub fn acks_text(book: &CareBook, now: Timestamp) -> String {
    let mut out = String::new();
    for ack in book.acks.iter().filter(|ack| ack.claim.until > now) {
        let claim = &ack.claim;
        let left = units::age(claim.until.since(now));
        let sticky = if claim.stickiness == Stickiness::Sticky { ", sticky" } else { "" };
        let _ = write!(out, "{}  {}, {left} left{sticky}", claim.target.label().line(), claim.owner.line());
        let note = if claim.note.is_empty() { String::new() } else { format!("  {}", claim.note.line()) };
        let _ = writeln!(out, "{note}");
    }
    if out.is_empty() { "nothing is claimed\n".to_owned() } else { out }
}

pub fn maintenance_text(book: &CareBook, now: Timestamp) -> String {
    let mut out = String::new();
    for one in &book.maintenance {
        let (scope, name) = scope(&one.order.scope);
        let when = match &one.order.span {
            Span::Once { from, until } if *from <= now => format!("now, {} left", units::age(until.since(now))),
            Span::Once { from, until } => format!("{from} to {until}"),
            Span::Recurring { schedule, lasts } => {
                format!("\"{}\" {} for {}", schedule.cron, schedule.timezone, units::config_duration(*lasts))
            }
        };
        let flexible = one.order.flexible.map(|lasts| format!(", flexible {}", units::config_duration(lasts)));
        let scope = if scope == "asset" { String::new() } else { format!("{scope} ") };
        let _ = write!(out, "{}  {scope}{}  {when}", one.id, crate::base::text::clean(&name));
        let _ = writeln!(out, "{}  {}", flexible.unwrap_or_default(), one.order.note.line());
    }
    if out.is_empty() { "no maintenance\n".to_owned() } else { out }
}

/// A window that will never be open again.
pub fn is_over(one: &Maintenance, now: Timestamp) -> bool {
    match one.order.span {
        Span::Once { until, .. } => now >= until.plus(one.order.flexible.unwrap_or_default()),
        Span::Recurring { .. } => false,
    }
}

fn ack_row(ack: &Acknowledgement) -> AckRow {
    let claim = &ack.claim;
    let (kind, part) = match &claim.target {
        Target::Host(_) => ("host", None),
        Target::Check(key) => ("check", Some(key.name.to_string())),
        Target::Port(_, key) => ("port", Some(key.label.json_text())),
        Target::GonePorts(_) => ("gone-ports", None),
        Target::Device(_) => ("device", None),
        Target::Job(_) => ("backup", None),
    };
    AckRow {
        id: ack.id.to_string(),
        kind,
        asset: claim.target.asset().as_str().to_owned(),
        part,
        owner: claim.owner.json_text(),
        note: claim.note.json_text(),
        since: ack.since.rfc3339(),
        until: claim.until.rfc3339(),
        sticky: claim.stickiness == Stickiness::Sticky,
        reach: "here",
    }
}

fn scope(scope: &Scope) -> (&'static str, String) {
    match scope {
        Scope::Asset(id) => ("asset", id.as_str().to_owned()),
        Scope::Tag(tag) => ("tag", tag.to_string()),
        Scope::Group(group) => ("group", group.to_string()),
        Scope::Site(site) => ("site", site.to_string()),
        Scope::Behind(id) => ("behind", id.as_str().to_owned()),
    }
}

fn maintenance_row(one: &Maintenance) -> MaintenanceRow {
    let order = &one.order;
    let (scope, name) = scope(&order.scope);
    let (mut from, mut until, mut cron, mut timezone, mut lasts_s) = (None, None, None, None, None);
    match &order.span {
        Span::Once { from: begin, until: end } => (from, until) = (Some(begin.rfc3339()), Some(end.rfc3339())),
        Span::Recurring { schedule, lasts } => {
            (cron, timezone) = (Some(schedule.cron.to_string()), Some(schedule.timezone.to_string()));
            lasts_s = Some(lasts.as_secs());
        }
    }
    MaintenanceRow {
        id: one.id.to_string(),
        scope,
        name,
        author: one.author.json_text(),
        note: order.note.json_text(),
        from,
        until,
        schedule: cron,
        timezone,
        lasts_s,
        flexible_s: order.flexible.map(|lasts| lasts.as_secs()),
    }
}

fn document(now: Timestamp) -> Document {
    Document {
        schema: SCHEMA,
        collected_at: now.rfc3339(),
        complete: true,
        acks: None,
        maintenance: None,
        saved: None,
        warnings: Vec::new(),
    }
}

fn json(document: &Document) -> String {
    // Strings, numbers and lists only: nothing of it can fail to be written.
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}
