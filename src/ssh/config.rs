//! `ssh_config(5)`, read as OpenSSH reads it: the first value of a keyword wins, `Host` and `Match` blocks apply by
//! pattern, `Include` is followed. `Match exec` and `ProxyCommand` are recognised and never run.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Files nested deeper than this are not followed (OpenSSH's own limit is 16).
const DEPTH: usize = 16;
/// A configuration file larger than this is a mistake.
const LARGEST: u64 = 4 * 1024 * 1024;

/// All blocks of a configuration, includes in place.
#[derive(Clone, Debug, Default)]
pub struct SshConfig {
    blocks: Vec<Block>,
    home: PathBuf,
    /// What could not be read or is not supported, in words.
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug)]
struct Block {
    /// All must hold: a block inside an `Include` needs the block around it too.
    conditions: Vec<Condition>,
    settings: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
enum Condition {
    Host(Vec<String>),
    Match(Vec<(String, bool, String)>),
}

/// What applies to one host, tokens expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSettings {
    pub host_name: String,
    pub user: Option<String>,
    pub port: u16,
    pub identity_files: Vec<PathBuf>,
    pub identities_only: bool,
    pub identity_agent: Option<String>,
    /// Comma-separated hops; `None` also for `none`.
    pub proxy_jump: Option<String>,
    pub proxy_command: Option<String>,
    pub user_known_hosts: Vec<PathBuf>,
    pub global_known_hosts: Vec<PathBuf>,
    pub host_key_alias: Option<String>,
    pub strict_host_key_checking: Option<String>,
}

impl SshConfig {
    /// Reads a file and what it includes. A file that is not there is an empty one.
    pub fn read(file: &Path, home: &Path) -> Self {
        let mut config = Self { home: home.to_owned(), ..Self::default() };
        config.load(file, &[], 0, &mut HashSet::new());
        config
    }

    /// Reads several, the first with precedence: the user's, then the system's.
    pub fn read_all(files: &[PathBuf], home: &Path) -> Self {
        let mut config = Self { home: home.to_owned(), ..Self::default() };
        for file in files {
            config.load(file, &[], 0, &mut HashSet::new());
        }
        config
    }

    /// Names that stand alone in a `Host` line: no patterns, no negations; each once, in order.
    pub fn hosts(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let mut out = Vec::new();
        for block in &self.blocks {
            let Some(Condition::Host(patterns)) = block.conditions.last() else { continue };
            for pattern in patterns.iter().filter(|p| !p.contains(['*', '?', '!'])) {
                if seen.insert(pattern.clone()) {
                    out.push(pattern.clone());
                }
            }
        }
        out
    }

