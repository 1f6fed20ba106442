//! The entries of the log, whole: faults, remarks, the listener for traps, messages of this console, what devices told by
//! themselves, what walks found changed, which conditions changed, and what people did about problems. They are made when the
//! log is on the screen and something has come; what is opened of them is a copy, which no later entry changes.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use super::app::App;
use super::panes::Selected;
use super::parts::newest_events;
use crate::base::{Timestamp, Untrusted, text};
use crate::bus::MessageWeight;
use crate::model::{
    AssetId, Change, Condition, NotificationKind, PortChange, PortEvent, PortState, Target, Transition, TrapStatus,
};
use crate::state::{DeviceView, NotificationView, Snapshot};

/// Messages of this console that are kept.
const MESSAGES: usize = 200;
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
    Change,
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
            Self::Change => "change",
            Self::Port => "port",
            Self::Trap => "trap",
            Self::Record => "record",
        }
    }

    fn origin(self) -> &'static str {
        match self {
            Self::Fault => "the engine: a task of it ended in a fault; the newest are kept over restarts",
            Self::Remark => "the engine: what it can't watch or do here",
            Self::Listener => "the engine's listener for SNMP traps",
            Self::Message => "a message of this console, or of one before it; the newest are kept",
            Self::State => "the engine: a condition changed; the newest are kept over restarts",
            Self::Change => "the engine: it found something other than it was; since it began",
            Self::Port => "a walk of the device",
            Self::Trap => "the device told it by itself; the newest are kept over restarts",
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
    /// How bad it is, for its look and for filters.
    pub condition: Condition,
    /// `DOWN` where it tells of a host that answers nothing; empty elsewhere, where the condition says enough.
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
    fn new(source: Source, at: Option<Timestamp>, condition: Condition, says: impl Into<String>) -> Self {
        let facts = vec![("from", source.origin().to_owned())];
        Self { source, at, condition, word: "", about: None, object: String::new(), says: says.into(), facts }
    }

    fn about(mut self, about: Option<Selected>, object: impl Into<String>) -> Self {
        (self.about, self.object) = (about, object.into());
        self
    }

    fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.insert(self.facts.len() - 1, (name, value.into()));
        self
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
    /// What it names.
    about: Option<Selected>,
}

/// A message as it is kept for the next console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMessage {
    pub at: Timestamp,
    pub weight: MessageWeight,
    pub words: String,
}

/// Keeps one. It must not wait.
pub type KeepMessages = Box<dyn Fn(KeptMessage) + Send>;

#[derive(Default)]
struct Keeps(Option<KeepMessages>);

impl std::fmt::Debug for Keeps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Keeps" } else { "KeepsNot" })
    }
}

/// What this console keeps for the log, and the log as it was made last.
#[derive(Debug, Default)]
pub struct Logbook {
    messages: VecDeque<Message>,
    keeps: Keeps,
    /// So many of the newest were not looked at for what they name: the log is not always on the screen.
    unread: usize,
    pub entries: Vec<Arc<LogEntry>>,
    /// Counts what was kept, and the count and snapshot that `entries` were made of.
    kept: u64,
    made_of: Option<(u64, u64)>,
}

impl Logbook {
    pub fn count(&self, source: Source) -> usize {
        self.entries.iter().filter(|entry| entry.source == source).count()
    }

    /// Has what earlier consoles told, oldest first, and keeps what this one tells.
    pub fn go_on_from(&mut self, earlier: Vec<KeptMessage>, keep: KeepMessages) {
        for KeptMessage { at, weight, words } in earlier {
            self.keep(Message { at, weight, words, about: None });
        }
        self.keeps = Keeps(Some(keep));
    }

    fn keep(&mut self, message: Message) {
        if let Keeps(Some(keep)) = &self.keeps {
            keep(KeptMessage { at: message.at, weight: message.weight, words: message.words.clone() });
        }
        self.messages.push_back(message);
        if self.messages.len() > MESSAGES {
            self.messages.pop_front();
        }
        self.unread = (self.unread + 1).min(MESSAGES);
        self.kept += 1;
    }
}

