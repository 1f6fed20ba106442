//! What the operator says about ports: which must be up, which are uplinks, which are nobody's business, and from where on
//! errors count. Patterns are compiled when a configuration is read; asking them is cheap.

use std::sync::{Arc, LazyLock};

use super::port::Port;

/// What a rule makes of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PortRole {
    /// Nobody said anything.
    #[default]
    Plain,
    /// A lost link is a problem.
    Uplink,
    /// Anything but up is a problem, from the first walk on.
    MustBeUp,
    /// Never a problem.
    Ignored,
}

/// A pattern for names: `*` for anything, `?` for one octet, `[1-4]` or `[!ab]` for one of a set. Case of ASCII letters
/// does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<[Piece]>);

/// What stands for what in a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Octet(u8),
    /// `?`
    Any,
    /// `*`
    Rest,
    Set {
        inverted: bool,
        ranges: Box<[(u8, u8)]>,
    },
}

impl Pattern {
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty");
        }
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            pieces.push(match first {
                b'*' => Piece::Rest,
                b'?' => Piece::Any,
                b'[' => {
                    let (set, tail) = set(rest)?;
                    rest = tail;
                    set
                }
                octet => Piece::Octet(octet.to_ascii_lowercase()),
            });
        }
        pieces.dedup_by(|a, b| *a == Piece::Rest && *b == Piece::Rest);
        Ok(Self(pieces.into()))
    }

    /// Its parts, for other forms of it.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    pub fn from_pieces(pieces: Vec<Piece>) -> Self {
        Self(pieces.into())
    }

    pub fn matches(&self, text: &[u8]) -> bool {
        let pieces = &self.0;
        let (mut piece, mut at) = (0, 0);
        // Where to go on when what follows the last `*` does not fit.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match pieces.get(piece) {
                Some(Piece::Rest) => {
                    piece += 1;
                    retry = Some((piece, at));
                }
                Some(one) if one.takes(text[at]) => {
                    piece += 1;
                    at += 1;
                }
                _ => match retry {
                    Some((after, from)) => {
                        retry = Some((after, from + 1));
                        (piece, at) = (after, from + 1);
                    }
                    None => return false,
                },
            }
        }
        pieces[piece..].iter().all(|p| *p == Piece::Rest)
    }
}

impl Piece {
    fn takes(&self, octet: u8) -> bool {
        let octet = octet.to_ascii_lowercase();
        match self {
            Self::Octet(one) => *one == octet,
            Self::Any => true,
            Self::Set { inverted, ranges } => ranges.iter().any(|(a, b)| (*a..=*b).contains(&octet)) != *inverted,
            Self::Rest => false,
        }
    }
}

/// What stands between brackets, and what follows them.
fn set(text: &[u8]) -> Result<(Piece, &[u8]), &'static str> {
    let (inverted, body) = text.strip_prefix(b"!").map_or((false, text), |body| (true, body));
    // A bracket that comes first is one of the set.
    let end = body.iter().skip(1).position(|o| *o == b']').map(|i| i + 1).ok_or("has a [ without its ]")?;
    let mut ranges = Vec::new();
    let mut inside = &body[..end];
    while let Some((first, tail)) = inside.split_first() {
        inside = tail;
        let last = match tail {
            [b'-', last, tail @ ..] => {
                inside = tail;
                *last
            }
            _ => *first,
        };
        let (first, last) = (first.to_ascii_lowercase(), last.to_ascii_lowercase());
        if first > last {
            return Err("has a range that ends before it begins");
        }
        ranges.push((first, last));
    }
    Ok((Piece::Set { inverted, ranges: ranges.into() }, &body[end + 1..]))
}

/// The rules of one place: a host's own, those of one of its tags, or those for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    pub must_be_up: Vec<Pattern>,
    pub uplink: Vec<Pattern>,
    pub ignore: Vec<Pattern>,
}

impl RuleSet {
    pub fn is_empty(&self) -> bool {
        self.must_be_up.is_empty() && self.uplink.is_empty() && self.ignore.is_empty()
    }

    fn role(&self, port: &Port) -> Option<PortRole> {
        let names = [port.name.as_bytes(), port.description.as_bytes(), port.alias.as_bytes()];
        let says = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| names.iter().any(|name| !name.is_empty() && pattern.matches(name)))
        };
        if says(&self.ignore) {
            Some(PortRole::Ignored)
        } else if says(&self.must_be_up) {
            Some(PortRole::MustBeUp)
        } else if says(&self.uplink) {
            Some(PortRole::Uplink)
        } else {
            None
        }
    }
}