    /// What applies to a host that is named like this on the command line.
    pub fn resolve(&self, alias: &str) -> HostSettings {
        let mut found: Vec<(&str, &str)> = Vec::new();
        let mut host_name: Option<String> = None;
        let mut user: Option<String> = None;
        for block in &self.blocks {
            let current = host_name.clone().unwrap_or_else(|| alias.to_owned());
            if !block.conditions.iter().all(|c| c.holds(alias, &current, user.as_deref())) {
                continue;
            }
            for (key, value) in &block.settings {
                found.push((key, value));
                if key == "hostname" && host_name.is_none() {
                    host_name = Some(value.replace("%h", alias).replace("%%", "%"));
                }
                if key == "user" && user.is_none() {
                    user = Some(value.clone());
                }
            }
        }
        let first = |key: &str| found.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).to_owned());
        let host_name = host_name.unwrap_or_else(|| alias.to_owned());
        let port = first("port").and_then(|p| p.parse().ok()).unwrap_or(22);
        let tokens = Tokens { host: &host_name, alias, port, user: user.as_deref(), home: &self.home };
        let none = |value: &String| !value.eq_ignore_ascii_case("none");
        let proxy = found.iter().find(|(k, _)| *k == "proxyjump" || *k == "proxycommand");
        let paths = |value: Option<String>| -> Vec<PathBuf> {
            value.map(|v| words(&v).iter().map(|w| tokens.path(w)).collect()).unwrap_or_default()
        };
        HostSettings {
            user: user.clone(),
            port,
            identity_files: found
                .iter()
                .filter(|(k, v)| *k == "identityfile" && !v.eq_ignore_ascii_case("none"))
                .map(|(_, v)| tokens.path(v))
                .collect(),
            identities_only: first("identitiesonly").is_some_and(|v| v.eq_ignore_ascii_case("yes")),
            identity_agent: first("identityagent").map(|v| tokens.expand(&v)),
            proxy_jump: proxy.filter(|(k, _)| *k == "proxyjump").map(|(_, v)| tokens.expand(v)).filter(none),
            proxy_command: proxy.filter(|(k, _)| *k == "proxycommand").map(|(_, v)| (*v).to_owned()).filter(none),
            user_known_hosts: paths(first("userknownhostsfile")),
            global_known_hosts: paths(first("globalknownhostsfile")),
            host_key_alias: first("hostkeyalias"),
            strict_host_key_checking: first("stricthostkeychecking"),
            host_name: host_name.clone(),
        }
    }

    fn load(&mut self, file: &Path, outer: &[Condition], depth: usize, open: &mut HashSet<PathBuf>) {
        if depth > DEPTH || !open.insert(file.to_owned()) {
            self.remarks.push(format!("{}: included too deep or in a circle", file.display()));
            return;
        }
        let text = match read_bounded(file) {
            Ok(Some(text)) => text,
            Ok(None) => {
                open.remove(file);
                return;
            }
            Err(why) => {
                self.remarks.push(format!("cannot read {}: {why}", file.display()));
                open.remove(file);
                return;
            }
        };
        let mut conditions = outer.to_vec();
        self.blocks.push(Block { conditions: conditions.clone(), settings: Vec::new() });
        for line in text.lines() {
            let Some((key, value)) = keyword(line) else { continue };
            match key.as_str() {
                "host" => {
                    conditions = outer.to_vec();
                    conditions.push(Condition::Host(words(&value)));
                    self.blocks.push(Block { conditions: conditions.clone(), settings: Vec::new() });
                }
                "match" => {
                    conditions = outer.to_vec();
                    let condition = self.match_condition(&value, file);
                    conditions.push(condition);
                    self.blocks.push(Block { conditions: conditions.clone(), settings: Vec::new() });
                }
                "include" => {
                    for pattern in words(&value) {
                        for path in self.included(&pattern, file) {
                            self.load(&path, &conditions, depth + 1, open);
                        }
                    }
                    self.blocks.push(Block { conditions: conditions.clone(), settings: Vec::new() });
                }
                _ => {
                    let value = if MULTI_WORD.contains(&key.as_str()) {
                        value
                    } else {
                        words(&value).into_iter().next().unwrap_or_default()
                    };
                    if let Some(block) = self.blocks.last_mut() {
                        block.settings.push((key, value));
                    }
                }
            }
        }
        open.remove(file);
    }

    fn match_condition(&mut self, value: &str, file: &Path) -> Condition {
        let mut criteria = Vec::new();
        let parts = words(value);
        let mut i = 0;
        while i < parts.len() {
            let lower = parts[i].to_ascii_lowercase();
            let (name, wanted) = lower.strip_prefix('!').map_or((lower.as_str(), true), |n| (n, false));
            if matches!(name, "all" | "canonical" | "final") {
                criteria.push((name.to_owned(), wanted, String::new()));
                i += 1;
            } else {
                if name == "exec" {
                    self.remarks.push(format!("{}: `Match exec` is not run; its block does not apply", file.display()));
                }
                criteria.push((name.to_owned(), wanted, parts.get(i + 1).cloned().unwrap_or_default()));
                i += 2;
            }
        }
        Condition::Match(criteria)
    }

    fn included(&self, pattern: &str, _file: &Path) -> Vec<PathBuf> {
        let path = if let Some(rest) = pattern.strip_prefix("~/") {
            self.home.join(rest)
        } else if pattern.starts_with('/') {
            PathBuf::from(pattern)
        } else {
            self.home.join(".ssh").join(pattern)
        };
        let (Some(folder), Some(name)) = (path.parent(), path.file_name().map(|n| n.to_string_lossy().into_owned()))
        else {
            return Vec::new();
        };
        if !name.contains(['*', '?']) {
            return vec![path];
        }
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut out: Vec<PathBuf> = entries
            .flatten()
            .filter(|e| {
                let file = e.file_name().to_string_lossy().into_owned();
                !file.starts_with('.') && matches(&name, &file)
            })
            .map(|e| e.path())
            .collect();
        out.sort();
        out
    }
}

