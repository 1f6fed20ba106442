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
    let zones = zones.iter().map(|(zone, file)| format!("zone \"{zone}\" {{ type primary; file \"{file}\"; }};\n"));
    let serving = serving(folder, &zones.collect::<String>());
    until("bind9 has loaded its zones", || serving.0.log().contains("all zones loaded"));
    serving
}

/// The same with zones as bind9's own configuration has them.
fn serving(folder: &Path, zones: &str) -> (Peer, u16) {
    let port = free_port(LOOPBACK.into());
    let here = folder.display();
    let mut config = format!(
        "options {{ directory \"{here}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n\
         pid-file none; session-keyfile none; recursion no; dnssec-validation no; managed-keys-directory \"{here}\"; }};\n\
         controls {{ }};\n"
    );
    config.push_str(zones);
    fs::write(folder.join("named.conf"), config).expect("written");
    // A copy: where AppArmor confines the installed program by its path, it may not read a test's folder.
    let program = folder.join("named");
    fs::copy("/usr/sbin/named", &program).expect("bind9 is installed");
    let conf = folder.join("named.conf");
    let named = Peer::start(folder, &program, &["-g", "-c", conf.to_str().expect("a plain path")]);
    (named.accepts((LOOPBACK, port).into()), port)
}

fn zone(serial: u32, server: &str, web: &str) -> String {
    format!(
        "$TTL 60\n@ SOA ns hostmaster {serial} 60 30 3600 60\n@ NS {server}\nns A 127.0.0.1\nweb A {web}\nweb A 192.0.2.8\n"
    )
}

/// Signs a zone's file in place, and gives the key that vouches for it. `times` is when the signatures begin and end to be good.
fn sign(folder: &Path, zone: &str, file: &str, times: &[&str]) -> String {
    let run = |program: &str, arguments: &[&str]| {
        let done =
            Command::new(program).args(arguments).current_dir(folder).output().expect("bind9-utils is installed");
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("text").trim().to_owned()
    };
    let algorithm = ["-a", "ECDSAP256SHA256"];
    let vouching = run("dnssec-keygen", &[&algorithm[..], &["-f", "KSK", zone]].concat());
    run("dnssec-keygen", &[&algorithm[..], &[zone]].concat());
    run("dnssec-signzone", &[&["-S", "-P"], times, &["-o", zone, "-f", file, file]].concat());
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
    // Signatures that are good, good and then forged, over, and not yet good; and none at all where there must be some.
    let names = ["lab", "forged", "over", "early", "bare"];
    let zones = names.map(|name| (format!("{name}.test"), format!("{name}.zone")));
    let mut anchors = String::new();
    for (name, file) in &zones {
        fs::write(near.path().join(file), zone(1, "ns", "192.0.2.7")).expect("written");
        let times: &[&str] = match name.as_str() {
            // Beyond the day that unbound forgives a clock.
            "over.test" => &["-s", "now-864000", "-e", "now-172800", "-X", "now+864000"],
            "early.test" => &["-s", "now+172800", "-e", "now+864000"],
            _ => &[],
        };
        anchors += &sign(near.path(), name, file, times);
    }
    fs::write(near.path().join("bare.zone"), zone(1, "ns", "192.0.2.7")).expect("written");
    fs::write(far.path().join("anchors"), anchors).expect("written");
    // Somebody changes an address after it was signed.
    let forged = fs::read_to_string(near.path().join("forged.zone")).expect("signed").replace("192.0.2.7", "192.0.2.9");
    fs::write(near.path().join("forged.zone"), forged).expect("written");
    let (_named, port) = named(near.path(), &zones.each_ref().map(|(name, file)| (name.as_str(), file.as_str())));
    let (_unbound, validating) = unbound(far.path(), port, &zones.each_ref().map(|(name, _)| name.as_str()));
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
    // Where the keys' own signature is no good either, it may say that of them.
    for (zone, reasons) in [
        ("forged", &["DNSSEC bogus"][..]),
        ("over", &["signature expired", "DNSSEC bogus"]),
        ("early", &["signature not yet valid", "DNSSEC bogus"]),
        ("bare", &["DNSKEY missing", "RRSIGs missing", "DNSSEC bogus"]),
    ] {
        let words = format!("127.0.0.1:{validating} answers SERVFAIL for web.{zone}.test (");
        let asked = format!("port = {validating}\nname = 'web.{zone}.test'");
        let (outcome, line) = told(&ask("dns", "127.0.0.1", &asked).await);
        let why = line.strip_prefix(&words).unwrap_or_else(|| panic!("{line}"));
        assert!(outcome == Outcome::Critical && reasons.iter().any(|reason| why.starts_with(reason)), "{line}");
    }

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
    assert_eq!(told(&found), (Outcome::Ok, "lab.test 7 on 1 server".to_owned()));
    let lame = ask("dns-serial", "127.0.0.1", &format!("zone = 'other.test'\nservers = [{}]", list(&[&at[0]]))).await;
    let words =
        format!("no server tells the serial of other.test: {at}: {at} answers REFUSED for other.test", at = at[0]);
    assert_eq!(told(&lame), (Outcome::Critical, words));
}

#[tokio::test]
async fn a_secondary_that_was_told_of_nothing_is_behind_until_it_fetches_the_zone() {
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    let master = folders[0].path().join("lab.zone");
    fs::write(&master, zone(7, "localhost.", "192.0.2.7")).expect("written");
    let own = "zone \"lab.test\" { type primary; file \"lab.zone\"; notify no; allow-transfer { any; }; };\n";
    let (first, port) = serving(folders[0].path(), own);
    // Nothing makes one of them look again while the test lasts; the other one looks each second.
    let copy = |often: &str| {
        format!(
            "zone \"lab.test\" {{ type secondary; file \"copy\"; primaries {{ 127.0.0.1 port {port}; }}; \
             masterfile-format text; transfer-source 127.0.0.1; {often} }};\n"
        )
    };
    let (seldom, eager) =
        ("min-refresh-time 3600;", "min-refresh-time 1; max-refresh-time 1; min-retry-time 1; max-retry-time 1;");
    let others = [(1, seldom), (2, eager)].map(|(at, often)| serving(folders[at].path(), &copy(often)));
    let at = [port, others[0].1, others[1].1].map(|port| format!("127.0.0.1:{port}"));
    let options = format!("zone = 'lab.test'\nservers = ['{}', '{}', '{}']", at[0], at[1], at[2]);
    let serial = async || told(&ask("dns-serial", "127.0.0.1", &options).await);
    for (other, _) in &others {
        until("it has the zone", || other.log().contains("transferred serial 7"));
    }
    assert_eq!(serial().await, (Outcome::Ok, "lab.test 7 on 3 servers".to_owned()));

    fs::write(&master, zone(12, "localhost.", "192.0.2.9")).expect("written");
    first.reload();
    until("it is loaded", || first.log().contains("loaded serial 12"));
    until("one of them has it", || others[1].0.log().contains("transferred serial 12"));
    let words = format!("lab.test 12: {} has 7, 5 behind", at[1]);
    assert_eq!(serial().await, (Outcome::Warning, words));
    let (outcome, line) = told(&ask("dns-serial", "127.0.0.1", &format!("{options}\nbehind_critical = 5")).await);
    assert_eq!(outcome, Outcome::Critical, "{line}");
    let asked = format!("name = 'web.lab.test'\nservers = ['{}', '{}']", at[1], at[2]);
    let (outcome, line) = told(&ask("dns", "127.0.0.1", &asked).await);
    assert!(outcome == Outcome::Warning && line.starts_with("servers disagree: "), "{line}");
}
