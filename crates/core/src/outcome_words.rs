//! What an outcome says, word by word, to be shown.

use serde::{Deserialize, Serialize};

use crate::json::{self, Object};

/// `predicateType` of a step's outcome.
pub const STEP_OUTCOME_V1: &str = "https://argo-attest.github.io/step-outcome/v1";

/// An outcome's words. No proof of what they say of an output: that is only a statement about
/// the output itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeWords {
    /// Which run of which step.
    pub invocation_id: String,
    /// Who says so.
    #[serde(default, deserialize_with = "json::object_or_unset")]
    pub builder: Named,
    /// Which template ran.
    #[serde(default, deserialize_with = "json::object_or_unset")]
    pub template: Named,
    /// How the step ended, or that it is not known.
    pub state: String,
    /// When its sidecar started.
    #[serde(default, deserialize_with = "json::or_unset")]
    pub started_on: Option<jiff::Timestamp>,
    /// What is known of that.
    #[serde(default, deserialize_with = "json::or_unset")]
    pub reason: String,
    /// Whether every output is attested, or rightly absent.
    #[serde(default, deserialize_with = "json::or_unset")]
    pub complete: bool,
    /// One for each output.
    #[serde(default, deserialize_with = "json::objects_or_unset")]
    pub outputs: Vec<OutputWords>,
    /// One for each file that was to be signed as what it is, and each thing that it is about.
    #[serde(default, deserialize_with = "json::objects_or_unset")]
    pub predicates: Vec<PredicateWords>,
}

/// Something by its name or id.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Named {
    /// Its name.
    #[serde(default, deserialize_with = "json::or_unset")]
    pub name: String,
    /// Its id.
    #[serde(default, deserialize_with = "json::or_unset")]
    pub id: String,
}

/// What is said of one output; empty where nothing is.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputWords {
    /// Its name in the template.
    pub name: String,
    /// Its path in main.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What became of it.
    pub verdict: String,
    /// The digest of the whole.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// Where its attestation is.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub attestation: String,
    /// Why it is not attested.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Entries that were refused.
    #[serde(default, deserialize_with = "json::or_unset")]
    pub refused_count: u64,
    /// Which, and why: as many as the statement names.
    #[serde(default, deserialize_with = "json::objects_or_unset", skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedWords>,
}

/// What is said of an entry that was refused.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct RefusedWords {
    /// Its name.
    pub name: String,
    /// Why.
    #[serde(default, deserialize_with = "json::or_unset")]
    pub reason: String,
}

/// What is said of a file that was to be signed as what it is; empty where nothing is.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PredicateWords {
    /// The output artifact that it is or is in.
    pub name: String,
    /// As what it was to be signed.
    pub predicate_type: String,
    /// About which output or image.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// What became of it.
    pub verdict: String,
    /// Where the statement is.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub attestation: String,
    /// Why there is none.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl OutcomeWords {
    /// `None` for a predicate of another type, or one that is no outcome.
    pub fn read(predicate_type: &str, predicate: &str) -> Option<Self> {
        if predicate_type != STEP_OUTCOME_V1 {
            return None;
        }
        // As many values as of any document of which something is built.
        json::raw(predicate.as_bytes(), predicate.len()).ok()?;
        serde_json::from_str(predicate).ok().map(|Object(words)| words)
    }
}
