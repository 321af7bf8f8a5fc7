//! What a verifier found of an artifact, for those who trust the verifier and not each builder.
//! <https://slsa.dev/spec/v1.2/verification_summary>

use jiff::Timestamp;
use serde::Serialize;

use crate::audit::{Standing, Totals};
use crate::consulted::{Consulted, digest};
use crate::intoto::ResourceDescriptor;
use crate::slsa::BuildLevel;
use crate::verify::VerifiedStatement;

/// The predicate's type.
pub const VERIFICATION_SUMMARY_V1: &str = "https://slsa.dev/verification_summary/v1";
/// The version of SLSA whose levels are meant.
const SLSA_VERSION: &str = "1.2";
/// What is said where nobody declared a level (spec, "`SlsaResult`").
const UNEVALUATED: &str = "SLSA_BUILD_LEVEL_UNEVALUATED";
/// What is said in place of a level where verification failed (ibid.).
const FAILED: &str = "FAILED";

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
/// signed, so that no file says less than it seems to. Of a whole workflow there is one that says so:
/// each of its outputs may be well attested, and yet something of what they were made by is missing.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationSummary {
    verifier: Verifier,
    time_verified: Timestamp,
    resource_uri: String,
    policy: Consulted,
    input_attestations: Vec<Consulted>,
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
            input_attestations: vec![attestation],
            verification_result: "PASSED",
            verified_levels: [level.map_or(UNEVALUATED, BuildLevel::as_str)],
            slsa_version: SLSA_VERSION,
        };
        (subject, summary)
    }

    /// The summary of an audit: passed only if the workflow succeeded, and all that was found is verified
    /// or accounted for. What a policy lets pass was not verified.
    pub fn of_audit(totals: &Totals, by: AuditVerification) -> Self {
        let AuditVerification { verifier, at, resource, policy, attestations, level, has_succeeded } = by;
        let has_passed = has_succeeded && totals.is_complete() && totals.of(Standing::LetPass) == 0;
        Self {
            verifier: Verifier { id: verifier },
            time_verified: at,
            resource_uri: resource,
            policy,
            input_attestations: attestations,
            verification_result: if has_passed { "PASSED" } else { FAILED },
            verified_levels: [if has_passed {
                level.map_or(UNEVALUATED, BuildLevel::as_str)
            } else {
                FAILED
            }],
            slsa_version: SLSA_VERSION,
        }
    }

    /// Whether it says that all passed.
    pub fn has_passed(&self) -> bool {
        self.verification_result != FAILED
    }
}

/// Who audited, when, by what.
#[derive(Debug, Clone)]
pub struct AuditVerification {
    /// Under which id the verifier is known, a URI.
    pub verifier: String,
    /// By its own clock.
    pub at: Timestamp,
    /// What was audited, a URI.
    pub resource: String,
    /// The policy's own bytes.
    pub policy: Consulted,
    /// The attestations that were accepted.
    pub attestations: Vec<Consulted>,
    /// The lowest that the policy declares of any builder; `None` if there is one of which it
    /// declares none.
    pub level: Option<BuildLevel>,
    /// Whether the workflow succeeded, as its text says.
    pub has_succeeded: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Absence, Finding, Told};
    use crate::digest::Sha256Digest;
    use crate::trouble::Fault;
    use crate::verify::Reason;

    #[test]
    fn an_audit_passes_only_if_all_was_verified() {
        let told =
            || Told { reason: Reason::Unattested, fault: Fault::No, message: String::new(), remedy: None };
        let summary = |findings: &[Finding], level, has_succeeded| {
            let mut totals = Totals::default();
            for finding in findings {
                totals.count(finding);
            }
            let by = AuditVerification {
                verifier: "https://v.example.com".into(),
                at: Timestamp::UNIX_EPOCH,
                resource: "argo://ci/wf".into(),
                policy: Consulted::new(None, Sha256Digest::of(b"p")),
                attestations: Vec::new(),
                level,
                has_succeeded,
            };
            let summary = VerificationSummary::of_audit(&totals, by);
            (summary.has_passed(), summary.verification_result, summary.verified_levels)
        };
        let of = |findings: &[Finding], level| summary(findings, level, true);
        let good = [Finding::Attested, Finding::AbsentByRight(Absence::Skipped), Finding::NotOurs];
        assert_eq!(of(&good, Some(BuildLevel::L2)), (true, "PASSED", ["SLSA_BUILD_LEVEL_2"]));
        assert_eq!(of(&good, None), (true, "PASSED", [UNEVALUATED]));
        assert_eq!(summary(&good, Some(BuildLevel::L2), false), (false, FAILED, [FAILED]));
        for bad in [
            Finding::ObjectGone,
            Finding::LetPass(told()),
            Finding::Unknown(told()),
            Finding::Rejected(told()),
        ] {
            let findings = [Finding::Attested, bad];
            assert_eq!(of(&findings, Some(BuildLevel::L3)), (false, "FAILED", ["FAILED"]), "{findings:?}");
        }
        assert_eq!(of(&[], None).1, "FAILED", "an audit of nothing");
    }

    #[test]
    fn digests_are_what_was_compared() {
        let of_file = Sha256Digest::of(b"x");
        assert_eq!(digest(&format!("sha256:{of_file}")).sha256(), Some(of_file));
        let hex = of_file.to_string();
        assert_eq!(digest(&format!("dirHash:{hex}")).dir_hash().unwrap().to_string(), hex);
        assert!(digest("md5:00").is_empty());
    }
}
