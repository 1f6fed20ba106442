//! An engine that has put what means harm into every text that it sends, a field that is added tomorrow among them: what comes of it on
//! every screen, on walls, and in all that the command line prints.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::attach::tests::{filled, twisted};
use crate::base::text;
use crate::model::CareBook;
use crate::report::{backups, care, check, incident, ports};
use crate::state::{Attached, Link, Snapshot};
use crate::ui::tests::fixture::{self, NOW};
use crate::ui::tests::foreign::{DEEDS, on_a_wall, on_screens, pieces};
use crate::ui::tests::{campus, care as cared};

/// One of the pictures that the screen is tested with, as such an engine tells it.
fn picture(which: usize, pieces: &[String]) -> Arc<Snapshot> {
    let plain = match which {
        0 => fixture::outage(),
        1 => campus::campus(),
        2 => cared::cared_for(),
        3 => Arc::new(filled()),
        4 => fixture::hostile(),
        _ => fixture::quiet(),
    };
    let mut told = twisted(&plain, pieces);
    told.at = NOW;
    let words: Arc<str> = pieces.concat().into();
    let (machine, user, author) = (Some(words.clone()), words.clone(), Some(words));
    told.engine.link = Link::Attached(Arc::new(Attached { machine, user, author, ..Attached::default() }));
    Arc::new(told)
}

/// What is printed as lines of text.
fn texts(snapshot: &Snapshot) -> Vec<String> {
    let mut out = vec![check::table(snapshot, NOW), backups::table(snapshot, NOW)];
    out.extend(snapshot.devices.iter().map(|device| ports::table(device, &device.host.name)));
    for one in snapshot.incidents.iter() {
        out.push(incident::show_text(one));
        out.push(incident::handover_text(one, NOW));
        out.push(incident::markdown(one));
        out.push(incident::csv(one).replace("\r\n", "\n"));
    }
    let incidents: Vec<_> = snapshot.incidents.iter().map(|one| &**one).collect();
    out.push(incident::list_text(&incidents, NOW));
    let book = book(snapshot);
    out.extend([care::acks_text(&book, NOW), care::maintenance_text(&book, NOW)]);
    out.extend(snapshot.deeds.iter().map(|deed| care::saved_text(deed)));
    out
}

fn book(snapshot: &Snapshot) -> CareBook {
    CareBook {
        acks: snapshot.acks.values().cloned().collect(),
        maintenance: snapshot.maintenance.to_vec(),
        ..CareBook::default()
    }
}

fn documents(snapshot: &Snapshot, warnings: &[String]) -> Vec<String> {
    let mut out = vec![check::json(snapshot, NOW, warnings), backups::json(snapshot, NOW, warnings)];
    out.extend(snapshot.devices.iter().map(|device| ports::json(device, &device.host.name, |at| at)));
    out.extend(snapshot.incidents.iter().map(|one| incident::show_json(one, warnings, NOW)));
    out.push(care::list_json(&book(snapshot), NOW));
    out.extend(snapshot.deeds.iter().map(|deed| care::saved_json(deed, NOW)));
    out
}

proptest! {
    #![proptest_config(Config { cases: 32, ..Config::default() })]

    #[test]
    fn on_no_screen_of_any_size_is_anything_obeyed_that_others_wrote(
        size in (1u16..220, 1u16..70),
        unicode: bool,
        which in 0usize..6,
        pieces in pieces(),
        deeds in prop::collection::vec((prop::sample::select(DEEDS.to_vec()), 0usize..1_000), 0..14),
    ) {
        on_screens(size, unicode, picture(which, &pieces), &pieces, &deeds)?;
    }

    #[test]
    fn on_no_wall_of_any_size_is_anything_obeyed_that_others_wrote(
        size in (1u16..220, 1u16..70),
        unicode: bool,
        which in 0usize..6,
        pieces in pieces(),
        form in 0usize..6,
        seconds in prop::collection::vec(0u64..400, 1..4),
    ) {
        on_a_wall(size, unicode, &picture(which, &pieces), &pieces, form, &seconds)?;
    }

    /// Lines are clean; documents say nothing to a terminal and the whole text to a program.
    #[test]
    fn nothing_that_the_command_line_prints_is_obeyed(which in 0usize..6, pieces in pieces()) {
        let picture = picture(which, &pieces);
        for printed in texts(&picture) {
            for line in printed.lines() {
                // Tables cut words: what is left of one may pass for another, and moves nothing.
                let obeyed = line.split(' ').find(|word| !word.is_ascii() && !text::is_clean(&format!("ж{word}")));
                let obeyed = obeyed.or_else(|| line.contains(|c: char| c.is_control()).then_some(line));
                prop_assert!(obeyed.is_none(), "{obeyed:?} in {line:?}");
            }
        }
        let evil = pieces.concat();
        for (at, document) in documents(&picture, std::slice::from_ref(&evil)).iter().enumerate() {
            // Letters stay what they are, for programs.
            let mut beyond = document.lines().flat_map(str::chars).filter(|c| !matches!(c, ' '..='~'));
            let obeyed = beyond.find(|c| !text::is_clean(&format!("ж{c}")));
            prop_assert!(obeyed.is_none(), "{obeyed:?}");
            let read: serde_json::Value = serde_json::from_str(document).expect("JSON");
            prop_assert!(at > 0 || read["warnings"][0] == *evil, "{:?}", read["warnings"]);
        }
    }
}
