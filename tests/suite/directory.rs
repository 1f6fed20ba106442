//! The `ldap` check against OpenLDAP's slapd.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use noctty::model::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::authority::{Authority, VALID};
use crate::peer::{Peer, free_port, until};
use crate::probes::{ask_patiently as ask, told};
use crate::web::metric;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
const NAME: &str = "ldap.lab.test";

const ENTRIES: &str = "dn: dc=lab,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: lab\ndc: lab\n\n\
    dn: ou=people,dc=lab,dc=test\nobjectClass: organizationalUnit\nou: people\n\n\
    dn: uid=ann,ou=people,dc=lab,dc=test\nobjectClass: inetOrgPerson\nuid: ann\ncn: Ann (ops)\nsn: Ann\nmail: ann@lab.test\nuserPassword: pw-ann\n\n\
    dn: uid=ben,ou=people,dc=lab,dc=test\nobjectClass: inetOrgPerson\nuid: ben\ncn: Ben\nsn: Ben\nuserPassword: pw-ben\n\n\
    dn: ou=far,dc=lab,dc=test\nobjectClass: referral\nobjectClass: extensibleObject\nou: far\nref: ldap://far.lab.test/ou=far,dc=lab,dc=test\n";

/// slapd with a small directory, without and with TLS from the first byte on.
pub fn slapd(folder: &Path, certificate: &(String, String)) -> (Peer, u16, u16) {
    let (port, whole) = (free_port(LOOPBACK.into()), free_port(LOOPBACK.into()));
    let here = folder.display();
    fs::create_dir(folder.join("db")).expect("made");
    fs::write(folder.join("tls.pem"), &certificate.0).expect("written");
    fs::write(folder.join("tls.key"), &certificate.1).expect("written");
    fs::write(folder.join("entries.ldif"), ENTRIES).expect("written");
    let schemas: String =
        ["core", "cosine", "inetorgperson"].map(|name| format!("include /etc/ldap/schema/{name}.schema\n")).concat();
    let config = format!(
        "{schemas}referral ldap://elsewhere.lab.test\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {here}/slapd.pid\n\
         TLSCertificateFile {here}/tls.pem\nTLSCertificateKeyFile {here}/tls.key\n\
         database mdb\nmaxsize 10485760\nsuffix \"dc=lab,dc=test\"\ndirectory {here}/db\n\
         limits dn.exact=\"uid=ben,ou=people,dc=lab,dc=test\" size.soft=1 size.hard=1\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to dn.base=\"\" by * read\naccess to * by users read by * none\n"
    );
    let file = folder.join("slapd.conf");
    fs::write(&file, config).expect("written");
    // A copy: where AppArmor confines the installed program by its path, it may not read a test's folder.
    let program = folder.join("slapd");
    fs::copy("/usr/sbin/slapd", &program).expect("slapd is installed");
    let path = file.to_str().expect("a plain path");
    let filled = Command::new(&program).args(["-T", "add", "-f", path, "-l"]).arg(folder.join("entries.ldif")).output();
    let filled = filled.expect("slapd runs");
    assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
    let listen = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{whole}");
    let peer = Peer::start(folder, &program, &["-d", "stats", "-f", path, "-h", &listen]);
    (peer.accepts((LOOPBACK, port).into()), port, whole)
}

