//! From a certificate to an authority that the trusted root names: RFC 5280 by `webpki`, at a
//! given time.

use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring};
use x509_cert::der::asn1::ObjectIdentifier;

use super::certificate::Parts;
use super::window::Window;

/// With what certificates are signed: what ring verifies.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P256_SHA384,
    ring::ECDSA_P384_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::ED25519,
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
    ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
];
/// id-kp-codeSigning, id-kp-timeStamping (RFC 5280 section 4.2.1.12): 1.3.6.1.5.5.7.3.3 and .8.
const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

/// What a certificate is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    CodeSigning,
    TimeStamping,
}

/// Why a certificate is not one of an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotIssued {
    /// The authority has nothing to do with it.
    Unrelated,
    /// It would be the authority's, if it were not for this.
    Wrong(String),
}

/// One that the trusted root names, with its chain: from the nearest to the one that is trusted
/// as it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Authority {
    name: String,
    chain: Vec<CertificateDer<'static>>,
    anchor: CertificateDer<'static>,
    pub(super) window: Window,
}

impl Authority {
    /// `None` if there is no certificate, or one is damaged.
    pub(super) fn new(name: String, mut certificates: Vec<Vec<u8>>, window: Window) -> Option<Self> {
        for certificate in &certificates {
            Parts::of(certificate)?;
        }
        let anchor = CertificateDer::from(certificates.pop()?);
        anchor_from_trusted_cert(&anchor).ok()?;
        Some(Self {
            name,
            chain: certificates.into_iter().map(CertificateDer::from).collect(),
            anchor: anchor.into_owned(),
            window,
        })
    }

    /// For people: its host.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The certificate of the chain that is no authority's: a timestamp authority's own.
    pub(super) fn leaf(&self) -> Option<&[u8]> {
        let first = self.chain.first()?;
        Parts::of(first).filter(|parts| !parts.is_ca()).map(|_| first.as_ref())
    }

    /// That the authority issued a certificate for this purpose, and that all from there to the
    /// anchor holds at that time. What is given back is the `SubjectPublicKeyInfo` of whoever issued it.
    pub(super) fn issued(
        &self,
        certificate: &[u8],
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<Vec<u8>, NotIssued> {
        let wrong = |what: &str| NotIssued::Wrong(what.to_owned());
        let parts = Parts::of(certificate).ok_or_else(|| wrong("it is damaged"))?;
        let seconds = u64::try_from(at.as_second()).map_err(|_| wrong("its time is before 1970"))?;
        let certificate = CertificateDer::from(certificate);
        let leaf = EndEntityCert::try_from(&certificate).map_err(|e| NotIssued::Wrong(told(&e)))?;
        let anchor = anchor_from_trusted_cert(&self.anchor).map_err(|e| NotIssued::Wrong(told(&e)))?;
        let usage = KeyUsage::required_if_present(match purpose {
            Purpose::CodeSigning => CODE_SIGNING,
            Purpose::TimeStamping => TIME_STAMPING,
        });
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let anchors = [anchor];
        let path = leaf.verify_for_usage(ALGORITHMS, &anchors, &self.chain, time, usage, None, None);
        let path = path.map_err(|error| match error {
            webpki::Error::UnknownIssuer => NotIssued::Unrelated,
            error => NotIssued::Wrong(told(&error)),
        })?;
        if !parts.may(purpose) {
            return Err(wrong(match purpose {
                Purpose::CodeSigning => "it is not for signing code",
                Purpose::TimeStamping => "it is not for timestamps alone",
            }));
        }
        // An anchor is trusted, not for ever.
        if !Parts::of(&self.anchor).is_some_and(|anchor| anchor.window.holds(at)) {
            return Err(wrong("the authority's own certificate does not hold at that time"));
        }
        Ok(path.issuer_spki().as_ref().to_vec())
    }
}

fn told(error: &webpki::Error) -> String {
    use webpki::Error;
    match error {
        Error::CertExpired { .. } => "a certificate had expired".to_owned(),
        Error::CertNotValidYet { .. } => "a certificate did not hold yet".to_owned(),
        Error::RequiredEkuNotFoundContext(_) => "a certificate is not for that purpose".to_owned(),
        Error::CaUsedAsEndEntity => "it is that of an authority".to_owned(),
        other => crate::text::brief(&format!("{other:?}"), 200),
    }
}

impl Purpose {
    /// Its name in certificates.
    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::CodeSigning => ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3"),
            Self::TimeStamping => ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8"),
        }
    }
}
