//! A bucket, a key, and a workflow of steps that take from one another.

use std::collections::BTreeSet;
use std::sync::Arc;

use argo_attest_core::audit::{Standing, WorkflowRun};
use argo_attest_core::contents::Contents;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::outcome::STEP_OUTCOME_V1;
use argo_attest_core::policy::{Policy, TrustedKey};
use argo_attest_core::slsa::{
    ARGO_STEP_BUILD_TYPE, BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails, place_byproduct,
};
use argo_attest_core::store_address::StoreAddress;
use argo_attest_core::verify::Wanted;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Auditor, Entry, Listed, Outcomes};
use crate::attest::Attestor;
use crate::attestations::{MAX_ATTESTATION, ObjectAttestations};
use crate::chain::Images;
use crate::store::{
    Listing, Location, MemoryStore, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream, PutMode,
    PutOutcome, Store, StoreError,
};
use crate::verify::{Checker, Lanes, prefix};

pub(crate) const UID: &str = "0a1b2c3d-0000-4000-8000-0123456789ab";
pub(crate) const BUCKET: &str = "artifacts";
const BUILDER: &str = "https://ci.example.com/argo";
const STORE: &str = "https://s3.example.com";

/// A bucket in memory, with the addresses of a real one.
#[derive(Debug, Clone)]
pub(crate) struct Bucket(pub(crate) Arc<MemoryStore>);

