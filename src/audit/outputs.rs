//! A workflow's final outputs: what its steps made, and none of them took.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;

use argo_attest_core::audit::{Finding, Output, Spot, WorkflowRun};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::relpath::printable;

use super::{Entry, Subject};

/// What the attested objects of workflows are, and what of them was taken again.
#[derive(Debug, Default)]
pub struct Outputs {
    made: BTreeMap<String, Output>,
    taken: BTreeSet<String>,
    attestations: BTreeMap<String, Sha256Digest>,
    builders: BTreeSet<Option<String>>,
}

impl Outputs {
    /// Adds what the text of a workflow says that its nodes took. It can only say of fewer outputs
    /// that they are final.
    pub fn workflow(&mut self, run: &WorkflowRun) {
        for node in &run.nodes {
            // What a step puts in the place of what it took is its output.
            let taken =
                node.inputs.iter().filter(|taken| node.outputs.iter().all(|made| made.spot != taken.spot));
            self.taken.extend(taken.filter_map(|taken| match &taken.spot {
                Spot::Object { bucket, key } => Some(address(&format!("s3://{bucket}/{key}"))),
                Spot::Elsewhere(_) | Spot::Nowhere => None,
            }));
        }
    }

    /// Adds a finding of a workflow, if it is of something attested.
    pub fn entry(&mut self, entry: &Entry) {
        let (Some(accepted), Subject::Artifact { path, .. }) = (&entry.accepted, &entry.subject) else {
            return;
        };
        let name = printable(path.as_os_str().as_bytes());
        let own = address(&name);
        let taken = accepted.materials.iter().map(|material| address(&material.uri));
        self.taken.extend(taken.filter(|taken| *taken != own));
        // What is attested for another run, also where the unsigned text says that this one took it over,
        // or by one whom the policy does not trust, is no output.
        if entry.finding != Finding::Attested {
            return;
        }
        self.made.insert(own, Output { name, digest: accepted.digest.clone() });
        self.attestations.extend(accepted.file.map(|file| (accepted.attestation.clone(), file)));
        self.builders.insert(accepted.builder_id.clone());
    }

    /// Those that no step took.
    pub fn last(&self) -> Vec<Output> {
        let last = self.made.iter().filter(|(address, _)| !self.taken.contains(*address));
        last.map(|(_, output)| output.clone()).collect()
    }

    /// The attestations that were accepted, by their addresses.
    pub fn attestations(&self) -> impl Iterator<Item = (&str, Sha256Digest)> {
        self.attestations.iter().map(|(uri, digest)| (uri.as_str(), *digest))
    }

    /// The builders; `None` among them if something is attested that names none.
    pub fn builders(&self) -> impl Iterator<Item = Option<&str>> {
        self.builders.iter().map(Option::as_deref)
    }
}

/// One address, however a directory's ends.
fn address(uri: &str) -> String {
    printable(uri.trim_end_matches('/').as_bytes())
}

#[cfg(test)]
mod tests {
    use argo_attest_core::audit::Invocation;
    use serde_json::json;

    use super::*;
    use crate::report::Accepted;

    /// The text of a workflow is unsigned, and could call any object that is attested its own.
    #[test]
    fn what_another_run_made_is_no_output() {
        let of = |finding| {
            let accepted: Accepted = serde_json::from_value(json!({
                "subject": "x", "digest": "sha256:00", "files": 1, "attestation": "s3://b/x.a", "key": "k",
                "keyId": "SHA256:k", "predicateType": "https://slsa.dev/provenance/v1",
            }))
            .unwrap();
            let subject = Subject::Artifact { path: "s3://b/x".into(), output: Some("x".into()) };
            let mut outputs = Outputs::default();
            outputs.entry(&Entry { step: None, subject, finding, accepted: Some(Box::new(accepted)) });
            (outputs.last().len(), outputs.builders().count())
        };
        assert_eq!(of(Finding::Attested), (1, 1));
        assert_eq!(of(Finding::Memoised { run: Invocation::default() }), (0, 0));
    }
}
