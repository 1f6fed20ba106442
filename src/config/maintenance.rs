//! `[[maintenance]]`: windows that the configuration orders. One that can never be open is refused, one that is over is left
//! out, and both are said; what a clock change does to one is told with the instants.

mod clock;

use std::sync::Arc;
use std::time::Duration;

use super::inventory::{HostEntry, JobEntry};
use crate::base::options::{Node, OptionDoc, Place, Problem, Table, Value, nearest};
use crate::base::{Timestamp, Untrusted, units};
use crate::model::{AssetId, Maintenance, Order, Schedule, Scope, Span};

/// The keys of `[[maintenance]]`, for the reference.
pub const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        name: "host",
        form: "string",
        default: "",
        help: "one host with its checks and ports; exactly one of these six",
    },
    OptionDoc { name: "backup", form: "string", default: "", help: "one backup job" },
    OptionDoc { name: "tag", form: "string", default: "", help: "every host with this tag" },
    OptionDoc { name: "group", form: "string", default: "", help: "every host of this group" },
    OptionDoc { name: "site", form: "string", default: "", help: "every host of this site" },
    OptionDoc { name: "behind", form: "string", default: "", help: "a host and everything that hangs on nothing else" },
    OptionDoc {
        name: "from",
        form: "time",
        default: "",
        help: "when it begins: RFC 3339, or `2026-12-01 22:00` in `timezone`",
    },
    OptionDoc { name: "until", form: "time", default: "", help: "when it ends; or `for`" },
    OptionDoc {
        name: "schedule",
        form: "cron",
        default: "",
        help: "when it begins each time, instead of `from`: five cron fields in `timezone`",
    },
    OptionDoc { name: "timezone", form: "string", default: "UTC", help: "an IANA name such as Europe/Berlin" },
    OptionDoc { name: "for", form: "duration", default: "", help: "how long it lasts" },
    OptionDoc {
        name: "flexible",
        form: "duration",
        default: "",
        help: "it begins when something goes bad within the window, and lasts this long from then on",
    },
    OptionDoc { name: "note", form: "string", default: "", help: "what is being done" },
];

/// The longest that a window may be: what is out of service for longer is no maintenance.
pub const LONGEST: Duration = Duration::from_secs(366 * 86_400);
const SHORTER: &str = "366d at most; what is out of service for longer is better taken out of the configuration";

/// An order, and where what it names stands.
#[derive(Clone, Debug)]
pub struct MaintenanceEntry {
    pub maintenance: Arc<Maintenance>,
    pub place: Place,
    /// As it was written.
    asked: Asked,
    table: Table,
}

impl MaintenanceEntry {
    /// What clock changes do to it, each with its place.
    pub fn clock_changes(&self, now: Timestamp) -> Vec<Problem> {
        let told = self.asked.clock_changes(&self.maintenance.order.span, now);
        told.into_iter().map(|(key, words)| Problem::warning(&self.table.place_of(key), words)).collect()
    }
}

/// Leaves out the windows that are over, and says so: yesterday's keeps nobody from starting today.
pub(super) fn leave_out_what_is_over(entries: &mut Vec<MaintenanceEntry>, now: Timestamp, problems: &mut Vec<Problem>) {
    entries.retain(|entry| {
        let Some(over) = entry.maintenance.order.over_since(now) else { return true };
        let words = format!("this window has been over since {over}, and is left out");
        problems
            .push(Problem::warning(&entry.table.place_of("from"), words).hint("take it out, or give it a later time"));
        false
    });
}

pub(super) fn read(tables: &[&Table], problems: &mut Vec<Problem>) -> Vec<MaintenanceEntry> {
    tables.iter().enumerate().filter_map(|(n, table)| read_one(table, n + 1, problems)).collect()
}

