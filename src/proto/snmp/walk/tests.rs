use super::super::message::{self, Message};
use super::*;
use crate::proto::snmp::oid::RawOid;

const NOW: Duration = Duration::from_secs(1);

/// Remembers everything, and knows what came twice.
#[derive(Default)]
struct Table {
    scalars: Vec<(usize, String)>,
    cells: Vec<(usize, Vec<u32>, String)>,
    more: Vec<Oid>,
}

impl Sink for Table {
    fn scalar(&mut self, scalar: usize, value: Value<'_>) {
        self.scalars.push((scalar, format!("{value:?}")));
    }

    fn cell(&mut self, column: usize, row: Index<'_>, value: Value<'_>) -> bool {
        let row: Vec<u32> = row.arcs().collect();
        if self.cells.iter().any(|(c, r, _)| *c == column && *r == row) {
            return false;
        }
        self.cells.push((column, row, format!("{value:?}")));
        true
    }

    fn more(&mut self) -> Vec<Oid> {
        std::mem::take(&mut self.more)
    }
}

/// Numbers that stand for no value; any other below zero is the end of the view.
const NO_SUCH_INSTANCE: i64 = -2;

/// An agent as a function from the request's names to the answer: status, index, varbinds.
type Answer = (i32, i32, Vec<(Oid, i64)>);

fn oid(arcs: &[u32]) -> Oid {
    Oid::from_arcs(arcs)
}

fn run(plan: Plan, agent: impl FnMut(PduKind, &[Oid], i32) -> Answer) -> (Table, Vec<String>, u32) {
    let walked = converse(plan, agent);
    let sink: Box<dyn Any> = walked.sink;
    (*sink.downcast::<Table>().expect("our sink"), walked.incomplete, walked.requests)
}

fn converse(plan: Plan, agent: impl FnMut(PduKind, &[Oid], i32) -> Answer) -> Walked {
    converse_in(Version::V2c, plan, agent)
}

fn converse_in(version: Version, plan: Plan, mut agent: impl FnMut(PduKind, &[Oid], i32) -> Answer) -> Walked {
    let mut walk = Walk::new(plan, version, Box::<Table>::default());
    let mut writer = Writer::default();
    for _ in 0..500 {
        if walk.is_done() {
            return walk.finish();
        }
        writer.clear();
        message::encode(&mut writer, Version::V2c, b"c", |w| walk.request(7, NOW, w));
        let request = Message::decode(writer.bytes()).expect("our own request").pdu;
        let names: Vec<Oid> = request.varbinds().map(|b| b.name.to_oid()).collect();
        let (status, index, binds) = agent(request.kind, &names, request.error_index);
        let mut reply = Writer::default();
        message::encode(&mut reply, Version::V2c, b"c", |w| {
            pdu::encode(w, PduKind::Response, 7, status, index, |w| {
                for (name, value) in &binds {
                    let value = match *value {
                        NO_SUCH_INSTANCE => Value::NoSuchInstance,
                        ..0 => Value::EndOfMibView,
                        _ => Value::Integer(*value),
                    };
                    pdu::encode_varbind(w, name.as_raw(), value);
                }
            });
        });
        walk.answer(&Message::decode(reply.bytes()).expect("our own reply").pdu, NOW);
    }
    panic!("the walk does not end");
}

/// Answers from a sorted list as an honest agent does.
fn honest(mib: Vec<Oid>) -> impl FnMut(PduKind, &[Oid], i32) -> Answer {
    move |kind, names, repetitions| {
        let rounds = if kind == PduKind::GetBulk { repetitions } else { 1 };
        let mut at: Vec<Oid> = names.to_vec();
        let mut out = Vec::new();
        for _ in 0..rounds {
            for name in &mut at {
                if kind == PduKind::Get {
                    out.push((name.clone(), if mib.contains(name) { 1 } else { -1 }));
                    continue;
                }
                match mib.iter().find(|m| m.as_raw() > name.as_raw()) {
                    Some(next) => {
                        *name = next.clone();
                        out.push((next.clone(), 1));
                    }
                    None => out.push((name.clone(), -1)),
                }
            }
        }
        (0, 0, out)
    }
}

