//! Whatever anybody else wrote, in whatever place: what the terminal is sent moves its cursor, changes its pen, erases, and shows letters
//! that are seen; and each stands in the column where the picture has it. Sessions, questions, notices and what is pasted are as
//! hostile as the picture, which comes from whoever runs this: an engine that has put what means harm into every text that it sends.

use std::cell::OnceCell;

use unicode_segmentation::UnicodeSegmentation as _;

use super::*;
use crate::base::{Untrusted, text};
use crate::bus::{Call, Message, MessageWeight};
use crate::config::WallOptions;
use crate::config::wall::{Form, Page, Sound};
use crate::model::{Desktop, HostKeyProblem, Prompt, PromptId};
use crate::ui::app::wall::Walls;
use crate::ui::terminal::encode::Encoder;
use crate::ui::wall::Wall;

/// What a terminal would obey, or show otherwise than it is.
const PIECES: [&str; 34] = [
    "\x1b[2J",
    "\x1b]0;own\x07",
    "\x1b]52;c;aGk=\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1b_x\x1b\\",
    "\x1bc",
    "\x1b[?1049l",
    "\x1b[6n",
    "\u{9b}31m",
    "\u{9d}0;own\u{9c}",
    "\u{90}x",
    "\u{85}",
    "\0",
    "\x07",
    "\x08\x08\x08",
    "\x7f",
    "\r",
    "\n",
    "\t",
    "\x0e",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "\u{2028}",
    "\u{e0041}",
    "日本語",
    "e\u{301}\u{301}",
    "👩\u{200d}👩\u{200d}👧",
    "🇩🇪",
    "👍🏽",
    "\u{fe0f}",
    "а\u{430}c",
];

/// A terminal that knows what a picture is made of, and nothing else.
struct Paper {
    rows: Vec<Vec<String>>,
    at: (usize, usize),
    columns: usize,
    /// Marks, flags and the like take as many columns as their characters do one by one.
    old: bool,
}

impl Paper {
    fn new((columns, rows): (u16, u16), old: bool) -> Self {
        let columns = usize::from(columns);
        Self { rows: vec![vec![" ".to_owned(); columns]; usize::from(rows)], at: (0, 0), columns, old }
    }

    fn width(&self, letter: &str) -> usize {
        if self.old {
            letter.chars().map(|c| text::width(c.encode_utf8(&mut [0; 4]))).sum()
        } else {
            text::width(letter)
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let all = std::str::from_utf8(bytes).map_err(|_| "no UTF-8".to_owned())?;
        let mut rest = all;
        while let Some(first) = rest.chars().next() {
            let told = |what: &str| Err(format!("{what}: {:?}", rest.chars().take(20).collect::<String>()));
            let mut taken = first.len_utf8();
            match first {
                '\n' => self.at.1 += 1,
                '\r' => self.at.0 = 0,
                '\x08' if self.at.0 > 0 => self.at.0 -= 1,
                '\x1b' => {
                    let Some(body) = rest[1..].strip_prefix('[') else { return told("no sequence of ours") };
                    let length = body.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(body.len());
                    let numbers: Vec<usize> = body[..length].split(';').map(|n| n.parse().unwrap_or(0)).collect();
                    let first = numbers.first().copied().unwrap_or(0).max(1);
                    taken = 2 + length + 1;
                    match body[length..].chars().next() {
                        Some('H') => self.at = (numbers.get(1).map_or(0, |n| n - 1), first - 1),
                        Some('C') => self.at.0 += first,
                        Some('G') => self.at.0 = first - 1,
                        Some('K') if length == 0 => self.erase(self.columns),
                        Some('X') => self.erase(first),
                        Some('m') => {}
                        _ => return told("no sequence of ours"),
                    }
                }
                c if c.is_control() => return told("a control character"),
                _ => {
                    let letter = rest.graphemes(true).next().unwrap_or_default();
                    // A letter of its own script passes for none: what looks alike is told apart in the words that it stands in.
                    if !text::is_clean(&format!("ж{letter}")) {
                        return told("not seen as what it is");
                    }
                    taken = letter.len();
                    self.letter(letter);
                }
            }
            if self.at.1 >= self.rows.len() || self.at.0 > self.columns + usize::from(self.old) * 8 {
                return told("beyond the edge");
            }
            rest = &rest[taken..];
        }
        Ok(())
    }

    fn erase(&mut self, count: usize) {
        let (from, row) = self.at;
        self.rows[row].iter_mut().skip(from).take(count).for_each(|cell| " ".clone_into(cell));
    }

    fn letter(&mut self, letter: &str) {
        let (x, row) = self.at;
        let width = self.width(letter);
        for (at, cell) in self.rows[row].iter_mut().skip(x).take(width).enumerate() {
            if at == 0 { letter } else { "" }.clone_into(cell);
        }
        self.at.0 += width;
    }

    /// Where the picture has another letter than stands here: of all letters, or of those that no two terminals have another width for.
    fn differs(&self, picture: &Buffer) -> Option<String> {
        for (y, row) in self.rows.iter().enumerate() {
            let mut hidden = 0;
            for (x, cell) in row.iter().enumerate() {
                let wanted = picture[(x as u16, y as u16)].symbol();
                if hidden > 0 {
                    hidden -= 1;
                    continue;
                }
                hidden = text::width(wanted).saturating_sub(1);
                let counts = !self.old || (wanted.is_ascii() && wanted != " ");
                if counts && cell != wanted {
                    return Some(format!("at {x},{y} {cell:?} for {wanted:?} in {:?}", row.concat()));
                }
            }
        }
        None
    }
}

/// Both kinds of terminal are sent one picture after the other.
struct Papers {
    papers: [Paper; 2],
    before: OnceCell<Buffer>,
}

impl Papers {
    fn new(size: (u16, u16)) -> Self {
        Self { papers: [false, true].map(|old| Paper::new(size, old)), before: OnceCell::new() }
    }

