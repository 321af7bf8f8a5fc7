//! The images of a step's own containers: each is looked up in its registry before main starts, and
//! has to be attested as the policy wants.
//!
//! Which images those are the pod's own spec says ([`argo_attest_core::argo::pod`]), never the
//! template's text alone: a `podSpecPatch` is no part of that. What the kubelet will pull is what was
//! looked at only where the image is named by its digest.

use std::time::Duration;

use argo_attest_core::argo::pod::ContainerImage;
use argo_attest_core::dsse::SignatureError;
use argo_attest_core::image::{ImageReference, InvalidReference};
use argo_attest_core::policy::ArtifactKind;
use argo_attest_core::text::brief;
use argo_attest_core::trouble::{Fault, Trouble};
use argo_attest_core::verify::Rejection;
use futures_util::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};

use super::error::InputError;
use super::missing;
use super::verdict::{Answer, Subject, Verdict, trace};
use crate::registry::{Registries, RegistryError};
use crate::telemetry;
use crate::verify::{AttestedImage, CheckError, Checker, check_named_image};

/// Images that are asked about at once.
const AT_ONCE: usize = 8;
/// Bytes of a foreign name in a message.
const SHOWN: usize = 300;

/// What the check of every image needs.
pub struct ImageInspection<'a> {
    /// Policy and clock.
    pub checker: &'a Checker,
    /// Whom to ask, with whose logins.
    pub registries: &'a Registries,
    /// How long all registries together may take.
    pub within: Duration,
}

/// How long all registries together may take: a step is held for no longer by one that is slow.
pub const REGISTRIES: Duration = Duration::from_mins(1);

/// Why a container's image is not accepted, beyond what its attestations say.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The pod does not say which.
    #[error("the pod does not name it")]
    Unnamed,
    /// Left as the variable's name.
    #[error("its name {0:?} is an unresolved variable")]
    Unresolved(String),
    /// No name of an image, or one by another digest than is understood.
    #[error("its name {name:?} names no image: {why}")]
    Name {
        /// As the pod has it, fit to be shown.
        name: String,
        /// Why not.
        why: InvalidReference,
    },
    /// Named by a tag.
    #[error("{0} is named by a tag, which whoever may push can move before it is pulled")]
    Tag(String),
    /// No answer in time.
    #[error("{image}: its registry did not answer within {} s", within.as_secs())]
    Late {
        /// Which image.
        image: String,
        /// How long there was.
        within: Duration,
    },
}

impl Trouble for ImageError {
    fn fault(&self) -> Fault {
        match self {
            Self::Unnamed | Self::Unresolved(_) | Self::Name { .. } | Self::Tag(_) => Fault::No,
            Self::Late { .. } => Fault::Unavailable,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Unnamed => "name the image in the template",
                Self::Unresolved(_) => "give the step the parameter that the image's name is made of",
                Self::Name { .. } => "write registry/repository@sha256:DIGEST, in small letters",
                Self::Tag(_) => {
                    "write the image with its digest, name@sha256:…; or let the policy say `images: {tags: allow}`"
                }
                Self::Late { .. } => "see whether the registry can be reached from the step's pod",
            }
            .to_owned(),
        )
    }
}

impl ImageInspection<'_> {
    /// Answers for the image of every container, in the order given.
    pub async fn of(&self, containers: &[ContainerImage]) -> Vec<Answer> {
        let until = Instant::now() + self.within;
        let looks = containers.iter().map(|ContainerImage { container, image }| async move {
            let span = telemetry::span("verify image");
            let verdict = self.look(image, until).await;
            let answer = Answer { subject: Subject::Image(image.clone()), name: container.clone(), verdict };
            span.say("argo_attest.image", image.as_str());
            trace(&span, "argo_attest.container", &answer);
            answer
        });
        let looks: Vec<_> = looks.collect();
        stream::iter(looks).buffered(AT_ONCE).collect().await
    }

    async fn look(&self, image: &str, until: Instant) -> Result<Verdict, InputError> {
        let named = self.named(image)?;
        let looked = timeout_at(until, check_named_image(self.checker, self.registries, &named)).await;
        let late = || ImageError::Late { image: format!("oci://{named}"), within: self.within };
        let judged = looked.map_err(|_| late())?;
        let judged = judged.map(AttestedImage::into_verdict).map_err(InputError::from);
        missing::decide(self.checker.policy.missing(), Some(ArtifactKind::Image), judged)
    }

    /// As what is asked for, if it may be asked for like that.
    fn named(&self, image: &str) -> Result<ImageReference, ImageError> {
        if image.is_empty() {
            return Err(ImageError::Unnamed);
        }
        if image.contains("{{") {
            return Err(ImageError::Unresolved(brief(image, SHOWN)));
        }
        let named: ImageReference =
            image.parse().map_err(|why| ImageError::Name { name: brief(image, SHOWN), why })?;
        if named.digest().is_none() && !self.checker.policy.images().tags {
            return Err(ImageError::Tag(format!("oci://{named}")));
        }
        // A digest decides, for the kubelet too.
        Ok(named.as_asked())
    }
}

impl AttestedImage {
    fn into_verdict(self) -> Verdict {
        let Self { found, digest, attestation } = self;
        let provenance = found.statement.provenance();
        Verdict::Accepted {
            digest: digest.into(),
            attestation,
            signer: Box::new(found.statement.signer().clone()),
            builder_id: provenance.map(|p| p.run_details.builder.id.clone()).unwrap_or_default(),
            proof: Box::new(found.statement.proof().clone()),
            unjudged: found.unjudged,
            passed_over: found.passed_over.told(),
        }
    }
}

/// What whoever runs workflows can do about an image that is not accepted.
pub(super) fn remedy(error: &InputError) -> Option<String> {
    let InputError::Check(check) = error else { return error.remedy() };
    Some(
        match check {
            CheckError::Rejected(no) if no.is_missing() => {
                "attest the step that pushes it, or the image with argo-attest attest; or let the policy say \
                 `missing: {image: warn}`"
            }
            CheckError::Rejected(Rejection::Policy(violation)) => return Some(violation.remedy()),
            CheckError::Rejected(Rejection::Signature(SignatureError::Untrusted { .. })) => {
                "if you trust that signer, list its public key in the policy's `keys`; else run an image that \
                 is attested"
            }
            CheckError::Rejected(_) => "attest the image anew, and see who else pushes to its repository",
            CheckError::Registry(RegistryError::Denied { .. }) => {
                "mount a login for the registry where DOCKER_CONFIG says (inject --registry-secret)"
            }
            _ => return check.remedy(),
        }
        .to_owned(),
    )
}
