//! The hosts by site and by group.

use std::sync::Arc;

use super::fixture::{self, NOW};
use super::*;
use crate::model::Condition;

fn world() -> Snapshot {
    let host = |name: &str, site: Option<&str>, condition: Condition| {
        let mut view = fixture::host(name, condition, "as it is", 300);
        let host = Arc::make_mut(&mut view.host);
        host.site = site.map(Arc::from);
        host.group = Some("web".into());
        Arc::new(view)
    };
    let hosts = vec![
        host("a1", Some("ams1"), Condition::Ok),
        host("a2", Some("ams1"), Condition::Ok),
        host("f1", Some("fra1"), Condition::Ok),
        host("f2", Some("fra1"), Condition::Critical),
        host("f3", Some("fra1"), Condition::Warning),
        host("x", None, Condition::Ok),
    ];
    Snapshot { revision: 3, at: NOW, hosts, ..Snapshot::default() }
}

fn typed(command: &str) -> String {
    let keys: Vec<String> =
        command.chars().map(|c| if c == ' ' { "Space".to_owned() } else { c.to_string() }).collect();
    format!(": {} Enter", keys.join(" "))
}

fn names(screen: &str) -> Vec<&str> {
    let marks = ['▌', '■', '●', '▲', '▸', '▾', ' '];
    screen.lines().skip(3).map_while(|line| line.trim_start_matches(marks).split_whitespace().next()).collect()
}

#[test]
fn hosts_are_gathered_by_site_with_the_worst_state_and_counts() {
    let mut console = Console::new((100, 24), Arc::new(world()), true);
    let screen = console.press(&typed("group site")).screen();
    assert_eq!(names(&screen), ["fra1", "ams1", "no"], "{screen}");
    let head = screen.lines().find(|line| line.contains("fra1")).expect("a head");
    assert!(head.contains("■ ▸ fra1") && head.contains("3 hosts · 1 down · 1 warning"), "{head}");
    assert!(screen.contains("by site"), "{screen}");
    // Open, and closed again; the cursor stays on the head.
    let screen = console.press("Enter").screen();
    assert_eq!(names(&screen), ["fra1", "f2", "f3", "f1", "ams1", "no"], "{screen}");
    let screen = console.press("j j j j Enter").screen();
    assert_eq!(names(&screen), ["fra1", "f2", "f3", "f1", "ams1", "a1", "a2", "no"], "{screen}");
    let screen = console.press("Enter k k k k Enter").screen();
    assert_eq!(names(&screen), ["fra1", "ams1", "no"], "{screen}");
    // What is looked for is uncovered.
    let screen = console.press(&format!("{} Esc", typed("host a2"))).screen();
    assert!(names(&screen).contains(&"a2"), "{screen}");
    let screen = console.press(&typed("group none")).screen();
    assert_eq!(names(&screen), ["f2", "f3", "a1", "a2", "f1", "x"], "{screen}");
    // One key goes through all ways.
    for (title, first) in [("by site", "fra1"), ("by group", "web"), ("HOSTS", "f2")] {
        let screen = console.press("g h").screen();
        assert!(screen.contains(title) && names(&screen).first() == Some(&first), "{screen}");
    }
}

#[test]
fn a_deed_on_a_head_is_for_all_below_it() {
    let mut console = Console::new((100, 24), Arc::new(world()), true);
    console.press(&typed("group site"));
    // Space marks what is below it, though it is closed; again takes the marks away.
    let marked = console.press("Space").screen();
    assert!(marked.contains("3 marked"), "{marked}");
    assert!(!console.press("k Space").screen().contains("marked"), "{}", console.screen());
    // A filter counts: only what it lets through.
    assert!(console.press("/ f 2 Enter g g Space").screen().contains("1 marked"), "{}", console.screen());
    console.press("Esc Esc g g");
    let asked = console.press("R").screen();
    assert!(asked.contains("3 to be asked?") && asked.contains("f2"), "{asked}");
    console.press("Esc Esc g g");
    // Maintenance is that of the site: of hosts too that come later.
    let form = console.press("m").screen();
    assert!(form.contains("Maintenance of the site fra1") && form.contains("3 hosts · 1 down · 1 warning"), "{form}");
    console.press("Enter");
    let sent: Vec<Command> = std::iter::from_fn(|| console.commands.try_recv().ok()).collect();
    let site = crate::model::Scope::Site("fra1".into());
    assert!(
        sent.iter().any(|command| matches!(command, Command::Maintain { order, .. } if order.scope == site)),
        "{sent:?}"
    );
    console.app.overlays.clear();
    let none = console.press("G m").screen();
    assert!(none.contains("these hosts have no site: mark them, or give them one"), "{none}");
}

#[test]
fn hosts_without_any_site_teach_how_they_get_one() {
    let mut world = world();
    for host in &mut world.hosts {
        Arc::make_mut(&mut Arc::make_mut(host).host).site = None;
    }
    let screen = Console::new((100, 24), Arc::new(world), true).press(&typed("group site")).screen();
    assert!(screen.contains("no host has a site yet: site = \"NAME\" in its [[host]] gives it one"), "{screen}");
}

#[test]
fn a_site_is_a_column_and_a_filter() {
    let mut console = Console::new((120, 24), Arc::new(world()), true);
    let screen = console.press("2").screen();
    let row = screen.lines().find(|line| line.contains(" f2 ")).expect("a row");
    assert!(screen.contains(" site ") && row.contains(" fra1 "), "{screen}");
    let screen = console.press("/ s i t e : a m s 1 Enter").screen();
    assert_eq!(names(&screen), ["a1", "a2"], "{screen}");
    let refused = console.press(&typed("group rack")).screen();
    assert!(refused.contains("group by site, group or none"), "{refused}");
}
