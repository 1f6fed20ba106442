//! The `http` check against nginx, and against servers that behave as badly as they like.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use noctty::model::{Outcome, Reading};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::authority::{Authority, EXPIRED, VALID, self_signed};
use crate::peer::{Peer, free_port};
use crate::probes::{ask, ask_patiently, told};

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// nginx in one process, with these servers in its configuration.
pub fn nginx(folder: &Path, servers: &str, port: u16) -> Peer {
    let here = folder.display();
    let mut temporary = String::new();
    for what in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        temporary.push_str(&format!("{what}_temp_path {here}/{what}; "));
    }
    let user = if rustix::process::geteuid().is_root() { "user root; " } else { "" };
    let config = format!(
        "daemon off; master_process off; {user}pid {here}/nginx.pid; error_log stderr; events {{ }}\n\
         http {{ access_log {here}/access.log; {temporary}root {here}; default_type text/plain;\n{servers}\n}}\n"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config).expect("written");
    let arguments = ["-c", file.to_str().expect("a plain path"), "-e", "stderr"];
    Peer::start(folder, Path::new("/usr/sbin/nginx"), &arguments).accepts((LOOPBACK, port).into())
}

/// The lines of a server that presents this certificate; it answers with how it was asked.
pub fn presenting(folder: &Path, port: u16, name: &str, made: &(String, String)) -> String {
    presenting_with(folder, port, name, made, "TLSv1.2 TLSv1.3")
}

/// The same with these versions of TLS; old ones need old ciphers.
pub fn presenting_with(
    folder: &Path,
    port: u16,
    name: &str,
    (certificate, key): &(String, String),
    versions: &str,
) -> String {
    fs::write(folder.join(format!("{name}.pem")), certificate).expect("written");
    fs::write(folder.join(format!("{name}.key")), key).expect("written");
    let here = folder.display();
    format!(
        "server {{ listen 127.0.0.1:{port} ssl http2; ssl_protocols {versions}; ssl_ciphers ALL:@SECLEVEL=0;\n\
         ssl_certificate {here}/{name}.pem; ssl_certificate_key {here}/{name}.key;\n\
         location / {{ return 200 \"$host $ssl_server_name $server_protocol\"; }} }}\n"
    )
}

pub fn metric(reading: &Reading, name: &str) -> f64 {
    reading.metrics.iter().find(|m| &*m.name == name).unwrap_or_else(|| panic!("no {name} in {reading:?}")).value
}

pub fn log(reading: &Reading) -> Vec<String> {
    reading.log.iter().map(noctty::base::Untrusted::line).collect()
}

