//! The plain probes against real peers: the kernel's own ICMP in a network namespace, OpenSSH's server, bind9, and
//! listeners that behave as badly as they like.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use noctty::base::Clock;
use noctty::base::options::Weight;
use noctty::config::document;
use noctty::model::{Host, Origin, Outcome, Reading};
use noctty::net::Net;
use noctty::probe::{self, Cx, Probe};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::peer::{Peer, free_port, until};

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Binds a probe as the configuration would.
pub fn bound(kind: &str, address: &str, options: &str) -> Box<dyn Probe> {
    let (table, problems) = document::parse("test", options.to_owned());
    assert!(problems.is_empty(), "{problems:?}");
    let host = Arc::new(Host::new("peer", Some(address), Origin::Config));
    let kind = probe::kind(kind).expect("the kind exists");
    let mut reader = table.reader("check");
    let probe = (kind.bind)(&host, &mut reader).expect("the options fit");
    let problems = reader.finish();
    // A program that is not there is only warned about.
    assert!(problems.iter().all(|problem| problem.weight == Weight::Warning), "{problems:?}");
    probe
}

pub fn cx() -> Cx {
    Cx { net: Net::new(Clock::start()), family: None, timeout: Duration::from_secs(2) }
}

/// Binds a probe and runs it once, with as much time as a real server may need on a busy machine.
pub async fn ask_patiently(kind: &str, address: &str, options: &str) -> Reading {
    ask_within(Duration::from_secs(20), kind, address, options).await
}

pub async fn ask_within(timeout: Duration, kind: &str, address: &str, options: &str) -> Reading {
    let probe = bound(kind, address, options);
    let reading = probe.run(&Cx { timeout, ..cx() }).await;
    // What is counted may have a limit, and so has a name that is known before.
    let numbers = probe.numbers();
    for metric in numbers.iter().flat_map(|_| &reading.metrics) {
        let is_it = |number: &String| match number.strip_suffix('*') {
            Some(stem) => metric.name.starts_with(stem),
            None => **number == *metric.name,
        };
        assert!(numbers.iter().flatten().any(is_it), "{kind} does not announce {}", metric.name);
    }
    reading
}

/// Binds a probe and runs it once.
pub async fn ask(kind: &str, address: &str, options: &str) -> Reading {
    ask_within(cx().timeout, kind, address, options).await
}

pub fn told(reading: &Reading) -> (Outcome, String) {
    (reading.outcome, reading.summary.line())
}

/// Accepts one connection, writes `greeting`, and reads until the other side ends.
async fn greeter(greeting: &'static [u8]) -> (u16, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        stream.write_all(greeting).await.expect("written");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.expect("an orderly end, no reset");
        heard
    });
    (port, served)
}

#[tokio::test]
async fn an_open_port_is_ok_and_hears_nothing_from_us() {
    let (port, served) = greeter(b"").await;
    let reading = ask("tcp", "127.0.0.1", &format!("port = {port}")).await;
    assert_eq!(reading.outcome, Outcome::Ok);
    assert!(reading.summary.line().starts_with(&format!("port {port} open, ")), "{reading:?}");
    assert!(reading.metrics.iter().any(|m| &*m.name == "rtt" && m.value > 0.0));
    assert_eq!(served.await.expect("served"), b"");
}

#[tokio::test]
async fn a_refused_connection_names_address_and_port() {
    let port = free_port(LOOPBACK.into());
    let reading = ask("tcp", "127.0.0.1", &format!("port = {port}")).await;
    assert_eq!(told(&reading), (Outcome::Critical, format!("connection to 127.0.0.1:{port} refused")));
}

#[tokio::test]
async fn a_greeting_is_shown_with_its_escapes_made_visible() {
    let (port, served) = greeter(b"220 mail \x1b[31mready\r\nmore\r\n").await;
    let reading = ask("tcp", "127.0.0.1", &format!("port = {port}\nbanner = true")).await;
    assert_eq!(reading.outcome, Outcome::Ok);
    assert!(reading.summary.line().ends_with(r" · 220 mail \x1b[31mready"), "{}", reading.summary.line());
    assert_eq!(served.await.expect("served"), b"");
}

