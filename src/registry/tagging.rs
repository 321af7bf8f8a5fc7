//! What cosign 2 reads: envelopes under a tag.

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{ManifestKind, Repository, TaggedEnvelopes, cosign_tag};
use bytes::Bytes;

use super::referring::{Shared, nonsense};
use super::{Registries, RegistryError};

impl Registries {
    /// Adds an envelope to those under the tag, of which there may be `limit`. The same one again
    /// changes nothing.
    pub async fn tag_envelope(
        &self,
        at: &Repository,
        subject: Sha256Digest,
        envelope: &[u8],
        predicate_type: &str,
        limit: usize,
    ) -> Result<(), RegistryError> {
        let (tag, digest) = (cosign_tag(subject), Sha256Digest::of(envelope));
        let what = format!("oci://{at}:{tag}");
        self.put_blob(at, Bytes::copy_from_slice(envelope)).await?;
        let mut shared = Shared::default();
        loop {
            shared.begin();
            let there = match self.pull(at, tag.as_str(), &what).await {
                Ok(bytes) => {
                    TaggedEnvelopes::read(&bytes).map_err(|error| nonsense(&what, &error.to_string()))?
                }
                Err(RegistryError::NotFound { .. }) => TaggedEnvelopes::default(),
                Err(error) => return Err(error),
            };
            if there.lists(digest) {
                return Ok(());
            }
            if there.count() >= limit {
                return Err(nonsense(
                    &what,
                    &format!("it has {limit} attestations, and no more are looked at"),
                ));
            }
            shared.once_more(&what)?;
            let new = there.with(envelope, predicate_type);
            self.put_blob(at, Bytes::from(new.config)).await?;
            let kind = ManifestKind::OciImage.media_type();
            self.put_manifest(at, tag.as_str(), kind, Bytes::from(new.manifest)).await?;
            shared.stay().await;
        }
    }
}
