//! The repository holds to its own habits: no forgotten or ignored test, nothing left over, no file that grew too
//! long, one test command.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of code a file may have, its tests not counted.
const MOST_LINES: usize = 800;

#[test]
fn no_test_file_is_forgotten() {
    let suite = root().join("tests/suite");
    let main = fs::read_to_string(suite.join("main.rs")).expect("main.rs can be read");
    let modules: Vec<&str> = main.lines().filter_map(|l| l.strip_prefix("mod ")?.strip_suffix(';')).collect();
    for entry in fs::read_dir(&suite).expect("the suite can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let is_module = path.extension().is_some_and(|e| e == "rs") || path.join("mod.rs").is_file();
        if is_module && name != "main" {
            assert!(modules.contains(&name.as_str()), "tests/suite/main.rs has no line `mod {name};`");
        }
    }
}

#[test]
fn no_test_is_ignored_and_no_work_is_left_for_later() {
    // Spelled in two parts, so that this file is not found by itself.
    let forbidden = [
        ["#[", "ignore"],
        ["TO", "DO"],
        ["FIX", "ME"],
        ["to", "do!("],
        ["unimpl", "emented!("],
        ["allow(", "clippy"],
        ["dead", "_code"],
    ]
    .map(|parts| parts.concat());
    let mut found = Vec::new();
    for (path, text) in rust_files(&["src", "tests", "benches"]) {
        for (number, line) in text.lines().enumerate() {
            for word in forbidden.iter().filter(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "not wanted here:\n{}", found.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for_and_stays_readable() {
    let mut found = Vec::new();
    for (path, text) in rust_files(&["src"]) {
        if !text.starts_with("//!") && !path.ends_with("tests.rs") {
            found.push(format!("{} does not open with a module doc", path.display()));
        }
        let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
        if lines > MOST_LINES && !path.ends_with("tests.rs") {
            found.push(format!("{} has {lines} lines", path.display()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_ci_calls_the_one_test_command() {
    let ci = fs::read_to_string(root().join(".ci/run")).expect(".ci/run can be read");
    let commands: Vec<&str> = ci.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).collect();
    assert_eq!(commands, ["cd \"$(dirname \"$0\")/..\" && exec ./tests/run"]);
    for document in ["README.md", "docs/testing.md"] {
        let text = fs::read_to_string(root().join(document)).expect("a document can be read");
        let named = text.lines().any(|line| line.split_whitespace().next() == Some("./tests/run"));
        assert!(named, "{document} does not name the test command");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut found = Vec::new();
    let mut documents = vec![root().join("CHANGELOG.md")];
    for entry in fs::read_dir(root().join("docs")).expect("docs can be read") {
        documents.push(entry.expect("an entry").path());
    }
    for path in documents.iter().filter(|p| p.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(path).expect("a document can be read");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target)) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            if !path.parent().expect("a folder").join(file).exists() {
                found.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "links that lead nowhere:\n{}", found.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|f| root().join(f)).filter(|f| f.is_dir()).collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("a file can be read");
                out.push((path.strip_prefix(root()).expect("below the root").to_path_buf(), text));
            }
        }
    }
    assert!(out.len() > 20, "the sources were not found");
    out
}
