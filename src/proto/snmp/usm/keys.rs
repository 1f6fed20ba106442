//! From a password to the key of one agent (RFC 3414 §2.6 and A.2; RFC 7860 §9.3), and from short hashes to long AES keys.
//!
//! ```text
//! Ku  = hash of the password repeated to 1,048,576 octets        once for each password
//! Kul = hash(Ku, engine id, Ku)                                  once for each agent
//! Blumenthal: Kul, hash(Kul)                                     until it is long enough
//! Reeder:     Kul, localised key of the password Kul             the 1 MiB again, for each agent
//! ```

use std::fmt;

use aws_lc_rs::digest;
use hmac::digest::Digest as _;
use md5::Md5;
use zeroize::Zeroize as _;

use super::auth::AuthKey;
use super::privacy::PrivKey;
use super::protocols::{AuthProtocol, PrivProtocol};
use super::{EngineId, Level};
use crate::base::{Secret, text};

/// The length to which a password is repeated.
const EXPANDED: usize = 1 << 20;
/// A shorter password is refused (RFC 3414 §11.2).
pub const SHORTEST_PASSWORD: usize = 8;
/// `SnmpAdminString (SIZE(1..32))`.
const LONGEST_NAME: usize = 32;

/// Why a user cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    #[error("a user name has 1 to 32 octets")]
    Name,
    #[error("the authentication password has fewer than 8 octets, which SNMPv3 forbids")]
    ShortAuthPassword,
    #[error("the privacy password has fewer than 8 octets, which SNMPv3 forbids")]
    ShortPrivPassword,
    #[error("privacy needs authentication too")]
    PrivacyWithoutAuth,
}

/// A user with the keys of its passwords, not yet of any agent. Making one costs about a millisecond a password.
pub struct User {
    name: Box<[u8]>,
    auth: Option<(AuthProtocol, Secret<Vec<u8>>)>,
    privacy: Option<(PrivProtocol, Secret<Vec<u8>>)>,
}

impl User {
    /// Hashes the passwords. The level follows from what is given.
    ///
    /// # Errors
    /// A name or a password that the standard forbids, or privacy alone.
    pub fn new(
        name: &[u8],
        auth: Option<(AuthProtocol, &[u8])>,
        privacy: Option<(PrivProtocol, &[u8])>,
    ) -> Result<Self, UserError> {
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(UserError::Name);
        }
        if auth.is_some_and(|(_, password)| password.len() < SHORTEST_PASSWORD) {
            return Err(UserError::ShortAuthPassword);
        }
        if privacy.is_some_and(|(_, password)| password.len() < SHORTEST_PASSWORD) {
            return Err(UserError::ShortPrivPassword);
        }
        let (auth, privacy) = match (auth, privacy) {
            (None, Some(_)) => return Err(UserError::PrivacyWithoutAuth),
            (None, None) => (None, None),
            (Some((protocol, password)), privacy) => {
                let key = password_to_key(protocol, password);
                let privacy = privacy.map(|(cipher, second)| {
                    let key = if second == password { key.clone() } else { password_to_key(protocol, second) };
                    (cipher, key)
                });
                (Some((protocol, key)), privacy)
            }
        };
        Ok(Self { name: Box::from(name), auth, privacy })
    }

    pub fn name(&self) -> &[u8] {
        &self.name
    }

    pub fn level(&self) -> Level {
        match (&self.auth, &self.privacy) {
            (None, _) => Level::NoAuthNoPriv,
            (Some(_), None) => Level::AuthNoPriv,
            (Some(_), Some(_)) => Level::AuthPriv,
        }
    }

    pub fn auth_protocol(&self) -> Option<AuthProtocol> {
        self.auth.as_ref().map(|(protocol, _)| *protocol)
    }

    pub fn priv_protocol(&self) -> Option<PrivProtocol> {
        self.privacy.as_ref().map(|(protocol, _)| *protocol)
    }

    /// The key that proves who sent a message, and no other: cheap, for messages of engines that may not exist.
    pub fn localise_auth(&self, engine: &EngineId) -> LocalKeys {
        let auth = self.auth.as_ref();
        let auth = auth.map(|(hash, master)| AuthKey::new(*hash, localise(*hash, master.expose(), engine)));
        LocalKeys { auth, privacy: None }
    }

    /// The keys towards one agent.
    pub fn localise(&self, engine: &EngineId) -> LocalKeys {
        let privacy = self.auth.as_ref().zip(self.privacy.as_ref()).map(|((hash, _), (cipher, master))| {
            let key = localise(*hash, master.expose(), engine);
            PrivKey::new(*cipher, stretch(*hash, *cipher, key, engine))
        });
        LocalKeys { privacy, ..self.localise_auth(engine) }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = text::clean(&String::from_utf8_lossy(&self.name));
        write!(f, "User({name}, {:?}, {:?})", self.auth_protocol(), self.priv_protocol())
    }
}

