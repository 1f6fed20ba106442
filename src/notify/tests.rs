//! What is told, when, to whom.

use proptest::prelude::*;

use super::*;
use crate::base::{Timestamp, Untrusted};
use crate::model::{AssetId, Target};

pub fn alert(name: &str, to: Condition) -> Alert {
    Alert {
        kind: if to.is_problem() { AlertKind::Problem } else { AlertKind::Recovery },
        target: Target::Host(AssetId::new(name)),
        title: Untrusted::from(name),
        from: if to.is_problem() { Condition::Ok } else { Condition::Critical },
        to,
        word: "DOWN".into(),
        reason: "no answer to ICMP".into(),
        hides: 0,
        tags: vec!["core".into()],
        group: Some("ams".into()),
        at: Timestamp::from_secs(1_800_000_000),
    }
}

/// Taken under an id of its own, which names the thing and its change.
fn take(batcher: &mut Batcher, now: Timestamp, alert: Alert) -> Taken {
    let id = format!("{}-{}-{}", alert.target.asset().as_str(), alert.to.as_str(), now.millis()).into();
    batcher.take(now, Change { id, alert })
}

fn names(batch: &Batch) -> Vec<&str> {
    batch.changes.iter().map(|change| change.alert.target.asset().as_str()).collect()
}

const RULES: Rules = Rules { wait: Duration::from_secs(15), most: 3, within: Duration::from_secs(600) };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

#[test]
fn what_is_hidden_behind_a_problem_is_counted_when_it_is_told() {
    let mut batcher = Batcher::new(RULES);
    take(&mut batcher, at(0), Alert { hides: 1, ..alert("core", Condition::Critical) });
    take(&mut batcher, at(1), alert("web", Condition::Ok));
    batcher.explain(|_| 34, |_| Some("4 others at fra1 fell within 90 s".into()));
    let batch = batcher.next(at(15)).expect("due");
    let hides: Vec<usize> = batch.changes.iter().map(|change| change.alert.hides).collect();
    assert_eq!((names(&batch), hides), (vec!["core", "web"], vec![34, 0]));
    let reasons: Vec<String> = batch.changes.iter().map(|change| change.alert.reason.line()).collect();
    assert_eq!(reasons, ["no answer to ICMP · 4 others at fra1 fell within 90 s", "no answer to ICMP"]);
}

#[test]
fn what_comes_and_goes_before_it_is_told_is_told_by_nobody() {
    let mut batcher = Batcher::new(RULES);
    take(&mut batcher, at(0), alert("a", Condition::Critical));
    take(&mut batcher, at(3), alert("b", Condition::Warning));
    take(&mut batcher, at(5), alert("a", Condition::Ok));
    assert_eq!((batcher.due(), batcher.next(at(14))), (Some(at(15)), None));
    let batch = batcher.next(at(15)).expect("due");
    assert_eq!(names(&batch), ["b"]);
    assert_eq!(batcher.due(), None);
    // Twice changed, once told: from where it stood before.
    take(&mut batcher, at(20), alert("c", Condition::Warning));
    take(&mut batcher, at(21), Alert { from: Condition::Warning, ..alert("c", Condition::Critical) });
    let batch = batcher.next(at(35)).expect("due");
    assert_eq!(
        (batch.changes.len(), batch.changes[0].alert.from, batch.changes[0].alert.to),
        (1, Condition::Ok, Condition::Critical)
    );
}

#[test]
fn two_more_faults_of_what_is_bad_already_are_no_way_back() {
    let mut batcher = Batcher::new(RULES);
    let again = || Alert { from: Condition::Critical, ..alert("a", Condition::Critical) };
    assert!(matches!(take(&mut batcher, at(0), again()), Taken::Waits(_)));
    assert!(matches!(take(&mut batcher, at(1), again()), Taken::Waits(_)));
    assert_eq!(names(&batcher.next(at(15)).expect("due")), ["a"]);
}

#[test]
fn a_host_and_what_it_says_of_itself_are_two_things() {
    let mut batcher = Batcher::new(RULES);
    let device = || Target::Device(AssetId::new("ups-a"));
    take(&mut batcher, at(0), Alert { target: device(), ..alert("ups-a", Condition::Critical) });
    take(&mut batcher, at(1), alert("ups-a", Condition::Critical));
    take(&mut batcher, at(2), alert("ups-a", Condition::Ok));
    let batch = batcher.next(at(15)).expect("due");
    assert_eq!(
        batch.changes.iter().map(|c| (&c.alert.target, c.alert.to)).collect::<Vec<_>>(),
        [(&device(), Condition::Critical)]
    );
}

