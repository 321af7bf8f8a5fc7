//! What a step's signed outcome says, as findings.

use super::{Absence, Finding, Told, Unfinished};
use crate::digest::Sha256Digest;
use crate::image::ImageReference;
use crate::outcome_words::{OutcomeWords, OutputWords, PredicateWords};
use crate::trouble::Fault;
use crate::verify::Reason;

/// What the names of images begin with.
const IMAGE: &str = "oci://";

/// What an outcome says of one output, or of the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeFinding {
    /// The output; `None`: the step itself.
    pub output: Option<String>,
    /// The address of its attestation, if the outcome says that it is attested: whether it is, that
    /// attestation says.
    pub attestation: Option<String>,
    /// The digest of the whole, as the outcome has it, of an attested output.
    pub digest: Option<String>,
    /// What is said; `None` for an attested output, but for an image: of that it is what is said as
    /// long as its registry is not asked.
    pub finding: Option<Finding>,
    /// The image that the outcome says is attested, by its digest, in the repository that it names.
    pub image: Option<ImageReference>,
}

impl OutcomeFinding {
    /// What is said of the step, or of an output that nobody has to look for.
    fn only(output: Option<String>, finding: Finding) -> Self {
        Self { output, attestation: None, digest: None, finding: Some(finding), image: None }
    }
}

/// What an outcome says that a trusted key signed: of the step, if it did not finish; else of each
/// output; of one without outputs, that.
///
/// The states and verdicts are those that `docs/outcome.md` specifies; another one, of a version
/// to come, is never taken for a good one.
pub fn of_outcome(words: &OutcomeWords) -> Vec<OutcomeFinding> {
    let step = |finding| vec![OutcomeFinding::only(None, finding)];
    match words.state.as_str() {
        "started" => return step(Finding::NeverFinished(Unfinished::Started)),
        // What failed is as a rule not attested; where it was asked for, it is.
        "failed" if words.outputs.iter().all(|output| output.verdict != "attested") => {
            return step(Finding::AbsentByRight(Absence::Failed));
        }
        "succeeded" | "failed" => {}
        _ => return step(Finding::NeverFinished(Unfinished::Unfinished)),
    }
    let outputs = words.outputs.iter().map(of_output);
    let told: Vec<_> = outputs.chain(words.predicates.iter().filter_map(of_predicate)).collect();
    // Files that are signed as what they are, are no outputs: of a node nothing less is said than that.
    if told.is_empty() { step(Finding::AbsentByRight(Absence::NoOutputs)) } else { told }
}

/// What is amiss with a file that was to be signed as what it is.
fn of_predicate(predicate: &PredicateWords) -> Option<OutcomeFinding> {
    let why = match predicate.verdict.as_str() {
        "attested" | "absent" => return None,
        _ if predicate.reason.is_empty() => "it gives no reason",
        _ => predicate.reason.as_str(),
    };
    let finding = Finding::RefusedInStep { why: why.to_owned() };
    Some(OutcomeFinding::only(Some(format!("predicates/{}", predicate.name)), finding))
}

/// What is attested where no object is looked for.
fn not_looked_at(message: &str, remedy: &str) -> Finding {
    Finding::Rejected(Told {
        reason: Reason::Unverifiable,
        fault: Fault::No,
        message: message.to_owned(),
        remedy: Some(remedy.to_owned()),
    })
}

/// The image that an attested output is.
fn image(output: &OutputWords) -> Option<ImageReference> {
    let named: ImageReference = output.name.strip_prefix(IMAGE)?.parse().ok()?;
    let digest: Sha256Digest = output.digest.strip_prefix("sha256:")?.parse().ok()?;
    Some(named.repository().at(digest)).filter(|_| output.verdict == "attested")
}

/// What is said of an image whose registry is not asked.
fn unasked(image: Option<&ImageReference>) -> Finding {
    let Some(image) = image else {
        return not_looked_at(
            "the outcome says that this image is attested, and not by which digest",
            "verify it by its digest: argo-attest verify oci://REGISTRY/REPOSITORY@sha256:DIGEST",
        );
    };
    let registry = image.repository().registry();
    not_looked_at(
        "the outcome says that this image is attested, and its registry is not asked because an outcome names it",
        &format!("name it, if it may be asked: --registry {registry}"),
    )
}

