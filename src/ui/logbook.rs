//! The entries of the log, whole: faults, remarks, the listener for traps, messages of this console, what devices told by
//! themselves, what walks found changed, which states this console saw change, and what people did about problems. They are
//! made when the log is on the screen and something has come; what is opened of them is a copy, which no later entry changes.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use super::app::App;
use super::panes::Selected;
use super::parts::newest_events;
use crate::base::{Timestamp, Untrusted, text};
use crate::bus::MessageWeight;
use crate::config::theme::Meaning;
use crate::model::{AssetId, Condition, NotificationKind, PortChange, PortEvent, PortState, TrapStatus};
use crate::state::snapshot::problems::job_word;
use crate::state::{DeviceView, NotificationView, Snapshot};

/// Messages of this console that are kept.
const MESSAGES: usize = 200;
/// States that this console saw change.
const CHANGES: usize = 500;
/// What walks found changed, of all devices.
const PORT_EVENTS: usize = 200;

/// Where an entry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Fault,
    Remark,
    Listener,
    Message,
    State,
    Port,
    Trap,
    Record,
}

impl Source {
    /// As the list and a filter name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Remark => "remark",
            Self::Listener => "traps",
            Self::Message => "message",
            Self::State => "state",
            Self::Port => "port",
            Self::Trap => "trap",
            Self::Record => "record",
        }
    }

    fn origin(self) -> &'static str {
        match self {
            Self::Fault => "the engine: a task of it ended in a fault",
            Self::Remark => "the engine: what it can't watch or do here",
            Self::Listener => "the engine's listener for SNMP traps",
            Self::Message => "a message of this console; it ends with it",
            Self::State => "seen by this console; it ends with it",
            Self::Port => "a walk of the device",
            Self::Trap => "the device told it by itself",
            Self::Record => "the journal of this state directory",
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub source: Source,
    /// `None` for what stands as long as the engine runs.
    pub at: Option<Timestamp>,
    pub meaning: Meaning,
    /// The state that it tells of, in the word of the screen; empty where it tells of none.
    pub word: &'static str,
    /// What it is about, where that is known.
    pub about: Option<Selected>,
    /// The same in words.
    pub object: String,
    pub says: String,
    /// What there is to know beside it: its name, and what it is.
    pub facts: Vec<(&'static str, String)>,
}

impl LogEntry {
    fn new(source: Source, at: Option<Timestamp>, meaning: Meaning, says: impl Into<String>) -> Self {
        let facts = vec![("from", source.origin().to_owned())];
        Self { source, at, meaning, word: "", about: None, object: String::new(), says: says.into(), facts }
    }

    fn about(mut self, about: Option<Selected>, object: impl Into<String>) -> Self {
        (self.about, self.object) = (about, object.into());
        self
    }

    fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.insert(self.facts.len() - 1, (name, value.into()));
        self
    }

    /// For filters: how bad it is.
    pub fn condition(&self) -> Condition {
        match self.meaning {
            Meaning::Critical => Condition::Critical,
            Meaning::Warning => Condition::Warning,
            Meaning::Unknown => Condition::Unknown,
            Meaning::Unreachable => Condition::Unreachable,
            _ => Condition::Ok,
        }
    }

    /// The same entry, maybe in a newer list.
    fn identity(&self) -> (Source, Option<Timestamp>, &str, &str) {
        (self.source, self.at, &self.object, &self.says)
    }
}

/// A message of this console.
#[derive(Clone, Debug)]
struct Message {
    at: Timestamp,
    weight: MessageWeight,
    words: String,
    about: Option<AssetId>,
}

/// What this console keeps for the log, and the log as it was made last.
#[derive(Debug, Default)]
pub struct Logbook {
    messages: VecDeque<Message>,
    changes: VecDeque<LogEntry>,
    pub entries: Vec<Arc<LogEntry>>,
    /// Counts what was kept, and the count and snapshot that `entries` were made of.
    kept: u64,
    made_of: Option<(u64, u64)>,
}

