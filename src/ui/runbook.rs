//! Texts that are read and handed on. The runbook of what is looked at: a link is copied, a file is read beside the screen, which
//! waits for no disk, and stands in a box as it is written, its Markdown made plain. And the handover note, which is made of the
//! picture as it is. Both are foreign text like any: bounded, and cleaned as they are drawn. What is in them is not run.

use std::io::Read as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::app::App;
use super::look::Look;
use super::overlays::{Line, Overlay};
use crate::bus::MessageWeight;
use crate::config::runbooks::is_link;
use crate::config::theme::Meaning;
use crate::model::AssetId;
use crate::report::handover::{self, Hand};
use crate::state::CheckView;
use crate::ui::action::Action;

/// What messages call the note for whoever comes next.
const HANDOVER: &str = "the handover";
/// Of a longer one the beginning is shown.
const MOST: u64 = 256 * 1024;

/// One that is being read.
#[derive(Debug, Default)]
pub struct Awaited(Option<(Runbook, oneshot::Receiver<Result<String, String>>)>);

/// Where it is written what to do, and about what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runbook {
    asset: AssetId,
    pub place: Arc<str>,
    /// The check that it is about.
    check: Option<Arc<str>>,
}

/// What a text is.
#[derive(Debug)]
enum Kind {
    Runbook(Runbook),
    Handover,
}

/// A text that is read.
#[derive(Debug)]
pub struct Paper {
    kind: Kind,
    text: String,
    pub scroll: usize,
}

impl Paper {
    pub fn handover(text: String) -> Self {
        Self { kind: Kind::Handover, text, scroll: 0 }
    }

    pub fn is_handover(&self) -> bool {
        matches!(self.kind, Kind::Handover)
    }
}

impl App {
    /// Where the runbook of a host or a backup is: of the worst check that is bad and has one, else its own, else the first that
    /// any of its checks has.
    pub(super) fn runbook_of(&self, asset: &AssetId) -> Option<Runbook> {
        let named = |place: &Arc<str>, check| Runbook { asset: asset.clone(), place: place.clone(), check };
        let Some(host) = self.snapshot.host(asset) else {
            return self.snapshot.job(asset)?.job.runbook.as_ref().map(|place| named(place, None));
        };
        let of_check = |check: &CheckView| Some(named(check.spec.runbook.as_ref()?, Some(check.spec.key.name.clone())));
        let bad = host.checks.iter().filter(|check| check.condition.is_problem() && check.spec.runbook.is_some());
        let worst = bad.rev().max_by_key(|check| check.condition).and_then(of_check);
        let own = || host.host.runbook.as_ref().map(|place| named(place, None));
        worst.or_else(own).or_else(|| host.checks.iter().find_map(of_check))
    }

    /// What whoever comes next has to know, on the screen; `save` and `copy` do without it.
    pub(super) fn handover(&mut self, what: &str) {
        let hand = Hand { by: &self.operator, now: self.clock(), doubts: &[] };
        let text = handover::markdown(self.live(), hand);
        match what {
            "" => self.overlays.push(Overlay::Paper(Paper::handover(text))),
            "copy" => self.copy(HANDOVER, text),
            "save" => self.save_handover(text),
            _ => self.say(MessageWeight::Warning, ":handover shows it; then copy or save"),
        }
    }

    /// A file of its own for each minute, so that the one of the last shift stays.
    fn save_handover(&mut self, text: String) {
        let minute = self.clock().utc_minute().replace([' ', ':'], "-");
        self.save(HANDOVER, format!("handover-{minute}.md"), text);
    }