fn of_output(output: &OutputWords) -> OutcomeFinding {
    let image = image(output);
    let refused = |why: &str| {
        let why = if output.reason.is_empty() { why } else { output.reason.as_str() };
        Some(Finding::RefusedInStep { why: why.to_owned() })
    };
    let finding = match output.verdict.as_str() {
        "attested" if output.name.starts_with(IMAGE) => Some(unasked(image.as_ref())),
        "attested" if output.attestation.is_empty() => Some(not_looked_at(
            "the outcome says that it is attested, and not where",
            "verify it by its address",
        )),
        "attested" if output.refused_count == 0 => None,
        "attested" => refused(&format!("{} entries in it were refused", output.refused_count)),
        "absent" => Some(Finding::AbsentByRight(Absence::Output)),
        "unfinished" => refused("there was no time to finish"),
        _ => refused("it gives no reason"),
    };
    let attestation =
        (output.verdict == "attested" && !output.attestation.is_empty()).then(|| output.attestation.clone());
    let digest = Some(output.digest.clone()).filter(|digest| !digest.is_empty() && finding.is_none());
    OutcomeFinding { output: Some(output.name.clone()), attestation, digest, finding, image }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::audit::Standing;
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

    /// The tag may have been moved since; and it is nobody's word where the attestation's registry is.
    #[test]
    fn an_image_is_named_by_its_digest() {
        let (hex, other) = ("a".repeat(64), "b".repeat(64));
        let image = |name: &str, digest: &str, verdict: &str| {
            let output = json!({"name": name, "verdict": verdict, "digest": digest,
                "attestation": format!("oci://elsewhere.example/app@sha256:{other}")});
            let words = json!({"invocationId": "u/n/p", "state": "succeeded", "outputs": [output]});
            let words = OutcomeWords::read(STEP_OUTCOME_V1, &words.to_string()).unwrap();
            let found = of_outcome(&words).remove(0);
            (found.image.map(|image| image.to_string()), found.finding.and_then(|finding| finding.remedy()))
        };
        let digest = format!("sha256:{hex}");
        let named = format!("r.example:5000/app@{digest}");
        for name in ["oci://r.example:5000/app:1", &format!("oci://r.example:5000/app@sha256:{other}")] {
            let (found, remedy) = image(name, &digest, "attested");
            assert_eq!(found.as_ref(), Some(&named), "{name}");
            assert!(remedy.unwrap().ends_with("--registry r.example:5000"));
        }
        for (name, digest, verdict) in [
            ("oci://r.example:5000/app:1", "", "attested"),
            ("oci://r.example:5000/app:1", "dirHash:x", "attested"),
            ("oci://r.example:5000/app:1", digest.as_str(), "refused"),
            ("oci://", digest.as_str(), "attested"),
            ("app", digest.as_str(), "attested"),
        ] {
            assert_eq!(image(name, digest, verdict).0, None, "{name} {digest} {verdict}");
        }
    }

    #[test]
    fn each_output_is_told() {
        let outputs = json!([
            {"name": "a", "verdict": "absent"},
            {"name": "b", "verdict": "refused", "reason": "a named pipe"},
            {"name": "c", "verdict": "unfinished"},
            {"name": "d", "verdict": "attested", "refusedCount": 2, "attestation": "s3://b/d.sigstore.json"},
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
        let words = json!({"invocationId": "u/n/p", "state": "succeeded", "outputs": [
            {"name": "oci://r.example/a:1", "verdict": "attested", "attestation": "oci://r.example/a@sha256:00"},
            {"name": "e", "verdict": "attested"},
        ], "predicates": [
            {"name": "sbom", "predicateType": "https://cyclonedx.org/bom", "verdict": "refused"},
            {"name": "scan", "predicateType": "https://cyclonedx.org/bom", "verdict": "attested"},
        ]});
        let words = OutcomeWords::read(STEP_OUTCOME_V1, &words.to_string()).unwrap();
        let found = of_outcome(&words);
        let is_missing = |found: &Finding| found.standing() == Standing::Missing;
        assert!(found.iter().all(|told| told.finding.as_ref().is_some_and(is_missing)), "{found:?}");
        assert_eq!(found.len(), 3);
        let step = |absence| [(None, Some(Finding::AbsentByRight(absence)))];
        assert_eq!(told("succeeded", &json!([])), step(Absence::NoOutputs));
        let words = json!({"invocationId": "u/n/p", "state": "succeeded", "outputs": [], "predicates": [
            {"name": "scan", "predicateType": "https://cyclonedx.org/bom", "verdict": "attested"},
        ]});
        let words = OutcomeWords::read(STEP_OUTCOME_V1, &words.to_string()).unwrap();
        let said: Vec<_> = of_outcome(&words).into_iter().map(|told| (told.output, told.finding)).collect();
        assert_eq!(said, step(Absence::NoOutputs), "a node of which nothing is said would be missing");
        assert_eq!(told("failed", &json!([{"name": "a", "verdict": "unfinished"}])), step(Absence::Failed));
    }
}
