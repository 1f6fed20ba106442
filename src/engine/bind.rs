//! From a configuration to a plan: kinds are looked up in the tables of probes and backup sources, their options
//! read, and everything that is wrong is reported with its place.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

mod identity;
mod pace;
mod unread;

use identity::Identity;
pub use pace::Late;
use pace::Written;

use super::plan::{Bound, Plan, Runner};
use super::thresholds;
use crate::backup::{self, Source};
use crate::base::options::{OptionDoc, Place, Problem, Source as Text, Table, Weight, nearest};
use crate::base::units;
use crate::config::maintenance::read_times;
use crate::config::rules::read_flapping;
use crate::config::runbooks;
use crate::config::{CheckEntry, Config, HostEntry, JobEntry};
use crate::model::{CheckKey, CheckSpec, FlapFormula, Host, Inventory, Job, Subject};
use crate::notify;
use crate::probe::traps::TrapSettings;
use crate::probe::{self, Kind, Pace, Probe};
use crate::process::secret::Secrets;
use crate::profile::Profiles;
use crate::ssh::{Links, Surroundings};

/// Options that every check takes beside its kind's own.
pub const COMMON: &[OptionDoc] = &[
    OptionDoc { name: "kind", form: "string", default: "", help: "which probe" },
    OptionDoc {
        name: "label",
        form: "string",
        default: "the name of what it asks",
        help: "tells several checks of a kind on one host apart: `http:LABEL`",
    },
    OptionDoc {
        name: "family",
        form: "string",
        default: "the ones of both, IPv4 first",
        help: "\"ipv4\" or \"ipv6\": which addresses of a name are asked (not for `linux`, `windows`, `local`, `plugin`)",
    },
    OptionDoc { name: "interval", form: "duration", default: "the kind's", help: "how often it runs" },
    OptionDoc { name: "timeout", form: "duration", default: "the kind's", help: "when a run is given up" },
    OptionDoc {
        name: "retry_interval",
        form: "duration",
        default: "the kind's",
        help: "how soon a soft problem is looked at again",
    },
    OptionDoc {
        name: "attempts",
        form: "integer",
        default: "the kind's",
        help: "bad results in a row that make a problem",
    },
    OptionDoc {
        name: "volatile",
        form: "boolean",
        default: "false",
        help: "each result that is not good counts at once and is told each time; see `docs/state.md`",
    },
    OptionDoc {
        name: "runbook",
        form: "string",
        default: "the host's",
        help: "what to do when this check is bad: a link, or a file of text or Markdown, relative to this file; `b` opens it",
    },
    OptionDoc {
        name: "flapping",
        form: "table, string or boolean",
        default: "the host's",
        help: "how flapping of it is told, see `[flapping]`; false: not at all",
    },
    OptionDoc {
        name: "thresholds",
        form: "table",
        default: "",
        help: "limits for the check's numbers: `{ rtt = { warn = 0.2, crit = 0.5 } }`; see `docs/state.md`",
    },
];

/// Checks that log in or look at what changes over days, and prove no life.
const EASING: [&str; 5] = ["linux", "windows", "tls", "ssh-key", "dns-serial"];

/// What all checks of a configuration share.
#[derive(Debug)]
pub struct Common {
    /// The user's device profiles among the shipped ones; `None` for the shipped ones alone.
    pub profiles: Option<Arc<Profiles>>,
    pub secrets: Arc<Secrets>,
    /// The connections that those checks keep which log in.
    pub links: Arc<Links>,
    /// What is costly and good for long is asked less often.
    pub adaptive: bool,
}

impl Default for Common {
    fn default() -> Self {
        let links = Links::new(Surroundings::from_environment());
        Self { profiles: None, secrets: Arc::default(), links, adaptive: true }
    }
}

/// Binds a whole configuration; beside the plan come warnings.
///
/// # Errors
/// Every problem at once, warnings among them.
pub fn bind(config: &Config) -> Result<(Plan, Vec<Problem>), Vec<Problem>> {
    bind_with(config, None)
}

