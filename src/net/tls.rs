//! TLS as a client, by rustls. A check wants to know *everything* that is wrong with a certificate, so the handshake takes
//! any (its signatures are checked all the same), and [`Tls::faults`] judges afterwards. Whoever sends anything over
//! such a connection asks for the faults first.
//!
//! One configuration and one set of the system's roots for the whole process, made when first needed. Sessions are never
//! resumed: a resumed one shows no certificate.

mod fault;
mod own;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WantsClientCert};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore,
    SignatureScheme,
};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
pub use tokio_rustls::client::TlsStream;

pub use fault::{Fault, date, days};
pub use own::{CERTIFICATE, KEY, Own};

use crate::base::Timestamp;
use crate::base::options::{OptionDoc, Problem, Reader};
use crate::proto::certificate::{Certificate, Unreadable};
use crate::proto::tls_hello::{self, Old, Reply};

/// Certificates of one chain that are looked at.
const LONGEST_CHAIN: usize = 10;
/// No file of authorities is larger.
const LARGEST_FILE: u64 = 16 << 20;

/// Whom to believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// A file of certificates (PEM) that are believed instead of the system's.
    pub authorities: Option<PathBuf>,
    /// False: anybody.
    pub verify: bool,
}

/// The options of [`Trust::read`].
pub const CA: OptionDoc = OptionDoc {
    name: "ca",
    form: "string",
    default: "the system's",
    help: "a file of certificates (PEM), relative to this one, that are believed instead",
};
pub const VERIFY: OptionDoc =
    OptionDoc { name: "verify", form: "boolean", default: "true", help: "false: any certificate is taken" };

impl Trust {
    /// Reads `ca` and `verify`.
    pub fn read(options: &mut Reader<'_>) -> Self {
        let authorities = options.path("ca");
        if let Some(path) = &authorities {
            let (place, shown) = (options.place_of("ca"), path.display());
            if path.is_dir() {
                let hint = "name one file of certificates (PEM); `cat *.pem > ca.pem` makes one of many";
                options.problem(Problem::error(&place, format!("{shown} is a folder, not a file")).hint(hint));
            } else if !path.exists() {
                let hint =
                    "a relative path starts at the folder of this file; until it is there the check says UNKNOWN";
                options.problem(Problem::warning(&place, format!("there is no file {shown}")).hint(hint));
            }
        }
        Self { authorities, verify: options.bool("verify").unwrap_or(true) }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("\"{0}\" is no name that a certificate could be for")]
    BadName(String),
    #[error("no TLS handshake within {:.1} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("TLS handshake failed: {0}")]
    Handshake(String),
    #[error("certificate {whose}: {}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Distrust { whose: String, faults: Vec<Fault> },
    #[error("cannot read {}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("our certificate {} cannot be used: {reason}", path.display())]
    Own { path: PathBuf, reason: String },
}

/// What a server presented.
#[derive(Clone, Debug)]
pub struct Presented {
    /// DER, the server's own first.
    pub chain: Vec<CertificateDer<'static>>,
    /// `TLS 1.3`.
    pub version: &'static str,
    pub cipher: String,
    /// The protocol that was agreed on is HTTP/2.
    pub is_http2: bool,
}

impl Presented {
    /// The short name of the server's own certificate.
    pub fn whose(&self) -> String {
        let own = self.chain.first().and_then(|der| Certificate::read(der).ok());
        own.map(|certificate| certificate.short()).unwrap_or_default()
    }

    /// SHA-256 of the server's own certificate, in lower-case hexadecimal.
    pub fn fingerprint(&self) -> Option<String> {
        let own = self.chain.first()?;
        Some(HEXLOWER.encode(&Sha256::digest(own)))
    }

    /// Days until the server's own certificate ends; negative where it has.
    pub fn days_left(&self, now: Timestamp) -> Option<f64> {
        let own = Certificate::read(self.chain.first()?).ok()?;
        Some((own.not_after.millis() - now.millis()) as f64 / 86_400_000.0)
    }

    pub fn certificates(&self) -> Vec<Result<Certificate, Unreadable>> {
        self.chain.iter().map(|der| Certificate::read(der)).collect()
    }
}

impl TlsError {
    /// It says something of this machine, and nothing of the server.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Own { .. } | Self::BadName(_))
    }
}

/// Which protocols are offered inside (ALPN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    Nothing,
    Http1,
    Http2,
}

impl Offer {
    /// A configuration with these protocols, and without sessions that are resumed.
    fn laid_over(self, mut config: ClientConfig) -> ClientConfig {
        let protocols: &[&[u8]] = match self {
            Self::Nothing => &[],
            Self::Http1 => &[b"http/1.1"],
            Self::Http2 => &[b"h2", b"http/1.1"],
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config.resumption = Resumption::disabled();
        config
    }
}

fn builder(provider: &Arc<CryptoProvider>) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(JudgedLater(provider.clone())))
}

