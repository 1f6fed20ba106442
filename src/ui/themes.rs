//! Which theme the screen has: the chosen one, for the background that the terminal has. The user's own files are read
//! elsewhere and come as a whole new [`Shelf`]; nothing here waits for a disk.

use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::frame::{Capabilities, Colours};
use super::look::Look;
use crate::base::options::Problem;
use crate::config::theme::{Background, Shelf, Theme, ThemeChoice};

/// The user's themes anew, with what is wrong in them.
pub type News = (Shelf, Vec<Problem>);

#[derive(Debug)]
pub struct Themes {
    shelf: Shelf,
    choice: ThemeChoice,
    /// What was chosen, while another one is tried on.
    kept: Option<ThemeChoice>,
    background: Background,
    capabilities: Capabilities,
    /// Asked for by name, and not on the shelf when it was.
    awaited: Option<String>,
    news: Option<(std::sync::mpsc::SyncSender<()>, mpsc::Receiver<News>)>,
}

/// What became of a theme that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Shown,
    /// The user's files are looked at for it.
    Awaited,
    Unknown(String),
}

impl Themes {
    pub fn new(shelf: Shelf, choice: ThemeChoice, background: Background, capabilities: Capabilities) -> Self {
        Self { shelf, choice, kept: None, background, capabilities, awaited: None, news: None }
    }

    /// One theme and no other.
    pub fn only(name: &str, capabilities: Capabilities) -> Self {
        Self::new(Shelf::default(), ThemeChoice::named(name), Background::Dark, capabilities)
    }

    /// The same for another console, which hears of no changes to the user's files.
    #[must_use]
    pub fn without_news(&self) -> Self {
        let (shelf, choice) = (self.shelf.clone(), self.choice.clone());
        Self::new(shelf, choice, self.background, self.capabilities)
    }

    /// Whoever reads the user's files: nudged, it sends them; and by itself when they have changed.
    #[must_use]
    pub fn with_news(self, nudge: std::sync::mpsc::SyncSender<()>, news: mpsc::Receiver<News>) -> Self {
        Self { news: Some((nudge, news)), ..self }
    }

    /// The theme in force, made ready.
    pub fn look(&self) -> Look {
        let found = self.shelf.find(self.name()).or_else(|| {
            let ours = ThemeChoice::default();
            Theme::shipped(ours.name(self.background, self.sixteen()))
        });
        Look::new(&found.map_or(Theme::plain(), |(theme, _)| theme), self.capabilities)
    }

    pub fn name(&self) -> &str {
        self.choice.name(self.background, self.sixteen())
    }

    /// Whether the background decides which one that is.
    pub fn is_auto(&self) -> bool {
        self.choice.depends()
    }

    /// What a theme says of itself, in its own words.
    pub fn about(&self, name: &str) -> Option<String> {
        self.shelf.find(name)?.0.about
    }

    /// Shows a theme until it is kept or taken off; true where it changes the look.
    pub fn try_on(&mut self, name: &str) -> bool {
        let before = self.name().to_owned();
        let kept = std::mem::replace(&mut self.choice, ThemeChoice::named(name));
        self.kept.get_or_insert(kept);
        before != self.name()
    }

    /// The one that is tried on is the chosen one from now on; false where nothing is.
    pub fn keep(&mut self) -> bool {
        self.kept.take().is_some()
    }

    /// Back to what was chosen; false where nothing is tried on.
    pub fn take_off(&mut self) -> bool {
        let Some(kept) = self.kept.take() else { return false };
        self.choice = kept;
        true
    }

    fn sixteen(&self) -> bool {
        self.capabilities.colours == Colours::Ansi16
    }

    /// Everything that can be asked for.
    pub fn names(&self) -> Vec<&str> {
        std::iter::once("auto").chain(self.shelf.names()).collect()
    }

    /// Whether the terminal should be asked what it writes on.
    pub fn asks_background(&self) -> bool {
        self.choice.depends() && self.capabilities.colours != Colours::Mono
    }

    pub fn background(&self) -> Background {
        self.background
    }

    /// True where it changes the look.
    pub fn set_background(&mut self, background: Background) -> bool {
        let before = self.name().to_owned();
        self.background = background;
        before != self.name()
    }

    pub fn choose(&mut self, name: &str) -> Outcome {
        (self.awaited, self.kept) = (None, None);
        if name == "auto" || name == "default" || self.shelf.has(name) {
            self.choice = ThemeChoice::named(name);
            return Outcome::Shown;
        }
        // It may have been written since. A nudge that is under way already will do.
        match &self.news {
            Some((nudge, _)) if !matches!(nudge.try_send(()), Err(std::sync::mpsc::TrySendError::Disconnected(()))) => {
                self.awaited = Some(name.to_owned());
                Outcome::Awaited
            }
            _ => Outcome::Unknown(self.shelf.unknown(name)),
        }
    }

    /// The user's files as they are now, once they have been read; what to say about them.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Vec<String>> {
        let Some((_, news)) = &mut self.news else { return Poll::Pending };
        let Poll::Ready(news) = news.poll_recv(cx) else { return Poll::Pending };
        let Some((shelf, problems)) = news else {
            self.news = None;
            return Poll::Pending;
        };
        let (shelf, mut words) = shelf.keeping(&self.shelf, self.name());
        self.shelf = shelf;
        // That one says it all.
        if words.is_empty() {
            words.extend(problems.iter().map(Problem::brief));
        }
        if let Some(name) = self.awaited.take() {
            if self.shelf.has(&name) {
                self.choice = ThemeChoice::named(&name);
            } else {
                words.push(self.shelf.unknown(&name));
            }
        }
        Poll::Ready(words)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const TRUE: Capabilities = Capabilities { colours: Colours::True, unicode: true };

