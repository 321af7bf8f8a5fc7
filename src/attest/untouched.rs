//! What becomes of an artifact that nobody touched: to attest it anew would replace true
//! provenance by an untrue one.

use argo_attest_core::attestation_file::{AttestationFile, Found};
use argo_attest_core::intoto::Outline;

use super::Verdict;
use crate::attestations::{Attestations, MAX_ATTESTATION_BYTES, Reach};

/// Where an attestation is that speaks of what has this digest, `sha256:…` or `dirHash:…`.
/// Whose it is and whether it is true is for whoever verifies it.
pub(super) async fn attestation(place: &dyn Attestations, digest: &str) -> Option<String> {
    let mut candidates = place.find(Reach::Own);
    while let Some(candidate) = candidates.next().await {
        // What cannot be read speaks of nothing.
        let Ok(candidate) = candidate else { continue };
        if speaks_of(&candidate.bytes, digest) {
            return Some(candidate.origin);
        }
    }
    None
}

fn speaks_of(bytes: &[u8], digest: &str) -> bool {
    let Ok(file) = AttestationFile::read(bytes) else { return false };
    file.into_items().into_iter().any(|item| {
        let Found::Attestation(signed) = item.found else { return false };
        Outline::read(signed.content.unverified_payload(), MAX_ATTESTATION_BYTES).is_ok_and(|said| {
            said.subjects.iter().flat_map(|subject| subject.digest.iter()).any(|(algorithm, hex)| {
                digest.split_once(':').is_some_and(|(a, h)| a == algorithm && h.eq_ignore_ascii_case(hex))
            })
        })
    })
}

pub(super) fn not_attested() -> Verdict {
    Verdict::NotAttested {
        reason: "the command did not touch it, and no attestation of what it holds is there".to_owned(),
        remedy: Some("have the command make it: remove it before, or leave it out of --outputs".to_owned()),
    }
}
