//! One frame of the overview with 10,000 hosts, a tenth of them with problems.

use std::sync::Arc;
use std::time::Duration;

use noctty::base::Timestamp;
use noctty::bus;
use noctty::config::key::Key;
use noctty::config::keymap::{self, Keymap};
use noctty::model::{
    AssetId, CheckKey, CheckSpec, Host, Inventory, Observation, Origin, Policy, Reading, Subject, Unit, Wire,
};
use noctty::state::{Event, Snapshot, State};
use noctty::ui::action::Action;
use noctty::ui::app::{App, Setup};
use noctty::ui::clipboard::Clipboard;
use noctty::ui::frame::{Capabilities, Colours, Frame, Link};
use noctty::ui::run::Screen;
use noctty::ui::themes::Themes;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const HOSTS: usize = 10_000;
const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn main() {
    divan::main();
}

fn snapshot() -> Snapshot {
    let mut inventory = Inventory::default();
    let key =
        |host: usize| CheckKey { subject: Subject::Host(AssetId::new(format!("host-{host}"))), name: "icmp".into() };
    for host in 0..HOSTS {
        inventory.hosts.push(Arc::new(Host::new(&format!("host-{host}"), Some("192.0.2.1"), Origin::Config)));
        inventory.checks.push(Arc::new(CheckSpec {
            key: key(host),
            kind: "icmp".into(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(2),
            retry_interval: Duration::from_secs(1),
            attempts: 1,
            decides_reachability: true,
            fixed_pace: false,
            eases: false,
            volatile: false,
            runbook: None,
            speaks_for_host: true,
            waits_for: None,
            wire: Wire { protocol: "ICMP echo".into(), destination: "192.0.2.1".into() },
        }));
    }
    let mut state = State::new(Policy { never_seen_is_down: true, ..Policy::default() });
    state.reduce(T0, Event::Inventory(Arc::new(inventory)));
    for host in 0..HOSTS {
        let reading = if host % 10 == 0 { Reading::critical("no answer within 2.0 s") } else { Reading::ok("0.4ms") };
        let reading = reading.metric("rtt", 0.0004, Unit::Seconds);
        let seen = Observation { check: key(host), at: T0, took: Duration::from_millis(1), reading };
        state.reduce(T0, Event::Observed(seen));
    }
    state.publish(T0)
}

fn app(size: (u16, u16)) -> App {
    let (end, _engine) = bus::pair(Arc::default());
    let mut keymap = Keymap::default();
    keymap.merge("shipped", keymap::SHIPPED, &Action::names());
    let capabilities = Capabilities { colours: Colours::True, unicode: true };
    let setup = Setup {
        commands: end.commands,
        keymap,
        themes: Themes::only("dark", capabilities),
        capabilities,
        target: None,
        system_ssh: Vec::new(),
        messages: Vec::new(),
        trouble: Arc::default(),
        clipboard: Clipboard::default(),
        now: T0,
    };
    let mut app = App::new(setup);
    app.resized(size.0, size.1);
    app.snapshot(Arc::new(snapshot()));
    app
}

fn draw(app: &App, area: Rect) -> Buffer {
    let mut buffer = Buffer::empty(area);
    let mut frame =
        Frame { buffer: &mut buffer, area, now: T0, wall: T0, link: Link::default(), cursor: None, answer: None };
    app.draw(&mut frame);
    buffer
}

#[divan::bench(args = [(120, 40), (200, 60)])]
fn frame(bencher: divan::Bencher<'_, '_>, size: (u16, u16)) {
    let app = app(size);
    bencher.bench_local(|| divan::black_box(draw(&app, Rect::new(0, 0, size.0, size.1))));
}

/// A key in the list of hosts, and the frame that answers it.
#[divan::bench(args = [(120, 40), (200, 60)])]
fn key_and_frame(bencher: divan::Bencher<'_, '_>, size: (u16, u16)) {
    let mut app = app(size);
    app.key(Key::char('2'));
    bencher.bench_local(|| {
        app.key(Key::char('j'));
        divan::black_box(draw(&app, Rect::new(0, 0, size.0, size.1)))
    });
}

/// A new snapshot, sorted and drawn.
#[divan::bench]
fn snapshot_and_frame(bencher: divan::Bencher<'_, '_>) {
    let mut app = app((120, 40));
    let next = Arc::new(snapshot());
    bencher.bench_local(|| {
        app.snapshot(next.clone());
        divan::black_box(draw(&app, Rect::new(0, 0, 120, 40)))
    });
}