#[tokio::test]
async fn slapd_is_bound_to_and_searched() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Authority::root("Directory Root");
    let (slapd, port, whole) = slapd(folder.path(), &root.issue(&[NAME], VALID));
    let ca = root.file(folder.path());
    let password = folder.path().join("password");
    let write = |text: &str| {
        fs::write(&password, text).expect("written");
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("mode");
    };
    write("pw-ann\n");
    let ann = format!("bind_dn = 'uid=ann,ou=people,dc=lab,dc=test'\npassword = {{ file = '{}' }}", password.display());
    let ldap = async |port: u16, options: &str| ask("ldap", "127.0.0.1", &format!("port = {port}\n{options}")).await;

    let (outcome, line) = told(&ldap(port, "").await);
    assert!(outcome == Outcome::Ok && line.starts_with("anonymous, 1 entry in "), "{line}");
    let people = "base = 'ou=people,dc=lab,dc=test'\nscope = 'sub'\nfilter = '(objectClass=inetOrgPerson)'";
    let good = ldap(port, &format!("{ann}\n{people}\nleast = 2")).await;
    let (outcome, line) = told(&good);
    assert!(outcome == Outcome::Ok && line.starts_with("bound, 2 entries in "), "{line}");
    assert!((metric(&good, "entries") - 2.0).abs() < 0.1 && metric(&good, "bind") > 0.0 && metric(&good, "rtt") > 0.0);
    until("slapd has seen us leave", || slapd.log().contains("UNBIND"));

    for (filter, entries) in [
        ("(&(objectClass=inetOrgPerson)(!(uid=ben)))", 1),
        ("(|(uid=a*)(cn=B*n))", 2),
        ("(cn=Ann \\28ops\\29)", 1),
        ("mail=*", 1),
        ("(uid>=b)", 1),
        ("(uid=zoe)", 0),
    ] {
        let options = format!("{ann}\nbase = 'dc=lab,dc=test'\nscope = 'sub'\nfilter = '{filter}'\nleast = 0");
        let found = ldap(port, &options).await;
        // uid has no ordering rule, so a comparison by order finds nobody.
        let wanted = if filter == "(uid>=b)" { 0 } else { entries };
        assert_eq!((found.outcome, metric(&found, "entries") as i32), (Outcome::Ok, wanted), "{filter}: {found:?}");
    }
    let (outcome, line) = told(&ldap(port, &format!("{ann}\n{people}\nleast = 3")).await);
    assert!(outcome == Outcome::Critical && line.starts_with("bound, 2 entries found in "), "{line}");
    assert!(line.ends_with("; at least 3 expected"), "{line}");
    // What stands on another server is not asked there, and is said where it is missed.
    let one = ldap(port, &format!("{ann}\nbase = 'dc=lab,dc=test'\nscope = 'one'\nleast = 2")).await;
    let (outcome, line) = told(&one);
    assert!((metric(&one, "entries") - 1.0).abs() < 0.1, "{one:?}");
    assert!(outcome == Outcome::Critical && line.contains("; 1 reference elsewhere not asked; at least 2 "), "{line}");
    let (outcome, line) = told(&ldap(port, "base = 'dc=other,dc=test'").await);
    let words = "search: referral (10) to ldap://elsewhere.lab.test/dc=other,dc=test??base";
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, words));
    // A server that gives this user less than is wanted, and does not search for who asks for more.
    write("pw-ben\n");
    let ben = ann.replace("uid=ann", "uid=ben");
    let (outcome, line) = told(&ldap(port, &format!("{ben}\n{people}")).await);
    assert!(outcome == Outcome::Ok && line.starts_with("bound, 1+ entry in "), "{line}");
    let (outcome, line) = told(&ldap(port, &format!("{ben}\n{people}\nleast = 2")).await);
    let words = "bound, the server gives no more than 1 entry (sizeLimitExceeded); at least 2 expected";
    assert_eq!((outcome, line.as_str()), (Outcome::Unknown, words));
    write("pw-ann\n");
    let (outcome, line) = told(&ldap(port, &format!("{ann}\nbase = 'ou=gone,dc=lab,dc=test'")).await);
    assert_eq!((outcome, line.as_str()), (Outcome::Critical, "search: noSuchObject (32)"));

    let trust = format!("name = '{NAME}'\nca = '{}'", ca.display());
    for (port, how) in [(port, "starttls = true"), (whole, "tls = true")] {
        let reading = ldap(port, &format!("{how}\n{trust}\n{ann}\n{people}")).await;
        assert_eq!(reading.outcome, Outcome::Ok, "{how}: {reading:?}");
        assert!((299.0..=300.0).contains(&metric(&reading, "days_left")), "{reading:?}");
        let (outcome, line) = told(&ldap(port, &format!("{how}\nca = '{}'\n{ann}", ca.display())).await);
        let wanted = "certificate CN=ldap.lab.test: it is for ldap.lab.test, not 127.0.0.1";
        assert_eq!((outcome, line.as_str()), (Outcome::Critical, wanted), "{how}");
    }

    write("wrong-canary\n");
    let refused = ldap(port, &ann).await;
    assert_eq!(told(&refused), (Outcome::Critical, "bind: invalidCredentials (49)".to_owned()));
    assert!(!format!("{refused:?}").contains("canary"));
}

#[tokio::test]
async fn what_is_no_directory_is_told() {
    for (says, wanted) in [
        (&b"220 mail.lab.test ESMTP\r\n"[..], "what answers there does not speak LDAP: expected tag 0x30, found 0x32"),
        (b"", "bind: the server ended the connection"),
        (
            b"\x30\x84\xff\xff\xff\xff",
            "what answers there does not speak LDAP: a length is indefinite or longer than a datagram",
        ),
        (
            b"\x30\x0c\x02\x01\x07\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
            "bind: the answer is to message 7, and ours is 1",
        ),
        // A notice of disconnection (RFC 4511 §4.4.1).
        (
            b"\x30\x12\x02\x01\x00\x78\x0d\x0a\x01\x34\x04\x00\x04\x06\x1b[31m!",
            "the server leaves: unavailable (52): \\x1b[31m!",
        ),
    ] {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.expect("bound");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let mut heard = [0u8; 256];
            let _ = stream.read(&mut heard).await;
            let _ = stream.write_all(says).await;
        });
        let (outcome, line) = told(&ask("ldap", "127.0.0.1", &format!("port = {port}")).await);
        assert_eq!((outcome, line.as_str()), (Outcome::Critical, wanted));
    }
}
