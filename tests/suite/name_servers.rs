//! What `dns` and `dns-serial` ask beyond one answer, against bind9 and a validating unbound.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use noctty::model::Outcome;

use crate::peer::{Peer, free_port, until};
use crate::probes::{ask_patiently as ask, told};
use crate::web::metric;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// bind9 with these zones (name and file), and no others.
fn named(folder: &Path, zones: &[(&str, &str)]) -> (Peer, u16) {
    let port = free_port(LOOPBACK.into());
    let here = folder.display();
    let mut config = format!(
        "options {{ directory \"{here}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n\
         pid-file none; session-keyfile none; recursion no; dnssec-validation no; managed-keys-directory \"{here}\"; }};\n\
         controls {{ }};\n"
    );
    for (zone, file) in zones {
        config.push_str(&format!("zone \"{zone}\" {{ type primary; file \"{file}\"; }};\n"));
    }
    fs::write(folder.join("named.conf"), config).expect("written");
    // A copy: where AppArmor confines the installed program by its path, it may not read a test's folder.
    let program = folder.join("named");
    fs::copy("/usr/sbin/named", &program).expect("bind9 is installed");
    let conf = folder.join("named.conf");
    let named = Peer::start(folder, &program, &["-g", "-c", conf.to_str().expect("a plain path")]);
    let named = named.accepts((LOOPBACK, port).into());
    until("bind9 has loaded its zones", || named.log().contains("all zones loaded"));
    (named, port)
}

fn zone(serial: u32, server: &str, web: &str) -> String {
    format!(
        "$TTL 60\n@ SOA ns hostmaster {serial} 60 30 3600 60\n@ NS {server}\nns A 127.0.0.1\nweb A {web}\nweb A 192.0.2.8\n"
    )
}

/// Signs a zone's file in place, and gives the key that vouches for it.
fn sign(folder: &Path, zone: &str, file: &str) -> String {
    let run = |program: &str, arguments: &[&str]| {
        let done =
            Command::new(program).args(arguments).current_dir(folder).output().expect("bind9-utils is installed");
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("text").trim().to_owned()
    };
    let algorithm = ["-a", "ECDSAP256SHA256"];
    let vouching = run("dnssec-keygen", &[&algorithm[..], &["-f", "KSK", zone]].concat());
    run("dnssec-keygen", &[&algorithm[..], &[zone]].concat());
    run("dnssec-signzone", &["-S", "-o", zone, "-f", file, file]);
    fs::read_to_string(folder.join(format!("{vouching}.key"))).expect("the public key")
}

/// A resolver that validates what it hears from the server on `upstream`.
fn unbound(folder: &Path, upstream: u16, zones: &[&str]) -> (Peer, u16) {
    let port = free_port(LOOPBACK.into());
    let here = folder.display();
    let mut config = format!(
        "server:\n interface: 127.0.0.1\n port: {port}\n chroot: \"\"\n username: \"\"\n directory: \"{here}\"\n pidfile: \"\"\n\
         use-syslog: no\n verbosity: 1\n ede: yes\n do-not-query-localhost: no\n do-ip6: no\n local-zone: \"test.\" nodefault\n\
         module-config: \"validator iterator\"\n trust-anchor-file: \"{here}/anchors\"\nremote-control:\n control-enable: no\n"
    );
    for zone in zones {
        config.push_str(&format!("forward-zone:\n name: \"{zone}\"\n forward-addr: 127.0.0.1@{upstream}\n"));
    }
    fs::write(folder.join("unbound.conf"), config).expect("written");
    let program = folder.join("unbound");
    fs::copy("/usr/sbin/unbound", &program).expect("unbound is installed");
    let conf = folder.join("unbound.conf");
    let unbound = Peer::start(folder, &program, &["-d", "-c", conf.to_str().expect("a plain path")]);
    (unbound.accepts((LOOPBACK, port).into()), port)
}

