//! The keys, made of the live keymap and the tables of actions and commands.

use super::Line;
use crate::config::theme::Meaning;
use crate::ui::action::ACTIONS;
use crate::ui::app::App;
use crate::ui::commands::COMMANDS;

pub fn lines(app: &App) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    for (_, name, title) in ACTIONS {
        let keys = app.keymap.keys_of(name);
        let keys = if keys.is_empty() { format!(":{name}") } else { keys.join("  ") };
        out.push((Meaning::Text, format!("{keys:<22} {title}")));
    }
    out.push((Meaning::Text, String::new()));
    for (name, title) in COMMANDS {
        out.push((Meaning::Text, format!("{:<22} {title}", format!(":{name}"))));
    }
    out
}
