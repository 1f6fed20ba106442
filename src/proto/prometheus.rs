//! The text format of Prometheus (version 0.0.4) and what OpenMetrics adds to it, read line by line. A line that is none is
//! counted and passed over: one broken collector must not hide the others.
//!
//! ```text
//!  # HELP node_load1 1m load average.
//!  # TYPE node_load1 gauge
//!  node_load1 0.42
//!  node_filesystem_size_bytes{mountpoint="/",fstype="ext4"} 4.2e+10 1700000000000
//! ```

use std::borrow::Cow;

/// Labels of one sample that are kept; more are no reason to refuse it.
const MOST_LABELS: usize = 64;

/// One line's worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    pub name: Cow<'a, str>,
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub value: f64,
}

impl Sample<'_> {
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }
}

/// How a text was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub samples: usize,
    /// Lines that are none of the format.
    pub malformed: usize,
    /// The number of the first of them, from 1.
    pub first_malformed: Option<usize>,
}

/// Reads a whole text; each sample is given to `each`. The last line may be cut off: it counts only with its line break
/// where `cut` says so.
pub fn parse<'a>(text: &'a [u8], cut: bool, mut each: impl FnMut(Sample<'a>)) -> Summary {
    let mut summary = Summary::default();
    let whole = if cut { text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1) } else { text.len() };
    for (index, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        if let Some(sample) = std::str::from_utf8(line).ok().and_then(sample) {
            summary.samples += 1;
            each(sample);
        } else {
            summary.malformed += 1;
            summary.first_malformed.get_or_insert(index + 1);
        }
    }
    summary
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(|c: char| c == '{' || c.is_ascii_whitespace()).unwrap_or(line.len());
    let (name, mut rest) = line.split_at(end);
    let mut name = Cow::Borrowed(name);
    let mut labels = Vec::new();
    rest = rest.trim_start();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = read_labels(inside, &mut name, &mut labels)?;
    }
    if name.is_empty() || (matches!(name, Cow::Borrowed(_)) && !is_name(&name)) {
        return None;
    }
    // Behind the value stand a time, and after `#` an example: neither is needed.
    let mut words = rest.split_ascii_whitespace();
    let value = number(words.next()?)?;
    match words.next() {
        None | Some("#") => {}
        Some(time) => {
            time.parse::<f64>().ok()?;
            if words.next().is_some_and(|word| word != "#") {
                return None;
            }
        }
    }
    Some(Sample { name, labels, value })
}

/// Up to the closing brace; gives what comes after it. A quoted string without a value is the metric's name (the form for
/// names with other characters).
fn read_labels<'a>(
    mut rest: &'a str,
    name: &mut Cow<'a, str>,
    labels: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
) -> Option<&'a str> {
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some(after);
        }
        let key = if rest.starts_with('"') {
            let (quoted, after) = quoted(rest)?;
            rest = after.trim_start();
            if !rest.starts_with('=') {
                if !name.is_empty() {
                    return None;
                }
                *name = Cow::Owned(quoted.into_owned());
                rest = rest.strip_prefix(',').unwrap_or(rest);
                continue;
            }
            quoted
        } else {
            let (key, after) = rest.split_once('=')?;
            let key = key.trim_end();
            if !is_name(key) {
                return None;
            }
            rest = &rest[rest.len() - after.len() - 1..];
            Cow::Borrowed(key)
        };
        let (value, after) = quoted(rest.strip_prefix('=')?.trim_start())?;
        if labels.len() < MOST_LABELS {
            labels.push((key, value));
        }
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after,
            None if rest.starts_with('}') => rest,
            None => return None,
        };
    }
}

/// A string in quotes with `\\`, `\"` and `\n`, and what comes after it.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut out: Option<String> = None;
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let value = out.map_or(Cow::Borrowed(&inside[..at]), Cow::Owned);
                return Some((value, &inside[at + 1..]));
            }
            '\\' => {
                let out = out.get_or_insert_with(|| inside[..at].to_owned());
                match chars.next()?.1 {
                    'n' => out.push('\n'),
                    other @ ('\\' | '"') => out.push(other),
                    other => {
                        out.push('\\');
                        out.push(other);
                    }
                }
            }
            c => {
                if let Some(out) = &mut out {
                    out.push(c);
                }
            }
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b':'))
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'.'))
}

fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" | "Nan" | "nan" => Some(f64::NAN),
        "+Inf" | "Inf" | "+inf" | "inf" => Some(f64::INFINITY),
        "-Inf" | "-inf" => Some(f64::NEG_INFINITY),
        // Words such as "infinity" are Rust's, not the format's.
        _ if text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E')) => {
            text.parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(line: &str) -> Option<Sample<'_>> {
        let mut found = None;
        parse(line.as_bytes(), false, |sample| found = Some(sample));
        found
    }

    #[test]
    fn lines_of_every_form_are_read() {
        let plain = one("node_load1 0.42").expect("a sample");
        assert_eq!((&*plain.name, plain.value), ("node_load1", 0.42));
        let full =
            one(r#"fs:size{mountpoint="/a,b} c", device = "C:\\x \"y\"\n" ,} -4.2e+10 1700000000000"#).expect("one");
        assert_eq!((full.label("mountpoint"), full.value), (Some("/a,b} c"), -4.2e10));
        assert_eq!(full.label("device"), Some("C:\\x \"y\"\n"));
        let example = one(r#"bucket{le="+Inf"} 17 # {trace_id="x"} 0.5 1.5"#).expect("a sample");
        assert_eq!((example.label("le"), example.value), (Some("+Inf"), 17.0));
        let new = one(r#"{"http.requests", "my label"="v"} 3"#).expect("a sample");
        assert_eq!((&*new.name, new.label("my label"), new.value), ("http.requests", Some("v"), 3.0));
        assert!(one("x NaN").expect("a sample").value.is_nan());
        assert!(one("x{} -Inf").expect("a sample").value.is_infinite());
        assert_eq!(one("x\t{a=\"b\"}\t1").expect("a sample").label("a"), Some("b"));
    }

    #[test]
    fn broken_lines_are_counted_and_hide_nothing() {
        let text = "# TYPE a gauge\na 1\na{b=\"c} 2\n<html>\nb 1 2 3\nc infinity\n9d 1\n{a=\"b\"} 1\na{b=1} 1\nd\n\ne 5\r\nf 6";
        let mut found = Vec::new();
        let summary = parse(text.as_bytes(), false, |sample| found.push((sample.name.into_owned(), sample.value)));
        assert_eq!(found, [("a".to_owned(), 1.0), ("e".to_owned(), 5.0), ("f".to_owned(), 6.0)]);
        assert_eq!(summary, Summary { samples: 3, malformed: 8, first_malformed: Some(3) });
        // What was cut off in the middle of a number is no number.
        let cut = parse(b"a 1\nb 12", true, |_| {});
        assert_eq!((cut.samples, cut.malformed), (1, 0));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            parse(&text, false, |_| {});
        }

        #[test]
        fn what_is_written_comes_back(value in proptest::num::f64::NORMAL, label in "\\PC{0,20}") {
            let escaped = label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let line = format!("m{{l=\"{escaped}\"}} {value:e}");
            let read = one(&line).expect("a sample");
            prop_assert_eq!(read.label("l"), Some(&*label));
            prop_assert_eq!(read.value.to_bits(), value.to_bits());
        }
    }
}
