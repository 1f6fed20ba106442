//! What an operator talks about: hosts, ports, backup jobs, incidents, and what was observed of them.
//! Plain data: no I/O, no serialisation (each edge owns its own form), no rules.

pub mod backup;
pub mod check;
pub mod device;
pub mod host;
pub mod incident;
pub mod inventory;
pub mod observation;
pub mod policy;
pub mod port;
pub mod remembered;
pub mod session;

pub use backup::{BackupFailure, BackupReport, Job, LockState, RestorePoint, Schedule};
pub use check::{CheckKey, CheckSpec, Subject, Wire};
pub use device::{Device, Equipment, PortFacts};
pub use host::{AssetId, Host, Origin};
pub use incident::{Entry, EntryKind, Incident, IncidentId, IncidentStatus, Urgency};
pub use inventory::Inventory;
pub use observation::{Facts, Metric, Observation, Outcome, Reading, Unit};
pub use policy::{Condition, Policy};
pub use port::{Counters, Duplex, IfAdmin, IfOper, Port, PortTable};
pub use remembered::Remembered;
pub use session::{HostKeyProblem, Prompt, PromptId, Session, SessionId, SessionStatus};
