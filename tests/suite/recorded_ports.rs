//! The port table of recorded devices of many makers, fed to the program's own sink and rules without a network in between:
//! every port and every field must be what the recording says, and a second walk must change nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use noctty::base::Timestamp;
use noctty::model::{Duplex, Host, IfAdmin, IfOper, Origin, Port, PortState, PortTable};
use noctty::probe::ports::Interfaces;
use noctty::proto::snmp::{Oid, Sink, Value};
use noctty::state::rules::ports::{judge, worth_remembering};

const AT: Timestamp = Timestamp::from_secs(1_800_000_000);
/// Larger recordings have no other kinds of ports, and take longer to read than to compare.
const LARGEST: u64 = 16_000_000;

/// What a device said of its ports and of itself, in the order of the file.
struct Recorded {
    name: String,
    lines: Vec<(Vec<u32>, Said)>,
    places: BTreeMap<Vec<u32>, usize>,
}

#[derive(Clone, Debug)]
enum Said {
    Signed(i64),
    Unsigned(u64),
    Text(Vec<u8>),
}

impl Said {
    fn number(&self) -> Option<u64> {
        match self {
            Self::Signed(n) => u64::try_from(*n).ok(),
            Self::Unsigned(n) => Some(*n),
            Self::Text(_) => None,
        }
    }
}

impl Recorded {
    fn read(path: &Path) -> Self {
        const TREES: [&str; 4] =
            ["1.3.6.1.2.1.1.", "1.3.6.1.2.1.2.2.1.", "1.3.6.1.2.1.31.1.", "1.3.6.1.2.1.10.7.2.1.19."];
        let bytes = std::fs::read(path).expect("a recording can be read");
        let mut lines = Vec::new();
        for line in bytes.split(|b| *b == b'\n') {
            let parts: Vec<&[u8]> = line.trim_ascii().splitn(3, |b| *b == b'|').collect();
            let &[oid, kind, value] = parts.as_slice() else { continue };
            if !TREES.iter().any(|tree| oid.starts_with(tree.as_bytes())) {
                continue;
            }
            let oid = std::str::from_utf8(oid).expect("digits and dots");
            let oid: Vec<u32> = oid.split('.').map(|arc| arc.parse().expect("an arc")).collect();
            if let Some(said) = said(std::str::from_utf8(kind).expect("a type"), value) {
                lines.push((oid, said));
            }
        }
        let mut places = BTreeMap::new();
        for (place, (oid, _)) in lines.iter().enumerate() {
            places.entry(oid.clone()).or_insert(place);
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Self { name, lines, places }
    }

    fn get(&self, root: &[u32], index: u32) -> Option<&Said> {
        let oid: Vec<u32> = root.iter().copied().chain([index]).collect();
        self.places.get(&oid).map(|place| &self.lines[*place].1)
    }

    fn number(&self, root: &[u32], index: u32) -> Option<u64> {
        self.get(root, index)?.number()
    }

    /// The column as the device walks it: in its own order, each row once.
    fn feed_column(&self, sink: &mut Interfaces, number: usize, root: &Oid) {
        let arcs: Vec<u32> = root.as_raw().arcs().collect();
        let mut seen = HashSet::new();
        for (oid, said) in self.lines.iter().filter(|(oid, _)| oid.starts_with(&arcs) && oid.len() > arcs.len()) {
            if seen.insert(oid) {
                let name = Oid::from_arcs(oid);
                let index = name.as_raw().below(root).expect("it is below");
                assert!(sink.cell(number, index, wire(said)), "{}: {oid:?} came once", self.name);
            }
        }
    }

    fn walk(&self, at: Timestamp, before: Option<&PortTable>) -> PortTable {
        let plan = Interfaces::plan(25);
        let mut sink = Interfaces::default();
        for (number, scalar) in plan.scalars.iter().enumerate() {
            let arcs: Vec<u32> = scalar.as_raw().arcs().collect();
            if let Some(place) = self.places.get(&arcs) {
                sink.scalar(number, wire(&self.lines[*place].1));
            }
        }
        let mut roots = plan.columns;
        let mut next = 0;
        while next < roots.len() {
            for (number, root) in roots.iter().enumerate().skip(next) {
                self.feed_column(&mut sink, number, root);
            }
            next = roots.len();
            roots.extend(sink.more());
        }
        sink.table(at, Vec::new(), before)
    }
}

fn said(kind: &str, value: &[u8]) -> Option<Said> {
    let text = || std::str::from_utf8(value).ok().map(str::trim);
    match kind {
        "2" => text()?.parse().ok().map(Said::Signed),
        "65" | "66" | "67" | "70" => text()?.parse().ok().map(Said::Unsigned),
        "4" => Some(Said::Text(value.to_vec())),
        "4x" => value
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect::<Option<Vec<u8>>>()
            .map(Said::Text),
        _ => None,
    }
}

fn wire(said: &Said) -> Value<'_> {
    match said {
        Said::Signed(n) => Value::Integer(*n),
        Said::Unsigned(n) => u32::try_from(*n).map_or(Value::Counter64(*n), Value::Gauge32),
        Said::Text(octets) => Value::Octets(octets),
    }
}

