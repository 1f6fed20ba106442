//! Option tables that remember where they were written. The configuration is parsed into these once;
//! whoever knows an option (a probe, a backup source, the inventory) reads it with a [`Reader`], which
//! collects *every* problem with its place instead of stopping at the first.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::text;
use super::units;

mod files;
mod hints;
mod limits;

use hints::Wanted;

pub use files::{beside, program};
pub use limits::{Limit, Worse};

/// A file (or other input) that was parsed.
#[derive(Debug)]
pub struct Source {
    /// As the user should read it: mostly a path.
    pub name: String,
    pub text: String,
}

/// A range of bytes in a source.
#[derive(Clone, Debug)]
pub struct Place {
    pub source: Arc<Source>,
    pub start: usize,
    pub end: usize,
}

impl Place {
    /// Line and column, both from 1; columns count characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let start = floor_boundary(&self.source.text, self.start);
        let before = &self.source.text[..start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn line_text(&self) -> &str {
        let start = floor_boundary(&self.source.text, self.start);
        let line_start = self.source.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let rest = &self.source.text[line_start..];
        rest.split('\n').next().unwrap_or("").trim_end_matches('\r')
    }

    /// Characters of it in its first line, one at least.
    fn length_in_line(&self) -> usize {
        let text = &self.source.text;
        let marked = &text[floor_boundary(text, self.start)..floor_boundary(text, self.end.max(self.start))];
        marked.lines().next().unwrap_or("").chars().count().max(1)
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Error,
    Warning,
}

/// Something wrong in an input, with its place, and what to do about it.
#[derive(Clone, Debug)]
pub struct Problem {
    pub weight: Weight,
    pub place: Option<Place>,
    pub message: String,
    pub hint: Option<String>,
}

impl Problem {
    pub fn error(place: &Place, message: impl Into<String>) -> Self {
        Self { weight: Weight::Error, place: Some(place.clone()), message: message.into(), hint: None }
    }

    pub fn warning(place: &Place, message: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::error(place, message) }
    }

    /// A problem of the whole input, such as a file that cannot be read.
    pub fn unplaced(message: impl Into<String>) -> Self {
        Self { weight: Weight::Error, place: None, message: message.into(), hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// All of it in one line: `file:line:column: message; hint`.
    pub fn brief(&self) -> String {
        self.in_one_line(|name| name)
    }

    /// The same with the file's name alone, for where its folder is known.
    pub fn short(&self) -> String {
        self.in_one_line(|name| name.rsplit('/').next().unwrap_or(name))
    }

    fn in_one_line(&self, file: impl Fn(&str) -> &str) -> String {
        let place = self.place.as_ref().map(|place| {
            let (line, column) = place.line_and_column();
            format!("{}:{line}:{column}: ", file(&place.source.name))
        });
        let hint = self.hint.as_ref().map(|hint| format!("; {hint}"));
        text::clean(&[place.unwrap_or_default(), self.message.clone(), hint.unwrap_or_default()].concat())
    }

    /// `file:line:column: error: message`, the line itself, a marker below it, and the hint.
    pub fn render(&self) -> String {
        let word = match self.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        let mut out = String::new();
        if let Some(place) = &self.place {
            let (line, column) = place.line_and_column();
            let _ = writeln!(
                out,
                "{}:{line}:{column}: {word}: {}",
                text::clean(&place.source.name),
                text::clean(&self.message)
            );
            let gutter = line.to_string();
            let raw: Vec<char> = without_secrets(place.line_text()).chars().collect();
            let from = (column - 1).min(raw.len());
            let (safe, pad, marks) = around(&raw, from..(from + place.length_in_line()).min(raw.len()));
            let _ = writeln!(out, "  {gutter} | {safe}");
            let _ = writeln!(out, "  {:w$} | {:pad$}{}", "", "", "^".repeat(marks), w = gutter.len());
        } else {
            let _ = writeln!(out, "{word}: {}", text::clean(&self.message));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "  hint: {}", text::clean(hint));
        }
        out
    }
}

/// Columns of a line that are shown with a problem; what a line has beyond is cut, with a mark.
const SHOWN: usize = 120;

/// A line as it is shown, cut round what is marked where it is long; then the columns before the marks, and how many marks.
fn around(line: &[char], marked: Range<usize>) -> (String, usize, usize) {
    let clean = |part: &[char]| text::clean(&part.iter().collect::<String>());
    let wide = |at: usize| text::width(&clean(&line[at..=at]));
    let mut columns = 0;
    let (mut from, mut to) = (marked.start, marked.start);
    while from > 0 && columns + wide(from - 1) <= SHOWN / 3 {
        from -= 1;
        columns += wide(from);
    }
    while to < line.len() && columns + wide(to) <= SHOWN {
        columns += wide(to);
        to += 1;
    }
    // What fits as a whole is shown from its beginning.
    while from > 0 && to == line.len() && columns + wide(from - 1) <= SHOWN {
        from -= 1;
        columns += wide(from);
    }
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
    let lead = clean(&line[from..marked.start]);
    let marks = text::width(&clean(&line[marked.start..marked.end.min(to)])).max(1);
    let shown = format!("{before}{}{after}", clean(&line[from..to]));
    (shown, text::width(before) + text::width(&lead), marks)
}

/// Keys whose value unlocks something, whatever stands before or after these words.
const SECRET_KEYS: [&str; 6] = ["password", "passphrase", "secret", "token", "community", "credential"];

/// A line as it may be shown: literal secrets and passwords in URLs become asterisks, one for one, so that columns stay.
fn without_secrets(line: &str) -> String {
    let mut chars: Vec<char> = line.chars().collect();
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut at = 0;
    while let Some(equals) = chars[at..].iter().position(|c| *c == '=').map(|i| at + i) {
        at = equals + 1;
        let back = |from: usize, passes: &dyn Fn(char) -> bool| {
            chars[..from].iter().rposition(|c| !passes(*c)).map_or(0, |last| last + 1)
        };
        let end = back(back(equals, &char::is_whitespace), &|c| matches!(c, '"' | '\''));
        let key: String = chars[back(end, &is_key)..end].iter().collect();
        let key = key.to_ascii_lowercase();
        while chars.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
        }
        if !SECRET_KEYS.iter().any(|word| key.contains(word)) {
            continue;
        }
        match chars.get(at) {
            Some('{') | None => {}
            Some(quote @ ('"' | '\'')) => {
                let quote = *quote;
                at += 1;
                let mut escaped = false;
                while at < chars.len() && (escaped || chars[at] != quote) {
                    escaped = quote == '"' && !escaped && chars[at] == '\\';
                    chars[at] = '*';
                    at += 1;
                }
            }
            Some(_) => {
                while at < chars.len() && !matches!(chars[at], ',' | '}') {
                    chars[at] = '*';
                    at += 1;
                }
            }
        }
    }
    let mut from = 0;
    while let Some(start) = chars[from..].windows(3).position(|w| w == [':', '/', '/']).map(|i| from + i + 3) {
        let is_end = |c: &char| c.is_whitespace() || matches!(c, '/' | '"' | '\'');
        let end = chars[start..].iter().position(is_end).map_or(chars.len(), |i| start + i);
        let host = chars[start..end].iter().rposition(|c| *c == '@').map(|i| start + i);
        if let Some((colon, host)) = chars[start..end].iter().position(|c| *c == ':').map(|i| start + i).zip(host)
            && colon < host
        {
            chars[colon + 1..host].fill('*');
        }
        from = end;
    }
    chars.into_iter().collect()
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(String),
    Array(Vec<Node>),
    Table(Table),
    /// A TOML date or time, kept as written; nothing takes one yet.
    Other(String),
}

impl Value {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
            Self::Other(_) => "a date or time",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Key {
    pub name: String,
    pub place: Place,
}

/// A table with its keys in the order of the file.
#[derive(Clone, Debug)]
pub struct Table {
    pub place: Place,
    pub entries: Vec<(Key, Node)>,
}

impl Table {
    pub fn find(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(k, _)| k.name == key).map(|(_, node)| node)
    }

