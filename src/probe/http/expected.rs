//! What an answer must be: its status, its headers, its body.

use serde_json::Value as Json;

use super::status::Statuses;
use crate::base::options::{OptionDoc, Problem, Reader, Value};
use crate::base::{Untrusted, units};
use crate::net::http::Fetched;
use crate::probe::{pattern, web};
use crate::profile::Pattern;

/// Bytes of what was found instead that are shown.
const MOST_SHOWN: usize = 80;

pub const STATUS: OptionDoc = OptionDoc {
    name: "status",
    form: "string",
    default: "200-299",
    help: "statuses of the last answer that are good: `200`, `200-299,401`",
};
pub const HEADERS: OptionDoc = OptionDoc {
    name: "expect_headers",
    form: "table",
    default: "",
    help: "headers that the answer must have, each with a regular expression for its value: `{ Server = \"^nginx\" }`",
};
pub const CONTAINS: OptionDoc =
    OptionDoc { name: "contains", form: "string", default: "", help: "a text that the body must have" };
pub const LACKS: OptionDoc = OptionDoc {
    name: "lacks",
    form: "string",
    default: "",
    help: "a text that the body must not have; UNKNOWN where the body goes on beyond `body_limit`",
};
pub const MATCHES: OptionDoc = OptionDoc {
    name: "matches",
    form: "string",
    default: "",
    help: "a regular expression (ASCII classes) that the body must match",
};
pub const JSON: OptionDoc = OptionDoc {
    name: "json",
    form: "table",
    default: "",
    help: "values that a JSON body must have, by their place (RFC 6901): `{ \"/status\" = \"UP\", \"/queue/0/length\" = 0 }`",
};

#[derive(Debug)]
pub struct Expected {
    status: Statuses,
    headers: Vec<(String, Pattern)>,
    contains: Option<(String, Pattern)>,
    lacks: Option<(String, Pattern)>,
    matches: Option<Pattern>,
    json: Vec<(String, Json)>,
}

impl Expected {
    /// Reads the options above; `None` where one cannot be read, which is said.
    pub fn read(options: &mut Reader<'_>) -> Option<Self> {
        let status = read_status(options);
        let headers = read_headers(options);
        let [contains, lacks] = ["contains", "lacks"]
            .map(|key| options.string(key).and_then(|text| Some((text.clone(), pattern::literal(&text)?))));
        let matches = pattern::read("matches", options);
        let json = read_json(options);
        Some(Self { status: status?, headers: headers?, contains, lacks, matches: matches?, json: json? })
    }

    /// What is not as it must be, in words that go on after "HTTP 200 in 3ms". `limit` bounds a body that is unpacked.
    pub fn missed(&self, fetched: &Fetched, limit: usize) -> Option<String> {
        if !self.status.hold(fetched.status) {
            let to = match fetched.header("location") {
                Some(to) => format!(" to {}", Untrusted::new(to).line()),
                None if matches!(fetched.status, 301 | 302 | 303 | 307 | 308) => " to nowhere (no Location)".to_owned(),
                None => String::new(),
            };
            return Some(format!("{to}; expected {}", self.status));
        }
        let headers = self.headers.iter().find_map(|(name, pattern)| missed_header(fetched, name, pattern));
        headers.or_else(|| self.missed_body(fetched, limit)).map(|words| format!(", but {words}"))
    }

    /// What could not be found out, since the body goes on beyond what is read: a text that must not be there may be in the
    /// rest.
    pub fn unseen(&self, fetched: &Fetched, limit: usize) -> Option<String> {
        let (text, _) = self.lacks.as_ref()?;
        let (body, cut) = fetched.unpacked(limit).ok()?;
        let read = units::bytes(body.len() as u64);
        cut.then(|| format!("\"{text}\" is not in its first {read}, and what follows is not read: `body_limit`"))
    }

    fn looks_into_the_body(&self) -> bool {
        let texts = self.contains.is_some() || self.lacks.is_some() || self.matches.is_some();
        texts || !self.json.is_empty()
    }

