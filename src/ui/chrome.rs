//! What is on every screen: the header with the screens and the totals, the banner for what must not be missed, the
//! incident's line, and the footer with the keys that matter and the truth about the machine.

use std::ops::Range;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::app::{App, Asking};
use super::canvas::{self, Row};
use super::commands;
use super::frame::Frame;
use super::overlays::Overlay;
use super::panes::{self, PaneKind, ScreenId, Selected};
use super::tour::World;
use crate::base::{Timestamp, text, units};
use crate::bus::MessageWeight;
use crate::config::keymap::Lookup;
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::state::{Link, Mode, Problem, ProblemKind, Storage};
use crate::ui::action::{ACTIONS, Action};

/// From this width on the header says whose engine it is; the log and the first message say it everywhere.
const ATTACHED_FROM: u16 = 100;

/// From this width on a detail can be made wider than its box is by itself.
const WIDE_FROM: u16 = 124;

/// From this width on what is simulated stands apart from what follows.
const ROOMY: u16 = 50;

/// From this width on the footer says where one came from.
const CRUMBS_FROM: u16 = 100;

/// What a filter may be, while nothing of it is typed.
const FILTERS: [&str; 8] =
    ["text", "!not this", "~fuzzy", "state:down", "tag:core", "site:fra1", "Enter keeps it", "Esc clears it"];

/// The area of the panes.
pub fn body(app: &App, size: (u16, u16)) -> Rect {
    let area = between(app, size);
    Rect { width: side(app, size).map_or(area.width, |side| side.x.saturating_sub(2)), ..area }
}

/// Columns of the detail on the widest screens.
const WIDEST_DETAIL: u16 = 120;

/// Where the detail of the selected row stands on a wide screen.
pub fn side(app: &App, size: (u16, u16)) -> Option<Rect> {
    let area = between(app, size);
    let detail = app.arrangement().detail;
    if detail.share == 0 || area.width < detail.from || area.height < 6 || app.selected().is_none() {
        return None;
    }
    // Its lines are not longer, and the lists have a use for the rest.
    let width = ((u32::from(area.width) * u32::from(detail.share) / 100) as u16).min(WIDEST_DETAIL);
    Some(Rect { x: area.width - width, width, ..area })
}

/// Between header and footer.
fn between(app: &App, size: (u16, u16)) -> Rect {
    let (width, height) = size;
    let top = head_rows(app, size);
    let bottom = u16::from(height > 1);
    Rect::new(0, top, width, height.saturating_sub(top + bottom))
}

fn head_rows(app: &App, size: (u16, u16)) -> u16 {
    if size.1 < 4 {
        return 0;
    }
    1 + banner(app, size).len() as u16 + u16::from(app.live().open_incident().is_some())
}

/// What must not be missed: nothing is saved, nothing is polled. As many lines as it takes to read the reason, up to a
/// quarter of the screen.
fn banner(app: &App, size: (u16, u16)) -> Vec<String> {
    let mut parts = Vec::new();
    if let Link::Lost { since, what } = &app.live().engine.link {
        let since = since.utc_time_of_day();
        parts.push(format!("NOT POLLED since {since}Z: {what}; what is shown ages, notes are not saved"));
    }
    if let Storage::NotSaved { reason } = &app.live().engine.storage {
        let elsewhere = if reason.contains("--state") { "" } else { "; --state DIR names another place" };
        parts.push(format!("NOT SAVED: {reason}{elsewhere}"));
    }
    // On the overview it is the first of the problems.
    if let Some(problem) = console_problem(app).filter(|_| !app.shows(PaneKind::Problems)) {
        let since = problem.since.utc_time_of_day();
        let words = (&problem.word, problem.reason.line());
        parts.push(format!("{} since {since}Z: {}; what is silent is old, and nobody is told of it", words.0, words.1));
    }
    parts.extend(app.trouble.get().cloned());
    for channel in app.live().engine.channels.iter() {
        if let Some((since, why)) = &channel.failing {
            let since = &since.utc_time_of_day()[..5];
            parts.push(format!("NOBODY IS TOLD by {} since {since}Z: {why}", channel.name));
        }
    }
    match app.live().engine.mode {
        Mode::Paused => {
            let keys = app.keymap.keys_of(Action::Pause.name());
            let key = keys.first().map_or(":resume", String::as_str);
            let what = app.live().engine.pause.as_ref().map_or_else(|| "PAUSED".to_owned(), |p| p.words(app.clock()));
            parts.push(format!("{what}; nothing is polled, {key} resumes"));
        }
        Mode::Passive => parts.push("PASSIVE: nothing is ever sent".to_owned()),
        Mode::Polling => {}
    }
    let width = usize::from(size.0.saturating_sub(2)).max(1);
    let mut lines: Vec<String> = parts.iter().flat_map(|part| text::wrap(&text::clean(part), width)).collect();
    lines.truncate(usize::from(size.1 / 4).clamp(1, 4));
    if let Some(frozen) = &app.frozen {
        lines.insert(0, text::fit(&frozen.words(app), width));
    }
    lines
}

