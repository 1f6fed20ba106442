//! Values as bytes, told as the difference to a value that the other side has already.
//!
//! ```text
//! number      LEB128; with a value before: the difference to it, zigzag
//! text        length, bytes
//! record      fields in order; with a value before: a number whose bits name the fields that differ, then those
//! choice      place of the variant, its fields
//! optional    0, or 1 and the value
//! list        length, elements; with a list before: runs of (how many stay, how many follow, those) until it is full
//! ```
//!
//! Nothing here knows a type of the model by itself: `wire!` makes the code of a type from the names of its fields, and
//! a field that is not named there does not compile. What is read is bounded by what was sent and by [`Reader`]'s room,
//! and never panics. There is deliberately no code for [`crate::base::Secret`]: a type that holds one cannot be sent.

mod lists;
#[cfg(test)]
pub(super) mod twist;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(super) use self::lists::copied_list;
use crate::base::{Timestamp, Untrusted};
use crate::model::AssetId;

/// What came is not what this version of noctty sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes received make no sense ({0})")]
pub struct Malformed(pub &'static str);

/// Memory that one message may come to.
pub const ROOM: usize = 512 * 1024 * 1024;
/// Short texts that repeat are kept once.
const REPEATED: usize = 4_096;
const LONGEST_REPEATED: usize = 64;

/// What was received, and how much of it was read.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    room: usize,
    /// What is added to the sender's times to make them ours; milliseconds.
    shift: i64,
    names: &'a mut Names,
}

/// Texts that were met before, by their hash.
#[derive(Debug, Default)]
pub struct Names(Vec<Option<Arc<str>>>);

impl Names {
    fn share(&mut self, text: &str) -> Arc<str> {
        if text.len() > LONGEST_REPEATED {
            return text.into();
        }
        if self.0.is_empty() {
            self.0.resize(REPEATED, None);
        }
        let place = &mut self.0[fnv(text.as_bytes()) as usize % REPEATED];
        match place {
            Some(known) if **known == *text => known.clone(),
            _ => place.insert(text.into()).clone(),
        }
    }
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], shift: i64, names: &'a mut Names) -> Self {
        Self { rest: bytes, room: ROOM, shift, names }
    }

    /// # Errors
    /// Something is left.
    pub fn finished(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed("there is more than there should be")) }
    }

    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or(Malformed("it ends too soon"))?;
        self.rest = rest;
        Ok(*first)
    }

    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(Malformed("it ends too soon"))?;
        self.rest = rest;
        self.reserve(length)?;
        Ok(head)
    }

    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                break;
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed("a number is too long"))
    }

    /// A number of elements of `size` octets each, for which room is taken.
    pub fn count(&mut self, size: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.number()?).map_err(|_| Malformed("a number is too large"))?;
        self.reserve(count.checked_mul(size.max(1)).ok_or(Malformed("a number is too large"))?)?;
        Ok(count)
    }

    pub fn reserve(&mut self, size: usize) -> Result<(), Malformed> {
        self.room = self.room.checked_sub(size).ok_or(Malformed("it is too large"))?;
        Ok(())
    }

    #[cfg(test)]
    pub fn room(&self) -> usize {
        self.room
    }

    /// How many elements memory is set aside for at once: no more than there can be.
    fn likely(&self, count: usize, before: usize) -> usize {
        count.min(self.rest.len().saturating_add(before))
    }
}

/// The form of a type on the wire.
pub trait Wire: Sized {
    /// Appends what makes `self` of `before`; the whole where there is nothing before.
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>);

    /// The inverse.
    ///
    /// # Errors
    /// [`Malformed`].
    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// The other side's copy of `before` will do; may be false for equals.
    fn same(&self, before: &Self) -> bool;

    /// Octets that a copy takes beside the value itself: what is shared takes none.
    fn copied(&self) -> usize {
        0
    }
}

pub fn put_number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_difference(value: u64, before: Option<u64>, out: &mut Vec<u8>) {
    let Some(before) = before else { return put_number(value, out) };
    let difference = value.wrapping_sub(before).cast_signed();
    put_number(((difference << 1) ^ (difference >> 63)).cast_unsigned(), out);
}

