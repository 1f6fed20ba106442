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
    for (keys, command) in app.keymap.commands() {
        out.push((Meaning::Text, format!("{keys:<22} {}", crate::base::text::clean(command))));
    }
    out.push((Meaning::Text, String::new()));
    for (name, title) in COMMANDS {
        out.push((Meaning::Text, format!("{:<22} {title}", format!(":{name}"))));
    }
    out.push((Meaning::Text, String::new()));
    out.extend(legend(app).into_iter().map(|line| (Meaning::Text, line)));
    out
}

/// What stands for a port, on faceplates and in tables.
fn legend(app: &App) -> Vec<String> {
    let glyphs =
        if app.look.unicode { ["●", "▲", "■", "○", "·", "?"] } else { ["#", "W", "C", "o", "-", "?"] };
    let words = [
        "a port that is up",
        "a port with a warning: up with a reason, or flapping",
        "a port that is critical: switched off by the device, an uplink without link",
        "a port without link",
        "a port that is shut, or has no module",
        "a port whose state is unknown or old",
    ];
    glyphs.iter().zip(words).map(|(glyph, words)| format!("{glyph:<22} {words}")).collect()
}
