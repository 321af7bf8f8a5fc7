//! From a file's bytes to text that can be JSON.

use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;

use super::{FileError, MAX_FILE};

/// What some editors put before text in UTF-8: it says nothing (RFC 8259 section 8.1 lets a reader
/// pass over it).
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text after its byte order mark, if it has one.
pub(super) fn after_mark(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(UTF8_MARK)
}

/// How gzip begins (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is packed in it, if anything is. Unpacked as a stream: a bomb costs no more than what
/// is read at most.
pub(super) fn inflated(bytes: &[u8]) -> Result<Option<Vec<u8>>, FileError> {
    if !bytes.starts_with(&GZIP) {
        return Ok(None);
    }
    let mut inflated = Vec::new();
    let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut inflated).map_err(|_| FileError::Gzip)?;
    if inflated.len() > MAX_FILE { Err(FileError::Inflated { limit: MAX_FILE }) } else { Ok(Some(inflated)) }
}

/// That it is text in UTF-8, and begins as JSON does.
pub(super) fn text(bytes: &[u8]) -> Result<(), FileError> {
    let why = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is UTF-16: save it as UTF-8",
        [b'P', b'K', 3, 4, ..] => "the file is a zip archive: unpack it first",
        _ if bytes.starts_with(b"-----BEGIN ") => {
            "the file is PEM (a key, a certificate), not an attestation"
        }
        _ if bytes.contains(&0) => "the file is binary, not JSON",
        _ if std::str::from_utf8(bytes).is_err() => "the file is not text in UTF-8",
        _ => return Ok(()),
    };
    Err(FileError::NotText(why))
}
