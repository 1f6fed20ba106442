//! `ssh`: does an SSH server answer with its version line (RFC 4253 §4.2). No log-in is tried. The banner is read
//! rarely where asked to, since some servers count every half-open connection against the caller.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;

use super::{Cx, Kind, Pace, Probe, Running, with_passed_over};
use crate::base::options::{OptionDoc, Reader};
use crate::base::{Untrusted, units};
use crate::model::{Host, Reading, Unit, Wire};
use crate::net::tcp::{self, Connected};
use crate::ssh::greeting::{LONGEST_LINE, is_flood, said_instead, version_line};

pub static KIND: Kind = Kind {
    name: "ssh",
    help: "TCP connect to the SSH port and its version line; no log-in",
    options: &[
        OptionDoc { name: "port", form: "integer", default: "22", help: "the port" },
        OptionDoc {
            name: "banner_every",
            form: "duration",
            default: "0s",
            help: "read the version line at most this often; 0s reads it each time",
        },
    ],
    pace: Pace {
        interval: Duration::from_secs(60),
        timeout: Duration::from_secs(5),
        retry_interval: Duration::from_secs(10),
        attempts: 3,
        decides_reachability: true,
    },
    bind,
};

#[derive(Debug)]
struct Ssh {
    address: Arc<str>,
    port: u16,
    banner_every: Duration,
    /// When the banner was last read (steady milliseconds), and what it was.
    read_at: AtomicU64,
    banner: Mutex<Option<Untrusted>>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let port = options.integer("port", 1..=65_535).and_then(|p| u16::try_from(p).ok()).unwrap_or(22);
    let banner_every = options.duration("banner_every").unwrap_or_default();
    let address = host.address.clone()?;
    Some(Box::new(Ssh { address, port, banner_every, read_at: AtomicU64::new(0), banner: Mutex::default() }))
}

impl Probe for Ssh {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        Wire {
            protocol: "TCP connect, SSH version line".into(),
            destination: format!("{}:{}", self.address, self.port).into(),
        }
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(super::named(&["rtt"]))
    }

    fn instance(&self) -> String {
        if self.port == 22 { String::new() } else { self.port.to_string() }
    }
}

impl Ssh {
    async fn ask(&self, cx: &Cx) -> Reading {
        let addresses = match cx.addresses(&self.address, cx.timeout).await {
            Ok(addresses) => addresses,
            Err(error) => return Reading::unknown(error.to_string()),
        };
        match tcp::connect_any(&addresses, self.port, cx.timeout).await {
            Ok(Connected { stream, took, passed_over }) => {
                with_passed_over(self.hear(stream, took, cx).await, &passed_over)
            }
            Err(error) => Reading::critical(error.to_string()),
        }
    }

    async fn hear(&self, mut stream: TcpStream, took: Duration, cx: &Cx) -> Reading {
        let seconds = took.as_secs_f64();
        let now = u64::try_from(cx.net.clock.now().millis()).unwrap_or(0);
        let every = u64::try_from(self.banner_every.as_millis()).unwrap_or(u64::MAX);
        let known = self.banner.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(banner) = known
            && now.saturating_sub(self.read_at.load(Ordering::Relaxed)) < every
        {
            tcp::close(stream).await;
            return Reading::ok(banner).metric("rtt", seconds, Unit::Seconds);
        }
        let left = cx.timeout.saturating_sub(took).max(Duration::from_millis(200));
        let heard = tcp::hear(&mut stream, left, None, |heard| version_line(heard).is_some() || is_flood(heard)).await;
        tcp::close(stream).await;
        let Some(line) = version_line(&heard.bytes) else {
            let open = format!("port {} open in {}, but no SSH version line came", self.port, units::round_trip(took));
            // OpenSSH says here why it does not want us: too many connections, a penalty.
            let said = said_instead(&heard.bytes).or_else(|| heard.ended.map(str::to_owned));
            let why = said.map(|said| format!(": {said}")).unwrap_or_default();
            return Reading::warning(open + &why).metric("rtt", seconds, Unit::Seconds);
        };
        let banner = Untrusted::new(&line[..line.len().min(LONGEST_LINE)]);
        // RFC 4253 §5.1: 1.99 is 2.0 too.
        if !line.starts_with(b"SSH-2.0-") && !line.starts_with(b"SSH-1.99-") {
            let words = format!("{}: it does not speak SSH 2.0", banner.line());
            return Reading::warning(words).metric("rtt", seconds, Unit::Seconds);
        }
        *self.banner.lock().unwrap_or_else(PoisonError::into_inner) = Some(banner.clone());
        self.read_at.store(now, Ordering::Relaxed);
        Reading::ok(banner).metric("rtt", seconds, Unit::Seconds)
    }
}
