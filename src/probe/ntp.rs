//! `ntp`: is a time server synchronised, and how far is its clock from ours.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use super::turns::{Asked, Turns};
use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{OptionDoc, Reader, Worse};
use crate::base::{Untrusted, units};
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::net::{ntp, race};
use crate::proto::ntp::{Answer, Comparison, FARTHEST};

pub static KIND: Kind = Kind {
    name: "ntp",
    help: "a time server: offset from this machine's clock, stratum, leap, root distance, reach",
    options: &[
        OptionDoc { name: "port", form: "integer", default: "123", help: "the UDP port" },
        OptionDoc { name: "offset_warning", form: "duration", default: "100ms", help: "the clocks differ by at least" },
        OptionDoc { name: "offset_critical", form: "duration", default: "1s", help: "the clocks differ by at least" },
        OptionDoc { name: "stratum_warning", form: "integer", default: "16", help: "a stratum from here on" },
    ],
    pace: Pace {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(3),
        retry_interval: Duration::from_secs(8),
        attempts: 3,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct Ntp {
    address: Arc<str>,
    port: u16,
    offset_warning: Duration,
    offset_critical: Duration,
    stratum_warning: u8,
    /// One bit for each of our last eight questions, the newest to the right: answered with a time (RFC 5905 §9.2).
    reach: AtomicU8,
    turns: Turns,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(123);
    let usual = [Duration::from_millis(100), Duration::from_secs(1)];
    let [offset_warning, offset_critical] =
        options.pair(Worse::Higher, ["offset_warning", "offset_critical"], usual, Reader::duration);
    let stratum = options.integer("stratum_warning", 1..=16).and_then(|n| u8::try_from(n).ok());
    Some(Box::new(Ntp {
        address: host.address.clone()?,
        port,
        offset_warning,
        offset_critical,
        stratum_warning: stratum.unwrap_or(16),
        reach: AtomicU8::new(0),
        turns: Turns::default(),
    }))
}

impl Probe for Ntp {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        Wire { protocol: "NTP".into(), destination: format!("{}:{}", self.address, self.port).into() }
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(super::named(&["offset", "rtt", "stratum", "root_delay", "root_dispersion", "reach"]))
    }

    fn instance(&self) -> String {
        if self.port == 123 { String::new() } else { self.port.to_string() }
    }
}

impl Ntp {
    async fn ask(&self, cx: &Cx) -> Reading {
        let addresses = match cx.addresses(&self.address, cx.timeout).await {
            Ok(addresses) => addresses,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let ask = |address, left| ntp::ask(SocketAddr::new(address, self.port), left);
        let Asked { answer, told } = self.turns.ask(cx, &addresses, cx.timeout, ask).await;
        let serves = answer.as_ref().is_ok_and(|(answer, _)| answer.is_synchronised());
        let reach = self.reach.load(Ordering::Relaxed) << 1 | u8::from(serves);
        self.reach.store(reach, Ordering::Relaxed);
        let reading = match answer {
            Ok((answer, comparison)) => self.judge(&answer, comparison, reach),
            Err(failed) => Reading::critical(race::words(&failed)),
        };
        told.on(reading).metric("reach", f64::from(reach.count_ones()), Unit::Count)
    }

    fn judge(&self, answer: &Answer, comparison: Comparison, reach: u8) -> Reading {
        if let Some(kiss) = answer.kiss() {
            let why = match kiss {
                b"RATE" => " (asked too often)",
                b"DENY" | b"RSTR" => " (not for us)",
                b"INIT" | b"STEP" => " (it has just been started)",
                _ => "",
            };
            return Reading::critical(format!("it refuses to tell the time: {}{why}", Untrusted::new(kiss).line()));
        }
        let numbers = |reading: Reading| {
            reading
                .metric("stratum", f64::from(answer.stratum), Unit::Count)
                .metric("root_delay", answer.root_delay, Unit::Seconds)
                .metric("root_dispersion", answer.root_dispersion, Unit::Seconds)
                .metric("rtt", comparison.delay, Unit::Seconds)
        };
        if !answer.is_synchronised() {
            let words = format!("not synchronised (leap {}, stratum {})", answer.leap, answer.stratum);
            return numbers(Reading::critical(words));
        }
        let magnitude = Duration::try_from_secs_f64(comparison.offset.abs()).unwrap_or(Duration::MAX);
        let sign = if comparison.offset < 0.0 { '-' } else { '+' };
        let offset = format!("offset {sign}{}", units::round_trip(magnitude));
        let distance = answer.root_distance();
        let (outcome, why) = if magnitude >= self.offset_critical {
            (Outcome::Critical, " from this machine".to_owned())
        } else if magnitude >= self.offset_warning {
            (Outcome::Warning, " from this machine".to_owned())
        } else if distance > FARTHEST {
            (Outcome::Warning, format!(" · root distance {distance:.1} s: its own time is not sure"))
        } else if answer.stratum >= self.stratum_warning {
            (Outcome::Warning, String::new())
        } else {
            (Outcome::Ok, String::new())
        };
        let leap = match answer.leap {
            1 => " · a leap second will be added",
            2 => " · a leap second will be left out",
            _ => "",
        };
        let source = reference(answer);
        let words = format!("{offset}{why} · stratum {} ({source}) · reach {reach:o}{leap}", answer.stratum);
        numbers(Reading::new(outcome, words)).metric("offset", comparison.offset, Unit::Seconds)
    }
}

/// Where it has its time from: a clock's name at stratum 1, else an address (a hash of one with IPv6).
fn reference(answer: &Answer) -> String {
    if answer.stratum == 1 {
        Untrusted::new(answer.reference).line().trim_end_matches('␀').to_owned()
    } else {
        Ipv4Addr::from(answer.reference).to_string()
    }
}
