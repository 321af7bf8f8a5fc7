//! Servers whose own certificate is among the certificates that are trusted. Go's programs, and
//! so Argo, take one (`Certificate.Verify` in crypto/x509: a leaf that is in the pool is a chain
//! of its own), which is how a store with a self-signed certificate is usually set up. `webpki`
//! does not, where that certificate is an authority's, too (`CaUsedAsEndEntity`).

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::ExtendedKeyUsage;

/// `id-kp-serverAuth`, `anyExtendedKeyUsage`: RFC 5280 section 4.2.1.12.
const FOR_SERVERS: [ObjectIdentifier; 2] =
    [ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"), ObjectIdentifier::new_unwrap("2.5.29.37.0")];

/// Believes whom the authorities vouch for; and who shows one of these certificates, byte for
/// byte, while it is valid and for a name that is in it.
#[derive(Debug)]
pub(super) struct OwnCertificates {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) authorities: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for OwnCertificates {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.certificates.iter().any(|own| own.as_ref() == shown.as_ref()) {
            judge(shown, name, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.authorities.verify_server_cert(shown, intermediates, name, ocsp, now)
    }

    // That the server has the certificate's key is proven in the handshake, whoever vouches for it.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// What is left to ask of a certificate that is trusted as it is.
fn judge(shown: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    let bad = |_| Error::from(CertificateError::BadEncoding);
    let certificate = Certificate::from_der(shown).map_err(bad)?;
    let certificate = certificate.tbs_certificate();
    let (validity, now) = (certificate.validity(), Duration::from_secs(now.as_secs()));
    if now < validity.not_before.to_unix_duration() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.to_unix_duration() {
        return Err(CertificateError::Expired.into());
    }
    if let Some((_, ExtendedKeyUsage(usages))) = certificate.get_extension().map_err(bad)?
        && !usages.iter().any(|usage| FOR_SERVERS.contains(usage))
    {
        return Err(CertificateError::InvalidPurpose.into());
    }
    verify_server_name(&ParsedCertificate::try_from(shown)?, name)
}
