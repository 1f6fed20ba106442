//! `noctty demo`: a simulated network over real protocols on loopback, and the console on it. With `--headless` the
//! network alone, for load tests.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _, bail};

use super::{Globals, console};
use crate::base::{Clock, Timestamp};
use crate::config::{UiOptions, load};
use crate::engine::Plan;
use crate::process::{self, Program};
use crate::sim::network::{Servers, Size, Topology, community};
use crate::sim::script::Change;
use crate::sim::snmp::{AgentSpec, SnmpAgents};
use crate::state::Event;

#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Servers
    #[arg(long, value_name = "N", default_value_t = 24)]
    hosts: usize,
    /// Switches, each with an SNMP agent on an address of its own in 127.0.0.0/8
    #[arg(long, value_name = "N", default_value_t = 8)]
    switches: usize,
    /// Ports of each switch
    #[arg(long, value_name = "N", default_value_t = 28)]
    ports: usize,
    /// The same seed gives the same network and the same faults
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// No console: print where the configuration is, and run until told to stop
    #[arg(long)]
    headless: bool,
}

/// More devices than this do not fit into the addresses that are set aside.
const MOST: usize = 50_000;

pub fn run(args: &DemoArgs, globals: &Globals) -> Result<ExitCode> {
    if args.hosts > MOST || args.switches > MOST || args.ports > 4_096 {
        bail!("the demo goes up to {MOST} hosts, {MOST} switches and 4096 ports");
    }
    let size = Size { hosts: args.hosts, switches: args.switches, ports: args.ports, seed: args.seed };
    let folder = Folder::create()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("sim").enable_all().build()?;
    let clock = Clock::start();
    let agents = Arc::new(start_agents(size, clock)?);
    let servers = Arc::new(runtime.block_on(Servers::start(size)).wrap_err("cannot start the simulated servers")?);
    let text = servers.configuration(&folder.0, agents.addresses())?;
    let file = folder.0.join("noctty.toml");
    std::fs::write(&file, &text).wrap_err_with(|| format!("cannot write {}", super::shown(&file)))?;
    let player = {
        let (servers, agents) = (servers.clone(), agents.clone());
        runtime.spawn(async move {
            let topology = servers.topology.clone();
            servers.play(|change| apply(&agents, &topology, change)).await;
        })
    };
    let outcome =
        if args.headless { headless(&runtime, &file) } else { show(&runtime, &file, &text, &folder.0, globals) };
    player.abort();
    runtime.shutdown_background();
    outcome
}

fn start_agents(size: Size, clock: Clock) -> Result<SnmpAgents> {
    let topology = Topology { size };
    let specs = (0..size.switches)
        .map(|switch| AgentSpec {
            address: SocketAddr::new(IpAddr::V4(Topology::switch_address(switch)), 0),
            name: topology.switch_name(switch),
            community: community().to_owned(),
            ports: u32::try_from(size.ports).unwrap_or(u32::MAX),
            seed: size.seed.wrapping_mul(1_000_003).wrapping_add(switch as u64),
        })
        .collect();
    SnmpAgents::start(specs, clock).wrap_err("cannot start the simulated switches")
}

/// What concerns the switches.
fn apply(agents: &SnmpAgents, topology: &Topology, change: Change) {
    match change {
        Change::Switch { switch, alive } => {
            for switch in topology.below(switch).0 {
                agents.set_alive(switch, alive);
            }
        }
        Change::Link { switch, port, up } => agents.set_link(switch, port, up),
        Change::Host { .. } | Change::NameServer { .. } => {}
    }
}

fn headless(runtime: &tokio::runtime::Runtime, file: &Path) -> Result<ExitCode> {
    super::print(&format!("{}\n", super::shown(file)))?;
    runtime.block_on(async {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminated.recv() => Ok(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The console with the demo's configuration; what it writes goes with the demo unless a place is named. The backups
/// are made while the console is on: a real tool takes its seconds.
fn show(
    runtime: &tokio::runtime::Runtime,
    file: &Path,
    text: &str,
    folder: &Path,
    globals: &Globals,
) -> Result<ExitCode> {
    let name = file.display().to_string();
    let first = plan(&name, text.to_owned())?;
    let state = globals.state.clone().unwrap_or_else(|| folder.join("state"));
    let globals = Globals { state: Some(state), ..globals.clone() };
    let (handle, folder, text) = (runtime.handle().clone(), folder.to_owned(), text.to_owned());
    let plans: console::Plans = Box::new(move |plans, events, _| {
        // A closed channel means that the console was left already.
        let _ = plans.blocking_send(first);
        let backups = handle.block_on(backups(&folder, Clock::start().wall()));
        if backups.is_empty() {
            let _ = events.blocking_send(Event::Remark("no backups in the demo: restic is not installed".into()));
        } else if let Ok(second) = plan(&name, text + &backups) {
            let _ = plans.blocking_send(second);
        }
    });
    console::show(plans, None, &UiOptions::default(), &globals)
}

fn plan(name: &str, text: String) -> Result<Plan> {
    match load::parse(name, text) {
        Ok(config) => super::bound(&config),
        Err(problems) => bail!("the demo's configuration has errors\n{problems}"),
    }
}

/// A backup that is too old and one that is not, made with the real tool; nothing where it is not installed.
async fn backups(folder: &Path, now: Timestamp) -> String {
    if process::find("restic").is_none() {
        return String::new();
    }
    let repository = folder.join("restic");
    let password = folder.join("restic.pw");
    let source = folder.join("data");
    let made = std::fs::create_dir(&source).is_ok()
        && std::fs::write(source.join("dump.sql"), "select 1;\n").is_ok()
        && std::fs::write(&password, "demo\n").is_ok()
        && std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).is_ok();
    if !made {
        return String::new();
    }
    let old = now.minus(Duration::from_hours(31));
    let time = old.rfc3339().replace('T', " ").chars().take(19).collect::<String>();
    let restic = |arguments: &[&str]| {
        let mut argv = vec!["restic".to_owned(), "--no-cache".to_owned(), "--quiet".to_owned()];
        argv.extend(["-r".to_owned(), repository.display().to_string()]);
        argv.extend(["--password-file".to_owned(), password.display().to_string()]);
        argv.extend(arguments.iter().map(|a| (*a).to_owned()));
        Program::new(argv).timeout(Duration::from_secs(20))
    };
    let data = source.display().to_string();
    for program in [restic(&["init"]), restic(&["backup", "--host", "db01", "--time", &time, &data])] {
        match process::run(&program).await {
            Ok(output) if output.status.success() => {}
            _ => return String::new(),
        }
    }
    format!(
        "[[backup]]\nname = \"db01 nightly\"\nkind = \"restic\"\nrepository = {:?}\npassword = {{ file = {:?} }}\nprotects = [\"db01\"]\nschedule = \"0 2 * * *\"\nrpo = \"26h\"\ninterval = \"30s\"\n\n[[backup]]\nname = \"web01 weekly\"\nkind = \"restic\"\nrepository = {:?}\npassword = {{ file = {:?} }}\nprotects = [\"web01\"]\nrpo = \"7d\"\ninterval = \"30s\"\n",
        repository.display().to_string(),
        password.display().to_string(),
        repository.display().to_string(),
        password.display().to_string(),
    )
}

/// A folder of our own that goes with the demo.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self> {
        let unique = format!("noctty-demo-{}-{:x}", std::process::id(), Clock::start().now().millis());
        let path = std::env::temp_dir().join(unique);
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .wrap_err_with(|| format!("cannot make {}", super::shown(&path)))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
