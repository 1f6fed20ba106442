//! A switch that has one bridge for each VLAN, and shows all but that of VLAN 1 only to who names the VLAN: behind the
//! community (`public@20`), or in version 3 as the context `vlan-20`. Which devices do so is said by their profile.
//!
//! ```text
//! forwarding walked, no VLANs in it ─▶ vtpVlanState ─▶ VLAN 1 ─▶ VLAN 10 ─▶ … one after the other, while there is time
//!                                                         └ fold: entries with the VLAN, states and trees by VLAN
//! ```
//! A VLAN that does not answer, or is refused, costs its own rows and is named; the others are asked all the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cells::{Cells, Tables};
use super::groups::{BRIDGE, FORWARDING, Walk, values};
use super::{Cost, survey};
use crate::base::Secret;
use crate::model::device::{ForwardingEntry, PortFacts, SpanningTree, StpState, TreeScope, VLAN_BRIDGES};
use crate::model::{Equipment, PortTable};
use crate::net::snmp::{Snmp, SnmpError, Target};
use crate::proto::snmp::{Credentials, Oid, Plan, Security};

/// Under this name it is told when the VLANs were asked, and what of them is missing.
const NAME: &str = VLAN_BRIDGES;
/// `vtpVlanState` and `vtpVlanType`, indexed by the management domain and the VLAN.
const STATE: usize = 0;
const TYPE: usize = 1;
const COLUMNS: [&[u32]; 2] =
    [&[1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1, 2], &[1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1, 3]];
/// operational(1), ethernet(1).
const OPERATIONAL: u64 = 1;
const ETHERNET: u64 = 1;
/// VLANs of Token Ring and FDDI, which every VTP domain has.
const OLD_MEDIA: std::ops::RangeInclusive<u16> = 1002..=1005;
/// VLANs asked in one run at most.
const MOST_VLANS: usize = 512;
/// What all of them may take together in one run.
const MOST_TIME: Duration = Duration::from_secs(30);
/// Rows of one table in one VLAN, and stations of all VLANs.
const MOST_ROWS: u32 = 32_768;
const MOST_STATIONS: usize = 131_072;
/// VLANs that get a second try each before one try is enough for the silent.
const PATIENT: usize = 2;
/// VLANs that a remark names.
const NAMED: usize = 8;

/// Whom to ask, and for how long.
#[derive(Debug)]
pub struct Bridges<'a> {
    pub snmp: &'a Snmp,
    pub target: &'a Target,
    pub max_repetitions: u16,
    pub max_time: Duration,
    /// The device's profile says that there is something to ask.
    pub is_asked: bool,
}

impl Bridges<'_> {
    /// Asks VLAN by VLAN where the forwarding table was walked in this run and knows no VLANs; forgets what is too old.
    ///
    /// # Errors
    /// Nothing could be sent.
    pub async fn look(&mut self, table: &mut PortTable, cost: &mut Cost) -> Result<(), SnmpError> {
        let now = table.collected_at;
        let walked = |name: &str| table.equipment.walked.iter().find(|w| *w.group == *name);
        let is_fresh = walked(FORWARDING.name()).is_some_and(|w| w.at == now);
        let has_vlans = table.equipment.forwarding.iter().any(|entry| entry.vlan.is_some());
        let is_old = walked(NAME).is_some_and(|w| now.since(w.at) > FORWARDING.pace() * 2);
        if !self.is_asked || is_old || (is_fresh && has_vlans) {
            forget(table);
        }
        let is_due = survey::is_over(&table.equipment, NAME, now).unwrap_or(true);
        if !self.is_asked || !is_fresh || has_vlans || !is_due || is_within(self.target) {
            return Ok(());
        }
        self.max_time = self.max_time.min(MOST_TIME);
        let begun = Instant::now();
        let vlans = self.vlans(cost).await?;
        if vlans.is_empty() {
            return Ok(());
        }
        let mut found = Found::default();
        for (number, vlan) in in_turn(vlans, now.millis()).into_iter().enumerate() {
            let is_late = begun.elapsed() + self.target.timeout >= self.max_time;
            if is_late || number >= MOST_VLANS {
                found.not_asked.push(vlan);
            } else {
                self.ask(vlan, table, &mut found, cost).await?;
            }
        }
        found.merge(table);
        Ok(())
    }

    /// The VLANs that are in operation.
    async fn vlans(&self, cost: &mut Cost) -> Result<BTreeSet<u16>, SnmpError> {
        let plan = Plan { columns: COLUMNS.map(Oid::from_arcs).into(), max_rows: 5000, ..self.plan() };
        match self.snmp.ask(self.target, plan, Cells::default()).await {
            Ok(answers) => {
                cost.add(Cost { requests: answers.requests, varbinds: answers.varbinds, lost: answers.lost });
                Ok(operational(&answers.sink.sorted().view(0, 0)))
            }
            Err(SnmpError::NoAnswer { .. } | SnmpError::Refused { .. }) => Ok(BTreeSet::new()),
            Err(other) => Err(other),
        }
    }

    fn plan(&self) -> Plan {
        Plan { max_repetitions: self.max_repetitions, touch_first: true, max_time: self.max_time, ..Plan::default() }
    }

    async fn ask(&self, vlan: u16, table: &PortTable, found: &mut Found, cost: &mut Cost) -> Result<(), SnmpError> {
        let columns = BRIDGE.iter().flat_map(|group| group.columns()).collect();
        let scalars = BRIDGE.iter().flat_map(|group| group.scalars()).collect();
        let plan = Plan { scalars, columns, max_rows: MOST_ROWS, ..self.plan() };
        let mut target = within(self.target, vlan);
        target.retries = target.retries.min(u32::from(found.silent.len() < PATIENT));
        match self.snmp.ask(&target, plan, Cells::default()).await {
            Ok(answers) => {
                cost.add(Cost { requests: answers.requests, varbinds: answers.varbinds, lost: answers.lost });
                if !answers.incomplete.is_empty() {
                    found.cut.push(vlan);
                }
                found.take(vlan, &answers.sink.sorted(), table);
            }
            Err(SnmpError::NoAnswer { .. }) => {
                cost.add(Cost { lost: target.retries + 1, ..Cost::default() });
                found.silent.push(vlan);
            }
            Err(SnmpError::Refused { .. }) => found.refused.push(vlan),
            Err(other) => return Err(other),
        }
        Ok(())
    }
}

