//! A step's pod: what Kubernetes and Argo prepare, and what main and Argo's own
//! containers do in it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output as Ran};
use std::time::{Duration, Instant};

use argo_attest::signer::load_public;
use argo_attest_core::argo::encode;
use argo_attest_core::bundle::Bundle;
use serde_json::{Value, json};

use crate::namespace::{self, Mount};
use crate::output::{Output, PREFIX};
use crate::process::{Sidecar, binary, until};
use crate::s3::S3;
use crate::servers::{ACCESS_KEY, BUCKET, SECRET_KEY};

pub(crate) const BUILDER: &str = "https://ci.example.com/argo";
pub(crate) const POD_UID: &str = "7e1f-pod";
/// The value of a variable of main's.
pub(crate) const CANARY: &str = "canary-value-of-a-variable";

pub(crate) struct Pod {
    dir: tempfile::TempDir,
    pub(crate) template: Value,
    /// Instead of the template.
    pub(crate) template_text: Option<String>,
    pub(crate) outputs: Vec<Output>,
    /// What the sidecar's container has: main's volume and Argo's directory.
    pub(crate) mounts: Vec<Mount>,
    env: Vec<(String, String)>,
    args: Vec<String>,
    /// Instead of the key in its folder.
    key: Option<String>,
    /// Whether a key is named at all.
    has_key: bool,
}

impl Pod {
    /// With the native form of the sidecar.
    pub(crate) fn new(store: &str, outputs: Vec<Output>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for made in ["argo", "work", "secrets", "keys"] {
            std::fs::create_dir(at(made)).unwrap();
        }
        std::fs::write(at("termination-log"), "").unwrap();
        S3::write_secret(&at("secrets"));
        let declared: Vec<Value> = outputs.iter().map(|output| output.declared(&at("work"))).collect();
        let secret = |key: &str| json!({"name": "s3-cred", "key": key});
        let template = json!({
            "name": "build",
            "metadata": {"annotations": {"argo-attest.io/attest": "true"}},
            "inputs": {},
            "outputs": {"artifacts": declared},
            "container": {
                "name": "",
                "image": "busybox:1.36",
                "command": ["sh", "-c"],
                "args": ["make"],
                "env": [{"name": "TOKEN", "value": CANARY}],
                "volumeMounts": [{"name": "work", "mountPath": at("work")}],
            },
            "archiveLocation": {"archiveLogs": false, "s3": {
                "endpoint": store,
                "bucket": BUCKET,
                "region": "us-east-1",
                "insecure": true,
                "accessKeySecret": secret("accesskey"),
                "secretKeySecret": secret("secretkey"),
                "key": PREFIX,
            }},
        });
        let mounts = ["work", "argo"].map(|name| Mount::volume(&at(name))).to_vec();
        let pod = Self {
            dir,
            template,
            template_text: None,
            outputs,
            mounts,
            env: Vec::new(),
            args: Vec::new(),
            key: None,
            has_key: true,
        };
        pod.make_key();
        pod.env("ARGO_ATTEST_POD_UID", POD_UID)
            .env("ARGO_NODE_ID", "wf-build-1")
            .env("ARGO_ATTEST_WORKFLOW_UID", "0c5b-workflow")
            .env("ARGO_ATTEST_LOG", "info")
    }

    /// With the plain form.
    pub(crate) fn plain(self) -> Self {
        self.env("ARGO_ATTEST_MODE", "sidecar")
    }

    /// The seconds between SIGTERM and SIGKILL.
    pub(crate) fn grace(self, seconds: u32) -> Self {
        self.env("ARGO_ATTEST_GRACE_PERIOD", &seconds.to_string())
    }

    /// With another key than the one in its folder.
    pub(crate) fn key(mut self, name: &str) -> Self {
        self.key = Some(name.to_owned());
        self
    }

    /// With none named, though there is one in its folder.
    pub(crate) fn without_key(self) -> Self {
        Self { has_key: false, ..self }
    }

    /// One more argument of the sidecar's.
    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.args.push(argument.to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.at("work")
    }

    pub(crate) fn argo(&self) -> PathBuf {
        self.at("argo")
    }

    /// A new pair in the place of the old one.
    pub(crate) fn make_key(&self) {
        for name in ["attest.key", "attest.pub"] {
            let _ = std::fs::remove_file(self.at("keys").join(name));
        }
        let ran = binary().arg("keygen").arg("--out-dir").arg(self.at("keys")).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }

    /// The template's text, as the container has it.
    pub(crate) fn text(&self) -> String {
        self.template_text.clone().unwrap_or_else(|| encode(&self.template).unwrap())
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = namespace::binary(&self.mounts);
        let key = self.key.as_ref().map_or_else(|| self.at("keys/attest.key"), PathBuf::from);
        command
            .args(["sidecar", "--builder-id", BUILDER])
            .args(self.has_key.then_some("--key"))
            .args(self.has_key.then_some(key))
            .arg("--argo-dir")
            .arg(self.argo())
            .arg("--secrets-dir")
            .arg(self.at("secrets"))
            .arg("--termination-log")
            .arg(self.at("termination-log"))
            .args(&self.args)
            .env("ARGO_TEMPLATE", self.text())
            .envs(self.env.iter().cloned());
        command
    }

    /// Starts the container. Its termination log is new each time.
    pub(crate) fn start(&self) -> Sidecar {
        let log = self.at("termination-log");
        std::fs::write(&log, "").unwrap();
        Sidecar::spawn(&mut self.command(), &log, &self.at("log"))
    }