fn columns(rows: u32) -> (Plan, Vec<Oid>) {
    let roots = vec![oid(&[1, 3, 1]), oid(&[1, 3, 2]), oid(&[1, 3, 9])];
    let mut mib = Vec::new();
    for root in &roots[..2] {
        for row in 1..=rows {
            let mut cell = root.clone();
            cell.push(row * 100);
            mib.push(cell);
        }
    }
    (Plan { scalars: vec![oid(&[1, 2, 5, 0])], columns: roots, ..Plan::default() }, mib)
}

#[test]
fn columns_of_several_tables_come_in_together_and_a_missing_one_is_no_fault() {
    let (plan, mut mib) = columns(60);
    mib.insert(0, oid(&[1, 2, 5, 0]));
    let (table, incomplete, requests) = run(plan, honest(mib));
    assert_eq!(table.scalars.len(), 1);
    assert_eq!(table.cells.len(), 120);
    assert!(incomplete.is_empty(), "{incomplete:?}");
    assert!(requests <= 7, "{requests} requests");
}

#[test]
fn a_hole_in_a_column_costs_only_its_cell() {
    let (plan, mut mib) = columns(50);
    let mut hole = oid(&[1, 3, 2]);
    hole.push(700);
    mib.retain(|m| *m != hole);
    let (table, incomplete, _) = run(plan, honest(mib));
    assert_eq!(table.cells.len(), 99);
    assert!(incomplete.is_empty());
}

/// An agent that is honest but for one cell.
fn but_for(
    mib: Vec<Oid>,
    odd: Oid,
    mut answer: impl FnMut(&Oid) -> (Oid, i64),
) -> impl FnMut(PduKind, &[Oid], i32) -> Answer {
    let mut agent = honest(mib);
    move |kind, names, repetitions| {
        let (status, index, mut binds) = agent(kind, names, repetitions);
        let width = names.len();
        for at in 0..binds.len() {
            if binds[at].0 == odd {
                let asked = if at < width { names[at].clone() } else { binds[at - width].0.clone() };
                binds[at] = answer(&asked);
            }
        }
        (status, index, binds)
    }
}

#[test]
fn a_row_without_a_value_in_the_middle_is_told() {
    let (plan, mib) = columns(50);
    let odd = oid(&[1, 3, 1, 3000]);
    let (table, incomplete, _) = run(plan, but_for(mib, odd.clone(), |_| (odd.clone(), NO_SUCH_INSTANCE)));
    assert_eq!(table.cells.len(), 29 + 50, "what came is kept");
    assert_eq!(incomplete, ["1.3.1: the agent says noSuchInstance in the middle"]);
}

#[test]
fn an_end_that_another_column_goes_beyond_is_told() {
    for (word, value) in [("noSuchInstance", NO_SUCH_INSTANCE), ("endOfMibView", -1)] {
        let (plan, mib) = columns(50);
        let walked = converse(plan, but_for(mib, oid(&[1, 3, 1, 3000]), |asked| (asked.clone(), value)));
        let reason = format!("1.3.1: the agent says {word} in the middle");
        assert_eq!(walked.incomplete, [reason.as_str()]);
        assert_eq!(walked.unfinished, [Unfinished { column: 0, silent: false, reason }]);
    }
}

#[test]
fn a_column_that_ends_with_its_table_is_whole_whatever_the_agent_calls_it() {
    for value in [NO_SUCH_INSTANCE, -1] {
        let (plan, mib) = columns(50);
        // What follows the last row of the first column is the first row of the second.
        let (table, incomplete, _) = run(
            plan,
            but_for(mib, oid(&[1, 3, 2, 100]), move |asked| {
                if asked.as_raw() > oid(&[1, 3, 2]).as_raw() || *asked == oid(&[1, 3, 2]) {
                    (oid(&[1, 3, 2, 100]), 1)
                } else {
                    (asked.clone(), value)
                }
            }),
        );
        assert_eq!(table.cells.len(), 100);
        assert!(incomplete.is_empty(), "{incomplete:?}");
    }
}