/// The operator names a VLAN already.
fn is_within(target: &Target) -> bool {
    match &target.credentials {
        Credentials::Community(community) => community.expose().contains(&b'@'),
        Credentials::User(security) => !security.context.is_empty(),
    }
}

/// The same agent, asked for the bridge of one VLAN.
fn within(target: &Target, vlan: u16) -> Target {
    let credentials = match &target.credentials {
        Credentials::Community(community) => {
            Credentials::Community(Secret::new([community.expose(), format!("@{vlan}").as_bytes()].concat()))
        }
        Credentials::User(security) => Credentials::User(Security {
            context: format!("vlan-{vlan}").into_bytes().into(),
            pardon: false,
            trial: true,
            ..security.clone()
        }),
    };
    Target { credentials, ..target.clone() }
}

fn operational(tables: &Tables<'_>) -> BTreeSet<u16> {
    let mut vlans = BTreeSet::new();
    for (row, state) in tables.column(STATE) {
        let mut arcs = row.arcs();
        let (Some(_), Some(id), None) = (arcs.next(), arcs.next(), arcs.next()) else { continue };
        let is_ethernet = tables.get(TYPE, row).and_then(values::number) == Some(ETHERNET);
        let id = values::vlan_id(u64::from(id)).filter(|id| !OLD_MEDIA.contains(id));
        if is_ethernet && values::number(state) == Some(OPERATIONAL) {
            vlans.extend(id);
        }
    }
    vlans
}

/// Another VLAN first each time, so that none is always the one for which no time is left.
fn in_turn(vlans: BTreeSet<u16>, millis: i64) -> Vec<u16> {
    let mut vlans: Vec<u16> = vlans.into_iter().collect();
    let rounds = millis.div_euclid(FORWARDING.pace().as_millis().max(1) as i64);
    let count = i64::try_from(vlans.len().max(1)).unwrap_or(1);
    vlans.rotate_left(rounds.rem_euclid(count) as usize);
    vlans
}

/// What is known of VLANs one by one is known no more.
fn forget(table: &mut PortTable) {
    let has = table.equipment.ports.iter().any(|port| !port.stp_vlans.is_empty());
    if !has && !table.equipment.walked.iter().any(|w| *w.group == *NAME) {
        return;
    }
    let equipment = Arc::make_mut(&mut table.equipment);
    for port in &mut equipment.ports {
        port.stp_vlans.clear();
    }
    equipment.trees.retain(|(scope, _)| !is_of_vlan(*scope));
    equipment.walked.retain(|w| *w.group != *NAME);
    equipment.setbacks.retain(|s| *s.group != *NAME);
}

fn is_of_vlan(scope: TreeScope) -> bool {
    matches!(scope, TreeScope::Vlan(_))
}

