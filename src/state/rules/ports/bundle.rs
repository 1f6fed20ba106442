//! Which problems of one device's ports belong together: one of them stands for all, the others are counted behind it.
//!
//! What the device itself says is certain: the members of an aggregate that lost their links are behind the aggregate, and an
//! aggregate behind a member that has a cause of its own. The rest is inferred, and holds for losses of links within 90 seconds only:
//! all ports of a stack member or a slot, links to a host that is down, or many of the device. That hides nothing of a host that is
//! tagged `critical`, and no port that the operator's rules want up. Nothing is ever hidden behind what is less bad.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::ties::Bundles;
use crate::base::{Timestamp, units};
use crate::model::device::NeighborId;
use crate::model::{Condition, PortRole, PortState};
use crate::state::view::{DeviceView, PortView};

/// From the first loss of a link to the last, and from that to the fall of the host at its other end.
pub const TOGETHER: Duration = Duration::from_secs(90);
/// Fewer ports than this are a coincidence, where nothing else ties them together.
const MANY: usize = 3;
/// Of a stack member or a slot, where none of its ports is up.
const UNIT: usize = 2;

/// What stands for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    /// Ports that are gone from the device's table.
    Gone,
    /// The port in that row.
    Port(usize),
    /// The host in that row of the inventory: what was at the other end is down.
    Host(usize),
}

/// How the host stands that a lost link led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Far {
    /// It fell about when the link was lost.
    Down,
    /// It was not heard since, and may be about to fall.
    Unheard,
}

/// The row of the host that a neighbor is, and how it stands by a link that was lost then. Nothing where it lives, or fell at
/// another time.
pub type FarEnd<'a> = &'a dyn Fn(&NeighborId, Timestamp) -> Option<(usize, Far)>;

/// What ties ports together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// The device says so: an aggregate and its members.
    Aggregate,
    /// No port of that stack member is up.
    Unit(u16),
    /// No port of that slot is up.
    Slot(Option<u16>, u16),
    /// It led to a host that is down.
    Far,
    /// The same 90 seconds.
    Time,
}

impl Tie {
    pub fn is_inferred(self) -> bool {
        self != Self::Aggregate
    }

    /// `23 others of stack member 2 lost their links within 90 s (inferred)`; nothing where the root's own words say it.
    fn words(self, others: usize) -> Option<String> {
        let of = match self {
            Self::Aggregate | Self::Far => return None,
            Self::Unit(unit) => format!(" of stack member {unit}"),
            Self::Slot(Some(unit), slot) => format!(" of slot {unit}/{slot}"),
            Self::Slot(None, slot) => format!(" of slot {slot}"),
            Self::Time => String::new(),
        };
        let lost = if others == 1 { "its link" } else { "their links" };
        Some(format!("{}{of} lost {lost} within 90 s (inferred)", units::counted(others, "other")))
    }
}

/// What a host that is down says of the links that were lost with it, on whatever devices: `2 links to it were lost within 90 s (inferred)`.
pub fn links(count: usize) -> Option<String> {
    let were = if count == 1 { "was" } else { "were" };
    (count > 0).then(|| format!("{} to it {were} lost within 90 s (inferred)", units::counted(count, "link")))
}

/// What belongs together on one device.
#[derive(Debug, Default)]
pub struct Bundling {
    /// By the row of the port that is behind something else.
    behind: BTreeMap<usize, (Root, Tie)>,
    /// Hosts that are to be heard before it is known what a port's loss is, by its row.
    open: BTreeMap<usize, usize>,
}

impl Bundling {
    pub fn of(device: &DeviceView, far: FarEnd<'_>) -> Self {
        let bad: Vec<usize> = device.ports.iter().filter(|p| p.condition.is_problem()).map(|p| p.row).collect();
        let mut out = Self::default();
        // Most devices have no problem or one.
        let several = bad.len() + usize::from(device.missing.is_some()) > 1;
        if !several && !bad.iter().any(|row| neighbor(&device.ports[*row]).is_some()) {
            return out;
        }
        let mut aggregates = Bundles::default();
        if several {
            aggregates = Bundles::of(&device.table);
            aggregates.recall(&device.table, &device.ports);
        }
        let infers = !device.host.has_tag("critical");
        let loss = |row: &usize| Loss::of(device, &aggregates, *row).filter(|_| infers);
        let mut lost: Vec<Loss> = bad.iter().filter_map(loss).collect();
        lost.sort_by_key(|loss| (loss.at, loss.root));
        out.bind_parts(device, &lost);
        out.bind_aggregates(device, &bad, &aggregates);
        out.bind_ends(device, &lost, &aggregates, far);
        if let Some(missing) = device.missing.as_ref().filter(|_| infers) {
            let condition = Condition::Critical;
            lost.push(Loss { root: Root::Gone, at: missing.since, condition, may_hide: false });
            lost.sort_by_key(|loss| (loss.at, loss.root));
        }
        lost.retain(|loss| !out.is_behind(loss.root));
        out.bind(&lost, MANY, Tie::Time);
        out
    }

