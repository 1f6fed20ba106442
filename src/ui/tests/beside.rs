//! What stands beside what is watched: runbooks, the history of an object, the wall in front of the console.

use super::*;
use crate::config::WallOptions;
use crate::config::theme::{Background, Shelf, ThemeChoice};
use crate::config::wall::Sound;
use crate::model::AssetId;
use crate::ui::app::wall::Walls;
use crate::ui::clipboard::Clipboard;
use crate::ui::panes::{PaneKind, ScreenId};
use crate::ui::runbook::plain;
use crate::ui::screen::Ring;
use crate::ui::wall::Wall;

const MARKDOWN: &str = "# When **{host}** is down\n\n1. Look at [the wiki](https://wiki/x) first\n- [ ] ping {address}\n  - [x] done\n* note\n\
                        ```sh\nssh  x -- '- [ ] *'\n```\n> quoted \u{1b}[2J\u{202e}\n#no heading\n";

/// The outage with a runbook for its first problem's host.
fn with_runbook(place: &str) -> Console {
    let mut snapshot = (*fixture::outage()).clone();
    let asset = snapshot.problems[0].asset.clone();
    for view in &mut snapshot.hosts {
        if view.host.id == asset {
            let view = Arc::make_mut(view);
            Arc::make_mut(&mut view.host).runbook = Some(place.into());
        }
    }
    Console::new((120, 40), Arc::new(snapshot), true)
}

/// Until the thread that reads it has told.
fn awaited(console: &mut Console) -> String {
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        if console.app.poll_sessions(cx).is_ready() {
            return console.screen();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nobody read it: {}", console.screen());
}

#[test]
fn the_runbook_of_what_is_selected_is_opened_as_it_is_written_and_no_terminal_obeys_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("down.md");
    std::fs::write(&path, MARKDOWN).expect("written");
    let mut console = with_runbook(&path.display().to_string());
    let asset = console.app.selected_asset().expect("a problem");
    console.press("b");
    let text = awaited(&mut console);
    for words in [
        "Runbook of",
        "1. Look at the wiki (https://wiki/x) first",
        "☐ ping",
        "☑ done",
        "• note",
        "ssh  x -- '- [ ] *'",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.contains(&format!("When {} is down", asset.as_str())), "{text}");
    assert!(!text.contains("# When") && text.contains("#no heading") && !text.contains('\u{1b}'), "{text}");
    assert!(!console.press("Esc").screen().contains("Runbook of"));
    // Its detail says where it is, and opens it too.
    let detail = console.press("Enter").screen();
    assert!(detail.contains("runbook /") && detail.contains("b opens it"), "{detail}");
    console.press("b");
    assert!(awaited(&mut console).contains("Runbook of"));
}

/// The worst check that is bad has its own; who looks at what is well reads that of the host.
#[test]
fn the_runbook_of_the_check_that_is_bad_goes_before_that_of_its_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("web.md");
    std::fs::write(&path, "restart \\*{check}\\* on {host}").expect("written");
    let mut console = with_runbook("https://wiki.example.net/core");
    let mut snapshot = (*console.app.snapshot).clone();
    let asset = console.app.selected_asset().expect("a problem");
    let host = snapshot.hosts.iter_mut().find(|view| view.host.id == asset).expect("it is there");
    let view = Arc::make_mut(host);
    let check = view.checks.first_mut().expect("it has a check");
    let name = check.spec.key.name.clone();
    check.condition = crate::model::Condition::Critical;
    Arc::make_mut(&mut check.spec).runbook = Some(path.display().to_string().into());
    console.app.snapshot(Arc::new(snapshot.clone()));
    console.press("b");
    let text = awaited(&mut console);
    assert!(text.contains(&format!("Runbook of {}, {name}", asset.as_str())), "{text}");
    assert!(text.contains(&format!("restart *{name}* on {}", asset.as_str())), "{text}");
    // What is read says what its keys do, and can be taken along.
    let last = text.lines().last().unwrap_or_default();
    assert!(last.contains("Esc back") && last.contains("y copy"), "{text}");
    let said = console.press("y").screen();
    assert!(said.contains(&format!("copied runbook of {}", asset.as_str())), "{said}");
    assert!(console.app.take_clip().is_some());
    let view = snapshot.hosts.iter_mut().find(|view| view.host.id == asset).expect("it is there");
    Arc::make_mut(view).checks[0].condition = crate::model::Condition::Ok;
    console.press("Esc").app.snapshot(Arc::new(snapshot));
    assert!(console.press("b").screen().contains("copied https://wiki.example.net/core"), "{}", console.screen());
}

