//! The `smtp` and `imap` checks, and `tls` behind STARTTLS, against exim and dovecot.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use noctty::model::{Outcome, Reading};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::authority::{Authority, VALID};
use crate::peer::{Peer, free_port, until};
use crate::probes::{ask, ask_patiently, told};
use crate::web::metric;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
const NAME: &str = "mail.lab.test";

/// exim on a port without and one with TLS from the first byte. It changes to a user of its own, who must be able to
/// read and write in the folder.
pub fn exim(folder: &Path, more: &str) -> (Peer, u16, u16) {
    let (port, whole) = (free_port(LOOPBACK.into()), free_port(LOOPBACK.into()));
    let here = folder.display();
    let config = format!(
        "primary_hostname = {NAME}\nlocal_interfaces = 127.0.0.1\ndaemon_smtp_ports = {port} : {whole}\n\
         tls_on_connect_ports = {whole}\nspool_directory = {here}/spool\nlog_file_path = {here}/spool/%slog\n\
         pid_file_path = {here}/spool/exim.pid\ntls_certificate = {here}/mail.pem\ntls_privatekey = {here}/mail.key\n\
         host_lookup =\nrfc1413_query_timeout = 0s\nkeep_environment =\nsmtp_banner = {NAME} ESMTP ready\n{more}\n"
    );
    fs::create_dir(folder.join("spool")).expect("made");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("mode");
    fs::set_permissions(folder.join("spool"), fs::Permissions::from_mode(0o777)).expect("mode");
    let file = folder.join("exim.conf");
    fs::write(&file, config).expect("written");
    let arguments = ["-C", file.to_str().expect("a plain path"), "-bdf"];
    let peer = Peer::start_as_root(folder, Path::new("/usr/sbin/exim4"), &arguments);
    (peer.accepts((LOOPBACK, port).into()), port, whole)
}

/// dovecot without users: the ports of IMAP and of POP3, each without and with TLS from the first byte on.
fn dovecot(folder: &Path) -> (Peer, [u16; 4]) {
    let [port, whole, pop, pop_whole] = [(); 4].map(|()| free_port(LOOPBACK.into()));
    let here = folder.display();
    let no_chroot: String =
        ["anvil", "stats"].map(|service| format!("service {service} {{\n  chroot =\n}}\n")).concat();
    let config = format!(
        "protocols = imap pop3\nbase_dir = {here}/run\nlog_path = /dev/stderr\nlisten = 127.0.0.1\nssl = yes\n\
         ssl_cert = <{here}/mail.pem\nssl_key = <{here}/mail.key\n\
         default_internal_user = root\ndefault_internal_group = root\nlogin_greeting = lab ready\n\
         passdb {{\n  driver = static\n  args = nopassword=y\n}}\nuserdb {{\n  driver = static\n  args = uid=1 gid=1 home=/nonexistent\n}}\n\
         service imap-login {{\n  chroot =\n  inet_listener imap {{\n    port = {port}\n  }}\n  inet_listener imaps {{\n    port = {whole}\n  }}\n}}\n\
         service pop3-login {{\n  chroot =\n  inet_listener pop3 {{\n    port = {pop}\n  }}\n  inet_listener pop3s {{\n    port = {pop_whole}\n  }}\n}}\n{no_chroot}"
    );
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("mode");
    let file = folder.join("dovecot.conf");
    fs::write(&file, config).expect("written");
    let arguments = ["-F", "-c", file.to_str().expect("a plain path")];
    let peer = Peer::start_as_root(folder, Path::new("/usr/sbin/dovecot"), &arguments);
    (peer.accepts((LOOPBACK, port).into()).accepts((LOOPBACK, pop).into()), [port, whole, pop, pop_whole])
}

/// A folder with a certificate for the mail server, and the file of who signed it.
pub fn certified() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Authority::root("Mail Root");
    let (certificate, key) = root.issue(&[NAME], VALID);
    fs::write(folder.path().join("mail.pem"), certificate).expect("written");
    fs::write(folder.path().join("mail.key"), key).expect("written");
    fs::set_permissions(folder.path().join("mail.key"), fs::Permissions::from_mode(0o644)).expect("mode");
    let ca = root.file(folder.path()).display().to_string();
    (folder, ca)
}

