//! A workflow: every node that ran a container, every object that it made, and what went in.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::audit::{Finding, Invocation, Made, Node, Spot, Told, Unfinished, WorkflowRun, judge};
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::policy::{ArtifactKind, Missing};
use argo_attest_core::relpath::printable;
use argo_attest_core::slsa::{AttestationRef, Provenance};
use argo_attest_core::trouble::Fault;
use argo_attest_core::verify::{Reason, VerifiedStatement};
use futures_util::stream::{self, StreamExt as _};

use super::auditor::is_unattested;
use super::image::{AT_ONCE as IMAGES_AT_ONCE, SeenImage};
use super::object::{Seen, seen};
use super::owed::{Asked, Said, owed};
use super::place::stored;
use super::{Auditor, Entry, Names, Outcomes, Step, Subject};
use crate::report::Accepted;
use crate::store::Store;
use crate::verify::{CheckError, Large};

/// What was found of one object, and no more of it than is told.
struct Judged {
    finding: Finding,
    accepted: Option<Box<Accepted>>,
    /// Whether there is no attestation, and nothing else is wrong.
    unattested: bool,
    /// What went into the step, with attestations.
    inputs: Vec<ResourceDescriptor>,
    /// What the workflow says went in, where the step's own statement names something else.
    others: Vec<OtherInput>,
}

/// An input of which two things are said.
struct OtherInput {
    /// Its address, as the workflow says, printable.
    told: String,
    /// As it was signed.
    signed: String,
}

/// What is said of a node before its objects.
struct SaidOf {
    subject: Subject,
    finding: Finding,
    accepted: Option<Box<Accepted>>,
}

impl SaidOf {
    /// The address of the image that it is about.
    fn address(&self) -> Option<OsString> {
        match &self.subject {
            Subject::Artifact { path, .. } => Some(path.clone().into_os_string()),
            _ => None,
        }
    }

    fn new(Said { output, finding, image: _ }: Said, seen: Option<SeenImage>) -> Self {
        match seen {
            None => Self { subject: output.map_or(Subject::Step, Subject::Output), finding, accepted: None },
            Some(SeenImage { name, finding, accepted, inputs: _ }) => {
                Self { subject: Subject::Artifact { path: name.into(), output }, finding, accepted }
            }
        }
    }
}

impl Judged {
    /// Nothing but that.
    fn only(finding: Finding) -> Self {
        Self { finding, accepted: None, unattested: false, inputs: Vec::new(), others: Vec::new() }
    }
}