/// The same with the user's device profiles among the shipped ones.
///
/// # Errors
/// As [`bind`].
pub fn bind_with(config: &Config, profiles: Option<&Arc<Profiles>>) -> Result<(Plan, Vec<Problem>), Vec<Problem>> {
    let (plan, problems) = bind_what_can_be(config, profiles);
    if problems.iter().any(|problem| problem.weight == Weight::Error) {
        return Err(problems);
    }
    Ok((plan, problems))
}

/// The same, without what is wrong: a check with an error in it asks nothing and says why, and what has no other says why it is
/// not watched. Beside the plan come all problems, which are among its remarks too.
pub fn bind_what_can_be(config: &Config, profiles: Option<&Arc<Profiles>>) -> (Plan, Vec<Problem>) {
    let (mut problems, mut late) = (Vec::new(), Late::default());
    let surroundings = Surroundings { config: config.ssh.config.clone(), ..Surroundings::from_environment() };
    let links = Links::new(surroundings);
    let adaptive = config.polling.adaptive;
    let common = Common { profiles: profiles.cloned(), secrets: Arc::default(), links, adaptive };
    let mut inventory = Inventory::default();
    let mut checks = Vec::new();
    for entry in &config.hosts {
        let before = problems.len();
        let bound = bind_host(entry, &common, &mut late, &mut problems);
        let mut host = entry.host.clone();
        if bound.is_empty()
            && host.not_probed.is_none()
            && let Some(why) = first_error(&problems[before..]).or_else(|| unread::first(entry))
        {
            Arc::make_mut(&mut host).not_probed = Some(why);
        }
        inventory.hosts.push(host);
        checks.extend(bound);
    }
    late.tell(&mut problems);
    for entry in &config.jobs {
        let before = problems.len();
        let bound = bind_job(entry, &mut problems);
        let mut job = entry.job.clone();
        if job.not_probed.is_none()
            && let Some(why) = first_error(&problems[before..])
        {
            Arc::make_mut(&mut job).not_probed = Some(why);
        } else {
            checks.extend(bound);
        }
        inventory.jobs.push(job);
    }
    let traps = config.traps.as_ref().and_then(|table| TrapSettings::read(table, &mut problems));
    let channels = notify::bind(&config.notify, read_times, &mut problems);
    // A host's `snmp` table is read by each check that speaks it; what is wrong with it is said once.
    let mut said = HashSet::new();
    problems.retain(|p| said.insert((p.place.as_ref().map(|at| (at.start, at.end)), without_kind(&p.message))));
    // A warning (a password in the file itself) does not keep anything from being watched.
    let remark = |problem: &Problem| match problem.weight {
        Weight::Warning => problem.message.as_str().into(),
        Weight::Error => problem.brief().into(),
    };
    inventory.remarks.extend(problems.iter().map(remark));
    inventory.checks = checks.iter().map(|bound| bound.spec.clone()).collect();
    let limited = checks.iter().filter(|bound| !bound.thresholds.is_empty());
    inventory.thresholds = limited.map(|bound| (bound.spec.key.clone(), bound.thresholds.clone())).collect();
    let unusual = checks.iter().filter(|b| matches!(b.spec.key.subject, Subject::Host(_)));
    let unusual = unusual.filter(|bound| bound.flapping != Some(FlapFormula::ICINGA));
    inventory.flapping = unusual.map(|bound| (bound.spec.key.clone(), bound.flapping)).collect();
    inventory.maintenance = config.maintenance.iter().map(|entry| entry.maintenance.clone()).collect();
    (Plan { inventory: Arc::new(inventory), checks, traps: traps.map(Arc::new), channels: channels.into() }, problems)
}