/// That this console can't see.
fn console_problem(app: &App) -> Option<&Problem> {
    app.live().problems.iter().find(|problem| problem.kind == ProblemKind::Console)
}

/// How long the picture has been held still; the same width for an hour and more.
fn frozen_mark(app: &App, frame: &Frame<'_>) -> Option<String> {
    let age = frame.now.since(app.frozen.as_ref()?.since).as_secs();
    Some(format!(" FROZEN {:02}:{:02} ", age / 60, age % 60))
}

/// The mark on a screen that is too low for the header, or whose header a box may cover.
pub fn draw_frozen(app: &App, frame: &mut Frame<'_>) {
    let low = head_rows(app, (frame.area.width, frame.area.height)) == 0 || frame.area.height < 6;
    let Some(mark) = frozen_mark(app, frame).filter(|_| low) else { return };
    Row::new(frame.buffer, &app.look, frame.area, 0).end(&mark, app.look.style(Meaning::Banner));
}

pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let area = frame.area;
    let mut y = 0;
    let size = (area.width, area.height);
    if head_rows(app, size) > 0 {
        header(app, frame);
        y += 1;
        for line in banner(app, size) {
            let style = app.look.style(Meaning::Banner);
            let mut row = Row::new(frame.buffer, &app.look, area, y);
            row.put(" ", style).put(&line, style).fill(" ", style);
            y += 1;
        }
        if app.live().open_incident().is_some() {
            incident(app, frame, y);
        }
    }
    if area.height > 1 {
        footer(app, frame);
    }
}

/// What the mouse can press in the header and the footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hit {
    Screen(ScreenId),
    /// A key that the footer names, as the keymap writes it.
    Key(String),
}

type Hits = Vec<(Range<u16>, Hit)>;

/// What stands there, where it can be pressed.
pub fn hit(app: &App, column: u16, row: u16) -> Option<Hit> {
    let (width, height) = app.size();
    let area = Rect::new(0, 0, width, height);
    // As it was drawn: where things stand depends on what else had to have room.
    let mut buffer = Buffer::empty(area);
    let (now, link) = (app.now(), super::frame::Link { round_trip: Some(Duration::ZERO), bytes_per_second: 0 });
    let frame = &mut Frame { buffer: &mut buffer, area, now, wall: now, link, cursor: None, answer: None };
    let hits = match row {
        0 if head_rows(app, (width, height)) > 0 => header(app, frame),
        row if height > 1 && row == height - 1 => footer(app, frame),
        _ => return None,
    };
    hits.into_iter().find(|(columns, _)| columns.contains(&column)).map(|(_, hit)| hit)
}

