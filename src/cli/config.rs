//! `noctty config`: check a configuration, show what it means, begin one, or print all options.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use color_eyre::eyre::{Result, WrapErr as _, bail};

use super::{Globals, UNKNOWN};
use crate::backup::SOURCES;
use crate::base::options::{OptionDoc, Problem, Weight};
use crate::base::{Clock, text, units};
use crate::config::theme::Shelf;
use crate::config::{
    UiOptions, WallOptions, layouts, load, maintenance, port_rules, roles, rules, runbooks, salvage, views, wall,
};
use crate::engine::bind;
use crate::notify;
use crate::probe::KINDS;
use crate::probe::traps::{TRAP_OPTIONS, TRAP_USER_OPTIONS};
use crate::ui::layouts::Layouts;

#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ConfigCommand {
    /// Report every problem of configuration, device profiles, themes and keys with its file, line and column; exit 0 where there is none
    Check {
        /// Default: the configuration in force
        file: Option<PathBuf>,
    },
    /// What the configuration means, with all defaults, and no secret
    Show,
    /// Write a commented first configuration
    Init {
        /// Default: noctty.toml in the user's configuration folder
        file: Option<PathBuf>,
    },
    /// Every option, as Markdown
    Reference,
}

const FIRST: &str = include_str!("../../config/first.toml");

