//! The seam between engine and screen: commands one way, snapshots, notices and session bytes the other.
//! Channels and plain data, nothing else. Everything is bounded; operator commands have a lane of their
//! own and never wait behind observations.
//!
//! ```text
//!  ScreenEnd                                   EngineEnd
//!   commands   ──────── Command ────────────►   commands
//!   snapshots  ◄─────── Arc<Snapshot> ───────   snapshots   (watch: only the newest)
//!   notices    ◄─────── Notice ──────────────   notices
//!   SessionPipe.output ◄── bytes ──  per session ── SessionPipe.input ──►
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};

use crate::base::{Secret, Untrusted};
use crate::model::{
    AssetId, Desktop, Entry, EntryKind, IncidentId, Order, PackageComparison, Prompt, PromptId, Role, Session,
    SessionId, Stickiness, Target, Urgency,
};
use crate::state::Snapshot;

const COMMANDS: usize = 64;
const NOTICES: usize = 256;
/// What consoles of other processes ask and nobody has taken.
const VISITS: usize = 64;
/// Calls that one of them may be behind; then it misses the oldest.
const RINGS: usize = 16;
/// Chunks of session output that may wait for the screen; each at most 16 KiB.
pub const SESSION_CHUNKS: usize = 16;

/// The screen's name for one of its requests, so that the answer finds its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What an operator may ask of the engine.
#[derive(Debug)]
pub enum Command {
    /// Stop all polling, for everybody, until it is resumed. It holds at once, and lasts once it is on disk.
    Pause {
        ticket: Ticket,
        note: String,
    },
    /// Have it go on, whoever stopped it.
    Resume {
        ticket: Ticket,
    },
    /// Look at once, within what the check's pace allows.
    Recheck(AssetId),
    /// The operator confirmed what a waiting check waits for.
    Confirm(AssetId),
    /// Everything that was held back at discovery (more than 50 SSH hosts).
    ConfirmDiscovery,
    /// What is looked at on screen now is polled first.
    Focus(Option<AssetId>),
    /// Ask this device's ports as fast as its agent counts anew, for a while; `None` ends it.
    Watch(Option<AssetId>),
    /// Ask each second whether this host lives, for a while; or end that.
    WatchHost {
        asset: AssetId,
        watch: bool,
    },
    /// Ask two hosts what is installed there, and tell how they differ in it.
    ComparePackages {
        ticket: Ticket,
        pair: [AssetId; 2],
    },
    /// Add a host that is not in the inventory for the life of the process.
    OneOff {
        address: String,
    },
    OpenIncident {
        ticket: Ticket,
        title: String,
        urgency: Urgency,
    },
    AddEntry {
        ticket: Ticket,
        incident: IncidentId,
        kind: EntryKind,
        text: String,
        about: Option<String>,
    },
    /// Take a problem on, or hand it over: then the owner is somebody else. Answered like a note: it stands once it is on
    /// disk.
    Claim {
        ticket: Ticket,
        target: Target,
        /// `None` for whoever sits at this console.
        owner: Option<String>,
        note: String,
        lasts: Duration,
        stickiness: Stickiness,
        /// The claim of somebody else that is taken over; without it theirs stands, and who has it is said.
        over: Option<Arc<str>>,
    },
    /// Give a claim back.
    Release {
        ticket: Ticket,
        target: Target,
    },
    /// Order a maintenance window. Times are steady ones, as those of snapshots are.
    Maintain {
        ticket: Ticket,
        order: Order,
    },
    /// Take a window back that was ordered by command, or end it early.
    CancelMaintenance {
        ticket: Ticket,
        maintenance: Arc<str>,
    },
    OpenSession {
        asset: AssetId,
        columns: u16,
        rows: u16,
    },
    Answer {
        prompt: PromptId,
        answer: PromptAnswer,
    },
    /// Forget a session that has ended, or end it.
    CloseSession(SessionId),
    Shutdown,
}

impl Command {
    /// The least role that may have an engine do this.
    pub fn needs(&self) -> Role {
        match self {
            Self::Recheck(_)
            | Self::Watch(_)
            | Self::WatchHost { .. }
            | Self::OpenIncident { .. }
            | Self::AddEntry { .. }
            | Self::Claim { .. }
            | Self::Release { .. }
            | Self::Maintain { .. }
            | Self::CancelMaintenance { .. }
            // Whoever is awake may end what somebody has left standing.
            | Self::Resume { .. } => Role::Operate,
            Self::Pause { .. } | Self::Confirm(_) | Self::ConfirmDiscovery | Self::OneOff { .. } => Role::Admin,
            // Looking, side by side too; the last four are no engine's affair.
            Self::Focus(_)
            | Self::ComparePackages { .. }
            | Self::OpenSession { .. }
            | Self::Answer { .. }
            | Self::CloseSession(_)
            | Self::Shutdown => Role::View,
        }
    }
}

#[derive(Debug)]
pub enum PromptAnswer {
    Text(Secret<String>),
    Yes,
    Cancel,
}

/// Keys, replies and sizes for one session's remote side.
#[derive(Debug)]
pub enum SessionInput {
    Bytes(Vec<u8>),
    Resize { columns: u16, rows: u16 },
}

/// One session's two directions, handed to the screen when it is opened. `output` ends when the
/// session does.
#[derive(Debug)]
pub struct SessionPipe {
    pub id: SessionId,
    pub output: mpsc::Receiver<Vec<u8>>,
    pub input: mpsc::Sender<SessionInput>,
}

