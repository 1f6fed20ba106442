//! Search filters as people write them (RFC 4515): `(&(objectClass=person)(!(mail=*))(cn=a*b))`. Without extensible matches.

use crate::proto::snmp::ber::{Writer, tag};

/// Brackets within brackets.
const DEEPEST: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Equal {
        attribute: String,
        value: Vec<u8>,
    },
    Greater {
        attribute: String,
        value: Vec<u8>,
    },
    Less {
        attribute: String,
        value: Vec<u8>,
    },
    Approximate {
        attribute: String,
        value: Vec<u8>,
    },
    Present(String),
    /// Start, parts in between, end; empty where there is none.
    Parts {
        attribute: String,
        first: Vec<u8>,
        middle: Vec<Vec<u8>>,
        last: Vec<u8>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("a bracket is missing in the filter")]
    Bracket,
    #[error("\"{0}\" in the filter compares nothing")]
    Item(String),
    #[error("`\\` in the filter must be followed by two hexadecimal digits")]
    Escape,
    #[error("the filter has more than {DEEPEST} brackets within each other")]
    Deep,
}

impl Filter {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let text = text.trim();
        let bracketed = if text.starts_with('(') { text.to_owned() } else { format!("({text})") };
        let (filter, rest) = one(&bracketed, 0)?;
        if rest.trim().is_empty() { Ok(filter) } else { Err(FilterError::Bracket) }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let comparison = |writer: &mut Writer, kind: u8, attribute: &str, value: &[u8]| {
            let mark = writer.begin(kind);
            writer.element(tag::OCTET_STRING, attribute.as_bytes());
            writer.element(tag::OCTET_STRING, value);
            writer.end(mark);
        };
        match self {
            Self::And(all) | Self::Or(all) => {
                let mark = writer.begin(if matches!(self, Self::And(_)) { 0xa0 } else { 0xa1 });
                for filter in all {
                    filter.write(writer);
                }
                writer.end(mark);
            }
            Self::Not(filter) => {
                let mark = writer.begin(0xa2);
                filter.write(writer);
                writer.end(mark);
            }
            Self::Equal { attribute, value } => comparison(writer, 0xa3, attribute, value),
            Self::Greater { attribute, value } => comparison(writer, 0xa5, attribute, value),
            Self::Less { attribute, value } => comparison(writer, 0xa6, attribute, value),
            Self::Approximate { attribute, value } => comparison(writer, 0xa8, attribute, value),
            Self::Present(attribute) => writer.element(0x87, attribute.as_bytes()),
            Self::Parts { attribute, first, middle, last } => {
                let mark = writer.begin(0xa4);
                writer.element(tag::OCTET_STRING, attribute.as_bytes());
                let parts = writer.begin(tag::SEQUENCE);
                if !first.is_empty() {
                    writer.element(0x80, first);
                }
                for part in middle {
                    writer.element(0x81, part);
                }
                if !last.is_empty() {
                    writer.element(0x82, last);
                }
                writer.end(parts);
                writer.end(mark);
            }
        }
    }
}

fn one(text: &str, depth: usize) -> Result<(Filter, &str), FilterError> {
    if depth >= DEEPEST {
        return Err(FilterError::Deep);
    }
    let inside = text.trim_start().strip_prefix('(').ok_or(FilterError::Bracket)?.trim_start();
    let (filter, rest) = match inside.as_bytes().first() {
        Some(b'&') => many(&inside[1..], depth).map(|(all, rest)| (Filter::And(all), rest))?,
        Some(b'|') => many(&inside[1..], depth).map(|(all, rest)| (Filter::Or(all), rest))?,
        Some(b'!') => one(&inside[1..], depth + 1).map(|(filter, rest)| (Filter::Not(Box::new(filter)), rest))?,
        _ => {
            let end = inside.find(')').ok_or(FilterError::Bracket)?;
            (item(&inside[..end])?, &inside[end..])
        }
    };
    let rest = rest.trim_start().strip_prefix(')').ok_or(FilterError::Bracket)?;
    Ok((filter, rest))
}

