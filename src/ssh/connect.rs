//! Makes a connection through all hops: TCP to the first, a forwarded connection through each to the next, and
//! in each an SSH session of its own from end to end, so that a jump host sees nothing and proves nothing about
//! the target. Every step has a deadline; a question to the operator stops it.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use russh::client::{self, Handle};
use russh::keys::Algorithm;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::attendant::Attendant;
use super::auth;
use super::config::{HostSettings, SshConfig};
use super::error::SshError;
use super::greeting::{Heard, Overheard};
use super::guard::{Ending, Guard, GuardError, protocol_words};
use super::jump;
use super::known_hosts::{KnownHosts, KnownHostsError};
use super::target::Target;
use crate::base::text::clean;
use crate::net::resolve::Names;
use crate::net::tcp;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(20);
const CHANNEL_LIMIT: Duration = Duration::from_secs(15);
const KEEPALIVES_MISSED: usize = 3;
/// Addresses of a name that are tried.
const MOST_ADDRESSES: usize = 4;
/// How long somebody who types waits for a look-up where an older address is known.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a connection is made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose {
    /// Small, so that a flood cannot pile up.
    window: u32,
    /// Packets of one channel that may wait here before the transport waits too.
    packets: usize,
    /// Where the configuration asks for none, and at most: a dead line is noticed within three of these.
    keepalive: Duration,
    longest_keepalive: Duration,
    look_up: LookUp,
    /// The longest that its addresses have to answer.
    connect: Duration,
}

impl Purpose {
    /// Of whoever has only so long.
    pub(super) fn within(self, connect: Duration) -> Self {
        Self { connect: connect.min(self.connect), ..self }
    }
}

/// How a name is looked up.
#[derive(Clone, Copy, Debug)]
enum LookUp {
    /// Once for all who ask, and remembered.
    Shared,
    /// Each time, with all the addresses that there are.
    Anew,
}

/// Somebody types: Ctrl+C is felt soon, and a dead line is noticed soon.
pub(super) const TYPING: Purpose = Purpose {
    window: 256 * 1024,
    packets: 16,
    keepalive: Duration::from_secs(10),
    longest_keepalive: Duration::from_secs(30),
    look_up: LookUp::Anew,
    connect: Duration::MAX,
};
/// One of a thousand that are asked now and then.
pub(super) const WATCHING: Purpose = Purpose {
    window: 64 * 1024,
    packets: 4,
    keepalive: Duration::from_secs(30),
    longest_keepalive: Duration::from_secs(60),
    look_up: LookUp::Shared,
    connect: Duration::MAX,
};

/// An authenticated session with a host.
pub struct Connection {
    /// Fields drop in order: this session goes before the one that carries it.
    pub(super) target: Handle<Guard>,
    /// The session with the jump host that this one runs through; shared with whatever else goes that way.
    via: Option<Arc<Connection>>,
    pub(super) hop: String,
    pub(super) ending: Ending,
    /// Commands that run over it.
    pub(super) commands: AtomicUsize,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("hop", &self.hop).field("via", &self.via).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects to `target` as `config` says. A name that does not resolve now has the address that `names` know of it.
    ///
    /// # Errors
    /// Which hop, what was tried, and why it did not work.
    pub async fn open(
        config: &SshConfig,
        target: &Target,
        names: &Names,
        attendant: &Attendant,
    ) -> Result<Self, SshError> {
        let mut reached: Option<Arc<Self>> = None;
        for settings in jump::chain(config, target)? {
            let known = known_hosts(&settings).map_err(|(hop, source)| SshError::KnownHosts { hop, source })?;
            let next = Self::hop(Arc::new(settings), reached.take(), Arc::new(known), TYPING, names, attendant).await?;
            reached = Some(Arc::new(next));
        }
        // Nobody else holds the last one.
        reached.and_then(Arc::into_inner).ok_or_else(|| SshError::BadTarget(clean(&target.host)))
    }

    /// One hop: directly, or through the session with the hop before.
    pub(super) async fn hop(
        settings: Arc<HostSettings>,
        via: Option<Arc<Self>>,
        known: Arc<KnownHosts>,
        purpose: Purpose,
        names: &Names,
        attendant: &Attendant,
    ) -> Result<Self, SshError> {
        let hop = jump::label(&settings);
        let ending = Ending::default();
        let place = Place { settings: &settings, hop: &hop, known, ending: &ending, purpose };
        let handle = if let Some(jump) = &via {
            attendant.step(format!("connecting to {hop} through {}", jump.hop)).await;
            let stream = forward(jump, &settings, &hop, attendant).await?;
            handshake(stream, place, attendant).await?
        } else {
            attendant.step(format!("connecting to {hop}")).await;
            let stream = dial(&settings, &hop, purpose, names, attendant).await?;
            handshake(stream, place, attendant).await?
        };
        attendant.step(format!("authenticating to {hop} as {}", clean(&settings.user))).await;
        let target = auth::authenticate(handle, &settings, &hop, &ending, attendant).await?;
        Ok(Self { target, via, hop, ending, commands: AtomicUsize::new(0) })
    }