#[test]
fn a_flood_goes_in_few_messages_and_nothing_is_lost() {
    let mut batcher = Batcher::new(RULES);
    let (mut told, mut messages) = (0, Vec::new());
    for second in 0..1800 {
        if second < 600 {
            take(&mut batcher, at(second), alert(&format!("h{second}"), Condition::Critical));
        }
        if let Some(batch) = batcher.next(at(second)) {
            told += batch.changes.len();
            messages.push(second);
        }
    }
    assert_eq!(told, 600);
    assert_eq!(messages, [15, 31, 47, 615], "three, and then when it may again");
    assert_eq!(batcher.waiting(), 0);
}

proptest! {
    /// However things change: never more than the cap within the window, and the last word on everything is said.
    #[test]
    fn the_cap_holds_and_the_last_word_is_said(changes in proptest::collection::vec((0u8..6, any::<bool>(), 0i64..40), 1..80)) {
        let mut batcher = Batcher::new(RULES);
        let mut now = 0;
        let mut stands = std::collections::BTreeMap::new();
        let mut known = std::collections::BTreeMap::new();
        let mut went: Vec<i64> = Vec::new();
        let mut tell = |batcher: &mut Batcher, known: &mut std::collections::BTreeMap<String, Condition>, second| {
            if let Some(batch) = batcher.next(at(second)) {
                went.push(second);
                for Change { alert, .. } in batch.changes {
                    known.insert(alert.target.asset().as_str().to_owned(), alert.to);
                }
            }
        };
        for (name, bad, pause) in changes {
            let name = format!("h{name}");
            let to = if bad { Condition::Critical } else { Condition::Ok };
            let from = stands.insert(name.clone(), to).unwrap_or(Condition::Ok);
            if from != to {
                take(&mut batcher, at(now), Alert { from, ..alert(&name, to) });
            }
            for _ in 0..pause {
                tell(&mut batcher, &mut known, now);
                now += 1;
            }
        }
        for second in now..now + 2000 {
            tell(&mut batcher, &mut known, second);
        }
        for (name, to) in stands {
            prop_assert_eq!(known.get(&name).copied().unwrap_or(Condition::Ok), to);
        }
        for window in went.windows(RULES.most + 1) {
            prop_assert!(window[RULES.most] - window[0] >= 600, "{went:?}");
        }
    }
}

#[test]
fn filters_by_severity_tag_and_group_and_recoveries_follow_their_problem() {
    let all = Filter { least: Condition::Critical, tags: Vec::new(), groups: Vec::new(), recoveries: true };
    assert!(all.takes(&alert("a", Condition::Critical)) && all.takes(&alert("a", Condition::Ok)));
    assert!(!all.takes(&alert("a", Condition::Warning)));
    assert!(!all.takes(&Alert { from: Condition::Warning, ..alert("a", Condition::Ok) }), "nobody was told of it");
    let flaps = Alert { kind: AlertKind::FlappingBegins, from: Condition::Ok, ..alert("a", Condition::Ok) };
    assert!(!all.takes(&flaps) && Filter { least: Condition::Warning, ..all.clone() }.takes(&flaps), "it is up now");
    assert!(Filter { tags: vec!["core".into()], ..all.clone() }.takes(&alert("a", Condition::Critical)));
    assert!(!Filter { tags: vec!["edge".into()], ..all.clone() }.takes(&alert("a", Condition::Critical)));
    assert!(!Filter { groups: vec!["ber".into()], ..all.clone() }.takes(&alert("a", Condition::Critical)));
    assert!(!Filter { recoveries: false, ..all }.takes(&alert("a", Condition::Ok)));
}

