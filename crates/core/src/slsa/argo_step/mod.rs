//! Build type `argo-step/v1`: one step of an Argo workflow, watched from inside
//! its pod. Specified field by field in `docs/buildtypes/argo-step/v1.md`.
//!
//! What a tenant chose is told as the step's template and its input parameters
//! have it. Values of environment variables are not in [`Step`], so they cannot
//! get in here; what is longer than [`TEXT_LIMIT`], or a private key, is told by its digest.

mod dependencies;
mod external;
mod identity;
mod image;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{AttestationRef, BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use crate::argo::{Elsewhere, Parameters, Source, Step, TemplateSource};
use crate::digest::Sha256Digest;
use crate::intoto::{DigestSet, ResourceDescriptor};
use crate::secret::is_private_key;

pub use identity::PodIdentity;
pub use image::{ImageEvidence, StepImage};

/// `buildType` of a step that `argo-attest sidecar` watched.
pub const ARGO_STEP_BUILD_TYPE: &str = "https://argo-attest.github.io/buildtypes/argo-step/v1";

/// Bytes of a value that is told as it is; a longer one is told as its digest
/// and size.
const TEXT_LIMIT: usize = 16 * 1024;

/// What is said of a stored object that was not compared with what main wrote.
const UNCHECKED: &str = "unchecked";

/// A step that ran, with what was seen while it did.
#[derive(Debug, Clone)]
pub struct StepRun<'a> {
    /// What the step's template says.
    pub step: &'a Step,
    /// With what the template's text was compared.
    pub template: TemplateSource,
    /// Its input parameters; `None` if they are not known.
    pub parameters: Option<&'a Parameters>,
    /// Which pod ran it.
    pub identity: &'a PodIdentity,
    /// URI of the builder.
    pub builder_id: &'a str,
    /// When watching began, which is before main's process started; for a plain
    /// sidecar, shortly after it may have.
    pub started_on: Option<Timestamp>,
    /// When main ended.
    pub finished_on: Option<Timestamp>,
    /// Exit codes by container.
    pub exit_codes: BTreeMap<String, i32>,
    /// How the sidecar was run: `native` or `sidecar`.
    pub form: &'static str,
    /// Files digested while main ran, and after.
    pub files_digested: (u64, u64),
    /// Bytes digested while main ran, and after.
    pub bytes_digested: (u64, u64),
    /// What is known of the bytes of input artifacts, by the artifact's name.
    pub input_evidence: BTreeMap<String, InputEvidence>,
    /// What is known of the images of its containers, by the container's name.
    pub image_evidence: BTreeMap<String, InputEvidence>,
}

/// What is known of an input artifact's bytes, or of an image, beyond where they came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputEvidence {
    /// Digests of the object.
    pub digest: DigestSet,
    /// The attestation that vouches for it.
    pub attestation: Option<AttestationRef>,
}

impl StepRun<'_> {
    /// The predicate for one artifact of this step. To `byproducts` those logs
    /// are added that Argo stores and that are not among them yet.
    pub fn provenance(&self, mut byproducts: Vec<ResourceDescriptor>) -> Provenance {
        for log in dependencies::logs(self.step) {
            if !byproducts.iter().any(|given| given.uri == log.uri) {
                byproducts.push(log);
            }
        }
        Provenance {
            build_definition: BuildDefinition {
                build_type: ARGO_STEP_BUILD_TYPE.into(),
                external_parameters: external::parameters(self),
                internal_parameters: self.internal_parameters(),
                resolved_dependencies: dependencies::resolved(self),
            },
            run_details: RunDetails {
                builder: Builder::this_version(self.builder_id),
                metadata: BuildMetadata {
                    invocation_id: self.invocation_id(),
                    started_on: self.started_on,
                    finished_on: self.finished_on,
                },
                byproducts,
            },
        }
    }

    /// Names this run of the step: see [`PodIdentity::invocation_id`].
    pub fn invocation_id(&self) -> String {
        self.identity.invocation_id()
    }

    fn internal_parameters(&self) -> Map<String, Value> {
        let mut internal = self.identity.internal_parameters();
        let codes: Map<_, _> =
            self.exit_codes.iter().map(|(container, code)| (container.clone(), (*code).into())).collect();
        insert_object(&mut internal, "exitCodes", codes);
        let sidecar = [
            ("form", self.form.into()),
            ("templateSource", self.template.as_str().into()),
            ("templateFrom", from(self.step.source).into()),
            ("parametersKnown", self.parameters.is_some().into()),
        ];
        insert_object(
            &mut internal,
            "sidecar",
            sidecar.map(|(name, value)| (name.into(), value)).into_iter().collect(),
        );
        let observed = [
            ("filesDigestedWhileRunning", self.files_digested.0),
            ("filesDigestedAfterEnd", self.files_digested.1),
            ("bytesDigestedWhileRunning", self.bytes_digested.0),
            ("bytesDigestedAfterEnd", self.bytes_digested.1),
        ];
        insert_object(
            &mut internal,
            "observed",
            observed.map(|(name, n)| (name.into(), n.into())).into_iter().collect(),
        );
        internal
    }
}

impl Provenance {
    /// The same of an output that is stored where nobody could ask: it says so.
    #[must_use]
    pub fn unchecked(mut self, place: &Elsewhere) -> Self {
        let kind = place.kind().name().into();
        let mut stored = Map::from_iter([("kind".to_owned(), kind), ("match".to_owned(), UNCHECKED.into())]);
        if let Ok(name) = place.name() {
            insert_text(&mut stored, "place", &name);
        }
        insert_object(&mut self.build_definition.internal_parameters, "stored", stored);
        self
    }
}

fn from(source: Source) -> &'static str {
    match source {
        Source::Env => "env",
        Source::Offloaded => "offloaded",
        Source::TemplateFile => "file",
    }
}

/// Text, or what stands for it where it is too long, or a private key: whoever may read the
/// attestation could sign with it.
fn bounded(text: &str) -> Value {
    if text.len() <= TEXT_LIMIT && !is_private_key(text.as_bytes()) {
        return text.into();
    }
    let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
    digest_and_size(&Sha256Digest::of(text.as_bytes()), size)
}

fn digest_and_size(digest: &Sha256Digest, size: u64) -> Value {
    Value::Object(Map::from_iter([
        ("sha256".to_owned(), digest.to_string().into()),
        ("size".to_owned(), size.into()),
    ]))
}

/// What is known, and not empty.
pub(super) fn texts(fields: &[(&str, &Option<String>)]) -> Map<String, Value> {
    let known = |(name, value): &(&str, &Option<String>)| {
        let value = value.as_deref().filter(|text| !text.is_empty())?;
        Some(((*name).to_owned(), bounded(value)))
    };
    fields.iter().filter_map(known).collect()
}

pub(super) fn insert_object(into: &mut Map<String, Value>, name: &str, object: Map<String, Value>) {
    if !object.is_empty() {
        into.insert(name.to_owned(), Value::Object(object));
    }
}

fn insert_list(into: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        into.insert(name.to_owned(), Value::Array(list));
    }
}

pub(super) fn insert_text(into: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() {
        into.insert(name.to_owned(), bounded(text));
    }
}
