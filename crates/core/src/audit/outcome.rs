//! What a step's signed outcome says, as findings.

use super::{Absence, Finding, Unfinished};
use crate::outcome_words::{OutcomeWords, OutputWords};

/// What an outcome says of one output, or of the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeFinding {
    /// The output; `None`: the step itself.
    pub output: Option<String>,
    /// The address of its attestation, if the outcome says that it is attested: whether it is, that
    /// attestation says.
    pub attestation: Option<String>,
    /// What is said; `None` for an attested output.
    pub finding: Option<Finding>,
}

/// What an outcome says that a trusted key signed: of the step, if it did not finish; else of each
/// output; of one without outputs, that.
///
/// The states and verdicts are those that `docs/outcome.md` specifies; another one, of a version
/// to come, is never taken for a good one.
pub fn of_outcome(words: &OutcomeWords) -> Vec<OutcomeFinding> {
    let step = |finding| vec![OutcomeFinding { output: None, attestation: None, finding: Some(finding) }];
    match words.state.as_str() {
        "started" => return step(Finding::NeverFinished(Unfinished::Started)),
        // What failed is as a rule not attested; where it was asked for, it is.
        "failed" if words.outputs.iter().all(|output| output.verdict != "attested") => {
            return step(Finding::AbsentByRight(Absence::Failed));
        }
        "succeeded" | "failed" => {}
        _ => return step(Finding::NeverFinished(Unfinished::Unfinished)),
    }
    if words.outputs.is_empty() {
        return step(Finding::AbsentByRight(Absence::NoOutputs));
    }
    words.outputs.iter().map(of_output).collect()
}

fn of_output(output: &OutputWords) -> OutcomeFinding {
    let refused = |why: &str| {
        let why = if output.reason.is_empty() { why } else { output.reason.as_str() };
        Some(Finding::RefusedInStep { why: why.to_owned() })
    };
    let finding = match output.verdict.as_str() {
        "attested" if output.refused_count == 0 => None,
        "attested" => refused(&format!("{} entries in it were refused", output.refused_count)),
        "absent" => Some(Finding::AbsentByRight(Absence::Output)),
        "unfinished" => refused("there was no time to finish"),
        _ => refused("it gives no reason"),
    };
    let attestation =
        (output.verdict == "attested" && !output.attestation.is_empty()).then(|| output.attestation.clone());
    OutcomeFinding { output: Some(output.name.clone()), attestation, finding }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::outcome_words::STEP_OUTCOME_V1;

    fn told(state: &str, outputs: &serde_json::Value) -> Vec<(Option<String>, Option<Finding>)> {
        let words = json!({"invocationId": "u/n/p", "state": state, "outputs": outputs});
        let words = OutcomeWords::read(STEP_OUTCOME_V1, &words.to_string()).unwrap();
        of_outcome(&words).into_iter().map(|told| (told.output, told.finding)).collect()
    }

    #[test]
    fn a_step_that_did_not_end_is_never_finished() {
        let attested = json!([{"name": "a", "verdict": "attested", "attestation": "s3://b/a.sigstore.json"}]);
        assert_eq!(told("started", &attested), [(None, Some(Finding::NeverFinished(Unfinished::Started)))]);
        for odd in ["unfinished", "", "paused"] {
            assert_eq!(
                told(odd, &attested),
                [(None, Some(Finding::NeverFinished(Unfinished::Unfinished)))],
                "{odd}"
            );
        }
        assert_eq!(told("succeeded", &attested), [(Some("a".into()), None)]);
        assert_eq!(told("failed", &attested), [(Some("a".into()), None)]);
    }

    #[test]
    fn each_output_is_told() {
        let outputs = json!([
            {"name": "a", "verdict": "absent"},
            {"name": "b", "verdict": "refused", "reason": "a named pipe"},
            {"name": "c", "verdict": "unfinished"},
            {"name": "d", "verdict": "attested", "refusedCount": 2},
            {"name": "e", "verdict": "perfect"},
        ]);
        let refused = |why: &str| Some(Finding::RefusedInStep { why: why.into() });
        assert_eq!(
            told("succeeded", &outputs),
            [
                (Some("a".into()), Some(Finding::AbsentByRight(Absence::Output))),
                (Some("b".into()), refused("a named pipe")),
                (Some("c".into()), refused("there was no time to finish")),
                (Some("d".into()), refused("2 entries in it were refused")),
                (Some("e".into()), refused("it gives no reason")),
            ]
        );
        let step = |absence| [(None, Some(Finding::AbsentByRight(absence)))];
        assert_eq!(told("succeeded", &json!([])), step(Absence::NoOutputs));
        assert_eq!(told("failed", &json!([{"name": "a", "verdict": "unfinished"}])), step(Absence::Failed));
    }
}