    /// What stands for the port, where something does, and what ties it to that.
    pub fn root(&self, row: usize) -> Option<(Root, Tie)> {
        let (mut root, mut tie) = *self.behind.get(&row)?;
        // What a member of an aggregate is behind may be behind something itself.
        while let Root::Port(above) = root
            && let Some((next, by)) = self.behind.get(&above)
        {
            (root, tie) = (*next, if tie.is_inferred() { tie } else { *by });
        }
        Some((root, tie))
    }

    /// Rows of the ports behind a root.
    pub fn behind(&self, root: Root) -> impl Iterator<Item = usize> {
        self.behind.keys().copied().filter(move |row| self.root(*row).is_some_and(|(above, _)| above == root))
    }

    /// The host that is to be heard before it is known what the loss of the port is.
    pub fn open(&self, row: usize) -> Option<usize> {
        self.open.get(&row).copied()
    }

    /// Hosts that anything is behind, or may be.
    pub fn hosts(&self) -> impl Iterator<Item = usize> {
        let roots =
            self.behind.values().filter_map(|(root, _)| if let Root::Host(row) = root { Some(*row) } else { None });
        roots.chain(self.open.values().copied())
    }

    /// What else fell with a root, in words, where that is inferred.
    pub fn words(&self, root: Root) -> Option<String> {
        let mut ties = self.behind.values().filter(|(above, tie)| *above == root && tie.is_inferred());
        let tie = ties.next()?.1;
        tie.words(ties.count() + 1)
    }

    /// An aggregate that goes on without some of its members, which are behind it.
    pub fn is_degraded(&self, port: &PortView) -> bool {
        let root = Root::Port(port.row);
        let mut all = self.behind.values();
        port.state == PortState::Up && all.any(|(above, tie)| *above == root && *tie == Tie::Aggregate)
    }

    fn is_behind(&self, root: Root) -> bool {
        matches!(root, Root::Port(row) if self.behind.contains_key(&row))
    }

    /// Of each stack member and slot one stands already for what was lost with it.
    fn bind_aggregates(&mut self, device: &DeviceView, bad: &[usize], aggregates: &Bundles) {
        for row in bad.iter().copied().filter(|row| aggregates.is_aggregate(*row)) {
            let aggregate = &device.ports[row];
            let (mut any, mut part) = (false, None);
            for member in lost_members(device, aggregates, row) {
                if let Some(of_part) = self.part(member.row) {
                    part = part.or(Some(of_part));
                } else if is_loss(member) && member.condition <= aggregate.condition {
                    self.behind.insert(member.row, (Root::Port(row), Tie::Aggregate));
                    any = true;
                }
            }
            let bears = |root| matches!(root, Root::Port(row) if device.ports[row].condition >= aggregate.condition);
            let may_hide = may_be_inferred(device, aggregates, row);
            let worst = lost_members(device, aggregates, row).min_by_key(|m| (Reverse(m.condition), m.row));
            match (part, worst) {
                (Some((root, tie)), _) if bears(root) && may_hide => {
                    self.behind.insert(row, (root, tie));
                }
                (None, Some(cause)) if !any && cause.condition >= aggregate.condition => {
                    self.behind.insert(row, (Root::Port(cause.row), Tie::Aggregate));
                }
                _ => {}
            }
        }
    }

    /// Links to hosts that are down. What stands for a stack member or a slot has its cause here.
    fn bind_ends(&mut self, device: &DeviceView, lost: &[Loss], aggregates: &Bundles, far: FarEnd<'_>) {
        for loss in lost {
            let Root::Port(row) = loss.root else { continue };
            let is_taken = self.is_behind(loss.root) || self.part(row).is_some();
            let end = end(device, aggregates, row).filter(|_| !is_taken && may_be_inferred(device, aggregates, row));
            match end.and_then(|name| far(name, loss.at)) {
                Some((host, Far::Down)) => {
                    self.behind.insert(row, (Root::Host(host), Tie::Far));
                }
                Some((host, Far::Unheard)) => {
                    self.open.insert(row, host);
                }
                None => {}
            }
        }
    }

    /// What stands for the stack member or slot that the port was lost with.
    fn part(&self, row: usize) -> Option<(Root, Tie)> {
        let is_part = |tie: &Tie| matches!(tie, Tie::Unit(_) | Tie::Slot(..));
        let (root, tie) = match self.behind.get(&row) {
            Some(behind) => behind,
            None => self.behind.values().find(|(root, _)| *root == Root::Port(row))?,
        };
        is_part(tie).then_some((*root, *tie))
    }

