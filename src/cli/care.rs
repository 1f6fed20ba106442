//! `noctty ack`, `noctty maintenance`, `noctty pause` and `noctty resume`: who has taken a problem on, what is being worked
//! on, and whether anything is polled. Written to the journal,
//! beside a running console or without one; "saved" is printed when it is on the disk. A console that uses the same state
//! directory shows it within a second or two.

mod present;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use color_eyre::eyre::{Result, bail, eyre};

use self::present::Kin;
use super::{Globals, UNKNOWN, complain, state_dir};
use crate::base::options::nearest;
use crate::base::{Clock, Timestamp, Untrusted, units};
use crate::config::maintenance as windows;
use crate::engine::Plan;
use crate::journal::{self, Draft, JournalError};
use crate::model::care::LONGEST_CLAIM;
use crate::model::{
    AssetId, CareBook, Claim, Condition, Deed, Entry, Maintenance, Order, Release, Scope, Stickiness, Subject, Target,
};
use crate::report::care as report;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub struct AckArgs {
    /// HOST, HOST/CHECK, HOST/PORT or BACKUP; without it the claims that stand are listed
    #[arg(value_name = "TARGET", group = "what", value_parser = NonEmptyStringValueParser::new())]
    target: Option<String>,
    /// Every present problem of the hosts of this site that nobody has claimed, and of the backups that protect them
    #[arg(long, value_name = "SITE", group = "what", value_parser = NonEmptyStringValueParser::new())]
    site: Option<String>,
    /// The same of a group
    #[arg(long, value_name = "GROUP", group = "what", value_parser = NonEmptyStringValueParser::new())]
    group: Option<String>,
    /// Who owns it from now on; default: who writes
    #[arg(long, value_name = "NAME", requires = "what")]
    owner: Option<String>,
    /// What is being done about it
    #[arg(long, value_name = "TEXT", requires = "what")]
    note: Option<String>,
    /// How long, 30d at most
    #[arg(long = "for", value_name = "DURATION", default_value = "4h", value_parser = duration)]
    lasts: Duration,
    /// The claim outlives its problem getting worse
    #[arg(long, requires = "what")]
    sticky: bool,
    /// Take it from whoever else has it
    #[arg(long, requires = "what", conflicts_with_all = ["release", "site", "group"])]
    take_over: bool,
    /// Give it back
    #[arg(long, requires = "target", conflicts_with_all = ["owner", "note", "sticky"])]
    release: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// One JSON object (noctty.care/1) instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Who writes; default: the user
    #[arg(long, global = true, value_name = "NAME", env = "NOCTTY_AUTHOR")]
    author: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MaintenanceArgs {
    #[command(subcommand)]
    command: Option<MaintenanceCommand>,
    #[command(flatten)]
    order: OrderArgs,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Subcommand)]
