//! `[[maintenance]]`: windows that the configuration orders.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::AmbiguousOffset;

use super::inventory::{HostEntry, JobEntry};
use crate::base::options::{OptionDoc, Place, Problem, Table, nearest};
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

/// An order, and where what it names stands.
#[derive(Clone, Debug)]
pub struct MaintenanceEntry {
    pub maintenance: Arc<Maintenance>,
    pub place: Place,
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
    let place = |key: &str| table.find(key).map_or_else(|| table.place.clone(), |node| node.place.clone());
    let mut named = named.into_iter().flatten();
    let scope = named.next();
    if scope.is_none() || named.next().is_some() {
        r.problem(Problem::error(
            &table.place,
            "[[maintenance]] needs exactly one of `host`, `backup`, `tag`, `group`, `site`, `behind`",
        ));
    }
    let asked = Asked { from: from.as_deref(), until: until.as_deref(), schedule: cron.as_deref(), zone: &zone, lasts };
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
    Some(MaintenanceEntry { maintenance, place: place(key) })
}

/// When a window is wanted, as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub from: Option<&'a str>,
    pub until: Option<&'a str>,
    pub schedule: Option<&'a str>,
    pub zone: &'a str,
    pub lasts: Option<Duration>,
}

/// A key, what is wrong with it, and perhaps how to write it.
pub type Wrong = (&'static str, String, Option<&'static str>);

impl Asked<'_> {
    /// # Errors
    /// What is wrong with it.
    pub fn span(&self) -> Result<Span, Wrong> {
        match (self.schedule, self.from) {
            (Some(cron), None) => recurring(cron, self.zone, self.lasts),
            (None, Some(from)) => once(from, self.until, self.zone, self.lasts),
            _ => Err(("from", "a window needs either `from` or `schedule`".to_owned(), None)),
        }
    }
}

fn once(from: &str, until: Option<&str>, zone: &str, lasts: Option<Duration>) -> Result<Span, Wrong> {
    const HINT: Option<&str> = Some("write 2026-12-01T22:00:00+01:00, or 2026-12-01 22:00 with a `timezone`");
    let begin = moment(from, zone).ok_or_else(|| ("from", format!("\"{from}\" is no time"), HINT))?;
    let end = match (until, lasts) {
        (Some(until), None) => moment(until, zone).ok_or_else(|| ("until", format!("\"{until}\" is no time"), HINT))?,
        (None, Some(lasts)) => begin.plus(lasts),
        _ => return Err(("from", "a window needs either `until` or `for`".to_owned(), None)),
    };
    if end <= begin {
        return Err(("until", "it ends before it begins".to_owned(), None));
    }
    Ok(Span::Once { from: begin, until: end })
}

fn recurring(cron: &str, zone: &str, lasts: Option<Duration>) -> Result<Span, Wrong> {
    if jiff::tz::TimeZone::get(zone).is_err() {
        let why = format!("unknown time zone \"{zone}\"");
        return Err(("timezone", why, Some("write an IANA name such as Europe/Berlin")));
    }
    if cronexpr::parse_crontab(&format!("{cron} {zone}")).is_err() {
        let why = format!("\"{cron}\" is no schedule");
        return Err(("schedule", why, Some("five fields: minute hour day-of-month month day-of-week")));
    }
    let lasts = lasts.ok_or_else(|| ("schedule", "a window with a schedule needs `for`".to_owned(), None))?;
    Ok(Span::Recurring { schedule: Schedule { cron: cron.into(), timezone: zone.into() }, lasts })
}

/// RFC 3339 with an offset, or a civil time in a zone: one that does not exist is when the gap ends, one that exists twice
/// is the first.
pub fn moment(text: &str, zone: &str) -> Option<Timestamp> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Some(at);
    }
    let zone = jiff::tz::TimeZone::get(zone).ok()?;
    let civil: jiff::civil::DateTime = text.trim().replace(' ', "T").parse().ok()?;
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let at = match ambiguous.offset() {
        // The clock jumps between the two readings of the missing time.
        AmbiguousOffset::Gap { .. } => zone.following(ambiguous.earlier().ok()?).next()?.timestamp(),
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.compatible().ok()?,
    };
    Some(Timestamp::from_millis(at.as_millisecond()))
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
        ] {
            let all = read(&format!("[[maintenance]]\n{text}\n")).expect_err("it is wrong");
            assert!(all.contains(want) && all.contains("noctty.toml:"), "{want} is missing in\n{all}");
        }
    }

    #[test]
    fn a_civil_time_in_the_gap_is_when_the_gap_ends_and_a_doubled_one_is_the_first() {
        let at = |text: &str| moment(text, "Europe/Berlin").map(Timestamp::rfc3339);
        assert_eq!(at("2026-03-29 02:30").as_deref(), Some("2026-03-29T01:00:00.000Z"));
        assert_eq!(at("2026-10-25 02:30").as_deref(), Some("2026-10-25T00:30:00.000Z"));
        assert_eq!(at("25th of March"), None);
    }
}
