//! `[[host]]` and `[[backup]]`: from option tables to typed entries. Kinds and their options stay tables here; the
//! engine binds them through the registries.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::port_rules::{ForAll, read_own};
use super::rules::read_flapping;
use crate::base::options::{Node, Place, Problem, Reader, Table, Value};
use crate::model::{AssetId, FlapFormula, Host, Job, Origin, Schedule};

/// A host and what is asked of it.
#[derive(Clone, Debug)]
pub struct HostEntry {
    pub host: Arc<Host>,
    /// `None` where the file does not say: the defaults apply.
    pub checks: Option<Vec<CheckEntry>>,
    pub snmp: Option<Table>,
    /// Where its name stands; `None` where no file has it.
    pub place: Option<Place>,
    /// Where each of its parents stands, in their order.
    pub parent_places: Vec<Place>,
    /// How flapping of its checks is told, where they say nothing themselves; `None` where it is not.
    pub flapping: Option<FlapFormula>,
}

/// One element of `checks`: a kind by name, or a table with `kind` and options.
#[derive(Clone, Debug)]
pub struct CheckEntry {
    pub kind: String,
    pub options: Option<Table>,
    pub place: Place,
    /// Why not even its kind is known.
    pub unread: Option<Arc<str>>,
}

/// A backup job and the options of its tool.
#[derive(Clone, Debug)]
pub struct JobEntry {
    pub job: Arc<Job>,
    pub options: Table,
    pub interval: Option<Duration>,
    /// Where its name stands.
    pub place: Place,
    pub kind_place: Place,
    /// Where each asset that it protects stands, in their order.
    pub protects_places: Vec<Place>,
}

/// Keys of a `[[backup]]` that every tool has; the others belong to the tool.
const JOB_KEYS: [&str; 13] = [
    "runbook",
    "name",
    "id",
    "kind",
    "repository",
    "protects",
    "schedule",
    "timezone",
    "grace",
    "rpo",
    "rto",
    "interval",
    "enabled",
];

pub(super) fn read_host(
    table: &Table,
    ports: &ForAll,
    flapping: Option<FlapFormula>,
    problems: &mut Vec<Problem>,
) -> Option<HostEntry> {
    let mut r = table.reader("[[host]]");
    let name = r.required_string("name");
    let id = r.string("id");
    let address = r.string("address");
    let tags = r.strings("tags").unwrap_or_default();
    let group = r.string("group");
    let site = r.string("site");
    if let Some(text) = site.as_deref().filter(|text| text.is_empty() || text.contains(char::is_whitespace)) {
        let problem = Problem::error(&table.place_of("site"), format!("`site` \"{text}\" is not one word"));
        r.problem(problem.hint("as it is typed in a filter: site = \"fra1\""));
    }
    let Parents { names: parents, places: parent_places, redundancy } = read_parents(&mut r);
    let ssh_alias = r.string("ssh");
    let runbook = r.string("runbook");
    let checks = r.node("checks").map(|node| read_checks(node, &mut r));
    let snmp = r.table("snmp").cloned();
    let own_flapping = r.node("flapping").map(|node| read_flapping(node, flapping, problems));
    let own_ports = r.table("ports").map(|t| read_own(t, name.as_deref().unwrap_or("a host"), problems));
    let dialled = if address.is_some() { ("address", &address) } else { ("name", &name) };
    if let (key, Some(text)) = dialled
        && let Err(why) = check_address(text)
    {
        let problem = Problem::error(&table.place_of(key), format!("`{key}` \"{text}\" {why}"));
        r.problem(
            problem.hint(
                "`address` takes a host name or an IP address, without port or user; without it the name is used",
            ),
        );
    }
    problems.extend(r.finish());
    let name = name?;
    let mut host = Host::new(&name, Some(address.as_deref().unwrap_or(&name)), Origin::Config);
    host.id = AssetId::new(id.as_deref().unwrap_or(&name));
    host.tags = tags.iter().map(|t| Arc::from(t.as_str())).collect();
    host.group = group.as_deref().map(Arc::from);
    host.site = site.as_deref().map(Arc::from);
    host.parents = parents.iter().map(AssetId::new).collect();
    host.redundancy = redundancy;
    host.ssh_alias = ssh_alias.as_deref().map(Arc::from);
    host.runbook = runbook.as_deref().map(Arc::from);
    host.ports = ports.of_host(own_ports, &tags);
    let place = Some(table.place_of("name"));
    let flapping = own_flapping.unwrap_or(flapping);
    Some(HostEntry { host: Arc::new(host), checks, snmp, place, parent_places, flapping })
}

