//! Simulated switches: each answers SNMP v1 and v2c, and v3 where it has a user, on a loopback address of its own, all
//! from one thread. The system
//! group, ifTable, ifXTable and the duplex column are computed on the fly from a seed and the time, so that ten
//! thousand of them cost little memory and the same seed always gives the same network.
//!
//! The state of a device can be changed from outside through [`SnmpAgents`], while it is being asked.

mod mib;
mod more;
mod secure;
mod trap;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use rustix::event::epoll;

pub(super) use self::mib::mix;
use self::mib::{Mib, View};
pub use self::more::{Cell, More};
use self::secure::Secure;
use crate::base::{Clock, allow_descriptors};
use crate::proto::snmp::ber::Writer;
use crate::proto::snmp::usm::User;
use crate::proto::snmp::{Message, Oid, Pdu, PduKind, Version, message, pdu};

/// What fits into one Ethernet frame; agents stop there and the asker comes again.
const LARGEST_REPLY: usize = 1400;

/// One simulated switch.
#[derive(Clone, Debug)]
pub struct AgentSpec {
    /// Where it listens: any 127.x address; port 0 takes a free one.
    pub address: SocketAddr,
    /// `sysName`.
    pub name: String,
    pub community: String,
    /// Whom it knows in version 3.
    pub user: Option<Arc<User>>,
    /// The last four (if there are more than eight) are 10 Gbit/s uplinks, called so in ifAlias.
    pub ports: u32,
    pub seed: u64,
}

/// Running agents; they end when this is dropped.
#[derive(Debug)]
pub struct SnmpAgents {
    devices: Arc<[Device]>,
    addresses: Vec<SocketAddr>,
    clock: Clock,
    /// Who is told of links that come and go.
    told: OnceLock<(SocketAddr, String)>,
    stop: Arc<AtomicBool>,
    wake: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

/// What changes about a device.
#[derive(Debug)]
struct Device {
    spec: AgentSpec,
    alive: AtomicBool,
    /// When the agent started, in milliseconds of the clock.
    booted: AtomicI64,
    /// How often it started, as version 3 counts it.
    boots: AtomicU32,
    answered: AtomicU64,
    ports: Box<[Port]>,
    /// What else it says, in the order of names.
    more: Box<[(Oid, Cell)]>,
}

/// What changes about a port.
#[derive(Debug, Default)]
struct Port {
    link_down: AtomicBool,
    admin_down: AtomicBool,
    half_duplex: AtomicBool,
    /// 0: the port's own speed; else Mbit/s.
    speed: AtomicU32,
    /// When the link last changed, in milliseconds of the clock; 0 before anything did.
    changed: AtomicI64,
    /// Milliseconds without link, of times that are over.
    dark: AtomicI64,
    errors: AtomicU64,
    /// Input errors that come every second.
    error_rate: AtomicU32,
}

impl SnmpAgents {
    /// Opens every socket and starts to answer.
    ///
    /// # Errors
    /// An address is taken or not local, or the system has no more descriptors.
    pub fn start(specs: Vec<AgentSpec>, clock: Clock) -> io::Result<Self> {
        Self::start_with(specs, Vec::new(), clock)
    }

