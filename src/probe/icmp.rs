//! `icmp`: does the host answer an echo, and how fast. Where ICMP is not permitted, a TCP connect stands in, and no
//! host is called down for it.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use super::turns::{Asked, Turns};
use super::{Cx, Echo, Kind, Pace, Probe, Running};
use crate::base::options::{OptionDoc, Reader};
use crate::base::units;
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::net::icmp::{Answer, EchoError};
use crate::net::race::{self, NoAnswer};
use crate::net::tcp::{self, ConnectError};
use crate::proto::icmp;

/// Ports that are likely to answer, or to refuse, on anything that is alive.
const FIRST: [u16; 3] = [443, 80, 53];
const LAST: u16 = 22;
/// Between one echo of a run and the next, at the most.
const WIDEST_GAP: Duration = Duration::from_millis(200);
/// Of the numbers that every run has: made once, since thousands come each second.
static NAMES: LazyLock<[Arc<str>; 2]> = LazyLock::new(|| ["rtt".into(), "loss".into()]);

pub static KIND: Kind = Kind {
    name: "icmp",
    help: "ICMP echo; a TCP connect stands in where ICMP is not permitted",
    options: &[
        OptionDoc {
            name: "count",
            form: "integer",
            default: "1",
            help: "echoes per run, spread over the first half of its time; the loss is told",
        },
        OptionDoc {
            name: "loss_warning",
            form: "integer",
            default: "1",
            help: "percent of the echoes that must be lost to be a problem, where some came back",
        },
        OptionDoc { name: "size", form: "integer", default: "56", help: "bytes after the ICMP header, 8 to 1400" },
    ],
    pace: Pace {
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(2),
        retry_interval: Duration::from_secs(1),
        attempts: 3,
        decides_reachability: true,
    },
    bind,
};

#[derive(Debug)]
struct Icmp {
    address: Arc<str>,
    /// The address itself, where it is no name.
    literal: Option<IpAddr>,
    count: u32,
    /// Percent.
    loss_warning: u32,
    /// Bytes of an echo, header included.
    size: usize,
    turns: Turns,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let count = options.integer("count", 1..=20).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    let loss_warning = options.integer("loss_warning", 1..=100).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    let size = options.integer("size", 8..=1400).and_then(|n| usize::try_from(n).ok()).map_or(icmp::USUAL, |n| n + 8);
    let address = host.address.clone()?;
    Some(Box::new(Icmp { literal: address.parse().ok(), address, count, loss_warning, size, turns: Turns::default() }))
}

impl Probe for Icmp {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        Wire { protocol: "ICMP echo".into(), destination: self.address.clone() }
    }

    fn numbers(&self) -> Option<Vec<String>> {
        if self.count == 1 {
            Some(super::named(&["rtt", "loss"]))
        } else {
            Some(super::named(&["rtt", "rtt_avg", "rtt_max", "jitter", "loss"]))
        }
    }

    fn echo(&self) -> Option<Echo> {
        let address = self.literal.filter(|_| self.count == 1)?;
        Some(Echo { address, size: self.size })
    }
}

/// What the answer to a single echo means.
pub fn reading(answer: Answer) -> Reading {
    match answer {
        Ok(round_trip) => judge(&[round_trip], &[], 1),
        Err(error) => judge(&[], &[error], 1),
    }
}