#[tokio::test]
async fn a_greeting_without_an_end_of_line_is_shown_and_none_is_a_warning() {
    for (greeting, wanted) in [
        (&b"login: "[..], " · login:"),
        (b"\x4a\x00\x00\x00\x0a5.7.1\x00\xff", " · J␀␀␀"),
        (&[b'x'; 16_000], &*format!(" · {}", "x".repeat(255))),
    ] {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
        let port = listener.local_addr().expect("an address").port();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let _ = stream.write_all(greeting).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let reading = ask("tcp", "127.0.0.1", &format!("port = {port}\nbanner = true")).await;
        let (outcome, line) = told(&reading);
        assert!(outcome == Outcome::Ok && line.contains(wanted), "{line}");
        served.abort();
    }
    let (port, _served) = greeter(b"").await;
    let (outcome, line) = told(&ask("tcp", "127.0.0.1", &format!("port = {port}\nbanner = true")).await);
    assert!(outcome == Outcome::Warning && line.ends_with(", but it greets with nothing"), "{line}");
}

/// Answers each line that it hears with what `answer` makes of it, in two pieces.
async fn talker(answer: fn(&[u8]) -> &'static [u8]) -> u16 {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0u8; 256];
            while let Ok(length @ 1..) = stream.read(&mut heard).await {
                let says = answer(&heard[..length]);
                let (first, rest) = says.split_at(says.len() / 2);
                if stream.write_all(first).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
                if stream.write_all(rest).await.is_err() {
                    break;
                }
            }
        }
    });
    port
}

#[tokio::test]
async fn what_a_service_answers_is_held_against_what_is_expected() {
    let port = talker(|heard| if heard == b"PING\r\n" { b"+PONG\r\n" } else { b"-NOAUTH \x1b[31mno\r\n" }).await;
    let tcp = async |options: &str| ask("tcp", "127.0.0.1", &format!("port = {port}\n{options}")).await;
    let good = tcp("send = \"PING\\r\\n\"\nexpect = '^\\+PONG'").await;
    let (outcome, line) = told(&good);
    assert!(outcome == Outcome::Ok && line.ends_with(" · +PONG"), "{line}");
    assert!(good.metrics.iter().any(|m| &*m.name == "answer" && m.value >= 0.02), "{good:?}");
    let (outcome, line) = told(&tcp("send = 'INFO'\nexpect = '^\\+PONG'").await);
    let wanted = r", but it says -NOAUTH \x1b[31mno, which does not match /^\+PONG/";
    assert!(outcome == Outcome::Critical && line.ends_with(wanted), "{line}");
    let (outcome, line) = told(&tcp("expect = 'x'").await);
    assert!(outcome == Outcome::Critical && line.contains(", but it says nothing"), "{line}");
    assert!(line.ends_with("; expected /x/"), "{line}");
}

#[tokio::test]
async fn a_port_that_must_be_closed_is_good_when_nobody_accepts() {
    let (port, _served) = greeter(b"").await;
    let closed = async |port: u16| told(&ask("tcp", "127.0.0.1", &format!("port = {port}\nclosed = true")).await);
    assert_eq!(closed(port).await, (Outcome::Critical, format!("port {port} is open, and should be closed")));
    let free = free_port(LOOPBACK.into());
    let words = format!("port {free} is closed: connection to 127.0.0.1:{free} refused");
    assert_eq!(closed(free).await, (Outcome::Ok, words));
    let probe = bound("tcp", "127.0.0.1", "port = 23\nclosed = true");
    assert!(!probe.speaks_for_host(), "who is not there has no open port either");
}

#[tokio::test]
async fn what_an_ssh_server_says_in_place_of_its_version_is_shown() {
    let (port, _served) = greeter(b"Exceeded MaxStartups\r\n").await;
    let (outcome, line) = told(&ask("ssh", "127.0.0.1", &format!("port = {port}")).await);
    let wanted = ", but no SSH version line came: it says Exceeded MaxStartups";
    assert!(outcome == Outcome::Warning && line.ends_with(wanted), "{line}");
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let turning_away = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"Not allowed at this time\r\n").await.expect("written");
            stream.shutdown().await.expect("ended");
            // It may be gone at once.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    for (kind, options) in [("ssh-key", format!("port = {port}")), ("linux", format!("target = 'x@127.0.0.1:{port}'"))]
    {
        let (outcome, line) = told(&ask_patiently(kind, "127.0.0.1", &options).await);
        assert!(outcome == Outcome::Critical && line.ends_with("; it says Not allowed at this time"), "{kind}: {line}");
    }
    turning_away.abort();
}

