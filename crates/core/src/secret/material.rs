//! Whether what was given is a key itself.

use super::encoded;
use super::token;

/// How sure it is that a text is a key, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyMaterial {
    /// It has the looks of one: base64 that is no name, or as many digits as a seed has.
    Likely,
    /// It says so itself: PEM, DER, an age identity, a signed token.
    Evident,
}

impl KeyMaterial {
    /// What a value of an option or a variable is, that is meant to be a path, a name, a
    /// URL or a number. Public keys count, too: given by value they are as misplaced,
    /// and of a line nobody can tell whose half it is.
    pub fn of(value: &[u8]) -> Option<Self> {
        const PEM: [&[u8]; 4] = [b"-----BEGIN", b"-----END", b"---- BEGIN", b"---- END"];
        if is_private(value) || is_binary(value) || PEM.iter().any(|mark| contains(value, mark)) {
            return Some(Self::Evident);
        }
        let spaced = encoded::is_secret(value.trim_ascii());
        (spaced || lines(value).map(unwrapped).any(encoded::is_secret)).then_some(Self::Likely)
    }
}

/// Whether a text is evidently a private key, or holds one: what must not be in a
/// statement, which everybody may read. Others' tokens are not asked for, nor what is a
/// public key or a certificate.
pub fn is_private_key(text: &[u8]) -> bool {
    MARKS.iter().any(|mark| contains(text, mark))
        || encoded::begins_private_key(text)
        || encoded::is_private_der(text)
        || is_private_jwk(text)
}

/// How private keys begin, or are called in PEM.
const MARKS: [&[u8]; 3] = [b"PRIVATE KEY-----", b"AGE-SECRET-KEY-", b"age-secret-key-"];

/// A JSON Web Key with its private part (RFC 7517): `kty`, and `d` or `k`, as names with
/// whatever quotes a shell has left of them.
fn is_private_jwk(text: &[u8]) -> bool {
    let plain: Vec<u8> = text.iter().copied().filter(|b| !b" \t\r\n\\\"'".contains(b)).collect();
    let has = |name: &[u8]| {
        memchr::memmem::find_iter(&plain, name)
            .any(|at| plain.get(..at).and_then(<[u8]>::last).is_some_and(|b| b"{,".contains(b)))
    };
    has(b"kty:") && (has(b"d:") || has(b"k:"))
}

/// Whether a private key, or a token, is evident anywhere in a text. Sure enough to be
/// asked of any text: nothing else looks so.
pub fn is_private(text: &[u8]) -> bool {
    MARKS.iter().any(|mark| contains(text, mark))
        || encoded::begins_private(text)
        || is_private_jwk(text)
        || text.split(|b| !token::is_part(*b) && *b != b'.').any(token::is_signed_token)
}

/// DER, or bytes that no name is made of. Names that are not UTF-8 are those of older
/// encodings: letters beyond ASCII among others, and no control characters.
fn is_binary(value: &[u8]) -> bool {
    // What is left of id-Ed25519, id-ecPublicKey and rsaEncryption where a shell has
    // taken out the zeros of DER.
    const ALGORITHMS: [&[u8]; 3] =
        [b"\x06\x03\x2b\x65\x70", b"\x2a\x86\x48\xce\x3d", b"\x2a\x86\x48\x86\xf7\x0d"];
    if encoded::is_private_der(value) || ALGORITHMS.iter().any(|algorithm| contains(value, algorithm)) {
        return true;
    }
    let beyond = value.iter().filter(|b| !b.is_ascii()).count();
    let odd =
        value.iter().any(u8::is_ascii_control) || (value.len()..=3 * value.len()).contains(&(beyond * 4));
    value.len() >= 16 && str::from_utf8(value).is_err() && odd
}

fn contains(text: &[u8], mark: &[u8]) -> bool {
    memchr::memmem::find(text, mark).is_some()
}

/// The lines of a value, joined by spaces or commas as well, with `\n` for a new line as well, as variables often have it.
fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut escaped = false;
    value
        .split(move |b| {
            let ends = b.is_ascii_whitespace() || b"\\,;".contains(b);
            let escape = escaped && (*b == b'n' || *b == b'r');
            escaped = *b == b'\\';
            ends || escape
        })
        .filter(|line| !line.is_empty())
}