#[test]
fn a_message_says_the_worst_first_and_cannot_be_broken_by_names() {
    let mut down = alert("core-sw1", Condition::Critical);
    down.hides = 34;
    let hostile = alert("x\r\nSubject: hi\u{1b}[31m", Condition::Warning);
    let mut batcher = Batcher::new(RULES);
    take(&mut batcher, at(0), alert("web1", Condition::Ok));
    take(&mut batcher, at(0), hostile);
    take(&mut batcher, at(0), down);
    let batch = batcher.next(at(15)).expect("due");
    assert_eq!(subject(&batch), "DOWN core-sw1: no answer to ICMP · 34 behind it (+2 more)");
    let text = text(&batch);
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'));
    assert!(text.contains("OK web1 (was critical)"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&json(&batch)).expect("JSON");
    assert_eq!((&json["schema"], &json["alerts"][0]["hides"]), (&"noctty.notification/1".into(), &34.into()));
    assert_eq!(json["alerts"][2]["kind"], "recovery");
}

fn left(name: &str, to: Condition) -> Change {
    Change { id: format!("left-{name}").into(), alert: alert(name, to) }
}

#[test]
fn what_an_earlier_run_left_goes_once_when_it_was_looked_at_again_and_the_cap_holds_over_the_restart() {
    let mut batcher = Batcher::new(Rules { wait: Duration::ZERO, ..RULES });
    let waits = take(&mut batcher, at(1000), alert("c", Condition::Critical));
    assert!(matches!(waits, Taken::Waits(_)));
    let untold = [(left("a", Condition::Critical), Origin::Untold), (left("b", Condition::Warning), Origin::Untold)];
    let newer = batcher.restore((at(1000), at(1010)), untold, [at(500), at(600), at(700)]);
    assert_eq!(newer.len(), 1);
    assert!(batcher.has_restored());
    assert_eq!(batcher.due(), Some(at(1100)), "three went, the first of them 600 s ago then");
    batcher.set_rules(Rules { wait: Duration::ZERO, most: 4, ..RULES });
    assert_eq!((batcher.due(), batcher.next(at(1009))), (Some(at(1010)), None));
    let batch = batcher.next(at(1010)).expect("due");
    assert_eq!(names(&batch), ["a", "c", "b"], "worst first, and none twice");
    assert_eq!((batcher.due(), batcher.waiting(), batcher.has_restored()), (None, 0, false));
}

#[test]
fn what_is_no_news_any_more_is_named_in_one_line() {
    let mut batcher = Batcher::new(RULES);
    let untold = ["old", "well", "new", "came\u{1b}[31m"].map(|name| (left(name, Condition::Critical), Origin::Untold));
    assert_eq!(batcher.restore((at(0), at(10)), untold, []), []);
    // It has recovered, as this run tells by itself.
    assert_eq!(take(&mut batcher, at(3), alert("came\u{1b}[31m", Condition::Ok)), Taken::Late);
    batcher.fold(|alert| match alert.target.asset().as_str() {
        "old" => Fate::NoNews { stands: true },
        "well" => Fate::NoNews { stands: false },
        _ => Fate::Tell,
    });
    assert_eq!(batcher.waiting(), 4);
    let batch = batcher.next(at(15)).expect("due");
    assert_eq!((names(&batch), batch.late.len(), batch.ids().len()), (vec!["new"], 3, 4));
    let all = text(&batch);
    let last = all.lines().last().expect("a line");
    assert_eq!(last, "3 changes were not delivered in time: came\\x1b[31m, old (still DOWN), well");
    assert_eq!(subject(&batch), "DOWN new: no answer to ICMP");
    let document: serde_json::Value = serde_json::from_str(&json(&batch)).expect("JSON");
    assert_eq!((&document["changes"], &document["not_in_time"]), (&1.into(), &3.into()));
    assert_eq!(document["alerts"][0]["id"], "left-new");

    // Where there is nothing else to tell, the line goes alone.
    let mut batcher = Batcher::new(RULES);
    batcher.restore((at(0), at(10)), [(left("well", Condition::Critical), Origin::Untold)], []);
    batcher.fold(|_| Fate::NoNews { stands: false });
    let batch = batcher.next(at(15)).expect("due");
    assert_eq!(subject(&batch), "1 change was not delivered in time: well");
    assert_eq!(text(&batch).lines().count(), 1);
}

#[test]
fn who_was_perhaps_told_of_a_problem_hears_that_it_is_over() {
    let mut batcher = Batcher::new(RULES);
    batcher.restore((at(0), at(10)), [(left("a", Condition::Critical), Origin::PerhapsTold)], []);
    let Taken::Waits(change) = take(&mut batcher, at(2), alert("a", Condition::Ok)) else { panic!("it waits") };
    assert_eq!((&*change.id, change.alert.kind), ("left-a", AlertKind::Recovery));
    let batch = batcher.next(at(15)).expect("due");
    assert_eq!((batch.changes.len(), batch.late.len()), (1, 0));
}
