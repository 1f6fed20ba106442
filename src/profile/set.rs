//! All profiles that are in force: put together from what they extend, and chosen for a device. A file that is wrong is
//! reported and left out, with all that extend it; the others hold.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::read::{self, Author, File, Rule};
use super::{Answer, Clue, Identity, Pattern, Profile, Quirks, Source, Table, shipped};
use crate::base::options::{Place, Problem, nearest};
use crate::proto::snmp::Oid;

/// A profile's text, before it is read.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its path below the profiles' folder, without `.toml`.
    pub name: String,
    /// As the user should read it: mostly a path.
    pub shown: String,
    pub text: String,
}

/// A rule of a profile, in the order in which they are tried.
#[derive(Debug)]
struct Choice {
    prefix: Vec<u32>,
    description: Option<Pattern>,
    present: Option<Oid>,
    own: bool,
    place: Place,
    profile: Arc<Profile>,
}

#[derive(Debug, Default)]
pub struct Profiles {
    named: HashMap<Arc<str>, Arc<Profile>>,
    choices: Vec<Choice>,
    /// Profile, and what its file leaves out, with the places of the user's own.
    left_out: Vec<(Arc<str>, Arc<str>, Option<Place>)>,
}

/// The shipped ones, compiled on first use.
static SHIPPED: LazyLock<Arc<Profiles>> = LazyLock::new(|| Arc::new(Profiles::compile(Vec::new()).0));

impl Profiles {
    pub fn shipped() -> Arc<Self> {
        SHIPPED.clone()
    }

    /// The shipped ones with the user's laid over them: a file of the same name replaces the shipped one, and may extend
    /// it under that name. With all problems of the user's files.
    pub fn with_own(own: Vec<Text>) -> (Arc<Self>, Vec<Problem>) {
        if own.is_empty() {
            return (Self::shipped(), Vec::new());
        }
        let (profiles, problems) = Self::compile(own);
        (Arc::new(profiles), problems)
    }

