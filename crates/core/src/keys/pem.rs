//! From text to DER (RFC 7468), with a name for everything that people mistake for
//! a key. Knows labels, not what is inside.
//!
//! What editors, shells and YAML do to a text is undone where nothing is guessed by that: a
//! byte order mark, indented or CRLF lines, `\n` for each new line, words around the block.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::pkcs8::der::pem::Decoder;
use zeroize::Zeroizing;

use super::cosign;
use super::invalid::InvalidKey;

/// Bytes of a text that is taken for a key: a PEM block of ours has some 200, with text
/// before it perhaps a few thousand.
pub const MAX_PEM: usize = 64 * 1024;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// As `openssl ecparam -genkey` writes it before the key, which names its curve once more.
const PARAMETERS: &[u8] = b"EC PARAMETERS";
/// Characters in a line of base64.
const LINE: usize = 64;

/// Which half of a key is expected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Private,
    Public,
}

impl Half {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Private => b"PRIVATE KEY",
            Self::Public => b"PUBLIC KEY",
        }
    }
}

/// How what is inside a block is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As the label of this half says: PKCS#8, or SPKI.
    Usual,
    /// `ECPrivateKey` (RFC 5915).
    Sec1,
    /// cosign's JSON, which is not DER.
    Cosign,
}

/// What is inside a block.
pub(super) struct Block {
    pub(super) form: Form,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// The one PEM block that is expected.
pub(super) fn decode(text: &[u8], half: Half) -> Result<Block, InvalidKey> {
    let limit = MAX_PEM;
    if text.len() > limit {
        return Err(InvalidKey::TooLarge { limit });
    }
    if is_utf16(text) {
        return Err(InvalidKey::Utf16);
    }
    let text = text.strip_prefix(UTF8_MARK).unwrap_or(text).trim_ascii();
    let lines = with_lines(text);
    let Some(block) = first_key(&lines)? else { return bare(text, half) };
    let form = match block.label {
        label if label == half.label() => Form::Usual,
        b"EC PRIVATE KEY" if half == Half::Private => Form::Sec1,
        label if half == Half::Private && cosign::LABELS.contains(&label) => Form::Cosign,
        PARAMETERS => return Err(InvalidKey::CurveAlone),
        label => return Err(mistaken(label, half)),
    };
    if find(block.after, BEGIN).is_some() {
        return Err(InvalidKey::SeveralBlocks);
    }
    let pem = written_anew(&block)?;
    // Not constant in time with regard to where the first line ends, which is no
    // secret; the base64 itself is decoded in constant time.
    let mut decoder = Decoder::new_detect_wrap(&pem).map_err(|_| InvalidKey::DamagedPem)?;
    let mut der = Zeroizing::new(vec![0; decoder.remaining_len()]);
    decoder.decode(&mut der).map_err(|_| InvalidKey::DamagedPem)?;
    Ok(Block { form, der })
}

/// A block in a text.
struct Written<'a> {
    label: &'a [u8],
    /// From its first line on.
    after: &'a [u8],
}

/// The first block that is more than a curve's name; that, if there is nothing else.
fn first_key(text: &[u8]) -> Result<Option<Written<'_>>, InvalidKey> {
    let mut rest = text;
    let mut parameters = None;
    while let Some((_, after)) = find(rest, BEGIN) {
        let (label, after) = find(after, DASHES).ok_or(InvalidKey::DamagedPem)?;
        if label != PARAMETERS {
            return Ok(Some(Written { label, after }));
        }
        parameters = Some(Written { label, after });
        rest = after;
    }
    Ok(parameters)
}

/// Bytes in pairs, of which one is zero where the text is Latin; or the mark.
fn is_utf16(text: &[u8]) -> bool {
    matches!(text, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'-', 0, b'-', 0, ..] | [0, b'-', 0, b'-', ..])
}

