//! What a page shows, by its form.

mod backups;
mod incident;
mod overview;
mod ports;

use std::sync::Arc;

use ratatui::layout::Rect;

use super::grid::{self, Cell, Item, Sections, Sees};
use super::scope::Scope;
use super::sheet::{ink, rule};
use super::{Wall, unowned};
use crate::base::{Timestamp, text, units};
use crate::config::theme::Meaning;
use crate::config::wall::Form;
use crate::model::Condition;
use crate::state::{HostView, Problem};
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;
use crate::ui::panes::{host_value, without_word};
use crate::ui::parts::Bad;

/// Columns from which on a reason is worth its place.
const SHORTEST: usize = 10;

/// Rows from which on what is left of a page is worth another part.
const PART: u16 = 5;

/// The page, and below it what else there is to say of the same things, as far as there is room. `told` is whose minutes without
/// an owner stand above it.
pub fn draw(wall: &Wall, frame: &mut Frame<'_>, area: Rect, scope: &Scope, told: Option<&Problem>) {
    let form = scope.page.form;
    let mut left = match form {
        Form::Digits => overview::draw(wall, frame, area, scope, told),
        _ => draw_form(wall, frame, area, scope, form),
    };
    let more: &[Form] = match form {
        Form::Problems => &[Form::Grid, Form::Backups],
        Form::Grid => &[Form::Backups],
        Form::Ports => &[Form::Grid],
        Form::Backups | Form::Incident => &[Form::Problems, Form::Grid],
        Form::Digits => &[],
    };
    for form in more {
        let area = left;
        if area.height >= PART && scope.has(&wall.snapshot, &wall.parts, *form) {
            left = draw_form(wall, frame, area, scope, *form);
        }
    }
}

/// What is left below it.
fn draw_form(wall: &Wall, frame: &mut Frame<'_>, area: Rect, scope: &Scope, form: Form) -> Rect {
    let s = &wall.snapshot;
    match form {
        Form::Problems => problems(wall, frame, area, scope.problems(s)),
        Form::Grid => hosts(wall, frame, area, scope),
        Form::Digits => overview::draw(wall, frame, area, scope, None),
        Form::Ports => ports::draw(wall, frame, area, scope),
        Form::Backups => backups::draw(wall, frame, area, &scope.jobs(s)),
        Form::Incident => incident::draw(wall, frame, area),
    }
}

/// What is left of an area from a row on, with a free row before it.
fn below(area: Rect, y: u16) -> Rect {
    let y = y.saturating_add(1).clamp(area.y, area.bottom());
    Rect { y, height: area.bottom() - y, ..area }
}

/// Words in the middle, where there is nothing else.
pub fn nothing(wall: &Wall, frame: &mut Frame<'_>, area: Rect, words: &str) {
    if area.height == 0 {
        return;
    }
    let shown = text::fit(words, usize::from(area.width));
    let x = area.x + (area.width - text::width(&shown) as u16) / 2;
    let place = Rect { x, width: area.right() - x, ..area };
    Row::new(frame.buffer, &wall.look, place, area.y + area.height / 2).put(&shown, wall.look.style(Meaning::Dim));
}

/// Worst first; each with as many rows as there are.
fn problems(wall: &Wall, frame: &mut Frame<'_>, area: Rect, mut list: Vec<&Problem>) -> Rect {
    let (look, now) = (&wall.look, frame.now);
    // What the pages are held for comes first.
    list.sort_by_key(|problem| !wall.alarm.is_new(problem, now));
    let open = list.iter().filter(|problem| !problem.care.is_handled()).count();
    let honesty = format!("{}{}{open} unowned", units::counted(list.len(), "problem"), look.separator());
    rule(look, frame, area, "PROBLEMS", &honesty);
    let area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if list.is_empty() {
        let t = &wall.snapshot.totals;
        let words = match (t.hosts_pending, t.hosts_stale) {
            _ if t.hosts + t.jobs == 0 => "nothing is watched yet".to_owned(),
            (0, 0) => "no problem is known".to_owned(),
            (0, old) => {
                format!("no problem is known, but what is known of {old} of {} is old", units::counted(t.hosts, "host"))
            }
            (pending, _) => format!("no problem is known; {} not answered yet", waiting(pending, t.hosts)),
        };
        if t.hosts + t.jobs == 0 {
            nothing(wall, frame, area, &words);
            return below(area, area.bottom());
        }
        Row::new(frame.buffer, look, area, area.y).gap(3).put(&words, look.style(Meaning::Dim));
        return below(area, area.y + 1);
    }
    let each = (usize::from(area.height) / list.len()).clamp(1, 3) as u16;
    let shown = shown(list.len(), area.height / each);
    for (at, problem) in list.iter().take(shown).enumerate() {
        let y = area.y + at as u16 * each;
        draw_problem(wall, frame, Rect { y, height: each, ..area }, problem);
    }
    if shown < list.len() && area.height > 0 {
        and_more(wall, frame, area, area.y + shown as u16 * each, list.len() - shown);
        return below(area, area.bottom());
    }
    let end = area.y + shown as u16 * each;
    below(area, if each == 3 { end - 1 } else { end })
}

