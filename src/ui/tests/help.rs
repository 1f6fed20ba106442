//! The help: by what one wants to do, found by words, and as the keys are bound.

use super::{Console, outage};

fn shown(console: &mut Console, keys: &str) -> String {
    console.press(keys).screen()
}

#[test]
fn the_help_stands_in_sections_and_is_searched() {
    let mut console = outage((120, 40));
    insta::assert_snapshot!("help_sections", shown(&mut console, "?"));
    let found = shown(&mut console, "/ c l a i m");
    assert!(found.contains("TAKING CARE") && found.contains("/claim_"), "{found}");
    assert!(!found.contains("MOVING") && !found.contains("the first row"), "{found}");
    // A section is found by its name, and the search stays when its words are done.
    let moving = shown(&mut console, "Esc / m o v i n g Enter");
    assert!(moving.contains("the first row") && !moving.contains("TAKING CARE"), "{moving}");
    assert!(shown(&mut console, "Esc").contains("SCREENS AND PANES"), "the first Esc shows all again");
    assert!(!shown(&mut console, "Esc").contains("SCREENS AND PANES"), "the second leaves");
    assert!(shown(&mut console, "? / q z x").contains("nothing here has these words"));
}

#[test]
fn who_looks_at_devices_or_ports_has_their_signs_first() {
    for (keys, first) in [("3 ?", "SIGNS OF PORTS"), ("3 Tab ?", "SIGNS OF PORTS"), ("2 ?", "SCREENS AND PANES")] {
        let text = shown(&mut outage((120, 40)), keys);
        let heading = text.lines().nth(2).unwrap_or_default();
        assert!(heading.contains(first), "{keys}: {text}");
    }
    let states = shown(&mut outage((120, 40)), "? / s t a t e s");
    assert!(states.contains("DOWN") && states.contains("NEVER SEEN"), "{states}");
}

#[test]
fn the_beginning_of_a_chord_says_what_may_follow_in_words() {
    let mut console = outage((120, 40));
    let text = shown(&mut console, "g");
    let footer = text.lines().last().unwrap_or_default();
    assert!(footer.contains("g the first row") && footer.contains("l the next layout"), "{footer}");
    // Where it has no room that is said.
    let mut narrow = outage((60, 20));
    let text = shown(&mut narrow, "g");
    let footer = text.lines().last().unwrap_or_default();
    assert!(footer.trim_end().ends_with('…') || footer.contains("layout"), "{footer}");
}

#[test]
fn a_command_that_nobody_knows_is_answered_with_the_nearest() {
    let mut console = outage((120, 40));
    let text = shown(&mut console, ": t h e e m Enter");
    assert!(text.contains("did you mean :theme?"), "{text}");
    let text = shown(&mut console, ": H O S T S Tab Enter");
    assert!(text.contains("[2 Hosts]"), "{text}");
}
