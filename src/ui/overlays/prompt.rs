//! Questions of a session. The box names the real hop and says in the console's own words what is asked; what the
//! server wrote is indented below and cleaned. What is typed as a secret is never echoed and is wiped.

use ratatui::layout::{Position, Rect};
use zeroize::Zeroizing;

use super::{Reaction, boxed, centred};
use crate::base::{Secret, text};
use crate::bus::{Command, PromptAnswer};
use crate::config::key::{Key, KeyCode};
use crate::config::theme::Meaning;
use crate::model::{Prompt, PromptId};
use crate::ui::app::App;
use crate::ui::canvas::Row;
use crate::ui::frame::Frame;

/// No answer is longer.
const LIMIT: usize = 4_096;

#[derive(Debug)]
pub struct Question {
    pub id: PromptId,
    prompt: Prompt,
    typed: Zeroizing<String>,
}

impl Question {
    pub fn new(id: PromptId, prompt: Prompt) -> Self {
        // Room from the start, so that no half of a secret is left behind where the text has moved on.
        Self { id, prompt, typed: Zeroizing::new(String::with_capacity(LIMIT)) }
    }

    pub fn paste(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            self.push(c);
        }
    }

    fn push(&mut self, c: char) {
        if self.typed.len() + c.len_utf8() <= LIMIT {
            self.typed.push(c);
        }
    }

    fn is_yes_or_no(&self) -> bool {
        matches!(self.prompt, Prompt::HostKey { .. })
    }

    fn echoes(&self) -> bool {
        matches!(self.prompt, Prompt::Interactive { echo: true, .. })
    }
}

pub fn key(app: &mut App, question: &mut Question, key: Key) -> Reaction {
    let answer = match key.code {
        KeyCode::Escape => PromptAnswer::Cancel,
        KeyCode::Char('c') if key.ctrl => PromptAnswer::Cancel,
        // The whole word: a host key is not accepted by a stray key.
        KeyCode::Enter if question.is_yes_or_no() => match question.typed.as_str() {
            "yes" => PromptAnswer::Yes,
            _ => return Reaction::Keep,
        },
        KeyCode::Enter => PromptAnswer::Text(Secret::new((*question.typed).clone())),
        KeyCode::Backspace => {
            question.typed.pop();
            return Reaction::Keep;
        }
        KeyCode::Char(c) if !key.ctrl && !key.alt => {
            question.push(c);
            return Reaction::Keep;
        }
        _ => return Reaction::Keep,
    };
    app.send(Command::Answer { prompt: question.id, answer });
    Reaction::Close
}

pub fn draw(app: &App, frame: &mut Frame<'_>, question: &Question) -> Rect {
    let (title, own, foreign) = words(&question.prompt);
    let width = frame.area.width.saturating_sub(4).min(90);
    let columns = usize::from(width.saturating_sub(4));
    let own: Vec<String> = own.iter().flat_map(|line| text::wrap(&text::clean(line), columns)).collect();
    let foreign: Vec<String> =
        foreign.iter().flat_map(|line| text::wrap(line, columns.saturating_sub(2))).take(12).collect();
    let height = (own.len() + foreign.len() + 5) as u16;
    let area = centred(frame.area, width, height);
    let inner = boxed(app, frame, area, &text::clean(&title));
    let mut y = inner.y;
    for line in &own {
        Row::new(frame.buffer, &app.look, inner, y).put(line, app.look.style(Meaning::Text));
        y += 1;
    }
    for line in &foreign {
        Row::new(frame.buffer, &app.look, inner, y)
            .put("| ", app.look.style(Meaning::Warning))
            .put(line, app.look.style(Meaning::Dim));
        y += 1;
    }
    let shown = if question.is_yes_or_no() || question.echoes() {
        text::clean(&question.typed)
    } else {
        // Not even the length is told.
        if question.typed.is_empty() { String::new() } else { "(typed)".to_owned() }
    };
    y = (y + 1).min(inner.bottom().saturating_sub(1));
    let mut row = Row::new(frame.buffer, &app.look, inner, y);
    row.put("> ", app.look.style(Meaning::Key)).put(&shown, app.look.style(Meaning::Text));
    let x = inner.x + 2 + text::width(&shown) as u16;
    frame.cursor = Some(Position::new(x.min(inner.right().saturating_sub(1)), y));
    let hint = if question.is_yes_or_no() {
        "type yes and Enter to accept · Esc refuses"
    } else {
        "Enter answers · Esc cancels"
    };
    let last = inner.bottom().saturating_sub(1);
    if last > y {
        Row::new(frame.buffer, &app.look, inner, last).put(hint, app.look.style(Meaning::Dim));
    }
    area
}

/// The title, what the console says, and what the server said.
fn words(prompt: &Prompt) -> (String, Vec<String>, Vec<String>) {
    match prompt {
        Prompt::HostKey { hop, algorithm, fingerprint, file, .. } => (
            format!("Unknown host key of {hop}"),
            vec![
                format!("{hop} is not in {file}. Its {algorithm} key has the fingerprint"),
                fingerprint.to_string(),
                "Accept it only if you know that this is its key. It is then kept.".to_owned(),
            ],
            Vec::new(),
        ),
        Prompt::Passphrase { hop, file } => {
            (format!("Key for {hop}"), vec![format!("The passphrase of {file}")], Vec::new())
        }
        Prompt::Password { hop, user } => (
            format!("Password for {user} at {hop}"),
            vec![format!("{hop} asks for the password of {user}.")],
            Vec::new(),
        ),
        Prompt::Interactive { hop, user, instruction, question, .. } => {
            let mut foreign = instruction.lines();
            foreign.retain(|line| !line.is_empty());
            foreign.extend(question.lines());
            (format!("{hop} asks {user}"), vec![format!("{hop} wants an answer. Its own words:")], foreign)
        }
    }
}
