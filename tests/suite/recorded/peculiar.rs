//! One agent that does all that agents have been seen to do, and what `noctty ports --json` makes of it, field by field.

use std::fmt::Write as _;

use noctty::base::text;
use serde_json::json;

use super::*;

/// Columns of ifTable and ifXTable.
const DESCR: &str = "1.3.6.1.2.1.2.2.1.2";
const TYPE: &str = "1.3.6.1.2.1.2.2.1.3";
const MTU: &str = "1.3.6.1.2.1.2.2.1.4";
const SPEED: &str = "1.3.6.1.2.1.2.2.1.5";
const ADDRESS: &str = "1.3.6.1.2.1.2.2.1.6";
const ADMIN: &str = "1.3.6.1.2.1.2.2.1.7";
const OPER: &str = "1.3.6.1.2.1.2.2.1.8";
const IN_OCTETS: &str = "1.3.6.1.2.1.2.2.1.10";
const IN_ERRORS: &str = "1.3.6.1.2.1.2.2.1.14";
const OUT_OCTETS: &str = "1.3.6.1.2.1.2.2.1.16";
const NAME: &str = "1.3.6.1.2.1.31.1.1.1.1";
const HC_IN: &str = "1.3.6.1.2.1.31.1.1.1.6";
const HC_OUT: &str = "1.3.6.1.2.1.31.1.1.1.10";
const HIGH_SPEED: &str = "1.3.6.1.2.1.31.1.1.1.15";
const ALIAS: &str = "1.3.6.1.2.1.31.1.1.1.18";
const DUPLEX: &str = "1.3.6.1.2.1.10.7.2.1.19";

/// A recording that is made here: rows by column, in the order in which they are said.
#[derive(Default)]
struct Made {
    columns: BTreeMap<Vec<u32>, Vec<String>>,
}

impl Made {
    fn say(&mut self, column: &str, row: &str, tag: &str, value: &str) -> &mut Self {
        let key = recording::name(column).expect("an identifier");
        self.columns.entry(key).or_default().push(format!("{column}.{row}|{tag}|{value}"));
        self
    }

    /// A port as most are: up, a gigabit, with a name.
    fn plain(&mut self, index: u32) -> &mut Self {
        let row = index.to_string();
        self.say(DESCR, &row, "4", &format!("port {index}")).say(TYPE, &row, "2", "6").say(MTU, &row, "2", "1500");
        self.say(SPEED, &row, "66", "1000000000").say(ADMIN, &row, "2", "1").say(OPER, &row, "2", "1");
        self.say(NAME, &row, "4", &format!("p{index}")).say(HIGH_SPEED, &row, "66", "1000");
        self.say(HC_IN, &row, "70", "5").say(HC_OUT, &row, "70", "6")
    }

    /// Says it of a port in place of what was said before.
    fn but(&mut self, column: &str, index: u32, tag: &str, value: &str) -> &mut Self {
        self.without(column, index).say(column, &index.to_string(), tag, value)
    }

    fn without(&mut self, column: &str, index: u32) -> &mut Self {
        let key = recording::name(column).expect("an identifier");
        let start = format!("{column}.{index}|");
        self.columns.entry(key).or_default().retain(|line| !line.starts_with(&start));
        self
    }

    fn recording(&self) -> Arc<Recording> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("made.snmprec");
        let mut text = String::new();
        for line in self.columns.values().flatten() {
            let _ = writeln!(text, "{line}");
        }
        std::fs::write(&path, text).expect("written");
        Arc::new(Recording::read(&path))
    }

    fn look(&self) -> Value {
        look(Agent::start(self.recording()).address, "made")
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"))
}

/// Every field that is named here has that value on the port with that ifIndex.
fn has(document: &Value, index: u32, want: &Value) {
    let ports = document["ports"].as_array().expect("ports");
    let port = ports.iter().find(|port| port["index"] == index).unwrap_or_else(|| panic!("no port {index}"));
    for (field, value) in want.as_object().expect("fields") {
        assert_eq!(&port[field], value, "{field} of {index}");
    }
}

