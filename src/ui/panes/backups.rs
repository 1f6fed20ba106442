//! BACKUPS: each job with a bar that fills towards its recovery point objective.

use ratatui::layout::Rect;

use super::{age, dim};
use crate::base::units;
use crate::config::theme::Meaning;
use crate::state::JobView;
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::filter::Subject;
use crate::ui::frame::Frame;

/// Where the mark of the objective stands in the bar.
const BAR: usize = 12;
const MARK: usize = 9;

pub fn order(app: &App) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..app.snapshot.jobs.len())
        .filter(|row| {
            let job = &app.snapshot.jobs[*row];
            let shown = !app.problems_only || job.condition.is_problem();
            shown && (app.filter.is_empty() || passes(app, job))
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(app.snapshot.jobs[*row].condition));
    rows
}

fn passes(app: &App, job: &JobView) -> bool {
    let words = job.reason.line();
    app.filter.lets_through(&Subject {
        name: &job.job.name,
        words: &words,
        condition: job.condition,
        stale: job.stale,
        tags: Vec::new(),
        group: "",
        site: "",
        kind: &job.job.kind,
        address: None,
        port: None,
    })
}

pub fn title(app: &App) -> (String, String) {
    let jobs = &app.snapshot.jobs;
    let protected: std::collections::HashSet<_> = jobs.iter().flat_map(|j| j.job.protects.iter()).collect();
    let mut parts = vec![format!("{} of {} ok", app.snapshot.totals.jobs_ok, jobs.len())];
    if !jobs.is_empty() && !protected.is_empty() {
        parts.push(format!("protecting {}", protected.len()));
    }
    ("BACKUPS".to_owned(), parts.join(app.look.separator()))
}

pub fn empty(app: &App) -> Vec<String> {
    if app.problems_only && !app.snapshot.jobs.is_empty() {
        return vec![format!("no backup has a problem: {} shows all", app.key_of(Action::ProblemsOnly))];
    }
    vec!["no backups: set RESTIC_REPOSITORY or BORG_REPO, or add [[backup]]".to_owned()]
}

pub fn draw_row(app: &App, frame: &mut Frame<'_>, area: Rect, y: u16, row: usize) {
    let Some(job) = app.snapshot.jobs.get(row) else { return };
    let newest = age(frame, job.newest);
    let (glyph, style) = app.look.condition(job.condition, job.stale);
    let words = app.look.words(job.condition, job.stale);
    let target = job.job.rpo.map(units::age);
    let ages = match &target {
        Some(target) => format!("{newest:>3} / {target:<3}"),
        None => format!("{newest:>3}      "),
    };
    let elapsed = job.newest.map(|at| frame.now.since(at));
    let mut line = Row::new(frame.buffer, &app.look, area, y);
    line.gap(1).put(glyph, style).gap(1);
    line.end(" ", words).end(&ages, dim(app)).end(" ", words);
    line.name(&job.job.name, super::name_width(area.width).max(12), words).gap(1);
    if area.width >= 64 {
        line.cell(&job.job.kind, 7, dim(app));
    }
    if let (Some(elapsed), Some(rpo)) = (elapsed, job.job.rpo)
        && area.width >= 48
    {
        let filled = (elapsed.as_secs_f64() / rpo.as_secs_f64().max(1.0) * MARK as f64).ceil() as usize;
        line.put(&bar(app, filled), if job.condition.is_problem() { words } else { app.look.style(Meaning::Bar) })
            .gap(1);
    }
    // A few letters of a reason help nobody; the glyph and the ages say the rest.
    if line.room() < 18 {
        return;
    }
    line.put(&job.reason.line(), app.look.style(if job.condition.is_problem() { Meaning::Text } else { Meaning::Dim }));
}

/// `▓▓▓░░░░░░│░░░`: filled up to the age, the mark at the objective, overrun beyond it.
fn bar(app: &App, filled: usize) -> String {
    let (full, empty, mark) = if app.look.unicode { ('▓', '░', '│') } else { ('=', '.', '|') };
    let mut out = String::new();
    for at in 0..BAR {
        if at == MARK {
            out.push(mark);
        }
        out.push(if at < filled { full } else { empty });
    }
    out
}
