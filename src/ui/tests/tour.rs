//! The tour by keys, from the first step to the last, beside a console that must not notice.

use std::sync::Mutex;

use super::*;
use crate::bus::{Call, EngineEnd, Ticket};
use crate::model::{
    Acknowledgement, Claim, Condition, Desktop, Entry, EntryKind, Incident, IncidentId, IncidentStatus, Stickiness,
    Target, Urgency,
};
use crate::state::{HostWatch, Link as EngineLink};
use crate::ui::tour::{Simulation, Simulator, Stage, World};

/// The engine ends of the networks that were started, and what is left of each.
type Started = Arc<Mutex<Vec<(EngineEnd, std::sync::Weak<()>)>>>;

#[derive(Debug)]
struct Trainer {
    started: Started,
    fails: bool,
}

impl Simulator for Trainer {
    fn start(&mut self) -> Result<Simulation, String> {
        if self.fails {
            return Err("no room for a network".to_owned());
        }
        let (end, engine) = bus::pair(Arc::default());
        let life = Arc::new(());
        self.started.lock().expect("no holder panics").push((engine, Arc::downgrade(&life)));
        Ok(Simulation { end, system_ssh: vec!["ssh".into()], clipboard: Clipboard::default(), life: Box::new(life) })
    }
}

/// A console with the stage around it.
struct Toured {
    stage: Stage,
    /// What the operator's own engine is asked.
    own: mpsc::Receiver<Command>,
    started: Started,
    size: (u16, u16),
}

impl Toured {
    fn with(console: Console, fails: bool) -> Self {
        let Console { app, mut commands, size } = console;
        while commands.try_recv().is_ok() {}
        let started = Started::default();
        let mut stage = Stage::new(app, Box::new(Trainer { started: started.clone(), fails }));
        stage.tick(NOW);
        stage.resized(size.0, size.1);
        Self { stage, own: commands, started, size }
    }

    fn new(size: (u16, u16)) -> Self {
        Self::with(outage(size), false)
    }

    fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ').filter(|k| !k.is_empty()) {
            self.stage.key(Key::parse(key).unwrap_or_else(|| panic!("{key} is no key")));
        }
        self
    }

    fn types(&mut self, text: &str) -> &mut Self {
        text.chars()
            .for_each(|c| self.stage.key(if c == ' ' { Key::parse("Space").expect("a key") } else { Key::char(c) }));
        self
    }

    fn command(&mut self, text: &str) -> &mut Self {
        self.types(&format!(":{text}")).press("Enter")
    }

    fn screen(&self) -> String {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let mut buffer = Buffer::empty(area);
        let mut frame =
            Frame { buffer: &mut buffer, area, now: NOW, wall: NOW, link: Link::default(), cursor: None, answer: None };
        self.stage.draw(&mut frame);
        lines(&buffer).join("\n")
    }

    fn says(&self, words: &str) {
        // A text may go on in the next line.
        let screen = self.screen();
        let joined = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(words), "no {words:?} in\n{screen}");
    }

    fn is_at(&self, step: usize) {
        self.says(&format!("TOUR {step}/14"));
    }

    fn take(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        while self.stage.poll_sessions(&mut cx).is_ready() {}
    }

    /// What the tour's own engine publishes.
    fn publish(&mut self, change: impl FnOnce(&mut Snapshot)) {
        {
            let started = self.started.lock().expect("no holder panics");
            let (engine, _) = started.last().expect("a network");
            let mut snapshot = (**engine.snapshots.borrow()).clone();
            change(&mut snapshot);
            snapshot.revision += 1;
            engine.snapshots.send_replace(Arc::new(snapshot));
        }
        self.take();
    }

    fn tell(&mut self, notice: Notice) {
        {
            let started = self.started.lock().expect("no holder panics");
            started.last().expect("a network").0.notices.try_send(notice).expect("room");
        }
        self.take();
    }

    /// What the tour's engine was asked last, but for what is looked at.
    fn asked(&self) -> Command {
        let mut started = self.started.lock().expect("no holder panics");
        let (engine, _) = started.last_mut().expect("a network");
        let mut cx = Context::from_waker(Waker::noop());
        let mut last = None;
        loop {
            let mut next = std::pin::pin!(engine.commands.recv());
            match next.as_mut().poll(&mut cx) {
                Poll::Ready(Some(Command::Focus(_))) => {}
                Poll::Ready(Some(command)) => last = Some(command),
                Poll::Ready(None) | Poll::Pending => return last.expect("a command"),
            }
        }
    }

    fn own_commands(&mut self) -> Vec<Command> {
        std::iter::from_fn(|| self.own.try_recv().ok()).collect()
    }
}

