//! How tokens write keys and signatures of elliptic curves: PKCS#11 3.1, section 6.3.

use argo_attest_core::keys::{KeyType, PublicKey, Signature};

/// The DER of what `CKA_EC_PARAMS` says of curves: as an identifier, and for Edwards' also by name.
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const ED25519: [&[u8]; 2] = [b"\x06\x03\x2b\x65\x70", b"\x13\x0cedwards25519"];
/// Tags of DER.
const OCTET_STRING: u8 = 4;
const BIT_STRING: u8 = 3;

/// The curve, if it is one that we sign with.
pub(super) fn curve(parameters: &[u8]) -> Option<KeyType> {
    match parameters {
        P256 => Some(KeyType::EcdsaP256),
        named if ED25519.contains(&named) => Some(KeyType::Ed25519),
        _ => None,
    }
}

/// The key that `CKA_EC_POINT` is on this curve: the DER of an octet string, or, as some tokens have
/// it, of a bit string, or the bytes alone. Which of these it is its length says: they differ by it.
pub(super) fn public_key(curve: KeyType, point: &[u8]) -> Option<PublicKey> {
    let length = match curve {
        KeyType::Ed25519 => 32,
        KeyType::EcdsaP256 => 65,
    };
    let bytes = match point {
        bytes if bytes.len() == length => bytes,
        [OCTET_STRING, said, bytes @ ..] | [BIT_STRING, said, 0, bytes @ ..]
            if bytes.len() == length && usize::from(*said) == point.len() - 2 =>
        {
            bytes
        }
        _ => return None,
    };
    match curve {
        KeyType::Ed25519 => PublicKey::from_ed25519_bytes(bytes.try_into().ok()?).ok(),
        KeyType::EcdsaP256 => PublicKey::from_p256_point(bytes).ok(),
    }
}

/// The signature as it is transmitted. What is none is kept as it is, and verifies nowhere.
pub(super) fn signature(curve: KeyType, given: Vec<u8>) -> Signature {
    match curve {
        KeyType::Ed25519 => given.into(),
        KeyType::EcdsaP256 => Signature::from_p256_pair(&given).unwrap_or_else(|| given.into()),
    }
}

#[cfg(test)]
mod tests {
    use argo_attest_core::keys::PrivateKey;

    use super::*;

    /// The bits of the key in its `SubjectPublicKeyInfo`, at the end of it.
    fn point(key: &PublicKey, length: usize) -> Vec<u8> {
        let der = key.to_spki_der();
        der[der.len() - length..].to_vec()
    }

    #[test]
    fn a_point_is_read_in_each_form_that_tokens_have() {
        for (kind, length) in [(KeyType::Ed25519, 32_u8), (KeyType::EcdsaP256, 65)] {
            let key = PrivateKey::generate(kind).unwrap().public().clone();
            let point = point(&key, length.into());
            let octets = [&[4, length][..], &point].concat();
            let bits = [&[3, length + 1, 0][..], &point].concat();
            for form in [&point, &octets, &bits] {
                assert_eq!(public_key(kind, form), Some(key.clone()), "{form:?}");
                assert_eq!(public_key(kind, &form[1..]), None);
                assert_eq!(public_key(kind, &[form, &[0][..]].concat()), None);
            }
            let mut lies = octets.clone();
            lies[1] += 1;
            assert_eq!(public_key(kind, &lies), None);
            assert_eq!(public_key(kind, &[]), None);
            assert_eq!(public_key(kind, &vec![0; length.into()]), None, "no point of the curve");
        }
    }

    #[test]
    fn only_curves_that_sign_here_are_taken() {
        assert_eq!(curve(P256), Some(KeyType::EcdsaP256));
        for name in ED25519 {
            assert_eq!(curve(name), Some(KeyType::Ed25519));
        }
        // secp384r1, Ed448, and nothing.
        for other in [&b"\x06\x05\x2b\x81\x04\x00\x22"[..], b"\x06\x03\x2b\x65\x71", b""] {
            assert_eq!(curve(other), None);
        }
    }

    #[test]
    fn what_is_no_signature_verifies_nowhere() {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        for given in [vec![], vec![0; 64], vec![1; 63], vec![0xff; 64], vec![1; 64]] {
            let signature = signature(KeyType::EcdsaP256, given);
            key.public().verify(b"pae", signature.as_bytes()).unwrap_err();
        }
    }
}
