use std::sync::atomic::{AtomicUsize, Ordering};

use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::policy::{Policy, TrustedKey};
use argo_attest_core::slsa::{ExistingObject, PodIdentity};
use argo_attest_core::verify::{Content, KnownAs, Place, authenticate};
use async_trait::async_trait;
use bytes::Bytes;

use super::*;
use crate::attestations::{AttestationNames, MAX_ATTESTATION};
use crate::observe::NoProgress;
use crate::store::{Listing, MemoryStore, NewObject, Object, ObjectStream, PutMode, PutOutcome};

/// Swaps the object once it was asked about so often.
#[derive(Debug)]
struct Meddled {
    store: MemoryStore,
    heads: AtomicUsize,
    swap_at: usize,
}

impl Meddled {
    fn new(swap_at: usize) -> Self {
        let store = MemoryStore::new();
        store.overwrite(&key(), Bytes::from_static(BYTES));
        Self { store, heads: AtomicUsize::new(0), swap_at }
    }
}

#[async_trait]
impl Store for Meddled {
    fn uri(&self, key: &ObjectKey) -> String {
        self.store.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.store.get(key, limit).await
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        self.store.stream(key).await
    }

    async fn head(&self, asked: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        let count = self.heads.fetch_add(1, Ordering::Relaxed) + 1;
        if count == self.swap_at {
            // The same bytes in a new version: a state of its own all the same.
            self.store.overwrite(&key(), Bytes::from_static(BYTES));
        }
        self.store.head(asked).await
    }

    fn list(&self, prefix: &str) -> Listing {
        self.store.list(prefix)
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        self.store.write(key, content, mode).await
    }
}

const BYTES: &[u8] = b"a,b\n1,2\n";

fn key() -> ObjectKey {
    ObjectKey::new("in/base.csv").unwrap()
}

async fn attest(
    store: &dyn Store,
    signer: &PrivateKey,
    earlier: Earlier,
) -> Result<Receipt, ExistingObjectError> {
    let sighting = Sighting::of(store, &key(), &NoProgress).await?;
    let (started_on, finished_on) = sighting.between();
    assert!(started_on <= finished_on);
    let identity = PodIdentity::default();
    let provenance = ExistingObject {
        uri: sighting.uri(),
        store: None,
        size: sighting.info().size,
        etag: sighting.info().revision.as_str(),
        version_id: sighting.info().version_id.as_deref(),
        identity: &identity,
        builder_id: "https://ci.example.com/imports",
        run_id: "urn:uuid:0",
        started_on,
        finished_on,
    }
    .provenance();
    sighting.attest(&Attestor::new(signer), store, Placement::Beside, &provenance, earlier).await
}

fn signer() -> PrivateKey {
    PrivateKey::generate(KeyType::Ed25519).unwrap()
}

#[tokio::test]
async fn what_was_read_is_what_is_signed() {
    let (store, signer) = (Meddled::new(usize::MAX), signer());
    let receipt = attest(&store, &signer, Earlier::Keep).await.unwrap();
    assert_eq!(receipt.bundle_uri(), "memory:in/base.csv.sigstore.json");
    let names = AttestationNames::beside("in/base.csv").unwrap();
    let read = store.get(&names.bundle, MAX_ATTESTATION).await.unwrap();
    let bundle = Bundle::from_json(&read.bytes).unwrap();
    let policy = Policy::of_keys(vec![TrustedKey::new("k", signer.public().clone())]);
    let authentic = authenticate(bundle.envelope(), bundle.evidence(), &policy, Timestamp::now()).unwrap();
    let content = Content::File(Sha256Digest::of(BYTES));
    let verified = authentic.accept(&Place::Itself(KnownAs::new("in/base.csv")), &content, None).unwrap();
    assert_eq!(verified.subject(), "base.csv");
    assert_eq!(verified.statement().subjects()[0].uri, "memory:in/base.csv");
    // Again is as good: ours may be put in the place of ours.
    attest(&store, &signer, Earlier::Keep).await.unwrap();
}

#[tokio::test]
async fn an_object_that_changes_meanwhile_is_not_attested() {
    // After it was read, before it is signed, and after that.
    for (swap_at, written) in [(1, false), (2, false), (3, true)] {
        let store = Meddled::new(swap_at);
        let error = attest(&store, &signer(), Earlier::Keep).await.map(|_| ()).unwrap_err();
        let expected = match error {
            ExistingObjectError::Changed { .. } => !written,
            ExistingObjectError::Overtaken { .. } => written,
            _ => false,
        };
        assert!(expected, "{swap_at}: {error:?}");
        assert_eq!(store.store.keys().len() > 1, written, "{swap_at}: {:?}", store.store.keys());
    }
    let empty = MemoryStore::new();
    let error = attest(&empty, &signer(), Earlier::Keep).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, ExistingObjectError::NotThere { .. }), "{error:?}");
}

#[tokio::test]
async fn does_not_hide_who_says_how_the_bytes_were_made() {
    let (store, signer) = (Meddled::new(usize::MAX), signer());
    let names = AttestationNames::beside("in/base.csv").unwrap();
    let mut built = ExistingObject {
        uri: "memory:in/base.csv",
        store: None,
        size: 8,
        etag: "e",
        version_id: None,
        identity: &PodIdentity::default(),
        builder_id: "https://ci.example.com/argo",
        run_id: "urn:uuid:1",
        started_on: Timestamp::now(),
        finished_on: Timestamp::now(),
    }
    .provenance();
    built.build_definition.build_type = argo_attest_core::slsa::ARGO_STEP_BUILD_TYPE.into();
    let attestor = Attestor::new(&signer);
    let place = ObjectAttestations::new(&store, &ObjectKey::new("in/base.csv").unwrap());

    // Of other bytes: it is no longer about what is there.
    let other = Contents::file("base.csv", Sha256Digest::of(b"other"));
    attestor.attest(&other, &place, &built).await.unwrap();
    attest(&store, &signer, Earlier::Keep).await.unwrap();

    let these = Contents::file("base.csv", Sha256Digest::of(BYTES));
    attestor.attest(&these, &place, &built).await.unwrap();
    let before = store.get(&names.bundle, MAX_ATTESTATION).await.unwrap().bytes;
    let error = attest(&store, &signer, Earlier::Keep).await.map(|_| ()).unwrap_err();
    assert!(
        matches!(&error, ExistingObjectError::Explained { builder, .. } if builder == "https://ci.example.com/argo"),
        "{error:?}"
    );
    assert_eq!(store.get(&names.bundle, MAX_ATTESTATION).await.unwrap().bytes, before);

    attest(&store, &signer, Earlier::Supersede).await.unwrap();
    assert_ne!(store.get(&names.bundle, MAX_ATTESTATION).await.unwrap().bytes, before);
}
