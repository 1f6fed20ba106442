//! `tls`: a server's certificate and the protocols it takes. Everything that is wrong with the certificate is said; how
//! long it still holds is measured; old versions of TLS that the server would accept are found out by asking for them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::protection::NAME;
use super::{Cx, Kind, Pace, Probe, Running, with_passed_over};
use crate::base::Timestamp;
use crate::base::options::{OptionDoc, Problem, Reader, Worse};
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::net::starttls::{StartTls, StartTlsError};
use crate::net::tcp::{self, Connected};
use crate::net::tls::{self, Fault, Offer, Own, Presented, Trust};
use crate::proto::certificate::Certificate;
use crate::proto::tls_hello::Old;

const DAY: u64 = 86_400;

pub static KIND: Kind = Kind {
    name: "tls",
    help: "a server's certificate (chain, names, days left) and the old TLS versions it accepts; also behind STARTTLS",
    options: &[
        OptionDoc {
            name: "port",
            form: "integer",
            default: "443",
            help: "the port; that of the protocol with `starttls`",
        },
        NAME,
        OptionDoc {
            name: "starttls",
            form: "string",
            default: "",
            help: "\"smtp\", \"imap\", \"pop3\", \"ftp\", \"ldap\", \"postgres\" or \"mysql\": TLS begins by its command",
        },
        OptionDoc {
            name: "fingerprints",
            form: "array",
            default: "",
            help: "SHA-256 of the certificates that are good, as `openssl x509 -fingerprint -sha256` prints them: another one is \
                   critical, and these need no authority",
        },
        OptionDoc { name: "warning", form: "duration", default: "30d", help: "a certificate ends within" },
        OptionDoc { name: "critical", form: "duration", default: "7d", help: "a certificate ends within" },
        OptionDoc {
            name: "old_versions",
            form: "boolean",
            default: "false",
            help: "true: TLS 1.0 and 1.1 may be accepted, and are not asked for",
        },
        tls::CA,
        tls::VERIFY,
        tls::CERTIFICATE,
        tls::KEY,
    ],
    pace: Pace {
        interval: Duration::from_secs(3_600),
        timeout: Duration::from_secs(10),
        retry_interval: Duration::from_secs(60),
        attempts: 2,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct TlsCheck {
    address: Arc<str>,
    port: u16,
    name: String,
    starttls: Option<StartTls>,
    /// In lower-case hexadecimal.
    fingerprints: Vec<String>,
    warning: Duration,
    critical: Duration,
    old_versions: bool,
    trust: Trust,
    own: Option<Own>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok());
    let name = tls::read_name(options);
    let is_starttls = options.node("starttls").is_some();
    let starttls = options.one_of("starttls", &StartTls::ALL);
    let usual = starttls.map_or(443, StartTls::port);
    let fingerprints = read_fingerprints(options);
    let ends = [Duration::from_secs(30 * DAY), Duration::from_secs(7 * DAY)];
    let [warning, critical] = options.pair(Worse::Lower, ["warning", "critical"], ends, Reader::duration);
    let old_versions = options.bool("old_versions").unwrap_or(false);
    let trust = Trust::read(options);
    let own = Own::read(options);
    let address = host.address.clone()?;
    let name = name.unwrap_or_else(|| address.to_string());
    if is_starttls && starttls.is_none() {
        return None;
    }
    Some(Box::new(TlsCheck {
        address,
        port: port.unwrap_or(usual),
        name,
        starttls,
        fingerprints: fingerprints?,
        warning,
        critical,
        old_versions,
        trust,
        own: own?,
    }))
}

/// `AB:CD:…` or `abcd…`; `None` where one is none.
fn read_fingerprints(options: &mut Reader<'_>) -> Option<Vec<String>> {
    let written = options.placed_strings("fingerprints").unwrap_or_default();
    let count = written.len();
    let mut out = Vec::with_capacity(count);
    for (text, place) in written {
        let hex = text.replace(':', "").to_ascii_lowercase();
        if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            out.push(hex);
        } else {
            let problem = Problem::error(&place, format!("\"{text}\" is no SHA-256 fingerprint of a certificate"));
            options.problem(problem.hint("64 hexadecimal digits, with or without colons"));
        }
    }
    (out.len() == count).then_some(out)
}

