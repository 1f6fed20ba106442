//! The protocols by name, and their sizes.

/// How messages are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthProtocol {
    /// HMAC-MD5-96 (RFC 3414 §6).
    Md5,
    /// HMAC-SHA-96 (RFC 3414 §7).
    Sha1,
    /// HMAC-128-SHA-224 and its larger kin (RFC 7860).
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl AuthProtocol {
    pub const ALL: [Self; 6] = [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Takes the names that devices and tools use, in any case, with or without hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match plain(text).as_str() {
            "MD5" => Self::Md5,
            "SHA" | "SHA1" => Self::Sha1,
            "SHA224" => Self::Sha224,
            "SHA256" => Self::Sha256,
            "SHA384" => Self::Sha384,
            "SHA512" => Self::Sha512,
            _ => return None,
        })
    }

    /// What the hash gives, and with it the length of a key.
    pub fn hash_octets(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// What of it goes over the wire.
    pub fn mac_octets(self) -> usize {
        match self {
            Self::Md5 | Self::Sha1 => 12,
            Self::Sha224 => 16,
            Self::Sha256 => 24,
            Self::Sha384 => 32,
            Self::Sha512 => 48,
        }
    }

    /// Nobody should choose it where there is a choice.
    pub fn is_weak(self) -> bool {
        self == Self::Md5
    }
}

/// How scoped PDUs are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrivProtocol {
    /// DES in CBC mode (RFC 3414 §8).
    Des,
    /// AES in CFB mode (RFC 3826).
    Aes128,
    /// Long keys by the extension of draft-blumenthal-aes-usm-04, as net-snmp and most devices have it.
    Aes192,
    Aes256,
    /// Long keys by the chaining of draft-reeder-snmpv3-usm-3desede-00, as Cisco has it.
    Aes192C,
    Aes256C,
}

impl PrivProtocol {
    pub const ALL: [Self; 6] = [Self::Des, Self::Aes128, Self::Aes192, Self::Aes256, Self::Aes192C, Self::Aes256C];

    pub fn name(self) -> &'static str {
        match self {
            Self::Des => "DES",
            Self::Aes128 => "AES-128",
            Self::Aes192 => "AES-192",
            Self::Aes256 => "AES-256",
            Self::Aes192C => "AES-192-C",
            Self::Aes256C => "AES-256-C",
        }
    }

    /// Takes the names that devices and tools use, in any case, with or without hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match plain(text).as_str() {
            "DES" => Self::Des,
            "AES" | "AES128" => Self::Aes128,
            "AES192" => Self::Aes192,
            "AES256" => Self::Aes256,
            "AES192C" => Self::Aes192C,
            "AES256C" => Self::Aes256C,
            _ => return None,
        })
    }

    /// DES takes eight octets of key and eight of initialisation vector.
    pub fn key_octets(self) -> usize {
        match self {
            Self::Des | Self::Aes128 => 16,
            Self::Aes192 | Self::Aes192C => 24,
            Self::Aes256 | Self::Aes256C => 32,
        }
    }

    pub fn is_weak(self) -> bool {
        self == Self::Des
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_as_others_write_them() {
        for protocol in AuthProtocol::ALL {
            assert_eq!(AuthProtocol::parse(protocol.name()), Some(protocol));
        }
        for protocol in PrivProtocol::ALL {
            assert_eq!(PrivProtocol::parse(protocol.name()), Some(protocol));
        }
        assert_eq!(AuthProtocol::parse("sha-1"), Some(AuthProtocol::Sha1));
        assert_eq!(AuthProtocol::parse("sha256"), Some(AuthProtocol::Sha256));
        assert_eq!(PrivProtocol::parse("aes_128"), Some(PrivProtocol::Aes128));
        assert_eq!(AuthProtocol::parse("SHA-3"), None);
        assert_eq!(PrivProtocol::parse("3DES"), None);
    }
}