#[tokio::test]
async fn why_no_version_of_ssh_came_is_said_and_version_1_is_no_good() {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let closing = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let (outcome, line) = told(&ask("ssh", "127.0.0.1", &format!("port = {port}")).await);
    let wanted = ", but no SSH version line came: it ended the connection";
    assert!(outcome == Outcome::Warning && line.ends_with(wanted), "{line}");
    let (outcome, line) = told(&ask("tcp", "127.0.0.1", &format!("port = {port}\nbanner = true")).await);
    let wanted = ", but it greets with nothing: it ended the connection";
    assert!(outcome == Outcome::Warning && line.ends_with(wanted), "{line}");
    closing.abort();
    for (greeting, outcome, wanted) in [
        (&b"SSH-1.5-Old\n"[..], Outcome::Warning, "SSH-1.5-Old: it does not speak SSH 2.0"),
        (b"SSH-1.99-Cisco-1.25\n", Outcome::Ok, "SSH-1.99-Cisco-1.25"),
    ] {
        let (port, _served) = greeter(greeting).await;
        let (found, line) = told(&ask("ssh", "127.0.0.1", &format!("port = {port}")).await);
        assert!(found == outcome && line.ends_with(wanted), "{line}");
    }
}

#[tokio::test]
async fn what_a_name_server_sends_in_place_of_an_answer_is_said() {
    /// Where the first bit says that it is an answer.
    const ANSWER: usize = 2;
    // The bytes of the question that are turned over, how many are sent, and what is said to that.
    let cases: [(&'static [usize], usize, &str); 4] = [
        (&[0, ANSWER], 512, "its number is another"),
        (&[ANSWER, 13], 512, "it is about another name or type"),
        (&[ANSWER], 7, "it cannot be read"),
        (&[], 512, "it is a question"),
    ];
    for (turned, most, wanted) in cases {
        let socket = tokio::net::UdpSocket::bind((LOOPBACK, 0)).await.expect("bound");
        let port = socket.local_addr().expect("an address").port();
        let served = tokio::spawn(async move {
            let mut buffer = [0u8; 512];
            let (length, from) = socket.recv_from(&mut buffer).await.expect("asked");
            for at in turned {
                buffer[*at] ^= if *at == ANSWER { 0x80 } else { 1 };
            }
            socket.send_to(&buffer[..length.min(most)], from).await.expect("sent");
            std::future::pending::<()>().await;
        });
        let options = format!("name = 'www.lab.test'\nport = {port}");
        let (outcome, line) = told(&ask_within(Duration::from_millis(700), "dns", "127.0.0.1", &options).await);
        assert!(outcome == Outcome::Critical && line.ends_with(&format!("; what came is none: {wanted}")), "{line}");
        served.abort();
    }
}

#[tokio::test]
async fn lines_before_the_version_line_are_skipped_but_not_for_ever() {
    let (port, served) = greeter(b"welcome\r\nbe nice\r\nSSH-2.0-Other_1.0 box\r\n").await;
    let reading = ask("ssh", "127.0.0.1", &format!("port = {port}")).await;
    assert_eq!(told(&reading), (Outcome::Ok, "SSH-2.0-Other_1.0 box".to_owned()));
    assert_eq!(served.await.expect("served"), b"");

    let (port, served) = greeter(&[b'\n'; 4_000]).await;
    let reading = ask("ssh", "127.0.0.1", &format!("port = {port}")).await;
    assert_eq!(reading.outcome, Outcome::Warning, "{reading:?}");
    drop(served);
}

#[tokio::test]
async fn openssh_is_known_by_its_version_line_and_sees_an_orderly_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sshd, port) = sshd(folder.path());
    let reading = ask("ssh", "127.0.0.1", &format!("port = {port}")).await;
    let (outcome, line) = told(&reading);
    assert_eq!(outcome, Outcome::Ok);
    assert!(line.starts_with("SSH-2.0-OpenSSH_") && line.ends_with("probed"), "{line}");
    until("the server has seen us leave", || sshd.log().contains("Connection closed"));
    assert!(!sshd.log().contains("reset"), "{}", sshd.log());
}

