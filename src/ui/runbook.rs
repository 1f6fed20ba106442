//! The runbook of what is looked at: a link is shown and copied, a file is read beside the screen, which waits for no disk, and
//! stands in a box as it is written, its Markdown made plain. It is foreign text like any: bounded, and cleaned as it is drawn.
//! What is in it is not run.

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

/// Of a longer one the beginning is shown.
const MOST: u64 = 256 * 1024;

/// One that is being read.
#[derive(Debug, Default)]
pub struct Awaited(Option<(AssetId, oneshot::Receiver<Result<String, String>>)>);

/// One that is read.
#[derive(Debug)]
pub struct Runbook {
    asset: AssetId,
    text: String,
    pub scroll: usize,
}

impl App {
    /// Where the runbook of a host or a backup is.
    pub(super) fn runbook_of(&self, asset: &AssetId) -> Option<Arc<str>> {
        let host = self.snapshot.host(asset).and_then(|host| host.host.runbook.clone());
        host.or_else(|| self.snapshot.job(asset).and_then(|job| job.job.runbook.clone()))
    }

    pub(super) fn open_runbook(&mut self) {
        let Some(asset) = self.asset_looked_at() else {
            self.say(MessageWeight::Note, "select a host or a backup: its runbook says what to do");
            return;
        };
        let Some(place) = self.runbook_of(&asset) else {
            let words = format!(
                "{} has no runbook: runbook = \"LINK or FILE\" gives it one, [runbooks] one to a tag",
                asset.as_str()
            );
            self.say(MessageWeight::Note, words);
            return;
        };
        if is_link(&place) {
            self.copy(&place, place.to_string());
            return;
        }
        let (tell, text) = oneshot::channel();
        // Nobody waits for it any more where another was opened since.
        let read = move || drop(tell.send(read(Path::new(&*place)).map_err(|why| format!("{place}: {why}"))));
        match std::thread::Builder::new().name("runbook".to_owned()).spawn(read) {
            Ok(_) => self.runbook = Awaited(Some((asset, text))),
            Err(error) => self.say(MessageWeight::Error, format!("the runbook can't be read: {error}")),
        }
    }

    /// Shows the one that was awaited, once it is read.
    pub(super) fn poll_runbook(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((_, text)) = &mut self.runbook.0 else { return Poll::Pending };
        let Poll::Ready(text) = Pin::new(text).poll(cx) else { return Poll::Pending };
        let Some((asset, _)) = self.runbook.0.take() else { return Poll::Pending };
        match text.unwrap_or_else(|_| Err("nobody read it".to_owned())) {
            Ok(text) => self.overlays.push(Overlay::Runbook(Runbook { asset, text, scroll: 0 })),
            Err(why) => self.say(MessageWeight::Warning, format!("the runbook can't be read here: {why}")),
        }
        self.settle();
        Poll::Ready(())
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

pub fn title(runbook: &Runbook) -> String {
    format!("Runbook of {}", runbook.asset.as_str())
}

/// The text with the names of what it is for in it, as it is drawn.
pub fn lines(app: &App, runbook: &Runbook) -> Vec<Line> {
    let asset = runbook.asset.as_str();
    let address = app.snapshot.host(&runbook.asset).and_then(|host| host.host.address.clone());
    let place = app.runbook_of(&runbook.asset).map(|place| (Meaning::Dim, place.to_string()));
    let text = runbook.text.replace("{host}", asset).replace("{address}", address.as_deref().unwrap_or(asset));
    let mut out = plain(&app.look, &text);
    if let Some(place) = place {
        out.extend([(Meaning::Text, String::new()), place]);
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

/// Without the marks of what is bold; a link is its words and where it leads.
fn inline(text: &str) -> String {
    let mut text = text.replace("**", "").replace("__", "");
    let mut from = 0;
    while let Some(middle) = text[from..].find("](").map(|at| at + from) {
        let (begin, end) = (text[..middle].rfind('['), text[middle..].find(')').map(|at| at + middle));
        let (Some(begin), Some(end)) = (begin, end) else { break };
        let link = format!("{} ({})", &text[begin + 1..middle], &text[middle + 2..end]);
        from = begin + link.len();
        text.replace_range(begin..=end, &link);
    }
    text
}
