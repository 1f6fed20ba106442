//! Which host key a server shows, and what is to be thought of it. The session is left as soon as the server has proved
//! that it has the key: no user is named and nothing is authenticated.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client;
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use tokio::io::{AsyncRead, AsyncWrite};

use super::config::Surroundings;
use super::connect::{handshake_words, key_preference};
use super::greeting::{Heard, Overheard};
use super::known_hosts::{self, KnownHosts, KnownHostsError, Verdict};
use crate::base::text::clean;

/// A server's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey(PublicKey);

impl HostKey {
    /// `ssh-ed25519`.
    pub fn algorithm(&self) -> String {
        self.0.algorithm().to_string()
    }

    /// `SHA256:…`
    pub fn fingerprint(&self) -> String {
        known_hosts::fingerprint(&self.0)
    }
}

/// The user's and the system's files of known hosts.
pub fn usual_files() -> Vec<PathBuf> {
    let folder = Surroundings::from_environment().home.join(".ssh");
    let system = Path::new("/etc/ssh");
    vec![
        folder.join("known_hosts"),
        folder.join("known_hosts2"),
        system.join("ssh_known_hosts"),
        system.join("ssh_known_hosts2"),
    ]
}

/// What the files say about one server, under the first of its names that they know.
#[derive(Clone, Debug)]
pub struct Recollection {
    known: KnownHosts,
    name: String,
    port: u16,
}

impl Recollection {
    /// # Errors
    /// One of the files exists and cannot be read.
    pub fn read(files: &[PathBuf], names: &[&str], port: u16) -> Result<Self, KnownHostsError> {
        let known = KnownHosts::read(files)?;
        let name = names.iter().find(|name| !known.algorithms(name, port).is_empty()).or_else(|| names.first());
        Ok(Self { name: name.map(|name| (*name).to_owned()).unwrap_or_default(), known, port })
    }

    pub fn judge(&self, key: &HostKey) -> Verdict {
        self.known.check(&self.name, self.port, &key.0)
    }

    /// Writes the key down in `file`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn remember(&self, file: &Path, key: &HostKey) -> Result<(), KnownHostsError> {
        known_hosts::append(file, &self.name, self.port, &key.0, false)
    }
}

/// Shakes hands up to the key. What is recorded of the server is asked for first: another of its keys must not look like a
/// changed one.
///
/// # Errors
/// There is no SSH server, or it shows no key in time; in words.
pub async fn read<S>(stream: S, recollection: &Recollection, timeout: Duration) -> Result<HostKey, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let recorded = recollection.known.algorithms(&recollection.name, recollection.port);
    let config = client::Config {
        client_id: russh::SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-noctty_", env!("CARGO_PKG_VERSION")))),
        nodelay: true,
        preferred: russh::Preferred { key: Cow::Owned(key_preference(&recorded)), ..russh::Preferred::DEFAULT },
        ..client::Config::default()
    };
    let seen: Arc<Mutex<Option<PublicKey>>> = Arc::default();
    let heard = Heard::default();
    let shaking =
        client::connect_stream(Arc::new(config), Overheard::new(stream, heard.clone()), OnlyLooks(seen.clone()));
    let ended = tokio::time::timeout(timeout, shaking).await;
    // It ends by our refusing the key, whichever it is.
    if let Some(key) = seen.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Ok(HostKey(key));
    }
    match ended {
        Err(_) => Err(heard.explain(&format!("no host key within {:.1} s", timeout.as_secs_f32()))),
        Ok(Err(error)) => {
            let why = clean(&handshake_words("the server", &error));
            Err(heard.explain(&format!("no SSH handshake: {why}")))
        }
        Ok(Ok(_)) => Err("the server shows no key".to_owned()),
    }
}

#[derive(Debug)]
struct OnlyLooks(Arc<Mutex<Option<PublicKey>>>);

impl client::Handler for OnlyLooks {
    type Error = russh::Error;

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let key = PublicKey::new(presented.public_key().key_data().clone(), "");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(false)
    }
}
