//! A workflow: every node that ran a container, every object that it made, and what went in.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::audit::{
    Absence, Account, Finding, Invocation, Made, Node, OutcomeFinding, Spot, Told, Unfinished, WorkflowRun,
    judge, of_outcome,
};
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::outcome::OutcomeWords;
use argo_attest_core::policy::{ArtifactKind, Missing};
use argo_attest_core::slsa::{AttestationRef, Provenance};
use argo_attest_core::trouble::Fault;
use argo_attest_core::verify::{Reason, VerifiedStatement};
use futures_util::stream::StreamExt as _;

use super::auditor::is_unattested;
use super::object::{Seen, seen};
use super::place::stored;
use super::{Auditor, Entry, Outcomes, Step, Subject};
use crate::attestations::Address;
use crate::report::Accepted;
use crate::store::Store;
use crate::verify::{CheckError, Large};

/// What is asked of one node.
struct Asked {
    node: usize,
    output: Option<String>,
    is_log: bool,
    /// Whether its signed outcome says that the step failed.
    failed: bool,
    /// The digest of the whole that its signed outcome has.
    digest: Option<String>,
    /// What its signed outcome says of it, beside that it is attested.
    said: Option<Finding>,
    spot: Spot,
}

/// What was found of one object, and no more of it than is told.
struct Judged {
    finding: Finding,
    accepted: Option<Box<Accepted>>,
    /// Whether there is no attestation, and nothing else is wrong.
    unattested: bool,
    /// What went into the step, with attestations.
    inputs: Vec<ResourceDescriptor>,
}

impl Judged {
    /// Nothing but that.
    fn only(finding: Finding) -> Self {
        Self { finding, accepted: None, unattested: false, inputs: Vec::new() }
    }
}

impl Auditor {
    /// Says of each node of a run what there is to say, in their order, and then of the links to
    /// what went in. `told` gets the addresses of the objects of which something was said.
    ///
    /// Errors: those of `tell`.
    pub async fn workflow<E>(
        &self,
        run: &Arc<WorkflowRun>,
        outcomes: &Outcomes,
        told: &mut BTreeSet<PathBuf>,
        mut tell: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut asked = Vec::new();
        let mut said = Vec::new();
        for (at, node) in run.nodes.iter().enumerate() {
            let of_node = owed(run, node, outcomes);
            said.push(of_node.said);
            asked.extend(of_node.objects.into_iter().map(|object| Asked { node: at, ..object }));
        }
        let mut opened = Vec::new();
        for asked in asked {
            let store = match &asked.spot {
                Spot::Object { bucket, .. } => self.bucket(bucket).await.map_err(Finding::Unknown),
                Spot::Elsewhere(kind) => Err(self.unasked(ArtifactKind::Stored(*kind))),
                Spot::Nowhere => Err(unlocated()),
            };
            opened.push((asked, store));
        }
        let (checker, of) = (Arc::clone(&self.checker), Arc::clone(run));
        let each = move |(asked, store): (Asked, Result<Arc<dyn Store>, Finding>)| {
            let (checker, run) = (Arc::clone(&checker), Arc::clone(&of));
            async move {
                let found = match (&asked.spot, store) {
                    (Spot::Object { key, .. }, Ok(store)) => {
                        seen(checker, store, key).await.map(|seen| judged(&run, &asked, seen))
                    }
                    (_, Ok(_)) => Ok(Ok(Judged::only(unlocated()))),
                    (_, Err(finding)) => Ok(Ok(Judged::only(finding))),
                };
                (asked, found)
            }
        };
        let mut found = self.lanes.each(opened, each);
        let mut inputs = Vec::new();
        let mut next = 0;
        let steps: Vec<_> = run.nodes.iter().map(|node| Arc::new(Step::of(run, node))).collect();
        while let Some((asked, found)) = found.next().await {
            tell_said(&steps, &mut said, &mut next, asked.node, &mut tell)?;
            let judged = match found {
                Ok(found) => found,
                Err(Large(artifact)) => judged(run, &asked, self.large(&artifact).await),
            };
            let Some(step) = steps.get(asked.node).cloned() else { continue };
            let judged = judged.unwrap_or_else(|error| Judged {
                unattested: is_unattested(&error),
                ..Judged::only(self.failed(&error, Some(stored())))
            });
            let finding = settled(&asked, judged.finding, judged.unattested);
            inputs.extend(judged.inputs.into_iter().map(|input| (Arc::clone(&step), input)));
            let subject = match asked.spot {
                Spot::Object { bucket, key } => {
                    let path = PathBuf::from(format!("s3://{bucket}/{key}"));
                    told.insert(path.clone());
                    Subject::Artifact { path, output: asked.output }
                }
                Spot::Elsewhere(_) | Spot::Nowhere => Subject::Output(asked.output.unwrap_or_default()),
            };
            tell(Entry { step: Some(step), subject, finding, accepted: judged.accepted })?;
        }
        tell_said(&steps, &mut said, &mut next, run.nodes.len(), &mut tell)?;
        for words in outcomes.of_others(run) {
            let step = Some(Arc::new(Step::of_outcome(words)));
            tell(Entry { step, subject: Subject::Step, finding: left_out(), accepted: None })?;
        }
        self.links(run, inputs, tell).await
    }

