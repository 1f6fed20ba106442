//! What kinds of characters there are besides those that stand for themselves.

use unicode_width::UnicodeWidthChar as _;

/// Whether a character is put upon the one before it.
pub fn is_mark(c: char) -> bool {
    !is_hidden(c) && c.width() == Some(0) && u32::from(c) >= 0x300
}

/// Characters that change how others are shown, or show nothing themselves: bidi controls, other
/// format characters (Cf), default ignorables, variation selectors, tags, private use, line and
/// paragraph separators.
pub fn is_hidden(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2
        | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164
        | 0xe000..=0xf8ff | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
        | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0xe0000..=0xe0fff | 0xf0000..=0x10_ffff)
}
