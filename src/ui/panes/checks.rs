//! CHECKS: below the hosts of a small network, where the overview has room: what is asked of each, and what it answers, so that
//! nobody has to open one after the other.

use ratatui::layout::Rect;

use super::{PaneKind, ScreenId, dim};
use crate::base::{text, units};
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::state::{CheckView, HostView};
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;

/// More are a list of their own, and each answer would move a row of it.
const MOST: usize = 16;

/// How many there are; none where they are not shown: where they are many, or where each host has one alone, which its row tells.
fn count(app: &App) -> usize {
    let hosts = &app.snapshot.hosts;
    // Of a large one the first hosts come from an engine elsewhere before the others.
    let is_whole = app.snapshot.awaited.hosts == 0;
    if app.screen != ScreenId::Overview || hosts.len() > MOST || !is_whole {
        return 0;
    }
    let count = hosts.iter().map(|host| host.checks.len()).sum();
    if count > MOST || count <= hosts.len() { 0 } else { count }
}

/// Lines that they take, with a free one before them.
pub fn lines(app: &App) -> u16 {
    match count(app) {
        0 => 0,
        count => count as u16 + 2,
    }
}

/// Of the hosts that are shown, in their order. The lines that it took: all of them have room, or none is shown.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) -> u16 {
    if usize::from(area.height) <= count(app) || count(app) == 0 {
        return 0;
    }
    let hosts = app.list(PaneKind::Hosts).order.iter().filter_map(|row| app.snapshot.hosts.get(*row));
    let checks: Vec<(&HostView, &CheckView)> =
        hosts.flat_map(|host| host.checks.iter().map(|check| (&**host, check))).collect();
    let styles = (app.look.style(Meaning::Rule), app.look.style(Meaning::Title), dim(app));
    let good = checks.iter().filter(|(host, check)| host.believed(check) == Condition::Ok && !check.stale).count();
    let honesty = format!("{good} of {} ok", checks.len());
    canvas::rule(frame.buffer, &app.look, area, "CHECKS", &honesty, styles);
    let longest = |names: &mut dyn Iterator<Item = &str>| names.map(text::width).max().unwrap_or(0);
    let most = usize::from(area.width / 4).max(8);
    let host_width = longest(&mut checks.iter().map(|(host, _)| &*host.host.name)).min(most);
    let name_width = longest(&mut checks.iter().map(|(_, check)| &*check.spec.key.name)).min(most);
    for ((host, check), y) in checks.iter().zip(area.y + 1..) {
        let condition = host.believed(check);
        let (glyph, style) = app.look.condition(condition, check.stale);
        let words = app.look.words(condition, check.stale);
        let says = check.last.as_ref().map_or_else(|| "no answer yet".to_owned(), |last| last.reading.summary.line());
        let pace = format!("every {}", units::config_duration(check.spec.interval));
        let mut line = Row::new(frame.buffer, &app.look, area, y);
        line.gap(1).put(glyph, style).gap(1).end(" ", dim(app)).end(&pace, dim(app)).end("  ", dim(app));
        line.name(&host.host.name, host_width, words).gap(2).name(&check.spec.key.name, name_width, words).gap(2);
        let tries = host.tries(check).map_or_else(String::new, |tries| format!("{tries}: "));
        line.put(&tries, dim(app));
        line.put(&says, app.look.style(if condition.is_problem() { Meaning::Text } else { Meaning::Dim }));
    }
    checks.len() as u16 + 1
}
