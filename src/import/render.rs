//! Imported hosts as TOML, in the order of the input: the same input gives the same text.

use std::fmt::Write as _;

use super::{Reach, Record};
use crate::base::text;
use crate::config::document::quote;

/// `[[host]]` tables, each with a blank line before it.
pub fn toml(records: &[Record]) -> String {
    let mut out = String::new();
    for record in records {
        let _ = write!(out, "\n[[host]]\nname = {}\n", quote(&record.name));
        for (key, value) in [("address", &record.address), ("ssh", &record.ssh), ("group", &record.group)] {
            if let Some(value) = value {
                let _ = writeln!(out, "{key} = {}", quote(value));
            }
        }
        for (key, values) in [("tags", &record.tags), ("parents", &record.parents)] {
            if !values.is_empty() {
                let values: Vec<String> = values.iter().map(|v| quote(v)).collect();
                let _ = writeln!(out, "{key} = [{}]", values.join(", "));
            }
        }
        match &record.reach {
            Reach::Echo => {}
            Reach::Ssh { port: 22 } => out.push_str("checks = [\"icmp\", \"ssh\"]\n"),
            Reach::Ssh { port } => {
                let _ = writeln!(out, "checks = [\"icmp\", {{ kind = \"ssh\", port = {port} }}]");
            }
            Reach::Tcp { port } => {
                let _ = writeln!(out, "checks = [\"icmp\", {{ kind = \"tcp\", port = {port} }}]");
            }
            Reach::Nothing { why } => {
                let _ = writeln!(out, "checks = [] # {}", text::clean(why));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[test]
    fn what_is_written_reads_back_as_it_was_meant() {
        let records = vec![
            Record {
                address: Some("10.0.0.1".to_owned()),
                group: Some("say \"hi\" \\ 'there'".to_owned()),
                tags: vec!["core".to_owned(), "π".to_owned()],
                reach: Reach::Ssh { port: 2201 },
                ..Record::named("a")
            },
            Record {
                parents: vec!["a".to_owned()],
                reach: Reach::Nothing { why: "behind a\n[[host]]".to_owned() },
                ..Record::named("b")
            },
            Record { reach: Reach::Tcp { port: 443 }, ..Record::named("c") },
            Record::named("d"),
        ];
        let config = load::parse("x", toml(&records)).expect("valid");
        assert_eq!(config.hosts.len(), 4);
        let host = &config.hosts[0].host;
        assert_eq!(host.group.as_deref(), Some("say \"hi\" \\ 'there'"));
        assert_eq!(host.tags.len(), 2);
        let checks: Vec<Option<usize>> = config.hosts.iter().map(|h| h.checks.as_ref().map(Vec::len)).collect();
        assert_eq!(checks, [Some(2), Some(0), Some(2), None]);
    }
}
