//! Channels to people, against what takes the messages: a program, an HTTP server, exim.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use noctty::base::options::Problem;
use noctty::base::{Clock, Timestamp};
use noctty::config::load;
use noctty::config::maintenance::read_times;
use noctty::model::{Alert, AlertKind, AssetId, Condition, Target};
use noctty::net::Net;
use noctty::notify::{Batch, Change, Channel, Cx, How, bind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::mail;
use crate::peer::until;

fn channels(text: &str) -> (Vec<Channel>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("n.toml");
    fs::write(&path, text).expect("written");
    let config = load::read(&path).expect("TOML");
    let mut problems = Vec::new();
    let channels = bind(&config.notify, read_times, &mut problems);
    (channels, problems.iter().map(Problem::brief).collect())
}

#[test]
fn channels_are_read_and_what_is_wrong_is_told() {
    let (found, problems) = channels(
        "[[notify]]\nkind = \"bell\"\nleast = \"warning\"\n\
         [[notify]]\nkind = \"exec\"\nargv = [\"/bin/true\"]\nwait = \"1m\"\nmost = 2\n\
         [[notify]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"https://hooks.example.net/x\"\nauthorization = { env = \"TOKEN\" }\n\
         [[notify]]\nkind = \"mail\"\nserver = \"mx.example.net\"\nfrom = \"noctty@example.net\"\nto = [\"noc@example.net\"]\n",
    );
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(found.iter().map(|c| &*c.name).collect::<Vec<_>>(), ["bell", "exec", "ops", "mail"]);
    assert_eq!((found[0].filter.least, found[1].rules.most), (Condition::Warning, 2));

    for (text, wanted) in [
        ("kind = \"pager\"", "there is no channel of the kind \"pager\""),
        ("kind = \"exec\"", "an exec channel needs a program"),
        ("kind = \"webhook\"\nurl = \"ftp://x\"", "that is no http or https URL"),
        ("kind = \"webhook\"", "exactly one of `url`, `url_secret`"),
        ("kind = \"bell\"\nleast = \"fatal\"", "\"fatal\" is no severity"),
        ("kind = \"bell\"\nmots = 3", "unknown key `mots`"),
        ("kind = \"bell\"\nrepeat = \"5s\"", "`repeat` is 5s, shorter than 1m"),
        ("kind = \"bell\"\nactive_times = [\"office\"]", "`active_times` must be an array of tables; this is a string"),
        ("kind = \"bell\"\nactive_times = []", "`active_times` is empty"),
        ("kind = \"bell\"\nmute_times = [{ schedule = \"0 8 * * 1-5\" }]", "a window with a schedule needs `for`"),
        ("kind = \"bell\"\nmute_times = [{ schedule = \"0 8 31 2 *\", for = \"1h\" }]", "never opens"),
        (
            "kind = \"bell\"\nactive_times = [{ schedule = \"0 8 * * *\", for = \"1h\", timezone = \"Europe/Berlim\" }]",
            "unknown time zone \"Europe/Berlim\"",
        ),
        ("kind = \"bell\"\nactive_times = [{ shedule = \"0 8 * * *\", for = \"1h\" }]", "unknown key `shedule`"),
        ("kind = \"mail\"\nserver = \"x\"\nfrom = \"a@b\"\nto = [\"c d\"]", "\"c d\" is no mail address"),
        (
            "kind = \"mail\"\nserver = \"x\"\nfrom = \"a@b\"\nto = [\"c@d\"]\nsecurity = \"none\"\nuser = \"u\"\npassword = { env = \"P\" }",
            "a password is not sent without TLS",
        ),
    ] {
        let (found, problems) = channels(&format!("[[notify]]\n{text}\n"));
        assert!(found.is_empty(), "{text}");
        assert!(problems.iter().any(|p| p.contains(wanted)), "{text}: {problems:?}");
    }
    let (found, problems) = channels("[[notify]]\nkind = \"bell\"\n[[notify]]\nkind = \"bell\"\n");
    assert_eq!(found.len(), 1);
    assert!(problems[0].contains("two channels \"bell\""), "{problems:?}");
}

fn batch() -> Batch {
    let alert = Alert {
        kind: AlertKind::Problem,
        target: Target::Host(AssetId::new("core-sw1")),
        title: "core-sw1".into(),
        from: Condition::Ok,
        to: Condition::Critical,
        word: "DOWN".into(),
        reason: "no answer to ICMP\r\n.\r\nMAIL FROM:<x@y> \u{e4}".into(),
        hides: 34,
        tags: vec!["core".into()],
        group: None,
        at: Timestamp::from_secs(1_800_000_000),
    };
    Batch { changes: vec![Change { id: "01M8".into(), alert }], late: Vec::new() }
}

async fn deliver(text: &str) -> Result<(), String> {
    let (found, problems) = channels(text);
    assert_eq!(problems, Vec::<String>::new());
    let How::By(deliver) = &found[0].how else { panic!("it delivers") };
    let cx = Cx { net: Net::new(Clock::start()), timeout: Duration::from_secs(20) };
    deliver.deliver(&cx, &batch()).await
}

#[tokio::test]
async fn a_program_gets_the_message_in_its_environment_and_its_failure_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("page");
    let out = folder.path().join("out");
    let write = |body: &str| {
        fs::write(&program, format!("#!/bin/sh\n{body}\n")).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("mode");
    };
    write(&format!("printf '%s|%s|%s' \"$1\" \"$NOCTTY_SUBJECT\" \"$NOCTTY_JSON\" > '{}'", out.display()));
    let channel = format!("[[notify]]\nkind = \"exec\"\nargv = [\"{}\", \"$(id)\"]\n", program.display());
    deliver(&channel).await.expect("told");
    let told = fs::read_to_string(&out).expect("it ran");
    assert!(told.starts_with("$(id)|DOWN core-sw1: no answer to ICMP"), "{told}");
    assert!(told.contains("34 behind it|{\"schema\":\"noctty.notification/1\""), "{told}");
    write("echo 'no such team' >&2; exit 3");
    let why = deliver(&channel).await.expect_err("it fails");
    assert!(why.ends_with("page ended with exit status: 3: no such team"), "{why}");
    let gone = "[[notify]]\nkind = \"exec\"\nargv = [\"/nonexistent/page\"]\n";
    assert_eq!(deliver(gone).await.expect_err("it fails"), "/nonexistent/page is not installed");
}

