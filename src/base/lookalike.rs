//! Letters that pass for others: `core` with a Cyrillic `с` is another name than `core`, and must not look like it. What
//! passes for what is Unicode's own list (UTS #39, confusables).
//!
//! A word that mixes Latin letters with ones that only look like them has these named, and so has a word that looks Latin
//! from end to end and is not, unless the text is written in that other script anyway.

use unicode_security::skeleton;

use super::characters::is_mark;

/// Which characters of a text pass for ASCII letters or digits and should be named instead of shown, by where they begin
/// in it; empty for nearly all texts.
pub fn impostors(text: &str) -> Vec<usize> {
    // Drawing asks this of each text: one without a letter that could pass for another is not looked at any further.
    if !text.chars().any(|c| c > LAST_LATIN && c.is_alphanumeric()) {
        return Vec::new();
    }
    let kinds: Vec<(usize, Kind)> = text.char_indices().map(|(at, c)| (at, kind(c))).collect();
    let is_foreign = kinds.iter().any(|(_, kind)| *kind == Kind::Foreign);
    let words = kinds.split(|(_, kind)| *kind == Kind::Between);
    let suspect = words.filter(|word| !is_foreign || word.iter().any(|(_, kind)| *kind == Kind::Latin));
    suspect.flatten().filter(|(_, kind)| *kind == Kind::Impostor).map(|(at, _)| *at).collect()
}

/// The last of the Latin letters that come in one row from the first.
const LAST_LATIN: char = '\u{24f}';

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Latin,
    /// A letter of another script that looks like nothing but itself.
    Foreign,
    /// A letter or digit of another script that looks like one of ASCII.
    Impostor,
    /// Belongs to a word and says nothing of its script: digits of ASCII, marks.
    Within,
    Between,
}

fn kind(c: char) -> Kind {
    match c {
        'a'..='z' | 'A'..='Z' => Kind::Latin,
        '0'..='9' => Kind::Within,
        c if c.is_ascii() => Kind::Between,
        c if is_mark(c) => Kind::Within,
        c if !c.is_alphanumeric() => Kind::Between,
        // Latin letters with and without marks, and the wide ones, which nobody takes for the others.
        '\u{80}'..=LAST_LATIN
        | '\u{1e00}'..='\u{1eff}'
        | '\u{2c60}'..='\u{2c7f}'
        | '\u{a720}'..='\u{a7ff}'
        | '\u{ff21}'..='\u{ff5a}' => Kind::Latin,
        c => {
            let mut bytes = [0; 4];
            let is_impostor = skeleton(c.encode_utf8(&mut bytes)).all(|c| c.is_ascii_alphanumeric());
            if is_impostor { Kind::Impostor } else { Kind::Foreign }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::base::text::clean;

    #[test]
    fn names_that_only_look_alike_are_told_apart() {
        // Cyrillic es, Greek omicron, a mathematical letter.
        assert_eq!(clean("\u{441}ore-sw1"), "<U+0441>ore-sw1");
        assert_eq!(clean("c\u{3bf}re-sw1"), "c<U+03BF>re-sw1");
        assert_eq!(clean("\u{1d41c}ore"), "<U+1D41C>ore");
        // Cyrillic from end to end, and nothing says so.
        assert_eq!(clean("\u{441}\u{43e}\u{440}\u{435}"), "<U+0441><U+043E><U+0440><U+0435>");
        assert_eq!(clean("sw-\u{410}"), "sw-<U+0410>");
    }

    #[test]
    fn what_is_written_in_another_script_is_left_as_it_is() {
        for text in [
            "сервер печати",
            "с сервера на сервер",
            "ядро-1",
            "Διακομιστής ΑΒΕ",
            "日本語サーバー 〇",
            "Zürich Łódź kapı façade",
            "10 kΩ, 5 µs, 20 °C",
            "مركز البيانات ١",
        ] {
            assert_eq!(clean(text), text);
        }
        // Only the word that mixes.
        assert_eq!(clean("сервер \u{441}ore"), "сервер <U+0441>ore");
    }
}