impl Logbook {
    pub fn count(&self, source: Source) -> usize {
        self.entries.iter().filter(|entry| entry.source == source).count()
    }

    fn keep(&mut self, message: Message) {
        self.messages.push_back(message);
        if self.messages.len() > MESSAGES {
            self.messages.pop_front();
        }
        self.kept += 1;
    }

    /// Which states differ. What begins, and what begins well, is no change.
    pub fn compare(&mut self, before: &Snapshot, now: &Snapshot) {
        let mut changes = Vec::new();
        for (old, host) in pairs(&before.hosts, &now.hosts, |host| &host.host.id) {
            if is_news(old.condition, host.condition) {
                let about = Selected::Host(host.host.id.clone());
                let mut change = change((old.condition, host.condition), host.since, &host.reason.line());
                change.word = host.word();
                changes.push(change.about(Some(about), &*host.host.name));
            }
        }
        for (old, job) in pairs(&before.jobs, &now.jobs, |job| &job.job.id) {
            if is_news(old.condition, job.condition) {
                let about = Selected::Job(job.job.id.clone());
                let mut change = change((old.condition, job.condition), job.since, &job.reason.line());
                change.word = job_word(job.state);
                changes.push(change.about(Some(about), &*job.job.name));
            }
        }
        self.kept += changes.len() as u64;
        self.changes.extend(changes);
        self.changes.drain(..self.changes.len().saturating_sub(CHANGES));
    }
}

/// What was there before and is another now. While the inventory stays each has its place.
fn pairs<'a, T>(before: &'a [Arc<T>], now: &'a [Arc<T>], id: fn(&T) -> &AssetId) -> Vec<(&'a T, &'a T)> {
    let mut places: Option<HashMap<&AssetId, &'a Arc<T>>> = None;
    let mut out = Vec::new();
    for (row, one) in now.iter().enumerate() {
        let old = match before.get(row) {
            Some(old) if Arc::ptr_eq(old, one) => continue,
            Some(old) if id(old) == id(one) => Some(old),
            _ => places
                .get_or_insert_with(|| before.iter().map(|old| (id(old), old)).collect())
                .get(id(one))
                .copied()
                .filter(|old| !Arc::ptr_eq(old, one)),
        };
        out.extend(old.map(|old| (&**old, &**one)));
    }
    out
}

fn is_news(from: Condition, to: Condition) -> bool {
    let begins = matches!(from, Condition::Pending | Condition::NotProbed);
    from != to && to != Condition::Pending && !(begins && matches!(to, Condition::Ok | Condition::NotProbed))
}

fn change((from, to): (Condition, Condition), at: Timestamp, reason: &str) -> LogEntry {
    let words = format!("{} → {}", from.as_str(), to.as_str());
    let says = if reason.is_empty() { words.clone() } else { format!("{words}  {reason}") };
    let meaning = match to {
        Condition::Critical => Meaning::Critical,
        Condition::Warning => Meaning::Warning,
        Condition::Unknown => Meaning::Unknown,
        Condition::Unreachable => Meaning::Unreachable,
        Condition::Ok | Condition::Pending | Condition::NotProbed => Meaning::Text,
    };
    LogEntry::new(Source::State, Some(at), meaning, says).fact("change", words)
}

impl App {
    /// One line for the footer and the log.
    pub fn say(&mut self, weight: MessageWeight, words: impl Into<String>) {
        let words = text::clean(&words.into());
        let about = named_in(&self.snapshot, &words);
        let at = self.live().at;
        self.logbook.keep(Message { at, weight, words: words.clone(), about });
        self.message = Some((weight, words));
    }

    /// Makes the log anew where something has come since. The new number of each entry that was there before, else `None`.
    pub(super) fn make_log(&mut self) -> Option<HashMap<usize, usize>> {
        let made_of = Some((self.snapshot.revision, self.logbook.kept));
        if self.logbook.made_of == made_of {
            return None;
        }
        self.logbook.made_of = made_of;
        let entries: Vec<Arc<LogEntry>> = entries(self).into_iter().map(Arc::new).collect();
        let old = std::mem::replace(&mut self.logbook.entries, entries);
        let rows: HashMap<_, usize> =
            self.logbook.entries.iter().enumerate().map(|(row, entry)| (entry.identity(), row)).collect();
        Some(old.iter().enumerate().filter_map(|(row, entry)| Some((row, *rows.get(&entry.identity())?))).collect())
    }

