//! Themes are tried on before one is kept.

use super::*;
use crate::config::theme::Meaning;

fn picker(size: (u16, u16)) -> Console {
    let mut console = outage(size);
    console.press(": t h e m e Enter");
    console
}

/// The colour of the first host that is down, left of the picker.
fn colour(console: &Console) -> Color {
    let buffer = console.buffer();
    let critical = buffer.content.iter().find(|cell| cell.symbol() == "■");
    critical.unwrap_or_else(|| panic!("{}", console.screen())).fg
}

#[test]
fn themes_are_listed_with_what_they_are_for() {
    for size in [(60, 20), (80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("themes_{}x{}", size.0, size.1), picker(size).screen());
    }
    let mut ascii = Console::new((80, 24), fixture::outage(), false);
    insta::assert_snapshot!("themes_ascii", ascii.press(": t h e m e Enter").screen());
}

#[test]
fn a_theme_is_on_the_screen_as_soon_as_it_is_selected_and_goes_with_the_picker() {
    for close in ["Esc", "q", "Ctrl+C"] {
        let mut console = picker((120, 40));
        let before = colour(&console);
        // From dark, over light, to the one for tired eyes.
        console.press("j j");
        assert!(console.screen().contains("Theme: high-contrast"), "{}", console.screen());
        assert_ne!(colour(&console), before);
        console.press(close);
        assert!(!console.screen().contains("Theme:"), "{}", console.screen());
        assert_eq!((console.app.themes.name(), colour(&console)), ("dark", before), "{close}");
    }
}

#[test]
fn enter_keeps_the_theme_and_says_how_it_stays_for_good() {
    let mut console = picker((120, 40));
    let text = console.press("j Enter").screen();
    assert!(text.contains("theme = \"light\" below [ui] for good"), "{text}");
    assert_eq!(console.app.themes.name(), "light");
    assert_eq!(
        format!("{:?}", console.app.look.style(Meaning::Critical)),
        format!("{:?}", Themes::only("light", console.app.capabilities).look().style(Meaning::Critical))
    );
    // Kept as it is: there is nothing to say.
    let text = console.press(": t h e m e Enter Enter").screen();
    assert!(!text.contains("for good") && console.app.themes.name() == "light", "{text}");
    // Neither end of the list is gone beyond.
    console.press(": t h e m e Enter Home k Enter");
    assert!(console.app.themes.is_auto());
    console.press(": t h e m e Enter End j Enter");
    assert_eq!(console.app.themes.name(), "wall");
}

/// A question that waits closes what is open: the theme is what it was then too.
#[test]
fn a_theme_that_was_tried_on_does_not_outlive_its_picker() {
    let mut console = picker((120, 40));
    console.press("j");
    console.app.overlays.clear();
    console.press("k");
    assert_eq!(console.app.themes.name(), "dark");
}