    /// Stack members and slots of which nothing is up.
    fn bind_parts(&mut self, device: &DeviceView, lost: &[Loss]) {
        let mut parts: BTreeMap<(Option<u16>, Option<u16>), Part> = BTreeMap::new();
        let mut units = BTreeMap::new();
        for facts in &device.table.equipment.ports {
            let Some(row) = device.table.row(facts.index).filter(|_| facts.unit.or(facts.slot).is_some()) else {
                continue;
            };
            let is_up = device.ports[row].state == PortState::Up;
            for key in [(facts.unit, None), (facts.unit, facts.slot)] {
                let part = parts.entry(key).or_default();
                part.is_up |= is_up;
                part.rows.push(row);
            }
            *units.entry(facts.unit).or_insert(0) |= 1 << facts.slot.unwrap_or(0).min(63);
        }
        let slots = |unit: &Option<u16>| units.get(unit).map_or(0, |slots: &u64| slots.count_ones());
        for ((unit, slot), part) in parts.iter().filter(|(_, part)| !part.is_up) {
            let tie = match (unit, slot) {
                (Some(unit), None) if units.len() > 1 => Tie::Unit(*unit),
                (unit, Some(slot)) if slots(unit) > 1 => Tie::Slot(*unit, *slot),
                _ => continue,
            };
            let mine = |loss: &&Loss| {
                matches!(loss.root, Root::Port(row) if part.rows.contains(&row)) && !self.is_behind(loss.root)
            };
            let mine: Vec<Loss> = lost.iter().filter(mine).copied().collect();
            self.bind(&mine, UNIT, tie);
        }
    }

    /// Binds losses, the first of them first, that are at least so many within the time.
    fn bind(&mut self, lost: &[Loss], least: usize, tie: Tie) {
        let mut rest = lost;
        while let Some(first) = rest.first() {
            let together = rest.iter().take_while(|loss| loss.at.since(first.at) <= TOGETHER).count();
            let (group, later) = rest.split_at(together);
            rest = later;
            if group.len() < least {
                continue;
            }
            let root = group.iter().min_by_key(|loss| (Reverse(loss.condition), loss.at, loss.root));
            let Some(root) = root.map(|loss| loss.root) else { continue };
            for loss in group.iter().filter(|loss| loss.root != root && loss.may_hide) {
                if let Root::Port(row) = loss.root {
                    self.behind.insert(row, (root, tie));
                }
            }
        }
    }
}

#[derive(Debug, Default)]
struct Part {
    is_up: bool,
    rows: Vec<usize>,
}

/// A link that was lost, and when.
#[derive(Clone, Copy, Debug)]
struct Loss {
    root: Root,
    at: Timestamp,
    condition: Condition,
    /// It may be behind another.
    may_hide: bool,
}

impl Loss {
    /// An aggregate that goes on has lost members.
    fn of(device: &DeviceView, aggregates: &Bundles, row: usize) -> Option<Self> {
        let port = &device.ports[row];
        let at = if is_loss(port) {
            port.changed?
        } else {
            let members = lost_members(device, aggregates, row).filter(|member| is_loss(member));
            members.filter_map(|member| member.changed).min().filter(|_| port.state == PortState::Up)?
        };
        let may_hide = port.role != PortRole::MustBeUp;
        Some(Self { root: Root::Port(row), at, condition: port.condition, may_hide })
    }
}

/// The neighbor that was heard at the port.
fn neighbor(port: &PortView) -> Option<&NeighborId> {
    port.ties.as_ref()?.neighbor.as_ref().map(|(id, _)| id)
}

/// What the lost link led to; of an aggregate, where all that it has lost led to one.
fn end<'a>(device: &'a DeviceView, aggregates: &'a Bundles, row: usize) -> Option<&'a NeighborId> {
    let mut ends = lost_members(device, aggregates, row).map(neighbor);
    match ends.next() {
        None => neighbor(&device.ports[row]),
        Some(first) => first.filter(|first| ends.all(|end| end.is_some_and(|end| is_same(first, end)))),
    }
}

/// A device may tell other addresses on another port; what it calls itself is the same.
fn is_same(one: &NeighborId, other: &NeighborId) -> bool {
    if one.name.is_empty() { one == other } else { one.name == other.name }
}

/// The operator's rules want neither it up nor what is behind it because it is an aggregate.
fn may_be_inferred(device: &DeviceView, aggregates: &Bundles, row: usize) -> bool {
    let mut all = lost_members(device, aggregates, row).chain([&device.ports[row]]);
    all.all(|port| port.role != PortRole::MustBeUp)
}

/// Members of an aggregate that have no link, and a problem.
fn lost_members<'a>(
    device: &'a DeviceView,
    aggregates: &'a Bundles,
    row: usize,
) -> impl Iterator<Item = &'a PortView> + 'a {
    let members = aggregates.members_of(row).map(|member| &device.ports[member]);
    members.filter(|member| member.condition.is_problem() && member.state != PortState::Up)
}

/// Its link is gone, and nothing that the device says of it is a cause.
fn is_loss(port: &PortView) -> bool {
    match port.state {
        PortState::LinkLost
        | PortState::NoLink
        | PortState::LowerLayerDown
        | PortState::MissingModule
        | PortState::Unknown => true,
        PortState::Up | PortState::AdminDown | PortState::ErrDisabled | PortState::Dormant | PortState::Testing => {
            false
        }
    }
}
