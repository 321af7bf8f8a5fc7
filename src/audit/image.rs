//! An image that a step's signed outcome says is attested.

use std::collections::BTreeMap;

use argo_attest_core::audit::{Finding, Invocation, Told};
use argo_attest_core::image::ImageReference;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::policy::ArtifactKind;
use argo_attest_core::text::brief;
use argo_attest_core::trouble::Trouble as _;
use argo_attest_core::verify::VerifiedStatement;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::Auditor;
use super::workflow::inputs;
use crate::chain::EACH;
use crate::registry::RegistryError;
use crate::report::Accepted;
use crate::verify::{CheckError, check_image_of, reason_of};

/// Images that are asked for at the same time. Attestations of each are as large as whoever may push
/// chooses.
pub(super) const AT_ONCE: usize = 4;

/// Registries that gave no answer, and what is said of all their images: they are not waited for again.
pub(super) type Silent = Mutex<BTreeMap<String, Told>>;

/// What was found of an image.
#[derive(Debug)]
pub(super) struct SeenImage {
    /// What it is called: by its digest.
    pub(super) name: String,
    pub(super) finding: Finding,
    pub(super) accepted: Option<Box<Accepted>>,
    /// What went into it, with attestations.
    pub(super) inputs: Vec<ResourceDescriptor>,
}

impl SeenImage {
    fn only(name: &str, finding: Finding) -> Self {
        Self { name: name.to_owned(), finding, accepted: None, inputs: Vec::new() }
    }
}

impl Auditor {
    /// What there is of an image that this run of a step is said to have attested; `None` if its
    /// registry may not be asked: an outcome says what was made, and not whom we talk to.
    pub(super) async fn image(&self, image: &ImageReference, by: &Invocation) -> Option<SeenImage> {
        let name = format!("oci://{image}");
        let unknown = |told| SeenImage::only(&name, Finding::Unknown(told));
        let registry = image.repository().registry();
        let registries = match self.buckets.images().of(registry).await {
            Ok(registries) => registries?,
            Err(error) => return Some(unknown(Told::of(reason_of(error.fault()), &error))),
        };
        if let Some(why) = self.silent.lock().await.get(registry.server()) {
            return Some(unknown(Told {
                message: format!("{}: {}", brief(&name, 300), why.message),
                ..why.clone()
            }));
        }
        let is_own = |statement: &VerifiedStatement| {
            let signed = statement.provenance().and_then(Invocation::of);
            signed.is_some_and(|signed| is_run(by, &signed))
        };
        let checked = timeout(EACH, check_image_of(&self.asked, registries, image, is_own));
        let checked = checked.await.unwrap_or_else(|_| Err(late(&name, registry.server()).into()));
        Some(match checked {
            Ok(checked) => {
                let finding = match checked.statement.provenance().and_then(Invocation::of) {
                    Some(signed) if is_run(by, &signed) => Finding::Attested,
                    signed => Finding::Spliced { signed },
                };
                let inputs = inputs(&checked.statement);
                let accepted = Some(Box::new(Accepted::new(checked, name.as_bytes())));
                SeenImage { name, finding, accepted, inputs }
            }
            Err(error) => {
                let finding = self.failed(&error, Some(ArtifactKind::Image));
                if let (CheckError::Registry(RegistryError::Unreachable { .. }), Finding::Unknown(why)) =
                    (&error, &finding)
                {
                    let mut silent = self.silent.lock().await;
                    let message =
                        format!("{} was asked for another image: {}", registry.server(), why.message);
                    silent.insert(registry.server().to_owned(), Told { message, ..why.clone() });
                }
                SeenImage::only(&name, finding)
            }
        })
    }
}

/// Whether a statement is of this run of this step.
fn is_run(by: &Invocation, signed: &Invocation) -> bool {
    let names_it = |uid: &String| signed.is_of(uid);
    by.workflow_uid.as_ref().is_some_and(names_it)
        && by.node_id.is_some()
        && by.node_id == signed.node_id
        && (by.workflow.is_none() || signed.workflow.is_none() || by.workflow == signed.workflow)
}

fn late(what: &str, server: &str) -> RegistryError {
    RegistryError::Unreachable {
        what: what.to_owned(),
        server: server.to_owned(),
        attempts: 1,
        source: format!("no answer within {} s", EACH.as_secs()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_known_by_its_workflow_and_its_node() {
        let of = |uid: &str, node: &str, workflow: Option<&str>| Invocation {
            workflow: workflow.map(str::to_owned),
            ..Invocation::parse(&format!("{uid}/{node}/p")).unwrap()
        };
        let by = of("u", "n", Some("wf"));
        assert!(is_run(&by, &of("u", "n", Some("wf"))) && is_run(&by, &of("u", "n", None)));
        assert!(is_run(&of("u", "n", None), &of("u", "n", Some("wf"))));
        for other in [of("v", "n", None), of("u", "m", None), of("u", "n", Some("wg")), of("-", "n", None)] {
            assert!(!is_run(&by, &other), "{other:?}");
        }
        // What nobody knows is nobody's.
        for unknown in [of("-", "n", None), of("u", "-", None)] {
            assert!(!is_run(&unknown, &unknown), "{unknown:?}");
        }
    }
}
