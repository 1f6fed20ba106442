//! Telling people: one file per channel, one row each in [`KINDS`]. What is told, and when, is decided before
//! ([`batch`]); a channel only delivers. Nothing is told until the configuration has a channel.

pub mod batch;
mod exec;
mod mail;
mod message;
mod webhook;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use self::batch::{Batch, Batcher, Change, Fate, Late, Origin, Rules, Taken};
pub use self::message::{json, subject, text};
use crate::base::options::{Node, OptionDoc, Problem, Reader, Table, Weight, nearest};
use crate::model::{Alert, AlertKind, Condition, Desktop, Hours, Span};
use crate::net::Net;

/// What a delivery may use.
#[derive(Clone, Debug)]
pub struct Cx {
    pub net: Arc<Net>,
    /// Whoever does not answer for so long has failed.
    pub timeout: Duration,
}

pub type Delivering<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Takes messages to one place.
pub trait Deliver: Debug + Send + Sync {
    /// Says in words why it did not get there; never with a secret.
    fn deliver<'a>(&'a self, cx: &'a Cx, batch: &'a Batch) -> Delivering<'a>;
}

/// A row of the table of channels.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    pub help: &'static str,
    pub options: &'static [OptionDoc],
    pub bind: fn(&mut Reader<'_>) -> Option<How>,
}

/// Every kind of channel.
pub static KINDS: &[&Kind] = &[&BELL, &exec::KIND, &webhook::KIND, &mail::KIND];

static BELL: Kind = Kind {
    name: "bell",
    help: "the terminal of whoever looks at a console: BEL, and a desktop notification where the terminal has them",
    options: &[OptionDoc {
        name: "notification",
        form: "string",
        default: "osc9",
        help: "by which escape sequence: `osc9`, `osc777`, `both` or `none`",
    }],
    bind: |r| Some(How::Terminal(r.one_of("notification", &Desktop::ALL).unwrap_or_default())),
};

/// Options that every channel has.
pub const OPTIONS: &[OptionDoc] = &[
    OptionDoc { name: "name", form: "string", default: "its kind", help: "what it is called; must be unique" },
    OptionDoc { name: "kind", form: "string", default: "", help: "one of the kinds below; required" },
    OptionDoc {
        name: "least",
        form: "string",
        default: "critical",
        help: "`critical`, `warning` or `unknown`: lesser problems are not told",
    },
    OptionDoc { name: "tags", form: "array of strings", default: "", help: "only what has one of these tags" },
    OptionDoc { name: "groups", form: "array of strings", default: "", help: "only what is in one of these groups" },
    OptionDoc { name: "recoveries", form: "boolean", default: "true", help: "that a problem is over is told too" },
    OptionDoc {
        name: "wait",
        form: "duration",
        default: "15s",
        help: "how long the first change waits for others to go with",
    },
    OptionDoc {
        name: "most",
        form: "integer",
        default: "10",
        help: "messages within `within`; more changes wait and go together",
    },
    OptionDoc { name: "within", form: "duration", default: "10m", help: "see `most`" },
    OptionDoc {
        name: "active_times",
        form: "array of tables",
        default: "always",
        help: "told only then; what changes meanwhile waits: `[{ schedule = \"0 8 * * 1-5\", for = \"10h\", timezone = \"Europe/Berlin\" }]`, \
               with the times of `[[maintenance]]`",
    },
    OptionDoc {
        name: "mute_times",
        form: "array of tables",
        default: "",
        help: "told at any time but then; the same form",
    },
    OptionDoc {
        name: "repeat",
        form: "duration",
        default: "never",
        help: "a problem that was told is told again so long after, while it stands and nobody has it; 1m or longer",
    },
];

/// How a channel tells.
#[derive(Clone, Debug)]
pub enum How {
    /// By whoever looks at a console.
    Terminal(Desktop),
    By(Arc<dyn Deliver>),
}

/// One `[[notify]]`.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: Arc<str>,
    pub kind: &'static str,
    pub filter: Filter,
    pub rules: Rules,
    pub hours: Hours,
    /// What was told is told again so long after.
    pub repeat: Option<Duration>,
    pub how: How,
}

/// Reads stretches of time as `[[maintenance]]` has them: the node of a key, and what the key is called.
pub type ReadTimes = fn(&Node, &str, &mut Vec<Problem>) -> Vec<Span>;

/// The shortest `repeat`.
const SHORTEST_REPEAT: Duration = Duration::from_secs(60);

/// What a channel is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub least: Condition,
    pub tags: Vec<String>,
    pub groups: Vec<String>,
    pub recoveries: bool,
}

