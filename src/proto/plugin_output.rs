//! What a monitoring plugin prints (the plugin API of Nagios): a line for people, numbers behind a bar, more lines, more numbers.
//!
//! ```text
//!  DISK OK - free space: / 3326 MB | /=2643MB;5948;5958;0;5968
//!  / 15272 MB (77%)
//!  /boot 68 MB (69%) | /boot=68MB;88;93;0;98
//!  /home=69357MB;253404;253409;0;253414
//! ```

/// Numbers of one output that are kept.
const MOST_NUMBERS: usize = 200;
/// Lines of text that are kept.
const MOST_LINES: usize = 100;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginOutput {
    /// Foreign bytes.
    pub text: Vec<u8>,
    pub more: Vec<Vec<u8>>,
    pub numbers: Vec<Number>,
    /// Pieces behind a bar that are no numbers.
    pub malformed: usize,
}

/// The kind of a number, after its unit was multiplied into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Plain,
    Percent,
    Seconds,
    Bytes,
    /// `c`: it only grows.
    Counter,
}

/// One number with the limits that the plugin says it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    pub label: String,
    pub value: f64,
    pub measure: Measure,
    pub warning: Option<f64>,
    pub critical: Option<f64>,
    pub least: Option<f64>,
    pub most: Option<f64>,
}

/// Reads all of an output.
pub fn parse(bytes: &[u8]) -> PluginOutput {
    let mut out = PluginOutput::default();
    let mut only_numbers = false;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if only_numbers {
            numbers(line, &mut out);
            continue;
        }
        let (text, behind) = match line.iter().position(|byte| *byte == b'|') {
            Some(bar) => (&line[..bar], Some(&line[bar + 1..])),
            None => (line, None),
        };
        let text = text.trim_ascii();
        if index == 0 {
            out.text = text.to_vec();
        } else if !text.is_empty() && out.more.len() < MOST_LINES {
            out.more.push(text.to_vec());
        }
        if let Some(behind) = behind {
            numbers(behind, &mut out);
            // From a bar in the further lines on, only numbers follow.
            only_numbers = index > 0;
        }
    }
    out
}

fn numbers(text: &[u8], out: &mut PluginOutput) {
    let text = String::from_utf8_lossy(text);
    let mut rest = text.trim();
    while !rest.is_empty() {
        let Some((label, after)) = label(rest) else {
            out.malformed += 1;
            // The next piece may be sound.
            rest = rest.split_once(char::is_whitespace).map_or("", |(_, after)| after.trim_start());
            continue;
        };
        let (piece, after) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
        match number(label, piece) {
            Some(Some(number)) if out.numbers.len() < MOST_NUMBERS => out.numbers.push(number),
            Some(_) => {}
            None => out.malformed += 1,
        }
        rest = after.trim_start();
    }
}

/// `label=` or `'a label'=`, where two quotes are one; and what comes after.
fn label(text: &str) -> Option<(String, &str)> {
    let Some(mut inside) = text.strip_prefix('\'') else {
        let (label, after) = text.split_once('=')?;
        let plain = !label.is_empty() && !label.contains(char::is_whitespace);
        return plain.then(|| (label.to_owned(), after));
    };
    let mut label = String::new();
    loop {
        let (part, after) = inside.split_once('\'')?;
        label.push_str(part);
        let Some(next) = after.strip_prefix('\'') else {
            let after = after.strip_prefix('=')?;
            return (!label.is_empty()).then_some((label, after));
        };
        label.push('\'');
        inside = next;
    }
}

/// `value[unit];warning;critical;least;most`. `Some(None)`: the plugin says that it does not know (`U`).
#[expect(clippy::option_option, reason = "unknown and malformed are two things")]
fn number(label: String, piece: &str) -> Option<Option<Number>> {
    let mut fields = piece.split(';');
    let value = fields.next()?;
    if value == "U" {
        return Some(None);
    }
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit() || "+-.,eE".contains(c)).len();
    // An exponent's letter may be the unit's: `5EB` is not meant by anybody.
    let (value, unit) = value.split_at(digits);
    // `0x1f` is no nought of a unit of its own.
    if unit.starts_with(['x', 'X']) && value.ends_with('0') {
        return None;
    }
    let value = finite(value)?;
    let (measure, factor) = measure(unit)?;
    let mut limit = || fields.next().and_then(upper).map(|n| n * factor);
    let (warning, critical, least, most) = (limit(), limit(), limit(), limit());
    Some(Some(Number { label, value: value * factor, measure, warning, critical, least, most }))
}