pub fn run(args: &ConfigArgs, globals: &Globals) -> Result<ExitCode> {
    match &args.command {
        ConfigCommand::Check { file } => check(file.clone(), globals),
        ConfigCommand::Show => show(globals),
        ConfigCommand::Init { file } => init(file.clone()),
        ConfigCommand::Reference => {
            super::print(&reference())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(file: Option<PathBuf>, globals: &Globals) -> Result<ExitCode> {
    let Some(path) = file.or_else(|| super::config_file(globals)) else {
        let (_, mut problems) = super::profiles::own(None);
        problems.extend(super::keys::in_force(None).1);
        super::print("no configuration: noctty watches what it finds (see `noctty plan`)\n")?;
        tell(&problems);
        return Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(UNKNOWN) });
    };
    let (config, problems) = salvage::read_whole(&path);
    let (own, of_profiles) = super::profiles::own(config.folder.as_deref());
    // Neither keeps anything from being watched.
    let mut of_screen = of_the_screen(&config.ui, &config.wall);
    of_screen.extend(super::keys::in_force(config.ui.folder.as_deref()).1);
    let now = Clock::start().wall();
    of_screen.extend(config.maintenance.iter().flat_map(|entry| entry.clock_changes(now)));
    let (plan, of_binding) = bind::bind_what_can_be(&config, own.as_ref());
    let mut problems = in_order(problems, of_binding);
    let sound = of_profiles.is_empty() && problems.iter().chain(&of_screen).all(|p| p.weight == Weight::Warning);
    problems.extend(of_profiles);
    problems.extend(of_screen);
    tell(&problems);
    if !sound {
        return Ok(ExitCode::from(UNKNOWN));
    }
    super::print(&format!(
        "{}: {}, {}, {}\n",
        super::shown(&path),
        units::counted(config.hosts.len(), "host"),
        units::counted(config.jobs.len(), "backup"),
        units::counted(plan.checks.len(), "check")
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// What reading found and what binding found, by where it stands. What binding says of the very place that reading could not
/// make sense of follows from that.
fn in_order(mut read: Vec<Problem>, bound: Vec<Problem>) -> Vec<Problem> {
    let wrong: Vec<(usize, usize)> = read
        .iter()
        .filter(|problem| problem.weight == Weight::Error)
        .filter_map(|problem| problem.place.as_ref().map(|place| (place.start, place.end)))
        .collect();
    let follows = |problem: &Problem| {
        problem
            .place
            .as_ref()
            .is_some_and(|place| wrong.iter().any(|(start, end)| place.start < *end && *start < place.end))
    };
    read.extend(bound.into_iter().filter(|problem| !follows(problem)));
    load::sort(&mut read);
    read
}

/// What is wrong with the user's themes, with the choice of one, with the views and the layouts. It keeps nothing from being watched.
fn of_the_screen(ui: &UiOptions, wall: &WallOptions) -> Vec<Problem> {
    let (shelf, mut problems) =
        super::themes::folder(ui.folder.as_deref()).map(|folder| Shelf::read(&folder)).unwrap_or_default();
    problems.extend(ui.theme.check(&shelf));
    problems.extend(wall.theme.check(&shelf));
    problems.extend(super::views::shared(ui).1);
    let (layouts, more) = Layouts::new(&ui.layouts, ui.first_layout.as_ref());
    problems.extend(more);
    for (name, place) in ui.views.iter().filter_map(|view| view.layout.as_ref()) {
        if !layouts.has(name) {
            problems.push(Problem::error(place, layouts.unknown(name)));
        }
    }
    problems
}

fn tell(problems: &[Problem]) {
    let mut err = std::io::stderr().lock();
    for problem in problems {
        let _ = write!(err, "{}", problem.render());
    }
}

fn show(globals: &Globals) -> Result<ExitCode> {
    let plan = super::load_plan(globals)?;
    let mut out = String::new();
    for host in &plan.inventory.hosts {
        let _ = writeln!(
            out,
            "{}  {}  ({})",
            text::clean(&host.name),
            host.address.as_deref().unwrap_or("–"),
            host.origin.label()
        );
        if let Some(why) = &host.not_probed {
            let _ = writeln!(out, "    {why}");
        }
        for bound in plan.checks.iter().filter(|b| *b.spec.key.subject.id() == host.id) {
            let s = &bound.spec;
            let _ = writeln!(
                out,
                "    {:<12} every {}, timeout {}, {} attempts {} apart",
                s.key.name,
                units::config_duration(s.interval),
                units::config_duration(s.timeout),
                s.attempts,
                units::config_duration(s.retry_interval)
            );
        }
    }
    for job in &plan.inventory.jobs {
        let _ = writeln!(
            out,
            "{}  {} {}  ({})",
            text::clean(&job.name),
            job.kind,
            text::clean(&job.repository),
            job.origin.label()
        );
        if let Some(schedule) = &job.schedule {
            let _ = writeln!(out, "    schedule {} in {}", schedule.cron, schedule.timezone);
        }
        if let Some(rpo) = job.rpo {
            let _ = writeln!(out, "    rpo {}", units::config_duration(rpo));
        }
    }
    super::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn init(file: Option<PathBuf>) -> Result<ExitCode> {
    let Some(path) = file.or_else(|| super::config_home().map(|home| home.join("noctty.toml"))) else {
        bail!("no home directory: name the file");
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).wrap_err_with(|| format!("cannot make {}", super::shown(folder)))?;
    }
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = match opened {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{} is there already; nothing was written", super::shown(&path))
        }
        other => other.wrap_err_with(|| format!("cannot write {}", super::shown(&path)))?,
    };
    file.write_all(FIRST.as_bytes())?;
    super::print(&format!("wrote {}\n", super::shown(&path)))?;
    Ok(ExitCode::SUCCESS)
}

/// `docs/config-reference.md`; a test compares the two.
pub fn reference() -> String {
    let mut out = String::from(
        "# Configuration reference\n\nMade by `noctty config reference`. Durations are written `500ms`, `30s`, `5m`, `26h`, `7d` or `1h30m`.\n\n## `[[host]]`\n\n",
    );
    rows(&mut out, HOST);
    out.push_str(
        "\n## Every check\n\nA check is a name (`\"icmp\"`) or a table (`{ kind = \"tcp\", port = 443 }`).\n\n",
    );
    rows(&mut out, bind::COMMON);
    for kind in KINDS {
        let _ = writeln!(
            out,
            "\n### `{}`\n\n{}. Every {}, timeout {}, {} attempts {} apart.\n",
            kind.name,
            sentence(kind.help),
            units::config_duration(kind.pace.interval),
            units::config_duration(kind.pace.timeout),
            kind.pace.attempts,
            units::config_duration(kind.pace.retry_interval)
        );
        if !kind.options.is_empty() {
            rows(&mut out, kind.options);
        }
    }
    out.push_str("\n## `[[backup]]`\n\n");
    rows(&mut out, BACKUP);
    for source in SOURCES {
        let _ = writeln!(
            out,
            "\n### `{}`\n\n{}. Every {}.\n",
            source.name,
            sentence(source.help),
            units::config_duration(source.interval)
        );
        if !source.options.is_empty() {
            rows(&mut out, source.options);
        }
    }
    out.push_str("\n## `[[maintenance]]`\n\nIn a window problems are shown and counted apart, and nothing is announced; see `docs/state.md`.\n\n");
    rows(&mut out, maintenance::OPTIONS);
    out.push_str("\n## `[[notify]]`\n\nWhom to tell of changes, and how; without one nobody is told. See `docs/notifications.md`.\n\n");
    rows(&mut out, notify::OPTIONS);
    for kind in notify::KINDS {
        let _ = writeln!(out, "\n### `{}`\n\n{}.\n", kind.name, sentence(kind.help));
        if !kind.options.is_empty() {
            rows(&mut out, kind.options);
        }
    }
    out.push_str("\n## `[polling]`\n\n");
    rows(&mut out, rules::POLLING);
    out.push_str(
        "\n## `[flapping]`\n\nHow much may change before it is one problem; see `docs/state.md`. For all, and as `flapping` of a host or a check, \
         which overrules it: a table of these, a formula's name, or false.\n\n",
    );
    rows(&mut out, rules::FLAPPING);
    out.push_str("\n## `[roles]`\n\nWho may do what at `noctty collect --system`: names of users and `group:NAME`. See `docs/attach.md`.\n\n");
    rows(&mut out, roles::OPTIONS);
    out.push_str("\n## `[ssh]`\n\n");
    rows(&mut out, SSH);
    out.push_str(
        "\n## `[ports]`\n\nWhich ports matter how much; `docs/snmp.md` says what is a problem. A host's own `ports` table comes first, then those of its tags, \
         then `[ports]`: the first that says anything of a port decides, and in each `ignore` comes before `must_be_up` before `uplink`.\n\n",
    );
    rows(&mut out, port_rules::RULES);
    more_rows(&mut out, port_rules::LIMITS);
    out.push_str("\n## `[traps]`\n\n");
    rows(&mut out, TRAP_OPTIONS);
    out.push_str("\n### `[[traps.user]]`\n\n");
    rows(&mut out, TRAP_USER_OPTIONS);
    out.push_str("\n## `[ui]`\n\n");
    rows(&mut out, UI);
    out.push_str("\n### `[[ui.view]]`\n\nA place on the screen under a name, for everybody: `:view NAME` goes there. `:view save NAME` keeps one of your own, in `views.toml` of the state directory.\n\n");
    rows(&mut out, views::OPTIONS);
    out.push_str("\n### `[[ui.layout]]`\n\nWhere the panes of a screen stand: `:layout NAME` changes to it. `standard`, `triage`, `network`, `lead` and `wide` are there already.\n\n");
    rows(&mut out, layouts::OPTIONS);
    out.push_str("\n### `[[ui.layout.row]]`\n\n");
    rows(&mut out, layouts::ROW_OPTIONS);
    out.push_str("\n## `[runbooks]`\n\nWhat to do, by the tags of hosts: `b` opens it.\n\n");
    rows(&mut out, runbooks::OPTIONS);
    out.push_str("\n## `[wall]`\n\nFor `noctty wall`; `docs/wall.md` says what it shows.\n\n");
    rows(&mut out, wall::OPTIONS);
    out.push_str("\n### `[[wall.page]]`\n\n");
    rows(&mut out, wall::PAGE_OPTIONS);
    out
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn rows(out: &mut String, docs: &[OptionDoc]) {
    out.push_str("| key | form | default | meaning |\n|---|---|---|---|\n");
    more_rows(out, docs);
}

fn more_rows(out: &mut String, docs: &[OptionDoc]) {
    for doc in docs {
        let default = match doc.default {
            "" => "–".to_owned(),
            words if words.starts_with("the ") || words.contains(" or ") => words.to_owned(),
            value => format!("`{value}`"),
        };
        let _ = writeln!(out, "| `{}` | {} | {default} | {} |", doc.name, doc.form, doc.help);
    }
}

const HOST: &[OptionDoc] = &[
    OptionDoc { name: "name", form: "string", default: "", help: "what it is called; required" },
    OptionDoc { name: "id", form: "string", default: "the name", help: "the key that history and notes follow" },
    OptionDoc { name: "address", form: "string", default: "the name", help: "host name or IP address" },
    OptionDoc {
        name: "tags",
        form: "array",
        default: "[]",
        help: "`core` is pinged each 4 s, `critical` is never hidden behind a parent that is only inferred; `uplink` makes every lost link of the host a problem; `[ports.tags.NAME]` has rules for a tag",
    },
    OptionDoc { name: "group", form: "string", default: "", help: "for filters" },
    OptionDoc {
        name: "site",
        form: "string",
        default: "",
        help: "where it stands, in one word: a column, the filter `site:fra1`, and `:group site`",
    },
    OptionDoc {
        name: "parents",
        form: "array",
        default: "[]",
        help: "hosts it hangs on: UNREACHABLE when all of them are down. With an array among them, as in `[\"edge\", [\"core-a\", \"core-b\"]]`, each element is needed, and an array is a redundancy group: one of it is enough",
    },
    OptionDoc {
        name: "flapping",
        form: "table, string or boolean",
        default: "the one for all",
        help: "how flapping of its checks is told, see `[flapping]`; false: not at all",
    },
    OptionDoc { name: "ssh", form: "string", default: "the address", help: "its name in `~/.ssh/config`" },
    RUNBOOK,
    OptionDoc { name: "checks", form: "array", default: "[\"icmp\"]", help: "what is asked" },
    OptionDoc { name: "snmp", form: "table", default: "", help: "adds the checks `snmp` and `ports`" },
    OptionDoc {
        name: "ports",
        form: "table",
        default: "",
        help: "`must_be_up`, `uplink` and `ignore` for its own ports, see `[ports]`",
    },
];

const BACKUP: &[OptionDoc] = &[
    OptionDoc { name: "name", form: "string", default: "", help: "what it is called; required" },
    OptionDoc { name: "id", form: "string", default: "the name", help: "the key that history and notes follow" },
    OptionDoc { name: "kind", form: "string", default: "", help: "the tool; required" },
    OptionDoc { name: "repository", form: "string", default: "", help: "as the tool takes it; required" },
    OptionDoc { name: "protects", form: "array", default: "[]", help: "hosts whose data it holds" },
    OptionDoc { name: "schedule", form: "string", default: "", help: "five-field cron expression" },
    OptionDoc { name: "timezone", form: "string", default: "UTC", help: "IANA name, for the schedule" },
    OptionDoc {
        name: "grace",
        form: "duration",
        default: "30m or a tenth of the interval",
        help: "how late a run may be before it is missed",
    },
    OptionDoc { name: "rpo", form: "duration", default: "", help: "recovery point objective" },
    OptionDoc { name: "rto", form: "duration", default: "", help: "recovery time objective" },
    OptionDoc { name: "interval", form: "duration", default: "the kind's", help: "how often the repository is read" },
    OptionDoc { name: "enabled", form: "boolean", default: "true", help: "false: shown, not read" },
    RUNBOOK,
];

const RUNBOOK: OptionDoc = OptionDoc {
    name: "runbook",
    form: "string",
    default: "",
    help: "what to do: a link, or a file of text or Markdown, relative to this file; `b` opens it",
};

const SSH: &[OptionDoc] = &[OptionDoc {
    name: "config",
    form: "path",
    default: "the user's, then the system's ssh_config",
    help: "the only ssh_config for sessions, `noctty ssh` and `:ssh!`; relative to this file",
}];

const UI: &[OptionDoc] = &[
    OptionDoc {
        name: "theme",
        form: "string or table",
        default: "auto",
        help: "a theme's name; `auto` goes by the terminal's background, `{ dark = \"wall\", light = \"light\" }` names one for each",
    },
    OptionDoc { name: "ascii", form: "boolean", default: "false", help: "no Unicode glyphs" },
    OptionDoc {
        name: "mouse",
        form: "string",
        default: "auto",
        help: "`on`, `off`, or `auto`: on unless the console runs over SSH. `:mouse` changes it; with Shift held the terminal marks text",
    },
    OptionDoc {
        name: "first_view",
        form: "string",
        default: "where the last console ended",
        help: "the view that is opened at the start; `noctty TARGET` comes before it",
    },
    OptionDoc {
        name: "first_layout",
        form: "string",
        default: "that of the last console",
        help: "the layout of the start",
    },
];
