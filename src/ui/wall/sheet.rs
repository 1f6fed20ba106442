//! The picture: a head with the page and the clocks, what must not be missed, the page, and a foot that moves while the
//! data lives. Where it does not, the page gives way to a pattern that says so.

use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::big::{self, Dot};
use super::forms;
use super::pulse::Life;
use super::rotation::Place;
use super::scope::Scope;
use super::{Wall, unowned, upkeep};
use crate::base::{Timestamp, text, units};
use crate::config::theme::Meaning;
use crate::config::wall::{Form, Page};
use crate::model::Condition;
use crate::state::{HostView, Link, Mode, Problem, ProblemKind, Storage};
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;
use crate::ui::look::Look;

/// Where the picture stands, one after the other: burn-in is spread over two columns and a row more.
const SHIFTS: [(u16, u16); 6] = [(0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1)];
/// Screens smaller than this stay where they are.
const SHIFTED_FROM: (u16, u16) = (40, 12);
/// Data that is younger is of now.
const FRESH: Duration = Duration::from_secs(3);
/// How long it is said at the start how the wall is ended.
const HINT: Duration = Duration::from_secs(60);
/// Columns of what a dead wall says.
const WIDEST: usize = 76;
/// Columns that a hint leaves to the rule and the heartbeat on it.
const LEAST_LINE: usize = 16;

pub fn draw(wall: &Wall, frame: &mut Frame<'_>) {
    let now = frame.now;
    let place = wall.rotation.at(now);
    let area = shifted(wall, frame.area, place.since);
    let life = wall.pulse.life(now);
    head(wall, frame, Rect { height: 1, ..area }, &place);
    if area.height < 3 {
        return;
    }
    foot(wall, frame, Rect { y: area.bottom() - 1, height: 1, ..area }, life);
    let mut body = Rect { y: area.y + 1, height: area.height - 2, ..area };
    if let Life::Silent(age) | Life::Gone(age) = life {
        dead(wall, frame, body, age, matches!(life, Life::Gone(_)));
        return;
    }
    for words in notices(wall) {
        if body.height > 4 {
            band(wall, frame, body, &words, wall.look.style(Meaning::Banner));
            body = Rect { y: body.y + 1, height: body.height - 1, ..body };
        }
    }
    if let Some(words) = upkeep::words(&wall.snapshot, wall.look.separator(), now)
        && body.height > 4
    {
        let (glyph, style) = wall.look.maintenance();
        Row::new(frame.buffer, &wall.look, body, body.y).gap(1).put(glyph, style).gap(1).put(&words, style);
        body = Rect { y: body.y + 1, height: body.height - 1, ..body };
    }
    let (body, told) = escalation(wall, frame, body);
    match place.page.and_then(|page| wall.scopes.get(page)) {
        Some(scope) => forms::draw(wall, frame, body, scope, told),
        None if place.is_held => forms::draw(wall, frame, body, &Scope::new(&Page::of(Form::Problems), false), told),
        None => forms::nothing(wall, frame, body, "nothing is watched yet"),
    }
}

/// Moved by a cell or two, at the turn of a page, when everything is drawn anew anyway.
fn shifted(wall: &Wall, area: Rect, turned: Timestamp) -> Rect {
    if area.width < SHIFTED_FROM.0 || area.height < SHIFTED_FROM.1 {
        return area;
    }
    let every = wall.options.shift.as_millis().max(1);
    let steps = turned.since(Timestamp::default()).as_millis() / every;
    let (dx, dy) = SHIFTS[(steps % SHIFTS.len() as u128) as usize];
    Rect::new(area.x + dx, area.y + dy, area.width - 2, area.height - 1)
}

fn head(wall: &Wall, frame: &mut Frame<'_>, area: Rect, place: &Place) {
    let (look, wall_clock) = (&wall.look, frame.wall);
    let dim = look.style(Meaning::Dim);
    let mut row = Row::new(frame.buffer, look, area, area.y);
    row.end(&format!("{}Z", wall_clock.utc_time_of_day()), look.style(Meaning::Title));
    if area.width >= 72
        && let Some(local) = local(wall, wall_clock)
    {
        row.end("  ", dim).end(&local, dim);
    }
    row.end("  ", dim);
    let t = &wall.snapshot.totals;
    let counts = [
        (Condition::Unreachable, t.unreachable),
        (Condition::Unknown, t.unknown),
        (Condition::Warning, t.warning),
        (Condition::Critical, t.critical),
    ];
    for (condition, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        let (glyph, style) = look.condition(condition, false);
        row.end(&format!("{glyph} {count}"), style).end("  ", dim);
    }
    row.put(" noctty ", look.style(Meaning::Title));
    if place.is_held {
        row.put("NEW", look.style(Meaning::Banner)).put(" the pages stand still", dim);
        return;
    }
    let Some(page) = place.page else { return };
    let title = wall.options.pages.get(page).map(|page| page.title.as_str()).unwrap_or_default();
    row.put(title, look.style(Meaning::Accent)).gap(2);
    let marks = if look.unicode { ["●", "○"] } else { ["#", "."] };
    if wall.rotation.pages().count() > 1 && row.room() > wall.rotation.pages().count() + 1 {
        for other in wall.rotation.pages() {
            let style = if other == page { look.style(Meaning::Accent) } else { dim };
            row.put(marks[usize::from(other != page)], style);
        }
    }
}

