//! What is added, as whoever calls us wants it.

use std::fmt;
use std::str::FromStr;

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
    /// The Secret with the signing key.
    pub key_secret: Name,
    /// The `ConfigMap` with the gate's policy and the public keys that it names.
    pub policy_configmap: Name,
    /// Secrets with the store's credentials; none with web identity.
    pub store_secrets: Vec<Name>,
    /// Seconds that a pod has to end, if they are to be set.
    pub grace_period: Option<u32>,
    /// The user of both containers, if not the one that the workflow itself gives.
    pub run_as_user: Option<u32>,
}

/// The name of a Kubernetes object: a DNS subdomain of RFC 1123.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// Text that names no Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Kubernetes name (lower-case letters, digits, `-` and `.`)")]
pub struct InvalidName;

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if text.len() > 253 || !text.split('.').all(label) {
            return Err(InvalidName);
        }
        Ok(Self(text.to_owned()))
    }
}

impl Name {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_kubernetes() {
        for good in ["a", "argo-attest-key", "a.b-1", "1"] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in ["", "A", "a_b", "-a", "a-", "a..b", "a/b", "a\n", &"a".repeat(254)] {
            bad.parse::<Name>().unwrap_err();
        }
    }
}