#[test]
fn what_real_agents_do_comes_out_right_or_null() {
    let mut made = Made::default();
    let description = [&b"caf\xe9\r\nrelease 5 "[..], &[b'd'; 239]].concat();
    made.say("1.3.6.1.2.1.1.1", "0", "4x", &hex(&description));
    made.say("1.3.6.1.2.1.1.2", "0", "4", "1.3.6.1.4.1.99999.7");
    made.say("1.3.6.1.2.1.1.3", "0", "67", "360000");
    // Out of order, with gaps, with 0 and beyond 31 bits.
    let order =
        [7, 5, 0, 17, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
    for index in order.into_iter().chain([30, 31, 4_000, 3_000_000_000]) {
        made.plain(index);
    }
    made.but(HIGH_SPEED, 0, "66", "0");
    made.but(SPEED, 2, "66", "4294967295").but(HIGH_SPEED, 2, "66", "10000");
    made.but(SPEED, 3, "66", "4294967295").but(HIGH_SPEED, 3, "66", "0");
    made.but(SPEED, 4, "66", "100000000").but(HIGH_SPEED, 4, "66", "4294901759");
    made.but(HIGH_SPEED, 5, "66", "10000");
    made.but(SPEED, 6, "4", "1000000000").but(HIGH_SPEED, 6, "66", "0").say(IN_ERRORS, "6", "70", "7");
    made.but(ADMIN, 7, "5", "").but(OPER, 7, "2", "0").but(TYPE, 7, "5", "");
    made.but(OPER, 8, "2", "6").but(OPER, 9, "2", "7").but(OPER, 10, "2", "5").but(ADMIN, 11, "2", "2");
    made.say(ADDRESS, "12", "4", "").say(ADDRESS, "13", "4x", "0011223344556677");
    made.say(ADDRESS, "14", "4", "00:11:22:33:44:5f").say(ADDRESS, "15", "4x", "001122334455");
    made.but(MTU, 15, "2", "-1").but(MTU, 16, "2", "2147483647");
    made.say(DUPLEX, "17", "2", "0").say(DUPLEX, "15", "2", "3").say(DUPLEX, "16", "2", "2");
    made.but(TYPE, 18, "2", "24").say(DUPLEX, "18", "2", "3");
    made.say(ALIAS, "19", "4", "").say(ALIAS, "20", "4x", "00").say(ALIAS, "21", "4", "\"\"");
    made.say(ALIAS, "22", "4x", "2020202020").say(ALIAS, "2", "4", "to the core");
    made.but(DESCR, 23, "4x", &hex(b"Gig\r\nabit\0\0"));
    for twice in [24, 25] {
        made.but(DESCR, twice, "4", "Ethernet").without(NAME, twice);
    }
    made.but(HC_IN, 26, "70", "18446744073709551615");
    made.without(HC_IN, 27).without(HC_OUT, 27).say(IN_OCTETS, "27", "65", "11").say(OUT_OCTETS, "27", "65", "12");
    for column in [DESCR, TYPE, MTU, SPEED, ADMIN, OPER] {
        made.without(column, 28);
    }
    for column in [NAME, HIGH_SPEED, HC_IN, HC_OUT] {
        made.without(column, 29);
    }
    made.say(ALIAS, "30", "4", &"x".repeat(11_000)).without(DESCR, 31);
    let long: Vec<String> = (0..103).map(|arc| arc.to_string()).collect();
    made.say(NAME, &long.join("."), "4", "nothing that has a number");
    // Bridge ports that are no ifIndexes.
    made.say("1.3.6.1.2.1.17.1.4.1.2", "1", "2", "4000").say("1.3.6.1.2.1.17.1.4.1.2", "2", "2", "30");
    made.say("1.3.6.1.2.1.17.7.1.4.5.1.1", "1", "66", "10").say("1.3.6.1.2.1.17.7.1.4.5.1.1", "2", "66", "20");

    let document = made.look();
    let device = &document["device"];
    assert_eq!(device["description"], format!("hex:{}", hex(&description)));
    assert_eq!((&device["object_id"], &device["name"]), (&json!("1.3.6.1.4.1.99999.7"), &Value::Null));
    assert_eq!(document["ports"].as_array().map(Vec::len), Some(order.len() + 4), "{:#?}", document["ports"]);
    let usual = json!({"name": "p4000", "description": "port 4000", "type": 6, "admin": "up", "oper": "up", "state": "up",
        "speed_bps": 1_000_000_000u64, "mtu": 1500, "mac": null, "duplex": null, "alias": null, "vlan": 10, "in_octets": 5,
        "out_octets": 6, "in_errors": null, "poe": null, "neighbors": [], "reason": null, "last_change": null});
    has(&document, 4_000, &usual);
    has(&document, 3_000_000_000, &json!({"name": "p3000000000", "oper": "up", "speed_bps": 1_000_000_000u64}));
    has(&document, 0, &json!({"name": "p0", "speed_bps": 1_000_000_000u64}));
    has(&document, 2, &json!({"speed_bps": 10_000_000_000u64, "alias": "to the core"}));
    has(&document, 3, &json!({"speed_bps": null}));
    has(&document, 4, &json!({"speed_bps": 100_000_000u64}));
    has(&document, 5, &json!({"name": "p5", "speed_bps": 10_000_000_000u64}));
    has(&document, 6, &json!({"speed_bps": 1_000_000_000u64, "in_errors": 7}));
    has(&document, 7, &json!({"admin": null, "oper": null, "state": "unknown", "type": null}));
    has(&document, 8, &json!({"oper": "notPresent", "state": "missing-module"}));
    has(&document, 9, &json!({"oper": "lowerLayerDown", "state": "lower-layer-down"}));
    has(&document, 10, &json!({"oper": "dormant", "state": "dormant"}));
    has(&document, 11, &json!({"admin": "down", "oper": "up", "state": "admin-down"}));
    for (index, mac) in [(12, None), (13, None), (14, Some("00:11:22:33:44:5f")), (15, Some("00:11:22:33:44:55"))] {
        has(&document, index, &json!({"mac": mac}));
    }
    has(&document, 15, &json!({"mtu": null, "duplex": "full"}));
    has(&document, 16, &json!({"mtu": null, "duplex": "half"}));
    has(&document, 17, &json!({"name": "p17", "duplex": null}));
    has(&document, 18, &json!({"type": 24, "duplex": null}));
    for index in [19, 20, 21, 22] {
        has(&document, index, &json!({"alias": null}));
    }
    has(&document, 23, &json!({"description": "Gig\r\nabit"}));
    for index in [24, 25] {
        has(&document, index, &json!({"description": "Ethernet", "name": null}));
    }
    has(&document, 26, &json!({"in_octets": u64::MAX}));
    has(&document, 27, &json!({"in_octets": 11, "out_octets": 12}));
    has(
        &document,
        28,
        &json!({"name": "p28", "description": null, "admin": null, "oper": null, "speed_bps": 1_000_000_000u64}),
    );
    has(
        &document,
        29,
        &json!({"name": null, "description": "port 29", "speed_bps": 1_000_000_000u64, "in_octets": null}),
    );
    has(&document, 30, &json!({"alias": "x".repeat(text::LIMIT), "vlan": 20}));
    has(&document, 31, &json!({"name": "p31", "description": null}));
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains("ifSpeed and ifHighSpeed contradict each other on p5"), "{warnings}");
}

#[test]
fn agents_without_the_newer_table_or_its_wide_counters_have_the_rest() {
    for columns in [&[NAME, HIGH_SPEED, HC_IN, HC_OUT][..], &[HC_IN, HC_OUT]] {
        let mut made = Made::default();
        for index in 1..=1_829 {
            made.plain(index);
            for column in columns {
                made.without(column, index);
            }
        }
        made.say(IN_OCTETS, "7", "65", "11").say(OUT_OCTETS, "7", "65", "12");
        let document = made.look();
        assert_eq!(document["ports"].as_array().map(Vec::len), Some(1_829));
        let name = if columns.contains(&NAME) { Value::Null } else { "p7".into() };
        let want = json!({"name": name, "description": "port 7", "speed_bps": 1_000_000_000u64, "in_octets": 11, "out_octets": 12});
        has(&document, 7, &want);
        has(&document, 1_829, &json!({"oper": "up", "in_octets": null}));
        assert!(document["warnings"].to_string().contains("no 64-bit counters"), "{}", document["warnings"]);
    }
}
