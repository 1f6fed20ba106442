//! Claims and maintenance windows for people and for programs: lines, and `noctty.care/1`. What an operator wrote goes
//! through the encoder of its output format.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;

use super::json;
use crate::base::{Timestamp, Untrusted, text, units};
use crate::model::{Acknowledgement, CareBook, Claim, Condition, Entry, Maintenance, Scope, Span, Stickiness, Target};

pub const SCHEMA: &str = "noctty.care/1";
/// How far a claim reaches: the consoles of one state directory.
const HERE: &str = "here";

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
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed: Option<Vec<SavedRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    already_owned: Option<Vec<AckRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reaches: Option<ReachRow>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct AckRow {
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

/// Claims that were just saved.
#[derive(Debug)]
pub struct Claimed<'a> {
    pub saved: &'a [(Arc<Entry>, Claim)],
    /// The site or group whose problems they are; `None` for one that was named.
    pub of: Option<String>,
    /// The engine whose problems they are; `None` where they were looked for.
    pub seen_by: Option<String>,
    /// What others had claimed before.
    pub owned: Vec<Arc<Acknowledgement>>,
    /// The state directory.
    pub directory: String,
    /// The process that polls for it now.
    pub polled_by: Option<u32>,
    /// An engine of this machine that keeps other claims.
    pub not_in: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct MaintenanceRow {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sticky: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct ReachRow {
    /// As `acks[].reach`.
    reach: &'static str,
    state_directory: String,
    polled_by: Option<u32>,
    not_in: Option<String>,
    silences_pagers: bool,
}

/// All claims and windows that are given.
pub fn list_json(book: &CareBook, now: Timestamp) -> String {
    let acks = book.acks.iter().filter(|ack| ack.claim.until > now).map(|ack| ack_row(ack)).collect();
    let maintenance = book.maintenance.iter().map(|one| maintenance_row(one)).collect();
    json::pretty(&Document { acks: Some(acks), maintenance: Some(maintenance), ..document(now) })
}

/// The entry that was just saved.
pub fn saved_json(entry: &Entry, now: Timestamp) -> String {
    json::pretty(&Document { saved: Some(saved_row(entry, None)), ..document(now) })
}

fn saved_row(entry: &Entry, claim: Option<&Claim>) -> SavedRow {
    SavedRow {
        id: entry.id.to_string(),
        at: entry.at.rfc3339(),
        kind: entry.kind.as_str(),
        author: entry.author.json_text(),
        about: entry.about.as_ref().map(Untrusted::json_text),
        owner: claim.map(|claim| claim.owner.json_text()),
        until: claim.map(|claim| claim.until.rfc3339()),
        sticky: claim.map(|claim| claim.stickiness == Stickiness::Sticky),
        condition: claim.and_then(|claim| claim.condition).map(Condition::as_str),
    }
}

/// Claims that were just saved: one that was named as `saved`, those of a site or group as `claimed[]`.
pub fn claimed_json(all: &Claimed<'_>, now: Timestamp) -> String {
    let mut rows: Vec<SavedRow> = all.saved.iter().map(|(entry, claim)| saved_row(entry, Some(claim))).collect();
    let reaches = ReachRow {
        reach: HERE,
        state_directory: all.directory.clone(),
        polled_by: all.polled_by,
        not_in: all.not_in.clone(),
        silences_pagers: false,
    };
    let document = Document { reaches: Some(reaches), ..document(now) };
    json::pretty(&if all.of.is_some() {
        let owned = all.owned.iter().map(|ack| ack_row(ack)).collect();
        Document { claimed: Some(rows), already_owned: Some(owned), ..document }
    } else {
        Document { saved: rows.pop(), ..document }
    })
}

/// The same in lines: what, whose until when, who sees it, and that nobody is spared by it.
pub fn claimed_text(all: &Claimed<'_>, now: Timestamp) -> String {
    let mut out: String = all.saved.iter().map(|(entry, _)| saved_text(entry)).collect();
    for ack in &all.owned {
        let left = units::left(ack.claim.until.since(now));
        let (target, owner) = (ack.claim.target.label().line(), ack.claim.owner.line());
        let _ = writeln!(out, "left as it is: {target}, which {owner} has for {left} yet");
    }
    if let Some(of) = &all.of {
        let from = match &all.seen_by {
            Some(who) => format!("as noctty, {who}, sees it now"),
            None => "of one round of checks, since no noctty polls here".to_owned(),
        };
        let _ = match all.saved.len() {
            0 => writeln!(out, "{of}: nothing to claim, {from}"),
            count => writeln!(out, "{of}: {count} claimed, {from}"),
        };
    }
    let Some((_, claim)) = all.saved.first() else { return out };
    let lasts =
        units::config_duration(std::time::Duration::from_secs((claim.until.since(now).as_secs() + 30) / 60 * 60));
    let sooner = match claim.stickiness {
        Stickiness::Sticky => "recovers",
        Stickiness::EndsOnWorsening => "recovers or gets worse",
    };
    let owner = claim.owner.line();
    let _ = writeln!(out, "owner: {owner}, until {} ({lasts}), or until it {sooner}", claim.until.rfc3339());
    let polled = match all.polled_by {
        Some(process) => format!("shared with every console of the noctty that polls there (pid {process})"),
        None => "no noctty polls there now, so nobody sees it before one does".to_owned(),
    };
    let _ = writeln!(out, "reaches: the consoles of {}; {polled}", all.directory);
    if let Some(socket) = &all.not_in {
        let _ = writeln!(out, "not in: the engine of this machine ({socket}), which keeps claims of its own");
    }
    out.push_str("no pager is silenced by it, and no other system is told\n");
    out
}

pub fn saved_text(entry: &Entry) -> String {
    let about = entry.about.as_ref().map(|about| format!(" {}", about.line())).unwrap_or_default();
    format!("saved {}{about} {}\n", entry.kind.as_str(), text::clean(&entry.id))
}

pub fn acks_text(book: &CareBook, now: Timestamp) -> String {
    let mut out = String::new();
    for ack in book.acks.iter().filter(|ack| ack.claim.until > now) {
        let claim = &ack.claim;
        let left = units::left(claim.until.since(now));
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
            Span::Once { from, until } if *from <= now => format!("now, {} left", units::left(until.since(now))),
            Span::Once { from, until } => format!("{from} to {until}"),
            Span::Recurring { schedule, lasts } => {
                let (cron, zone) = (text::clean(&schedule.cron), text::clean(&schedule.timezone));
                format!("\"{cron}\" {zone} for {}", units::config_duration(*lasts))
            }
        };
        let flexible = one.order.flexible.map(|lasts| format!(", flexible {}", units::config_duration(lasts)));
        let scope = if scope == "asset" { String::new() } else { format!("{scope} ") };
        let _ = write!(out, "{}  {scope}{}  {when}", text::clean(&one.id), text::clean(&name));
        let _ = writeln!(out, "{}  {}", flexible.unwrap_or_default(), one.order.note.line());
    }
    if out.is_empty() { "no maintenance\n".to_owned() } else { out }
}

/// A window that will never be open again.
pub fn is_over(one: &Maintenance, now: Timestamp) -> bool {
    one.order.over_since(now).is_some()
}

pub(super) fn ack_row(ack: &Acknowledgement) -> AckRow {
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
        reach: HERE,
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

pub(super) fn maintenance_row(one: &Maintenance) -> MaintenanceRow {
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
        claimed: None,
        already_owned: None,
        reaches: None,
        warnings: Vec::new(),
    }
}