#[async_trait]
impl Store for Bucket {
    fn uri(&self, key: &ObjectKey) -> String {
        format!("s3://{BUCKET}/{key}")
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.0.get(key, limit).await
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

    fn address(&self) -> Option<StoreAddress> {
        self.0.address()
    }
}

/// Who says what of whom: subject and word, in the order of the subjects.
pub(crate) type Told = Vec<(String, String)>;

pub(crate) struct World {
    pub(crate) bucket: Bucket,
    pub(crate) key: PrivateKey,
    nodes: serde_json::Map<String, Value>,
}

pub(crate) fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

pub(crate) fn uri(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

/// The id of a node, and the key of what it makes.
pub(crate) fn node(number: usize) -> (String, String) {
    (format!("wf-{number}"), format!("wf/pod-{number}/out.tgz"))
}

/// What is told of the step itself.
pub(crate) fn step(number: usize) -> String {
    format!("argo://ci/wf/{}", node(number).0)
}

impl World {
    pub(crate) fn new() -> Self {
        let store = MemoryStore::at(STORE.parse().unwrap());
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        Self { bucket: Bucket(Arc::new(store)), key, nodes: serde_json::Map::new() }
    }

    pub(crate) fn put(&self, at: &str, bytes: &str) {
        self.bucket.0.overwrite(&key(at), Bytes::from(bytes.to_owned()));
    }

    pub(crate) fn remove(&self, names: &[&str]) {
        for name in names {
            self.bucket.0.remove(&key(name));
        }
    }

    /// Takes an attestation away, in all its forms.
    pub(crate) fn remove_attestation(&self, at: &str) {
        self.remove(&[&format!("{at}.sigstore.json"), &format!("{at}.intoto.jsonl")]);
    }

    /// Stores an object, and attests it for a run.
    pub(crate) async fn attest(
        &self,
        signer: &PrivateKey,
        (uid, node): (&str, &str),
        at: &str,
        inputs: Vec<ResourceDescriptor>,
    ) {
        let bytes = format!("{uid} {node} {at}");
        self.put(at, &bytes);
        let external = json!({"workflow": {"name": "wf", "namespace": "ci"}, "template": {"name": "t"}});
        let provenance = Provenance {
            build_definition: BuildDefinition {
                build_type: ARGO_STEP_BUILD_TYPE.into(),
                external_parameters: external.as_object().unwrap().clone(),
                internal_parameters: serde_json::Map::new(),
                resolved_dependencies: inputs,
            },
            run_details: RunDetails {
                builder: Builder::this_version(BUILDER),
                metadata: BuildMetadata {
                    invocation_id: format!("{uid}/{node}/pod"),
                    ..BuildMetadata::default()
                },
                byproducts: vec![place_byproduct(&uri(at), &STORE.parse().unwrap())],
            },
        };
        let digest = Sha256Digest::of(bytes.as_bytes());
        let contents = Contents::file(at, digest).stored_as(at, &uri(at), digest);
        let name = key(at);
        let place = ObjectAttestations::new(&self.bucket, &name);
        Attestor::new(signer).attest(&contents, &place, &provenance).await.unwrap();
    }

    /// A dependency on an object as it is attested now.
    pub(crate) async fn input(&self, at: &str) -> ResourceDescriptor {
        let bundle = format!("{at}.sigstore.json");
        let object = self.bucket.get(&key(at), u64::MAX).await.unwrap().bytes;
        let attestation = self.bucket.get(&key(&bundle), u64::MAX).await.unwrap().bytes;
        let mut input = ResourceDescriptor::named("inputs/in", Sha256Digest::of(&object));
        input.uri = uri(at);
        input.annotations.insert("endpoint".into(), STORE.into());
        let sha256 = Sha256Digest::of(&attestation).to_string();
        input.annotations.insert("attestation".into(), json!({"uri": uri(&bundle), "sha256": sha256}));
        input
    }

    /// Signs an outcome, and puts it where the step's own objects are.
    pub(crate) async fn outcome(&self, at: &str, (uid, node): (&str, &str), state: &str, outputs: &Value) {
        let words = json!({
            "invocationId": format!("{uid}/{node}/pod"), "template": {"name": "t"},
            "builder": {"id": BUILDER}, "state": state, "outputs": outputs,
        });
        let subject = ResourceDescriptor::named("urn:argo-attest:invocation:x", Sha256Digest::of(b"x"));
        let name = key(at);
        let place = ObjectAttestations::new(&self.bucket, &name);
        Attestor::new(&self.key).report("o", subject, STEP_OUTCOME_V1, &words, &place).await.unwrap();
    }

    /// A node that Argo shows, with these outputs.
    pub(crate) fn shows(&mut self, id: &str, members: &Value, outputs: &[(&str, &str)]) {
        let outputs: Vec<_> =
            outputs.iter().map(|(name, key)| json!({"name": name, "s3": {"key": key}})).collect();
        let mut shown = json!({
            "name": format!("wf.{id}"), "type": "Pod", "phase": "Succeeded", "templateName": "t",
            "outputs": {"artifacts": outputs},
        });
        for (name, value) in members.as_object().unwrap() {
            shown[name] = value.clone();
        }
        self.nodes.insert(id.to_owned(), shown);
    }

    /// A step that went well: its object, from what these made, its outcome, and its node.
    pub(crate) async fn step(&mut self, number: usize, from: &[usize]) {
        let (id, at) = node(number);
        let mut inputs = Vec::new();
        for input in from {
            inputs.push(self.input(&node(*input).1).await);
        }
        self.attest(&self.key, (UID, &id), &at, inputs).await;
        let outputs = json!([
            {"name": "out", "verdict": "attested", "attestation": uri(&format!("{at}.sigstore.json"))},
        ]);
        self.outcome(&outcome(number), (UID, &id), "succeeded", &outputs).await;
        self.shows(&id, &json!({}), &[("out", &at)]);
    }

    pub(crate) fn workflow(&self) -> Value {
        json!({
            "kind": "Workflow",
            "metadata": {"name": "wf", "namespace": "ci", "uid": UID},
            "status": {
                "phase": "Succeeded",
                "nodes": self.nodes,
                "artifactRepositoryRef": {"artifactRepository": {"s3": {"bucket": BUCKET, "endpoint": "e"}}},
            },
        })
    }

    pub(crate) fn auditor(&self) -> Auditor {
        let policy = Policy::of_keys(vec![TrustedKey::new("ci", self.key.public().clone())]);
        let checker = Checker {
            policy,
            now: Timestamp::now(),
            bundle: None,
            wanted: Wanted::default(),
            largest: MAX_ATTESTATION,
        };
        let bucket = self.bucket.clone();
        let open = move |location: &Location| {
            assert_eq!(location.to_string(), format!("s3://{BUCKET}"));
            Ok(Box::new(bucket.clone()) as Box<dyn Store>)
        };
        Auditor::new(
            checker,
            Lanes::default(),
            (Box::new(open), Images::default()),
            vec!["main.log".to_owned()],
        )
    }

    /// Audits the workflow, and a prefix if there is one.
    pub(crate) async fn entries(&self, beneath: Option<&str>) -> Vec<Entry> {
        self.entries_of(Some(&self.workflow()), beneath).await
    }

    pub(crate) async fn entries_of(&self, workflow: Option<&Value>, beneath: Option<&str>) -> Vec<Entry> {
        let auditor = self.auditor();
        let runs = workflow.map(|text| WorkflowRun::read_all(text.to_string().as_bytes()).unwrap());
        let runs = runs.unwrap_or_default();
        let mut entries = Vec::new();
        let mut tell = |entry| {
            entries.push(entry);
            Ok::<(), ()>(())
        };
        let mut outcomes = Outcomes::of(&runs);
        let found = match beneath {
            Some(beneath) => prefix(&Lanes::default(), Arc::new(self.bucket.clone()), beneath).await.unwrap(),
            None => crate::verify::Collection::default(),
        };
        let names = found.artifacts.names().map(std::ffi::OsString::into_encoded_bytes).collect();
        let left = auditor.look_at(found.orphans, &names, &mut outcomes).await;
        auditor.find_outcomes(&runs, &mut outcomes).await;
        let mut told = BTreeSet::new();
        for run in runs {
            auditor.workflow(&Arc::new(run), &outcomes, &mut told, &mut tell).await.unwrap();
        }
        let listed = vec![Listed { place: 0, artifacts: found.artifacts }];
        let late = auditor.artifacts(listed, &told, |entry, _| tell(entry)).await.unwrap();
        auditor.left(left, &told, &late, &mut tell).await.unwrap();
        entries
    }

    /// What is missing or unknown.
    pub(crate) async fn gaps(&self, beneath: Option<&str>) -> Told {
        let missing =
            |entry: &Entry| matches!(entry.finding.standing(), Standing::Missing | Standing::Unknown);
        told(&self.entries(beneath).await.into_iter().filter(missing).collect::<Vec<_>>())
    }
}

/// Where a step's outcome is put: by Argo's own name of its pod's directory or, here, beside what
/// it made.
pub(crate) fn outcome(number: usize) -> String {
    format!("wf/pod-{number}/argo-attest-outcome-uid-{number}")
}

pub(crate) fn told(entries: &[Entry]) -> Told {
    let told = |entry: &Entry| {
        let reason = entry.finding.reason().map_or("attested", argo_attest_core::verify::Reason::code);
        (entry.artifact().to_str().unwrap().to_owned(), reason.to_owned())
    };
    let mut all: Vec<_> = entries.iter().map(told).collect();
    all.sort();
    all
}

pub(crate) fn pairs(all: &[(&str, &str)]) -> Told {
    let mut all: Vec<_> = all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    all.sort();
    all
}
