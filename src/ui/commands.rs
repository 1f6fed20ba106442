//! The command line: every action by its name, and what needs an argument.

use super::action::{ACTIONS, Action};
use super::app::App;
use super::grouping::GroupBy;
use super::overlays::Overlay;
use super::panes::{PaneKind, ScreenId};
use super::run::Exit;
use super::themes::Outcome;
use super::tour::Wish;
use crate::base::options::nearest;
use crate::bus::{Command, MessageWeight};
use crate::model::{AssetId, EntryKind};

/// Words that are offered while a command is typed.
const OFFERED: usize = 20;

/// Commands with an argument, and what they do.
pub const COMMANDS: [(&str, &str); 20] = [
    ("host", "open a host or a backup by name"),
    ("look", "look at an address that is not in the inventory"),
    ("note", "write a note to the open incident"),
    ("open", "open an incident with a title"),
    ("close", "close the open incident, with a last word"),
    ("handover", "what whoever comes next has to know, as Markdown; copy or save does without showing it"),
    ("ssh", "a shell on a host, in a pane"),
    ("ssh!", "a shell by the system's own ssh"),
    ("recheck", "ask an object now"),
    (
        "copy",
        "table: copy all rows of the list, tabs between their cells; screen: what is seen; alone, the name of the selected row",
    ),
    ("resume", "resume polling"),
    ("discover", "all: watch every host of ~/.ssh/config"),
    ("group", "site, group or none: gather the hosts; alone, the next of them"),
    ("layout", "where the panes stand, by name; alone it says which there are"),
    ("view", "NAME, save NAME or delete NAME: a screen, its filter, order, columns and grouping; alone lists them"),
    ("mouse", "on or off; alone it changes that. Off, or with Shift held, the terminal marks text"),
    ("theme", "auto, or a theme by name; alone it lists them, and shows each as it is selected"),
    ("tour", "a tour of five minutes on a simulated network; again, next, back, end"),
    ("q", "leave; asks first"),
    ("q!", "leave at once"),
];

/// What a key may be bound to: actions by their names, and commands with `:` before them.
pub fn bindable() -> Vec<String> {
    let actions = Action::names().into_iter().map(str::to_owned);
    actions.chain(COMMANDS.iter().map(|(name, _)| format!(":{name}"))).collect()
}

pub fn run(app: &mut App, text: &str) {
    let (word, rest) = text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim()));
    match word {
        "q" | "quit" if rest.is_empty() => app.overlays.push(Overlay::Quit),
        "q!" if rest.is_empty() => app.set_exit(Exit::Quit),
        "host" | "ports" | "backup" if !rest.is_empty() => match app.find(rest) {
            Some(asset) if word == "ports" && app.snapshot.device(&asset).is_some() => {
                app.leave_view();
                app.show_device(&asset);
            }
            Some(asset) => {
                app.leave_place();
                app.reveal(&asset);
            }
            None => app
                .say(MessageWeight::Warning, format!("nothing is called \"{rest}\"; :look {rest} looks at an address")),
        },
        "look" if !rest.is_empty() => {
            app.send(Command::OneOff { address: rest.to_owned() });
        }
        "note" if !rest.is_empty() => note(app, rest),
        "open" => {
            if app.allows(Action::OpenIncident.needs()) {
                app.overlays.push(Overlay::open_incident(rest));
            }
        }
        "close" => close(app, rest),
        "handover" => app.handover(rest),
        "ssh" => shell(app, Some(rest).filter(|r| !r.is_empty())),
        "ssh!" => system_shell(app, Some(rest).filter(|r| !r.is_empty())),
        "recheck" if !rest.is_empty() => match app.find(rest) {
            Some(asset) => app.recheck(&asset),
            None => app.say(MessageWeight::Warning, format!("nothing is called \"{rest}\"")),
        },
        "pause" if rest.is_empty() => app.pause(),
        "pause" => {
            let ticket = app.ticket();
            app.send(Command::Pause { ticket, note: rest.to_owned() });
        }
        "resume" if rest.is_empty() => app.resume(),
        "discover" if rest == "all" => {
            if app.send(Command::ConfirmDiscovery) {
                app.say(MessageWeight::Note, "every host of ~/.ssh/config is watched from now on");
            }
        }
        "copy" if rest == "table" => app.copy_table(),
        "copy" if rest == "screen" => app.copy_screen(),
        "group" if !rest.is_empty() => match GroupBy::named(rest) {
            Some(by) => group(app, by),
            None => app.say(MessageWeight::Warning, "group by site, group or none"),
        },
        "view" => app.view_command(rest),
        "layout" => app.layout_command(rest),
        "mouse" => match app.mouse_command(rest) {
            Ok(words) => app.say(MessageWeight::Note, words),
            Err(words) => app.say(MessageWeight::Warning, words),
        },
        "theme" => set_theme(app, rest),
        "tour" => match Wish::named(rest) {
            Some(wish) => app.tour_wish = Some(wish),
            None => app.say(MessageWeight::Warning, ":tour begins or goes on; then again, next, back or end"),
        },
        // As on the command line.
        "ack" if rest.is_empty() => app.act(Action::Claim),
        _ => match Action::named(word) {
            Some(action) if rest.is_empty() => app.act(action),
            action => {
                let words = refusal(app, word, rest, action.is_some());
                app.say(MessageWeight::Warning, words);
            }
        },
    }
}

