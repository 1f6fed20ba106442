//! A disk behind a cache that a power cut empties. What was synced is there afterwards; what was not may be there,
//! in part or not at all, in any order. A name is safe only when its directory was synced: syncing a file says
//! nothing about the directory that names it, as POSIX has it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::trace::{Call, Place};

/// What is found at each path after a cut; `None` is a directory.
pub type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// What of the changes that were not synced the cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    Nothing,
    Everything,
    AllButTheLast,
    TheLastAlone,
    /// All, but of the last write only the front or the back half, cut at a multiple of this many bytes.
    TornFront(usize),
    TornBack(usize),
    /// The length, with nothing in it.
    Zeros,
    /// Each sector of 512 bytes or not, as this seed has it.
    Some(u64),
}

/// What a cut leaves of names and of contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    pub names: Kept,
    pub contents: Kept,
}

impl Cut {
    /// Every kind of cut that is tried at every moment.
    pub fn all(moment: usize) -> Vec<Self> {
        use Kept::{AllButTheLast, Everything, Nothing, Some, TheLastAlone, TornBack, TornFront, Zeros};
        let seed = moment as u64 * 31;
        let torn = [TornFront(512), TornBack(512), TornFront(4096), TornBack(4096)];
        let contents = [Nothing, Everything, AllButTheLast, TheLastAlone, Zeros, Some(seed), Some(seed + 1)];
        let mut out: Vec<Self> =
            torn.into_iter().chain(contents).map(|contents| Self { names: Everything, contents }).collect();
        for contents in [Nothing, Everything, Some(seed + 2)] {
            out.push(Self { names: Nothing, contents });
            out.push(Self { names: Some(seed + 3), contents });
        }
        out
    }
}

#[derive(Clone, Debug)]
enum Node {
    File { synced: Vec<u8>, since: Vec<Change> },
    Directory { synced: BTreeMap<OsString, usize>, since: Vec<Naming> },
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Clone, Debug)]
enum Naming {
    Add(OsString, usize),
    Remove(OsString),
}

/// The disk with its cache. Node 0 is the root, and its name is safe.
#[derive(Clone, Debug)]
pub struct Disk {
    nodes: Vec<Node>,
}

impl Disk {
    /// A disk on which all of this is safe.
    pub fn holding(tree: &Tree) -> Self {
        let mut disk = Self { nodes: vec![Node::Directory { synced: BTreeMap::new(), since: Vec::new() }] };
        // A folder comes before what is in it.
        for (path, content) in tree {
            let node = match content {
                Some(bytes) => Node::File { synced: bytes.clone(), since: Vec::new() },
                None => Node::Directory { synced: BTreeMap::new(), since: Vec::new() },
            };
            disk.add(path, node);
            disk.apply(&Call::Sync(path.parent().expect("below the root").to_owned()));
        }
        disk
    }

    pub fn apply(&mut self, call: &Call) {
        match call {
            Call::Open { path, empty } => match self.find(path) {
                None => self.add(path, Node::File { synced: Vec::new(), since: Vec::new() }),
                Some(_) if *empty => self.change(path, |_| Change::Length(0)),
                Some(_) => {}
            },
            Call::MakeDirectory(path) => self.add(path, Node::Directory { synced: BTreeMap::new(), since: Vec::new() }),
            Call::Write { path, at, bytes } => self.change(path, |length| match at {
                Place::At(at) => Change::Write(*at, bytes.clone()),
                Place::End => Change::Write(length, bytes.clone()),
            }),
            Call::Length { path, length } => self.change(path, |_| Change::Length(*length)),
            Call::Remove(path) => self.name(path, Naming::Remove),
            Call::Rename { from, to } => {
                let node = self.find(from).unwrap_or_else(|| panic!("renamed, but not there: {}", from.display()));
                self.name(to, |name| Naming::Add(name, node));
                self.name(from, Naming::Remove);
            }
            Call::Sync(path) => {
                let at = self.find(path).unwrap_or_else(|| panic!("synced, but not there: {}", path.display()));
                match &mut self.nodes[at] {
                    Node::File { synced, since } => {
                        *synced = contents(synced, since, Kept::Everything);
                        since.clear();
                    }
                    Node::Directory { synced, since } => {
                        *synced = names(synced, since, Kept::Everything);
                        since.clear();
                    }
                }
            }
            Call::Say(_) => {}
        }
    }