#[derive(Default)]
struct Parents {
    names: Vec<String>,
    places: Vec<Place>,
    redundancy: Vec<usize>,
}

/// `parents`: names, of which one is enough; or, as soon as one of them is an array, as many redundancy groups as there are
/// elements.
fn read_parents(r: &mut Reader<'_>) -> Parents {
    let mut out = Parents::default();
    let Some(node) = r.node("parents") else { return out };
    let Value::Array(items) = &node.value else {
        r.problem(
            Problem::error(&node.place, format!("`parents` must be an array, not {}", node.value.kind()))
                .hint("write parents = [\"…\"], each host in quotes"),
        );
        return out;
    };
    let mut told_apart = false;
    for item in items {
        let group = match &item.value {
            Value::Array(group) => {
                told_apart = true;
                group.as_slice()
            }
            _ => std::slice::from_ref(item),
        };
        if group.is_empty() {
            r.problem(Problem::error(&item.place, "a redundancy group of `parents` is empty".to_owned()));
            continue;
        }
        let before = out.names.len();
        for one in group {
            let Value::String(name) = &one.value else {
                let words = format!("a parent is a host's name, not {}", one.value.kind());
                let hint = "parents = [\"edge\", [\"core-a\", \"core-b\"]] hangs on edge and on one of the cores";
                r.problem(Problem::error(&one.place, words).hint(hint));
                continue;
            };
            if out.names.contains(name) {
                let words = format!("the parent \"{name}\" is named twice");
                r.problem(Problem::warning(&one.place, words));
            }
            out.names.push(name.clone());
            out.places.push(one.place.clone());
        }
        if out.names.len() > before {
            out.redundancy.push(out.names.len() - before);
        }
    }
    if !told_apart || out.redundancy.len() < 2 {
        out.redundancy.clear();
    }
    out
}

fn read_checks(node: &Node, r: &mut Reader<'_>) -> Vec<CheckEntry> {
    let Value::Array(items) = &node.value else {
        r.problem(
            Problem::error(&node.place, format!("`checks` must be an array, not {}", node.value.kind()))
                .hint("write checks = [\"icmp\"]"),
        );
        return Vec::new();
    };
    let mut out = Vec::new();
    for item in items {
        match &item.value {
            Value::String(kind) => {
                let (kind, place) = (kind.clone(), item.place.clone());
                out.push(CheckEntry { kind, options: None, place, unread: None });
            }
            Value::Table(table) => match table.find("kind").map(|n| &n.value) {
                Some(Value::String(kind)) => {
                    out.push(CheckEntry {
                        kind: kind.clone(),
                        options: Some(table.clone()),
                        place: item.place.clone(),
                        unread: None,
                    });
                }
                _ => out.push(unread(
                    Problem::error(&item.place, "a check table needs `kind`")
                        .hint("for instance { kind = \"tcp\", port = 443 }"),
                    item,
                    r,
                )),
            },
            _ => {
                let words = format!("a check is a name or a table, not {}", item.value.kind());
                out.push(unread(Problem::error(&item.place, words), item, r));
            }
        }
    }
    out
}

/// A check whose very kind is not known stays among those of its host, with what is wrong.
fn unread(problem: Problem, item: &Node, r: &mut Reader<'_>) -> CheckEntry {
    let why = problem.short().into();
    r.problem(problem);
    CheckEntry { kind: "check".to_owned(), options: None, place: item.place.clone(), unread: Some(why) }
}

