//! Objects in a bucket that steps left, with what their sidecars said of them: what a page about
//! verifying begins with.

use std::fs;
use std::path::{Path, PathBuf};

use argo_attest::attest::Attestor;
use argo_attest::attestations::ObjectAttestations;
use argo_attest::store::{FileStore, ObjectKey, Store as _};
use argo_attest_core::contents::Contents;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::slsa::{
    ARGO_STEP_BUILD_TYPE, BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails, place_byproduct,
};
use serde_json::{Value, json};

use super::session::Session;

/// Puts there what a page takes for granted and no command can make. The public keys lie in the
/// home directory.
pub(crate) async fn leave(page: &str, session: &Session) {
    match page {
        "docs/chain.md" => chain(session).await,
        "docs/how-to/verify-in-a-deploy-job.md" | "docs/how-to/pass-on-a-verdict.md" => {
            release(session).await;
        }
        _ => {}
    }
}

/// `app.tgz` was made of `lib.tgz` and `base.csv`, and `lib.tgz` of `base.csv` and a repository.
async fn chain(session: &Session) {
    let artifacts = Bucket::new(session, "artifacts", "ci-2026", "https://ci.example.com/argo");
    let data = Bucket::new(session, "data", "imports", "https://ci.example.com/imports");
    let base = data.step("base.csv", "import", &[]).await;
    let source = json!({
        "name": "inputs/source", "uri": "git+https://git.example.com/x.git@0123456789abcdef0123456789abcdef01234567",
        "digest": {"gitCommit": "0123456789abcdef0123456789abcdef01234567"},
    });
    let lib = artifacts.step("build-7/lib.tgz", "lib", &[source, named("inputs/base", &base)]).await;
    let image = json!({"name": "containers/main", "uri": "oci://registry.example.com/build:1"});
    let inputs = [image, named("inputs/lib", &lib), named("inputs/base", &base)];
    artifacts.step("build-7/app.tgz", "app", &inputs).await;
}

async fn release(session: &Session) {
    let artifacts = Bucket::new(session, "artifacts", "ci-2026", "https://ci.example.com/argo");
    artifacts.step("release/app.tgz", "build", &[]).await;
}

fn named(name: &str, input: &Value) -> Value {
    let mut input = input.clone();
    input["name"] = name.into();
    input
}

/// A bucket, and who signs what is stored there.
struct Bucket<'a> {
    name: &'a str,
    folder: PathBuf,
    endpoint: &'a str,
    key: PrivateKey,
    builder: &'a str,
}

impl<'a> Bucket<'a> {
    fn new(session: &'a Session, name: &'a str, key: &str, builder: &'a str) -> Self {
        let (folder, private) =
            (session.buckets().join(name), PrivateKey::generate(KeyType::Ed25519).unwrap());
        fs::create_dir(&folder).unwrap();
        fs::write(session.home().join(format!("{key}.pub")), private.public().to_spki_pem()).unwrap();
        Self { name, folder, endpoint: session.endpoint(), key: private, builder }
    }

    /// A step of the workflow `release-1` stores this; the same as an input of the next step.
    async fn step(&self, key: &str, template: &str, inputs: &[Value]) -> Value {
        let (uri, bytes) = (format!("s3://{}/{key}", self.name), key.as_bytes());
        fs::create_dir_all(self.folder.join(key).parent().unwrap()).unwrap();
        fs::write(self.folder.join(key), bytes).unwrap();
        let external = json!({"workflow": {"name": "release-1", "namespace": "release"}, "template": {"name": template}});
        let mut stored = place_byproduct(&uri, &self.endpoint.parse().unwrap());
        stored.annotations.insert("check".into(), "sha256".into());
        let provenance = Provenance {
            build_definition: BuildDefinition {
                build_type: ARGO_STEP_BUILD_TYPE.into(),
                external_parameters: external.as_object().unwrap().clone(),
                internal_parameters: serde_json::Map::new(),
                resolved_dependencies: inputs
                    .iter()
                    .map(|input| serde_json::from_value(input.clone()).unwrap())
                    .collect(),
            },
            run_details: RunDetails {
                builder: Builder::this_version(self.builder),
                metadata: BuildMetadata { invocation_id: key.into(), ..BuildMetadata::default() },
                byproducts: vec![stored],
            },
        };
        let store = FileStore::open(&self.folder).unwrap();
        let digest = Sha256Digest::of(bytes);
        let contents = Contents::file(file_name(key), digest).stored_as(file_name(key), &uri, digest);
        let place = ObjectAttestations::new(&store, &ObjectKey::new(key).unwrap());
        Attestor::new(&self.key).attest(&contents, &place, &provenance).await.unwrap();
        let bundle = ObjectKey::new(&format!("{key}.sigstore.json")).unwrap();
        let bundle = Sha256Digest::of(&store.get(&bundle, u64::MAX).await.unwrap().bytes).to_string();
        let mut input = ResourceDescriptor::named(key, digest);
        input.uri.clone_from(&uri);
        input.annotations.insert("endpoint".into(), self.endpoint.into());
        let attestation = json!({"uri": format!("{uri}.sigstore.json"), "sha256": bundle});
        input.annotations.insert("attestation".into(), attestation);
        serde_json::to_value(input).unwrap()
    }
}

fn file_name(key: &str) -> &str {
    Path::new(key).file_name().unwrap().to_str().unwrap()
}