fn read_one(table: &Table, number: usize, problems: &mut Vec<Problem>) -> Option<MaintenanceEntry> {
    let mut r = table.reader("[[maintenance]]");
    let named = ["host", "backup", "tag", "group", "site", "behind"].map(|key| Some((key, r.string(key)?)));
    let from = r.string("from");
    let until = r.string("until");
    let cron = r.string("schedule");
    let zone = r.string("timezone").unwrap_or_else(|| "UTC".to_owned());
    let lasts = r.duration("for");
    let flexible = r.duration("flexible");
    let note = r.string("note").unwrap_or_default();
    let place = |key: &str| table.place_of(key);
    let mut named = named.into_iter().flatten();
    let scope = named.next();
    if scope.is_none() || named.next().is_some() {
        r.problem(Problem::error(
            &table.place,
            "[[maintenance]] needs exactly one of `host`, `backup`, `tag`, `group`, `site`, `behind`",
        ));
    }
    let asked = Asked { from, until, schedule: cron, zone, lasts, flexible };
    let span = asked.span();
    let span = match span {
        Ok(span) => Some(span),
        Err((key, why, hint)) => {
            let problem = Problem::error(&place(key), why);
            r.problem(if let Some(hint) = hint { problem.hint(hint) } else { problem });
            None
        }
    };
    problems.extend(r.finish());
    let (key, name) = scope?;
    let scope = match key {
        "tag" => Scope::Tag(Arc::from(name.as_str())),
        "group" => Scope::Group(Arc::from(name.as_str())),
        "site" => Scope::Site(Arc::from(name.as_str())),
        "behind" => Scope::Behind(AssetId::new(&name)),
        _ => Scope::Asset(AssetId::new(&name)),
    };
    let order = Order { scope, span: span?, flexible, note: Untrusted::from(note) };
    let id = Arc::from(format!("config:{number}"));
    let maintenance = Arc::new(Maintenance { id, author: Untrusted::from("configuration"), order });
    Some(MaintenanceEntry { maintenance, place: place(key), asked, table: table.clone() })
}

/// An array of stretches of time under a key of another table, with the keys that say when: `from` and `until`, or `schedule`,
/// `timezone` and `for`.
pub fn read_times(node: &Node, key: &str, problems: &mut Vec<Problem>) -> Vec<Span> {
    let hint = format!("{key} = [{{ schedule = \"0 8 * * 1-5\", for = \"10h\", timezone = \"Europe/Berlin\" }}]");
    let Value::Array(items) = &node.value else {
        let words = format!("`{key}` must be an array of tables, not {}", node.value.kind());
        problems.push(Problem::error(&node.place, words).hint(hint));
        return Vec::new();
    };
    if items.is_empty() {
        problems.push(Problem::error(&node.place, format!("`{key}` is empty")).hint(hint.clone()));
    }
    let read = |item: &Node| {
        let Value::Table(table) = &item.value else {
            let words = format!("`{key}` must be an array of tables; this is {}", item.value.kind());
            problems.push(Problem::error(&item.place, words).hint(hint.clone()));
            return None;
        };
        let mut r = table.reader(key);
        let asked = Asked {
            from: r.string("from"),
            until: r.string("until"),
            schedule: r.string("schedule"),
            zone: r.string("timezone").unwrap_or_else(|| "UTC".to_owned()),
            lasts: r.duration("for"),
            flexible: None,
        };
        let span = asked.span().map_err(|(key, why, hint)| {
            let problem = Problem::error(&table.place_of(key), why);
            r.problem(if let Some(hint) = hint { problem.hint(hint) } else { problem });
        });
        problems.extend(r.finish());
        span.ok()
    };
    items.iter().filter_map(read).collect()
}

/// When a window is wanted, as it was written.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub from: Option<String>,
    pub until: Option<String>,
    pub schedule: Option<String>,
    pub zone: String,
    pub lasts: Option<Duration>,
    pub flexible: Option<Duration>,
}

/// A key, what is wrong with it, and perhaps how to write it.
pub type Wrong = (&'static str, String, Option<&'static str>);

impl Asked {
    /// # Errors
    /// What is wrong with it.
    pub fn span(&self) -> Result<Span, Wrong> {
        for (key, lasts) in [("for", self.lasts), ("flexible", self.flexible)] {
            if let Some(lasts) = lasts.filter(|lasts| *lasts > LONGEST) {
                return Err((key, format!("it would last {}", units::config_duration(lasts)), Some(SHORTER)));
            }
        }
        match (&self.schedule, &self.from) {
            (Some(cron), None) => self.recurring(cron),
            (None, Some(from)) => self.once(from),
            _ => Err(("from", "a window needs either `from` or `schedule`".to_owned(), None)),
        }
    }