/// OpenSSH's server in the foreground with a host key of its own.
pub fn sshd(folder: &Path) -> (Peer, u16) {
    // The privilege separation folder that the service's start script would make.
    if rustix::process::geteuid().is_root() {
        fs::create_dir_all("/run/sshd").expect("/run/sshd can be made");
    }
    let key = folder.join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(made.expect("ssh-keygen runs").success());
    let port = free_port(LOOPBACK.into());
    let config = folder.join("sshd_config");
    let text = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {}\nPidFile none\nUsePAM no\nVersionAddendum probed\nLogLevel VERBOSE\n",
        key.display()
    );
    fs::write(&config, text).expect("written");
    let arguments = ["-D", "-e", "-f", config.to_str().expect("a plain path")];
    // The look for a listener is a connection too; it is not the one that is tested.
    (Peer::start(folder, Path::new("/usr/sbin/sshd"), &arguments).accepts((LOOPBACK, port).into()), port)
}

#[tokio::test]
async fn bind9_answers_and_its_refusals_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_named, port) = named(folder.path());
    let dns = async |options: &str| {
        let reading = ask("dns", "127.0.0.1", &format!("port = {port}\n{options}")).await;
        (reading.outcome, reading.summary.line())
    };
    let (outcome, line) = dns("name = 'sw1.lab.test'").await;
    assert!(outcome == Outcome::Ok && line.starts_with("sw1.lab.test A = 127.0.0.11 · "), "{line}");
    let (outcome, line) = dns("name = 'sw1.lab.test'\nexpect = '127.0.0.12'").await;
    assert_eq!((outcome, &*line), (Outcome::Critical, "sw1.lab.test A is 127.0.0.11, not 127.0.0.12"));
    let (outcome, line) = dns("name = '11.0.0.127.in-addr.arpa'\ntype = 'ptr'\nexpect = 'sw1.lab.test'").await;
    assert!(outcome == Outcome::Ok && line.contains("= sw1.lab.test."), "{line}");
    let at = format!("127.0.0.1:{port}");
    for (options, expected) in [
        ("name = 'gone.lab.test'", format!("{at} answers NXDOMAIN for gone.lab.test")),
        ("name = 'a.broken.test'", format!("{at} answers SERVFAIL for a.broken.test")),
        ("name = 'www.example.net'", format!("{at} answers REFUSED for www.example.net")),
        ("name = 'sw1.lab.test'\ntype = 'AAAA'", format!("{at} has no AAAA record for sw1.lab.test")),
    ] {
        assert_eq!(dns(options).await, (Outcome::Critical, expected));
    }
    let (outcome, line) = dns("name = 'gone.lab.test'\nany_answer = true").await;
    assert!(outcome == Outcome::Ok && line.contains("NXDOMAIN"), "{line}");
    // More than fits into one datagram: the same answer comes over TCP.
    let (outcome, line) = dns("name = 'many.lab.test'\ntype = 'TXT'\nexpect = 'record 99'").await;
    assert_eq!(outcome, Outcome::Ok, "{line}");
    for options in [
        "name = 'sw1.lab.test'\ntransport = 'tcp'\nexpect = '127.0.0.11'",
        "name = 'lab.test'\ntype = 'MX'\nexpect = '10 MAIL.lab.test'",
        "name = '_ldap._tcp.lab.test'\ntype = 'srv'\nexpect = '0 5 389 dc1.lab.test'",
        "name = 'lab.test'\ntype = 'CAA'\nexpect = '0 issue \"ca.lab.test\"'",
        "name = '127.0.0.11'\ntype = 'PTR'\nexpect = 'sw1.lab.test'",
    ] {
        let (outcome, line) = dns(options).await;
        assert_eq!(outcome, Outcome::Ok, "{options}: {line}");
    }
    for (options, expected) in [
        ("name = 'www.sub.lab.test'", format!("{at} does not serve www.sub.lab.test: it refers to ns.sub.lab.test")),
        (
            "name = 'web.lab.test'\ntype = 'AAAA'",
            format!("{at} has no AAAA record for web.lab.test, an alias of sw1.lab.test"),
        ),
    ] {
        assert_eq!(dns(options).await, (Outcome::Critical, expected));
    }
    let (outcome, line) = dns("name = 'www.sub.lab.test'\nany_answer = true").await;
    assert!(outcome == Outcome::Ok && line.starts_with("answers: 127."), "{line}");
}

