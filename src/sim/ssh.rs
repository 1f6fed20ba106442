//! The SSH servers of the simulated network: a real handshake, host keys and public-key log-in by russh, and behind
//! it a small line shell. One listener each on loopback. A dead one refuses, as a stopped sshd does, and its open
//! sessions are cut off without a word. Where only the way to it is gone, its sessions are silent meanwhile and go on later. A
//! caller that only reads the version line costs no handshake.

mod identity;
mod login;
pub mod shell;
mod vitals;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::MethodSet;
use russh::keys::PublicKey;
use russh::server::{self, Config};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::base::Clock;
use login::Login;
use shell::Machine;

/// Whom the servers let in.
pub const USER: &str = "ops";
/// Of the demo's folder: what its own SSH client reads.
const FOLDER: &str = "ssh";
/// Says what it is; RFC 4253 §4.2 allows no hyphen within.
const VERSION: &str = "SSH-2.0-noctty_demo";
/// A caller that does not say its own version is let go.
const PATIENCE: Duration = Duration::from_secs(10);
/// A session that says nothing for this long is ended; clients that live send keepalives.
const SILENCE: Duration = Duration::from_secs(600);
/// Nobody types more.
const WINDOW: u32 = 64 * 1024;

/// All servers, by the name of their machine.
#[derive(Debug)]
pub struct SshServers {
    /// The only key that is let in.
    client: Arc<PublicKey>,
    files: Files,
    clock: Clock,
    running: Mutex<BTreeMap<Arc<str>, Server>>,
}

/// What the demo writes for its own SSH client.
#[derive(Clone, Debug)]
struct Files {
    config: PathBuf,
    key: PathBuf,
    known_hosts: PathBuf,
}

struct Server {
    machine: Arc<Machine>,
    address: SocketAddr,
    config: Arc<Config>,
    key: PublicKey,
    /// While it listens: ends that.
    listening: Option<CancellationToken>,
    /// Whether anything passes between its sessions and their callers; they end with the sender.
    line: watch::Sender<bool>,
}