    /// The keys that take away what is read; false where it is none of them.
    pub(super) fn take_paper(&mut self, action: Action) -> bool {
        let Some(Overlay::Paper(paper)) = self.overlays.last() else { return false };
        let text = paper.text.clone();
        match (&paper.kind, action) {
            (Kind::Handover, Action::Copy) => self.copy(HANDOVER, text),
            (Kind::Handover, Action::CopyRow) => self.save_handover(text),
            (Kind::Runbook(runbook), Action::Copy) => {
                let what = title_of(runbook).to_lowercase();
                self.copy(&what, text);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn open_runbook(&mut self) {
        let Some(asset) = self.asset_looked_at() else {
            self.say(MessageWeight::Note, "select a host or a backup: its runbook says what to do");
            return;
        };
        let Some(runbook) = self.runbook_of(&asset) else {
            let words = format!(
                "{} has no runbook: runbook = \"LINK or FILE\" gives it or a check one, [runbooks] a tag",
                asset.as_str()
            );
            self.say(MessageWeight::Note, words);
            return;
        };
        let place = runbook.place.clone();
        if is_link(&place) {
            self.copy(&place, place.to_string());
            return;
        }
        let (tell, text) = oneshot::channel();
        // Nobody waits for it any more where another was opened since.
        let read = move || drop(tell.send(read(Path::new(&*place)).map_err(|why| format!("{place}: {why}"))));
        match std::thread::Builder::new().name("runbook".to_owned()).spawn(read) {
            Ok(_) => self.runbook = Awaited(Some((runbook, text))),
            Err(error) => self.say(MessageWeight::Error, format!("the runbook can't be read: {error}")),
        }
    }

    /// Shows the one that was awaited, once it is read.
    pub(super) fn poll_runbook(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((_, text)) = &mut self.runbook.0 else { return Poll::Pending };
        let Poll::Ready(text) = Pin::new(text).poll(cx) else { return Poll::Pending };
        let Some((runbook, _)) = self.runbook.0.take() else { return Poll::Pending };
        match text.unwrap_or_else(|_| Err("nobody read it".to_owned())) {
            Ok(text) => {
                let text = self.filled_in(&runbook, &text);
                self.overlays.push(Overlay::Paper(Paper { kind: Kind::Runbook(runbook), text, scroll: 0 }));
            }
            Err(why) => self.say(MessageWeight::Warning, format!("the runbook can't be read here: {why}")),
        }
        self.settle();
        Poll::Ready(())
    }

    /// With the names of what it is for in it.
    fn filled_in(&self, runbook: &Runbook, text: &str) -> String {
        let asset = runbook.asset.as_str();
        let address = self.snapshot.host(&runbook.asset).and_then(|host| host.host.address.clone());
        let text = text.replace("{host}", asset).replace("{address}", address.as_deref().unwrap_or(asset));
        text.replace("{check}", runbook.check.as_deref().unwrap_or_default())
    }
}

fn read(path: &Path) -> Result<String, String> {
    let told = |error: std::io::Error| error.to_string();
    // A pipe under that name would never end.
    if !std::fs::metadata(path).map_err(told)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(told)?;
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(told)?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if bytes.len() as u64 > MOST {
        text.push_str("\n\n(what follows is left out: it is longer than 256 KiB)");
    }
    Ok(text)
}

pub fn title(paper: &Paper) -> String {
    match &paper.kind {
        Kind::Runbook(runbook) => title_of(runbook),
        Kind::Handover => "Handover".to_owned(),
    }
}

fn title_of(runbook: &Runbook) -> String {
    let check = runbook.check.as_ref().map(|check| format!(", {check}")).unwrap_or_default();
    format!("Runbook of {}{check}", runbook.asset.as_str())
}

/// The text as it is drawn, and where it came from.
pub fn lines(app: &App, paper: &Paper) -> Vec<Line> {
    let mut out = plain(&app.look, &paper.text);
    if let Kind::Runbook(runbook) = &paper.kind {
        out.extend([(Meaning::Text, String::new()), (Meaning::Dim, runbook.place.to_string())]);
    }
    out
}

/// Markdown as it is read: headings, lists, steps, code; the marks of what is not shown otherwise are left out.
pub(super) fn plain(look: &Look, text: &str) -> Vec<Line> {
    let (dot, open, done) = if look.unicode { ("•", "☐", "☑") } else { ("-", "[ ]", "[x]") };
    let mut out: Vec<Line> = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        let line = line.trim_end().replace('\t', "    ");
        let words = line.trim_start();
        if words.starts_with("```") || words.starts_with("~~~") {
            is_code = !is_code;
            continue;
        }
        if is_code {
            out.push((Meaning::Accent, format!("    {line}")));
            continue;
        }
        let depth = words.bytes().take_while(|byte| *byte == b'#').count();
        if (1..=6).contains(&depth) && words[depth..].starts_with(' ') {
            out.push((Meaning::Title, inline(words[depth..].trim())));
            continue;
        }
        let indent = &line[..line.len() - words.len()];
        let item = words.strip_prefix("- ").or_else(|| words.strip_prefix("* "));
        let (mark, rest) = match item {
            Some(rest) if rest.starts_with("[ ] ") => (open, &rest[4..]),
            Some(rest) if rest.starts_with("[x] ") || rest.starts_with("[X] ") => (done, &rest[4..]),
            Some(rest) => (dot, rest),
            None => ("", words),
        };
        let meaning = if words.starts_with("> ") { Meaning::Dim } else { Meaning::Text };
        let gap = if mark.is_empty() { "" } else { " " };
        out.push((meaning, format!("{indent}{mark}{gap}{}", inline(rest))));
    }
    out
}

/// Without the marks of what is bold, and those that keep a letter from being a mark; a link is its words and where it leads.
fn inline(text: &str) -> String {
    let mut text = text.replace("**", "").replace("__", "");
    let mut from = 0;
    while let Some(middle) = text[from..].find("](").map(|at| at + from) {
        if text[..middle].ends_with('\\') {
            from = middle + 1;
            continue;
        }
        let (begin, end) = (text[..middle].rfind('['), text[middle..].find(')').map(|at| at + middle));
        let (Some(begin), Some(end)) = (begin, end) else { break };
        let link = format!("{} ({})", &text[begin + 1..middle], &text[middle + 2..end]);
        from = begin + link.len();
        text.replace_range(begin..=end, &link);
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escapes = letter == '\\' && letters.peek().is_some_and(char::is_ascii_punctuation);
        out.push(if escapes { letters.next().unwrap_or(letter) } else { letter });
    }
    out
}
