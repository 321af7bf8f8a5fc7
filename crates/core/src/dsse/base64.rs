//! Base64 as DSSE allows it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use memchr::memchr2;

/// Which spellings of base64 are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// The standard or the URL-safe alphabet, not a mixture, padded or not (DSSE
    /// envelope, "Standard JSON envelope").
    Any,
    /// The one spelling that protobuf's JSON writes: the standard alphabet, padded.
    Canonical,
}

/// Decodes base64 in one of the spellings.
pub(super) fn decode(text: &str, spelling: Spelling) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    decode_onto(&mut bytes, text, spelling).map(|()| bytes)
}

/// How many bytes a text stands for, if it is base64.
pub(super) fn decoded_length(text: &str) -> usize {
    text.trim_end_matches('=').len() / 4 * 3 + (text.trim_end_matches('=').len() % 4).saturating_sub(1)
}

/// The same, behind what `bytes` has.
pub(super) fn decode_onto(bytes: &mut Vec<u8>, text: &str, spelling: Spelling) -> Option<()> {
    // None of these lets bits that are left over be anything but zero, so that within
    // one alphabet bytes have one spelling, save for the padding.
    let (url_safe, padded) = (memchr2(b'-', b'_', text.as_bytes()).is_some(), text.ends_with('='));
    let engine = match (spelling, url_safe, padded) {
        (Spelling::Canonical, ..) | (Spelling::Any, false, true) => STANDARD,
        (Spelling::Any, false, false) => STANDARD_NO_PAD,
        (Spelling::Any, true, true) => URL_SAFE,
        (Spelling::Any, true, false) => URL_SAFE_NO_PAD,
    };
    bytes.reserve_exact(decoded_length(text));
    engine.decode_vec(text, bytes).ok()
}

/// Encodes as every reader takes it: the standard alphabet with padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 4] = [0xfb, 0xff, 0xfe, 0x01];

    #[test]
    fn both_alphabets_with_or_without_padding_but_no_mixture() {
        for text in ["+//+AQ==", "+//+AQ", "-__-AQ==", "-__-AQ"] {
            assert_eq!(decode(text, Spelling::Any).unwrap(), BYTES, "{text}");
        }
        for bad in
            ["+__+AQ==", "+//+AR==", "+//+AQ=", "+//+A", "+//+AQ==\n", "+//+ AQ==", "=", "====", "AQ==AQ=="]
        {
            assert_eq!(decode(bad, Spelling::Any), None, "{bad:?}");
        }
        assert_eq!(decode("", Spelling::Any).unwrap(), b"");
        for (text, length) in [("", 0), ("AQ==", 1), ("AQ", 1), ("AQI=", 2), ("AQID", 3), ("AQIDBA", 4)] {
            assert_eq!(decoded_length(text), length, "{text}");
            assert_eq!(decode(text, Spelling::Any).unwrap().len(), length, "{text}");
        }
    }

    #[test]
    fn the_canonical_spelling_is_the_one_that_is_written() {
        assert_eq!(encode(&BYTES), "+//+AQ==");
        assert_eq!(decode("+//+AQ==", Spelling::Canonical).unwrap(), BYTES);
        for other in ["+//+AQ", "-__-AQ==", "-__-AQ", "+//+AR=="] {
            assert_eq!(decode(other, Spelling::Canonical), None, "{other}");
        }
    }
}
