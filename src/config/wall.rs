//! `[wall]`: the pages of a wall, how they turn, and what happens when something breaks.

use std::time::Duration;

use super::theme::ThemeChoice;
use crate::base::options::{OptionDoc, Problem, Table, nearest};
use crate::base::units;
use crate::model::Desktop;

/// What a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    Problems,
    Grid,
    Digits,
    Ports,
    Backups,
    Incident,
}

impl Form {
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Problems, "problems"),
        (Self::Grid, "grid"),
        (Self::Digits, "digits"),
        (Self::Ports, "ports"),
        (Self::Backups, "backups"),
        (Self::Incident, "incident"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(form, _)| *form == self).map_or("", |(_, name)| name)
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(form, _)| *form)
    }
}

/// What is heard when something new is critical.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sound {
    #[default]
    Off,
    Bell,
    Notification,
}

/// One `[[wall.page]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    pub form: Form,
    /// As the console's filter has it.
    pub filter: String,
    pub group: Option<String>,
    pub site: Option<String>,
    pub tag: Option<String>,
    pub seconds: u32,
}

impl Page {
    /// Everything, in this form.
    pub fn of(form: Form) -> Self {
        let seconds = if form == Form::Problems { 30 } else { 15 };
        let title = form.name().to_owned();
        Self { title, form, filter: String::new(), group: None, site: None, tag: None, seconds }
    }
}

#[derive(Clone, Debug)]
pub struct WallOptions {
    /// Empty where noctty chooses: every form that has something to show.
    pub pages: Vec<Page>,
    /// How long the pages stand still after the last new critical problem.
    pub hold: Duration,
    /// How long they do so altogether, until each page has had its turn.
    pub hold_limit: Duration,
    /// After how long without an owner a critical problem stands out, stands on every page, and takes a part of it.
    pub escalate: [Duration; 3],
    /// How often the picture moves by a cell.
    pub shift: Duration,
    pub sound: Sound,
    /// How [`Sound::Notification`] is asked for.
    pub notification: Desktop,
    /// Beside UTC; `None` for the system's.
    pub timezone: Option<String>,
    pub theme: ThemeChoice,
}

impl Default for WallOptions {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            hold: Duration::from_secs(60),
            hold_limit: Duration::from_secs(3 * 60),
            escalate: [5, 15, 30].map(|minutes| Duration::from_secs(minutes * 60)),
            shift: Duration::from_secs(5 * 60),
            sound: Sound::Off,
            notification: Desktop::default(),
            timezone: None,
            theme: ThemeChoice::default(),
        }
    }
}

impl WallOptions {
    pub(super) fn read(table: &Table, problems: &mut Vec<Problem>) -> Self {
        let mut out = Self::default();
        let mut r = table.reader("[wall]");
        let pages = r.tables("page");
        out.hold = r.duration("hold").unwrap_or(out.hold);
        out.hold_limit = r.duration("hold_limit").unwrap_or(out.hold_limit.max(out.hold));
        out.shift = r.duration("shift").map_or(out.shift, |every| every.max(Duration::from_secs(30)));
        out.theme = ThemeChoice::read(&mut r);
        if let Some(place) = r.node("escalate").map(|node| node.place.clone()) {
            let words = r.strings("escalate").unwrap_or_default();
            let steps: Vec<Duration> = words.iter().filter_map(|word| units::parse_duration(word)).collect();
            match <[Duration; 3]>::try_from(steps) {
                Ok(steps) if steps.is_sorted() => out.escalate = steps,
                _ => r.problem(
                    Problem::error(&place, "`escalate` is three durations, none shorter than the one before")
                        .hint("escalate = [\"5m\", \"15m\", \"30m\"]"),
                ),
            }
        }
        if let Some(place) = r.node("sound").map(|node| node.place.clone()) {
            match r.string("sound").as_deref() {
                Some("off") | None => {}
                Some("bell") => out.sound = Sound::Bell,
                Some("notification") => out.sound = Sound::Notification,
                Some(other) => r.problem(
                    Problem::error(&place, format!("\"{other}\" is no sound")).hint("off, bell or notification"),
                ),
            }
        }
        out.notification = r.one_of("notification", &Desktop::ALL[1..]).unwrap_or_default();
        if let Some(place) = r.node("timezone").map(|node| node.place.clone())
            && let Some(zone) = r.string("timezone")
        {
            if jiff::tz::TimeZone::get(&zone).is_err() {
                let problem = Problem::error(&place, format!("there is no time zone \"{zone}\""));
                r.problem(problem.hint("write an IANA name such as Europe/Berlin"));
            }
            out.timezone = Some(zone);
        }
        problems.extend(r.finish());
        out.pages = pages.into_iter().filter_map(|page| read_page(page, problems)).collect();
        out
    }

