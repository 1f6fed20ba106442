//! The words of a message. Foreign text comes out cleaned: nothing in it can pretend to be a header or a second message.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Batch, Change, Late};
use crate::base::text;
use crate::model::{Alert, AlertKind};

/// Changes that are written out; the others are counted.
const LISTED: usize = 50;
/// Of those that come too late, which are named only.
const NAMED: usize = 10;
const SUBJECT_WIDTH: usize = 120;

/// `DOWN core-sw1: no answer to ICMP · 34 behind it`.
fn line(alert: &Alert) -> String {
    let title = alert.title.line();
    match alert.kind {
        AlertKind::Test => "a test of this channel: nothing is wrong".to_owned(),
        AlertKind::Recovery => format!("OK {title} (was {})", alert.from.as_str()),
        AlertKind::FlappingBegins => format!("FLAPPING {title}: {}", alert.reason.line()),
        AlertKind::FlappingEnds => format!("STEADY {title}: {}", alert.to.as_str()),
        AlertKind::Problem | AlertKind::Reminder => {
            let behind = if alert.hides > 0 { format!(" · {} behind it", alert.hides) } else { String::new() };
            let still = if alert.kind == AlertKind::Reminder { "STILL " } else { "" };
            format!("{still}{} {title}: {}{behind}", alert.word, alert.reason.line())
        }
    }
}

/// `2 changes were not delivered in time: core-sw1 (still DOWN), web1`; nothing where all were.
fn late_line(late: &[Late]) -> Option<String> {
    let (count, were) = match late.len() {
        0 => return None,
        1 => ("1 change".to_owned(), "was"),
        n => (format!("{n} changes"), "were"),
    };
    let name = |Late { change, stands }: &Late| {
        let title = change.alert.title.line();
        if *stands { format!("{title} (still {})", change.alert.word) } else { title }
    };
    let mut names: Vec<String> = late.iter().take(NAMED).map(name).collect();
    if late.len() > NAMED {
        names.push(format!("{} more", late.len() - NAMED));
    }
    Some(text::clean(&format!("{count} {were} not delivered in time: {}", names.join(", "))))
}

/// One line for a pager or a mail's subject.
pub fn subject(batch: &Batch) -> String {
    let Some(first) = batch.changes.first() else {
        return text::fit(&late_line(&batch.late).unwrap_or_else(|| "noctty".to_owned()), SUBJECT_WIDTH);
    };
    let more = batch.changes.len() - 1;
    let more = if more > 0 { format!(" (+{more} more)") } else { String::new() };
    let room = SUBJECT_WIDTH.saturating_sub(text::width(&more));
    format!("{}{more}", text::fit(&text::clean(&line(&first.alert)), room))
}

/// A line for each change, and one for all that were not told in time.
pub fn text(batch: &Batch) -> String {
    let mut out = String::new();
    for change in batch.changes.iter().take(LISTED) {
        let _ = writeln!(out, "{}  {}", change.alert.at.rfc3339(), text::clean(&line(&change.alert)));
    }
    if batch.changes.len() > LISTED {
        let _ = writeln!(out, "and {} more", batch.changes.len() - LISTED);
    }
    if let Some(late) = late_line(&batch.late) {
        let _ = writeln!(out, "{late}");
    }
    out
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    subject: String,
    changes: usize,
    not_in_time: usize,
    alerts: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
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
    let row = |Change { id, alert }: &Change| Row {
        id: id.to_string(),
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
        changes: batch.changes.len(),
        not_in_time: batch.late.len(),
        alerts: batch.changes.iter().take(LISTED).map(row).collect(),
    };
    // Texts and numbers only: nothing of it can fail to be written.
    serde_json::to_string(&document).unwrap_or_default()
}
