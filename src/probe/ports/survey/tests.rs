use super::super::groups::{Fixed, GROUPS, MAX_ROWS};
use super::*;
use crate::base::Untrusted;
use crate::model::device::Processor;
use crate::probe::ports::cells::Tables;
use crate::probe::ports::groups::testing::{Fed, ports};

const ADDRESS: ([u8; 4], u16) = ([192, 0, 2, 1], 161);

fn table(at: i64, walked: Vec<TablesWalked>) -> PortTable {
    PortTable {
        collected_at: Timestamp::from_secs(at),
        ports: ports(&[1, 2]),
        complete: true,
        equipment: Arc::new(Equipment { walked, ..Equipment::default() }),
        ..PortTable::default()
    }
}

fn walked(at: i64, rows: u32, incomplete: Option<&str>) -> Vec<TablesWalked> {
    let one = |group: &&dyn Group| TablesWalked {
        group: Arc::from(group.name()),
        at: Timestamp::from_secs(at),
        rows,
        incomplete: incomplete.map(Arc::from),
    };
    GROUPS.iter().map(one).collect()
}

fn is_due(name: &str, table: &PortTable, before: Option<i64>) -> bool {
    let before = before.map(Timestamp::from_secs);
    due(GROUPS, table, Depth::Due, ADDRESS.into(), before).iter().any(|g| g.name() == name)
}

#[test]
fn names_are_unique_and_every_group_of_a_first_look_is_asked_for() {
    let names: std::collections::BTreeSet<&str> = GROUPS.iter().map(|g| g.name()).collect();
    assert_eq!(names.len(), GROUPS.len());
    let all = due(GROUPS, &table(1000, walked(999, 5, None)), Depth::Everything, ADDRESS.into(), None);
    assert_eq!(all.len(), GROUPS.len());
}

#[test]
fn a_group_is_due_at_its_pace_and_an_absent_one_seldom() {
    let is_due = |table: &PortTable| is_due("host-resources", table, None);
    assert!(is_due(&table(1000, Vec::new())));
    assert!(!is_due(&table(1030, walked(1000, 4, None))));
    assert!(is_due(&table(1058, walked(1000, 4, None))));
    assert!(!is_due(&table(1058, walked(1000, 0, None))));
    assert!(!is_due(&table(4300, walked(1000, 0, None))));
    assert!(is_due(&table(5500, walked(1000, 0, None))));
    assert!(is_due(&table(1060, walked(1000, 0, Some("no answer")))));
}

#[test]
fn long_tables_of_many_devices_are_not_walked_in_the_same_minute() {
    let mut minutes = [0u32; 5];
    for device in 0..1000u32 {
        let address = SocketAddr::from(([10, 0, (device >> 8) as u8, device as u8], 161));
        let mut first = None;
        for minute in 0..6i64 {
            let table = table(minute * 60, Vec::new());
            let before = (minute > 0).then(|| Timestamp::from_secs((minute - 1) * 60));
            let due = due(GROUPS, &table, Depth::Due, address, before);
            if due.iter().any(|g| g.name() == "forwarding") && first.is_none() {
                first = Some(minute);
            }
        }
        let first = first.expect("within five minutes");
        minutes[usize::try_from(first).expect("small") - 1] += 1;
    }
    assert!(minutes.iter().all(|n| (130..270).contains(n)), "{minutes:?}");
    assert!(
        !is_due("forwarding", &table(1890, walked(1000, 9, None)), Some(1830))
            || share(ADDRESS.into(), "forwarding") < 0.1
    );
    assert!(is_due("forwarding", &table(2201, walked(1000, 9, None)), Some(2140)));
}

