//! The program as a user runs it: exit status, output and files of `config`, `plan` and `import`.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder)
}

/// The program with a home of its own and nothing of ours in its environment.
fn noctty(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_noctty"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit status"), text(stdout), text(stderr))
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn every_bad_configuration_is_told_with_its_place_and_a_hint() {
    let home = home();
    let folder = fixtures("config");
    let mut seen = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).expect("the fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !name.starts_with("invalid-") || path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        seen += 1;
        let expected = fs::read_to_string(path.with_extension("stderr")).unwrap_or_default();
        let (status, out, err) = run(noctty(home.path()).current_dir(&folder).args(["config", "check", &name]));
        if status != 3 || !out.is_empty() || err != expected || !err.contains(": error: ") {
            wrong.push(format!("{name}: exit {status}\n{out}{err}--- expected\n{expected}"));
        }
    }
    assert!(seen >= 20, "only {seen} fixtures were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let home = home();
    let (status, _, err) = run(noctty(home.path()).args(["config", "check", "/nonexistent/noctty.toml"]));
    assert_eq!((status, err.contains("cannot read /nonexistent/noctty.toml: No such file")), (3, true), "{err}");
    let file = home.path().join("latin1.toml");
    fs::write(&file, b"[[host]]\nname = \"M\xfcnchen\"\n").expect("written");
    let (status, _, err) = run(noctty(home.path()).args(["config", "check"]).arg(&file));
    assert_eq!((status, err.contains("it is not UTF-8 (line 2)")), (3, true), "{err}");
}

#[test]
fn valid_configurations_pass() {
    let (home, folder) = (home(), fixtures("config"));
    for (name, want) in [
        ("valid-everything.toml", "3 hosts, 0 backups, 6 checks"),
        ("valid-empty.toml", "0 hosts"),
        ("valid-services.toml", "1 host, 0 backups, 12 checks"),
    ] {
        let (status, out, err) = run(noctty(home.path()).current_dir(&folder).args(["config", "check", name]));
        assert_eq!((status, err.as_str()), (0, ""), "{name}");
        assert!(out.contains(want), "{out}");
    }
}

#[test]
fn show_tells_what_is_in_force() {
    let (home, folder) = (home(), fixtures("config"));
    let mut command = noctty(home.path());
    let (status, out, _) =
        run(command.current_dir(&folder).args(["--config", "valid-everything.toml", "config", "show"]));
    assert_eq!(status, 0);
    for want in [
        "core-sw1  192.0.2.2  (config)",
        "every 4s, timeout 1s",
        "tcp:5432",
        "every 2m, timeout 3s, 5 attempts 10s apart",
    ] {
        assert!(out.contains(want), "{want} is missing in\n{out}");
    }
}

#[test]
fn a_literal_secret_is_warned_about_and_never_shown() {
    let (home, folder) = (home(), fixtures("config"));
    for arguments in [&["config", "check"][..], &["config", "show"], &["plan"], &["plan", "--json"]] {
        let mut command = noctty(home.path());
        let (status, out, err) =
            run(command.current_dir(&folder).args(["--config", "valid-literal-secret.toml"]).args(arguments));
        assert_eq!(status, 0, "{err}");
        assert!(err.contains("`password` stands in the configuration itself"), "{err}");
        assert!(!out.contains("hunter2") && !err.contains("hunter2"), "{arguments:?} shows it\n{out}{err}");
    }
}

#[test]
fn init_writes_a_valid_configuration_once() {
    let home = home();
    let (status, out, _) = run(noctty(home.path()).args(["config", "init"]));
    assert_eq!((status, out.contains(".config/noctty/noctty.toml")), (0, true), "{out}");
    assert_eq!(run(noctty(home.path()).args(["config", "check"])).0, 0);
    let (status, _, err) = run(noctty(home.path()).args(["config", "init"]));
    assert_eq!((status, err.contains("is there already; nothing was written")), (3, true), "{err}");
}

#[test]
fn usage_errors_exit_with_three() {
    let home = home();
    for arguments in [&["plan", "--no-such-option"][..], &["import", "nagios", "x"], &["--config"]] {
        let (status, out, err) = run(noctty(home.path()).args(arguments));
        assert_eq!((status, out.as_str()), (3, ""), "{arguments:?}");
        assert!(err.contains("error:"), "{err}");
    }
    assert_eq!(run(noctty(home.path()).arg("--help")).0, 0);
    // A theme for what has no screen is a mistake, and is not passed over.
    let (status, out, err) = run(noctty(home.path()).args(["--theme", "light", "plan"]));
    assert_eq!((status, out.as_str()), (3, ""));
    assert!(err.contains("--theme light: what is asked for has no screen"), "{err}");
}