    /// What is in a kind of store that nobody here can ask.
    fn unasked(&self, kind: ArtifactKind) -> Finding {
        let told = Told {
            reason: Reason::Unverifiable,
            fault: Fault::No,
            message: match kind {
                ArtifactKind::Stored(kind) => format!("it is in {kind} storage, which cannot be asked"),
                ArtifactKind::File | ArtifactKind::Image => "it is in no store".to_owned(),
            },
            remedy: None,
        };
        match self.checker.policy().missing().of(Some(kind)) {
            Missing::Warn => Finding::LetPass(told),
            Missing::Fail => Finding::Rejected(told),
        }
    }
}

/// What there is to say of the nodes up to this one, before their objects.
fn tell_said<E>(
    steps: &[Arc<Step>],
    said: &mut [Vec<(Option<String>, Finding)>],
    next: &mut usize,
    upto: usize,
    tell: &mut impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    while let (Some(step), Some(of_step)) = (steps.get(*next), said.get_mut(*next)) {
        if *next > upto {
            break;
        }
        for (output, finding) in std::mem::take(of_step) {
            let subject = output.map_or(Subject::Step, Subject::Output);
            tell(Entry { step: Some(Arc::clone(step)), subject, finding, accepted: None })?;
        }
        *next += 1;
    }
    Ok(())
}

/// What one node owes.
#[derive(Default)]
struct Owed {
    /// What is known without its objects: of the step, or of an output that has none.
    said: Vec<(Option<String>, Finding)>,
    objects: Vec<Asked>,
}