pub(super) fn read_job(table: &Table, problems: &mut Vec<Problem>) -> Option<JobEntry> {
    let mut r = table.reader("[[backup]]");
    let name = r.required_string("name");
    let kind = r.required_string("kind");
    let id = r.string("id");
    let repository = r.required_string("repository");
    let (protects, protects_places): (Vec<_>, _) = r.placed_strings("protects").unwrap_or_default().into_iter().unzip();
    let cron = r.string("schedule");
    let timezone = r.string("timezone");
    let grace = r.duration("grace");
    let rpo = r.duration("rpo");
    let rto = r.duration("rto");
    let interval = r.duration_from("interval", Duration::from_secs(1));
    let enabled = r.bool("enabled").unwrap_or(true);
    let runbook = r.string("runbook");
    let zone = timezone.clone().unwrap_or_else(|| "UTC".to_owned());
    if jiff::tz::TimeZone::get(&zone).is_err() {
        r.problem(
            Problem::error(&table.place_of("timezone"), format!("unknown time zone \"{zone}\""))
                .hint("write an IANA name such as Europe/Berlin"),
        );
    } else if let Some(cron) = &cron
        && let Err(error) = cronexpr::parse_crontab(&format!("{cron} {zone}"))
    {
        let words = error.to_string();
        let first = words
            .lines()
            .next_back()
            .unwrap_or_default()
            .trim_matches(|c: char| c == '^' || c.is_whitespace())
            .to_owned();
        r.problem(
            Problem::error(&table.place_of("schedule"), format!("\"{cron}\" is no schedule: {first}"))
                .hint("five fields: minute hour day-of-month month day-of-week"),
        );
    }
    // The tool's own keys are checked when it is bound.
    let unknown: Vec<Problem> = r.finish();
    let own = |p: &Problem| {
        table.entries.iter().any(|(key, _)| {
            !JOB_KEYS.contains(&key.name.as_str()) && p.place.as_ref().is_some_and(|at| at.start == key.place.start)
        })
    };
    problems.extend(unknown.into_iter().filter(|p| !own(p)));
    let (name, kind, repository) = (name?, kind?, repository?);
    let job = Job {
        id: AssetId::new(id.as_deref().unwrap_or(&name)),
        name: Arc::from(name.as_str()),
        kind: Arc::from(kind.as_str()),
        repository: Arc::from(without_credentials(&repository)),
        protects: protects.iter().map(AssetId::new).collect(),
        schedule: cron.map(|cron| Schedule { cron: Arc::from(cron), timezone: Arc::from(zone) }),
        grace,
        rpo,
        rto,
        origin: Origin::Config,
        not_probed: (!enabled).then(|| Arc::from("disabled in the configuration")),
        runbook: runbook.as_deref().map(Arc::from),
    };
    let options = Table {
        place: table.place.clone(),
        entries: table
            .entries
            .iter()
            .filter(|(k, _)| k.name == "repository" || !JOB_KEYS.contains(&k.name.as_str()))
            .cloned()
            .collect(),
    };
    let (place, kind_place) = (table.place_of("name"), table.place_of("kind"));
    Some(JobEntry { job: Arc::new(job), options, interval, place, kind_place, protects_places })
}

/// Cuts `user:password@` out of a URL, so that no screen or export ever has it.
pub fn without_credentials(repository: &str) -> String {
    let Some((scheme, rest)) = repository.split_once("://") else { return repository.to_owned() };
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
    let Some((user, host)) = authority.rsplit_once('@') else { return repository.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    let path = path.map(|p| format!("/{p}")).unwrap_or_default();
    format!("{scheme}://{user}@{host}{path}")
}

/// Whether a text can be dialled: a host name or an IP address, nothing else.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn check_address(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("is empty");
    }
    if text.starts_with('-') {
        return Err("begins with a dash");
    }
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Ok(());
    }
    if let Some(why) = almost_ipv4(text) {
        return Err(why);
    }
    if text.contains('@') {
        return Err("has a user in it");
    }
    if text.contains(':') {
        return Err("has a port in it, or is no IPv6 address");
    }
    if text.len() > 253 || text.split('.').any(|label| label.len() > 63) {
        return Err("is longer than a host name may be");
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
        return Err("is neither a host name nor an IP address");
    }
    Ok(())
}

