//! Names with several addresses of which one is dead or dies, in a network of the test's own with real servers behind a cable: what
//! asks one address at a time finds the one that answers and keeps to it, what connects takes it each time, and all say which did not
//! answer.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use noctty::base::Untrusted;
use noctty::model::Condition;
use noctty::state::Snapshot;
use tokio::sync::watch;

use crate::authority::{Authority, VALID};
use crate::lab::{in_namespaces, run};
use crate::visitors::looked_at;

/// The near side has the collector, the far side the servers; all of them end with the first process. Packets to the dead addresses vanish.
const NETWORK: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
cd "$1"
mount --bind hosts /etc/hosts
ip link set lo up
unshare --net -- sleep 600 & far=$!
until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
there() { nsenter --target $far --net -- "$@"; }
ip link add name near type veth peer name far
ip link set far netns $far
ip addr add 198.51.100.1/24 dev near; ip -6 addr add 2001:db8::1/64 dev near nodad; ip link set near up
there ip addr add 198.51.100.8/24 dev far; there ip -6 addr add 2001:db8::8/64 dev far nodad
there ip link set lo up; there ip link set far up
ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:02 dev near
ip -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev near
serve() { local log=$1; shift; nsenter --target $far --net -- "$@" >"$log.log" 2>&1 & }
serve snmpd env SNMP_PERSISTENT_DIR=kept MIBS= snmpd -f -Lo -C -I -smux -c snmpd.conf
serve chronyd chronyd -x -d -U -u root -f chrony.conf
serve named ./named -g -c named.conf
serve web python3 -m http.server --bind :: 8080 --directory www
for family in 4 6; do serve tls$family openssl s_server -$family -quiet -www -accept 4433 -cert tls.pem -key tls.key; done
serve slapd ./slapd -d none -f slapd.conf -h ldap://
serve exim exim4 -C "$PWD/exim.conf" -bdf
for port in 53 8080 4433 389 2525; do for host in 198.51.100.8 2001:db8::8; do
  until (: </dev/tcp/$host/$port) 2>/dev/null; do sleep 0.1; done
done; done
"$2" --config noctty.toml --state state collect >collector.log 2>&1 &
until [ -e moved ]; do sleep 0.05; done
there ip addr del 198.51.100.8/24 dev far
sleep infinity
"#;

/// How long all of it may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

const HOSTS: &str = "198.51.100.2 second\n198.51.100.8 second\n198.51.100.2 six\n2001:db8::8 six\n198.51.100.8 moves\n2001:db8::8 moves\n\
                     198.51.100.2 none\n2001:db8::2 none\n";

const CHECKS: [&str; 10] = [
    "kind = 'icmp'",
    "kind = 'icmp', count = 3, label = 'three'",
    "kind = 'snmp'",
    "kind = 'ports'",
    "kind = 'dns', name = 'lab.test', type = 'NS'",
    "kind = 'ntp', offset_warning = '10s', offset_critical = '20s'",
    "kind = 'http', url = 'http://NAME:8080/', timeout = '4s'",
    "kind = 'tls', port = 4433, name = 'www.lab.test', ca = 'ca.pem', old_versions = true, timeout = '4s'",
    "kind = 'ldap', timeout = '4s'",
    "kind = 'smtp', port = 2525, timeout = '4s'",
];

