//! Message authentication: a keyed hash over the whole message, cut to the protocol's length (RFC 3414 §6.3, RFC 7860 §4.2).

use aws_lc_rs::{constant_time, hmac as sha};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;

use super::protocols::AuthProtocol;
use crate::base::Secret;

/// The longest MAC that any protocol sends.
pub const LONGEST_MAC: usize = 48;

/// A localised authentication key. It stays as short as it is: made ready for each message, which costs two blocks of the
/// hash, ten thousand agents' keys take a megabyte and not twenty.
#[derive(Clone)]
pub struct AuthKey {
    protocol: AuthProtocol,
    key: Secret<Vec<u8>>,
}

impl std::fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthKey({})", self.protocol.name())
    }
}

impl AuthKey {
    pub(super) fn new(protocol: AuthProtocol, key: Secret<Vec<u8>>) -> Self {
        Self { protocol, key }
    }

    pub fn mac_octets(&self) -> usize {
        self.protocol.mac_octets()
    }

    /// Writes the MAC of `message` into it, at `place`, which holds zeros.
    pub fn sign(&self, message: &mut [u8], place: std::ops::Range<usize>) {
        let mut mac = [0u8; LONGEST_MAC];
        let length = self.mac(&[message], &mut mac);
        if let Some(hole) = message.get_mut(place) {
            let length = length.min(hole.len());
            hole[..length].copy_from_slice(&mac[..length]);
        }
    }

    /// Whether the MAC at `place` is that of the message with zeros there; one of another length is none.
    pub fn verify(&self, message: &[u8], place: std::ops::Range<usize>) -> bool {
        let (Some(before), Some(found), Some(after)) =
            (message.get(..place.start), message.get(place.clone()), message.get(place.end..))
        else {
            return false;
        };
        if found.len() != self.mac_octets() {
            return false;
        }
        let mut mac = [0u8; LONGEST_MAC];
        let length = self.mac(&[before, &[0u8; LONGEST_MAC][..found.len()], after], &mut mac);
        constant_time::verify_slices_are_equal(&mac[..length], found).is_ok()
    }

    fn mac(&self, parts: &[&[u8]], out: &mut [u8; LONGEST_MAC]) -> usize {
        let length = self.mac_octets();
        let algorithm = match self.protocol {
            AuthProtocol::Md5 => {
                let mut hash: Hmac<Md5> =
                    Hmac::new_from_slice(self.key.expose()).expect("HMAC takes a key of any length");
                for part in parts {
                    hash.update(part);
                }
                out[..length].copy_from_slice(&hash.finalize().into_bytes()[..length]);
                return length;
            }
            AuthProtocol::Sha1 => sha::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            AuthProtocol::Sha224 => sha::HMAC_SHA224,
            AuthProtocol::Sha256 => sha::HMAC_SHA256,
            AuthProtocol::Sha384 => sha::HMAC_SHA384,
            AuthProtocol::Sha512 => sha::HMAC_SHA512,
        };
        let mut hash = sha::Context::with_key(&sha::Key::new(algorithm, self.key.expose()));
        for part in parts {
            hash.update(part);
        }
        out[..length].copy_from_slice(&hash.sign().as_ref()[..length]);
        length
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn made(protocol: AuthProtocol, key: &[u8]) -> AuthKey {
        AuthKey::new(protocol, Secret::new(key.to_vec()))
    }

    /// RFC 2202 §2 and §3, RFC 4231 §4.3: "what do ya want for nothing?" under the key "Jefe".
    #[test]
    fn the_hashes_are_those_of_the_published_vectors() {
        for (protocol, want) in [
            (AuthProtocol::Md5, "750c783e6ab0b503eaa86e31"),
            (AuthProtocol::Sha1, "effcdf6ae5eb2fa2d27416d5"),
            (AuthProtocol::Sha224, "a30e01098bc6dbbf45690f3a7e9e6d0f"),
            (AuthProtocol::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d273983"),
            (AuthProtocol::Sha384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"),
            (
                AuthProtocol::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd",
            ),
        ] {
            let mut mac = [0; LONGEST_MAC];
            let length = made(protocol, b"Jefe").mac(&[b"what do ya want ", b"for nothing?"], &mut mac);
            assert_eq!(HEXLOWER.encode(&mac[..length]), want, "{protocol:?}");
        }
    }

    #[test]
    fn a_signed_message_is_verified_and_nothing_else_is() {
        for protocol in AuthProtocol::ALL {
            let key = made(protocol, &[7; 20]);
            let place = 5..5 + key.mac_octets();
            let mut message = vec![3u8; 100];
            message[place.clone()].fill(0);
            key.sign(&mut message, place.clone());
            assert!(key.verify(&message, place.clone()));
            assert!(!made(protocol, &[8; 20]).verify(&message, place.clone()));
            assert!(!key.verify(&message, place.start..place.end - 1), "a shorter MAC is none");
            assert!(!key.verify(&message, 5..5), "and neither is an empty one");
            assert!(!key.verify(&message, 90..200));
            for at in [0, 5, 99] {
                let mut damaged = message.clone();
                damaged[at] ^= 1;
                assert!(!key.verify(&damaged, place.clone()));
            }
        }
    }
}