#[derive(Debug, Default)]
pub struct Tls {
    shared: OnceCell<Arc<Shared>>,
}

#[derive(Debug)]
struct Shared {
    provider: Arc<CryptoProvider>,
    plain: Arc<ClientConfig>,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
    /// The system's.
    roots: RootCertStore,
}

impl Shared {
    fn new() -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = builder(&provider).with_no_client_auth();
        let offering = |offer: Offer| Arc::new(offer.laid_over(config.clone()));
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self {
            plain: offering(Offer::Nothing),
            http1: offering(Offer::Http1),
            http2: offering(Offer::Http2),
            provider,
            roots,
        }
    }
}

impl Shared {
    /// A configuration that says who we are.
    async fn as_somebody(&self, own: Own, offer: Offer) -> Result<Arc<ClientConfig>, TlsError> {
        let path = own.certificate.clone();
        let failed = |reason: String| TlsError::Own { path: path.clone(), reason };
        let loaded = tokio::task::spawn_blocking(move || own::load(&own)).await;
        let (chain, key) = loaded.map_err(|error| failed(error.to_string()))??;
        let config = builder(&self.provider).with_client_auth_cert(chain, key);
        Ok(Arc::new(offer.laid_over(config.map_err(|error| failed(error.to_string()))?)))
    }
}

impl Tls {
    async fn shared(&self) -> Arc<Shared> {
        let make = || async {
            // The roots are a file of some hundred kilobytes.
            let made = tokio::task::spawn_blocking(Shared::new).await;
            Arc::new(made.unwrap_or_else(|_| Shared::new()))
        };
        self.shared.get_or_init(make).await.clone()
    }

    /// Shakes hands. `name` is what the server is called (SNI); an address is sent as none. A server that asks who we are is
    /// told where there is an `own` certificate.
    ///
    /// # Errors
    /// Why there is no TLS connection. A bad certificate of the server is no error here.
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        name: &str,
        offer: Offer,
        own: Option<&Own>,
        timeout: Duration,
    ) -> Result<(TlsStream<S>, Presented), TlsError> {
        let shared = self.shared().await;
        let server = server_name(name)?;
        let config = match (own, offer) {
            (Some(own), _) => shared.as_somebody(own.clone(), offer).await?,
            (None, Offer::Nothing) => shared.plain.clone(),
            (None, Offer::Http1) => shared.http1.clone(),
            (None, Offer::Http2) => shared.http2.clone(),
        };
        let shaking = TlsConnector::from(config).connect(server, stream);
        let stream = match tokio::time::timeout(timeout, shaking).await {
            Err(_) => return Err(TlsError::TimedOut(timeout)),
            Ok(Err(error)) => return Err(TlsError::Handshake(words(&error, name))),
            Ok(Ok(stream)) => stream,
        };
        let (_, connection) = stream.get_ref();
        let chain = connection.peer_certificates().unwrap_or_default();
        let presented = Presented {
            chain: chain.iter().take(LONGEST_CHAIN).cloned().map(CertificateDer::into_owned).collect(),
            version: match connection.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
                _ => "TLS",
            },
            cipher: connection
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or_default()
                .to_owned(),
            is_http2: connection.alpn_protocol() == Some(b"h2"),
        };
        Ok((stream, presented))
    }

    /// Whether to go on with this server.
    ///
    /// # Errors
    /// All its faults, or the file of authorities cannot be read.
    pub async fn believe(
        &self,
        presented: &Presented,
        name: &str,
        trust: &Trust,
        now: Timestamp,
    ) -> Result<(), TlsError> {
        let faults = self.faults(presented, name, trust, now).await?;
        if faults.is_empty() { Ok(()) } else { Err(TlsError::Distrust { whose: presented.whose(), faults }) }
    }

    /// Everything that is wrong with what a server presented under this name; empty where it is to be believed.
    ///
    /// # Errors
    /// The file of authorities cannot be read.
    pub async fn faults(
        &self,
        presented: &Presented,
        name: &str,
        trust: &Trust,
        now: Timestamp,
    ) -> Result<Vec<Fault>, TlsError> {
        if !trust.verify {
            return Ok(Vec::new());
        }
        let shared = self.shared().await;
        let server = server_name(name)?;
        let own = match trust.authorities.clone() {
            None => None,
            Some(path) => {
                let read = tokio::task::spawn_blocking(move || authorities(&path)).await;
                Some(read.map_err(|e| TlsError::Handshake(e.to_string()))??)
            }
        };
        let (roots, believed) = match &own {
            None => (&shared.roots, &[][..]),
            Some((roots, believed)) => (roots, believed.as_slice()),
        };
        let algorithms = shared.provider.signature_verification_algorithms.all;
        Ok(fault::find(presented, &server, name, now, &fault::Belief { roots, believed, algorithms }))
    }
}