/// How many of a list are shown in so many places: the last of them says that there are more.
fn shown(count: usize, places: u16) -> usize {
    let places = usize::from(places);
    if count > places { places.saturating_sub(1) } else { count }
}

fn and_more(wall: &Wall, frame: &mut Frame<'_>, area: Rect, y: u16, count: usize) {
    let words = format!("and {count} more");
    Row::new(frame.buffer, &wall.look, area, y).gap(3).put(&words, wall.look.style(Meaning::Dim));
}

fn draw_problem(wall: &Wall, frame: &mut Frame<'_>, area: Rect, problem: &Problem) {
    let (look, now) = (&wall.look, frame.now);
    let (glyph, style) = look.condition(problem.condition, false);
    let words = look.words(problem.condition, false);
    let dim = look.style(Meaning::Dim);
    let waiting = unowned(problem, now);
    let mut row = Row::new(frame.buffer, look, area, area.y);
    row.gap(1).put(glyph, style).gap(1);
    let age = units::age(units::age_bucket(now.since(problem.since)));
    let (side, side_style) = match (&problem.care.ack, waiting) {
        _ if problem.care.maintenance.is_some() => (format!("{age:>3} in maintenance"), dim),
        (Some(ack), _) => (format!("{age:>3} @{}", text::fit(&ack.claim.owner.line(), 16)), dim),
        (None, Some(since)) if since >= wall.options.escalate[0] => {
            (format!(" unowned {} min ", since.as_secs() / 60), look.style(Meaning::Banner))
        }
        (None, _) => (format!("{age:>3}"), dim),
    };
    row.end(" ", dim).end(&side, side_style).end(" ", dim);
    // With room for the mark of what is new.
    let most = if area.width >= 100 { 40 } else { usize::from(area.width / 3).clamp(12, 26) };
    let mut name = (wall.parts.title() + 5).clamp(12, most);
    if wall.alarm.is_new(problem, now) {
        row.put("NEW", look.style(Meaning::Banner)).gap(1);
        name -= 4;
    }
    row.name(&problem.title.line(), name, words).gap(1);
    row.cell(&problem.word, 14, words).gap(1);
    let count = problem.behind_it().filter(|count| row.room() > count.len());
    if let Some(count) = &count {
        row.put(count, look.style(Meaning::Unreachable));
    }
    let reason = problem.reason.line();
    let reason = without_word(&reason, &problem.word);
    if area.height > 1 {
        Row::new(frame.buffer, look, area, area.y + 1).gap(3).put(reason, look.style(Meaning::Text));
        return;
    }
    let between = if count.is_some() { look.separator() } else { "" };
    // A few letters of it help nobody.
    if row.room() >= SHORTEST + text::width(between) {
        row.put(between, dim).put(reason, look.style(Meaning::Text));
    }
}

/// All hosts at once, and on their own page below them in words what is worst, where a glyph has no name.
fn hosts(wall: &Wall, frame: &mut Frame<'_>, area: Rect, scope: &Scope) -> Rect {
    let mut hosts = scope.hosts(&wall.snapshot, &wall.parts);
    // Those of one group, else of one site, stand together, in the order of the inventory.
    let section = section(&hosts);
    hosts.sort_by(|a, b| section(a).cmp(section(b)));
    let now = frame.now;
    let items: Vec<Item<'_>> =
        hosts.iter().map(|view| Item { section: section(view), ..host(wall, view, now) }).collect();
    let good = items.iter().filter(|item| item.condition == Condition::Ok && !item.stale).count();
    let honesty = format!("{good} of {} ok", hosts.len());
    let problems = if scope.page.form == Form::Grid { scope.problems(&wall.snapshot) } else { Vec::new() };
    let left = many(wall, frame, area, ("HOSTS", &honesty), &items, &problems);
    if items.is_empty() && area.height > 1 {
        nothing(wall, frame, Rect { y: area.y + 1, height: area.height - 1, ..area }, "no host is here");
    }
    left
}

