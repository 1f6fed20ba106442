//! Key pairs of the demo, made in microseconds, and the files that hold them: for their owner only.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use russh::keys::ssh_key::public::Ed25519PublicKey;
use zeroize::Zeroizing;

/// A new Ed25519 key pair. The public half comes from aws-lc, which does it in a debug build as fast as in any.
///
/// # Errors
/// The system gives no random bytes.
pub fn generate(comment: &str) -> io::Result<PrivateKey> {
    let mut seed = Zeroizing::new([0u8; 32]);
    aws_lc_rs::rand::fill(seed.as_mut_slice()).map_err(|_| io::Error::other("no random bytes"))?;
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(io::Error::other)?;
    let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(io::Error::other)?;
    let pair = Ed25519Keypair { public: Ed25519PublicKey(public), private: Ed25519PrivateKey::from_bytes(&seed) };
    PrivateKey::new(KeypairData::Ed25519(pair), comment).map_err(io::Error::other)
}

pub fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

/// Writes a new file that nobody else may read, from its first byte.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// A path as an argument of ssh_config: quoted, and without tokens.
pub fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('%', "%%"))
}
