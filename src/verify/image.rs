//! Images in registries.

use std::sync::Arc;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{ImageReference, Manifest, Platform};
use argo_attest_core::slsa::AttestationRef;
use argo_attest_core::text::brief;
use argo_attest_core::verify::{Content, Place, Rejection, VerifiedStatement};

use super::found::Found;
use super::passed_over::PassedOver;
use super::{CheckError, Checked, Checker, candidates};
use crate::attestations::{Candidate, ImageAttestations};
use crate::registry::Registries;

/// Checks an image. A tag is resolved once; what it pointed to then is what is checked, and the
/// digest that the verdict names. Of an index, `platform` chooses one image.
///
/// An image of an index is attested by what refers to it or, if nothing does that would do, by what
/// refers to the index: that has its digest.
pub async fn check_image(
    checker: &Checker,
    registries: &Registries,
    image: &ImageReference,
    platform: Option<&Platform>,
) -> Result<Checked, CheckError> {
    let checker = &of_images(checker);
    let whole = registries.manifest(image).await?.manifest;
    let part = platform.map(|platform| image_for(&whole, platform)).transpose()?.flatten();
    let Some(part) = part else { return check(checker, registries, image, whole.digest()).await };
    match check(checker, registries, image, part).await {
        Err(CheckError::Rejected(own)) => {
            let of_index = check(checker, registries, image, whole.digest()).await;
            of_index.map_err(|error| match error {
                CheckError::Rejected(Rejection::NoAttestation { .. }) => own.into(),
                error => error,
            })
        }
        decided => decided,
    }
}

/// Checks an image by what refers to the very manifest that it is named by. Of several attestations that are
/// accepted, the first that is `wanted` counts, and else the first: builds that come to the same image attest it
/// each by itself.
pub async fn check_image_of(
    checker: &Checker,
    registries: &Registries,
    image: &ImageReference,
    wanted: impl Fn(&VerifiedStatement) -> bool,
) -> Result<Checked, CheckError> {
    let checker = &of_images(checker);
    let digest = registries.manifest(image).await?.manifest.digest();
    let content = Arc::new(Content::File(digest));
    let attestations = ImageAttestations::new(registries, image.repository(), digest);
    let first = candidates::first(attestations.candidates(), async |candidate| {
        judge(checker, candidate, &content).await
    });
    let first = first.await?;
    if wanted(&first.statement) {
        return Ok(first);
    }
    let mut all = attestations.candidates();
    while let Some(candidate) = all.next().await {
        let found = match candidate {
            Ok(candidate) => judge(checker, candidate, &content).await,
            Err(error) => Err(error.into()),
        };
        match found {
            Ok(found) if wanted(&found.statement) => return Ok(found),
            Ok(_) | Err(CheckError::Rejected(_)) => {}
            // It may be the one.
            Err(error) => return Err(error),
        }
    }
    Ok(first)
}

/// An image that is as it was attested.
#[derive(Debug)]
pub struct AttestedImage {
    /// What the attestation says of it.
    pub found: Checked,
    /// Which image its name meant when it was looked at.
    pub digest: Sha256Digest,
    /// The attestation: the manifest that refers to the image, and the digest of what it carries.
    pub attestation: AttestationRef,
}

/// Checks an image by what refers to the very manifest that it is named by: an index by its own, and
/// the image of a platform by its own.
pub async fn check_named_image(
    checker: &Checker,
    registries: &Registries,
    image: &ImageReference,
) -> Result<AttestedImage, CheckError> {
    let checker = &of_images(checker);
    let digest = registries.manifest(image).await?.manifest.digest();
    let content = Arc::new(Content::File(digest));
    let attestations = ImageAttestations::new(registries, image.repository(), digest);
    let mut attestation = None;
    let found = candidates::first(attestations.candidates(), async |candidate| {
        let (uri, sha256) = (candidate.bundle_uri.clone(), Sha256Digest::of(&candidate.bytes));
        let found = judge(checker, candidate, &content).await?;
        attestation = Some(AttestationRef { uri, sha256 });
        Ok(found)
    });
    let found = found.await?;
    let lost = || Rejection::NoAttestation { looked_for: vec![found.origin.clone()] };
    let attestation = attestation.ok_or_else(lost)?;
    Ok(AttestedImage { found, digest, attestation })
}

/// With what the policy wants of images.
fn of_images(checker: &Checker) -> Checker {
    Checker { policy: checker.policy.of_images(), ..checker.clone() }
}

/// The digest of the index's image for a platform; `None` if this is an image already.
///
/// Errors: [`CheckError::NoPlatform`].
pub fn image_for(whole: &Manifest, platform: &Platform) -> Result<Option<Sha256Digest>, CheckError> {
    let Some(index) = whole.index() else { return Ok(None) };
    let found = index.image_for(platform).and_then(|entry| entry.digest.sha256());
    let there = || {
        let platforms = index.images().filter_map(|entry| entry.platform.as_ref());
        platforms.map(|platform| brief(&platform.to_string(), 100)).take(20).collect()
    };
    found.map(Some).ok_or_else(|| CheckError::NoPlatform { platform: platform.clone(), there: there() })
}

async fn check(
    checker: &Checker,
    registries: &Registries,
    image: &ImageReference,
    digest: Sha256Digest,
) -> Result<Checked, CheckError> {
    let content = Arc::new(Content::File(digest));
    let attestations = ImageAttestations::new(registries, image.repository(), digest);
    if let Some(bundle) = &checker.bundle {
        return judge(checker, attestations.named(bundle), &content).await;
    }
    candidates::first(attestations.candidates(), async |candidate| judge(checker, candidate, &content).await)
        .await
}

async fn judge(
    checker: &Checker,
    candidate: Candidate<'_>,
    content: &Arc<Content>,
) -> Result<Checked, CheckError> {
    debug_assert_eq!(candidate.place, Place::ByDigest, "names say nothing in a registry");
    let found = Found::of(candidate)?;
    let authentic = found.authentic(checker)?;
    let (index, statement) = found.decide(authentic, content).await?;
    let unjudged = found.unjudged(index, &statement);
    let (origin, file, passed_over) = (found.candidate.origin, found.digest, PassedOver::default());
    Ok(Checked { statement, origin, file, placed: None, image: None, unjudged, passed_over })
}