#[tokio::test]
async fn pages_of_nginx_are_judged_by_status_body_and_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let (port, six) = (free_port(LOOPBACK.into()), free_port(Ipv6Addr::LOCALHOST.into()));
    let big = "x".repeat(300_000);
    fs::write(folder.path().join("big"), format!("{big}needle")).expect("written");
    fs::write(folder.path().join("users"), "ops:{PLAIN}hunter2\n").expect("written");
    fs::write(folder.path().join("packed"), format!("{big}needle")).expect("written");
    assert!(
        std::process::Command::new("gzip").arg(folder.path().join("packed")).status().expect("gzip runs").success()
    );
    let users = folder.path().join("users");
    let servers = format!(
        "server {{ listen 127.0.0.1:{port}; listen [::1]:{six};\n\
         location = / {{ return 200 \"state: green $host $http_x_token\"; }}\n\
         location = /down {{ return 503; }}\n\
         location = /inside {{ auth_basic inside; auth_basic_user_file {}; try_files /big =404; }}\n\
         location = /slow {{ limit_rate 1k; try_files /big =404; }}\n\
         location = /state {{ default_type application/json; add_header X-Node n1; add_header X-Node n2;\n\
         return 200 '{{\"status\":\"UP\",\"db\":{{\"idle\":3,\"ok\":true}},\"list\":[1.5]}}'; }}\n\
         location = /packed {{ add_header Content-Encoding gzip; try_files /packed.gz =404; }}\n\
         location = /damaged {{ add_header Content-Encoding gzip; return 200 'no gzip'; }} }}",
        users.display()
    );
    let _nginx = nginx(folder.path(), &servers, port);
    let web = async |path: &str, more: &str| {
        ask("http", "127.0.0.1", &format!("url = 'http://www.lab.test:{port}{path}'\n{more}")).await
    };

    let good = web("/", "contains = 'green'\nmatches = 'state: g[a-z]+n'").await;
    let (outcome, line) = told(&good);
    assert!(outcome == Outcome::Ok && line.starts_with("HTTP 200 in ") && line.ends_with(" · HTTP/1.1"), "{line}");
    assert!((metric(&good, "status") - 200.0).abs() < 0.1 && metric(&good, "size") > 10.0);
    for phase in ["dns", "connect", "first_byte", "body", "time"] {
        assert!(metric(&good, phase) >= 0.0);
    }
    assert!(good.metrics.iter().all(|m| &*m.name != "tls"));
    // The name is in the request, the connection goes to the host's address.
    assert_eq!(web("/", "contains = 'green www.lab.test'").await.outcome, Outcome::Ok);
    let token = "contains = 'www.lab.test blue'\nheaders = { X-Token = 'blue' }";
    assert_eq!(web("/", token).await.outcome, Outcome::Ok);

    let (outcome, line) = told(&web("/down", "").await);
    assert!(
        outcome == Outcome::Critical && line.starts_with("HTTP 503 in ") && line.ends_with("; expected 200-299"),
        "{line}"
    );
    assert_eq!(web("/down", "status = '200,500-599'").await.outcome, Outcome::Ok);
    assert_eq!(web("/down", "status = 503").await.outcome, Outcome::Ok);
    let (outcome, line) = told(&web("/", "contains = 'red'").await);
    assert!(outcome == Outcome::Critical && line.ends_with("but the body does not contain \"red\""), "{line}");
    let (outcome, line) = told(&web("/", "matches = '^red'").await);
    assert!(outcome == Outcome::Critical && line.ends_with("but the body does not match /^red/"), "{line}");

    // Beyond the cap nothing is read, and it is said.
    let (outcome, line) = told(&web("/big", "contains = 'needle'\nbody_limit = 1024").await);
    assert!(outcome == Outcome::Critical && line.ends_with("does not contain \"needle\" in its first 1.0K"), "{line}");
    assert_eq!(web("/big", "contains = 'needle'").await.outcome, Outcome::Ok);
    let (outcome, line) = told(&web("/big", "method = 'HEAD'").await);
    assert!(outcome == Outcome::Ok && line.contains(" · 0B · "), "{line}");
    let (outcome, line) = told(&web("/slow", "").await);
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, "the body did not end within 2.0 s"));
    let (outcome, line) = told(&web("/", "slow_warning = '0s'").await);
    assert!(outcome == Outcome::Warning && line.ends_with("slower than 0s"), "{line}");

    for (options, wanted) in [
        ("lacks = 'DOWN'\njson = { '/status' = 'UP', '/db/idle' = 3, '/db/ok' = true, '/list/0' = 1.5 }", None),
        ("expect_headers = { content-type = '^application/json', X-Node = '^n2$', Date = '' }", None),
        ("json = { '/status' = 'DOWN' }", Some(r#"/status is "UP", not "DOWN""#)),
        ("json = { '/db/idle' = 4 }", Some("/db/idle is 3, not 4")),
        ("json = { '/gone' = 1 }", Some("there is no /gone in the body")),
        ("json = { '/db' = 1 }", Some(r#"/db is {"idle":3,"ok":true}, not 1"#)),
        ("json = { '/status' = 'UP' }\nbody_limit = 10", Some("the body is longer than 10B: `body_limit`")),
        ("lacks = 'UP'", Some("the body contains \"UP\"")),
        ("expect_headers = { X-Node = '^n3$' }", Some("the header x-node is n1, which does not match /^n3$/")),
        ("expect_headers = { X-Gone = '' }", Some("there is no header x-gone")),
    ] {
        let (outcome, line) = told(&web("/state", options).await);
        match wanted {
            None => assert_eq!(outcome, Outcome::Ok, "{options}: {line}"),
            Some(words) => {
                assert!(outcome == Outcome::Critical && line.ends_with(&format!(", but {words}")), "{options}: {line}");
            }
        }
    }
    let (outcome, line) = told(&web("/", "json = { '/status' = 'UP' }").await);
    assert!(outcome == Outcome::Critical && line.contains(", but the body is no JSON: expected value"), "{line}");
    // Packed although nobody asked for it.
    assert_eq!(web("/packed", "contains = 'needle'").await.outcome, Outcome::Ok);
    let (outcome, line) = told(&web("/damaged", "contains = 'needle'").await);
    assert!(outcome == Outcome::Critical && line.ends_with("but the body cannot be decompressed (gzip)"), "{line}");

    assert!(told(&web("/inside", "").await).1.starts_with("HTTP 401 in "));
    let password = folder.path().join("password");
    fs::write(&password, "hunter2\n").expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&password, mode).expect("mode");
    let inside = web("/inside", &format!("user = 'ops'\npassword = {{ file = '{}' }}", password.display())).await;
    assert_eq!(inside.outcome, Outcome::Ok, "{inside:?}");
    let shown = format!("{inside:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("b3BzOmh1bnRlcjI="), "{shown}");

    let six = ask("http", "::1", &format!("url = 'http://[::1]:{six}/'\ncontains = 'green [::1]'")).await;
    assert_eq!(six.outcome, Outcome::Ok, "{six:?}");
}

#[tokio::test]
async fn redirects_are_followed_recorded_and_not_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port(LOOPBACK.into());
    let servers = format!(
        "server {{ listen 127.0.0.1:{port}; absolute_redirect off;\n\
         location = / {{ return 200 \"home $http_authorization\"; }} location = /a {{ return 301 /b; }} location = /b {{ return 302 /; }}\n\
         location = /circle {{ return 302 /around; }} location = /around {{ return 302 /circle; }}\n\
         location ~ ^/more(x*)$ {{ return 302 /more$1x; }}\n\
         location = /other {{ return 302 http://localhost:{port}/; }}\n\
         location = /file {{ return 302 file:///etc/passwd; }} }}"
    );
    let _nginx = nginx(folder.path(), &servers, port);
    let at = format!("http://www.lab.test:{port}");
    let web = async |path: &str, more: &str| ask("http", "127.0.0.1", &format!("url = '{at}{path}'\n{more}")).await;

    let followed = web("/a", "contains = 'home'").await;
    let (outcome, line) = told(&followed);
    assert!(outcome == Outcome::Ok && line.ends_with(&format!("2 redirects to {at}/")), "{line}");
    let steps = log(&followed);
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert!(steps[0].starts_with(&format!("GET {at}/a: HTTP/1.1 301 to /b · dns ")), "{steps:?}");
    assert!(steps[2].contains("first byte ") && steps[2].contains("connect "), "{steps:?}");
    let (outcome, line) = told(&web("/a", "redirects = 0").await);
    assert!(outcome == Outcome::Critical && line.ends_with(" to /b; expected 200-299"), "{line}");
    assert_eq!(
        told(&web("/circle", "").await),
        (Outcome::Critical, format!("redirects in a circle, back to {at}/circle"))
    );
    let words = format!("more than 5 redirects; the next goes to {at}/morexxxxxx");
    assert_eq!(told(&web("/more", "").await), (Outcome::Critical, words));
    let words = "redirected to file:///etc/passwd, which is no web page";
    assert_eq!(told(&web("/file", "").await), (Outcome::Critical, words.to_owned()));
    // Another server gets no password, and is looked up by its own name.
    let (outcome, line) = told(&web("/other", "").await);
    let words = format!(" to http://localhost:{port}/; expected 200-299");
    assert!(outcome == Outcome::Critical && line.starts_with("HTTP 302 in ") && line.ends_with(&words), "{line}");
    let other = web("/other", "other_hosts = true\nuser = 'ops'\nmatches = '^home $'").await;
    assert_eq!(other.outcome, Outcome::Ok, "{other:?}");
    let own = web("/a", "user = 'ops'\ncontains = 'home Basic'").await;
    assert_eq!(own.outcome, Outcome::Ok, "{own:?}");
}

#[tokio::test]
async fn certificates_are_judged_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, private) = (Authority::root("Lab Root"), Authority::root("Private Root"));
    let between = root.below("Lab Intermediate", VALID);
    let whole = |(leaf, key): (String, String)| (format!("{leaf}{}", between.pem()), key);
    let name = "www.lab.test";
    let made = [
        ("good", whole(between.issue(&[name, "127.0.0.1"], VALID))),
        ("expired", whole(between.issue(&[name], EXPIRED))),
        ("later", whole(between.issue(&[name], (5, 300)))),
        ("other", whole(between.issue(&["a.lab.test", "b.lab.test"], EXPIRED))),
        ("incomplete", between.issue(&[name], VALID)),
        ("private", private.issue(&[name], VALID)),
        ("selfsigned", self_signed(&[name], VALID)),
    ];
    let ports: Vec<u16> = made.iter().map(|_| free_port(LOOPBACK.into())).collect();
    let with_root = format!("{}{}", made[5].1.0, private.pem());
    let chain_port = free_port(LOOPBACK.into());
    let mut servers: String =
        made.iter().zip(&ports).map(|((file, made), port)| presenting(folder.path(), *port, file, made)).collect();
    servers.push_str(&presenting(folder.path(), chain_port, "privatechain", &(with_root, made[5].1.1.clone())));
    let nginx = nginx(folder.path(), &servers, ports[0]);
    let ca = root.file(folder.path());
    let web = async |port: u16, more: &str| {
        let options = format!("url = 'https://{name}:{port}/'\nca = '{}'\n{more}", ca.display());
        ask_patiently("http", "127.0.0.1", &options).await
    };

    let good = web(ports[0], &format!("contains = '{name} {name} HTTP/2.0'")).await;
    let (outcome, line) = told(&good);
    assert!(outcome == Outcome::Ok && line.ends_with(" · HTTP/2"), "{line}\n{}", nginx.log());
    assert!((299.0..=300.0).contains(&metric(&good, "days_left")), "{good:?}");
    assert!(metric(&good, "tls") > 0.0 && log(&good)[0].contains(", TLS 1.3 "), "{:?}", log(&good));
    assert_eq!(web(ports[0], "http2 = false\ncontains = 'HTTP/1.1'").await.outcome, Outcome::Ok);
    let by_address = format!("url = 'https://127.0.0.1:{}/'\nca = '{}'", ports[0], ca.display());
    assert_eq!(ask_patiently("http", "127.0.0.1", &by_address).await.outcome, Outcome::Ok);

    for (index, (file, _)) in made.iter().enumerate().skip(1) {
        let (outcome, line) = told(&web(ports[index], "").await);
        let line = line.replace(|c: char| c.is_ascii_digit(), "#");
        let wanted = match *file {
            "expired" => "certificate CN=www.lab.test: it expired # d ago (####-##-##)",
            "later" => "certificate CN=www.lab.test: it is not valid before ####-##-##",
            "other" => {
                "certificate CN=a.lab.test: it expired # d ago (####-##-##); it is for a.lab.test, b.lab.test, not www.lab.test"
            }
            "incomplete" => {
                "certificate CN=www.lab.test: its issuer CN=Lab Intermediate was not sent and is no trusted root (incomplete chain, or a private CA)"
            }
            "private" => {
                "certificate CN=www.lab.test: its issuer CN=Private Root was not sent and is no trusted root (incomplete chain, or a private CA)"
            }
            _ => "certificate CN=www.lab.test: self-signed",
        };
        assert_eq!((outcome, line.as_str()), (Outcome::Critical, wanted), "{file}");
        assert_eq!(web(ports[index], "verify = false").await.outcome, Outcome::Ok, "{file}");
    }
    let (_, line) = told(&web(chain_port, "").await);
    assert_eq!(line, "certificate CN=www.lab.test: its root CN=Private Root is not trusted here");
    // The system's roots know nobody of these.
    let (outcome, line) =
        told(&ask_patiently("http", "127.0.0.1", &format!("url = 'https://{name}:{}/'", ports[0])).await);
    assert!(outcome == Outcome::Critical && line.contains("its issuer CN=Lab Root was not sent"), "{line}");
    // A certificate that was named itself is believed.
    let itself = folder.path().join("selfsigned.pem");
    let options = format!("url = 'https://{name}:{}/'\nca = '{}'", ports[6], itself.display());
    assert_eq!(ask_patiently("http", "127.0.0.1", &options).await.outcome, Outcome::Ok);
    let options = format!("url = 'https://{name}:{}/'\nca = '/nonexistent.pem'", ports[0]);
    let (outcome, line) = told(&ask_patiently("http", "127.0.0.1", &options).await);
    assert!(outcome == Outcome::Unknown && line.starts_with("cannot read /nonexistent.pem: No such file"), "{line}");
    // Nothing was asked of those that were not believed.
    let asked = fs::read_to_string(folder.path().join("access.log")).expect("a log");
    assert_eq!(asked.lines().count(), 3 + 6 + 1, "{asked}");
}

