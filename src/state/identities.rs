//! Which host of the inventory a neighbor is that a device names (LLDP, CDP). All of it is foreign text, so what is not
//! certain is nobody. In this order, the first that fits exactly one host:
//!
//! 1. a management address: `address` of the host;
//! 2. the chassis MAC address: what a polled device says is its own;
//! 3. the name: whole, as the inventory has it, then as a polled device calls itself; then without the domain, where one of
//!    the two has none.
//!
//! What fits several hosts fits none of them, and the next is tried. Addresses that say nothing about who has them (multicast,
//! broadcast, link-local, unspecified) are not looked for.

use std::borrow::{Borrow, Cow};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use crate::base::Untrusted;
use crate::model::Host;
use crate::model::device::{Mac, Neighbor, NeighborId, NeighborProtocol, called};

/// By what a host is known, for hosts that are told apart by `K`.
#[derive(Clone, Debug)]
pub struct Identities<K> {
    addresses: Claims<IpAddr, K>,
    chassis: Claims<Mac, K>,
    /// As the inventory has them; an address that is a name is one of them.
    names: Names<K>,
    /// As polled devices call themselves.
    own_names: Names<K>,
    devices: HashMap<K, Own>,
}

impl<K> Default for Identities<K> {
    fn default() -> Self {
        Self {
            addresses: Claims::default(),
            chassis: Claims::default(),
            names: Names::default(),
            own_names: Names::default(),
            devices: HashMap::new(),
        }
    }
}

/// What a polled device says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
struct Own {
    name: Untrusted,
    chassis: [Option<Mac>; 2],
}

impl Own {
    /// In small letters; nothing where it says nothing.
    fn called(&self) -> Option<String> {
        (!self.name.is_empty()).then(|| self.name.line().to_lowercase())
    }

    fn stations(&self) -> impl Iterator<Item = Mac> {
        self.chassis.into_iter().flatten().filter(|mac| is_stations(*mac))
    }
}

/// By what something may be known that was named or heard.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    addresses: &'a [IpAddr],
    chassis: Option<Mac>,
    name: &'a Untrusted,
    /// Nobody knows any more by which it was heard.
    protocol: Option<NeighborProtocol>,
}

impl Seen<'_> {
    /// In small letters, surest first.
    fn names(&self) -> Vec<String> {
        let mut names = called(self.name);
        names.truncate(if self.protocol == Some(NeighborProtocol::Lldp) { 1 } else { names.len() });
        names
    }
}

impl<'a> From<&'a Neighbor> for Seen<'a> {
    fn from(neighbor: &'a Neighbor) -> Self {
        let Neighbor { addresses, chassis_mac, name, protocol, .. } = neighbor;
        Self { addresses, chassis: *chassis_mac, name, protocol: Some(*protocol) }
    }
}

impl<'a> From<&'a NeighborId> for Seen<'a> {
    fn from(id: &'a NeighborId) -> Self {
        Self { addresses: &id.addresses, chassis: id.chassis_mac, name: &id.name, protocol: None }
    }
}

/// What fits several hosts: `the address 192.0.2.1`, and who they are.
#[derive(Debug, PartialEq)]
pub struct Ambiguity<K> {
    pub words: String,
    pub hosts: Vec<K>,
}

impl<K: Clone + Eq + Hash> Identities<K> {
    pub fn add(&mut self, who: &K, host: &Host) {
        let name = host.name.to_lowercase();
        if let Some(address) = host.address.as_deref() {
            match address.parse::<IpAddr>() {
                Ok(address) => {
                    if let Some(address) = somebodys(address) {
                        self.addresses.add(address, who);
                    }
                }
                Err(_) if address.eq_ignore_ascii_case(&name) => {}
                Err(_) => self.names.add(&address.to_lowercase(), who),
            }
        }
        self.names.add(&name, who);
    }

    /// Takes in what a device says of itself. True where that is news.
    pub fn take_device(&mut self, who: &K, name: &Untrusted, chassis: [Option<Mac>; 2]) -> bool {
        if self.devices.get(who).is_some_and(|own| own.name == *name && own.chassis == chassis) {
            return false;
        }
        self.forget(who);
        let own = Own { name: name.clone(), chassis };
        if let Some(name) = own.called() {
            self.own_names.add(&name, who);
        }
        for mac in own.stations() {
            self.chassis.add(mac, who);
        }
        self.devices.insert(who.clone(), own);
        true
    }

    /// Forgets what other devices said of themselves.
    pub fn retain_devices(&mut self, keep: impl Fn(&K) -> bool) {
        let gone: Vec<K> = self.devices.keys().filter(|who| !keep(who)).cloned().collect();
        for who in &gone {
            self.forget(who);
        }
    }

    fn forget(&mut self, who: &K) {
        let Some(old) = self.devices.remove(who) else { return };
        if let Some(name) = old.called() {
            self.own_names.remove(&name, who);
        }
        for mac in old.stations() {
            self.chassis.remove(&mac, who);
        }
    }

    pub fn at(&self, address: IpAddr) -> Option<&K> {
        only(self.addresses.of(&address.to_canonical()))
    }

    /// The host of the inventory that is called so, whole.
    pub fn named(&self, name: &str) -> Option<&K> {
        only(self.names.whole.of(&name.to_lowercase()))
    }

    pub fn find(&self, seen: Seen<'_>) -> Option<K> {
        self.by_each(seen).find_map(|(_, hosts)| only(&hosts).cloned())
    }