/// The checks of one host: those it names, or ICMP, and SNMP with its ports where `snmp` is given. Those that may take too long
/// for their pace are only noted.
pub fn bind_host(entry: &HostEntry, common: &Common, late: &mut Late, problems: &mut Vec<Problem>) -> Vec<Bound> {
    let mut out: Vec<Bound> = Vec::new();
    let mut paces = Vec::new();
    if entry.host.not_probed.is_some() {
        return out;
    }
    let nowhere = entry.place.clone().unwrap_or_else(nowhere);
    let mut wanted: Vec<CheckEntry> = match &entry.checks {
        Some(checks) => checks.clone(),
        None => vec![plain("icmp", &nowhere)],
    };
    if let Some(snmp) = &entry.snmp {
        for kind in BY_AGENT {
            let mut is_named = false;
            for check in wanted.iter_mut().filter(|check| check.kind == kind) {
                check.options = Some(laid_over(check.options.as_ref(), snmp));
                is_named = true;
            }
            if !is_named {
                let (options, place) = (Some(snmp.clone()), snmp.place.clone());
                wanted.push(CheckEntry { kind: kind.to_owned(), options, place, unread: None });
            }
        }
    }
    let mut is_whole = true;
    for check in &wanted {
        let mut wrong = Vec::new();
        let read = bind_check(check, entry, common, &mut wrong);
        let why = check.unread.clone().or_else(|| first_error(&wrong));
        problems.extend(wrong);
        let bound = match (why, read) {
            (Some(why), read) => {
                is_whole = false;
                let read = read.map(|(read, _)| read);
                unread::bound(entry, check, read.as_ref(), &why, &out)
            }
            (None, Some((read, written))) => {
                paces.extend(written.place.map(|place| (read.spec.key.clone(), place, written.pace.timeout)));
                read
            }
            (None, None) => continue,
        };
        if out.iter().any(|b| b.spec.key == bound.spec.key) {
            let problem = Problem::error(
                &check.place,
                format!("{} has the check \"{}\" twice", entry.host.name, bound.spec.key.name),
            );
            problems.push(problem.hint("tell them apart: label = \"…\""));
            continue;
        }
        out.push(bound);
    }
    if !is_whole && out.iter().all(unread::is) {
        out.clear();
    }
    if entry.host.has_tag("core") && !out.is_empty() {
        hasten(entry, &mut out, problems);
    }
    for (key, place, timeout) in paces {
        if let Some(bound) = out.iter().find(|bound| bound.spec.key == key) {
            late.note(called(&bound.spec.kind, entry), place, timeout, &bound.spec);
        }
    }
    out
}

/// A check as it is written. What is wrong with it goes to `problems`; what comes back beside errors is only good for its name.
fn bind_check(
    check: &CheckEntry,
    entry: &HostEntry,
    common: &Common,
    problems: &mut Vec<Problem>,
) -> Option<(Bound, Written)> {
    if check.unread.is_some() {
        return None;
    }
    let Some(kind) = probe::kind(&check.kind) else {
        problems.push(unknown("check", &check.kind, &check.place, probe::KINDS.iter().map(|k| k.name)));
        return None;
    };
    let empty = Table { place: check.place.clone(), entries: Vec::new() };
    let options = check.options.as_ref().unwrap_or(&empty);
    let what = called(kind.name, entry);
    let mut reader = options.reader(&what);
    let own_pace = reader.node("interval").is_some();
    let written = pace::read(&mut reader, kind);
    let identity = Identity::read(&mut reader, kind, &entry.host);
    let flapping = reader.node("flapping").map(|node| read_flapping(node, entry.flapping, problems));
    let thresholds = thresholds::read(&mut reader, problems);
    let runbook = runbooks::of_check(&mut reader, problems);
    let probe = (kind.bind)(&entry.host, &mut reader);
    problems.extend(reader.finish());
    let mut probe = probe?;
    thresholds::check_names(options, &what, probe.numbers().as_deref(), problems);
    if let Some(profiles) = &common.profiles {
        probe.equip(profiles);
    }
    probe.share(&common.secrets);
    probe.join(&common.links);
    let flapping = flapping.unwrap_or(entry.flapping);
    let mut bound = Bound { thresholds, flapping, ..bound_probe(&entry.host, kind, written.pace, probe, &identity) };
    let vital = entry.host.has_tag("core") || entry.host.has_tag("critical");
    if common.adaptive && EASING.contains(&kind.name) && !own_pace && !vital {
        Arc::make_mut(&mut bound.spec).eases = true;
    }
    if written.volatile || runbook.is_some() {
        let spec = Arc::make_mut(&mut bound.spec);
        (spec.volatile, spec.runbook) = (written.volatile, runbook);
    }
    Some((bound, written))
}