/// What a node owes: the objects that it is said to have made, those that its signed outcome says
/// are attested, and that outcome.
fn owed(run: &WorkflowRun, node: &Node, outcomes: &Outcomes) -> Owed {
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
            owed.said.push((None, Finding::AbsentByRight(Absence::Skipped)));
            return owed;
        }
        Account::ArgosOwn if node.outputs.is_empty() => {
            owed.said.push((None, Finding::AbsentByRight(Absence::ArgosOwn)));
            return owed;
        }
        Account::TakenOver if node.outputs.is_empty() => {
            owed.said.push((None, Finding::AbsentByRight(Absence::TakenOver)));
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
        owed.said.push((None, finding));
    }
    let said_of = |name: &str| match told.iter().find(|told| told.output.as_deref() == Some(name)) {
        Some(told) => told.finding.clone(),
        None => words.and_then(|words| of_failed(words, name)),
    };
    owed.objects = node.outputs.iter().map(|made| object(made, said_of(&made.name))).collect();
    let named: HashSet<_> = node.outputs.iter().map(|made| made.name.as_str()).collect();
    let spots: BTreeSet<_> = node.outputs.iter().map(|made| &made.spot).collect();
    for OutcomeFinding { output, attestation, digest, finding } in &told {
        match (output, finding) {
            // A step that failed leaves nothing behind, or what the workflow names.
            (None, Some(Finding::AbsentByRight(_))) if !node.outputs.iter().all(Made::is_log) => {}
            (None, Some(finding)) => owed.said.push((None, finding.clone())),
            (Some(name), Some(finding)) if !named.contains(name.as_str()) => {
                owed.said.push((Some(name.clone()), finding.clone()));
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

/// What the outcome of a step that failed says of an output that is stored all the same.
fn of_failed(words: &OutcomeWords, name: &str) -> Option<Finding> {
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

/// What an object is, for the node that is said to have made it.
fn judged(run: &WorkflowRun, asked: &Asked, seen: Seen) -> Result<Judged, CheckError> {
    let checked = match seen {
        Seen::Gone => return Ok(Judged::only(Finding::ObjectGone)),
        Seen::Failed(error) => return Err(error),
        Seen::Checked(checked) => checked,
    };
    let (Some(maker), Spot::Object { bucket, key }) = (run.nodes.get(asked.node), &asked.spot) else {
        return Ok(Judged::only(unlocated()));
    };
    let signed = checked.statement.provenance().and_then(Invocation::of);
    let finding = match judge(run, maker, (bucket, key), signed.as_ref()) {
        // The phase is the text's word.
        Finding::StaleVersion { by, lost: _ } => Finding::StaleVersion { by, lost: !asked.failed },
        Finding::Attested if !has(&checked.statement, asked.digest.as_deref()) => replaced(),
        finding => finding,
    };
    let inputs = inputs(&checked.statement);
    let accepted = Some(Box::new(Accepted::new(*checked, key.as_bytes())));
    Ok(Judged { finding, accepted, unattested: false, inputs })
}

/// Whether the statement is about what the outcome says was attested.
fn has(statement: &VerifiedStatement, digest: Option<&str>) -> bool {
    let Some((kind, digest)) = digest.and_then(|digest| digest.split_once(':')) else { return true };
    statement.statement().subjects().iter().any(|subject| match kind {
        "dirHash" => digest.parse().is_ok_and(|wanted| subject.digest.dir_hash() == Some(wanted)),
        _ => digest.parse().is_ok_and(|wanted| subject.digest.sha256() == Some(wanted)),
    })
}

fn replaced() -> Finding {
    Finding::Rejected(Told {
        reason: Reason::Altered,
        fault: Fault::No,
        message: "it is what this step left at another time: its signed outcome has another digest"
            .to_owned(),
        remedy: Some("find out who put an earlier version back, and run the step again".to_owned()),
    })
}

fn left_out() -> Finding {
    Finding::Rejected(Told {
        reason: Reason::NotFound,
        fault: Fault::No,
        message: "a trusted key signed an outcome of this node, and the workflow's text has no such node"
            .to_owned(),
        remedy: Some("get the text anew, from the cluster or from Argo's archive".to_owned()),
    })
}

/// What went in that its statement says was attested.
fn inputs(statement: &VerifiedStatement) -> Vec<ResourceDescriptor> {
    let dependencies = |provenance: &Provenance| {
        let all = provenance.build_definition.resolved_dependencies.iter();
        let attested = all.filter(|input| !matches!(AttestationRef::of(input), Ok(None)));
        attested.cloned().collect()
    };
    statement.provenance().map(dependencies).unwrap_or_default()
}

/// The signed outcome's word counts where the object itself says no more than that it is not
/// attested.
fn settled(asked: &Asked, finding: Finding, unattested: bool) -> Finding {
    match (&finding, &asked.said) {
        (Finding::ObjectGone, Some(said)) => said.clone(),
        (Finding::ObjectGone, None) if asked.is_log => Finding::NotOurs,
        (Finding::ObjectGone, None) => finding,
        (_, Some(said @ Finding::RefusedInStep { .. })) if unattested => said.clone(),
        // Entries in it were refused: what is attested is not all of it.
        (Finding::Attested, Some(said @ Finding::RefusedInStep { .. })) => said.clone(),
        _ if unattested && asked.is_log => Finding::NotOurs,
        _ => finding,
    }
}

fn unlocated() -> Finding {
    Finding::Rejected(Told {
        reason: Reason::Unverifiable,
        fault: Fault::No,
        message: "the workflow does not say where it is stored".to_owned(),
        remedy: None,
    })
}
