//! Which of what happened is told. What happens where is told by the scenarios.

use super::*;

const ONSET: Timestamp = Timestamp::from_secs(1_800_000_000);

fn happened(secs_before: u64, host: &str, words: &str) -> Happening {
    let at = ONSET.minus(Duration::from_secs(secs_before));
    Happening { at, target: Target::Host(AssetId::new(host)), words: words.into() }
}

fn told(events: Vec<Happening>) -> Vec<String> {
    let target = Target::Host(AssetId::new("db01"));
    let line = |one: &Happening| format!("{} {}", one.distance(ONSET), one.words.line());
    before(events, ONSET, &target).iter().map(line).collect()
}

#[test]
fn what_is_older_or_later_or_the_problem_itself_is_not_told() {
    let after = Happening { at: ONSET.plus(Duration::from_millis(1)), ..happened(0, "sw1", "after") };
    let events = vec![
        happened(901, "db01", "too old"),
        happened(900, "db01", "just"),
        happened(0, "db01", "the problem itself"),
        happened(0, "sw1", "with it"),
        happened(30, "sw1", "shortly"),
        after,
    ];
    assert_eq!(told(events), ["same moment with it", "30s before shortly", "15m before just"]);
    assert!(told(Vec::new()).is_empty());
}

#[test]
fn five_at_most_are_told_the_newest_and_each_once() {
    let mut events: Vec<Happening> = (1..=9).map(|n| happened(n * 60, "db01", &format!("change {n}"))).collect();
    events.push(happened(60, "db01", "change 1"));
    let lines = told(events);
    assert_eq!(lines.first().map(String::as_str), Some("1m before change 1"));
    assert_eq!(lines.last().map(String::as_str), Some("5m before change 5"));
    assert_eq!(lines.len(), MOST);
}
