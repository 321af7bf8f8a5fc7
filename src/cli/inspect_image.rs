//! `argo-attest inspect oci://…`: what refers to an image.

use argo_attest_core::attestation_file::AttestationFile;
use argo_attest_core::image::ImageReference;
use argo_attest_core::text::causes;

use super::images::ImageArgs;
use super::{Exit, Failure};
use crate::attestations::{FindError, ImageAttestations};
use crate::registry::Registries;
use crate::report::{InspectedImage, unreadable};
use crate::store::ProcessEnv;
use crate::verify::{CheckError, image_for};

/// Bytes of attestations that are held to be shown.
const MAX_SHOWN: usize = 64 * 1024 * 1024;

/// Reads all that `verify` would look at. None of it is judged.
pub(super) async fn look(image: &ImageReference, asked: &ImageArgs) -> Result<InspectedImage, Failure> {
    let registries = Registries::from_env(&ProcessEnv, asked.plain_http).map_err(|e| Failure::from(&e))?;
    let whole = registries.manifest(image).await.map_err(|e| Failure::from(&e))?.manifest;
    let part = asked.platform.as_ref().map(|platform| image_for(&whole, platform)).transpose();
    let digest = part.map_err(|e| Failure::from(&e))?.flatten().unwrap_or_else(|| whole.digest());
    let repository = image.repository();
    let mut seen = InspectedImage {
        name: format!("oci://{image}"),
        manifest: format!("oci://{}", repository.at(digest)),
        found: Vec::new(),
        passed_over: Vec::new(),
    };
    let mut candidates = ImageAttestations::new(&registries, repository, digest).candidates();
    let mut bytes = 0_usize;
    while let Some(candidate) = candidates.next().await {
        let candidate = match candidate {
            Ok(candidate) => candidate,
            Err(FindError::Rejected(why)) => {
                seen.passed_over.push(causes(&why));
                continue;
            }
            Err(error) => return Err(Failure::from(&CheckError::from(error))),
        };
        bytes = bytes.saturating_add(candidate.bytes.len());
        if bytes > MAX_SHOWN {
            let why = format!("what refers to {} has more than {MAX_SHOWN} bytes", seen.manifest);
            return Err(Failure::new(Exit::Data, why).remedy("verify tells which of them holds"));
        }
        let read = AttestationFile::read(&candidate.bytes).map_err(|e| causes(&e));
        match read.and_then(|file| unreadable(&file).map_or(Ok(file), Err)) {
            Ok(file) => seen.found.push((candidate.origin, file)),
            Err(why) => seen.passed_over.push(format!("{}: {why}", candidate.origin)),
        }
    }
    Ok(seen)
}