    /// The same, and the first devices say more than their ports.
    ///
    /// # Errors
    /// As [`SnmpAgents::start`].
    pub fn start_with(specs: Vec<AgentSpec>, more: Vec<More>, clock: Clock) -> io::Result<Self> {
        // Ten thousand sockets need ten thousand descriptors.
        allow_descriptors(specs.len() as u64 + 256);
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let now = clock.now().millis();
        let mut sockets = Vec::with_capacity(specs.len());
        let mut addresses = Vec::with_capacity(specs.len());
        for (i, spec) in specs.iter().enumerate() {
            let socket = UdpSocket::bind(spec.address)
                .map_err(|e| io::Error::new(e.kind(), format!("cannot listen on {}: {e}", spec.address)))?;
            socket.set_nonblocking(true)?;
            epoll::add(&poll, &socket, epoll::EventData::new_u64(i as u64), epoll::EventFlags::IN)?;
            addresses.push(socket.local_addr()?);
            sockets.push(socket);
        }
        let (wake, woken) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        epoll::add(&poll, &wake, epoll::EventData::new_u64(u64::MAX), epoll::EventFlags::IN)?;
        let more = more.into_iter().chain(std::iter::repeat_with(More::default));
        let devices: Arc<[Device]> =
            specs.into_iter().zip(more).map(|(spec, more)| Device::new(spec, more, now)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let secure = devices.iter().map(|device| Secure::new(&device.spec)).collect();
        let server = Server { poll, _wake: wake, sockets, devices: devices.clone(), secure, clock, stop: stop.clone() };
        let thread = std::thread::Builder::new().name("sim-snmp".to_owned()).spawn(move || server.run())?;
        Ok(Self { devices, addresses, clock, told: OnceLock::new(), stop, wake: Some(woken), thread: Some(thread) })
    }

    /// Where each device listens, in the order of the specs.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// From now on every change of a link is told to `receiver` in a trap of version 2c. Counts once.
    pub fn tell(&self, receiver: SocketAddr, community: &str) {
        let _ = self.told.set((receiver, community.to_owned()));
    }

    /// Plugs a cable in or out. `port` counts from 0.
    pub fn set_link(&self, device: usize, port: usize, up: bool) {
        let now = self.clock.now().millis();
        let mut changed = false;
        self.with_port(device, port, |p| {
            let before = p.is_up();
            p.change(now, &p.link_down, !up);
            changed = p.is_up() != before;
        });
        if let (true, Some((receiver, community)), Some(address)) =
            (changed, self.told.get(), self.addresses.get(device))
        {
            let uptime = self.devices[device].uptime(now);
            trap::link(*address, *receiver, community, uptime, port, up);
        }
    }

    /// What the operator of the device would configure: `shutdown` and `no shutdown`.
    pub fn set_admin(&self, device: usize, port: usize, up: bool) {
        let now = self.clock.now().millis();
        self.with_port(device, port, |p| p.change(now, &p.admin_down, !up));
    }

    pub fn set_half_duplex(&self, device: usize, port: usize, half: bool) {
        self.with_port(device, port, |p| p.half_duplex.store(half, Ordering::Relaxed));
    }

    /// Negotiated down to `mbps`; `None` is the port's own speed again.
    pub fn set_speed(&self, device: usize, port: usize, mbps: Option<u32>) {
        self.with_port(device, port, |p| p.speed.store(mbps.unwrap_or(0), Ordering::Relaxed));
    }

    /// Input errors that come every second from now on; 0 ends it.
    pub fn set_error_rate(&self, device: usize, port: usize, per_second: u32) {
        let now = self.clock.now().millis();
        self.with_port(device, port, |p| {
            let before = p.error_rate.swap(per_second, Ordering::Relaxed);
            let booted = self.devices[device].booted.load(Ordering::Relaxed);
            // What the old rate brought so far stays; what the new one would have brought is taken off again.
            let seconds = ((now - booted) / 1000).max(0) as u64;
            let so_far = p.errors.load(Ordering::Relaxed).wrapping_add(seconds.wrapping_mul(u64::from(before)));
            p.errors.store(so_far.wrapping_sub(seconds.wrapping_mul(u64::from(per_second))), Ordering::Relaxed);
        });
    }

    /// A dead device answers nothing.
    pub fn set_alive(&self, device: usize, alive: bool) {
        if let Some(device) = self.devices.get(device) {
            device.alive.store(alive, Ordering::Relaxed);
        }
    }

    /// The agent starts anew: uptime and counters from zero.
    pub fn reboot(&self, device: usize) {
        let now = self.clock.now().millis();
        let Some(device) = self.devices.get(device) else { return };
        device.booted.store(now, Ordering::Relaxed);
        device.boots.fetch_add(1, Ordering::Relaxed);
        for port in &device.ports {
            port.dark.store(0, Ordering::Relaxed);
            port.errors.store(0, Ordering::Relaxed);
            port.changed.store(now, Ordering::Relaxed);
        }
    }

    /// Requests answered by one device so far.
    pub fn answered(&self, device: usize) -> u64 {
        self.devices.get(device).map_or(0, |d| d.answered.load(Ordering::Relaxed))
    }

    fn with_port(&self, device: usize, port: usize, change: impl FnOnce(&Port)) {
        if let Some(port) = self.devices.get(device).and_then(|d| d.ports.get(port)) {
            change(port);
        }
    }
}

impl Drop for SnmpAgents {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Closing the other end wakes the thread.
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Device {
    fn new(spec: AgentSpec, more: More, now: i64) -> Self {
        let ports = (0..spec.ports).map(|port| Port::new(spec.seed, port, spec.ports)).collect();
        let (more, occupied) = more.sorted();
        let device = Self {
            alive: AtomicBool::new(true),
            booted: AtomicI64::new(now - up_before(spec.seed).cast_signed() * 1_000),
            boots: AtomicU32::new(1 + (mix(spec.seed ^ 0xb007) % 40) as u32),
            answered: AtomicU64::new(0),
            ports,
            spec,
            more,
        };
        for port in occupied {
            device.occupy(port);
        }
        device
    }

    fn uptime(&self, now: i64) -> i64 {
        (now - self.booted.load(Ordering::Relaxed)).max(0)
    }
}

impl Port {
    fn new(seed: u64, port: u32, ports: u32) -> Self {
        let fresh = Self::default();
        let luck = mix(seed ^ u64::from(port) << 20) % 100;
        let uplink = mib::is_uplink(port, ports);
        // A third of the access ports has nothing plugged in, a few are shut.
        fresh.link_down.store(!uplink && luck < 34, Ordering::Relaxed);
        fresh.admin_down.store(!uplink && luck < 4, Ordering::Relaxed);
        fresh
    }

    fn is_up(&self) -> bool {
        !self.link_down.load(Ordering::Relaxed) && !self.admin_down.load(Ordering::Relaxed)
    }