    fn once(&self, from: &str) -> Result<Span, Wrong> {
        const OFFSET: &str = "write it with its offset: 2026-12-01T22:00:00+01:00";
        const HINT: Option<&str> = Some("write 2026-12-01T22:00:00+01:00, or 2026-12-01 22:00 with a `timezone`");
        let moment = |key, text: &str| {
            let found = clock::moment(text, &self.zone).map(|moment| moment.at);
            found.ok_or_else(|| (key, format!("\"{text}\" is no time"), HINT))
        };
        let begin = moment("from", from)?;
        let end = match (&self.until, self.lasts) {
            (Some(until), None) => moment("until", until)?,
            (None, Some(lasts)) => begin.plus(lasts),
            _ => return Err(("from", "a window needs either `until` or `for`".to_owned(), None)),
        };
        if end <= begin {
            let written = [Some(from), self.until.as_deref()].into_iter().flatten();
            let odd = written.filter_map(|text| clock::moment(text, &self.zone)?.oddity);
            let words = ["it ends before it begins".to_owned()].into_iter().chain(odd).collect::<Vec<_>>();
            // Only an offset tells which of two, or of none, is meant.
            return Err(("until", words.join("; "), (words.len() > 1).then_some(OFFSET)));
        }
        if end.since(begin) > LONGEST {
            let lasts = units::config_duration(Duration::from_secs(end.since(begin).as_secs()));
            return Err(("until", format!("it would last {lasts}"), Some(SHORTER)));
        }
        Ok(Span::Once { from: begin, until: end })
    }

    fn recurring(&self, cron: &str) -> Result<Span, Wrong> {
        let zone = &self.zone;
        if jiff::tz::TimeZone::get(zone).is_err() {
            let why = format!("unknown time zone \"{zone}\"");
            return Err(("timezone", why, Some("write an IANA name such as Europe/Berlin")));
        }
        match clock::never_comes(cron) {
            Some(false) => {}
            None => {
                let why = format!("\"{cron}\" is no schedule");
                return Err(("schedule", why, Some("five fields: minute hour day-of-month month day-of-week")));
            }
            Some(true) => {
                let why = format!("\"{cron}\" never opens: no date of any year fits it");
                return Err(("schedule", why, Some("look at the day of the month (3rd field) and the month (4th)")));
            }
        }
        let needs = || ("schedule", "a window with a schedule needs `for`".to_owned(), None);
        let lasts = self.lasts.ok_or_else(needs)?;
        let schedule = Schedule { cron: cron.into(), timezone: zone.as_str().into() };
        Ok(Span::Recurring { schedule, lasts })
    }

    /// What clock changes do to it, under the keys that they concern: of a recurring window, those of the next year.
    pub fn clock_changes(&self, span: &Span, now: Timestamp) -> Vec<(&'static str, String)> {
        match span {
            Span::Recurring { schedule, .. } => {
                let changes = clock::changes_ahead(&schedule.cron, &schedule.timezone, now);
                changes.into_iter().map(|words| ("schedule", words)).collect()
            }
            Span::Once { from, until } => {
                let written = [("from", &self.from), ("until", &self.until)];
                let odd = written.into_iter().filter_map(|(key, text)| {
                    let moment = clock::moment(text.as_deref()?, &self.zone)?;
                    Some((key, format!("{}; the window is open from {from} to {until}", moment.oddity?)))
                });
                odd.collect()
            }
        }
    }
}

/// What a window names has to be there.
pub(super) fn check_references(
    entries: &[MaintenanceEntry],
    hosts: &[HostEntry],
    jobs: &[JobEntry],
    problems: &mut Vec<Problem>,
) {
    for entry in entries {
        let host = |id: &AssetId| hosts.iter().any(|h| h.host.id == *id);
        let (what, name, found) = match &entry.maintenance.order.scope {
            Scope::Asset(id) => ("host or backup", id.as_str(), host(id) || jobs.iter().any(|j| j.job.id == *id)),
            Scope::Behind(id) => ("host", id.as_str(), host(id)),
            Scope::Tag(tag) => ("tag", &**tag, hosts.iter().any(|h| h.host.has_tag(tag))),
            Scope::Group(group) => ("group", &**group, hosts.iter().any(|h| h.host.group.as_ref() == Some(group))),
            Scope::Site(site) => ("site", &**site, hosts.iter().any(|h| h.host.site.as_ref() == Some(site))),
        };
        if found {
            continue;
        }
        let problem = Problem::error(&entry.place, format!("no {what} of this configuration is called \"{name}\""));
        let host = hosts.iter().map(|h| h.host.id.as_str()).chain(jobs.iter().map(|j| j.job.id.as_str()));
        let near = match what {
            "tag" => nearest(name, hosts.iter().flat_map(|h| h.host.tags.iter().map(|tag| &**tag))),
            "group" => nearest(name, hosts.iter().filter_map(|h| h.host.group.as_deref())),
            "site" => nearest(name, hosts.iter().filter_map(|h| h.host.site.as_deref())),
            _ => nearest(name, host),
        };
        problems.push(match near {
            Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
            None => problem,
        });
    }
}

