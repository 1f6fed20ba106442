//! Public keys: the agent's, then the files'. Files that the configuration names come first among the agent's keys
//! too, and with `IdentitiesOnly` nothing else is tried.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::{Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, decode_secret_key};

use super::{ANSWER_LIMIT, Attempt, Verdict};
use crate::base::text::clean;
use crate::model::Prompt;
use crate::ssh::agent::{self, Agent};
use crate::ssh::attendant::Answer;
use crate::ssh::error::SshError;

/// A key file larger than this is none.
const FILE_LIMIT: u64 = 64 * 1024;
const PASSPHRASE_TRIES: usize = 3;

/// A private key file, as far as it can be read without a passphrase.
struct KeyFile {
    path: PathBuf,
    text: crate::base::Secret<String>,
    /// From the key itself, or from the `.pub` beside it.
    public: Option<PublicKey>,
    private: Option<PrivateKey>,
}

/// A signer that never signs: that it is asked shows that the server would take the key.
struct Probe;

#[derive(Debug)]
enum Probed {
    Accepted,
    Lost,
}

impl From<russh::SendError> for Probed {
    fn from(_: russh::SendError) -> Self {
        Self::Lost
    }
}

impl russh::Signer for Probe {
    type Error = Probed;

    async fn auth_sign(&mut self, _: &AgentIdentity, _: Option<HashAlg>, _: Vec<u8>) -> Result<Vec<u8>, Probed> {
        Err(Probed::Accepted)
    }
}

