//! The keymap as data: chords to action names. The shipped file and the user's are read by the same code; what is
//! wrong is a problem with its place, and the rest of the file holds.

use std::collections::BTreeMap;

use super::document;
use super::key::Key;
use crate::base::options::{Place, Problem, Value, nearest};

/// The shipped keys.
pub const SHIPPED: &str = include_str!("../../config/keymap.toml");

/// Chords to the names of actions, or to command lines, which begin with `:`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keymap {
    chords: BTreeMap<Vec<Key>, String>,
}

/// What a sequence of keys means so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    Action(&'a str),
    /// The beginning of longer chords: what may follow, and what it does.
    Begun(Vec<(Key, &'a str)>),
    Nothing,
}

impl Keymap {
    /// Lays a file over this map. `known` are the names of all actions and, with `:` before them, of all commands.
    pub fn merge(&mut self, name: &str, text: &str, known: &[&str]) -> Vec<Problem> {
        let (root, mut problems) = document::parse(name, text.to_owned());
        let mut reader = root.reader("the keymap");
        let table = reader.table("screen");
        problems.extend(reader.finish());
        let mut placed: BTreeMap<Vec<Key>, &Place> = BTreeMap::new();
        for (key, node) in table.map(|t| t.entries.as_slice()).unwrap_or_default() {
            let Some(chord) = parse_chord(&key.name) else {
                problems.push(
                    Problem::error(&key.place, format!("\"{}\" is no key", key.name))
                        .hint("write keys as j, G, Ctrl+P, Shift+Tab, F1, Space; chords with a blank: \"g g\""),
                );
                continue;
            };
            if let Some((first, ..)) = placed.get(&chord).map(|place| place.line_and_column()) {
                let words = format!("\"{}\" is {}, which line {first} has already", key.name, show(&chord));
                problems.push(Problem::error(&key.place, words).hint("the last one counts: take one of them out"));
            }
            placed.insert(chord.clone(), &key.place);
            if let Some((key_of, why)) = chord.iter().find_map(|key| Some((key, key.never_sent()?))) {
                let words = format!("most terminals never send {key_of}: {why}");
                problems.push(Problem::warning(&key.place, words).hint("choose another key"));
            }
            let Value::String(action) = &node.value else {
                problems.push(Problem::error(&node.place, format!("an action is a string, not {}", node.value.kind())));
                continue;
            };
            if action.is_empty() {
                self.chords.remove(&chord);
                continue;
            }
            // Of a command line, the first word is the command.
            let word = if action.starts_with(':') { action.split(' ').next().unwrap_or_default() } else { action };
            if known.contains(&word) || word.strip_prefix(':').is_some_and(|name| known.contains(&name)) {
                self.chords.insert(chord, action.trim_end().to_owned());
            } else {
                let what = if action.starts_with(':') { "command" } else { "action" };
                let problem = Problem::error(&node.place, format!("unknown {what} \"{word}\""));
                problems.push(match nearest(word, known.iter().copied()) {
                    Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                    None => problem,
                });
            }
        }
        problems.extend(self.conflicts(&placed));
        problems
    }

    /// Chords that can never be completed, because a shorter one is an action already.
    fn conflicts(&self, placed: &BTreeMap<Vec<Key>, &Place>) -> Vec<Problem> {
        let mut out = Vec::new();
        for (chord, action) in &self.chords {
            for length in 1..chord.len() {
                if let Some(shorter) = self.chords.get(&chord[..length]) {
                    let begin = &chord[..length];
                    let words = format!(
                        "the chord {} ({action}) can never be typed: {} is \"{shorter}\"",
                        show(chord),
                        show(begin)
                    );
                    let problem = match placed.get(chord).or_else(|| placed.get(begin)) {
                        Some(place) => Problem::error(place, words),
                        None => Problem::unplaced(words),
                    };
                    out.push(problem.hint(format!("free one of them: \"{}\" = \"\"", show(begin))));
                }
            }
        }
        out
    }

    pub fn look_up(&self, keys: &[Key]) -> Lookup<'_> {
        if let Some(action) = self.chords.get(keys) {
            return Lookup::Action(action);
        }
        let longer = self.chords.iter().filter(|(chord, _)| chord.len() > keys.len() && chord.starts_with(keys));
        let next: Vec<(Key, &str)> = longer.map(|(chord, action)| (chord[keys.len()], action.as_str())).collect();
        if next.is_empty() { Lookup::Nothing } else { Lookup::Begun(next) }
    }

    /// The command lines that have keys, and those.
    pub fn commands(&self) -> Vec<(String, &str)> {
        let bound = self.chords.iter().filter(|(_, action)| action.starts_with(':'));
        bound.map(|(chord, command)| (show(chord), command.as_str())).collect()
    }

    /// The keys of an action as they are shown, the one to name first.
    pub fn keys_of(&self, action: &str) -> Vec<String> {
        let mut keys: Vec<String> =
            self.chords.iter().filter(|(_, a)| *a == action).map(|(chord, _)| show(chord)).collect();
        // Enter is what everybody tries first; then the shortest.
        keys.sort_by_key(|k| (k != "Enter", k.len(), k.clone()));
        keys
    }
}

