//! What every probe that speaks HTTP has in common: which URL, where it is connected to, who we say we are, whom we believe.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use url::Url;

use super::Cx;
use crate::base::Secret;
use crate::base::options::{OptionDoc, Problem, Reader, SecretRef, Value};
use crate::model::Host;
use crate::net::http::{self, Exchange, Fetch};
use crate::net::tls::{Own, Trust};
use crate::process::secret;

pub const URL: OptionDoc = OptionDoc {
    name: "url",
    form: "string",
    default: "http://ADDRESS/",
    help: "what is asked for; its name goes into Host header and SNI, the connection goes to the host's address",
};
pub const USER: OptionDoc = OptionDoc { name: "user", form: "string", default: "", help: "basic authentication" };
pub const PASSWORD: OptionDoc =
    OptionDoc { name: "password", form: "secret", default: "", help: "basic authentication: by env, file or command" };
pub const HEADERS: OptionDoc = OptionDoc {
    name: "headers",
    form: "table",
    default: "",
    help: "further headers: text, or a secret (`{ file = \"…\" }`)",
};
pub const PROXY: OptionDoc = OptionDoc {
    name: "proxy",
    form: "string",
    default: "",
    help: "an HTTP proxy (`http://10.0.0.9:3128`) that is asked in place of the host; it finds the URL's server by itself",
};
pub const PROXY_USER: OptionDoc = OptionDoc {
    name: "proxy_user",
    form: "string",
    default: "",
    help: "who we are to the proxy: basic authentication",
};
pub const PROXY_PASSWORD: OptionDoc = OptionDoc {
    name: "proxy_password",
    form: "secret",
    default: "",
    help: "the password for it: by env, file or command",
};
pub const HTTP2: OptionDoc =
    OptionDoc { name: "http2", form: "boolean", default: "true", help: "false: HTTP/1.1 only" };

/// A web server as a check sees it.
#[derive(Debug)]
pub struct Web {
    pub url: Url,
    address: Arc<str>,
    proxy: Option<Proxy>,
    user: Option<String>,
    password: Option<SecretRef>,
    headers: Vec<(String, Header)>,
    trust: Trust,
    own: Option<Own>,
    http2: bool,
}

/// Who is asked in place of the host.
#[derive(Debug)]
struct Proxy {
    host: Arc<str>,
    port: u16,
    user: Option<String>,
    password: Option<SecretRef>,
}

/// What is said of ourselves, with its secrets.
#[derive(Debug)]
pub struct Said {
    /// To the check's own server alone.
    headers: Vec<(String, Secret<String>)>,
    /// To the proxy alone.
    proxy: Option<Secret<String>>,
}

#[derive(Debug)]
enum Header {
    Text(String),
    Secret(SecretRef),
}

/// What is sent beside the URL.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    pub method: &'a str,
    pub content: &'a str,
    pub body_limit: usize,
}

impl Web {
    /// Reads the shared options. `usual` is the URL where none is given, with the host's address in place of `ADDRESS`.
    pub fn read(host: &Host, options: &mut Reader<'_>, usual: &str) -> Option<Self> {
        let place = options.node("url").map_or_else(|| options.place().clone(), |node| node.place.clone());
        let text = options.string("url");
        let user = options.string("user");
        let password = options.secret("password");
        let headers = read_headers(options);
        let trust = Trust::read(options);
        let own = Own::read(options);
        let proxy = read_proxy(options);
        let http2 = options.bool("http2").unwrap_or(true);
        let address = host.address.clone()?;
        let bracketed =
            if address.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{address}]") } else { address.to_string() };
        let text = text.unwrap_or_else(|| usual.replace("ADDRESS", &bracketed));
        let url = match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => url,
            _ => {
                options.problem(
                    Problem::error(&place, format!("\"{text}\" is no URL of a web page"))
                        .hint("url = \"https://www.example.net/health\""),
                );
                return None;
            }
        };
        if url.password().is_some() || !url.username().is_empty() {
            options.problem(
                Problem::error(&place, "a URL with a user in it is shown to everybody")
                    .hint("use `user` and `password = { file = \"…\" }`"),
            );
            return None;
        }
        Some(Self { url, address, proxy: proxy?, user, password, headers, trust, own: own?, http2 })
    }

    /// Tells checks of one host apart: the URL without what is usual.
    pub fn instance(&self) -> String {
        let usual = self.url.scheme() == "http" && http::host_name(&self.url) == *self.address;
        if usual && self.url.path() == "/" && self.url.port().is_none() {
            return String::new();
        }
        let port = if self.url.scheme() == "https" { self.url.port_or_known_default() } else { self.url.port() };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let rest = &self.url[url::Position::BeforePath..url::Position::AfterQuery];
        format!("{}{port}{}", http::host_name(&self.url), if rest == "/" { "" } else { rest })
    }

    /// For `noctty plan`.
    pub fn destination(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("the proxy {}:{}", proxy.host, proxy.port),
            None => format!("{}:{}", self.address, self.url.port_or_known_default().unwrap_or(80)),
        }
    }

    /// Somebody else is asked in place of the host.
    pub fn is_by_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// Whether a URL is on the host that is checked.
    pub fn is_own(&self, url: &Url) -> bool {
        url.host() == self.url.host()
    }

    /// Where a URL is connected to, and how long it took to find out. The name of the check's own URL belongs to the
    /// host; others, that a redirect leads to, are looked up.
    ///
    /// # Errors
    /// The name does not resolve.
    pub async fn place(&self, url: &Url, cx: &Cx, timeout: Duration) -> Result<(Vec<IpAddr>, Duration), String> {
        let begun = Instant::now();
        let found = if let Some(proxy) = &self.proxy {
            cx.addresses(&proxy.host, timeout).await
        } else if self.is_own(url) {
            cx.addresses(&self.address, timeout).await
        } else {
            cx.addresses_once(&http::host_name(url).into(), timeout).await
        };
        let addresses = found.map_err(|e| e.to_string())?;
        Ok((addresses, begun.elapsed()))
    }

    /// What is said of ourselves.
    ///
    /// # Errors
    /// A secret cannot be had; in words, without it.
    pub async fn said(&self) -> Result<Said, String> {
        let mut headers = Vec::with_capacity(self.headers.len() + 1);
        for (name, header) in &self.headers {
            let value = match header {
                Header::Text(text) => Secret::new(text.clone()),
                Header::Secret(reference) => {
                    secret::fetch(reference).await.map_err(|e| format!("the header {name}: {e}"))?
                }
            };
            headers.push((name.clone(), value));
        }
        if let Some(user) = &self.user {
            let value = basic(user, self.password.as_ref()).await.map_err(|why| format!("the password: {why}"))?;
            headers.push(("authorization".to_owned(), value));
        }
        let proxy = match self.proxy.as_ref().and_then(|proxy| Some((proxy.user.as_ref()?, proxy.password.as_ref()))) {
            Some((user, password)) => {
                Some(basic(user, password).await.map_err(|why| format!("the proxy's password: {why}"))?)
            }
            None => None,
        };
        Ok(Said { headers, proxy })
    }

    /// One exchange with `url`, which is the check's own or one that it led to.
    pub async fn fetch(
        &self,
        url: &Url,
        addresses: &[IpAddr],
        said: &Said,
        sent: Sent<'_>,
        cx: &Cx,
        timeout: Duration,
    ) -> Exchange {
        // Credentials are for one origin: name, port and scheme.
        let headers = if url.origin() == self.url.origin() { &said.headers[..] } else { &[] };
        let proxy = self.proxy.as_ref();
        let fetch = Fetch {
            url,
            addresses,
            proxy: proxy.map(|proxy| http::Proxy { port: proxy.port, authorization: said.proxy.as_ref() }),
            method: sent.method,
            headers,
            content: sent.content,
            trust: &self.trust,
            // Who we are is for one server too.
            own: self.own.as_ref().filter(|_| url.origin() == self.url.origin()),
            http2: self.http2,
            body_limit: sent.body_limit,
            now: cx.net.clock.wall(),
        };
        http::fetch(&cx.net.tls, &fetch, timeout).await
    }
}

