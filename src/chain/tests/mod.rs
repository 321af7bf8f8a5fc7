use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use argo_attest_core::contents::Contents;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::Repository;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::policy::{Policy, PolicyViolation, TrustedKey};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::slsa::{
    BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails, place_byproduct,
};
use argo_attest_core::verify::Rejection;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::attest::Attestor;
use crate::attestations::{MAX_ATTESTATION, ObjectAttestations};
use crate::registry::{Registries, RegistryError};
use crate::store::{MemoryStore, ObjectKey, Store as _, StoreError};

mod breaks;
mod images;
mod limits;
mod policies;
mod shapes;

const BUILDER: &str = "https://ci.example.com/argo";
const STORE: &str = "https://s3.example.com";

/// Attestations in memory, and who asked for which.
struct Shelf {
    store: MemoryStore,
    key: PrivateKey,
    asked: Mutex<Vec<String>>,
    /// Of repositories, by address.
    blobs: Mutex<BTreeMap<String, Bytes>>,
}

#[async_trait]
impl Source for Shelf {
    async fn fetch(&self, uri: &str, limit: u64) -> Result<Bytes, FetchError> {
        self.asked.lock().unwrap().push(uri.to_owned());
        let Some(key) = uri.strip_prefix("memory:") else {
            return Err(FetchError::NotFollowed { uri: uri.to_owned() });
        };
        match self.store.get(&ObjectKey::new(key).unwrap(), limit).await {
            Ok(object) => Ok(object.bytes),
            Err(StoreError::NotFound { uri }) => Err(FetchError::Missing { uri }),
            Err(error) => Err(FetchError::Store(error)),
        }
    }

    async fn with_image(
        &self,
        at: &Repository,
        digest: Sha256Digest,
        limit: usize,
    ) -> Result<Bytes, FetchError> {
        let uri = format!("oci://{}", at.at(digest));
        self.asked.lock().unwrap().push(uri.clone());
        let found = self.blobs.lock().unwrap().get(&uri).cloned();
        let bytes = found.ok_or(FetchError::Missing { uri: uri.clone() })?;
        if bytes.len() > limit {
            return Err(FetchError::Registry(RegistryError::TooLarge { what: uri, limit }));
        }
        Ok(bytes)
    }
}

fn provenance(inputs: Vec<ResourceDescriptor>) -> Provenance {
    let workflow = json!({"name": "build-1", "namespace": "ci"});
    let external = [("workflow", workflow), ("template", json!({"name": "build"}))];
    Provenance {
        build_definition: BuildDefinition {
            build_type: argo_attest_core::slsa::ARGO_STEP_BUILD_TYPE.into(),
            external_parameters: external.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            internal_parameters: serde_json::Map::new(),
            resolved_dependencies: inputs,
        },
        run_details: RunDetails {
            builder: Builder::this_version(BUILDER),
            metadata: BuildMetadata {
                invocation_id: "w/n/p".into(),
                started_on: None,
                finished_on: Some(Timestamp::now()),
            },
            byproducts: Vec::new(),
        },
    }
}

fn root(name: &str) -> ResourceDescriptor {
    ResourceDescriptor { name: name.into(), uri: "oci://busybox:1".into(), ..ResourceDescriptor::default() }
}

impl Shelf {
    fn new() -> Self {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        Self { store: MemoryStore::new(), key, asked: Mutex::default(), blobs: Mutex::default() }
    }

    fn policy(&self) -> Policy {
        Policy::of_keys(vec![TrustedKey::new("ci", self.key.public().clone())])
    }

    /// Attests the object of this name, whose bytes are its name.
    async fn attest(&self, name: &str, inputs: Vec<ResourceDescriptor>) -> ResourceDescriptor {
        self.attest_as(name, Contents::file(name, Sha256Digest::of(name.as_bytes())), &provenance(inputs))
            .await
    }

    /// The same as is given, stored where this name is.
    async fn attest_as(&self, name: &str, contents: Contents, provenance: &Provenance) -> ResourceDescriptor {
        let mut provenance = provenance.clone();
        let place = place_byproduct(&format!("memory:{name}"), &STORE.parse().unwrap());
        provenance.run_details.byproducts.push(place);
        self.attest_at(name, contents, &provenance).await
    }

    async fn attest_at(&self, name: &str, contents: Contents, provenance: &Provenance) -> ResourceDescriptor {
        let place = ObjectAttestations::new(&self.store, &ObjectKey::new(name).unwrap());
        let names = place.names().unwrap();
        Attestor::new(&self.key).attest(&contents, &place, provenance).await.unwrap();
        let bundle = self.store.get(&names.bundle, MAX_ATTESTATION).await.unwrap().bytes;
        reference(name, &self.store.uri(&names.bundle), &bundle)
    }

    /// A file of this name, whose attestation lies apart.
    async fn attest_apart(&self, name: &str, inputs: Vec<ResourceDescriptor>) -> ResourceDescriptor {
        let mut provenance = provenance(inputs);
        let byproduct = place_byproduct(&format!("memory:{name}"), &STORE.parse().unwrap());
        provenance.run_details.byproducts.push(byproduct);
        let place = ObjectAttestations::new(&self.store, &ObjectKey::new(name).unwrap());
        let place = place.put_at(argo_attest_core::argo::Placement::Apart);
        let contents = Contents::file(name, Sha256Digest::of(name.as_bytes()));
        Attestor::new(&self.key).attest(&contents, &place, &provenance).await.unwrap();
        let bundle = place.names().unwrap().bundle;
        let bytes = self.store.get(&bundle, MAX_ATTESTATION).await.unwrap().bytes;
        reference(name, &self.store.uri(&bundle), &bytes)
    }

    async fn walk(&self, inputs: Vec<ResourceDescriptor>) -> Chain {
        self.walk_with(inputs, &self.policy(), Limits::default()).await
    }

    async fn walk_with(&self, inputs: Vec<ResourceDescriptor>, policy: &Policy, limits: Limits) -> Chain {
        walk(&provenance(inputs), policy, Timestamp::now(), self, limits).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A dependency on the object of this name, and on the attestation at `uri`.
fn reference(name: &str, uri: &str, bundle: &[u8]) -> ResourceDescriptor {
    let mut input = ResourceDescriptor::named(format!("inputs/{name}"), Sha256Digest::of(name.as_bytes()));
    input.uri = format!("memory:{name}");
    let attestation = json!({"uri": uri, "sha256": Sha256Digest::of(bundle).to_string()});
    input.annotations.insert("attestation".into(), attestation);
    input.annotations.insert("endpoint".into(), STORE.into());
    input
}

/// Each link's path and how it stands.
fn told(chain: &Chain) -> Vec<(String, &'static str)> {
    let word = |link: &Link| match link.standing() {
        Standing::Root => "root",
        Standing::Verified(_) => "verified",
        Standing::Again(_) => "again",
        Standing::Broken(_) => "broken",
    };
    chain.links().iter().map(|link| (chain.path(link).join(" "), word(link))).collect()
}

fn broken(chain: &Chain) -> (String, String) {
    let (link, error) = chain.broken().unwrap_or_else(|| panic!("{chain:?}"));
    (chain.path(link).join(" "), argo_attest_core::text::causes(error))
}
