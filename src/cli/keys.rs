//! The keys of a console: the shipped ones, and what the operator's files change of them.

use std::path::Path;

use crate::base::options::Problem;
use crate::config::keymap::{self, Keymap};
use crate::ui::commands;

/// The shipped keys with those beside the configuration and then the user's own laid over them, and what is wrong there.
pub fn in_force(folder: Option<&Path>) -> (Keymap, Vec<Problem>) {
    let names = commands::bindable();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut keys = Keymap::default();
    let mut problems = keys.merge("the shipped keymap", keymap::SHIPPED, &names);
    let home = super::config_home().filter(|home| folder != Some(home));
    for path in folder.map(Path::to_owned).into_iter().chain(home).map(|folder| folder.join("keymap.toml")) {
        match std::fs::read_to_string(&path) {
            Ok(text) => problems.extend(keys.merge(&path.display().to_string(), &text, &names)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => problems.push(Problem::unplaced(format!("cannot read {}: {error}", path.display()))),
        }
    }
    (keys, problems)
}