    /// What is there after a cut now.
    pub fn after(&self, cut: Cut) -> Tree {
        let mut tree = Tree::new();
        self.collect(0, Path::new(""), cut, &mut tree);
        tree
    }

    fn collect(&self, node: usize, path: &Path, cut: Cut, tree: &mut Tree) {
        let Node::Directory { synced, since } = &self.nodes[node] else { return };
        for (name, node) in names(synced, since, cut.names) {
            let path = path.join(name);
            match &self.nodes[node] {
                Node::File { synced, since } => {
                    tree.insert(path, Some(contents(synced, since, cut.contents)));
                }
                Node::Directory { .. } => {
                    tree.insert(path.clone(), None);
                    self.collect(node, &path, cut, tree);
                }
            }
        }
    }

    fn find(&self, path: &Path) -> Option<usize> {
        let mut at = 0;
        for name in path.components() {
            let Node::Directory { synced, since } = &self.nodes[at] else { return None };
            at = *names(synced, since, Kept::Everything).get(name.as_os_str())?;
        }
        Some(at)
    }

    fn add(&mut self, path: &Path, node: Node) {
        self.nodes.push(node);
        let new = self.nodes.len() - 1;
        self.name(path, |name| Naming::Add(name, new));
    }

    fn name(&mut self, path: &Path, naming: impl FnOnce(OsString) -> Naming) {
        let (parent, name) = (path.parent().expect("below the root"), path.file_name().expect("a name"));
        let parent = self.find(parent).unwrap_or_else(|| panic!("no folder for {}", path.display()));
        let Node::Directory { since, .. } = &mut self.nodes[parent] else { panic!("{} is no folder", path.display()) };
        since.push(naming(name.to_owned()));
    }

    fn change(&mut self, path: &Path, change: impl FnOnce(usize) -> Change) {
        let at = self.find(path).unwrap_or_else(|| panic!("written, but not there: {}", path.display()));
        let Node::File { synced, since } = &mut self.nodes[at] else { panic!("{} is no file", path.display()) };
        let length = contents(synced, since, Kept::Everything).len();
        since.push(change(length));
    }
}

fn names(synced: &BTreeMap<OsString, usize>, since: &[Naming], kept: Kept) -> BTreeMap<OsString, usize> {
    // Names are written in order; a cut is somewhere among them.
    let count = match kept {
        Kept::Nothing => 0,
        Kept::Some(seed) => Dice(seed).below(since.len() + 1),
        _ => since.len(),
    };
    let mut out = synced.clone();
    for naming in &since[..count] {
        match naming {
            Naming::Add(name, node) => out.insert(name.clone(), *node),
            Naming::Remove(name) => out.remove(name),
        };
    }
    out
}

fn contents(synced: &[u8], since: &[Change], kept: Kept) -> Vec<u8> {
    let mut out = synced.to_vec();
    let (last, before) = since.split_last().map_or((None, since), |(last, before)| (Some(last), before));
    let torn = |unit, front| last.map(|last| half(last, unit, front)).unwrap_or_default();
    match kept {
        Kept::Nothing => {}
        Kept::Everything => since.iter().for_each(|change| put(&mut out, change)),
        Kept::AllButTheLast => before.iter().for_each(|change| put(&mut out, change)),
        Kept::TheLastAlone => last.iter().for_each(|change| put(&mut out, change)),
        Kept::TornFront(unit) => before.iter().chain(&torn(unit, true)).for_each(|change| put(&mut out, change)),
        Kept::TornBack(unit) => before.iter().chain(&torn(unit, false)).for_each(|change| put(&mut out, change)),
        Kept::Zeros => {
            let mut whole = out.clone();
            for change in since {
                put(&mut whole, change);
            }
            out.resize(whole.len(), 0);
        }
        Kept::Some(seed) => {
            let mut dice = Dice(seed);
            let sectors = since.iter().flat_map(|change| pieces(change, 512));
            sectors.filter(|_| dice.below(2) == 1).for_each(|change| put(&mut out, &change));
        }
    }
    out
}