/// How a machine is to its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Here,
    /// It goes on, but nothing reaches it.
    Unreachable,
    Dead,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("machine", &self.machine.name)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl SshServers {
    /// Where [`SshServers::write_files`] writes the ssh_config.
    pub fn config_file(folder: &Path) -> PathBuf {
        folder.join(FOLDER).join("config")
    }

    /// Makes a key pair that lasts as long as `folder`, and writes the private half there.
    ///
    /// # Errors
    /// No random bytes, or the folder cannot be written.
    pub fn prepare(folder: &Path, clock: Clock) -> io::Result<Self> {
        let config = Self::config_file(folder);
        let folder = folder.join(FOLDER);
        identity::make_folder(&folder)?;
        let files = Files { config, key: folder.join("id_ed25519"), known_hosts: folder.join("known_hosts") };
        let pair = identity::generate("noctty demo")?;
        let text = pair.to_openssh(russh::keys::ssh_key::LineEnding::LF).map_err(io::Error::other)?;
        identity::write_private(&files.key, &text)?;
        Ok(Self { client: Arc::new(pair.public_key().clone()), files, clock, running: Mutex::default() })
    }

    /// Starts a server on a free port of `address`; where it listens.
    ///
    /// # Errors
    /// No port, no descriptor or no random bytes can be had.
    pub async fn start(&self, machine: Machine, address: Ipv4Addr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((address, 0)).await?;
        let address = listener.local_addr()?;
        let pair = identity::generate(&machine.name)?;
        let key = pair.public_key().clone();
        let config = Config {
            server_id: russh::SshId::Standard(Cow::Borrowed(VERSION)),
            methods: MethodSet::from([russh::MethodKind::PublicKey].as_slice()),
            // Nothing is guarded here, and whoever tries is on this machine.
            auth_rejection_time: Duration::from_millis(100),
            auth_rejection_time_initial: Some(Duration::ZERO),
            keys: vec![pair],
            window_size: WINDOW,
            inactivity_timeout: Some(SILENCE),
            nodelay: true,
            ..Config::default()
        };
        let mut server = Server {
            machine: Arc::new(machine),
            address,
            config: Arc::new(config),
            key,
            listening: None,
            line: watch::Sender::new(true),
        };
        server.serve(listener, self);
        self.lock().insert(server.machine.name.clone(), server);
        Ok(address)
    }

    /// Stops or restarts a machine's server on its own port, or the way to it; nothing where it has none.
    pub async fn set(&self, name: &str, presence: Presence) {
        let Some((_, mut server)) = self.lock().remove_entry(name) else { return };
        match presence {
            Presence::Here => {
                if server.listening.is_none()
                    && let Ok(listener) = TcpListener::bind(server.address).await
                {
                    server.serve(listener, self);
                }
                server.line.send_replace(true);
            }
            Presence::Unreachable => {
                server.stop_listening();
                server.line.send_replace(false);
            }
            Presence::Dead => {
                server.stop_listening();
                server.line = watch::Sender::new(true);
            }
        }
        self.lock().insert(server.machine.name.clone(), server);
    }

    /// Writes `known_hosts` and an ssh_config for the servers that were started; the path of the latter. Nothing of
    /// the user's own keys, agent or known hosts is used through it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write_files(&self) -> io::Result<PathBuf> {
        let mut known = String::new();
        let mut config = String::from(
            "# Made by `noctty demo`, and gone with it. Keys and known hosts of its own: nothing of ~/.ssh is used.\n",
        );
        for server in self.lock().values() {
            let (name, at) = (&server.machine.name, server.address);
            let key = server.key.to_openssh().map_err(io::Error::other)?;
            let mut words = key.split(' ');
            let (algorithm, blob) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let _ = writeln!(known, "{name} {algorithm} {blob}");
            let _ = writeln!(
                config,
                "Host {name}\n    HostName {}\n    Port {}\n    HostKeyAlias {name}",
                at.ip(),
                at.port()
            );
        }
        // A machine without a server is refused; it is not looked for at port 22 of this one.
        let _ = writeln!(
            config,
            "Host *\n    User {USER}\n    Port 1\n    IdentityFile {}\n    IdentitiesOnly yes\n    IdentityAgent none\n    \
             UserKnownHostsFile {}\n    GlobalKnownHostsFile /dev/null\n    StrictHostKeyChecking yes",
            identity::quoted(&self.files.key),
            identity::quoted(&self.files.known_hosts),
        );
        identity::write_private(&self.files.known_hosts, &known)?;
        identity::write_private(&self.files.config, &config)?;
        Ok(self.files.config.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Arc<str>, Server>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SshServers {
    fn drop(&mut self) {
        self.lock().values_mut().for_each(Server::stop_listening);
    }
}

impl Server {
    fn stop_listening(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.cancel();
        }
    }

    fn serve(&mut self, listener: TcpListener, servers: &SshServers) {
        let listening = CancellationToken::new();
        self.listening = Some(listening.clone());
        let line = self.line.subscribe();
        let (config, machine) = (self.config.clone(), self.machine.clone());
        let (client, clock) = (servers.client.clone(), servers.clock);
        tokio::spawn(async move {
            let accepting = async move {
                loop {
                    let Ok((stream, _)) = listener.accept().await else {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    };
                    let login = Login::new(machine.clone(), client.clone(), clock);
                    tokio::spawn(converse(stream, config.clone(), login, line.clone()));
                }
            };
            tokio::select! {
                () = accepting => {}
                () = listening.cancelled() => {}
            }
        });
    }
}

/// One connection, to its end or to the end of the machine, which says nothing at it.
async fn converse(mut stream: TcpStream, config: Arc<Config>, login: Login, mut line: watch::Receiver<bool>) {
    let (mut near, far) = tokio::io::duplex(WINDOW as usize);
    let talking = async {
        // Most callers read the version line and go: that ends here, before any key is exchanged.
        if let Ok(Ok(session)) = tokio::time::timeout(PATIENCE, server::run_stream(config, far, login)).await {
            // How it ended concerns the caller only.
            let _ = session.await;
        }
    };
    tokio::spawn(talking);
    let mut passing = std::pin::pin!(tokio::io::copy_bidirectional(&mut stream, &mut near));
    loop {
        let passes = *line.borrow_and_update();
        tokio::select! {
            _ = &mut passing, if passes => return,
            changed = line.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests;
