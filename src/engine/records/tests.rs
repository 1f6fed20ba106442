//! What is asked of both threads reaches the disk, or it is said why not.

use super::*;
use crate::base::Untrusted;
use crate::model::{
    AssetId, CheckKey, Claim, Condition, Deed, Fault, Flap, Host, IfOper, Incident, IncidentId, Log, Observation,
    Origin, Port, PortTable, Reading, Release, Stickiness, Subject, Target, Transition, Urgency,
};
use crate::state::rules::ports::judge;

const DEADLINE: Duration = Duration::from_secs(20);

fn open(title: &str) -> Draft {
    Draft::Open { title: title.into(), urgency: Urgency::Sev2, author: "ops1".into(), about: None }
}

fn note(text: &str) -> Draft {
    Draft::Add {
        incident: IncidentId(1),
        kind: EntryKind::Note,
        text: text.into(),
        author: Untrusted::from("ops1"),
        about: None,
    }
}

async fn until<T>(events: &mut mpsc::Receiver<Event>, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    tokio::time::timeout(DEADLINE, async {
        loop {
            let event = events.recv().await.expect("the records live");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    })
    .await
    .expect("the event comes in time")
}

fn incidents(event: Event) -> Option<Vec<Incident>> {
    if let Event::Incidents(incidents) = event { Some(incidents) } else { None }
}

/// The thread that saves what is written begins anew; what it was asked meanwhile waits and is answered.
#[tokio::test]
async fn after_a_panic_the_journal_goes_on_says_so_and_saves_what_waited() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tx, mut events) = mpsc::channel(64);
    let (ask, drafts) = sync_channel(DRAFTS);
    let mut keeper = Keeper {
        directory: Some(dir.path().to_owned()),
        clock: Clock::start(),
        events: tx.clone(),
        journal: None,
        said: None,
        unsaved: vec![open("nobody waits")],
        shifts: HashMap::new(),
    };
    let mut panics = 2;
    let thread = spawn("journal", move || {
        supervise::endure("journal", &tx, Duration::from_millis(1), || {
            panics -= 1;
            assert!(panics < 0, "a row of another kind");
            keeper.run(&drafts, LOOK);
        });
    });
    let (answer, answered) = oneshot::channel();
    ask.send(Ask::Save(Request { draft: open("core down"), answer: Some(answer) })).expect("it is heard");
    for _ in 0..2 {
        let fault = until(&mut events, |e| if let Event::Fault(words) = e { Some(words) } else { None }).await;
        assert_eq!(&*fault, "internal error in the thread of the journal, which begins anew: a row of another kind");
    }
    answered.await.expect("an answer").expect("saved");
    drop(ask);
    tokio::task::spawn_blocking(|| thread.expect("a thread").join()).await.expect("joined").expect("no panic");
    assert_eq!(journal::read(dir.path()).expect("reads").incidents.len(), 2);
}

#[tokio::test]
async fn a_note_is_answered_when_it_is_on_disk_and_is_there_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tx, mut events) = mpsc::channel(64);
    let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    records.append(open("core down")).await.expect("an answer").expect("saved");
    let entry = records.append(note("ups b")).await.expect("an answer").expect("saved");
    assert_eq!(journal::read(dir.path()).expect("reads").incidents[0].entries[1], entry);
    until(&mut events, |e| (e == Event::EntrySaved(entry.clone())).then_some(())).await;
    let refused = records.append(Draft::Add {
        incident: IncidentId(9),
        kind: EntryKind::Note,
        text: "x".into(),
        author: "ops1".into(),
        about: None,
    });
    assert_eq!(refused.await.expect("an answer"), Err("there is no INC-9".into()));
    records.close();
    let (tx, mut events) = mpsc::channel(64);
    let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    let found = until(&mut events, incidents).await;
    assert_eq!(found[0].entries.len(), 2);
    again.close();
}

#[tokio::test]
async fn what_another_process_writes_is_seen() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tx, mut events) = mpsc::channel(64);
    let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    until(&mut events, incidents).await;
    Journal::open(dir.path()).expect("opens").append(&open("from beside"), Timestamp(1)).expect("saved");
    let found = until(&mut events, incidents).await;
    assert_eq!(found[0].title.line(), "from beside");
    records.close();
}

