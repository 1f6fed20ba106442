//! `ldap`: can one log in to a directory, and does a search find what it should.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::protection::{self, How, Protection};
use super::{Cx, Kind, Pace, Probe, Running, with_passed_over};
use crate::base::options::{OptionDoc, Problem, Reader, SecretRef};
use crate::base::{Secret, units};
use crate::model::{Host, Reading, Unit, Wire};
use crate::net::ldap::{Found, Ldap, LdapError, More};
use crate::net::tcp::{self, Connected};
use crate::net::tls;
use crate::process::secret;
use crate::proto::ldap::{Filter, Scope};

pub static KIND: Kind = Kind {
    name: "ldap",
    help: "a directory: bind, and a search that must find something; entries are counted, not read",
    options: &[
        OptionDoc { name: "port", form: "integer", default: "389", help: "the port; 636 with `tls`" },
        OptionDoc {
            name: "bind_dn",
            form: "string",
            default: "",
            help: "who logs in; without it nobody does (anonymous)",
        },
        OptionDoc { name: "password", form: "secret", default: "", help: "for `bind_dn`: by env, file or command" },
        OptionDoc { name: "base", form: "string", default: "the root DSE", help: "where the search begins" },
        OptionDoc { name: "scope", form: "string", default: "base", help: "\"base\", \"one\" or \"sub\"" },
        OptionDoc { name: "filter", form: "string", default: "(objectClass=*)", help: "what is searched (RFC 4515)" },
        OptionDoc { name: "least", form: "integer", default: "1", help: "so many entries must be found" },
        protection::STARTTLS,
        protection::TLS,
        protection::NAME,
        tls::CA,
        tls::VERIFY,
    ],
    pace: Pace {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(10),
        retry_interval: Duration::from_secs(15),
        attempts: 3,
        decides_reachability: false,
    },
    bind,
};

/// Entries that are counted.
const MOST_ENTRIES: u16 = 1_000;

#[derive(Debug)]
struct Directory {
    address: Arc<str>,
    port: u16,
    bind_dn: String,
    password: Option<SecretRef>,
    base: String,
    scope: Scope,
    filter: Filter,
    least: usize,
    protection: Protection,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok());
    let bind_dn = options.string("bind_dn").unwrap_or_default();
    let password = options.secret("password");
    let base = options.string("base").unwrap_or_default();
    let scope = read_scope(options);
    let filter = read_filter(options);
    let least = options.integer("least", 0..=i64::from(MOST_ENTRIES)).and_then(|n| usize::try_from(n).ok());
    let place = options.place().clone();
    let address = host.address.clone()?;
    let protection = Protection::read(&address, options)?;
    if bind_dn.is_empty() != password.is_none() {
        // A name without a password is taken for anonymous by many servers, and would look like a good log-in (RFC 4513 §5.1.2).
        options.problem(Problem::error(&place, "`bind_dn` and `password` belong together"));
        return None;
    }
    let near = address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if password.is_some() && protection.how == How::None && !near {
        options.problem(
            Problem::warning(&place, "the LDAP password goes over the network as it is").hint("use `starttls = true`"),
        );
    }
    Some(Box::new(Directory {
        address,
        port: port.unwrap_or(if protection.how == How::Whole { 636 } else { 389 }),
        bind_dn,
        password,
        base,
        scope: scope?,
        filter: filter?,
        least: least.unwrap_or(1),
        protection,
    }))
}

fn read_scope(options: &mut Reader<'_>) -> Option<Scope> {
    let place = options.node("scope").map(|node| node.place.clone());
    match options.string("scope").as_deref() {
        None | Some("base") => Some(Scope::Base),
        Some("one") => Some(Scope::One),
        Some("sub") => Some(Scope::Sub),
        Some(other) => {
            let place = place.unwrap_or_else(|| options.place().clone());
            options.problem(Problem::error(&place, format!("unknown scope \"{other}\"")).hint("known: base, one, sub"));
            None
        }
    }
}

fn read_filter(options: &mut Reader<'_>) -> Option<Filter> {
    let place = options.node("filter").map(|node| node.place.clone());
    let text = options.string("filter").unwrap_or_else(|| "(objectClass=*)".to_owned());
    match Filter::parse(&text) {
        Ok(filter) => Some(filter),
        Err(error) => {
            let place = place.unwrap_or_else(|| options.place().clone());
            options
                .problem(Problem::error(&place, error.to_string()).hint("filter = \"(&(objectClass=person)(uid=*))\""));
            None
        }
    }
}

