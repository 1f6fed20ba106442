//! Everything that a key, a command or the palette can do, in one table: help, palette and keymap are made of it.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Overview,
    Hosts,
    Ports,
    Backups,
    Incident,
    Sessions,
    Log,
    NextPane,
    PreviousPane,
    Zoom,
    Help,
    CommandLine,
    Filter,
    Palette,
    Back,
    Quit,
    Cancel,
    Suspend,
    Down,
    Up,
    Top,
    Bottom,
    HalfPageDown,
    HalfPageUp,
    PageDown,
    PageUp,
    Left,
    Right,
    Open,
    Columns,
    SortNext,
    SortPrevious,
    Watch,
    Follow,
    LastPlace,
    Compare,
    Shell,
    EndSession,
    Resort,
    Recheck,
    ProblemsOnly,
    Pause,
    OpenIncident,
    Note,
    Decision,
    ActionItem,
    Hypothesis,
    Claim,
    Release,
    Maintain,
}

/// An action, its name in the keymap, and what it does.
pub const ACTIONS: &[(Action, &str, &str)] = &[
    (Action::Overview, "overview", "the overview: problems, hosts, ports, backups, incident"),
    (Action::Hosts, "hosts", "all hosts"),
    (Action::Ports, "ports", "switches and their ports"),
    (Action::Backups, "backups", "all backups"),
    (Action::Incident, "incident", "the incident's journal"),
    (Action::Sessions, "sessions", "the shells that are open"),
    (Action::Log, "log", "messages, and what is not watched"),
    (Action::NextPane, "next_pane", "next pane"),
    (Action::PreviousPane, "previous_pane", "previous pane"),
    (Action::Zoom, "zoom", "the focused pane alone, and back"),
    (Action::Help, "help", "the keys"),
    (Action::CommandLine, "command_line", "a command"),
    (
        Action::Filter,
        "filter",
        "filter: text !text ~fuzzy state:down tag:core vlan:10 mac:0011 ip:10.0.0.5 neighbor:sw",
    ),
    (Action::Palette, "palette", "find an action or an object"),
    (Action::Back, "back", "close, clear the filter, go back"),
    (Action::Quit, "quit", "leave; asks first"),
    (Action::Cancel, "cancel", "cancel what is under way; never leaves"),
    (Action::Suspend, "suspend", "stop, back to the shell; fg comes back"),
    (Action::Down, "down", "one row down"),
    (Action::Up, "up", "one row up"),
    (Action::Top, "top", "the first row"),
    (Action::Bottom, "bottom", "the last row"),
    (Action::HalfPageDown, "half_page_down", "half a page down"),
    (Action::HalfPageUp, "half_page_up", "half a page up"),
    (Action::PageDown, "page_down", "a page down"),
    (Action::PageUp, "page_up", "a page up"),
    (Action::Left, "left", "the port to the left on the faceplate"),
    (Action::Right, "right", "the port to the right on the faceplate"),
    (Action::Columns, "columns", "the columns of the port table, and what it is sorted by"),
    (Action::SortNext, "sort_next", "sort the port table by the next column"),
    (Action::SortPrevious, "sort_previous", "sort the port table by the column before"),
    (
        Action::Watch,
        "watch",
        "watch: ask the host each second, or the port's device as fast as it counts anew; and stop",
    ),
    (Action::Follow, "follow", "along the cable: from a host to its switch port, from a port to what hangs there"),
    (Action::LastPlace, "last_place", "back to where the last jump began"),
    (Action::Compare, "compare", "two hosts side by side: on the one, then on the other"),
    (Action::Open, "open", "everything about the selected row"),
    (Action::Shell, "shell", "a shell on the selected host"),
    (Action::EndSession, "end_session", "end the selected session; asks while it runs"),
    (Action::Resort, "resort", "sort the list anew, and go to its top"),
    (Action::Recheck, "recheck", "ask the selected object now; confirm a backup that waits"),
    (Action::ProblemsOnly, "problems_only", "problems only, and back"),
    (Action::Pause, "pause", "stop all polling, and resume"),
    (Action::OpenIncident, "open_incident", "open an incident"),
    (Action::Note, "note", "a note to the open incident"),
    (Action::Decision, "decision", "a decision to the open incident"),
    (Action::ActionItem, "action_item", "an action to the open incident"),
    (Action::Hypothesis, "hypothesis", "a hypothesis to the open incident"),
    (Action::Claim, "claim", "acknowledge: take the problem on, or hand it over"),
    (Action::Release, "release", "give a claimed problem back; else end its maintenance"),
    (Action::Maintain, "maintain", "maintenance: work on it for a time, announcing nothing"),
];

impl Action {
    pub fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|(_, n, _)| *n == name).map(|(action, _, _)| *action)
    }

    pub fn name(self) -> &'static str {
        ACTIONS.iter().find(|(action, _, _)| *action == self).map_or("", |(_, name, _)| name)
    }

    /// All names, for the keymap.
    pub fn names() -> Vec<&'static str> {
        ACTIONS.iter().map(|(_, name, _)| *name).collect()
    }
}