    /// Only the pages that are named, by title or form; the name that none has.
    ///
    /// # Errors
    /// A name, and what there is instead.
    pub fn only(mut self, names: &[String]) -> Result<Self, String> {
        if names.is_empty() {
            return Ok(self);
        }
        let mut pages = Vec::new();
        for name in names {
            let before = pages.len();
            pages.extend(self.pages.iter().filter(|page| page.title == *name).cloned());
            if pages.len() == before {
                pages.extend(self.pages.iter().filter(|page| page.form.name() == name).cloned());
            }
            if pages.len() == before {
                let titles = self.pages.iter().map(|page| page.title.as_str());
                let known: Vec<&str> = titles.chain(Form::ALL.iter().map(|(_, name)| *name)).collect();
                let form = Form::named(name);
                let form =
                    form.ok_or_else(|| format!("there is no page \"{name}\"; there are {}", known.join(", ")))?;
                pages.push(Page::of(form));
            }
        }
        self.pages = pages;
        Ok(self)
    }
}

fn read_page(table: &Table, problems: &mut Vec<Problem>) -> Option<Page> {
    let mut r = table.reader("[[wall.page]]");
    let (title, filter) = (r.string("title"), r.string("filter").unwrap_or_default());
    let (group, site, tag) = (r.string("group"), r.string("site"), r.string("tag"));
    let seconds = r.integer("seconds", 3..=86_400).and_then(|s| u32::try_from(s).ok());
    let place = r.node("form").map(|node| node.place.clone());
    let name = r.required_string("form");
    let form = name.as_deref().and_then(Form::named);
    if let (Some(name), Some(place), None) = (&name, &place, form) {
        let problem = Problem::error(place, format!("\"{name}\" is no form of a page"));
        let names = Form::ALL.map(|(_, name)| name);
        r.problem(match nearest(name, names) {
            Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
            None => problem.hint(names.join(", ")),
        });
    }
    problems.extend(r.finish());
    let plain = Page::of(form?);
    let title = title.unwrap_or(plain.title);
    Some(Page { title, filter, group, site, tag, seconds: seconds.unwrap_or(plain.seconds), form: plain.form })
}

pub const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        name: "hold",
        form: "duration",
        default: "1m",
        help: "how long the pages stand still after a new critical problem, unless it is handled sooner",
    },
    OptionDoc {
        name: "hold_limit",
        form: "duration",
        default: "3m",
        help: "how long they do so at the most, however much breaks, until each page has had its turn; not less than `hold`",
    },
    OptionDoc {
        name: "escalate",
        form: "array",
        default: "[\"5m\", \"15m\", \"30m\"]",
        help: "after how long without an owner a critical problem stands out, stands on every page, and takes a part of it",
    },
    OptionDoc {
        name: "shift",
        form: "duration",
        default: "5m",
        help: "how often the picture moves by a cell, against burn-in",
    },
    OptionDoc {
        name: "sound",
        form: "string",
        default: "off",
        help: "`bell` or `notification` (of the desktop) when something new is critical",
    },
    OptionDoc {
        name: "notification",
        form: "string",
        default: "osc9",
        help: "by which escape sequence the terminal is asked for it: `osc9`, `osc777` or `both`",
    },
    OptionDoc {
        name: "timezone",
        form: "string",
        default: "the system's",
        help: "IANA name, for the clock beside UTC",
    },
    OptionDoc {
        name: "theme",
        form: "string or table",
        default: "wall",
        help: "as in `[ui]`; `wall` is for dark backgrounds, on light ones it is `light`",
    },
];

