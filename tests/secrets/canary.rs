//! Key material of every kind, and the search for it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::keys::{KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// So many bytes of a secret in a row are a leak.
const WINDOW: usize = 12;

/// How the body of every Ed25519 or P-256 key in PKCS#8 begins: no secret.
const PUBLIC_HEAD: usize = 24;

/// Key material, and what of it is secret.
pub(crate) struct Canary {
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
    secrets: Vec<Vec<u8>>,
}

impl Canary {
    pub(crate) fn new(name: impl Into<String>, value: impl Into<Vec<u8>>, secrets: &[&str]) -> Self {
        let value = value.into();
        let secrets = secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect();
        Self { name: name.into(), value, secrets }
    }

    pub(crate) fn argument(&self) -> OsString {
        OsString::from_vec(self.value.clone())
    }
}

/// Bytes that look random and are always the same.
fn random(seed: &str, length: usize) -> Vec<u8> {
    (0..).flat_map(|n| *Sha256Digest::of(format!("{seed} {n}").as_bytes()).as_bytes()).take(length).collect()
}

/// A PEM block of somebody's, with these bytes in it.
fn pem(label: &str, bytes: &[u8], width: usize) -> (String, Vec<String>) {
    let body = STANDARD.encode(bytes);
    let lines: Vec<_> =
        body.as_bytes().chunks(width).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    (format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")), lines)
}

/// Every kind of key that people have, in every form in which it is pasted.
pub(crate) fn canaries() -> Vec<Canary> {
    let mut all = Vec::new();
    for key_type in KeyType::ALL {
        let key = PrivateKey::generate(key_type).unwrap();
        let pem = key.to_pkcs8_pem().to_string();
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let body = lines.concat();
        let secret = &body[PUBLIC_HEAD..];
        let der = STANDARD.decode(&body).unwrap();
        let url_safe = URL_SAFE_NO_PAD.encode(&der);
        let of_pem = STANDARD.encode(&pem);
        let one_line = pem.replace('\n', "\\n");
        let spaces = pem.replace('\n', " ");
        let secrets = [&[secret][..], &lines[1..]].concat();
        let mut first_line = vec![&lines[0][PUBLIC_HEAD..]];
        first_line.extend(&lines[1..]);
        let name = |form: &str| format!("{key_type} {form}");
        all.push(Canary::new(name("PEM"), pem.as_str(), &first_line));
        all.push(Canary::new(name("PEM with \\n"), one_line, &first_line));
        all.push(Canary::new(name("PEM with spaces"), spaces, &first_line));
        all.push(Canary::new(name("base64"), body.as_str(), &secrets));
        all.push(Canary::new(name("base64url"), url_safe.as_str(), &[&url_safe[PUBLIC_HEAD..]]));
        all.push(Canary::new(name("base64 of PEM"), of_pem.as_str(), &[&of_pem[80..]]));
        for line in &lines {
            all.push(Canary::new(name("line"), *line, &[&line[line.len().min(PUBLIC_HEAD)..]]));
        }
        let without_zeros: Vec<u8> = der.iter().copied().filter(|byte| *byte != 0).collect();
        let raw = without_zeros[without_zeros.len() - 20..].to_vec();
        all.push(Canary { name: name("DER"), value: without_zeros, secrets: vec![raw] });
    }
    let mut rsa = vec![0x30, 0x82, 0x04, 0xbd, 0x02, 0x01, 0x00];
    rsa.extend(random("rsa", 1210));
    let others = [
        ("RSA PRIVATE KEY", rsa.clone(), 64),
        ("PRIVATE KEY", rsa, 64),
        ("EC PRIVATE KEY", [&[0x30, 0x77, 0x02, 0x01, 0x01][..], &random("sec1", 114)].concat(), 64),
        ("OPENSSH PRIVATE KEY", [b"openssh-key-v1\0".as_slice(), &random("ssh", 240)].concat(), 70),
        ("ENCRYPTED PRIVATE KEY", random("pbes2", 170), 64),
        (
            "ENCRYPTED SIGSTORE PRIVATE KEY",
            format!("{{\"kdf\":{:?}}}", STANDARD.encode(random("c", 300))).into(),
            64,
        ),
    ];
    for (label, bytes, width) in others {
        let (text, lines) = pem(label, &bytes, width);
        let secrets: Vec<&str> = lines.iter().skip(1).map(String::as_str).collect();
        all.push(Canary::new(format!("{label} PEM"), text, &secrets));
        let (middle, last) = (&lines[lines.len() / 2], &lines[lines.len() - 1]);
        all.push(Canary::new(format!("{label} middle line"), middle.as_str(), &[middle]));
        all.push(Canary::new(format!("{label} last line"), last.as_str(), &[last]));
    }
    let seed = random("seed", 32);
    let hex = seed.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let pairs: Vec<_> = seed.iter().take(15).map(|byte| format!("{byte:02x}")).collect();
    let bech32: String =
        random("age", 58).iter().map(|b| char::from(b"QPZRY9X8GF2TVDW0"[usize::from(b % 16)])).collect();
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signature = URL_SAFE_NO_PAD.encode(random("jwt", 64));
    let token = format!("{}.{}.{signature}", part("{\"alg\":\"ES256\"}"), part("{\"sub\":\"system:sa\"}"));
    for (name, value, secret) in [
        ("seed in hexadecimal", hex.clone(), hex.clone()),
        ("seed in capitals", hex.to_uppercase(), hex.to_uppercase()),
        ("seed in pairs", pairs.join(":"), pairs.join(":")),
        ("seed in base64", STANDARD.encode(&seed), STANDARD.encode(&seed)),
        ("seed in base64url", URL_SAFE_NO_PAD.encode(&seed), URL_SAFE_NO_PAD.encode(&seed)),
        ("age identity", format!("AGE-SECRET-KEY-1{bech32}"), bech32),
        ("token", token, signature),
    ] {
        all.push(Canary::new(name, value, &[&secret]));
    }
    let bytes: Vec<u8> = seed.iter().copied().filter(|byte| *byte != 0).collect();
    all.push(Canary { name: "seed".into(), value: bytes.clone(), secrets: vec![bytes] });
    all
}

/// Everything of all canaries that must not come out.
pub(crate) struct Search {
    windows: HashSet<Vec<u8>>,
    /// By how they begin: of megabytes that come out, next to nothing has to be hashed.
    beginnings: Vec<bool>,
}

/// Where [`Search::beginnings`] knows what begins so.
fn beginning(window: &[u8]) -> usize {
    window.iter().take(4).fold(0, |all, byte| (all << 5) ^ usize::from(*byte)) & 0xf_ffff
}

impl Search {
    pub(crate) fn of(canaries: &[Canary]) -> Self {
        let secrets = canaries.iter().flat_map(|canary| &canary.secrets);
        let windows: HashSet<_> =
            secrets.flat_map(|secret| secret.windows(WINDOW).map(<[u8]>::to_vec)).collect();
        let mut beginnings = vec![false; 0x10_0000];
        for window in &windows {
            beginnings[beginning(window)] = true;
        }
        Self { windows, beginnings }
    }

    /// A part of a secret that is in there, as it is or escaped.
    pub(crate) fn leak(&self, said: &[u8]) -> Option<String> {
        let mut forms = vec![said.to_vec()];
        if said.contains(&b'%') {
            forms.push(unescaped(said, b"%"));
        }
        if said.contains(&b'\\') {
            forms.extend([unescaped(said, b"\\x"), without(said, b'\\')]);
        }
        let is_secret = |part: &&[u8]| self.beginnings[beginning(part)] && self.windows.contains(*part);
        let found = forms.iter().flat_map(|form| form.windows(WINDOW)).find(is_secret)?;
        Some(String::from_utf8_lossy(found).into_owned())
    }
}

/// With what two hexadecimal digits after a mark stand for.
fn unescaped(text: &[u8], mark: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let digits = rest.strip_prefix(mark).and_then(|after| after.split_at_checked(2));
        let value = digits.and_then(|(digits, after)| {
            Some((u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?, after))
        });
        let (byte, next) = value.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = next;
    }
    bytes
}

fn without(text: &[u8], byte: u8) -> Vec<u8> {
    text.iter().copied().filter(|b| *b != byte).collect()
}

#[test]
fn a_leak_is_found_in_every_form() {
    let all = canaries();
    for canary in &all {
        let search = Search::of(std::slice::from_ref(canary));
        let escaped = canary.value.iter().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let quoted = format!("{:?}", String::from_utf8_lossy(&canary.value));
        assert!(search.leak(&[b"error: ".as_slice(), &canary.value].concat()).is_some(), "{}", canary.name);
        assert!(search.leak(escaped.as_bytes()).is_some(), "{}", canary.name);
        assert!(
            canary.value.len() > 60 || search.leak(quoted.as_bytes()).is_some() || !canary.value.is_ascii()
        );
        assert_eq!(search.leak(b"error: --key was given a key itself; it is not repeated here"), None);
    }
}
