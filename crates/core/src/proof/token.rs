//! A timestamp (RFC 3161) over a signature: that it is of this signature, that an authority of the
//! trusted root made it, and what time it says. What surrounds it is CMS (RFC 5652).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Sha256, Sha384, Sha512};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Tag, TagNumber};

use super::certificate::Parts;
use super::chain::{Authority, NotIssued, Purpose};
use super::der::{CONTEXT_0, CONTEXT_1, Element, Elements, NotDer};
use super::root::TrustedRoot;
use crate::keys::PublicKey;

/// Bytes of one; with certificates those of public authorities have 6,000.
const MAX_TOKEN: usize = 64 * 1024;
/// Certificates that come with one.
const MAX_CERTIFICATES: usize = 16;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
/// `[0]` around a key's identifier, by which a signer may be named.
const KEY_IDENTIFIER: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };

/// Why a timestamp is false.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not one, or in another form than DER.
    #[error("it is damaged, or no timestamp (RFC 3161)")]
    Damaged,
    /// The answer of an authority that refused.
    #[error("it is an authority's refusal to make one")]
    NotGranted,
    /// Hashed in a way that is not read.
    #[error("it uses a hash other than SHA-256, SHA-384 and SHA-512")]
    Hash,
    /// Over another signature.
    #[error("it is not of this signature")]
    OtherSignature,
    /// Not signed by who should have.
    #[error("its own signature does not match")]
    Signature,
    /// The authority's certificate does not allow it.
    #[error("the certificate of {authority} does not allow it: {why}")]
    Authority {
        /// Whose.
        authority: String,
        /// Why not.
        why: String,
    },
    /// The trusted root believes the authority at other times.
    #[error("the trusted root does not believe {authority} at {time}")]
    Window {
        /// Which.
        authority: String,
        /// What it says.
        time: Timestamp,
    },
}

impl From<NotDer> for TokenError {
    fn from(_: NotDer) -> Self {
        Self::Damaged
    }
}

/// What an authority says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) authority: String,
    pub(super) time: Timestamp,
}