/// How an order is told in a line: `db01, until 01:00 UTC`, `tag web, "0 22 * * 6" Europe/Berlin for 2h`.
pub fn words(order: &Order) -> String {
    let scope = match &order.scope {
        Scope::Asset(id) => id.as_str().to_owned(),
        Scope::Tag(tag) => format!("tag {tag}"),
        Scope::Group(group) => format!("group {group}"),
        Scope::Site(site) => format!("site {site}"),
        Scope::Behind(id) => format!("{} and all behind it", id.as_str()),
    };
    let span = match &order.span {
        Span::Once { from, until } => format!("{from} to {until}"),
        Span::Recurring { schedule, lasts } => {
            format!("\"{}\" {} for {}", schedule.cron, schedule.timezone, units::config_duration(*lasts))
        }
    };
    let flexible = order.flexible.map(|lasts| format!(", flexible {}", units::config_duration(lasts)));
    format!("{scope}, {span}{}", flexible.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let hosts = "[[host]]\nname = \"db01\"\ntags = [\"db\"]\ngroup = \"ams\"\nsite = \"fra1\"\n";
        let config = load::parse("noctty.toml", format!("{hosts}{text}")).map_err(|problems| problems.to_string())?;
        Ok(config.maintenance.iter().map(|entry| words(&entry.maintenance.order)).collect())
    }

    #[test]
    fn windows_are_read_in_all_their_forms() {
        let text = r#"
[[maintenance]]
host = "db01"
from = "2026-12-01 22:00"
timezone = "Europe/Berlin"
for = "2h"
[[maintenance]]
tag = "db"
from = "2026-12-01T22:00:00Z"
until = "2026-12-01T23:00:00Z"
flexible = "30m"
[[maintenance]]
site = "fra1"
from = "2026-12-01T22:00:00Z"
for = "1h"
[[maintenance]]
behind = "db01"
schedule = "0 22 * * 6"
timezone = "Europe/Berlin"
for = "2h"
note = "patches"
"#;
        let expected = [
            "db01, 2026-12-01T21:00:00.000Z to 2026-12-01T23:00:00.000Z",
            "tag db, 2026-12-01T22:00:00.000Z to 2026-12-01T23:00:00.000Z, flexible 30m",
            "site fra1, 2026-12-01T22:00:00.000Z to 2026-12-01T23:00:00.000Z",
            "db01 and all behind it, \"0 22 * * 6\" Europe/Berlin for 2h",
        ];
        assert_eq!(read(text).expect("valid"), expected);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, want) in [
            ("from = \"2026-12-01 22:00\"\nfor = \"2h\"", "exactly one of"),
            ("host = \"db01\"\ntag = \"db\"\nfrom = \"2026-12-01 22:00\"\nfor = \"2h\"", "exactly one of"),
            ("host = \"db02\"\nfrom = \"2026-12-01 22:00\"\nfor = \"2h\"", "did you mean \"db01\"?"),
            (
                "tag = \"web\"\nfrom = \"2026-12-01 22:00\"\nfor = \"2h\"",
                "no tag of this configuration is called \"web\"",
            ),
            (
                "site = \"fra2\"\nfrom = \"2026-12-01 22:00\"\nfor = \"2h\"",
                "no site of this configuration is called \"fra2\"",
            ),
            ("host = \"db01\"\nfor = \"2h\"", "either `from` or `schedule`"),
            ("host = \"db01\"\nfrom = \"tomorrow\"\nfor = \"2h\"", "\"tomorrow\" is no time"),
            ("host = \"db01\"\nfrom = \"2026-12-01 22:00\"", "either `until` or `for`"),
            ("host = \"db01\"\nfrom = \"2026-12-01 22:00\"\nuntil = \"2026-12-01 21:00\"", "ends before it begins"),
            ("host = \"db01\"\nschedule = \"61 * * * *\"\nfor = \"2h\"", "is no schedule"),
            ("host = \"db01\"\nschedule = \"0 2 * * *\"", "needs `for`"),
            ("host = \"db01\"\nschedule = \"0 2 * * *\"\nfor = \"1h\"\ntimezone = \"Mars\"", "unknown time zone"),
            ("host = \"db01\"\nfrm = \"x\"", "unknown key `frm`"),
            ("host = \"db01\"\nschedule = \"0 0 31 2 *\"\nfor = \"1h\"", "8:12: error: \"0 0 31 2 *\" never opens"),
            ("host = \"db01\"\nfrom = \"2026-12-01 22:00\"\nfor = \"367d\"", "it would last 367d"),
            ("host = \"db01\"\nfrom = \"2026-12-01\"\nuntil = \"2028-01-01\"", "it would last 396d"),
            ("host = \"db01\"\nschedule = \"0 2 * * *\"\nfor = \"1h\"\nflexible = \"400d\"", "it would last 400d"),
        ] {
            let all = read(&format!("[[maintenance]]\n{text}\n")).expect_err("it is wrong");
            assert!(all.contains(want) && all.contains("noctty.toml:"), "{want} is missing in\n{all}");
        }
    }

    fn entries(text: &str) -> Vec<MaintenanceEntry> {
        let text = format!("[[host]]\nname = \"db01\"\n{text}");
        load::parse("noctty.toml", text).expect("valid").maintenance
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn a_window_that_is_over_is_left_out_and_said() {
        let text = "[[maintenance]]\nhost = \"db01\"\nfrom = \"2026-12-01 22:00\"\nfor = \"2h\"\n\
                    [[maintenance]]\nhost = \"db01\"\nfrom = \"2026-12-01 22:00\"\nfor = \"2h\"\nflexible = \"1h\"\n\
                    [[maintenance]]\nhost = \"db01\"\nschedule = \"0 2 * * *\"\nfor = \"1h\"\n";
        let left = |now: &str| {
            let (mut entries, mut problems) = (entries(text), Vec::new());
            leave_out_what_is_over(&mut entries, at(now), &mut problems);
            let ids: Vec<String> = entries.iter().map(|entry| entry.maintenance.id.to_string()).collect();
            (ids, problems.iter().map(Problem::brief).collect::<Vec<_>>())
        };
        assert_eq!(
            left("2026-12-01T23:59:59Z"),
            (vec!["config:1".into(), "config:2".into(), "config:3".into()], vec![])
        );
        let words = "noctty.toml:5:8: this window has been over since 2026-12-02T00:00:00.000Z, and is left out; take it out, or \
                     give it a later time";
        assert_eq!(left("2026-12-02T00:00:00Z"), (vec!["config:2".into(), "config:3".into()], vec![words.to_owned()]));
        assert_eq!(left("2026-12-02T01:00:00Z").0, ["config:3"]);
    }

    #[test]
    fn clock_changes_are_told_with_place_and_instants() {
        let told = |text: &str| {
            let all = entries(&format!("[[maintenance]]\nhost = \"db01\"\ntimezone = \"Europe/Berlin\"\n{text}"));
            let changes = all[0].clock_changes(at("2026-11-27T00:00:00Z"));
            changes.iter().map(Problem::brief).collect::<Vec<_>>()
        };
        assert_eq!(
            told("from = \"2027-03-28 02:30\"\nfor = \"1h\""),
            [
                "noctty.toml:6:8: 2027-03-28 02:30 does not exist in Europe/Berlin: the clock is put forward to 03:00 at \
              2027-03-28T01:00:00.000Z, which is taken; the window is open from 2027-03-28T01:00:00.000Z to 2027-03-28T02:00:00.000Z"
            ]
        );
        let fold = told("from = \"2027-10-31 01:00\"\nuntil = \"2027-10-31 02:30\"");
        assert!(fold.len() == 1 && fold[0].starts_with("noctty.toml:7:9: 2027-10-31 02:30 comes twice"), "{fold:?}");
        // What nobody's clock shows, and an end that is taken for the first of two.
        let asked = |from: &str, until: &str| Asked {
            from: Some(from.to_owned()),
            until: Some(until.to_owned()),
            zone: "Europe/Berlin".to_owned(),
            ..Asked::default()
        };
        for (from, until, why) in [
            ("2027-03-28 02:10", "2027-03-28 02:40", "02:40 does not exist in Europe/Berlin"),
            ("2027-10-31 02:45", "2027-10-31 02:15", "02:15 comes twice in Europe/Berlin"),
        ] {
            let (key, words, hint) = asked(from, until).span().expect_err("it has no length");
            assert!(
                key == "until" && words.starts_with("it ends before it begins; ") && words.contains(why),
                "{words}"
            );
            assert!(hint.is_some_and(|hint| hint.contains("offset")), "{hint:?}");
        }
        let (_, words, hint) = asked("2027-10-30 10:00", "2027-10-30 09:00").span().expect_err("it has no length");
        assert_eq!((words.as_str(), hint), ("it ends before it begins", None));
        let daily = told("schedule = \"30 2 * * *\"\nfor = \"1h\"");
        assert!(daily.len() == 2 && daily[0].starts_with("noctty.toml:6:12: 2027-03-28 02:30 does not"), "{daily:?}");
        assert_eq!(told("from = \"2027-03-28 04:00\"\nfor = \"1h\""), Vec::<String>::new());
    }
}
