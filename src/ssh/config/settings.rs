//! From the lines of the files to what holds for one host.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::parse::Line;
use super::{Surroundings, pattern};

/// `StrictHostKeyChecking`. A changed or revoked key is refused whatever it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrictHostKeys {
    /// An unknown key is refused.
    Yes,
    /// The operator is asked about an unknown key: `ask`, the default.
    Ask,
    /// OpenSSH would take an unknown key without a question (`accept-new`, `no`); here it is still asked.
    AcceptNew,
}

/// `IdentityAgent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentSocket {
    None,
    Path(PathBuf),
}

/// How the host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    Direct,
    /// `ProxyJump`: `[user@]host[:port]` each, the first is dialled first.
    Jump(Vec<String>),
    /// `ProxyCommand` as written. It is never run.
    Command(String),
}

/// What the configuration says about one host, with OpenSSH's defaults where it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSettings {
    /// The name that was asked for.
    pub alias: String,
    pub host_name: String,
    pub user: String,
    pub port: u16,
    pub proxy: Proxy,
    /// Expanded; the default files where none is named.
    pub identity_files: Vec<PathBuf>,
    /// The files were named by the configuration, not taken by default.
    pub identities_named: bool,
    pub identities_only: bool,
    pub certificate_files: Vec<PathBuf>,
    pub agent: AgentSocket,
    pub user_known_hosts: Vec<PathBuf>,
    pub global_known_hosts: Vec<PathBuf>,
    pub host_key_alias: Option<String>,
    pub strict_host_keys: StrictHostKeys,
    pub hash_known_hosts: bool,
    pub connect_timeout: Option<Duration>,
    /// Zero: none asked for.
    pub alive_interval: Duration,
    pub alive_count_max: u32,
    /// `PKCS11Provider`: only the system's ssh can use it.
    pub needs_system_ssh: Option<&'static str>,
    /// Values that mean nothing, with their place: `file:line: …`.
    pub problems: Vec<String>,
}

impl HostSettings {
    /// The jump host nearest to the target, for "behind jump1, not probed"; the word `ProxyCommand` for
    /// a command.
    pub fn behind(&self) -> Option<&str> {
        match &self.proxy {
            Proxy::Direct => None,
            Proxy::Jump(hops) => hops.last().map(String::as_str),
            Proxy::Command(_) => Some("ProxyCommand"),
        }
    }
}

const DEFAULT_IDENTITIES: [&str; 5] = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];

/// Values as first found.
#[derive(Debug, Default)]
struct Draft {
    host_name: Option<String>,
    user: Option<String>,
    port: Option<u16>,
    proxy: Option<Proxy>,
    identity_files: Vec<String>,
    certificate_files: Vec<String>,
    identities_only: Option<bool>,
    identity_agent: Option<String>,
    user_known_hosts: Option<Vec<String>>,
    global_known_hosts: Option<Vec<String>>,
    host_key_alias: Option<String>,
    strict: Option<StrictHostKeys>,
    hash: Option<bool>,
    /// As written, `none` included.
    connect_timeout: Option<String>,
    alive_interval: Option<Duration>,
    alive_count_max: Option<u32>,
    pkcs11: Option<bool>,
    problems: Vec<String>,
}

struct Pass<'a> {
    alias: &'a str,
    /// What `Host` lines are held against: the alias, in the final pass the host name.
    name: String,
    surroundings: &'a Surroundings,
    is_final: bool,
    wants_final: bool,
}

pub(super) fn resolve(
    files: &[Vec<Line>],
    alias: &str,
    user: Option<&str>,
    port: Option<u16>,
    surroundings: &Surroundings,
) -> HostSettings {
    let mut draft = Draft { user: user.map(str::to_owned), port, ..Draft::default() };
    let mut pass = Pass { alias, name: alias.to_owned(), surroundings, is_final: false, wants_final: false };
    for file in files {
        pass.walk(file, &mut draft, true, false);
    }
    if pass.wants_final {
        pass.is_final = true;
        pass.name = draft.current_name(alias).to_ascii_lowercase();
        for file in files {
            pass.walk(file, &mut draft, true, false);
        }
    }
    finish(draft, alias, surroundings)
}

