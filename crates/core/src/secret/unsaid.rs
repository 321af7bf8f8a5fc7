//! What this process was given and must not repeat, in parts either.
//!
//! A value that may hold a key is hidden wherever it is told whole. But programs take values
//! apart: of `s3://AbC…/dEf…` the bucket is told alone, of a URL the host, of a path a
//! folder, and a dozen characters of a key do not have the looks of one. So the parts of
//! what was given are kept here, and no text that goes out has them.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

use super::looks;

/// Characters of a part that are worth hiding: 48 bits of a key.
const LEAST: usize = 8;

static UNSAID: RwLock<Vec<Vec<u8>>> = RwLock::new(Vec::new());

/// Takes what was given to this process in place of what it was given before: parts of it
/// that may be of a key are not in anything that [`redacted`](super::redacted) gives.
pub fn never_repeat<'a>(given: impl IntoIterator<Item = &'a [u8]>) {
    let parts = given.into_iter().flat_map(parts).collect();
    *UNSAID.write().unwrap_or_else(PoisonError::into_inner) = parts;
}

/// What a program may tell alone of a value: that between slashes, in what may be a key.
fn parts(value: &[u8]) -> Vec<Vec<u8>> {
    let keys = looks::parts(value);
    let words =
        keys.iter().filter_map(|key| value.get(key.clone())).flat_map(|key| key.split(|b| *b == b'/'));
    words.filter(|word| word.len() >= LEAST && is_mixed(word)).map(<[u8]>::to_ascii_lowercase).collect()
}

/// A plain word beside a key is none of it: `artifacts` in `artifacts/AbC…`.
fn is_mixed(word: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| word.iter().any(is);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

/// Without any of these parts. Hosts are told in small letters, so case says nothing.
pub(super) fn without_unsaid(text: Cow<'_, str>) -> Cow<'_, str> {
    let unsaid = UNSAID.read().unwrap_or_else(PoisonError::into_inner);
    unsaid.iter().fold(text, |text, part| without(text, part))
}

fn without<'a>(text: Cow<'a, str>, part: &[u8]) -> Cow<'a, str> {
    let lower = text.as_bytes().to_ascii_lowercase();
    let mut kept = String::new();
    let mut from = 0;
    while let Some(at) = lower.get(from..).and_then(|rest| rest.windows(part.len()).position(|w| w == part)) {
        // A part is ASCII: what is before and behind it is text.
        kept.push_str(text.get(from..from + at).unwrap_or_default());
        kept.push('…');
        from += at + part.len();
    }
    if from == 0 {
        return text;
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_key_is_not_told_alone() {
        let given = parts(b"s3://2bpCVaHoA6Rpk/3vVpguoRK9JLsLMREScVpezJpGXA7rAMcrn9gAbC/artifacts");
        assert_eq!(given, [b"2bpcvahoa6rpk".as_slice(), b"3vvpguork9jlslmrescvpezjpgxa7ramcrn9gabc"]);
        let told = |text: &'static str| given.iter().fold(Cow::from(text), |text, part| without(text, part));
        assert_eq!(told("s3://2bpCVaHoA6Rpk: no region is set"), "s3://…: no region is set");
        assert_eq!(told("ä2bpcvahoa6rpk.s3.example, 2bpCVaHoA6Rpk"), "ä….s3.example, …");
        assert_eq!(told("artifacts"), "artifacts");
    }

    #[test]
    fn of_what_is_no_key_everything_is_told() {
        for plain in [
            "s3://Artifacts-Of-Mine/GithubComArgoprojArgoWorkflowsTemplateSpec.md",
            "/tmp/.tmp0yuExV/config/argo-attest/attest.pub",
        ] {
            assert_eq!(parts(plain.as_bytes()), Vec::<Vec<u8>>::new());
        }
    }
}