const IF: [u32; 9] = [1, 3, 6, 1, 2, 1, 2, 2, 1];
/// Ethernet by its several numbers, and aggregates.
const WIRES: [u32; 7] = [6, 7, 26, 62, 69, 117, 161];
/// Serial lines, loopbacks, tunnels, VLANs and their kind, which have no duplex.
const VIRTUAL: [u32; 15] = [22, 23, 24, 32, 37, 49, 126, 131, 135, 136, 142, 150, 166, 209, 246];
const IFX: [u32; 10] = [1, 3, 6, 1, 2, 1, 31, 1, 1, 1];

fn column(entry: &[u32], number: u32) -> Vec<u32> {
    entry.iter().copied().chain([number]).collect()
}

/// What the recording says of one port, and where the program says otherwise.
struct Comparison<'a> {
    recorded: &'a Recorded,
    port: &'a Port,
    differences: Vec<String>,
    compared: usize,
}

impl Comparison<'_> {
    fn same<T: PartialEq + std::fmt::Debug + ?Sized>(&mut self, field: &str, want: &T, got: &T) {
        self.compared += 1;
        if want != got {
            let Self { recorded, port, .. } = self;
            self.differences
                .push(format!("{} port {}: {field}: recorded {want:?}, told {got:?}", recorded.name, port.index));
        }
    }

    fn of_if(&self, number: u32) -> Option<u64> {
        self.recorded.number(&column(&IF, number), self.port.index)
    }

    fn of_ifx(&self, number: u32) -> Option<u64> {
        self.recorded.number(&column(&IFX, number), self.port.index)
    }

    fn text(&mut self, field: &str, root: &[u32], got: &[u8]) {
        let octets = match self.recorded.get(root, self.port.index) {
            Some(Said::Text(octets)) => octets.clone(),
            _ => Vec::new(),
        };
        let end = octets.iter().rposition(|o| *o != 0).map_or(0, |at| at + 1);
        let blank = octets[..end].iter().all(|o| o.is_ascii_whitespace() || *o == 0) || octets[..end] == *b"\"\"";
        let want = if blank { Vec::new() } else { octets[..end].to_vec() };
        self.same(field, &String::from_utf8_lossy(&want).into_owned(), &String::from_utf8_lossy(got).into_owned());
    }

    fn all(&mut self) {
        let port = self.port;
        self.text("name", &column(&IFX, 1), port.name.as_bytes());
        self.text("description", &column(&IF, 2), port.description.as_bytes());
        self.text("alias", &column(&IFX, 18), port.alias.as_bytes());
        let kind = self.of_if(3).filter(|n| *n > 0).map(|n| n as u32);
        self.same("type", &kind, &port.if_type);
        let mtu = self.of_if(4).filter(|n| (1..=1 << 24).contains(n)).map(|n| n as u32);
        self.same("mtu", &mtu, &port.mtu);
        self.speed();
        let mac = match self.recorded.get(&column(&IF, 6), port.index) {
            Some(Said::Text(octets)) => <[u8; 6]>::try_from(octets.as_slice()).ok(),
            _ => None,
        };
        self.same("mac", &mac, &port.mac);
        let admin = [None, Some(IfAdmin::Up), Some(IfAdmin::Down), Some(IfAdmin::Testing)];
        let admin = self.of_if(7).and_then(|n| admin.get(n as usize).copied().flatten());
        self.same("admin", &admin, &port.admin);
        let oper = self.of_if(8).and_then(|n| match n {
            1 => Some(IfOper::Up),
            2 => Some(IfOper::Down),
            3 => Some(IfOper::Testing),
            4 => Some(IfOper::Unknown),
            5 => Some(IfOper::Dormant),
            6 => Some(IfOper::NotPresent),
            7 => Some(IfOper::LowerLayerDown),
            _ => None,
        });
        self.same("oper", &oper, &port.oper);
        let duplex = self.recorded.number(&[1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 19], port.index);
        let duplex = match duplex.filter(|_| kind.is_none_or(|kind| !VIRTUAL.contains(&kind))) {
            Some(2) => Some(Duplex::Half),
            Some(3) => Some(Duplex::Full),
            _ => None,
        };
        self.same("duplex", &duplex, &port.duplex);
        self.counters();
        let uptime = self.recorded.number(&[1, 3, 6, 1, 2, 1, 1, 3], 0);
        let age = uptime.zip(self.of_if(9).filter(|t| *t > 0)).and_then(|(up, change)| up.checked_sub(change));
        self.same("last change", &age.map(|t| AT.minus(Duration::from_millis(t * 10))), &port.last_change);
    }

    fn counters(&mut self) {
        let counters = self.port.counters;
        let wide = (self.of_ifx(6), self.of_ifx(10));
        let (octets, is_wide) = match wide {
            (Some(_), Some(_)) => (wide, true),
            _ => ((self.of_if(10), self.of_if(16)), false),
        };
        self.same("octets", &octets, &(counters.in_octets(), counters.out_octets()));
        self.same("64 bits", &is_wide, &counters.wide);
        let events = [self.of_if(14), self.of_if(20), self.of_if(13), self.of_if(19)];
        let told = [counters.in_errors(), counters.out_errors(), counters.in_discards(), counters.out_discards()];
        self.same("errors and discards", &events, &told);
    }

    /// Where the two columns contradict each other nobody can tell; it must be one of them then.
    fn speed(&mut self) {
        let wire = self.port.if_type.is_some_and(|kind| WIRES.contains(&kind));
        let least = if wire { 10_000 } else { 1 };
        let exact = self.of_if(5).filter(|s| *s >= least && *s < 4_294_900_000);
        let coarse = self.of_ifx(15).filter(|h| *h > 0).map(|h| h.saturating_mul(1_000_000));
        let got = self.port.speed_bps;
        match (exact, coarse) {
            (None, None) => self.same("speed", &None, &got),
            (Some(one), None) | (None, Some(one)) => self.same("speed", &Some(one), &got),
            (Some(exact), Some(coarse)) if exact.abs_diff(coarse) <= 500_000 => self.same("speed", &Some(exact), &got),
            (Some(exact), Some(coarse)) if coarse % (1 << 32) == exact => {
                self.same("speed", &Some(coarse), &got);
            }
            (Some(exact), Some(coarse)) => self.same("speed", &true, &[Some(exact), Some(coarse)].contains(&got)),
        }
    }
}

