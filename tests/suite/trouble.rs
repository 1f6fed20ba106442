//! Everything that may be wrong with what noctty is given, as the operator meets it: in its pane of the console on a
//! real pseudo-terminal, and on the command line. Each is told in words that name the thing, and nothing else suffers.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use noctty::base::Clock;
use noctty::sim::snmp::{AgentSpec, SnmpAgents};
use rustix::process::getuid;
use serde_json::Value;
use tempfile::TempDir;

use super::console::{Console, Launch, READY};
use super::peer::{free_port, until};
use super::probes::sshd;

const NOCTTY: &str = env!("CARGO_BIN_EXE_noctty");
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn noctty(home: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(NOCTTY)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("PATH is set"))
        .env("HOME", home)
        .args(["--state".as_ref(), home.join("state").as_os_str()])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("mode");
}

/// A console on a configuration; wide enough for what is wrong to be read to its end.
fn console(home: TempDir, config: &Path) -> Console {
    let arguments = ["--config".to_owned(), config.display().to_string()];
    let state = home.path().join("state");
    Launch::new((230, 60)).own_home(home).state(&state).arguments(arguments).start()
}

fn close_the_box(console: &Console) {
    console.press("\x1b");
    // A key that follows at once would be one with Alt.
    console.until("the box is closed", |c| !c.text().contains('╭'));
}

fn leave(mut console: Console) {
    console.press(":q!\r");
    assert_eq!(console.ends().exit_code(), 0);
}

#[test]
fn errors_in_the_configuration_are_told_and_cost_only_what_they_touch() {
    let home = TempDir::new().expect("a temporary folder");
    let good = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = good.local_addr().expect("bound").port();
    let check = format!("checks = [{{ kind = \"tcp\", port = {port} }}]");
    let text = format!(
        "[[host]]\nname = \"good\"\naddress = \"127.0.0.1\"\n{check}\n\n\
         [[host]]\nname = \"typo\"\nadress = \"127.0.0.1\"\n\n\
         [[host]]\nname = \"typed\"\naddress = 5\n\n\
         [[host]]\nname = \"good\"\naddress = \"127.0.0.9\"\n\n\
         [[host]]\nname = \"ring1\"\naddress = \"127.0.0.1\"\nparents = [\"ring2\"]\n{check}\n\n\
         [[host]]\nname = \"ring2\"\naddress = \"127.0.0.1\"\nparents = [\"ring1\"]\n{check}\n\n\
         [[host]]\nname = \"kind\"\nchecks = [\"tpc\"]\n\n\
         [[backup]]\nname = \"nightly\"\nkind = \"restic\"\nrepository = \"/r\"\nrpo = \"26\"\n"
    );
    let file = home.path().join("noctty.toml");
    fs::write(&file, text).expect("written");
    let name = file.display().to_string();
    let wrong = [
        (8, "unknown key `adress`"),
        (12, "`address` must be a string, not an integer"),
        (15, "the name \"good\" is used twice, first in line 2"),
        (19, "the parents go round in a circle: ring1 → ring2 → ring1"),
        (38, "\"26\" is not a duration"),
    ];

    // Without a screen such a file is refused, every problem with its place; those of single checks come when the file
    // can be read as a whole.
    for arguments in [&["check"][..], &["plan"], &["config", "check"], &["backups"]] {
        let (status, _, said) = noctty(home.path(), &[&["--config", &name], arguments].concat());
        assert_eq!(status, Some(3), "{arguments:?}: {said}");
        for (line, words) in wrong {
            assert!(said.contains(&format!("{name}:{line}:")) && said.contains(words), "{arguments:?}: {said}");
        }
    }

    let console = console(home, &file);
    console.shows(READY);
    console.says("CONFIGURATION: 6 errors, what they touch is not watched");
    console.press("2");
    console.until("the host that is right is watched", |c| {
        c.text().lines().any(|line| line.contains(" good ") && line.contains(" open"))
    });
    for host in ["ring1", "ring2"] {
        console.until(&format!("{host} is watched"), |c| {
            c.text().lines().any(|line| line.contains(&format!(" {host} ")) && line.contains(" open"))
        });
    }
    let place = |line: u32| format!("noctty.toml:{line}:");
    for (host, line, words) in [
        ("typo", 8, "unknown key `adress`"),
        ("typed", 12, "`address` must be a string"),
        ("kind", 32, "unknown check \"tpc\""),
    ] {
        let told =
            |text: &str| text.contains(&format!(" {host} ")) && text.contains(&place(line)) && text.contains(words);
        console.until(&format!("{host} says why it is not watched"), |c| c.text().lines().any(told));
    }
    console.press("4");
    console.until("the job says why it is not watched", |c| {
        c.text().lines().any(|line| line.contains("nightly") && line.contains(&place(38)))
    });
    console.press("9");
    for (line, words) in wrong {
        console.until(&format!("the log has line {line}"), |c| {
            c.text().lines().any(|l| l.contains("remark") && l.contains(&place(line)) && l.contains(words))
        });
    }
    leave(console);
}

