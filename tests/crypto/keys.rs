//! What is a key and what is not, and that keys stay out of every text.

use argo_attest::signer::{load_private, load_public};
use argo_attest_core::keys::{InvalidKey, KeyType, PrivateKey, PublicKey};
use argo_attest_core::trouble::Trouble as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::key_files::write;

fn generate(key_type: KeyType) -> PrivateKey {
    PrivateKey::generate(key_type).unwrap()
}

fn block(label: &str) -> String {
    format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n")
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn base64_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

#[test]
fn wrong_inputs_have_names_and_remedies() {
    let private = generate(KeyType::Ed25519).to_pkcs8_pem();
    let public = generate(KeyType::Ed25519).public().to_spki_pem();
    let twice = format!("{}{}", *private, *private);
    let rsa = InvalidKey::Algorithm { found: "an RSA key" };
    let cases: Vec<(Vec<u8>, InvalidKey, InvalidKey)> = vec![
        (vec![], InvalidKey::Empty, InvalidKey::Empty),
        (b" \n".to_vec(), InvalidKey::Empty, InvalidKey::Empty),
        (b"hello".to_vec(), InvalidKey::NotPem, InvalidKey::NotPem),
        (vec![0xff; 70_000], InvalidKey::TooLarge { limit: 65536 }, InvalidKey::TooLarge { limit: 65536 }),
        (b"0\x2e\x02\x01\0".to_vec(), InvalidKey::Der, InvalidKey::Der),
        (b"ssh-ed25519 AAAA me@here".to_vec(), InvalidKey::OpenSshPublic, InvalidKey::OpenSshPublic),
        (block("ENCRYPTED PRIVATE KEY").into(), InvalidKey::Encrypted, InvalidKey::PrivateForPublic),
        (
            block("ENCRYPTED SIGSTORE PRIVATE KEY").into(),
            InvalidKey::CosignEncrypted,
            InvalidKey::PrivateForPublic,
        ),
        (block("EC PRIVATE KEY").into(), InvalidKey::Damaged, InvalidKey::PrivateForPublic),
        (
            format!("{}{}", block("EC PARAMETERS"), block("EC PRIVATE KEY")).into(),
            InvalidKey::Damaged,
            InvalidKey::PrivateForPublic,
        ),
        (block("EC PARAMETERS").into(), InvalidKey::CurveAlone, InvalidKey::CurveAlone),
        (utf16(&private), InvalidKey::Utf16, InvalidKey::Utf16),
        (base64_of(&private).into(), InvalidKey::BareBase64, InvalidKey::Damaged),
        (block("OPENSSH PRIVATE KEY").into(), InvalidKey::OpenSsh, InvalidKey::PrivateForPublic),
        (block("RSA PRIVATE KEY").into(), rsa, InvalidKey::PrivateForPublic),
        (block("RSA PUBLIC KEY").into(), InvalidKey::PublicForPrivate, InvalidKey::Pkcs1Public),
        (block("CERTIFICATE").into(), InvalidKey::Certificate, InvalidKey::Certificate),
        (block("X").into(), InvalidKey::OtherPem, InvalidKey::OtherPem),
        (block("PRIVATE KEY").into(), InvalidKey::Damaged, InvalidKey::PrivateForPublic),
        (block("PUBLIC KEY").into(), InvalidKey::PublicForPrivate, InvalidKey::Damaged),
        (public.clone().into(), InvalidKey::PublicForPrivate, InvalidKey::SeveralBlocks),
        (twice.into(), InvalidKey::SeveralBlocks, InvalidKey::PrivateForPublic),
        (private.as_bytes()[..60].to_vec(), InvalidKey::DamagedPem, InvalidKey::PrivateForPublic),
        (private.replace("IE", "I!").into(), InvalidKey::DamagedPem, InvalidKey::PrivateForPublic),
        (b"-----BEGIN PRIVATE KEY".to_vec(), InvalidKey::DamagedPem, InvalidKey::DamagedPem),
    ];
    for (text, as_private, as_public) in cases {
        let shown = String::from_utf8_lossy(&text[..text.len().min(200)]).into_owned();
        let error = PrivateKey::from_pem(&text).unwrap_err();
        assert_eq!(error, as_private, "{shown}");
        assert!(!error.remedy("FILE").is_empty() && !error.remedy("FILE").contains('\n'));
        let text = if text == public.as_bytes() { format!("{public}{public}").into() } else { text };
        assert_eq!(PublicKey::from_spki_pem(&text).unwrap_err(), as_public, "{shown}");
    }
}

/// Other algorithms in the right containers: the identifiers of RFC 8017, RFC 5480 and
/// RFC 8410, with contents that nobody gets to look at.
#[test]
fn other_algorithms_are_named() {
    for (algorithm, found) in [
        ("300d06092a864886f70d0101010500", "an RSA key"),
        ("301006072a8648ce3d020106052b81040022", "an elliptic curve key that is not on P-256"),
        ("301006072a8648ce3d020106052b8104000a", "an elliptic curve key that is not on P-256"),
        ("300506032b656e", "an X25519, X448 or Ed448 key"),
        ("300506032b6571", "an X25519, X448 or Ed448 key"),
        ("300906072a8648ce380401", "a key of another algorithm"),
    ] {
        let algorithm: Vec<u8> = algorithm
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let sequence = |body: Vec<u8>| [&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat();
        let private = sequence([&[2, 1, 0], algorithm.as_slice(), &[4, 2, 4, 0]].concat());
        let public = sequence([algorithm.as_slice(), &[3, 2, 0, 1]].concat());
        assert_eq!(PrivateKey::from_pkcs8_der(&private).unwrap_err(), InvalidKey::Algorithm { found });
        let refused = PublicKey::from_spki_der(&public).unwrap_err();
        // Of two of them others sign, so that only what is in there is wrong.
        let verified = found == "an RSA key" || algorithm.ends_with(&[0x81, 0x04, 0x00, 0x22]);
        let expected = if verified { InvalidKey::Damaged } else { InvalidKey::PublicAlgorithm { found } };
        assert_eq!(refused, expected, "{found}");
    }
}

/// The public key that SEC 1 keeps beside the scalar, exchanged.
#[test]
fn a_private_key_with_a_foreign_public_key_is_refused() {
    let der = |key: &PrivateKey| {
        let pem = key.to_pkcs8_pem();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(base64).unwrap()
    };
    let (one, two) = (der(&generate(KeyType::EcdsaP256)), der(&generate(KeyType::EcdsaP256)));
    PrivateKey::from_pkcs8_der(&one).unwrap();
    let point = one.len() - 65;
    let mixed = [&one[..point], &two[point..]].concat();
    assert_eq!(PrivateKey::from_pkcs8_der(&mixed).unwrap_err(), InvalidKey::Damaged);
}

#[test]
fn text_that_editors_and_windows_leave_behind_does_no_harm() {
    let key = generate(KeyType::EcdsaP256);
    let pem = key.to_pkcs8_pem();
    for text in [
        pem.replace('\n', "\r\n"),
        pem.trim_end().to_owned(),
        format!("\n\n{}\n \n", *pem),
        format!("\u{feff}{}", *pem),
        format!("{}# the key of the year\n", *pem),
        pem.trim_end().replace('\n', "\\n"),
        format!("\"{}\"", pem.replace('\n', "\\n")),
        format!("    {}", pem.replace('\n', "\n    ")),
        format!("Key Attributes\n  name: x\n{}", *pem),
    ] {
        assert_eq!(PrivateKey::from_pem(text.as_bytes()).unwrap().public(), key.public(), "{text}");
    }
}

/// Nothing that can be printed has a key in it, whole or in part.
#[test]
fn keys_never_leak_into_text() {
    for key_type in KeyType::ALL {
        let key = generate(key_type);
        let pem = key.to_pkcs8_pem();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(&base64).unwrap();
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("attest.key");

        let mut texts = vec![format!("{key:?} {key:#?}")];
        // Every way to spoil the file: cut short, altered, in the wrong container, lax.
        let mut spoilt: Vec<Vec<u8>> = (0..pem.len()).map(|end| pem.as_bytes()[..end].to_vec()).collect();
        spoilt.extend((0..pem.len()).map(|at| {
            let mut text = pem.as_bytes().to_vec();
            text[at] ^= 0x11;
            text
        }));
        spoilt.push(base64.clone().into_bytes());
        spoilt.push(der.clone());
        spoilt.push(pem.replace("PRIVATE", "PUBLIC").into_bytes());
        spoilt.push(pem.replace("PRIVATE", "EC PRIVATE").into_bytes());
        let mut all = |error: &dyn std::error::Error, remedy: String| {
            texts.push(format!("{error} {error:?} {error:#?} {remedy}"));
            let mut source = error.source();
            while let Some(cause) = source {
                texts.push(format!("{cause} {cause:?}"));
                source = cause.source();
            }
        };
        for text in &spoilt {
            write(&path, text, 0o600);
            if let Err(error) = load_private(&path) {
                all(&error, error.remedy().unwrap());
            }
            if let Err(error) = load_public(&path) {
                all(&error, error.remedy().unwrap());
            }
            if let Err(error) = PrivateKey::from_pkcs8_der(text) {
                all(&error, error.remedy("FILE"));
            }
        }
        write(&path, pem.as_bytes(), 0o644);
        let error = load_private(&path).unwrap_err();
        all(&error, error.remedy().unwrap());

        let secret = &der[if key_type == KeyType::Ed25519 { 16..48 } else { 36..68 }];
        let hex: String = secret
            .iter()
            .flat_map(|b| [b >> 4, b & 15])
            .filter_map(|d| char::from_digit(d.into(), 16))
            .collect();
        let decimal = secret.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let text = texts.join("\n");
        assert!(texts.len() > spoilt.len(), "{}", texts.len());
        for window in base64.as_bytes()[24..].windows(12) {
            let canary = std::str::from_utf8(window).unwrap();
            // The public key follows the private one in P-256, and starts at its own place.
            assert!(!text.contains(canary), "{key_type}: base64");
        }
        for canary in [&hex[..16], &hex[48..], &hex.to_uppercase()[..16], &decimal[..24]] {
            assert!(!text.contains(canary), "{key_type}: hexadecimal or decimal");
        }
    }
}
