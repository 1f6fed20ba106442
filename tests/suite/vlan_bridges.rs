//! A switch that shows the bridge of each VLAN only to who names the VLAN: behind the community, or as the context.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Bound;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use noctty::base::{Clock, Secret};
use noctty::model::PortTable;
use noctty::model::device::{ForwardingEntry, StpState, TreeScope};
use noctty::net::Net;
use noctty::net::snmp::{Login, Target};
use noctty::probe::Cx;
use noctty::probe::ports::{self, Depth};
use noctty::proto::snmp::ber::Writer;
use noctty::proto::snmp::secured::encode_scoped;
use noctty::proto::snmp::usm::{AuthProtocol, Authority, EngineId, Received, User};
use noctty::proto::snmp::{
    Credentials, Message, Oid, Pdu, PduKind, RawOid, Secured, Security, Value, Version, message, pdu,
};

const PASSWORD: &str = "auth-c4nary-1";

enum Cell {
    Number(i64),
    Text(&'static [u8]),
    Name(Oid),
}

/// By the numbers of their names.
type Rows = BTreeMap<Vec<u32>, Cell>;

/// An agent that has a set of rows for each name that it is asked by: `sim` and `sim@20`, or the contexts `` and `vlan-20`.
struct Switch {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    /// By which names it was asked.
    asked: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Switch {
    fn start(sets: Vec<(&'static str, Rows)>) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("it is set");
        let address = socket.local_addr().expect("an address");
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (is_over, log) = (stop.clone(), asked.clone());
        let thread = std::thread::spawn(move || {
            let user = User::new(b"ops", Some((AuthProtocol::Sha1, PASSWORD.as_bytes())), None).expect("a user");
            let id = EngineId::new(b"\x80\0\x7e\xd9\x05switch").expect("an engine id");
            let mut authority = Authority::new(id, 1, &[Arc::new(user)], 7);
            let mut buffer = [0u8; 4096];
            while !is_over.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                if let Some(reply) = answer(&mut authority, &sets, &log, &buffer[..length]) {
                    socket.send_to(&reply, from).expect("it is sent");
                }
            }
        });
        Self { address, stop, asked, thread: Some(thread) }
    }

    fn was_asked_by(&self, name: &str) -> bool {
        self.asked.lock().expect("nobody panicked").iter().any(|asked| asked == name)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the agent did not panic");
        }
    }
}

fn answer(
    authority: &mut Authority,
    sets: &[(&'static str, Rows)],
    log: &Mutex<Vec<String>>,
    datagram: &[u8],
) -> Option<Vec<u8>> {
    let rows = |name: &[u8], prefix: &str| {
        let name = String::from_utf8_lossy(name).into_owned();
        let found = sets.iter().find(|(set, _)| name == format!("{prefix}{set}"));
        log.lock().expect("nobody panicked").push(name);
        found.map(|(_, rows)| rows)
    };
    let mut reply = Writer::default();
    if message::version(datagram) == Some(3) {
        let message = Secured::decode(datagram).expect("sound");
        let mut scratch = Vec::new();
        match authority.receive(100, &message, &mut scratch, &mut reply) {
            Received::Request(asker, asked) => {
                // `vlan-20` has the rows of `@20`.
                let name = String::from_utf8_lossy(asked.context).replace("vlan-", "@");
                let rows = rows(name.as_bytes(), "")?;
                let mut scoped = Writer::default();
                let id = *authority.engine_id();
                encode_scoped(&mut scoped, id.as_bytes(), asked.context, |w| respond(rows, &asked.pdu, w));
                authority.answer(100, asker, &mut scoped, &mut reply);
            }
            Received::Report(_) => {}
            Received::Silence(_) | Received::Malformed => return None,
        }
    } else {
        let request = Message::decode(datagram).expect("sound");
        let rows = rows(request.community, "sim")?;
        message::encode(&mut reply, request.version, request.community, |w| respond(rows, &request.pdu, w));
    }
    Some(reply.bytes().to_vec())
}

fn respond(rows: &Rows, asked: &Pdu<'_>, writer: &mut Writer) {
    let put = |w: &mut Writer, name: RawOid<'_>, cell: Option<&Cell>| {
        let value = match cell {
            Some(Cell::Number(number)) => Value::Integer(*number),
            Some(Cell::Text(text)) => Value::Octets(text),
            Some(Cell::Name(name)) => Value::Oid(name.as_raw()),
            None if asked.kind == PduKind::Get => Value::NoSuchObject,
            None => Value::EndOfMibView,
        };
        pdu::encode_varbind(w, name, value);
    };
    let arcs = |name: RawOid<'_>| name.arcs().collect::<Vec<u32>>();
    pdu::encode(writer, PduKind::Response, asked.request_id, 0, 0, |w| {
        if asked.kind == PduKind::Get {
            for bind in asked.varbinds() {
                put(w, bind.name, rows.get(&arcs(bind.name)));
            }
            return;
        }
        let mut at: Vec<Vec<u32>> = asked.varbinds().map(|bind| arcs(bind.name)).collect();
        for _ in 0..asked.error_index.max(1) {
            for name in &mut at {
                let next = rows.range((Bound::Excluded(name.clone()), Bound::Unbounded)).next();
                if let Some((next, _)) = next {
                    name.clone_from(next);
                }
                put(w, Oid::from_arcs(name).as_raw(), next.map(|(_, cell)| cell));
            }
        }
    });
}

fn oid(dotted: &str) -> Vec<u32> {
    dotted.split('.').map(|arc| arc.parse().expect("a number")).collect()
}

const BRIDGE: &str = "1.3.6.1.2.1.17";
const VTP: &str = "1.3.6.1.4.1.9.9.46.1.3.1.1";

/// The bridge of a VLAN: bridge ports 1 and 2 are the interfaces 10101 and 10102. `stations` by last octet and bridge port.
fn bridge(rows: &mut Rows, states: &[(u32, i64)], stations: &[(u32, i64)]) {
    for (port, state) in states {
        rows.insert(oid(&format!("{BRIDGE}.1.4.1.2.{port}")), Cell::Number(10_100 + i64::from(*port)));
        rows.insert(oid(&format!("{BRIDGE}.2.15.1.3.{port}")), Cell::Number(*state));
    }
    for (last, port) in stations {
        rows.insert(oid(&format!("{BRIDGE}.4.3.1.2.0.17.34.0.0.{last}")), Cell::Number(*port));
        rows.insert(oid(&format!("{BRIDGE}.4.3.1.3.0.17.34.0.0.{last}")), Cell::Number(3));
    }
}

/// What everybody may read: two ports, VLANs 1, 20, 30, 40 and some that count for nothing, and the bridge of VLAN 1.
fn plain() -> Rows {
    let mut rows = Rows::new();
    rows.insert(
        oid("1.3.6.1.2.1.1.1.0"),
        Cell::Text(b"Cisco IOS Software, C3560 Software (C3560-IPBASE-M), Version 12.2(50)SE5"),
    );
    rows.insert(oid("1.3.6.1.2.1.1.2.0"), Cell::Name(Oid::from_arcs(&oid("1.3.6.1.4.1.9.1.563"))));
    for (index, name) in [(10_101, &b"GigabitEthernet0/1"[..]), (10_102, b"GigabitEthernet0/2")] {
        rows.insert(oid(&format!("1.3.6.1.2.1.2.2.1.2.{index}")), Cell::Text(name));
        rows.insert(oid(&format!("1.3.6.1.2.1.2.2.1.7.{index}")), Cell::Number(1));
        rows.insert(oid(&format!("1.3.6.1.2.1.2.2.1.8.{index}")), Cell::Number(1));
    }
    for (vlan, state, medium) in [(1, 1, 1), (20, 1, 1), (30, 1, 1), (40, 1, 1), (50, 2, 1), (60, 1, 2), (1002, 1, 1)] {
        rows.insert(oid(&format!("{VTP}.2.1.{vlan}")), Cell::Number(state));
        rows.insert(oid(&format!("{VTP}.3.1.{vlan}")), Cell::Number(medium));
    }
    bridge(&mut rows, &[(1, 5)], &[(1, 1)]);
    rows
}

/// VLAN 30 does not answer, VLAN 40 has nothing.
fn sets() -> Vec<(&'static str, Rows)> {
    let of = |states: &[(u32, i64)], stations: &[(u32, i64)]| {
        let mut rows = Rows::new();
        bridge(&mut rows, states, stations);
        rows
    };
    let mut twenty = of(&[(1, 2), (2, 5)], &[(2, 1), (3, 2)]);
    twenty.insert(oid(&format!("{BRIDGE}.2.5.0")), Cell::Text(&[0x60, 20, 1, 2, 3, 4, 5, 6]));
    twenty.insert(oid(&format!("{BRIDGE}.2.7.0")), Cell::Number(2));
    vec![
        ("", plain()),
        ("@1", of(&[(1, 5)], &[(1, 1)])),
        ("@20", twenty),
        ("@40", Rows::from([(oid("1.3.6.1.2.1.1.1.0"), Cell::Text(b"nothing here"))])),
    ]
}

fn station(last: u8, vlan: u16, port: u32) -> ForwardingEntry {
    ForwardingEntry { mac: [0, 17, 34, 0, 0, last], vlan: Some(vlan), port }
}

fn look(switch: &Switch, version: Version) -> PortTable {
    look_as(switch, version, "sim", "")
}

fn look_as(switch: &Switch, version: Version, community: &str, context: &str) -> PortTable {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let cx = Cx { net: Net::new(Clock::start()), family: None, timeout: Duration::from_secs(60) };
        let login = Login {
            name: "ops".into(),
            auth: Some((AuthProtocol::Sha1, Secret::new(PASSWORD.to_owned()))),
            privacy: None,
        };
        let credentials = if version == Version::V3 {
            let user = cx.net.snmp.user(login).await.expect("a user");
            let context = Arc::from(context.as_bytes());
            Credentials::User(Security { user, context, engine_id: None, pardon: false, trial: false })
        } else {
            Credentials::Community(Secret::new(community.as_bytes().to_vec()))
        };
        let timeout = Duration::from_millis(300);
        let target = Target { address: switch.address, version, credentials, timeout, retries: 1, in_flight: 1 };
        let walked = ports::walk(&cx, &target, 10, None, Depth::Everything).await;
        PortTable::clone(&walked.expect("it answers").0)
    })
}

