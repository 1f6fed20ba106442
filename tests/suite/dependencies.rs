//! What the program is built of: licences, banned crates, one TLS provider, one registry. Asks `cargo tree` offline for
//! what is really compiled here, and reads the lock file for where it comes from.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Licences that a user of the binary has nothing to fear from.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Unmaintained, or a second stack beside the one that was chosen.
const BANNED: &[(&str, &str)] = &[
    ("atty", "unmaintained"),
    ("backoff", "unmaintained"),
    ("bincode", "unmaintained"),
    ("chrono", "jiff is the one calendar"),
    ("humantime", "unmaintained"),
    ("instant", "unmaintained"),
    ("native-tls", "aws-lc-rs is the one provider"),
    ("openssl-sys", "aws-lc-rs is the one provider"),
    ("paste", "unmaintained"),
    ("proc-macro-error", "unmaintained"),
    ("ring", "aws-lc-rs is the one provider"),
    ("rustls-pemfile", "unmaintained"),
    ("serde_yaml", "unmaintained"),
    ("serde_yml", "unmaintained"),
    ("trust-dns-resolver", "renamed to hickory-resolver"),
    ("tui", "renamed to ratatui"),
    ("users", "unmaintained"),
    ("vt100", "a few bytes can hang it"),
];

/// Crates that must be there once: two of them would not share state or types.
const ONCE: &[&str] = &["aws-lc-sys", "libsqlite3-sys", "ratatui-core", "rustls", "tokio"];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
}

#[test]
fn every_licence_is_on_the_list() {
    let refused: Vec<Package> = compiled().into_iter().filter(|p| !permitted(&p.licence)).collect();
    assert!(refused.is_empty(), "licences that are not on the list: {refused:#?}");
}

#[test]
fn no_banned_crate_is_compiled() {
    let packages = compiled();
    let found: Vec<String> = BANNED
        .iter()
        .filter(|(name, _)| packages.iter().any(|p| p.name == *name))
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    assert!(found.is_empty(), "banned crates:\n{}", found.join("\n"));
}

#[test]
fn what_must_be_there_once_is_there_at_most_once() {
    let packages = compiled();
    for name in ONCE {
        let versions: Vec<&str> = packages.iter().filter(|p| p.name == *name).map(|p| p.version.as_str()).collect();
        assert!(versions.len() <= 1, "{name} is compiled in the versions {versions:?}");
    }
}

#[test]
fn everything_comes_from_one_registry_with_a_checksum() {
    let lock = read("Cargo.lock");
    let packages: Vec<&str> = lock.split("[[package]]").skip(1).collect();
    assert!(packages.len() > 100, "the lock file was not understood");
    for package in packages {
        let field = |name: &str| {
            package
                .lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned))
        };
        let name = field("name").expect("a package has a name");
        if name == env!("CARGO_PKG_NAME") {
            continue;
        }
        assert_eq!(field("source").as_deref(), Some(REGISTRY), "where {name} comes from");
        assert!(field("checksum").is_some(), "{name} has no checksum");
    }
}

#[test]
fn every_direct_dependency_says_what_it_is_for() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let document = read("docs/dependencies.md");
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for section in ["dependencies", "dev-dependencies"] {
        named.extend(manifest[section].as_table().expect("a table").keys().map(String::as_str));
    }
    let told: BTreeSet<&str> =
        document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)).collect();
    let missing: Vec<_> = named.difference(&told).collect();
    let gone: Vec<_> = told.difference(&named).collect();
    assert!(missing.is_empty(), "docs/dependencies.md has no row for {missing:?}");
    assert!(gone.is_empty(), "docs/dependencies.md has rows for what is no dependency: {gone:?}");
}

#[test]
fn licence_expressions_are_understood() {
    for good in
        ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "(GPL-3.0 OR MIT) AND ISC", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(permitted(good), "{good}");
    }
    for bad in
        ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT AND (GPL-3.0 OR AGPL-3.0)", "Apache-2.0 WITH other", "(MIT", "MIT MIT"]
    {
        assert!(!permitted(bad), "{bad}");
    }
}

/// Normal and build dependencies for the platform the test runs on.
fn compiled() -> BTreeSet<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}|{l}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let packages: BTreeSet<Package> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (package, licence) = line.split_once('|').expect("the format has a bar");
            let mut words = package.split(' ');
            let name = words.next().expect("a name").to_owned();
            let version = words.next().expect("a version").to_owned();
            // A package that was printed before is marked with a star behind what the format prints.
            Package { name, version, licence: licence.trim_end_matches(" (*)").to_owned() }
        })
        .collect();
    assert!(packages.len() > 100, "cargo tree was not understood: {text}");
    packages
}

/// Whether an SPDX expression can be fulfilled with licences on the list alone; the older `/` means OR.
fn permitted(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest).unwrap_or(false) && rest.is_empty()
}

fn any_of(words: &mut &[&str]) -> Option<bool> {
    let mut permitted = all_of(words)?;
    while words.first() == Some(&"OR") {
        *words = &words[1..];
        permitted |= all_of(words)?;
    }
    Some(permitted)
}

fn all_of(words: &mut &[&str]) -> Option<bool> {
    let mut permitted = one_of(words)?;
    while words.first() == Some(&"AND") {
        *words = &words[1..];
        permitted &= one_of(words)?;
    }
    Some(permitted)
}

fn one_of(words: &mut &[&str]) -> Option<bool> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    if *first == "(" {
        let inner = any_of(words)?;
        let (close, rest) = words.split_first()?;
        *words = rest;
        return (*close == ")").then_some(inner);
    }
    let mut name = (*first).to_owned();
    if let [with @ "WITH", exception, rest @ ..] = *words {
        name = format!("{name} {with} {exception}");
        *words = rest;
    }
    Some(LICENCES.contains(&name.as_str()))
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