    /// Starts it, and waits as the hook does that holds main.
    pub(crate) fn start_ready(&self) -> Sidecar {
        let sidecar = self.start();
        let ran = self.ready("--wait=60s");
        assert!(ran.status.success(), "{ran:?}\n{}", sidecar.logged());
        sidecar
    }

    pub(crate) fn ready(&self, wait: &str) -> Ran {
        let mut command = binary();
        command.args(["ready", wait, "--termination-log"]).arg(self.at("termination-log")).output().unwrap()
    }

    /// Asks without waiting.
    pub(crate) fn ready_now(&self) -> Ran {
        let mut command = binary();
        command.args(["ready", "--termination-log"]).arg(self.at("termination-log")).output().unwrap()
    }

    /// Main writes all outputs.
    pub(crate) fn write(&self) {
        for output in &self.outputs {
            self.write_one(output);
        }
    }

    pub(crate) fn write_one(&self, output: &Output) {
        output.write(&self.work(), &self.argo());
    }

    /// Main ends.
    pub(crate) fn end(&self, code: i32) {
        self.end_container("main", code);
    }

    pub(crate) fn end_container(&self, name: &str, code: i32) {
        let directory = self.argo().join("ctr").join(name);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("exitcode"), code.to_string()).unwrap();
    }

    /// Waits until what happens now has a later time than main's end.
    pub(crate) fn later(&self) {
        let changed = |path: &Path| {
            let metadata = path.metadata().unwrap();
            (metadata.ctime(), metadata.ctime_nsec())
        };
        let (end, probe) = (changed(&self.argo().join("ctr/main/exitcode")), self.at("probe"));
        until("the next tick of the clock", || {
            std::fs::write(&probe, "").unwrap();
            (changed(&probe) > end).then_some(())
        });
    }

    /// Argo uploads all outputs, as they were written.
    pub(crate) fn upload(&self, s3: &S3) {
        for output in &self.outputs {
            self.upload_one(s3, output);
        }
    }

    pub(crate) fn upload_one(&self, s3: &S3, output: &Output) {
        output.objects(&self.work()).iter().for_each(|(key, bytes)| s3.put(key, bytes));
    }

    /// Main writes and ends well, and Argo uploads.
    fn main_succeeds(&self, s3: &S3) {
        self.write();
        self.end(0);
        self.upload(s3);
    }

    /// Main writes and ends well, Argo uploads, the sidecar is told and ends.
    pub(crate) fn succeed(&self, s3: &S3, sidecar: &mut Sidecar) -> (Option<i32>, Value) {
        self.main_succeeds(s3);
        sidecar.terminate();
        sidecar.ends()
    }

    /// The same; from when it is told it may take no longer than that.
    pub(crate) fn succeed_within(
        &self,
        time: Duration,
        s3: &S3,
        sidecar: &mut Sidecar,
    ) -> (Option<i32>, Value) {
        self.main_succeeds(s3);
        let told = Instant::now();
        sidecar.terminate();
        let ended = sidecar.ends();
        assert!(told.elapsed() < time, "{:?}: {}", told.elapsed(), ended.1);
        ended
    }

    pub(crate) fn public_key(&self) -> PathBuf {
        self.at("keys/attest.pub")
    }

    /// What a consumer's `verify` says of an object, who reaches the store as the step did.
    pub(crate) fn verify(&self, key: &str) -> Ran {
        let address = self.template["archiveLocation"]["s3"]["endpoint"].as_str().unwrap();
        Self::verify_with(&format!("http://{address}"), key, &[&self.public_key()])
    }

    /// The same, of one who has these keys.
    pub(crate) fn verify_with(endpoint: &str, key: &str, keys: &[&Path]) -> Ran {
        let mut command = binary();
        command.args(["verify", "--builder-id", BUILDER]);
        for key in keys {
            command.arg("--key").arg(key);
        }
        command
            .arg(format!("s3://{BUCKET}/{key}"))
            .envs([("AWS_ENDPOINT_URL_S3", endpoint), ("AWS_REGION", "us-east-1")])
            .envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
        command.output().unwrap()
    }

    pub(crate) fn assert_accepted(&self, output: &Output) {
        for (key, _) in output.objects(&self.work()) {
            let ran = self.verify(&key);
            assert_eq!(ran.status.code(), Some(0), "{key}: {ran:?}");
        }
    }

    /// The step's own outcome, whose signature is verified.
    pub(crate) fn outcome(&self, s3: &S3) -> Value {
        let key = format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json");
        let bundle = s3.get(&key).unwrap_or_else(|| panic!("no {key} in {:?}", s3.keys()));
        self.signed(&bundle)
    }

    /// The statement in a bundle, if this pod's key signed it.
    pub(crate) fn signed(&self, bundle: &[u8]) -> Value {
        let bundle = Bundle::from_json(bundle).unwrap();
        let key = load_public(&self.public_key()).unwrap();
        let valid = bundle.envelope().verify(&[&key]).unwrap();
        serde_json::from_slice(valid.payload()).unwrap()
    }
}

/// What the termination message, or the outcome's predicate, says of an output.
pub(crate) fn entry<'a>(list: &'a Value, name: &str) -> &'a Value {
    let list = list.as_array().unwrap();
    list.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name} in {list:?}"))
}
