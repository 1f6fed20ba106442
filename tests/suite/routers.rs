//! `noctty ports --json` against a router of real daemons: FRR's bgpd and ospfd and lldpd, all subagents of one net-snmp
//! agent, and a second router at the other end of the cable. All of it in network namespaces that the script makes.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// `near` is the router that is asked, in the script's own namespace; `far` is the other. FRR and lldpd change to users of
/// their own, so this needs root.
const LAB: &str = r#"
PATH=$PATH:/usr/sbin:/sbin:/usr/lib/frr
set -eu
mount -t tmpfs tmpfs /run/frr
ip link set lo up
children=
trap 'kill $children 2>/dev/null; wait' EXIT
start() { log=$1; shift; "$@" >"$DIR/$log.log" 2>&1 </dev/null & children="$children $!"; }
wait_for() { # what command...
    what=$1; shift
    for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
    echo "not within a minute: $what" >&2; tail -n 20 "$DIR"/*.log >&2; exit 1
}
start far unshare --net -- sleep 600
far=$!
apart() { [ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/$far/ns/net)" ]; }
wait_for "a second namespace" apart
there() { nsenter --target $far --net -- "$@"; }
there ip link set lo up
ip link add near type veth peer name far
ip link set far netns $far
ip addr add 10.99.0.1/24 dev near; ip link set dev near alias "to the far router" up
there ip addr add 10.99.0.2/24 dev far; there ip link set far up

mkdir -p "$DIR/snmp" "$DIR/near" "$DIR/far"
cat >"$DIR/snmpd.conf" <<E
agentAddress udp:127.0.0.1:1161
rocommunity lab 127.0.0.0/8
sysName near-router
disk / 5%
master agentx
agentXSocket $DIR/agentx.sock
agentXPerms 0777 0777
E
# FRR finds the master agent by net-snmp's own configuration.
for name in frr snmp; do echo "agentXSocket $DIR/agentx.sock" >"$DIR/snmp/$name.conf"; done
SNMP_PERSISTENT_DIR=$DIR/persist start snmpd snmpd -f -Lo -C -c "$DIR/snmpd.conf" -x "$DIR/agentx.sock"
wait_for "the master agent" test -S "$DIR/agentx.sock"

frr() { # name own other
    cat >"$DIR/$1/frr.conf" <<E
hostname $1-router
$([ "$1" = far ] || echo agentx)
interface $1
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 3
router bgp 6500$2
 bgp router-id 10.99.0.$2
 no bgp ebgp-requires-policy
 neighbor 10.99.0.$3 remote-as 6500$3
 neighbor 10.99.0.$3 timers 1 3
 neighbor 10.99.0.$3 timers connect 1
 address-family ipv4 unicast
  network 192.0.2.$2/32
 exit-address-family
router ospf
 ospf router-id 10.99.0.$2
 network 10.99.0.0/24 area 0
E
    chown -R frr:frr "$DIR/$1"
}
frr near 1 2
frr far 2 1
daemons() { # name wrapper snmp-options...
    name=$1 in=$2; shift 2
    common="--vty_socket $DIR/$name -z $DIR/$name/zserv.api -f $DIR/$name/frr.conf --log stdout"
    start "$name-zebra" $in /usr/lib/frr/zebra $common -i "$DIR/$name/zebra.pid"
    wait_for "zebra of $name" test -S "$DIR/$name/zserv.api"
    start "$name-bgpd" $in /usr/lib/frr/bgpd $common "$@" -n -p 179 -i "$DIR/$name/bgpd.pid"
    start "$name-ospfd" $in /usr/lib/frr/ospfd $common "$@" -i "$DIR/$name/ospfd.pid"
}
export SNMPCONFPATH=$DIR/snmp
daemons near "" -M snmp
daemons far "nsenter --target $far --net --"
unset SNMPCONFPATH
start near-lldpd lldpd -d -x -X "$DIR/agentx.sock" -u "$DIR/near.lldp" -S "near system" -I near
start far-lldpd nsenter --target $far --net -- lldpd -d -u "$DIR/far.lldp" -S "far system" -I far
for name in near far; do
    wait_for "lldpd of $name" test -S "$DIR/$name.lldp"
    # Each speaks when it is told something new.
    wait_for "lldpd of $name" lldpcli -u "$DIR/$name.lldp" configure lldp tx-interval 1
done

get() { snmpget -v2c -c lab -t 2 -r 1 -OqvU 127.0.0.1:1161 "$1" 2>/dev/null; }
walk() { snmpbulkwalk -v2c -c lab -t 2 -r 1 -OnQUe 127.0.0.1:1161 "$1"; }
is() { [ "$(get "$1")" = "$2" ]; }
wait_for "BGP" is 1.3.6.1.2.1.15.3.1.2.10.99.0.2 6
wait_for "OSPF" is 1.3.6.1.2.1.14.10.1.6.10.99.0.2.0 8
heard() { walk 1.0.8802.1.1.2.1.4.1.1.9 | grep -q '= "'; }
wait_for "a neighbor by LLDP" heard
"$NOCTTY" ports 127.0.0.1:1161 --json >"$DIR/up.json"
walk 1.3.6.1.2.1.4.22.1.2 >"$DIR/arp"
walk 1.3.6.1.2.1.25.2.3.1 >"$DIR/storage"
walk 1.3.6.1.4.1.2021.4 >"$DIR/memory"
walk 1.0.8802.1.1.2.1.4.1.1 >"$DIR/lldp"

there ip link set far down
gone() { ! is 1.3.6.1.2.1.15.3.1.2.10.99.0.2 6 && ! walk 1.3.6.1.2.1.14.10.1.6 | grep -q 10.99.0.2; }
wait_for "the loss of both" gone
"$NOCTTY" ports 127.0.0.1:1161 --json >"$DIR/down.json" || true
"#;

/// What net-snmp's own walk printed: the part of the name behind `root`, and the value.
fn walked(folder: &Path, file: &str, root: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder.join(file)).expect("the script wrote it");
    let lines = text.lines().filter_map(|line| line.strip_prefix('.')?.strip_prefix(root)?.split_once(" = "));
    let clean = |value: &str| value.trim().trim_matches('"').trim().to_owned();
    lines.map(|(name, value)| (name.trim_start_matches('.').to_owned(), clean(value))).collect()
}

fn document(folder: &Path, file: &str) -> Value {
    let text = std::fs::read(folder.join(file)).expect("the script wrote it");
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&text)))
}

fn port<'a>(document: &'a Value, name: &str) -> &'a Value {
    let ports = document["ports"].as_array().expect("ports");
    ports.iter().find(|p| p["name"] == name).unwrap_or_else(|| panic!("no port {name}"))
}

#[test]
fn a_router_of_real_daemons_is_printed_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    // The daemons' own users must get through.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("permissions");
    let script = folder.path().join("lab.sh");
    std::fs::write(&script, LAB).expect("written");
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("unshare")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", "--preserve-env=NOCTTY,DIR,HOME,MIBS,NOCTTY_COMMUNITY", "unshare"]);
        sudo
    };
    let output = command
        .args(["--net", "--mount", "--", "bash"])
        .arg(&script)
        .env("NOCTTY", env!("CARGO_BIN_EXE_noctty"))
        .env("DIR", folder.path())
        .env("HOME", folder.path())
        .env("MIBS", "")
        .env("NOCTTY_COMMUNITY", "lab")
        .output()
        .expect("unshare runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{}", String::from_utf8_lossy(&output.stdout));
    let up = document(folder.path(), "up.json");
    assert_eq!(up["complete"], true, "{}", up["warnings"]);
    peers(&up);
    neighbor(folder.path(), &up);
    stations_and_storage(folder.path(), &up);

    let down = document(folder.path(), "down.json");
    assert_eq!(down["ospf"], Value::Array(Vec::new()));
    assert_ne!(down["bgp"][0]["state"], "established");
    assert_eq!(down["bgp"][0]["admin"], "start");
}

fn peers(up: &Value) {
    let bgp = &up["bgp"][0];
    assert_eq!((&bgp["peer"], &bgp["remote_as"]), (&"10.99.0.2".into(), &65_002.into()));
    assert_eq!((&bgp["state"], &bgp["admin"]), (&"established".into(), &"start".into()));
    assert_eq!(bgp["established_transitions"], 1);
    assert!(bgp["in_state_s"].as_f64().is_some_and(|s| s < 120.0), "{bgp}");
    let ospf = &up["ospf"][0];
    assert_eq!((&ospf["neighbor"], &ospf["router_id"]), (&"10.99.0.2".into(), &"10.99.0.2".into()));
    assert_eq!(ospf["state"], "full");
}

fn neighbor(folder: &Path, up: &Value) {
    let rows = walked(folder, "lldp", "1.0.8802.1.1.2.1.4.1.1");
    let told = |column: &str| {
        let found = rows.iter().find(|(name, _)| name.starts_with(&format!("{column}.")));
        found.map(|(_, value)| value.clone())
    };
    let neighbors = port(up, "near")["neighbors"].as_array().expect("a list");
    assert_eq!(neighbors.len(), 1, "{neighbors:?}");
    let neighbor = &neighbors[0];
    assert_eq!(neighbor["protocol"], "lldp");
    assert_eq!(neighbor["name"].as_str(), told("9").as_deref());
    assert_eq!((&neighbor["port_description"], &neighbor["platform"]), (&"far".into(), &"far system".into()));
    let hex = |text: String| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(":");
    assert_eq!(neighbor["chassis_mac"].as_str(), told("5").map(hex).as_deref());
    assert_eq!(neighbor["port"].as_str(), told("7").map(hex).as_deref());
    assert_eq!(neighbor["address"], "10.99.0.2");
    assert_eq!(up["neighbors"], Value::Array(Vec::new()));
}

fn stations_and_storage(folder: &Path, up: &Value) {
    let arp = walked(folder, "arp", "1.3.6.1.2.1.4.22.1.2");
    let printed = up["arp"].as_array().expect("a list");
    assert!(printed.iter().any(|e| e["address"] == "10.99.0.2" && e["port"] == "near"), "{printed:?}");
    for entry in printed.iter().filter(|e| e["address"].as_str().is_some_and(|a| a.contains('.'))) {
        let address = entry["address"].as_str().expect("text");
        assert!(arp.keys().any(|row| row.ends_with(address)), "{address} is not in {arp:?}");
    }
    let storage = walked(folder, "storage", "1.3.6.1.2.1.25.2.3.1");
    let cell = |column: u32, row: &str| {
        let digits = storage.get(&format!("{column}.{row}"))?;
        digits.split(' ').next()?.parse::<u64>().ok()
    };
    let mut seen = 0;
    for (name, kind) in &storage {
        let Some(row) = name.strip_prefix("2.") else { continue };
        let list = match kind.strip_prefix(".1.3.6.1.2.1.25.2.1.") {
            Some("2" | "3") => "memory",
            Some("4") => "storage",
            _ => continue,
        };
        let (Some(unit), Some(size)) = (cell(4, row), cell(5, row)) else { continue };
        let name = storage.get(&format!("3.{row}")).expect("a name");
        let pools = up[list].as_array().expect("a list");
        let pool = pools.iter().find(|p| p["name"] == name.as_str()).unwrap_or_else(|| panic!("no {name}: {pools:?}"));
        assert_eq!(pool["total_bytes"].as_u64(), Some(unit * size).filter(|bytes| *bytes > 0), "{name}");
        assert!(pool["used_bytes"].is_u64(), "{name}");
        seen += 1;
    }
    assert!(seen >= 3, "{storage:?}");
    let memory = walked(folder, "memory", "1.3.6.1.4.1.2021.4");
    let total: u64 = memory["5.0"].split(' ').next().and_then(|n| n.parse().ok()).expect("kilobytes");
    let pools = up["memory"].as_array().expect("a list");
    let real = pools.iter().find(|p| p["name"] == "real memory without buffers and cache").expect("UCD's memory");
    assert_eq!(real["total_bytes"], total * 1024);
    assert!(real["used_bytes"].as_u64() < Some(total * 1024));
    assert!(up["load"].as_array().is_some_and(|load| load.len() == 3));
}
