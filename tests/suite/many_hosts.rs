//! Seventy hosts that are logged in to at once: one sshd, and before it a relay that listens where each of them is and lets
//! nothing through until the test says so.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use noctty::base::Clock;
use noctty::model::{Outcome, Reading};
use noctty::net::Net;
use noctty::probe::{Cx, Probe};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::agentless::{bound, links, vitals};
use super::lab::{DEADLINE, Lab};

const HOSTS: u8 = 70;
/// Log-ins that may be under way, and how long each counts.
const AT_ONCE: usize = 64;
const COUNTS: Duration = Duration::from_secs(1);

/// A look that is told at once, whatever is asked for.
const ANSWER: &str = r#"#!/bin/sh
read -r m parts
printf "%s time\n%s\n%s loadavg\n0.5 0.5 0.5 1/1 1\n%s meminfo\nMemTotal: 100 kB\nMemAvailable: 50 kB\n%s end\n" $m $(date +%s) $m $m $m
"#;

/// Listens where a host is; how many have come there.
async fn relay(
    host: u8,
    to: SocketAddr,
    gate: watch::Receiver<bool>,
    all: Arc<AtomicUsize>,
) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((format!("127.0.94.{host}"), 0)).await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let came = Arc::new(AtomicUsize::new(0));
    let here = came.clone();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            all.fetch_add(1, Ordering::SeqCst);
            here.fetch_add(1, Ordering::SeqCst);
            let mut gate = gate.clone();
            tokio::spawn(async move {
                gate.wait_for(|open| *open).await.expect("the test holds it");
                let mut far = TcpStream::connect(to).await.expect("sshd listens");
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (port, came)
}

async fn look_at_all(probes: &[Box<dyn Probe>]) -> Vec<Reading> {
    let cx = Cx { net: Net::new(Clock::start()), family: None, timeout: Duration::from_secs(100) };
    join_all(probes.iter().map(|probe| probe.run(&cx))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn seventy_hosts_are_all_watched_over_one_connection_each_and_logged_in_to_by_and_by() {
    let lab = Lab::new();
    fs::write(lab.path("answer"), ANSWER).expect("written");
    fs::set_permissions(lab.path("answer"), fs::Permissions::from_mode(0o755)).expect("made executable");
    let more = format!("ForceCommand {}\n", lab.path("answer").display());
    let server = lab.sshd("host", "127.0.94.250", &more);
    let key = fs::read_to_string(lab.path("host.pub")).expect("read");
    fs::write(lab.path(".ssh/known_hosts"), format!("lab {key}")).expect("written");
    let (open, gate) = watch::channel(false);
    let all = Arc::new(AtomicUsize::new(0));
    let to = SocketAddr::new(server.address.parse().expect("an address"), server.port);
    let (mut config, mut came) = (String::new(), Vec::new());
    for host in 1..=HOSTS {
        let (port, here) = relay(host, to, gate.clone(), all.clone()).await;
        config += &format!("Host h{host}\n HostName 127.0.94.{host}\n Port {port}\n HostKeyAlias lab\n");
        came.push(here);
    }
    lab.config(&config);
    let links = links(&lab);
    let probes: Vec<_> = (1..=HOSTS).map(|host| bound("linux", &format!("h{host}"), "", &links)).collect();
    let begun = Instant::now();
    let counted = async {
        while all.load(Ordering::SeqCst) < AT_ONCE {
            assert!(begun.elapsed() < DEADLINE, "nobody comes");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Whoever is one too many has the time to come.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let came = all.load(Ordering::SeqCst);
        // Nobody was let in yet: each second lets as many more begin.
        let may = AT_ONCE * (1 + usize::try_from(begun.elapsed().as_millis() / COUNTS.as_millis()).expect("few"));
        open.send_replace(true);
        (came, may)
    };
    let (readings, (at_once, may)) = tokio::join!(look_at_all(&probes), counted);
    assert!((AT_ONCE..=may).contains(&at_once), "{at_once} log-ins are under way, {may} may be");
    let again = look_at_all(&probes).await;
    for reading in readings.iter().chain(&again) {
        assert_ne!(reading.outcome, Outcome::Unknown, "{}", reading.summary.line());
        assert!(vitals(reading).memory.is_some(), "{}", reading.summary.line());
    }
    let connections: Vec<usize> = came.iter().map(|here| here.load(Ordering::SeqCst)).collect();
    assert_eq!(connections, [1; HOSTS as usize]);
}
