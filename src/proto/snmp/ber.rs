//! The subset of BER (X.690) that SNMP uses (RFC 3417 §8): definite lengths, primitive values, sequences.
//!
//! The reader is total: every length is checked against what is there, none is longer than a datagram, and nothing
//! is copied. The writer fills a buffer that its owner reuses.

/// Universal and SNMP application tags (RFC 2578 §7, RFC 3416 §3).
pub mod tag {
    pub const INTEGER: u8 = 0x02;
    pub const OCTET_STRING: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const OID: u8 = 0x06;
    pub const SEQUENCE: u8 = 0x30;
    pub const IP_ADDRESS: u8 = 0x40;
    pub const COUNTER32: u8 = 0x41;
    pub const GAUGE32: u8 = 0x42;
    pub const TIME_TICKS: u8 = 0x43;
    pub const OPAQUE: u8 = 0x44;
    pub const COUNTER64: u8 = 0x46;
    pub const NO_SUCH_OBJECT: u8 = 0x80;
    pub const NO_SUCH_INSTANCE: u8 = 0x81;
    pub const END_OF_MIB_VIEW: u8 = 0x82;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BerError {
    #[error("the message ends too early")]
    Truncated,
    #[error("a length is indefinite or longer than a datagram")]
    Length,
    #[error("expected tag {expected:#04x}, found {found:#04x}")]
    Tag { expected: u8, found: u8 },
    #[error("a number does not fit its type")]
    Number,
    #[error("an object identifier is malformed")]
    Oid,
    #[error("bytes follow where none may")]
    Trailing,
}

/// Reads one level of elements.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element: its tag and its content.
    ///
    /// # Errors
    /// The element does not fit into what is there. Tags above 30 and indefinite lengths are not SNMP.
    pub fn any(&mut self) -> Result<(u8, &'a [u8]), BerError> {
        let (&tag, after) = self.rest.split_first().ok_or(BerError::Truncated)?;
        let (&first, mut after) = after.split_first().ok_or(BerError::Truncated)?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let octets = usize::from(first & 0x7f);
            if octets == 0 || octets > 4 {
                return Err(BerError::Length);
            }
            let (digits, behind) = after.split_at_checked(octets).ok_or(BerError::Truncated)?;
            after = behind;
            let length = digits.iter().fold(0usize, |sum, octet| (sum << 8) | usize::from(*octet));
            if length > 0xffff {
                return Err(BerError::Length);
            }
            length
        };
        let (content, rest) = after.split_at_checked(length).ok_or(BerError::Truncated)?;
        self.rest = rest;
        Ok((tag, content))
    }

    /// The content of the next element, which must have this tag.
    ///
    /// # Errors
    /// As [`Reader::any`], or another tag.
    pub fn expect(&mut self, expected: u8) -> Result<&'a [u8], BerError> {
        let (found, content) = self.any()?;
        if found == expected { Ok(content) } else { Err(BerError::Tag { expected, found }) }
    }

    /// An INTEGER of at most 32 bits.
    ///
    /// # Errors
    /// As [`Reader::expect`], or it is longer.
    pub fn integer(&mut self) -> Result<i32, BerError> {
        let value = signed(self.expect(tag::INTEGER)?)?;
        i32::try_from(value).map_err(|_| BerError::Number)
    }
}

/// A two's complement number of 1 to 8 octets.
///
/// # Errors
/// No octets, or too many.
pub fn signed(content: &[u8]) -> Result<i64, BerError> {
    if content.is_empty() || content.len() > 8 {
        return Err(BerError::Number);
    }
    let start = if content[0] & 0x80 == 0 { 0 } else { -1 };
    Ok(content.iter().fold(start, |sum, octet| (sum << 8) | i64::from(*octet)))
}

/// An unsigned number of at most 32 bits. Agents that forget the leading zero send it as if it were negative; the
/// bits are what they mean.
///
/// # Errors
/// No octets, or more bits.
pub fn unsigned32(content: &[u8]) -> Result<u32, BerError> {
    u32::try_from(unsigned(content, 4)?).map_err(|_| BerError::Number)
}

/// An unsigned number of at most 64 bits.
///
/// # Errors
/// No octets, or more bits.
pub fn unsigned64(content: &[u8]) -> Result<u64, BerError> {
    unsigned(content, 8)
}

fn unsigned(content: &[u8], octets: usize) -> Result<u64, BerError> {
    let digits = match content.split_first() {
        None => return Err(BerError::Number),
        Some((0, rest)) if content.len() == octets + 1 => rest,
        Some(_) if content.len() > octets => return Err(BerError::Number),
        Some(_) => content,
    };
    Ok(digits.iter().fold(0, |sum, octet| (sum << 8) | u64::from(*octet)))
}

/// Where an open element began; closed with [`Writer::end`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Mark(usize);

/// Writes elements one after the other into a buffer that is kept from message to message.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: Vec<u8>,
}

impl Writer {
    pub fn clear(&mut self) {
        self.buffer.clear();
    }

    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// For what is written over in place: encryption, a MAC.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    /// Fills up with zeros to a multiple of `block` octets.
    pub fn pad(&mut self, block: usize) {
        let length = self.buffer.len().next_multiple_of(block.max(1));
        self.buffer.resize(length, 0);
    }

    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Takes back what was written after `length`.
    pub fn truncate(&mut self, length: usize) {
        self.buffer.truncate(length);
    }

