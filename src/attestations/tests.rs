//! Both adapters keep the port's promises.

use std::collections::BTreeMap;
use std::io::Read as _;

use argo_attest_core::argo::Placement;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::{Envelope, Unsigned};
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::manifest::{Files, Manifest};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::verify::Place;

use super::*;
use crate::store::{
    Denial, Listing, MemoryStore, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream, Operation, PutMode,
    PutOutcome, Refusal, Store, StoreError,
};

const MANIFEST: &[u8] = b"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  a\n";

fn manifest() -> Manifest {
    let files = BTreeMap::from([(path("a"), Sha256Digest::of(b"x"))]);
    Manifest::of(&Files::from(&files))
}

fn bundle() -> Bundle {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let unsigned = Unsigned::new(b"{}".to_vec()).unwrap();
    let signature = key.sign(unsigned.pae());
    Bundle::new(Envelope::assemble(unsigned, signature, key.public()).unwrap()).unwrap()
}

fn path(text: &str) -> RelPath {
    RelPath::from_bytes(text.as_bytes()).unwrap()
}

/// What is found, by its form and as what it would speak of the artifact.
async fn found(place: &dyn Attestations, reach: Reach) -> Vec<(Form, Option<RelPath>)> {
    let mut candidates = place.find(reach);
    let mut all = Vec::new();
    while let Some(candidate) = candidates.next().await {
        let Candidate { form, place, .. } = candidate.unwrap();
        all.push((form, if let Place::Within(path) = place { Some(path) } else { None }));
    }
    all
}

/// `of` makes the adapter for a name beneath one root.
async fn conforms<'a>(of: impl Fn(&str) -> Box<dyn Attestations + 'a>) {
    let out = of("x/out");
    assert_eq!(found(out.as_ref(), Reach::Nearest).await, []);
    let mut nothing = out.find(Reach::Nearest);
    assert!(nothing.next().await.is_none());
    let looked_for = nothing.looked_for();
    assert!(looked_for[0].ends_with("x/out.sigstore.json"), "{looked_for:?}");
    assert!(looked_for[1].ends_with("x/out.intoto.jsonl"), "{looked_for:?}");

    assert_eq!(out.manifest_name(), "out.manifest.sha256");
    let (first, second) = (bundle(), bundle());
    out.put(&NewAttestation {
        bundle: &first,
        manifest: None,
        foreign: Foreign::Refuse,
        earlier: Earlier::Keep,
    })
    .await
    .unwrap();
    let kept = out
        .put(&NewAttestation {
            bundle: &second,
            manifest: Some(&manifest()),
            foreign: Foreign::Refuse,
            earlier: Earlier::Keep,
        })
        .await
        .unwrap();
    assert_eq!(kept.bundle.bytes, second.to_json(), "the newest");
    assert_eq!(
        kept.lines.unwrap().bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count(),
        2,
        "every attempt"
    );

    let itself = [(Form::Bundle, None), (Form::Lines, None)];
    assert_eq!(found(out.as_ref(), Reach::Nearest).await, itself, "in the order in which they count");
    assert_eq!(found(out.as_ref(), Reach::Own).await, itself);
    let within = [(Form::Bundle, Some(path("sub/a"))), (Form::Lines, Some(path("sub/a")))];
    let member = of("x/out/sub/a");
    assert_eq!(found(member.as_ref(), Reach::Nearest).await, within);
    assert_eq!(found(member.as_ref(), Reach::Own).await, []);
    assert_eq!(found(member.as_ref(), Reach::Above(1)).await, within);
    assert_eq!(found(member.as_ref(), Reach::Above(2)).await, within, "of what is two levels above");
    assert_eq!(found(member.as_ref(), Reach::Above(3)).await, []);
    // What its name only begins with is no directory that it is in.
    assert_eq!(found(of("x/outer").as_ref(), Reach::Nearest).await, []);

    let mut candidates = member.find(Reach::Nearest);
    let candidate = candidates.next().await.unwrap().unwrap();
    assert_eq!(candidate.bytes, second.to_json());
    assert!(candidate.artifact.ends_with("x/out") && candidate.bundle_uri == candidate.origin);
    let mut open = candidate.manifest().await.unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        open().unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    });
    assert_eq!(read.await.unwrap(), MANIFEST);
}

#[tokio::test]
async fn beside_an_object() {
    let store = MemoryStore::new();
    conforms(|name| Box::new(ObjectAttestations::new(&store, &ObjectKey::new(name).unwrap()))).await;
}

#[tokio::test]
async fn beside_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    conforms(|name| Box::new(FileAttestations::beneath(&root, &path(name)).unwrap())).await;
}