#[tokio::test]
async fn a_web_server_gets_one_post_and_its_refusal_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let server = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in ["204 No Content", "403 Forbidden"] {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut got = Vec::new();
            let mut chunk = [0; 4096];
            while !got.ends_with(b"}") {
                let length = stream.read(&mut chunk).await.expect("read");
                assert!(length > 0, "{}", String::from_utf8_lossy(&got));
                got.extend_from_slice(&chunk[..length]);
            }
            let body = if answer.starts_with('4') { "no such room\x1b[31m" } else { "" };
            let head =
                format!("HTTP/1.1 {answer}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            stream.write_all(head.as_bytes()).await.expect("written");
            asked.push(String::from_utf8(got).expect("text"));
        }
        asked
    });
    let channel = format!("[[notify]]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{port}/hook?room=noc\"\n");
    deliver(&channel).await.expect("told");
    let why = deliver(&channel).await.expect_err("refused");
    assert_eq!(why, "127.0.0.1 answered HTTP 403: no such room\\x1b[31m");
    let asked = server.await.expect("it ended");
    assert!(asked[0].starts_with("POST /hook?room=noc HTTP/1.1\r\n"), "{}", asked[0]);
    let (_, body) = asked[0].split_once("\r\n\r\n").expect("a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!((&body["alerts"][0]["object"], &body["alerts"][0]["to"]), (&"core-sw1".into(), &"critical".into()));
    let why = deliver(&channel).await.expect_err("nobody listens");
    assert!(why.contains("refused"), "{why}");
}

#[tokio::test]
async fn exim_takes_a_mail_over_tls_and_only_for_whom_it_knows() {
    let (folder, ca) = mail::certified();
    let spool = folder.path().join("spool");
    let more = format!(
        "tls_advertise_hosts = *\nacl_smtp_rcpt = noc\nbegin acl\nnoc:\n  accept local_parts = noc\n  deny message = no such user\n\
         begin routers\nall:\n  driver = accept\n  transport = box\n\
         begin transports\nbox:\n  driver = appendfile\n  file = {}/mbox\n  user = Debian-exim\n  mode_fail_narrower = false",
        spool.display()
    );
    let (_exim, port, whole) = mail::exim(folder.path(), &more);
    let channel = |port: u16, security: &str, to: &str| {
        format!(
            "[[notify]]\nkind = \"mail\"\nserver = \"localhost\"\nport = {port}\nsecurity = \"{security}\"\n\
             from = \"noctty@lab.test\"\nto = [\"{to}@lab.test\"]\nca = \"{ca}\"\n"
        )
    };
    deliver(&channel(port, "none", "noc")).await.expect("taken");
    let mbox = || fs::read_to_string(spool.join("mbox")).unwrap_or_default();
    until("exim has delivered", || mbox().contains("Message-ID"));
    let text = mbox();
    assert!(text.contains("From: noctty <noctty@lab.test>") && text.contains("Subject: =?UTF-8?B?"), "{text}");
    let body: String = text
        .lines()
        .rev()
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let body = data_encoding::BASE64.decode(body.as_bytes()).expect("base64");
    let body = String::from_utf8(body).expect("UTF-8");
    assert!(body.contains("DOWN core-sw1: no answer to ICMP") && body.lines().count() == 1, "{body}");
    assert_eq!(deliver(&channel(port, "none", "evil")).await.expect_err("refused"), "RCPT TO: 550 no such user");
    // The certificate is for another name.
    for (port, security) in [(port, "starttls"), (whole, "tls")] {
        let why = deliver(&channel(port, security, "noc")).await.expect_err("not believed");
        assert!(why.contains("it is for mail.lab.test, not localhost"), "{why}");
        deliver(&format!("{}verify = false\n", channel(port, security, "noc"))).await.expect("taken over TLS");
    }
    until("exim has delivered the others", || mbox().matches("Message-ID").count() == 3);
}
