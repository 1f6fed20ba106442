use super::*;
use crate::base::Clock;
use crate::base::options::SecretRef;
use crate::model::Origin;
use crate::proto::snmp::{PduKind, Version, message, pdu};

/// A running listener on a free port of loopback, and one host that it hears.
struct Running {
    to: SocketAddr,
    told: mpsc::Receiver<Told>,
    hosts: watch::Sender<Arc<[Arc<Host>]>>,
    task: tokio::task::JoinHandle<Result<(), String>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn host(name: &str, address: &str) -> Arc<Host> {
    Arc::new(Host::new(name, Some(address), Origin::Config))
}

impl Running {
    async fn start(hosts: Vec<Arc<Host>>) -> Self {
        let settings = TrapSettings {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            community: Some(SecretRef::Literal(Secret::new("traps".to_owned()))),
            users: Vec::new(),
            kinds: vec![Oid::from_arcs(&[1, 3, 6, 1, 4, 1, 9, 9, 43, 2])],
        };
        let (out, mut told) = mpsc::channel(256);
        let (sender, receiver) = watch::channel(hosts.into());
        let own = OwnEngine { id: vec![0x80, 0, 0x7e, 0xd9, 5, 1, 2, 3], boots: 1 };
        let cx = TrapCx { net: Net::new(Clock::start()), own, hosts: receiver, out, answers: true };
        let task = tokio::spawn(async move { run(&settings, cx).await });
        let Some(Told::Status(status)) = told.recv().await else { panic!("it says where it listens") };
        let to = status.listening[0].parse().expect("an address");
        Self { to, told, hosts: sender, task }
    }

    async fn notification(&mut self) -> Notification {
        loop {
            match self.told.recv().await.expect("the listener runs") {
                Told::Notification(notification) => return notification,
                Told::Status(_) => {}
            }
        }
    }

    async fn status(&mut self, wanted: impl Fn(&TrapStatus) -> bool) -> TrapStatus {
        loop {
            if let Told::Status(status) = self.told.recv().await.expect("the listener runs")
                && wanted(&status)
            {
                return status;
            }
        }
    }
}

/// A datagram of version 2c.
fn trap(kind: &[u32], pdu_kind: PduKind, community: &str, binds: &[(&[u32], Value<'_>)]) -> Vec<u8> {
    let mut writer = Writer::default();
    message::encode(&mut writer, Version::V2c, community.as_bytes(), |w| {
        pdu::encode(w, pdu_kind, 17, 0, 0, |w| {
            let uptime = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, 3, 0]);
            pdu::encode_varbind(w, uptime.as_raw(), Value::TimeTicks(1));
            let name = Oid::from_arcs(&[1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0]);
            pdu::encode_varbind(w, name.as_raw(), Value::Oid(Oid::from_arcs(kind).as_raw()));
            for (name, value) in binds {
                pdu::encode_varbind(w, Oid::from_arcs(name).as_raw(), *value);
            }
        });
    });
    writer.bytes().to_vec()
}

const LINK_DOWN: &[u32] = &[1, 3, 6, 1, 6, 3, 1, 1, 5, 3];
const IF_INDEX: &[u32] = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 7];
const IF_OPER: &[u32] = &[1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 7];