    /// The object that entries of a journal name so: `db01`, `db01/disk`, `sw1/Gi1/0/7`.
    pub(super) fn object_named(&self, label: &str) -> Option<Selected> {
        let hosts = self.snapshot.hosts.iter().map(|host| (&host.host.id, &*host.host.name));
        let jobs = self.snapshot.jobs.iter().map(|job| (&job.job.id, &*job.job.name));
        let named = |(id, name): &(&AssetId, &str), wanted: &str| id.as_str() == wanted || *name == wanted;
        let host = |wanted: &str| hosts.clone().find(|one| named(one, wanted)).map(|(id, _)| id.clone());
        let job = |wanted: &str| jobs.clone().find(|one| named(one, wanted)).map(|(id, _)| id.clone());
        object(&self.snapshot, label, host, job)
    }
}

/// Hosts and jobs by their ids and names, for who looks for many; of several that are called alike the first.
struct Named<'a> {
    hosts: HashMap<&'a str, &'a AssetId>,
    jobs: HashMap<&'a str, &'a AssetId>,
}

impl<'a> Named<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        fn index<'a>(all: impl Iterator<Item = (&'a AssetId, &'a str)>) -> HashMap<&'a str, &'a AssetId> {
            let mut out = HashMap::new();
            for (id, name) in all {
                out.entry(id.as_str()).or_insert(id);
                out.entry(name).or_insert(id);
            }
            out
        }
        Self {
            hosts: index(snapshot.hosts.iter().map(|host| (&host.host.id, &*host.host.name))),
            jobs: index(snapshot.jobs.iter().map(|job| (&job.job.id, &*job.job.name))),
        }
    }

    fn object(&self, snapshot: &Snapshot, label: &str) -> Option<Selected> {
        let get = |all: &HashMap<&str, &AssetId>, name: &str| all.get(name).map(|id| (*id).clone());
        object(snapshot, label, |name| get(&self.hosts, name), |name| get(&self.jobs, name))
    }
}

fn object(
    snapshot: &Snapshot,
    label: &str,
    host: impl Fn(&str) -> Option<AssetId>,
    job: impl Fn(&str) -> Option<AssetId>,
) -> Option<Selected> {
    let label = label.trim_end_matches(" (device)").trim_end_matches(" (ports gone)");
    if let Some(id) = host(label) {
        return Some(Selected::Host(id));
    }
    if let Some(id) = job(label) {
        return Some(Selected::Job(id));
    }
    // A host's name may have a stroke in it as well.
    label.match_indices('/').find_map(|(at, _)| {
        let (asset, part) = (host(&label[..at])?, &label[at + 1..]);
        let port = snapshot.device(&asset).and_then(|device| {
            let row = device.table.ports.iter().position(|port| port.label().line() == part)?;
            device.key(row)
        });
        Some(port.map_or_else(|| Selected::Host(asset.clone()), |port| Selected::Port(asset.clone(), port)))
    })
}

/// The host or job whose name stands in a text; the longest of several.
fn named_in(snapshot: &Snapshot, words: &str) -> Option<AssetId> {
    let hosts = snapshot.hosts.iter().map(|host| (&host.host.id, &*host.host.name));
    let jobs = snapshot.jobs.iter().map(|job| (&job.job.id, &*job.job.name));
    let named = hosts.chain(jobs).filter(|(_, name)| name.len() > 1 && stands_in(words, name));
    named.max_by_key(|(_, name)| name.len()).map(|(id, _)| id.clone())
}

/// As a word of its own.
fn stands_in(words: &str, name: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    words.match_indices(name).any(|(at, _)| {
        let mut after = words[at + name.len()..].chars();
        let follows = match after.next() {
            Some('.') => after.next().is_some_and(joins),
            next => next.is_some_and(joins),
        };
        !follows && !words[..at].ends_with(|c| joins(c) || c == '.')
    })
}