#[test]
fn stations_and_states_of_all_vlans_are_read_by_community_and_by_context() {
    for version in [Version::V2c, Version::V3] {
        let switch = Switch::start(sets());
        let table = look(&switch, version);
        assert_eq!(table.device.profile.as_deref(), Some("cisco/ios"));
        let found = &table.equipment;
        assert_eq!(*found.forwarding, [station(1, 1, 10_101), station(2, 20, 10_101), station(3, 20, 10_102)]);
        let states = |index| found.port(index).map(|port| (port.stp, port.stp_vlans.clone()));
        let (blocking, forwarding) = (StpState::Blocking, StpState::Forwarding);
        assert_eq!(states(10_101), Some((Some(forwarding), vec![(1, forwarding), (20, blocking)])));
        assert_eq!(states(10_102), Some((Some(forwarding), vec![(20, forwarding)])));
        let [(TreeScope::Vlan(20), tree)] = found.trees[..] else { panic!("the tree of VLAN 20: {:?}", found.trees) };
        assert_eq!((tree.root[1], tree.root_port, tree.is_root), (20, Some(10_102), Some(false)));
        let told = found.walked.iter().find(|walked| &*walked.group == "vlan-bridges").expect("it is told");
        let remark = "bridges by VLAN: the agent does not answer for VLAN 30";
        assert_eq!((told.rows, told.incomplete.as_deref()), (3, Some(remark)));
        assert!(table.complete, "a VLAN is no port");
        for vlan in ["50", "60", "1002"] {
            assert!(!switch.was_asked_by(&format!("sim@{vlan}")) && !switch.was_asked_by(&format!("@{vlan}")));
        }
    }
}