impl Pass<'_> {
    /// `never`: the file is included from a block that does not apply, so nothing in it can.
    fn walk(&mut self, lines: &[Line], draft: &mut Draft, starts_active: bool, never: bool) {
        let mut active = starts_active;
        for line in lines {
            match line.keyword.as_str() {
                "host" => {
                    active = !never && pattern::list_matches(line.arguments.iter().map(String::as_str), &self.name);
                }
                "match" => active = self.matches(&line.arguments, draft) && !never,
                "include" => {
                    for file in &line.included {
                        self.walk(file, draft, active, never || !active);
                    }
                }
                _ if active => draft.take(line),
                _ => {}
            }
        }
    }

    fn matches(&mut self, arguments: &[String], draft: &Draft) -> bool {
        let mut result = true;
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let (negated, name) = word.strip_prefix('!').map_or((false, word.as_str()), |rest| (true, rest));
            let (name, inline) = name.split_once('=').map_or((name, None), |(n, v)| (n, Some(v)));
            let name = name.to_ascii_lowercase();
            let holds = match name.as_str() {
                "all" => true,
                "final" | "canonical" => {
                    self.wants_final |= name == "final";
                    self.is_final
                }
                "host" | "originalhost" | "user" | "localuser" => {
                    let Some(list) = inline.or_else(|| words.next().map(String::as_str)) else { return false };
                    self.criterion(&name, list, draft)
                }
                // `exec` is never run; `tagged` and `localnetwork` are newer than what is known here. A block
                // that hangs on one of them does not apply, negated or not.
                _ => return false,
            };
            result &= holds != negated;
        }
        result
    }

    fn criterion(&self, name: &str, list: &str, draft: &Draft) -> bool {
        let lower = |text: &str| text.to_ascii_lowercase();
        match name {
            "host" => pattern::list_matches(lower(list).split(','), &lower(&draft.current_name(self.alias))),
            "originalhost" => pattern::list_matches(lower(list).split(','), &lower(self.alias)),
            "user" => {
                let user = draft.user.as_deref().unwrap_or(&self.surroundings.user);
                pattern::list_matches(list.split(','), user)
            }
            _ => pattern::list_matches(list.split(','), &self.surroundings.user),
        }
    }
}

impl Draft {
    /// `HostName` as far as it is known, else the alias.
    fn current_name(&self, alias: &str) -> String {
        let expand = |h: &String| expand_tokens(h, |c| (c == 'h').then(|| alias.to_owned()));
        self.host_name.as_ref().and_then(expand).unwrap_or_else(|| alias.to_owned())
    }

    fn take(&mut self, line: &Line) {
        let Some(first) = line.arguments.first() else {
            if line.keyword == "proxycommand" && self.proxy.is_none() {
                self.proxy = Some(Proxy::Command(line.rest.clone()));
            }
            return;
        };
        match line.keyword.as_str() {
            "hostname" => keep(&mut self.host_name, first.clone()),
            "user" => keep(&mut self.user, first.clone()),
            "port" => match first.parse::<u16>() {
                Ok(port) if port > 0 => keep(&mut self.port, port),
                _ => self.problem(line, "is no port"),
            },
            "identityfile" => add(&mut self.identity_files, first),
            "certificatefile" => add(&mut self.certificate_files, first),
            "identitiesonly" => self.flag(line, |d| &mut d.identities_only),
            "identityagent" => keep(&mut self.identity_agent, first.clone()),
            "proxyjump" if self.proxy.is_none() => self.jump(line, first),
            "proxycommand" => {
                let none = first.eq_ignore_ascii_case("none");
                keep(&mut self.proxy, if none { Proxy::Direct } else { Proxy::Command(line.rest.clone()) });
            }
            "userknownhostsfile" => keep(&mut self.user_known_hosts, line.arguments.clone()),
            "globalknownhostsfile" => keep(&mut self.global_known_hosts, line.arguments.clone()),
            "hostkeyalias" => keep(&mut self.host_key_alias, first.clone()),
            "stricthostkeychecking" => match strict(first) {
                Some(value) => keep(&mut self.strict, value),
                None => self.problem(line, "is none of yes, no, ask, accept-new"),
            },
            "hashknownhosts" => self.flag(line, |d| &mut d.hash),
            "connecttimeout" if first.eq_ignore_ascii_case("none") || time(first).is_some() => {
                keep(&mut self.connect_timeout, first.clone());
            }
            "connecttimeout" => self.problem(line, "is no time"),
            "serveraliveinterval" => match time(first) {
                Some(value) => keep(&mut self.alive_interval, value),
                None => self.problem(line, "is no time"),
            },
            "serveralivecountmax" => match first.parse() {
                Ok(value) => keep(&mut self.alive_count_max, value),
                Err(_) => self.problem(line, "is no number"),
            },
            "pkcs11provider" => keep(&mut self.pkcs11, !first.eq_ignore_ascii_case("none")),
            // The many others do not bear on what is done here.
            _ => {}
        }
    }

