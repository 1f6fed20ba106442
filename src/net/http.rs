//! One HTTP exchange over a connection of its own (HTTP/1.1 or 2 by hyper), to an address that the caller chose: the name in
//! the URL goes into Host header, SNI and certificate check only. Each phase is timed. Nothing that a server sends is
//! believed beyond its cap: head, number of headers, body, time. Redirects are the caller's.

mod unpacked;

use std::borrow::Cow;
use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use hyper::body::{Body, Incoming};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::{Host, Url};

use super::dialog::{Dialog, DialogError};
use super::race::PassedOver;
use super::tcp::{self, ConnectError, Connected};
use super::tls::{self, Offer, Own, Presented, Tls, TlsError, Trust};
use crate::base::{Secret, Timestamp, Untrusted};

/// Bytes of a status line and its headers, and how many of them.
const LARGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 100;
/// Connecting has all of the time and says which address did not answer: what bounds the whole comes a moment later.
const LATER: Duration = Duration::from_millis(100);

/// What is asked for.
#[derive(Debug)]
pub struct Fetch<'a> {
    pub url: &'a Url,
    /// Where it is connected to, whatever the URL's name resolves to: whichever answers first.
    pub addresses: &'a [IpAddr],
    /// The address is a proxy's, which finds the server by itself.
    pub proxy: Option<Proxy<'a>>,
    pub method: &'a str,
    pub headers: &'a [(String, Secret<String>)],
    pub content: &'a str,
    pub trust: &'a Trust,
    /// Who we are, where the server asks.
    pub own: Option<&'a Own>,
    pub http2: bool,
    /// Bytes of the body that are read.
    pub body_limit: usize,
    /// Now, for certificates.
    pub now: Timestamp,
}

/// Who is asked in place of the server.
#[derive(Clone, Copy, Debug)]
pub struct Proxy<'a> {
    pub port: u16,
    /// The value of `Proxy-Authorization` (RFC 9110 §11.7.2), for the proxy alone.
    pub authorization: Option<&'a Secret<String>>,
}

/// How long each part took; zero where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    pub connect: Duration,
    pub tls: Duration,
    /// From the request to the whole head of the answer.
    pub first_byte: Duration,
    pub body: Duration,
}

impl Phases {
    pub fn total(&self) -> Duration {
        self.connect + self.tls + self.first_byte + self.body
    }
}

#[derive(Debug)]
pub struct Fetched {
    pub status: u16,
    /// `HTTP/2`.
    pub version: &'static str,
    /// Names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// The body is longer.
    pub cut: bool,
    pub phases: Phases,
    pub presented: Option<Presented>,
}

/// What came of asking once.
#[derive(Debug)]
pub struct Exchange {
    /// Or which phase failed, and how.
    pub fetched: Result<Fetched, HttpError>,
    /// Addresses that did not answer before the one that did.
    pub passed_over: Vec<PassedOver<ConnectError>>,
}

impl Fetched {
    /// The first line of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_slice())
    }

    /// The body as it is meant, at most `limit` bytes of it, and whether there is more.
    ///
    /// # Errors
    /// In words: it is packed in a way that is not known here, or damaged.
    pub fn unpacked(&self, limit: usize) -> Result<(Cow<'_, [u8]>, bool), String> {
        unpacked::unpacked(&self.body, self.cut, self.header("content-encoding").unwrap_or_default(), limit)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("{while_} {:.1} s", .after.as_secs_f32())]
    TimedOut { while_: &'static str, after: Duration },
    #[error("{0}")]
    Protocol(String),
    #[error("{0} cannot be sent")]
    BadRequest(String),
    #[error("the proxy: {0}")]
    Proxy(String),
}

/// What is going on, for when time runs out.
#[derive(Debug, Default)]
struct Progress {
    phases: Phases,
    at: &'static str,
    passed_over: Vec<PassedOver<ConnectError>>,
}

impl Progress {
    fn connected(&mut self, connected: Connected) -> TcpStream {
        self.passed_over = connected.passed_over;
        connected.stream
    }
}

/// Asks once, within `timeout`. How far it came is told in either case.
pub async fn fetch(tls: &Tls, fetch: &Fetch<'_>, timeout: Duration) -> Exchange {
    let mut progress = Progress::default();
    let fetched = match tokio::time::timeout(timeout + LATER, exchange(tls, fetch, timeout, &mut progress)).await {
        Ok(done) => done,
        Err(_) => Err(HttpError::TimedOut { while_: progress.at, after: timeout }),
    };
    Exchange { fetched, passed_over: progress.passed_over }
}

