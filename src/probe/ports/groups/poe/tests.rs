use super::super::testing::Fed;
use super::*;
use crate::model::IfOper;

fn row(fed: Fed, place: Place, status: i64) -> Fed {
    let at = &[place.0, place.1];
    fed.cell(ENABLED, at, Value::Integer(1)).cell(STATUS, at, Value::Integer(status)).cell(CLASS, at, Value::Integer(4))
}

fn statuses(equipment: &Equipment) -> Vec<(u32, PoeStatus)> {
    equipment.ports.iter().filter_map(|p| Some((p.index, p.poe?.status))).collect()
}

#[test]
fn states_classes_watts_and_budgets_are_told() {
    let mut fed =
        Fed::default().named(&[(10101, "Gi1/0/1"), (10102, "Gi1/0/2"), (10103, "Gi1/0/3"), (10601, "Gi2/0/1")]);
    fed = row(fed, (1, 1), 3).cell(MILLIWATTS, &[1, 1], Value::Gauge32(15_400));
    fed = row(fed, (1, 2), 4).cell(ADDITIONAL, &[1, 2], Value::Octets(&[0x80]));
    fed = row(fed, (1, 3), 2);
    fed = fed.cell(ENABLED, &[2, 1], Value::Integer(2)).cell(STATUS, &[2, 1], Value::Integer(0));
    fed = fed
        .cell(BUDGET, &[1], Value::Gauge32(370))
        .cell(USED, &[1], Value::Gauge32(15))
        .cell(MAIN_STATUS, &[1], Value::Integer(1))
        .cell(BUDGET, &[2], Value::Gauge32(4_000_000))
        .cell(MAIN_STATUS, &[2], Value::Integer(3));
    let equipment = fed.fold(&GROUP);
    let want = [
        (10101, PoeStatus::Delivering),
        (10102, PoeStatus::Denied),
        (10103, PoeStatus::Searching),
        (10601, PoeStatus::Disabled),
    ];
    assert_eq!(statuses(&equipment), want);
    let first = equipment.port(10101).and_then(|p| p.poe).expect("power");
    assert_eq!((first.watts, first.class), (Some(15.4), Some(3)));
    assert_eq!(equipment.port(10103).and_then(|p| p.poe?.class), None);
    let full = PoeBudget { group: 1, watts: Some(370.0), used_watts: Some(15.0), faulty: Some(false) };
    assert_eq!(equipment.poe, [full, PoeBudget { group: 2, watts: None, used_watts: None, faulty: Some(true) }]);
}

#[test]
fn watts_are_read_in_other_makers_words_too() {
    for column in OTHER_MILLIWATTS {
        let fed = row(Fed::default().named(&[(1, "1")]), (1, 1), 3).cell(column, &[1, 1], Value::Gauge32(4700));
        let poe = fed.fold(&GROUP).port(1).and_then(|p| p.poe);
        assert_eq!(poe.and_then(|p| p.watts), Some(4.7), "column {column}");
    }
}

#[test]
fn cisco_names_the_entity_of_each_port() {
    let fed = row(Fed::default().ports(&[7, 8]), (1, 1), 3)
        .cell(ENTITY, &[1, 1], Value::Integer(1005))
        .before(|e| e.entity_ports = vec![(1005, 8)].into());
    assert_eq!(statuses(&fed.fold(&GROUP)), [(8, PoeStatus::Delivering)]);
}

#[test]
fn uplinks_of_another_kind_do_not_take_the_access_ports_rows() {
    let names = [(1, "Fa1/0/1"), (2, "Fa1/0/2"), (3, "Gi1/0/1")];
    let fed = row(row(Fed::default().named(&names), (1, 1), 3), (1, 2), 2);
    assert_eq!(statuses(&fed.fold(&GROUP)), [(1, PoeStatus::Delivering), (2, PoeStatus::Searching)]);
}

#[test]
fn where_readings_differ_the_links_decide_and_else_nobody() {
    let fed = |up: &[u32]| {
        let mut fed = Fed::default().ports(&[1, 2, 3]).before(|e| e.bridge_ports = vec![(1, 2), (2, 3)]);
        for index in 1..=3 {
            let oper = if up.contains(&index) { IfOper::Up } else { IfOper::Down };
            fed = fed.port(index, |p| {
                p.name = format!("socket {}", ["a", "b", "c"][index as usize - 1]).into();
                p.oper = Some(oper);
            });
        }
        row(row(fed, (1, 1), 3), (1, 2), 2)
    };
    assert_eq!(statuses(&fed(&[2]).fold(&GROUP)), [(2, PoeStatus::Delivering), (3, PoeStatus::Searching)]);
    assert_eq!(statuses(&fed(&[1]).fold(&GROUP)), [(1, PoeStatus::Delivering), (2, PoeStatus::Searching)]);
    assert_eq!(statuses(&fed(&[]).fold(&GROUP)), []);
}

#[test]
fn rows_of_ports_that_nobody_knows_are_left_out() {
    let fed = row(row(Fed::default().named(&[(1, "1")]), (1, 1), 3), (1, 25), 2);
    assert_eq!(statuses(&fed.fold(&GROUP)), []);
}