#[test]
fn a_silent_vlan_is_named_and_no_reason_to_complain_of_the_switch() {
    let switch = Switch::start(sets());
    let home = tempfile::tempdir().expect("a folder");
    let look = |community: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_noctty"))
            .env_clear()
            .env("HOME", home.path())
            .env("NOCTTY_COMMUNITY", community)
            .args(["ports", &switch.address.to_string(), "--json", "--timeout", "300ms", "--retries", "1"])
            .output()
            .expect("noctty runs");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let tables = document["tables"].as_array().cloned().unwrap_or_default();
        let bridges = tables.into_iter().find(|table| table["group"] == "vlan-bridges").unwrap_or_default();
        (output.status.code(), document["complete"].clone(), bridges["incomplete"].clone())
    };
    let remark = "bridges by VLAN: the agent does not answer for VLAN 30";
    assert_eq!(look("sim"), (Some(0), false.into(), remark.into()));
}

#[test]
fn an_agent_that_tells_vlans_by_itself_and_one_that_is_asked_in_a_vlan_are_not_asked_further() {
    let mut sets = sets();
    let row = "1.3.6.1.2.1.17.7.1.2.2.1.2.20.0.17.34.0.0.9";
    sets[0].1.insert(oid(row), Cell::Number(1));
    let switch = Switch::start(sets);
    let table = look(&switch, Version::V2c);
    assert!(table.equipment.forwarding.contains(&station(9, 20, 10_101)));
    assert!(!switch.was_asked_by("sim@20") && !table.equipment.walked.iter().any(|w| &*w.group == "vlan-bridges"));

    let mut within = plain();
    within.remove(&oid("1.3.6.1.2.1.17.4.3.1.2.0.17.34.0.0.1"));
    let switch = Switch::start(vec![("@20", within)]);
    look_as(&switch, Version::V2c, "sim@20", "");
    assert!(!switch.was_asked_by("sim@20@20") && switch.was_asked_by("sim@20"));
}
