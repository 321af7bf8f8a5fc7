//! A certificate for a key that was just made, from an authority that gives one for an identity token: Fulcio's
//! second interface (`fulcio.proto`: `POST /api/v2/signingCert`). What is asked, and whether what comes back is what
//! was asked for, by somebody whom the trusted root names.

use std::fmt::Write as _;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::IdentityToken;
use crate::bundle::Certificate;
use crate::json::{self, AtMost, Limits, Object, quoted};
use crate::keys::{PrivateKey, PublicKey};
use crate::proof::CLOCK_SKEW;
use crate::proof::body::pem_block;
use crate::proof::der::wrapped;
use crate::proof::identity::{self, CertificateError, Leaf, Named};
use crate::proof::root::TrustedRoot;
use crate::text::brief;

/// Bytes of an answer. A chain has three certificates of a thousand.
const MAX_ANSWER: usize = 256 * 1024;
/// Certificates in one.
const MAX_CHAIN: usize = 16;
/// Characters in a line of PEM.
const LINE: usize = 64;
/// `AlgorithmIdentifier` of ECDSA with SHA-256 (RFC 5758 section 3.2).
const ECDSA_WITH_SHA256: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
const ATTRIBUTES: u8 = 0xa0;
/// `INTEGER 0`: version 1.
const VERSION: [u8; 3] = [0x02, 1, 0];

/// Fulcio.
#[derive(Debug, Clone, Copy)]
pub struct Fulcio;

/// A certificate that is what was asked for, as far as can be told before anything is signed with it: for this key
/// and this token, by an authority of the trusted root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    certificate: Certificate,
    leaf: Leaf,
    named: Named,
}

/// Why an answer is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotIssuedForUs {
    /// No JSON of a certificate. The parser's reason is left out: it quotes what may repeat the token.
    #[error("it is no certificate")]
    Json,
    /// JSON, and no certificate.
    #[error("it holds no certificate")]
    Empty,
    /// Not one that verifiers would accept.
    #[error("its certificate is not accepted: {0}")]
    Certificate(#[from] CertificateError),
    /// For somebody else's key.
    #[error("its certificate is for another key than ours")]
    Key,
    /// It has ended already, or begins later.
    #[error("its certificate holds from {from} to {until}, and it is {now} here")]
    Time {
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// The clock of this machine.
        now: Timestamp,
    },
    /// Somebody else vouched.
    #[error("its certificate says that {found} vouched for the identity, and the token is of another issuer")]
    Issuer {
        /// What it says.
        found: String,
    },
    /// It is for somebody else.
    #[error("its certificate is for {found}, which the token does not say")]
    Identity {
        /// For whom it is.
        found: String,
    },
}

impl Fulcio {
    /// The path of its interface, behind its address.
    pub const PATH: &str = "/api/v2/signingCert";

    /// What is posted there for an ECDSA P-256 key: the token, and a request (PKCS #10, RFC 2986) that the key itself
    /// signs, which proves that we have it. It holds a secret, the token.
    pub fn request(key: &PrivateKey, token: &str) -> Zeroizing<String> {
        let request = STANDARD.encode(pem("CERTIFICATE REQUEST", &signing_request(key)));
        let mut body = Zeroizing::new(String::with_capacity(token.len() + request.len() + 200));
        // Writing to a `String` cannot fail.
        let _ = write!(
            body,
            r#"{{"credentials":{{"oidcIdentityToken":{}}},"certificateSigningRequest":"{request}"}}"#,
            Zeroizing::new(quoted(token)).as_str(),
        );
        body
    }

    /// The certificate in its answer, if it is one for this key and this token, by an authority that the trusted root
    /// names, and promised to be shown if the root names logs for that. `now` is the clock of this machine.
    ///
    /// Errors: [`NotIssuedForUs`].
    pub fn answer(
        answer: &[u8],
        key: &PublicKey,
        token: &IdentityToken,
        root: &TrustedRoot,
        now: Timestamp,
    ) -> Result<Issued, NotIssuedForUs> {
        let issued = Issued::read(answer, root, now)?;
        if issued.leaf.key() != key {
            return Err(NotIssuedForUs::Key);
        }
        if issued.issuer() != token.issuer() {
            return Err(NotIssuedForUs::Issuer { found: brief(issued.issuer(), 300) });
        }
        if !token.may_be(issued.name()) {
            return Err(NotIssuedForUs::Identity { found: brief(issued.name(), 300) });
        }
        Ok(issued)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default, deserialize_with = "json::object_or_none")]
    signed_certificate_embedded_sct: Option<Held>,
    #[serde(default, deserialize_with = "json::object_or_none")]
    signed_certificate_detached_sct: Option<Held>,
}

#[derive(Deserialize)]
struct Held {
    chain: Object<Chain>,
}

