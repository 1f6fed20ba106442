//! SNMP (RFC 3416, 1157) without I/O: what is asked, how replies are matched, how a walk goes on and ends.
//!
//! ```text
//! datagram → message (version, community) → pdu (kind, id, error) → varbinds, borrowed → Walk → Sink
//!          ↘ secured (v3: head, MAC, cipher) ↗   with the keys and clocks of usm
//! ```
//! Nothing here allocates for each varbind, trusts a length, or panics on what a stranger sends. Version 3 is another
//! wrapping around the same PDU.

pub mod ber;
pub mod engine;
pub mod message;
pub mod notification;
pub mod oid;
pub mod pdu;
mod rtt;
pub mod secured;
pub mod usm;
pub mod walk;

pub use engine::{Credentials, Engine, Finished, Peer, Refusal, Refused, Security};
pub use message::{Message, Version};
pub use oid::{Oid, RawOid};
pub use pdu::{ErrorStatus, Pdu, PduKind, Value};
pub use secured::Secured;
pub use walk::{Plan, Sink, Unfinished, Walk, Walked};
