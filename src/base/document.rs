//! TOML text to option tables with places. Every syntax error is reported, not only the first.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::options::{Key, Node, Place, Problem, Source, Table, Value};

/// Parses a document. The table holds what could be understood even where there are problems.
pub fn parse(name: &str, text: String) -> (Table, Vec<Problem>) {
    let source = Arc::new(Source { name: name.to_owned(), text });
    let whole = Place { source: source.clone(), start: 0, end: 0 };
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    let problems = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(0..0);
            Problem::error(&Place { source: source.clone(), start: span.start, end: span.end }, error.message())
        })
        .collect();
    let root = Table { place: whole, entries: entries(table.get_ref(), &source) };
    (root, problems)
}

fn entries(table: &DeTable<'_>, source: &Arc<Source>) -> Vec<(Key, Node)> {
    let mut out: Vec<(Key, Node)> = table
        .iter()
        .map(|(key, value)| {
            let at = key.span();
            let place = Place { source: source.clone(), start: at.start, end: at.end };
            (Key { name: key.get_ref().to_string(), place }, node(value.get_ref(), value.span(), source))
        })
        .collect();
    out.sort_by_key(|(key, _)| key.place.start);
    out
}

fn node(value: &DeValue<'_>, span: std::ops::Range<usize>, source: &Arc<Source>) -> Node {
    let place = Place { source: source.clone(), start: span.start, end: span.end };
    let value = match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(text) => i64::from_str_radix(&text.as_str().replace('_', ""), text.radix())
            .map_or_else(|_| Value::Other(text.as_str().to_owned()), Value::Integer),
        DeValue::Float(text) => {
            text.as_str().replace('_', "").parse().map_or_else(|_| Value::Other(text.as_str().to_owned()), Value::Float)
        }
        DeValue::Datetime(value) => Value::Other(value.to_string()),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| node(item.get_ref(), item.span(), source)).collect())
        }
        DeValue::Table(table) => Value::Table(Table { place: place.clone(), entries: entries(table, source) }),
    };
    Node { place, value }
}

/// A text as a basic string of TOML, with its quotes.
pub fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_and_the_place_they_were_written_in() {
        let (table, problems) = parse("t.toml", "zeta = 1\nalpha = \"x\"\n[[host]]\nname = \"a\"\n".into());
        assert!(problems.is_empty());
        let names: Vec<&str> = table.entries.iter().map(|(k, _)| k.name.as_str()).collect();
        assert_eq!(names, ["zeta", "alpha", "host"]);
        assert_eq!(table.entries[1].1.place.line_and_column(), (2, 9));
    }

    #[test]
    fn every_syntax_error_is_reported_at_once() {
        let (_, problems) = parse("t.toml", "a = \nb = 1\nc = [1,\nd = 'x'\n".into());
        assert!(problems.len() >= 2, "{problems:?}");
    }
}
