//! What is wrong with a certificate, each fault by itself: an expired one for another name is both.

use std::fmt;

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

use super::Presented;
use crate::base::Timestamp;
use crate::proto::certificate::{Certificate, common_name, rsa_bits};

/// Names of a certificate that are told.
const NAMES_TOLD: usize = 3;
/// Bits of the shortest key of RSA whose signatures are believed.
const SHORTEST_KEY: usize = 2_048;

/// One fault. Texts of the certificate are foreign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Expired {
        whose: String,
        at: Timestamp,
        now: Timestamp,
    },
    NotYetValid {
        whose: String,
        from: Timestamp,
    },
    WrongName {
        wanted: String,
        names: Vec<String>,
    },
    SelfSigned,
    /// The chain ends in a root that is not believed here.
    UnknownRoot {
        root: String,
    },
    /// The chain ends early: this issuer was not sent and is none of the roots.
    Incomplete {
        issuer: String,
    },
    /// Someone whose name is known did not sign it.
    Forged {
        issuer: String,
    },
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { whose, at, now } => {
                write!(f, "{whose} expired {} ago ({})", days(now.since(*at).as_secs()), date(*at))
            }
            Self::NotYetValid { whose, from } => write!(f, "{whose} is not valid before {}", date(*from)),
            Self::WrongName { wanted, names } if names.is_empty() => write!(f, "it names nobody, not {wanted}"),
            Self::WrongName { wanted, names } => {
                let more = if names.len() > NAMES_TOLD { " …" } else { "" };
                let told: Vec<&str> = names.iter().take(NAMES_TOLD).map(String::as_str).collect();
                write!(f, "it is for {}{more}, not {wanted}", told.join(", "))
            }
            Self::SelfSigned => f.write_str("self-signed"),
            Self::UnknownRoot { root } => write!(f, "its root {root} is not trusted here"),
            Self::Incomplete { issuer } => {
                write!(f, "its issuer {issuer} was not sent and is no trusted root (incomplete chain, or a private CA)")
            }
            Self::Forged { issuer } => write!(f, "not signed by the {issuer} that is trusted here"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

/// Whole days, or hours where that says more.
pub fn days(seconds: u64) -> String {
    if seconds < 2 * 86_400 { format!("{} h", seconds / 3_600) } else { format!("{} d", seconds / 86_400) }
}

/// `2026-11-30`, in UTC.
pub fn date(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}

pub struct Belief<'a> {
    pub roots: &'a RootCertStore,
    /// Believed by themselves, whatever they are.
    pub believed: &'a [CertificateDer<'static>],
    pub algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
}

pub fn find(
    presented: &Presented,
    server: &ServerName<'_>,
    name: &str,
    now: Timestamp,
    belief: &Belief<'_>,
) -> Vec<Fault> {
    let Some((own, others)) = presented.chain.split_first() else {
        return vec![Fault::Other("the server has no certificate".to_owned())];
    };
    let (certificate, parsed) = match (Certificate::read(own), ParsedCertificate::try_from(own)) {
        (Ok(certificate), Ok(parsed)) => (certificate, parsed),
        (Err(unreadable), _) => return vec![Fault::Other(unreadable.to_string())],
        (Ok(certificate), Err(error)) => {
            return vec![Fault::Other(format!("{} cannot be read: {error}", certificate.short()))];
        }
    };
    let mut faults = Vec::new();
    faults.extend(out_of_time(&certificate, "it", now));
    if verify_server_name(&parsed, server).is_err() {
        faults.push(Fault::WrongName { wanted: name.to_owned(), names: certificate.names.clone() });
    }
    if belief.believed.contains(own) {
        return faults;
    }
    // Its own dates have been judged: the chain is looked at as of a moment at which they hold.
    let at = now.clamp(certificate.not_before, certificate.not_after.max(certificate.not_before));
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_millis(u64::try_from(at.millis()).unwrap_or(0)));
    let chain = verify_server_cert_signed_by_trust_anchor(&parsed, belief.roots, others, at, belief.algorithms);
    if let Err(error) = chain {
        faults.push(in_chain(&error, &certificate, others, now, belief.roots));
    }
    faults
}

