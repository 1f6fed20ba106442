//! Saved views.

use std::sync::Mutex;

use super::*;
use crate::config::views::read_file;
use crate::ui::views::{View, Views, Words};

/// A console with one view of the configuration, and what it has kept since.
fn console(size: (u16, u16)) -> (Console, Arc<Mutex<Vec<Words>>>) {
    let text = "[[view]]\nname = \"slow\"\nscreen = \"hosts\"\nsort = \"rtt\"\ngroup = \"group\"\n";
    let (options, mut problems) = read_file("noctty.toml", text.to_owned());
    let shared = options.iter().filter_map(|options| View::of(options, true, &mut problems)).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let kept: Arc<Mutex<Vec<Words>>> = Arc::default();
    let keeps = kept.clone();
    let mut console = outage(size);
    let keep = move |name: &str, view: Option<&Words>| {
        let mut kept = keeps.lock().expect("whole");
        kept.retain(|known| known.name != name);
        kept.extend(view.cloned());
        Ok(None)
    };
    console.app.views = Views::new(shared, Some(Box::new(keep)));
    (console, kept)
}

/// A view that says where, and nothing else.
fn plain() -> View {
    let (options, mut problems) = read_file("v.toml", "[[view]]\nname = \"plain\"\nscreen = \"hosts\"\n".to_owned());
    View::of(&options[0], false, &mut problems).expect("it is right")
}

