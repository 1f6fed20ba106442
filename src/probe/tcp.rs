//! `tcp`: does a port accept connections.

use std::sync::Arc;
use std::time::Duration;

use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::base::{Untrusted, units};
use crate::model::{Host, Reading, Unit, Wire};
use crate::net::tcp;

pub static KIND: Kind = Kind {
    name: "tcp",
    help: "TCP connect to one port",
    options: &[
        OptionDoc { name: "port", form: "integer", default: "", help: "the port; required" },
        OptionDoc {
            name: "banner",
            form: "boolean",
            default: "false",
            help: "read the line the service greets with; none is a warning",
        },
    ],
    pace: Pace {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(5),
        retry_interval: Duration::from_secs(5),
        attempts: 3,
        decides_reachability: false,
    },
    bind,
};

#[derive(Debug)]
struct Tcp {
    address: Arc<str>,
    port: u16,
    banner: bool,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let written = options.node("port").is_some();
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok());
    if !written {
        let place = options.place().clone();
        options.problem(Problem::error(&place, "a tcp check needs a port").hint("{ kind = \"tcp\", port = 443 }"));
    }
    let banner = options.bool("banner").unwrap_or(false);
    Some(Box::new(Tcp { address: host.address.clone()?, port: port?, banner }))
}

impl Probe for Tcp {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        Wire { protocol: "TCP connect".into(), destination: format!("{}:{}", self.address, self.port).into() }
    }

    fn instance(&self) -> String {
        self.port.to_string()
    }
}

impl Tcp {
    async fn ask(&self, cx: &Cx) -> Reading {
        let address = match cx.net.names.resolve(&self.address, cx.timeout).await {
            Ok(address) => address,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let (mut stream, took) = match tcp::connect(address, self.port, cx.timeout).await {
            Ok(connected) => connected,
            Err(error) => return Reading::critical(error.to_string()),
        };
        let open = format!("port {} open, {}", self.port, units::round_trip(took));
        let reading = if self.banner {
            let left = cx.timeout.saturating_sub(took);
            match tcp::read_line(&mut stream, left, 1, |_| true).await {
                Some(line) => Reading::ok(format!("{open} · {}", Untrusted::new(line).line())),
                None => Reading::warning(format!("{open}, but it greets with nothing")),
            }
        } else {
            Reading::ok(open)
        };
        tcp::close(stream).await;
        reading.metric("rtt", took.as_secs_f64(), Unit::Seconds)
    }
}