/// What stands first, then what happened, newest first.
fn entries(app: &App) -> Vec<LogEntry> {
    let snapshot = &app.snapshot;
    let named = Named::of(snapshot);
    let faults =
        snapshot.engine.faults.iter().map(|fault| LogEntry::new(Source::Fault, None, Meaning::Critical, &**fault));
    let remarks = snapshot.remarks.iter().map(|remark| LogEntry::new(Source::Remark, None, Meaning::Text, &**remark));
    let listener = snapshot.engine.traps.iter().map(|traps| {
        let meaning = if traps.problem.is_some() { Meaning::Critical } else { Meaning::Text };
        LogEntry::new(Source::Listener, None, meaning, listener(traps))
    });
    let mut out: Vec<LogEntry> = faults.chain(remarks).chain(listener).collect();
    let standing = out.len();
    out.extend(app.logbook.messages.iter().rev().map(|one| message(snapshot, &named, one)));
    out.extend(app.logbook.changes.iter().rev().cloned());
    out.extend(snapshot.notifications.iter().map(|told| trap(app, told)));
    out.extend(port_events(app));
    out.extend(snapshot.deeds.iter().map(|entry| {
        let label = entry.about.as_ref().map(Untrusted::line).unwrap_or_default();
        let kind = entry.kind.as_str().replace('-', " ");
        let says = format!("{kind} by {}: {}", entry.author.line(), entry.text.line());
        LogEntry::new(Source::Record, Some(entry.at), Meaning::Text, says)
            .about(named.object(snapshot, &label), label)
            .fact("by", entry.author.line())
            .fact("entry", format!("{}, number {} of writer {}", entry.id, entry.sequence, entry.writer))
    }));
    // Those of one moment stay as they are: each kind newest first.
    out[standing..].sort_by_key(|entry| Reverse(entry.at));
    out
}

fn message(snapshot: &Snapshot, named: &Named<'_>, message: &Message) -> LogEntry {
    let meaning = match message.weight {
        MessageWeight::Note => Meaning::Text,
        MessageWeight::Warning => Meaning::Warning,
        MessageWeight::Error => Meaning::Critical,
    };
    let about = message.about.as_ref().and_then(|id| named.object(snapshot, id.as_str()));
    let object = message.about.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
    LogEntry::new(Source::Message, Some(message.at), meaning, &*message.words).about(about, object)
}

fn trap(app: &App, view: &NotificationView) -> LogEntry {
    let told = &view.told;
    let name = app.snapshot.host(&told.host).map_or_else(|| told.host.as_str().to_owned(), |h| h.host.name.to_string());
    let port = told.if_index.and_then(|index| {
        let device = app.snapshot.device(&told.host)?;
        device.key(device.table.ports.binary_search_by_key(&index, |port| port.index).ok()?)
    });
    let about = match port {
        Some(port) => Selected::Port(told.host.clone(), port),
        None => Selected::Host(told.host.clone()),
    };
    let mut entry = LogEntry::new(Source::Trap, Some(told.at), meaning(&told.kind), words(view))
        .about(Some(about), name)
        .fact("notification", format!("{}, SNMP {}", told.kind.as_str(), told.version));
    if let Some(index) = told.if_index {
        let label = view.port.as_ref().map(|port| format!("{}, ", port.line())).unwrap_or_default();
        entry = entry.fact("port", format!("{label}ifIndex {index}"));
    }
    if told.count > 1 {
        entry = entry.fact("told", format!("{} times; the time is that of the last", told.count));
    }
    entry
}