/// The clock beside UTC; nothing where it is UTC.
fn local(wall: &Wall, at: Timestamp) -> Option<String> {
    let zone = wall.zone.clone()?;
    let there = jiff::Timestamp::from_millisecond(at.millis()).ok()?.to_zoned(zone);
    (there.offset().seconds() != 0).then(|| there.strftime("%H:%M %Z").to_string())
}

/// The heart is a mark that goes along the line, a cell a second. It stands still when the data does.
fn foot(wall: &Wall, frame: &mut Frame<'_>, area: Rect, life: Life) {
    let (look, now) = (&wall.look, frame.now);
    let (rule, dim) = (look.style(Meaning::Rule), look.style(Meaning::Dim));
    let t = &wall.snapshot.totals;
    let mut words = match life {
        Life::Beginning => "waiting for the first answers".to_owned(),
        // Results come each second: what is told of younger ones would change twice as often as the clock.
        Life::Live(age) if age < FRESH => "data of now".to_owned(),
        Life::Live(age) => format!("data {}s old", age.as_secs()),
        Life::Idle => "nothing is asked".to_owned(),
        Life::Silent(age) | Life::Gone(age) => format!("NO DATA for {}", units::clock_duration(age)),
    };
    let separator = look.separator();
    if t.hosts_stale > 0 {
        words.push_str(&format!(
            "{separator}{} of {} too old to be believed",
            t.hosts_stale,
            units::counted(t.hosts, "host")
        ));
    } else if t.hosts > 0 {
        words.push_str(&format!("{separator}{}", units::counted(t.hosts, "host")));
    }
    if let Link::Attached(attached) = &wall.snapshot.engine.link {
        words.push_str(&format!("{separator}attached to {}", attached.who()));
    }
    let hint = format!("{separator}{}", wall.ends_by);
    let fits = text::width(&words) + text::width(&hint) + LEAST_LINE <= usize::from(area.width);
    if now.since(wall.started) < HINT && fits {
        words.push_str(&hint);
    }
    let shown = text::fit(&words, usize::from(area.width.saturating_sub(8)));
    let alive = matches!(life, Life::Live(_) | Life::Idle | Life::Beginning);
    let style = if alive { dim } else { look.style(Meaning::Critical) };
    let mut row = Row::new(frame.buffer, look, area, area.y);
    row.put(look.rule(), rule).put(" ", rule).put(&shown, style).put(" ", rule);
    let room = row.room();
    row.fill(look.rule(), rule);
    if room > 1 {
        let beat = if alive { (now.since(Timestamp::default()).as_secs() % room as u64) as u16 } else { 0 };
        let x = area.right() - room as u16 + beat;
        let mark = if look.unicode { "●" } else { "*" };
        let place = Rect { x, width: 1, ..area };
        Row::new(frame.buffer, look, place, area.y).put(mark, if alive { look.style(Meaning::Accent) } else { style });
    }
}

/// What is true of the whole engine and must not be missed.
fn notices(wall: &Wall) -> Vec<String> {
    let mut out: Vec<String> = wall.trouble.clone().into_iter().collect();
    match wall.pulse.mode() {
        Mode::Paused => {
            let pause = wall.snapshot.engine.pause.as_ref();
            let what = pause.map_or_else(|| "PAUSED".to_owned(), |pause| pause.words(wall.now));
            out.push(format!("{what}: nothing is polled"));
        }
        Mode::Passive => out.push("PASSIVE: nothing is ever sent".to_owned()),
        Mode::Polling => {}
    }
    if let Some(problem) = wall.snapshot.problems.iter().find(|problem| problem.kind == ProblemKind::Console) {
        out.push(format!("{} since {}Z: {}", problem.word, problem.since.utc_time_of_day(), problem.reason.line()));
    }
    if let (Some(who), Link::Own) = (&wall.attached, &wall.snapshot.engine.link) {
        out.push(format!("{who} is gone: this wall polls itself"));
    }
    if let Storage::NotSaved { reason } = &wall.snapshot.engine.storage {
        out.push(format!("NOT SAVED: {reason}"));
    }
    out.extend(wall.snapshot.engine.faults.first().map(|fault| format!("FAULT: {fault}")));
    out
}

