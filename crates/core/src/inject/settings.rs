//! What is added, as whoever calls us wants it.

use std::fmt;
use std::str::FromStr;

use crate::argo::Check;
use crate::contract::volume::{KEY, POLICY};
use crate::keys::KeyId;
use crate::object_name::{ObjectName, is_key_name};
use crate::relpath::printable;
use crate::secret::shown;

/// How the sidecar is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// An `initContainers` entry with `restartPolicy: Always`; Kubernetes 1.29 or newer.
    #[default]
    Native,
    /// A `sidecars` entry, which fails the step if something was not attested.
    Sidecar,
}

/// As which user our containers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunAs {
    /// As main does: what its container or its pod says, else as root without capabilities.
    #[default]
    Main,
    /// Nothing is said: as the image or, on `OpenShift`, the platform has it.
    Platform,
    /// As this one.
    User(u32),
}

/// What a container asks for, and may have at most; none where it is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    /// `requests.cpu`.
    pub cpu_request: Option<Quantity>,
    /// `requests.memory`.
    pub memory_request: Option<Quantity>,
    /// `limits.cpu`.
    pub cpu_limit: Option<Quantity>,
    /// `limits.memory`.
    pub memory_limit: Option<Quantity>,
}

impl Resources {
    /// What `cpu_request` is unless it is said.
    pub const CPU_REQUEST: &str = "10m";
    /// The same of `memory_request`.
    pub const MEMORY_REQUEST: &str = "32Mi";
    /// The same of `memory_limit`.
    pub const MEMORY_LIMIT: &str = "256Mi";
}

impl Default for Resources {
    fn default() -> Self {
        let of = |text: &str| Some(Quantity(text.to_owned()));
        Self {
            cpu_request: of(Self::CPU_REQUEST),
            memory_request: of(Self::MEMORY_REQUEST),
            cpu_limit: None,
            memory_limit: of(Self::MEMORY_LIMIT),
        }
    }
}

/// An amount of a resource, as Kubernetes writes it (`resource.Quantity` in its
/// apimachinery), and not less than nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity(String);

/// Text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an amount as Kubernetes writes it, such as 10m, 0.5 or 256Mi")]
pub struct InvalidQuantity;

impl FromStr for Quantity {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        let number = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let digits = text.strip_suffix(number).unwrap_or_default();
        let is_number = digits.bytes().any(|b| b.is_ascii_digit()) && digits.matches('.').count() < 2;
        let exponent =
            number.strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
        let is_exponent = exponent.is_some_and(|e| !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit()));
        let suffixes = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
        if is_number && digits.len() < 20 && number.len() < 5 && (is_exponent || suffixes.contains(&number)) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidQuantity)
    }
}

impl Quantity {
    /// The amount.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// When the kubelet pulls our image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullPolicy {
    /// Before each start.
    Always,
    /// Where it is not there.
    IfNotPresent,
    /// Not at all.
    Never,
}

impl PullPolicy {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// A key of a Secret or a `ConfigMap` with certificates of authorities, as `TYPE/NAME` or
/// `TYPE/NAME:KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorities {
    pub(super) secret: bool,
    pub(super) name: ObjectName,
    pub(super) key: String,
}

/// Text that names no such key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neither secret/NAME nor configmap/NAME, each with or without :KEY")]
pub struct InvalidAuthorities;

impl Authorities {
    /// The key, unless it is said.
    pub const KEY: &str = "ca.crt";
}

impl FromStr for Authorities {
    type Err = InvalidAuthorities;

    fn from_str(text: &str) -> Result<Self, InvalidAuthorities> {
        let (kind, rest) = text.split_once('/').ok_or(InvalidAuthorities)?;
        let (name, key) = rest.split_once(':').unwrap_or((rest, Self::KEY));
        let secret = match kind {
            "secret" => true,
            "configmap" => false,
            _ => return Err(InvalidAuthorities),
        };
        let name = name.parse().map_err(|_| InvalidAuthorities)?;
        if is_key_name(key) {
            Ok(Self { secret, name, key: key.to_owned() })
        } else {
            Err(InvalidAuthorities)
        }
    }
}

