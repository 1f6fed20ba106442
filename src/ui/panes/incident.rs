//! INCIDENT: the journal of the newest open incident, newest entry last.

use ratatui::layout::Rect;

use super::dim;
use crate::base::units::counted;
use crate::base::{Untrusted, units};
use crate::config::theme::Meaning;
use crate::model::{EntryKind, IncidentStatus};
use crate::state::Storage;
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;

/// Newest first, so that the last words are in sight however small the pane is.
pub fn order(app: &App) -> Vec<usize> {
    app.incident().map(|i| (0..i.entries.len()).rev().collect()).unwrap_or_default()
}

pub fn title(app: &App, frame: &Frame<'_>) -> (String, String) {
    let Some(incident) = app.incident() else { return ("INCIDENT".to_owned(), "none open".to_owned()) };
    let mut parts = vec![counted(incident.entries.len(), "entry")];
    if incident.status == IncidentStatus::Open {
        let since = frame.now.since(incident.opened_at);
        parts.push(format!("open {}", units::age(units::age_bucket(since))));
    } else {
        parts.push("closed".to_owned());
    }
    if !incident.damage.is_empty() {
        parts.push("DAMAGED".to_owned());
    }
    (
        format!("{} {} {}", incident.id, incident.urgency.as_str(), incident.title.line()),
        parts.join(app.look.separator()),
    )
}

pub fn empty(app: &App) -> Vec<String> {
    let key = app.key_of(Action::OpenIncident);
    let note = app.key_of(Action::Note);
    let first = match &app.snapshot.engine.storage {
        Storage::NotSaved { reason } => format!("what was saved may not be shown: {reason}"),
        Storage::Opening | Storage::Ready => "no incident is open".to_owned(),
    };
    vec![first, format!("{key} opens one; {note} writes a note")]
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(entry) = app.incident().and_then(|i| i.entries.get(row)) else { return };
    let text = app.look.style(Meaning::Text);
    let meaning = match entry.kind {
        EntryKind::Decision | EntryKind::Action => Meaning::Accent,
        EntryKind::Opened | EntryKind::Closed => Meaning::Title,
        EntryKind::State => Meaning::Warning,
        EntryKind::Note | EntryKind::Hypothesis | EntryKind::Acknowledged | EntryKind::Role => Meaning::Dim,
        EntryKind::Claimed | EntryKind::Released | EntryKind::MaintenanceOrdered | EntryKind::MaintenanceCancelled => {
            Meaning::Dim
        }
    };
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(&entry.at.utc_time_of_day(), dim(app)).gap(1);
    line.cell(entry.kind.as_str(), 10, app.look.style(meaning)).gap(1);
    line.put(&entry.author.line(), dim(app)).put(": ", dim(app));
    if let Some(about) = &entry.about {
        line.put(&format!("[{}] ", about.line()), dim(app));
    }
    line.put(&entry.text.line(), text);
}

/// What [`fields`] are called.
pub const FIELDS: [&str; 5] = ["time", "kind", "by", "about", "text"];

/// The row in cells; the moment in full, because a copy leaves its day.
pub fn fields(app: &App, row: usize) -> Option<[String; 5]> {
    let entry = app.incident()?.entries.get(row)?;
    Some([
        entry.at.to_string(),
        entry.kind.as_str().to_owned(),
        entry.author.line(),
        entry.about.as_ref().map(Untrusted::line).unwrap_or_default(),
        entry.text.line(),
    ])
}
