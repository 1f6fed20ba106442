//! The words of a message. Foreign text comes out cleaned: nothing in it can pretend to be a header or a second message.

use std::fmt::Write as _;

use serde::Serialize;

use super::Batch;
use crate::base::text;
use crate::model::{Alert, AlertKind};

/// Changes that are written out; the others are counted.
const LISTED: usize = 50;
const SUBJECT_WIDTH: usize = 120;

/// `DOWN core-sw1: no answer to ICMP · 34 behind it`.
fn line(alert: &Alert) -> String {
    let title = alert.title.line();
    match alert.kind {
        AlertKind::Test => "a test of this channel: nothing is wrong".to_owned(),
        AlertKind::Recovery => format!("OK {title} (was {})", alert.from.as_str()),
        AlertKind::FlappingBegins => format!("FLAPPING {title}: {}", alert.reason.line()),
        AlertKind::FlappingEnds => format!("STEADY {title}: {}", alert.to.as_str()),
        AlertKind::Problem => {
            let behind = if alert.hides > 0 { format!(" · {} behind it", alert.hides) } else { String::new() };
            format!("{} {title}: {}{behind}", alert.word, alert.reason.line())
        }
    }
}

/// One line for a pager or a mail's subject.
pub fn subject(batch: &Batch) -> String {
    let Some(first) = batch.alerts.first() else { return "noctty".to_owned() };
    let more = batch.alerts.len() - 1;
    let more = if more > 0 { format!(" (+{more} more)") } else { String::new() };
    let room = SUBJECT_WIDTH.saturating_sub(text::width(&more));
    format!("{}{more}", text::fit(&text::clean(&line(first)), room))
}

/// A line for each change.
pub fn text(batch: &Batch) -> String {
    let mut out = String::new();
    for alert in batch.alerts.iter().take(LISTED) {
        let _ = writeln!(out, "{}  {}", alert.at.rfc3339(), text::clean(&line(alert)));
    }
    if batch.alerts.len() > LISTED {
        let _ = writeln!(out, "and {} more", batch.alerts.len() - LISTED);
    }
    out
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    subject: String,
    changes: usize,
    alerts: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    kind: &'static str,
    object: String,
    title: String,
    from: &'static str,
    to: &'static str,
    state: String,
    reason: String,
    hides: usize,
    group: Option<String>,
    tags: Vec<String>,
    at: String,
}

/// `noctty.notification/1`.
pub fn json(batch: &Batch) -> String {
    let row = |alert: &Alert| Row {
        kind: alert.kind.as_str(),
        object: alert.target.asset().as_str().to_owned(),
        title: alert.title.json_text(),
        from: alert.from.as_str(),
        to: alert.to.as_str(),
        state: alert.word.to_string(),
        reason: alert.reason.json_text(),
        hides: alert.hides,
        group: alert.group.as_ref().map(ToString::to_string),
        tags: alert.tags.iter().map(ToString::to_string).collect(),
        at: alert.at.rfc3339(),
    };
    let document = Document {
        schema: "noctty.notification/1",
        subject: subject(batch),
        changes: batch.alerts.len(),
        alerts: batch.alerts.iter().take(LISTED).map(row).collect(),
    };
    // Texts and numbers only: nothing of it can fail to be written.
    serde_json::to_string(&document).unwrap_or_default()
}