/// A root cause that hides others, a switch that hangs on another, backups, no incident.
fn lesson(snapshot: &mut Snapshot) {
    let (outage, mut campus) = (fixture::outage(), (*campus::campus()).clone());
    for view in &mut campus.hosts {
        let view = Arc::make_mut(view);
        match &*view.host.name.to_string() {
            "core-sw1" => view.condition = Condition::Critical,
            "lost" => view.condition = Condition::Unreachable,
            "acc-17" => Arc::make_mut(&mut view.host).parents = vec![AssetId::new("core-sw1")],
            _ => {}
        }
    }
    for view in &mut campus.devices {
        Arc::make_mut(view).condition = Condition::Ok;
    }
    let revision = snapshot.revision;
    *snapshot = Snapshot { revision, problems: outage.problems.clone(), jobs: outage.jobs.clone(), ..campus };
}

fn claimed() -> Arc<Acknowledgement> {
    let claim = Claim {
        target: Target::Host(AssetId::new("core-sw1")),
        owner: "ops1".into(),
        note: "on it".into(),
        until: NOW.plus(Duration::from_secs(3600)),
        stickiness: Stickiness::EndsOnWorsening,
        condition: None,
    };
    Arc::new(Acknowledgement { id: "01ARZ3NDEKTSV4RRFFQ69G5F99".into(), since: NOW, claim })
}

fn incident(note: Option<&str>) -> Arc<Incident> {
    let entry = |number: u64, kind, text: &str| {
        Arc::new(Entry {
            id: format!("01ARZ3NDEKTSV4RRFFQ69G5F{number:02}").into(),
            incident: IncidentId(1),
            writer: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
            sequence: number,
            at: NOW,
            kind,
            author: "ops1".into(),
            text: text.into(),
            about: None,
        })
    };
    let mut entries = vec![entry(1, EntryKind::Opened, "core")];
    entries.extend(note.map(|text| entry(2, EntryKind::Note, text)));
    Arc::new(Incident {
        id: IncidentId(1),
        title: "core".into(),
        urgency: Urgency::Sev2,
        status: IncidentStatus::Open,
        opened_at: NOW,
        closed_at: None,
        entries,
        damage: Vec::new(),
    })
}

/// The tour under way, with its network up.
fn on_tour(size: (u16, u16)) -> Toured {
    let mut tour = Toured::new(size);
    tour.command("tour");
    tour.publish(lesson);
    tour
}

fn saved(ticket: Ticket) -> Notice {
    Notice::Saved { ticket, entry: fixture::deed("core-sw1") }
}

/// Opens and leaves a session on the tour's host.
fn shell(tour: &mut Toured) -> (mpsc::Sender<Vec<u8>>, mpsc::Receiver<SessionInput>) {
    assert!(matches!(tour.asked(), Command::OpenSession { asset, .. } if asset.as_str() == "acc-17"));
    let (pipe, output, input) = bus::session_pipe(SessionId(7));
    let session = Session {
        id: SessionId(7),
        asset: AssetId::new("acc-17"),
        title: "acc-17".into(),
        status: SessionStatus::Open,
    };
    tour.tell(Notice::SessionOpened { session, pipe });
    (output, input)
}