#[derive(Deserialize)]
struct Chain {
    certificates: AtMost<String, MAX_CHAIN>,
}

impl Issued {
    fn read(answer: &[u8], root: &TrustedRoot, now: Timestamp) -> Result<Self, NotIssuedForUs> {
        let wire: Wire = json::parse(answer, Limits::from(MAX_ANSWER)).map_err(|_| NotIssuedForUs::Json)?;
        let one = (wire.signed_certificate_embedded_sct, wire.signed_certificate_detached_sct);
        let ((Some(held), None) | (None, Some(held))) = one else { return Err(NotIssuedForUs::Empty) };
        let Object(chain) = held.chain;
        let first = chain.certificates.0.first().and_then(|pem| pem_block(pem));
        let Some(("CERTIFICATE", der)) = first else { return Err(NotIssuedForUs::Empty) };
        let certificate = Certificate::written(&der).ok_or(NotIssuedForUs::Empty)?;
        let leaf = Leaf::of(&certificate)?;
        let (from, until) = leaf.holds()?;
        // What others' clocks say is what counts later; ours may be behind.
        if from > now.checked_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX) || until <= now {
            return Err(NotIssuedForUs::Time { from, until, now });
        }
        let named = identity::issued_for(&leaf, root, now.max(from))?;
        Ok(Self { certificate, leaf, named })
    }

    /// For whom it is: a URI, a mail address, or another name.
    pub fn name(&self) -> &str {
        &self.named.name
    }

    /// Who vouched for that: an OIDC issuer.
    pub fn issuer(&self) -> &str {
        &self.named.issuer
    }

    /// The key that it is for.
    pub fn key(&self) -> &PublicKey {
        self.leaf.key()
    }

    /// From when and until when it holds.
    pub fn holds(&self) -> Option<(Timestamp, Timestamp)> {
        self.leaf.holds().ok()
    }

    /// As it is written into a bundle.
    pub(super) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(super) fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    pub(super) fn to_pem(&self) -> String {
        pem("CERTIFICATE", self.leaf.der())
    }
}

/// `CertificationRequest` for a key, which names nobody: whose it is, the token says.
fn signing_request(key: &PrivateKey) -> Vec<u8> {
    let nobody = wrapped(SEQUENCE, &[]);
    let info = [&VERSION[..], &nobody, &key.public().to_spki_der(), &wrapped(ATTRIBUTES, &[])].concat();
    let info = wrapped(SEQUENCE, &info);
    let signature = wrapped(BIT_STRING, &[&[0], key.sign(&info).as_bytes()].concat());
    wrapped(SEQUENCE, &[&info[..], &ECDSA_WITH_SHA256, &signature].concat())
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(LINE) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    lines + &format!("-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use x509_cert::der::Decode as _;
    use x509_cert::request::CertReq;

    use super::*;
    use crate::keys::KeyType;

    #[test]
    fn a_request_is_for_the_key_that_signs_it() {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let request = Fulcio::request(&key, "a.b\"c");
        let asked: serde_json::Value = serde_json::from_str(&request).unwrap();
        assert_eq!(asked["credentials"]["oidcIdentityToken"], "a.b\"c");
        let text = STANDARD.decode(asked["certificateSigningRequest"].as_str().unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (label, der) = pem_block(&text).unwrap();
        assert_eq!(label, "CERTIFICATE REQUEST");
        let read = CertReq::from_der(&der).unwrap();
        let inner = x509_cert::der::Encode::to_der(&read.info).unwrap();
        key.public().verify(&inner, read.signature.raw_bytes()).unwrap();
        let spki = x509_cert::der::Encode::to_der(&read.info.public_key).unwrap();
        assert_eq!(PublicKey::from_spki_der(&spki).unwrap(), *key.public());
    }

    #[test]
    fn what_holds_no_certificate_is_none() {
        let root = std::fs::read(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/sigstore/trusted_root.json"
        ));
        let root = TrustedRoot::read(&root.unwrap()).unwrap();
        let read = |answer: &str| Issued::read(answer.as_bytes(), &root, Timestamp::now());
        for none in [
            "{}",
            r#"{"signedCertificateEmbeddedSct":null}"#,
            r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":[]}}}"#,
            r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":["x"]}}}"#,
            r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]}}}"#,
            r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":[]}},"signedCertificateDetachedSct":{"chain":{"certificates":[]}}}"#,
        ] {
            assert_eq!(read(none), Err(NotIssuedForUs::Empty), "{none}");
        }
        for other in ["", "[]", "null", "<html>", r#"{"signedCertificateEmbeddedSct":{"chain":7}}"#] {
            assert_eq!(read(other), Err(NotIssuedForUs::Json), "{other}");
        }
        let damaged = r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]}}}"#;
        assert_eq!(read(damaged), Err(CertificateError::Damaged.into()));
    }
}