/// What a timestamp proves of a signature; `None` if it is by nobody that the trusted root names.
pub(super) fn judge(token: &[u8], signature: &[u8], root: &TrustedRoot) -> Result<Option<Said>, TokenError> {
    let token = Token::read(token)?;
    if !token.is_over(signature)? {
        return Err(TokenError::OtherSignature);
    }
    let mut refused = None;
    for authority in &root.timestamp_authorities {
        match token.by(authority) {
            Ok(Some(said)) => return Ok(Some(said)),
            Ok(None) => {}
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    refused.map_or(Ok(None), Err)
}

/// A timestamp as it was read; whose it is is not known.
pub(super) struct Token<'a> {
    /// DER of `TSTInfo`: what is said.
    content: &'a [u8],
    pub(super) time: Timestamp,
    /// The number of the question that it answers, if it says it.
    pub(super) nonce: Option<&'a [u8]>,
    imprint: (ObjectIdentifier, &'a [u8]),
    certificates: Vec<&'a [u8]>,
    signer: Signer<'a>,
}

struct Signer<'a> {
    name: Name<'a>,
    hash: ObjectIdentifier,
    /// The attributes that are signed, without tag and length.
    attributes: &'a [u8],
    signature: &'a [u8],
}

/// How a signer is named.
enum Name<'a> {
    /// By DER of who issued its certificate, and of that one's number.
    Issued(&'a [u8], &'a [u8]),
    /// By its key's identifier.
    Key(&'a [u8]),
}

impl<'a> Token<'a> {
    /// Reads a `TimeStampResp`, or the token that is in one.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, TokenError> {
        if der.len() > MAX_TOKEN {
            return Err(TokenError::Damaged);
        }
        let mut outer = Elements::within(der, Tag::Sequence)?;
        let first = outer.any()?;
        let content = if first.tag == Tag::Sequence {
            // PKIStatusInfo; 0 and 1 are granted, the second with changes (RFC 3161 section 2.4.2).
            let status = first.elements()?.next(Tag::Integer)?;
            if !matches!(status.value, [0 | 1]) {
                return Err(TokenError::NotGranted);
            }
            let token = outer.next(Tag::Sequence)?;
            outer.end()?;
            let mut token = token.elements()?;
            if token.next(Tag::ObjectIdentifier)?.oid()? != SIGNED_DATA {
                return Err(TokenError::Damaged);
            }
            last(token, CONTEXT_0)?
        } else if first.oid()? == SIGNED_DATA {
            last(outer, CONTEXT_0)?
        } else {
            return Err(TokenError::Damaged);
        };
        Self::signed_data(Elements::within(content.value, Tag::Sequence)?)
    }

    /// RFC 5652 section 5.1, with the one signer that RFC 3161 section 2.4.2 asks for.
    fn signed_data(mut fields: Elements<'a>) -> Result<Self, TokenError> {
        fields.next(Tag::Integer)?;
        fields.next(Tag::Set)?;
        let mut inner = fields.next(Tag::Sequence)?.elements()?;
        if inner.next(Tag::ObjectIdentifier)?.oid()? != TST_INFO {
            return Err(TokenError::Damaged);
        }
        let content = last(last(inner, CONTEXT_0)?.elements()?, Tag::OctetString)?.value;
        let mut certificates = Vec::new();
        if let Some(set) = fields.optional(CONTEXT_0)? {
            let mut set = set.elements()?;
            while !set.is_at_end() {
                certificates.push(set.any()?.whole);
                if certificates.len() > MAX_CERTIFICATES {
                    return Err(TokenError::Damaged);
                }
            }
        }
        fields.optional(CONTEXT_1)?;
        let signers = last(fields, Tag::Set)?.elements()?;
        let signer = Signer::read(last(signers, Tag::Sequence)?.elements()?)?;
        let mut info = Elements::within(content, Tag::Sequence)?;
        info.next(Tag::Integer)?;
        info.next(Tag::ObjectIdentifier)?;
        let mut imprint = info.next(Tag::Sequence)?.elements()?;
        let hash = algorithm(imprint.next(Tag::Sequence)?)?;
        let imprint = (hash, last(imprint, Tag::OctetString)?.value);
        info.next(Tag::Integer)?;
        let time = time(info.next(Tag::GeneralizedTime)?.value).ok_or(TokenError::Damaged)?;
        // What follows is accuracy, order, nonce, names, extensions; that it is DER is looked at.
        let mut nonce = None;
        while !info.is_at_end() {
            let more = info.any()?;
            nonce = nonce.or_else(|| (more.tag == Tag::Integer).then_some(more.value));
        }
        Ok(Self { content, time, nonce, imprint, certificates, signer })
    }

    pub(super) fn is_over(&self, signature: &[u8]) -> Result<bool, TokenError> {
        let (hash, imprint) = self.imprint;
        Ok(digest(hash, &[signature])? == imprint)
    }

    /// Whether the certificate that it names, and holds, is of the key that signed it; `None` if it holds
    /// none such.
    pub(super) fn is_signed_with_its_own(&self) -> Result<Option<bool>, TokenError> {
        let own = self.certificates.iter().find(|der| self.signer.is(der));
        own.map(|certificate| self.signer.signed(self.content, certificate)).transpose()
    }

    /// What it says, if this authority made it; `None` if it has nothing to do with it.
    fn by(&self, authority: &Authority) -> Result<Option<Said>, TokenError> {
        // An authority that names its certificate answers by no other.
        let own = authority.leaf().map(|leaf| vec![leaf]);
        let candidates = own.unwrap_or_else(|| self.certificates.clone());
        let Some(certificate) = candidates.into_iter().find(|der| self.signer.is(der)) else {
            return Ok(None);
        };
        let said = Said { authority: authority.name().to_owned(), time: self.time };
        match authority.issued(certificate, Purpose::TimeStamping, self.time) {
            Ok(_) => {}
            Err(NotIssued::Unrelated) => return Ok(None),
            Err(NotIssued::Wrong(why)) => {
                return Err(TokenError::Authority { authority: said.authority, why });
            }
        }
        if !self.signer.signed(self.content, certificate)? {
            return Err(TokenError::Signature);
        }
        if !authority.window.holds(self.time) {
            return Err(TokenError::Window { authority: said.authority, time: self.time });
        }
        Ok(Some(said))
    }
}

impl<'a> Signer<'a> {
    /// RFC 5652 section 5.3. What is signed has to be attributes: so it is for all that is no plain data.
    fn read(mut fields: Elements<'a>) -> Result<Self, TokenError> {
        fields.next(Tag::Integer)?;
        let name = if let Some(key) = fields.optional(KEY_IDENTIFIER)? {
            Name::Key(key.value)
        } else {
            let mut issued = fields.next(Tag::Sequence)?.elements()?;
            Name::Issued(issued.next(Tag::Sequence)?.whole, last(issued, Tag::Integer)?.whole)
        };
        let hash = algorithm(fields.next(Tag::Sequence)?)?;
        let attributes = fields.next(CONTEXT_0)?.value;
        fields.next(Tag::Sequence)?;
        let signature = fields.next(Tag::OctetString)?.value;
        fields.optional(CONTEXT_1)?;
        fields.end()?;
        Ok(Self { name, hash, attributes, signature })
    }

    /// Whether it is called by this certificate.
    fn is(&self, certificate: &[u8]) -> bool {
        const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
        let Some(parts) = Parts::of(certificate) else { return false };
        match self.name {
            Name::Issued(issuer, serial) => parts.issuer == issuer && parts.serial == serial,
            Name::Key(key) => parts.extension(SUBJECT_KEY_IDENTIFIER).is_some_and(|extension| {
                let value = Elements::of(extension.value).and_then(|inner| last(inner, Tag::OctetString));
                value.is_ok_and(|value| value.value == key)
            }),
        }
    }

