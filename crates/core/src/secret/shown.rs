//! How text is told that may hold a key.

use std::borrow::Cow;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::encoded;
use super::looks;
use super::material::{self, KeyMaterial};
use super::unsaid::without_unsaid;
use crate::relpath::printable;

/// What stands for a value that is not shown.
const NOT_SHOWN: &str = "(not shown: it looks like a key)";

/// What stands for a text that is not shown.
const HOLDS_A_KEY: &str = "(not shown: it holds a private key or a token)";

/// What a token's PIN follows in the name of a key (RFC 7512 section 2.3).
const PIN: &[u8] = b"pin-value=";

/// A value that was given, in the printable form; not if it, or a part of it, may be a key.
pub fn shown(value: &[u8]) -> String {
    // `NAME=VALUE` is two parts, and an `=` at the end pads one.
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"+-_=".contains(&b);
    let random = || value.split(|b| !is_part(*b)).any(encoded::is_random);
    if KeyMaterial::of(value).is_some() || random() || looks::may_hold(value) || has_pin(value) {
        return NOT_SHOWN.to_owned();
    }
    printable(value)
}

/// The same for a path.
pub fn shown_path(path: &Path) -> String {
    shown(path.as_os_str().as_bytes())
}

/// A text of whatever origin, such as an error that quotes what was read: not if it holds
/// what is evidently a private key or a token, and without the parts that may be one, or
/// may be of one that was given ([`never_repeat`](super::never_repeat)).
pub fn redacted(text: &str) -> Cow<'_, str> {
    if material::is_private(text.as_bytes()) || has_pin(text.as_bytes()) {
        return HOLDS_A_KEY.into();
    }
    let text = without_unsaid(without_escaped(without_quoted(text)));
    let parts = looks::parts(text.as_bytes());
    let text = if parts.is_empty() { text } else { without(&text, &parts).into() };
    if looks::hides(text.as_bytes()) {
        return HOLDS_A_KEY.into();
    }
    text
}

/// Whether a PIN is in it, by its name. None has looks of its own.
fn has_pin(text: &[u8]) -> bool {
    let mut windows = text.windows(PIN.len() + 1);
    windows.any(|at| {
        let (name, value) = at.split_at(PIN.len());
        name.eq_ignore_ascii_case(PIN) && !value.iter().all(u8::is_ascii_whitespace)
    })
}

fn without(text: &str, parts: &[Range<usize>]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for part in parts {
        // They begin and end with ASCII.
        kept.push_str(text.get(from..part.start).unwrap_or_default());
        kept.push('…');
        from = part.end;
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

/// Without the words that hold a key once their escapes are undone: of those no part stays.
fn without_escaped(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_secret = |word: &str| looks::hides(word.as_bytes());
    if !text.split_ascii_whitespace().any(is_secret) {
        return text;
    }
    let kept = text.split_inclusive(char::is_whitespace).map(|word| {
        let plain = word.trim_end();
        if is_secret(plain) {
            ["…", word.get(plain.len()..).unwrap_or_default()].concat()
        } else {
            word.to_owned()
        }
    });
    Cow::Owned(kept.collect())
}

/// A quotation is judged as a whole, as the value that it is.
fn without_quoted(text: &str) -> Cow<'_, str> {
    let is_quote = |c: char| c == '"' || c == '`';
    // Quotations write new lines so.
    let is_secret = |quoted: &str| quoted.split("\\n").any(|line| encoded::is_secret(line.trim().as_bytes()));
    if !text.split(is_quote).any(is_secret) {
        return text.into();
    }
    let mut kept = String::with_capacity(text.len());
    for part in text.split_inclusive(is_quote) {
        let quoted = part.trim_end_matches(is_quote);
        let end = part.get(quoted.len()..).unwrap_or_default();
        kept.push_str(if is_secret(quoted) { "…" } else { quoted });
        kept.push_str(end);
    }
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_may_be_a_key_hides_the_whole() {
        for plain in [
            "/etc/key/attest.key",
            "frobnicate",
            "--frob",
            "out/x\ny",
            "sha256:9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        ] {
            assert_eq!(shown(plain.as_bytes()), printable(plain.as_bytes()));
        }
        for hidden in ["/keys/nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "a,nWGxne9WmC6hEr0kuwsxER"] {
            assert_eq!(shown(hidden.as_bytes()), NOT_SHOWN);
        }
    }

    #[test]
    fn a_pin_hides_the_whole() {
        let plain = "pkcs11:token=ci;object=attest;id=%01?module-path=/usr/lib/m.so&pin-source=file:/etc/pin";
        assert_eq!(shown(plain.as_bytes()), plain);
        assert_eq!(redacted(plain), plain);
        assert_eq!(redacted("pin-value= is refused"), "pin-value= is refused");
        for hidden in ["pkcs11:object=a?pin-value=1234", "pkcs11:object=a?pin-value=%31", "x PIN-VALUE=!"] {
            assert_eq!(shown(hidden.as_bytes()), NOT_SHOWN, "{hidden}");
            assert_eq!(redacted(hidden), HOLDS_A_KEY, "{hidden}");
        }
    }

    #[test]
    fn reasons_stay_and_keys_go() {
        let key_id = "SHA256:kKHRUaqCDq3FQhmx8sYvoASLo7nEGxNaJR6pTZTgBPY";
        for kept in [
            "the key is not PEM: there is no line `-----BEGIN …-----`",
            "the private key is in the older form `EC PRIVATE KEY`, not PKCS#8",
            key_id,
        ] {
            assert_eq!(redacted(kept), kept);
        }
        for gone in [
            "invalid type: string \"-----BEGIN PRIVATE KEY-----%0AMC4CAQAwBQYDK2VwBCIEIA\"",
            "cannot read /a/-----BEGIN EC PRIVATE KEY-----",
            "cannot read MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
        ] {
            assert_eq!(redacted(gone), HOLDS_A_KEY);
        }
        assert_eq!(
            redacted(
                "invalid type: string \"nWGxne9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\", expected `kind` at line 1"
            ),
            "invalid type: string \"…\", expected `kind` at line 1"
        );
        for (text, told) in [
            (
                "the attestation ./3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9gAbCdEf1G/hIjKLmNoPqRs2 does not exist",
                "the attestation .… does not exist",
            ),
            (
                "unparsed input, 9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60, is left",
                "unparsed input, …, is left",
            ),
            ("cannot read /a%2F3v%2FVpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g or b", "cannot read … or b"),
            (r#"{"kty": "OKP", "d": "x"}"#, HOLDS_A_KEY),
        ] {
            assert_eq!(redacted(text), told);
        }
    }
}
