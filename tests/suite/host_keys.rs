//! The `ssh-key` check against OpenSSH's server, whose keys are changed under it.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use noctty::model::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::peer::{Peer, free_port, until};
use crate::probes::{ask_patiently as ask, bound, cx, told};

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Makes a key; its public half without the comment, and its fingerprint as ssh-keygen prints it.
fn key(folder: &Path, name: &str, algorithm: &str) -> (String, String) {
    let file = folder.join(name);
    let made = Command::new("ssh-keygen").args(["-q", "-t", algorithm, "-N", "", "-f"]).arg(&file).status();
    assert!(made.expect("ssh-keygen runs").success());
    let printed = Command::new("ssh-keygen").arg("-lf").arg(&file).output().expect("ssh-keygen runs");
    let printed = String::from_utf8(printed.stdout).expect("text");
    let fingerprint = printed.split(' ').nth(1).expect("a fingerprint").to_owned();
    let public = fs::read_to_string(file.with_extension("pub")).expect("the public half");
    let public: Vec<&str> = public.split(' ').take(2).collect();
    (public.join(" "), fingerprint)
}

fn sshd(folder: &Path, port: u16, keys: &[&str]) -> Peer {
    if rustix::process::geteuid().is_root() {
        fs::create_dir_all("/run/sshd").expect("/run/sshd can be made");
    }
    let mut text = format!("ListenAddress 127.0.0.1:{port}\nPidFile none\nUsePAM no\nLogLevel VERBOSE\n");
    for key in keys {
        text.push_str(&format!("HostKey {}\n", folder.join(key).display()));
    }
    let config = folder.join("sshd_config");
    fs::write(&config, text).expect("written");
    let arguments = ["-D", "-e", "-f", config.to_str().expect("a plain path")];
    Peer::start(folder, Path::new("/usr/sbin/sshd"), &arguments).accepts((LOOPBACK, port).into())
}

#[tokio::test]
async fn a_changed_key_is_critical_with_both_fingerprints() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let (first, first_print) = key(here, "first", "ed25519");
    let (_, second_print) = key(here, "second", "ed25519");
    let (ecdsa, ecdsa_print) = key(here, "ecdsa", "ecdsa");
    let port = free_port(LOOPBACK.into());
    let known = here.join("known_hosts");
    let write = |line: String| fs::write(&known, line).expect("written");
    let options = format!("port = {port}\nknown_hosts = ['{}']", known.display());
    let check = async || told(&ask("ssh-key", "127.0.0.1", &options).await);

    let server = sshd(here, port, &["first", "ecdsa"]);
    write(format!("[127.0.0.1]:{port} {first}\n"));
    assert_eq!(check().await, (Outcome::Ok, format!("ssh-ed25519 {first_print}, known")));
    // Of several keys the one that is known is asked for.
    write(format!("[127.0.0.1]:{port} {ecdsa}\n"));
    assert_eq!(check().await, (Outcome::Ok, format!("ecdsa-sha2-nistp256 {ecdsa_print}, known")));
    write(format!("@revoked * {first}\n"));
    let place = format!("{}:1", known.display());
    let words = format!("HOST KEY REVOKED: ssh-ed25519 {first_print} is marked @revoked in {place}");
    assert_eq!(check().await, (Outcome::Critical, words));
    let by_hand = format!("port = {port}\nfingerprints = ['{second_print}', '{first_print}']");
    assert_eq!(ask("ssh-key", "127.0.0.1", &by_hand).await.outcome, Outcome::Ok);
    until("the server has seen us leave", || server.log().contains("[preauth]"));
    let log = server.log();
    assert!(!log.contains("user") && !log.contains("Accepted") && !log.contains("Failed"), "{log}");

    drop(server);
    let _server = sshd(here, port, &["second"]);
    write(format!("[127.0.0.1]:{port} {first}\n"));
    let words = format!("HOST KEY CHANGED: now ssh-ed25519 {second_print}, known ssh-ed25519 {first_print} ({place})");
    assert_eq!(check().await, (Outcome::Critical, words));
    let by_hand = format!("port = {port}\nfingerprints = ['{first_print}']");
    let words = format!("HOST KEY CHANGED: now ssh-ed25519 {second_print}, known {first_print}");
    assert_eq!(told(&ask("ssh-key", "127.0.0.1", &by_hand).await), (Outcome::Critical, words));
    // A file that cannot be read is no empty one.
    fs::remove_file(&known).expect("removed");
    fs::create_dir(&known).expect("made");
    let (outcome, line) = check().await;
    assert!(outcome == Outcome::Unknown && line.starts_with("cannot read "), "{line}");
}

#[tokio::test]
async fn a_key_that_no_file_knows_is_compared_with_the_first_and_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let (_, first_print) = key(here, "first", "ed25519");
    let (_, second_print) = key(here, "second", "ed25519");
    let port = free_port(LOOPBACK.into());
    let none = format!("port = {port}\nknown_hosts = []");
    let file = here.join("seen");
    let remembering = format!("{none}\nremember = '{}'", file.display());
    let forgetful = bound("ssh-key", "127.0.0.1", &none);
    let server = sshd(here, port, &["first"]);
    let shown = format!("ssh-ed25519 {first_print}");
    let first = told(&forgetful.run(&cx()).await);
    assert_eq!(first, (Outcome::Ok, format!("{shown}, first seen; in no known_hosts")));
    let again = told(&forgetful.run(&cx()).await);
    assert_eq!(again, (Outcome::Ok, format!("{shown}, as first seen; in no known_hosts")));
    let remembered = told(&ask("ssh-key", "127.0.0.1", &remembering).await);
    assert_eq!(remembered, (Outcome::Ok, format!("{shown}, first seen, remembered in {}", file.display())));
    let found = Command::new("ssh-keygen").args(["-F", &format!("[127.0.0.1]:{port}"), "-f"]).arg(&file).output();
    assert!(found.expect("ssh-keygen runs").status.success(), "{:?}", fs::read_to_string(&file));
    let known = told(&ask("ssh-key", "127.0.0.1", &remembering).await);
    assert_eq!(known, (Outcome::Ok, format!("{shown}, known")));

    drop(server);
    let _server = sshd(here, port, &["second"]);
    let now = format!("HOST KEY CHANGED: now ssh-ed25519 {second_print}, known {shown}");
    // As often as it is asked; and a program that was started anew knows it from its file.
    for _ in 0..2 {
        assert_eq!(told(&forgetful.run(&cx()).await), (Outcome::Critical, format!("{now} (first seen)")));
    }
    let changed = told(&ask("ssh-key", "127.0.0.1", &remembering).await);
    assert_eq!(changed, (Outcome::Critical, format!("{now} ({}:1)", file.display())));
}

#[tokio::test]
async fn what_is_no_ssh_server_has_no_key() {
    for (says, wanted) in [(&b"220 mail.lab.test ESMTP\r\n"[..], "no "), (b"", "no "), (b"SSH-2.0-x\r\n", "no ")] {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let _ = stream.write_all(says).await;
            let mut heard = [0u8; 4_096];
            let _ = stream.read(&mut heard).await;
        });
        let (outcome, line) = told(&ask("ssh-key", "127.0.0.1", &format!("port = {port}")).await);
        assert!(outcome == Outcome::Critical && line.starts_with(wanted), "{line}");
    }
}