/// The decision table, of a device that is seen for the first time and whose other tables are not known.
fn state(port: &Port) -> PortState {
    match (port.admin, port.oper) {
        (Some(IfAdmin::Down), _) => PortState::AdminDown,
        (Some(IfAdmin::Testing), _) | (_, Some(IfOper::Testing)) => PortState::Testing,
        (_, Some(IfOper::Up)) => PortState::Up,
        (_, Some(IfOper::Down)) => PortState::NoLink,
        (_, Some(IfOper::Dormant)) => PortState::Dormant,
        (_, Some(IfOper::NotPresent)) => PortState::MissingModule,
        (_, Some(IfOper::LowerLayerDown)) => PortState::LowerLayerDown,
        (_, Some(IfOper::Unknown) | None) => PortState::Unknown,
    }
}

fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/recordings");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}; run tests/setup", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.metadata().is_ok_and(|m| m.len() <= LARGEST));
    paths.sort();
    paths
}

#[test]
fn every_port_of_every_recorded_device_is_what_the_device_said() {
    let (mut devices, mut ports, mut compared, mut differences) = (0, 0, 0, Vec::new());
    let host = Arc::new(Host::new("recorded", None, Origin::OneOff));
    for path in recordings() {
        let recorded = Recorded::read(&path);
        let table = Arc::new(recorded.walk(AT, None));
        let rows: BTreeSet<u32> = recorded
            .lines
            .iter()
            .filter(|(oid, _)| (oid.starts_with(&IF) && oid.len() == 11) || (oid.starts_with(&IFX) && oid.len() == 12))
            .filter_map(|(oid, _)| oid.last().copied())
            .collect();
        let told: BTreeSet<u32> = table.ports.iter().map(|p| p.index).collect();
        if rows != told {
            differences.push(format!(
                "{}: rows {:?}",
                recorded.name,
                rows.symmetric_difference(&told).collect::<Vec<_>>()
            ));
        }
        for port in &table.ports {
            let mut one = Comparison { recorded: &recorded, port, differences: Vec::new(), compared: 0 };
            one.all();
            compared += one.compared;
            differences.append(&mut one.differences);
        }
        let view = judge(None, &table, &host);
        for (port, seen) in table.ports.iter().zip(&view.ports) {
            if seen.state != state(port) {
                differences.push(format!("{} port {}: {:?}", recorded.name, port.index, seen.state));
            }
        }
        let again = Arc::new(recorded.walk(AT.plus(Duration::from_secs(60)), Some(&table)));
        let second = judge(Some(&view), &again, &host);
        let keys: HashSet<_> = (0..second.ports.len()).map(|row| second.key(row)).collect();
        if keys.len() != second.ports.len() || !second.events.is_empty() || worth_remembering(&view, &second) {
            differences.push(format!("{}: a second walk is not the same: {:?}", recorded.name, second.events));
        }
        devices += usize::from(!table.ports.is_empty());
        ports += table.ports.len();
    }
    println!("{devices} devices, {ports} ports, {compared} fields");
    assert!(devices >= 70 && ports >= 2_000, "{devices} devices and {ports} ports are too few to prove anything");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
