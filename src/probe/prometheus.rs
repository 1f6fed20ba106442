//! `prometheus`: any text endpoint in the format of Prometheus. What `expect` names is held against its limits; what a
//! node_exporter tells of a machine is judged as this machine is.

mod expect;
mod machine;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::expect::{Expectation, Series};
use self::machine::Machine;
use super::findings::Findings;
use super::vitals::limits::{self, Limits};
use super::web::{self, Sent, Web};
use super::{Cx, Kind, Pace, Probe, Running, with_passed_over};
use crate::base::options::{OptionDoc, Reader};
use crate::base::{Untrusted, units};
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::net::http::{Exchange, Fetched, HttpError};
use crate::net::tls;
use crate::proto::prometheus;

/// Bytes of one scrape that are read.
const MOST_BYTES: usize = 32 << 20;

pub static KIND: Kind = Kind {
    name: "prometheus",
    help: "an endpoint in the text format of Prometheus: chosen series against limits; a node_exporter's load, memory, disks",
    options: &[
        OptionDoc { name: "url", form: "string", default: "http://ADDRESS:9100/metrics", help: web::URL.help },
        OptionDoc {
            name: "expect",
            form: "array of tables",
            default: "",
            help: "{ metric = \"…\", labels = { … }, name = \"…\", warning = 1.0, critical = 2.0, below_warning = 1.0, below_critical = 0.5, sum = false }: each series that fits, or their sum, must not reach a limit; none is critical",
        },
        OptionDoc {
            name: "machine",
            form: "boolean",
            default: "true",
            help: "judge load, memory and disks where a node_exporter tells them",
        },
        limits::OPTIONS[0],
        limits::OPTIONS[1],
        limits::OPTIONS[2],
        limits::OPTIONS[3],
        limits::OPTIONS[4],
        limits::OPTIONS[5],
        limits::OPTIONS[6],
        limits::OPTIONS[7],
        web::USER,
        web::PASSWORD,
        web::HEADERS,
        web::HTTP2,
        web::PROXY,
        web::PROXY_USER,
        web::PROXY_PASSWORD,
        tls::CA,
        tls::VERIFY,
        tls::CERTIFICATE,
        tls::KEY,
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

#[derive(Debug)]
struct Prometheus {
    web: Web,
    rules: Arc<Rules>,
}

#[derive(Debug)]
struct Rules {
    expect: Vec<Expectation>,
    /// `None`: the machine is not judged.
    limits: Option<Limits>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let web = Web::read(host, options, "http://ADDRESS:9100/metrics");
    let expect = Expectation::read_all(options);
    let judged = options.bool("machine").unwrap_or(true);
    let limits = Limits::read_of_exporter(options);
    let rules = Arc::new(Rules { expect: expect?, limits: judged.then_some(limits) });
    Some(Box::new(Prometheus { web: web?, rules }))
}

impl Probe for Prometheus {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        Wire { protocol: format!("HTTP GET {}", self.web.url).into(), destination: self.web.destination().into() }
    }

    fn speaks_for_host(&self) -> bool {
        !self.web.is_by_proxy()
    }

    fn numbers(&self) -> Option<Vec<String>> {
        let machine = self.rules.limits.as_ref().map(|_| machine::NUMBERS.map(str::to_owned)).into_iter().flatten();
        let chosen = self.rules.expect.iter().flat_map(Expectation::numbers);
        Some(machine.chain(chosen).chain(["time", "samples"].map(str::to_owned)).collect())
    }

    fn instance(&self) -> String {
        let usual = self.web.url.port() == Some(9100) && self.web.url.path() == "/metrics";
        if usual { String::new() } else { self.web.instance() }
    }
}

impl Prometheus {
    async fn ask(&self, cx: &Cx) -> Reading {
        let begun = Instant::now();
        let said = match self.web.said().await {
            Ok(said) => said,
            Err(why) => return Reading::unknown(why),
        };
        let url = &self.web.url;
        let addresses = match self.web.place(url, cx, cx.timeout).await {
            Ok((addresses, _)) => addresses,
            Err(why) => return Reading::unknown(why),
        };
        let left = cx.timeout.saturating_sub(begun.elapsed());
        let sent = Sent { method: "GET", content: "", body_limit: MOST_BYTES };
        let Exchange { fetched, passed_over } = self.web.fetch(url, &addresses, &said, sent, cx, left).await;
        with_passed_over(self.read(fetched, begun).await, &passed_over)
    }

    async fn read(&self, fetched: Result<Fetched, HttpError>, begun: Instant) -> Reading {
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(HttpError::Tls(error)) if error.is_ours() => return Reading::unknown(error.to_string()),
            Err(error) => return Reading::critical(error.to_string()),
        };
        let took = begun.elapsed();
        if fetched.status != 200 {
            return Reading::critical(format!("HTTP {} in {}", fetched.status, units::round_trip(took)));
        }
        // A large scrape is a piece of work, and other checks run meanwhile.
        let rules = self.rules.clone();
        let judged = tokio::task::spawn_blocking(move || rules.judge(&fetched.body, fetched.cut)).await;
        let reading = judged.unwrap_or_else(|error| Reading::unknown(error.to_string()));
        reading.metric("time", took.as_secs_f64(), Unit::Seconds)
    }
}

impl Rules {
    fn judge(&self, body: &[u8], cut: bool) -> Reading {
        let mut machine = Machine::default();
        let mut series: Vec<Series> = self.expect.iter().map(|_| Series::default()).collect();
        let summary = prometheus::parse(body, cut, |sample| {
            for (expectation, series) in self.expect.iter().zip(&mut series) {
                if expectation.fits(&sample) {
                    series.add(&sample);
                }
            }
            machine.take(&sample);
        });
        if summary.samples == 0 {
            let first: Vec<u8> = body.iter().copied().take(60).collect();
            let shown = if body.is_empty() { "it is empty".to_owned() } else { Untrusted::new(first).line() };
            return Reading::critical(format!("no metrics in the answer: {shown}"));
        }
        let mut findings = Findings::default();
        let mut reading = Reading::ok("");
        for (expectation, series) in self.expect.iter().zip(&series) {
            reading = expectation.judge(series, &mut findings, reading);
        }
        let mut good: Vec<String> = Vec::new();
        if let Some(limits) = self.limits.as_ref().filter(|_| machine.is_told()) {
            reading = machine.judge(limits, &mut findings, reading);
            good.push(machine.summary());
        }
        good.extend(self.expect.iter().zip(&series).filter_map(|(expectation, series)| expectation.summary(series)));
        if good.is_empty() {
            good.push(format!("{} samples", summary.samples));
        }
        if let Some(line) = summary.first_malformed {
            reading = reading
                .log(format!("{} not read, the first is line {line}", units::counted(summary.malformed, "line")));
        }
        if cut {
            findings.add(
                Outcome::Warning,
                format!("more than {} were sent; the rest was not read", units::bytes(MOST_BYTES as u64)),
            );
        }
        reading.outcome = findings.outcome();
        let words = if findings.words().is_empty() { good } else { findings.words().to_vec() };
        reading.summary = words.join(" · ").into();
        reading.metric("samples", summary.samples as f64, Unit::Count)
    }
}
