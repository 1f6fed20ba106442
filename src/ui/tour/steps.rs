//! The steps of the tour, as data: what is said, when it is done, and what has to be there for it. Whether a step is done is
//! read from the console itself, never from the keys that were pressed.
//!
//! In a text `{open}` stands for the key of that action as it is bound now; `{cause}`, `{hidden}` and `{host}` for what the
//! simulated network has.

use super::scene::Scene;
use crate::model::EntryKind;
use crate::ui::overlays::Overlay;
use crate::ui::panes::{PaneKind, ScreenId, Selected};

/// One step. Texts are one or two plain sentences.
#[derive(Debug)]
pub struct Step {
    pub title: &'static str,
    pub text: &'static str,
    /// What the operator has done then, in a few words.
    pub learnt: &'static str,
    pub done: fn(&Scene<'_>) -> bool,
    /// Whether what it talks about is there.
    pub possible: fn(&Scene<'_>) -> bool,
    /// Said while it is not.
    pub missing: &'static str,
}

/// In this order; five minutes for who reads all of it.
pub const STEPS: [Step; 14] = [
    Step {
        title: "Problems first",
        text: "All of this is simulated: nothing you do here reaches your network. PROBLEMS has the worst first, over \
               everything that is watched; {down} and {up} move.",
        learnt: "read the problems",
        done: |scene| scene.app.focus == PaneKind::Problems && scene.app.list(PaneKind::Problems).selected > 0,
        possible: |scene| scene.cause().is_some() && scene.app.snapshot.problems.len() > 1,
        missing: "All of this is simulated: nothing you do here reaches your network. It has just started; something breaks \
                  in a few seconds.",
    },
    Step {
        title: "The root cause",
        text: "{cause} has {hidden} others hidden behind it: they are not down, they cannot be reached. Go to it ({overview}, \
               {up}) and open it with {open}.",
        learnt: "opened the cause",
        done: |scene| scene.cause().is_some_and(|cause| scene.opened(&Selected::Host(cause.asset.clone()))),
        possible: |scene| scene.cause().is_some(),
        missing: "No problem hides others at the moment.",
    },
    Step {
        title: "Take it on",
        text: "Esc goes back. Claim the problem with {claim}: type a note, Tab goes to how long it lasts, Enter saves. \
               Your name then stands at it.",
        learnt: "claimed it",
        done: |scene| scene.app.snapshot.acks.keys().any(|target| !scene.begun.claimed.contains(target)),
        possible: |scene| !scene.app.snapshot.problems.is_empty(),
        missing: "Nothing is wrong at the moment, so there is nothing to claim.",
    },
    Step {
        title: "What is hidden",
        text: "{hosts} lists all hosts, hidden ones too. {filter} narrows the list as you type: state:unreachable, then \
               Enter. A ! before a word inverts it.",
        learnt: "filtered the hosts",
        done: |scene| {
            let app = scene.app;
            let shown = app.list(PaneKind::Hosts).order.len();
            let narrowed = !app.filter.is_empty() && shown > 0 && shown < app.snapshot.hosts.len();
            app.screen == ScreenId::Hosts && app.asking.is_none() && narrowed
        },
        possible: |scene| scene.app.snapshot.hosts.len() > 1,
        missing: "There are not enough hosts to filter.",
    },
    Step {
        title: "Jump to anything",
        text: "Esc clears the filter. {palette} finds any object or action from anywhere by a few letters: type {host}, then \
               Enter.",
        learnt: "jumped to a host",
        done: |scene| scene.host.is_some_and(|host| scene.opened(&Selected::Host(host.clone()))),
        possible: |scene| scene.host.is_some(),
        missing: "No host answers at the moment.",
    },
    Step {
        title: "Watch a host",
        text: "{watch} asks {host} each second while you work on it; the same key ends that, and it ends by itself.",
        learnt: "watched a host",
        done: |scene| !scene.app.snapshot.engine.hosts_watched.is_empty(),
        possible: |scene| scene.host.is_some(),
        missing: "No host answers at the moment.",
    },
    Step {
        title: "Along the cable",
        text: "{follow} goes from {host} to the switch port it hangs on, and from a port to what hangs there. \
               {last_place} comes back.",
        learnt: "followed a cable",
        done: |scene| scene.app.screen == ScreenId::Ports && scene.app.selected_port().is_some(),
        possible: |scene| scene.host.is_some() && scene.host_hangs(),
        missing: "The switches have not said yet where {host} hangs.",
    },
    Step {
        title: "The faceplate",
        text: "This is the front of the switch, a glyph for each port; the table below has the figures. {left} and {right} \
               walk along it.",
        learnt: "walked along a switch",
        done: |scene| {
            let port = scene.port();
            scene.app.screen == ScreenId::Ports && port.is_some() && port != scene.begun.port
        },
        possible: |scene| !scene.app.snapshot.devices.is_empty(),
        missing: "No switch answers at the moment.",
    },
    Step {
        title: "Backups",
        text: "{backups} has the backups: how old the newest restore point is, and how old it may be. Open one with {open}.",
        learnt: "opened a backup",
        done: |scene| matches!(scene.top(), Some(Overlay::Detail { selected: Selected::Job(_), .. })),
        possible: |scene| !scene.app.snapshot.jobs.is_empty(),
        missing: "No backup is watched here.",
    },
    Step {
        title: "A shell",
        text: "Esc, then {hosts}: on {host}, {shell} opens a shell in a pane. Look around with \"help\"; Ctrl+\\ comes back, \
               and the shell stays open.",
        learnt: "used a shell",
        done: |scene| !scene.app.typing && scene.app.sessions.len() > scene.begun.sessions,
        possible: |scene| scene.host.is_some(),
        missing: "No host answers at the moment.",
    },
    Step {
        title: "Incident notes",
        text: "{open_incident} opens an incident: type a title, then Enter. Then {note} writes a note from anywhere; \"saved\" \
               means that it is on disk.",
        learnt: "wrote a note",
        done: |scene| scene.notes() > scene.begun.notes,
        possible: |_| true,
        missing: "",
    },
    Step {
        title: "The log",
        text: "{log} has what was said, what devices told by themselves, and what is not watched and why.",
        learnt: "read the log",
        done: |scene| scene.app.screen == ScreenId::Log,
        possible: |_| true,
        missing: "",
    },
    Step {
        title: "Hold it still",
        text: "{freeze} holds the picture still while you read or copy; the header counts how old it is, and the same key \
               lets it go on.",
        learnt: "froze the picture",
        done: |scene| scene.app.frozen.is_some(),
        possible: |_| true,
        missing: "",
    },
    Step {
        title: "All the keys",
        text: "{freeze} lets a picture go on that stands still. {help} lists every key as it is bound now, and {command_line} takes every \
               action by its name.",
        learnt: "found the keys",
        done: |scene| matches!(scene.top(), Some(Overlay::Help(_))),
        possible: |_| true,
        missing: "",
    },
];

/// After the last step.
pub const END: &str = "That was all of it. {tour_end} or :tour end leaves; :tour comes back at any time.";

/// Entries that count as notes.
pub fn is_note(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Note | EntryKind::Decision | EntryKind::Action | EntryKind::Hypothesis)
}
