//! The simulated network of the demo and the tour, while it runs: its servers, agents and repositories, the configuration that
//! watches it, and what breaks by itself.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _, bail};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use rustix::process::{Pid, geteuid, test_kill_process};
use tokio::runtime::{Handle, Runtime};
use tokio::task::AbortHandle;

use super::plans::{self, Plans};
use crate::base::{Clock, text};
use crate::config::{SshOptions, load};
use crate::engine::Plan;
use crate::sim::campus;
use crate::sim::network::{self, Servers, community};
use crate::sim::repository::{PASSWORD, Repositories};
use crate::sim::script::{Change, ROUND};
use crate::sim::snmp::{AgentSpec, SnmpAgents};
use crate::sim::ssh::SshServers;
use crate::sim::topology::{Size, Topology};
use crate::ssh::Surroundings;
use crate::state::Event;

/// So long a network may take to start that nobody wants any more.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How the network behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Switches are asked in version 3.
    pub v3: bool,
    pub course: Course,
    /// How many hosts have one.
    pub ssh_servers: usize,
}

/// What breaks by itself.
#[derive(Clone, Copy, Debug)]
pub enum Course {
    /// The script, round after round.
    Rounds,
    Steady,
    /// What the tour talks about, once and for good.
    Lesson,
}

/// The network while it runs: it ends when this is dropped.
pub struct Network {
    /// The configuration that watches it.
    pub file: PathBuf,
    text: String,
    tasks: [AbortHandle; 2],
    _servers: Arc<Servers>,
    _agents: Arc<SnmpAgents>,
}

impl Drop for Network {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

pub fn start(size: Size, manner: Manner, folder: &Path, runtime: &Handle) -> Result<Network> {
    let clock = Clock::start();
    let agents = Arc::new(start_agents(size, manner.v3, clock)?);
    let servers = runtime.block_on(Servers::start(size, manner.ssh_servers, folder, clock));
    let servers = Arc::new(servers.wrap_err("cannot start the simulated servers")?);
    let (repositories, backups) = backups(folder, size.hosts)?;
    let text = servers.configuration(folder, agents.addresses(), manner.v3)? + &backups + &traps(folder, &agents)?;
    let file = folder.join("noctty.toml");
    std::fs::write(&file, &text).wrap_err_with(|| format!("cannot write {}", super::shown(&file)))?;
    let player = {
        let (servers, agents) = (servers.clone(), agents.clone());
        runtime.spawn(async move {
            let topology = servers.topology.clone();
            let network = |change| apply(&agents, &topology, change);
            match manner.course {
                Course::Rounds => servers.play(network).await,
                Course::Lesson => servers.teach(network).await,
                Course::Steady => {}
            }
        })
    };
    let backing_up = runtime.spawn(keep_backing_up(repositories));
    let tasks = [player.abort_handle(), backing_up.abort_handle()];
    Ok(Network { file, text, tasks, _servers: servers, _agents: agents })
}

fn start_agents(size: Size, v3: bool, clock: Clock) -> Result<SnmpAgents> {
    let topology = Topology { size };
    let user = if v3 { Some(Arc::new(network::user()?)) } else { None };
    let specs = (0..topology.agents())
        .map(|agent| AgentSpec {
            address: SocketAddr::new(IpAddr::V4(Topology::switch_address(agent)), 0),
            name: topology.agent_name(agent),
            community: community().to_owned(),
            user: user.clone(),
            ports: u32::try_from(topology.agent_ports(agent)).unwrap_or(u32::MAX),
            seed: topology.switch_seed(agent),
        })
        .collect();
    SnmpAgents::start_with(specs, campus::says(&topology), clock).wrap_err("cannot start the simulated switches")
}

/// The switches tell when a link changes; the part of the configuration that listens for it.
fn traps(folder: &Path, agents: &SnmpAgents) -> Result<String> {
    // A port that is free now: nobody else is likely to take it before the console does.
    let free = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr())?;
    let secret = network::write_private(folder, "traps", community())?;
    agents.tell(free, community());
    Ok(format!("[traps]\nlisten = \"{free}\"\ncommunity = {{ file = {:?} }}\n\n", secret.display().to_string()))
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

/// Starts the network where the console asks for its plans. The network comes back by the other end: whoever takes it
/// ends it.
pub fn plans(
    size: Size,
    manner: Manner,
    folder: &Path,
    runtime: &Handle,
    ssh: &Surroundings,
) -> (Plans, Receiver<Result<Network>>) {
    let (keep, kept) = std::sync::mpsc::channel();
    let (folder, runtime, ssh) = (folder.to_owned(), runtime.clone(), ssh.clone());
    let plans: Plans = Box::new(move |plans, events, _| {
        // The engine may have ended already: then nobody is left to be told.
        let _ = events.blocking_send(Event::Discovering(true));
        let started = start(size, manner, &folder, &runtime).and_then(|network| {
            let plan = plan(&network.file.display().to_string(), network.text.clone())?;
            plans::send_plan(plan, ssh, &plans);
            Ok(network)
        });
        if let Err(error) = &started {
            let _ =
                events.blocking_send(Event::Remark(text::clean(&format!("the demo cannot start: {error:#}")).into()));
        }
        let _ = events.blocking_send(Event::Discovering(false));
        let _ = keep.send(started);
    });
    (plans, kept)
}

/// The network of the tour, as the demo has it where nobody says otherwise, in a folder of its own.
#[derive(Debug)]
pub struct Lesson {
    pub ssh: Surroundings,
    folder: Folder,
}

impl Lesson {
    pub fn prepare() -> Result<Self> {
        let folder = Folder::create()?;
        let ssh = super::surroundings(&SshOptions { config: Some(SshServers::config_file(&folder.path)) });
        Ok(Self { ssh, folder })
    }