fn socket(address: [u8; 4]) -> std::net::UdpSocket {
    let socket = std::net::UdpSocket::bind((IpAddr::from(address), 0)).expect("a free port");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a deadline");
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_went_down_is_told_with_its_interface_and_hostile_text_stays_what_it_is() {
    let mut running = Running::start(vec![host("sw1", "127.0.0.73")]).await;
    let sender = socket([127, 0, 0, 73]);
    let binds = [
        (IF_INDEX, Value::Integer(7)),
        (IF_OPER, Value::Integer(2)),
        (&[1, 3, 6, 1, 4, 1, 9, 2, 2, 1][..], Value::Octets(b"Gi1/0/7\x1b[2J")),
    ];
    sender.send_to(&trap(LINK_DOWN, PduKind::TrapV2, "traps", &binds), running.to).expect("sent");
    let told = running.notification().await;
    assert_eq!((told.host.as_str(), told.kind, told.if_index), ("sw1", NotificationKind::LinkDown, Some(7)));
    assert_eq!((told.count, told.version), (1, "v2c"));
    assert_eq!(told.detail.line(), "ifOperStatus down, 1.3.6.1.4.1.9.2.2.1 Gi1/0/7\\x1b[2J");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inform_is_acknowledged_where_it_came_from() {
    let mut running = Running::start(vec![host("sw1", "127.0.0.73")]).await;
    let sender = socket([127, 0, 0, 73]);
    sender.send_to(&trap(LINK_DOWN, PduKind::Inform, "traps", &[]), running.to).expect("sent");
    running.notification().await;
    let mut buffer = [0; 2048];
    let (length, from) = sender.recv_from(&mut buffer).expect("an acknowledgement");
    assert_eq!(from, running.to);
    let answer = message::Message::decode(&buffer[..length]).expect("valid");
    assert_eq!((answer.pdu.kind, answer.pdu.request_id), (PduKind::Response, 17));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_taken_is_counted_by_its_reason() {
    let mut running = Running::start(vec![host("sw1", "127.0.0.73")]).await;
    let (known, stranger) = (socket([127, 0, 0, 73]), socket([127, 0, 0, 74]));
    let other = trap(&[1, 3, 6, 1, 4, 1, 2636, 4, 1], PduKind::TrapV2, "traps", &[]);
    for (sender, datagram) in [
        (&stranger, &trap(LINK_DOWN, PduKind::TrapV2, "traps", &[])[..]),
        (&known, b"nonsense"),
        (&known, &other),
        (&known, &trap(LINK_DOWN, PduKind::TrapV2, "public", &[])),
        (&known, &trap(LINK_DOWN, PduKind::Get, "traps", &[])),
    ] {
        sender.send_to(datagram, running.to).expect("sent");
    }
    let status = running.status(|s| s.refused == 2).await;
    assert_eq!((status.unknown_source, status.malformed, status.other_kinds, status.taken), (1, 1, 1, 0));
    assert_eq!(status.last_refusal.as_deref(), Some("127.0.0.73: neither a trap nor an inform"));
    // The inventory changes, and with it who is heard.
    running.hosts.send_replace(Arc::new([host("sw2", "127.0.0.74")]));
    let configured = trap(&[1, 3, 6, 1, 4, 1, 9, 9, 43, 2, 0, 1], PduKind::TrapV2, "traps", &[]);
    let told = loop {
        // The listener and the change are two things that run side by side.
        stranger.send_to(&configured, running.to).expect("sent");
        if let Ok(told) = tokio::time::timeout(Duration::from_millis(100), running.notification()).await {
            break told;
        }
    };
    assert_eq!(told.host.as_str(), "sw2");
    assert_eq!(told.kind, NotificationKind::Other("1.3.6.1.4.1.9.9.43.2.0.1".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_ten_thousand_is_one_line_for_as_long_as_it_lasts() {
    let mut running = Running::start(vec![host("sw1", "127.0.0.73")]).await;
    let sender = socket([127, 0, 0, 73]);
    let datagram = trap(LINK_DOWN, PduKind::TrapV2, "traps", &[(IF_INDEX, Value::Integer(7))]);
    let flood = std::thread::spawn({
        let to = running.to;
        move || {
            for _ in 0..10_000 {
                sender.send_to(&datagram, to).expect("sent");
            }
        }
    });
    let mut lines = 0;
    // The kernel may lose some of them.
    let taken = loop {
        match running.told.recv().await.expect("the listener runs") {
            Told::Notification(notification) => lines += notification.count,
            Told::Status(status) if status.taken > 500 => break status.taken,
            Told::Status(_) => {}
        }
    };
    flood.join().expect("it ends");
    assert_eq!(lines, 1, "of {taken}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_what_to_do() {
    let taken = socket([127, 0, 0, 75]);
    let settings = TrapSettings {
        listen: vec![taken.local_addr().expect("it has one")],
        community: None,
        users: Vec::new(),
        kinds: Vec::new(),
    };
    let (out, _told) = mpsc::channel(1);
    let (_hosts, receiver) = watch::channel(Arc::from([]));
    let own = OwnEngine { id: vec![0x80, 0, 0, 0, 5, 1], boots: 1 };
    let cx = TrapCx { net: Net::new(Clock::start()), own, hosts: receiver, out, answers: true };
    let why = run(&settings, cx).await.expect_err("somebody has it");
    assert!(why.contains("cannot listen for traps on 127.0.0.75:") && why.contains("another program"), "{why}");
}
