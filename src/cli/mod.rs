//! The command line: one file per subcommand. Exit status as in monitoring plugins: 0 ok, 1 warning, 2 critical,
//! 3 unknown, usage or configuration error.

mod attach;
mod backups;
mod care;
mod check;
mod clipboard;
mod collect;
mod config;
mod console;
mod demo;
mod falls;
mod far;
#[cfg(test)]
mod foreign;
mod guard;
mod handover;
mod import;
mod incident;
mod keeper;
mod keys;
mod logging;
mod messages;
mod plan;
mod plans;
mod ports;
mod profiles;
mod run_dir;
mod service;
mod session_file;
mod sim_restic;
mod simulated;
mod ssh;
mod state_dir;
mod themes;
mod tour;
mod view;
mod views;
mod wall;
mod way;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser, Subcommand};
use color_eyre::eyre::{Result, bail};

use crate::base::options::Problem;
use crate::base::{Clock, text};
use crate::config::load;
use crate::config::{Config, Problems, SshOptions};
use crate::engine::{Plan, bind, discover};
use crate::ssh::{SshConfig, Surroundings};

/// Usage and configuration errors, and what could not be decided.
pub const UNKNOWN: u8 = 3;

/// The NOC in your terminal: hosts, switch ports, backups and incident notes on one screen.
#[derive(Debug, Parser)]
#[command(name = "noctty", version, disable_help_subcommand = true)]
pub struct Args {
    /// Open the console at this host or backup; an address that is not in the inventory gets a one-off look
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    #[command(flatten)]
    pub globals: Globals,
    /// The theme, instead of the configuration's: auto, dark, light, high-contrast, colour-blind, 16-colour, mono, wall,
    /// or a file's name in themes/ beside the configuration
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every subcommand.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Globals {
    /// The configuration; default: noctty.toml in the user's configuration folder, then /etc/noctty/noctty.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where notes and last known states are kept; default: noctty in the user's state folder
    #[arg(long, global = true, value_name = "DIR", env = "NOCTTY_STATE")]
    pub state: Option<PathBuf>,
    /// Send nothing at all
    #[arg(long, global = true)]
    pub passive: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Every target, protocol and rate that would be polled; sends nothing
    Plan(plan::PlanArgs),
    /// One cycle of every check; exit 0 ok, 1 warning, 2 critical, 3 unknown
    Check(check::CheckArgs),
    /// One look at every backup repository; exit 0 ok, 1 warning, 2 critical, 3 unknown
    Backups(backups::BackupsArgs),
    /// Poll without a screen, in the checks' own rhythm or a number of times
    ///
    /// Polls what the configuration names, with the console's own engine, until SIGINT or SIGTERM. Last known states
    /// and the log are kept in the state folder. A console that is started on the same state folder attaches to it
    /// and shows what it polls; with --once or --cycles nobody attaches.
    Collect(collect::CollectArgs),
    /// The console on an engine that polls elsewhere: here, or on another machine by the console's own SSH
    ///
    /// Shows what a running noctty polls: the one of this user, the one of this machine (noctty collect --system), or one
    /// that SSH leads to. Sessions, keys and their questions stay in this process; it polls nothing itself.
    Attach(attach::AttachArgs),
    /// One walk of one device's ports by SNMP; exit 0 ok, 1 warning, 2 critical, 3 unknown
    Ports(ports::PortsArgs),
    /// A simulated network over real protocols on loopback, and the console on it; --tour shows around
    ///
    /// Nothing but loopback is used, and what is written goes with it. With --tour a strip says what to try, a step at a time,
    /// in five minutes; :tour does the same in any console, on a network of its own beside yours. docs/tour.md has more.
    Demo(demo::DemoArgs),
    /// The network on a wall: pages that turn by themselves, read-only, no input
    ///
    /// Polls like the console and shows problems, hosts, figures, ports, backups and the incident in turn. Nothing that is
    /// typed reaches it, and nothing can be asked of the engine from it. It ends by a signal, or with its terminal.
    /// docs/wall.md has the pages and their options.
    Wall(wall::WallArgs),
    /// A shell or a command on a host, by the console's own SSH; exit status of the remote side, 255 without one
    Ssh(ssh::SshArgs),
    /// Check, show or begin a configuration
    Config(config::ConfigArgs),
    /// Open, note, read and hand over incidents
    Incident(incident::IncidentArgs),
    /// What whoever comes next has to know: open incidents, problems and whose they are, silences, changes
    ///
    /// The same Markdown as `:handover` in the console. The noctty that polls here is asked, else the one of this machine; where none
    /// does, every check is run once. Ready to be mailed or pasted at the end of a shift.
    Handover(handover::HandoverArgs),
    /// Answer like restic, for the demo's backup jobs
    #[command(hide = true)]
    SimRestic(sim_restic::SimResticArgs),
    /// Give the terminal back if the console beside this cannot
    #[command(hide = true, name = crate::ui::terminal::guard::SUBCOMMAND)]
    GuardTerminal { told: String, group: i32, name: Option<String> },
    /// Take a problem on, hand it over or give it back; without TARGET: who has what
    Ack(care::AckArgs),
    /// Order, list or end maintenance windows
    Maintenance(care::MaintenanceArgs),
    /// Stop all polling of the engine of this state directory, until `noctty resume`
    Pause(care::PauseArgs),
    /// Have polling that was paused go on
    Resume(care::ResumeArgs),
    /// Turn an ssh_config, an Ansible inventory or a table into a configuration
    Import(import::ImportArgs),
    /// Print the manual page (roff)
    #[command(hide = true)]
    Man,
}

/// Parses the arguments and runs what they ask for.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let status = if error.use_stderr() { UNKNOWN } else { 0 };
            let words = error.render().to_string();
            // A closed pipe must not turn help into a failure.
            let _ = if words.lines().all(text::is_clean) {
                error.print()
            } else {
                // An argument is quoted there.
                writeln!(std::io::stderr(), "{}", lines(&words))
            };
            return ExitCode::from(status);
        }
    };
    finish(run(args))
}