#[tokio::test]
async fn a_server_that_asks_who_we_are_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().display().to_string();
    let (root, port) = (Authority::root("Lab Root"), free_port(LOOPBACK.into()));
    let (certificate, key) = root.issue_for_client("noc.lab.test");
    fs::write(folder.path().join("own.pem"), certificate).expect("written");
    fs::write(folder.path().join("own.key"), key).expect("written");
    let ca = root.file(folder.path()).display().to_string();
    let server = presenting(folder.path(), port, "www", &root.issue(&["www.lab.test"], VALID)).replace(
        "location / {",
        &format!("ssl_verify_client on; ssl_client_certificate {ca}; location / {{ add_header Who $ssl_client_s_dn;"),
    );
    let _nginx = nginx(folder.path(), &server, port);
    let web = async |more: &str| {
        let options = format!("url = 'https://www.lab.test:{port}/'\nca = '{ca}'\n{more}");
        told(&ask_patiently("http", "127.0.0.1", &options).await)
    };
    let (outcome, line) = web("").await;
    assert!(outcome == Outcome::Critical && line.starts_with("HTTP 400 in "), "{line}");
    let own = format!("certificate = '{here}/own.pem'\nkey = '{here}/own.key'");
    let (outcome, line) = web(&format!("{own}\nexpect_headers = {{ Who = 'CN=noc.lab.test' }}")).await;
    assert_eq!(outcome, Outcome::Ok, "{line}");
    // TLS 1.3 refuses who does not say so when the handshake is over.
    let strict = free_port(LOOPBACK.into());
    let (at, file) = (strict.to_string(), |name: &str| format!("{here}/{name}"));
    let (certificate, key) = (file("www.pem"), file("www.key"));
    let arguments = ["s_server", "-quiet", "-www", "-tls1_3", "-accept", &at, "-cert", &certificate, "-key", &key];
    let arguments = [&arguments[..], &["-Verify", "1", "-verify_return_error", "-CAfile", &ca]].concat();
    let near = tempfile::tempdir().expect("a folder");
    let peer = Peer::start(near.path(), Path::new("/usr/bin/openssl"), &arguments);
    let _strict = peer.accepts((LOOPBACK, strict).into());
    let url = format!("url = 'https://www.lab.test:{strict}/'\nca = '{ca}'");
    let refused = told(&ask_patiently("http", "127.0.0.1", &url).await);
    assert_eq!(refused, (Outcome::Critical, "the server wants to know who we are".to_owned()));
    let reading = ask_patiently("http", "127.0.0.1", &format!("{url}\n{own}")).await;
    assert_eq!(reading.outcome, Outcome::Ok, "{reading:?}");
    // What is wrong with our own files says nothing of the server.
    for (certificate, key, wanted) in [
        ("own.pem", "none.key", format!("cannot read {here}/none.key: No such file")),
        ("own.key", "own.key", format!("cannot read {here}/own.key: there is no certificate in it")),
        ("own.pem", "own.pem", format!("cannot read {here}/own.pem: there is no key in it that can be read")),
        ("www.pem", "own.key", format!("our certificate {here}/www.pem cannot be used: ")),
    ] {
        let (outcome, line) = web(&format!("certificate = '{here}/{certificate}'\nkey = '{here}/{key}'")).await;
        assert!(outcome == Outcome::Unknown && line.starts_with(&wanted), "{line}");
    }
}

