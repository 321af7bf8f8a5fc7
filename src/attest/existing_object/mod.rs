//! Vouching for an object that is in a store already: it is read once, and what
//! was read is what is signed.
//!
//! The statement that comes of it (`existing-object/v1`) says that these bytes
//! were there. How they came to be there nobody watched, and nothing here says
//! anything of it. An object that changes meanwhile is not attested; provenance
//! that does say how these bytes were made is not put aside unless that is asked for.

mod error;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub use error::ExistingObjectError;

use argo_attest_core::argo::Placement;
use argo_attest_core::bundle::Bundle;
use argo_attest_core::contents::Contents;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::Statement;
use argo_attest_core::relpath::printable;
use argo_attest_core::slsa::{EXISTING_OBJECT_BUILD_TYPE, PROVENANCE_V1, Provenance};

use crate::attest::{Attestor, Receipt};
use crate::attestations::ObjectAttestations;
use crate::observe::Progress;
use crate::store::{Corruption, ObjectInfo, ObjectKey, Store, StoreError};

/// An object as it was read, from its first byte to its last, without a change.
#[derive(Debug, Clone)]
pub struct Sighting {
    key: ObjectKey,
    uri: String,
    digest: Sha256Digest,
    info: ObjectInfo,
    started: Timestamp,
    finished: Timestamp,
}

/// What to do with provenance of the same bytes that says how they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// It says more than we could: leave it, and do not attest.
    Keep,
    /// The new attestation becomes the one that is found first; the other stays
    /// in the lines.
    Supersede,
}

impl Sighting {
    /// Reads the object once, and asks afterwards whether it is still the same.
    ///
    /// Errors: [`ExistingObjectError::NotThere`], [`ExistingObjectError::Changed`], or the store's.
    pub async fn of(
        store: &dyn Store,
        key: &ObjectKey,
        progress: &dyn Progress,
    ) -> Result<Self, ExistingObjectError> {
        let started = Timestamp::now();
        let mut stream = store.stream(key).await?;
        let info = stream.info().clone();
        progress.total(info.size);
        let mut hasher = Sha256::new();
        while let Some(chunk) = stream.next().await? {
            hasher.update(&chunk);
            progress.advanced(u64::try_from(chunk.len()).unwrap_or_default());
        }
        let (uri, digest) = (store.uri(key), Sha256Digest::from_hasher(hasher));
        if info.checksums.sha256.is_some_and(|announced| announced != digest) {
            return Err(StoreError::Corrupt { uri, kind: Corruption::Checksum }.into());
        }
        let sighting = Self { key: key.clone(), uri, digest, info, started, finished: started };
        sighting.still(store).await?;
        Ok(Self { finished: Timestamp::now(), ..sighting })
    }

    /// Its address.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The SHA-256 of its bytes.
    pub fn digest(&self) -> &Sha256Digest {
        &self.digest
    }

    /// What the store said of it.
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// When reading began, and when it was seen to be unchanged.
    pub fn between(&self) -> (Timestamp, Timestamp) {
        (self.started, self.finished)
    }

    /// Signs `provenance` for what was read and puts it beside the object, or apart. The
    /// object must be the same before and after.
    pub async fn attest(
        &self,
        attestor: &Attestor<'_>,
        store: &dyn Store,
        placement: Placement,
        provenance: &Provenance,
        earlier: Earlier,
    ) -> Result<Receipt, ExistingObjectError> {
        let place = ObjectAttestations::new(store, &self.key).put_at(placement);
        place.names().map_err(|source| ExistingObjectError::Name { uri: self.uri.clone(), source })?;
        if earlier == Earlier::Keep {
            // Whoever verifies looks in both places.
            for placement in [Placement::Beside, Placement::Apart] {
                self.unexplained(store, &place.clone().put_at(placement)).await?;
            }
        }
        self.still(store).await?;
        let name = self.name();
        let contents = Contents::file(&name, self.digest).stored_as(&name, &self.uri, self.digest);
        let receipt = attestor.attest(&contents, &place, provenance).await?;
        match self.still(store).await {
            // What is signed stays true, but not of what a reader finds there now.
            Err(ExistingObjectError::Changed { uri }) => Err(ExistingObjectError::Overtaken { uri }),
            still => still.map(|()| receipt),
        }
    }

    /// The last part of its key, as outputs of a step are called.
    fn name(&self) -> String {
        let key = self.key.as_str();
        let last = key.rsplit('/').next().filter(|part| !part.is_empty()).unwrap_or(key);
        printable(last.as_bytes())
    }

    /// The object is still in the state in which it was read.
    async fn still(&self, store: &dyn Store) -> Result<(), ExistingObjectError> {
        let state = |info: &ObjectInfo| (info.size, info.revision.clone(), info.version_id.clone());
        match store.head(&self.key).await {
            Ok(now) if state(&now) == state(&self.info) => Ok(()),
            Ok(_) | Err(StoreError::NotFound { .. }) => {
                Err(ExistingObjectError::Changed { uri: self.uri.clone() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// That nothing in this place says already how these very bytes were made.
    /// No signature is checked: who planted it has only kept us from hiding it.
    async fn unexplained(
        &self,
        store: &dyn Store,
        place: &ObjectAttestations<'_>,
    ) -> Result<(), ExistingObjectError> {
        let Ok(names) = place.names() else { return Ok(()) };
        let Some(bytes) = place.bundle().await? else { return Ok(()) };
        // What is no attestation is not replaced either: the attestor sees to that.
        let Ok(bundle) = Bundle::whole(&bytes) else { return Ok(()) };
        let Ok(statement) = Statement::from_json(bundle.envelope().unverified_payload()) else {
            return Ok(());
        };
        let same = statement.subjects().iter().any(|s| s.digest.sha256() == Some(self.digest));
        if !same || statement.predicate_type() != PROVENANCE_V1 {
            return Ok(());
        }
        match Provenance::from_predicate(statement.predicate()) {
            Ok(made) if made.build_definition.build_type != EXISTING_OBJECT_BUILD_TYPE => {
                Err(ExistingObjectError::Explained {
                    uri: store.uri(&names.bundle),
                    builder: printable(made.run_details.builder.id.as_bytes()),
                })
            }
            _ => Ok(()),
        }
    }
}