fn take_difference(before: Option<u64>, from: &mut Reader<'_>) -> Result<u64, Malformed> {
    let value = from.number()?;
    let Some(before) = before else { return Ok(value) };
    let difference = (value >> 1).cast_signed() ^ -(value & 1).cast_signed();
    Ok(before.wrapping_add_signed(difference))
}

macro_rules! numbers {
    ($($name:ty: $wide:expr, $narrow:expr;)*) => {$(
        impl Wire for $name {
            fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
                put_difference($wide(*self), before.copied().map($wide), out);
            }

            fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
                $narrow(take_difference(before.copied().map($wide), from)?).ok_or(Malformed("a number is too large"))
            }

            fn same(&self, before: &Self) -> bool {
                self == before
            }
        }
    )*};
}

numbers! {
    u8: u64::from, narrow;
    u16: u64::from, narrow;
    u32: u64::from, narrow;
    u64: std::convert::identity, Some;
    usize: wide, narrow;
}

fn wide(value: usize) -> u64 {
    value as u64
}

fn narrow<T: TryFrom<u64>>(value: u64) -> Option<T> {
    T::try_from(value).ok()
}

impl Wire for bool {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("neither yes nor no")),
        }
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

/// Floats by their bits: what is unknown stays what it was.
impl Wire for f64 {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        put_number((self.to_bits() ^ before.map_or(0, |b| b.to_bits())).swap_bytes(), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::from_bits(from.number()?.swap_bytes() ^ before.map_or(0, |b| b.to_bits())))
    }

    fn same(&self, before: &Self) -> bool {
        self.to_bits() == before.to_bits()
    }
}

impl Wire for f32 {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        put_number(u64::from((self.to_bits() ^ before.map_or(0, |b| b.to_bits())).swap_bytes()), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let bits = u32::try_from(from.number()?).map_err(|_| Malformed("a number is too large"))?;
        Ok(Self::from_bits(bits.swap_bytes() ^ before.map_or(0, |b| b.to_bits())))
    }

    fn same(&self, before: &Self) -> bool {
        self.to_bits() == before.to_bits()
    }
}

