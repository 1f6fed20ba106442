//! What a note costs until it is on the disk, reading a long journal, and loading and saving the last known states
//! of 10,000 hosts with three checks each.

use std::time::Duration;

use noctty::base::Timestamp;
use noctty::journal::{self, Draft, Journal};
use noctty::model::{
    AssetId, CheckKey, Condition, EntryKind, IncidentId, Observation, Reading, Remembered, Subject, Unit, Urgency,
};
use noctty::store::Store;

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn main() {
    divan::main();
}

fn journal_with_incident(directory: &tempfile::TempDir) -> Journal {
    let mut journal = Journal::open(directory.path()).expect("opens");
    let open = Draft::Open { title: "core down".into(), urgency: Urgency::Sev2, author: "ops1".into(), about: None };
    journal.append(&open, T0).expect("opened");
    journal
}

fn note() -> Draft {
    Draft::Add {
        incident: IncidentId(1),
        kind: EntryKind::Note,
        text: "no power on PSU A, moving the uplinks to core-sw2".into(),
        author: "ops1".into(),
        about: Some("core-sw1".into()),
    }
}

#[divan::bench]
fn append_until_it_is_on_disk(bencher: divan::Bencher) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut journal = journal_with_incident(&directory);
    let draft = note();
    bencher.bench_local(|| journal.append(&draft, T0).expect("saved"));
}

#[divan::bench]
fn read_and_verify_5000_entries(bencher: divan::Bencher) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut journal = journal_with_incident(&directory);
    for _ in 0..5_000 {
        journal.append(&note(), T0).expect("saved");
    }
    bencher.bench_local(|| journal::read(directory.path()).expect("reads"));
}

fn states() -> Vec<Remembered> {
    let one = |host: usize, name: &str| {
        let check = CheckKey { subject: Subject::Host(AssetId::new(format!("host-{host}"))), name: name.into() };
        let reading =
            Reading::ok("answered in 0.4 ms").metric("rtt", 0.0004, Unit::Seconds).metric("loss", 0.0, Unit::Percent);
        Remembered {
            check: check.clone(),
            condition: Condition::Ok,
            since: T0,
            last_good: Some(T0),
            observation: Observation { check, at: T0, took: Duration::from_millis(1), reading },
            flap: noctty::model::Flap::default(),
        }
    };
    (0..10_000).flat_map(|host| ["icmp", "ssh", "tcp:443"].map(|name| one(host, name))).collect()
}

#[divan::bench]
fn load_30000_states(bencher: divan::Bencher) {
    let directory = tempfile::tempdir().expect("a directory");
    Store::open(directory.path()).expect("opens").save(&states()).expect("saved");
    bencher.bench_local(|| Store::open(directory.path()).expect("opens").load().expect("loads").remembered.len());
}

#[divan::bench]
fn save_30000_states(bencher: divan::Bencher) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut store = Store::open(directory.path()).expect("opens");
    let states = states();
    bencher.bench_local(|| store.save(&states).expect("saved"));
}
