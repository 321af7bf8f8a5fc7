//! The step whose inputs are checked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use argo_attest_core::argo::encode;
use serde_json::{Value, json};

use crate::init::{self, Archive};
use crate::namespace::{self, Mount};
use crate::output::PREFIX;
use crate::pod::BUILDER;
use crate::s3::S3;
use crate::servers::BUCKET;
use crate::upstream::Upstream;

pub(crate) struct Consumer {
    dir: tempfile::TempDir,
    /// What is mounted for the gate beside main's volumes and its inputs' own mounts.
    mounts: Vec<Mount>,
    /// Whether main's volumes and its inputs' own mounts are.
    mirrors: bool,
    pub(crate) template: Value,
    /// Instead of the template.
    pub(crate) template_text: Option<String>,
    env: Vec<(String, String)>,
    arguments: Vec<String>,
}

/// What the gate did.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// The termination message.
    pub(crate) message: String,
    pub(crate) log: String,
}

/// An input of the template.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) archive: Archive,
    /// On main's volume; else it has a mount of its own.
    pub(crate) on_volume: bool,
    pub(crate) optional: bool,
}

impl Input {
    pub(crate) fn new(key: &str) -> Self {
        Self { name: "app".into(), key: key.into(), archive: Archive::None, on_volume: true, optional: false }
    }

