//! Holds `docs/architecture.md`'s table: which module may import which. Reads the `use` paths and every
//! `crate::` path in the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Module, and what it may import besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("model", &["base"]),
    ("proto", &["base"]),
    ("profile", &["base", "model", "proto"]),
    ("config", &["base", "model"]),
    ("state", &["base", "model"]),
    ("bus", &["base", "model", "state", "config"]),
    ("attach", &["base", "model", "state", "bus"]),
    ("net", &["base", "proto"]),
    ("process", &["base"]),
    ("ssh", &["base", "model", "net", "process"]),
    ("probe", &["base", "model", "proto", "profile", "net", "process", "ssh"]),
    ("backup", &["base", "model", "net", "process", "ssh"]),
    ("notify", &["base", "model", "net", "process"]),
    ("store", &["base", "model"]),
    ("journal", &["base", "model", "store"]),
    ("import", &["base", "model", "config", "ssh"]),
    ("report", &["base", "model", "state"]),
    (
        "engine",
        &[
            "base", "model", "proto", "profile", "config", "state", "bus", "attach", "net", "process", "ssh", "probe",
            "backup", "notify", "store", "journal",
        ],
    ),
    ("ui", &["base", "model", "config", "state", "bus", "report"]),
    ("sim", &["base", "model", "proto", "ssh"]),
    ("cli", ALL),
];

const ALL: &[&str] = &[
    "base", "model", "proto", "profile", "config", "state", "bus", "attach", "net", "process", "ssh", "probe",
    "backup", "notify", "store", "journal", "import", "report", "engine", "ui", "sim",
];

/// Crates that only some modules may name.
const CRATES: &[(&str, &[&str])] = &[
    ("ratatui", &["ui"]),
    ("crossterm", &["ui"]),
    ("termina", &["ui"]),
    ("alacritty_terminal", &["ui"]),
    ("russh", &["ssh", "sim"]),
    ("rusqlite", &["store", "journal"]),
    ("regex", &["profile"]),
    ("saphyr_parser", &["import"]),
    ("clap", &["cli"]),
    ("color_eyre", &["cli"]),
    ("hickory_resolver", &["net", "sim"]),
    ("hyper", &["net"]),
    ("rustls", &["net"]),
    ("x509_cert", &["proto"]),
];

/// Pure modules: no task, no socket, no clock, no file.
const PURE: &[&str] = &["model", "proto", "profile", "state"];
const IMPURE_PATHS: &[&str] =
    &["tokio::", "std::fs", "std::net::UdpSocket", "std::net::Tcp", "std::process", "Clock::"];

#[test]
fn no_module_imports_what_it_may_not() {
    let mut forbidden = Vec::new();
    for (file, text) in sources() {
        let module = module_of(&file);
        let allowed: &[&str] = LAYERS.iter().find(|(m, _)| *m == module).map_or(ALL, |(_, a)| a);
        for (number, line) in code_lines(&text) {
            for named in named_below(line, "crate::") {
                if named != module && LAYERS.iter().any(|(m, _)| *m == named) && !allowed.contains(&named) {
                    forbidden.push(format!("{}:{number}: `{module}` may not import `{named}`", file.display()));
                }
            }
            for (name, homes) in CRATES {
                if names_crate(line, name) && !homes.contains(&module.as_str()) {
                    forbidden.push(format!("{}:{number}: `{module}` may not use the crate `{name}`", file.display()));
                }
            }
        }
    }
    assert!(forbidden.is_empty(), "forbidden edges:\n{}", forbidden.join("\n"));
}

#[test]
fn pure_modules_name_no_task_socket_or_file() {
    let mut found = Vec::new();
    for (file, text) in sources() {
        if !PURE.contains(&module_of(&file).as_str()) {
            continue;
        }
        for (number, line) in code_lines(&text) {
            for path in IMPURE_PATHS {
                if line.contains(path) {
                    found.push(format!("{}:{number}: {path}", file.display()));
                }
            }
        }
    }
    assert!(found.is_empty(), "impure paths:\n{}", found.join("\n"));
}

#[test]
fn the_table_has_every_module_and_no_other() {
    let on_disk: Vec<String> = fs::read_dir(source_root())
        .expect("src can be read")
        .filter_map(|entry| {
            let path = entry.expect("an entry of src").path();
            path.is_dir().then(|| path.file_name().expect("a name").to_string_lossy().into_owned())
        })
        .collect();
    for module in &on_disk {
        assert!(LAYERS.iter().any(|(m, _)| m == module), "`{module}` is not in the table of layers");
    }
    for (module, _) in LAYERS {
        assert!(on_disk.iter().any(|m| m == module), "`{module}` is in the table but not in src");
    }
}

