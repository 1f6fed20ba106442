//! A port's name taken apart: `GigabitEthernet1/0/14` is the stem `GigabitEthernet1/0/` and the path 1, 0, 14.

/// A name in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// All of it but the last number.
    pub stem: String,
    /// The numbers that it ends in.
    pub path: Vec<u32>,
}

impl Name {
    pub fn parse(text: &str) -> Self {
        let text = text.trim_end();
        let is_path = |c: char| c.is_ascii_digit() || matches!(c, '/' | '.' | ':');
        let start = text.char_indices().rev().take_while(|(_, c)| is_path(*c)).last().map_or(text.len(), |(at, _)| at);
        let path: Vec<u32> = text[start..].split(['/', '.', ':']).filter_map(|n| n.parse().ok()).collect();
        let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
        // A number too long for a port is a part of the name.
        if path.is_empty() || digits == 0 || digits > 6 {
            return Self { stem: text.to_owned(), path: Vec::new() };
        }
        Self { stem: text[..text.len() - digits].to_owned(), path }
    }

    /// `B` of `B14`: chassis that count their slots by letters; A is 1.
    pub fn slot_letter(&self) -> Option<u32> {
        let mut letters = self.stem.chars();
        match (letters.next(), letters.next(), self.path.len()) {
            (Some(letter), None, 1) if letter.is_ascii_uppercase() => Some(u32::from(letter) - u32::from('A') + 1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_vendors_come_apart() {
        for (text, stem, path) in [
            ("Gi1/0/14", "Gi1/0/", &[1, 0, 14][..]),
            ("TenGigabitEthernet2/1/4", "TenGigabitEthernet2/1/", &[2, 1, 4]),
            ("Ethernet3/48", "Ethernet3/", &[3, 48]),
            ("ge-0/0/23", "ge-0/0/", &[0, 0, 23]),
            ("xe-0/0/1:3", "xe-0/0/1:", &[0, 0, 1, 3]),
            ("10GE1/0/7", "10GE1/0/", &[1, 0, 7]),
            ("port1.0.12", "port1.0.", &[1, 0, 12]),
            ("A14", "A", &[14]),
            ("24", "", &[24]),
            ("Slot: 0 Port: 7 Gigabit", "Slot: 0 Port: 7 Gigabit", &[]),
            ("mgmt0", "mgmt", &[0]),
            ("ether1 ", "ether", &[1]),
            ("lan", "lan", &[]),
            ("", "", &[]),
            ("eth20260314", "eth20260314", &[]),
            ("日本1/2", "日本1/", &[1, 2]),
            ("1/", "1/", &[]),
        ] {
            assert_eq!(Name::parse(text), Name { stem: stem.to_owned(), path: path.to_vec() }, "{text}");
        }
        assert_eq!(Name::parse("B14").slot_letter(), Some(2));
        assert_eq!(Name::parse("BA14").slot_letter(), None);
    }
}