#[test]
fn the_handover_is_read_copied_and_saved_for_its_owner_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut console = outage((120, 40));
    console.app.operator = "ops1".into();
    console.app.clipboard = Clipboard::new(false, vec![folder.path().to_owned()]);
    let text = console.press(": h a n d o v e r Enter").screen();
    for words in ["Handover 2026-03-14", "From ops1.", "Incident INC-7 SEV2", "Open, and nobody's: ", "• DOWN core-sw1"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let last = text.lines().last().unwrap_or_default();
    assert!(last.contains("Esc back  y copy  Y save as a file"), "{text}");
    insta::assert_snapshot!("handover_120x40", text);
    console.press("y");
    let markdown = copy::copied(&mut console);
    assert!(markdown.starts_with("# Handover 2026-03-14 ") && markdown.contains("- **DOWN** core-sw1"), "{markdown}");
    console.press("Y");
    let said = awaited(&mut console);
    assert!(said.contains("saved the handover as "), "{said}");
    let files: Vec<_> = std::fs::read_dir(folder.path()).expect("readable").filter_map(Result::ok).collect();
    assert_eq!(files.len(), 1);
    assert!(files[0].file_name().to_string_lossy().starts_with("handover-2026-03-14-"), "{files:?}");
    assert_eq!(std::fs::read_to_string(files[0].path()).expect("text"), markdown);
    // Without showing it; a word that means nothing says what there is.
    assert!(console.press("Esc : h a n d o v e r Space c o p y Enter").screen().contains("copied the handover"));
    assert!(console.press(": h a n d o v e r Space x Enter").screen().contains("then copy or save"));
}

#[test]
fn a_link_is_copied_and_what_is_not_there_or_no_file_is_said() {
    let mut console = with_runbook("https://wiki.example.net/core");
    assert!(console.press("b").screen().contains("copied https://wiki.example.net/core"), "{}", console.screen());
    assert!(console.app.take_clip().is_some());
    for (place, why) in [("/nowhere/x.md", "No such file"), ("/dev", "it is no file")] {
        let mut console = with_runbook(place);
        console.press("b");
        let text = awaited(&mut console);
        assert!(text.contains("the runbook can't be read here") && text.contains(why), "{text}");
    }
    let text = outage((120, 40)).press("b").screen();
    assert!(text.contains("has no runbook: runbook ="), "{text}");
}

#[test]
fn without_unicode_steps_have_letters() {
    let ascii = Console::new((80, 24), fixture::outage(), false);
    let lines = plain(&ascii.app.look, "- [ ] a\n- [x] b\n- c\n");
    assert_eq!(lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>(), ["[ ] a", "[x] b", "- c"]);
}

proptest! {
    #[test]
    fn any_text_is_made_plain_without_a_panic(text in "[#\\[\\]()*_`> xü\\n\\t-]{0,60}", any in any::<String>()) {
        let console = outage((80, 24));
        for text in [text, any] {
            plain(&console.app.look, &text);
        }
    }
}

/// One key from a problem to what happened to it, one back.
#[test]
fn the_history_of_what_is_selected_is_its_part_of_the_log() {
    let mut console = outage((120, 40));
    let mut snapshot = (*fixture::outage()).clone();
    snapshot.deeds = Arc::from([fixture::deed("core-sw1"), fixture::deed("db01")]);
    snapshot.revision += 1;
    console.app.snapshot(Arc::new(snapshot));
    console.press("2 / d b 0 1 Enter g g");
    assert_eq!(console.app.selected_asset(), Some(AssetId::new("db01")));
    let text = console.press("L").screen();
    assert_eq!((console.app.screen, console.app.focus), (ScreenId::Log, PaneKind::Log));
    assert!(text.contains("/db01") && !text.contains("core-sw1"), "{text}");
    let back = console.press("-").screen();
    assert!(back.contains("[2 Hosts]") && console.app.selected_asset() == Some(AssetId::new("db01")), "{back}");
    // From its detail too.
    console.press("Enter L");
    assert!(console.app.screen == ScreenId::Log && console.app.overlays.is_empty());
}

/// Once it is made, beside the screen.
fn raised(console: &mut Console) -> String {
    console.press("W");
    awaited(console)
}