/// Keywords whose value is the rest of the line.
const MULTI_WORD: [&str; 6] =
    ["proxycommand", "localcommand", "remotecommand", "userknownhostsfile", "globalknownhostsfile", "sendenv"];

impl Condition {
    fn holds(&self, alias: &str, host: &str, user: Option<&str>) -> bool {
        match self {
            Self::Host(patterns) => pattern_list(patterns.iter().map(String::as_str), alias),
            Self::Match(criteria) => criteria.iter().all(|(name, wanted, value)| {
                let list = || value.split(',');
                let held = match name.as_str() {
                    "all" => true,
                    "host" => pattern_list(list(), host),
                    "originalhost" => pattern_list(list(), alias),
                    "user" => user.is_some_and(|u| pattern_list(list(), u)),
                    "localuser" => std::env::var("USER").is_ok_and(|u| pattern_list(list(), &u)),
                    // Canonical and final passes, tags and commands are not ours to decide.
                    _ => return false,
                };
                held == *wanted
            }),
        }
    }
}

struct Tokens<'a> {
    host: &'a str,
    alias: &'a str,
    port: u16,
    user: Option<&'a str>,
    home: &'a Path,
}

impl Tokens<'_> {
    fn expand(&self, text: &str) -> String {
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('h') => out.push_str(self.host),
                Some('n') => out.push_str(self.alias),
                Some('p') => out.push_str(&self.port.to_string()),
                Some('r') => out.push_str(self.user.unwrap_or_default()),
                Some('u') => out.push_str(&std::env::var("USER").unwrap_or_default()),
                Some('d') => out.push_str(&self.home.to_string_lossy()),
                Some('%') | None => out.push('%'),
                Some(other) => {
                    out.push('%');
                    out.push(other);
                }
            }
        }
        out
    }

    fn path(&self, text: &str) -> PathBuf {
        let text = self.expand(text);
        text.strip_prefix("~/").map_or_else(|| PathBuf::from(&text), |rest| self.home.join(rest))
    }
}

/// A line's keyword in lower case and its value; `None` for blank lines and comments.
fn keyword(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_ascii_whitespace() || c == '=')?;
    let (key, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    Some((key.to_ascii_lowercase(), rest.to_owned()))
}

/// Words, with double quotes and an unquoted `#` that begins a comment.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut any = false;
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            '#' if !quoted && !any => break,
            c if c.is_whitespace() && !quoted => {
                if any {
                    out.push(std::mem::take(&mut word));
                    any = false;
                }
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        out.push(word);
    }
    out
}

/// A list of patterns matches where one does and no negated one does.
pub fn pattern_list<'a>(patterns: impl Iterator<Item = &'a str>, name: &str) -> bool {
    let mut matched = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated, name) => return false,
            Some(_) => {}
            None => matched |= matches(pattern, name),
        }
    }
    matched
}