#[tokio::test]
async fn a_proxy_is_asked_in_place_of_the_server_and_its_refusals_are_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let [plain, whole, proxy, other] = [(); 4].map(|()| free_port(LOOPBACK.into()));
    let root = Authority::root("Lab Root");
    let ca = root.file(folder.path()).display().to_string();
    let mut servers = presenting(folder.path(), whole, "www", &root.issue(&["127.0.0.1"], VALID));
    servers.push_str(&format!("server {{ listen 127.0.0.1:{plain}; location / {{ return 200 'via $http_via'; }} }}"));
    let _nginx = nginx(folder.path(), &servers, plain);
    let file = folder.path().join("tinyproxy.conf");
    let config =
        format!("Port {proxy}\nListen 127.0.0.1\nAllow 127.0.0.1\nConnectPort {whole}\nViaProxyName \"lab\"\n");
    fs::write(&file, config).expect("written");
    let arguments = ["-d", "-c", file.to_str().expect("a plain path")];
    let near = tempfile::tempdir().expect("a folder");
    let peer = Peer::start(near.path(), Path::new("/usr/bin/tinyproxy"), &arguments);
    let _tinyproxy = peer.accepts((LOOPBACK, proxy).into());
    // The host itself is not asked: nobody is there.
    let web = async |url: &str, more: &str| {
        let options = format!("url = '{url}'\nca = '{ca}'\n{more}");
        ask_patiently("http", "192.0.2.1", &options).await
    };
    let by_it = format!("proxy = 'http://127.0.0.1:{proxy}'");
    let reading = web(&format!("http://127.0.0.1:{plain}/"), &format!("{by_it}\nmatches = 'via .*lab'")).await;
    assert_eq!(reading.outcome, Outcome::Ok, "{reading:?}");
    let reading = web(&format!("https://127.0.0.1:{whole}/"), &format!("{by_it}\ncontains = 'HTTP/2.0'")).await;
    assert_eq!(reading.outcome, Outcome::Ok, "{reading:?}");
    assert!(metric(&reading, "tls") > 0.0 && metric(&reading, "days_left") > 299.0);
    let (outcome, line) = told(&web(&format!("https://127.0.0.1:{other}/"), &by_it).await);
    assert!(
        outcome == Outcome::Critical && line.starts_with("the proxy: it answers HTTP/1.") && line.contains(" 403 "),
        "{line}"
    );
    let dead = format!("proxy = 'http://127.0.0.1:{other}'");
    let (outcome, line) = told(&web(&format!("http://127.0.0.1:{plain}/"), &dead).await);
    let wanted = format!("the proxy: connection to 127.0.0.1:{other} refused");
    assert_eq!((outcome, line), (Outcome::Critical, wanted));
    let probe = crate::probes::bound("http", "192.0.2.1", &by_it);
    assert!(!probe.speaks_for_host(), "what a proxy says is not the host's word");
    assert_eq!(&*probe.wire().destination, &format!("the proxy 127.0.0.1:{proxy}"));
}

