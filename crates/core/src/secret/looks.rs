//! Where in a text something may be a key, whatever stands around it.
//!
//! Asked of what is about to be said, not of what is given: to leave out a name that only
//! has the looks of a key costs a reader a guess, to repeat a key costs the key. So parts
//! are found within words, and `/`, which base64 has and paths have, divides nothing.

use std::ops::Range;

use super::encoded::{self, Kind, is_base64, kind};
use super::hexadecimal;

/// How random a part of a word has to look: characters that are looked at together, the
/// tenths of a character that a word in them has at most, and the longest word. Names that
/// are put together, `GithubComArgoproj`, have longer ones; of 100,000 paths of a machine
/// some 600 look so, of random base64 of 24 characters more than 98 in 100.
const LOOKS: [(usize, usize, usize, usize); 2] = [(24, 32, 8, 2), (16, 26, 6, 2)];

/// Characters of base32, in capitals or not, from which on they may be a key's. Nix has
/// names of 32.
const UPPER: usize = 24;
const LOWER: usize = 48;

/// Whether anything in the text may be a key, as it is or as its escapes mean it.
pub(super) fn may_hold(text: &[u8]) -> bool {
    !parts(text).is_empty() || hides(text)
}

/// Whether something that may be a key comes to light when the escapes of URLs and of JSON
/// are undone, once or again and again.
pub(super) fn hides(text: &[u8]) -> bool {
    let mut text = text.to_vec();
    for _ in 0..3 {
        let plain = unescaped(&text);
        if plain == text {
            return false;
        }
        if !parts(&plain).is_empty() {
            return true;
        }
        text = plain;
    }
    false
}

/// The parts of a text that may be keys, in order, none in another.
pub(super) fn parts(text: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<_> = runs(text, is_base64)
        .filter(|run| !is_fingerprint(text, run) && is_key(text, run))
        .map(|run| run.start..padded(text, run.end))
        .chain(hexadecimal::parts(text))
        .collect();
    found.sort_by_key(|part| part.start);
    let mut parts: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for next in found {
        match parts.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => parts.push(next),
        }
    }
    parts
}

/// Runs of such bytes, as long as can be.
pub(super) fn runs(text: &[u8], is: fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.iter().position(|b| is(*b))?;
        let rest = text.get(start..)?;
        from = start + rest.iter().position(|b| !is(*b)).unwrap_or(rest.len());
        Some(start..from)
    })
}

/// What everybody may see, and says what it is: the id of a key, the digest of a directory.
fn is_fingerprint(text: &[u8], run: &Range<usize>) -> bool {
    let before = text.get(..run.start).unwrap_or_default();
    run.len() == 43 && (before.ends_with(b"SHA256:") || before.ends_with(b"h1:"))
}

fn is_key(text: &[u8], run: &Range<usize>) -> bool {
    let word = text.get(run.clone()).unwrap_or_default();
    stretches(word).into_iter().any(looks_random)
        || word.split(|b| *b == b'/').any(encoded::is_random)
        || word.split(|b| !b.is_ascii_uppercase() && !b.is_ascii_digit()).any(is_base32)
        || word.split(|b| !b.is_ascii_lowercase() && !b.is_ascii_digit()).any(is_base32)
        || ends_padded(text, run)
}

/// What is left of a path between the folders in it that have plain names, `config`: a
/// temporary folder's few random letters do not make a key of those that follow.
fn stretches(word: &[u8]) -> Vec<&[u8]> {
    let is_name = |part: &[u8]| {
        let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(b);
        part.len() >= 3 && part.first().is_some_and(u8::is_ascii_lowercase) && part.iter().all(plain)
    };
    let (mut found, mut from, mut at) = (Vec::new(), 0, 0);
    for part in word.split(|b| *b == b'/') {
        if is_name(part) {
            found.extend(word.get(from..at));
            from = at + part.len();
        }
        at += part.len() + 1;
    }
    found.extend(word.get(from..));
    found
}

fn looks_random(stretch: &[u8]) -> bool {
    LOOKS.into_iter().any(|(length, few, longest, least)| {
        stretch.windows(length).any(|part| is_random(part, few, longest, least))
    })
}

fn is_random(part: &[u8], few: usize, longest: usize, least: usize) -> bool {
    let count = |is: fn(&u8) -> bool| part.iter().filter(|b| is(b)).count();
    let characters = count(u8::is_ascii_alphanumeric);
    if count(u8::is_ascii_uppercase) < least
        || count(u8::is_ascii_lowercase) < least
        || (part.len() - characters) * 6 > part.len()
    {
        return false;
    }
    let words = encoded::words(part);
    words.longest <= longest && characters * 10 < words.count * few
}

/// Letters of one case and digits, many of them and well mixed: base32 (RFC 4648 section
/// 6), and what age and others make of it. Digits in hexadecimal are another matter.
pub(super) fn is_base32(word: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| word.iter().any(is);
    let enough = match (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase)) {
        (true, false) => word.len() >= UPPER,
        (false, true) => word.len() >= LOWER,
        _ => false,
    };
    enough
        && word.iter().all(u8::is_ascii_alphanumeric)
        && !word.iter().all(u8::is_ascii_hexdigit)
        && encoded::words(word).count >= 4
}