/// `*` and `?`, without regard to case; linear in pattern times name.
pub fn matches(pattern: &str, name: &str) -> bool {
    let p: Vec<char> = pattern.chars().map(|c| c.to_ascii_lowercase()).collect();
    let n: Vec<char> = name.chars().map(|c| c.to_ascii_lowercase()).collect();
    let (mut i, mut j, mut star) = (0, 0, None);
    while j < n.len() {
        if i < p.len() && (p[i] == '?' || p[i] == n[j]) && p[i] != '*' {
            i += 1;
            j += 1;
        } else if i < p.len() && p[i] == '*' {
            star = Some((i, j));
            i += 1;
        } else if let Some((si, sj)) = star {
            i = si + 1;
            j = sj + 1;
            star = Some((si, sj + 1));
        } else {
            return false;
        }
    }
    p[i..].iter().all(|c| *c == '*')
}

fn read_bounded(file: &Path) -> Result<Option<String>, String> {
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(about) if !about.is_file() => return Err("it is no file".to_owned()),
        Ok(about) if about.len() > LARGEST => return Err("it is too large".to_owned()),
        Ok(_) => {}
    }
    let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
# jump hosts first
Host jump1
    HostName jump1.example.net
    User ops
    Port 2201
Host db* !db9
    ProxyJump jump1
    User=dba
    IdentityFile ~/.ssh/id_db
Host db1
    HostName 10.0.0.%h
    User never-second
Host tunnel
    ProxyCommand nc -x proxy %h %p
Match originalhost sw-1
    Port 2022
Match exec \"true\"
    Port 99
Host *
    Port 2222
    IdentityFile \"~/.ssh/id %r\"
";

    fn sample() -> (tempfile::TempDir, SshConfig) {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join(".ssh")).expect("made");
        let file = home.path().join(".ssh/config");
        std::fs::write(&file, SAMPLE).expect("written");
        let config = SshConfig::read(&file, home.path());
        (home, config)
    }

    #[test]
    fn the_first_value_wins_and_patterns_apply() {
        let (home, config) = sample();
        let db1 = config.resolve("db1");
        assert_eq!((db1.host_name.as_str(), db1.user.as_deref(), db1.port), ("10.0.0.db1", Some("dba"), 2222));
        assert_eq!(db1.proxy_jump.as_deref(), Some("jump1"));
        assert_eq!(db1.identity_files, [home.path().join(".ssh/id_db"), home.path().join(".ssh/id dba")]);
        assert_eq!(config.resolve("db9").proxy_jump, None);
        assert_eq!(config.resolve("jump1").port, 2201);
        assert!(config.resolve("tunnel").proxy_command.is_some());
    }

    #[test]
    fn the_body_of_a_match_block_does_not_leak() {
        let (_home, config) = sample();
        assert_eq!(config.resolve("sw-1").port, 2022);
        assert_eq!(config.resolve("other").port, 2222);
        assert_eq!(config.remarks.len(), 1);
    }

    #[test]
    fn only_plain_names_are_hosts() {
        let (_home, config) = sample();
        assert_eq!(config.hosts(), ["jump1", "db1", "tunnel"]);
    }

    #[test]
    fn an_include_in_a_circle_ends() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join(".ssh")).expect("made");
        let file = home.path().join(".ssh/config");
        std::fs::write(&file, "Include config\nHost a\n  Port 5\n").expect("written");
        let config = SshConfig::read(&file, home.path());
        assert_eq!(config.resolve("a").port, 5);
        assert!(config.remarks[0].contains("in a circle"));
    }

    #[test]
    fn patterns_match_as_globs() {
        for (pattern, name, want) in [
            ("*", "x", true),
            ("a?c", "abc", true),
            ("a*c", "ac", true),
            ("*a*b*", "xxaxxbx", true),
            ("a", "A", true),
            ("?", "", false),
            ("ab", "abc", false),
        ] {
            assert_eq!(matches(pattern, name), want, "{pattern} {name}");
        }
    }
}
