//! `PortList` (RFC 4363): a port is a bit, the first bit of the first octet is port 1. Some agents send the bits as
//! hexadecimal text, others a list of decimal numbers; a whole column is of one form.

/// How a column writes its lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Bits,
    Hexadecimal,
    Decimal,
}

impl Form {
    /// The form of a column, from all its values and the highest port number that there is.
    pub fn of<'a>(values: impl Iterator<Item = &'a [u8]>, highest_port: u32) -> Self {
        let values: Vec<&[u8]> = values.filter(|v| !v.is_empty()).collect();
        let all = |is: fn(&u8) -> bool| !values.is_empty() && values.iter().all(|v| v.iter().all(is));
        let same_length = values.iter().all(|v| v.len() == values[0].len());
        let longest = values.iter().map(|v| v.len()).max().unwrap_or(0);
        // As bits, text would have members in every octet; lists of bits are as long as there are ports for.
        let has_comma = values.iter().any(|v| v.contains(&b','));
        let is_long_row = same_length && longest > 5 && !has_comma;
        if all(|b| b.is_ascii_digit() || matches!(b, b',' | b' ')) && !is_long_row {
            Self::Decimal
        } else if all(u8::is_ascii_hexdigit)
            && same_length
            && longest.is_multiple_of(2)
            && longest * 4 >= highest_port as usize
            && longest >= 4
        {
            Self::Hexadecimal
        } else {
            Self::Bits
        }
    }

    /// The port numbers of a list.
    pub fn ports(self, list: &[u8]) -> Vec<u32> {
        match self {
            Self::Bits => bits(list.iter().copied()),
            Self::Hexadecimal => {
                let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
                bits(list.chunks_exact(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])))
            }
            Self::Decimal => list
                .split(|b| !b.is_ascii_digit())
                .filter_map(|number| std::str::from_utf8(number).ok()?.parse().ok())
                .collect(),
        }
    }
}

fn bits(octets: impl Iterator<Item = u8>) -> Vec<u32> {
    let mut ports = Vec::new();
    for (at, octet) in octets.enumerate() {
        let first = at as u32 * 8 + 1;
        ports.extend((0..8).filter(|bit| octet & (0x80 >> bit) != 0).map(|bit| first + bit));
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(values: &[&[u8]], highest: u32) -> Form {
        Form::of(values.iter().copied(), highest)
    }

    #[test]
    fn the_first_bit_of_the_first_octet_is_port_one() {
        assert_eq!(Form::Bits.ports(&[0x80, 0x01, 0x40]), [1, 16, 18]);
        assert_eq!(Form::Bits.ports(&[]), [] as [u32; 0]);
        assert_eq!(Form::Hexadecimal.ports(b"8001"), [1, 16]);
        assert_eq!(Form::Decimal.ports(b"514,515, 7"), [514, 515, 7]);
    }

    #[test]
    fn a_column_is_read_in_the_form_that_all_its_values_have() {
        assert_eq!(form(&[&[0xfc, 0], &[0, 0]], 16), Form::Bits);
        assert_eq!(form(&[b"00000000000000", b"800000000000F0"], 52), Form::Hexadecimal);
        assert_eq!(form(&[b"00000000000000", b"00000000000000"], 52), Form::Hexadecimal);
        assert_eq!(form(&[b"62", b"", b"7,58", b"514"], 60), Form::Decimal);
        assert_eq!(form(&[b"62", b"49"], 60), Form::Decimal);
        assert_eq!(form(&[b"514,515", b"516,517"], 60), Form::Decimal);
        assert_eq!(form(&[], 60), Form::Bits);
        assert_eq!(form(&[b"0000", &[0xff, 0, 0, 1]], 30), Form::Bits);
    }
}
