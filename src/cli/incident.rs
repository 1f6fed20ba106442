//! `noctty incident`: open, note, read and hand over incidents, beside a running console or without one. "saved" is
//! printed when the entry is on the disk; where it cannot be saved, the text is kept and that is said.

mod editor;
mod export;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::{Result, WrapErr as _, bail, eyre};

use super::{Globals, UNKNOWN, complain, state_dir};
use crate::base::{Clock, Untrusted};
use crate::journal::{self, Contents, Draft, Journal, JournalError};
use crate::model::{Entry, EntryKind, Incident, IncidentId, IncidentStatus, Urgency};
use crate::report::incident as report;

/// More than any note may have, so that the refusal can say how long it was.
const STDIN_LIMIT: u64 = 16 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub struct IncidentArgs {
    #[command(subcommand)]
    command: IncidentCommand,
    /// One JSON object (noctty.incident/1) instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Who writes; default: the user
    #[arg(long, global = true, value_name = "NAME", env = "NOCTTY_AUTHOR")]
    author: Option<OsString>,
}

#[derive(Debug, clap::Subcommand)]
enum IncidentCommand {
    /// Open an incident; prints its number
    Open {
        title: OsString,
        /// SEV1 (worst) to SEV5
        #[arg(long, short, value_name = "SEV", default_value = "SEV3", value_parser = urgency)]
        urgency: Urgency,
        /// The host, port or backup it is about
        #[arg(long, value_name = "OBJECT")]
        about: Option<OsString>,
    },
    /// All incidents, newest first
    List {
        /// Only those that are open
        #[arg(long)]
        open: bool,
    },
    /// One incident with its timeline
    Show {
        #[arg(value_parser = incident_id)]
        incident: IncidentId,
    },
    /// Add a note; prints "saved" when it is on the disk
    Note {
        #[arg(value_parser = incident_id)]
        incident: IncidentId,
        /// The text; - reads standard input; without it $VISUAL or $EDITOR opens
        text: Option<OsString>,
        /// note, decision, action or hypothesis
        #[arg(long, short, value_name = "KIND", default_value = "note", value_parser = kind)]
        kind: EntryKind,
        /// The host, port or backup it is about
        #[arg(long, value_name = "OBJECT")]
        about: Option<OsString>,
    },
    /// Take the incident on
    Ack {
        #[arg(value_parser = incident_id)]
        incident: IncidentId,
        text: Option<OsString>,
    },
    /// Take or give a role (IC, deputy, scribe, comms …)
    Role {
        #[arg(value_parser = incident_id)]
        incident: IncidentId,
        role: String,
        /// Default: who writes
        person: Option<String>,
    },
    /// Close the incident
    Close {
        #[arg(value_parser = incident_id)]
        incident: IncidentId,
        /// How it ended; - reads standard input
        text: Option<OsString>,
    },
    /// What the next person has to know, on one screen
    Handover {
        #[arg(value_parser = incident_id)]
        incident: IncidentId,
    },
    /// The whole incident in a file format
    Export {
        #[arg(value_parser = incident_id)]
        incident: IncidentId,
        #[arg(long, short, value_enum, default_value_t = export::Format::Markdown)]
        format: export::Format,
        /// Where to; default: standard output. A file that is there is not overwritten
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Replace a file that is there
        #[arg(long, requires = "output")]
        force: bool,
    },
}

