//! `icmp`: does the host answer an echo, and how fast. Where ICMP is not permitted, a TCP connect stands in, and no
//! host is called down for it.

use std::sync::Arc;
use std::time::Duration;

use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{OptionDoc, Reader};
use crate::base::units;
use crate::model::{Host, Reading, Unit, Wire};
use crate::net::icmp::EchoError;
use crate::net::tcp::{self, ConnectError};

/// Ports that are likely to answer, or to refuse, on anything that is alive.
const STAND_IN: [u16; 4] = [22, 443, 80, 53];

pub static KIND: Kind = Kind {
    name: "icmp",
    help: "ICMP echo; a TCP connect stands in where ICMP is not permitted",
    options: &[OptionDoc { name: "count", form: "integer", default: "1", help: "echoes per run; the loss is told" }],
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
    count: u32,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let count = options.integer("count", 1..=20).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    Some(Box::new(Icmp { address: host.address.clone()?, count }))
}

impl Probe for Icmp {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        Wire { protocol: "ICMP echo".into(), destination: self.address.clone() }
    }
}

impl Icmp {
    async fn ask(&self, cx: &Cx) -> Reading {
        let address = match cx.net.names.resolve(&self.address, cx.timeout).await {
            Ok(address) => address,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let each = cx.timeout / self.count;
        let mut best: Vec<Duration> = Vec::new();
        let mut failure = None;
        for _ in 0..self.count {
            match cx.net.pinger.echo(address, each).await {
                Ok(round_trip) => best.push(round_trip),
                Err(EchoError::NotPermitted(why)) => return stand_in(address, cx.timeout, &why).await,
                Err(error) => failure = Some(error.to_string()),
            }
        }
        let loss = 100.0 * f64::from(self.count - best.len() as u32) / f64::from(self.count);
        let Some(fastest) = best.iter().min() else {
            let why = failure.unwrap_or_default();
            return Reading::critical(why).metric("loss", 100.0, Unit::Percent);
        };
        let words = if loss > 0.0 {
            format!("{} · {loss:.0} % loss", units::round_trip(*fastest))
        } else {
            units::round_trip(*fastest)
        };
        let reading = if loss > 0.0 { Reading::warning(words) } else { Reading::ok(words) };
        reading.metric("rtt", fastest.as_secs_f64(), Unit::Seconds).metric("loss", loss, Unit::Percent)
    }
}

/// A connect to a likely port: an answer or a refusal proves life, silence proves nothing.
async fn stand_in(address: std::net::IpAddr, timeout: Duration, why: &str) -> Reading {
    let each = timeout / STAND_IN.len() as u32;
    for port in STAND_IN {
        let begun = std::time::Instant::now();
        match tcp::connect(address, port, each).await {
            Ok(_) | Err(ConnectError::Refused(_)) => {
                let took = begun.elapsed();
                return Reading::ok(format!(
                    "{} by TCP port {port}, since ICMP is not permitted",
                    units::round_trip(took)
                ))
                .metric("rtt", took.as_secs_f64(), Unit::Seconds)
                .log(why);
            }
            Err(_) => {}
        }
    }
    Reading::unknown("ICMP is not permitted, and no likely TCP port answers").log(why)
}
