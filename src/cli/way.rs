//! How an engine that polls elsewhere is reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::far::Far;
use crate::attach::{self, Link, LinkError};
use crate::base::Clock;

/// How an engine is reached.
#[derive(Clone, Debug)]
pub enum Way {
    /// By the socket in a state directory, which is this user's own.
    Here(PathBuf),
    /// By a socket of this machine.
    Socket(PathBuf),
    Far(Far),
    /// In the name of somebody who said it.
    As(Box<Self>, String),
}

impl Way {
    /// # Errors
    /// [`LinkError`].
    pub async fn dial(&self, clock: Clock) -> Result<Link, LinkError> {
        self.dial_as(clock, &crate::engine::own_author().line()).await
    }

    async fn dial_as(&self, clock: Clock, author: &str) -> Result<Link, LinkError> {
        match self {
            Self::As(way, author) => Box::pin(way.dial_as(clock, author)).await,
            Self::Here(directory) => {
                let own = rustix::process::geteuid().as_raw();
                Link::dial(&attach::socket_in(directory), |user| user == own, clock, author).await
            }
            Self::Socket(path) => {
                // Whoever may make a socket there is whoever its folder belongs to.
                let owner = path.parent().and_then(|folder| owner(folder).ok());
                let own = rustix::process::geteuid().as_raw();
                Link::dial(path, |user| user == 0 || user == own || Some(user) == owner, clock, author).await
            }
            Self::Far(far) => far.dial(clock, author).await,
        }
    }

    /// From one try to the next.
    pub fn patience(&self) -> Duration {
        match self {
            Self::Here(_) | Self::Socket(_) => Duration::from_millis(100),
            Self::Far(_) => Duration::from_secs(3),
            Self::As(way, _) => way.patience(),
        }
    }

    /// Which engine that is, for the header.
    pub fn words(&self, who: &str) -> String {
        match self {
            Self::Here(_) | Self::Socket(_) => who.to_owned(),
            Self::Far(far) => format!("{} {who}", far.name()),
            Self::As(way, _) => way.words(who),
        }
    }
}

fn owner(path: &Path) -> std::io::Result<u32> {
    Ok(std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path)?))
}
