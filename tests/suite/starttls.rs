//! The `tls` check behind the commands of other protocols, against vsftpd, slapd, PostgreSQL and MariaDB, and against servers
//! that do otherwise.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use noctty::model::{Outcome, Reading};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::authority::{Authority, VALID};
use crate::directory::slapd;
use crate::peer::{Peer, free_port, until};
use crate::probes::{ask, ask_patiently, told};

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
const NAME: &str = "db.lab.test";

/// A folder with a certificate, its key, and the options that believe in who signed it.
fn certified() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Authority::root("Data Root");
    let (certificate, key) = root.issue(&[NAME], VALID);
    fs::write(folder.path().join("tls.pem"), certificate).expect("written");
    fs::write(folder.path().join("tls.key"), key).expect("written");
    fs::set_permissions(folder.path().join("tls.key"), fs::Permissions::from_mode(0o600)).expect("mode");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    let trust = format!("name = '{NAME}'\nold_versions = true\nca = '{}'", root.file(folder.path()).display());
    (folder, trust)
}

async fn behind(protocol: &str, port: u16, trust: &str) -> Reading {
    ask_patiently("tls", "127.0.0.1", &format!("port = {port}\nstarttls = '{protocol}'\n{trust}")).await
}

fn assert_good(reading: &Reading) {
    let (outcome, line) = told(reading);
    assert!(outcome == Outcome::Ok && line.starts_with("CN=db.lab.test until "), "{line}");
}

#[tokio::test]
async fn vsftpd_begins_tls() {
    let (folder, trust) = certified();
    let (port, here) = (free_port(LOOPBACK.into()), folder.path().display());
    fs::create_dir(folder.path().join("empty")).expect("made");
    let config = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nanonymous_enable=YES\nssl_enable=YES\n\
         secure_chroot_dir={here}/empty\nrsa_cert_file={here}/tls.pem\nrsa_private_key_file={here}/tls.key\n\
         seccomp_sandbox=NO\nftpd_banner=lab\n"
    );
    let file = folder.path().join("vsftpd.conf");
    fs::write(&file, config).expect("written");
    let peer = Peer::start_as_root(folder.path(), Path::new("/usr/sbin/vsftpd"), &[file.to_str().expect("plain")]);
    let _vsftpd = peer.accepts((LOOPBACK, port).into());
    assert_good(&behind("ftp", port, &trust).await);
}

#[tokio::test]
async fn slapd_begins_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Authority::root("Data Root");
    let (_slapd, port, _) = slapd(folder.path(), &root.issue(&[NAME], VALID));
    let trust = format!("name = '{NAME}'\nold_versions = true\nca = '{}'", root.file(folder.path()).display());
    assert_good(&behind("ldap", port, &trust).await);
}