    fn change(&self, now: i64, what: &AtomicBool, value: bool) {
        let was_up = self.is_up();
        what.store(value, Ordering::Relaxed);
        if was_up == self.is_up() {
            return;
        }
        let before = self.changed.swap(now, Ordering::Relaxed);
        if !was_up && before != 0 {
            self.dark.fetch_add(now - before, Ordering::Relaxed);
        }
    }

    /// Milliseconds of traffic until now, of `uptime`.
    fn lit(&self, now: i64, uptime: i64) -> i64 {
        let mut dark = self.dark.load(Ordering::Relaxed);
        if !self.is_up() {
            let changed = self.changed.load(Ordering::Relaxed);
            if changed == 0 {
                return 0;
            }
            dark += now - changed;
        }
        (uptime - dark).max(0)
    }
}

/// For how many seconds a machine of the demo has been up when the demo starts: 1 to 300 days.
pub(super) fn up_before(seed: u64) -> u64 {
    (1 + mix(seed) % 300) * 86_400
}

struct Server {
    poll: OwnedFd,
    _wake: OwnedFd,
    sockets: Vec<UdpSocket>,
    devices: Arc<[Device]>,
    secure: Vec<Option<Secure>>,
    clock: Clock,
    stop: Arc<AtomicBool>,
}

impl Server {
    fn run(mut self) {
        let mib = Mib::new();
        let mut events = Vec::with_capacity(512);
        let mut buffer = vec![0u8; 4096];
        let mut reply = Writer::default();
        while !self.stop.load(Ordering::Relaxed) {
            events.clear();
            match epoll::wait(self.poll.as_fd(), rustix::buffer::spare_capacity(&mut events), None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return,
            }
            let now = self.clock.now().millis();
            for event in &events {
                let number = event.data.u64() as usize;
                let (Some(socket), Some(device)) = (self.sockets.get(number), self.devices.get(number)) else {
                    continue;
                };
                // A few each turn, so that one flooded device does not starve the others.
                for _ in 0..16 {
                    let Ok((length, from)) = socket.recv_from(&mut buffer) else { break };
                    let datagram = &buffer[..length.min(buffer.len())];
                    let answers = match self.secure.get_mut(number) {
                        Some(Some(secure)) if message::version(datagram) == Some(3) => {
                            secure.answer(&mib, device, now, datagram, &mut reply)
                        }
                        _ => answer(&mib, device, now, datagram, &mut reply),
                    };
                    if answers {
                        let _ = socket.send_to(reply.bytes(), from);
                        device.answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }
}

/// The reply to a datagram; false where a real agent would be silent.
fn answer(mib: &Mib, device: &Device, now: i64, datagram: &[u8], reply: &mut Writer) -> bool {
    if !device.alive.load(Ordering::Relaxed) {
        return false;
    }
    let Ok(request) = Message::decode(datagram) else { return false };
    if request.community != device.spec.community.as_bytes() {
        return false;
    }
    let asked = request.pdu;
    let view = mib.view(device, now);
    reply.clear();
    // Status and index are known only after the varbinds: v1 answers the question itself with noSuchName.
    let mut missing = None;
    message::encode(reply, request.version, request.community, |w| {
        missing = respond(&view, &asked, LARGEST_REPLY, w);
    });
    if let (Version::V1, Some(missing)) = (request.version, missing) {
        reply.clear();
        message::encode(reply, request.version, request.community, |w| {
            pdu::encode(w, PduKind::Response, asked.request_id, 2, missing, |w| {
                for bind in asked.varbinds() {
                    pdu::encode_varbind(w, bind.name, bind.value);
                }
            });
        });
    }
    is_question(&asked)
}

fn is_question(asked: &Pdu<'_>) -> bool {
    matches!(asked.kind, PduKind::Get | PduKind::GetNext | PduKind::GetBulk)
}

/// Writes the response, up to `most` octets in the writer; the place of the first name that is not there, from 1.
fn respond(view: &View<'_>, asked: &Pdu<'_>, most: usize, w: &mut Writer) -> Option<i32> {
    let mut missing = None;
    pdu::encode(w, PduKind::Response, asked.request_id, 0, 0, |w| match asked.kind {
        PduKind::Get => {
            for (i, bind) in (1..).zip(asked.varbinds()) {
                if !view.get(bind.name, w) {
                    missing.get_or_insert(i);
                }
            }
        }
        PduKind::GetNext => {
            for (i, bind) in (1..).zip(asked.varbinds()) {
                if !view.next(bind.name, w) {
                    missing.get_or_insert(i);
                }
            }
        }
        PduKind::GetBulk => {
            let repeaters_from = usize::try_from(asked.error_status.0).unwrap_or(0);
            for bind in asked.varbinds().take(repeaters_from) {
                view.next(bind.name, w);
            }
            let names = asked.varbinds().skip(repeaters_from).map(|b| b.name);
            view.bulk(names, asked.error_index.clamp(0, 1000) as usize, w, most);
        }
        PduKind::Response | PduKind::Set | PduKind::Inform | PduKind::TrapV2 | PduKind::Report => {}
    });
    missing
}

#[cfg(test)]
mod tests;
