//! The answer of a script in sections: a line `MARK name` begins one. The mark is made anew for each run and known only to
//! the script's own shell, so nothing that a command prints, and nobody whose text it prints, can begin a section.

/// No section keeps more; what is beyond is left out.
const MOST: usize = 64 * 1024;

#[derive(Debug, Default)]
pub struct Sections<'a> {
    parts: Vec<(&'a [u8], &'a [u8])>,
    /// Where the first one's line ends.
    first: Option<usize>,
}

impl<'a> Sections<'a> {
    pub fn split(output: &'a [u8], mark: &str) -> Self {
        Self::split_within(output, mark, MOST)
    }

    /// As [`Self::split`], of sections of so many bytes.
    pub fn split_within(output: &'a [u8], mark: &str, most: usize) -> Self {
        let body = |bytes: &'a [u8]| &bytes[..bytes.len().min(most)];
        let mut parts: Vec<(&[u8], &[u8])> = Vec::new();
        let mut begun: Option<(&[u8], usize)> = None;
        let mut first = None;
        let mut at = 0;
        for line in output.split_inclusive(|byte| *byte == b'\n') {
            let is_whole = line.ends_with(b"\n");
            let name = line.strip_prefix(mark.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
            // A line that was cut off may be cut within the name.
            if let Some(name) = name.filter(|_| is_whole && !mark.is_empty()) {
                if let Some((name, from)) = begun {
                    parts.push((name, body(&output[from..at])));
                }
                begun = Some((name.trim_ascii(), at + line.len()));
                first = first.or(Some(at + line.len()));
            }
            at += line.len();
        }
        if let Some((name, from)) = begun {
            parts.push((name, body(&output[from..])));
        }
        Self { parts, first }
    }

    /// How much of the output there was when the first section had begun.
    pub fn first(&self) -> Option<usize> {
        self.first
    }

    /// What stands in a section; `None` where it never began.
    pub fn of(&self, name: &str) -> Option<&'a [u8]> {
        self.parts.iter().find(|(part, _)| *part == name.as_bytes()).map(|(_, body)| *body)
    }

    /// The script came to its end.
    pub fn is_complete(&self) -> bool {
        self.of("end").is_some()
    }

    /// The section that was begun last.
    pub fn last(&self) -> Option<String> {
        self.parts.last().map(|(name, _)| String::from_utf8_lossy(name).into_owned())
    }
}

/// Lines without their ends; empty ones are left out.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A number that is one: finite, and not larger than anything that is counted.
pub fn number(word: &[u8]) -> Option<f64> {
    std::str::from_utf8(word).ok()?.parse::<f64>().ok().filter(|n| n.abs() < 1e18)
}

/// A count that fits.
pub fn count(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// The rest of a line after its first `skipped` words, and those words.
pub fn after_words(line: &[u8], skipped: usize) -> Option<(Vec<&[u8]>, &[u8])> {
    let mut rest = line.trim_ascii();
    let mut taken = Vec::with_capacity(skipped);
    for _ in 0..skipped {
        let end = rest.iter().position(u8::is_ascii_whitespace)?;
        taken.push(&rest[..end]);
        rest = rest[end..].trim_ascii_start();
    }
    (!rest.is_empty()).then_some((taken, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections_are_told_by_the_mark_alone() {
        let output = b"Welcome!\nM time\n12.5\n\nM who\nM2 time\n M time\nM\nother time\n\nM end\n";
        let sections = Sections::split(output, "M");
        assert_eq!(sections.of("time"), Some(&b"12.5\n\n"[..]));
        assert_eq!(sections.of("who"), Some(&b"M2 time\n M time\nM\nother time\n\n"[..]));
        assert!(sections.is_complete());
        assert_eq!(sections.of("nobody"), None);
        assert_eq!(sections.first(), Some("Welcome!\nM time\n".len()));
    }

    #[test]
    fn an_answer_that_was_cut_off_is_not_whole_and_names_where() {
        let sections = Sections::split(b"M time\n1\nM df\nFilesystem\nM en", "M");
        assert!(!sections.is_complete());
        assert_eq!(sections.last().as_deref(), Some("df"));
        assert_eq!(Sections::split(b"M end", "M").last(), None, "a line that is cut begins nothing");
        assert_eq!(Sections::split(b" time\n", "").last(), None, "no mark, no section");
    }

    #[test]
    fn the_words_before_a_name_with_blanks_are_taken_off() {
        let line = b"/dev/sda1   100 20  80  20% /mnt/My Disk";
        let (words, rest) = after_words(line, 5).expect("six words");
        assert_eq!((words[4], rest), (&b"20%"[..], &b"/mnt/My Disk"[..]));
        assert_eq!(after_words(b"one two", 2), None);
    }

    proptest! {
        /// Whatever a command prints, it stays in its own section: the mark is not known to it.
        #[test]
        fn nothing_that_is_printed_begins_a_section(
            before in prop::collection::vec(any::<u8>(), 0..60),
            inside in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mark = "5f2d4c0b7a9e1f38";
            let contains = |bytes: &[u8]| bytes.windows(mark.len()).any(|w| w == mark.as_bytes());
            prop_assume!(!contains(&before) && !contains(&inside));
            let mut output = before;
            output.extend_from_slice(format!("\n{mark} users\n").as_bytes());
            output.extend_from_slice(&inside);
            output.extend_from_slice(format!("\n{mark} units\nnone\n\n{mark} end\n").as_bytes());
            let sections = Sections::split(&output, mark);
            let mut kept = inside;
            kept.push(b'\n');
            prop_assert_eq!(sections.of("users"), Some(&kept[..]));
            prop_assert_eq!(sections.of("units"), Some(&b"none\n\n"[..]));
            prop_assert_eq!(sections.parts.len(), 3);
        }

        #[test]
        fn any_bytes_are_split_without_a_panic(output in prop::collection::vec(any::<u8>(), 0..400), mark in "[a-z ]{0,3}") {
            let _ = Sections::split(&output, &mark);
            let _ = after_words(&output, 3);
        }
    }
}