fn configured(folder: &Path) {
    let at = |name: &str| folder.join(name);
    let write = |name: &str, text: &str| fs::write(at(name), text).expect("written");
    let here = folder.display();
    for made in ["www", "spool", "kept"] {
        fs::create_dir(at(made)).expect("made");
    }
    // exim changes to a user of its own.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("mode");
    fs::set_permissions(at("spool"), fs::Permissions::from_mode(0o777)).expect("mode");
    // Copies: where AppArmor confines the installed programs by their path, they may not read a test's folder.
    for program in ["named", "slapd"] {
        fs::copy(Path::new("/usr/sbin").join(program), at(program)).expect("bind9 and slapd are installed");
    }
    write("hosts", HOSTS);
    write(
        "snmpd.conf",
        "agentAddress udp:161,udp6:161\nrocommunity lab-secret\nrocommunity6 lab-secret\nsysName lab\n",
    );
    write("chrony.conf", &format!("local stratum 8\nallow all\ncmdport 0\npidfile {here}/chronyd.pid\n"));
    write(
        "named.conf",
        &format!(
            "options {{ directory \"{here}\"; listen-on {{ any; }}; listen-on-v6 {{ any; }}; pid-file none; recursion no;\n\
             session-keyfile none; dnssec-validation no; managed-keys-directory \"{here}\"; }};\ncontrols {{ }};\n\
             zone \"lab.test\" {{ type primary; file \"zone\"; }};\n"
        ),
    );
    write("zone", "$TTL 60\n@ SOA ns hostmaster 1 60 30 3600 60\n@ NS ns\nns A 198.51.100.8\n");
    write("slapd.conf", &format!("pidfile {here}/slapd.pid\n"));
    write(
        "exim.conf",
        &format!(
            "primary_hostname = mail.lab.test\nlocal_interfaces = <; 0.0.0.0 ; ::0\ndaemon_smtp_ports = 2525\nhost_lookup =\n\
             spool_directory = {here}/spool\nlog_file_path = {here}/spool/%slog\npid_file_path = {here}/spool/exim.pid\n\
             rfc1413_query_timeout = 0s\nkeep_environment =\ntls_advertise_hosts =\n"
        ),
    );
    let root = Authority::root("Lab Root");
    let (certificate, key) = root.issue(&["www.lab.test"], VALID);
    write("tls.pem", &certificate);
    write("tls.key", &key);
    root.file(folder);
    let host = |name: &str| {
        let pace = "interval = '5s', retry_interval = '1s', attempts = 2";
        let checks = CHECKS.map(|check| format!("{{ {}, {pace} }}", check.replace("NAME", name))).join(", ");
        format!(
            "[[host]]\nname = '{name}'\naddress = '{name}'\nchecks = [{checks}]\n\
             snmp = {{ community = {{ file = 'community' }}, timeout = '1s', retries = 0 }}\n"
        )
    };
    write("community", "lab-secret\n");
    fs::set_permissions(at("community"), fs::Permissions::from_mode(0o600)).expect("mode");
    write("noctty.toml", &["second", "six", "moves", "none"].map(host).concat());
}

/// One check: its name, its condition, and of its last run what was said.
struct Shown {
    name: String,
    condition: Condition,
    summary: String,
    log: Vec<String>,
}

fn shown(snapshots: &watch::Receiver<Snapshot>, host: &str) -> Vec<Shown> {
    let snapshot = snapshots.borrow();
    let Some(host) = snapshot.hosts.iter().find(|one| &*one.host.name == host) else { return Vec::new() };
    let asked = host.checks.iter().filter_map(|check| Some((check, &check.last.as_ref()?.reading)));
    let shown = asked.map(|(check, reading)| Shown {
        name: check.spec.key.name.to_string(),
        condition: check.condition,
        summary: reading.summary.line(),
        log: reading.log.iter().map(Untrusted::line).collect(),
    });
    shown.collect()
}

/// Waits until every check of a host is as wanted.
fn all(snapshots: &watch::Receiver<Snapshot>, host: &str, wanted: impl Fn(&Shown) -> bool) {
    let began = Instant::now();
    loop {
        let (checks, others): (Vec<Shown>, Vec<Shown>) = shown(snapshots, host).into_iter().partition(&wanted);
        if checks.len() == CHECKS.len() {
            return;
        }
        let left = |check: &Shown| {
            format!("{} {:?}: {}\n{}\n", check.name, check.condition, check.summary, check.log.join("\n"))
        };
        assert!(began.elapsed() < PATIENCE, "{host}: {}", others.iter().map(left).collect::<String>());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_address_is_named_and_the_living_one_is_asked_and_kept() {
    assert_eq!(run(Command::new("id").arg("-u")).trim(), "0", "servers on their usual ports need root");
    let folder = tempfile::tempdir().expect("a folder");
    configured(folder.path());
    let _lab = in_namespaces(folder.path(), &["-mnp", "--mount-proc"], NETWORK);
    let snapshots = looked_at(&folder.path().join("state/engine.sock")).await;
    let names = |check: &Shown, dead: &str, answers: &str| {
        let answers = format!("which answers: {answers}");
        check.log.iter().any(|line| line.contains(dead) && line.contains(&answers))
    };
    for (host, answers) in [("second", "198.51.100.8"), ("six", "2001:db8::8")] {
        all(&snapshots, host, |check| check.condition == Condition::Ok && names(check, "198.51.100.2", answers));
    }
    let is_none = |check: &Shown| check.summary.contains("198.51.100.2") && check.summary.contains("2001:db8::2");
    all(&snapshots, "none", |check| {
        matches!(check.condition, Condition::Critical | Condition::Unknown) && is_none(check)
    });
    // An address that answers is alone.
    all(&snapshots, "moves", |check| check.condition == Condition::Ok && !names(check, "", ""));
    fs::write(folder.path().join("moved"), "").expect("written");
    all(&snapshots, "moves", |check| check.condition == Condition::Ok && names(check, "198.51.100.8", "2001:db8::8"));
}