fn header(app: &App, frame: &mut Frame<'_>) -> Hits {
    let (wall, area) = (frame.wall, frame.area);
    let mark = frozen_mark(app, frame);
    let dim = app.look.style(Meaning::Dim);
    let t = &app.live().totals;
    let mut row = Row::new(frame.buffer, &app.look, area, 0);
    if app.world != World::Real {
        // First, so that nothing takes its room.
        row.put(" SIMULATED ", app.look.style(Meaning::Banner));
        if area.width >= ROOMY {
            row.gap(1);
        }
    }
    if let Some(mark) = mark {
        row.end(&mark, app.look.style(Meaning::Banner));
    }
    row.end(" ", dim).end(&format!("{}Z", &wall.utc_time_of_day()[..5]), dim).end("  ", dim);
    let counts = [
        (Condition::Unreachable, t.unreachable),
        (Condition::Unknown, t.unknown),
        (Condition::Warning, t.warning),
        (Condition::Critical, t.critical),
    ];
    // What is wrong has its room before all else.
    for (condition, count) in counts {
        if count > 0 {
            let (glyph, style) = app.look.condition(condition, false);
            row.end(&format!("{glyph} {count}"), style).end("  ", dim);
        }
    }
    // The rest gives way to the digits of the screens.
    let digits: usize = ScreenId::ALL
        .iter()
        .map(|(screen, digit, name)| digit.len() + 2 + if *screen == app.screen { name.len() + 1 } else { 0 })
        .sum();
    let beside = |row: &mut Row<'_>, words: String, style| {
        let fits = row.room() >= digits + text::width(&words) + 2;
        if fits {
            row.end(&words, style).end("  ", dim);
        }
        fits
    };
    let accent = app.look.style(Meaning::Accent);
    if t.owned > 0 {
        beside(&mut row, format!("@ {}", t.owned), accent);
    }
    if t.in_maintenance > 0 {
        let (glyph, style) = app.look.maintenance();
        beside(&mut row, format!("{glyph} {}", t.in_maintenance), style);
    }
    if let Some(words) = quiet(app, wall) {
        beside(&mut row, words, dim);
    }
    let watched = app.live().engine.hosts_watched.len();
    if watched > 0 {
        beside(&mut row, format!("{watched} watched"), accent);
    }
    if panes::nothing_came(app.live()) {
        beside(&mut row, "nothing came yet".to_owned(), accent);
    } else if app.live().engine.discovering {
        beside(&mut row, "looking around".to_owned(), dim);
    }
    if let Some(words) = on_the_way(app) {
        beside(&mut row, words, accent);
    }
    if let Link::Attached(attached) = &app.live().engine.link
        && area.width >= ATTACHED_FROM
    {
        // Which process that is goes first; in whose name one writes stays the longest.
        let _ = attached.words().into_iter().flatten().any(|words| beside(&mut row, words, dim));
    }
    if app.world == World::Real && row.room() >= digits + " noctty ".len() {
        row.put(" noctty ", app.look.style(Meaning::Title));
    }
    if row.room() < digits {
        // Where one is, and nothing that is cut.
        let here = ScreenId::ALL.iter().find(|(screen, ..)| *screen == app.screen);
        let label = here.map_or_else(String::new, |(_, digit, name)| format!("[{digit} {name}]"));
        row.put(&label, accent);
        return Hits::new();
    }
    // Names where they all fit, digits where they do not.
    let need: usize = ScreenId::ALL.iter().map(|(_, digit, name)| digit.len() + name.len() + 3).sum();
    // Sessions go on where nobody looks: how many do stands with their screen.
    let open = app.sessions.iter().filter(|pane| !pane.is_over()).count();
    let words = row.room() >= need + 4;
    let mut hits = Hits::new();
    for (screen, digit, name) in ScreenId::ALL {
        let here = app.screen == screen;
        let style = app.look.style(if here { Meaning::Accent } else { Meaning::Dim });
        let mut label = if words || here { format!("{digit} {name}") } else { digit.to_owned() };
        if screen == ScreenId::Sessions && open > 0 && !here {
            label.push_str(&format!("({open})"));
        }
        let from = row.column();
        if here {
            row.put("[", style).put(&label, style).put("]", style);
        } else {
            row.put(" ", style).put(&label, style).put(" ", style);
        }
        hits.push((from..row.column(), Hit::Screen(screen)));
    }
    hits
}

/// What the engine elsewhere has not told yet, where it has not told all.
fn on_the_way(app: &App) -> Option<String> {
    let live = app.live();
    let (awaited, totals) = (&live.awaited, &live.totals);
    if awaited.is_nothing() || matches!(live.engine.link, Link::Lost { .. }) {
        return None;
    }
    let lists = [(awaited.hosts, totals.hosts, "hosts"), (awaited.devices, totals.devices, "devices")];
    let first = lists.into_iter().find(|(missing, ..)| *missing > 0);
    Some(match first {
        Some((missing, all, what)) => format!("got {} of {all} {what}", all.saturating_sub(missing)),
        None => "getting the rest".to_owned(),
    })
}

