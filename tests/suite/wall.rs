//! The wall on a real terminal: nothing that is typed reaches it, it ends by a signal, and it shows what is polled.

use alacritty_terminal::term::TermMode;
use rustix::process::Signal;

use super::attach::{collector, configuration};
use super::console::{Console, Launch};

#[test]
fn a_wall_takes_no_key_and_ends_by_a_signal() {
    let mut console = Launch::new((100, 30)).arguments(["wall", "--passive"]).start();
    console.shows("PASSIVE: nothing is ever sent");
    for keys in ["q", "y", ":q!\r", "\x03", "\x1a", "\x1b", "?"] {
        console.press(keys);
    }
    console.paste(":q!\r");
    let clock = |c: &Console| c.text().lines().find(|line| line.contains("noctty")).map(str::to_owned);
    // Two turns of the clock later it has had every chance.
    for _ in 0..2 {
        let before = clock(&console);
        console.until("the clock goes on", |c| clock(c) != before);
    }
    assert_eq!(console.child.try_wait().expect("the child can be asked").map(|s| s.exit_code()), None);
    assert!(!console.text().contains("Keys and commands"), "{}", console.text());
    assert!(!console.mode().contains(TermMode::SHOW_CURSOR));
    console.signal(Signal::TERM);
    assert_eq!(console.ends().exit_code(), 143);
    console.is_given_back();
    assert_eq!(console.deeds(), Vec::<String>::new());
}

#[test]
fn the_wall_of_the_demo_shows_its_hosts_at_every_size() {
    let arguments = ["demo", "--wall", "--hosts", "4", "--switches", "2", "--steady", "--page", "grid"];
    let mut console = Launch::new((100, 30)).arguments(arguments).start();
    console.shows("HOSTS");
    console.until("its hosts are ok", |c| c.text().contains(" ok") && c.text().contains("data "));
    for size in [(40, 12), (10, 3), (1, 1), (200, 60)] {
        console.resize(size);
        console.until("it is drawn anew", |c| size.0 < 60 || c.text().contains("HOSTS"));
    }
    console.signal(Signal::TERM);
    assert_eq!(console.ends().exit_code(), 143);
    console.is_given_back();
}

#[test]
fn a_wall_shows_what_another_polls_and_polls_itself_only_while_nobody_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let serve = || {
        let (service, told) = collector(folder.path());
        let length = told.recv(&mut [0; 200]).expect("it is ready in time");
        assert!(length > 0);
        service
    };
    let service = serve();
    let words = ["--config".to_owned(), configuration(folder.path()), "wall".to_owned()];
    let mut wall = Launch::new((140, 30)).arguments(words).state(&folder.path().join("state")).start();
    let attached = format!("attached to pid {}", service.0.id());
    wall.shows(&attached);
    wall.shows("here");
    let gone = format!("pid {} of", service.0.id());
    drop(service);
    wall.until("it polls itself and says why", |c| {
        c.text().lines().any(|line| line.contains(&gone) && line.contains("is gone: this wall polls itself"))
    });
    wall.shows("here");
    let service = serve();
    wall.shows(&format!("attached to pid {}", service.0.id()));
    assert!(!wall.text().contains("polls itself"), "{}", wall.text());
    wall.signal(Signal::TERM);
    assert_eq!(wall.ends().exit_code(), 143);
}

#[test]
fn a_page_that_is_not_there_is_told_with_those_that_are() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_noctty"))
        .args(["wall", "--page", "nonsense", "--config", "/dev/null"])
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("there is no page \"nonsense\"; there are problems, grid"), "{told}");
}
