//! ICMP over a network that loses, doubles, delays and reorders: a responder on a raw socket does all that by rule, in a
//! network namespace whose own kernel answers nothing. What `noctty check` counts must be what the rules say, on the
//! unprivileged socket and on the raw one.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::getuid;
use serde_json::Value;

/// Answers each echo to 127.0.1.RULE by a rule, to the millisecond: a list of delays, one for each answer. `n` counts the echoes to
/// an address. 127.0.2.N are asked all at once, and answered in the opposite order.
const RESPONDER: &str = r"
import heapq, select, socket, struct, time

RULES = {
    1: lambda n: [0],                                     # as it should be
    2: lambda n: [20, 20, 250],                           # each is doubled, and comes once more later
    3: lambda n: [] if n % 5 == 0 else [0, 0],            # a fifth is lost, the others doubled
    4: lambda n: [2300] if n % 2 else [],                 # each second one comes while the next run waits, which gets nothing
    5: lambda n: [2200] if n % 5 == 4 else [300, 300],    # a fifth comes while the next run waits, before answers of its own
    6: lambda n: [700],                                   # far away: longer than the time divided by the echoes
}

def rule(destination, n):
    third, last = destination[2], destination[3]
    return [1500 - 50 * last, 1500 - 40 * last] if third == 2 else RULES[last](n)

def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff

def reply(echo):
    answer = struct.pack('!BBH', 0, 0, 0) + echo[4:]
    return struct.pack('!BBH', 0, 0, checksum(answer)) + answer[4:]

heard = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
speaks, counts, queue, order = {}, {}, [], 0
print('ready', flush=True)
while True:
    wait = max(0, queue[0][0] - time.monotonic()) if queue else None
    if select.select([heard], [], [], wait)[0]:
        packet = heard.recv(65536)
        now, body = time.monotonic(), packet[(packet[0] & 15) * 4:]
        if body[0] == 8:
            source, destination = packet[12:16], packet[16:20]
            n = counts[destination] = counts.get(destination, 0) + 1
            for delay in rule(destination, n):
                order += 1
                heapq.heappush(queue, (now + delay / 1000, order, destination, source, reply(body)))
    while queue and queue[0][0] <= time.monotonic():
        _, _, source, destination, answer = heapq.heappop(queue)
        if source not in speaks:
            speaks[source] = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            speaks[source].bind((socket.inet_ntoa(source), 0))
            speaks[source].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        speaks[source].sendto(answer, (socket.inet_ntoa(destination), 0))
";

/// `$1` is the responder, `$2` who may use the unprivileged socket; the rest is what is run.
const NETWORK: &str = r#"
ip link set lo up
sysctl -qw net.ipv4.icmp_echo_ignore_all=1 net.ipv4.ping_group_range="$2"
coproc python3 -c "$1"
responder=$COPROC_PID
read -r ready <&"${COPROC[0]}"
[ "$ready" = ready ]
shift 2
status=0
"$@" || status=$?
kill "$responder"
exit "$status"
"#;

const COUNT: u32 = 10;
/// By so much may a round trip be told too short: what is known of the moment when an echo of a batch left, also on a machine that has
/// other things to do.
const MOMENT_MS: f64 = 0.05;
const BURST: u32 = 20;

/// A number of the only check of a host.
fn metric(told: &Value, host: &str, name: &str) -> Option<f64> {
    let hosts = told["hosts"].as_array().expect("hosts");
    let host = hosts.iter().find(|one| one["name"] == host).unwrap_or_else(|| panic!("no {host} in {told:#}"));
    let metrics = host["checks"][0]["metrics"].as_array().expect("metrics");
    metrics.iter().find(|metric| metric["name"] == name).and_then(|metric| metric["value"].as_f64())
}