    /// Nothing more can be asked over it.
    pub fn is_lost(&self) -> bool {
        self.target.is_closed() || self.via.as_ref().is_some_and(|via| via.is_lost())
    }

    /// Whether the other side still answers at all: what tells a command that hangs from a line that is dead.
    pub(super) async fn answers(&self, within: Duration) -> bool {
        let ping = tokio::time::timeout(within, self.target.send_ping());
        matches!(ping.await, Ok(Ok(()))) && !self.is_lost()
    }

    /// Why it ended, where the transport said so.
    pub(super) fn ending(&self) -> Option<String> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new channel for a shell or a command.
    pub(super) async fn channel(&self) -> Result<russh::Channel<client::Msg>, SshError> {
        let what = "session channel";
        let failed = |reason: String| SshError::Channel { hop: self.hop.clone(), what, reason };
        match tokio::time::timeout(CHANNEL_LIMIT, self.target.channel_open_session()).await {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err(russh::Error::ChannelOpenFailure(why))) => Err(failed(format!(
                "the server opens none ({why:?}); where it is OpenSSH, see MaxSessions in its sshd_config"
            ))),
            Ok(Err(error)) => Err(failed(clean(&error.to_string()))),
            Err(_) => {
                Err(SshError::TimedOut { hop: self.hop.clone(), step: "opening a channel", limit: CHANNEL_LIMIT })
            }
        }
    }
}

async fn dial(
    settings: &HostSettings,
    hop: &str,
    purpose: Purpose,
    names: &Names,
    attendant: &Attendant,
) -> Result<TcpStream, SshError> {
    let limit = settings.connect_timeout.unwrap_or(CONNECT_LIMIT).min(purpose.connect).max(Duration::from_secs(1));
    let name = settings.host_name.as_str();
    let unresolved = |reason: String| SshError::Resolve { hop: hop.to_owned(), name: clean(name), reason };
    let found = match purpose.look_up {
        LookUp::Shared => shared(names, name, limit).await,
        LookUp::Anew => anew(names, name, limit, attendant).await,
    };
    let addresses = found.map_err(unresolved)?;
    if addresses.is_empty() {
        return Err(unresolved("it has no address".to_owned()));
    }
    let failed = |address: String, reason: String| SshError::Connect { hop: hop.to_owned(), address, reason };
    let connected = tcp::connect_any(&addresses, settings.port, limit).await;
    let stream = connected.map_err(|error| failed(error.address(), error.reason()))?.stream;
    // Keys are single bytes: waiting to fill a segment would be felt.
    stream.set_nodelay(true).map_err(|error| failed(clean(name), error.to_string()))?;
    Ok(stream)
}

/// As all who watch look it up, and remember it.
async fn shared(names: &Names, name: &str, limit: Duration) -> Result<Vec<IpAddr>, String> {
    names.addresses(&Arc::from(name), None, limit).await.map_err(|error| clean(&error.reason()))
}

/// As ssh does; where that fails, and a check had an address of it once, that one.
async fn anew(names: &Names, name: &str, limit: Duration, attendant: &Attendant) -> Result<Vec<IpAddr>, String> {
    let last = names.last_known(name);
    let patience = if last.is_some() { limit.min(PATIENCE) } else { limit };
    let why = match tokio::time::timeout(patience, tokio::net::lookup_host((name, 0))).await {
        Ok(Ok(found)) => {
            let found: Vec<IpAddr> = found.take(MOST_ADDRESSES).map(|address| address.ip()).collect();
            names.learn(name, &found);
            return Ok(found);
        }
        Ok(Err(error)) => clean(&error.to_string()),
        Err(_) => format!("no answer within {} s", patience.as_secs()),
    };
    let Some(last) = last else { return Err(why) };
    attendant.remark(format!("{} is not resolved ({why}); its last known address {last} is tried", clean(name))).await;
    Ok(vec![last])
}