    /// The place of a key's value, or of the whole table.
    pub fn place_of(&self, key: &str) -> Place {
        self.find(key).map_or_else(|| self.place.clone(), |node| node.place.clone())
    }

    pub fn reader<'a>(&'a self, what: &'a str) -> Reader<'a> {
        Reader { table: self, what, known: Vec::new(), elsewhere: Vec::new(), problems: Vec::new() }
    }
}

/// Where a secret is to be fetched from. The secret itself never stands in a configuration that
/// other people can read; a literal is accepted and warned about.
#[derive(Clone, Debug)]
pub enum SecretRef {
    Env(String),
    File(PathBuf),
    /// argv, no shell.
    Command(Vec<String>),
    Literal(super::Secret<String>),
}

/// One documented option: the row that help, reference and unknown-key hints are made of.
#[derive(Clone, Copy, Debug)]
pub struct OptionDoc {
    pub name: &'static str,
    /// `duration`, `string`, `integer`, `secret` …
    pub form: &'static str,
    /// As text; empty where there is none.
    pub default: &'static str,
    pub help: &'static str,
}

/// The rows of several tables in one.
///
/// # Panics
/// Where `N` is not the number of all rows; in a constant, the compiler says so.
pub const fn joined<const N: usize>(tables: &[&[OptionDoc]]) -> [OptionDoc; N] {
    let mut all = [OptionDoc { name: "", form: "", default: "", help: "" }; N];
    let (mut filled, mut table) = (0, 0);
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            all[filled] = tables[table][row];
            (filled, row) = (filled + 1, row + 1);
        }
        table += 1;
    }
    assert!(filled == N, "a row is missing");
    all
}