#[tokio::test]
async fn a_proxy_that_asks_who_we_are_is_told_and_nobody_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let [plain, whole, proxy] = [(); 3].map(|()| free_port(LOOPBACK.into()));
    let root = Authority::root("Lab Root");
    let ca = root.file(folder.path()).display().to_string();
    // The servers say what they were told of the proxy's password.
    let (certificate, key) = root.issue(&["127.0.0.1"], VALID);
    fs::write(folder.path().join("www.pem"), certificate).expect("written");
    fs::write(folder.path().join("www.key"), key).expect("written");
    let here = folder.path().display();
    let says = "location / { return 200 'told [$http_proxy_authorization]'; }";
    let servers = format!(
        "server {{ listen 127.0.0.1:{plain}; {says} }}\n\
         server {{ listen 127.0.0.1:{whole} ssl http2; ssl_certificate {here}/www.pem; ssl_certificate_key {here}/www.key; {says} }}"
    );
    let _nginx = nginx(folder.path(), &servers, plain);
    let file = folder.path().join("tinyproxy.conf");
    let config =
        format!("Port {proxy}\nListen 127.0.0.1\nAllow 127.0.0.1\nConnectPort {whole}\nBasicAuth noctty pr0xy-word\n");
    fs::write(&file, config).expect("written");
    let arguments = ["-d", "-c", file.to_str().expect("a plain path")];
    let near = tempfile::tempdir().expect("a folder");
    let peer = Peer::start(near.path(), Path::new("/usr/bin/tinyproxy"), &arguments);
    let _tinyproxy = peer.accepts((LOOPBACK, proxy).into());
    let [right, wrong] = ["pr0xy-word", "other"].map(|word| {
        let path = folder.path().join(word);
        fs::write(&path, word).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("private");
        format!("proxy_user = 'noctty'\nproxy_password = {{ file = '{}' }}", path.display())
    });
    for url in [format!("http://127.0.0.1:{plain}/"), format!("https://127.0.0.1:{whole}/")] {
        let web = async |who: &str| {
            let options = format!("url = '{url}'\nca = '{ca}'\nproxy = 'http://127.0.0.1:{proxy}'\n{who}");
            ask_patiently("http", "192.0.2.1", &options).await
        };
        let reading = web(&format!("{right}\ncontains = 'told []'")).await;
        assert_eq!(reading.outcome, Outcome::Ok, "{reading:?}");
        assert!(!format!("{reading:?}").contains("pr0xy-word"));
        for who in ["", &wrong] {
            let (outcome, line) = told(&web(who).await);
            // tinyproxy says to a wrong password what a server would say.
            let is_told = line.starts_with("the proxy: ") || line.starts_with("HTTP 401 in ");
            assert!(outcome == Outcome::Critical && is_told, "{line}");
            assert!(line.contains("407") || line.contains("401"), "{line}");
        }
    }
    let (outcome, line) = {
        let lost = "proxy_user = 'noctty'\nproxy_password = { file = '/nowhere/at/all' }";
        let options = format!("proxy = 'http://127.0.0.1:{proxy}'\n{lost}");
        told(&ask_patiently("http", "192.0.2.1", &options).await)
    };
    assert!(outcome == Outcome::Unknown && line.starts_with("the proxy's password: "), "{line}");
}

