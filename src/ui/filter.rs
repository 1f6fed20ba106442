//! The filter: words that must all hold. `text` is contained, `!text` is not, `~text` matches fuzzily, and
//! `key:value` looks at one property: `state`, `tag`, `group`, `site`, `kind`, `name`, and of ports `vlan`, `mac`, `ip`, `neighbor`.
//!
//! ```text
//! vlan:10       the port carries VLAN 10, tagged or not      vlan:voice   a VLAN whose name has "voice" in it
//! mac:0011.22   a station with these digits is heard there, in any notation; or it is the port's or its neighbor's own
//! ip:10.0.0.5   a station is heard there that ARP knows by this address; also 10.0.0.0/24, or the beginning of one
//! neighbor:core the other end calls itself so
//! ```
//!
//! A plain word that is a whole MAC or IP address means that station too.
//!
//! `state:` takes the words that are shown, and tells apart what they do: what is DOWN answers nothing, what is CRITICAL answers.

mod port;
#[cfg(test)]
mod properties;

use std::ops::Range;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

pub use self::port::PortSubject;
use self::port::PortTest;
use crate::base::options::nearest;
use crate::model::{Condition, PortState};
use crate::state::Care;
use crate::state::lookup::Lookup;

/// A parsed filter; an empty one lets everything through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    inverted: bool,
    test: Test,
    /// Where it stands in the text.
    at: Range<usize>,
}

/// A word that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it begins, in characters, the first is 1.
    pub column: usize,
    pub words: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Contains(String),
    Fuzzy(String),
    Property(String, String),
    Port(PortTest),
    /// A plain word that is an address: the word, or the station.
    Either(String, PortTest),
}

/// What a filter looks at.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    pub name: &'a str,
    /// Everything else that is shown of it.
    pub words: &'a str,
    pub condition: Condition,
    /// The same in a word, as it is shown; empty where there is none.
    pub word: &'a str,
    /// Who has it, and what else keeps it from being everybody's business.
    pub care: Option<&'a Care>,
    pub stale: bool,
    pub tags: Vec<&'a str>,
    pub group: &'a str,
    pub site: &'a str,
    pub kind: &'a str,
    /// The address of a host.
    pub address: Option<&'a str>,
    /// What else there is to ask of a port.
    pub port: Option<PortSubject<'a>>,
}

impl Subject<'_> {
    fn says(&self, text: &str) -> bool {
        let port = || self.port.as_ref().is_some_and(|port| port.says(text));
        contains(self.name, text) || contains(self.words, text) || port()
    }
}

impl Mistake {
    /// With its place, where that is not the beginning.
    pub fn said(&self) -> String {
        match self.column {
            1 => self.words.clone(),
            column => format!("{} (column {column})", self.words),
        }
    }
}

