//! What there is to watch where nobody wrote a configuration: this machine, its default gateway, its resolvers, the
//! hosts of `~/.ssh/config`, and the repositories that the environment names. Read-only, and never with a guess:
//! no SNMP community is tried, nobody is logged in anywhere.
//!
//! All of it is blocking file work, done off the critical path and handed over in stages: a home on a dead network
//! mount costs its own hosts only.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::bind::{self, bound_source};
use super::plan::{Bound, Plan};
use crate::backup;
use crate::base::options::{Key, Node, Problem, Table, Value};
use crate::config::inventory::without_credentials;
use crate::config::{CheckEntry, HostEntry};
use crate::model::{AssetId, FlapFormula, Host, Inventory, Job, Origin};
use crate::net::resolve::name_servers;
use crate::ssh::config::{Proxy, SshConfig, Surroundings};
use crate::ssh::target::is_safe_host;

/// More SSH hosts than this are watched only after a word from the operator.
pub const SSH_HOSTS: usize = 50;
/// One connect per host in this time, never faster: below every log-in guard's threshold.
const SSH_EVERY: Duration = Duration::from_secs(300);
const BANNER_EVERY: &str = "1h";

/// Where to look; tests point it elsewhere.
#[derive(Clone, Debug)]
pub struct Places {
    pub root: PathBuf,
    pub home: Option<PathBuf>,
    pub environment: Vec<(String, String)>,
}

impl Places {
    /// This machine and this user.
    pub fn system() -> Self {
        let names = [
            "RESTIC_REPOSITORY",
            "RESTIC_REPOSITORY_FILE",
            "RESTIC_PASSWORD",
            "RESTIC_PASSWORD_FILE",
            "RESTIC_PASSWORD_COMMAND",
            "BORG_REPO",
            "BORG_PASSPHRASE",
            "BORG_PASSCOMMAND",
        ];
        Self {
            root: PathBuf::from("/"),
            home: std::env::var_os("HOME").map(PathBuf::from).filter(|h| h.is_absolute()),
            environment: names.iter().filter_map(|n| Some(((*n).to_owned(), std::env::var(n).ok()?))).collect(),
        }
    }

    fn env(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }
}

/// A part of the inventory in the making.
#[derive(Clone, Debug, Default)]
struct Found {
    hosts: Vec<Arc<Host>>,
    jobs: Vec<Arc<Job>>,
    checks: Vec<Bound>,
    remarks: Vec<Arc<str>>,
}

impl Found {
    fn add(&mut self, entry: &HostEntry, fixed: Option<Duration>) {
        if self.hosts.iter().any(|h| h.id == entry.host.id) {
            return;
        }
        let mut problems: Vec<Problem> = Vec::new();
        let mut late = bind::Late::default();
        let mut bound = bind::bind_host(entry, &bind::Common::default(), &mut late, &mut problems);
        late.tell(&mut problems);
        self.remarks.extend(problems.iter().map(|p| Arc::from(p.message.as_str())));
        if let Some(interval) = fixed {
            for one in &mut bound {
                let spec = Arc::make_mut(&mut one.spec);
                spec.interval = interval;
                spec.fixed_pace = true;
                spec.attempts = 2;
            }
        }
        self.hosts.push(entry.host.clone());
        self.checks.extend(bound);
    }

    fn remark(&mut self, text: impl AsRef<str>) {
        self.remarks.push(Arc::from(text.as_ref()));
    }

    fn plan(&self) -> Plan {
        let checks = self.checks.clone();
        let inventory = Inventory {
            hosts: self.hosts.clone(),
            jobs: self.jobs.clone(),
            checks: checks.iter().map(|b| b.spec.clone()).collect(),
            thresholds: std::collections::HashMap::new(),
            inferred: std::collections::HashMap::new(),
            flapping: std::collections::HashMap::new(),
            maintenance: Vec::new(),
            remarks: self.remarks.clone(),
        };
        Plan { inventory: Arc::new(inventory), checks, traps: None, channels: Arc::default() }
    }
}

/// Everything, stage after stage; each plan given to `hand_over` holds all that was found so far. Blocking.
/// `all_ssh_hosts` lifts the limit of [`SSH_HOSTS`].
pub fn discover(places: &Places, all_ssh_hosts: bool, mut hand_over: impl FnMut(Plan)) {
    let mut found = Found::default();
    this_machine(&mut found);
    gateway(places, &mut found);
    resolvers(places, &mut found);
    hand_over(found.plan());
    repositories(places, &mut found);
    let ssh = places.home.as_ref().map(|home| SshConfig::of_user(Surroundings::with_home(home)));
    ssh_hosts(ssh.as_ref(), all_ssh_hosts, &mut found);
    let plan = found.plan();
    hand_over(plan.clone().with_inferred_parents(ssh.as_ref(), &places.root).unwrap_or(plan));
}

