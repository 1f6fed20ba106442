//! How an engine that polls elsewhere is reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use color_eyre::eyre::{Report, Result, bail, eyre};
use tokio::sync::mpsc;

use super::far::Far;
use crate::attach::{self, Link, LinkError, News, Welcome};
use crate::base::Clock;
use crate::state::{Attached, Snapshot};

/// How long an engine may take to show what it knows.
const PATIENCE: Duration = Duration::from_secs(10);

/// With `--passive`, where nobody polls.
pub fn nobody_to_ask(directory: &Path) -> Report {
    eyre!("--passive: nothing is asked, and no noctty polls for {} that could be", super::shown(directory))
}

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

    /// What the engine there knows now, and who it is; `None` where nobody polls.
    ///
    /// # Errors
    /// It does not let this process in, or does not say what it knows.
    pub async fn look(&self, clock: Clock) -> Result<Option<(Snapshot, String)>> {
        let link = match self.dial(clock).await {
            Ok(link) => link,
            Err(LinkError::Nobody { .. }) => return Ok(None),
            Err(error) => bail!("{error}"),
        };
        let who = link.welcome.who();
        let (_orders, outgoing) = mpsc::channel(1);
        let (sender, mut news) = mpsc::channel(4);
        let run = link.run(outgoing, sender);
        let shown = async {
            while let Some(one) = news.recv().await {
                if let News::Snapshot(snapshot) = one
                    && is_known(&snapshot)
                {
                    return Some(*snapshot);
                }
            }
            None
        };
        let shown = async {
            tokio::select! {
                shown = shown => shown,
                _ = run => None,
            }
        };
        match tokio::time::timeout(PATIENCE, shown).await {
            Ok(Some(snapshot)) => Ok(Some((snapshot, who))),
            Ok(None) | Err(_) => bail!("noctty, {who}, polls here and does not say what it knows"),
        }
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

    /// What the engine of that greeting is to a console here.
    pub fn attached(&self, welcome: &Welcome) -> Attached {
        let machine = match self {
            Self::Here(_) | Self::Socket(_) => None,
            Self::Far(far) => Some(far.name().into()),
            Self::As(way, _) => return way.attached(welcome),
        };
        Attached { machine, ..welcome.attached() }
    }
}

/// All of it has come, and an inventory is there; it may be an empty one.
fn is_known(snapshot: &Snapshot) -> bool {
    let engine = &snapshot.engine;
    let is_there = !(snapshot.hosts.is_empty() && snapshot.jobs.is_empty() && engine.discovering);
    snapshot.awaited.is_nothing() && engine.has_inventory && is_there
}

fn owner(path: &Path) -> std::io::Result<u32> {
    Ok(std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path)?))
}
