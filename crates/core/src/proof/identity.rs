//! Whose certificate signed: that an authority of the trusted root issued it, when it held, and for
//! whom (Fulcio's certificates,
//! <https://github.com/sigstore/fulcio/blob/main/docs/certificate-specification.md>).

use jiff::Timestamp;
use serde::Deserialize;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::certificate::Parts;
use super::chain::{Authority, NotIssued, Purpose};
use super::root::TrustedRoot;
use super::{FalseEvidence, Proof, ProvenTime, sct};
use crate::bundle::Certificate;
use crate::dsse::base64;
use crate::json::{AtMost, Object};
use crate::keys::PublicKey;
use crate::text::brief;

/// Certificates that come with one.
const MAX_CHAIN: usize = 16;
/// Who vouched for the identity to the authority, as text in DER and, before that, as it is
/// (<https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>).
const ISSUER_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
const ISSUER_V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
/// A name that is neither an address nor a URI.
const OTHER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// Why a certificate says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not one, or with a key of a kind that is not verified.
    #[error("it is damaged, or its key is of a kind that is not verified")]
    Damaged,
    /// Another key signed.
    #[error("the signature is not by its key")]
    Signature,
    /// An authority's own certificate came with it, which nobody may bring.
    #[error("a certificate that is its own issuer came with it")]
    Root,
    /// It held for minutes, and nothing says that these were the ones.
    #[error("nothing proves that the signature was made while it held")]
    NoTime,
    /// It did not hold then.
    #[error("it did not hold at {time}")]
    Expired {
        /// When the signature is proven to have been there.
        time: Timestamp,
    },
    /// Somebody else issued it.
    #[error("no certificate authority of the trusted root issued it")]
    Authority,
    /// It is an authority's, and not good.
    #[error("{authority} did not issue it for this: {why}")]
    NotIssued {
        /// The authority.
        authority: String,
        /// Why not.
        why: String,
    },
    /// Nobody promised to show it.
    #[error("no certificate log of the trusted root promised to show it")]
    NotPromised,
    /// The trusted root has logs, and none is known to hold the signature.
    #[error("nothing proves that a log of the trusted root holds the signature")]
    NotLogged,
    /// It is for nobody, or for several.
    #[error("it does not name exactly one identity and who vouched for it")]
    Names,
}

/// A certificate that came with a signature, and is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    der: Vec<u8>,
    key: PublicKey,
}

/// For whom a certificate is that an authority of the trusted root issued, and that held when the
/// signature was made.
///
/// Only this module makes one:
///
/// ```
/// use argo_attest_core::proof::Identity;
/// fn pass_on(identity: Identity) -> Identity {
///     identity
/// }
/// ```
/// ```compile_fail,E0451
/// use argo_attest_core::proof::Identity;
/// fn forge(identity: Identity) -> Identity {
///     Identity { ..identity }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    name: String,
    issuer: String,
}

impl Identity {
    /// A URI, a mail address, or another name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who vouched for it to the authority: an OIDC issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

/// For whom a certificate says that it is, and who it says vouched for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) issuer: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    /// As PEP 740 has it.
    Text(String),
    Chain(Chain),
    One(One),
}

#[derive(Deserialize)]
struct Chain {
    certificates: AtMost<Object<One>, MAX_CHAIN>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One {
    #[serde(alias = "raw_bytes")]
    raw_bytes: String,
}

impl Leaf {
    /// The certificate that a signature is said to have been made with.
    pub fn of(certificate: &Certificate) -> Result<Self, CertificateError> {
        let damaged = || CertificateError::Damaged;
        let wire = serde_json::from_str::<Wire>(certificate.as_json()).map_err(|_| damaged())?;
        let all: Vec<String> = match wire {
            Wire::Text(text) => vec![text],
            Wire::One(one) => vec![one.raw_bytes],
            Wire::Chain(chain) => chain.certificates.0.into_iter().map(|Object(one)| one.raw_bytes).collect(),
        };
        let all: Option<Vec<Vec<u8>>> = all.iter().map(|text| base64(text)).collect();
        let all = all.ok_or_else(damaged)?;
        for certificate in &all {
            let parts = Parts::of(certificate).ok_or_else(damaged)?;
            if parts.issuer == parts.subject {
                return Err(CertificateError::Root);
            }
        }
        let der = all.into_iter().next().ok_or_else(damaged)?;
        let key = Parts::of(&der).and_then(|parts| PublicKey::from_spki_der(parts.spki).ok());
        Ok(Self { key: key.ok_or_else(damaged)?, der })
    }