    /// Whether the key of this certificate signed the attributes, and these are of the content.
    fn signed(&self, content: &[u8], certificate: &[u8]) -> Result<bool, TokenError> {
        let type_of_content =
            last(Elements::of(self.attribute(CONTENT_TYPE)?.ok_or(NotDer)?)?, Tag::ObjectIdentifier)?;
        let stated = last(Elements::of(self.attribute(MESSAGE_DIGEST)?.ok_or(NotDer)?)?, Tag::OctetString)?;
        if type_of_content.oid()? != TST_INFO || digest(self.hash, &[content])? != stated.value {
            return Ok(false);
        }
        if let Some(value) = self.attribute(SIGNING_CERTIFICATE_V2)?
            && !names_certificate(value, certificate)?
        {
            return Ok(false);
        }
        let parts = Parts::of(certificate).ok_or(NotDer)?;
        let Ok(key) = PublicKey::from_spki_der(parts.spki) else { return Ok(false) };
        // Signed is the set, under a tag of its own (RFC 5652 section 5.4).
        let message = super::der::wrapped(0x31, self.attributes);
        Ok(key.verify(&message, self.signature).is_ok())
    }

    /// The one value of the one attribute of this type.
    fn attribute(&self, wanted: ObjectIdentifier) -> Result<Option<&'a [u8]>, TokenError> {
        let mut all = Elements::of(self.attributes)?;
        let mut found = None;
        while !all.is_at_end() {
            let mut attribute = all.next(Tag::Sequence)?.elements()?;
            let id = attribute.next(Tag::ObjectIdentifier)?.oid()?;
            let values = last(attribute, Tag::Set)?.value;
            if id == wanted && found.replace(values).is_some() {
                return Err(TokenError::Damaged);
            }
        }
        Ok(found)
    }
}

/// Whether the certificate is the one that the attribute names (RFC 5816 section 2.2.1).
fn names_certificate(value: &[u8], certificate: &[u8]) -> Result<bool, TokenError> {
    let mut named = Elements::within(value, Tag::Sequence)?;
    let mut all = named.next(Tag::Sequence)?.elements()?;
    // The first is the signer's own (RFC 5035 section 4).
    let mut first = all.next(Tag::Sequence)?.elements()?;
    let hash = first.optional(Tag::Sequence)?.map_or(Ok(SHA256), algorithm)?;
    Ok(digest(hash, &[certificate])? == first.next(Tag::OctetString)?.value)
}

/// The one element that is left.
fn last(mut elements: Elements<'_>, tag: Tag) -> Result<Element<'_>, NotDer> {
    let element = elements.next(tag)?;
    elements.end()?;
    Ok(element)
}

fn algorithm(element: Element<'_>) -> Result<ObjectIdentifier, NotDer> {
    element.elements()?.next(Tag::ObjectIdentifier)?.oid()
}

fn digest(hash: ObjectIdentifier, parts: &[&[u8]]) -> Result<Vec<u8>, TokenError> {
    fn of<D: sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
        let mut hasher = D::new();
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize().to_vec()
    }
    match hash {
        SHA256 => Ok(of::<Sha256>(parts)),
        SHA384 => Ok(of::<Sha384>(parts)),
        SHA512 => Ok(of::<Sha512>(parts)),
        _ => Err(TokenError::Hash),
    }
}

/// `GeneralizedTime` as RFC 3161 section 2.4.2 has it: with seconds, in UTC, perhaps with a fraction.
fn time(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if whole.len() != 14 || !is_digits(whole, 14) || !is_digits(fraction, 9) {
        return None;
    }
    let number = |from: usize, to: usize| whole.get(from..to)?.parse::<i16>().ok();
    let short = |from: usize| i8::try_from(number(from, from + 2)?).ok();
    let nanoseconds: i32 = format!("{fraction:0<9}").parse().ok()?;
    let time =
        DateTime::new(number(0, 4)?, short(4)?, short(6)?, short(8)?, short(10)?, short(12)?, nanoseconds);
    TimeZone::UTC.to_timestamp(time.ok()?).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_in_utc_to_the_nanosecond() {
        for (text, time) in [
            ("20250612120220Z", "2025-06-12T12:02:20Z"),
            ("20250612120220.5Z", "2025-06-12T12:02:20.5Z"),
            ("20250612120220.000000001Z", "2025-06-12T12:02:20.000000001Z"),
        ] {
            assert_eq!(super::time(text.as_bytes()), Some(time.parse().unwrap()), "{text}");
        }
        for bad in ["", "Z", "20250612120220", "20250612120220+0100", "202506121202Z", "20250612120220.Z"] {
            assert_eq!(super::time(bad.as_bytes()), None, "{bad}");
        }
        for bad in ["20251312120220Z", "20250612126020Z", "20250612120220.0000000001Z", "2025061212022 Z"] {
            assert_eq!(super::time(bad.as_bytes()), None, "{bad}");
        }
    }
}