#[tokio::test]
async fn exim_greets_offers_starttls_and_is_left_in_order() {
    let (folder, ca) = certified();
    let (_exim, port, whole) = exim(folder.path(), "tls_advertise_hosts = *\nlog_selector = +smtp_connection");
    let good = ask_patiently("smtp", "127.0.0.1", &format!("port = {port}")).await;
    let (outcome, line) = told(&good);
    assert!(outcome == Outcome::Ok && line.starts_with("220 mail.lab.test ESMTP ready · "), "{line}");
    assert!(line.ends_with(" · STARTTLS offered"), "{line}");
    assert!(metric(&good, "greeting") > 0.0 && metric(&good, "rtt") > 0.0);
    assert!(good.log[0].line().contains("8BITMIME"), "{good:?}");
    let log = || fs::read_to_string(folder.path().join("spool/mainlog")).unwrap_or_default();
    until("exim has seen us quit", || log().contains("closed by QUIT"));

    let trust = format!("name = '{NAME}'\nca = '{ca}'");
    let tls = ask_patiently("smtp", "127.0.0.1", &format!("port = {port}\nstarttls = true\n{trust}")).await;
    assert!(tls.outcome == Outcome::Ok && tls.summary.line().ends_with("STARTTLS good"), "{tls:?}");
    assert!((299.0..=300.0).contains(&metric(&tls, "days_left")), "{tls:?}");
    let tls = ask_patiently("smtp", "127.0.0.1", &format!("port = {whole}\ntls = true\n{trust}")).await;
    assert!(tls.outcome == Outcome::Ok && tls.summary.line().ends_with("TLS good"), "{tls:?}");
    assert!((299.0..=300.0).contains(&metric(&tls, "days_left")), "{tls:?}");
    let (outcome, line) =
        told(&ask_patiently("smtp", "127.0.0.1", &format!("port = {port}\nstarttls = true\nca = '{ca}'")).await);
    let wrong = "certificate CN=mail.lab.test: it is for mail.lab.test, not 127.0.0.1";
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, wrong));
    // GnuTLS takes the old versions where nobody forbids them.
    let starttls = format!("port = {port}\nstarttls = 'smtp'\n{trust}");
    let checked = told(&ask_patiently("tls", "127.0.0.1", &starttls).await);
    assert_eq!(checked, (Outcome::Warning, "accepts TLS 1.0 and TLS 1.1".to_owned()));
    let (outcome, line) = told(&ask_patiently("tls", "127.0.0.1", &format!("{starttls}\nold_versions = true")).await);
    assert!(outcome == Outcome::Ok && line.starts_with("CN=mail.lab.test until "), "{line}");
}

#[tokio::test]
async fn a_server_without_starttls_and_one_that_refuses_us() {
    let (folder, ca) = certified();
    let (_exim, port, _) = exim(folder.path(), "tls_advertise_hosts =");
    let (outcome, line) = told(&ask_patiently("smtp", "127.0.0.1", &format!("port = {port}")).await);
    assert!(outcome == Outcome::Ok && line.ends_with(" · no STARTTLS"), "{line}");
    let wanted = (Outcome::Critical, "it does not offer STARTTLS".to_owned());
    assert_eq!(told(&ask_patiently("smtp", "127.0.0.1", &format!("port = {port}\nstarttls = true")).await), wanted);
    let options = format!("port = {port}\nstarttls = 'smtp'\nca = '{ca}'");
    assert_eq!(told(&ask_patiently("tls", "127.0.0.1", &options).await), wanted);

    let (folder, _) = certified();
    let (_exim, port, _) = exim(folder.path(), "tls_advertise_hosts =\nhost_reject_connection = *");
    let (outcome, line) = told(&ask_patiently("smtp", "127.0.0.1", &format!("port = {port}")).await);
    assert!(outcome == Outcome::Critical && line.starts_with("it greets with: 554 "), "{line}");
}

