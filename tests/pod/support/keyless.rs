//! A pod without a key of its own: its service account's token, who certifies it, who says when, and who believes both.

use std::process::Output as Ran;
use std::sync::Arc;

use argo_attest_core::bundle::Bundle;
use argo_attest_core::dsse::Effort;
use argo_attest_core::policy::{IdentityPattern, Policy, TrustedIdentity, TrustedKey};
use argo_attest_core::proof::TrustedRoot;
use argo_attest_core::verify::authenticate_outcome;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fulcio::{CertificateLie, Fulcio, IDENTITY, ISSUER, token};
use crate::output::{Output, PREFIX};
use crate::pod::{BUILDER, POD_UID, Pod};
use crate::process::binary;
use crate::s3::S3;
use crate::scripted::Scripted;
use crate::servers::{ACCESS_KEY, BUCKET, SECRET_KEY};
use crate::witnesses::{Authority, TimeLie};

pub(crate) struct Keyless {
    pub(crate) fulcio: Arc<Fulcio>,
    pub(crate) certifying: Scripted,
    pub(crate) time: Arc<Authority>,
    pub(crate) stamping: Scripted,
    dir: tempfile::TempDir,
}

impl Keyless {
    pub(crate) fn new() -> Self {
        Self::of(Arc::new(Authority::new()))
    }

    /// With this authority that says when.
    pub(crate) fn of(time: Arc<Authority>) -> Self {
        let fulcio = Arc::new(Fulcio::new());
        let (certifying, stamping) = (fulcio.serve(CertificateLie::None), time.serve(TimeLie::None));
        let keyless = Self { fulcio, certifying, time, stamping, dir: tempfile::tempdir().unwrap() };
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "timestampAuthorities": [keyless.time.root()],
            "certificateAuthorities": [keyless.fulcio.root()],
        });
        std::fs::write(keyless.root(), root.to_string()).unwrap();
        keyless
    }

    /// With another server of that authority.
    pub(crate) fn stamped_by(self, stamping: Scripted) -> Self {
        Self { stamping, ..self }
    }

    pub(crate) fn root(&self) -> String {
        self.dir.path().join("root.json").to_str().unwrap().to_owned()
    }

    /// What the pod has: the token of its service account, and whom to ask.
    pub(crate) fn set(&self, pod: Pod) -> Pod {
        let token_file = pod.at("identity");
        std::fs::create_dir(&token_file).unwrap();
        let token_file = token_file.join("token");
        std::fs::write(&token_file, token()).unwrap();
        pod.without_key()
            .env("ARGO_ATTEST_FULCIO_URL", &self.certifying.endpoint())
            .env("ARGO_ATTEST_IDENTITY_TOKEN", token_file.to_str().unwrap())
            .env("ARGO_ATTEST_TRUSTED_ROOT", &self.root())
            .env("ARGO_ATTEST_TIMESTAMP_URL", &self.stamping.endpoint())
    }

    pub(crate) fn pod(&self, s3: &S3, outputs: Vec<Output>) -> Pod {
        self.set(Pod::new(s3.address(), outputs))
    }

    /// A policy that trusts this identity for the sidecar's builder, as a file has it.
    pub(crate) fn policy(&self, identity: &str) -> String {
        format!(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\ntrustedRoot: {}\nidentities:\n\
             - {{name: ci, issuer: \"{ISSUER}\", identity: \"{identity}\"}}\n\
             builders:\n- {{id: \"{BUILDER}\", identities: [ci]}}\n",
            self.root()
        )
    }

    /// What the binary says who has this policy, and reaches the store as the step did.
    pub(crate) fn asks(&self, s3: &S3, command: &str, policy: &str, arguments: &[&str]) -> Ran {
        let file = self.dir.path().join("policy.yaml");
        std::fs::write(&file, policy).unwrap();
        let mut asking = binary();
        asking.args([command, "--policy"]).arg(file).args(arguments);
        asking.envs([("AWS_ENDPOINT_URL_S3", s3.endpoint.as_str()), ("AWS_REGION", "us-east-1")]);
        asking.envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
        asking.output().unwrap()
    }

    pub(crate) fn verify(&self, s3: &S3, identity: &str, key: &str) -> Ran {
        self.asks(s3, "verify", &self.policy(identity), &[&format!("s3://{BUCKET}/{key}")])
    }

    /// The step's outcome's predicate, if it is the identity's by the trusted root, and proven to be of when it held.
    pub(crate) fn outcome(&self, s3: &S3) -> Value {
        let key = format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json");
        let bundle = s3.get(&key).unwrap_or_else(|| panic!("no {key} in {:?}", s3.keys()));
        let bundle = Bundle::whole(&bundle).unwrap();
        let identity = TrustedIdentity {
            name: "ci".into(),
            issuer: ISSUER.into(),
            identity: IdentityPattern::exactly(IDENTITY).unwrap(),
        };
        let nobody: Vec<TrustedKey> = Vec::new();
        let root = TrustedRoot::read(&std::fs::read(self.root()).unwrap()).unwrap();
        let policy = Policy::of_keys(nobody).with_identity(identity).with_trusted_root(root);
        let (now, effort) = (Timestamp::now(), &mut Effort::default());
        authenticate_outcome(bundle.envelope(), bundle.evidence(), &policy, now, effort).unwrap();
        let statement: Value = serde_json::from_slice(bundle.envelope().unverified_payload()).unwrap();
        statement["predicate"].clone()
    }
}
