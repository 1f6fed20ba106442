//! The `tls` check against nginx with certificates of all kinds and with old versions of TLS.

use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use noctty::model::Outcome;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::authority::{Authority, EXPIRED, VALID, self_signed};
use crate::lab::run;
use crate::peer::free_port;
use crate::probes::{ask_patiently as ask, told};
use crate::web::{log, metric, nginx, presenting, presenting_with};

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
const NAME: &str = "www.lab.test";

/// Digits do not matter: they are of today.
fn without_digits(line: &str) -> String {
    line.replace(|c: char| c.is_ascii_digit(), "#")
}

#[tokio::test]
async fn certificates_are_judged_by_what_is_left_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Authority::root("Lab Root");
    let short = root.below("Short Intermediate", (-10, 4));
    let (leaf, key) = short.issue(&[NAME], VALID);
    let made = [
        ("good", root.issue(&[NAME, "192.0.2.1"], VALID)),
        ("soon", root.issue(&[NAME], (-10, 5))),
        ("month", root.issue(&[NAME], (-10, 20))),
        ("hours", root.issue(&[NAME], (-10, 1))),
        ("issuer", (format!("{leaf}{}", short.pem()), key)),
        ("expired", root.issue(&["old.lab.test"], EXPIRED)),
    ];
    let ports: Vec<u16> = made.iter().map(|_| free_port(LOOPBACK.into())).collect();
    let servers: String =
        made.iter().zip(&ports).map(|((file, made), port)| presenting(folder.path(), *port, file, made)).collect();
    let _nginx = nginx(folder.path(), &servers, ports[0]);
    let ca = root.file(folder.path());
    let tls = async |port: u16, more: &str| {
        ask("tls", "127.0.0.1", &format!("port = {port}\nname = '{NAME}'\nca = '{}'\n{more}", ca.display())).await
    };

    let good = tls(ports[0], "").await;
    let (outcome, line) = told(&good);
    assert_eq!(outcome, Outcome::Ok, "{line}");
    assert_eq!(without_digits(&line), "CN=www.lab.test until ####-##-## (### d) · TLS #.#");
    assert!((299.0..=300.0).contains(&metric(&good, "days_left")), "{good:?}");
    assert!((metric(&good, "chain") - 1.0).abs() < 0.1 && metric(&good, "handshake") > 0.0);
    let lines = log(&good);
    assert!(lines[0].starts_with("TLS 1.3 TLS13_AES_"), "{lines:?}");
    assert!(lines[1].starts_with("0: CN=www.lab.test, issued by CN=Lab Root, "), "{lines:?}");
    assert!(lines[1].ends_with(", for www.lab.test, 192.0.2.1"), "{lines:?}");

    for (port, outcome, wanted) in [
        (ports[1], Outcome::Critical, "certificate expires in # d (####-##-##), CN=www.lab.test"),
        (ports[2], Outcome::Warning, "certificate expires in ## d (####-##-##), CN=www.lab.test"),
        (ports[4], Outcome::Critical, "its issuer's certificate expires in # d (####-##-##), CN=Short Intermediate"),
        (
            ports[5],
            Outcome::Critical,
            "certificate CN=old.lab.test: it expired # d ago (####-##-##); it is for old.lab.test, not www.lab.test",
        ),
    ] {
        let (found, line) = told(&tls(port, "").await);
        assert_eq!((found, without_digits(&line).as_str()), (outcome, wanted));
    }
    let (outcome, line) = told(&tls(ports[3], "").await);
    assert!(
        outcome == Outcome::Critical && line.starts_with("certificate expires in ") && line.contains(" h ("),
        "{line}"
    );
    let (outcome, line) = told(&tls(ports[5], "verify = false").await);
    let wanted = "certificate expired # d ago (####-##-##), CN=old.lab.test";
    assert_eq!((outcome, without_digits(&line).as_str()), (Outcome::Critical, wanted));
    let relaxed = told(&tls(ports[1], "warning = '3d'\ncritical = '1d'").await);
    assert_eq!(relaxed.0, Outcome::Ok, "{}", relaxed.1);
    let (outcome, line) =
        told(&ask("tls", "127.0.0.1", &format!("port = {}\nca = '{}'", ports[0], ca.display())).await);
    let wanted = "certificate CN=www.lab.test: it is for www.lab.test, 192.0.2.1, not 127.0.0.1";
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, wanted));
}

/// Certificates as no library of ours makes them: `$1` is the folder, then the bits of the root's key, those of the server's, and how the
/// root signs.
const OLD_WAYS: &str = r#"cd "$1"; bits=$2 own=$3 hash=$4
printf 'subjectAltName=DNS:www.lab.test\n' >names
openssl req -x509 -newkey rsa:$bits -nodes -sha256 -days 300 -keyout root.key -out root.pem -subj '/CN=Old Root'
openssl req -new -newkey rsa:$own -nodes -keyout leaf.key -out leaf.csr -subj '/CN=www.lab.test'
openssl x509 -req -in leaf.csr -CA root.pem -CAkey root.key -CAcreateserial -$hash -days 300 -extfile names -out leaf.pem
"#;