/// Reads a table key by key, collecting every problem; [`Reader::finish`] reports unknown keys.
#[derive(Debug)]
pub struct Reader<'a> {
    table: &'a Table,
    what: &'a str,
    known: Vec<&'static str>,
    elsewhere: Vec<(&'static [&'static str], &'static str)>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub fn place(&self) -> &'a Place {
        &self.table.place
    }

    /// The node under a key, marking the key as known.
    pub fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        self.table.find(key)
    }

    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Keys that are looked for here, and what says where they stand.
    pub fn elsewhere(&mut self, keys: &'static [&'static str], hint: &'static str) {
        self.elsewhere.push((keys, hint));
    }

    fn wrong(&mut self, key: &str, node: &Node, wanted: Wanted) {
        let words = format!("{} `{key}` must be {}, not {}", self.what, wanted.words(key), node.value.kind());
        self.problems.push(Problem::error(&node.place, words).hint(wanted.hint(key, &node.value)));
    }

    pub fn string(&mut self, key: &'static str) -> Option<String> {
        let node = self.node(key)?;
        if let Value::String(text) = &node.value {
            Some(text.clone())
        } else {
            self.wrong(key, node, Wanted::Text);
            None
        }
    }

    /// A string that must be there.
    pub fn required_string(&mut self, key: &'static str) -> Option<String> {
        if self.table.find(key).is_none() {
            self.known.push(key);
            self.problems.push(
                Problem::error(&self.table.place, format!("{} has no `{key}`", self.what))
                    .hint(format!("add `{key} = \"…\"`")),
            );
            return None;
        }
        self.string(key)
    }

    /// One of these words.
    pub fn one_of<T: Copy>(&mut self, key: &'static str, words: &[(T, &str)]) -> Option<T> {
        let names = || words.iter().map(|(_, word)| *word);
        let known = || format!("known: {}", names().collect::<Vec<_>>().join(", "));
        let node = self.node(key)?;
        let Value::String(said) = &node.value else {
            let wrong = format!("{} `{key}` must be a string, not {}", self.what, node.value.kind());
            self.problems.push(Problem::error(&node.place, wrong).hint(known()));
            return None;
        };
        let found = words.iter().find(|(_, word)| word == said).map(|(value, _)| *value);
        if found.is_none() {
            let problem = Problem::error(&node.place, format!("{} `{key}` knows no \"{said}\"", self.what));
            self.problems.push(match nearest(said, names()) {
                Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                None => problem.hint(known()),
            });
        }
        found
    }

    pub fn bool(&mut self, key: &'static str) -> Option<bool> {
        let node = self.node(key)?;
        if let Value::Bool(value) = node.value {
            Some(value)
        } else {
            self.wrong(key, node, Wanted::Truth);
            None
        }
    }

    pub fn integer(&mut self, key: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let node = self.node(key)?;
        let Value::Integer(value) = node.value else {
            self.wrong(key, node, Wanted::Integer);
            return None;
        };
        if range.contains(&value) {
            Some(value)
        } else {
            let (least, most) = (range.start(), range.end());
            let words = format!("{} `{key}` is {value}, outside {least} to {most}", self.what);
            let right = if value < *least { format!("{least} or more") } else { format!("{most} or less") };
            self.problems.push(Problem::error(&node.place, words).hint(format!("write {key} = {right}")));
            None
        }
    }

    pub fn float(&mut self, key: &'static str) -> Option<f64> {
        let node = self.node(key)?;
        match node.value {
            Value::Float(value) if !value.is_finite() => {
                self.problems.push(
                    Problem::error(&node.place, format!("{} `{key}` is {value}: no finite number", self.what))
                        .hint(format!("write a number, or leave `{key}` out")),
                );
                None
            }
            Value::Float(value) => Some(value),
            #[expect(clippy::cast_precision_loss, reason = "thresholds are small numbers")]
            Value::Integer(value) => Some(value as f64),
            _ => {
                self.wrong(key, node, Wanted::Number);
                None
            }
        }
    }

    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let node = self.node(key)?;
        let Value::String(text) = &node.value else {
            self.wrong(key, node, Wanted::Duration);
            return None;
        };
        let parsed = units::parse_duration(text);
        if parsed.is_none() {
            self.problems.push(
                Problem::error(&node.place, format!("{} `{key}`: \"{text}\" is not a duration", self.what))
                    .hint("write a number and a unit: 500ms, 30s, 5m, 26h, 7d, 1h30m"),
            );
        }
        parsed
    }

    pub fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        Some(self.placed_strings(key)?.into_iter().map(|(text, _)| text).collect())
    }

    /// An array of strings, each with its place for later problems.
    pub fn placed_strings(&mut self, key: &'static str) -> Option<Vec<(String, Place)>> {
        let node = self.node(key)?;
        let Value::Array(items) = &node.value else {
            self.wrong(key, node, Wanted::Texts);
            return None;
        };
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            if let Value::String(text) = &item.value {
                out.push((text.clone(), item.place.clone()));
            } else {
                self.wrong(key, item, Wanted::Texts);
            }
        }
        Some(out)
    }

    pub fn table(&mut self, key: &'static str) -> Option<&'a Table> {
        let node = self.node(key)?;
        if let Value::Table(table) = &node.value {
            Some(table)
        } else {
            self.wrong(key, node, Wanted::Table);
            None
        }
    }

    /// An array of tables (`[[key]]`); empty where the key is absent.
    pub fn tables(&mut self, key: &'static str) -> Vec<&'a Table> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let Value::Array(items) = &node.value else {
            self.wrong(key, node, Wanted::Tables);
            return Vec::new();
        };
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            if let Value::Table(table) = &item.value { out.push(table) } else { self.wrong(key, item, Wanted::Table) }
        }
        out
    }

    /// `{ env = "NAME" }`, `{ file = "PATH" }`, `{ command = ["argv", …] }`, or a literal string.
    pub fn secret(&mut self, key: &'static str) -> Option<SecretRef> {
        let node = self.node(key)?;
        self.secret_in(key, node)
    }

    /// A secret under a key that the user chose: a header, a variable.
    pub fn secret_in(&mut self, key: &str, node: &Node) -> Option<SecretRef> {
        match &node.value {
            Value::String(text) => {
                self.problems.push(
                    Problem::warning(&node.place, format!("{} `{key}` stands in the configuration itself", self.what))
                        .hint(format!("use `{key} = {{ file = \"…\" }}` or `{{ env = \"…\" }}`")),
                );
                Some(SecretRef::Literal(super::Secret::new(text.clone())))
            }
            Value::Table(table) => {
                let mut reader = table.reader("the secret");
                reader.elsewhere(
                    &["value", "literal", "text", "plain"],
                    "a secret stands in a file, a variable or a program: { file = \"…\" }, { env = \"…\" } or { command = [\"…\"] }",
                );
                let (env, file, command) = (reader.string("env"), reader.string("file"), reader.argv("command"));
                let wrong = reader.finish();
                let is_whole = wrong.is_empty();
                self.problems.extend(wrong);
                match (env, file, command) {
                    (Some(env), None, None) => Some(SecretRef::Env(env)),
                    (None, Some(file), None) => Some(SecretRef::File(beside(&node.place.source.name, &file))),
                    (None, None, Some(argv)) if !argv.is_empty() => Some(SecretRef::Command(argv)),
                    _ => {
                        if is_whole {
                            let words = format!("{} `{key}` needs exactly one of `env`, `file`, `command`", self.what);
                            self.problems.push(Problem::error(&node.place, words));
                        }
                        None
                    }
                }
            }
            _ => {
                self.wrong(key, node, Wanted::Secret);
                None
            }
        }
    }

    /// All problems, with one for each key that nobody asked for.
    pub fn finish(mut self) -> Vec<Problem> {
        for (key, _) in &self.table.entries {
            if self.known.contains(&key.name.as_str()) {
                continue;
            }
            let mut problem = Problem::error(&key.place, format!("unknown key `{}` in {}", key.name, self.what));
            let elsewhere = self.elsewhere.iter().find(|(keys, _)| keys.contains(&key.name.as_str()));
            let near =
                || nearest(&key.name, self.known.iter().copied()).or_else(|| hints::meant(&key.name, &self.known));
            if let Some((_, where_it_stands)) = elsewhere {
                problem = problem.hint(*where_it_stands);
            } else if let Some(near) = near() {
                problem = problem.hint(format!("did you mean `{near}`?"));
            } else if !self.known.is_empty() {
                let mut known = self.known.clone();
                known.sort_unstable();
                known.dedup();
                problem = problem.hint(format!("known keys: {}", known.join(", ")));
            }
            self.problems.push(problem);
        }
        self.problems
    }
}