fn out_of_time(certificate: &Certificate, whose: &str, now: Timestamp) -> Option<Fault> {
    let whose = whose.to_owned();
    if now > certificate.not_after {
        return Some(Fault::Expired { whose, at: certificate.not_after, now });
    }
    (now < certificate.not_before).then_some(Fault::NotYetValid { whose, from: certificate.not_before })
}

fn in_chain(
    error: &Error,
    certificate: &Certificate,
    others: &[CertificateDer<'_>],
    now: Timestamp,
    roots: &RootCertStore,
) -> Fault {
    let sent: Vec<Certificate> = others.iter().filter_map(|der| Certificate::read(der).ok()).collect();
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => unknown_issuer(certificate, &sent, roots),
        Error::InvalidCertificate(CertificateError::BadSignature) => match weakness(certificate, &sent, roots) {
            Some(words) => Fault::Other(words),
            None => Fault::Forged { issuer: called(&certificate.issuer) },
        },
        Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
        ) => Fault::Other("it may not be used for a server".to_owned()),
        Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => {
            let of_sent = sent.iter().find_map(|c| out_of_time(c, &c.short(), now));
            of_sent.unwrap_or_else(|| Fault::Other("one of its issuers is out of its time".to_owned()))
        }
        Error::InvalidCertificate(
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        ) => Fault::Other(weakness(certificate, &sent, roots).unwrap_or_else(|| {
            "it, or an issuer of it, is signed in a way that is not trusted any more (SHA-1, a short key)".to_owned()
        })),
        Error::InvalidCertificate(other) => Fault::Other(format!("it is refused: {}", clipped(&format!("{other:?}")))),
        other => Fault::Other(format!("it is refused: {}", clipped(&other.to_string()))),
    }
}

fn unknown_issuer(certificate: &Certificate, sent: &[Certificate], roots: &RootCertStore) -> Fault {
    if certificate.is_self_issued() {
        return Fault::SelfSigned;
    }
    // Up the chain as far as it was sent; no further than it is long, since it may run in a circle.
    let mut top = certificate;
    for _ in sent {
        match sent.iter().find(|c| c.subject == top.issuer) {
            Some(issuer) if !top.is_self_issued() => top = issuer,
            _ => break,
        }
    }
    if top.is_self_issued() {
        return Fault::UnknownRoot { root: top.short() };
    }
    let issuer = called(&top.issuer);
    // A root keeps its name without the header of the sequence.
    let is_root = roots.roots.iter().any(|root| top.issuer_der.ends_with(&root.subject) && !root.subject.is_empty());
    if !is_root {
        return Fault::Incomplete { issuer };
    }
    weakness(certificate, sent, roots).map_or(Fault::Forged { issuer }, Fault::Other)
}

/// What of a chain is too weak to be believed, where that is known.
fn weakness(certificate: &Certificate, sent: &[Certificate], roots: &RootCertStore) -> Option<String> {
    // Nobody looks at the signature of a root.
    let chain = || std::iter::once(certificate).chain(sent).filter(|c| !c.is_self_issued());
    if let Some((signed, hash)) = chain().find_map(|c| Some((c, c.old_hash?))) {
        let whose = if signed == certificate { "it".to_owned() } else { format!("its issuer {}", signed.short()) };
        return Some(format!("{whose} is signed with {hash}, which is not trusted any more"));
    }
    let of_sent = sent.iter().filter(|c| c.is_authority).find_map(|c| Some((c.short(), too_short(c.rsa_bits)?)));
    let of_root = || {
        let signs = |root: &TrustAnchor<'_>, c: &Certificate| c.issuer_der.ends_with(&root.subject);
        let bits = |root: &TrustAnchor<'_>| too_short(rsa_bits(&root.subject_public_key_info));
        chain().find_map(|c| {
            let root = roots.roots.iter().find(|root| !root.subject.is_empty() && signs(root, c))?;
            Some((called(&c.issuer), bits(root)?))
        })
    };
    let (issuer, bits) = of_sent.or_else(of_root)?;
    Some(format!("its issuer {issuer} has a key of {bits} bits, which is too short to be trusted"))
}

/// The bits of a key of RSA that nobody believes any more.
pub fn too_short(bits: Option<usize>) -> Option<usize> {
    bits.filter(|bits| *bits < SHORTEST_KEY)
}

fn called(name: &str) -> String {
    common_name(name).unwrap_or_else(|| name.to_owned())
}

fn clipped(words: &str) -> String {
    words.chars().take(120).collect()
}
