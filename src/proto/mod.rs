//! Sans-IO protocol cores: bytes and time in, bytes and facts out. No socket, no clock, no task.

pub mod certificate;
pub mod icmp;
pub mod ldap;
pub mod ntp;
pub mod plugin_output;
pub mod prometheus;
pub mod snmp;
pub mod tls_hello;
