//! Why a policy refuses, and what can be done about it.

use std::time::Duration;

use jiff::Timestamp;

use super::expectation::TEMPLATE_SOURCE;
use crate::text::{brief, shell_word};

/// Why authentic provenance is not what the policy wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyViolation {
    /// The pair is not listed. Either half may be good with another.
    #[error("key {key} is not trusted for builder {builder:?}")]
    Pair {
        /// Name of the key in the policy.
        key: String,
        /// The builder that the provenance names.
        builder: String,
    },
    /// The certificate is good, and for somebody else.
    #[error(
        "the certificate is for {identity:?} by the word of {issuer:?}, and not for an identity that is trusted"
    )]
    Identity {
        /// For whom it is, bounded.
        identity: String,
        /// Who vouched for that, bounded.
        issuer: String,
    },
    /// The caller wants one builder and this is another.
    #[error("the builder is {found:?}, not {wanted:?}")]
    Builder {
        /// The builder that the provenance names.
        found: String,
        /// The builder that was asked for.
        wanted: String,
    },
    /// The policy is about builds, and the statement is not.
    #[error("the statement is {predicate_type:?}, which names no builder, and the policy asks for one")]
    NoProvenance {
        /// What it is.
        predicate_type: String,
    },
    /// By the time that is proven of the signature, or else by the verifier's clock.
    #[error("key {key} is accepted only until {not_after}{}", since(*proven))]
    KeyExpired {
        /// Name of the key in the policy.
        key: String,
        /// End of its validity.
        not_after: Timestamp,
        /// When the signature is known to have been there first, if that is proven.
        proven: Option<Timestamp>,
    },
    /// By the same.
    #[error("key {key} is accepted only from {not_before}{}", since(*proven))]
    KeyNotYetValid {
        /// Name of the key in the policy.
        key: String,
        /// Begin of its validity.
        not_before: Timestamp,
        /// When the signature is known to have been there first, if that is proven.
        proven: Option<Timestamp>,
    },
    /// A parameter of the build differs from what is expected, or is not there.
    #[error("the {field} is {}", found.as_ref().map_or_else(|| format!("not stated, and the policy expects {wanted}"), |f| format!("{f:?}, not {wanted}")))]
    Parameter {
        /// Which one, in words.
        field: &'static str,
        /// What the provenance says.
        found: Option<String>,
        /// What the policy wants, in words.
        wanted: String,
    },
    /// The policy is about workflows, and the build was of none.
    #[error("the attestation names no workflow, and the policy expects the {field} to be {wanted}")]
    NoWorkflow {
        /// What is expected of the workflow, in words.
        field: &'static str,
        /// What the policy wants, in words.
        wanted: String,
    },
    /// The provenance does not say that the stored object was compared.
    #[error("the provenance does not say that the stored object was compared with what was written")]
    NoStoredMatch,
    /// No log of the trusted root is known to hold the signature.
    #[error("nothing proves that the signature is in a transparency log, and the policy requires it")]
    NotLogged,
    /// Nobody of the trusted root is known to have seen the signature.
    #[error("nothing proves when the signature was made, and the policy requires it")]
    NotTimed,
    /// Older than the policy allows, by the verifier's clock.
    #[error("the build finished on {finished_on}, longer ago than {max_age:?}")]
    TooOld {
        /// The provenance's own word.
        finished_on: Timestamp,
        /// The policy's limit.
        max_age: Duration,
    },
    /// The policy bounds the age, the provenance gives no time, or one to come.
    #[error("the policy bounds the age, and the provenance gives no time that can be (finishedOn: {})", .0.map_or_else(|| "absent".to_owned(), |t| t.to_string()))]
    NoAge(Option<Timestamp>),
}

/// How it is told that a proven time decided, and not the clock.
fn since(proven: Option<Timestamp>) -> String {
    proven
        .map(|time| format!(", and the signature is proven to have been there at {time}"))
        .unwrap_or_default()
}

impl PolicyViolation {
    /// What can be done about it by whoever verifies, or by whoever wrote the policy.
    pub fn remedy(&self) -> String {
        match self {
            Self::Pair { .. } => "if that key may sign for that builder, let the policy's `builders` say so; else \
                                  fetch the artifact from who should have made it"
                .to_owned(),
            Self::Identity { identity, issuer } => format!(
                "if that is whom you trust, let the policy's `identities` say so, or name it: \
                 --certificate-identity {} --certificate-oidc-issuer {}",
                shell_word(identity),
                shell_word(issuer)
            ),
            Self::Builder { found, .. } => {
                format!("if that builder is the one that you trust, name it: --builder-id {}", shell_word(&brief(found, 300)))
            }
            Self::NoProvenance { .. } => {
                "name an attestation with SLSA provenance with --bundle FILE, or ask for no builder".to_owned()
            }
            Self::KeyExpired { .. } => "have the artifact attested with a key that is accepted now, or let the \
                                        policy's `notAfter` be later"
                .to_owned(),
            Self::KeyNotYetValid { proven: Some(_), .. } => {
                "find out who had the key before the policy's `notBefore`".to_owned()
            }
            Self::KeyNotYetValid { .. } => {
                "check this machine's clock, and the policy's `notBefore`".to_owned()
            }
            Self::NotLogged | Self::NotTimed => "have the artifact signed with a log entry or a timestamp by one that the trusted root names, \
                                                 or change expect.log and expect.time in the policy"
                .to_owned(),
            Self::NoWorkflow { .. } => "argo-attest run names no workflow, only a step's sidecar does: verify an \
                                        artifact of a step, or leave expect.workflow and expect.template out of \
                                        the policy"
                .to_owned(),
            Self::Parameter { field: TEMPLATE_SOURCE, .. } => {
                "let the service account of the step that made it get workflows.argoproj.io, and run that step again; or change expect.templateSource in the policy".to_owned()
            }
            Self::Parameter { .. } => {
                "fetch the artifact from the build that is meant, or change what the policy expects".to_owned()
            }
            Self::NoStoredMatch => "only a step's sidecar compares them: verify an artifact of a step, or leave \
                                    expect.storedMatch out of the policy"
                .to_owned(),
            Self::TooOld { .. } | Self::NoAge(_) => {
                "have the artifact made anew, or change expect.maxAge in the policy".to_owned()
            }
        }
    }
}
