//! What a ports cycle is not slowed down by: dead agents, a huge router, encryption, a far network. Prints one line a case:
//! the wall time of a cycle of the switches that are asked for, and the CPU of all threads but the simulator's and the
//! relay's. `cargo bench --bench ports_scale [CASE]`; docs/performance.md has the figures.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

mod switches;

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use noctty::base::Clock;
use noctty::model::{Host, Origin, PortTable};
use noctty::net::Net;
use noctty::net::snmp::Target;
use noctty::probe::{Cx, ports};
use noctty::proto::snmp::usm::{AuthProtocol, PrivProtocol, User};
use noctty::sim::snmp::SnmpAgents;
use noctty::state::DeviceView;
use noctty::state::rules::ports::judge;
use rustix::event::epoll;
use tokio::task::JoinSet;

const CYCLES: usize = 7;
/// Cycles alone and beside others, by turns.
const PAIRS: usize = 31;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_wanted = |case: &str| wanted.is_empty() || wanted.iter().any(|w| w == case);
    if is_wanted("dead") {
        let scene = Scene::new(900, 48, None);
        let nobody = scene.nobody(100);
        scene.compare("900 switches", "900 switches, 100 dead agents beside", &nobody);
    }
    if is_wanted("router") {
        let alone = Scene::new(300, 48, None).measure("300 switches", |_| Vec::new());
        let router = Scene::new(1, 20_000, None);
        let target = router.targets[0].clone();
        let beside = Scene::new(300, 48, None)
            .measure("300 switches, a 20,000-interface router beside", |_| vec![target.clone()]);
        println!("others' wall time: {:+.1} %", 100.0 * (beside.0 / alone.0 - 1.0));
        let whole = router.measure("the router itself", |_| Vec::new());
        println!("a walk of 20,000 interfaces: {:.2} s", whole.0);
    }
    if is_wanted("v3") {
        let plain = Scene::new(300, 48, None).measure("300 switches, v2c", |_| Vec::new());
        for (auth, privacy) in
            [(AuthProtocol::Sha1, PrivProtocol::Aes128), (AuthProtocol::Sha256, PrivProtocol::Aes256)]
        {
            let secrets = (Some((auth, &b"benchmark"[..])), Some((privacy, &b"benchmark"[..])));
            let user = Arc::new(User::new(b"bench", secrets.0, secrets.1).expect("a valid user"));
            let name = format!("300 switches, v3 {} {}", auth.name(), privacy.name());
            let secured = Scene::new(300, 48, Some(user)).measure(&name, |_| Vec::new());
            println!("CPU, v3 : v2c   {:.2}", secured.1 / plain.1);
        }
    }
    if is_wanted("far") {
        let near = Scene::new(1_000, 48, None);
        let relay = Relay::start(near.agents.addresses(), Duration::from_millis(20));
        let mut far = near;
        for (target, address) in far.targets.iter_mut().zip(&relay.addresses) {
            target.address = *address;
        }
        far.measure("1,000 switches, 20 ms away", |_| Vec::new());
    }
}

/// Switches, and the client that asks them.
struct Scene {
    agents: SnmpAgents,
    targets: Vec<Target>,
    clock: Clock,
    ports: usize,
}

impl Scene {
    fn new(count: u32, ports: u32, user: Option<Arc<User>>) -> Self {
        let clock = Clock::start();
        let agents = switches::start(count, ports, user.as_ref(), clock);
        let targets = switches::targets(&agents, user, Duration::from_secs(2));
        Self { agents, targets, clock, ports: ports as usize }
    }

    /// Agents that are not there: nothing listens, and nothing answers.
    fn nobody(&self, count: u16) -> Vec<Target> {
        let address = |i: u16| SocketAddr::from(([127, 99, 0, i as u8], 1_000 + i));
        (0..count).map(|i| Target { address: address(i), ..self.targets[0].clone() }).collect()
    }

