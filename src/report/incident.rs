//! Incidents for people and for programs: list, timeline, handover note, Markdown, CSV and `noctty.incident/1`.
//! Everything an operator, a device or another console wrote goes through the encoder of its output format.

use std::fmt::Write as _;

use serde::Serialize;

use super::json;
use crate::base::{Timestamp, Untrusted, text, units};
use crate::model::{Entry, EntryKind, Incident, IncidentStatus};

pub const SCHEMA: &str = "noctty.incident/1";

/// How many of the latest entries a handover note repeats, and at most how many of each kind that must not be lost.
const HANDOVER_LINES: usize = 8;

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    collected_at: String,
    /// False where a part of the journal is damaged or lost; `warnings` say which.
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    incidents: Option<Vec<IncidentRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<IncidentRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<EntryRow>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct IncidentRow {
    id: String,
    title: String,
    urgency: &'static str,
    status: &'static str,
    opened_at: String,
    closed_at: Option<String>,
    entry_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<EntryRow>>,
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct EntryRow {
    id: String,
    incident: String,
    writer: String,
    sequence: u64,
    at: String,
    kind: &'static str,
    author: String,
    text: String,
    about: Option<String>,
}

/// All incidents, without their entries.
pub fn list_json(incidents: &[&Incident], warnings: &[String], now: Timestamp) -> String {
    let rows = incidents.iter().map(|i| incident_row(i, false)).collect();
    json::pretty(&Document { incidents: Some(rows), ..document(now, warnings) })
}

/// One incident with all it has.
pub fn show_json(incident: &Incident, warnings: &[String], now: Timestamp) -> String {
    json::pretty(&Document { incident: Some(incident_row(incident, true)), ..document(now, warnings) })
}

/// The entry that was just saved.
pub fn saved_json(entry: &Entry, now: Timestamp) -> String {
    json::pretty(&Document { saved: Some(entry_row(entry)), ..document(now, &[]) })
}

pub fn list_text(incidents: &[&Incident], now: Timestamp) -> String {
    if incidents.is_empty() {
        return "no incidents\n".to_owned();
    }
    let mut out = String::new();
    for incident in incidents {
        let age = units::age(incident.closed_at.unwrap_or(now).since(incident.opened_at));
        let damage = if incident.damage.is_empty() { "" } else { "  DAMAGED" };
        let _ = writeln!(
            out,
            "{:<8} {} {:<6} {age:>5} {:>4} entries  {}{damage}",
            incident.id.to_string(),
            incident.urgency.as_str(),
            status(incident.status),
            incident.entries.len(),
            incident.title.line()
        );
    }
    out
}

pub fn show_text(incident: &Incident) -> String {
    let mut out = heading(incident);
    for damage in &incident.damage {
        let _ = writeln!(out, "! {}", text::clean(damage));
    }
    for entry in &incident.entries {
        push_entry(&mut out, "", entry);
    }
    out
}

/// What the next person has to know, on one screen.
pub fn handover_text(incident: &Incident, now: Timestamp) -> String {
    let mut out = format!("HANDOVER {}", heading(incident));
    let _ = writeln!(out, "written {}", now.rfc3339());
    let entries = &incident.entries;
    let owner = entries.iter().rev().find(|e| e.kind == EntryKind::Acknowledged);
    let _ =
        writeln!(out, "owner   {}", owner.map_or_else(|| "nobody has acknowledged it".to_owned(), |e| e.author.line()));
    let roles = incident.roles();
    let _ = writeln!(out, "roles   {}", if roles.is_empty() { "none taken".to_owned() } else { roles.join(" · ") });
    for damage in &incident.damage {
        let _ = writeln!(out, "! {}", text::clean(damage));
    }
    let parts = [
        (EntryKind::Decision, "decisions, not to be undone without a word"),
        (EntryKind::Action, "actions"),
        (EntryKind::Hypothesis, "hypotheses"),
        (EntryKind::Note, "latest notes"),
        (EntryKind::State, "latest state changes"),
    ];
    for (kind, title) in parts {
        let of_kind: Vec<_> = entries.iter().filter(|e| e.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{title}");
        let skipped = of_kind.len().saturating_sub(HANDOVER_LINES);
        if skipped > 0 {
            let _ = writeln!(out, "  ({skipped} earlier: noctty incident show {})", incident.id);
        }
        for entry in of_kind.iter().skip(skipped) {
            push_entry(&mut out, "  ", entry);
        }
    }
    out
}

/// CommonMark in which nothing that somebody wrote is a link, an image, HTML or a heading.
pub fn markdown(incident: &Incident) -> String {
    let mut out = format!(
        "# {} {}: {}\n\n- status: {}\n- opened: {}\n",
        incident.id,
        incident.urgency.as_str(),
        escape_markdown(&incident.title.line()),
        status(incident.status),
        incident.opened_at.rfc3339()
    );
    if let Some(at) = incident.closed_at {
        let _ = writeln!(out, "- closed: {}", at.rfc3339());
    }
    for damage in &incident.damage {
        let _ = writeln!(out, "- damage: {}", escape_markdown(&text::clean(damage)));
    }
    out.push_str("\n## Timeline\n\n");
    for entry in &incident.entries {
        let lines: Vec<String> = entry.text.lines().iter().map(|line| escape_markdown(line)).collect();
        let about = entry.about.as_ref().map(|a| format!(" on {}", escape_markdown(&a.line()))).unwrap_or_default();
        let _ = writeln!(
            out,
            "- {} **{}** {}{about}: {}",
            entry.at.rfc3339(),
            entry.kind.as_str(),
            escape_markdown(&entry.author.line()),
            lines.join("\\\n  ")
        );
    }
    out
}

/// RFC 4180, with cells that a spreadsheet would take for a formula made text by an apostrophe.
pub fn csv(incident: &Incident) -> String {
    let mut out = String::from("id,incident,at,kind,author,about,text\r\n");
    for entry in &incident.entries {
        let cells = [
            text::clean(&entry.id),
            entry.incident.to_string(),
            entry.at.rfc3339(),
            entry.kind.as_str().to_owned(),
            entry.author.line(),
            entry.about.as_ref().map(Untrusted::line).unwrap_or_default(),
            entry.text.line(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        let _ = write!(out, "{}\r\n", cells.join(","));
    }
    out
}

fn csv_cell(text: &str) -> String {
    // The encoder has made tabs and returns visible, so only these are left of the dangerous first characters.
    let mark = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

/// Escapes what means something to CommonMark and its common extensions.
pub(super) fn escape_markdown(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let digits = line.trim_start().bytes().take_while(u8::is_ascii_digit).count();
    let start = line.len() - line.trim_start().len();
    for (at, c) in line.char_indices() {
        let first = at == start;
        let escape = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '@' => true,
            '-' | '+' | '=' => first,
            '.' | ')' => (digits > 0 && at == start + digits) || line[..at].to_ascii_lowercase().ends_with("www"),
            ':' => line[at..].starts_with("://") || line[..at].to_ascii_lowercase().ends_with("mailto"),
            _ => false,
        };
        if escape {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn heading(incident: &Incident) -> String {
    let closed = incident.closed_at.map(|at| format!(", closed {}", at.rfc3339())).unwrap_or_default();
    format!(
        "{} {} {}\n{}\nopened {}{closed}\n",
        incident.id,
        incident.urgency.as_str(),
        status(incident.status),
        incident.title.line(),
        incident.opened_at.rfc3339()
    )
}

fn push_entry(out: &mut String, indent: &str, entry: &Entry) {
    let about = entry.about.as_ref().map(|a| format!(" [{}]", a.line())).unwrap_or_default();
    let mut lines = entry.text.lines().into_iter();
    let first = lines.next().unwrap_or_default();
    let head =
        format!("{indent}{}  {:<12} {}{about}: {first}", entry.at.rfc3339(), entry.kind.as_str(), entry.author.line());
    let _ = writeln!(out, "{}", head.trim_end());
    for line in lines {
        let _ = writeln!(out, "{indent}    {line}");
    }
}

fn status(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Open => "open",
        IncidentStatus::Closed => "closed",
    }
}

fn document(now: Timestamp, warnings: &[String]) -> Document {
    Document {
        schema: SCHEMA,
        collected_at: now.rfc3339(),
        complete: warnings.is_empty(),
        incidents: None,
        incident: None,
        saved: None,
        warnings: warnings.to_vec(),
    }
}

pub(super) fn incident_row(incident: &Incident, with_entries: bool) -> IncidentRow {
    IncidentRow {
        id: incident.id.to_string(),
        title: incident.title.json_text(),
        urgency: incident.urgency.as_str(),
        status: status(incident.status),
        opened_at: incident.opened_at.rfc3339(),
        closed_at: incident.closed_at.map(Timestamp::rfc3339),
        entry_count: incident.entries.len(),
        entries: with_entries.then(|| incident.entries.iter().map(|e| entry_row(e)).collect()),
        damage: incident.damage.clone(),
    }
}

fn entry_row(entry: &Entry) -> EntryRow {
    EntryRow {
        id: entry.id.to_string(),
        incident: entry.incident.to_string(),
        writer: entry.writer.to_string(),
        sequence: entry.sequence,
        at: entry.at.rfc3339(),
        kind: entry.kind.as_str(),
        author: entry.author.json_text(),
        text: entry.text.json_text(),
        about: entry.about.as_ref().map(Untrusted::json_text),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{IncidentId, Urgency};

    fn entry(kind: EntryKind, text: &str) -> Arc<Entry> {
        Arc::new(Entry {
            id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
            incident: IncidentId(3),
            writer: "01ARZ3NDEKTSV4RRFFQ69G5FAW".into(),
            sequence: 1,
            at: Timestamp(1_795_523_696_789),
            kind,
            author: "ops1".into(),
            text: text.into(),
            about: None,
        })
    }

    fn incident(entries: Vec<Arc<Entry>>) -> Incident {
        Incident {
            id: IncidentId(3),
            title: "core \u{1b}[31mdown".into(),
            urgency: Urgency::Sev2,
            status: IncidentStatus::Open,
            opened_at: Timestamp(1_795_523_000_000),
            closed_at: None,
            entries,
            damage: Vec::new(),
        }
    }

    #[test]
    fn no_output_passes_an_escape_on() {
        let i = incident(vec![entry(EntryKind::Note, "a\u{1b}]52;c;eA\u{7}\u{202e}b\rc")]);
        let now = Timestamp(1_795_523_700_000);
        for out in [
            list_text(&[&i], now),
            show_text(&i),
            handover_text(&i, now),
            markdown(&i),
            csv(&i),
            show_json(&i, &[], now),
        ] {
            assert!(!out.contains(['\u{1b}', '\u{7}']), "{out:?}");
        }
        assert!(!markdown(&i).contains('\u{202e}'));
    }

    #[test]
    fn a_note_is_no_markup_in_markdown() {
        let i = incident(vec![entry(
            EntryKind::Note,
            "# x\n- y\n1. z\n![i](http://e/x.png) <b> `c` | https://e.example www.e.example @ops",
        )]);
        let out = markdown(&i);
        let timeline = out.split_once("## Timeline").expect("a timeline").1;
        assert!(timeline.contains("\\# x\\\n  \\- y\\\n  1\\. z\\\n"), "{timeline}");
        assert!(
            timeline.contains(
                "\\!\\[i\\](http\\://e/x.png) \\<b\\> \\`c\\` \\| https\\://e.example www\\.e.example \\@ops"
            )
        );
    }

    #[test]
    fn a_cell_is_no_formula_and_keeps_its_quotes() {
        for (text, cell) in [
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@x", "\"'@x\""),
            ("say \"no\", now", "\"say \"\"no\"\", now\""),
        ] {
            let out = csv(&incident(vec![entry(EntryKind::Note, text)]));
            assert!(out.ends_with(&format!("{cell}\r\n")), "{out}");
        }
    }

    #[test]
    fn a_handover_has_roles_and_decisions_and_counts_what_it_leaves_out() {
        let mut entries = vec![
            entry(EntryKind::Role, "IC: ops1"),
            entry(EntryKind::Role, "scribe: ops2"),
            entry(EntryKind::Role, "IC: ops3"),
            entry(EntryKind::Decision, "move uplinks to core-sw2"),
        ];
        entries.extend((0..20).map(|n| entry(EntryKind::Note, &format!("note {n}"))));
        let out = handover_text(&incident(entries), Timestamp(1_795_523_700_000));
        assert!(out.contains("roles   IC: ops3 · scribe: ops2\n"), "{out}");
        assert!(out.contains("move uplinks to core-sw2") && out.contains("nobody has acknowledged it"));
        assert!(out.contains("(12 earlier: noctty incident show INC-3)") && out.contains("note 19"));
        assert!(out.lines().count() <= 24, "{out}");
    }

    #[test]
    fn json_says_when_something_is_missing() {
        let i = incident(vec![entry(EntryKind::Note, "x")]);
        let out = show_json(&i, &["2 entries are missing".to_owned()], Timestamp(0));
        let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!((&value["schema"], &value["complete"]), (&SCHEMA.into(), &false.into()));
        assert_eq!(value["incident"]["entries"][0]["text"], "x");
        assert_eq!(value["incident"]["closed_at"], serde_json::Value::Null);
    }
}
