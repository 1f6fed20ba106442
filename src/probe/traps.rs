//! Traps and informs as a source of events: the `[traps]` table, its sockets, who is listened to, and how a storm becomes a
//! few lines. What happens because of an event is decided elsewhere.
//!
//! Only hosts of the inventory are heard, by the address that a datagram comes from; of others the number is known. A datagram
//! of a stranger is not even decoded. Nothing is sent but acknowledgements and what leads to them.

mod quieten;
mod settings;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

use self::quieten::{Quietened, Quietening};
pub use self::settings::{TRAP_OPTIONS, TRAP_USER_OPTIONS, TrapSettings};
use crate::base::{Secret, Untrusted};
use crate::model::{AssetId, Host, Notification, NotificationKind, TrapStatus};
use crate::net::Net;
use crate::process::secret::{self, Secrets};
use crate::proto::snmp::ber::Writer;
use crate::proto::snmp::notification::{self, Receiver, Refused, kinds};
use crate::proto::snmp::usm::{Authority, EngineId};
use crate::proto::snmp::{Oid, Value};

/// Datagrams taken before anybody else gets a turn.
const BURST: usize = 64;
/// How often names of hosts are looked up again.
const RESOLVE_EVERY: Duration = Duration::from_secs(600);
/// How often the state of the listener is told, where it changed.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// No detail is longer.
const DETAIL: usize = 512;

/// Our own SNMP engine, for those who send informs: its id and how often it started.
#[derive(Clone, Debug)]
pub struct OwnEngine {
    pub id: Vec<u8>,
    pub boots: u32,
}

/// What a run of the listener may use.
#[derive(Debug)]
pub struct TrapCx {
    pub net: Arc<Net>,
    pub own: OwnEngine,
    /// The hosts that are heard; a new list replaces the one before.
    pub hosts: watch::Receiver<Arc<[Arc<Host>]>>,
    pub out: mpsc::Sender<Told>,
    /// False where nothing at all may be sent; then informs are not acknowledged.
    pub answers: bool,
}

/// What the listener tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Notification(Notification),
    Status(TrapStatus),
}

/// Listens until somebody stops it.
///
/// # Errors
/// Why it cannot, in words and with what to do. It is worth trying again later.
pub async fn run(settings: &TrapSettings, cx: TrapCx) -> Result<(), String> {
    let mut listener = Listener::open(settings, cx).await?;
    listener.run().await;
    Ok(())
}

struct Listener {
    cx: TrapCx,
    sockets: Vec<UdpSocket>,
    receiver: Receiver,
    kinds: Vec<Oid>,
    started: Instant,
    sources: HashMap<IpAddr, AssetId>,
    quieten: Quietening,
    status: TrapStatus,
    told: TrapStatus,
    reply: Writer,
}

