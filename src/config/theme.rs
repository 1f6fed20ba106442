//! Themes as data: a meaning has a style, and a theme inherits what it does not say. The shipped themes and the user's are
//! read by the same code; what is wrong is a problem with its place, never a reason not to start.

mod choice;
mod colour;
mod shelf;
#[cfg(test)]
mod tests;

pub use self::choice::ThemeChoice;
pub use self::colour::{Background, Colour};
pub use self::shelf::{SHIPPED, Shelf, Stamp};
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
    /// What it is made for; `None` where it may stand on any.
    pub background: Option<Background>,
    /// For whom it is, in a few words.
    pub about: Option<String>,
}

impl Theme {
    /// No style at all: everything is the terminal's own.
    pub const fn plain() -> Self {
        const NONE: Style = Style { fg: None, bg: None, bold: false, dim: false, underline: false, reverse: false };
        Self { styles: [NONE; Meaning::ALL.len()], background: None, about: None }
    }

    pub fn style(&self, meaning: Meaning) -> Style {
        let row = Meaning::ALL.iter().position(|(m, _)| *m == meaning).unwrap_or(0);
        self.styles[row]
    }

    /// A shipped theme by name.
    pub fn shipped(name: &str) -> Option<(Self, Vec<Problem>)> {
        Shelf::default().find(name)
    }

    /// Reads a theme; `inherited` finds the theme that it names in `inherits`, or says why not.
    fn parse(file: &str, text: &str, mut inherited: impl FnMut(&str) -> Result<Self, Problem>) -> (Self, Vec<Problem>) {
        let (root, mut problems) = document::parse(file, text.to_owned());
        let mut theme = Self::plain();
        if let Some(node) = root.find("inherits") {
            match &node.value {
                Value::String(parent) => match inherited(parent) {
                    // What its parent is for it may not be for.
                    Ok(parent) => theme = Self { about: None, ..parent },
                    Err(why) => problems.push(Problem { place: Some(node.place.clone()), ..why }),
                },
                other => problems.push(Problem::warning(&node.place, format!("a theme's name, not {}", other.kind()))),
            }
        }
        if let Some(node) = root.find("background") {
            match &node.value {
                Value::String(word) if word == "any" => theme.background = None,
                Value::String(word) if Background::named(word).is_some() => theme.background = Background::named(word),
                _ => problems.push(
                    Problem::warning(&node.place, "this is no background").hint("write \"dark\", \"light\" or \"any\""),
                ),
            }
        }
        if let Some(node) = root.find("about") {
            match &node.value {
                Value::String(words) => theme.about = Some(words.clone()),
                other => problems.push(Problem::warning(&node.place, format!("a few words, not {}", other.kind()))),
            }
        }
        for (key, node) in root.entries.iter().filter(|(k, _)| !OPTIONS.contains(&k.name.as_str())) {
            if let Some(row) = Meaning::ALL.iter().position(|(_, n)| *n == key.name) {
                theme.styles[row] = read_style(node, &mut problems);
                continue;
            }
            let problem = Problem::warning(&key.place, format!("unknown meaning \"{}\"", key.name));
            let names = Meaning::ALL.iter().map(|(_, n)| *n).chain(OPTIONS);
            problems.push(match nearest(&key.name, names) {
                Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                None => problem.hint("a name with a point in it stands in quotation marks: \"rule.focus\""),
            });
        }
        (theme, problems)
    }
}

/// What a theme says beside its styles.
const OPTIONS: [&str; 3] = ["inherits", "background", "about"];

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

fn read_colour(text: &str, table: &Table, key: &str, problems: &mut Vec<Problem>) -> Option<Colour> {
    let colour = Colour::parse(text);
    if colour.is_none() {
        let place = table.find(key).map_or_else(|| table.place.clone(), |n| n.place.clone());
        let problem = Problem::warning(&place, format!("\"{text}\" is no colour"));
        problems.push(match nearest(text, Colour::NAMES.iter().copied()) {
            Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
            None => problem.hint("write #rrggbb, a name such as red or light-blue, or terminal"),
        });
    }
    colour
}