#[test]
fn columns_that_are_known_late_are_walked_too() {
    let (mut plan, mib) = columns(3);
    plan.scalars.clear();
    plan.columns.truncate(1);
    let mut agent = honest(mib);
    let mut walk = Walk::new(plan, Version::V2c, Box::new(Table { more: vec![oid(&[1, 3, 2])], ..Table::default() }));
    let mut writer = Writer::default();
    while !walk.is_done() {
        writer.clear();
        message::encode(&mut writer, Version::V2c, b"c", |w| walk.request(7, NOW, w));
        let request = Message::decode(writer.bytes()).expect("our own request").pdu;
        let names: Vec<Oid> = request.varbinds().map(|b| b.name.to_oid()).collect();
        let (_, _, binds) = agent(request.kind, &names, request.error_index);
        let mut reply = Writer::default();
        message::encode(&mut reply, Version::V2c, b"c", |w| {
            pdu::encode(w, PduKind::Response, 7, 0, 0, |w| {
                for (name, value) in &binds {
                    pdu::encode_varbind(w, name.as_raw(), Value::Integer(*value));
                }
            });
        });
        walk.answer(&Message::decode(reply.bytes()).expect("our own reply").pdu, NOW);
    }
    let sink: Box<dyn Any> = walk.finish().sink;
    let table = sink.downcast::<Table>().expect("our sink");
    assert_eq!(table.cells.iter().filter(|(column, ..)| *column == 1).count(), 3);
}

#[test]
fn an_endless_table_ends_at_the_cap_of_rows() {
    let plan = Plan { columns: vec![oid(&[1, 3, 1])], max_rows: 100, ..Plan::default() };
    let mut row = 0;
    let (table, incomplete, _) = run(plan, |_, _, repetitions| {
        let binds = (0..repetitions).map(|_| {
            row += 1;
            (oid(&[1, 3, 1, row]), 1)
        });
        (0, 0, binds.collect())
    });
    assert_eq!(table.cells.len(), 100);
    assert_eq!(incomplete, ["1.3.1: stopped after 100 rows"]);
}

#[test]
fn an_agent_that_walks_in_a_circle_is_left_with_what_came() {
    let plan = Plan { columns: vec![oid(&[1, 3, 1])], ..Plan::default() };
    let mut row = 0;
    let (table, incomplete, _) = run(plan, |_, _, repetitions| {
        let binds = (0..repetitions).map(|_| {
            row = row % 5 + 1;
            (oid(&[1, 3, 1, row]), 1)
        });
        (0, 0, binds.collect())
    });
    assert_eq!(table.cells.len(), 5);
    assert_eq!(incomplete, ["1.3.1: the agent repeats itself"]);
}

#[test]
fn rows_out_of_order_all_come_in() {
    let plan = Plan { columns: vec![oid(&[1, 3, 1])], ..Plan::default() };
    let rows = [5u32, 2, 9, 1];
    let (table, incomplete, _) = run(plan, |_, names, repetitions| {
        let last: Vec<u32> = names[0].as_raw().arcs().collect();
        let from = last.get(3).map_or(0, |l| rows.iter().position(|r| r == l).map_or(0, |i| i + 1));
        let out = (from..from + usize::try_from(repetitions).expect("positive"))
            .map(|at| rows.get(at).map_or((oid(&[1, 3, 2, 1]), 1), |r| (oid(&[1, 3, 1, *r]), 1)))
            .collect();
        (0, 0, out)
    });
    assert_eq!(table.cells.len(), 4);
    assert!(incomplete.is_empty(), "{incomplete:?}");
}

#[test]
fn too_big_asks_for_less_until_it_fits() {
    let (mut plan, mib) = columns(40);
    plan.scalars.clear();
    let mut agent = honest(mib);
    let (table, incomplete, _) = run(plan, |kind, names, repetitions| {
        if names.len() * usize::try_from(repetitions.max(1)).expect("positive") > 10 {
            (1, 0, Vec::new())
        } else {
            agent(kind, names, repetitions)
        }
    });
    assert_eq!(table.cells.len(), 80);
    assert!(incomplete.is_empty(), "{incomplete:?}");
}

#[test]
fn an_agent_that_breaks_on_getbulk_is_asked_with_getnext() {
    let (mut plan, mib) = columns(10);
    plan.scalars.clear();
    let mut agent = honest(mib);
    let (table, incomplete, _) =
        run(
            plan,
            |kind, names, repetitions| {
                if kind == PduKind::GetBulk { (5, 0, Vec::new()) } else { agent(kind, names, repetitions) }
            },
        );
    assert_eq!(table.cells.len(), 20);
    assert!(incomplete.is_empty(), "{incomplete:?}");
}