    pub(crate) fn named(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    pub(crate) fn archive(self, archive: Archive) -> Self {
        Self { archive, ..self }
    }

    pub(crate) fn own_mount(self) -> Self {
        Self { on_volume: false, ..self }
    }

    pub(crate) fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

impl Consumer {
    /// Opted in, with a policy that trusts the upstream's key.
    pub(crate) fn new(s3: &S3, upstream: &Upstream) -> Self {
        let consumer = Self::bare(s3);
        fs::copy(upstream.public_key(), consumer.at("policy/ci.pub")).unwrap();
        consumer.policy(&policy("", ""))
    }

    /// With neither policy nor inputs.
    pub(crate) fn bare(s3: &S3) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for made in ["work", "mounts", "secrets", "policy", "evidence"] {
            fs::create_dir(dir.path().join(made)).unwrap();
        }
        fs::write(dir.path().join("termination-log"), "").unwrap();
        S3::write_secret(&dir.path().join("secrets"));
        let secret = |key: &str| json!({"name": "s3-cred", "key": key});
        let template = json!({
            "name": "test",
            "metadata": {"annotations": {"argo-attest.io/attest": "true"}},
            "inputs": {"artifacts": []},
            "outputs": {},
            "container": {
                "image": "busybox:1.36",
                "command": ["sh", "-c", "test"],
                "volumeMounts": [{"name": "work", "mountPath": dir.path().canonicalize().unwrap().join("work")}],
            },
            "archiveLocation": {"s3": {
                "endpoint": s3.address(),
                "bucket": BUCKET,
                "region": "us-east-1",
                "insecure": true,
                "accessKeySecret": secret("accesskey"),
                "secretKeySecret": secret("secretkey"),
                "key": format!("{PREFIX}-test"),
            }},
        });
        Self {
            dir,
            mounts: Vec::new(),
            mirrors: true,
            template,
            template_text: None,
            env: Vec::new(),
            arguments: Vec::new(),
        }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn policy(self, text: &str) -> Self {
        fs::write(self.at("policy/policy.yaml"), text).unwrap();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Mounts something more, after main's.
    pub(crate) fn mounts(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    /// Without `mirrorVolumeMounts`.
    pub(crate) fn not_mirrored(self) -> Self {
        Self { mirrors: false, ..self }
    }

    /// The mounts of the gate's container, those of the deepest places last.
    fn mounted(&self) -> Vec<Mount> {
        let work = self.at("work");
        let inputs = self.template["inputs"]["artifacts"].as_array().into_iter().flatten();
        let own = inputs.filter_map(|input| Some(PathBuf::from(input["path"].as_str()?)));
        let own = own.filter(|path| path.starts_with(self.at("mounts")));
        let mut places: Vec<_> = own.chain([work]).filter(|path| path.exists()).collect();
        places.sort_by_key(|path| path.components().count());
        places.dedup();
        let mirrored = places.iter().filter(|_| self.mirrors).map(|path| Mount::volume(path));
        mirrored.chain(self.mounts.iter().cloned()).collect()
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub(crate) fn annotations(mut self, annotations: &Value) -> Self {
        self.template["metadata"] = json!({"annotations": annotations});
        self
    }

    /// Where an input is staged: in main, and here.
    pub(crate) fn path(&self, input: &Input) -> PathBuf {
        self.at(if input.on_volume { "work" } else { "mounts" }).join("in").join(&input.name)
    }

    /// Declares an input of any kind.
    pub(crate) fn declares(mut self, artifact: Value) -> Self {
        self.template["inputs"]["artifacts"].as_array_mut().unwrap().push(artifact);
        self
    }

    /// Declares an input from the step's own store.
    pub(crate) fn takes(self, input: &Input) -> Self {
        let mut artifact = json!({"name": input.name, "path": self.path(input), "s3": {"key": input.key}});
        match input.archive {
            Archive::Unsaid => {}
            Archive::None => artifact["archive"] = json!({"none": {}}),
            Archive::Tar => artifact["archive"] = json!({"tar": {}}),
            Archive::Zip => artifact["archive"] = json!({"zip": {}}),
        }
        if input.optional {
            artifact["optional"] = json!(true);
        }
        self.declares(artifact)
    }

    /// Declares an input, and Argo stages it.
    pub(crate) fn stages(self, s3: &S3, input: &Input) -> Self {
        let staged = init::stage(s3, &input.key, input.archive, &self.path(input));
        assert!(staged || input.optional, "Argo finds no {}", input.key);
        if !staged && !input.on_volume {
            // The kubelet makes the directory of a subPath that is not there, as the volume is.
            fs::create_dir_all(self.path(input)).unwrap();
            fs::set_permissions(self.path(input), fs::Permissions::from_mode(0o777)).unwrap();
        }
        self.takes(input)
    }

    /// The gate, to its end.
    pub(crate) fn gate(&self) -> Ended {
        let log = self.at("termination-log");
        fs::write(&log, "").unwrap();
        let mut command = namespace::binary(&self.mounted());
        command
            .arg("verify-inputs")
            .args(&self.arguments)
            .env(
                "ARGO_TEMPLATE",
                self.template_text.clone().unwrap_or_else(|| encode(&self.template).unwrap()),
            )
            .env("ARGO_ATTEST_POLICY", self.at("policy/policy.yaml"))
            .env("ARGO_ATTEST_EVIDENCE", self.at("evidence"))
            .env("ARGO_ATTEST_TERMINATION_LOG", &log)
            .env("ARGO_ATTEST_SECRETS_DIR", self.at("secrets"))
            .envs(self.env.iter().cloned());
        let ran = command.output().unwrap();
        assert!(ran.stdout.is_empty(), "{ran:?}");
        let message = fs::read_to_string(&log).unwrap();
        assert!(message.len() <= 2048 && message.lines().count() == 1, "{message:?}: {ran:?}");
        Ended { code: ran.status.code(), message, log: String::from_utf8(ran.stderr).unwrap() }
    }

    /// The gate lets main start.
    #[track_caller]
    pub(crate) fn opens(&self) -> Ended {
        let ended = self.gate();
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        ended
    }

    /// The gate keeps main from starting, and says exactly this of the input `app`.
    #[track_caller]
    pub(crate) fn refuses(&self, why: &str) {
        let ended = self.gate();
        let help = ended.message.find(" (help: ").filter(|_| !why.contains(" (help: "));
        let told = &ended.message[..help.unwrap_or(ended.message.len())];
        let refused = format!("input \"app\" is not accepted: {why}");
        assert_eq!((ended.code, told), (Some(1), refused.as_str()), "{}", ended.log);
        assert_eq!(self.evidence(), None);
    }

    /// It ends with this code and this message, and leaves no evidence.
    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32, message: &str) {
        let ended = self.gate();
        assert_eq!((ended.code, ended.message.as_str()), (Some(code), message), "{}", ended.log);
        assert_eq!(self.evidence(), None);
    }

    pub(crate) fn evidence(&self) -> Option<Value> {
        let bytes = fs::read(self.at("evidence/inputs.json")).ok()?;
        Some(serde_json::from_slice(&bytes).unwrap())
    }
}

/// A policy that trusts `ci.pub` for the upstream's builder, with more said of the key
/// and at the end.
pub(crate) fn policy(key: &str, rest: &str) -> String {
    format!(
        "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys:\n\
         - {{name: ci, file: ci.pub{key}}}\nbuilders:\n- {{id: \"{BUILDER}\", keys: [ci]}}\n{rest}"
    )
}
