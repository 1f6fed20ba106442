//! The way out of this machine, as the machine itself has it: a default route over an interface with a carrier. Without one
//! most of what is watched cannot answer, whatever it does.
//!
//! ```text
//! /proc/net/route, /proc/net/ipv6_route    the default routes that are up and lead somewhere
//! /sys/class/net/NAME/carrier, operstate   whether their interfaces have a link; not where they are another network
//!                                          namespace's (their names are not those of /proc/net/dev)
//! /proc/net/arp                            whether the IPv4 gateway has a link address; whoever filters echoes has one
//! ```
//!
//! Nothing is judged where these files are not there, nor before a way out was once seen: a console that serves a closed
//! network has none and needs none. A loss is looked at twice before it is told, and at once where something falls silent. One default route is enough, of whatever
//! kind. Of several next hops of one route the kernel shows the first.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::base::text::clean;
use crate::state::Event;

/// From one look to the next; and the least, which is also what lies between the first sign of a loss and the second.
const LOOK: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(500);
/// Of a routing table; the default routes stand at the beginning, and a table of the whole internet has megabytes.
const LARGEST: u64 = 256 * 1024;
/// Flags of a route (`<linux/route.h>`).
const RTF_UP: u32 = 0x0001;
const RTF_REJECT: u32 = 0x0200;

/// The looks go on for as long as this is kept.
#[derive(Debug)]
pub(super) struct Uplink {
    sooner: SyncSender<()>,
}

