//! Sockets: one UDP socket for many SNMP exchanges, ICMP, TCP, the resolver. Knows protocols only through
//! `proto`; says in its errors which operation failed towards which address.

mod batch;
pub mod dialog;
pub mod dns;
pub mod http;
pub mod icmp;
pub mod ldap;
mod line;
pub mod mail;
pub mod ntp;
pub mod race;
mod random;
pub mod resolve;
pub mod snmp;
pub mod starttls;
pub mod tcp;
pub mod tls;

use std::sync::Arc;

use crate::base::Clock;

/// The sockets and resolvers that all probes share. Each part opens what it needs on first use, so that
/// start-up waits for none of it.
#[derive(Debug)]
pub struct Net {
    pub clock: Clock,
    pub pinger: icmp::Pinger,
    pub names: resolve::Names,
    pub snmp: snmp::Snmp,
    pub tls: tls::Tls,
}

impl Net {
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            pinger: icmp::Pinger::default(),
            names: resolve::Names::default(),
            snmp: snmp::Snmp::default(),
            tls: tls::Tls::default(),
        })
    }
}