async fn exchange(
    tls: &Tls,
    fetch: &Fetch<'_>,
    timeout: Duration,
    progress: &mut Progress,
) -> Result<Fetched, HttpError> {
    progress.at = "no connection within";
    let begun = Instant::now();
    let is_https = fetch.url.scheme() == "https";
    let stream = match fetch.proxy {
        None => {
            let port = fetch.url.port_or_known_default().unwrap_or(80);
            progress.connected(tcp::connect_any(fetch.addresses, port, timeout).await?)
        }
        Some(proxy) => {
            let near = tcp::connect_any(fetch.addresses, proxy.port, timeout).await;
            let near = progress.connected(near.map_err(|error| HttpError::Proxy(error.to_string()))?);
            let took = begun.elapsed();
            progress.at = "the proxy: no tunnel within";
            if is_https { tunnel(near, fetch.url, proxy, timeout.saturating_sub(took)).await? } else { near }
        }
    };
    progress.phases.connect = begun.elapsed();
    // The request is one small segment: nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    if !is_https {
        return ask(stream, fetch, false, progress).await;
    }
    progress.at = "no TLS handshake within";
    let name = host_name(fetch.url);
    let begun = Instant::now();
    let offer = if fetch.http2 { Offer::Http2 } else { Offer::Http1 };
    let (stream, presented) = tls.connect(stream, &name, offer, fetch.own, timeout).await?;
    progress.phases.tls = begun.elapsed();
    // Before anything is sent: a password is not for whoever answers there.
    tls.believe(&presented, &name, fetch.trust, fetch.now).await?;
    let is_http2 = presented.is_http2;
    let fetched = ask(stream, fetch, is_http2, progress).await?;
    Ok(Fetched { presented: Some(presented), ..fetched })
}

/// Has a proxy connect us through (RFC 9110 §9.3.6); the next byte is the server's.
async fn tunnel(stream: TcpStream, url: &Url, proxy: Proxy<'_>, left: Duration) -> Result<TcpStream, HttpError> {
    let failed = |error: DialogError| HttpError::Proxy(error.to_string());
    let name = &url[url::Position::BeforeHost..url::Position::AfterHost];
    let to = format!("{name}:{}", url.port_or_known_default().unwrap_or(443));
    let mut dialog = Dialog::new(stream, left);
    let who = proxy.authorization.map(|value| format!("Proxy-Authorization: {}\r\n", value.expose()));
    let request = Secret::new(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{}", who.unwrap_or_default()));
    dialog.say(request.expose()).await.map_err(failed)?;
    let answer = dialog.line().await.map_err(failed)?;
    let mut words = answer.split(|byte| *byte == b' ');
    let is_http = words.next().is_some_and(|version| version.starts_with(b"HTTP/1."));
    if !is_http || words.next().is_none_or(|status| !status.starts_with(b"2")) {
        return Err(HttpError::Proxy(format!("it answers {}", Untrusted::new(answer).line())));
    }
    while !dialog.line().await.map_err(failed)?.is_empty() {}
    dialog.into_stream().map_err(failed)
}

/// The URL's host without brackets.
pub fn host_name(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Domain(name)) => name.to_owned(),
        None => String::new(),
    }
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    fetch: &Fetch<'_>,
    http2: bool,
    progress: &mut Progress,
) -> Result<Fetched, HttpError> {
    let request = request(fetch, http2)?;
    progress.at = "connected, but no HTTP answer within";
    let begun = Instant::now();
    if http2 {
        let tasks = Tasks::default();
        let _ending = EndsWith(tasks.clone());
        let mut builder = hyper::client::conn::http2::Builder::new(tasks.clone());
        builder.max_header_list_size(LARGEST_HEAD as u32);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|e| words(&e))?;
        let mut connection = pin!(connection.map(|_| ()).fuse());
        let response = beside(connection.as_mut(), sender.send_request(request)).await.map_err(|e| words(&e))?;
        progress.phases.first_byte = begun.elapsed();
        read(response, connection, fetch.body_limit, progress).await
    } else {
        let mut builder = hyper::client::conn::http1::Builder::new();
        builder.max_buf_size(LARGEST_HEAD).max_headers(MOST_HEADERS);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|e| words(&e))?;
        let mut connection = pin!(connection.map(|_| ()).fuse());
        let response = beside(connection.as_mut(), sender.send_request(request)).await.map_err(|e| words(&e))?;
        progress.phases.first_byte = begun.elapsed();
        read(response, connection, fetch.body_limit, progress).await
    }
}

/// What HTTP/2 runs beside the exchange; it ends with it, whatever the server does.
#[derive(Clone, Debug, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task: F) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(task.map(|_| ()));
    }
}

/// Ends the tasks when the exchange does, given up or not.
struct EndsWith(Tasks);

