//! Patterns that a check's options have.

use crate::base::options::{Problem, Reader};
use crate::profile::Pattern;

/// The pattern under a key; `None` where there is one that is none, which is said.
#[expect(clippy::option_option, reason = "absent and wrong are two things")]
pub fn read(key: &'static str, options: &mut Reader<'_>) -> Option<Option<Pattern>> {
    let Some(node) = options.node(key) else { return Some(None) };
    let place = node.place.clone();
    match Pattern::new(&options.string(key)?) {
        Ok(pattern) => Some(Some(pattern)),
        Err(why) => {
            options.problem(Problem::error(&place, format!("`{key}`: {why}")));
            None
        }
    }
}

/// A text as a pattern of itself: one linear search whatever it is searched in.
pub fn literal(text: &str) -> Option<Pattern> {
    let mut escaped = String::with_capacity(4 * text.len());
    for byte in text.bytes() {
        escaped.push_str(&format!("\\x{byte:02x}"));
    }
    Pattern::new(&escaped).ok()
}