/// A host that is not in the inventory, looked at for the life of the process: echo, and SSH's version line.
///
/// # Errors
/// The text is neither a host name nor an address.
pub fn one_off(address: &str) -> Result<Plan, String> {
    let config =
        format!("[[host]]\nname = {}\nchecks = [\"icmp\", \"ssh\"]\n", crate::config::document::quote(address));
    let parsed = crate::config::load::parse("the command line", config)
        .map_err(|_| format!("\"{address}\" is no host name or address"))?;
    let mut found = Found::default();
    for entry in &parsed.hosts {
        let mut host = (*entry.host).clone();
        host.origin = Origin::OneOff;
        found.add(&HostEntry { host: Arc::new(host), ..entry.clone() }, None);
    }
    Ok(found.plan())
}

fn entry(host: Host, checks: Vec<CheckEntry>) -> HostEntry {
    HostEntry {
        host: Arc::new(host),
        checks: Some(checks),
        snmp: None,
        place: None,
        parent_places: Vec::new(),
        flapping: Some(FlapFormula::ICINGA),
    }
}

/// A check with text options, as if it stood in a file.
fn check(kind: &str, options: &[(&str, Value)]) -> CheckEntry {
    let place = bind::nowhere();
    let entries = options
        .iter()
        .map(|(name, value)| {
            (
                Key { name: (*name).to_owned(), place: place.clone() },
                Node { place: place.clone(), value: value.clone() },
            )
        })
        .collect();
    CheckEntry { kind: kind.to_owned(), options: Some(Table { place: place.clone(), entries }), place, unread: None }
}

fn this_machine(found: &mut Found) {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name = if name.is_empty() { "localhost".to_owned() } else { crate::base::text::clean(&name) };
    found.add(&entry(Host::new(&name, None, Origin::Local), vec![check("local", &[])]), None);
}

fn gateway(places: &Places, found: &mut Found) {
    let v4 = std::fs::read_to_string(places.root.join("proc/net/route")).ok().and_then(|t| gateway_v4(&t));
    let v6 = std::fs::read_to_string(places.root.join("proc/net/ipv6_route")).ok().and_then(|t| gateway_v6(&t));
    match v4.or(v6) {
        Some(address) => {
            let text = address.to_string();
            let host = Host::new(&format!("gateway {text}"), Some(&text), Origin::Gateway);
            found.add(&entry(host, vec![check("icmp", &[])]), None);
        }
        None => found.remark("no default gateway: the routing table has no default route with a gateway"),
    }
}

/// The gateway of the default route in `/proc/net/route`: hexadecimal, in host byte order.
fn gateway_v4(table: &str) -> Option<IpAddr> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if *fields.get(1)? != "00000000" || *fields.get(7)? != "00000000" {
            return None;
        }
        let raw = u32::from_str_radix(fields.get(2)?, 16).ok().filter(|raw| *raw != 0)?;
        Some(IpAddr::from(raw.to_ne_bytes()))
    })
}

fn gateway_v6(table: &str) -> Option<IpAddr> {
    table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let zero = "0".repeat(32);
        if *fields.first()? != zero || *fields.get(1)? != "00" || *fields.get(4)? == zero {
            return None;
        }
        let raw = u128::from_str_radix(fields.get(4)?, 16).ok()?;
        let address = std::net::Ipv6Addr::from(raw);
        // A link-local gateway cannot be asked without its interface.
        (address.segments()[0] & 0xffc0 != 0xfe80).then_some(IpAddr::V6(address))
    })
}

fn resolvers(places: &Places, found: &mut Found) {
    let text = std::fs::read_to_string(places.root.join("etc/resolv.conf")).unwrap_or_default();
    let addresses = name_servers(&text);
    if addresses.is_empty() {
        found.remark("no resolvers: /etc/resolv.conf names none");
    }
    for address in addresses {
        let text = address.to_string();
        let question = check(
            "dns",
            &[
                ("name", Value::String(".".into())),
                ("type", Value::String("NS".into())),
                ("any_answer", Value::Bool(true)),
            ],
        );
        let mut checks = vec![question];
        if !address.is_loopback() {
            checks.insert(0, check("icmp", &[]));
        }
        let host = Host::new(&format!("resolver {text}"), Some(&text), Origin::Resolver);
        found.add(&entry(host, checks), None);
    }
}

