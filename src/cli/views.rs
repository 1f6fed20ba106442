//! The views of a console: those of its configuration, and its own in `views.toml` of the state directory.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::state_dir;
use crate::base::options::Problem;
use crate::config::{UiOptions, views};
use crate::ui::views::{Keep, View, Views, Words};

const FILE: &str = "views.toml";
/// Longer than any that was written.
const LARGEST: u64 = 256 * 1024;

/// The configuration's, and what is wrong with them.
pub fn shared(ui: &UiOptions) -> (Vec<View>, Vec<Problem>) {
    let mut problems = Vec::new();
    let found: Vec<View> = ui.views.iter().filter_map(|options| View::of(options, true, &mut problems)).collect();
    for (at, view) in ui.views.iter().enumerate() {
        if ui.views[..at].iter().any(|earlier| earlier.name.0 == view.name.0) {
            problems.push(Problem::error(&view.name.1, format!("there is a view {:?} already", view.name.0)));
        }
    }
    (found, problems)
}

/// All that a console has, and what is wrong with them. Of a file of its own that is not right a copy is put aside, before a view
/// that is saved writes it anew.
pub fn start(ui: &UiOptions, state: Option<&Path>) -> (Views, Vec<String>) {
    let (mut all, problems) = shared(ui);
    let mut said: Vec<String> = problems.iter().map(Problem::brief).collect();
    let path = state.map(|directory| directory.join(FILE));
    if let Some(path) = &path {
        let (own, problems) = own(path);
        if let Some(first) = problems.first() {
            let aside = path.with_extension("toml.broken");
            let copied = std::fs::read(path).is_ok_and(|bytes| state_dir::replace(&aside, &bytes).is_ok());
            let kept = if copied { format!("; as it is now it is in {}", super::shown(&aside)) } else { String::new() };
            said.push(format!("{first}{kept}"));
        }
        for view in own {
            if let Some(shared) = all.iter().find(|shared| shared.name == view.name) {
                let place = shared.place.as_deref().unwrap_or("the configuration");
                said.push(format!("your own view {} gives way to the one in {place}", view.name));
            } else {
                all.push(view);
            }
        }
    }
    if let Some((name, place)) = &ui.first_view
        && !all.iter().any(|view| view.name == *name)
    {
        said.push(Problem::error(place, format!("no view is called {name:?}")).brief());
    }
    (Views::new(all, path.map(keep)), said)
}

fn own(path: &Path) -> (Vec<View>, Vec<String>) {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() <= LARGEST => {}
        Ok(_) => return (Vec::new(), vec![format!("{} is no file of views", super::shown(path))]),
        Err(_) => return (Vec::new(), Vec::new()),
    }
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let (options, mut problems) = views::read_file(&path.display().to_string(), text);
            let own = options.iter().filter_map(|options| View::of(options, false, &mut problems)).collect();
            (own, problems.iter().map(Problem::brief).collect())
        }
        Err(error) => (Vec::new(), vec![format!("{}: {error}", super::shown(path))]),
    }
}

/// Other consoles of the same state directory keep views there too: what they have kept is read again and stays.
fn keep(path: PathBuf) -> Keep {
    Box::new(move |name, view| {
        let mut all: Vec<Words> = own(&path).0.iter().map(View::to_words).filter(|known| known.name != name).collect();
        all.extend(view.cloned());
        state_dir::replace(&path, file(&all).as_bytes())
    })
}

fn file(own: &[Words]) -> String {
    let text = |words: &String| Value::String(words.clone());
    let view = |words: &Words| {
        let Words { name, screen, filter, problems_only, sort, sort_devices, group, layout, hide } = words;
        let mut table = Table::from_iter([("name".to_owned(), text(name)), ("screen".to_owned(), text(screen))]);
        let words =
            [("filter", filter), ("sort", sort), ("sort_devices", sort_devices), ("group", group), ("layout", layout)];
        for (key, word) in words {
            if !word.is_empty() {
                table.insert(key.to_owned(), text(word));
            }
        }
        if *problems_only {
            table.insert("problems_only".to_owned(), Value::Boolean(true));
        }
        if !hide.is_empty() {
            table.insert("hide".to_owned(), Value::Array(hide.iter().map(text).collect()));
        }
        Value::Table(table)
    };
    let views = Table::from_iter([("view".to_owned(), Value::Array(own.iter().map(view).collect()))]);
    format!("# Views that were saved in a console; [[ui.view]] in a configuration has the same keys.\n{views}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const TWO: &str = "[[view]]\nname = \"core\"\nscreen = \"hosts\"\nfilter = \"tag:core \\\"x\"\nsort = \"-rtt\"\n\
                       group = \"site\"\n\n[[view]]\nname = \"free\"\nscreen = \"ports\"\nhide = [\"vlan\"]\nproblems_only = true\n";

    #[test]
    fn what_was_kept_is_read_again_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        std::fs::write(&path, TWO).expect("written");
        let (first, problems) = own(&path);
        assert!(first.len() == 2 && problems.is_empty(), "{problems:?}");
        assert_eq!(first[0].words(" · "), "hosts · /tag:core \"x · by site · sorted by -rtt");
        assert_eq!(first[1].words(" · "), "ports · problems only · without vlan");
        // Two consoles: what one keeps stays when the other does.
        let (one, other) = (keep(path.clone()), keep(path.clone()));
        let third = Words { name: "third".to_owned(), ..first[1].to_words() };
        one("third", Some(&third)).expect("kept");
        other("core", Some(&first[0].to_words())).expect("kept");
        one("free", None).expect("taken away");
        let names = |path: &Path| own(path).0.iter().map(|view| view.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&path), ["third", "core"]);
        assert_eq!(own(&path).0[1], first[0]);
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_not_right_is_put_aside_and_said_and_what_is_right_of_it_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        let odd = "[[view]]\nname = \"odd\"\nscreen = \"moon\"\n";
        std::fs::write(&path, format!("{TWO}{odd}")).expect("written");
        let (views, said) = start(&UiOptions::default(), Some(folder.path()));
        assert_eq!(views.all().len(), 2);
        assert!(said.len() == 1 && said[0].contains("views.toml:15:10: no screen is called \"moon\""), "{said:?}");
        keep(path.clone())("core", None).expect("taken away");
        let aside = std::fs::read_to_string(folder.path().join("views.toml.broken")).expect("a copy");
        assert!(aside.ends_with(odd) && own(&path).0.len() == 1);
    }
}