#[test]
fn the_table_has_no_cycle() {
    let edges: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut done: Vec<&str> = Vec::new();
    while done.len() < edges.len() {
        let next = edges.iter().find(|(m, needs)| !done.contains(m) && needs.iter().all(|n| done.contains(n)));
        let (module, _) = next.unwrap_or_else(|| panic!("a cycle among the modules not in {done:?}"));
        done.push(module);
    }
}

#[test]
fn the_files_of_the_engine_form_no_ring() {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in sources() {
        let Ok(inside) = file.strip_prefix("engine") else { continue };
        let part = module_of(inside);
        let beginnings: &[&str] =
            if inside.components().count() == 1 { &["super::", "crate::engine::"] } else { &["crate::engine::"] };
        let named = edges.entry(part.clone()).or_default();
        let own = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (_, line) in code_lines(own) {
            let below = beginnings.iter().flat_map(|beginning| named_below(line, beginning));
            named.extend(below.filter(|name| *name != part).map(str::to_owned));
        }
    }
    // What is no file is in `mod.rs`; tests know whom they test.
    edges.retain(|part, _| part != "mod" && part != "tests");
    let mut done: BTreeSet<&str> = BTreeSet::new();
    while done.len() < edges.len() {
        let is_done = |name: &String| !edges.contains_key(name) || done.contains(name.as_str());
        let next = edges.iter().find(|(part, names)| !done.contains(part.as_str()) && names.iter().all(is_done));
        let (part, _) = next.unwrap_or_else(|| {
            let left = edges.iter().filter(|(part, _)| !done.contains(part.as_str()));
            panic!("a ring among {left:#?}", left = left.collect::<Vec<_>>())
        });
        done.insert(part);
    }
    assert!(done.len() > 20, "the files were not found");
}

#[test]
fn the_architecture_document_has_the_same_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let text = fs::read_to_string(path).expect("docs/architecture.md can be read");
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", module, _, imports, ""] = cells[..]
            && let Some(module) = module.strip_prefix('`').and_then(|m| m.strip_suffix('`'))
        {
            let mut names: Vec<String> = imports.split(", ").map(str::to_owned).filter(|n| n != "–").collect();
            names.sort();
            told.insert(module.to_owned(), names);
        }
    }
    let held: BTreeMap<String, Vec<String>> = LAYERS
        .iter()
        .map(|(module, imports)| {
            let mut names: Vec<String> = if imports.len() == ALL.len() && *module == "cli" {
                vec!["all".to_owned()]
            } else {
                imports.iter().map(|i| (*i).to_owned()).collect()
            };
            names.sort();
            ((*module).to_owned(), names)
        })
        .collect();
    for (module, imports) in &held {
        assert_eq!(told.get(module), Some(imports), "the row of `{module}` in docs/architecture.md");
    }
    assert_eq!(told.len(), held.len(), "rows of modules that are not there: {:?}", told.keys());
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    let mut folders = vec![source_root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a source folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("a source file can be read");
                out.push((path.strip_prefix(source_root()).expect("below src").to_path_buf(), text));
            }
        }
    }
    assert!(out.len() > 20, "the sources were not found");
    out
}

fn module_of(file: &Path) -> String {
    let first = file.components().next().expect("a path has a component").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Lines without comments; test modules count too, since they compile into the same crate.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// What a line names first behind a beginning of a path, such as `crate::`.
fn named_below<'a>(line: &'a str, beginning: &str) -> Vec<&'a str> {
    line.match_indices(beginning)
        .filter(|(at, _)| !line[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .flat_map(|(at, found)| {
            let rest = &line[at + found.len()..];
            // `crate::{a::X, b::Y}` names several.
            let inner = rest.strip_prefix('{').map_or(rest, |r| r.split_once('}').map_or(r, |(inner, _)| inner));
            let parts: Vec<&str> = if rest.starts_with('{') { inner.split(',').collect() } else { vec![inner] };
            parts.into_iter().map(|p| p.trim().split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(""))
        })
        .collect()
}

fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        line[at + name.len()..].starts_with("::")
            && !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"')
    })
}
