//! What one node of a workflow owes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use argo_attest_core::audit::{
    Absence, Account, Finding, Made, Node, OutcomeFinding, Spot, Unfinished, WorkflowRun, of_outcome,
};
use argo_attest_core::image::ImageReference;
use argo_attest_core::outcome::OutcomeWords;

use super::Outcomes;
use crate::attestations::Address;

/// The state of an outcome that was written before the step's end.
const STARTED: &str = "started";

/// What is asked of one node.
pub(super) struct Asked {
    pub(super) node: usize,
    pub(super) output: Option<String>,
    pub(super) is_log: bool,
    /// Whether its signed outcome says that the step failed.
    pub(super) failed: bool,
    /// The digest of the whole that its signed outcome has.
    pub(super) digest: Option<String>,
    /// What its signed outcome says of it, beside that it is attested.
    pub(super) said: Option<Finding>,
    pub(super) spot: Spot,
}

/// What is known without a store: of the step, or of an output that is in none.
pub(super) struct Said {
    pub(super) output: Option<String>,
    pub(super) finding: Finding,
    /// The image that it is, if that may be asked for: then what is found of it is said instead.
    pub(super) image: Option<ImageReference>,
}

impl From<(Option<String>, Finding)> for Said {
    fn from((output, finding): (Option<String>, Finding)) -> Self {
        Self { output, finding, image: None }
    }
}

/// What one node owes.
#[derive(Default)]
pub(super) struct Owed {
    pub(super) said: Vec<Said>,
    pub(super) objects: Vec<Asked>,
}

/// What a node owes: the objects that it is said to have made, those that its signed outcome says
/// are attested, and that outcome.
pub(super) fn owed(run: &WorkflowRun, node: &Node, outcomes: &Outcomes) -> Owed {
    let mut owed = Owed::default();
    let words = outcomes.get(&run.uid, &node.id);
    let told = words.map(of_outcome).unwrap_or_default();
    let failed = words.is_some_and(|words| words.state == "failed");
    let signed: BTreeMap<Spot, Option<&str>> = told.iter().filter_map(signed_spot).collect();
    // Of an object that a key says is attested the text can say nothing that excuses it.
    let object = |made: &Made, said: Option<Finding>| {
        let signed = signed.get(&made.spot);
        Asked {
            node: 0,
            output: Some(made.name.clone()),
            is_log: made.is_log() && signed.is_none(),
            failed,
            digest: signed.copied().flatten().map(str::to_owned),
            said: said.filter(|said| signed.is_none() || matches!(said, Finding::RefusedInStep { .. })),
            spot: made.spot.clone(),
        }
    };
    match node.account() {
        // It ran, whatever the text calls it: a key says so.
        _ if words.is_some() => {}
        Account::Frame => return owed,
        Account::Skipped => {
            owed.said.push((None, Finding::AbsentByRight(Absence::Skipped)).into());
            return owed;
        }
        Account::ArgosOwn if node.outputs.is_empty() => {
            owed.said.push((None, Finding::AbsentByRight(Absence::ArgosOwn)).into());
            return owed;
        }
        Account::TakenOver if node.outputs.is_empty() => {
            owed.said.push((None, Finding::AbsentByRight(Absence::TakenOver)).into());
            return owed;
        }
        Account::TakenOver => {
            owed.objects = node.outputs.iter().map(|made| object(made, None)).collect();
            return owed;
        }
        Account::Ran | Account::ArgosOwn => {}
    }
    if words.is_none() {
        let finding = match outcomes.unread(&node.places) {
            Some(why) => Finding::Unknown(why.clone()),
            None if node.phase.is_open() => Finding::NeverFinished(Unfinished::Running),
            None => Finding::NeverFinished(Unfinished::NoOutcome),
        };
        owed.said.push((None, finding).into());
    }
    let said_of = |name: &str| match told.iter().find(|told| told.output.as_deref() == Some(name)) {
        Some(told) => told.finding.clone(),
        None => words.and_then(|words| of_failed(words, name)),
    };
    owed.objects = node.outputs.iter().map(|made| object(made, said_of(&made.name))).collect();
    let named: HashSet<_> = node.outputs.iter().map(|made| made.name.as_str()).collect();
    let spots: BTreeSet<_> = node.outputs.iter().map(|made| &made.spot).collect();
    for OutcomeFinding { output, attestation, digest, finding, image } in &told {
        match (output, finding) {
            // A step that failed leaves nothing behind, or what the workflow names.
            (None, Some(Finding::AbsentByRight(_))) if !node.outputs.iter().all(Made::is_log) => {}
            (None, Some(finding)) => owed.said.push((None, finding.clone()).into()),
            // What the text calls by an image's name is no image.
            (Some(name), Some(finding)) if image.is_some() || !named.contains(name.as_str()) => {
                let (output, finding) = (Some(name.clone()), finding.clone());
                owed.said.push(Said { output, finding, image: image.clone() });
            }
            (output, None) => {
                // What the workflow's text leaves out, the signed outcome names.
                let uri = attestation.as_deref().map(|uri| Address::new(uri).artifact());
                let spot = uri.as_deref().and_then(spot_of);
                if let Some(spot) = spot.filter(|spot| !spots.contains(spot) && !is_among(spot, &spots)) {
                    let output = output.clone();
                    let digest = digest.clone();
                    owed.objects.push(Asked {
                        node: 0,
                        output,
                        is_log: false,
                        failed,
                        digest,
                        said: None,
                        spot,
                    });
                }
            }
            (Some(_), Some(_)) => {}
        }
    }
    owed
}

/// The object that an outcome says is attested, and its digest there.
fn signed_spot(told: &OutcomeFinding) -> Option<(Spot, Option<&str>)> {
    let spot = spot_of(&Address::new(told.attestation.as_deref()?).artifact())?;
    Some((spot, told.digest.as_deref()))
}

/// What the outcome of a step that failed says of an output that is stored all the same. What was written before
/// the step's end refuses nothing.
fn of_failed(words: &OutcomeWords, name: &str) -> Option<Finding> {
    if words.state == STARTED {
        return None;
    }
    let output = words.outputs.iter().find(|output| output.name == name && output.verdict != "attested")?;
    let why = if output.reason.is_empty() { "the step failed" } else { &output.reason };
    Some(Finding::RefusedInStep { why: why.to_owned() })
}

/// An object by its address.
fn spot_of(uri: &str) -> Option<Spot> {
    let (bucket, key) = uri.strip_prefix("s3://")?.split_once('/')?;
    Some(Spot::Object { bucket: bucket.to_owned(), key: key.to_owned() })
}

/// Whether the same is named as a directory.
fn is_among(spot: &Spot, spots: &BTreeSet<&Spot>) -> bool {
    let Spot::Object { bucket, key } = spot else { return false };
    spots.contains(&Spot::Object { bucket: bucket.clone(), key: format!("{key}/") })
}