    fn jump(&mut self, line: &Line, value: &str) {
        if value.eq_ignore_ascii_case("none") {
            self.proxy = Some(Proxy::Direct);
            return;
        }
        let hops: Vec<String> = value.split(',').map(str::trim).map(str::to_owned).collect();
        if hops.iter().all(|hop| super::super::target::Target::parse(hop).is_some()) {
            self.proxy = Some(Proxy::Jump(hops));
        } else {
            self.problem(line, "is no list of [user@]host[:port]");
        }
    }

    fn flag(&mut self, line: &Line, field: fn(&mut Self) -> &mut Option<bool>) {
        let value = line.arguments.first().map(|v| v.to_ascii_lowercase());
        match value.as_deref() {
            Some("yes" | "true") => keep(field(self), true),
            Some("no" | "false") => keep(field(self), false),
            _ => self.problem(line, "is neither yes nor no"),
        }
    }

    fn problem(&mut self, line: &Line, what: &str) {
        let value = line.arguments.first().map_or("", String::as_str);
        let text = format!("{}:{}: {} {value} {what}", line.file.display(), line.number, line.keyword);
        self.problems.push(crate::base::text::clean(&text));
    }
}

fn keep<T>(slot: &mut Option<T>, value: T) {
    if slot.is_none() {
        *slot = Some(value);
    }
}

fn add(list: &mut Vec<String>, value: &str) {
    // OpenSSH's own limit.
    if list.len() < 100 && !list.iter().any(|v| v == value) {
        list.push(value.to_owned());
    }
}

fn strict(value: &str) -> Option<StrictHostKeys> {
    Some(match value.to_ascii_lowercase().as_str() {
        "yes" | "true" => StrictHostKeys::Yes,
        "ask" => StrictHostKeys::Ask,
        "accept-new" | "no" | "false" | "off" => StrictHostKeys::AcceptNew,
        _ => return None,
    })
}

/// `sshd_config(5)`, TIME FORMATS: `90`, `1m30s`, `2h`.
fn time(text: &str) -> Option<Duration> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let value: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next();
        let factor = match unit.map(|u| u.to_ascii_lowercase()) {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            Some(_) => return None,
        };
        total = total.checked_add(value.checked_mul(factor)?)?;
        rest = &rest[digits + usize::from(unit.is_some())..];
    }
    (!text.is_empty()).then(|| Duration::from_secs(total))
}