    fn take(&mut self, picture: &Buffer, colours: Colours) -> Result<(), TestCaseError> {
        let mut encoder = Encoder::new(colours);
        let before = self.before.take();
        (0..picture.area.height).for_each(|y| encoder.row(y, picture, before.as_ref()));
        encoder.finish();
        for paper in &mut self.papers {
            paper.write(&encoder.out).map_err(TestCaseError::fail)?;
            if let Some(what) = paper.differs(picture) {
                return Err(TestCaseError::fail(format!("old {}: {what}", paper.old)));
            }
        }
        let _ = self.before.set(picture.clone());
        Ok(())
    }
}

/// A few of them, and others that nobody thought of.
pub fn pieces() -> impl Strategy<Value = Vec<String>> {
    let known = prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![4 => known, 1 => "\\PC{1,6}", 1 => any::<String>()], 1..8)
}

/// What comes beside pictures.
fn notice(pieces: &[String], number: usize) -> Notice {
    let words: Arc<str> = pieces.concat().into();
    let foreign = || Untrusted::from(&*words);
    let text = || words.clone();
    let prompt = match number % 4 {
        0 => Prompt::HostKey {
            hop: text(),
            algorithm: text(),
            fingerprint: text(),
            problem: HostKeyProblem::Unknown,
            file: text(),
        },
        1 => Prompt::Passphrase { hop: text(), file: text() },
        2 => Prompt::Password { hop: text(), user: text() },
        _ => Prompt::Interactive {
            hop: text(),
            user: text(),
            instruction: foreign(),
            question: foreign(),
            echo: number % 8 > 3,
        },
    };
    let weight = [MessageWeight::Note, MessageWeight::Warning, MessageWeight::Error][number % 3];
    match number / 8 % 4 {
        0 => Notice::Prompt { session: SessionId(7), id: PromptId(1), prompt },
        1 => Notice::Message(Message { weight, text: foreign() }),
        2 => Notice::NotSaved { ticket: bus::Ticket(1), reason: text() },
        _ => Notice::Reveal(AssetId::new(&*words)),
    }
}

/// What may be done, keys as the keymap writes them.
pub const DEEDS: [&str; 59] = [
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "9",
    "Tab",
    "j",
    "k",
    "G",
    "z",
    "Enter",
    "Esc",
    "?",
    "n",
    "d",
    "Ctrl+P",
    "/",
    ":",
    "P",
    "I",
    "S",
    "Space",
    "V",
    "a",
    "r",
    "m",
    "c",
    "o",
    "L",
    "b",
    "w",
    "y",
    "Y",
    "W",
    "-",
    "[",
    "R",
    ".",
    "i",
    "g h",
    "Up",
    "Left",
    "Home",
    "Backspace",
    "paste",
    "press",
    "wheel",
    "right",
    "notice",
    "ring",
    "session",
    "output",
    "view",
    "f",
    ": v i e w Enter",
    ": c o p y Space s c r e e n Enter",
    ": c o p y Space t a b l e Enter",
];

/// What was copied, and what rings: one sequence each, and text that nobody obeys in it.
fn is_tame(bytes: &[u8]) -> bool {
    if let Some(copied) = bytes.strip_prefix(b"\x1b]52;c;").and_then(|rest| rest.strip_suffix(b"\x1b\\")) {
        let text = data_encoding::BASE64.decode(copied).ok().and_then(|text| String::from_utf8(text).ok());
        return text.is_some_and(|text| text.split(['\n', '\t']).all(text::is_clean));
    }
    let all = String::from_utf8_lossy(bytes);
    let calls = all.strip_prefix('\x07').unwrap_or(&all);
    calls.split_inclusive("\x1b\\").all(|call| {
        let body = call.strip_prefix("\x1b]9;noctty: ").or_else(|| call.strip_prefix("\x1b]777;notify;noctty;"));
        body.and_then(|body| body.strip_suffix("\x1b\\")).is_some_and(text::is_clean)
    })
}