impl Listener {
    async fn open(settings: &TrapSettings, cx: TrapCx) -> Result<Self, String> {
        let mut communities = Vec::new();
        if let Some(community) = &settings.community {
            let text = secret::fetch(community).await.map_err(|e| format!("the community of [traps]: {e}"))?;
            communities.push(Secret::new(text.expose().clone().into_bytes()));
        }
        let (mut users, secrets) = (Vec::new(), Secrets::default());
        for user in &settings.users {
            users.push(cx.net.snmp.user(user.login(&secrets).await?).await.map_err(|e| e.to_string())?);
        }
        let mut sockets = Vec::new();
        let mut listening = Vec::new();
        for address in &settings.listen {
            let socket = bind(*address)?;
            listening.push(Arc::from(socket.local_addr().unwrap_or(*address).to_string()));
            sockets.push(socket);
        }
        let mut salt = [0; 8];
        // It does not fail after boot; a salt that begins at zero would still not repeat within a run.
        let _ = rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty());
        let id = EngineId::new(&cx.own.id)
            .ok_or("noctty's own engine id is damaged: remove `snmp-engine` from the state folder")?;
        let own = Authority::new(id, cx.own.boots, &users, u64::from_be_bytes(salt));
        Ok(Self {
            sockets,
            receiver: Receiver::new(communities, users, own, Duration::ZERO),
            kinds: settings.kinds.clone(),
            started: Instant::now(),
            sources: HashMap::new(),
            quieten: Quietening::default(),
            status: TrapStatus { listening, ..TrapStatus::default() },
            told: TrapStatus::default(),
            reply: Writer::default(),
            cx,
        })
    }

    async fn run(&mut self) {
        let mut buffer = vec![0u8; 65_536];
        let (names, mut resolved) = mpsc::channel(64);
        let mut looking = self.take_hosts(&names);
        let mut tick = tokio::time::interval(STATUS_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut look_again = tokio::time::interval(RESOLVE_EVERY);
        look_again.tick().await;
        loop {
            let which = tokio::select! {
                which = readable(&self.sockets) => which,
                Some((address, host)) = resolved.recv() => {
                    self.sources.insert(address, host);
                    None
                }
                changed = self.cx.hosts.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    looking = self.take_hosts(&names);
                    None
                }
                _ = look_again.tick() => {
                    looking = self.take_hosts(&names);
                    None
                }
                _ = tick.tick() => {
                    if self.settle().await.is_err() {
                        break;
                    }
                    None
                }
            };
            if let Some(which) = which
                && self.receive(which, &mut buffer).await.is_err()
            {
                break;
            }
        }
        drop(looking);
    }

    /// Who is heard, from now on: addresses at once, names as they are resolved, those that were known until then.
    fn take_hosts(&mut self, names: &mpsc::Sender<(IpAddr, AssetId)>) -> Looking {
        let hosts = self.cx.hosts.borrow_and_update().clone();
        let mut unresolved = Vec::new();
        let mut sources = HashMap::new();
        for host in &*hosts {
            let Some(address) = &host.address else { continue };
            match address.parse::<IpAddr>() {
                Ok(address) => {
                    sources.insert(address, host.id.clone());
                }
                Err(_) => unresolved.push((address.clone(), host.id.clone())),
            }
        }
        for (address, id) in std::mem::take(&mut self.sources) {
            if unresolved.iter().any(|(_, named)| *named == id) {
                sources.entry(address).or_insert(id);
            }
        }
        self.sources = sources;
        let (net, names) = (self.cx.net.clone(), names.clone());
        Looking(tokio::spawn(async move {
            for (name, id) in unresolved {
                let found = net.names.addresses(&name, None, Duration::from_secs(5)).await;
                for address in found.unwrap_or_default() {
                    if names.send((address, id.clone())).await.is_err() {
                        return;
                    }
                }
            }
        }))
    }

    async fn receive(&mut self, which: usize, buffer: &mut [u8]) -> Result<(), Gone> {
        for _ in 0..BURST {
            let (length, from) = match self.sockets[which].try_recv_from(buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                // What ICMP says about somebody whom we have answered.
                Err(_) => continue,
            };
            let told = self.take(from, &buffer[..length.min(buffer.len())]);
            if self.cx.answers && !self.reply.is_empty() {
                // A full socket loses it, like a network would; the sender asks again.
                let _ = self.sockets[which].try_send_to(self.reply.bytes(), from);
            }
            if let Some(notification) = told {
                self.tell(notification).await?;
            }
        }
        tokio::task::yield_now().await;
        Ok(())
    }

    /// Takes one datagram in.
    fn take(&mut self, from: SocketAddr, datagram: &[u8]) -> Option<Notification> {
        self.reply.clear();
        let Some(host) = self.sources.get(&from.ip().to_canonical()).cloned() else {
            self.status.unknown_source += 1;
            self.status.last_refusal = Some(format!("{}: no host has this address", from.ip().to_canonical()).into());
            return None;
        };
        let now = self.started.elapsed();
        let told = match self.receiver.handle(now, datagram, &mut self.reply) {
            Ok(told) => told?,
            Err(refused) => {
                refuse(&mut self.status, from, refused);
                return None;
            }
        };
        let Some(kind) = kind_of(&told.kind, &self.kinds) else {
            self.status.other_kinds += 1;
            return None;
        };
        self.status.taken += 1;
        let at = self.cx.net.clock.now();
        let version = told.version.as_str();
        let (if_index, detail) = details(&told);
        Some(Notification { at, host, kind, if_index, detail, version, count: 1 })
    }

    async fn tell(&mut self, notification: Notification) -> Result<(), Gone> {
        match self.quieten.take(self.started.elapsed(), notification) {
            Quietened::Tell(notification) => self.send(Told::Notification(notification)).await,
            Quietened::Later => Ok(()),
            Quietened::Never => {
                self.status.suppressed += 1;
                Ok(())
            }
        }
    }

    /// Once a second: what was told again and again, and how the listener stands.
    async fn settle(&mut self) -> Result<(), Gone> {
        for notification in self.quieten.due(self.started.elapsed()) {
            self.send(Told::Notification(notification)).await?;
        }
        if self.status != self.told {
            self.told = self.status.clone();
            self.send(Told::Status(self.status.clone())).await?;
        }
        Ok(())
    }

    async fn send(&self, told: Told) -> Result<(), Gone> {
        self.cx.out.send(told).await.map_err(|_| Gone)
    }
}

/// Which of the sockets has something to read.
async fn readable(sockets: &[UdpSocket]) -> Option<usize> {
    let (ready, which, _) = futures_util::future::select_all(sockets.iter().map(|s| Box::pin(s.readable()))).await;
    ready.ok().map(|()| which)
}