    /// Reads the shipped texts and the given ones and puts them together.
    pub(super) fn compile(own: Vec<Text>) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut files = Files::default();
        for (name, text) in shipped::FILES {
            files.add(name, &format!("{name}.toml"), (*text).to_owned(), false, &mut problems);
        }
        for Text { name, shown, text } in own {
            files.add(&name, &shown, text, true, &mut problems);
        }
        let mut profiles = Self::default();
        for (name, key) in files.in_force() {
            let mut parts = Vec::new();
            if files.collect(key, &mut Vec::new(), &mut parts, &mut problems).is_none() {
                continue;
            }
            let profile = Arc::new(put_together(name, &parts));
            let file = &files.list[key];
            profiles.left_out.extend(
                file.file
                    .without
                    .iter()
                    .map(|(group, place)| (profile.name.clone(), group.clone(), file.own.then(|| place.clone()))),
            );
            profiles.choices.extend(file.file.rules.iter().map(|rule| choice(rule, file.own, &profile)));
            profiles.named.insert(profile.name.clone(), profile);
        }
        profiles.sort(&mut problems);
        (profiles, problems)
    }

    /// Longest prefix first; then what asks for more; then the user's own; then by name.
    fn sort(&mut self, problems: &mut Vec<Problem>) {
        self.choices.sort_by(|a, b| {
            b.prefix
                .len()
                .cmp(&a.prefix.len())
                .then_with(|| b.present.is_some().cmp(&a.present.is_some()))
                .then_with(|| b.description.is_some().cmp(&a.description.is_some()))
                .then_with(|| b.own.cmp(&a.own))
                .then_with(|| a.profile.name.cmp(&b.profile.name))
        });
        for (i, one) in self.choices.iter().enumerate() {
            let twin = |other: &&Choice| {
                let pattern = |c: &Choice| c.description.as_ref().map(|p| p.as_str().to_owned());
                other.own == one.own
                    && other.prefix == one.prefix
                    && other.present == one.present
                    && pattern(other) == pattern(one)
            };
            if let Some(other) = self.choices[..i].iter().find(twin) {
                let words =
                    format!("the profiles {} and {} are for the same devices", other.profile.name, one.profile.name);
                problems.push(Problem::error(&one.place, words));
            }
        }
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Profile>> {
        self.named.get(name)
    }

    /// Every profile, by name.
    pub fn all(&self) -> Vec<&Arc<Profile>> {
        let mut all: Vec<_> = self.named.values().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Whether it is for devices by itself, and not only for others to extend.
    pub fn chooses(&self, profile: &Profile) -> bool {
        self.choices.iter().any(|choice| choice.profile.name == profile.name)
    }

    /// The scalars that a choice for this device hangs on.
    pub fn questions(&self, object_id: Option<&str>, description: &[u8]) -> Vec<Oid> {
        let mut out: Vec<Oid> = Vec::new();
        for choice in self.candidates(object_id, description) {
            let Some(present) = &choice.present else { break };
            if !out.contains(present) {
                out.push(present.clone());
            }
        }
        out
    }

    /// The profile for a device; `has` says whether it answered that scalar.
    pub fn choose(
        &self,
        object_id: Option<&str>,
        description: &[u8],
        has: impl Fn(&Oid) -> bool,
    ) -> Option<&Arc<Profile>> {
        let fits = |choice: &&Choice| choice.present.as_ref().is_none_or(&has);
        self.candidates(object_id, description).find(fits).map(|choice| &choice.profile)
    }

    fn candidates<'a, 'd>(
        &'a self,
        object_id: Option<&str>,
        description: &'d [u8],
    ) -> impl Iterator<Item = &'a Choice> + use<'a, 'd> {
        let arcs: Vec<u32> =
            object_id.map(|text| text.split('.').map_while(|arc| arc.parse().ok()).collect()).unwrap_or_default();
        self.choices
            .iter()
            .filter(move |choice| arcs.starts_with(&choice.prefix))
            .filter(move |choice| choice.description.as_ref().is_none_or(|pattern| pattern.matches(description)))
    }

    /// Names of generic groups that are none of `known`; of the user's files with their places.
    pub fn unknown_groups(&self, known: &[&str]) -> Vec<Problem> {
        let wrong = self.left_out.iter().filter(|(profile, group, _)| {
            let is_generic = self.get(profile).is_some_and(|profile| profile.without.contains(group));
            is_generic && !known.contains(&&**group)
        });
        wrong
            .map(|(_, name, place)| {
                let words = format!("there is no group of tables \"{name}\"");
                let problem = match place {
                    Some(place) => Problem::error(place, words),
                    None => Problem::unplaced(words),
                };
                match nearest(name, known.iter().copied()) {
                    Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                    None => problem.hint(format!("generic groups: {}", known.join(", "))),
                }
            })
            .collect()
    }
}

fn choice(rule: &Rule, own: bool, profile: &Arc<Profile>) -> Choice {
    Choice {
        prefix: rule.prefix.clone(),
        description: rule.description.clone(),
        present: rule.present.clone(),
        own,
        place: rule.place.clone(),
        profile: profile.clone(),
    }
}

#[derive(Debug)]
struct Held {
    file: File,
    own: bool,
}

/// Every file that could be read; the user's one of a name stands before the shipped one.
#[derive(Debug, Default)]
struct Files {
    list: Vec<Held>,
}

impl Files {
    fn add(&mut self, name: &str, shown: &str, text: String, own: bool, problems: &mut Vec<Problem>) {
        let author = if own { Author::User } else { Author::Us };
        match read::read(name, shown, text, author) {
            Ok(file) => self.list.push(Held { file, own }),
            Err(more) => problems.extend(more),
        }
    }

    fn find(&self, name: &str, below: Option<usize>) -> Option<usize> {
        let is = |at: &usize| *self.list[*at].file.name == *name && below.is_none_or(|below| *at < below);
        (0..self.list.len()).rev().find(is)
    }

    /// The files that are not replaced by another one, with their names.
    fn in_force(&self) -> Vec<(Arc<str>, usize)> {
        let mut out: Vec<(Arc<str>, usize)> = Vec::new();
        for at in 0..self.list.len() {
            let name = &self.list[at].file.name;
            if self.find(name, None) == Some(at) {
                out.push((name.clone(), at));
            }
        }
        out
    }

