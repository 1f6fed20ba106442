//! Files that a configuration names.

use std::path::{Path, PathBuf};

/// A path as the file `name` means it: `~/` is the user's home, and what is relative stands beside the file.
pub(super) fn beside(name: &str, path: &str) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Some(home) = std::env::var_os("HOME")
    {
        return Path::new(&home).join(rest);
    }
    Path::new(name).parent().map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
}
