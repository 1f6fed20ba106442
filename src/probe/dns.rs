//! `dns`: does a name server answer a question, and as expected.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::base::{Untrusted, units};
use crate::model::{Host, Reading, Unit, Wire};
use crate::net::dns::{self, QueryError};

pub static KIND: Kind = Kind {
    name: "dns",
    help: "one question to the host as a name server, or to `server`",
    options: &[
        OptionDoc { name: "name", form: "string", default: "localhost", help: "the domain name asked for" },
        OptionDoc { name: "type", form: "string", default: "A", help: "the record type" },
        OptionDoc { name: "server", form: "string", default: "the host", help: "the name server's address" },
        OptionDoc { name: "port", form: "integer", default: "53", help: "the name server's port" },
        OptionDoc { name: "expect", form: "string", default: "", help: "a record that must be among the answers" },
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
    server: Arc<str>,
    port: u16,
    name: String,
    kind: String,
    expect: Option<String>,
    any_answer: bool,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let name = options.string("name").unwrap_or_else(|| "localhost".to_owned());
    let kind = options.string("type").unwrap_or_else(|| "A".to_owned());
    let server = options.string("server").map(Arc::from);
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(53);
    let expect = options.string("expect");
    let any_answer = options.bool("any_answer").unwrap_or(false);
    if let Err(error) = dns::check_question(&name, &kind) {
        let place = options.place().clone();
        options.problem(Problem::error(&place, error.to_string()));
        return None;
    }
    Some(Box::new(Dns { server: server.or_else(|| host.address.clone())?, port, name, kind, expect, any_answer }))
}

impl Probe for Dns {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        let protocol = format!("DNS {} {}", self.kind, self.name);
        Wire { protocol: protocol.into(), destination: format!("{}:{}", self.server, self.port).into() }
    }

    fn instance(&self) -> String {
        if self.name == "localhost" { String::new() } else { self.name.clone() }
    }
}

impl Dns {
    async fn ask(&self, cx: &Cx) -> Reading {
        let address = match cx.net.names.resolve(&self.server, cx.timeout).await {
            Ok(address) => address,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let server = SocketAddr::new(address, self.port);
        match dns::query(server, &self.name, &self.kind, cx.timeout).await {
            Ok(answer) => {
                let took = units::round_trip(answer.took);
                let found = Untrusted::from(answer.records.join(", "));
                let reading = match &self.expect {
                    Some(want)
                        if !answer.records.iter().any(|r| r.trim_end_matches('.') == want.trim_end_matches('.')) =>
                    {
                        Reading::critical(format!("{} {} is {}, not {want}", self.name, self.kind, found.json_text()))
                    }
                    _ => Reading::ok(format!("{} {} = {} · {took}", self.name, self.kind, found.json_text())),
                };
                reading.metric("rtt", answer.took.as_secs_f64(), Unit::Seconds)
            }
            Err(error @ (QueryError::Code { .. } | QueryError::NoRecords { .. })) if self.any_answer => {
                Reading::ok(format!("answers ({error})"))
            }
            Err(error) => Reading::critical(error.to_string()),
        }
    }
}