fn put(out: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => out.resize(*length, 0),
        Change::Write(at, bytes) => {
            out.resize(out.len().max(at + bytes.len()), 0);
            out[*at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}

/// The pieces of a write between borders of the file, each of which reaches the disk whole or not at all.
fn pieces(change: &Change, unit: usize) -> Vec<Change> {
    let Change::Write(at, bytes) = change else { return vec![change.clone()] };
    let mut out = Vec::new();
    let mut from = 0;
    while from < bytes.len() {
        let to = (((at + from) / unit + 1) * unit - at).min(bytes.len());
        out.push(Change::Write(at + from, bytes[from..to].to_vec()));
        from = to;
    }
    out
}

fn half(change: &Change, unit: usize, front: bool) -> Vec<Change> {
    let mut pieces = pieces(change, unit);
    let back = pieces.split_off(pieces.len().div_ceil(2));
    if front { pieces } else { back }
}

/// The same numbers for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

#[test]
fn what_was_not_synced_may_be_lost_and_what_was_may_not() {
    let disk = |calls: &[Call]| {
        let mut disk = Disk::holding(&Tree::new());
        for call in calls {
            disk.apply(call);
        }
        disk
    };
    let write = |at, bytes: &[u8]| Call::Write { path: "f".into(), at: Place::At(at), bytes: bytes.to_vec() };
    let open = Call::Open { path: "f".into(), empty: false };
    let (file, folder) = (Call::Sync("f".into()), Call::Sync("".into()));
    let nothing = Cut { names: Kept::Nothing, contents: Kept::Nothing };
    let of = |calls: &[Call], cut| disk(calls).after(cut).get(Path::new("f")).cloned().flatten();

    assert_eq!(of(&[open.clone(), write(0, b"x"), file.clone()], nothing), None, "its name was never synced");
    assert_eq!(of(&[open.clone(), write(0, b"x"), folder.clone()], nothing), Some(vec![]), "nor its content");
    assert_eq!(of(&[open.clone(), write(0, b"x"), folder.clone(), file.clone()], nothing), Some(b"x".to_vec()));
    let removed = [open.clone(), folder.clone(), Call::Remove("f".into())];
    assert_eq!(of(&removed, nothing), Some(vec![]), "a removal that was not synced may not have been");
    assert_eq!(of(&[&removed[..], std::slice::from_ref(&folder)].concat(), nothing), None);

    let long = [open, folder, write(0, &[1; 512]), file, write(256, &[2; 1024])];
    let cut = |contents| of(&long, Cut { names: Kept::Nothing, contents }).expect("the file is there");
    assert_eq!(cut(Kept::Nothing), [1; 512]);
    assert_eq!(cut(Kept::TornFront(512)), [&[1; 256][..], &[2; 768]].concat());
    assert_eq!(cut(Kept::TornBack(512)), [&[1; 512][..], &[0; 512], &[2; 256]].concat());
    assert_eq!(cut(Kept::Zeros), [&[1; 512][..], &[0; 768]].concat());
    assert_eq!(cut(Kept::AllButTheLast), cut(Kept::Nothing));
    assert_eq!(cut(Kept::TheLastAlone), cut(Kept::Everything));
    assert_eq!(cut(Kept::Some(5)), cut(Kept::Some(5)), "the same seed, the same cut");
}
