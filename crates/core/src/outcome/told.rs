//! What an outcome that was stored before says: enough to see whose it is.

use serde::Deserialize;

use super::STEP_OUTCOME_V1;
use crate::dsse::SignatureValid;
use crate::intoto::Statement;
use crate::json::{self, Object};

/// The words of an outcome whose signature is good. No proof of what they say of an
/// output: that is only a statement about the output itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which run of which step.
    pub invocation_id: String,
    /// The word for its state, as [`StepState::word`](super::StepState::word) gives it.
    pub state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    invocation_id: String,
    state: String,
}

impl Told {
    /// `None` for a statement that is no outcome.
    pub fn read(signed: &SignatureValid<'_>) -> Option<Self> {
        let statement = Statement::from_json(signed.payload()).ok()?;
        if statement.predicate_type() != STEP_OUTCOME_V1 {
            return None;
        }
        let predicate = statement.predicate();
        let Object(Wire { invocation_id, state }) =
            json::parse(predicate.as_bytes(), predicate.len()).ok()?;
        Some(Self { invocation_id, state })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::digest::Sha256Digest;
    use crate::dsse::Envelope;
    use crate::intoto::{self, ResourceDescriptor};
    use crate::keys::{KeyType, PrivateKey};
    use crate::outcome::{StepOutcome, StepState};
    use crate::slsa::PodIdentity;

    fn read(predicate_type: &str, predicate: &Value) -> Option<Told> {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let subject = ResourceDescriptor::named("urn:x", Sha256Digest::of(b"x"));
        let payload = intoto::serialize(&[subject], predicate_type, predicate).unwrap();
        let envelope = Envelope::signed_by(payload, &key).unwrap();
        Told::read(&envelope.verify(&[key.public()]).unwrap())
    }

    #[test]
    fn reads_what_an_outcome_wrote_and_nothing_else() {
        let identity = PodIdentity::default();
        let outcome = StepOutcome {
            invocation_id: "uid/node/pod".into(),
            identity: &identity,
            template: "build",
            state: StepState::Started,
            outputs: Vec::new(),
            predicates: Vec::new(),
            builder_id: "https://ci.example.com/argo",
            started_on: None,
            finished_on: None,
        };
        let written = serde_json::to_value(outcome.predicate()).unwrap();
        let told = Told { invocation_id: "uid/node/pod".into(), state: "started".into() };
        assert_eq!(read(STEP_OUTCOME_V1, &written), Some(told));
        assert_eq!(read("https://example.com/other", &written), None);
        for odd in [json!({}), json!({"invocationId": 1, "state": "started"}), json!({"state": "started"})] {
            assert_eq!(read(STEP_OUTCOME_V1, &odd), None, "{odd}");
        }
    }
}
