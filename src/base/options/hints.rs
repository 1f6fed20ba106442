//! What a value must be, and how the one that was written is written right. A value that may unlock something is never said
//! again.

use super::{SECRET_KEYS, Value};

/// The longest text that a hint repeats.
const LONGEST: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Text,
    Texts,
    Truth,
    Integer,
    Number,
    Duration,
    Table,
    Tables,
    Secret,
}

impl Wanted {
    pub fn words(self, key: &str) -> String {
        match self {
            Self::Text => "a string".to_owned(),
            Self::Texts => "an array of strings".to_owned(),
            Self::Truth => "true or false".to_owned(),
            Self::Integer => "an integer".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Duration => "a duration such as \"30s\"".to_owned(),
            Self::Table => "a table".to_owned(),
            Self::Tables => format!("an array of tables (`[[{key}]]`)"),
            Self::Secret => "a table such as { file = \"…\" }".to_owned(),
        }
    }

    /// How the key is written, with what was meant where the value says that.
    pub fn hint(self, key: &str, value: &Value) -> String {
        let said = said(value).filter(|text| !is_secret(key) && text.chars().count() <= LONGEST);
        let said = said.as_deref();
        match self {
            Self::Text => format!("write {key} = \"{}\"", said.unwrap_or("…")),
            Self::Texts => format!("write {key} = [\"{}\"], each in quotes", said.unwrap_or("…")),
            Self::Truth => match said.map(str::to_ascii_lowercase).as_deref() {
                Some("true" | "yes" | "on" | "1") => format!("write {key} = true, without quotes"),
                Some("false" | "no" | "off" | "0") => format!("write {key} = false, without quotes"),
                _ => format!("write {key} = true or {key} = false, without quotes"),
            },
            Self::Integer => match said.and_then(|text| text.trim().parse::<i64>().ok()) {
                Some(number) => format!("write {key} = {number}, without quotes or a point"),
                None => "write a whole number without quotes".to_owned(),
            },
            Self::Number => match said.and_then(|text| text.trim().parse::<f64>().ok()).filter(|n| n.is_finite()) {
                Some(number) => format!("write {key} = {number}, without quotes"),
                None => "write a number without quotes".to_owned(),
            },
            Self::Duration => match value {
                Value::Integer(0..) => {
                    format!("write the unit too: {key} = \"{}s\", or ms, m, h, d", said.unwrap_or("30"))
                }
                _ => format!("write {key} = \"30s\": a number and a unit (500ms, 30s, 5m, 26h, 7d, 1h30m)"),
            },
            Self::Table => format!("write {key} = {{ … }}"),
            Self::Tables => format!("write each as a section of its own, below [[{key}]] with two brackets"),
            Self::Secret => format!("write {key} = {{ file = \"…\" }} or {{ env = \"…\" }}"),
        }
    }
}

/// A single value as it would stand in quotes.
fn said(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::String(text) | Value::Other(text) => {
            (!text.chars().any(|c| matches!(c, '"' | '\\') || c.is_control())).then(|| text.clone())
        }
        Value::Array(_) | Value::Table(_) => None,
    }
}

/// Words for the same thing. Who writes one of them means, of the keys of a table, the first that stands here.
const ALIKE: [&[&str]; 13] = [
    &["label", "name", "title", "description", "alias"],
    &["address", "host", "hostname", "ip", "server", "fqdn"],
    &["url", "uri", "endpoint", "port", "path", "scheme"],
    &["user", "username", "login"],
    &["password", "passwd", "pass", "secret"],
    &["interval", "every", "period", "frequency", "check_interval", "scrape_interval"],
    &["retry_interval", "retry", "backoff"],
    &["attempts", "retries", "tries", "max_check_attempts"],
    &["contains", "match", "matches", "string", "body", "regex"],
    &["kind", "type", "probe", "check_command"],
    &["command", "argv", "cmd", "exec", "run"],
    &["tags", "labels", "hostgroups", "roles"],
    &["parents", "parent", "depends_on", "dependencies", "dependency"],
];

/// The known key that a word stands for elsewhere (`hostname` for `address`).
pub(super) fn meant(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    let group = ALIKE.iter().find(|group| group.contains(&word.as_str()))?;
    group.iter().find_map(|word| known.iter().copied().find(|key| key == word))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_KEYS.iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_writes_what_was_meant() {
        let text = |text: &str| Value::String(text.to_owned());
        for (wanted, key, value, hint) in [
            (Wanted::Text, "name", Value::Integer(5), "write name = \"5\""),
            (Wanted::Text, "name", Value::Array(Vec::new()), "write name = \"…\""),
            (Wanted::Texts, "tags", text("core"), "write tags = [\"core\"], each in quotes"),
            (Wanted::Truth, "ascii", text("Yes"), "write ascii = true, without quotes"),
            (Wanted::Truth, "ascii", Value::Integer(0), "write ascii = false, without quotes"),
            (Wanted::Truth, "ascii", text("maybe"), "write ascii = true or ascii = false, without quotes"),
            (Wanted::Integer, "port", text(" 70 "), "write port = 70, without quotes or a point"),
            (Wanted::Integer, "port", Value::Float(70.0), "write port = 70, without quotes or a point"),
            (Wanted::Integer, "port", Value::Float(0.5), "write a whole number without quotes"),
            (Wanted::Number, "rtt", text("0.5"), "write rtt = 0.5, without quotes"),
            (Wanted::Number, "rtt", text("nan"), "write a number without quotes"),
            (Wanted::Duration, "rpo", Value::Integer(26), "write the unit too: rpo = \"26s\", or ms, m, h, d"),
        ] {
            assert_eq!(wanted.hint(key, &value), hint);
        }
        let long = "x".repeat(500);
        assert_eq!(Wanted::Texts.hint("tags", &text(&long)), "write tags = [\"…\"], each in quotes");
    }

    #[test]
    fn a_word_of_another_program_finds_the_key_that_is_meant() {
        let check = ["kind", "label", "url", "interval", "attempts", "contains", "matches"];
        for (word, key) in [
            ("name", Some("label")),
            ("Check-Interval", Some("interval")),
            ("max_check_attempts", Some("attempts")),
            ("port", Some("url")),
            ("type", Some("kind")),
            ("hostname", None),
            ("colour", None),
        ] {
            assert_eq!(meant(word, &check), key, "{word}");
        }
        // A key that is known is never unknown, whatever else is called like it.
        assert_eq!(meant("retries", &["retries", "attempts"]), Some("attempts"));
    }

    #[test]
    fn a_hint_says_no_secret() {
        for wanted in [Wanted::Text, Wanted::Texts, Wanted::Integer, Wanted::Duration, Wanted::Truth] {
            for value in [Value::Integer(471_100), Value::String("471100".to_owned())] {
                let hint = wanted.hint("auth_password", &value);
                assert!(!hint.contains("471100"), "{hint}");
            }
        }
    }
}