/// Why nothing was done, and what could be typed instead.
fn refusal(app: &App, word: &str, rest: &str, is_action: bool) -> String {
    match word {
        "host" | "backup" => return format!(":{word} NAME opens it; Tab completes names"),
        "look" => return ":look ADDRESS looks at an address that is not in the inventory".to_owned(),
        "discover" => return ":discover all watches every host of ~/.ssh/config".to_owned(),
        "copy" => return format!("copy what? :copy table or :copy screen, and not \"{rest}\""),
        _ if is_action || COMMANDS.iter().any(|(name, _)| *name == word) => {
            return format!(":{word} takes nothing behind it, and not \"{rest}\"");
        }
        _ => {}
    }
    let known = COMMANDS.iter().map(|(name, _)| *name).chain(ACTIONS.iter().map(|(_, name, _)| *name));
    match nearest(word, known) {
        Some(near) => format!("no such command: {word}; did you mean :{near}?"),
        None => format!("no such command: {word}; {} lists the keys, Tab completes", app.key_of(Action::Help)),
    }
}

fn note(app: &mut App, text: &str) {
    if !app.allows(Action::Note.needs()) {
        return;
    }
    match app.live().open_incident().map(|i| i.id) {
        Some(incident) => {
            let about = app.asset_looked_at().map(|a| a.as_str().to_owned());
            app.append_at_once(incident, EntryKind::Note, text, about);
        }
        None => app.say(MessageWeight::Warning, "no incident is open: :open TITLE opens one"),
    }
}

fn close(app: &mut App, text: &str) {
    if !app.allows(Action::Note.needs()) {
        return;
    }
    match app.live().open_incident().map(|i| i.id) {
        Some(incident) => app.append_at_once(incident, EntryKind::Closed, text, None),
        None => app.say(MessageWeight::Warning, "no incident is open"),
    }
}

pub(super) fn group(app: &mut App, by: GroupBy) {
    app.go(ScreenId::Hosts);
    app.focus = PaneKind::Hosts;
    app.group_hosts(by);
    if let Some(what) = app.is_ungrouped() {
        let words = format!("no host has a {what} yet: {what} = \"NAME\" in its [[host]] gives it one");
        app.say(MessageWeight::Note, words);
    }
}

fn set_theme(app: &mut App, name: &str) {
    if name.is_empty() {
        app.overlays.push(Overlay::themes(app));
        return;
    }
    match app.themes.choose(name) {
        Outcome::Shown => app.look = app.themes.look(),
        Outcome::Awaited => {}
        Outcome::Unknown(words) => app.say(MessageWeight::Warning, words),
    }
}

/// A shell on the named or selected host, in a pane of the console.
pub fn shell(app: &mut App, name: Option<&str>) {
    match target(app, name) {
        Some((asset, Some(_))) => app.open_session(asset),
        Some((_, None)) => app.say(MessageWeight::Note, "this machine needs no SSH"),
        None => app.say(MessageWeight::Note, "no such host: select one, or :ssh! NAME for the system's ssh"),
    }
}

/// The same by the system's own ssh, for what ours cannot do: the screen steps aside.
fn system_shell(app: &mut App, name: Option<&str>) {
    match (target(app, name), name) {
        (Some((_, Some(destination))), _) => run_system_ssh(app, &destination),
        (Some((_, None)), _) => app.say(MessageWeight::Note, "this machine needs no SSH"),
        (None, Some(name)) => run_system_ssh(app, name),
        (None, None) => app.say(MessageWeight::Note, "select a host first"),
    }
}