fn ssh_hosts(config: Option<&SshConfig>, all: bool, found: &mut Found) {
    let Some(config) = config else {
        found.remark("no SSH hosts: HOME is not set");
        return;
    };
    for remark in &config.remarks {
        found.remark(remark.to_string());
    }
    let names: Vec<String> = config.hosts().into_iter().map(|host| host.alias).collect();
    if names.is_empty() {
        found.remark("no SSH hosts: ~/.ssh/config names none");
    }
    if names.len() > SSH_HOSTS && !all {
        found.remark(format!(
            "{} of {} SSH hosts are watched: `:discover all` watches the rest",
            SSH_HOSTS,
            names.len()
        ));
    }
    let limit = if all { names.len() } else { SSH_HOSTS };
    for name in names.iter().take(limit) {
        ssh_host(config, name, found);
    }
}

fn ssh_host(config: &SshConfig, name: &str, found: &mut Found) {
    let settings = config.resolve(name);
    let shown = crate::base::text::clean(name);
    let mut host = Host::new(&shown, Some(&settings.host_name), Origin::SshConfig);
    host.ssh_alias = Some(Arc::from(name));
    host.not_probed = match &settings.proxy {
        Proxy::Jump(_) => {
            let jump = settings.behind().unwrap_or_default();
            Some(Arc::from(format!("behind {}, not probed", crate::base::text::clean(jump))))
        }
        Proxy::Command(_) => Some(Arc::from("behind a ProxyCommand, not probed")),
        Proxy::Direct if !is_safe_host(&settings.host_name) => {
            Some(Arc::from("its HostName is no host name, not probed"))
        }
        Proxy::Direct => None,
    };
    let options =
        [("port", Value::Integer(i64::from(settings.port))), ("banner_every", Value::String(BANNER_EVERY.into()))];
    found.add(&entry(host, vec![check("ssh", &options)]), Some(SSH_EVERY));
}

fn repositories(places: &Places, found: &mut Found) {
    let from_file = places
        .env("RESTIC_REPOSITORY_FILE")
        .and_then(|path| std::fs::read_to_string(path).ok())
        .and_then(|text| text.lines().next().map(|line| line.trim().to_owned()));
    let restic = places.env("RESTIC_REPOSITORY").map(str::to_owned).or(from_file);
    let secret = |file: &str, command: &str, env: &str| {
        let place = bind::nowhere();
        let one = |key: &str, value: Value| {
            let node = Node { place: place.clone(), value };
            Some(Value::Table(Table {
                place: place.clone(),
                entries: vec![(Key { name: key.to_owned(), place: place.clone() }, node)],
            }))
        };
        let text = |t: &str| Value::String(t.to_owned());
        if let Some(command) = places.env(command) {
            let argv = command.split_whitespace().map(|w| Node { place: place.clone(), value: text(w) }).collect();
            return one("command", Value::Array(argv));
        }
        if let Some(path) = places.env(file) {
            return one("file", text(path));
        }
        places.env(env).and_then(|_| one("env", text(env)))
    };
    if let Some(repository) = restic {
        let password = secret("RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND", "RESTIC_PASSWORD");
        repository_job("restic", &repository, password.map(|p| ("password", p)), found);
    }
    if let Some(repository) = places.env("BORG_REPO") {
        let passphrase = secret("", "BORG_PASSCOMMAND", "BORG_PASSPHRASE");
        repository_job("borg", repository, passphrase.map(|p| ("passphrase", p)), found);
    }
    if found.jobs.is_empty() {
        found.remark("no backups: neither RESTIC_REPOSITORY nor BORG_REPO is set");
    }
}

fn repository_job(kind: &str, repository: &str, secret: Option<(&str, Value)>, found: &mut Found) {
    let shown = crate::base::text::clean(&without_credentials(repository));
    let Some(source) = backup::source(kind) else { return };
    let job = Arc::new(Job {
        id: AssetId::new(format!("{kind} {shown}")),
        name: format!("{kind} {}", short(&shown)).into(),
        kind: kind.into(),
        repository: shown.into(),
        protects: Vec::new(),
        schedule: None,
        grace: None,
        rpo: None,
        rto: None,
        origin: Origin::Environment,
        not_probed: None,
        runbook: None,
    });
    let mut options = vec![("repository", Value::String(repository.to_owned()))];
    options.extend(secret);
    let entry = check(kind, &options);
    let Some(table) = entry.options else { return };
    let what = format!("the {kind} repository of the environment");
    let mut reader = table.reader(&what);
    let bound = (source.bind)(&job, &mut reader);
    for problem in reader.finish() {
        found.remark(&problem.message);
    }
    if let Some(bound) = bound {
        found.checks.push(bound_source(&job, kind, source.interval, source.timeout, bound));
    }
    found.jobs.push(job);
}