fn check(group_range: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = String::new();
    // A second at the least for each echo; where some are lost there is a second run.
    for rule in 1..=6 {
        config += &format!(
            "[[host]]\nname = \"rule{rule}\"\naddress = \"127.0.1.{rule}\"\nchecks = [{{ kind = \"icmp\", count = {COUNT}, timeout = \"2s\", attempts = 2, retry_interval = \"100ms\" }}]\n"
        );
    }
    for last in 1..=BURST {
        config += &format!(
            "[[host]]\nname = \"burst{last}\"\naddress = \"127.0.2.{last}\"\nchecks = [{{ kind = \"icmp\", timeout = \"4s\", attempts = 1 }}]\n"
        );
    }
    let file = folder.path().join("noctty.toml");
    fs::write(&file, config).expect("written");
    let flags = if getuid().is_root() { "-n" } else { "-Urn" };
    let output = Command::new("unshare")
        .args([flags, "/bin/bash", "-ec", NETWORK, "bash", RESPONDER, group_range, env!("CARGO_BIN_EXE_noctty")])
        .args(["check", "--json", "--config"])
        .arg(&file)
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("unshare of util-linux runs");
    let said = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn loss_and_round_trips_are_counted_right_whatever_the_network_does() {
    // The unprivileged socket, and the raw one where that is not permitted.
    std::thread::scope(|scope| {
        for group_range in ["0 0", "1 0"] {
            scope.spawn(move || judge(group_range, &check(group_range)));
        }
    });
}

fn judge(group_range: &str, told: &Value) {
    let loss = |host: &str| metric(told, host, "loss").unwrap_or_else(|| panic!("no loss of {host} in {told:#}"));
    let rtt = |host: &str, name: &str| {
        1e3 * metric(told, host, name).unwrap_or_else(|| panic!("no {name} of {host} in {told:#}"))
    };
    let all: Vec<f64> = (1..=6).map(|rule| loss(&format!("rule{rule}"))).collect();
    assert_eq!(all, [0.0, 0.0, 20.0, 100.0, 20.0, 0.0], "group range {group_range}: {told:#}");
    // Not the duplicates' time, and not that of an answer to an earlier one.
    for (rule, least, most) in
        [(1, 0.0, 100.0), (2, 20.0, 120.0), (3, 0.0, 100.0), (5, 300.0, 400.0), (6, 700.0, 800.0)]
    {
        let host = format!("rule{rule}");
        let (fastest, mean) = (rtt(&host, "rtt"), rtt(&host, "rtt_avg"));
        assert!(fastest >= least - MOMENT_MS && mean <= most, "{host}: {fastest} ms, on average {mean} ms");
    }
    assert_eq!(metric(told, "rule4", "rtt"), None, "nothing came in time");
    // On one socket, all at once: each has its own answer, the first of two.
    for last in 1..=BURST {
        let host = format!("burst{last}");
        let (least, took) = (f64::from(1500 - 50 * last), rtt(&host, "rtt"));
        assert!(loss(&host) < 0.1, "{host}");
        assert!(took >= least - MOMENT_MS && took < least + 100.0, "{host}: {took} ms instead of {least}");
    }
}

/// A name with addresses of both families, of which each test leaves one to be reached.
const BOTH: &str = r#"
ip link set lo up
printf '%s dual.lab.test\n%s dual.lab.test\n' "$1" "$2" >"$3/hosts"
mount --bind "$3/hosts" /etc/hosts
printf 'hosts: files\n' >"$3/nsswitch"
mount --bind "$3/nsswitch" /etc/nsswitch.conf
shift 3
exec "$@"
"#;

#[test]
fn a_name_of_both_families_is_pinged_by_the_one_that_is_asked_for() {
    let loops = [("127.0.0.1", "2001:db8::1"), ("192.0.2.1", "::1")];
    for (reached, (four, six)) in ["ipv4", "ipv6"].into_iter().zip(loops) {
        let folder = tempfile::tempdir().expect("a folder");
        let host = |family: &str| {
            format!(
                "[[host]]\nname = \"{family}\"\naddress = \"dual.lab.test\"\nchecks = [{{ kind = \"icmp\", family = \"{family}\", attempts = 1, timeout = \"2s\" }}]\n"
            )
        };
        let file = folder.path().join("noctty.toml");
        fs::write(&file, [host("ipv4"), host("ipv6")].concat()).expect("written");
        let flags = if getuid().is_root() { "-nm" } else { "-Urnm" };
        let output = Command::new("unshare")
            .args([flags, "/bin/sh", "-ec", BOTH, "sh", four, six])
            .arg(folder.path())
            .args([env!("CARGO_BIN_EXE_noctty"), "check", "--json", "--config"])
            .arg(&file)
            .env("HOME", folder.path())
            .output()
            .expect("unshare of util-linux runs");
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
        for family in ["ipv4", "ipv6"] {
            assert_eq!(metric(&told, family, "rtt").is_some(), family == reached, "{reached}: {told:#}");
        }
    }
}
