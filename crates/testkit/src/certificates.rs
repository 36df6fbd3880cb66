//! Certificates made for one test: an authority, what it signs, and files of both.

use std::fs;
use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use tempfile::TempDir;

use crate::error::{KitError, Result, io, io_at};

/// An authority that nobody but a test trusts. Its files go when it is dropped.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

/// Files of a certificate and its key.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// A new authority.
    pub fn new() -> Result<Authority> {
        let folder = tempfile::tempdir().map_err(io("no temporary folder"))?;
        let mut params = params("testkit authority", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        let path = folder.path().join("ca.pem");
        fs::write(&path, certificate.pem()).map_err(io_at("cannot write", &path))?;
        Ok(Authority { issuer: Issuer::new(params, key), folder })
    }

    /// The authority's own certificate, for those who are to trust it.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for servers on loopback.
    pub fn server(&self) -> Result<Certificate> {
        self.sign("server", &["127.0.0.1", "localhost"], ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate of a client; servers that map certificates to users know it by `email`.
    pub fn client(&self, email: &str) -> Result<Certificate> {
        self.sign(email, &[email], ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, name: &str, of: &[&str], usage: ExtendedKeyUsagePurpose) -> Result<Certificate> {
        let mut params = params(name, of)?;
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let files = Certificate {
            cert: self.folder.path().join(format!("{name}.pem")),
            key: self.folder.path().join(format!("{name}.key")),
        };
        for (path, text) in [(&files.cert, certificate.pem()), (&files.key, key.serialize_pem())] {
            fs::write(path, text).map_err(io_at("cannot write", path))?;
        }
        Ok(files)
    }
}

/// What a certificate says of its owner, who is a host, an address or a mailbox.
fn params(name: &str, of: &[&str]) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    for owner in of {
        let name = (*owner).try_into().map_err(failed);
        params.subject_alt_names.push(match owner.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) if owner.contains('@') => SanType::Rfc822Name(name?),
            Err(_) => SanType::DnsName(name?),
        });
    }
    Ok(params)
}

fn failed(error: impl std::fmt::Display) -> KitError {
    KitError::Protocol(format!("a certificate cannot be made: {error}"))
}