fn finite(text: &str) -> Option<f64> {
    text.replace(',', ".").parse::<f64>().ok().filter(|n| n.is_finite())
}

/// The end of a range that is nearest to what is watched: `10`, `~:10`, `5:10` are 10, `5:` is 5.
fn upper(range: &str) -> Option<f64> {
    let range = range.trim_start_matches('@');
    match range.split_once(':') {
        None => finite(range),
        Some((low, "")) => finite(low),
        Some((_, high)) => finite(high),
    }
}

fn measure(unit: &str) -> Option<(Measure, f64)> {
    Some(match unit {
        "" => (Measure::Plain, 1.0),
        "%" => (Measure::Percent, 1.0),
        "s" => (Measure::Seconds, 1.0),
        "ms" => (Measure::Seconds, 1e-3),
        "us" | "µs" => (Measure::Seconds, 1e-6),
        "ns" => (Measure::Seconds, 1e-9),
        "c" => (Measure::Counter, 1.0),
        "B" | "b" => (Measure::Bytes, 1.0),
        "KB" | "kB" | "KiB" => (Measure::Bytes, 1024.0),
        "MB" | "MiB" => (Measure::Bytes, 1_048_576.0),
        "GB" | "GiB" => (Measure::Bytes, 1_073_741_824.0),
        "TB" | "TiB" => (Measure::Bytes, 1_099_511_627_776.0),
        // A unit of the plugin's own.
        other if other.len() <= 16 && other.chars().all(|c| c.is_alphanumeric() || "/°_".contains(c)) => {
            (Measure::Plain, 1.0)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_interface_are_read() {
        let out = parse(
            b"DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n/ 15272 MB (77%);\n/boot 68 MB (69%); | /boot=68MB;88;93;0;98\n/home=69357MB;253404;253409;0;253414\n/var/log=818MB;970;975;0;980",
        );
        assert_eq!(out.text, b"DISK OK - free space: / 3326 MB (56%);");
        assert_eq!(out.more, [b"/ 15272 MB (77%);".to_vec(), b"/boot 68 MB (69%);".to_vec()]);
        let labels: Vec<&str> = out.numbers.iter().map(|n| n.label.as_str()).collect();
        assert_eq!((labels, out.malformed), (vec!["/", "/boot", "/home", "/var/log"], 0));
        let root = &out.numbers[0];
        assert_eq!(
            (root.value, root.measure, root.most),
            (2643.0 * 1_048_576.0, Measure::Bytes, Some(5968.0 * 1_048_576.0))
        );
    }

    #[test]
    fn labels_ranges_and_units_of_every_kind() {
        let out = parse(
            b"x|'it''s here'=5ms;~:10;@20:30;; rta=0.5s;5: n=U c=7c pct=3,5%;80;90 odd=1frob bad=x hex=0x1f 'open=3 =4 a=-1e3",
        );
        let told: Vec<(&str, f64)> = out.numbers.iter().map(|n| (n.label.as_str(), n.value)).collect();
        assert_eq!(told, [("it's here", 0.005), ("rta", 0.5), ("c", 7.0), ("pct", 3.5), ("odd", 1.0), ("a", -1000.0)]);
        let first = &out.numbers[0];
        assert_eq!((first.warning, first.critical, first.least, first.most), (Some(0.01), Some(0.03), None, None));
        assert_eq!((out.numbers[1].warning, out.malformed), (Some(5.0), 4));
    }

    #[test]
    fn text_without_numbers_is_only_text() {
        let out = parse(b"PING CRITICAL\r\n\r\nmore\n");
        assert_eq!((out.text, out.more, out.numbers.len()), (b"PING CRITICAL".to_vec(), vec![b"more".to_vec()], 0));
        assert_eq!(parse(b""), PluginOutput::default());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let out = parse(&bytes);
            prop_assert!(out.numbers.iter().all(|n| n.value.is_finite()));
        }
    }
}