    fn poll(themes: &mut Themes) -> Poll<Vec<String>> {
        themes.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn shelf(name: &str, text: &str) -> News {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(name), text).expect("it can be written");
        Shelf::read(folder.path())
    }

    #[test]
    fn the_background_decides_unless_a_theme_is_named() {
        let mut themes = Themes::new(Shelf::default(), ThemeChoice::default(), Background::Dark, TRUE);
        assert!(themes.asks_background());
        assert!(themes.set_background(Background::Light) && themes.name() == "light");
        assert!(!themes.set_background(Background::Light));
        assert_eq!(themes.choose("wall"), Outcome::Shown);
        assert!(!themes.set_background(Background::Dark) && themes.name() == "wall");
        assert!(!themes.asks_background());
        assert_eq!(themes.choose("auto"), Outcome::Shown);
        assert_eq!(themes.name(), "dark");
        let mono = Capabilities { colours: Colours::Mono, ..TRUE };
        assert!(!Themes::new(Shelf::default(), ThemeChoice::default(), Background::Dark, mono).asks_background());
    }

    #[test]
    fn a_theme_that_was_written_since_is_found_and_one_that_changes_is_shown_anew() {
        let (nudge, nudged) = std::sync::mpsc::sync_channel(1);
        let (sender, news) = mpsc::channel(4);
        let mut themes = Themes::only("dark", TRUE).with_news(nudge, news);
        assert_eq!(themes.choose("mine"), Outcome::Awaited);
        assert!(nudged.try_recv().is_ok());
        assert!(poll(&mut themes).is_pending());
        let red = shelf("mine.toml", "inherits = \"dark\"\nok = { fg = \"red\" }\n");
        sender.try_send(red).expect("room");
        assert_eq!(poll(&mut themes), Poll::Ready(Vec::new()));
        assert_eq!(themes.name(), "mine");
        let before = format!("{:?}", themes.look());
        sender.try_send(shelf("mine.toml", "inherits = \"dark\"\nok = { fg = \"bleu\" }\n")).expect("room");
        let Poll::Ready(words) = poll(&mut themes) else { panic!("nothing came") };
        assert!(words.concat().contains("mine.toml:2:13: \"bleu\" is no colour; did you mean \"blue\"?"), "{words:?}");
        assert_ne!(format!("{:?}", themes.look()), before);
    }

    #[test]
    fn a_theme_whose_file_is_being_written_or_gone_is_shown_as_it_was() {
        let (nudge, _nudged) = std::sync::mpsc::sync_channel(1);
        let (sender, news) = mpsc::channel(4);
        let mut themes = Themes::only("dark", TRUE).with_news(nudge, news);
        let good = "inherits = \"light\"\nok = { fg = \"red\" }\n";
        let chosen = themes.choose("mine");
        assert_eq!(chosen, Outcome::Awaited);
        sender.try_send(shelf("mine.toml", good)).expect("room");
        assert_eq!(poll(&mut themes), Poll::Ready(Vec::new()));
        let before = format!("{:?}", themes.look());
        let cases = [
            (shelf("mine.toml", ""), "is not a whole theme"),
            (shelf("mine.toml", &good[..30]), "is not a whole theme"),
            ((Shelf::default(), Vec::new()), "is gone"),
            (shelf("mine.toml", "ok = { fg = \"bl"), "is not a whole theme"),
        ];
        for (news, why) in cases {
            sender.try_send(news).expect("room");
            let Poll::Ready(words) = poll(&mut themes) else { panic!("nothing came") };
            assert!(words.len() == 1 && words[0].contains("mine.toml") && words[0].contains(why), "{words:?}");
            assert_eq!(format!("{:?}", themes.look()), before, "{why}");
        }
        sender.try_send(shelf("mine.toml", "inherits = \"light\"\n")).expect("room");
        assert_eq!(poll(&mut themes), Poll::Ready(Vec::new()));
        assert_ne!(format!("{:?}", themes.look()), before);
        // One of the user's that stood for a shipped one gives way to it.
        let mut themes = Themes::only("dark", TRUE);
        themes.shelf = shelf("dark.toml", good).0;
        let (sender, news) = mpsc::channel(4);
        let mut themes = themes.with_news(std::sync::mpsc::sync_channel(1).0, news);
        sender.try_send((Shelf::default(), Vec::new())).expect("room");
        assert_eq!(poll(&mut themes), Poll::Ready(Vec::new()));
        assert_eq!(format!("{:?}", themes.look()), format!("{:?}", Themes::only("dark", TRUE).look()));
    }

    #[test]
    fn a_name_that_nobody_has_is_told_with_those_that_there_are() {
        let mut themes = Themes::only("dark", TRUE);
        assert_eq!(
            themes.choose("lihgt"),
            Outcome::Unknown("there is no theme \"lihgt\"; did you mean \"light\"?".into())
        );
        assert!(themes.names().starts_with(&["auto", "dark", "light"]));
        assert_eq!(themes.name(), "dark");
    }
}