#[test]
fn a_configuration_that_cannot_be_read_is_told_and_notes_can_be_taken_all_the_same() {
    let home = TempDir::new().expect("a temporary folder");
    let file = home.path().join("noctty.toml");
    fs::write(&file, b"[[host]]\nname = \"M\xfcnchen\"\n").expect("written");
    let name = file.display().to_string();
    let (status, _, said) = noctty(home.path(), &["--config", &name, "check"]);
    assert_eq!(status, Some(3));
    assert!(said.contains(&format!("cannot read {name}: it is not UTF-8 (line 2)")), "{said}");
    let console = console(home, &file);
    console.says("CONFIGURATION: 1 error");
    console.says("it is not UTF-8 (line 2)");
    console.press("I");
    console.shows("Open an incident");
    console.paste("core down");
    console.press("\r");
    console.shows("saved in INC-1");
    leave(console);

    // One that is named and not there is a slip of the hand: nothing starts.
    let home = TempDir::new().expect("a temporary folder");
    let (status, _, said) = noctty(home.path(), &["--config", "/nonexistent/noctty.toml"]);
    assert_eq!((status, said.trim()), (Some(3), "noctty: there is no /nonexistent/noctty.toml"));
}

/// One that is read beside the first frame.
#[test]
fn a_large_configuration_with_an_error_is_told_in_its_place_and_the_rest_is_watched() {
    let home = TempDir::new().expect("a temporary folder");
    let file = home.path().join("noctty.toml");
    let host = |n: usize| format!("[[host]]\nname = \"web{n:04}\"\naddress = \"127.0.0.1\"\nchecks = []\n");
    let hosts: String = (0..500).map(host).collect();
    let text = format!("[ui]\nascii = true\n{hosts}").replacen("name = \"web0003\"", "name = 3", 1);
    assert!(text.len() > 16 * 1024);
    fs::write(&file, text).expect("written");
    let console = console(home, &file);
    console.says("CONFIGURATION: 1 error");
    console.says("noctty.toml:16:8: [[host]] `name` must be a string, not an integer");
    console.press("2");
    console.shows("of 499 polled");
    assert!(console.text().is_ascii(), "[ui] holds from the first frame on: {}", console.text());
    leave(console);
}

