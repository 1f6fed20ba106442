//! Nothing that is pressed or typed is lost in silence: it does something that is seen, or it is said why not.

use proptest::test_runner::Config;

use super::*;
use crate::ui::action::ACTIONS;
use crate::ui::commands::{COMMANDS, run};
use crate::ui::overlays::help::MOVING;

/// Whether something came of it: on the screen, to the engine, to the loop, to the clipboard.
fn is_heard(console: &mut Console, before: &Buffer) -> bool {
    let sent = std::iter::from_fn(|| console.commands.try_recv().ok()).any(|c| !matches!(c, Command::Focus(_)));
    let said = console.app.message.is_some();
    let left = console.app.take_exit().is_some() || console.app.tour_wish.take().is_some();
    let copied = console.app.take_clip().is_some();
    sent || said || left || copied || console.buffer() != *before
}

/// On every screen, with much on it and with nothing at all. A move that is at its end already, what goes where one is already, and a
/// list that stands as it should, say nothing.
#[test]
fn no_key_does_nothing_in_silence() {
    for snapshot in [fixture::outage(), campus::campus(), fixture::quiet(), Arc::default()] {
        for screen in ["1", "2", "3", "4", "5", "6", "9"] {
            for (action, name, _) in ACTIONS {
                let mut console = Console::new((120, 40), snapshot.clone(), true);
                console.press(screen).press("j j");
                let stands = matches!(action, Action::Back | Action::Resort | Action::MarkAll | Action::ProblemsOnly);
                if MOVING.contains(action) || stands || console.app.keymap.keys_of(name).contains(&screen.to_owned()) {
                    continue;
                }
                console.app.message = None;
                let before = console.buffer();
                console.app.act(*action);
                console.app.settle();
                assert!(is_heard(&mut console, &before), "{name} on {screen}:\n{}", console.screen());
            }
        }
    }
}

#[test]
fn a_refusal_says_what_could_be_typed() {
    let mut console = outage((120, 40));
    for (typed, words) in [
        ("host", ":host NAME opens it; Tab completes names"),
        ("backup", ":backup NAME opens it"),
        ("look", ":look ADDRESS looks at an address"),
        ("discover", ":discover all watches every host"),
        ("discover some", ":discover all watches every host"),
        ("copy tabel", "copy what? :copy table or :copy screen, and not \"tabel\""),
        ("hosts db01", ":hosts takes nothing behind it, and not \"db01\""),
        ("q now", ":q takes nothing behind it, and not \"now\""),
        ("resume it", ":resume takes nothing behind it"),
        ("hsot db01", "no such command: hsot; did you mean :host?"),
        ("xyzzyx", "no such command: xyzzyx; ? lists the keys, Tab completes"),
        ("recheck nobody", "nothing is called \"nobody\""),
    ] {
        run(&mut console.app, typed);
        console.app.settle();
        assert!(console.screen().contains(words), "{typed}: {}", console.screen());
        assert!(console.app.take_exit().is_none() && console.app.overlays.is_empty(), "{typed}");
    }
    run(&mut console.app, "recheck db01");
    assert!(console.screen().contains("asking db01"), "{}", console.screen());
}

/// A word that is a command, begins one, nearly is one, or is anything.
fn word() -> impl Strategy<Value = String> {
    let all = || COMMANDS.iter().map(|(name, _)| *name).chain(ACTIONS.iter().map(|(_, name, _)| *name));
    let known = prop::sample::select(all().map(str::to_owned).collect::<Vec<_>>());
    prop_oneof![
        4 => known.clone(),
        2 => (known.clone(), any::<prop::sample::Index>()).prop_map(|(name, at)| name[..at.index(name.len())].to_owned()),
        1 => (known, "[a-z!]").prop_map(|(name, more)| name + &more),
        1 => "\\PC{0,8}",
    ]
}

fn argument() -> impl Strategy<Value = String> {
    let known = [
        "all",
        "table",
        "screen",
        "on",
        "off",
        "site",
        "none",
        "save x",
        "delete x",
        "save! x",
        "x",
        "dark",
        "auto",
        "db01",
        "DB01",
        "db",
        "acc-17",
        "next",
        "end",
        "wide",
        "--",
        "-x",
        "",
        " ",
        "ä",
        "日本",
        "e\u{301}",
        "core-sw1 Gi1/0/1",
    ];
    prop_oneof![3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,12}", 1 => any::<String>()]
}

proptest! {
    #![proptest_config(Config { cases: 160, ..Config::default() })]

    /// Typed, completed, brought back: no panic, nothing half done, and something comes of every line that is not empty.
    #[test]
    fn any_line_does_what_it_says_or_is_refused_in_words(
        columns in prop::sample::select(vec![20u16, 80, 160]),
        hostile: bool,
        lines in prop::collection::vec((word(), argument(), 0usize..4, prop::sample::select(vec!["", "Up", "Left Left", "Home", "Ctrl+W", "Up Down"])), 1..6),
    ) {
        let picture = if hostile { fixture::hostile() } else { fixture::outage() };
        let mut console = Console::new((columns, 24), picture, true);
        for (word, argument, tabs, keys) in lines {
            while !console.app.overlays.is_empty() {
                console.app.overlays.pop();
            }
            console.app.typing = false;
            console.app.message = None;
            let _ = console.app.take_exit();
            let before = console.buffer();
            console.press(":");
            prop_assert!(console.app.asking.is_some());
            console.app.paste(format!("{word} {argument}"));
            for _ in 0..tabs {
                let text = |console: &Console| console.app.asking.as_ref().map(|(_, line)| line.text().to_owned()).unwrap_or_default();
                let typed = text(&console);
                console.press("Tab");
                let completed = text(&console);
                // Nothing that was typed goes, but for capitals.
                let begin = completed.get(..typed.len()).unwrap_or_default();
                prop_assert!(begin.eq_ignore_ascii_case(&typed), "{typed:?} became {completed:?}");
            }
            console.press(keys);
            let typed = console.app.asking.as_ref().map(|(_, line)| line.text().trim().to_owned()).unwrap_or_default();
            console.buffer();
            console.press("Enter");
            let asks_again = matches!(&*typed, "command_line" | "filter");
            prop_assert!(console.app.asking.take().is_none() || asks_again, "{typed:?} is still asked");
            console.buffer();
            if !typed.is_empty() {
                prop_assert_eq!(console.app.history.last(), Some(&typed));
            }
            let name = typed.split(' ').next().unwrap_or_default();
            let stands = Action::named(name).is_some_and(|action| {
                MOVING.contains(&action) || matches!(action, Action::Back | Action::Resort | Action::MarkAll | Action::ProblemsOnly)
                    || matches!(action, Action::Overview | Action::Hosts | Action::Ports | Action::Backups | Action::Incident
                        | Action::Sessions | Action::Log)
            });
            // What is saved says so when it is on the disk.
            let is_there = typed == "handover save"
                || matches!(name, "host" | "ports" | "backup" | "view" | "theme" | "tour" | "group");
            prop_assert!(typed.is_empty() || stands || is_there || asks_again || is_heard(&mut console, &before), "{typed:?} in silence");
        }
    }
}
