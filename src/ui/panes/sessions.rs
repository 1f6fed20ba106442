//! SESSIONS: the shells that are open, and the one that is typed into.

use crate::ui::action::Action;
use ratatui::layout::Rect;

use crate::base::text;
use crate::config::theme::Meaning;
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
            // The inventory's name, never the title that a remote side gave itself: what is typed goes to this host.
            let before = app.sessions[..at].iter().filter(|other| other.host() == pane.host()).count();
            let number = if before > 0 { format!(" #{}", before + 1) } else { String::new() };
            let over = if pane.is_over() { " ended" } else { "" };
            let name = format!("{}{number}{over}", pane.host());
            if Some(at) == row { format!("[{name}]") } else { format!(" {name} ") }
        })
        .collect();
    let opens = app.key_of(Action::Open);
    let honesty = match row.and_then(|row| app.sessions.get(row)) {
        None => String::new(),
        Some(pane) if pane.is_over() && !app.typing => format!("{opens} goes to it"),
        Some(pane) if pane.is_over() => String::new(),
        Some(_) if app.is_typing() => "keys go to the remote side".to_owned(),
        // A question of it, or something else that was opened over it.
        Some(_) if app.typing => String::new(),
        Some(_) => format!("{opens} types into it"),
    };
    let title = if names.is_empty() { "SESSIONS".to_owned() } else { names.join(" ") };
    canvas::rule(frame.buffer, &app.look, area, &title, &honesty, (line, head, app.look.style(Meaning::Dim)));
    let body = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1));
    if let Some(pane) = row.and_then(|row| app.sessions.get(row)) {
        pane.draw(frame, body, &app.look, app.capabilities.colours, app.typing && app.overlays.is_empty());
    } else {
        let shell = app.key_of(Action::Shell);
        nothing(app, frame, body, &shell);
    }
}

/// How one is opened, and left again.
fn nothing(app: &App, frame: &mut Frame<'_>, area: Rect, shell: &str) {
    let steps = [
        (shell, "opens one on the selected host, through its jump hosts"),
        (":ssh NAME", "the same by name"),
        (":ssh! NAME", "by the system's own ssh"),
        ("Ctrl+\\ or F12", "leaves one; it goes on, and the digit of this screen leads back"),
    ];
    let used = super::dim_lines(app, frame, area, &["no session is open".to_owned()]);
    let width = steps.iter().map(|(words, _)| text::width(words)).max().unwrap_or(0);
    for ((words, what), y) in steps.iter().zip(area.y + used + 1..area.bottom()) {
        let mut line = Row::new(frame.buffer, &app.look, area, y);
        line.gap(1).cell(words, width, app.look.style(Meaning::Key)).gap(2).put(what, app.look.style(Meaning::Dim));
    }
}