/// The last line of a key may be short; its padding gives it away.
fn ends_padded(text: &[u8], run: &Range<usize>) -> bool {
    let end = padded(text, run.end);
    let word = text.get(run.clone()).unwrap_or_default();
    let tail = word.get(word.len().saturating_sub(16)..).unwrap_or_default();
    let kinds = [Kind::Lower, Kind::Upper];
    (1..=2).contains(&(end - run.end))
        && tail.len() >= 10
        && text.get(end).is_none_or(|b| !b.is_ascii_alphanumeric())
        && kinds.iter().all(|wanted| tail.iter().filter(|b| kind(**b) == *wanted).count() >= 2)
}

fn padded(text: &[u8], end: usize) -> usize {
    end + text.iter().skip(end).take_while(|b| **b == b'=').count()
}

/// With what escapes stand for: `%2F`, `\x2f`, `\u002f`, `\/`, and a space for `\n`.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let digits = |from: usize, count: usize| {
            let digits = str::from_utf8(rest.get(from..from + count)?).ok()?;
            u8::from_str_radix(digits, 16).ok().map(|byte| (byte, from + count))
        };
        let escape = match (first, tail.first()) {
            (b'%', _) => digits(1, 2),
            (b'\\', Some(b'x')) => digits(2, 2),
            (b'\\', Some(b'u')) if rest.get(2..4) == Some(b"00") => digits(4, 2),
            (b'\\', Some(b'n' | b'r' | b't')) => Some((b' ', 2)),
            (b'\\', Some(other)) => Some((*other, 2)),
            _ => None,
        };
        let (byte, length) = escape.unwrap_or((*first, 1));
        bytes.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;
    use crate::digest::Sha256Digest;

    #[test]
    fn what_errors_name_stays() {
        for text in [
            "cannot read /home/user/.cargo/registry/src/index.crates.io-6f17d22bba15001f/serde_json-1.0.140/src/lib.rs",
            "/builds/target/debug/deps/argo_attest-20507cd237465753",
            "target/x86_64-unknown-linux-gnu/release/build/ring-0a1b2c3d4e5f6071/out",
            "s3://artifacts/hello-world-x7k2p/hello-world-x7k2p-build-3819204721/main.log",
            "/var/lib/kubelet/pods/550e8400-e29b-41d4-a716-446655440000/volumes/kubernetes.io~empty-dir/work",
            "git+https://github.com/argoproj/argo-workflows.git@da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
            "SHA256:kKHRUaqCDq3FQhmx8sYvoASLo7nEGxNaJR6pTZTgBPY",
            "dirHash:h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "alpine@sha256:9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "blobs/sha256/9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "{\"sha256\":\"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\"}",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "/nix/store/s66mzxpvicwk07gjbjfw9izjfa797vsw-hello-2.12.1/bin/hello",
            "/tmp/.tmp0yuExV/config/argo-attest/attest.pub",
            "/tmp/tmp.RaNdOm12Xy/out/artifacts/main.log",
            "/private/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/.tmpAbCdEf/out",
            "GithubComArgoprojArgoWorkflowsTemplateSpec.md",
            "the variable AWS_WEB_IDENTITY_TOKEN_FILE, or AWS_ROLE_ARN",
            "arn:aws:iam::123456789012:role/ArgoWorkflowArtifacts",
            "https://sts.eu-central-1.amazonaws.com/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15",
            "2026-11-25T20:13:31.569Z, 12:30:45, aa:bb:cc:dd:ee:ff, fe80:0000:0000:0000:0202:b3ff:fe1e:8329",
            "%2Ftmp%2Fout dir\\n%20x",
        ] {
            assert!(!may_hold(text.as_bytes()), "{text}");
        }
    }

    /// Everything of a key that people paste, from bytes that look random.
    fn keys(n: u32) -> Vec<String> {
        let bytes = ["a", "b"].map(|of| *Sha256Digest::of(format!("{of}{n}").as_bytes()).as_bytes());
        let (seed, bytes) = (bytes[0], bytes.concat());
        let line = STANDARD.encode(&bytes[..48]);
        let pairs = seed.map(|b| format!("{b:02x}"));
        let words: Vec<_> = pairs.chunks(2).map(<[String]>::concat).collect();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let base32: String = bytes[..52].iter().map(|b| char::from(alphabet[usize::from(b % 32)])).collect();
        let url_safe = URL_SAFE_NO_PAD.encode(seed);
        vec![
            line.replace('/', "%2F"),
            line.replace('/', "%252F"),
            line.replace('/', "\\/"),
            format!("{}\\n{}", &line[..32], &line[32..]),
            line[..32].to_owned(),
            line,
            URL_SAFE_NO_PAD.encode(&bytes[..48]),
            format!("{{\"kty\":\"OKP\",\"d\":\"{url_safe}\"}}"),
            url_safe,
            pairs.concat(),
            pairs.concat().to_uppercase(),
            pairs.join(" "),
            pairs.join(":"),
            pairs.join(", 0x"),
            pairs.join("\\x"),
            words.join(" "),
            base32,
        ]
    }

    #[test]
    fn a_key_is_found_within() {
        for key in (0..100).flat_map(keys) {
            for text in [
                key.clone(),
                format!("s3://bucket/{key}"),
                format!("file:///{key}.pub"),
                format!("x?{key}#a"),
                format!("127.0.0.1:{key}"),
                format!("a={key}, or --type=x{key}"),
                format!("reg.example/{key}@sha256:x"),
            ] {
                assert!(may_hold(text.as_bytes()), "{text}");
            }
        }
    }
}
