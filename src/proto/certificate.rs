//! What an X.509 certificate (RFC 5280) says of itself: for whom, by whom, from when to when. Whether that is to be
//! believed is decided elsewhere; nothing here checks a signature.

use std::net::IpAddr;

use x509_cert::Certificate as Parsed;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};
use x509_cert::time::Time;

use crate::base::Timestamp;

/// Names of one certificate that are kept.
const MOST_NAMES: usize = 100;

/// It is no certificate, or one that RFC 5280 does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be read: {0}")]
pub struct Unreadable(String);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Distinguished names as RFC 4514 writes them: `CN=www.example.net,O=Example`. Foreign text.
    pub subject: String,
    pub issuer: String,
    /// The issuer's name as it is encoded.
    pub issuer_der: Vec<u8>,
    /// DNS names and addresses it is for (subjectAltName). Foreign text.
    pub names: Vec<String>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// It may sign others (basicConstraints).
    pub is_authority: bool,
    /// The hash by which it is signed, where nobody trusts that any more.
    pub old_hash: Option<&'static str>,
    /// Bits of its key, where that is one of RSA.
    pub rsa_bits: Option<usize>,
}

impl Certificate {
    /// Reads the DER form.
    ///
    /// # Errors
    /// It is none.
    pub fn read(der: &[u8]) -> Result<Self, Unreadable> {
        let parsed = Parsed::from_der(der).map_err(|e| Unreadable(e.to_string()))?;
        let fields = parsed.tbs_certificate();
        // One that cannot be read names nobody and signs for nobody.
        let names = fields.get_extension::<SubjectAltName>().ok().flatten();
        let names = names.map(|(_, names)| names.0.iter().filter_map(name_of).take(MOST_NAMES).collect());
        let constraints = fields.get_extension::<BasicConstraints>().ok().flatten();
        let key = fields.subject_public_key_info().to_der().ok();
        Ok(Self {
            subject: fields.subject().to_string(),
            issuer: fields.issuer().to_string(),
            issuer_der: fields.issuer().to_der().map_err(|e| Unreadable(e.to_string()))?,
            names: names.unwrap_or_default(),
            not_before: timestamp(&fields.validity().not_before),
            not_after: timestamp(&fields.validity().not_after),
            is_authority: constraints.is_some_and(|(_, constraints)| constraints.ca),
            old_hash: old_hash(&parsed.signature_algorithm().oid.to_string()),
            rsa_bits: key.and_then(|key| rsa_bits(element(&key, SEQUENCE)?.0)),
        })
    }

    /// It names itself as its issuer.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// A short name for people: the subject's common name, else its first name, else the whole subject.
    pub fn short(&self) -> String {
        common_name(&self.subject)
            .or_else(|| self.names.first().cloned())
            .unwrap_or_else(|| if self.subject.is_empty() { "without a name".to_owned() } else { self.subject.clone() })
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 2;
const BIT_STRING: u8 = 3;
const OBJECT_IDENTIFIER: u8 = 6;
/// `rsaEncryption` (RFC 8017 appendix C).
const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

/// By the algorithm of a signature (RFC 3279 §2.2).
fn old_hash(algorithm: &str) -> Option<&'static str> {
    match algorithm {
        "1.2.840.113549.1.1.2" => Some("MD2"),
        "1.2.840.113549.1.1.4" => Some("MD5"),
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => Some("SHA-1"),
        _ => None,
    }
}

/// The bits of a key of RSA, from what is in a SubjectPublicKeyInfo.
///
/// ```text
/// SEQUENCE { OID rsaEncryption, … }  BIT STRING { SEQUENCE { INTEGER modulus, INTEGER exponent } }
/// ```
pub fn rsa_bits(key: &[u8]) -> Option<usize> {
    let (algorithm, rest) = element(key, SEQUENCE)?;
    if element(algorithm, OBJECT_IDENTIFIER)?.0 != RSA {
        return None;
    }
    let (unused, packed) = element(rest, BIT_STRING)?.0.split_first()?;
    let (modulus, _) = element(element(packed, SEQUENCE)?.0, INTEGER).filter(|_| *unused == 0)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros)?;
    Some((modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
}

/// What is in the first element, which must be of this tag, and what comes after it (X.690 §8.1).
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (head, rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match head[1] {
        short @ ..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (head[0] == tag).then_some(())?;
    rest.split_at_checked(length)
}

/// `CN=…` of a distinguished name.
pub fn common_name(name: &str) -> Option<String> {
    let part = name.split(',').find(|part| part.starts_with("CN="))?;
    Some(part.to_owned())
}

fn name_of(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            let four = <[u8; 4]>::try_from(octets).map(IpAddr::from);
            four.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

fn timestamp(time: &Time) -> Timestamp {
    let seconds = time.to_unix_duration().as_secs();
    Timestamp::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_of_itself_is_read() {
        let mut made =
            rcgen::CertificateParams::new(["www.lab.test".to_owned(), "192.0.2.7".to_owned()]).expect("names");
        made.distinguished_name = rcgen::DistinguishedName::new();
        made.distinguished_name.push(rcgen::DnType::CommonName, "web");
        made.distinguished_name.push(rcgen::DnType::OrganizationName, "Lab");
        made.not_before = rcgen::date_time_ymd(2020, 1, 2);
        made.not_after = rcgen::date_time_ymd(2060, 3, 4);
        let key = rcgen::KeyPair::generate().expect("a key");
        let made = made.self_signed(&key).expect("signed");
        let read = Certificate::read(made.der()).expect("readable");
        assert_eq!(read.names, ["www.lab.test", "192.0.2.7"]);
        assert!(read.is_self_issued() && !read.is_authority, "{read:?}");
        assert_eq!(read.short(), "CN=web");
        assert_eq!(&read.not_before.rfc3339()[..10], "2020-01-02");
        assert_eq!(&read.not_after.rfc3339()[..10], "2060-03-04");
        for length in 0..made.der().len() {
            assert!(Certificate::read(&made.der()[..length]).is_err(), "{length}");
        }
    }
}
