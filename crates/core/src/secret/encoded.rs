//! Base64 and hexadecimal that is a key, told from the names that people give.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};

use super::{hexadecimal, looks};

/// Characters of base64 that give away how what they stand for begins.
const HEAD: usize = 16;

/// Characters of base64 that stand for the first line of PEM: `-----BEGIN … KEY-----`.
const LINE: usize = 64;

/// Hexadecimal digits of 32 bytes, the least secret that a key of ours has.
const SEED_DIGITS: usize = 64;

/// Characters of base64 from which on they may be a key's.
const LEAST: usize = 16;

const FORGIVING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, FORGIVING);

/// Whether the byte may stand in base64 of either alphabet (RFC 4648 sections 4 and 5),
/// its padding left out.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

/// Whether base64 of a private key begins anywhere in the text: of PKCS#8 (RFC 5958),
/// SEC 1 or PKCS#1, of an OpenSSH key, or of a PEM block as a whole.
pub(super) fn begins_private(text: &[u8]) -> bool {
    begins(text, |head, _| is_private_head(head) || head.starts_with(b"-----BEGIN "))
}

/// The same, and of a PEM block only if its first line says that it is a private key's:
/// certificates go about in base64, too.
pub(super) fn begins_private_key(text: &[u8]) -> bool {
    begins(text, |head, line| {
        let says = |mark: &[u8]| line.windows(mark.len()).any(|window| window == mark);
        is_private_head(head) || (head.starts_with(b"-----BEGIN ") && says(b"PRIVATE KEY-----"))
    })
}

/// Whether base64 begins anywhere in the text that stands for what is looked for: told by
/// its first bytes, and by as many as the first line of PEM may have.
fn begins(text: &[u8], is: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let mut before = None;
    (0..text.len()).any(|at| {
        let word_begins = before.is_none_or(|b: u8| !b.is_ascii_alphanumeric());
        before = text.get(at).copied();
        // How base64 begins of DER, of `openssh-key` and of `-----BEGIN `: most words of a text do not.
        if !word_begins || !before.is_some_and(|b| b"MbL".contains(&b)) {
            return false;
        }
        let Some(head) = text.get(at..at + HEAD).and_then(decoded) else { return false };
        let line = text.get(at..).unwrap_or_default();
        let length = line.iter().take(LINE).take_while(|b| is_base64(**b)).count();
        is(&head, &line.get(..length / 4 * 4).and_then(decoded).unwrap_or_default())
    })
}

fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    if !text.iter().copied().all(is_base64) {
        return None;
    }
    let standard = text.iter().map(|b| match b {
        b'-' => b'+',
        b'_' => b'/',
        b => *b,
    });
    STANDARD.decode(standard.collect::<Vec<u8>>()).ok()
}

fn is_private_head(bytes: &[u8]) -> bool {
    is_private_der(bytes) || bytes.starts_with(b"openssh-key")
}

/// The first bytes of a private key in DER: a SEQUENCE that begins with the INTEGER 0 or
/// 1, which no public key and no certificate does.
pub(super) fn is_private_der(bytes: &[u8]) -> bool {
    let content = match bytes {
        [0x30, 0x81, rest @ ..] => rest.get(1..),
        [0x30, 0x82, rest @ ..] => rest.get(2..),
        [0x30, 0x20..=0x7f, rest @ ..] => Some(rest),
        _ => None,
    };
    matches!(content, Some([0x02, 0x01, 0x00 | 0x01, ..]))
}

/// Whether the text, all of it, is base64 that nobody would give as a name, or so many
/// hexadecimal digits that they may be a seed.
pub(super) fn is_secret(text: &[u8]) -> bool {
    is_hexadecimal(text) || hexadecimal::is_in_groups(text) || is_random(text) || looks::is_base32(text)
}

fn is_hexadecimal(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    let plain = digits.iter().filter(|b| **b != b':');
    let count = plain.clone().count();
    let pairs = digits.split(|b| *b == b':').filter(|pair| !pair.is_empty());
    // As openssl prints a key's bytes, 15 in a line.
    let in_pairs = digits.contains(&b':') && count >= 24 && pairs.clone().all(|pair| pair.len() == 2);
    plain.clone().all(u8::is_ascii_hexdigit) && (in_pairs || (count >= SEED_DIGITS && count == digits.len()))
}

