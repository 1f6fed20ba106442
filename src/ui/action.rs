//! Everything that a key, a command or the palette can do, in one table: help, palette and keymap are made of it.

use crate::model::Role;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Overview,
    Hosts,
    Ports,
    Backups,
    Incident,
    Sessions,
    Log,
    Wall,
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
    Redraw,
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
    History,
    Runbook,
    Columns,
    SortNext,
    SortPrevious,
    Mark,
    MarkRange,
    MarkAll,
    Watch,
    Follow,
    LastPlace,
    NextPlace,
    Compare,
    Shell,
    EndSession,
    Copy,
    CopyRow,
    Freeze,
    Resort,
    Recheck,
    Group,
    Layout,
    ProblemsOnly,
    Expand,
    Pause,
    OpenIncident,
    Note,
    Decision,
    ActionItem,
    Hypothesis,
    Claim,
    Release,
    Maintain,
    TourNext,
    TourBack,
    TourEnd,
}

/// An action, its name in the keymap, and what it does.
pub const ACTIONS: &[(Action, &str, &str)] = &[
    (Action::Overview, "overview", "the overview: problems, hosts, ports, backups, incident"),
    (Action::Hosts, "hosts", "all hosts"),
    (Action::Ports, "ports", "switches and their ports"),
    (Action::Backups, "backups", "all backups"),
    (Action::Incident, "incident", "the incident's journal"),
    (Action::Sessions, "sessions", "the shells that are open"),
    (Action::Log, "log", "the log: what happened, what was done, and what is not watched"),
    (Action::Wall, "wall", "the wall over the whole screen: its pages turn by themselves, any key comes back"),
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
    (Action::Redraw, "redraw", "draw everything anew: somebody else has written on the screen"),
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
    (Action::Columns, "columns", "what the list is sorted by; of the port table also its columns"),
    (Action::SortNext, "sort_next", "sort the list by the next column"),
    (Action::SortPrevious, "sort_previous", "sort the list by the column before"),
    (
        Action::Mark,
        "mark",
        "mark the row, or take its mark away: claim, give back, maintain, recheck, watch and copy act on all",
    ),
    (Action::MarkRange, "mark_range", "mark from the row that was marked last to this one"),
    (Action::MarkAll, "mark_all", "mark all that the list shows, and none of them"),
    (
        Action::Watch,
        "watch",
        "watch: ask the host each second, or the port's device as fast as it counts anew; and stop",
    ),
    (
        Action::Follow,
        "follow",
        "along the cable: from a host to its switch port, from a port to what hangs there; from a backup to what it protects, from an entry to what it is about",
    ),
    (Action::LastPlace, "last_place", "back to the place before: another screen, a view, where a jump began"),
    (Action::NextPlace, "next_place", "on again, after going back"),
    (Action::Compare, "compare", "two hosts side by side: on the one, then on the other; or the two that are marked"),
    (Action::History, "history", "what happened to the selected object: its part of the log"),
    (Action::Runbook, "runbook", "the runbook of the selected host or backup: what to do"),
    (Action::Open, "open", "everything about the selected row"),
    (Action::Shell, "shell", "a shell on the selected host"),
    (Action::EndSession, "end_session", "end the selected session; asks while it runs"),
    (Action::Copy, "copy", "copy the name of the selected row"),
    (Action::CopyRow, "copy_row", "copy the selected row, tabs between its cells; of what is read, all of it"),
    (Action::Freeze, "freeze", "hold the picture still, and let it go on"),
    (Action::Resort, "resort", "sort the list anew, and go to its top"),
    (Action::Recheck, "recheck", "ask the selected object now; confirm a backup that waits"),
    (Action::Group, "group", "gather the hosts by site, by group, not at all"),
    (Action::Layout, "layout", "the next layout: where the panes stand"),
    (Action::ProblemsOnly, "problems_only", "problems only, and back"),
    (Action::Expand, "expand", "what is hidden behind the problem as rows below it, and away again"),
    (Action::Pause, "pause", "stop all polling, and resume"),
    (Action::OpenIncident, "open_incident", "open an incident"),
    (Action::Note, "note", "a note to the open incident"),
    (Action::Decision, "decision", "a decision to the open incident"),
    (Action::ActionItem, "action_item", "an action to the open incident"),
    (Action::Hypothesis, "hypothesis", "a hypothesis to the open incident"),
    (Action::Claim, "claim", "acknowledge: take the problem on, or hand it over"),
    (Action::Release, "release", "give a claimed problem back; else end its maintenance"),
    (Action::Maintain, "maintain", "maintenance: work on it for a time, announcing nothing"),
    (Action::TourNext, "tour_next", "in the tour: the next step"),
    (Action::TourBack, "tour_back", "in the tour: the step before"),
    (Action::TourEnd, "tour_end", "leave the tour"),
];

impl Action {
    pub fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|(_, n, _)| *n == name).map(|(action, _, _)| *action)
    }

    pub fn name(self) -> &'static str {
        ACTIONS.iter().find(|(action, _, _)| *action == self).map_or("", |(_, name, _)| name)
    }

    /// Whether it turns to a screen.
    pub fn is_screen(self) -> bool {
        use Action::{Backups, Hosts, Incident, Log, Overview, Ports, Sessions};
        matches!(self, Overview | Hosts | Ports | Backups | Incident | Sessions | Log)
    }

    /// The least role that may have this done by an engine of several users. To stop polling takes more than to resume it.
    pub fn needs(self) -> Role {
        match self {
            Self::Watch
            | Self::Recheck
            | Self::Pause
            | Self::OpenIncident
            | Self::Note
            | Self::Decision
            | Self::ActionItem
            | Self::Hypothesis
            | Self::Claim
            | Self::Release
            | Self::Maintain => Role::Operate,
            Self::Overview
            | Self::Hosts
            | Self::Ports
            | Self::Backups
            | Self::Incident
            | Self::Sessions
            | Self::Log
            | Self::Wall
            | Self::NextPane
            | Self::PreviousPane
            | Self::Zoom
            | Self::Help
            | Self::CommandLine
            | Self::Filter
            | Self::Palette
            | Self::Back
            | Self::Quit
            | Self::Cancel
            | Self::Suspend
            | Self::Redraw
            | Self::Down
            | Self::Up
            | Self::Top
            | Self::Bottom
            | Self::HalfPageDown
            | Self::HalfPageUp
            | Self::PageDown
            | Self::PageUp
            | Self::Left
            | Self::Right
            | Self::Open
            | Self::History
            | Self::Runbook
            | Self::Columns
            | Self::SortNext
            | Self::SortPrevious
            | Self::Mark
            | Self::MarkRange
            | Self::MarkAll
            | Self::Follow
            | Self::LastPlace
            | Self::NextPlace
            | Self::Compare
            | Self::Shell
            | Self::EndSession
            | Self::Copy
            | Self::CopyRow
            | Self::Freeze
            | Self::Resort
            | Self::Group
            | Self::Layout
            | Self::ProblemsOnly
            | Self::Expand
            | Self::TourNext
            | Self::TourBack
            | Self::TourEnd => Role::View,
        }
    }

    /// All names, for the keymap.
    pub fn names() -> Vec<&'static str> {
        ACTIONS.iter().map(|(_, name, _)| *name).collect()
    }
}
