//! What of a certificate decides (RFC 5280): its key, its names, its times, its purposes.

use jiff::Timestamp;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::der::{Decode as _, Tag};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::time::Time;

use super::chain::Purpose;
use super::der::{CONTEXT_0, CONTEXT_3, Elements, NotDer};
use super::window::Window;

/// Bytes of a certificate that are read.
pub(super) const MAX_CERTIFICATE: usize = 64 * 1024;
/// Extensions of one.
const MAX_EXTENSIONS: usize = 128;

/// A certificate, taken apart and not believed.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// What is in front of the extensions in what is signed.
    pub(super) before_extensions: Vec<&'a [u8]>,
    /// DER of the number that it has from its issuer.
    pub(super) serial: &'a [u8],
    /// DER of the issuer's name.
    pub(super) issuer: &'a [u8],
    /// DER of its own name.
    pub(super) subject: &'a [u8],
    /// DER of its `SubjectPublicKeyInfo`.
    pub(super) spki: &'a [u8],
    pub(super) window: Window,
    pub(super) extensions: Vec<Extension<'a>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Extension<'a> {
    pub(super) id: ObjectIdentifier,
    critical: bool,
    pub(super) value: &'a [u8],
    /// All of it, DER.
    pub(super) whole: &'a [u8],
}

impl<'a> Parts<'a> {
    /// `None` if it is damaged, or larger than is read.
    pub(super) fn of(der: &'a [u8]) -> Option<Self> {
        if der.len() > MAX_CERTIFICATE { None } else { Self::read(der).ok() }
    }

    fn read(der: &'a [u8]) -> Result<Self, NotDer> {
        let mut certificate = Elements::within(der, Tag::Sequence)?;
        let body = certificate.next(Tag::Sequence)?;
        certificate.next(Tag::Sequence)?;
        certificate.next(Tag::BitString)?;
        certificate.end()?;
        let mut fields = body.elements()?;
        let version = fields.optional(CONTEXT_0)?;
        let serial = fields.next(Tag::Integer)?;
        let algorithm = fields.next(Tag::Sequence)?;
        let issuer = fields.next(Tag::Sequence)?;
        let validity = fields.next(Tag::Sequence)?;
        let subject = fields.next(Tag::Sequence)?;
        let spki = fields.next(Tag::Sequence)?;
        let mut before_extensions: Vec<&[u8]> = version.iter().map(|element| element.whole).collect();
        let middle = [&serial, &algorithm, &issuer, &validity, &subject, &spki];
        before_extensions.extend(middle.map(|element| element.whole));
        let mut extensions = Vec::new();
        while !fields.is_at_end() {
            let field = fields.any()?;
            if field.tag == CONTEXT_3 {
                let mut all = Elements::within(field.value, Tag::Sequence)?;
                while !all.is_at_end() {
                    extensions.push(Extension::read(&mut all)?);
                    if extensions.len() > MAX_EXTENSIONS {
                        return Err(NotDer);
                    }
                }
                // Nothing is behind them.
                fields.end()?;
                break;
            }
            before_extensions.push(field.whole);
        }
        // Twice the same would let two readers see two certificates.
        let mut ids: Vec<_> = extensions.iter().map(|extension| extension.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(NotDer);
        }
        let mut times = validity.elements()?;
        let mut time = || {
            let time = Time::from_der(times.any()?.whole).map_err(|_| NotDer)?;
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| NotDer)?;
            Timestamp::from_second(seconds).map_err(|_| NotDer)
        };
        let window = Window { start: Some(time()?), end: Some(time()?) };
        times.end()?;
        Ok(Self {
            before_extensions,
            serial: serial.whole,
            issuer: issuer.whole,
            subject: subject.whole,
            spki: spki.whole,
            window,
            extensions,
        })
    }

    pub(super) fn extension(&self, id: ObjectIdentifier) -> Option<&Extension<'a>> {
        self.extensions.iter().find(|extension| extension.id == id)
    }

    /// Whether it may issue others; also if that is not to be understood.
    pub(super) fn is_ca(&self) -> bool {
        let constraints = self.extension(BasicConstraints::OID);
        constraints.is_some_and(|extension| {
            BasicConstraints::from_der(extension.value).map_or(true, |constraints| constraints.ca)
        })
    }

    /// Whether it says of itself that it is for this, and that it makes signatures. A timestamp
    /// authority's has to be for nothing else, critically (RFC 3161 section 2.3).
    pub(super) fn may(&self, purpose: Purpose) -> bool {
        let signs = self.extension(KeyUsage::OID).is_none_or(|extension| {
            KeyUsage::from_der(extension.value).is_ok_and(|usage| usage.digital_signature())
        });
        let Some(extension) = self.extension(ExtendedKeyUsage::OID) else { return false };
        let Ok(ExtendedKeyUsage(purposes)) = ExtendedKeyUsage::from_der(extension.value) else {
            return false;
        };
        let is_for = match purpose {
            Purpose::CodeSigning => purposes.contains(&purpose.oid()),
            Purpose::TimeStamping => extension.critical && purposes == [purpose.oid()],
        };
        signs && is_for
    }
}

impl<'a> Extension<'a> {
    fn read(all: &mut Elements<'a>) -> Result<Self, NotDer> {
        let element = all.next(Tag::Sequence)?;
        let mut fields = element.elements()?;
        let id = fields.next(Tag::ObjectIdentifier)?.oid()?;
        let critical = fields.optional(Tag::Boolean)?.is_some_and(|flag| flag.value == [0xff]);
        let value = fields.next(Tag::OctetString)?.value;
        fields.end()?;
        Ok(Self { id, critical, value, whole: element.whole })
    }
}
