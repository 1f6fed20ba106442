//! The configuration file: where it is, how it is read, what it means.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::document;
use super::inventory::{self, HostEntry, JobEntry};
use super::layouts::LayoutOptions;
use super::maintenance::{self, MaintenanceEntry};
use super::mouse::MouseChoice;
use super::port_rules::ForAll;
use super::roles::RoleOptions;
use super::rules::{self, PollingOptions};
use super::runbooks;
use super::theme::ThemeChoice;
use super::views::{self, ViewOptions, Word};
use super::wall::WallOptions;
use crate::base::Clock;
use crate::base::options::{Problem, Table, Weight};
use crate::model::FlapFormula;

/// A configuration larger than this is a mistake.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A configuration without errors; it may have warnings.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub hosts: Vec<HostEntry>,
    pub jobs: Vec<JobEntry>,
    pub ui: UiOptions,
    pub ssh: SshOptions,
    pub wall: WallOptions,
    pub polling: PollingOptions,
    pub roles: RoleOptions,
    /// `[traps]`, for whoever listens.
    pub traps: Option<Table>,
    /// `[[notify]]`, for whoever tells people.
    pub notify: Vec<Table>,
    /// In their order.
    pub maintenance: Vec<MaintenanceEntry>,
    pub warnings: Vec<Problem>,
    /// Where its file is, and the user's other files with it.
    pub folder: Option<PathBuf>,
}

/// `[ui]`.
#[derive(Clone, Debug, Default)]
pub struct UiOptions {
    pub theme: ThemeChoice,
    /// Where the user's other files are.
    pub folder: Option<PathBuf>,
    pub ascii: bool,
    pub mouse: MouseChoice,
    pub layouts: Vec<LayoutOptions>,
    /// The layout of the start.
    pub first_layout: Option<Word>,
    /// Everybody's views, in their order.
    pub views: Vec<ViewOptions>,
    /// The view that is opened at the start.
    pub first_view: Option<Word>,
}

impl UiOptions {
    /// The theme that the command line names counts.
    #[must_use]
    pub fn with_theme(self, name: Option<&str>) -> Self {
        Self { theme: name.map_or(self.theme, ThemeChoice::named), ..self }
    }
}

impl UiOptions {
    pub(super) fn read(table: &Table, problems: &mut Vec<Problem>) -> Self {
        let mut r = table.reader("[ui]");
        let (theme, ascii) = (ThemeChoice::read(&mut r), r.bool("ascii").unwrap_or(false));
        let mouse = MouseChoice::read(&mut r);
        let (tables, first_view) = (r.tables("view"), views::word(&mut r, table, "first_view"));
        let (laid, first_layout) = (r.tables("layout"), views::word(&mut r, table, "first_layout"));
        problems.extend(r.finish());
        let views: Vec<ViewOptions> =
            tables.into_iter().filter_map(|table| ViewOptions::read(table, problems)).collect();
        let layouts = laid.into_iter().filter_map(|table| LayoutOptions::read(table, problems)).collect();
        Self { theme, folder: None, ascii, mouse, layouts, first_layout, views, first_view }
    }
}

/// `[ssh]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshOptions {
    /// The only ssh_config to read, as `ssh -F` has it.
    pub config: Option<PathBuf>,
}

impl SshOptions {
    pub(super) fn read(table: &Table, problems: &mut Vec<Problem>) -> Self {
        let mut r = table.reader("[ssh]");
        let read = Self { config: r.path("config") };
        problems.extend(r.finish());
        read
    }
}

/// All problems of a configuration at once.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        for problem in &self.0 {
            let _ = write!(out, "{}", problem.render());
        }
        f.write_str(out.trim_end())
    }
}

impl std::error::Error for Problems {}

/// Where a configuration is looked for when none is named, best first.
pub fn default_paths(config_home: Option<&Path>) -> Vec<PathBuf> {
    let mut out = Vec::new();
    out.extend(config_home.map(|home| home.join("noctty.toml")));
    out.push(PathBuf::from("/etc/noctty/noctty.toml"));
    out
}

/// Reads and checks a file.
///
/// # Errors
/// All problems, each with file, line, column and a hint; warnings among them.
pub fn read(path: &Path) -> Result<Config, Problems> {
    understand(path).map_err(|problem| Problems(vec![problem]))?.checked()
}

