//! YAML that a page shows is read by those who are to read it: a policy by our reader, workflows and
//! parts of them by `inject`.

use argo_attest_core::inject::{Settings, inject, remove};
use argo_attest_core::keys::{KeyType, PrivateKey, PublicKey};
use argo_attest_core::policy::Policy;
use serde_json::Value;

use super::block::Block;
use super::{blocks, pages};

/// What a block of YAML is, with what a page leaves out around it.
enum Shown {
    Policy(String),
    Workflow(String),
    /// Somebody else's: Kubernetes', Argo's controller's, a CI system's.
    Other,
}

const POLICY: &str = "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\n";
const SPEC: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: x-}\nspec:\n  entrypoint: x\n";
/// Files for others: what they begin with.
const OTHERS: [&str; 11] = [
    "apiVersion: batch/v1",
    "name: release",
    "build:\n  image:",
    "keyFormat:",
    "links: |",
    "apiVersion: rbac.authorization.k8s.io/v1",
    "apiVersion: admissionregistration.k8s.io/v1",
    "volumes:\n- name: argo-attest-account",
    "- name: argo-attest\n",
    "apiVersion: policies.kyverno.io/v1beta1",
    "apiVersion: policy.sigstore.dev/v1beta1",
];

fn what(yaml: &str) -> Shown {
    let spec = || Shown::Workflow(SPEC.to_owned() + &beneath("  ", yaml));
    match yaml {
        text if text.starts_with(POLICY) => Shown::Policy(text.to_owned()),
        text if text.starts_with("keys:") || text.starts_with("trustedRoot:") => {
            Shown::Policy(POLICY.to_owned() + text)
        }
        text if ["missing:", "expect:", "images:"].iter().any(|part| text.starts_with(part)) => {
            Shown::Policy(format!(
                "{POLICY}keys: [{{name: a, file: a.pub}}]\nbuilders: [{{id: \"https://a.example.com\", keys: [a]}}]\n{text}"
            ))
        }
        text if text.starts_with("apiVersion: argoproj.io/") => Shown::Workflow(text.to_owned()),
        text if OTHERS.iter().any(|beginning| text.starts_with(beginning)) => Shown::Other,
        text if text.starts_with("templates:") || text.starts_with("volumes:") => spec(),
        text if text.starts_with("  - name: argo-attest-check") => Shown::Workflow(format!(
            "{SPEC}  templates:\n  - name: x\n    container: {{image: x}}\n    initContainers:\n{}",
            beneath("  ", text)
        )),
        text => panic!("nobody knows what this is; say it in tests/docs/commands/yaml.rs:\n{text}"),
    }
}

fn beneath(indent: &str, text: &str) -> String {
    text.lines().flat_map(|line| [indent, line, "\n"]).collect()
}

/// The YAML of a page: its blocks, and the files that its commands write.
fn yaml(page: &str) -> Vec<(usize, String)> {
    let written = |block: &Block| {
        let (_, file) = block.text.split_once(".yaml <<'EOT'\n")?;
        Some((block.line, file.split_once("EOT\n")?.0.to_owned()))
    };
    let shown = |block: &Block| (block.language == "yaml").then(|| (block.line, block.text.clone()));
    blocks(page).iter().filter_map(|block| shown(block).or_else(|| written(block))).collect()
}

#[test]
fn yaml_is_what_its_readers_take() {
    let (mut policies, mut workflows) = (0, 0);
    for page in pages() {
        for (line, text) in yaml(&page) {
            match what(&text) {
                Shown::Policy(text) => {
                    // Each file another key: a policy takes none twice.
                    let key = |_: &_| {
                        Ok::<PublicKey, String>(
                            PrivateKey::generate(KeyType::Ed25519).unwrap().public().clone(),
                        )
                    };
                    Policy::from_yaml(text.as_bytes(), key).unwrap_or_else(|e| panic!("{page}:{line}: {e}"));
                    policies += 1;
                }
                Shown::Workflow(text) => {
                    let settings =
                        Settings::new("registry.example.com/argo-attest:1", "https://ci.example.com/argo");
                    let injected = inject(&text, &settings).map(|done| assert_eq!(done.workflows, 1));
                    // What has our containers already is only read.
                    let read = injected.or_else(|_| remove(&text, &[]).map(drop));
                    read.unwrap_or_else(|e| panic!("{page}:{line}: {e}"));
                    workflows += 1;
                }
                Shown::Other => {
                    serde_saphyr::from_multiple::<Value>(&text)
                        .unwrap_or_else(|e| panic!("{page}:{line}: {e}"));
                }
            }
        }
    }
    assert!(policies >= 5 && workflows >= 6, "{policies} policies, {workflows} workflows");
}
