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
            said.push(put_aside(path, first).unwrap_or_else(|why| why));
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

/// What is right of a file, and what is wrong with it. Of one that was cut short, the views before the last.
fn own(path: &Path) -> (Vec<View>, Vec<String>) {
    let bytes = match std::fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() <= LARGEST => std::fs::read(path),
        Ok(_) => return (Vec::new(), vec![format!("{} is no file of views", super::shown(path))]),
        Err(error) => Err(error),
    };
    let text = match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => {
            let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
            return (Vec::new(), vec![format!("{}:{line}: this is no text in UTF-8", super::shown(path))]);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (Vec::new(), Vec::new()),
        Err(error) => return (Vec::new(), vec![format!("{}: {error}", super::shown(path))]),
    };
    let name = path.display().to_string();
    let (mut options, mut problems) = views::read_file(&name, text.clone());
    if let (true, false, Some(last)) = (options.is_empty(), problems.is_empty(), text.rfind("[[")) {
        options = views::read_file(&name, text[..last].to_owned()).0;
    }
    let own = options.iter().filter_map(|options| View::of(options, false, &mut problems)).collect();
    (own, problems.iter().map(Problem::brief).collect())
}

/// Puts a copy of a file that is not right beside it, under a name that nothing else has, and says where it is and what is wrong.
///
/// # Errors
/// That there is none, with what is wrong.
fn put_aside(path: &Path, wrong: &str) -> Result<String, String> {
    let failed = |why: String| format!("{wrong}; there is no copy of it: {why}");
    // A pipe under that name would never end.
    if !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return Err(wrong.to_owned());
    }
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let mut aside = path.with_extension("toml.broken");
    let mut count = 1;
    while let Ok(other) = std::fs::read(&aside)
        && other != bytes
    {
        count += 1;
        aside = path.with_extension(format!("toml.broken-{count}"));
    }
    state_dir::replace(&aside, &bytes).map_err(failed)?;
    Ok(format!("{wrong}; as it is now it is in {}", super::shown(&aside)))
}

/// Other consoles of the same state directory keep views there too: what they have kept is read again and stays. A file that has
/// gone wrong since is written anew only once there is a copy of it.
fn keep(path: PathBuf) -> Keep {
    Box::new(move |name, view| {
        let (own, problems) = own(&path);
        let aside = problems.first().map(|first| put_aside(&path, first)).transpose()?;
        let mut all: Vec<Words> = own.iter().map(View::to_words).filter(|known| known.name != name).collect();
        all.extend(view.cloned());
        state_dir::replace(&path, file(&all).as_bytes())?;
        Ok(aside)
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

    #[test]
    fn a_file_that_breaks_while_a_console_runs_is_copied_before_it_is_written_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        std::fs::write(&path, TWO).expect("written");
        let (views, said) = start(&UiOptions::default(), Some(folder.path()));
        assert!(views.all().len() == 2 && said.is_empty(), "{said:?}");
        // Cut short within the second view: the first is whole.
        let short = &TWO[..TWO.find("hide").expect("it hides") + 9];
        std::fs::write(&path, short).expect("written");
        let third = Words { name: "third".to_owned(), ..views.all()[1].to_words() };
        let said = keep(path.clone())("third", Some(&third)).expect("kept").expect("something is said");
        assert!(said.contains("views.toml:11:") && said.ends_with("views.toml.broken"), "{said}");
        let names = || own(&path).0.iter().map(|view| view.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(), ["core", "third"]);
        let aside = |name: &str| std::fs::read(folder.path().join(name)).expect("a copy");
        assert_eq!(aside("views.toml.broken"), short.as_bytes());
        // Another time: the first copy stays.
        std::fs::write(&path, b"# mine\n\xff\n").expect("written");
        let said = start(&UiOptions::default(), Some(folder.path())).1;
        assert!(said[0].contains("views.toml:2: this is no text in UTF-8; as it is now it is in "), "{said:?}");
        assert!(keep(path.clone())("third", Some(&third)).expect("kept").is_some());
        assert_eq!((aside("views.toml.broken"), names()), (short.as_bytes().to_vec(), vec!["third".to_owned()]));
        assert_eq!(aside("views.toml.broken-2"), b"# mine\n\xff\n");
        assert!(!folder.path().join("views.toml.broken-3").exists(), "of one file there is one copy");
        assert_eq!(keep(path.clone())("third", None), Ok(None));
    }

    #[test]
    fn what_cannot_be_copied_is_not_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        std::fs::create_dir(&path).expect("a folder of that name");
        let said = start(&UiOptions::default(), Some(folder.path())).1;
        assert!(said.len() == 1 && said[0].ends_with("views.toml is no file of views"), "{said:?}");
        let why = keep(path.clone())("core", None).expect_err("it is no file");
        assert!(why.ends_with("views.toml is no file of views"), "{why}");
        assert!(path.is_dir());
    }
}
