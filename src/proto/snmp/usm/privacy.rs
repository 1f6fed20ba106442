//! Encryption of scoped PDUs in place: DES-CBC (RFC 3414 §8) and AES-CFB128 (RFC 3826 §3).
//!
//! ```text
//! DES: IV = last 8 octets of the key XOR salt; salt = boots (4), counter (4); padded to 8 octets
//! AES: IV = boots (4), time (4), salt (8); not padded
//! ```

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use des::Des;
use des::cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};

use super::protocols::PrivProtocol;
use crate::base::Secret;

/// A localised privacy key; made ready for each message, like [`super::AuthKey`].
pub struct PrivKey {
    protocol: PrivProtocol,
    key: Secret<Vec<u8>>,
}

impl std::fmt::Debug for PrivKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivKey({})", self.protocol.name())
    }
}

/// The text is not what this key can encrypt or have encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecryptable;

impl PrivKey {
    /// `key` has at least the protocol's length.
    pub(super) fn new(protocol: PrivProtocol, key: Secret<Vec<u8>>) -> Self {
        debug_assert!(key.expose().len() >= protocol.key_octets(), "the key was stretched");
        Self { protocol, key }
    }

    /// What the scoped PDU has to be padded to.
    pub fn block_octets(&self) -> usize {
        if self.protocol == PrivProtocol::Des { 8 } else { 1 }
    }

    /// The salt that goes with the message, from a counter that never repeats under this key.
    pub fn salt(&self, boots: u32, counter: u64) -> [u8; 8] {
        if self.protocol != PrivProtocol::Des {
            return counter.to_be_bytes();
        }
        let mut salt = [0; 8];
        salt[..4].copy_from_slice(&boots.to_be_bytes());
        salt[4..].copy_from_slice(&(counter as u32).to_be_bytes());
        salt
    }

    /// Encrypts in place; `text` is padded to [`PrivKey::block_octets`].
    ///
    /// # Errors
    /// It is not.
    pub fn encrypt(&self, boots: u32, time: u32, salt: [u8; 8], text: &mut [u8]) -> Result<(), Undecryptable> {
        let Some(algorithm) = self.aes() else {
            let (cipher, mut before) = self.des(salt)?;
            if !text.len().is_multiple_of(8) {
                return Err(Undecryptable);
            }
            for chunk in text.chunks_exact_mut(8) {
                chunk.iter_mut().zip(&before).for_each(|(c, b)| *c ^= b);
                let mut block = octets(chunk).into();
                cipher.encrypt_block(&mut block);
                chunk.copy_from_slice(&block);
                before = block.into();
            }
            return Ok(());
        };
        let key = UnboundCipherKey::new(algorithm, self.octets()).and_then(EncryptingKey::cfb128);
        let context = EncryptionContext::Iv128(FixedLength::from(aes_iv(boots, time, salt)));
        key.and_then(|key| key.less_safe_encrypt(text, context)).map(|_| ()).map_err(|_| Undecryptable)
    }

    /// Decrypts in place.
    ///
    /// # Errors
    /// The salt or the text has an impossible length. A wrong key gives noise, which shows when it is decoded.
    pub fn decrypt(&self, boots: u32, time: u32, salt: &[u8], text: &mut [u8]) -> Result<(), Undecryptable> {
        let salt: [u8; 8] = salt.try_into().map_err(|_| Undecryptable)?;
        let Some(algorithm) = self.aes() else {
            let (cipher, mut before) = self.des(salt)?;
            if text.is_empty() || !text.len().is_multiple_of(8) {
                return Err(Undecryptable);
            }
            for chunk in text.chunks_exact_mut(8) {
                let sealed = octets(chunk);
                let mut block = sealed.into();
                cipher.decrypt_block(&mut block);
                chunk.iter_mut().zip(block.iter().zip(&before)).for_each(|(c, (b, p))| *c = b ^ p);
                before = sealed;
            }
            return Ok(());
        };
        let key = UnboundCipherKey::new(algorithm, self.octets()).and_then(DecryptingKey::cfb128);
        let context = DecryptionContext::Iv128(FixedLength::from(aes_iv(boots, time, salt)));
        key.and_then(|key| key.decrypt(text, context).map(|_| ())).map_err(|_| Undecryptable)
    }

