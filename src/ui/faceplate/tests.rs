use super::*;
use crate::model::Condition;
use crate::state::PortState;
use crate::ui::tests::fixture;

fn device(names: impl IntoIterator<Item = String>) -> DeviceView {
    let ports: Vec<(String, PortState, Condition)> =
        names.into_iter().map(|name| (name, PortState::Up, Condition::Ok)).collect();
    fixture::device("sw", &ports)
}

/// The plate as text: the last digit of each port's number for its glyph.
fn drawn(device: &DeviceView, width: u16, height: u16) -> String {
    let plate = Faceplate::new(device);
    let laid = plate.lay(width, height, height, &|row| device.ports[row].condition.is_problem());
    if laid.form == Form::Counts {
        let lines: Vec<String> = laid.counts.iter().map(|(label, rows)| format!("{label}: {}", rows.len())).collect();
        return lines.join("\n");
    }
    let mut lines = vec![vec![' '; usize::from(width)]; usize::from(laid.height)];
    for (x, y, label) in &laid.labels {
        for (at, c) in label.chars().enumerate() {
            lines[usize::from(*y)][usize::from(*x) + at] = c;
        }
    }
    for (x, y, row) in &laid.cells {
        let label = device.table.ports[*row].label().line();
        lines[usize::from(*y)][usize::from(*x)] = label.chars().last().unwrap_or('?');
    }
    for (x, y, rows) in &laid.left_out {
        for (at, c) in mark(rows.len()).chars().enumerate() {
            lines[usize::from(*y)][usize::from(*x) + at] = c;
        }
    }
    let lines: Vec<String> = lines.iter().map(|l| l.iter().collect::<String>().trim_end().to_owned()).collect();
    lines.join("\n")
}

fn stack(members: u32) -> DeviceView {
    device((1..=members).flat_map(|member| {
        let access = (1..=48).map(move |port| format!("Gi{member}/0/{port}"));
        access.chain((1..=4).map(move |port| format!("Te{member}/1/{port}")))
    }))
}

#[test]
fn odd_numbers_stand_above_even_ones_and_uplinks_apart() {
    let small = device((1..=8).map(|n| format!("Gi0/{n}")).chain((1..=2).map(|n| format!("Te0/{n}"))));
    assert_eq!(drawn(&small, 40, 5), " Gi0/1          Te0/1\n 1  3  5  7     1\n 2  4  6  8     2");
    assert_eq!(
        drawn(&stack(1), 50, 5),
        "1      13     25     37       Te1/1/1\n\
         135791 357913 579135 791357   13\n\
         246802 468024 680246 802468   24"
    );
}

#[test]
fn ports_that_are_all_called_alike_have_their_uplinks_apart_too() {
    let aruba = device((1..=52).map(|n| n.to_string()));
    assert_eq!(
        drawn(&aruba, 50, 3),
        "1      13     25     37       49\n\
         135791 357913 579135 791357   91\n\
         246802 468024 680246 802468   02"
    );
    // From 0: the first stands above.
    let juniper = device((0..=3).map(|n| format!("ge-0/0/{n}")));
    assert_eq!(drawn(&juniper, 5, 2), "0 2\n1 3");
}

#[test]
fn stack_members_stand_one_above_the_other() {
    let text = drawn(&stack(3), 60, 20);
    assert_eq!(text.lines().count(), 7);
    assert!(text.starts_with("   1      13     25     37       1"), "{text}");
    assert!(text.contains("\n2  135791 357913"), "{text}");
    // With less room: without numbers, then one row each, then counts.
    assert_eq!(Faceplate::new(&stack(3)).lay(60, 6, 6, &|_| false).form, Form::TwoRows);
    assert_eq!(Faceplate::new(&stack(8)).lay(64, 8, 8, &|_| false).form, Form::OneRow);
    assert_eq!(drawn(&stack(8), 50, 4), "1: 52\n2: 52\n3: 52\n+5: 260");
}