impl App {
    /// One line for the footer and the log.
    pub fn say(&mut self, weight: MessageWeight, words: impl Into<String>) {
        let words = text::clean(&words.into());
        let at = self.clock();
        self.logbook.keep(Message { at, weight, words: words.clone(), about: None });
        self.message = Some((weight, words));
    }

    /// Makes the log anew where something has come since. The new number of each entry that was there before, else `None`.
    pub(super) fn make_log(&mut self) -> Option<HashMap<usize, usize>> {
        let made_of = Some((self.snapshot.revision, self.logbook.kept));
        if self.logbook.made_of == made_of {
            return None;
        }
        self.logbook.made_of = made_of;
        let snapshot = Arc::clone(&self.snapshot);
        let named = Named::of(&snapshot);
        let unread = std::mem::take(&mut self.logbook.unread);
        for message in self.logbook.messages.iter_mut().rev().take(unread) {
            message.about = named.in_words(&message.words);
        }
        let entries: Vec<Arc<LogEntry>> = entries(self, &named).into_iter().map(Arc::new).collect();
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

    /// The host or job whose name or id stands in a text, as a word of its own; the longest of several.
    fn in_words(&self, words: &str) -> Option<Selected> {
        let found = parts(words).filter_map(|part| {
            let host = self.hosts.get(part).map(|id| Selected::Host((*id).clone()));
            Some((part.len(), host.or_else(|| self.jobs.get(part).map(|id| Selected::Job((*id).clone())))?))
        });
        found.max_by_key(|(length, _)| *length).map(|(_, found)| found)
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

/// Everything in a text that may be a name: it begins and ends where a word does. `db01` is in `claimed db01.`, and not in
/// `db01.ams` or `old-db01`.
fn parts(words: &str) -> impl Iterator<Item = &str> {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let begins = move |at: usize| !words[..at].ends_with(|c| joins(c) || c == '.');
    let ends = move |at: usize| {
        let mut after = words[at..].chars();
        match after.next() {
            Some('.') => !after.next().is_some_and(joins),
            next => !next.is_some_and(joins),
        }
    };
    let places = words.char_indices().map(|(at, _)| at).chain([words.len()]);
    let ends: Vec<usize> = places.clone().filter(|at| ends(*at)).collect();
    places.filter(move |at| begins(*at)).flat_map(move |from| {
        let to: Vec<usize> = ends.iter().copied().filter(|to| *to > from + 1).collect();
        to.into_iter().map(move |to| &words[from..to])
    })
}

/// What is broken for as long as it is, then what happened, newest first, and at the end what stands as long as the engine runs.
fn entries(app: &App, named: &Named<'_>) -> Vec<LogEntry> {
    let snapshot = &app.snapshot;
    let faults =
        snapshot.engine.faults.iter().map(|fault| LogEntry::new(Source::Fault, None, Condition::Critical, &**fault));
    let remarks = snapshot.remarks.iter().map(|remark| LogEntry::new(Source::Remark, None, Condition::Ok, &**remark));
    let listener = snapshot.engine.traps.iter().map(|traps| {
        let condition = if traps.problem.is_some() { Condition::Critical } else { Condition::Ok };
        LogEntry::new(Source::Listener, None, condition, listener(traps))
    });
    let (broken, standing): (Vec<LogEntry>, Vec<LogEntry>) =
        faults.chain(remarks).chain(listener).partition(|entry| entry.condition.is_problem());
    let first = broken.len();
    let mut out = broken;
    out.extend(earlier_faults(snapshot));
    out.extend(app.logbook.messages.iter().rev().map(message));
    out.extend(snapshot.transitions.iter().map(|one| transition(named, one)));
    out.extend(snapshot.changes.iter().map(|one| change(named, snapshot, one)));
    out.extend(snapshot.notifications.iter().map(|told| trap(app, told)));
    out.extend(port_events(app));
    out.extend(snapshot.deeds.iter().map(|entry| {
        let label = entry.about.as_ref().map(Untrusted::line).unwrap_or_default();
        let kind = entry.kind.as_str().replace('-', " ");
        let says = format!("{kind} by {}: {}", entry.author.line(), entry.text.line());
        LogEntry::new(Source::Record, Some(entry.at), Condition::Ok, says)
            .about(named.object(snapshot, &label), label)
            .fact("by", entry.author.line())
            .fact("entry", format!("{}, number {} of writer {}", entry.id, entry.sequence, entry.writer))
    }));
    // Those of one moment stay as they are: each kind newest first.
    out[first..].sort_by_key(|entry| Reverse(entry.at));
    out.extend(standing);
    out
}

/// Those that do not stand, since another run had them.
fn earlier_faults(snapshot: &Snapshot) -> impl Iterator<Item = LogEntry> {
    let mut standing: Vec<&Arc<str>> = snapshot.engine.faults.iter().collect();
    snapshot.faults.iter().filter_map(move |fault| {
        // The newest of a name is this run's.
        if let Some(at) = standing.iter().position(|words| **words == fault.words) {
            standing.remove(at);
            return None;
        }
        Some(LogEntry::new(Source::Fault, Some(fault.at), Condition::Critical, &*fault.words))
    })
}

fn message(message: &Message) -> LogEntry {
    let condition = match message.weight {
        MessageWeight::Note => Condition::Ok,
        MessageWeight::Warning => Condition::Warning,
        MessageWeight::Error => Condition::Critical,
    };
    let about = message.about.clone();
    let object = about.clone().and_then(Selected::asset).map(|id| id.as_str().to_owned()).unwrap_or_default();
    LogEntry::new(Source::Message, Some(message.at), condition, &*message.words).about(about, object)
}

fn transition(named: &Named<'_>, one: &Transition) -> LogEntry {
    let words = format!("{} → {}", one.from.as_str(), one.became());
    let part = if matches!(one.target, Target::Device(_)) { "device " } else { "" };
    let says =
        if one.reason.is_empty() { format!("{part}{words}") } else { format!("{part}{words}  {}", one.reason.line()) };
    let id = one.target.asset();
    let about = match &one.target {
        Target::Job(_) => named.jobs.get(id.as_str()).map(|id| Selected::Job((*id).clone())),
        _ => named.hosts.get(id.as_str()).map(|id| Selected::Host((*id).clone())),
    };
    let word = if one.down { "DOWN" } else { "" };
    LogEntry { word, ..LogEntry::new(Source::State, Some(one.at), one.to, says) }
        .fact("change", words)
        .about(about, one.name.line())
}

fn change(named: &Named<'_>, snapshot: &Snapshot, one: &Change) -> LogEntry {
    let id = one.target.asset();
    let name = snapshot.host(id).map_or_else(|| id.as_str().to_owned(), |host| host.host.name.to_string());
    let about = named.hosts.get(id.as_str()).map(|id| match &one.target {
        Target::Port(_, port) => Selected::Port((*id).clone(), port.clone()),
        _ => Selected::Host((*id).clone()),
    });
    let says = match &one.target {
        Target::Port(_, port) => format!("{} {}", port.label.line(), one.words.line()),
        _ => one.words.line(),
    };
    LogEntry::new(Source::Change, Some(one.at), Condition::Ok, says).about(about, name)
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
    let mut entry = LogEntry::new(Source::Trap, Some(told.at), condition(&told.kind), words(view))
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
fn weight(change: PortChange) -> Condition {
    match change {
        PortChange::State { to: PortState::ErrDisabled | PortState::MissingModule, .. } | PortChange::Restarted => {
            Condition::Warning
        }
        PortChange::State { .. }
        | PortChange::Appeared
        | PortChange::Gone
        | PortChange::AgentRestarted
        | PortChange::ManyChanged(_)
        | PortChange::ManyAppeared(_)
        | PortChange::ManyGone(_) => Condition::Ok,
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
pub fn condition(kind: &NotificationKind) -> Condition {
    match kind {
        NotificationKind::LinkDown | NotificationKind::AuthenticationFailure => Condition::Warning,
        NotificationKind::ColdStart
        | NotificationKind::WarmStart
        | NotificationKind::LinkUp
        | NotificationKind::Other(_) => Condition::Ok,
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
            assert_eq!(parts(words).any(|part| part == name), is_there, "{words}");
        }
    }
}