impl fmt::Display for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.secret { "secret" } else { "configmap" };
        write!(f, "{kind}/{}:{}", self.name, self.key)
    }
}

/// A variable of the sidecar's and its value, as `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVariable {
    pub(super) name: String,
    pub(super) value: String,
}

/// Text that is no such variable. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyVariable {
    /// Not a name, `=` and a value.
    #[error("not NAME=VALUE, with a name of letters, digits and _")]
    Form,
    /// One that our own options set.
    #[error("variables that begin with ARGO_ are set by options, or by Argo")]
    Ours,
    /// One that holds a secret.
    #[error("it would hold a secret, for everybody to read who reads the workflow")]
    Secret,
}

impl FromStr for KeyVariable {
    type Err = InvalidKeyVariable;

    fn from_str(text: &str) -> Result<Self, InvalidKeyVariable> {
        /// Ends of names that services give to what they know somebody by.
        const SECRETS: [&str; 4] = ["_TOKEN", "_KEY", "_PASSWORD", "_SECRET"];
        let (name, value) = text.split_once('=').ok_or(InvalidKeyVariable::Form)?;
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if !is_name || value.is_empty() || value.chars().any(char::is_control) {
            return Err(InvalidKeyVariable::Form);
        }
        if name.starts_with("ARGO_") {
            return Err(InvalidKeyVariable::Ours);
        }
        if SECRETS.iter().any(|end| name.ends_with(end))
            || shown(value.as_bytes()) != printable(value.as_bytes())
        {
            return Err(InvalidKeyVariable::Secret);
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// Others whom the sidecar asks to vouch for what it signs, as it is told of them.
#[derive(Debug, Clone, Default)]
pub struct Witnessing {
    /// Variables of the sidecar's, by their names.
    pub variables: Vec<(&'static str, String)>,
    /// The `ConfigMap` with the trusted root, an entry `trusted_root.json`.
    pub trusted_root: Option<ObjectName>,
}

/// Who certifies the key that a sidecar makes for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certifying {
    /// Fulcio, a URL.
    pub fulcio: String,
    /// For whom the pod's token is that the sidecar alone gets.
    pub audience: String,
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
    /// The names of the only templates that are meant; all, if there are none.
    pub templates: Vec<String>,
    /// How the sidecar is declared.
    pub mode: Mode,
    /// Whether a step fails that cannot be attested, as far as that is known before main starts.
    pub not_ready_fails: bool,
    /// The Secret with the signing key.
    pub key_secret: ObjectName,
    /// The key of a service that signs in its place, by the name that the sidecar knows it by: then
    /// no Secret is mounted for it.
    pub service_key: Option<String>,
    /// Who certifies a key that is made for the pod, in place of either: then no Secret is mounted, and a token is.
    pub certifying: Option<Certifying>,
    /// The variables by which that service is reached. No secrets: a manifest is read by many.
    pub key_variables: Vec<KeyVariable>,
    /// The key that it has to be, if that is said.
    pub key_id: Option<KeyId>,
    /// Who is asked to vouch for what is signed.
    pub witnessing: Witnessing,
    /// The collector that both containers send spans to: a URL; `None` for none.
    pub otlp_endpoint: Option<String>,
    /// The `ConfigMap` with the gate's policy and the public keys that it names.
    pub policy_configmap: ObjectName,
    /// Secrets with the store's credentials; none with web identity.
    pub store_secrets: Vec<ObjectName>,
    /// The Secret with logins to registries, in the form of Docker's configuration; `None` for none.
    pub registry_secret: Option<ObjectName>,
    /// Of which steps the gate checks the images of the containers.
    pub check_images: Check,
    /// The store for attestations that have no place beside their output, and for outcomes: a
    /// URL; `None` for none.
    pub attestation_store: Option<String>,
    /// Authorities that stores' certificates are checked by, if not the image's.
    pub authorities: Option<Authorities>,
    /// Seconds that a pod has to end, if they are to be set.
    pub grace_period: Option<u32>,
    /// The user of our containers.
    pub run_as: RunAs,
    /// What our containers ask for, each.
    pub resources: Resources,
    /// When the image is pulled, if not as Kubernetes has it.
    pub pull_policy: Option<PullPolicy>,
    /// Secrets that the image is pulled with.
    pub pull_secrets: Vec<ObjectName>,
}

impl Settings {
    /// The least that must be said; all else as it is unless it is said.
    pub fn new(image: impl Into<String>, builder_id: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            builder_id: builder_id.into(),
            all: false,
            templates: Vec::new(),
            mode: Mode::default(),
            not_ready_fails: false,
            key_secret: ObjectName::of_ours(KEY),
            service_key: None,
            certifying: None,
            key_variables: Vec::new(),
            key_id: None,
            witnessing: Witnessing::default(),
            otlp_endpoint: None,
            policy_configmap: ObjectName::of_ours(POLICY),
            store_secrets: Vec::new(),
            registry_secret: None,
            check_images: Check::OptIn,
            attestation_store: None,
            authorities: None,
            grace_period: None,
            run_as: RunAs::default(),
            resources: Resources::default(),
            pull_policy: None,
            pull_secrets: Vec::new(),
        }
    }

    /// Whether a check is needed for that: a plain sidecar fails the step itself.
    pub(super) fn fails_where_not_ready(&self) -> bool {
        self.not_ready_fails && self.mode == Mode::Native
    }

    /// Whether what is added goes once into the workflow's defaults.
    pub(super) fn by_defaults(&self) -> bool {
        self.all && self.templates.is_empty()
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

    #[test]
    fn variables_of_a_key_hold_no_secret() {
        let read = |text: &str| text.parse::<KeyVariable>().map(|read| (read.name, read.value));
        for (text, name, value) in [
            ("VAULT_ADDR=https://vault.example:8200", "VAULT_ADDR", "https://vault.example:8200"),
            ("VAULT_AUTH_TOKEN_FILE=/run/token", "VAULT_AUTH_TOKEN_FILE", "/run/token"),
            ("A=b=c", "A", "b=c"),
        ] {
            assert_eq!(read(text).unwrap(), (name.to_owned(), value.to_owned()));
        }
        for text in ["", "A", "=b", "A=", "1A=b", "A B=c", "A=b\nc"] {
            assert_eq!(read(text), Err(InvalidKeyVariable::Form), "{text}");
        }
        assert_eq!(read("ARGO_TEMPLATE=x"), Err(InvalidKeyVariable::Ours));
        let seed = "A=9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        for text in ["VAULT_TOKEN=hvs.x", "AWS_SECRET_ACCESS_KEY=x", "COSIGN_PASSWORD=x", seed] {
            assert_eq!(read(text), Err(InvalidKeyVariable::Secret), "{text}");
        }
    }

    #[test]
    fn amounts_are_those_of_kubernetes() {
        for good in ["10m", "1", "0.5", ".5", "5.", "256Mi", "1e3", "1E-3", "2E", "0"] {
            assert_eq!(good.parse::<Quantity>().unwrap().as_str(), good);
        }
        for bad in ["", "m", "-1", "1.2.3", "10mi", "1 Mi", "1e", "1Kb", ".", "1\n", "{{x}}", &"1".repeat(30)]
        {
            bad.parse::<Quantity>().unwrap_err();
        }
    }

    #[test]
    fn authorities_are_a_key_of_an_object() {
        let shown = |text: &str| text.parse::<Authorities>().map(|ca| ca.to_string());
        assert_eq!(shown("configmap/ca").unwrap(), "configmap/ca:ca.crt");
        assert_eq!(shown("secret/minio-tls:public.crt").unwrap(), "secret/minio-tls:public.crt");
        for bad in ["ca", "pod/ca", "secret/", "secret/A", "secret/a:", "secret/a:b/c", "secret/a:..", "/"] {
            assert_eq!(shown(bad), Err(InvalidAuthorities), "{bad}");
        }
    }
}
