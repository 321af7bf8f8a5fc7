//! What is told of an artifact that is as it was attested: by whom, as what, and of which bytes.
//! Fields of the JSON object are added, never renamed or removed; `docs/reports.md` documents them.

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::layout::Only;
use argo_attest_core::slsa::{AttestationRef, Provenance, is_own_build_type};
use argo_attest_core::text::brief;
use argo_attest_core::verify::KnownAs;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{NotJudged, Proven};
use crate::verify::Checked;

/// What is said of an object that the attestation would vouch for in any other place, too.
const UNPLACED: &str = ", not bound to this place: the attestation names none";

/// The same in a list.
const UNPLACED_BRIEFLY: &str = "not bound to this place";

/// By what an image is known that was accepted.
#[derive(Debug, Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Image {
    Manifest,
    Config,
}

impl From<Only> for Image {
    fn from(only: Only) -> Self {
        match only {
            Only::Manifest(_) => Self::Manifest,
            Only::Config(_) => Self::Config,
        }
    }
}

/// One artifact that is accepted, as members of its JSON object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accepted {
    subject: String,
    /// It is called otherwise where it is, and nothing binds it to its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) renamed: bool,
    pub(crate) digest: String,
    files: u64,
    pub(crate) attestation: String,
    pub(crate) key: String,
    pub(crate) key_id: String,
    /// For whom the certificate is that it was signed with, and who vouched for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    predicate_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) builder_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workflow: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template: Option<String>,
    /// The one commit that went in, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    /// How the working tree was that this commit was checked out to, if the statement says.
    #[serde(skip_serializing_if = "Option::is_none")]
    work_tree: Option<String>,
    /// Of an object in a store: whether its attestation binds it to this very place.
    #[serde(skip_serializing_if = "Option::is_none")]
    placed: Option<bool>,
    /// Of a directory or a tar that is accepted for the image that it holds: what of the image
    /// `digest` is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finished_on: Option<Timestamp>,
    /// What others vouch for, by the trusted root.
    #[serde(skip_serializing_if = "Option::is_none")]
    proven: Option<Proven>,
    /// Evidence that came with the attestation, and that it was not accepted for.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<NotJudged>,
    /// Attestations that were looked at first, and why they did not do.
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<String>,
    /// Digest of the attestation's own file, which no report tells.
    #[serde(skip)]
    pub file: Option<Sha256Digest>,
    /// What went in, for a picture.
    #[serde(skip)]
    pub materials: Vec<Material>,
}

/// Something that went into an artifact, as its verified statement says; not printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// Its address; empty where it has none.
    pub uri: String,
    /// What it was to the step, such as `inputs/src`.
    pub name: String,
    /// Its first digest, as `algorithm:digest`.
    pub digest: Option<String>,
    /// Whether the statement says that it is attested.
    pub is_attested: bool,
}

impl Accepted {
    /// What was found of it. `name`: its path or its address, as it is.
    pub fn new(checked: Checked, name: &[u8]) -> Self {
        let Checked { statement: verified, origin: attestation, file, placed, image, unjudged, passed_over } =
            checked;
        let provenance = verified.provenance();
        Self {
            file: Some(file),
            materials: provenance.map(materials).unwrap_or_default(),
            placed,
            renamed: is_renamed(verified.subject(), name) && placed != Some(true) && image.is_none(),
            image: image.map(Image::from),
            proven: Proven::new(verified.proof()),
            not_judged: NotJudged::new(unjudged),
            passed_over: passed_over.told(),
            subject: verified.subject().to_owned(),
            digest: verified.digest().to_owned(),
            files: verified.files(),
            attestation,
            key: verified.signer().name.clone(),
            key_id: verified.signer().id.to_string(),
            identity: verified.signer().identity.as_ref().map(|identity| identity.name().to_owned()),
            issuer: verified.signer().identity.as_ref().map(|identity| identity.issuer().to_owned()),
            predicate_type: verified.statement().predicate_type().to_owned(),
            builder_id: provenance.map(|p| p.run_details.builder.id.clone()),
            build_type: provenance.map(|p| p.build_definition.build_type.clone()),
            invocation_id: provenance.map(|p| p.run_details.metadata.invocation_id.clone()),
            workflow: parameter(provenance, "workflow", "name"),
            namespace: parameter(provenance, "workflow", "namespace"),
            template: parameter(provenance, "template", "name"),
            commit: provenance.and_then(commit),
            work_tree: provenance.and_then(work_tree),
            finished_on: provenance.and_then(|p| p.run_details.metadata.finished_on),
        }
    }