/// What the VLANs said.
#[derive(Debug, Default)]
struct Found {
    answered: usize,
    stations: Vec<ForwardingEntry>,
    /// By ifIndex.
    states: Vec<(u32, u16, StpState)>,
    trees: Vec<(TreeScope, SpanningTree)>,
    silent: Vec<u16>,
    refused: Vec<u16>,
    /// Walked not to the end.
    cut: Vec<u16>,
    not_asked: Vec<u16>,
    is_full: bool,
}

impl Found {
    /// The rows of one VLAN, read as those of a bridge of its own.
    fn take(&mut self, vlan: u16, cells: &Cells, table: &PortTable) {
        self.answered += 1;
        let mut bridge = Equipment::default();
        let (mut scalar, mut column) = (0, 0);
        for group in BRIDGE {
            group.fold(&cells.view(scalar, column), &Walk { ports: &table.ports }, &mut bridge);
            scalar += group.scalars().len();
            column += group.columns().len();
        }
        self.trees.extend(bridge.spanning_tree.map(|tree| (TreeScope::Vlan(vlan), tree)));
        let room = MOST_STATIONS - self.stations.len();
        self.is_full |= bridge.forwarding.len() > room;
        let own = bridge.forwarding.iter().take(room);
        self.stations.extend(own.map(|entry| ForwardingEntry { vlan: entry.vlan.or(Some(vlan)), ..*entry }));
        self.states.extend(bridge.ports.iter().filter_map(|port| Some((port.index, vlan, port.stp?))));
    }

    /// Puts it beside what the plain bridge said: a station that was heard in a VLAN is not told once more without.
    fn merge(mut self, table: &mut PortTable) {
        let at = table.collected_at;
        let remark = self.remark();
        let mut equipment = Equipment::clone(&table.equipment);
        let known: BTreeSet<[u8; 6]> = self.stations.iter().map(|entry| entry.mac).collect();
        let plain = equipment.forwarding.iter().filter(|entry| !known.contains(&entry.mac));
        let mut stations: Vec<ForwardingEntry> = plain.copied().collect();
        stations.append(&mut self.stations);
        stations.sort_unstable();
        stations.dedup();
        equipment.forwarding = Arc::from(stations);
        for port in &mut equipment.ports {
            port.stp_vlans = Vec::new();
        }
        equipment.trees.retain(|(scope, _)| !is_of_vlan(*scope));
        equipment.trees.append(&mut self.trees);
        equipment.trees.sort_unstable_by_key(|(scope, _)| *scope);
        self.states.sort_unstable_by_key(|(index, vlan, _)| (*index, *vlan));
        for (index, vlan, state) in &self.states {
            equipment.port_mut(*index).stp_vlans.push((*vlan, *state));
        }
        for port in equipment.ports.iter_mut().filter(|port| !port.stp_vlans.is_empty()) {
            port.stp_vlans.shrink_to_fit();
            port.stp = StpState::of_all(port.stp_vlans.iter().map(|vlan| vlan.1));
        }
        equipment.ports.retain(|port| *port != PortFacts { index: port.index, ..PortFacts::default() });
        // A plain bridge without a station is no reason to ask seldom.
        let rows = u32::try_from(equipment.forwarding.len()).unwrap_or(u32::MAX);
        if let Some(walked) = equipment.walked.iter_mut().find(|w| *w.group == *FORWARDING.name()) {
            walked.rows = walked.rows.max(rows);
        }
        survey::note_setback(&mut equipment, NAME, at, self.answered == 0);
        survey::note(&mut equipment, NAME, at, self.answered, remark.map(Arc::from));
        table.equipment = Arc::new(equipment);
    }

    /// What is missing, in words.
    fn remark(&self) -> Option<String> {
        let parts = [
            (&self.silent, "the agent does not answer for"),
            (&self.refused, "the agent refuses"),
            (&self.cut, "not walked to the end:"),
            (&self.not_asked, "not asked this time:"),
        ];
        let said = parts.into_iter().filter(|(vlans, _)| !vlans.is_empty());
        let mut said: Vec<String> = said.map(|(vlans, words)| format!("{words} {}", list(vlans))).collect();
        if self.is_full {
            said.push(format!("stopped after {MOST_STATIONS} stations"));
        }
        (!said.is_empty()).then(|| format!("bridges by VLAN: {}", said.join("; ")))
    }
}

fn list(vlans: &[u16]) -> String {
    let mut sorted = vlans.to_vec();
    sorted.sort_unstable();
    let named: Vec<String> = sorted.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if sorted.len() > NAMED { format!(" and {} more", sorted.len() - NAMED) } else { String::new() };
    format!("VLAN {}{more}", named.join(", "))
}
