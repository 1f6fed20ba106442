//! Certificates for the servers of tests, made anew for each.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

/// One that signs for servers.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// Days from now in which a certificate begins and ends.
pub const VALID: (i64, i64) = (-10, 300);
pub const EXPIRED: (i64, i64) = (-10, -3);

impl Authority {
    pub fn root(name: &str) -> Self {
        let (params, key) = (authority(name, VALID), KeyPair::generate().expect("a key"));
        let pem = params.self_signed(&key).expect("signed").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// One that this one signs for.
    pub fn below(&self, name: &str, days: (i64, i64)) -> Self {
        let (params, key) = (authority(name, days), KeyPair::generate().expect("a key"));
        let pem = params.signed_by(&key, &self.issuer).expect("signed").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Writes the certificate, for a check's `ca`.
    pub fn file(&self, folder: &Path) -> PathBuf {
        let path = folder.join("ca.pem");
        fs::write(&path, &self.pem).expect("written");
        path
    }

    /// A certificate for a server and its key, in PEM.
    pub fn issue(&self, names: &[&str], days: (i64, i64)) -> (String, String) {
        self.sign(&server(names, days))
    }

    /// A certificate for a client and its key, in PEM.
    pub fn issue_for_client(&self, name: &str) -> (String, String) {
        let mut params = server(&[name], VALID);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let made = params.signed_by(&key, &self.issuer).expect("signed");
        (made.pem(), key.serialize_pem())
    }
}

/// A certificate that nobody else signed.
pub fn self_signed(names: &[&str], days: (i64, i64)) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let made = server(names, days).self_signed(&key).expect("signed");
    (made.pem(), key.serialize_pem())
}

fn authority(name: &str, days: (i64, i64)) -> CertificateParams {
    let mut params = CertificateParams::default();
    hold(&mut params, days);
    params.distinguished_name = called(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn server(names: &[&str], days: (i64, i64)) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).expect("names");
    params.distinguished_name = called(names[0]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    hold(&mut params, days);
    params
}

fn hold(params: &mut CertificateParams, (from, to): (i64, i64)) {
    let ((from_year, from_month, from_day), (to_year, to_month, to_day)) = (day(from), day(to));
    params.not_before = rcgen::date_time_ymd(from_year, from_month, from_day);
    params.not_after = rcgen::date_time_ymd(to_year, to_month, to_day);
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// Year, month and day (UTC) that many days from today.
fn day(offset: i64) -> (i32, u8, u8) {
    let date = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let date = date.saturating_add(jiff::Span::new().days(offset));
    let part = |n: i8| u8::try_from(n).expect("a part of a date");
    (i32::from(date.year()), part(date.month()), part(date.day()))
}
