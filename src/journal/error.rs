//! Why something was not written, or could not be read.

use crate::base::Timestamp;
use crate::model::IncidentId;
use crate::store::OpenError;

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("there is no {0}")]
    NoSuchIncident(IncidentId),
    #[error("{0} is closed already")]
    AlreadyClosed(IncidentId),
    #[error("nothing to write: the {0} is empty")]
    Empty(&'static str),
    #[error("the {what} has {bytes} bytes, at most {limit} are kept")]
    TooLong { what: &'static str, bytes: usize, limit: usize },
    #[error("an incident is opened by its own command, not by an entry")]
    OpensNothing,
    #[error("what is done about problems belongs to no incident")]
    OfNoIncident,
    #[error("no incident number is free")]
    NoNumber,
    /// Somebody else has claimed it; nobody said that it is to be taken from them.
    #[error("{owner} has it since {}, until {} UTC", since.utc_minute(), until.utc_minute())]
    Taken { owner: String, since: Timestamp, until: Timestamp },
}