/// What is wrong with numbers and dots that are no IPv4 address; no name ends in a number (RFC 3696 §2).
fn almost_ipv4(text: &str) -> Option<&'static str> {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() < 2 || !parts.iter().all(is_number) {
        return None;
    }
    Some(if parts.len() != 4 {
        "looks like an IPv4 address, but does not have four octets"
    } else if parts.iter().any(|part| part.parse::<u32>().is_ok_and(|octet| octet <= 255) && is_padded(part)) {
        "looks like an IPv4 address, but has an octet that begins with 0"
    } else {
        "looks like an IPv4 address, but has an octet over 255"
    })
}

fn is_padded(octet: &str) -> bool {
    octet.len() > 1 && octet.starts_with('0')
}

/// Problems between entries: names used twice, parents and protected assets that do not exist, cycles.
pub(super) fn check_references(hosts: &[HostEntry], jobs: &[JobEntry], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&str, &Place> = HashMap::new();
    let all = hosts
        .iter()
        .filter_map(|h| Some((h.host.id.as_str(), h.place.as_ref()?)))
        .chain(jobs.iter().map(|j| (j.job.id.as_str(), &j.place)));
    for (id, place) in all {
        if let Some(first) = seen.get(id) {
            let line = first.line_and_column().0;
            problems.push(
                Problem::error(place, format!("the name \"{id}\" is used twice, first in line {line}"))
                    .hint("give one of them an `id` of its own, or rename it"),
            );
        } else {
            seen.insert(id, place);
        }
    }
    let known: HashMap<&str, &HostEntry> = hosts.iter().map(|h| (h.host.id.as_str(), h)).collect();
    let unknown = |what: &str, id: &AssetId, place: &Place| {
        let problem = Problem::error(place, format!("{what} \"{}\" is not a host of this configuration", id.as_str()));
        match crate::base::options::nearest(id.as_str(), known.keys().copied()) {
            Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
            None => problem,
        }
    };
    for entry in hosts {
        let parents = entry.host.parents.iter().zip(&entry.parent_places);
        for (parent, place) in parents.filter(|(p, _)| !known.contains_key(p.as_str())) {
            problems.push(unknown("the parent", parent, place));
        }
    }
    for entry in jobs {
        let assets = entry.job.protects.iter().zip(&entry.protects_places);
        for (asset, place) in assets.filter(|(a, _)| !known.contains_key(a.as_str())) {
            problems.push(unknown("the protected asset", asset, place));
        }
    }
    for cycle in cycles(&known, hosts) {
        if let Some(place) = known.get(cycle[0]).and_then(|h| h.place.as_ref()) {
            let path = cycle.join(" → ");
            problems.push(Problem::error(place, format!("the parents go round in a circle: {path} → {}", cycle[0])));
        }
    }
}

