//! The links from a workflow's steps to what went into them.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use argo_attest_core::audit::{Account, Finding, Invocation, Spot, Told, WorkflowRun};
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::relpath::printable;
use argo_attest_core::slsa::{
    ARGO_STEP_BUILD_TYPE, BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails,
};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Fault;
use argo_attest_core::verify::Reason;

use super::{Auditor, Entry, Step, Subject};
use crate::chain::{self, Chain, Limits, Link, Standing};
use crate::verify::reason_of;

impl Auditor {
    /// Walks from all that went into the steps, as their verified statements say, to the roots, each
    /// attestation once; and says of each link what does not hold. An input that this run made, and
    /// that is attested for another, is spliced.
    pub(super) async fn links<E>(
        &self,
        run: &WorkflowRun,
        inputs: Vec<(Arc<Step>, ResourceDescriptor)>,
        mut tell: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        if inputs.is_empty() {
            return Ok(());
        }
        let (steps, inputs): (Vec<_>, Vec<_>) = inputs.into_iter().unzip();
        let (policy, now) = (self.checker.policy(), self.checker.now());
        let chain = chain::walk(&all(inputs), policy, now, &self.buckets, Limits::default()).await;
        let made_here = made_here(run);
        let is_of_a_step = |link: &Link| chain.path(link).len() == 1;
        // What a step took is told there, and not again beneath what was made of it.
        let of_steps: HashSet<_> =
            chain.links().iter().filter(|link| is_of_a_step(link)).map(Link::uri).collect();
        // Those of the steps themselves stand in the order in which they were given.
        let mut steps = steps.into_iter();
        let (mut step, mut told) = (None, HashSet::new());
        for link in chain.links() {
            let is_of_a_step = is_of_a_step(link);
            if is_of_a_step {
                step = steps.next();
            }
            let finding = match link.standing() {
                Standing::Broken(_) if !is_of_a_step && of_steps.contains(link.uri()) => None,
                Standing::Broken(error) => Some(broken(&chain, link, error)),
                Standing::Verified(upstream) | Standing::Again(upstream) if is_of_a_step => {
                    let signed = Some(upstream.invocation_id.as_str())
                        .filter(|_| upstream.build_type == ARGO_STEP_BUILD_TYPE)
                        .and_then(Invocation::parse);
                    let is_ours = signed.as_ref().is_some_and(|signed| signed.is_of(&run.uid));
                    let is_spliced = !is_ours && made_here.contains(link.uri().trim_end_matches('/'));
                    is_spliced.then_some(Finding::Spliced { signed })
                }
                Standing::Root | Standing::Verified(_) | Standing::Again(_) => None,
            };
            let Some(finding) = finding else { continue };
            let uri = if link.uri().is_empty() { link.name() } else { link.uri() };
            let of = step.as_ref().and_then(|step: &Arc<Step>| step.node_id.clone());
            if told.insert((of, uri.to_owned(), finding.reason())) {
                let subject = Subject::Input(uri.to_owned());
                tell(Entry { step: step.clone(), subject, finding, accepted: None })?;
            }
        }
        Ok(())
    }
}

/// One statement's worth of all that went into many: the walk begins there, and looks at nothing
/// else of it.
fn all(inputs: Vec<ResourceDescriptor>) -> Provenance {
    Provenance {
        build_definition: BuildDefinition {
            build_type: String::new(),
            external_parameters: serde_json::Map::new(),
            internal_parameters: serde_json::Map::new(),
            resolved_dependencies: inputs,
        },
        run_details: RunDetails {
            builder: Builder { id: String::new(), version: std::collections::BTreeMap::new() },
            metadata: BuildMetadata::default(),
            byproducts: Vec::new(),
        },
    }
}

/// The addresses, printable, of what nodes made that ran in this very run.
fn made_here(run: &WorkflowRun) -> BTreeSet<String> {
    let of = |account| {
        run.nodes.iter().filter(move |node| node.account() == account).flat_map(|node| &node.outputs)
    };
    let addresses = |made: &argo_attest_core::audit::Made| match &made.spot {
        Spot::Object { bucket, key } => {
            Some(printable(format!("s3://{bucket}/{}", key.trim_end_matches('/')).as_bytes()))
        }
        Spot::Elsewhere(_) | Spot::Nowhere => None,
    };
    let taken: BTreeSet<_> = of(Account::TakenOver).filter_map(addresses).collect();
    let ran = of(Account::Ran).chain(of(Account::ArgosOwn));
    ran.filter_map(addresses).filter(|address| !taken.contains(address)).collect()
}

fn broken(chain: &Chain, link: &Link, error: &chain::LinkError) -> Finding {
    if let Some(unknown) = error.unknown() {
        let (reason, fault) = (reason_of(unknown.fault()), unknown.fault());
        return Finding::Unknown(Told { reason, fault, message: causes(unknown), remedy: unknown.remedy() });
    }
    let path = chain.path(link).join(" > ");
    Finding::Rejected(Told {
        reason: Reason::Chain,
        fault: Fault::No,
        message: format!("what went in does not hold, at {path}: {}", causes(error)),
        remedy: crate::report::link_remedy(link, error),
    })
}
