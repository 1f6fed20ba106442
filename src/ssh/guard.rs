//! Our side's answers to what a server does unasked: checks its host key, keeps its banner within bounds,
//! refuses every channel that it opens.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use russh::client::{self, DisconnectReason};
use russh::keys::{PublicKey, PublicKeyOrCertificate};

use super::attendant::{Answer, Attendant};
use super::config::{HostSettings, StrictHostKeys};
use super::error::SshError;
use super::known_hosts::{self, Disbelief, KnownHosts, Verdict};
use crate::base::text::clean;
use crate::model::{HostKeyProblem, Prompt};

/// At most this many banners are passed on.
const BANNERS: usize = 4;

/// Why the session ended, in words, where the transport said so.
pub(super) type Ending = Arc<Mutex<Option<String>>>;

#[derive(Debug)]
pub(super) struct Guard {
    pub hop: String,
    pub settings: Arc<HostSettings>,
    /// Shared: a thousand hosts have one file.
    pub known: Arc<KnownHosts>,
    pub attendant: Attendant,
    pub ending: Ending,
    pub banners: usize,
}

#[derive(Debug)]
pub(super) enum GuardError {
    Protocol(russh::Error),
    Refused(Box<SshError>),
}

impl From<russh::Error> for GuardError {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl Guard {
    /// The name and port under which the key is looked up.
    fn lookup(&self) -> (&str, u16) {
        match &self.settings.host_key_alias {
            Some(alias) => (alias, 22),
            None => (&self.settings.host_name, self.settings.port),
        }
    }

    async fn check(&self, key: &PublicKey) -> Result<(), SshError> {
        let hop = self.hop.clone();
        let (host, port) = self.lookup();
        let presented = known_hosts::fingerprint(key);
        let algorithm = key.algorithm().to_string();
        match self.known.check(host, port, key) {
            Verdict::Known => Ok(()),
            Verdict::Revoked(recorded) => Err(SshError::HostKeyRevoked { hop, presented, recorded }),
            Verdict::Changed(recorded) => Err(SshError::HostKeyChanged { hop, algorithm, presented, recorded }),
            Verdict::Unknown => self.unknown(key, algorithm, presented).await,
        }
    }

    async fn unknown(&self, key: &PublicKey, algorithm: String, presented: String) -> Result<(), SshError> {
        let hop = self.hop.clone();
        let strict = self.settings.strict_host_keys == StrictHostKeys::Yes;
        if strict || self.attendant.is_headless() {
            return Err(SshError::HostKeyUnknown { hop, algorithm, presented, strict });
        }
        let file = self.settings.user_known_hosts.first();
        let prompt = Prompt::HostKey {
            hop: Arc::from(hop.as_str()),
            algorithm: Arc::from(algorithm),
            fingerprint: Arc::from(presented),
            problem: HostKeyProblem::Unknown,
            file: Arc::from(file.map(|f| clean(&f.to_string_lossy())).unwrap_or_default()),
        };
        match self.attendant.ask(prompt).await {
            Answer::Yes => {}
            Answer::Text(_) | Answer::Cancel => return Err(SshError::HostKeyDeclined { hop }),
        }
        let Some(file) = file else { return Ok(()) };
        let (host, port) = self.lookup();
        known_hosts::append(file, host, port, key, self.settings.hash_known_hosts)
            .map_err(|source| SshError::KnownHosts { hop, source })
    }
}

impl client::Handler for Guard {
    type Error = GuardError;

    async fn auth_banner(&mut self, banner: &str, _: &mut client::Session) -> Result<(), Self::Error> {
        self.banners += 1;
        if self.banners <= BANNERS {
            self.attendant.banner(&self.hop, banner).await;
        }
        Ok(())
    }

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let refused = |error| GuardError::Refused(Box::new(error));
        if let Some(certificate) = presented.certificate() {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
            let (host, port) = self.lookup();
            match self.known.check_certificate(host, port, certificate, now) {
                Ok(()) => return Ok(true),
                Err(Disbelief::Revoked(recorded)) => {
                    let presented = known_hosts::fingerprint(&presented.public_key());
                    return Err(refused(SshError::HostKeyRevoked { hop: self.hop.clone(), presented, recorded }));
                }
                // As in OpenSSH: the key within is then looked up like any other.
                Err(Disbelief::Because(reason)) => {
                    self.attendant
                        .step(format!("{}: host certificate not believed: {}", self.hop, clean(&reason)))
                        .await;
                }
            }
        }
        self.check(&presented.public_key()).await.map_err(refused)?;
        Ok(true)
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: russh::Channel<client::Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        drop(reply); // refuses
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: russh::Channel<client::Msg>,
        _: &str,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: russh::Channel<client::Msg>,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _: russh::Channel<client::Msg>,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: russh::Channel<client::Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: russh::Channel<client::Msg>,
        _: &str,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), Self::Error> {
        drop(reply);
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Self::Error>) -> Result<(), Self::Error> {
        let words = match &reason {
            DisconnectReason::ReceivedDisconnect(said) => {
                format!("{} disconnected: {}", self.hop, clean(&said.message))
            }
            DisconnectReason::Error(GuardError::Protocol(error)) => protocol_words(&self.hop, error),
            DisconnectReason::Error(GuardError::Refused(error)) => error.to_string(),
        };
        *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
        match reason {
            DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            DisconnectReason::Error(error) => Err(error),
        }
    }
}

/// The transport's own reasons in an operator's words.
pub(super) fn protocol_words(hop: &str, error: &russh::Error) -> String {
    match error {
        russh::Error::KeepaliveTimeout | russh::Error::InactivityTimeout => {
            format!("{hop}: connection lost: no answer to keepalives")
        }
        russh::Error::HUP | russh::Error::Disconnect => format!("{hop} closed the connection"),
        russh::Error::IO(error) => format!("{hop}: connection lost: {error}"),
        other => format!("{hop}: connection lost: {}", clean(&other.to_string())),
    }
}
