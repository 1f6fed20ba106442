//! Themes as data: a meaning has a style, and falls back on another meaning. The shipped themes and the user's are
//! read by the same code; what is wrong is a warning with its place, never a reason not to start.

use super::document;
use crate::base::options::{Node, Problem, Table, Value, nearest};

/// What a style is for. The order is that of [`Meaning::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    Text,
    Dim,
    Accent,
    Rule,
    RuleFocus,
    Title,
    Selected,
    SelectedDim,
    Key,
    Ok,
    Warning,
    Critical,
    Unreachable,
    Unknown,
    Stale,
    Bar,
    Banner,
    Overlay,
}

impl Meaning {
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::Text, "text"),
        (Self::Dim, "dim"),
        (Self::Accent, "accent"),
        (Self::Rule, "rule"),
        (Self::RuleFocus, "rule.focus"),
        (Self::Title, "title"),
        (Self::Selected, "selected"),
        (Self::SelectedDim, "selected.dim"),
        (Self::Key, "key"),
        (Self::Ok, "ok"),
        (Self::Warning, "warning"),
        (Self::Critical, "critical"),
        (Self::Unreachable, "unreachable"),
        (Self::Unknown, "unknown"),
        (Self::Stale, "stale"),
        (Self::Bar, "bar"),
        (Self::Banner, "banner"),
        (Self::Overlay, "overlay"),
    ];
}

/// A colour as written: the terminal's own, one of its sixteen, or red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Terminal,
    Ansi(u8),
    Rgb(u8, u8, u8),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    pub fg: Option<Colour>,
    pub bg: Option<Colour>,
    pub bold: bool,
    pub dim: bool,
    pub underline: bool,
    pub reverse: bool,
}

/// A style for every meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    styles: [Style; Meaning::ALL.len()],
}

/// The shipped themes by name.
pub const SHIPPED: [(&str, &str); 4] = [
    ("default", include_str!("../../themes/default.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

impl Theme {
    pub fn style(&self, meaning: Meaning) -> Style {
        let row = Meaning::ALL.iter().position(|(m, _)| *m == meaning).unwrap_or(0);
        self.styles[row]
    }

    /// A shipped theme by name.
    pub fn shipped(name: &str) -> Option<(Self, Vec<Problem>)> {
        let text = SHIPPED.iter().find(|(n, _)| *n == name)?.1;
        Some(Self::parse(name, text, 0))
    }

    /// Reads a theme; `inherits` names a shipped one.
    pub fn parse(name: &str, text: &str, depth: usize) -> (Self, Vec<Problem>) {
        let (root, mut problems) = document::parse(name, text.to_owned());
        let mut theme = Self { styles: [Style::default(); Meaning::ALL.len()] };
        if let Some(node) = root.find("inherits") {
            let parent = match &node.value {
                Value::String(parent) => SHIPPED.iter().find(|(n, _)| n == parent),
                _ => None,
            };
            match parent {
                Some((parent, text)) if depth < 4 => {
                    let (base, more) = Self::parse(parent, text, depth + 1);
                    theme = base;
                    problems.extend(more);
                }
                _ => problems.push(Problem::warning(&node.place, "no such theme to inherit from")),
            }
        }
        for (key, node) in root.entries.iter().filter(|(k, _)| k.name != "inherits") {
            let Some(row) = Meaning::ALL.iter().position(|(_, n)| *n == key.name) else {
                let problem = Problem::warning(&key.place, format!("unknown meaning \"{}\"", key.name));
                problems.push(match nearest(&key.name, Meaning::ALL.iter().map(|(_, n)| *n)) {
                    Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                    None => problem,
                });
                continue;
            };
            theme.styles[row] = read_style(node, &mut problems);
        }
        (theme, problems)
    }
}

fn read_style(node: &Node, problems: &mut Vec<Problem>) -> Style {
    let Value::Table(table) = &node.value else {
        problems.push(Problem::warning(&node.place, "a style is a table such as { fg = \"#d0d0d0\", bold = true }"));
        return Style::default();
    };
    let mut reader = table.reader("a style");
    let style = Style {
        fg: reader.string("fg").and_then(|text| read_colour(&text, table, "fg", problems)),
        bg: reader.string("bg").and_then(|text| read_colour(&text, table, "bg", problems)),
        bold: reader.bool("bold").unwrap_or(false),
        dim: reader.bool("dim").unwrap_or(false),
        underline: reader.bool("underline").unwrap_or(false),
        reverse: reader.bool("reverse").unwrap_or(false),
    };
    problems.extend(reader.finish());
    style
}

const ANSI: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "dark-gray",
    "light-red",
    "light-green",
    "light-yellow",
    "light-blue",
    "light-magenta",
    "light-cyan",
    "white",
];

fn read_colour(text: &str, table: &Table, key: &str, problems: &mut Vec<Problem>) -> Option<Colour> {
    if text == "terminal" {
        return Some(Colour::Terminal);
    }
    if let Some(n) = ANSI.iter().position(|name| *name == text) {
        return u8::try_from(n).ok().map(Colour::Ansi);
    }
    let channel = |i: usize| text.get(1 + 2 * i..3 + 2 * i).and_then(|d| u8::from_str_radix(d, 16).ok());
    if text.starts_with('#')
        && text.len() == 7
        && let (Some(r), Some(g), Some(b)) = (channel(0), channel(1), channel(2))
    {
        return Some(Colour::Rgb(r, g, b));
    }
    let place = table.find(key).map_or_else(|| table.place.clone(), |n| n.place.clone());
    problems.push(
        Problem::warning(&place, format!("\"{text}\" is no colour"))
            .hint("write #rrggbb, a name such as red or light-blue, or terminal"),
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_is_without_problems() {
        for (name, _) in SHIPPED {
            let (_, problems) = Theme::shipped(name).expect("it is shipped");
            assert!(problems.is_empty(), "{name}: {:?}", problems.iter().map(Problem::render).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_wrong_theme_warns_with_its_place_and_keeps_the_rest() {
        let (theme, problems) = Theme::parse(
            "t.toml",
            "inherits = \"default\"\n\"critcal\" = { fg = \"red\" }\nok = { fg = \"#12\" }\naccent = { fg = \"light-blue\" }\n",
            0,
        );
        let all: String = problems.iter().map(Problem::render).collect();
        assert!(
            all.contains("t.toml:2:1: warning: unknown meaning \"critcal\"") && all.contains("\"#12\" is no colour"),
            "{all}"
        );
        assert_eq!(theme.style(Meaning::Accent).fg, Some(Colour::Ansi(12)));
        assert_eq!(
            theme.style(Meaning::Critical),
            Theme::shipped("default").expect("shipped").0.style(Meaning::Critical)
        );
    }
}
