//! Files that a configuration names.

use std::path::{Path, PathBuf};

use super::{Place, Reader};

impl Reader<'_> {
    /// A file or a folder: one that is relative stands beside the file that names it.
    pub fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let text = self.string(key)?;
        Some(beside(&self.place_of(key).source.name, &text))
    }

    /// Files or folders, likewise.
    pub fn paths(&mut self, key: &'static str) -> Option<Vec<PathBuf>> {
        let files = self.placed_strings(key)?;
        Some(files.iter().map(|(file, place)| beside(&place.source.name, file)).collect())
    }

    /// A program and its arguments.
    pub fn argv(&mut self, key: &'static str) -> Option<Vec<String>> {
        let mut words = self.placed_strings(key)?.into_iter();
        let first = words.next().map(|(name, place)| program(&place, &name));
        Some(first.into_iter().chain(words.map(|(word, _)| word)).collect())
    }
}

/// A program as the configuration means it: a bare name is looked for in the search path, one with a slash stands beside the file.
/// It is found from whatever folder it is to run in.
pub fn program(place: &Place, name: &str) -> String {
    if !name.contains('/') {
        return name.to_owned();
    }
    let path = beside(&place.source.name, name);
    std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned()
}

/// A path as the file `name` means it: `~/` is the user's home, and what is relative stands beside the file.
pub fn beside(name: &str, path: &str) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Some(home) = std::env::var_os("HOME")
    {
        return Path::new(&home).join(rest);
    }
    Path::new(name).parent().map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
}