fn book(event: Event) -> Option<CareBook> {
    if let Event::Care(book) = event { Some(book) } else { None }
}

fn claim(owner: &str) -> Draft {
    let claim = Claim {
        target: Target::Host(AssetId::new("core-sw1")),
        owner: owner.into(),
        note: "on it".into(),
        until: Clock::start().wall().plus(Duration::from_secs(3_600)),
        stickiness: Stickiness::EndsOnWorsening,
        condition: Some(Condition::Critical),
    };
    Draft::Claim { claim, over: None, author: "ops2".into() }
}

#[tokio::test]
async fn a_claim_is_in_the_state_before_it_is_called_saved_and_there_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let (tx, mut events) = mpsc::channel(64);
    let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    let entry = records.append(claim("ops2")).await.expect("an answer").expect("saved");
    assert_eq!((entry.incident, entry.kind), (IncidentId::NONE, EntryKind::Claimed));
    let mut books = std::iter::from_fn(|| events.try_recv().ok()).filter_map(book);
    let ack = books.find_map(|book| book.acks.first().cloned()).expect("told before the answer");
    assert_eq!((&ack.id, ack.claim.owner.line()), (&entry.id, "ops2".to_owned()));
    records.append(open("core down")).await.expect("an answer").expect("saved");
    records.close();

    let (tx, mut events) = mpsc::channel(64);
    let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    let found = until(&mut events, incidents).await;
    assert_eq!(found.len(), 1, "a claim is no incident: {found:?}");
    let stands = until(&mut events, book).await;
    assert_eq!(stands.acks[0].claim.condition, Some(Condition::Critical));
    // Somebody beside hands it over and somebody gives it back.
    let mut beside = Journal::open(dir.path()).expect("opens");
    beside.append(&claim("ops3"), Clock::start().wall()).expect("saved");
    let stands =
        until(&mut events, |e| book(e).filter(|b| b.acks.iter().all(|a| a.claim.owner.line() == "ops3"))).await;
    assert_eq!(stands.entries.len(), 2);
    let target = Target::Host(AssetId::new("core-sw1"));
    let deed = Deed::Released { target, claim: Some(entry.id.clone()), why: Release::Expired };
    assert!(again.write(Draft::Deed { deed: deed.clone(), author: "noctty".into() }).is_none());
    let stands = until(&mut events, book).await;
    assert_eq!(stands.acks.len(), 1, "the end of the first claim does not end the second");
    let Deed::Released { target, .. } = deed else { unreachable!("it is one") };
    let deed = Deed::Released { target, claim: None, why: Release::ByHand };
    assert!(again.write(Draft::Deed { deed, author: "ops3".into() }).is_none());
    let stands = until(&mut events, book).await;
    assert_eq!((stands.acks.len(), stands.entries.len()), (0, 4));
    again.close();
    assert_eq!(journal::read(dir.path()).expect("reads").all_damage(), Vec::<String>::new());
}

