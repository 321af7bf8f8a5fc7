//! Which certificate authorities a store's certificate may come from.
//!
//! Nothing is compiled in: an image without a bundle has to be given one.

use std::io;
use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::bounded::Bounded;
use super::config::Endpoint;
use super::credentials::shown;
use super::settings::ConfigError;
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

impl Trust {
    /// The certificates, each as PEM of its own.
    fn certificates(&self, needed_for: &str) -> Result<Vec<String>, ConfigError> {
        match self {
            Self::Bundle(path) => {
                let bytes = read(path).map_err(|source| ConfigError::File { path: shown(path), source })?;
                let fail = |source| ConfigError::CaBundle { path: shown(path), source };
                // The reader's own words quote the file, which may be a key.
                let found = usable(&bytes).map_err(|_| fail(Some("its PEM is damaged".into())))?;
                if found.is_empty() { Err(fail(None)) } else { Ok(found) }
            }
            Self::System => SYSTEM_BUNDLES
                .iter()
                .filter_map(|path| usable(&read(Path::new(path)).ok()?).ok())
                .find(|found| !found.is_empty())
                .ok_or_else(|| ConfigError::NoCaCertificates(needed_for.to_owned())),
        }
    }

    /// An HTTP client for one endpoint (`None`: AWS's own, which are https).
    /// For an http endpoint no authority is believed at all, so that nothing
    /// can be made to speak TLS with it.
    pub(super) fn http_client(&self, endpoint: Option<&Endpoint>) -> Result<SharedHttpClient, ConfigError> {
        let mut roots = TrustStore::empty();
        if endpoint.is_none_or(Endpoint::is_secure) {
            for pem in self.certificates(endpoint.map_or("AWS", Endpoint::as_str))? {
                roots = roots.with_pem_certificate(pem);
            }
        }
        let context = TlsContext::builder().with_trust_store(roots).build().map_err(|error| {
            ConfigError::CaBundle { path: format!("{self:?}"), source: Some(error.into()) }
        })?;
        let client = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::rustls(CryptoMode::Ring))
            .tls_context(context)
            .build_https();
        Ok(SharedHttpClient::new(Bounded(client)))
    }
}

/// Those of a bundle that can be a trust anchor. Bundles hold some that cannot
/// (too old a form), and the HTTP client would panic on them.
fn usable(bundle: &[u8]) -> Result<Vec<String>, rustls::pki_types::pem::Error> {
    let mut found = Vec::new();
    for der in CertificateDer::pem_slice_iter(bundle) {
        let der = der?;
        match RootCertStore::empty().add(der.clone()) {
            Ok(()) => {
                let base64 = STANDARD.encode(&der);
                found.push(format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n"));
            }
            Err(error) => tracing::debug!(%error, "passed over a CA certificate that cannot be used"),
        }
    }
    Ok(found)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    Ok(regular_file::read(path, Links::Followed, MAX_BUNDLE)?)
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
            match Trust::Bundle(path.clone()).certificates("x") {
                Err(ConfigError::CaBundle { .. }) => {}
                other => panic!("{text:?}: {other:?}"),
            }
        }
        match Trust::Bundle(dir.path().join("none")).certificates("x") {
            Err(ConfigError::File { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}