/// Which channels tell nobody at the moment, by their hours.
fn quiet(app: &App, wall: Timestamp) -> Option<String> {
    let quiet = app.live().engine.channels.iter().filter_map(|channel| Some((channel, channel.quiet_until?)));
    let (first, until) = quiet.clone().min_by_key(|(_, until)| *until)?;
    let today = until.since(wall) < Duration::from_secs(86_400);
    let until = if today { until.utc_time_of_day()[..5].to_owned() } else { until.utc_minute()[5..].to_owned() };
    Some(match quiet.count() {
        1 => format!("{} quiet until {until}Z", text::clean(&first.name)),
        n => format!("{n} channels quiet until {until}Z"),
    })
}

fn incident(app: &App, frame: &mut Frame<'_>, y: u16) {
    let (now, area) = (frame.now, frame.area);
    let Some(incident) = app.live().open_incident() else { return };
    let accent = app.look.style(Meaning::Accent);
    let dim = app.look.style(Meaning::Dim);
    let mut row = Row::new(frame.buffer, &app.look, area, y);
    row.gap(1).put(&format!("{} {} ", incident.id, incident.urgency.as_str()), app.look.style(Meaning::Critical));
    row.end(" ", dim)
        .end(&format!("since {}", units::clock_duration(now.since(incident.opened_at))), accent)
        .end("  ", dim);
    row.put(&incident.title.line(), app.look.style(Meaning::Title));
    // Who has which part of it, where all of it has room.
    let roles = incident.roles().join(app.look.separator());
    if !roles.is_empty() && row.room() >= text::width(&roles) + 3 {
        row.gap(3).put(&roles, dim);
    }
}

fn footer(app: &App, frame: &mut Frame<'_>) -> Hits {
    let (area, link) = (frame.area, frame.link);
    let y = area.height - 1;
    let dim = app.look.style(Meaning::Dim);
    if let Some((asking, line)) = &app.asking {
        let sign = if *asking == Asking::Filter { "/" } else { ":" };
        let mut row = Row::new(frame.buffer, &app.look, area, y);
        let (shown, at) = line.window(row.room().saturating_sub(1), app.look.ellipsis());
        row.put(sign, app.look.style(Meaning::Key)).put(&shown, app.look.style(Meaning::Text));
        if *asking == Asking::Command {
            // What Tab could make of it.
            row.gap(2);
            for word in commands::offers(app, line.text()) {
                if row.room() < text::width(&word) + 4 {
                    row.put(app.look.ellipsis(), dim);
                    break;
                }
                row.put(&word, dim).gap(2);
            }
        }
        if *asking == Asking::Filter && line.text().is_empty() {
            let words = FILTERS.join(app.look.separator());
            row.gap(2);
            let words = canvas::fit_parts(&app.look, &words, row.room());
            row.put(&words, dim);
        }
        frame.cursor = Some(Position::new((1 + at as u16).min(area.width.saturating_sub(1)), y));
        return Hits::new();
    }
    let mut row = Row::new(frame.buffer, &app.look, area, y);
    if let Some(session) = app.typed_into() {
        // Nothing else may stand here: it says how to get out.
        let (words, meaning) = session.status_line();
        row.put(&app.look.text(&words), app.look.style(meaning));
        return Hits::new();
    }
    row.gap(1);
    // What is said is said as a whole before anything else stands beside it.
    let said = match &app.message {
        // What may follow a key has the whole line.
        _ if !app.chord.is_empty() => usize::from(area.width),
        message => message.as_ref().map_or(0, |(_, words)| text::width(&text::clean(words))),
    };
    let link = link_words(link, area.width);
    if area.width >= 70 && row.room() >= said + text::width(&link) + 3 {
        row.end(" ", dim).end(&link, dim).end("  ", dim);
    }
    if area.width >= CRUMBS_FROM
        && let Some(crumbs) = app.crumbs()
    {
        let crumbs = text::fit_middle(&crumbs, usize::from(area.width / 3));
        let key = app.key_of(Action::LastPlace);
        if row.room() >= said + text::width(&crumbs) + text::width(&key) + 3 {
            row.end(&crumbs, dim).end(" ", dim).end(&key, app.look.style(Meaning::Key)).end("  ", dim);
        }
    }
    if !app.chord.is_empty() {
        chord(app, &mut row);
        return Hits::new();
    }
    if !app.marks.is_empty() {
        let unseen = if app.marks.unseen > 0 { format!(", {} out of sight", app.marks.unseen) } else { String::new() };
        row.put(&format!("{} marked{unseen}", app.marks.count()), app.look.style(Meaning::Accent)).gap(2);
    }
    if let Some(work) = &app.work {
        row.put(&work.words(), app.look.style(Meaning::Accent)).gap(2);
    }
    if let Some((weight, message)) = &app.message {
        let style = match weight {
            MessageWeight::Note => app.look.style(Meaning::Text),
            MessageWeight::Warning => app.look.style(Meaning::Warning),
            MessageWeight::Error => app.look.style(Meaning::Critical),
        };
        row.put(message, style);
        return Hits::new();
    }
    if !app.filter.text.is_empty() {
        row.put("/", app.look.style(Meaning::Key)).put(&app.filter.text, app.look.style(Meaning::Text)).gap(2);
    }
    let mut hits = Hits::new();
    for (action, words) in hints(app) {
        if *words == "wide" && area.width < WIDE_FROM {
            continue;
        }
        let keys = app.keymap.keys_of(action);
        // The key that everybody knows, where it is bound.
        let Some(key) = keys.iter().find(|k| *k == "Enter").or(keys.first()).cloned() else { continue };
        if row.room() < key.len() + words.len() + 3 {
            break;
        }
        let from = row.column();
        row.put(&key, app.look.style(Meaning::Key)).gap(1).put(words, dim);
        hits.push((from..row.column(), Hit::Key(key)));
        row.gap(2);
    }
    hits
}

