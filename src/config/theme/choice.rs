//! Which theme is wanted: `theme = "auto"` goes by the terminal's background, a name is that theme, and
//! `theme = { dark = "wall", light = "light" }` is one for each background.

use super::{Background, Shelf};
use crate::base::options::{Place, Problem, Reader, Value};

#[derive(Clone, Debug, Default)]
pub struct ThemeChoice {
    /// `None` where noctty chooses.
    dark: Option<String>,
    light: Option<String>,
    /// Where it is written.
    pub(in crate::config) place: Option<Place>,
}

impl ThemeChoice {
    /// As somebody names it outside a configuration. `default` is what `auto` was called once.
    pub fn named(name: &str) -> Self {
        let name = Some(name.to_owned()).filter(|name| name != "auto" && name != "default");
        Self { dark: name.clone(), light: name, place: None }
    }

    /// The option `theme` of a table.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let Some(node) = reader.node("theme") else { return Self::default() };
        let place = Some(node.place.clone());
        match &node.value {
            Value::String(name) => Self { place, ..Self::named(name) },
            Value::Table(table) => {
                let mut pair = table.reader("`theme`");
                let choice = Self { dark: pair.string("dark"), light: pair.string("light"), place };
                for problem in pair.finish() {
                    reader.problem(problem);
                }
                choice
            }
            other => {
                let wanted = "a theme's name, or { dark = \"…\", light = \"…\" }";
                reader.problem(Problem::error(&node.place, format!("`theme` must be {wanted}, not {}", other.kind())));
                Self::default()
            }
        }
    }

    /// The theme for this background; with no more than sixteen colours, one that is made for them where noctty chooses.
    pub fn name(&self, background: Background, sixteen: bool) -> &str {
        let (wanted, ours, plain) = match background {
            Background::Dark => (&self.dark, "dark", "16-colour"),
            Background::Light => (&self.light, "light", "16-colour-light"),
        };
        wanted.as_deref().unwrap_or(if sixteen { plain } else { ours })
    }

    /// This theme on dark backgrounds, where none was named.
    #[must_use]
    pub fn or_dark(self, name: &str) -> Self {
        Self { dark: self.dark.or_else(|| Some(name.to_owned())), ..self }
    }

    /// Whether it matters what the background is.
    pub fn depends(&self) -> bool {
        self.dark.is_none() || self.dark != self.light
    }

    /// What is wrong with the names.
    pub fn check(&self, shelf: &Shelf) -> Vec<Problem> {
        let mut names: Vec<&String> = self.dark.iter().chain(&self.light).collect();
        names.dedup();
        let unknown = names.into_iter().filter(|name| !shelf.has(name));
        unknown
            .map(|name| match &self.place {
                Some(place) => Problem::warning(place, shelf.unknown(name)),
                None => Problem::unplaced(shelf.unknown(name)),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::document;

    fn read(text: &str) -> (ThemeChoice, Vec<String>) {
        let (root, _) = document::parse("n.toml", text.to_owned());
        let mut reader = root.reader("[ui]");
        let choice = ThemeChoice::read(&mut reader);
        let mut problems = reader.finish();
        problems.extend(choice.check(&Shelf::default()));
        (choice, problems.iter().map(Problem::brief).collect())
    }

    #[test]
    fn a_choice_goes_by_the_background_unless_it_is_a_name() {
        for (text, dark, light, depends) in [
            ("", "dark", "light", true),
            ("theme = \"auto\"", "dark", "light", true),
            ("theme = \"mono\"", "mono", "mono", false),
            ("theme = { dark = \"wall\" }", "wall", "light", true),
            ("theme = { dark = \"wall\", light = \"mono\" }", "wall", "mono", true),
        ] {
            let (choice, problems) = read(text);
            assert_eq!(problems, [""; 0], "{text}");
            let found = (choice.name(Background::Dark, false), choice.name(Background::Light, false));
            assert_eq!((found.0, found.1, choice.depends()), (dark, light, depends), "{text}");
        }
        assert_eq!(read("").0.name(Background::Light, true), "16-colour-light");
        assert_eq!(read("theme = \"dark\"").0.name(Background::Light, true), "dark");
    }

    #[test]
    fn wrong_names_and_forms_are_told_with_their_place() {
        for (text, want) in [
            ("theme = \"drak\"", "n.toml:1:9: there is no theme \"drak\"; did you mean \"dark\"?"),
            ("theme = { dark = \"lihgt\" }", "n.toml:1:9: there is no theme \"lihgt\"; did you mean \"light\"?"),
            ("theme = { dusk = \"dark\" }", "n.toml:1:11: unknown key `dusk` in `theme`"),
            ("theme = 3", "`theme` must be a theme's name"),
        ] {
            let (_, problems) = read(text);
            assert!(problems.concat().contains(want), "{text}: {problems:?}");
        }
    }
}
