//! What hosts hang on that nobody configured, as far as this machine knows it: the jump host that ssh_config reaches a host
//! through, and the gateway that its routing table sends its packets to. Only where that is a host of the inventory itself.
//! What such a parent may hide is the reducer's business, and little.
//!
//! Nothing is asked of anybody: a host whose address is a name has no gateway here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use super::plan::Plan;
use crate::model::{AssetId, Host, Inference, Inventory};
use crate::ssh::config::Proxy;
use crate::ssh::{HostSettings, SshConfig, Target};

/// A machine with more routes is a router: then it is itself what others hang on.
const MOST_ROUTES: usize = 1_024;
/// Flags of a route (`<linux/route.h>`).
const RTF_UP: u32 = 0x0001;
const RTF_GATEWAY: u32 = 0x0002;
const RTF_REJECT: u32 = 0x0200;

type Parents = HashMap<AssetId, (AssetId, Inference)>;

impl Plan {
    /// With what its hosts hang on by ssh_config and by the routing tables below `root`. `None` where that is nothing.
    #[must_use]
    pub fn with_inferred_parents(mut self, ssh: Option<&SshConfig>, root: &Path) -> Option<Self> {
        let names = Names::of(&self.inventory);
        // Most have no jump hosts, and each name costs a look through all lines.
        let ssh = ssh.filter(|ssh| ssh.has_jumps());
        let mut parents = ssh.map(|ssh| by_jump(&self.inventory, &names, ssh)).unwrap_or_default();
        by_gateway(&self.inventory, &names, &Routes::read(root), &mut parents);
        if parents.is_empty() {
            return None;
        }
        Arc::make_mut(&mut self.inventory).inferred = parents;
        Some(self)
    }
}

/// Hosts by what they are called, where only one is called so.
struct Names<'a>(HashMap<&'a str, Option<&'a AssetId>>);

impl<'a> Names<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let mut names: HashMap<&str, Option<&AssetId>> = HashMap::new();
        for host in &inventory.hosts {
            for name in [Some(&host.name), host.address.as_ref(), host.ssh_alias.as_ref()].into_iter().flatten() {
                let known = names.entry(name).or_insert(Some(&host.id));
                *known = known.filter(|id| **id == host.id);
            }
        }
        Self(names)
    }

    fn find(&self, name: &str) -> Option<&'a AssetId> {
        self.0.get(name).copied().flatten()
    }
}

fn by_jump(inventory: &Inventory, names: &Names<'_>, ssh: &SshConfig) -> Parents {
    let mut parents = Parents::new();
    for host in &inventory.hosts {
        let settings = ssh.resolve(alias(host));
        let mut below = &host.id;
        // The nearest first: each hop hangs on the one that is dialled before it.
        for hop in hops(&settings).rev() {
            let Some(hop) = Target::parse(hop) else { continue };
            let by_address = || names.find(&ssh.resolve(&hop.host).host_name);
            let Some(id) = names.find(&hop.host).or_else(by_address).filter(|id| *id != below) else { continue };
            let known = parents.entry(below.clone()).or_insert_with(|| (id.clone(), Inference::ProxyJump));
            if known.0 != *id {
                break;
            }
            below = id;
        }
    }
    parents
}

fn alias(host: &Host) -> &str {
    host.ssh_alias.as_deref().unwrap_or(&host.name)
}

fn hops(settings: &HostSettings) -> impl DoubleEndedIterator<Item = &str> {
    let hops = match &settings.proxy {
        Proxy::Jump(hops) => hops.as_slice(),
        Proxy::Direct | Proxy::Command(_) => &[],
    };
    hops.iter().map(String::as_str)
}

fn by_gateway(inventory: &Inventory, names: &Names<'_>, routes: &Routes, parents: &mut Parents) {
    for host in &inventory.hosts {
        let address = host.address.as_deref().and_then(|address| address.parse::<IpAddr>().ok());
        let gateway = address.and_then(|address| routes.gateway_of(address));
        if let Some(id) = gateway.and_then(|gateway| names.find(&gateway.to_string())).filter(|id| **id != host.id) {
            parents.entry(host.id.clone()).or_insert_with(|| (id.clone(), Inference::Gateway));
        }
    }
}

