//! Reads the files: bounded in size, number and depth, `Include` resolved in place. A file that includes
//! itself is reported once and left out.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Remark, pattern, split};

/// A file larger than this is not read.
const FILE_LIMIT: u64 = 1 << 20;
/// OpenSSH's own limit of nested `Include`s.
const DEPTH_LIMIT: usize = 16;
const FILES_LIMIT: usize = 512;
const REMARKS_LIMIT: usize = 64;

/// One directive with its place.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub file: Arc<Path>,
    pub number: usize,
    /// In lower case.
    pub keyword: String,
    pub arguments: Vec<String>,
    /// All after the keyword as written, for `ProxyCommand`.
    pub rest: String,
    /// For `include`: the lines of each file it names.
    pub included: Vec<Vec<Line>>,
}

impl Line {
    /// This line and all that it includes, depth first.
    pub(super) fn with_included(&self) -> Vec<&Line> {
        let mut out = vec![self];
        for line in self.included.iter().flatten() {
            out.extend(line.with_included());
        }
        out
    }
}

#[derive(Debug)]
pub(super) struct Reading<'a> {
    home: &'a Path,
    open: Vec<PathBuf>,
    files: usize,
    pub remarks: Vec<Remark>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(home: &'a Path) -> Self {
        Self { home, open: Vec::new(), files: 0, remarks: Vec::new() }
    }

    pub(super) fn file(&mut self, path: &Path, required: bool) -> Vec<Line> {
        let name: Arc<Path> = Arc::from(path);
        if self.open.iter().any(|p| p == path) || self.open.len() > DEPTH_LIMIT {
            self.remark(&name, 0, "includes itself or is nested too deep: not read again");
            return Vec::new();
        }
        self.files += 1;
        if self.files > FILES_LIMIT {
            self.remark(&name, 0, "too many included files: not read");
            return Vec::new();
        }
        let text = match read_bounded(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => return Vec::new(),
            Err(error) => {
                self.remark(&name, 0, &format!("cannot be read: {error}"));
                return Vec::new();
            }
        };
        self.open.push(path.to_path_buf());
        let mut lines = Vec::new();
        for (index, text) in text.lines().enumerate() {
            if let Some(line) = self.line(&name, index + 1, text) {
                lines.push(line);
            }
        }
        self.open.pop();
        lines
    }

    fn line(&mut self, file: &Arc<Path>, number: usize, text: &str) -> Option<Line> {
        let (keyword, rest) = split::keyword(text)?;
        let arguments = match split::arguments(rest) {
            Some(arguments) => arguments,
            None if keyword == "proxycommand" => Vec::new(),
            None => {
                self.remark(file, number, "a quote is not closed: line ignored");
                return None;
            }
        };
        if arguments.is_empty() && rest.is_empty() {
            self.remark(file, number, &format!("{keyword} has no value: line ignored"));
            return None;
        }
        if keyword == "match" && arguments.iter().any(|a| a.trim_start_matches('!').eq_ignore_ascii_case("exec")) {
            self.remark(file, number, "Match exec is never run here: the block does not apply");
        }
        let mut included = Vec::new();
        if keyword == "include" {
            for argument in &arguments {
                for path in expand(&self.include_path(argument)) {
                    included.push(self.file(&path, false));
                }
            }
        }
        Some(Line { file: file.clone(), number, keyword, arguments, rest: rest.to_owned(), included })
    }

    /// A relative path is relative to `~/.ssh`, or to `/etc/ssh` within the system's file.
    fn include_path(&self, argument: &str) -> PathBuf {
        if let Some(rest) = argument.strip_prefix("~/") {
            return self.home.join(rest);
        }
        let system = self.open.first().is_some_and(|p| p.starts_with("/etc/ssh"));
        let base = if system { PathBuf::from("/etc/ssh") } else { self.home.join(".ssh") };
        base.join(argument)
    }

    fn remark(&mut self, file: &Arc<Path>, line: usize, message: &str) {
        if self.remarks.len() < REMARKS_LIMIT {
            self.remarks.push(Remark { file: file.clone(), line, message: message.to_owned() });
        }
    }
}

/// Non-blocking, so that a FIFO in the place of a file cannot stop the start.
fn read_bounded(path: &Path) -> std::io::Result<String> {
    let file: File = OpenOptions::new().read(true).custom_flags(0o4000).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `glob(7)` with `*` and `?` in any component; sorted, at most [`FILES_LIMIT`]. A path without
/// wildcards is itself.
fn expand(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in path.components() {
        let name = component.as_os_str().to_string_lossy();
        if !name.contains(['*', '?']) {
            for path in &mut found {
                path.push(component);
            }
            continue;
        }
        let mut next = Vec::new();
        for folder in &found {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            for entry in entries.flatten().take(10 * FILES_LIMIT) {
                let entry_name = entry.file_name();
                let text = entry_name.to_string_lossy();
                // As glob does: a leading dot is matched by a dot only.
                if pattern::matches(&name, &text) && (!text.starts_with('.') || name.starts_with('.')) {
                    next.push(folder.join(&entry_name));
                }
            }
        }
        next.sort();
        next.truncate(FILES_LIMIT);
        found = next;
    }
    found
}
