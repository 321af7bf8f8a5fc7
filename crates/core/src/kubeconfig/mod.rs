//! How a person reaches the API server: the files that kubectl reads
//! (`k8s.io/client-go/tools/clientcmd/api/v1`), as far as one context of theirs says.
//!
//! Of several files the first that names something counts, as for kubectl. What is not understood
//! here of how to reach a server, or of who one is, is an error and never passed over: without it the
//! request would go elsewhere, or as somebody else. Nothing that is a secret is shown or repeated.

mod wire;

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use self::wire::{Credentials, File, Named};
use crate::text::brief;
use crate::trouble::{Fault, Trouble};

/// Bytes of one file that are read.
pub const MAX_KUBECONFIG: usize = 4 * 1024 * 1024;
/// Values in one file.
const MAX_VALUES: usize = 100_000;
/// Bytes of names that are shown.
const SHOWN: usize = 120;

/// How the server is reached, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Its URL.
    pub server: String,
    /// Who vouches for it; `None`: the authorities of the system.
    pub authority: Option<Material>,
    /// The namespace that is meant where none is named.
    pub namespace: Option<String>,
    /// As whom it is asked.
    pub user: User,
}

/// Bytes, or the file that holds them.
#[derive(Clone, PartialEq, Eq)]
pub enum Material {
    /// The bytes.
    Bytes(Zeroizing<Vec<u8>>),
    /// The file.
    File(PathBuf),
}

/// As whom a server is asked.
#[derive(Clone, PartialEq, Eq)]
pub enum User {
    /// As nobody.
    Anonymous,
    /// With a certificate and its key.
    Certificate {
        /// The certificate, in PEM.
        certificate: Material,
        /// Its private key, in PEM.
        key: Material,
    },
    /// With a token.
    Token(Material),
    /// With what a program gives.
    Exec(Exec),
}

/// A program that gives credentials (`client.authentication.k8s.io`).
#[derive(Clone, PartialEq, Eq)]
pub struct Exec {
    /// Which version of its interface it has.
    pub api_version: String,
    /// The program: a name that is looked for, or a path.
    pub command: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables that are set for it.
    pub variables: Vec<(String, String)>,
    /// Whether it is told which server is meant.
    pub wants_cluster: bool,
}

/// Why the files do not say how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    /// Not YAML of the right shape.
    #[error("{} is no kubeconfig: {why}", crate::secret::shown_path(file))]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// Why not.
        why: String,
    },
    /// Nothing says which context.
    #[error("no current-context is set")]
    NoContext,
    /// It names something that there is not.
    #[error("there is no {what} {name:?} in it")]
    Absent {
        /// What kind of thing.
        what: &'static str,
        /// Its name, shortened.
        name: String,
    },
    /// Something that is not done here.
    #[error("{what} of {name:?} is not supported")]
    Unsupported {
        /// The field.
        what: &'static str,
        /// Of whom, shortened.
        name: String,
    },
    /// A field that cannot be used.
    #[error("{what} of {name:?} {why}")]
    Field {
        /// The field.
        what: &'static str,
        /// Of whom, shortened.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Trouble for KubeconfigError {
    fn fault(&self) -> Fault {
        match self {
            Self::Malformed { .. } | Self::Field { .. } => Fault::Malformed,
            Self::NoContext | Self::Absent { .. } | Self::Unsupported { .. } => Fault::Usage,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Unsupported { .. } => {
                    "give the workflow itself: kubectl get workflow NAME -o json | argo-attest audit -f -"
                }
                _ => "check it with `kubectl config view --minify`",
            }
            .to_owned(),
        )
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(_) => f.write_str("Bytes(…)"),
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
        }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Certificate { .. } => "Certificate(…)",
            Self::Token(_) => "Token(…)",
            Self::Exec(_) => "Exec(…)",
        })
    }
}

/// How the current context of these files reaches its server. Paths in a file are relative to it.
///
/// Errors: [`KubeconfigError`].
pub fn access(files: &[(PathBuf, Vec<u8>)]) -> Result<Access, KubeconfigError> {
    let mut read = Vec::new();
    for (path, bytes) in files {
        read.push((path.parent().unwrap_or_else(|| Path::new("")), parse(path, bytes)?));
    }
    let chosen =
        read.iter().find_map(|(_, file)| file.current_context.clone().filter(|name| !name.is_empty()));
    let chosen = chosen.ok_or(KubeconfigError::NoContext)?;
    let (_, context) = find(&read, "context", &chosen, |file| &file.contexts, |of| of.context.as_ref())?;
    let (beside, cluster) =
        find(&read, "cluster", &context.cluster, |file| &file.clusters, |of| of.cluster.as_ref())?;
    let shown = |name: &str| brief(name, SHOWN);
    let unsupported = |what| KubeconfigError::Unsupported { what, name: shown(&context.cluster) };
    if cluster.insecure_skip_tls_verify == Some(true) {
        return Err(unsupported("insecure-skip-tls-verify"));
    }
    if is_set(cluster.tls_server_name.as_deref()) {
        return Err(unsupported("tls-server-name"));
    }
    if is_set(cluster.proxy_url.as_deref()) {
        return Err(unsupported("proxy-url"));
    }
    let authority = material(
        ("certificate-authority-data", cluster.certificate_authority_data.as_deref()),
        cluster.certificate_authority.as_deref(),
        (beside, &context.cluster),
    )?;
    let user = if context.user.is_empty() {
        User::Anonymous
    } else {
        let (beside, user) = find(&read, "user", &context.user, |file| &file.users, |of| of.user.as_ref())?;
        user_of(&user, (beside, &context.user))?
    };
    let namespace = context.namespace.filter(|namespace| !namespace.is_empty());
    Ok(Access { server: cluster.server, authority, namespace, user })
}