fn band(wall: &Wall, frame: &mut Frame<'_>, area: Rect, words: &str, style: Style) {
    canvas::paint(frame.buffer, area, area.y, style);
    Row::new(frame.buffer, &wall.look, area, area.y).put(" ", style).put(words, style).fill(" ", style);
}

/// What is critical and nobody's: from the second step on it stands on every page, from the third it takes a part of it. How
/// long the longest has waited decides how loud that is; the worst of them is named, the newest among equals, with its minutes
/// in large figures. Its first words change their look each second. What is left of the area, and of whom it tells.
fn escalation<'w>(wall: &'w Wall, frame: &mut Frame<'_>, area: Rect) -> (Rect, Option<&'w Problem>) {
    let now = frame.now;
    // Worst first, newest first among equals.
    let waiting: Vec<(Duration, &Problem)> =
        wall.snapshot.problems.iter().filter_map(|p| Some((unowned(p, now)?, p))).collect();
    let longest = waiting.iter().map(|(age, _)| *age).max().unwrap_or_default();
    let Some((age, problem)) = waiting.first().filter(|_| longest >= wall.options.escalate[1]) else {
        return (area, None);
    };
    if area.height < 6 {
        return (area, None);
    }
    let look = &wall.look;
    let minutes = age.as_secs() / 60;
    let (figure, unit) = waited(*age);
    let (figures, figures_unit) = match minutes {
        0 => (figure.to_string(), "seconds"),
        1..1000 => (format!("{minutes}"), "minutes"),
        _ => (format!("{}:{:02}", minutes / 60, minutes % 60), "hours and minutes"),
    };
    let is_large = longest >= wall.options.escalate[2] && area.height >= 20;
    let room = Rect { y: area.y + 2, height: 5, ..area };
    let large = is_large.then(|| Dot::fitting(&figures, area.width / 3, room.height, look)).flatten();
    // Large figures say how long; the line above them whose they are.
    let label = if large.is_some() { " UNOWNED ".to_owned() } else { format!(" UNOWNED {figure} {unit} ") };
    let mut words = format!("{} {} {}", label.trim_start(), problem.title.line(), problem.word);
    match waiting.len() - 1 {
        0 => {}
        others if longest.as_secs() / 60 > minutes => {
            words.push_str(&format!(" and {others} more, the longest for {} min", longest.as_secs() / 60));
        }
        others => words.push_str(&format!(" and {others} more")),
    }
    let even = now.0.div_euclid(1000) % 2 == 0;
    let banner = look.style(Meaning::Banner);
    band(wall, frame, area, &words, banner);
    if even {
        // The whole line would cost a slow link more than all the rest of a quiet wall.
        let width = area.width.min(text::width(&label) as u16);
        canvas::paint(frame.buffer, Rect { width, ..area }, area.y, turned(banner));
    }
    let mut used = 1;
    if let Some(dot) = large {
        let ink = ink(look.style(Meaning::Critical));
        big::draw(frame.buffer, look, room, (area.x + 2, room.y), &figures, dot, ink);
        let beside = area.x + dot.size(&figures).0 + 5;
        let side = Rect { x: beside, width: area.right().saturating_sub(beside), ..room };
        let lines =
            [(format!("{figures_unit} without an owner"), Meaning::Dim), (problem.reason.line(), Meaning::Text)];
        for (y, (line, meaning)) in (side.y + 1..).zip(lines) {
            Row::new(frame.buffer, look, side, y).put(&line, look.style(meaning));
        }
        used = 8;
    }
    (Rect { y: area.y + used, height: area.height - used, ..area }, Some(problem))
}

/// Whole minutes, and before the first of them seconds, in steps that are told apart: a large nought says nothing.
fn waited(age: Duration) -> (u64, &'static str) {
    match age.as_secs() {
        secs @ 0..60 => (secs / 5 * 5, "s"),
        secs => (secs / 60, "min"),
    }
}

/// The same the other way round, for a change each second.
fn turned(style: Style) -> Style {
    if style.add_modifier.contains(Modifier::REVERSED) {
        style.remove_modifier(Modifier::REVERSED)
    } else {
        style.add_modifier(Modifier::REVERSED)
    }
}

