//! The grammar under any text: it is read, what cannot be meant has its place, it reads back as it is printed, and matching
//! never panics.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Filter, KEYS, PortSubject, PortTest, STATES, Subject, Term, Test};
use crate::model::Condition;
use crate::state::lookup::Lookup;
use crate::state::lookup::needle::IpPart;
use crate::state::{DeviceView, PortState, Snapshot};
use crate::ui::port::Seen;
use crate::ui::tests::{campus, fixture};

/// As it would be typed.
fn print(filter: &Filter) -> String {
    let port = |test: &PortTest| match test {
        PortTest::Vlan(id) => format!("vlan:{id}"),
        PortTest::VlanNamed(name) => format!("vlan:{name}"),
        PortTest::Mac(part) => format!("mac:{}", part.digits()),
        PortTest::Ip(IpPart::One(address), _) => format!("ip:{address}"),
        PortTest::Ip(IpPart::Network(address, bits), _) => format!("ip:{address}/{bits}"),
        PortTest::Ip(IpPart::Begins(text), _) => format!("ip:{text}"),
        PortTest::Neighbor(name) => format!("neighbor:{name}"),
        PortTest::Nothing(key, value) => format!("{key}:{value}"),
    };
    let term = |Term { inverted, test, at: _ }: &Term| {
        let words = match test {
            Test::Contains(text) | Test::Either(text, _) => text.clone(),
            Test::Fuzzy(text) => format!("~{text}"),
            Test::Property(key, value) => format!("{key}:{value}"),
            Test::Port(test) => port(test),
        };
        format!("{}{words}", if *inverted { "!" } else { "" })
    };
    filter.terms.iter().map(term).collect::<Vec<_>>().join(" ")
}

fn meaning(filter: &Filter) -> Vec<(bool, Test)> {
    filter.terms.iter().map(|term| (term.inverted, term.test.clone())).collect()
}

/// Words that are filters, nearly filters, and nothing of the kind.
fn any_filter() -> impl Strategy<Value = String> {
    let keys: Vec<&str> = KEYS.into_iter().chain(PortTest::KEYS).chain(["State", "IP", "VLAN", "stat", ""]).collect();
    let values: Vec<&str> = STATES
        .into_iter()
        .chain([
            "10",
            "70000",
            "+5",
            "10.0.0.0/24",
            "10.",
            "fe80::1",
            "FE80::1%eth0",
            "0:1:2:3:4:5",
            "zz",
            "İ",
            "ΑΣ",
            ":",
        ])
        .collect();
    let signs = prop::sample::select(vec!["", "!", "~", "!~", "!!", "~!", "~~"]);
    let property = (signs, prop::sample::select(keys), prop::sample::select(values))
        .prop_map(|(sign, key, value)| format!("{sign}{key}:{value}"));
    let word = prop_oneof![property, "[!~:./a-fA-F0-9]{0,20}", any::<String>(), "\\PC{0,12}"];
    let blank = prop::sample::select(vec![" ", "  ", "\t", "\u{a0}", "\u{2003}", "\u{3000}"]);
    prop::collection::vec((word, blank), 0..6)
        .prop_map(|words| words.into_iter().map(|(word, blank)| word + blank).collect())
}

fn devices() -> Vec<Arc<DeviceView>> {
    let hostile =
        fixture::device("\u{202e}sw\u{1b}[2J", &[("Gi\u{301}1/0/1".to_owned(), PortState::Up, Condition::Ok)]);
    campus::campus().devices.iter().cloned().chain([Arc::new(hostile)]).collect()
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same(text in any_filter()) {
        let filter = Filter::parse(&text);
        let again = Filter::parse(&print(&filter));
        prop_assert_eq!(meaning(&again), meaning(&filter), "{:?} printed as {:?}", text, print(&filter));
        prop_assert_eq!(filter.is_empty(), filter.terms.is_empty());
    }

    #[test]
    fn each_word_and_what_cannot_be_meant_has_its_place(text in any_filter()) {
        let filter = Filter::parse(&text);
        for term in &filter.terms {
            let word = text.get(term.at.clone());
            prop_assert!(word.is_some_and(|word| !word.is_empty() && !word.contains(char::is_whitespace)), "{:?}", word);
        }
        if let Some(mistake) = filter.mistake() {
            let words: Vec<&str> = text.split_whitespace().collect();
            let column = text.chars().take(mistake.column - 1).collect::<String>();
            let rest = &text[column.len()..];
            prop_assert!(words.iter().any(|word| rest.starts_with(word)), "{:?}: {:?}", text, mistake);
            prop_assert!(!mistake.words.is_empty());
        }
    }

    #[test]
    fn matching_never_panics_and_what_is_inverted_is_the_contrary(
        text in any_filter(), name in any::<String>(), words in any::<String>(), stale in any::<bool>(),
        address in prop::sample::select(vec![None, Some("10.0.0.5"), Some("fe80::1"), Some("web\u{1b}")]),
    ) {
        let devices = devices();
        let mut lookup = Lookup::default();
        lookup.refresh(&Snapshot { devices: devices.clone(), ..Snapshot::default() });
        let mut filter = Filter::parse(&text);
        filter.resolve(&lookup);
        let seen = devices.iter().flat_map(|device| Seen::all(device).take(3)).map(Some).chain([None]);
        for seen in seen {
            let port = seen.map(|seen| PortSubject { seen, lookup: &lookup });
            let condition = Condition::Critical;
            let subject = Subject {
                name: &name, words: &words, condition, word: "DOWN", care: None, stale, tags: vec![&name], group: &words,
                site: &name, kind: "host", address, port,
            };
            let through = filter.lets_through(&subject);
            let each = filter.terms.iter().all(|term| {
                let inverted = Term { inverted: !term.inverted, ..term.clone() };
                let contrary = Filter { terms: vec![inverted], text: String::new() };
                !contrary.lets_through(&subject)
            });
            prop_assert_eq!(through, each);
        }
    }
}
