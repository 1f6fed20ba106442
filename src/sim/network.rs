//! The network of the demo: names, who hangs on whom, and the configuration that watches it. The faults of the script
//! are carried out here; nothing knows that it is watched.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::dns::NameServer;
use super::script::{self, Change};
use super::snmp;
use super::ssh::shell::{Machine, Role};
use super::ssh::{Presence, SshServers};
use super::topology::{Size, Topology};
use crate::base::Clock;
use crate::proto::snmp::usm::{AuthProtocol, PrivProtocol, User, UserError};

/// Hosts beyond this have no SSH server of their own and are pinged; so many switches have one too.
pub const SSH_SERVERS: usize = 400;
/// How the core switches prove their life, beside the walks of their ports.
const CORE_CHECKS: &str =
    "{ kind = \"snmp\", interval = \"4s\", timeout = \"1s\", retries = 1, retry_interval = \"500ms\" }";
/// How a server is, over the shell that it has. A server that is dead answers nobody: the other check says so, and a slow machine
/// that starts many sessions at once finds none that is.
const MACHINE_CHECK: &str = ", { kind = \"linux\", interval = \"10s\", timeout = \"10s\", attempts = 4 }";
/// The name server, as a host.
const NAME_SERVER: &str = "ns1";
/// The community of all agents; not a secret, but kept like one so that the demo's configuration is a model.
const COMMUNITY: &str = "noctty-demo";
/// The same for version 3.
const USER: &str = "noctty-demo";
const AUTH: (AuthProtocol, &str) = (AuthProtocol::Sha256, "noctty-demo-auth");
const PRIV: (PrivProtocol, &str) = (PrivProtocol::Aes128, "noctty-demo-priv");

/// The parts that hosts and the name server are made of, running.
#[derive(Debug)]
pub struct Servers {
    pub topology: Topology,
    ssh: SshServers,
    addresses: HashMap<usize, SocketAddr>,
    name_server: NameServer,
}

impl Servers {
    /// Starts the SSH servers, `most` of hosts and of switches, and the name server. What is needed to log in is written to `folder`.
    ///
    /// # Errors
    /// A port or a descriptor is missing, or `folder` cannot be written.
    pub async fn start(size: Size, most: usize, folder: &Path, clock: Clock) -> std::io::Result<Self> {
        let topology = Topology { size };
        let ssh = SshServers::prepare(folder, clock)?;
        let machine = |name: &str, address, role, seed| Machine {
            name: Arc::from(name),
            address,
            role,
            booted: clock.now().minus(Duration::from_secs(snmp::up_before(seed))),
            seed,
        };
        let mut addresses = HashMap::new();
        let mut names = HashMap::new();
        for host in 0..size.hosts {
            let name = Topology::host_name(host);
            let address = Topology::host_address(host);
            if host < most {
                let seed = size.seed.wrapping_mul(1_000_033).wrapping_add(host as u64);
                let machine = machine(&name, address, Role::Server, seed);
                addresses.insert(host, ssh.start(machine, address).await?);
            }
            names.insert(format!("{name}.demo.test."), address);
        }
        for switch in 0..size.switches.min(most) {
            let address = Topology::switch_address(switch);
            let role = Role::Switch { ports: u32::try_from(size.ports).unwrap_or(u32::MAX) };
            let machine = machine(&topology.switch_name(switch), address, role, topology.switch_seed(switch));
            ssh.start(machine, address).await?;
        }
        let name_server = NameServer::start(names).await?;
        ssh.start(machine(NAME_SERVER, Ipv4Addr::LOCALHOST, Role::Server, size.seed), Ipv4Addr::LOCALHOST).await?;
        Ok(Self { topology, ssh, addresses, name_server })
    }