/// A user's keys towards one agent.
#[derive(Debug, Default)]
pub struct LocalKeys {
    pub auth: Option<AuthKey>,
    pub privacy: Option<PrivKey>,
}

/// Ku: the hash of the password repeated to 1 MiB.
fn password_to_key(protocol: AuthProtocol, password: &[u8]) -> Secret<Vec<u8>> {
    // The hash is fed whole passwords, many at a time.
    let whole = Secret::new(password.repeat(8192usize.div_ceil(password.len().max(1))));
    let mut hash = Hash::new(protocol);
    let mut left = EXPANDED;
    while left > 0 && !password.is_empty() {
        let part = &whole.expose()[..whole.expose().len().min(left)];
        hash.update(part);
        left -= part.len();
    }
    hash.finish()
}

/// Kul: the key of one agent.
fn localise(protocol: AuthProtocol, key: &[u8], engine: &EngineId) -> Secret<Vec<u8>> {
    let mut hash = Hash::new(protocol);
    hash.update(key);
    hash.update(engine.as_bytes());
    hash.update(key);
    hash.finish()
}

/// A localised key that is long enough for the cipher.
fn stretch(protocol: AuthProtocol, cipher: PrivProtocol, key: Secret<Vec<u8>>, engine: &EngineId) -> Secret<Vec<u8>> {
    let wanted = cipher.key_octets();
    if key.expose().len() >= wanted {
        return key;
    }
    // Room for one step beyond, so that no copy of the key stays behind in a smaller buffer.
    let mut long = Vec::with_capacity(wanted + 2 * protocol.hash_octets());
    long.extend_from_slice(key.expose());
    let mut last = key;
    while long.len() < wanted {
        last = match cipher {
            PrivProtocol::Aes192C | PrivProtocol::Aes256C => {
                let again = password_to_key(protocol, last.expose());
                localise(protocol, again.expose(), engine)
            }
            PrivProtocol::Des | PrivProtocol::Aes128 | PrivProtocol::Aes192 | PrivProtocol::Aes256 => {
                let mut hash = Hash::new(protocol);
                hash.update(&long);
                hash.finish()
            }
        };
        long.extend_from_slice(last.expose());
    }
    Secret::new(long)
}

enum Hash {
    Md5(Md5),
    Sha(digest::Context),
}

impl Hash {
    fn new(protocol: AuthProtocol) -> Self {
        let sha = |algorithm| Self::Sha(digest::Context::new(algorithm));
        match protocol {
            AuthProtocol::Md5 => Self::Md5(Md5::new()),
            AuthProtocol::Sha1 => sha(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            AuthProtocol::Sha224 => sha(&digest::SHA224),
            AuthProtocol::Sha256 => sha(&digest::SHA256),
            AuthProtocol::Sha384 => sha(&digest::SHA384),
            AuthProtocol::Sha512 => sha(&digest::SHA512),
        }
    }

    fn update(&mut self, part: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(part),
            Self::Sha(hash) => hash.update(part),
        }
    }