    fn octets(&self) -> &[u8] {
        let key = self.key.expose();
        &key[..self.protocol.key_octets().min(key.len())]
    }

    fn aes(&self) -> Option<&'static Algorithm> {
        match self.protocol {
            PrivProtocol::Des => None,
            PrivProtocol::Aes128 => Some(&AES_128),
            PrivProtocol::Aes192 | PrivProtocol::Aes192C => Some(&AES_192),
            PrivProtocol::Aes256 | PrivProtocol::Aes256C => Some(&AES_256),
        }
    }

    /// The cipher and the initialisation vector.
    fn des(&self, salt: [u8; 8]) -> Result<(Des, [u8; 8]), Undecryptable> {
        let (key, pre_iv) = self.octets().split_at_checked(8).ok_or(Undecryptable)?;
        let cipher = Des::new_from_slice(key).map_err(|_| Undecryptable)?;
        let pre_iv = octets(pre_iv);
        Ok((cipher, std::array::from_fn(|i| pre_iv[i] ^ salt[i])))
    }
}

/// The first eight octets of a slice that has them.
fn octets(slice: &[u8]) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&slice[..8]);
    out
}

fn aes_iv(boots: u32, time: u32, salt: [u8; 8]) -> [u8; 16] {
    let mut iv = [0; 16];
    iv[..4].copy_from_slice(&boots.to_be_bytes());
    iv[4..8].copy_from_slice(&time.to_be_bytes());
    iv[8..].copy_from_slice(&salt);
    iv
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn what_is_encrypted_is_decrypted_with_the_same_key_and_salt_only() {
        for protocol in PrivProtocol::ALL {
            let key = PrivKey::new(protocol, Secret::new((0..32).collect()));
            let salt = key.salt(9, 0x0102_0304_0506_0708);
            let text: Vec<u8> = (0..64u8).collect();
            let mut sealed = text.clone();
            key.encrypt(9, 1000, salt, &mut sealed).expect("whole blocks");
            assert_ne!(sealed, text, "{protocol:?}");
            let mut opened = sealed.clone();
            key.decrypt(9, 1000, &salt, &mut opened).expect("the right key");
            assert_eq!(opened, text, "{protocol:?}");
            let mut other_salt = salt;
            other_salt[7] ^= 1;
            let mut opened = sealed.clone();
            key.decrypt(9, 1000, &other_salt, &mut opened).expect("of the right length");
            assert_ne!(opened, text, "{protocol:?}");
            assert_eq!(key.decrypt(9, 1000, &salt[..7], &mut opened), Err(Undecryptable));
        }
    }

    /// FIPS 81's example of CBC under the key 0123456789abcdef, with the vector that key and salt make.
    #[test]
    fn des_is_the_des_of_the_standard() {
        let key = (u128::from(0x0123_4567_89ab_cdef_u64) << 64).to_be_bytes();
        let key = PrivKey::new(PrivProtocol::Des, Secret::new(key.to_vec()));
        let mut text = *b"Now is the time for all ";
        key.encrypt(0, 0, 0x1234_5678_90ab_cdef_u64.to_be_bytes(), &mut text).expect("whole blocks");
        assert_eq!(HEXLOWER.encode(&text), "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6");
        let mut short = *b"seven o";
        assert_eq!(key.decrypt(0, 0, &[0; 8], &mut short), Err(Undecryptable));
    }

    /// NIST SP 800-38A F.3.13: CFB128-AES128, with its vector spread over boots, time and salt.
    #[test]
    fn aes_is_the_cfb_of_the_standard() {
        let key = 0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes();
        let key = PrivKey::new(PrivProtocol::Aes128, Secret::new(key.to_vec()));
        let mut text = 0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a_u128.to_be_bytes();
        key.encrypt(0x0001_0203, 0x0405_0607, [8, 9, 10, 11, 12, 13, 14, 15], &mut text).expect("AES has this mode");
        assert_eq!(u128::from_be_bytes(text), 0x3b3f_d92e_b72d_ad20_3334_49f8_e83c_fb4a);
    }
}
