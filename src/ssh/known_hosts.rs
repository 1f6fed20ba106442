//! `known_hosts` (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): which key a host had when it was last believed. Hashed
//! names, `[host]:port`, wildcards, negation, `@cert-authority`, `@revoked`, several keys a host. A file that
//! cannot be read is an error, never an empty file: an unknown key must not become acceptable by it.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use russh::keys::{Certificate, HashAlg, PublicKey, parse_public_key_base64};

use super::config::pattern;

const FILE_LIMIT: u64 = 16 << 20;

#[derive(Debug, thiserror::Error)]
pub enum KnownHostsError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot add a host key to {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    None,
    CertificateAuthority,
    Revoked,
}

#[derive(Clone, Debug)]
struct Entry {
    marker: Marker,
    names: Names,
    /// `ssh-ed25519` …
    algorithm: String,
    /// The key blob in base64, as written.
    key: String,
    file: Arc<Path>,
    line: usize,
}

#[derive(Clone, Debug)]
enum Names {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// A key that the files hold, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub algorithm: String,
    /// `SHA256:…`, or empty where the recorded key cannot be read.
    pub fingerprint: String,
    pub file: Arc<Path>,
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Known,
    Unknown,
    /// The host has other keys in the files, and not this one.
    Changed(Vec<Recorded>),
    /// Somebody wrote down that this key must not be believed.
    Revoked(Recorded),
}

/// Why a host certificate is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disbelief {
    /// Its key or its authority is marked `@revoked`: no other key helps.
    Revoked(Recorded),
    /// It proves nothing; the key within may still be known by itself.
    Because(String),
}

impl Disbelief {
    fn because(reason: impl Into<String>) -> Self {
        Self::Because(reason.into())
    }
}

/// All entries of some files.
#[derive(Clone, Debug, Default)]
pub struct KnownHosts {
    entries: Vec<Entry>,
}

impl KnownHosts {
    /// Reads the files that exist.
    ///
    /// # Errors
    /// Where one exists and cannot be read.
    pub fn read(files: &[PathBuf]) -> Result<Self, KnownHostsError> {
        let mut entries = Vec::new();
        for path in files {
            let text = match read_bounded(path) {
                Ok(text) => text,
                Err(source) if source.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(KnownHostsError::Read { path: path.clone(), source }),
            };
            let file: Arc<Path> = Arc::from(path.as_path());
            let lines = text.lines().enumerate();
            entries.extend(lines.filter_map(|(index, line)| Entry::parse(line, &file, index + 1)));
        }
        Ok(Self { entries })
    }

    /// What is to be thought of this key. With a port other than 22 the name is `[host]:port`; a key that
    /// is known for the bare name is known too, as in OpenSSH.
    pub fn check(&self, host: &str, port: u16, key: &PublicKey) -> Verdict {
        let blob = blob_of(key);
        let name = lookup_name(host, port);
        if let Some(revoked) = self.revoked(&[&name, host], &blob) {
            return Verdict::Revoked(revoked);
        }
        let of_name: Vec<&Entry> = self.plain(&name).collect();
        if of_name.iter().any(|e| e.key == blob) {
            return Verdict::Known;
        }
        if of_name.is_empty() {
            let known_without_port = name != host && self.plain(host).any(|e| e.key == blob);
            return if known_without_port { Verdict::Known } else { Verdict::Unknown };
        }
        Verdict::Changed(of_name.into_iter().map(Entry::recorded).collect())
    }

    /// Whether a host certificate is signed by an authority that is believed for this name, is of the
    /// right kind, names the host and is in its time. Otherwise the reason in words.
    ///
    /// # Errors
    /// The reason why the certificate is not believed.
    pub fn check_certificate(
        &self,
        host: &str,
        port: u16,
        certificate: &Certificate,
        unix_time: u64,
    ) -> Result<(), Disbelief> {
        let name = lookup_name(host, port);
        let authority = PublicKey::new(certificate.signature_key().clone(), "");
        for key in [&authority, &PublicKey::new(certificate.public_key().clone(), "")] {
            if let Some(revoked) = self.revoked(&[&name, host], &blob_of(key)) {
                return Err(Disbelief::Revoked(revoked));
            }
        }
        let blob = blob_of(&authority);
        let trusted = self.entries.iter().any(|e| {
            e.marker == Marker::CertificateAuthority && e.key == blob && (e.names.hold(&name) || e.names.hold(host))
        });
        if !trusted {
            return Err(Disbelief::because(format!("authority {} is not known", fingerprint(&authority))));
        }
        if !certificate.cert_type().is_host() {
            return Err(Disbelief::because("it is a user's certificate, not a host's"));
        }
        let principals = certificate.valid_principals();
        let host = host.to_ascii_lowercase();
        if principals.is_empty() || !principals.iter().any(|p| pattern::matches(&p.to_ascii_lowercase(), &host)) {
            return Err(Disbelief::because(format!("it does not name {host}")));
        }
        if !certificate.critical_options().is_empty() {
            return Err(Disbelief::because("it has critical options, which host certificates may not have"));
        }
        certificate
            .validate_at(unix_time, [&authority.fingerprint(HashAlg::Sha256)])
            .map_err(|_| Disbelief::because("its signature or its time is not valid"))
    }

