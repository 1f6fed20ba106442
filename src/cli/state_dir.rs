//! The one directory that noctty writes to, and whether it can.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Where it is: as named, else by the XDG rules, else below the home; `None` where there is no home.
pub fn choose(named: Option<&Path>) -> Option<PathBuf> {
    if let Some(named) = named {
        return Some(named.to_owned());
    }
    let dirs = directories::ProjectDirs::from("", "", "noctty")?;
    Some(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())
}

/// Puts a file in the place of what is there under that name, for its owner only: whole or not at all.
///
/// # Errors
/// What the system said, with the path.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let _ = std::fs::remove_file(&part);
    let open = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
    let written = open.and_then(|mut file| {
        file.write_all(bytes)?;
        std::fs::rename(&part, path)
    });
    written.map_err(|error| {
        let _ = std::fs::remove_file(&part);
        format!("cannot write {}: {error}", super::shown(path))
    })
}

/// Makes it, for its owner only.
///
/// # Errors
/// What the system said, with the path.
pub fn prepare(path: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("cannot use {}: {e}", super::shown(path));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}