#[test]
fn the_whole_tour_by_keys_and_each_step_only_by_what_it_asks_for() {
    let mut tour = Toured::new((80, 24));
    tour.press("2 j j");
    let (before, remembered) = (tour.screen(), tour.stage.app().remember());
    tour.command("tour").is_at(1);
    tour.says("It has just started");
    tour.press("j").publish(|_| {});
    tour.is_at(1);
    tour.publish(lesson);
    tour.says("PROBLEMS has the worst first");
    tour.press("k").is_at(1);

    tour.press("j").is_at(2);
    tour.says("core-sw1 has 34 others hidden behind it");
    tour.press("Enter").is_at(2);
    tour.press("Esc k Enter").is_at(3);

    tour.press("Esc a Esc").is_at(3);
    tour.press("a").types("on it").press("Enter").is_at(3);
    let Command::Claim { ticket, note, .. } = tour.asked() else { panic!("no claim") };
    assert_eq!(note, "on it");
    tour.tell(saved(ticket));
    tour.is_at(3);
    tour.publish(|s| s.acks = Arc::new([(claimed().claim.target.clone(), claimed())].into()));

    tour.is_at(4);
    tour.says("done: claimed it");
    tour.press("2 /").types("state:unreachable").is_at(4);
    tour.press("Enter").is_at(5);

    tour.press("Esc Ctrl+P Esc j Enter Esc").is_at(5);
    tour.press("Ctrl+P").types("acc-17").press("Enter").is_at(6);

    tour.press("w").is_at(6);
    assert!(matches!(tour.asked(), Command::WatchHost { watch: true, .. }));
    tour.publish(|s| {
        let asset = AssetId::new("acc-17");
        let every = Duration::from_secs(1);
        s.engine.hosts_watched = Arc::from([HostWatch { asset, check: "icmp".into(), every, since: NOW, until: NOW }]);
    });

    tour.is_at(7);
    tour.press("c").is_at(7);
    tour.press("o").is_at(8);

    tour.press("Esc 1").is_at(8);
    tour.press("3 Tab l").is_at(9);

    tour.press("4").is_at(9);
    tour.press("Enter").is_at(10);

    tour.press("Esc 2 s").is_at(10);
    let (_output, mut input) = shell(&mut tour);
    tour.is_at(10);
    tour.says("Ctrl+\\ first");
    tour.press("F3 x").is_at(10);
    assert!(sent(&mut input).ends_with('x'), "a shell has all keys");
    tour.press("Ctrl+\\").is_at(11);

    tour.press("Esc I").types("core").press("Enter").is_at(11);
    let Command::OpenIncident { ticket, .. } = tour.asked() else { panic!("no incident") };
    tour.tell(saved(ticket));
    tour.publish(|s| s.incidents = Arc::from([incident(None)]));
    tour.is_at(11);
    tour.press("n").types("no power").press("Enter").is_at(11);
    let Command::AddEntry { ticket, .. } = tour.asked() else { panic!("no note") };
    tour.tell(saved(ticket));
    tour.publish(|s| s.incidents = Arc::from([incident(Some("no power"))]));

    tour.is_at(12);
    tour.press("9").is_at(13);
    tour.press("F").is_at(14);
    tour.press("F ?").says("That was all of it");
    assert_eq!(tour.own_commands().len(), 0, "nothing of it reached the operator's own engine");
    let life = tour.started.lock().expect("no holder panics")[0].1.clone();
    assert!(life.upgrade().is_some());
    tour.press("F4");
    assert!(life.upgrade().is_none(), "the network of the tour has ended");
    tour.says("this is your own network again");
    let rows = |screen: &str| screen.lines().take(23).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&tour.screen()), rows(&before));
    let now = tour.stage.app().remember();
    assert_eq!(Vec::from(&now.history[..now.history.len() - 1]), remembered.history, "but for :tour itself");
    assert_eq!(now.selected, remembered.selected);
}

#[test]
fn the_strip_at_the_sizes_that_people_have() {
    for size in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let mut tour = on_tour(size);
        insta::assert_snapshot!(format!("tour_{}x{}", size.0, size.1), tour.screen());
        tour.press("j k Enter");
        insta::assert_snapshot!(format!("tour_detail_{}x{}", size.0, size.1), tour.screen());
    }
    let mut tour = Toured::with(Console::new((80, 24), fixture::outage(), false), false);
    tour.command("tour");
    tour.publish(lesson);
    assert!(tour.screen().is_ascii(), "{}", tour.screen());
}

#[test]
fn every_step_is_said_whole_at_every_size_and_one_can_go_on_and_back() {
    for size in [(60, 20), (80, 24), (100, 18), (120, 40), (200, 60)] {
        let mut tour = on_tour(size);
        for step in 1..=14 {
            tour.is_at(step);
            let screen = tour.screen();
            let strip: Vec<&str> = screen.lines().skip_while(|line| !line.contains("TOUR ")).skip(1).collect();
            assert!(!strip.is_empty() && !strip.iter().any(|line| line.contains('…')), "{size:?}\n{screen}");
            assert!(screen.contains("SIMULATED"), "{screen}");
            tour.press("Ctrl+N");
        }
        tour.says("That was all of it");
        tour.press("F2").is_at(14);
        tour.press("F3 F3").says("this is your own network again");
    }
}

#[test]
fn the_smallest_screens_say_that_it_is_simulated_and_survive() {
    for (width, height) in (1..30).flat_map(|height| [1, 7, 40, 61].map(|width| (width, height))) {
        let mut tour = Toured::new((width, height));
        tour.command("tour");
        tour.publish(lesson);
        let screen = tour.press("j Enter").screen();
        assert!(width < 40 || screen.contains("SIMULATED"), "{width}x{height}\n{screen}");
    }
}

#[test]
fn the_keys_are_those_that_are_bound() {
    let mut console = outage((80, 24));
    let theirs = "[screen]\n\"X\" = \"claim\"\n\"a\" = \"\"\n\"F4\" = \"\"\n\"Ctrl+X\" = \"\"\n";
    assert!(console.app.keymap.merge("keymap.toml", theirs, &Action::names()).is_empty());
    let mut tour = Toured::with(console, false);
    tour.command("tour");
    tour.publish(lesson);
    tour.press("F3 F3").says("Claim the problem with X:");
    tour.says(":tour_end leave");
    tour.command("tour_end").says("this is your own network again");
}

