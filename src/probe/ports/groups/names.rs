//! Which port a name means. Agents name one interface in several ways: ifName `Gi1/0/1`, ifDescr `GigabitEthernet1/0/1`, a MAC
//! address, an alias. A name that means two ports means none.

use std::collections::HashMap;

use super::Walk;
use super::values;
use crate::model::Port;

/// The ports of a device by what they are called; `None` where two are called so.
#[derive(Debug)]
pub struct PortNames<'a> {
    walk: Walk<'a>,
    names: HashMap<&'a [u8], Option<u32>>,
    descriptions: HashMap<&'a [u8], Option<u32>>,
    aliases: HashMap<&'a [u8], Option<u32>>,
    macs: HashMap<[u8; 6], Option<u32>>,
}

impl<'a> PortNames<'a> {
    pub fn new(walk: &Walk<'a>) -> Self {
        let texts = |text: fn(&Port) -> &[u8]| {
            let said = walk.ports.iter().map(move |p| (text(p), p.index)).filter(|(text, _)| !text.is_empty());
            unique(said)
        };
        Self {
            walk: *walk,
            names: texts(|p| p.name.as_bytes()),
            descriptions: texts(|p| p.description.as_bytes()),
            aliases: texts(|p| p.alias.as_bytes()),
            macs: unique(walk.ports.iter().filter_map(|p| Some((p.mac?, p.index)))),
        }
    }

    /// By ifName, else by ifDescr, else by a shorter or longer form of either.
    pub fn by_name(&self, name: &[u8]) -> Option<u32> {
        if let Some(found) = self.names.get(name).or_else(|| self.descriptions.get(name)) {
            return *found;
        }
        let is_called =
            |p: &&Port| same_interface(p.name.as_bytes(), name) || same_interface(p.description.as_bytes(), name);
        let mut found = self.walk.ports.iter().filter(is_called);
        let first = found.next()?;
        found.next().is_none().then_some(first.index)
    }

    pub fn by_alias(&self, alias: &[u8]) -> Option<u32> {
        self.aliases.get(alias).copied().flatten()
    }

    pub fn by_mac(&self, octets: &[u8]) -> Option<u32> {
        self.macs.get(&values::mac(octets)?).copied().flatten()
    }

    /// The port that a sentence names exactly: "DOM RX Power Sensor for Ethernet5".
    pub fn within(&self, sentence: &[u8]) -> Option<u32> {
        let words = sentence.split(u8::is_ascii_whitespace).map(|w| w.strip_suffix(b":").unwrap_or(w));
        // A number alone is the number of anything.
        let words = words.filter(|w| w.iter().any(u8::is_ascii_alphabetic) && w.iter().any(u8::is_ascii_digit));
        let known = |w: &[u8]| self.names.get(w).or_else(|| self.descriptions.get(w)).copied();
        // IOS XR: "TenGigE0/0/0/1-Rx Lane 0 Power".
        let before_dash = |w: &[u8]| w.iter().rposition(|b| *b == b'-').and_then(|dash| known(&w[..dash]));
        let mut found = words.filter_map(|w| known(w).or_else(|| before_dash(w)).flatten());
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }
}

fn unique<K: std::hash::Hash + Eq>(said: impl Iterator<Item = (K, u32)>) -> HashMap<K, Option<u32>> {
    let mut map = HashMap::new();
    for (key, index) in said {
        map.entry(key).and_modify(|known| *known = None).or_insert(Some(index));
    }
    map
}

/// Whether one is the other, shortened: `Gi1/0/1` and `GigabitEthernet 1/0/1`. The numbers must be the same.
pub fn same_interface(one: &[u8], other: &[u8]) -> bool {
    let (Some((one, place)), Some((other, other_place))) = (parts(one), parts(other)) else { return false };
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    place == other_place && !short.is_empty() && long[..short.len()].eq_ignore_ascii_case(short)
}

/// The kind and the place of an interface: `GigabitEthernet` and `1/0/1`.
pub fn parts(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = name.iter().position(u8::is_ascii_digit)?;
    let (kind, place) = name.split_at(start);
    let is_place = place.iter().all(|b| b.is_ascii_digit() || matches!(b, b'/' | b'.' | b':'));
    is_place.then(|| (kind.trim_ascii_end(), place))
}

/// The numbers of an interface's place, `1/0/24`; a unit behind a dot or colon counts as one more.
pub fn place(name: &[u8]) -> Option<(&[u8], Vec<u32>)> {
    let (kind, place) = parts(name)?;
    let numbers: Option<Vec<u32>> =
        place.split(|b| !b.is_ascii_digit()).map(|n| std::str::from_utf8(n).ok()?.parse().ok()).collect();
    Some((kind, numbers?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::ports;
    use super::*;
    use crate::base::Untrusted;

    #[test]
    fn a_short_and_a_long_name_of_one_interface_are_told_from_two_interfaces() {
        assert!(same_interface(b"Gi1/1/1", b"GigabitEthernet 1/1/1"));
        assert!(same_interface(b"Te3/1", b"TenGigabitEthernet3/1"));
        assert!(same_interface(b"ethernet1/13", b"ethernet1/13"));
        assert!(!same_interface(b"Gi1/1/1", b"GigabitEthernet 1/1/11"));
        assert!(!same_interface(b"Fa1/1", b"Gi1/1"));
        assert!(!same_interface(b"1", b"1"), "a number alone says nothing");
        assert!(!same_interface(b"mgmt", b"mgmt"));
    }

    #[test]
    fn a_name_that_means_two_ports_means_none() {
        let mut ports = ports(&[1, 2, 3]);
        ports[0].description = Untrusted::from("GigabitEthernet1/0/1");
        ports[1].description = Untrusted::from("eth");
        ports[2].description = Untrusted::from("eth");
        ports[1].mac = Some([2; 6]);
        ports[2].alias = Untrusted::from("to core");
        let walk = Walk { ports: &ports };
        let names = PortNames::new(&walk);
        assert_eq!(names.by_name(b"port2"), Some(2));
        assert_eq!(names.by_name(b"gi1/0/1"), Some(1));
        assert_eq!(names.by_name(b"eth"), None);
        assert_eq!(names.by_name(b""), None);
        assert_eq!(names.by_alias(b"to core"), Some(3));
        assert_eq!(names.by_mac(b"02:02:02:02:02:02"), Some(2));
        assert_eq!(names.within(b"RX power of port3: dBm"), Some(3));
        assert_eq!(names.within(b"port3-Rx Lane 0 Power"), Some(3));
        assert_eq!(names.within(b"port3 and port2"), None);
        assert_eq!(names.within(b"Fan 1"), None);
    }

    #[test]
    fn the_place_is_taken_apart() {
        assert_eq!(place(b"Ten-GigabitEthernet1/0/49"), Some((&b"Ten-GigabitEthernet"[..], vec![1, 0, 49])));
        assert_eq!(place(b"ge-0/0/1"), Some((&b"ge-"[..], vec![0, 0, 1])));
        assert_eq!(place(b"24"), Some((&b""[..], vec![24])));
        assert_eq!(place(b"Vlan"), None);
        assert_eq!(place(b"Gi1/0/99999999999"), None);
    }
}