    /// What kept it from being found.
    pub fn ambiguity(&self, seen: Seen<'_>) -> Option<Ambiguity<K>> {
        let (by, hosts) = self.by_each(seen).find(|(_, hosts)| hosts.len() > 1)?;
        let words = match by {
            By::Addresses => {
                let shared = seen.addresses.iter().find(|address| !self.addresses.of(address).is_empty());
                format!("the address {}", shared.map(ToString::to_string).unwrap_or_default())
            }
            By::Chassis => "the chassis MAC address that is heard".to_owned(),
            By::Name => format!("the name {}", seen.name.line()),
        };
        Some(Ambiguity { words, hosts: hosts.into_owned() })
    }

    /// The hosts that fit, by one thing after the other.
    fn by_each<'a>(&'a self, seen: Seen<'a>) -> impl Iterator<Item = (By, Cow<'a, [K]>)> {
        let addresses = std::iter::once_with(move || {
            let mut hosts: Vec<K> = Vec::new();
            let known = seen.addresses.iter().filter_map(|address| somebodys(*address));
            for who in known.flat_map(|address| self.addresses.of(&address)) {
                if !hosts.contains(who) {
                    hosts.push(who.clone());
                }
            }
            (By::Addresses, Cow::Owned(hosts))
        });
        let chassis = seen.chassis.filter(|mac| is_stations(*mac));
        let chassis = chassis.into_iter().map(move |mac| (By::Chassis, Cow::Borrowed(self.chassis.of(&mac))));
        let names = std::iter::once_with(move || seen.names()).flatten().flat_map(move |name| self.called(&name));
        addresses.chain(chassis).chain(names.map(|hosts| (By::Name, Cow::Borrowed(hosts))))
    }

    /// Who is called so, surest first.
    fn called(&self, name: &str) -> [&[K]; 4] {
        if let Ok(address) = name.parse::<IpAddr>() {
            let hosts = somebodys(address).map(|address| self.addresses.of(&address)).unwrap_or_default();
            return [hosts, &[], &[], &[]];
        }
        let [whole, own] = [&self.names, &self.own_names].map(|names| names.whole.of(name));
        let [part, own_part] = [&self.names, &self.own_names].map(|names| names.without_domain(name));
        [whole, own, part, own_part]
    }
}

#[derive(Clone, Copy, Debug)]
enum By {
    Addresses,
    Chassis,
    Name,
}

/// Names in small letters.
#[derive(Clone, Debug)]
struct Names<K> {
    whole: Claims<String, K>,
    /// Of those that have a domain: without it.
    short: Claims<String, K>,
}

impl<K> Default for Names<K> {
    fn default() -> Self {
        Self { whole: Claims::default(), short: Claims::default() }
    }
}

impl<K: Clone + Eq> Names<K> {
    fn add(&mut self, name: &str, who: &K) {
        self.whole.add(name.to_owned(), who);
        if let Some(short) = short(name) {
            self.short.add(short.to_owned(), who);
        }
    }

    fn remove(&mut self, name: &str, who: &K) {
        self.whole.remove(name, who);
        if let Some(short) = short(name) {
            self.short.remove(short, who);
        }
    }

    /// Who is called so, where either name has no domain: two that differ in their domains are two.
    fn without_domain(&self, name: &str) -> &[K] {
        short(name).map_or_else(|| self.short.of(name), |short| self.whole.of(short))
    }
}

/// Who claims what.
#[derive(Clone, Debug)]
struct Claims<T, K>(HashMap<T, Vec<K>>);

impl<T, K> Default for Claims<T, K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash, K: Clone + Eq> Claims<T, K> {
    fn add(&mut self, what: T, who: &K) {
        let known = self.0.entry(what).or_default();
        if !known.contains(who) {
            known.push(who.clone());
        }
    }

    fn remove<Q: Eq + Hash + ?Sized>(&mut self, what: &Q, who: &K)
    where
        T: Borrow<Q>,
    {
        if let Some(known) = self.0.get_mut(what) {
            known.retain(|one| one != who);
            if known.is_empty() {
                self.0.remove(what);
            }
        }
    }

    fn of<Q: Eq + Hash + ?Sized>(&self, what: &Q) -> &[K]
    where
        T: Borrow<Q>,
    {
        self.0.get(what).map(Vec::as_slice).unwrap_or_default()
    }
}

fn only<K>(hosts: &[K]) -> Option<&K> {
    if let [one] = hosts { Some(one) } else { None }
}

/// An address by which somebody can be known, as it is compared.
fn somebodys(address: IpAddr) -> Option<IpAddr> {
    let address = address.to_canonical();
    let is_nobodys = match address {
        IpAddr::V4(four) => four.is_broadcast() || four.is_link_local() || four.octets()[0] == 0,
        IpAddr::V6(six) => six.is_unicast_link_local(),
    };
    (!is_nobodys && !address.is_unspecified() && !address.is_multicast()).then_some(address)
}

/// No group address, and no placeholder.
fn is_stations(mac: Mac) -> bool {
    mac[0] & 1 == 0 && mac != [0; 6]
}

/// A name without its domain, where it has one.
fn short(name: &str) -> Option<&str> {
    name.split_once('.').map(|(short, _)| short).filter(|short| !short.is_empty())
}

#[cfg(test)]
mod tests;