/// PostgreSQL does not run as root: then it runs as the user that its package makes.
fn postgres(folder: &Path, tls: &str) -> (Peer, u16) {
    let programs = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let programs = programs.flatten().next().expect("a version of it").path().join("bin");
    let port = free_port(LOOPBACK.into());
    let data = folder.join(format!("data{port}"));
    let data = data.to_str().expect("a plain path");
    let mut lower: Vec<&str> = Vec::new();
    if rustix::process::geteuid().is_root() {
        let given = Command::new("chown").args(["-R", "postgres"]).arg(folder).status().expect("chown runs");
        assert!(given.success());
        lower.extend(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    let initdb = programs.join("initdb");
    let made = [&lower[..], &[initdb.to_str().expect("plain"), "-A", "trust", "--no-locale", "--no-sync", "-D", data]]
        .concat();
    let made =
        Command::new(made[0]).args(&made[1..]).env("LC_ALL", "C").current_dir(folder).output().expect("initdb runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let server = programs.join("postgres");
    let sockets = format!("unix_socket_directories={}", folder.display());
    let (certificate, key) =
        (format!("ssl_cert_file={}/tls.pem", folder.display()), format!("ssl_key_file={}/tls.key", folder.display()));
    let (at, tls) = (port.to_string(), format!("ssl={tls}"));
    let start = [server.to_str().expect("plain"), "-D", data, "-h", "127.0.0.1", "-p", &at, "-c", &sockets];
    let start = [&lower[..], &start, &["-c", &tls, "-c", &certificate, "-c", &key]].concat();
    let peer = Peer::start(folder, Path::new(start[0]), &start[1..]).accepts((LOOPBACK, port).into());
    until("PostgreSQL is up", || peer.log().contains("ready to accept connections"));
    (peer, port)
}

#[tokio::test]
async fn postgresql_begins_tls_or_says_that_it_has_none() {
    let (folder, trust) = certified();
    {
        let (_postgres, port) = postgres(folder.path(), "on");
        assert_good(&behind("postgres", port, &trust).await);
    }
    let (_postgres, port) = postgres(folder.path(), "off");
    let none = (Outcome::Critical, "it does not offer TLS".to_owned());
    assert_eq!(told(&behind("postgres", port, &trust).await), none);
}

#[tokio::test]
async fn mariadb_begins_tls() {
    let (folder, trust) = certified();
    let (port, here) = (free_port(LOOPBACK.into()), folder.path().display());
    fs::create_dir(folder.path().join("data")).expect("made");
    let arguments = [
        "--no-defaults".to_owned(),
        format!("--datadir={here}/data"),
        format!("--port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--socket={here}/sock"),
        format!("--pid-file={here}/pid"),
        format!("--ssl-cert={here}/tls.pem"),
        format!("--ssl-key={here}/tls.key"),
        "--skip-grant-tables".to_owned(),
        "--innodb-buffer-pool-size=8M".to_owned(),
        "--user=root".to_owned(),
    ];
    let user = if rustix::process::geteuid().is_root() { arguments.len() } else { arguments.len() - 1 };
    let arguments: Vec<&str> = arguments[..user].iter().map(String::as_str).collect();
    let peer = Peer::start(folder.path(), Path::new("/usr/sbin/mariadbd"), &arguments);
    let _mariadb = peer.accepts((LOOPBACK, port).into());
    assert_good(&behind("mysql", port, &trust).await);
}

/// Says one thing after each piece that it hears; the first before any, where `first` is said.
async fn scripted(first: &'static [u8], then: Vec<&'static [u8]>) -> u16 {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0u8; 256];
            let mut going = stream.write_all(first).await.is_ok();
            for says in &then {
                going = going && stream.read(&mut heard).await.is_ok() && stream.write_all(says).await.is_ok();
            }
            let _ = stream.read(&mut heard).await;
        }
    });
    port
}

#[tokio::test]
async fn who_does_not_begin_tls_says_which_step_it_came_to() {
    for (protocol, first, then, wanted) in [
        ("ftp", &b"220-Hello\r\nthere\r\n220 lab\r\n"[..], vec![&b"530 no TLS\r\n"[..]], "AUTH TLS: 530 no TLS"),
        ("ftp", b"421 too many\r\n", vec![], "it greets with: 421 too many"),
        ("ftp", b"SSH-2.0-x\r\n", vec![], "no FTP: SSH-2.0-x"),
        (
            "ftp",
            b"220 lab\r\n",
            vec![b"234 go\r\n250 injected\r\n"],
            "the server sends more than it was asked for before TLS begins",
        ),
        ("pop3", b"+OK lab\r\n", vec![b"+OK\r\nUIDL\r\n.\r\n", b"+OK bye\r\n"], "it does not offer STLS"),
        ("pop3", b"-ERR \x1b[31mbusy\r\n", vec![], r"it greets with: -ERR \x1b[31mbusy"),
        ("postgres", b"", vec![b"E"], "no PostgreSQL: E"),
        ("mysql", b"\x16\x00\x00\x00\xff\x6a\x04Host is not allowed", vec![], "it greets with: Host is not allowed"),
        ("mysql", b"220 mail ESMTP\r\n", vec![], "no MySQL: 220 "),
        (
            "mysql",
            b"\x15\x00\x00\x00\x0a5.1\x00\x01\x00\x00\x00saltsalt\x00\x00\x02\x08",
            vec![],
            "it does not offer TLS",
        ),
    ] {
        let port = scripted(first, then).await;
        let options = format!("port = {port}\nstarttls = '{protocol}'\nold_versions = true");
        let reading = ask("tls", "127.0.0.1", &options).await;
        assert_eq!(told(&reading), (Outcome::Critical, wanted.to_owned()), "{protocol}");
    }
    for (protocol, wanted) in [
        ("ftp", "greeting: no answer within "),
        ("pop3", "greeting: no answer within "),
        ("ldap", "StartTLS: no answer within "),
        ("postgres", "SSLRequest: no answer within "),
        ("mysql", "greeting: no answer within "),
    ] {
        let silent = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
        let port = silent.local_addr().expect("an address").port();
        let options = format!("port = {port}\nstarttls = '{protocol}'\nold_versions = true");
        let (outcome, line) = told(&ask("tls", "127.0.0.1", &options).await);
        assert!(outcome == Outcome::Critical && line.starts_with(wanted), "{protocol}: {line}");
    }
}
