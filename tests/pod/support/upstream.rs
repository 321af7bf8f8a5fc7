//! The step before: its pod, its sidecar, and what they leave in the store.

use std::path::PathBuf;

use crate::output::Output;
use crate::pod::Pod;
use crate::s3::S3;

/// A pod whose step has ended well and is attested.
pub(crate) struct Upstream {
    pub(crate) pod: Pod,
}

impl Upstream {
    /// As the workflow `build-7` in the namespace `ci`.
    pub(crate) fn new(s3: &S3, outputs: Vec<Output>) -> Self {
        Self::of(s3, outputs, |pod| pod)
    }

    pub(crate) fn of(s3: &S3, outputs: Vec<Output>, set: impl FnOnce(Pod) -> Pod) -> Self {
        let pod = Pod::new(s3.address(), outputs)
            .env("ARGO_ATTEST_POD_NAMESPACE", "ci")
            .env("ARGO_ATTEST_WORKFLOW_NAME", "build-7");
        let upstream = Self { pod: set(pod) };
        upstream.runs(s3);
        upstream
    }

    /// The step runs, once more perhaps, and is attested.
    pub(crate) fn runs(&self, s3: &S3) {
        let mut sidecar = self.pod.start_ready();
        let (code, message) = self.pod.succeed(s3, &mut sidecar);
        assert_eq!(
            (code, &message["attested"]),
            (Some(0), &self.pod.outputs.len().into()),
            "{message}\n{}",
            sidecar.logged()
        );
        std::fs::remove_dir_all(self.pod.argo()).unwrap();
        std::fs::create_dir(self.pod.argo()).unwrap();
    }

    pub(crate) fn output(&self) -> &Output {
        &self.pod.outputs[0]
    }

    pub(crate) fn key(&self) -> String {
        self.output().key()
    }

    pub(crate) fn bundle_key(&self) -> String {
        format!("{}.sigstore.json", self.key())
    }

    pub(crate) fn public_key(&self) -> PathBuf {
        self.pod.public_key()
    }
}