fn command(words: &str) -> String {
    let key = |c: char| if c == ' ' { "Space".to_owned() } else { c.to_string() };
    format!(": {} Enter", words.chars().map(key).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_view_brings_back_the_screen_its_filter_its_order_and_what_is_left_out() {
    let (mut console, kept) = console((120, 40));
    console.press("2 / a p p Enter > P");
    console.press(&command("view save apps"));
    assert!(console.screen().contains("saved the view apps: hosts · /app · problems only · sorted by name"));
    let kept_words = kept.lock().expect("whole").clone();
    assert_eq!((kept_words.len(), &*kept_words[0].filter, &*kept_words[0].sort), (1, "app", "name"));
    let shown = console.press("k").screen();
    let overview = console.press("P Esc 1 j k").screen();
    console.press(&command("view apps"));
    assert!(console.screen().contains("view apps"));
    // But for the footer, which says where one came from.
    let above = |screen: &str| screen.rsplit_once('\n').expect("lines").0.to_owned();
    assert_eq!(above(&console.press("k").screen()), above(&shown));
    // Back to where one was, as it was.
    assert_eq!(console.press("- j k").screen(), overview);
    // Where a view says nothing of the order, it is as shipped.
    console.press("2 >");
    console.app.views = Views::new(vec![plain()], None);
    let screen = console.press(&command("view plain")).screen();
    assert!(screen.contains("state▼"), "{screen}");
    let (mut console, _) = self::console((120, 40));
    // The configuration's, and a name that is nearly one.
    let grouped = console.press(&command("view slow")).screen();
    assert!(grouped.contains("by group") && grouped.contains("[2 Hosts]"), "{grouped}");
    let near = console.press(&command("view slw")).screen();
    assert!(near.contains("no view is called \"slw\"; did you mean slow?"), "{near}");
}

#[test]
fn a_key_can_open_a_view() {
    let (mut console, _) = console((120, 40));
    let known = crate::ui::commands::bindable();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let problems = console.app.keymap.merge("mine", "[screen]\n\"g s\" = \":view slow\"\n", &known);
    assert!(problems.is_empty(), "{problems:?}");
    // The second keys of the chord name it, help and palette have the key.
    assert!(console.press("g").screen().contains("s :view slow"), "{}", console.screen());
    assert!(console.press("s").screen().contains("view slow"), "{}", console.screen());
    assert!(console.screen().contains("by group"));
    let palette = console.press("Ctrl+P v i e w Space s l").screen();
    assert!(palette.lines().any(|line| line.contains("view slow") && line.contains("g s")), "{palette}");
    let mut console = console;
    console.press("Esc").app.overlays.clear();
    let mut help = String::new();
    console.press("?");
    for _ in 0..40 {
        help.push_str(&console.press("j j j").screen());
    }
    assert!(help.contains(":view slow"), "{help}");
}

#[test]
fn nothing_is_overwritten_unasked_and_the_configurations_are_changed_in_the_configuration() {
    let (mut console, kept) = console((120, 40));
    let says = |console: &mut Console, words: &str| {
        let screen = console.press(&command(words)).screen();
        screen.lines().last().unwrap_or_default().trim().to_owned()
    };
    assert!(says(&mut console, "view save mine").starts_with("saved the view mine: overview"));
    let again = says(&mut console, "view save mine");
    assert!(again.starts_with("there is a view mine already: :view save! mine replaces it"), "{again}");
    console.press("3");
    assert!(says(&mut console, "view save! mine").starts_with("saved the view mine: ports"));
    let shared = says(&mut console, "view save! slow");
    assert!(shared.starts_with("slow is in noctty.toml:2 and is changed there"), "{shared}");
    assert!(says(&mut console, "view delete slow").starts_with("slow is in noctty.toml:2 and is taken out there"));
    assert!(says(&mut console, "view save two words").contains("one word"));
    assert!(says(&mut console, "view delete mine").starts_with("the view mine is gone"));
    assert!(kept.lock().expect("whole").is_empty());
    // Without a place to keep it.
    console.app.views = Views::default();
    let lost = says(&mut console, "view save here");
    assert!(lost.starts_with("the view here ends with this console"), "{lost}");
    assert_eq!(console.app.views.all().len(), 1);
}

#[test]
fn views_are_listed_with_what_they_hold_completed_and_found_in_the_palette() {
    for size in [(60, 20), (80, 24), (120, 40)] {
        let (mut console, _) = console(size);
        console.press("2 / d b Enter");
        console.press(&command("view save databases"));
        console.press(&command("view"));
        insta::assert_snapshot!(format!("views_{}x{}", size.0, size.1), console.screen());
        // The last one is one's own.
        let screen = console.press("End Enter k").screen();
        assert!(screen.contains("[2") && screen.contains("/db"), "{screen}");
        console.press(&command("view")).press("End x");
        assert!(console.screen().contains("x again deletes databases"), "{}", console.screen());
        console.press("k End x");
        assert_eq!(console.app.views.all().len(), 2, "another key keeps it");
        console.press("x");
        assert_eq!(console.app.views.all().len(), 1, "taken away");
        assert!(console.press("Esc : v i e w Space s l Tab").screen().contains(":view slow"), "{}", console.screen());
        let found = console.press("Esc Ctrl+P v i e w Space s l").screen();
        assert!(found.contains("view slow"), "{found}");
        assert!(console.press("Enter").screen().contains("▸ servers"), "{}", console.screen());
    }
}

#[test]
fn what_a_file_says_wrong_is_said_with_its_place() {
    let text = "[[view]]\nscreen = \"hosts\"\n\n[[view]]\nname = \"a b\"\n\n[[view]]\nname = \"x\"\nscreen = \"host\"\nsort = \"colour\"\n\
                group = \"rack\"\nhide = [\"port\", \"vlam\"]\nfilters = \"x\"\n\n[[view]]\nname = \"y\"\nscreen = \"log\"\nsort = \"age\"\nfilter = \"mac:zz\"\n";
    let (options, mut problems) = read_file("v.toml", text.to_owned());
    let views: Vec<View> = options.iter().filter_map(|options| View::of(options, true, &mut problems)).collect();
    assert!(views.is_empty(), "{views:?}");
    let said: Vec<String> = problems.iter().map(crate::base::options::Problem::brief).collect();
    insta::assert_snapshot!("views_wrong", said.join("\n"));
}

/// A view of the ports has two orders: that of the devices and that of their ports.
#[test]
fn a_view_keeps_the_order_of_the_devices_too() {
    let (mut console, _) = console((120, 40));
    console.press("3 > > Tab >");
    console.press(&command("view save wires"));
    assert!(console.screen().contains("sorted by state · devices by findings"), "{}", console.screen());
    console.press("Tab S r Esc < Tab S r Esc 1");
    console.press(&command("view wires"));
    let words = console.app.views.named("wires").expect("saved").to_words();
    assert_eq!((words.sort_devices.as_str(), words.sort.as_str()), ("findings", "state"));
    assert!(console.screen().contains("by findings"), "{}", console.screen());
}