/// What was typed of a chord, and what may follow.
fn chord(app: &App, row: &mut Row<'_>) {
    let dim = app.look.style(Meaning::Dim);
    let typed: Vec<String> = app.chord.iter().map(ToString::to_string).collect();
    // What was typed is no key of what may follow.
    row.put(&typed.join(" "), app.look.style(Meaning::Key)).put(app.look.ellipsis(), dim).gap(2);
    if let Lookup::Begun(next) = app.keymap.look_up(&app.chord) {
        for (key, action) in next {
            let words = brief(action);
            if row.room() < text::width(&words) + 4 {
                row.put(app.look.ellipsis(), dim);
                break;
            }
            row.put(&key.to_string(), app.look.style(Meaning::Key)).gap(1).put(&words, dim).gap(2);
        }
    }
}

/// What an action does in a few words: the beginning of its title.
fn brief(name: &str) -> String {
    // A line of the command line says itself what it does.
    let Some((.., title)) = ACTIONS.iter().find(|(_, n, _)| *n == name) else { return text::clean(name) };
    title.split([':', ';', ',']).next().unwrap_or(title).to_owned()
}

/// The actions that matter over the screen, with a word each.
fn hints_over(overlay: &Overlay) -> &'static [(&'static str, &'static str)] {
    match overlay {
        Overlay::Help(_) => &[("back", "back")],
        Overlay::Compare { .. } => &[("back", "back"), ("copy_row", "copy")],
        Overlay::Paper(paper) if paper.is_handover() => {
            &[("back", "back"), ("copy", "copy"), ("copy_row", "save as a file"), ("page_down", "on")]
        }
        Overlay::Paper(_) => &[("back", "back"), ("copy", "copy"), ("page_down", "on")],
        Overlay::Detail { selected: Selected::Told(_) | Selected::Entry(_), .. } => {
            &[("back", "back"), ("follow", "go to it"), ("note", "note"), ("claim", "claim"), ("shell", "shell")]
        }
        Overlay::Detail { selected: Selected::Job(_), .. } => &[
            ("back", "back"),
            ("claim", "claim"),
            ("recheck", "read now"),
            ("maintain", "maintenance"),
            ("note", "note"),
            ("zoom", "wide"),
        ],
        Overlay::Detail { .. } => &[
            ("back", "back"),
            ("claim", "claim"),
            ("recheck", "ask now"),
            ("watch", "watch"),
            ("follow", "other end"),
            ("shell", "shell"),
            ("maintain", "maintenance"),
            ("note", "note"),
            ("zoom", "wide"),
        ],
        // It says itself which keys it takes; none of the list's below it reach that.
        _ => &[],
    }
}

