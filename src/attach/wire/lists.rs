//! Lists as the difference to a list before: what stays at its place costs nothing, however long it is.

use std::sync::Arc;

use super::{Malformed, Reader, Wire, put_number};

impl<T: Wire + Clone> Wire for Vec<T> {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        put_list(self, before.map(Self::as_slice), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        take_list(before.map(Self::as_slice), from)
    }

    fn same(&self, before: &Self) -> bool {
        is_same_list(self, before)
    }

    fn copied(&self) -> usize {
        copied_list(self)
    }
}

impl<T: Wire + Clone> Wire for Arc<[T]> {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        put_list(self, before.map(|b| &**b), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        take_list(before.map(|b| &**b), from).map(Self::from)
    }

    fn same(&self, before: &Self) -> bool {
        Self::ptr_eq(self, before) || is_same_list(self, before)
    }
}

/// As [`Wire::copied`], of a list that is copied with its elements.
pub fn copied_list<T: Wire>(list: &[T]) -> usize {
    list.iter().fold(size_of_val(list), |sum, one| sum.saturating_add(one.copied()))
}

fn is_same_list<T: Wire>(list: &[T], before: &[T]) -> bool {
    list.len() == before.len() && list.iter().zip(before).all(|(now, before)| now.same(before))
}

fn put_list<T: Wire>(list: &[T], before: Option<&[T]>, out: &mut Vec<u8>) {
    put_number(list.len() as u64, out);
    let Some(before) = before else {
        for one in list {
            one.put(None, out);
        }
        return;
    };
    let stays = |at: usize| before.get(at).is_some_and(|b| list[at].same(b));
    let mut at = 0;
    while at < list.len() {
        let kept = (at..list.len()).take_while(|at| stays(*at)).count();
        at += kept;
        let changed = (at..list.len()).take_while(|at| !stays(*at)).count();
        put_number(kept as u64, out);
        put_number(changed as u64, out);
        for (one, now) in list.iter().enumerate().skip(at).take(changed) {
            now.put(before.get(one), out);
        }
        at += changed;
    }
}

fn take_list<T: Wire + Clone>(before: Option<&[T]>, from: &mut Reader<'_>) -> Result<Vec<T>, Malformed> {
    let length = from.count(size_of::<T>())?;
    let Some(before) = before else {
        let mut list = Vec::with_capacity(from.likely(length, 0));
        for _ in 0..length {
            list.push(T::take(None, from)?);
        }
        return Ok(list);
    };
    let mut list = Vec::with_capacity(from.likely(length, before.len()));
    while list.len() < length {
        let (kept, changed) = (from.count(0)?, from.count(0)?);
        let at = list.len();
        let run =
            at.checked_add(kept).and_then(|end| before.get(at..end)).ok_or(Malformed("a list has no such part"))?;
        if kept.saturating_add(changed) > length - at || kept.saturating_add(changed) == 0 {
            return Err(Malformed("a list is longer than it says"));
        }
        from.reserve(copied_list(run))?;
        list.extend_from_slice(run);
        for one in at + kept..at + kept + changed {
            list.push(T::take(before.get(one), from)?);
        }
    }
    Ok(list)
}

impl<T: Wire + Clone, const N: usize> Wire for [T; N] {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        for (at, one) in self.iter().enumerate() {
            one.put(before.map(|b| &b[at]), out);
        }
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut list = Vec::with_capacity(N);
        for at in 0..N {
            list.push(T::take(before.map(|b| &b[at]), from)?);
        }
        list.try_into().map_err(|_| Malformed("it ends too soon"))
    }

    fn same(&self, before: &Self) -> bool {
        is_same_list(self, before)
    }

    fn copied(&self) -> usize {
        self.iter().map(Wire::copied).fold(0, usize::saturating_add)
    }
}
