//! The columns of the port table: which there are, which fit, and how each sorts. What a port is called, its state and its age
//! are never dropped; the others go in the order of [`Column::PRIORITY`] where the screen is too narrow.

use std::cmp::Ordering;

use super::port::{Seen, shown};
use crate::base::text;
use crate::model::Duplex;
use crate::model::device::{Poe, PoeStatus, PortFacts};
use crate::state::DeviceView;
use crate::state::lookup::Lookup;

/// In the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    Port,
    State,
    Speed,
    In,
    Out,
    Used,
    Errors,
    Discards,
    Vlan,
    Poe,
    Duplex,
    Macs,
    Neighbor,
    Alias,
    Changed,
}

impl Column {
    /// Every column: its name, its title, and what it shows.
    pub const ALL: [(Self, &'static str, &'static str, &'static str); 15] = [
        (Self::Port, "port", "port", "what the device calls it; sorts in the order of the device"),
        (Self::State, "state", "state", "sorts worst first"),
        (Self::Speed, "speed", "speed", "as negotiated"),
        (Self::In, "in", "in", "bits per second received"),
        (Self::Out, "out", "out", "bits per second sent"),
        (Self::Used, "used", "in/out%", "received and sent in percent of the speed"),
        (Self::Errors, "errors", "err/s", "errors per second, in and out"),
        (Self::Discards, "discards", "disc/s", "discards per second, in and out"),
        (Self::Vlan, "vlan", "vlan", "untagged VLAN, and how many tagged ones"),
        (Self::Poe, "poe", "poe", "watts delivered, or why not"),
        (Self::Duplex, "duplex", "dup", "full or half"),
        (Self::Macs, "macs", "macs", "MAC addresses heard on it"),
        (Self::Neighbor, "neighbor", "neighbor", "who is at the other end, by LLDP or CDP"),
        (Self::Alias, "alias", "alias", "ifAlias, after the reason of the state"),
        (Self::Changed, "age", "age", "since the state changed, by what was seen or what the device says"),
    ];

    /// From the last to go to the first.
    const PRIORITY: [Self; 12] = [
        Self::Alias,
        Self::In,
        Self::Out,
        Self::Speed,
        Self::Errors,
        Self::Neighbor,
        Self::Vlan,
        Self::Used,
        Self::Poe,
        Self::Discards,
        Self::Macs,
        Self::Duplex,
    ];

    fn entry(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        let at = Self::ALL.iter().position(|(column, ..)| *column == self).unwrap_or(0);
        &Self::ALL[at]
    }

    pub fn name(self) -> &'static str {
        self.entry().1
    }

    pub fn title(self) -> &'static str {
        self.entry().2
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, name, ..)| *name)
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, n, ..)| *n == name).map(|(column, ..)| *column)
    }

    /// Shown at every width, and not chosen.
    pub fn is_fixed(self) -> bool {
        matches!(self, Self::Port | Self::State | Self::Changed)
    }

    /// Columns it needs; of the flexible ones, the least.
    fn width(self) -> usize {
        match self {
            Self::Changed => 3,
            Self::Macs | Self::Duplex => 4,
            Self::Speed | Self::In | Self::Out => 5,
            Self::Errors | Self::Discards | Self::Vlan | Self::Poe => 6,
            Self::Used => 7,
            Self::Port | Self::Neighbor => 10,
            Self::State => 13,
            Self::Alias => 16,
        }
    }

    /// Whether any port of the device may have something there.
    fn is_used(self, device: &DeviceView) -> bool {
        let facts = |wanted: fn(&PortFacts) -> bool| Seen::all(device).filter_map(|seen| seen.facts).any(wanted);
        match self {
            Self::Poe => facts(|facts| facts.poe.is_some()),
            Self::Neighbor => facts(|facts| !facts.neighbors.is_empty()),
            Self::Vlan => facts(|facts| facts.vlan.is_some() || !facts.tagged.is_empty()),
            Self::Duplex => device.table.ports.iter().any(|port| port.duplex.is_some()),
            _ => true,
        }
    }

    /// Numbers, which stand at the right of their column.
    pub fn is_right(self) -> bool {
        !matches!(self, Self::Port | Self::State | Self::Poe | Self::Duplex | Self::Neighbor | Self::Alias)
    }
}

/// Which columns are wanted, and what the table is sorted by. Lives as long as the console.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// What is left out by the operator.
    pub hidden: Vec<Column>,
    pub sort: Sort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub reversed: bool,
}