/// Each circle among the parents once, from the host that stands first.
fn cycles<'a>(known: &HashMap<&'a str, &'a HostEntry>, hosts: &'a [HostEntry]) -> Vec<Vec<&'a str>> {
    let mut done: HashMap<&str, bool> = HashMap::new();
    let mut found = Vec::new();
    for entry in hosts {
        // Depth first with the path at hand; `false` marks what is on it, `true` what is finished.
        let mut path: Vec<(&str, usize)> = Vec::new();
        let start = entry.host.id.as_str();
        if done.contains_key(start) {
            continue;
        }
        done.insert(start, false);
        path.push((start, 0));
        while let Some((name, next)) = path.last_mut() {
            let parents = known.get(*name).map(|h| h.host.parents.as_slice()).unwrap_or_default();
            let Some(parent) = parents.get(*next) else {
                done.insert(*name, true);
                path.pop();
                continue;
            };
            *next += 1;
            let parent = parent.as_str();
            match done.get(parent) {
                Some(true) => {}
                Some(false) => {
                    let from = path.iter().position(|(n, _)| *n == parent).unwrap_or(0);
                    found.push(path[from..].iter().map(|(n, _)| *n).collect());
                }
                None => {
                    if let Some((parent, _)) = known.get_key_value(parent) {
                        done.insert(*parent, false);
                        path.push((*parent, 0));
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_never_stay_in_a_repository() {
        assert_eq!(without_credentials("rest:http://u:pw@h:8000/r"), "rest:http://u@h:8000/r");
        assert_eq!(without_credentials("sftp:user@host:/srv"), "sftp:user@host:/srv");
        assert_eq!(without_credentials("/srv/restic"), "/srv/restic");
    }

    #[test]
    fn a_site_is_one_word() {
        let read = |site: &str| {
            let text = format!("[[host]]\nname = \"a\"\nsite = \"{site}\"\n");
            crate::config::load::parse("noctty.toml", text).map(|config| config.hosts[0].host.site.clone())
        };
        assert_eq!(read("fra1").expect("it is right").as_deref(), Some("fra1"));
        for wrong in ["", "Frankfurt 1"] {
            let problems = read(wrong).expect_err("it is wrong").to_string();
            assert!(problems.contains("noctty.toml:3:8: error: `site`"), "{problems}");
        }
    }

    #[test]
    fn parents_in_arrays_of_their_own_are_redundancy_groups() {
        let read = |parents: &str| {
            let text = format!(
                "[[host]]\nname = \"a\"\nparents = {parents}\n[[host]]\nname = \"e\"\n[[host]]\nname = \"b\"\n[[host]]\nname = \"c\"\n"
            );
            crate::config::load::parse("noctty.toml", text)
        };
        let groups = |parents: &str| -> Vec<String> {
            let config = read(parents).expect("it is right");
            let join = |group: &[AssetId]| group.iter().map(AssetId::as_str).collect::<Vec<_>>().join("|");
            config.hosts[0].host.parent_groups().map(join).collect()
        };
        assert_eq!(groups("[\"b\", \"c\"]"), ["b|c"], "as ever: one is enough");
        assert_eq!(groups("[[\"b\", \"c\"]]"), ["b|c"]);
        assert_eq!(groups("[\"e\", [\"b\", \"c\"]]"), ["e", "b|c"]);
        assert_eq!(groups("[[\"e\"], [\"b\"], \"c\"]"), ["e", "b", "c"]);
        let refused = |parents: &str, words: &str| {
            let problems = read(parents).expect_err("it is wrong").to_string();
            assert!(problems.contains(words), "{parents}: {problems}");
        };
        refused("\"b\"", "noctty.toml:3:11: error: `parents` must be an array, not a string");
        refused("[\"e\", []]", "noctty.toml:3:17: error: a redundancy group of `parents` is empty");
        refused("[\"e\", [\"b\", [\"c\"]]]", "a parent is a host's name, not an array");
        refused("[\"e\", [\"b\", \"d\"]]", "noctty.toml:3:23: error: the parent \"d\" is not a host");
        refused("[\"e\", [\"b\", \"a\"]]", "the parents go round in a circle: a → a");
        let twice = read("[\"e\", [\"b\", \"e\"]]").expect("no error").warnings;
        assert!(twice.iter().any(|p| p.message == "the parent \"e\" is named twice"), "{twice:?}");
    }

    #[test]
    fn addresses_with_ports_users_or_dashes_are_refused() {
        for good in ["10.0.0.1", "::1", "db01", "core-sw1.example.net", "fe80::1"] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for bad in ["", "-oProxyCommand=x", "a:22", "root@a", "a b", "a;b", &"x".repeat(300)] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
        for good in ["42", "db.10.example.net", "1.2.3.4.in-addr.arpa", "10-0-0-300.example.net"] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("10.0.0.300", "octet over 255"),
            ("10.0.0.99999999999999999999", "octet over 255"),
            ("10.0.0", "not have four octets"),
            ("10.0.0.1.1", "not have four octets"),
            ("010.0.0.1", "begins with 0"),
        ] {
            assert!(check_address(bad).is_err_and(|words| words.contains(why)), "{bad}");
        }
    }
}
