//! A list as the difference to the one that the other side has.
//!
//! ```text
//! number of steps, steps
//! step     number * 4 + 0, from      so many stay, from there on in the list before
//!          number * 4 + 1            the one there in the list before, changed
//!          2                         a new one, told by the one that stands before it in the list
//! ```
//!
//! What there is no room for stays as it was, or is not there yet.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::wire::{Malformed, Reader, Wire, copied_list, put_number};

/// No list has more.
const MOST: usize = 1_000_000;

/// How much of a list goes into a message, and what of it.
pub struct Share<'a, T> {
    /// About so many bytes.
    pub room: usize,
    /// Those before this place had their turn in the last message.
    pub from: usize,
    /// When one has its turn; with what the other side has of it.
    pub rank: &'a dyn Fn(&T, Option<&T>) -> Rank,
}

impl<T> Share<'_, T> {
    /// What is looked at may change for ever faster than the line carries it: something is left for the others.
    fn most(&self, rank: Rank) -> usize {
        if rank == Rank::InView { self.room - self.room / 4 } else { self.room }
    }
}

/// What goes before what, wherever it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Somebody looks at it.
    InView,
    News,
    InTurn,
}

/// What became of a list.
#[derive(Debug)]
pub struct Told<T> {
    /// What the other side has then, where that is not all of it.
    pub has: Option<Vec<T>>,
    /// Where the next message goes on.
    pub next: usize,
}

/// Appends a list.
pub fn put<'a, T: Wire + Clone, K: Eq + Hash>(
    now: &'a [T],
    before: &'a [T],
    key: impl Fn(&'a T) -> K,
    share: &Share<'_, T>,
    out: &mut Vec<u8>,
) -> Told<T> {
    let ways = ways(now, before, key);
    let mut used = reserved(now, before, &ways, share);
    let mut steps = Steps::default();
    let mut told = Told { has: None, next: 0 };
    let mut last: Option<&T> = None;
    for (at, (one, way)) in now.iter().zip(&ways).enumerate() {
        let has = match *way {
            Way::Stays(place) => {
                steps.stay(place);
                Some(one)
            }
            Way::Changed(_) | Way::New => {
                let old = way.place().map(|place| &before[place]);
                let rank = (share.rank)(one, old);
                let is_first = rank != Rank::InTurn;
                let is_its_turn = is_first || at >= share.from;
                let used = &mut used[rank as usize];
                if is_its_turn && *used < share.most(rank) {
                    *used += steps.tell(one, way.place(), old.or(last));
                    Some(one)
                } else {
                    told.has.get_or_insert_with(|| now[..at].to_vec());
                    if is_its_turn && !is_first && told.next == 0 {
                        told.next = at;
                    }
                    if let Some(place) = way.place() {
                        steps.stay(place);
                    }
                    old
                }
            }
        };
        if let (Some(list), Some(one)) = (&mut told.has, has) {
            list.push(one.clone());
        }
        last = has.or(last);
    }
    steps.finish(out);
    told
}

/// How one of a list stands to the list before.
#[derive(Clone, Copy, Debug)]
enum Way {
    Stays(usize),
    Changed(usize),
    New,
}

impl Way {
    fn place(self) -> Option<usize> {
        match self {
            Self::Stays(place) | Self::Changed(place) => Some(place),
            Self::New => None,
        }
    }
}

fn ways<'a, T: Wire, K: Eq + Hash>(now: &'a [T], before: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<Way> {
    let mut places: Option<FxHashMap<K, usize>> = None;
    // How many of those before were met: after the last of them all are new.
    let (mut next, mut met) = (0, 0);
    let way = |one: &'a T| {
        // Mostly it stands where it stood, behind the one that stood before it.
        let place = match before.get(next) {
            Some(old) if one.same(old) => {
                next += 1;
                met += 1;
                return Way::Stays(next - 1);
            }
            Some(old) if key(old) == key(one) => Some(next),
            _ if met >= before.len() => None,
            _ => {
                let all = || before.iter().enumerate().map(|(at, old)| (key(old), at)).collect();
                places.get_or_insert_with(all).get(&key(one)).copied()
            }
        };
        match place {
            Some(place) => {
                next = place + 1;
                met += 1;
                if one.same(&before[place]) { Way::Stays(place) } else { Way::Changed(place) }
            }
            None => Way::New,
        }
    };
    now.iter().map(way).collect()
}