impl Drop for EndsWith {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

fn request(fetch: &Fetch<'_>, http2: bool) -> Result<Request<String>, HttpError> {
    let url = fetch.url;
    let bad = |what: &str| HttpError::BadRequest(what.to_owned());
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let target = match (http2, fetch.proxy) {
        (true, _) => format!("https://{authority}{path}"),
        // A proxy is told the whole (RFC 9112 §3.2.2); through a tunnel the server itself is asked.
        (false, Some(_)) if url.scheme() == "http" => format!("http://{authority}{path}"),
        (false, _) => path,
    };
    let target: Uri = target.parse().map_err(|_| bad("the URL"))?;
    let mut request = Request::builder()
        .method(fetch.method)
        .uri(target)
        .header("user-agent", concat!("noctty/", env!("CARGO_PKG_VERSION")))
        .header("accept", "*/*");
    if !http2 {
        request = request.header(HOST, authority);
    }
    let mut request = request.body(fetch.content.to_owned()).map_err(|_| bad("the method"))?;
    // In a tunnel the server would read it.
    let to_proxy = fetch.proxy.filter(|_| url.scheme() == "http").and_then(|proxy| proxy.authorization);
    let to_proxy = to_proxy.map(|value| ("proxy-authorization", value));
    let all = fetch.headers.iter().map(|(name, value)| (name.as_str(), value)).chain(to_proxy);
    for (name, value) in all {
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(&format!("the header {name}")))?;
        let mut value =
            HeaderValue::from_str(value.expose()).map_err(|_| bad(&format!("the value of the header {name}")))?;
        value.set_sensitive(true);
        request.headers_mut().insert(key, value);
    }
    Ok(request)
}

/// Waits for `work` while the connection it needs is driven.
async fn beside<C, W>(mut connection: Pin<&mut C>, work: W) -> W::Output
where
    C: Future<Output = ()>,
    W: Future,
{
    let mut work = pin!(work);
    std::future::poll_fn(|cx| {
        let _ = connection.as_mut().poll(cx);
        work.as_mut().poll(cx)
    })
    .await
}

async fn read<C: Future<Output = ()>>(
    response: Response<Incoming>,
    mut connection: Pin<&mut C>,
    limit: usize,
    progress: &mut Progress,
) -> Result<Fetched, HttpError> {
    progress.at = "the body did not end within";
    let (head, mut incoming) = response.into_parts();
    let begun = Instant::now();
    let mut body = Vec::new();
    let mut cut = false;
    while !cut {
        let next = std::future::poll_fn(|cx| {
            let _ = connection.as_mut().poll(cx);
            Pin::new(&mut incoming).poll_frame(cx)
        });
        let Some(frame) = next.await else { break };
        let frame = frame.map_err(|e| in_body(&e))?;
        if let Some(data) = frame.data_ref() {
            let room = limit - body.len();
            cut = data.len() > room;
            body.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    progress.phases.body = begun.elapsed();
    Ok(Fetched {
        status: head.status.as_u16(),
        version: match head.version {
            hyper::Version::HTTP_2 => "HTTP/2",
            hyper::Version::HTTP_10 => "HTTP/1.0",
            _ => "HTTP/1.1",
        },
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body,
        cut,
        phases: progress.phases,
        presented: None,
    })
}

/// A body that is not what its head says of it.
fn in_body(error: &hyper::Error) -> HttpError {
    let system = caused_by(error);
    if let Some(words) = system.and_then(tls::broken_off) {
        return HttpError::Protocol(words);
    }
    HttpError::Protocol(match system {
        Some(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the server ended the connection in the middle of the body".to_owned()
        }
        _ => {
            let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
            format!("the body is damaged: {cause}")
        }
    })
}

/// The system's error at the end of what is behind one of HTTP.
fn caused_by(error: &hyper::Error) -> Option<&std::io::Error> {
    let first = std::error::Error::source(error);
    std::iter::successors(first, |error| error.source()).find_map(|error| error.downcast_ref())
}

fn words(error: &hyper::Error) -> HttpError {
    if let Some(words) = caused_by(error).and_then(tls::broken_off) {
        return HttpError::Protocol(words);
    }
    let cause = std::error::Error::source(error);
    let behind = cause.and_then(|cause| cause.downcast_ref::<hyper::Error>());
    HttpError::Protocol(if error.is_parse() {
        format!("no valid HTTP answer: {error}")
    } else if error.is_incomplete_message() {
        "the server ended the connection in the middle of its answer".to_owned()
    } else if error.is_canceled() && behind.is_some_and(hyper::Error::is_incomplete_message) {
        "the server ended the connection before it answered".to_owned()
    } else if error.is_canceled() && behind.is_some() {
        "what answers there does not speak HTTP: it speaks before it is asked".to_owned()
    } else {
        let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
        format!("HTTP: {error}{cause}")
    })
}
