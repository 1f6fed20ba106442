//! `dns-serial`: do all name servers of a zone have the same version of it. Each is asked for the SOA record; who does not
//! answer for the zone itself, or is behind the newest, is named.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::dns::Server;
use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::base::{Untrusted, units};
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::net::dns::{self, Answer, Transport};
use crate::net::race;

/// Name servers of one zone that are asked.
const MOST_SERVERS: usize = 16;

pub static KIND: Kind = Kind {
    name: "dns-serial",
    help: "do all name servers of a zone have the same serial number",
    options: &[
        OptionDoc { name: "zone", form: "string", default: "", help: "the zone; required" },
        OptionDoc {
            name: "servers",
            form: "array",
            default: "the zone's NS records",
            help: "its name servers (`10.0.0.1`, `ns2:5353`); by default the host is asked who they are",
        },
        OptionDoc { name: "port", form: "integer", default: "53", help: "the name servers' port" },
        OptionDoc {
            name: "behind_critical",
            form: "integer",
            default: "0",
            help: "so many versions behind is critical; 0: never",
        },
    ],
    pace: Pace {
        interval: Duration::from_secs(300),
        timeout: Duration::from_secs(5),
        // A secondary may need a while to fetch what has just changed.
        retry_interval: Duration::from_secs(60),
        attempts: 3,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct Serial {
    zone: String,
    host: Server,
    servers: Option<Vec<Server>>,
    behind_critical: u32,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let zone = options.required_string("zone");
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(53);
    let servers = Server::read("servers", port, options);
    let behind = options.integer("behind_critical", 0..=1_000_000).and_then(|n| u32::try_from(n).ok());
    let zone = zone?;
    if let Err(error) = dns::check_question(&zone, "SOA") {
        let place = options.place_of("zone");
        options.problem(Problem::error(&place, error.to_string()).hint("zone = \"example.net\""));
        return None;
    }
    let host = Server { host: host.address.clone()?, port };
    Some(Box::new(Serial { zone, host, servers, behind_critical: behind.unwrap_or(0) }))
}

impl Probe for Serial {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        let destination = match &self.servers {
            Some(servers) => servers.iter().map(Server::shown).collect::<Vec<_>>().join(", "),
            None => format!("{} and the name servers of {}", self.host.shown(), self.zone),
        };
        Wire { protocol: format!("DNS SOA {}", self.zone).into(), destination: destination.into() }
    }

    /// Others are asked as well, or alone.
    fn speaks_for_host(&self) -> bool {
        false
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(super::named(&["servers", "servers_answering", "behind", "serial"]))
    }

    fn instance(&self) -> String {
        self.zone.clone()
    }
}

impl Serial {
    async fn ask(&self, cx: &Cx) -> Reading {
        // Finding out who they are and asking them share the time.
        let each = if self.servers.is_some() { cx.timeout } else { cx.timeout / 2 };
        let servers = match &self.servers {
            Some(servers) => servers.clone(),
            None => match self.find(cx, each).await {
                Ok(servers) => servers,
                Err(why) => return Reading::critical(why),
            },
        };
        let told = join_all(servers.iter().map(|server| self.ask_one(server, cx, each))).await;
        let told: Vec<(String, Result<u32, String>)> = servers.iter().map(Server::shown).zip(told).collect();
        judge(&self.zone, &told, self.behind_critical)
    }

    /// The zone's name servers, as the host names them.
    async fn find(&self, cx: &Cx, each: Duration) -> Result<Vec<Server>, String> {
        let addresses = cx.addresses(&self.host.host, each).await.map_err(|e| e.to_string())?;
        let answer = self.question(&addresses, self.host.port, "NS", each).await?;
        let names = answer.records.iter().take(MOST_SERVERS).map(|name| name.trim_end_matches('.'));
        Ok(names.map(|name| Server { host: name.into(), port: self.host.port }).collect())
    }

    async fn ask_one(&self, server: &Server, cx: &Cx, each: Duration) -> Result<u32, String> {
        // The names in NS records are somebody else's.
        let found = match &self.servers {
            Some(_) => cx.addresses(&server.host, each).await,
            None => cx.addresses_once(&server.host, each).await,
        };
        let addresses = found.map_err(|e| e.to_string())?;
        match self.question(&addresses, server.port, "SOA", each).await? {
            Answer { authoritative: false, .. } => Err("does not answer for the zone (no AA)".to_owned()),
            Answer { serial: Some(serial), .. } => Ok(serial),
            Answer { serial: None, .. } => Err("answers without a serial".to_owned()),
        }
    }

    /// One question to the first of a server's addresses that answers.
    async fn question(&self, addresses: &[IpAddr], port: u16, kind: &str, each: Duration) -> Result<Answer, String> {
        let ask = |address, left| dns::ask(SocketAddr::new(address, port), &self.zone, kind, Transport::Udp, left);
        let asked = race::first(addresses, race::share(addresses, each), each, ask)
            .await
            .map_err(|failed| race::words(&failed))?;
        asked.answer.map_err(|error| error.to_string())
    }
}

fn judge(zone: &str, told: &[(String, Result<u32, String>)], behind_critical: u32) -> Reading {
    let serials: Vec<u32> = told.iter().filter_map(|(_, serial)| serial.as_ref().ok().copied()).collect();
    let newest = serials.iter().copied().reduce(|a, b| if is_newer(b, a) { b } else { a });
    let clean = |text: &str| Untrusted::from(text).line();
    let mut words: Vec<String> = Vec::new();
    let mut worst = Outcome::Ok;
    let mut most_behind = 0;
    for (server, serial) in told {
        let (outcome, said) = match (serial, newest) {
            (Ok(serial), Some(newest)) if *serial != newest => {
                let behind = newest.wrapping_sub(*serial);
                most_behind = most_behind.max(behind);
                let critical = behind_critical > 0 && behind >= behind_critical;
                let outcome = if critical { Outcome::Critical } else { Outcome::Warning };
                (outcome, format!("{} has {serial}, {behind} behind", clean(server)))
            }
            (Ok(_), _) => continue,
            (Err(why), Some(_)) => (Outcome::Warning, format!("{}: {}", clean(server), clean(why))),
            (Err(why), None) => (Outcome::Critical, format!("{}: {}", clean(server), clean(why))),
        };
        worst = if worst == Outcome::Critical { worst } else { outcome };
        words.push(said);
    }
    let summary = match newest {
        Some(newest) if words.is_empty() => format!("{zone} {newest} on {}", units::counted(serials.len(), "server")),
        Some(newest) => format!("{zone} {newest}: {}", words.join(" | ")),
        None => format!("no server tells the serial of {zone}: {}", words.join(" | ")),
    };
    let mut reading = Reading::new(worst, summary)
        .metric("servers", told.len() as f64, Unit::Count)
        .metric("servers_answering", serials.len() as f64, Unit::Count)
        .metric("behind", f64::from(most_behind), Unit::Count);
    if let Some(newest) = newest {
        reading = reading.metric("serial", f64::from(newest), Unit::Count);
    }
    told.iter().fold(reading, |reading, (server, serial)| {
        reading.log(match serial {
            Ok(serial) => format!("{server}: {serial}"),
            Err(why) => format!("{server}: {why}"),
        })
    })
}

/// Serial number arithmetic (RFC 1982 §3.2): the numbers go round.
fn is_newer(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_found_across_the_end_of_the_numbers() {
        let told = [("a".to_owned(), Ok(u32::MAX - 1)), ("b".to_owned(), Ok(3)), ("c".to_owned(), Ok(3))];
        let reading = judge("z", &told, 0);
        assert_eq!(
            (reading.outcome, reading.summary.line()),
            (Outcome::Warning, "z 3: a has 4294967294, 5 behind".to_owned())
        );
        assert_eq!(judge("z", &told, 5).outcome, Outcome::Critical);
        assert_eq!(judge("z", &told, 6).outcome, Outcome::Warning);
    }

    #[test]
    fn a_silent_server_is_named_and_all_silent_is_critical() {
        let silent = || Err("no answer".to_owned());
        let one = judge("z", &[("a".to_owned(), Ok(1)), ("b".to_owned(), silent())], 0);
        assert_eq!((one.outcome, one.summary.line()), (Outcome::Warning, "z 1: b: no answer".to_owned()));
        let all = judge("z", &[("a".to_owned(), silent()), ("b".to_owned(), silent())], 0);
        assert_eq!(all.outcome, Outcome::Critical);
        assert_eq!(all.summary.line(), "no server tells the serial of z: a: no answer | b: no answer");
    }
}