/// A moment of the engine's steady clock; read, it is one of ours.
impl Wire for Timestamp {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        put_difference(self.0.cast_unsigned(), before.map(|b| b.0.cast_unsigned()), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let value = take_difference(before.map(|b| b.0.cast_unsigned()), from)?.cast_signed();
        // What was before is ours already.
        Ok(Self(if before.is_some() { value } else { value.saturating_add(from.shift) }))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

/// A moment of the system's clock: the same for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall(pub Timestamp);

impl Wire for Wall {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        self.0.put(before.map(|b| &b.0), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let value = take_difference(before.map(|b| b.0.0.cast_unsigned()), from)?;
        Ok(Self(Timestamp(value.cast_signed())))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

impl Wire for Duration {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        put_number(self.as_secs(), out);
        put_number(u64::from(self.subsec_nanos()), out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let seconds = from.number()?;
        let nanos = u32::try_from(from.number()?).ok().filter(|n| *n < 1_000_000_000);
        Ok(Self::new(seconds, nanos.ok_or(Malformed("a span makes no sense"))?))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

fn put_text(bytes: &[u8], out: &mut Vec<u8>) {
    #[cfg(test)]
    let bytes = &*twist::text(bytes);
    put_bytes(bytes, out);
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn take_text<'a>(from: &mut Reader<'a>) -> Result<&'a str, Malformed> {
    let length = from.count(1)?;
    std::str::from_utf8(from.bytes(length)?).map_err(|_| Malformed("a text is not UTF-8"))
}

impl Wire for Arc<str> {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        put_text(self.as_bytes(), out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let text = take_text(from)?;
        Ok(from.names.share(text))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

impl Wire for String {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        put_text(self.as_bytes(), out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        take_text(from).map(str::to_owned)
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }

    fn copied(&self) -> usize {
        self.len()
    }
}

/// What is written is what counts, not whose it is.
impl Wire for Cow<'static, str> {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        put_text(self.as_bytes(), out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        take_text(from).map(|text| Self::Owned(text.to_owned()))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }

    fn copied(&self) -> usize {
        self.len()
    }
}

impl Wire for Box<str> {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        put_text(self.as_bytes(), out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        take_text(from).map(Self::from)
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }

    fn copied(&self) -> usize {
        self.len()
    }
}

impl Wire for AssetId {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        put_text(self.as_str().as_bytes(), out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let text = take_text(from)?;
        Ok(from.names.share(text).into())
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

impl Wire for Untrusted {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        let bytes = self.as_bytes();
        #[cfg(test)]
        let bytes = &*twist::text(bytes);
        put_number(((bytes.len() as u64) << 1) | u64::from(self.is_cut()), out);
        out.extend_from_slice(bytes);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let word = from.number()?;
        let length = usize::try_from(word >> 1).map_err(|_| Malformed("a number is too large"))?;
        Ok(Self::as_kept(from.bytes(length)?, word & 1 == 1))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

/// Words that may be kept for good beside those that are known.
const MORE_WORDS: usize = 256;

/// A word of the program for what was received: one that is known, or one of few more that are kept for good. What no
/// program would say is `?`.
fn word(text: &str) -> &'static str {
    static MORE: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    if let Some(known) = super::words::KNOWN.iter().find(|word| **word == text) {
        return known;
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if text.len() > LONGEST_REPEATED || !text.bytes().all(is_plain) {
        return "?";
    }
    let mut more = MORE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = more.get(text) {
        return known;
    }
    if more.len() >= MORE_WORDS {
        return "?";
    }
    let kept: &'static str = Box::leak(text.into());
    more.insert(kept);
    kept
}

/// Words that are part of the program.
impl Wire for &'static str {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        put_bytes(self.as_bytes(), out);
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(word(take_text(from)?))
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

impl Wire for IpAddr {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        match self {
            Self::V4(address) => {
                out.push(4);
                out.extend(address.octets());
            }
            Self::V6(address) => {
                out.push(6);
                out.extend(address.octets());
            }
        }
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match from.byte()? {
            4 => Self::V4(Ipv4Addr::from(octets(from)?)),
            6 => Self::V6(Ipv6Addr::from(octets(from)?)),
            _ => return Err(Malformed("an address is of no kind")),
        })
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

impl Wire for Ipv4Addr {
    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        out.extend(self.octets());
    }

    fn take(_: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        octets(from).map(Self::from)
    }

    fn same(&self, before: &Self) -> bool {
        self == before
    }
}

fn octets<const N: usize>(from: &mut Reader<'_>) -> Result<[u8; N], Malformed> {
    from.bytes(N)?.try_into().map_err(|_| Malformed("it ends too soon"))
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.put(before.and_then(Self::as_ref), out);
            }
        }
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.byte()? {
            0 => Ok(None),
            1 => T::take(before.and_then(Self::as_ref), from).map(Some),
            _ => Err(Malformed("neither there nor absent")),
        }
    }

    fn same(&self, before: &Self) -> bool {
        match (self, before) {
            (Some(value), Some(before)) => value.same(before),
            (None, None) => true,
            _ => false,
        }
    }

    fn copied(&self) -> usize {
        self.as_ref().map_or(0, T::copied)
    }
}

/// What is shared with the value before is not looked at.
impl<T: Wire> Wire for Arc<T> {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        (**self).put(before.map(|b| &**b), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.reserve(size_of::<T>())?;
        T::take(before.map(|b| &**b), from).map(Self::new)
    }

    fn same(&self, before: &Self) -> bool {
        Self::ptr_eq(self, before)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
        self.0.put(before.map(|b| &b.0), out);
        self.1.put(before.map(|b| &b.1), out);
    }

    fn take(before: Option<&Self>, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok((A::take(before.map(|b| &b.0), from)?, B::take(before.map(|b| &b.1), from)?))
    }

    fn same(&self, before: &Self) -> bool {
        self.0.same(&before.0) && self.1.same(&before.1)
    }

    fn copied(&self) -> usize {
        self.0.copied().saturating_add(self.1.copied())
    }
}

/// FNV-1a: tells forms and texts apart, and keeps nobody out.
pub const fn fnv(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

/// The form of types by the names of their fields and variants, and `SHAPE`, which changes with any of them.
macro_rules! wire {
    ($($kind:ident $name:ident { $($body:tt)* })*) => {
        $($crate::attach::wire::one!($kind $name { $($body)* });)*

        /// Tells this form from that of a build with other fields.
        pub(super) const SHAPE: u64 =
            $crate::attach::wire::fnv(stringify!($($kind $name { $($body)* })*).as_bytes());
    };
}

macro_rules! one {
    (record $name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::attach::wire::Wire for $name {
            fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
                // No `..`: a field that is not named above does not compile.
                let Self { $($field),* } = self;
                let Some(before) = before else {
                    $($field.put(None, out);)*
                    return;
                };
                let mut differs = 0u64;
                let mut bit = 1u64;
                $(
                    if !$field.same(&before.$field) {
                        differs |= bit;
                    }
                    bit = bit.wrapping_shl(1);
                )*
                let _ = bit;
                $crate::attach::wire::put_number(differs, out);
                $(
                    if differs & 1 == 1 {
                        $field.put(Some(&before.$field), out);
                    }
                    differs >>= 1;
                )*
                let _ = differs;
            }

            fn take(
                before: Option<&Self>,
                from: &mut $crate::attach::wire::Reader<'_>,
            ) -> Result<Self, $crate::attach::wire::Malformed> {
                let Some(before) = before else {
                    return Ok(Self { $($field: $crate::attach::wire::Wire::take(None, from)?),* });
                };
                let mut differs = from.number()?;
                let made = Self { $($field: {
                    let changed = differs & 1 == 1;
                    differs >>= 1;
                    if changed {
                        $crate::attach::wire::Wire::take(Some(&before.$field), from)?
                    } else {
                        from.reserve(before.$field.copied())?;
                        before.$field.clone()
                    }
                }),* };
                if differs == 0 { Ok(made) } else { Err($crate::attach::wire::Malformed("a field is not known")) }
            }

            fn same(&self, before: &Self) -> bool {
                true $(&& self.$field.same(&before.$field))*
            }

            fn copied(&self) -> usize {
                0usize $(.saturating_add(self.$field.copied()))*
            }
        }
    };
    (choice $name:ident { $($variant:ident $({ $($key:tt: $bound:ident),* })?),* $(,)? }) => {
        impl $crate::attach::wire::Wire for $name {
            fn put(&self, before: Option<&Self>, out: &mut Vec<u8>) {
                // The last names no variant.
                enum Ordinal { $($variant,)* Beyond }
                let _ = Ordinal::Beyond;
                let _ = before;
                match self {
                    $(Self::$variant $({ $($key: $bound),* })? => {
                        out.push(Ordinal::$variant as u8);
                        $($($bound.put(
                            match before {
                                Some(Self::$variant { $key: $bound, .. }) => Some($bound),
                                _ => None,
                            },
                            out,
                        );)*)?
                    })*
                }
            }

            fn take(
                before: Option<&Self>,
                from: &mut $crate::attach::wire::Reader<'_>,
            ) -> Result<Self, $crate::attach::wire::Malformed> {
                // The last names no variant.
                enum Ordinal { $($variant,)* Beyond }
                let _ = Ordinal::Beyond;
                let _ = before;
                Ok(match from.byte()? {
                    $(place if place == Ordinal::$variant as u8 => Self::$variant $({ $($key:
                        $crate::attach::wire::Wire::take(
                            match before {
                                Some(Self::$variant { $key: $bound, .. }) => Some($bound),
                                _ => None,
                            },
                            from,
                        )?
                    ),* })?,)*
                    _ => return Err($crate::attach::wire::Malformed("one of several is not known")),
                })
            }

            fn same(&self, before: &Self) -> bool {
                self == before
            }

            fn copied(&self) -> usize {
                match self {
                    $(Self::$variant $({ $($key: $bound),* })? => 0usize $($(.saturating_add($bound.copied()))*)?,)*
                }
            }
        }
    };
}

pub(crate) use {one, wire};
