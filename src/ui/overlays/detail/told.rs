//! An entry of the log or of an incident's journal: what it says whole, when, about what, by whom, and where it comes from.

use super::{Line, meaning, pair};
use crate::base::{Timestamp, Untrusted, text, units};
use crate::config::theme::Meaning;
use crate::model::Entry;
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::logbook::LogEntry;

pub fn title(entry: &LogEntry) -> String {
    let object = if entry.object.is_empty() { String::new() } else { format!(" of {}", entry.object) };
    format!("{}{object}", entry.source.word())
}

pub fn lines(app: &App, now: Timestamp, entry: &LogEntry, columns: usize, out: &mut Vec<Line>) {
    out.extend(
        text::wrap(&text::clean(&entry.says), columns.max(1)).into_iter().map(|line| (meaning(entry.condition), line)),
    );
    out.push((Meaning::Text, String::new()));
    match entry.at {
        Some(at) => times(app, at, Some(now), out),
        None => out.push(pair("time", Some("it stands as long as the engine runs".to_owned()))),
    }
    object(app, &entry.object, entry.about.is_some(), out);
    out.extend(entry.facts.iter().map(|(name, value)| pair(name, Some(value.clone()))));
}

pub fn journal_lines(app: &App, entry: &Entry, columns: usize, out: &mut Vec<Line>) {
    let lines = entry.text.lines();
    let broken = lines.iter().flat_map(|line| text::wrap(line, columns.max(1)));
    out.extend(broken.map(|line| (Meaning::Text, line)));
    out.push((Meaning::Text, String::new()));
    out.push(pair("kind", Some(entry.kind.as_str().to_owned())));
    times(app, entry.at, None, out);
    if let Some(about) = entry.about.as_ref().map(Untrusted::line) {
        let is_there = app.object_named(&about).is_some();
        object(app, &about, is_there, out);
    }
    out.push(pair("by", Some(entry.author.line())));
    out.push(pair("entry", Some(format!("{}, number {} of writer {}", entry.id, entry.sequence, entry.writer))));
}

/// By the clock of the world, and by the one on the wall; and how long ago where the steady clock knows.
fn times(app: &App, at: Timestamp, now: Option<Timestamp>, out: &mut Vec<Line>) {
    let ago = now.map(|now| format!(", {} ago", units::age(units::age_bucket(now.since(at))))).unwrap_or_default();
    let utc = at.rfc3339().replace('T', " ").replace('Z', "");
    out.push(pair("time UTC", Some(format!("{utc}{ago}"))));
    let local = jiff::Timestamp::from_millisecond(at.millis()).ok().map(|at| at.to_zoned(app.zone.clone()));
    // The millisecond is the same everywhere.
    out.push(pair("time here", local.map(|at| at.strftime("%Y-%m-%d %H:%M:%S %Z").to_string())));
}

fn object(app: &App, name: &str, is_there: bool, out: &mut Vec<Line>) {
    if name.is_empty() {
        return;
    }
    let rest = if is_there {
        format!("   {} goes there", app.key_of(Action::Follow))
    } else {
        "   not in the inventory now".to_owned()
    };
    out.push(pair("object", Some(format!("{name}{rest}"))));
}