/// What the process ends with. An error is said.
fn finish(ran: Result<ExitCode>) -> ExitCode {
    ran.unwrap_or_else(|error| {
        complain(&format!("{error:#}"));
        ExitCode::from(UNKNOWN)
    })
}

fn run(args: Args) -> Result<ExitCode> {
    let Args { globals, target, theme, command, .. } = args;
    let command = themed(command, theme.as_deref())?;
    match command {
        Some(Command::Plan(args)) => plan::run(&args, &globals),
        Some(Command::Demo(args)) => demo::run(&args, &globals),
        Some(Command::Check(args)) => check::run(&args, &globals),
        Some(Command::Backups(args)) => backups::run(&args, &globals),
        Some(Command::Collect(args)) => collect::run(&args, &globals),
        Some(Command::Attach(args)) => attach::run(&args, &globals),
        Some(Command::Ports(args)) => ports::run(&args, &globals),
        Some(Command::Wall(args)) => wall::run(&args, &globals),
        Some(Command::Ssh(args)) => ssh::run(&args, &globals),
        Some(Command::Config(args)) => config::run(&args, &globals),
        Some(Command::Incident(args)) => incident::run(args, &globals),
        Some(Command::Handover(args)) => handover::run(&args, &globals),
        Some(Command::SimRestic(args)) => sim_restic::run(&args),
        Some(Command::GuardTerminal { told, group, name }) => guard::run(&told, group, name.as_deref()),
        Some(Command::Ack(args)) => care::ack(args, &globals),
        Some(Command::Maintenance(args)) => care::maintenance(args, &globals),
        Some(Command::Pause(args)) => care::pause(args, &globals),
        Some(Command::Resume(args)) => care::resume(args, &globals),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Args::command()).render(&mut page)?;
            print(&String::from_utf8_lossy(&page))?;
            Ok(ExitCode::SUCCESS)
        }
        None => match attach::to_this_machine(target.as_deref(), theme.as_deref(), &globals)? {
            Some(exit) => Ok(exit),
            None => console::run(target, theme.as_deref(), &globals),
        },
    }
}

