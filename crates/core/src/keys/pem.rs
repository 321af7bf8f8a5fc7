//! From text to DER (RFC 7468), with a name for everything that people mistake for
//! a key. Knows labels, not what is inside.

use p256::pkcs8::der::pem::Decoder;
use zeroize::Zeroizing;

use super::invalid::InvalidKey;

/// Bytes of a text that is taken for a key: a PEM block of ours has some 200, with text
/// before it perhaps a few thousand.
pub const MAX_PEM: usize = 64 * 1024;

const BEGIN: &[u8] = b"-----BEGIN ";

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

/// The DER in the one PEM block that is expected.
pub(super) fn decode(text: &[u8], half: Half) -> Result<Zeroizing<Vec<u8>>, InvalidKey> {
    let limit = MAX_PEM;
    if text.len() > limit {
        return Err(InvalidKey::TooLarge { limit });
    }
    let text = text.trim_ascii();
    let label = label(text)?;
    if label != half.label() {
        return Err(mistaken(label, half));
    }
    if find(text, BEGIN).is_some_and(|(_, after)| find(after, BEGIN).is_some()) {
        return Err(InvalidKey::SeveralBlocks);
    }
    // Not constant in time with regard to where the first line ends, which is no
    // secret; the base64 itself is decoded in constant time.
    let mut decoder = Decoder::new_detect_wrap(text).map_err(|_| InvalidKey::DamagedPem)?;
    let mut der = Zeroizing::new(vec![0; decoder.remaining_len()]);
    decoder.decode(&mut der).map_err(|_| InvalidKey::DamagedPem)?;
    Ok(der)
}

/// The label of the first PEM block.
fn label(text: &[u8]) -> Result<&[u8], InvalidKey> {
    let Some((_, after)) = find(text, BEGIN) else {
        return Err(not_pem(text));
    };
    find(after, b"-----").map(|(label, _)| label).ok_or(InvalidKey::DamagedPem)
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
        (b"ENCRYPTED SIGSTORE PRIVATE KEY" | b"ENCRYPTED COSIGN PRIVATE KEY", _) => {
            InvalidKey::CosignEncrypted
        }
        (b"EC PRIVATE KEY" | b"EC PARAMETERS", _) => InvalidKey::Sec1,
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