#[test]
fn an_agent_that_is_always_too_big_ends_with_a_reason() {
    let (mut plan, _) = columns(10);
    plan.scalars.clear();
    let (table, incomplete, requests) = run(plan, |_, _, _| (1, 0, Vec::new()));
    assert!(table.cells.is_empty() && !incomplete.is_empty());
    assert!(requests < 20, "{requests} requests");
}

#[test]
fn silence_in_the_middle_keeps_what_came_and_says_so() {
    let (mut plan, mib) = columns(10);
    plan.columns.truncate(2);
    plan.scalars.clear();
    plan.max_repetitions = 2;
    let mut walk = Walk::new(plan, Version::V2c, Box::<Table>::default());
    let mut writer = Writer::default();
    message::encode(&mut writer, Version::V2c, b"c", |w| walk.request(7, NOW, w));
    let mut reply = Writer::default();
    message::encode(&mut reply, Version::V2c, b"c", |w| {
        pdu::encode(w, PduKind::Response, 7, 0, 0, |w| {
            pdu::encode_varbind(w, mib[0].as_raw(), Value::Integer(1));
        });
    });
    walk.answer(&Message::decode(reply.bytes()).expect("our own reply").pdu, NOW);
    assert_eq!(walk.lost(1, 3), Again::Changed);
    while walk.lost(2, 3) == Again::Changed {}
    assert_eq!(walk.lost(3, 3), Again::No);
    let walked = walk.finish();
    assert!(walked.answered);
    assert_eq!(walked.incomplete, ["no answer after 3 tries in the middle of the walk"]);
}

proptest::proptest! {
    /// Whatever an agent answers, the walk ends within its caps and no cell comes twice.
    #[test]
    fn hostile_answers_never_keep_it_going(seed in proptest::collection::vec((0i32..7, 0i32..5, 0u32..4, 0u32..40), 1..40)) {
        let plan = Plan { columns: vec![oid(&[1, 3, 1]), oid(&[1, 3, 2])], max_rows: 30, ..Plan::default() };
        let mut turn = 0;
        let (table, _, requests) = run(plan, |_, _, _| {
            let mut binds = Vec::new();
            let (status, index, ..) = seed[turn % seed.len()];
            for step in 0..6 {
                let (_, _, column, row) = seed[(turn + step) % seed.len()];
                binds.push((oid(&[1, 3, column, row]), i64::from(row) - 1));
            }
            turn += 1;
            (if turn % 3 == 0 { status } else { 0 }, index, binds)
        });
        proptest::prop_assert!(table.cells.len() <= 60 && requests < 200);
    }
}

#[test]
fn raw_names_are_compared_as_numbers() {
    let (small, large) = (oid(&[1, 3, 16_383]), oid(&[1, 3, 16_384]));
    assert!(RawOid::new(small.as_bytes()).expect("valid") < RawOid::new(large.as_bytes()).expect("valid"));
}

/// Answers GETNEXT only, ends before `last`, and takes no more than `most` names at once.
fn grudging(last: Oid, most: usize) -> impl FnMut(PduKind, &[Oid], i32) -> Answer {
    move |kind, names, _| {
        if names.len() > most {
            return (1, 0, Vec::new());
        }
        if kind == PduKind::Get {
            return (2, 1, Vec::new());
        }
        match names.iter().position(|name| name.as_raw() >= last.as_raw()) {
            Some(at) => (2, i32::try_from(at).expect("few") + 1, Vec::new()),
            None => (0, 0, names.iter().map(|name| (oid_with(name, 0), 7)).collect()),
        }
    }
}

fn oid_with(parent: &Oid, arc: u32) -> Oid {
    let mut name = parent.clone();
    name.push(arc);
    name
}

