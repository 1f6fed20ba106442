//! Documents as JSON. The text in them is kept as it was, for programs; and the document may be read on a terminal all the same: what one
//! would obey, hide or reorder is written as `\u009b`, which every reader of JSON takes for the same text.

use serde::Serialize;

use crate::base::text;

/// In lines, the last of them ended.
pub fn pretty(document: &impl Serialize) -> String {
    // Strings, numbers and lists cannot fail to be written; a reader is told rather than given nothing.
    let written = serde_json::to_string_pretty(document)
        .unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string());
    text::escape_json(&written) + "\n"
}