/// The last part of a path, for a name.
fn short(repository: &str) -> String {
    let name = Path::new(repository).file_name().map(|n| n.to_string_lossy().into_owned());
    name.unwrap_or_else(|| repository.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(ssh: &str, resolv: &str, route: &str) -> (tempfile::TempDir, Places) {
        let root = tempfile::tempdir().expect("a folder");
        for folder in ["proc/net", "etc", "home/.ssh"] {
            std::fs::create_dir_all(root.path().join(folder)).expect("made");
        }
        std::fs::write(root.path().join("home/.ssh/config"), ssh).expect("written");
        std::fs::write(root.path().join("etc/resolv.conf"), resolv).expect("written");
        std::fs::write(root.path().join("proc/net/route"), route).expect("written");
        let places =
            Places { root: root.path().to_owned(), home: Some(root.path().join("home")), environment: Vec::new() };
        (root, places)
    }

    fn last_plan(places: &Places, all: bool) -> Plan {
        let mut last = Plan::default();
        discover(places, all, |plan| last = plan);
        last
    }

    const ROUTE: &str = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\neth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\neth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";

    #[test]
    fn this_machine_its_gateway_and_resolvers_come_first() {
        let (_root, places) =
            fixture("", "search x\nnameserver 192.0.2.53\nnameserver 127.0.0.53\nnameserver 192.0.2.53\n", ROUTE);
        let mut stages = Vec::new();
        discover(&places, false, |plan| stages.push(plan));
        assert_eq!(stages.len(), 2);
        let origins: Vec<Origin> = stages[0].inventory.hosts.iter().map(|h| h.origin).collect();
        assert_eq!(origins, [Origin::Local, Origin::Gateway, Origin::Resolver, Origin::Resolver]);
        assert_eq!(stages[0].inventory.hosts[1].address.as_deref(), Some("192.168.0.1"));
    }

    #[test]
    fn ssh_hosts_are_asked_every_five_minutes_and_those_behind_a_jump_not_at_all() {
        let (_root, places) = fixture(
            "Host jump1\n  Port 2201\nHost inner\n  ProxyJump jump1\nHost odd\n  ProxyCommand nc %h %p\nHost *.lab !x\n",
            "",
            "",
        );
        let plan = last_plan(&places, false);
        let host = |name: &str| plan.inventory.hosts.iter().find(|h| &*h.name == name).expect("it is there").clone();
        assert_eq!(host("inner").not_probed.as_deref(), Some("behind jump1, not probed"));
        assert_eq!(host("odd").not_probed.as_deref(), Some("behind a ProxyCommand, not probed"));
        let ssh: Vec<&Bound> = plan.checks.iter().filter(|b| &*b.spec.kind == "ssh").collect();
        assert_eq!(ssh.len(), 1);
        assert!(ssh[0].spec.fixed_pace && ssh[0].spec.interval == SSH_EVERY);
        assert_eq!(&*ssh[0].spec.wire.destination, "jump1:2201");
        assert!(plan.checks.iter().all(|b| &*b.spec.kind != "snmp"), "no community is guessed");
    }

    #[test]
    fn more_than_fifty_ssh_hosts_wait_for_a_word() {
        let lines: Vec<String> = (0..60).map(|i| format!("Host h{i}")).collect();
        let text = lines.join("\n");
        let (_root, places) = fixture(&text, "", "");
        let count = |plan: &Plan| plan.inventory.hosts.iter().filter(|h| h.origin == Origin::SshConfig).count();
        let plan = last_plan(&places, false);
        assert_eq!(count(&plan), 50);
        assert!(plan.inventory.remarks.iter().any(|r| r.contains("50 of 60 SSH hosts")));
        assert_eq!(count(&last_plan(&places, true)), 60);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let (_root, places) = fixture("", "", "");
        let remarks = last_plan(&places, false).inventory.remarks.join("\n");
        for want in ["no default gateway", "no resolvers", "no SSH hosts", "no backups"] {
            assert!(remarks.contains(want), "{want} is missing in {remarks}");
        }
    }

    #[test]
    fn a_one_off_is_a_host_or_a_clear_refusal() {
        let plan = one_off("192.0.2.7").expect("an address");
        assert_eq!(plan.inventory.hosts[0].origin, Origin::OneOff);
        assert_eq!(plan.checks.len(), 2);
        assert!(one_off("-oProxyCommand=x").is_err());
        assert!(one_off("a\"b\n").is_err());
    }
}