impl Probe for TlsCheck {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        let protocol = match self.starttls {
            None => "TLS handshake".to_owned(),
            Some(protocol) => format!("{}, STARTTLS, TLS handshake", protocol.name()),
        };
        let more = if self.old_versions { "" } else { ", first messages of TLS 1.0 and 1.1" };
        let destination = format!("{}:{}", self.address, self.port);
        Wire { protocol: format!("{protocol}{more}").into(), destination: destination.into() }
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(super::named(&["days_left", "chain", "old_versions", "handshake"]))
    }

    fn instance(&self) -> String {
        let named = if *self.name == *self.address { String::new() } else { self.name.clone() };
        match (named.is_empty(), self.port) {
            (true, 443) => String::new(),
            (true, port) => port.to_string(),
            (false, 443) => named,
            (false, port) => format!("{named}:{port}"),
        }
    }
}

impl TlsCheck {
    async fn ask(&self, cx: &Cx) -> Reading {
        let addresses = match cx.addresses(&self.address, cx.timeout).await {
            Ok(addresses) => addresses,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let begun = Instant::now();
        match tcp::connect_any(&addresses, self.port, cx.timeout).await {
            Ok(Connected { stream, passed_over, .. }) => {
                let reading = match stream.peer_addr() {
                    Ok(address) => self.talk(stream, address, begun, cx).await,
                    Err(error) => Reading::critical(tcp::unreachable(&error)),
                };
                with_passed_over(reading, &passed_over)
            }
            Err(error) => Reading::critical(error.to_string()),
        }
    }

    /// With the one that answers, who is asked again by each old version.
    async fn talk(&self, stream: TcpStream, address: SocketAddr, begun: Instant, cx: &Cx) -> Reading {
        let left = || cx.timeout.saturating_sub(begun.elapsed());
        let stream = match self.up_to_tls(stream, left()).await {
            Ok(stream) => stream,
            Err(error) => return Reading::critical(error.to_string()),
        };
        let shaken = Instant::now();
        let (stream, presented) =
            match cx.net.tls.connect(stream, &self.name, Offer::Nothing, self.own.as_ref(), left()).await {
                Ok(connected) => connected,
                Err(error) if error.is_ours() => return Reading::unknown(error.to_string()),
                Err(error) => {
                    // Perhaps it knows nothing newer.
                    let old = self.old(address, left()).await;
                    let words = match old.last() {
                        None => error.to_string(),
                        Some(newest) => format!("it speaks nothing newer than {}", newest.name()),
                    };
                    return Reading::critical(words).log(error.to_string());
                }
            };
        let took = shaken.elapsed();
        drop(stream);
        let now = cx.net.clock.wall();
        let faults = match cx.net.tls.faults(&presented, &self.name, &self.trust, now).await {
            Ok(faults) => self.weigh(faults, presented.fingerprint().as_deref()),
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let old = if self.old_versions { Vec::new() } else { self.old(address, left()).await };
        self.judge(&presented, &faults, &old, now).metric("handshake", took.as_secs_f64(), Unit::Seconds)
    }

    /// The same connection where its next byte is TLS.
    async fn up_to_tls(&self, stream: TcpStream, left: Duration) -> Result<TcpStream, StartTlsError> {
        let Some(protocol) = self.starttls else { return Ok(stream) };
        let own = mail_name(&stream);
        protocol.begin(stream, &own, left).await
    }

    /// The faults in words. A certificate that was named needs nobody who vouches for it; another one is a fault.
    fn weigh(&self, mut faults: Vec<Fault>, fingerprint: Option<&str>) -> Vec<String> {
        let is_named = fingerprint.is_some_and(|it| self.fingerprints.iter().any(|named| named == it));
        if is_named {
            faults.retain(|fault| match fault {
                Fault::Expired { .. } | Fault::NotYetValid { .. } | Fault::WrongName { .. } => true,
                Fault::SelfSigned
                | Fault::UnknownRoot { .. }
                | Fault::Incomplete { .. }
                | Fault::Forged { .. }
                | Fault::Other(_) => false,
            });
        }
        let mut words: Vec<String> = faults.iter().map(ToString::to_string).collect();
        if !is_named && !self.fingerprints.is_empty() {
            words.insert(0, "its fingerprint is none of `fingerprints`".to_owned());
        }
        words
    }

    /// Which old versions it would go on with. One that does not answer in time is not accused.
    async fn old(&self, address: SocketAddr, left: Duration) -> Vec<Old> {
        let begun = Instant::now();
        let left = || left.saturating_sub(begun.elapsed());
        let mut found = Vec::new();
        for version in [Old::Tls10, Old::Tls11] {
            if let Ok((stream, _)) = tcp::connect(address.ip(), address.port(), left()).await
                && let Ok(stream) = self.up_to_tls(stream, left()).await
                && tls::accepts_old(stream, version, &self.name, left()).await
            {
                found.push(version);
            }
        }
        found
    }

    fn judge(&self, presented: &Presented, faults: &[String], old: &[Old], now: Timestamp) -> Reading {
        let mut reading = Reading::ok("");
        let mut words: Vec<String> = Vec::new();
        let mut worst = Outcome::Ok;
        let certificates: Vec<Certificate> = presented.certificates().into_iter().filter_map(Result::ok).collect();
        let own = certificates.first();
        let whose = presented.whose();
        if !faults.is_empty() {
            worst = Outcome::Critical;
            words.push(format!("certificate {whose}: {}", faults.join("; ")));
        }
        // The first one to end ends it all.
        let first = certificates.iter().enumerate().min_by_key(|(_, certificate)| certificate.not_after);
        if let Some((index, certificate)) = first {
            let left = certificate.not_after.since(now);
            let what = if index == 0 { "certificate" } else { "its issuer's certificate" };
            let (date, short) = (tls::date(certificate.not_after), certificate.short());
            let in_time = match left {
                Duration::ZERO => {
                    let ago = tls::days(now.since(certificate.not_after).as_secs());
                    format!("{what} expired {ago} ago ({date}), {short}")
                }
                left => format!("{what} expires in {} ({date}), {short}", tls::days(left.as_secs())),
            };
            let outcome = match left {
                // Said above, where it was judged.
                Duration::ZERO if !faults.is_empty() => None,
                Duration::ZERO => Some(Outcome::Critical),
                left if left < self.critical => Some(Outcome::Critical),
                left if left < self.warning => Some(Outcome::Warning),
                _ => None,
            };
            if let Some(outcome) = outcome {
                worst = if worst == Outcome::Critical { worst } else { outcome };
                words.push(in_time);
            }
        }
        if !old.is_empty() {
            worst = if worst == Outcome::Ok { Outcome::Warning } else { worst };
            words.push(format!("accepts {}", names(old)));
        }
        if let Some(own) = own {
            let left = presented.days_left(now).unwrap_or_default();
            reading = reading.metric("days_left", left, Unit::Count);
            if words.is_empty() {
                let until = format!("{whose} until {} ({:.0} d)", tls::date(own.not_after), left.floor());
                words.push(format!("{until} · {}", presented.version));
            }
        }
        reading = reading
            .metric("chain", presented.chain.len() as f64, Unit::Count)
            .metric("old_versions", old.len() as f64, Unit::Count)
            .log(format!("{} {}", presented.version, presented.cipher));
        for (index, certificate) in presented.certificates().iter().enumerate() {
            let line = match certificate {
                Ok(c) => format!(
                    "{index}: {}, issued by {}, {} to {}{}",
                    c.subject,
                    c.issuer,
                    tls::date(c.not_before),
                    tls::date(c.not_after),
                    if c.names.is_empty() { String::new() } else { format!(", for {}", c.names.join(", ")) }
                ),
                Err(unreadable) => format!("{index}: {unreadable}"),
            };
            reading = reading.log(line);
        }
        if let Some(fingerprint) = presented.fingerprint() {
            reading = reading.log(format!("SHA-256 {fingerprint}"));
        }
        reading.outcome = worst;
        reading.summary = words.join(" · ").into();
        reading
    }
}

fn names(old: &[Old]) -> String {
    old.iter().map(|version| version.name()).collect::<Vec<_>>().join(" and ")
}

/// What we are called in EHLO: our address in brackets (RFC 5321 §4.1.3).
pub fn mail_name(stream: &TcpStream) -> String {
    match stream.local_addr().map(|address| address.ip()) {
        Ok(IpAddr::V4(address)) => format!("[{address}]"),
        Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Err(_) => "[127.0.0.1]".to_owned(),
    }
}