fn finish(draft: Draft, alias: &str, surroundings: &Surroundings) -> HostSettings {
    let mut problems = draft.problems;
    let written = draft.host_name.map_or_else(
        || alias.to_owned(),
        |name| {
            expand_tokens(&name, |c| (c == 'h').then(|| alias.to_owned())).unwrap_or_else(|| {
                problems.push(format!("HostName {}: unknown token", crate::base::text::clean(&name)));
                name.clone()
            })
        },
    );
    let host_name = written.to_ascii_lowercase();
    let user = draft.user.unwrap_or_else(|| surroundings.user.clone());
    let port = draft.port.unwrap_or(22);
    let key_alias = draft.host_key_alias;
    let token = |c: char| {
        Some(match c {
            'h' => host_name.clone(),
            'n' => alias.to_owned(),
            'p' => port.to_string(),
            'r' => user.clone(),
            'u' => surroundings.user.clone(),
            'd' => surroundings.home.to_string_lossy().into_owned(),
            'i' => surroundings.uid.to_string(),
            'l' => surroundings.machine.clone(),
            'L' => surroundings.machine.split('.').next().unwrap_or_default().to_owned(),
            'k' => key_alias.clone().unwrap_or_else(|| alias.to_owned()),
            _ => return None,
        })
    };
    let mut path = |text: &String| {
        let expanded = expand_tokens(text, token).map(|t| expand_path(&t, &surroundings.home));
        if expanded.is_none() {
            problems.push(format!("{}: unknown token", crate::base::text::clean(text)));
        }
        expanded
    };
    let mut paths = |list: &[String]| -> Vec<PathBuf> {
        list.iter().filter(|t| !t.eq_ignore_ascii_case("none")).filter_map(&mut path).collect()
    };
    let identities_named = !draft.identity_files.is_empty();
    let in_ssh = |name: &str| surroundings.home.join(".ssh").join(name);
    let identity_files = if identities_named {
        paths(&draft.identity_files)
    } else {
        DEFAULT_IDENTITIES.iter().map(|name| in_ssh(name)).collect()
    };
    let certificate_files = paths(&draft.certificate_files);
    let user_known_hosts =
        draft.user_known_hosts.map_or_else(|| vec![in_ssh("known_hosts"), in_ssh("known_hosts2")], |list| paths(&list));
    let global_known_hosts = draft.global_known_hosts.map_or_else(
        || vec!["/etc/ssh/ssh_known_hosts".into(), "/etc/ssh/ssh_known_hosts2".into()],
        |list| paths(&list),
    );
    let named_agent = draft.identity_agent.filter(|a| a != "SSH_AUTH_SOCK");
    let agent = match named_agent.as_deref() {
        Some(none) if none.eq_ignore_ascii_case("none") => AgentSocket::None,
        Some(text) => match text.strip_prefix('$').filter(|name| !name.starts_with('{')) {
            Some(name) => std::env::var_os(name).map_or(AgentSocket::None, |p| AgentSocket::Path(p.into())),
            None => path(&text.to_owned()).map_or(AgentSocket::None, AgentSocket::Path),
        },
        None => surroundings.agent.clone().map_or(AgentSocket::None, AgentSocket::Path),
    };
    HostSettings {
        alias: alias.to_owned(),
        host_name: host_name.clone(),
        user: user.clone(),
        port,
        proxy: draft.proxy.unwrap_or(Proxy::Direct),
        identity_files,
        identities_named,
        identities_only: draft.identities_only.unwrap_or(false),
        certificate_files,
        agent,
        user_known_hosts,
        global_known_hosts,
        host_key_alias: key_alias.clone(),
        strict_host_keys: draft.strict.unwrap_or(StrictHostKeys::Ask),
        hash_known_hosts: draft.hash.unwrap_or(false),
        connect_timeout: draft.connect_timeout.as_deref().and_then(time),
        alive_interval: draft.alive_interval.unwrap_or_default(),
        alive_count_max: draft.alive_count_max.unwrap_or(3),
        needs_system_ssh: (draft.pkcs11 == Some(true)).then_some("PKCS11Provider"),
        problems,
    }
}

/// `%x` by the table, `%%`, and `${VARIABLE}` from the environment; `None` for a token that it does not have.
fn expand_tokens(text: &str, token: impl Fn(char) -> Option<String>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '%' {
            match chars.next()? {
                '%' => out.push('%'),
                name => out.push_str(&token(name)?),
            }
        } else if c == '$' && chars.as_str().starts_with('{') {
            let (name, rest) = chars.as_str()[1..].split_once('}')?;
            out.push_str(&std::env::var(name).ok()?);
            chars = rest.chars();
        } else {
            out.push(c);
        }
    }
    Some(out)
}

fn expand_path(text: &str, home: &Path) -> PathBuf {
    match text.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None if text == "~" => home.to_path_buf(),
        None => PathBuf::from(text),
    }
}