#[tokio::test]
async fn what_a_body_must_not_have_is_not_taken_as_absent_where_the_rest_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port(LOOPBACK.into());
    fs::write(folder.path().join("long"), format!("early{}late", "x".repeat(5_000))).expect("written");
    let _nginx = nginx(folder.path(), &format!("server {{ listen 127.0.0.1:{port}; }}"), port);
    let of = async |more: &str| {
        let options = format!("url = 'http://127.0.0.1:{port}/long'\n{more}");
        told(&ask_patiently("http", "127.0.0.1", &options).await)
    };
    let (outcome, line) = of("lacks = 'late'\nbody_limit = 4096").await;
    assert_eq!(outcome, Outcome::Unknown, "{line}");
    assert!(line.ends_with("\"late\" is not in its first 4.0K, and what follows is not read: `body_limit`"), "{line}");
    assert_eq!(of("lacks = 'early'\nbody_limit = 4096").await.0, Outcome::Critical);
    assert_eq!(of("lacks = 'late'").await.0, Outcome::Critical);
    assert_eq!(of("lacks = 'never'").await.0, Outcome::Ok);
}

#[tokio::test]
async fn who_speaks_first_or_not_at_all_is_no_web_server() {
    for (says, wanted) in [
        (&b"220 mail.lab.test ESMTP\r\n"[..], "what answers there does not speak HTTP: it speaks before it is asked"),
        // Before or while the question is on its way.
        (b"", "the server "),
    ] {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
        let port = listener.local_addr().expect("an address").port();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let _ = stream.write_all(says).await;
            if !says.is_empty() {
                std::future::pending::<()>().await;
            }
        });
        let (outcome, line) = told(&ask("http", "127.0.0.1", &format!("url = 'http://127.0.0.1:{port}/'")).await);
        // Whether the greeting is there before the question leaves is a matter of a moment.
        let is_late = !says.is_empty() && line.starts_with("no valid HTTP answer: ");
        assert!(outcome == Outcome::Critical && (line.starts_with(wanted) || is_late), "{line}");
        served.abort();
    }
}

