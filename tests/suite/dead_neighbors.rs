//! Two switches die that a third one leads to. What they call themselves is no name of the inventory, so the links to them are theirs
//! by the management address of the one and by the chassis of the other. All three are snmpd and lldpd, in network namespaces; lldpd
//! changes to a user of its own, so this needs root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use noctty::base::Timestamp;
use noctty::model::Condition;
use noctty::report::check;
use noctty::state::Snapshot;
use serde_json::Value;
use tokio::sync::watch;

use super::console::PATIENCE;
use super::uplink::{Lab, leave};
use super::visitors::looked_at;

/// The core is the far end of the cable; beyond it are `acc1`, whose agent knows nothing of its lldpd, and `acc2`, whose agent does and
/// whose lldpd names a management address that the inventory does not have. Each calls itself `switch`.
const SWITCHES: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
alone=$(readlink /proc/self/ns/net) core=$far
patiently() {
    tries=0
    until "$@" >/dev/null 2>&1; do tries=$((tries + 1)); [ $tries -lt 600 ]; sleep 0.1; done
}
apart() { [ "$(readlink /proc/$1/ns/net)" != "$alone" ]; }
at() { where=$1; shift; nsenter --target $where --net -- "$@"; }
start() { log=$1; shift; "$@" >$lab/$log.log 2>&1 </dev/null & more="$more $!"; }
for n in 1 2; do
    unshare --net -- sleep 600 &
    switch=$!; eval "acc$n=$switch"; more="$more $switch"
    patiently apart $switch
    there ip link add down$n type veth peer name up$n
    there ip link set up$n netns $switch
    there ip addr add 10.8.1$n.1/24 dev down$n
    there ip link set down$n up
    at $switch ip addr add 10.8.1$n.2/24 dev up$n
    at $switch ip addr add 10.8.1$n.9/32 dev up$n
    at $switch ip link set up$n up
    at $switch ip route add default via 10.8.1$n.1
done
equip() { # name pid address ports management-address options-of-lldpd...
    name=$1 pid=$2 address=$3 ports=$4 management=$5; shift 5
    at $pid sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    cat >$lab/$name.conf <<E
agentAddress udp:$address:161
rocommunity lab-secret
sysName switch
master agentx
agentXSocket $lab/$name.agentx
agentXPerms 0777 0777
E
    start $name-snmpd nsenter --target $pid --net -- env SNMP_PERSISTENT_DIR=$lab/$name.persistent MIBS= \
        snmpd -f -Lo -C -I -smux -c $lab/$name.conf
    patiently test -S $lab/$name.agentx
    start $name-lldpd nsenter --target $pid --net -- lldpd -d -u $lab/$name.lldp -I $ports -m $management "$@"
    patiently test -S $lab/$name.lldp
    patiently lldpcli -u $lab/$name.lldp configure system hostname switch
    patiently lldpcli -u $lab/$name.lldp configure lldp tx-interval 1
}
acc1() { at $acc1 "$@"; }
acc2() { at $acc2 "$@"; }
equip core $core 10.9.0.2 down1,down2 10.9.0.2 -x -X $lab/core.agentx
equip acc1 $acc1 10.8.11.2 up1 10.8.11.2
equip acc2 $acc2 10.8.12.2 up2 10.8.12.9 -x -X $lab/acc2.agentx
heard() { [ "$(snmpbulkwalk -v2c -c lab-secret -OqvU 10.9.0.2 1.0.8802.1.1.2.1.4.1.1.9 | grep -c switch)" = 2 ]; }
patiently heard
"#;

const HOSTS: [(&str, &str); 3] = [("core1", "10.9.0.2"), ("fra1-acc1", "10.8.11.2"), ("fra1-acc2", "10.8.12.2")];

fn equip(lab: &Lab) {
    let mut config = String::new();
    for (name, address) in HOSTS {
        config.push_str(&format!(
            "[[host]]\nname = \"{name}\"\naddress = \"{address}\"\n\
             checks = [{{ kind = \"icmp\", interval = \"1s\" }}, {{ kind = \"ports\", interval = \"3s\" }}]\n\
             snmp = {{ version = \"2c\", community = {{ file = \"community\" }} }}\n"
        ));
    }
    for (name, text) in [("more.sh", SWITCHES), ("community", "lab-secret\n"), ("noctty.toml", &config)] {
        fs::write(lab.path(name), text).expect("written");
    }
    for (name, mode) in [(".", 0o755), ("community", 0o600)] {
        fs::set_permissions(lab.path(name), fs::Permissions::from_mode(mode)).expect("mode");
    }
}

/// All three answer, and the core has walked the links to the others.
fn is_well(shown: &Snapshot) -> bool {
    let well = shown.hosts.iter().filter(|host| host.condition == Condition::Ok && host.last_seen.is_some());
    well.count() == 3 && shown.devices.len() == 3
}

/// The others are down, and the core has found its links to them lost.
fn is_known(shown: &Snapshot) -> bool {
    let down = shown.hosts.iter().filter(|host| host.is_down()).count();
    let core = shown.devices.iter().find(|device| &*device.host.name == HOSTS[0].0);
    let lost = core.map(|core| core.ports.iter().filter(|port| port.condition.is_problem()).count());
    (down, lost) == (2, Some(2))
}

/// What stands for itself, and what is behind it, each with whether that is inferred.
fn told(shown: &Snapshot) -> (Vec<String>, Vec<(String, String, bool)>) {
    let document: Value = serde_json::from_str(&check::json(shown, Timestamp(0), &[])).expect("it is JSON");
    let list = |name: &str| document[name].as_array().expect("a list").clone();
    let text = |row: &Value, key: &str| row[key].as_str().expect("a text").to_owned();
    let mut problems: Vec<_> = list("problems").iter().map(|row| text(row, "target")).collect();
    let behind = |row: &Value| (text(row, "target"), text(row, "behind"), row["inferred"].as_bool().expect("known"));
    let mut consequences: Vec<_> = list("consequences").iter().map(behind).collect();
    problems.sort();
    consequences.sort();
    (problems, consequences)
}

async fn until(shown: &mut watch::Receiver<Snapshot>, holds: fn(&Snapshot) -> bool) -> Snapshot {
    let found = tokio::time::timeout(PATIENCE, shown.wait_for(holds)).await;
    found.expect("in time").expect("it runs").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_links_to_switches_that_die_are_behind_them_by_address_and_by_chassis() {
    assert!(rustix::process::geteuid().is_root(), "lldpd changes to a user of its own: this test runs as root only");
    let lab = Lab::new();
    equip(&lab);
    let console = lab.console(&["--config".to_owned(), lab.path("noctty.toml").display().to_string()]);
    let mut shown = looked_at(&lab.path("home/state/engine.sock")).await;
    until(&mut shown, is_well).await;
    for n in 1..=2 {
        lab.does(&format!("acc{n} ip link set up{n} down"));
    }
    let known = until(&mut shown, is_known).await;
    let (problems, consequences) = told(&known);
    assert_eq!(problems, ["fra1-acc1", "fra1-acc2"]);
    let link = |n: usize| (format!("core1/down{n}"), format!("fra1-acc{n}"), true);
    assert_eq!(consequences, [link(1), link(2)]);
    console.until("the screen says so", |c| c.text().matches("1 behind it").count() == 2);
    leave(console);
}