/// The actions that matter here, with a word each.
fn hints(app: &App) -> &'static [(&'static str, &'static str)] {
    if let Some(overlay) = app.overlays.last() {
        return hints_over(overlay);
    }
    if app.screen == ScreenId::Sessions && !app.sessions.is_empty() {
        return &[("open", "type"), ("down", "next"), ("end_session", "end"), ("back", "back"), ("help", "help")];
    }
    if matches!(app.focus, PaneKind::Devices | PaneKind::Ports) && app.shows(PaneKind::Ports) {
        return match app.focus {
            PaneKind::Ports => &[
                ("open", "open"),
                ("watch", "watch"),
                ("follow", "other end"),
                ("columns", "columns"),
                ("filter", "find"),
                ("help", "help"),
            ],
            _ => &[
                ("open", "open"),
                ("watch", "watch"),
                ("follow", "other end"),
                ("columns", "sort"),
                ("filter", "find"),
                ("help", "help"),
            ],
        };
    }
    // On narrow screens the last ones are left out: whoever knows no key needs the help before all.
    match app.focus {
        PaneKind::Incident if app.incident().is_none() => {
            &[("open_incident", "open one"), ("help", "help"), ("palette", "find"), ("command_line", "command")]
        }
        PaneKind::Incident => &[
            ("note", "note"),
            ("open", "read"),
            ("open_incident", "open one"),
            ("help", "help"),
            ("decision", "decision"),
            ("action_item", "action"),
            ("command_line", "command"),
            ("palette", "find"),
        ],
        PaneKind::Backups => &[
            ("open", "open"),
            ("help", "help"),
            ("recheck", "read now"),
            ("claim", "claim"),
            ("filter", "filter"),
            ("command_line", "command"),
            ("palette", "find"),
        ],
        PaneKind::Log => &[
            ("open", "open"),
            ("follow", "go to it"),
            ("help", "help"),
            ("filter", "filter"),
            ("command_line", "command"),
            ("palette", "find"),
            ("back", "back"),
        ],
        _ => &[
            ("open", "open"),
            ("help", "help"),
            ("filter", "filter"),
            ("palette", "find"),
            ("command_line", "command"),
            ("shell", "shell"),
            ("note", "note"),
        ],
    }
}

/// The link and what goes over it; coarse, so that it is not the reason for a repaint. Where there is little room, a link that nobody
/// feels is not worth it.
fn link_words(link: super::frame::Link, columns: u16) -> String {
    let rate = match link.bytes_per_second {
        0..1_000 => format!("{} B/s", link.bytes_per_second / 100 * 100),
        _ => format!("{:.1} kB/s", f64::from(link.bytes_per_second / 100) / 10.0),
    };
    let Some(round_trip) = link.round_trip else { return "link silent".to_owned() };
    match round_trip.as_millis() {
        0..20 if columns < CRUMBS_FROM => String::new(),
        0..20 => format!("link <20 ms  {rate}"),
        ms => format!("link {} ms  {rate}", ms / 10 * 10),
    }
}

/// Lays the overlay's frame: a border with a title, and the area inside. The cells below are blanked.
pub fn boxed(app: &App, frame: &mut Frame<'_>, area: Rect, title: &str) -> Rect {
    let area = area.intersection(frame.area);
    if area.width < 4 || area.height < 3 {
        return area;
    }
    let style = app.look.style(Meaning::Overlay);
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            if let Some(cell) = frame.buffer.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }
    let line = app.look.style(Meaning::RuleFocus);
    let (h, v, corners) =
        if app.look.unicode { ("─", "│", ["╭", "╮", "╰", "╯"]) } else { ("-", "|", ["+", "+", "+", "+"]) };
    for (y, left, right) in [(area.y, corners[0], corners[1]), (area.bottom() - 1, corners[2], corners[3])] {
        let mut row = Row::new(frame.buffer, &app.look, Rect::new(area.x, y, area.width, 1), y);
        row.put(left, line);
        row.end(right, line);
        if y == area.y {
            row.put(h, line).put(" ", line).put(title, app.look.style(Meaning::Accent)).put(" ", line);
        }
        row.fill(h, line);
    }
    for y in area.y + 1..area.bottom() - 1 {
        for x in [area.x, area.right() - 1] {
            if let Some(cell) = frame.buffer.cell_mut((x, y)) {
                cell.set_symbol(v).set_style(line);
            }
        }
    }
    Rect::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2)
}