#[derive(Debug, PartialEq)]
struct Route {
    network: u128,
    length: u32,
    gateway: Option<IpAddr>,
}

/// The main tables, longest prefixes first.
#[derive(Debug, Default)]
struct Routes {
    v4: Vec<Route>,
    v6: Vec<Route>,
}

impl Routes {
    fn read(root: &Path) -> Self {
        let read = |name: &str| std::fs::read_to_string(root.join("proc/net").join(name)).unwrap_or_default();
        let sorted = |mut routes: Vec<Route>| {
            routes.sort_by_key(|route| std::cmp::Reverse(route.length));
            if routes.len() > MOST_ROUTES { Vec::new() } else { routes }
        };
        let v4 = sorted(read("route").lines().skip(1).filter_map(route_v4).collect());
        Self { v4, v6: sorted(read("ipv6_route").lines().filter_map(route_v6).collect()) }
    }

    /// Where packets to this address go first; `None` where that is the address itself, or nowhere.
    fn gateway_of(&self, address: IpAddr) -> Option<IpAddr> {
        if address.is_loopback() {
            return None;
        }
        let (routes, bits, width) = match address {
            IpAddr::V4(v4) => (&self.v4, u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (&self.v6, v6.to_bits(), 128),
        };
        let prefix = |bits: u128, length: u32| bits.checked_shr(width - length).unwrap_or(0);
        let holds = |route: &&Route| prefix(bits, route.length) == prefix(route.network, route.length);
        routes.iter().find(holds)?.gateway
    }
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask …`; addresses are in the byte order of the machine.
fn route_v4(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let address = |at: usize| Some(u32::from_be_bytes(u32::from_str_radix(fields.get(at)?, 16).ok()?.to_ne_bytes()));
    let flags = leading(fields.get(3)?)?;
    let gateway = (flags & RTF_GATEWAY != 0).then(|| address(2)).flatten();
    Some(Route {
        network: u128::from(address(1)?),
        length: address(7)?.count_ones(),
        gateway: gateway.map(|bits| IpAddr::V4(bits.into())),
    })
}

/// `destination length source length next-hop metric references use flags interface`.
fn route_v6(line: &str) -> Option<Route> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let address = |at: usize| u128::from_str_radix(fields.get(at)?, 16).ok();
    let flags = leading(fields.get(8)?)?;
    let gateway = (flags & RTF_GATEWAY != 0).then(|| address(4)).flatten();
    Some(Route {
        network: address(0)?,
        length: u32::from_str_radix(fields.get(1)?, 16).ok().filter(|length| *length <= 128)?,
        gateway: gateway.map(|bits| IpAddr::V6(bits.into())),
    })
}

/// The flags of a route that leads somewhere.
fn leading(flags: &str) -> Option<u32> {
    let flags = u32::from_str_radix(flags, 16).ok()?;
    (flags & RTF_UP != 0 && flags & RTF_REJECT == 0).then_some(flags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::ssh::Surroundings;

    const HEAD: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    fn plan(hosts: &[(&str, &str)]) -> Plan {
        let mut inventory = Inventory::default();
        for (name, address) in hosts {
            inventory.hosts.push(Arc::new(Host::new(name, Some(address), Origin::Config)));
        }
        Plan { inventory: Arc::new(inventory), ..Plan::default() }
    }

    fn line(destination: [u8; 4], gateway: [u8; 4], flags: u32, mask: [u8; 4]) -> String {
        let hex = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        format!("eth0\t{}\t{}\t{flags:04X}\t0\t0\t0\t{}\t0\t0\t0\n", hex(destination), hex(gateway), hex(mask))
    }

    fn root(route: &str, ipv6_route: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("proc/net")).expect("made");
        std::fs::write(root.path().join("proc/net/route"), format!("{HEAD}{route}")).expect("written");
        std::fs::write(root.path().join("proc/net/ipv6_route"), ipv6_route).expect("written");
        root
    }

    fn ssh(text: &str) -> (tempfile::TempDir, SshConfig) {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join(".ssh")).expect("made");
        std::fs::write(home.path().join(".ssh/config"), text).expect("written");
        let config = SshConfig::of_user(Surroundings::with_home(home.path()));
        (home, config)
    }

    /// `child parent`, in order.
    fn hangs(plan: Option<Plan>) -> Vec<String> {
        let inferred = plan.map(|plan| plan.inventory.inferred.clone()).unwrap_or_default();
        let words = |(child, (parent, by)): (&AssetId, &(AssetId, Inference))| {
            format!("{} on {} {by:?}", child.as_str(), parent.as_str())
        };
        let mut out: Vec<String> = inferred.iter().map(words).collect();
        out.sort();
        out
    }

    #[test]
    fn what_is_routed_hangs_on_the_gateway_of_its_route() {
        let routes = [
            line([0, 0, 0, 0], [10, 0, 0, 1], 3, [0, 0, 0, 0]),
            line([10, 0, 0, 0], [0, 0, 0, 0], 1, [255, 255, 255, 0]),
            line([10, 7, 0, 0], [10, 0, 0, 9], 3, [255, 255, 0, 0]),
            line([10, 7, 1, 0], [0, 0, 0, 0], 0x201, [255, 255, 255, 0]),
        ];
        let zero = "0".repeat(32);
        let v6 = format!(
            "{zero} 00 {zero} 00 20010db8000000000000000000000001 00000400 1 0 00000003 eth0\n\
             20010db8000000000000000000000000 40 {zero} 00 {zero} 00000100 1 0 00000001 eth0\n"
        );
        let root = root(&routes.concat(), &v6);
        let hosts = [
            ("edge", "10.0.0.1"),
            ("vpn", "10.0.0.9"),
            ("near", "10.0.0.7"),
            ("far", "192.0.2.7"),
            ("branch", "10.7.1.2"),
            ("here", "127.0.0.1"),
            ("named", "db.example.net"),
            ("six", "2001:db8::1"),
            ("near6", "2001:db8::7"),
            ("far6", "2001:db8:1::7"),
        ];
        assert_eq!(
            hangs(plan(&hosts).with_inferred_parents(None, root.path())),
            ["branch on vpn Gateway", "far on edge Gateway", "far6 on six Gateway"]
        );
        // A gateway that nobody watches tells nothing.
        assert_eq!(hangs(plan(&[("far", "192.0.2.7")]).with_inferred_parents(None, root.path())), [""; 0]);
    }

    #[test]
    fn what_is_behind_jump_hosts_hangs_on_the_nearest_that_is_watched() {
        let (_home, config) = ssh(
            "Host inner\n ProxyJump jump1,ops@jump2:2222\nHost outer\n ProxyJump nobody\nHost two\n ProxyJump 10.0.0.1\n\
             Host hop\n HostName 10.0.0.1\nHost three\n ProxyJump hop\nHost self\n ProxyJump self\nHost piped\n ProxyCommand nc %h\n",
        );
        let hosts = [
            ("inner", "10.1.0.1"),
            ("jump1", "10.0.0.1"),
            ("jump2", "10.0.0.2"),
            ("outer", "10.1.0.2"),
            ("two", "10.1.0.3"),
            ("three", "10.1.0.4"),
            ("self", "10.1.0.5"),
            ("piped", "10.1.0.6"),
        ];
        let root = root(&line([0, 0, 0, 0], [10, 0, 0, 2], 3, [0, 0, 0, 0]), "");
        let found = hangs(plan(&hosts).with_inferred_parents(Some(&config), root.path()));
        let jumps: Vec<&String> = found.iter().filter(|words| words.ends_with("ProxyJump")).collect();
        assert_eq!(
            jumps,
            [
                "inner on jump2 ProxyJump",
                "jump2 on jump1 ProxyJump",
                "three on jump1 ProxyJump",
                "two on jump1 ProxyJump"
            ]
        );
        assert!(found.contains(&"outer on jump2 Gateway".to_owned()), "{found:?}");
    }
}