/// What a check is called where something is said of it.
fn called(kind: &str, entry: &HostEntry) -> String {
    format!("the {kind} check of {}", entry.host.name)
}

/// What is said of a check that asks an agent, whichever of them it is.
fn without_kind(words: &str) -> String {
    BY_AGENT.iter().fold(words.to_owned(), |words, kind| words.replacen(&format!("the {kind} check of "), "", 1))
}

fn first_error(problems: &[Problem]) -> Option<Arc<str>> {
    let error = problems.iter().find(|problem| problem.weight == Weight::Error);
    error.map(|problem| Arc::from(problem.short()))
}

/// What is tagged core and proves its life by no check of its own kind (ICMP, SSH, SNMP) does so by its ports: those are looked at as
/// fast. Where that is not possible it is said.
fn hasten(entry: &HostEntry, checks: &mut [Bound], problems: &mut Vec<Problem>) {
    let decides = checks.iter().any(|bound| bound.spec.decides_reachability);
    if !decides {
        for bound in checks.iter_mut().filter(|bound| &*bound.spec.kind == "tcp") {
            let spec = Arc::make_mut(&mut bound.spec);
            let (interval, timeout) = (spec.interval, spec.timeout);
            let own = Pace {
                interval,
                timeout,
                retry_interval: spec.retry_interval,
                attempts: spec.attempts,
                decides_reachability: false,
            };
            let quick = vital(own, probe::kind("tcp").map_or(own, |kind| kind.pace));
            (spec.interval, spec.timeout, spec.retry_interval) = (quick.interval, quick.timeout, quick.retry_interval);
        }
    }
    let known = |spec: &CheckSpec| {
        let tries = u32::from(spec.attempts);
        spec.interval + spec.timeout * tries + spec.retry_interval * (tries - 1)
    };
    // What could not be read asks nothing, and the others are all there is.
    let asked = checks.iter().filter(|bound| !unread::is(bound)).map(|bound| &bound.spec);
    let life = asked.filter(|spec| spec.decides_reachability || !decides);
    // One that is hard convinces where the others got no answer either; without one that decides, all must be.
    let worst = if decides { life.map(|spec| known(spec)).min() } else { life.map(|spec| known(spec)).max() };
    if let Some(worst) = worst.filter(|worst| *worst > WITHIN) {
        let place = entry.place.clone().unwrap_or_else(nowhere);
        let words = format!(
            "{} is tagged core, and may be down for {} before that is known",
            entry.host.name,
            units::config_duration(worst)
        );
        problems.push(Problem::warning(&place, words).hint("checks = [\"icmp\", …] finds it down within 10 s"));
    }
}

/// The checks of a host's agent. What one that is named in `checks` does not say is as the host's `snmp` table has it.
const BY_AGENT: [&str; 2] = ["snmp", "ports"];

/// A check's own options before those of the `snmp` table; one that says who asks is complete in itself.
fn laid_over(own: Option<&Table>, snmp: &Table) -> Table {
    let Some(own) = own else { return snmp.clone() };
    let mut all = own.clone();
    if ["version", "community", "user"].iter().all(|key| own.find(key).is_none()) {
        all.entries.extend(snmp.entries.iter().filter(|(key, _)| own.find(&key.name).is_none()).cloned());
    }
    all
}

