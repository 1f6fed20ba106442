//! `http`: does a web page answer, with the status and the body that are expected, over which redirects, and how long
//! did each phase take.

mod expected;
mod status;

use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use self::expected::Expected;
use super::web::{self, Said, Sent, Web};
use super::{Cx, Kind, Pace, Probe, Running};
use crate::base::options::{OptionDoc, Problem, Reader, Worse};
use crate::base::{Timestamp, Untrusted, units};
use crate::model::{Host, Outcome, Reading, Unit, Wire};
use crate::net::http::{Exchange, Fetched, HttpError};
use crate::net::tls;

pub static KIND: Kind = Kind {
    name: "http",
    help: "one page of a web server: status, body, redirects, time of each phase; HTTP/1.1 and 2, with or without TLS",
    options: &[
        web::URL,
        OptionDoc { name: "method", form: "string", default: "GET", help: "HEAD, POST …" },
        OptionDoc { name: "content", form: "string", default: "", help: "what is sent as the request's body" },
        expected::STATUS,
        expected::HEADERS,
        expected::CONTAINS,
        expected::LACKS,
        expected::MATCHES,
        expected::JSON,
        OptionDoc { name: "body_limit", form: "integer", default: "1048576", help: "bytes of the body that are read" },
        OptionDoc { name: "redirects", form: "integer", default: "5", help: "redirects that are followed; 0: none" },
        OptionDoc {
            name: "other_hosts",
            form: "boolean",
            default: "false",
            help: "redirects to other hosts are followed too, which are asked then",
        },
        OptionDoc { name: "slow_warning", form: "duration", default: "", help: "the whole took at least this long" },
        OptionDoc { name: "slow_critical", form: "duration", default: "", help: "the whole took at least this long" },
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
        retry_interval: Duration::from_secs(10),
        attempts: 3,
        decides_reachability: false,
    },
    bind,
};

/// Proxy Authentication Required (RFC 9110 §15.5.8).
const PROXY_ASKS: u16 = 407;

/// What an answer may be measured by; the last two only over TLS.
const NUMBERS: [&str; 10] =
    ["status", "time", "dns", "connect", "first_byte", "body", "size", "redirects", "tls", "days_left"];

#[derive(Debug)]
struct Http {
    web: Web,
    method: String,
    content: String,
    expected: Expected,
    body_limit: usize,
    redirects: usize,
    other_hosts: bool,
    slow_warning: Option<Duration>,
    slow_critical: Option<Duration>,
}

fn bind(host: &Arc<Host>, options: &mut Reader<'_>) -> Option<Box<dyn Probe>> {
    let web = Web::read(host, options, "http://ADDRESS/");
    let method = read_method(options);
    let content = options.string("content").unwrap_or_default();
    let expected = Expected::read(options);
    let body_limit = options.integer("body_limit", 0..=64 << 20).and_then(|n| usize::try_from(n).ok());
    let redirects = options.integer("redirects", 0..=20).and_then(|n| usize::try_from(n).ok());
    let other_hosts = options.bool("other_hosts").unwrap_or(false);
    let [slow_warning, slow_critical] =
        options.optional_pair(Worse::Higher, ["slow_warning", "slow_critical"], Reader::duration);
    Some(Box::new(Http {
        web: web?,
        method: method?,
        content,
        expected: expected?,
        body_limit: body_limit.unwrap_or(1 << 20),
        redirects: redirects.unwrap_or(5),
        other_hosts,
        slow_warning,
        slow_critical,
    }))
}

fn read_method(options: &mut Reader<'_>) -> Option<String> {
    let method = options.string("method").unwrap_or_else(|| "GET".to_owned()).to_ascii_uppercase();
    if web::is_token(&method) {
        return Some(method);
    }
    let place = options.place_of("method");
    options.problem(Problem::error(&place, format!("\"{method}\" is no method")).hint("method = \"HEAD\""));
    None
}

impl Probe for Http {
    fn run<'a>(&'a self, cx: &'a Cx) -> Running<'a> {
        Box::pin(self.ask(cx))
    }