/// Whether a server would go on with an old version of TLS: its answer to a first message that offers nothing newer. The
/// handshake is left there.
pub async fn accepts_old<S>(mut stream: S, version: Old, name: &str, timeout: Duration) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut random = [0u8; 32];
    // The kernel's generator does not fail after boot, and nothing is protected by these bytes.
    let _ = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty());
    let name = Some(name).filter(|name| name.parse::<std::net::IpAddr>().is_err());
    let asking = async {
        stream.write_all(&tls_hello::client_hello(version, name, &random)).await.ok()?;
        let mut bytes = Vec::new();
        loop {
            if let Some(reply) = tls_hello::reply(&bytes) {
                return Some(reply);
            }
            let mut chunk = [0u8; 256];
            let length = stream.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
            bytes.extend_from_slice(&chunk[..length]);
        }
    };
    let reply = tokio::time::timeout(timeout, asking).await.ok().flatten();
    reply == Some(Reply::Accepts(version))
}

/// Reads `name`, whom a certificate must be for; `None` where it is not given, or could be nobody's.
pub fn read_name(options: &mut Reader<'_>) -> Option<String> {
    let name = options.string("name")?;
    if let Err(error) = server_name(&name) {
        let place = options.place_of("name");
        options.problem(Problem::error(&place, error.to_string()).hint("a DNS name or an address, without a port"));
        return None;
    }
    Some(name)
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|_| TlsError::BadName(name.to_owned()))
}

type Authorities = (RootCertStore, Vec<CertificateDer<'static>>);

fn authorities(path: &Path) -> Result<Authorities, TlsError> {
    let failed = |reason: String| TlsError::File { path: path.to_owned(), reason };
    let about = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?;
    if !about.is_file() || about.len() > LARGEST_FILE {
        return Err(failed("it is no file of certificates".to_owned()));
    }
    let text = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let believed = read.map_err(|e| failed(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    if roots.add_parsable_certificates(believed.iter().cloned()).0 == 0 {
        return Err(failed("there is no certificate in it".to_owned()));
    }
    Ok((roots, believed))
}

/// Why a connection that was under way ended, where that is not for the protocol above to say. TLS 1.3 refuses a client after
/// the handshake.
pub fn broken_off(error: &std::io::Error) -> Option<String> {
    let is_of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some();
    (is_of_tls || error.kind() == std::io::ErrorKind::ConnectionReset).then(|| words(error, ""))
}

/// A failed handshake in words.
fn words(error: &std::io::Error, name: &str) -> String {
    use rustls::Error;
    let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the server ended the connection".to_owned(),
            std::io::ErrorKind::ConnectionReset => "the server reset the connection".to_owned(),
            _ => error.to_string(),
        };
    };
    match inner {
        Error::AlertReceived(AlertDescription::UnrecognisedName) => format!("the server does not know the name {name}"),
        Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server speaks neither TLS 1.2 nor 1.3".to_owned()
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => "the server wants to know who we are".to_owned(),
        Error::AlertReceived(AlertDescription::HandshakeFailure) => {
            "the server finds no cipher in common, or wants to know who we are (handshake_failure)".to_owned()
        }
        Error::AlertReceived(alert) => format!("the server says {alert:?}"),
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            "the server's signature does not fit its certificate".to_owned()
        }
        Error::General(words) => words.clone(),
        Error::InvalidMessage(_) => "what answers there does not speak TLS".to_owned(),
        Error::PeerIncompatible(why) => format!("nothing in common: {why:?}"),
        other => other.to_string(),
    }
}

/// A signature by a short key is not even looked at: then it is the key that is said.
fn or_too_short(error: rustls::Error, certificate: &CertificateDer<'_>) -> rustls::Error {
    let bits = Certificate::read(certificate).ok().and_then(|certificate| fault::too_short(certificate.rsa_bits));
    match bits {
        Some(bits) => {
            rustls::Error::General(format!("the server's key has {bits} bits, which is too short to be trusted"))
        }
        None => error,
    }
}

/// Takes every certificate: [`Tls::faults`] judges it. Whether the server has its key is checked.
#[derive(Debug)]
struct JudgedLater(Arc<CryptoProvider>);

impl ServerCertVerifier for JudgedLater {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
            .map_err(|error| or_too_short(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
            .map_err(|error| or_too_short(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