#[tokio::test]
async fn apart_from_an_object() {
    let store = MemoryStore::new();
    let of = |name: &str| ObjectAttestations::new(&store, &ObjectKey::new(name).unwrap());
    conforms(|name| Box::new(of(name).put_at(Placement::Apart))).await;
    assert!(store.keys().iter().all(|key| key.as_str().starts_with(".attestations/x/out.")));
    // Both places, and this order.
    of("x/out")
        .put(&NewAttestation {
            bundle: &bundle(),
            manifest: None,
            foreign: Foreign::Refuse,
            earlier: Earlier::Keep,
        })
        .await
        .unwrap();
    let mut candidates = of("x/out").candidates(Reach::Nearest);
    for place in ["memory:x/out", "memory:.attestations/x/out"] {
        for suffix in [".sigstore.json", ".intoto.jsonl"] {
            assert_eq!(candidates.next().await.unwrap().unwrap().origin, format!("{place}{suffix}"));
        }
    }
    assert!(candidates.next().await.is_none());
}

/// Denies to read what is not there, as S3 does to those who may not list.
#[derive(Debug)]
struct Unlisted(MemoryStore);

#[async_trait]
impl Store for Unlisted {
    fn uri(&self, key: &ObjectKey) -> String {
        self.0.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.0.get(key, limit).await.map_err(|error| match error {
            StoreError::NotFound { uri } => {
                let refusal = Refusal {
                    operation: Operation::Read,
                    permission: None,
                    said: "403 AccessDenied".into(),
                    id: None,
                    remedy: None,
                };
                StoreError::Denied { uri, denial: Denial::Permission, refusal: Box::new(refusal) }
            }
            error => error,
        })
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        self.0.stream(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        self.0.head(key).await
    }

    fn list(&self, prefix: &str) -> Listing {
        self.0.list(prefix)
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        self.0.write(key, content, mode).await
    }
}

#[tokio::test]
async fn what_is_denied_beside_does_not_hide_what_lies_apart() {
    let store = Unlisted(MemoryStore::new());
    let of = |name: &str| ObjectAttestations::new(&store, &ObjectKey::new(name).unwrap());
    let first = async |name: &str| of(name).candidates(Reach::Nearest).next().await.unwrap();
    store.0.overwrite(&ObjectKey::new(".attestations/x/out.sigstore.json").unwrap(), Bytes::from("{}"));
    assert_eq!(first("x/out").await.unwrap().origin, "memory:.attestations/x/out.sigstore.json");
    // But nothing that is further away comes before what may be there.
    for unknown in ["x/out/member", "x/other"] {
        let FindError::Store(error) = first(unknown).await.unwrap_err() else { panic!("{unknown}") };
        assert_eq!(error.uri(), format!("memory:{unknown}.sigstore.json"));
    }
}

/// What lies further away cannot get in the way of what decides.
#[tokio::test]
async fn nothing_is_read_before_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    std::fs::write(root.join("out.sigstore.json"), "{}").unwrap();
    std::fs::create_dir(root.join("out.intoto.jsonl")).unwrap();
    let place = FileAttestations::new(&root.join("out"));
    let mut candidates = place.find(Reach::Nearest);
    assert_eq!(candidates.next().await.unwrap().unwrap().bytes, "{}");
    assert!(matches!(candidates.next().await, Some(Err(FindError::Io { .. }))), "only when it is asked for");
    // Of all that there is, too.
    let place = FileAttestations::new(&root.join("out/x"));
    let mut candidates = place.find(Reach::Above(1));
    assert_eq!(candidates.next().await.unwrap().unwrap().bytes, "{}");
    assert!(matches!(candidates.next().await, Some(Err(FindError::Io { .. }))));
}

#[test]
fn an_address_leads_to_what_belongs_to_it() {
    for (uri, lines) in [("s3://b/a.sigstore.json", false), ("s3://b/a.intoto.jsonl", true)] {
        let address = Address::new(uri);
        assert_eq!((address.artifact().as_str(), address.is_lines()), ("s3://b/a", lines));
        assert_eq!(address.lines().as_deref(), Some("s3://b/a.intoto.jsonl"));
        assert_eq!(address.manifest(), "s3://b/a.manifest.sha256");
    }
    for (apart, key) in [("s3://b/.attestations/d/a", "s3://b/d/a"), ("memory:.attestations/a", "memory:a")] {
        let uri = format!("{apart}.sigstore.json");
        let address = Address::new(&uri);
        assert_eq!(address.artifact(), key);
        assert_eq!(address.lines(), Some(format!("{apart}.intoto.jsonl")));
        assert_eq!(address.manifest(), format!("{apart}.manifest.sha256"));
    }
    let within = "s3://b/x/.attestations/a.sigstore.json";
    assert_eq!(Address::new(within).artifact(), "s3://b/x/.attestations/a");
    let other = Address::new("s3://b/a.json");
    assert_eq!((other.artifact().as_str(), other.lines()), ("s3://b/a.json", None));
}
