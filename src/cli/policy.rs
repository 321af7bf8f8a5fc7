//! The policy that a person names, and the public keys and the trusted root that it names beside
//! itself.

use std::collections::HashMap;
use std::path::Path;

use argo_attest_core::contract::place::POLICY;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::keys::{MAX_PEM, PublicKey};
use argo_attest_core::policy::document::{InvalidPolicy, MAX_POLICY};
use argo_attest_core::policy::{Policy, PolicyDocument};
use argo_attest_core::proof::{MAX_TRUSTED_ROOT, TrustedRoot};
use argo_attest_core::secret::shown_path;
use argo_attest_core::text::causes;
use tracing::info;

use super::{Exit, Failure};
use crate::document::{Document, DocumentError, DocumentName};
use crate::signer::load_public;
use crate::store::ProcessEnv;

/// Where whoever has the program and not its source finds what a policy is.
const PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/policy.md");

/// What to do where a pod has no policy: its author made no file.
const NO_CONFIG_MAP: &str = "make the ConfigMap that is mounted there (argo-attest-policy if nothing else was \
    said) in the workflow's namespace, with an entry policy.yaml";
/// What to do where a public key is not as the policy has it.
const NO_KEY: &str = "the policy's `file` is looked for beside the policy: put the public key there";
/// The same in a pod.
const NO_ENTRY: &str =
    "put the public key into the policy's ConfigMap, as an entry named as the policy's `file`";

/// Reads a policy, and what it names beside itself: each once. A trusted root that is given by itself
/// is taken in the place of the policy's own. The digest is that of the policy's own bytes.
pub(super) async fn read(
    place: &Document,
    root: Option<&DocumentName>,
) -> Result<(Policy, Sha256Digest), Failure> {
    let is_mounted = matches!(place, Document::File(file) if file.starts_with(POLICY));
    let unread = |e: DocumentError| {
        let failure = Failure::from(&e).about("cannot read the policy");
        let absent = is_mounted && matches!(e, DocumentError::Missing(_));
        if absent { failure.remedy(NO_CONFIG_MAP) } else { failure }
    };
    let bytes = place.read(MAX_POLICY).await.map_err(unread)?;
    let invalid = |e: InvalidPolicy| {
        let remedy = match e {
            InvalidPolicy::Key { .. } if is_mounted => NO_ENTRY.to_owned(),
            InvalidPolicy::Key { .. } => NO_KEY.to_owned(),
            _ => format!("{PAGE} describes the file, field by field"),
        };
        Failure::new(Exit::Data, format!("{place}: {}", causes(&e))).remedy(remedy)
    };
    let digest = Sha256Digest::of(&bytes);
    let policy = PolicyDocument::read(&bytes).map_err(invalid)?;
    info!(policy = %place, keys = policy.key_files().count(), "policy read");
    let own_root = policy.trusted_root_file().map(Path::to_owned);
    let own_root = match (root, own_root) {
        (None, Some(file)) => Some(beside(place, &file)?),
        _ => None,
    };
    let policy = with_keys(place, policy).await?.map_err(invalid)?;
    let policy = match &own_root {
        Some(own) => policy.with_trusted_root(trusted_root(own).await?),
        None => with_root(policy, root).await?,
    };
    if let (Some(field), None) = (policy.needs_trusted_root(), policy.trusted_root()) {
        return Err(Failure::new(
            Exit::Usage,
            format!("{place}: {field} has to be judged by a trusted root, and no trusted root is named"),
        )
        .remedy("name one as the policy's trustedRoot, or with --trusted-root FILE"));
    }
    Ok((policy, digest))
}

/// The policy with the keys that it names.
async fn with_keys(
    place: &Document,
    policy: PolicyDocument,
) -> Result<Result<Policy, InvalidPolicy>, Failure> {
    if let Document::File(file) = place {
        let directory = file.parent().unwrap_or_else(|| Path::new(""));
        return Ok(policy.with_keys(|key| load_public(&directory.join(key))));
    }
    let mut keys = HashMap::new();
    for file in policy.key_files() {
        if !keys.contains_key(file) {
            keys.insert(file.to_owned(), stored_key(place, file).await?);
        }
    }
    let known = |file: &Path| keys.get(file).cloned().ok_or("it was not read");
    Ok(policy.with_keys(known))
}

/// The policy, with the trusted root that is given by itself, if one is.
pub(super) async fn with_root(policy: Policy, root: Option<&DocumentName>) -> Result<Policy, Failure> {
    Ok(match root {
        Some(name) => policy.with_trusted_root(trusted_root(&name.open(&ProcessEnv)?).await?),
        None => policy,
    })
}

/// Reads a trusted root.
async fn trusted_root(place: &Document) -> Result<TrustedRoot, Failure> {
    let bytes = place.read(MAX_TRUSTED_ROOT).await;
    let bytes = bytes.map_err(|e| Failure::from(&e).about("cannot read the trusted root"))?;
    let root = TrustedRoot::read(&bytes).map_err(|e| {
        Failure::new(Exit::Data, format!("{place}: {}", causes(&e)))
            .remedy("fetch it again from who runs the log: cosign trusted-root create writes one")
    })?;
    info!(trusted_root = %place, "trusted root read");
    Ok(root)
}

/// What a policy names beside itself.
fn beside(policy: &Document, file: &Path) -> Result<Document, Failure> {
    policy.beside(file).map_err(|e| {
        let about = format!("{policy}: the trusted root {}", shown_path(file));
        Failure::new(Exit::Data, format!("{about} cannot be beside the policy: {e}"))
            .remedy("put it into the policy's bucket, and name it as seen from the policy: trusted_root.json")
    })
}

/// A public key in the store that the policy lies in.
async fn stored_key(policy: &Document, file: &Path) -> Result<PublicKey, Failure> {
    let about = format!("{policy}: the key {}", shown_path(file));
    let place = policy.beside(file).map_err(|e| {
        Failure::new(Exit::Data, format!("{about} cannot be beside the policy: {e}"))
            .remedy("put the key into the policy's bucket, and name it as seen from the policy: ci.pub")
    })?;
    let bytes = place.read(MAX_PEM).await.map_err(|e| Failure::from(&e).about(&about))?;
    PublicKey::from_spki_pem(&bytes).map_err(|e| {
        Failure::new(Exit::Data, format!("{about} is not usable: {e}")).remedy(e.remedy(&place.to_string()))
    })
}
