//! Base64 as DSSE allows it.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};

// Padding may be there or not. Bits that are left over must be zero, so that within
// one alphabet bytes have one spelling, save for the padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Decodes the standard or the URL-safe alphabet, not a mixture ("Either standard or
/// URL-safe encoding is allowed", DSSE envelope, "Standard JSON envelope").
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    engine.decode(text).ok()
}

/// Encodes as every reader takes it: the standard alphabet with padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_with_or_without_padding_but_no_mixture() {
        let bytes = [0xfb, 0xff, 0xfe, 0x01];
        for text in ["+//+AQ==", "+//+AQ", "-__-AQ==", "-__-AQ"] {
            assert_eq!(decode(text).unwrap(), bytes, "{text}");
        }
        for bad in ["+__+AQ==", "+//+AR==", "+//+AQ=", "+//+A", "+//+AQ==\n", "+//+ AQ==", "=", "AQ==AQ=="] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
        assert_eq!(encode(&bytes), "+//+AQ==");
        assert_eq!(decode("").unwrap(), b"");
    }
}
