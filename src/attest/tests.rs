//! Stores that do not hold what they were given, and signers that do not sign it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use argo_attest_core::contents::{Contents, MAX_FILES};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::keys::{KeyType, PrivateKey, PublicKey};
use argo_attest_core::slsa::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use argo_attest_core::text::causes;
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::*;
use crate::attestations::{Foreign, MAX_ATTESTATION, ObjectAttestations, PutError};
use crate::signer::{SignError, Signed, Signer};
use crate::store::{
    Listing, MemoryStore, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream, PutMode, PutOutcome, Store,
    StoreError,
};

/// Writes something else than it was given to objects with this suffix.
#[derive(Debug)]
struct Swapping {
    store: MemoryStore,
    suffix: &'static str,
    swap: fn(&[u8]) -> Vec<u8>,
    /// What it was given, in the order of the writes.
    written: Mutex<Vec<String>>,
}

#[async_trait]
impl Store for Swapping {
    fn uri(&self, key: &ObjectKey) -> String {
        self.store.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.store.get(key, limit).await
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        self.store.stream(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        self.store.head(key).await
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
        self.written.lock().unwrap().push(key.as_str().to_owned());
        let swapped = key.as_str().ends_with(self.suffix);
        let content = if swapped { Bytes::from((self.swap)(&content.bytes())).into() } else { content };
        self.store.write(key, content, mode).await
    }
}

fn provenance() -> Provenance {
    Provenance {
        build_definition: BuildDefinition {
            build_type: "https://example.com/t".into(),
            external_parameters: Map::from_iter([("a".to_owned(), Value::from(1))]),
            internal_parameters: Map::new(),
            resolved_dependencies: Vec::new(),
        },
        run_details: RunDetails {
            builder: Builder::this_version("https://example.com/b"),
            metadata: BuildMetadata::default(),
            byproducts: Vec::new(),
        },
    }
}

/// Attests a directory of so many files to a store that swaps.
async fn attest(
    files: usize,
    suffix: &'static str,
    swap: fn(&[u8]) -> Vec<u8>,
) -> (Result<Receipt, AttestError>, Vec<String>) {
    let digest = Sha256Digest::of(b"x");
    let files = (0..files)
        .map(|n| (argo_attest_core::relpath::RelPath::from_bytes(n.to_string().as_bytes()).unwrap(), digest));
    let contents = Contents::directory("out", &files.collect::<BTreeMap<_, _>>());
    let store = Swapping { store: MemoryStore::new(), suffix, swap, written: Mutex::default() };
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let out = ObjectKey::new("out").unwrap();
    let place = ObjectAttestations::new(&store, &out);
    let receipt = Attestor::new(&key).attest(&contents, &place, &provenance()).await;
    (receipt, store.written.into_inner().unwrap())
}

#[tokio::test]
async fn what_the_store_swapped_is_not_attested() {
    let attested = attest(1, "nothing", <[u8]>::to_vec).await;
    assert_eq!(attested.0.unwrap().subjects(), 2);
    assert_eq!(attested.1, ["out.intoto.jsonl", "out.sigstore.json"], "the bundle comes last");
    let many = attest(MAX_FILES + 1, "nothing", <[u8]>::to_vec).await;
    many.0.unwrap();
    assert_eq!(many.1, ["out.manifest.sha256", "out.intoto.jsonl", "out.sigstore.json"]);

    let cut = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    let nothing = |_: &[u8]| Vec::new();
    for suffix in [".sigstore.json", ".intoto.jsonl", ".manifest.sha256"] {
        for swap in [cut, flipped, nothing] as [fn(&[u8]) -> Vec<u8>; 3] {
            let error = attest(MAX_FILES + 1, suffix, swap).await.0.map(|_| ()).unwrap_err();
            let expected = matches!(
                error,
                AttestError::Put { source: PutError::ReadBack { .. }, .. } | AttestError::Unverified { .. }
            );
            assert!(expected && causes(&error).contains(suffix), "{suffix}: {error:?}");
        }
    }
}

/// Signs with a key that it does not name, or something else, or not at all.
#[derive(Debug)]
struct Untrue {
    named: PrivateKey,
    sign: fn(&[u8]) -> Result<Option<PrivateKey>, SignError>,
}

#[async_trait]
impl Signer for Untrue {
    async fn sign(&self, pae: &[u8]) -> Result<Signed, SignError> {
        let signature = match (self.sign)(pae)? {
            Some(other) => other.sign(pae),
            None => self.named.sign(&pae[1..]),
        };
        Ok(Signed { signature, key: self.named.public().clone(), certified: None })
    }