impl Uplink {
    /// Looks below `root`, and tells when what it finds changes. A thread of its own: the files of a network driver may be
    /// slow to read.
    pub(super) fn watch(root: PathBuf, events: mpsc::Sender<Event>) -> Self {
        let (sooner, wanted) = std::sync::mpsc::sync_channel(1);
        let spawned = std::thread::Builder::new().name("uplink".to_owned()).spawn(move || {
            look_again_and_again(&root, &wanted, |lost| events.blocking_send(Event::Uplink(lost)).is_ok());
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread: whether this machine has a way out is not looked at");
        }
        Self { sooner }
    }

    /// Something does not answer: whether the cause is here is worth knowing before anything is said about it.
    pub(super) fn look_now(&self) {
        // One that is asked for already is enough.
        let _ = self.sooner.try_send(());
    }
}

/// Until nobody wants to hear of it any more.
fn look_again_and_again(root: &Path, wanted: &Receiver<()>, mut tell: impl FnMut(Option<Arc<str>>) -> bool) {
    let mut watch = Watch::default();
    loop {
        let (wait, news) = watch.take(look(root));
        let heard = match news {
            None => true,
            Some(News::Lost(why)) => tell(Some(why)),
            Some(News::Back) => tell(None),
        };
        if !heard {
            return;
        }
        let looked = Instant::now();
        let mut until = wait;
        loop {
            match wanted.recv_timeout(until.saturating_sub(looked.elapsed())) {
                Ok(()) => until = until.min(AGAIN),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    WayOut,
    None(String),
    /// Nobody can tell.
    Unknown,
}

/// What is worth telling.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// There is no way out any more; why.
    Lost(Arc<str>),
    Back,
}

/// What was found before, and what was told of it.
#[derive(Debug, Default)]
struct Watch {
    seen: bool,
    suspected: bool,
    told: Option<String>,
}

impl Watch {
    /// When to look again, and what is news.
    fn take(&mut self, found: Found) -> (Duration, Option<News>) {
        match found {
            Found::WayOut => {
                (self.seen, self.suspected) = (true, false);
                (LOOK, self.told.take().map(|_| News::Back))
            }
            Found::None(why) if self.seen && (self.suspected || self.told.is_some()) => {
                let news = self.told.as_ref() != Some(&why);
                self.told = Some(why.clone());
                (LOOK, news.then(|| News::Lost(why.into())))
            }
            Found::None(_) if self.seen => {
                self.suspected = true;
                (AGAIN, None)
            }
            Found::None(_) | Found::Unknown => (LOOK, None),
        }
    }
}

fn look(root: &Path) -> Found {
    let v4 = table(&root.join("proc/net/route"));
    let v6 = table(&root.join("proc/net/ipv6_route"));
    if v4.is_none() && v6.is_none() {
        return Found::Unknown;
    }
    let whole = [&v4, &v6].into_iter().flatten().all(|text| (text.len() as u64) < LARGEST);
    let mut routes: Vec<Route<'_>> = v4.iter().flat_map(|text| default_routes_v4(text)).collect();
    routes.extend(v6.iter().flat_map(|text| default_routes_v6(text)));
    if routes.is_empty() {
        return if whole { Found::None("no default route".to_owned()) } else { Found::Unknown };
    }
    if !is_own(root) {
        return Found::WayOut;
    }
    let mut broken: Vec<String> = Vec::new();
    let arp = table(&root.join("proc/net/arp")).unwrap_or_default();
    for route in routes {
        let link = trouble(root, route.interface).map(|words| format!("{} {words}", clean(route.interface)));
        match link.or_else(|| no_neighbor(&arp, &route)) {
            None => return Found::WayOut,
            Some(words) if broken.contains(&words) => {}
            Some(words) => broken.push(words),
        }
    }
    Found::None(broken.join(", "))
}

/// The beginning of a routing table; `None` where there is none.
fn table(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A default route that is up and leads somewhere.
#[derive(Clone, Copy, Debug)]
struct Route<'a> {
    interface: &'a str,
    gateway: Option<Ipv4Addr>,
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask …`, hexadecimal; an address as the machine has it in memory.
fn default_routes_v4(table: &str) -> impl Iterator<Item = Route<'_>> {
    table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_default = *fields.get(1)? == "00000000" && *fields.get(7)? == "00000000";
        let gateway = u32::from_str_radix(fields[2], 16).ok().map(|octets| Ipv4Addr::from(octets.to_ne_bytes()));
        let gateway = gateway.filter(|address| !address.is_unspecified());
        (is_default && leads_out(fields[0], fields[3])).then_some(Route { interface: fields[0], gateway })
    })
}

/// `destination length source length next-hop metric references use flags interface`, hexadecimal.
fn default_routes_v6(table: &str) -> impl Iterator<Item = Route<'_>> {
    table.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_default = fields.first()?.bytes().all(|digit| digit == b'0') && *fields.get(1)? == "00";
        let (flags, name) = (*fields.get(8)?, *fields.get(9)?);
        (is_default && leads_out(name, flags)).then_some(Route { interface: name, gateway: None })
    })
}

fn leads_out(name: &str, flags: &str) -> bool {
    let flags = u32::from_str_radix(flags, 16).unwrap_or_default();
    name != "lo" && flags & RTF_UP != 0 && flags & RTF_REJECT == 0
}

/// Whether `/sys` tells of this network namespace and not of another.
fn is_own(root: &Path) -> bool {
    let Some(devices) = table(&root.join("proc/net/dev")) else { return false };
    let here: BTreeSet<String> =
        devices.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect();
    let Ok(folder) = std::fs::read_dir(root.join("sys/class/net")) else { return false };
    let folders = folder.flatten().filter(|entry| entry.path().is_dir());
    here == folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// What keeps an interface from carrying anything, in words.
fn trouble(root: &Path, name: &str) -> Option<&'static str> {
    let folder = root.join("sys/class/net").join(name);
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).map(|text| text.trim().to_owned());
    let state = read("operstate").unwrap_or_default();
    match read("carrier").as_deref() {
        Ok("0") => Some("has no carrier"),
        Ok(_) if state == "dormant" => Some("is dormant"),
        // An interface that is taken down has no carrier to tell of.
        Err(_) if state == "down" => Some("is down"),
        Ok(_) | Err(_) => None,
    }
}

/// That the gateway was asked for its link address and did not tell it: `IP-address type flags address mask device`, where the flags are 0
/// as long as it has not. An address that nobody asked for is not in the table.
fn no_neighbor(arp: &str, route: &Route<'_>) -> Option<String> {
    let gateway = route.gateway?;
    let is_silent = arp.lines().skip(1).any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        matches!(fields[..], [address, _, "0x0", _, _, device]
            if device == route.interface && address.parse() == Ok(gateway))
    });
    is_silent.then(|| format!("gateway {gateway} on {} does not answer ARP", clean(route.interface)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
    const DEFAULT: &str = "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
    const LAN: &str = "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
    const ZERO: &str = "00000000000000000000000000000000";

    struct Root(tempfile::TempDir);

    impl Root {
        fn new(route: &str, interfaces: &[(&str, Option<&str>, &str)]) -> Self {
            let root = Self(tempfile::tempdir().expect("a folder"));
            root.write("proc/net/route", &format!("{HEAD}{route}"));
            let mut devices = "Inter-| Receive\n face |bytes\n    lo: 0\n".to_owned();
            root.write("sys/class/net/lo/operstate", "unknown\n");
            // Not an interface, though it stands there.
            root.write("sys/class/net/bonding_masters", "\n");
            for (name, carrier, state) in interfaces {
                devices.push_str(&format!("  {name}: 0\n"));
                root.link(name, *carrier, state);
            }
            root.write("proc/net/dev", &devices);
            root
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }

        fn link(&self, name: &str, carrier: Option<&str>, state: &str) {
            if let Some(carrier) = carrier {
                self.write(&format!("sys/class/net/{name}/carrier"), &format!("{carrier}\n"));
            }
            self.write(&format!("sys/class/net/{name}/operstate"), &format!("{state}\n"));
        }

        fn look(&self) -> Found {
            look(self.0.path())
        }
    }

    fn none(why: &str) -> Found {
        Found::None(why.to_owned())
    }

    #[test]
    fn a_default_route_over_a_link_that_is_up_is_a_way_out() {
        assert_eq!(Root::new(&format!("{DEFAULT}{LAN}"), &[("eth0", Some("1"), "up")]).look(), Found::WayOut);
        // Tunnels and the like do not know whether they are up.
        assert_eq!(Root::new(DEFAULT, &[("eth0", Some("1"), "unknown")]).look(), Found::WayOut);
        assert_eq!(Root::new(LAN, &[("eth0", Some("1"), "up")]).look(), none("no default route"));
    }

    #[test]
    fn routes_that_lead_nowhere_are_none() {
        let rejected = "*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n";
        let down = DEFAULT.replace("0003", "0002");
        for route in [rejected, &down] {
            assert_eq!(Root::new(route, &[("eth0", Some("1"), "up")]).look(), none("no default route"));
        }
        let root = Root::new("", &[("eth0", Some("1"), "up")]);
        let v6 =
            |hop: &str, flags: &str, name: &str| format!("{ZERO} 00 {ZERO} 00 {hop} 00000400 1 0 {flags} {name}\n");
        root.write("proc/net/ipv6_route", &v6(ZERO, "00200200", "lo"));
        assert_eq!(root.look(), none("no default route"));
        root.write("proc/net/ipv6_route", &v6("fe800000000000000000000000000001", "00450003", "eth0"));
        assert_eq!(root.look(), Found::WayOut, "a gateway that is only known in its link is one");
    }

    #[test]
    fn a_link_without_carrier_is_named_and_one_of_two_is_enough() {
        let two = format!("{DEFAULT}{}", DEFAULT.replace("eth0", "wlan0"));
        let root = Root::new(&two, &[("eth0", Some("0"), "down"), ("wlan0", Some("1"), "up")]);
        assert_eq!(root.look(), Found::WayOut);
        root.link("wlan0", Some("1"), "dormant");
        assert_eq!(root.look(), none("eth0 has no carrier, wlan0 is dormant"));
        // What is taken down has no carrier to read.
        assert_eq!(Root::new(DEFAULT, &[("eth0", None, "down")]).look(), none("eth0 is down"));
    }

    #[test]
    fn a_gateway_that_answers_no_arp_is_no_way_out() {
        let arp = |flags: &str, address: &str, device: &str| {
            let head = "IP address       HW type     Flags       HW address            Mask     Device\n";
            format!("{head}{address}         0x1         {flags}         00:00:00:00:00:00     *        {device}\n")
        };
        let root = Root::new(DEFAULT, &[("eth0", Some("1"), "up")]);
        root.write("proc/net/arp", &arp("0x0", "10.0.0.1", "eth0"));
        assert_eq!(root.look(), none("gateway 10.0.0.1 on eth0 does not answer ARP"));
        for (flags, address, device) in [
            ("0x2", "10.0.0.1", "eth0"),
            ("0x0", "10.0.0.9", "eth0"),
            ("0x0", "10.0.0.1", "eth1"),
            ("0x0", "x", "eth0"),
        ] {
            root.write("proc/net/arp", &arp(flags, address, device));
            assert_eq!(root.look(), Found::WayOut, "{flags} {address} {device}");
        }
        // A tunnel has no gateway to ask for.
        root.write("proc/net/arp", &arp("0x0", "0.0.0.0", "eth0"));
        root.write("proc/net/route", &format!("{HEAD}{}", DEFAULT.replace("0100000A", "00000000")));
        assert_eq!(root.look(), Found::WayOut);
    }

    #[test]
    fn links_of_another_network_namespace_say_nothing() {
        let root = Root::new(DEFAULT, &[("eth0", Some("0"), "down")]);
        root.write("sys/class/net/docker0/operstate", "down\n");
        assert_eq!(root.look(), Found::WayOut);
    }

    #[test]
    fn without_the_files_nothing_is_known() {
        let empty = tempfile::tempdir().expect("a folder");
        assert_eq!(look(empty.path()), Found::Unknown);
        // A table that was cut off may have a default route further on.
        let root = Root::new(&LAN.repeat(10_000), &[("eth0", Some("1"), "up")]);
        assert_eq!(root.look(), Found::Unknown);
    }

    #[test]
    fn a_loss_is_told_at_the_second_look_and_its_end_at_the_first() {
        let mut watch = Watch::default();
        assert_eq!(watch.take(none("no default route")), (LOOK, None), "there was none from the beginning");
        assert_eq!(watch.take(Found::WayOut), (LOOK, None));
        assert_eq!(watch.take(none("no default route")), (AGAIN, None));
        assert_eq!(watch.take(Found::WayOut), (LOOK, None), "as when an address is renewed");
        assert_eq!(watch.take(none("eth0 has no carrier")), (AGAIN, None));
        assert_eq!(watch.take(none("no default route")), (LOOK, Some(News::Lost("no default route".into()))));
        assert_eq!(watch.take(none("no default route")), (LOOK, None));
        assert_eq!(watch.take(Found::Unknown), (LOOK, None));
        assert_eq!(watch.take(none("eth0 has no carrier")), (LOOK, Some(News::Lost("eth0 has no carrier".into()))));
        assert_eq!(watch.take(Found::WayOut), (LOOK, Some(News::Back)));
        // Each look costs a wake-up.
        assert!(LOOK + AGAIN < Duration::from_secs(10) && 1.0 / LOOK.as_secs_f64() <= 0.2);
    }

    #[test]
    fn the_thread_ends_with_whoever_wanted_to_know() {
        let root = Root::new(DEFAULT, &[("eth0", Some("1"), "up")]);
        let (sooner, wanted) = std::sync::mpsc::sync_channel(1);
        let path = root.0.path().to_owned();
        let thread = std::thread::spawn(move || look_again_and_again(&path, &wanted, |_| true));
        drop(sooner);
        thread.join().expect("it ends");
    }
}
