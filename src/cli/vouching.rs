//! Attesting what exists already: one thing, or many at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use argo_attest_core::argo::Placement;
use argo_attest_core::image::ImageReference;
use argo_attest_core::relpath::printable;
use argo_attest_core::secret::shown;
use argo_attest_core::slsa::{ExistingImage, ExistingObject, PodIdentity};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;

use super::progress::Bar;
use super::{Exit, asked};
use crate::attest::existing_object::{Earlier, ExistingObjectError, Sighting};
use crate::attest::{
    Attestor, ExistingImageError, ImageAttested, ImageAttestor, ImageSighting, OneLarge, Receipt,
};
use crate::attestations::AttestationNames;
use crate::observe::{NoProgress, Progress};
use crate::registry::Registries;
use crate::report::{NotVouched, Vouched, VouchedFor};
use crate::signer::Signer;
use crate::store::{Location, ObjectKey, Store, StoreError};
use crate::verify::Lanes;
use crate::witness::Witnesses;

/// What is to be attested.
pub(super) enum Asked {
    Object(Location, ObjectKey),
    Image(ImageReference),
}

/// What is the same for every artifact.
pub(super) struct Vouching {
    pub(super) signer: Box<dyn Signer>,
    pub(super) witnesses: Witnesses,
    pub(super) builder_id: String,
    pub(super) earlier: Earlier,
    pub(super) placement: Placement,
    pub(super) run_id: String,
    pub(super) identity: PodIdentity,
    /// Made if an image is named.
    pub(super) registries: Option<Registries>,
    pub(super) cosign_tag: bool,
    pub(super) stores: Stores,
}

/// Buckets, each opened once: what is learnt of a store is learnt for all its objects.
#[derive(Debug)]
pub(super) struct Stores {
    opened: Mutex<BTreeMap<String, Arc<dyn Store>>>,
    /// To hold what is large.
    turn: Arc<Semaphore>,
}

