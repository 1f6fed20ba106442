//! INCIDENT: the journal of the newest open incident, newest entry last.

use ratatui::layout::Rect;

use super::heads::{self, Heads, Title};
use super::{PaneKind, dim};
use crate::base::units::counted;
use crate::base::{Untrusted, units};
use crate::config::theme::Meaning;
use crate::model::{EntryKind, IncidentStatus};
use crate::state::Storage;
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::sorting::{self, By};

/// Newest first, so that the last words are in sight however small the pane is.
pub fn order(app: &App) -> Vec<usize> {
    let rows = app.incident().map(|i| (0..i.entries.len()).rev().collect()).unwrap_or_default();
    sorting::entries(app, rows)
}

pub fn title(app: &App, frame: &Frame<'_>) -> (String, String) {
    let Some(incident) = app.incident() else {
        let none = if app.snapshot.awaited.incidents > 0 { "" } else { "none open" };
        return ("INCIDENT".to_owned(), none.to_owned());
    };
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
    parts.extend(app.order_of(PaneKind::Incident).words(PaneKind::Incident));
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
    // Nobody is offered a key that is refused.
    let keys = app.permits(Action::OpenIncident.needs()).is_ok();
    std::iter::once(first).chain(keys.then(|| format!("{key} opens one; {note} writes a note"))).collect()
}

/// Columns of the kind of an entry, of who wrote it and of what it is about.
const KIND: usize = 12;
const AUTHOR: usize = 12;
const ABOUT: usize = 18;
/// From this width on those two have columns of their own.
const COLUMNS_FROM: u16 = 100;

/// As those of all entries are.
fn times(app: &App) -> super::Times {
    super::times(app, app.incident().and_then(|incident| incident.entries.first()).map(|entry| entry.at))
}

/// Columns of the time and the kind.
pub fn name_part(app: &App) -> usize {
    times(app).width() + KIND + 2
}

pub fn draw_header(app: &App, frame: &mut Frame<'_>, area: Rect) -> Heads {
    let mut heads = Heads::new();
    let mut line = Row::new(frame.buffer, &app.look, area, area.y);
    line.gap(1);
    let mut put = |words, width, by| {
        heads::put(app, &mut line, &mut heads, Title { words, width, is_right: false }, (PaneKind::Incident, &[by]));
    };
    put("UTC", times(app).width(), By::Time);
    put("kind", KIND, By::Kind);
    if area.width >= COLUMNS_FROM {
        put("by", AUTHOR, By::Author);
        put("about", ABOUT, By::Object);
    }
    line.put("text", dim(app));
    heads
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(entry) = app.incident().and_then(|i| i.entries.get(row)) else { return };
    let text = app.look.style(Meaning::Text);
    let meaning = match entry.kind {
        EntryKind::Decision | EntryKind::Action => Meaning::Accent,
        EntryKind::Opened | EntryKind::Closed => Meaning::Title,
        EntryKind::State => Meaning::Warning,
        EntryKind::Note
        | EntryKind::Hypothesis
        | EntryKind::Acknowledged
        | EntryKind::Role
        | EntryKind::Claimed
        | EntryKind::Released
        | EntryKind::MaintenanceOrdered
        | EntryKind::MaintenanceCancelled
        | EntryKind::Paused
        | EntryKind::Resumed => Meaning::Dim,
    };
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    let times = times(app);
    line.gap(1).cell(&times.words(entry.at), times.width(), dim(app)).gap(1);
    line.cell(entry.kind.as_str(), KIND, app.look.style(meaning)).gap(1);
    let about = entry.about.as_ref().map(Untrusted::line);
    if area.width >= COLUMNS_FROM {
        line.cell(&entry.author.line(), AUTHOR, dim(app)).gap(1);
        line.name(&about.unwrap_or_default(), ABOUT, text).gap(1);
    } else {
        line.put(&entry.author.line(), dim(app)).put(": ", dim(app));
        if let Some(about) = about {
            line.put(&format!("[{about}] "), dim(app));
        }
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