fn parse_chord(text: &str) -> Option<Vec<Key>> {
    let keys: Option<Vec<Key>> = text.split(' ').map(Key::parse).collect();
    keys.filter(|k| !k.is_empty())
}

fn show(chord: &[Key]) -> String {
    chord.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KNOWN: [&str; 3] = ["top", "help", "quit"];

    #[test]
    fn a_chord_is_begun_and_then_an_action() {
        let mut map = Keymap::default();
        assert!(map.merge("k.toml", "[screen]\n\"g g\" = \"top\"\n\"?\" = \"help\"\n", &KNOWN).is_empty());
        let g = Key::char('g');
        assert_eq!(map.look_up(&[g]), Lookup::Begun(vec![(g, "top")]));
        assert_eq!(map.look_up(&[g, g]), Lookup::Action("top"));
        assert_eq!(map.look_up(&[Key::char('x')]), Lookup::Nothing);
        assert_eq!(map.keys_of("top"), ["g g"]);
    }

    #[test]
    fn the_users_file_lies_over_ours() {
        let mut map = Keymap::default();
        map.merge("a", "[screen]\n\"?\" = \"help\"\nq = \"quit\"\n", &KNOWN);
        map.merge("b", "[screen]\n\"?\" = \"top\"\nq = \"\"\n", &KNOWN);
        assert_eq!(map.look_up(&[Key::char('?')]), Lookup::Action("top"));
        assert_eq!(map.look_up(&[Key::char('q')]), Lookup::Nothing);
    }

    #[test]
    fn what_is_wrong_is_located_and_conflicts_are_told() {
        let mut map = Keymap::default();
        let problems = map.merge(
            "k.toml",
            "[screen]\nHyper+x = \"top\"\n\"g\" = \"hlep\"\n\"q\" = \"quit\"\n\"q q\" = \"top\"\n",
            &KNOWN,
        );
        let all: String = problems.iter().map(Problem::render).collect();
        for want in
            ["k.toml:3:7: error: unknown action \"hlep\"", "did you mean \"help\"?", "k.toml:5:1: error: the chord q q"]
        {
            assert!(all.contains(want), "{want} is missing in\n{all}");
        }
    }

    #[test]
    fn a_key_may_have_a_command_line() {
        let mut map = Keymap::default();
        let text = "[screen]\n\"g c\" = \":view core \"\nx = \":quit\"\ny = \":veiw core\"\nz = \":\"\n";
        let known = ["top", "help", "quit", ":view"];
        let problems: Vec<String> = map.merge("k.toml", text, &known).iter().map(Problem::brief).collect();
        assert_eq!(
            problems,
            ["k.toml:4:5: unknown command \":veiw\"; did you mean \":view\"?", "k.toml:5:5: unknown command \":\""]
        );
        assert_eq!(map.look_up(&[Key::char('g'), Key::char('c')]), Lookup::Action(":view core"));
        assert_eq!(map.commands(), [("g c".to_owned(), ":view core"), ("x".to_owned(), ":quit")]);
        assert_eq!(map.keys_of(":view core"), ["g c"]);
    }

    #[test]
    fn one_key_in_two_notations_is_told_and_a_key_that_no_terminal_sends() {
        let mut map = Keymap::default();
        let text =
            "[screen]\n\"G\" = \"top\"\n\"Shift+g\" = \"help\"\n\"Ctrl+I\" = \"quit\"\n\"Shift+Tab\" = \"quit\"\n";
        let problems = map.merge("k.toml", text, &KNOWN);
        let all: String = problems.iter().map(Problem::render).collect();
        for want in [
            "k.toml:3:1: error: \"Shift+g\" is G, which line 2 has already",
            "k.toml:4:1: warning: most terminals never send Ctrl+I",
        ] {
            assert!(all.contains(want), "{want} is missing in\n{all}");
        }
        assert_eq!(problems.len(), 2, "{all}");
        assert_eq!(map.look_up(&[Key::char('G')]), Lookup::Action("help"));
    }

    #[test]
    fn a_key_of_ours_that_hides_a_chord_of_the_users_is_told_where_the_chord_stands() {
        let mut map = Keymap::default();
        map.merge("ours", "[screen]\nq = \"quit\"\n", &KNOWN);
        let problems = map.merge("k.toml", "[screen]\n\"q t\" = \"top\"\n", &KNOWN);
        let all: String = problems.iter().map(Problem::render).collect();
        assert!(all.contains("k.toml:2:1: error: the chord q t (top) can never be typed"), "{all}");
        let freed = map.merge("k.toml", "[screen]\nq = \"\"\n", &KNOWN);
        assert!(freed.is_empty() && map.look_up(&[Key::char('q'), Key::char('t')]) == Lookup::Action("top"));
    }

    /// Lines of a file, right and wrong.
    fn any_line() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            prop::sample::select(vec![
                "g",
                "g g",
                "g g g",
                "Ctrl+I",
                "Shift+g",
                "Ctrl+Shift+x",
                "q  q",
                "Esc",
                "",
                " ",
                "?",
                "F5"
            ])
            .prop_map(str::to_owned),
            "[a-zA-Z+ ]{0,8}",
            "\\PC{0,4}",
        ];
        let action = prop::sample::select(vec!["top", "help", "quit", "", "tpo", ":view x", ":nothing", "\u{202e}"]);
        prop_oneof![
            4 => (key, action).prop_map(|(key, action)| format!("{} = {}", toml::Value::from(key), toml::Value::from(action))),
            1 => any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn any_file_is_read_and_what_is_wrong_has_its_place_and_what_holds_can_be_typed(
            lines in prop::collection::vec(any_line(), 0..8),
        ) {
            let text = format!("[screen]\n{}\n", lines.join("\n"));
            let mut map = Keymap::default();
            let problems = map.merge("k.toml", &text, &["top", "help", "quit", ":view"]);
            for problem in &problems {
                prop_assert!(problem.render().starts_with("k.toml:"), "{}", problem.render());
            }
            let all: String = problems.iter().map(Problem::render).collect();
            for (chord, action) in &map.chords {
                prop_assert_eq!(parse_chord(&show(chord)), Some(chord.clone()), "as it is shown");
                prop_assert_eq!(map.look_up(chord), Lookup::Action(action));
                let hidden = (1..chord.len()).any(|length| map.chords.contains_key(&chord[..length]));
                prop_assert!(!hidden || all.contains(&format!("the chord {} ", show(chord))), "{} in\n{}", show(chord), all);
            }
        }
    }
}