    /// The same switches alone and while those `beside` are asked all the time, by turns: whatever else the machine does falls on
    /// both. Prints the medians.
    fn compare(&self, alone: &str, together: &str, beside: &[Target]) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let net = Net::new(self.clock);
        let mut before: Vec<Option<DeviceView>> = vec![None; self.targets.len()];
        runtime.block_on(self.cycle(&net, &mut before));
        let mut took = [Vec::new(), Vec::new()];
        for turn in 0..2 * PAIRS {
            let asked = if turn % 2 == 0 { &[][..] } else { beside };
            let others: Vec<_> =
                asked.iter().map(|target| runtime.spawn(ask_for_ever(net.clone(), target.clone()))).collect();
            // The first tries of those that are silent are late by then, as they are in the long run.
            std::thread::sleep(Duration::from_millis(300));
            let begun = Instant::now();
            runtime.block_on(self.cycle(&net, &mut before));
            took[turn % 2].push(begun.elapsed().as_secs_f64());
            for other in &others {
                other.abort();
            }
        }
        runtime.shutdown_background();
        let median = |mut took: Vec<f64>| {
            took.sort_by(f64::total_cmp);
            took[took.len() / 2]
        };
        let [first, second] = took.map(median);
        println!("{alone:<50} wall {first:.3} s\n{together:<50} wall {second:.3} s");
        println!("others' wall time: {:+.1} %, medians of {PAIRS} pairs", 100.0 * (second / first - 1.0));
    }

    /// Medians of a cycle's wall and CPU seconds over all switches, while those `beside` are asked all the time.
    fn measure(&self, name: &str, beside: impl Fn(&Self) -> Vec<Target>) -> (f64, f64) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let net = Net::new(self.clock);
        let _others: Vec<_> =
            beside(self).into_iter().map(|target| runtime.spawn(ask_for_ever(net.clone(), target))).collect();
        let mut before: Vec<Option<DeviceView>> = vec![None; self.targets.len()];
        // Discovery, slow tables and the first view are not what is measured.
        runtime.block_on(self.cycle(&net, &mut before));
        let mut took: Vec<(f64, f64)> = (0..CYCLES)
            .map(|_| {
                let (cpu, begun) = (client_cpu(), Instant::now());
                runtime.block_on(self.cycle(&net, &mut before));
                (begun.elapsed().as_secs_f64(), client_cpu() - cpu)
            })
            .collect();
        let lost = net.snmp.counts().lost();
        runtime.shutdown_background();
        took.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wall = took[CYCLES / 2].0;
        took.sort_by(|a, b| a.1.total_cmp(&b.1));
        let cpu = took[CYCLES / 2].1;
        println!("{name:<50} wall {wall:.3} s   CPU {cpu:.3} s   tries lost {lost}");
        (wall, cpu)
    }

    async fn cycle(&self, net: &Arc<Net>, before: &mut [Option<DeviceView>]) {
        let mut walks = JoinSet::new();
        for (i, target) in self.targets.iter().cloned().enumerate() {
            let cx = Cx { net: net.clone(), family: None, timeout: Duration::from_secs(60) };
            let old: Option<Arc<PortTable>> = before[i].as_ref().map(|view| view.table.clone());
            walks.spawn(async move { (i, ports::walk(&cx, &target, 25, old.as_deref(), ports::Depth::Due).await) });
        }
        let host = Arc::new(Host::new("sw", None, Origin::OneOff));
        while let Some(walked) = walks.join_next().await {
            let (i, table) = walked.expect("no panic");
            let (table, _) = table.expect("the simulator answers");
            assert!(table.complete && table.ports.len() == self.ports, "{:?}", table.warnings);
            before[i] = Some(judge(before[i].as_ref(), &table, &host));
        }
    }
}

async fn ask_for_ever(net: Arc<Net>, target: Target) {
    let cx = Cx { net, family: None, timeout: Duration::from_secs(60) };
    loop {
        let _ = ports::walk(&cx, &target, 25, None, ports::Depth::Due).await;
    }
}

/// CPU seconds of all threads of this process that now live, but the simulator's and the relay's.
fn client_cpu() -> f64 {
    let ticks = 100.0;
    let threads = std::fs::read_dir("/proc/self/task").expect("procfs").flatten();
    let of = |stat: &str| {
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let used = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        Some(if name.starts_with("sim") || name == "relay" { 0.0 } else { used / ticks })
    };
    threads.filter_map(|thread| of(&std::fs::read_to_string(thread.path().join("stat")).ok()?)).sum()
}

/// Stands in front of agents and hands on what they are asked after a while: a network that is far away.
struct Relay {
    addresses: Vec<SocketAddr>,
    stop: Arc<AtomicBool>,
}

impl Relay {
    fn start(agents: &[SocketAddr], delay: Duration) -> Self {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("descriptors");
        let bound = |i: usize, net: u8| {
            let socket = UdpSocket::bind(SocketAddr::from(([127, net, (i >> 8) as u8, i as u8], 0)))
                .expect("a loopback address");
            socket.set_nonblocking(true).expect("a socket");
            socket
        };
        let pairs: Vec<[UdpSocket; 2]> = agents
            .iter()
            .enumerate()
            .map(|(i, agent)| {
                let pair = [bound(i, 90), bound(i, 91)];
                pair[1].connect(agent).expect("a loopback address");
                for (side, socket) in pair.iter().enumerate() {
                    let data = epoll::EventData::new_u64((i * 2 + side) as u64);
                    epoll::add(&poll, socket, data, epoll::EventFlags::IN).expect("descriptors");
                }
                pair
            })
            .collect();
        let addresses = pairs.iter().map(|[front, _]| front.local_addr().expect("it is bound")).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let run = move || {
            let mut held: VecDeque<(Instant, usize, Vec<u8>)> = VecDeque::new();
            let mut client: Vec<Option<SocketAddr>> = vec![None; pairs.len()];
            let (mut events, mut buffer) = (Vec::with_capacity(256), vec![0u8; 65_536].into_boxed_slice());
            while !stopped.load(Ordering::Relaxed) {
                let pause = rustix::time::Timespec { tv_sec: 0, tv_nsec: 300_000 };
                events.clear();
                let _ = epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), Some(&pause));
                for event in &events {
                    let at = event.data.u64() as usize;
                    let (i, side) = (at / 2, at % 2);
                    while let Ok((length, from)) = pairs[i][side].recv_from(&mut buffer) {
                        if side == 0 {
                            client[i] = Some(from);
                            held.push_back((Instant::now() + delay, i, buffer[..length].to_vec()));
                        } else if let Some(to) = client[i] {
                            let _ = pairs[i][0].send_to(&buffer[..length], to);
                        }
                    }
                }
                while held.front().is_some_and(|(at, ..)| *at <= Instant::now()) {
                    let Some((_, i, request)) = held.pop_front() else { break };
                    let _ = pairs[i][1].send(&request);
                }
            }
        };
        std::thread::Builder::new().name("relay".to_owned()).spawn(run).expect("a thread");
        Self { addresses, stop }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