#[tokio::test]
async fn what_nobody_waits_for_is_saved_once_it_can_be() {
    let root = tempfile::tempdir().expect("a directory");
    let dir = root.path().join("state");
    std::fs::write(&dir, b"in the way").expect("written");
    let (tx, mut events) = mpsc::channel(64);
    let records = Records::start(Some(dir.clone()), Clock::start(), tx);
    until(&mut events, |e| matches!(e, Event::Storage(Storage::NotSaved { .. })).then_some(())).await;
    assert!(records.write(claim("ops2")).is_none());
    assert!(records.append(open("x")).await.expect("an answer").is_err(), "the one before was tried by now");
    std::fs::remove_file(&dir).expect("removed");
    // Saving anything else shows that it works again.
    records.append(open("x")).await.expect("an answer").expect("saved");
    until(&mut events, |e| book(e).filter(|b| b.acks.len() == 1)).await;
    records.close();
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_said_and_used_once_it_can_be() {
    let root = tempfile::tempdir().expect("a directory");
    // A file where the directory should be: fails for every user, root too.
    let dir = root.path().join("state");
    std::fs::write(&dir, b"in the way").expect("written");
    let (tx, mut events) = mpsc::channel(64);
    let records = Records::start(Some(dir.clone()), Clock::start(), tx);
    until(&mut events, |e| matches!(e, Event::Storage(Storage::NotSaved { .. })).then_some(())).await;
    assert!(records.append(open("x")).await.expect("an answer").is_err());
    std::fs::remove_file(&dir).expect("removed");
    records.append(open("x")).await.expect("an answer").expect("saved without a restart");
    until(&mut events, |e| (e == Event::Storage(Storage::Ready)).then_some(())).await;
    records.close();
}

#[tokio::test]
async fn without_a_directory_nothing_is_saved_and_all_else_goes_on() {
    let (tx, mut events) = mpsc::channel(64);
    let records = Records::start(None, Clock::start(), tx);
    until(&mut events, |e| matches!(e, Event::Storage(Storage::NotSaved { .. })).then_some(())).await;
    assert!(records.append(open("x")).await.expect("an answer").is_err());
    assert_eq!(records.remember(Vec::new()), Ok(()));
    records.close();
}

#[tokio::test]
async fn last_known_states_come_back_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let check = CheckKey { subject: Subject::Host(AssetId::new("a")), name: "icmp".into() };
    let one = Remembered {
        check: check.clone(),
        condition: Condition::Ok,
        since: Timestamp(1),
        last_good: None,
        observation: Observation {
            check,
            at: Timestamp(2),
            took: Duration::from_millis(3),
            reading: Reading::ok("4 ms"),
        },
        flap: Flap::default(),
    };
    let (tx, mut events) = mpsc::channel(64);
    let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    records.remember(vec![one.clone()]).expect("taken");
    until(&mut events, |e| matches!(e, Event::Restored(_)).then_some(())).await;
    records.close();
    let (tx, mut events) = mpsc::channel(64);
    let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    let restored = until(&mut events, |e| if let Event::Restored(all) = e { Some(all) } else { None }).await;
    assert_eq!(restored, vec![one]);
    again.close();
}

#[tokio::test]
async fn what_happened_comes_back_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let (target, name) = (Target::Host(AssetId::new("a")), "a".into());
    let (from, to, reason) = (Condition::Ok, Condition::Critical, "no answer".into());
    let change = Arc::new(Transition { at: Timestamp(7), target, name, from, to, down: true, reason });
    let fault = Arc::new(Fault { at: Timestamp(8), words: "a task panicked".into() });
    let earlier = |event| if let Event::RestoredLog(all) = event { Some(all) } else { None };
    let (tx, mut events) = mpsc::channel(64);
    let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    assert_eq!(until(&mut events, earlier).await, Log::default());
    records.log(vec![Logged::Changed(change.clone()), Logged::Failed(fault.clone())]).expect("taken");
    records.close();
    let (tx, mut events) = mpsc::channel(64);
    let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    let log = Log { transitions: vec![change], faults: vec![fault], ..Log::default() };
    assert_eq!(until(&mut events, earlier).await, log);
    again.close();
}

#[tokio::test]
async fn what_is_known_of_ports_comes_back_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let host = Arc::new(Host::new("sw1", None, Origin::Config));
    let port = Port { index: 7, name: "Gi1".into(), oper: Some(IfOper::Up), ..Port::default() };
    let table = PortTable { collected_at: Timestamp(5), ports: vec![port], ..PortTable::default() };
    let view = Arc::new(judge(None, &Arc::new(table), &host));
    let (tx, mut events) = mpsc::channel(64);
    let records = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    until(&mut events, |e| matches!(e, Event::RestoredDevices(_)).then_some(())).await;
    records.remember_devices(vec![view.clone()]).expect("taken");
    records.close();
    let (tx, mut events) = mpsc::channel(64);
    let again = Records::start(Some(dir.path().to_owned()), Clock::start(), tx);
    let restored = until(&mut events, |e| if let Event::RestoredDevices(all) = e { Some(all) } else { None }).await;
    assert_eq!(restored, vec![view.remembered()]);
    again.close();
}
