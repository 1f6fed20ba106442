//! The versioned wire form of commands, notices and snapshots, over a Unix socket or an SSH channel: how a console shows
//! what another process polls.
//!
//! ```text
//! console                                    engine
//!    hello  ───────────────────────────────►           version and shape must be equal
//!           ◄───────────────────────────────  welcome  or a refusal in words
//!           ◄───────────────────────────────  snapshot (the difference to the one before)
//!    taken  ───────────────────────────────►           only now the next one, the newest there is
//!    order  ───────────────────────────────►
//!           ◄───────────────────────────────  saved, not saved, say, reveal
//!           ◄───────────────────────────────  alive    when there was nothing else for a while
//! ```
//!
//! Nothing queues: a console that does not read costs the engine one message and nobody else anything. No secret, no key
//! and no byte of a session is ever sent: sessions, the agent and its questions stay in the console's own process.

mod care;
mod delta;
mod frame;
mod hello;
mod link;
mod message;
mod model;
mod pack;
pub mod picture;
mod seat;
mod serve;
mod steps;
mod view;
mod vitals;
mod wire;
mod words;

pub use hello::{Welcome, build};
pub use link::{Ended, Link, LinkError, News, Onlooker};
pub use message::Order;
pub use seat::{Seat, SeatError, Taken, connect, holder, listen, said, socket_in, system_socket_in};
pub use serve::{Admit, Doors, Guest, Peer, serve};

#[cfg(test)]
pub(crate) mod tests;