    /// A file and what it extends, the most basic first; `None` where something of it is missing or goes in a circle.
    fn collect<'a>(
        &'a self,
        at: usize,
        path: &mut Vec<usize>,
        parts: &mut Vec<&'a File>,
        problems: &mut Vec<Problem>,
    ) -> Option<()> {
        let file = &self.list[at].file;
        path.push(at);
        for (name, place) in &file.extends {
            // Its own name means the one that it replaces.
            let below = (**name == *file.name).then_some(at);
            let Some(parent) = self.find(name, below) else {
                let problem = Problem::error(place, format!("there is no profile \"{name}\" that is sound"));
                let known = self.list.iter().map(|held| &*held.file.name);
                problems.push(match nearest(name, known) {
                    Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                    None => problem,
                });
                return None;
            };
            if path.contains(&parent) {
                let names: Vec<&str> = path.iter().chain([&parent]).map(|at| &*self.list[*at].file.name).collect();
                problems.push(Problem::error(place, format!("profiles extend in a circle: {}", names.join(" → "))));
                return None;
            }
            if !parts.iter().any(|part| std::ptr::eq(*part, &raw const self.list[parent].file)) {
                self.collect(parent, path, parts, problems)?;
            }
        }
        path.pop();
        parts.push(file);
        Some(())
    }
}

/// A profile of its parts, the most basic first.
fn put_together(name: Arc<str>, parts: &[&File]) -> Profile {
    let mut sources: [Vec<Source>; 3] = Default::default();
    let mut profile = Profile {
        name,
        vendor: None,
        os: None,
        identity: Identity::default(),
        tables: Vec::new(),
        without: Vec::new(),
        quirks: Quirks::default(),
    };
    for part in parts {
        let set = |to: &mut Option<Arc<str>>, from: &Option<Arc<str>>| {
            if from.is_some() {
                to.clone_from(from);
            }
        };
        set(&mut profile.vendor, &part.vendor);
        set(&mut profile.os, &part.os);
        for (to, from) in sources.iter_mut().zip(&part.identity) {
            if let Some(from) = from {
                to.clone_from(from);
            }
        }
        for table in &part.tables {
            lay(&mut profile.tables, table);
        }
        for (left_out, _) in &part.without {
            let before = profile.tables.len();
            profile.tables.retain(|table| table.short != *left_out);
            if profile.tables.len() == before && !profile.without.contains(left_out) {
                profile.without.push(left_out.clone());
            }
        }
        let (to, from) = (&mut profile.quirks, &part.quirks);
        to.max_repetitions = from.max_repetitions.or(to.max_repetitions);
        to.getbulk = from.getbulk.or(to.getbulk);
        to.timeout = from.timeout.or(to.timeout);
        to.counters64 = from.counters64.or(to.counters64);
        to.bridge = from.bridge.or(to.bridge);
        for name in &from.skip {
            if !to.skip.contains(name) {
                to.skip.push(name.clone());
            }
        }
    }
    let [model, version, serial] = sources;
    profile.identity.model = clues(&model, &mut profile.identity);
    profile.identity.version = clues(&version, &mut profile.identity);
    profile.identity.serial = clues(&serial, &mut profile.identity);
    profile
}

/// A table of the same name is replaced in its place.
fn lay(tables: &mut Vec<Arc<Table>>, table: &Arc<Table>) {
    match tables.iter_mut().find(|known| known.short == table.short) {
        Some(known) => *known = table.clone(),
        None => tables.push(table.clone()),
    }
}

/// Sources with their identifiers numbered.
fn clues(sources: &[Source], identity: &mut Identity) -> Vec<Clue> {
    sources
        .iter()
        .map(|source| match source {
            Source::Description(pattern) => Clue::Description(pattern.clone()),
            Source::Entity(field, pattern) => Clue::Entity(*field, pattern.clone()),
            Source::ObjectId(names) => Clue::ObjectId(names.clone()),
            Source::Oid { oid, scalar, row, pattern, words } => {
                let answer = if *scalar {
                    Answer::Scalar(place_in(&mut identity.scalars, oid.clone()))
                } else {
                    Answer::Column(place_in(&mut identity.columns, (oid.clone(), row.clone())))
                };
                Clue::Answer { answer, pattern: pattern.clone(), words: words.clone() }
            }
        })
        .collect()
}

fn place_in<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}
