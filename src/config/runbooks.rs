//! What to do when something is wrong: `runbook` of a check, of its `[[host]]` or of a `[[backup]]`, else that of the first of
//! the host's tags that `[runbooks]` has. A link, or a file of text, from the folder of the configuration where it is not absolute.
//! Whether the file is there is found out by who opens it: it may be written while noctty runs.

use std::sync::Arc;

use super::inventory::{HostEntry, JobEntry, without_credentials};
use crate::base::options::{OptionDoc, Problem, Reader, Table, Value, beside};

/// What is said of what can be no runbook.
const NEITHER: &str = "a runbook is a link or the path of a file";
/// Longer is no link and no path.
const LONGEST: usize = 2_048;

/// Gives every host and job of the file its own as it is opened.
pub(super) fn settle(
    file: &str,
    hosts: &mut [HostEntry],
    jobs: &mut [JobEntry],
    of_tags: Option<&Table>,
    problems: &mut Vec<Problem>,
) {
    let mut tags: Vec<(&str, Arc<str>)> = Vec::new();
    for (key, node) in of_tags.map(|table| table.entries.as_slice()).unwrap_or_default() {
        let Value::String(said) = &node.value else {
            let words = format!("the runbook of a tag is a link or a file, not {}", node.value.kind());
            problems.push(Problem::error(&node.place, words));
            continue;
        };
        if !hosts.iter().any(|entry| entry.host.tags.iter().any(|tag| **tag == *key.name)) {
            problems.push(Problem::warning(&key.place, format!("no host has the tag \"{}\"", key.name)));
        }
        match place(file, said) {
            Some(place) => tags.push((&key.name, place)),
            None => problems.push(Problem::error(&node.place, NEITHER)),
        }
    }
    for entry in hosts {
        let own = entry.host.runbook.as_deref().and_then(|said| place(file, said));
        let of_tag = || {
            let mut known = entry.host.tags.iter().filter_map(|tag| tags.iter().find(|(name, _)| *name == &**tag));
            known.next().map(|(_, place)| place.clone())
        };
        let runbook = own.or_else(of_tag);
        if runbook != entry.host.runbook {
            Arc::make_mut(&mut entry.host).runbook = runbook;
        }
    }
    for entry in jobs {
        let runbook = entry.job.runbook.as_deref().and_then(|said| place(file, said));
        if runbook != entry.job.runbook {
            Arc::make_mut(&mut entry.job).runbook = runbook;
        }
    }
}

/// The runbook of a check, where it has one of its own.
pub fn of_check(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<Arc<str>> {
    let node = reader.node("runbook")?;
    let read = match &node.value {
        Value::String(said) => place(&node.place.source.name, said),
        _ => None,
    };
    if read.is_none() {
        problems.push(Problem::error(&node.place, NEITHER));
    }
    read
}

/// As it is opened; nothing where it can be neither.
fn place(file: &str, said: &str) -> Option<Arc<str>> {
    let said = said.trim();
    if said.is_empty() || said.len() > LONGEST {
        return None;
    }
    if is_link(said) {
        return Some(without_credentials(said).into());
    }
    Some(beside(file, said).to_string_lossy().into())
}

/// Whether a runbook is read elsewhere.
pub fn is_link(place: &str) -> bool {
    place.contains("://")
}

pub const OPTIONS: &[OptionDoc] = &[OptionDoc {
    name: "TAG",
    form: "string",
    default: "",
    help: "the runbook of hosts with that tag which have none of their own: a link, or a file of text or Markdown, from the folder of the configuration",
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[test]
    fn a_check_has_its_own_beside_the_file_and_what_is_neither_is_said() {
        let text =
            |runbook: &str| format!("[[host]]\nname = \"a\"\nchecks = [{{ kind = \"icmp\", runbook = {runbook} }}]\n");
        let read = |runbook: &str| {
            let config = load::parse("/etc/noctty/noctty.toml", text(runbook)).expect("it reads");
            let checks = config.hosts[0].checks.as_ref().expect("one is named");
            let mut problems = Vec::new();
            let mut reader = checks[0].options.as_ref().expect("it has options").reader("the check");
            let read = of_check(&mut reader, &mut problems);
            (read, problems.iter().map(Problem::brief).collect::<Vec<_>>().join("\n"))
        };
        assert_eq!(read("\"web.md\""), (Some("/etc/noctty/web.md".into()), String::new()));
        assert_eq!(read("\"https://u:p@wiki/x\"").0.as_deref(), Some("https://u@wiki/x"));
        for wrong in ["3", "\"  \""] {
            let (runbook, said) = read(wrong);
            assert!(runbook.is_none() && said.contains("a link or the path of a file"), "{said}");
        }
    }

    #[test]
    fn a_host_has_its_own_else_that_of_its_first_tag_and_no_link_keeps_a_password() {
        let text = "[runbooks]\ncore = \"core.md\"\nedge = \"https://wiki/edge\"\nnone = 3\nspare = \"x\"\n\
                    [[host]]\nname = \"a\"\ntags = [\"x\", \"edge\", \"core\"]\n\
                    [[host]]\nname = \"b\"\ntags = [\"core\"]\nrunbook = \"/etc/b.md\"\n[[host]]\nname = \"c\"\ntags = [\"core\"]\n\
                    [[host]]\nname = \"d\"\nrunbook = \"https://u:secret@wiki/d\"\n";
        let problems = load::parse("noctty.toml", text.to_owned()).expect_err("one is no string");
        let words: Vec<String> = problems.0.iter().map(Problem::brief).collect();
        assert_eq!(words.len(), 2, "{words:?}");
        assert!(words[0].starts_with("noctty.toml:4:8: the runbook of a tag is a link or a file"), "{words:?}");
        assert!(words[1].starts_with("noctty.toml:5:1: no host has the tag \"spare\""), "{words:?}");
        let good = text.replace("none = 3\nspare = \"x\"\n", "");
        let config = load::parse("noctty.toml", good).expect("it reads");
        let runbooks: Vec<Option<&str>> = config.hosts.iter().map(|entry| entry.host.runbook.as_deref()).collect();
        assert_eq!(runbooks, [Some("https://wiki/edge"), Some("/etc/b.md"), Some("core.md"), Some("https://u@wiki/d")]);
    }
}