    /// For people: by whom it is attested, as what, and of which bytes.
    pub fn told(&self) -> [String; 2] {
        let name = match self.subject.as_str() {
            "" => String::new(),
            name => format!("as {name}, "),
        };
        let place = if self.placed == Some(false) { UNPLACED } else { "" };
        [
            format!("{name}signed with {}, {}{place}", self.signer(), self.claim()),
            match self.image {
                Some(Image::Manifest) => format!("the image with the manifest {}", self.digest),
                Some(Image::Config) => format!("the image with the configuration {}", self.digest),
                None => self.digest.clone(),
            },
        ]
    }

    /// For people, what is not to be missed in a list.
    pub fn briefly(&self) -> Option<String> {
        let name = self.renamed.then(|| format!("as {}", self.subject));
        let place = (self.placed == Some(false)).then(|| UNPLACED_BRIEFLY.to_owned());
        let told: Vec<_> = [name, place].into_iter().flatten().collect();
        Some(told.join(", ")).filter(|told| !told.is_empty())
    }

    /// For people: what lies nearer and did not do, what came with it, and what of that was not judged.
    pub fn beside(&self) -> impl Iterator<Item = String> {
        let came = self.proven.iter().map(Proven::text).chain(self.not_judged.iter().map(NotJudged::text));
        self.passed_over.iter().cloned().chain(came)
    }

    /// Who signed: a key, or somebody with a certificate.
    fn signer(&self) -> String {
        match &self.identity {
            Some(identity) => format!("a certificate for {}", brief(identity, 300)),
            None => format!("{} ({})", self.key, self.key_id),
        }
    }

    /// What is claimed of it: who built it, or what else was asked for. The build type of others
    /// says what their builder's words mean.
    fn claim(&self) -> String {
        match (&self.builder_id, &self.build_type) {
            (Some(builder), Some(kind)) if !is_own_build_type(kind) => {
                format!("builder {builder}, build type {kind}")
            }
            (Some(builder), _) => format!("builder {builder}"),
            (None, _) => format!("predicate {}", self.predicate_type),
        }
    }
}

/// What went in, or the first of it: a list that is longer is nobody's to look at.
fn materials(provenance: &Provenance) -> Vec<Material> {
    const MOST: usize = 64;
    let dependencies = provenance.build_definition.resolved_dependencies.iter();
    let material = |dependency: &argo_attest_core::intoto::ResourceDescriptor| Material {
        uri: dependency.uri.clone(),
        name: dependency.name.clone(),
        digest: dependency.digest.iter().next().map(|(algorithm, digest)| format!("{algorithm}:{digest}")),
        is_attested: !matches!(AttestationRef::of(dependency), Ok(None)),
    };
    dependencies.take(MOST).map(material).collect()
}

/// Whether it is attested by another name than it has: whoever can rename files can swap two.
fn is_renamed(subject: &str, name: &[u8]) -> bool {
    let name = name.strip_suffix(b"/").unwrap_or(name);
    !subject.is_empty() && !name.starts_with(b"oci://") && !KnownAs::new(name).ends_with(subject)
}

/// What the statement says of the working tree of the one checkout that went in.
fn work_tree(provenance: &Provenance) -> Option<String> {
    commit(provenance)?;
    let dependencies = provenance.build_definition.resolved_dependencies.iter();
    let mut told = dependencies.filter_map(|dependency| dependency.annotations.get("workTree")?.as_str());
    told.next().map(str::to_owned)
}

fn parameter(provenance: Option<&Provenance>, object: &str, field: &str) -> Option<String> {
    let parameters = &provenance?.build_definition.external_parameters;
    parameters.get(object)?.get(field)?.as_str().map(str::to_owned)
}

/// The git commit among what went in; none where there are several.
fn commit(provenance: &Provenance) -> Option<String> {
    let dependencies = provenance.build_definition.resolved_dependencies.iter();
    let digests = dependencies.flat_map(|dependency| dependency.digest.iter());
    let mut commits = digests.filter(|(algorithm, _)| *algorithm == "gitCommit").map(|(_, commit)| commit);
    let first = commits.next()?;
    commits.all(|other| other == first).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_renamed_it_is_told() {
        for (subject, name, renamed) in [
            ("a", "x/a", false),
            ("x/a", "y/x/a", false),
            ("a", "b", true),
            ("out", "out/", false),
            ("a%25b", "a%b", false),
            ("", "b", false),
        ] {
            assert_eq!(is_renamed(subject, name.as_bytes()), renamed, "{subject} {name}");
        }
    }
}
