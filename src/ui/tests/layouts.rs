//! Where the panes stand, by keys and by words.

use super::campus::campus;
use super::*;
use crate::config::layouts::read_file;
use crate::ui::layouts::Layouts;
use crate::ui::panes::{PaneKind, ScreenId};

fn command(words: &str) -> String {
    let key = |c: char| if c == ' ' { "Space".to_owned() } else { c.to_string() };
    format!(": {} Enter", words.chars().map(key).collect::<Vec<_>>().join(" "))
}

#[test]
fn the_shipped_layouts_of_the_overview() {
    for (name, size) in [
        ("triage", (120, 40)),
        ("triage", (200, 60)),
        ("wide", (300, 80)),
        ("wide", (400, 100)),
        ("lead", (120, 40)),
        ("lead", (80, 24)),
    ] {
        let mut console = outage(size);
        console.press(&command(&format!("layout {name}"))).press("j k");
        insta::assert_snapshot!(format!("layout_{name}_{}x{}", size.0, size.1), console.screen());
    }
}

#[test]
fn switches_with_their_ports_on_the_overview() {
    let mut console = Console::new((120, 40), campus(), true);
    console.press(&command("layout network"));
    // The ports are those of the selected device, and Enter on it opens the device, for its ports are there already.
    console.press("Tab j Tab");
    assert_eq!((console.app.screen, console.app.focus), (ScreenId::Overview, PaneKind::Ports));
    let first = console.app.device().expect("a device").host.id.clone();
    console.press("j j l");
    assert!(console.app.selected_port().is_some());
    insta::assert_snapshot!("layout_network_120x40", console.screen());
    console.press("Shift+Tab k");
    assert_ne!(console.app.device().expect("a device").host.id, first);
    console.press("Enter");
    assert_eq!((console.app.screen, console.app.overlays.len()), (ScreenId::Overview, 1));
    // The screen of ports has its own arrangement, and where the terminal is narrow it is as it always was.
    let mut narrow = Console::new((80, 24), campus(), true);
    let shipped = narrow.press("3").screen();
    narrow.press(&command("layout network"));
    assert_eq!(narrow.app.panes(), [PaneKind::Devices, PaneKind::Ports]);
    let lines = |screen: &str| screen.lines().filter(|line| line.starts_with("──")).count();
    assert_eq!(lines(&narrow.screen()), lines(&shipped));
}

#[test]
fn the_key_takes_the_next_layout_of_this_screen_and_says_which() {
    let mut console = outage((120, 40));
    let shipped = console.screen();
    assert!(console.press("g l").screen().contains("layout triage"));
    // Who worked in a pane that is gone works in the first.
    console.press("g l g l");
    assert_eq!(console.app.focus, PaneKind::Problems);
    console.press("Tab Tab Tab");
    assert_eq!(console.app.focus, PaneKind::Log);
    console.press("g l");
    assert_eq!((console.app.focus, console.app.layouts.name()), (PaneKind::Log, "wide"));
    console.press("g l");
    assert_eq!((console.app.focus, console.app.layouts.name()), (PaneKind::Problems, "standard"));
    assert_eq!(console.press("j k").screen(), shipped);
    assert!(console.press("2 g l").screen().contains("this screen has one layout only"));
    assert!(
        console
            .press(&command("layout"))
            .screen()
            .contains("this is standard; there are standard, triage, network, lead, wide")
    );
    assert!(console.press(&command("layout traige")).screen().contains("did you mean \"triage\"?"));
}

#[test]
fn a_layout_lasts_from_console_to_console_and_with_a_view() {
    let text = "[[layout]]\nname = \"mine\"\nrow = [{ panes = [\"hosts\", \"log\"] }]\n";
    let (options, problems) = read_file("l.toml", text.to_owned());
    assert!(problems.is_empty(), "{problems:?}");
    let with_mine = || {
        let mut console = outage((120, 40));
        console.app.layouts = Layouts::new(&options, None).0;
        console
    };
    let mut console = with_mine();
    console.press(&command("layout mine")).press("Tab");
    let left = console.app.remember();
    assert_eq!(left.layout, "mine");
    let mut next = with_mine();
    next.app.recall(left.clone(), true);
    assert_eq!(next.app.panes(), [PaneKind::Hosts, PaneKind::Log]);
    // Without that layout, the console is as shipped.
    let mut without = outage((120, 40));
    without.app.recall(left, true);
    assert_eq!(without.app.layouts.name(), "standard");
    assert!(without.app.shows(without.app.focus));
    // A view that was saved in it brings it back.
    console.press(&command("view save mine"));
    console.press(&command("layout standard")).press("2");
    console.press(&command("view mine"));
    assert_eq!((console.app.screen, console.app.layouts.name()), (ScreenId::Overview, "mine"));
    assert_eq!(console.app.focus, PaneKind::Hosts);
}

#[test]
fn the_detail_at_the_side_is_the_layouts() {
    let text = "[[layout]]\nname = \"plain\"\nscreen = \"hosts\"\ndetail = \"off\"\nrow = [{ panes = [\"hosts\"] }]\n\
                [[layout]]\nname = \"beside\"\nscreen = \"hosts\"\ndetail = \"50%\"\ndetail_from = 120\nrow = [{ panes = [\"hosts\"] }]\n";
    let (options, _) = read_file("l.toml", text.to_owned());
    let side = |size: (u16, u16), name: &str| {
        let mut console = outage(size);
        console.app.layouts = Layouts::new(&options, Some(&(name.to_owned(), options[0].name.1.clone()))).0;
        console.press("2");
        crate::ui::chrome::side(&console.app, size).map(|side| side.width)
    };
    assert_eq!((side((200, 60), "plain"), side((200, 60), "standard")), (None, Some(80)));
    assert_eq!((side((120, 40), "beside"), side((119, 40), "beside")), (Some(60), None));
}
