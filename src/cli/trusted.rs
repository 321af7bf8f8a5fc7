//! What `verify` and `audit` are told alike: whom to trust, and what to read.

use std::path::{Path, PathBuf};

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::policy::{Policy, TrustedIdentity, TrustedKey};

use super::{Exit, Failure, home, policy};
use crate::document::DocumentName;
use crate::regular_file::STANDARD_INPUT;
use crate::signer::{KeySource, load_public, public_path};
use crate::store::ProcessEnv;

/// Standard input has one end: whoever reads it second would find nothing there.
pub(super) fn input_once<'a>(
    documents: impl Iterator<Item = &'a DocumentName>,
    keys: &'a [KeySource],
    artifacts: &'a [PathBuf],
) -> Result<(), Failure> {
    let documents = documents.filter_map(|name| match name {
        DocumentName::File(path) => Some(path.as_path()),
        DocumentName::Object { .. } => None,
    });
    let keys = keys.iter().filter_map(KeySource::file);
    let named = documents.chain(keys).chain(artifacts.iter().map(PathBuf::as_path));
    if named.filter(|path| *path == Path::new(STANDARD_INPUT)).count() < 2 {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, "standard input, -, is named more than once")
        .remedy("give one of them by a path"))
}

/// Whom to trust.
pub(super) struct Trusted {
    pub(super) policy: Policy,
    /// Whether that is only the user's own key.
    pub(super) own: bool,
    /// Digest of the policy's own bytes, if one was named.
    pub(super) digest: Option<Sha256Digest>,
}

/// Whom to trust, as a command line says it.
pub(super) struct Trusting<'a> {
    pub(super) policy: Option<&'a DocumentName>,
    pub(super) keys: &'a [KeySource],
    pub(super) identity: Option<TrustedIdentity>,
    pub(super) builder_id: Option<&'a str>,
    pub(super) root: Option<&'a DocumentName>,
}

/// Whom to trust, as the options say.
pub(super) async fn trusted(
    Trusting { policy, keys, identity, builder_id, root }: Trusting<'_>,
) -> Result<Trusted, Failure> {
    let (policy, own, digest) = match policy {
        Some(name) => {
            let (policy, digest) = policy::read(&name.open(&ProcessEnv)?, root).await?;
            (policy, false, Some(digest))
        }
        None if keys.is_empty() && identity.is_none() => {
            (policy::with_root(own_key()?, root).await?, true, None)
        }
        None => {
            let load = |source: &KeySource| {
                let key = source.public(&ProcessEnv).map_err(|e| Failure::from(&e))?;
                Ok(TrustedKey::new(source.to_string(), key))
            };
            let policy = Policy::of_keys(keys.iter().map(load).collect::<Result<_, Failure>>()?);
            (policy::with_root(policy, root).await?, false, None)
        }
    };
    let policy = match identity {
        Some(identity) => policy.with_identity(identity),
        None => policy,
    };
    let policy = match builder_id {
        Some(id) => policy.only_builder(id.to_owned()),
        None => policy,
    };
    Ok(Trusted { policy, own, digest })
}

fn own_key() -> Result<Policy, Failure> {
    let path = public_path(&home::private_key()?);
    let key = load_public(&path).map_err(|e| {
        if e.is_missing() {
            return Failure::new(
                Exit::Key,
                "no key is trusted: none is named, and you have none of your own",
            )
            .remedy("name the signer's public key with --key FILE.pub, or a policy with --policy FILE");
        }
        Failure::from(&e)
    })?;
    Ok(Policy::of_keys(vec![TrustedKey::new("your own key", key)]))
}
