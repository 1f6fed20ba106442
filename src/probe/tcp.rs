//! `tcp`: does a port accept connections, and does what answers there say what it should; or does the port not accept any.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{Cx, Kind, Pace, Probe, Running, pattern, with_passed_over};
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::base::{Untrusted, units};
use crate::model::{Host, Reading, Unit, Wire};
use crate::net::tcp::{self, ConnectError, Connected};
use crate::profile::Pattern;

/// Bytes of a greeting that are shown.
const MOST_SHOWN: usize = 255;
/// Bytes in which `expect` is looked for.
const MOST_HEARD: usize = 16 * 1024;
/// A greeting without an end of line is over when nothing more came for so long.
const PAUSE: Duration = Duration::from_millis(400);

pub static KIND: Kind = Kind {
    name: "tcp",
    help: "TCP connect to one port, and what it says",
    options: &[
        OptionDoc { name: "port", form: "integer", default: "", help: "the port; required" },
        OptionDoc {
            name: "banner",
            form: "boolean",
            default: "false",
            help: "read the line the service greets with; none is a warning",
        },
        OptionDoc {
            name: "send",
            form: "string",
            default: "",
            help: "what is said to it first, as it stands (`\"PING\\r\\n\"`); with `expect`",
        },
        OptionDoc {
            name: "expect",
            form: "string",
            default: "",
            help: "a regular expression (ASCII classes) that what it says must match",
        },
        OptionDoc { name: "closed", form: "boolean", default: "false", help: "true: the port must not accept" },
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
    wanted: Wanted,
}

#[derive(Debug)]
enum Wanted {
    Open,
    Closed,
    Banner,
    Answer { send: String, expect: Pattern },
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let written = options.node("port").is_some();
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok());
    if !written {
        let place = options.place().clone();
        options.problem(Problem::error(&place, "a tcp check needs a port").hint("{ kind = \"tcp\", port = 443 }"));
    }
    let wanted = read_wanted(options);
    Some(Box::new(Tcp { address: host.address.clone()?, port: port?, wanted: wanted? }))
}

fn read_wanted(options: &mut Reader<'_>) -> Option<Wanted> {
    let (banner, closed) = (options.bool("banner").unwrap_or(false), options.bool("closed").unwrap_or(false));
    let says = banner || ["send", "expect"].iter().any(|key| options.node(key).is_some());
    let send = options.string("send");
    let expect = pattern::read("expect", options)?;
    let mut refuse = |key: &str, words: &str| {
        let place = options.place_of(key);
        options.problem(Problem::error(&place, words));
        None
    };
    match (expect, send) {
        _ if closed && says => {
            refuse("closed", "a port that must be closed says nothing: no `banner`, `send` or `expect`")
        }
        (None, None) if closed => Some(Wanted::Closed),
        (None, None) if banner => Some(Wanted::Banner),
        (None, None) => Some(Wanted::Open),
        (None, Some(_)) => refuse("send", "`send` needs `expect`: what the answer must match"),
        (Some(expect), send) => Some(Wanted::Answer { send: send.unwrap_or_default(), expect }),
    }
}

impl Probe for Tcp {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        let protocol = match &self.wanted {
            Wanted::Answer { send, .. } if !send.is_empty() => "TCP connect, the text of `send`",
            Wanted::Open | Wanted::Closed | Wanted::Banner | Wanted::Answer { .. } => "TCP connect",
        };
        Wire { protocol: protocol.into(), destination: format!("{}:{}", self.address, self.port).into() }
    }

    /// A port that is closed may be so because nobody is there.
    fn speaks_for_host(&self) -> bool {
        !matches!(self.wanted, Wanted::Closed)
    }

    fn numbers(&self) -> Option<Vec<String>> {
        match self.wanted {
            Wanted::Open | Wanted::Closed | Wanted::Banner => Some(super::named(&["rtt"])),
            Wanted::Answer { .. } => Some(super::named(&["rtt", "answer"])),
        }
    }

    fn instance(&self) -> String {
        self.port.to_string()
    }
}

