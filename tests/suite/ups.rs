//! A site's hosts die while its UPS is on battery: that stands beside each of them, on the screen and in `noctty check --json`.
//! snmpd serves UPS-MIB (RFC 1628) by a script, in a network namespace whose hosts lose their addresses as they would their power.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use super::peer::until;
use super::uplink::{Lab, leave};

/// Batteries normal, forty seconds on them, half an hour left, on battery, one line of output, one alarm. In the order of the MIB.
const ON_BATTERY: &str = "\
.1.3.6.1.2.1.33.1.2.1.0 integer 2
.1.3.6.1.2.1.33.1.2.2.0 integer 40
.1.3.6.1.2.1.33.1.2.3.0 integer 30
.1.3.6.1.2.1.33.1.2.4.0 integer 80
.1.3.6.1.2.1.33.1.4.1.0 integer 5
.1.3.6.1.2.1.33.1.4.4.1.5.1 integer 20
.1.3.6.1.2.1.33.1.6.1.0 gauge 1
";

/// What snmpd asks for each object: `-g OID` for its value, `-n OID` for the next one.
const PASS: &str = r#"
awk -v how="$1" -v oid="$2" '
function order(a, b,   x, y, n, m, i) {
    n = split(substr(a, 2), x, "."); m = split(substr(b, 2), y, ".")
    for (i = 1; i <= n && i <= m; i++) if (x[i] + 0 != y[i] + 0) return x[i] - y[i]
    return n - m
}
(how == "-g" && $1 == oid) || (how == "-n" && order($1, oid) > 0) { print $1; print $2; print $3; exit }
' "${0%.sh}.objects"
"#;

const AGENT: &str = "
nsenter --target $far --net -- env SNMP_PERSISTENT_DIR=$lab/persistent MIBS= \
    snmpd -f -Lo -C -I -smux -c $lab/snmpd.conf > $lab/snmpd.log 2>&1 &
more=$!
";

/// `ups1` at 10.8.0.1, and three hosts at the same site.
fn equip(lab: &Lab) {
    let pass = lab.path("ups.sh").display().to_string();
    let agent = format!("agentAddress udp:10.8.0.1:161\nrocommunity lab-secret\npass .1.3.6.1.2.1.33 /bin/sh {pass}\n");
    let mut config = "[[host]]\nname = \"ups1\"\naddress = \"10.8.0.1\"\nsite = \"fra1\"\n\
                      snmp = { version = \"2c\", community = { file = \"community\" } }\n"
        .to_owned();
    for n in 2..=4 {
        let check = "{ kind = \"icmp\", interval = \"2s\" }";
        config.push_str(&format!(
            "[[host]]\nname = \"h{n}\"\naddress = \"10.8.0.{n}\"\nsite = \"fra1\"\nchecks = [{check}]\n"
        ));
    }
    let program = env!("CARGO_BIN_EXE_noctty");
    let checks = format!(
        "'{program}' check --json --config \"$1/noctty.toml\" > \"$1/check.part\"\nmv \"$1/check.part\" \"$1/check.json\"\n"
    );
    for (name, text) in [
        ("ups.sh", PASS),
        ("ups.objects", ON_BATTERY),
        ("snmpd.conf", &agent),
        ("community", "lab-secret\n"),
        ("more.sh", AGENT),
        ("noctty.toml", &config),
        ("check.sh", &checks),
    ] {
        fs::write(lab.path(name), text).expect("written");
    }
    fs::set_permissions(lab.path("community"), fs::Permissions::from_mode(0o600)).expect("mode");
}

/// What `noctty check --json` says of problems, by their targets.
fn reason(document: &Path, target: &str) -> String {
    let document: Value = serde_json::from_slice(&fs::read(document).expect("it is there")).expect("it is JSON");
    let problems = document["problems"].as_array().expect("a list");
    let problem = problems.iter().find(|problem| problem["target"] == target);
    let reason = problem.unwrap_or_else(|| panic!("{target} has no problem: {document:#}"));
    reason["reason"].as_str().expect("a text").to_owned()
}

#[test]
fn that_the_ups_of_a_site_is_on_battery_stands_beside_its_hosts_that_die() {
    let lab = Lab::new();
    equip(&lab);
    let console = lab.console(&["--config".to_owned(), lab.path("noctty.toml").display().to_string()]);
    console.until("the hosts are up", |c| (2..=4).all(|n| c.text().contains(&format!("● h{n} "))));
    console.shows("on battery");
    for n in 2..=4 {
        lab.does(&format!("there ip addr del 10.8.0.{n}/32 dev far"));
    }
    console.until("each says so", |c| c.text().matches("2 others at fra1 fell within 90 s · ups1").count() >= 3);
    // One cycle of checks knows nothing of a before, and says what it sees.
    lab.does(&format!("sh {} {}", lab.path("check.sh").display(), lab.path(".").display()));
    let document = lab.path("check.json");
    until("the checks are done", || document.exists());
    for host in ["h2", "h3", "h4"] {
        let reason = reason(&document, host);
        assert!(reason.contains("ups1 at the same site on battery since "), "{host}: {reason}");
        assert!(!reason.contains("others"), "{host}: {reason}");
    }
    leave(console);
}