/// The newest of all devices.
fn port_events(app: &App) -> Vec<LogEntry> {
    let one = |(device, event): (&DeviceView, &PortEvent)| {
        let id = device.host.id.clone();
        let label = event.port.as_ref().map(|port| port.label.line());
        let says =
            label.as_ref().map_or_else(|| event.change.words(), |label| format!("{label} {}", event.change.words()));
        let about = match &event.port {
            Some(port) if device.row(port).is_some() => Selected::Port(id, port.clone()),
            _ => Selected::Host(id),
        };
        let entry = LogEntry::new(Source::Port, Some(event.at), weight(event.change), says)
            .about(Some(about), &*device.host.name)
            .fact("change", event.change.words());
        match label {
            Some(label) => entry.fact("port", label),
            None => entry,
        }
    };
    newest_events(&app.snapshot, PORT_EVENTS).into_iter().map(one).collect()
}

/// What asks to be looked at whichever port it is; whether a lost link is bad, the port's role says.
fn weight(change: PortChange) -> Meaning {
    match change {
        PortChange::State { to: PortState::ErrDisabled | PortState::MissingModule, .. } | PortChange::Restarted => {
            Meaning::Warning
        }
        PortChange::State { .. }
        | PortChange::Appeared
        | PortChange::Gone
        | PortChange::AgentRestarted
        | PortChange::ManyChanged(_)
        | PortChange::ManyAppeared(_)
        | PortChange::ManyGone(_) => Meaning::Text,
    }
}

/// What a device told, in a line.
pub fn words(view: &NotificationView) -> String {
    let told = &view.told;
    let mut out = told.kind.as_str().to_owned();
    match (&view.port, told.if_index) {
        (Some(port), _) => {
            let _ = write!(out, " {}", port.line());
        }
        (None, Some(index)) => {
            let _ = write!(out, " ifIndex {index}");
        }
        (None, None) => {}
    }
    if !told.detail.is_empty() {
        let _ = write!(out, "  {}", told.detail.line());
    }
    if told.count > 1 {
        let _ = write!(out, "  ({} times, {})", told.count, told.version);
    } else {
        let _ = write!(out, "  ({})", told.version);
    }
    out
}

/// How much a notification asks to be looked at; what it means for a port, the next walk says.
pub fn meaning(kind: &NotificationKind) -> Meaning {
    match kind {
        NotificationKind::LinkDown | NotificationKind::AuthenticationFailure => Meaning::Warning,
        NotificationKind::ColdStart
        | NotificationKind::WarmStart
        | NotificationKind::LinkUp
        | NotificationKind::Other(_) => Meaning::Text,
    }
}

/// How the listener for traps stands, in a line.
fn listener(status: &TrapStatus) -> String {
    let mut out = match &status.problem {
        Some(problem) => return problem.to_string(),
        None => format!("on {}: {} taken", status.listening.join(", "), status.taken),
    };
    for (count, what) in [
        (status.unknown_source, "from addresses that no host has"),
        (status.refused, "refused"),
        (status.malformed, "malformed"),
        (status.other_kinds, "of other kinds"),
        (status.suppressed, "suppressed"),
    ] {
        if count > 0 {
            let _ = write!(out, ", {count} {what}");
        }
    }
    if let Some(last) = &status.last_refusal {
        let _ = write!(out, " (last: {last})");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_it_is_a_word_of_its_own() {
        for (words, name, is_there) in [
            ("asking db01", "db01", true),
            ("db01: the same key", "db01", true),
            ("claimed db01.", "db01", true),
            ("claimed db01.ams", "db01", false),
            ("asking db012", "db01", false),
            ("asking old-db01", "db01", false),
            ("asking x.db01", "db01", false),
            ("not db012, db01", "db01", true),
        ] {
            assert_eq!(stands_in(words, name), is_there, "{words}");
        }
    }

    #[test]
    fn what_begins_well_is_no_news() {
        use Condition::{Critical, NotProbed, Ok, Pending, Unreachable};
        for (from, to, is) in [
            (Pending, Ok, false),
            (Pending, Critical, true),
            (Ok, Critical, true),
            (Critical, Ok, true),
            (Ok, Unreachable, true),
            (NotProbed, Ok, false),
            (Ok, Pending, false),
            (Ok, Ok, false),
        ] {
            assert_eq!(is_news(from, to), is, "{from:?} {to:?}");
        }
    }
}
