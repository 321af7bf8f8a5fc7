//! Whom a certificate is for, and who says so: what X.509 (RFC 5280) has of it, and Fulcio's
//! extensions (<https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>). No
//! signature of it is checked and no time is compared: it is shown, and decides nothing.

use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::asn1::{Ia5StringRef, ObjectIdentifier, OctetStringRef, Utf8StringRef};
use x509_cert::der::{Decode as _, DecodePem as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Bytes of a certificate that are read.
const MAX_CERTIFICATE: usize = 64 * 1024;
/// Fulcio's issuer of the identity token, as bytes and as text.
const ISSUER_V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
const ISSUER_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
/// Fulcio's name of who signs, where it is neither address nor URI.
const OTHER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// What a certificate says; foreign text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CertificateSummary {
    /// Whom it is for by its alternative names: URIs, mail addresses, host names.
    pub identities: Vec<String>,
    /// Whom it is for by its subject, if that is not empty.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Who vouched for the identity to the issuer (Fulcio's OIDC issuer), if anybody.
    pub oidc_issuer: Option<String>,
    /// From when on it holds.
    pub not_before: Option<Timestamp>,
    /// Until when it holds.
    pub not_after: Option<Timestamp>,
}

/// The bytes are no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the certificate is damaged")]
pub struct UnreadableCertificate;

impl CertificateSummary {
    /// Reads DER, or PEM, of which the first block counts.
    pub fn read(bytes: &[u8]) -> Result<Self, UnreadableCertificate> {
        if bytes.len() > MAX_CERTIFICATE {
            return Err(UnreadableCertificate);
        }
        let certificate = if bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
            Certificate::from_pem(first_block(bytes.trim_ascii_start()))
        } else {
            Certificate::from_der(bytes)
        };
        certificate.map(|certificate| Self::of(&certificate)).map_err(|_| UnreadableCertificate)
    }

    fn of(certificate: &Certificate) -> Self {
        let body = certificate.tbs_certificate();
        let mut summary = Self {
            subject: body.subject().to_string(),
            issuer: body.issuer().to_string(),
            not_before: timestamp(body.validity().not_before),
            not_after: timestamp(body.validity().not_after),
            ..Self::default()
        };
        for extension in body.extensions().into_iter().flatten() {
            let value = extension.extn_value.as_bytes();
            match extension.extn_id {
                ISSUER_V2 => summary.oidc_issuer = text(value),
                ISSUER_V1 => {
                    let issuer = || String::from_utf8(value.to_vec()).ok();
                    summary.oidc_issuer = summary.oidc_issuer.or_else(issuer);
                }
                id if id == <SubjectAltName as x509_cert::der::oid::AssociatedOid>::OID => {
                    let names = SubjectAltName::from_der(value).map(|names| names.0).unwrap_or_default();
                    summary.identities = names.iter().filter_map(name).collect();
                }
                _ => {}
            }
        }
        summary
    }
}

fn name(name: &GeneralName) -> Option<String> {
    Some(match name {
        GeneralName::Rfc822Name(name) | GeneralName::DnsName(name) => name.as_str().to_owned(),
        GeneralName::UniformResourceIdentifier(uri) => uri.as_str().to_owned(),
        GeneralName::DirectoryName(name) => name.to_string(),
        GeneralName::OtherName(other) if other.type_id == OTHER_NAME => {
            let value = other.value.decode_as::<Utf8StringRef<'_>>();
            value.ok()?.as_str().to_owned()
        }
        GeneralName::IpAddress(address) => match <[u8; 4]>::try_from(address.as_bytes()) {
            Ok(v4) => std::net::Ipv4Addr::from(v4).to_string(),
            Err(_) => std::net::Ipv6Addr::from(<[u8; 16]>::try_from(address.as_bytes()).ok()?).to_string(),
        },
        _ => return None,
    })
}

/// An extension's value that is text.
fn text(der: &[u8]) -> Option<String> {
    let utf8 = Utf8StringRef::from_der(der).map(|text| text.as_str().to_owned());
    let ascii = || Ia5StringRef::from_der(der).map(|text| text.as_str().to_owned());
    let octets = || {
        let octets = <&OctetStringRef>::from_der(der).ok()?;
        String::from_utf8(octets.as_bytes().to_vec()).ok()
    };
    utf8.or_else(|_| ascii()).ok().or_else(octets)
}

fn timestamp(time: x509_cert::time::Time) -> Option<Timestamp> {
    i64::try_from(time.to_unix_duration().as_secs()).ok().and_then(|s| Timestamp::from_second(s).ok())
}

/// The first PEM block, without what is before or behind it.
fn first_block(pem: &[u8]) -> &[u8] {
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let end = pem.windows(END.len()).position(|window| window == END).map(|at| at + END.len());
    end.and_then(|end| pem.get(..end)).unwrap_or(pem)
}
