//! Regular expressions over foreign octets, and texts cut out by them. Matching is linear in the text, whatever the pattern.
//!
//! A pattern is compiled when it is needed first: of the hundreds in the shipped profiles a network needs a few.

use std::sync::{Arc, OnceLock};

use regex::bytes::{Captures, Regex, RegexBuilder};

/// A compiled pattern larger than this is refused.
const LARGEST: usize = 256 * 1024;

/// A regular expression over octets; ASCII classes, no Unicode.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: Box<str>,
    /// None: it cannot be compiled, which only a text that nobody checked can be. It matches nothing.
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        let regex = compile(text).map_err(|error| {
            let words = error.to_string();
            words.lines().last().unwrap_or("it is no regular expression").trim_start_matches("error: ").to_owned()
        })?;
        Ok(Self(Arc::new(Inner { text: text.into(), compiled: OnceLock::from(Some(regex)) })))
    }

    /// One that is known to be sound, as those of the shipped profiles are by a test.
    pub fn sound(text: &str) -> Self {
        Self(Arc::new(Inner { text: text.into(), compiled: OnceLock::new() }))
    }

    fn regex(&self) -> Option<&Regex> {
        self.0.compiled.get_or_init(|| compile(&self.0.text).ok()).as_ref()
    }

    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    pub fn matches(&self, text: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }

    /// Whether it has groups: then [`Pattern::cut`] gives those rather than the whole match.
    pub fn has_groups(&self) -> bool {
        self.regex().is_some_and(|regex| regex.captures_len() > 1)
    }

    /// The groups that took part, joined by blanks; the whole match where there are none.
    pub fn cut(&self, text: &[u8]) -> Option<Vec<u8>> {
        let found = self.regex()?.captures(text)?;
        if !self.has_groups() {
            return Some(found[0].to_vec());
        }
        let groups: Vec<&[u8]> = groups(&found).collect();
        (!groups.is_empty()).then(|| groups.join(&b' '))
    }

    /// The first group, or the whole match.
    pub fn first<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let found = self.regex()?.captures(text)?;
        found.get(usize::from(self.has_groups())).map(|m| m.as_bytes())
    }
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(false).size_limit(LARGEST).build()
}

fn groups<'t>(found: &Captures<'t>) -> impl Iterator<Item = &'t [u8]> {
    found.iter().skip(1).flatten().map(|m| m.as_bytes()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pattern: &str, text: &[u8]) -> Option<String> {
        let found = Pattern::new(pattern).expect("valid").cut(text)?;
        Some(String::from_utf8_lossy(&found).into_owned())
    }

    #[test]
    fn groups_are_cut_out_and_joined() {
        assert_eq!(cut(r"Version (\S+),", b"IOS, Version 12.2(55)SE3, x").as_deref(), Some("12.2(55)SE3"));
        assert_eq!(cut(r"Version (\S+) \(Build (\d+)", b"Version 5.2 (Build 3790)").as_deref(), Some("5.2 3790"));
        assert_eq!(cut(r"(a)|(b)", b"b").as_deref(), Some("b"));
        assert_eq!(cut(r"RouterOS \S+", b"x RouterOS CCR1009 y").as_deref(), Some("RouterOS CCR1009"));
        assert_eq!(cut("x", b"y"), None);
        assert_eq!(cut("x(y)?", b"x"), None);
    }

    #[test]
    fn one_that_is_compiled_late_is_the_same() {
        let late = Pattern::sound(r"v(\d+)");
        let copy = late.clone();
        assert_eq!(late.cut(b"v12").as_deref(), Some(&b"12"[..]));
        assert!(copy.has_groups() && copy.matches(b"v1") && copy.as_str() == late.as_str());
        let broken = Pattern::sound("a(b");
        assert!(!broken.matches(b"ab") && broken.cut(b"ab").is_none() && broken.first(b"ab").is_none());
    }

    #[test]
    fn octets_that_are_no_text_are_matched_too() {
        assert_eq!(cut(r"v(\d+)", b"\xff\xfe v12 \x00").as_deref(), Some("12"));
    }

    #[test]
    fn what_is_wrong_is_said_in_a_line() {
        let error = Pattern::new("a(b").expect_err("broken");
        assert!(error.contains("unclosed group") && !error.contains('\n'), "{error}");
        assert!(Pattern::new("(a{900}){900}").is_err());
    }
}
