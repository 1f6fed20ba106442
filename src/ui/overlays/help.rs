//! The keys, made of the live keymap and the tables of actions and commands, by what one wants to do. `/` finds in it.

use super::Line;
use crate::base::text;
use crate::config::theme::Meaning;
use crate::model::Condition;
use crate::ui::action::{ACTIONS, Action};
use crate::ui::app::App;
use crate::ui::commands::COMMANDS;
use crate::ui::line;
use crate::ui::panes::PaneKind;

/// What is read, and what is looked for in it.
#[derive(Debug, Default)]
pub struct Help {
    pub scroll: usize,
    pub find: line::Line,
    /// Keys go into what is looked for.
    pub asking: bool,
}

/// Moves within a list or a text.
pub const MOVING: &[Action] = &[
    Action::Down,
    Action::Up,
    Action::Top,
    Action::Bottom,
    Action::HalfPageDown,
    Action::HalfPageUp,
    Action::PageDown,
    Action::PageUp,
    Action::Left,
    Action::Right,
];

/// Actions by what they are for. Each is in one of them.
const SECTIONS: &[(&str, &[Action])] = &[
    (
        "SCREENS AND PANES",
        &[
            Action::Overview,
            Action::Hosts,
            Action::Ports,
            Action::Backups,
            Action::Incident,
            Action::Sessions,
            Action::Log,
            Action::NextPane,
            Action::PreviousPane,
            Action::Zoom,
            Action::Layout,
            Action::LastPlace,
            Action::NextPlace,
            Action::Back,
        ],
    ),
    (
        "FINDING",
        &[
            Action::Help,
            Action::Palette,
            Action::CommandLine,
            Action::Filter,
            Action::ProblemsOnly,
            Action::Expand,
            Action::Group,
            Action::Columns,
            Action::SortNext,
            Action::SortPrevious,
            Action::Resort,
        ],
    ),
    ("MOVING", MOVING),
    (
        "THE SELECTED ROW",
        &[
            Action::Open,
            Action::Runbook,
            Action::History,
            Action::Watch,
            Action::Recheck,
            Action::Follow,
            Action::Compare,
            Action::Shell,
            Action::EndSession,
            Action::Copy,
            Action::CopyRow,
            Action::Mark,
            Action::MarkRange,
            Action::MarkAll,
        ],
    ),
    ("TAKING CARE", &[Action::Claim, Action::Release, Action::Maintain]),
    ("INCIDENT", &[Action::OpenIncident, Action::Note, Action::Decision, Action::ActionItem, Action::Hypothesis]),
    (
        "THE CONSOLE",
        &[
            Action::Wall,
            Action::Freeze,
            Action::Pause,
            Action::Cancel,
            Action::Suspend,
            Action::Redraw,
            Action::Quit,
            Action::TourNext,
            Action::TourBack,
            Action::TourEnd,
        ],
    ),
];

/// The words beside the signs.
const STATES: &[(&str, &str)] = &[
    ("DOWN", "nothing that tells whether a host is reached is answered"),
    ("CRITICAL", "the host answers, and one of its checks is critical"),
    ("WARNING", "a check has a warning"),
    ("UNREACHABLE", "what it hangs on is DOWN; it is hidden behind that"),
    ("UNKNOWN", "asked, and the answer does not tell"),
    ("NEVER SEEN", "it has not answered since it is in the inventory"),
    ("NO DATA", "a number that used to come does not any more"),
    ("STALE", "the last answer is older than it may be"),
    ("PENDING", "not asked yet"),
    ("NOT PROBED", "no check is made of it"),
    ("in part", "the host is better than its worst port or sensor"),
];

/// Columns of the keys.
const KEYS: usize = 22;

pub fn title(help: &Help) -> String {
    match (help.find.text(), help.asking) {
        ("", false) => "Keys and commands".to_owned(),
        (words, true) => format!("Keys and commands  /{words}_"),
        (words, false) => format!("Keys and commands  /{words}"),
    }
}