impl Icmp {
    async fn ask(&self, cx: &Cx) -> Reading {
        let addresses = match cx.addresses(&self.address, cx.timeout).await {
            Ok(addresses) => addresses,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let ask = |address, left| self.echoes(cx, address, left);
        let Asked { answer, told } = self.turns.ask(cx, &addresses, cx.timeout, ask).await;
        let reading = match answer {
            Ok(Came::Back { round_trips, failures }) => judge(&round_trips, &failures, self.loss_warning),
            Ok(Came::NotPermitted(why)) => return stand_in(&addresses, cx.timeout, &why).await,
            Err(lost) => silent(&lost, self.loss_warning),
        };
        told.on(reading)
    }

    /// All echoes of a run to one address.
    async fn echoes(&self, cx: &Cx, address: IpAddr, timeout: Duration) -> Result<Came, Lost> {
        // Whatever the round trip is, the last one has half of the time for it.
        let gap = (timeout / (2 * self.count)).min(WIDEST_GAP);
        let echoes = (0..self.count).map(|number| async move {
            let after = gap * number;
            tokio::time::sleep(after).await;
            cx.net.pinger.echo(address, self.size, timeout.saturating_sub(after)).await
        });
        let mut round_trips: Vec<Duration> = Vec::new();
        let mut failures: Vec<EchoError> = Vec::new();
        for answer in join_all(echoes).await {
            match answer {
                Ok(round_trip) => round_trips.push(round_trip),
                Err(EchoError::NotPermitted(why)) => return Ok(Came::NotPermitted(why)),
                Err(error) => failures.push(error),
            }
        }
        if round_trips.is_empty() { Err(Lost { address, failures }) } else { Ok(Came::Back { round_trips, failures }) }
    }
}

enum Came {
    /// At least one of them.
    Back { round_trips: Vec<Duration>, failures: Vec<EchoError> },
    /// None was sent.
    NotPermitted(Arc<str>),
}

/// No echo to this address came back.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {}", .failures.first().map(ToString::to_string).unwrap_or_default())]
struct Lost {
    address: IpAddr,
    failures: Vec<EchoError>,
}

impl NoAnswer for Lost {
    fn is_no_route(&self) -> bool {
        self.failures.iter().all(|error| matches!(error, EchoError::Send { source, .. } if tcp::is_no_route(source)))
    }
}

/// Where no address answers, the first one speaks for the numbers.
fn silent(lost: &[Lost], loss_warning: u32) -> Reading {
    let reading = judge(&[], lost.first().map_or(&[], |lost| &lost.failures), loss_warning);
    if lost.len() > 1 { Reading { summary: race::words(lost).into(), ..reading } } else { reading }
}

fn judge(round_trips: &[Duration], failures: &[EchoError], loss_warning: u32) -> Reading {
    let sent = round_trips.len() + failures.len();
    let loss = 100.0 * failures.len() as f64 / sent.max(1) as f64;
    let took = Took::of(round_trips);
    let mut reading = match (&took, failures.first()) {
        (Some(took), None) => Reading::ok(took.words()),
        (Some(took), Some(_)) => {
            let outcome = if loss >= f64::from(loss_warning) { Outcome::Warning } else { Outcome::Ok };
            Reading::new(outcome, format!("{} · {loss:.0} % loss", took.words()))
        }
        // A packet filter on this machine says nothing about the other one.
        (None, Some(error @ EchoError::Send { source, .. }))
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            return Reading::unknown(error.to_string());
        }
        (None, Some(error @ EchoError::Gone)) => return Reading::unknown(error.to_string()),
        (None, Some(error)) => Reading::critical(error.to_string()),
        (None, None) => return Reading::unknown("no echo was sent"),
    };
    let [rtt, lost] = &*NAMES;
    reading.metrics.reserve_exact(2);
    if let Some(took) = took {
        reading = reading.measured(rtt, took.fastest.as_secs_f64(), Unit::Seconds);
        if let Some(several) = took.several {
            for (name, value) in [("rtt_avg", several.mean), ("rtt_max", several.slowest), ("jitter", several.jitter)] {
                reading = reading.metric(name, value.as_secs_f64(), Unit::Seconds);
            }
        }
    }
    failures.iter().fold(reading.measured(lost, loss, Unit::Percent), |reading, error| reading.log(error.to_string()))
}

/// How long the round trips took.
#[derive(Debug)]
struct Took {
    fastest: Duration,
    several: Option<Several>,
}

/// What only several of them can tell.
#[derive(Debug)]
struct Several {
    mean: Duration,
    slowest: Duration,
    /// From each to the next, on average (the instantaneous variation of RFC 3393, averaged).
    jitter: Duration,
}

impl Took {
    fn of(round_trips: &[Duration]) -> Option<Self> {
        let (fastest, slowest) = (*round_trips.iter().min()?, *round_trips.iter().max()?);
        let mean = |sum: Duration, count: usize| sum / u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let steps = round_trips.windows(2).map(|pair| pair[0].abs_diff(pair[1])).sum();
        let several = (round_trips.len() > 1).then(|| Several {
            mean: mean(round_trips.iter().sum(), round_trips.len()),
            slowest,
            jitter: mean(steps, round_trips.len() - 1),
        });
        Some(Self { fastest, several })
    }

    fn words(&self) -> String {
        let fastest = units::round_trip(self.fastest);
        let Some(several) = &self.several else { return fastest };
        let [mean, slowest, jitter] = [several.mean, several.slowest, several.jitter].map(units::round_trip);
        format!("{mean} ({fastest} to {slowest}, jitter {jitter})")
    }
}