/// From where on errors and discards are a problem: per million packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub errors_warning: u32,
    pub errors_critical: u32,
    pub discards_warning: u32,
    pub discards_critical: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { errors_warning: 100, errors_critical: 1_000, discards_warning: 1_000, discards_critical: 10_000 }
    }
}

/// All rules for the ports of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortRules {
    /// The nearest first; the first that says anything of a port decides.
    pub sets: Vec<Arc<RuleSet>>,
    pub limits: Limits,
}

impl PortRules {
    /// The rules of a host that nobody made rules for; shared by all of them.
    pub fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<PortRules>> = LazyLock::new(Arc::default);
        NONE.clone()
    }

    /// `all_uplinks`: the host is tagged so.
    pub fn role(&self, port: &Port, all_uplinks: bool) -> PortRole {
        if let Some(role) = self.sets.iter().find_map(|set| set.role(port)) {
            return role;
        }
        // Called so where people write such things.
        let says = |text: &[u8]| text.windows(6).any(|w| w.eq_ignore_ascii_case(b"uplink"));
        if all_uplinks || says(port.alias.as_bytes()) { PortRole::Uplink } else { PortRole::Plain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Untrusted;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).expect("a pattern").matches(text.as_bytes())
    }

    #[test]
    fn patterns_match_as_people_expect() {
        for (pattern, text, want) in [
            ("Te1/1/*", "te1/1/4", true),
            ("Te1/1/*", "Te1/1/", true),
            ("Te1/1/*", "Te1/2/4", false),
            ("*", "", true),
            ("?", "", false),
            ("Gi1/0/[1-4]", "Gi1/0/3", true),
            ("Gi1/0/[1-4]", "Gi1/0/5", false),
            ("Gi1/0/[1-4]", "Gi1/0/33", false),
            ("[!a-f]*", "Gi1", true),
            ("[!a-f]*", "eth0", false),
            ("[]x]", "]", true),
            ("*core*", "UPLINK to CORE-sw1", true),
            ("*a*b*c", "aXbXbXc", true),
            ("*a*b*c", "aXbXbX", false),
            ("**", "x", true),
            ("ge-0/0/0", "ge-0/0/01", false),
        ] {
            assert_eq!(matches(pattern, text), want, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_does_not_take_for_ever() {
        let pattern = Pattern::new(&"*a".repeat(60)).expect("a pattern");
        assert!(!pattern.matches("a".repeat(59).as_bytes()));
        assert!(!pattern.matches(&[b'b'; 4096]));
    }

    #[test]
    fn broken_patterns_are_told() {
        assert_eq!(Pattern::new(""), Err("is empty"));
        assert_eq!(Pattern::new("Gi[1"), Err("has a [ without its ]"));
        assert_eq!(Pattern::new("Gi[]"), Err("has a [ without its ]"));
        assert_eq!(Pattern::new("Gi[4-1]"), Err("has a range that ends before it begins"));
    }

    #[test]
    fn the_nearest_rule_decides_and_within_it_ignore_comes_first() {
        let set = |must: &[&str], uplink: &[&str], ignore: &[&str]| {
            let all = |p: &[&str]| p.iter().map(|p| Pattern::new(p).expect("a pattern")).collect();
            Arc::new(RuleSet { must_be_up: all(must), uplink: all(uplink), ignore: all(ignore) })
        };
        let rules = PortRules {
            sets: vec![set(&["Gi1/0/1"], &[], &[]), set(&["Te*"], &["*"], &["Gi*", "*printer*"])],
            limits: Limits::default(),
        };
        let role = |name: &str, alias: &str| {
            let port = Port { name: Untrusted::from(name), alias: Untrusted::from(alias), ..Port::default() };
            rules.role(&port, false)
        };
        assert_eq!(role("Gi1/0/1", ""), PortRole::MustBeUp);
        assert_eq!(role("Gi1/0/2", ""), PortRole::Ignored);
        assert_eq!(role("Te1/1/1", ""), PortRole::MustBeUp);
        assert_eq!(role("Te1/1/1", "a printer"), PortRole::Ignored);
        assert_eq!(role("Po1", ""), PortRole::Uplink);
        let plain = PortRules::default();
        let port = Port { alias: Untrusted::from("UpLink core"), ..Port::default() };
        assert_eq!(plain.role(&port, false), PortRole::Uplink);
        assert_eq!(plain.role(&Port::default(), true), PortRole::Uplink);
        assert_eq!(plain.role(&Port::default(), false), PortRole::Plain);
    }
}
