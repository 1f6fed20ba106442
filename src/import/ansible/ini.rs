//! The INI form: `[group]`, `[group:children]`, `[group:vars]`, and host lines with `key=value` words.

use super::groups::{Inventory, expand};
use crate::base::options::Problem;
use crate::import::Input;

enum Section {
    Hosts(String),
    Children(String),
    Vars(String),
}

pub fn read(input: &Input) -> Result<Inventory, Vec<Problem>> {
    let mut inventory = Inventory::default();
    let mut problems = Vec::new();
    let mut section = Section::Hosts("ungrouped".to_owned());
    for (number, line) in input.source.text.lines().enumerate() {
        let (number, line) = (number + 1, line.trim());
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let read = if line.starts_with('[') && (line.ends_with(']') || line.contains("] #") || !line.contains(']')) {
            section_of(line).map(|found| section = found)
        } else {
            entry(&mut inventory, &section, line, number)
        };
        if let Err(why) = read {
            problems.push(Problem::error(&input.line(number), why));
            if problems.len() >= 20 {
                break;
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    inventory.close();
    Ok(inventory)
}

fn section_of(line: &str) -> Result<Section, String> {
    let name = line.trim_start_matches('[').split(']').next().filter(|_| line.contains(']'));
    let name = name.map(str::trim).filter(|n| !n.is_empty()).ok_or("a section is written [name]")?;
    match name.split_once(':') {
        None => Ok(Section::Hosts(name.to_owned())),
        Some((group, "children")) => Ok(Section::Children(group.to_owned())),
        Some((group, "vars")) => Ok(Section::Vars(group.to_owned())),
        Some((_, other)) => Err(format!("a section ends in :children or :vars, not :{other}")),
    }
}

fn entry(inventory: &mut Inventory, section: &Section, line: &str, number: usize) -> Result<(), String> {
    match section {
        Section::Hosts(group) => host(inventory, group, line, number),
        Section::Children(group) => {
            let child = words(line)?.into_iter().next().unwrap_or_default();
            inventory.child(group, &child)
        }
        Section::Vars(group) => {
            let (key, value) = line.split_once('=').ok_or("a variable is written key=value")?;
            let value = words(value.trim())?.join(" ");
            inventory.group_vars(group)?.set(key.trim(), &value);
            Ok(())
        }
    }
}

fn host(inventory: &mut Inventory, group: &str, line: &str, number: usize) -> Result<(), String> {
    let words = words(line)?;
    let Some((pattern, assignments)) = words.split_first() else { return Ok(()) };
    let (pattern, port) = split_port(pattern);
    for name in expand(pattern)? {
        let host = inventory.host(&name, group, Some(number))?;
        host.port = port.or(host.port);
        for assignment in assignments {
            let (key, value) = assignment
                .split_once('=')
                .ok_or_else(|| "after the host come words of the form key=value".to_owned())?;
            host.vars.set(key, value);
        }
    }
    Ok(())
}

/// `host:22`; colons of ranges and of IPv6 addresses are no ports.
fn split_port(pattern: &str) -> (&str, Option<u16>) {
    let mut depth = 0;
    let mut colons = Vec::new();
    for (at, c) in pattern.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ':' if depth == 0 => colons.push(at),
            _ => {}
        }
    }
    match colons[..] {
        [at] => match pattern[at + 1..].parse() {
            Ok(port) => (&pattern[..at], Some(port)),
            Err(_) => (pattern, None),
        },
        _ => (pattern, None),
    }
}

/// Words as a shell splits them, with quotes, backslashes and a trailing comment; nothing is expanded.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut braces = 0_usize;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() && braces == 0 => out.extend(word.take()),
            (None, c) => {
                // A template keeps its blanks, so that it is known as one.
                match c {
                    '{' => braces += 1,
                    '}' => braces = braces.saturating_sub(1),
                    _ => {}
                }
                word.get_or_insert_default().push(c);
            }
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    out.extend(word);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_quotes_together_and_drop_comments() {
        assert_eq!(words("a b='c d' e=\"f\\\"g\" # h").expect("words"), ["a", "b=c d", "e=f\"g"]);
        assert_eq!(words("a x={{ y }}").expect("words"), ["a", "x={{ y }}"]);
        assert!(words("a b='c").is_err());
    }

    #[test]
    fn ports_are_told_from_ranges_and_ipv6() {
        assert_eq!(split_port("h:22"), ("h", Some(22)));
        assert_eq!(split_port("h[1:3]:22"), ("h[1:3]", Some(22)));
        assert_eq!(split_port("2001:db8::1"), ("2001:db8::1", None));
        assert_eq!(split_port("h[1:3]"), ("h[1:3]", None));
    }
}
