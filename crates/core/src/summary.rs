//! What a verifier found of an artifact, for those who trust the verifier and not each builder.
//! <https://slsa.dev/spec/v1.2/verification_summary>

use jiff::Timestamp;
use serde::Serialize;

use crate::digest::{DirHash, Sha256Digest};
use crate::intoto::{DigestSet, ResourceDescriptor};
use crate::slsa::BuildLevel;
use crate::verify::VerifiedStatement;

/// The predicate's type.
pub const VERIFICATION_SUMMARY_V1: &str = "https://slsa.dev/verification_summary/v1";
/// The version of SLSA whose levels are meant.
const SLSA_VERSION: &str = "1.2";
/// What is said where nobody declared a level (spec, "`SlsaResult`").
const UNEVALUATED: &str = "SLSA_BUILD_LEVEL_UNEVALUATED";

/// Something that was read, where it was if that means anything to others, and its bytes' digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consulted {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    digest: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Digest {
    sha256: Sha256Digest,
}

impl Consulted {
    /// What was read there. A path of this machine is no address for anybody else.
    pub fn new(uri: Option<String>, sha256: Sha256Digest) -> Self {
        Self { uri, digest: Digest { sha256 } }
    }
}

/// Who verified, when, by what.
#[derive(Debug, Clone)]
pub struct Verification {
    /// Under which id the verifier is known, a URI.
    pub verifier: String,
    /// By its own clock.
    pub at: Timestamp,
    /// What the artifact is called where it is taken from, a URI.
    pub resource: String,
    /// The policy's own bytes.
    pub policy: Consulted,
    /// The attestation that was accepted.
    pub attestation: Consulted,
    /// What the policy declares of the builder.
    pub level: Option<BuildLevel>,
}

/// That an artifact passed. There is none of one that did not: what is refused is told, and not
/// signed, so that no file says less than it seems to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationSummary {
    verifier: Verifier,
    time_verified: Timestamp,
    resource_uri: String,
    policy: Consulted,
    input_attestations: [Consulted; 1],
    verification_result: &'static str,
    verified_levels: [&'static str; 1],
    slsa_version: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Verifier {
    id: String,
}

impl VerificationSummary {
    /// The summary and what it is about; only of what was verified.
    pub fn passed(verified: &VerifiedStatement, by: Verification) -> (ResourceDescriptor, Self) {
        let subject = ResourceDescriptor::named(verified.subject(), digest(verified.digest()));
        let Verification { verifier, at, resource, policy, attestation, level } = by;
        let summary = Self {
            verifier: Verifier { id: verifier },
            time_verified: at,
            resource_uri: resource,
            policy,
            input_attestations: [attestation],
            verification_result: "PASSED",
            verified_levels: [level.map_or(UNEVALUATED, BuildLevel::as_str)],
            slsa_version: SLSA_VERSION,
        };
        (subject, summary)
    }
}

/// `sha256:…` or `dirHash:…`, as a set.
fn digest(text: &str) -> DigestSet {
    let of_file = || text.strip_prefix("sha256:")?.parse().ok().map(|digest: Sha256Digest| digest.into());
    let of_directory = || text.strip_prefix("dirHash:")?.parse().ok().map(|hash: DirHash| hash.into());
    of_file().or_else(of_directory).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_what_was_compared() {
        let of_file = Sha256Digest::of(b"x");
        assert_eq!(digest(&format!("sha256:{of_file}")).sha256(), Some(of_file));
        let hex = of_file.to_string();
        assert_eq!(digest(&format!("dirHash:{hex}")).dir_hash().unwrap().to_string(), hex);
        assert!(digest("md5:00").is_empty());
    }
}
