//! `ssh_config(5)`: what the user's and the system's files say about a host. First value wins, as in OpenSSH;
//! `IdentityFile` and `CertificateFile` add up. Files are read once, bounded, and never run anything:
//! `Match exec` never matches and is reported, `ProxyCommand` is recognised and kept as text. The rules
//! are held against `ssh -G` by a test.

mod parse;
pub(in crate::ssh) mod pattern;
mod settings;
mod split;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use settings::{AgentSocket, HostSettings, Proxy, StrictHostKeys};

use super::target::is_safe_host;
use parse::{Line, Reading};

/// What the values of a configuration may refer to: the local user and machine.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub home: PathBuf,
    pub user: String,
    pub uid: u32,
    pub machine: String,
    /// `SSH_AUTH_SOCK`.
    pub agent: Option<PathBuf>,
    /// The only file to read, as `ssh -F` has it; `None`: the user's, then the system's.
    pub config: Option<PathBuf>,
}

impl Surroundings {
    /// From the environment of this process, with another home.
    pub fn with_home(home: &Path) -> Self {
        Self { home: home.to_path_buf(), ..Self::from_environment() }
    }

    /// How the system's own ssh is called, so that it reads the same file as the sessions do.
    pub fn system_ssh(&self) -> Vec<String> {
        let mut argv = vec!["ssh".to_owned()];
        if let Some(file) = &self.config {
            argv.extend(["-F".to_owned(), file.display().to_string()]);
        }
        argv
    }

    /// From the environment of this process; asks no name service.
    pub fn from_environment() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let home = variable("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
        let user = variable("USER")
            .or_else(|| variable("LOGNAME"))
            .unwrap_or_else(|| if uid == 0 { "root".to_owned() } else { uid.to_string() });
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let agent = std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
        Self { home, user, uid, machine, agent, config: None }
    }
}

/// A name that a `Host` line introduces, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedHost {
    pub alias: String,
    pub file: Arc<Path>,
    /// From 1.
    pub line: usize,
}

/// Something in the files that is wrong, or that is deliberately not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub file: Arc<Path>,
    /// From 1; 0 for the file as a whole.
    pub line: usize,
    pub message: String,
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = crate::base::text::clean(&self.file.to_string_lossy());
        let message = crate::base::text::clean(&self.message);
        if self.line == 0 { write!(f, "{file}: {message}") } else { write!(f, "{file}:{}: {message}", self.line) }
    }
}

/// The parsed files, in their order of precedence.
#[derive(Clone, Debug)]
pub struct SshConfig {
    files: Vec<Vec<Line>>,
    surroundings: Surroundings,
    /// What was found wrong while reading.
    pub remarks: Vec<Remark>,
}

impl SshConfig {
    /// The user's file, then the system's; or the one that is named. A usual file that does not exist says
    /// nothing; one that cannot be read, and a named one that is missing, is a remark.
    pub fn load(surroundings: Surroundings) -> Self {
        if let Some(named) = surroundings.config.clone() {
            return Self::from_file(&named, surroundings);
        }
        let user = surroundings.home.join(".ssh/config");
        Self::read(surroundings, &[user, PathBuf::from("/etc/ssh/ssh_config")], false)
    }

    /// The user's file alone; that it does not exist says nothing.
    pub fn of_user(surroundings: Surroundings) -> Self {
        let user = surroundings.home.join(".ssh/config");
        Self::read(surroundings, &[user], false)
    }

    /// This file alone, as `ssh -F` does; that it is missing is a remark.
    pub fn from_file(path: &Path, surroundings: Surroundings) -> Self {
        Self::read(surroundings, &[path.to_path_buf()], true)
    }

    fn read(surroundings: Surroundings, paths: &[PathBuf], required: bool) -> Self {
        let mut reading = Reading::new(&surroundings.home);
        let files = paths.iter().map(|path| reading.file(path, required)).collect();
        let remarks = reading.remarks;
        Self { files, surroundings, remarks }
    }

    /// Everything that holds for this name as it would be given to `ssh`: `alias`, `user@alias`.
    pub fn resolve(&self, target: &str) -> HostSettings {
        let (user, alias) = match target.rsplit_once('@') {
            Some((user, alias)) if !user.is_empty() => (Some(user), alias),
            _ => (None, target),
        };
        settings::resolve(&self.files, alias, user, None, &self.surroundings)
    }

    /// As [`SshConfig::resolve`], with a user and port from elsewhere that overrule the files.
    pub fn resolve_with(&self, alias: &str, user: Option<&str>, port: Option<u16>) -> HostSettings {
        settings::resolve(&self.files, alias, user, port, &self.surroundings)
    }

    /// Whether any host is reached through another at all.
    pub fn has_jumps(&self) -> bool {
        self.files.iter().flatten().flat_map(Line::with_included).any(|line| line.keyword == "proxyjump")
    }

    /// The names without wildcards that `Host` lines introduce, in the order of the files, each once.
    pub fn hosts(&self) -> Vec<NamedHost> {
        let mut found: Vec<NamedHost> = Vec::new();
        let mut seen = HashSet::new();
        for line in self.files.iter().flatten().flat_map(Line::with_included) {
            if line.keyword != "host" || line.arguments.iter().any(|a| a.starts_with('!')) {
                continue;
            }
            for alias in line.arguments.iter().filter(|a| is_plain_name(a)) {
                if seen.insert(alias) {
                    found.push(NamedHost { alias: alias.clone(), file: line.file.clone(), line: line.number });
                }
            }
        }
        found
    }

    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }
}

/// A `*` and `?` pattern against a name, without regard to ASCII case.
pub fn matches(pattern: &str, name: &str) -> bool {
    pattern::matches(&pattern.to_ascii_lowercase(), &name.to_ascii_lowercase())
}

fn is_plain_name(text: &str) -> bool {
    is_safe_host(text) && !text.contains(['*', '?', '!', ','])
}

#[cfg(test)]
mod tests;