#[test]
fn plan_prints_everything_and_sends_nothing() {
    let home = home();
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    tcp.set_nonblocking(true).expect("set");
    udp.set_nonblocking(true).expect("set");
    let (tcp_port, udp_port) = (tcp.local_addr().expect("bound").port(), udp.local_addr().expect("bound").port());
    let file = home.path().join("noctty.toml");
    let text = format!(
        "[[host]]\nname = \"here\"\naddress = \"127.0.0.1\"\nchecks = [\"icmp\", {{ kind = \"tcp\", port = {tcp_port} }}, {{ kind = \"dns\", port = {udp_port} }}]\n\n[[host]]\nname = \"named\"\naddress = \"host.invalid\"\nchecks = [\"ssh\"]\n"
    );
    fs::write(&file, text).expect("written");
    let trace = home.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=network", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_noctty"));
    command.env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin");
    let (status, out, err) = run(command.args(["plan", "--json", "--config"]).arg(&file));
    assert_eq!(status, 0, "{err}");
    let plan: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let rows: Vec<(&str, &str)> = plan["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|row| (row["target"].as_str().expect("a target"), row["protocol"].as_str().expect("a protocol")))
        .collect();
    assert_eq!(rows.len(), 4, "{out}");
    assert!(rows.contains(&("named", "ssh")) || rows.iter().any(|(target, _)| *target == "named"), "{out}");
    let calls = fs::read_to_string(&trace).expect("strace wrote its output");
    assert!(calls.contains("+++ exited with 0 +++"), "strace saw no end: {calls}");
    for call in ["AF_INET", "AF_NETLINK", "connect(", "sendto(", "sendmsg(", "sendmmsg("] {
        assert!(!calls.contains(call), "plan called {call}\n{calls}");
    }
    assert!(tcp.accept().is_err() && udp.recv(&mut [0; 16]).is_err(), "something arrived");
}

#[test]
fn plan_states_what_each_check_of_a_service_sends_and_where() {
    let (home, folder) = (home(), fixtures("config"));
    let mut command = noctty(home.path());
    let (status, out, err) =
        run(command.current_dir(&folder).args(["--config", "valid-services.toml", "plan", "--json"]));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let plan: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let rows = plan["checks"].as_array().expect("checks");
    for (protocol, destination) in [
        ("HTTP GET https://www.example.net/health", "192.0.2.1:443"),
        ("TLS handshake, first messages of TLS 1.0 and 1.1", "192.0.2.1:443"),
        ("SMTP, STARTTLS, TLS handshake, first messages of TLS 1.0 and 1.1", "192.0.2.1:25"),
        ("SMTP EHLO, STARTTLS", "192.0.2.1:25"),
        ("IMAP CAPABILITY over TLS", "192.0.2.1:993"),
        ("SSH handshake up to the host key", "192.0.2.1:22"),
        ("DNS A www.example.net", "192.0.2.53:53, ns2.example.net:5353"),
        ("DNS SOA example.net", "192.0.2.1:53 and the name servers of example.net"),
        ("NTP", "192.0.2.1:123"),
        ("LDAP bind and search after StartTLS", "192.0.2.1:389"),
        ("HTTP GET http://192.0.2.1:9100/metrics", "192.0.2.1:9100"),
        ("whatever the plugin sends", "/usr/lib/nagios/plugins/check_ping"),
    ] {
        let row = rows.iter().find(|row| row["protocol"] == protocol && row["destination"] == destination);
        assert!(row.is_some(), "{protocol} to {destination} is missing in\n{out}");
    }
}

#[test]
fn plan_without_a_configuration_names_what_was_found_and_what_is_not_probed() {
    let home = home();
    fs::create_dir(home.path().join(".ssh")).expect("made");
    fs::copy(fixtures("import").join("ssh_config"), home.path().join(".ssh/config")).expect("copied");
    let (status, out, err) = run(noctty(home.path()).args(["plan"]));
    assert_eq!(status, 0, "{err}");
    for want in ["jump1", "every 5m", "behind jump1, not probed", "never faster"] {
        let found = out.contains(want) || (want == "every 5m" && out.contains("5m, never faster"));
        assert!(found, "{want} is missing in\n{out}");
    }
    assert!(!out.contains("example.net"), "{out}");
}