    fn wire(&self) -> Wire {
        let protocol = format!("HTTP {} {}", self.method, self.web.url);
        let elsewhere = if self.other_hosts { ", and where it redirects to" } else { "" };
        Wire { protocol: protocol.into(), destination: format!("{}{elsewhere}", self.web.destination()).into() }
    }

    fn speaks_for_host(&self) -> bool {
        !self.web.is_by_proxy()
    }

    fn numbers(&self) -> Option<Vec<String>> {
        Some(super::named(&NUMBERS))
    }

    fn instance(&self) -> String {
        self.web.instance()
    }
}

impl Http {
    async fn ask(&self, cx: &Cx) -> Reading {
        match self.web.said().await {
            Ok(said) => self.follow(&said, cx).await,
            Err(why) => Reading::unknown(why),
        }
    }

    /// Asks, and goes where the answers lead. Every step is logged.
    async fn follow(&self, said: &Said, cx: &Cx) -> Reading {
        let begun = Instant::now();
        let mut seen: Vec<Url> = Vec::new();
        let mut url = self.web.url.clone();
        let (mut method, mut content) = (self.method.as_str(), self.content.as_str());
        let mut log: Vec<Untrusted> = Vec::new();
        loop {
            let left = cx.timeout.saturating_sub(begun.elapsed());
            let (addresses, dns) = match self.web.place(&url, cx, left).await {
                Ok(found) => found,
                Err(why) => return logged(Reading::unknown(why), log),
            };
            let left = cx.timeout.saturating_sub(begun.elapsed());
            let sent = Sent { method, content, body_limit: self.body_limit };
            let Exchange { fetched, passed_over } = self.web.fetch(&url, &addresses, said, sent, cx, left).await;
            log.extend(passed_over.iter().map(|passed| passed.to_string().into()));
            let fetched = match fetched {
                Ok(fetched) => fetched,
                Err(error) => {
                    let places: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                    log.push(format!("{method} {url} at {}: {error}", places.join(" and ")).into());
                    return logged(failed(&error, &url, &seen), log);
                }
            };
            log.push(step(method, &url, &fetched, dns).into());
            let next = match target(&fetched, &url).filter(|_| self.redirects > 0) {
                Some(Err(why)) => return logged(Reading::critical(why), log),
                Some(Ok(next)) if self.other_hosts || self.web.is_own(&next) => Some(next),
                Some(Ok(_)) => {
                    log.push("a redirect to another host is not followed: `other_hosts`".into());
                    None
                }
                None => None,
            };
            let Some(next) = next else {
                let reading = self.judge(&url, &fetched, dns, begun.elapsed(), seen.len(), cx.net.clock.wall());
                return logged(reading, log);
            };
            seen.push(url);
            if seen.contains(&next) {
                return logged(Reading::critical(format!("redirects in a circle, back to {next}")), log);
            }
            if seen.len() > self.redirects {
                let words = format!("more than {} redirects; the next goes to {next}", self.redirects);
                return logged(Reading::critical(words), log);
            }
            // RFC 9110 §15.4: 307 and 308 repeat the request, the others ask anew.
            if !matches!(fetched.status, 307 | 308) && method != "HEAD" {
                (method, content) = ("GET", "");
            }
            url = next;
        }
    }

