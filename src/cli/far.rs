//! The way to an engine on another machine: an exec channel of the console's own SSH on which `noctty attach --stdio` runs
//! there. The host's key is checked as for any session; questions are asked on the terminal before the screen has it, and not again:
//! a connection that is lost later comes back only if nobody has to be asked.

use std::sync::Arc;

use color_eyre::eyre::{Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use crate::attach::{Link, LinkError};
use crate::base::{Clock, Untrusted, text};
use crate::config::Config;
use crate::ssh::{Attendant, CHUNK, Connection, Names, Outlets, ShellInput, SshConfig, Target};

const CHUNKS: usize = 16;
/// Words of the other side's shell that are kept for an error.
const WORDS: usize = 2_000;

/// An engine on another machine.
#[derive(Clone)]
pub struct Far {
    name: String,
    target: Target,
    config: Arc<SshConfig>,
    /// Where it was last, for when the resolver is dead.
    names: Names,
    command: String,
}

impl std::fmt::Debug for Far {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Far").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Far {
    /// `ssh://[user@]host[:port]`, or the same without the scheme.
    ///
    /// # Errors
    /// In words.
    pub fn new(target: &str, command: &str, config: &Config) -> Result<Self> {
        let name = target.strip_prefix("ssh://").unwrap_or(target).trim_end_matches('/');
        let Some(parsed) = Target::parse(name) else {
            bail!("{} is no ssh://[user@]host[:port]", text::clean(target));
        };
        let config = SshConfig::load(super::surroundings(&config.ssh));
        for remark in config.remarks.iter().filter(|remark| remark.line == 0) {
            super::complain(&remark.to_string());
        }
        let (name, config, command) = (text::clean(name), Arc::new(config), command.to_owned());
        Ok(Self { name, target: parsed, config, names: Names::default(), command })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first time: questions go to the terminal.
    ///
    /// # Errors
    /// In words.
    pub async fn first(&self, clock: Clock) -> Result<Link> {
        let connection = super::ssh::open(&self.config, &self.target, &self.names).await;
        let connection = match connection {
            Ok(connection) => connection,
            Err(error) => bail!("{error}"),
        };
        let author = crate::engine::own_author().line();
        match self.greet(connection, clock, &author).await {
            Ok(link) => Ok(link),
            Err(error) => bail!("{}: {}", self.name, error),
        }
    }

    /// # Errors
    /// [`LinkError`].
    pub async fn dial(&self, clock: Clock, author: &str) -> Result<Link, LinkError> {
        let connection = Connection::open(&self.config, &self.target, &self.names, &Attendant::headless()).await;
        let connection = connection.map_err(|error| LinkError::Lost(text::clean(&error.to_string())))?;
        self.greet(connection, clock, author).await
    }

    async fn greet(&self, connection: Connection, clock: Clock, author: &str) -> Result<Link, LinkError> {
        let (output, mut out) = mpsc::channel::<Vec<u8>>(CHUNKS);
        let (errors, mut err) = mpsc::channel::<Vec<u8>>(CHUNKS);
        let (keys, input) = mpsc::channel(CHUNKS);
        let (near, far) = tokio::io::duplex(4 * CHUNK);
        let (mut far_reads, mut far_writes) = tokio::io::split(far);
        let command = self.command.clone();
        let running =
            tokio::spawn(
                async move { connection.exec(&command, Outlets { output, errors: Some(errors) }, input).await },
            );
        tokio::spawn(async move {
            while let Some(bytes) = out.recv().await {
                if far_writes.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            // The other side has ended.
            let _ = far_writes.shutdown().await;
        });
        tokio::spawn(async move {
            let mut bytes = vec![0; CHUNK];
            while let Ok(length @ 1..) = far_reads.read(&mut bytes).await {
                if keys.send(ShellInput::Bytes(bytes[..length].to_vec())).await.is_err() {
                    return;
                }
            }
        });
        let words = tokio::spawn(async move {
            let mut words = Vec::new();
            while let Some(bytes) = err.recv().await {
                let room = WORDS.saturating_sub(words.len());
                words.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            words
        });
        let failed = match Link::open(near, clock, author).await {
            Ok(link) => return Ok(link),
            Err(error) => error,
        };
        let LinkError::Lost(_) = failed else { return Err(failed) };
        // It never spoke: what its shell said is the better reason.
        let ended = running.await;
        let said = words.await.unwrap_or_default();
        let said = Untrusted::new(said).lines().into_iter().find(|line| !line.trim().is_empty());
        let reason = match (said, ended) {
            (Some(said), _) => said,
            (None, Ok(Ok(ended))) => ended.reason,
            (None, Ok(Err(error))) => text::clean(&error.to_string()),
            (None, Err(_)) => return Err(failed),
        };
        Err(LinkError::Lost(format!("{} there: {reason}", text::clean(&self.command))))
    }
}