impl Tcp {
    async fn ask(&self, cx: &Cx) -> Reading {
        let addresses = match cx.addresses(&self.address, cx.timeout).await {
            Ok(addresses) => addresses,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        let connected = tcp::connect_any(&addresses, self.port, cx.timeout).await;
        let Connected { mut stream, took, passed_over } = match connected {
            Ok(connected) => connected,
            Err(error) => return self.not_connected(&error),
        };
        let left = cx.timeout.saturating_sub(took);
        let open = format!("port {} open, {}", self.port, units::round_trip(took));
        let reading = match &self.wanted {
            Wanted::Open => Reading::ok(open),
            Wanted::Closed => Reading::critical(format!("port {} is open, and should be closed", self.port)),
            Wanted::Banner => {
                let is_line = |heard: &[u8]| heard.contains(&b'\n') || heard.len() >= MOST_SHOWN;
                let heard = tcp::hear(&mut stream, left, Some(PAUSE), is_line).await;
                match shown(&heard.bytes) {
                    Some(line) => Reading::ok(format!("{open} · {line}")),
                    None => Reading::warning(format!("{open}, but it greets with nothing{}", gone(&heard))),
                }
            }
            Wanted::Answer { send, expect } => converse(&mut stream, send, expect, left, &open).await,
        };
        tcp::close(stream).await;
        with_passed_over(reading.metric("rtt", took.as_secs_f64(), Unit::Seconds), &passed_over)
    }

    fn not_connected(&self, error: &ConnectError) -> Reading {
        match self.wanted {
            Wanted::Closed if is_closed(error) => Reading::ok(format!("port {} is closed: {error}", self.port)),
            // Nothing is known of the port.
            Wanted::Closed => Reading::unknown(error.to_string()),
            Wanted::Open | Wanted::Banner | Wanted::Answer { .. } => Reading::critical(error.to_string()),
        }
    }
}

/// Whether somebody, or a packet filter, keeps the port closed at every address.
fn is_closed(error: &ConnectError) -> bool {
    match error {
        ConnectError::Refused(_) | ConnectError::TimedOut(..) => true,
        ConnectError::Unreachable(..) | ConnectError::Reset(_) | ConnectError::Other(..) => false,
        ConnectError::Each(all) => all.iter().all(is_closed),
    }
}

/// Says what is to be said, and hears until the answer is the one that is expected.
async fn converse(stream: &mut TcpStream, send: &str, expect: &Pattern, left: Duration, open: &str) -> Reading {
    let begun = Instant::now();
    match tokio::time::timeout(left, stream.write_all(send.as_bytes())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Reading::critical(format!("{open}, but nothing can be sent: {error}")),
        Err(_) => return Reading::critical(format!("{open}, but it takes nothing within {:.1} s", left.as_secs_f32())),
    }
    let is_it = |heard: &[u8]| expect.matches(heard) || heard.len() >= MOST_HEARD;
    let heard = tcp::hear(stream, left.saturating_sub(begun.elapsed()), None, is_it).await;
    let took = begun.elapsed();
    let line = shown(&heard.bytes);
    if expect.matches(&heard.bytes) {
        let said = line.map(|line| format!(" · {line}")).unwrap_or_default();
        return Reading::ok(format!("{open}{said}")).metric("answer", took.as_secs_f64(), Unit::Seconds);
    }
    let expected = expect.as_str();
    Reading::critical(match line {
        Some(line) => format!("{open}, but it says {line}, which does not match /{expected}/"),
        None => format!("{open}, but it says nothing{}; expected /{expected}/", gone(&heard)),
    })
}

fn gone(heard: &tcp::Heard) -> String {
    heard.ended.map(|how| format!(": {how}")).unwrap_or_default()
}

/// The first line that says anything.
fn shown(heard: &[u8]) -> Option<String> {
    let line = heard.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).find(|line| !line.is_empty())?;
    Some(Untrusted::new(&line[..line.len().min(MOST_SHOWN)]).line())
}