/// Without quotes, and without the scheme of a URL or its path.
fn unwrapped(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"\"").or_else(|| line.strip_prefix(b"'")).unwrap_or(line);
    let line = line.strip_suffix(b"\"").or_else(|| line.strip_suffix(b"'")).unwrap_or(line);
    let Some(at) = line.windows(3).position(|window| window == b"://") else { return line };
    let (scheme, rest) = line.split_at(at);
    let rest = rest.get(3..).unwrap_or_default();
    if scheme == b"env" {
        rest
    } else {
        rest.split(|b| *b == b'/').find(|part| !part.is_empty()).unwrap_or(rest)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;
    use crate::keys::{KeyType, PrivateKey};

    #[test]
    fn a_key_is_told_by_its_looks_whole_and_by_the_line() {
        for key_type in KeyType::ALL {
            let pem = PrivateKey::generate(key_type).unwrap().to_pkcs8_pem();
            for text in
                [pem.to_string(), pem.replace('\n', "\\n"), pem.replace('\n', " "), STANDARD.encode(&*pem)]
            {
                assert_eq!(KeyMaterial::of(text.as_bytes()), Some(KeyMaterial::Evident), "{key_type}");
                assert!(is_private(text.as_bytes()), "{key_type}");
            }
            for line in pem.lines() {
                assert!(KeyMaterial::of(line.as_bytes()).is_some(), "{key_type}");
                assert!(KeyMaterial::of(format!("env://{line}").as_bytes()).is_some(), "{key_type}");
                assert!(KeyMaterial::of(format!("'{line}'").as_bytes()).is_some(), "{key_type}");
            }
            let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let der = STANDARD.decode(&body).unwrap();
            // As `$(cat key.der)` gives it.
            let without_zeros: Vec<u8> = der.iter().copied().filter(|b| *b != 0).collect();
            for value in [body.as_bytes(), URL_SAFE_NO_PAD.encode(&der).as_bytes(), &der, &without_zeros] {
                assert_eq!(KeyMaterial::of(value), Some(KeyMaterial::Evident), "{key_type}");
            }
        }
    }

    #[test]
    fn other_peoples_keys_are_told_too() {
        for text in [
            "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
            "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW",
            "MHcCAQEEIBkg0zVh1N8nVr2hs2cTgO4vK3Rb8pvS6vXQ9zQ4u4TvoAoGCCqGSM49",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
            "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----",
            "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}",
            "{\"kty\": \"oct\", \"k\": \"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T\"}",
            "{'d': 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'kty': 'OKP'}",
            "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ.c2lnbmF0dXJlLW9mLWl0",
        ] {
            for text in [text.to_owned(), format!("s3://bucket/{text}"), format!("--key={text}")] {
                assert_eq!(KeyMaterial::of(text.as_bytes()), Some(KeyMaterial::Evident), "{text}");
            }
        }
        for text in [
            "eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6",
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "s3://nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A/x",
            "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZ,cDusAxyuf2A",
            "9d 61 b1 9d ef fd 5a 60 ba 84 4a f4 92 ec 2c c4 44 49 c5 69 7b 32 69 19 70 3b ac 03 1c ae 7f 60",
            "9d61 b19d effd 5a60 ba84 4af4 92ec 2cc4 4449 c569 7b32 6919 703b ac03 1cae 7f60",
            "TVQ3DHPP7VNGBOUEJL2JF3BMYRCETRLJPMZGSGLQHOWAGHFOP5QA",
        ] {
            assert_eq!(KeyMaterial::of(text.as_bytes()), Some(KeyMaterial::Likely), "{text}");
        }
        let raw: Vec<u8> = (1..=32).map(|n: u8| n.wrapping_mul(57)).collect();
        assert_eq!(KeyMaterial::of(&raw), Some(KeyMaterial::Evident));
    }

    #[test]
    fn what_people_give_is_no_key() {
        for value in [
            "",
            "/etc/argo-attest/key/attest.key",
            "./out dir/My Report (final).pdf",
            "env://ARGO_ATTEST_SIGNING_KEY",
            "https://ci.example.com/argo/builders/Linux-x86_64-v2",
            "s3://artifacts/build-7/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG",
            "registry.example.com/argo-attest:0.1.0@sha256:9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "argo_attest::store=debug,hyper=info",
            "grün/日本/файл",
            "127.0.0.1:9090",
            "{\"name\":\"message\",\"value\":\"hello\"}",
            "720h30m",
        ] {
            assert_eq!(KeyMaterial::of(value.as_bytes()), None, "{value}");
        }
        // ISO 8859-1, KOI8-R.
        assert_eq!(KeyMaterial::of(b"Bericht f\xfcr M\xe4rz.txt"), None);
        assert_eq!(
            KeyMaterial::of(b"\xc6\xcf\xd4\xcf\xc7\xd2\xc1\xc6\xc9\xd1\xce\xc1\xd0\xc1\xcd\xd1\xd4\xd8"),
            None
        );
    }
}
