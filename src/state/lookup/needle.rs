//! What people type when they look for a station: MAC addresses in every notation, whole or a part; IP addresses and networks.

use std::net::IpAddr;

use super::Mac;

/// Hexadecimal digits of a MAC address, from one digit to all twelve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacPart {
    digits: u64,
    length: u8,
}

impl MacPart {
    /// `00:11:22:33:44:55`, `00-11-22-33-44-55`, `0011.2233.4455`, `0011-2233-4455`, `001122334455`, `0:11:22:3:4:5`, or a
    /// piece of one.
    pub fn parse(text: &str) -> Option<Self> {
        let groups: Vec<&str> = text.split([':', '-', '.']).collect();
        // Six groups of one or two digits: leading zeros may have been left out.
        let padded = groups.len() == 6 && groups.iter().all(|g| (1..=2).contains(&g.len()));
        let mut part = Self { digits: 0, length: 0 };
        for group in groups {
            if padded && group.len() == 1 {
                part.push(0)?;
            }
            for c in group.chars() {
                part.push(c.to_digit(16)?)?;
            }
        }
        (part.length > 0).then_some(part)
    }

    /// As they would be typed.
    #[cfg(test)]
    pub fn digits(self) -> String {
        format!("{:0width$x}", self.digits, width = usize::from(self.length))
    }

    fn push(&mut self, digit: u32) -> Option<()> {
        if self.length >= 12 {
            return None;
        }
        self.digits = self.digits << 4 | u64::from(digit);
        self.length += 1;
        Some(())
    }

    /// The address, where all of it was given.
    pub fn whole(self) -> Option<Mac> {
        let bytes = self.digits.to_be_bytes();
        (self.length == 12).then(|| [bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
    }

    /// Whether an address has these digits anywhere.
    pub fn is_in(self, mac: Mac) -> bool {
        let value = mac.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        let mask = (1u64 << (4 * u32::from(self.length))) - 1;
        (0..=12 - self.length).any(|shift| (value >> (4 * u32::from(shift))) & mask == self.digits)
    }
}

/// A whole MAC address with separators, or twelve digits without.
pub fn mac(text: &str) -> Option<Mac> {
    MacPart::parse(text)?.whole()
}

/// An address in the notation of the console.
pub fn show_mac(mac: Mac) -> String {
    mac.map(|b| format!("{b:02x}")).join(":")
}

/// An IP address, a network, or the beginning of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IpPart {
    One(IpAddr),
    Network(IpAddr, u8),
    Begins(String),
}

impl IpPart {
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::One(address));
        }
        if let Some((address, bits)) = text.split_once('/') {
            let (address, bits) = (address.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?);
            let most = if address.is_ipv4() { 32 } else { 128 };
            return (bits <= most).then_some(Self::Network(address, bits));
        }
        let fits = !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '.' | ':'));
        fits.then(|| Self::Begins(text.to_lowercase()))
    }

    pub fn holds(&self, address: IpAddr) -> bool {
        match self {
            Self::One(one) => *one == address,
            Self::Network(network, bits) => {
                let (network, address, width) = match (network, address) {
                    (IpAddr::V4(n), IpAddr::V4(a)) => (u128::from(n.to_bits()), u128::from(a.to_bits()), 32),
                    (IpAddr::V6(n), IpAddr::V6(a)) => (n.to_bits(), a.to_bits(), 128),
                    _ => return false,
                };
                let host_bits = width - u32::from(*bits);
                (network ^ address).checked_shr(host_bits).unwrap_or(0) == 0
            }
            Self::Begins(text) => address.to_string().starts_with(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = [0x00, 0x11, 0x22, 0x03, 0x04, 0xaf];

    #[test]
    fn every_notation_is_the_same_address() {
        for text in [
            "00:11:22:03:04:af",
            "00-11-22-03-04-AF",
            "0011.2203.04af",
            "0011-2203-04AF",
            "0011220304af",
            "0:11:22:3:4:af",
        ] {
            assert_eq!(mac(text), Some(MAC), "{text}");
        }
        for text in ["", "00:11:22:03:04", "0011220304af0", "00:11:22:03:04:ag", "web01", "::"] {
            assert_eq!(mac(text), None, "{text}");
        }
        assert_eq!(show_mac(MAC), "00:11:22:03:04:af");
    }

    #[test]
    fn a_piece_is_found_wherever_it_stands() {
        for text in ["00:11", "2203", "22:03:0", "04af", "f", "0011.22"] {
            assert!(MacPart::parse(text).is_some_and(|p| p.is_in(MAC)), "{text}");
        }
        for text in ["04:ae", "1112", "af00"] {
            assert!(!MacPart::parse(text).is_some_and(|p| p.is_in(MAC)), "{text}");
        }
        assert_eq!(MacPart::parse("xy"), None);
    }

    #[test]
    fn addresses_networks_and_beginnings() {
        let address: IpAddr = "10.1.2.3".parse().expect("an address");
        for text in ["10.1.2.3", "10.1.0.0/16", "0.0.0.0/0", "10.1.2.3/32", "10.1."] {
            assert!(IpPart::parse(text).is_some_and(|p| p.holds(address)), "{text}");
        }
        for text in ["10.1.2.4", "10.2.0.0/16", "fe80::/10", "10.1.3"] {
            assert!(!IpPart::parse(text).is_some_and(|p| p.holds(address)), "{text}");
        }
        for text in ["", "web", "10.0.0.0/33", "10.0/8"] {
            assert_eq!(IpPart::parse(text), None, "{text}");
        }
        let six: IpAddr = "2001:db8::5".parse().expect("an address");
        assert!(IpPart::parse("2001:DB8::/32").is_some_and(|p| p.holds(six)));
        assert!(IpPart::parse("2001:DB8:").is_some_and(|p| p.holds(six)));
    }
}
