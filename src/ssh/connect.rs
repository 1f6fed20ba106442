//! Makes a connection through all hops: TCP to the first, a forwarded connection through each to the next, and
//! in each an SSH session of its own from end to end, so that a jump host sees nothing and proves nothing about
//! the target. Every step has a deadline; a question to the operator stops it.

use std::borrow::Cow;
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
use super::guard::{Ending, Guard, GuardError, protocol_words};
use super::jump;
use super::known_hosts::KnownHosts;
use super::target::Target;
use crate::base::text::clean;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(20);
const CHANNEL_LIMIT: Duration = Duration::from_secs(15);
/// Where the configuration asks for none: a dead line is noticed within three of these.
const KEEPALIVE: Duration = Duration::from_secs(10);
const KEEPALIVES_MISSED: usize = 3;
/// Small, so that a flood cannot pile up and Ctrl+C is felt soon.
const WINDOW: u32 = 256 * 1024;
/// Packets of one channel that may wait here before the transport waits too.
const CHANNEL_PACKETS: usize = 16;

/// An authenticated session with the target, and the ones that carry it.
pub struct Connection {
    /// In the order of the chain, the target's last. Fields drop in order, so the target's goes first.
    pub(super) target: Handle<Guard>,
    /// Held, because the target's session runs through them.
    jumps: Vec<Handle<Guard>>,
    pub(super) hop: String,
    pub(super) ending: Ending,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("hop", &self.hop).field("jumps", &self.jumps.len()).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects to `target` as `config` says.
    ///
    /// # Errors
    /// Which hop, what was tried, and why it did not work.
    pub async fn open(config: &SshConfig, target: &Target, attendant: &Attendant) -> Result<Self, SshError> {
        let chain = jump::chain(config, target)?;
        let mut jumps: Vec<Handle<Guard>> = Vec::new();
        let mut reached: Option<(Handle<Guard>, String, Ending)> = None;
        for settings in chain {
            let hop = jump::label(&settings);
            let settings = Arc::new(settings);
            let ending = Ending::default();
            let handle = if let Some((jump, via, _)) = reached.take() {
                attendant.step(format!("connecting to {hop} through {via}")).await;
                let stream = forward(&jump, &settings, &hop, &via, attendant).await?;
                jumps.push(jump);
                handshake(stream, &settings, &hop, &ending, attendant).await?
            } else {
                attendant.step(format!("connecting to {hop}")).await;
                let stream = dial(&settings, &hop).await?;
                handshake(stream, &settings, &hop, &ending, attendant).await?
            };
            attendant.step(format!("authenticating to {hop} as {}", clean(&settings.user))).await;
            let handle = auth::authenticate(handle, &settings, &hop, &ending, attendant).await?;
            reached = Some((handle, hop, ending));
        }
        let (target, hop, ending) = reached.ok_or_else(|| SshError::BadTarget(clean(&target.host)))?;
        jumps.reverse();
        Ok(Self { target, jumps, hop, ending })
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
            Ok(Err(error)) => Err(failed(clean(&error.to_string()))),
            Err(_) => {
                Err(SshError::TimedOut { hop: self.hop.clone(), step: "opening a channel", limit: CHANNEL_LIMIT })
            }
        }
    }
}

async fn dial(settings: &HostSettings, hop: &str) -> Result<TcpStream, SshError> {
    let limit = settings.connect_timeout.unwrap_or(CONNECT_LIMIT).max(Duration::from_secs(1));
    let name = settings.host_name.as_str();
    let unresolved = |reason: String| SshError::Resolve { hop: hop.to_owned(), name: clean(name), reason };
    let addresses: Vec<std::net::SocketAddr> =
        match tokio::time::timeout(limit, tokio::net::lookup_host((name, settings.port))).await {
            Ok(Ok(found)) => found.take(4).collect(),
            Ok(Err(error)) => return Err(unresolved(clean(&error.to_string()))),
            Err(_) => return Err(unresolved(format!("no answer within {} s", limit.as_secs()))),
        };
    let mut last = unresolved("it has no address".to_owned());
    for address in addresses {
        let failed = |reason: String| SshError::Connect { hop: hop.to_owned(), address: address.to_string(), reason };
        match tokio::time::timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Keys are single bytes: waiting to fill a segment would be felt.
                stream.set_nodelay(true).map_err(|e| failed(e.to_string()))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = failed(error.to_string()),
            Err(_) => last = failed(format!("no answer within {} s", limit.as_secs())),
        }
    }
    Err(last)
}

async fn forward(
    jump: &Handle<Guard>,
    settings: &HostSettings,
    hop: &str,
    via: &str,
    attendant: &Attendant,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, SshError> {
    let address = format!("{}:{}", clean(&settings.host_name), settings.port);
    let opened = jump.channel_open_direct_tcpip(&settings.host_name, u32::from(settings.port), "127.0.0.1", 0);
    let limit = settings.connect_timeout.unwrap_or(HANDSHAKE_LIMIT);
    let failed = |reason: String| SshError::Forward {
        hop: hop.to_owned(),
        via: via.to_owned(),
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

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    settings: &Arc<HostSettings>,
    hop: &str,
    ending: &Ending,
    attendant: &Attendant,
) -> Result<Handle<Guard>, SshError> {
    let files: Vec<_> = settings.user_known_hosts.iter().chain(&settings.global_known_hosts).cloned().collect();
    let known = KnownHosts::read(&files).map_err(|source| SshError::KnownHosts { hop: hop.to_owned(), source })?;
    let config = Arc::new(client_config(settings, &known));
    let guard = Guard {
        hop: hop.to_owned(),
        settings: settings.clone(),
        known,
        attendant: attendant.clone(),
        ending: ending.clone(),
        banners: 0,
    };
    match attendant.within(HANDSHAKE_LIMIT, client::connect_stream(config, stream, guard)).await {
        Some(Ok(handle)) => Ok(handle),
        Some(Err(GuardError::Refused(error))) => Err(*error),
        Some(Err(GuardError::Protocol(error))) => {
            Err(SshError::Handshake { hop: hop.to_owned(), reason: handshake_words(hop, &error) })
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

fn client_config(settings: &HostSettings, known: &KnownHosts) -> client::Config {
    let (host, port) = match &settings.host_key_alias {
        Some(alias) => (alias.as_str(), 22),
        None => (settings.host_name.as_str(), settings.port),
    };
    let keys = key_preference(&known.algorithms(host, port));
    let certificates = if known.has_authority(host, port) { keys.clone() } else { Vec::new() };
    let asked = settings.alive_interval;
    client::Config {
        client_id: russh::SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-noctty_", env!("CARGO_PKG_VERSION")))),
        window_size: WINDOW,
        channel_buffer_size: CHANNEL_PACKETS,
        keepalive_interval: Some(if asked.is_zero() { KEEPALIVE } else { asked.min(Duration::from_secs(30)) }),
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