/// What the engine tells the screen beside snapshots.
#[derive(Debug)]
pub enum Notice {
    /// It is on disk now.
    Saved {
        ticket: Ticket,
        entry: Arc<Entry>,
    },
    /// It is not: the reason, and the text stays with the screen. Also what else a ticket was for and is not done.
    NotSaved {
        ticket: Ticket,
        reason: Arc<str>,
    },
    /// What became of [`Command::ComparePackages`].
    Packages {
        ticket: Ticket,
        comparison: Arc<PackageComparison>,
    },
    SessionOpened {
        session: Session,
        pipe: SessionPipe,
    },
    Prompt {
        session: SessionId,
        id: PromptId,
        prompt: Prompt,
    },
    PromptWithdrawn(PromptId),
    /// One line for the status bar.
    Message(Message),
    /// Ring the terminal's bell, with words where it can show them.
    Ring(Call),
    /// Show this object; it is in the inventory now.
    Reveal(AssetId),
}

/// What a terminal is to call out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub words: String,
    /// How it asks the desktop to show them.
    pub desktop: Desktop,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub weight: MessageWeight,
    pub text: Untrusted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageWeight {
    Note,
    Warning,
    Error,
}

/// Who asks: where the answers go, and in whose name is written.
#[derive(Clone, Debug)]
pub struct Asker {
    /// 0 is the console of the engine's own process.
    pub id: u64,
    pub notices: mpsc::Sender<Notice>,
    /// `None` for the user of this process.
    pub author: Option<Untrusted>,
}

impl Asker {
    /// The console of this process.
    pub fn own(notices: mpsc::Sender<Notice>) -> Self {
        Self { id: 0, notices, author: None }
    }
}

/// What the console of another process asks.
#[derive(Debug)]
pub struct Visit {
    pub asker: Asker,
    pub command: Command,
}

/// The end of those that attach consoles of other processes to an engine.
#[derive(Clone, Debug)]
pub struct Door {
    pub visits: mpsc::Sender<Visit>,
    rings: broadcast::Sender<Arc<Call>>,
}

/// The engine's end of that.
#[derive(Debug)]
pub struct Visitors {
    pub visits: mpsc::Receiver<Visit>,
    rings: broadcast::Sender<Arc<Call>>,
}

/// Both.
pub fn visitors() -> (Door, Visitors) {
    let (sender, visits) = mpsc::channel(VISITS);
    let rings = broadcast::Sender::new(RINGS);
    (Door { visits: sender, rings: rings.clone() }, Visitors { visits, rings })
}

impl Door {
    /// Every [`Notice::Ring`] from now on.
    pub fn rings(&self) -> broadcast::Receiver<Arc<Call>> {
        self.rings.subscribe()
    }
}

impl Visitors {
    /// Calls everybody who is attached. Where nobody is, nobody hears it.
    pub fn ring(&self, call: &Call) {
        let _ = self.rings.send(Arc::new(call.clone()));
    }
}

/// What a screen shows of hosts and jobs, for an engine that cannot tell it all at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InView {
    /// What is shown as a whole: the detail, the device whose ports are listed.
    pub opened: Vec<AssetId>,
    /// What has a row.
    pub rows: Vec<AssetId>,
}

/// The screen's end.
#[derive(Debug)]
pub struct ScreenEnd {
    pub commands: mpsc::Sender<Command>,
    pub in_view: watch::Sender<InView>,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub notices: mpsc::Receiver<Notice>,
}

/// The end of one who only looks. Nothing can be asked from here: there is nothing to send a command with, and no other end
/// that would take one.
#[derive(Debug)]
pub struct ViewEnd {
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
}

/// What comes from the screen.
#[derive(Debug)]
pub struct Commands(Option<mpsc::Receiver<Command>>);

impl Commands {
    /// The next one; `None` when the screen is gone. Nothing ever comes from a view.
    pub async fn recv(&mut self) -> Option<Command> {
        match &mut self.0 {
            Some(commands) => commands.recv().await,
            None => std::future::pending().await,
        }
    }
}

/// The engine's end.
#[derive(Debug)]
pub struct EngineEnd {
    pub commands: Commands,
    /// Of use to an engine elsewhere: what is told in this process is told as a whole.
    pub in_view: watch::Receiver<InView>,
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    pub notices: mpsc::Sender<Notice>,
}

pub fn pair(first: Arc<Snapshot>) -> (ScreenEnd, EngineEnd) {
    let (command_tx, command_rx) = mpsc::channel(COMMANDS);
    let (notice_tx, notice_rx) = mpsc::channel(NOTICES);
    let (snapshot_tx, snapshot_rx) = watch::channel(first);
    let (shown, in_view) = watch::channel(InView::default());
    (
        ScreenEnd { commands: command_tx, in_view: shown, snapshots: snapshot_rx, notices: notice_rx },
        EngineEnd { commands: Commands(Some(command_rx)), in_view, snapshots: snapshot_tx, notices: notice_tx },
    )
}

/// For a screen without an operator: snapshots one way, and nothing the other.
pub fn view(first: Arc<Snapshot>) -> (ViewEnd, EngineEnd) {
    let (notice_tx, _) = mpsc::channel(1);
    let (snapshot_tx, snapshot_rx) = watch::channel(first);
    let (_, in_view) = watch::channel(InView::default());
    let end = EngineEnd { commands: Commands(None), in_view, snapshots: snapshot_tx, notices: notice_tx };
    (ViewEnd { snapshots: snapshot_rx }, end)
}

/// A new session's two ends: for the screen, and (output, input) for the engine.
pub fn session_pipe(id: SessionId) -> (SessionPipe, mpsc::Sender<Vec<u8>>, mpsc::Receiver<SessionInput>) {
    let (output_tx, output_rx) = mpsc::channel(SESSION_CHUNKS);
    let (input_tx, input_rx) = mpsc::channel(COMMANDS);
    (SessionPipe { id, output: output_rx, input: input_tx }, output_tx, input_rx)
}