/// A connect to a likely port of each address: an answer or a refusal proves life, silence proves nothing. SSH is tried last and only
/// where nothing else answers, since some servers count connections that do not log in against the caller.
async fn stand_in(addresses: &[IpAddr], timeout: Duration, why: &str) -> Reading {
    let half = timeout / 2;
    let proof = match first_proof(addresses, &FIRST, half).await {
        Some(proof) => Some(proof),
        None => first_proof(addresses, &[LAST], half).await,
    };
    let reading = match proof {
        Some((address, port, how, took)) => {
            let at = if addresses.len() > 1 { format!(" at {address}") } else { String::new() };
            let words = format!("{} · TCP {port} {how}{at}, no ICMP permission", units::round_trip(took));
            Reading::ok(words).metric("rtt", took.as_secs_f64(), Unit::Seconds)
        }
        None => Reading::unknown("no ICMP permission, no TCP answer"),
    };
    reading.log(why)
}

/// An address and a port of it, whether it accepted or refused, and how soon.
type Proof = (IpAddr, u16, &'static str, Duration);

async fn first_proof(addresses: &[IpAddr], ports: &[u16], timeout: Duration) -> Option<Proof> {
    let places = addresses.iter().flat_map(|address| ports.iter().map(move |port| (*address, *port)));
    let mut proofs: FuturesUnordered<_> = places.map(|(address, port)| proof_of_life(address, port, timeout)).collect();
    while let Some(came) = proofs.next().await {
        if came.is_some() {
            return came;
        }
    }
    None
}

async fn proof_of_life(address: IpAddr, port: u16, timeout: Duration) -> Option<Proof> {
    let begun = Instant::now();
    match tcp::connect(address, port, timeout).await {
        Ok((_, took)) => Some((address, port, "open", took)),
        Err(ConnectError::Refused(_)) => Some((address, port, "refuses", begun.elapsed())),
        Err(ConnectError::Reset(_)) => Some((address, port, "resets", begun.elapsed())),
        Err(
            ConnectError::TimedOut(..)
            | ConnectError::Unreachable(..)
            | ConnectError::Other(..)
            | ConnectError::Each(_),
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed_out() -> EchoError {
        EchoError::TimedOut(Duration::from_secs(1))
    }

    #[test]
    fn loss_is_a_warning_and_silence_is_critical() {
        let ok = judge(&[Duration::from_millis(3)], &[], 1);
        assert_eq!((ok.outcome, ok.summary.line()), (Outcome::Ok, "3.0ms".to_owned()));
        let some = judge(&[Duration::from_millis(4)], &[timed_out(), timed_out(), timed_out()], 1);
        assert_eq!((some.outcome, some.summary.line()), (Outcome::Warning, "4.0ms · 75 % loss".to_owned()));
        let some = judge(&[Duration::from_millis(4)], &[timed_out(), timed_out(), timed_out()], 76);
        assert_eq!((some.outcome, some.summary.line()), (Outcome::Ok, "4.0ms · 75 % loss".to_owned()));
        let none = judge(&[], &[timed_out()], 100);
        assert_eq!((none.outcome, none.summary.line()), (Outcome::Critical, "no answer within 1.0 s".to_owned()));
        assert_eq!(none.metrics.iter().map(|m| (&*m.name, m.value)).collect::<Vec<_>>(), [("loss", 100.0)]);
    }

    #[test]
    fn several_echoes_tell_the_fastest_the_mean_the_slowest_and_how_much_they_vary() {
        let several = judge(&[3, 7, 5].map(Duration::from_millis), &[timed_out()], 25);
        assert_eq!(several.outcome, Outcome::Warning);
        assert_eq!(several.summary.line(), "5.0ms (3.0ms to 7.0ms, jitter 3.0ms) · 25 % loss");
        let metrics: Vec<_> = several.metrics.iter().map(|m| (&*m.name, m.value)).collect();
        let expected = [("rtt", 0.003), ("rtt_avg", 0.005), ("rtt_max", 0.007), ("jitter", 0.003), ("loss", 25.0)];
        assert_eq!(metrics, expected);
    }

    #[test]
    fn what_went_wrong_in_here_says_nothing_about_the_host() {
        assert_eq!(judge(&[], &[EchoError::Gone], 1).outcome, Outcome::Unknown);
    }

    #[test]
    fn a_filter_on_this_machine_does_not_call_the_other_one_down() {
        let source = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let filtered = EchoError::Send { address: IpAddr::from([192, 0, 2, 1]), source };
        assert_eq!(judge(&[], &[filtered], 1).outcome, Outcome::Unknown);
    }
}