/// A file as far as it could be understood.
#[derive(Debug)]
pub(super) struct Understood {
    pub root: Table,
    /// What could be read; its warnings are among the problems.
    pub config: Config,
    /// Of single entries, and of the syntax.
    pub problems: Vec<Problem>,
    /// Between entries.
    pub references: Vec<Problem>,
}

impl Understood {
    fn checked(self) -> Result<Config, Problems> {
        let mut problems = self.problems;
        problems.extend(self.references);
        if problems.iter().any(|p| p.weight == Weight::Error) {
            sort(&mut problems);
            return Err(Problems(problems));
        }
        Ok(Config { warnings: problems, ..self.config })
    }
}

/// In the order of their places; what has none comes first.
pub fn sort(problems: &mut [Problem]) {
    problems.sort_by_key(|p| p.place.as_ref().map(|at| at.start));
}

/// Reads a file; the problem of one that cannot be read.
pub(super) fn understand(path: &Path) -> Result<Understood, Problem> {
    let name = path.display().to_string();
    let text = read_text(path).map_err(|why| Problem::unplaced(format!("cannot read {name}: {why}")))?;
    let mut understood = understand_text(&name, text);
    let now = Clock::start().wall();
    let config = &mut understood.config;
    maintenance::leave_out_what_is_over(&mut config.maintenance, now, &mut understood.problems);
    config.folder = path.parent().map(Path::to_path_buf);
    config.ui.folder.clone_from(&config.folder);
    Ok(understood)
}

pub(super) fn read_text(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST / 1024 / 1024));
    }
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].split(|b| *b == b'\n').count();
        format!("it is not UTF-8 (line {line})")
    })
}

/// Checks a text as if it stood in the file `name`.
///
/// # Errors
/// As [`read`].
pub fn parse(name: &str, text: String) -> Result<Config, Problems> {
    understand_text(name, text).checked()
}