    /// Opens an element whose length is not known yet.
    pub fn begin(&mut self, tag: u8) -> Mark {
        self.buffer.push(tag);
        self.buffer.push(0);
        Mark(self.buffer.len())
    }

    /// Closes the element: a short length stands in its one octet, a longer one moves the content up.
    pub fn end(&mut self, mark: Mark) {
        let length = self.buffer.len() - mark.0;
        if length < 0x80 {
            self.buffer[mark.0 - 1] = length as u8;
        } else if length < 0x100 {
            self.buffer[mark.0 - 1] = 0x81;
            self.buffer.insert(mark.0, length as u8);
        } else {
            self.buffer[mark.0 - 1] = 0x82;
            self.buffer.splice(mark.0..mark.0, [(length >> 8) as u8, length as u8]);
        }
    }

    /// A primitive element.
    pub fn element(&mut self, tag: u8, content: &[u8]) {
        self.buffer.push(tag);
        self.length(content.len());
        self.buffer.extend_from_slice(content);
    }

    /// Whole elements, already encoded.
    pub fn raw(&mut self, elements: &[u8]) {
        self.buffer.extend_from_slice(elements);
    }

    pub fn integer(&mut self, value: i64) {
        let octets = value.to_be_bytes();
        let sign = if value < 0 { 0xff } else { 0 };
        // As few octets as keep the sign.
        let mut start = 0;
        while start < 7 && octets[start] == sign && (octets[start + 1] & 0x80) == (sign & 0x80) {
            start += 1;
        }
        self.element(tag::INTEGER, &octets[start..]);
    }

    /// Counter32, Gauge32, TimeTicks or Counter64.
    pub fn unsigned(&mut self, tag: u8, value: u64) {
        let mut octets = [0u8; 9];
        octets[1..].copy_from_slice(&value.to_be_bytes());
        let mut start = 0;
        while start < 8 && octets[start] == 0 && octets[start + 1] & 0x80 == 0 {
            start += 1;
        }
        self.element(tag, &octets[start..]);
    }

    fn length(&mut self, length: usize) {
        if length < 0x80 {
            self.buffer.push(length as u8);
        } else if length < 0x100 {
            self.buffer.extend_from_slice(&[0x81, length as u8]);
        } else {
            self.buffer.extend_from_slice(&[0x82, (length >> 8) as u8, length as u8]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_every_form_are_read_and_impossible_ones_refused() {
        assert_eq!(Reader::new(&[4, 0x81, 2, 7, 8]).any(), Ok((4, &[7u8, 8][..])));
        assert_eq!(Reader::new(&[4, 0x82, 0, 1, 7]).any(), Ok((4, &[7u8][..])));
        assert_eq!(Reader::new(&[4, 0x80, 0, 0]).any(), Err(BerError::Length));
        assert_eq!(Reader::new(&[4, 0x84, 0xff, 0xff, 0xff, 0xff]).any(), Err(BerError::Length));
        assert_eq!(Reader::new(&[4, 0x85, 0, 0, 0, 0, 1, 9]).any(), Err(BerError::Length));
        assert_eq!(Reader::new(&[4, 3, 1]).any(), Err(BerError::Truncated));
    }

    #[test]
    fn unsigned_numbers_come_with_and_without_their_leading_zero() {
        assert_eq!(unsigned32(&[0, 0xff, 0xff, 0xff, 0xff]), Ok(u32::MAX));
        assert_eq!(unsigned32(&[0xff, 0xff, 0xff, 0xff]), Ok(u32::MAX));
        assert_eq!(unsigned32(&[1, 0, 0, 0, 0]), Err(BerError::Number));
        assert_eq!(unsigned64(&[0, 255, 255, 255, 255, 255, 255, 255, 255]), Ok(u64::MAX));
        assert_eq!(unsigned64(&[]), Err(BerError::Number));
    }

    #[test]
    fn elements_of_all_sizes_nest() {
        for size in [0usize, 1, 127, 128, 255, 256, 3000] {
            let mut writer = Writer::default();
            let outer = writer.begin(tag::SEQUENCE);
            writer.element(tag::OCTET_STRING, &vec![7; size]);
            writer.integer(5);
            writer.end(outer);
            let mut reader = Reader::new(Reader::new(writer.bytes()).expect(tag::SEQUENCE).expect("a sequence"));
            assert_eq!(reader.expect(tag::OCTET_STRING).expect("a string").len(), size);
            assert_eq!(reader.integer(), Ok(5));
            assert!(reader.is_empty());
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(signed_value: i64, unsigned_value: u64) {
            let mut writer = Writer::default();
            writer.integer(signed_value);
            writer.unsigned(tag::COUNTER64, unsigned_value);
            let mut reader = Reader::new(writer.bytes());
            prop_assert_eq!(signed(reader.expect(tag::INTEGER).expect("an integer")), Ok(signed_value));
            prop_assert_eq!(unsigned64(reader.expect(tag::COUNTER64).expect("a counter")), Ok(unsigned_value));
        }
    }
}
