//! Steps that leave attested objects in a bucket, and one who verifies them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use argo_attest::attest::Attestor;
use argo_attest::attestations::ObjectAttestations;
use argo_attest::signer::load_pair;
use argo_attest::store::{FileStore, ObjectKey, Store as _};
use argo_attest_core::contents::Contents;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::keys::PrivateKey;
use argo_attest_core::outcome::STEP_OUTCOME_V1;
use argo_attest_core::slsa::{
    ARGO_STEP_BUILD_TYPE, BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails, place_byproduct,
};
use serde_json::json;

use crate::program::{Desk, Ended};
use crate::servers::{self, ACCESS_KEY, BUCKET, SECRET_KEY, VersityGw};

pub(crate) const BUILDER: &str = "https://ci.example.com/argo";

/// The bucket as a directory, a server before it, and a user's desk.
pub(crate) struct Workshop {
    pub(crate) desk: Desk,
    pub(crate) endpoint: String,
    server: Server,
}

enum Server {
    /// In this process. It lists all that it has for each question: for some hundred objects.
    S3sFs(tempfile::TempDir),
    Versity(VersityGw),
}

pub(crate) fn uri(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

pub(crate) fn root(name: &str) -> ResourceDescriptor {
    ResourceDescriptor { name: name.into(), uri: format!("oci://{name}"), ..ResourceDescriptor::default() }
}

impl Workshop {
    pub(crate) async fn new() -> Self {
        let server = tempfile::tempdir().unwrap();
        let endpoint = servers::s3s_fs(server.path()).await;
        Self::before(endpoint, Server::S3sFs(server))
    }

    /// One for thousands of objects; `None`, with a word about it, where versitygw is not installed.
    pub(crate) async fn large() -> Option<Self> {
        let server = VersityGw::start().await?;
        Some(Self::before(server.endpoint.clone(), Server::Versity(server)))
    }

    fn before(endpoint: String, server: Server) -> Self {
        let desk = Desk::new();
        desk.run(["keygen", "--out-dir", "keys"]).with(0);
        Self { desk, endpoint, server }
    }

    pub(crate) fn in_bucket(&self, key: &str) -> PathBuf {
        let bucket = match &self.server {
            Server::S3sFs(dir) => dir.path().join(BUCKET),
            Server::Versity(gateway) => gateway.bucket(),
        };
        bucket.join(key)
    }

    pub(crate) fn key(&self, directory: &str) -> PrivateKey {
        load_pair(&self.desk.path(directory).join("attest.key")).unwrap()
    }

    /// A step that writes this object, from these inputs.
    pub(crate) async fn step(&self, name: &str, inputs: Vec<ResourceDescriptor>) -> ResourceDescriptor {
        self.step_by(&self.key("keys"), name, inputs).await
    }

    /// The same with a key of its own.
    pub(crate) async fn step_by(
        &self,
        key: &PrivateKey,
        name: &str,
        inputs: Vec<ResourceDescriptor>,
    ) -> ResourceDescriptor {
        self.step_of(key, name, name, inputs).await
    }

    /// The same, as this invocation.
    pub(crate) async fn step_of(
        &self,
        key: &PrivateKey,
        invocation: &str,
        name: &str,
        inputs: Vec<ResourceDescriptor>,
    ) -> ResourceDescriptor {
        fs::create_dir_all(self.in_bucket(name).parent().unwrap()).unwrap();
        fs::write(self.in_bucket(name), name).unwrap();
        let external =
            json!({"workflow": {"name": "build-1", "namespace": "ci"}, "template": {"name": name}});
        let provenance = Provenance {
            build_definition: BuildDefinition {
                build_type: ARGO_STEP_BUILD_TYPE.into(),
                external_parameters: external.as_object().unwrap().clone(),
                internal_parameters: serde_json::Map::new(),
                resolved_dependencies: inputs,
            },
            run_details: RunDetails {
                builder: Builder::this_version(BUILDER),
                metadata: BuildMetadata { invocation_id: invocation.into(), ..BuildMetadata::default() },
                byproducts: vec![place_byproduct(&uri(name), &self.endpoint.parse().unwrap())],
            },
        };
        let store = FileStore::open(&self.in_bucket("")).unwrap();
        let digest = Sha256Digest::of(name.as_bytes());
        let contents = Contents::file(name, digest).stored_as(name, &uri(name), digest);
        let place = ObjectAttestations::new(&store, &ObjectKey::new(name).unwrap());
        Attestor::new(key).attest(&contents, &place, &provenance).await.unwrap();
        self.input(name).await
    }

    /// A step's signed outcome, beneath this name.
    pub(crate) async fn outcome(&self, name: &str, words: &serde_json::Value) {
        let store = FileStore::open(&self.in_bucket("")).unwrap();
        let subject = ResourceDescriptor::named("urn:argo-attest:invocation:x", Sha256Digest::of(b"x"));
        let key = ObjectKey::new(name).unwrap();
        let place = ObjectAttestations::new(&store, &key);
        let signer = self.key("keys");
        Attestor::new(&signer).report("outcome", subject, STEP_OUTCOME_V1, words, &place).await.unwrap();
    }

    /// A dependency on an object as it is attested now.
    pub(crate) async fn input(&self, name: &str) -> ResourceDescriptor {
        let store = FileStore::open(&self.in_bucket("")).unwrap();
        let bundle = ObjectKey::new(&format!("{name}.sigstore.json")).unwrap();
        let bundle = store.get(&bundle, u64::MAX).await.unwrap().bytes;
        let object = Sha256Digest::of(&fs::read(self.in_bucket(name)).unwrap());
        let mut input = ResourceDescriptor::named(format!("inputs/{name}"), object);
        input.uri = uri(name);
        input.annotations.insert("endpoint".into(), self.endpoint.as_str().into());
        let attestation = json!({
            "uri": uri(&format!("{name}.sigstore.json")), "sha256": Sha256Digest::of(&bundle).to_string(),
        });
        input.annotations.insert("attestation".into(), attestation);
        input
    }

    /// Gives what was put beneath the server, as files, the entity tag that it keeps beside each.
    fn tag(folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                Self::tag(&path);
            } else {
                let tag = format!("\"{}\"", &Sha256Digest::of(&fs::read(&path).unwrap()).to_string()[..32]);
                let none = rustix::fs::XattrFlags::empty();
                rustix::fs::setxattr(&path, "user.etag", tag.as_bytes(), none).unwrap();
            }
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let mut program = self.program(arguments);
        tokio::task::block_in_place(|| program.output().unwrap()).into()
    }

    /// The program, not started yet.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        if let Server::Versity(gateway) = &self.server {
            Self::tag(&gateway.bucket());
        }
        let mut program = self.desk.program(arguments);
        program
            .env("AWS_ENDPOINT_URL_S3", &self.endpoint)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        program
    }

    /// `verify --chain` with the key and these.
    pub(crate) fn chain(&self, arguments: &[&str]) -> Ended {
        self.run(&[&["verify", "--chain", "--key", "keys/attest.pub"], arguments].concat())
    }
}