/// What those before each rank will take of the room.
fn reserved<T: Wire>(now: &[T], before: &[T], ways: &[Way], share: &Share<'_, T>) -> [usize; 3] {
    let (mut taken, mut bytes, mut last) = ([0; 2], Vec::new(), None);
    for (one, way) in now.iter().zip(ways).filter(|(_, way)| !matches!(way, Way::Stays(_))) {
        let old = way.place().map(|place| &before[place]);
        let rank = (share.rank)(one, old);
        let taken = taken.get_mut(rank as usize).filter(|taken| share.room != usize::MAX && **taken < share.most(rank));
        if let Some(taken) = taken {
            bytes.clear();
            one.put(old.or(last), &mut bytes);
            *taken += bytes.len();
            last = Some(one);
        }
    }
    let [in_view, news] = taken;
    let in_view = in_view.min(share.most(Rank::InView));
    [0, in_view, in_view + news]
}

/// The steps as they are made.
#[derive(Debug, Default)]
struct Steps {
    body: Vec<u8>,
    count: u64,
    /// The one that is not written yet: from where on how many stay.
    run: (usize, usize),
}

impl Steps {
    fn stay(&mut self, place: usize) {
        if self.run.0 + self.run.1 != place {
            self.flush();
            self.run.0 = place;
        }
        self.run.1 += 1;
    }

    /// How many bytes that took.
    fn tell<T: Wire>(&mut self, one: &T, place: Option<usize>, by: Option<&T>) -> usize {
        self.flush();
        let begun = self.body.len();
        put_number(place.map_or(2, |place| ((place as u64) << 2) | 1), &mut self.body);
        one.put(by, &mut self.body);
        self.count += 1;
        self.body.len() - begun
    }

    fn flush(&mut self) {
        if self.run.1 > 0 {
            put_number((self.run.1 as u64) << 2, &mut self.body);
            put_number(self.run.0 as u64, &mut self.body);
            self.count += 1;
            self.run = (0, 0);
        }
    }

    fn finish(mut self, out: &mut Vec<u8>) {
        self.flush();
        put_number(self.count, out);
        out.append(&mut self.body);
    }
}

/// The inverse of [`put`].
///
/// # Errors
/// [`Malformed`].
pub fn take<T: Wire + Clone>(before: &[T], from: &mut Reader<'_>) -> Result<Vec<T>, Malformed> {
    let steps = from.count(0)?;
    let mut list: Vec<T> = Vec::with_capacity(steps.min(before.len()));
    for _ in 0..steps {
        let word = from.number()?;
        from.reserve(size_of::<T>())?;
        let number = usize::try_from(word >> 2).map_err(|_| Malformed("a number is too large"))?;
        match word & 3 {
            0 => {
                let start = from.count(0)?;
                let run = start.checked_add(number).and_then(|end| before.get(start..end));
                let run = run.ok_or(Malformed("a list has no such part"))?;
                if list.len() + run.len() > MOST {
                    return Err(Malformed("a list is too long"));
                }
                from.reserve(copied_list(run))?;
                list.extend_from_slice(run);
            }
            1 => {
                let old = before.get(number).ok_or(Malformed("a list has no such part"))?;
                list.push(T::take(Some(old), from)?);
            }
            2 => list.push(T::take(list.last(), from)?),
            _ => return Err(Malformed("a step is of no kind")),
        }
        if list.len() > MOST {
            return Err(Malformed("a list is too long"));
        }
    }
    Ok(list)
}