    /// Its key, which the signature has to be checked with.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// That the certificate is not accepted, for this reason.
    pub fn refused(&self, why: CertificateError) -> FalseEvidence {
        let identity = Parts::of(&self.der).and_then(|parts| named(&parts));
        match identity {
            Some(identity) => FalseEvidence::Certificate { identity: brief(&identity.name, 300), why },
            None => FalseEvidence::unnamed(why),
        }
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// For whom it says that it is, and who it says vouched for that: nothing of it is proven.
    pub fn says(&self) -> Option<(String, String)> {
        let Named { name, issuer } = named(&Parts::of(&self.der)?)?;
        Some((name, issuer))
    }

    /// From when and until when it says that it holds.
    pub(super) fn holds(&self) -> Result<(Timestamp, Timestamp), CertificateError> {
        let window = Parts::of(&self.der).map(|parts| parts.window);
        window.and_then(|window| window.start.zip(window.end)).ok_or(CertificateError::Damaged)
    }
}

/// For whom the certificate is, where all that the trusted root asks for is proven: that an
/// authority issued it, that it held at each time at which the signature is known to have been
/// there, and, if the trusted root names such logs, that one holds the signature and another
/// promised to show the certificate.
pub(super) fn identify(leaf: &Leaf, proof: &Proof, root: &TrustedRoot) -> Result<Identity, CertificateError> {
    let parts = Parts::of(&leaf.der).ok_or(CertificateError::Damaged)?;
    let mut issuer = None;
    for time in proof.times().map(ProvenTime::get) {
        if !parts.window.holds(time) {
            return Err(CertificateError::Expired { time });
        }
        issuer = Some(issued(&leaf.der, time, &root.certificate_authorities)?);
    }
    let issuer = issuer.ok_or(CertificateError::NoTime)?;
    if proof.logged().is_empty() && !root.logs.is_empty() {
        return Err(CertificateError::NotLogged);
    }
    let Named { name, issuer } = promised(leaf, &parts, &issuer, root)?;
    Ok(Identity { name, issuer })
}

/// For whom an authority of the trusted root issued a certificate that holds at this time, and that it is promised
/// to be shown, if the root asks for that: all of [`identify`] that can be known before anything is signed with it.
pub(super) fn issued_for(leaf: &Leaf, root: &TrustedRoot, at: Timestamp) -> Result<Named, CertificateError> {
    let parts = Parts::of(&leaf.der).ok_or(CertificateError::Damaged)?;
    if !parts.window.holds(at) {
        return Err(CertificateError::Expired { time: at });
    }
    let issuer = issued(&leaf.der, at, &root.certificate_authorities)?;
    promised(leaf, &parts, &issuer, root)
}

/// Its names, if a log promised to show it, where the trusted root names such logs.
fn promised(
    leaf: &Leaf,
    parts: &Parts<'_>,
    issuer: &[u8],
    root: &TrustedRoot,
) -> Result<Named, CertificateError> {
    if !root.ct_logs.is_empty() && !sct::is_promised(&leaf.der, issuer, &root.ct_logs) {
        return Err(CertificateError::NotPromised);
    }
    named(parts).ok_or(CertificateError::Names)
}

fn issued(der: &[u8], time: Timestamp, authorities: &[Authority]) -> Result<Vec<u8>, CertificateError> {
    let mut wrong = CertificateError::Authority;
    for authority in authorities {
        match authority.issued(der, Purpose::CodeSigning, time) {
            Ok(_) if !authority.window.holds(time) => {
                let why = format!("the trusted root does not believe it at {time}");
                wrong = CertificateError::NotIssued { authority: authority.name().to_owned(), why };
            }
            Ok(issuer) => return Ok(issuer),
            Err(NotIssued::Unrelated) => {}
            Err(NotIssued::Wrong(why)) => {
                wrong = CertificateError::NotIssued { authority: authority.name().to_owned(), why };
            }
        }
    }
    Err(wrong)
}

/// The one identity, and who vouched for it.
fn named(parts: &Parts<'_>) -> Option<Named> {
    let names = SubjectAltName::from_der(parts.extension(SubjectAltName::OID)?.value).ok()?;
    let [name] = names.0.as_slice() else { return None };
    let name = match name {
        GeneralName::UniformResourceIdentifier(uri) => uri.as_str().to_owned(),
        GeneralName::Rfc822Name(address) => address.as_str().to_owned(),
        GeneralName::OtherName(other) if other.type_id == OTHER_NAME => {
            other.value.decode_as::<Utf8StringRef<'_>>().ok()?.as_str().to_owned()
        }
        _ => return None,
    };
    let issuer = match (parts.extension(ISSUER_V2), parts.extension(ISSUER_V1)) {
        (Some(issuer), _) => Utf8StringRef::from_der(issuer.value).ok()?.as_str().to_owned(),
        (None, Some(issuer)) => std::str::from_utf8(issuer.value).ok()?.to_owned(),
        (None, None) => return None,
    };
    let is_empty = name.is_empty() || issuer.is_empty();
    (!is_empty).then_some(Named { name, issuer })
}