impl Sort {
    /// Whether the values fall from the first row to the last.
    pub fn descends(self) -> bool {
        let from_the_least = matches!(
            self.column,
            Column::Port | Column::Vlan | Column::Duplex | Column::Neighbor | Column::Alias | Column::Changed
        );
        from_the_least == self.reversed
    }
}

impl Default for Sort {
    fn default() -> Self {
        Self { column: Column::Port, reversed: false }
    }
}

impl Choice {
    /// Hides a column or shows it again; those that are fixed stay.
    pub fn toggle(&mut self, column: Column) {
        if let Some(at) = self.hidden.iter().position(|c| *c == column) {
            self.hidden.remove(at);
        } else if !column.is_fixed() {
            self.hidden.push(column);
        }
    }

    /// Sorts by a column; by the same one again, the other way round.
    pub fn sort_by(&mut self, column: Column) {
        let reversed = self.sort.column == column && !self.sort.reversed;
        self.sort = Sort { column, reversed };
    }

    /// Sorts by the column before or after among those that are shown.
    pub fn sort_beside(&mut self, shown: &[Fitted], delta: isize) {
        let at = shown.iter().position(|f| f.column == self.sort.column).unwrap_or(0);
        let next = (at.cast_signed() + delta).rem_euclid(shown.len().max(1).cast_signed());
        if let Some(fitted) = shown.get(next.cast_unsigned()) {
            self.sort = Sort { column: fitted.column, reversed: false };
        }
    }

    /// The columns that fit into `width`, in their order, and how many that are wanted do not.
    pub fn fit(&self, device: &DeviceView, width: usize) -> (Vec<Fitted>, usize) {
        let label = Seen::all(device).map(|s| text::width(&s.label())).max().unwrap_or(0);
        // Its head and the mark of what sorts fit, whatever the ports are called.
        let port = label.clamp(5, (width / 5).clamp(8, 26));
        // A column of the glyph and one at each edge.
        let mut left = width.saturating_sub(4);
        let mut taken = vec![
            Fitted { column: Column::Port, width: port },
            Fitted { column: Column::State, width: Column::State.width() },
            Fitted { column: Column::Changed, width: Column::Changed.width() },
        ];
        left = left.saturating_sub(taken.iter().map(|f| f.width + 1).sum());
        let mut dropped = 0;
        let reason = Seen::all(device).filter_map(|s| s.view.reason.as_deref()).map(text::width).max().unwrap_or(0);
        // What no port of the device has gives way to what one has.
        let wanted = Column::PRIORITY.into_iter().filter(|c| !self.hidden.contains(c));
        let (used, unused): (Vec<Column>, Vec<Column>) = wanted.partition(|column| column.is_used(device));
        let first_unused = used.len();
        for (at, column) in used.into_iter().chain(unused).enumerate() {
            // The reason of a state is what one has come to read.
            let width =
                if column == Column::Alias { reason.clamp(column.width(), MOST_REASON) } else { column.width() };
            if width < left {
                left -= width + 1;
                taken.push(Fitted { column, width });
            } else if at < first_unused {
                dropped += 1;
            }
        }
        taken.sort_by_key(|f| f.column);
        // The neighbor takes a third of what is over, the alias the rest.
        let third = if taken.iter().any(|f| f.column == Column::Alias) { left / 3 } else { left };
        for (column, most) in [(Column::Neighbor, third.min(20)), (Column::Alias, usize::MAX)] {
            if let Some(fitted) = taken.iter_mut().find(|f| f.column == column) {
                let more = left.min(most);
                fitted.width += more;
                left -= more;
            }
        }
        (taken, dropped)
    }
}

/// Room that reasons get before other columns.
const MOST_REASON: usize = 28;

/// A column with its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fitted {
    pub column: Column,
    pub width: usize,
}

/// What a row is sorted by. Unknown comes last, whichever way.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    Number(f64),
    Text(String),
    Unknown,
}

impl Key {
    pub fn number(value: Option<f64>) -> Self {
        value.filter(|v| v.is_finite()).map_or(Self::Unknown, Self::Number)
    }

    pub fn compare(&self, other: &Self, reversed: bool) -> Ordering {
        let known = |key: &Self| *key != Self::Unknown;
        let order = match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => return known(other).cmp(&known(self)),
        };
        if reversed { order.reverse() } else { order }
    }
}

