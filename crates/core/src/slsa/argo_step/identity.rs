//! Which pod ran a step: what the downward API and Argo say, as far as it was
//! given to us. All of it is optional, and all of it may be as long or as odd as
//! an environment variable can be.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::texts;

/// Who ran the step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodIdentity {
    /// The pod's name.
    pub pod_name: Option<String>,
    /// The pod's UID.
    pub pod_uid: Option<String>,
    /// The pod's namespace, which is the workflow's.
    pub pod_namespace: Option<String>,
    /// The pod's service account.
    pub service_account: Option<String>,
    /// Argo's name of the node, such as `build-x7k2.compile(0)`.
    pub node_name: Option<String>,
    /// Argo's id of the node; a retry has another.
    pub node_id: Option<String>,
    /// The workflow's name.
    pub workflow_name: Option<String>,
    /// The workflow's UID.
    pub workflow_uid: Option<String>,
}

impl PodIdentity {
    /// Names one run of one step: the workflow's UID, the node's id and the pod's
    /// UID, joined by `/`; `-` for what is not known. Retries have another node,
    /// `argo retry` another pod under the same name, so all three are needed.
    ///
    /// In each part every byte that RFC 3986 (section 2.3) does not call
    /// unreserved is written `%XX`: the parts cannot run into each other, and the
    /// whole may stand in a URN (RFC 8141).
    pub fn invocation_id(&self) -> String {
        let mut id = String::new();
        for (number, part) in [&self.workflow_uid, &self.node_id, &self.pod_uid].into_iter().enumerate() {
            if number > 0 {
                id.push('/');
            }
            match part.as_deref() {
                None | Some("") => id.push('-'),
                Some(part) => escape(&mut id, part),
            }
        }
        id
    }

    /// What a build type's `internalParameters` say of it: all but the names of the
    /// workflow, which are the user's to choose and so external.
    pub(in crate::slsa) fn internal_parameters(&self) -> Map<String, Value> {
        texts(&[
            ("workflowUid", &self.workflow_uid),
            ("nodeId", &self.node_id),
            ("nodeName", &self.node_name),
            ("podName", &self.pod_name),
            ("podUid", &self.pod_uid),
            ("serviceAccount", &self.service_account),
        ])
    }
}

fn escape(out: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(workflow: &str, node: &str, pod: &str) -> String {
        let some = |text: &str| Some(text.to_owned());
        PodIdentity {
            workflow_uid: some(workflow),
            node_id: some(node),
            pod_uid: some(pod),
            ..PodIdentity::default()
        }
        .invocation_id()
    }

    #[test]
    fn an_invocation_is_named_by_three_parts() {
        assert_eq!(PodIdentity::default().invocation_id(), "-/-/-");
        assert_eq!(id("8f-1", "wf-step-123", "9a"), "8f-1/wf-step-123/9a");
        assert_eq!(id("8f-1", "", "9a"), "8f-1/-/9a");
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_eq!(id("a/b", "c", "d"), "a%2Fb/c/d");
        assert_ne!(id("a/b", "c", "d"), id("a", "b/c", "d"));
        assert_eq!(id("a", "b\n%", "ü"), "a/b%0A%25/%C3%BC");
    }
}