    /// Where its engine keeps what it keeps.
    pub fn state(&self) -> PathBuf {
        self.folder.path.join("state")
    }

    /// Runs the network on that runtime for as long as `watch` does, which gets the plans. Then all of it ends.
    pub fn run(self, runtime: Runtime, watch: impl FnOnce(Plans)) {
        let size = Size { hosts: 24, switches: 8, ports: 28, seed: 1 };
        let manner = Manner { v3: false, course: Course::Lesson, ssh_servers: network::SSH_SERVERS };
        let (plans, kept) = plans(size, manner, &self.folder.path, runtime.handle(), &self.ssh);
        watch(plans);
        // Nothing is written into the folder any more when it goes.
        drop(kept.recv_timeout(PATIENCE));
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

fn plan(name: &str, text: String) -> Result<Plan> {
    match load::parse(name, text) {
        Ok(config) => super::bound(&config),
        Err(problems) => bail!("the demo's configuration has errors\n{problems}"),
    }
}

/// The repositories of the demo, and the part of the configuration that has them read. The tool that reads them is
/// this program itself.
fn backups(folder: &Path, hosts: usize) -> Result<(Repositories, String)> {
    let program = std::env::current_exe().wrap_err("cannot find this program's own file")?;
    let password = folder.join("repository.pw");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&password)?;
    file.write_all(PASSWORD.as_bytes())?;
    let repositories = Repositories::create(&folder.join("repositories"), Clock::start().wall())
        .wrap_err("cannot write the simulated repositories")?;
    let names: Vec<String> = (0..hosts).map(Topology::host_name).collect();
    let text = repositories.configuration(&program, &password, &names);
    Ok((repositories, text))
}

/// The job that runs while the demo does, and is missed in a part of each round.
async fn keep_backing_up(mut repositories: Repositories) {
    let clock = Clock::start();
    let begun = clock.now();
    loop {
        let round = Duration::from_secs(clock.now().since(begun).as_secs() % ROUND.as_secs());
        if let Err(error) = repositories.advance(round, clock.wall()) {
            tracing::warn!(%error, "the simulated backup could not be written");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// How the folders of demos are called; their process and a time follow.
const NAMED: &str = "noctty-demo-";

/// In each of them: locked for as long as its demo lives, so that one in another namespace of processes is not taken for dead.
const ALIVE: &str = "alive";

/// A folder of our own that goes with the demo, however that ends: what is left of one that was killed, the next takes away.
#[derive(Debug)]
pub struct Folder {
    pub path: PathBuf,
    _alive: File,
}

impl Folder {
    pub fn create() -> Result<Self> {
        let above = std::env::temp_dir();
        clear(&above);
        let path = above.join(format!("{NAMED}{}-{:x}", std::process::id(), Clock::start().now().millis()));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .wrap_err_with(|| format!("cannot make {}", super::shown(&path)))?;
        let lock = alive(&path).wrap_err_with(|| format!("cannot write to {}", super::shown(&path)))?;
        Ok(Self { path, _alive: lock })
    }
}

/// Locks the folder for whoever asks; fails where somebody has it.
fn alive(folder: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(folder.join(ALIVE))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// Takes away what demos left that were killed: folders of this user alone, by their name and mode made here, whose process is gone
/// and whose lock nobody holds. What cannot be removed is left to the system's own cleaning.
fn clear(above: &Path) {
    for entry in std::fs::read_dir(above).into_iter().flatten().flatten() {
        let made = entry.file_name().to_str().and_then(maker);
        if made.is_none_or(|pid| test_kill_process(pid) != Err(Errno::SRCH)) {
            continue;
        }
        // Of the entry itself: a link is not followed.
        let is_own = |meta: std::fs::Metadata| {
            meta.is_dir() && meta.uid() == geteuid().as_raw() && meta.mode() & 0o7777 == 0o700
        };
        if entry.metadata().is_ok_and(is_own)
            && let Ok(lock) = alive(&entry.path())
        {
            let _ = std::fs::remove_dir_all(entry.path());
            drop(lock);
        }
    }
}

/// The process that made a folder of that name; nothing where no demo calls its folder so.
fn maker(name: &str) -> Option<Pid> {
    let (pid, time) = name.strip_prefix(NAMED)?.split_once('-')?;
    u64::from_str_radix(time, 16).ok()?;
    Pid::from_raw(pid.parse().ok().filter(|pid| *pid > 0)?)
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_killed_demos_left_is_taken_away_and_nothing_else() {
        let above = tempfile::tempdir().expect("a folder");
        let mut child = std::process::Command::new("true").spawn().expect("it starts");
        let (dead, own) = (child.id(), std::process::id());
        child.wait().expect("it ends");
        let make = |name: String| {
            let path = above.path().join(name);
            std::fs::create_dir_all(path.join("repositories/one")).expect("a folder");
            std::fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("private");
            path
        };
        let left = [make(format!("noctty-demo-{dead}-1a2b")), make(format!("noctty-demo-{dead}-3"))];
        std::fs::write(left[0].join("alive"), "").expect("a lock that nobody holds");
        let elsewhere = make(format!("noctty-demo-{dead}-4"));
        let _held = alive(&elsewhere).expect("a demo in a container");
        let open = make(format!("noctty-demo-{dead}-5"));
        std::fs::set_permissions(&open, Permissions::from_mode(0o755)).expect("not as we make them");
        let names = ["x", "-3", "0-3", "+1-zz", "1 -3"].map(|end| make(format!("noctty-demo-{end}")));
        let living = make(format!("noctty-demo-{own}-6"));
        let link = above.path().join(format!("noctty-demo-{dead}-7"));
        std::os::unix::fs::symlink(&living, &link).expect("a link");
        clear(above.path());
        assert!(left.iter().all(|path| !path.exists()), "{left:?}");
        for path in names.iter().chain([&elsewhere, &open, &living, &link]) {
            assert!(path.exists(), "{}", path.display());
        }
    }
}
