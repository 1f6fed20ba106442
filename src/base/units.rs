//! Numbers as people read them: ages, durations, sizes, rates. One place, so that columns stay
//! aligned and a unit means the same on every screen.

use std::time::Duration;

/// An age in at most three columns: `3s`, `12m`, `5h`, `9d`, `31w`, `4y`.
pub fn age(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3_600 => format!("{}m", secs / 60),
        3_600..172_800 => format!("{}h", secs / 3_600),
        172_800..8_640_000 => format!("{}d", secs / 86_400),
        8_640_000..59_875_200 => format!("{}w", secs / 604_800),
        _ => format!("{}y", secs / 31_557_600),
    }
}

/// How long something goes on, to the minute and never less than it is: `45s`, `12m`, `3h59m`, `4h`, `2d5h`, `9d`.
pub fn left(duration: Duration) -> String {
    let secs = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    let two = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{part}"),
    };
    let (minutes, hours, days) = (secs.div_ceil(60), secs.div_ceil(3_600), secs.div_ceil(86_400));
    match secs {
        0..60 => format!("{secs}s"),
        60..172_800 if minutes < 60 => format!("{minutes}m"),
        60..172_800 => two(minutes / 60, "h", minutes % 60, "m"),
        172_800..691_200 => two(hours / 24, "d", hours % 24, "h"),
        _ => format!("{days}d"),
    }
}

/// An age that is repainted rarely, for screens that must stay quiet: seconds in steps of
/// 5 up to 30 and of 15 up to a minute, then as [`age`].
pub fn age_bucket(duration: Duration) -> Duration {
    let secs = duration.as_secs();
    let step = match secs {
        0..30 => 5,
        30..60 => 15,
        60..3_600 => 60,
        3_600..172_800 => 3_600,
        _ => 86_400,
    };
    Duration::from_secs(secs / step * step)
}

/// How long until [`age_bucket`] of this age changes.
pub fn until_next_bucket(duration: Duration) -> Duration {
    let secs = duration.as_secs();
    let step = match secs {
        0..30 => 5,
        30..60 => 15,
        60..3_600 => 60,
        3_600..172_800 => 3_600,
        _ => 86_400,
    };
    Duration::from_secs((secs / step + 1) * step).saturating_sub(duration)
}

/// `HH:MM:SS`, or `3d 04:05:06` from a day on.
pub fn clock_duration(duration: Duration) -> String {
    let secs = duration.as_secs();
    let (days, h, m, s) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    if days == 0 { format!("{h:02}:{m:02}:{s:02}") } else { format!("{days}d {h:02}:{m:02}:{s:02}") }
}

/// `1 entry`, `2 entries`: a count with its word, which takes `s` or, after a consonant and y, `ies`.
pub fn counted(count: usize, word: &str) -> String {
    match (count, word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {word}s"),
    }
}

/// A duration as the configuration writes it: `90s`, `15m`, `26h`, `7d`; mixed ones as `1h30m`.
pub fn config_duration(duration: Duration) -> String {
    let mut secs = duration.as_secs();
    if duration.subsec_millis() != 0 {
        return format!("{}ms", duration.as_millis());
    }
    if secs == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        // 26h reads better than 1d2h: days only when they come out even.
        if unit == "d" && !secs.is_multiple_of(size) {
            continue;
        }
        if secs >= size {
            out.push_str(&format!("{}{unit}", secs / size));
            secs %= size;
        }
    }
    out
}

/// Parses `500ms`, `90s`, `15m`, `26h`, `7d`, `2w` and sums such as `1h30m`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit_ms: u64 = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        };
        rest = rest[letters..].trim_start();
        total = total.checked_add(Duration::from_millis(number.checked_mul(unit_ms)?))?;
    }
    Some(total)
}

/// Bytes with a binary prefix in at most five columns: `812B`, `1.4K`, `312M`, `9.8G`.
pub fn bytes(value: u64) -> String {
    scaled(value as f64, 1024.0, &["B", "K", "M", "G", "T", "P", "E"])
}

/// Bits per second with a decimal prefix: `0`, `812`, `1.4k`, `312M`, `10G`.
pub fn bit_rate(bits_per_second: f64) -> String {
    scaled(bits_per_second, 1000.0, &["", "k", "M", "G", "T"])
}

/// A link speed as people say it: `100M`, `1G`, `2.5G`, `400G`.
pub fn speed(bits_per_second: u64) -> String {
    let text = bit_rate(bits_per_second as f64);
    text.replace(".0", "")
}