/// The text with a new line for each `\n`, as variables and JSON hold it; as it is, if it has
/// lines already.
fn with_lines(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut lines = Zeroizing::new(Vec::with_capacity(text.len()));
    if text.contains(&b'\n') {
        lines.extend_from_slice(text);
        return lines;
    }
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if let (b'\\', Some(after)) = (first, tail.strip_prefix(b"n")) {
            lines.push(b'\n');
            rest = after;
        } else {
            lines.push(*first);
            rest = tail;
        }
    }
    lines
}

/// The block with nothing around it, in lines of one length.
fn written_anew(block: &Written<'_>) -> Result<Zeroizing<Vec<u8>>, InvalidKey> {
    let (body, after) = find(block.after, END).ok_or(InvalidKey::DamagedPem)?;
    if !after.strip_prefix(block.label).is_some_and(|after| after.starts_with(DASHES)) {
        return Err(InvalidKey::DamagedPem);
    }
    // The older form of encryption, in headers within the block (RFC 1421 section 4.6).
    if find(body, b"ENCRYPTED").is_some() {
        return Err(InvalidKey::Encrypted);
    }
    // All at once: what is copied on the way would stay behind.
    let most = body.len() + body.len() / LINE + 2 * (BEGIN.len() + block.label.len() + DASHES.len()) + 4;
    let mut pem = Zeroizing::new(Vec::with_capacity(most));
    for part in [BEGIN, block.label, DASHES] {
        pem.extend_from_slice(part);
    }
    let characters = body.iter().filter(|b| !b.is_ascii_whitespace());
    for (n, character) in characters.enumerate() {
        if n % LINE == 0 {
            pem.push(b'\n');
        }
        pem.push(*character);
    }
    pem.push(b'\n');
    for part in [END, block.label, DASHES, b"\n"] {
        pem.extend_from_slice(part);
    }
    Ok(pem)
}

/// What has no block. A public key may be written as the base64 alone.
fn bare(text: &[u8], half: Half) -> Result<Block, InvalidKey> {
    let base64 =
        Zeroizing::new(text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<_>>());
    let der = match STANDARD.decode(&*base64) {
        Ok(der) if der.first() == Some(&0x30) => Zeroizing::new(der),
        _ => return Err(not_pem(text)),
    };
    if half == Half::Private {
        return Err(InvalidKey::BareBase64);
    }
    Ok(Block { form: Form::Usual, der })
}

fn not_pem(text: &[u8]) -> InvalidKey {
    match text {
        [] => InvalidKey::Empty,
        // An ASN.1 SEQUENCE with a definite length.
        [0x30, 0x20..=0x7f | 0x81 | 0x82, ..] => InvalidKey::Der,
        _ if text.starts_with(b"ssh-") || text.starts_with(b"ecdsa-sha2-") => InvalidKey::OpenSshPublic,
        _ => InvalidKey::NotPem,
    }
}

fn mistaken(label: &[u8], half: Half) -> InvalidKey {
    match (label, half) {
        (b"PUBLIC KEY" | b"RSA PUBLIC KEY" | b"SSH2 PUBLIC KEY", Half::Private) => {
            InvalidKey::PublicForPrivate
        }
        (b"CERTIFICATE" | b"TRUSTED CERTIFICATE", _) => InvalidKey::Certificate,
        (b"RSA PUBLIC KEY", Half::Public) => InvalidKey::Pkcs1Public,
        (_, Half::Public) if label.ends_with(b"PRIVATE KEY") => InvalidKey::PrivateForPublic,
        (b"ENCRYPTED PRIVATE KEY", _) => InvalidKey::Encrypted,
        (b"OPENSSH PRIVATE KEY", _) => InvalidKey::OpenSsh,
        (b"RSA PRIVATE KEY", _) => InvalidKey::Algorithm { found: "an RSA key" },
        (b"DSA PRIVATE KEY", _) => InvalidKey::Algorithm { found: "a DSA key" },
        _ => InvalidKey::OtherPem,
    }
}

/// What is before and what is after the first `needle`.
fn find<'a>(hay: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = hay.windows(needle.len()).position(|w| w == needle)?;
    let (before, rest) = hay.split_at_checked(at)?;
    Some((before, rest.get(needle.len()..)?))
}
