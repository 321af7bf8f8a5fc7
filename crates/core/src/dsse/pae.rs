//! What is signed.

/// The one type of payload that is read and written: an in-toto statement in JSON.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Pre-Authentication Encoding (DSSE protocol, "Signature Definition"): `DSSEv1`,
/// then the type and the body, each preceded by its length in bytes, in decimal.
/// Since the lengths are signed, no two pairs of type and body have the same encoding.
pub fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let mut out = head(payload_type, body.len()).into_bytes();
    out.reserve_exact(body.len());
    out.extend_from_slice(body);
    out
}

/// What stands before a body of so many bytes.
pub(super) fn head(payload_type: &str, length: usize) -> String {
    format!("DSSEv1 {} {payload_type} {length} ", payload_type.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example in the DSSE protocol.
    #[test]
    fn agrees_with_the_published_example() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn counts_bytes_and_not_characters() {
        assert_eq!(pae("ü", "é".as_bytes()), "DSSEv1 2 ü 2 é".as_bytes());
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }

    proptest! {
        #[test]
        fn no_two_inputs_share_an_encoding(a: (String, Vec<u8>), b: (String, Vec<u8>)) {
            prop_assert_eq!(pae(&a.0, &a.1) == pae(&b.0, &b.1), a == b);
        }

        #[test]
        fn moving_a_byte_across_the_boundary_changes_it(kind in "[ -~]{1,8}", body in "[ -~]{1,8}") {
            let (head, tail) = body.split_at(1);
            prop_assert_ne!(pae(&kind, body.as_bytes()), pae(&format!("{kind}{head}"), tail.as_bytes()));
        }
    }
}
