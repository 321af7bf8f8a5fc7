//! Putting an attestation with an image: as a manifest that refers to it, and only where whoever
//! looks for it will find it.

use std::time::Duration;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{NewReferrer, cosign_tag};
use argo_attest_core::intoto::Statement;
use argo_attest_core::slsa::Provenance;
use jiff::Timestamp;

use super::{ImageAttestations, Looks, MAX_CARRIED, MAX_REFERRERS};
use crate::attestations::{FindError, Kept, MAX_ATTESTATION_BYTES, NewAttestation, PutError, ReadBack};

/// Pauses in milliseconds until a registry has to list what it took.
const LISTED: [u64; 5] = [100, 200, 400, 800, 1600];

impl ImageAttestations<'_> {
    /// What others put stays, and so does what was put before.
    pub(super) async fn refer(&self, new: &NewAttestation<'_>) -> Result<Kept, PutError> {
        let unfit = |what| PutError::Unfit { uri: self.uri(self.subject), what };
        if new.manifest.is_some() {
            return Err(unfit("a list of files"));
        }
        if self.tagged && new.bundle.evidence().certificate().is_some() {
            return Err(unfit(
                "an envelope under a tag that counts by a certificate, for which there is no room",
            ));
        }
        let statement = Statement::from_json(new.bundle.envelope().unverified_payload())
            .map_err(|_| unfit("an attestation that is no statement"))?;
        // Not from an index that may lie about it; and what is not there is not attested.
        let subject =
            self.registries.manifest(&self.repository.at(self.subject)).await?.manifest.descriptor();
        let bytes = new.bundle.to_json();
        let referrer = NewReferrer {
            subject: &subject,
            bundle: &bytes,
            predicate_type: statement.predicate_type(),
            created: made(&statement),
        };
        let digest = Sha256Digest::of(&referrer.manifest());
        tracing::debug!(bundle = self.uri(digest), "putting an attestation");
        let (listed, _) = self.listed().await?;
        if !listed.contains(&digest) && listed.len() >= MAX_REFERRERS {
            // One more would hide all of them from whoever verifies.
            return Err(PutError::Full { uri: self.uri(self.subject), limit: MAX_REFERRERS });
        }
        self.registries.refer(self.repository, &referrer).await?;
        if self.tagged {
            self.tag(&new.bundle.envelope().to_json(), statement.predicate_type()).await?;
        }
        Ok(Kept { bundle: self.found_again(digest).await?, lines: None, set_aside: Vec::new() })
    }

    /// The same envelope for those who read no referrers, read back from there.
    async fn tag(&self, envelope: &[u8], predicate_type: &str) -> Result<(), PutError> {
        let (registries, repository, digest) = (self.registries, self.repository, Sha256Digest::of(envelope));
        registries.tag_envelope(repository, self.subject, envelope, predicate_type, MAX_CARRIED).await?;
        let uri = format!("oci://{repository}:{}", cosign_tag(self.subject));
        let there = registries.manifest(&repository.tagged(cosign_tag(self.subject))).await?.manifest;
        let layers = there.image().map(|image| image.layers.as_slice()).unwrap_or_default();
        if !layers.iter().any(|layer| layer.digest.sha256() == Some(digest)) {
            return Err(PutError::Unlisted { uri: self.uri(digest), of: uri });
        }
        // Its bytes have its digest, or this is an error.
        registries.blob(repository, digest, MAX_ATTESTATION_BYTES).await?;
        Ok(())
    }

    /// What is there, for whoever begins with the list as `verify` does.
    async fn found_again(&self, digest: Sha256Digest) -> Result<ReadBack, PutError> {
        let uri = self.uri(digest);
        let mut pauses = LISTED.into_iter();
        while !self.listed().await?.0.contains(&digest) {
            let Some(pause) = pauses.next() else {
                return Err(PutError::Unlisted { uri, of: self.uri(self.subject) });
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        match Looks::at(*self, Some(digest)).next().await {
            Some(Ok(candidate)) => Ok(ReadBack { uri, bytes: candidate.bytes }),
            Some(Err(FindError::Registry(error))) => Err(error.into()),
            Some(Err(_)) | None => Err(PutError::ReadBack { uri }),
        }
    }
}

/// When the statement was made, as far as it says so itself: the same statement is always put as
/// the same manifest.
fn made(statement: &Statement) -> Option<Timestamp> {
    Provenance::from_predicate(statement.predicate()).ok()?.run_details.metadata.finished_on
}