/// A theme that stands before the subcommand is its own, where it has one.
fn themed(mut command: Option<Command>, theme: Option<&str>) -> Result<Option<Command>> {
    let Some(theme) = theme else { return Ok(command) };
    let own = match &mut command {
        None => return Ok(command),
        Some(Command::Demo(args)) => &mut args.theme,
        Some(Command::Wall(args)) => &mut args.theme,
        Some(Command::Attach(args)) => &mut args.theme,
        Some(_) => {
            bail!("--theme {}: what is asked for has no screen of its own to choose a theme for", text::clean(theme))
        }
    };
    own.get_or_insert_with(|| theme.to_owned());
    Ok(command)
}

/// Writes to standard output; a reader that went away is no error.
pub fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// What a command found, in one of its two forms. Warnings are in the JSON form themselves; beside the other they are complaints.
pub fn print_found(json: Option<String>, text: impl FnOnce() -> String, warnings: &[String]) -> Result<()> {
    let out = json.unwrap_or_else(|| {
        for warning in warnings {
            complain(warning);
        }
        text()
    });
    print(&out)
}

/// To standard error. Whatever was named on the command line or in a file may be quoted there: it is shown, not obeyed.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "noctty: {}", lines(text));
}

/// A text of several lines, each of them cleaned.
fn lines(text: &str) -> String {
    text.lines().map(text::clean).collect::<Vec<_>>().join("\n")
}

/// The file that is in force: the one named, else the first of the usual places that is there.
pub fn config_file(globals: &Globals) -> Option<PathBuf> {
    if let Some(named) = &globals.config {
        return Some(named.clone());
    }
    load::default_paths(config_home().as_deref()).into_iter().find(|path| path.exists())
}

/// `noctty` in the user's configuration folder.
pub fn config_home() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "noctty").map(|dirs| dirs.config_dir().to_owned())
}

/// The configuration in force, if there is one.
pub fn load_config(globals: &Globals) -> Result<Option<(PathBuf, Config)>, Problems> {
    let Some(path) = config_file(globals) else { return Ok(None) };
    load::read(&path).map(|config| Some((path, config)))
}

/// The plan: of the configuration, or of what is found where there is none. `Err` has all problems rendered.
pub fn load_plan(globals: &Globals) -> Result<Plan> {
    match load_config(globals) {
        Err(problems) => bail!("the configuration has errors\n{problems}"),
        Ok(Some((_, config))) => bound(&config),
        Ok(None) => {
            let mut last = Plan::default();
            discover::discover(&discover::Places::system(), false, |plan| last = plan);
            Ok(last)
        }
    }
}

/// What hosts hang on by the ssh_config of whoever this runs as, and by the routing table.
pub fn with_inferred_parents(plan: Plan) -> Plan {
    let ssh = SshConfig::load(Surroundings::from_environment());
    plan.clone().with_inferred_parents(Some(&ssh), Path::new("/")).unwrap_or(plan)
}

/// Binds a configuration; its warnings go to standard error.
pub fn bound(config: &Config) -> Result<Plan> {
    for warning in &config.warnings {
        complain(warning.render().trim_end());
    }
    let (own, problems) = profiles::own(config.folder.as_deref());
    match bind::bind_with(config, own.as_ref()) {
        Ok((mut plan, warnings)) => {
            for problem in warnings.iter().chain(&problems) {
                complain(problem.render().trim_end());
            }
            let remarks = &mut Arc::make_mut(&mut plan.inventory).remarks;
            remarks.extend(problems.iter().map(|problem| format!("device profile: {}", problem.message).into()));
            Ok(plan)
        }
        Err(problems) => {
            let all: String = problems.iter().map(Problem::render).collect::<Vec<_>>().concat();
            bail!("the configuration has errors\n{}", all.trim_end())
        }
    }
}

/// The home, agent and ssh_config of this process, as far as the configuration names no other.
pub fn surroundings(options: &SshOptions) -> Surroundings {
    Surroundings { config: options.config.clone(), ..Surroundings::from_environment() }
}

/// A runtime for headless work.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("engine").enable_all().build()?)
}

/// The clock and the state folder's log for a headless command.
pub fn begin(globals: &Globals) -> Clock {
    logging::start(state_dir::choose(globals.state.as_deref()).as_deref());
    Clock::start()
}

/// The folder of a path, for messages.
pub fn shown(path: &Path) -> String {
    text::clean(&path.display().to_string())
}