    /// The configuration that watches the network, as a user would write it. `agents` is where each switch answers
    /// SNMP, with `v3` in version 3. Sessions go through an ssh_config of its own.
    ///
    /// # Errors
    /// The files that it names cannot be written.
    pub fn configuration(&self, folder: &Path, agents: &[SocketAddr], v3: bool) -> std::io::Result<String> {
        let secret =
            |name, text| write_private(folder, name, text).map(|path| format!("{:?}", path.display().to_string()));
        let identity = if v3 {
            let (auth, privacy) = (secret("auth", AUTH.1)?, secret("priv", PRIV.1)?);
            format!(
                "version = \"3\", user = \"{USER}\", auth = {{ protocol = \"{}\", password = {{ file = {auth} }} }}, priv = {{ protocol = \"{}\", password = {{ file = {privacy} }} }}",
                AUTH.0.name(),
                PRIV.0.name(),
            )
        } else {
            format!("version = \"2c\", community = {{ file = {} }}", secret("community", COMMUNITY)?)
        };
        let ssh_config = self.ssh.write_files()?;
        let size = self.topology.size;
        // A large network is polled as one would poll it; a small one so that something is to be seen.
        let large = size.hosts + size.switches > 200;
        let (fast, walk) = if large { ("30s", "60s") } else { ("5s", "10s") };
        // How its servers are, as of machines that somebody watches; of many, that they answer is enough.
        let machine = if large { "" } else { MACHINE_CHECK };
        let mut out = format!("[ssh]\nconfig = {:?}\n\n", ssh_config.display().to_string());
        for (switch, agent) in agents.iter().enumerate() {
            let name = self.topology.agent_name(switch);
            let site = self.topology.site(switch);
            // What is core is known to be down within ten seconds, as the tag promises. An echo proves nothing here: whoever is
            // dead on loopback answers it.
            let (tags, checks, pace) = if switch < 2 {
                ("tags = [\"core\"]\n", CORE_CHECKS, "")
            } else {
                ("", "", ", timeout = \"2s\", retry_interval = \"2s\"")
            };
            let parents = self
                .topology
                .uplink(switch)
                .filter(|_| switch < size.switches)
                .map(|up| format!("parents = [\"{}\"]\n", self.topology.switch_name(up)));
            let _ = write!(
                out,
                "[[host]]\nname = \"{name}\"\naddress = \"{}\"\nssh = \"{name}\"\n{tags}{}group = \"network\"\nsite = \"{site}\"\nchecks = [{checks}]\nsnmp = {{ {identity}, port = {}, interval = \"{walk}\"{pace} }}\n\n",
                agent.ip(),
                parents.unwrap_or_default(),
                agent.port(),
            );
        }
        for host in 0..size.hosts {
            let name = Topology::host_name(host);
            let switch = self.topology.switch_of(host);
            let site = self.topology.site(switch.unwrap_or_default());
            let parents = switch.map(|s| format!("parents = [\"{}\"]\n", self.topology.switch_name(s)));
            let (address, check) = match self.addresses.get(&host) {
                Some(at) => (
                    at.ip().to_string(),
                    format!(
                        "{{ kind = \"ssh\", port = {}, interval = \"{fast}\", retry_interval = \"2s\", timeout = \"2s\" }}{machine}",
                        at.port()
                    ),
                ),
                None => {
                    (Topology::host_address(host).to_string(), format!("{{ kind = \"icmp\", interval = \"{fast}\" }}"))
                }
            };
            let _ = write!(
                out,
                "[[host]]\nname = \"{name}\"\naddress = \"{address}\"\nssh = \"{name}\"\n{}group = \"servers\"\nsite = \"{site}\"\nchecks = [{check}]\n\n",
                parents.unwrap_or_default()
            );
        }
        let dns = self.name_server.address;
        let _ = write!(
            out,
            "[[host]]\nname = \"{NAME_SERVER}\"\naddress = \"{}\"\nssh = \"{NAME_SERVER}\"\ngroup = \"servers\"\nsite = \"{}\"\nchecks = [{{ kind = \"dns\", port = {}, name = \"db01.demo.test\", expect = \"{}\", interval = \"{fast}\", retry_interval = \"2s\" }}]\n\n",
            dns.ip(),
            self.topology.site(0),
            dns.port(),
            Topology::host_address(0),
        );
        Ok(out)
    }

    /// Carries out what concerns hosts and the name server.
    pub async fn apply(&self, change: Change) {
        match change {
            Change::Host { host, alive } => {
                let presence = if alive { Presence::Here } else { Presence::Dead };
                self.ssh.set(&Topology::host_name(host), presence).await;
            }
            Change::Switch { switch, alive } => {
                // What is behind it lives, and nothing comes through.
                let behind = if alive { Presence::Here } else { Presence::Unreachable };
                let own = if alive { Presence::Here } else { Presence::Dead };
                let (switches, hosts) = self.topology.below(switch);
                for host in hosts {
                    self.ssh.set(&Topology::host_name(host), behind).await;
                }
                for below in switches {
                    let presence = if below == switch { own } else { behind };
                    self.ssh.set(&self.topology.switch_name(below), presence).await;
                }
            }
            Change::NameServer { alive } => self.name_server.set_alive(alive),
            Change::Link { .. } => {}
        }
    }

    /// Plays the lesson of the tour, once; `network` carries out what concerns the switches.
    pub async fn teach(&self, mut network: impl FnMut(Change)) {
        let size = self.topology.size;
        let mut before = Duration::ZERO;
        for step in script::lesson(size.hosts, size.switches, size.ports) {
            tokio::time::sleep(step.at.saturating_sub(before)).await;
            before = step.at;
            self.apply(step.change).await;
            network(step.change);
        }
    }

    /// Plays the script round after round, until it is dropped; `network` carries out what concerns the switches.
    pub async fn play(&self, mut network: impl FnMut(Change)) {
        let size = self.topology.size;
        for round in 0u64.. {
            let mut before = Duration::ZERO;
            for step in script::steps(size.seed.wrapping_add(round), size.hosts, size.switches, size.ports) {
                tokio::time::sleep(step.at.saturating_sub(before)).await;
                before = step.at;
                self.apply(step.change).await;
                network(step.change);
            }
            tokio::time::sleep(script::ROUND.saturating_sub(before)).await;
        }
    }
}

/// Writes a file that only its owner can read.
///
/// # Errors
/// What the system said.
pub fn write_private(folder: &Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    let path = folder.join(name);
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}

/// The user that all agents know in version 3.
///
/// # Errors
/// None in fact: its name and passwords are long enough.
pub fn user() -> Result<User, UserError> {
    let (auth, privacy) = ((AUTH.0, AUTH.1.as_bytes()), (PRIV.0, PRIV.1.as_bytes()));
    User::new(USER.as_bytes(), Some(auth), Some(privacy))
}

/// The community that all agents answer to.
pub fn community() -> &'static str {
    COMMUNITY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_network_hangs_on_each_core_switch() {
        let topology = Topology { size: Size { hosts: 24, switches: 8, ports: 24, seed: 1 } };
        assert_eq!(topology.switch_name(1), "core-sw2");
        let (switches, hosts) = topology.below(1);
        assert_eq!(switches, [1, 3, 5, 7]);
        assert_eq!(hosts.len(), 12);
        assert_eq!(topology.below(4).0, [4]);
    }

    #[test]
    fn names_are_unique_in_a_large_network() {
        let topology = Topology { size: Size { hosts: 10_000, switches: 1_000, ports: 48, seed: 1 } };
        let mut names: Vec<String> = (0..10_000).map(Topology::host_name).collect();
        names.extend((0..1_000).map(|s| topology.switch_name(s)));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
