//! SESSIONS: the shells that are open, and the one that is typed into.

use ratatui::layout::Rect;

use crate::config::theme::Meaning;
use crate::model::SessionStatus;
use crate::ui::app::App;
use crate::ui::canvas::{self, Row};
use crate::ui::frame::Frame;

pub fn order(app: &App) -> Vec<usize> {
    (0..app.sessions.len()).collect()
}

/// The rule with every session's name, and the terminal of the selected one below it.
pub fn draw(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let line = app.look.style(if app.typing { Meaning::RuleFocus } else { Meaning::Rule });
    let head = app.look.style(if app.typing { Meaning::Accent } else { Meaning::Title });
    let row = app.list(super::PaneKind::Sessions).row();
    let names: Vec<String> = app
        .sessions
        .iter()
        .enumerate()
        .map(|(at, pane)| {
            let over = if matches!(pane.status(), SessionStatus::Closed { .. }) { " ended" } else { "" };
            if Some(at) == row { format!("[{}{over}]", pane.title()) } else { format!(" {}{over} ", pane.title()) }
        })
        .collect();
    let honesty = match row.and_then(|row| app.sessions.get(row)) {
        None => "",
        Some(pane) if pane.is_over() => "Enter closes it",
        Some(_) if app.typing => "keys go to the remote side",
        Some(_) => "Enter types into it",
    };
    let title = if names.is_empty() { "SESSIONS".to_owned() } else { names.join(" ") };
    canvas::rule(frame.buffer, &app.look, area, &title, honesty, (line, head, app.look.style(Meaning::Dim)));
    let body = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1));
    match row.and_then(|row| app.sessions.get(row)) {
        Some(pane) => {
            pane.draw(frame, body, &app.look, app.capabilities.colours, app.typing && app.overlays.is_empty());
        }
        None => {
            Row::new(frame.buffer, &app.look, body, body.y).gap(1).put(
                "no session is open: s on a host opens one, :ssh! NAME uses the system's ssh",
                app.look.style(Meaning::Dim),
            );
        }
    }
}