async fn forward(
    jump: &Connection,
    settings: &HostSettings,
    hop: &str,
    attendant: &Attendant,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, SshError> {
    let address = format!("{}:{}", clean(&settings.host_name), settings.port);
    let opened = jump.target.channel_open_direct_tcpip(&settings.host_name, u32::from(settings.port), "127.0.0.1", 0);
    let limit = settings.connect_timeout.unwrap_or(HANDSHAKE_LIMIT);
    let failed = |reason: String| SshError::Forward {
        hop: hop.to_owned(),
        via: jump.hop.clone(),
        address: address.clone(),
        reason,
    };
    match attendant.within(limit, opened).await {
        Some(Ok(channel)) => Ok(channel.into_stream()),
        Some(Err(russh::Error::ChannelOpenFailure(why))) => Err(failed(match why {
            russh::ChannelOpenFailure::AdministrativelyProhibited => "it forbids it (PermitOpen?)".to_owned(),
            russh::ChannelOpenFailure::ConnectFailed => "it cannot reach it".to_owned(),
            other => format!("{other:?}"),
        })),
        Some(Err(error)) => Err(failed(clean(&error.to_string()))),
        None => Err(failed(format!("no answer within {} s", limit.as_secs()))),
    }
}

/// A hop in the making.
struct Place<'a> {
    settings: &'a Arc<HostSettings>,
    hop: &'a str,
    known: Arc<KnownHosts>,
    ending: &'a Ending,
    purpose: Purpose,
}

/// The host keys that are believed at a hop.
pub(super) fn known_hosts(settings: &HostSettings) -> Result<KnownHosts, (String, KnownHostsError)> {
    let files: Vec<_> = settings.user_known_hosts.iter().chain(&settings.global_known_hosts).cloned().collect();
    KnownHosts::read(&files).map_err(|error| (jump::label(settings), error))
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    place: Place<'_>,
    attendant: &Attendant,
) -> Result<Handle<Guard>, SshError> {
    let Place { settings, hop, known, ending, purpose } = place;
    let config = Arc::new(client_config(settings, &known, purpose));
    let guard = Guard {
        hop: hop.to_owned(),
        settings: settings.clone(),
        known,
        attendant: attendant.clone(),
        ending: ending.clone(),
        banners: 0,
    };
    let heard = Heard::default();
    let stream = Overheard::new(stream, heard.clone());
    match attendant.within(HANDSHAKE_LIMIT, client::connect_stream(config, stream, guard)).await {
        Some(Ok(handle)) => Ok(handle),
        Some(Err(GuardError::Refused(error))) => Err(*error),
        Some(Err(GuardError::Protocol(error))) => {
            Err(SshError::Handshake { hop: hop.to_owned(), reason: heard.explain(&handshake_words(hop, &error)) })
        }
        None => Err(SshError::TimedOut { hop: hop.to_owned(), step: "the handshake", limit: HANDSHAKE_LIMIT }),
    }
}

pub(super) fn handshake_words(hop: &str, error: &russh::Error) -> String {
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            format!("no common {kind:?} algorithm; it offers {}", clean(&theirs.join(", ")))
        }
        russh::Error::Version => "what answers there does not speak SSH 2".to_owned(),
        other => protocol_words(hop, other),
    }
}

/// SHA-1 signatures are not offered. What is known of the host is asked for first: another key of a host that is known must
/// not look like a changed one.
pub(super) fn key_preference(recorded: &[String]) -> Vec<Algorithm> {
    let mut keys: Vec<Algorithm> =
        russh::Preferred::DEFAULT.key.iter().filter(|a| !matches!(a, Algorithm::Rsa { hash: None })).cloned().collect();
    let is_recorded = |a: &Algorithm| {
        recorded.iter().any(|r| r == a.as_str() || (matches!(a, Algorithm::Rsa { .. }) && r == "ssh-rsa"))
    };
    keys.sort_by_key(|a| !is_recorded(a));
    keys
}

fn client_config(settings: &HostSettings, known: &KnownHosts, purpose: Purpose) -> client::Config {
    let (host, port) = match &settings.host_key_alias {
        Some(alias) => (alias.as_str(), 22),
        None => (settings.host_name.as_str(), settings.port),
    };
    let keys = key_preference(&known.algorithms(host, port));
    let certificates = if known.has_authority(host, port) { keys.clone() } else { Vec::new() };
    let asked = settings.alive_interval;
    client::Config {
        client_id: russh::SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-noctty_", env!("CARGO_PKG_VERSION")))),
        window_size: purpose.window,
        channel_buffer_size: purpose.packets,
        keepalive_interval: Some(if asked.is_zero() {
            purpose.keepalive
        } else {
            asked.min(purpose.longest_keepalive)
        }),
        keepalive_max: usize::try_from(settings.alive_count_max).map_or(KEEPALIVES_MISSED, |n| n.clamp(1, 3)),
        nodelay: true,
        preferred: russh::Preferred {
            key: Cow::Owned(keys),
            host_key_certificates: Cow::Owned(certificates),
            // Compression before authentication has been a source of faults, and gains nothing on text that
            // is drawn in a pane.
            compression: Cow::Borrowed(&[russh::compression::NONE]),
            ..russh::Preferred::DEFAULT
        },
        ..client::Config::default()
    }
}