enum MaintenanceCommand {
    /// Every window that is open or will be, of the configuration too
    List,
    /// Take a window back that was ordered by command, or end it early
    Cancel {
        #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct OrderArgs {
    /// One host with its checks and ports, or one backup
    #[arg(value_name = "TARGET", group = "scope", value_parser = NonEmptyStringValueParser::new())]
    target: Option<String>,
    /// Every host with this tag
    #[arg(long, value_name = "TAG", group = "scope")]
    tag: Option<String>,
    /// Every host of this group
    #[arg(long, value_name = "GROUP", group = "scope")]
    group: Option<String>,
    /// Every host of this site
    #[arg(long, value_name = "SITE", group = "scope")]
    site: Option<String>,
    /// A host and everything that hangs on nothing else
    #[arg(long, value_name = "HOST", group = "scope")]
    behind: Option<String>,
    /// How long it lasts
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    lasts: Option<Duration>,
    /// When it begins, RFC 3339 or "2026-12-01 22:00"; default: now
    #[arg(long, value_name = "TIME", conflicts_with = "schedule")]
    from: Option<String>,
    /// When it ends, instead of --for
    #[arg(long, value_name = "TIME", conflicts_with_all = ["lasts", "schedule"])]
    until: Option<String>,
    /// When it begins each time: five cron fields
    #[arg(long, value_name = "CRON")]
    schedule: Option<String>,
    /// The time zone of --from, --until and --schedule
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: String,
    /// It begins when something goes bad within the window, and lasts this long from then on
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    flexible: Option<Duration>,
    /// What is being done
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct PauseArgs {
    /// Why, for whoever finds it stopped
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    common: Common,
}

/// An engine that runs hears of it within a second or two; one that starts later begins so.
pub fn pause(args: PauseArgs, globals: &Globals) -> Result<ExitCode> {
    let desk = Desk::new(args.common, globals)?;
    if let Some(pause) = desk.book()?.paused {
        bail!("polling is paused already: {}", pause.words(desk.clock.wall()));
    }
    desk.write(Deed::Paused { note: typed(&args.note.unwrap_or_default()) })
}

pub fn resume(args: ResumeArgs, globals: &Globals) -> Result<ExitCode> {
    let desk = Desk::new(args.common, globals)?;
    if desk.book()?.paused.is_none() {
        bail!("polling is not paused");
    }
    desk.write(Deed::Resumed)
}

pub fn ack(args: AckArgs, globals: &Globals) -> Result<ExitCode> {
    let desk = Desk::new(args.common, globals)?;
    let kin = args.site.map(Kin::Site).or(args.group.map(Kin::Group));
    if args.target.is_none() && kin.is_none() {
        let book = desk.book()?;
        return desk.print(&CareBook { maintenance: Vec::new(), ..book }, report::acks_text);
    }
    let plan = super::load_plan(globals)?;
    let wish = Wish {
        owner: args.owner.map_or_else(|| desk.author.clone(), |owner| typed(&owner)),
        note: typed(&args.note.unwrap_or_default()),
        lasts: args.lasts,
        stickiness: if args.sticky { Stickiness::Sticky } else { Stickiness::EndsOnWorsening },
    };
    let target = match (&args.target, kin) {
        (Some(name), _) => resolve(name, &plan, &desk.directory)?,
        (None, Some(kin)) => {
            wish.check()?;
            return desk.claim_present(&kin, &wish, &plan, globals.passive);
        }
        (None, None) => bail!("nothing is named"),
    };
    if args.release {
        if !desk.book()?.acks.iter().any(|ack| ack.claim.target == target && ack.claim.until > desk.clock.wall()) {
            bail!("nobody has claimed {}", target.label().line());
        }
        return desk.write(Deed::Released { target, claim: None, why: Release::ByHand });
    }
    wish.check()?;
    // A running console knows how bad it is, and looks.
    let claim = wish.claim(target, None, desk.clock.wall());
    let over = if args.take_over { desk.standing(&claim.target)? } else { None };
    let draft = Draft::Claim { claim: claim.clone(), over, author: desk.author.clone() };
    desk.save(&draft, |entry| desk.claimed(&[(entry, claim)]))
}

/// What a claim is to say, whatever it is of.
struct Wish {
    owner: Untrusted,
    note: Untrusted,
    lasts: Duration,
    stickiness: Stickiness,
}

impl Wish {
    fn check(&self) -> Result<()> {
        if self.lasts > LONGEST_CLAIM {
            bail!("a claim lasts {} at most", units::config_duration(LONGEST_CLAIM));
        }
        Ok(())
    }

    fn claim(&self, target: Target, condition: Option<Condition>, now: Timestamp) -> Claim {
        let (owner, note) = (self.owner.clone(), self.note.clone());
        Claim { target, owner, note, until: now.plus(self.lasts), stickiness: self.stickiness, condition }
    }
}

pub fn maintenance(args: MaintenanceArgs, globals: &Globals) -> Result<ExitCode> {
    let desk = Desk::new(args.common, globals)?;
    let order = args.order;
    if order.named().is_none() && order.says_when_or_why() {
        complain(
            "nothing is named to be worked on: name a host or backup (noctty maintenance db01 --for 1h), or one of --tag TAG, \
             --group GROUP, --site SITE, --behind HOST",
        );
        return Ok(ExitCode::from(MISUSED));
    }
    let scope = match order.named() {
        None => None,
        Some(named) => Some(scope(named, &super::load_plan(globals)?)?),
    };
    match (args.command, scope) {
        (Some(MaintenanceCommand::Cancel { id }), _) => {
            if !desk.book()?.maintenance.iter().any(|one| *one.id == *id) {
                bail!(
                    "no window is called {id}; `noctty maintenance list` has them, and those of the configuration end there"
                );
            }
            desk.write(Deed::Cancelled { maintenance: id.into() })
        }
        (Some(MaintenanceCommand::List), _) | (None, None) => {
            let mut book = desk.book()?;
            let now = desk.clock.wall();
            book.maintenance.retain(|one| !report::is_over(one, now));
            let configured: Vec<Arc<Maintenance>> = super::load_plan(globals)?.inventory.maintenance.clone();
            book.maintenance.extend(configured.into_iter().filter(|one| !report::is_over(one, now)));
            desk.print(&CareBook { acks: Vec::new(), ..book }, report::maintenance_text)
        }
        (None, Some(scope)) => {
            let now = desk.clock.wall();
            let from = order.from.or_else(|| order.schedule.is_none().then(|| now.rfc3339()));
            let asked = windows::Asked {
                from,
                until: order.until,
                schedule: order.schedule,
                zone: order.timezone,
                lasts: order.lasts,
                flexible: order.flexible,
            };
            let words =
                |(_, why, hint): windows::Wrong| hint.map_or_else(|| eyre!("{why}"), |hint| eyre!("{why}; {hint}"));
            let span = asked.span().map_err(words)?;
            let changes = asked.clock_changes(&span, now);
            let note = typed(&order.note.unwrap_or_default());
            let order = Order { scope, span, flexible: asked.flexible, note };
            if let Some(over) = order.over_since(now) {
                bail!("this window has been over since {over}: give a later --from or --until");
            }
            let done = desk.write(Deed::Ordered(order));
            for (_, words) in changes {
                complain(&words);
            }
            done
        }
    }
}

/// What the command line says is worked on.
#[derive(Clone, Copy)]
enum Named<'a> {
    Target(&'a str),
    Tag(&'a str),
    Group(&'a str),
    Site(&'a str),
    Behind(&'a str),
}

/// The exit status of a window for nothing at all.
const MISUSED: u8 = 2;

impl OrderArgs {
    /// Something is ordered, whatever it is for.
    fn says_when_or_why(&self) -> bool {
        let durations = self.lasts.is_some() || self.flexible.is_some();
        durations || [&self.from, &self.until, &self.schedule, &self.note].iter().any(|text| text.is_some())
    }

    /// The one that is given.
    fn named(&self) -> Option<Named<'_>> {
        let target = self.target.as_deref().map(Named::Target);
        let target = target.or_else(|| self.tag.as_deref().map(Named::Tag));
        let target = target.or_else(|| self.group.as_deref().map(Named::Group));
        let target = target.or_else(|| self.site.as_deref().map(Named::Site));
        target.or_else(|| self.behind.as_deref().map(Named::Behind))
    }
}

fn scope(named: Named<'_>, plan: &Plan) -> Result<Scope> {
    let hosts = &plan.inventory.hosts;
    let missing = |what: &str, name: &str, known: Vec<&Arc<str>>| {
        let near = nearest(name, known.into_iter().map(|known| &**known));
        let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        eyre!("no host {what} \"{name}\"{near}")
    };
    match named {
        Named::Tag(tag) if hosts.iter().any(|host| host.has_tag(tag)) => Ok(Scope::Tag(tag.into())),
        Named::Tag(tag) => Err(missing("has the tag", tag, hosts.iter().flat_map(|h| &h.tags).collect())),
        Named::Group(group) if hosts.iter().any(|host| host.group.as_deref() == Some(group)) => {
            Ok(Scope::Group(group.into()))
        }
        Named::Group(group) => {
            Err(missing("is in the group", group, hosts.iter().filter_map(|h| h.group.as_ref()).collect()))
        }
        Named::Site(site) if hosts.iter().any(|host| host.site.as_deref() == Some(site)) => {
            Ok(Scope::Site(site.into()))
        }
        Named::Site(site) => {
            Err(missing("is at the site", site, hosts.iter().filter_map(|h| h.site.as_ref()).collect()))
        }
        Named::Behind(name) => match asset(name, plan) {
            Some(Target::Host(id)) => Ok(Scope::Behind(id)),
            _ => Err(unknown(name, plan)),
        },
        Named::Target(name) => {
            asset(name, plan).map(|target| Scope::Asset(target.asset().clone())).ok_or_else(|| unknown(name, plan))
        }
    }
}

/// A host or a job by its id, else by its name.
fn asset(name: &str, plan: &Plan) -> Option<Target> {
    let inventory = &plan.inventory;
    let host = inventory.hosts.iter().find(|h| h.id.as_str() == name);
    let host = host.or_else(|| inventory.hosts.iter().find(|h| &*h.name == name));
    let job = || inventory.jobs.iter().find(|j| j.id.as_str() == name || &*j.name == name);
    host.map(|host| Target::Host(host.id.clone())).or_else(|| job().map(|job| Target::Job(job.id.clone())))
}

fn unknown(name: &str, plan: &Plan) -> color_eyre::eyre::Report {
    let inventory = &plan.inventory;
    let known = inventory.hosts.iter().map(|h| h.id.as_str()).chain(inventory.jobs.iter().map(|j| j.id.as_str()));
    let near = nearest(name, known).map(|near| format!("; did you mean \"{near}\"?"));
    eyre!("nothing is called \"{name}\"{}", near.unwrap_or_default())
}

/// What TARGET names: an asset, else the part of a host behind the first slash that fits.
fn resolve(name: &str, plan: &Plan, directory: &Path) -> Result<Target> {
    if let Some(target) = asset(name, plan) {
        return Ok(target);
    }
    let parts = name.match_indices('/').filter_map(|(at, _)| match asset(&name[..at], plan) {
        Some(Target::Host(id)) => Some((id, &name[at + 1..])),
        _ => None,
    });
    let mut host = None;
    for (id, part) in parts {
        let subject = Subject::Host(id.clone());
        let check = plan.checks.iter().find(|b| b.spec.key.subject == subject && *b.spec.key.name == *part);
        if let Some(check) = check {
            return Ok(Target::Check(check.spec.key.clone()));
        }
        if let Some(target) = port(&id, part, directory)? {
            return Ok(target);
        }
        host = Some((id, part));
    }
    let Some((id, part)) = host else { return Err(unknown(name, plan)) };
    let subject = Subject::Host(id.clone());
    let checks = plan.checks.iter().filter(|b| b.spec.key.subject == subject).map(|b| &*b.spec.key.name);
    bail!("{} has no check or port \"{part}\"; its checks: {}", id.as_str(), checks.collect::<Vec<_>>().join(", "));
}

/// A port that was seen of a device, by its name.
fn port(id: &AssetId, label: &str, directory: &Path) -> Result<Option<Target>> {
    if !directory.join("store.db").exists() {
        return Ok(None);
    }
    let (devices, _) = Store::open(directory)?.load_devices()?;
    let ports = devices.into_iter().filter(|device| device.host == *id).flat_map(|device| device.ports);
    let mut keys = ports.map(|(key, _)| key).filter(|key| key.label.as_bytes() == label.as_bytes());
    let Some(key) = keys.next() else { return Ok(None) };
    if keys.next().is_some() {
        bail!("{} has several ports called \"{label}\": claim it in the console", id.as_str());
    }
    Ok(Some(Target::Port(id.clone(), key)))
}

/// What both commands need.
struct Desk {
    directory: PathBuf,
    author: Untrusted,
    json: bool,
    clock: Clock,
}

impl Desk {
    fn new(common: Common, globals: &Globals) -> Result<Self> {
        let directory = state_dir::choose(globals.state.as_deref())
            .ok_or_else(|| eyre!("there is no home directory: name a directory with --state"))?;
        let author = common.author.map_or_else(journal::author, |name| typed(&name));
        Ok(Self { directory, author, json: common.json, clock: Clock::start() })
    }

    fn book(&self) -> Result<CareBook> {
        let contents = journal::read(&self.directory)?;
        for damage in &contents.damage {
            complain(damage);
        }
        Ok(contents.care)
    }

    fn print(&self, book: &CareBook, text: fn(&CareBook, Timestamp) -> String) -> Result<ExitCode> {
        let now = self.clock.wall();
        super::print(&if self.json { report::list_json(book, now) } else { text(book, now) })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Claims what is a problem of these now and nobody's yet.
    fn claim_present(&self, kin: &Kin, wish: &Wish, plan: &Plan, passive: bool) -> Result<ExitCode> {
        scope(kin.named(), plan)?;
        let shown = present::look(kin, plan, &self.directory, self.book()?, passive, self.clock)?;
        let (free, owned) = present::unowned(kin.problems(&shown.snapshot), &self.book()?, self.clock.wall());
        let mut saved = Vec::new();
        let (mut failed, mut taken) = (None, 0);
        for problem in &free {
            let claim = wish.claim(problem.target.clone(), Some(problem.condition), self.clock.wall());
            let draft = Draft::Claim { claim: claim.clone(), over: None, author: self.author.clone() };
            match super::incident::append(&self.directory, &draft, self.clock) {
                Ok(entry) => saved.push((entry, claim)),
                // In this moment.
                Err(error @ JournalError::Taken { .. }) => {
                    complain(&format!("{}: {error}", problem.target.label().line()));
                    taken += 1;
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let all = report::Claimed { of: Some(kin.words()), seen_by: shown.engine, owned, ..self.reaches(&saved) };
        super::print(&self.told(&all))?;
        let Some(error) = failed else { return Ok(ExitCode::SUCCESS) };
        let left = free.iter().skip(saved.len() + taken).map(|problem| problem.target.label().line());
        complain(&format!("NOT SAVED: {error}; not claimed: {}", left.collect::<Vec<_>>().join(", ")));
        Ok(ExitCode::from(UNKNOWN))
    }

    fn claimed(&self, saved: &[(Arc<Entry>, Claim)]) -> String {
        self.told(&self.reaches(saved))
    }

    fn told(&self, all: &report::Claimed<'_>) -> String {
        let now = self.clock.wall();
        if self.json { report::claimed_json(all, now) } else { report::claimed_text(all, now) }
    }

    /// What was claimed, and who sees it.
    fn reaches<'a>(&self, saved: &'a [(Arc<Entry>, Claim)]) -> report::Claimed<'a> {
        let machine = super::attach::engine_of_the_machine(&self.directory);
        report::Claimed {
            saved,
            of: None,
            seen_by: None,
            owned: Vec::new(),
            directory: super::shown(&self.directory),
            polled_by: crate::attach::holder(&self.directory),
            not_in: machine.map(|socket| super::shown(&socket)),
        }
    }

    fn write(&self, deed: Deed) -> Result<ExitCode> {
        let draft = Draft::Deed { deed, author: self.author.clone() };
        self.save(&draft, |entry| self.said(&entry))
    }

    /// The claim of it that stands.
    fn standing(&self, target: &Target) -> Result<Option<Arc<str>>> {
        let book = self.book()?;
        Ok(book.acks.iter().find(|ack| ack.claim.target == *target).map(|ack| ack.id.clone()))
    }

    fn save(&self, draft: &Draft, said: impl FnOnce(Arc<Entry>) -> String) -> Result<ExitCode> {
        match super::incident::append(&self.directory, draft, self.clock) {
            Ok(entry) => {
                super::print(&said(entry))?;
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                let how = if let JournalError::Taken { .. } = error { ": --take-over takes it from there" } else { "" };
                complain(&format!("NOT SAVED: {error}{how}"));
                Ok(ExitCode::from(UNKNOWN))
            }
        }
    }

    fn said(&self, entry: &Entry) -> String {
        if self.json { report::saved_json(entry, self.clock.wall()) } else { report::saved_text(entry) }
    }
}

/// What somebody typed, as the console's forms take it: one line, and no byte in it that a terminal would obey. Uncut: the
/// journal refuses what is too long.
fn typed(text: &str) -> Untrusted {
    let clean = crate::base::text::clean(&text.replace(['\r', '\n'], " "));
    Untrusted::bounded(clean.as_bytes(), clean.len())
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = units::parse_duration(text).filter(|duration| !duration.is_zero());
    parsed.ok_or_else(|| "a number and a unit: 30m, 4h, 2d, 1h30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::care::CLAIM_LASTS;

    #[test]
    fn the_default_of_a_claim_is_the_one_of_the_console() {
        assert_eq!(duration("4h"), Ok(CLAIM_LASTS));
        assert!(duration("0s").is_err() && duration("4").is_err());
    }
}