#[test]
fn scalars_behind_the_end_of_the_mib_cost_one_request() {
    let scalars = || (1..=5).map(|n| oid(&[1, 3, n, 0])).collect();
    let plan = Plan { scalars: scalars(), ..Plan::default() };
    let (table, incomplete, requests) = run(plan, grudging(oid(&[1, 3, 4]), 9));
    let numbers: Vec<usize> = table.scalars.iter().map(|(n, _)| *n).collect();
    assert_eq!((numbers, incomplete), (vec![0, 1, 2], Vec::new()));
    assert_eq!(requests, 3, "by GET, by GETNEXT, then without those behind the end");
    // Where they do not fit into one answer the last ones go.
    let plan = Plan { scalars: scalars(), ..Plan::default() };
    let (table, incomplete, _) = run(plan, grudging(oid(&[1, 3, 9]), 3));
    assert_eq!(table.scalars.len(), 3);
    assert_eq!(incomplete, ["1.3.5.0: the agent answered tooBig", "1.3.4.0: the agent answered tooBig"]);
}

#[test]
fn absent_columns_cost_one_value_each_where_the_plan_expects_them() {
    let (plan, mut mib) = columns(60);
    let absent = (1..=30).map(|arc| oid(&[1, 4, arc]));
    let plan = Plan { columns: plan.columns.into_iter().chain(absent).collect(), touch_first: true, ..plan };
    mib.push(oid(&[1, 9, 0]));
    let walked = converse(plan, honest(mib));
    assert_eq!(walked.unfinished, []);
    // 33 columns touched, then 59 rows of two columns and what overshoots.
    assert!(walked.varbinds < 1 + 33 + 118 + 64, "{} values", walked.varbinds);
    let sink: Box<dyn Any> = walked.sink;
    assert_eq!(sink.downcast::<Table>().expect("our sink").cells.len(), 120);
}

#[test]
fn a_column_may_have_a_cap_of_its_own() {
    let (plan, mib) = columns(60);
    let plan = Plan { rows_of: vec![u32::MAX, 10], ..plan };
    let walked = converse(plan, honest(mib));
    let reason = "1.3.2: stopped after 10 rows".to_owned();
    assert_eq!(walked.unfinished, [Unfinished { column: 1, silent: false, reason }]);
}

#[test]
fn a_scalar_that_the_agent_refuses_costs_no_other_one() {
    let scalars = vec![oid(&[1, 2, 1, 0]), oid(&[1, 2, 2, 0]), oid(&[1, 2, 3, 0])];
    let bad = scalars[1].clone();
    let plan = Plan { scalars, ..Plan::default() };
    let walked = converse(plan, |_, names, _| match names.iter().position(|n| *n == bad) {
        Some(at) => (5, i32::try_from(at).expect("small") + 1, Vec::new()),
        None => (0, 0, names.iter().map(|n| (n.clone(), 1)).collect()),
    });
    assert_eq!(walked.incomplete, ["1.2.2.0: the agent answered genErr"]);
    let sink: Box<dyn Any> = walked.sink;
    let got: Vec<usize> = sink.downcast::<Table>().expect("our sink").scalars.iter().map(|s| s.0).collect();
    assert_eq!(got, [0, 2]);
}

#[test]
fn in_version_1_the_end_of_the_mib_is_met_once() {
    let (plan, mib) = columns(3);
    let absent = (1..=40).map(|arc| oid(&[1, 9, arc]));
    let scalars = (1..=10).map(|arc| oid(&[1, 9, 9, arc, 0])).chain(plan.scalars).collect();
    let plan = Plan { scalars, columns: plan.columns.into_iter().chain(absent).collect(), touch_first: true, ..plan };
    let mut mib = mib;
    mib.insert(0, oid(&[1, 2, 5, 0]));
    let mut honest = honest(mib);
    let walked = converse_in(Version::V1, plan, |kind, names, repetitions| {
        assert_eq!(kind, PduKind::GetNext);
        let (status, _, binds) = honest(kind, names, repetitions);
        match binds.iter().position(|(_, value)| *value < 0) {
            Some(at) => (2, i32::try_from(at).expect("small") + 1, Vec::new()),
            None => (status, 0, binds),
        }
    });
    assert!(walked.requests < 12, "{} requests", walked.requests);
    assert_eq!(walked.incomplete, Vec::<String>::new());
    let sink: Box<dyn Any> = walked.sink;
    let table = sink.downcast::<Table>().expect("our sink");
    assert_eq!((table.scalars.len(), table.cells.len()), (1, 6));
}