/// Answers one connection with these bytes, again and again until the other side has enough.
async fn hostile(first: &'static [u8], endless: &'static [u8]) -> u16 {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        let mut request = [0u8; 1024];
        let _ = stream.read(&mut request).await;
        let mut going = stream.write_all(first).await.is_ok() && !endless.is_empty();
        while going {
            going = stream.write_all(endless).await.is_ok();
        }
    });
    port
}

#[tokio::test]
async fn hostile_servers_cost_neither_memory_nor_time() {
    let head: &[u8] = b"HTTP/1.1 200 OK\r\n";
    let cases: [(&[u8], &[u8], &str); 10] = [
        (head, b"X-More: and more and more and more\r\n", "no valid HTTP answer: "),
        (head, b"x", "no valid HTTP answer: "),
        (b"SSH-2.0-OpenSSH_9.2\r\n", b"", "no valid HTTP answer: "),
        (b"HTTP/1.1 999999 Huge\r\n\r\n", b"", "no valid HTTP answer: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", b"", "no valid HTTP answer: "),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
            b"",
            "the server ended the connection in the middle of the body",
        ),
        (b"", b"", "the server ended the connection in the middle of its answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            b"",
            "the server ended the connection in the middle of the body",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"",
            "the body is damaged: Invalid chunk size line",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", b"x", "the body is damaged: "),
    ];
    for (first, endless, wanted) in cases {
        let port = hostile(first, endless).await;
        let (outcome, line) = told(&ask("http", "127.0.0.1", &format!("url = 'http://127.0.0.1:{port}/'")).await);
        let shown = String::from_utf8_lossy(first);
        assert!(outcome == Outcome::Critical && line.starts_with(wanted), "{shown:?}: {line}");
    }
    // A body without end is read to the cap; what is in there counts.
    let port = hostile(b"HTTP/1.1 200 OK\r\n\r\nneedle", &[b'x'; 4096]).await;
    let options = format!("url = 'http://127.0.0.1:{port}/'\ncontains = 'needle'\nbody_limit = 65536");
    let (outcome, line) = told(&ask("http", "127.0.0.1", &options).await);
    assert!(outcome == Outcome::Ok && line.contains(" · 64.0K+ · "), "{line}");
    // One that resets the connection.
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        let _ = stream.read(&mut [0u8; 1]).await;
        // What it has not read makes its end a reset.
        drop(stream);
    });
    let (_, line) = told(&ask("http", "127.0.0.1", &format!("url = 'http://127.0.0.1:{port}/'")).await);
    assert_eq!(line, "the server reset the connection");
    // One that says nothing, and one that speaks no TLS.
    let silent = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let at = silent.local_addr().expect("an address").port();
    let (_, line) = told(&ask("http", "127.0.0.1", &format!("url = 'http://127.0.0.1:{at}/'")).await);
    assert_eq!(line, "connected, but no HTTP answer within 2.0 s");
    let (_, line) = told(&ask("http", "127.0.0.1", &format!("url = 'https://127.0.0.1:{at}/'")).await);
    assert_eq!(line, "no TLS handshake within 2.0 s");
    let port = hostile(b"HTTP/1.1 400 Bad Request\r\n\r\n", b"").await;
    let (_, line) = told(&ask("http", "127.0.0.1", &format!("url = 'https://127.0.0.1:{port}/'")).await);
    assert_eq!(line, "TLS handshake failed: what answers there does not speak TLS");
    let port = free_port(LOOPBACK.into());
    let (_, line) = told(&ask("http", "127.0.0.1", &format!("url = 'http://127.0.0.1:{port}/'")).await);
    assert_eq!(line, format!("connection to 127.0.0.1:{port} refused"));
}

#[tokio::test]
async fn a_server_that_drips_costs_the_timeout_and_no_more() {
    for (first, wanted) in [
        (&b"HTTP/1.1 200 OK\r\nX-Slow: "[..], "connected, but no HTTP answer within 2.0 s"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "the body did not end within 2.0 s"),
    ] {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let _ = stream.write_all(first).await;
            let mut drip = tokio::time::interval(Duration::from_millis(100));
            while stream.write_all(b"x").await.is_ok() {
                drip.tick().await;
            }
        });
        let reading = ask("http", "127.0.0.1", &format!("url = 'http://127.0.0.1:{port}/'")).await;
        assert_eq!(told(&reading), (Outcome::Critical, wanted.to_owned()));
    }
}

#[tokio::test]
async fn a_location_with_escapes_is_shown_with_them_visible() {
    let port = hostile(b"HTTP/1.1 302 Found\r\nLocation: \xff\x9b[31mred\r\nContent-Length: 0\r\n\r\n", b"").await;
    let (outcome, line) = told(&ask("http", "127.0.0.1", &format!("url = 'http://127.0.0.1:{port}/'")).await);
    let words = r"redirected to \xff\x9b[31mred, which is no web page";
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, words));
}