/// Nobody listens to the listener any more.
struct Gone;

/// The look-up of names; ends with its owner.
struct Looking(tokio::task::JoinHandle<()>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn bind(address: SocketAddr) -> Result<UdpSocket, String> {
    let advice = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "; ports below 1024 need a permission: setcap cap_net_bind_service=+ep on the program, or listen on another port"
            }
            std::io::ErrorKind::AddrInUse => "; another program (snmptrapd?) has it",
            _ => "",
        };
        format!("cannot listen for traps on {address}: {error}{hint}")
    };
    let socket = std::net::UdpSocket::bind(address).map_err(advice)?;
    socket.set_nonblocking(true).map_err(advice)?;
    // A storm comes all at once. Beyond the system's limit only with privilege; less loses more of a storm.
    let wanted = 4 << 20;
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, wanted).is_err() {
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&socket, wanted);
    }
    UdpSocket::from_std(socket).map_err(advice)
}

fn refuse(status: &mut TrapStatus, from: SocketAddr, refused: Refused) {
    let why = match refused {
        Refused::Malformed => {
            status.malformed += 1;
            return;
        }
        Refused::NoNotification => "neither a trap nor an inform".to_owned(),
        Refused::Community => "another community than that of [traps]".to_owned(),
        Refused::User(kind) => format!("{} (version 3)", kind.counter()),
        Refused::Stale => "authenticated, but outside the time window".to_owned(),
    };
    status.refused += 1;
    status.last_refusal = Some(format!("{}: {why}", from.ip().to_canonical()).into());
}

fn kind_of(kind: &Oid, configured: &[Oid]) -> Option<NotificationKind> {
    match kinds::standard(kind.as_raw()) {
        Some(1) => Some(NotificationKind::ColdStart),
        Some(2) => Some(NotificationKind::WarmStart),
        Some(3) => Some(NotificationKind::LinkDown),
        Some(4) => Some(NotificationKind::LinkUp),
        Some(_) => Some(NotificationKind::AuthenticationFailure),
        None => {
            let named = configured.iter().any(|prefix| kind == prefix || kind.as_raw().below(prefix).is_some());
            named.then(|| NotificationKind::Other(Arc::from(kind.to_string())))
        }
    }
}

/// The interface that it is about, and the rest as text.
fn details(told: &notification::Notification<'_>) -> (Option<u32>, Untrusted) {
    let if_entry = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 2, 2, 1]);
    let mut if_index = None;
    let mut text: Vec<u8> = Vec::new();
    for bind in told.varbinds.clone() {
        let arcs = bind.name.below(&if_entry).map(|index| index.arcs().collect::<Vec<u32>>());
        match arcs.as_deref() {
            // ifIndex says it by its value, which is right even where the instance is not.
            Some([1, ..]) => if_index = bind.value.number().and_then(|n| u32::try_from(n).ok()).or(if_index),
            Some([2, ..]) => append(&mut text, "ifDescr", bind.value),
            Some([7, ..]) => append(&mut text, "ifAdminStatus", status_word(bind.value)),
            Some([8, ..]) => append(&mut text, "ifOperStatus", status_word(bind.value)),
            Some([_, row]) if if_index.is_none() => {
                if_index = Some(*row);
                append(&mut text, &bind.name.to_string(), bind.value);
            }
            _ => append(&mut text, &bind.name.to_string(), bind.value),
        }
        if text.len() > DETAIL {
            break;
        }
    }
    (if_index, Untrusted::bounded(&text, DETAIL))
}

fn status_word(value: Value<'_>) -> Value<'static> {
    match value.number() {
        Some(1) => Value::Octets(b"up"),
        Some(2) => Value::Octets(b"down"),
        Some(other) => Value::Counter64(other),
        None => Value::Null,
    }
}

fn append(text: &mut Vec<u8>, name: &str, value: Value<'_>) {
    if !text.is_empty() {
        text.extend_from_slice(b", ");
    }
    text.extend_from_slice(name.as_bytes());
    text.push(b' ');
    match value {
        Value::Octets(octets) | Value::Opaque(octets) => text.extend_from_slice(octets),
        Value::Oid(oid) => text.extend_from_slice(oid.to_string().as_bytes()),
        Value::IpAddress(octets) => text.extend_from_slice(IpAddr::from(octets).to_string().as_bytes()),
        Value::Integer(number) => text.extend_from_slice(number.to_string().as_bytes()),
        Value::Counter32(_) | Value::Gauge32(_) | Value::TimeTicks(_) | Value::Counter64(_) => {
            text.extend_from_slice(value.number().unwrap_or_default().to_string().as_bytes());
        }
        Value::Null | Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView | Value::Other(_) => {
            text.extend_from_slice("–".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