pub fn lines(app: &App, help: &Help) -> Vec<Line> {
    let mut sections: Vec<(String, Vec<String>)> = SECTIONS
        .iter()
        .map(|(title, actions)| ((*title).to_owned(), actions.iter().map(|a| of(app, *a)).collect()))
        .collect();
    let bound: Vec<String> =
        app.keymap.commands().into_iter().map(|(keys, command)| row(&keys, &text::clean(command))).collect();
    if let Some((_, rows)) = sections.last_mut() {
        rows.extend(bound);
    }
    let commands = COMMANDS.iter().map(|(name, title)| row(&format!(":{name}"), title)).collect();
    sections.push(("COMMANDS".to_owned(), commands));
    sections.push(("SIGNS".to_owned(), signs(app)));
    sections.push(("STATES".to_owned(), STATES.iter().map(|(word, meaning)| row(word, meaning)).collect()));
    let ports = signs_of_ports(app);
    // Who looks at ports wants theirs first.
    let at = if matches!(app.focus, PaneKind::Ports | PaneKind::Devices) { 0 } else { sections.len() };
    sections.insert(at, ("SIGNS OF PORTS".to_owned(), ports));
    let words: Vec<String> = help.find.text().to_lowercase().split_whitespace().map(str::to_owned).collect();
    let mut out: Vec<Line> = Vec::new();
    for (title, rows) in sections {
        let heading = title.to_lowercase();
        let found = rows.into_iter().filter(|row| {
            let row = row.to_lowercase();
            words.iter().all(|word| row.contains(word) || heading.contains(word))
        });
        let found: Vec<String> = found.collect();
        if found.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push((Meaning::Text, String::new()));
        }
        out.push((Meaning::Title, title));
        out.extend(found.into_iter().map(|row| (Meaning::Text, row)));
    }
    if out.is_empty() {
        out.push((Meaning::Dim, "nothing here has these words; Esc shows all".to_owned()));
    } else if words.is_empty() {
        out.push((Meaning::Text, String::new()));
        out.push((Meaning::Dim, row("/", "find in this text")));
    }
    out
}

fn row(keys: &str, title: &str) -> String {
    format!("{keys:<KEYS$} {title}")
}

fn of(app: &App, action: Action) -> String {
    let (name, title) = ACTIONS.iter().find(|(a, ..)| *a == action).map_or(("", ""), |(_, name, title)| (name, title));
    let keys = app.keymap.keys_of(name);
    row(&if keys.is_empty() { format!(":{name}") } else { keys.join("  ") }, title)
}

/// What stands beside a host, a check, a problem.
fn signs(app: &App) -> Vec<String> {
    let conditions = [
        (Condition::Critical, "critical, or a host that is down"),
        (Condition::Warning, "a warning"),
        (Condition::Unreachable, "unreachable: what it hangs on is down"),
        (Condition::Unknown, "unknown; and what is old, whatever it was"),
        (Condition::Ok, "ok, and lately so"),
        (Condition::Pending, "not asked yet"),
        (Condition::NotProbed, "not watched"),
    ];
    let others = [
        (app.look.maintenance().0, "in maintenance: nothing is announced"),
        ("@", "somebody has taken it on"),
        ("*", "marked"),
    ];
    let conditions = conditions.map(|(condition, words)| (app.look.condition(condition, false).0, words));
    conditions.into_iter().chain(others).map(|(glyph, words)| row(glyph, words)).collect()
}

/// What stands for a port, on faceplates and in tables.
fn signs_of_ports(app: &App) -> Vec<String> {
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
    glyphs.iter().zip(words).map(|(glyph, words)| row(glyph, words)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_is_in_one_section() {
        for (action, name, _) in ACTIONS {
            let times = SECTIONS.iter().flat_map(|(_, actions)| *actions).filter(|a| *a == action).count();
            assert_eq!(times, 1, "{name}");
        }
    }
}