impl Filter {
    pub fn takes(&self, alert: &Alert) -> bool {
        if alert.kind == AlertKind::Test {
            return true;
        }
        let tagged = self.tags.is_empty() || alert.tags.iter().any(|tag| self.tags.iter().any(|t| **t == **tag));
        let grouped = self.groups.is_empty()
            || alert.group.as_ref().is_some_and(|group| self.groups.iter().any(|g| **g == **group));
        // Whoever was told of a problem hears that it is over.
        let flaps = matches!(alert.kind, AlertKind::FlappingBegins | AlertKind::FlappingEnds);
        // That something flaps is a warning, whatever it is at the moment that it is told.
        let floor = if flaps { Condition::Warning } else { Condition::Ok };
        let severe = alert.from.max(alert.to).max(floor) >= self.least;
        let wanted = self.recoveries || !matches!(alert.kind, AlertKind::Recovery | AlertKind::FlappingEnds);
        tagged && grouped && severe && wanted
    }
}

/// All channels of a configuration. One with an error is left out, and said.
pub fn bind(tables: &[Table], times: ReadTimes, problems: &mut Vec<Problem>) -> Vec<Channel> {
    let mut out: Vec<Channel> = Vec::new();
    for table in tables {
        let before = problems.len();
        let mut reader = table.reader("[[notify]]");
        let channel = read(&mut reader, &out, times);
        problems.extend(reader.finish());
        let is_sound = !problems[before..].iter().any(|problem| problem.weight == Weight::Error);
        out.extend(channel.filter(|_| is_sound));
    }
    out
}

fn read(r: &mut Reader<'_>, known: &[Channel], times: ReadTimes) -> Option<Channel> {
    let name = r.string("name");
    let kind = read_kind(r);
    let least = read_least(r);
    let filter = Filter {
        least: least.unwrap_or(Condition::Critical),
        tags: r.strings("tags").unwrap_or_default(),
        groups: r.strings("groups").unwrap_or_default(),
        recoveries: r.bool("recoveries").unwrap_or(true),
    };
    let rules = Rules {
        wait: r.duration("wait").unwrap_or(Duration::from_secs(15)),
        most: r.integer("most", 1..=1000).and_then(|n| usize::try_from(n).ok()).unwrap_or(10),
        within: r.duration("within").unwrap_or(Duration::from_secs(600)),
    };
    let mut read_times = |key| {
        let mut problems = Vec::new();
        let spans = r.node(key).map(|node| times(node, key, &mut problems)).unwrap_or_default();
        for problem in problems {
            r.problem(problem);
        }
        spans
    };
    let hours = Hours { active: read_times("active_times"), mute: read_times("mute_times") };
    let repeat = r.duration_from("repeat", SHORTEST_REPEAT);
    let kind = kind?;
    let how = (kind.bind)(r);
    let name: Arc<str> = name.unwrap_or_else(|| kind.name.to_owned()).into();
    if known.iter().any(|channel| channel.name == name) {
        let place = r.node("name").map_or_else(|| r.place().clone(), |node| node.place.clone());
        r.problem(Problem::error(&place, format!("there are two channels \"{name}\"")).hint("give one another `name`"));
    }
    Some(Channel { name, kind: kind.name, filter, rules, hours, repeat, how: how? })
}

fn read_kind(r: &mut Reader<'_>) -> Option<&'static Kind> {
    let word = r.required_string("kind")?;
    let kind = KINDS.iter().copied().find(|kind| kind.name == word);
    if kind.is_none() {
        let place = r.node("kind").map_or_else(|| r.place().clone(), |node| node.place.clone());
        let problem = Problem::error(&place, format!("there is no channel of the kind \"{word}\""));
        let names = || KINDS.iter().map(|kind| kind.name);
        r.problem(match nearest(&word, names()) {
            Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
            None => problem.hint(format!("known: {}", names().collect::<Vec<_>>().join(", "))),
        });
    }
    kind
}

fn read_least(r: &mut Reader<'_>) -> Option<Condition> {
    let word = r.string("least")?;
    let found = match &*word {
        "critical" => Some(Condition::Critical),
        "warning" => Some(Condition::Warning),
        "unknown" => Some(Condition::Unknown),
        _ => None,
    };
    if found.is_none() {
        let place = r.node("least").map_or_else(|| r.place().clone(), |node| node.place.clone());
        let problem = Problem::error(&place, format!("\"{word}\" is no severity"));
        r.problem(problem.hint("\"critical\", \"warning\" or \"unknown\""));
    }
    found
}

#[cfg(test)]
mod tests;
