//! Why a connection was not made or did not last. Each names the hop, and says what to do where something
//! can be done. Text of the other side in it is cleaned.

use std::fmt::Write as _;
use std::time::Duration;

use super::known_hosts::{KnownHostsError, Recorded};

#[derive(Debug, thiserror::Error)]
pub enum SshError {
    #[error("{0} is no [user@]host[:port]")]
    BadTarget(String),
    #[error("{hop}: too many jump hosts, or one of them jumps through itself; see ProxyJump in ssh_config")]
    JumpLoop { hop: String },
    #[error("{hop} is reached by a ProxyCommand, which noctty never runs: use the system's ssh (:ssh!), or ProxyJump")]
    ProxyCommand { hop: String },
    #[error("{hop}: cannot resolve {name}: {reason}")]
    Resolve { hop: String, name: String, reason: String },
    #[error("{hop}: cannot connect to {address}: {reason}")]
    Connect { hop: String, address: String, reason: String },
    #[error("{hop}: {via} does not open a connection to {address}: {reason}")]
    Forward { hop: String, via: String, address: String, reason: String },
    #[error("{hop}: {step} took longer than {} s", limit.as_secs())]
    TimedOut { hop: String, step: &'static str, limit: Duration },
    #[error("{hop}: no SSH session: {reason}")]
    Handshake { hop: String, reason: String },
    #[error("{}", changed(hop, algorithm, presented, recorded))]
    HostKeyChanged { hop: String, algorithm: String, presented: String, recorded: Vec<Recorded> },
    #[error(
        "{hop}: THE HOST KEY IS REVOKED: {presented} is marked @revoked in {}:{}; not connected",
        recorded.file.display(), recorded.line
    )]
    HostKeyRevoked { hop: String, presented: String, recorded: Recorded },
    #[error(
        "{hop}: the host key {algorithm} {presented} is not known and nothing was sent. Check the fingerprint, then \
         connect once by hand with `noctty ssh {hop}` or `{}` and accept it{}",
        of_system(hop),
        if *strict { " (StrictHostKeyChecking is yes here: add it to known_hosts yourself)" } else { "" }
    )]
    HostKeyUnknown { hop: String, algorithm: String, presented: String, strict: bool },
    #[error("{hop}: the host key was not accepted: not connected")]
    HostKeyDeclined { hop: String },
    #[error("{hop}: {source}; not connected, because the host key cannot be checked")]
    KnownHosts { hop: String, source: KnownHostsError },
    #[error("{hop}: {reason}")]
    Refused { hop: String, reason: String },
    #[error("{hop}: cancelled. Tried before: {tried}")]
    Cancelled { hop: String, tried: String },
    #[error("{hop}: no {what}: {reason}")]
    Channel { hop: String, what: &'static str, reason: String },
}

impl SshError {
    /// Whether the system's own ssh may be able to do what is not done here: whoever is refused, or has no answer to a
    /// question, may have a token or a ticket that only it can show.
    pub fn offers_system_ssh(&self) -> bool {
        matches!(self, Self::ProxyCommand { .. } | Self::Refused { .. } | Self::Cancelled { .. })
    }
}

/// How the system's ssh is told the same: it takes no port behind a name.
fn of_system(hop: &str) -> String {
    match hop.rsplit_once(':').filter(|(name, _)| !name.contains(':') || name.starts_with('[')) {
        Some((name, port)) => format!("ssh -p {port} {}", name.trim_start_matches('[').trim_end_matches(']')),
        None => format!("ssh {hop}"),
    }
}

fn changed(hop: &str, algorithm: &str, presented: &str, recorded: &[Recorded]) -> String {
    let mut out = format!("{hop}: THE HOST KEY HAS CHANGED, not connected. Presented: {algorithm} {presented}.");
    for old in recorded.iter().take(4) {
        let _ = write!(out, " Known: {} {} ({}:{}).", old.algorithm, old.fingerprint, old.file.display(), old.line);
    }
    out.push_str(
        " Somebody may be in between, or the host was reinstalled: ask its owner, then remove the old line by hand.",
    );
    out
}
