//! What a signed token looks like: JSON Web Tokens in the compact form (RFC 7515 section
//! 7.1) are what Kubernetes and identity providers give.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Whether the byte may stand in a part of a token (RFC 4648 section 5).
pub(super) fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Whether the text is a signed token: header, claims and signature. The first two are
/// JSON objects, which a key in base64 is not, nor a name with two dots.
pub fn is_signed_token(text: &[u8]) -> bool {
    let mut parts = text.split(|b| *b == b'.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let object = |part: &[u8]| {
        // In whole groups of four, so that they can be decoded by themselves.
        let head = part.get(..part.len().min(8) / 4 * 4).unwrap_or_default();
        part.len() >= 4
            && part.iter().copied().all(is_part)
            && URL_SAFE_NO_PAD.decode(head).is_ok_and(|json| json.trim_ascii_start().first() == Some(&b'{'))
    };
    object(header) && object(claims) && !signature.is_empty() && signature.iter().copied().all(is_part)
}
