//! BGP peers of vendor tables, and what firewalls say of themselves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::supply::seconds;
use super::values::{Answers, Row, integer, readable};
use super::{Fold, List};
use crate::base::Untrusted;
use crate::model::device::{BgpPeer, BgpState, Firewall, HaState, Tunnel};
use crate::profile::table::{BgpReading, FirewallReading, PeerBy, TunnelReading};
use crate::proto::snmp::Value;

/// No role has a longer name.
const LONGEST_ROLE: usize = 40;

impl Fold<'_, '_> {
    pub(super) fn bgp(&mut self, reading: &BgpReading) {
        let answers = self.answers;
        self.replaces(List::Bgp, reading.rows.replaces);
        for row in answers.rows(&reading.rows) {
            let Some(peer) = peer(answers, reading.peer, row) else { continue };
            let count = |number: &Option<_>| answers.number(number.as_ref()?, row).filter(|n| *n >= 0.0);
            let whole = |cell: Option<_>| answers.value(cell?, row).and_then(integer);
            let below = |number: &Option<_>| {
                answers.numbers_below(number.as_ref()?, row).filter(|n| *n >= 0.0).map(|n| n as u64)
            };
            self.rows.bgp.push(BgpPeer {
                peer,
                remote_as: count(&reading.remote_as).filter(|n| *n <= f64::from(u32::MAX)).map(|n| n as u32),
                state: whole(reading.state).and_then(|n| BgpState::from_mib(u64::try_from(n).ok()?)),
                started: reading.started.as_ref().and_then(|words| answers.word(words, row)).copied(),
                in_state_for: count(&reading.in_state_for).and_then(seconds),
                transitions: count(&reading.transitions).map(|n| n as u64),
                last_error: reading.last_error.and_then(|cell| answers.value(cell, row)?.octets()?.try_into().ok()),
                prefixes: below(&reading.prefixes),
                prefix_limit: below(&reading.prefix_limit).filter(|limit| *limit > 0),
            });
        }
    }

    pub(super) fn firewall(&mut self, reading: &FirewallReading) {
        let answers = self.answers;
        let sum = |number: &Option<_>| {
            let all = answers.numbers(number.as_ref()?).into_iter().filter(|n| *n >= 0.0);
            all.reduce(|a, b| a + b).map(|n| n as u64)
        };
        let row = answers.rows(&reading.rows).into_iter().next();
        let role = reading.ha.as_ref().zip(row).and_then(|(words, row)| {
            if let Some(word) = answers.word(words, row) {
                return Some(Arc::from(&**word));
            }
            let text = readable(answers.value(words.cell, row)?)?;
            Some(Arc::from(Untrusted::bounded(&text, LONGEST_ROLE).line()))
        });
        // Of several members every one has to be.
        let healthy = reading
            .healthy
            .as_ref()
            .and_then(|words| answers.words(words).into_iter().copied().reduce(|all, one| all && one));
        let found = Firewall {
            ha: role.map(|role| HaState { role, healthy }),
            sessions: sum(&reading.sessions),
            session_limit: sum(&reading.session_limit).filter(|limit| *limit > 0),
            tunnels: Vec::new(),
        };
        if found == Firewall::default() {
            return;
        }
        let known = self.rows.firewall.get_or_insert_default();
        known.ha = found.ha.or(known.ha.take());
        known.sessions = found.sessions.or(known.sessions);
        known.session_limit = found.session_limit.or(known.session_limit);
    }

    pub(super) fn tunnel(&mut self, reading: &TunnelReading) {
        let answers = self.answers;
        for row in answers.rows(&reading.rows) {
            let up = answers.word(&reading.up, row).copied();
            let name = answers.name(&reading.rows.names, row);
            self.rows.firewall.get_or_insert_default().tunnels.push(Tunnel { name, up });
        }
    }
}

fn peer(answers: Answers<'_, '_>, by: PeerBy, row: Row<'_>) -> Option<IpAddr> {
    let octets = |from: usize, length: usize| -> Option<Vec<u8>> {
        let arcs = row?.arcs().skip(from).take(length);
        let octets: Vec<u8> = arcs.map(|arc| u8::try_from(arc).ok()).collect::<Option<_>>()?;
        (octets.len() == length).then_some(octets)
    };
    match by {
        PeerBy::ArcsV4(from) => address(&octets(from, 4)?),
        PeerBy::Arcs(from) => {
            // ipv4(1), ipv6(2), and both with a zone index (3 and 4), whose four octets follow the address.
            let kind = row?.arcs().nth(from)?;
            let length = row?.arcs().nth(from + 1)?;
            let wanted = match kind {
                1 | 3 => 4,
                2 | 4 => 16,
                _ => return None,
            };
            let sane = length as usize == wanted || (kind > 2 && length as usize == wanted + 4);
            address(&octets(from + 2, wanted).filter(|_| sane)?)
        }
        PeerBy::Value(cell) => match answers.value(cell, row)? {
            Value::IpAddress(octets) => Some(IpAddr::V4(Ipv4Addr::from(octets))),
            Value::Octets(octets) => address(octets),
            _ => None,
        },
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::V4(Ipv4Addr::from(v4)));
    }
    <[u8; 16]>::try_from(octets).ok().map(|v6| IpAddr::V6(Ipv6Addr::from(v6)))
}