    fn missed_body(&self, fetched: &Fetched, limit: usize) -> Option<String> {
        if !self.looks_into_the_body() {
            return None;
        }
        let (body, cut) = match fetched.unpacked(limit) {
            Ok(unpacked) => unpacked,
            Err(why) => return Some(why),
        };
        let within = if cut { format!(" in its first {}", units::bytes(body.len() as u64)) } else { String::new() };
        if let Some((text, _)) = self.contains.as_ref().filter(|(_, pattern)| !pattern.matches(&body)) {
            return Some(format!("the body does not contain \"{text}\"{within}"));
        }
        if let Some((text, _)) = self.lacks.as_ref().filter(|(_, pattern)| pattern.matches(&body)) {
            return Some(format!("the body contains \"{text}\""));
        }
        if let Some(pattern) = self.matches.as_ref().filter(|pattern| !pattern.matches(&body)) {
            return Some(format!("the body does not match /{}/{within}", pattern.as_str()));
        }
        if self.json.is_empty() {
            return None;
        }
        if cut {
            return Some(format!("the body is longer than {}: `body_limit`", units::bytes(body.len() as u64)));
        }
        let parsed: Json = match serde_json::from_slice(&body) {
            Ok(parsed) => parsed,
            Err(error) => return Some(format!("the body is no JSON: {error}")),
        };
        self.json.iter().find_map(|(place, wanted)| missed_value(&parsed, place, wanted))
    }
}

fn read_status(options: &mut Reader<'_>) -> Option<Statuses> {
    let Some(node) = options.node("status") else { return Some(Statuses::default()) };
    let text = match &node.value {
        Value::Integer(number) => number.to_string(),
        _ => options.string("status")?,
    };
    let parsed = Statuses::parse(&text);
    if parsed.is_none() {
        let problem = Problem::error(&node.place, format!("\"{text}\" is no list of statuses"));
        options.problem(problem.hint("status = \"200-299,401\""));
    }
    parsed
}

fn read_headers(options: &mut Reader<'_>) -> Option<Vec<(String, Pattern)>> {
    let Some(table) = options.table("expect_headers") else {
        return options.node("expect_headers").is_none().then(Vec::new);
    };
    let mut out = Vec::new();
    for (key, node) in &table.entries {
        let pattern = match &node.value {
            Value::String(text) if web::is_token(&key.name) => Pattern::new(text),
            _ => Err("a name of a header with a regular expression".to_owned()),
        };
        match pattern {
            Ok(pattern) => out.push((key.name.to_ascii_lowercase(), pattern)),
            Err(why) => {
                let words = format!("`expect_headers`: `{}`: {why}", key.name);
                options.problem(Problem::error(&node.place, words).hint("expect_headers = { Server = \"^nginx\" }"));
            }
        }
    }
    (out.len() == table.entries.len()).then_some(out)
}

fn read_json(options: &mut Reader<'_>) -> Option<Vec<(String, Json)>> {
    let Some(table) = options.table("json") else { return options.node("json").is_none().then(Vec::new) };
    let mut out = Vec::new();
    for (key, node) in &table.entries {
        let value = match &node.value {
            Value::String(text) => Some(Json::from(text.as_str())),
            Value::Integer(number) => Some(Json::from(*number)),
            Value::Float(number) => Some(Json::from(*number)),
            Value::Bool(truth) => Some(Json::from(*truth)),
            Value::Array(_) | Value::Table(_) | Value::Other(_) => None,
        };
        if let Some(value) = value.filter(|_| key.name.starts_with('/')) {
            out.push((key.name.clone(), value));
        } else {
            let words = format!("`json`: `{}` is no place with a text, a number, true or false", key.name);
            options.problem(Problem::error(&node.place, words).hint("json = { \"/status\" = \"UP\" }"));
        }
    }
    (out.len() == table.entries.len()).then_some(out)
}

/// One of several lines of a name is enough.
fn missed_header(fetched: &Fetched, name: &str, pattern: &Pattern) -> Option<String> {
    let mut values = fetched.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_slice());
    let Some(first) = values.clone().next() else { return Some(format!("there is no header {name}")) };
    let fits = values.any(|value| pattern.matches(value));
    (!fits).then(|| {
        let shown = Untrusted::bounded(first, MOST_SHOWN).line();
        format!("the header {name} is {shown}, which does not match /{}/", pattern.as_str())
    })
}

fn missed_value(body: &Json, place: &str, wanted: &Json) -> Option<String> {
    let Some(found) = body.pointer(place) else { return Some(format!("there is no {place} in the body")) };
    let same = match (found, wanted) {
        (Json::Number(found), Json::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        _ => found == wanted,
    };
    let shown = || Untrusted::bounded(found.to_string().as_bytes(), MOST_SHOWN).line();
    (!same).then(|| format!("{place} is {}, not {wanted}", shown()))
}