#[tokio::test]
async fn an_answer_that_is_truncated_and_cannot_be_had_over_tcp_says_both() {
    let server = tokio::net::UdpSocket::bind((LOOPBACK, 0)).await.expect("bound");
    let at = server.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut packet = [0u8; 512];
        while let Ok((length, from)) = server.recv_from(&mut packet).await {
            packet[2] |= 0x82;
            server.send_to(&packet[..length], from).await.expect("sent");
        }
    });
    let reading = ask("dns", "127.0.0.1", &format!("port = {}\nname = 'a.test'", at.port())).await;
    let words = format!("{at}: the answer is truncated, and over TCP: connection to {at} refused");
    assert_eq!(told(&reading), (Outcome::Critical, words));
    let options = format!("port = {}\nname = 'a.test'\ntransport = 'tcp'", at.port());
    let words = format!("{at}: connection to {at} refused");
    assert_eq!(told(&ask("dns", "127.0.0.1", &options).await), (Outcome::Critical, words));
}

#[tokio::test]
async fn a_name_server_that_says_nothing_is_no_answer_in_time() {
    let silent = tokio::net::UdpSocket::bind((LOOPBACK, 0)).await.expect("bound");
    let at = silent.local_addr().expect("an address");
    // Names that a resolver library answers without asking are asked all the same.
    for name in ["a.test", "localhost", "1.0.0.127.in-addr.arpa"] {
        let reading = ask("dns", "127.0.0.1", &format!("port = {}\nname = '{name}'", at.port())).await;
        assert_eq!(told(&reading), (Outcome::Critical, format!("no answer from {at} within 2.0 s")), "{name}");
    }
    drop(silent);
    let reading = ask("dns", "127.0.0.1", &format!("port = {}", at.port())).await;
    assert_eq!(told(&reading), (Outcome::Critical, format!("{at}: nothing listens on this port")));
}

#[tokio::test]
async fn an_answer_to_another_question_is_no_answer() {
    let liar = tokio::net::UdpSocket::bind((LOOPBACK, 0)).await.expect("bound");
    let port = liar.local_addr().expect("an address").port();
    let lying = tokio::spawn(async move {
        let mut packet = [0u8; 512];
        let (length, from) = liar.recv_from(&mut packet).await.expect("asked");
        packet[2] |= 0x80;
        // Once with another number, once about another name (`b.test`).
        for change in [1, 13] {
            let mut lie = packet;
            lie[change] ^= 3;
            liar.send_to(&lie[..length], from).await.expect("sent");
        }
        // Then the truth, such as it is: SERVFAIL.
        packet[3] |= 2;
        liar.send_to(&packet[..length], from).await.expect("sent");
    });
    let reading = ask("dns", "127.0.0.1", &format!("port = {port}\nname = 'a.test'")).await;
    assert_eq!(told(&reading), (Outcome::Critical, format!("127.0.0.1:{port} answers SERVFAIL for a.test")));
    lying.await.expect("served");
}