/// The console on such a picture, and what is done there; what is wrong with it.
pub fn on_screens(
    size: (u16, u16),
    unicode: bool,
    picture: Arc<Snapshot>,
    pieces: &[String],
    deeds: &[(&str, usize)],
) -> Result<(), TestCaseError> {
    let mut console = Console::new(size, picture, unicode);
    let capabilities = console.app.capabilities;
    console.app.walls =
        Some(Walls::new(move |now| Wall::new(WallOptions::default(), Themes::only("wall", capabilities), None, now)));
    let evil = pieces.concat();
    console.app.trouble.set(evil.clone()).expect("nothing was wrong");
    let mut papers = Papers::new(size);
    papers.take(&console.buffer(), capabilities.colours)?;
    let mut remote = None;
    for (deed, number) in deeds.iter().copied() {
        let at = |deed| Mouse { deed, column: number as u16 % size.0, row: number as u16 / 7 % size.1 };
        match deed {
            "paste" => console.app.paste(evil.clone()),
            "press" => console.app.mouse(at(MouseDeed::Press)),
            "wheel" => console.app.mouse(at(MouseDeed::WheelDown)),
            "right" => console.app.mouse(at(MouseDeed::PressRight)),
            "notice" => console.app.notice(notice(pieces, number)),
            "ring" => {
                let desktop = [Desktop::None, Desktop::Osc9, Desktop::Osc777, Desktop::Both][number % 4];
                console.app.notice(Notice::Ring(Call { words: evil.clone(), desktop }));
                let ring = console.app.take_ring().expect("it rings").bytes();
                prop_assert!(is_tame(&ring), "{:?}", String::from_utf8_lossy(&ring));
            }
            "session" => {
                let id = SessionId(number as u32);
                let (pipe, output, input) = bus::session_pipe(id);
                let (asset, title) = (AssetId::new(evil.as_str()), evil.as_str().into());
                let session = Session { id, asset, title, status: SessionStatus::Open };
                console.app.notice(Notice::SessionOpened { session, pipe });
                remote = Some((output, input));
            }
            "output" => {
                if let Some((output, _)) = &remote {
                    let _ = output.try_send(format!("{evil}\x1b]2;{evil}\x07{evil}\r\n").into_bytes());
                }
            }
            "view" => {
                console.press("Esc Esc Esc Esc : v i e w Space s a v e Space");
                console.app.paste(evil.clone());
                console.press("Enter : v i e w Enter");
            }
            keys => {
                console.press(keys);
            }
        }
        let _ = console.app.poll_sessions(&mut Context::from_waker(Waker::noop()));
        if let Some(clip) = console.app.take_clip() {
            prop_assert!(is_tame(&clip.bytes()));
        }
        let picture = console.buffer();
        for cell in &picture.content {
            prop_assert!(unicode || cell.symbol().is_ascii(), "{deed}: {:?}", cell.symbol());
        }
        papers.take(&picture, capabilities.colours).map_err(|error| TestCaseError::fail(format!("{deed}: {error}")))?;
    }
    Ok(())
}

/// A wall of that form, to which the picture comes after so many seconds each.
pub fn on_a_wall(
    (columns, rows): (u16, u16),
    unicode: bool,
    picture: &Arc<Snapshot>,
    pieces: &[String],
    form: usize,
    seconds: &[u64],
) -> Result<(), TestCaseError> {
    let colours = if unicode { Colours::True } else { Colours::Mono };
    let themes = Themes::only("wall", Capabilities { colours, unicode });
    let page = Page { title: pieces.concat(), ..Page::of(Form::ALL[form].0) };
    let options = WallOptions { pages: vec![page], sound: Sound::Notification, ..WallOptions::default() };
    let mut wall = Wall::new(options, themes, Some(pieces.concat()), NOW);
    wall.snapshot(fixture::quiet());
    let mut now = NOW;
    let mut papers = Papers::new((columns, rows));
    for seconds in seconds {
        now = now.plus(Duration::from_secs(*seconds));
        wall.tick(now);
        wall.snapshot(picture.clone());
        if let Some(ring) = wall.take_ring() {
            prop_assert!(is_tame(&ring.bytes()));
        }
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        let link = Link::default();
        wall.draw(&mut Frame { buffer: &mut buffer, area, now, wall: now, link, cursor: None, answer: None });
        papers.take(&buffer, colours)?;
    }
    Ok(())
}
