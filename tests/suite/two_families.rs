//! Names with an address of each family of which one is dead: in a network and with a hosts file of the test's own, where packets to
//! the dead ones vanish. What connects takes the other one within its time, and says which did not answer.

use std::fs;
use std::process::{Command, Stdio};

use super::lab::{Lab, run};

/// `$1` is the laboratory; what follows is run. Everything ends with it.
const NETWORK: &str = r#"
lab=$1; shift
mount --bind "$lab/hosts" /etc/hosts
ip link set lo up
ip link add name near type veth peer name far
ip link set dev near up; ip link set dev far up
ip addr add 198.51.100.1/24 dev near
ip -6 addr add 2001:db8::1/64 dev near nodad
ip neigh add 198.51.100.9 lladdr 02:00:00:00:00:09 dev near
ip -6 neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev near
/usr/sbin/sshd -D -e -f "$lab/sshd.conf" 2>"$lab/sshd.log" & sshd=$!
python3 -m http.server --bind :: 8080 --directory "$lab/www" >/dev/null 2>&1 & web=$!
trap 'kill $sshd $web' EXIT
for port in 2200 8080; do for host in 127.0.0.1 ::1; do
  for n in $(seq 200); do (: </dev/tcp/$host/$port) 2>/dev/null && break; sleep 0.1; done
done; done
"$@"
"#;

/// What each name's checks came to, by `name kind`: outcome and summary.
fn checked() -> serde_json::Value {
    let lab = Lab::new();
    lab.keygen("host", "");
    let _ = fs::create_dir_all("/run/sshd");
    fs::create_dir(lab.path("www")).expect("made");
    let path = |name: &str| lab.path(name).display().to_string();
    let sshd = format!(
        "Port 2200\nListenAddress 127.0.0.1\nListenAddress ::1\nHostKey {}\nPidFile none\nUsePAM no\nStrictModes no\n\
         AuthorizedKeysFile {}\nPermitRootLogin yes\nPasswordAuthentication no\n",
        path("host"),
        path("authorized_keys"),
    );
    fs::write(lab.path("sshd.conf"), sshd).expect("written");
    let hosts =
        "127.0.0.1 localhost four\n2001:db8::9 four\n198.51.100.9 six\n::1 six\n198.51.100.9 none\n2001:db8::9 none\n";
    fs::write(lab.path("hosts"), hosts).expect("written");
    let names = ["four", "six", "none"];
    lab.config(&names.map(|name| format!("Host {name}\n Port 2200\n")).concat());
    let key = fs::read_to_string(lab.path("host.pub")).expect("read");
    let key = key.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let known = names.map(|name| format!("[{name}]:2200 {}\n", key.trim()));
    fs::write(lab.path(".ssh/known_hosts"), known.concat()).expect("written");
    // Less than a log-in has for one address, and enough for two that are tried beside each other.
    let checks = "{ kind = \"ssh\", port = 2200, timeout = \"3s\", attempts = 1 }, \
                  { kind = \"ssh-key\", port = 2200, timeout = \"3s\", attempts = 1 }, \
                  { kind = \"tcp\", port = 2200, timeout = \"3s\", attempts = 1 }, \
                  { kind = \"http\", url = \"http://NAME:8080/\", timeout = \"3s\", attempts = 1 }, \
                  { kind = \"linux\", timeout = \"12s\", attempts = 1, ignore = [\"*\"] }";
    let config = names.map(|name| {
        let checks = checks.replace("NAME", name);
        format!("[[host]]\nname = \"{name}\"\naddress = \"{name}\"\nchecks = [{checks}]\n")
    });
    fs::write(lab.path("noctty.toml"), config.concat()).expect("written");
    let said = Command::new("unshare")
        .args(["-n", "-m", "/bin/bash", "-ec", NETWORK, "bash"])
        .arg(lab.home.path())
        .args([env!("CARGO_BIN_EXE_noctty"), "check", "--json", "--config"])
        .arg(lab.path("noctty.toml"))
        .env("HOME", lab.home.path())
        .env_remove("SSH_AUTH_SOCK")
        .env_remove("XDG_CONFIG_HOME")
        .stdin(Stdio::null())
        .output()
        .expect("unshare of util-linux runs");
    let text = String::from_utf8_lossy(&said.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        let log = fs::read_to_string(lab.path("sshd.log")).unwrap_or_default();
        panic!("{error}: {text}{}{log}", String::from_utf8_lossy(&said.stderr))
    })
}

#[test]
fn of_two_addresses_the_living_one_is_taken_in_time_and_the_dead_ones_are_named() {
    assert_eq!(run(Command::new("id").arg("-u")).trim(), "0", "sshd in a network of its own needs root");
    let json = checked();
    let hosts = json["hosts"].as_array().expect("hosts");
    let checks = |name: &str| {
        let host = hosts.iter().find(|host| host["name"] == name).expect("the host");
        host["checks"].as_array().expect("checks").clone()
    };
    for name in ["four", "six"] {
        let checks = checks(name);
        assert_eq!(checks.len(), 5);
        for check in &checks {
            let summary = check["summary"].as_str().expect("a summary");
            let is_told = if check["kind"] == "linux" { check["vitals"].is_object() } else { check["outcome"] == "ok" };
            assert!(is_told, "{name}: {check}");
            assert!(!["198.51.100.9", "2001:db8::9"].iter().any(|dead| summary.contains(dead)), "{name}: {summary}");
        }
    }
    for check in checks("none") {
        let summary = check["summary"].as_str().expect("a summary");
        assert_eq!(check["outcome"], "critical", "{check}");
        assert!(summary.contains("198.51.100.9:") && summary.contains("[2001:db8::9]:"), "{summary}");
    }
}
