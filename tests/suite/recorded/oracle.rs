//! What a recording says, field by field, and where a document of the program says otherwise. Only what the MIBs leave no
//! doubt about is held against it: where a table of a recording contradicts itself, its fields are left out here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::recording::{Name, Recorded, Recording};

/// Differences, and how many fields were compared.
#[derive(Debug, Default)]
pub struct Verdict {
    pub differences: Vec<String>,
    pub compared: BTreeMap<&'static str, usize>,
}

pub struct Oracle<'a> {
    recording: &'a Recording,
    document: &'a Value,
    /// ifIndexes, and the ports of the document.
    ports: BTreeMap<u32, &'a Value>,
    verdict: Verdict,
}

/// Holds the document to the recording.
pub fn compare(recording: &Recording, document: &Value) -> Verdict {
    let ports = rows(&document["ports"]).map(|port| (number(&port["index"]) as u32, port)).collect();
    let mut oracle = Oracle { recording, document, ports, verdict: Verdict::default() };
    oracle.interfaces();
    oracle.ethernet();
    oracle.vlans();
    oracle.spanning_tree();
    oracle.lldp();
    oracle.cdp();
    oracle.lag();
    oracle.err_disabled();
    oracle.entities();
    oracle.sensors();
    oracle.hosts();
    oracle.ucd();
    oracle.routing();
    oracle.ups();
    oracle.arp();
    oracle.forwarding();
    oracle.verdict
}

fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(u64::MAX)
}

/// As the program prints text of a device.
fn text(octets: &[u8]) -> Option<String> {
    let end = octets.iter().rposition(|o| *o != 0)? + 1;
    let octets = &octets[..end];
    if octets.iter().all(|o| o.is_ascii_whitespace() || *o == 0) || octets == b"\"\"" {
        return None;
    }
    let hex = || octets.iter().fold("hex:".to_owned(), |text, o| format!("{text}{o:02x}"));
    Some(std::str::from_utf8(octets).map_or_else(|_| hex(), str::to_owned))
}

fn mac(octets: &[u8]) -> Option<String> {
    if octets.len() != 6 || octets == [0; 6] || octets == [0xff; 6] {
        return None;
    }
    Some(octets.iter().map(|o| format!("{o:02x}")).collect::<Vec<_>>().join(":"))
}

fn is_printable(octets: &[u8]) -> bool {
    std::str::from_utf8(octets).is_ok_and(|t| t.chars().all(|c| !c.is_control() || c == '\0'))
}

fn said(value: Option<&&Recorded>) -> Option<String> {
    text(value?.octets()?)
}

/// Arcs of one octet each.
fn octets(arcs: &[u32]) -> Option<Vec<u8>> {
    arcs.iter().map(|arc| u8::try_from(*arc).ok()).collect()
}