/// The value of a header that says who we are (RFC 7617).
async fn basic(user: &str, password: Option<&SecretRef>) -> Result<Secret<String>, String> {
    let password = match password {
        Some(reference) => secret::fetch(reference).await.map_err(|e| e.to_string())?,
        None => Secret::new(String::new()),
    };
    let pair = Secret::new(format!("{user}:{}", password.expose()));
    let encoded = Secret::new(BASE64.encode(pair.expose().as_bytes()));
    Ok(Secret::new(format!("Basic {}", encoded.expose())))
}

/// `None` where there is one that is none, which is said.
#[expect(clippy::option_option, reason = "absent and wrong are two things")]
fn read_proxy(options: &mut Reader<'_>) -> Option<Option<Proxy>> {
    let user = options.string("proxy_user");
    let password = options.secret("proxy_password");
    if options.node("proxy").is_none() {
        for key in ["proxy_user", "proxy_password"] {
            if options.node(key).is_none() {
                continue;
            }
            let place = options.place_of(key);
            options.problem(Problem::error(&place, format!("`{key}` without a `proxy`")));
        }
        return Some(None);
    }
    if user.is_none() && password.is_some() {
        let place = options.place_of("proxy_password");
        let problem = Problem::error(&place, "`proxy_password` without a `proxy_user`");
        options.problem(problem.hint("proxy_user = \"noctty\""));
    }
    let text = options.string("proxy")?;
    let place = options.place_of("proxy");
    let url = Url::parse(&text).ok().filter(|url| url.scheme() == "http");
    if url.as_ref().is_some_and(|url| url.password().is_some() || !url.username().is_empty()) {
        let problem = Problem::error(&place, "a proxy's URL with a user in it is shown to everybody");
        options.problem(problem.hint("use `proxy_user` and `proxy_password = { file = \"…\" }`"));
        return None;
    }
    let host = url.as_ref().map(http::host_name).filter(|host| !host.is_empty());
    // The URL has no port where it is the usual one of its scheme.
    let port = url.as_ref().and_then(Url::port_or_known_default);
    if let (Some(host), Some(port)) = (host, port) {
        return Some(Some(Proxy { host: host.into(), port, user, password }));
    }
    options.problem(
        Problem::error(&place, format!("\"{text}\" is no HTTP proxy")).hint("proxy = \"http://10.0.0.9:3128\""),
    );
    None
}

fn read_headers(options: &mut Reader<'_>) -> Vec<(String, Header)> {
    let Some(table) = options.table("headers") else { return Vec::new() };
    let mut out = Vec::new();
    for (key, node) in &table.entries {
        let good = is_token(&key.name);
        match &node.value {
            Value::String(text) if good => out.push((key.name.clone(), Header::Text(text.clone()))),
            Value::Table(_) if good => {
                let reference = options.secret_in(&key.name, node);
                out.extend(reference.map(|reference| (key.name.clone(), Header::Secret(reference))));
            }
            _ => {
                let words = format!("the header `{}` must be a name with a text or a secret", key.name);
                options.problem(Problem::error(&node.place, words));
            }
        }
    }
    out
}

/// A token (RFC 9110 §5.6.2).
pub fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