impl Auditor {
    /// Says that a run has not ended, if it has not; of each of its nodes what there is to say, in their
    /// order; and then of the links to what went in. `told` gets the addresses of the objects of which something was said.
    ///
    /// Errors: those of `tell`.
    pub async fn workflow<E>(
        &self,
        run: &Arc<WorkflowRun>,
        outcomes: &Outcomes,
        told: &mut Names,
        mut tell: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        if !run.has_ended() {
            let (step, finding) = (Arc::new(Step::of_run(run)), Finding::NeverFinished(Unfinished::Workflow));
            tell(Entry { step: Some(step), subject: Subject::Step, finding, accepted: None })?;
        }
        let mut asked = Vec::new();
        let mut said = Vec::new();
        for (at, node) in run.nodes.iter().enumerate() {
            let of_node = owed(run, node, outcomes);
            said.push(of_node.said);
            asked.extend(of_node.objects.into_iter().map(|object| Asked { node: at, ..object }));
        }
        let (mut said, of_images) = self.images(run, said).await;
        told.extend(said.iter().flatten().filter_map(SaidOf::address));
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
        let (mut inputs, mut other_inputs) = (Vec::new(), BTreeSet::new());
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
                    told.insert(path.clone().into_os_string());
                    Subject::Artifact { path, output: asked.output }
                }
                Spot::Elsewhere(_) | Spot::Nowhere => Subject::Output(asked.output.unwrap_or_default()),
            };
            tell(Entry { step: Some(Arc::clone(&step)), subject, finding, accepted: judged.accepted })?;
            for OtherInput { told, signed } in judged.others {
                if other_inputs.insert((asked.node, told.clone())) {
                    let (step, subject) = (Some(Arc::clone(&step)), Subject::Input(told));
                    tell(Entry { step, subject, finding: other_input(&signed), accepted: None })?;
                }
            }
        }
        tell_said(&steps, &mut said, &mut next, run.nodes.len(), &mut tell)?;
        for words in outcomes.of_others(run) {
            let step = Some(Arc::new(Step::of_outcome(words)));
            tell(Entry { step, subject: Subject::Step, finding: left_out(), accepted: None })?;
        }
        let step = |at: usize| steps.get(at).cloned();
        inputs.extend(of_images.into_iter().filter_map(|(at, input)| Some((step(at)?, input))));
        self.links(run, inputs, tell).await
    }

    /// What there is to say of each node, with what is found of the images that its outcome names; and what went
    /// into those.
    async fn images(
        &self,
        run: &WorkflowRun,
        said: Vec<Vec<Said>>,
    ) -> (Vec<Vec<SaidOf>>, Vec<(usize, ResourceDescriptor)>) {
        let mut asked = Vec::new();
        for (at, (of_node, node)) in said.iter().zip(&run.nodes).enumerate() {
            for (number, image) in
                of_node.iter().enumerate().filter_map(|(n, said)| Some((n, said.image.clone()?)))
            {
                let by = Invocation {
                    workflow_uid: Some(run.uid.clone()),
                    node_id: Some(node.id.clone()),
                    pod_uid: None,
                    workflow: Some(run.name.clone()),
                };
                asked.push(((at, number), image, by));
            }
        }
        let each = asked.into_iter().map(|(place, image, by)| async move {
            let seen = self.image(&image, &by).await;
            seen.map(|seen| (place, seen))
        });
        let each = stream::iter(each).buffered(IMAGES_AT_ONCE).filter_map(std::future::ready);
        let mut seen: BTreeMap<_, _> = each.collect().await;
        let mut inputs = Vec::new();
        for ((at, _), seen) in &mut seen {
            inputs.extend(std::mem::take(&mut seen.inputs).into_iter().map(|input| (*at, input)));
        }
        let of_node = |(at, of_node): (usize, Vec<Said>)| {
            let each = of_node.into_iter().enumerate();
            each.map(|(number, said)| SaidOf::new(said, seen.remove(&(at, number)))).collect()
        };
        (said.into_iter().enumerate().map(of_node).collect(), inputs)
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
    said: &mut [Vec<SaidOf>],
    next: &mut usize,
    upto: usize,
    tell: &mut impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    while let (Some(step), Some(of_step)) = (steps.get(*next), said.get_mut(*next)) {
        if *next > upto {
            break;
        }
        for SaidOf { subject, finding, accepted } in std::mem::take(of_step) {
            tell(Entry { step: Some(Arc::clone(step)), subject, finding, accepted })?;
        }
        *next += 1;
    }
    Ok(())
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
    // Of what another run made, that run's inputs are told.
    let is_its_own = finding == Finding::Attested;
    let others = if is_its_own { other_inputs(maker, &checked.statement) } else { Vec::new() };
    let accepted = Some(Box::new(Accepted::new(*checked, key.as_bytes())));
    Ok(Judged { finding, accepted, unattested: false, inputs, others })
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
pub(super) fn inputs(statement: &VerifiedStatement) -> Vec<ResourceDescriptor> {
    let dependencies = |provenance: &Provenance| {
        let all = provenance.build_definition.resolved_dependencies.iter();
        let attested = all.filter(|input| !matches!(AttestationRef::of(input), Ok(None)));
        attested.cloned().collect()
    };
    statement.provenance().map(dependencies).unwrap_or_default()
}

/// The objects that the workflow says the node took, and of which its statement says another by the same
/// name of an input.
fn other_inputs(node: &Node, statement: &VerifiedStatement) -> Vec<OtherInput> {
    let Some(provenance) = statement.provenance() else { return Vec::new() };
    let signed = &provenance.build_definition.resolved_dependencies;
    let other = |taken: &Made| {
        let Spot::Object { bucket, key } = &taken.spot else { return None };
        let told = printable(format!("s3://{bucket}/{}", key.trim_end_matches('/')).as_bytes());
        let named = format!("inputs/{}", taken.name);
        let signed = signed.iter().find(|input| input.name == named && input.uri.starts_with("s3://"))?;
        let differs = signed.uri.trim_end_matches('/') != told;
        differs.then(|| OtherInput { told, signed: signed.uri.clone() })
    };
    node.inputs.iter().filter_map(other).collect()
}

fn other_input(signed: &str) -> Finding {
    Finding::Rejected(Told {
        reason: Reason::Chain,
        fault: Fault::No,
        message: format!("the workflow says that this went in; the step's signed statement says {signed}"),
        remedy: Some("get the text anew, from the cluster or from Argo's archive".to_owned()),
    })
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