/// `repo` with a snapshot, and `held` with the lock of a program that was killed; the password is in `pw`.
fn make_repositories(home: &Path) {
    let restic = |repository: &str| {
        let mut command = Command::new("restic");
        command
            .args(["--no-cache", "-q", "-r"])
            .arg(home.join(repository))
            .env("RESTIC_PASSWORD_FILE", home.join("pw"));
        command.env("HOME", home);
        command
    };
    for repository in ["repo", "held"] {
        assert!(restic(repository).arg("init").status().expect("restic runs").success());
        assert!(restic(repository).arg("backup").arg(home.join("right")).status().expect("restic runs").success());
    }
    let mut holder = restic("held")
        .args(["backup", "--stdin", "--stdin-filename", "hold"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("restic runs");
    // What is still being written has a longer name.
    let is_lock = |entry: fs::DirEntry| entry.file_name().len() == 64;
    until("a lock is taken", || fs::read_dir(home.join("held/locks")).is_ok_and(|locks| locks.flatten().any(is_lock)));
    // Killed, it leaves its lock behind.
    holder.kill().expect("killed");
    holder.wait().expect("it ended");
}

/// A host that refuses, an agent of another community, repositories that are missing, locked or of another password,
/// and beside each of them one that is right.
#[test]
fn what_cannot_be_had_says_why_in_its_pane_and_nothing_else_suffers() {
    let home = TempDir::new().expect("a temporary folder");
    let at = |name: &str| home.path().join(name);
    let good = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (open, closed) = (good.local_addr().expect("bound").port(), free_port(LOOPBACK));
    let agents = SnmpAgents::start(
        vec![AgentSpec {
            user: None,
            address: SocketAddr::from(([127, 0, 0, 64], 0)),
            name: "sim-sw1".to_owned(),
            community: "right".to_owned(),
            ports: 4,
            seed: 1,
        }],
        Clock::start(),
    )
    .expect("the simulator starts");
    let agent = agents.addresses()[0];
    for (file, text) in [("right", "right"), ("wrong", "wr0ng-c4nary"), ("pw", "secret-c4nary")] {
        private(&at(file), text);
    }
    make_repositories(home.path());

    let snmp = |community: &str| {
        format!(
            "checks = []\nsnmp = {{ version = \"2c\", community = {{ file = {:?} }}, port = {}, timeout = \"300ms\", retry_interval = \"300ms\" }}",
            at(community),
            agent.port()
        )
    };
    let job = |name: &str, repository: &str, password: &str| {
        format!(
            "[[backup]]\nname = \"{name}\"\nkind = \"restic\"\nrepository = {:?}\npassword = {{ file = {:?} }}\n\n",
            at(repository),
            at(password)
        )
    };
    let text = [
        format!("[[host]]\nname = \"good\"\naddress = \"127.0.0.1\"\nchecks = [{{ kind = \"tcp\", port = {open} }}]\n\n"),
        format!(
            "[[host]]\nname = \"refuser\"\naddress = \"127.0.0.1\"\nchecks = [{{ kind = \"ssh\", port = {closed}, retry_interval = \"300ms\" }}]\n\n"
        ),
        format!("[[host]]\nname = \"switch\"\naddress = \"{}\"\n{}\n\n", agent.ip(), snmp("right")),
        format!("[[host]]\nname = \"stranger\"\naddress = \"{}\"\n{}\n\n", agent.ip(), snmp("wrong")),
        job("kept", "repo", "pw"),
        job("lost", "nowhere", "pw"),
        job("shut", "repo", "wrong"),
        job("busy", "held", "pw"),
    ]
    .concat();
    let file = at("noctty.toml");
    fs::write(&file, text).expect("written");
    let refused = format!("connection to 127.0.0.1:{closed} refused");
    let unanswered = format!("no answer to SNMP v2c from {agent}");

    let (_, out, err) = noctty(home.path(), &["--config", &file.display().to_string(), "check", "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    let all = told.to_string();
    for want in [&refused, &unanswered, "wrong community", "there is no restic repository at", "wrong password for"] {
        assert!(all.contains(want), "{want:?} is missing in {told:#}");
    }
    assert!(!all.contains("c4nary") && !err.contains("c4nary"), "a secret is shown");

    let (nowhere, repo) = (at("nowhere").display().to_string(), at("repo").display().to_string());
    let console = console(home, &file);
    console.shows(READY);
    let row = |name: &str, words: &[&str]| {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        let name = format!(" {name} ");
        console.until(&format!("{name}is told: {words:?}"), |c| {
            c.text().lines().any(|line| line.contains(&name) && words.iter().all(|word| line.contains(word.as_str())))
        });
    };
    console.press("2");
    row("good", &["UP"]);
    row("switch", &["UP"]);
    row("refuser", &[&refused]);
    row("stranger", &["no answer to SNMP v2c"]);
    // Whole, where everything about a host is.
    console.press(":host stranger\r");
    console.says(&unanswered);
    console.says("wrong community, an access list, or no agent");
    close_the_box(&console);
    console.press("4");
    row("kept", &["1 restore point"]);
    row("lost", &["there is no restic repository at"]);
    row("shut", &["wrong password for"]);
    row("busy", &["stale lock of"]);
    for (job, whole) in [("lost", &nowhere), ("shut", &repo)] {
        console.press(&format!(":host {job}\r"));
        console.says(whole);
        close_the_box(&console);
    }
    assert!(!console.text().contains("c4nary"), "a secret is shown");
    leave(console);
}

#[test]
fn an_unreachable_host_is_told_apart_and_the_others_answer() {
    let home = TempDir::new().expect("a temporary folder");
    let file = home.path().join("noctty.toml");
    let text = "[[host]]\nname = \"far\"\naddress = \"192.0.2.7\"\nchecks = [{ kind = \"tcp\", port = 22, retry_interval = \"300ms\" }, { kind = \"icmp\", retry_interval = \"300ms\" }]\n\n\
         [[host]]\nname = \"near\"\naddress = \"127.0.0.1\"\nchecks = [\"icmp\"]\n";
    fs::write(&file, text).expect("written");
    // A network of its own, in which nothing but the loopback is there.
    let flags = if getuid().is_root() { "-n" } else { "-Urn" };
    let script = "ip link set lo up; exec \"$@\"";
    let wrapper = ["unshare", flags, "/bin/sh", "-ec", script, "sh"];
    let out = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .args([NOCTTY, "check", "--config"])
        .arg(&file)
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .expect("unshare of util-linux runs");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let line =
        |name: &str| said.lines().find(|l| l.contains(name)).unwrap_or_else(|| panic!("{name}: {said}")).to_owned();
    assert!(line("far").to_lowercase().contains("network is unreachable"), "{said}");
    assert!(line("near").contains("UP") || line("near").contains("ok"), "{said}");

    let arguments = ["--config".to_owned(), file.display().to_string()];
    let state = home.path().join("state");
    let launch = Launch::new((230, 60)).own_home(home).state(&state).arguments(arguments).wrapped(wrapper);
    let console = launch.start();
    console.shows(READY);
    console.press("2");
    for (name, words) in [("far", "network is unreachable"), ("near", "up")] {
        console.until(&format!("{name} says {words}"), |c| {
            c.text().lines().any(|l| l.contains(&format!(" {name} ")) && l.to_lowercase().contains(words))
        });
    }
    leave(console);
}

#[test]
fn a_session_that_is_refused_or_meets_another_host_key_says_so_in_its_pane_and_the_rest_goes_on() {
    let home = TempDir::new().expect("a temporary folder");
    let folder = TempDir::new().expect("a temporary folder");
    let (_server, port) = sshd(folder.path());
    let closed = free_port(LOOPBACK);
    // The key that is on record is another one.
    let other = folder.path().join("other");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&other).status();
    assert!(made.expect("ssh-keygen runs").success());
    let key = fs::read_to_string(other.with_extension("pub")).expect("a key");
    let key: Vec<&str> = key.split(' ').take(2).collect();
    fs::create_dir(home.path().join(".ssh")).expect("made");
    let known = home.path().join(".ssh/known_hosts");
    fs::write(&known, format!("[127.0.0.1]:{port} {}\n", key.join(" "))).expect("written");
    let ssh = format!(
        "Host changed\n HostName 127.0.0.1\n Port {port}\nHost closed\n HostName 127.0.0.1\n Port {closed}\nHost *\n User ops1\n GlobalKnownHostsFile none\n"
    );
    fs::write(home.path().join(".ssh/config"), ssh).expect("written");
    let place = format!("{}:1", known.display());
    let changed = ["HAS CHANGED", place.as_str()];
    let refused = ["cannot connect to 127.0.0.1", "refused"];

    for (host, words) in [("changed", changed), ("closed", refused)] {
        let (status, _, said) = noctty(home.path(), &["ssh", host, "--", "true"]);
        assert_eq!(status, Some(255), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{host}: {said}");
    }
    let file = home.path().join("noctty.toml");
    let host = |name: &str| {
        format!(
            "[[host]]\nname = \"{name}\"\naddress = \"127.0.0.1\"\nssh = \"{name}\"\nchecks = [{{ kind = \"ssh\", port = {port} }}]\n\n"
        )
    };
    fs::write(&file, [host("changed"), host("closed")].concat()).expect("written");
    let console = console(home, &file);
    console.shows(READY);
    let up = |c: &Console| {
        let is_up = |name: &str| c.text().lines().any(|l| l.contains(&format!(" {name} ")) && l.contains("UP"));
        is_up("changed") && is_up("closed")
    };
    console.until("both hosts are up", up);
    for (host, words) in [("changed", changed), ("closed", refused)] {
        console.press(&format!(":ssh {host}\r"));
        // The line below the pane is cut where it ends: the first words are what matters.
        console.says(words[0]);
        // Out of the pane again, by the way that is always shown.
        console.press("\x1c");
        console.press("2");
        console.until("both hosts are up", up);
    }
    leave(console);
}