/// The named or selected host, and what SSH should call.
fn target(app: &App, name: Option<&str>) -> Option<(AssetId, Option<std::sync::Arc<str>>)> {
    let asset = match name {
        Some(name) => app.find(name),
        None => app.asset_looked_at(),
    }?;
    let host = app.snapshot.host(&asset)?.host.clone();
    Some((asset, host.ssh_alias.clone().or_else(|| host.address.clone())))
}

/// The screen steps aside for it. `--` keeps a hostile name from being an option.
pub fn run_system_ssh(app: &mut App, destination: &str) {
    let mut argv = app.system_ssh.clone();
    argv.extend(["--".to_owned(), destination.to_owned()]);
    app.set_exit(Exit::Foreground(argv));
}

/// What a text may become, whole.
fn candidates<'a>(app: &'a App, text: &'a str) -> Box<dyn Iterator<Item = String> + 'a> {
    let Some((word, rest)) = text.split_once(' ') else {
        let commands = COMMANDS.iter().map(|(name, _)| *name);
        let is_command = |name: &&str| COMMANDS.iter().any(|(command, _)| command == name);
        let names = commands.chain(ACTIONS.iter().map(|(_, name, _)| *name).filter(move |name| !is_command(name)));
        return Box::new(names.filter(move |n| begins(n, text)).map(str::to_owned));
    };
    let names: Box<dyn Iterator<Item = String> + 'a> = match word {
        "handover" => Box::new(["copy", "save"].into_iter().map(str::to_owned)),
        "copy" => Box::new(["table", "screen"].into_iter().map(str::to_owned)),
        "mouse" => Box::new(["on", "off"].into_iter().map(str::to_owned)),
        "group" => Box::new(GroupBy::NAMES.iter().map(|(name, _)| (*name).to_owned())),
        "tour" => Box::new(Wish::NAMES.iter().map(|(name, _)| (*name).to_owned())),
        "view" => {
            let views = app.views.all().iter();
            let own = views.clone().filter(|view| view.place.is_none()).map(|view| format!("delete {}", view.name));
            let words = ["save ".to_owned(), "delete ".to_owned()];
            let again = own.clone().map(|name| name.replacen("delete", "save!", 1));
            Box::new(views.map(|view| view.name.clone()).chain(words).chain(own).chain(again))
        }
        "layout" => Box::new(app.layouts.names().map(str::to_owned)),
        "theme" => Box::new(app.themes.names().into_iter().map(str::to_owned)),
        "host" | "ports" | "backup" | "ssh" | "ssh!" | "recheck" => {
            let hosts = app.snapshot.hosts.iter().map(|host| host.host.name.to_string());
            Box::new(hosts.chain(app.snapshot.jobs.iter().map(|job| job.job.name.to_string())))
        }
        _ => Box::new(std::iter::empty()),
    };
    Box::new(names.filter(move |name| begins(name, rest)).map(move |name| format!("{word} {name}")))
}

/// Whether a name begins so, in capitals or not.
fn begins(name: &str, typed: &str) -> bool {
    name.get(..typed.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
}

/// The text with its last word completed as far as that is certain.
pub fn complete(app: &App, text: &str) -> String {
    let candidates: Vec<String> = candidates(app, text).collect();
    let Some(first) = candidates.first() else { return text.to_owned() };
    let mut common = first.len();
    for other in &candidates {
        let same = first.bytes().zip(other.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        common = common.min(same);
    }
    while !first.is_char_boundary(common) {
        common -= 1;
    }
    first[..common.max(text.len().min(first.len()))].to_owned()
}

/// The words that Tab chooses from, as many as a line could show; none where there is one only, which stands there already.
pub fn offers(app: &App, text: &str) -> Vec<String> {
    // A name may have blanks: what is offered is the whole of it.
    let said = text.find(' ').map_or(0, |at| at + 1);
    let found = candidates(app, text).filter(|whole| whole != text);
    found.filter_map(|whole| whole.get(said..).map(str::to_owned)).take(OFFERED).collect()
}

/// The names of all objects, for the palette.
pub fn objects(app: &App) -> Vec<(String, AssetId)> {
    let hosts = app.snapshot.hosts.iter().map(|h| (h.host.name.to_string(), h.host.id.clone()));
    let jobs = app.snapshot.jobs.iter().map(|j| (j.job.name.to_string(), j.job.id.clone()));
    hosts.chain(jobs).collect()
}
