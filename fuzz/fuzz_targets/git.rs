//! A staged repository's own files: the input is `HEAD`, a ref and `packed-refs`,
//! parted by NUL. What is found is a commit's id, and nothing else is ever read.
#![no_main]

use argo_attest_core::git::{GitError, commit};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |b| *b == 0);
    let (head, loose, packed) = (parts.next(), parts.next(), parts.next());
    let found = commit(|path, limit| -> Result<_, GitError> {
        let part = match path.as_bytes() {
            b".git/HEAD" => head,
            b".git/packed-refs" => packed,
            path => {
                assert!(path.starts_with(b".git/refs/"), "{path:?}");
                loose.filter(|loose| !loose.is_empty())
            }
        };
        Ok(part.map(|part| part.iter().copied().take(usize::try_from(limit).unwrap()).collect()))
    });
    if let Ok(id) = found {
        assert!(id.len() == 40 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    }
});