/// bind9 with a zone of its own, one that it cannot load, and none else.
fn named(folder: &Path) -> (Peer, u16) {
    let port = free_port(LOOPBACK.into());
    let here = folder.display();
    let config = format!(
        "options {{ directory \"{here}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n\
         pid-file none; session-keyfile none; recursion no; dnssec-validation no; managed-keys-directory \"{here}\"; }};\n\
         controls {{ }};\n\
         zone \"lab.test\" {{ type primary; file \"lab.zone\"; }};\n\
         zone \"0.0.127.in-addr.arpa\" {{ type primary; file \"reverse.zone\"; }};\n\
         zone \"broken.test\" {{ type primary; file \"missing.zone\"; }};\n"
    );
    let mut zone =
        "$TTL 60\n@ SOA ns hostmaster 1 60 30 3600 60\n@ NS ns\nns A 127.0.0.1\nsw1 A 127.0.0.11\nweb CNAME sw1\n\
         sub NS ns.sub\nns.sub A 127.0.0.99\n@ MX 10 mail\n@ CAA 0 issue \"ca.lab.test\"\n_ldap._tcp SRV 0 5 389 dc1\n"
            .to_owned();
    for number in 0..100 {
        zone.push_str(&format!("many TXT \"record {number}\"\n"));
    }
    let reverse = "$TTL 60\n@ SOA ns.lab.test. h.lab.test. 1 60 30 3600 60\n@ NS ns.lab.test.\n11 PTR sw1.lab.test.\n";
    for (name, text) in [("named.conf", &*config), ("lab.zone", &*zone), ("reverse.zone", reverse)] {
        fs::write(folder.join(name), text).expect("written");
    }
    // A copy: where AppArmor confines the installed program by its path, it may not read a test's folder.
    let program = folder.join("named");
    fs::copy("/usr/sbin/named", &program).expect("bind9 is installed");
    let conf = folder.join("named.conf");
    let arguments = ["-g", "-c", conf.to_str().expect("a plain path")];
    let named = Peer::start(folder, &program, &arguments).accepts((LOOPBACK, port).into());
    until("bind9 has loaded its zones", || named.log().contains("all zones loaded"));
    assert!(named.log().contains("lab.test/IN: loaded serial 1"), "{}", named.log());
    (named, port)
}

#[tokio::test]
async fn this_machine_has_load_memory_and_an_uptime() {
    let reading = ask("local", "127.0.0.1", "").await;
    for name in ["load1", "memory", "uptime"] {
        let metric = reading.metrics.iter().find(|m| &*m.name == name).unwrap_or_else(|| panic!("no {name}"));
        assert!(metric.value.is_finite() && metric.value >= 0.0, "{metric:?}");
    }
    assert_ne!(reading.outcome, Outcome::Unknown, "{}", reading.summary.line());
}

/// What `noctty check` says inside a network namespace that the script builds.
struct Namespace {
    folder: tempfile::TempDir,
    script: PathBuf,
}

/// Two namespaces joined by a cable; the far one routes to a network that it cannot reach. `ask NAME` prints one
/// line with what `noctty check --json` said; `unprivileged` takes away raw sockets. Nobody may open ping sockets in a
/// new namespace until `permit`.
const LAB: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
set -eu
ip link set lo up
unshare --net -- sleep 300 &
far=$!
trap 'kill $far' EXIT
tries=0
while [ "$(readlink /proc/$far/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do
    tries=$((tries + 1)); [ $tries -lt 500 ]; sleep 0.02
done
there() { nsenter --target $far --net -- "$@"; }
ip link add near type veth peer name far
ip link set far netns $far
ip addr add 10.9.0.1/24 dev near; ip link set near up
there ip addr add 10.9.0.2/24 dev far; there ip link set far up
there sysctl -qw net.ipv4.ip_forward=1
there ip route add unreachable 10.8.0.0/24
ip route add 10.8.0.0/24 via 10.9.0.2
permit() { sysctl -qw net.ipv4.ping_group_range="0 0"; }
ask() { echo "$1"; shift; "$@" "$NOCTTY" --config lab.toml --state state check --json | tr -d '\n' || true; echo; }
unprivileged() { setpriv --bounding-set=-net_raw --inh-caps=-net_raw -- "$@"; }
"#;

const LAB_HOSTS: &str = r#"
host = [
    { name = "peer", address = "10.9.0.2", checks = [{ kind = "icmp", timeout = "1s", attempts = 1 }] },
    { name = "behind", address = "10.8.0.7", checks = [{ kind = "icmp", timeout = "1s", attempts = 1 }] },
    { name = "nowhere", address = "10.7.0.7", checks = [{ kind = "icmp", timeout = "1s", attempts = 1 }] },
    { name = "v6", address = "::1", checks = [{ kind = "icmp", timeout = "1s", attempts = 1, count = 3, size = 1400 }] },
]
"#;

impl Namespace {
    fn new(steps: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("lab.sh");
        fs::write(&script, format!("{LAB}{steps}")).expect("written");
        fs::write(folder.path().join("lab.toml"), LAB_HOSTS).expect("written");
        Self { folder, script }
    }

    /// Each `ask` with its answer, in order.
    fn run(&self) -> Vec<(String, Value)> {
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let output = command
            .args(["--net", "--", "bash"])
            .arg(&self.script)
            .current_dir(self.folder.path())
            .env("NOCTTY", env!("CARGO_BIN_EXE_noctty"))
            .env("HOME", self.folder.path())
            .output()
            .expect("unshare runs");
        let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "the lab: {errors}\n{text}");
        let lines: Vec<&str> = text.lines().collect();
        let parse = |json: &str| serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {json}\n{errors}"));
        lines.chunks(2).map(|pair| (pair[0].to_owned(), parse(pair[1]))).collect()
    }
}