fn parse(path: &Path, bytes: &[u8]) -> Result<File, KubeconfigError> {
    let malformed = |why: &str| KubeconfigError::Malformed { file: path.to_owned(), why: why.to_owned() };
    if bytes.len() > MAX_KUBECONFIG {
        return Err(malformed("it is too large"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
    if text.trim().is_empty() {
        return Ok(File::default());
    }
    let options = serde_saphyr::options! {
        // A name may be `n` or `on`, which YAML 1.2 takes for text.
        strict_booleans: true,
        budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_nodes: MAX_VALUES },
    };
    // What the parser says quotes the file, which holds keys and tokens.
    let value: Value = serde_saphyr::from_str_with_options(text, options)
        .map_err(|_| malformed("it is no YAML that can be read"))?;
    if !value.is_object() {
        return Err(malformed("it is no object"));
    }
    serde_json::from_value(value).map_err(|_| malformed("a field in it is not of its type"))
}

/// The first of this name, and the directory of the file that has it.
fn find<'f, T, U: Clone>(
    files: &[(&'f Path, File)],
    what: &'static str,
    name: &str,
    all: impl Fn(&File) -> &Option<Vec<Named<T>>>,
    of: impl Fn(&T) -> Option<&U>,
) -> Result<(&'f Path, U), KubeconfigError> {
    let found = files.iter().find_map(|(beside, file)| {
        let found = all(file).iter().flatten().find(|named| named.name == name)?;
        Some((*beside, of(&found.of)?.clone()))
    });
    found.ok_or_else(|| KubeconfigError::Absent { what, name: brief(name, SHOWN) })
}

fn user_of(user: &Credentials, (beside, name): (&Path, &str)) -> Result<User, KubeconfigError> {
    let unsupported = |what| Err(KubeconfigError::Unsupported { what, name: brief(name, SHOWN) });
    if is_set(user.username.as_deref()) || is_set(user.password.as_deref()) {
        return unsupported("username");
    }
    if user.auth_provider.as_ref().is_some_and(|provider| !provider.is_null()) {
        return unsupported("auth-provider");
    }
    if is_set(user.impersonated.as_deref()) {
        return unsupported("as");
    }
    let of = (beside, name);
    let certificate = ("client-certificate-data", user.client_certificate_data.as_deref());
    let certificate = material(certificate, user.client_certificate.as_deref(), of)?;
    let key = ("client-key-data", user.client_key_data.as_deref());
    let key = material(key, user.client_key.as_deref(), of)?;
    match (certificate, key) {
        (Some(certificate), Some(key)) => return Ok(User::Certificate { certificate, key }),
        (None, None) => {}
        _ => {
            let (what, why) = ("client-certificate", "needs its client-key, and that the certificate");
            return Err(KubeconfigError::Field { what, name: brief(name, SHOWN), why });
        }
    }
    if let Some(file) = user.token_file.as_ref().filter(|file| !file.is_empty()) {
        return Ok(User::Token(Material::File(beside.join(file))));
    }
    if let Some(token) = user.token.as_ref().filter(|token| !token.is_empty()) {
        return Ok(User::Token(Material::Bytes(Zeroizing::new(token.clone().into_bytes()))));
    }
    let Some(exec) = &user.exec else { return Ok(User::Anonymous) };
    if exec.command.is_empty() {
        let (what, why) = ("exec", "has no command");
        return Err(KubeconfigError::Field { what, name: brief(name, SHOWN), why });
    }
    // A bare name is looked for in PATH, a path is relative to the file.
    let command = Path::new(&exec.command);
    let is_bare = command.components().count() == 1 && !exec.command.starts_with("./");
    Ok(User::Exec(Exec {
        api_version: exec.api_version.clone(),
        command: if is_bare { command.to_owned() } else { beside.join(command) },
        arguments: exec.args.clone().unwrap_or_default(),
        variables: exec.env.iter().flatten().map(|v| (v.name.clone(), v.value.clone())).collect(),
        wants_cluster: exec.provide_cluster_info,
    }))
}

/// What a field holds in base64, or else the file that another field names.
fn material(
    (what, data): (&'static str, Option<&str>),
    file: Option<&str>,
    (beside, name): (&Path, &str),
) -> Result<Option<Material>, KubeconfigError> {
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        let compact = Zeroizing::new(data.split_ascii_whitespace().collect::<String>());
        let bytes = STANDARD.decode(compact.as_bytes()).map_err(|_| KubeconfigError::Field {
            what,
            name: brief(name, SHOWN),
            why: "is not base64",
        })?;
        return Ok(Some(Material::Bytes(Zeroizing::new(bytes))));
    }
    Ok(file.filter(|file| !file.is_empty()).map(|file| Material::File(beside.join(file))))
}

fn is_set(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