fn bound_probe(host: &Arc<Host>, kind: &Kind, pace: Pace, probe: Box<dyn Probe>, identity: &Identity) -> Bound {
    let name = identity.name(kind.name, probe.instance());
    let core = host.has_tag("core") && kind.name == "icmp";
    let pace = if core { vital(pace, kind.pace) } else { pace };
    let spec = CheckSpec {
        key: CheckKey { subject: Subject::Host(host.id.clone()), name: name.into() },
        kind: kind.name.into(),
        interval: pace.interval,
        timeout: probe.budget(pace.timeout),
        retry_interval: pace.retry_interval,
        attempts: pace.attempts.max(1),
        decides_reachability: pace.decides_reachability,
        fixed_pace: false,
        eases: false,
        volatile: false,
        runbook: None,
        speaks_for_host: probe.speaks_for_host(),
        waits_for: None,
        wire: identity.wire(probe.wire()),
    };
    Bound {
        spec: Arc::new(spec),
        run: Runner::Probe(Arc::from(probe), identity.family),
        thresholds: Arc::from([]),
        flapping: Some(FlapFormula::ICINGA),
    }
}

/// How soon what is tagged core should be known to be down.
const WITHIN: Duration = Duration::from_secs(10);

/// What is tagged core is known to be down within ten seconds: four to the next look, then three of a second each, half a
/// second apart. What somebody has set by hand stays.
fn vital(pace: Pace, default: Pace) -> Pace {
    let quick = |set: Duration, default: Duration, quick: Duration| if set == default { set.min(quick) } else { set };
    Pace {
        interval: pace.interval.min(Duration::from_secs(4)),
        timeout: quick(pace.timeout, default.timeout, Duration::from_secs(1)),
        retry_interval: quick(pace.retry_interval, default.retry_interval, Duration::from_millis(500)),
        ..pace
    }
}

fn bind_job(entry: &JobEntry, problems: &mut Vec<Problem>) -> Option<Bound> {
    let job = &entry.job;
    let Some(kind) = backup::source(&job.kind) else {
        problems.push(unknown("backup kind", &job.kind, &entry.kind_place, backup::SOURCES.iter().map(|s| s.name)));
        return None;
    };
    let what = format!("the backup {}", job.name);
    let mut reader = entry.options.reader(&what);
    let source = (kind.bind)(job, &mut reader);
    problems.extend(reader.finish());
    let source = source?;
    if job.not_probed.is_some() {
        return None;
    }
    Some(bound_source(job, kind.name, entry.interval.unwrap_or(kind.interval), kind.timeout, source))
}

/// A bound repository; `interval` and `timeout` are the kind's where nobody said otherwise.
pub fn bound_source(
    job: &Arc<Job>,
    kind: &str,
    interval: Duration,
    timeout: Duration,
    source: Box<dyn Source>,
) -> Bound {
    let spec = CheckSpec {
        key: CheckKey { subject: Subject::Job(job.id.clone()), name: kind.into() },
        kind: kind.into(),
        interval,
        timeout,
        retry_interval: Duration::from_secs(60).min(interval),
        attempts: 1,
        decides_reachability: false,
        fixed_pace: false,
        eases: false,
        volatile: false,
        runbook: None,
        speaks_for_host: true,
        waits_for: source.waits_for().map(Arc::from),
        wire: source.wire(),
    };
    Bound { spec: Arc::new(spec), run: Runner::Backup(Arc::from(source)), thresholds: Arc::from([]), flapping: None }
}

fn unknown<'a>(what: &str, name: &str, place: &Place, known: impl Iterator<Item = &'a str> + Clone) -> Problem {
    let problem = Problem::error(place, format!("unknown {what} \"{name}\""));
    match nearest(name, known.clone()) {
        Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
        None => problem.hint(format!("known: {}", known.collect::<Vec<_>>().join(", "))),
    }
}