    fn public_key(&self) -> PublicKey {
        self.named.public().clone()
    }
}

#[tokio::test]
async fn what_a_signer_says_is_checked_before_anything_is_stored() {
    let key = || PrivateKey::generate(KeyType::Ed25519).unwrap();
    let attest = async |sign| {
        let store = MemoryStore::new();
        let place = ObjectAttestations::new(&store, &ObjectKey::new("out").unwrap());
        let names = place.names().unwrap();
        let contents = Contents::file("out", Sha256Digest::of(b"x"));
        let signer = Untrue { named: key(), sign };
        let error = Attestor::new(&signer).attest(&contents, &place, &provenance()).await.unwrap_err();
        for name in [&names.bundle, &names.lines] {
            assert!(matches!(store.get(name, 1).await, Err(StoreError::NotFound { .. })), "{name}");
        }
        error
    };
    let another = |_: &[u8]| Ok(Some(PrivateKey::generate(KeyType::Ed25519).unwrap()));
    let other_bytes = |_: &[u8]| Ok(None);
    for lie in [another, other_bytes] as [fn(&[u8]) -> _; 2] {
        match attest(lie).await {
            AttestError::Unsigned { reason, .. } => assert!(reason.contains("is no signature of its key")),
            other => panic!("{other:?}"),
        }
    }
    let busy =
        |_: &[u8]| Err(SignError::Passing { signer: "kms".into(), source: "503".into(), remedy: None });
    let barred =
        |_: &[u8]| Err(SignError::Final { signer: "kms".into(), source: "403".into(), remedy: None });
    for (no, passing) in [(busy as fn(&[u8]) -> _, true), (barred, false)] {
        match attest(no).await {
            AttestError::Sign { source, .. } => assert_eq!(source.is_passing(), passing),
            other => panic!("{other:?}"),
        }
    }
}

/// What lies under an attestation's name and is none stays, unless it may be set aside: then
/// it is kept under another name, and the attestation is where it is looked for.
#[tokio::test]
async fn what_is_not_ours_is_kept() {
    let out = ObjectKey::new("out").unwrap();
    let names = ObjectAttestations::new(&MemoryStore::new(), &out).names().unwrap();
    let digest = Sha256Digest::of(b"x");
    let files = (0..=MAX_FILES)
        .map(|n| (argo_attest_core::relpath::RelPath::from_bytes(n.to_string().as_bytes()).unwrap(), digest));
    let contents = Contents::directory("out", &files.collect::<BTreeMap<_, _>>());
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    for name in [&names.bundle, &names.lines, &names.manifest] {
        let store = MemoryStore::new();
        let theirs = Bytes::from_static(b"somebody else's\n");
        store.put(name, theirs.clone(), PutMode::Create).await.unwrap();
        let place = ObjectAttestations::new(&store, &out);
        let refusing = Attestor::new(&key);
        let refused = refusing.attest(&contents, &place, &provenance()).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, AttestError::Put { source: PutError::Foreign { .. }, .. }), "{refused:?}");
        assert_eq!(store.get(name, 100).await.unwrap().bytes, theirs);

        let keeping = refusing.with_foreign(Foreign::SetAside);
        let receipt = keeping.attest(&contents, &place, &provenance()).await.unwrap();
        let aside = format!("{name}.set-aside-{}", &Sha256Digest::of(&theirs).to_string()[..16]);
        let aside = ObjectKey::new(&aside).unwrap();
        assert_eq!(receipt.set_aside(), [store.uri(&aside)]);
        assert_eq!(store.get(&aside, 100).await.unwrap().bytes, theirs);
        // There is nothing in the way any more.
        let again = keeping.attest(&contents, &place, &provenance()).await.unwrap();
        assert_eq!(again.set_aside(), [""; 0]);
    }
}

/// Nothing is replaced that cannot be kept.
#[tokio::test]
async fn what_cannot_be_kept_stays() {
    let out = ObjectKey::new("out").unwrap();
    let names = ObjectAttestations::new(&MemoryStore::new(), &out).names().unwrap();
    let contents = Contents::file("out", Sha256Digest::of(b"x"));
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let theirs = Bytes::from_static(b"theirs");
    let aside = format!("{}.set-aside-{}", names.lines, &Sha256Digest::of(&theirs).to_string()[..16]);
    let taken = (ObjectKey::new(&aside).unwrap(), Bytes::from_static(b"another's"));
    let large = Bytes::from(vec![b'x'; usize::try_from(MAX_ATTESTATION).unwrap() + 1]);
    for (there, beside) in [(theirs, Some(taken)), (large, None)] {
        let store = MemoryStore::new();
        store.put(&names.lines, there.clone(), PutMode::Create).await.unwrap();
        if let Some((key, bytes)) = beside {
            store.put(&key, bytes, PutMode::Create).await.unwrap();
        }
        let place = ObjectAttestations::new(&store, &out);
        let keeping = Attestor::new(&key).with_foreign(Foreign::SetAside);
        let error = keeping.attest(&contents, &place, &provenance()).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, AttestError::Put { source: PutError::Foreign { .. }, .. }), "{error:?}");
        assert!(store.get(&names.lines, u64::MAX).await.unwrap().bytes == there);
    }
}