fn many(mut text: &str, depth: usize) -> Result<(Vec<Filter>, &str), FilterError> {
    let mut all = Vec::new();
    while text.trim_start().starts_with('(') {
        let (filter, rest) = one(text, depth + 1)?;
        all.push(filter);
        text = rest;
    }
    Ok((all, text))
}

fn item(text: &str) -> Result<Filter, FilterError> {
    let wrong = || FilterError::Item(text.to_owned());
    let (left, right) = text.split_once('=').ok_or_else(wrong)?;
    let (left, kind) = match left.as_bytes().last() {
        Some(kind @ (b'>' | b'<' | b'~')) => (&left[..left.len() - 1], *kind),
        Some(b':') | None => return Err(wrong()),
        Some(_) => (left, b'='),
    };
    let attribute = left.trim();
    let named = attribute.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b';' | b'.'));
    if attribute.is_empty() || !named {
        return Err(wrong());
    }
    let attribute = attribute.to_owned();
    Ok(match kind {
        b'>' => Filter::Greater { attribute, value: value(right)? },
        b'<' => Filter::Less { attribute, value: value(right)? },
        b'~' => Filter::Approximate { attribute, value: value(right)? },
        _ if right == "*" => Filter::Present(attribute),
        _ if right.contains('*') => {
            let parts = right.split('*').map(value).collect::<Result<Vec<_>, _>>()?;
            let last = parts.len() - 1;
            let middle = parts[1..last].iter().filter(|part| !part.is_empty()).cloned().collect();
            Filter::Parts { attribute, first: parts[0].clone(), middle, last: parts[last].clone() }
        }
        _ => Filter::Equal { attribute, value: value(right)? },
    })
}

/// `\2a` is a star.
fn value(text: &str) -> Result<Vec<u8>, FilterError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = bytes.next().and_then(|b| char::from(b).to_digit(16)).ok_or(FilterError::Escape)?;
            u8::try_from(digit).map_err(|_| FilterError::Escape)
        };
        out.push(digit()? << 4 | digit()?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(attribute: &str, value: &str) -> Filter {
        Filter::Equal { attribute: attribute.to_owned(), value: value.as_bytes().to_vec() }
    }

    #[test]
    fn filters_of_every_form_are_read() {
        assert_eq!(Filter::parse("objectClass=*"), Ok(Filter::Present("objectClass".to_owned())));
        assert_eq!(Filter::parse("(cn=a\\2ab)"), Ok(equal("cn", "a*b")));
        let both = Filter::And(vec![equal("a", "1"), Filter::Not(Box::new(Filter::Or(vec![equal("b", "2")])))]);
        assert_eq!(Filter::parse("(& (a=1) (!(|(b=2))) )"), Ok(both));
        let parts = Filter::Parts {
            attribute: "cn".to_owned(),
            first: b"a".to_vec(),
            middle: vec![b"b".to_vec()],
            last: Vec::new(),
        };
        assert_eq!(Filter::parse("(cn=a*b*)"), Ok(parts));
        let greater = Filter::Greater { attribute: "n".to_owned(), value: b"5".to_vec() };
        assert_eq!(Filter::parse("(n>=5)"), Ok(greater));
    }

    #[test]
    fn broken_ones_are_refused() {
        for (text, error) in [
            ("(a=1", FilterError::Bracket),
            ("(a=1))", FilterError::Bracket),
            ("(&(a=1)", FilterError::Bracket),
            ("(a)", FilterError::Item("a".to_owned())),
            ("(=1)", FilterError::Item("=1".to_owned())),
            ("(a:=1)", FilterError::Item("a:=1".to_owned())),
            ("(a=\\2)", FilterError::Escape),
            ("(a=\\zz)", FilterError::Escape),
        ] {
            assert_eq!(Filter::parse(text), Err(error), "{text}");
        }
        let deep = format!("{}a=1{}", "(!".repeat(20), ")".repeat(20));
        assert_eq!(Filter::parse(&deep), Err(FilterError::Deep));
    }
}