pub const PAGE_OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        name: "form",
        form: "string",
        default: "",
        help: "`problems`, `grid`, `digits`, `ports`, `backups` or `incident`; required",
    },
    OptionDoc { name: "title", form: "string", default: "the form", help: "what stands in the corner" },
    OptionDoc { name: "filter", form: "string", default: "", help: "as the console's `/` takes it" },
    OptionDoc { name: "group", form: "string", default: "", help: "only hosts of this group" },
    OptionDoc { name: "site", form: "string", default: "", help: "only hosts of this site" },
    OptionDoc { name: "tag", form: "string", default: "", help: "only hosts with this tag" },
    OptionDoc { name: "seconds", form: "integer", default: "15, or 30 for problems", help: "how long it stands" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::document;

    fn read(text: &str) -> (WallOptions, String) {
        let (root, mut problems) = document::parse("n.toml", text.to_owned());
        let mut reader = root.reader("the configuration");
        let wall = reader.table("wall").map(|table| WallOptions::read(table, &mut problems)).unwrap_or_default();
        (wall, problems.iter().map(Problem::brief).collect::<Vec<_>>().join("\n"))
    }

    const PAGES: &str = "[wall]\nhold = \"2m\"\nescalate = [\"1m\", \"2m\", \"3m\"]\nsound = \"bell\"\ntimezone = \"Europe/Berlin\"\n\
                         [[wall.page]]\nform = \"grid\"\ntag = \"core\"\nsite = \"fra1\"\nseconds = 20\n[[wall.page]]\nform = \"digits\"\ntitle = \"DC 1\"\n";

    #[test]
    fn pages_are_data() {
        let (wall, problems) = read(PAGES);
        assert_eq!(problems, "");
        assert_eq!((wall.hold, wall.sound), (Duration::from_secs(120), Sound::Bell));
        assert_eq!(wall.hold_limit, Duration::from_secs(180));
        let (longer, problems) = read("[wall]\nhold = \"10m\"\n");
        assert_eq!((longer.hold_limit, problems), (Duration::from_secs(600), String::new()), "the limit is not less");
        assert_eq!(read("[wall]\nhold_limit = \"2m\"\n").0.hold_limit, Duration::from_secs(120));
        let pages: Vec<(&str, Form, u32)> = wall.pages.iter().map(|p| (p.title.as_str(), p.form, p.seconds)).collect();
        assert_eq!((wall.pages[0].site.as_deref(), wall.pages[0].tag.as_deref()), (Some("fra1"), Some("core")));
        assert_eq!(pages, [("grid", Form::Grid, 20), ("DC 1", Form::Digits, 15)]);
    }

    #[test]
    fn pages_are_picked_by_title_or_form() {
        let titles = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let wall = read(PAGES).0.only(&names)?;
            Ok::<_, String>(wall.pages.into_iter().map(|page| page.title).collect::<Vec<_>>().join(", "))
        };
        assert_eq!(titles(&[]), Ok("grid, DC 1".into()));
        assert_eq!(titles(&["DC 1"]), Ok("DC 1".into()));
        assert_eq!(titles(&["digits", "grid"]), Ok("DC 1, grid".into()));
        assert_eq!(titles(&["problems"]), Ok("problems".into()), "one that is not written down is noctty's own");
        assert!(
            titles(&["DC 2"]).is_err_and(|why| why.starts_with("there is no page \"DC 2\"; there are grid, DC 1, "))
        );
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let (wall, problems) = read(
            "[wall]\nescalate = [\"5m\", \"1m\", \"9m\"]\nsound = \"loud\"\nnotification = \"osc99\"\ntimezone = \"Mars/Base\"\nholdd = \"1m\"\n\
             [[wall.page]]\nform = \"grids\"\n[[wall.page]]\nform = \"grid\"\nseconds = 1\n[[wall.page]]\ntitle = \"x\"\n",
        );
        for want in [
            "n.toml:2:12: `escalate` is three durations",
            "n.toml:3:9: \"loud\" is no sound; off, bell or notification",
            "n.toml:4:16: [wall] `notification` knows no \"osc99\"; did you mean \"osc9\"?",
            "n.toml:5:12: there is no time zone \"Mars/Base\"",
            "n.toml:6:1: unknown key `holdd` in [wall]; did you mean `hold`?",
            "n.toml:8:8: \"grids\" is no form of a page; did you mean \"grid\"?",
            "[[wall.page]] `seconds` is 1, outside 3 to 86400",
            "[[wall.page]] has no `form`",
        ] {
            assert!(problems.contains(want), "{want} is missing in\n{problems}");
        }
        assert_eq!(wall.pages.len(), 1, "what is right holds");
    }
}
