//! Which certificate authorities a server's certificate may come from.
//!
//! Nothing is compiled in: an image without a bundle has to be given one.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::secret::shown_path;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::Source;
use super::own::OwnCertificates;
use crate::environment::Env;
use crate::regular_file::{self, Links};

/// Bytes of a bundle that are read; Mozilla's has 0.2 MB.
const MAX_BUNDLE: usize = 4 * 1024 * 1024;

/// Where Linux distributions, and images made from them, keep their bundle.
const SYSTEM_BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
];

/// Which certificate authorities are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Those of the system, where it keeps them.
    #[default]
    System,
    /// Those in this PEM file and no others.
    Bundle(PathBuf),
}

/// Why there is nobody to believe.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The bundle cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file, printable.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It holds no authority's certificate.
    #[error("{path} is not a bundle of CA certificates in PEM")]
    Bundle {
        /// The file, printable.
        path: String,
        /// What is wrong with it, if more than that it holds none.
        source: Option<Source>,
    },
    /// The system has no bundle where they are kept.
    #[error("no CA certificates were found")]
    NoneFound,
}

/// Certificates that others may be checked by.
#[derive(Debug, Clone)]
pub struct Anchors {
    authorities: RootCertStore,
    /// Those that a server may show as its own.
    own: Vec<CertificateDer<'static>>,
    /// Who we are to a server that asks.
    identity: Option<Arc<Identity>>,
}

/// A certificate, and its key, which is never shown.
struct Identity {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

impl Trust {
    /// `AWS_CA_BUNDLE`, else `SSL_CERT_FILE`, else the system's certificates.
    pub fn from_env(env: &dyn Env) -> Self {
        let path = |name| env.var(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        path("AWS_CA_BUNDLE").or_else(|| path("SSL_CERT_FILE")).map_or(Self::System, Self::Bundle)
    }

    /// The certificates.
    pub fn anchors(&self) -> Result<Anchors, TrustError> {
        match self {
            Self::Bundle(path) => Anchors::read(path),
            Self::System => SYSTEM_BUNDLES
                .iter()
                .find_map(|path| Anchors::read(Path::new(path)).ok())
                // Nobody put a server's own certificate there for us.
                .map(|anchors| Anchors { own: Vec::new(), ..anchors })
                .ok_or(TrustError::NoneFound),
        }
    }
}

impl Anchors {
    /// No authority at all: nothing can be made to speak TLS.
    pub fn none() -> Self {
        Self { authorities: RootCertStore::empty(), own: Vec::new(), identity: None }
    }

    /// Those of a PEM file: of authorities, and of servers, which are believed for what they
    /// are themselves. Bundles hold some that cannot be a trust anchor (too old a form); those
    /// are passed over.
    pub fn read(path: &Path) -> Result<Self, TrustError> {
        let shown = || shown_path(path);
        let bytes = regular_file::read(path, Links::Followed, MAX_BUNDLE)
            .map_err(|error| TrustError::File { path: shown(), source: error.into() })?;
        Self::parse(&bytes, shown)
    }

    /// The same of PEM itself.
    pub fn of(pem: &[u8]) -> Result<Self, TrustError> {
        Self::parse(pem, || "the certificate authority's data".to_owned())
    }

    fn parse(bytes: &[u8], shown: impl Fn() -> String) -> Result<Self, TrustError> {
        let mut anchors = Self::none();
        for certificate in CertificateDer::pem_slice_iter(bytes) {
            // The reader's own words quote the file, which may be a key.
            let damaged = |_| TrustError::Bundle { path: shown(), source: Some("its PEM is damaged".into()) };
            let certificate = certificate.map_err(damaged)?;
            match anchors.authorities.add(certificate.clone()) {
                Ok(()) => anchors.own.push(certificate),
                Err(error) => tracing::debug!(%error, "passed over a CA certificate that cannot be used"),
            }
        }
        if anchors.authorities.is_empty() {
            return Err(TrustError::Bundle { path: shown(), source: None });
        }
        Ok(anchors)
    }

    /// The same, where a server that asks who we are is shown this certificate, in PEM, with its key.
    ///
    /// Errors: where that is none, in words that quote nothing of it.
    pub fn with_identity(self, certificate: &[u8], key: &[u8]) -> Result<Self, rustls::Error> {
        let unusable = |what: &str| rustls::Error::General(what.to_owned());
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let certificates = certificates.map_err(|_| unusable("the certificate is damaged"))?;
        if certificates.is_empty() {
            return Err(unusable("there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| unusable("there is no key in it"))?;
        Ok(Self { identity: Some(Arc::new(Identity { certificates, key })), ..self })
    }

    /// TLS 1.2 and 1.3 as rustls thinks safe, over ring, with nobody else believed.
    pub(super) fn client(self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let Self { authorities, own: certificates, identity } = self;
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        if certificates.is_empty() {
            let config = config.with_root_certificates(authorities);
            return Ok(Arc::new(match identity {
                Some(of) => config.with_client_auth_cert(of.certificates.clone(), of.key.clone_key())?,
                None => config.with_no_client_auth(),
            }));
        }
        let authorities = WebPkiServerVerifier::builder_with_provider(authorities.into(), provider)
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        let verifier = Arc::new(OwnCertificates { certificates, authorities });
        let config = config.dangerous().with_custom_certificate_verifier(verifier);
        Ok(Arc::new(match identity {
            Some(of) => config.with_client_auth_cert(of.certificates.clone(), of.key.clone_key())?,
            None => config.with_no_client_auth(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_bundle_that_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "hello", not_a_certificate, "-----BEGIN CERTIFICATE-----\nAAAA"] {
            std::fs::write(&path, text).unwrap();
            match Trust::Bundle(path.clone()).anchors() {
                Err(TrustError::Bundle { .. }) => {}
                other => panic!("{text:?}: {other:?}"),
            }
        }
        match Trust::Bundle(dir.path().join("none")).anchors() {
            Err(TrustError::File { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}