#[tokio::test]
async fn flags_validation_and_absence_are_judged() {
    let (near, far) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    for file in ["lab.zone", "forged.zone"] {
        fs::write(near.path().join(file), zone(1, "ns", "192.0.2.7")).expect("written");
    }
    let anchors = [sign(near.path(), "lab.test", "lab.zone"), sign(near.path(), "forged.test", "forged.zone")].concat();
    fs::write(far.path().join("anchors"), anchors).expect("written");
    // Somebody changes an address after it was signed.
    let forged = fs::read_to_string(near.path().join("forged.zone")).expect("signed").replace("192.0.2.7", "192.0.2.9");
    fs::write(near.path().join("forged.zone"), forged).expect("written");
    let (_named, port) = named(near.path(), &[("lab.test", "lab.zone"), ("forged.test", "forged.zone")]);
    let (_unbound, validating) = unbound(far.path(), port, &["lab.test", "forged.test"]);
    let dns = async |port: u16, options: &str| {
        told(&ask("dns", "127.0.0.1", &format!("port = {port}\nname = 'web.lab.test'\n{options}")).await)
    };

    let (outcome, line) = dns(validating, "dnssec = true").await;
    assert!(outcome == Outcome::Ok && line.ends_with(" · validated"), "{line}");
    let (outcome, line) = dns(port, "dnssec = true\nexact = true\nexpect = ['192.0.2.7', '192.0.2.8']").await;
    assert!(outcome == Outcome::Critical && line.ends_with(", but not validated by DNSSEC (no AD)"), "{line}");
    assert_eq!(dns(port, "authoritative = true").await.0, Outcome::Ok);
    let (outcome, line) = dns(validating, "authoritative = true").await;
    assert!(
        outcome == Outcome::Critical && line.ends_with("the server does not answer for the zone (no AA)"),
        "{line}"
    );
    // The resolver says why it does not give what was forged (RFC 8914).
    let words = format!("127.0.0.1:{validating} answers SERVFAIL for web.forged.test (DNSSEC bogus");
    let forged = format!("port = {validating}\nname = 'web.forged.test'");
    let (outcome, line) = told(&ask("dns", "127.0.0.1", &forged).await);
    assert!(outcome == Outcome::Critical && line.starts_with(&words), "{line}");

    let both = "expect = ['192.0.2.7', '192.0.2.8']";
    assert_eq!(dns(port, &format!("exact = true\n{both}")).await.0, Outcome::Ok);
    let words = "web.lab.test A has 192.0.2.8 too, which is not expected";
    assert_eq!(dns(port, "exact = true\nexpect = '192.0.2.7'").await, (Outcome::Critical, words.to_owned()));
    let (outcome, line) = dns(port, "expect = ['192.0.2.7', '192.0.2.99']").await;
    assert!(outcome == Outcome::Critical && line.ends_with(", not 192.0.2.99"), "{line}");
    let (outcome, line) = dns(port, "nxdomain = true").await;
    assert!(outcome == Outcome::Critical && line.ends_with("but it should not exist"), "{line}");
    let gone = format!("port = {port}\nname = 'gone.lab.test'\nnxdomain = true");
    let words = format!("127.0.0.1:{port} answers NXDOMAIN for gone.lab.test");
    assert_eq!(told(&ask("dns", "127.0.0.1", &gone).await), (Outcome::Ok, words));
}

#[tokio::test]
async fn several_servers_are_asked_and_compared() {
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    let contents = [zone(7, "localhost.", "192.0.2.7"), zone(7, "localhost.", "192.0.2.7"), zone(9, "ns", "192.0.2.9")];
    let mut servers = Vec::new();
    for (folder, content) in folders.iter().zip(&contents) {
        fs::write(folder.path().join("lab.zone"), content).expect("written");
        servers.push(named(folder.path(), &[("lab.test", "lab.zone")]));
    }
    let at: Vec<String> = servers.iter().map(|(_, port)| format!("127.0.0.1:{port}")).collect();
    let silent = format!("127.0.0.1:{}", free_port(LOOPBACK.into()));
    let list = |at: &[&String]| at.iter().map(|at| format!("'{at}'")).collect::<Vec<_>>().join(", ");
    let dns = async |at: &[&String]| {
        ask("dns", "127.0.0.1", &format!("name = 'web.lab.test'\nservers = [{}]", list(at))).await
    };
    let serial = async |at: &[&String]| {
        ask("dns-serial", "127.0.0.1", &format!("zone = 'lab.test'\nservers = [{}]", list(at))).await
    };

    let good = dns(&[&at[0], &at[1]]).await;
    let (outcome, line) = told(&good);
    assert!(outcome == Outcome::Ok && line.ends_with(" · 2 servers agree"), "{line}");
    assert!(metric(&good, &format!("rtt:{}", at[1])) > 0.0 && good.log.len() == 2, "{good:?}");
    let (outcome, line) = told(&dns(&[&at[0], &at[1], &at[2]]).await);
    assert!(outcome == Outcome::Warning && line.starts_with("servers disagree: "), "{line}");
    assert!(line.contains(&at[0]) && line.contains(&at[2]) && line.contains("192.0.2.9"), "{line}");
    let half = dns(&[&at[0], &silent]).await;
    let words = format!("1 of 2 servers: {silent}: {silent}: nothing listens on this port");
    assert_eq!(told(&half), (Outcome::Critical, words));

    let good = serial(&[&at[0], &at[1]]).await;
    assert_eq!(told(&good), (Outcome::Ok, "lab.test 7 on 2 servers".to_owned()));
    let behind = serial(&[&at[0], &at[1], &at[2]]).await;
    let words = format!("lab.test 9: {} has 7, 2 behind | {} has 7, 2 behind", at[0], at[1]);
    assert_eq!(told(&behind), (Outcome::Warning, words));
    assert!((metric(&behind, "behind") - 2.0).abs() < 0.1 && (metric(&behind, "serial") - 9.0).abs() < 0.1);
    let dead = told(&serial(&[&at[0], &silent]).await);
    assert_eq!(dead, (Outcome::Warning, format!("lab.test 7: {silent}: {silent}: nothing listens on this port")));
    // Who they are is asked of the host where nobody says it: here localhost.
    let found = ask("dns-serial", "127.0.0.1", &format!("zone = 'lab.test'\nport = {}", servers[0].1)).await;
    assert_eq!(told(&found), (Outcome::Ok, "lab.test 7 on 1 servers".to_owned()));
    let lame = ask("dns-serial", "127.0.0.1", &format!("zone = 'other.test'\nservers = [{}]", list(&[&at[0]]))).await;
    let words =
        format!("no server tells the serial of other.test: {at}: {at} answers REFUSED for other.test", at = at[0]);
    assert_eq!(told(&lame), (Outcome::Critical, words));
}
