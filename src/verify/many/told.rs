//! What is known of lines without reading them: what the listing tells of their bytes.
//!
//! Beside a bundle lies, as a rule, its very envelope as a line, and most stores list an object's
//! MD5. Lines that are of the length and the MD5 which that envelope has as a line are taken for
//! it; all others are read. MD5 is no good where somebody chooses both of two texts. Here one is
//! the envelope of the bundle beside them: if that is not what a trusted key signed, the artifact's
//! answer says so; and if it is, then other bytes with its MD5 are a second preimage, which nobody
//! can make. The store itself could as well hide them, or give an attestation when it is asked.

use std::num::NonZeroUsize;

use argo_attest_core::attestation_file::{AttestationFile, Found};
use argo_attest_core::bundle::lines;
use md5::{Digest as _, Md5};

use crate::store::Listed;

/// Length and MD5 of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    size: u64,
    md5: [u8; 16],
}

impl Told {
    /// What a listing tells of an object.
    pub(super) fn of(listed: &Listed) -> Option<Self> {
        Some(Self { size: listed.size, md5: listed.md5? })
    }

    /// What it would tell of lines that hold what a bundle holds, and nothing else.
    pub(super) fn of_lines_beside(bundle: &AttestationFile) -> Option<Self> {
        let [item] = bundle.items() else { return None };
        let Found::Attestation(signed) = &item.found else { return None };
        let line = lines::append(b"", &signed.content, NonZeroUsize::MIN).ok()?;
        Some(Self { size: line.len().try_into().ok()?, md5: Md5::digest(&line).into() })
    }
    /// As it is noted beside a name.
    pub(super) fn note(self) -> [u8; 24] {
        let mut note = [0; 24];
        let (size, md5) = note.split_at_mut(size_of::<u64>());
        size.copy_from_slice(&self.size.to_be_bytes());
        md5.copy_from_slice(&self.md5);
        note
    }

    /// What was noted so.
    pub(super) fn noted(note: &[u8]) -> Option<Self> {
        let (size, md5) = note.split_first_chunk()?;
        Some(Self { size: u64::from_be_bytes(*size), md5: md5.try_into().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_back() {
        let told = Told { size: 1 << 40, md5: [7; 16] };
        assert_eq!(Told::noted(&told.note()), Some(told));
        for odd in [&[][..], &[0; 23], &[0; 25]] {
            assert_eq!(Told::noted(odd), None);
        }
    }
}
