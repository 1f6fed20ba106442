//! One line of `ssh_config` into keyword and arguments: whitespace or one `=` after the keyword, quotes,
//! backslashes before quotes, backslashes and blanks, `#` where an argument would begin.

/// Keyword in lower case and the rest of the line; `None` for blank lines and comments.
pub(super) fn keyword(line: &str) -> Option<(String, &str)> {
    let line = line.trim_matches([' ', '\t', '\r', '\u{c}']);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (word, rest) = if let Some(quoted) = line.strip_prefix('"') {
        quoted.split_once('"')?
    } else {
        line.split_at(line.find([' ', '\t', '=']).unwrap_or(line.len()))
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start_matches([' ', '\t']);
    Some((word.to_ascii_lowercase(), rest))
}

/// The arguments; `None` where a quote is not closed.
pub(super) fn arguments(rest: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut chars = rest.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        match chars.peek() {
            None | Some('#') => return Some(out),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = chars.peek().copied() {
            match (c, quote) {
                (' ' | '\t', None) => break,
                ('\\', _) => {
                    chars.next();
                    match chars.peek() {
                        Some(next @ ('\'' | '"' | '\\')) => word.push(*next),
                        Some(' ') if quote.is_none() => word.push(' '),
                        _ => {
                            word.push('\\');
                            continue;
                        }
                    }
                }
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(q)) if c == q => quote = None,
                _ => word.push(c),
            }
            chars.next();
        }
        if quote.is_some() {
            return None;
        }
        out.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyword_and_value_may_be_parted_by_blanks_or_an_equals_sign() {
        for line in ["Port 22", "  port=22", "PORT = 22", "Port\t22\r", "\"Port\" 22"] {
            assert_eq!(keyword(line), Some(("port".to_owned(), "22")), "{line:?}");
        }
        assert_eq!(keyword("# Port 22"), None);
        assert_eq!(keyword("   "), None);
    }

    #[test]
    fn quotes_hold_blanks_and_a_hash_begins_a_comment() {
        assert_eq!(arguments(r#"a "b c" d\ e # f"#), Some(vec!["a".into(), "b c".into(), "d e".into()]));
        assert_eq!(arguments("a#b"), Some(vec!["a#b".into()]));
        assert_eq!(arguments(r#""open"#), None);
        assert_eq!(arguments(""), Some(vec![]));
    }
}
