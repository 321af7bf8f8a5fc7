//! The keys under which Argo stores what a node has without a key of its own.
//!
//! Argo puts variables into the repository's `keyFormat` (workflow/controller/workflowpod.go, with
//! the names of workflow/common/common.go). Those that this module does not know leave it unknown:
//! what the node's outputs say is then all that is known of its place.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Bytes of a key, in S3 and wherever else.
pub(super) const MAX_KEY: usize = 1024;

/// What a workflow's variables are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) workflow: &'a str,
    pub(super) namespace: &'a str,
    pub(super) uid: &'a str,
    pub(super) created: Option<Timestamp>,
    /// Whether pods are named by their node's id (`PodNameV1`).
    pub(super) pods_by_id: bool,
}

/// What tells one node's keys from another's.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfNode<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) template: &'a str,
}

impl Names<'_> {
    /// What the format stands for; `None` if something in it is not known here.
    pub(super) fn resolve(&self, format: &str, node: OfNode<'_>) -> Option<String> {
        let mut resolved = String::with_capacity(format.len());
        let mut rest = format;
        while let Some((before, tag)) = rest.split_once("{{") {
            resolved.push_str(before);
            if resolved.len() > MAX_KEY {
                return None;
            }
            let (variable, behind) = tag.split_once("}}")?;
            resolved.push_str(&self.value(variable.trim(), node).filter(|value| value.len() <= MAX_KEY)?);
            rest = behind;
        }
        resolved.push_str(rest);
        Some(resolved).filter(|key| key.len() <= MAX_KEY)
    }

    fn value(&self, variable: &str, node: OfNode<'_>) -> Option<String> {
        Some(match variable {
            "workflow.name" => self.workflow.to_owned(),
            "workflow.namespace" => self.namespace.to_owned(),
            "workflow.uid" => self.uid.to_owned(),
            "pod.name" => self.pod_name(node),
            "node.name" => node.name.to_owned(),
            other => {
                // `GetWorkflowCreationTimestamp…`: one letter of strftime.
                let letter = other.strip_prefix("workflow.creationTimestamp.")?;
                if !matches!(letter, "Y" | "m" | "d" | "H" | "M" | "S" | "y" | "j") {
                    return None;
                }
                self.created?.to_zoned(TimeZone::UTC).strftime(&format!("%{letter}")).to_string()
            }
        })
    }

    /// `GeneratePodName` in Argo's `workflow/util/pod_name.go`.
    pub(super) fn pod_name(&self, node: OfNode<'_>) -> String {
        if self.pods_by_id {
            return node.id.to_owned();
        }
        if node.name == self.workflow {
            return self.workflow.to_owned();
        }
        let mut prefix = self.workflow.to_owned();
        if !node.template.is_empty() {
            prefix = format!("{prefix}-{}", node.template);
        }
        // `maxK8sResourceNameLength` less `k8sNamingHashLength` and the dash.
        let mut most = 253 - 10 - 1;
        while !prefix.is_char_boundary(most.min(prefix.len())) {
            most -= 1;
        }
        prefix.truncate(most);
        format!("{prefix}-{}", fnv1_32a(node.name.as_bytes()))
    }
}

/// FNV-1a of 32 bits (RFC 9923), by which Argo tells pods apart.
fn fnv1_32a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names<'static> {
        Names {
            workflow: "wf-x7",
            namespace: "ci",
            uid: "u-1",
            created: Some("2026-03-04T05:06:07Z".parse().unwrap()),
            pods_by_id: false,
        }
    }

    #[test]
    fn variables_are_put_in_and_others_leave_it_unknown() {
        let node = OfNode { id: "wf-x7-1", name: "wf-x7[0].a", template: "t" };
        let resolve = |format: &str| names().resolve(format, node);
        let pod = names().pod_name(node);
        assert_eq!(resolve("{{workflow.name}}/{{pod.name}}"), Some(format!("wf-x7/{pod}")));
        assert_eq!(
            resolve("x/{{workflow.creationTimestamp.Y}}/{{ workflow.creationTimestamp.m }}/{{workflow.uid}}"),
            Some("x/2026/03/u-1".into())
        );
        for unknown in
            ["{{workflow.parameters.x}}", "{{=1}}", "{{pod.name", "{{workflow.creationTimestamp.}}"]
        {
            assert_eq!(resolve(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn fnv_is_as_its_specification_has_it() {
        // RFC 9923, test vectors of FNV-1a.
        assert_eq!(fnv1_32a(b""), 0x811c_9dc5);
        assert_eq!(fnv1_32a(b"a"), 0xe40c_292c);
        assert_eq!(fnv1_32a(b"foobar"), 0xbf9c_f968);
    }
}