/// The candidate that is at most two edits (a third of the length for long ones) away.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbors.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn place(text: &str, needle: &str) -> Place {
        let source = Arc::new(Source { name: "noctty.toml".into(), text: text.into() });
        let start = text.find(needle).unwrap_or(0);
        Place { source, start, end: start + needle.len() }
    }

    #[test]
    fn what_a_configuration_names_stands_beside_it() {
        let source = Arc::new(Source { name: "/etc/noctty/noctty.toml".into(), text: String::new() });
        let node = |value| Node { value, place: Place { source: source.clone(), start: 0, end: 0 } };
        let text = |text: &str| node(Value::String(text.to_owned()));
        let key = |name: &str| Key { name: name.to_owned(), place: text("").place };
        let secret =
            |kind: &str, value| node(Value::Table(Table { entries: vec![(key(kind), value)], place: text("").place }));
        let entries = vec![
            (key("file"), secret("file", text("secrets/db"))),
            (key("command"), secret("command", node(Value::Array(vec![text("./show"), text("./x")])))),
            (key("known"), node(Value::Array(vec![text("known"), text("/srv/known")]))),
            (key("bare"), node(Value::Array(vec![text("pass")]))),
        ];
        let table = Table { entries, place: text("").place };
        let mut r = table.reader("it");
        let file = r.secret("file");
        assert!(
            matches!(&file, Some(SecretRef::File(path)) if path == Path::new("/etc/noctty/secrets/db")),
            "{file:?}"
        );
        let command = r.secret("command");
        assert!(
            matches!(&command, Some(SecretRef::Command(argv)) if *argv == ["/etc/noctty/show", "./x"]),
            "{command:?}"
        );
        assert_eq!(r.paths("known"), Some(vec!["/etc/noctty/known".into(), "/srv/known".into()]));
        assert_eq!(r.argv("bare"), Some(vec!["pass".to_owned()]));
        assert!(r.finish().is_empty());
    }

    #[test]
    fn a_problem_shows_file_line_column_and_the_line_itself() {
        let problem = Problem::error(&place("a = 1\nbb = \"x\"\n", "\"x\""), "wrong").hint("do this");
        assert_eq!(
            problem.render(),
            "noctty.toml:2:6: error: wrong\n  2 | bb = \"x\"\n    |      ^^^\n  hint: do this\n"
        );
    }

    #[test]
    fn a_line_is_shown_without_its_secrets() {
        for (line, want) in [
            (r#"password = "hunter2""#, r#"password = "*******""#),
            (r#"password = "hun\"ter" # x"#, r#"password = "********" # x"#),
            ("snmp = { community='public', port=161 }", "snmp = { community='******', port=161 }"),
            (r#""auth_password"="a", x = "b""#, r#""auth_password"="*", x = "b""#),
            ("host.snmp.community = pub", "host.snmp.community = ***"),
            ("password = \"open", "password = \"****"),
            (r#"password = { file = "/etc/pw" }"#, r#"password = { file = "/etc/pw" }"#),
            (r#"repository = "rest:http://u:p:w@h:80/r""#, r#"repository = "rest:http://u:***@h:80/r""#),
            (r#"repository = "rest:http://h:80/r@x""#, r#"repository = "rest:http://h:80/r@x""#),
            ("= x", "= x"),
        ] {
            assert_eq!(without_secrets(line), want);
            assert_eq!(want.chars().count(), line.chars().count());
        }
    }

    #[test]
    fn a_long_line_is_cut_round_what_is_wrong() {
        let line = |before: usize, after: usize| format!("{}X{}", "a".repeat(before), "b".repeat(after));
        let shown = |text: &str| {
            let out = Problem::error(&place(text, "X"), "wrong").render();
            let rows: Vec<String> = out.lines().skip(1).map(|row| row[6..].to_owned()).collect();
            assert_eq!(rows[1].find('^'), rows[0].find('X').map(|at| text::width(&rows[0][..at])), "{out}");
            rows[0].clone()
        };
        assert_eq!(shown(&line(60, 59)), line(60, 59));
        assert_eq!(shown(&line(119, 0)), line(119, 0));
        assert_eq!(shown(&line(30, 500)), format!("{}…", line(30, 89)));
        assert_eq!(shown(&line(500, 30)), format!("…{}", line(89, 30)));
        assert_eq!(shown(&line(500, 500)), format!("…{}…", line(40, 79)));
        let mut at = place(&line(500, 500), "X");
        at.end += 400;
        let out = Problem::error(&at, "wrong").render();
        assert_eq!(out.matches('^').count(), 80, "{out}");
    }

    #[test]
    fn a_line_without_end_costs_no_more_than_its_length() {
        let text = "a=\u{7}".repeat(300_000);
        let begun = std::time::Instant::now();
        let out = Problem::error(&place(&text, "X"), "wrong").render();
        assert!(
            out.len() < 2_000 && begun.elapsed() < Duration::from_secs(20),
            "{} in {:?}",
            out.len(),
            begun.elapsed()
        );
    }

    #[test]
    fn a_problem_beyond_the_end_still_renders() {
        let mut at = place("a = 1", "a");
        (at.start, at.end) = (500, 600);
        assert!(Problem::error(&at, "cut off").render().contains("noctty.toml:1:6"));
    }

    #[test]
    fn the_nearest_key_is_found_and_far_ones_are_not() {
        let keys = ["address", "checks", "parents", "tags"];
        assert_eq!(nearest("adress", keys), Some("address"));
        assert_eq!(nearest("chekcs", keys), Some("checks"));
        assert_eq!(nearest("colour", keys), None);
    }
}