#[test]
fn each_format_gives_a_valid_configuration_and_twice_the_same() {
    let (home, folder) = (home(), fixtures("import"));
    for (format, name, hosts) in [("csv", "hosts.csv", 2), ("ansible", "hosts.ini", 3), ("ssh-config", "ssh_config", 2)]
    {
        let import = || run(noctty(home.path()).current_dir(&folder).args(["import", format, name]));
        let (status, out, err) = import();
        assert_eq!(status, 0, "{err}");
        assert_eq!(import().1, out, "{format} is not repeatable");
        assert!(!out.contains("hunter2") && !err.contains("hunter2"), "a password was taken over");
        let file = home.path().join("noctty.toml");
        fs::write(&file, &out).expect("written");
        let (status, counts, err) = run(noctty(home.path()).args(["config", "check"]).arg(&file));
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        assert!(counts.contains(&format!("{hosts} hosts")), "{counts}\n{out}");
    }
}

#[test]
fn an_import_writes_once_and_adds_only_what_is_new() {
    let (home, folder) = (home(), fixtures("import"));
    let file = home.path().join("noctty.toml");
    let noctty = |arguments: &[&str], option: &str| {
        run(noctty(home.path()).current_dir(&folder).arg("import").args(arguments).arg(option).arg(&file))
    };
    let (status, _, err) = noctty(&["ssh-config", "ssh_config"], "--output");
    assert_eq!(status, 0, "{err}");
    let first = fs::read_to_string(&file).expect("written");
    let (status, _, err) = noctty(&["csv", "hosts.csv"], "--output");
    assert_eq!((status, err.contains("is there already; --force overwrites it")), (3, true), "{err}");
    assert_eq!(fs::read_to_string(&file).expect("there"), first);

    let (status, out, err) = noctty(&["csv", "hosts.csv"], "--into");
    assert_eq!((status, out.contains("1 host added, 1 there already")), (0, true), "{out}{err}");
    assert!(err.contains("hosts.csv:4:1: warning: db01: left out, the name is used twice, first in line 3"), "{err}");
    assert!(err.contains("bad: left out, the address \"-oProxyCommand=reboot\" begins with a dash"), "{err}");
    let second = fs::read_to_string(&file).expect("there");
    assert!(second.starts_with(&first) && second.contains("core-sw1"), "{second}");
    let (status, out, _) = noctty(&["csv", "hosts.csv"], "--into");
    assert_eq!((status, out.contains("nothing new, 2 hosts there already")), (0, true), "{out}");
    assert_eq!(fs::read_to_string(&file).expect("there"), second);

    let (status, _, _) = noctty(&["csv", "hosts.csv", "--force"], "--output");
    assert_eq!(status, 0);
    assert!(!fs::read_to_string(&file).expect("there").contains("jump1"));
    let left: Vec<_> = fs::read_dir(home.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "a temporary file was left: {left:?}");
}

#[test]
fn an_import_of_nothing_or_into_a_bad_file_changes_nothing() {
    let (home, folder) = (home(), fixtures("import"));
    let empty = home.path().join("empty.csv");
    fs::write(&empty, "name\n").expect("written");
    let (status, out, err) = run(noctty(home.path()).args(["import", "csv"]).arg(&empty));
    assert_eq!((status, out.as_str(), err.contains("has no host to import")), (3, "", true), "{err}");
    let bad = home.path().join("bad.toml");
    fs::write(&bad, "[[host]]\n").expect("written");
    let mut command = noctty(home.path());
    let (status, _, err) = run(command.current_dir(&folder).args(["import", "csv", "hosts.csv", "--into"]).arg(&bad));
    assert_eq!((status, err.contains("has errors; nothing was changed")), (3, true), "{err}");
    assert_eq!(fs::read_to_string(&bad).expect("there"), "[[host]]\n");
}