/// What tells the hosts apart by name where each has a glyph only: the group, else the site, where there are several.
fn section(hosts: &[&Arc<HostView>]) -> fn(&HostView) -> &str {
    let of: [fn(&HostView) -> &str; 2] =
        [|view| view.host.group.as_deref().unwrap_or_default(), |view| view.host.site.as_deref().unwrap_or_default()];
    let has_several = |of: &fn(&HostView) -> &str| hosts.windows(2).any(|pair| of(pair[0]) != of(pair[1]));
    of.into_iter().find(has_several).unwrap_or(of[0])
}

/// Its card, as bad as the worst of it and its parts: of one with a problem the reason, of a good one what it answers with.
fn host<'a>(wall: &Wall, view: &'a HostView, now: Timestamp) -> Item<'a> {
    let (condition, stale) = (wall.parts.worst(view), view.stale);
    let bad = wall.parts.bad(view);
    let age = |since| units::age(units::age_bucket(now.since(since)));
    let word = match bad {
        // It answers: what its card is red for is a part of it.
        Some(bad) if bad.worst > view.condition => format!("{} {} in part", state(bad.worst, false), age(bad.since)),
        _ if view.is_down() => format!("DOWN {}", age(view.since)),
        _ => format!("{} {}", state(view.condition, stale), age(view.since)),
    };
    let more = match host_value(view) {
        _ if view.condition != Condition::Ok || stale => {
            bad.map(Bad::words).into_iter().chain([view.reason.line()]).collect()
        }
        _ if bad.is_some() => bad.map(Bad::words).into_iter().collect(),
        Some((value, _)) => vec![value],
        None => Vec::new(),
    };
    let is_well = view.condition == Condition::Ok && !stale && bad.is_none();
    let course =
        host_value(view).filter(|_| is_well && view.trail.len() > 1).map(|(_, least)| (&view.trail[..], least));
    // What is wrong with its parts nobody has taken on.
    let care = Some(&view.care).filter(|_| bad.is_none());
    Item { name: &view.host.name, section: "", condition, stale, sees: Sees::of(condition, care), word, more, course }
}

/// Things as a grid under a rule, the worst problems in words below it; what is left below them.
fn many(
    wall: &Wall,
    frame: &mut Frame<'_>,
    area: Rect,
    title: (&str, &str),
    items: &[Item<'_>],
    problems: &[&Problem],
) -> Rect {
    let look = &wall.look;
    let words = (problems.len() as u16).min(area.height / 5);
    let grid = Rect { y: area.y + 1, height: area.height.saturating_sub(1 + words), ..area };
    let grid = Rect { x: grid.x + 1, width: grid.width.saturating_sub(2), ..grid };
    if grid.height == 0 {
        return below(area, area.bottom());
    }
    // As if a fifth were always words: things keep their places when problems come and go.
    let usual = area.height - 1 - area.height / 5;
    let (cell, rows) = grid::draw(frame.buffer, look, grid, usual, items);
    let honesty = match cell {
        Cell::Folded(each) | Cell::Sections(Sections { each: each @ 2.., .. }) => {
            format!("{}{}each glyph is {each}, the worst of them counts", title.1, look.separator())
        }
        Cell::Poster(_) | Cell::Card { .. } | Cell::Name(_) | Cell::Glyph(_) | Cell::Sections(_) => title.1.to_owned(),
    };
    rule(look, frame, area, title.0, &honesty);
    let from = (grid.y + rows + 1).min(grid.bottom());
    let shown = shown(problems.len(), area.bottom() - from);
    for (problem, y) in problems.iter().take(shown).zip(from..) {
        draw_problem(wall, frame, Rect { y, height: 1, ..area }, problem);
    }
    if shown < problems.len() && from < area.bottom() {
        and_more(wall, frame, area, from + shown as u16, problems.len() - shown);
    }
    below(area, if words == 0 { grid.y + rows } else { from + problems.len() as u16 })
}

/// `3 of 12 hosts have`, of those that are waited for.
fn waiting(some: usize, all: usize) -> String {
    let verb = if some == 1 { "has" } else { "have" };
    format!("{some} of {} {verb}", units::counted(all, "host"))
}

/// A state in a word, for a card.
fn state(condition: Condition, stale: bool) -> &'static str {
    match condition {
        Condition::Critical => "CRITICAL",
        Condition::Warning => "warning",
        Condition::Unreachable => "unreachable",
        Condition::Unknown => "unknown",
        _ if stale => "old",
        Condition::Ok => "ok",
        Condition::Pending => "pending",
        Condition::NotProbed => "not probed",
    }
}