/// State and summary of a host's one check.
fn check<'a>(answer: &'a Value, host: &str) -> (&'a str, &'a str) {
    let hosts = answer["hosts"].as_array().expect("hosts");
    let found = hosts.iter().find(|h| h["name"] == host).unwrap_or_else(|| panic!("no {host} in {answer}"));
    let check = &found["checks"][0];
    (check["outcome"].as_str().expect("an outcome"), check["summary"].as_str().expect("a summary"))
}

#[test]
fn echoes_are_answered_refused_or_lost_on_either_kind_of_socket() {
    let lab = Namespace::new(
        "ask raw env\n\
         there ip link set far down; ask 'raw, link down' env; there ip link set far up\n\
         ip neigh flush dev near; permit\n\
         ask datagram unprivileged\n\
         there ip link set far down; ask 'datagram, link down' unprivileged\n",
    );
    let answers = lab.run();
    assert_eq!(answers.len(), 4);
    for (name, answer) in &answers {
        let (outcome, summary) = check(answer, "peer");
        let (refused, refusal) = check(answer, "behind");
        assert_eq!(refused, "critical", "{name}: {refusal}");
        if name.ends_with("link down") {
            assert_eq!(outcome, "critical", "{name}: {summary}");
        } else {
            assert_eq!(outcome, "ok", "{name}: {summary}");
            assert_eq!(refusal, "host unreachable, says 10.9.0.2", "{name}");
        }
        let (outcome, summary) = check(answer, "nowhere");
        assert_eq!(outcome, "critical", "{name}");
        assert!(summary.starts_with("cannot send to 10.7.0.7: Network is unreachable"), "{name}: {summary}");
        assert_eq!(check(answer, "v6").0, "ok", "{name}: {}", check(answer, "v6").1);
    }
}

#[test]
fn without_permission_tcp_stands_in_and_nothing_is_down_for_it() {
    let lab = Namespace::new(
        "ask up unprivileged\n\
         there ip link set far down\n\
         ask down unprivileged\n",
    );
    let answers = lab.run();
    let (outcome, summary) = check(&answers[0].1, "peer");
    assert_eq!(outcome, "ok", "{summary}");
    assert!(summary.contains("refuses, no ICMP permission"), "{summary}");
    for (name, answer) in &answers {
        for host in ["peer", "behind", "nowhere"] {
            if (name.as_str(), host) != ("up", "peer") {
                assert_eq!(check(answer, host), ("unknown", "no ICMP permission, no TCP answer"), "{name} {host}");
            }
        }
    }
}

#[tokio::test]
async fn a_missing_name_is_unknown_and_says_that_it_is_the_name() {
    let reading = ask("tcp", "no-such-host.invalid", "port = 22").await;
    let (outcome, line) = told(&reading);
    assert_eq!(outcome, Outcome::Unknown);
    assert!(line.starts_with("name not resolved: no-such-host.invalid: "), "{line}");
}

#[test]
fn thousands_of_hosts_share_one_socket() {
    let mut hosts = String::new();
    for n in 0..3_000u16 {
        let [high, low] = n.to_be_bytes();
        hosts.push_str(&format!("[[host]]\nname = \"h{n}\"\naddress = \"127.77.{high}.{low}\"\nchecks = [\"icmp\"]\n"));
    }
    let lab = Namespace::new("permit; ulimit -n 64; ask all unprivileged\n");
    fs::write(lab.folder.path().join("lab.toml"), hosts).expect("written");
    let answers = lab.run();
    assert_eq!(answers[0].1["summary"]["ok"], 3_000, "{}", answers[0].1["summary"]);
}
