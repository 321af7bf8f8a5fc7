//! What is added, as whoever calls us wants it.

use crate::object_name::ObjectName;

/// How the sidecar is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// An `initContainers` entry with `restartPolicy: Always`; Kubernetes 1.29 or newer.
    #[default]
    Native,
    /// A `sidecars` entry, which fails the step if something was not attested.
    Sidecar,
}

/// What to add, and to which templates.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The image of both containers.
    pub image: String,
    /// The builder's id, a URI.
    pub builder_id: String,
    /// Every template that runs containers, not only those that ask.
    pub all: bool,
    /// How the sidecar is declared.
    pub mode: Mode,
    /// Whether a step fails that cannot be attested, as far as that is known before main starts.
    pub not_ready_fails: bool,
    /// The Secret with the signing key.
    pub key_secret: ObjectName,
    /// The `ConfigMap` with the gate's policy and the public keys that it names.
    pub policy_configmap: ObjectName,
    /// Secrets with the store's credentials; none with web identity.
    pub store_secrets: Vec<ObjectName>,
    /// The store for attestations that have no place beside their output, and for outcomes: a
    /// URL; `None` for none.
    pub attestation_store: Option<String>,
    /// Seconds that a pod has to end, if they are to be set.
    pub grace_period: Option<u32>,
    /// The user of both containers, if not the one that the workflow itself gives.
    pub run_as_user: Option<u32>,
}

impl Settings {
    /// Whether a check is needed for that: a plain sidecar fails the step itself.
    pub(super) fn fails_where_not_ready(&self) -> bool {
        self.not_ready_fails && self.mode == Mode::Native
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_kubernetes() {
        for good in ["a", "argo-attest-key", "a.b-1", "1"] {
            assert_eq!(good.parse::<ObjectName>().unwrap().as_str(), good);
        }
        for bad in ["", "A", "a_b", "-a", "a-", "a..b", "a/b", "a\n", &"a".repeat(254)] {
            bad.parse::<ObjectName>().unwrap_err();
        }
    }
}