#[test]
fn after_setbacks_a_group_is_asked_for_ever_less_often() {
    let with = |failures: u8, now: i64| {
        let mut table = table(now, walked(0, 9, None));
        let setback = Setback { group: "spanning-tree".into(), tried: Timestamp::from_secs(1000), failures };
        Arc::make_mut(&mut table.equipment).setbacks.push(setback);
        is_due("spanning-tree", &table, None)
    };
    assert!(!with(1, 1100) && with(1, 1120));
    assert!(!with(4, 1900) && with(4, 1960));
    assert!(!with(200, 4000) && with(200, 4600));
}

#[test]
fn heavy_groups_and_suspects_are_walked_alone() {
    let setback = Setback { group: "lldp".into(), tried: Timestamp::from_secs(0), failures: 1 };
    let equipment = Equipment { setbacks: vec![setback], ..Equipment::default() };
    let batches = batches(GROUPS, &equipment, 1);
    let name = |at: &usize| GROUPS[*at].name();
    assert!(batches[0].iter().all(|at| GROUPS[*at].weight() == Weight::Light && name(at) != "lldp"));
    let alone: Vec<&str> = batches.iter().skip(1).map(|b| name(&b[0])).collect();
    assert_eq!(alone, ["entity", "forwarding", "arp", "lldp"]);
    assert!(batches.iter().skip(1).all(|b| b.len() == 1));
}

#[test]
fn where_several_requests_may_be_under_way_the_light_groups_go_in_as_many_parts() {
    let equipment = Equipment::default();
    let all = |parts| {
        let mut all: Vec<usize> = batches(GROUPS, &equipment, parts).into_iter().flatten().collect();
        all.sort_unstable();
        all
    };
    let lights = |parts: usize| {
        let is_light = |batch: &&Vec<usize>| GROUPS[batch[0]].weight() == Weight::Light;
        batches(GROUPS, &equipment, parts).iter().filter(is_light).count()
    };
    for parts in [1, 2, 4, 8] {
        assert_eq!(all(parts), (0..GROUPS.len()).collect::<Vec<_>>(), "each group once");
        assert!(lights(parts) <= parts && lights(parts) > parts / 2, "{parts}: {}", lights(parts));
    }
}

fn count(tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
    let processor = |n: usize| Processor { name: Untrusted::default(), percent: n as f64 };
    equipment.processors = (0..tables.rows(0)).map(processor).collect();
}

static COUNT: Fixed = Fixed {
    name: "count",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[&[1, 3, 6]],
    fold: count,
};

#[test]
fn silence_keeps_what_is_known_only_for_a_while() {
    let cells = Fed::default().cell(0, &[1], crate::proto::snmp::Value::Integer(1)).into_cells();
    let brought = |rows, silent: Option<&str>| Brought {
        cells: (rows > 0).then(|| cells.clone()),
        first_scalar: 0,
        first_column: 0,
        rows,
        incomplete: silent.map(str::to_owned),
        is_silent: silent.is_some(),
    };
    let mut equipment = Equipment::default();
    fold(&COUNT, &brought(1, None), &table(1000, Vec::new()), &mut equipment);
    assert_eq!((equipment.processors.len(), equipment.walked[0].at), (1, Timestamp::from_secs(1000)));
    fold(&COUNT, &brought(0, Some("no answer")), &table(1120, Vec::new()), &mut equipment);
    assert_eq!((equipment.processors.len(), equipment.walked[0].at), (1, Timestamp::from_secs(1000)));
    assert_eq!(equipment.walked[0].incomplete.as_deref(), Some("no answer"));
    assert_eq!(equipment.setbacks[0].failures, 1);
    fold(&COUNT, &brought(0, Some("no answer")), &table(1300, Vec::new()), &mut equipment);
    assert_eq!((equipment.processors.len(), equipment.setbacks[0].failures), (0, 2));
    fold(&COUNT, &brought(1, None), &table(1360, Vec::new()), &mut equipment);
    assert_eq!((equipment.processors.len(), equipment.setbacks.len()), (1, 0));
    assert_eq!(equipment.walked[0].incomplete, None);
}