    fn judge(
        &self,
        url: &Url,
        fetched: &Fetched,
        dns: Duration,
        took: Duration,
        redirects: usize,
        now: Timestamp,
    ) -> Reading {
        let answered = format!("HTTP {} in {}", fetched.status, units::round_trip(took));
        let reading = if fetched.status == PROXY_ASKS && self.web.is_by_proxy() {
            Reading::critical("the proxy: it wants to know who asks (HTTP 407): `proxy_user`, `proxy_password`")
        } else if let Some(missed) = self.expected.missed(fetched, self.body_limit) {
            Reading::critical(format!("{answered}{missed}"))
        } else if let Some(unseen) = self.expected.unseen(fetched, self.body_limit) {
            Reading::unknown(format!("{answered}, but {unseen}"))
        } else {
            let slower = |limit: &Option<Duration>| limit.filter(|limit| took >= *limit);
            let words = |limit: Duration| format!("{answered}, slower than {}", units::config_duration(limit));
            match (slower(&self.slow_critical), slower(&self.slow_warning)) {
                (Some(limit), _) => Reading::critical(words(limit)),
                (None, Some(limit)) => Reading::warning(words(limit)),
                (None, None) => {
                    let via = match redirects {
                        0 => String::new(),
                        1 => format!(" · 1 redirect to {url}"),
                        more => format!(" · {more} redirects to {url}"),
                    };
                    let more = if fetched.cut { "+" } else { "" };
                    let size = units::bytes(fetched.body.len() as u64);
                    Reading::ok(format!("{answered} · {size}{more} · {}{via}", fetched.version))
                }
            }
        };
        let phases = &fetched.phases;
        let mut reading = reading
            .metric("status", f64::from(fetched.status), Unit::Count)
            .metric("time", took.as_secs_f64(), Unit::Seconds)
            .metric("dns", dns.as_secs_f64(), Unit::Seconds)
            .metric("connect", phases.connect.as_secs_f64(), Unit::Seconds)
            .metric("first_byte", phases.first_byte.as_secs_f64(), Unit::Seconds)
            .metric("body", phases.body.as_secs_f64(), Unit::Seconds)
            .metric("size", fetched.body.len() as f64, Unit::Bytes)
            .metric("redirects", redirects as f64, Unit::Count);
        if let Some(presented) = &fetched.presented {
            reading = reading.metric("tls", phases.tls.as_secs_f64(), Unit::Seconds);
            if let Some(days) = presented.days_left(now) {
                reading = reading.metric("days_left", days, Unit::Count);
            }
        }
        reading
    }
}

fn logged(reading: Reading, log: Vec<Untrusted>) -> Reading {
    log.into_iter().fold(reading, Reading::log)
}

/// A failure belongs to the URL that it happened at.
fn failed(error: &HttpError, url: &Url, seen: &[Url]) -> Reading {
    let outcome = match error {
        // Ours: nothing is known of the server.
        HttpError::BadRequest(_) => Outcome::Unknown,
        HttpError::Tls(error) if error.is_ours() => Outcome::Unknown,
        _ => Outcome::Critical,
    };
    let after = if seen.is_empty() { String::new() } else { format!("redirected to {url}: ") };
    Reading::new(outcome, format!("{after}{error}"))
}

/// One exchange in one line of the log.
fn step(method: &str, url: &Url, fetched: &Fetched, dns: Duration) -> String {
    let phases = &fetched.phases;
    let mut words = format!("{method} {url}: {} {}", fetched.version, fetched.status);
    if let Some(to) = fetched.header("location") {
        words.push_str(&format!(" to {}", Untrusted::new(to).line()));
    }
    words.push_str(&format!(" · dns {}, connect {}", units::round_trip(dns), units::round_trip(phases.connect)));
    if let Some(presented) = &fetched.presented {
        words.push_str(&format!(", {} {}", presented.version, units::round_trip(phases.tls)));
    }
    let (first, body) = (units::round_trip(phases.first_byte), units::round_trip(phases.body));
    words.push_str(&format!(", first byte {first}, body {body} ({} bytes)", fetched.body.len()));
    words
}

/// Where an answer leads to, if it does.
fn target(fetched: &Fetched, from: &Url) -> Option<Result<Url, String>> {
    if !matches!(fetched.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = fetched.header("location")?;
    let shown = Untrusted::new(location).line();
    let joined = std::str::from_utf8(location).ok().and_then(|text| from.join(text).ok());
    Some(match joined {
        Some(mut url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
            url.set_fragment(None);
            Ok(url)
        }
        _ => Err(format!("redirected to {shown}, which is no web page")),
    })
}
