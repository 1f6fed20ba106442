//! The user's own device profiles: `profiles/` beside the configuration in force. A file that is wrong is said and left out;
//! it keeps nothing from being watched.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::options::Problem;
use crate::probe::ports::generic_groups;
use crate::profile::{Profiles, Text};

/// A profile larger than this is a mistake.
const LARGEST: u64 = 1024 * 1024;
/// More files than that are not meant to be profiles.
const MOST: usize = 2_000;
/// Folders in folders: vendor, and one more.
const DEEPEST: usize = 4;

/// The shipped profiles and the user's; `None` where the user has none. With all problems of the user's files.
pub fn own(folder: Option<&Path>) -> (Option<Arc<Profiles>>, Vec<Problem>) {
    let home = super::config_home();
    let Some(folder) = folder.or(home.as_deref()).map(|folder| folder.join("profiles")) else {
        return (None, Vec::new());
    };
    let mut problems = Vec::new();
    let mut files = Vec::new();
    find(&folder, 0, &mut files, &mut problems);
    files.sort();
    let texts: Vec<Text> = files.iter().filter_map(|file| text(&folder, file, &mut problems)).collect();
    if texts.is_empty() {
        return (None, problems);
    }
    let (profiles, more) = Profiles::with_own(texts);
    problems.extend(more);
    problems.extend(profiles.unknown_groups(&generic_groups()));
    (Some(profiles), problems)
}

fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, problems: &mut Vec<Problem>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => {
            return problems.push(Problem::unplaced(format!("cannot read {}: {error}", super::shown(folder))));
        }
    };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let is_profile = path.extension().is_some_and(|extension| extension == "toml");
        if path.is_dir() && depth < DEEPEST {
            find(&path, depth + 1, files, problems);
        } else if is_profile && files.len() < MOST {
            files.push(path);
        } else if is_profile {
            return problems.push(Problem::unplaced(format!("{}: more than {MOST} profiles", super::shown(folder))));
        }
    }
}

fn text(folder: &Path, file: &Path, problems: &mut Vec<Problem>) -> Option<Text> {
    let name = file.strip_prefix(folder).ok()?.with_extension("").to_str().map(str::to_owned);
    match (name, read(file)) {
        (Some(name), Ok(text)) => Some(Text { name, shown: file.display().to_string(), text }),
        (None, _) => {
            problems.push(Problem::unplaced(format!("{}: the name is not UTF-8", super::shown(file))));
            None
        }
        (_, Err(why)) => {
            problems.push(Problem::unplaced(format!("cannot read {}: {why}", super::shown(file))));
            None
        }
    }
}

fn read(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(file).map_err(|e| e.to_string())?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST / 1024 / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
