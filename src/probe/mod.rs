//! What can be asked of a host: one file per probe, one row each in [`KINDS`]. A probe runs once and
//! returns a reading; whoever calls it owns timeout, retry, pace and history.

mod dns;
mod dns_serial;
mod findings;
mod http;
pub mod icmp;
mod ldap;
mod linux;
mod local;
mod machine;
mod mail;
mod ntp;
mod pattern;
mod plugin;
pub mod ports;
mod prometheus;
mod protection;
pub mod snmp;
mod ssh_banner;
mod ssh_key;
mod tcp;
mod tls;
pub mod traps;
mod turns;
mod vitals;
mod web;
mod windows;

use std::fmt::Debug;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::base::options::{OptionDoc, Reader};
use crate::model::{Host, PackageList, Reading, Wire};
use crate::net::Net;
use crate::net::race::PassedOver;
use crate::net::resolve::ResolveError;
use crate::net::tcp::ConnectError;
use crate::process::secret::Secrets;
use crate::profile::Profiles;
use crate::proto::icmp::Family;
use crate::ssh::Links;

/// Reads the options and binds a probe to a host; problems go to the reader.
pub type Bind = fn(&Arc<Host>, &mut Reader<'_>) -> Option<Box<dyn Probe>>;

pub type Running<'a> = Pin<Box<dyn Future<Output = Reading> + Send + 'a>>;

/// What is installed, or in words why that is not told.
pub type Listing<'a> = Pin<Box<dyn Future<Output = Result<PackageList, String>> + Send + 'a>>;

/// What a run may use.
#[derive(Clone, Debug)]
pub struct Cx {
    pub net: Arc<Net>,
    /// Which addresses of a name are asked; where nobody says, one of each family in turn, IPv4 first.
    pub family: Option<Family>,
    /// The caller gives up after this long; a probe that asks several times divides it.
    pub timeout: Duration,
}

impl Cx {
    /// All addresses of a name that the configuration has, in the order in which they are tried.
    ///
    /// # Errors
    /// As [`crate::net::resolve::Names::addresses`].
    pub async fn addresses(&self, name: &Arc<str>, timeout: Duration) -> Result<Vec<IpAddr>, ResolveError> {
        self.net.names.addresses(name, self.family, timeout).await
    }

    /// The same of a name that somebody else chose; it is not remembered.
    ///
    /// # Errors
    /// As [`crate::net::resolve::Names::addresses_once`].
    pub async fn addresses_once(&self, name: &Arc<str>, timeout: Duration) -> Result<Vec<IpAddr>, ResolveError> {
        self.net.names.addresses_once(name, self.family, timeout).await
    }
}

/// A reading that says which addresses of the name did not answer.
fn with_passed_over(reading: Reading, passed_over: &[PassedOver<ConnectError>]) -> Reading {
    passed_over.iter().fold(reading, |reading, passed| reading.log(passed.to_string()))
}

/// One ICMP echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    pub address: IpAddr,
    /// Bytes, the ICMP header included.
    pub size: usize,
}

/// One bound check: knows its target and options.
pub trait Probe: Debug + Send + Sync {
    /// Asks once. Never panics, never waits longer than `cx.timeout` by itself where it can help it.
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a>;

    /// What it sends and where to, without sending it.
    fn wire(&self) -> Wire;

    /// Where a run is one ICMP echo to a known address and nothing else: thousands of those need no task each, and
    /// [`icmp::reading`] says what an answer means.
    fn echo(&self) -> Option<Echo> {
        None
    }

    /// The longest that a run may take, from the `timeout` in force; other than that where the option means one try.
    fn budget(&self, timeout: Duration) -> Duration {
        timeout
    }

    /// The operator asks for the next run: what was given up for good is tried again.
    fn told(&self) {}

    /// Gives it the device profiles in force. Until then it has the shipped ones.
    fn equip(&mut self, _: &Arc<Profiles>) {}

    /// Gives it what fetches secrets for many. Until then it fetches its own.
    fn share(&mut self, _: &Arc<Secrets>) {}

    /// Gives it the connections that the whole console keeps. Until then it has its own.
    fn join(&mut self, _: &Arc<Links>) {}

    /// Whether a good result can only have come from the host.
    fn speaks_for_host(&self) -> bool {
        true
    }

    /// Asks what is installed there, beside all runs and never longer than `cx.timeout` where it can help it; `None` where this
    /// kind does not tell that.
    fn packages<'a>(&'a self, _: &'a Cx) -> Option<Listing<'a>> {
        None
    }

    /// The names of the numbers that a run may give, for limits under them; `disk:*` stands for all that begin so. `None`
    /// where only the answer says.
    fn numbers(&self) -> Option<Vec<String>> {
        None
    }

    /// Tells two checks of one kind on one host apart: the port, the name asked for. Empty for one.
    fn instance(&self) -> String {
        String::new()
    }
}

/// How often, how long, how many times: defaults that the configuration may overrule.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub interval: Duration,
    pub timeout: Duration,
    pub retry_interval: Duration,
    pub attempts: u8,
    /// A critical reading means that the host does not answer.
    pub decides_reachability: bool,
}

/// The names of numbers as [`Probe::numbers`] gives them.
fn named(numbers: &[&str]) -> Vec<String> {
    numbers.iter().map(|name| (*name).to_owned()).collect()
}

/// A row of the table of probes.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    pub help: &'static str,
    pub options: &'static [OptionDoc],
    pub pace: Pace,
    pub bind: Bind,
}

/// Every probe there is.
pub static KINDS: &[&Kind] = &[
    &icmp::KIND,
    &tcp::KIND,
    &ssh_banner::KIND,
    &ssh_key::KIND,
    &dns::KIND,
    &dns_serial::KIND,
    &http::KIND,
    &tls::KIND,
    &mail::SMTP,
    &mail::IMAP,
    &mail::POP3,
    &ldap::KIND,
    &ntp::KIND,
    &prometheus::KIND,
    &plugin::KIND,
    &local::KIND,
    &linux::KIND,
    &windows::KIND,
    &snmp::KIND,
    &ports::KIND,
];

pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|k| k.name == name)
}