#[tokio::test]
async fn signatures_and_keys_of_old_ways_are_told_as_such() {
    let sha1 = "certificate CN=www.lab.test: it is signed with SHA-1, which is not trusted any more";
    let issuer =
        "certificate CN=www.lab.test: its issuer CN=Old Root has a key of 1024 bits, which is too short to be trusted";
    let own = "TLS handshake failed: the server's key has 1024 bits, which is too short to be trusted";
    for (bits, own, hash, wanted) in [
        ("2048", "2048", "sha256", None),
        ("2048", "2048", "sha1", Some(sha1)),
        ("1024", "2048", "sha256", Some(issuer)),
        ("2048", "1024", "sha256", Some(own)),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        run(Command::new("sh").args(["-ec", OLD_WAYS, "sh"]).arg(folder.path()).args([bits, own, hash]));
        let read = |file: &str| fs::read_to_string(folder.path().join(file)).expect("made");
        let made = (read("leaf.pem"), read("leaf.key"));
        let port = free_port(LOOPBACK.into());
        let server = presenting(folder.path(), port, "old", &made);
        let _nginx = nginx(folder.path(), &server, port);
        let options = format!("port = {port}\nname = '{NAME}'\nca = '{}/root.pem'", folder.path().display());
        let (outcome, line) = told(&ask("tls", "127.0.0.1", &options).await);
        let Some(wanted) = wanted else {
            assert_eq!(outcome, Outcome::Ok, "{line}");
            continue;
        };
        assert_eq!((outcome, line.as_str()), (Outcome::Critical, wanted), "{bits} {own} {hash}");
    }
}

#[tokio::test]
async fn old_versions_of_tls_are_found_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Authority::root("Lab Root");
    let made = root.issue(&[NAME], VALID);
    let all = ["TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "TLSv1.1 TLSv1.2", "TLSv1 TLSv1.1", "TLSv1.2 TLSv1.3"];
    let ports: Vec<u16> = all.iter().map(|_| free_port(LOOPBACK.into())).collect();
    let each = |(versions, port): (&&str, &u16)| presenting_with(folder.path(), *port, "old", &made, versions);
    let servers: String = all.iter().zip(&ports).map(each).collect();
    let _nginx = nginx(folder.path(), &servers, ports[0]);
    let ca = root.file(folder.path());
    let tls = async |port: u16, more: &str| {
        let options = format!("port = {port}\nname = '{NAME}'\nca = '{}'\n{more}", ca.display());
        told(&ask("tls", "127.0.0.1", &options).await)
    };
    assert_eq!(tls(ports[0], "").await, (Outcome::Warning, "accepts TLS 1.0 and TLS 1.1".to_owned()));
    assert_eq!(tls(ports[1], "").await, (Outcome::Warning, "accepts TLS 1.1".to_owned()));
    assert_eq!(tls(ports[0], "old_versions = true").await.0, Outcome::Ok);
    let nothing_newer = (Outcome::Critical, "it speaks nothing newer than TLS 1.1".to_owned());
    assert_eq!(tls(ports[2], "").await, nothing_newer);
    assert_eq!(tls(ports[3], "").await.0, Outcome::Ok);
}

#[tokio::test]
async fn a_certificate_that_was_named_needs_no_authority_and_another_one_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (made, port) = (self_signed(&[NAME], VALID), free_port(LOOPBACK.into()));
    let _nginx = nginx(folder.path(), &presenting(folder.path(), port, "own", &made), port);
    let tls = async |more: &str| ask("tls", "127.0.0.1", &format!("port = {port}\n{more}")).await;
    let named = format!("name = '{NAME}'");
    let unknown = tls(&named).await;
    assert_eq!(told(&unknown), (Outcome::Critical, "certificate CN=www.lab.test: self-signed".to_owned()));
    let line = log(&unknown).into_iter().find_map(|line| line.strip_prefix("SHA-256 ").map(str::to_owned));
    let fingerprint = line.expect("the fingerprint is in the log");
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(folder.path().join("own.pem"));
    let printed = openssl.output().expect("openssl runs").stdout;
    let printed = String::from_utf8(printed).expect("text").trim().rsplit('=').next().unwrap_or_default().to_owned();
    assert_eq!(printed.replace(':', "").to_lowercase(), fingerprint);
    for good in [&fingerprint, &printed] {
        let reading = tls(&format!("{named}\nfingerprints = ['{}', '{good}']", "0".repeat(64))).await;
        assert_eq!(reading.outcome, Outcome::Ok, "{reading:?}");
    }
    let (outcome, line) = told(&tls(&format!("{named}\nfingerprints = ['{}']", "0".repeat(64))).await);
    let wanted = "certificate CN=www.lab.test: its fingerprint is none of `fingerprints`; self-signed";
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, wanted));
    // Whoever vouches for it, it is for another name.
    let (outcome, line) = told(&tls(&format!("fingerprints = ['{fingerprint}']")).await);
    let wanted = "certificate CN=www.lab.test: it is for www.lab.test, not 127.0.0.1";
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, wanted));
}

#[tokio::test]
async fn what_is_no_tls_is_told() {
    for (greeting, wanted) in [
        (&b"220 mail.lab.test ESMTP\r\n"[..], "TLS handshake failed: what answers there does not speak TLS"),
        (b"", "TLS handshake failed: the server ended the connection"),
    ] {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut hello = [0u8; 4_096];
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut hello).await;
                let _ = stream.write_all(greeting).await;
            }
        });
        let reading = ask("tls", "127.0.0.1", &format!("port = {port}")).await;
        assert_eq!(told(&reading), (Outcome::Critical, wanted.to_owned()));
    }
    let port = free_port(LOOPBACK.into());
    let reading = ask("tls", "127.0.0.1", &format!("port = {port}")).await;
    assert_eq!(told(&reading), (Outcome::Critical, format!("connection to 127.0.0.1:{port} refused")));
}