    fn finish(self) -> Secret<Vec<u8>> {
        match self {
            Self::Md5(hash) => {
                let mut octets = hash.finalize();
                let key = Secret::new(octets.to_vec());
                octets.as_mut_slice().zeroize();
                key
            }
            Self::Sha(hash) => Secret::new(hash.finish().as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn hex(key: &Secret<Vec<u8>>) -> String {
        HEXLOWER.encode(key.expose())
    }

    fn engine() -> EngineId {
        EngineId::new(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]).expect("twelve octets")
    }

    /// The password "maplesyrup" at the engine 00…02. MD5 and SHA: RFC 3414 A.3.1, A.3.2. The SHA-2 ones, for which RFC 7860
    /// keeps the algorithm, were computed with Python's hashlib.
    #[test]
    fn passwords_become_the_keys_of_the_standard() {
        for (protocol, master, local) in [
            (AuthProtocol::Md5, "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"),
            (
                AuthProtocol::Sha1,
                "9fb5cc0381497b3793528939ff788d5d79145211",
                "6695febc9288e36282235fc7151f128497b38f3f",
            ),
            (
                AuthProtocol::Sha224,
                "282a5867ee9aac639ad59df9572c7d3ac0fbc13a905b6df07dbbf00b",
                "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674",
            ),
            (
                AuthProtocol::Sha256,
                "ab51014d1e077f6017df2b12bee5f5aa72993177e9bb569c4dff5a4ca0b4afac",
                "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b",
            ),
            (
                AuthProtocol::Sha384,
                "e06eccdf2c68a06ed034723c9c26e0db3b669e1e2efed49150b55377a2e98f383c86fb836857444654b287c93f51ff64",
                "3b298f16164a11184279d5432bf169e2d2a48307de02b3d3f7e2b4f36eb6f0455a53689a3937eea07319a633d2ccba78",
            ),
            (
                AuthProtocol::Sha512,
                "7e4396de5aadc77be853819b98c9406265b3a9c37cc3176569847a4e4f6fba63dd3a73d04924d31a63f95a601f9385af6be4ed1b37f87d040f7c6ed6f8d38a91",
                "22a5a36cedfcc085807a128d7bc6c2382167ad6c0dbc5fdff856740f3d84c099ad1ea87a8db096714d9788bd544047c9021e4229ce27e4c0a69250adfcffbb0b",
            ),
        ] {
            let key = password_to_key(protocol, b"maplesyrup");
            assert_eq!(hex(&key), master);
            assert_eq!(hex(&localise(protocol, key.expose(), &engine())), local);
        }
    }

    /// RFC 3414 A.5.1, A.5.2: the keys of the new password "newsyrup" at the same engine.
    #[test]
    fn another_password_gives_another_key() {
        for (protocol, local) in [
            (AuthProtocol::Md5, "87021d7bd9d101ba05ea6e3bf9d9bd4a"),
            (AuthProtocol::Sha1, "78e2dcce79d59403b58c1bbaa5bff46391f1cd25"),
        ] {
            let key = password_to_key(protocol, b"newsyrup");
            assert_eq!(hex(&localise(protocol, key.expose(), &engine())), local);
        }
    }

    #[test]
    fn what_the_standard_forbids_is_refused() {
        let auth = Some((AuthProtocol::Sha1, &b"maplesyrup"[..]));
        let short = Some((AuthProtocol::Sha1, &b"1234567"[..]));
        let refused = |name: &[u8], auth, privacy| User::new(name, auth, privacy).expect_err("refused");
        assert_eq!(refused(b"", auth, None), UserError::Name);
        assert_eq!(refused(&[b'x'; 33], auth, None), UserError::Name);
        assert_eq!(refused(b"u", short, None), UserError::ShortAuthPassword);
        assert_eq!(refused(b"u", auth, Some((PrivProtocol::Des, b"short"))), UserError::ShortPrivPassword);
        assert_eq!(refused(b"u", None, Some((PrivProtocol::Des, b"maplesyrup"))), UserError::PrivacyWithoutAuth);
        assert_eq!(User::new(b"u", None, None).map(|u| u.level()), Ok(Level::NoAuthNoPriv));
        assert_eq!(User::new(b"u", auth, None).map(|u| u.level()), Ok(Level::AuthNoPriv));
    }

    #[test]
    fn short_hashes_are_stretched_in_two_ways_and_long_ones_in_none() {
        let engine = engine();
        let kul = |p| localise(p, password_to_key(p, b"maplesyrup").expose(), &engine);
        let long = |p, c| stretch(p, c, kul(p), &engine);
        // draft-reeder-snmpv3-usm-3desede-00 B.2 has the chained key of "maplesyrup" with SHA; the others were computed with
        // Python's hashlib.
        for (protocol, blumenthal, reeder) in [
            (
                AuthProtocol::Md5,
                "526f5eed9fcce26f8964c2930787d82bfa24a92467426c2f4b09192be10dfaec",
                "526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12",
            ),
            (
                AuthProtocol::Sha1,
                "6695febc9288e36282235fc7151f128497b38f3f505e07eb9af25568fa1f5dbe",
                "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c",
            ),
            (
                AuthProtocol::Sha224,
                "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674e82d9bf0",
                "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be68207567422c34be4",
            ),
        ] {
            assert_eq!(hex(&long(protocol, PrivProtocol::Aes256))[..64], *blumenthal);
            assert_eq!(hex(&long(protocol, PrivProtocol::Aes256C))[..64], *reeder);
        }
        for cipher in [PrivProtocol::Aes256, PrivProtocol::Aes256C] {
            assert_eq!(hex(&long(AuthProtocol::Sha256, cipher)), hex(&kul(AuthProtocol::Sha256)));
        }
    }

    #[test]
    fn no_key_shows_in_debug_output() {
        let user = User::new(
            b"ops",
            Some((AuthProtocol::Sha256, b"canary-7f3a")),
            Some((PrivProtocol::Aes128, b"canary-7f3b")),
        );
        let user = user.expect("valid");
        let shown = format!("{user:?} {:?}", user.localise(&engine()));
        assert!(!shown.contains("canary") && !shown.contains('['), "{shown}");
    }
}