impl Attempt<'_> {
    pub(super) async fn by_keys(&mut self) -> Result<Verdict, SshError> {
        let files: Vec<KeyFile> = self.settings.identity_files.iter().filter_map(|p| self.read(p)).collect();
        let agent = agent::open(&self.settings.agent).await;
        let mut in_agent = Vec::new();
        match agent {
            Ok(Some(mut agent)) => {
                in_agent = agent.identities.iter().map(|i| i.public_key().key_data().clone()).collect();
                match self.by_agent(&mut agent, &files).await? {
                    Verdict::NotYet { partial: false } => {}
                    other => return Ok(other),
                }
            }
            Ok(None) => {}
            Err(remark) => self.tried.push(remark),
        }
        for file in files {
            if file.public.as_ref().is_some_and(|p| in_agent.contains(p.key_data())) {
                continue;
            }
            if !self.offers(russh::MethodKind::PublicKey) {
                break;
            }
            match self.by_file(file).await? {
                Verdict::NotYet { partial: false } => {}
                other => return Ok(other),
            }
        }
        Ok(Verdict::NotYet { partial: false })
    }

    async fn by_agent(&mut self, agent: &mut Agent, files: &[KeyFile]) -> Result<Verdict, SshError> {
        let named = |identity: &AgentIdentity| {
            let key = identity.public_key();
            files.iter().any(|f| f.public.as_ref().is_some_and(|p| p.key_data() == key.key_data()))
        };
        let mut identities = agent.identities.clone();
        if self.settings.identities_only {
            identities.retain(named);
        }
        identities.sort_by_key(|i| !(self.settings.identities_named && named(i)));
        for identity in identities {
            if !self.offers(russh::MethodKind::PublicKey) {
                break;
            }
            let hash = self.rsa_hash(&identity.public_key()).await;
            let user = self.settings.user.clone();
            let request = async {
                match &identity {
                    AgentIdentity::PublicKey { key, .. } => {
                        self.handle.authenticate_publickey_with(user, key.clone(), hash, &mut agent.client).await
                    }
                    AgentIdentity::Certificate { certificate, .. } => {
                        let certificate = certificate.clone();
                        self.handle.authenticate_certificate_with(user, certificate, hash, &mut agent.client).await
                    }
                }
            };
            // The agent may itself ask somebody to confirm, or to touch a key.
            let answer = self.attendant.within(2 * ANSWER_LIMIT, request).await;
            let name = format!("agent key {}", shown(&identity.public_key(), identity.comment()));
            let refused = matches!(answer, Some(Ok(AuthResult::Failure { partial_success: false, .. })));
            if refused {
                self.tried.push(format!("{name} (refused)"));
            }
            match self.judge("agent", answer)? {
                Verdict::NotYet { partial: false } => {}
                other => return Ok(other),
            }
        }
        Ok(Verdict::NotYet { partial: false })
    }

    async fn by_file(&mut self, file: KeyFile) -> Result<Verdict, SshError> {
        let shown = clean(&file.path.to_string_lossy());
        let mut private = file.private;
        if private.is_none() {
            let is_worth_asking = match &file.public {
                Some(public) => self.would_take(public).await?,
                None => true,
            };
            if !is_worth_asking {
                self.tried.push(format!("{shown} (refused)"));
                return Ok(Verdict::NotYet { partial: false });
            }
            private = self.unlock(&file.text, &shown).await;
        }
        let Some(private) = private else { return Ok(Verdict::NotYet { partial: false }) };
        let private = Arc::new(private);
        for certificate in self.certificates(&file.path, &private) {
            let user = self.settings.user.clone();
            let request = self.handle.authenticate_openssh_cert(user, private.clone(), certificate);
            let answer = self.attendant.within(ANSWER_LIMIT, request).await;
            match self.judge("certificate", answer)? {
                Verdict::NotYet { partial: false } => self.tried.push(format!("certificate of {shown} (refused)")),
                other => return Ok(other),
            }
        }
        let hash = self.rsa_hash(private.public_key()).await;
        let key = PrivateKeyWithHashAlg::new(private, hash);
        let request = self.handle.authenticate_publickey(self.settings.user.clone(), key);
        let answer = self.attendant.within(ANSWER_LIMIT, request).await;
        if matches!(answer, Some(Ok(AuthResult::Failure { partial_success: false, .. }))) {
            self.tried.push(format!("{shown} (refused)"));
        }
        self.judge("key", answer)
    }

    /// Asks the server about a public key without signing anything.
    async fn would_take(&mut self, public: &PublicKey) -> Result<bool, SshError> {
        let hash = self.rsa_hash(public).await;
        let user = self.settings.user.clone();
        let mut probe = Probe;
        let request = self.handle.authenticate_publickey_with(user, public.clone(), hash, &mut probe);
        match self.attendant.within(ANSWER_LIMIT, request).await {
            Some(Err(Probed::Accepted)) => Ok(true),
            Some(Err(Probed::Lost)) => Err(self.refusal()),
            Some(Ok(result)) => {
                self.judge::<russh::Error>("key", Some(Ok(result)))?;
                Ok(false)
            }
            None => {
                let hop = self.hop.to_owned();
                Err(SshError::TimedOut { hop, step: "authentication", limit: ANSWER_LIMIT })
            }
        }
    }

    async fn unlock(&mut self, text: &crate::base::Secret<String>, shown: &str) -> Option<PrivateKey> {
        if self.attendant.is_headless() {
            self.tried.push(format!("{shown} (encrypted, and nobody is there to unlock it)"));
            return None;
        }
        for _ in 0..PASSPHRASE_TRIES {
            let prompt = Prompt::Passphrase { hop: Arc::from(self.hop), file: Arc::from(shown) };
            let Answer::Text(passphrase) = self.attendant.ask(prompt).await else {
                self.tried.push(format!("{shown} (not unlocked)"));
                return None;
            };
            let (key, words) = (text.clone(), passphrase);
            // The key derivation is made to be slow.
            let decoded =
                tokio::task::spawn_blocking(move || decode_secret_key(key.expose(), Some(words.expose()))).await;
            if let Ok(Ok(key)) = decoded {
                return Some(key);
            }
        }
        self.tried.push(format!("{shown} (wrong passphrase)"));
        None
    }

    /// The file as far as it can be read; why not is remembered, but for default files that are not there.
    fn read(&mut self, path: &Path) -> Option<KeyFile> {
        let shown = clean(&path.to_string_lossy());
        let text = match read_bounded(path) {
            Ok(text) => text,
            Err(error) => {
                if self.settings.identities_named || error.kind() != std::io::ErrorKind::NotFound {
                    self.tried.push(format!("{shown} ({error})"));
                }
                return None;
            }
        };
        let beside = PathBuf::from(format!("{}.pub", path.display()));
        let beside = || read_bounded(&beside).ok().and_then(|t| PublicKey::from_openssh(t.expose().trim()).ok());
        match decode_secret_key(text.expose(), None) {
            Ok(private) => {
                let public = Some(private.public_key().clone());
                Some(KeyFile { path: path.to_path_buf(), text, public, private: Some(private) })
            }
            Err(russh::keys::Error::KeyIsEncrypted) => {
                let own = PrivateKey::from_openssh(text.expose()).ok().map(|k| k.public_key().clone());
                let public = own.or_else(beside);
                Some(KeyFile { path: path.to_path_buf(), text, public, private: None })
            }
            Err(error) => {
                if let Ok(public) = PublicKey::from_openssh(text.expose().trim()) {
                    // IdentityFile may name a public key whose private half is in the agent.
                    return Some(KeyFile { path: path.to_path_buf(), text, public: Some(public), private: None });
                }
                if beside().is_some_and(|p| p.algorithm().as_str().starts_with("sk-")) {
                    self.beyond_us = Some("a FIDO key outside an agent");
                }
                self.tried.push(format!("{shown} ({})", clean(&error.to_string())));
                None
            }
        }
    }

    /// `CertificateFile`s and the one beside the key, as far as they belong to this key.
    fn certificates(&self, path: &Path, key: &PrivateKey) -> Vec<Certificate> {
        let beside = PathBuf::from(format!("{}-cert.pub", path.display()));
        let files = self.settings.certificate_files.iter().chain(std::iter::once(&beside));
        files
            .filter_map(|file| Certificate::from_openssh(read_bounded(file).ok()?.expose().trim()).ok())
            .filter(|certificate| certificate.public_key() == key.public_key().key_data())
            .collect()
    }

    /// SHA-2 for RSA keys; SHA-1 is never used.
    async fn rsa_hash(&mut self, key: &PublicKey) -> Option<HashAlg> {
        if !key.algorithm().is_rsa() {
            return None;
        }
        match self.handle.best_supported_rsa_hash().await {
            Ok(Some(Some(hash))) => Some(hash),
            _ => Some(HashAlg::Sha512),
        }
    }
}

fn shown(key: &PublicKey, comment: &str) -> String {
    if comment.is_empty() { key.fingerprint(HashAlg::Sha256).to_string() } else { clean(comment) }
}

fn read_bounded(path: &Path) -> std::io::Result<crate::base::Secret<String>> {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() || about.len() > FILE_LIMIT {
        return Err(std::io::Error::other("it is no key file"));
    }
    let mut text = String::new();
    file.take(FILE_LIMIT).read_to_string(&mut text)?;
    Ok(crate::base::Secret::new(text))
}
