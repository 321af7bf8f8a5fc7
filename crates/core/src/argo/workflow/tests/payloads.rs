//! What can be put in at a tag. Argo's last substitution runs over the pod, in which
//! the template is JSON within a string: a value lands there unescaped.
//!
//! Each payload ends the string that it is put into, ends containers around it, adds
//! something, and opens as many containers as it ended, so that what follows in the
//! text still fits.

use super::texts::{Spot, Within};

/// Every name of a member in Argo's schema of templates that could take something in.
pub(super) const FIELDS: &[&str] = &[
    "name",
    "inputs",
    "outputs",
    "nodeSelector",
    "affinity",
    "metadata",
    "daemon",
    "steps",
    "container",
    "containerSet",
    "script",
    "resource",
    "dag",
    "suspend",
    "data",
    "http",
    "plugin",
    "volumes",
    "initContainers",
    "sidecars",
    "archiveLocation",
    "activeDeadlineSeconds",
    "retryStrategy",
    "parallelism",
    "failFast",
    "tolerations",
    "schedulerName",
    "priorityClassName",
    "priority",
    "serviceAccountName",
    "automountServiceAccountToken",
    "executor",
    "hostAliases",
    "securityContext",
    "podSpecPatch",
    "metrics",
    "synchronization",
    "memoize",
    "timeout",
    "annotations",
    "pendingTimeout",
    "podResources",
    "resourceClaims",
    "parameters",
    "artifacts",
    "result",
    "exitCode",
    "path",
    "mode",
    "from",
    "archiveLogs",
    "s3",
    "git",
    "artifactory",
    "hdfs",
    "raw",
    "oss",
    "gcs",
    "azure",
    "globalName",
    "archive",
    "optional",
    "subPath",
    "recurseMode",
    "fromExpression",
    "artifactGC",
    "deleted",
    "endpoint",
    "bucket",
    "region",
    "insecure",
    "accessKeySecret",
    "secretKeySecret",
    "roleARN",
    "useSDKCreds",
    "key",
    "image",
    "command",
    "args",
    "workingDir",
    "ports",
    "envFrom",
    "env",
    "resources",
    "volumeMounts",
    "volumeDevices",
    "livenessProbe",
    "lifecycle",
    "source",
    "dependencies",
    "containers",
    "labels",
    "value",
    "valueFrom",
    "default",
    "none",
    "tar",
    "zip",
    "zzz",
];

/// Values that a member can be given.
const VALUES: &[&str] = &[
    r#""x""#,
    "null",
    "true",
    "0",
    "[]",
    "{}",
    r#"["x"]"#,
    r#"{"a":"b"}"#,
    r#"[{"name":"evil","path":"/data/evil","s3":{"key":"evil"}}]"#,
    r#"{"artifacts":[{"name":"evil","path":"/data/evil","archive":{"none":{}},"s3":{"key":"evil"}}]}"#,
    r#"{"annotations":{"argo-attest.io/attest":"true","argo-attest.io/verify-inputs":"false"}}"#,
];

/// What a payload does; `level` is the container that it does it in, counted from the
/// outside.
pub(super) struct Payloads<'s> {
    spot: &'s Spot,
}

impl<'s> Payloads<'s> {
    pub(super) fn new(spot: &'s Spot) -> Self {
        Self { spot }
    }

    /// Hands every payload to `take`.
    pub(super) fn each(&self, take: &mut dyn FnMut(String)) {
        for plain in ["", "x", "{{x}}", r#"\""#, r"\\", "\\u0022", "$$", "}}", "/../"] {
            take(plain.to_owned());
        }
        for level in 0..self.spot.within.len() {
            let (close, open) = (self.close(level), self.open(level));
            match &self.spot.within[level] {
                // Another item, empty or like this one, beside this one.
                Within::Item => {
                    take(format!("{close},{open}"));
                    for item in VALUES {
                        take(format!("{close},{item},{open}"));
                    }
                }
                Within::Member(own) => {
                    for field in FIELDS {
                        // Adds a member, and names the rest of the own one so.
                        for value in VALUES {
                            take(format!("{close},\"{field}\":{value},{}", self.open_as(level, own)));
                        }
                        take(format!("{close},{}", self.open_as(level, field)));
                        take(format!("{close},\"{own}\":{{}},{}", self.open_as(level, field)));
                    }
                }
            }
        }
    }

    /// Ends the string and all containers within that of this level.
    pub(super) fn close(&self, level: usize) -> String {
        let ends = self.spot.within[level + 1..].iter().rev().map(|within| match within {
            Within::Member(_) => '}',
            Within::Item => ']',
        });
        "x\"".chars().chain(ends).collect()
    }

    /// Opens them again, and a string in the innermost.
    pub(super) fn open(&self, level: usize) -> String {
        let mut text: String = self.spot.within[level + 1..]
            .iter()
            .map(|within| match within {
                Within::Member(name) => format!("{{\"{name}\":"),
                Within::Item => "[".to_owned(),
            })
            .collect();
        text.push_str("\"y");
        text
    }

    pub(super) fn open_as(&self, level: usize, name: &str) -> String {
        format!("\"{name}\":{}", self.open(level))
    }
}