#[tokio::test]
async fn dovecot_greets_and_begins_tls() {
    let (folder, ca) = certified();
    let (_dovecot, [port, whole, pop, pop_whole]) = dovecot(folder.path());
    let good = ask_patiently("imap", "127.0.0.1", &format!("port = {port}")).await;
    let (outcome, line) = told(&good);
    assert!(outcome == Outcome::Ok && line.starts_with("OK [CAPABILITY IMAP4rev1 "), "{line}");
    assert!(line.contains("lab ready · ") && line.ends_with(" · STARTTLS offered"), "{line}");
    assert!(good.log[0].line().starts_with("IMAP4REV1, "), "{good:?}");
    let trust = format!("name = '{NAME}'\nca = '{ca}'");
    for options in [format!("port = {port}\nstarttls = true"), format!("port = {whole}\ntls = true")] {
        let reading = ask_patiently("imap", "127.0.0.1", &format!("{options}\n{trust}")).await;
        assert_eq!(reading.outcome, Outcome::Ok, "{reading:?}");
    }
    for (protocol, port) in [("imap", port), ("pop3", pop)] {
        let options = format!("port = {port}\nstarttls = '{protocol}'\n{trust}");
        let checked = ask_patiently("tls", "127.0.0.1", &options).await;
        assert_eq!(checked.outcome, Outcome::Ok, "{checked:?}");
    }
    let (outcome, line) = told(&ask_patiently("pop3", "127.0.0.1", &format!("port = {pop}")).await);
    assert!(
        outcome == Outcome::Ok && line.starts_with("+OK lab ready · ") && line.ends_with(" · STLS offered"),
        "{line}"
    );
    for (options, words) in [
        (format!("port = {pop}\nstarttls = true"), " · STLS good"),
        (format!("port = {pop_whole}\ntls = true"), " · TLS good"),
    ] {
        let (outcome, line) = told(&ask_patiently("pop3", "127.0.0.1", &format!("{options}\n{trust}")).await);
        assert!(outcome == Outcome::Ok && line.ends_with(words), "{line}");
    }
}

/// Says one thing after each line that it hears, the first before any.
async fn scripted(lines: Vec<&'static [u8]>) -> u16 {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        for line in lines {
            let mut heard = [0u8; 256];
            if stream.write_all(line).await.is_err() || stream.read(&mut heard).await.is_err() {
                return;
            }
        }
    });
    port
}

async fn against(kind: &str, lines: Vec<&'static [u8]>, more: &str) -> Reading {
    let port = scripted(lines).await;
    ask(kind, "127.0.0.1", &format!("port = {port}\n{more}")).await
}

#[tokio::test]
async fn what_is_no_mail_server_or_a_bad_one_is_told() {
    for (kind, lines, more, wanted) in [
        ("smtp", vec![&b"SSH-2.0-OpenSSH_9.2\r\n"[..]], "", "no SMTP: SSH-2.0-OpenSSH_9.2"),
        ("smtp", vec![b"421 \x1b[31mbusy\r\n"], "", r"it greets with: 421 \x1b[31mbusy"),
        ("smtp", vec![b"220 a\r\n", b"502 what\r\n"], "", "EHLO: 502 what"),
        ("smtp", vec![b"220 a\r\n"], "", "EHLO: the server ended the connection"),
        ("imap", vec![b"* BYE too many\r\n"], "", "it greets with: * BYE too many"),
        ("imap", vec![b"220 mail ESMTP\r\n"], "", "no IMAP: 220 mail ESMTP"),
        ("imap", vec![b"* OK a\r\n", b"a1 BAD no\r\n"], "", "CAPABILITY: BAD no"),
        ("imap", vec![b"* OK a\r\n"], "", "CAPABILITY: the server ended the connection"),
        ("pop3", vec![b"* OK imap\r\n"], "", "no POP3: * OK imap"),
        ("pop3", vec![b"-ERR locked\r\n"], "", "it greets with: -ERR locked"),
        ("pop3", vec![b"+OK a\r\n", b"+OK\r\nSTLS\r\n.\r\n", b"-ERR no\r\n"], "starttls = true", "STLS: -ERR no"),
        // Something that was not asked for, before TLS begins (the response injection of CVE-2021-33515).
        (
            "smtp",
            vec![b"220 a\r\n", b"250-a\r\n250 STARTTLS\r\n", b"220 go\r\n250 injected\r\n"],
            "starttls = true",
            "the server sends more than it was asked for before TLS begins",
        ),
    ] {
        let reading = against(kind, lines, more).await;
        assert_eq!(told(&reading), (Outcome::Critical, wanted.to_owned()), "{kind} {wanted}");
    }
    let silent = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let port = silent.local_addr().expect("an address").port();
    let (outcome, line) = told(&ask("smtp", "127.0.0.1", &format!("port = {port}")).await);
    assert!(outcome == Outcome::Critical && line.starts_with("greeting: no answer within 2.0 s"), "{line}");
}
