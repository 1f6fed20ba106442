//! What an operator talks about: hosts, ports, backup jobs, incidents, and what was observed of them.
//! Plain data: no I/O, no serialisation (each edge owns its own form), no rules.

pub mod alert;
pub mod backup;
pub mod care;
pub mod check;
pub mod device;
pub mod flap;
pub mod host;
pub mod incident;
pub mod inventory;
pub mod maintenance;
pub mod notification;
pub mod observation;
pub mod policy;
mod pool;
pub mod port;
pub mod port_history;
pub mod port_key;
pub mod port_rules;
pub mod remembered;
mod routing;
pub mod session;
pub mod threshold;
pub mod vitals;

pub use alert::{Alert, AlertKind, ChannelStatus, Desktop};
pub use backup::{BackupFailure, BackupReport, Job, LockState, RestorePoint, Schedule};
pub use care::{Acknowledgement, CareBook, Claim, Deed, Pause, Release, Stickiness, Target};
pub use check::{CheckKey, CheckSpec, EASED, EASES_AFTER, Subject, Wire};
pub use device::{Device, Equipment, PortFacts};
pub use flap::{Flap, FlapBegins, FlapFormula, FlapRecords};
pub use host::{AssetId, Host, Inference, Origin, redundancy_groups};
pub use incident::{Entry, EntryKind, Incident, IncidentId, IncidentStatus, Urgency};
pub use inventory::Inventory;
pub use maintenance::{Maintenance, Order, Scope, Span};
pub use notification::{Notification, NotificationKind, TrapStatus};
pub use observation::{Facts, Metric, Observation, Outcome, Reading, Unit};
pub use policy::{Condition, Policy};
pub use port::{Counter, Counters, Duplex, IfAdmin, IfOper, Port, PortPackets, PortTable};
pub use port_history::{Flaps, PortChange, PortEvent, PortMemory, PortState, RememberedDevice, Ties};
pub use port_key::{PortKey, ToldApart};
pub use port_rules::{PortRole, PortRules};
pub use remembered::{Remembered, RememberedAsset, Told, ToldPart};
pub use session::{HostKeyProblem, Prompt, PromptId, Session, SessionId, SessionStatus};
pub use threshold::{Side, Threshold};
pub use vitals::Vitals;
