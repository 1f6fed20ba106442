//! From a reference to the secret itself.

mod shared;

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::shared::Secrets;
use super::{Program, run};
use crate::base::Secret;
use crate::base::options::SecretRef;

/// No secret is longer.
const LARGEST: u64 = 64 * 1024;
const COMMAND_TIME: Duration = Duration::from_secs(20);

/// Why a secret could not be had; never contains it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the environment variable {0} is not set")]
    NotSet(String),
    #[error("cannot read {}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} can be read by others (mode {mode:03o}): chmod 600 it", path.display())]
    TooOpen { path: PathBuf, mode: u32 },
    #[error("{0} is empty")]
    Empty(String),
    #[error("the secret's command: {0}")]
    Command(String),
}

/// Fetches the secret: the variable, the file's first line (the file must not be readable by group or
/// others), or the first line that the command prints.
///
/// # Errors
/// Says which variable, file or program, and why; never what the secret is.
pub async fn fetch(reference: &SecretRef) -> Result<Secret<String>, SecretError> {
    match reference {
        SecretRef::Env(name) => std::env::var(name).map(Secret::new).map_err(|_| SecretError::NotSet(name.clone())),
        SecretRef::Literal(secret) => Ok(secret.clone()),
        SecretRef::File(path) => {
            let path = path.clone();
            let joined = tokio::task::spawn_blocking(move || from_file(&path)).await;
            joined.unwrap_or_else(|error| Err(SecretError::Command(error.to_string())))
        }
        SecretRef::Command(argv) => from_command(argv).await,
    }
}

fn from_file(path: &Path) -> Result<Secret<String>, SecretError> {
    let failed = |source| SecretError::File { path: path.to_owned(), source };
    // Not blocking: a named pipe without a writer would hold the caller for ever.
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(failed(std::io::Error::other("it is not a regular file")));
    }
    if about.mode() & 0o077 != 0 {
        return Err(SecretError::TooOpen { path: path.to_owned(), mode: about.mode() & 0o777 });
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    first_line(text, &path.display().to_string())
}

async fn from_command(argv: &[String]) -> Result<Secret<String>, SecretError> {
    let mut program = Program::new(argv.iter().cloned()).timeout(COMMAND_TIME);
    program.output_limit = 64 * 1024;
    let output = run(&program).await.map_err(|e| SecretError::Command(e.to_string()))?;
    let name = argv.first().cloned().unwrap_or_default();
    if !output.status.success() {
        return Err(SecretError::Command(format!("{name} failed ({})", output.status)));
    }
    let text =
        String::from_utf8(output.stdout).map_err(|_| SecretError::Command(format!("{name} printed no UTF-8")))?;
    first_line(text, &format!("what {name} printed"))
}

fn first_line(text: String, what: &str) -> Result<Secret<String>, SecretError> {
    let whole = Secret::new(text);
    match whole.expose().lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line.to_owned())),
        _ => Err(SecretError::Empty(what.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_file_that_others_can_read_is_refused_with_its_mode() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pw");
        std::fs::write(&path, "hunter2\nmore\n").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("mode");
        let error = fetch(&SecretRef::File(path.clone())).await.expect_err("it is open");
        assert!(error.to_string().contains("mode 644") && !error.to_string().contains("hunter2"), "{error}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("mode");
        assert_eq!(fetch(&SecretRef::File(path)).await.expect("it is closed").expose(), "hunter2");
    }

    #[tokio::test]
    async fn a_command_gives_its_first_line_and_failures_do_not_show_it() {
        let ok = SecretRef::Command(["sh", "-c", "echo s3cret; echo x"].map(str::to_owned).to_vec());
        assert_eq!(fetch(&ok).await.expect("a secret").expose(), "s3cret");
        let bad = SecretRef::Command(["sh", "-c", "echo s3cret; exit 1"].map(str::to_owned).to_vec());
        let error = fetch(&bad).await.expect_err("it failed").to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
