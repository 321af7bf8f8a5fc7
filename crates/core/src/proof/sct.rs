//! That a log of certificates promised to show a certificate: the timestamps that its issuer put
//! into it (RFC 6962 sections 3.2 and 3.3).

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use x509_cert::der::Tag;
use x509_cert::der::asn1::ObjectIdentifier;

use super::certificate::Parts;
use super::der::{Elements, wrapped};
use super::root::Log;

/// The extension that holds them.
const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");
/// How many are read of one certificate.
const MAX_SCTS: usize = 16;

/// Whether one of these logs promised to show it. `issuer` is the `SubjectPublicKeyInfo` of whoever
/// issued it.
pub(super) fn is_promised(certificate: &[u8], issuer: &[u8], logs: &[Log]) -> bool {
    let Some(parts) = Parts::of(certificate) else { return false };
    let Some(extension) = parts.extension(SCT_LIST) else { return false };
    let Some(scts) = list(extension.value) else { return false };
    let signed = precertificate(&parts);
    scts.iter().any(|sct| {
        let log = logs.iter().find(|log| log.id == sct.log);
        log.is_some_and(|log| sct.is_by(log, &signed, issuer))
    })
}

/// What the issuer showed the log: the certificate without the extension that came of it.
fn precertificate(parts: &Parts<'_>) -> Vec<u8> {
    let others = parts.extensions.iter().filter(|extension| extension.id != SCT_LIST);
    let others: Vec<u8> = others.flat_map(|extension| extension.whole).copied().collect();
    let mut body = parts.before_extensions.concat();
    body.extend_from_slice(&wrapped(0xa3, &wrapped(0x30, &others)));
    wrapped(0x30, &body)
}

/// A promise.
struct Sct<'a> {
    log: &'a [u8],
    /// Milliseconds since 1970.
    time: u64,
    extensions: &'a [u8],
    signature: &'a [u8],
}

/// An octet string in the extension's own, and in that a list in TLS's way of writing.
fn list(value: &[u8]) -> Option<Vec<Sct<'_>>> {
    let mut outer = Elements::of(value).ok()?;
    let inner = outer.next(Tag::OctetString).ok()?.value;
    outer.end().ok()?;
    let (mut all, rest) = sized(inner)?;
    let mut scts = Vec::new();
    while !all.is_empty() && scts.len() < MAX_SCTS {
        let (sct, behind) = sized(all)?;
        scts.extend(Sct::read(sct));
        all = behind;
    }
    rest.is_empty().then_some(scts)
}

/// So many bytes as the first two say, and what is behind them.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

impl<'a> Sct<'a> {
    /// `None` if it is damaged, or of another version.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[0])?;
        let (log, rest) = rest.split_at_checked(32)?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let (extensions, rest) = sized(rest)?;
        // Two bytes say which hash and which kind of key: it is the log's own, whatever they say.
        let (signature, rest) = sized(rest.get(2..)?)?;
        let sct = Self { log, time: u64::from_be_bytes(*time), extensions, signature };
        rest.is_empty().then_some(sct)
    }

    fn is_by(&self, log: &Log, certificate: &[u8], issuer: &[u8]) -> bool {
        let time = i64::try_from(self.time).ok().and_then(|time| Timestamp::from_millisecond(time).ok());
        let holds = time.is_some_and(|time| log.window.holds(time));
        let message = self.message(certificate, issuer);
        holds && message.is_some_and(|message| log.key.verify(&message, self.signature).is_ok())
    }

    /// `digitally-signed` of RFC 6962 section 3.2, for a precertificate.
    fn message(&self, certificate: &[u8], issuer: &[u8]) -> Option<Vec<u8>> {
        let mut message = vec![0, 0];
        message.extend_from_slice(&self.time.to_be_bytes());
        message.extend_from_slice(&[0, 1]);
        message.extend_from_slice(&Sha256::digest(issuer));
        let [0, length @ ..] = u32::try_from(certificate.len()).ok()?.to_be_bytes() else { return None };
        message.extend_from_slice(&length);
        message.extend_from_slice(certificate);
        message.extend_from_slice(&u16::try_from(self.extensions.len()).ok()?.to_be_bytes());
        message.extend_from_slice(self.extensions);
        Some(message)
    }
}