impl Filter {
    pub fn parse(text: &str) -> Self {
        let mut next = 0;
        let words = text.split(char::is_whitespace).map(|word| {
            let from = next;
            // The blank is one character, of any length.
            let blank = text[from + word.len()..].chars().next().map_or(0, char::len_utf8);
            next = from + word.len() + blank;
            (word, from..from + word.len())
        });
        let terms = words.filter_map(|(word, at)| {
            let (inverted, rest) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
            Some(Term { inverted, test: Test::parse(rest)?, at })
        });
        let terms = terms.collect();
        Self { terms, text: text.to_owned() }
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it looks for a station, which hangs on one port and is heard on others.
    pub fn is_for_station(&self) -> bool {
        self.terms.iter().any(|t| !t.inverted && t.test.port().is_some_and(PortTest::is_for_station))
    }

    /// Whether it needs to know who hangs where.
    pub fn needs_lookup(&self) -> bool {
        self.terms.iter().any(|t| t.test.port().is_some_and(PortTest::is_for_station))
    }

    /// Finds the MAC addresses of the IP addresses that are asked for; they change as devices are walked.
    pub fn resolve(&mut self, lookup: &Lookup) {
        for term in &mut self.terms {
            if let Test::Port(test) | Test::Either(_, test) = &mut term.test {
                test.resolve(lookup);
            }
        }
    }

    /// What cannot be meant first, and where it stands.
    pub fn mistake(&self) -> Option<Mistake> {
        let wrong = |test: &Test| match test {
            Test::Property(key, value) if key == "state" => unknown_state(value),
            Test::Contains(text) => unknown_key(text),
            test => test.port()?.mistake(),
        };
        let (term, words) = self.terms.iter().find_map(|term| Some((term, wrong(&term.test)?)))?;
        let before = self.text.get(..term.at.start).unwrap_or_default();
        Some(Mistake { column: before.chars().count() + 1, words })
    }

    pub fn lets_through(&self, subject: &Subject<'_>) -> bool {
        self.terms.iter().all(|term| term.test.holds(subject) != term.inverted)
    }
}

const KEYS: [&str; 6] = ["name", "state", "tag", "group", "site", "kind"];

/// What `state:` takes, beside the states of ports.
const STATES: [&str; 26] = [
    "ok",
    "up",
    "warning",
    "warn",
    "critical",
    "crit",
    "down",
    "unknown",
    "never-seen",
    "no-data",
    "unreachable",
    "pending",
    "not-probed",
    "stale",
    "problem",
    "flapping",
    "owned",
    "unowned",
    "maintenance",
    "failed",
    "missed",
    "locked",
    "corrupt",
    "waiting",
    "rpo-breach",
    "rpo-at-risk",
];

/// A state that nothing can have: it would let nothing through, or everything with `!`.
fn unknown_state(value: &str) -> Option<String> {
    let known = || STATES.into_iter().chain(PortState::ALL.iter().map(|state| state.as_str()));
    if known().any(|state| state == value) {
        return None;
    }
    let near = nearest(value, known());
    let hint = near.map_or_else(|| STATES.join(", "), |near| format!("did you mean state:{near}?"));
    Some(format!("there is no state \"{value}\"; {hint}"))
}

/// A word that is nearly a property. Others with a colon are words like any.
fn unknown_key(text: &str) -> Option<String> {
    let (key, value) = text.split_once(':')?;
    let near = nearest(key, KEYS.into_iter().chain(PortTest::KEYS)).filter(|_| key.len() > 2)?;
    Some(format!("\"{key}:\" is no property; did you mean {near}:{value}?"))
}

impl Test {
    /// What a word without its `!` asks; nothing where it asks nothing yet. Properties are called in capitals or not.
    fn parse(word: &str) -> Option<Self> {
        if let Some(fuzzy) = word.strip_prefix('~') {
            return (!fuzzy.is_empty()).then(|| Self::Fuzzy(fuzzy.to_owned()));
        }
        if let Some((key, value)) = word.split_once(':') {
            let key = key.to_lowercase();
            if KEYS.contains(&&*key) {
                return (!value.is_empty()).then(|| Self::Property(key, value.to_lowercase()));
            }
            if PortTest::KEYS.contains(&&*key) {
                return (!value.is_empty()).then(|| Self::Port(PortTest::parse(&key, value)));
            }
        }
        let text = word.to_lowercase();
        match PortTest::station(word) {
            Some(station) => Some(Self::Either(text, station)),
            None => (!text.is_empty()).then_some(Self::Contains(text)),
        }
    }

    fn port(&self) -> Option<&PortTest> {
        match self {
            Self::Port(test) | Self::Either(_, test) => Some(test),
            Self::Contains(_) | Self::Fuzzy(_) | Self::Property(..) => None,
        }
    }

    fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Contains(text) => subject.says(text),
            Self::Fuzzy(text) => fuzzy(text, subject.name).is_some(),
            Self::Port(test) => test.holds(subject),
            Self::Either(text, test) => subject.says(text) || test.holds(subject),
            Self::Property(key, value) => match key.as_str() {
                "name" => contains(subject.name, value),
                "tag" => subject.tags.iter().any(|t| t.eq_ignore_ascii_case(value)),
                "group" => subject.group.eq_ignore_ascii_case(value),
                "site" => subject.site.eq_ignore_ascii_case(value),
                "kind" => subject.kind.eq_ignore_ascii_case(value),
                _ => state_is(subject, value),
            },
        }
    }
}

fn state_is(subject: &Subject<'_>, value: &str) -> bool {
    if subject.port.as_ref().is_some_and(|p| p.seen.view.state.as_str() == value) {
        return !subject.stale;
    }
    let is = |condition: Condition| subject.condition == condition;
    let care = |of: fn(&Care) -> bool| subject.care.is_some_and(of);
    match value {
        "stale" => subject.stale,
        "ok" | "up" => is(Condition::Ok) && !subject.stale,
        "warning" | "warn" => is(Condition::Warning),
        "critical" | "crit" => is(Condition::Critical) && !is_word(subject.word, "down"),
        "unknown" => is(Condition::Unknown) && !["never-seen", "no-data"].iter().any(|w| is_word(subject.word, w)),
        "unreachable" => is(Condition::Unreachable),
        "pending" => is(Condition::Pending),
        "not-probed" => is(Condition::NotProbed),
        "problem" => subject.condition.is_problem(),
        "flapping" => care(|care| care.flapping.is_some()),
        "owned" => care(|care| care.ack.is_some()),
        "unowned" => care(|care| care.unowned_since.is_some()),
        "maintenance" => care(|care| care.maintenance.is_some()),
        _ => is_word(subject.word, value),
    }
}

/// Whether a word of the screen is that one of a filter: `NEVER SEEN` is `never-seen`.
fn is_word(shown: &str, typed: &str) -> bool {
    let same = |(shown, typed): (u8, u8)| shown.eq_ignore_ascii_case(&typed) || (shown == b' ' && typed == b'-');
    shown.len() == typed.len() && shown.bytes().zip(typed.bytes()).all(same)
}

