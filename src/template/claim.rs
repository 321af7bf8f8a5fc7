//! From what a text claims to a template that is established.

use argo_attest_core::argo::pod::{LivePod, PodSpec};
use argo_attest_core::argo::workflow::{StoredWorkflow, WorkflowDifference, WorkflowError};
use argo_attest_core::argo::{Asked, AskedEvidence, Step, TemplateText};
use argo_attest_core::text::brief;
use tokio::join;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::info;

use super::asking::{TOGETHER, ask};
use super::{HandedOver, NotCompared, Platform, TemplateSource, Unestablished};
use crate::cluster::Lookup;

/// Bytes of a name or a UID in a message.
const SHOWN: usize = 100;

/// What a text says of a step, compared with what is at hand. Not yet with the API
/// server: that takes time.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    text: &'a TemplateText,
    step: Step,
    asked: Asked,
    pod: Option<PodSpec>,
}

/// A step whose template is what the platform says, as far as it was asked to say.
#[derive(Debug, Clone)]
pub struct Established {
    /// The step. Commands that the template leaves to the image are those of the pod,
    /// where that is known.
    pub step: Step,
    /// What was asked for.
    pub asked: Asked,
    /// With what the text was compared.
    pub source: TemplateSource,
    /// The pod's own spec, if it is known: as the API server has it or, failing that, as it was
    /// handed over. The text says what this says.
    pub pod: Option<PodSpec>,
}

impl<'a> Claim<'a> {
    /// Reads the text. What was handed over is compared at once.
    pub fn read(text: &'a TemplateText, handed_over: &HandedOver) -> Result<Self, Unestablished> {
        let step = Step::parse(text)?;
        let pod = handed_over.pod_spec.as_deref().map(PodSpec::from_handed_over).transpose()?;
        let evidence = AskedEvidence {
            pod: pod.as_ref().map(|pod| &pod.annotations),
            attest: handed_over.asked_attest.as_deref(),
            verify_inputs: handed_over.asked_verify_inputs.as_deref(),
            verify_images: handed_over.asked_verify_images.as_deref(),
        };
        let asked = Asked::of(&step, evidence)?;
        if let Some(pod) = &pod {
            pod.compare(&step, text).map_err(Unestablished::HandedOverPod)?;
        }
        Ok(Self { text, step, asked, pod })
    }

    /// The step that is claimed.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// What was asked for.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Compares it with what the API server has.
    pub async fn establish(self, platform: &Platform<'_>) -> Result<Established, Unestablished> {
        let deadline = Instant::now() + TOGETHER;
        let (pod, workflow) = join!(self.live_pod(platform, deadline), self.workflow(platform, deadline));
        let Self { text, mut step, asked, pod: handed_over } = self;
        // A difference counts before anything that was not known.
        let mut source = TemplateSource::Text;
        if handed_over.is_some() {
            source = TemplateSource::Pod;
        }
        let mut missing = Vec::new();
        let live = match pod {
            Ok(pod) => {
                is_ours(&pod, platform)?;
                pod.compare(&step, text).map_err(Unestablished::LivePod)?;
                source = TemplateSource::Pod;
                Some(pod)
            }
            Err(why) => {
                missing.push(format!("its pod: {}", why.told()));
                None
            }
        };
        match workflow {
            Ok(Stored { name, uid, compared }) => {
                let owner = live.as_ref().and_then(|pod| pod.owner.as_ref());
                same("Workflow", &name, owner.map(|owner| owner.name.as_str()))?;
                same("Workflow's UID", &uid, owner.map(|owner| owner.uid.as_str()))?;
                same("Workflow's UID", &uid, platform.identity.workflow_uid.as_deref())?;
                compared?;
                source = TemplateSource::Workflow;
            }
            Err(NotCompared::Workflow(error)) if error.is_of_its_content() => {
                return Err(Unestablished::Incomparable(error));
            }
            Err(why) => missing.push(format!("its Workflow: {}", why.told())),
        }
        let pod = live.map(|pod| pod.spec).or(handed_over);
        if let Some(pod) = &pod {
            pod.complete(&mut step);
        }
        let why = missing.join("; ");
        if source < platform.least {
            return Err(Unestablished::TooLittle { least: platform.least, got: source, why });
        }
        info!(
            step = step.name,
            template_source = source.as_str(),
            not_compared = why,
            "template established"
        );
        Ok(Established { step, asked, source, pod })
    }

    async fn live_pod(&self, platform: &Platform<'_>, deadline: Instant) -> Result<LivePod, NotCompared> {
        let cluster = platform.cluster.ok_or(NotCompared::Nobody)?;
        let needed = platform.least == TemplateSource::Pod && self.pod.is_none();
        ask(deadline, needed, async || Ok(LivePod::from_json(&cluster.own_pod().await?)?)).await
    }

    async fn workflow(&self, platform: &Platform<'_>, deadline: Instant) -> Result<Stored, NotCompared> {
        let cluster = platform.cluster.ok_or(NotCompared::Nobody)?;
        let name = known(platform.identity.workflow_name.as_ref(), "the Workflow's name")?;
        let node = known(platform.identity.node_id.as_ref(), "the node's id")?;
        let needed = platform.least == TemplateSource::Workflow;
        ask(deadline, needed, async || self.stored(cluster, name, node).await).await
    }

    async fn stored(&self, cluster: &dyn Lookup, name: &str, node: &str) -> Result<Stored, NotCompared> {
        let bytes = cluster.workflow(name).await?;
        let (node, text) = (node.to_owned(), self.text.clone());
        // Megabytes of JSON, while SIGTERM has to be heard.
        Ok(spawn_blocking(move || Stored::read(&bytes, &node, &text)).await??)
    }
}

/// The Workflow, compared.
struct Stored {
    name: String,
    uid: String,
    compared: Result<(), WorkflowDifference>,
}

impl Stored {
    fn read(bytes: &[u8], node: &str, text: &TemplateText) -> Result<Self, WorkflowError> {
        let workflow = StoredWorkflow::from_json(bytes, node)?;
        let compared = workflow.compare(text.as_str());
        Ok(Self { name: workflow.name().to_owned(), uid: workflow.uid().to_owned(), compared })
    }
}

fn known<'a>(value: Option<&'a String>, what: &'static str) -> Result<&'a str, NotCompared> {
    value.map(String::as_str).filter(|text| !text.is_empty()).ok_or(NotCompared::Unknown(what))
}

/// The pod is the one that this container was told that it is in.
fn is_ours(pod: &LivePod, platform: &Platform<'_>) -> Result<(), Unestablished> {
    let identity = platform.identity;
    same("pod's UID", &pod.uid, identity.pod_uid.as_deref())?;
    if let Some(node) = &pod.node_id {
        same("node's id", node, identity.node_id.as_deref())?;
    }
    if let Some(owner) = &pod.owner {
        same("Workflow", &owner.name, identity.workflow_name.as_deref())?;
        same("Workflow's UID", &owner.uid, identity.workflow_uid.as_deref())?;
    }
    Ok(())
}

/// What is not known here cannot be another one.
fn same(what: &'static str, there: &str, here: Option<&str>) -> Result<(), Unestablished> {
    match here.filter(|here| !here.is_empty() && *here != there) {
        None => Ok(()),
        Some(here) => {
            Err(Unestablished::Other { what, there: brief(there, SHOWN), here: brief(here, SHOWN) })
        }
    }
}