impl Probe for Directory {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        let protection = match self.protection.how {
            How::None => "",
            How::StartTls => " after StartTLS",
            How::Whole => " over TLS",
        };
        let destination = format!("{}:{}", self.address, self.port);
        Wire { protocol: format!("LDAP bind and search{protection}").into(), destination: destination.into() }
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(self.protection.numbers(&["rtt", "entries", "bind", "search"]))
    }

    fn instance(&self) -> String {
        match (self.port, self.base.is_empty()) {
            (389, true) => String::new(),
            (389, false) => self.base.clone(),
            (port, true) => port.to_string(),
            (port, false) => format!("{port}:{}", self.base),
        }
    }
}

/// What one run found out, and how long its parts took.
struct Run {
    found: Found,
    bound: Duration,
    searched: Duration,
}

impl Directory {
    async fn ask(&self, cx: &Cx) -> Reading {
        let password = match &self.password {
            None => Secret::new(String::new()),
            Some(reference) => match secret::fetch(reference).await {
                Ok(password) => password,
                Err(error) => return Reading::unknown(format!("the password: {error}")),
            },
        };
        let addresses = match cx.addresses(&self.address, cx.timeout).await {
            Ok(addresses) => addresses,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let begun = Instant::now();
        match tcp::connect_any(&addresses, self.port, cx.timeout).await {
            Ok(Connected { stream, took, passed_over }) => {
                let reading = self.talk(stream, &password, begun, cx).await;
                with_passed_over(reading.metric("rtt", took.as_secs_f64(), Unit::Seconds), &passed_over)
            }
            Err(error) => Reading::critical(error.to_string()),
        }
    }

    async fn talk(&self, stream: TcpStream, password: &Secret<String>, begun: Instant, cx: &Cx) -> Reading {
        let left = || cx.timeout.saturating_sub(begun.elapsed());
        let mut days_left = None;
        let run = match self.protection.how {
            How::None => self.converse(stream, password, left()).await,
            How::Whole | How::StartTls => {
                let stream = match self.protection.how {
                    How::StartTls => Ldap::new(stream, left()).start_tls().await,
                    How::None | How::Whole => Ok(stream),
                };
                match stream {
                    Err(error) => Err(error),
                    Ok(stream) => match self.protection.begin(stream, cx, left()).await {
                        Err(reading) => return reading,
                        Ok((stream, days)) => {
                            days_left = days;
                            self.converse(stream, password, left()).await
                        }
                    },
                }
            }
        };
        let reading = match run {
            Ok(run) => self.judge(&run, begun.elapsed()),
            Err(error) => Reading::critical(error.to_string()),
        };
        match days_left {
            Some(days) => reading.metric("days_left", days, Unit::Count),
            None => reading,
        }
    }

    async fn converse<S>(&self, stream: S, password: &Secret<String>, left: Duration) -> Result<Run, LdapError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut ldap = Ldap::new(stream, left);
        let begun = Instant::now();
        ldap.bind(&self.bind_dn, password).await?;
        let bound = begun.elapsed();
        let found = ldap.count(&self.base, self.scope, &self.filter, MOST_ENTRIES).await?;
        let searched = begun.elapsed().saturating_sub(bound);
        ldap.leave().await;
        Ok(Run { found, bound, searched })
    }

    fn judge(&self, run: &Run, took: Duration) -> Reading {
        let Found { entries, references, more } = run.found;
        let who = if self.bind_dn.is_empty() { "anonymous" } else { "bound" };
        let plus = if more.is_some() { "+" } else { "" };
        let took = units::round_trip(took);
        let entry = if entries == 1 { "entry" } else { "entries" };
        let elsewhere = match references {
            0 => String::new(),
            n => format!("; {} elsewhere not asked", units::counted(n, "reference")),
        };
        let least = self.least;
        let reading = if entries >= least {
            Reading::ok(format!("{who}, {entries}{plus} {entry} in {took}"))
        } else if more == Some(More::Theirs) {
            Reading::unknown(format!(
                "{who}, the server gives no more than {entries} {entry} (sizeLimitExceeded); at least {least} expected"
            ))
        } else {
            Reading::critical(format!("{who}, {entries} {entry} found in {took}{elsewhere}; at least {least} expected"))
        };
        reading
            .metric("entries", entries as f64, Unit::Count)
            .metric("bind", run.bound.as_secs_f64(), Unit::Seconds)
            .metric("search", run.searched.as_secs_f64(), Unit::Seconds)
    }
}
