//! Who we are, for servers that ask for a certificate: two files in PEM, read anew for each connection, since they are renewed.

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::TlsError;
use crate::base::options::{OptionDoc, Problem, Reader};

/// No such file is larger.
const LARGEST: u64 = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The options of [`Own::read`].
pub const CERTIFICATE: OptionDoc = OptionDoc {
    name: "certificate",
    form: "string",
    default: "",
    help: "a file (PEM), relative to this one, with our certificate and its chain, for servers that ask for one",
};
pub const KEY: OptionDoc = OptionDoc {
    name: "key",
    form: "string",
    default: "",
    help: "the file (PEM), relative to this one, with the key of `certificate`",
};

impl Own {
    /// Reads `certificate` and `key`, which belong together; `None` where there is one of them only, which is said.
    pub fn read(options: &mut Reader<'_>) -> Option<Option<Self>> {
        let [certificate, key] = ["certificate", "key"].map(|key| options.path(key));
        match (certificate, key) {
            (Some(certificate), Some(key)) => Some(Some(Self { certificate, key })),
            (None, None) => Some(None),
            (one, _) => {
                let (there, missing) = if one.is_some() { ("certificate", "key") } else { ("key", "certificate") };
                let place = options.place_of(there);
                let words = "`certificate` and `key` belong together";
                options.problem(Problem::error(&place, words).hint(format!("add `{missing} = \"FILE\"`")));
                None
            }
        }
    }
}

/// The chain and the key.
pub fn load(own: &Own) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let text = contents(&own.certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| failed(&own.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(failed(&own.certificate, "there is no certificate in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&contents(&own.key)?);
    Ok((chain, key.map_err(|_| failed(&own.key, "there is no key in it that can be read".to_owned()))?))
}

fn contents(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let about = std::fs::metadata(path).map_err(|error| failed(path, error.to_string()))?;
    if !about.is_file() || about.len() > LARGEST {
        return Err(failed(path, "it is no file of certificates or keys".to_owned()));
    }
    std::fs::read(path).map(Zeroizing::new).map_err(|error| failed(path, error.to_string()))
}

fn failed(path: &Path, reason: String) -> TlsError {
    TlsError::File { path: path.to_owned(), reason }
}