impl Default for Stores {
    fn default() -> Self {
        Self { opened: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Stores {
    /// For one object of a bucket.
    fn open(&self, location: &Location) -> Result<OneLarge, StoreError> {
        Ok(OneLarge::new(self.bucket(location)?, Arc::clone(&self.turn)))
    }

    fn bucket(&self, location: &Location) -> Result<Arc<dyn Store>, StoreError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let name = location.to_string();
        if let Some(store) = opened.get(&name) {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn Store> = Arc::new(asked::open(location)?);
        opened.insert(name, Arc::clone(&store));
        Ok(store)
    }
}

/// Whether two of them may write the same thing, or one what another reads. Images do not say it:
/// two names may stand for one, and a repository may have one list of all that refers to its images.
fn may_meet(asked: &[(String, Asked)]) -> bool {
    let (mut images, mut touched) = (0, BTreeSet::new());
    asked.iter().any(|(_, asked)| match asked {
        Asked::Image(_) => {
            images += 1;
            images > 1
        }
        Asked::Object(location, key) => {
            let places = [Placement::Beside, Placement::Apart];
            let names = places.iter().filter_map(|place| AttestationNames::of(key.as_str(), *place).ok());
            let own = names.flat_map(|names| [names.bundle, names.lines]);
            let mut all = std::iter::once(key.clone()).chain(own);
            all.any(|key| !touched.insert((location.to_string(), key)))
        }
    })
}

/// What became of it, for people and programs, and as an exit code.
fn told<T, E: Trouble>(done: Result<T, E>) -> (Result<T, NotVouched>, Exit) {
    let exit = done.as_ref().map_or_else(|e| e.fault().into(), |_| Exit::Done);
    (done.map_err(|e| NotVouched { reason: causes(&e), remedy: e.remedy() }), exit)
}

impl Vouching {
    /// Attests each of them, several at the same time; what is told of each is in their order.
    pub(super) async fn for_all(self, asked: Vec<(String, Asked)>) -> Vec<(Vouched, Exit)> {
        let (this, alone, meet) = (Arc::new(self), asked.len() == 1, may_meet(&asked));
        let each = move |(uri, artifact): (String, Asked)| {
            let this = Arc::clone(&this);
            async move {
                tracing::info!(artifact = shown(uri.as_bytes()), "attesting");
                let (about, exit) = this.vouch(&artifact, alone).await;
                let name = if exit == Exit::Done { printable(uri.as_bytes()) } else { shown(uri.as_bytes()) };
                (Vouched { name, about }, exit)
            }
        };
        if meet {
            return stream::iter(asked).then(each).collect().await;
        }
        Lanes::default().each(asked, each).collect().await
    }

    fn attestor(&self) -> Attestor<'_> {
        Attestor::new(self.signer.as_ref()).with_witnesses(&self.witnesses, None)
    }

    async fn vouch(&self, artifact: &Asked, alone: bool) -> (VouchedFor, Exit) {
        match (artifact, &self.registries) {
            (Asked::Object(location, object), _) => {
                let mut seen = None;
                let (outcome, exit) = told(self.object(location, object, alone, &mut seen).await);
                (VouchedFor::Object { seen, outcome }, exit)
            }
            (Asked::Image(image), Some(registries)) => {
                let mut seen = None;
                let (outcome, exit) = told(self.image(registries, image, &mut seen).await);
                (VouchedFor::Image { seen, outcome }, exit)
            }
            (Asked::Image(_), None) => {
                let reason = "no registries were opened".to_owned();
                (
                    VouchedFor::Image { seen: None, outcome: Err(NotVouched { reason, remedy: None }) },
                    Exit::Software,
                )
            }
        }
    }

    async fn image(
        &self,
        registries: &Registries,
        image: &ImageReference,
        seen: &mut Option<ImageSighting>,
    ) -> Result<ImageAttested, ExistingImageError> {
        let sighting = seen.insert(ImageSighting::of(registries, image).await?);
        let (started_on, finished_on) = sighting.between();
        let provenance = ExistingImage {
            reference: image,
            whole: sighting.whole(),
            images: sighting.images(),
            identity: &self.identity,
            builder_id: &self.builder_id,
            run_id: &self.run_id,
            started_on,
            finished_on,
        }
        .provenance();
        let attestor = self.attestor();
        let images = ImageAttestor::new(&attestor, registries).with_cosign_tag(self.cosign_tag);
        sighting.attest(&images, &provenance).await
    }

    async fn object(
        &self,
        location: &Location,
        object: &ObjectKey,
        alone: bool,
        seen: &mut Option<Sighting>,
    ) -> Result<Receipt, ExistingObjectError> {
        if let Location::File(_) = location {
            return Err(ExistingObjectError::NotThere { uri: location.to_string() });
        }
        let store = self.stores.open(location)?;
        let progress: &dyn Progress = if alone { &Bar::default() } else { &NoProgress };
        let sighting = Sighting::of(&store, object, progress).await?;
        let (started_on, finished_on) = sighting.between();
        let (info, address) = (sighting.info(), store.address());
        let provenance = ExistingObject {
            uri: sighting.uri(),
            store: address.as_ref(),
            size: info.size,
            etag: info.revision.as_str(),
            version_id: info.version_id.as_deref(),
            identity: &self.identity,
            builder_id: &self.builder_id,
            run_id: &self.run_id,
            started_on,
            finished_on,
        }
        .provenance();
        let sighting = seen.insert(sighting);
        let attestor = self.attestor();
        sighting.attest(&attestor, &store, self.placement, &provenance, self.earlier).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uris: &[&str]) -> Vec<(String, Asked)> {
        let asked = |uri: &&str| {
            let object =
                || Location::artifact(uri).map(|(location, key)| Asked::Object(location, key)).unwrap();
            let image = uri.strip_prefix("oci://");
            let asked = image.map_or_else(object, |name| Asked::Image(name.parse().unwrap()));
            ((*uri).to_owned(), asked)
        };
        uris.iter().map(asked).collect()
    }

    #[test]
    fn what_may_meet_goes_one_by_one() {
        for apart in [
            &["s3://one/a", "s3://one/b", "s3://two/a", "oci://r.example.com/app:1"][..],
            &["s3://one/a", "s3://one/a/b", "s3://one/a.json"],
        ] {
            assert!(!may_meet(&asked(apart)), "{apart:?}");
        }
        for together in [
            ["s3://one/a", "s3://one/a"],
            ["s3://one/a", "s3://one/a/"],
            ["s3://one/a", "s3://one/a.sigstore.json"],
            ["s3://one/a.intoto.jsonl", "s3://one/a"],
            ["s3://one/.attestations/a.sigstore.json", "s3://one/a"],
            ["oci://r.example.com/app:1", "oci://r.example.com/app:2"],
        ] {
            assert!(may_meet(&asked(&together)), "{together:?}");
        }
    }
}
