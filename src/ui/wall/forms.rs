//! What a page shows, by its form.

mod backups;
mod incident;
mod overview;
mod ports;

use ratatui::layout::Rect;

use super::grid::{self, Cell, Item};
use super::scope::Scope;
use super::sheet::{ink, rule};
use super::{Wall, unowned};
use crate::base::{text, units};
use crate::config::theme::Meaning;
use crate::config::wall::Form;
use crate::model::Condition;
use crate::state::Problem;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;

/// Columns from which on a reason is worth its place.
const SHORTEST: usize = 10;

pub fn draw(wall: &Wall, frame: &mut Frame<'_>, area: Rect, scope: &Scope) {
    let s = &wall.snapshot;
    match scope.page.form {
        Form::Problems => problems(wall, frame, area, scope.problems(s)),
        Form::Grid => hosts(wall, frame, area, scope),
        Form::Digits => overview::draw(wall, frame, area, scope),
        Form::Ports => ports::draw(wall, frame, area, scope),
        Form::Backups => backups::draw(wall, frame, area, &scope.jobs(s)),
        Form::Incident => incident::draw(wall, frame, area),
    }
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
pub fn problems(wall: &Wall, frame: &mut Frame<'_>, area: Rect, mut list: Vec<&Problem>) {
    let look = &wall.look;
    // What the pages are held for comes first.
    list.sort_by_key(|problem| !wall.alarm.is_new(&problem.target));
    let open = list.iter().filter(|problem| problem.care.ack.is_none() && problem.care.maintenance.is_none()).count();
    let honesty = format!("{} problems{}{open} unowned", list.len(), look.separator());
    rule(look, frame, area, "PROBLEMS", &honesty);
    let area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if list.is_empty() {
        let t = &wall.snapshot.totals;
        let words = match (t.hosts_pending, t.hosts_stale) {
            _ if t.hosts + t.jobs == 0 => "nothing is watched yet".to_owned(),
            (0, 0) => "no problem is known".to_owned(),
            (0, old) => format!("no problem is known, but what is known of {old} of {} hosts is old", t.hosts),
            (pending, _) => format!("no problem is known; {pending} of {} hosts have not answered yet", t.hosts),
        };
        nothing(wall, frame, area, &words);
        return;
    }
    let each = (usize::from(area.height) / list.len()).clamp(1, 3) as u16;
    let fits = usize::from(area.height / each);
    let shown = if list.len() > fits { fits.saturating_sub(1) } else { list.len() };
    for (at, problem) in list.iter().take(shown).enumerate() {
        let y = area.y + at as u16 * each;
        draw_problem(wall, frame, Rect { y, height: each, ..area }, problem);
    }
    if shown < list.len() && area.height > 0 {
        let words = format!("and {} more", list.len() - shown);
        let y = area.y + shown as u16 * each;
        Row::new(frame.buffer, look, area, y).gap(3).put(&words, look.style(Meaning::Dim));
    }
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
    let mut name = if area.width >= 100 { 32 } else { usize::from(area.width / 3).clamp(12, 26) };
    if wall.alarm.is_new(&problem.target) {
        row.put("NEW", look.style(Meaning::Banner)).gap(1);
        name -= 4;
    }
    row.name(&problem.title.line(), name, words).gap(1);
    row.cell(&problem.word, 14, words).gap(1);
    let count = format!("{} behind it", problem.hides);
    if problem.hides > 0 && row.room() > count.len() {
        row.put(&count, look.style(Meaning::Unreachable));
        if area.height == 1 {
            row.put(look.separator(), dim);
        }
    }
    let reason = problem.reason.line();
    if area.height == 1 {
        // A few letters of it help nobody.
        if row.room() >= SHORTEST {
            row.put(&reason, look.style(Meaning::Text));
        }
    } else {
        Row::new(frame.buffer, look, area, area.y + 1).gap(3).put(&reason, look.style(Meaning::Text));
    }
}

/// All hosts at once, and below them in words what is worst, where a glyph has no name.
fn hosts(wall: &Wall, frame: &mut Frame<'_>, area: Rect, scope: &Scope) {
    let mut hosts = scope.hosts(&wall.snapshot);
    // Those of one group stand together, in the order of the inventory.
    hosts.sort_by(|a, b| a.host.group.cmp(&b.host.group));
    let items: Vec<Item<'_>> = hosts
        .iter()
        .map(|view| Item {
            name: &view.host.name,
            condition: view.condition,
            stale: view.stale,
            word: format!(
                "{} {}",
                state(view.condition, view.stale),
                units::age(units::age_bucket(frame.now.since(view.since)))
            ),
        })
        .collect();
    let good = hosts.iter().filter(|view| view.condition == Condition::Ok && !view.stale).count();
    let honesty = format!("{good} of {} good", hosts.len());
    many(wall, frame, area, ("HOSTS", &honesty), &items, &scope.problems(&wall.snapshot));
    if items.is_empty() && area.height > 1 {
        nothing(wall, frame, Rect { y: area.y + 1, height: area.height - 1, ..area }, "no host is here");
    }
}

/// Things as a grid under a rule, the worst problems in words below it.
fn many(
    wall: &Wall,
    frame: &mut Frame<'_>,
    area: Rect,
    title: (&str, &str),
    items: &[Item<'_>],
    problems: &[&Problem],
) {
    let look = &wall.look;
    let words = (problems.len() as u16).min(area.height / 5);
    let grid = Rect { y: area.y + 1, height: area.height.saturating_sub(1 + words), ..area };
    let grid = Rect { x: grid.x + 1, width: grid.width.saturating_sub(2), ..grid };
    if grid.height == 0 {
        return;
    }
    let cell = grid::draw(frame.buffer, look, grid, items);
    let honesty = match cell {
        Cell::Folded(each) => format!("{}{}each glyph is {each}, the worst of them counts", title.1, look.separator()),
        Cell::Card(_) | Cell::Name(_) | Cell::Glyph(_) => title.1.to_owned(),
    };
    rule(look, frame, area, title.0, &honesty);
    for (problem, y) in problems.iter().zip(grid.bottom()..area.bottom()) {
        draw_problem(wall, frame, Rect { y, height: 1, ..area }, problem);
    }
}

/// A state in a word, for a card.
fn state(condition: Condition, stale: bool) -> &'static str {
    match condition {
        Condition::Critical => "CRITICAL",
        Condition::Warning => "warning",
        Condition::Unreachable => "unreachable",
        Condition::Unknown => "unknown",
        _ if stale => "old",
        Condition::Ok => "good",
        Condition::Pending => "pending",
        Condition::NotProbed => "not probed",
    }
}