    /// Whether any authority may speak for this host, so that its certificate is worth asking for.
    pub fn has_authority(&self, host: &str, port: u16) -> bool {
        let name = lookup_name(host, port);
        let mut authorities = self.entries.iter().filter(|e| e.marker == Marker::CertificateAuthority);
        authorities.any(|e| e.names.hold(&name) || e.names.hold(host))
    }

    /// Algorithms of the keys that are known for this host, so that the server is asked for one of those first.
    pub fn algorithms(&self, host: &str, port: u16) -> Vec<String> {
        let name = lookup_name(host, port);
        let mut found: Vec<&Entry> = self.plain(&name).collect();
        if found.is_empty() {
            found = self.plain(host).collect();
        }
        found.into_iter().map(|e| e.algorithm.clone()).collect()
    }

    /// Lines that name the host, in order: what `ssh-keygen -F` prints. Marked ones included.
    pub fn lines_naming(&self, name: &str) -> Vec<usize> {
        self.entries.iter().filter(|e| e.names.hold(name)).map(|e| e.line).collect()
    }

    fn plain<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |e| e.marker == Marker::None && e.names.hold(name))
    }

    fn revoked(&self, names: &[&str], blob: &str) -> Option<Recorded> {
        let mut revoked = self.entries.iter().filter(|e| e.marker == Marker::Revoked && e.key == blob);
        revoked.find(|e| names.iter().any(|n| e.names.hold(n))).map(Entry::recorded)
    }
}

impl Entry {
    /// `None` for comments, and for lines that are none of the format: OpenSSH skips them too.
    fn parse(line: &str, file: &Arc<Path>, number: usize) -> Option<Self> {
        let mut words = line.split([' ', '\t', '\r']).filter(|w| !w.is_empty());
        let mut first = words.next().filter(|w| !w.starts_with('#'))?;
        let marker = match first {
            "@cert-authority" => Marker::CertificateAuthority,
            "@revoked" => Marker::Revoked,
            _ if first.starts_with('@') => return None,
            _ => Marker::None,
        };
        if marker != Marker::None {
            first = words.next()?;
        }
        let algorithm = words.next()?;
        let key = words.next()?;
        // The blob repeats its algorithm; a key of an algorithm that nobody here speaks cannot be presented.
        parse_public_key_base64(key).ok()?;
        let names = Names::parse(first)?;
        Some(Self {
            marker,
            names,
            algorithm: algorithm.to_owned(),
            key: key.to_owned(),
            file: file.clone(),
            line: number,
        })
    }

    fn recorded(&self) -> Recorded {
        Recorded {
            algorithm: self.algorithm.clone(),
            fingerprint: parse_public_key_base64(&self.key).map(|k| fingerprint(&k)).unwrap_or_default(),
            file: self.file.clone(),
            line: self.line,
        }
    }
}

impl Names {
    fn parse(text: &str) -> Option<Self> {
        let Some(hashed) = text.strip_prefix("|1|") else {
            return Some(Self::Patterns(text.split(',').map(str::to_ascii_lowercase).collect()));
        };
        let (salt, hash) = hashed.split_once('|')?;
        let (salt, hash) = (BASE64.decode(salt.as_bytes()).ok()?, BASE64.decode(hash.as_bytes()).ok()?);
        Some(Self::Hashed { salt, hash })
    }

    fn hold(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        match self {
            Self::Patterns(patterns) => pattern::list_matches(patterns.iter().map(String::as_str), &name),
            Self::Hashed { salt, hash } => digest(salt, &name).as_ref() == hash.as_slice(),
        }
    }
}

fn digest(salt: &[u8], name: &str) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
    hmac::sign(&key, name.as_bytes())
}

fn lookup_name(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}

fn blob_of(key: &PublicKey) -> String {
    use russh::keys::PublicKeyBase64 as _;
    BASE64.encode(&key.public_key_bytes())
}

/// `SHA256:…`, as `ssh-keygen -l` prints it.
pub fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Appends a key, in one write, to a file that only the user can read; makes the file and its folder where
/// they are missing.
///
/// # Errors
/// Where the file cannot be written.
pub fn append(path: &Path, host: &str, port: u16, key: &PublicKey, hash_name: bool) -> Result<(), KnownHostsError> {
    write_line(path, &line_for(host, port, key, hash_name))
        .map_err(|source| KnownHostsError::Write { path: path.to_path_buf(), source })
}

fn line_for(host: &str, port: u16, key: &PublicKey, hash_name: bool) -> String {
    let mut name = lookup_name(host, port).to_ascii_lowercase();
    let mut salt = [0u8; 20];
    // Without random bytes the plain name is written: it hides less, and says the same.
    if hash_name && aws_lc_rs::rand::fill(&mut salt).is_ok() {
        name = format!("|1|{}|{}", BASE64.encode(&salt), BASE64.encode(digest(&salt, &name).as_ref()));
    }
    format!("{name} {} {}\n", key.algorithm(), blob_of(key))
}

fn write_line(path: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().append(true).read(true).create(true).mode(0o600).open(path)?;
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    let text = if last == [b'\n'] { line.to_owned() } else { format!("\n{line}") };
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read_bounded(path: &Path) -> std::io::Result<String> {
    let file =
        OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    let about = file.metadata()?;
    // `/dev/null` is how people switch a file off.
    if about.is_dir() {
        return Err(std::io::Error::other("it is a folder"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(std::io::Error::other("it is larger than 16 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
