//! `noctty demo`: a simulated network over real protocols on loopback, and the console on it. With `--headless` the
//! network alone, for load tests.

use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use tokio::runtime::{Handle, Runtime};

use super::plans::Findings;
use super::simulated::{Course, Folder, Manner, PATIENCE, plans, start};
use super::view::Opening;
use super::{Globals, console, wall};
use crate::config::{SshOptions, UiOptions, WallOptions};
use crate::sim::network;
use crate::sim::ssh::SshServers;
use crate::sim::topology::Size;
use crate::ui::tour::World;

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
    /// Hosts, and switches, that have an SSH server; the others are pinged
    #[arg(long, value_name = "N", default_value_t = network::SSH_SERVERS)]
    ssh_servers: usize,
    /// Speak SNMP version 3 (authPriv) with the switches instead of 2c
    #[arg(long)]
    v3: bool,
    /// No console: print where the configuration is, and run until told to stop
    #[arg(long)]
    headless: bool,
    /// Nothing breaks by itself
    #[arg(long)]
    steady: bool,
    /// Begin with the tour: five minutes, a step at a time (:tour does it in any console)
    #[arg(long, conflicts_with_all = ["headless", "wall", "steady"])]
    tour: bool,
    /// The theme of the console or the wall
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// The wall on it instead of the console
    #[arg(long, conflicts_with = "headless")]
    wall: bool,
    /// With --wall, only this page; may be given again
    #[arg(long, value_name = "PAGE", requires = "wall")]
    page: Vec<String>,
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
    let course = match (args.steady, args.tour) {
        (true, _) => Course::Steady,
        (_, true) => Course::Lesson,
        _ => Course::Rounds,
    };
    let manner = Manner { v3: args.v3, course, ssh_servers: args.ssh_servers };
    let outcome = if args.headless {
        start(size, manner, &folder.path, runtime.handle()).and_then(|network| headless(&runtime, &network.file))
    } else {
        show(size, manner, &folder.path, runtime.handle(), args, globals)
    };
    runtime.shutdown_background();
    outcome
}

fn headless(runtime: &Runtime, file: &Path) -> Result<ExitCode> {
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

/// The console at once, and the network beside it: hundreds of servers take longer to start than a first picture may.
/// What the console writes goes with the demo unless a place is named.
fn show(
    size: Size,
    manner: Manner,
    folder: &Path,
    runtime: &Handle,
    args: &DemoArgs,
    globals: &Globals,
) -> Result<ExitCode> {
    let state = globals.state.clone().unwrap_or_else(|| folder.join("state"));
    let globals = Globals { state: Some(state), ..globals.clone() };
    let ssh = super::surroundings(&SshOptions { config: Some(SshServers::config_file(folder)) });
    let (plans, kept) = plans(size, manner, folder, runtime, &ssh);
    let (ui, theme) = (UiOptions::default(), args.theme.as_deref());
    let outcome = if args.wall {
        wall::show(plans, WallOptions::default(), &ui, (&args.page, theme), ssh, &[], &globals)
    } else {
        let opening = Opening { world: World::Demo, tour: args.tour };
        console::show(plans, None, &ui.with_theme(theme), ssh, Findings::default(), opening, &globals)
    };
    // Whoever leaves at once waits for it, so that nothing is written into a folder that is being removed.
    drop(kept.recv_timeout(PATIENCE));
    outcome
}
