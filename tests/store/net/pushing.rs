//! Registries that take an attestation and do something else with it: none of it is attested.

use std::collections::BTreeMap;
use std::ffi::OsString;

use argo_attest::attest::{AttestError, Attestor, ImageAttested, ImageAttestor};
use argo_attest::attestations::PutError;
use argo_attest::registry::{Registries, RegistryError};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{Manifest, Repository};
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::slsa::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::{Fault, Trouble as _};
use serde_json::{Map, json};

use crate::scripted::{Act, Plain, Request, Scripted, reply};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What a registry does that it should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// It says that it took it, and has nothing.
    DropsManifests,
    DropsBlobs,
    /// It has it, and does not list it.
    ListsNothing,
    /// It gives what was there already.
    GivesOtherBlobs,
    GivesOtherManifests,
    /// It lists so many that no reader looks at one more.
    ListsMany,
    /// It takes no manifest but the first.
    DeniesTheSecond,
    /// It takes blobs, and no manifests.
    DeniesManifests,
    /// It has uploads go to somebody else.
    SendsUploadsAway,
    /// It says that the blob was there before.
    HasAllBlobs,
}

/// A registry of one repository, `/v2/a/`, in memory.
#[derive(Default)]
struct Memory {
    blobs: BTreeMap<String, Vec<u8>>,
    manifests: BTreeMap<String, Vec<u8>>,
    referrers: BTreeMap<String, Vec<String>>,
    put: usize,
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256Digest::of(bytes))
}

fn found(bytes: Option<&Vec<u8>>, kind: &str) -> Act {
    Act::Reply(
        bytes.map_or_else(|| reply(404, &[], b"{}"), |bytes| reply(200, &[("Content-Type", kind)], bytes)),
    )
}

impl Memory {
    fn act(&mut self, request: &Request, flaw: Flaw) -> Act {
        let path = request.path.strip_prefix("/v2/a/").unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (what, name) = path.split_once('/').unwrap_or((path, ""));
        match (request.method.as_str(), what) {
            ("HEAD", "blobs") if flaw == Flaw::HasAllBlobs => Act::Reply(reply(200, &[], b"")),
            ("HEAD", "blobs") => {
                Act::Reply(reply(if self.blobs.contains_key(name) { 200 } else { 404 }, &[], b""))
            }
            ("POST", "blobs") => {
                let away = flaw == Flaw::SendsUploadsAway;
                let to = if away { "http://elsewhere.example/u" } else { "/v2/a/upload/1" };
                Act::Reply(reply(202, &[("Location", to)], b""))
            }
            ("PUT", "upload") => {
                if flaw != Flaw::DropsBlobs {
                    let digest = query.strip_prefix("digest=").unwrap_or_default();
                    self.blobs.insert(digest.to_owned(), request.body.clone());
                }
                Act::Reply(reply(201, &[], b""))
            }
            ("GET", "blobs") if flaw == Flaw::GivesOtherBlobs => Act::Reply(reply(200, &[], b"{}")),
            ("GET", "blobs") => found(self.blobs.get(name), "application/octet-stream"),
            ("PUT", "manifests") => {
                self.put += 1;
                let denied = flaw == Flaw::DeniesManifests || (flaw == Flaw::DeniesTheSecond && self.put > 1);
                if denied {
                    let why = br#"{"errors":[{"code":"DENIED","message":"no pushes today"}]}"#;
                    return Act::Reply(reply(403, &[], why));
                }
                let read = Manifest::read(&request.body).unwrap();
                let subject = read.image().unwrap().subject.as_ref().unwrap().digest.to_string();
                if flaw != Flaw::DropsManifests {
                    self.manifests.insert(name.to_owned(), request.body.clone());
                    self.referrers.entry(subject.clone()).or_default().push(name.to_owned());
                }
                Act::Reply(reply(201, &[("OCI-Subject", &subject)], b""))
            }
            ("GET", "manifests")
                if flaw == Flaw::GivesOtherManifests
                    && self.referrers.values().flatten().any(|r| r == name) =>
            {
                found(self.manifests.values().next(), IMAGE)
            }
            ("GET", "manifests") => found(self.manifests.get(name), IMAGE),
            ("GET", "referrers") => {
                let mut all = self.referrers.get(name).cloned().unwrap_or_default();
                match flaw {
                    Flaw::ListsNothing => all.clear(),
                    Flaw::ListsMany => all.extend((0..128).map(|n: u8| digest(&[n]))),
                    _ => {}
                }
                let all: Vec<_> = all
                    .iter()
                    .map(|digest| json!({"mediaType": IMAGE, "digest": digest, "size": 1}))
                    .collect();
                let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": all});
                Act::Reply(reply(200, &[("Content-Type", INDEX)], list.to_string().as_bytes()))
            }
            _ => Act::Reply(reply(400, &[], b"{}")),
        }
    }
}

