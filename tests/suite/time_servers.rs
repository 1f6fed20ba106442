//! The `ntp` check against chronyd, and against servers that lie.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use noctty::model::{Outcome, Reading};
use tokio::net::UdpSocket;

use crate::peer::{Peer, free_port};
use crate::probes::{ask, bound, cx, told};
use crate::web::metric;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// On a busy machine a clock seems to be off by as long as we had to wait for the processor.
const PATIENT: &str = "offset_warning = '2s'\noffset_critical = '3s'";

/// chronyd as a server that leaves this machine's clock alone.
fn chronyd(folder: &Path, more: &str) -> (Peer, u16) {
    let port = free_port(LOOPBACK.into());
    let config = format!(
        "port {port}\nbindaddress 127.0.0.1\nallow 127.0.0.0/8\ncmdport 0\npidfile {}/chronyd.pid\n{more}\n",
        folder.display()
    );
    let file = folder.join("chrony.conf");
    fs::write(&file, config).expect("written");
    let user = if rustix::process::geteuid().is_root() {
        "root".to_owned()
    } else {
        std::env::var("USER").unwrap_or_default()
    };
    let arguments = ["-x", "-d", "-U", "-u", &user, "-f", file.to_str().expect("a plain path")];
    (Peer::start(folder, Path::new("/usr/sbin/chronyd"), &arguments), port)
}

/// Asks until the server has come up.
async fn answered(port: u16, options: &str) -> Reading {
    let began = Instant::now();
    loop {
        let reading = ask("ntp", "127.0.0.1", &format!("port = {port}\n{options}")).await;
        let up = !reading.summary.line().contains("nothing listens");
        assert!(up || began.elapsed() < Duration::from_secs(30), "{reading:?}");
        if up {
            return reading;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn chronyd_is_asked_for_stratum_offset_and_distance() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_server, port) = chronyd(folder.path(), "local stratum 8");
    let good = answered(port, PATIENT).await;
    let (outcome, line) = told(&good);
    assert!(outcome == Outcome::Ok && line.starts_with("offset "), "{line}");
    assert!(line.contains(" · stratum 8 (127.127.1.1) · reach 1"), "{line}");
    // It has the same clock.
    assert!(metric(&good, "offset").abs() < 0.5 && metric(&good, "rtt") < 1.0, "{good:?}");
    assert!((metric(&good, "stratum") - 8.0).abs() < 0.1 && metric(&good, "root_dispersion") < 1.5);
    let (outcome, line) = told(&answered(port, &format!("{PATIENT}\nstratum_warning = 8")).await);
    assert_eq!(outcome, Outcome::Warning, "{line}");

    // Eight questions are remembered, those without an answer too.
    let probe = bound("ntp", "127.0.0.1", &format!("port = {port}"));
    for wanted in ["reach 1", "reach 3", "reach 7", "reach 17"] {
        let (_, line) = told(&probe.run(&cx()).await);
        assert!(line.ends_with(wanted), "{line}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_know_the_time_is_critical() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_server, port) = chronyd(folder.path(), "");
    let (outcome, line) = told(&answered(port, "").await);
    assert!(outcome == Outcome::Critical && line.starts_with("not synchronised (leap 3, stratum "), "{line}");
}

/// Answers each question after `change` has had its way with the right answer.
async fn liar(change: fn(&mut [u8; 48], &UdpSocket)) -> u16 {
    let socket = UdpSocket::bind((LOOPBACK, 0)).await.expect("bound");
    let port = socket.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut question = [0u8; 48];
        while let Ok((48, from)) = socket.recv_from(&mut question).await {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
            let seconds = u32::try_from((now.as_secs() + 2_208_988_800) & 0xffff_ffff).expect("32 bits").to_be_bytes();
            let mut answer = [0u8; 48];
            answer[..4].copy_from_slice(&[0x24, 1, 6, 0xe9]);
            answer[12..16].copy_from_slice(b"GPS\0");
            answer[24..32].copy_from_slice(&question[40..]);
            for at in [32, 40] {
                answer[at..at + 4].copy_from_slice(&seconds);
                answer[at + 4..at + 8]
                    .copy_from_slice(&((u64::from(now.subsec_nanos()) << 32) / 1_000_000_000).to_be_bytes()[4..]);
            }
            change(&mut answer, &socket);
            socket.send_to(&answer, from).await.expect("sent");
        }
    });
    port
}

/// Adds seconds to both of the server's times.
fn ahead(answer: &mut [u8; 48], seconds: i32) {
    for at in [32, 40] {
        let time = i32::from_be_bytes(answer[at..at + 4].try_into().expect("four bytes"));
        answer[at..at + 4].copy_from_slice(&time.wrapping_add(seconds).to_be_bytes());
    }
}

#[tokio::test]
async fn wrong_clocks_kisses_and_strangers_are_told_apart() {
    let lied = async |change: fn(&mut [u8; 48], &UdpSocket), options: &str| {
        let port = liar(change).await;
        let reading = ask("ntp", "127.0.0.1", &format!("port = {port}\n{options}")).await;
        let offset = reading.metrics.iter().find(|m| &*m.name == "offset").map(|m| m.value);
        (reading.outcome, reading.summary.line(), offset)
    };
    let (outcome, line, _) = lied(|_, _| {}, PATIENT).await;
    assert!(outcome == Outcome::Ok && line.contains(" · stratum 1 (GPS) · "), "{line}");
    for (change, sign, wanted) in [
        ((|answer, _| ahead(answer, 5)) as fn(&mut [u8; 48], &UdpSocket), '+', 5.0),
        (|answer, _| ahead(answer, -5), '-', -5.0),
    ] {
        let (outcome, line, offset) = lied(change, PATIENT).await;
        let told = line.starts_with(&format!("offset {sign}")) && line.contains("s from this machine · ");
        assert!(outcome == Outcome::Critical && told, "{line}");
        assert!(offset.is_some_and(|offset: f64| (offset - wanted).abs() < 1.0), "{offset:?}");
    }
    let relaxed = "offset_warning = '2s'\noffset_critical = '1m'";
    assert_eq!(lied(|answer, _| ahead(answer, 5), relaxed).await.0, Outcome::Warning);
    let (outcome, line, _) = lied(|answer, _| answer[8..12].copy_from_slice(&[0, 3, 0, 0]), PATIENT).await;
    assert!(outcome == Outcome::Warning && line.contains(" · root distance 3.0 s"), "{line}");
    let kiss = |answer: &mut [u8; 48], _: &UdpSocket| {
        answer[1] = 0;
        answer[12..16].copy_from_slice(b"RATE");
    };
    let (outcome, line, _) = lied(kiss, "").await;
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, "it refuses to tell the time: RATE (asked too often)"));
    // Whoever does not repeat the question's number has not seen it.
    let (outcome, line, _) = lied(|answer, _| answer[24] ^= 1, "").await;
    let words = "within 2.0 s; what came is none: the answer is to another question";
    assert!(
        outcome == Outcome::Critical && line.starts_with("no answer from 127.0.0.1:") && line.ends_with(words),
        "{line}"
    );
    let (outcome, line, _) = lied(|answer, _| answer[0] = 0x64, PATIENT).await;
    assert!(outcome == Outcome::Ok && line.ends_with(" · a leap second will be added"), "{line}");
}