/// Sorts rows of a device's table; equal ones stay in the order of the device.
pub fn sort(rows: &mut Vec<usize>, device: &DeviceView, lookup: &Lookup, sort: Sort) {
    if sort.column == Column::Port {
        if sort.reversed {
            rows.reverse();
        }
        return;
    }
    let mut keyed: Vec<(Key, usize)> = rows
        .iter()
        .map(|row| (Seen::at(device, *row).map_or(Key::Unknown, |seen| key(&seen, lookup, sort.column)), *row))
        .collect();
    keyed.sort_by(|a, b| a.0.compare(&b.0, sort.reversed));
    *rows = keyed.into_iter().map(|(_, row)| row).collect();
}

/// Rates and counts sort greatest first, names and VLANs from the beginning, states worst first, changes newest first.
fn key(seen: &Seen<'_>, lookup: &Lookup, column: Column) -> Key {
    let most = |value: Option<f64>| Key::number(value.map(|v| -v));
    match column {
        Column::Port => Key::Unknown,
        Column::State => {
            let problem = if seen.view.condition.is_problem() { seen.view.condition as u8 } else { 0 };
            Key::Number(f64::from(u32::from(u8::MAX - problem) << 8 | seen.view.state as u32))
        }
        Column::Speed => most(seen.port.speed_bps.map(|s| s as f64)),
        Column::In => most(seen.in_bps()),
        Column::Out => most(seen.out_bps()),
        Column::Used => {
            let (received, sent) = seen.utilisation();
            most(received.into_iter().chain(sent).reduce(f64::max))
        }
        Column::Errors => most(seen.errors()),
        Column::Discards => most(seen.discards()),
        Column::Vlan => Key::number(seen.facts.and_then(|f| f.vlan).map(f64::from)),
        Column::Poe => most(seen.facts.and_then(|f| f.poe).map(|poe| f64::from(poe.watts.unwrap_or(0.0)))),
        Column::Duplex => Key::number(seen.port.duplex.map(|d| f64::from(u8::from(d == Duplex::Full)))),
        Column::Macs => most(lookup.station_count(&seen.device.host.id, seen.port.index).map(|n| n as f64)),
        Column::Neighbor => {
            let first = seen.facts.and_then(|f| f.neighbors.first());
            first.map_or(Key::Unknown, |n| Key::Text(shown(&n.name).to_lowercase()))
        }
        Column::Alias if seen.port.alias.is_empty() => Key::Unknown,
        Column::Alias => Key::Text(shown(&seen.port.alias).to_lowercase()),
        Column::Changed => most(seen.changed().map(|at| at.millis() as f64)),
    }
}

/// `12.3W`, or why there is none, in six columns.
pub fn poe(poe: Poe) -> String {
    match (poe.status, poe.watts) {
        (PoeStatus::Delivering, Some(watts)) => format!("{watts:>4.1}W"),
        (PoeStatus::Delivering, None) => "on".to_owned(),
        (PoeStatus::Disabled, _) => "off".to_owned(),
        (PoeStatus::Searching, _) => "search".to_owned(),
        (PoeStatus::Fault | PoeStatus::OtherFault, _) => "FAULT".to_owned(),
        (PoeStatus::Test, _) => "test".to_owned(),
        (PoeStatus::Denied, _) => "DENIED".to_owned(),
    }
}