#[test]
fn what_happens_in_the_operators_own_network_is_said_at_once_and_is_there_afterwards() {
    let mut tour = on_tour((60, 20));
    let mut worse = (*fixture::outage()).clone();
    worse.revision += 1;
    tour.stage.snapshot(Arc::new(worse.clone()));
    tour.is_at(1);
    let mut problems = worse.problems.to_vec();
    let mut new = problems[0].clone();
    (new.target, new.title) = (Target::Host(AssetId::new("db02")), "db02\u{1b}[2J".into());
    problems.push(new);
    worse.problems = problems.into();
    worse.totals.critical += 1;
    worse.revision += 1;
    tour.stage.snapshot(Arc::new(worse.clone()));
    tour.says("YOUR NETWORK: 1 new critical: db02");
    tour.says("F4 returns");
    assert!(!tour.screen().contains('\u{1b}'));
    worse.problems = fixture::outage().problems.clone();
    worse.revision += 1;
    tour.stage.snapshot(Arc::new(worse.clone()));
    tour.is_at(1);
    worse.engine.link = EngineLink::Lost { since: NOW, what: "the engine is gone".into() };
    worse.revision += 1;
    tour.stage.snapshot(Arc::new(worse));
    tour.says("YOUR NETWORK is not polled: the engine is gone");
    // A ring of the tour's network is nobody's business, one of the operator's own is.
    tour.tell(Notice::Ring(Call { words: "core-sw1 is down".into(), desktop: Desktop::Osc9 }));
    assert_eq!(tour.stage.take_ring(), None);
    tour.stage.notice(Notice::Ring(Call { words: "db02 is down".into(), desktop: Desktop::Osc9 }));
    assert!(tour.stage.take_ring().is_some());
    tour.press("F4").says("NOT POLLED since");
    assert!(!tour.screen().contains("SIMULATED"));
}

#[test]
fn a_step_whose_object_is_not_there_says_so_and_the_tour_moves_on() {
    let mut tour = Toured::new((80, 24));
    tour.command("tour").says("It has just started");
    let mut at = NOW;
    for (step, seconds) in [(2, 60), (3, 15), (4, 15)] {
        at = at.plus(Duration::from_secs(seconds - 1));
        tour.stage.tick(at);
        tour.is_at(step - 1);
        at = at.plus(Duration::from_secs(1));
        assert!(tour.stage.next_wake(at).is_some_and(|wake| wake <= at));
        tour.stage.tick(at);
        tour.is_at(step);
        tour.says(&format!("step {} left out", step - 1));
    }
    // What is so already is not taken for something done.
    tour.press("F3 F3 F3 F3 F3 F3 F3").is_at(11);
    tour.press("9 F3").is_at(12);
    tour.says("So already: F3 goes on.");
    tour.press("1 9").is_at(13);
}

#[test]
fn leaving_asks_nothing_of_the_console_behind_and_the_tour_goes_on_where_it_was_left() {
    let mut tour = on_tour((80, 24));
    tour.press("F3 F3 F3").is_at(4);
    tour.press("q").says("Leave the tour?");
    tour.press("y");
    assert_eq!(tour.stage.take_exit(), None);
    tour.says("this is your own network again");
    tour.command("tour end").says("no tour is under way");
    tour.command("tour").is_at(4);
    tour.command("tour").says("the tour is on its way");
    tour.command("tour again").is_at(1);
    tour.command("tour back").is_at(1);
    tour.command("tour next").is_at(2);
    tour.command("tour nowhere").says(":tour begins or goes on");
    tour.command("q!");
    assert_eq!(tour.stage.take_exit(), None, "it leaves the tour");
    assert!(!tour.screen().contains("SIMULATED"));
    assert_eq!(tour.started.lock().expect("no holder panics").len(), 2);
    tour.command("q!");
    assert!(tour.stage.take_exit().is_some());
}

#[test]
fn without_a_network_to_show_the_console_stays_and_says_why() {
    let mut tour = Toured::with(outage((80, 24)), true);
    tour.command("tour").says("the tour cannot begin: no room for a network");
    assert!(!tour.screen().contains("TOUR"));
}

#[test]
fn in_the_demo_the_tour_is_on_the_network_that_is_there() {
    let mut console = Console::new((80, 24), Arc::default(), true);
    console.app.world = World::Demo;
    let mut snapshot = Snapshot::default();
    lesson(&mut snapshot);
    console.app.snapshot(Arc::new(snapshot));
    let mut tour = Toured::with(console, false);
    tour.says("SIMULATED");
    tour.command("tour").is_at(1);
    tour.press("j").is_at(2);
    assert!(tour.started.lock().expect("no holder panics").is_empty());
    tour.says("F4 end");
    tour.press("F4").says("the tour is over");
    tour.command("q!");
    assert!(tour.stage.take_exit().is_some(), "leaving leaves the demo");
}