/// A check by name with its defaults.
pub fn plain(kind: &str, place: &Place) -> CheckEntry {
    CheckEntry { kind: kind.to_owned(), options: None, place: place.clone(), unread: None }
}

/// The place of what no file has.
pub fn nowhere() -> Place {
    Place { source: Arc::new(Text { name: "built in".to_owned(), text: String::new() }), start: 0, end: 0 }
}

#[cfg(test)]
mod snmp_users;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn bound(text: &str) -> Result<Plan, String> {
        let config = load::parse("noctty.toml", text.to_owned()).map_err(|e| e.to_string())?;
        bind(&config).map(|(plan, _)| plan).map_err(|p| p.iter().map(Problem::render).collect())
    }

    #[test]
    fn a_host_without_checks_is_pinged() {
        let plan = bound("[[host]]\nname = \"a\"\n").expect("valid");
        let names: Vec<&str> = plan.checks.iter().map(|b| &*b.spec.key.name).collect();
        assert_eq!(names, ["icmp"]);
    }

    #[test]
    fn checks_of_one_kind_are_told_apart() {
        let plan = bound("[[host]]\nname = \"a\"\nchecks = [\"icmp\", {kind=\"tcp\", port=80}, {kind=\"tcp\", port=443, interval=\"5s\"}]\n").expect("valid");
        let names: Vec<&str> = plan.checks.iter().map(|b| &*b.spec.key.name).collect();
        assert_eq!(names, ["icmp", "tcp:80", "tcp:443"]);
        assert_eq!(plan.checks[2].spec.interval, Duration::from_secs(5));
    }

    #[test]
    fn a_password_in_the_file_is_warned_about_and_works() {
        let plan = bound("[[backup]]\nname = \"a\"\nkind = \"restic\"\nrepository = \"/r\"\npassword = \"x\"\n")
            .expect("valid");
        assert_eq!(plan.checks.len(), 1);
        assert!(
            plan.inventory.remarks[0].contains("stands in the configuration itself"),
            "{:?}",
            plan.inventory.remarks
        );
    }

    #[test]
    fn only_what_is_costly_and_nobody_set_a_pace_for_is_asked_less_often_when_it_is_good() {
        for name in EASING {
            let kind = probe::kind(name).expect("it is a check");
            assert!(!kind.pace.decides_reachability && kind.pace.interval >= Duration::from_secs(60), "{name}");
        }
        let eases = |all: &str, more: &str| {
            let text = format!("{all}\n[[host]]\nname = \"a\"\n{more}\n");
            let plan = bound(&text).expect("valid");
            plan.checks.iter().filter(|b| b.spec.eases).map(|b| b.spec.key.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(eases("", "checks = [\"icmp\", \"tls\"]"), ["tls"]);
        assert_eq!(eases("", "checks = [{ kind = \"tls\", timeout = \"5s\" }]"), ["tls"]);
        assert!(eases("", "checks = [{ kind = \"tls\", interval = \"1h\" }]").is_empty(), "as it is the usual one");
        assert!(eases("[polling]\nadaptive = false", "checks = [\"tls\"]").is_empty());
        for tag in ["core", "critical"] {
            assert!(eases("", &format!("tags = [\"{tag}\"]\nchecks = [\"tls\"]")).is_empty());
        }
    }

    #[test]
    fn what_a_check_says_of_flapping_overrules_its_host() {
        let text = "[flapping]\nformula = \"nagios\"\n[[host]]\nname = \"a\"\nflapping = { high = 50 }\nchecks = [\"icmp\", \
                    { kind = \"tcp\", port = 80, flapping = false }, { kind = \"tcp\", port = 81, flapping = \"icinga2\" }]\n";
        let plan = bound(text).expect("valid");
        let told: Vec<Option<f64>> = plan.checks.iter().map(|b| b.flapping.map(|formula| formula.high)).collect();
        assert_eq!(told, [Some(50.0), None, Some(30.0)]);
        assert_eq!(plan.inventory.flapping.len(), 2, "what is as usual is not named");
        let errors =
            bound("[[host]]\nname = \"a\"\nchecks = [{ kind = \"tcp\", port = 80, flapping = { low = 60 } }]\n");
        let errors = errors.expect_err("invalid");
        assert!(errors.contains("noctty.toml:3:57: error: flapping ends at 60 %"), "{errors}");
    }

    #[test]
    fn a_named_check_of_the_agent_is_as_the_snmp_table_has_it() {
        let of = |checks: &str| {
            let plan = bound(&format!(
                "[[host]]\nname = \"asa\"\naddress = \"10.0.0.9\"\nchecks = {checks}\nsnmp = {{ port = 1161, community = {{ \
                 env = \"C\" }} }}\n"
            ))
            .expect("valid");
            let told =
                |b: &Bound| format!("{} {} {}", b.spec.key.name, b.spec.wire.destination, b.spec.interval.as_secs());
            let mut all: Vec<String> = plan.checks.iter().map(told).collect();
            all.sort();
            all
        };
        let usual = ["ports 10.0.0.9:1161 60", "snmp 10.0.0.9:1161 60"];
        assert_eq!(of("[]"), usual);
        assert_eq!(of("[\"ports\"]"), usual);
        let slower = "[{ kind = \"ports\", interval = \"5m\" }]";
        assert_eq!(of(slower), ["ports 10.0.0.9:1161 300", "snmp 10.0.0.9:1161 60"]);
        let other = "[{ kind = \"ports\", port = 2161, community = { env = \"D\" } }]";
        assert_eq!(of(other), ["ports 10.0.0.9:2161 60", "snmp 10.0.0.9:1161 60"]);
    }

    #[test]
    fn what_is_wrong_with_an_agent_is_said_once_and_a_secret_in_a_table_says_where_it_belongs() {
        let errors = bound("[[host]]\nname = \"a\"\nsnmp = { community = { value = \"x\" } }\n").expect_err("invalid");
        assert_eq!(errors.matches(": error: ").count(), 1, "{errors}");
        assert!(errors.contains("noctty.toml:3:24: error: unknown key `value` in the secret"), "{errors}");
        assert!(errors.contains("hint: a secret stands in a file"), "{errors}");
        let none = bound("[[host]]\nname = \"a\"\nsnmp = { community = {} }\n").expect_err("invalid");
        assert_eq!(none.matches("needs exactly one of `env`, `file`, `command`").count(), 1, "{none}");
        let text = "[[host]]\nname = \"a\"\nsnmp = { community = \"x\" }\n";
        let remarks = bound(text).expect("valid").inventory.remarks.clone();
        assert_eq!(remarks.len(), 1, "{remarks:?}");
    }

    #[test]
    fn a_log_in_is_looked_for_where_it_does_not_stand() {
        let check = "checks = [{ kind = \"linux\", user = \"root\", password = \"x\", name = \"y\" }]";
        let errors = bound(&format!("[[host]]\nname = \"a\"\n{check}\n")).expect_err("invalid");
        for hint in ["target = \"user@host:port\"", "put a key into the agent", "did you mean `label`?"] {
            assert!(errors.contains(hint), "{hint}: {errors}");
        }
    }

    #[test]
    fn unknown_kinds_and_options_are_located_with_a_hint() {
        let errors =
            bound("[[host]]\nname = \"a\"\nchecks = [\"imcp\", {kind=\"tcp\", prot=80}]\n").expect_err("invalid");
        for want in [
            "noctty.toml:3:11: error: unknown check \"imcp\"",
            "did you mean \"icmp\"?",
            "unknown key `prot`",
            "did you mean `port`?",
            "needs a port",
        ] {
            assert!(errors.contains(want), "{want} is missing in\n{errors}");
        }
    }
}