fn provenance() -> Provenance {
    Provenance {
        build_definition: BuildDefinition {
            build_type: "https://example.com/t".into(),
            external_parameters: Map::from_iter([("a".to_owned(), json!(1))]),
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

/// Attests an index of one image in a registry with this flaw; and what it was asked.
async fn attest(flaw: Flaw) -> (Result<ImageAttested, AttestError>, Vec<String>) {
    let image = json!({"schemaVersion": 2, "mediaType": IMAGE, "layers": [],
        "config": {"mediaType": "t", "digest": digest(b"{}"), "size": 2}})
    .to_string();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": IMAGE, "digest": digest(image.as_bytes()), "size": image.len()}]})
    .to_string();
    let mut memory = Memory::default();
    for manifest in [&image, &index] {
        memory.manifests.insert(digest(manifest.as_bytes()), manifest.clone().into_bytes());
    }
    let server = Scripted::choosing(Plain, move |request| Some(memory.act(request, flaw)));
    let registries = Registries::from_env(&|_: &str| -> Option<OsString> { None }, true).unwrap();
    let repository: Repository = format!("{}/a", server.address).parse().unwrap();
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let manifest = Manifest::read(index.as_bytes()).unwrap();
    let attestor = Attestor::new(&key);
    let images = ImageAttestor::new(&attestor, &registries);
    let done = images.attest(&repository, &manifest, &provenance()).await;
    (done, server.asked())
}

async fn refused(flaw: Flaw) -> PutError {
    match attest(flaw).await.0.unwrap_err() {
        AttestError::Put { source, .. } => source,
        other => panic!("{flaw:?}: {other:?}"),
    }
}

#[tokio::test]
async fn what_a_registry_takes_and_gives_back_is_attested() {
    let (done, asked) = attest(Flaw::None).await;
    assert_eq!(done.unwrap().referred().len(), 2);
    // What is there for each platform is there before what is seen first.
    let puts: Vec<_> = asked.iter().filter(|asked| asked.starts_with("PUT /v2/a/manifests/")).collect();
    assert_eq!(puts.len(), 2, "{asked:?}");
    assert!(!asked.iter().any(|asked| asked.contains("manifests/sha256-")), "no tag where there is a list");
}

#[tokio::test]
async fn what_a_registry_takes_and_drops_is_not_attested() {
    for flaw in [Flaw::DropsManifests, Flaw::ListsNothing] {
        let error = refused(flaw).await;
        assert!(matches!(error, PutError::Unlisted { .. }), "{flaw:?}: {error:?}");
        assert!(error.remedy().unwrap().contains("attest it again"), "{error}");
    }
    for flaw in [Flaw::DropsBlobs, Flaw::HasAllBlobs] {
        let error = refused(flaw).await;
        assert!(matches!(error, PutError::ReadBack { .. }), "{flaw:?}: {error:?}");
    }
}

#[tokio::test]
async fn what_a_registry_gives_in_its_place_is_not_attested() {
    for flaw in [Flaw::GivesOtherBlobs, Flaw::GivesOtherManifests] {
        let error = refused(flaw).await;
        assert!(matches!(error, PutError::Registry(RegistryError::OtherBytes { .. })), "{flaw:?}: {error:?}");
    }
    let error = refused(Flaw::SendsUploadsAway).await;
    assert!(error.to_string().contains("uploads go to another server"), "{error}");
}

#[tokio::test]
async fn one_more_than_is_looked_at_is_not_put() {
    let (done, asked) = attest(Flaw::ListsMany).await;
    let error = done.unwrap_err();
    assert!(causes(&error).contains("has 128 attestations"), "{}", causes(&error));
    assert!(!asked.iter().any(|asked| asked.starts_with("PUT")), "{asked:?}");
}

#[tokio::test]
async fn a_push_that_is_denied_half_way_attests_nothing() {
    for flaw in [Flaw::DeniesManifests, Flaw::DeniesTheSecond] {
        let error = refused(flaw).await;
        assert!(matches!(error, PutError::Registry(RegistryError::Denied { .. })), "{flaw:?}: {error:?}");
        assert_eq!(error.fault(), Fault::Permission);
        assert!(error.to_string().contains("no pushes today"), "{error}");
        assert!(error.remedy().unwrap().contains("docker login"), "{error}");
    }
}