/// Whether `text` (lower case) is contained, without regard to case; without allocation for ASCII.
pub(super) fn contains(words: &str, text: &str) -> bool {
    if words.is_ascii() && text.is_ascii() {
        let (w, t) = (words.as_bytes(), text.as_bytes());
        return w.len() >= t.len() && w.windows(t.len()).any(|part| part.eq_ignore_ascii_case(t));
    }
    words.to_lowercase().contains(text)
}

/// How well a text matches fuzzily; greater is better.
pub fn fuzzy(pattern: &str, text: &str) -> Option<u32> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(pattern, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(filter: &str) -> bool {
        let subject = Subject {
            name: "core-sw1",
            words: "no answer to ICMP",
            condition: Condition::Critical,
            word: "DOWN",
            care: None,
            stale: false,
            tags: vec!["core", "tier0"],
            group: "Ams",
            site: "fra1",
            kind: "host",
            address: Some("10.0.0.5"),
            port: None,
        };
        Filter::parse(filter).lets_through(&subject)
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        let mistake = |text: &str| Filter::parse(text).mistake().map(|mistake| mistake.words).unwrap_or_default();
        assert_eq!(mistake("state:dwon"), "there is no state \"dwon\"; did you mean state:down?");
        assert!(mistake("!state:x").starts_with("there is no state \"x\"; ok, up, warning"));
        assert_eq!(mistake("stat:down"), "\"stat:\" is no property; did you mean state:down?");
        for fine in ["state:link-lost", "state:problem", "web", "a:b", "fe80::1", "https://x", "Te1/1:2", "tag:x"] {
            assert_eq!(mistake(fine), "", "{fine}");
        }
        // In capitals it is the same property, and a mistake has its place.
        assert_eq!(Filter::parse("STATE:down").terms[0].test, Filter::parse("state:down").terms[0].test);
        assert_eq!(Filter::parse("ü  !x stat:down").mistake().map(|mistake| mistake.column), Some(7));
    }

    #[test]
    fn a_state_is_the_word_that_is_shown() {
        let of = |condition, word| Subject {
            name: "a",
            words: "",
            condition,
            word,
            care: None,
            stale: false,
            tags: Vec::new(),
            group: "",
            site: "",
            kind: "host",
            address: None,
            port: None,
        };
        let states = |condition, word| -> Vec<&str> {
            let subject = of(condition, word);
            let takes = |state: &&str| Filter::parse(&format!("state:{state}")).lets_through(&subject);
            STATES.into_iter().filter(takes).collect()
        };
        assert_eq!(states(Condition::Critical, "DOWN"), ["down", "problem"]);
        assert_eq!(states(Condition::Critical, "CRITICAL"), ["critical", "crit", "problem"]);
        assert_eq!(states(Condition::Critical, ""), ["critical", "crit", "problem"]);
        assert_eq!(states(Condition::Unknown, "NEVER SEEN"), ["never-seen", "problem"]);
        assert_eq!(states(Condition::Unknown, "NO DATA"), ["no-data", "problem"]);
        assert_eq!(states(Condition::Unknown, "UNKNOWN"), ["unknown", "problem"]);
        assert_eq!(states(Condition::Critical, "RPO BREACH"), ["critical", "crit", "problem", "rpo-breach"]);
        assert_eq!(states(Condition::NotProbed, "NOT PROBED"), ["not-probed"]);
        assert_eq!(states(Condition::Ok, "UP"), ["ok", "up"]);
        let since = Some(crate::base::Timestamp(1));
        let care = Care { unowned_since: since, ..Care::default() };
        let unowned = Subject { care: Some(&care), ..of(Condition::Warning, "WARNING") };
        assert!(Filter::parse("state:unowned").lets_through(&unowned));
        assert!(!Filter::parse("state:owned").lets_through(&unowned));
        assert!(!Filter::parse("state:maintenance").lets_through(&unowned));
        assert!(!Filter::parse("state:flapping").lets_through(&unowned));
    }

    #[test]
    fn every_word_must_hold() {
        for yes in [
            "",
            "core",
            "CORE icmp",
            "!web",
            "~csw1",
            "state:down tag:core",
            "group:ams",
            "site:FRA1 !site:fra2",
            "kind:host !state:ok",
            "name:sw1",
            "a:b !x",
            "!",
            "ip:10.0.0.0/24",
            "10.0.0.5",
            "!vlan:10",
            "mac:",
        ] {
            assert_eq!(through(yes), yes != "a:b !x", "{yes}");
        }
        for no in [
            "web",
            "core web",
            "!core",
            "~xyz",
            "state:ok",
            "state:critical",
            "tag:edge",
            "!kind:host",
            "name:icmp",
            "ip:10.0.0.50",
            "vlan:10",
        ] {
            assert!(!through(no), "{no}");
        }
    }
}
