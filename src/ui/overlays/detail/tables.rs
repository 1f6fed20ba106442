//! The tables of a device: what was walked when, what is missing of it, and what the device does not offer, in plain words.

use super::{Line, ago};
use crate::base::units::counted;
use crate::base::{Timestamp, text};
use crate::config::theme::Meaning;
use crate::model::device::TablesWalked;

/// Groups of tables whose names are not words of the field.
const WORDS: &[(&str, &str)] = &[
    ("addresses", "IP addresses"),
    ("arp", "ARP"),
    ("ats", "transfer switch"),
    ("bgp", "BGP"),
    ("bridge-ports", "bridge ports"),
    ("cdp", "CDP"),
    ("entity", "parts and serial numbers"),
    ("err-disable", "err-disabled ports"),
    ("ethernet", "duplex and Ethernet errors"),
    ("forwarding", "MAC addresses"),
    ("globalprotect", "GlobalProtect"),
    ("host-resources", "processors and storage"),
    ("if-stack", "interface stacking"),
    ("lag", "link aggregation"),
    ("lldp", "LLDP"),
    ("lm-sensors", "lm-sensors"),
    ("mau", "auto-negotiation"),
    ("ospf", "OSPF"),
    ("pdu", "PDU"),
    ("poe", "power over Ethernet"),
    ("raids", "RAID"),
    ("spanning-tree", "spanning tree"),
    ("ucd", "load and memory"),
    ("ups", "UPS"),
    ("ups-mib", "UPS readings"),
    ("vlan-bridges", "MAC addresses by VLAN"),
    ("vlans", "VLANs"),
    ("vpn", "VPN"),
];

pub fn lines(now: Timestamp, walked: &[TablesWalked], out: &mut Vec<Line>) {
    if walked.is_empty() {
        return;
    }
    super::heading(out, "TABLES");
    for group in walked.iter().filter(|group| is_there(group)) {
        let why = group.incomplete.as_ref().map(|why| format!("   incomplete: {}", text::clean(why)));
        let meaning = if why.is_some() { Meaning::Warning } else { Meaning::Dim };
        let rows = counted(group.rows as usize, "row");
        let words = text::fit(&words(&group.group), 28);
        out.push((
            meaning,
            format!("{words:<28} {rows:>10}   {}{}", ago(now, Some(group.at)), why.unwrap_or_default()),
        ));
    }
    let mut absent: Vec<String> = walked.iter().filter(|group| !is_there(group)).map(|g| words(&g.group)).collect();
    absent.sort_by_cached_key(|words| words.to_lowercase());
    absent.dedup();
    if !absent.is_empty() {
        out.push((Meaning::Dim, format!("not offered: {}", absent.join(", "))));
    }
}

fn is_there(group: &TablesWalked) -> bool {
    group.rows > 0 || group.incomplete.is_some()
}

/// What a group of tables is about. A profile's tables are called `PROFILE:TABLE`, and the profile tells a reader nothing.
fn words(group: &str) -> String {
    let table = group.rsplit(':').next().unwrap_or(group);
    WORDS.iter().find(|(name, _)| *name == table).map_or_else(|| text::clean(table), |(_, words)| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_does_not_offer_is_said_in_words_and_once() {
        let walk = |group: &str, rows| TablesWalked {
            group: group.into(),
            at: Timestamp::from_secs(0),
            rows,
            incomplete: None,
        };
        let walked = [
            walk("lldp", 1),
            walk("ups", 0),
            walk("generic/ups-mib:ups-mib", 0),
            walk("apc/ups:ups", 0),
            walk("cisco/ios:envmon fans and supplies", 0),
            walk("bgp", 0),
        ];
        let mut out = Vec::new();
        lines(Timestamp::from_secs(60), &walked, &mut out);
        let last = out.last().map(|(_, words)| words.as_str());
        assert_eq!(last, Some("not offered: BGP, envmon fans and supplies, UPS, UPS readings"));
        assert!(out.iter().any(|(_, words)| words.starts_with("LLDP ") && words.contains(" 1 row ")), "{out:?}");
    }
}
