//! What makes a port part of the network: the neighbor at its other end, the aggregate that it belongs to. Both are
//! remembered, because a device forgets them when the link is lost. Also which interface stands on which.

use std::sync::Arc;
use std::time::Duration;

use super::Scene;
use crate::base::Timestamp;
use crate::model::{IfOper, Port, PortFacts, PortMemory, PortState, PortTable, Ties};
use crate::state::view::PortView;

/// A port that has its link and was not confirmed to be part of the network for so long is so no more.
const FORGET: Duration = Duration::from_secs(86_400);
/// The time of the last confirmation is kept only so exactly, so that it need not be stored at every walk.
const EXACTLY: Duration = Duration::from_secs(6 * 3600);
/// `ieee8023adLag` (IANAifType).
const LAG: u32 = 161;

/// What is known of the port's ties now. The same `Arc` where nothing changed.
pub fn ties(
    scene: &Scene<'_>,
    row: usize,
    port: &Port,
    facts: Option<&PortFacts>,
    memory: &PortMemory,
) -> Option<Arc<Ties>> {
    let old = memory.ties.as_ref();
    let neighbors = || facts.into_iter().flat_map(|f| &f.neighbors);
    let says_so = neighbors().find(|n| n.forwards == Some(true));
    // Telephones and computers say that they forward for nobody; what says nothing may be a switch all the same.
    let heard = says_so.or_else(|| neighbors().find(|n| n.forwards.is_none() && (scene.is_device)(n)));
    let aggregate = scene.bundles.aggregate_of(row);
    if old.is_none() && heard.is_none() && aggregate.is_none() {
        return None;
    }
    let up = port.oper == Some(IfOper::Up);
    let keeps = |since: Timestamp| !up || scene.at.since(since) < FORGET;
    let confirmed = |since: Option<Timestamp>| since.filter(|s| scene.at.since(*s) < EXACTLY).unwrap_or(scene.at);
    let was = old.map(|o| &**o).cloned().unwrap_or_default();
    let neighbor = match (heard, was.neighbor) {
        (Some(one), Some((id, since))) if one.id() == id => Some((id, confirmed(Some(since)))),
        (Some(one), _) => Some((one.id(), scene.at)),
        (None, was) => was.filter(|(_, since)| keeps(*since)),
    };
    let aggregate = match (aggregate.and_then(|row| scene.key(row)), was.aggregate) {
        (Some(key), Some((old, since))) if old == key => Some((key, confirmed(Some(since)))),
        (Some(key), _) => Some((key, scene.at)),
        (None, was) => was.filter(|(_, since)| keeps(*since)),
    };
    if neighbor.is_none() && aggregate.is_none() {
        return None;
    }
    let now = Ties { neighbor, aggregate };
    match old {
        Some(old) if **old == now => Some(old.clone()),
        _ => Some(Arc::new(now)),
    }
}

/// Which port belongs to which aggregate.
#[derive(Debug, Default)]
pub struct Bundles {
    /// Row of the member, row of the aggregate; sorted.
    pairs: Vec<(usize, usize)>,
    /// The same the other way round.
    members: Vec<(usize, usize)>,
}

impl Bundles {
    /// As the device says: IEEE8023-LAG-MIB, else what an aggregate stands on.
    pub fn of(table: &PortTable) -> Self {
        let mut pairs = Vec::new();
        for facts in &table.equipment.ports {
            if let Some(lag) = facts.lag
                && lag.aggregate != facts.index
                && let (Some(member), Some(aggregate)) = (table.row(facts.index), table.row(lag.aggregate))
            {
                pairs.push((member, aggregate));
            }
            if !facts.lower.is_empty()
                && let Some(aggregate) = table.row(facts.index).filter(|row| table.ports[*row].if_type == Some(LAG))
            {
                pairs.extend(facts.lower.iter().filter_map(|index| Some((table.row(*index)?, aggregate))));
            }
        }
        Self::default().with(pairs)
    }

    /// Adds the members that the device named while their link was there.
    pub fn recall(&mut self, table: &PortTable, ports: &[PortView]) {
        let mut more = Vec::new();
        for (member, seen) in ports.iter().enumerate() {
            let Some((key, _)) = seen.ties.as_ref().and_then(|t| t.aggregate.as_ref()) else { continue };
            if self.aggregate_of(member).is_some() {
                continue;
            }
            let is_it =
                |(seen, port): (&PortView, &Port)| seen.told_apart == key.told_apart && *port.label() == key.label;
            more.extend(ports.iter().zip(&table.ports).position(is_it).map(|aggregate| (member, aggregate)));
        }
        if !more.is_empty() {
            *self = std::mem::take(self).with(more);
        }
    }

    fn with(mut self, more: Vec<(usize, usize)>) -> Self {
        self.pairs.extend(more.into_iter().filter(|(member, aggregate)| member != aggregate));
        self.pairs.sort_unstable();
        // An interface is a member of one aggregate only.
        self.pairs.dedup_by_key(|pair| pair.0);
        self.members = self.pairs.iter().map(|(member, aggregate)| (*aggregate, *member)).collect();
        self.members.sort_unstable();
        self
    }

    pub fn aggregate_of(&self, member: usize) -> Option<usize> {
        self.pairs.binary_search_by_key(&member, |p| p.0).ok().map(|at| self.pairs[at].1)
    }

    pub fn members_of(&self, aggregate: usize) -> impl Iterator<Item = usize> {
        let first = self.members.partition_point(|(a, _)| *a < aggregate);
        self.members[first..].iter().take_while(move |(a, _)| *a == aggregate).map(|(_, member)| *member)
    }

    pub fn is_aggregate(&self, row: usize) -> bool {
        self.members_of(row).next().is_some()
    }
}

/// The first of the ports that `row` stands on that is to blame: one with a problem of its own, else one that is not up.
pub fn blamed(table: &PortTable, bundles: &Bundles, ports: &[PortView], row: usize) -> Option<usize> {
    let facts = table.facts(&table.ports[row]);
    let lower = facts.into_iter().flat_map(|f| &f.lower).filter_map(|index| table.row(*index));
    let mut found = None;
    for below in lower.chain(bundles.members_of(row)).filter(|below| *below != row) {
        let seen = &ports[below];
        if seen.condition.is_problem() && seen.state != PortState::Up {
            return Some(below);
        }
        if seen.state != PortState::Up && found.is_none() {
            found = Some(below);
        }
    }
    found
}