fn scaled(value: f64, base: f64, units: &[&str]) -> String {
    let mut value = if value.is_finite() { value.max(0.0) } else { 0.0 };
    let mut unit = 0;
    while value >= base * 0.9995 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    if unit == 0 || value >= 99.95 {
        format!("{value:.0}{}", units[unit])
    } else {
        format!("{value:.1}{}", units[unit])
    }
}

/// A round-trip time: `0.4ms`, `12ms`, `1.2s`.
pub fn round_trip(duration: Duration) -> String {
    // In whole numbers: told of each ping.
    let rounded = |unit: Duration| (duration + unit / 2).as_nanos() / unit.as_nanos();
    let (tenths, whole) = (rounded(Duration::from_micros(100)), rounded(Duration::from_millis(1)));
    if tenths < 100 {
        // What is faster than can be told is still more than nothing.
        let tenths = if duration.is_zero() { 0 } else { tenths.max(1) };
        format!("{}.{}ms", tenths / 10, tenths % 10)
    } else if whole < 1_000 {
        format!("{whole}ms")
    } else {
        let tenths = rounded(Duration::from_millis(100));
        format!("{}.{}s", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_its_word() {
        let said = [(0, "entry"), (1, "entry"), (2, "entry"), (1, "run"), (3, "run")].map(|(n, word)| counted(n, word));
        assert_eq!(said, ["0 entries", "1 entry", "2 entries", "1 run", "3 runs"]);
    }

    #[test]
    fn round_trips_are_rounded_once_and_never_to_nothing() {
        let told = |micros| round_trip(Duration::from_micros(micros));
        let all = [0, 3, 49, 151, 9_949, 9_950, 10_499, 999_499, 999_500, 1_260_000].map(told);
        assert_eq!(all, ["0.0ms", "0.1ms", "0.1ms", "0.2ms", "9.9ms", "10ms", "10ms", "999ms", "1.0s", "1.3s"]);
    }

    #[test]
    fn ages_fit_three_columns() {
        for secs in [0, 59, 60, 3_599, 3_600, 172_799, 172_800, 8_639_999, 8_640_000, 59_875_199] {
            let text = age(Duration::from_secs(secs));
            assert!(text.len() <= 3, "{secs} s is {text}");
        }
        assert_eq!(age(Duration::from_hours(31)), "31h");
    }

    #[test]
    fn what_is_left_is_never_told_as_less_than_it_is() {
        let told = |secs| left(Duration::from_secs(secs));
        let all = [0, 59, 60, 61, 3_541, 7_199, 14_399, 14_400, 172_799, 172_800, 190_000, 691_200, 700_000].map(told);
        assert_eq!(all, ["0s", "59s", "1m", "2m", "1h", "2h", "4h", "4h", "48h", "2d", "2d5h", "8d", "9d"]);
        assert_eq!([left(Duration::from_millis(14_100_500)), told(9_000)], ["3h56m", "2h30m"]);
    }

    #[test]
    fn an_age_never_leaves_its_bucket_early() {
        for secs in 0..200_000 {
            let age = Duration::from_secs(secs);
            let next = age + until_next_bucket(age);
            assert!(age_bucket(next) > age_bucket(age), "{secs}");
            assert_eq!(age_bucket(next.saturating_sub(Duration::from_secs(1))), age_bucket(age), "{secs}");
        }
    }

    #[test]
    fn durations_round_trip_through_the_config_form() {
        for text in ["500ms", "90s", "15m", "26h", "7d", "1h30m"] {
            let parsed = parse_duration(text).unwrap_or_else(|| panic!("{text} does not parse"));
            let again = parse_duration(&config_duration(parsed));
            assert_eq!(again, Some(parsed), "{text}");
        }
        for bad in ["", "5", "h", "5x", "-3s", "99999999999999999999s"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        assert_eq!(config_duration(Duration::from_hours(26)), "26h");
    }

    #[test]
    fn sizes_and_rates_keep_three_digits() {
        assert_eq!(bytes(812), "812B");
        assert_eq!(bytes(1_434), "1.4K");
        assert_eq!(bytes(1_048_575), "1.0M");
        assert_eq!(bit_rate(999.7), "1.0k");
        assert_eq!(speed(1_000_000_000), "1G");
        assert_eq!(speed(2_500_000_000), "2.5G");
        assert_eq!(speed(100_000_000), "100M");
        assert_eq!(bit_rate(f64::NAN), "0");
    }
}