/// A style for blocks: what is filled elsewhere gives them its colour.
pub fn ink(style: Style) -> Style {
    let colour = style.bg.or(style.fg);
    let mut out = Style::new();
    out.fg = colour;
    if style.add_modifier.contains(Modifier::BOLD) { out.add_modifier(Modifier::BOLD) } else { out }
}

/// A wall without data: a pattern from edge to edge, in its middle since when, and what was last known.
fn dead(wall: &Wall, frame: &mut Frame<'_>, area: Rect, age: Duration, gone: bool) {
    let look = &wall.look;
    let stale = look.style(Meaning::Stale);
    let hatch = if look.unicode { "╱" } else { "/" };
    for y in area.y..area.bottom() {
        Row::new(frame.buffer, look, area, y).fill(hatch, stale);
    }
    let secs = age.as_secs();
    let figures = match secs {
        0..3_600 => format!("{:02}:{:02}", secs / 60, secs % 60),
        3_600..360_000 => format!("{:02}:{:02}", secs / 3_600, secs / 60 % 60),
        _ => format!("{}", secs / 86_400),
    };
    let unit = match secs {
        0..3_600 => "minutes and seconds",
        3_600..360_000 => "hours and minutes",
        _ => "days",
    };
    let head = if gone { "NO ENGINE" } else { "NO DATA" };
    let t = &wall.snapshot.totals;
    // Of an engine that is lost nothing is fresh any more, whatever it last saw.
    let is_lost = matches!(wall.snapshot.engine.link, Link::Lost { .. });
    let is_good = |host: &&Arc<HostView>| wall.parts.worst(host) == Condition::Ok && (is_lost || !host.stale);
    let good = wall.snapshot.hosts.iter().filter(is_good).count();
    let since = frame.now.minus(age);
    let mut lines = vec![format!("the newest answer is from {}Z; the figures are {unit}", since.utc_time_of_day())];
    let why = match (&wall.snapshot.engine.link, wall.pulse.mode()) {
        (Link::Lost { what, .. }, _) => what,
        _ if gone => "the engine has ended: this wall comes back with it",
        (_, Mode::Polling) => "the poller is silent: nothing here is known any more",
        (_, Mode::Paused) => "polling is paused",
        (_, Mode::Passive) => "--passive: nothing is ever asked",
    };
    lines.extend(text::wrap(&text::clean(why), usize::from(area.width.saturating_sub(6)).min(WIDEST)));
    lines.push(format!(
        "last known: {} critical, {} warning, {good} of {} ok",
        t.critical,
        t.warning,
        units::counted(t.hosts, "host")
    ));
    let width = (lines.iter().map(|line| text::width(line)).max().unwrap_or(0) as u16 + 4).min(area.width);
    let room = Rect { width: width.max(area.width * 3 / 5), ..area };
    let rows = area.height.saturating_sub(lines.len() as u16 + 3) / 2;
    let sizes = [head, &figures].map(|words| Dot::fitting(words, room.width.saturating_sub(4), rows.min(10), look));
    let large: u16 = sizes.iter().zip([head, &figures]).map(|(dot, w)| dot.map_or(1, |dot| dot.size(w).1) + 1).sum();
    let height = (large + lines.len() as u16 + 1).min(area.height);
    let place = Rect {
        x: area.x + (area.width - room.width) / 2,
        y: area.y + (area.height - height) / 2,
        width: room.width,
        height,
    };
    for y in place.y..place.bottom() {
        Row::new(frame.buffer, look, place, y).fill(" ", look.style(Meaning::Text));
    }
    let critical = look.style(Meaning::Critical);
    let mut y = place.y + u16::from(height > large + lines.len() as u16);
    for (words, dot) in [head, &figures].into_iter().zip(sizes) {
        let x = place.x + 2;
        if let Some(dot) = dot {
            big::draw(frame.buffer, look, place, (x, y), words, dot, ink(critical));
            y += dot.size(words).1 + 1;
        } else {
            Row::new(frame.buffer, look, Rect { x, width: place.width.saturating_sub(2), ..place }, y)
                .put(words, critical);
            y += 2;
        }
    }
    for (line, y) in lines.iter().zip(y..place.bottom()) {
        let row = Rect { x: place.x + 2, width: place.width.saturating_sub(3), ..place };
        Row::new(frame.buffer, look, row, y).put(line, look.style(Meaning::Text));
    }
}

/// A rule with a word, for parts of a page.
pub fn rule(look: &Look, frame: &mut Frame<'_>, area: Rect, title: &str, honesty: &str) {
    let styles = (look.style(Meaning::Rule), look.style(Meaning::Title), look.style(Meaning::Dim));
    canvas::rule(frame.buffer, look, area, title, honesty, styles);
}
