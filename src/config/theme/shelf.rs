//! All themes there are: the shipped ones, and the user's files in `themes/` beside the configuration, which may have the
//! name of a shipped one and stand for it then. Files are read as a whole and bounded; a theme is understood when it is
//! asked for.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Theme;
use crate::base::options::{Problem, nearest};
use crate::base::text;

macro_rules! shipped {
    ($($name:literal),*) => {
        /// The shipped themes: name and text.
        pub const SHIPPED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../config/themes/", $name, ".toml")))),*];
    };
}

shipped!(
    "dark",
    "light",
    "high-contrast",
    "high-contrast-light",
    "colour-blind",
    "colour-blind-light",
    "16-colour",
    "16-colour-light",
    "mono",
    "wall"
);

/// A theme larger than this is a mistake.
const LARGEST: u64 = 64 * 1024;
/// More files than that are not meant to be themes.
const MOST: usize = 200;
/// Themes in themes.
const DEEPEST: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Own {
    name: String,
    /// As messages name it.
    file: String,
    text: String,
}

/// The themes that can be had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    own: Vec<Own>,
}

/// What tells that the files in a folder are others than before.
pub type Stamp = Vec<(PathBuf, Option<SystemTime>, u64)>;

impl Shelf {
    /// Reads the user's themes in `folder`; what cannot be read is a problem and left out.
    pub fn read(folder: &Path) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut own = Vec::new();
        for file in files(folder) {
            let shown = file.display().to_string();
            let Some(name) = file.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned) else {
                problems.push(Problem::unplaced(format!("{shown}: the name is not UTF-8")));
                continue;
            };
            match read_text(&file) {
                Ok(text) => own.push(Own { name, file: shown, text }),
                Err(why) => problems.push(Problem::unplaced(format!("cannot read {shown}: {why}"))),
            }
        }
        let shelf = Self { own };
        problems.extend(shelf.own.iter().filter_map(|own| shelf.find(&own.name)).flat_map(|(_, problems)| problems));
        (shelf, problems)
    }

    /// As it was `before` where a file is just being written: empty, or no TOML. The theme that is `used` stays though its file is
    /// gone, unless a shipped one has its name. What stays is told.
    #[must_use]
    pub fn keeping(mut self, before: &Self, used: &str) -> (Self, Vec<String>) {
        let mut told = Vec::new();
        for old in &before.own {
            let why = match self.own.iter_mut().find(|own| own.name == old.name) {
                Some(own) if is_whole(&own.text) || !is_whole(&old.text) => continue,
                Some(own) => {
                    own.text.clone_from(&old.text);
                    "is not a whole theme"
                }
                None if old.name != used || is_shipped(used) => continue,
                None => {
                    self.own.push(old.clone());
                    "is gone"
                }
            };
            if old.name == used {
                told.push(format!("{} {why}: the theme is shown as it was", text::clean(&old.file)));
            }
        }
        (self, told)
    }

    /// The user's files as they are now.
    pub fn stamp(folder: &Path) -> Stamp {
        let of = |file: PathBuf| {
            let known = std::fs::metadata(&file).ok();
            (file, known.as_ref().and_then(|m| m.modified().ok()), known.map_or(0, |m| m.len()))
        };
        files(folder).into_iter().map(of).collect()
    }

    /// All names: the shipped ones first.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        names.extend(self.own.iter().map(|own| own.name.as_str()).filter(|name| !is_shipped(name)));
        names
    }

    pub fn has(&self, name: &str) -> bool {
        is_shipped(name) || self.own.iter().any(|own| own.name == name)
    }

    /// The user has files of his own here.
    pub fn has_own(&self) -> bool {
        !self.own.is_empty()
    }

    /// A theme by its name, and what is wrong with it.
    pub fn find(&self, name: &str) -> Option<(Theme, Vec<Problem>)> {
        self.find_below(name, &mut Vec::new())
    }

    /// What to say where there is no such theme.
    pub fn unknown(&self, name: &str) -> String {
        match nearest(name, self.names()) {
            Some(near) => format!("there is no theme \"{name}\"; did you mean \"{near}\"?"),
            None => format!("there is no theme \"{name}\"; there are {}, and auto", self.names().join(", ")),
        }
    }

    /// `above` are the themes that inherit this one.
    fn find_below(&self, name: &str, above: &mut Vec<String>) -> Option<(Theme, Vec<Problem>)> {
        // A file of the user that inherits its own name inherits the shipped one.
        let own = self.own.iter().find(|own| own.name == name).filter(|_| above.last().is_none_or(|last| last != name));
        let (file, text) = match own {
            Some(own) => (own.file.as_str(), own.text.as_str()),
            None => SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(name, text)| (*name, *text))?,
        };
        above.push(name.to_owned());
        let mut inherited = Vec::new();
        let (theme, mut problems) = Theme::parse(file, text, |parent| {
            let own_again = parent != name || own.is_none();
            if (above.iter().any(|seen| seen == parent) && own_again) || above.len() >= DEEPEST {
                return Err(Problem { weight: WARNING, ..Problem::unplaced("it inherits itself in a circle") });
            }
            let Some((theme, problems)) = self.find_below(parent, above) else {
                return Err(Problem { weight: WARNING, ..Problem::unplaced(self.unknown(parent)) });
            };
            inherited = problems;
            Ok(theme)
        });
        above.pop();
        problems.extend(inherited);
        Some((theme, problems))
    }
}

const WARNING: crate::base::options::Weight = crate::base::options::Weight::Warning;

fn is_whole(text: &str) -> bool {
    !text.trim().is_empty() && toml::de::DeTable::parse(text).is_ok()
}

fn is_shipped(name: &str) -> bool {
    SHIPPED.iter().any(|(shipped, _)| *shipped == name)
}

/// The files that are meant to be themes, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "toml")).take(MOST).collect();
    files.sort();
    files
}

fn read_text(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(file).map_err(|e| e.to_string())?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} KiB", LARGEST / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
