//! LOG: what is not watched and why, faults, what devices told by themselves, and the messages of this run.

use std::cmp::Reverse;
use std::fmt::Write as _;

use ratatui::layout::Rect;

use crate::base::units::counted;
use crate::bus::MessageWeight;
use crate::config::theme::Meaning;
use crate::model::{NotificationKind, TrapStatus};
use crate::state::NotificationView;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::panes::Selected;

/// How many rows of each kind: faults, remarks, the listener for traps, messages, notifications. Rows are numbered in
/// this order.
fn counts(app: &App) -> [usize; 5] {
    let snapshot = &app.snapshot;
    [
        snapshot.engine.faults.len(),
        snapshot.remarks.len(),
        usize::from(snapshot.engine.traps.is_some()),
        app.messages.len(),
        snapshot.notifications.len(),
    ]
}

/// The kind of a row, as its place in [`counts`], and its number there.
fn place(app: &App, mut row: usize) -> Option<(usize, usize)> {
    for (kind, count) in counts(app).into_iter().enumerate() {
        if row < count {
            return Some((kind, row));
        }
        row -= count;
    }
    None
}

pub fn order(app: &App) -> Vec<usize> {
    let [faults, remarks, traps, messages, notifications] = counts(app);
    let standing = faults + remarks + traps;
    let mut moments: Vec<usize> = (standing..standing + messages + notifications).collect();
    // Newest first, both kinds together.
    moments.sort_by_key(|row| {
        let at = match place(app, *row) {
            Some((3, message)) => app.messages.get(message).map(|(at, _, _)| *at),
            Some((_, told)) => app.snapshot.notifications.get(told).map(|n| n.told.at),
            None => None,
        };
        (Reverse(at), Reverse(*row))
    });
    (0..standing).chain(moments).collect()
}

/// A notification leads to its host.
pub fn selected(app: &App, row: usize) -> Option<Selected> {
    match place(app, row)? {
        (4, told) => app.snapshot.notifications.get(told).map(|n| Selected::Host(n.told.host.clone())),
        _ => None,
    }
}

pub fn title(app: &App) -> (String, String) {
    let [faults, remarks, _, messages, notifications] = counts(app);
    let mut parts = vec![counted(faults, "fault"), counted(remarks, "remark"), counted(messages, "message")];
    if app.snapshot.engine.traps.is_some() {
        parts.push(counted(notifications, "notification"));
    }
    ("LOG".to_owned(), parts.join(app.look.separator()))
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1);
    let (dim, text) = (app.look.style(Meaning::Dim), app.look.style(Meaning::Text));
    match place(app, row) {
        Some((0, fault)) => {
            let words = app.snapshot.engine.faults.get(fault).map_or("", |f| &**f);
            line.cell("fault", 9, app.look.style(Meaning::Critical)).put(words, text);
        }
        Some((1, remark)) => {
            line.cell("remark", 9, dim).put(app.snapshot.remarks.get(remark).map_or("", |r| &**r), text);
        }
        Some((2, _)) => {
            if let Some(traps) = &app.snapshot.engine.traps {
                let meaning = if traps.problem.is_some() { Meaning::Critical } else { Meaning::Dim };
                line.cell("traps", 9, app.look.style(meaning)).put(&listener(traps), text);
            }
        }
        Some((3, message)) => {
            let Some((at, weight, words)) = app.messages.get(message) else { return };
            let meaning = match weight {
                MessageWeight::Note => Meaning::Dim,
                MessageWeight::Warning => Meaning::Warning,
                MessageWeight::Error => Meaning::Critical,
            };
            line.cell(&at.utc_time_of_day(), 9, dim).put(words, app.look.style(meaning));
        }
        Some((_, told)) => {
            let Some(told) = app.snapshot.notifications.get(told) else { return };
            let host = app.snapshot.host(&told.told.host);
            let name = host.map_or_else(|| told.told.host.as_str().to_owned(), |h| h.host.name.to_string());
            line.cell(&told.told.at.utc_time_of_day(), 9, dim)
                .put(&name, app.look.style(Meaning::Accent))
                .gap(1)
                .put(&words(told), app.look.style(meaning(&told.told.kind)));
        }
        None => {}
    }
}

/// A row in two cells: what it is or when it was, and what it says.
pub fn fields(app: &App, row: usize) -> Option<[String; 2]> {
    let snapshot = &app.snapshot;
    Some(match place(app, row)? {
        (0, fault) => ["fault".to_owned(), snapshot.engine.faults.get(fault)?.to_string()],
        (1, remark) => ["remark".to_owned(), snapshot.remarks.get(remark)?.to_string()],
        (2, _) => ["traps".to_owned(), listener(snapshot.engine.traps.as_ref()?)],
        (3, message) => app.messages.get(message).map(|(at, _, words)| [at.to_string(), words.clone()])?,
        (_, told) => {
            let told = snapshot.notifications.get(told)?;
            [told.told.at.to_string(), format!("{} {}", told.told.host.as_str(), words(told))]
        }
    })
}

/// What a device told, in a line.
pub fn words(view: &NotificationView) -> String {
    let told = &view.told;
    let mut out = told.kind.as_str().to_owned();
    match (&view.port, told.if_index) {
        (Some(port), _) => {
            let _ = write!(out, " {}", port.line());
        }
        (None, Some(index)) => {
            let _ = write!(out, " ifIndex {index}");
        }
        (None, None) => {}
    }
    if !told.detail.is_empty() {
        let _ = write!(out, "  {}", told.detail.line());
    }
    if told.count > 1 {
        let _ = write!(out, "  ({} times, {})", told.count, told.version);
    } else {
        let _ = write!(out, "  ({})", told.version);
    }
    out
}

/// How much a notification asks to be looked at; what it means for a port, the next walk says.
pub fn meaning(kind: &NotificationKind) -> Meaning {
    match kind {
        NotificationKind::LinkDown | NotificationKind::AuthenticationFailure => Meaning::Warning,
        NotificationKind::ColdStart
        | NotificationKind::WarmStart
        | NotificationKind::LinkUp
        | NotificationKind::Other(_) => Meaning::Text,
    }
}

/// How the listener for traps stands, in a line.
fn listener(status: &TrapStatus) -> String {
    let mut out = match &status.problem {
        Some(problem) => return problem.to_string(),
        None => format!("on {}: {} taken", status.listening.join(", "), status.taken),
    };
    for (count, what) in [
        (status.unknown_source, "from addresses that no host has"),
        (status.refused, "refused"),
        (status.malformed, "malformed"),
        (status.other_kinds, "of other kinds"),
        (status.suppressed, "suppressed"),
    ] {
        if count > 0 {
            let _ = write!(out, ", {count} {what}");
        }
    }
    if let Some(last) = &status.last_refusal {
        let _ = write!(out, " (last: {last})");
    }
    out
}
