//! What the terminal can show, from the environment alone: nothing is asked, so nothing is waited for.

use crate::ui::frame::{Capabilities, Colours};

/// Reads `NO_COLOR`, `COLORTERM`, `TERM` and the locale through `var`.
pub fn detect(var: impl Fn(&str) -> Option<String>) -> Capabilities {
    let set = |name: &str| var(name).filter(|v| !v.is_empty());
    let term = set("TERM").unwrap_or_default();
    let colours = if set("NO_COLOR").is_some() || matches!(term.as_str(), "" | "dumb" | "vt100" | "vt102" | "vt220") {
        Colours::Mono
    } else if set("COLORTERM").is_some_and(|v| v == "truecolor" || v == "24bit") || term.ends_with("-direct") {
        Colours::True
    } else if term.contains("256color") || matches!(term.as_str(), "alacritty" | "foot" | "xterm-kitty" | "wezterm") {
        Colours::Ansi256
    } else {
        Colours::Ansi16
    };
    let locale =
        set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default().to_ascii_lowercase();
    // The Linux console has the letters but few of the glyphs.
    let unicode = (locale.contains("utf-8") || locale.contains("utf8")) && term != "linux" && term != "dumb";
    Capabilities { colours, unicode }
}

/// Whether the terminal may be sent a query of more than a few bytes: old ones print what they do not understand.
pub fn answers_queries(var: impl Fn(&str) -> Option<String>) -> bool {
    let term = var("TERM").unwrap_or_default();
    !term.is_empty() && !["linux", "dumb", "vt", "ansi", "cons", "sun", "wy"].iter().any(|old| term.starts_with(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Capabilities {
        detect(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_environment_decides() {
        let utf8 = ("LANG", "C.UTF-8");
        assert_eq!(of(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), utf8]).colours, Colours::True);
        assert_eq!(of(&[("TERM", "xterm-256color"), utf8]).colours, Colours::Ansi256);
        assert_eq!(of(&[("TERM", "xterm"), utf8]).colours, Colours::Ansi16);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("NO_COLOR", "1"), utf8]).colours, Colours::Mono);
        assert_eq!(of(&[]).colours, Colours::Mono);
        assert!(of(&[("TERM", "xterm"), utf8]).unicode);
        assert!(!of(&[("TERM", "linux"), utf8]).unicode);
        assert!(!of(&[("TERM", "xterm"), ("LC_ALL", "C"), utf8]).unicode);
    }
}