#[test]
fn line_cards_by_number_and_by_letter_are_units_and_a_management_port_stands_with_the_first() {
    let chassis = device([3, 5].into_iter().flat_map(|slot| (1..=24).map(move |n| format!("Eth{slot}/{n}"))));
    let plate = Faceplate::new(&chassis);
    assert_eq!(plate.units.iter().map(|u| u.label.as_str()).collect::<Vec<_>>(), ["3", "5"]);
    let letters = device(['A', 'C'].into_iter().flat_map(|slot| (1..=8).map(move |n| format!("{slot}{n}"))));
    assert_eq!(Faceplate::new(&letters).units.len(), 2);
    let managed = device(["Gi0/0".to_owned()].into_iter().chain((1..=24).map(|n| format!("Gi1/0/{n}"))));
    let plate = Faceplate::new(&managed);
    assert_eq!(plate.units.len(), 1);
    assert_eq!(plate.units[0].groups.len(), 2);
}

#[test]
fn what_the_device_says_of_its_units_overrules_names() {
    let mut view = device((1..=8).map(|n| format!("port {n}")));
    let table = std::sync::Arc::make_mut(&mut view.table);
    let equipment = std::sync::Arc::make_mut(&mut table.equipment);
    for (at, port) in table.ports.iter().enumerate() {
        equipment.port_mut(port.index).unit = Some(if at < 4 { 1 } else { 2 });
        equipment.port_mut(port.index).connector = Some(at != 7);
    }
    let plate = Faceplate::new(&view);
    assert_eq!(plate.units.len(), 2);
    assert_eq!(plate.rows().count(), 7, "what has no socket is not on the front");
}

#[test]
fn names_without_numbers_holes_and_a_router_of_1829_ports_find_their_place() {
    let words = device(["wan", "lan", "dmz"].map(str::to_owned));
    assert_eq!(Faceplate::new(&words).rows().count(), 3);
    let holes = device([1u32, 2, 5, 900_000].map(|n| format!("p{n}")));
    assert_eq!(Faceplate::new(&holes).units[0].groups[0].columns(), 2);
    let cards = device((0..1829).map(|n| format!("Gi0/{}/{}", n / 50, n % 50)));
    assert_eq!(Faceplate::new(&cards).units.len(), 37);
    assert_eq!(Faceplate::new(&cards).lay(100, 6, 6, &|_| false).counts.len(), 6);
    let router = device((0..1829).map(|n| format!("p{n}")));
    let plate = Faceplate::new(&router);
    assert_eq!(plate.lay(200, 12, 12, &|_| false).form, Form::Grid);
    let counts = plate.lay(100, 6, 6, &|_| false);
    assert_eq!((counts.form, counts.height), (Form::Counts, 1));
    assert_eq!(counts.counts.iter().map(|(_, rows)| rows.len()).sum::<usize>(), 1829);
    for (width, height) in [(0, 0), (1, 1), (3, 200), (u16::MAX, 3)] {
        let laid = plate.lay(width, height, height, &|_| false);
        assert!(laid.height <= height.max(1), "{width}x{height}");
        assert!(laid.cells.iter().all(|(x, y, _)| *x < width && *y < laid.height));
    }
}

#[test]
fn left_and_right_stay_in_the_row_of_the_front() {
    let plate = Faceplate::new(&stack(2));
    assert_eq!(plate.beside(0, 1), Some(2));
    assert_eq!(plate.beside(47, 1), Some(49), "over the gap to the uplinks");
    assert_eq!(plate.beside(0, -1), None);
    assert_eq!(plate.beside(51, 1), None);
    assert_eq!(plate.beside(52, 1), Some(54));
}

#[test]
fn where_some_have_to_go_uplinks_and_problems_stay_and_the_others_are_counted() {
    assert_eq!(drawn(&stack(1), 30, 1), "12345678901234567890 +28  1234");
    let mut bad = stack(2);
    bad.ports[40].condition = Condition::Critical;
    bad.ports[99].condition = Condition::Warning;
    assert_eq!(
        drawn(&bad, 33, 2),
        "1  1234567890123456789 +28 1 1234\n\
         2  1234567890123456789 +28 8 1234"
    );
    // A row that shows next to nothing of a unit says less than counts.
    assert_eq!(drawn(&stack(1), 16, 2), "Gi1/0/: 48\nTe1/1/: 4");
}
