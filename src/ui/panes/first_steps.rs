//! FIRST STEPS: below what was found by itself, while nobody has configured anything: what makes more of it. Gone with the first
//! host or backup of a configuration.

use ratatui::layout::Rect;

use super::{ScreenId, dim};
use crate::base::text;
use crate::config::theme::Meaning;
use crate::model::Origin;
use crate::state::Link;
use crate::ui::action::Action;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;
use crate::ui::tour::World;

/// Whether nothing that is watched was configured.
fn is_first_start(app: &App) -> bool {
    if app.screen != ScreenId::Overview {
        return false;
    }
    let s = &app.snapshot;
    let configured = s
        .hosts
        .iter()
        .map(|view| view.host.origin)
        .chain(s.jobs.iter().map(|view| view.job.origin))
        .any(|origin| origin == Origin::Config);
    app.world == World::Real && s.engine.link == Link::Own && !s.engine.discovering && !s.is_starting() && !configured
}

/// How many there are, and how many of them the footer does not name.
const STEPS: usize = 6;
const FIRST: u16 = 4;

/// Lines that they take, with a free one before them; none where they are not shown.
pub fn lines(app: &App) -> u16 {
    if is_first_start(app) { STEPS as u16 + 2 } else { 0 }
}

/// Whether a pane without rows has room for them.
pub fn are_shown(app: &App, height: u16) -> bool {
    height > FIRST + 2 && is_first_start(app)
}

/// Nothing where not all that is said nowhere else has room. The lines that it took.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) -> u16 {
    let steps: [(String, &str); STEPS] = [
        ("noctty config init".to_owned(), "writes one to start from, commented"),
        ("noctty import".to_owned(), "from Ansible, ssh_config or a table"),
        (":look ADDRESS".to_owned(), "looks at one machine, once"),
        (":tour".to_owned(), "five minutes on a simulated network"),
        (app.key_of(Action::Help), "the keys"),
        (app.key_of(Action::Palette), "finds anything by its name"),
    ];
    if area.height <= FIRST || !app.filter.is_empty() || !is_first_start(app) {
        return 0;
    }
    let styles = (app.look.style(Meaning::Rule), app.look.style(Meaning::Title), dim(app));
    canvas::rule(frame.buffer, &app.look, area, "FIRST STEPS", "nothing is configured yet", styles);
    let width = steps.iter().map(|(words, _)| text::width(words)).max().unwrap_or(0);
    for ((words, what), y) in steps.iter().zip(area.y + 1..area.bottom()) {
        let mut line = Row::new(frame.buffer, &app.look, area, y);
        line.gap(1).cell(words, width, app.look.style(Meaning::Key)).gap(2).put(what, dim(app));
    }
    area.height.min(STEPS as u16 + 1)
}
