//! What the rules cost: port states, rates, ties and reasons of 1,000 switches with 48 ports, walk after walk, without asking
//! anybody. Allocations are counted: a port that stays as it is makes none.

use std::sync::Arc;
use std::time::Duration;

use noctty::base::{Timestamp, Untrusted};
use noctty::model::device::{LagMember, Neighbor, NeighborProtocol, StpState};
use noctty::model::{Counter, Counters, Device, Duplex, Equipment, Host, IfAdmin, IfOper, Origin, Port, PortTable};
use noctty::state::DeviceView;
use noctty::state::rules::ports::{judge, worth_remembering};

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

const SWITCHES: usize = 1_000;
const PORTS: u32 = 48;
const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn main() {
    divan::main();
}

/// 44 access ports, a third of them without a link, four uplinks in an aggregate, neighbors and spanning tree.
fn equipment() -> Arc<Equipment> {
    let mut equipment = Equipment::default();
    for index in 1..=PORTS {
        let facts = equipment.port_mut(index);
        facts.stp = Some(StpState::Forwarding);
        facts.vlan = Some(10);
        if index > PORTS - 4 {
            facts.lag = Some(LagMember { aggregate: PORTS + 1, bundled: Some(true) });
            facts.neighbors = vec![Neighbor {
                protocol: NeighborProtocol::Lldp,
                name: Untrusted::from("core-sw1.example.net"),
                port: Untrusted::from("Te1/1/1"),
                port_description: Untrusted::default(),
                platform: Untrusted::default(),
                chassis_mac: None,
                addresses: Vec::new(),
                forwards: Some(true),
                half_duplex: None,
            }];
        }
    }
    Arc::new(equipment)
}

fn port(index: u32) -> Port {
    let name = if index > PORTS { "Po1".to_owned() } else { format!("Gi1/0/{index}") };
    Port {
        index,
        description: Untrusted::from(format!("GigabitEthernet1/0/{index}")),
        name: Untrusted::from(name),
        alias: Untrusted::from(if index.is_multiple_of(5) { "desk 4711" } else { "" }),
        if_type: Some(if index > PORTS { 161 } else { 6 }),
        admin: Some(IfAdmin::Up),
        oper: Some(if index.is_multiple_of(3) { IfOper::Down } else { IfOper::Up }),
        speed_bps: Some(1_000_000_000),
        mtu: Some(1500),
        duplex: Some(if index == 7 { Duplex::Half } else { Duplex::Full }),
        counters: Counters::new([Some(0); 6], true, Some(0)),
        ..Port::default()
    }
}

struct Fleet {
    host: Arc<Host>,
    tables: Vec<PortTable>,
    views: Vec<DeviceView>,
    walks: u64,
}

impl Fleet {
    fn new() -> Self {
        let equipment = equipment();
        let table = PortTable {
            collected_at: T0,
            device: Device { uptime: Some(Duration::from_secs(86_400)), ..Device::default() },
            ports: (1..=PORTS + 1).map(port).collect(),
            complete: true,
            equipment,
            ..PortTable::default()
        };
        let host = Arc::new(Host::new("sw", Some("192.0.2.1"), Origin::Config));
        let views = (0..SWITCHES).map(|_| judge(None, &Arc::new(table.clone()), &host)).collect();
        Self { host, tables: vec![table; SWITCHES], views, walks: 0 }
    }

    /// The next walk of all switches, a minute later; every port that is up has carried something.
    fn walk(&mut self) -> Vec<Arc<PortTable>> {
        self.walks += 1;
        let at = Duration::from_secs(60 * self.walks);
        for table in &mut self.tables {
            table.collected_at = T0.plus(at);
            table.device.uptime = Some(Duration::from_secs(86_400) + at);
            for port in table.ports.iter_mut().filter(|p| p.oper == Some(IfOper::Up)) {
                port.counters.set(Counter::InOctets, port.counters.in_octets().map(|n| n + 123_456));
                port.counters.set(Counter::OutOctets, port.counters.out_octets().map(|n| n + 65_432));
            }
        }
        self.tables.iter().cloned().map(Arc::new).collect()
    }
}

/// Divide by 49,000 for one port.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn judge_1000_switches_with_48_ports(bencher: divan::Bencher<'_, '_>) {
    let mut fleet = Fleet::new();
    let fleet = std::cell::RefCell::new(&mut fleet);
    bencher.with_inputs(|| fleet.borrow_mut().walk()).bench_local_refs(|tables| {
        let mut fleet = fleet.borrow_mut();
        for (i, table) in tables.iter().enumerate() {
            let view = judge(Some(&fleet.views[i]), table, &fleet.host);
            divan::black_box(worth_remembering(&fleet.views[i], &view));
            fleet.views[i] = view;
        }
    });
}