/// The untagged VLAN and how many tagged ones: `10`, `10+3`, `+3`.
pub fn vlan(untagged: Option<u16>, tagged: usize) -> String {
    let untagged = untagged.map(|v| v.to_string()).unwrap_or_default();
    match tagged {
        0 if untagged.is_empty() => "–".to_owned(),
        0 => untagged,
        n => format!("{untagged}+{n}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Condition;
    use std::sync::Arc;

    use crate::state::{PortState, Rates};
    use crate::ui::tests::fixture;

    fn names(fitted: &[Fitted]) -> Vec<&'static str> {
        fitted.iter().map(|f| f.column.name()).collect()
    }

    fn device() -> DeviceView {
        let port = |name: &str, state, condition| (name.to_owned(), state, condition);
        let mut view = fixture::device(
            "sw",
            &[
                port("Gi1/0/1", PortState::Up, Condition::Ok),
                port("Gi1/0/2", PortState::NoLink, Condition::Ok),
                port("Gi1/0/3", PortState::ErrDisabled, Condition::Critical),
                port("Gi1/0/4", PortState::Up, Condition::Warning),
            ],
        );
        for (row, bps) in [Some(5.0), None, Some(9.0), Some(5.0)].into_iter().enumerate() {
            view.ports[row].rates = Rates::new([bps, None, None, None, None, None]);
        }
        view
    }

    #[test]
    fn state_and_age_are_there_at_every_width_and_nothing_is_wider_than_the_screen() {
        let choice = Choice::default();
        for width in 0..260 {
            let (fitted, dropped) = choice.fit(&device(), width);
            let names = names(&fitted);
            for always in ["port", "state", "age"] {
                assert!(names.contains(&always), "{width}: {names:?}");
            }
            let unused = ["poe", "neighbor", "vlan", "duplex"].iter().filter(|name| !names.contains(name)).count();
            assert_eq!(fitted.len() + dropped + unused, Column::ALL.len(), "what no port has is not missed");
            let used: usize = fitted.iter().map(|f| f.width + 1).sum::<usize>() + 4;
            assert!(used <= width || fitted.len() == 3, "{width}: {used}");
        }
        assert_eq!(names(&choice.fit(&device(), 60).0), ["port", "state", "in", "out", "alias", "age"]);
        let wide = choice.fit(&device(), 118);
        assert!(wide.0.len() >= 12, "{:?}", names(&wide.0));
    }

    #[test]
    fn what_no_port_has_gives_way_to_what_one_has() {
        let mut device = device();
        let has = |device: &DeviceView, width| {
            let (fitted, _) = Choice::default().fit(device, width);
            (names(&fitted).contains(&"vlan"), names(&fitted).contains(&"discards"))
        };
        let width = (80..160).find(|width| has(&device, *width).1).expect("there is room for it somewhere");
        assert_eq!(has(&device, width), (false, true));
        let index = device.table.ports[0].index;
        let facts = PortFacts { index, vlan: Some(10), ..PortFacts::default() };
        let table = Arc::make_mut(&mut device.table);
        Arc::make_mut(&mut table.equipment).ports.push(facts);
        assert_eq!(has(&device, width), (true, false));
    }

    #[test]
    fn what_is_hidden_makes_room_for_others() {
        let mut choice = Choice::default();
        for column in [Column::In, Column::Out, Column::State] {
            choice.toggle(column);
        }
        let (fitted, _) = choice.fit(&device(), 60);
        assert_eq!(names(&fitted), ["port", "state", "speed", "errors", "alias", "age"]);
        choice.toggle(Column::In);
        assert_eq!(choice.hidden, [Column::Out]);
    }

    #[test]
    fn each_column_sorts_its_own_way_and_unknown_comes_last_either_way() {
        let view = device();
        let sorted = |column, reversed| {
            let mut rows = vec![0, 1, 2, 3];
            sort(&mut rows, &view, &Lookup::default(), Sort { column, reversed });
            rows
        };
        assert_eq!(sorted(Column::Port, true), [3, 2, 1, 0]);
        assert_eq!(sorted(Column::In, false), [2, 0, 3, 1]);
        assert_eq!(sorted(Column::In, true), [0, 3, 2, 1]);
        assert_eq!(sorted(Column::State, false), [2, 3, 0, 1]);
        assert_eq!(sorted(Column::Macs, false), [0, 1, 2, 3]);
        assert_eq!(sorted(Column::Alias, false)[0], 0, "the only one with an alias");
    }

    #[test]
    fn sorting_by_a_column_again_turns_it_round_and_its_neighbors_are_those_on_the_screen() {
        let mut choice = Choice::default();
        choice.sort_by(Column::In);
        choice.sort_by(Column::In);
        assert_eq!(choice.sort, Sort { column: Column::In, reversed: true });
        let (shown, _) = choice.fit(&device(), 60);
        choice.sort_beside(&shown, 1);
        assert_eq!(choice.sort, Sort { column: Column::Out, reversed: false });
        choice.sort_beside(&shown, 3);
        assert_eq!(choice.sort.column, Column::Port, "round the corner");
    }

    #[test]
    fn every_column_has_its_row_in_the_table_and_its_priority() {
        for (at, (column, name, ..)) in Column::ALL.iter().enumerate() {
            assert_eq!(*column as usize, at);
            assert_eq!(Column::named(name), Some(*column));
            assert!(column.is_fixed() || Column::PRIORITY.contains(column), "{name}");
        }
        assert_eq!((vlan(Some(10), 0), vlan(None, 3), vlan(Some(1), 12), vlan(None, 0)).0, "10");
    }
}
