//! Backup tools: one file per tool, one row each in [`SOURCES`]. A source says what to ask of the tool and
//! reads its replies; it never changes a repository and never takes a lock.

mod borg;
mod repository;
mod restic;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Clock;
use crate::base::options::{OptionDoc, Reader};
use crate::model::{Job, Reading, Wire};

/// Reads the options and binds a source to a job; problems go to the reader.
pub type Bind = fn(&Arc<Job>, &mut Reader<'_>) -> Option<Box<dyn Source>>;

pub type Looking<'a> = Pin<Box<dyn Future<Output = Reading> + Send + 'a>>;

#[derive(Clone, Copy, Debug)]
pub struct Cx {
    pub clock: Clock,
    pub timeout: Duration,
}

/// One bound repository. Its reading carries `Facts::Backup` where the repository could be read.
pub trait Source: Debug + Send + Sync {
    fn look<'a>(&'a self, cx: &'a Cx) -> Looking<'a>;

    /// What it runs and where to, without running it.
    fn wire(&self) -> Wire;

    /// Why the operator should be asked before the first look (a password command, a remote repository
    /// that only the environment named); `None` where it may just run.
    fn waits_for(&self) -> Option<String> {
        None
    }
}

/// A row of the table of backup tools.
#[derive(Debug)]
pub struct SourceKind {
    pub name: &'static str,
    pub help: &'static str,
    pub options: &'static [OptionDoc],
    pub interval: Duration,
    pub timeout: Duration,
    pub bind: Bind,
}

/// Every backup tool there is.
pub static SOURCES: &[&SourceKind] = &[&restic::KIND, &borg::KIND];

pub fn source(name: &str) -> Option<&'static SourceKind> {
    SOURCES.iter().copied().find(|s| s.name == name)
}
