//! `dns`: do name servers answer a question, as expected, for themselves, validated, and all alike.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::turns::{Asked, Told, Turns};
use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{Node, OptionDoc, Place, Problem, Reader, Value};
use crate::base::{Untrusted, units};
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::net::dns::{self, Answer, QueryError, Transport};
use crate::net::race;

/// Servers that are asked in one run.
const MOST_SERVERS: usize = 16;

pub static KIND: Kind = Kind {
    name: "dns",
    help: "one question to the host as a name server, or to `servers`",
    options: &[
        OptionDoc { name: "name", form: "string", default: "localhost", help: "the domain name asked for" },
        OptionDoc {
            name: "type",
            form: "string",
            default: "A",
            help: "the record type; an address as `name` of a PTR record is turned round",
        },
        OptionDoc {
            name: "server",
            form: "string",
            default: "the host",
            help: "the name server: `10.0.0.1`, `ns2:5353`",
        },
        OptionDoc {
            name: "servers",
            form: "array",
            default: "",
            help: "several name servers (`10.0.0.1`, `ns2:5353`): each is asked, and they must agree",
        },
        OptionDoc { name: "port", form: "integer", default: "53", help: "the name server's port" },
        OptionDoc {
            name: "transport",
            form: "string",
            default: "udp",
            help: "\"udp\", then TCP where the answer is truncated; \"tcp\": only that",
        },
        OptionDoc {
            name: "expect",
            form: "string or array",
            default: "",
            help: "records that must be among the answers",
        },
        OptionDoc { name: "exact", form: "boolean", default: "false", help: "no other records than those of `expect`" },
        OptionDoc {
            name: "authoritative",
            form: "boolean",
            default: "false",
            help: "the server must answer for the zone itself (AA)",
        },
        OptionDoc {
            name: "dnssec",
            form: "boolean",
            default: "false",
            help: "the server must have validated the answer (AD)",
        },
        OptionDoc { name: "nxdomain", form: "boolean", default: "false", help: "the name must not exist" },
        OptionDoc {
            name: "any_answer",
            form: "boolean",
            default: "false",
            help: "NXDOMAIN and the like count as answers: the server lives",
        },
    ],
    pace: Pace {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(3),
        retry_interval: Duration::from_secs(3),
        attempts: 3,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct Dns {
    servers: Vec<Server>,
    /// One for each of them.
    turns: Vec<Turns>,
    /// The only server is the host of the check.
    is_host: bool,
    name: String,
    kind: String,
    transport: Transport,
    wanted: Wanted,
}

/// A name server by name or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub host: Arc<str>,
    pub port: u16,
}

impl Server {
    /// `name`, `name:port`, `address`, `[v6]:port`.
    pub fn parse(text: &str, port: u16) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text.parse::<IpAddr>().is_ok() {
            return Some(Self { host: text.into(), port });
        }
        if let Ok(both) = text.parse::<SocketAddr>() {
            return Some(Self { host: both.ip().to_string().into(), port: both.port() });
        }
        match text.split_once(':') {
            None => Some(Self { host: text.into(), port }),
            Some((host, port)) if !host.is_empty() => Some(Self { host: host.into(), port: port.parse().ok()? }),
            Some(_) => None,
        }
    }

    pub fn shown(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Reads an array of them; `None` where the key is absent or nothing in it can be used.
    pub fn read(key: &'static str, port: u16, options: &mut Reader<'_>) -> Option<Vec<Self>> {
        let written = options.placed_strings(key)?;
        if let Some((_, place)) = written.get(MOST_SERVERS) {
            options.problem(Problem::error(place, format!("more than {MOST_SERVERS} servers in one check")));
        }
        let mut out = Vec::new();
        for (text, place) in written {
            match Self::parse(&text, port) {
                Some(server) => out.push(server),
                None => options.problem(no_server(&place, &text)),
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

fn no_server(place: &Place, text: &str) -> Problem {
    let hint = "a name or an address, with a port where it is another one: \"ns1:5353\", \"[2001:db8::1]:5353\"";
    Problem::error(place, format!("\"{text}\" is no name server")).hint(hint)
}

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
struct Wanted {
    records: Vec<String>,
    exact: bool,
    authoritative: bool,
    dnssec: bool,
    nxdomain: bool,
    any_answer: bool,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let mut name = options.string("name").unwrap_or_else(|| "localhost".to_owned());
    let kind = options.string("type").unwrap_or_else(|| "A".to_owned()).to_ascii_uppercase();
    if let Some(address) = name.parse().ok().filter(|_| kind == "PTR") {
        name = dns::reverse_name(address);
    }
    let transport =
        options.one_of("transport", &[(Transport::Udp, "udp"), (Transport::Tcp, "tcp")]).unwrap_or_default();
    let server = options.string("server");
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(53);
    let servers = Server::read("servers", port, options);
    let server = match server.map(|text| Server::parse(&text, port).ok_or(text)) {
        None => None,
        Some(Ok(server)) => Some(server),
        Some(Err(text)) => {
            let place = options.place_of("server");
            options.problem(no_server(&place, &text));
            return None;
        }
    };
    let mut flag = |key| options.bool(key).unwrap_or(false);
    let mut wanted = Wanted {
        records: Vec::new(),
        exact: flag("exact"),
        authoritative: flag("authoritative"),
        dnssec: flag("dnssec"),
        nxdomain: flag("nxdomain"),
        any_answer: flag("any_answer"),
    };
    wanted.records = read_expected(options);
    if let Err(error) = dns::check_question(&name, &kind) {
        let (key, hint) = if matches!(error, QueryError::BadType(_)) {
            ("type", "such as A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT, CAA, DS, DNSKEY, TLSA")
        } else {
            ("name", "name = \"www.example.net\"")
        };
        let place = options.place_of(key);
        options.problem(Problem::error(&place, error.to_string()).hint(hint));
        return None;
    }
    let is_host = servers.is_none() && server.as_ref().is_none_or(|server| Some(&server.host) == host.address.as_ref());
    let servers = match servers {
        Some(servers) => servers,
        None => match server {
            Some(server) => vec![server],
            None => vec![Server { host: host.address.clone()?, port }],
        },
    };
    let turns = servers.iter().map(|_| Turns::default()).collect();
    Some(Box::new(Dns { servers, turns, is_host, name, kind, transport, wanted }))
}

/// One record or several.
fn read_expected(options: &mut Reader<'_>) -> Vec<String> {
    match options.node("expect") {
        Some(Node { value: Value::Array(_), .. }) => options.strings("expect").unwrap_or_default(),
        _ => options.string("expect").into_iter().collect(),
    }
}

impl Probe for Dns {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        let over = if self.transport == Transport::Tcp { " over TCP" } else { "" };
        let protocol = format!("DNS {} {}{over}", self.kind, self.name);
        let destination: Vec<String> = self.servers.iter().map(Server::shown).collect();
        Wire { protocol: protocol.into(), destination: destination.join(", ").into() }
    }

    fn speaks_for_host(&self) -> bool {
        self.is_host
    }

    fn numbers(&self) -> Option<Vec<String>> {
        if self.servers.len() == 1 {
            Some(super::named(&["rtt", "answers"]))
        } else {
            Some(super::named(&["servers_bad", "rtt:*"]))
        }
    }

    fn instance(&self) -> String {
        match (self.name.as_str(), self.kind.as_str()) {
            ("localhost", "A") => String::new(),
            (name, "A") => name.to_owned(),
            (name, kind) => format!("{name} {kind}"),
        }
    }
}

/// What one server said, judged.
struct Said {
    outcome: Outcome,
    words: String,
    answer: Option<Answer>,
    passed_over: Told,
}

impl Dns {
    async fn ask(&self, cx: &Cx) -> Reading {
        let asked = self.servers.iter().zip(&self.turns).map(|(server, turns)| self.ask_one(server, turns, cx));
        let mut told = join_all(asked).await;
        if told.len() == 1
            && let Some(only) = told.pop()
        {
            let reading = only.passed_over.on(Reading::new(only.outcome, only.words));
            return match only.answer {
                Some(answer) => reading.metric("rtt", answer.took.as_secs_f64(), Unit::Seconds).metric(
                    "answers",
                    answer.records.len() as f64,
                    Unit::Count,
                ),
                None => reading,
            };
        }
        self.together(&told)
    }

    async fn ask_one(&self, server: &Server, turns: &Turns, cx: &Cx) -> Said {
        let addresses = match cx.addresses(&server.host, cx.timeout).await {
            Ok(addresses) => addresses,
            Err(error) => {
                let (words, passed_over) = (error.to_string(), Told::default());
                return Said { outcome: Outcome::Unknown, words, answer: None, passed_over };
            }
        };
        let ask = |address, left| {
            let server = SocketAddr::new(address, server.port);
            dns::ask(server, &self.name, &self.kind, self.transport, left)
        };
        let Asked { answer, told: passed_over } = turns.ask(cx, &addresses, cx.timeout, ask).await;
        let asked = match answer {
            Ok(asked) => asked,
            Err(failed) => {
                let words = race::words(&failed);
                return Said { outcome: Outcome::Critical, words, answer: None, passed_over };
            }
        };
        let (outcome, words) = self.judge(&asked);
        Said { outcome, words, answer: asked.ok(), passed_over }
    }

    fn judge(&self, asked: &Result<Answer, QueryError>) -> (Outcome, String) {
        let wanted = &self.wanted;
        match asked {
            Ok(answer) => self.judge_answer(answer),
            Err(error @ QueryError::Code { code, .. }) if wanted.nxdomain && code.is_absent() => {
                (Outcome::Ok, error.to_string())
            }
            Err(error @ QueryError::Code { .. }) if wanted.any_answer => (Outcome::Ok, error.to_string()),
            Err(error @ (QueryError::NoRecords { .. } | QueryError::Referral { .. })) if wanted.any_answer => {
                (Outcome::Ok, format!("answers: {error}"))
            }
            Err(error) => (Outcome::Critical, error.to_string()),
        }
    }

    fn judge_answer(&self, answer: &Answer) -> (Outcome, String) {
        let wanted = &self.wanted;
        let (name, kind) = (&self.name, &self.kind);
        let found = Untrusted::from(answer.records.join(", ")).json_text();
        if wanted.nxdomain {
            return (Outcome::Critical, format!("{name} {kind} is {found}, but it should not exist"));
        }
        // Names are the same in either case (RFC 4343), texts are not.
        let same = |a: &str, b: &str| {
            let (a, b) = (a.trim_end_matches('.'), b.trim_end_matches('.'));
            a == b || (kind != "TXT" && a.eq_ignore_ascii_case(b))
        };
        if let Some(missing) = wanted.records.iter().find(|want| !answer.records.iter().any(|r| same(r, want))) {
            return (Outcome::Critical, format!("{name} {kind} is {found}, not {missing}"));
        }
        if wanted.exact
            && let Some(extra) = answer.records.iter().find(|r| !wanted.records.iter().any(|want| same(r, want)))
        {
            let extra = Untrusted::from(extra.as_str()).json_text();
            return (Outcome::Critical, format!("{name} {kind} has {extra} too, which is not expected"));
        }
        if wanted.authoritative && !answer.authoritative {
            return (
                Outcome::Critical,
                format!("{name} {kind} is {found}, but the server does not answer for the zone (no AA)"),
            );
        }
        if wanted.dnssec && !answer.authentic {
            return (Outcome::Critical, format!("{name} {kind} is {found}, but not validated by DNSSEC (no AD)"));
        }
        let mut words = format!("{name} {kind} = {found} · {}", units::round_trip(answer.took));
        if wanted.dnssec {
            words.push_str(" · validated");
        }
        (Outcome::Ok, words)
    }

    /// Several servers: the worst decides, and where all are good they must say the same.
    fn together(&self, told: &[Said]) -> Reading {
        let bad: Vec<usize> = (0..told.len()).filter(|i| told[*i].outcome != Outcome::Ok).collect();
        let said = |i: usize| format!("{}: {}", self.servers[i].shown(), told[i].words);
        let sets: Vec<Option<Vec<&String>>> = told.iter().map(|t| t.answer.as_ref().map(sorted)).collect();
        let reading = if bad.is_empty() {
            let other = (1..sets.len()).find(|i| sets[*i] != sets[0]);
            match (other, sets.first()) {
                (Some(other), _) => Reading::warning(format!("servers disagree: {} | {}", said(0), said(other))),
                (None, _) => Reading::ok(format!("{} · {} servers agree", told[0].words, told.len())),
            }
        } else {
            let worst = if bad.iter().any(|i| told[*i].outcome == Outcome::Critical) {
                Outcome::Critical
            } else {
                Outcome::Unknown
            };
            let words: Vec<String> = bad.iter().map(|i| said(*i)).collect();
            Reading::new(worst, format!("{} of {} servers: {}", bad.len(), told.len(), words.join(" | ")))
        };
        let mut reading = reading.metric("servers_bad", bad.len() as f64, Unit::Count);
        for (index, one) in told.iter().enumerate() {
            reading = one.passed_over.on(reading.log(said(index)));
            if let Some(answer) = &one.answer {
                let name = format!("rtt:{}", self.servers[index].shown());
                reading = reading.metric(&name, answer.took.as_secs_f64(), Unit::Seconds);
            }
        }
        reading
    }
}

fn sorted(answer: &Answer) -> Vec<&String> {
    let mut records: Vec<&String> = answer.records.iter().collect();
    records.sort_unstable();
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_name_or_an_address_with_or_without_a_port() {
        let parsed = |text: &str| Server::parse(text, 53).map(|server| server.shown());
        assert_eq!(parsed("10.0.0.1").as_deref(), Some("10.0.0.1:53"));
        assert_eq!(parsed("10.0.0.1:5353").as_deref(), Some("10.0.0.1:5353"));
        assert_eq!(parsed("2001:db8::1").as_deref(), Some("[2001:db8::1]:53"));
        assert_eq!(parsed("[2001:db8::1]:5353").as_deref(), Some("[2001:db8::1]:5353"));
        assert_eq!(parsed("ns2:5353").as_deref(), Some("ns2:5353"));
        for bad in ["", ":53", "ns2:x", "ns2:70000"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }
}
