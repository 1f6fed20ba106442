//! Writing an incident to a file: nothing that is there is overwritten unless asked, and no link is followed.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use color_eyre::eyre::{Result, WrapErr as _, bail};

use super::super::shown;
use super::private_file;
use crate::base::Timestamp;
use crate::model::Incident;
use crate::report::incident as report;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Markdown,
    Json,
    Csv,
}

impl Format {
    pub fn render(self, incident: &Incident, damage: &[String], now: Timestamp) -> String {
        match self {
            Self::Markdown => report::markdown(incident),
            Self::Json => report::show_json(incident, damage, now),
            Self::Csv => report::csv(incident),
        }
    }
}

/// Writes a new file; with `force` it takes the place of what is there (a link is replaced, not followed).
pub fn write(path: &Path, text: &str, force: bool) -> Result<()> {
    let target = if force { beside(path) } else { path.to_owned() };
    let mut file = match private_file(&target) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already; --force replaces it", shown(&target))
        }
        other => other.wrap_err_with(|| format!("cannot write {}", shown(&target)))?,
    };
    let done = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let done = done.and_then(|()| if force { std::fs::rename(&target, path) } else { Ok(()) });
    if let Err(error) = done {
        // A part of an export must not pass for the whole.
        let _ = std::fs::remove_file(&target);
        return Err(error).wrap_err_with(|| format!("cannot write {}", shown(path)));
    }
    super::super::print(&format!("wrote {}\n", shown(path)))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", ulid::Ulid::new()));
    PathBuf::from(name)
}