impl Oracle<'_> {
    fn same(&mut self, field: &'static str, what: impl std::fmt::Display, want: &Value, got: &Value) {
        *self.verdict.compared.entry(field).or_default() += 1;
        if want != got {
            self.verdict.differences.push(format!("{field} of {what}: recorded {want}, printed {got}"));
        }
    }

    fn close(&mut self, field: &'static str, what: impl std::fmt::Display, want: f64, got: &Value) {
        *self.verdict.compared.entry(field).or_default() += 1;
        let is_close = got.as_f64().is_some_and(|got| (got - want).abs() <= want.abs() * 1e-9 + 1e-12);
        if !is_close {
            self.verdict.differences.push(format!("{field} of {what}: recorded {want}, printed {got}"));
        }
    }

    fn sets<T: Ord + std::fmt::Debug>(&mut self, field: &'static str, want: &BTreeSet<T>, got: &BTreeSet<T>) {
        *self.verdict.compared.entry(field).or_default() += want.len();
        for one in want.difference(got).take(3) {
            self.verdict.differences.push(format!("{field}: recorded and not printed: {one:?}"));
        }
        for one in got.difference(want).take(3) {
            self.verdict.differences.push(format!("{field}: printed and not recorded: {one:?}"));
        }
    }

    /// A group that the agent's own order kept from coming in wholly proves nothing.
    fn is_whole(&self, group: &str) -> bool {
        rows(&self.document["tables"]).any(|t| t["group"] == group && t["incomplete"].is_null())
    }

    fn port(&self, index: u32) -> Option<&Value> {
        self.ports.get(&index).copied()
    }

    /// A field of every port whose row is in a column that is indexed by ifIndex.
    fn column(&mut self, field: &'static str, column: &BTreeMap<u32, Value>) {
        let ports: Vec<(u32, Value)> = self.ports.iter().map(|(i, p)| (*i, p[field].clone())).collect();
        for (index, got) in ports {
            if let Some(want) = column.get(&index) {
                self.same(field, index, want, &got);
            }
        }
    }

    fn interfaces(&mut self) {
        let texts = |root| -> BTreeMap<u32, Value> {
            let column = self.recording.by_number(root);
            column.iter().filter(|(_, v)| v.octets().is_some()).map(|(i, v)| (*i, said(Some(v)).into())).collect()
        };
        let words = |root, words: &[&str]| -> BTreeMap<u32, Value> {
            let word = |n: u64| words.get(usize::try_from(n).ok()?).filter(|w| !w.is_empty()).copied();
            let column = self.recording.by_number(root);
            column.iter().map(|(i, v)| (*i, v.number().and_then(word).into())).collect()
        };
        let oper = ["", "up", "down", "testing", "unknown", "dormant", "notPresent", "lowerLayerDown"];
        let (descriptions, names, aliases) =
            (texts("1.3.6.1.2.1.2.2.1.2"), texts("1.3.6.1.2.1.31.1.1.1.1"), texts("1.3.6.1.2.1.31.1.1.1.18"));
        let admin = words("1.3.6.1.2.1.2.2.1.7", &oper[..4]);
        let oper = words("1.3.6.1.2.1.2.2.1.8", &oper);
        self.column("description", &descriptions);
        self.column("name", &names);
        self.column("alias", &aliases);
        self.column("admin", &admin);
        self.column("oper", &oper);
    }

    fn ethernet(&mut self) {
        let mut errors = self.recording.by_number("1.3.6.1.2.1.10.7.2.1.3");
        errors.extend(self.recording.by_number("1.3.6.1.2.1.10.7.11.1.2"));
        let numbers = |column: &BTreeMap<u32, &Recorded>| -> BTreeMap<u32, Value> {
            column.iter().map(|(i, v)| (*i, v.number().into())).collect()
        };
        let errors = numbers(&errors);
        let late = numbers(&self.recording.by_number("1.3.6.1.2.1.10.7.2.1.8"));
        self.column("fcs_errors", &errors);
        self.column("late_collisions", &late);
    }

    /// Bridge ports that are ifIndexes of the device.
    fn bridge(&self) -> BTreeMap<u32, u32> {
        let column = self.recording.by_number("1.3.6.1.2.1.17.1.4.1.2");
        let known = |v: &Recorded| u32::try_from(v.number()?).ok().filter(|i| self.ports.contains_key(i));
        column.iter().filter_map(|(bridge, v)| Some((*bridge, known(v)?))).collect()
    }

    /// A column indexed by the bridge port, by ifIndex; `None` where its numbers are not all bridge ports.
    fn by_bridge_port(&self, root: &str) -> Option<BTreeMap<u32, u64>> {
        let bridge = self.bridge();
        let column = self.recording.by_number(root);
        let mapped: Option<Vec<(u32, Option<u64>)>> =
            column.iter().map(|(number, v)| Some((*bridge.get(number)?, v.number()))).collect();
        Some(mapped?.into_iter().filter_map(|(port, value)| Some((port, value?))).collect())
    }

    fn vlans(&mut self) {
        let vlan = |n: u64| (1..=4094).contains(&n).then_some(n);
        let mut expected: BTreeMap<u32, Value> = BTreeMap::new();
        if let Some(pvids) = self.by_bridge_port("1.3.6.1.2.1.17.7.1.4.5.1.1") {
            expected.extend(pvids.into_iter().filter_map(|(port, n)| Some((port, vlan(n)?.into()))));
        }
        let of = |root| -> BTreeMap<u32, u64> {
            let column = self.recording.by_number(root);
            column.iter().filter_map(|(i, v)| Some((*i, v.number()?))).collect()
        };
        let (native, trunking) = (of("1.3.6.1.4.1.9.9.46.1.6.1.1.5"), of("1.3.6.1.4.1.9.9.46.1.6.1.1.14"));
        for (port, n) in of("1.3.6.1.4.1.9.9.68.1.2.2.1.2") {
            expected.extend(vlan(n).map(|n| (port, n.into())));
        }
        for (port, n) in &native {
            if trunking.get(port) == Some(&1) {
                expected.extend(vlan(*n).map(|n| (*port, n.into())));
            }
        }
        if self.is_whole("vlans") {
            self.column("vlan", &expected);
        }
        let mut names: BTreeSet<(u64, Option<String>)> = BTreeSet::new();
        for (id, name) in self.recording.by_number("1.3.6.1.2.1.17.7.1.4.3.1.1") {
            names.extend(vlan(u64::from(id)).map(|id| (id, said(Some(&name)))));
        }
        for (row, name) in self.recording.column("1.3.6.1.4.1.9.9.46.1.3.1.1.4") {
            if let [_, id] = row[..] {
                names.extend(vlan(u64::from(id)).map(|id| (id, said(Some(&name)))));
            }
        }
        let printed = rows(&self.document["vlans"]).map(|v| (number(&v["id"]), v["name"].as_str().map(str::to_owned)));
        // VLANs that only the current table knows have no name.
        let printed: BTreeSet<_> = printed.filter(|v| v.1.is_some() || names.contains(v)).collect();
        self.sets("vlans", &names, &printed);
    }

    fn spanning_tree(&mut self) {
        let states = ["", "disabled", "blocking", "listening", "learning", "forwarding", "broken"];
        if let Some(column) = self.by_bridge_port("1.3.6.1.2.1.17.2.15.1.3") {
            let word = |n: u64| states.get(usize::try_from(n).ok()?).filter(|s| !s.is_empty()).copied();
            let column = column.into_iter().map(|(port, n)| (port, word(n).into())).collect();
            self.column("stp", &column);
        }
        let root = self.recording.scalar("1.3.6.1.2.1.17.2.5").and_then(|v| v.octets());
        if let Some(root) = root.filter(|root| root.len() == 8 && root.iter().any(|o| *o != 0)) {
            let address = root[2..].iter().map(|o| format!("{o:02x}")).collect::<Vec<_>>().join(":");
            let want = format!("{}/{address}", u16::from_be_bytes([root[0], root[1]]));
            self.same("spanning_tree", "the bridge", &want.into(), &self.document["spanning_tree"]["root"].clone());
        }
    }

    fn lldp(&mut self) {
        let of = |column: u32| self.recording.column(&format!("1.0.8802.1.1.2.1.4.1.1.{column}"));
        let (chassis, kinds, ids, names) = (of(5), of(6), of(7), of(9));
        let local = self.recording.by_number("1.0.8802.1.1.2.1.3.7.1.3");
        let kind_of_local = self.recording.by_number("1.0.8802.1.1.2.1.3.7.1.2");
        if !self.is_whole("lldp") {
            return;
        }
        let mut wanted = 0;
        for row in chassis.keys() {
            let [_, number, _] = row[..] else { continue };
            wanted += 1;
            let id = ids.get(row).and_then(|v| v.octets()).unwrap_or_default();
            let is_mac = kinds.get(row).and_then(|v| v.number()) == Some(3) || !is_printable(id);
            let port = if is_mac { mac(id) } else { None }.or_else(|| text(id));
            let want = (said(names.get(row)), port);
            // The agent's name for the port is that of exactly one interface.
            let words = local.get(&number).filter(|_| kind_of_local.get(&number).and_then(|v| v.number()) == Some(5));
            let words = said(words);
            let mut called =
                self.ports.iter().filter(|(_, p)| words.is_some() && p["name"].as_str() == words.as_deref());
            let place = match (called.next(), called.next()) {
                (Some((index, _)), None) => Some(*index),
                _ => None,
            };
            let found =
                self.ports.iter().any(|(index, p)| place.is_none_or(|at| at == *index) && has(p, "lldp", &want));
            let is_stray = place.is_none() && has(self.document, "lldp", &want);
            self.same("neighbors", format!("{row:?} {want:?}"), &true.into(), &(found || is_stray).into());
        }
        let printed: usize = self.ports.values().copied().chain([self.document]).map(|d| count(d, "lldp")).sum();
        self.same("neighbors", "lldp", &wanted.into(), &printed.into());
    }

    fn cdp(&mut self) {
        let of = |column: u32| self.recording.column(&format!("1.3.6.1.4.1.9.9.23.1.2.1.1.{column}"));
        let (devices, places) = (of(6), of(7));
        for (row, device) in &devices {
            let [index, _] = row[..] else { continue };
            let words =
                |octets: &[u8]| if is_printable(octets) { text(octets) } else { mac(octets).or_else(|| text(octets)) };
            let want = (device.octets().and_then(words), places.get(row).and_then(|v| v.octets()).and_then(words));
            let at = self.port(index).unwrap_or(self.document);
            self.same("neighbors", format!("cdp {row:?} {want:?}"), &true.into(), &has(at, "cdp", &want).into());
        }
    }

    fn lag(&mut self) {
        let attached = self.recording.by_number("1.2.840.10006.300.43.1.2.1.1.13");
        let name = |index: u32| {
            let port = self.port(index)?;
            let label = port["name"].as_str().or(port["description"].as_str());
            Some(label.map_or_else(|| format!("#{index}"), str::to_owned))
        };
        let mut expected = BTreeMap::new();
        for (port, aggregate) in attached {
            let aggregate = aggregate.number().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0 && *n != port);
            expected.extend(aggregate.and_then(name).map(|name| (port, name)));
        }
        for (port, name) in expected {
            if let Some(document) = self.port(port) {
                let got = document["lag"]["aggregate"].clone();
                self.same("lag", port, &name.into(), &got);
            }
        }
    }

    fn err_disabled(&mut self) {
        let causes = self.recording.column("1.3.6.1.4.1.9.9.548.1.3.1.1.2");
        let want: BTreeSet<u32> = causes.keys().map(|row| row[0]).filter(|i| self.ports.contains_key(i)).collect();
        let got = self.ports.iter().filter(|(_, p)| !p["err_disabled"].is_null()).map(|(i, _)| *i).collect();
        self.sets("err_disabled", &want, &got);
    }

    fn entities(&mut self) {
        let serials = self.recording.by_number("1.3.6.1.2.1.47.1.1.1.1.11");
        let want = serials.iter().filter_map(|(index, v)| Some((u64::from(*index), said(Some(v))?))).collect();
        let printed = rows(&self.document["entities"]);
        let got = printed.filter_map(|e| Some((number(&e["index"]), e["serial"].as_str()?.to_owned()))).collect();
        self.sets("entities", &want, &got);
    }

    fn sensors(&mut self) {
        let ciscos = "1.3.6.1.4.1.9.9.91.1.1.1.1";
        let standard = "1.3.6.1.2.1.99.1.1.1";
        let mut all: BTreeMap<u32, [Option<i64>; 5]> = BTreeMap::new();
        for table in [standard, ciscos] {
            for column in 1..=5usize {
                for (index, v) in self.recording.by_number(&format!("{table}.{column}")) {
                    let number = match v {
                        Recorded::Integer(n) => Some(*n),
                        other => other.number().and_then(|n| i64::try_from(n).ok()),
                    };
                    all.entry(index).or_default()[column - 1] = number;
                }
            }
        }
        let names = self.recording.by_number("1.3.6.1.2.1.47.1.1.1.1.7");
        let descriptions = self.recording.by_number("1.3.6.1.2.1.47.1.1.1.1.2");
        let classes = ["", "", "", "voltage", "voltage", "current", "power", "", "temperature", "humidity", "fan"];
        for (index, row) in &all {
            let [Some(kind), Some(scale), Some(precision), Some(raw), Some(status)] = *row else { continue };
            let class = usize::try_from(kind).ok().and_then(|k| classes.get(k)).filter(|c| !c.is_empty());
            let name = said(names.get(index)).or_else(|| said(descriptions.get(index)));
            let (Some(class), Some(name)) = (class, name) else { continue };
            let want = raw as f64 * 10f64.powi((scale as i32 - 9) * 3 - precision as i32);
            let mut found =
                rows(&self.document["sensors"]).filter(|s| s["name"] == name.as_str() && s["class"] == *class);
            let is_same = |s: &Value| match status {
                1 => s["value"].as_f64().is_some_and(|got| (got - want).abs() <= want.abs() * 1e-9),
                _ => s["value"].is_null() && s["status"] == "unavailable",
            };
            let found = found.any(is_same);
            self.same("sensors", format!("{index} {name} {want}"), &true.into(), &found.into());
        }
        if !self.has_profile_rows() {
            let printed = rows(&self.document["sensors"]).count();
            self.same("sensors", "the device", &all.len().into(), &printed.into());
        }
    }

    /// Whether a table of the device's profile brought anything; what it brings is compared elsewhere.
    fn has_profile_rows(&self) -> bool {
        let is_profile = |table: &Value| table["group"].as_str().is_some_and(|name| name.contains(':'));
        rows(&self.document["tables"]).any(|table| is_profile(table) && table["rows"] != 0)
    }

    fn hosts(&mut self) {
        let loads = self.recording.by_number("1.3.6.1.2.1.25.3.3.1.2");
        let mut want: Vec<u64> = loads.values().filter_map(|v| v.number()).filter(|n| *n <= 100).collect();
        let mut got: Vec<u64> =
            rows(&self.document["processors"]).filter_map(|p| Some(p["percent"].as_f64()? as u64)).collect();
        want.sort_unstable();
        got.sort_unstable();
        if self.has_profile_rows() {
            // What the vendor's tables say stands behind.
            got.retain(|percent| want.contains(percent));
            got.dedup();
            want.dedup();
        }
        self.same("processors", "the device", &want.into(), &got.into());
        let of = |column: u32| self.recording.by_number(&format!("1.3.6.1.2.1.25.2.3.1.{column}"));
        let (kinds, names, units, sizes, used) = (of(2), of(3), of(4), of(5), of(6));
        for (index, kind) in &kinds {
            let Recorded::Oid(kind) = kind else { continue };
            let list = match kind.last() {
                Some(2 | 3) if kind.len() == 10 => "memory",
                Some(4 | 9 | 10) if kind.len() == 10 => "storage",
                _ => continue,
            };
            let number = |column: &BTreeMap<u32, &Recorded>| column.get(index).and_then(|v| v.number());
            let bytes = |column| Some(number(column)?.saturating_mul(number(&units)?));
            let want = (said(names.get(index)), bytes(&used), bytes(&sizes).filter(|b| *b > 0));
            let is_same = |p: &Value| {
                (p["name"].as_str().map(str::to_owned), p["used_bytes"].as_u64(), p["total_bytes"].as_u64()) == want
            };
            let found = rows(&self.document[list]).any(is_same);
            self.same(list, format!("{want:?}"), &true.into(), &found.into());
        }
    }

    fn ucd(&mut self) {
        let loads = self.recording.by_number("1.3.6.1.4.1.2021.10.1.3");
        let load = |n: u32| said(loads.get(&n))?.trim().parse::<f64>().ok();
        if let (Some(one), Some(five), Some(fifteen)) = (load(1), load(2), load(3)) {
            self.same("load", "the device", &vec![one, five, fifteen].into(), &self.document["load"].clone());
        }
        let kilobytes = |n: u32| self.recording.scalar(&format!("1.3.6.1.4.1.2021.4.{n}")).and_then(Recorded::number);
        if let (Some(total), Some(free)) = (kilobytes(5), kilobytes(6)) {
            let idle = kilobytes(14).unwrap_or(0) + kilobytes(15).unwrap_or(0);
            let used = (total - free).checked_sub(idle).unwrap_or(total - free);
            let pool = rows(&self.document["memory"]).find(|m| m["name"] == "real memory without buffers and cache");
            let got = pool.map_or(Value::Null, |p| p["used_bytes"].clone());
            self.same("memory", "UCD", &(used * 1024).into(), &got);
        }
    }

    fn routing(&mut self) {
        let bgp = ["", "idle", "connect", "active", "opensent", "openconfirm", "established"];
        let ospf = ["", "down", "attempt", "init", "two-way", "exchange-start", "exchange", "loading", "full"];
        for (field, root, key, words) in [
            ("bgp", "1.3.6.1.2.1.15.3.1.2", "peer", &bgp[..]),
            ("ospf", "1.3.6.1.2.1.14.10.1.6", "neighbor", &ospf[..]),
        ] {
            let address = |row: &Name| Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets(row.get(..4)?)?).ok()?));
            let word = |v: &Recorded| words.get(usize::try_from(v.number()?).ok()?).map(|w| (*w).to_owned());
            let column = self.recording.column(root);
            let want = column.iter().filter_map(|(row, v)| Some((address(row)?.to_string(), word(v)))).collect();
            let printed = rows(&self.document[field]);
            let got = printed
                .filter_map(|p| Some((p[key].as_str()?.to_owned(), p["state"].as_str().map(str::to_owned))))
                .collect();
            self.sets(field, &want, &got);
        }
    }

    fn ups(&mut self) {
        let scalar =
            |object: &str| self.recording.scalar(&format!("1.3.6.1.2.1.33.1.{object}")).and_then(Recorded::number);
        let sources = ["", "other", "none", "mains", "bypass", "battery", "booster", "reducer"];
        let ups = self.document["ups"].clone();
        if let Some(source) = scalar("4.1").and_then(|n| sources.get(n as usize)) {
            self.same("ups", "source", &(*source).into(), &ups["source"]);
        }
        if let Some(charge) = scalar("2.4").filter(|n| *n <= 100) {
            self.close("ups", "charge", charge as f64, &ups["charge_percent"]);
        }
        if let Some(minutes) = scalar("2.3").filter(|n| *n > 0) {
            self.close("ups", "minutes", minutes as f64, &ups["minutes_left"]);
        }
        let loads = self.recording.column("1.3.6.1.2.1.33.1.4.4.1.5");
        if let Some(load) = loads.values().filter_map(|v| v.number()).max() {
            self.close("ups", "load", load as f64, &ups["load_percent"]);
        }
    }

    fn arp(&mut self) {
        if !self.is_whole("arp") {
            return;
        }
        let usable =
            |v: &Recorded| v.octets().filter(|o| o.len() == 6 && o[0] & 1 == 0 && **o != [b' '; 6]).and_then(mac);
        let mut want: BTreeSet<(String, String)> = BTreeSet::new();
        let kinds = self.recording.column("1.3.6.1.2.1.4.22.1.4");
        // Some agents only number their rows: then the address is that of its own column, and the interface too.
        let addresses = self.recording.column("1.3.6.1.2.1.4.22.1.3");
        let interfaces = self.recording.column("1.3.6.1.2.1.4.22.1.1");
        for (row, v) in self.recording.column("1.3.6.1.2.1.4.22.1.2") {
            let is_valid = kinds.get(&row).and_then(|k| k.number()) != Some(2);
            let address = match row.len() {
                5 => row.get(1..5).and_then(octets),
                1 if interfaces.contains_key(&row) => match addresses.get(&row) {
                    Some(Recorded::IpAddress(address)) => Some(address.to_vec()),
                    _ => None,
                },
                _ => None,
            };
            let (Some(address), Some(mac), true) = (address, usable(v), is_valid) else {
                continue;
            };
            let address = Ipv4Addr::from(<[u8; 4]>::try_from(address).expect("four octets"));
            want.extend((!address.is_unspecified() && !address.is_loopback()).then(|| (address.to_string(), mac)));
        }
        let kinds = self.recording.column("1.3.6.1.2.1.4.35.1.6");
        for (row, v) in self.recording.column("1.3.6.1.2.1.4.35.1.4") {
            let is_valid = kinds.get(&row).and_then(|k| k.number()) != Some(2);
            let Some(mac) = usable(v).filter(|_| is_valid) else { continue };
            let address = match row.get(1..) {
                Some([1, 4, rest @ ..] | [3, 8, rest @ ..]) => octets(&rest[..4]),
                Some([2, 16, rest @ ..] | [4, 20, rest @ ..]) => octets(&rest[..16]),
                Some([1, rest @ ..]) if rest.len() == 4 => octets(rest),
                _ => None,
            };
            let words = address.and_then(|a| match a.len() {
                4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(a).ok()?).to_string()),
                _ => Some(Ipv6Addr::from(<[u8; 16]>::try_from(a).ok()?).to_string()),
            });
            want.extend(words.map(|words| (words, mac)));
        }
        let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let got: BTreeSet<_> = rows(&self.document["arp"]).map(|e| (word(&e["address"]), word(&e["mac"]))).collect();
        // An address on one interface has one station; the later table has the last word.
        let addresses: BTreeSet<&String> = got.iter().map(|e| &e.0).collect();
        let missing = want.iter().filter(|e| !addresses.contains(&e.0)).count();
        let strange = got.iter().filter(|e| !want.contains(*e)).count();
        *self.verdict.compared.entry("arp").or_default() += want.len();
        self.same("arp", "the device", &0.into(), &(missing + strange).into());
    }

    fn forwarding(&mut self) {
        let bridge = self.bridge();
        if !self.is_whole("forwarding") || bridge.is_empty() {
            return;
        }
        let label = |index: u32| {
            let port = self.port(index)?;
            Some(port["name"].as_str().or(port["description"].as_str())?.to_owned())
        };
        let mut want: BTreeSet<(String, String)> = BTreeSet::new();
        for (ports, states, first) in [
            ("1.3.6.1.2.1.17.7.1.2.2.1.2", "1.3.6.1.2.1.17.7.1.2.2.1.3", 1),
            ("1.3.6.1.2.1.17.4.3.1.2", "1.3.6.1.2.1.17.4.3.1.3", 0),
        ] {
            let states = self.recording.column(states);
            let seen: BTreeSet<String> = want.iter().map(|e| e.0.clone()).collect();
            for (row, port) in self.recording.column(ports) {
                let Some(port) = port.number().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0) else { continue };
                // The numbers are not all of bridge ports: then they may mean anything.
                let Some(port) = bridge.get(&port) else { return };
                let is_station = !matches!(states.get(&row).and_then(|v| v.number()), Some(2 | 4));
                let address = row.get(first..).filter(|a| a.len() == 6).and_then(octets);
                let address = address.filter(|a| a[0] & 1 == 0).and_then(|a| mac(&a));
                if let (Some(address), Some(label), true) = (address, label(*port), is_station)
                    && (first == 1 || !seen.contains(&address))
                {
                    want.insert((address, label));
                }
            }
        }
        let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let got = rows(&self.document["mac_addresses"]).map(|e| (word(&e["mac"]), word(&e["port"]))).collect();
        self.sets("mac_addresses", &want, &got);
    }
}

/// Whether one of the neighbors there has this name and port. One without a name is called by its chassis.
fn has(document: &Value, protocol: &str, want: &(Option<String>, Option<String>)) -> bool {
    rows(&document["neighbors"]).any(|n| {
        n["protocol"] == protocol
            && (want.0.is_none() || n["name"].as_str() == want.0.as_deref())
            && (want.1.is_none() || n["port"].as_str() == want.1.as_deref())
    })
}

fn count(document: &Value, protocol: &str) -> usize {
    rows(&document["neighbors"]).filter(|n| n["protocol"] == protocol).count()
}