pub(super) fn understand_text(name: &str, text: String) -> Understood {
    let (root, syntax) = document::parse(name, text);
    let mut problems = Vec::new();
    let mut r = root.reader("the configuration");
    let host_tables = r.tables("host");
    let job_tables = r.tables("backup");
    let windows = r.tables("maintenance");
    let ports_table = r.table("ports");
    let ui_table = r.table("ui");
    let ssh_table = r.table("ssh");
    let wall_table = r.table("wall");
    let polling_table = r.table("polling");
    let flapping_node = r.node("flapping");
    let roles_table = r.table("roles");
    let runbooks_table = r.table("runbooks");
    let traps = r.table("traps").cloned();
    let notify: Vec<Table> = r.tables("notify").into_iter().cloned().collect();
    problems.extend(r.finish());
    let ports = ForAll::read(ports_table, &mut problems);
    let usual = Some(FlapFormula::ICINGA);
    let flapping = flapping_node.map_or(usual, |node| rules::read_flapping(node, usual, &mut problems));
    let read_host = |t: &&Table| inventory::read_host(t, &ports, flapping, &mut problems);
    let mut hosts: Vec<HostEntry> = host_tables.iter().filter_map(read_host).collect();
    let tags: Vec<&str> = hosts.iter().flat_map(|h| h.host.tags.iter().map(|t| &**t)).collect();
    ports.check_tags(&tags, &mut problems);
    let mut jobs: Vec<JobEntry> = job_tables.iter().filter_map(|t| inventory::read_job(t, &mut problems)).collect();
    runbooks::settle(name, &mut hosts, &mut jobs, runbooks_table, &mut problems);
    let mut references = Vec::new();
    inventory::check_references(&hosts, &jobs, &mut references);
    let maintenance = maintenance::read(&windows, &mut problems);
    maintenance::check_references(&maintenance, &hosts, &jobs, &mut references);
    let ui = ui_table.map(|table| UiOptions::read(table, &mut problems)).unwrap_or_default();
    let ssh = ssh_table.map(|table| SshOptions::read(table, &mut problems)).unwrap_or_default();
    let polling = polling_table.map(|table| rules::read_polling(table, &mut problems)).unwrap_or_default();
    let wall = wall_table.map(|table| WallOptions::read(table, &mut problems)).unwrap_or_default();
    let roles = roles_table.map(|table| RoleOptions::read(table, &mut problems)).unwrap_or_default();
    // What a broken line was taken for says nothing.
    let line = |p: &Problem| p.place.as_ref().map(|at| at.line_and_column().0);
    let broken: Vec<Option<usize>> = syntax.iter().map(line).collect();
    for list in [&mut problems, &mut references] {
        list.retain(|p| p.place.is_none() || !broken.contains(&line(p)));
    }
    problems.extend(syntax);
    let warnings = Vec::new();
    let folder = None;
    let config = Config { hosts, jobs, ui, ssh, wall, polling, roles, traps, notify, maintenance, warnings, folder };
    Understood { root, config, problems, references }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        match parse("noctty.toml", text.to_owned()) {
            Ok(_) => Vec::new(),
            Err(Problems(list)) => list.iter().map(Problem::render).collect(),
        }
    }

    #[test]
    fn an_empty_configuration_is_fine() {
        assert!(problems("").is_empty());
    }

    #[test]
    fn the_smallest_configuration_of_the_contract_is_read() {
        let text = r#"
[[host]]
name = "core-sw1"
address = "10.0.0.2"
tags = ["core"]
snmp = { version = "2c", community = { env = "NOCTTY_COMMUNITY" } }

[[host]]
name = "db01"
address = "10.0.1.5"
parents = ["core-sw1"]
checks = ["icmp", "ssh", { kind = "tcp", port = 5432 }]

[[backup]]
name = "db01 nightly"
kind = "restic"
repository = "/srv/restic"
password = { file = "/etc/noctty/restic.pw" }
protects = ["db01"]
schedule = "0 2 * * *"
timezone = "Europe/Berlin"
rpo = "26h"
rto = "1h"
"#;
        let config = parse("noctty.toml", text.to_owned()).expect("it is valid");
        assert_eq!((config.hosts.len(), config.jobs.len()), (2, 1));
        assert_eq!(config.hosts[1].checks.as_ref().map(Vec::len), Some(3));
        let keys: Vec<&str> = config.jobs[0].options.entries.iter().map(|(k, _)| k.name.as_str()).collect();
        assert_eq!(keys, ["repository", "password"]);
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_line() {
        let text = "[[host]]\nname = \"a\"\nadress = \"10.0.0.1\"\nparents = [\"b\"]\n\n[[host]]\nname = \"a\"\n\n[[backup]]\nname = \"x\"\nkind = \"restic\"\nrepository = \"/r\"\nschedule = \"61 * * * *\"\nrpo = \"26\"\n";
        let found = problems(text);
        let all = found.join("");
        for want in [
            "noctty.toml:3:1: error: unknown key `adress`",
            "did you mean `address`?",
            "the name \"a\" is used twice, first in line 2",
            "the parent \"b\" is not a host",
            "\"61 * * * *\" is no schedule",
            "\"26\" is not a duration",
        ] {
            assert!(all.contains(want), "{want} is missing in\n{all}");
        }
    }

    #[test]
    fn a_circle_of_parents_is_named() {
        let text = "[[host]]\nname = \"a\"\nparents = [\"b\"]\n[[host]]\nname = \"b\"\nparents = [\"c\"]\n[[host]]\nname = \"c\"\nparents = [\"a\"]\n";
        let found = problems(text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("a → b → c → a"), "{found:?}");
    }

    #[test]
    fn an_ssh_config_stands_beside_the_file_unless_it_says_otherwise() {
        let config = |text: &str| parse("/etc/noctty/noctty.toml", text.to_owned()).expect("it is valid").ssh.config;
        assert_eq!(config(""), None);
        assert_eq!(config("[ssh]\nconfig = \"hosts\"\n"), Some("/etc/noctty/hosts".into()));
        assert_eq!(config("[ssh]\nconfig = \"/srv/hosts\"\n"), Some("/srv/hosts".into()));
        let all = problems("[ssh]\nconfg = \"x\"\n").join("");
        assert!(all.contains("unknown key `confg`") && all.contains("did you mean `config`?"), "{all}");
    }

    #[test]
    fn a_wrong_type_is_told_with_what_is_wanted() {
        let all = problems("[[host]]\nname = 5\n[ui]\nascii = \"yes\"\n").join("");
        assert!(all.contains("`name` must be a string, not an integer"), "{all}");
        assert!(all.contains("`ascii` must be true or false, not a string"), "{all}");
    }
}