/// What is named on the command line is quoted in errors, and no terminal obeys it.
#[test]
fn hostile_arguments_and_file_names_are_shown_and_not_obeyed() {
    const EVIL: &str = "ev\u{1b}]0;own\u{7}il\u{1b}[31m\u{202e}x\u{200b}\u{9b}2J";
    let home = home();
    let folder = home.path().join(EVIL);
    fs::create_dir(&folder).expect("a folder");
    let (config, keymap) = (folder.join("noctty.toml"), folder.join("keymap.toml"));
    fs::write(&config, "[[host]]\nname = \"a\\u001b[2J\"\nchekcs = [\"\\u202e\"]\n").expect("written");
    fs::write(&keymap, "[screen]\nz = \"x\\u001b[5m\"\n").expect("written");
    let state = folder.join("state").display().to_string();
    let file = config.display().to_string();
    let missing = folder.join("none").display().to_string();
    let commands: [&[&str]; 12] = [
        &["--config", &file, "config", "check"],
        &["--config", &file, "check"],
        &["--config", &file, "--state", &state, "plan"],
        &["--config", &missing, "check"],
        &["import", "ansible", &missing],
        &["ports", EVIL],
        &["ssh", EVIL],
        &["attach", EVIL],
        &["attach", "--socket", &missing],
        &[EVIL, EVIL],
        &["--\u{202e}\u{1b}[2J"],
        &["check", "--theme", EVIL],
    ];
    for arguments in commands {
        let (status, out, err) = run(noctty(home.path()).args(arguments));
        assert_ne!(status, 0, "{arguments:?}: {out}");
        let obeyed = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
        assert!(!err.is_empty() && !format!("{out}{err}").contains(obeyed), "{arguments:?}: {out:?} {err:?}");
    }
}

/// Names, tags, runbooks, what a plugin says, who writes and where it is kept: all of it is printed, and none of it obeyed.
#[test]
fn what_a_configuration_an_environment_and_a_journal_hold_is_shown_and_not_obeyed() {
    const EVIL: &str = "ev\u{1b}]0;own\u{7}\u{1b}[31m\u{202e}x\u{200b}\u{9b}2J";
    const WRITTEN: &str = "\\u001b]0;own\\u0007\\u202ex\\u009b2J";
    let home = home();
    let file = home.path().join(format!("{EVIL}.toml"));
    let text = format!(
        "[[host]]\nname = \"h{WRITTEN}\"\naddress = \"127.0.0.1\"\ntags = [\"{WRITTEN}\"]\ngroup = \"{WRITTEN}\"\nsite = \"{WRITTEN}\"\n\
         runbook = \"/x/{WRITTEN}\"\nchecks = [{{ kind = \"tcp\", port = 1 }}, {{ kind = \"plugin\", command = [\"/bin/echo\", \"{WRITTEN}\"] }}]\n\
         [[backup]]\nname = \"b{WRITTEN}\"\nkind = \"restic\"\nrepository = \"/nope/{WRITTEN}\"\n"
    );
    fs::write(&file, text).expect("written");
    let state = home.path().join(EVIL).display().to_string();
    let host = "h\u{1b}]0;own\u{7}\u{202e}x\u{9b}2J";
    let commands: [&[&str]; 23] = [
        &["config", "check"],
        &["config", "show"],
        &["plan"],
        &["plan", "--json"],
        &["check"],
        &["check", "--json"],
        &["backups"],
        &["backups", "--json"],
        &["incident", "open", EVIL],
        &["incident", "note", "1", EVIL],
        &["incident", "list"],
        &["incident", "show", "1"],
        &["incident", "show", "1", "--json"],
        &["incident", "handover", "1"],
        &["incident", "export", "1", "--format", "markdown"],
        &["incident", "export", "1", "--format", "json"],
        &["ack", host, "--note", EVIL],
        &["ack", "--list"],
        &["ack", "--list", "--json"],
        &["maintenance", host, "--for", "1h", "--note", EVIL],
        &["maintenance", "--json"],
        &["handover"],
        &["handover", "--json"],
    ];
    let mut shown = 0;
    for arguments in commands {
        let mut command = noctty(home.path());
        command.env("NOCTTY_AUTHOR", EVIL).env("USER", EVIL).env("SUDO_USER", EVIL).arg("--config").arg(&file);
        let (_, out, err) = run(command.args(["--state", &state]).args(arguments));
        let obeyed = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
        assert!(!format!("{out}{err}").contains(obeyed), "{arguments:?}: {out:?} {err:?}");
        shown += usize::from(out.contains("\\x1b]0;own\\x07") || out.contains("\\u001b]0;own\\u0007"));
    }
    assert!(shown > 12, "{shown} of them showed it");
}