/// Its pages stand in front of everything; any key comes back and does nothing else, and what happens meanwhile is there.
#[test]
fn the_wall_stands_in_front_of_the_console_until_a_key_is_pressed() {
    let mut console = outage((120, 40));
    let before = console.press("2").screen();
    assert!(console.press("W").screen().contains("noctty wall shows one"), "without one it is said");
    let make = |now| {
        let themes = Themes::only("wall", Capabilities { colours: Colours::True, unicode: true });
        Wall::new(WallOptions::default(), themes, None, now).in_front()
    };
    console.app.walls = Some(Walls::new(make));
    let wall = raised(console.press("2"));
    assert!(!wall.contains("[2 Hosts]") && wall.contains("UNOWNED 20 min"), "{wall}");
    assert!(wall.contains("any key comes back") && !wall.contains("kill"), "{wall}");
    let mut small = Console::new((80, 24), fixture::quiet(), true);
    small.app.walls = Some(Walls::new(make));
    assert!(raised(&mut small).contains("any key comes back"), "{}", small.screen());
    assert!(console.app.next_wake(NOW).is_some_and(|at| at.since(NOW) <= Duration::from_secs(1)), "its clock goes");
    let mut quiet = (*fixture::quiet()).clone();
    quiet.revision = console.app.snapshot.revision + 1;
    console.app.paste("q".to_owned());
    let now = console.press("q").screen();
    assert!(now.contains("[2 Hosts]") && !now.contains("Leave noctty"), "{now}");
    assert_eq!(console.screen(), before);
    raised(&mut console);
    console.app.snapshot(Arc::new(quiet));
    assert!(!console.screen().contains("[2 Hosts]"));
    assert!(console.press("x").screen() != before, "what came meanwhile is there");
}

/// A disk that does not answer holds up the wall and not the console, and a key that is pressed meanwhile calls the wall off.
#[test]
fn a_wall_is_made_beside_the_screen_and_called_off_by_any_key() {
    let mut console = outage((120, 40));
    let (disk, answered) = std::sync::mpsc::channel::<()>();
    let answered = std::sync::Mutex::new(answered);
    let sound = WallOptions { sound: Sound::Bell, ..WallOptions::default() };
    console.app.walls = Some(Walls::new(move |now| {
        let _ = answered.lock().map(|answered| answered.recv());
        let colours = Capabilities { colours: Colours::True, unicode: true };
        let themes = Themes::new(Shelf::default(), ThemeChoice::default(), Background::Dark, colours);
        Wall::new(sound.clone(), themes, None, now).in_front()
    }));
    let waits =
        |console: &mut Console| console.app.poll_sessions(&mut Context::from_waker(Waker::noop())) == Poll::Pending;
    console.press("2 W");
    assert!(waits(&mut console) && console.screen().contains("[2 Hosts]"), "{}", console.screen());
    console.press("4");
    assert!(console.screen().contains("[4 Backups]"), "the key does what it does");
    disk.send(()).expect("it is read");
    assert!(waits(&mut console) && console.screen().contains("[4 Backups]"), "{}", console.screen());
    // Whatever the console knows of its terminal holds for the wall too, and its sound is made.
    let colours = |console: &mut Console| {
        disk.send(()).expect("it is read");
        raised(console);
        let colours: Vec<_> = console.buffer().content.iter().map(|cell| (cell.fg, cell.bg)).collect();
        console.press("q");
        colours
    };
    let dark = colours(&mut console);
    console.app.background(Background::Light);
    assert_ne!(colours(&mut console), dark);
    console.app.snapshot(fixture::quiet());
    disk.send(()).expect("it is read");
    raised(&mut console);
    let mut worse = (*fixture::outage()).clone();
    worse.revision += 1;
    let mut problems = worse.problems.to_vec();
    for problem in &mut problems {
        problem.since = NOW;
    }
    worse.problems = problems.into();
    console.app.snapshot(Arc::new(worse));
    assert_eq!(console.app.take_ring(), Some(Ring::Bell));
}

/// From a backup that is in trouble to the host that would be lost, and back.
#[test]
fn a_backup_leads_to_what_it_protects() {
    let mut console = outage((120, 40));
    console.press("4");
    let job = console.app.selected_asset().expect("a backup");
    let text = console.press("Enter o").screen();
    assert!(text.contains("[2 Hosts]") && console.app.overlays.is_empty(), "{text}");
    assert_eq!(console.app.selected_asset(), Some(AssetId::new("db01")));
    console.press("-");
    assert_eq!(console.app.selected_asset(), Some(job));
}