pub fn run(args: IncidentArgs, globals: &Globals) -> Result<ExitCode> {
    let directory = state_dir::choose(globals.state.as_deref())
        .ok_or_else(|| eyre!("there is no home directory: name a directory with --state"))?;
    let author = args.author.map_or_else(journal::author, |name| untrusted(&name));
    let desk = Desk { directory, author, json: args.json, clock: Clock::start() };
    match args.command {
        IncidentCommand::Open { title, urgency, about } => {
            let title = Text { bytes: untrusted(&title), draft: None };
            desk.write(&title, |title| Draft::Open {
                title,
                urgency,
                author: desk.author.clone(),
                about: about.as_deref().map(untrusted),
            })
        }
        IncidentCommand::List { open } => desk.list(open),
        IncidentCommand::Show { incident } => desk.show(incident),
        IncidentCommand::Note { incident, text, kind, about } => {
            // An incident that is not there is said before anybody has typed a page.
            desk.find(incident, &desk.read()?)?;
            let text = desk.text(text, Missing::Edit)?;
            desk.add(incident, kind, &text, about.as_deref().map(untrusted))
        }
        IncidentCommand::Ack { incident, text } => {
            desk.add(incident, EntryKind::Acknowledged, &desk.text(text, Missing::Empty)?, None)
        }
        IncidentCommand::Role { incident, role, person } => {
            let person = person.unwrap_or_else(|| desk.author.line());
            let text = Text { bytes: format!("{role}: {person}").into(), draft: None };
            desk.add(incident, EntryKind::Role, &text, None)
        }
        IncidentCommand::Close { incident, text } => {
            desk.add(incident, EntryKind::Closed, &desk.text(text, Missing::Empty)?, None)
        }
        IncidentCommand::Handover { incident } => desk.handover(incident),
        IncidentCommand::Export { incident, format, output, force } => {
            let contents = desk.read()?;
            let found = desk.find(incident, &contents)?;
            warn(&contents);
            let text = format.render(found, &contents.all_damage(), desk.clock.wall());
            match output {
                None => super::print(&text)?,
                Some(path) => export::write(&path, &text, force)?,
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Writes an entry; trouble with the second copy is no failure, and is told.
pub(super) fn append(directory: &Path, draft: &Draft, clock: Clock) -> Result<Arc<Entry>, JournalError> {
    let mut journal = Journal::open(directory)?;
    let entry = journal.append(draft, clock.wall())?;
    if let Some(trouble) = journal.log_trouble() {
        complain(trouble);
    }
    Ok(entry)
}

/// What every subcommand needs.
struct Desk {
    directory: PathBuf,
    author: Untrusted,
    json: bool,
    clock: Clock,
}

/// A text, and the file that keeps it if it cannot be saved.
struct Text {
    bytes: Untrusted,
    draft: Option<PathBuf>,
}

/// What to do where no text is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Edit,
    Empty,
}

impl Desk {
    fn add(&self, incident: IncidentId, kind: EntryKind, text: &Text, about: Option<Untrusted>) -> Result<ExitCode> {
        self.write(text, |text| Draft::Add { incident, kind, text, author: self.author.clone(), about })
    }

    fn write(&self, text: &Text, draft: impl FnOnce(Untrusted) -> Draft) -> Result<ExitCode> {
        let draft = draft(text.bytes.clone());
        match append(&self.directory, &draft, self.clock) {
            Ok(entry) => {
                super::print(&if self.json {
                    report::saved_json(&entry, self.clock.wall())
                } else {
                    format!("saved {} {}\n", entry.incident, entry.id)
                })?;
                if let Some(path) = &text.draft {
                    // A draft that stays behind is no loss.
                    let _ = std::fs::remove_file(path);
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                complain(&format!("NOT SAVED: {error}"));
                match &text.draft {
                    Some(path) => complain(&format!("the text is kept in {}", super::shown(path))),
                    None => keep(Some(&self.directory), &text.bytes),
                }
                Ok(ExitCode::from(UNKNOWN))
            }
        }
    }

    fn read(&self) -> Result<Contents> {
        Ok(journal::read(&self.directory)?)
    }

    fn find<'a>(&self, id: IncidentId, contents: &'a Contents) -> Result<&'a Incident> {
        contents.incident(id).ok_or_else(|| eyre!("there is no {id} in {}", super::shown(&self.directory)))
    }

    fn list(&self, only_open: bool) -> Result<ExitCode> {
        let contents = self.read()?;
        let incidents: Vec<&Incident> =
            contents.incidents.iter().filter(|i| !only_open || i.status == IncidentStatus::Open).collect();
        warn(&contents);
        super::print(&if self.json {
            report::list_json(&incidents, &contents.all_damage(), self.clock.wall())
        } else {
            report::list_text(&incidents, self.clock.wall())
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn show(&self, id: IncidentId) -> Result<ExitCode> {
        let contents = self.read()?;
        let incident = self.find(id, &contents)?;
        warn(&contents);
        super::print(&if self.json {
            report::show_json(incident, &contents.all_damage(), self.clock.wall())
        } else {
            report::show_text(incident)
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn handover(&self, id: IncidentId) -> Result<ExitCode> {
        let contents = self.read()?;
        let incident = self.find(id, &contents)?;
        warn(&contents);
        super::print(&if self.json {
            report::show_json(incident, &contents.all_damage(), self.clock.wall())
        } else {
            report::handover_text(incident, self.clock.wall())
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn text(&self, given: Option<OsString>, missing: Missing) -> Result<Text> {
        match given {
            Some(text) if text == "-" => {
                let mut bytes = Vec::new();
                std::io::stdin().take(STDIN_LIMIT).read_to_end(&mut bytes).wrap_err("cannot read standard input")?;
                Ok(Text { bytes: whole(bytes.trim_ascii_end()), draft: None })
            }
            Some(text) => Ok(Text { bytes: untrusted(&text), draft: None }),
            None if missing == Missing::Empty => Ok(Text { bytes: Untrusted::default(), draft: None }),
            None if std::io::stdin().is_terminal() => {
                let (bytes, path) = editor::compose(&self.directory)?;
                Ok(Text { bytes: whole(bytes.trim_ascii_end()), draft: Some(path) })
            }
            None => bail!("no text: give it as an argument, or - to read it from standard input"),
        }
    }
}

/// Keeps what was not saved in a file, else shows it.
pub fn keep(directory: Option<&Path>, text: &Untrusted) {
    if text.is_empty() {
        return;
    }
    match directory.and_then(|directory| editor::new_draft(directory, text.as_bytes()).ok()) {
        Some(path) => complain(&format!("the text is kept in {}", super::shown(&path))),
        None => complain(&format!("the text was:\n{}", text.lines().join("\n"))),
    }
}

/// Damage of the files as a whole; that of an incident stands with the incident.
fn warn(contents: &Contents) {
    for damage in &contents.damage {
        complain(damage);
    }
}

fn untrusted(text: &std::ffi::OsStr) -> Untrusted {
    whole(text.as_encoded_bytes())
}

/// Uncut: the journal refuses what is too long, so that nothing is lost unnoticed.
fn whole(bytes: &[u8]) -> Untrusted {
    Untrusted::bounded(bytes, bytes.len())
}

fn urgency(text: &str) -> Result<Urgency, String> {
    Urgency::parse(text).ok_or_else(|| "SEV1, SEV2, SEV3, SEV4 or SEV5".to_owned())
}

fn incident_id(text: &str) -> Result<IncidentId, String> {
    IncidentId::parse(text).ok_or_else(|| "an incident is written INC-7 or 7".to_owned())
}

fn kind(text: &str) -> Result<EntryKind, String> {
    let kinds = [EntryKind::Note, EntryKind::Decision, EntryKind::Action, EntryKind::Hypothesis];
    kinds.into_iter().find(|k| k.as_str() == text).ok_or_else(|| "note, decision, action or hypothesis".to_owned())
}

/// A file for its owner only, in a directory for its owner only.
fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