/// Random base64 has some two characters to a word, if words are counted as people
/// write them: `Word`, `word`, `WORD`, `42`. Names have more.
pub(super) fn is_random(text: &[u8]) -> bool {
    let body = text.trim_ascii_end();
    let padding = body.iter().rev().take_while(|b| **b == b'=').count();
    let Some(body) = body.get(..body.len() - padding).filter(|body| body.iter().copied().all(is_base64))
    else {
        return false;
    };
    let letters = |is: fn(&u8) -> bool| body.iter().filter(|b| is(b)).count();
    if letters(u8::is_ascii_uppercase) < 2 || letters(u8::is_ascii_lowercase) < 2 {
        return false;
    }
    let padded = (1..=2).contains(&padding) && (body.len() + padding).is_multiple_of(4);
    if padded && body.len() >= 10 {
        return true;
    }
    let (characters, words) = (letters(u8::is_ascii_alphanumeric), words(body).count);
    // A longer text is further from what chance could make of it. In tenths.
    let long = body.len() >= 40;
    let few = if long { 36 } else { 32 };
    // `A_B-C_D`.
    let divided = !long && (body.len() - characters) * 6 > body.len();
    body.len() >= LEAST && !divided && characters * 10 < words * few
}

/// What a character of a word is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Lower,
    Upper,
    Digit,
    Other,
}

pub(super) fn kind(byte: u8) -> Kind {
    match byte {
        b'a'..=b'z' => Kind::Lower,
        b'A'..=b'Z' => Kind::Upper,
        b'0'..=b'9' => Kind::Digit,
        _ => Kind::Other,
    }
}

/// The words in a text.
pub(super) struct Words {
    pub(super) count: usize,
    /// Characters of the longest.
    pub(super) longest: usize,
}

pub(super) fn words(text: &[u8]) -> Words {
    let (mut count, mut longest, mut last, mut length) = (0, 0, Kind::Other, 0);
    for next in text.iter().map(|byte| kind(*byte)) {
        let goes_on = next == last || (last == Kind::Upper && next == Kind::Lower && length == 1);
        if !goes_on {
            count += usize::from(next != Kind::Other);
            length = 0;
        }
        length += 1;
        if next != Kind::Other {
            longest = longest.max(length);
        }
        last = next;
    }
    Words { count, longest }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_no_keys() {
        for name in [
            "target/release/argo-attest",
            "home/user/projects/argo/artifacts/build/output/linux/amd64",
            "build-x7k2p-3819204721",
            "550e8400-e29b-41d4-a716-446655440000",
            "MyVeryLongCamelCaseFileNameForTheBuildOutput",
            "HiPKI_Root_CA_-_G1",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "ARGO_ATTEST_SERVICE_ACCOUNT_DIR",
            "aa:bb:cc:dd:ee:ff",
            "hello-world-x7k2p-build-3819204721",
            "target/debug/deps/argo_attest-20507cd237465753",
            "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
            "2026-11-25/2026-11-26",
        ] {
            assert!(!is_secret(name.as_bytes()) && !begins_private(name.as_bytes()), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_line_of_base64_is_no_name(bytes: [u8; 48], seed: [u8; 32]) {
            prop_assert!(is_secret(STANDARD.encode(bytes).as_bytes()));
            prop_assert!(is_secret(URL_SAFE_NO_PAD.encode(bytes).as_bytes()));
            prop_assert!(is_secret(STANDARD.encode(seed).as_bytes()));
            let hex = seed.map(|b| format!("{b:02x}")).concat();
            prop_assert!(is_secret(hex.as_bytes()));
            let pairs: Vec<_> = seed.iter().take(15).map(|b| format!("{b:02X}")).collect();
            prop_assert!(is_secret(pairs.join(":").as_bytes()) && is_secret((pairs.join(":") + ":").as_bytes()));
        }
    }
}
