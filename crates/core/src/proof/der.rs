//! DER, element by element (X.690): what is signed is a run of bytes, and is compared and hashed
//! as it was received, never built again.

use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

/// `[0]`, `[1]`, `[3]` around other elements.
pub(super) const CONTEXT_0: Tag = context(0);
pub(super) const CONTEXT_1: Tag = context(1);
pub(super) const CONTEXT_3: Tag = context(3);

/// The bytes are not DER, or not what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotDer;

/// One element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: Tag,
    /// Without tag and length.
    pub(super) value: &'a [u8],
    /// With them.
    pub(super) whole: &'a [u8],
}

/// Elements one after the other.
pub(super) struct Elements<'a>(SliceReader<'a>);

const fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

impl<'a> Elements<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, NotDer> {
        SliceReader::new(bytes).map(Self).map_err(|_| NotDer)
    }

    /// The elements in the one element that `bytes` are.
    pub(super) fn within(bytes: &'a [u8], tag: Tag) -> Result<Self, NotDer> {
        let mut outer = Self::of(bytes)?;
        let inner = outer.next(tag)?;
        outer.end()?;
        inner.elements()
    }

    pub(super) fn any(&mut self) -> Result<Element<'a>, NotDer> {
        let whole = self.0.tlv_bytes().map_err(|_| NotDer)?;
        let any = AnyRef::from_der(whole).map_err(|_| NotDer)?;
        Ok(Element { tag: any.tag(), value: any.value(), whole })
    }

    pub(super) fn next(&mut self, tag: Tag) -> Result<Element<'a>, NotDer> {
        self.any().and_then(|element| if element.tag == tag { Ok(element) } else { Err(NotDer) })
    }

    /// The next, if it has this tag.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<Element<'a>>, NotDer> {
        if self.is_at_end() || Tag::peek(&self.0).map_err(|_| NotDer)? != tag {
            return Ok(None);
        }
        self.next(tag).map(Some)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_finished()
    }

    pub(super) fn end(self) -> Result<(), NotDer> {
        self.0.finish().map_err(|_| NotDer)
    }
}

impl<'a> Element<'a> {
    pub(super) fn elements(&self) -> Result<Elements<'a>, NotDer> {
        Elements::of(self.value)
    }

    /// The object identifier that it is.
    pub(super) fn oid(&self) -> Result<ObjectIdentifier, NotDer> {
        if self.tag != Tag::ObjectIdentifier {
            return Err(NotDer);
        }
        ObjectIdentifier::from_bytes(self.value).map_err(|_| NotDer)
    }
}

/// An element of one byte of tag around `content`.
pub(super) fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
    let length: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let mut element = vec![tag];
    match length.as_slice() {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            // A length has eight bytes at most.
            element.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_is_read_again() {
        for size in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; size];
            let wrapped = wrapped(0x04, &content);
            let mut elements = Elements::of(&wrapped).unwrap();
            let element = elements.next(Tag::OctetString).unwrap();
            assert_eq!((element.value, element.whole), (&content[..], &wrapped[..]));
            elements.end().unwrap();
        }
    }
}
